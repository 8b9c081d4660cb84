//! Advanced SIMD vector by indexed element: the second operand is one lane of Vm for every lane of Vn.

const abi = @import("../../abi.zig");
const fp = @import("fp.zig");
const int = @import("int_ops.zig");
const lanes = @import("fp_lanes.zig");
const long = @import("three_diff.zig");
const regs = @import("regs.zig");
const sel = @import("select.zig");

const Block = abi.RegisterBlock;

pub const ops = struct {
    pub const MUL_e = Vector(.unsigned, multiply);
    pub const MLA_e = Vector(.unsigned, multiplyAdd);
    pub const MLS_e = Vector(.unsigned, multiplySub);
    pub const SQDMULH_e = Vector(.signed, doublingHigh);
    pub const SQRDMULH_e = Vector(.signed, roundingDoublingHigh);
    pub const SQRDMLAH_e = Vector(.signed, doublingAdd);
    pub const SQRDMLSH_e = Vector(.signed, doublingSub);
    pub const SQDMULH_es = Scalar(.signed, doublingHigh);
    pub const SQRDMULH_es = Scalar(.signed, roundingDoublingHigh);
    pub const SQRDMLAH_es = Scalar(.signed, doublingAdd);
    pub const SQRDMLSH_es = Scalar(.signed, doublingSub);

    pub const SMULL_e = Long(.signed, long.multiply);
    pub const UMULL_e = Long(.unsigned, long.multiply);
    pub const SMLAL_e = Long(.signed, long.multiplyAdd);
    pub const UMLAL_e = Long(.unsigned, long.multiplyAdd);
    pub const SMLSL_e = Long(.signed, long.multiplySub);
    pub const UMLSL_e = Long(.unsigned, long.multiplySub);
    pub const SQDMULL_e = Long(.signed, long.doubling);
    pub const SQDMLAL_e = Long(.signed, long.doublingAdd);
    pub const SQDMLSL_e = Long(.signed, long.doublingSub);
    pub const SQDMULL_es = LongScalar(long.doubling);
    pub const SQDMLAL_es = LongScalar(long.doublingAdd);
    pub const SQDMLSL_es = LongScalar(long.doublingSub);

    pub const FMUL_e = Float(Product(.mul).Make);
    pub const FMULX_e = Float(Product(.mulx).Make);
    pub const FMLA_e = Float(Accumulate(.add).Make);
    pub const FMLS_e = Float(Accumulate(.sub).Make);
    pub const FMUL_eh = FloatHalf(Product(.mul).Make);
    pub const FMULX_eh = FloatHalf(Product(.mulx).Make);
    pub const FMLA_eh = FloatHalf(Accumulate(.add).Make);
    pub const FMLS_eh = FloatHalf(Accumulate(.sub).Make);
    pub const FMUL_es = FloatScalar(Product(.mul).Make);
    pub const FMULX_es = FloatScalar(Product(.mulx).Make);
    pub const FMLA_es = FloatScalar(Accumulate(.add).Make);
    pub const FMLS_es = FloatScalar(Accumulate(.sub).Make);
    pub const FMUL_esh = sel.One(Product(.mul).Make(lanes.Shape(f16, 1)).run);
    pub const FMULX_esh = sel.One(Product(.mulx).Make(lanes.Shape(f16, 1)).run);
    pub const FMLA_esh = sel.One(Accumulate(.add).Make(lanes.Shape(f16, 1)).run);
    pub const FMLS_esh = sel.One(Accumulate(.sub).Make(lanes.Shape(f16, 1)).run);
};

/// The indexed lane: halfwords H:L:M of V0-V15, words H:L, doublewords H.
pub inline fn element(comptime T: type, r: *const Block, insn: u32) T {
    const h = regs.bits(insn, 11, 11);
    const l = regs.bits(insn, 21, 21);
    const m = regs.bits(insn, 20, 20);
    const index = switch (@bitSizeOf(T)) {
        16 => h << 2 | l << 1 | m,
        32 => h << 1 | l,
        64 => h,
        else => unreachable,
    };
    const register = if (@bitSizeOf(T) == 16) regs.bits(insn, 19, 16) else regs.bits(insn, 20, 16);
    const all: *align(16) const [128 / @bitSizeOf(T)]T = @ptrCast(&r.v[register]);
    return all[index];
}

/// `f(V, block, old d, n, m)` on halfwords and words.
fn Vector(comptime sign: sel.Sign, comptime f: anytype) type {
    return sel.BySize(sign, 1, 2, Apply(f));
}

fn Scalar(comptime sign: sel.Sign, comptime f: anytype) type {
    return sel.BySizeScalar(sign, 1, 2, Apply(f));
}

