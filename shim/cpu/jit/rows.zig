//! What becomes of each row of the SIMD table: which function translates it, and which of the interpreter's does what is not translated.

const flush = @import("flush_to_zero.zig");
const fp = @import("fp.zig");
const layout = @import("layout.zig");
const service = @import("service.zig");
const table = @import("../simd/simd.zig");
const table_simd = @import("../table_simd.zig");
const vectors = @import("simd.zig");
const Translator = @import("translate.zig").Translator;

/// What translates a row of the SIMD table to the host's instructions. `guard`: they obey the host's floating-point environment.
pub const Inlined = struct { translate: ?*const fn (t: *Translator, insn: u32) bool = null, guard: ?flush.Guard = null };

const inlined: [table_simd.rows.len]Inlined = blk: {
    @setEvalBranchQuota(table_simd.rows.len * 1000);
    var all: [table_simd.rows.len]Inlined = @splat(.{});
    for (table_simd.rows, 0..) |row, i| {
        for (.{ fp.moves, fp.from_integers } ++ vectors.chapters) |chapter| if (@hasDecl(chapter, row.name)) {
            all[i] = .{ .translate = &@field(chapter, row.name) };
        };
        for (fp.chapters) |chapter| if (@hasDecl(chapter, row.name)) {
            all[i] = .{ .translate = &@field(chapter, row.name), .guard = flush.guardOf(row.name) };
        };
    }
    break :blk all;
};

/// Of an instruction that is defined.
pub fn of(insn: u32) Inlined {
    return inlined[table.find(insn).?];
}

/// The function of a floating-point or SIMD data-processing instruction; null when it is undefined.
pub fn functionOf(insn: u32) ?service.Function {
    return table.lookup(service.Function, exported, insn);
}

fn exported(comptime function: fn (b: *layout.Block, insn: u32) void) service.Function {
    return &struct {
        fn f(b: *layout.Block, insn: u32) callconv(.c) void {
            function(b, insn);
        }
    }.f;
}
