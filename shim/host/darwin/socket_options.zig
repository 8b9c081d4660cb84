//! Socket options in Linux's numbers (socket(7), ip(7), ipv6(7), tcp(7)).

const std = @import("std");
const call = @import("call.zig");
const c = call.c;
const sys = call.sys;
const E = call.E;

const linux_SOL_SOCKET = 1;
const ENOPROTOOPT = 92;

const How = enum {
    /// The same int, or struct, on both.
    same,
    /// Darwin answers with the option's own bit.
    truth,
    /// Linux doubles what is asked for, and tells the double.
    buffer,
    /// None is one on Linux, and less than none is all; Darwin refuses both.
    least,
    /// An errno.
    errno,
    /// A group of IPv4: Linux also takes 12 bytes, with an interface's index behind the address.
    group,
    /// A byte or an int, told as an int.
    byte,
    /// IP_PMTUDISC_DO (2) is "do not fragment".
    fragments,
    /// Milliseconds there, seconds here.
    seconds,
    /// Does nothing here that anybody could see.
    nothing,
    /// The user may not.
    forbidden,
};

const Option = struct { level: u32, linux: u32, darwin: c_int = 0, how: How };

const options = [_]Option{
    .{ .level = linux_SOL_SOCKET, .linux = 1, .darwin = c.SO_DEBUG, .how = .truth },
    .{ .level = linux_SOL_SOCKET, .linux = 2, .darwin = c.SO_REUSEADDR, .how = .truth },
    .{ .level = linux_SOL_SOCKET, .linux = 3, .darwin = c.SO_TYPE, .how = .same },
    .{ .level = linux_SOL_SOCKET, .linux = 4, .darwin = c.SO_ERROR, .how = .errno },
    .{ .level = linux_SOL_SOCKET, .linux = 5, .darwin = c.SO_DONTROUTE, .how = .truth },
    .{ .level = linux_SOL_SOCKET, .linux = 6, .darwin = c.SO_BROADCAST, .how = .truth },
    .{ .level = linux_SOL_SOCKET, .linux = 7, .darwin = c.SO_SNDBUF, .how = .buffer },
    .{ .level = linux_SOL_SOCKET, .linux = 8, .darwin = c.SO_RCVBUF, .how = .buffer },
    .{ .level = linux_SOL_SOCKET, .linux = 9, .darwin = c.SO_KEEPALIVE, .how = .truth },
    .{ .level = linux_SOL_SOCKET, .linux = 10, .darwin = c.SO_OOBINLINE, .how = .truth },
    .{ .level = linux_SOL_SOCKET, .linux = 12, .how = .nothing }, // SO_PRIORITY
    .{ .level = linux_SOL_SOCKET, .linux = 13, .darwin = c.SO_LINGER_SEC, .how = .same },
    .{ .level = linux_SOL_SOCKET, .linux = 15, .darwin = c.SO_REUSEPORT, .how = .truth },
    .{ .level = linux_SOL_SOCKET, .linux = 18, .darwin = c.SO_RCVLOWAT, .how = .least },
    .{ .level = linux_SOL_SOCKET, .linux = 29, .darwin = c.SO_TIMESTAMP, .how = .truth },
    .{ .level = linux_SOL_SOCKET, .linux = 30, .darwin = c.SO_ACCEPTCONN, .how = .truth },
    .{ .level = linux_SOL_SOCKET, .linux = 32, .how = .forbidden }, // SO_SNDBUFFORCE
    .{ .level = linux_SOL_SOCKET, .linux = 33, .how = .forbidden }, // SO_RCVBUFFORCE
    .{ .level = linux_SOL_SOCKET, .linux = 36, .how = .forbidden }, // SO_MARK

    .{ .level = c.IPPROTO_IP, .linux = 1, .darwin = c.IP_TOS, .how = .byte },
    .{ .level = c.IPPROTO_IP, .linux = 2, .darwin = c.IP_TTL, .how = .byte },
    .{ .level = c.IPPROTO_IP, .linux = 3, .darwin = c.IP_HDRINCL, .how = .truth },
    .{ .level = c.IPPROTO_IP, .linux = 4, .darwin = c.IP_OPTIONS, .how = .same },
    .{ .level = c.IPPROTO_IP, .linux = 6, .darwin = c.IP_RECVOPTS, .how = .truth },
    .{ .level = c.IPPROTO_IP, .linux = 8, .darwin = c.IP_PKTINFO, .how = .truth },
    .{ .level = c.IPPROTO_IP, .linux = 10, .darwin = c.IP_DONTFRAG, .how = .fragments },
    .{ .level = c.IPPROTO_IP, .linux = 11, .how = .nothing }, // IP_RECVERR: there is no error queue
    .{ .level = c.IPPROTO_IP, .linux = 12, .darwin = c.IP_RECVTTL, .how = .truth },
    .{ .level = c.IPPROTO_IP, .linux = 13, .darwin = c.IP_RECVTOS, .how = .truth },
    .{ .level = c.IPPROTO_IP, .linux = 24, .how = .nothing }, // IP_BIND_ADDRESS_NO_PORT
    .{ .level = c.IPPROTO_IP, .linux = 32, .darwin = c.IP_MULTICAST_IF, .how = .same },
    .{ .level = c.IPPROTO_IP, .linux = 33, .darwin = c.IP_MULTICAST_TTL, .how = .byte },
    .{ .level = c.IPPROTO_IP, .linux = 34, .darwin = c.IP_MULTICAST_LOOP, .how = .byte },
    .{ .level = c.IPPROTO_IP, .linux = 35, .darwin = c.IP_ADD_MEMBERSHIP, .how = .group },
    .{ .level = c.IPPROTO_IP, .linux = 36, .darwin = c.IP_DROP_MEMBERSHIP, .how = .group },

    .{ .level = c.IPPROTO_IPV6, .linux = 16, .darwin = c.IPV6_UNICAST_HOPS, .how = .same },
    .{ .level = c.IPPROTO_IPV6, .linux = 17, .darwin = c.IPV6_MULTICAST_IF, .how = .same },
    .{ .level = c.IPPROTO_IPV6, .linux = 18, .darwin = c.IPV6_MULTICAST_HOPS, .how = .same },
    .{ .level = c.IPPROTO_IPV6, .linux = 19, .darwin = c.IPV6_MULTICAST_LOOP, .how = .same },
    .{ .level = c.IPPROTO_IPV6, .linux = 20, .darwin = c.IPV6_JOIN_GROUP, .how = .same },
    .{ .level = c.IPPROTO_IPV6, .linux = 21, .darwin = c.IPV6_LEAVE_GROUP, .how = .same },
    .{ .level = c.IPPROTO_IPV6, .linux = 23, .darwin = c.IPV6_DONTFRAG, .how = .fragments },
    .{ .level = c.IPPROTO_IPV6, .linux = 25, .how = .nothing }, // IPV6_RECVERR
    .{ .level = c.IPPROTO_IPV6, .linux = 26, .darwin = c.IPV6_V6ONLY, .how = .truth },
    .{ .level = c.IPPROTO_IPV6, .linux = 49, .darwin = c.IPV6_RECVPKTINFO, .how = .truth },
    .{ .level = c.IPPROTO_IPV6, .linux = 51, .darwin = c.IPV6_RECVHOPLIMIT, .how = .truth },
    .{ .level = c.IPPROTO_IPV6, .linux = 62, .darwin = c.IPV6_DONTFRAG, .how = .truth },
    .{ .level = c.IPPROTO_IPV6, .linux = 66, .darwin = c.IPV6_RECVTCLASS, .how = .truth },
    .{ .level = c.IPPROTO_IPV6, .linux = 67, .darwin = c.IPV6_TCLASS, .how = .same },

    .{ .level = c.IPPROTO_TCP, .linux = 1, .darwin = c.TCP_NODELAY, .how = .truth },
    .{ .level = c.IPPROTO_TCP, .linux = 2, .darwin = c.TCP_MAXSEG, .how = .same },
    .{ .level = c.IPPROTO_TCP, .linux = 3, .darwin = c.TCP_NOPUSH, .how = .truth },
    .{ .level = c.IPPROTO_TCP, .linux = 4, .darwin = c.TCP_KEEPALIVE, .how = .same },
    .{ .level = c.IPPROTO_TCP, .linux = 5, .darwin = c.TCP_KEEPINTVL, .how = .same },
    .{ .level = c.IPPROTO_TCP, .linux = 6, .darwin = c.TCP_KEEPCNT, .how = .same },
    .{ .level = c.IPPROTO_TCP, .linux = 7, .how = .nothing }, // TCP_SYNCNT
    .{ .level = c.IPPROTO_TCP, .linux = 8, .how = .nothing }, // TCP_LINGER2
    .{ .level = c.IPPROTO_TCP, .linux = 9, .how = .nothing }, // TCP_DEFER_ACCEPT
    .{ .level = c.IPPROTO_TCP, .linux = 10, .how = .nothing }, // TCP_WINDOW_CLAMP
    .{ .level = c.IPPROTO_TCP, .linux = 12, .how = .nothing }, // TCP_QUICKACK
    .{ .level = c.IPPROTO_TCP, .linux = 18, .darwin = c.TCP_RXT_CONNDROPTIME, .how = .seconds },
    .{ .level = c.IPPROTO_TCP, .linux = 23, .darwin = c.TCP_FASTOPEN, .how = .truth },
    .{ .level = c.IPPROTO_TCP, .linux = 25, .darwin = c.TCP_NOTSENT_LOWAT, .how = .same },
};

