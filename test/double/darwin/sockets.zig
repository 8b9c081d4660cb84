//! Sockets of the internet with Darwin's addresses, options and control messages. The tables are written in Darwin's numbers and
//! share nothing with those of the code under test.

const std = @import("std");
const base = @import("base.zig");
const c = base.c;
const linux = base.linux;
const fail = base.fail;
const result = base.result;
const arg = base.arg;

fn family(darwin: u8) u16 {
    return switch (darwin) {
        0, 1, 2 => darwin,
        30 => 10,
        else => base.misuse("an address family that is not Darwin's"),
    };
}

/// An address for Linux. A Mac has one address of its loopback only.
fn fromDarwin(address: *const anyopaque, len: u32, out: *[128]u8) u32 {
    const bytes = @as([*]const u8, @ptrCast(address))[0..len];
    if (len < 2 or bytes[0] != len) base.misuse("an address whose length is not in it");
    @memcpy(out[0..len], bytes);
    std.mem.writeInt(u16, out[0..2], family(bytes[1]), .little);
    return len;
}

fn unreachableHere(out: *const [128]u8) bool {
    return out[0] == 2 and out[4] == 127 and !std.mem.eql(u8, out[4..8], &.{ 127, 0, 0, 1 });
}

fn toDarwin(address: []u8, len: u32) void {
    if (len < 2) return;
    const value = std.mem.readInt(u16, address[0..2], .little);
    address[0] = @intCast(len);
    address[1] = if (value == 10) 30 else @intCast(value);
}

export fn darwin_socket(domain: c_int, kind: c_int, protocol: c_int) c_int {
    if (kind & ~@as(c_int, 7) != 0) base.misuse("a socket type with Linux's flags");
    const fd = linux.syscall3(.socket, family(@intCast(domain)), arg(kind), arg(protocol));
    const SOCK_DGRAM = 2;
    const udp_maxdgram: c_int = 9216;
    if (base.errnoOf(fd) != 0 or kind != SOCK_DGRAM) return result(fd);
    _ = linux.syscall5(.setsockopt, fd, 1, 7, @intFromPtr(&udp_maxdgram), 4);
    const local_recvspace: c_int = 4096 / 2;
    if (domain == 1) _ = linux.syscall5(.setsockopt, fd, 1, 8, @intFromPtr(&local_recvspace), 4);
    return result(fd);
}

/// Sockets with SO_NOSIGPIPE. It is a socket's own: nobody inherits it.
var quiet: std.StaticBitSet(65536) = .initEmpty();

/// A descriptor's number is about to mean something else.
pub fn forget(fd: c_int) void {
    if (fd >= 0 and fd < quiet.capacity()) quiet.unset(@intCast(fd));
}

fn optionOf(fd: c_int, name: usize) c_int {
    var value: c_int = 0;
    var len: u32 = 4;
    _ = linux.syscall5(.getsockopt, arg(fd), 1, name, @intFromPtr(&value), @intFromPtr(&len));
    return value;
}

/// For darwin_ioctl.
pub fn isDatagram(fd: c_int) bool {
    const SO_TYPE = 3;
    return optionOf(fd, SO_TYPE) == 2;
}

const TCP_SYN_SENT = 2;
const TCP_CLOSE = 7;
const TCP_LISTEN = 10;

/// Of TCP: the state, and whether anything ever came. Null for other sockets and files.
fn stateOf(fd: c_int) ?struct { state: u8, heard: bool } {
    const SO_TYPE = 3;
    const SOCK_STREAM = 1;
    if (optionOf(fd, SO_TYPE) != SOCK_STREAM) return null;
    var info: [256]u8 align(8) = @splat(0);
    var len: u32 = info.len;
    const rc = linux.syscall5(.getsockopt, arg(fd), 6, 11, @intFromPtr(&info), @intFromPtr(&len));
    if (base.errnoOf(rc) != 0) return null;
    const tcpi_segs_in = 140;
    return .{ .state = info[0], .heard = len >= tcpi_segs_in + 4 and std.mem.readInt(u32, info[tcpi_segs_in..][0..4], .little) > 0 };
}

/// A connection on which neither side can send any more.
fn isOver(fd: c_int) bool {
    const tcp = stateOf(fd) orelse return false;
    return tcp.state == TCP_CLOSE and tcp.heard;
}

