//! Advanced SIMD shift by immediate, vector and scalar: plain, rounding, accumulating, inserting, saturating, narrowing
//! and long forms, and the fixed-point conversions that share the encoding.

const std = @import("std");
const abi = @import("../../abi.zig");
const int = @import("int_ops.zig");
const regs = @import("regs.zig");
const sel = @import("select.zig");
const fp_convert = @import("fp_vector_convert.zig");

const Block = abi.RegisterBlock;

pub const ops = struct {
    pub const SSHR = Vector(.signed, Right(false, false).f);
    pub const USHR = Vector(.unsigned, Right(false, false).f);
    pub const SSRA = Vector(.signed, Right(false, true).f);
    pub const USRA = Vector(.unsigned, Right(false, true).f);
    pub const SRSHR = Vector(.signed, Right(true, false).f);
    pub const URSHR = Vector(.unsigned, Right(true, false).f);
    pub const SRSRA = Vector(.signed, Right(true, true).f);
    pub const URSRA = Vector(.unsigned, Right(true, true).f);
    pub const SRI = Vector(.unsigned, insertRight);
    pub const SLI = Vector(.unsigned, insertLeft);
    pub const SHL = Vector(.unsigned, left);
    pub const SQSHL_imm = Vector(.signed, saturatingLeft);
    pub const UQSHL_imm = Vector(.unsigned, saturatingLeft);
    pub const SQSHLU = Vector(.signed, saturatingLeftUnsigned);

    pub const SSHR_s = Scalar(.signed, 3, Right(false, false).f);
    pub const USHR_s = Scalar(.unsigned, 3, Right(false, false).f);
    pub const SSRA_s = Scalar(.signed, 3, Right(false, true).f);
    pub const USRA_s = Scalar(.unsigned, 3, Right(false, true).f);
    pub const SRSHR_s = Scalar(.signed, 3, Right(true, false).f);
    pub const URSHR_s = Scalar(.unsigned, 3, Right(true, false).f);
    pub const SRSRA_s = Scalar(.signed, 3, Right(true, true).f);
    pub const URSRA_s = Scalar(.unsigned, 3, Right(true, true).f);
    pub const SRI_s = Scalar(.unsigned, 3, insertRight);
    pub const SLI_s = Scalar(.unsigned, 3, insertLeft);
    pub const SHL_s = Scalar(.unsigned, 3, left);
    pub const SQSHL_imm_s = Scalar(.signed, 0, saturatingLeft);
    pub const UQSHL_imm_s = Scalar(.unsigned, 0, saturatingLeft);
    pub const SQSHLU_s = Scalar(.signed, 0, saturatingLeftUnsigned);

    pub const SHRN = Narrowing(.unsigned, .unsigned, false, false);
    pub const RSHRN = Narrowing(.unsigned, .unsigned, true, false);
    pub const SQSHRN = Narrowing(.signed, .signed, false, true);
    pub const SQRSHRN = Narrowing(.signed, .signed, true, true);
    pub const SQSHRUN = Narrowing(.signed, .unsigned, false, true);
    pub const SQRSHRUN = Narrowing(.signed, .unsigned, true, true);
    pub const UQSHRN = Narrowing(.unsigned, .unsigned, false, true);
    pub const UQRSHRN = Narrowing(.unsigned, .unsigned, true, true);
    pub const SQSHRN_s = NarrowingScalar(.signed, .signed, false);
    pub const SQRSHRN_s = NarrowingScalar(.signed, .signed, true);
    pub const SQSHRUN_s = NarrowingScalar(.signed, .unsigned, false);
    pub const SQRSHRUN_s = NarrowingScalar(.signed, .unsigned, true);
    pub const UQSHRN_s = NarrowingScalar(.unsigned, .unsigned, false);
    pub const UQRSHRN_s = NarrowingScalar(.unsigned, .unsigned, true);

    pub const SSHLL = Long(.signed);
    pub const USHLL = Long(.unsigned);

    pub const SCVTF_vfix = Convert(fp_convert.FromFixed(true));
    pub const UCVTF_vfix = Convert(fp_convert.FromFixed(false));
    pub const FCVTZS_vfix = Convert(fp_convert.ToFixed(true));
    pub const FCVTZU_vfix = Convert(fp_convert.ToFixed(false));
    pub const SCVTF_sfix = ConvertScalar(fp_convert.FromFixed(true));
    pub const UCVTF_sfix = ConvertScalar(fp_convert.FromFixed(false));
    pub const FCVTZS_sfix = ConvertScalar(fp_convert.ToFixed(true));
    pub const FCVTZU_sfix = ConvertScalar(fp_convert.ToFixed(false));
};