const SO_PEERCRED = 17;
const SO_PROTOCOL = 38;
const TCP_CONGESTION = 13;
const congestion_control = "cubic";

fn find(level: u32, name: u32) ?Option {
    for (options) |option| {
        if (option.level == level and option.linux == name) return option;
    }
    return null;
}

fn darwinLevel(level: u32) c_int {
    return if (level == linux_SOL_SOCKET) c.SOL_SOCKET else @intCast(level);
}

fn setInt(fd: i32, option: Option, value: c_int) i32 {
    return call.result(sys("setsockopt")(fd, darwinLevel(option.level), option.darwin, &value, @sizeOf(c_int)));
}

pub fn set(fd: i32, level: u32, name: u32, value: [*]const u8, len: u32) i32 {
    const rc = change(fd, level, name, value, len);
    return if (rc == -E.INVAL and len >= 4 and isOver(fd)) 0 else rc;
}

/// Darwin takes no options any more when neither side can send; on Linux they are set, and nobody notices.
fn isOver(fd: i32) bool {
    var name: [128]u8 align(8) = undefined;
    var len: u32 = name.len;
    return kindOf(fd) == c.SOCK_STREAM and call.result(sys("getpeername")(fd, &name, &len)) == -E.INVAL;
}

fn change(fd: i32, level: u32, name: u32, value: [*]const u8, len: u32) i32 {
    if (level == c.IPPROTO_TCP and name == TCP_CONGESTION) {
        const ENOENT = 2;
        return if (std.mem.eql(u8, std.mem.trimEnd(u8, value[0..len], "\x00"), congestion_control)) 0 else -ENOENT;
    }
    const option = find(level, name) orelse return -ENOPROTOOPT;
    switch (option.how) {
        .nothing => return if (len < 4) -E.INVAL else 0,
        .forbidden => return -E.PERM,
        .errno => return -ENOPROTOOPT,
        .same => return call.result(sys("setsockopt")(fd, darwinLevel(level), option.darwin, value, len)),
        .group => return call.result(sys("setsockopt")(fd, darwinLevel(level), option.darwin, value, @min(len, 8))),
        .byte => if (len >= 1 and len < 4) return setInt(fd, option, value[0]),
        else => {},
    }
    if (len < 4) return -E.INVAL;
    const number = std.mem.readInt(i32, value[0..4], .little);
    return switch (option.how) {
        .truth => setTruth(fd, option, number),
        .byte => setInt(fd, option, number),
        .buffer => setBuffer(fd, option, number),
        .least => setInt(fd, option, if (number < 0) std.math.maxInt(i32) else @max(number, 1)),
        .fragments => setInt(fd, option, @intFromBool(number == 2 or number == 3)),
        // At least a second, so that a short time is none at all.
        .seconds => setInt(fd, option, if (number <= 0) 0 else @divFloor(number - 1, 1000) + 1),
        else => unreachable,
    };
}