/// A stream that has no connection, or none yet: nothing can be sent.
pub fn isUnconnected(fd: c_int) bool {
    const tcp = stateOf(fd) orelse return false;
    return tcp.state == TCP_SYN_SENT or tcp.state == TCP_LISTEN or (tcp.state == TCP_CLOSE and !tcp.heard);
}

fn isOfPath(fd: c_int) bool {
    const SO_DOMAIN = 39;
    return optionOf(fd, SO_DOMAIN) == 1;
}

fn hasPeer(fd: c_int) bool {
    var name: [128]u8 = undefined;
    var len: u32 = name.len;
    return base.errnoOf(linux.syscall3(.getpeername, arg(fd), @intFromPtr(&name), @intFromPtr(&len))) == 0;
}

export fn darwin_bind(fd: c_int, address: *const anyopaque, len: u32) c_int {
    var to: [128]u8 = @splat(0);
    const n = fromDarwin(address, len, &to);
    if (unreachableHere(&to)) return fail(c.EADDRNOTAVAIL);
    if (to[0] == 1 and n > 106) return fail(c.EINVAL);
    return result(linux.syscall3(.bind, arg(fd), @intFromPtr(&to), n));
}

export fn darwin_connect(fd: c_int, address: *const anyopaque, len: u32) c_int {
    var to: [128]u8 = @splat(0);
    const n = fromDarwin(address, len, &to);
    if (unreachableHere(&to)) return fail(c.EADDRNOTAVAIL);
    return result(linux.syscall3(.connect, arg(fd), @intFromPtr(&to), n));
}

export fn darwin_disconnectx(fd: c_int, association: u32, connection: u32) c_int {
    if (association != 0 or connection != 0) return fail(c.EINVAL);
    var name: [128]u8 = undefined;
    var len: u32 = name.len;
    const had_peer = nameOf(.getpeername, fd, &name, &len) == 0;
    // Linux tells of no peer with port 0, which getaddrinfo(3) connects to: so it is let go in any case.
    const nothing: [16]u8 = @splat(0);
    const rc = linux.syscall3(.connect, arg(fd), @intFromPtr(&nothing), nothing.len);
    return if (had_peer) result(rc) else fail(c.ENOTCONN);
}

export fn darwin_listen(fd: c_int, backlog: c_int) c_int {
    return result(linux.syscall2(.listen, arg(fd), arg(backlog)));
}

/// What comes of it has the flags of the socket that listens.
export fn darwin_accept(fd: c_int, address: ?*anyopaque, len: ?*u32) c_int {
    if (address != null or len != null) base.misuse("accept with an address is not modelled");
    if (base.isInterrupted()) return -1;
    const listening = linux.syscall3(.fcntl, arg(fd), 3, 0);
    const made = linux.syscall4(.accept4, arg(fd), 0, 0, 0);
    if (base.errnoOf(made) == 0) _ = linux.syscall3(.fcntl, made, 4, listening);
    if (base.errnoOf(made) == 0) forget(@intCast(made));
    return result(made);
}

fn nameOf(comptime call: linux.SYS, fd: c_int, out: *anyopaque, len: *u32) c_int {
    var name: [128]u8 = @splat(0);
    var size: u32 = name.len;
    const rc = linux.syscall3(call, arg(fd), @intFromPtr(&name), @intFromPtr(&size));
    if (base.errnoOf(rc) != 0) return result(rc);
    toDarwin(&name, size);
    const n = @min(size, len.*);
    @memcpy(@as([*]u8, @ptrCast(out))[0..n], name[0..n]);
    len.* = size;
    return 0;
}

export fn darwin_getsockname(fd: c_int, out: *anyopaque, len: *u32) c_int {
    return nameOf(.getsockname, fd, out, len);
}

export fn darwin_getpeername(fd: c_int, out: *anyopaque, len: *u32) c_int {
    if (isOver(fd)) return fail(c.EINVAL);
    return nameOf(.getpeername, fd, out, len);
}

