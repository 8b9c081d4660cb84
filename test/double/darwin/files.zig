//! openat(2) and its family.

const std = @import("std");
const base = @import("base.zig");
const kqueue = @import("kqueue.zig");
const sockets = @import("sockets.zig");
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

const OpenHow = extern struct { flags: u64, mode: u64, resolve: u64 };
const known_flags = c.O_ACCMODE | c.O_NONBLOCK | c.O_APPEND | c.O_SYNC | c.O_DSYNC | c.O_NOFOLLOW | c.O_CREAT | c.O_TRUNC | c.O_EXCL |
    c.O_NOCTTY | c.O_DIRECTORY | c.O_SYMLINK | c.O_CLOEXEC | c.O_NOFOLLOW_ANY | 0x40000000;

export fn darwin_openat(dirfd: c_int, path: Path, flags: c_int, mode: c_uint) c_int {
    if (flags & ~@as(c_int, known_flags) != 0) base.misuse("an open flag that is not Darwin's");
    if (flags & c.O_ACCMODE == c.O_ACCMODE) return fail(c.EINVAL);
    if (flags & c.O_NOFOLLOW_ANY != 0 and flags & (c.O_NOFOLLOW | c.O_SYMLINK) != 0) return fail(c.EINVAL);
    if (base.isInterrupted()) return -1;
    if (std.mem.endsWith(u8, std.mem.span(path), "Documents") and base.option(.guarded)) return fail(c.EPERM);
    var r: Resolved = .{};
    if (!r.init(dirfd, path)) return -1;
    var o: linux.O = .{
        .ACCMODE = @enumFromInt(flags & c.O_ACCMODE),
        .NONBLOCK = flags & c.O_NONBLOCK != 0,
        .APPEND = flags & c.O_APPEND != 0,
        .DSYNC = flags & (c.O_SYNC | c.O_DSYNC) != 0,
        .NOFOLLOW = flags & (c.O_NOFOLLOW | c.O_SYMLINK) != 0,
        .CREAT = flags & c.O_CREAT != 0,
        .TRUNC = flags & c.O_TRUNC != 0,
        .EXCL = flags & c.O_EXCL != 0,
        .NOCTTY = flags & c.O_NOCTTY != 0,
        .DIRECTORY = flags & c.O_DIRECTORY != 0,
        .CLOEXEC = flags & c.O_CLOEXEC != 0,
    };
    const is_link = flags & c.O_SYMLINK != 0 and kindOf(dirfd, r.path) == linux.S.IFLNK;
    if (is_link or flags & 0x40000000 != 0) o = .{ .PATH = true, .NOFOLLOW = o.NOFOLLOW, .DIRECTORY = o.DIRECTORY, .CLOEXEC = o.CLOEXEC };
    const RESOLVE_NO_SYMLINKS = 0x04;
    var how: OpenHow = .{
        .flags = @as(u32, @bitCast(o)),
        // The sticky bit is not for files.
        .mode = if (o.CREAT) mode & 0o6777 else 0,
        .resolve = if (flags & c.O_NOFOLLOW_ANY != 0) RESOLVE_NO_SYMLINKS else 0,
    };
    const fd = linux.syscall4(.openat2, dir(dirfd), @intFromPtr(r.path), @intFromPtr(&how), @sizeOf(OpenHow));
    const errno = base.errnoOf(fd);
    const ENXIO = 6;
    if (errno == ENXIO and kindOf(dirfd, r.path) == linux.S.IFSOCK) return fail(c.EOPNOTSUPP);
    // Darwin looks at the link before it looks for a directory.
    if (errno == c.ENOTDIR and o.DIRECTORY and o.NOFOLLOW and kindOf(dirfd, r.path) == linux.S.IFLNK) return fail(c.ELOOP);
    return result(fd);
}

fn kindOf(dirfd: c_int, path: Path) u32 {
    var st: linux.Statx = undefined;
    const rc = linux.syscall5(.statx, dir(dirfd), @intFromPtr(path), AT_SYMLINK_NOFOLLOW, 1, @intFromPtr(&st));
    return if (base.errnoOf(rc) == 0) st.mode & linux.S.IFMT else 0;
}

export fn darwin_close(fd: c_int) c_int {
    kqueue.forget(fd);
    sockets.forget(fd);
    return result(linux.close(fd));
}

export fn darwin_dup2(from: c_int, to: c_int) c_int {
    kqueue.forget(to);
    return result(linux.dup2(from, to));
}

