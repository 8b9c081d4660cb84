//! Scalar conversions: between floating-point formats, to and from general registers (integer and fixed point), and the
//! moves between the two register files.

const std = @import("std");
const abi = @import("../../abi.zig");
const core = @import("fp_core.zig");
const number = @import("fp_number.zig");
const fp = @import("fp.zig");
const half = @import("fp_half.zig");
const lanes = @import("fp_lanes.zig");
const regs = @import("regs.zig");
const sel = @import("select.zig");

const Block = abi.RegisterBlock;

pub const ops = struct {
    pub const FCVT_to_s = Between(f32);
    pub const FCVT_to_d = Between(f64);
    pub const FCVT_to_h = Between(f16);
    pub const FCVTNS = ToInt(.even, true);
    pub const FCVTNU = ToInt(.even, false);
    pub const FCVTPS = ToInt(.up, true);
    pub const FCVTPU = ToInt(.up, false);
    pub const FCVTMS = ToInt(.down, true);
    pub const FCVTMU = ToInt(.down, false);
    pub const FCVTZS = ToInt(.zero, true);
    pub const FCVTZU = ToInt(.zero, false);
    pub const FCVTAS = ToInt(.away, true);
    pub const FCVTAU = ToInt(.away, false);
    pub const FCVTZS_fix = ToFixed(true);
    pub const FCVTZU_fix = ToFixed(false);
    pub const SCVTF = FromInt(true);
    pub const UCVTF = FromInt(false);
    pub const SCVTF_fix = FromFixed(true);
    pub const UCVTF_fix = FromFixed(false);
    pub const FMOV_to_gp = MoveOut;
    pub const FMOV_to_fp = MoveIn;
    pub const FMOV_top_to_gp = sel.One(topOut);
    pub const FMOV_gp_to_top = sel.One(topIn);
    pub const FJCVTZS = sel.One(javascript);
};

fn Bits(comptime T: type) type {
    return @Int(.unsigned, @bitSizeOf(T));
}

pub noinline fn slowConvert(r: *Block, from: *const core.Format, to: *const core.Format, bits: u64) u64 {
    var e: core.Env = .init(r.fpcr, from);
    const x = number.convert(&e, bits, to, r.fpcr);
    r.fpsr |= e.flags;
    return x;
}

fn Between(comptime To: type) type {
    return struct {
        pub fn select(comptime S: type, insn: u32) ?S.H {
            return switch (regs.bits(insn, 23, 22)) {
                0 => if (To == f32) null else S.of(Run(f32).run),
                1 => if (To == f64) null else S.of(Run(f64).run),
                3 => if (To == f16) null else S.of(Run(f16).run),
                else => null,
            };
        }

        fn Run(comptime From: type) type {
            const S = lanes.Shape(From, 1);
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    const d = regs.fieldD(insn);
                    const a = regs.get(Bits(From), r, regs.fieldN(insn));
                    if (S.hard and To != f16 and lanes.usual(S, if (To == f32) .narrow else .operands, r, .{a}, .{a}, .{a})) {
                        const x: To = @floatCast(@as(From, @bitCast(a)));
                        const edge = To == f32 and @abs(x) == std.math.floatMin(f32);
                        if (x == x and !edge) return regs.set(r, d, x);
                    }
                    if (To == f16) {
                        const number_ = @as(From, @bitCast(a));
                        if (if (From == f32) half.fromSingle(r, number_) else half.fromDouble(r, number_)) |x| return regs.set(r, d, x);
                    } else if (From == f16) {
                        if (half.toSingle(r, a)) |x| return regs.set(r, d, @as(To, x));
                    }
                    const x = slowConvert(r, core.formatOf(From), core.formatOf(To), a);
                    regs.set(r, d, @as(Bits(To), @truncate(x)));
                }
            };
        }
    };
}

/// Handlers for the two widths of general register and the three formats.
fn BySfFtype(comptime Make: fn (comptime T: type, comptime wide: bool) type) type {
    return struct {
        pub fn select(comptime S: type, insn: u32) ?S.H {
            return switch (insn >> 31 << 2 | regs.bits(insn, 23, 22)) {
                0 => S.of(Make(f32, false).run),
                1 => S.of(Make(f64, false).run),
                3 => S.of(Make(f16, false).run),
                4 => S.of(Make(f32, true).run),
                5 => S.of(Make(f64, true).run),
                7 => S.of(Make(f16, true).run),
                else => null,
            };
        }
    };
}

