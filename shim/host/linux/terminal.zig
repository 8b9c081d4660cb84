//! The host's terminals: the ioctls that may pass through, and carrick's own raw mode, which is undone however
//! carrick ends. tty_ioctl(4); numbers and struct termios are the asm-generic ones, equal on x86-64 and arm64.

const std = @import("std");
const call = @import("call.zig");
const fdArg = call.fdArg;
const c = std.c;

const TCGETS = 0x5401;
const TCSETS = 0x5402;
const TCSETSW = 0x5403;

/// ioctls without side effects on anything but the terminal, and whose argument has the same form on every
/// architecture. TIOCSTI, TIOCSCTTY, TIOCNOTTY and TIOCLINUX are absent on purpose.
const allowed = [_]u32{
    TCGETS, TCSETS, TCSETSW,
    0x5404, // TCSETSF
    0x5409, // TCSBRK
    0x540a, // TCXONC
    0x540b, // TCFLSH
    0x540f, // TIOCGPGRP
    0x5410, // TIOCSPGRP
    0x5411, // TIOCOUTQ
    0x5413, // TIOCGWINSZ
    0x5414, // TIOCSWINSZ
    0x541b, // FIONREAD
    0x5425, // TCSBRKP
    0x5429, // TIOCGSID
};

/// ioctl(2) of the list above; `argument` is a host pointer or a plain value as the command wants. -ENOTTY for others.
pub fn control(fd: i32, command: u32, argument: usize) i32 {
    for (allowed) |known| {
        if (known == command) return call.narrow(call.plain(.ioctl, .{ fdArg(fd), command, argument }));
    }
    return -call.ENOTTY;
}

/// struct termios of the kernel, not of the C library.
const Termios = extern struct { iflag: u32, oflag: u32, cflag: u32, lflag: u32, line: u8, cc: [19]u8 };

var saved: Termios = undefined;
var saved_fd: i32 = -1;
var exit_hook = false;

extern "c" fn atexit(f: *const fn () callconv(.c) void) c_int;

/// Puts the terminal into raw mode (cfmakeraw(3)) until `restore`. 0 or -errno.
pub fn raw(fd: i32) i32 {
    var now: Termios = undefined;
    const rc = call.narrow(call.plain(.ioctl, .{ fdArg(fd), TCGETS, @intFromPtr(&now) }));
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
    now.iflag &= ~@as(u32, 0o2753); // IGNBRK BRKINT PARMRK ISTRIP INLCR IGNCR ICRNL IXON
    now.oflag &= ~@as(u32, 1); // OPOST
    now.lflag &= ~@as(u32, 0o100113); // ECHO ECHONL ICANON ISIG IEXTEN
    now.cflag = (now.cflag & ~@as(u32, 0o460)) | 0o60; // CSIZE PARENB, CS8
    now.cc[5] = 0; // VTIME
    now.cc[6] = 1; // VMIN
    return call.narrow(call.plain(.ioctl, .{ fdArg(fd), TCSETSW, @intFromPtr(&now) }));
}

/// Async-signal-safe; nothing when raw mode is not on.
pub fn restore() void {
    const fd = @atomicRmw(i32, &saved_fd, .Xchg, -1, .seq_cst);
    if (fd >= 0) _ = call.plain(.ioctl, .{ fdArg(fd), TCSETS, @intFromPtr(&saved) });
}

fn onExit() callconv(.c) void {
    restore();
}

/// SIGILL SIGABRT SIGBUS SIGFPE SIGSEGV: restore the terminal, then whatever was installed before (Bun's report).
const crashes = [_]u5{ 4, 6, 7, 8, 11 };
var previous: [32]c.Sigaction = undefined;

fn chainCrashHandlers() void {
    for (crashes) |number| {
        if (c.sigaction(@enumFromInt(number), null, &previous[number]) != 0) continue;
        const action: c.Sigaction = .{
            .handler = .{ .sigaction = &onCrash },
            .mask = previous[number].mask,
            .flags = previous[number].flags | c.SA.SIGINFO | c.SA.ONSTACK,
        };
        _ = c.sigaction(@enumFromInt(number), &action, null);
    }
}

fn onCrash(signal: c.SIG, info: *const c.siginfo_t, context: ?*anyopaque) callconv(.c) void {
    restore();
    const old = &previous[@intFromEnum(signal)];
    if (old.flags & c.SA.SIGINFO != 0) {
        if (old.handler.sigaction) |f| return f(signal, info, context);
    } else if (old.handler.handler) |f| {
        if (f != c.SIG.IGN) return f(signal);
    }
    // Default action: the faulting instruction runs again and ends the process.
    _ = c.sigaction(signal, old, null);
}
