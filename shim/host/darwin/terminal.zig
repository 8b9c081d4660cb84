//! The host's terminals: the ioctls that may pass through, in Linux's numbers and structs (tty_ioctl(4)), and carrick's own raw
//! mode, which is undone however carrick ends. Darwin's termios(4) has other bits, other indexes of control characters and
//! speeds that are plain numbers.

const std = @import("std");
const call = @import("call.zig");
const c = call.c;
const sys = call.sys;

const TCGETS = 0x5401;
const TCSETS = 0x5402;
const TCSETSW = 0x5403;
const TCSETSF = 0x5404;
const TCSBRK = 0x5409;
const TCXONC = 0x540a;
const TCFLSH = 0x540b;
const TIOCGPGRP = 0x540f;
const TIOCSPGRP = 0x5410;
const TIOCOUTQ = 0x5411;
const TIOCGWINSZ = 0x5413;
const TIOCSWINSZ = 0x5414;
const FIONREAD = 0x541b;
const TCSBRKP = 0x5425;

/// struct termios of Linux's kernel, not of its C library.
pub const Termios = extern struct { iflag: u32, oflag: u32, cflag: u32, lflag: u32, line: u8, cc: [19]u8 };

/// ioctl(2) of the list above; `argument` is a host pointer or a plain value as the command wants. -ENOTTY for others.
/// TIOCSTI, TIOCSCTTY, TIOCNOTTY and TIOCLINUX are absent on purpose.
pub fn control(fd: i32, command: u32, argument: usize) i32 {
    switch (command) {
        TCGETS => {
            var now: c.struct_termios = undefined;
            const rc = ioctl(fd, c.TIOCGETA, @intFromPtr(&now));
            if (rc == 0) @as(*align(1) Termios, @ptrFromInt(argument)).* = toLinux(&now);
            return rc;
        },
        TCSETS, TCSETSW, TCSETSF => {
            // What Linux has no bit for stays as it is.
            var now: c.struct_termios = undefined;
            const rc = ioctl(fd, c.TIOCGETA, @intFromPtr(&now));
            if (rc < 0) return rc;
            fromLinux(@as(*align(1) const Termios, @ptrFromInt(argument)).*, &now);
            return ioctl(fd, switch (command) {
                TCSETS => c.TIOCSETA,
                TCSETSW => c.TIOCSETAW,
                else => c.TIOCSETAF,
            }, @intFromPtr(&now));
        },
        TIOCGPGRP => return ioctl(fd, c.TIOCGPGRP, argument),
        TIOCSPGRP => return ioctl(fd, c.TIOCSPGRP, argument),
        TIOCOUTQ => return ioctl(fd, c.TIOCOUTQ, argument),
        TIOCGWINSZ => return ioctl(fd, c.TIOCGWINSZ, argument),
        TIOCSWINSZ => return ioctl(fd, c.TIOCSWINSZ, argument),
        FIONREAD => return ioctl(fd, c.FIONREAD, argument),
        TCFLSH => return flush(fd, argument),
        TCXONC => return flow(fd, argument),
        TCSBRK, TCSBRKP => {
            // A break means nothing to a terminal that is no serial line.
            var now: c.struct_termios = undefined;
            return ioctl(fd, c.TIOCGETA, @intFromPtr(&now));
        },
        else => return -call.E.NOTTY,
    }
}

/// Darwin answers a descriptor that knows no ioctls with several errnos.
fn ioctl(fd: i32, command: c_ulong, argument: usize) i32 {
    const rc = call.result(sys("ioctl")(fd, command, argument));
    return if (rc == -call.E.OPNOTSUPP or rc == -19) -call.E.NOTTY else rc;
}

/// tcflush(3): TCIFLUSH 0, TCOFLUSH 1, TCIOFLUSH 2.
fn flush(fd: i32, queue: usize) i32 {
    var which: c_int = switch (queue) {
        0 => c.FREAD,
        1 => c.FWRITE,
        2 => c.FREAD | c.FWRITE,
        else => return -call.E.INVAL,
    };
    return ioctl(fd, c.TIOCFLUSH, @intFromPtr(&which));
}

