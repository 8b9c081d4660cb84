//! Exact floating point in integers: formats, NaN rules, rounding and the cumulative flags, as the A64 pseudocode
//! (FPUnpack, FPRound, FPProcessNaNs, FPMulAdd, ...) defines them. One implementation for every format: values travel as
//! raw bits in a u64 and the format is data. The fast paths call this when a NaN, a tiny result or an unusual FPCR
//! turns up; half precision always comes here.

const std = @import("std");

pub const ioc: u32 = 1 << 0;
pub const dzc: u32 = 1 << 1;
pub const ofc: u32 = 1 << 2;
pub const ufc: u32 = 1 << 3;
pub const ixc: u32 = 1 << 4;
pub const idc: u32 = 1 << 7;

pub const fpcr_fz16: u32 = 1 << 19;
pub const fpcr_fz: u32 = 1 << 24;
pub const fpcr_dn: u32 = 1 << 25;
pub const fpcr_ahp: u32 = 1 << 26;

/// The first four are FPCR.RMode's encoding.
pub const Round = enum(u3) { even, up, down, zero, away, odd };

pub const Format = struct {
    width: u7,
    frac: u6,

    pub fn expBits(f: *const Format) u6 {
        return @intCast(f.width - 1 - f.frac);
    }

    pub fn maxField(f: *const Format) u64 {
        return (@as(u64, 1) << f.expBits()) - 1;
    }

    pub fn bias(f: *const Format) i32 {
        return @intCast(f.maxField() >> 1);
    }

    pub fn signBit(f: *const Format) u64 {
        return @as(u64, 1) << @as(u6, @intCast(f.width - 1));
    }

    pub fn fracMask(f: *const Format) u64 {
        return (@as(u64, 1) << f.frac) - 1;
    }

    pub fn infinity(f: *const Format, sign: bool) u64 {
        return f.zero(sign) | f.maxField() << f.frac;
    }

    pub fn zero(f: *const Format, sign: bool) u64 {
        return if (sign) f.signBit() else 0;
    }

    pub fn quietBit(f: *const Format) u64 {
        return @as(u64, 1) << (f.frac - 1);
    }

    pub fn defaultNan(f: *const Format) u64 {
        return f.infinity(false) | f.quietBit();
    }

    pub fn maxNormal(f: *const Format, sign: bool) u64 {
        return f.infinity(sign) - 1;
    }

    /// 1.0 * 2^exp
    pub fn power(f: *const Format, sign: bool, exp: i32) u64 {
        return f.zero(sign) | @as(u64, @intCast(exp + f.bias())) << f.frac;
    }
};

pub const half: Format = .{ .width = 16, .frac = 10 };
pub const single: Format = .{ .width = 32, .frac = 23 };
pub const double: Format = .{ .width = 64, .frac = 52 };
pub const bfloat: Format = .{ .width = 16, .frac = 7 };

pub fn formatOf(comptime T: type) *const Format {
    return switch (T) {
        f16 => &half,
        f32 => &single,
        f64 => &double,
        else => @compileError("no such format"),
    };
}

pub const Class = enum { zero, normal, infinity, quiet, signaling };

/// A value taken apart: frac / 2^63 * 2^exp with bit 63 of frac set, when `class` is normal.
pub const Num = struct {
    class: Class,
    sign: bool,
    exp: i32 = 0,
    frac: u64 = 0,

    pub fn isNan(n: Num) bool {
        return n.class == .quiet or n.class == .signaling;
    }
};

