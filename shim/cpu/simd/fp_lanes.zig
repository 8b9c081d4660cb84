//! Floating-point operations on vectors of lanes (one lane for scalars): the host's arithmetic first, and the exact
//! path of fp_core.zig when the result is a NaN or may differ in its flags.

const std = @import("std");
const abi = @import("../../abi.zig");
const core = @import("fp_core.zig");
const fp = @import("fp.zig");
const half = @import("fp_half.zig");
const number = @import("fp_number.zig");
const regs = @import("regs.zig");

const Block = abi.RegisterBlock;
const U64x2 = regs.U64x2;

/// The shape of an operation: lane type, lanes in the vector that is computed, lanes that exist in the register.
/// A 64-bit vector of f32 is computed as four lanes with zeros above, which raises no flags of its own.
pub fn Shape(comptime Lane: type, comptime count: comptime_int) type {
    return struct {
        pub const T = Lane;
        pub const lanes = count;
        /// Not half precision, whose lanes are raw bits (fp_half.zig).
        pub const hard = fp.host_arithmetic and T != f16;
        pub const physical = if (count == 1) 1 else 128 / @bitSizeOf(T);
        pub const V = @Vector(physical, T);
        pub const Int = @Int(.unsigned, @bitSizeOf(T));
        pub const Bits = @Vector(physical, Int);
        pub const full = count * @bitSizeOf(T) == 128;
        pub const fmt = core.formatOf(T);

        pub inline fn get(r: *const Block, index: usize) Bits {
            if (count == 1) {
                if (!hard) return .{regs.get(Int, r, index)};
                return @bitCast(regs.hidden(V, .{regs.get(T, r, index)}));
            }
            const whole = regs.getQ(Bits, full, r, index);
            return if (full or !hard) whole else regs.hidden(Bits, whole);
        }

        pub inline fn set(r: *Block, index: usize, value: Bits) void {
            if (count == 1) return regs.set(r, index, value[0]);
            regs.setQ(r, full, index, value);
        }

        pub inline fn wide(v: Bits) U64x2 {
            if (count == 1) return .{ v[0], 0 };
            return @bitCast(v);
        }
    };
}

/// What decides whether FPCR.FZ can matter to an operation: its operands alone (comparisons, roundings, conversions),
/// or the smallest result that it could have.
pub const Reach = enum { operands, sum, product, quotient, fused, narrow };

/// FPCR.FZ is clear, or nothing would be flushed: every operand is zero or normal, and no result but zero can be denormal.
pub inline fn usual(comptime S: type, comptime reach: Reach, r: *const Block, a: S.Bits, b: S.Bits, c: S.Bits) bool {
    if (r.fpcr & core.fpcr_fz == 0) return true;
    return nothingNear(S, reach, a, b, c) or nothingFlushed(S, reach, a, b, c);
}

/// The least exponent field of operands, each for itself, with which nothing is flushed. `fused`: of the factors. The
/// addend need only be normal: the product is either zero or too large for it to leave next to nothing of that.
pub fn lowest(f: *const core.Format, reach: Reach) i32 {
    const frac: i32 = f.frac;
    return switch (reach) {
        .operands => 1,
        .sum => frac + 2,
        .product, .quotient => @divTrunc(f.bias() + 3, 2),
        .fused => @divTrunc(f.bias() + 2 * frac + 5, 2),
        .narrow => f.bias() - core.single.bias() + 2,
    };
}

/// The exponent field that a divisor must not reach: the quotient by a large number is small.
pub fn highestDivisor(f: *const core.Format) i32 {
    return lowest(f, .quotient) + f.bias() - 2;
}

/// The same as `usual`, but less often true: each operand for itself is zero or far enough from what is flushed.
inline fn nothingNear(comptime S: type, comptime reach: Reach, a: S.Bits, b: S.Bits, c: S.Bits) bool {
    const low = comptime lowest(S.fmt, reach);
    const near = below(S, low, a) or below(S, if (reach == .quotient) 1 else low, b);
    if (reach == .fused) return !near and !below(S, 1, c);
    return !near and (reach != .quotient or !any(b << @splat(1) > @as(S.Bits, @splat(field(S, comptime highestDivisor(S.fmt))))));
}

/// The bits without a sign of the smallest number with an exponent field, moved up by one.
fn field(comptime S: type, comptime exponent_field: i32) S.Int {
    return @as(S.Int, @intCast(exponent_field)) << (S.fmt.frac + 1);
}

