//! The name of a socket in a directory. Only bind(2) makes one here, by a path of 104 bytes at most that starts where the process
//! stands or at the root: so the directory's own path is taken, or a link to it with a short one.

const std = @import("std");
const call = @import("call.zig");
const c = call.c;
const sys = call.sys;
const Path = call.Path;

const Name = [32:0]u8;

fn random(comptime prefix: []const u8) Name {
    var bits: u64 = undefined;
    sys("arc4random_buf")(@ptrCast(&bits), @sizeOf(u64));
    var name: Name = undefined;
    const text = std.fmt.bufPrintSentinel(name[0..], prefix ++ "{x:0>16}", .{bits}, 0) catch unreachable;
    @memset(name[text.len..], 0);
    return name;
}

/// mknod(2) of a socket: 0 or -errno.
pub fn make(dir: c_int, path: Path, mode: u16) i32 {
    var buffer: [c.PATH_MAX]u8 = undefined;
    const place = if (dir == c.AT_FDCWD) "." else directory: {
        if (sys("fcntl")(dir, c.F_GETPATH, &buffer) != 0) return call.failure();
        break :directory std.mem.sliceTo(&buffer, 0);
    };
    const fresh = random(".carrick-");
    const made = bindBelow(place, &fresh);
    if (made < 0) return made;
    // Whoever looks meanwhile sees it under another name.
    _ = sys("fchmodat")(dir, &fresh, mode, c.AT_SYMLINK_NOFOLLOW);
    const rc = call.result(sys("renameatx_np")(dir, &fresh, dir, path, c.RENAME_EXCL));
    if (rc < 0) _ = sys("unlinkat")(dir, &fresh, 0);
    return rc;
}

fn bindBelow(place: []const u8, name: *const Name) i32 {
    var address: c.struct_sockaddr_un = .{ .sun_len = @sizeOf(c.struct_sockaddr_un), .sun_family = c.AF_UNIX, .sun_path = @splat(0) };
    if (std.fmt.bufPrintSentinel(&address.sun_path, "{s}/{s}", .{ place, std.mem.span(@as(Path, name)) }, 0)) |_| {
        return bind(&address);
    } else |_| {}
    const link = random("/tmp/carrick-");
    var target: [c.PATH_MAX]u8 = undefined;
    const text = std.fmt.bufPrintSentinel(&target, "{s}", .{place}, 0) catch return -call.E.NAMETOOLONG;
    if (sys("symlinkat")(text, c.AT_FDCWD, &link) != 0) return call.failure();
    defer _ = sys("unlinkat")(c.AT_FDCWD, &link, 0);
    address.sun_path = @splat(0);
    _ = std.fmt.bufPrintSentinel(&address.sun_path, "{s}/{s}", .{ std.mem.span(@as(Path, &link)), std.mem.span(@as(Path, name)) }, 0) catch unreachable;
    return bind(&address);
}

fn bind(address: *const c.struct_sockaddr_un) i32 {
    const fd = sys("socket")(c.AF_UNIX, c.SOCK_STREAM, 0);
    if (fd < 0) return call.failure();
    defer _ = sys("close")(fd);
    return call.result(sys("bind")(fd, address, @sizeOf(c.struct_sockaddr_un)));
}
