//! Names and open files of a Darwin host: openat(2) and its family, in Linux's terms. Every descriptor that leaves this file is
//! close-on-exec and, where the limit allows, at least `low_limit`, so that it can never be taken for a standard stream or
//! for a descriptor that carrick was given.

const std = @import("std");
const call = @import("call.zig");
const handles = @import("handles.zig");
const names = @import("names.zig");
const poller = @import("poller.zig");
const socket_node = @import("socket_node.zig");
const c = call.c;
const sys = call.sys;
const E = call.E;
const O = call.O;
const Path = call.Path;

const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const AT_REMOVEDIR = 0x200;

/// Lowest number of a descriptor that carrick keeps; lowered by `start` when the limit is small.
pub var low_limit: i32 = 64;

/// Occupies all numbers below `low_limit`, once: cheaper than to move every descriptor that is ever opened.
pub fn reserveLow() void {
    const nothing = openRaw(c.AT_FDCWD, "/dev/null", c.O_RDONLY | c.O_CLOEXEC, 0);
    if (nothing < 0) return;
    defer if (nothing >= low_limit) {
        _ = sys("close")(nothing);
    };
    while (nothing < low_limit) {
        const fd = sys("fcntl")(nothing, c.F_DUPFD_CLOEXEC, @as(c_int, 3));
        if (fd < low_limit) {
            if (fd < 0) return;
            continue;
        }
        _ = sys("close")(fd);
        return;
    }
}

/// Moves a fresh descriptor up when its number was free below `low_limit` after all. -errno passes through.
pub fn lift(fd: i32) i32 {
    if (fd < 0 or fd >= low_limit) return fd;
    const high = sys("fcntl")(fd, c.F_DUPFD_CLOEXEC, low_limit);
    if (high < 0) return fd;
    _ = sys("close")(fd);
    return high;
}

pub fn openRaw(dirfd: c_int, path: Path, flags: c_int, mode: u32) i32 {
    while (true) {
        const fd = sys("openat")(dirfd, path, flags, @as(c_uint, mode & 0o7777));
        if (!call.interrupted(fd)) return call.result(fd);
    }
}

/// openat(2) of one name or path. The caller adds O_NOFOLLOW where a link must not be followed.
pub fn open(dirfd: i32, path: Path, flags: u32, mode: u32) i32 {
    const dir = call.directory(dirfd);
    if (flags & O.PATH != 0) return openPlace(dir, path, flags);
    if (flags & O.TMPFILE_BIT != 0) return openNameless(dir, path, flags, mode);
    const fd = openRaw(dir, path, call.openFlags(flags), mode);
    if (fd < 0) return openError(fd, flags);
    // Darwin leaves the sticky bit out; for a file it is nothing but a bit.
    if (flags & O.CREAT != 0 and mode & c.S_ISVTX != 0) _ = sys("fchmod")(fd, @intCast(mode & 0o7777));
    if (flags & O.CREAT == 0 and !names.exact(dir, path)) {
        _ = sys("close")(fd);
        return -E.NOENT;
    }
    return lift(fd);
}

/// Where Darwin's errno for an open is not Linux's.
fn openError(rc: i32, flags: u32) i32 {
    const ENXIO = 6;
    // A socket cannot be opened.
    if (rc == -E.OPNOTSUPP) return -ENXIO;
    if (rc == -E.LOOP and flags & (O.DIRECTORY | O.NOFOLLOW) == O.DIRECTORY | O.NOFOLLOW) return -E.NOTDIR;
    return if (flags & O.CREAT == 0) call.missing(rc) else rc;
}

/// O_PATH: a descriptor that names a file and grants nothing.
fn openPlace(dir: c_int, path: Path, flags: u32) i32 {
    const fd = if (flags & O.DIRECTORY != 0) openDirectory(dir, path, flags) else openAny(dir, path, flags);
    if (fd < 0) return openError(fd, flags);
    if (names.exact(dir, path)) return lift(fd);
    _ = close(fd);
    return -E.NOENT;
}

