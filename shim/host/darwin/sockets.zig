//! Sockets of the host: never blocking, never inherited, without SIGPIPE. Families, types, options, addresses and control messages
//! are Linux's. Netlink is not among them: a Mac has none, and programs ask it for what getifaddrs(3) tells.

const std = @import("std");
const abi = @import("../../abi.zig");
const addresses = @import("addresses.zig");
const call = @import("call.zig");
const control_messages = @import("control_messages.zig");
const files = @import("files.zig");
const handles = @import("handles.zig");
const options = @import("socket_options.zig");
const unsent = @import("unsent.zig");
const c = call.c;
const sys = call.sys;
const E = call.E;
const Address = addresses.Address;

const EAFNOSUPPORT = 97;

/// net.core.wmem_default of Linux, which is told twice as large as it is.
const datagram_buffer: c_int = 212_992 / 2;

/// A new descriptor or -errno.
pub fn socket(domain: u32, kind: u32, protocol: u32) i32 {
    const family: c_int = switch (domain) {
        addresses.AF_UNIX => c.AF_UNIX,
        addresses.AF_INET => c.AF_INET,
        addresses.AF_INET6 => c.AF_INET6,
        else => return -EAFNOSUPPORT,
    };
    const fd = prepared(call.result(sys("socket")(family, @intCast(kind & 0xf), @intCast(protocol))));
    if (fd < 0 or kind & 0xf != c.SOCK_DGRAM) return fd;
    // A datagram must fit into the buffer, which has 9216 bytes, or 2048; and into the receiver's, which has 4096 for a path.
    _ = sys("setsockopt")(fd, c.SOL_SOCKET, c.SO_SNDBUF, &datagram_buffer, @sizeOf(c_int));
    if (family == c.AF_UNIX) _ = sys("setsockopt")(fd, c.SOL_SOCKET, c.SO_RCVBUF, &datagram_buffer, @sizeOf(c_int));
    return fd;
}

/// Whether it is of AF_UNIX.
fn isLocal(fd: i32) bool {
    var name: Address = .{ .len = @sizeOf(@FieldType(Address, "bytes")) };
    return sys("getsockname")(fd, &name.bytes, &name.len) == 0 and name.bytes[1] == c.AF_UNIX;
}

/// What Linux's calls say in flags. A connection that is over when it is accepted takes no SO_NOSIGPIPE: for it SIGPIPE is
/// ignored (system.zig).
fn prepared(fd: i32) i32 {
    if (fd < 0) return fd;
    const on: c_int = 1;
    _ = sys("fcntl")(fd, c.F_SETFD, @as(c_int, c.FD_CLOEXEC));
    _ = sys("fcntl")(fd, c.F_SETFL, @as(c_int, c.O_NONBLOCK));
    _ = sys("setsockopt")(fd, c.SOL_SOCKET, c.SO_NOSIGPIPE, &on, @sizeOf(c_int));
    return files.lift(fd);
}

/// A path by which bind(2), connect(2) and sendmsg(2) reach `name` in the directory `fd`, or what `fd` itself is when the name
/// is "". Its length without the NUL that follows it, or -errno.
pub fn socketPath(fd: i32, name: call.Path, out: [*]u8, max: u32) i32 {
    const path_max = @typeInfo(@FieldType(c.struct_sockaddr_un, "sun_path")).array.len;
    var at: handles.Target = undefined;
    const wrong = handles.target(fd, name, &at);
    if (wrong < 0) return wrong;
    // What a descriptor alone leads to is no socket.
    if (at.name[0] == 0) return -E.INVAL;
    var buffer: [c.PATH_MAX]u8 = @splat(0);
    const absolute = at.name[0] == '/';
    if (!absolute and sys("fcntl")(at.fd, c.F_GETPATH, &buffer) != 0) return call.failure();
    const room = out[0..@min(max, path_max)];
    const slash = if (absolute) "" else "/";
    const text = std.fmt.bufPrintSentinel(room, "{s}{s}{s}", .{ std.mem.sliceTo(&buffer, 0), slash, std.mem.span(at.name) }, 0) catch return -E.NAMETOOLONG;
    return @intCast(text.len);
}

