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

/// Far longer than anything here sleeps. Whoever sleeps until then would for ever.
const patience_ms = 30_000;
var is_over: u32 = 0;

fn watch() void {
    for (0..patience_ms) |_| {
        if (@atomicLoad(u32, &is_over, .seq_cst) != 0) return;
        support.nap();
    }
    @atomicStore(u32, &is_over, 2, .seq_cst);
    host.wake();
}

const forever = std.math.inf(f64);

/// `host.wait` without a limit that ends by itself; whether it did.
fn endsItself(out: *[64]u32, pairs: *i32) !bool {
    @atomicStore(u32, &is_over, 0, .seq_cst);
    const thread = try std.Thread.spawn(.{}, watch, .{});
    pairs.* = host.wait(forever, out, 16);
    const before = @cmpxchgStrong(u32, &is_over, 0, 1, .seq_cst, .seq_cst);
    thread.join();
    return before == null;
}

test "the last writer of a FIFO is noticed though kqueue is silent" {
    var p = try Place.init();
    defer p.deinit();
    try expect(host.start() >= 0);
    try expectEqual(@as(i32, 0), host.makeNode(p.fd, "fifo", linux.S.IFIFO | 0o600, 0));
    const reader = host.open(p.fd, "fifo", O.NONBLOCK, 0);
    const writer = host.open(p.fd, "fifo", O.WRONLY | O.NONBLOCK, 0);
    var out: [64]u32 = undefined;
    // Asked for twice, and told once.
    try expectEqual(@as(i32, 0), host.pollAdd(reader, 0x1, 4));
    try expectEqual(@as(i32, 0), host.pollAdd(reader, 0x1, 5));
    _ = host.close(writer);
    var pairs: i32 = 0;
    while (pairs == 0) try expect(try endsItself(&out, &pairs));
    try expectEqual(@as(i32, 1), pairs);
    try expectEqual(@as(u32, 5), out[1]);
    try expect(out[2] & 0x10 != 0);
    _ = host.pollRemove(reader);
    _ = host.close(reader);
}

test "only what was asked for is told" {
    double("");
    try expect(host.start() >= 0);
    var out: [64]u32 = undefined;
    var ends: [2]i32 = undefined;
    try expectEqual(@as(i32, 0), host.pipe(&ends, O.NONBLOCK));
    try expectEqual(@as(i32, 0), host.pollAdd(ends[1], 0x1, 6));
    try expectEqual(@as(i32, 0), host.wait(0, &out, 16));
    _ = host.pollRemove(ends[1]);
    // The reader is gone already.
    _ = host.close(ends[0]);
    try expectEqual(@as(i32, 0), host.pollAdd(ends[1], 0x4, 7));
    var pairs: i32 = 0;
    while (pairs == 0) try expect(try endsItself(&out, &pairs));
    try expectEqual(@as(u32, 7), out[1]);
    try expectEqual(@as(u32, 0xc), out[2]);
    _ = host.pollRemove(ends[1]);
    _ = host.close(ends[1]);
    // No longer asked for.
    const socket = host.socket(2, 2, 0);
    try expectEqual(@as(i32, 0), host.pollAdd(socket, 0x5, 8));
    try expectEqual(@as(i32, 1), host.wait(1e9, &out, 16));
    try expectEqual(@as(u32, 4), out[2]);
    try expectEqual(@as(i32, 0), host.pollChange(socket, 0x5, 9));
    try expectEqual(@as(i32, 1), host.wait(1e9, &out, 16));
    try expectEqual(@as(i32, 0), host.pollChange(socket, 0x1, 9));
    try expectEqual(@as(i32, 0), host.wait(0, &out, 16));
    try expectEqual(@as(i32, 0), host.pollRemove(socket));
    _ = host.close(socket);
}

const TCGETS = 0x5401;
const TCXONC = 0x540a;
const TCFLSH = 0x540b;
const FIONREAD = 0x541b;

