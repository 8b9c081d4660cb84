//! Sockets: streams, datagrams, control messages.

const std = @import("std");
const call = @import("../call.zig");
const host = @import("../../darwin.zig");
const support = @import("support.zig");
const linux = std.os.linux;
const expect = std.testing.expect;
const expectEqual = std.testing.expectEqual;

const double = support.double;
const nap = support.nap;

fn loopback(port: u16, last: u8) [16]u8 {
    var address: [16]u8 = @splat(0);
    std.mem.writeInt(u16, address[0..2], 2, .little);
    std.mem.writeInt(u16, address[2..4], port, .big);
    address[4..8].* = .{ 127, 0, 0, last };
    return address;
}

test "streams connect, have Linux's addresses and options, and end" {
    double("");
    try expect(host.start() >= 0);
    const listener = host.socket(2, 1, 0);
    try expect(listener >= 0);
    const yes: u32 = 1;
    try expectEqual(@as(i32, 0), host.setSocketOption(listener, 1, 2, @ptrCast(&yes), 4));
    var value: [16]u8 = @splat(0);
    try expectEqual(@as(i32, 4), host.getSocketOption(listener, 1, 2, &value, 16));
    try expectEqual(@as(u32, 1), std.mem.readInt(u32, value[0..4], .little));
    // All of 127.0.0.0/8 is the one address that a Mac has.
    try expectEqual(@as(i32, 0), host.bind(listener, &loopback(0, 9), 16));
    try expectEqual(@as(i32, 0), host.listen(listener, 5));
    try expectEqual(@as(i32, 4), host.getSocketOption(listener, 1, 30, &value, 16));
    try expectEqual(@as(u32, 1), std.mem.readInt(u32, value[0..4], .little));
    var name: [32]u8 = @splat(0);
    try expectEqual(@as(i32, 16), host.socketName(listener, false, &name, 32));
    try expectEqual(@as(u16, 2), std.mem.readInt(u16, name[0..2], .little));
    try std.testing.expectEqualSlices(u8, &.{ 127, 0, 0, 1 }, name[4..8]);
    try expectEqual(-@as(i32, call.E.AGAIN), host.accept(listener));
    const client = host.socket(2, 1, 0);
    const rc = host.connect(client, name[0..16], 16);
    try expect(rc == 0 or rc == -115);
    var server: i32 = -1;
    for (0..10000) |_| {
        server = host.accept(listener);
        if (server >= 0) break;
        nap();
    }
    try expect(server >= 0);
    const big: i32 = 100_000;
    try expectEqual(@as(i32, 0), host.setSocketOption(client, 1, 8, std.mem.asBytes(&big), 4));
    try expectEqual(@as(i32, 4), host.getSocketOption(client, 1, 8, &value, 16));
    try expectEqual(@as(i32, 200_000), std.mem.readInt(i32, value[0..4], .little));
    const huge: i32 = 1 << 30;
    try expectEqual(@as(i32, 0), host.setSocketOption(client, 1, 7, std.mem.asBytes(&huge), 4));
    for ([_][2]u32{ .{ 6, 1 }, .{ 6, 3 }, .{ 1, 9 } }) |option| {
        try expectEqual(@as(i32, 0), host.setSocketOption(client, option[0], option[1], @ptrCast(&yes), 4));
        try expectEqual(@as(i32, 4), host.getSocketOption(client, option[0], option[1], &value, 16));
        try expectEqual(@as(u32, 1), std.mem.readInt(u32, value[0..4], .little));
    }
    const idle: i32 = 77;
    for ([_]u32{ 4, 5 }) |option| {
        try expectEqual(@as(i32, 0), host.setSocketOption(client, 6, option, std.mem.asBytes(&idle), 4));
        var truth: i32 = 0;
        var len: u32 = 4;
        _ = linux.syscall5(.getsockopt, @intCast(client), 6, option, @intFromPtr(&truth), @intFromPtr(&len));
        try expectEqual(idle, truth);
    }
    try expectEqual(-@as(i32, 92), host.getSocketOption(client, 1, 9999, &value, 16));
    try expectEqual(@as(i32, 4), host.getSocketOption(client, 1, 38, &value, 16));
    try expectEqual(@as(i32, 6), std.mem.readInt(i32, value[0..4], .little));
    try expectEqual(@as(i32, 0), host.shutdown(server, 1));
    for (0..10000) |_| {
        if (host.pollNow(client, 0x2005) & 0x2000 != 0) break;
        nap();
    }
    // The peer sends no more, but may still be sent to.
    try expectEqual(@as(i32, 0x2005), host.pollNow(client, 0x2005));
    for ([_]i32{ client, server }) |fd| _ = host.close(fd);
    // Nobody listens any more.
    _ = host.close(listener);
    const late = host.socket(2, 1, 0);
    const refused = host.connect(late, name[0..16], 16);
    try expect(refused == -111 or refused == -115);
    if (refused == -115) {
        for (0..10000) |_| {
            if (host.pollNow(late, 4) != 0) break;
            nap();
        }
        try expectEqual(@as(i32, 4), host.getSocketOption(late, 1, 4, &value, 16));
        try expectEqual(@as(i32, 111), std.mem.readInt(i32, value[0..4], .little));
    }
    _ = host.close(late);
    try expectEqual(@as(i32, -97), host.socket(16, 3, 0));
}