pub fn bind(fd: i32, address: [*]const u8, len: u32) i32 {
    var to: Address = .{};
    const wrong = to.from(address[0..len]);
    return if (wrong < 0) wrong else call.result(sys("bind")(fd, &to.bytes, to.len));
}

/// -EINPROGRESS when the connection is still being made: writable means done, SO_ERROR says how. AF_UNSPEC ends it.
pub fn connect(fd: i32, address: [*]const u8, len: u32) i32 {
    if (len >= 2 and address[0] == 0 and address[1] == 0) return disconnect(fd);
    var to: Address = .{};
    const wrong = to.from(address[0..len]);
    return if (wrong < 0) wrong else call.result(sys("connect")(fd, &to.bytes, to.len));
}

fn disconnect(fd: i32) i32 {
    const ENOTCONN = 107;
    const rc = call.result(sys("disconnectx")(fd, c.SAE_ASSOCID_ANY, c.SAE_CONNID_ANY));
    return if (rc == -ENOTCONN) 0 else rc;
}

pub fn listen(fd: i32, backlog: u32) i32 {
    return call.result(sys("listen")(fd, std.math.cast(c_int, backlog) orelse std.math.maxInt(c_int)));
}

pub fn accept(fd: i32) i32 {
    while (true) {
        const made = sys("accept")(fd, null, null);
        if (!call.interrupted(made)) return prepared(call.result(made));
    }
}

/// The own address, or the peer's, into at most `max` bytes. Its length or -errno.
pub fn socketName(fd: i32, peer: bool, out: [*]u8, max: u32) i32 {
    const ENOTCONN = 107;
    var name: Address = .{ .len = @sizeOf(@FieldType(Address, "bytes")) };
    const rc = call.result(if (peer) sys("getpeername")(fd, &name.bytes, &name.len) else sys("getsockname")(fd, &name.bytes, &name.len));
    // A connection that is over has no peer, which is an invalid request here.
    if (rc < 0) return if (peer and rc == -E.INVAL) -ENOTCONN else rc;
    return @intCast(name.to(out[0..max]));
}

pub fn shutdown(fd: i32, how: u32) i32 {
    const ENOTCONN = 107;
    const rc = call.result(sys("shutdown")(fd, std.math.cast(c_int, how) orelse return -E.INVAL));
    // On Linux it does not matter whether the peer of a path is there, or still there.
    return if (rc == -ENOTCONN and isLocal(fd)) 0 else rc;
}

pub fn setSocketOption(fd: i32, level: u32, name: u32, value: [*]const u8, len: u32) i32 {
    return options.set(fd, level, name, value, len);
}

pub fn getSocketOption(fd: i32, level: u32, name: u32, out: [*]u8, max: u32) i32 {
    return options.get(fd, level, name, out, max);
}

const MSG = struct {
    const TRUNC = 0x20;
    const ERRQUEUE = 0x2000;
    const FASTOPEN = 0x20000000;
};

/// Flags of Linux and Darwin. MSG_MORE, MSG_CONFIRM and MSG_ZEROCOPY are hints; MSG_NOSIGNAL holds for all sockets here.
const flag_pairs = .{
    .{ 0x1, c.MSG_OOB },       .{ 0x2, c.MSG_PEEK }, .{ 0x4, c.MSG_DONTROUTE }, .{ 0x8, c.MSG_CTRUNC }, .{ MSG.TRUNC, c.MSG_TRUNC },
    .{ 0x40, c.MSG_DONTWAIT }, .{ 0x80, c.MSG_EOR }, .{ 0x100, c.MSG_WAITALL },
};

fn toDarwin(flags: u32) c_int {
    var out: c_int = 0;
    inline for (flag_pairs) |pair| {
        if (flags & pair[0] != 0) out |= pair[1];
    }
    return out;
}

fn toLinux(flags: c_int) u32 {
    var out: u32 = 0;
    inline for (flag_pairs) |pair| {
        if (flags & pair[1] != 0) out |= pair[0];
    }
    return out;
}

