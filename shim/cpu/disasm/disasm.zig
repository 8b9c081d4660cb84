//! A64 instructions as people read them, in the syntax of the Arm ARM (DDI 0487, C3.2 and C6, C7), with the aliases that it prefers. The
//! tables tell what a word is and how its text goes (`format.zig`), the interpreter whether it is one at all. Numbers are hex where they
//! are values or addresses and decimal where they count bytes, bits or lanes.
//! DIFFERS from an assembler's output: branches, ADR, ADRP and literals show the address that they mean.

const std = @import("std");
const decoder = @import("../decoder.zig");
const format = @import("format.zig");
const operands = @import("operands.zig");
const out_file = @import("out.zig");
const simd = @import("../simd/simd.zig");
const table_int = @import("../table_int.zig");
const translate = @import("../interp/translate.zig");
const vectors = @import("vectors.zig");

/// What `text` writes at most.
pub const longest = out_file.longest;
const Out = out_file.Out;

/// UDF, an instruction that is never one: in no table, since nobody executes it.
const udf_last = 0xffff;

/// The instruction `insn` at `pc` as text; `.inst 0x...` when there is none that is so.
pub fn text(insn: u32, pc: u64, buffer: *[longest]u8) []const u8 {
    var out: Out = .{ .buffer = buffer };
    if (codeOf(insn)) |code| {
        write(&out, code, insn, pc);
    } else if (insn <= udf_last) {
        out.text("udf #");
        out.hex(insn);
    } else {
        out.text(".inst ");
        out.hex(insn);
    }
    return buffer[0..out.len];
}

fn codeOf(insn: u32) ?[]const u8 {
    if (decoder.isSimd(insn)) {
        const row = simd.find(insn) orelse return null;
        return if (translate.allocated(insn)) format.ofSimd(row) else null;
    }
    const row = decoder.find(insn) orelse return null;
    const named = switch (table_int.rows[row].class) {
        // Registers and operations that this CPU, or EL0, does not have are instructions nevertheless.
        .sys, .msr, .mrs => true,
        else => translate.allocated(insn),
    };
    return if (named) format.ofInt(row) else null;
}

fn write(out: *Out, code: []const u8, insn: u32, pc: u64) void {
    var at: usize = 0;
    while (true) {
        const byte = code[at];
        at += 1;
        if (byte == format.end) return;
        if (byte == format.alias) {
            const holds = operands.holds(@enumFromInt(code[at]), insn);
            at += if (holds) 2 else 2 + code[at + 1];
        } else if (byte >= format.first_operand) {
            const operand: format.Operand = @enumFromInt(byte - format.first_operand);
            if (!operands.write(out, operand, insn, pc)) vectors.write(out, operand, insn);
        } else if (byte < ' ') {
            operands.register(out, @enumFromInt(byte - format.first_register), insn, @intCast(code[at]));
            at += 1;
        } else {
            out.char(byte);
        }
    }
}

test "texts and aliases" {
    var buffer: [longest]u8 = undefined;
    const eq = std.testing.expectEqualStrings;
    try eq("add x0, sp, #0x10", text(0x910043e0, 0, &buffer));
    try eq("ldp x29, x30, [sp, #-32]!", text(0xa9fe7bfd, 0, &buffer));
    try eq("stp x29, x30, [sp, #-16]!", text(0xa9bf7bfd, 0, &buffer));
    try eq("cbz w3, 0x400580", text(0x34000043, 0x400578, &buffer));
    try eq("fmla v0.4s, v1.4s, v2.s[1]", text(0x4fa21020, 0, &buffer));
    try eq("dc zva, x0", text(0xd50b7420, 0, &buffer));
    try eq("mov x29, sp", text(0x910003fd, 0, &buffer));
    try eq("ret", text(0xd65f03c0, 0, &buffer));
    try eq("udf #0x0", text(0, 0, &buffer));
    try eq(".inst 0xffffffff", text(0xffffffff, 0, &buffer));
}
