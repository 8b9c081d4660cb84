//! Finds the row of `table_int.zig` that an instruction word matches. The index is built at compile time: 1,024 groups by
//! bits 28..19, in each the rows that can match there, those with more fixed bits first.

const std = @import("std");
const table = @import("table_int.zig");

const Mask = struct { care: u32, value: u32 };

/// Floating-point and SIMD data processing (op0 = x111): the rows of `table_simd.zig`.
pub inline fn isSimd(insn: u32) bool {
    return insn >> 25 & 7 == 7;
}

/// Index into `table_int.rows`, or null when no row matches.
pub fn find(insn: u32) ?usize {
    const group = insn >> shift & (groups - 1);
    for (index.order[index.starts[group]..index.starts[group + 1]]) |i| {
        if ((insn ^ masks[i].value) & masks[i].care == 0) return i;
    }
    return null;
}

pub fn class(insn: u32) ?table.Class {
    return table.rows[find(insn) orelse return null].class;
}

const groups = 1024;
const shift = 19;
const group_mask: u32 = (groups - 1) << shift;

fn maskOf(comptime pattern: []const u8) Mask {
    if (pattern.len != 32) @compileError("pattern of " ++ pattern);
    var mask: Mask = .{ .care = 0, .value = 0 };
    for (pattern) |c| {
        mask.care = mask.care << 1 | @intFromBool(c == '0' or c == '1');
        mask.value = mask.value << 1 | @intFromBool(c == '1');
    }
    return mask;
}

const masks: [table.rows.len]Mask = blk: {
    @setEvalBranchQuota(table.rows.len * 200);
    var all: [table.rows.len]Mask = undefined;
    for (&all, table.rows) |*mask, row| mask.* = maskOf(row.pattern);
    break :blk all;
};

const Index = struct { starts: [groups + 1]u16, order: [order_len]u8 };

/// How many (group, row) pairs there are.
const order_len = blk: {
    var n: usize = 0;
    for (masks) |mask| n += 1 << @popCount(~mask.care & group_mask);
    break :blk n;
};

/// Row numbers, most fixed bits first.
const by_care: [table.rows.len]u8 = blk: {
    @setEvalBranchQuota(table.rows.len * 200);
    var list: [table.rows.len]u8 = undefined;
    var n: usize = 0;
    for (0..33) |free| {
        for (masks, 0..) |mask, i| {
            if (32 - @popCount(mask.care) != free) continue;
            list[n] = i;
            n += 1;
        }
    }
    break :blk list;
};

const index: Index = blk: {
    @setEvalBranchQuota(order_len * 40 + groups * 20);
    var counts: [groups + 1]u16 = @splat(0);
    for (masks) |mask| {
        var sub: u32 = 0;
        while (true) {
            counts[((mask.value & group_mask) | sub) >> shift] += 1;
            sub = (sub -% (~mask.care & group_mask)) & (~mask.care & group_mask);
            if (sub == 0) break;
        }
    }
    var out: Index = undefined;
    var at: u16 = 0;
    for (0..groups + 1) |g| {
        out.starts[g] = at;
        at += counts[g];
    }
    var fill = out.starts;
    for (by_care) |i| {
        const free = ~masks[i].care & group_mask;
        var sub: u32 = 0;
        while (true) {
            const g = ((masks[i].value & group_mask) | sub) >> shift;
            out.order[fill[g]] = i;
            fill[g] += 1;
            sub = (sub -% free) & free;
            if (sub == 0) break;
        }
    }
    break :blk out;
};

fn nameOf(insn: u32) []const u8 {
    return table.rows[find(insn) orelse return "none"].name;
}

test "words find their rows" {
    const eq = std.testing.expectEqualStrings;
    try eq("ADD_imm", nameOf(0x91000420));
    try eq("SVC", nameOf(0xd4000001));
    try eq("none", nameOf(0x00000000));
    try eq("LDSTP_pre", nameOf(0xa9bf7bfd));
    try eq("RET", nameOf(0xd65f03c0));
    try eq("LDAPR", nameOf(0xf8bfc020));
    try eq("SWP", nameOf(0xf8208020));
    try eq("CASP", nameOf(0x48207c82));
    try eq("MRS", nameOf(0xd53bd040));
    try eq("LDR_v", nameOf(0x3dc00000));
}

test "no two rows with as many fixed bits match one word" {
    for (masks, 0..) |a, i| {
        for (masks[i + 1 ..], i + 1..) |b, j| {
            if (a.care == b.care and a.value == b.value) {
                std.debug.print("{s} and {s}\n", .{ table.rows[i].name, table.rows[j].name });
                return error.SamePattern;
            }
        }
    }
}
