//! Registers, numbers, names and addresses in texts, and the conditions of aliases.

const fields = @import("../interp/fields.zig");
const format = @import("format.zig");
const names = @import("names.zig");
const Out = @import("out.zig").Out;

const bit = fields.bit;
const bits = fields.bits;
const signed = fields.signed;

/// The register `kind` whose number is at bit `low`.
pub fn register(out: *Out, kind: format.Register, insn: u32, low: u5) void {
    const number = insn >> low & 31;
    switch (kind) {
        .R => out.register(bit(insn, 31), number, .zero),
        .X => out.register(true, number, .zero),
        .W => out.register(false, number, .zero),
        .Z => out.register(bits(insn, 30, 2) == 3, number, .zero),
        .U => out.register(bit(insn, 30), number, .zero),
        .K => out.register(insn >> 16 & 15 == 8, number, .zero),
        .V => out.vector('v', number),
        .S => out.vector('s', number),
        .D => out.vector('d', number),
        .H => out.vector('h', number),
        .Q => out.vector('q', number),
        .F => out.vector("sdqh"[bits(insn, 22, 2)], number),
        .G => out.vector("sd"[bits(insn, 22, 1)], number),
        .E => out.vector("bhsd"[bits(insn, 22, 2)], number),
        .L => out.vector("hsdq"[bits(insn, 22, 2)], number),
        .I => out.vector("bhsd"[immhSize(insn)], number),
        .J => out.vector("hsdq"[immhSize(insn)], number),
        .O => out.vector("bhsd"[laneSize(insn)], number),
        .M => out.vector("sdq?"[bits(insn, 30, 2)], number),
        .Y => out.vector("bhsdq???"[vectorSize(insn)], number),
    }
}

/// log2 of the bytes that immh tells.
pub fn immhSize(insn: u32) u32 {
    return 31 - @clz(bits(insn, 19, 4) | 1);
}

/// log2 of the bytes of the lane that imm5 names.
pub fn laneSize(insn: u32) u32 {
    return @min(@ctz(bits(insn, 16, 5) | 8), 3);
}

/// log2 of the bytes of a vector register that is loaded or stored.
fn vectorSize(insn: u32) u32 {
    return bits(insn, 23, 1) << 2 | bits(insn, 30, 2);
}

fn relative(pc: u64, words: i64) u64 {
    return pc +% @as(u64, @bitCast(words * 4));
}