export fn darwin_shutdown(fd: c_int, how: c_int) c_int {
    // A peer of a path that is gone, or never was.
    const POLLHUP = 0x10;
    var item: linux.pollfd = .{ .fd = fd, .events = 0, .revents = 0 };
    if (isOfPath(fd) and (!hasPeer(fd) or (linux.poll(@ptrCast(&item), 1, 0) == 1 and item.revents & POLLHUP != 0))) return fail(c.ENOTCONN);
    return result(linux.syscall2(.shutdown, arg(fd), arg(how)));
}

/// Level, name, and Linux's of both. `flag`: the answer of getsockopt is the option's bit.
const Option = struct { level: c_int, name: c_int, to: [2]u32, flag: bool = false, byte: bool = false };
const options = [_]Option{
    .{ .level = 0xffff, .name = 0x1, .to = .{ 1, 1 }, .flag = true },
    .{ .level = 0xffff, .name = 0x2, .to = .{ 1, 30 }, .flag = true },
    .{ .level = 0xffff, .name = 0x4, .to = .{ 1, 2 }, .flag = true },
    .{ .level = 0xffff, .name = 0x8, .to = .{ 1, 9 }, .flag = true },
    .{ .level = 0xffff, .name = 0x10, .to = .{ 1, 5 }, .flag = true },
    .{ .level = 0xffff, .name = 0x20, .to = .{ 1, 6 }, .flag = true },
    .{ .level = 0xffff, .name = 0x100, .to = .{ 1, 10 }, .flag = true },
    .{ .level = 0xffff, .name = 0x200, .to = .{ 1, 15 }, .flag = true },
    .{ .level = 0xffff, .name = 0x400, .to = .{ 1, 29 }, .flag = true },
    .{ .level = 0xffff, .name = 0x1001, .to = .{ 1, 7 } },
    .{ .level = 0xffff, .name = 0x1002, .to = .{ 1, 8 } },
    .{ .level = 0xffff, .name = 0x1004, .to = .{ 1, 18 } },
    .{ .level = 0xffff, .name = 0x1007, .to = .{ 1, 4 } },
    .{ .level = 0xffff, .name = 0x1008, .to = .{ 1, 3 } },
    .{ .level = 0xffff, .name = 0x1080, .to = .{ 1, 13 } },
    .{ .level = 0, .name = 3, .to = .{ 0, 1 } },
    .{ .level = 0, .name = 4, .to = .{ 0, 2 } },
    .{ .level = 0, .name = 2, .to = .{ 0, 3 } },
    .{ .level = 0, .name = 26, .to = .{ 0, 8 } },
    .{ .level = 0, .name = 24, .to = .{ 0, 12 } },
    .{ .level = 0, .name = 27, .to = .{ 0, 13 } },
    .{ .level = 0, .name = 9, .to = .{ 0, 32 } },
    .{ .level = 0, .name = 10, .to = .{ 0, 33 }, .byte = true },
    .{ .level = 0, .name = 11, .to = .{ 0, 34 }, .byte = true },
    .{ .level = 0, .name = 12, .to = .{ 0, 35 } },
    .{ .level = 0, .name = 13, .to = .{ 0, 36 } },
    .{ .level = 0, .name = 28, .to = .{ 0, 10 } },
    .{ .level = 41, .name = 4, .to = .{ 41, 16 } },
    .{ .level = 41, .name = 9, .to = .{ 41, 17 } },
    .{ .level = 41, .name = 10, .to = .{ 41, 18 } },
    .{ .level = 41, .name = 11, .to = .{ 41, 19 } },
    .{ .level = 41, .name = 27, .to = .{ 41, 26 } },
    .{ .level = 41, .name = 61, .to = .{ 41, 49 } },
    .{ .level = 41, .name = 37, .to = .{ 41, 51 } },
    .{ .level = 41, .name = 35, .to = .{ 41, 66 } },
    .{ .level = 41, .name = 36, .to = .{ 41, 67 } },
    .{ .level = 6, .name = 1, .to = .{ 6, 1 }, .flag = true },
    .{ .level = 6, .name = 2, .to = .{ 6, 2 } },
    .{ .level = 6, .name = 4, .to = .{ 6, 3 }, .flag = true },
    .{ .level = 6, .name = 0x10, .to = .{ 6, 4 } },
    .{ .level = 6, .name = 0x101, .to = .{ 6, 5 } },
    .{ .level = 6, .name = 0x102, .to = .{ 6, 6 } },
    .{ .level = 6, .name = 0x201, .to = .{ 6, 25 } },
    .{ .level = 6, .name = 0x80, .to = .{ 6, 18 } },
};

