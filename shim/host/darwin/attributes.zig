//! Attributes of files of a Darwin host, in Linux's structs. Nothing here follows a symbolic link in the last name; an empty name
//! means the descriptor itself (which may stand for a file that was opened with O_PATH).

const std = @import("std");
const call = @import("call.zig");
const devices = @import("devices.zig");
const handles = @import("handles.zig");
const names = @import("names.zig");
const poller = @import("poller.zig");
const c = call.c;
const sys = call.sys;
const E = call.E;
const Path = call.Path;
const Target = handles.Target;

const no_follow = c.AT_SYMLINK_NOFOLLOW;

/// struct statx (include/uapi/linux/stat.h) as far as it is filled in.
const Statx = extern struct {
    mask: u32,
    blksize: u32,
    attributes: u64,
    nlink: u32,
    uid: u32,
    gid: u32,
    mode: u16,
    spare: u16 = 0,
    ino: u64,
    size: u64,
    blocks: u64,
    attributes_mask: u64,
    atime: Time,
    btime: Time,
    ctime: Time,
    mtime: Time,
    rdev: devices.Number,
    dev: devices.Number,

    const Time = extern struct { sec: i64, nsec: u32, pad: i32 = 0 };
};

const STATX_BASIC_STATS = 0x7ff;
const STATX_BTIME = 0x800;
const STATX_ATTR = struct {
    const COMPRESSED = 0x4;
    const IMMUTABLE = 0x10;
    const APPEND = 0x20;
    const NODUMP = 0x40;
};

pub fn stat(dirfd: i32, path: Path, out: *[256]u8) i32 {
    var st: c.struct_stat = undefined;
    const rc = look(dirfd, path, &st);
    if (rc < 0) return rc;
    out.* = @splat(0);
    out[0..@sizeOf(Statx)].* = @bitCast(statx(&st));
    return 0;
}

fn look(dirfd: i32, path: Path, st: *c.struct_stat) i32 {
    var at: Target = undefined;
    const gone = handles.target(dirfd, path, &at);
    if (gone < 0) return gone;
    if (at.name[0] == 0) {
        const fd_rc = call.result(sys("fstat")(at.fd, st));
        if (fd_rc == 0 and st.st_mode & c.S_IFMT == c.S_IFIFO and st.st_dev == 0 and poller.isQueue(at.fd)) st.st_mode &= 0o7777;
        return fd_rc;
    }
    const rc = call.missing(call.result(sys("fstatat")(at.fd, at.name, st, no_follow)));
    if (rc < 0) return rc;
    return if (names.exactOn(at.fd, at.name, st.st_dev)) 0 else -E.NOENT;
}

fn statx(st: *const c.struct_stat) Statx {
    const special = st.st_mode & c.S_IFMT;
    return .{
        .mask = STATX_BASIC_STATS | STATX_BTIME,
        .blksize = @intCast(st.st_blksize),
        .attributes = attributesOf(st.st_flags),
        .nlink = st.st_nlink,
        .uid = st.st_uid,
        .gid = st.st_gid,
        .mode = st.st_mode,
        .ino = st.st_ino,
        .size = @intCast(@max(st.st_size, 0)),
        .blocks = @intCast(@max(st.st_blocks, 0)),
        .attributes_mask = STATX_ATTR.COMPRESSED | STATX_ATTR.IMMUTABLE | STATX_ATTR.APPEND | STATX_ATTR.NODUMP,
        .atime = time(st.st_atimespec),
        .btime = time(st.st_birthtimespec),
        .ctime = time(st.st_ctimespec),
        .mtime = time(st.st_mtimespec),
        .rdev = switch (special) {
            c.S_IFCHR => devices.character(st.st_rdev),
            c.S_IFBLK => devices.split(st.st_rdev),
            else => .{ .major = 0, .minor = 0 },
        },
        .dev = devices.split(st.st_dev),
    };
}

fn time(spec: c.struct_timespec) Statx.Time {
    return .{ .sec = spec.tv_sec, .nsec = @intCast(spec.tv_nsec) };
}

fn attributesOf(flags: u32) u64 {
    var out: u64 = 0;
    if (flags & c.UF_COMPRESSED != 0) out |= STATX_ATTR.COMPRESSED;
    if (flags & (c.UF_IMMUTABLE | c.SF_IMMUTABLE) != 0) out |= STATX_ATTR.IMMUTABLE;
    if (flags & (c.UF_APPEND | c.SF_APPEND) != 0) out |= STATX_ATTR.APPEND;
    if (flags & c.UF_NODUMP != 0) out |= STATX_ATTR.NODUMP;
    return out;
}

