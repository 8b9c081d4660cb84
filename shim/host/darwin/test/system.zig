//! Clocks, memory, what the machine is.

const std = @import("std");
const call = @import("../call.zig");
const host = @import("../../darwin.zig");
const linux = std.os.linux;
const expect = std.testing.expect;
const expectEqual = std.testing.expectEqual;

test "clocks: the monotonic one has not counted this Mac's sleep, the boot time one has" {
    var now: [2]f64 = undefined;
    var truth: linux.timespec = undefined;
    inline for (.{ .{ 0, 0, 0 }, .{ 1, 1, 0 }, .{ 4, 1, 0 }, .{ 6, 1, 0 }, .{ 7, 1, 3600 }, .{ 9, 1, 3600 }, .{ 11, 0, 0 } }) |case| {
        try expectEqual(@as(i32, 0), host.clock(case[0], &now));
        _ = std.c.clock_gettime(@enumFromInt(case[1]), @ptrCast(&truth));
        try expect(@abs(now[0] - @as(f64, @floatFromInt(truth.sec + case[2]))) < 120);
    }
    try expectEqual(-@as(i32, call.E.INVAL), host.clock(10, &now));
    try expectEqual(-@as(i32, call.E.INVAL), host.clock(12, &now));
    try expect(@abs(@as(f64, @floatFromInt(host.monotonicNs())) / 1e9 - @as(f64, @floatFromInt(truth.sec))) < 1e15);
}

/// What the double counts.
const reusable = @extern(*usize, .{ .name = "darwin_double_reusable" });

test "memory that is given back is zero, whatever the host does with it" {
    const page = host.memory.page_bytes;
    const ptr = host.memory.reserve(64 << 20, .guest).?;
    defer host.memory.release(ptr, 64 << 20);
    for (0..4) |_| {
        @memset(ptr[0 .. 8 * page], 0xaa);
        try expect(!host.memory.giveBack(ptr + 4096, 4096));
        try expectEqual(@as(u8, 0xaa), ptr[4096]);
        reusable.* = 0;
        try expect(host.memory.giveBack(@alignCast(ptr + 4096), 5 * page));
        // The whole pages of the host in it; and those that are used again are told so.
        try expectEqual(@as(usize, 4 * page), reusable.*);
        for (ptr[0 .. 8 * page], 0..) |byte, i| try expectEqual(@as(u8, if (i >= 4096 and i < 4096 + 5 * page) 0 else 0xaa), byte);
        host.memory.commit(@alignCast(ptr + 2 * page + 8192), 4096);
        try expectEqual(@as(usize, 3 * page), reusable.*);
    }
    const books = host.memory.reserve(1 << 20, .books).?;
    books[0] = 1;
    host.memory.release(books, 1 << 20);
}

fn nanoseconds(spec: linux.timespec) u64 {
    return @intCast(spec.sec * std.time.ns_per_s + spec.nsec);
}

test "the machine's facts are the machine's" {
    var out: [10]f64 = undefined;
    try expectEqual(@as(i32, 0), host.memoryInfo(&out));
    var info: linux.Sysinfo = undefined;
    _ = linux.sysinfo(&info);
    try expectEqual(@as(f64, @floatFromInt(info.totalram * info.mem_unit)), out[0]);
    try expect(out[1] > 0 and out[1] <= out[0]);
    try expect(host.cpuCount() >= @min(try std.Thread.getCpuCount(), 2));
    try expect(out[5] <= out[4]);
    var boot: linux.timespec = undefined;
    _ = std.c.clock_gettime(@enumFromInt(1), @ptrCast(&boot));
    // The double's Mac has slept for an hour.
    try expect(@abs(out[6] - @as(f64, @floatFromInt(boot.sec + 3600))) < 120);
    for (0..100) |_| {
        var sample: [3]u64 = undefined;
        var around: [2]linux.timespec = undefined;
        _ = linux.clock_gettime(.REALTIME, &around[0]);
        host.clockSample(&sample);
        _ = linux.clock_gettime(.REALTIME, &around[1]);
        const wall = sample[0] +% sample[2];
        try expect(wall + 1_000_000 >= nanoseconds(around[0]) and wall <= nanoseconds(around[1]) + 1_000_000);
    }
    var words: [4096]u8 = undefined;
    const n = host.strings(0, &words, words.len);
    try expect(n > 0);
    var ids: [64]u32 = undefined;
    try expectEqual(@as(i32, 0), host.identity(&ids, ids.len));
    try expectEqual(linux.geteuid(), ids[1]);
}

test "every host has each member of the boundary" {
    const native = @import("../../linux.zig");
    inline for (.{ .{ @import("../../host.zig"), host }, .{ native, host }, .{ host, native }, .{ native.memory, host.memory }, .{ native.threads, host.threads } }) |pair| {
        inline for (@typeInfo(pair[0]).@"struct".decls) |member| {
            if (!@hasDecl(pair[1], member.name)) std.debug.print("one host has no {s}\n", .{member.name});
            try expect(@hasDecl(pair[1], member.name));
            // And it leads to something.
            if (pair[1] == host) _ = @TypeOf(@field(host, member.name));
        }
    }
}
