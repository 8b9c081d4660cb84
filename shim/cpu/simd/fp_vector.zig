//! Advanced SIMD floating point: three same (vector and scalar), two-register miscellaneous arithmetic and
//! comparisons with zero, for single, double and half precision.

const abi = @import("../../abi.zig");
const core = @import("fp_core.zig");
const number = @import("fp_number.zig");
const fp = @import("fp.zig");
const lanes = @import("fp_lanes.zig");
const regs = @import("regs.zig");
const sel = @import("select.zig");

const Block = abi.RegisterBlock;

pub const ops = struct {
    pub const FADD_v = Three(.add);
    pub const FSUB_v = Three(.sub);
    pub const FMUL_v = Three(.mul);
    pub const FDIV_v = Three(.div);
    pub const FMULX_v = Three(.mulx);
    pub const FABD_v = Three(.abd);
    pub const FMAX_v = Three(.max);
    pub const FMIN_v = Three(.min);
    pub const FMAXNM_v = Three(.maxnm);
    pub const FMINNM_v = Three(.minnm);
    pub const FRECPS_v = Three(.recps);
    pub const FRSQRTS_v = Three(.rsqrts);
    pub const FCMEQ_v = Three(.eq);
    pub const FCMGE_v = Three(.ge);
    pub const FCMGT_v = Three(.gt);
    pub const FACGE_v = Three(.age);
    pub const FACGT_v = Three(.agt);
    pub const FMLA_v = Vector(Accumulate(.add).Make);
    pub const FMLS_v = Vector(Accumulate(.sub).Make);
    pub const FADDP_v = Vector(Pairwise(.add).Make);
    pub const FMAXP_v = Vector(Pairwise(.max).Make);
    pub const FMINP_v = Vector(Pairwise(.min).Make);
    pub const FMAXNMP_v = Vector(Pairwise(.maxnm).Make);
    pub const FMINNMP_v = Vector(Pairwise(.minnm).Make);

    pub const FADD_vh = ThreeHalf(.add);
    pub const FSUB_vh = ThreeHalf(.sub);
    pub const FMUL_vh = ThreeHalf(.mul);
    pub const FDIV_vh = ThreeHalf(.div);
    pub const FMULX_vh = ThreeHalf(.mulx);
    pub const FABD_vh = ThreeHalf(.abd);
    pub const FMAX_vh = ThreeHalf(.max);
    pub const FMIN_vh = ThreeHalf(.min);
    pub const FMAXNM_vh = ThreeHalf(.maxnm);
    pub const FMINNM_vh = ThreeHalf(.minnm);
    pub const FRECPS_vh = ThreeHalf(.recps);
    pub const FRSQRTS_vh = ThreeHalf(.rsqrts);
    pub const FCMEQ_vh = ThreeHalf(.eq);
    pub const FCMGE_vh = ThreeHalf(.ge);
    pub const FCMGT_vh = ThreeHalf(.gt);
    pub const FACGE_vh = ThreeHalf(.age);
    pub const FACGT_vh = ThreeHalf(.agt);
    pub const FMLA_vh = Halves(Accumulate(.add).Make);
    pub const FMLS_vh = Halves(Accumulate(.sub).Make);
    pub const FADDP_vh = Halves(Pairwise(.add).Make);
    pub const FMAXP_vh = Halves(Pairwise(.max).Make);
    pub const FMINP_vh = Halves(Pairwise(.min).Make);
    pub const FMAXNMP_vh = Halves(Pairwise(.maxnm).Make);
    pub const FMINNMP_vh = Halves(Pairwise(.minnm).Make);

    pub const FMULX_s = Scalar(Binary(.mulx).Make);
    pub const FABD_s = Scalar(Binary(.abd).Make);
    pub const FRECPS_s = Scalar(Binary(.recps).Make);
    pub const FRSQRTS_s = Scalar(Binary(.rsqrts).Make);
    pub const FCMEQ_s = Scalar(Binary(.eq).Make);
    pub const FCMGE_s = Scalar(Binary(.ge).Make);
    pub const FCMGT_s = Scalar(Binary(.gt).Make);
    pub const FACGE_s = Scalar(Binary(.age).Make);
    pub const FACGT_s = Scalar(Binary(.agt).Make);
    pub const FMULX_sh = One(Binary(.mulx).Make);
    pub const FABD_sh = One(Binary(.abd).Make);
    pub const FRECPS_sh = One(Binary(.recps).Make);
    pub const FRSQRTS_sh = One(Binary(.rsqrts).Make);
    pub const FCMEQ_sh = One(Binary(.eq).Make);
    pub const FCMGE_sh = One(Binary(.ge).Make);
    pub const FCMGT_sh = One(Binary(.gt).Make);
    pub const FACGE_sh = One(Binary(.age).Make);
    pub const FACGT_sh = One(Binary(.agt).Make);

    pub const FCMGT_zero_v = Vector(Zero(.gt, false).Make);
    pub const FCMGE_zero_v = Vector(Zero(.ge, false).Make);
    pub const FCMEQ_zero_v = Vector(Zero(.eq, false).Make);
    pub const FCMLT_zero_v = Vector(Zero(.gt, true).Make);
    pub const FCMLE_zero_v = Vector(Zero(.ge, true).Make);
    pub const FCMGT_zero_vh = Halves(Zero(.gt, false).Make);
    pub const FCMGE_zero_vh = Halves(Zero(.ge, false).Make);
    pub const FCMEQ_zero_vh = Halves(Zero(.eq, false).Make);
    pub const FCMLT_zero_vh = Halves(Zero(.gt, true).Make);
    pub const FCMLE_zero_vh = Halves(Zero(.ge, true).Make);
    pub const FCMGT_zero_s = Scalar(Zero(.gt, false).Make);
    pub const FCMGE_zero_s = Scalar(Zero(.ge, false).Make);
    pub const FCMEQ_zero_s = Scalar(Zero(.eq, false).Make);
    pub const FCMLT_zero_s = Scalar(Zero(.gt, true).Make);
    pub const FCMLE_zero_s = Scalar(Zero(.ge, true).Make);
    pub const FCMGT_zero_sh = One(Zero(.gt, false).Make);
    pub const FCMGE_zero_sh = One(Zero(.ge, false).Make);
    pub const FCMEQ_zero_sh = One(Zero(.eq, false).Make);
    pub const FCMLT_zero_sh = One(Zero(.gt, true).Make);
    pub const FCMLE_zero_sh = One(Zero(.ge, true).Make);

    pub const FABS_v = Vector(SignBit(.clear).Make);
    pub const FNEG_v = Vector(SignBit(.flip).Make);
    pub const FABS_vh = Halves(SignBit(.clear).Make);
    pub const FNEG_vh = Halves(SignBit(.flip).Make);
    pub const FSQRT_v = Vector(Sqrt);
    pub const FSQRT_vh = Halves(Sqrt);

    pub const FRINTN_v = Vector(Integral(.even, false).Make);
    pub const FRINTP_v = Vector(Integral(.up, false).Make);
    pub const FRINTM_v = Vector(Integral(.down, false).Make);
    pub const FRINTZ_v = Vector(Integral(.zero, false).Make);
    pub const FRINTA_v = Vector(Integral(.away, false).Make);
    pub const FRINTX_v = Vector(Integral(null, true).Make);
    pub const FRINTI_v = Vector(Integral(null, false).Make);
    pub const FRINTN_vh = Halves(Integral(.even, false).Make);
    pub const FRINTP_vh = Halves(Integral(.up, false).Make);
    pub const FRINTM_vh = Halves(Integral(.down, false).Make);
    pub const FRINTZ_vh = Halves(Integral(.zero, false).Make);
    pub const FRINTA_vh = Halves(Integral(.away, false).Make);
    pub const FRINTX_vh = Halves(Integral(null, true).Make);
    pub const FRINTI_vh = Halves(Integral(null, false).Make);
    pub const FRINT32Z_v = Vector(Exact(lanes.boundedIntegral(.zero, 32)).Make);
    pub const FRINT32X_v = Vector(Exact(lanes.boundedIntegral(null, 32)).Make);
    pub const FRINT64Z_v = Vector(Exact(lanes.boundedIntegral(.zero, 64)).Make);
    pub const FRINT64X_v = Vector(Exact(lanes.boundedIntegral(null, 64)).Make);

    pub const FRECPE_v = Vector(Reciprocal);
    pub const FRECPE_vh = Halves(Reciprocal);
    pub const FRECPE_s = Scalar(Reciprocal);
    pub const FRECPE_sh = One(Reciprocal);
    pub const FRSQRTE_v = Vector(Exact(number.rsqrtEstimate).Make);
    pub const FRSQRTE_vh = Halves(Exact(number.rsqrtEstimate).Make);
    pub const FRSQRTE_s = Scalar(Exact(number.rsqrtEstimate).Make);
    pub const FRSQRTE_sh = One(Exact(number.rsqrtEstimate).Make);
    pub const FRECPX_s = Scalar(Exponent);
    pub const FRECPX_sh = One(Exponent);
    pub const URECPE = sel.ByQ(UnsignedEstimate(recipWord).Make);
    pub const URSQRTE = sel.ByQ(UnsignedEstimate(rsqrtWord).Make);
};

