//! Attributes: struct stat, statfs and xattrs as Darwin has them.

const std = @import("std");
const base = @import("base.zig");
const kqueue = @import("kqueue.zig");
const Resolved = @import("paths.zig").Resolved;
const c = base.c;
const linux = base.linux;
const Path = base.Path;
const fail = base.fail;
const result = base.result;
const arg = base.arg;
const dir = base.dir;

const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;

/// Darwin's numbers of devices that exist on both.
const devices = [_][4]u32{
    .{ 1, 3, 3, 2 }, // null
    .{ 1, 5, 3, 3 }, // zero
    .{ 1, 8, 14, 0 }, // random
    .{ 1, 9, 14, 1 }, // urandom
    .{ 5, 0, 2, 0 }, // tty
    .{ 5, 1, 0, 0 }, // console
    .{ 5, 2, 15, 0 }, // ptmx
};

fn device(major: u32, minor: u32, char: bool) i32 {
    if (char) {
        for (devices) |d| {
            if (d[0] == major and d[1] == minor) return @bitCast(d[2] << 24 | d[3]);
        }
        if (major == 136) return @bitCast(@as(u32, 16) << 24 | minor);
    }
    return @bitCast((major & 0xff) << 24 | (minor & 0xff_ffff));
}

fn time(t: linux.statx_timestamp) c.struct_timespec {
    return .{ .tv_sec = t.sec, .tv_nsec = t.nsec };
}

fn translate(st: *const linux.Statx, out: *c.struct_stat) void {
    // What is not written here is whatever the caller's stack had; the kernel zeroes it.
    @memset(std.mem.asBytes(out), 0);
    const kind = st.mode & linux.S.IFMT;
    const nameless = kind == linux.S.IFIFO and isPipefs(st);
    out.st_dev = if (nameless) 0 else device(st.dev_major, st.dev_minor, false);
    out.st_mode = st.mode;
    out.st_nlink = @truncate(@min(st.nlink, 0xffff));
    out.st_ino = st.ino;
    out.st_uid = st.uid;
    out.st_gid = st.gid;
    out.st_rdev = device(st.rdev_major, st.rdev_minor, kind == linux.S.IFCHR);
    out.st_atimespec = time(st.atime);
    out.st_mtimespec = time(st.mtime);
    out.st_ctimespec = time(st.ctime);
    if (@as(u32, @bitCast(st.mask)) & 0x800 != 0) out.st_birthtimespec = time(st.btime);
    out.st_size = @intCast(st.size);
    out.st_blocks = @intCast(st.blocks);
    out.st_blksize = @intCast(st.blksize);
    const attributes: u64 = @bitCast(st.attributes);
    if (attributes & 0x10 != 0) out.st_flags |= c.UF_IMMUTABLE;
    if (attributes & 0x20 != 0) out.st_flags |= c.UF_APPEND;
    if (attributes & 0x40 != 0) out.st_flags |= c.UF_NODUMP;
}

var pipefs: ?[2]u32 = null;

fn isPipefs(st: *const linux.Statx) bool {
    if (pipefs == null) {
        var ends: [2]i32 = undefined;
        _ = linux.syscall2(.pipe2, @intFromPtr(&ends), 0);
        var own: linux.Statx = undefined;
        _ = linux.syscall5(.statx, arg(ends[0]), @intFromPtr(""), AT_EMPTY_PATH, 0x7ff, @intFromPtr(&own));
        for (ends) |fd| _ = linux.close(fd);
        pipefs = .{ own.dev_major, own.dev_minor };
    }
    return pipefs.?[0] == st.dev_major and pipefs.?[1] == st.dev_minor;
}

export fn darwin_fstat(fd: c_int, out: *c.struct_stat) c_int {
    var st: linux.Statx = undefined;
    const rc = linux.syscall5(.statx, arg(fd), @intFromPtr(""), AT_EMPTY_PATH, 0xfff, @intFromPtr(&st));
    if (base.errnoOf(rc) == 0) translate(&st, out);
    if (kqueue.isQueue(fd)) {
        out.st_mode = linux.S.IFIFO;
        out.st_dev = 0;
    }
    return result(rc);
}

