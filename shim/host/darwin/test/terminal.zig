//! Terminals: each flag, character and speed by its number in both systems' headers (asm-generic/termbits.h, sys/termios.h), and what the ways of setting
//! them do with input that waits.

const std = @import("std");
const call = @import("../call.zig");
const host = @import("../../darwin.zig");
const support = @import("support.zig");
const terminal = @import("../terminal.zig");
const c = call.c;
const linux = std.os.linux;
const expect = std.testing.expect;
const expectEqual = std.testing.expectEqual;
const Termios = terminal.Termios;

/// Linux's bit, Darwin's.
const input = [_][2]u32{
    .{ 0x1, 0x1 },   .{ 0x2, 0x2 },     .{ 0x4, 0x4 },     .{ 0x8, 0x8 },     .{ 0x10, 0x10 },    .{ 0x20, 0x20 },     .{ 0x40, 0x40 },
    .{ 0x80, 0x80 }, .{ 0x100, 0x100 }, .{ 0x400, 0x200 }, .{ 0x800, 0x800 }, .{ 0x1000, 0x400 }, .{ 0x2000, 0x2000 }, .{ 0x4000, 0x4000 },
};
const output = [_][2]u32{ .{ 0x1, 0x1 }, .{ 0x4, 0x2 }, .{ 0x8, 0x10 }, .{ 0x10, 0x20 }, .{ 0x20, 0x40 }, .{ 0x40, 0x80 }, .{ 0x80, 0x20000 }, .{ 0x1800, 0x4 } };
const modem = [_][2]u32{
    .{ 0x10, 0x100 },   .{ 0x20, 0x200 },   .{ 0x30, 0x300 },   .{ 0x40, 0x400 },   .{ 0x80, 0x800 },
    .{ 0x100, 0x1000 }, .{ 0x200, 0x2000 }, .{ 0x400, 0x4000 }, .{ 0x800, 0x8000 }, .{ 0x8000_0000, 0x30000 },
};
const local = [_][2]u32{
    .{ 0x1, 0x80 },        .{ 0x2, 0x100 },  .{ 0x8, 0x8 },    .{ 0x10, 0x2 },  .{ 0x20, 0x4 },         .{ 0x40, 0x10 },          .{ 0x80, 0x8000_0000 },
    .{ 0x100, 0x40_0000 }, .{ 0x200, 0x40 }, .{ 0x400, 0x20 }, .{ 0x800, 0x1 }, .{ 0x1000, 0x80_0000 }, .{ 0x4000, 0x2000_0000 }, .{ 0x8000, 0x400 },
    .{ 0x1_0000, 0x800 },
};
/// Places of the control characters.
const characters = [_][2]usize{
    .{ 0, 8 },  .{ 1, 9 },   .{ 2, 3 },  .{ 3, 5 },  .{ 4, 0 },   .{ 5, 17 }, .{ 6, 16 },  .{ 8, 12 },
    .{ 9, 13 }, .{ 10, 10 }, .{ 11, 1 }, .{ 12, 6 }, .{ 13, 15 }, .{ 14, 4 }, .{ 15, 14 }, .{ 16, 2 },
};
/// B50 to B38400, then B57600 and on.
const speeds = [_]u64{ 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400 };
const fast = [_]u64{ 57600, 115200, 230400, 460800, 500000, 576000, 921600, 1000000, 1152000, 1500000, 2000000, 2500000, 3000000, 3500000, 4000000 };

fn there(t: Termios) c.struct_termios {
    var out = std.mem.zeroes(c.struct_termios);
    terminal.fromLinux(t, &out);
    return out;
}

test "each flag of a terminal is Darwin's" {
    const none = std.mem.zeroes(Termios);
    inline for (.{ .{ "iflag", input }, .{ "oflag", output }, .{ "cflag", modem }, .{ "lflag", local } }) |kind| {
        for (kind[1]) |pair| {
            var t = none;
            @field(t, kind[0]) = pair[0];
            const darwin = there(t);
            try expectEqual(@as(u64, pair[1]), @field(darwin, "c_" ++ kind[0]));
            try expectEqual(pair[0], @field(terminal.toLinux(&darwin), kind[0]));
        }
    }
}

test "each control character and speed is Darwin's" {
    const none = std.mem.zeroes(Termios);
    for (characters) |pair| {
        var t = none;
        t.cc[pair[0]] = 7;
        const darwin = there(t);
        try expectEqual(@as(u8, 7), darwin.c_cc[pair[1]]);
        try expectEqual(@as(usize, 1), std.mem.count(u8, &darwin.c_cc, &.{7}));
        try expectEqual(t.cc, terminal.toLinux(&darwin).cc);
    }
    for (speeds ++ fast, 0..) |speed, i| {
        var t = none;
        t.cflag = if (i < speeds.len) @intCast(i + 1) else @intCast(0x1000 + i + 1 - speeds.len);
        const darwin = there(t);
        try expectEqual([2]u64{ speed, speed }, [2]u64{ darwin.c_ispeed, darwin.c_ospeed });
        try expectEqual(t.cflag, terminal.toLinux(&darwin).cflag);
    }
}

