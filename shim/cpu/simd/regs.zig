//! Instruction fields and vector-register access shared by every SIMD and FP chapter.
//!
//! Stores always write the whole 128-bit register at once (`hidden` keeps the compiler from splitting them): smaller stores
//! would make the next 128-bit load miss the host's store forwarding.

const builtin = @import("builtin");
const abi = @import("../../abi.zig");

pub const Block = abi.RegisterBlock;

/// Makes the compiler compute `x` even where nothing reads it, for the flags that computing it raises.
pub inline fn needed(x: u64) void {
    asm volatile (""
        :
        : [x] "r" (x),
    );
}

pub inline fn fieldD(insn: u32) u5 {
    return @truncate(insn);
}

pub inline fn fieldN(insn: u32) u5 {
    return @truncate(insn >> 5);
}

pub inline fn fieldM(insn: u32) u5 {
    return @truncate(insn >> 16);
}

pub inline fn fieldA(insn: u32) u5 {
    return @truncate(insn >> 10);
}

/// Bits `hi..lo` of an instruction.
pub inline fn bits(insn: u32, comptime hi: u5, comptime lo: u5) u32 {
    return (insn >> lo) & ((@as(u32, 1) << (hi - lo + 1)) - 1);
}

pub const U64x2 = @Vector(2, u64);

/// The same vector, of which the optimiser knows nothing any more. It must neither compute with what was in lanes that were
/// cleared nor derive a test of a result from the operands: both would change the host's flags.
pub inline fn hidden(comptime V: type, v: V) V {
    const info = @typeInfo(V).vector;
    if (info.len == 1) return .{hiddenIn(info.child, v[0])};
    return hiddenIn(V, v);
}

inline fn hiddenIn(comptime T: type, v: T) T {
    if (builtin.cpu.arch == .aarch64) return asm (""
        : [out] "=w" (-> T),
        : [in] "0" (v),
    );
    if (builtin.cpu.arch != .x86_64) return v;
    return asm (""
        : [out] "=x" (-> T),
        : [in] "0" (v),
    );
}

/// The low part of a vector register as a `T` of at most 16 bytes.
pub inline fn get(comptime T: type, r: *const Block, index: usize) T {
    return @as(*align(16) const T, @ptrCast(&r.v[index])).*;
}

/// The register with bits 127..64 cleared when `full` is false.
pub inline fn getQ(comptime T: type, comptime full: bool, r: *const Block, index: usize) T {
    if (full) return get(T, r, index);
    return @bitCast(U64x2{ r.v[index][0], 0 });
}

/// Writes a register from a value of at most 16 bytes; the rest of the register becomes zero.
pub inline fn set(r: *Block, index: usize, value: anytype) void {
    const T = @TypeOf(value);
    switch (@bitSizeOf(T)) {
        128 => @as(*align(16) T, @ptrCast(&r.v[index])).* = value,
        else => |n| {
            const low: @Int(.unsigned, n) = @bitCast(value);
            @as(*align(16) U64x2, @ptrCast(&r.v[index])).* = hidden(U64x2, .{ low, 0 });
        },
    }
}

/// Writes a 128-bit value, dropping bits 127..64 when `full` is false.
pub inline fn setQ(r: *Block, comptime full: bool, index: usize, value: anytype) void {
    if (full) return set(r, index, value);
    const whole: U64x2 = @bitCast(value);
    set(r, index, whole[0]);
}

/// General register `index`, 31 reads as zero.
pub inline fn getX(r: *const Block, index: u5) u64 {
    return if (index == 31) 0 else r.x[index];
}

pub inline fn setX(r: *Block, index: u5, value: u64) void {
    if (index != 31) r.x[index] = value;
}

/// FPSR.QC: some lane saturated.
pub const fpsr_qc: u32 = 1 << 27;

/// Ors FPSR.QC when `saturated`.
pub inline fn noteSaturation(r: *Block, saturated: bool) void {
    r.fpsr |= @as(u32, @intFromBool(saturated)) << 27;
}

pub const nzcv_shift = 28;

pub inline fn setNzcv(r: *Block, flags: u32) void {
    r.pstate = @as(u64, flags) << nzcv_shift;
}

/// Does the current NZCV satisfy condition `cond` (0..15)?
pub inline fn holds(r: *const Block, cond: u32) bool {
    const f: u32 = @truncate(r.pstate >> nzcv_shift);
    const n = f >> 3 & 1;
    const z = f >> 2 & 1;
    const c = f >> 1 & 1;
    const v = f & 1;
    const base = switch (cond >> 1) {
        0 => z,
        1 => c,
        2 => n,
        3 => v,
        4 => c & (z ^ 1),
        5 => (n ^ v) ^ 1,
        6 => ((n ^ v) ^ 1) & (z ^ 1),
        else => return true,
    };
    return (base ^ (cond & 1)) != 0;
}