fn nofollow(flags: c_int, also: c_int) usize {
    if (flags & ~(@as(c_int, c.AT_SYMLINK_NOFOLLOW) | also) != 0) base.misuse("AT_ flags that are not Darwin's");
    return if (flags & c.AT_SYMLINK_NOFOLLOW != 0) AT_SYMLINK_NOFOLLOW else 0;
}

export fn darwin_fstatat(dirfd: c_int, path: Path, out: *c.struct_stat, flags: c_int) c_int {
    const how = nofollow(flags, 0);
    if (std.mem.eql(u8, std.mem.span(path), "/dev/ttys000") and kqueue.kindOfPath("/dev/pts/0") == 0) {
        @memset(std.mem.asBytes(out), 0);
        out.st_mode = linux.S.IFCHR | 0o620;
        out.st_rdev = device(136, 0, true);
        return 0;
    }
    if (path[0] == 0) return fail(c.ENOENT);
    var r: Resolved = .{};
    if (!r.init(dirfd, path)) return -1;
    var st: linux.Statx = undefined;
    const rc = linux.syscall5(.statx, dir(dirfd), @intFromPtr(r.path), how, 0xfff, @intFromPtr(&st));
    if (base.errnoOf(rc) == 0) translate(&st, out);
    return result(rc);
}

export fn darwin_faccessat(dirfd: c_int, path: Path, mode: c_int, flags: c_int) c_int {
    const AT_EACCESS = 0x200;
    if (flags & c.AT_SYMLINK_NOFOLLOW != 0 and base.option(.follows)) return fail(c.EINVAL);
    var how = nofollow(flags, c.AT_EACCESS);
    if (flags & c.AT_EACCESS != 0) how |= AT_EACCESS;
    var r: Resolved = .{};
    if (!r.init(dirfd, path)) return -1;
    return result(linux.syscall4(.faccessat2, dir(dirfd), @intFromPtr(r.path), arg(mode), how));
}

/// The sticky bit of a file is for root.
fn refused(dirfd: c_int, path: Path, mode: u16) bool {
    if (mode & 0o1000 == 0 or !base.option(.user)) return false;
    var st: linux.Statx = undefined;
    const rc = linux.syscall5(.statx, dir(dirfd), @intFromPtr(path), AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, 1, @intFromPtr(&st));
    return base.errnoOf(rc) == 0 and st.mode & linux.S.IFMT != linux.S.IFDIR;
}

export fn darwin_fchmod(fd: c_int, mode: u16) c_int {
    if (refused(fd, "", mode)) return fail(c.EFTYPE);
    return ofLink(linux.syscall4(.fchmodat2, arg(fd), @intFromPtr(""), mode, AT_EMPTY_PATH));
}

/// A link has a mode of its own here, which can be changed.
fn ofLink(rc: usize) c_int {
    return if (base.errnoOf(rc) == 95) 0 else result(rc);
}

export fn darwin_fchmodat(dirfd: c_int, path: Path, mode: u16, flags: c_int) c_int {
    const how = nofollow(flags, 0);
    var r: Resolved = .{};
    if (!r.init(dirfd, path)) return -1;
    if (refused(dirfd, r.path, mode)) return fail(c.EFTYPE);
    return ofLink(linux.syscall4(.fchmodat2, dir(dirfd), @intFromPtr(r.path), mode, how));
}

export fn darwin_fchown(fd: c_int, uid: u32, gid: u32) c_int {
    return result(linux.syscall5(.fchownat, arg(fd), @intFromPtr(""), uid, gid, AT_EMPTY_PATH));
}