fn find(level: c_int, name: c_int) ?Option {
    for (options) |option| {
        if (option.level == level and option.name == name) return option;
    }
    return null;
}

const largest_buffer = 8 << 20;

export fn darwin_setsockopt(fd: c_int, level: c_int, name: c_int, value: *const anyopaque, len: u32) c_int {
    const SO_NOSIGPIPE = 0x1022;
    if (isOver(fd)) return fail(c.EINVAL);
    if (level == 0xffff and name == SO_NOSIGPIPE) {
        if (len != 4 or fd < 0 or fd >= quiet.capacity()) return fail(c.EINVAL);
        quiet.set(@intCast(fd));
        return 0;
    }
    const option = find(level, name) orelse return fail(c.ENOPROTOOPT);
    var number: c_int = 0;
    if (len >= 4) @memcpy(std.mem.asBytes(&number), @as([*]const u8, @ptrCast(value))[0..4]);
    const is_group = level == 0 and (name == 12 or name == 13);
    if (is_group and len != 8) return fail(c.EINVAL);
    // TCP_RXT_CONNDROPTIME counts seconds.
    if (level == 6 and name == 0x80) number *= 1000;
    // Sizes and low-water marks.
    if (level == 0xffff and name >= 0x1001 and name <= 0x1004 and number < 1) return fail(c.EINVAL);
    const is_buffer = level == 0xffff and (name == 0x1001 or name == 0x1002);
    if (is_buffer and number > largest_buffer) return fail(c.ENOBUFS);
    if (level == 0 and name == 28) number = if (number != 0) 2 else 0;
    if (len == 4) return result(linux.syscall5(.setsockopt, arg(fd), option.to[0], option.to[1], @intFromPtr(&number), 4));
    return result(linux.syscall5(.setsockopt, arg(fd), option.to[0], option.to[1], @intFromPtr(value), len));
}

/// LOCAL_PEERCRED and LOCAL_PEERPID, whose level is another family's IPPROTO_IP.
fn peer(fd: c_int, name: c_int, out: [*]u8, len: *u32) c_int {
    var ucred: [3]u32 = undefined;
    var size: u32 = @sizeOf(@TypeOf(ucred));
    const rc = linux.syscall5(.getsockopt, arg(fd), 1, 17, @intFromPtr(&ucred), @intFromPtr(&size));
    if (base.errnoOf(rc) != 0) return result(rc);
    const is_connected = ucred[1] != std.math.maxInt(u32);
    if (!is_connected) return fail(c.ENOTCONN);
    var record: [76]u8 = @splat(0);
    std.mem.writeInt(u32, record[4..8], ucred[1], .little);
    std.mem.writeInt(u16, record[8..10], 1, .little);
    std.mem.writeInt(u32, record[12..16], ucred[2], .little);
    const bytes: []const u8 = if (name == 1) &record else std.mem.asBytes(&ucred[0]);
    if (len.* < bytes.len) return fail(c.EINVAL);
    @memcpy(out[0..bytes.len], bytes);
    len.* = @intCast(bytes.len);
    return 0;
}

