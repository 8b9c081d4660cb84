//! Control messages (cmsg(3)): Darwin's heads are 12 bytes and padded to 4, Linux's 16 and padded to 8. Levels of
//! the internet's protocols are equal; types are not, and Darwin tells TTL and TOS as one byte.

const std = @import("std");
const call = @import("call.zig");
const c = call.c;

const linux_SOL_SOCKET = 1;
const linux_head = 16;
const darwin_head = @sizeOf(c.struct_cmsghdr);

/// Level, type on Linux, type on Darwin when received, when sent (-1: not), and whether one byte stands for an int.
const Kind = struct { level: i32, linux: i32, received: i32, sent: i32, byte: bool = false };
const kinds = [_]Kind{
    .{ .level = c.IPPROTO_IP, .linux = 8, .received = c.IP_PKTINFO, .sent = c.IP_PKTINFO },
    .{ .level = c.IPPROTO_IP, .linux = 2, .received = c.IP_RECVTTL, .sent = c.IP_TTL, .byte = true },
    .{ .level = c.IPPROTO_IP, .linux = 1, .received = c.IP_RECVTOS, .sent = c.IP_TOS, .byte = true },
    .{ .level = c.IPPROTO_IPV6, .linux = 50, .received = c.IPV6_PKTINFO, .sent = c.IPV6_PKTINFO },
    .{ .level = c.IPPROTO_IPV6, .linux = 52, .received = c.IPV6_HOPLIMIT, .sent = c.IPV6_HOPLIMIT },
    .{ .level = c.IPPROTO_IPV6, .linux = 67, .received = c.IPV6_TCLASS, .sent = c.IPV6_TCLASS },
    .{ .level = linux_SOL_SOCKET, .linux = 1, .received = c.SCM_RIGHTS, .sent = c.SCM_RIGHTS },
    .{ .level = linux_SOL_SOCKET, .linux = 29, .received = c.SCM_TIMESTAMP, .sent = -1 },
};

fn int(bytes: []const u8) i32 {
    return std.mem.readInt(i32, bytes[0..4], .little);
}

fn put(bytes: []u8, value: i32) void {
    std.mem.writeInt(i32, bytes[0..4], value, .little);
}

/// Messages that a guest sends, for Darwin: bytes written, or null for one that there is not.
pub fn toDarwin(linux: []const u8, out: []u8) ?usize {
    var from: usize = 0;
    var to: usize = 0;
    while (from + linux_head <= linux.len) {
        const length = std.mem.readInt(u64, linux[from..][0..8], .little);
        if (length < linux_head or length > linux.len - from) return null;
        const body = linux[from + linux_head .. from + length];
        const level = int(linux[from + 8 ..]);
        const kind = for (kinds) |k| {
            if (k.level == level and k.linux == int(linux[from + 12 ..]) and k.sent >= 0) break k;
        } else return null;
        const size = darwin_head + body.len;
        if (to + size > out.len) return null;
        put(out[to..], @intCast(size));
        put(out[to + 4 ..], if (level == linux_SOL_SOCKET) c.SOL_SOCKET else level);
        put(out[to + 8 ..], kind.sent);
        @memcpy(out[to + darwin_head ..][0..body.len], body);
        to += std.mem.alignForward(usize, size, 4);
        from += std.mem.alignForward(usize, length, 8);
    }
    return @min(to, out.len);
}

/// Replaces each descriptor among messages that Darwin delivered by what `adopt` makes of it.
pub fn adoptDescriptors(darwin: []u8, comptime adopt: fn (fd: i32) i32) void {
    var from: usize = 0;
    while (from + darwin_head <= darwin.len) {
        const length: usize = @intCast(@max(int(darwin[from..]), 0));
        if (length < darwin_head or length > darwin.len - from) break;
        const is_rights = int(darwin[from + 4 ..]) == c.SOL_SOCKET and int(darwin[from + 8 ..]) == c.SCM_RIGHTS;
        var at = from + darwin_head;
        while (is_rights and at + 4 <= from + length) : (at += 4) put(darwin[at..], adopt(int(darwin[at..])));
        from += std.mem.alignForward(usize, length, 4);
    }
}

/// Messages that Darwin delivered, for the guest: bytes written. What Linux does not know is left out.
pub fn toLinux(darwin: []const u8, out: []u8, truncated: *bool) usize {
    var from: usize = 0;
    var to: usize = 0;
    while (from + darwin_head <= darwin.len) {
        const length: usize = @intCast(@max(int(darwin[from..]), 0));
        if (length < darwin_head or length > darwin.len - from) break;
        const body = darwin[from + darwin_head .. from + length];
        const level = int(darwin[from + 4 ..]);
        const darwin_type = int(darwin[from + 8 ..]);
        from += std.mem.alignForward(usize, length, 4);
        const linux_level = if (level == c.SOL_SOCKET) linux_SOL_SOCKET else level;
        const kind = for (kinds) |k| {
            if (k.level == linux_level and k.received == darwin_type) break k;
        } else continue;
        const widened = kind.byte and body.len >= 1 and body.len < 4;
        const size = linux_head + if (widened) 4 else body.len;
        if (to + size > out.len) {
            truncated.* = true;
            break;
        }
        std.mem.writeInt(u64, out[to..][0..8], size, .little);
        put(out[to + 8 ..], linux_level);
        put(out[to + 12 ..], kind.linux);
        if (widened) put(out[to + linux_head ..], body[0]) else @memcpy(out[to + linux_head ..][0..body.len], body);
        const next = @min(std.mem.alignForward(usize, to + size, 8), out.len);
        @memset(out[to + size .. next], 0);
        to = next;
    }
    return to;
}