export fn darwin_fchownat(dirfd: c_int, path: Path, uid: u32, gid: u32, flags: c_int) c_int {
    const how = nofollow(flags, 0);
    var r: Resolved = .{};
    if (!r.init(dirfd, path)) return -1;
    return result(linux.syscall5(.fchownat, dir(dirfd), @intFromPtr(r.path), uid, gid, how));
}

fn linuxTimes(times: *const [2]c.struct_timespec, out: *[2]linux.timespec) bool {
    for (times, out) |from, *to| {
        to.sec = from.tv_sec;
        to.nsec = switch (from.tv_nsec) {
            c.UTIME_NOW => (1 << 30) - 1,
            c.UTIME_OMIT => (1 << 30) - 2,
            0...999_999_999 => from.tv_nsec,
            else => return false,
        };
    }
    return true;
}

export fn darwin_futimens(fd: c_int, times: *const [2]c.struct_timespec) c_int {
    var out: [2]linux.timespec = undefined;
    if (!linuxTimes(times, &out)) return fail(c.EINVAL);
    return result(linux.syscall4(.utimensat, arg(fd), @intFromPtr(""), @intFromPtr(&out), AT_EMPTY_PATH));
}

export fn darwin_utimensat(dirfd: c_int, path: Path, times: *const [2]c.struct_timespec, flags: c_int) c_int {
    const how = nofollow(flags, 0);
    var out: [2]linux.timespec = undefined;
    if (!linuxTimes(times, &out)) return fail(c.EINVAL);
    var r: Resolved = .{};
    if (!r.init(dirfd, path)) return -1;
    return result(linux.syscall4(.utimensat, dir(dirfd), @intFromPtr(r.path), @intFromPtr(&out), how));
}

const LinuxStatFs = extern struct { type: i64, bsize: i64, blocks: u64, bfree: u64, bavail: u64, files: u64, ffree: u64, fsid: [2]i32, namelen: i64, frsize: i64, flags: i64, spare: [4]i64 };

export fn darwin_fstatfs(fd: c_int, out: *c.struct_statfs) c_int {
    var fs: LinuxStatFs = undefined;
    const rc = linux.syscall2(.fstatfs, arg(fd), @intFromPtr(&fs));
    if (base.errnoOf(rc) != 0) return result(rc);
    @memset(std.mem.asBytes(out), 0);
    out.f_bsize = @intCast(fs.bsize);
    out.f_iosize = 1 << 20;
    out.f_blocks = fs.blocks;
    out.f_bfree = fs.bfree;
    out.f_bavail = fs.bavail;
    out.f_files = fs.files;
    out.f_ffree = fs.ffree;
    out.f_fsid = fs.fsid;
    const pairs = [_][2]u32{ .{ 1, 0x1 }, .{ 2, 0x8 }, .{ 4, 0x10 }, .{ 8, 0x4 }, .{ 0x10, 0x2 }, .{ 0x400, 0x10000000 } };
    for (pairs) |pair| {
        if (@as(u64, @bitCast(fs.flags)) & pair[0] != 0) out.f_flags |= pair[1];
    }
    @memcpy(out.f_fstypename[0..4], "apfs");
    return 0;
}

export fn darwin_fpathconf(fd: c_int, name: c_int) c_long {
    _ = fd;
    if (name != c._PC_CASE_SENSITIVE) base.misuse("an fpathconf name that is not modelled");
    return if (base.option(.insensitive)) 0 else 1;
}

