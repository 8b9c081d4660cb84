//! Small extensions of Advanced SIMD: dot products (DotProd, I8MM), complex arithmetic (FCMA), widening half-precision
//! multiply-add (FHM).

const std = @import("std");
const abi = @import("../../abi.zig");
const by_element = @import("by_element.zig");
const core = @import("fp_core.zig");
const lanes = @import("fp_lanes.zig");
const number = @import("fp_number.zig");
const regs = @import("regs.zig");
const sel = @import("select.zig");

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

/// By size: halves, singles, doubles; `run(block, insn, format, lanes)`.
fn Complex(comptime Op: type) type {
    return struct {
        pub fn select(comptime S: type, insn: u32) ?S.H {
            return switch ((insn >> 30 & 1) << 2 | regs.bits(insn, 23, 22)) {
                1 => S.of(Of(&core.half, 4).run),
                2 => S.of(Of(&core.single, 2).run),
                5 => S.of(Of(&core.half, 8).run),
                6 => S.of(Of(&core.single, 4).run),
                7 => S.of(Of(&core.double, 2).run),
                else => null,
            };
        }

        fn Of(comptime fmt: *const core.Format, comptime count: u32) type {
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    Op.run(r, insn, fmt, count);
                }
            };
        }
    };
}

const Lanes = struct {
    fmt: *const core.Format,
    words: [2]u64,

    fn get(l: *const Lanes, i: u32) u64 {
        return lanes.lane(l.words, i * l.fmt.width, l.fmt.width);
    }

    fn put(l: *Lanes, i: u32, x: u64) void {
        const at = i * l.fmt.width;
        l.words[at >> 6] |= x << @intCast(at & 63);
    }
};

/// FCADD: n plus m turned by 90 or 270 degrees.
const ComplexAdd = struct {
    noinline fn run(r: *Block, insn: u32, fmt: *const core.Format, count: u32) void {
        var e: core.Env = .init(r.fpcr, fmt);
        const n: Lanes = .{ .fmt = fmt, .words = r.v[regs.fieldN(insn)] };
        const m: Lanes = .{ .fmt = fmt, .words = r.v[regs.fieldM(insn)] };
        var out: Lanes = .{ .fmt = fmt, .words = .{ 0, 0 } };
        const by_270 = regs.bits(insn, 12, 12) != 0;
        var i: u32 = 0;
        while (i < count) : (i += 2) {
            const imaginary = m.get(i + 1) ^ (if (by_270) 0 else fmt.signBit());
            const real = m.get(i) ^ (if (by_270) fmt.signBit() else 0);
            out.put(i, core.add(&e, n.get(i), imaginary));
            out.put(i + 1, core.add(&e, n.get(i + 1), real));
        }
        r.fpsr |= e.flags;
        regs.set(r, regs.fieldD(insn), @as(regs.U64x2, out.words));
    }
};

fn complexMultiply(r: *Block, d: usize, n_words: [2]u64, m_words: [2]u64, fmt: *const core.Format, count: u32, rotation: u32) void {
    var e: core.Env = .init(r.fpcr, fmt);
    const n: Lanes = .{ .fmt = fmt, .words = n_words };
    const m: Lanes = .{ .fmt = fmt, .words = m_words };
    const old: Lanes = .{ .fmt = fmt, .words = r.v[d] };
    var out: Lanes = .{ .fmt = fmt, .words = .{ 0, 0 } };
    const odd = rotation & 1;
    const negate_real: u64 = if (rotation == 1 or rotation == 2) fmt.signBit() else 0;
    const negate_imaginary: u64 = if (rotation == 2 or rotation == 3) fmt.signBit() else 0;
    var i: u32 = 0;
    while (i < count) : (i += 2) {
        const a = n.get(i + odd);
        const real = m.get(i + odd) ^ negate_real;
        const imaginary = m.get(i + 1 - odd) ^ negate_imaginary;
        out.put(i, core.fma(&e, old.get(i), a, real));
        out.put(i + 1, core.fma(&e, old.get(i + 1), a, imaginary));
    }
    r.fpsr |= e.flags;
    regs.set(r, d, @as(regs.U64x2, out.words));
}

/// FCMLA: one of the two halves of a complex product.
const ComplexMultiply = struct {
    noinline fn run(r: *Block, insn: u32, fmt: *const core.Format, count: u32) void {
        const n = r.v[regs.fieldN(insn)];
        const m = r.v[regs.fieldM(insn)];
        complexMultiply(r, regs.fieldD(insn), n, m, fmt, count, regs.bits(insn, 12, 11));
    }
};

/// FCMLA by a complex element: halves H:L, singles H.
const ComplexElement = struct {
    pub fn select(comptime S: type, insn: u32) ?S.H {
        const l = regs.bits(insn, 21, 21);
        const h = regs.bits(insn, 11, 11);
        return switch ((insn >> 30 & 1) << 2 | regs.bits(insn, 23, 22)) {
            1 => if (h != 0) null else S.of(halves4),
            5 => S.of(halves8),
            6 => if (l != 0) null else S.of(singles),
            else => null,
        };
    }

    fn halves4(r: *Block, insn: u32) void {
        halves(r, insn, 4);
    }

    fn halves8(r: *Block, insn: u32) void {
        halves(r, insn, 8);
    }

    fn halves(r: *Block, insn: u32, count: u32) void {
        const index = regs.bits(insn, 11, 11) << 1 | regs.bits(insn, 21, 21);
        const pair: u64 = lanes.lane(r.v[regs.fieldM(insn)], 32 * index, 32);
        const m = pair | pair << 32;
        const n = r.v[regs.fieldN(insn)];
        complexMultiply(r, regs.fieldD(insn), n, .{ m, m }, &core.half, count, regs.bits(insn, 14, 13));
    }

    fn singles(r: *Block, insn: u32) void {
        const pair = r.v[regs.fieldM(insn)][regs.bits(insn, 11, 11)];
        const n = r.v[regs.fieldN(insn)];
        complexMultiply(r, regs.fieldD(insn), n, .{ pair, pair }, &core.single, 4, regs.bits(insn, 14, 13));
    }
};

/// FMLAL and FMLSL: singles plus products of halves, taken from the low or upper part of the sources.
fn WideningMultiply(comptime subtract: bool, comptime upper: bool, comptime indexed: bool) type {
    return struct {
        fn Make(comptime full: bool) type {
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    wideningMultiply(r, insn, subtract, upper, indexed, full);
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