fn Apply(comptime f: anytype) fn (comptime V: type) type {
    return struct {
        fn Make(comptime V: type) type {
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    const d = regs.fieldD(insn);
                    const b: V = @splat(element(int.Child(V), r, insn));
                    regs.set(r, d, f(V, r, regs.get(V, r, d), regs.get(V, r, regs.fieldN(insn)), b));
                }
            };
        }
    }.Make;
}

inline fn multiply(comptime V: type, _: *Block, _: V, a: V, b: V) V {
    return a *% b;
}

inline fn multiplyAdd(comptime V: type, _: *Block, d: V, a: V, b: V) V {
    return d +% a *% b;
}

inline fn multiplySub(comptime V: type, _: *Block, d: V, a: V, b: V) V {
    return d -% a *% b;
}

inline fn doublingHigh(comptime V: type, r: *Block, _: V, a: V, b: V) V {
    return int.saturate(int.Child(V), r, int.doublingHigh(V, a, b, false));
}

inline fn roundingDoublingHigh(comptime V: type, r: *Block, _: V, a: V, b: V) V {
    return int.saturate(int.Child(V), r, int.doublingHigh(V, a, b, true));
}

inline fn doublingAdd(comptime V: type, r: *Block, d: V, a: V, b: V) V {
    return int.saturate(int.Child(V), r, int.doublingAccumulate(V, d, a, b, false));
}

inline fn doublingSub(comptime V: type, r: *Block, d: V, a: V, b: V) V {
    return int.saturate(int.Child(V), r, int.doublingAccumulate(V, d, a, b, true));
}

fn Long(comptime sign: sel.Sign, comptime f: anytype) type {
    return long.ByHalf(sign, 1, struct {
        fn Make(comptime V: type, comptime high: bool) type {
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    const d = regs.fieldD(insn);
                    const b: V = @splat(element(int.Child(V), r, insn));
                    const a = int.half(V, high, r, regs.fieldN(insn));
                    regs.set(r, d, f(V, r, regs.get(int.Wide(V), r, d), a, b));
                }
            };
        }
    }.Make);
}

fn LongScalar(comptime f: anytype) type {
    return sel.BySizeScalar(.signed, 1, 2, struct {
        fn Make(comptime V: type) type {
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    const d = regs.fieldD(insn);
                    const b: V = @splat(element(int.Child(V), r, insn));
                    regs.set(r, d, f(V, r, regs.get(int.Wide(V), r, d), regs.get(V, r, regs.fieldN(insn)), b));
                }
            };
        }
    }.Make);
}

/// Singles and doubles by `sz`; a doubleword index has no L bit.
fn Float(comptime Make: fn (comptime S: type) type) type {
    return struct {
        pub fn select(comptime S: type, insn: u32) ?S.H {
            if (regs.bits(insn, 22, 21) == 3) return null;
            return switch ((insn >> 30 & 1) << 1 | regs.bits(insn, 22, 22)) {
                0 => S.of(Make(lanes.Shape(f32, 2)).run),
                2 => S.of(Make(lanes.Shape(f32, 4)).run),
                3 => S.of(Make(lanes.Shape(f64, 2)).run),
                else => null,
            };
        }
    };
}

fn FloatHalf(comptime Make: fn (comptime S: type) type) type {
    return sel.ByQ(struct {
        fn MakeHalf(comptime full: bool) type {
            return Make(lanes.Shape(f16, if (full) 8 else 4));
        }
    }.MakeHalf);
}

fn FloatScalar(comptime Make: fn (comptime S: type) type) type {
    return struct {
        pub fn select(comptime S: type, insn: u32) ?S.H {
            return switch (regs.bits(insn, 22, 21)) {
                0, 1 => S.of(Make(lanes.Shape(f32, 1)).run),
                2 => S.of(Make(lanes.Shape(f64, 1)).run),
                else => null,
            };
        }
    };
}

/// The element in every lane that the vector has; lanes above a 64-bit vector stay zero.
inline fn spread(comptime S: type, r: *const Block, insn: u32) S.Bits {
    const x = element(S.Int, r, insn);
    const all: S.Bits = @splat(x);
    if (S.lanes == S.physical) return all;
    const wide: regs.U64x2 = @bitCast(all);
    const out: S.Bits = @bitCast(regs.U64x2{ wide[0], 0 });
    return if (S.hard) regs.hidden(S.Bits, out) else out;
}

fn Product(comptime op: lanes.Op2) type {
    return struct {
        fn Make(comptime S: type) type {
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    lanes.apply2(S, op, r, regs.fieldD(insn), S.get(r, regs.fieldN(insn)), spread(S, r, insn));
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
                    lanes.apply3(S, kind, r, d, S.get(r, d), S.get(r, regs.fieldN(insn)), spread(S, r, insn));
                }
            };
        }
    };
}
