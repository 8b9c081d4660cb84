//! How the files of this folder call Darwin, and the numbers of Linux/arm64 that the callers speak: errnos, open(2) flags.

pub const c = @import("c.zig");
const calls = @import("calls.zig");
pub const sys = calls.sys;

pub const Path = [*:0]const u8;

/// Errnos of Linux (include/uapi/asm-generic/errno*.h).
pub const E = struct {
    pub const PERM = 1;
    pub const NOENT = 2;
    pub const INTR = 4;
    pub const IO = 5;
    pub const BADF = 9;
    pub const AGAIN = 11;
    pub const NOMEM = 12;
    pub const ACCES = 13;
    pub const EXIST = 17;
    pub const XDEV = 18;
    pub const NOTDIR = 20;
    pub const ISDIR = 21;
    pub const INVAL = 22;
    pub const NOTTY = 25;
    pub const NOSPC = 28;
    pub const ROFS = 30;
    pub const PIPE = 32;
    pub const RANGE = 34;
    pub const NAMETOOLONG = 36;
    pub const NOSYS = 38;
    pub const LOOP = 40;
    pub const NODATA = 61;
    pub const ILSEQ = 84;
    pub const OPNOTSUPP = 95;
};

/// Linux's errno for each of Darwin's; those below 35 that are not here are equal on both.
const differing = .{
    .{ c.EDEADLK, 35 },          .{ c.EAGAIN, 11 },          .{ c.EINPROGRESS, 115 },    .{ c.EALREADY, 114 },
    .{ c.ENOTSOCK, 88 },         .{ c.EDESTADDRREQ, 89 },    .{ c.EMSGSIZE, 90 },        .{ c.EPROTOTYPE, 91 },
    .{ c.ENOPROTOOPT, 92 },      .{ c.EPROTONOSUPPORT, 93 }, .{ c.ESOCKTNOSUPPORT, 94 }, .{ c.ENOTSUP, 95 },
    .{ c.EPFNOSUPPORT, 96 },     .{ c.EAFNOSUPPORT, 97 },    .{ c.EADDRINUSE, 98 },      .{ c.EADDRNOTAVAIL, 99 },
    .{ c.ENETDOWN, 100 },        .{ c.ENETUNREACH, 101 },    .{ c.ENETRESET, 102 },      .{ c.ECONNABORTED, 103 },
    .{ c.ECONNRESET, 104 },      .{ c.ENOBUFS, 105 },        .{ c.EISCONN, 106 },        .{ c.ENOTCONN, 107 },
    .{ c.ESHUTDOWN, 108 },       .{ c.ETOOMANYREFS, 109 },   .{ c.ETIMEDOUT, 110 },      .{ c.ECONNREFUSED, 111 },
    .{ c.ELOOP, 40 },            .{ c.ENAMETOOLONG, 36 },    .{ c.EHOSTDOWN, 112 },      .{ c.EHOSTUNREACH, 113 },
    .{ c.ENOTEMPTY, 39 },        .{ c.EPROCLIM, 11 },        .{ c.EUSERS, 87 },          .{ c.EDQUOT, 122 },
    .{ c.ESTALE, 116 },          .{ c.EREMOTE, 66 },         .{ c.ENOLCK, 37 },          .{ c.ENOSYS, 38 },
    .{ c.EFTYPE, 22 },           .{ c.EAUTH, 13 },           .{ c.ENEEDAUTH, 13 },       .{ c.EPWROFF, 5 },
    .{ c.EDEVERR, 5 },           .{ c.EOVERFLOW, 75 },       .{ c.ECANCELED, 125 },      .{ c.EIDRM, 43 },
    .{ c.ENOMSG, 42 },           .{ c.EILSEQ, 84 },          .{ c.ENOATTR, 61 },         .{ c.EBADMSG, 74 },
    .{ c.EMULTIHOP, 72 },        .{ c.ENODATA, 61 },         .{ c.ENOLINK, 67 },         .{ c.ENOSR, 63 },
    .{ c.ENOSTR, 60 },           .{ c.EPROTO, 71 },          .{ c.ETIME, 62 },           .{ c.EOPNOTSUPP, 95 },
    .{ c.ENOTRECOVERABLE, 131 }, .{ c.EOWNERDEAD, 130 },
};