fn openDirectory(dir: c_int, path: Path, flags: u32) i32 {
    const follow: c_int = if (flags & O.NOFOLLOW != 0) c.O_NOFOLLOW else 0;
    return searchable(dir, path, follow, true);
}

/// The user may not read a file, or macOS lets only chosen programs (Desktop, Documents, Downloads, other volumes): what the
/// one calls EACCES the other calls EPERM.
fn isDenied(rc: i32) bool {
    return rc == -E.ACCES or rc == -E.PERM;
}

/// Whoever may only search a directory may use it as a place, too.
fn searchable(dir: c_int, path: Path, follow: c_int, or_placeholder: bool) i32 {
    const fd = openRaw(dir, path, c.O_RDONLY | c.O_DIRECTORY | c.O_CLOEXEC | follow, 0);
    if (!isDenied(fd)) return fd;
    const search = openRaw(dir, path, c.O_SEARCH | c.O_CLOEXEC | follow, 0);
    if (!isDenied(search) or !or_placeholder) return search;
    var st: c.struct_stat = undefined;
    if (sys("fstatat")(dir, path, &st, if (follow != 0) c.AT_SYMLINK_NOFOLLOW else 0) != 0) return call.failure();
    return if (st.st_mode & c.S_IFMT == c.S_IFDIR) placeholder(dir, path, &st) else -E.NOTDIR;
}

fn openAny(dir: c_int, path: Path, flags: u32) i32 {
    const follow = flags & O.NOFOLLOW == 0;
    var st: c.struct_stat = undefined;
    if (sys("fstatat")(dir, path, &st, if (follow) 0 else c.AT_SYMLINK_NOFOLLOW) != 0) return call.failure();
    // Should another file take the place meanwhile, the open must not wait for anything.
    const how = c.O_RDONLY | c.O_NONBLOCK | c.O_CLOEXEC | c.O_NOCTTY;
    switch (st.st_mode & c.S_IFMT) {
        c.S_IFDIR => return openDirectory(dir, path, flags),
        c.S_IFLNK => return openRaw(dir, path, how | c.O_SYMLINK, 0),
        c.S_IFREG => {
            const last: c_int = if (follow) 0 else c.O_NOFOLLOW;
            const fd = openRaw(dir, path, how | last, 0);
            if (!isDenied(fd)) return fd;
        },
        else => {},
    }
    return placeholder(dir, path, &st);
}

fn placeholder(dir: c_int, path: Path, st: *const c.struct_stat) i32 {
    const fd = if (dir == c.AT_FDCWD)
        searchable(dir, ".", 0, false)
    else
        call.result(sys("fcntl")(dir, c.F_DUPFD_CLOEXEC, low_limit));
    if (fd < 0) return fd;
    const high = lift(fd);
    const rc = handles.add(high, std.mem.span(path), st);
    if (rc < 0) _ = sys("close")(high);
    return rc;
}

/// O_TMPFILE: a file that loses its name at once. `path` is the directory.
fn openNameless(dir: c_int, path: Path, flags: u32, mode: u32) i32 {
    if (flags & O.ACCMODE == 0) return -E.INVAL;
    const place = searchable(dir, path, 0, false);
    if (place < 0) return place;
    defer _ = sys("close")(place);
    const how = call.openFlags(flags & ~@as(u32, O.DIRECTORY | O.NOFOLLOW | O.TRUNC)) | c.O_CREAT | c.O_EXCL;
    for (0..16) |_| {
        var bits: u64 = undefined;
        sys("arc4random_buf")(@ptrCast(&bits), @sizeOf(u64));
        var buffer: [40]u8 = undefined;
        const name = std.fmt.bufPrintSentinel(&buffer, ".carrick-{x:0>16}", .{bits}, 0) catch unreachable;
        const fd = openRaw(place, name, how, mode);
        if (fd == -E.EXIST) continue;
        if (fd >= 0) _ = sys("unlinkat")(place, name, 0);
        return lift(fd);
    }
    return -E.EXIST;
}