/// Its name and number, what waits in it, and raw mode.
fn ofTerminal(master: i32, terminal: i32) !void {
    var number: c_uint = 0;
    _ = linux.ioctl(master, 0x80045430, @intFromPtr(&number)); // TIOCGPTN
    var text: [64]u8 = undefined;
    const wanted = try std.fmt.bufPrint(&text, "/dev/pts/{d}", .{number});
    var name: [64]u8 = undefined;
    const length = host.describe(terminal, &name, name.len);
    try std.testing.expectEqualStrings(wanted, name[0..@intCast(@max(length, 0))]);
    var attributes: [256]u8 = undefined;
    try expectEqual(@as(i32, 0), host.stat(terminal, "", &attributes));
    try expectEqual(@as(u32, 136), std.mem.readInt(u32, attributes[128..132], .little));
    try expectEqual(number, std.mem.readInt(u32, attributes[132..136], .little));
    var count: c_int = 0;
    // What was typed survives a flush of what was written, and no other.
    for ([_]usize{ 1, 0 }, [_]c_int{ 2, 0 }) |queue, left| {
        _ = linux.write(master, "x\n", 2);
        while (host.pollNow(terminal, 1) == 0) support.nap();
        try expectEqual(@as(i32, 0), host.terminalControl(terminal, TCFLSH, queue));
        try expectEqual(@as(i32, 0), host.terminalControl(terminal, FIONREAD, @intFromPtr(&count)));
        try expectEqual(left, count);
        if (left > 0) try expectEqual(@as(i32, 0), host.terminalControl(terminal, TCFLSH, 2));
    }
    try expectEqual(@as(i32, 0), host.terminalRaw(terminal));
    var raw: [36]u8 = undefined;
    try expectEqual(@as(i32, 0), host.terminalControl(terminal, TCGETS, @intFromPtr(&raw)));
    try expectEqual(@as(u32, 0), std.mem.readInt(u32, raw[12..16], .little) & 0o100013); // ISIG, ICANON, ECHO, IEXTEN
    try expectEqual([2]u8{ 0, 1 }, raw[17 + 5 ..][0..2].*); // VTIME, VMIN
    var bytes: [64]u8 = undefined;
    while (host.pollNow(master, 1) & 1 != 0) _ = linux.read(master, &bytes, bytes.len);
    for ([_]usize{ 2, 3 }, [_]u8{ 0x13, 0x11 }) |action, sent| {
        try expectEqual(@as(i32, 0), host.terminalControl(terminal, TCXONC, action));
        try expectEqual(@as(usize, 1), linux.read(master, &bytes, 1));
        try expectEqual(sent, bytes[0]);
    }
    host.terminalRestore();
    try expectEqual(@as(i32, 0), host.terminalControl(terminal, TCGETS, @intFromPtr(&raw)));
    try expect(std.mem.readInt(u32, raw[12..16], .little) & 0o13 == 0o13);
    const socket = host.socket(2, 1, 0);
    try expectEqual(-@as(i32, call.E.NOTTY), host.terminalControl(socket, TCGETS, @intFromPtr(&raw)));
    _ = host.close(socket);
}

test "a terminal that hung up, and one that kqueue refuses" {
    double("");
    try expect(host.start() >= 0);
    const TIOCSPTLCK = 0x40045431;
    const TIOCGPTPEER = 0x5441;
    // So that the number of the next one is not 0.
    const first: i32 = @intCast(linux.open("/dev/ptmx", .{ .ACCMODE = .RDWR, .NOCTTY = true }, 0));
    defer _ = linux.close(first);
    const master: i32 = @intCast(linux.open("/dev/ptmx", .{ .ACCMODE = .RDWR, .NOCTTY = true }, 0));
    const unlocked: c_int = 0;
    _ = linux.ioctl(master, TIOCSPTLCK, @intFromPtr(&unlocked));
    const terminal: i32 = @intCast(linux.ioctl(master, TIOCGPTPEER, 0x102));
    try expect(terminal >= 0);
    try expectEqual(@as(i32, 4), host.pollNow(terminal, 0x2005));
    try ofTerminal(master, terminal);
    var out: [64]u32 = undefined;
    double("refuse_tty");
    try expectEqual(@as(i32, 4), host.pollNow(terminal, 0x5));
    try expectEqual(@as(i32, 0), host.pollAdd(terminal, 0x1, 3));
    _ = linux.write(master, "x\n", 2);
    var pairs: i32 = 0;
    while (pairs == 0) try expect(try endsItself(&out, &pairs));
    try expectEqual(@as(u32, 3), out[1]);
    try expectEqual(@as(u32, 1), out[2]);
    _ = host.pollRemove(terminal);
    double("");
    _ = linux.close(master);
    try expectEqual(@as(i32, 0x2010), host.pollNow(terminal, 0x2001) & 0x2010);
    _ = host.close(terminal);
}

test "calls that a signal interrupts are made again" {
    var p = try Place.init();
    defer p.deinit();
    try expect(host.start() >= 0);
    double("interrupts");
    for (0..2) |_| {
        const fd = host.open(p.fd, "f", O.RDWR | O.CREAT, 0o600);
        try expect(fd >= 0);
        try expectEqual(@as(i32, 0), host.truncate(fd, 100));
        try expectEqual(@as(i32, 0), host.sync(fd, false));
        _ = host.close(fd);
        const socket = host.socket(2, 2, 0);
        try expectEqual(@as(i32, 4), host.pollNow(socket, 4));
        try expectEqual(@as(i32, 0), host.pollAdd(socket, 1, 1));
        try expectEqual(@as(i32, 0), host.pollRemove(socket));
        var header: @import("../../../abi.zig").SocketMessage = .{};
        var byte: [1]u8 = undefined;
        try expectEqual(-@as(i32, call.E.AGAIN), host.receive(socket, &byte, 1, 0, &header));
        try expectEqual(@as(i32, -89), host.send(socket, &byte, 1, 0, &header));
        try expectEqual(-@as(i32, call.E.OPNOTSUPP), host.accept(socket));
        _ = host.close(socket);
    }
    double("");
}

test "a very long sleep is one that Darwin takes, and one with a signal there is none" {
    double("");
    try expect(host.start() >= 0);
    var out: [64]u32 = undefined;
    host.wake();
    try expectEqual(@as(i32, 0), host.wait(5e17, &out, 16));
    _ = host.catchSignals();
    _ = linux.kill(linux.getpid(), .USR1);
    // The signal's wake is lost.
    const no_time: call.c.struct_timespec = .{ .tv_sec = 0, .tv_nsec = 0 };
    var event: [1]call.c.struct_kevent = undefined;
    while (call.sys("kevent")(poller.queue, null, 0, &event, 1, &no_time) != 1) support.nap();
    var pairs: i32 = 0;
    try expect(try endsItself(&out, &pairs));
    try expectEqual(@as(u32, 1 << 9), out[0]);
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