test "datagrams bring addresses, lengths and control messages" {
    double("");
    const abi = @import("../../../abi.zig");
    const a = host.socket(2, 2, 0);
    const b = host.socket(2, 2, 0);
    try expectEqual(@as(i32, 0), host.bind(a, &loopback(0, 1), 16));
    try expectEqual(@as(i32, 0), host.bind(b, &loopback(0, 1), 16));
    var name: [32]u8 = undefined;
    try expectEqual(@as(i32, 16), host.socketName(a, false, &name, 32));
    const yes: u32 = 1;
    for ([_]u32{ 8, 12 }) |option| try expectEqual(@as(i32, 0), host.setSocketOption(a, 0, option, @ptrCast(&yes), 4));
    var header: abi.SocketMessage = .{};
    header.address_len = 16;
    header.address[0..16].* = name[0..16].*;
    // IP_TTL 33 as a control message.
    header.control_len = 24;
    std.mem.writeInt(u64, header.control[0..8], 20, .little);
    std.mem.writeInt(u32, header.control[12..16], 2, .little);
    std.mem.writeInt(u32, header.control[16..20], 33, .little);
    try expectEqual(@as(i32, 10), host.send(b, "0123456789", 10, 0, &header));
    var waiting: c_int = 0;
    for (0..10000) |_| {
        try expectEqual(@as(i32, 0), host.socketControl(a, 0x541b, @ptrCast(&waiting)));
        if (waiting > 0) break;
        nap();
    }
    try expectEqual(@as(c_int, 10), waiting);
    var data: [4]u8 = undefined;
    var got: abi.SocketMessage = .{};
    try expectEqual(-@as(i32, call.E.AGAIN), host.receive(a, &data, 4, 0x2000, &got)); // MSG_ERRQUEUE
    try expectEqual(-@as(i32, call.E.OPNOTSUPP), host.send(b, "x", 1, 0x20000000, &header)); // MSG_FASTOPEN
    try expectEqual(@as(i32, 4), host.receive(a, &data, 4, 2, &got)); // MSG_PEEK
    try expectEqual(@as(i32, 10), host.receive(a, &data, 4, 0x20, &got));
    try expectEqual(@as(u32, 0x20), got.flags & 0x20);
    try expectEqual(@as(u32, 16), got.address_len);
    try expectEqual(@as(i32, 16), host.socketName(b, false, &name, 32));
    try std.testing.expectEqualSlices(u8, name[0..16], got.address[0..16]);
    var ttl: i32 = 0;
    var info: usize = 0;
    var at: usize = 0;
    while (at + 16 <= got.control_len) {
        const length: usize = @intCast(std.mem.readInt(u64, got.control[at..][0..8], .little));
        try expect(length >= 16);
        switch (std.mem.readInt(i32, got.control[at + 12 ..][0..4], .little)) {
            2 => ttl = std.mem.readInt(i32, got.control[at + 16 ..][0..4], .little),
            8 => info = length,
            else => {},
        }
        at += std.mem.alignForward(usize, length, 8);
    }
    try expectEqual(@as(i32, 33), ttl);
    try expectEqual(@as(usize, 28), info);
    try expectEqual(-@as(i32, call.E.AGAIN), host.receive(a, &data, 4, 0, &got));
    var ifreq: [40]u8 = @splat(0);
    @memcpy(ifreq[0..2], "lo");
    try expectEqual(@as(i32, 0), host.socketControl(a, 0x8915, @ptrCast(&ifreq)));
    try std.testing.expectEqualSlices(u8, &.{ 2, 0, 0, 0, 127, 0, 0, 1 }, ifreq[16..24]);
    try expectEqual(@as(i32, 0), host.socketControl(a, 0x8913, @ptrCast(&ifreq)));
    try expectEqual(@as(u16, 0x49), std.mem.readInt(u16, ifreq[16..18], .little) & 0x1fff);
    try expectEqual(@as(i32, 0), host.socketControl(a, 0x891b, @ptrCast(&ifreq)));
    try std.testing.expectEqualSlices(u8, &.{ 2, 0, 0, 0, 255, 0, 0, 0 }, ifreq[16..24]);
    // Its number is 1, and its name Linux's.
    try expectEqual(@as(i32, 0), host.socketControl(a, 0x8933, @ptrCast(&ifreq)));
    try expectEqual(@as(u32, 1), std.mem.readInt(u32, ifreq[16..20], .little));
    @memset(ifreq[0..16], 0);
    try expectEqual(@as(i32, 0), host.socketControl(a, 0x8910, @ptrCast(&ifreq)));
    try std.testing.expectEqualStrings("lo", std.mem.sliceTo(&ifreq, 0));
    @memcpy(ifreq[0..8], "nothere\x00");
    try expectEqual(@as(i32, -19), host.socketControl(a, 0x8915, @ptrCast(&ifreq)));
    for ([_]i32{ a, b }) |fd| _ = host.close(fd);
}

