//! Runs a task one instruction at a time and writes a line for each: the task, its address, its text, and which registers it changed and to what. For
//! `carrick trace --instructions`. Whichever engine there is does the steps.

const std = @import("std");
const abi = @import("../abi.zig");
const disasm = @import("disasm/disasm.zig");
const mem = @import("../mem/mem.zig");

const Block = abi.RegisterBlock;

/// More than the text and all registers that one instruction can change.
const line_max = 640;
/// Where the registers begin.
const registers_column = 72;

const n_bit: u6 = 31;

/// Steps the task of `b` by `enter`, until something else happens (then `b.exit` says what), `budget` instructions are done or the next line might not
/// fit into `out`. The lines' length. An instruction that did not come to its end, because of a fault for example, has none.
pub fn run(b: *Block, budget: u32, tid: u32, out: []u8, comptime enter: fn (b: *Block, budget: u32) i32) usize {
    const own = b.single_step;
    b.single_step = 1;
    defer b.single_step = own;
    var len: usize = 0;
    for (0..budget) |_| {
        if (len + line_max > out.len) break;
        if (@atomicRmw(u32, &b.stop, .Xchg, 0, .monotonic) != 0) {
            b.exit = @intFromEnum(abi.Exit.kicked);
            return len;
        }
        const before = b.*;
        const word = wordAt(b.space, before.pc);
        const exit: abi.Exit = @enumFromInt(enter(b, 1));
        b.exit = @intFromEnum(exit);
        if (exit != .step and exit != .syscall) return len;
        len += line(out[len..], tid, word orelse 0, &before, b);
        if (exit == .syscall or own != 0) return len;
    }
    b.exit = @intFromEnum(abi.Exit.budget);
    return len;
}

/// The instruction at `pc`, or null where there is none that could be executed.
pub fn wordAt(space: u32, pc: u64) ?u32 {
    if (pc & 3 != 0) return null;
    const at = mem.translate(space, pc, .exec) orelse return null;
    return std.mem.readInt(u32, at.ptr[0..4], .little);
}

const Line = struct {
    out: []u8,
    len: usize = 0,

    fn print(l: *Line, comptime format: []const u8, values: anytype) void {
        l.len += (std.fmt.bufPrint(l.out[l.len..], format, values) catch return).len;
    }
};

fn line(out: []u8, tid: u32, word: u32, before: *const Block, after: *const Block) usize {
    var text: [disasm.longest]u8 = undefined;
    var l: Line = .{ .out = out };
    l.print("[pid {d:>5}] 0x{x}  {s}", .{ tid, before.pc, disasm.text(word, before.pc, &text) });
    const unchanged = l.len;
    while (l.len < registers_column) l.print(" ", .{});
    const first = l.len;
    for (&before.x, &after.x, 0..) |x, y, i| {
        if (x != y) l.print(" x{d}=0x{x}", .{ i, y });
    }
    if (before.sp != after.sp) l.print(" sp=0x{x}", .{after.sp});
    if (before.pstate >> 28 != after.pstate >> 28) {
        l.print(" nzcv=", .{});
        for ("nzcv", "NZCV", 0..) |clear, set, i| {
            const is_set = after.pstate >> @intCast(n_bit - i) & 1 != 0;
            l.print("{c}", .{if (is_set) set else clear});
        }
    }
    for (&before.v, &after.v, 0..) |x, y, i| {
        if (x[0] != y[0] or x[1] != y[1]) l.print(" v{d}=0x{x}", .{ i, @as(u128, y[1]) << 64 | y[0] });
    }
    if (l.len == first) l.len = unchanged;
    l.print("\n", .{});
    return l.len;
}
