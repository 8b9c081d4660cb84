//! Small extensions of Advanced SIMD: dot products (DotProd, I8MM), complex arithmetic (FCMA), widening half-precision
//! multiply-add (FHM).

const std = @import("std");
const abi = @import("../../abi.zig");
const by_element = @import("by_element.zig");
const core = @import("fp_core.zig");
const fp = @import("fp.zig");
const half = @import("fp_half.zig");
const lanes = @import("fp_lanes.zig");
const regs = @import("regs.zig");
const sel = @import("select.zig");
const x86 = @import("../x86.zig");

const Block = abi.RegisterBlock;

pub const ops = struct {
    pub const SDOT = sel.ByQ(Dot(i8, i8, false).Make);
    pub const UDOT = sel.ByQ(Dot(u8, u8, false).Make);
    pub const USDOT = sel.ByQ(Dot(u8, i8, false).Make);
    pub const SDOT_e = sel.ByQ(Dot(i8, i8, true).Make);
    pub const UDOT_e = sel.ByQ(Dot(u8, u8, true).Make);
    pub const USDOT_e = sel.ByQ(Dot(u8, i8, true).Make);
    pub const SUDOT_e = sel.ByQ(Dot(i8, u8, true).Make);
    pub const SMMLA = sel.One(Matrix(i8, i8).run);
    pub const UMMLA = sel.One(Matrix(u8, u8).run);
    pub const USMMLA = sel.One(Matrix(u8, i8).run);
    pub const FCADD = Complex(ComplexAdd);
    pub const FCMLA = Complex(ComplexMultiply);
    pub const FCMLA_e = ComplexElement;
    pub const FMLAL = sel.ByQ(WideningMultiply(false, false, false).Make);
    pub const FMLSL = sel.ByQ(WideningMultiply(true, false, false).Make);
    pub const FMLAL2 = sel.ByQ(WideningMultiply(false, true, false).Make);
    pub const FMLSL2 = sel.ByQ(WideningMultiply(true, true, false).Make);
    pub const FMLAL_e = sel.ByQ(WideningMultiply(false, false, true).Make);
    pub const FMLSL_e = sel.ByQ(WideningMultiply(true, false, true).Make);
    pub const FMLAL2_e = sel.ByQ(WideningMultiply(false, true, true).Make);
    pub const FMLSL2_e = sel.ByQ(WideningMultiply(true, true, true).Make);
};

/// Four products of bytes for every word of d.
fn Dot(comptime A: type, comptime B: type, comptime indexed: bool) type {
    return struct {
        fn Make(comptime full: bool) type {
            const n = if (full) 4 else 2;
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    const d = regs.fieldD(insn);
                    const a: @Vector(4 * n, i32) = regs.get(@Vector(4 * n, A), r, regs.fieldN(insn));
                    const b: @Vector(4 * n, i32) = if (indexed)
                        @as(@Vector(4 * n, B), @bitCast(@as(@Vector(n, u32), @splat(by_element.element(u32, r, insn)))))
                    else
                        regs.get(@Vector(4 * n, B), r, regs.fieldM(insn));
                    const p = a *% b;
                    var sum = regs.get(@Vector(n, i32), r, d);
                    inline for (0..4) |part| {
                        comptime var order: [n]i32 = undefined;
                        inline for (0..n) |i| order[i] = 4 * i + part;
                        sum +%= @shuffle(i32, p, undefined, order);
                    }
                    regs.set(r, d, sum);
                }
            };
        }
    };
}

/// 2x8 times 8x2 bytes added to 2x2 words.
fn Matrix(comptime A: type, comptime B: type) type {
    return struct {
        fn run(r: *Block, insn: u32) void {
            const d = regs.fieldD(insn);
            const a: [16]A = regs.get([16]A, r, regs.fieldN(insn));
            const b: [16]B = regs.get([16]B, r, regs.fieldM(insn));
            var sum: [4]i32 = regs.get([4]i32, r, d);
            inline for (0..2) |i| {
                inline for (0..2) |j| {
                    const row: @Vector(8, i32) = @as(@Vector(8, A), a[8 * i ..][0..8].*);
                    const column: @Vector(8, i32) = @as(@Vector(8, B), b[8 * j ..][0..8].*);
                    sum[2 * i + j] +%= @reduce(.Add, row *% column);
                }
            }
            regs.set(r, d, @as(@Vector(4, i32), sum));
        }
    };
}

