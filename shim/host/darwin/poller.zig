//! The one place where carrick sleeps: a kqueue(2) with every host descriptor somebody waits for, edge triggered (EV_CLEAR),
//! so that a ready descriptor nobody reads costs one wake and never a loop; a user event through which signals and other
//! threads end the sleep. Events are epoll(7)'s. What kqueue does not tell about (the last writer of a FIFO that has a name,
//! terminals that it refuses) is looked at every few milliseconds while somebody waits for it.

const std = @import("std");
const call = @import("call.zig");
const files = @import("files.zig");
const signals = @import("signals.zig");
const threads = @import("threads.zig");
const c = call.c;
const sys = call.sys;

const EPOLLIN = 0x1;
const EPOLLPRI = 0x2;
const EPOLLOUT = 0x4;
const EPOLLERR = 0x8;
const EPOLLHUP = 0x10;
const EPOLLRDHUP = 0x2000;

const wake_ident = 0;
const wake_token: usize = 0xffff_ffff;
/// Spurious returns are legal, and Darwin refuses times beyond about three years.
const longest_sleep_s = 1_000_000;
const look_again_ns = 5 * std.time.ns_per_ms;

pub var queue: i32 = -1;

/// Idempotent. 0 or -errno.
pub fn start() i32 {
    if (queue >= 0) return 0;
    const made = files.lift(call.result(sys("kqueue")()));
    if (made < 0) return made;
    _ = sys("fcntl")(made, c.F_SETFD, @as(c_int, c.FD_CLOEXEC));
    queue = made;
    return change(wake_ident, c.EVFILT_USER, c.EV_ADD | c.EV_CLEAR, 0, wake_token);
}

/// One change of the queue: 0 or -errno.
fn change(ident: usize, filter: i16, flags: u16, fflags: u32, token: usize) i32 {
    const one = [1]c.struct_kevent{.{ .ident = ident, .filter = filter, .flags = flags, .fflags = fflags, .data = 0, .udata = token }};
    while (true) {
        const rc = sys("kevent")(queue, &one, 1, null, 0, null);
        if (!call.interrupted(rc)) return call.result(rc);
    }
}

/// What is looked at by and by.
const Slow = struct { fd: i32, events: u32, token: u32 };
var slow: [64]Slow = undefined;
var slow_count: usize = 0;

/// Reports `events` (EPOLLIN, EPOLLOUT, ...) of `fd` under `token`. 1: the file is always ready and was not added.
pub fn pollAdd(fd: i32, events: u32, token: u32) i32 {
    var st: c.struct_stat = undefined;
    if (sys("fstat")(fd, &st) != 0) return call.failure();
    const kind = st.st_mode & c.S_IFMT;
    if (kind == c.S_IFREG or kind == c.S_IFDIR) return 1;
    const flags = sys("fcntl")(fd, c.F_GETFL);
    if (flags < 0) return call.failure();
    const mode = flags & c.O_ACCMODE;
    if (mode != c.O_WRONLY) {
        const rc = change(@intCast(fd), c.EVFILT_READ, c.EV_ADD | c.EV_CLEAR, 0, token);
        if (rc == -call.E.INVAL) return if (isTerminal(fd)) addSlow(fd, events, token) else 1;
        if (rc < 0) return rc;
    }
    // An urgent byte is none that can be read. Where there is none such, nothing is lost.
    if (kind == c.S_IFSOCK and events & EPOLLPRI != 0) _ = change(@intCast(fd), c.EVFILT_EXCEPT, c.EV_ADD | c.EV_CLEAR, c.NOTE_OOB, token);
    if (mode != c.O_RDONLY and events & EPOLLOUT != 0) {
        const rc = change(@intCast(fd), c.EVFILT_WRITE, c.EV_ADD | c.EV_CLEAR, 0, token);
        if (rc == -call.E.INVAL) return if (isTerminal(fd)) addSlow(fd, events, token) else 1;
        // A pipe whose reader is gone already cannot be watched: it is in its last state.
        if (rc < 0) return if (kind == c.S_IFIFO) addSlow(fd, events, token) else rc;
    }
    return if (kind == c.S_IFIFO and st.st_dev != 0) addSlow(fd, events, token) else 0;
}

