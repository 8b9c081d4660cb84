//! Scalar floating-point data processing: moves, arithmetic, comparisons, selection, rounding to integral.

const abi = @import("../../abi.zig");
const core = @import("fp_core.zig");
const fp = @import("fp.zig");
const lanes = @import("fp_lanes.zig");
const regs = @import("regs.zig");
const sel = @import("select.zig");

const Block = abi.RegisterBlock;

pub const ops = struct {
    pub const FMOV_reg = sel.ByFtype(Move);
    pub const FABS = sel.ByFtype(Abs);
    pub const FNEG = sel.ByFtype(Negate);
    pub const FSQRT = sel.ByFtype(Sqrt);
    pub const FMUL = Binary(.mul);
    pub const FDIV = Binary(.div);
    pub const FADD = Binary(.add);
    pub const FSUB = Binary(.sub);
    pub const FMAX = Binary(.max);
    pub const FMIN = Binary(.min);
    pub const FMAXNM = Binary(.maxnm);
    pub const FMINNM = Binary(.minnm);
    pub const FNMUL = Binary(.nmul);
    pub const FMADD = Fused(.add);
    pub const FMSUB = Fused(.sub);
    pub const FNMADD = Fused(.neg_add);
    pub const FNMSUB = Fused(.neg_sub);
    pub const FCMP = Compare(false, false);
    pub const FCMPE = Compare(true, false);
    pub const FCMP_zero = Compare(false, true);
    pub const FCMPE_zero = Compare(true, true);
    pub const FCCMP = ConditionalCompare(false);
    pub const FCCMPE = ConditionalCompare(true);
    pub const FCSEL = sel.ByFtype(Select);
    pub const FMOV_imm = sel.ByFtype(Immediate);
    pub const FRINTN = Integral(.even, false);
    pub const FRINTP = Integral(.up, false);
    pub const FRINTM = Integral(.down, false);
    pub const FRINTZ = Integral(.zero, false);
    pub const FRINTA = Integral(.away, false);
    pub const FRINTX = Integral(null, true);
    pub const FRINTI = Integral(null, false);
    pub const FRINT32Z = BoundedIntegral(.zero, 32);
    pub const FRINT32X = BoundedIntegral(null, 32);
    pub const FRINT64Z = BoundedIntegral(.zero, 64);
    pub const FRINT64X = BoundedIntegral(null, 64);
};

fn Bits(comptime T: type) type {
    return @Int(.unsigned, @bitSizeOf(T));
}

fn signOf(comptime T: type) Bits(T) {
    return @as(Bits(T), 1) << (@bitSizeOf(T) - 1);
}

fn Move(comptime T: type) type {
    return struct {
        pub fn run(r: *Block, insn: u32) void {
            regs.set(r, regs.fieldD(insn), regs.get(Bits(T), r, regs.fieldN(insn)));
        }
    };
}

fn Abs(comptime T: type) type {
    return struct {
        pub fn run(r: *Block, insn: u32) void {
            regs.set(r, regs.fieldD(insn), regs.get(Bits(T), r, regs.fieldN(insn)) & ~signOf(T));
        }
    };
}

fn Negate(comptime T: type) type {
    return struct {
        pub fn run(r: *Block, insn: u32) void {
            regs.set(r, regs.fieldD(insn), regs.get(Bits(T), r, regs.fieldN(insn)) ^ signOf(T));
        }
    };
}

fn Sqrt(comptime T: type) type {
    const S = lanes.Shape(T, 1);
    return struct {
        pub fn run(r: *Block, insn: u32) void {
            lanes.applySqrt(S, r, regs.fieldD(insn), S.get(r, regs.fieldN(insn)));
        }
    };
}

fn Binary(comptime op: lanes.Op2) type {
    return sel.ByFtype(struct {
        fn Make(comptime T: type) type {
            const S = lanes.Shape(T, 1);
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    lanes.apply2(S, op, r, regs.fieldD(insn), S.get(r, regs.fieldN(insn)), S.get(r, regs.fieldM(insn)));
                }
            };
        }
    }.Make);
}

fn Fused(comptime kind: fp.FmaKind) type {
    return sel.ByFtype(struct {
        fn Make(comptime T: type) type {
            const S = lanes.Shape(T, 1);
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    const a = S.get(r, regs.fieldN(insn));
                    const b = S.get(r, regs.fieldM(insn));
                    lanes.apply3(S, kind, r, regs.fieldD(insn), S.get(r, regs.fieldA(insn)), a, b);
                }
            };
        }
    }.Make);
}

