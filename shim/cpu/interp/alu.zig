//! Handlers of integer data processing (Arm ARM C4.1.92 and C4.1.95).

const std = @import("std");
const core = @import("core.zig");
const crc = @import("../crc.zig");
const flags = @import("flags.zig");

const Op = core.Op;
const Block = core.Block;
const Flags = core.Flags;
const Handler = core.Handler;
const get = core.get;
const set = core.set;
const Body = fn (op: *const Op, b: *Block) callconv(.@"inline") void;
const FlagBody = fn (op: *const Op, b: *Block) callconv(.@"inline") Flags;

pub const Binary = enum { add, sub, @"and", orr, eor, bic, orn, eon };

/// Where the second operand comes from: `m`; `imm`; the next slot; `m` shifted or extended by `a`.
pub const Operand = enum { reg, imm, wide, lsl, lsr, asr, ror, uxtb, uxth, uxtw, uxtx, sxtb, sxth, sxtw, sxtx };

inline fn operand(comptime T: type, comptime kind: Operand, op: *const Op, b: *Block) T {
    const S = @Int(.signed, @bitSizeOf(T));
    const amount: std.math.Log2Int(T) = @truncate(op.a);
    return switch (kind) {
        .reg => get(T, b, op.m),
        .imm => @truncate(@as(u64, @bitCast(@as(i64, op.imm)))),
        .wide => @truncate(extOf(op).lo),
        .lsl => get(T, b, op.m) << amount,
        .lsr => get(T, b, op.m) >> amount,
        .asr => @bitCast(@as(S, @bitCast(get(T, b, op.m))) >> amount),
        .ror => std.math.rotr(T, get(T, b, op.m), amount),
        .uxtb => @as(T, get(u8, b, op.m)) << amount,
        .uxth => @as(T, get(u16, b, op.m)) << amount,
        .uxtw => @as(T, get(u32, b, op.m)) << amount,
        .uxtx, .sxtx => get(T, b, op.m) << amount,
        .sxtb => extend(T, i8, b, op.m) << amount,
        .sxth => extend(T, i16, b, op.m) << amount,
        .sxtw => extend(T, i32, b, op.m) << amount,
    };
}

inline fn extOf(op: *const Op) *const core.Ext {
    return core.ext(@ptrCast(op), 1);
}

inline fn extend(comptime T: type, comptime From: type, b: *Block, index: u8) T {
    const S = @Int(.signed, @bitSizeOf(T));
    const U = @Int(.unsigned, @bitSizeOf(From));
    return @bitCast(@as(S, @as(From, @bitCast(get(U, b, index)))));
}

inline fn apply(comptime T: type, comptime what: Binary, x: T, y: T) T {
    return switch (what) {
        .add => x +% y,
        .sub => x -% y,
        .@"and" => x & y,
        .orr => x | y,
        .eor => x ^ y,
        .bic => x & ~y,
        .orn => x | ~y,
        .eon => x ^ ~y,
    };
}

pub fn binaryBody(comptime T: type, comptime what: Binary, comptime kind: Operand) Body {
    return struct {
        inline fn f(op: *const Op, b: *Block) void {
            set(b, op.d, apply(T, what, get(T, b, op.n), operand(T, kind, op, b)));
        }
    }.f;
}

fn flagBody(comptime T: type, comptime what: Binary, comptime kind: Operand) FlagBody {
    return struct {
        inline fn f(op: *const Op, b: *Block) Flags {
            const x = get(T, b, op.n);
            const y = operand(T, kind, op, b);
            const r = apply(T, what, x, y);
            set(b, op.d, r);
            return switch (what) {
                .add => flags.ofAdd(T, x, y),
                .sub => flags.ofSub(T, x, y),
                else => flags.ofLogic(T, r),
            };
        }
    }.f;
}

inline fn slotsOf(comptime kind: Operand) usize {
    return if (kind == .wide) 2 else 1;
}

/// Does this operand kind occur with this operation?
fn occurs(comptime what: Binary, comptime kind: Operand) bool {
    return switch (kind) {
        .reg, .lsl, .lsr, .asr => true,
        .ror => what != .add and what != .sub,
        .imm, .wide => what != .bic and what != .orn and what != .eon,
        else => what == .add or what == .sub,
    };
}

