//! The texts of the instruction tables, made into bytes at compile time. A text is what Arm's manual calls the assembler syntax:
//! lower-case letters and signs stand for themselves, an upper-case letter with the lower-case letters and digits behind it names an operand
//! (`Operand`, or one of `Register` and a field of the word). Aliases go in front, each behind its condition: `D31? cmp Nsp, #Imm12; subs Rd, Nsp, #Imm12`.
//! A row without a text, or with a name in it that nobody knows, does not compile.

const std = @import("std");
const table_int = @import("../table_int.zig");
const table_simd = @import("../table_simd.zig");

/// Registers whose kind or width the word tells. The letter behind names the field: d, n, m, a, s, t, u.
pub const Register = enum(u8) {
    /// General ones, 31 being zero: by bit 31, x, w, x when bits 31..30 are 3, by bit 30, x when the lane of imm5 is a doubleword.
    R,
    X,
    W,
    Z,
    U,
    K,
    /// v0, s0, d0, h0, q0; by ftype; by bit 22; by size; one larger than size; by immh; one larger than immh; by imm5.
    V,
    S,
    D,
    H,
    Q,
    F,
    G,
    E,
    L,
    I,
    J,
    O,
    /// Loaded and stored: by bits 31..30, from s on; by bits 23 and 31..30, from b on.
    M,
    Y,
};

/// What is not a register by its field alone. `operands.zig` prints the general ones, `vectors.zig` those of vectors.
// zig fmt: off
pub const Operand = enum(u8) {
    // Registers.
    Dsp, Nsp, Xnsp, Bt, Us1, Ut1, Shifted, Extended,
    // Numbers.
    Adr, Page, To14, To19, To26, Imm12, Imm16, Imm5, Nzcv, Mask, Wide, Wide16, Immr, Imms, Lsb, Width, Lsb6, Bit, Fbits, Crm,
    // Names.
    Cond, Ncond, Bcond, Hint, Barrier, Flagm, Sys, Sysreg, Prfop, Size, Signed, Order, Order22,
    // Addresses.
    Off7r, Off7w, Off7v, Imm7r, Imm7w, Imm7v, Off9, Off12, Off12v, Indexed, Index, Indexv,
    // Lists of vectors in memory instructions.
    Many, Manypost, List, One, Onepost, Lane,
    // Arrangements: by size and Q, bytes, halves, by bit 22, words; one wider, pairs' sums; by imm5, immh, one wider than immh; of FCVTL; of FMLAL; of pairs.
    T, T8, T4, Tz, Ts, Tw, Tp, Td, Ti, Tj, Tv, Tn, Tm, T2,
    // Lanes and what else vectors have.
    Te, Idx5, Idx4, Q2, Shll, Shl, Shr, Ext, Table, Elem, Elemf, Elemh, Elemc, Elem4b, Rot1, Rot2, Rote, Fpimm, Modified,
};
// zig fmt: on

/// When an alias is the preferred text.
// zig fmt: off
pub const Condition = enum(u8) {
    MovSp, MovMask, MovNot, MovWide, MovReg, MovLane, D31, N31, N30, A31, NisM, ToTop, Byte, Half, Word, Byte32, Half32,
    Insert, InsertZero, LeftShift, Set, Same, SameAny, Narrow, Store, Size3, Bit22, Bit23, NoShift, Ssbb, Pssbb,
};
// zig fmt: on

/// A text in bytes: printable ones stand for themselves.
pub const end = 0;
/// Followed by the condition and the length of what to skip when it does not hold.
pub const alias = 1;
/// Plus a `Register`, followed by the lowest bit of its field.
pub const first_register = 2;
/// Plus an `Operand`.
pub const first_operand = 0x80;

comptime {
    std.debug.assert(first_register + std.enums.values(Register).len <= ' ');
    std.debug.assert(std.enums.values(Operand).len <= 0x80);
}

const all_rows = table_int.rows.len + table_simd.rows.len;

/// All texts, one behind the other, without a pointer that the loader would have to look at.
const Compiled = struct { starts: [all_rows]u16, bytes: [bytes_max]u8, len: usize };
const bytes_max = 40 * all_rows;

const compiled: Compiled = blk: {
    @setEvalBranchQuota(all_rows * 20000);
    var out: Compiled = .{ .starts = undefined, .bytes = undefined, .len = 0 };
    for (table_int.rows, 0..) |row, i| add(&out, i, row.name, row.text);
    for (table_simd.rows, table_int.rows.len..) |row, i| add(&out, i, row.name, row.text);
    break :blk out;
};

const starts = compiled.starts;
const bytes: [compiled.len]u8 = compiled.bytes[0..compiled.len].*;

/// The text of a row, up to its `end` and beyond.
pub fn ofInt(row: usize) []const u8 {
    return bytes[starts[row]..];
}

pub fn ofSimd(row: usize) []const u8 {
    return bytes[starts[table_int.rows.len + row]..];
}

fn add(comptime out: *Compiled, comptime index: usize, comptime name: []const u8, comptime text: []const u8) void {
    if (text.len == 0) @compileError(name ++ " has no text");
    out.starts[index] = out.len;
    var rest = text;
    while (std.mem.indexOf(u8, rest, "; ")) |semicolon| {
        const question = std.mem.indexOf(u8, rest, "? ") orelse @compileError(name ++ ": an alias without a condition");
        // `std.meta.stringToEnum` would take minutes in all.
        if (!@hasField(Condition, rest[0..question])) @compileError(name ++ ": no condition " ++ rest[0..question]);
        const condition = @field(Condition, rest[0..question]);
        put(out, alias);
        put(out, @intFromEnum(condition));
        const length = out.len;
        put(out, 0);
        one(out, name, rest[question + 2 .. semicolon]);
        out.bytes[length] = out.len - length - 1;
        rest = rest[semicolon + 2 ..];
    }
    one(out, name, rest);
}

fn one(comptime out: *Compiled, comptime name: []const u8, comptime text: []const u8) void {
    var at: usize = 0;
    while (at < text.len) {
        const from = at;
        at += 1;
        if (!std.ascii.isUpper(text[from])) {
            put(out, text[from]);
            continue;
        }
        while (at < text.len and (std.ascii.isLower(text[at]) or std.ascii.isDigit(text[at]))) at += 1;
        const word = text[from..at];
        if (@hasField(Operand, word)) {
            put(out, first_operand + @intFromEnum(@field(Operand, word)));
            continue;
        }
        if (word.len != 2 or !@hasField(Register, word[0..1])) @compileError(name ++ ": no operand " ++ word);
        put(out, first_register + @intFromEnum(@field(Register, word[0..1])));
        put(out, switch (word[1]) {
            'd', 't' => 0,
            'n' => 5,
            'a', 'u' => 10,
            'm', 's' => 16,
            else => @compileError(name ++ ": no field " ++ word),
        });
    }
    put(out, end);
}

fn put(comptime out: *Compiled, comptime byte: u8) void {
    out.bytes[out.len] = byte;
    out.len += 1;
}