/// Whether a descriptor is some kqueue, of the runtime's perhaps: its attributes are those of a pipe.
pub fn isQueue(fd: i32) bool {
    const no_time: c.struct_timespec = .{ .tv_sec = 0, .tv_nsec = 0 };
    return sys("kevent")(fd, null, 0, null, 0, &no_time) == 0;
}

pub fn isTerminal(fd: i32) bool {
    var now: c.struct_termios = undefined;
    return sys("ioctl")(fd, c.TIOCGETA, &now) == 0;
}

fn addSlow(fd: i32, events: u32, token: u32) i32 {
    removeSlow(fd);
    if (slow_count == slow.len) return -call.E.NOMEM;
    slow[slow_count] = .{ .fd = fd, .events = events, .token = token };
    slow_count += 1;
    return 0;
}

fn removeSlow(fd: i32) void {
    for (slow[0..slow_count], 0..) |entry, i| {
        if (entry.fd != fd) continue;
        slow_count -= 1;
        slow[i] = slow[slow_count];
        return;
    }
}

/// Also re-arms: events that hold already are reported once more.
pub fn pollChange(fd: i32, events: u32, token: u32) i32 {
    _ = change(@intCast(fd), c.EVFILT_WRITE, c.EV_DELETE, 0, 0);
    return @min(pollAdd(fd, events, token), 0);
}

pub fn pollRemove(fd: i32) i32 {
    removeSlow(fd);
    _ = change(@intCast(fd), c.EVFILT_EXCEPT, c.EV_DELETE, 0, 0);
    const read = change(@intCast(fd), c.EVFILT_READ, c.EV_DELETE, 0, 0);
    const write = change(@intCast(fd), c.EVFILT_WRITE, c.EV_DELETE, 0, 0);
    return @max(read, write);
}

/// poll(2) of one descriptor without waiting: ready events or -errno.
pub fn pollNow(fd: i32, events: u32) i32 {
    const answer = pollDarwin(fd, events);
    if (answer < 0) return answer;
    var ready = @as(u32, @intCast(answer)) & (EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLERR | EPOLLHUP);
    if (answer & c.POLLNVAL != 0) {
        var st: c.struct_stat = undefined;
        if (sys("fstat")(fd, &st) != 0) return c.POLLNVAL;
        return selectNow(fd, events);
    }
    if (ready & EPOLLHUP != 0) ready = hangUp(fd, ready, events);
    return @intCast(ready);
}

/// Its bits for these events are Linux's.
fn pollDarwin(fd: i32, events: u32) i32 {
    var item: [1]c.struct_pollfd = .{.{ .fd = fd, .events = @intCast(events & (EPOLLIN | EPOLLPRI | EPOLLOUT)), .revents = 0 }};
    while (true) {
        const rc = sys("poll")(&item, 1, 0);
        if (!call.interrupted(rc)) return if (rc < 0) call.failure() else @as(u16, @bitCast(item[0].revents));
    }
}

/// Darwin says POLLHUP for both ends of a broken pipe, with POLLIN even when nothing is left to read, and for a connection whose
/// peer will send no more, without POLLOUT.
fn hangUp(fd: i32, darwin: u32, events: u32) u32 {
    var st: c.struct_stat = undefined;
    if (sys("fstat")(fd, &st) != 0) return darwin;
    switch (st.st_mode & c.S_IFMT) {
        c.S_IFIFO => {
            if (sys("fcntl")(fd, c.F_GETFL) & c.O_ACCMODE == c.O_WRONLY) return EPOLLERR | (events & EPOLLOUT);
            return if (unread(fd) > 0) darwin else darwin & ~@as(u32, EPOLLIN);
        },
        c.S_IFSOCK => {
            const ended = (darwin & ~@as(u32, EPOLLHUP)) | (events & (EPOLLIN | EPOLLRDHUP));
            const out = pollDarwin(fd, EPOLLOUT);
            // Nor can anything be sent: the connection is over.
            if (out < 0 or out & EPOLLHUP != 0) return ended | EPOLLHUP | (events & EPOLLOUT);
            return ended | (@as(u32, @intCast(out)) & events);
        },
        else => return darwin | (events & EPOLLRDHUP),
    }
}

fn unread(fd: i32) c_int {
    var count: c_int = 0;
    return if (sys("ioctl")(fd, c.FIONREAD, &count) == 0) count else 0;
}

const most_descriptors = 65536;