export fn darwin_fcntl(fd: c_int, command: c_int, argument: usize) c_int {
    switch (command) {
        c.F_DUPFD_CLOEXEC => return result(linux.syscall3(.fcntl, arg(fd), 1030, @as(u32, @truncate(argument)))),
        c.F_SETFD => return result(linux.syscall3(.fcntl, arg(fd), 2, argument & 1)),
        c.F_GETFL => {
            const rc = linux.syscall3(.fcntl, arg(fd), 3, 0);
            if (base.errnoOf(rc) != 0) return result(rc);
            const o: linux.O = @bitCast(@as(u32, @truncate(rc)));
            var flags: c_int = @intFromEnum(o.ACCMODE);
            if (o.APPEND) flags |= c.O_APPEND;
            if (o.NONBLOCK) flags |= c.O_NONBLOCK;
            return flags;
        },
        c.F_SETFL => {
            const flags: c_int = @truncate(@as(isize, @bitCast(argument)));
            if (flags & ~@as(c_int, c.O_APPEND | c.O_NONBLOCK) != 0) base.misuse("F_SETFL with flags that are not Darwin's");
            const o: linux.O = .{ .APPEND = flags & c.O_APPEND != 0, .NONBLOCK = flags & c.O_NONBLOCK != 0 };
            return result(linux.syscall3(.fcntl, arg(fd), 4, @as(u32, @bitCast(o))));
        },
        c.F_GETPATH => return getPath(fd, @ptrFromInt(argument)),
        c.F_PREALLOCATE => return preallocate(fd, @ptrFromInt(argument)),
        c.F_PUNCHHOLE => return punchHole(fd, @ptrFromInt(argument)),
        else => base.misuse("an fcntl command that is not modelled"),
    }
}

fn getPath(fd: c_int, out: *[c.PATH_MAX]u8) c_int {
    var link: [32]u8 = undefined;
    const name = std.fmt.bufPrintSentinel(&link, "/proc/self/fd/{d}", .{fd}, 0) catch unreachable;
    const n = linux.readlink(name, out, out.len - 1);
    if (base.errnoOf(n) != 0) return result(n);
    const text = out[0..n];
    if (text[0] != '/') return fail(c.EBADF);
    // A name that is no more is told all the same, as long as the kernel remembers it.
    const deleted = " (deleted)";
    if (std.mem.endsWith(u8, text, deleted)) {
        out[n - deleted.len] = 0;
        return 0;
    }
    if (std.mem.startsWith(u8, text, "/dev/pts/")) {
        const number = std.fmt.parseInt(u32, text["/dev/pts/".len..], 10) catch return fail(c.ENOENT);
        _ = std.fmt.bufPrintSentinel(out, "/dev/ttys{d:0>3}", .{number}, 0) catch unreachable;
    } else out[n] = 0;
    return 0;
}

fn preallocate(fd: c_int, store: *c.fstore_t) c_int {
    if (store.fst_posmode != c.F_PEOFPOSMODE or store.fst_offset != 0 or store.fst_flags != c.F_ALLOCATEALL) base.misuse("F_PREALLOCATE other than behind the end");
    if (store.fst_length <= 0) return fail(c.EINVAL);
    var st: linux.Statx = undefined;
    if (statFd(fd, &st) != 0) return -1;
    const KEEP_SIZE = 1;
    const from = @max(st.size, st.blocks * 512);
    const rc = linux.syscall4(.fallocate, arg(fd), KEEP_SIZE, from, @intCast(store.fst_length));
    if (base.errnoOf(rc) == 0) store.fst_bytesalloc = store.fst_length;
    return result(rc);
}

fn statFd(fd: c_int, st: *linux.Statx) c_int {
    return result(linux.syscall5(.statx, arg(fd), @intFromPtr(""), AT_EMPTY_PATH, 0x7ff, @intFromPtr(st)));
}

fn punchHole(fd: c_int, hole: *const c.fpunchhole_t) c_int {
    if (hole.fp_flags != 0 or hole.reserved != 0) return fail(c.EINVAL);
    // APFS takes whole blocks alone.
    if (hole.fp_offset < 0 or hole.fp_length <= 0 or (hole.fp_offset | hole.fp_length) & 4095 != 0) return fail(c.EINVAL);
    const PUNCH_HOLE_KEEP_SIZE = 3;
    return result(linux.syscall4(.fallocate, arg(fd), PUNCH_HOLE_KEEP_SIZE, @intCast(hole.fp_offset), @intCast(hole.fp_length)));
}

export fn darwin_pipe(ends: *[2]c_int) c_int {
    return result(linux.syscall2(.pipe2, @intFromPtr(ends), 0));
}