/// faccessat2(2) with the effective ids: 0, -EACCES, -EROFS ... `mask` is R_OK | W_OK | X_OK.
pub fn access(dirfd: i32, path: Path, mask: u32) i32 {
    var at: Target = undefined;
    const gone = handles.target(dirfd, path, &at);
    if (gone < 0) return gone;
    if (at.name[0] != 0) return check(at.fd, at.name, mask);
    var st: c.struct_stat = undefined;
    if (sys("fstat")(at.fd, &st) != 0) return call.failure();
    if (st.st_mode & c.S_IFMT == c.S_IFDIR) return check(at.fd, ".", mask);
    var buffer: [c.PATH_MAX]u8 = undefined;
    if (handles.pathOf(at.fd, &buffer) == 0) return check(c.AT_FDCWD, @ptrCast(&buffer), mask);
    return checkMode(&st, mask);
}

fn check(dir: c_int, path: Path, mask: u32) i32 {
    const mode: c_int = @intCast(mask & 7);
    const rc = call.missing(call.result(sys("faccessat")(dir, path, mode, c.AT_EACCESS | no_follow)));
    if (rc != -E.INVAL) return rc;
    // An older system looks at what a link leads to; a link itself may be read by everybody.
    var st: c.struct_stat = undefined;
    if (sys("fstatat")(dir, path, &st, no_follow) != 0) return call.missing(call.failure());
    if (st.st_mode & c.S_IFMT == c.S_IFLNK) return 0;
    return call.missing(call.result(sys("faccessat")(dir, path, mode, c.AT_EACCESS)));
}

/// For a file without a name: by its permission bits alone.
fn checkMode(st: *const c.struct_stat, mask: u32) i32 {
    const uid = sys("geteuid")();
    const shift: u4 = if (uid == st.st_uid) 6 else if (sys("getegid")() == st.st_gid) 3 else 0;
    const granted: u32 = if (uid == 0) 7 else (st.st_mode >> shift) & 7;
    return if (mask & 7 & ~granted == 0) 0 else -E.ACCES;
}

/// chmod(2) that refuses symbolic links with -EOPNOTSUPP.
pub fn changeMode(dirfd: i32, path: Path, mode: u32) i32 {
    var st: c.struct_stat = undefined;
    const rc = look(dirfd, path, &st);
    if (rc < 0) return rc;
    if (st.st_mode & c.S_IFMT == c.S_IFLNK) return -E.OPNOTSUPP;
    var at: Target = undefined;
    const gone = handles.target(dirfd, path, &at);
    if (gone < 0) return gone;
    var bits: u16 = @intCast(mask12(mode));
    const first = setMode(at, bits);
    if (first >= 0) return 0;
    // Where Linux drops a bit that the user may not give, Darwin refuses all: sticky files (EFTYPE), foreign groups (EPERM).
    if (first == -E.INVAL and st.st_mode & c.S_IFMT != c.S_IFDIR) bits &= ~@as(u16, c.S_ISVTX) else if (first == -E.PERM) bits &= ~@as(u16, c.S_ISGID);
    return if (bits == mask12(mode)) first else setMode(at, bits);
}

fn mask12(mode: u32) u32 {
    return mode & 0o7777;
}

fn setMode(at: Target, bits: u16) i32 {
    return call.result(if (at.name[0] == 0) sys("fchmod")(at.fd, bits) else sys("fchmodat")(at.fd, at.name, bits, no_follow));
}

/// `uid` and `gid` of all ones stay as they are.
pub fn changeOwner(dirfd: i32, path: Path, uid: u32, gid: u32) i32 {
    var at: Target = undefined;
    const gone = handles.target(dirfd, path, &at);
    if (gone < 0) return gone;
    return call.result(if (at.name[0] == 0) sys("fchown")(at.fd, uid, gid) else sys("fchownat")(at.fd, at.name, uid, gid, no_follow));
}