/// tcflow(3): TCOOFF 0, TCOON 1; TCIOFF 2 and TCION 3 send the stop and start characters.
fn flow(fd: i32, action: usize) i32 {
    switch (action) {
        0 => return ioctl(fd, c.TIOCSTOP, 0),
        1 => return ioctl(fd, c.TIOCSTART, 0),
        2, 3 => {
            var now: c.struct_termios = undefined;
            const rc = ioctl(fd, c.TIOCGETA, @intFromPtr(&now));
            if (rc < 0) return rc;
            const character = now.c_cc[if (action == 2) c.VSTOP else c.VSTART];
            if (character == c._POSIX_VDISABLE) return 0;
            return if (sys("write")(fd, &.{character}, 1) < 0) call.failure() else 0;
        },
        else => return -call.E.INVAL,
    }
}

/// Pairs of bits, Linux's first.
const input = .{
    .{ 0o1, c.IGNBRK },   .{ 0o2, c.BRKINT },    .{ 0o4, c.IGNPAR },      .{ 0o10, c.PARMRK },   .{ 0o20, c.INPCK },
    .{ 0o40, c.ISTRIP },  .{ 0o100, c.INLCR },   .{ 0o200, c.IGNCR },     .{ 0o400, c.ICRNL },   .{ 0o2000, c.IXON },
    .{ 0o4000, c.IXANY }, .{ 0o10000, c.IXOFF }, .{ 0o20000, c.IMAXBEL }, .{ 0o40000, c.IUTF8 },
};
const output = .{
    .{ 0o1, c.OPOST },   .{ 0o4, c.ONLCR },   .{ 0o10, c.OCRNL },     .{ 0o20, c.ONOCR }, .{ 0o40, c.ONLRET },
    .{ 0o100, c.OFILL }, .{ 0o200, c.OFDEL }, .{ 0o14000, c.OXTABS },
};
const modem = .{
    .{ 0o100, c.CSTOPB }, .{ 0o200, c.CREAD },   .{ 0o400, c.PARENB },          .{ 0o1000, c.PARODD },
    .{ 0o2000, c.HUPCL }, .{ 0o4000, c.CLOCAL }, .{ 0o20000000000, c.CRTSCTS },
};
const local = .{
    .{ 0o1, c.ISIG },      .{ 0o2, c.ICANON },     .{ 0o10, c.ECHO },      .{ 0o20, c.ECHOE },      .{ 0o40, c.ECHOK },
    .{ 0o100, c.ECHONL },  .{ 0o200, c.NOFLSH },   .{ 0o400, c.TOSTOP },   .{ 0o1000, c.ECHOCTL },  .{ 0o2000, c.ECHOPRT },
    .{ 0o4000, c.ECHOKE }, .{ 0o10000, c.FLUSHO }, .{ 0o40000, c.PENDIN }, .{ 0o100000, c.IEXTEN }, .{ 0o200000, c.EXTPROC },
};
/// Places of control characters, Linux's first. Linux has no VDSUSP and VSTATUS, Darwin no VSWTC.
const characters = .{
    .{ 0, c.VINTR },     .{ 1, c.VQUIT },    .{ 2, c.VERASE },  .{ 3, c.VKILL },  .{ 4, c.VEOF },  .{ 5, c.VTIME },
    .{ 6, c.VMIN },      .{ 8, c.VSTART },   .{ 9, c.VSTOP },   .{ 10, c.VSUSP }, .{ 11, c.VEOL }, .{ 12, c.VREPRINT },
    .{ 13, c.VDISCARD }, .{ 14, c.VWERASE }, .{ 15, c.VLNEXT }, .{ 16, c.VEOL2 },
};
/// CBAUD's codes; the numbers beyond are Linux's extended ones.
const speeds = [_]u64{ 0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400 };
const fast_speeds = [_]u64{ 57600, 115200, 230400, 460800, 500000, 576000, 921600, 1000000, 1152000, 1500000, 2000000, 2500000, 3000000, 3500000, 4000000 };
const CBAUD = 0o10017;
const CBAUDEX = 0o10000;
const linux_CSIZE = 0o60;

