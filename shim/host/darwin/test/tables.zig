//! Every row of the tables that translate: errnos, open(2) flags, socket options. What they are compared with was written from the names in both
//! systems' headers, or is this machine's own kernel.

const std = @import("std");
const addresses = @import("../addresses.zig");
const call = @import("../call.zig");
const control_messages = @import("../control_messages.zig");
const host = @import("../../darwin.zig");
const support = @import("support.zig");
const linux = std.os.linux;
const expect = std.testing.expect;
const expectEqual = std.testing.expectEqual;
const O = call.O;

/// Linux's number for each of Darwin's errnos from 1.
const errnos = [106]u8{
    1,   2,   3,   4,   5,   6,   7,   8,  9,  10,  35,  12, 13, 14,  15,  16,  17,  18,
    19,  20,  21,  22,  23,  24,  25,  26, 27, 28,  29,  30, 31, 32,  33,  34,  11,  115,
    114, 88,  89,  90,  91,  92,  93,  94, 95, 96,  97,  98, 99, 100, 101, 102, 103, 104,
    105, 106, 107, 108, 109, 110, 111, 40, 36, 112, 113, 39, 11, 87,  122, 116, 66,  5,
    5,   5,   5,   5,   37,  38,  22,  13, 13, 5,   5,   75, 5,  5,   5,   5,   125, 43,
    42,  84,  61,  74,  72,  61,  67,  63, 60, 71,  62,  95, 5,  131, 130, 5,
};

test "each errno has Linux's number" {
    for (errnos, 1..) |wanted, number| try expectEqual(-@as(i32, wanted), call.errorOf(@intCast(number)));
    for ([_]c_int{ 0, -1, 107, 127, 128, 1000 }) |number| try expectEqual(@as(i32, -5), call.errorOf(number));
}

test "each flag of open has Darwin's bit" {
    const always = 0x1000000 | 0x20000; // O_CLOEXEC, O_NOCTTY
    const pairs = .{
        .{ 0, 0 },             .{ O.WRONLY, 1 },       .{ O.RDWR, 2 },             .{ 3, 2 },                    .{ O.CREAT, 0x200 },
        .{ O.EXCL, 0x800 },    .{ O.TRUNC, 0x400 },    .{ O.APPEND, 8 },           .{ O.NONBLOCK, 4 },           .{ O.DSYNC, 0x400000 },
        .{ O.SYNC_BIT, 0x80 }, .{ O.NOFOLLOW, 0x100 }, .{ O.DIRECTORY, 0x100000 }, .{ O.NOCTTY | O.CLOEXEC, 0 },
    };
    inline for (pairs) |pair| try expectEqual(@as(c_int, always | pair[1]), call.openFlags(pair[0]));
}

/// What this machine's kernel has for an option, which the double has set.
fn truth(fd: i32, level: u32, name: u32) !i32 {
    var value: i32 = 0;
    var len: u32 = 4;
    const rc = linux.syscall5(.getsockopt, @intCast(fd), level, name, @intFromPtr(&value), @intFromPtr(&len));
    try expectEqual(@as(i32, 0), support.linuxErrno(rc));
    return value;
}

const Kind = struct { domain: u32, kind: u32 };
const tcp: Kind = .{ .domain = 2, .kind = 1 };
const udp: Kind = .{ .domain = 2, .kind = 2 };
const tcp6: Kind = .{ .domain = 10, .kind = 1 };
const udp6: Kind = .{ .domain = 10, .kind = 2 };