/// The controls of one operation and the flags that it raises.
pub const Env = struct {
    fmt: *const Format,
    round: Round,
    fz: bool,
    dn: bool,
    ahp: bool = false,
    flags: u32 = 0,

    pub fn init(fpcr: u32, fmt: *const Format) Env {
        return .{
            .fmt = fmt,
            .round = @enumFromInt(fpcr >> 22 & 3),
            .fz = fpcr & (if (fmt.width == 16) fpcr_fz16 else fpcr_fz) != 0,
            .dn = fpcr & fpcr_dn != 0,
        };
    }

    pub fn raise(e: *Env, flag: u32) void {
        e.flags |= flag;
    }

    pub fn invalid(e: *Env) u64 {
        e.flags |= ioc;
        return e.fmt.defaultNan();
    }

    pub fn unpack(e: *Env, bits: u64) Num {
        const f = e.fmt;
        const sign = bits & f.signBit() != 0;
        const frac = bits & f.fracMask();
        const exp = bits >> f.frac & f.maxField();
        const align_shift: u6 = 63 - f.frac;
        if (exp == 0) {
            if (frac == 0) return .{ .class = .zero, .sign = sign };
            if (e.fz) {
                if (f.width != 16) e.raise(idc);
                return .{ .class = .zero, .sign = sign };
            }
            const lz: u6 = @intCast(@clz(frac));
            return .{ .class = .normal, .sign = sign, .exp = 1 - f.bias() + align_shift - @as(i32, lz), .frac = frac << lz };
        }
        if (exp == f.maxField() and !e.ahp) {
            if (frac == 0) return .{ .class = .infinity, .sign = sign };
            return .{ .class = if (frac & f.quietBit() != 0) .quiet else .signaling, .sign = sign };
        }
        const one = @as(u64, 1) << 63;
        return .{ .class = .normal, .sign = sign, .exp = @as(i32, @intCast(exp)) - f.bias(), .frac = one | frac << align_shift };
    }

    /// FPRound of frac / 2^63 * 2^exp (bit 63 set), a little more in magnitude when `sticky`.
    pub fn pack(e: *Env, sign: bool, exp: i32, frac: u64, sticky: bool) u64 {
        const f = e.fmt;
        const min_exp = 1 - f.bias();
        const tiny = exp < min_exp;
        if (tiny and e.fz) {
            e.raise(ufc);
            return f.zero(sign);
        }
        const drop: u32 = 63 - @as(u32, f.frac) + if (tiny) @as(u32, @intCast(min_exp - exp)) else 0;
        var kept: u64 = if (drop > 63) 0 else frac >> @intCast(drop);
        const half_bit = drop <= 64 and frac >> @intCast(drop - 1) & 1 != 0;
        const below = if (drop > 64) true else frac & ((@as(u64, 1) << @intCast(drop - 1)) - 1) != 0;
        const rest = below or sticky;
        const inexact = half_bit or rest;
        if (tiny and inexact) e.raise(ufc);
        const up = switch (e.round) {
            .even => half_bit and (rest or kept & 1 != 0),
            .up => inexact and !sign,
            .down => inexact and sign,
            .zero => false,
            .away => half_bit,
            .odd => blk: {
                if (inexact) kept |= 1;
                break :blk false;
            },
        };
        if (up) kept += 1;
        // The leading one of a normal number adds 1 to the exponent field; so does a carry out of the fraction.
        const field: u64 = if (tiny) 0 else @intCast(exp + f.bias() - 1);
        const magnitude = (field << f.frac) +% kept;
        const limit = f.maxField() + @intFromBool(e.ahp);
        if (field + (kept >> f.frac) >= limit) return e.overflow(sign);
        if (inexact) e.raise(ixc);
        return f.zero(sign) | magnitude;
    }

    fn overflow(e: *Env, sign: bool) u64 {
        const f = e.fmt;
        if (e.ahp) {
            e.raise(ioc);
            return f.zero(sign) | (f.signBit() - 1);
        }
        e.raise(ofc | ixc);
        const to_infinity = switch (e.round) {
            .even, .away => true,
            .up => !sign,
            .down => sign,
            .zero, .odd => false,
        };
        return if (to_infinity) f.infinity(sign) else f.maxNormal(sign);
    }

    pub fn packNum(e: *Env, n: Num) u64 {
        return switch (n.class) {
            .zero => e.fmt.zero(n.sign),
            .infinity => e.fmt.infinity(n.sign),
            else => e.pack(n.sign, n.exp, n.frac, false),
        };
    }

    /// FPProcessNaN
    pub fn nan(e: *Env, n: Num, bits: u64) u64 {
        if (n.class == .signaling) e.raise(ioc);
        return if (e.dn) e.fmt.defaultNan() else bits | e.fmt.quietBit();
    }

    /// FPProcessNaNs: null when neither is a NaN.
    pub fn nans(e: *Env, na: Num, a: u64, nb: Num, b: u64) ?u64 {
        if (na.class == .signaling) return e.nan(na, a);
        if (nb.class == .signaling) return e.nan(nb, b);
        if (na.class == .quiet) return e.nan(na, a);
        if (nb.class == .quiet) return e.nan(nb, b);
        return null;
    }

    fn exactZero(e: *Env) u64 {
        return e.fmt.zero(e.round == .down);
    }

    /// (-1)^sa * a * 2^(ea-126) + the same of b, rounded; bit 126 is the leading one of both.
    fn sum(e: *Env, sa: bool, ea: i32, a: u128, sb: bool, eb: i32, b: u128, scale: i32) u64 {
        const swap = ea < eb or (ea == eb and a < b);
        const big = if (swap) b else a;
        const small = if (swap) a else b;
        const exp = @max(ea, eb);
        const sign = if (swap) sb else sa;
        const shifted = shiftJam(small, @intCast(@min(@abs(ea - eb), 127)));
        const total = if (sa == sb) big + shifted else big - shifted;
        if (total == 0) return e.exactZero();
        const lz: u7 = @intCast(@clz(total));
        const norm = total << lz;
        return e.pack(sign, exp + 1 - @as(i32, lz) + scale, @truncate(norm >> 64), @as(u64, @truncate(norm)) != 0);
    }
};