fn bitsToLinux(comptime pairs: anytype, bits: u64) u32 {
    var out: u32 = 0;
    inline for (pairs) |pair| {
        if (bits & pair[1] != 0) out |= pair[0];
    }
    return out;
}

fn bitsFromLinux(comptime pairs: anytype, bits: u32, before: u64) u64 {
    var out = before;
    inline for (pairs) |pair| {
        out = if (bits & pair[0] != 0) out | pair[1] else out & ~@as(u64, pair[1]);
    }
    return out;
}

pub fn toLinux(t: *const c.struct_termios) Termios {
    var out: Termios = .{
        .iflag = bitsToLinux(input, t.c_iflag),
        .oflag = bitsToLinux(output, t.c_oflag),
        .cflag = bitsToLinux(modem, t.c_cflag) | @as(u32, @intCast((t.c_cflag & c.CSIZE) / 0x100)) * 0o20 | speedCode(t.c_ospeed),
        .lflag = bitsToLinux(local, t.c_lflag),
        .line = 0,
        .cc = @splat(0),
    };
    inline for (characters) |pair| {
        const value = t.c_cc[pair[1]];
        // A disabled character is 0 there and 255 here; counts are counts.
        const is_count = pair[1] == c.VMIN or pair[1] == c.VTIME;
        out.cc[pair[0]] = if (!is_count and value == c._POSIX_VDISABLE) 0 else value;
    }
    return out;
}

pub fn fromLinux(t: Termios, out: *c.struct_termios) void {
    out.c_iflag = bitsFromLinux(input, t.iflag, out.c_iflag);
    out.c_oflag = bitsFromLinux(output, t.oflag, out.c_oflag);
    out.c_cflag = bitsFromLinux(modem, t.cflag, out.c_cflag) & ~@as(u64, c.CSIZE);
    out.c_cflag |= @as(u64, (t.cflag & linux_CSIZE) / 0o20) * 0x100;
    out.c_lflag = bitsFromLinux(local, t.lflag, out.c_lflag);
    inline for (characters) |pair| {
        const value = t.cc[pair[0]];
        const is_count = pair[1] == c.VMIN or pair[1] == c.VTIME;
        out.c_cc[pair[1]] = if (!is_count and value == 0) c._POSIX_VDISABLE else value;
    }
    if (speedOf(t.cflag)) |speed| {
        out.c_ispeed = speed;
        out.c_ospeed = speed;
    }
}

fn speedCode(speed: u64) u32 {
    for (speeds, 0..) |known, code| if (known == speed) return @intCast(code);
    for (fast_speeds, 1..) |known, code| if (known == speed) return CBAUDEX | @as(u32, @intCast(code));
    return 15;
}

fn speedOf(cflag: u32) ?u64 {
    const code = cflag & 0o17;
    if (cflag & CBAUDEX == 0) return speeds[code];
    return if (code >= 1 and code <= fast_speeds.len) fast_speeds[code - 1] else null;
}

var saved: c.struct_termios = undefined;
var saved_fd: i32 = -1;
var exit_hook = false;

extern "c" fn atexit(f: *const fn () callconv(.c) void) c_int;