test "each socket option is the one that was meant" {
    support.double("");
    const cases = [_]struct { Kind, u32, u32, []const i32 }{
        .{ tcp, 1, 2, &.{ 1, 0 } },      .{ tcp, 1, 5, &.{ 1, 0 } },      .{ udp, 1, 6, &.{ 1, 0 } },    .{ tcp, 1, 9, &.{ 1, 0 } },
        .{ tcp, 1, 10, &.{ 1, 0 } },     .{ udp, 1, 29, &.{ 1, 0 } },     .{ tcp, 1, 18, &.{ 5, 1 } },   .{ tcp, 1, 15, &.{ 1, 0 } },
        .{ tcp, 0, 1, &.{ 0x10, 0 } },   .{ tcp, 0, 2, &.{ 33, 44 } },    .{ udp, 0, 8, &.{ 1, 0 } },    .{ udp, 0, 12, &.{ 1, 0 } },
        .{ udp, 0, 13, &.{ 1, 0 } },     .{ udp, 0, 33, &.{ 7, 1 } },     .{ udp, 0, 34, &.{ 0, 1 } },   .{ udp, 0, 10, &.{ 2, 0 } },
        .{ udp6, 41, 16, &.{ 12, 13 } }, .{ udp6, 41, 18, &.{ 14, 15 } }, .{ udp6, 41, 19, &.{ 0, 1 } }, .{ tcp6, 41, 26, &.{ 1, 0 } },
        .{ udp6, 41, 49, &.{ 1, 0 } },   .{ udp6, 41, 51, &.{ 1, 0 } },   .{ udp6, 41, 66, &.{ 1, 0 } }, .{ udp6, 41, 67, &.{ 0x20, 0 } },
        .{ tcp, 6, 1, &.{ 1, 0 } },      .{ tcp, 6, 3, &.{ 1, 0 } },      .{ tcp, 6, 4, &.{ 77, 88 } },  .{ tcp, 6, 5, &.{ 66, 55 } },
        .{ tcp, 6, 6, &.{ 5, 6 } },      .{ tcp, 6, 25, &.{ 5000, 1 } },
    };
    for (cases) |case| {
        const fd = host.socket(case[0].domain, case[0].kind, 0);
        try expect(fd >= 0);
        defer _ = host.close(fd);
        for (case[3]) |value| {
            try expectEqual(@as(i32, 0), host.setSocketOption(fd, case[1], case[2], std.mem.asBytes(&value), 4));
            try expectEqual(value, try truth(fd, case[1], case[2]));
            var told: i32 = -1;
            try expectEqual(@as(i32, 4), host.getSocketOption(fd, case[1], case[2], std.mem.asBytes(&told), 4));
            try expectEqual(value, told);
        }
        // Half a number is none, but a byte may be one.
        const byte = case[1] == 0 and (case[2] == 1 or case[2] == 2 or case[2] == 33 or case[2] == 34);
        const short = host.setSocketOption(fd, case[1], case[2], &.{ 1, 0 }, 2);
        try expectEqual(@as(i32, if (byte) 0 else -call.E.INVAL), short);
    }
}