/// The handler, or null for a combination that no instruction has.
pub fn binary(what: Binary, wide: bool, kind: Operand) ?Handler {
    switch (what) {
        inline else => |w| switch (kind) {
            inline else => |k| {
                if (comptime !occurs(w, k)) return null;
                return if (wide) core.sized(binaryBody(u64, w, k), slotsOf(k)) else core.sized(binaryBody(u32, w, k), slotsOf(k));
            },
        },
    }
}

/// The same for the forms that set the flags.
pub fn binaryFlags(what: Binary, wide: bool, kind: Operand) ?Handler {
    switch (what) {
        inline .add, .sub, .@"and", .bic => |w| switch (kind) {
            inline else => |k| {
                if (comptime !occurs(w, k)) return null;
                return if (wide) core.flagSetting(flagBody(u64, w, k), slotsOf(k)) else core.flagSetting(flagBody(u32, w, k), slotsOf(k));
            },
        },
        else => return null,
    }
}

fn carryBody(comptime T: type, comptime subtract: bool, comptime sets: bool) fn (*const Op, *Block, Flags) callconv(.@"inline") Flags {
    return struct {
        inline fn f(op: *const Op, b: *Block, old: Flags) Flags {
            const c = flags.carry(old);
            const x = get(T, b, op.n);
            const y = if (subtract) ~get(T, b, op.m) else get(T, b, op.m);
            set(b, op.d, x +% y +% @as(T, @truncate(c)));
            return if (sets) flags.ofAddCarry(T, x, y, c) else old;
        }
    }.f;
}

pub fn withCarry(wide: bool, subtract: bool, sets: bool) Handler {
    switch (@as(u3, @intFromBool(wide)) << 2 | @as(u3, @intFromBool(subtract)) << 1 | @intFromBool(sets)) {
        inline else => |i| return core.flagReading(carryBody(if (i & 4 != 0) u64 else u32, i & 2 != 0, i & 1 != 0)),
    }
}

pub fn moveBody(comptime T: type) Body {
    return struct {
        inline fn f(op: *const Op, b: *Block) void {
            set(b, op.d, get(T, b, op.m));
        }
    }.f;
}
pub const move = core.plain(moveBody(u64));
pub const move_w = core.plain(moveBody(u32));

/// imm, sign-extended.
pub inline fn constantBody(op: *const Op, b: *Block) void {
    set(b, op.d, @as(u64, @bitCast(@as(i64, op.imm))));
}
pub const constant = core.plain(constantBody);

pub const constant_wide = core.sized(struct {
    inline fn f(op: *const Op, b: *Block) void {
        set(b, op.d, extOf(op).lo);
    }
}.f, 2);

/// MOVK: the 16 bits of imm at bit a.
pub fn insertBody(comptime T: type) Body {
    return struct {
        inline fn f(op: *const Op, b: *Block) void {
            const amount: std.math.Log2Int(T) = @truncate(op.a);
            const bits: T = @as(u16, @truncate(@as(u32, @bitCast(op.imm))));
            set(b, op.d, (get(T, b, op.d) & ~(@as(T, 0xffff) << amount)) | bits << amount);
        }
    }.f;
}
pub const insert = core.plain(insertBody(u64));
pub const insert_w = core.plain(insertBody(u32));

/// Shift left by m, then right by a: every UBFM and SBFM.
pub fn fieldBody(comptime T: type, comptime signed: bool) Body {
    const S = @Int(if (signed) .signed else .unsigned, @bitSizeOf(T));
    return struct {
        inline fn f(op: *const Op, b: *Block) void {
            const left: std.math.Log2Int(T) = @truncate(op.m);
            const right: std.math.Log2Int(T) = @truncate(op.a);
            set(b, op.d, @as(T, @bitCast(@as(S, @bitCast(get(T, b, op.n) << left)) >> right)));
        }
    }.f;
}
pub const field_unsigned = [2]Handler{ core.plain(fieldBody(u32, false)), core.plain(fieldBody(u64, false)) };
pub const field_signed = [2]Handler{ core.plain(fieldBody(u32, true)), core.plain(fieldBody(u64, true)) };

