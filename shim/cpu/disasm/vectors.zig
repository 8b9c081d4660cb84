//! Arrangements, lanes, lists and immediates of vector instructions in texts.

const fields = @import("../interp/fields.zig");
const format = @import("format.zig");
const operands = @import("operands.zig");
const Out = @import("out.zig").Out;

const bit = fields.bit;
const bits = fields.bits;

/// Prints an operand that `operands.write` does not know.
pub fn write(out: *Out, operand: format.Operand, insn: u32) void {
    const full = bit(insn, 30);
    const size = bits(insn, 22, 2);
    const immh = operands.immhSize(insn);
    switch (operand) {
        .T => arrangement(out, size, full),
        .T8 => arrangement(out, 0, full),
        .T4 => arrangement(out, 1, full),
        .Tz => arrangement(out, 2 + bits(insn, 22, 1), full),
        .Ts => arrangement(out, 2, full),
        .Tw => arrangement(out, size + 1, true),
        .Tp => arrangement(out, size + 1, full),
        .Td => arrangement(out, operands.laneSize(insn), full),
        .Ti => arrangement(out, immh, full),
        .Tj => arrangement(out, immh + 1, true),
        .Tv => arrangement(out, 2 + bits(insn, 22, 1), true),
        .Tn => arrangement(out, 1 + bits(insn, 22, 1), full),
        .Tm => out.text(if (full) "4h" else "2h"),
        .T2 => out.text(if (bit(insn, 22)) "2d" else "2s"),
        .Te => out.char("bhsd"[operands.laneSize(insn)]),
        .Idx5 => out.decimal(bits(insn, 16, 5) >> @intCast(operands.laneSize(insn) + 1)),
        .Idx4 => out.decimal(bits(insn, 11, 4) >> @intCast(operands.laneSize(insn))),
        .Q2 => if (full) out.char('2'),
        .Shll => out.decimal(@as(i64, 8) << @intCast(size)),
        .Shl => out.decimal(bits(insn, 16, 7) - (@as(u32, 8) << @intCast(immh))),
        .Shr => out.decimal((@as(u32, 16) << @intCast(immh)) - bits(insn, 16, 7)),
        .Ext => out.decimal(bits(insn, 11, 4)),
        .Table => list(out, bits(insn, 5, 5), bits(insn, 13, 2) + 1, "16b"),
        .Elem => if (size == 1) half(out, insn) else word(out, insn, 2),
        .Elemf => word(out, insn, 2 + bits(insn, 22, 1)),
        .Elemh => half(out, insn),
        .Elemc => {
            out.vector('v', bits(insn, 16, 5));
            const high = bits(insn, 11, 1);
            lane(out, size, if (size == 1) high << 1 | bits(insn, 21, 1) else high);
        },
        .Elem4b => {
            out.vector('v', bits(insn, 16, 5));
            out.text(".4b[");
            out.decimal(bits(insn, 11, 1) << 1 | bits(insn, 21, 1));
            out.char(']');
        },
        .Rot1 => out.decimal(@as(i64, 90) + 180 * bits(insn, 12, 1)),
        .Rot2 => out.decimal(90 * bits(insn, 11, 2)),
        .Rote => out.decimal(90 * bits(insn, 13, 2)),
        .Fpimm => float(out, bits(insn, 13, 8)),
        .Modified => modified(out, insn),
        .Many => out.decimal(structures(insn)),
        .List => {
            var name: [3]u8 = undefined;
            list(out, bits(insn, 0, 5), registers(insn), arrangementName(bits(insn, 10, 2), full, &name));
        },
        .Manypost => post(out, insn, registers(insn) * (if (full) @as(u32, 16) else 8)),
        .One => {
            out.decimal(elements(insn));
            if (replicates(insn)) out.char('r');
        },
        .Lane => oneLane(out, insn),
        .Onepost => post(out, insn, elements(insn) << @intCast(lanePlace(insn).size)),
        else => unreachable,
    }
}

/// Lanes of 1 << size bytes that fill 8 or 16.
fn arrangement(out: *Out, size: u32, full: bool) void {
    var name: [3]u8 = undefined;
    out.text(arrangementName(size, full, &name));
}

fn arrangementName(size: u32, full: bool, buffer: *[3]u8) []const u8 {
    const count = (if (full) @as(u32, 16) else 8) >> @intCast(size);
    const tens: usize = @intFromBool(count == 16);
    buffer[0] = '1';
    buffer[tens] = '0' + @as(u8, @intCast(count % 10));
    buffer[tens + 1] = "bhsdq"[size];
    return buffer[0 .. tens + 2];
}

fn lane(out: *Out, size: u32, number: u32) void {
    out.char('.');
    out.char("bhsd"[size]);
    out.char('[');
    out.decimal(number);
    out.char(']');
}

/// A halfword of one of the lower registers: the lane is H:L:M.
fn half(out: *Out, insn: u32) void {
    out.vector('v', bits(insn, 16, 4));
    lane(out, 1, bits(insn, 11, 1) << 2 | bits(insn, 20, 2) >> 1 << 1 | bits(insn, 20, 1));
}