/// log2(element bytes) from immh, null when immh is zero.
inline fn sizeOf(insn: u32) ?u2 {
    const immh = regs.bits(insn, 22, 19);
    return if (immh == 0) null else @intCast(31 - @clz(immh));
}

inline fn immediate(insn: u32) u32 {
    return regs.bits(insn, 22, 16);
}

/// `f(V, block, old d, n, immh:immb)`
fn Apply(comptime V: type, comptime f: anytype) type {
    return struct {
        pub fn run(r: *Block, insn: u32) void {
            const d = regs.fieldD(insn);
            regs.set(r, d, f(V, r, regs.get(V, r, d), regs.get(V, r, regs.fieldN(insn)), immediate(insn)));
        }
    };
}

fn Vector(comptime sign: sel.Sign, comptime f: anytype) type {
    return struct {
        pub fn select(comptime S: type, insn: u32) ?S.H {
            const size = sizeOf(insn) orelse return null;
            switch (@as(u3, @intCast((insn >> 30 & 1) << 2 | @as(u32, size)))) {
                inline else => |k| {
                    if (k == 3) return null;
                    const width = 8 << (k & 3);
                    return S.of(Apply(@Vector((if (k > 3) 128 else 64) / width, sel.IntOf(sign, width)), f).run);
                },
            }
        }
    };
}

fn Scalar(comptime sign: sel.Sign, comptime low: u2, comptime f: anytype) type {
    return struct {
        pub fn select(comptime S: type, insn: u32) ?S.H {
            switch (sizeOf(insn) orelse return null) {
                inline else => |log| {
                    if (log < low) return null;
                    return S.of(Apply(@Vector(1, sel.IntOf(sign, 8 << log)), f).run);
                },
            }
        }
    };
}

/// Right shifts count down from twice the width.
inline fn rightCount(comptime V: type, imm: u32) u32 {
    return 2 * int.widthOf(V) - imm;
}

inline fn leftCount(comptime V: type, imm: u32) u32 {
    return imm - int.widthOf(V);
}

fn Right(comptime round: bool, comptime accumulate: bool) type {
    return struct {
        inline fn f(comptime V: type, _: *Block, d: V, a: V, imm: u32) V {
            const x = int.shiftRightImm(V, a, rightCount(V, imm), round);
            return if (accumulate) d +% x else x;
        }
    };
}

inline fn insertRight(comptime V: type, _: *Block, d: V, a: V, imm: u32) V {
    const count = rightCount(V, imm) - 1;
    const all = int.splat(V, std.math.maxInt(int.Child(V)));
    const mask = int.shiftRight(V, int.shiftRight(V, all, count), 1);
    return d & ~mask | int.shiftRight(V, int.shiftRight(V, a, count), 1);
}

inline fn insertLeft(comptime V: type, _: *Block, d: V, a: V, imm: u32) V {
    const count = leftCount(V, imm);
    const mask = int.shiftLeft(V, int.splat(V, std.math.maxInt(int.Child(V))), count);
    return d & ~mask | int.shiftLeft(V, a, count);
}

inline fn left(comptime V: type, _: *Block, _: V, a: V, imm: u32) V {
    return int.shiftLeft(V, a, leftCount(V, imm));
}

inline fn saturatingLeft(comptime V: type, r: *Block, _: V, a: V, imm: u32) V {
    return int.shiftLeftSaturating(V, r, a, leftCount(V, imm));
}