/// Is the exponent field of a number but zero below a limit?
inline fn below(comptime S: type, comptime limit: i32, v: S.Bits) bool {
    const one: S.Bits = @splat(1);
    return any((v << @splat(1)) -% one < @as(S.Bits, @splat(field(S, limit) - 1)));
}

noinline fn nothingFlushed(comptime S: type, reach: Reach, a: S.Bits, b: S.Bits, c: S.Bits) bool {
    const frac: i32 = S.fmt.frac;
    const bias = S.fmt.bias();
    const least: i32 = switch (reach) {
        .sum, .narrow => lowest(S.fmt, reach),
        else => 1,
    };
    for (0..S.lanes) |i| {
        const x: [S.physical]S.Int = a;
        const y: [S.physical]S.Int = b;
        const z: [S.physical]S.Int = c;
        const ex = exponent(S, x[i]) orelse bias;
        const ey = exponent(S, y[i]) orelse bias;
        const ez = exponent(S, z[i]) orelse bias;
        const some_zero = x[i] << 1 == 0 or y[i] << 1 == 0;
        if (ex < least or ey < least or ez < least) return false;
        const safe = some_zero or switch (reach) {
            .product => ex + ey >= bias + 2,
            .quotient => ex - ey + bias >= 2,
            // The last bit of the product and that of the addend must be normal.
            .fused => ex + ey >= bias + 2 * frac + 4 and ez >= frac + 2,
            else => true,
        };
        if (!safe) return false;
    }
    return true;
}

/// The exponent field; null for zero.
inline fn exponent(comptime S: type, bits: S.Int) ?i32 {
    if (bits << 1 == 0) return null;
    return @intCast(bits >> S.fmt.frac & S.fmt.maxField());
}

inline fn any(mask: anytype) bool {
    return @reduce(.Or, mask);
}

inline fn isNan(v: anytype) @Vector(@typeInfo(@TypeOf(v)).vector.len, bool) {
    return v != v;
}

/// The smallest normal number: x86 does not call it an underflow when it was rounded up to.
inline fn isEdge(v: anytype) @Vector(@typeInfo(@TypeOf(v)).vector.len, bool) {
    const V = @TypeOf(v);
    return @abs(v) == @as(V, @splat(std.math.floatMin(@typeInfo(V).vector.child)));
}

inline fn isNanOrEdge(v: anytype) @Vector(@typeInfo(@TypeOf(v)).vector.len, bool) {
    return @select(bool, isNan(v), isNan(v), isEdge(v));
}

pub const Op2 = enum { add, sub, mul, div, nmul, mulx, abd, max, min, maxnm, minnm, recps, rsqrts, eq, ge, gt, age, agt };

fn exact2(comptime op: Op2) core.Fn2 {
    return switch (op) {
        .add => core.add,
        .sub => core.sub,
        .mul => core.mul,
        .div => core.div,
        .nmul => core.nmul,
        .mulx => core.mulx,
        .abd => core.abd,
        .max => core.max,
        .min => core.min,
        .maxnm => core.maxNumber,
        .minnm => core.minNumber,
        .recps => core.recipStep,
        .rsqrts => core.rsqrtStep,
        .eq => core.compareEq,
        .ge => core.compareGe,
        .gt => core.compareGt,
        .age => core.compareAbsGe,
        .agt => core.compareAbsGt,
    };
}

fn reachOf(op: Op2) Reach {
    return switch (op) {
        .add, .sub, .abd => .sum,
        .mul, .nmul, .mulx => .product,
        .div => .quotient,
        .recps, .rsqrts => .fused,
        else => .operands,
    };
}

/// v[d] = a op b
pub inline fn apply2(comptime S: type, comptime op: Op2, r: *Block, d: usize, a: S.Bits, b: S.Bits) void {
    if (S.hard and usual(S, reachOf(op), r, a, b, a)) {
        if (fast2(S, op, a, b)) |x| return S.set(r, d, x);
    }
    if (S.T == f16) if (half.binary(S, op, r, a, b)) |x| return S.set(r, d, x);
    slow2(r, d, S.fmt, S.lanes, exact2(op), S.wide(a), S.wide(b));
}