/// A connected pair: the client, and what was accepted of it after `before`.
fn connected(comptime before: fn (client: i32) void) ![2]i32 {
    double("");
    try expect(host.start() >= 0);
    const listener = host.socket(2, 1, 0);
    defer _ = host.close(listener);
    try expectEqual(@as(i32, 0), host.bind(listener, &loopback(0, 1), 16));
    try expectEqual(@as(i32, 0), host.listen(listener, 5));
    var name: [16]u8 = undefined;
    try expectEqual(@as(i32, 16), host.socketName(listener, false, &name, 16));
    const client = host.socket(2, 1, 0);
    const rc = host.connect(client, &name, 16);
    try expect(rc == 0 or rc == -115);
    for (0..10000) |_| {
        if (host.pollNow(listener, 1) != 0) break;
        nap();
    }
    before(client);
    const server = host.accept(listener);
    try expect(server >= 0);
    return .{ client, server };
}

fn nothing(_: i32) void {}

/// Closes a connection by RST.
fn reset(client: i32) void {
    const linger = [2]i32{ 1, 0 };
    _ = host.setSocketOption(client, 1, 13, std.mem.asBytes(&linger), 8);
    _ = host.close(client);
}

fn send(fd: i32, bytes: []const u8) i32 {
    var header: @import("../../../abi.zig").SocketMessage = .{};
    return host.send(fd, bytes.ptr, bytes.len, 0, &header);
}