inline fn saturatingLeftUnsigned(comptime V: type, r: *Block, _: V, a: V, imm: u32) V {
    const U = int.Unsigned(V);
    const T = int.Child(V);
    const zero = int.splat(V, 0);
    const negative = a < zero;
    regs.noteSaturation(r, @reduce(.Or, negative));
    const positive: U = @bitCast(@select(T, negative, zero, a));
    return @bitCast(saturatingLeft(U, r, positive, positive, imm));
}

fn Narrowing(comptime from: sel.Sign, comptime to: sel.Sign, comptime round: bool, comptime clamp: bool) type {
    return struct {
        pub fn select(comptime S: type, insn: u32) ?S.H {
            const size = sizeOf(insn) orelse return null;
            switch (@as(u3, @intCast((insn >> 30 & 1) << 2 | @as(u32, size)))) {
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
                    const x = int.shiftRightImm(W, regs.get(W, r, regs.fieldN(insn)), 2 * width - immediate(insn), round);
                    const y = if (clamp) int.saturate(T, r, x) else @as(int.With(W, T), @truncate(x));
                    int.setHalf(high, r, regs.fieldD(insn), y);
                }
            };
        }
    };
}

fn NarrowingScalar(comptime from: sel.Sign, comptime to: sel.Sign, comptime round: bool) type {
    return struct {
        pub fn select(comptime S: type, insn: u32) ?S.H {
            switch (sizeOf(insn) orelse return null) {
                3 => return null,
                inline else => |log| return S.of(Run(8 << log).run),
            }
        }

        fn Run(comptime width: u16) type {
            const W = @Vector(1, sel.IntOf(from, 2 * width));
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    const x = int.shiftRightImm(W, regs.get(W, r, regs.fieldN(insn)), 2 * width - immediate(insn), round);
                    regs.set(r, regs.fieldD(insn), int.saturate(sel.IntOf(to, width), r, x));
                }
            };
        }
    };
}

fn Long(comptime sign: sel.Sign) type {
    return struct {
        pub fn select(comptime S: type, insn: u32) ?S.H {
            const size = sizeOf(insn) orelse return null;
            switch (@as(u3, @intCast((insn >> 30 & 1) << 2 | @as(u32, size)))) {
                inline else => |k| {
                    const log = k & 3;
                    if (log == 3) return null;
                    return S.of(Run(8 << log, k > 3).run);
                },
            }
        }

        fn Run(comptime width: u16, comptime high: bool) type {
            const V = @Vector(64 / width, sel.IntOf(sign, width));
            const W = int.Wide(V);
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    const a: W = int.half(V, high, r, regs.fieldN(insn));
                    regs.set(r, regs.fieldD(insn), int.shiftLeft(W, a, immediate(insn) - width));
                }
            };
        }
    };
}

/// Conversions exist for 16, 32 and 64 bits; `Make(T, lanes).run` reads the fraction bits itself.
fn Convert(comptime Make: fn (comptime T: type, comptime lanes: comptime_int) type) type {
    return struct {
        pub fn select(comptime S: type, insn: u32) ?S.H {
            const size = sizeOf(insn) orelse return null;
            return switch ((insn >> 30 & 1) << 2 | @as(u32, size)) {
                1 => S.of(Make(f16, 4).run),
                2 => S.of(Make(f32, 2).run),
                5 => S.of(Make(f16, 8).run),
                6 => S.of(Make(f32, 4).run),
                7 => S.of(Make(f64, 2).run),
                else => null,
            };
        }
    };
}

fn ConvertScalar(comptime Make: fn (comptime T: type, comptime lanes: comptime_int) type) type {
    return struct {
        pub fn select(comptime S: type, insn: u32) ?S.H {
            return switch (sizeOf(insn) orelse return null) {
                1 => S.of(Make(f16, 1).run),
                2 => S.of(Make(f32, 1).run),
                3 => S.of(Make(f64, 1).run),
                else => null,
            };
        }
    };
}