/// Opens a relative path of several names beneath a directory without following a symbolic link and without leaving the
/// directory: -ELOOP when a link is met, -EXDEV when there is a "..".
pub fn walk(dirfd: i32, path: Path, flags: u32, mode: u32) i32 {
    const text = std.mem.span(path);
    if (text.len > 0 and text[0] == '/') return -E.XDEV;
    var parts = std.mem.tokenizeScalar(u8, text, '/');
    while (parts.next()) |name| {
        if (std.mem.eql(u8, name, "..")) return -E.XDEV;
    }
    const how = flags & ~@as(u32, O.NOFOLLOW);
    const dir = call.directory(dirfd);
    if (flags & O.PATH == 0) {
        const fd = openRaw(dir, path, call.openFlags(how) | c.O_NOFOLLOW_ANY, mode);
        return if (fd < 0) call.missing(fd) else lift(fd);
    }
    if (flags & O.DIRECTORY == 0) return walkByName(dir, text, flags);
    const fd = searchable(dir, path, c.O_NOFOLLOW_ANY, false);
    return if (fd < 0) call.missing(fd) else lift(fd);
}

/// All but the last name in one go, the last one as a place of any kind.
fn walkByName(dir: c_int, path: []const u8, flags: u32) i32 {
    const end = std.mem.findScalarLast(u8, path, '/') orelse return lookedUp(dir, path, flags);
    var buffer: [c.PATH_MAX]u8 = undefined;
    if (end >= buffer.len) return -E.NAMETOOLONG;
    @memcpy(buffer[0..end], path[0..end]);
    buffer[end] = 0;
    const parent = searchable(dir, buffer[0..end :0], c.O_NOFOLLOW_ANY, false);
    if (parent < 0) return call.missing(parent);
    defer _ = sys("close")(parent);
    return lookedUp(parent, path[end + 1 ..], flags);
}

fn lookedUp(dir: c_int, name: []const u8, flags: u32) i32 {
    var buffer: [c.NAME_MAX + 1]u8 = undefined;
    if (name.len >= buffer.len) return -E.NAMETOOLONG;
    if (name.len == 0) return openPlace(dir, ".", flags);
    @memcpy(buffer[0..name.len], name);
    buffer[name.len] = 0;
    const fd = openPlace(dir, buffer[0..name.len :0], flags | O.NOFOLLOW);
    if (fd < 0) return fd;
    var st: c.struct_stat = undefined;
    if (sys("fstat")(fd, &st) == 0 and st.st_mode & c.S_IFMT == c.S_IFLNK) {
        _ = close(fd);
        return -E.LOOP;
    }
    return fd;
}

pub fn close(fd: i32) i32 {
    handles.remove(fd);
    return call.result(sys("close")(fd));
}

pub fn duplicate(fd: i32) i32 {
    const copy = call.result(sys("fcntl")(fd, c.F_DUPFD_CLOEXEC, low_limit));
    return if (copy < 0) copy else handles.copied(fd, copy);
}

/// A new open file description for what `fd` refers to, with other flags (from O_PATH to readable, or with
/// O_NONBLOCK while the inherited description stays as it was).
pub fn reopen(fd: i32, flags: u32) i32 {
    const how = flags & ~@as(u32, O.NOFOLLOW | O.CREAT | O.EXCL);
    var target: handles.Target = undefined;
    const gone = handles.target(fd, "", &target);
    if (gone < 0) return gone;
    if (target.name[0] != 0) return open(target.fd, target.name, how | O.NOFOLLOW, 0);
    var st: c.struct_stat = undefined;
    if (sys("fstat")(fd, &st) != 0) return call.failure();
    if (st.st_mode & c.S_IFMT == c.S_IFDIR) return open(fd, ".", how, 0);
    if (st.st_mode & c.S_IFMT == c.S_IFLNK) return -E.LOOP;
    var path: [c.PATH_MAX]u8 = undefined;
    const place = handles.pathOf(fd, &path);
    const kind = st.st_mode & c.S_IFMT;
    if (place < 0) return if (kind == c.S_IFREG or kind == c.S_IFIFO) shareDescription(fd, how) else place;
    const again = open(AT_FDCWD, @ptrCast(&path), how | O.NOFOLLOW, 0);
    if (again < 0) return again;
    var now: c.struct_stat = undefined;
    if (sys("fstat")(again, &now) == 0 and now.st_dev == st.st_dev and now.st_ino == st.st_ino) return again;
    _ = close(again);
    return -E.NOENT;
}