/// One message with the address and control messages of `header`. Bytes sent or -errno; there is no SIGPIPE.
pub fn send(fd: i32, data: [*]const u8, len: usize, flags: u32, header: *abi.SocketMessage) i32 {
    if (flags & MSG.FASTOPEN != 0) return -E.OPNOTSUPP;
    var to: Address = .{};
    if (header.address_len > 0) {
        const wrong = to.from(header.address[0..@min(header.address_len, header.address.len)]);
        if (wrong < 0) return wrong;
    }
    var control: [4096]u8 align(4) = undefined;
    const control_len = control_messages.toDarwin(header.control[0..@min(header.control_len, header.control.len)], &control) orelse return -E.INVAL;
    var piece: c.struct_iovec = .{ .iov_base = @intFromPtr(data), .iov_len = len };
    const message: c.struct_msghdr = .{
        .msg_name = if (to.len == 0) null else &to.bytes,
        .msg_namelen = to.len,
        .msg_iov = &piece,
        .msg_iovlen = 1,
        .msg_control = if (control_len == 0) null else &control,
        .msg_controllen = @intCast(control_len),
        .msg_flags = 0,
    };
    const how = toDarwin(flags & ~@as(u32, MSG.TRUNC | 0x8)) | c.MSG_DONTWAIT;
    const sent = while (true) {
        const n = sys("sendmsg")(fd, &message, how);
        if (!call.interrupted(n)) break call.result(n);
    };
    if (sent >= 0 or sent == -E.AGAIN) return sent;
    const EISCONN = 106;
    const ENOBUFS = 105;
    if (options.kindOf(fd) != c.SOCK_DGRAM) return unsent.reason(fd, sent);
    if (sent == -EISCONN and to.len > 0) return unsent.elsewhere(fd, &message, how, &to);
    // An interface has no room in its queue: what Linux loses on the way.
    return if (sent == -ENOBUFS and !isLocal(fd)) @intCast(len) else sent;
}

/// One message into `data`; address, control messages and flags into `header`. Bytes received or -errno; with MSG_TRUNC the
/// length that a datagram had.
pub fn receive(fd: i32, data: [*]u8, len: usize, flags: u32, header: *abi.SocketMessage) i32 {
    header.address_len = 0;
    header.control_len = 0;
    header.flags = 0;
    if (flags & MSG.ERRQUEUE != 0) return -E.AGAIN;
    const whole = if (flags & MSG.TRUNC != 0) waiting(fd, c.SO_NREAD) else 0;
    var from: Address = .{};
    var control: [4096]u8 align(4) = undefined;
    var piece: c.struct_iovec = .{ .iov_base = @intFromPtr(data), .iov_len = len };
    var message: c.struct_msghdr = .{
        .msg_name = &from.bytes,
        .msg_namelen = from.bytes.len,
        .msg_iov = &piece,
        .msg_iovlen = 1,
        .msg_control = &control,
        .msg_controllen = control.len,
        .msg_flags = 0,
    };
    const how = toDarwin(flags & ~@as(u32, MSG.TRUNC | 0x8)) | c.MSG_DONTWAIT;
    const n = while (true) {
        const n = sys("recvmsg")(fd, &message, how);
        if (!call.interrupted(n)) break n;
    };
    if (n < 0) return call.failure();
    from.len = message.msg_namelen;
    header.address_len = from.to(&header.address);
    var truncated = false;
    control_messages.adoptDescriptors(control[0..message.msg_controllen], adopted);
    header.control_len = @intCast(control_messages.toLinux(control[0..message.msg_controllen], &header.control, &truncated));
    header.flags = toLinux(message.msg_flags) | if (truncated) @as(u32, 0x8) else 0;
    const was_cut = message.msg_flags & c.MSG_TRUNC != 0 and flags & MSG.TRUNC != 0;
    return if (was_cut) @max(whole, @as(i32, @intCast(n))) else @intCast(n);
}

/// A descriptor that came with a message. There is no MSG_CMSG_CLOEXEC: a program that carrick starts at this very moment has it.
fn adopted(fd: i32) i32 {
    _ = sys("fcntl")(fd, c.F_SETFD, @as(c_int, c.FD_CLOEXEC));
    return files.lift(fd);
}

/// Bytes of the first datagram that waits to be read, or bytes that wait to be sent.
fn waiting(fd: i32, option: c_int) i32 {
    var count: c_int = 0;
    var len: u32 = @sizeOf(c_int);
    return if (sys("getsockopt")(fd, c.SOL_SOCKET, option, &count, &len) == 0) count else 0;
}

