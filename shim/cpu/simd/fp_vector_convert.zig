//! Advanced SIMD conversions: FCVTxS/FCVTxU, SCVTF, UCVTF (integer and fixed point) with lanes of one width, and the
//! narrowing, widening and round-to-odd forms.

const std = @import("std");
const abi = @import("../../abi.zig");
const core = @import("fp_core.zig");
const number = @import("fp_number.zig");
const fp = @import("fp.zig");
const half = @import("fp_half.zig");
const lanes = @import("fp_lanes.zig");
const regs = @import("regs.zig");
const sel = @import("select.zig");
const vector = @import("fp_vector.zig");

const Block = abi.RegisterBlock;

pub const ops = struct {
    pub const FCVTNS_v = vector.Vector(ToInt(.even, true).Make);
    pub const FCVTNU_v = vector.Vector(ToInt(.even, false).Make);
    pub const FCVTPS_v = vector.Vector(ToInt(.up, true).Make);
    pub const FCVTPU_v = vector.Vector(ToInt(.up, false).Make);
    pub const FCVTMS_v = vector.Vector(ToInt(.down, true).Make);
    pub const FCVTMU_v = vector.Vector(ToInt(.down, false).Make);
    pub const FCVTZS_v = vector.Vector(ToInt(.zero, true).Make);
    pub const FCVTZU_v = vector.Vector(ToInt(.zero, false).Make);
    pub const FCVTAS_v = vector.Vector(ToInt(.away, true).Make);
    pub const FCVTAU_v = vector.Vector(ToInt(.away, false).Make);
    pub const SCVTF_v = vector.Vector(FromInt(true).Make);
    pub const UCVTF_v = vector.Vector(FromInt(false).Make);

    pub const FCVTNS_vh = vector.Halves(ToInt(.even, true).Make);
    pub const FCVTNU_vh = vector.Halves(ToInt(.even, false).Make);
    pub const FCVTPS_vh = vector.Halves(ToInt(.up, true).Make);
    pub const FCVTPU_vh = vector.Halves(ToInt(.up, false).Make);
    pub const FCVTMS_vh = vector.Halves(ToInt(.down, true).Make);
    pub const FCVTMU_vh = vector.Halves(ToInt(.down, false).Make);
    pub const FCVTZS_vh = vector.Halves(ToInt(.zero, true).Make);
    pub const FCVTZU_vh = vector.Halves(ToInt(.zero, false).Make);
    pub const FCVTAS_vh = vector.Halves(ToInt(.away, true).Make);
    pub const FCVTAU_vh = vector.Halves(ToInt(.away, false).Make);
    pub const SCVTF_vh = vector.Halves(FromInt(true).Make);
    pub const UCVTF_vh = vector.Halves(FromInt(false).Make);

    pub const FCVTNS_s = vector.Scalar(ToInt(.even, true).Make);
    pub const FCVTNU_s = vector.Scalar(ToInt(.even, false).Make);
    pub const FCVTPS_s = vector.Scalar(ToInt(.up, true).Make);
    pub const FCVTPU_s = vector.Scalar(ToInt(.up, false).Make);
    pub const FCVTMS_s = vector.Scalar(ToInt(.down, true).Make);
    pub const FCVTMU_s = vector.Scalar(ToInt(.down, false).Make);
    pub const FCVTZS_s = vector.Scalar(ToInt(.zero, true).Make);
    pub const FCVTZU_s = vector.Scalar(ToInt(.zero, false).Make);
    pub const FCVTAS_s = vector.Scalar(ToInt(.away, true).Make);
    pub const FCVTAU_s = vector.Scalar(ToInt(.away, false).Make);
    pub const SCVTF_s = vector.Scalar(FromInt(true).Make);
    pub const UCVTF_s = vector.Scalar(FromInt(false).Make);

    pub const FCVTNS_sh = vector.One(ToInt(.even, true).Make);
    pub const FCVTNU_sh = vector.One(ToInt(.even, false).Make);
    pub const FCVTPS_sh = vector.One(ToInt(.up, true).Make);
    pub const FCVTPU_sh = vector.One(ToInt(.up, false).Make);
    pub const FCVTMS_sh = vector.One(ToInt(.down, true).Make);
    pub const FCVTMU_sh = vector.One(ToInt(.down, false).Make);
    pub const FCVTZS_sh = vector.One(ToInt(.zero, true).Make);
    pub const FCVTZU_sh = vector.One(ToInt(.zero, false).Make);
    pub const FCVTAS_sh = vector.One(ToInt(.away, true).Make);
    pub const FCVTAU_sh = vector.One(ToInt(.away, false).Make);
    pub const SCVTF_sh = vector.One(FromInt(true).Make);
    pub const UCVTF_sh = vector.One(FromInt(false).Make);

    pub const FCVTL = Widen;
    pub const FCVTN = Narrow;
    pub const FCVTXN = sel.ByQ(NarrowOdd);
    pub const FCVTXN_s = sel.One(narrowOddScalar);
};