fn setPipeSignal(handler: ?linux.Sigaction.handler_fn) ?linux.Sigaction.handler_fn {
    const action: linux.Sigaction = .{ .handler = .{ .handler = handler }, .mask = std.mem.zeroes(linux.sigset_t), .flags = 0 };
    var before: linux.Sigaction = undefined;
    _ = linux.sigaction(.PIPE, &action, &before);
    return before.handler.handler;
}

test "a connection that is over before it is accepted takes options, and nobody gets SIGPIPE" {
    const system = @import("../system.zig");
    // The test's own runtime ignores it.
    _ = setPipeSignal(linux.SIG.DFL);
    const mask = linux.syscall1(.umask, 0o22);
    system.started = false;
    try expect(host.start() >= 0);
    _ = linux.syscall1(.umask, mask);
    const pair = try connected(reset);
    const yes: u32 = 1;
    for ([_][2]u32{ .{ 6, 1 }, .{ 1, 9 } }) |option| try expectEqual(@as(i32, 0), host.setSocketOption(pair[1], option[0], option[1], @ptrCast(&yes), 4));
    for (0..3) |_| {
        const rc = send(pair[1], "x");
        try expect(rc == -104 or rc == -32);
    }
    var name: [16]u8 = undefined;
    try expectEqual(@as(i32, -107), host.socketName(pair[1], true, &name, 16));
    _ = host.close(pair[1]);
}

test "sockets are quiet one by one" {
    const pair = try connected(nothing);
    // The process does not help.
    const before = setPipeSignal(linux.SIG.DFL);
    defer _ = setPipeSignal(before);
    for (pair) |fd| {
        try expectEqual(@as(i32, 0), host.shutdown(fd, 1));
        try expectEqual(@as(i32, -32), send(fd, "x"));
        // Only of a connection that is over is everything true.
        const bad: i32 = -1;
        try expectEqual(-@as(i32, call.E.INVAL), host.setSocketOption(fd, 1, 9, std.mem.asBytes(&bad), 2));
    }
    for (pair) |fd| _ = host.close(fd);
}

test "what is accepted does not wait, and is not inherited" {
    const pair = try connected(nothing);
    for (pair) |fd| {
        const abi = @import("../../../abi.zig");
        var got: abi.SocketMessage = .{};
        var byte: [1]u8 = undefined;
        try expectEqual(-@as(i32, call.E.AGAIN), host.receive(fd, &byte, 1, 0, &got));
        try expectEqual(@as(usize, 1), linux.syscall3(.fcntl, @intCast(fd), 1, 0) & 1);
        try expect(host.getFlags(fd) & call.O.NONBLOCK != 0);
    }
    // What the one has not read yet the other has sent long ago.
    try expectEqual(@as(i32, 5), send(pair[0], "12345"));
    var count: c_int = 0;
    for (0..10000) |_| {
        try expectEqual(@as(i32, 0), host.socketControl(pair[1], 0x541b, @ptrCast(&count)));
        if (count > 0) break;
        nap();
    }
    try expectEqual(@as(c_int, 5), count);
    try expectEqual(@as(i32, 0), host.socketControl(pair[1], 0x5411, @ptrCast(&count)));
    try expectEqual(@as(c_int, 0), count);
    // An urgent byte is none of the stream's.
    var header: @import("../../../abi.zig").SocketMessage = .{};
    try expectEqual(@as(i32, 1), host.send(pair[0], "u", 1, 1, &header)); // MSG_OOB
    var urgent: [1]u8 = undefined;
    while (host.pollNow(pair[1], 2) & 2 == 0) nap(); // POLLPRI
    try expectEqual(@as(i32, 1), host.receive(pair[1], &urgent, 1, 1, &header));
    try expectEqual(@as(u8, 'u'), urgent[0]);
    for (pair) |fd| _ = host.close(fd);
}