/// Null when the exact path must decide.
inline fn fast2(comptime S: type, comptime op: Op2, abits: S.Bits, bbits: S.Bits) ?S.Bits {
    const V = S.V;
    const a: V = @bitCast(abits);
    const b: V = @bitCast(bbits);
    switch (op) {
        .add, .sub, .abd => {
            const x = regs.hidden(V, if (op == .add) a + b else a - b);
            if (any(isNan(x))) return null;
            return @bitCast(if (op == .abd) @abs(x) else x);
        },
        .mul, .nmul, .div => {
            const x = regs.hidden(V, if (op == .div) quotient(S, a, b) else a * b);
            if (any(isNanOrEdge(x))) return null;
            return @bitCast(if (op == .nmul) -x else x);
        },
        .mulx => {
            if (any(notBelow(S, abits, std.math.inf(S.T))) or any(notBelow(S, bbits, std.math.inf(S.T)))) return null;
            const x = a * b;
            return if (any(isEdge(x))) null else @bitCast(x);
        },
        .recps, .rsqrts => {
            if (!fp.hasFused()) return null;
            const limit: S.T = if (op == .recps) std.math.inf(S.T) else 0x1p60;
            if (any(notBelow(S, abits, limit)) or any(notBelow(S, bbits, limit))) return null;
            const base: V = @splat(if (op == .recps) 2 else 3);
            const x = fp.fused(V, .sub, base, a, b);
            return @bitCast(if (op == .recps) x else x * @as(V, @splat(0.5)));
        },
        .max, .min, .maxnm, .minnm => {
            if (any(isNan(a)) or any(isNan(b))) return null;
            const ka = orderKey(S, abits);
            const kb = orderKey(S, bbits);
            const pick_a = if (op == .max or op == .maxnm) ka > kb else ka < kb;
            return @select(S.Int, pick_a, abits, bbits);
        },
        .eq, .ge, .gt, .age, .agt => {
            if (any(isNan(a)) or any(isNan(b))) return null;
            const x = if (op == .age or op == .agt) @abs(a) else a;
            const y = if (op == .age or op == .agt) @abs(b) else b;
            return maskOf(S, switch (op) {
                .eq => x == y,
                .ge, .age => x >= y,
                else => x > y,
            });
        },
    }
}

/// |v| >= limit or v is a NaN, without touching the host's flags.
inline fn notBelow(comptime S: type, v: S.Bits, limit: S.T) @Vector(S.physical, bool) {
    const signed = @Int(.signed, @bitSizeOf(S.T));
    const magnitude: @Vector(S.physical, signed) = @bitCast(v & @as(S.Bits, @splat(std.math.maxInt(signed))));
    return magnitude >= @as(@Vector(S.physical, signed), @splat(@as(signed, @bitCast(limit))));
}

/// a / b without a division of zero by zero in lanes that do not exist, also not those the compiler would add to one lane.
inline fn quotient(comptime S: type, a: S.V, b: S.V) S.V {
    if (S.lanes == 1) return .{a[0] / b[0]};
    if (S.lanes == S.physical) return a / b;
    return a / @shuffle(f32, b, @as(@Vector(2, f32), @splat(1)), [4]i32{ 0, 1, -1, -2 });
}

/// Signed integers in the order of the numbers, -0 below +0.
pub inline fn orderKey(comptime S: type, v: S.Bits) @Vector(S.physical, @Int(.signed, @bitSizeOf(S.T))) {
    const Signed = @Int(.signed, @bitSizeOf(S.T));
    const i: @Vector(S.physical, Signed) = @bitCast(v);
    const zero: @Vector(S.physical, Signed) = @splat(0);
    return @select(Signed, i < zero, i ^ @as(@Vector(S.physical, Signed), @splat(std.math.maxInt(Signed))), i);
}

inline fn maskOf(comptime S: type, yes: @Vector(S.physical, bool)) S.Bits {
    return @select(S.Int, yes, @as(S.Bits, @splat(std.math.maxInt(S.Int))), @as(S.Bits, @splat(0)));
}

/// The lane of `v` at bit `at`.
pub inline fn lane(v: [2]u64, at: u32, width: u32) u64 {
    const word = v[at >> 6] >> @intCast(at & 63);
    return if (width == 64) word else word & ((@as(u64, 1) << @intCast(width)) - 1);
}

pub noinline fn slow1(r: *Block, d: usize, fmt: *const core.Format, lanes: u32, f: core.Fn1, a: U64x2) void {
    const va: [2]u64 = a;
    var e: core.Env = .init(r.fpcr, fmt);
    var out: [2]u64 = .{ 0, 0 };
    const width: u32 = fmt.width;
    for (0..lanes) |i| {
        const at = @as(u32, @intCast(i)) * width;
        out[at >> 6] |= f(&e, lane(va, at, width)) << @intCast(at & 63);
    }
    finish(r, d, &e, out);
}

