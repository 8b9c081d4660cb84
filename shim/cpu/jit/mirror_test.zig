//! Guest code that knows where the host's memory lies, seen from the mirror, and reaches nothing of it.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;
const abi = @import("../../abi.zig");
const cpu = @import("../exports.zig");
const mem = @import("../../mem/exports.zig");
const mirror = @import("mirror.zig");

const code = 0x400000;
const data = 0x10000;
const secret = 0x5ec2e7_5ec2e7;
const svc = 0xd4000001;

/// The host's, and not a page of any guest.
var hosts: [64]u64 align(64) = @splat(secret);

/// Ways to access what x0 says, or x0 and x3, which is 0, or x0 and sp or x1, which are memory of the guest's.
const Way = struct { words: []const u32, from: u64 = 0 };
const ways = [_]Way{
    .{ .words = &.{0xf9400002} }, // ldr x2, [x0]
    .{ .words = &.{0xf9000002} }, // str x2, [x0]
    .{ .words = &.{0xf8408402} }, // ldr x2, [x0], #8
    .{ .words = &.{0xf8408c02} }, // ldr x2, [x0, #8]!
    .{ .words = &.{0xa9400802} }, // ldp x2, x2, [x0]
    .{ .words = &.{0xa9000802} }, // stp x2, x2, [x0]
    .{ .words = &.{0x3dc00002} }, // ldr q2, [x0]
    .{ .words = &.{0x3d800002} }, // str q2, [x0]
    .{ .words = &.{0xf8636802} }, // ldr x2, [x0, x3]
    .{ .words = &.{0xf8606862} }, // ldr x2, [x3, x0]
    .{ .words = &.{0xf8236802} }, // str x2, [x0, x3]
    .{ .words = &.{0xb8604862} }, // ldr w2, [x3, w0, uxtw]
    .{ .words = &.{ 0x12000884, 0xf8647802 } }, // and w4, w4, #7; ldr x2, [x0, x4, lsl #3]
    .{ .words = &.{ 0xf9400022, 0x8b000021, 0xf9400022 }, .from = data }, // ldr x2, [x1]; add x1, x1, x0; ldr x2, [x1]
    .{ .words = &.{ 0xf9400022, 0xaa0003e1, 0xf9000022 } }, // ldr x2, [x1]; mov x1, x0; str x2, [x1]
    .{ .words = &.{ 0x9100001f, 0xf94003e2 } }, // mov sp, x0; ldr x2, [sp]
    .{ .words = &.{ 0x9100001f, 0xf90003e2 } }, // mov sp, x0; str x2, [sp]
    .{ .words = &.{ 0x9100001f, 0x14000001, 0xa9bf0be2 } }, // mov sp, x0; b .+4; stp x2, x2, [sp, #-16]!
    .{ .words = &.{ 0x8b2063ff, 0xf94003e2 }, .from = data + 0x800 }, // add sp, sp, x0; ldr x2, [sp]
    .{ .words = &.{ 0xd2800143, 0xf9400002, 0xf1000463, 0x54ffffc1 } }, // mov x3, #10; ldr x2, [x0]; subs x3, x3, #1; b.ne .-8
    // mov x3, #1000; ldr x2, [x1]; cmp x3, #2; csel x1, x0, x1, eq; subs x3, x3, #1; b.ne .-16
    .{ .words = &.{ 0xd2807d03, 0xf9400022, 0xf100087f, 0x9a810001, 0xf1000463, 0x54ffff81 } },
};

test "a guest that knows where the host's memory is does not reach it" {
    if (builtin.cpu.arch != .x86_64) return;
    mirror.force();
    try testing.expectEqual(0, cpu.cpu_engine(1));
    cpu.cpu_reset();
    mem.mem_reset();
    try testing.expectEqual(0, mem.mem_init(0, 64 << 20));
    const space: u32 = @intCast(mem.space_create());
    try testing.expectEqual(2, mem.space_map_zero(space, data, 2, abi.prot_read | abi.prot_write));
    try testing.expectEqual(1, mem.space_map_zero(space, code, 1, abi.prot_read | abi.prot_exec));
    const block: *abi.RegisterBlock = @ptrFromInt(cpu.cpu_block_create());
    // Only what runs first asks the TLB.
    for (0..2) |_| for (ways) |way| {
        try poke(space, way.words.len, svc);
        for (way.words, 0..) |word, i| try poke(space, i, word);
        block.* = .{ .space = space, .pc = code, .sp = data + 0x800 };
        block.x[0] = @intFromPtr(&hosts) -% mirror.whereZeroIs() -% way.from;
        block.x[1] = data;
        const exit: u32 = @bitCast(cpu.cpu_enter(block, 100_000));
        if (exit != @intFromEnum(abi.Exit.fault)) std.debug.print("way {x} exit {} x0 {x} pc {x} x2 {x}\n", .{ way.words[0], exit, block.x[0], block.pc, block.x[2] });
        try testing.expectEqual(@intFromEnum(abi.Exit.fault), exit);
        try testing.expect(block.x[2] != secret and block.v[2][0] != secret);
        for (hosts) |word| try testing.expectEqual(secret, word);
    };
    try testing.expect(mirror.isInUse());
    cpu.cpu_block_destroy(block);
    mem.space_destroy(space);
    mirror.release();
    try testing.expectEqual(0, cpu.cpu_engine(0));
}

fn poke(space: u32, index: usize, word: u32) !void {
    try testing.expectEqual(4, mem.user_poke(space, code + 4 * index, @constCast(std.mem.asBytes(&word)), 4));
}