/// Fraction bits of a shift-immediate word, for lanes of T.
inline fn fractionBits(comptime T: type, insn: u32) u7 {
    return @intCast(2 * @as(u32, @bitSizeOf(T)) - regs.bits(insn, 22, 16));
}

fn ToInt(comptime mode: core.Round, comptime signed: bool) type {
    return struct {
        fn Make(comptime S: type) type {
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    toInt(S, mode, signed, r, regs.fieldD(insn), S.get(r, regs.fieldN(insn)), 0);
                }
            };
        }
    };
}

pub fn ToFixed(comptime signed: bool) fn (comptime T: type, comptime n: comptime_int) type {
    return struct {
        fn Make(comptime T: type, comptime n: comptime_int) type {
            const S = lanes.Shape(T, n);
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    const a = S.get(r, regs.fieldN(insn));
                    toInt(S, .zero, signed, r, regs.fieldD(insn), a, fractionBits(T, insn));
                }
            };
        }
    }.Make;
}

inline fn toInt(comptime S: type, comptime mode: core.Round, comptime signed: bool, r: *Block, d: usize, a: S.Bits, fraction: u7) void {
    if (S.hard and S.T == f32 and mode != .away and lanes.usual(S, .operands, r, a, a, a)) {
        if (fastToInt(S, mode, signed, a, fraction)) |x| return S.set(r, d, x);
    }
    if (S.hard and S.T == f64 and S.lanes == 1 and mode == .zero and lanes.usual(S, .operands, r, a, a, a)) {
        if (fastToInt(S, mode, signed, a, fraction)) |x| return S.set(r, d, x);
    }
    if (S.T == f16) if (half.toInt(S, mode, signed, r, a, fraction)) |x| return S.set(r, d, x);
    slowToInt(r, d, S.fmt, S.lanes, mode, signed, S.wide(a), fraction);
}

/// Only values well inside the signed range; the rest is rare.
inline fn fastToInt(comptime S: type, comptime mode: core.Round, comptime signed: bool, a: S.Bits, fraction: u7) ?S.Bits {
    const width = @bitSizeOf(S.T);
    const Signed = @Vector(S.physical, @Int(.signed, width));
    const x: S.V = @bitCast(a);
    const limit: S.V = @splat(power(S.T, width - 1 - @as(i32, fraction)));
    if (!@reduce(.And, @abs(x) < limit)) return null;
    if (!signed and !@reduce(.And, x >= @as(S.V, @splat(0)))) return null;
    var y = x * @as(S.V, @splat(power(S.T, fraction)));
    if (mode != .zero) y = fp.integral(S.V, mode, true, y) orelse return null;
    // Rounding up may just reach the limit.
    if (mode != .zero and !@reduce(.And, @abs(y) < limit)) return null;
    return @bitCast(@as(Signed, @intFromFloat(y)));
}

/// 2^exp
inline fn power(comptime T: type, exp: i32) T {
    const bits: @Int(.unsigned, @bitSizeOf(T)) = @truncate(core.formatOf(T).power(false, exp));
    return @bitCast(bits);
}

noinline fn slowToInt(r: *Block, d: usize, fmt: *const core.Format, count: u32, mode: core.Round, signed: bool, a: regs.U64x2, fraction: u7) void {
    var e: core.Env = .init(r.fpcr, fmt);
    var out: [2]u64 = .{ 0, 0 };
    const in: [2]u64 = a;
    const width: u32 = fmt.width;
    for (0..count) |i| {
        const at = @as(u32, @intCast(i)) * width;
        const lane = lanes.lane(in, at, width);
        out[at >> 6] |= number.toFixed(&e, lane, fraction, signed, mode, fmt.width) << @intCast(at & 63);
    }
    r.fpsr |= e.flags;
    regs.set(r, d, @as(regs.U64x2, out));
}

