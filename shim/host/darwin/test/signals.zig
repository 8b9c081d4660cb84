//! Signals: every number, what a handler does and leaves alone, what was ignored, and the end that a guest had.

const std = @import("std");
const abi = @import("../../../abi.zig");
const call = @import("../call.zig");
const host = @import("../../darwin.zig");
const poller = @import("../poller.zig");
const signals = @import("../signals.zig");
const support = @import("support.zig");
const c = call.c;
const linux = std.os.linux;
const expect = std.testing.expect;
const expectEqual = std.testing.expectEqual;
const sys = call.sys;

test "each signal of Linux has Darwin's number" {
    // From 0; 16 is SIGSTKFLT, 30 SIGPWR.
    const numbers = [32]u5{ 0, 1, 2, 3, 4, 5, 6, 10, 8, 9, 30, 11, 31, 13, 14, 15, 0, 20, 19, 17, 18, 21, 22, 16, 24, 25, 26, 27, 28, 23, 0, 12 };
    try expectEqual(numbers, signals.darwin);
}

test "a handler notes Linux's number, stops the guest, and leaves errno alone" {
    support.double("");
    try expect(host.start() >= 0);
    _ = host.catchSignals();
    _ = signals.take();
    var block: abi.RegisterBlock = .{};
    signals.setRunning(&block);
    defer signals.setRunning(null);
    // SIGHUP SIGINT SIGQUIT SIGUSR1 SIGUSR2 SIGALRM SIGTERM SIGCONT SIGTSTP SIGWINCH.
    for ([_]u5{ 1, 2, 3, 10, 12, 14, 15, 18, 20, 28 }, [_]c_int{ 1, 2, 3, 30, 31, 14, 15, 19, 18, 28 }) |number, darwin| {
        block.stop = 0;
        try expectEqual(@as(c_int, 0), sys("kill")(sys("getpid")(), darwin));
        while (!signals.pending()) support.nap();
        try expectEqual(@as(u32, 1) << (number - 1), signals.take());
        while (@atomicLoad(u32, &block.stop, .seq_cst) == 0) support.nap();
    }
    // The wake of this one fails.
    const queue = poller.queue;
    poller.queue = 99999;
    defer poller.queue = queue;
    sys("__error")().* = 77;
    _ = linux.tgkill(linux.getpid(), linux.gettid(), .USR1);
    try expect(signals.pending());
    try expectEqual(@as(c_int, 77), sys("__error")().*);
    _ = signals.take();
}

test "what was ignored stays ignored, and is told" {
    _ = host.catchSignals();
    try expectEqual(@as(c_int, 0), sys("sigaction")(c.SIGHUP, &.{ .sa_handler = signals.SIG_IGN, .sa_mask = 0, .sa_flags = 0 }, null));
    signals.caught = 0;
    try expectEqual(@as(u32, 1), host.catchSignals());
    var now: c.struct_sigaction = undefined;
    _ = sys("sigaction")(c.SIGHUP, null, &now);
    try expectEqual(signals.SIG_IGN, now.sa_handler);
    _ = sys("sigaction")(c.SIGHUP, &.{ .sa_handler = 0, .sa_mask = 0, .sa_flags = 0 }, null);
    try expectEqual(@as(u32, 0), host.catchSignals());
}

test "the end that a guest had comes through a mask, and leaves no core" {
    const SIGCHLD = 17;
    const Limit = extern struct { now: u64, most: u64 };
    const other: Limit = .{ .now = 4096, .most = 4096 };
    _ = linux.syscall4(.prlimit64, 0, 4, @intFromPtr(&other), 0); // RLIMIT_CORE
    var set: u64 = 1 << (SIGCHLD - 1);
    _ = linux.syscall4(.rt_sigprocmask, 0, @intFromPtr(&set), 0, 8);
    // Which does nothing to who does not ask for it.
    try expectEqual(@as(i32, 0), host.killSelf(SIGCHLD));
    _ = linux.syscall4(.rt_sigprocmask, 0, 0, @intFromPtr(&set), 8);
    try expectEqual(@as(u64, 0), set & 1 << (SIGCHLD - 1));
    var core: Limit = undefined;
    _ = linux.syscall4(.prlimit64, 0, 4, 0, @intFromPtr(&core));
    try expectEqual(Limit{ .now = 0, .most = 0 }, core);
    var files: Limit = undefined;
    _ = linux.syscall4(.prlimit64, 0, 7, 0, @intFromPtr(&files));
    try expect(files.now > 0);
}
