//! NZCV, kept lazily: an instruction that sets flags stores what it added, and who reads a flag works it out.
//!
//! Every such instruction is a sum a + b + c: ADDS as it stands; SUBS with b inverted and c = 1; ANDS with b = c = 0. Operands
//! of 32-bit instructions are moved to the upper half (with the lower half of b all ones when c is 1), so that one
//! set of formulas serves both widths. When c has bit 1 set, NZCV is there explicitly, in bits 5..2 of c.

const std = @import("std");

pub const Flags = struct { a: u64, b: u64, c: u64 };

pub inline fn explicit(value: u64) Flags {
    return .{ .a = 0, .b = 0, .c = 2 | value << 2 };
}

/// From and to PSTATE, where N is bit 31.
pub inline fn fromPstate(pstate: u64) Flags {
    return explicit(pstate >> 28 & 15);
}

pub inline fn toPstate(f: Flags) u64 {
    return nzcv(f) << 28;
}

/// N, Z, C, V as bits 3..0.
pub fn nzcv(f: Flags) u64 {
    if (f.c & 2 != 0) return f.c >> 2 & 15;
    const r = f.a +% f.b +% f.c;
    const n = r >> 63;
    const z: u64 = @intFromBool(r == 0);
    const c = ((f.a & f.b) | ((f.a | f.b) & ~r)) >> 63;
    const v = ((f.a ^ r) & (f.b ^ r)) >> 63;
    return n << 3 | z << 2 | c << 1 | v;
}

pub inline fn carry(f: Flags) u64 {
    if (f.c & 2 != 0) return f.c >> 3 & 1;
    const r = f.a +% f.b +% f.c;
    return ((f.a & f.b) | ((f.a | f.b) & ~r)) >> 63;
}

pub inline fn ofSub(comptime T: type, x: T, y: T) Flags {
    if (T == u64) return .{ .a = x, .b = ~y, .c = 1 };
    return .{ .a = @as(u64, x) << 32, .b = ~(@as(u64, y) << 32), .c = 1 };
}

pub inline fn ofAdd(comptime T: type, x: T, y: T) Flags {
    if (T == u64) return .{ .a = x, .b = y, .c = 0 };
    return .{ .a = @as(u64, x) << 32, .b = @as(u64, y) << 32, .c = 0 };
}

pub inline fn ofAddCarry(comptime T: type, x: T, y: T, c: u64) Flags {
    if (T == u64) return .{ .a = x, .b = y, .c = c };
    return .{ .a = @as(u64, x) << 32, .b = @as(u64, y) << 32 | (0 -% c) >> 32, .c = c };
}

pub inline fn ofLogic(comptime T: type, r: T) Flags {
    return .{ .a = if (T == u64) r else @as(u64, r) << 32, .b = 0, .c = 0 };
}

/// The condition codes, without AL and NV, which are always true.
pub const Condition = enum(u4) { eq, ne, hs, lo, mi, pl, vs, vc, hi, ls, ge, lt, gt, le, al, nv };

/// Does NZCV satisfy the condition?
pub fn holdsFor(cc: Condition, value: u4) bool {
    const n = value & 8 != 0;
    const z = value & 4 != 0;
    const c = value & 2 != 0;
    const v = value & 1 != 0;
    return switch (cc) {
        .eq => z,
        .ne => !z,
        .hs => c,
        .lo => !c,
        .mi => n,
        .pl => !n,
        .vs => v,
        .vc => !v,
        .hi => c and !z,
        .ls => !c or z,
        .ge => n == v,
        .lt => n != v,
        .gt => !z and n == v,
        .le => z or n != v,
        .al, .nv => true,
    };
}

/// Bit i: the condition holds for NZCV = i.
pub const truth: [16]u16 = blk: {
    @setEvalBranchQuota(10_000);
    var all: [16]u16 = @splat(0);
    for (0..16) |cc| {
        for (0..16) |value| {
            if (holdsFor(@enumFromInt(cc), value)) all[cc] |= 1 << value;
        }
    }
    break :blk all;
};