test "options with a way of their own" {
    support.double("");
    const fd = host.socket(2, 1, 0);
    defer _ = host.close(fd);
    const number = struct {
        fn set(on: i32, level: u32, name: u32, value: i32) i32 {
            return host.setSocketOption(on, level, name, std.mem.asBytes(&value), 4);
        }
        fn get(on: i32, level: u32, name: u32) i32 {
            var value: i32 = -1;
            const rc = host.getSocketOption(on, level, name, std.mem.asBytes(&value), 4);
            return if (rc == 4) value else rc;
        }
    };
    // TCP_USER_TIMEOUT: seconds are the least that there is.
    for ([_][2]i32{ .{ 1, 1000 }, .{ 1000, 1000 }, .{ 1001, 2000 }, .{ 0, 0 } }) |pair| {
        try expectEqual(@as(i32, 0), number.set(fd, 6, 18, pair[0]));
        try expectEqual(pair[1], number.get(fd, 6, 18));
    }
    // IP_PMTUDISC_WANT, DO, PROBE.
    for ([_][2]i32{ .{ 1, 0 }, .{ 2, 2 }, .{ 3, 2 } }) |pair| {
        try expectEqual(@as(i32, 0), number.set(fd, 0, 10, pair[0]));
        try expectEqual(pair[1], number.get(fd, 0, 10));
    }
    for ([_]u32{ 32, 33, 36 }) |forced| try expectEqual(-@as(i32, call.E.PERM), number.set(fd, 1, forced, 1));
    for ([_]u32{ 3, 4 }) |read_only| try expectEqual(@as(i32, if (read_only == 3) 1 else 0), number.get(fd, 1, read_only));
    try expectEqual(@as(i32, -92), number.set(fd, 1, 4, 0));
    try expectEqual(@as(i32, -92), number.set(fd, 1, 30, 1));
    try expectEqual(@as(i32, 0), host.setSocketOption(fd, 6, 13, "cubic", 5));
    try expectEqual(@as(i32, -2), host.setSocketOption(fd, 6, 13, "vegas", 5));
    // No bytes are one, and a buffer of none or less is the smallest.
    try expectEqual(@as(i32, 0), number.set(fd, 1, 18, 0));
    try expectEqual(@as(i32, 1), number.get(fd, 1, 18));
    try expectEqual(@as(i32, 0), number.set(fd, 1, 18, -1));
    try expect(number.get(fd, 1, 18) > 1);
    for ([_]i32{ 0, -5, 1 }) |size| for ([_]u32{ 7, 8 }) |name| {
        try expectEqual(@as(i32, 0), number.set(fd, 1, name, size));
        try expect(number.get(fd, 1, name) >= 2048 and number.get(fd, 1, name) < 65536);
    };
    // What is too large becomes what is allowed.
    try expectEqual(@as(i32, 0), number.set(fd, 1, 8, 1 << 30));
    try expect(number.get(fd, 1, 8) >= 1 << 20);
    const datagrams = host.socket(2, 2, 0);
    defer _ = host.close(datagrams);
    try expectEqual(@as(i32, 0), number.set(datagrams, 1, 2, 1));
    try expectEqual(@as(i32, 1), number.get(datagrams, 1, 15));
    // A group with an interface's number behind it, as ip(7) has it.
    const group = [12]u8{ 224, 0, 0, 250, 127, 0, 0, 1, 0, 0, 0, 0 };
    for ([_]u32{ 35, 36 }) |name| try expectEqual(@as(i32, 0), host.setSocketOption(datagrams, 0, name, &group, 12));
    try expectEqual(@as(i32, -92), number.get(datagrams, 0, 35));
}

test "addresses of IPv6, with and without a scope, and loopbacks in them" {
    var linux_address: [28]u8 = @splat(0);
    linux_address[0] = 10;
    linux_address[18..20].* = .{ 0xff, 0xff };
    linux_address[20..24].* = .{ 127, 1, 2, 3 };
    for ([_]usize{ 24, 28 }) |len| {
        var a: addresses.Address = .{};
        try expectEqual(@as(i32, 0), a.from(linux_address[0..len]));
        try expectEqual(@as(u32, 28), a.len);
        try std.testing.expectEqualSlices(u8, &.{ 28, 30 }, a.bytes[0..2]);
        try std.testing.expectEqualSlices(u8, &.{ 0xff, 0xff, 127, 0, 0, 1 }, a.bytes[18..24]);
    }
    var a: addresses.Address = .{};
    for ([_]usize{ 0, 1, 15, 23 }) |len| try expectEqual(-@as(i32, call.E.INVAL), a.from(linux_address[0..len]));
    linux_address[0] = 17;
    try expectEqual(@as(i32, -97), a.from(&linux_address));
}

