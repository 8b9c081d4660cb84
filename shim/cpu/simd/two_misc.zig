//! Advanced SIMD two-register miscellaneous, integer: reversals, counts, absolute values, comparisons with zero,
//! pairwise long adds, narrowing moves and the saturating accumulations.

const std = @import("std");
const abi = @import("../../abi.zig");
const int = @import("int_ops.zig");
const regs = @import("regs.zig");
const sel = @import("select.zig");

const Block = abi.RegisterBlock;

pub const ops = struct {
    pub const REV64 = Reverse(64, 2);
    pub const REV32 = Reverse(32, 1);
    pub const REV16 = Reverse(16, 0);
    pub const SADDLP = PairwiseLong(.signed, false);
    pub const UADDLP = PairwiseLong(.unsigned, false);
    pub const SADALP = PairwiseLong(.signed, true);
    pub const UADALP = PairwiseLong(.unsigned, true);
    pub const SUQADD = Vector(.signed, 0, 3, accumulateUnsigned);
    pub const USQADD = Vector(.unsigned, 0, 3, accumulateSigned);
    pub const CLS_v = Vector(.signed, 0, 2, countSign);
    pub const CLZ_v = Vector(.unsigned, 0, 2, countZero);
    pub const CNT = Vector(.unsigned, 0, 0, countOnes);
    pub const NOT = Vector(.unsigned, 0, 0, invert);
    pub const RBIT_v = BitReverse;
    pub const SQABS = Vector(.signed, 0, 3, saturatingAbs);
    pub const SQNEG = Vector(.signed, 0, 3, saturatingNegate);
    pub const CMGT_zero = Vector(.signed, 0, 3, greaterZero);
    pub const CMEQ_zero = Vector(.signed, 0, 3, equalZero);
    pub const CMLT_zero = Vector(.signed, 0, 3, lessZero);
    pub const CMGE_zero = Vector(.signed, 0, 3, greaterEqualZero);
    pub const CMLE_zero = Vector(.signed, 0, 3, lessEqualZero);
    pub const ABS_v = Vector(.signed, 0, 3, absolute);
    pub const NEG_v = Vector(.signed, 0, 3, negate);
    pub const XTN = Narrowing(.unsigned, .unsigned, false);
    pub const SQXTN = Narrowing(.signed, .signed, true);
    pub const SQXTUN = Narrowing(.signed, .unsigned, true);
    pub const UQXTN = Narrowing(.unsigned, .unsigned, true);
    pub const SHLL = ShiftLong;

    pub const SUQADD_s = Scalar(.signed, 0, 3, accumulateUnsigned);
    pub const USQADD_s = Scalar(.unsigned, 0, 3, accumulateSigned);
    pub const SQABS_s = Scalar(.signed, 0, 3, saturatingAbs);
    pub const SQNEG_s = Scalar(.signed, 0, 3, saturatingNegate);
    pub const CMGT_zero_s = Scalar(.signed, 3, 3, greaterZero);
    pub const CMEQ_zero_s = Scalar(.signed, 3, 3, equalZero);
    pub const CMLT_zero_s = Scalar(.signed, 3, 3, lessZero);
    pub const CMGE_zero_s = Scalar(.signed, 3, 3, greaterEqualZero);
    pub const CMLE_zero_s = Scalar(.signed, 3, 3, lessEqualZero);
    pub const ABS_s = Scalar(.signed, 3, 3, absolute);
    pub const NEG_s = Scalar(.signed, 3, 3, negate);
    pub const SQXTN_s = NarrowingScalar(.signed, .signed);
    pub const SQXTUN_s = NarrowingScalar(.signed, .unsigned);
    pub const UQXTN_s = NarrowingScalar(.unsigned, .unsigned);
};