/// DIFFERS: a file or pipe without a name cannot be opened anew; its description serves where it allows what is asked for, with
/// the flags that it has.
fn shareDescription(fd: i32, flags: u32) i32 {
    const now = sys("fcntl")(fd, c.F_GETFL);
    if (now < 0) return call.failure();
    if (now & c.O_ACCMODE != c.O_RDWR and now & c.O_ACCMODE != flags & O.ACCMODE) return -E.NOENT;
    if (flags & O.TRUNC != 0 and sys("ftruncate")(fd, 0) != 0) return call.failure();
    return duplicate(fd);
}

/// The host's name of an open file: its length, not terminated, or -errno. Pseudo-terminals have Linux's names.
pub fn describe(fd: i32, buffer: [*]u8, size: u32) i32 {
    var path: [c.PATH_MAX]u8 = undefined;
    const rc = handles.pathOf(fd, &path);
    if (rc < 0) return rc;
    var text: []const u8 = std.mem.sliceTo(&path, 0);
    var pts: [32]u8 = undefined;
    const terminals = "/dev/ttys";
    if (std.mem.startsWith(u8, text, terminals)) {
        if (std.fmt.parseInt(u32, text[terminals.len..], 10)) |number| {
            text = std.fmt.bufPrint(&pts, "/dev/pts/{d}", .{number}) catch unreachable;
        } else |_| {}
    }
    const n = @min(text.len, size);
    @memcpy(buffer[0..n], text[0..n]);
    return @intCast(n);
}

/// Darwin ignores the set-id and sticky bits here, and a directory does not hand its set-group-ID bit down.
pub fn makeDirectory(dirfd: i32, path: Path, mode: u32) i32 {
    const dir = call.directory(dirfd);
    const rc = call.result(sys("mkdirat")(dir, path, @intCast(mode & 0o777)));
    if (rc < 0) return rc;
    var bits = mode & 0o1777;
    var parent: c.struct_stat = undefined;
    if (dirfd != AT_FDCWD and sys("fstat")(dir, &parent) == 0) bits |= parent.st_mode & c.S_ISGID;
    if (bits & 0o7000 != 0) _ = sys("fchmodat")(dir, path, @intCast(bits), c.AT_SYMLINK_NOFOLLOW);
    return 0;
}

pub fn unlink(dirfd: i32, path: Path, flags: u32) i32 {
    const dir = call.directory(dirfd);
    const rc = call.missing(call.result(sys("unlinkat")(dir, path, if (flags & AT_REMOVEDIR != 0) c.AT_REMOVEDIR else 0)));
    if (rc != -E.PERM or flags & AT_REMOVEDIR != 0) return rc;
    var st: c.struct_stat = undefined;
    const found = sys("fstatat")(dir, path, &st, c.AT_SYMLINK_NOFOLLOW) == 0;
    return if (found and st.st_mode & c.S_IFMT == c.S_IFDIR) -E.ISDIR else rc;
}