export fn darwin_mkdirat(dirfd: c_int, path: Path, mode: u16) c_int {
    var r: Resolved = .{};
    if (!r.init(dirfd, path)) return -1;
    const rc = linux.syscall3(.mkdirat, dir(dirfd), @intFromPtr(r.path), mode & 0o777);
    // Nobody inherits a set-group-ID bit.
    if (base.errnoOf(rc) == 0) _ = linux.syscall3(.fchmodat, dir(dirfd), @intFromPtr(r.path), mode & 0o777);
    return result(rc);
}

export fn darwin_mkfifoat(dirfd: c_int, path: Path, mode: u16) c_int {
    var r: Resolved = .{};
    if (!r.init(dirfd, path)) return -1;
    if (mode & linux.S.IFMT != 0) return fail(c.EINVAL);
    return result(linux.syscall4(.mknodat, dir(dirfd), @intFromPtr(r.path), linux.S.IFIFO | @as(usize, mode), 0));
}

export fn darwin_mknodat(dirfd: c_int, path: Path, mode: u16, dev: i32) c_int {
    var r: Resolved = .{};
    if (!r.init(dirfd, path)) return -1;
    switch (mode & linux.S.IFMT) {
        linux.S.IFCHR, linux.S.IFBLK => {},
        else => return fail(c.EINVAL),
    }
    const bits: u32 = @bitCast(dev);
    const major = bits >> 24;
    const minor = bits & 0xff_ffff;
    const number = (minor & 0xff) | major << 8 | (minor & ~@as(u32, 0xff)) << 12;
    return result(linux.syscall4(.mknodat, dir(dirfd), @intFromPtr(r.path), mode, number));
}

export fn darwin_unlinkat(dirfd: c_int, path: Path, flags: c_int) c_int {
    if (flags & ~@as(c_int, c.AT_REMOVEDIR) != 0) base.misuse("unlinkat flags that are not Darwin's");
    var r: Resolved = .{};
    if (!r.init(dirfd, path)) return -1;
    const AT_REMOVEDIR = 0x200;
    const rc = linux.syscall3(.unlinkat, dir(dirfd), @intFromPtr(r.path), if (flags != 0) AT_REMOVEDIR else 0);
    return if (base.errnoOf(rc) == c.EISDIR) fail(c.EPERM) else result(rc);
}

export fn darwin_renameatx_np(from_dir: c_int, from: Path, to_dir: c_int, to: Path, flags: c_uint) c_int {
    const NOREPLACE = 1;
    const EXCHANGE = 2;
    const how: usize = switch (flags) {
        0 => 0,
        c.RENAME_EXCL => NOREPLACE,
        c.RENAME_SWAP => EXCHANGE,
        c.RENAME_EXCL | c.RENAME_SWAP => return fail(c.EINVAL),
        else => base.misuse("renameatx_np flags that are not Darwin's"),
    };
    var old: Resolved = .{};
    var new: Resolved = .{};
    if (!old.init(from_dir, from) or !new.init(to_dir, to)) return -1;
    if (flags != 0 and base.option(.no_clone)) return fail(c.ENOTSUP);
    const rc = linux.syscall5(.renameat2, dir(from_dir), @intFromPtr(old.path), dir(to_dir), @intFromPtr(new.path), how);
    if (base.errnoOf(rc) != 0 or new.path == to or flags != 0) return result(rc);
    // It replaced what it was taken for, and has its own spelling.
    return result(linux.syscall5(.renameat2, dir(to_dir), @intFromPtr(new.path), dir(to_dir), @intFromPtr(to), 0));
}

export fn darwin_linkat(from_dir: c_int, from: Path, to_dir: c_int, to: Path, flags: c_int) c_int {
    if (flags != 0) base.misuse("linkat with flags");
    var old: Resolved = .{};
    var new: Resolved = .{};
    if (!old.init(from_dir, from) or !new.init(to_dir, to)) return -1;
    return result(linux.syscall5(.linkat, dir(from_dir), @intFromPtr(old.path), dir(to_dir), @intFromPtr(new.path), 0));
}

export fn darwin_fclonefileat(from: c_int, to_dir: c_int, to: Path, flags: u32) c_int {
    if (flags != 0) base.misuse("fclonefileat with flags");
    if (base.option(.no_clone)) return fail(c.ENOTSUP);
    var st: linux.Statx = undefined;
    if (statFd(from, &st) != 0) return -1;
    const fd = darwin_openat(to_dir, to, c.O_WRONLY | c.O_CREAT | c.O_EXCL | c.O_CLOEXEC, st.mode & 0o7777);
    if (fd < 0) return -1;
    defer _ = linux.close(fd);
    var at: i64 = 0;
    while (true) {
        const n = linux.sendfile(fd, from, &at, 1 << 20);
        if (base.errnoOf(n) != 0) return result(n);
        if (n == 0) return 0;
    }
}

