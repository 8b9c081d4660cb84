//! Finds the handler of a floating-point or SIMD data-processing instruction: table row first, then the row's own
//! choice by size, Q and so on.

const abi = @import("../../abi.zig");
const table = @import("../table_simd.zig");
const sel = @import("select.zig");
const x86 = @import("../x86.zig");

const chapters = .{
    @import("scalar_fp.zig"),
    @import("fp_convert.zig"),
    @import("copy.zig"),
    @import("three_same.zig"),
    @import("two_misc.zig"),
    @import("three_diff.zig"),
    @import("shift_imm.zig"),
    @import("permute.zig"),
    @import("across.zig"),
    @import("fp_vector.zig"),
    @import("fp_vector_convert.zig"),
    @import("by_element.zig"),
    @import("extensions.zig"),
    @import("crypto.zig"),
};

pub const Fn = sel.Fn;

/// The handler of `insn`, made by `wrap` from the function specialised for its fields; null when it is not allocated.
pub fn lookup(comptime H: type, comptime wrap: fn (comptime f: fn (r: *abi.RegisterBlock, insn: u32) void) H, insn: u32) ?H {
    x86.probe();
    const index = find(insn) orelse return null;
    return selectors(sel.Selector(H, wrap))[index](insn);
}

/// Row of the table that `insn` matches.
pub fn find(insn: u32) ?usize {
    const key = bucketOf(insn);
    for (order[starts[key]..starts[key + 1]]) |index| {
        if (insn & masks[index].care == masks[index].value) return index;
    }
    return null;
}

const Mask = struct { care: u32, value: u32 };

const masks: [table.rows.len]Mask = blk: {
    @setEvalBranchQuota(table.rows.len * 200);
    var all: [table.rows.len]Mask = undefined;
    for (&all, table.rows) |*mask, row| {
        if (row.pattern.len != 32) @compileError("pattern of " ++ row.name);
        mask.* = .{ .care = 0, .value = 0 };
        for (row.pattern) |c| {
            mask.care = mask.care << 1 | @intFromBool(c == '0' or c == '1');
            mask.value = mask.value << 1 | @intFromBool(c == '1');
        }
    }
    break :blk all;
};

/// The bits that tell most rows apart: 28, 24 and 15..10.
const key_mask: u32 = 1 << 28 | 1 << 24 | 0x3f << 10;

fn bucketOf(insn: u32) usize {
    return (insn >> 28 & 1) << 7 | (insn >> 24 & 1) << 6 | (insn >> 10 & 0x3f);
}

fn scatter(bucket: usize) u32 {
    const b: u32 = @intCast(bucket);
    return b >> 7 << 28 | (b >> 6 & 1) << 24 | (b & 0x3f) << 10;
}

const starts: [257]u16 = index_tables.starts;
const order = index_tables.order[0..index_tables.starts[256]].*;

const index_tables = blk: {
    @setEvalBranchQuota(257 * (table.rows.len * 12 + 100));
    var first: [257]u16 = undefined;
    var list: [table.rows.len * 64]u16 = undefined;
    var count: u16 = 0;
    for (0..256) |bucket| {
        first[bucket] = count;
        const word = scatter(bucket);
        for (masks, 0..) |mask, index| {
            if ((word ^ mask.value) & mask.care & key_mask == 0) {
                list[count] = index;
                count += 1;
            }
        }
    }
    first[256] = count;
    break :blk .{ .starts = first, .order = list };
};

/// One `select` for each row of the table.
fn selectors(comptime S: type) *const [table.rows.len]*const fn (u32) ?S.H {
    return comptime blk: {
        @setEvalBranchQuota(table.rows.len * 2000);
        var all: [table.rows.len]*const fn (u32) ?S.H = undefined;
        for (&all, table.rows) |*entry, row| entry.* = selectorOf(S, row.name);
        const final = all;
        break :blk &final;
    };
}

pub fn selectorOf(comptime S: type, comptime name: []const u8) *const fn (u32) ?S.H {
    inline for (chapters) |chapter| {
        if (@hasDecl(chapter.ops, name)) {
            const Op = @field(chapter.ops, name);
            return &struct {
                fn select(insn: u32) ?S.H {
                    return Op.select(S, insn);
                }
            }.select;
        }
    }
    @compileError("no chapter has " ++ name);
}

pub const Flags = enum { none, read, write };

/// Does the instruction read or write NZCV? FCCMP and FCCMPE, which do both, count as `read`; see `writesFlags`.
pub fn usesFlags(insn: u32) Flags {
    if (insn & 0xff200c00 == 0x1e200400 or insn & 0xff200c00 == 0x1e200c00) return .read;
    return if (writesFlags(insn)) .write else .none;
}

/// FCMP, FCMPE, FCCMP, FCCMPE and FJCVTZS.
pub fn writesFlags(insn: u32) bool {
    return insn & 0xff200c00 == 0x1e200400 or insn & 0xff20fc07 == 0x1e202000 or insn & 0xfffffc00 == 0x1e7e0000;
}