test "a datagram may be as long as on Linux" {
    double("");
    const a = host.socket(2, 2, 0);
    const b = host.socket(2, 2, 0);
    try expectEqual(@as(i32, 0), host.bind(a, &loopback(0, 1), 16));
    var value: i32 = 0;
    try expectEqual(@as(i32, 4), host.getSocketOption(b, 1, 7, std.mem.asBytes(&value), 4));
    try expectEqual(@as(i32, 212_992), value);
    var name: [16]u8 = undefined;
    try expectEqual(@as(i32, 16), host.socketName(a, false, &name, 16));
    try expectEqual(@as(i32, 0), host.connect(b, &name, 16));
    const long: [65507]u8 = @splat(7);
    try expectEqual(@as(i32, long.len), send(b, &long));
    const small: i32 = 4096;
    try expectEqual(@as(i32, 0), host.setSocketOption(b, 1, 7, std.mem.asBytes(&small), 4));
    try expectEqual(@as(i32, -90), send(b, &long));
    // Whoever is not connected may end it all the same.
    for (0..2) |_| try expectEqual(@as(i32, 0), host.connect(b, &@as([16]u8, @splat(0)), 16));
    try expectEqual(@as(i32, -107), host.socketName(b, true, &name, 16));
    for ([_]i32{ a, b }) |fd| _ = host.close(fd);
}

test "sockets of a directory are bound and reached by its path, and carry descriptors" {
    var p = try support.Place.init();
    defer p.deinit();
    try expect(host.start() >= 0);
    var address: [128]u8 = @splat(0);
    address[0] = 1;
    var n = host.socketPath(p.fd, "here", address[2..], 100);
    try std.testing.expectEqualStrings("/here", address[2..][@intCast(n - 5)..@intCast(n)]);
    const server = host.socket(1, 1, 0);
    try expectEqual(@as(i32, 0), host.bind(server, &address, @intCast(n + 3)));
    try expectEqual(@as(i32, 0), host.listen(server, 1));
    // The file itself, which cannot be opened.
    const place = host.open(p.fd, "here", call.O.PATH | call.O.NOFOLLOW, 0);
    try expect(place >= 0);
    var again: [128]u8 = @splat(0);
    again[0] = 1;
    try expectEqual(n, host.socketPath(place, "", again[2..], 100));
    try std.testing.expectEqualSlices(u8, &address, &again);
    const client = host.socket(1, 1, 0);
    try expectEqual(@as(i32, 0), host.connect(client, &again, @intCast(n + 3)));
    const made = host.accept(server);
    try expect(made >= 0);
    // Who is on the other side of a connection, and of none.
    var credentials: [3]i32 = undefined;
    try expectEqual(@as(i32, 12), host.getSocketOption(client, 1, 17, std.mem.asBytes(&credentials), 12));
    try expectEqual([3]i32{ linux.getpid(), @intCast(linux.geteuid()), @intCast(linux.getegid()) }, credentials);
    const alone = host.socket(1, 1, 0);
    try expectEqual(@as(i32, 12), host.getSocketOption(alone, 1, 17, std.mem.asBytes(&credentials), 12));
    try expectEqual([3]i32{ 0, -1, -1 }, credentials);
    _ = host.close(alone);
    var name: [128]u8 = @splat(0);
    n = host.socketName(client, true, &name, 128);
    try expectEqual(@as(u16, 1), std.mem.readInt(u16, name[0..2], .little));
    try std.testing.expectEqualStrings(std.mem.sliceTo(again[2..], 0), std.mem.sliceTo(name[2..], 0));
    var header: @import("../../../abi.zig").SocketMessage = .{};
    std.mem.writeInt(u64, header.control[0..8], 24, .little);
    std.mem.writeInt(i32, header.control[8..12], 1, .little);
    std.mem.writeInt(i32, header.control[12..16], 1, .little);
    for ([_]usize{ 16, 20 }) |at| std.mem.writeInt(i32, header.control[at..][0..4], p.fd, .little);
    header.control_len = 24;
    try expectEqual(@as(i32, 1), host.send(made, "x", 1, 0, &header));
    var byte: [1]u8 = undefined;
    try expectEqual(@as(i32, 1), host.receive(client, &byte, 1, 0, &header));
    try expectEqual(@as(u64, 24), std.mem.readInt(u64, header.control[0..8], .little));
    // None of them is inherited, nor has the number of a standard stream.
    for ([_]usize{ 16, 20 }) |at| {
        const came = std.mem.readInt(i32, header.control[at..][0..4], .little);
        try expectEqual(@as(usize, linux.FD_CLOEXEC), linux.fcntl(came, linux.F.GETFD, 0));
        try expect(came > 2);
    }
    _ = host.close(std.mem.readInt(i32, header.control[20..24], .little));
    const sent = std.mem.readInt(i32, header.control[16..20], .little);
    const there = host.open(sent, "here", call.O.PATH | call.O.NOFOLLOW, 0);
    try expect(sent != p.fd and there >= 0);
    for ([_]i32{ server, place, client, made, sent, there }) |fd| _ = host.close(fd);
    // Too long for an address: the caller makes a name without a socket.
    try expectEqual(-@as(i32, call.E.NAMETOOLONG), host.socketPath(p.fd, "n" ** 100, address[2..], 126));
}

