//! Half precision on the host's unit: comparisons in integers, arithmetic by F16C in singles, which are wide enough that rounding twice is rounding
//! once (24 >= 2 * 11 + 2), fused operations in doubles rounded to odd. Each answers null where the exact path must decide: a NaN, the
//! smallest normal number (see fp.zig), FPCR.FZ16, or a host without F16C.

const builtin = @import("builtin");
const abi = @import("../../abi.zig");
const core = @import("fp_core.zig");
const fp = @import("fp.zig");
const lanes = @import("fp_lanes.zig");
const regs = @import("regs.zig");
const x86 = @import("../x86.zig");

const Block = abi.RegisterBlock;
const U64x2 = regs.U64x2;
const Singles = @Vector(4, f32);
const Doubles = @Vector(4, f64);
const Halves = @Vector(4, f16);

/// Elsewhere the compiler has its own way, which nobody has asked for yet (`able`).
const has_f16c = builtin.cpu.arch == .x86_64;

const sign = 0x8000;
const infinity = 0x7c00;
const least = 0x0400;

inline fn flushes(r: *const Block) bool {
    return r.fpcr & core.fpcr_fz16 != 0;
}

pub inline fn able(r: *const Block) bool {
    return x86.features.f16c and !flushes(r);
}

/// Four halves as singles. Exact, but that signalling NaNs become quiet.
pub inline fn widen(halves: u64) Singles {
    if (!has_f16c) return @floatCast(@as(Halves, @bitCast(halves)));
    return asm ("vcvtph2ps %[in], %[out]"
        : [out] "=x" (-> Singles),
        : [in] "x" (U64x2{ halves, 0 }),
    );
}

/// Rounded as FPCR says.
pub inline fn narrow(v: Singles) u64 {
    if (!has_f16c) return @bitCast(@as(Halves, @floatCast(v)));
    const halves = asm ("vcvtps2ph $4, %[in], %[out]"
        : [out] "=x" (-> U64x2),
        : [in] "x" (v),
    );
    return halves[0];
}

/// The same for doubles that singles have room for. What a single has no bits for becomes its last one.
pub inline fn narrowDoubles(v: Doubles) u64 {
    const rest: @Vector(4, u64) = @splat((1 << 29) - 1);
    const bits: @Vector(4, u64) = @bitCast(v);
    const odd = (bits | ((bits & rest) + rest)) & ~rest;
    return narrow(@floatCast(@as(Doubles, @bitCast(odd))));
}

inline fn any(mask: anytype) bool {
    return @reduce(.Or, mask);
}

fn parts(comptime S: type) comptime_int {
    return if (S.lanes == 8) 2 else 1;
}

inline fn part(comptime S: type, v: S.Bits, comptime i: usize) u64 {
    return S.wide(v)[i];
}

inline fn join(comptime S: type, halves: [parts(S)]u64) S.Bits {
    if (S.lanes == 1) return .{@truncate(halves[0])};
    return @bitCast(U64x2{ halves[0], if (parts(S) == 2) halves[1] else 0 });
}

inline fn all(comptime S: type, x: u16) S.Bits {
    return @splat(x);
}

inline fn magnitude(comptime S: type, v: S.Bits) S.Bits {
    return v & all(S, sign - 1);
}

inline fn isNan(comptime S: type, v: S.Bits) bool {
    return any(magnitude(S, v) > all(S, infinity));
}

inline fn isFinite(comptime S: type, v: S.Bits) bool {
    return !any(magnitude(S, v) >= all(S, infinity));
}

/// Nothing that may have been tiny before it was rounded.
inline fn checked(comptime S: type, v: S.Bits) ?S.Bits {
    return if (any(magnitude(S, v) == all(S, least))) null else v;
}

/// Signed integers in the order of the numbers, both zeros being 0.
inline fn value(comptime S: type, v: S.Bits) @Vector(S.physical, i16) {
    const m: @Vector(S.physical, i16) = @bitCast(magnitude(S, v));
    const negative = v >= all(S, sign);
    return @select(i16, negative, -%m, m);
}

inline fn maskOf(comptime S: type, yes: @Vector(S.physical, bool)) S.Bits {
    return @select(u16, yes, all(S, 0xffff), all(S, 0));
}

