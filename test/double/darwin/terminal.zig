//! termios(4) and the ioctls of terminals. The tables are Darwin's first and written in numbers, so that they share nothing with
//! those of the code under test.

const std = @import("std");
const base = @import("base.zig");
const sockets = @import("sockets.zig");
const c = base.c;
const linux = base.linux;
const fail = base.fail;
const result = base.result;

const Termios = extern struct { iflag: u32, oflag: u32, cflag: u32, lflag: u32, line: u8, cc: [19]u8 };
const TCGETS = 0x5401;
const TCSETS = 0x5402;

const iflags = [_][2]u32{
    .{ 0x1, 0x1 },   .{ 0x2, 0x2 },     .{ 0x4, 0x4 },     .{ 0x8, 0x8 },      .{ 0x10, 0x10 },   .{ 0x20, 0x20 },     .{ 0x40, 0x40 },
    .{ 0x80, 0x80 }, .{ 0x100, 0x100 }, .{ 0x200, 0x400 }, .{ 0x400, 0x1000 }, .{ 0x800, 0x800 }, .{ 0x2000, 0x2000 }, .{ 0x4000, 0x4000 },
};
const oflags = [_][2]u32{ .{ 0x1, 0x1 }, .{ 0x2, 0x4 }, .{ 0x4, 0x1800 }, .{ 0x10, 0x8 }, .{ 0x20, 0x10 }, .{ 0x40, 0x20 }, .{ 0x80, 0x40 }, .{ 0x20000, 0x80 } };
const cflags = [_][2]u32{ .{ 0x400, 0x40 }, .{ 0x800, 0x80 }, .{ 0x1000, 0x100 }, .{ 0x2000, 0x200 }, .{ 0x4000, 0x400 }, .{ 0x8000, 0x800 }, .{ 0x30000, 0x80000000 } };
const lflags = [_][2]u32{
    .{ 0x1, 0x800 },       .{ 0x2, 0x10 },  .{ 0x4, 0x20 },     .{ 0x8, 0x8 },       .{ 0x10, 0x40 },      .{ 0x20, 0x400 },      .{ 0x40, 0x200 },
    .{ 0x80, 0x1 },        .{ 0x100, 0x2 }, .{ 0x400, 0x8000 }, .{ 0x800, 0x10000 }, .{ 0x400000, 0x100 }, .{ 0x800000, 0x1000 }, .{ 0x20000000, 0x4000 },
    .{ 0x80000000, 0x80 },
};
/// Index on Darwin, index on Linux.
const characters = [_][2]u8{
    .{ 0, 4 }, .{ 1, 11 },  .{ 2, 16 }, .{ 3, 2 },  .{ 4, 14 },  .{ 5, 3 },   .{ 6, 12 }, .{ 8, 0 },
    .{ 9, 1 }, .{ 10, 10 }, .{ 12, 8 }, .{ 13, 9 }, .{ 14, 15 }, .{ 15, 13 }, .{ 16, 6 }, .{ 17, 5 },
};
const speeds = [_][2]u32{
    .{ 0, 0 },     .{ 50, 1 },    .{ 75, 2 },    .{ 110, 3 },    .{ 134, 4 },    .{ 150, 5 },        .{ 200, 6 },         .{ 300, 7 },         .{ 600, 8 }, .{ 1200, 9 }, .{ 1800, 10 },
    .{ 2400, 11 }, .{ 4800, 12 }, .{ 9600, 13 }, .{ 19200, 14 }, .{ 38400, 15 }, .{ 57600, 0x1001 }, .{ 115200, 0x1002 }, .{ 230400, 0x1003 },
};

fn toDarwin(pairs: []const [2]u32, bits: u32) u64 {
    var out: u64 = 0;
    for (pairs) |pair| {
        if (bits & pair[1] == pair[1]) out |= pair[0];
    }
    return out;
}

fn toLinux(pairs: []const [2]u32, bits: u64, extra: u64) u32 {
    var out: u32 = 0;
    var known: u64 = extra;
    for (pairs) |pair| {
        known |= pair[0];
        if (bits & pair[0] == pair[0]) out |= pair[1];
    }
    if (bits & ~known != 0) base.misuse("termios flags that are not Darwin's");
    return out;
}

/// What Linux has no place for, kept per process: VDSUSP and VSTATUS.
var extra_characters = [2]u8{ 25, 20 };