pub noinline fn slow2(r: *Block, d: usize, fmt: *const core.Format, lanes: u32, f: core.Fn2, a: U64x2, b: U64x2) void {
    const va: [2]u64 = a;
    const vb: [2]u64 = b;
    var e: core.Env = .init(r.fpcr, fmt);
    var out: [2]u64 = .{ 0, 0 };
    const width: u32 = fmt.width;
    for (0..lanes) |i| {
        const at = @as(u32, @intCast(i)) * width;
        out[at >> 6] |= f(&e, lane(va, at, width), lane(vb, at, width)) << @intCast(at & 63);
    }
    finish(r, d, &e, out);
}

pub noinline fn slow3(r: *Block, d: usize, fmt: *const core.Format, lanes: u32, f: core.Fn3, a: U64x2, b: U64x2, c: U64x2) void {
    const va: [2]u64 = a;
    const vb: [2]u64 = b;
    const vc: [2]u64 = c;
    var e: core.Env = .init(r.fpcr, fmt);
    var out: [2]u64 = .{ 0, 0 };
    const width: u32 = fmt.width;
    for (0..lanes) |i| {
        const at = @as(u32, @intCast(i)) * width;
        out[at >> 6] |= f(&e, lane(va, at, width), lane(vb, at, width), lane(vc, at, width)) << @intCast(at & 63);
    }
    finish(r, d, &e, out);
}

fn finish(r: *Block, d: usize, e: *const core.Env, out: [2]u64) void {
    r.fpsr |= e.flags;
    regs.set(r, d, @as(U64x2, out));
}

/// v[d] = c op a*b
pub inline fn apply3(comptime S: type, comptime kind: fp.FmaKind, r: *Block, d: usize, c: S.Bits, a: S.Bits, b: S.Bits) void {
    if (S.hard and fp.hasFused() and usual(S, .fused, r, a, b, c)) {
        const x = fp.fused(S.V, kind, @as(S.V, @bitCast(c)), @as(S.V, @bitCast(a)), @as(S.V, @bitCast(b)));
        if (!any(isNanOrEdge(x))) return S.set(r, d, @bitCast(x));
    }
    if (S.T == f16) if (half.fused(S, kind, r, c, a, b)) |x| return S.set(r, d, x);
    const f: core.Fn3 = switch (kind) {
        .add => core.fma,
        .sub => core.fms,
        .neg_add => core.fnma,
        .neg_sub => core.fnms,
    };
    slow3(r, d, S.fmt, S.lanes, f, S.wide(c), S.wide(a), S.wide(b));
}

/// v[d] = sqrt(a)
pub inline fn applySqrt(comptime S: type, r: *Block, d: usize, a: S.Bits) void {
    if (S.hard and usual(S, .operands, r, a, a, a)) {
        // The optimiser would rather test the operand, with a comparison that objects to quiet NaNs.
        const x = regs.hidden(S.V, @sqrt(@as(S.V, @bitCast(a))));
        if (!any(isNan(x))) return S.set(r, d, @bitCast(x));
    }
    if (S.T == f16) if (half.root(S, r, a)) |x| return S.set(r, d, x);
    slow1(r, d, S.fmt, S.lanes, core.sqrt, S.wide(a));
}

/// v[d] = f(a), always exact.
pub inline fn apply1(comptime S: type, comptime f: core.Fn1, r: *Block, d: usize, a: S.Bits) void {
    slow1(r, d, S.fmt, S.lanes, f, S.wide(a));
}

/// v[d] = a rounded to an integral value; `mode` null means FPCR's.
pub inline fn applyIntegral(comptime S: type, comptime mode: ?core.Round, comptime exact: bool, r: *Block, d: usize, a: S.Bits) void {
    if (S.hard and usual(S, .operands, r, a, a, a)) {
        const x: S.V = @bitCast(a);
        if (!any(isNan(x))) {
            if (fp.integral(S.V, mode, exact, x)) |y| return S.set(r, d, @bitCast(y));
        }
    }
    if (S.T == f16) if (half.integral(S, mode, exact, r, a)) |x| return S.set(r, d, x);
    slow1(r, d, S.fmt, S.lanes, integralFn(mode, exact), S.wide(a));
}

fn integralFn(comptime mode: ?core.Round, comptime exact: bool) core.Fn1 {
    return struct {
        fn f(e: *core.Env, a: u64) u64 {
            return number.roundInt(e, a, mode orelse e.round, exact);
        }
    }.f;
}

pub fn boundedIntegral(comptime mode: ?core.Round, comptime width: u7) core.Fn1 {
    return struct {
        fn f(e: *core.Env, a: u64) u64 {
            return number.roundIntN(e, a, mode orelse e.round, width);
        }
    }.f;
}