/// Two or four singles, two doubles: `Make(Shape).run`.
pub fn Vector(comptime Make: fn (comptime S: type) type) type {
    return struct {
        pub fn select(comptime S: type, insn: u32) ?S.H {
            return switch ((insn >> 30 & 1) << 1 | regs.bits(insn, 22, 22)) {
                0 => S.of(Make(lanes.Shape(f32, 2)).run),
                2 => S.of(Make(lanes.Shape(f32, 4)).run),
                3 => S.of(Make(lanes.Shape(f64, 2)).run),
                else => null,
            };
        }
    };
}

/// Four or eight halves.
pub fn Halves(comptime Make: fn (comptime S: type) type) type {
    return struct {
        pub fn select(comptime S: type, insn: u32) ?S.H {
            return if (insn >> 30 & 1 != 0) S.of(Make(lanes.Shape(f16, 8)).run) else S.of(Make(lanes.Shape(f16, 4)).run);
        }
    };
}

/// One single or double.
pub fn Scalar(comptime Make: fn (comptime S: type) type) type {
    return struct {
        pub fn select(comptime S: type, insn: u32) ?S.H {
            return if (regs.bits(insn, 22, 22) == 0) S.of(Make(lanes.Shape(f32, 1)).run) else S.of(Make(lanes.Shape(f64, 1)).run);
        }
    };
}