test "control messages are widened, padded, and cut" {
    // TTL 33 and TOS 7 as one byte each, and what Linux has no name for.
    const darwin = [_]u8{ 13, 0, 0, 0, 0, 0, 0, 0, 24, 0, 0, 0, 33, 0xee, 0xee, 0xee } ++
        [_]u8{ 13, 0, 0, 0, 0, 0, 0, 0, 99, 0, 0, 0, 1, 0xee, 0xee, 0xee } ++
        [_]u8{ 13, 0, 0, 0, 0, 0, 0, 0, 27, 0, 0, 0, 7, 0xee, 0xee, 0xee };
    var out: [64]u8 = @splat(0xaa);
    var is_cut = false;
    try expectEqual(@as(usize, 48), control_messages.toLinux(&darwin, &out, &is_cut));
    try expect(!is_cut);
    const wanted = [_]u8{ 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 33, 0, 0, 0, 0, 0, 0, 0 } ++
        [_]u8{ 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0 };
    try std.testing.expectEqualSlices(u8, &wanted, out[0..48]);
    try expectEqual(@as(usize, 24), control_messages.toLinux(&darwin, out[0..40], &is_cut));
    try expect(is_cut);
}

test "control messages for Darwin are padded to 4, and times are told" {
    // TTL 33 and TOS 7.
    var sent: [48]u8 = @splat(0);
    for ([_]usize{ 0, 24 }, [_]i32{ 2, 1 }, [_]i32{ 33, 7 }) |at, kind, value| {
        std.mem.writeInt(u64, sent[at..][0..8], 20, .little);
        std.mem.writeInt(i32, sent[at + 12 ..][0..4], kind, .little);
        std.mem.writeInt(i32, sent[at + 16 ..][0..4], value, .little);
    }
    var out: [64]u8 = @splat(0);
    const n = control_messages.toDarwin(&sent, &out).?;
    const wanted = [_]u8{ 16, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 33, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 7, 0, 0, 0 };
    try std.testing.expectEqualSlices(u8, &wanted, out[0..n]);
    // Two descriptors take 20 bytes, behind which the next message begins.
    var more: [48]u8 = @splat(0);
    std.mem.writeInt(u64, more[0..8], 24, .little);
    more[8] = 1;
    more[12] = 1;
    @memcpy(more[24..48], sent[0..24]);
    try expectEqual(@as(usize, 36), control_messages.toDarwin(&more, &out).?);
    try std.testing.expectEqualSlices(u8, &.{ 20, 0, 0, 0, 0xff, 0xff, 0, 0, 1, 0, 0, 0 }, out[0..12]);
    try std.testing.expectEqualSlices(u8, wanted[0..16], out[20..36]);
    const time = [_]u8{ 28, 0, 0, 0, 0xff, 0xff, 0, 0, 2, 0, 0, 0 } ++ [_]u8{9} ** 16;
    var is_cut = false;
    try expectEqual(@as(usize, 32), control_messages.toLinux(&time, &out, &is_cut));
    try std.testing.expectEqualSlices(u8, &.{ 32, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 29, 0, 0, 0, 9 }, out[0..17]);
}

test "signals have their handlers back, and calls go on behind them" {
    try expect(host.start() >= 0);
    _ = host.catchSignals();
    for (0..2) |_| {
        var now: call.c.struct_sigaction = undefined;
        try expectEqual(@as(c_int, 0), call.sys("sigaction")(28, null, &now));
        try expect(now.sa_handler > 1);
        try expectEqual(@as(c_int, 1 | 2), now.sa_flags & 3); // SA_ONSTACK, SA_RESTART
        // SIGWINCH does nothing to who does not ask for it.
        try expectEqual(@as(i32, 0), host.killSelf(28));
    }
}

const Sleeper = struct {
    var word: u32 = 0;
    var awake: u32 = 0;

    fn sleep() void {
        while (@atomicLoad(u32, &word, .seq_cst) == 0) host.threads.sleepWhile(&word, 0);
        _ = @atomicRmw(u32, &awake, .Add, 1, .seq_cst);
    }
};

test "one wake is for all" {
    var threads: [4]std.Thread = undefined;
    for (&threads) |*thread| thread.* = try std.Thread.spawn(.{}, Sleeper.sleep, .{});
    for (0..50) |_| support.nap();
    @atomicStore(u32, &Sleeper.word, 1, .seq_cst);
    host.threads.wakeAll(&Sleeper.word);
    for (threads) |thread| thread.join();
    try expectEqual(@as(u32, 4), Sleeper.awake);
}