/// The same for the fixed-point forms, where a 32-bit register allows 1 to 32 fraction bits.
fn BySfFtypeScale(comptime Make: fn (comptime T: type, comptime wide: bool) type) type {
    return struct {
        pub fn select(comptime S: type, insn: u32) ?S.H {
            if (insn >> 31 == 0 and regs.bits(insn, 15, 15) == 0) return null;
            return BySfFtype(Make).select(S, insn);
        }
    };
}

noinline fn slowToInt(r: *Block, fmt: *const core.Format, bits: u64, fraction: u7, signed: bool, round: core.Round, width: u7) u64 {
    var e: core.Env = .init(r.fpcr, fmt);
    const x = number.toFixed(&e, bits, fraction, signed, round, width);
    r.fpsr |= e.flags;
    return x;
}

/// Null when the exact path must decide: out of range or a NaN.
inline fn truncate(comptime T: type, comptime signed: bool, comptime wide: bool, x: T) ?u64 {
    const width = if (wide) 64 else 32;
    const Via = if (signed and !wide) i32 else i64;
    // Unsigned 64-bit values of 2^63 and more are left to the exact path.
    const top: T = if (signed or wide) std.math.ldexp(@as(T, 1), width - 1) else std.math.ldexp(@as(T, 1), width);
    const above = x < top;
    const below = if (!signed) x > -1 else if (T == f64 and !wide) x > -top - 1 else x >= -top;
    if (!above or !below) return null;
    const whole: Via = @intFromFloat(x);
    const raw: @Int(.unsigned, @bitSizeOf(Via)) = @bitCast(whole);
    return if (wide) raw else @as(u32, @truncate(raw));
}

fn ToInt(comptime mode: core.Round, comptime signed: bool) type {
    return BySfFtype(struct {
        fn Make(comptime T: type, comptime wide: bool) type {
            const S = lanes.Shape(T, 1);
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    const d = regs.fieldD(insn);
                    const a = regs.get(Bits(T), r, regs.fieldN(insn));
                    if (S.hard and lanes.usual(S, .operands, r, .{a}, .{a}, .{a})) {
                        if (roundThenTruncate(T, a)) |x| {
                            // Also for XZR.
                            regs.needed(x);
                            return regs.setX(r, d, x);
                        }
                    }
                    if (T == f16 and mode != .away) if (half.toSingle(r, a)) |single| {
                        if (roundThenTruncate(f32, @bitCast(single))) |x| {
                            regs.needed(x);
                            return regs.setX(r, d, x);
                        }
                    };
                    regs.setX(r, d, slowToInt(r, core.formatOf(T), a, 0, signed, mode, if (wide) 64 else 32));
                }

                inline fn roundThenTruncate(comptime F: type, a: Bits(F)) ?u64 {
                    const x: F = @bitCast(a);
                    if (mode == .zero) return truncate(F, signed, wide, x);
                    if (x != x) return null;
                    // Outside the range the rounding would raise Inexact beside Invalid.
                    if (@abs(x) >= std.math.ldexp(@as(F, 1), if (wide) 62 else 30)) return null;
                    if (!signed and x < 0) return null;
                    const y = fp.integral(@Vector(1, F), mode, true, .{x}) orelse return null;
                    return truncate(F, signed, wide, y[0]);
                }
            };
        }
    }.Make);
}

fn ToFixed(comptime signed: bool) type {
    return BySfFtypeScale(struct {
        fn Make(comptime T: type, comptime wide: bool) type {
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    const a = regs.get(Bits(T), r, regs.fieldN(insn));
                    const fraction: u7 = @intCast(64 - regs.bits(insn, 15, 10));
                    const x = slowToInt(r, core.formatOf(T), a, fraction, signed, .zero, if (wide) 64 else 32);
                    regs.setX(r, regs.fieldD(insn), x);
                }
            };
        }
    }.Make);
}