/// Shift right by a and keep the bits of imm.
pub fn pickBody(comptime T: type) Body {
    return struct {
        inline fn f(op: *const Op, b: *Block) void {
            const amount: std.math.Log2Int(T) = @truncate(op.a);
            set(b, op.d, (get(T, b, op.n) >> amount) & @as(u32, @bitCast(op.imm)));
        }
    }.f;
}
pub const pick = [2]Handler{ core.plain(pickBody(u32)), core.plain(pickBody(u64)) };

pub const Shift = enum { left, right, signed };

pub fn shiftBody(comptime T: type, comptime kind: Shift) Body {
    const S = @Int(.signed, @bitSizeOf(T));
    return struct {
        inline fn f(op: *const Op, b: *Block) void {
            const amount: std.math.Log2Int(T) = @truncate(op.a);
            const x = get(T, b, op.n);
            set(b, op.d, switch (kind) {
                .left => x << amount,
                .right => x >> amount,
                .signed => @as(T, @bitCast(@as(S, @bitCast(x)) >> amount)),
            });
        }
    }.f;
}
pub const shift_left = [2]Handler{ core.plain(shiftBody(u32, .left)), core.plain(shiftBody(u64, .left)) };
pub const shift_right = [2]Handler{ core.plain(shiftBody(u32, .right)), core.plain(shiftBody(u64, .right)) };
pub const shift_signed = [2]Handler{ core.plain(shiftBody(u32, .signed)), core.plain(shiftBody(u64, .signed)) };

pub fn signBody(comptime T: type, comptime From: type) Body {
    return struct {
        inline fn f(op: *const Op, b: *Block) void {
            set(b, op.d, extend(T, From, b, op.n));
        }
    }.f;
}
pub const sign_byte = [2]Handler{ core.plain(signBody(u32, i8)), core.plain(signBody(u64, i8)) };
pub const sign_half = [2]Handler{ core.plain(signBody(u32, i16)), core.plain(signBody(u64, i16)) };
pub const sign_word = core.plain(signBody(u64, i32));

/// BFM: the bits of the next slot's mask come from n rotated right by a.
fn insertFieldBody(comptime T: type) Body {
    return struct {
        inline fn f(op: *const Op, b: *Block) void {
            const mask: T = @truncate(extOf(op).lo);
            const source = std.math.rotr(T, get(T, b, op.n), @as(std.math.Log2Int(T), @truncate(op.a)));
            set(b, op.d, (get(T, b, op.d) & ~mask) | (source & mask));
        }
    }.f;
}
pub const insert_field = [2]Handler{ core.sized(insertFieldBody(u32), 2), core.sized(insertFieldBody(u64), 2) };

pub fn extractBody(comptime T: type) Body {
    return struct {
        inline fn f(op: *const Op, b: *Block) void {
            const D = @Int(.unsigned, 2 * @bitSizeOf(T));
            const both = @as(D, get(T, b, op.n)) << @bitSizeOf(T) | get(T, b, op.m);
            set(b, op.d, @as(T, @truncate(both >> @as(std.math.Log2Int(T), @truncate(op.a)))));
        }
    }.f;
}
pub const extract = [2]Handler{ core.plain(extractBody(u32)), core.plain(extractBody(u64)) };

pub const TwoSource = enum { udiv, sdiv, lslv, lsrv, asrv, rorv };

pub fn twoSourceBody(comptime T: type, comptime what: TwoSource) Body {
    const S = @Int(.signed, @bitSizeOf(T));
    return struct {
        inline fn f(op: *const Op, b: *Block) void {
            const x = get(T, b, op.n);
            const y = get(T, b, op.m);
            const amount: std.math.Log2Int(T) = @truncate(y);
            set(b, op.d, switch (what) {
                .udiv => if (y == 0) 0 else x / y,
                .sdiv => signedDivide(S, @bitCast(x), @bitCast(y)),
                .lslv => x << amount,
                .lsrv => x >> amount,
                .asrv => @as(T, @bitCast(@as(S, @bitCast(x)) >> amount)),
                .rorv => std.math.rotr(T, x, amount),
            });
        }
    }.f;
}

inline fn signedDivide(comptime S: type, x: S, y: S) @Int(.unsigned, @bitSizeOf(S)) {
    if (y == 0) return 0;
    // The one quotient that does not fit wraps to the dividend.
    if (y == -1) return @bitCast(-%x);
    return @bitCast(@divTrunc(x, y));
}