/// The name as it is on disk: that of the entry which the lookup found.
export fn darwin_getattrlistat(dirfd: c_int, path: Path, list: *const c.struct_attrlist, buffer: [*]u8, size: usize, options: c_ulong) c_int {
    if (list.bitmapcount != 5 or list.reserved != 0) return fail(c.EINVAL);
    if (list.commonattr != 1 or list.volattr | list.dirattr | list.fileattr | list.forkattr != 0) base.misuse("attributes that are not modelled");
    if (options != 1) base.misuse("getattrlistat follows links");
    var r: Resolved = .{};
    if (!r.init(dirfd, path)) return -1;
    var st: c.struct_stat = undefined;
    if (darwin_fstatat(dirfd, path, &st, c.AT_SYMLINK_NOFOLLOW) != 0) return -1;
    const text = std.mem.span(r.path);
    const last = if (std.mem.findScalarLast(u8, text, '/')) |slash| text[slash + 1 ..] else text;
    // A directory has one name, whatever it was reached by.
    const name = if (std.mem.eql(u8, last, ".") or std.mem.eql(u8, last, "..")) "its-own-name" else last;
    const length = 12 + name.len + 1;
    if (size < length) return fail(c.ERANGE);
    std.mem.writeInt(u32, buffer[0..4], @intCast(length), .little);
    std.mem.writeInt(i32, buffer[4..8], 8, .little);
    std.mem.writeInt(u32, buffer[8..12], @intCast(name.len + 1), .little);
    @memcpy(buffer[12..][0..name.len], name);
    buffer[12 + name.len] = 0;
    return 0;
}

fn byPath(buffer: *[32]u8, fd: c_int) usize {
    return @intFromPtr((std.fmt.bufPrintSentinel(buffer, "/proc/self/fd/{d}", .{fd}, 0) catch unreachable).ptr);
}

fn xattrResult(rc: usize) isize {
    return if (base.errnoOf(rc) == 95) fail(c.ENOTSUP) else base.wide(rc);
}

fn wrongName(name: Path, position: u32, options: c_int, known: c_int) c_int {
    if (options & ~known != 0) base.misuse("xattr options that are not Darwin's");
    if (position != 0) return fail(c.EINVAL);
    const text = std.mem.span(name);
    if (text.len > 127) return fail(c.ENAMETOOLONG);
    if (!std.mem.startsWith(u8, text, "user.")) base.misuse("an xattr that is none of a guest's");
    return 0;
}

export fn darwin_fgetxattr(fd: c_int, name: Path, value: ?[*]u8, size: usize, position: u32, options: c_int) isize {
    if (wrongName(name, position, options, 0) != 0) return -1;
    var path: [32]u8 = undefined;
    if (value != null and size == 0) return fail(c.ERANGE);
    return xattrResult(linux.syscall4(.getxattr, byPath(&path, fd), @intFromPtr(name), @intFromPtr(value), if (value == null) 0 else size));
}

export fn darwin_fsetxattr(fd: c_int, name: Path, value: [*]const u8, size: usize, position: u32, options: c_int) c_int {
    if (wrongName(name, position, options, 6) != 0) return -1;
    const flags: usize = switch (options) {
        0 => 0,
        2 => 1,
        4 => 2,
        else => return fail(c.EINVAL),
    };
    var path: [32]u8 = undefined;
    return @intCast(xattrResult(linux.syscall5(.setxattr, byPath(&path, fd), @intFromPtr(name), @intFromPtr(value), size, flags)));
}

/// Every file has one of the system's, too.
export fn darwin_flistxattr(fd: c_int, names: ?[*]u8, size: usize, options: c_int) isize {
    if (options != 0) base.misuse("xattr options that are not Darwin's");
    const own = "com.apple.provenance\x00";
    var path: [32]u8 = undefined;
    var list: [65536]u8 = undefined;
    const n = linux.syscall3(.listxattr, byPath(&path, fd), @intFromPtr(&list), list.len);
    if (base.errnoOf(n) != 0) return xattrResult(n);
    const out = names orelse return @intCast(n + own.len);
    if (size < n + own.len) return fail(c.ERANGE);
    @memcpy(out[0..own.len], own);
    @memcpy(out[own.len..][0..n], list[0..n]);
    return @intCast(n + own.len);
}

export fn darwin_fremovexattr(fd: c_int, name: Path, options: c_int) c_int {
    if (wrongName(name, 0, options, 0) != 0) return -1;
    var path: [32]u8 = undefined;
    return @intCast(xattrResult(linux.syscall2(.removexattr, byPath(&path, fd), @intFromPtr(name))));
}