fn shiftJam(v: u128, count: u7) u128 {
    const out = v >> count;
    return if (out << count != v) out | 1 else out;
}

/// Product of two fractions with its leading one at bit 126; the exponent to add is 0 or 1.
fn product(a: u64, b: u64) struct { frac: u128, carry: i32 } {
    const p = @as(u128, a) * b;
    return if (p >> 127 != 0) .{ .frac = shiftJam(p, 1), .carry = 1 } else .{ .frac = p, .carry = 0 };
}

pub const Fn1 = *const fn (e: *Env, a: u64) u64;
pub const Fn2 = *const fn (e: *Env, a: u64, b: u64) u64;
pub const Fn3 = *const fn (e: *Env, a: u64, b: u64, c: u64) u64;

fn addSigned(e: *Env, a: u64, b: u64, negate: bool) u64 {
    const na = e.unpack(a);
    var nb = e.unpack(b);
    if (e.nans(na, a, nb, b)) |x| return x;
    nb.sign = nb.sign != negate;
    if (na.class == .infinity or nb.class == .infinity) {
        if (na.class == nb.class and na.sign != nb.sign) return e.invalid();
        return e.fmt.infinity(if (na.class == .infinity) na.sign else nb.sign);
    }
    if (na.class == .zero and nb.class == .zero) {
        return if (na.sign == nb.sign) e.fmt.zero(na.sign) else e.exactZero();
    }
    if (na.class == .zero) return e.packNum(nb);
    if (nb.class == .zero) return e.packNum(na);
    return e.sum(na.sign, na.exp, @as(u128, na.frac) << 63, nb.sign, nb.exp, @as(u128, nb.frac) << 63, 0);
}

pub fn add(e: *Env, a: u64, b: u64) u64 {
    return addSigned(e, a, b, false);
}

pub fn sub(e: *Env, a: u64, b: u64) u64 {
    return addSigned(e, a, b, true);
}