fn FromInt(comptime signed: bool) type {
    return struct {
        fn Make(comptime S: type) type {
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    fromInt(S, signed, r, regs.fieldD(insn), S.get(r, regs.fieldN(insn)), 0);
                }
            };
        }
    };
}

pub fn FromFixed(comptime signed: bool) fn (comptime T: type, comptime n: comptime_int) type {
    return struct {
        fn Make(comptime T: type, comptime n: comptime_int) type {
            const S = lanes.Shape(T, n);
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    const a = S.get(r, regs.fieldN(insn));
                    fromInt(S, signed, r, regs.fieldD(insn), a, fractionBits(T, insn));
                }
            };
        }
    }.Make;
}

inline fn fromInt(comptime S: type, comptime signed: bool, r: *Block, d: usize, a: S.Bits, fraction: u7) void {
    if (S.hard) {
        const Signed = @Vector(S.physical, @Int(.signed, @bitSizeOf(S.T)));
        const x: Signed = @bitCast(a);
        if (signed or @reduce(.And, x >= @as(Signed, @splat(0)))) {
            const y: S.V = @floatFromInt(x);
            return S.set(r, d, @bitCast(y * @as(S.V, @splat(power(S.T, -@as(i32, fraction))))));
        }
    }
    if (S.T == f16) if (half.fromInt(S, signed, r, a, fraction)) |x| return S.set(r, d, x);
    slowFromInt(r, d, S.fmt, S.lanes, signed, S.wide(a), fraction);
}

noinline fn slowFromInt(r: *Block, d: usize, fmt: *const core.Format, count: u32, signed: bool, a: regs.U64x2, fraction: u7) void {
    var e: core.Env = .init(r.fpcr, fmt);
    var out: [2]u64 = .{ 0, 0 };
    const in: [2]u64 = a;
    const width: u32 = fmt.width;
    for (0..count) |i| {
        const at = @as(u32, @intCast(i)) * width;
        const lane = lanes.lane(in, at, width);
        const extend: u6 = @intCast(64 - width);
        const value: i64 = @as(i64, @bitCast(lane << extend)) >> extend;
        const negative = signed and value < 0;
        const magnitude = if (!signed) lane else @abs(value);
        out[at >> 6] |= number.fromFixed(&e, negative, magnitude, fraction) << @intCast(at & 63);
    }
    r.fpsr |= e.flags;
    regs.set(r, d, @as(regs.U64x2, out));
}

/// FCVTL: halves to singles or singles to doubles, from the low or high half.
const Widen = struct {
    pub fn select(comptime S: type, insn: u32) ?S.H {
        return switch ((insn >> 30 & 1) << 1 | regs.bits(insn, 22, 22)) {
            0 => S.of(halves(false).run),
            1 => S.of(singles(false).run),
            2 => S.of(halves(true).run),
            else => S.of(singles(true).run),
        };
    }

    fn halves(comptime high: bool) type {
        return struct {
            pub fn run(r: *Block, insn: u32) void {
                const a = r.v[regs.fieldN(insn)][@intFromBool(high)];
                convertLanes(r, regs.fieldD(insn), &core.half, &core.single, 4, .{ a, 0 }, null);
            }
        };
    }

    fn singles(comptime high: bool) type {
        return struct {
            pub fn run(r: *Block, insn: u32) void {
                const a = r.v[regs.fieldN(insn)][@intFromBool(high)];
                const d = regs.fieldD(insn);
                const S = lanes.Shape(f32, 2);
                const bits: S.Bits = @bitCast([2]u64{ a, 0 });
                if (S.hard and lanes.usual(S, .operands, r, bits, bits, bits)) {
                    const x: @Vector(2, f64) = @floatCast(@as(@Vector(2, f32), @bitCast(a)));
                    if (@reduce(.And, x == x)) return regs.set(r, d, x);
                }
                convertLanes(r, d, &core.single, &core.double, 2, .{ a, 0 }, null);
            }
        };
    }
};

/// Converts `count` lanes; the result replaces the whole register.
noinline fn convertLanes(r: *Block, d: usize, from: *const core.Format, to: *const core.Format, count: u32, a: [2]u64, round: ?core.Round) void {
    regs.set(r, d, @as(regs.U64x2, convertAll(r, from, to, count, a, round)));
}

