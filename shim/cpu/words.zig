//! Instruction words as people read them: the name of the row of the table that a word matches, and its fields.

const std = @import("std");
const decoder = @import("decoder.zig");
const simd = @import("simd/simd.zig");
const table_int = @import("table_int.zig");
const table_simd = @import("table_simd.zig");

/// What `text` writes at most.
pub const longest = 96;

/// The word as text, e.g. `LDSTP_pre i=126 u=30 n=31 t=29`.
pub fn text(insn: u32, out: *[longest]u8) []const u8 {
    const pattern, const name = rowOf(insn) orelse return "undefined";
    var length: usize = 0;
    put(out, &length, name);
    for (pattern, 0..) |letter, i| {
        if (letter == '0' or letter == '1' or letter == 'x') continue;
        if (std.mem.findScalar(u8, pattern[0..i], letter) != null) continue;
        var digits: [12]u8 = undefined;
        put(out, &length, std.fmt.bufPrint(&digits, " {c}={d}", .{ letter, field(pattern, letter, insn) }) catch unreachable);
    }
    return out[0..length];
}

fn rowOf(insn: u32) ?struct { []const u8, []const u8 } {
    if (decoder.isSimd(insn)) {
        const row = table_simd.rows[simd.find(insn) orelse return null];
        return .{ row.pattern, row.name };
    }
    const row = table_int.rows[decoder.find(insn) orelse return null];
    return .{ row.pattern, row.name };
}

/// All bits of one letter, put together.
fn field(pattern: []const u8, letter: u8, insn: u32) u32 {
    var value: u32 = 0;
    for (pattern, 0..) |c, i| {
        if (c == letter) value = value << 1 | (insn >> @intCast(31 - i) & 1);
    }
    return value;
}

fn put(out: *[longest]u8, length: *usize, more: []const u8) void {
    const n = @min(more.len, out.len - length.*);
    @memcpy(out[length.*..][0..n], more[0..n]);
    length.* += n;
}

test "words have names and fields" {
    var out: [longest]u8 = undefined;
    const eq = std.testing.expectEqualStrings;
    try eq("ADD_imm f=1 h=0 i=16 n=31 d=0", text(0x910043e0, &out));
    try eq("FMUL t=1 m=2 n=1 d=0", text(0x1e620820, &out));
    try eq("undefined", text(0, &out));
}
