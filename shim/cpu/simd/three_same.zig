//! Advanced SIMD three same, integer: vector and scalar forms, logical operations, pairwise ones and the rounding doubling
//! multiplies of FEAT_RDM.

const abi = @import("../../abi.zig");
const int = @import("int_ops.zig");
const regs = @import("regs.zig");
const sel = @import("select.zig");

const Block = abi.RegisterBlock;

pub const ops = struct {
    pub const SHADD = Vector(.signed, 0, 2, halvingAdd);
    pub const UHADD = Vector(.unsigned, 0, 2, halvingAdd);
    pub const SRHADD = Vector(.signed, 0, 2, roundingHalvingAdd);
    pub const URHADD = Vector(.unsigned, 0, 2, roundingHalvingAdd);
    pub const SHSUB = Vector(.signed, 0, 2, halvingSub);
    pub const UHSUB = Vector(.unsigned, 0, 2, halvingSub);
    pub const SQADD = Vector(.signed, 0, 3, saturatingAdd);
    pub const UQADD = Vector(.unsigned, 0, 3, saturatingAdd);
    pub const SQSUB = Vector(.signed, 0, 3, saturatingSub);
    pub const UQSUB = Vector(.unsigned, 0, 3, saturatingSub);
    pub const CMGT = Vector(.signed, 0, 3, greater);
    pub const CMHI = Vector(.unsigned, 0, 3, greater);
    pub const CMGE = Vector(.signed, 0, 3, greaterEqual);
    pub const CMHS = Vector(.unsigned, 0, 3, greaterEqual);
    pub const CMTST = Vector(.unsigned, 0, 3, testBits);
    pub const CMEQ = Vector(.unsigned, 0, 3, equal);
    pub const SSHL = Vector(.signed, 0, 3, Shift(.{}).f);
    pub const USHL = Vector(.unsigned, 0, 3, Shift(.{}).f);
    pub const SRSHL = Vector(.signed, 0, 3, Shift(.{ .round = true }).f);
    pub const URSHL = Vector(.unsigned, 0, 3, Shift(.{ .round = true }).f);
    pub const SQSHL_reg = Vector(.signed, 0, 3, Shift(.{ .saturate = true }).f);
    pub const UQSHL_reg = Vector(.unsigned, 0, 3, Shift(.{ .saturate = true }).f);
    pub const SQRSHL = Vector(.signed, 0, 3, Shift(.{ .round = true, .saturate = true }).f);
    pub const UQRSHL = Vector(.unsigned, 0, 3, Shift(.{ .round = true, .saturate = true }).f);
    pub const SMAX = Vector(.signed, 0, 2, maximum);
    pub const UMAX = Vector(.unsigned, 0, 2, maximum);
    pub const SMIN = Vector(.signed, 0, 2, minimum);
    pub const UMIN = Vector(.unsigned, 0, 2, minimum);
    pub const SABD = Vector(.signed, 0, 2, absoluteDifference);
    pub const UABD = Vector(.unsigned, 0, 2, absoluteDifference);
    pub const SABA = Vector(.signed, 0, 2, accumulateDifference);
    pub const UABA = Vector(.unsigned, 0, 2, accumulateDifference);
    pub const ADD_v = Vector(.unsigned, 0, 3, add);
    pub const SUB_v = Vector(.unsigned, 0, 3, sub);
    pub const MLA = Vector(.unsigned, 0, 2, multiplyAdd);
    pub const MLS = Vector(.unsigned, 0, 2, multiplySub);
    pub const MUL_v = Vector(.unsigned, 0, 2, multiply);
    pub const PMUL = Vector(.unsigned, 0, 0, polynomial);
    pub const SMAXP = Vector(.signed, 0, 2, Pairwise(maximum).f);
    pub const UMAXP = Vector(.unsigned, 0, 2, Pairwise(maximum).f);
    pub const SMINP = Vector(.signed, 0, 2, Pairwise(minimum).f);
    pub const UMINP = Vector(.unsigned, 0, 2, Pairwise(minimum).f);
    pub const ADDP = Vector(.unsigned, 0, 3, Pairwise(add).f);
    pub const SQDMULH = Vector(.signed, 1, 2, doublingHigh);
    pub const SQRDMULH = Vector(.signed, 1, 2, roundingDoublingHigh);
    pub const SQRDMLAH = Vector(.signed, 1, 2, doublingAdd);
    pub const SQRDMLSH = Vector(.signed, 1, 2, doublingSub);

    pub const AND_v = Logical(bitAnd);
    pub const BIC_v = Logical(bitClear);
    pub const ORR_v = Logical(bitOr);
    pub const ORN_v = Logical(bitOrNot);
    pub const EOR_v = Logical(bitXor);
    pub const BSL = Logical(bitSelect);
    pub const BIT = Logical(insertIfTrue);
    pub const BIF = Logical(insertIfFalse);

    pub const SQADD_s = Scalar(.signed, 0, 3, saturatingAdd);
    pub const UQADD_s = Scalar(.unsigned, 0, 3, saturatingAdd);
    pub const SQSUB_s = Scalar(.signed, 0, 3, saturatingSub);
    pub const UQSUB_s = Scalar(.unsigned, 0, 3, saturatingSub);
    pub const CMGT_s = Scalar(.signed, 3, 3, greater);
    pub const CMHI_s = Scalar(.unsigned, 3, 3, greater);
    pub const CMGE_s = Scalar(.signed, 3, 3, greaterEqual);
    pub const CMHS_s = Scalar(.unsigned, 3, 3, greaterEqual);
    pub const CMTST_s = Scalar(.unsigned, 3, 3, testBits);
    pub const CMEQ_s = Scalar(.unsigned, 3, 3, equal);
    pub const SSHL_s = Scalar(.signed, 3, 3, Shift(.{}).f);
    pub const USHL_s = Scalar(.unsigned, 3, 3, Shift(.{}).f);
    pub const SRSHL_s = Scalar(.signed, 3, 3, Shift(.{ .round = true }).f);
    pub const URSHL_s = Scalar(.unsigned, 3, 3, Shift(.{ .round = true }).f);
    pub const SQSHL_reg_s = Scalar(.signed, 0, 3, Shift(.{ .saturate = true }).f);
    pub const UQSHL_reg_s = Scalar(.unsigned, 0, 3, Shift(.{ .saturate = true }).f);
    pub const SQRSHL_s = Scalar(.signed, 0, 3, Shift(.{ .round = true, .saturate = true }).f);
    pub const UQRSHL_s = Scalar(.unsigned, 0, 3, Shift(.{ .round = true, .saturate = true }).f);
    pub const ADD_s = Scalar(.unsigned, 3, 3, add);
    pub const SUB_s = Scalar(.unsigned, 3, 3, sub);
    pub const SQDMULH_s = Scalar(.signed, 1, 2, doublingHigh);
    pub const SQRDMULH_s = Scalar(.signed, 1, 2, roundingDoublingHigh);
    pub const SQRDMLAH_s = Scalar(.signed, 1, 2, doublingAdd);
    pub const SQRDMLSH_s = Scalar(.signed, 1, 2, doublingSub);
};

