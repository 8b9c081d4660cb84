//! Extended attributes. Darwin has no namespaces: a guest's "user.x" is called so on the host, too, and a guest sees nothing else; other
//! namespaces are the kernel's on Linux and do not exist here.

const std = @import("std");
const call = @import("call.zig");
const handles = @import("handles.zig");
const c = call.c;
const sys = call.sys;
const E = call.E;
const Path = call.Path;

const namespace = "user.";
/// XATTR_MAXNAMELEN; Linux allows 255.
const longest_name = 127;
/// XATTR_SIZE_MAX of Linux.
const longest_value = 65536;

/// What Linux says about a name that leads nowhere: 0 for one of the user's.
fn judge(name: Path, comptime does: enum { read, write }) i32 {
    const text = std.mem.span(name);
    if (std.mem.startsWith(u8, text, namespace)) {
        if (text.len == namespace.len) return -E.INVAL;
        return if (text.len <= longest_name) 0 else if (does == .read) -E.NODATA else -E.NOSPC;
    }
    for ([_][]const u8{ "trusted.", "security." }) |other| {
        if (std.mem.startsWith(u8, text, other)) return if (does == .read) -E.NODATA else -E.PERM;
    }
    return -E.OPNOTSUPP;
}

/// Only regular files and directories have attributes of the user's; what cannot be opened has none to read.
fn owner(fd: i32, comptime does: enum { read, write }) i32 {
    const refused: i32 = if (does == .read) -E.NODATA else -E.PERM;
    if (handles.isPlaceholder(fd)) return if (does == .read) -E.NODATA else -E.ACCES;
    var st: c.struct_stat = undefined;
    if (sys("fstat")(fd, &st) != 0) return call.failure();
    const kind = st.st_mode & c.S_IFMT;
    return if (kind == c.S_IFREG or kind == c.S_IFDIR) 0 else refused;
}

pub fn getXattr(fd: i32, name: Path, buffer: [*]u8, size: u32) i32 {
    const bad = judge(name, .read);
    if (bad < 0) return bad;
    const other = owner(fd, .read);
    if (other < 0) return other;
    return call.result(sys("fgetxattr")(fd, name, if (size == 0) null else buffer, size, 0, 0));
}

pub fn setXattr(fd: i32, name: Path, buffer: [*]const u8, size: u32, flags: u32) i32 {
    const CREATE = 1;
    const REPLACE = 2;
    if (flags & ~@as(u32, CREATE | REPLACE) != 0) return -E.INVAL;
    const bad = judge(name, .write);
    if (bad < 0) return bad;
    if (size > longest_value) return -7; // E2BIG
    const other = owner(fd, .write);
    if (other < 0) return other;
    var how: c_int = 0;
    if (flags & CREATE != 0) how |= c.unproven.XATTR_CREATE;
    if (flags & REPLACE != 0) how |= c.unproven.XATTR_REPLACE;
    return call.result(sys("fsetxattr")(fd, name, buffer, size, 0, how));
}

pub fn removeXattr(fd: i32, name: Path) i32 {
    const bad = judge(name, .write);
    if (bad < 0) return bad;
    const other = owner(fd, .write);
    if (other < 0) return if (other == -E.PERM) other else -E.NODATA;
    return call.result(sys("fremovexattr")(fd, name, 0));
}

/// Names, each with its NUL.
pub fn listXattr(fd: i32, buffer: [*]u8, size: u32) i32 {
    if (owner(fd, .read) < 0) return 0;
    const all = sys("flistxattr")(fd, null, 0, 0);
    if (all <= 0) return call.result(all);
    const bytes = std.heap.c_allocator.alloc(u8, @intCast(all)) catch return -E.NOMEM;
    defer std.heap.c_allocator.free(bytes);
    const got = sys("flistxattr")(fd, bytes.ptr, bytes.len, 0);
    if (got < 0) return call.failure();
    var done: usize = 0;
    var rest = std.mem.splitScalar(u8, bytes[0..@intCast(got)], 0);
    while (rest.next()) |name| {
        if (!std.mem.startsWith(u8, name, namespace)) continue;
        if (size > 0) {
            if (done + name.len + 1 > size) return -E.RANGE;
            @memcpy(buffer[done..][0..name.len], name);
            buffer[done + name.len] = 0;
        }
        done += name.len + 1;
    }
    return @intCast(done);
}
