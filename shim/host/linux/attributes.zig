//! Attributes of files of a Linux host. Nothing here follows a symbolic link in the last name; an empty name means the
//! descriptor itself (which may be an O_PATH one).

const call = @import("call.zig");
const files = @import("files.zig");
const linux = call.linux;
const Path = call.Path;
const narrow = call.narrow;
const fdArg = call.fdArg;

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_NO_AUTOMOUNT = 0x800;
const AT_EMPTY_PATH = 0x1000;
const no_follow = AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH;
/// STATX_BASIC_STATS and STATX_BTIME.
const stat_mask = 0x7ff | 0x800;

/// statx(2) into struct statx, which is the same on every architecture.
pub fn stat(dirfd: i32, path: Path, out: *[256]u8) i32 {
    return narrow(call.plain(.statx, .{ fdArg(dirfd), @intFromPtr(path), no_follow | AT_NO_AUTOMOUNT, stat_mask, @intFromPtr(out) }));
}

var has_faccessat2 = true;

/// faccessat2(2) with the effective ids: 0, -EACCES, -EROFS ... `mask` is R_OK | W_OK | X_OK.
pub fn access(dirfd: i32, path: Path, mask: u32) i32 {
    const AT_EACCESS = 0x200;
    if (has_faccessat2) {
        const rc = narrow(call.plain(.faccessat2, .{ fdArg(dirfd), @intFromPtr(path), mask, no_follow | AT_EACCESS }));
        if (rc != -call.ENOSYS) return rc;
        has_faccessat2 = false;
    }
    const fd = if (path[0] == 0) dirfd else files.open(dirfd, path, call.O.PATH | call.O.NOFOLLOW, 0);
    if (fd < 0) return fd;
    defer if (fd != dirfd) {
        _ = files.close(fd);
    };
    var buffer: [32]u8 = undefined;
    return narrow(call.plain(.faccessat, .{ fdArg(AT_FDCWD), @intFromPtr(files.descriptorPath(&buffer, fd)), mask }));
}

var has_fchmodat2 = true;

/// chmod(2) that refuses symbolic links with -EOPNOTSUPP.
pub fn changeMode(dirfd: i32, path: Path, mode: u32) i32 {
    if (has_fchmodat2) {
        const rc = narrow(call.plain(.fchmodat2, .{ fdArg(dirfd), @intFromPtr(path), mode & 0o7777, no_follow }));
        if (rc != -call.ENOSYS) return rc;
        has_fchmodat2 = false;
    }
    const fd = if (path[0] == 0) dirfd else files.open(dirfd, path, call.O.PATH | call.O.NOFOLLOW, 0);
    if (fd < 0) return fd;
    defer if (fd != dirfd) {
        _ = files.close(fd);
    };
    if (typeOf(fd) == 0o120000) return -call.EOPNOTSUPP;
    var buffer: [32]u8 = undefined;
    return narrow(call.plain(.fchmodat, .{ fdArg(AT_FDCWD), @intFromPtr(files.descriptorPath(&buffer, fd)), mode & 0o7777 }));
}

fn typeOf(fd: i32) u32 {
    var out: linux.Statx = undefined;
    const rc = call.plain(.statx, .{ fdArg(fd), @intFromPtr(""), AT_EMPTY_PATH, 1, @intFromPtr(&out) });
    return if (narrow(rc) == 0) @as(u32, out.mode) & 0o170000 else 0;
}

/// `uid` and `gid` of all ones stay as they are.
pub fn changeOwner(dirfd: i32, path: Path, uid: u32, gid: u32) i32 {
    return narrow(call.plain(.fchownat, .{ fdArg(dirfd), @intFromPtr(path), uid, gid, no_follow }));
}

/// utimensat(2); `times` is timespec[2] with UTIME_NOW and UTIME_OMIT as on Linux.
pub fn changeTimes(dirfd: i32, path: Path, times: *const [2]linux.timespec) i32 {
    if (path[0] != 0) {
        return narrow(call.plain(.utimensat, .{ fdArg(dirfd), @intFromPtr(path), @intFromPtr(times), AT_SYMLINK_NOFOLLOW }));
    }
    // A null path is the descriptor itself; an O_PATH one needs AT_EMPTY_PATH (since 5.8).
    const rc = narrow(call.plain(.utimensat, .{ fdArg(dirfd), @intFromPtr(path), @intFromPtr(times), AT_EMPTY_PATH }));
    if (rc != -call.EINVAL and rc != -call.ENOENT) return rc;
    return narrow(call.plain(.utimensat, .{ fdArg(dirfd), 0, @intFromPtr(times), 0 }));
}

/// fstatfs(2) into struct statfs (120 bytes, equal on all 64-bit architectures).
pub fn statFs(fd: i32, out: *[120]u8) i32 {
    return narrow(call.plain(.fstatfs, .{ fdArg(fd), @intFromPtr(out) }));
}

pub fn getXattr(fd: i32, name: Path, buffer: [*]u8, size: u32) i32 {
    const rc = narrow(call.plain(.fgetxattr, .{ fdArg(fd), @intFromPtr(name), @intFromPtr(buffer), size }));
    if (rc != -call.EBADF) return rc;
    var path: [32]u8 = undefined;
    return narrow(call.plain(.getxattr, .{ byPath(&path, fd), @intFromPtr(name), @intFromPtr(buffer), size }));
}

pub fn setXattr(fd: i32, name: Path, buffer: [*]const u8, size: u32, flags: u32) i32 {
    const rc = narrow(call.plain(.fsetxattr, .{ fdArg(fd), @intFromPtr(name), @intFromPtr(buffer), size, flags }));
    if (rc != -call.EBADF) return rc;
    var path: [32]u8 = undefined;
    return narrow(call.plain(.setxattr, .{ byPath(&path, fd), @intFromPtr(name), @intFromPtr(buffer), size, flags }));
}

/// Names, each with its NUL.
pub fn listXattr(fd: i32, buffer: [*]u8, size: u32) i32 {
    const rc = narrow(call.plain(.flistxattr, .{ fdArg(fd), @intFromPtr(buffer), size }));
    if (rc != -call.EBADF) return rc;
    var path: [32]u8 = undefined;
    return narrow(call.plain(.listxattr, .{ byPath(&path, fd), @intFromPtr(buffer), size }));
}

pub fn removeXattr(fd: i32, name: Path) i32 {
    const rc = narrow(call.plain(.fremovexattr, .{ fdArg(fd), @intFromPtr(name) }));
    if (rc != -call.EBADF) return rc;
    var path: [32]u8 = undefined;
    return narrow(call.plain(.removexattr, .{ byPath(&path, fd), @intFromPtr(name) }));
}

/// The xattr calls refuse O_PATH descriptors; the kernel's own link to one leads to the file and no further.
fn byPath(buffer: *[32]u8, fd: i32) usize {
    return @intFromPtr(files.descriptorPath(buffer, fd));
}