/// renameat2(2). DIFFERS: a new name that the file system takes for another file's is refused with EEXIST; that file would be lost.
pub fn rename(old_dir: i32, old: Path, new_dir: i32, new: Path, flags: u32) i32 {
    const NOREPLACE = 1;
    const EXCHANGE = 2;
    const how: c_uint = switch (flags) {
        0 => 0,
        NOREPLACE => c.RENAME_EXCL,
        EXCHANGE => c.RENAME_SWAP,
        else => return -E.INVAL,
    };
    const from = call.directory(old_dir);
    const to = call.directory(new_dir);
    var source: c.struct_stat = undefined;
    var target: c.struct_stat = undefined;
    if (!names.exact(to, new) and
        sys("fstatat")(from, old, &source, c.AT_SYMLINK_NOFOLLOW) == 0 and
        sys("fstatat")(to, new, &target, c.AT_SYMLINK_NOFOLLOW) == 0 and
        (source.st_dev != target.st_dev or source.st_ino != target.st_ino)) return if (flags == EXCHANGE) -E.NOENT else -E.EXIST;
    const rc = call.result(sys("renameatx_np")(from, old, to, new, how));
    // A file system that knows no such renames.
    return if (rc == -E.OPNOTSUPP and how != 0) -E.INVAL else rc;
}

/// linkat(2). With AT_EMPTY_PATH and an empty old name, `old_dir` is the file.
pub fn link(old_dir: i32, old: Path, new_dir: i32, new: Path, flags: u32) i32 {
    const to = call.directory(new_dir);
    if (old[0] != 0) return call.result(sys("linkat")(call.directory(old_dir), old, to, new, 0));
    if (flags & AT_EMPTY_PATH == 0) return -E.NOENT;
    var target: handles.Target = undefined;
    const gone = handles.target(old_dir, "", &target);
    if (gone < 0) return gone;
    if (target.name[0] != 0) return call.result(sys("linkat")(target.fd, target.name, to, new, 0));
    var path: [c.PATH_MAX]u8 = undefined;
    if (handles.pathOf(old_dir, &path) == 0) return call.result(sys("linkat")(c.AT_FDCWD, @ptrCast(&path), to, new, 0));
    return linkNameless(old_dir, to, new);
}

/// DIFFERS: a file that has no name any more gets one only as a copy.
fn linkNameless(fd: i32, to: c_int, new: Path) i32 {
    var st: c.struct_stat = undefined;
    if (sys("fstat")(fd, &st) != 0) return call.failure();
    if (st.st_mode & c.S_IFMT != c.S_IFREG) return -E.NOENT;
    const rc = call.result(sys("fclonefileat")(fd, to, new, 0));
    if (rc != -E.OPNOTSUPP and rc != -E.XDEV and rc != -E.NOENT) return rc;
    const copy = openRaw(to, new, c.O_WRONLY | c.O_CREAT | c.O_EXCL | c.O_CLOEXEC, st.st_mode & 0o7777);
    if (copy < 0) return copy;
    defer _ = sys("close")(copy);
    const size: f64 = @floatFromInt(st.st_size);
    var done: f64 = 0;
    while (done < size) {
        const n = copyRange(fd, done, copy, done, size - done);
        if (n < 0) {
            _ = sys("unlinkat")(to, new, 0);
            return @intFromFloat(n);
        }
        if (n == 0) break;
        done += n;
    }
    return 0;
}

pub fn symlink(target: Path, dirfd: i32, path: Path) i32 {
    if (target[0] == 0) return -E.NOENT;
    return call.result(sys("symlinkat")(target, call.directory(dirfd), path));
}

/// readlinkat(2): bytes written, not terminated. An empty path names the descriptor itself.
pub fn readLink(dirfd: i32, path: Path, buffer: [*]u8, size: u32) i32 {
    if (path[0] == 0) return call.result(sys("freadlink")(dirfd, buffer, size));
    return call.missing(call.result(sys("readlinkat")(call.directory(dirfd), path, buffer, size)));
}