/// utimensat(2); `times` is timespec[2] with UTIME_NOW and UTIME_OMIT as on Linux.
pub fn changeTimes(dirfd: i32, path: Path, times: *const [2]c.struct_timespec) i32 {
    var at: Target = undefined;
    const gone = handles.target(dirfd, path, &at);
    if (gone < 0) return gone;
    var darwin = times.*;
    for (&darwin) |*spec| {
        const NOW = (1 << 30) - 1;
        const OMIT = (1 << 30) - 2;
        if (spec.tv_nsec == NOW) spec.tv_nsec = c.UTIME_NOW else if (spec.tv_nsec == OMIT) spec.tv_nsec = c.UTIME_OMIT;
    }
    return call.result(if (at.name[0] == 0) sys("futimens")(at.fd, &darwin) else sys("utimensat")(at.fd, at.name, &darwin, no_follow));
}

/// struct statfs of arm64.
const StatFs = extern struct {
    type: u64,
    bsize: u64,
    blocks: u64,
    bfree: u64,
    bavail: u64,
    files: u64,
    ffree: u64,
    fsid: [2]i32,
    namelen: u64,
    frsize: u64,
    flags: u64,
    spare: [4]u64 = @splat(0),
};

/// Magic numbers of Linux (statfs(2)) for what Darwin calls by name; APFS has the one of its own super block.
const kinds = .{
    .{ "apfs", 0x4253584e },  .{ "hfs", 0x482b },       .{ "nfs", 0x6969 },    .{ "smbfs", 0xfe534d42 },
    .{ "msdos", 0x4d44 },     .{ "exfat", 0x2011bab0 }, .{ "cd9660", 0x9660 }, .{ "udf", 0x15013346 },
    .{ "tmpfs", 0x01021994 }, .{ "devfs", 0x01021994 }, .{ "autofs", 0x0187 },
};
const FUSE_SUPER_MAGIC = 0x65735546;

const mount_flags = .{
    .{ c.MNT_RDONLY, 0x1 }, .{ c.MNT_NOSUID, 0x2 },       .{ c.MNT_NODEV, 0x4 },
    .{ c.MNT_NOEXEC, 0x8 }, .{ c.MNT_SYNCHRONOUS, 0x10 }, .{ c.MNT_NOATIME, 0x400 },
};
const ST_VALID = 0x20;

pub fn statFs(fd: i32, out: *[120]u8) i32 {
    var fs: c.struct_statfs = undefined;
    if (sys("fstatfs")(fd, &fs) != 0) return call.failure();
    var magic: u64 = FUSE_SUPER_MAGIC;
    inline for (kinds) |kind| {
        if (std.mem.eql(u8, std.mem.sliceTo(&fs.f_fstypename, 0), kind[0])) magic = kind[1];
    }
    out.* = @bitCast(StatFs{
        .type = magic,
        .bsize = fs.f_bsize,
        .blocks = fs.f_blocks,
        .bfree = fs.f_bfree,
        .bavail = fs.f_bavail,
        .files = fs.f_files,
        .ffree = fs.f_ffree,
        .fsid = fs.f_fsid,
        .namelen = c.NAME_MAX,
        .frsize = fs.f_bsize,
        .flags = mountFlags(fs.f_flags),
    });
    return 0;
}

fn mountFlags(darwin: u32) u64 {
    var flags: u64 = ST_VALID;
    inline for (mount_flags) |pair| {
        if (darwin & pair[0] != 0) flags |= pair[1];
    }
    return flags;
}

test "flags of mounts" {
    // ST_RDONLY, ST_SYNCHRONOUS, ST_NOEXEC, ST_NOSUID, ST_NODEV and ST_NOATIME in the order of Darwin's bits.
    for ([_]u32{ 0x1, 0x2, 0x4, 0x8, 0x10, 0x10000000 }, [_]u64{ 0x1, 0x10, 0x8, 0x2, 0x4, 0x400 }) |darwin, linux| {
        try std.testing.expectEqual(ST_VALID | linux, mountFlags(darwin));
    }
    try std.testing.expectEqual(@as(u64, ST_VALID), mountFlags(0x4000));
}

test "flags of files" {
    // UF_COMPRESSED, UF_IMMUTABLE, SF_IMMUTABLE, UF_APPEND, SF_APPEND, UF_NODUMP; and UF_HIDDEN, which says nothing here.
    for ([_]u32{ 0x20, 0x2, 0x20000, 0x4, 0x40000, 0x1, 0x8000 }, [_]u64{ 0x4, 0x10, 0x10, 0x20, 0x20, 0x40, 0 }) |darwin, linux| {
        try std.testing.expectEqual(linux, attributesOf(darwin));
    }
}