fn convertAll(r: *Block, from: *const core.Format, to: *const core.Format, count: u32, a: [2]u64, round: ?core.Round) [2]u64 {
    var e: core.Env = .init(r.fpcr, from);
    if (round) |mode| e.round = mode;
    var out: [2]u64 = .{ 0, 0 };
    for (0..count) |i| {
        const index: u32 = @intCast(i);
        const x = number.convert(&e, lanes.lane(a, index * from.width, from.width), to, r.fpcr);
        const at = index * to.width;
        out[at >> 6] |= x << @intCast(at & 63);
    }
    r.fpsr |= e.flags;
    return out;
}

/// Doubles rounded to odd, which singles have room for as normal numbers; null: others, or an unusual FPCR.
inline fn oddSingles(comptime n: usize, r: *Block, doubles: @Vector(n, u64)) ?@Vector(n, u32) {
    if (!fp.host_arithmetic or r.fpcr & ~@as(u32, 3 << 22) != 0) return null;
    const V = @Vector(n, u64);
    const exponents = (doubles >> @splat(52)) & @as(V, @splat(0x7ff));
    if (@reduce(.Or, exponents -% @as(V, @splat(1023 - 126)) >= @as(V, @splat(126 + 127)))) return null;
    const rest: V = @splat((1 << 29) - 1);
    if (@reduce(.Or, doubles & rest) != 0) r.fpsr |= core.ixc;
    const odd = (doubles | ((doubles & rest) + rest)) & ~rest;
    // What exponents have in common, and the sign.
    const magnitude = ((odd & @as(V, @splat((1 << 63) - 1))) - @as(V, @splat((1023 - 127) << 52))) >> @splat(29);
    return @truncate(magnitude | (odd >> @splat(63)) << @splat(31));
}

noinline fn narrowLanes(r: *Block, d: usize, from: *const core.Format, to: *const core.Format, high: bool, a: [2]u64, round: ?core.Round) void {
    const out = convertAll(r, from, to, 64 / to.width, a, round)[0];
    regs.set(r, d, regs.U64x2{ if (high) r.v[d][0] else out, if (high) out else 0 });
}

/// FCVTN: singles to halves or doubles to singles, to the low or high half.
const Narrow = struct {
    pub fn select(comptime S: type, insn: u32) ?S.H {
        return switch ((insn >> 30 & 1) << 1 | regs.bits(insn, 22, 22)) {
            0 => S.of(halves(false).run),
            1 => S.of(singles(false).run),
            2 => S.of(halves(true).run),
            else => S.of(singles(true).run),
        };
    }

    fn halves(comptime high: bool) type {
        return struct {
            pub fn run(r: *Block, insn: u32) void {
                narrowLanes(r, regs.fieldD(insn), &core.single, &core.half, high, r.v[regs.fieldN(insn)], null);
            }
        };
    }

    fn singles(comptime high: bool) type {
        return struct {
            pub fn run(r: *Block, insn: u32) void {
                const n = regs.fieldN(insn);
                const d = regs.fieldD(insn);
                const S = lanes.Shape(f64, 2);
                const a = S.get(r, n);
                if (S.hard and lanes.usual(S, .narrow, r, a, a, a)) {
                    const x: @Vector(2, f32) = @floatCast(@as(S.V, @bitCast(a)));
                    const edge: @Vector(2, f32) = @splat(std.math.floatMin(f32));
                    if (@reduce(.And, x == x) and !@reduce(.Or, @abs(x) == edge)) {
                        const bits: u64 = @bitCast(x);
                        return regs.set(r, d, regs.U64x2{ if (high) r.v[d][0] else bits, if (high) bits else 0 });
                    }
                }
                narrowLanes(r, d, &core.double, &core.single, high, r.v[n], null);
            }
        };
    }
};

/// FCVTXN: doubles to singles, rounding to odd.
fn NarrowOdd(comptime high: bool) type {
    return struct {
        pub fn run(r: *Block, insn: u32) void {
            const d = regs.fieldD(insn);
            const a = r.v[regs.fieldN(insn)];
            if (oddSingles(2, r, a)) |x| {
                const singles: u64 = @bitCast(x);
                return regs.set(r, d, regs.U64x2{ if (high) r.v[d][0] else singles, if (high) singles else 0 });
            }
            narrowLanes(r, d, &core.double, &core.single, high, a, .odd);
        }
    };
}

fn narrowOddScalar(r: *Block, insn: u32) void {
    const a = r.v[regs.fieldN(insn)][0];
    if (oddSingles(1, r, .{a})) |x| return regs.set(r, regs.fieldD(insn), x[0]);
    convertLanes(r, regs.fieldD(insn), &core.double, &core.single, 1, .{ a, 0 }, .odd);
}