pub fn makeNode(dirfd: i32, path: Path, mode: u32, dev: u32) i32 {
    const dir = call.directory(dirfd);
    const permissions: u16 = @intCast(mode & 0o7777);
    switch (mode & c.S_IFMT) {
        0, c.S_IFREG => {
            const fd = openRaw(dir, path, c.O_WRONLY | c.O_CREAT | c.O_EXCL | c.O_CLOEXEC, mode & 0o7777);
            if (fd >= 0) _ = sys("close")(fd);
            return @min(fd, 0);
        },
        c.S_IFIFO => return call.result(sys("mkfifoat")(dir, path, permissions)),
        c.S_IFCHR, c.S_IFBLK => {
            const major = (dev >> 8) & 0xfff;
            const minor = (dev & 0xff) | ((dev >> 12) & 0xfff00);
            // There is no room for more.
            if (major > 0xff) return -E.INVAL;
            const number: i32 = @bitCast(major << 24 | minor);
            return call.result(sys("mknodat")(dir, path, @intCast(mode & 0xffff), number));
        },
        c.S_IFSOCK => return socket_node.make(dir, path, permissions),
        else => return -E.INVAL,
    }
}

/// lseek(2) with Linux's SEEK_* including SEEK_DATA (3) and SEEK_HOLE (4), which Darwin has the other way round.
pub fn seek(fd: i32, position: f64, whence: u32) f64 {
    const at = call.offset(position) orelse return -E.INVAL;
    const how: c_int = switch (whence) {
        0 => c.SEEK_SET,
        1 => c.SEEK_CUR,
        2 => c.SEEK_END,
        3 => c.SEEK_DATA,
        4 => c.SEEK_HOLE,
        else => return -E.INVAL,
    };
    const rc = sys("lseek")(fd, at, how);
    // A terminal takes any position here.
    const ESPIPE = 29;
    if (rc >= 0) return if (poller.isTerminal(fd)) -ESPIPE else @floatFromInt(rc);
    const failure = call.failure();
    const unknown = failure == -E.NOTTY or failure == -E.OPNOTSUPP or (failure == -E.INVAL and at >= 0);
    return if (whence >= 3 and unknown) seekWithoutHoles(fd, at, how) else @floatFromInt(failure);
}

/// To a file system that does not tell, everything up to the end is data.
fn seekWithoutHoles(fd: i32, at: i64, how: c_int) f64 {
    const ENXIO = 6;
    var st: c.struct_stat = undefined;
    if (sys("fstat")(fd, &st) != 0) return @floatFromInt(call.failure());
    if (at < 0 or at >= st.st_size) return -ENXIO;
    const rc = sys("lseek")(fd, if (how == c.SEEK_DATA) at else st.st_size, c.SEEK_SET);
    return if (rc < 0) @floatFromInt(call.failure()) else @floatFromInt(rc);
}

pub fn truncate(fd: i32, size: f64) i32 {
    const at = call.offset(size) orelse return -E.INVAL;
    while (true) {
        const rc = sys("ftruncate")(fd, at);
        if (!call.interrupted(rc)) return call.result(rc);
    }
}

/// Sets the status flags of an open description (F_SETFL): O_APPEND, O_NONBLOCK.
pub fn setFlags(fd: i32, flags: u32) i32 {
    const append: c_int = if (flags & O.APPEND != 0) c.O_APPEND else 0;
    const wait_not: c_int = if (flags & O.NONBLOCK != 0) c.O_NONBLOCK else 0;
    return call.result(sys("fcntl")(fd, c.F_SETFL, append | wait_not));
}

/// Access mode, O_APPEND and O_NONBLOCK of an open description (F_GETFL), or -errno.
pub fn getFlags(fd: i32) i32 {
    const now = call.result(sys("fcntl")(fd, c.F_GETFL));
    if (now < 0) return now;
    var flags = now & O.ACCMODE;
    if (now & c.O_APPEND != 0) flags |= O.APPEND;
    if (now & c.O_NONBLOCK != 0) flags |= O.NONBLOCK;
    return flags;
}

/// Closes a standard stream for good: its number then leads to /dev/null, never to another file.
pub fn abandon(fd: i32) i32 {
    const nothing = open(AT_FDCWD, "/dev/null", O.RDWR, 0);
    if (nothing < 0) return nothing;
    defer _ = sys("close")(nothing);
    const rc = call.result(sys("dup2")(nothing, fd));
    if (rc >= 0) _ = sys("fcntl")(fd, c.F_SETFD, @as(c_int, c.FD_CLOEXEC));
    return rc;
}