fn mulGeneral(e: *Env, a: u64, b: u64, comptime extended: bool) u64 {
    const na = e.unpack(a);
    const nb = e.unpack(b);
    if (e.nans(na, a, nb, b)) |x| return x;
    const sign = na.sign != nb.sign;
    if (na.class == .infinity or nb.class == .infinity) {
        if (na.class != .zero and nb.class != .zero) return e.fmt.infinity(sign);
        return if (extended) e.fmt.power(sign, 1) else e.invalid();
    }
    if (na.class == .zero or nb.class == .zero) return e.fmt.zero(sign);
    const p = product(na.frac, nb.frac);
    return e.pack(sign, na.exp + nb.exp + p.carry, @truncate(p.frac >> 63), @as(u63, @truncate(p.frac)) != 0);
}

pub fn mul(e: *Env, a: u64, b: u64) u64 {
    return mulGeneral(e, a, b, false);
}

pub fn mulx(e: *Env, a: u64, b: u64) u64 {
    return mulGeneral(e, a, b, true);
}

pub fn nmul(e: *Env, a: u64, b: u64) u64 {
    return mul(e, a, b) ^ e.fmt.signBit();
}

pub fn div(e: *Env, a: u64, b: u64) u64 {
    const na = e.unpack(a);
    const nb = e.unpack(b);
    if (e.nans(na, a, nb, b)) |x| return x;
    const sign = na.sign != nb.sign;
    if (na.class == nb.class and na.class != .normal) return e.invalid();
    if (na.class == .infinity or nb.class == .zero) {
        if (na.class != .infinity) e.raise(dzc);
        return e.fmt.infinity(sign);
    }
    if (na.class == .zero or nb.class == .infinity) return e.fmt.zero(sign);
    const q = divide(na.frac, nb.frac);
    // The quotient is in (2^62, 2^64).
    const lz: u6 = @intCast(@clz(q.value));
    return e.pack(sign, na.exp - nb.exp - @as(i32, lz), q.value << lz, q.rest != 0);
}

/// a * 2^63 / b, for a `b` with its top bit set, in two digits of 32 bits (Knuth, 4.3.1, algorithm D). Written out because a
/// division of u128 needs the compiler's runtime library, whose memset and memcpy would then take the place of libc's.
fn divide(a: u64, b: u64) struct { value: u64, rest: u64 } {
    const base = 1 << 32;
    var rest = a >> 1;
    var value: u64 = 0;
    for ([2]u64{ a << 31 & (base - 1), 0 }) |next| {
        var digit = rest / (b >> 32);
        var left = rest % (b >> 32);
        while (digit >= base or digit * (b % base) > left * base + next) {
            digit -= 1;
            left += b >> 32;
            if (left >= base) break;
        }
        rest = (rest *% base) +% next -% (digit *% b);
        value = value *% base +% digit;
    }
    return .{ .value = value, .rest = rest };
}

pub fn abd(e: *Env, a: u64, b: u64) u64 {
    return sub(e, a, b) & ~e.fmt.signBit();
}

/// FPMulAdd: addend + a * b
pub fn fma(e: *Env, addend: u64, a: u64, b: u64) u64 {
    const nc = e.unpack(addend);
    const na = e.unpack(a);
    const nb = e.unpack(b);
    const zero_times_infinity = (na.class == .infinity and nb.class == .zero) or (na.class == .zero and nb.class == .infinity);
    if (nc.class == .quiet and zero_times_infinity) return e.invalid();
    if (nc.class == .signaling) return e.nan(nc, addend);
    if (na.class == .signaling) return e.nan(na, a);
    if (nb.class == .signaling) return e.nan(nb, b);
    if (nc.class == .quiet) return e.nan(nc, addend);
    if (e.nans(na, a, nb, b)) |x| return x;
    const sign = na.sign != nb.sign;
    const product_infinite = na.class == .infinity or nb.class == .infinity;
    if (zero_times_infinity or (nc.class == .infinity and product_infinite and nc.sign != sign)) return e.invalid();
    if (nc.class == .infinity) return e.fmt.infinity(nc.sign);
    if (product_infinite) return e.fmt.infinity(sign);
    const product_zero = na.class == .zero or nb.class == .zero;
    if (product_zero) {
        if (nc.class != .zero) return e.packNum(nc);
        return if (nc.sign == sign) e.fmt.zero(sign) else e.exactZero();
    }
    return fusedSum(e, nc, na, nb, sign, 0);
}

