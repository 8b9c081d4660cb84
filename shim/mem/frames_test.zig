//! Slabs and frames: who gets which frame, what is zero, what goes back to the host.

const std = @import("std");
const testing = std.testing;
const abi = @import("../abi.zig");
const frames = @import("frames.zig");
const x = @import("exports.zig");

const page = frames.page_size;
const rw = abi.prot_read | abi.prot_write;

/// `count` frames of RAM in slabs of 64.
fn start(count: usize) !void {
    x.mem_reset();
    try testing.expectEqual(0, x.mem_init(64 * page, count * page));
}

fn stats() [8]f64 {
    var out: [8]f64 = undefined;
    x.mem_stats(&out);
    return out;
}

fn isZero(frame: u32) bool {
    return std.mem.allEqual(u8, frames.ptr(frame), 0);
}

test "runs are consecutive, and every frame is handed out once" {
    try start(1024);
    const a: u32 = @intCast(x.frame_alloc(10, 1));
    const b: u32 = @intCast(x.frame_alloc(60, 1));
    const c: u32 = @intCast(x.frame_alloc(200, 1));
    const d: u32 = @intCast(x.frame_alloc(1, 1));
    var seen: [1024]bool = @splat(false);
    for ([_][2]u32{ .{ a, 10 }, .{ b, 60 }, .{ c, 200 }, .{ d, 1 } }) |run| {
        for (run[0]..run[0] + run[1]) |frame| {
            try testing.expect(!seen[frame] and frame != 0);
            seen[frame] = true;
            try testing.expectEqual(1, x.frame_refs(@intCast(frame)));
            try testing.expect(isZero(@intCast(frame)));
        }
    }
    try testing.expectEqual(271, stats()[0]);
}

test "a freed frame comes back, zeroed when asked" {
    try start(1024);
    const frame: u32 = @intCast(x.frame_alloc(1, 0));
    @memset(frames.ptr(frame), 0x55);
    x.frame_ref(frame, 1);
    x.frame_unref(frame, 1);
    try testing.expectEqual(1, x.frame_refs(frame));
    x.frame_unref(frame, 1);
    try testing.expectEqual(0, x.frame_refs(frame));
    try testing.expectEqual(@as(i32, @intCast(frame)), x.frame_alloc(1, 1));
    try testing.expect(isZero(frame));
}

test "RAM runs out without harm" {
    try start(256);
    const s: u32 = @intCast(x.space_create());
    try testing.expectEqual(-12, x.space_map_zero(s, 0x10000, 300, rw));
    const count = x.space_count(s);
    try testing.expect(count > 200 and count < 256);
    try testing.expectEqual(-12, x.frame_alloc(1, 0));
    try testing.expectEqual(-12, x.space_fork(s));
    try testing.expectEqual(-12, x.space_create());
    try testing.expectEqual(-12, x.space_map_zero(s, 0x4000_0000, 1, rw));
    try testing.expectEqual(-12, x.space_move(s, 0x10000, 0x4000_0000, 300));
    try testing.expectEqual(count, x.space_count(s));
    // The failed fork may have taken write access; it comes back without a copy.
    var mapped: usize = 0x10000;
    while (x.space_frame(s, mapped) < 0) mapped += page;
    try testing.expectEqual(0, x.space_cow(s, mapped, rw));
    try testing.expectEqual(1, x.user_out(s, mapped, "x", 1));
    try testing.expectEqual(0, x.space_unmap(s, 0x10000, 300));
    try testing.expectEqual(1, stats()[0]);
    x.space_destroy(s);
    try testing.expectEqual(0, stats()[0]);
    // All of it can be had again, as one run, since it is one.
    try testing.expect(x.frame_alloc(200, 1) > 0 or stats()[4] > 0);
}

test "free memory beyond the reserve goes back to the host and is zero again" {
    x.mem_reset();
    try testing.expectEqual(0, x.mem_init(2 << 20, 1 << 30));
    const count = 96 << 8;
    const first: u32 = @intCast(x.frame_alloc(count, 0));
    @memset(@as([*]u8, @ptrFromInt(x.frame_ptr(first)))[0 .. count * page], 0x77);
    const keep = first + 5000;
    x.frame_unref(first, 5000);
    x.frame_unref(keep + 1, count - 5001);
    try testing.expect(stats()[4] <= (64 << 8));
    try testing.expect(stats()[5] >= (32 << 8));
    for (frames.ptr(keep)) |b| try testing.expectEqual(0x77, b);
    x.mem_trim();
    try testing.expectEqual(0, stats()[4]);
    const again: u32 = @intCast(x.frame_alloc(4000, 1));
    for (again..again + 4000) |frame| try testing.expect(isZero(@intCast(frame)));
    try testing.expectEqual(0x77, frames.ptr(keep)[9]);
}

test "runs go on being found among freed frames" {
    try start(4096);
    var held: [64]u32 = undefined;
    for (&held) |*frame| frame.* = @intCast(x.frame_alloc(17, 0));
    for (held, 0..) |frame, i| {
        if (i % 2 == 0) x.frame_unref(frame, 17);
    }
    x.mem_trim();
    const reserved = stats()[1];
    for (0..32) |_| try testing.expect(x.frame_alloc(17, 1) > 0);
    try testing.expectEqual(reserved, stats()[1]);
}

test "fork storms do not use up ever more RAM" {
    x.mem_reset();
    try testing.expectEqual(0, x.mem_init(0, 1 << 30));
    var prng = std.Random.DefaultPrng.init(7);
    const random = prng.random();
    const parent: u32 = @intCast(x.space_create());
    try testing.expectEqual(100, x.space_map_zero(parent, 0x40_0000, 100, rw));
    var spaces: [24]u32 = undefined;
    var reserved: f64 = 0;
    for (0..300) |round| {
        for (&spaces) |*s| {
            s.* = @intCast(x.space_fork(parent));
            for (0..3) |_| {
                const at = 0x1000_0000 + random.uintLessThan(usize, 4000) * 64 * page;
                try testing.expect(x.space_map_zero(s.*, at, 1 + random.uintLessThan(u32, 60), rw) >= 0);
                try testing.expectEqual(0, x.space_cow(s.*, 0x40_0000 + random.uintLessThan(usize, 100) * page, rw));
            }
        }
        random.shuffle(u32, &spaces);
        for (spaces) |s| x.space_destroy(s);
        if (round == 20) reserved = stats()[1];
    }
    try testing.expectEqual(reserved, stats()[1]);
    try testing.expectEqual(104, stats()[0]);
}

test "memory that was never used can be given back" {
    try start(1024);
    try start(1024);
    try testing.expect(x.frame_alloc(1, 1) > 0);
}
