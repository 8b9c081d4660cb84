//! Handlers of loads and stores of one register or a pair (Arm ARM C4.1.94). d is the lane of the register, n of the base.
//!
//! The fast path is a hit in the TLB; everything else is the business of a second handler, entered by a tail call so that the
//! first needs no stack frame. Registers change only when the whole access has succeeded, the base last.

const std = @import("std");
const access = @import("access.zig");
const core = @import("core.zig");

const Op = core.Op;
const Block = core.Block;
const Vcpu = core.Vcpu;
const Flags = core.Flags;
const Handler = core.Handler;
const get = core.get;
const set = core.set;

/// Base plus imm; base, which becomes base plus imm before or after; base plus m shifted left by a, m being
/// 64 bits, 32 zero-extended or 32 sign-extended; the address in the next slot.
pub const Mode = enum { offset, pre, post, lsl, uxtw, sxtw, literal };

/// What is loaded, and how it fills the register. v: a vector register, whose upper part becomes zero.
pub const Load = enum { u8, u16, u32, u64, s8w, s8x, s16w, s16x, s32x, v8, v16, v32, v64, v128 };
pub const Store = enum { u8, u16, u32, u64, v128 };

const Quad = @Vector(2, u64);

fn LoadType(comptime what: Load) type {
    return switch (what) {
        .u8, .s8w, .s8x, .v8 => u8,
        .u16, .s16w, .s16x, .v16 => u16,
        .u32, .s32x, .v32 => u32,
        .u64, .v64 => u64,
        .v128 => Quad,
    };
}

fn StoreType(comptime what: Store) type {
    return switch (what) {
        .u8 => u8,
        .u16 => u16,
        .u32 => u32,
        .u64 => u64,
        .v128 => Quad,
    };
}

inline fn address(comptime mode: Mode, op: [*]const Op, b: *Block) u64 {
    const amount: u6 = @truncate(op[0].a);
    return switch (mode) {
        .offset, .pre => get(u64, b, op[0].n) +% @as(u64, @bitCast(@as(i64, op[0].imm))),
        .post => get(u64, b, op[0].n),
        .lsl => get(u64, b, op[0].n) +% (get(u64, b, op[0].m) << amount),
        .uxtw => get(u64, b, op[0].n) +% (@as(u64, get(u32, b, op[0].m)) << amount),
        .sxtw => get(u64, b, op[0].n) +% (@as(u64, @bitCast(@as(i64, @as(i32, @bitCast(get(u32, b, op[0].m)))))) << amount),
        .literal => core.ext(op, 1).lo,
    };
}

inline fn writeBack(comptime mode: Mode, op: [*]const Op, b: *Block, addr: u64) void {
    switch (mode) {
        .pre => set(b, op[0].n, addr),
        .post => set(b, op[0].n, addr +% @as(u64, @bitCast(@as(i64, op[0].imm)))),
        else => {},
    }
}

inline fn slotsOf(comptime mode: Mode) usize {
    return if (mode == .literal) 2 else 1;
}

inline fn store128(b: *Block, index: u8, value: Quad) void {
    @as(*align(8) Quad, @ptrCast(core.lane(b, index))).* = value;
}

inline fn load128(b: *Block, index: u8) Quad {
    return @as(*align(8) Quad, @ptrCast(core.lane(b, index))).*;
}

inline fn put(comptime what: Load, b: *Block, index: u8, value: LoadType(what)) void {
    switch (what) {
        .u8, .u16, .u32, .u64 => set(b, index, value),
        .s8w => set(b, index, @as(u32, @bitCast(@as(i32, @as(i8, @bitCast(value)))))),
        .s16w => set(b, index, @as(u32, @bitCast(@as(i32, @as(i16, @bitCast(value)))))),
        .s8x => set(b, index, @as(u64, @bitCast(@as(i64, @as(i8, @bitCast(value)))))),
        .s16x => set(b, index, @as(u64, @bitCast(@as(i64, @as(i16, @bitCast(value)))))),
        .s32x => set(b, index, @as(u64, @bitCast(@as(i64, @as(i32, @bitCast(value)))))),
        .v8, .v16, .v32, .v64 => store128(b, index, .{ value, 0 }),
        .v128 => store128(b, index, value),
    }
}

