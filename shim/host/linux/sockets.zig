//! Sockets of the host: never blocking, never inherited. Families, types, options, addresses and control messages are those
//! of Linux, which are the same on arm64 and x86-64.

const std = @import("std");
const abi = @import("../../abi.zig");
const call = @import("call.zig");
const files = @import("files.zig");
const linux = call.linux;
const narrow = call.narrow;
const fdArg = call.fdArg;

const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;
const MSG_DONTWAIT = 0x40;
const MSG_CMSG_CLOEXEC = 0x40000000;

/// A new descriptor or -errno.
pub fn socket(domain: u32, kind: u32, protocol: u32) i32 {
    return files.lift(narrow(call.plain(.socket, .{ domain, kind | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol })));
}

/// sun_path.
const PATH_BYTES = 108;

/// A path by which bind(2), connect(2) and sendmsg(2) of this process reach `name` in the directory `fd`, or what `fd` itself is when
/// the name is "". Its length without the NUL that follows it, or -errno. A name to be made gets the path that other programs know it
/// by, where that is short enough: they see it as the socket's address.
pub fn socketPath(fd: i32, name: call.Path, out: [*]u8, max: u32) i32 {
    var short: [32]u8 = undefined;
    const link = std.fmt.bufPrintSentinel(&short, "/proc/self/fd/{d}", .{fd}, 0) catch unreachable;
    const room = out[0..@min(max, PATH_BYTES)];
    const text = std.mem.span(name);
    if (text.len == 0) return printed(room, "{s}", .{link});
    var buffer: [PATH_BYTES]u8 = undefined;
    const n = files.readLink(-100, link, &buffer, buffer.len);
    if (n > 0 and n < buffer.len and buffer[0] == '/') {
        buffer[@intCast(n)] = 0;
        const folder: []const u8 = if (n == 1) "" else buffer[0..@intCast(n)];
        if (isSame(fd, buffer[0..@intCast(n) :0])) {
            const whole = printed(room, "{s}/{s}", .{ folder, text });
            if (whole >= 0) return whole;
        }
    }
    return printed(room, "{s}/{s}", .{ link, text });
}

fn printed(room: []u8, comptime format: []const u8, args: anytype) i32 {
    const text = std.fmt.bufPrintSentinel(room, format, args, 0) catch return -call.ENAMETOOLONG;
    return @intCast(text.len);
}

/// Whether a path leads to what `fd` refers to, without a link at its end.
fn isSame(fd: i32, path: call.Path) bool {
    var ours: linux.Statx = undefined;
    var other: linux.Statx = undefined;
    const mask = 0x100; // STATX_INO
    if (call.plain(.statx, .{ fdArg(fd), @intFromPtr(""), 0x1000, mask, @intFromPtr(&ours) }) != 0) return false;
    if (call.plain(.statx, .{ fdArg(-100), @intFromPtr(path), 0x100, mask, @intFromPtr(&other) }) != 0) return false;
    return ours.ino == other.ino and ours.dev_major == other.dev_major and ours.dev_minor == other.dev_minor;
}

pub fn bind(fd: i32, address: [*]const u8, len: u32) i32 {
    return narrow(call.plain(.bind, .{ fdArg(fd), @intFromPtr(address), len }));
}

/// -EINPROGRESS when the connection is still being made: writable means done, SO_ERROR says how.
pub fn connect(fd: i32, address: [*]const u8, len: u32) i32 {
    return narrow(call.plain(.connect, .{ fdArg(fd), @intFromPtr(address), len }));
}

pub fn listen(fd: i32, backlog: u32) i32 {
    return narrow(call.plain(.listen, .{ fdArg(fd), backlog }));
}

pub fn accept(fd: i32) i32 {
    return files.lift(narrow(call.again(.accept4, .{ fdArg(fd), 0, 0, SOCK_NONBLOCK | SOCK_CLOEXEC })));
}

/// The own address, or the peer's, into at most `max` bytes. Its length or -errno.
pub fn socketName(fd: i32, peer: bool, out: [*]u8, max: u32) i32 {
    var len: u32 = max;
    const args = .{ fdArg(fd), @intFromPtr(out), @intFromPtr(&len) };
    const rc = narrow(if (peer) call.plain(.getpeername, args) else call.plain(.getsockname, args));
    return if (rc < 0) rc else @intCast(len);
}

pub fn shutdown(fd: i32, how: u32) i32 {
    return narrow(call.plain(.shutdown, .{ fdArg(fd), how }));
}

pub fn setSocketOption(fd: i32, level: u32, name: u32, value: [*]const u8, len: u32) i32 {
    return narrow(call.plain(.setsockopt, .{ fdArg(fd), level, name, @intFromPtr(value), len }));
}

/// The option's value into at most `max` bytes. Its length or -errno.
pub fn getSocketOption(fd: i32, level: u32, name: u32, out: [*]u8, max: u32) i32 {
    var len: u32 = max;
    const rc = narrow(call.plain(.getsockopt, .{ fdArg(fd), level, name, @intFromPtr(out), @intFromPtr(&len) }));
    return if (rc < 0) rc else @intCast(len);
}

/// One message with the address and control messages of `header`. Bytes sent or -errno; there is no SIGPIPE.
pub fn send(fd: i32, data: [*]const u8, len: usize, flags: u32, header: *abi.SocketMessage) i32 {
    var piece: Piece = .{ .base = @constCast(data), .len = len };
    const message = prepare(&piece, header);
    return narrow(call.again(.sendmsg, .{ fdArg(fd), @intFromPtr(&message), flags | MSG_NOSIGNAL | MSG_DONTWAIT }));
}

/// One message into `data`; address, control messages and flags into `header`. Bytes received or -errno.
pub fn receive(fd: i32, data: [*]u8, len: usize, flags: u32, header: *abi.SocketMessage) i32 {
    header.address_len = header.address.len;
    header.control_len = header.control.len;
    var piece: Piece = .{ .base = data, .len = len };
    var message = prepare(&piece, header);
    const n = narrow(call.again(.recvmsg, .{ fdArg(fd), @intFromPtr(&message), flags | MSG_DONTWAIT | MSG_CMSG_CLOEXEC }));
    if (n < 0) return n;
    header.address_len = message.namelen;
    header.control_len = @intCast(message.controllen);
    header.flags = message.flags;
    return n;
}

/// struct iovec.
const Piece = extern struct { base: [*]u8, len: usize };

/// struct msghdr as the kernel has it on 64-bit machines.
const Message = extern struct {
    name: ?*anyopaque,
    namelen: u32,
    iov: *Piece,
    iovlen: usize,
    control: ?*anyopaque,
    controllen: usize,
    flags: u32,
};

fn prepare(piece: *Piece, header: *abi.SocketMessage) Message {
    return .{
        .name = if (header.address_len == 0) null else &header.address,
        .namelen = header.address_len,
        .iov = piece,
        .iovlen = 1,
        .control = if (header.control_len == 0) null else &header.control,
        .controllen = header.control_len,
        .flags = 0,
    };
}

/// FIONREAD, SIOCOUTQ, SIOCATMARK and the commands that ask for interfaces: `argument` is as the guest gave it.
pub fn socketControl(fd: i32, command: u32, argument: *anyopaque) i32 {
    return narrow(call.plain(.ioctl, .{ fdArg(fd), command, @intFromPtr(argument) }));
}