pub inline fn binary(comptime S: type, comptime op: lanes.Op2, r: *const Block, a: S.Bits, b: S.Bits) ?S.Bits {
    switch (op) {
        .max, .min, .maxnm, .minnm => {
            if (flushes(r) or isNan(S, a) or isNan(S, b)) return null;
            const ka = lanes.orderKey(S, a);
            const kb = lanes.orderKey(S, b);
            return @select(u16, if (op == .max or op == .maxnm) ka > kb else ka < kb, a, b);
        },
        .eq, .ge, .gt, .age, .agt => {
            if (flushes(r) or isNan(S, a) or isNan(S, b)) return null;
            const absolute = op == .age or op == .agt;
            const x = value(S, if (absolute) magnitude(S, a) else a);
            const y = value(S, if (absolute) magnitude(S, b) else b);
            return maskOf(S, switch (op) {
                .eq => x == y,
                .ge, .age => x >= y,
                else => x > y,
            });
        },
        .recps, .rsqrts => {
            if (!able(r) or !isFinite(S, a) or !isFinite(S, b)) return null;
            var out: [parts(S)]u64 = undefined;
            inline for (0..parts(S)) |i| {
                const x: Doubles = @floatCast(widen(part(S, a, i)));
                const y: Doubles = @floatCast(widen(part(S, b, i)));
                const base: Doubles = @splat(if (op == .recps) 2 else 3);
                const z = base - x * y;
                out[i] = narrowDoubles(if (op == .recps) z else z * @as(Doubles, @splat(0.5)));
            }
            return checked(S, join(S, out));
        },
        else => {
            if (!able(r)) return null;
            if (op == .mulx and !(isFinite(S, a) and isFinite(S, b))) return null;
            return arithmetic(S, op, a, b);
        },
    }
}

inline fn arithmetic(comptime S: type, comptime op: lanes.Op2, a: S.Bits, b: S.Bits) ?S.Bits {
    var out: [parts(S)]u64 = undefined;
    inline for (0..parts(S)) |i| {
        const x = widen(part(S, a, i));
        // The unused lanes of one would divide zero by zero.
        const y = widen(part(S, b, i) | if (op == .div and S.lanes == 1) @as(u64, 0x3c00_3c00_3c00_0000) else 0);
        const z = regs.hidden(Singles, switch (op) {
            .add => x + y,
            .sub, .abd => x - y,
            .div => x / y,
            else => x * y,
        });
        if (any(z != z)) return null;
        out[i] = narrow(z);
    }
    const v = join(S, out);
    return switch (op) {
        // Tiny sums are exact.
        .add, .sub => v,
        .abd => magnitude(S, v),
        .nmul => if (checked(S, v)) |x| x ^ all(S, sign) else null,
        else => checked(S, v),
    };
}

/// c op a * b. Products and nearly all sums are exact in doubles; those that are not are far from where halves are rounded.
pub inline fn fused(comptime S: type, comptime kind: fp.FmaKind, r: *const Block, c: S.Bits, a: S.Bits, b: S.Bits) ?S.Bits {
    if (!able(r)) return null;
    const negative_product = kind == .sub or kind == .neg_add;
    const negative_addend = kind == .neg_add or kind == .neg_sub;
    var out: [parts(S)]u64 = undefined;
    inline for (0..parts(S)) |i| {
        const x: Doubles = @floatCast(widen(part(S, a, i)));
        const y: Doubles = @floatCast(widen(part(S, b, i)));
        const z: Doubles = @floatCast(widen(part(S, c, i)));
        const p = if (negative_product) -(x * y) else x * y;
        const s = regs.hidden(@Vector(2, f64), sumOf(if (negative_addend) -z else z, p, 0));
        const t = regs.hidden(@Vector(2, f64), sumOf(if (negative_addend) -z else z, p, 2));
        const sum: Doubles = .{ s[0], s[1], t[0], t[1] };
        if (any(sum != sum)) return null;
        out[i] = narrowDoubles(sum);
    }
    return checked(S, join(S, out));
}

/// Two of the sums, in one register of any host.
inline fn sumOf(a: Doubles, b: Doubles, comptime at: comptime_int) @Vector(2, f64) {
    const order = [2]i32{ at, at + 1 };
    return @shuffle(f64, a, undefined, order) + @shuffle(f64, b, undefined, order);
}

pub inline fn root(comptime S: type, r: *const Block, a: S.Bits) ?S.Bits {
    if (!able(r)) return null;
    var out: [parts(S)]u64 = undefined;
    inline for (0..parts(S)) |i| {
        const x = regs.hidden(Singles, @sqrt(widen(part(S, a, i))));
        if (any(x != x)) return null;
        out[i] = narrow(x);
    }
    return join(S, out);
}

