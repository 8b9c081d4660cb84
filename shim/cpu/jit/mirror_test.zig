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
/// Pages at the ends of what a mirror shows.
const lowest = 0x1000;
const highest = mirror.end - abi.page_size;
const secret = 0x5ec2e7_5ec2e7;
const svc = 0xd4000001;

/// The host's, and not a page of any guest.
var hosts: [64]u64 align(64) = @splat(secret);

/// Ways to access what x0 says, or x0 and x3, which is 0, or x0 and sp or x1, which are memory of the guest's. Or to go further and further
/// from x6 and x12, which are the lowest page that the guest has, and from x7 and x13, the last one of a mirror.
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
    // mov x3, #1000; mov x4, x0; cmp x3, #2; b.eq .+8; and x4, x4, #7; ldr x2, [x1, x4]; subs x3, x3, #1; b.ne .-24
    .{ .words = &.{ 0xd2807d03, 0xaa0003e4, 0xf100087f, 0x54000040, 0x92400884, 0xf8646822, 0xf1000463, 0x54ffff41 }, .from = data },
    // mov x3, #1000; ldr x2, [x1]; cmp x3, #2; b.ne .+8; mov x1, x0; ldr x2, [x1]; subs x3, x3, #1; b.ne .-24
    .{ .words = &.{ 0xd2807d03, 0xf9400022, 0xf100087f, 0x54000041, 0xaa0003e1, 0xf9400022, 0xf1000463, 0x54ffff41 } },
    // ldr x2, [x6]; sub x6, x6, #0xfff000; ldr x2, [x6]
    .{ .words = &.{ 0xf94000c2, 0xd17ffcc6, 0xf94000c2 } },
    // ldr x2, [x12]; sub x12, x12, #0xfff000; ldr x2, [x12]
    .{ .words = &.{ 0xf9400182, 0xd17ffd8c, 0xf9400182 } },
    // ldr x2, [x7]; add x7, x7, #0xfff000; ldr x2, [x7]
    .{ .words = &.{ 0xf94000e2, 0x917ffce7, 0xf94000e2 } },
    // ldr x2, [x13]; add x13, x13, #0xfff000; ldr x2, [x13]
    .{ .words = &.{ 0xf94001a2, 0x917ffdad, 0xf94001a2 } },
    // mov x4, x6; ldr x2, [x4]; sub x4, x4, #0xfff000; ldr x2, [x4]
    .{ .words = &.{ 0xaa0603e4, 0xf9400082, 0xd17ffc84, 0xf9400082 } },
    // mov x3, #1000; sub sp, sp, #0xf0000; subs x3, x3, #1; b.ne .-8; ldr x2, [sp]
    .{ .words = &.{ 0xd2807d03, 0xd143c3ff, 0xf1000463, 0x54ffffc1, 0xf94003e2 } },
    // mov x3, #1000; sub sp, sp, #0xf0000; b .+4; subs x3, x3, #1; b.ne .-12; ldr x2, [sp]
    .{ .words = &.{ 0xd2807d03, 0xd143c3ff, 0x14000001, 0xf1000463, 0x54ffffa1, 0xf94003e2 } },
    // mov x3, #1000; ldr x2, [x6]; cmp x3, #2; b.ne .+8; sub x6, x6, #0xfff000; subs x3, x3, #1; b.ne .-20
    .{ .words = &.{ 0xd2807d03, 0xf94000c2, 0xf100087f, 0x54000041, 0xd17ffcc6, 0xf1000463, 0x54ffff61 } },
    // mov x3, #1000; ldr x2, [x12]; cmp x3, #2; b.ne .+8; sub x12, x12, #0xfff000; subs x3, x3, #1; b.ne .-20
    .{ .words = &.{ 0xd2807d03, 0xf9400182, 0xf100087f, 0x54000041, 0xd17ffd8c, 0xf1000463, 0x54ffff61 } },
    // ldxr x2, [x0]
    .{ .words = &.{0xc85f7c02} },
    // ldadd x2, x2, [x0]
    .{ .words = &.{0xf8220002} },
    // stlr x2, [x0]
    .{ .words = &.{0xc89ffc02} },
    // ldar x2, [x0]
    .{ .words = &.{0xc8dffc02} },
    // ld1 {v2.16b}, [x0]
    .{ .words = &.{0x4c407002} },
    // st1 {v2.16b}, [x0]
    .{ .words = &.{0x4c007002} },
    // ldr x2, [x1]; add x1, x1, x0; ldadd x2, x2, [x1]
    .{ .words = &.{ 0xf9400022, 0x8b000021, 0xf8220022 }, .from = data },
    // stxr w4, x2, [x0]; ldr x2, [x0]
    .{ .words = &.{ 0xc8047c02, 0xf9400002 } },
    // stxr w4, x2, [x0]; str x2, [x0]
    .{ .words = &.{ 0xc8047c02, 0xf9000002 } },
    // ldxr x2, [x1]; stlxr w4, x2, [x0]; ld1 {v2.16b}, [x0]
    .{ .words = &.{ 0xc85f7c22, 0xc804fc02, 0x4c407002 } },
    // mov x12, x0; stxr w4, x2, [x12]; ldadd x2, x2, [x12]
    .{ .words = &.{ 0xaa0003ec, 0xc8047d82, 0xf8220182 } },
    // mov x3, #1000; ldr x2, [x1]; cmp x3, #2; csel x1, x0, x1, eq; stxr w4, x2, [x1]; subs x3, x3, #1; b.ne .-20
    .{ .words = &.{ 0xd2807d03, 0xf9400022, 0xf100087f, 0x9a810001, 0xc8047c22, 0xf1000463, 0x54ffff61 } },
    // ld1 {v2.16b}, [x1], x5; ldr x2, [x1]
    .{ .words = &.{ 0x4cc57022, 0xf9400022 }, .from = data },
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
    for ([2]u64{ lowest, highest }) |va| try testing.expectEqual(1, mem.space_map_zero(space, va, 1, abi.prot_read | abi.prot_write));
    try testing.expectEqual(1, mem.space_map_zero(space, code, 1, abi.prot_read | abi.prot_exec));
    const block: *abi.RegisterBlock = @ptrFromInt(cpu.cpu_block_create());
    // Only what runs first asks the TLB.
    for (0..2) |_| for (ways) |way| {
        try poke(space, way.words.len, svc);
        for (way.words, 0..) |word, i| try poke(space, i, word);
        block.* = .{ .space = space, .pc = code, .sp = data + 0x800 };
        block.x[0] = @intFromPtr(&hosts) -% mirror.whereZeroIs() -% way.from;
        block.x[1] = data;
        block.x[5] = block.x[0];
        block.x[6], block.x[12], block.x[7], block.x[13] = .{ lowest, lowest, highest, highest };
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
