//! What was not sent, and why: where Darwin's answer is not Linux's (tcp(7), udp(7), sosend and udp_output of XNU).

const addresses = @import("addresses.zig");
const call = @import("call.zig");
const c = call.c;
const sys = call.sys;
const E = call.E;

const ENOTCONN = 107;

/// -errno of a send or write that ended with `rc`: bytes for TCP without a connection are a broken pipe, and have to wait while the connection is being made.
pub fn reason(fd: i32, rc: i32) i32 {
    if (rc != -ENOTCONN) return rc;
    // The state is the first byte; only TCP tells.
    var info: [256]u8 align(8) = undefined;
    var len: u32 = info.len;
    if (sys("getsockopt")(fd, c.IPPROTO_TCP, c.TCP_CONNECTION_INFO, &info, &len) != 0) return rc;
    return if (info[0] == c.unproven.TCPS_SYN_SENT) -E.AGAIN else -E.PIPE;
}

/// Sends a datagram of the internet to an address though the socket has a peer, for which Darwin says EISCONN: bytes sent or -errno.
/// Meanwhile the socket is that address's: only the kernel's thread uses it.
/// DIFFERS: what the peer sends meanwhile is dropped.
pub fn elsewhere(fd: i32, message: *const c.struct_msghdr, how: c_int, to: *const addresses.Address) i32 {
    const EISCONN = 106;
    var peer: addresses.Address = .{ .len = @sizeOf(@FieldType(addresses.Address, "bytes")) };
    if (to.bytes[1] == c.AF_UNIX or sys("getpeername")(fd, &peer.bytes, &peer.len) != 0) return -EISCONN;
    var plain = message.*;
    plain.msg_name = null;
    plain.msg_namelen = 0;
    const there = call.result(sys("connect")(fd, &to.bytes, to.len));
    const sent = if (there < 0) there else call.result(sys("sendmsg")(fd, &plain, how));
    _ = sys("connect")(fd, &peer.bytes, peer.len);
    return sent;
}