/// c + a*b scaled by 2^scale; a and b are normal, c normal or zero.
fn fusedSum(e: *Env, c: Num, a: Num, b: Num, sign: bool, scale: i32) u64 {
    const p = product(a.frac, b.frac);
    const exp = a.exp + b.exp + p.carry;
    if (c.class == .zero) return e.pack(sign, exp + scale, @truncate(p.frac >> 63), @as(u63, @truncate(p.frac)) != 0);
    return e.sum(c.sign, c.exp, @as(u128, c.frac) << 63, sign, exp, p.frac, scale);
}

/// FPMulAdd with a negated, for FMLS and FMSUB.
pub fn fms(e: *Env, addend: u64, a: u64, b: u64) u64 {
    return fma(e, addend, a ^ e.fmt.signBit(), b);
}

pub fn fnma(e: *Env, addend: u64, a: u64, b: u64) u64 {
    return fma(e, addend ^ e.fmt.signBit(), a ^ e.fmt.signBit(), b);
}

pub fn fnms(e: *Env, addend: u64, a: u64, b: u64) u64 {
    return fma(e, addend ^ e.fmt.signBit(), a, b);
}

/// FRECPS (base 2) and FRSQRTS (base 3, halved).
fn step(e: *Env, a_bits: u64, b: u64, base: Num, scale: i32, special: u64) u64 {
    const a = a_bits ^ e.fmt.signBit();
    const na = e.unpack(a);
    const nb = e.unpack(b);
    if (e.nans(na, a, nb, b)) |x| return x;
    const sign = na.sign != nb.sign;
    const infinite = na.class == .infinity or nb.class == .infinity;
    const zero = na.class == .zero or nb.class == .zero;
    if (infinite and zero) return special;
    if (infinite) return e.fmt.infinity(sign);
    if (zero) return e.pack(false, base.exp + scale, base.frac, false);
    return fusedSum(e, base, na, nb, sign, scale);
}

pub fn recipStep(e: *Env, a: u64, b: u64) u64 {
    return step(e, a, b, .{ .class = .normal, .sign = false, .exp = 1, .frac = 1 << 63 }, 0, e.fmt.power(false, 1));
}

pub fn rsqrtStep(e: *Env, a: u64, b: u64) u64 {
    const one_and_half = e.fmt.power(false, 0) | e.fmt.quietBit();
    return step(e, a, b, .{ .class = .normal, .sign = false, .exp = 1, .frac = 3 << 62 }, -1, one_and_half);
}

pub fn sqrt(e: *Env, a: u64) u64 {
    const n = e.unpack(a);
    if (n.isNan()) return e.nan(n, a);
    if (n.class == .zero) return e.fmt.zero(n.sign);
    if (n.sign) return e.invalid();
    if (n.class == .infinity) return e.fmt.infinity(false);
    const odd: u1 = @intCast(n.exp & 1);
    var rest: u128 = @as(u128, n.frac) << (63 + @as(u7, odd));
    // Restoring square root, down to one bit below the rounding position.
    var root: u128 = 0;
    var bit: u7 = 63;
    const last: u7 = 63 - 2 - @as(u7, e.fmt.frac);
    while (true) : (bit -= 1) {
        const trial = (root << 1 | @as(u128, 1) << bit) << bit;
        if (rest >= trial) {
            rest -= trial;
            root |= @as(u128, 1) << bit;
        }
        if (bit == last) break;
    }
    return e.pack(false, @divExact(n.exp - odd, 2), @truncate(root), rest != 0);
}

