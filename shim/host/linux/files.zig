//! Names and open files of a Linux host: openat(2) and its family. Every descriptor that leaves this file is
//! close-on-exec and, where the limit allows, at least `low_limit`, so that it can never be taken for a standard stream or
//! for a descriptor that carrick was given.

const std = @import("std");
const call = @import("call.zig");
const linux = call.linux;
const Path = call.Path;
const O = call.O;
const narrow = call.narrow;
const fdArg = call.fdArg;

const F_DUPFD_CLOEXEC = 1030;
const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;
const SFD_PATH_MAX = 32;

/// Lowest number of a descriptor that carrick keeps; lowered by `start` when the limit is small.
pub var low_limit: i32 = 64;

/// Occupies all numbers below `low_limit`, once: cheaper than to move every descriptor that is ever opened.
pub fn reserveLow() void {
    const nothing = narrow(call.plain(.openat, .{ fdArg(AT_FDCWD), @intFromPtr("/dev/null"), call.openFlags(O.PATH), 0 }));
    if (nothing < 0) return;
    defer if (nothing >= low_limit) {
        _ = linux.close(nothing);
    };
    while (nothing < low_limit) {
        const fd = narrow(call.plain(.fcntl, .{ fdArg(nothing), F_DUPFD_CLOEXEC, 3 }));
        if (fd < low_limit) {
            if (fd < 0) return;
            continue;
        }
        _ = linux.close(fd);
        return;
    }
}

/// Moves a fresh descriptor up when its number was free below `low_limit` after all. -errno passes through.
pub fn lift(fd: i32) i32 {
    if (fd < 0 or fd >= low_limit) return fd;
    const high = narrow(call.plain(.fcntl, .{ fdArg(fd), F_DUPFD_CLOEXEC, fdArg(low_limit) }));
    if (high < 0) return fd;
    _ = linux.close(fd);
    return high;
}

/// openat(2) of one name or path. The caller adds O_NOFOLLOW where a link must not be followed.
pub fn open(dirfd: i32, path: Path, flags: u32, mode: u32) i32 {
    return lift(narrow(call.again(.openat, .{ fdArg(dirfd), @intFromPtr(path), call.openFlags(flags), openMode(flags, mode) })));
}

/// The kernel refuses mode bits without O_CREAT in openat2(2), and a tmpfile needs them.
fn openMode(flags: u32, mode: u32) usize {
    return if (flags & (O.CREAT | O.TMPFILE_BIT) != 0) mode & 0o7777 else 0;
}

const OpenHow = extern struct { flags: u64, mode: u64, resolve: u64 };
const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_NO_SYMLINKS = 0x04;
const RESOLVE_BENEATH = 0x08;

var has_openat2 = true;

/// Opens a relative path of several names beneath a directory without following a symbolic link and without leaving the
/// directory: -ELOOP when a link is met, -EXDEV when ".." would leave, -EAGAIN never.
pub fn walk(dirfd: i32, path: Path, flags: u32, mode: u32) i32 {
    if (has_openat2) {
        var how: OpenHow = .{
            .flags = call.openFlags(flags | O.NOFOLLOW),
            .mode = openMode(flags, mode),
            .resolve = RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH,
        };
        const fd = narrow(call.again(.openat2, .{ fdArg(dirfd), @intFromPtr(path), @intFromPtr(&how), @sizeOf(OpenHow) }));
        if (fd != -call.ENOSYS and fd != -call.EAGAIN) return lift(fd);
        if (fd == -call.ENOSYS) has_openat2 = false;
    }
    return walkByName(dirfd, std.mem.span(path), flags, mode);
}

/// The same, one name at a time, for kernels without openat2(2) and when a rename raced with it. ".." is refused.
fn walkByName(dirfd: i32, path: []const u8, flags: u32, mode: u32) i32 {
    var current = dirfd;
    defer if (current != dirfd) {
        _ = linux.close(current);
    };
    if (path.len > 0 and path[0] == '/') return -call.EXDEV;
    var names = std.mem.tokenizeScalar(u8, path, '/');
    while (names.next()) |name| {
        if (std.mem.eql(u8, name, "..")) return -call.EXDEV;
        var buffer: [256]u8 = undefined;
        if (name.len >= buffer.len) return -call.ENAMETOOLONG;
        @memcpy(buffer[0..name.len], name);
        buffer[name.len] = 0;
        const component: Path = buffer[0..name.len :0];
        if (names.peek() == null) return open(current, component, flags | O.NOFOLLOW, mode);
        const next = narrow(call.again(.openat, .{ fdArg(current), @intFromPtr(component), call.openFlags(O.PATH | O.NOFOLLOW), 0 }));
        if (next < 0) return next;
        if (current != dirfd) _ = linux.close(current);
        current = next;
        if (isLink(next)) return -call.ELOOP;
    }
    return open(current, ".", flags, mode);
}

