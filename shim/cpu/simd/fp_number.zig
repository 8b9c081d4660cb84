//! Exact conversions of floating-point values, in integers: between formats, to and from integers and fixed point, to an
//! integral value, and the reciprocal estimates. Follows FPConvert, FPToFixed, FixedToFP, FPRoundInt, FPRecipEstimate and
//! relatives of the A64 pseudocode.

const core = @import("fp_core.zig");

const Env = core.Env;
const Format = core.Format;
const Round = core.Round;

/// An integer magnitude with what rounding it lost.
const Rounded = struct { value: u128, inexact: bool };

/// |n| * 2^fraction_bits rounded to an integer. Values of 2^127 and more saturate there.
fn toMagnitude(n: core.Num, fraction_bits: i32, round: Round) Rounded {
    const exp = n.exp + fraction_bits;
    if (exp >= 127) return .{ .value = 1 << 127, .inexact = false };
    if (exp >= 63) return .{ .value = @as(u128, n.frac) << @intCast(exp - 63), .inexact = false };
    const drop: u32 = @intCast(63 - exp);
    const kept: u64 = if (drop > 63) 0 else n.frac >> @intCast(drop);
    const half_bit = drop <= 64 and n.frac >> @intCast(drop - 1) & 1 != 0;
    const rest = if (drop > 64) true else n.frac & ((@as(u64, 1) << @intCast(drop - 1)) - 1) != 0;
    const inexact = half_bit or rest;
    const up = switch (round) {
        .even => half_bit and (rest or kept & 1 != 0),
        .up => inexact and !n.sign,
        .down => inexact and n.sign,
        .zero, .odd => false,
        .away => half_bit,
    };
    return .{ .value = @as(u128, kept) + @intFromBool(up), .inexact = inexact };
}

/// FPToFixed to `width` bits (16, 32 or 64), saturating. The result is zero-extended.
pub fn toFixed(e: *Env, bits: u64, fraction_bits: u7, signed: bool, round: Round, width: u7) u64 {
    const n = e.unpack(bits);
    const all = (@as(u128, 1) << width) - 1;
    const top = @as(u128, 1) << (width - 1);
    const limit: u128 = if (!signed) (if (n.sign) 0 else all) else if (n.sign) top else top - 1;
    switch (n.class) {
        .quiet, .signaling => {
            e.raise(core.ioc);
            return 0;
        },
        .zero => return 0,
        else => {},
    }
    const r: Rounded = if (n.class == .infinity) .{ .value = 1 << 127, .inexact = false } else toMagnitude(n, fraction_bits, round);
    if (r.value > limit) {
        e.raise(core.ioc);
        return @truncate(limit);
    }
    if (r.inexact) e.raise(core.ixc);
    const magnitude: u64 = @truncate(r.value);
    return (if (n.sign) 0 -% magnitude else magnitude) & @as(u64, @truncate(all));
}

/// FixedToFP: `magnitude` / 2^fraction_bits, rounded as FPCR says.
pub fn fromFixed(e: *Env, negative: bool, magnitude: u64, fraction_bits: u7) u64 {
    if (magnitude == 0) return 0;
    const lz: u6 = @intCast(@clz(magnitude));
    return e.pack(negative, 63 - @as(i32, lz) - @as(i32, fraction_bits), magnitude << lz, false);
}

/// FPRoundInt. `exact` raises Inexact when the value changes.
pub fn roundInt(e: *Env, bits: u64, round: Round, exact: bool) u64 {
    const n = e.unpack(bits);
    switch (n.class) {
        .quiet, .signaling => return e.nan(n, bits),
        .zero, .infinity => return e.packNum(n),
        .normal => {},
    }
    if (n.exp >= e.fmt.frac) return bits;
    const r = toMagnitude(n, 0, round);
    if (exact and r.inexact) e.raise(core.ixc);
    return packInteger(e, n.sign, @truncate(r.value));
}

/// An integer that the format holds exactly.
fn packInteger(e: *Env, sign: bool, magnitude: u64) u64 {
    if (magnitude == 0) return e.fmt.zero(sign);
    const lz: u6 = @intCast(@clz(magnitude));
    return e.pack(sign, 63 - @as(i32, lz), magnitude << lz, false);
}

/// FPRoundIntN: to an integral value of `width` bits (32 or 64); what does not fit becomes the most negative one.
pub fn roundIntN(e: *Env, bits: u64, round: Round, width: u7) u64 {
    const n = e.unpack(bits);
    const lowest = e.fmt.power(true, @as(i32, width) - 1);
    switch (n.class) {
        .zero => return e.packNum(n),
        .normal => {},
        else => {
            e.raise(core.ioc);
            return lowest;
        },
    }
    const r = toMagnitude(n, 0, round);
    const limit = (@as(u128, 1) << (width - 1)) - @intFromBool(!n.sign);
    if (r.value > limit) {
        e.raise(core.ioc);
        return lowest;
    }
    if (r.inexact) e.raise(core.ixc);
    return packInteger(e, n.sign, @truncate(r.value));
}

pub const JsResult = struct { value: u32, exact: bool };

/// FPToFixedJS: modulo 2^32, toward zero.
pub fn toJs(e: *Env, bits: u64) JsResult {
    const n = e.unpack(bits);
    switch (n.class) {
        .zero => return .{ .value = 0, .exact = bits == 0 },
        .normal => {},
        else => {
            e.raise(core.ioc);
            return .{ .value = 0, .exact = false };
        },
    }
    if (n.exp >= 63 + 32) {
        e.raise(core.ioc);
        return .{ .value = 0, .exact = false };
    }
    const r = toMagnitude(n, 0, .zero);
    const low: u32 = @truncate(r.value);
    const value = if (n.sign) 0 -% low else low;
    const fits = r.value < 1 << 31 or (n.sign and r.value == 1 << 31);
    if (!fits) e.raise(core.ioc) else if (r.inexact) e.raise(core.ixc);
    return .{ .value = value, .exact = fits and !r.inexact };
}

