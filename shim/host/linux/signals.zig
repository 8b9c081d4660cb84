//! Signals that the user or the system sends to carrick. A handler may do three things only: note the signal in a
//! bitmap, stop the running guest code, end the poller's sleep. The kernel takes the bitmap when it waits.

const std = @import("std");
const abi = @import("../../abi.zig");
const call = @import("call.zig");
const kick = @import("../kick.zig");
const poller = @import("poller.zig");
const terminal = @import("terminal.zig");
const c = std.c;

var arrived: u32 = 0;
var running: ?*abi.RegisterBlock = null;
/// Signals that have our handler (bit n-1).
var caught: u32 = 0;

/// SIGHUP SIGINT SIGQUIT SIGUSR1 SIGUSR2 SIGALRM SIGTERM SIGCONT SIGTSTP SIGWINCH.
const wanted = [_]u5{ 1, 2, 3, 10, 12, 14, 15, 18, 20, 28 };

fn bit(number: u5) u32 {
    return @as(u32, 1) << (number - 1);
}

/// Installs the handlers. A signal that was ignored when carrick started stays ignored (nohup); the set of those is the
/// answer.
pub fn catchSignals() u32 {
    var ignored: u32 = 0;
    for (wanted) |number| {
        var old: c.Sigaction = undefined;
        if (c.sigaction(@enumFromInt(number), null, &old) != 0) continue;
        const handled = caught & bit(number) != 0;
        if (!handled and old.handler.handler == c.SIG.IGN) {
            ignored |= bit(number);
            continue;
        }
        install(number);
    }
    return ignored;
}

/// Those among the wanted signals that are ignored, as a shell leaves them to what it starts in the background.
pub fn ignoredSignals() u32 {
    var ignored: u32 = 0;
    for (wanted) |number| {
        var now: c.Sigaction = undefined;
        if (c.sigaction(@enumFromInt(number), null, &now) == 0 and now.handler.handler == c.SIG.IGN) ignored |= bit(number);
    }
    return ignored;
}

fn install(number: u5) void {
    var action: c.Sigaction = .{
        .handler = .{ .handler = &onSignal },
        .mask = std.mem.zeroes(c.sigset_t),
        .flags = c.SA.ONSTACK | c.SA.RESTART,
    };
    if (c.sigaction(@enumFromInt(number), &action, null) == 0) caught |= bit(number);
}

fn onSignal(signal: c.SIG) callconv(.c) void {
    const number: u5 = @intCast(@intFromEnum(signal));
    _ = @atomicRmw(u32, &arrived, .Or, bit(number), .seq_cst);
    stopRunning();
    poller.wake();
}

/// Stops the guest code that the kernel's thread runs, or runs next. From any thread or handler; blocks stay readable for ever.
pub fn stopRunning() void {
    if (@atomicLoad(?*abi.RegisterBlock, &running, .seq_cst)) |block| kick.stop(block);
}

/// The block to stop when a signal arrives; null while no guest code runs.
pub fn setRunning(block: ?*abi.RegisterBlock) void {
    @atomicStore(?*abi.RegisterBlock, &running, block, .seq_cst);
}

/// The block is about to be freed.
pub fn forgetRunning(block: *abi.RegisterBlock) void {
    _ = @cmpxchgStrong(?*abi.RegisterBlock, &running, block, null, .seq_cst, .seq_cst);
}

pub fn pending() bool {
    return @atomicLoad(u32, &arrived, .seq_cst) != 0;
}

pub fn take() u32 {
    return @atomicRmw(u32, &arrived, .Xchg, 0, .seq_cst);
}

/// Gives carrick the end that its guest had: the signal with its default action. Returns only when that action does not
/// end the process (a stop that was continued).
pub fn killSelf(number: u32) i32 {
    if (number < 1 or number > 31) return -call.EINVAL;
    const signal: c.SIG = @enumFromInt(number);
    // The guest dumped core or not; carrick's own memory is nobody's business.
    _ = c.setrlimit(.CORE, &.{ .cur = 0, .max = 0 });
    terminal.restore();
    const had_handler = caught & bit(@intCast(number)) != 0;
    const default: c.Sigaction = .{ .handler = .{ .handler = c.SIG.DFL }, .mask = std.mem.zeroes(c.sigset_t), .flags = 0 };
    _ = c.sigaction(signal, &default, null);
    var set: u64 = @as(u64, 1) << @intCast(number - 1);
    const SIG_UNBLOCK = 1;
    _ = call.plain(.rt_sigprocmask, .{ SIG_UNBLOCK, @intFromPtr(&set), 0, 8 });
    const rc = call.narrow(call.plain(.kill, .{ call.fdArg(c.getpid()), number }));
    if (had_handler) install(@intCast(number));
    return rc;
}