test "bytes without a connection are a broken pipe, and wait while it is being made" {
    double("");
    try expect(host.start() >= 0);
    const memory = host.memory;
    const one = [1]@import("../../../abi.zig").Iovec{.{ .base = @intFromPtr("x"), .len = 1 }};
    const two = [2]@import("../../../abi.zig").Iovec{ one[0], one[0] };
    const stream = host.socket(2, 1, 0);
    try expectEqual(@as(i32, -32), send(stream, "x"));
    try expectEqual(@as(isize, -32), memory.writev(stream, &one, 1, -1, 0));
    try expectEqual(@as(isize, -32), memory.writev(stream, &two, 2, -1, 0));
    _ = host.close(stream);
    // Nobody takes the connections, so that one of them is not made.
    const listener = host.socket(2, 1, 0);
    try expectEqual(@as(i32, 0), host.bind(listener, &loopback(0, 1), 16));
    try expectEqual(@as(i32, 0), host.listen(listener, 0));
    var name: [16]u8 = undefined;
    try expectEqual(@as(i32, 16), host.socketName(listener, false, &name, 16));
    var clients: [8]i32 = undefined;
    var waits: usize = 0;
    for (&clients) |*client| {
        client.* = host.socket(2, 1, 0);
        if (host.connect(client.*, &name, 16) != -115) continue;
        nap();
        if (host.pollNow(client.*, 4) != 0) continue;
        waits += 1;
        try expectEqual(-@as(i32, call.E.AGAIN), send(client.*, "x"));
        try expectEqual(@as(isize, -call.E.AGAIN), memory.writev(client.*, &one, 1, -1, 0));
    }
    try expect(waits > 0);
    for (clients) |client| _ = host.close(client);
    _ = host.close(listener);
    // Of a path it is said as it is, and who has no peer may end the connection all the same.
    const path = host.socket(1, 1, 0);
    try expectEqual(@as(i32, -107), send(path, "x"));
    try expectEqual(@as(i32, 0), host.shutdown(path, 2));
    _ = host.close(path);
    const datagram = host.socket(2, 2, 0);
    try expectEqual(@as(i32, -107), host.shutdown(datagram, 2));
    try expectEqual(@as(i32, -89), send(datagram, "x"));
    _ = host.close(datagram);
}

fn bound() ![2]i32 {
    const fd = host.socket(2, 2, 0);
    try expectEqual(@as(i32, 0), host.bind(fd, &loopback(0, 1), 16));
    var name: [16]u8 = undefined;
    try expectEqual(@as(i32, 16), host.socketName(fd, false, &name, 16));
    return .{ fd, std.mem.readInt(u16, name[2..4], .big) };
}

