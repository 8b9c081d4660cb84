//! The host's floating-point environment while guest code runs.
//!
//! Between `enter` and `leave` the host rounds as FPCR says and its sticky flags collect what FPSR will get. FPCR.FZ is
//! never given to the host: x86 flushes at other moments than ARM does, so with FZ set only what nothing can be flushed of
//! (`lanes.usual`) is the host's. ARM reports underflow for results that are tiny before rounding, x86 after; the fast paths
//! hand the one result that differs (the smallest normal number) to the exact path too.

const std = @import("std");
const builtin = @import("builtin");
const abi = @import("../../abi.zig");
const core = @import("fp_core.zig");
const x86 = @import("../x86.zig");

const is_x86 = builtin.cpu.arch == .x86_64;
const is_arm = builtin.cpu.arch == .aarch64;

/// The compiler's f32 and f64 arithmetic obeys the environment that `enter` sets. Elsewhere everything is computed in
/// integers.
pub const host_arithmetic = is_x86 or is_arm;

/// FPCR and FPSR bits that exist at EL0 on this CPU (no trapped exceptions).
pub const fpcr_mask: u32 = core.fpcr_ahp | core.fpcr_dn | core.fpcr_fz | 3 << 22 | core.fpcr_fz16;
pub const fpsr_mask: u32 = 1 << 27 | 0x9f;

/// MXCSR as the C ABI wants it: all exceptions masked, round to nearest.
const mxcsr_default: u32 = 0x1f80;

/// Programs the host for the guest. The caller must not use floating point before `leave`.
pub fn enter(block: *abi.RegisterBlock) void {
    if (is_x86) {
        // ARM counts nearest, up, down, zero; x86 nearest, down, up, zero.
        const mode = block.fpcr >> 22 & 3;
        const rounding = (mode >> 1) | (mode & 1) << 1;
        setMxcsr(mxcsr_default | rounding << 13);
    } else if (is_arm) {
        setFpsr(0);
        setFpcr(block.fpcr & 3 << 22);
    }
}

/// Adds the flags that the host collected to FPSR and gives the host back its usual environment.
pub fn leave(block: *abi.RegisterBlock) void {
    if (is_x86) {
        const s = mxcsr();
        if (s & 0x3d != 0) {
            const in_order = s >> 2 & 0xf;
            block.fpsr |= (s & 1) | in_order << 1;
        }
        setMxcsr(mxcsr_default);
    } else if (is_arm) {
        block.fpsr |= getFpsr() & 0x1f;
        setFpsr(0);
        setFpcr(0);
    }
}

inline fn mxcsr() u32 {
    var v: u32 = undefined;
    asm volatile ("stmxcsr (%[p])"
        :
        : [p] "r" (&v),
        : .{ .memory = true });
    return v;
}

inline fn setMxcsr(v: u32) void {
    asm volatile ("ldmxcsr (%[p])"
        :
        : [p] "r" (&v),
        : .{ .memory = true });
}

inline fn getFpsr() u32 {
    return @truncate(asm volatile ("mrs %[v], fpsr"
        : [v] "=r" (-> u64),
        :
        : .{ .memory = true }));
}

inline fn setFpsr(v: u32) void {
    asm volatile ("msr fpsr, %[v]"
        :
        : [v] "r" (@as(u64, v)),
        : .{ .memory = true });
}

inline fn setFpcr(v: u32) void {
    asm volatile ("msr fpcr, %[v]"
        :
        : [v] "r" (@as(u64, v)),
        : .{ .memory = true });
}

pub const FmaKind = enum { add, sub, neg_add, neg_sub };

/// Whether `fused` works on this host.
pub inline fn hasFused() bool {
    return if (is_x86) x86.features.fma else is_arm;
}

/// c + a*b (`add`), c - a*b (`sub`), -c - a*b (`neg_add`), -c + a*b (`neg_sub`) with one rounding.
pub inline fn fused(comptime V: type, comptime kind: FmaKind, c: V, a: V, b: V) V {
    if (is_arm) return switch (kind) {
        .add => @mulAdd(V, a, b, c),
        .sub => @mulAdd(V, -a, b, c),
        .neg_add => @mulAdd(V, -a, b, -c),
        .neg_sub => @mulAdd(V, a, b, -c),
    };
    const info = @typeInfo(V).vector;
    const name = switch (kind) {
        .add => "vfmadd231",
        .sub => "vfnmadd231",
        .neg_add => "vfnmsub231",
        .neg_sub => "vfmsub231",
    };
    const suffix = (if (info.len == 1) "s" else "p") ++ (if (info.child == f32) "s" else "d");
    const R = if (info.len == 1) info.child else V;
    const ra: R = if (info.len == 1) a[0] else a;
    const rb: R = if (info.len == 1) b[0] else b;
    const rc: R = if (info.len == 1) c[0] else c;
    const result = asm (name ++ suffix ++ " %[b], %[a], %[out]"
        : [out] "=x" (-> R),
        : [a] "x" (ra),
          [b] "x" (rb),
          [c] "0" (rc),
    );
    return if (info.len == 1) .{result} else result;
}

/// Rounds to integral values as `mode` says (null: the current mode); null when the host has no such instruction. Inexact
/// is raised only when `exact`. The value must not be a NaN.
pub inline fn integral(comptime V: type, comptime mode: ?core.Round, comptime exact: bool, v: V) ?V {
    if (!is_x86 or mode == .away) return null;
    const info = @typeInfo(V).vector;
    const suffix = (if (info.len == 1) "s" else "p") ++ (if (info.child == f32) "s" else "d");
    const selector = (if (mode) |m| switch (m) {
        .even => 0,
        .down => 1,
        .up => 2,
        .zero => 3,
        else => unreachable,
    } else 4) | if (exact) 0 else 8;
    const text = std.fmt.comptimePrint("round{s} ${d}, %[in], %[out]", .{ suffix, selector });
    const R = if (info.len == 1) info.child else V;
    const in: R = if (info.len == 1) v[0] else v;
    const result = asm (text
        : [out] "=x" (-> R),
        : [in] "x" (in),
    );
    return if (info.len == 1) .{result} else result;
}