/// One half.
pub fn One(comptime Make: fn (comptime S: type) type) type {
    return sel.One(Make(lanes.Shape(f16, 1)).run);
}

fn Three(comptime op: lanes.Op2) type {
    return Vector(Binary(op).Make);
}

fn ThreeHalf(comptime op: lanes.Op2) type {
    return Halves(Binary(op).Make);
}

fn Binary(comptime op: lanes.Op2) type {
    return struct {
        fn Make(comptime S: type) type {
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    lanes.apply2(S, op, r, regs.fieldD(insn), S.get(r, regs.fieldN(insn)), S.get(r, regs.fieldM(insn)));
                }
            };
        }
    };
}

fn Accumulate(comptime kind: fp.FmaKind) type {
    return struct {
        fn Make(comptime S: type) type {
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    const d = regs.fieldD(insn);
                    lanes.apply3(S, kind, r, d, S.get(r, d), S.get(r, regs.fieldN(insn)), S.get(r, regs.fieldM(insn)));
                }
            };
        }
    };
}

/// The pairs of m:n, first members in one vector and second members in the other.
fn Pairwise(comptime op: lanes.Op2) type {
    return struct {
        fn Make(comptime S: type) type {
            const half = S.lanes / 2;
            comptime var masks: [2][S.physical]i32 = @splat(@splat(0));
            inline for (0..2) |part| {
                inline for (0..S.lanes) |i| {
                    const at: i32 = @intCast(2 * (i % half) + part);
                    masks[part][i] = if (i < half) at else ~at;
                }
                // Lanes above a 64-bit vector repeat one of the zeros there.
                inline for (S.lanes..S.physical) |i| masks[part][i] = S.lanes;
            }
            const first = masks[0];
            const second = masks[1];
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    const n = S.get(r, regs.fieldN(insn));
                    const m = S.get(r, regs.fieldM(insn));
                    const a = @shuffle(S.Int, n, m, first);
                    lanes.apply2(S, op, r, regs.fieldD(insn), a, @shuffle(S.Int, n, m, second));
                }
            };
        }
    };
}

/// A comparison with +0, or (`swap`) of +0 with the register.
fn Zero(comptime op: lanes.Op2, comptime swap: bool) type {
    return struct {
        fn Make(comptime S: type) type {
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    const a = S.get(r, regs.fieldN(insn));
                    const zero: S.Bits = @splat(0);
                    lanes.apply2(S, op, r, regs.fieldD(insn), if (swap) zero else a, if (swap) a else zero);
                }
            };
        }
    };
}