/// A word (lane H:L) or doubleword (H).
fn word(out: *Out, insn: u32, size: u32) void {
    out.vector('v', bits(insn, 16, 5));
    const high = bits(insn, 11, 1);
    lane(out, size, if (size == 2) high << 1 | bits(insn, 21, 1) else high);
}

/// `{ v1.8b, v2.8b }`, counting from 31 on to 0.
fn list(out: *Out, first: u32, count: u32, suffix: []const u8) void {
    out.text("{ ");
    for (0..count) |i| {
        if (i > 0) out.text(", ");
        out.vector('v', (first + @as(u32, @intCast(i))) % 32);
        out.char('.');
        out.text(suffix);
    }
    out.text(" }");
}

/// Of LD1 to LD4 (multiple structures): how many registers, and how many elements each structure has.
fn registers(insn: u32) u32 {
    return switch (bits(insn, 12, 4)) {
        0, 2 => 4,
        4, 6 => 3,
        8, 10 => 2,
        else => 1,
    };
}

fn structures(insn: u32) u32 {
    return if (bit(insn, 13)) 1 else registers(insn);
}

/// Of LD1 to LD4 (single structure).
fn elements(insn: u32) u32 {
    return (bits(insn, 13, 1) << 1 | bits(insn, 21, 1)) + 1;
}

fn replicates(insn: u32) bool {
    return bits(insn, 14, 2) == 3;
}

fn lanePlace(insn: u32) struct { size: u32, number: u32 } {
    const number = bits(insn, 30, 1) << 3 | bits(insn, 12, 1) << 2 | bits(insn, 10, 2);
    return switch (bits(insn, 14, 2)) {
        0 => .{ .size = 0, .number = number },
        1 => .{ .size = 1, .number = number >> 1 },
        2 => if (bit(insn, 10)) .{ .size = 3, .number = number >> 3 } else .{ .size = 2, .number = number >> 2 },
        else => .{ .size = bits(insn, 10, 2), .number = 0 },
    };
}

fn oneLane(out: *Out, insn: u32) void {
    const place = lanePlace(insn);
    if (replicates(insn)) {
        var name: [3]u8 = undefined;
        return list(out, bits(insn, 0, 5), elements(insn), arrangementName(place.size, bit(insn, 30), &name));
    }
    list(out, bits(insn, 0, 5), elements(insn), "bhsd"[place.size .. place.size + 1]);
    out.char('[');
    out.decimal(place.number);
    out.char(']');
}

/// What the base moves on by: a register, or (31) as much as was accessed.
fn post(out: *Out, insn: u32, size: u32) void {
    const m = bits(insn, 16, 5);
    if (m != 31) return out.register(true, m, .zero);
    out.char('#');
    out.decimal(size);
}

/// VFPExpandImm of 8 bits, all its digits. It is a multiple of 1/128 below 32.
fn float(out: *Out, imm8: u32) void {
    if (imm8 & 0x80 != 0) out.char('-');
    const exponent: u5 = @intCast((imm8 >> 4 & 7 ^ 4));
    const value = (16 + (imm8 & 15)) << exponent;
    out.decimal(value / 128);
    out.char('.');
    var rest = value % 128;
    while (true) {
        rest *= 10;
        out.decimal(rest / 128);
        rest %= 128;
        if (rest == 0) break;
    }
}

/// MOVI, MVNI, ORR, BIC and FMOV of an immediate to a vector (Arm ARM, AdvSIMDExpandImm).
fn modified(out: *Out, insn: u32) void {
    const imm8 = bits(insn, 16, 3) << 5 | bits(insn, 5, 5);
    const cmode = bits(insn, 12, 4);
    const inverted = bit(insn, 29);
    const full = bit(insn, 30);
    if (cmode == 15) {
        const size: u32 = if (bit(insn, 11)) 1 else if (inverted) 3 else 2;
        out.text("fmov ");
        target(out, insn, size, full);
        return float(out, imm8);
    }
    if (cmode == 14) {
        out.text("movi ");
        if (inverted and !full) {
            out.vector('d', bits(insn, 0, 5));
            out.text(", #");
        } else {
            target(out, insn, if (inverted) 3 else 0, full);
        }
        return out.hex(if (inverted) spread(imm8) else imm8);
    }
    const logical = cmode & 1 == 1 and cmode < 12;
    out.text(if (logical) (if (inverted) "bic " else "orr ") else if (inverted) "mvni " else "movi ");
    target(out, insn, if (cmode >> 2 == 2) 1 else 2, full);
    out.hex(imm8);
    const amount = if (cmode >= 12) 8 + 8 * (cmode & 1) else if (cmode >= 8) 8 * (cmode >> 1 & 1) else 8 * (cmode >> 1);
    if (amount == 0) return;
    out.text(if (cmode >= 12) ", msl #" else ", lsl #");
    out.decimal(amount);
}

fn target(out: *Out, insn: u32, size: u32, full: bool) void {
    out.vector('v', bits(insn, 0, 5));
    out.char('.');
    arrangement(out, size, full);
    out.text(", #");
}

/// Each bit becomes a byte.
fn spread(imm8: u32) u64 {
    var value: u64 = 0;
    for (0..8) |i| {
        if (imm8 >> @intCast(i) & 1 == 1) value |= @as(u64, 0xff) << @intCast(8 * i);
    }
    return value;
}
