//! How a chapter offers its instructions: `ops` holds one declaration per row of the table, a type whose `select`
//! looks at the fields of an instruction and answers the handler specialised for them, or null when they are reserved.

const abi = @import("../../abi.zig");
const regs = @import("regs.zig");

/// What an instruction does to the registers.
pub const Fn = fn (r: *abi.RegisterBlock, insn: u32) void;

/// The engine's handler type and how it makes a handler of a `Fn`.
pub fn Selector(comptime Handler: type, comptime wrap: fn (comptime f: Fn) Handler) type {
    return struct {
        pub const H = Handler;

        pub inline fn of(comptime f: Fn) H {
            return comptime wrap(f);
        }
    };
}

/// An instruction with one shape.
pub fn One(comptime f: Fn) type {
    return struct {
        pub fn select(comptime S: type, _: u32) ?S.H {
            return S.of(f);
        }
    };
}

/// `ftype` in bits 23..22 of the scalar floating-point group: `Make(T).run`.
pub fn ByFtype(comptime Make: fn (comptime T: type) type) type {
    return struct {
        pub fn select(comptime S: type, insn: u32) ?S.H {
            return switch (regs.bits(insn, 23, 22)) {
                0 => S.of(Make(f32).run),
                1 => S.of(Make(f64).run),
                3 => S.of(Make(f16).run),
                else => null,
            };
        }
    };
}

/// `sz` in bit 22: `Make(f32).run` or `Make(f64).run`.
pub fn BySz(comptime Make: fn (comptime T: type) type) type {
    return struct {
        pub fn select(comptime S: type, insn: u32) ?S.H {
            return if (regs.bits(insn, 22, 22) == 0) S.of(Make(f32).run) else S.of(Make(f64).run);
        }
    };
}

pub const Sign = enum { signed, unsigned };

pub fn IntOf(comptime sign: Sign, comptime width: u16) type {
    return @Int(if (sign == .signed) .signed else .unsigned, width);
}

/// Integer vectors by `size` in 23..22 and `Q` in 30: `Make(@Vector(n, T)).run` for element sizes 8 << low to 8 << high.
/// A 64-bit vector of one 64-bit lane is reserved.
pub fn BySize(comptime sign: Sign, comptime low: u2, comptime high: u2, comptime Make: fn (comptime V: type) type) type {
    return struct {
        pub fn select(comptime S: type, insn: u32) ?S.H {
            switch (@as(u3, @intCast((insn >> 30 & 1) << 2 | regs.bits(insn, 23, 22)))) {
                inline else => |k| {
                    const log = k & 3;
                    if (log < low or log > high or k == 3) return null;
                    const width = 8 << log;
                    return S.of(Make(@Vector((if (k > 3) 128 else 64) / width, IntOf(sign, width))).run);
                },
            }
        }
    };
}

/// Scalar forms by `size`: vectors of one lane.
pub fn BySizeScalar(comptime sign: Sign, comptime low: u2, comptime high: u2, comptime Make: fn (comptime V: type) type) type {
    return struct {
        pub fn select(comptime S: type, insn: u32) ?S.H {
            switch (@as(u2, @intCast(regs.bits(insn, 23, 22)))) {
                inline else => |log| {
                    if (log < low or log > high) return null;
                    return S.of(Make(@Vector(1, IntOf(sign, 8 << log))).run);
                },
            }
        }
    };
}

/// `Q` alone: `Make(false).run` or `Make(true).run`.
pub fn ByQ(comptime Make: fn (comptime full: bool) type) type {
    return struct {
        pub fn select(comptime S: type, insn: u32) ?S.H {
            return if (insn >> 30 & 1 != 0) S.of(Make(true).run) else S.of(Make(false).run);
        }
    };
}