fn setTruth(fd: i32, option: Option, number: i32) i32 {
    if (option.darwin == c.SO_ACCEPTCONN and option.level == linux_SOL_SOCKET) return -ENOPROTOOPT;
    const on: c_int = @intFromBool(number != 0);
    const rc = setInt(fd, option, on);
    // Datagram sockets that share an address say so by another option here.
    if (rc == 0 and option.level == linux_SOL_SOCKET and option.darwin == c.SO_REUSEADDR and kindOf(fd) == c.SOCK_DGRAM)
        _ = sys("setsockopt")(fd, c.SOL_SOCKET, c.SO_REUSEPORT, &on, @sizeOf(c_int));
    return rc;
}

pub fn kindOf(fd: i32) c_int {
    var kind: c_int = 0;
    var len: u32 = @sizeOf(c_int);
    return if (sys("getsockopt")(fd, c.SOL_SOCKET, c.SO_TYPE, &kind, &len) == 0) kind else 0;
}

/// Linux takes any size and gives what it allows; Darwin refuses what is too large.
fn setBuffer(fd: i32, option: Option, number: i32) i32 {
    const ENOBUFS = 105;
    const least = 2048;
    var size: c_int = @max(number, least);
    while (true) {
        const rc = setInt(fd, option, size);
        if (rc != -ENOBUFS or size <= least) return rc;
        size = @max(@divFloor(size, 2), least);
    }
}

