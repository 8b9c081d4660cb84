//! Signals that the user or the system sends to carrick, under Linux's numbers. A handler may do three things only: note the
//! signal in a bitmap, stop the running guest code, end the poller's sleep. The kernel takes the bitmap when it waits.

const abi = @import("../../abi.zig");
const call = @import("call.zig");
const kick = @import("../kick.zig");
const poller = @import("poller.zig");
const terminal = @import("terminal.zig");
const c = call.c;
const sys = call.sys;

var arrived: u32 = 0;
var running: ?*abi.RegisterBlock = null;
/// Signals that have our handler (bit n-1). A test may begin anew.
pub var caught: u32 = 0;

/// SIGHUP SIGINT SIGQUIT SIGUSR1 SIGUSR2 SIGALRM SIGTERM SIGCONT SIGTSTP SIGWINCH.
const wanted = [_]u5{ 1, 2, 3, 10, 12, 14, 15, 18, 20, 28 };

/// Darwin's number for each of Linux's; 0 where it has no such signal (SIGSTKFLT, SIGPWR).
pub const darwin = [32]u5{
    0,         c.SIGHUP,  c.SIGINT,    c.SIGQUIT, c.SIGILL,   c.SIGTRAP, c.SIGABRT, c.SIGBUS,
    c.SIGFPE,  c.SIGKILL, c.SIGUSR1,   c.SIGSEGV, c.SIGUSR2,  c.SIGPIPE, c.SIGALRM, c.SIGTERM,
    0,         c.SIGCHLD, c.SIGCONT,   c.SIGSTOP, c.SIGTSTP,  c.SIGTTIN, c.SIGTTOU, c.SIGURG,
    c.SIGXCPU, c.SIGXFSZ, c.SIGVTALRM, c.SIGPROF, c.SIGWINCH, c.SIGIO,   0,         c.SIGSYS,
};

/// Linux's number for each of Darwin's; 0 for SIGEMT and SIGINFO.
const linux: [32]u5 = table: {
    var all: [32]u5 = @splat(0);
    for (darwin, 0..) |number, mine| {
        if (number != 0) all[number] = mine;
    }
    break :table all;
};

fn bit(number: u5) u32 {
    return @as(u32, 1) << (number - 1);
}

/// Installs the handlers. A signal that was ignored when carrick started stays ignored (nohup); the set of those is the
/// answer.
pub fn catchSignals() u32 {
    var ignored: u32 = 0;
    for (wanted) |number| {
        var old: c.struct_sigaction = undefined;
        if (sys("sigaction")(darwin[number], null, &old) != 0) continue;
        const handled = caught & bit(number) != 0;
        if (!handled and old.sa_handler == SIG_IGN) {
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
        var now: c.struct_sigaction = undefined;
        if (sys("sigaction")(darwin[number], null, &now) == 0 and now.sa_handler == SIG_IGN) ignored |= bit(number);
    }
    return ignored;
}

const SIG_DFL = 0;
pub const SIG_IGN = 1;

fn install(number: u5) void {
    const action: c.struct_sigaction = .{ .sa_handler = @intFromPtr(&onSignal), .sa_mask = 0, .sa_flags = c.SA_ONSTACK | c.SA_RESTART };
    if (sys("sigaction")(darwin[number], &action, null) == 0) caught |= bit(number);
}

fn onSignal(signal: c_int) callconv(.c) void {
    const errno = sys("__error")();
    const before = errno.*;
    _ = @atomicRmw(u32, &arrived, .Or, bit(linux[@intCast(signal)]), .seq_cst);
    stopRunning();
    poller.wake();
    errno.* = before;
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

/// For threads of the shim's own: signals are for the kernel's thread.
pub fn blockAll() void {
    const all: u32 = 0xffff_ffff;
    _ = sys("pthread_sigmask")(c.SIG_BLOCK, &all, null);
}

/// Gives carrick the end that its guest had: the signal with its default action. Returns only when that action does not
/// end the process (a stop that was continued), or where Darwin has no such signal.
pub fn killSelf(number: u32) i32 {
    if (number < 1 or number > 31 or darwin[number] == 0) return -call.E.INVAL;
    const signal = darwin[number];
    // The guest dumped core or not; carrick's own memory is nobody's business.
    _ = sys("setrlimit")(c.RLIMIT_CORE, &.{ .rlim_cur = 0, .rlim_max = 0 });
    terminal.restore();
    const had_handler = caught & bit(@intCast(number)) != 0;
    _ = sys("sigaction")(signal, &.{ .sa_handler = SIG_DFL, .sa_mask = 0, .sa_flags = 0 }, null);
    const set = bit(signal);
    _ = sys("pthread_sigmask")(c.SIG_UNBLOCK, &set, null);
    const rc = call.result(sys("kill")(sys("getpid")(), signal));
    if (had_handler) install(@intCast(number));
    return rc;
}