fn arrived(fd: i32) !u8 {
    var header: @import("../../../abi.zig").SocketMessage = .{};
    var byte: [1]u8 = undefined;
    for (0..10000) |_| {
        if (host.receive(fd, &byte, 1, 0, &header) == 1) return byte[0];
        nap();
    }
    return error.NothingCame;
}

test "a datagram socket with a peer sends to others too, and to its peer by name" {
    double("");
    try expect(host.start() >= 0);
    const peer = try bound();
    const other = try bound();
    const fd = host.socket(2, 2, 0);
    try expectEqual(@as(i32, 0), host.connect(fd, &loopback(@intCast(peer[1]), 1), 16));
    for ([_][2]i32{ other, peer, other }, "opO") |to, byte| {
        var header: @import("../../../abi.zig").SocketMessage = .{ .address_len = 16 };
        header.address[0..16].* = loopback(@intCast(to[1]), 1);
        try expectEqual(@as(i32, 1), host.send(fd, &.{byte}, 1, 0, &header));
        try expectEqual(byte, try arrived(to[0]));
        // The peer is the same as before.
        try expectEqual(@as(i32, 1), send(fd, "="));
        try expectEqual(@as(u8, '='), try arrived(peer[0]));
    }
    // What an interface has no room for is lost.
    double("crowded");
    try expectEqual(@as(i32, 3), send(fd, "123"));
    double("");
    for ([_]i32{ fd, peer[0], other[0] }) |one| _ = host.close(one);
}

test "a datagram to a path may be as long as on Linux" {
    var p = try support.Place.init();
    defer p.deinit();
    try expect(host.start() >= 0);
    var address: [128]u8 = @splat(0);
    address[0] = 1;
    const n = host.socketPath(p.fd, "here", address[2..], 100);
    const here = host.socket(1, 2, 0);
    try expectEqual(@as(i32, 0), host.bind(here, &address, @intCast(n + 3)));
    const from = host.socket(1, 2, 0);
    var size: [4]u8 = undefined;
    for ([_]u32{ 7, 8 }) |option| {
        try expectEqual(@as(i32, 4), host.getSocketOption(here, 1, option, &size, 4));
        try expectEqual(@as(i32, 212_992), std.mem.readInt(i32, &size, .little));
    }
    try expectEqual(@as(i32, 0), host.connect(from, &address, @intCast(n + 3)));
    const long: [60_000]u8 = @splat(7);
    try expectEqual(@as(i32, long.len), send(from, &long));
    for ([_]i32{ here, from }) |fd| _ = host.close(fd);
}

test "an urgent byte wakes who waits for one" {
    const pair = try connected(nothing);
    var out: [64]u32 = undefined;
    try expectEqual(@as(i32, 0), host.pollAdd(pair[1], 0x3, 7));
    while (host.wait(0, &out, 16) > 0) {}
    var header: @import("../../../abi.zig").SocketMessage = .{};
    try expectEqual(@as(i32, 1), host.send(pair[0], "u", 1, 1, &header)); // MSG_OOB
    var told: u32 = 0;
    for (0..100) |_| {
        const n = host.wait(1e8, &out, 16);
        try expect(n >= 0);
        for (0..@intCast(n)) |i| told |= if (out[1 + 2 * i] == 7) out[2 + 2 * i] else 0;
        if (told & 2 != 0) break;
    }
    try expect(told & 2 != 0); // EPOLLPRI
    try expectEqual(@as(i32, 0), host.pollRemove(pair[1]));
    try expectEqual(@as(i32, 1), host.send(pair[0], "v", 1, 1, &header));
    try expectEqual(@as(i32, 0), host.wait(5e7, &out, 16));
    for (pair) |fd| _ = host.close(fd);
}