/// struct ucred of whoever made the connection: process, user, group. Nobody's where there is no connection.
fn peer(fd: i32) [3]i32 {
    var found: c.struct_xucred = undefined;
    var len: u32 = @sizeOf(c.struct_xucred);
    const rc = sys("getsockopt")(fd, c.SOL_LOCAL, c.LOCAL_PEERCRED, &found, &len);
    if (rc != 0 or len != @sizeOf(c.struct_xucred)) return .{ 0, -1, -1 };
    var pid: c_int = 0;
    len = @sizeOf(c_int);
    if (sys("getsockopt")(fd, c.SOL_LOCAL, c.LOCAL_PEERPID, &pid, &len) != 0) pid = 0;
    return .{ pid, @bitCast(found.cr_uid), if (found.cr_ngroups > 0) @bitCast(found.cr_groups[0]) else -1 };
}

/// The option's value into at most `max` bytes. Its length or -errno.
pub fn get(fd: i32, level: u32, name: u32, out: [*]u8, max: u32) i32 {
    if (level == c.IPPROTO_TCP and name == TCP_CONGESTION) return copy(congestion_control ++ "\x00", out, max);
    if (level == linux_SOL_SOCKET and name == SO_PEERCRED) return copy(std.mem.asBytes(&peer(fd)), out, max);
    if (level == linux_SOL_SOCKET and name == SO_PROTOCOL) {
        const protocol: i32 = switch (kindOf(fd)) {
            c.SOCK_STREAM => c.IPPROTO_TCP,
            c.SOCK_DGRAM => c.IPPROTO_UDP,
            else => return -ENOPROTOOPT,
        };
        return copy(std.mem.asBytes(&protocol), out, max);
    }
    const option = find(level, name) orelse return -ENOPROTOOPT;
    var value: [256]u8 align(8) = @splat(0);
    var len: u32 = value.len;
    switch (option.how) {
        .nothing => return copy(std.mem.asBytes(&@as(i32, 0)), out, max),
        .forbidden => return copy(std.mem.asBytes(&@as(i32, 0)), out, max),
        else => if (sys("getsockopt")(fd, darwinLevel(level), option.darwin, &value, &len) != 0) return call.failure(),
    }
    if (option.how == .same) return copy(value[0..len], out, max);
    if (option.how == .group) return -ENOPROTOOPT;
    // One byte or four, of which the others are zero.
    const number = std.mem.readInt(i32, value[0..4], .little);
    const told: i32 = switch (option.how) {
        .truth => @intFromBool(number != 0),
        .buffer => number *| 2,
        .errno => if (number == 0) 0 else -call.errorOf(number),
        .fragments => if (number != 0) 2 else 0,
        .seconds => number *| 1000,
        else => number,
    };
    return copy(std.mem.asBytes(&told), out, max);
}

fn copy(bytes: []const u8, out: [*]u8, max: u32) i32 {
    const n = @min(bytes.len, max);
    @memcpy(out[0..n], bytes[0..n]);
    return @intCast(n);
}