/// An operation of `f(V, block, old d, n, m)`.
fn Apply(comptime f: anytype) fn (comptime V: type) type {
    return struct {
        fn Make(comptime V: type) type {
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    const d = regs.fieldD(insn);
                    const a = regs.get(V, r, regs.fieldN(insn));
                    const b = regs.get(V, r, regs.fieldM(insn));
                    regs.set(r, d, f(V, r, regs.get(V, r, d), a, b));
                }
            };
        }
    }.Make;
}

fn Vector(comptime sign: sel.Sign, comptime low: u2, comptime high: u2, comptime f: anytype) type {
    return sel.BySize(sign, low, high, Apply(f));
}

fn Scalar(comptime sign: sel.Sign, comptime low: u2, comptime high: u2, comptime f: anytype) type {
    return sel.BySizeScalar(sign, low, high, Apply(f));
}

fn Logical(comptime f: anytype) type {
    return sel.ByQ(struct {
        fn Make(comptime full: bool) type {
            return Apply(f)(if (full) @Vector(2, u64) else @Vector(1, u64));
        }
    }.Make);
}

inline fn halvingAdd(comptime V: type, _: *Block, _: V, a: V, b: V) V {
    return (a & b) +% int.shiftRight(V, a ^ b, 1);
}

inline fn roundingHalvingAdd(comptime V: type, _: *Block, _: V, a: V, b: V) V {
    return (a | b) -% int.shiftRight(V, a ^ b, 1);
}

