//! Waiting: pipes, FIFOs, wakes.

const std = @import("std");
const call = @import("../call.zig");
const host = @import("../../darwin.zig");
const poller = @import("../poller.zig");
const support = @import("support.zig");
const linux = std.os.linux;
const expect = std.testing.expect;
const expectEqual = std.testing.expectEqual;

const AT_FDCWD = -100;
const O = call.O;
const double = support.double;
const Place = support.Place;

test "pipes are told about once, and broken ones as on Linux" {
    double("");
    try expect(host.start() >= 0);
    var ends: [2]i32 = undefined;
    try expectEqual(@as(i32, 0), host.pipe(&ends, O.NONBLOCK));
    var out: [64]u32 = undefined;
    try expectEqual(@as(i32, 0), host.pollAdd(ends[0], 0x1, 7));
    try expectEqual(@as(i32, 0), host.wait(0, &out, 16));
    try expectEqual(@as(i32, 0), host.pollNow(ends[0], 0x1));
    try expectEqual(@as(i32, 4), host.pollNow(ends[1], 0x4));
    _ = host.write(ends[1], "x", 1, -1);
    try expectEqual(@as(i32, 1), host.wait(1e9, &out, 16));
    try expectEqual(@as(u32, 7), out[1]);
    try expectEqual(@as(u32, 1), out[2]);
    try expectEqual(@as(i32, 0), host.wait(0, &out, 16));
    // Told again when asked for anew, or when more comes.
    try expectEqual(@as(i32, 0), host.pollChange(ends[0], 0x1, 8));
    try expectEqual(@as(i32, 1), host.wait(1e9, &out, 16));
    try expectEqual(@as(u32, 8), out[1]);
    try expectEqual(@as(i32, 1), host.pollNow(ends[0], 0x1));
    _ = host.close(ends[1]);
    try expectEqual(@as(i32, 1), host.wait(1e9, &out, 16));
    try expect(out[2] & 0x10 != 0);
    try expectEqual(@as(i32, 0x11), host.pollNow(ends[0], 0x1));
    var byte: [1]u8 = undefined;
    try expectEqual(@as(i32, 1), host.read(ends[0], &byte, 1, -1));
    try expectEqual(@as(i32, 0x10), host.pollNow(ends[0], 0x1));
    try expectEqual(@as(i32, 0), host.pollRemove(ends[0]));
    _ = host.close(ends[0]);

    try expectEqual(@as(i32, 0), host.pipe(&ends, O.NONBLOCK));
    try expectEqual(@as(i32, 0), host.pollAdd(ends[1], 0x4, 9));
    try expectEqual(@as(i32, 1), host.wait(1e9, &out, 16));
    try expectEqual(@as(u32, 4), out[2]);
    _ = host.close(ends[0]);
    try expectEqual(@as(i32, 0xc), host.pollNow(ends[1], 0x4));
    try expectEqual(@as(i32, 1), host.wait(1e9, &out, 16));
    try expect(out[2] & 0x8 != 0);
    _ = host.close(ends[1]);
    try expectEqual(@as(i32, 1), host.pollAdd(host.open(AT_FDCWD, "/dev/null", O.RDWR, 0), 0x5, 3));
    try expectEqual(@as(i32, 1), host.pollAdd(host.open(AT_FDCWD, "/etc/passwd", 0, 0), 0x5, 3));
    try expectEqual(@as(i32, 5), host.pollNow(host.open(AT_FDCWD, "/dev/null", O.RDWR, 0), 0x5));
}

test "a pipe is opened anew as what it is" {
    double("");
    var ends: [2]i32 = undefined;
    try expectEqual(@as(i32, 0), host.pipe(&ends, 0));
    const again = host.reopen(ends[0], O.NONBLOCK);
    try expect(again >= 0);
    try expectEqual(@as(i32, 0), host.getFlags(again));
    try expect(host.reopen(ends[0], O.WRONLY | O.NONBLOCK) < 0);
    for ([_]i32{ again, ends[0], ends[1] }) |fd| _ = host.close(fd);
}

test "a kqueue is no pipe, and a pipe is one" {
    double("");
    var ends: [2]i32 = undefined;
    try expectEqual(@as(i32, 0), host.pipe(&ends, 0));
    const queue = call.sys("kqueue")();
    var out: [256]u8 = undefined;
    for ([_]i32{ ends[0], ends[1], queue }, [_]u16{ linux.S.IFIFO, linux.S.IFIFO, 0 }) |fd, kind| {
        try expectEqual(@as(i32, 0), host.stat(fd, "", &out));
        try expectEqual(kind, std.mem.readInt(u16, out[28..30], .little) & linux.S.IFMT);
        _ = host.close(fd);
    }
}

test "the last writer of a FIFO is noticed though kqueue is silent" {
    var p = try Place.init();
    defer p.deinit();
    try expect(host.start() >= 0);
    try expectEqual(@as(i32, 0), host.makeNode(p.fd, "fifo", linux.S.IFIFO | 0o600, 0));
    const reader = host.open(p.fd, "fifo", O.NONBLOCK, 0);
    const writer = host.open(p.fd, "fifo", O.WRONLY | O.NONBLOCK, 0);
    var out: [64]u32 = undefined;
    try expectEqual(@as(i32, 0), host.pollAdd(reader, 0x1, 5));
    _ = host.close(writer);
    var told = false;
    for (0..1000) |_| {
        const n = host.wait(1e8, &out, 16);
        if (n > 0 and out[1] == 5 and out[2] & 0x10 != 0) {
            told = true;
            break;
        }
    }
    try expect(told);
    _ = host.pollRemove(reader);
    _ = host.close(reader);
}

test "a wake ends one sleep, from a signal too" {
    double("");
    try expect(host.start() >= 0);
    var out: [64]u32 = undefined;
    host.wake();
    try expectEqual(@as(i32, 0), host.wait(60e9, &out, 16));
    try expectEqual(@as(u32, 0), out[0]);
    const no_time: call.c.struct_timespec = .{ .tv_sec = 0, .tv_nsec = 0 };
    var event: [1]call.c.struct_kevent = undefined;
    for ([_]c_int{ 0, 1, 0 }) |count| {
        if (count == 1) host.wake();
        try expectEqual(count, call.sys("kevent")(poller.queue, null, 0, &event, 1, &no_time));
    }
    _ = host.catchSignals();
    for ([_]u5{ 10, 12, 18, 28 }) |signal| {
        _ = linux.kill(linux.getpid(), @enumFromInt(signal));
        var seen: u32 = 0;
        while (seen == 0) {
            try expectEqual(@as(i32, 0), host.wait(60e9, &out, 16));
            seen = out[0];
        }
        try expectEqual(@as(u32, 1) << (signal - 1), seen);
    }
    try expectEqual(-@as(i32, call.E.INVAL), host.killSelf(16));
    try expectEqual(-@as(i32, call.E.INVAL), host.killSelf(30));
}