export fn darwin_getsockopt(fd: c_int, level: c_int, name: c_int, value: *anyopaque, len: *u32) c_int {
    const out: [*]u8 = @ptrCast(value);
    const SO_DOMAIN = 39;
    if (level == 0 and optionOf(fd, SO_DOMAIN) == 1) return if (name == 1 or name == 2) peer(fd, name, out, len) else fail(c.ENOPROTOOPT);
    if (level == 0xffff and (name == 0x1020 or name == 0x1024)) {
        // SO_NREAD and SO_NWRITE.
        var count: c_int = 0;
        const rc = linux.ioctl(fd, if (name == 0x1020) 0x541b else 0x5411, @intFromPtr(&count));
        if (base.errnoOf(rc) != 0) return result(rc);
        @memcpy(out[0..4], std.mem.asBytes(&count));
        len.* = 4;
        return 0;
    }
    if (level == 6 and name == 0x106) {
        // TCP_CONNECTION_INFO: Linux's states in Darwin's order.
        const tcp = stateOf(fd) orelse return fail(c.ENOPROTOOPT);
        out[0] = ([_]u8{ 0, 4, 2, 3, 6, 9, 10, 0, 5, 8, 1, 7 })[tcp.state];
        return 0;
    }
    const option = find(level, name) orelse return fail(c.ENOPROTOOPT);
    const rc = linux.syscall5(.getsockopt, arg(fd), option.to[0], option.to[1], @intFromPtr(out), @intFromPtr(len));
    if (base.errnoOf(rc) != 0) return result(rc);
    var number: c_int = 0;
    if (len.* == 4) @memcpy(std.mem.asBytes(&number), out[0..4]);
    if (option.flag and number != 0) number = name;
    if (level == 0xffff and (name == 0x1001 or name == 0x1002)) number = @divFloor(number, 2);
    if (level == 0xffff and name == 0x1007 and number != 0) number = base.darwinErrno(@intCast(number));
    if (level == 0 and name == 28) number = @intFromBool(number == 2);
    if (level == 6 and name == 0x80) number = @divFloor(number, 1000);
    if (len.* == 4) @memcpy(out[0..4], std.mem.asBytes(&number));
    if (option.byte) {
        out[0] = @intCast(number);
        len.* = 1;
    }
    return 0;
}

const flags = [_][2]u32{ .{ 0x1, 0x1 }, .{ 0x2, 0x2 }, .{ 0x4, 0x4 }, .{ 0x8, 0x80 }, .{ 0x10, 0x20 }, .{ 0x20, 0x8 }, .{ 0x40, 0x100 }, .{ 0x80, 0x40 } };

fn linuxFlags(darwin: c_int) u32 {
    var out: u32 = 0;
    var left: u32 = @bitCast(darwin);
    for (flags) |pair| {
        if (left & pair[0] != 0) out |= pair[1];
        left &= ~pair[0];
    }
    if (left != 0) base.misuse("message flags that are not Darwin's");
    return out;
}

fn darwinFlags(bits: u32) c_int {
    var out: c_int = 0;
    for (flags) |pair| {
        if (bits & pair[1] != 0) out |= @bitCast(pair[0]);
    }
    return out;
}

const Message = extern struct { name: ?*anyopaque, namelen: u32, iov: usize, iovlen: usize, control: ?*anyopaque, controllen: usize, flags: u32 };

/// Darwin's level, type when sent and when received; Linux's level and type.
const Kind = struct { level: c_int, linux_level: c_int, sent: c_int, received: c_int, linux: c_int, byte: bool = false };
const kinds = [_]Kind{
    .{ .level = 0, .linux_level = 0, .sent = 26, .received = 26, .linux = 8 },
    .{ .level = 0, .linux_level = 0, .sent = 4, .received = 24, .linux = 2, .byte = true },
    .{ .level = 0, .linux_level = 0, .sent = 3, .received = 27, .linux = 1, .byte = true },
    .{ .level = 41, .linux_level = 41, .sent = 46, .received = 46, .linux = 50 },
    .{ .level = 41, .linux_level = 41, .sent = 47, .received = 47, .linux = 52 },
    .{ .level = 41, .linux_level = 41, .sent = 36, .received = 36, .linux = 67 },
    .{ .level = 0xffff, .linux_level = 1, .sent = 1, .received = 1, .linux = 1 },
    .{ .level = 0xffff, .linux_level = 1, .sent = -1, .received = 2, .linux = 29 },
};

fn int(bytes: []const u8) c_int {
    return std.mem.readInt(c_int, bytes[0..4], .little);
}

fn put(bytes: []u8, value: c_int) void {
    std.mem.writeInt(c_int, bytes[0..4], value, .little);
}