/// A pseudo-terminal: the master, and the terminal itself.
fn opened() ![2]i32 {
    support.double("");
    const master: i32 = @intCast(linux.open("/dev/ptmx", .{ .ACCMODE = .RDWR, .NOCTTY = true }, 0));
    const unlocked: c_int = 0;
    _ = linux.ioctl(master, 0x40045431, @intFromPtr(&unlocked)); // TIOCSPTLCK
    const slave: i32 = @intCast(linux.ioctl(master, 0x5441, 0x102)); // TIOCGPTPEER
    try expect(slave >= 0);
    return .{ master, slave };
}

fn end(fds: [2]i32) void {
    for (fds) |fd| _ = linux.close(fd);
}

fn control(fd: i32, command: u32, argument: anytype) !void {
    try expectEqual(@as(i32, 0), host.terminalControl(fd, command, @intFromPtr(argument)));
}

test "only one way of setting attributes drops input" {
    const fds = try opened();
    defer end(fds);
    var now: Termios = undefined;
    try control(fds[1], 0x5401, &now);
    // TCSETS, TCSETSW, TCSETSF.
    for ([_]u32{ 0x5402, 0x5403, 0x5404 }, [_]usize{ 4, 4, 0 }) |command, left| {
        try expectEqual(@as(usize, 4), linux.write(fds[0], "abc\n", 4));
        while (host.pollNow(fds[1], 1) == 0) support.nap();
        try control(fds[1], command, &now);
        var count: [2]c_int = .{ -1, -1 };
        try control(fds[1], 0x541b, &count[0]); // FIONREAD
        try control(fds[1], 0x5411, &count[1]); // TIOCOUTQ: what is typed is no output
        try expectEqual([2]c_int{ @intCast(left), 0 }, count);
        var bytes: [8]u8 = undefined;
        if (left > 0) try expectEqual(left, linux.read(fds[1], &bytes, bytes.len));
    }
}

test "sizes are set and asked for, output stops and goes on" {
    const fds = try opened();
    defer end(fds);
    const wanted = [4]u16{ 24, 80, 640, 480 };
    var size: [4]u16 = wanted;
    try control(fds[1], 0x5414, &size); // TIOCSWINSZ
    size = @splat(7);
    try control(fds[1], 0x5413, &size); // TIOCGWINSZ
    try expectEqual(wanted, size);
    size = @splat(7);
    _ = linux.ioctl(fds[0], 0x5413, @intFromPtr(&size));
    try expectEqual(wanted, size);
    try expectEqual(@as(i32, 0), host.setFlags(fds[1], call.O.NONBLOCK));
    // TCXONC: TCOOFF, TCOON.
    for ([_]usize{ 0, 1 }, [_]i32{ -call.E.AGAIN, 1 }) |action, written| {
        try expectEqual(@as(i32, 0), host.terminalControl(fds[1], 0x540a, action));
        try expectEqual(written, host.write(fds[1], "x", 1, -1));
    }
    try expectEqual(-@as(i32, call.E.INVAL), host.terminalControl(fds[1], 0x540a, 4));
}

test "raw mode is cfmakeraw's, and ends" {
    const fds = try opened();
    defer end(fds);
    var before: Termios = undefined;
    try control(fds[1], 0x5401, &before);
    // All that raw mode takes away, and 7 bits.
    before.iflag |= 0x1 | 0x2 | 0x8 | 0x20 | 0x40 | 0x80 | 0x100 | 0x400;
    before.oflag |= 0x1;
    before.lflag |= 0x8 | 0x40 | 0x2 | 0x1 | 0x8000;
    before.cc[6] = 3;
    before.cc[5] = 4;
    try control(fds[1], 0x5402, &before);
    try control(fds[1], 0x5401, &before);
    for (0..3) |whence| try expectEqual(@as(f64, -29), host.seek(fds[1], 0, @intCast(whence)));
    try expectEqual(@as(i32, 0), host.terminalRaw(fds[1]));
    var raw: Termios = undefined;
    try control(fds[1], 0x5401, &raw);
    try expectEqual(before.iflag & ~@as(u32, 0x5eb), raw.iflag);
    try expectEqual(before.oflag & ~@as(u32, 0x1), raw.oflag);
    try expectEqual(before.lflag & ~@as(u32, 0x804b), raw.lflag);
    try expectEqual(@as(u32, 0x30), raw.cflag & 0x130); // CS8 without PARENB
    try expectEqual([2]u8{ 0, 1 }, raw.cc[5..7].*);
    host.terminalRestore();
    try control(fds[1], 0x5401, &raw);
    try expectEqual(before, raw);
    // What is no terminal, however Darwin says so.
    const nothing: i32 = @intCast(linux.open("/dev/null", .{ .ACCMODE = .RDWR }, 0));
    defer _ = linux.close(nothing);
    try expectEqual(-@as(i32, call.E.NOTTY), host.terminalControl(nothing, 0x5401, @intFromPtr(&raw)));
    try expectEqual(-@as(i32, call.E.NOTTY), host.terminalRaw(nothing));
}