inline fn take(comptime what: Store, b: *Block, index: u8) StoreType(what) {
    return if (what == .v128) load128(b, index) else get(StoreType(what), b, index);
}

/// The whole instruction when it takes the fast path; false, and nothing done, when it does not.
pub inline fn tryLoad(comptime what: Load, comptime mode: Mode, comptime sp: bool, op: [*]const Op, b: *Block, v: *Vcpu) bool {
    const addr = address(mode, op, b);
    if (sp and b.sp & 15 != 0) return false;
    const p = v.tlb.readPtr(LoadType(what), addr) orelse return false;
    put(what, b, op[0].d, p.*);
    writeBack(mode, op, b, addr);
    return true;
}

pub inline fn tryStore(comptime what: Store, comptime mode: Mode, comptime sp: bool, op: [*]const Op, b: *Block, v: *Vcpu) bool {
    const addr = address(mode, op, b);
    if (sp and b.sp & 15 != 0) return false;
    const p = v.tlb.writePtr(StoreType(what), addr) orelse return false;
    p.* = take(what, b, op[0].d);
    writeBack(mode, op, b, addr);
    return true;
}

fn loadHandler(comptime what: Load, comptime mode: Mode, comptime sp: bool) Handler {
    const T = LoadType(what);
    return &struct {
        noinline fn fast(op: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
            if (!tryLoad(what, mode, sp, op, b, v)) return core.divert(&slow, op, b, v, .{ .a = fa, .b = fb, .c = fc });
            return core.next(op + slotsOf(mode), b, v, .{ .a = fa, .b = fb, .c = fc });
        }

        noinline fn slow(op: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
            const f: Flags = .{ .a = fa, .b = fb, .c = fc };
            const addr = address(mode, op, b);
            if (sp and b.sp & 15 != 0) return access.misalignedSp(op, b, v, f);
            const p = access.read(v, addr, @sizeOf(T)) orelse return access.fault(op, b, v, f, .read);
            put(what, b, op[0].d, @as(*align(1) const T, @ptrCast(p)).*);
            writeBack(mode, op, b, addr);
            return core.next(op + slotsOf(mode), b, v, f);
        }
    }.fast;
}

fn storeHandler(comptime what: Store, comptime mode: Mode, comptime sp: bool) Handler {
    const T = StoreType(what);
    return &struct {
        noinline fn fast(op: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
            if (!tryStore(what, mode, sp, op, b, v)) return core.divert(&slow, op, b, v, .{ .a = fa, .b = fb, .c = fc });
            return core.next(op + slotsOf(mode), b, v, .{ .a = fa, .b = fb, .c = fc });
        }

        noinline fn slow(op: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
            const f: Flags = .{ .a = fa, .b = fb, .c = fc };
            const addr = address(mode, op, b);
            if (sp and b.sp & 15 != 0) return access.misalignedSp(op, b, v, f);
            const value = take(what, b, op[0].d);
            if (!access.write(v, addr, std.mem.asBytes(&value)[0..@sizeOf(T)])) return access.fault(op, b, v, f, .write);
            writeBack(mode, op, b, addr);
            return core.next(op + slotsOf(mode), b, v, f);
        }
    }.fast;
}

/// `sp`: the base is sp (offset, pre and post only; the others need `check_sp` in front).
pub fn load(what: Load, mode: Mode, sp: bool) Handler {
    switch (what) {
        inline else => |w| switch (mode) {
            inline .offset, .pre, .post => |m| return if (sp) loadHandler(w, m, true) else loadHandler(w, m, false),
            inline else => |m| return loadHandler(w, m, false),
        },
    }
}

pub fn store(what: Store, mode: Mode, sp: bool) Handler {
    switch (what) {
        inline else => |w| switch (mode) {
            inline .offset, .pre, .post => |m| return if (sp) storeHandler(w, m, true) else storeHandler(w, m, false),
            .literal => unreachable,
            inline else => |m| return storeHandler(w, m, false),
        },
    }
}

/// A pair is two of these; d and m are the registers.
pub const Pair = enum { u32, u64, s32, v32, v64, v128 };

fn PairType(comptime what: Pair) type {
    return switch (what) {
        .u32, .s32, .v32 => u32,
        .u64, .v64 => u64,
        .v128 => Quad,
    };
}