pub noinline fn slowFromInt(r: *Block, fmt: *const core.Format, negative: bool, magnitude: u64, fraction: u7) u64 {
    var e: core.Env = .init(r.fpcr, fmt);
    const x = number.fromFixed(&e, negative, magnitude, fraction);
    r.fpsr |= e.flags;
    return x;
}

/// The source register as sign and magnitude.
inline fn source(comptime signed: bool, comptime wide: bool, r: *Block, insn: u32) struct { negative: bool, magnitude: u64 } {
    const x = regs.getX(r, regs.fieldN(insn));
    if (!signed) return .{ .negative = false, .magnitude = if (wide) x else @as(u32, @truncate(x)) };
    const s: i64 = if (wide) @bitCast(x) else @as(i32, @bitCast(@as(u32, @truncate(x))));
    return .{ .negative = s < 0, .magnitude = @abs(s) };
}

fn FromInt(comptime signed: bool) type {
    return BySfFtype(struct {
        fn Make(comptime T: type, comptime wide: bool) type {
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    const d = regs.fieldD(insn);
                    const x = regs.getX(r, regs.fieldN(insn));
                    if (fp.host_arithmetic and T != f16) {
                        if (!wide) {
                            const low: u32 = @truncate(x);
                            const value: i64 = if (signed) @as(i32, @bitCast(low)) else low;
                            return regs.set(r, d, @as(T, @floatFromInt(value)));
                        }
                        const value: i64 = @bitCast(x);
                        if (signed or value >= 0) return regs.set(r, d, @as(T, @floatFromInt(value)));
                    }
                    const s = source(signed, wide, r, insn);
                    const bits = slowFromInt(r, core.formatOf(T), s.negative, s.magnitude, 0);
                    regs.set(r, d, @as(Bits(T), @truncate(bits)));
                }
            };
        }
    }.Make);
}

fn FromFixed(comptime signed: bool) type {
    return BySfFtypeScale(struct {
        fn Make(comptime T: type, comptime wide: bool) type {
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    const s = source(signed, wide, r, insn);
                    const fraction: u7 = @intCast(64 - regs.bits(insn, 15, 10));
                    const bits = slowFromInt(r, core.formatOf(T), s.negative, s.magnitude, fraction);
                    regs.set(r, regs.fieldD(insn), @as(Bits(T), @truncate(bits)));
                }
            };
        }
    }.Make);
}

fn outOf(comptime T: type) sel.Fn {
    return struct {
        fn run(r: *Block, insn: u32) void {
            regs.setX(r, regs.fieldD(insn), regs.get(T, r, regs.fieldN(insn)));
        }
    }.run;
}

fn into(comptime T: type) sel.Fn {
    return struct {
        fn run(r: *Block, insn: u32) void {
            regs.set(r, regs.fieldD(insn), @as(T, @truncate(regs.getX(r, regs.fieldN(insn)))));
        }
    }.run;
}

const MoveOut = struct {
    pub fn select(comptime S: type, insn: u32) ?S.H {
        return switch (insn >> 31 << 2 | regs.bits(insn, 23, 22)) {
            0 => S.of(outOf(u32)),
            3, 7 => S.of(outOf(u16)),
            5 => S.of(outOf(u64)),
            else => null,
        };
    }
};

const MoveIn = struct {
    pub fn select(comptime S: type, insn: u32) ?S.H {
        return switch (insn >> 31 << 2 | regs.bits(insn, 23, 22)) {
            0 => S.of(into(u32)),
            3, 7 => S.of(into(u16)),
            5 => S.of(into(u64)),
            else => null,
        };
    }
};

fn topOut(r: *Block, insn: u32) void {
    regs.setX(r, regs.fieldD(insn), r.v[regs.fieldN(insn)][1]);
}

fn topIn(r: *Block, insn: u32) void {
    const d = regs.fieldD(insn);
    regs.set(r, d, regs.U64x2{ r.v[d][0], regs.getX(r, regs.fieldN(insn)) });
}

fn javascript(r: *Block, insn: u32) void {
    var e: core.Env = .init(r.fpcr, &core.double);
    const x = number.toJs(&e, regs.get(u64, r, regs.fieldN(insn)));
    r.fpsr |= e.flags;
    regs.setX(r, regs.fieldD(insn), x.value);
    regs.setNzcv(r, if (x.exact) 0b0100 else 0);
}