/// Prints `operand`; false when it is one of `vectors.zig`.
pub fn write(out: *Out, operand: format.Operand, insn: u32, pc: u64) bool {
    switch (operand) {
        .Dsp => out.register(bit(insn, 31), bits(insn, 0, 5), .sp),
        .Nsp => out.register(bit(insn, 31), bits(insn, 5, 5), .sp),
        .Xnsp => out.register(true, bits(insn, 5, 5), .sp),
        .Bt => out.register(bit(insn, 31), bits(insn, 0, 5), .zero),
        .Us1 => out.register(bit(insn, 30), bits(insn, 16, 5) + 1, .zero),
        .Ut1 => out.register(bit(insn, 30), bits(insn, 0, 5) + 1, .zero),
        .Shifted => shifted(out, insn),
        .Extended => extended(out, insn),
        .Adr => out.hex(pc +% byteOffset(insn)),
        .Page => out.hex((pc & ~@as(u64, 0xfff)) +% (byteOffset(insn) << 12)),
        .To14 => out.hex(relative(pc, signed(insn, 5, 14))),
        .To19 => out.hex(relative(pc, signed(insn, 5, 19))),
        .To26 => out.hex(relative(pc, signed(insn, 0, 26))),
        .Imm12 => {
            out.hex(bits(insn, 10, 12));
            if (bit(insn, 22)) out.text(", lsl #12");
        },
        .Imm16 => out.hex(bits(insn, 5, 16)),
        .Imm5 => out.hex(bits(insn, 16, 5)),
        .Nzcv => out.hex(bits(insn, 0, 4)),
        .Mask => out.hex(mask(insn)),
        .Wide => wide(out, insn),
        .Wide16 => {
            out.hex(bits(insn, 5, 16));
            lsl(out, 16 * bits(insn, 21, 2));
        },
        .Immr => out.decimal(bits(insn, 16, 6)),
        .Imms => out.decimal(bits(insn, 10, 6)),
        .Lsb => out.decimal((width(insn) - bits(insn, 16, 6)) % width(insn)),
        .Width => out.decimal(bits(insn, 10, 6) + 1 - (if (inserts(insn)) 0 else bits(insn, 16, 6))),
        .Lsb6 => out.decimal(bits(insn, 15, 6)),
        .Bit => out.decimal(bits(insn, 31, 1) << 5 | bits(insn, 19, 5)),
        .Fbits => out.decimal(64 - bits(insn, 10, 6)),
        .Crm => if (bits(insn, 8, 4) != 15) {
            out.text(" #");
            out.hex(bits(insn, 8, 4));
        },
        .Cond => out.text(names.condition[bits(insn, 12, 4)]),
        .Ncond => out.text(names.condition[bits(insn, 12, 4) ^ 1]),
        .Bcond => out.text(names.condition[bits(insn, 0, 4)]),
        .Hint => names.hint(out, bits(insn, 5, 7)),
        .Barrier => names.barrier(out, bits(insn, 8, 4)),
        .Flagm => out.text(names.flag_manipulation[bits(insn, 5, 2)]),
        .Sys => names.system(out, insn),
        .Sysreg => names.systemRegister(out, insn),
        .Prfop => names.prefetch(out, bits(insn, 0, 5)),
        .Size => out.text(names.unsigned_size[bits(insn, 30, 2)]),
        .Signed => out.char("bhw?"[bits(insn, 30, 2)]),
        .Order => order(out, bit(insn, 23), bit(insn, 22)),
        .Order22 => order(out, bit(insn, 22), bit(insn, 15)),
        .Off7r => offset(out, signed(insn, 15, 7) << (if (bit(insn, 31)) 3 else 2)),
        .Off7w => offset(out, signed(insn, 15, 7) << 2),
        .Off7v => offset(out, signed(insn, 15, 7) << @intCast(2 + bits(insn, 30, 2))),
        .Imm7r => out.decimal(signed(insn, 15, 7) << (if (bit(insn, 31)) 3 else 2)),
        .Imm7w => out.decimal(signed(insn, 15, 7) << 2),
        .Imm7v => out.decimal(signed(insn, 15, 7) << @intCast(2 + bits(insn, 30, 2))),
        .Off9 => offset(out, signed(insn, 12, 9)),
        .Off12 => offset(out, @as(i64, bits(insn, 10, 12)) << @intCast(bits(insn, 30, 2))),
        .Off12v => offset(out, @as(i64, bits(insn, 10, 12)) << @intCast(vectorSize(insn))),
        .Indexed => indexed(out, insn),
        .Index => index(out, insn, bits(insn, 30, 2)),
        .Indexv => index(out, insn, vectorSize(insn)),
        else => return false,
    }
    return true;
}

fn byteOffset(insn: u32) u64 {
    return @bitCast(signed(insn, 5, 19) << 2 | bits(insn, 29, 2));
}

fn width(insn: u32) u32 {
    return if (bit(insn, 31)) 64 else 32;
}

fn mask(insn: u32) u64 {
    const both = fields.bitMasks(bits(insn, 22, 1), bits(insn, 10, 6), bits(insn, 16, 6), true) orelse return 0;
    return if (bit(insn, 31)) both.wmask else both.wmask & 0xffff_ffff;
}

/// The value of MOVZ and MOVN; a small negative one as such.
fn wide(out: *Out, insn: u32) void {
    const part = @as(u64, bits(insn, 5, 16)) << @intCast(16 * bits(insn, 21, 2));
    if (bit(insn, 30)) return out.hex(part);
    if (bits(insn, 21, 2) == 0) return out.decimal(-1 - @as(i64, @intCast(part)));
    out.hex(if (bit(insn, 31)) ~part else ~part & 0xffff_ffff);
}

fn lsl(out: *Out, amount: u32) void {
    if (amount == 0) return;
    out.text(", lsl #");
    out.decimal(amount);
}

fn shifted(out: *Out, insn: u32) void {
    out.register(bit(insn, 31), bits(insn, 16, 5), .zero);
    const kind = bits(insn, 22, 2);
    if (kind == 0) return lsl(out, bits(insn, 10, 6));
    out.text(", ");
    out.text(names.shift[kind]);
    out.text(" #");
    out.decimal(bits(insn, 10, 6));
}

fn extended(out: *Out, insn: u32) void {
    const option = bits(insn, 13, 3);
    const amount = bits(insn, 10, 3);
    out.register(bit(insn, 31) and option & 3 == 3, bits(insn, 16, 5), .zero);
    const to_sp = !bit(insn, 29) and bits(insn, 0, 5) == 31;
    if ((to_sp or bits(insn, 5, 5) == 31) and option == 2 + bits(insn, 31, 1)) return lsl(out, amount);
    out.text(", ");
    out.text(names.extend[option]);
    if (amount == 0) return;
    out.text(" #");
    out.decimal(amount);
}