const errnos: [128]u8 = table: {
    // What Linux has no name for is an I/O error; nothing of Darwin's leaks.
    var all: [128]u8 = @splat(E.IO);
    for (1..35) |number| all[number] = number;
    for (differing) |pair| all[pair[0]] = pair[1];
    break :table all;
};

/// -errno in Linux's numbers for one of Darwin's.
pub fn errorOf(number: c_int) i32 {
    return -@as(i32, if (number > 0 and number < errnos.len) errnos[@intCast(number)] else E.IO);
}

/// -errno of the call that has just failed.
pub fn failure() i32 {
    return errorOf(sys("__error")().*);
}

/// A result of Darwin's, or -errno.
pub fn result(value: anytype) i32 {
    return if (value < 0) failure() else @intCast(value);
}

/// Whether a call failed because a signal of ours interrupted it.
pub fn interrupted(value: anytype) bool {
    return value < 0 and sys("__error")().* == c.EINTR;
}

/// The file offset that a Number stands for; null when no off_t can hold it.
pub fn offset(value: f64) ?i64 {
    if (!(value >= -9007199254740992.0 and value <= 9007199254740992.0)) return null;
    return @intFromFloat(value);
}

/// open(2) flags of Linux/arm64 (octal as in the uapi headers).
pub const O = struct {
    pub const ACCMODE = 0o3;
    pub const WRONLY = 0o1;
    pub const RDWR = 0o2;
    pub const CREAT = 0o100;
    pub const EXCL = 0o200;
    pub const NOCTTY = 0o400;
    pub const TRUNC = 0o1000;
    pub const APPEND = 0o2000;
    pub const NONBLOCK = 0o4000;
    pub const DSYNC = 0o10000;
    pub const DIRECTORY = 0o40000;
    pub const NOFOLLOW = 0o100000;
    pub const CLOEXEC = 0o2000000;
    pub const SYNC_BIT = 0o4000000;
    pub const PATH = 0o10000000;
    pub const TMPFILE_BIT = 0o20000000;
};

const flag_pairs = .{
    .{ O.CREAT, c.O_CREAT },         .{ O.EXCL, c.O_EXCL },         .{ O.TRUNC, c.O_TRUNC },
    .{ O.APPEND, c.O_APPEND },       .{ O.NONBLOCK, c.O_NONBLOCK }, .{ O.DSYNC, c.O_DSYNC },
    .{ O.DIRECTORY, c.O_DIRECTORY }, .{ O.NOFOLLOW, c.O_NOFOLLOW }, .{ O.SYNC_BIT, c.O_SYNC },
};

/// Darwin's flags for Linux's, without O_PATH and O_TMPFILE, which it has not. Descriptors are never inherited and no open
/// gives carrick a controlling terminal. O_DIRECT and O_NOATIME are hints here and dropped.
pub fn openFlags(flags: u32) c_int {
    // Mode 3 asks for both rights and grants none, which the kernel above sees to; here it is no mode.
    const access: c_int = if (flags & O.ACCMODE == 3) c.O_RDWR else @intCast(flags & O.ACCMODE);
    var out = access | c.O_CLOEXEC | c.O_NOCTTY;
    inline for (flag_pairs) |pair| {
        if (flags & pair[0] != 0) out |= pair[1];
    }
    return out;
}

/// The directory descriptor as Darwin spells it.
pub fn directory(dirfd: i32) c_int {
    const AT_FDCWD = -100;
    return if (dirfd == AT_FDCWD) c.AT_FDCWD else dirfd;
}

/// A host name may be looked up under names that Linux would tell apart; one that cannot exist is one that does not.
pub fn missing(rc: i32) i32 {
    return if (rc == -E.ILSEQ) -E.NOENT else rc;
}