fn get(fd: c_int, out: *c.struct_termios) c_int {
    var t: Termios = undefined;
    const rc = linux.ioctl(fd, TCGETS, @intFromPtr(&t));
    if (base.errnoOf(rc) != 0) return refuse(fd, rc);
    @memset(std.mem.asBytes(out), 0);
    out.c_iflag = toDarwin(&iflags, t.iflag);
    out.c_oflag = toDarwin(&oflags, t.oflag);
    out.c_cflag = toDarwin(&cflags, t.cflag) | @as(u64, (t.cflag >> 4) & 3) << 8;
    out.c_lflag = toDarwin(&lflags, t.lflag);
    for (characters) |pair| {
        const value = t.cc[pair[1]];
        out.c_cc[pair[0]] = if (pair[0] < 16 and value == 0) 0xff else value;
    }
    out.c_cc[11] = extra_characters[0];
    out.c_cc[18] = extra_characters[1];
    for (speeds) |pair| {
        if (t.cflag & 0x100f == pair[1]) {
            out.c_ispeed = pair[0];
            out.c_ospeed = pair[0];
        }
    }
    return 0;
}

fn set(fd: c_int, command: u32, in: *const c.struct_termios) c_int {
    var t: Termios = undefined;
    const rc = linux.ioctl(fd, TCGETS, @intFromPtr(&t));
    if (base.errnoOf(rc) != 0) return refuse(fd, rc);
    t.iflag = toLinux(&iflags, in.c_iflag, 0);
    t.oflag = toLinux(&oflags, in.c_oflag, 0);
    t.cflag = toLinux(&cflags, in.c_cflag, 0x300) | @as(u32, @intCast((in.c_cflag >> 8) & 3)) << 4;
    t.lflag = toLinux(&lflags, in.c_lflag, 0x2000000);
    for (characters) |pair| {
        const value = in.c_cc[pair[0]];
        t.cc[pair[1]] = if (pair[0] < 16 and value == 0xff) 0 else value;
    }
    extra_characters = .{ in.c_cc[11], in.c_cc[18] };
    const speed = for (speeds) |pair| {
        if (pair[0] == in.c_ospeed) break pair[1];
    } else return fail(c.EINVAL);
    t.cflag |= speed;
    return result(linux.ioctl(fd, command, @intFromPtr(&t)));
}

/// A device that knows no ioctls is not "not a terminal".
fn refuse(fd: c_int, rc: usize) c_int {
    var st: linux.Statx = undefined;
    const looked = linux.syscall5(.statx, base.arg(fd), @intFromPtr(""), 0x1000, 1, @intFromPtr(&st));
    if (base.errnoOf(looked) == 0 and st.mode & linux.S.IFMT == linux.S.IFCHR) return fail(c.ENODEV);
    if (base.errnoOf(looked) == 0 and st.mode & linux.S.IFMT == linux.S.IFIFO) return fail(c.ENOTTY);
    return result(rc);
}

export fn darwin_ioctl(fd: c_int, command: c_ulong, argument: usize) c_int {
    if (sockets.interface(fd, command, argument)) |rc| return rc;
    const linux_command: u32 = switch (command) {
        c.TIOCGETA => return get(fd, @ptrFromInt(argument)),
        c.TIOCSETA => return set(fd, TCSETS, @ptrFromInt(argument)),
        c.TIOCSETAW => return set(fd, TCSETS + 1, @ptrFromInt(argument)),
        c.TIOCSETAF => return set(fd, TCSETS + 2, @ptrFromInt(argument)),
        c.TIOCGWINSZ => 0x5413,
        c.TIOCSWINSZ => 0x5414,
        c.TIOCGPGRP => 0x540f,
        c.TIOCSPGRP => 0x5410,
        c.TIOCOUTQ => 0x5411,
        c.FIONREAD => 0x541b,
        c.TIOCFLUSH => {
            // 0 is both.
            const queue: usize = switch (@as(*const c_int, @ptrFromInt(argument)).*) {
                1 => 0,
                2 => 1,
                0, 3 => 2,
                else => return fail(c.EINVAL),
            };
            return result(linux.ioctl(fd, 0x540b, queue));
        },
        c.TIOCSTOP => return result(linux.ioctl(fd, 0x540a, 0)),
        c.TIOCSTART => return result(linux.ioctl(fd, 0x540a, 1)),
        else => base.misuse("an ioctl that is not Darwin's"),
    };
    const rc = linux.ioctl(fd, linux_command, argument);
    // All that waits in the socket, heads with addresses included.
    if (command == c.FIONREAD and base.errnoOf(rc) == 0 and sockets.isDatagram(fd)) @as(*align(1) c_int, @ptrFromInt(argument)).* += 16;
    return if (base.errnoOf(rc) == c.ENOTTY) refuse(fd, rc) else result(rc);
}