/// For devices that poll(2) does not know.
fn selectNow(fd: i32, events: u32) i32 {
    if (fd >= most_descriptors) return @intCast(events & (EPOLLIN | EPOLLOUT));
    var sets: [2][most_descriptors / 32]u32 = @splat(@splat(0));
    const word: usize = @intCast(@divFloor(fd, 32));
    const bit = @as(u32, 1) << @intCast(@mod(fd, 32));
    if (events & EPOLLIN != 0) sets[0][word] = bit;
    if (events & EPOLLOUT != 0) sets[1][word] = bit;
    var no_time: c.struct_timeval = .{ .tv_sec = 0, .tv_usec = 0 };
    const rc = sys("select$DARWIN_EXTSN")(fd + 1, &sets[0], &sets[1], null, &no_time);
    if (rc < 0) return call.failure();
    var ready: i32 = 0;
    if (sets[0][word] & bit != 0) ready |= EPOLLIN;
    if (sets[1][word] & bit != 0) ready |= EPOLLOUT;
    return ready;
}

/// Ends the current or the next `wait`. From any thread or signal handler: one system call.
pub fn wake() void {
    const one = [1]c.struct_kevent{.{ .ident = wake_ident, .filter = c.EVFILT_USER, .flags = 0, .fflags = c.NOTE_TRIGGER, .data = 0, .udata = wake_token }};
    _ = sys("kevent")(queue, &one, 1, null, 0, null);
}

const workers = @import("../waiting.zig").Workers(threads, signals.stopRunning, wake);
pub const expect = workers.expect;
pub const finish = workers.finish;
pub const finished = workers.finished;
pub const take = workers.take;
pub const settle = workers.settle;

const max_events = 64;

/// Sleeps until something happens or `timeout_ns` (infinity: no limit) have passed. out[0] becomes the set of signals
/// that arrived (bit n-1 for signal n), then (token, events) pairs follow; returns how many pairs.
pub fn wait(timeout_ns: f64, out: [*]u32, max_pairs: u32) i32 {
    var events: [max_events]c.struct_kevent = undefined;
    const limit = @min(max_pairs, max_events);
    const timeout = workers.beforeSleep(if (signals.pending()) 0 else timeout_ns);
    const seen = if (limit == 0) -call.E.INVAL else sleep(&events, limit, timeout);
    workers.afterSleep();
    out[0] = signals.take();
    if (seen < 0) return if (seen == -call.E.INTR) 0 else seen;
    var pairs: u32 = 0;
    for (events[0..@intCast(seen)]) |*event| {
        if (event.filter == c.EVFILT_USER) {
            out[0] |= signals.take();
            continue;
        }
        out[1 + 2 * pairs] = @intCast(event.udata);
        out[2 + 2 * pairs] = epollEvents(event);
        pairs += 1;
    }
    for (slow[0..slow_count]) |entry| {
        if (pairs == limit) break;
        const ready = pollNow(entry.fd, entry.events);
        if (ready <= 0) continue;
        out[1 + 2 * pairs] = entry.token;
        out[2 + 2 * pairs] = @intCast(ready);
        pairs += 1;
    }
    return @intCast(pairs);
}

fn epollEvents(event: *const c.struct_kevent) u32 {
    const ended = event.flags & c.EV_EOF != 0;
    if (event.filter == c.EVFILT_EXCEPT) return if (event.fflags & c.NOTE_OOB != 0) EPOLLPRI else 0;
    if (event.filter == c.EVFILT_WRITE) return if (ended) EPOLLOUT | EPOLLERR else EPOLLOUT;
    return if (ended) EPOLLIN | EPOLLHUP | EPOLLRDHUP else EPOLLIN;
}

fn sleep(events: *[max_events]c.struct_kevent, limit: u32, timeout_ns: f64) i32 {
    const forever = !(timeout_ns < longest_sleep_s * std.time.ns_per_s);
    var ns: u64 = if (forever) longest_sleep_s * std.time.ns_per_s else if (!(timeout_ns > 0)) 0 else @intFromFloat(timeout_ns);
    if (slow_count > 0) ns = @min(ns, look_again_ns);
    const spec: c.struct_timespec = .{ .tv_sec = @intCast(ns / std.time.ns_per_s), .tv_nsec = @intCast(ns % std.time.ns_per_s) };
    const no_limit = forever and slow_count == 0;
    return call.result(sys("kevent")(queue, null, 0, events, @intCast(limit), if (no_limit) null else &spec));
}
