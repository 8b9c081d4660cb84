//! Advanced SIMD three different: long, wide and narrowing arithmetic, vector and scalar.

const abi = @import("../../abi.zig");
const int = @import("int_ops.zig");
const regs = @import("regs.zig");
const sel = @import("select.zig");
const x86 = @import("../x86.zig");

const Block = abi.RegisterBlock;

pub const ops = struct {
    pub const SADDL = Long(.signed, 0, addLong);
    pub const UADDL = Long(.unsigned, 0, addLong);
    pub const SSUBL = Long(.signed, 0, subLong);
    pub const USUBL = Long(.unsigned, 0, subLong);
    pub const SADDW = WideForm(.signed, false);
    pub const UADDW = WideForm(.unsigned, false);
    pub const SSUBW = WideForm(.signed, true);
    pub const USUBW = WideForm(.unsigned, true);
    pub const ADDHN = HighNarrow(false, false);
    pub const RADDHN = HighNarrow(false, true);
    pub const SUBHN = HighNarrow(true, false);
    pub const RSUBHN = HighNarrow(true, true);
    pub const SABAL = Long(.signed, 0, accumulateDifference);
    pub const UABAL = Long(.unsigned, 0, accumulateDifference);
    pub const SABDL = Long(.signed, 0, difference);
    pub const UABDL = Long(.unsigned, 0, difference);
    pub const SMLAL = Long(.signed, 0, multiplyAdd);
    pub const UMLAL = Long(.unsigned, 0, multiplyAdd);
    pub const SMLSL = Long(.signed, 0, multiplySub);
    pub const UMLSL = Long(.unsigned, 0, multiplySub);
    pub const SMULL = Long(.signed, 0, multiply);
    pub const UMULL = Long(.unsigned, 0, multiply);
    pub const SQDMLAL = Long(.signed, 1, doublingAdd);
    pub const SQDMLSL = Long(.signed, 1, doublingSub);
    pub const SQDMULL = Long(.signed, 1, doubling);
    pub const SQDMLAL_s = sel.BySizeScalar(.signed, 1, 2, LongScalar(doublingAdd));
    pub const SQDMLSL_s = sel.BySizeScalar(.signed, 1, 2, LongScalar(doublingSub));
    pub const SQDMULL_s = sel.BySizeScalar(.signed, 1, 2, LongScalar(doubling));
    pub const PMULL = PolynomialLong;
};

/// Element widths 8 << low to 32 of the low (Q 0) or high half: `Make(V, high).run`.
pub fn ByHalf(comptime sign: sel.Sign, comptime low: u2, comptime Make: fn (comptime V: type, comptime high: bool) type) type {
    return struct {
        pub fn select(comptime S: type, insn: u32) ?S.H {
            switch (@as(u3, @intCast((insn >> 30 & 1) << 2 | regs.bits(insn, 23, 22)))) {
                inline else => |k| {
                    const log = k & 3;
                    if (log == 3 or log < low) return null;
                    return S.of(Make(@Vector(8 >> log, sel.IntOf(sign, 8 << log)), k > 3).run);
                },
            }
        }
    };
}

/// `f(V, block, wide d, n, m)` answers wide lanes.
fn Long(comptime sign: sel.Sign, comptime low: u2, comptime f: anytype) type {
    return ByHalf(sign, low, struct {
        fn Make(comptime V: type, comptime high: bool) type {
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    const d = regs.fieldD(insn);
                    const a = int.half(V, high, r, regs.fieldN(insn));
                    const b = int.half(V, high, r, regs.fieldM(insn));
                    regs.set(r, d, f(V, r, regs.get(int.Wide(V), r, d), a, b));
                }
            };
        }
    }.Make);
}

fn LongScalar(comptime f: anytype) fn (comptime V: type) type {
    return struct {
        fn Make(comptime V: type) type {
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    const d = regs.fieldD(insn);
                    const a = regs.get(V, r, regs.fieldN(insn));
                    const b = regs.get(V, r, regs.fieldM(insn));
                    regs.set(r, d, f(V, r, regs.get(int.Wide(V), r, d), a, b));
                }
            };
        }
    }.Make;
}

fn WideForm(comptime sign: sel.Sign, comptime subtract: bool) type {
    return ByHalf(sign, 0, struct {
        fn Make(comptime V: type, comptime high: bool) type {
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    const a = regs.get(int.Wide(V), r, regs.fieldN(insn));
                    const b: int.Wide(V) = int.half(V, high, r, regs.fieldM(insn));
                    regs.set(r, regs.fieldD(insn), if (subtract) a -% b else a +% b);
                }
            };
        }
    }.Make);
}

fn HighNarrow(comptime subtract: bool, comptime round: bool) type {
    return ByHalf(.unsigned, 0, struct {
        fn Make(comptime V: type, comptime high: bool) type {
            const W = int.Wide(V);
            const width = int.widthOf(V);
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    const a = regs.get(W, r, regs.fieldN(insn));
                    const b = regs.get(W, r, regs.fieldM(insn));
                    var x = if (subtract) a -% b else a +% b;
                    if (round) x +%= int.splat(W, 1 << (width - 1));
                    int.setHalf(high, r, regs.fieldD(insn), @as(V, @truncate(int.shiftRight(W, x, width))));
                }
            };
        }
    }.Make);
}