pub inline fn holds(comptime cc: Condition, f: Flags) bool {
    if (cc == .al or cc == .nv) return true;
    if (f.c & 2 != 0) return truth[@intFromEnum(cc)] >> @truncate(f.c >> 2 & 15) & 1 != 0;
    const r = f.a +% f.b +% f.c;
    const c = @as(i64, @bitCast((f.a & f.b) | ((f.a | f.b) & ~r))) < 0;
    const overflow = (f.a ^ r) & (f.b ^ r);
    const less = @as(i64, @bitCast(overflow ^ r)) < 0;
    return switch (cc) {
        .eq => r == 0,
        .ne => r != 0,
        .hs => c,
        .lo => !c,
        .mi => @as(i64, @bitCast(r)) < 0,
        .pl => @as(i64, @bitCast(r)) >= 0,
        .vs => @as(i64, @bitCast(overflow)) < 0,
        .vc => @as(i64, @bitCast(overflow)) >= 0,
        .hi => c and r != 0,
        .ls => !c or r == 0,
        .ge => !less,
        .lt => less,
        .gt => !less and r != 0,
        .le => less or r == 0,
        .al, .nv => unreachable,
    };
}

/// The condition after SUBS x, y, straight from the operands.
pub inline fn holdsSub(comptime T: type, comptime cc: Condition, x: T, y: T) bool {
    const S = @Int(.signed, @bitSizeOf(T));
    const sx: S = @bitCast(x);
    const sy: S = @bitCast(y);
    return switch (cc) {
        .eq => x == y,
        .ne => x != y,
        .hs => x >= y,
        .lo => x < y,
        .mi => @as(S, @bitCast(x -% y)) < 0,
        .pl => @as(S, @bitCast(x -% y)) >= 0,
        .vs => @subWithOverflow(sx, sy)[1] != 0,
        .vc => @subWithOverflow(sx, sy)[1] == 0,
        .hi => x > y,
        .ls => x <= y,
        .ge => sx >= sy,
        .lt => sx < sy,
        .gt => sx > sy,
        .le => sx <= sy,
        .al, .nv => true,
    };
}

/// The condition after ANDS with result r.
pub inline fn holdsLogic(comptime T: type, comptime cc: Condition, r: T) bool {
    const S = @Int(.signed, @bitSizeOf(T));
    const s: S = @bitCast(r);
    return switch (cc) {
        .eq, .ls => r == 0 or cc == .ls,
        .ne => r != 0,
        .hs, .vs, .hi => false,
        .lo, .vc, .al, .nv => true,
        .mi, .lt => s < 0,
        .pl, .ge => s >= 0,
        .gt => s > 0,
        .le => s <= 0,
    };
}

test "lazy flags agree with the sums they stand for" {
    const values = [_]u32{ 0, 1, 2, 0x7fffffff, 0x80000000, 0x80000001, 0xffffffff, 0x12345678 };
    for (values) |x| {
        for (values) |y| {
            const d, const borrow = @subWithOverflow(x, y);
            const sub_v = @subWithOverflow(@as(i32, @bitCast(x)), @as(i32, @bitCast(y)))[1];
            const f = ofSub(u32, x, y);
            try std.testing.expectEqual(pack(d, 1 - borrow, sub_v), nzcv(f));
            const s, const c = @addWithOverflow(x, y);
            const add_v = @addWithOverflow(@as(i32, @bitCast(x)), @as(i32, @bitCast(y)))[1];
            try std.testing.expectEqual(pack(s, c, add_v), nzcv(ofAdd(u32, x, y)));
            try std.testing.expectEqual(pack(s, c, add_v), nzcv(ofAddCarry(u32, x, y, 0)));
            try std.testing.expectEqual(pack(d, 1 - borrow, sub_v), nzcv(ofAddCarry(u32, x, ~y, 1)));
            try std.testing.expectEqual(pack(x & y, 0, 0), nzcv(ofLogic(u32, x & y)));
            inline for (0..16) |i| {
                const cc: Condition = @enumFromInt(i);
                const e = explicit(nzcv(f));
                try std.testing.expectEqual(holds(cc, e), holds(cc, f));
                try std.testing.expectEqual(holds(cc, e), holdsSub(u32, cc, x, y));
                try std.testing.expectEqual(holds(cc, explicit(nzcv(ofLogic(u32, x & y)))), holdsLogic(u32, cc, x & y));
            }
        }
    }
}

fn pack(r: u32, c: u1, v: u1) u64 {
    return @as(u64, r >> 31) << 3 | @as(u64, @intFromBool(r == 0)) << 2 | @as(u64, c) << 1 | v;
}
