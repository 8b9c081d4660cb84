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