/// By size: halves, singles, doubles.
fn Complex(comptime Make: fn (comptime S: type) type) type {
    return struct {
        pub fn select(comptime S: type, insn: u32) ?S.H {
            return switch ((insn >> 30 & 1) << 2 | regs.bits(insn, 23, 22)) {
                1 => S.of(Make(lanes.Shape(f16, 4)).run),
                2 => S.of(Make(lanes.Shape(f32, 2)).run),
                5 => S.of(Make(lanes.Shape(f16, 8)).run),
                6 => S.of(Make(lanes.Shape(f32, 4)).run),
                7 => S.of(Make(lanes.Shape(f64, 2)).run),
                else => null,
            };
        }
    };
}

/// The imaginary part in place of the real one (`first` 1) or the other way round, or (null) both parts swapped.
inline fn parts(comptime S: type, v: S.Bits, comptime first: ?u1) S.Bits {
    comptime var order: [S.physical]i32 = undefined;
    inline for (0..S.physical) |i| order[i] = if (first) |one| i & ~@as(usize, 1) | one else i ^ 1;
    return @shuffle(S.Int, v, undefined, order);
}

/// The sign bits of the real parts or (1) of the imaginary ones, of lanes that exist.
inline fn signs(comptime S: type, comptime of: u1) S.Bits {
    comptime var all: [S.physical]S.Int = @splat(0);
    inline for (0..S.lanes) |i| if (i & 1 == of) {
        all[i] = 1 << (@bitSizeOf(S.T) - 1);
    };
    return all;
}

/// FCADD: n plus m turned by 90 or 270 degrees.
fn ComplexAdd(comptime S: type) type {
    return struct {
        pub fn run(r: *Block, insn: u32) void {
            const by_270 = regs.bits(insn, 12, 12) != 0;
            const m = parts(S, S.get(r, regs.fieldM(insn)), null) ^ (if (by_270) signs(S, 1) else signs(S, 0));
            lanes.apply2(S, .add, r, regs.fieldD(insn), S.get(r, regs.fieldN(insn)), m);
        }
    };
}

/// d plus one of the two halves of a complex product.
inline fn complexMultiply(comptime S: type, r: *Block, d: usize, n: S.Bits, m: S.Bits, rotation: u32) void {
    const odd = rotation & 1 != 0;
    const a = if (odd) parts(S, n, 1) else parts(S, n, 0);
    const turned = if (odd) parts(S, m, null) else m;
    const none: S.Bits = @splat(0);
    const real = if (rotation == 1 or rotation == 2) signs(S, 0) else none;
    const imaginary = if (rotation & 2 != 0) signs(S, 1) else none;
    lanes.apply3(S, .add, r, d, S.get(r, d), a, turned ^ real ^ imaginary);
}

fn ComplexMultiply(comptime S: type) type {
    return struct {
        pub fn run(r: *Block, insn: u32) void {
            const n = S.get(r, regs.fieldN(insn));
            complexMultiply(S, r, regs.fieldD(insn), n, S.get(r, regs.fieldM(insn)), regs.bits(insn, 12, 11));
        }
    };
}

/// FCMLA by a complex element: halves H:L, singles H.
const ComplexElement = struct {
    pub fn select(comptime S: type, insn: u32) ?S.H {
        const l = regs.bits(insn, 21, 21);
        const h = regs.bits(insn, 11, 11);
        return switch ((insn >> 30 & 1) << 2 | regs.bits(insn, 23, 22)) {
            1 => if (h != 0) null else S.of(halves(4)),
            5 => S.of(halves(8)),
            6 => if (l != 0) null else S.of(singles),
            else => null,
        };
    }

    fn halves(comptime count: u32) sel.Fn {
        return struct {
            fn run(r: *Block, insn: u32) void {
                const S = lanes.Shape(f16, count);
                const index = regs.bits(insn, 11, 11) << 1 | regs.bits(insn, 21, 21);
                const pair: u64 = lanes.lane(r.v[regs.fieldM(insn)], 32 * index, 32);
                const m = pair | pair << 32;
                const n = S.get(r, regs.fieldN(insn));
                complexMultiply(S, r, regs.fieldD(insn), n, @bitCast(regs.U64x2{ m, if (S.full) m else 0 }), regs.bits(insn, 14, 13));
            }
        }.run;
    }

    fn singles(r: *Block, insn: u32) void {
        const S = lanes.Shape(f32, 4);
        const pair: regs.U64x2 = @splat(r.v[regs.fieldM(insn)][regs.bits(insn, 11, 11)]);
        complexMultiply(S, r, regs.fieldD(insn), S.get(r, regs.fieldN(insn)), @bitCast(pair), regs.bits(insn, 14, 13));
    }
};