const SignChange = enum { clear, flip };

fn SignBit(comptime change: SignChange) type {
    return struct {
        fn Make(comptime S: type) type {
            const sign: S.Bits = @splat(@as(S.Int, 1) << (@bitSizeOf(S.T) - 1));
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    const a = S.get(r, regs.fieldN(insn));
                    S.set(r, regs.fieldD(insn), if (change == .clear) a & ~sign else a ^ sign);
                }
            };
        }
    };
}

fn Sqrt(comptime S: type) type {
    return struct {
        pub fn run(r: *Block, insn: u32) void {
            lanes.applySqrt(S, r, regs.fieldD(insn), S.get(r, regs.fieldN(insn)));
        }
    };
}

fn Integral(comptime mode: ?core.Round, comptime exact: bool) type {
    return struct {
        fn Make(comptime S: type) type {
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    lanes.applyIntegral(S, mode, exact, r, regs.fieldD(insn), S.get(r, regs.fieldN(insn)));
                }
            };
        }
    };
}

/// FRECPE: of normal numbers with normal reciprocals by one table, else lane by lane.
fn Reciprocal(comptime S: type) type {
    const V = @Vector(S.physical, S.Int);
    const bias: S.Int = @intCast(S.fmt.bias());
    return struct {
        pub fn run(r: *Block, insn: u32) void {
            const d = regs.fieldD(insn);
            const a = S.get(r, regs.fieldN(insn));
            if (fast(a)) |x| return S.set(r, d, x);
            lanes.apply1(S, number.recipEstimate, r, d, a);
        }

        inline fn fast(a: S.Bits) ?S.Bits {
            const in: [S.physical]S.Int = a;
            var out: [S.physical]S.Int = @splat(0);
            inline for (0..S.lanes) |i| {
                const exponent = in[i] >> S.fmt.frac & @as(S.Int, @intCast(S.fmt.maxField()));
                if (exponent -% 1 >= 2 * bias - 2) return null;
                const estimate: S.Int = number.recip_table[@as(u8, @truncate(in[i] >> (S.fmt.frac - 8)))];
                const sign = in[i] & @as(S.Int, @intCast(S.fmt.signBit()));
                out[i] = sign | (2 * bias - 1 - exponent) << S.fmt.frac | estimate << (S.fmt.frac - 8);
            }
            return @as(V, out);
        }
    };
}

/// FRECPX: of normal numbers the sign and the inverse of the exponent.
fn Exponent(comptime S: type) type {
    return struct {
        pub fn run(r: *Block, insn: u32) void {
            const d = regs.fieldD(insn);
            const a = S.get(r, regs.fieldN(insn));
            const all: S.Int = @intCast(S.fmt.maxField());
            const exponent = a[0] >> S.fmt.frac & all;
            if (exponent == 0 or exponent == all) return lanes.apply1(S, number.recipExponent, r, d, a);
            regs.set(r, d, (a[0] & @as(S.Int, @intCast(S.fmt.signBit()))) | (~exponent & all) << S.fmt.frac);
        }
    };
}

/// Lane by lane in integers.
fn Exact(comptime f: core.Fn1) type {
    return struct {
        fn Make(comptime S: type) type {
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    lanes.apply1(S, f, r, regs.fieldD(insn), S.get(r, regs.fieldN(insn)));
                }
            };
        }
    };
}

fn recipWord(x: u32) u32 {
    return if (x >> 31 == 0) 0xffff_ffff else number.recipTable(x >> 23) << 23;
}

fn rsqrtWord(x: u32) u32 {
    return if (x >> 30 == 0) 0xffff_ffff else number.rsqrtTable(x >> 23) << 23;
}

/// URECPE and URSQRTE: words only, so `sz` set is reserved by the table's pattern.
fn UnsignedEstimate(comptime f: fn (x: u32) u32) type {
    return struct {
        fn Make(comptime full: bool) type {
            const n = if (full) 4 else 2;
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    var values: [n]u32 = regs.get(@Vector(n, u32), r, regs.fieldN(insn));
                    for (&values) |*v| v.* = f(v.*);
                    regs.set(r, regs.fieldD(insn), @as(@Vector(n, u32), values));
                }
            };
        }
    };
}