fn minMax(e: *Env, a: u64, b: u64, want_max: bool) u64 {
    const na = e.unpack(a);
    const nb = e.unpack(b);
    if (e.nans(na, a, nb, b)) |x| return x;
    const pick_a = order(na, nb) == (if (want_max) std.math.Order.gt else .lt);
    if (na.class == .zero and nb.class == .zero) {
        return e.fmt.zero(if (want_max) na.sign and nb.sign else na.sign or nb.sign);
    }
    return e.packNum(if (pick_a) na else nb);
}

/// Numerical order of two values that are not NaNs.
pub fn order(a: Num, b: Num) std.math.Order {
    if (a.class == .zero and b.class == .zero) return .eq;
    if (a.class == .zero) return if (b.sign) .gt else .lt;
    if (b.class == .zero) return if (a.sign) .lt else .gt;
    if (a.sign != b.sign) return if (a.sign) .lt else .gt;
    const magnitude: std.math.Order = if (a.class == .infinity or b.class == .infinity)
        std.math.order(@intFromBool(a.class == .infinity), @intFromBool(b.class == .infinity))
    else if (a.exp != b.exp) std.math.order(a.exp, b.exp) else std.math.order(a.frac, b.frac);
    return if (a.sign) magnitude.invert() else magnitude;
}

pub fn max(e: *Env, a: u64, b: u64) u64 {
    return minMax(e, a, b, true);
}

pub fn min(e: *Env, a: u64, b: u64) u64 {
    return minMax(e, a, b, false);
}

/// A quiet NaN against a number (or a signalling NaN) gives way.
fn minMaxNumber(e: *Env, a: u64, b: u64, want_max: bool) u64 {
    const quiet_a = classOf(e.fmt, a) == .quiet;
    const quiet_b = classOf(e.fmt, b) == .quiet;
    const loser = e.fmt.infinity(want_max);
    if (quiet_a and !quiet_b) return minMax(e, loser, b, want_max);
    if (quiet_b and !quiet_a) return minMax(e, a, loser, want_max);
    return minMax(e, a, b, want_max);
}

fn classOf(f: *const Format, bits: u64) Class {
    var e: Env = .{ .fmt = f, .round = .even, .fz = false, .dn = false };
    return e.unpack(bits).class;
}

pub fn maxNumber(e: *Env, a: u64, b: u64) u64 {
    return minMaxNumber(e, a, b, true);
}

pub fn minNumber(e: *Env, a: u64, b: u64) u64 {
    return minMaxNumber(e, a, b, false);
}

/// FPCompare: NZCV. `signal` also objects to quiet NaNs.
pub fn compare(e: *Env, a: u64, b: u64, signal: bool) u32 {
    const na = e.unpack(a);
    const nb = e.unpack(b);
    if (na.isNan() or nb.isNan()) {
        if (signal or na.class == .signaling or nb.class == .signaling) e.raise(ioc);
        return 0b0011;
    }
    return switch (order(na, nb)) {
        .lt => 0b1000,
        .eq => 0b0110,
        .gt => 0b0010,
    };
}

fn mask(e: *Env, yes: bool) u64 {
    return if (yes) (e.fmt.signBit() - 1) | e.fmt.signBit() else 0;
}

pub fn compareEq(e: *Env, a: u64, b: u64) u64 {
    return mask(e, compare(e, a, b, false) == 0b0110);
}

pub fn compareGe(e: *Env, a: u64, b: u64) u64 {
    const f = compare(e, a, b, true);
    return mask(e, f == 0b0110 or f == 0b0010);
}

pub fn compareGt(e: *Env, a: u64, b: u64) u64 {
    return mask(e, compare(e, a, b, true) == 0b0010);
}

pub fn compareAbsGe(e: *Env, a: u64, b: u64) u64 {
    return compareGe(e, a & ~e.fmt.signBit(), b & ~e.fmt.signBit());
}

pub fn compareAbsGt(e: *Env, a: u64, b: u64) u64 {
    return compareGt(e, a & ~e.fmt.signBit(), b & ~e.fmt.signBit());
}