test "a walk stays beneath its directory and follows no link" {
    const expect = std.testing.expectEqual;
    const root = open(AT_FDCWD, "/proc/self", O.PATH, 0);
    defer _ = close(root);
    for ([_]bool{ true, false }) |with| {
        has_openat2 = with;
        defer has_openat2 = true;
        const found = walk(root, "task/../status", 0, 0);
        if (with) {
            try std.testing.expect(found >= 0);
            _ = close(found);
        } else try expect(-call.EXDEV, found);
        const deep = walk(root, "net/dev", 0, 0);
        try std.testing.expect(deep >= 0);
        _ = close(deep);
        try expect(-call.ELOOP, walk(root, "cwd/x", 0, 0));
        try expect(-call.ELOOP, walk(root, "root", 0, 0));
        try expect(-call.EXDEV, walk(root, "/etc", 0, 0));
        try expect(-call.EXDEV, walk(root, "../self", 0, 0));
        try expect(-call.ENOENT, walk(root, "missing/x", 0, 0));
        try expect(-call.ENOTDIR, walk(root, "status/x", 0, 0));
    }
}

fn isLink(fd: i32) bool {
    var out: linux.Statx = undefined;
    const rc = linux.statx(fd, "", AT_EMPTY_PATH, @bitCast(@as(u32, 1)), &out);
    return narrow(rc) == 0 and (out.mode & 0o170000) == 0o120000;
}

pub fn close(fd: i32) i32 {
    return narrow(linux.close(fd));
}

pub fn duplicate(fd: i32) i32 {
    return narrow(call.plain(.fcntl, .{ fdArg(fd), F_DUPFD_CLOEXEC, fdArg(low_limit) }));
}

/// The path by which the kernel names an open descriptor, for the calls that take no descriptor.
pub fn descriptorPath(buffer: *[SFD_PATH_MAX]u8, fd: i32) Path {
    return std.fmt.bufPrintSentinel(buffer, "/proc/self/fd/{d}", .{fd}, 0) catch unreachable;
}

/// A new open file description for what `fd` refers to, with other flags (from O_PATH to readable, or with
/// O_NONBLOCK while the inherited description stays as it was).
pub fn reopen(fd: i32, flags: u32) i32 {
    var buffer: [SFD_PATH_MAX]u8 = undefined;
    return open(AT_FDCWD, descriptorPath(&buffer, fd), flags & ~@as(u32, O.NOFOLLOW | O.CREAT | O.EXCL), 0);
}

/// The host's name of an open file: its length, not terminated, or -errno.
pub fn describe(fd: i32, buffer: [*]u8, size: u32) i32 {
    var path: [SFD_PATH_MAX]u8 = undefined;
    return readLink(AT_FDCWD, descriptorPath(&path, fd), buffer, size);
}

pub fn makeDirectory(dirfd: i32, path: Path, mode: u32) i32 {
    return narrow(call.plain(.mkdirat, .{ fdArg(dirfd), @intFromPtr(path), mode & 0o7777 }));
}

pub fn unlink(dirfd: i32, path: Path, flags: u32) i32 {
    return narrow(call.plain(.unlinkat, .{ fdArg(dirfd), @intFromPtr(path), flags }));
}

pub fn rename(old_dir: i32, old: Path, new_dir: i32, new: Path, flags: u32) i32 {
    return narrow(call.plain(.renameat2, .{ fdArg(old_dir), @intFromPtr(old), fdArg(new_dir), @intFromPtr(new), flags }));
}

/// linkat(2). With AT_EMPTY_PATH and an empty old name, `old_dir` is the file; without the privilege for that, by way of /proc.
pub fn link(old_dir: i32, old: Path, new_dir: i32, new: Path, flags: u32) i32 {
    const rc = narrow(call.plain(.linkat, .{ fdArg(old_dir), @intFromPtr(old), fdArg(new_dir), @intFromPtr(new), flags & AT_EMPTY_PATH }));
    if (flags & AT_EMPTY_PATH == 0 or (rc != -call.ENOENT and rc != -call.EPERM)) return rc;
    var buffer: [SFD_PATH_MAX]u8 = undefined;
    const AT_SYMLINK_FOLLOW = 0x400;
    const source = @intFromPtr(descriptorPath(&buffer, old_dir));
    return narrow(call.plain(.linkat, .{ fdArg(AT_FDCWD), source, fdArg(new_dir), @intFromPtr(new), AT_SYMLINK_FOLLOW }));
}

pub fn symlink(target: Path, dirfd: i32, path: Path) i32 {
    return narrow(call.plain(.symlinkat, .{ @intFromPtr(target), fdArg(dirfd), @intFromPtr(path) }));
}

/// readlinkat(2): bytes written, not terminated. An empty path names the O_PATH descriptor itself.
pub fn readLink(dirfd: i32, path: Path, buffer: [*]u8, size: u32) i32 {
    return narrow(call.plain(.readlinkat, .{ fdArg(dirfd), @intFromPtr(path), @intFromPtr(buffer), size }));
}

pub fn makeNode(dirfd: i32, path: Path, mode: u32, dev: u32) i32 {
    return narrow(call.plain(.mknodat, .{ fdArg(dirfd), @intFromPtr(path), mode, dev }));
}