/// syncfs(2).
pub fn syncFileSystem(fd: i32) i32 {
    return call.result(sys("fsync_volume_np")(fd, c.SYNC_VOLUME_WAIT));
}

/// DIFFERS: as for every program of the host, what is synced may still be in the drive's own cache (F_FULLFSYNC takes
/// milliseconds for each file).
pub fn sync(fd: i32, data_only: bool) i32 {
    _ = data_only;
    while (true) {
        const rc = sys("fsync")(fd);
        if (call.interrupted(rc)) continue;
        const out = call.result(rc);
        return if (out == -E.OPNOTSUPP) -E.INVAL else out;
    }
}

/// pread(2), or read(2) when `position` is -1. Not repeated on EINTR: nothing that blocks is read this way.
pub fn read(fd: i32, buffer: [*]u8, size: u32, position: f64) i32 {
    const at = call.offset(position) orelse return -E.INVAL;
    const len = @min(size, 0x7ffff000);
    return call.result(if (at == -1) sys("read")(fd, buffer, len) else sys("pread")(fd, buffer, len, at));
}

/// pwrite(2), or write(2) when `position` is -1.
pub fn write(fd: i32, buffer: [*]const u8, size: u32, position: f64) i32 {
    const at = call.offset(position) orelse return -E.INVAL;
    const len = @min(size, 0x7ffff000);
    return call.result(if (at == -1) sys("write")(fd, buffer, len) else sys("pwrite")(fd, buffer, len, at));
}

/// copy_file_range(2) between explicit positions: bytes copied or -errno.
pub fn copyRange(in: i32, in_position: f64, out: i32, out_position: f64, length: f64) f64 {
    const from = call.offset(in_position) orelse return -E.INVAL;
    const to = call.offset(out_position) orelse return -E.INVAL;
    const len = call.offset(length) orelse return -E.INVAL;
    if (from < 0 or to < 0 or len < 0) return -E.INVAL;
    var buffer: [64 * 1024]u8 = undefined;
    const most: i64 = 4 << 20;
    var done: i64 = 0;
    while (done < @min(len, most)) {
        const piece: usize = @intCast(@min(@min(len, most) - done, buffer.len));
        const got = sys("pread")(in, &buffer, piece, from + done);
        if (got < 0) return if (done > 0) @floatFromInt(done) else @floatFromInt(call.failure());
        if (got == 0) break;
        var put: isize = 0;
        while (put < got) {
            const n = sys("pwrite")(out, buffer[@intCast(put)..].ptr, @intCast(got - put), to + done + put);
            if (n < 0) return if (done + put > 0) @floatFromInt(done + put) else @floatFromInt(call.failure());
            put += n;
        }
        done += got;
    }
    return @floatFromInt(done);
}

/// flock(2), never waiting. LOCK_SH 1, LOCK_EX 2 and LOCK_UN 8 on both.
pub fn lockFile(fd: i32, operation: u32) i32 {
    return call.result(sys("flock")(fd, @intCast(operation & (c.LOCK_SH | c.LOCK_EX | c.LOCK_UN) | c.LOCK_NB)));
}

/// pipe2(2): read end and write end. O_CLOEXEC is always set.
pub fn pipe(ends: *[2]i32, flags: u32) i32 {
    var made: [2]c_int = undefined;
    if (sys("pipe")(&made) != 0) return call.failure();
    for (&made, ends) |fd, *end| {
        _ = sys("fcntl")(fd, c.F_SETFD, @as(c_int, c.FD_CLOEXEC));
        if (flags & O.NONBLOCK != 0) _ = sys("fcntl")(fd, c.F_SETFL, @as(c_int, c.O_NONBLOCK));
        end.* = lift(fd);
    }
    return 0;
}