/// An operation of `f(V, block, old d, n)`.
fn Apply(comptime f: anytype) fn (comptime V: type) type {
    return struct {
        fn Make(comptime V: type) type {
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    const d = regs.fieldD(insn);
                    regs.set(r, d, f(V, r, regs.get(V, r, d), regs.get(V, r, regs.fieldN(insn))));
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

/// Reverses the elements inside every group of `group` bits.
fn Reverse(comptime group: u16, comptime high: u2) type {
    return Vector(.unsigned, 0, high, struct {
        inline fn f(comptime V: type, _: *Block, _: V, a: V) V {
            const n = int.lanesOf(V);
            const per = group / int.widthOf(V);
            comptime var order: [n]i32 = undefined;
            inline for (0..n) |i| order[i] = (i / per) * per + (per - 1 - i % per);
            return @shuffle(int.Child(V), a, undefined, order);
        }
    }.f);
}

inline fn addPairs(comptime V: type, a: V) @Vector(int.lanesOf(V) / 2, int.Child(int.Wide(V))) {
    const W = @Vector(int.lanesOf(V) / 2, int.Child(int.Wide(V)));
    const wide: W = @bitCast(a);
    const width = int.widthOf(V);
    return int.shiftRight(W, wide, width) + int.shiftRight(W, int.shiftLeftConst(W, wide, width), width);
}

fn PairwiseLong(comptime sign: sel.Sign, comptime accumulate: bool) type {
    return sel.BySize(sign, 0, 2, struct {
        fn Make(comptime V: type) type {
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    const d = regs.fieldD(insn);
                    const x = addPairs(V, regs.get(V, r, regs.fieldN(insn)));
                    regs.set(r, d, if (accumulate) x +% regs.get(@TypeOf(x), r, d) else x);
                }
            };
        }
    }.Make);
}

/// SUQADD: signed d plus unsigned n.
inline fn accumulateUnsigned(comptime V: type, r: *Block, d: V, a: V) V {
    const U = int.Unsigned(V);
    const x: U = @as(U, @bitCast(d)) +% @as(U, @bitCast(a));
    const top: U = @bitCast(int.splat(V, std.math.maxInt(int.Child(V))));
    // The sum overflows when d plus n, biased into unsigned order, wraps.
    const biased = x ^ ~top;
    const saturated = biased < @as(U, @bitCast(a));
    regs.noteSaturation(r, @reduce(.Or, saturated));
    return @bitCast(@select(int.Child(U), saturated, top, x));
}

/// USQADD: unsigned d plus signed n.
inline fn accumulateSigned(comptime V: type, r: *Block, d: V, a: V) V {
    const T = int.Child(V);
    const S = int.Signed(V);
    const x = d +% a;
    const negative = @as(S, @bitCast(a)) < @as(S, @splat(0));
    const wrapped_up = x < d;
    const wrapped_down = x > d;
    const zero = int.splat(V, 0);
    const high = @select(T, wrapped_up, int.splat(V, std.math.maxInt(T)), x);
    const low = @select(T, wrapped_down, zero, x);
    const out = @select(T, negative, low, high);
    regs.noteSaturation(r, @reduce(.Or, out != x));
    return out;
}

inline fn countSign(comptime V: type, _: *Block, _: V, a: V) V {
    const x = a ^ int.shiftRight(V, a, 1);
    const U = int.Unsigned(V);
    // Bit width-1 of x is zero: the first differing bit is one place lower than the sign.
    return @intCast(@clz(@as(U, @bitCast(x))) -% @as(@TypeOf(@clz(@as(U, @bitCast(x)))), @splat(1)));
}

inline fn countZero(comptime V: type, _: *Block, _: V, a: V) V {
    return @intCast(@clz(a));
}

inline fn countOnes(comptime V: type, _: *Block, _: V, a: V) V {
    return @intCast(@popCount(a));
}

inline fn invert(comptime V: type, _: *Block, _: V, a: V) V {
    return ~a;
}

const BitReverse = struct {
    pub fn select(comptime S: type, insn: u32) ?S.H {
        return if (insn >> 30 & 1 != 0) S.of(Run(@Vector(16, u8)).run) else S.of(Run(@Vector(8, u8)).run);
    }

    fn Run(comptime V: type) type {
        return struct {
            pub fn run(r: *Block, insn: u32) void {
                regs.set(r, regs.fieldD(insn), @bitReverse(regs.get(V, r, regs.fieldN(insn))));
            }
        };
    }
};

inline fn saturatingAbs(comptime V: type, r: *Block, _: V, a: V) V {
    const zero = int.splat(V, 0);
    const x = @max(a, zero -| a);
    regs.noteSaturation(r, @reduce(.Or, a == int.splat(V, std.math.minInt(int.Child(V)))));
    return x;
}

inline fn saturatingNegate(comptime V: type, r: *Block, _: V, a: V) V {
    regs.noteSaturation(r, @reduce(.Or, a == int.splat(V, std.math.minInt(int.Child(V)))));
    return int.splat(V, 0) -| a;
}

inline fn greaterZero(comptime V: type, _: *Block, _: V, a: V) V {
    return int.ones(V, a > int.splat(V, 0));
}

inline fn equalZero(comptime V: type, _: *Block, _: V, a: V) V {
    return int.ones(V, a == int.splat(V, 0));
}

inline fn lessZero(comptime V: type, _: *Block, _: V, a: V) V {
    return int.ones(V, a < int.splat(V, 0));
}

inline fn greaterEqualZero(comptime V: type, _: *Block, _: V, a: V) V {
    return int.ones(V, a >= int.splat(V, 0));
}

inline fn lessEqualZero(comptime V: type, _: *Block, _: V, a: V) V {
    return int.ones(V, a <= int.splat(V, 0));
}

inline fn absolute(comptime V: type, _: *Block, _: V, a: V) V {
    return @max(a, int.splat(V, 0) -% a);
}

inline fn negate(comptime V: type, _: *Block, _: V, a: V) V {
    return int.splat(V, 0) -% a;
}

/// Narrow to `to` from lanes read as `from`, to the low half or (Q) the high half.
fn Narrowing(comptime from: sel.Sign, comptime to: sel.Sign, comptime clamp: bool) type {
    return struct {
        pub fn select(comptime S: type, insn: u32) ?S.H {
            switch (@as(u3, @intCast((insn >> 30 & 1) << 2 | regs.bits(insn, 23, 22)))) {
                inline else => |k| {
                    const log = k & 3;
                    if (log == 3) return null;
                    return S.of(Run(8 << log, k > 3).run);
                },
            }
        }

        fn Run(comptime width: u16, comptime high: bool) type {
            const W = @Vector(64 / width, sel.IntOf(from, 2 * width));
            const T = sel.IntOf(to, width);
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    const a = regs.get(W, r, regs.fieldN(insn));
                    const x = if (clamp) int.saturate(T, r, a) else @as(int.With(W, T), @truncate(a));
                    int.setHalf(high, r, regs.fieldD(insn), x);
                }
            };
        }
    };
}