pub fn twoSource(what: TwoSource, wide: bool) Handler {
    switch (what) {
        inline else => |w| return if (wide) core.plain(twoSourceBody(u64, w)) else core.plain(twoSourceBody(u32, w)),
    }
}

pub const OneSource = enum { rbit, rev16, rev32, rev64, clz, cls };

fn oneSourceBody(comptime T: type, comptime what: OneSource) Body {
    return struct {
        inline fn f(op: *const Op, b: *Block) void {
            const x = get(T, b, op.n);
            set(b, op.d, switch (what) {
                .rbit => @bitReverse(x),
                .rev16 => (x & swap_mask) << 8 | (x >> 8 & swap_mask),
                .rev32 => if (T == u32) @byteSwap(x) else std.math.rotr(T, @byteSwap(x), 32),
                .rev64 => @byteSwap(x),
                .clz => @as(T, @clz(x)),
                .cls => @as(T, @clz(x ^ (x << 1) | 1)),
            });
        }
        const swap_mask: T = @truncate(0x00ff00ff00ff00ff);
    }.f;
}

pub fn oneSource(what: OneSource, wide: bool) Handler {
    switch (what) {
        inline else => |w| return if (wide) core.plain(oneSourceBody(u64, w)) else core.plain(oneSourceBody(u32, w)),
    }
}

pub const Multiply = enum { madd, msub, mul, smaddl, smsubl, umaddl, umsubl, smulh, umulh };

pub fn multiplyBody(comptime T: type, comptime what: Multiply) Body {
    return struct {
        inline fn f(op: *const Op, b: *Block) void {
            const x = get(T, b, op.n);
            const y = get(T, b, op.m);
            set(b, op.d, switch (what) {
                .mul => x *% y,
                .madd => get(T, b, op.a) +% x *% y,
                .msub => get(T, b, op.a) -% x *% y,
                .smaddl => get(u64, b, op.a) +% signedProduct(b, op),
                .smsubl => get(u64, b, op.a) -% signedProduct(b, op),
                .umaddl => get(u64, b, op.a) +% @as(u64, get(u32, b, op.n)) * get(u32, b, op.m),
                .umsubl => get(u64, b, op.a) -% @as(u64, get(u32, b, op.n)) * get(u32, b, op.m),
                .smulh => @as(T, @truncate(@as(u128, @bitCast(@as(i128, @as(i64, @bitCast(x))) * @as(i64, @bitCast(y)))) >> 64)),
                .umulh => @as(T, @truncate(@as(u128, x) * y >> 64)),
            });
        }
    }.f;
}

inline fn signedProduct(b: *Block, op: *const Op) u64 {
    return extend(u64, i32, b, op.n) *% extend(u64, i32, b, op.m);
}

pub fn multiply(what: Multiply, wide: bool) Handler {
    switch (what) {
        inline .madd, .msub, .mul => |w| return if (wide) core.plain(multiplyBody(u64, w)) else core.plain(multiplyBody(u32, w)),
        inline else => |w| return core.plain(multiplyBody(u64, w)),
    }
}

/// CRC-32 of size bytes of m, into the sum in n.
fn crcBody(comptime T: type, comptime castagnoli: bool) Body {
    return struct {
        inline fn f(op: *const Op, b: *Block) void {
            const tables = if (castagnoli) &crc.castagnoli else &crc.ieee;
            set(b, op.d, crc.update(T, tables, get(u32, b, op.n), get(T, b, op.m)));
        }
    }.f;
}

pub fn crc32(size: u2, castagnoli: bool) Handler {
    switch (size) {
        inline else => |s| {
            const T = @Int(.unsigned, 8 << s);
            return if (castagnoli) core.plain(crcBody(T, true)) else core.plain(crcBody(T, false));
        },
    }
}

test "count leading sign bits" {
    const cls = struct {
        fn of(x: u32) u32 {
            return @clz(x ^ (x << 1) | 1);
        }
    }.of;
    try std.testing.expectEqual(31, cls(0));
    try std.testing.expectEqual(31, cls(0xffffffff));
    try std.testing.expectEqual(0, cls(0x40000000));
    try std.testing.expectEqual(1, cls(0xc0000000 | 1));
}