/// FPConvert from the format of `e` to `to`. `fpcr` decides AHP; FZ16 does not matter here.
pub fn convert(e: *Env, bits: u64, to: *const Format, fpcr: u32) u64 {
    const from = e.fmt;
    const alternate = fpcr & core.fpcr_ahp != 0;
    var source = e.*;
    if (from.width == 16) {
        source.fz = false;
        source.ahp = alternate;
    }
    const n = source.unpack(bits);
    e.flags |= source.flags;
    var target: Env = .init(fpcr, to);
    target.round = e.round;
    if (to.width == 16) {
        target.fz = false;
        target.ahp = alternate;
    }
    defer e.flags |= target.flags;
    if (n.isNan()) {
        if (n.class == .signaling or target.ahp) e.raise(core.ioc);
        if (target.ahp) return to.zero(n.sign);
        return if (e.dn) to.defaultNan() else convertNan(from, to, bits);
    }
    if (n.class == .infinity and target.ahp) {
        e.raise(core.ioc);
        return to.zero(n.sign) | (to.signBit() - 1);
    }
    return target.packNum(n);
}

fn convertNan(from: *const Format, to: *const Format, bits: u64) u64 {
    const payload = (bits & from.fracMask()) << @as(u6, 63 - from.frac) >> @as(u6, 63 - to.frac);
    return to.infinity(bits & from.signBit() != 0) | to.quietBit() | payload;
}

/// RecipEstimate of a 9-bit fixed-point number, 256..511.
pub fn recipTable(a: u32) u32 {
    const b = (1 << 19) / (a * 2 + 1);
    return (b + 1) / 2;
}

/// The same by the bits below the leading one, without that of the result.
pub const recip_table: [256]u8 = blk: {
    @setEvalBranchQuota(10_000);
    var table: [256]u8 = undefined;
    for (&table, 256..) |*entry, a| entry.* = @truncate(recipTable(a));
    break :blk table;
};

/// RecipSqrtEstimate of a 9-bit fixed-point number, 128..511.
pub fn rsqrtTable(a: u32) u32 {
    return rsqrt_table[a - 128];
}

const rsqrt_table: [384]u16 = blk: {
    @setEvalBranchQuota(400_000);
    var table: [384]u16 = undefined;
    for (&table, 128..) |*entry, a| {
        const x: u64 = if (a < 256) a * 2 + 1 else ((a >> 1 << 1) + 1) * 2;
        var b: u64 = 512;
        while (x * (b + 1) * (b + 1) < 1 << 28) b += 1;
        entry.* = (b + 1) / 2;
    }
    break :blk table;
};

/// FPRecipEstimate
pub fn recipEstimate(e: *Env, bits: u64) u64 {
    const n = e.unpack(bits);
    const f = e.fmt;
    switch (n.class) {
        .quiet, .signaling => return e.nan(n, bits),
        .infinity => return f.zero(n.sign),
        .zero => {
            e.raise(core.dzc);
            return f.infinity(n.sign);
        },
        .normal => {},
    }
    if (n.exp < -f.bias() - 1) {
        e.raise(core.ofc | core.ixc);
        const to_infinity = switch (e.round) {
            .up => !n.sign,
            .down => n.sign,
            .zero => false,
            else => true,
        };
        return if (to_infinity) f.infinity(n.sign) else f.maxNormal(n.sign);
    }
    if (e.fz and n.exp >= f.bias() - 1) {
        e.raise(core.ufc);
        return f.zero(n.sign);
    }
    const estimate: u64 = recipTable(@intCast(n.frac >> 55));
    // The field of the result's exponent; the two lowest are denormal.
    const field = f.bias() - 1 - n.exp;
    const frac = (estimate & 0xff) << (f.frac - 8);
    if (f.frac < 8) unreachable;
    const leading = @as(u64, 1) << f.frac;
    if (field > 0) return f.zero(n.sign) | @as(u64, @intCast(field)) << f.frac | frac;
    return f.zero(n.sign) | (leading | frac) >> @intCast(1 - field);
}

/// FPRSqrtEstimate
pub fn rsqrtEstimate(e: *Env, bits: u64) u64 {
    const n = e.unpack(bits);
    const f = e.fmt;
    switch (n.class) {
        .quiet, .signaling => return e.nan(n, bits),
        .zero => {
            e.raise(core.dzc);
            return f.infinity(n.sign);
        },
        else => {},
    }
    if (n.sign) return e.invalid();
    if (n.class == .infinity) return 0;
    const even = n.exp & 1 == 0;
    const scaled: u32 = @intCast(n.frac >> if (even) 56 else 55);
    const estimate: u64 = rsqrtTable(scaled);
    const field: u64 = @intCast(@divFloor(3 * f.bias() - 1 - (n.exp + f.bias()), 2));
    return field << f.frac | (estimate & 0xff) << (f.frac - 8);
}

/// FPRecpX
pub fn recipExponent(e: *Env, bits: u64) u64 {
    const n = e.unpack(bits);
    const f = e.fmt;
    if (n.isNan()) return e.nan(n, bits);
    const field = bits >> f.frac & f.maxField();
    return f.zero(n.sign) | (if (field == 0) f.maxField() - 1 else ~field & f.maxField()) << f.frac;
}
