//! CPU threads as the kernel sees them: hand-over and return, kicks, and edits of tables that they use.

const std = @import("std");
const testing = std.testing;
const abi = @import("../abi.zig");
const cpu = @import("exports.zig");
const host = @import("../host/host.zig");
const mem = @import("../mem/exports.zig");

const code = 0x400000;
const data = 0x10000;
const rw = abi.prot_read | abi.prot_write;
const rx = abi.prot_read | abi.prot_exec;

const svc = 0xd4000001; // svc #0
const self = 0x14000000; // b .
const add1 = 0x91000400; // add x0, x0, #1
const load = 0xf9400022; // ldr x2, [x1]
const store = 0xf9000022; // str x2, [x1]
const back1 = 0x17ffffff; // b .-4
const threads = 3;
const forever = 0xf000_0000;

fn newSpace(words: []const u32) !u32 {
    const space: u32 = @intCast(mem.space_create());
    try testing.expectEqual(1, mem.space_map_zero(space, code, 1, rx));
    try testing.expectEqual(2, mem.space_map_zero(space, data, 2, rw));
    const bytes = std.mem.sliceAsBytes(words);
    try testing.expectEqual(@as(i32, @intCast(bytes.len)), mem.user_poke(space, code, @constCast(bytes.ptr), @intCast(bytes.len)));
    return space;
}

fn newBlock(space: u32) *abi.RegisterBlock {
    const block: *abi.RegisterBlock = @ptrFromInt(cpu.cpu_block_create());
    block.space = space;
    block.pc = code;
    block.x[1] = data;
    return block;
}

fn start() !void {
    try testing.expectEqual(0, host.start() & ~@as(i32, 0o777));
    try testing.expectEqual(0, cpu.cpu_engine(0));
    cpu.cpu_reset();
    mem.mem_reset();
    try testing.expectEqual(0, mem.mem_init(0, 64 << 20));
}

fn collect() u32 {
    cpu.cpu_settle();
    const id = cpu.cpu_collect();
    testing.expect(id >= 0) catch unreachable;
    return @intCast(id);
}

test "tasks go out, no more than there are threads, and come back with their exits" {
    try start();
    const space = try newSpace(&.{ add1, svc });
    var blocks: [threads]*abi.RegisterBlock = undefined;
    for (0..200) |round| {
        for (&blocks, 0..) |*block, id| {
            block.* = newBlock(space);
            block.*.x[0] = round;
            try testing.expectEqual(0, cpu.cpu_dispatch(block.*, @intCast(id), 1000, threads));
        }
        const extra = newBlock(space);
        try testing.expectEqual(-11, cpu.cpu_dispatch(extra, threads, 1000, threads));
        cpu.cpu_block_destroy(extra);
        var seen: u32 = 0;
        for (0..threads) |_| seen |= @as(u32, 1) << @intCast(collect());
        try testing.expectEqual((1 << threads) - 1, seen);
        try testing.expectEqual(-1, cpu.cpu_collect());
        for (blocks) |block| {
            try testing.expectEqual(@intFromEnum(abi.Exit.syscall), block.exit);
            try testing.expectEqual(round + 1, block.x[0]);
            cpu.cpu_block_destroy(block);
        }
    }
}

test "a kick ends a loop" {
    try start();
    const block = newBlock(try newSpace(&.{self}));
    defer cpu.cpu_block_destroy(block);
    for (0..50) |_| {
        try testing.expectEqual(0, cpu.cpu_dispatch(block, 7, forever, 1));
        cpu.cpu_kick(block);
        try testing.expectEqual(7, collect());
        try testing.expectEqual(@intFromEnum(abi.Exit.kicked), block.exit);
        try testing.expectEqual(code, block.pc);
    }
}

test "who uses a page that goes stops at it, whatever its TLB knew" {
    try start();
    for ([_]u32{ load, store }) |access| {
        const space = try newSpace(&.{ access, back1 });
        var blocks: [threads]*abi.RegisterBlock = undefined;
        for (0..50) |round| {
            for (&blocks, 0..) |*block, id| {
                block.* = newBlock(space);
                try testing.expectEqual(0, cpu.cpu_dispatch(block.*, @intCast(id), forever, threads));
            }
            for (0..2000) |_| host.threads.relax();
            if (round % 2 == 0) {
                try testing.expectEqual(0, mem.space_unmap(space, data, 1));
            } else {
                try testing.expectEqual(0, mem.space_protect(space, data, 1, 0));
            }
            for (0..threads) |_| _ = collect();
            for (blocks) |block| {
                try testing.expectEqual(@intFromEnum(abi.Exit.fault), block.exit);
                try testing.expectEqual(data, block.fault_addr);
                try testing.expectEqual(code, block.pc);
                cpu.cpu_block_destroy(block);
            }
            _ = mem.space_unmap(space, data, 1);
            try testing.expectEqual(1, mem.space_map_zero(space, data, 1, rw));
        }
    }
}

test "nothing is written to a page after the right to was taken" {
    try start();
    const space = try newSpace(&.{ 0x91000442, store, 0x17fffffe }); // add x2, x2, #1; str; b
    const block = newBlock(space);
    defer cpu.cpu_block_destroy(block);
    for (0..100) |_| {
        try testing.expectEqual(0, cpu.cpu_dispatch(block, 0, forever, threads));
        for (0..1000) |_| host.threads.relax();
        try testing.expectEqual(0, mem.space_protect(space, data, 1, abi.prot_read));
        var before: u64 = 0;
        var after: u64 = 0;
        _ = mem.user_in(space, data, std.mem.asBytes(&before), 8);
        for (0..1000) |_| host.threads.relax();
        _ = mem.user_in(space, data, std.mem.asBytes(&after), 8);
        try testing.expectEqual(before, after);
        _ = collect();
        try testing.expectEqual(@intFromEnum(abi.Exit.fault), block.exit);
        try testing.expectEqual(0, mem.space_protect(space, data, 1, rw));
    }
}