/// lseek(2) with Linux's SEEK_* including SEEK_DATA and SEEK_HOLE: the position or -errno.
pub fn seek(fd: i32, position: f64, whence: u32) f64 {
    const at = call.offset(position) orelse return -call.EINVAL;
    return call.wide(call.plain(.lseek, .{ fdArg(fd), call.offsetArg(at), whence }));
}

pub fn truncate(fd: i32, size: f64) i32 {
    const at = call.offset(size) orelse return -call.EINVAL;
    return narrow(call.again(.ftruncate, .{ fdArg(fd), call.offsetArg(at) }));
}

pub fn allocate(fd: i32, mode: u32, position: f64, length: f64) i32 {
    const at = call.offset(position) orelse return -call.EINVAL;
    const len = call.offset(length) orelse return -call.EINVAL;
    return narrow(call.again(.fallocate, .{ fdArg(fd), mode, call.offsetArg(at), call.offsetArg(len) }));
}

/// Sets the status flags of an open description (F_SETFL): O_APPEND, O_NONBLOCK.
pub fn setFlags(fd: i32, flags: u32) i32 {
    const F_SETFL = 4;
    return narrow(call.plain(.fcntl, .{ fdArg(fd), F_SETFL, flags & (O.APPEND | O.NONBLOCK) }));
}

/// Access mode, O_APPEND and O_NONBLOCK of an open description (F_GETFL), or -errno.
pub fn getFlags(fd: i32) i32 {
    const F_GETFL = 3;
    const rc = narrow(call.plain(.fcntl, .{ fdArg(fd), F_GETFL, 0 }));
    return if (rc < 0) rc else rc & (O.ACCMODE | O.APPEND | O.NONBLOCK);
}

/// Closes a standard stream for good: its number then leads to /dev/null, never to another file.
pub fn abandon(fd: i32) i32 {
    const nothing = open(AT_FDCWD, "/dev/null", 2, 0);
    if (nothing < 0) return nothing;
    defer _ = linux.close(nothing);
    return narrow(call.plain(.dup3, .{ fdArg(nothing), fdArg(fd), O.CLOEXEC }));
}

/// syncfs(2).
pub fn syncFileSystem(fd: i32) i32 {
    return narrow(call.again(.syncfs, .{fdArg(fd)}));
}

pub fn sync(fd: i32, data_only: bool) i32 {
    return narrow(if (data_only) call.again(.fdatasync, .{fdArg(fd)}) else call.again(.fsync, .{fdArg(fd)}));
}

/// getdents64(2): bytes of struct linux_dirent64 records, 0 at the end.
pub fn readDirectory(fd: i32, buffer: [*]u8, size: u32) i32 {
    return narrow(call.plain(.getdents64, .{ fdArg(fd), @intFromPtr(buffer), size }));
}

/// pread(2), or read(2) when `position` is -1. Not repeated on EINTR: nothing that blocks is read this way.
pub fn read(fd: i32, buffer: [*]u8, size: u32, position: f64) i32 {
    const at = call.offset(position) orelse return -call.EINVAL;
    const len = @min(size, 0x7ffff000);
    if (at == -1) return narrow(call.plain(.read, .{ fdArg(fd), @intFromPtr(buffer), len }));
    return narrow(call.plain(.pread64, .{ fdArg(fd), @intFromPtr(buffer), len, call.offsetArg(at) }));
}

/// pwrite(2), or write(2) when `position` is -1.
pub fn write(fd: i32, buffer: [*]const u8, size: u32, position: f64) i32 {
    const at = call.offset(position) orelse return -call.EINVAL;
    const len = @min(size, 0x7ffff000);
    if (at == -1) return narrow(call.plain(.write, .{ fdArg(fd), @intFromPtr(buffer), len }));
    return narrow(call.plain(.pwrite64, .{ fdArg(fd), @intFromPtr(buffer), len, call.offsetArg(at) }));
}

/// copy_file_range(2) between explicit positions: bytes copied or -errno.
pub fn copyRange(in: i32, in_position: f64, out: i32, out_position: f64, length: f64) f64 {
    var from = call.offset(in_position) orelse return -call.EINVAL;
    var to = call.offset(out_position) orelse return -call.EINVAL;
    const len = call.offset(length) orelse return -call.EINVAL;
    const capped: usize = @intCast(std.math.clamp(len, 0, 0x7ffff000));
    return call.wide(call.again(.copy_file_range, .{ fdArg(in), @intFromPtr(&from), fdArg(out), @intFromPtr(&to), capped, 0 }));
}

/// flock(2), never waiting.
pub fn lockFile(fd: i32, operation: u32) i32 {
    const LOCK_NB = 4;
    return narrow(call.plain(.flock, .{ fdArg(fd), operation | LOCK_NB }));
}

/// pipe2(2): read end and write end. O_CLOEXEC is always set.
pub fn pipe(ends: *[2]i32, flags: u32) i32 {
    var raw: [2]i32 = undefined;
    const rc = narrow(call.plain(.pipe2, .{ @intFromPtr(&raw), call.openFlags(flags & O.NONBLOCK) & (O.NONBLOCK | O.CLOEXEC) }));
    if (rc < 0) return rc;
    ends.* = .{ lift(raw[0]), lift(raw[1]) };
    return 0;
}