pub inline fn addLong(comptime V: type, _: *Block, _: int.Wide(V), a: V, b: V) int.Wide(V) {
    return @as(int.Wide(V), a) +% @as(int.Wide(V), b);
}

pub inline fn subLong(comptime V: type, _: *Block, _: int.Wide(V), a: V, b: V) int.Wide(V) {
    return @as(int.Wide(V), a) -% @as(int.Wide(V), b);
}

inline fn difference(comptime V: type, _: *Block, _: int.Wide(V), a: V, b: V) int.Wide(V) {
    const x = @max(a, b) -% @min(a, b);
    const W = int.Wide(int.Unsigned(V));
    return @bitCast(@as(W, @as(int.Unsigned(V), @bitCast(x))));
}

inline fn accumulateDifference(comptime V: type, r: *Block, d: int.Wide(V), a: V, b: V) int.Wide(V) {
    return d +% difference(V, r, d, a, b);
}

pub inline fn multiply(comptime V: type, _: *Block, _: int.Wide(V), a: V, b: V) int.Wide(V) {
    return @as(int.Wide(V), a) *% @as(int.Wide(V), b);
}

pub inline fn multiplyAdd(comptime V: type, r: *Block, d: int.Wide(V), a: V, b: V) int.Wide(V) {
    return d +% multiply(V, r, d, a, b);
}

pub inline fn multiplySub(comptime V: type, r: *Block, d: int.Wide(V), a: V, b: V) int.Wide(V) {
    return d -% multiply(V, r, d, a, b);
}

pub inline fn doubling(comptime V: type, r: *Block, d: int.Wide(V), a: V, b: V) int.Wide(V) {
    const p = multiply(V, r, d, a, b);
    const x = p +| p;
    regs.noteSaturation(r, @reduce(.Or, x != p +% p));
    return x;
}

pub inline fn doublingAdd(comptime V: type, r: *Block, d: int.Wide(V), a: V, b: V) int.Wide(V) {
    const p = doubling(V, r, d, a, b);
    const x = d +| p;
    regs.noteSaturation(r, @reduce(.Or, x != d +% p));
    return x;
}

pub inline fn doublingSub(comptime V: type, r: *Block, d: int.Wide(V), a: V, b: V) int.Wide(V) {
    const p = doubling(V, r, d, a, b);
    const x = d -| p;
    regs.noteSaturation(r, @reduce(.Or, x != d -% p));
    return x;
}

/// PMULL: bytes, or 64-bit lanes for cryptography.
const PolynomialLong = struct {
    pub fn select(comptime S: type, insn: u32) ?S.H {
        return switch ((insn >> 30 & 1) << 2 | regs.bits(insn, 23, 22)) {
            0 => S.of(Bytes(false).run),
            4 => S.of(Bytes(true).run),
            3 => S.of(Words(false).run),
            7 => S.of(Words(true).run),
            else => null,
        };
    }

    fn Bytes(comptime high: bool) type {
        const V = @Vector(8, u8);
        const W = @Vector(8, u16);
        return struct {
            pub fn run(r: *Block, insn: u32) void {
                const a: W = int.half(V, high, r, regs.fieldN(insn));
                const b: W = int.half(V, high, r, regs.fieldM(insn));
                var out = int.splat(W, 0);
                inline for (0..8) |i| {
                    const bit = int.splat(W, 1 << i);
                    out ^= int.shiftLeftConst(W, a, i) & int.ones(W, b & bit == bit);
                }
                regs.set(r, regs.fieldD(insn), out);
            }
        };
    }

    fn Words(comptime high: bool) type {
        return struct {
            pub fn run(r: *Block, insn: u32) void {
                const a = r.v[regs.fieldN(insn)][@intFromBool(high)];
                const b = r.v[regs.fieldM(insn)][@intFromBool(high)];
                regs.set(r, regs.fieldD(insn), carrylessMultiply(a, b));
            }
        };
    }
};

const builtin = @import("builtin");

/// 64 x 64 -> 128 bits over GF(2).
pub inline fn carrylessMultiply(a: u64, b: u64) regs.U64x2 {
    if (builtin.cpu.arch == .x86_64 and x86.features.pclmul) {
        return asm ("pclmulqdq $0, %[b], %[a]"
            : [a] "=x" (-> regs.U64x2),
            : [in] "0" (regs.U64x2{ a, 0 }),
              [b] "x" (regs.U64x2{ b, 0 }),
        );
    }
    return slowCarrylessMultiply(a, b);
}

noinline fn slowCarrylessMultiply(a: u64, b: u64) regs.U64x2 {
    var out: u128 = 0;
    var rest = b;
    while (rest != 0) : (rest &= rest - 1) out ^= @as(u128, a) << @intCast(@ctz(rest));
    return .{ @truncate(out), @truncate(out >> 64) };
}
