//! sigaction(2) and its family under Darwin's numbers.

const std = @import("std");
const base = @import("base.zig");
const c = base.c;
const linux = base.linux;
const fail = base.fail;
const result = base.result;
const libc = std.c;

/// Linux's number of Darwin's signals; 0 for those it lacks (SIGEMT, SIGINFO).
const to_linux = [32]u8{
    0,  1,  2,  3,  4,  5,  6,  0,  8,  9,  7,  11, 31, 13, 14, 15,
    23, 19, 20, 18, 17, 21, 22, 29, 24, 25, 26, 27, 28, 0,  10, 12,
};

fn fromLinux(number: u32) c_int {
    for (to_linux, 0..) |mine, darwin| {
        if (mine == number and mine != 0) return @intCast(darwin);
    }
    return 0;
}

const Handler = *const fn (c_int, ?*anyopaque, ?*anyopaque) callconv(.c) void;

var handlers: [32]usize = @splat(0);
/// Handlers of Linux's that were there before (the runtime's).
var foreign: [32]usize = @splat(0);

fn trampoline(signal: libc.SIG, info: *const libc.siginfo_t, context: ?*anyopaque) callconv(.c) void {
    const number = fromLinux(@intFromEnum(signal));
    const handler: Handler = @ptrFromInt(handlers[@intCast(number)]);
    handler(number, @ptrCast(@constCast(info)), context);
}

/// What the double's users see of a handler that expects Linux's numbers.
fn thunk(comptime darwin: usize) usize {
    return @intFromPtr(&struct {
        fn call(number: c_int, info: ?*anyopaque, context: ?*anyopaque) callconv(.c) void {
            if (number != darwin) base.misuse("a signal's handler is called with another signal's number");
            const handler: Handler = @ptrFromInt(foreign[darwin]);
            handler(to_linux[darwin], info, context);
        }
    }.call);
}

fn thunkOf(number: usize) usize {
    inline for (1..32) |darwin| {
        if (darwin == number) return thunk(darwin);
    }
    unreachable;
}

export fn darwin_sigaction(signal: c_int, new: ?*const c.struct_sigaction, old: ?*c.struct_sigaction) c_int {
    if (signal < 1 or signal > 31 or to_linux[@intCast(signal)] == 0) return fail(c.EINVAL);
    const darwin: usize = @intCast(signal);
    const number: libc.SIG = @enumFromInt(to_linux[darwin]);
    var before: libc.Sigaction = undefined;
    if (libc.sigaction(number, null, &before) != 0) return fail(c.EINVAL);
    if (old) |out| {
        const address = @intFromPtr(before.handler.handler);
        out.* = .{ .sa_handler = address, .sa_mask = 0, .sa_flags = flagsOf(before.flags) };
        if (address == @intFromPtr(&trampoline)) {
            out.sa_handler = handlers[darwin];
        } else if (address > 1) {
            foreign[darwin] = address;
            out.sa_handler = thunkOf(darwin);
        }
    }
    const action = new orelse return 0;
    if (action.sa_flags & ~@as(c_int, 0x7f) != 0) base.misuse("sigaction flags that are not Darwin's");
    var after: libc.Sigaction = .{ .handler = .{ .handler = null }, .mask = std.mem.zeroes(libc.sigset_t), .flags = libc.SA.SIGINFO };
    if (action.sa_flags & c.SA_ONSTACK != 0) after.flags |= libc.SA.ONSTACK;
    if (action.sa_flags & c.SA_RESTART != 0) after.flags |= libc.SA.RESTART;
    if (action.sa_handler > 1) {
        handlers[darwin] = action.sa_handler;
        after.handler = .{ .sigaction = &trampoline };
    } else {
        after.flags &= ~@as(c_uint, libc.SA.SIGINFO);
        after.handler = .{ .handler = @ptrFromInt(action.sa_handler) };
    }
    return if (libc.sigaction(number, &after, null) == 0) 0 else fail(c.EINVAL);
}

fn flagsOf(flags: c_uint) c_int {
    var out: c_int = 0;
    if (flags & libc.SA.ONSTACK != 0) out |= c.SA_ONSTACK;
    if (flags & libc.SA.RESTART != 0) out |= c.SA_RESTART;
    if (flags & libc.SA.SIGINFO != 0) out |= c.SA_SIGINFO;
    return out;
}

export fn darwin_pthread_sigmask(how: c_int, set: *const u32, old: ?*u32) c_int {
    // SIG_BLOCK and SIG_UNBLOCK are one less on Linux.
    if (how != c.SIG_BLOCK and how != c.SIG_UNBLOCK) return c.EINVAL;
    if (old != null) base.misuse("the old mask is not modelled");
    var mask: u64 = 0;
    for (to_linux, 0..) |number, darwin| {
        if (number != 0 and set.* >> @intCast(darwin - 1) & 1 != 0) mask |= @as(u64, 1) << @intCast(number - 1);
    }
    _ = linux.syscall4(.rt_sigprocmask, @intCast(how - 1), @intFromPtr(&mask), 0, 8);
    return 0;
}

export fn darwin_kill(pid: c_int, signal: c_int) c_int {
    if (signal < 0 or signal > 31 or (signal > 0 and to_linux[@intCast(signal)] == 0)) return fail(c.EINVAL);
    return result(linux.syscall2(.kill, base.arg(pid), to_linux[@intCast(signal)]));
}

const infinity = std.math.maxInt(i63);

fn resource(number: c_int) usize {
    return switch (number) {
        c.RLIMIT_CORE => 4,
        c.RLIMIT_NOFILE => 7,
        else => base.misuse("a limit that is not modelled"),
    };
}

/// The hard limit of descriptors is "unlimited", and nobody may ask for that.
export fn darwin_getrlimit(number: c_int, out: *c.struct_rlimit) c_int {
    const rc = linux.syscall4(.prlimit64, 0, resource(number), 0, @intFromPtr(out));
    if (number == c.RLIMIT_NOFILE) {
        out.rlim_cur = @min(out.rlim_cur, 256);
        out.rlim_max = infinity;
    }
    return result(rc);
}

export fn darwin_setrlimit(number: c_int, in: *const c.struct_rlimit) c_int {
    var limit = in.*;
    if (number == c.RLIMIT_NOFILE) {
        if (in.rlim_cur >= infinity) return fail(c.EINVAL);
        var now: c.struct_rlimit = undefined;
        _ = linux.syscall4(.prlimit64, 0, 7, 0, @intFromPtr(&now));
        limit.rlim_max = now.rlim_max;
        limit.rlim_cur = @min(limit.rlim_cur, limit.rlim_max);
    }
    return result(linux.syscall4(.prlimit64, 0, resource(number), @intFromPtr(&limit), 0));
}