/// Puts the terminal into raw mode (cfmakeraw(3)) until `restore`. 0 or -errno.
pub fn raw(fd: i32) i32 {
    var now: c.struct_termios = undefined;
    const rc = ioctl(fd, c.TIOCGETA, @intFromPtr(&now));
    if (rc < 0) return rc;
    if (saved_fd < 0) {
        saved = now;
        @atomicStore(i32, &saved_fd, fd, .seq_cst);
    }
    if (!exit_hook) {
        exit_hook = true;
        _ = atexit(&onExit);
        chainCrashHandlers();
    }
    now.c_iflag &= ~@as(u64, c.IGNBRK | c.BRKINT | c.PARMRK | c.ISTRIP | c.INLCR | c.IGNCR | c.ICRNL | c.IXON);
    now.c_oflag &= ~@as(u64, c.OPOST);
    now.c_lflag &= ~@as(u64, c.ECHO | c.ECHONL | c.ICANON | c.ISIG | c.IEXTEN);
    now.c_cflag = (now.c_cflag & ~@as(u64, c.CSIZE | c.PARENB)) | 0x300;
    now.c_cc[c.VTIME] = 0;
    now.c_cc[c.VMIN] = 1;
    return ioctl(fd, c.TIOCSETAW, @intFromPtr(&now));
}

/// Async-signal-safe; nothing when raw mode is not on.
pub fn restore() void {
    const fd = @atomicRmw(i32, &saved_fd, .Xchg, -1, .seq_cst);
    if (fd >= 0) _ = sys("ioctl")(fd, c.TIOCSETA, @intFromPtr(&saved));
}

fn onExit() callconv(.c) void {
    restore();
}

/// Restore the terminal, then do whatever was installed before (Bun's report).
const crashes = [_]u5{ c.SIGILL, c.SIGABRT, c.SIGBUS, c.SIGFPE, c.SIGSEGV };
var previous: [32]c.struct_sigaction = undefined;

fn chainCrashHandlers() void {
    for (crashes) |number| {
        if (sys("sigaction")(number, null, &previous[number]) != 0) continue;
        const action: c.struct_sigaction = .{
            .sa_handler = @intFromPtr(&onCrash),
            .sa_mask = previous[number].sa_mask,
            .sa_flags = previous[number].sa_flags | c.SA_SIGINFO | c.SA_ONSTACK,
        };
        _ = sys("sigaction")(number, &action, null);
    }
}

fn onCrash(signal: c_int, info: ?*anyopaque, context: ?*anyopaque) callconv(.c) void {
    restore();
    const old = &previous[@intCast(signal)];
    // Both kinds of handler may be called with three arguments.
    if (old.sa_handler > 1) {
        return @as(*const fn (c_int, ?*anyopaque, ?*anyopaque) callconv(.c) void, @ptrFromInt(old.sa_handler))(signal, info, context);
    }
    // Default action: the faulting instruction runs again and ends the process.
    _ = sys("sigaction")(signal, old, null);
}

test "every flag, character and speed of Linux survives the way to Darwin and back" {
    const expectEqual = std.testing.expectEqual;
    var none = std.mem.zeroes(c.struct_termios);
    const full: Termios = .{ .iflag = 0o76777, .oflag = 0o14375, .cflag = 0o20000007760 | 13, .lflag = 0o357773, .line = 0, .cc = .{ 1, 2, 3, 4, 5, 6, 7, 0, 9, 10, 11, 12, 13, 14, 15, 16, 17, 0, 0 } };
    fromLinux(full, &none);
    try expectEqual(full, toLinux(&none));
    try expectEqual(@as(u64, 9600), none.c_ospeed);
    try expectEqual(@as(u8, 7), none.c_cc[c.VMIN]);
    // Nothing of what Darwin alone has is touched.
    none = std.mem.zeroes(c.struct_termios);
    none.c_lflag = 0x2000000;
    none.c_cc[18] = 20;
    fromLinux(std.mem.zeroes(Termios), &none);
    try expectEqual(@as(u64, 0x2000000), none.c_lflag);
    try expectEqual(@as(u8, 20), none.c_cc[18]);
    try expectEqual(@as(u8, c._POSIX_VDISABLE), none.c_cc[c.VINTR]);
    try expectEqual(@as(u8, 0), none.c_cc[c.VMIN]);
    try expectEqual(@as(u8, 0), toLinux(&none).cc[0]);
}