/// FIONREAD, SIOCOUTQ, SIOCATMARK and the commands that ask for interfaces: `argument` is as the guest gave it.
pub fn socketControl(fd: i32, command: u32, argument: *anyopaque) i32 {
    const int: *align(1) c_int = @ptrCast(argument);
    switch (command) {
        0x541b => { // FIONREAD
            if (options.kindOf(fd) == c.SOCK_STREAM) return call.result(sys("ioctl")(fd, c.FIONREAD, int));
            int.* = waiting(fd, c.SO_NREAD);
            return 0;
        },
        0x5411 => { // SIOCOUTQ
            int.* = waiting(fd, c.SO_NWRITE);
            return 0;
        },
        0x8905 => return call.result(sys("ioctl")(fd, c.SIOCATMARK, int)),
        else => return interface(fd, command, @ptrCast(argument)),
    }
}

/// struct ifreq: 16 bytes of name, then a union, which is 24 bytes on Linux and 16 here.
fn interface(fd: i32, command: u32, request: *[40]u8) i32 {
    const SIOCGIFNAME = 0x8910;
    const SIOCGIFINDEX = 0x8933;
    if (command == SIOCGIFNAME) {
        const ENODEV = 19;
        var name: [c.IF_NAMESIZE]u8 = @splat(0);
        const found = sys("if_indextoname")(std.mem.readInt(u32, request[16..20], .little), &name) orelse return -ENODEV;
        setName(request, std.mem.span(found));
        return 0;
    }
    var darwin: c.struct_ifreq = std.mem.zeroes(c.struct_ifreq);
    const name = hostName(std.mem.sliceTo(request[0..16], 0));
    @memcpy(darwin.ifr_name[0..name.len], name);
    if (command == SIOCGIFINDEX) {
        const ENODEV = 19;
        darwin.ifr_name[15] = 0;
        const index = sys("if_nametoindex")(@ptrCast(&darwin.ifr_name));
        if (index == 0) return -ENODEV;
        std.mem.writeInt(u32, request[16..20], index, .little);
        return 0;
    }
    const rc = call.result(sys("ioctl")(fd, @as(c_ulong, switch (command) {
        0x8913 => c.SIOCGIFFLAGS,
        0x8915 => c.SIOCGIFADDR,
        0x8917 => c.SIOCGIFDSTADDR,
        0x8919 => c.SIOCGIFBRDADDR,
        0x891b => c.SIOCGIFNETMASK,
        0x891d => c.SIOCGIFMETRIC,
        0x8921 => c.SIOCGIFMTU,
        // DIFFERS: hardware addresses and queue lengths are not told.
        else => return -E.OPNOTSUPP,
    }), &darwin));
    // An unknown name is "no such device or address" here.
    if (rc < 0) return if (rc == -6) -19 else rc;
    const answer = &darwin.ifr_ifru;
    switch (command) {
        0x8915, 0x8917, 0x8919, 0x891b => {
            @memset(request[16..40], 0);
            // Masks come without a family.
            if (answer[1] == 0) answer[1] = c.AF_INET;
            _ = addresses.toLinux(answer, request[16..32]);
        },
        0x8913 => {
            const IFF_MULTICAST = 0x1000;
            const flags = std.mem.readInt(u16, answer[0..2], .little);
            var linux: u16 = flags & 0x3ff;
            // The loopback has it here and not there.
            const IFF_LOOPBACK = 0x8;
            if (flags & c.IFF_MULTICAST != 0 and flags & IFF_LOOPBACK == 0) linux |= IFF_MULTICAST;
            std.mem.writeInt(u16, request[16..18], linux, .little);
        },
        else => @memcpy(request[16..20], answer[0..4]),
    }
    return 0;
}

/// The loopback has another name.
fn hostName(linux: []const u8) []const u8 {
    return if (std.mem.eql(u8, linux, "lo")) "lo0" else linux;
}

fn setName(request: *[40]u8, darwin: []const u8) void {
    const name = if (std.mem.eql(u8, darwin, "lo0")) "lo" else darwin;
    @memset(request[0..16], 0);
    @memcpy(request[0..@min(name.len, 15)], name[0..@min(name.len, 15)]);
}
