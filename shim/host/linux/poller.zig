//! The one place where carrick sleeps: an epoll instance with every host descriptor somebody waits for, edge
//! triggered, so that a ready descriptor nobody reads costs one wake and never a loop; an eventfd through which signals
//! and other threads end the sleep. Threads of the shim that work for the kernel report here (`finish`): while they are
//! expected, the sleep begins with a short spin.

const std = @import("std");
const call = @import("call.zig");
const files = @import("files.zig");
const signals = @import("signals.zig");
const threads = @import("threads.zig");
const linux = call.linux;
const narrow = call.narrow;
const fdArg = call.fdArg;

const EPOLLET: u32 = 1 << 31;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLL_CTL_MOD = 3;
const wake_token: u32 = 0xffff_ffff;

var epoll_fd: i32 = -1;
var wake_fd: i32 = -1;

/// Idempotent. 0 or -errno.
pub fn start() i32 {
    if (epoll_fd >= 0) return 0;
    const EFD_CLOEXEC_NONBLOCK = 0o2004000;
    const event = files.lift(narrow(call.plain(.eventfd2, .{ 0, EFD_CLOEXEC_NONBLOCK })));
    if (event < 0) return event;
    const poll = files.lift(narrow(call.plain(.epoll_create1, .{0o2000000})));
    if (poll < 0) return poll;
    wake_fd = event;
    epoll_fd = poll;
    return control(EPOLL_CTL_ADD, event, linux.EPOLL.IN, wake_token);
}

fn control(operation: u32, fd: i32, events: u32, token: u32) i32 {
    var event: linux.epoll_event = .{ .events = events, .data = .{ .u64 = token } };
    return narrow(linux.epoll_ctl(epoll_fd, operation, fd, &event));
}

/// Reports `events` (EPOLLIN, EPOLLOUT, ...) of `fd` under `token`. 1: the file is always ready and was not added.
pub fn pollAdd(fd: i32, events: u32, token: u32) i32 {
    const rc = control(EPOLL_CTL_ADD, fd, events | EPOLLET, token);
    return if (rc == -call.EPERM) 1 else rc;
}

/// Also re-arms: events that hold already are reported once more.
pub fn pollChange(fd: i32, events: u32, token: u32) i32 {
    return control(EPOLL_CTL_MOD, fd, events | EPOLLET, token);
}

pub fn pollRemove(fd: i32) i32 {
    return control(EPOLL_CTL_DEL, fd, 0, 0);
}

/// poll(2) of one descriptor without waiting: ready events or -errno.
pub fn pollNow(fd: i32, events: u32) i32 {
    var item: [1]linux.pollfd = .{.{ .fd = fd, .events = @bitCast(@as(u16, @truncate(events))), .revents = 0 }};
    // arm64 has no poll; ppoll with no time to wait is the same.
    const at_once: linux.timespec = .{ .sec = 0, .nsec = 0 };
    const rc = narrow(call.again(.ppoll, .{ @intFromPtr(&item), 1, @intFromPtr(&at_once), 0, 0 }));
    return if (rc <= 0) rc else @as(u16, @bitCast(item[0].revents));
}

/// Ends the current or the next `wait`. Async-signal-safe, from any thread.
pub fn wake() void {
    const one: u64 = 1;
    _ = call.plain(.write, .{ fdArg(wake_fd), @intFromPtr(&one), 8 });
}

const workers = @import("../waiting.zig").Workers(threads, signals.stopRunning, wake);
pub const expect = workers.expect;
pub const finish = workers.finish;
pub const finished = workers.finished;
pub const take = workers.take;
pub const settle = workers.settle;

const max_events = 64;
var has_pwait2 = true;

/// Sleeps until something happens or `timeout_ns` (infinity: no limit) have passed. out[0] becomes the set of signals
/// that arrived (bit n-1 for signal n), then (token, events) pairs follow; returns how many pairs.
pub fn wait(timeout_ns: f64, out: [*]u32, max_pairs: u32) i32 {
    var events: [max_events]linux.epoll_event = undefined;
    const limit = @min(max_pairs, max_events);
    const timeout = workers.beforeSleep(if (signals.pending()) 0 else timeout_ns);
    const n = if (limit == 0) -call.EINVAL else sleep(&events, limit, timeout);
    workers.afterSleep();
    out[0] = signals.take();
    if (n < 0) return if (n == -call.EINTR) 0 else n;
    var pairs: u32 = 0;
    for (events[0..@intCast(n)]) |event| {
        if (event.data.u32 == wake_token) {
            var count: u64 = 0;
            _ = call.plain(.read, .{ fdArg(wake_fd), @intFromPtr(&count), 8 });
            out[0] |= signals.take();
            continue;
        }
        out[1 + 2 * pairs] = event.data.u32;
        out[2 + 2 * pairs] = event.events;
        pairs += 1;
    }
    return @intCast(pairs);
}

fn sleep(events: *[max_events]linux.epoll_event, limit: u32, timeout_ns: f64) i32 {
    const forever = !(timeout_ns < 9.0e18);
    const ns: u64 = if (forever or !(timeout_ns > 0)) 0 else @intFromFloat(timeout_ns);
    if (has_pwait2) {
        var spec: linux.timespec = .{ .sec = @intCast(ns / std.time.ns_per_s), .nsec = @intCast(ns % std.time.ns_per_s) };
        const limit_ptr: usize = if (forever) 0 else @intFromPtr(&spec);
        const n = narrow(call.plain(.epoll_pwait2, .{ fdArg(epoll_fd), @intFromPtr(events), limit, limit_ptr, 0, 0 }));
        if (n != -call.ENOSYS) return n;
        has_pwait2 = false;
    }
    // Milliseconds, rounded up: an old kernel may sleep too long, never too short.
    const ms: i32 = if (forever) -1 else @intCast(@min((ns + 999_999) / 1_000_000, std.math.maxInt(i32)));
    return narrow(linux.epoll_pwait(epoll_fd, events, limit, ms, null));
}