/// FMLAL and FMLSL: singles plus products of halves, taken from the low or upper part of the sources.
fn WideningMultiply(comptime subtract: bool, comptime upper: bool, comptime indexed: bool) type {
    return struct {
        fn Make(comptime full: bool) type {
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    if (fast(r, insn)) |x| return lanes.Shape(f32, if (full) 4 else 2).set(r, regs.fieldD(insn), x);
                    wideningMultiply(r, insn, subtract, upper, indexed, full);
                }

                /// The halves are exact as singles.
                inline fn fast(r: *Block, insn: u32) ?@Vector(4, u32) {
                    if (!fp.hasFused() or !x86.features.f16c or r.fpcr & ~@as(u32, 3 << 22) != 0) return null;
                    const n: [4]u32 = @bitCast(r.v[regs.fieldN(insn)]);
                    const m: [4]u32 = @bitCast(r.v[regs.fieldM(insn)]);
                    const a = if (full) r.v[regs.fieldN(insn)][@intFromBool(upper)] else n[@intFromBool(upper)];
                    const b: u64 = if (indexed)
                        @as(u64, by_element.element(u16, r, insn)) * (if (full) 0x1_0001_0001_0001 else 0x1_0001)
                    else if (full) r.v[regs.fieldM(insn)][@intFromBool(upper)] else m[@intFromBool(upper)];
                    const c: @Vector(4, f32) = @bitCast(regs.getQ(@Vector(4, u32), full, r, regs.fieldD(insn)));
                    const x = fp.fused(@Vector(4, f32), if (subtract) .sub else .add, c, half.widen(a), half.widen(b));
                    const edge: @Vector(4, f32) = @splat(std.math.floatMin(f32));
                    return if (@reduce(.Or, x != x) or @reduce(.Or, @abs(x) == edge)) null else @bitCast(x);
                }
            };
        }
    };
}

noinline fn wideningMultiply(r: *Block, insn: u32, subtract: bool, upper: bool, indexed: bool, full: bool) void {
    const d = regs.fieldD(insn);
    const count: u32 = if (full) 4 else 2;
    const first: u32 = if (upper) count else 0;
    var e: core.Env = .init(r.fpcr, &core.single);
    const n = r.v[regs.fieldN(insn)];
    const m = r.v[if (indexed) regs.bits(insn, 19, 16) else regs.fieldM(insn)];
    const index = regs.bits(insn, 11, 11) << 2 | regs.bits(insn, 21, 20);
    var out: [2]u64 = .{ 0, 0 };
    for (0..count) |lane_index| {
        const i: u32 = @intCast(lane_index);
        const a = lanes.lane(n, 16 * (first + i), 16) ^ (if (subtract) core.half.signBit() else 0);
        const b = lanes.lane(m, 16 * (if (indexed) index else first + i), 16);
        const at = 32 * i;
        out[at >> 6] |= mulAddHalf(&e, r.fpcr, lanes.lane(r.v[d], at, 32), a, b) << @intCast(at & 63);
    }
    r.fpsr |= e.flags;
    regs.set(r, d, @as(regs.U64x2, out));
}

/// FPMulAddH: the halves are exact as singles, so the single operation rounds once; only FZ16 and NaNs need care.
fn mulAddHalf(e: *core.Env, fpcr: u32, addend: u64, a: u64, b: u64) u64 {
    return core.fma(e, addend, widen(fpcr, a), widen(fpcr, b));
}

/// A half as a single, a signalling NaN staying one.
fn widen(fpcr: u32, bits: u64) u64 {
    const exp = bits >> 10 & 31;
    const frac = bits & 0x3ff;
    const sign = bits >> 15 << 31;
    if (exp == 31) return sign | 0x7f80_0000 | frac << 13;
    if (exp == 0) {
        if (frac == 0 or fpcr & core.fpcr_fz16 != 0) return sign;
        var e: core.Env = .{ .fmt = &core.half, .round = .even, .fz = false, .dn = false };
        const n = e.unpack(bits);
        e.fmt = &core.single;
        return e.packNum(n);
    }
    return sign | (exp + 112) << 23 | frac << 13;
}