inline fn putPair(comptime what: Pair, b: *Block, op: [*]const Op, value: [2]PairType(what)) void {
    const one: Load = switch (what) {
        .u32 => .u32,
        .u64 => .u64,
        .s32 => .s32x,
        .v32 => .v32,
        .v64 => .v64,
        .v128 => .v128,
    };
    put(one, b, op[0].d, value[0]);
    put(one, b, op[0].m, value[1]);
}

inline fn takePair(comptime what: Pair, b: *Block, op: [*]const Op) [2]PairType(what) {
    const one: Store = switch (PairType(what)) {
        u32 => .u32,
        u64 => .u64,
        else => .v128,
    };
    return .{ take(one, b, op[0].d), take(one, b, op[0].m) };
}

fn loadPairHandler(comptime what: Pair, comptime mode: Mode, comptime sp: bool) Handler {
    const T = [2]PairType(what);
    return &struct {
        noinline fn fast(op: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
            const addr = address(mode, op, b);
            if (sp and b.sp & 15 != 0) return core.divert(&slow, op, b, v, .{ .a = fa, .b = fb, .c = fc });
            const p = v.tlb.readPtr(T, addr) orelse return core.divert(&slow, op, b, v, .{ .a = fa, .b = fb, .c = fc });
            putPair(what, b, op, p.*);
            writeBack(mode, op, b, addr);
            return core.next(op + 1, b, v, .{ .a = fa, .b = fb, .c = fc });
        }

        noinline fn slow(op: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
            const f: Flags = .{ .a = fa, .b = fb, .c = fc };
            const addr = address(mode, op, b);
            if (sp and b.sp & 15 != 0) return access.misalignedSp(op, b, v, f);
            const p = access.read(v, addr, @sizeOf(T)) orelse return access.fault(op, b, v, f, .read);
            putPair(what, b, op, @as(*align(1) const T, @ptrCast(p)).*);
            writeBack(mode, op, b, addr);
            return core.next(op + 1, b, v, f);
        }
    }.fast;
}

fn storePairHandler(comptime what: Pair, comptime mode: Mode, comptime sp: bool) Handler {
    const T = [2]PairType(what);
    return &struct {
        noinline fn fast(op: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
            const addr = address(mode, op, b);
            if (sp and b.sp & 15 != 0) return core.divert(&slow, op, b, v, .{ .a = fa, .b = fb, .c = fc });
            const p = v.tlb.writePtr(T, addr) orelse return core.divert(&slow, op, b, v, .{ .a = fa, .b = fb, .c = fc });
            p.* = takePair(what, b, op);
            writeBack(mode, op, b, addr);
            return core.next(op + 1, b, v, .{ .a = fa, .b = fb, .c = fc });
        }

        noinline fn slow(op: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
            const f: Flags = .{ .a = fa, .b = fb, .c = fc };
            const addr = address(mode, op, b);
            if (sp and b.sp & 15 != 0) return access.misalignedSp(op, b, v, f);
            const value = takePair(what, b, op);
            if (!access.write(v, addr, std.mem.asBytes(&value))) return access.fault(op, b, v, f, .write);
            writeBack(mode, op, b, addr);
            return core.next(op + 1, b, v, f);
        }
    }.fast;
}

pub fn loadPair(what: Pair, mode: Mode, sp: bool) Handler {
    switch (what) {
        inline else => |w| switch (mode) {
            inline .offset, .pre, .post => |m| return if (sp) loadPairHandler(w, m, true) else loadPairHandler(w, m, false),
            else => unreachable,
        },
    }
}

pub fn storePair(what: Pair, mode: Mode, sp: bool) Handler {
    switch (what) {
        .s32 => unreachable,
        inline else => |w| switch (mode) {
            inline .offset, .pre, .post => |m| return if (sp) storePairHandler(w, m, true) else storePairHandler(w, m, false),
            else => unreachable,
        },
    }
}

/// In front of an access with sp as its base whose own handler does not check it.
pub noinline fn check_sp(op: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
    const f: Flags = .{ .a = fa, .b = fb, .c = fc };
    if (b.sp & 15 != 0) {
        @branchHint(.unlikely);
        return access.misalignedSp(op, b, v, f);
    }
    return core.next(op + 1, b, v, f);
}
