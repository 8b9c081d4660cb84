//! Addresses of the internet and paths of sockets: Darwin's begin with a length and a family of one byte each, Linux's with a family of two. Of
//! 127.0.0.0/8 a Mac has 127.0.0.1 alone, which stands for all of it.

const std = @import("std");
const call = @import("call.zig");
const c = call.c;

pub const AF_UNIX = 1;
pub const AF_INET = 2;
pub const AF_INET6 = 10;

const c_path_max = @typeInfo(@FieldType(c.struct_sockaddr_un, "sun_path")).array.len;

/// Room for any address, in Darwin's form.
pub const Address = struct {
    bytes: [128]u8 align(8) = @splat(0),
    len: u32 = 0,

    /// From Linux's form: 0 or -errno.
    pub fn from(a: *Address, linux: []const u8) i32 {
        const EAFNOSUPPORT = 97;
        if (linux.len < 2) return -call.E.INVAL;
        const family = std.mem.readInt(u16, linux[0..2], .little);
        if (family == AF_UNIX) return a.fromPath(std.mem.sliceTo(linux[2..], 0));
        const size: usize = switch (family) {
            AF_INET => @sizeOf(c.struct_sockaddr_in),
            AF_INET6 => @sizeOf(c.struct_sockaddr_in6),
            else => return -EAFNOSUPPORT,
        };
        // The scope of an IPv6 address may be left out.
        const least: usize = if (family == AF_INET) size else size - 4;
        if (linux.len < least) return -call.E.INVAL;
        a.bytes = @splat(0);
        const n = @min(linux.len, size);
        @memcpy(a.bytes[2..n], linux[2..n]);
        a.bytes[0] = @intCast(size);
        a.bytes[1] = if (family == AF_INET) c.AF_INET else c.AF_INET6;
        a.len = @intCast(size);
        a.foldLoopback();
        return 0;
    }

    fn fromPath(a: *Address, path: []const u8) i32 {
        // Darwin knows no abstract names.
        if (path.len == 0) return -call.E.INVAL;
        if (path.len >= c_path_max) return -call.E.NAMETOOLONG;
        a.bytes = @splat(0);
        a.len = @intCast(2 + path.len + 1);
        a.bytes[0] = @intCast(a.len);
        a.bytes[1] = c.AF_UNIX;
        @memcpy(a.bytes[2..][0..path.len], path);
        return 0;
    }

    fn foldLoopback(a: *Address) void {
        const ip = if (a.bytes[1] == c.AF_INET) a.bytes[4..8] else mapped: {
            const v4 = [_]u8{0} ** 10 ++ [_]u8{ 0xff, 0xff };
            if (!std.mem.eql(u8, a.bytes[8..20], &v4)) return;
            break :mapped a.bytes[20..24];
        };
        if (ip[0] == 127) ip.* = .{ 127, 0, 0, 1 };
    }

    /// In Linux's form, cut at the end of `out`: its whole length.
    pub fn to(a: *const Address, out: []u8) u32 {
        return toLinux(a.bytes[0..@min(a.len, a.bytes.len)], out);
    }
};

/// Turns an address round; its whole length. An empty one stays empty.
pub fn toLinux(darwin: []const u8, out: []u8) u32 {
    if (darwin.len < 2) return 0;
    const family: u16 = if (darwin[1] == c.AF_INET6) AF_INET6 else darwin[1];
    var bytes: [128]u8 = @splat(0);
    @memcpy(bytes[0..darwin.len], darwin);
    std.mem.writeInt(u16, bytes[0..2], family, .little);
    const n = @min(darwin.len, out.len);
    @memcpy(out[0..n], bytes[0..n]);
    return @intCast(darwin.len);
}