fn NarrowingScalar(comptime from: sel.Sign, comptime to: sel.Sign) type {
    return sel.BySizeScalar(from, 0, 2, struct {
        fn Make(comptime V: type) type {
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    const a = regs.get(int.Wide(V), r, regs.fieldN(insn));
                    regs.set(r, regs.fieldD(insn), int.saturate(sel.IntOf(to, int.widthOf(V)), r, a));
                }
            };
        }
    }.Make);
}

/// SHLL: widen and shift by the element's width.
const ShiftLong = struct {
    pub fn select(comptime S: type, insn: u32) ?S.H {
        switch (@as(u3, @intCast((insn >> 30 & 1) << 2 | regs.bits(insn, 23, 22)))) {
            inline else => |k| {
                const log = k & 3;
                if (log == 3) return null;
                return S.of(Run(8 << log, k > 3).run);
            },
        }
    }

    fn Run(comptime width: u16, comptime high: bool) type {
        const V = @Vector(64 / width, sel.IntOf(.unsigned, width));
        return struct {
            pub fn run(r: *Block, insn: u32) void {
                const a: int.Wide(V) = int.half(V, high, r, regs.fieldN(insn));
                regs.set(r, regs.fieldD(insn), int.shiftLeftConst(int.Wide(V), a, width));
            }
        };
    }
};