inline fn halvingSub(comptime V: type, _: *Block, _: V, a: V, b: V) V {
    const borrow = ~a & b & int.splat(V, 1);
    return int.shiftRight(V, a, 1) -% int.shiftRight(V, b, 1) -% borrow;
}

inline fn saturatingAdd(comptime V: type, r: *Block, _: V, a: V, b: V) V {
    const x = a +| b;
    regs.noteSaturation(r, @reduce(.Or, x != a +% b));
    return x;
}

inline fn saturatingSub(comptime V: type, r: *Block, _: V, a: V, b: V) V {
    const x = a -| b;
    regs.noteSaturation(r, @reduce(.Or, x != a -% b));
    return x;
}

inline fn greater(comptime V: type, _: *Block, _: V, a: V, b: V) V {
    return int.ones(V, a > b);
}

inline fn greaterEqual(comptime V: type, _: *Block, _: V, a: V, b: V) V {
    return int.ones(V, a >= b);
}

inline fn testBits(comptime V: type, _: *Block, _: V, a: V, b: V) V {
    return int.ones(V, a & b != int.splat(V, 0));
}

inline fn equal(comptime V: type, _: *Block, _: V, a: V, b: V) V {
    return int.ones(V, a == b);
}

fn Shift(comptime kind: int.ShiftKind) type {
    return struct {
        inline fn f(comptime V: type, r: *Block, _: V, a: V, b: V) V {
            return int.shiftByRegister(V, kind, r, a, b);
        }
    };
}

inline fn maximum(comptime V: type, _: *Block, _: V, a: V, b: V) V {
    return @max(a, b);
}

inline fn minimum(comptime V: type, _: *Block, _: V, a: V, b: V) V {
    return @min(a, b);
}

inline fn absoluteDifference(comptime V: type, _: *Block, _: V, a: V, b: V) V {
    return @max(a, b) -% @min(a, b);
}

inline fn accumulateDifference(comptime V: type, _: *Block, d: V, a: V, b: V) V {
    return d +% (@max(a, b) -% @min(a, b));
}

inline fn add(comptime V: type, _: *Block, _: V, a: V, b: V) V {
    return a +% b;
}

inline fn sub(comptime V: type, _: *Block, _: V, a: V, b: V) V {
    return a -% b;
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

inline fn polynomial(comptime V: type, _: *Block, _: V, a: V, b: V) V {
    var out = int.splat(V, 0);
    inline for (0..8) |i| {
        const bit = int.splat(V, 1 << i);
        out ^= int.shiftLeftConst(V, a, i) & int.ones(V, b & bit == bit);
    }
    return out;
}

fn Pairwise(comptime op: anytype) type {
    return struct {
        inline fn f(comptime V: type, r: *Block, d: V, a: V, b: V) V {
            return op(V, r, d, int.everySecond(V, a, b, 0), int.everySecond(V, a, b, 1));
        }
    };
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

inline fn bitAnd(comptime V: type, _: *Block, _: V, a: V, b: V) V {
    return a & b;
}

inline fn bitClear(comptime V: type, _: *Block, _: V, a: V, b: V) V {
    return a & ~b;
}

inline fn bitOr(comptime V: type, _: *Block, _: V, a: V, b: V) V {
    return a | b;
}

inline fn bitOrNot(comptime V: type, _: *Block, _: V, a: V, b: V) V {
    return a | ~b;
}

inline fn bitXor(comptime V: type, _: *Block, _: V, a: V, b: V) V {
    return a ^ b;
}

inline fn bitSelect(comptime V: type, _: *Block, d: V, a: V, b: V) V {
    return b ^ ((b ^ a) & d);
}

inline fn insertIfTrue(comptime V: type, _: *Block, d: V, a: V, b: V) V {
    return d ^ ((d ^ a) & b);
}

inline fn insertIfFalse(comptime V: type, _: *Block, d: V, a: V, b: V) V {
    return d ^ ((d ^ a) & ~b);
}