/// Ties away from zero; no infinities. `exact` raises Inexact.
inline fn roundAway(comptime exact: bool, x: Singles) Singles {
    const whole = fp.integral(Singles, .zero, exact, x).?;
    const rest = x - whole;
    const away = fp.integral(Singles, .zero, false, rest + rest).?;
    const bits: @Vector(4, u32) = @bitCast(whole + away);
    const signs: @Vector(4, u32) = @splat(1 << 31);
    return @bitCast((bits & ~signs) | (@as(@Vector(4, u32), @bitCast(x)) & signs));
}

/// Rounded to integral values; `mode` null means FPCR's.
pub inline fn integral(comptime S: type, comptime mode: ?core.Round, comptime exact: bool, r: *const Block, a: S.Bits) ?S.Bits {
    if (!able(r) or !isFinite(S, a)) return null;
    var out: [parts(S)]u64 = undefined;
    inline for (0..parts(S)) |i| {
        const x = widen(part(S, a, i));
        out[i] = narrow(if (mode == .away) roundAway(exact, x) else fp.integral(Singles, mode, exact, x).?);
    }
    return join(S, out);
}

/// 2^exp
inline fn power(exp: i32) Singles {
    return @splat(@bitCast(@as(u32, @intCast(127 + exp)) << 23));
}

/// To integers of 16 bits, of which all are in range.
pub inline fn toInt(comptime S: type, comptime mode: core.Round, comptime signed: bool, r: *const Block, a: S.Bits, fraction: u7) ?S.Bits {
    if (!able(r) or !isFinite(S, a)) return null;
    const limit = power(@as(i32, if (signed) 15 else 16) - fraction);
    const zero: Singles = @splat(0);
    var out: [parts(S)]u64 = undefined;
    inline for (0..parts(S)) |i| {
        const x = widen(part(S, a, i));
        if (!@reduce(.And, @abs(x) < limit)) return null;
        if (!signed and !@reduce(.And, x >= zero)) return null;
        const scaled = x * power(fraction);
        const y = switch (mode) {
            .zero => scaled,
            .away => roundAway(true, scaled),
            else => fp.integral(Singles, mode, true, scaled).?,
        };
        const whole: @Vector(4, i32) = @intFromFloat(y);
        const low: @Vector(4, u16) = @truncate(@as(@Vector(4, u32), @bitCast(whole)));
        out[i] = @bitCast(low);
    }
    return join(S, out);
}

/// From integers of 16 bits, over 2^fraction.
pub inline fn fromInt(comptime S: type, comptime signed: bool, r: *const Block, a: S.Bits, fraction: u7) ?S.Bits {
    if (!able(r)) return null;
    var out: [parts(S)]u64 = undefined;
    inline for (0..parts(S)) |i| {
        const narrow_lanes: @Vector(4, if (signed) i16 else u16) = @bitCast(part(S, a, i));
        const x: Singles = @floatFromInt(@as(@Vector(4, i32), narrow_lanes));
        out[i] = narrow(x * power(-@as(i32, fraction)));
    }
    return join(S, out);
}

/// The greatest or least of all; no NaNs.
pub inline fn extreme(comptime full: bool, comptime greatest: bool, r: *const Block, words: U64x2) ?u16 {
    const S = lanes.Shape(f16, 8);
    const second: u64 = if (full) words[1] else words[0];
    const v: S.Bits = @bitCast(U64x2{ words[0], second });
    if (flushes(r) or isNan(S, v)) return null;
    const key = @reduce(if (greatest) .Max else .Min, lanes.orderKey(S, v));
    return @bitCast(if (key < 0) key ^ 0x7fff else key);
}

/// One number to a half; no NaNs, and only where FPCR is usual.
pub inline fn fromSingle(r: *const Block, x: f32) ?u16 {
    if (!x86.features.f16c or r.fpcr & unusual != 0 or x != x) return null;
    return one(narrow(.{ x, 0, 0, 0 }));
}

pub inline fn fromDouble(r: *const Block, x: f64) ?u16 {
    if (!x86.features.f16c or r.fpcr & unusual != 0) return null;
    // Those that singles have as normal numbers.
    if (x != 0 and !(@abs(x) >= 0x1p-100 and @abs(x) < 0x1p100)) return null;
    return one(narrowDoubles(.{ x, 0, 0, 0 }));
}

const unusual = core.fpcr_fz | core.fpcr_fz16 | core.fpcr_ahp | core.fpcr_dn;

inline fn one(halves: u64) ?u16 {
    const x: u16 = @truncate(halves);
    return if (x & (sign - 1) == least) null else x;
}

/// A number as a single, where FPCR is usual; no NaNs.
pub inline fn toSingle(r: *const Block, a: u16) ?f32 {
    if (!x86.features.f16c or r.fpcr & unusual != 0 or a & (sign - 1) > infinity) return null;
    return widen(a)[0];
}