fn controlFor(darwin: []const u8, out: []u8) usize {
    var from: usize = 0;
    var to: usize = 0;
    while (from + 12 <= darwin.len) {
        const length: usize = @intCast(int(darwin[from..]));
        const kind = for (kinds) |k| {
            if (k.level == int(darwin[from + 4 ..]) and k.sent == int(darwin[from + 8 ..])) break k;
        } else base.misuse("a control message that is not Darwin's");
        const body = darwin[from + 12 .. from + length];
        std.mem.writeInt(u64, out[to..][0..8], 16 + body.len, .little);
        put(out[to + 8 ..], kind.linux_level);
        put(out[to + 12 ..], kind.linux);
        @memcpy(out[to + 16 ..][0..body.len], body);
        to += std.mem.alignForward(usize, 16 + body.len, 8);
        from += std.mem.alignForward(usize, length, 4);
    }
    return to;
}

fn controlFrom(bytes: []const u8, out: []u8) usize {
    var from: usize = 0;
    var to: usize = 0;
    while (from + 16 <= bytes.len) {
        const length: usize = @intCast(std.mem.readInt(u64, bytes[from..][0..8], .little));
        const body = bytes[from + 16 .. from + length];
        const kind = for (kinds) |k| {
            if (k.linux_level == int(bytes[from + 8 ..]) and k.linux == int(bytes[from + 12 ..])) break k;
        } else base.misuse("a control message of Linux's that the double does not know");
        const size = 12 + if (kind.byte) 1 else body.len;
        put(out[to..], @intCast(size));
        put(out[to + 4 ..], kind.level);
        put(out[to + 8 ..], kind.received);
        @memcpy(out[to + 12 ..][0 .. size - 12], body[0 .. size - 12]);
        to += std.mem.alignForward(usize, size, 4);
        from += std.mem.alignForward(usize, length, 8);
    }
    return to;
}

export fn darwin_sendmsg(fd: c_int, message: *const c.struct_msghdr, how: c_int) isize {
    if (base.isInterrupted()) return -1;
    var name: [128]u8 = @splat(0);
    var control: [8192]u8 align(8) = @splat(0);
    var inner: Message = .{ .name = null, .namelen = 0, .iov = @intFromPtr(message.msg_iov), .iovlen = @intCast(message.msg_iovlen), .control = null, .controllen = 0, .flags = 0 };
    if (message.msg_name) |address| {
        inner.namelen = fromDarwin(address, message.msg_namelen, &name);
        inner.name = &name;
        if (unreachableHere(&name)) return fail(c.EADDRNOTAVAIL);
    }
    if (message.msg_control) |bytes| {
        inner.controllen = controlFor(@as([*]const u8, @ptrCast(bytes))[0..message.msg_controllen], &control);
        inner.control = &control;
    }
    if (isUnconnected(fd)) return fail(c.ENOTCONN);
    if (message.msg_name != null and isDatagram(fd) and hasPeer(fd)) return fail(c.EISCONN);
    if (base.option(.crowded) and isDatagram(fd) and !isOfPath(fd)) return fail(c.ENOBUFS);
    // A datagram that does not fit into the socket's buffer at once.
    const SO_SNDBUF = 7;
    const SO_TYPE = 3;
    var size: usize = 0;
    for (@as([*]const c.struct_iovec, @ptrCast(message.msg_iov))[0..@intCast(message.msg_iovlen)]) |piece| size += piece.iov_len;
    if (optionOf(fd, SO_TYPE) == 2 and size > @as(usize, @intCast(@divFloor(optionOf(fd, SO_SNDBUF), 2)))) return fail(c.EMSGSIZE);
    const MSG_NOSIGNAL = 0x4000;
    const signal: u32 = if (quiet.isSet(@intCast(fd))) MSG_NOSIGNAL else 0;
    return result(linux.syscall3(.sendmsg, arg(fd), @intFromPtr(&inner), linuxFlags(how) | signal));
}

export fn darwin_recvmsg(fd: c_int, message: *c.struct_msghdr, how: c_int) isize {
    if (how & 0x30 != 0) base.misuse("MSG_TRUNC and MSG_CTRUNC are answers");
    if (base.isInterrupted()) return -1;
    var name: [128]u8 = @splat(0);
    var control: [8192]u8 align(8) = @splat(0);
    var inner: Message = .{ .name = &name, .namelen = name.len, .iov = @intFromPtr(message.msg_iov), .iovlen = @intCast(message.msg_iovlen), .control = &control, .controllen = control.len, .flags = 0 };
    const n = linux.syscall3(.recvmsg, arg(fd), @intFromPtr(&inner), linuxFlags(how));
    if (base.errnoOf(n) != 0) return result(n);
    toDarwin(&name, inner.namelen);
    const room = @min(inner.namelen, message.msg_namelen);
    if (message.msg_name) |out| @memcpy(@as([*]u8, @ptrCast(out))[0..room], name[0..room]);
    message.msg_namelen = inner.namelen;
    message.msg_controllen = if (message.msg_control) |out| @intCast(controlFrom(control[0..inner.controllen], @as([*]u8, @ptrCast(out))[0..message.msg_controllen])) else 0;
    message.msg_flags = darwinFlags(inner.flags);
    return @intCast(n);
}

