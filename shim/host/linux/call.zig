//! How the files of this folder make a system call of a Linux host, and what differs between the numbers of
//! Linux/arm64, which the callers speak, and those of the host's architecture. Only open(2) flags differ on
//! x86-64 (arch/arm64/include/uapi/asm/fcntl.h against asm-generic/fcntl.h); structs that cross are those that are
//! equal on both: statx, linux_dirent64, statfs, timespec, termios, winsize.

const std = @import("std");
const builtin = @import("builtin");
pub const linux = std.os.linux;

pub const Path = [*:0]const u8;

pub const EBADF = 9;
pub const EINTR = 4;
pub const EAGAIN = 11;
pub const ENOMEM = 12;
pub const EACCES = 13;
pub const EXDEV = 18;
pub const ENOTDIR = 20;
pub const EINVAL = 22;
pub const ENOENT = 2;
pub const EPERM = 1;
pub const ENAMETOOLONG = 36;
pub const ENOSYS = 38;
pub const ELOOP = 40;
pub const ENOTTY = 25;
pub const EOPNOTSUPP = 95;

/// A raw result as i32: the value, or -errno. Results that need more bits use `wide`.
pub fn narrow(rc: usize) i32 {
    return @intCast(@as(isize, @bitCast(rc)));
}

pub fn wide(rc: usize) f64 {
    return @floatFromInt(@as(isize, @bitCast(rc)));
}

/// The file offset that a Number stands for; null when no off_t can hold it.
pub fn offset(value: f64) ?i64 {
    if (!(value >= -9007199254740992.0 and value <= 9007199254740992.0)) return null;
    return @intFromFloat(value);
}

pub fn fdArg(fd: i32) usize {
    return @bitCast(@as(isize, fd));
}

pub fn offsetArg(value: i64) usize {
    return @bitCast(value);
}

/// Repeats a call that a signal of ours interrupted.
pub fn again(comptime nr: linux.SYS, args: anytype) usize {
    while (true) {
        const rc = plain(nr, args);
        if (@as(isize, @bitCast(rc)) != -EINTR) return rc;
    }
}

pub fn plain(comptime nr: linux.SYS, args: anytype) usize {
    return switch (args.len) {
        1 => linux.syscall1(nr, args[0]),
        2 => linux.syscall2(nr, args[0], args[1]),
        3 => linux.syscall3(nr, args[0], args[1], args[2]),
        4 => linux.syscall4(nr, args[0], args[1], args[2], args[3]),
        5 => linux.syscall5(nr, args[0], args[1], args[2], args[3], args[4]),
        6 => linux.syscall6(nr, args[0], args[1], args[2], args[3], args[4], args[5]),
        else => @compileError("too many arguments"),
    };
}

/// open(2) flags of Linux/arm64 (octal as in the uapi headers).
pub const O = struct {
    pub const ACCMODE = 0o3;
    pub const WRONLY = 0o1;
    pub const CREAT = 0o100;
    pub const EXCL = 0o200;
    pub const NOCTTY = 0o400;
    pub const TRUNC = 0o1000;
    pub const APPEND = 0o2000;
    pub const NONBLOCK = 0o4000;
    pub const DSYNC = 0o10000;
    pub const DIRECTORY = 0o40000;
    pub const NOFOLLOW = 0o100000;
    pub const DIRECT = 0o200000;
    pub const LARGEFILE = 0o400000;
    pub const NOATIME = 0o1000000;
    pub const CLOEXEC = 0o2000000;
    pub const SYNC_BIT = 0o4000000;
    pub const PATH = 0o10000000;
    pub const TMPFILE_BIT = 0o20000000;
    /// Equal on every architecture that uses asm-generic/fcntl.h.
    pub const common = ACCMODE | CREAT | EXCL | TRUNC | APPEND | NONBLOCK | DSYNC | NOATIME | SYNC_BIT | PATH | TMPFILE_BIT;
};

/// The host's bits for the flags that have other values there.
const native = struct {
    const DIRECTORY: u32 = bit(.{ .DIRECTORY = true });
    const NOFOLLOW: u32 = bit(.{ .NOFOLLOW = true });
    const DIRECT: u32 = bit(.{ .DIRECT = true });
    const CLOEXEC: u32 = bit(.{ .CLOEXEC = true });
    const NOCTTY: u32 = bit(.{ .NOCTTY = true });

    fn bit(o: linux.O) u32 {
        return @bitCast(o);
    }
};

/// Host flags for guest flags. Descriptors are never inherited and no open gives carrick a controlling terminal.
pub fn openFlags(flags: u32) u32 {
    var out = (flags & O.common) | native.CLOEXEC;
    // openat2(2) refuses what O_PATH would ignore.
    if (flags & O.PATH == 0) out |= native.NOCTTY;
    if (flags & O.DIRECTORY != 0) out |= native.DIRECTORY;
    if (flags & O.NOFOLLOW != 0) out |= native.NOFOLLOW;
    if (flags & O.DIRECT != 0) out |= native.DIRECT;
    return out;
}

comptime {
    // The flags in `common` must be those of the host's own headers.
    std.debug.assert(native.bit(.{ .CREAT = true }) == O.CREAT);
    std.debug.assert(native.bit(.{ .EXCL = true }) == O.EXCL);
    std.debug.assert(native.bit(.{ .TRUNC = true }) == O.TRUNC);
    std.debug.assert(native.bit(.{ .APPEND = true }) == O.APPEND);
    std.debug.assert(native.bit(.{ .NONBLOCK = true }) == O.NONBLOCK);
    std.debug.assert(native.bit(.{ .DSYNC = true }) == O.DSYNC);
    std.debug.assert(native.bit(.{ .NOATIME = true }) == O.NOATIME);
    std.debug.assert(native.bit(.{ .PATH = true }) == O.PATH);
    std.debug.assert(native.bit(.{ .NOCTTY = true }) == O.NOCTTY);
    std.debug.assert(native.bit(.{ .CLOEXEC = true }) == O.CLOEXEC);
    if (builtin.cpu.arch == .aarch64) {
        std.debug.assert(native.DIRECTORY == O.DIRECTORY and native.NOFOLLOW == O.NOFOLLOW and native.DIRECT == O.DIRECT);
    }
    std.debug.assert(@sizeOf(linux.Statx) == 256 and @offsetOf(linux.Statx, "ino") == 32 and @offsetOf(linux.Statx, "mtime") == 112);
}