export fn darwin_symlinkat(target: Path, dirfd: c_int, path: Path) c_int {
    if (std.mem.len(target) >= c.PATH_MAX) return fail(c.ENAMETOOLONG);
    var r: Resolved = .{};
    if (!r.init(dirfd, path)) return -1;
    return result(linux.syscall3(.symlinkat, @intFromPtr(target), dir(dirfd), @intFromPtr(r.path)));
}

export fn darwin_readlinkat(dirfd: c_int, path: Path, buffer: [*]u8, size: usize) isize {
    if (path[0] == 0) return fail(c.ENOENT);
    var r: Resolved = .{};
    if (!r.init(dirfd, path)) return -1;
    return base.wide(linux.syscall4(.readlinkat, dir(dirfd), @intFromPtr(r.path), @intFromPtr(buffer), size));
}

export fn darwin_freadlink(fd: c_int, buffer: [*]u8, size: usize) isize {
    const rc = linux.syscall4(.readlinkat, arg(fd), @intFromPtr(""), @intFromPtr(buffer), size);
    return if (base.errnoOf(rc) == c.ENOENT) fail(c.EINVAL) else base.wide(rc);
}

export fn darwin_lseek(fd: c_int, offset: i64, whence: c_int) i64 {
    if (base.option(.no_clone) and (whence == c.SEEK_HOLE or whence == c.SEEK_DATA)) return fail(c.ENOTSUP);
    const how: usize = switch (whence) {
        0, 1, 2 => @intCast(whence),
        c.SEEK_HOLE => 4,
        c.SEEK_DATA => 3,
        else => return fail(c.EINVAL),
    };
    // Terminals have positions that nobody looks at.
    if (whence <= 2 and kqueue.isTerminal(fd)) return if (whence == 0) offset else 0;
    return base.wide(linux.syscall3(.lseek, arg(fd), @bitCast(offset), how));
}

export fn darwin_ftruncate(fd: c_int, size: i64) c_int {
    if (base.isInterrupted()) return -1;
    return result(linux.syscall2(.ftruncate, arg(fd), @bitCast(size)));
}

export fn darwin_fsync(fd: c_int) c_int {
    if (base.isInterrupted()) return -1;
    const rc = linux.fsync(fd);
    return if (base.errnoOf(rc) == c.EINVAL) fail(c.ENOTSUP) else result(rc);
}

export fn darwin_fsync_volume_np(fd: c_int, flags: c_int) c_int {
    if (flags != c.SYNC_VOLUME_WAIT) base.misuse("fsync_volume_np flags");
    return result(linux.syscall1(.syncfs, arg(fd)));
}

export fn darwin_flock(fd: c_int, operation: c_int) c_int {
    return result(linux.syscall2(.flock, arg(fd), arg(operation)));
}

/// Records of Darwin's: packed to 4 bytes, so that they have other lengths than Linux's.
export fn darwin___getdirentries64(fd: c_int, buffer: [*]u8, size: usize, position: *i64) isize {
    if (size < 1024) return fail(c.EINVAL);
    position.* = @bitCast(linux.syscall3(.lseek, arg(fd), 0, 1));
    var entries: [16384]u8 align(8) = undefined;
    const n = linux.syscall3(.getdents64, arg(fd), @intFromPtr(&entries), @min(entries.len, size / 2));
    if (base.errnoOf(n) != 0) return base.wide(n);
    var from: usize = 0;
    var to: usize = 0;
    if (n > 0 and position.* == 0) {
        // A name that was deleted, whose place nobody took yet.
        const ghost = buffer[0..32];
        @memset(ghost, 0);
        std.mem.writeInt(u16, ghost[16..18], ghost.len, .little);
        std.mem.writeInt(u16, ghost[18..20], 4, .little);
        @memcpy(ghost[21..25], "gone");
        to = ghost.len;
    }
    while (from < n) {
        const entry = entries[from..];
        const name = std.mem.sliceTo(entry[19..], 0);
        const length = std.mem.alignForward(usize, 21 + name.len + 1, 4);
        const record = buffer[to..][0..length];
        @memset(record, 0);
        @memcpy(record[0..8], entry[0..8]);
        @memcpy(record[8..16], entry[8..16]);
        std.mem.writeInt(u16, record[16..18], @intCast(length), .little);
        std.mem.writeInt(u16, record[18..20], @intCast(name.len), .little);
        record[20] = entry[18];
        @memcpy(record[21..][0..name.len], name);
        to += length;
        from += std.mem.readInt(u16, entry[16..18], .little);
    }
    // The kernel leaves flags at the end of the buffer.
    std.mem.writeInt(u32, buffer[size - 4 ..][0..4], if (n == 0) 1 else 0, .little);
    return @intCast(to);
}
