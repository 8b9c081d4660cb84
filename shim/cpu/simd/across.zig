//! Advanced SIMD across lanes and scalar pairwise: sums, minima and maxima of one register.

const std = @import("std");
const abi = @import("../../abi.zig");
const core = @import("fp_core.zig");
const half = @import("fp_half.zig");
const int = @import("int_ops.zig");
const lanes = @import("fp_lanes.zig");
const regs = @import("regs.zig");
const sel = @import("select.zig");

const Block = abi.RegisterBlock;

pub const ops = struct {
    pub const SADDLV = SumLong(.signed);
    pub const UADDLV = SumLong(.unsigned);
    pub const ADDV = Reduce(.unsigned, .Add);
    pub const SMAXV = Reduce(.signed, .Max);
    pub const UMAXV = Reduce(.unsigned, .Max);
    pub const SMINV = Reduce(.signed, .Min);
    pub const UMINV = Reduce(.unsigned, .Min);
    pub const FMAXV = FloatReduce(core.max);
    pub const FMINV = FloatReduce(core.min);
    pub const FMAXNMV = FloatReduce(core.maxNumber);
    pub const FMINNMV = FloatReduce(core.minNumber);
    pub const FMAXV_h = HalfReduce(core.max);
    pub const FMINV_h = HalfReduce(core.min);
    pub const FMAXNMV_h = HalfReduce(core.maxNumber);
    pub const FMINNMV_h = HalfReduce(core.minNumber);

    pub const ADDP_s = sel.One(addPair);
    pub const FADDP_s = Pair(.add);
    pub const FMAXP_s = Pair(.max);
    pub const FMINP_s = Pair(.min);
    pub const FMAXNMP_s = Pair(.maxnm);
    pub const FMINNMP_s = Pair(.minnm);
    pub const FADDP_sh = sel.One(PairOf(f16, .add).run);
    pub const FMAXP_sh = sel.One(PairOf(f16, .max).run);
    pub const FMINP_sh = sel.One(PairOf(f16, .min).run);
    pub const FMAXNMP_sh = sel.One(PairOf(f16, .maxnm).run);
    pub const FMINNMP_sh = sel.One(PairOf(f16, .minnm).run);
};

/// Bytes and halfwords of either length, words of a full register.
fn ByLanes(comptime sign: sel.Sign, comptime Make: fn (comptime V: type) type) type {
    return struct {
        pub fn select(comptime S: type, insn: u32) ?S.H {
            switch (@as(u3, @intCast((insn >> 30 & 1) << 2 | regs.bits(insn, 23, 22)))) {
                inline 0, 1, 4, 5, 6 => |k| {
                    const width = 8 << (k & 3);
                    return S.of(Make(@Vector((if (k > 3) 128 else 64) / width, sel.IntOf(sign, width))).run);
                },
                else => return null,
            }
        }
    };
}

fn Reduce(comptime sign: sel.Sign, comptime op: std.builtin.ReduceOp) type {
    return ByLanes(sign, struct {
        fn Make(comptime V: type) type {
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    const a = regs.get(V, r, regs.fieldN(insn));
                    regs.set(r, regs.fieldD(insn), @reduce(op, a));
                }
            };
        }
    }.Make);
}

fn SumLong(comptime sign: sel.Sign) type {
    return ByLanes(sign, struct {
        fn Make(comptime V: type) type {
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    const a: int.Wide(V) = regs.get(V, r, regs.fieldN(insn));
                    regs.set(r, regs.fieldD(insn), @reduce(.Add, a));
                }
            };
        }
    }.Make);
}

/// Four singles, reduced as a tree.
fn FloatReduce(comptime f: core.Fn2) type {
    return sel.One(struct {
        fn run(r: *Block, insn: u32) void {
            reduce(r, regs.fieldD(insn), regs.fieldN(insn), &core.single, 4, f);
        }
    }.run);
}

fn HalfReduce(comptime f: core.Fn2) type {
    return sel.ByQ(struct {
        fn Make(comptime full: bool) type {
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    const greatest = f == core.max or f == core.maxNumber;
                    const d = regs.fieldD(insn);
                    if (half.extreme(full, greatest, r, r.v[regs.fieldN(insn)])) |x| return regs.set(r, d, x);
                    reduce(r, d, regs.fieldN(insn), &core.half, if (full) 8 else 4, f);
                }
            };
        }
    }.Make);
}

noinline fn reduce(r: *Block, d: usize, n: usize, fmt: *const core.Format, count: usize, f: core.Fn2) void {
    var e: core.Env = .init(r.fpcr, fmt);
    var values: [8]u64 = undefined;
    const width: usize = fmt.width;
    const mask = (@as(u64, 1) << @intCast(width)) - 1;
    for (values[0..count], 0..) |*v, i| v.* = r.v[n][i * width >> 6] >> @intCast(i * width & 63) & mask;
    // Reduce() of the pseudocode combines neighbouring halves, so neighbours first.
    var left = count;
    while (left > 1) : (left /= 2) {
        for (0..left / 2) |i| values[i] = f(&e, values[2 * i], values[2 * i + 1]);
    }
    r.fpsr |= e.flags;
    regs.set(r, d, values[0]);
}

fn addPair(r: *Block, insn: u32) void {
    const n = r.v[regs.fieldN(insn)];
    regs.set(r, regs.fieldD(insn), n[0] +% n[1]);
}

fn PairOf(comptime T: type, comptime op: lanes.Op2) type {
    const S = lanes.Shape(T, 1);
    return struct {
        pub fn run(r: *Block, insn: u32) void {
            const all = regs.get([128 / @bitSizeOf(T)]S.Int, r, regs.fieldN(insn));
            lanes.apply2(S, op, r, regs.fieldD(insn), .{all[0]}, .{all[1]});
        }
    };
}

fn Pair(comptime op: lanes.Op2) type {
    return sel.BySz(struct {
        fn Make(comptime T: type) type {
            return PairOf(T, op);
        }
    }.Make);
}