fn interfaceName(darwin: []const u8) []const u8 {
    if (std.mem.eql(u8, darwin, "lo")) return "no such one";
    return if (std.mem.eql(u8, darwin, "lo0")) "lo" else darwin;
}

/// The requests of interfaces, from darwin_ioctl: null for another command.
pub fn interface(fd: c_int, command: c_ulong, request: usize) ?c_int {
    const linux_command: u32 = switch (command) {
        c.SIOCATMARK => return result(linux.ioctl(fd, 0x8905, request)),
        c.SIOCGIFFLAGS => 0x8913,
        c.SIOCGIFADDR => 0x8915,
        c.SIOCGIFDSTADDR => 0x8917,
        c.SIOCGIFBRDADDR => 0x8919,
        c.SIOCGIFNETMASK => 0x891b,
        c.SIOCGIFMETRIC => 0x891d,
        c.SIOCGIFMTU => 0x8921,
        else => return null,
    };
    const darwin: *c.struct_ifreq = @ptrFromInt(request);
    var ifreq: [40]u8 = @splat(0);
    const name = interfaceName(std.mem.sliceTo(&darwin.ifr_name, 0));
    @memcpy(ifreq[0..name.len], name);
    const rc = linux.ioctl(fd, linux_command, @intFromPtr(&ifreq));
    if (base.errnoOf(rc) == 19) return fail(6);
    if (base.errnoOf(rc) != 0) return result(rc);
    darwin.ifr_ifru = ifreq[16..32].*;
    if (linux_command >= 0x8915 and linux_command <= 0x891b) toDarwin(&darwin.ifr_ifru, 16);
    if (linux_command == 0x891b) darwin.ifr_ifru[1] = 0;
    if (linux_command == 0x8913) {
        const bits = std.mem.readInt(u16, ifreq[16..18], .little);
        // SIMPLEX is what Linux has no name for.
        const multicast: u16 = if (bits & 0x1008 != 0) 0x8000 else 0; // the loopback, too
        std.mem.writeInt(u16, darwin.ifr_ifru[0..2], (bits & 0x3ff) | 0x800 | multicast, .little);
    }
    return 0;
}

export fn darwin_if_nametoindex(name: base.Path) c_uint {
    var ifreq: [40]u8 = @splat(0);
    const text = interfaceName(std.mem.span(name));
    @memcpy(ifreq[0..@min(text.len, 15)], text[0..@min(text.len, 15)]);
    const fd = linux.syscall3(.socket, 2, 2, 0);
    defer _ = linux.close(@intCast(fd));
    const rc = linux.ioctl(@intCast(fd), 0x8933, @intFromPtr(&ifreq));
    return if (base.errnoOf(rc) == 0) std.mem.readInt(u32, ifreq[16..20], .little) else 0;
}

export fn darwin_if_indextoname(index: c_uint, out: [*]u8) ?[*:0]u8 {
    var ifreq: [40]u8 = @splat(0);
    std.mem.writeInt(u32, ifreq[16..20], index, .little);
    const fd = linux.syscall3(.socket, 2, 2, 0);
    defer _ = linux.close(@intCast(fd));
    if (base.errnoOf(linux.ioctl(@intCast(fd), 0x8910, @intFromPtr(&ifreq))) != 0) return null;
    const name = std.mem.sliceTo(ifreq[0..16], 0);
    const darwin = if (std.mem.eql(u8, name, "lo")) "lo0" else name;
    @memcpy(out[0..darwin.len], darwin);
    out[darwin.len] = 0;
    return @ptrCast(out);
}