/// NZCV of a comparison; NaNs and unusual modes take the exact path.
inline fn compareFlags(comptime T: type, comptime signal: bool, r: *Block, a: Bits(T), b: Bits(T)) u32 {
    const S = lanes.Shape(T, 1);
    if (S.hard and lanes.usual(S, .operands, r, .{a}, .{b}, .{a})) {
        const x: T = @bitCast(a);
        const y: T = @bitCast(b);
        if (x == y) return 0b0110;
        if (x < y) return 0b1000;
        if (x > y) return 0b0010;
    }
    return slowCompare(r, core.formatOf(T), a, b, signal);
}

noinline fn slowCompare(r: *Block, fmt: *const core.Format, a: u64, b: u64, signal: bool) u32 {
    var e: core.Env = .init(r.fpcr, fmt);
    const flags = core.compare(&e, a, b, signal);
    r.fpsr |= e.flags;
    return flags;
}

fn Compare(comptime signal: bool, comptime with_zero: bool) type {
    return sel.ByFtype(struct {
        fn Make(comptime T: type) type {
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    const a = regs.get(Bits(T), r, regs.fieldN(insn));
                    const b = if (with_zero) 0 else regs.get(Bits(T), r, regs.fieldM(insn));
                    regs.setNzcv(r, compareFlags(T, signal, r, a, b));
                }
            };
        }
    }.Make);
}

fn ConditionalCompare(comptime signal: bool) type {
    return sel.ByFtype(struct {
        fn Make(comptime T: type) type {
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    if (!regs.holds(r, regs.bits(insn, 15, 12))) return regs.setNzcv(r, insn & 15);
                    const a = regs.get(Bits(T), r, regs.fieldN(insn));
                    const b = regs.get(Bits(T), r, regs.fieldM(insn));
                    regs.setNzcv(r, compareFlags(T, signal, r, a, b));
                }
            };
        }
    }.Make);
}

fn Select(comptime T: type) type {
    return struct {
        pub fn run(r: *Block, insn: u32) void {
            const from = if (regs.holds(r, regs.bits(insn, 15, 12))) regs.fieldN(insn) else regs.fieldM(insn);
            regs.set(r, regs.fieldD(insn), regs.get(Bits(T), r, from));
        }
    };
}

/// VFPExpandImm
pub fn expandImmediate(fmt: *const core.Format, imm: u32) u64 {
    const exp_bits: u6 = fmt.expBits();
    const b: u64 = imm >> 6 & 1;
    const high = (b ^ 1) << (exp_bits - 1) | (if (b == 1) (@as(u64, 1) << (exp_bits - 1)) - 4 else 0);
    const exp = high | (imm >> 4 & 3);
    return fmt.zero(imm >> 7 & 1 != 0) | exp << fmt.frac | @as(u64, imm & 15) << (fmt.frac - 4);
}

fn Immediate(comptime T: type) type {
    return struct {
        pub fn run(r: *Block, insn: u32) void {
            const value: Bits(T) = @truncate(expandImmediate(core.formatOf(T), regs.bits(insn, 20, 13)));
            regs.set(r, regs.fieldD(insn), value);
        }
    };
}

/// FRINTx; `mode` null means FPCR's.
fn Integral(comptime mode: ?core.Round, comptime exact: bool) type {
    return sel.ByFtype(struct {
        fn Make(comptime T: type) type {
            const S = lanes.Shape(T, 1);
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    lanes.applyIntegral(S, mode, exact, r, regs.fieldD(insn), S.get(r, regs.fieldN(insn)));
                }
            };
        }
    }.Make);
}

/// FRINT32x and FRINT64x: only single and double.
fn BoundedIntegral(comptime mode: ?core.Round, comptime width: u7) type {
    return struct {
        pub fn select(comptime S: type, insn: u32) ?S.H {
            return switch (regs.bits(insn, 23, 22)) {
                0 => S.of(Run(f32).run),
                1 => S.of(Run(f64).run),
                else => null,
            };
        }

        fn Run(comptime T: type) type {
            const S = lanes.Shape(T, 1);
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    lanes.apply1(S, lanes.boundedIntegral(mode, width), r, regs.fieldD(insn), S.get(r, regs.fieldN(insn)));
                }
            };
        }
    };
}