fn order(out: *Out, acquire: bool, release: bool) void {
    if (acquire) out.char('a');
    if (release) out.char('l');
}

fn offset(out: *Out, value: i64) void {
    if (value == 0) return;
    out.text(", #");
    out.decimal(value);
}

/// [base], #offset or [base, #offset]!
fn indexed(out: *Out, insn: u32) void {
    const before = bit(insn, 11);
    out.char('[');
    out.register(true, bits(insn, 5, 5), .sp);
    out.text(if (before) ", #" else "], #");
    out.decimal(signed(insn, 12, 9));
    if (before) out.text("]!");
}

fn index(out: *Out, insn: u32, scale: u32) void {
    const option = bits(insn, 13, 3);
    const shifts = bit(insn, 12);
    out.register(option & 1 == 1, bits(insn, 16, 5), .zero);
    if (option == 3 and !shifts) return;
    out.text(", ");
    out.text(if (option == 3) "lsl" else names.extend[option]);
    if (!shifts) return;
    out.text(" #");
    out.decimal(scale);
}

/// Of the bitfield instructions: the field goes up, not down.
fn inserts(insn: u32) bool {
    return bits(insn, 10, 6) < bits(insn, 16, 6);
}

fn extends(insn: u32, last: u32) bool {
    return bits(insn, 16, 6) == 0 and bits(insn, 10, 6) == last;
}

/// MOVZ or MOVN can do it, and assemblers make those of the alias. DIFFERS: the Arm ARM's MoveWidePreferred leaves out inverted values of 15 and 16 bits.
fn moveWidePreferred(insn: u32) bool {
    const value = mask(insn);
    const inverted = if (bit(insn, 31)) ~value else ~value & 0xffff_ffff;
    return isHalfword(value) or isHalfword(inverted);
}

/// Nothing but one of its four halfwords is not zero.
fn isHalfword(value: u64) bool {
    for (0..4) |i| {
        if (value & ~(@as(u64, 0xffff) << @intCast(16 * i)) == 0) return true;
    }
    return false;
}

pub fn holds(condition: format.Condition, insn: u32) bool {
    const d = fields.rd(insn);
    const n = fields.rn(insn);
    const m = fields.rm(insn);
    const wide_part = bits(insn, 5, 16) != 0 or bits(insn, 21, 2) == 0;
    return switch (condition) {
        .MovSp => bits(insn, 10, 13) == 0 and (d == 31 or n == 31),
        .MovMask => n == 31 and !moveWidePreferred(insn),
        .MovNot => wide_part and (bit(insn, 31) or bits(insn, 5, 16) != 0xffff),
        .MovWide => wide_part,
        .MovReg => n == 31 and bits(insn, 10, 6) == 0 and bits(insn, 22, 2) == 0,
        .MovLane => laneSize(insn) == 2 + bits(insn, 30, 1),
        .D31 => d == 31,
        .N31 => n == 31,
        .N30 => n == 30,
        .A31 => fields.ra(insn) == 31,
        .NisM => n == m,
        .ToTop => bits(insn, 10, 6) == width(insn) - 1,
        .Byte => extends(insn, 7),
        .Half => extends(insn, 15),
        .Word => extends(insn, 31),
        .Byte32 => !bit(insn, 31) and extends(insn, 7),
        .Half32 => !bit(insn, 31) and extends(insn, 15),
        .Insert => inserts(insn),
        .InsertZero => n == 31 and inserts(insn),
        .LeftShift => bits(insn, 10, 6) + 1 == bits(insn, 16, 6),
        .Set => n == 31 and m == 31 and bits(insn, 13, 3) != 7,
        .Same => n == m and n != 31 and bits(insn, 13, 3) != 7,
        .SameAny => n == m and bits(insn, 13, 3) != 7,
        .Narrow => !bit(insn, 31),
        .Store => !bit(insn, 23) and d == 31,
        .Size3 => bits(insn, 30, 2) == 3,
        .Bit22 => bit(insn, 22),
        .Bit23 => bit(insn, 23),
        .NoShift => @popCount(bits(insn, 16, 7)) == 1,
        .Ssbb => bits(insn, 8, 4) == 0,
        .Pssbb => bits(insn, 8, 4) == 4,
    };
}
