//! kqueue(2) over epoll(7), and poll(2) and select(2) with Darwin's answers. Only edge-triggered filters of descriptors and user
//! events are modelled. Its ways: a knote belongs to a descriptor's number and goes with it, however many duplicates
//! there are; devices other than terminals cannot be watched; the write end of a pipe cannot either once the reader is gone; nobody
//! is told when the last writer of a FIFO with a name goes.

const std = @import("std");
const base = @import("base.zig");
const c = base.c;
const linux = base.linux;
const fail = base.fail;
const result = base.result;
const arg = base.arg;

const EPOLLIN = 0x1;
const EPOLLPRI = 0x2;
const EPOLLOUT = 0x4;
const EPOLLERR = 0x8;
const EPOLLHUP = 0x10;
const EPOLLRDHUP = 0x2000;
const EPOLLET = 0x80000000;
const longest_timeout_s = 100_000_000;

const Knote = struct { fd: c_int, read: bool = false, write: bool = false, except: bool = false, read_udata: usize = 0, write_udata: usize = 0, except_udata: usize = 0, fifo: bool = false };
const Queue = struct {
    fd: c_int = -1,
    knotes: std.ArrayList(Knote) = .empty,
    user_fd: c_int = -1,
    user_ident: usize = 0,
    user_udata: usize = 0,

    fn find(q: *Queue, fd: c_int) ?*Knote {
        for (q.knotes.items) |*knote| {
            if (knote.fd == fd) return knote;
        }
        return null;
    }
};

var queues: [4]Queue = @splat(.{});

fn queueOf(fd: c_int) ?*Queue {
    for (&queues) |*q| {
        if (q.fd == fd and fd >= 0) return q;
    }
    return null;
}

pub fn isQueue(fd: c_int) bool {
    return queueOf(fd) != null;
}

export fn darwin_kqueue() c_int {
    // Not close-on-exec: kqueues are not inherited anyway.
    const fd = linux.epoll_create1(0);
    if (base.errnoOf(fd) != 0) return result(fd);
    for (&queues) |*q| {
        if (q.fd >= 0) continue;
        q.* = .{ .fd = @intCast(fd) };
        return q.fd;
    }
    base.misuse("too many kqueues");
}

/// A descriptor's number is about to mean something else.
pub fn forget(fd: c_int) void {
    for (&queues) |*q| {
        if (q.fd < 0) continue;
        if (q.fd == fd) q.fd = -1;
        for (q.knotes.items, 0..) |knote, i| {
            if (knote.fd != fd) continue;
            _ = linux.epoll_ctl(q.fd, 2, fd, null);
            _ = q.knotes.swapRemove(i);
            break;
        }
    }
}

/// dup of a kqueue (to lift its number) is the same queue under both numbers until the first is closed.
fn adopt(fd: c_int) ?*Queue {
    var link: [64]u8 = undefined;
    var name: [32]u8 = undefined;
    const path = std.fmt.bufPrintSentinel(&name, "/proc/self/fd/{d}", .{fd}, 0) catch unreachable;
    const n = linux.readlink(path, &link, link.len);
    if (base.errnoOf(n) != 0 or !std.mem.eql(u8, link[0..n], "anon_inode:[eventpoll]")) return null;
    for (&queues) |*q| {
        if (q.fd < 0) {
            q.* = .{ .fd = fd };
            return q;
        }
    }
    return null;
}

export fn darwin_kevent(kq: c_int, changes: ?[*]const c.struct_kevent, change_count: c_int, events: ?[*]c.struct_kevent, event_count: c_int, timeout: ?*const c.struct_timespec) c_int {
    const q = queueOf(kq) orelse adopt(kq) orelse return fail(c.EBADF);
    if (change_count > 0) {
        if (base.isInterrupted()) return -1;
        if (change_count != 1 or event_count != 0) base.misuse("kevent with several changes, or with changes and events");
        const errno = apply(q, &changes.?[0]);
        return if (errno == 0) 0 else fail(errno);
    }
    if (event_count <= 0) return 0;
    return sleep(q, events.?[0..@intCast(event_count)], timeout);
}

/// One of Darwin's errnos, or 0.
fn apply(q: *Queue, change: *const c.struct_kevent) c_int {
    if (change.filter == c.EVFILT_USER) return applyUser(q, change);
    if (change.filter == c.EVFILT_EXCEPT) return applyExcept(q, change);
    if (change.filter != c.EVFILT_READ and change.filter != c.EVFILT_WRITE) return c.EINVAL;
    if (change.fflags != 0 or change.data != 0) base.misuse("a filter with what is not modelled");
    const fd: c_int = @intCast(change.ident);
    const read = change.filter == c.EVFILT_READ;
    switch (change.flags) {
        c.EV_ADD | c.EV_CLEAR => {},
        c.EV_DELETE => {
            const knote = q.find(fd) orelse return c.ENOENT;
            if (!(if (read) knote.read else knote.write)) return c.ENOENT;
            if (read) knote.read = false else knote.write = false;
            return update(q, knote);
        },
        else => base.misuse("a filter that is not edge triggered"),
    }
    const kind = kindOf(fd);
    switch (kind) {
        0 => return c.EBADF,
        linux.S.IFIFO, linux.S.IFSOCK => {},
        linux.S.IFCHR => if (!isTerminal(fd) or base.option(.refuse_tty)) return c.EINVAL,
        linux.S.IFREG, linux.S.IFDIR => base.misuse("a file is watched"),
        else => {},
    }
    if (!read and kind == linux.S.IFIFO and pollLinux(fd, EPOLLOUT) & EPOLLERR != 0) return c.EPIPE;
    const knote = q.find(fd) orelse new: {
        q.knotes.append(std.heap.c_allocator, .{ .fd = fd, .fifo = kind == linux.S.IFIFO and hasName(fd) }) catch return c.ENOMEM;
        break :new &q.knotes.items[q.knotes.items.len - 1];
    };
    if (read) {
        knote.read = true;
        knote.read_udata = change.udata;
    } else {
        knote.write = true;
        knote.write_udata = change.udata;
    }
    return update(q, knote);
}

/// Urgent bytes of sockets, which no other filter tells of.
fn applyExcept(q: *Queue, change: *const c.struct_kevent) c_int {
    const fd: c_int = @intCast(change.ident);
    if (change.flags == c.EV_DELETE) {
        const knote = q.find(fd) orelse return c.ENOENT;
        if (!knote.except) return c.ENOENT;
        knote.except = false;
        return update(q, knote);
    }
    if (change.flags != c.EV_ADD | c.EV_CLEAR or change.fflags != c.NOTE_OOB) base.misuse("an exception that is not modelled");
    if (kindOf(fd) != linux.S.IFSOCK) return c.EINVAL;
    if (q.find(fd) == null) q.knotes.append(std.heap.c_allocator, .{ .fd = fd }) catch return c.ENOMEM;
    const knote = q.find(fd).?;
    knote.except = true;
    knote.except_udata = change.udata;
    return update(q, knote);
}

/// EPOLL_CTL_MOD makes what is ready be told again, as adding a knote anew does.
fn update(q: *Queue, knote: *Knote) c_int {
    var event: linux.epoll_event = .{ .events = EPOLLET, .data = .{ .fd = knote.fd } };
    if (knote.read) event.events |= EPOLLIN | EPOLLRDHUP;
    if (knote.write) event.events |= EPOLLOUT;
    if (knote.except) event.events |= EPOLLPRI;
    if (!knote.read and !knote.write and !knote.except) {
        _ = linux.epoll_ctl(q.fd, 2, knote.fd, null);
        knote.* = q.knotes.items[q.knotes.items.len - 1];
        _ = q.knotes.pop();
        return 0;
    }
    const fd = knote.fd;
    var rc = linux.epoll_ctl(q.fd, 3, fd, &event);
    if (base.errnoOf(rc) == c.ENOENT) rc = linux.epoll_ctl(q.fd, 1, fd, &event);
    return switch (base.errnoOf(rc)) {
        0 => 0,
        c.EPERM => c.EINVAL,
        else => c.ENOMEM,
    };
}

fn applyUser(q: *Queue, change: *const c.struct_kevent) c_int {
    if (change.flags & c.EV_ADD != 0) {
        if (change.flags != c.EV_ADD | c.EV_CLEAR) base.misuse("a user event that is not edge triggered");
        if (q.user_fd >= 0) return 0;
        const fd = linux.eventfd(0, linux.EFD.NONBLOCK | linux.EFD.CLOEXEC);
        q.user_fd = @intCast(fd);
        q.user_ident = change.ident;
        q.user_udata = change.udata;
        var event: linux.epoll_event = .{ .events = EPOLLIN | EPOLLET, .data = .{ .fd = -1 } };
        _ = linux.epoll_ctl(q.fd, 1, q.user_fd, &event);
        return 0;
    }
    if (q.user_fd < 0 or change.ident != q.user_ident) return c.ENOENT;
    // Without the trigger bit it is only a change of flags.
    if (change.fflags & c.NOTE_TRIGGER == 0) return 0;
    const one: u64 = 1;
    _ = linux.write(q.user_fd, @ptrCast(&one), 8);
    return 0;
}

fn sleep(q: *Queue, out: []c.struct_kevent, timeout: ?*const c.struct_timespec) c_int {
    var spec: linux.timespec = undefined;
    if (timeout) |t| {
        if (t.tv_sec < 0 or t.tv_sec > longest_timeout_s or t.tv_nsec < 0 or t.tv_nsec >= 1_000_000_000) return fail(c.EINVAL);
        spec = .{ .sec = t.tv_sec, .nsec = t.tv_nsec };
    }
    // One descriptor may make three events.
    var ready: [128]linux.epoll_event = undefined;
    const limit = @max(@min(out.len / 3, ready.len), 1);
    const n = linux.syscall6(.epoll_pwait2, arg(q.fd), @intFromPtr(&ready), limit, if (timeout == null) 0 else @intFromPtr(&spec), 0, 0);
    if (base.errnoOf(n) != 0) return result(n);
    var count: usize = 0;
    for (ready[0..n]) |event| count = report(q, event, out, count);
    // Only what nobody is told about happened: an early return is one without events.
    return @intCast(count);
}

fn report(q: *Queue, event: linux.epoll_event, out: []c.struct_kevent, before: usize) usize {
    if (event.data.fd == -1) {
        var value: u64 = 0;
        _ = linux.read(q.user_fd, @ptrCast(&value), 8);
        out[before] = .{ .ident = q.user_ident, .filter = c.EVFILT_USER, .flags = c.EV_CLEAR, .fflags = 0, .data = 0, .udata = q.user_udata };
        return before + 1;
    }
    const knote = q.find(event.data.fd) orelse return before;
    var count = before;
    const ended = event.events & (EPOLLHUP | EPOLLRDHUP) != 0;
    const data = unread(knote.fd);
    // The last writer of a FIFO with a name goes in silence.
    const silent = knote.fifo and ended and data == 0;
    if (knote.read and !silent and event.events & (EPOLLIN | EPOLLHUP | EPOLLRDHUP) != 0 and count < out.len) {
        out[count] = .{
            .ident = @intCast(knote.fd),
            .filter = c.EVFILT_READ,
            .flags = c.EV_CLEAR | @as(u16, if (ended and !knote.fifo) c.EV_EOF else 0),
            .fflags = 0,
            .data = data,
            .udata = knote.read_udata,
        };
        count += 1;
    }
    if (knote.except and event.events & EPOLLPRI != 0 and count < out.len) {
        out[count] = .{ .ident = @intCast(knote.fd), .filter = c.EVFILT_EXCEPT, .flags = c.EV_CLEAR, .fflags = c.NOTE_OOB, .data = 0, .udata = knote.except_udata };
        count += 1;
    }
    if (knote.write and event.events & (EPOLLOUT | EPOLLERR) != 0 and count < out.len) {
        out[count] = .{
            .ident = @intCast(knote.fd),
            .filter = c.EVFILT_WRITE,
            .flags = c.EV_CLEAR | @as(u16, if (event.events & EPOLLERR != 0) c.EV_EOF else 0),
            .fflags = 0,
            .data = 16384,
            .udata = knote.write_udata,
        };
        count += 1;
    }
    return count;
}

fn statx(fd: c_int, st: *linux.Statx) bool {
    return base.errnoOf(linux.syscall5(.statx, arg(fd), @intFromPtr(""), 0x1000, 0x7ff, @intFromPtr(st))) == 0;
}

pub fn kindOfPath(path: base.Path) u32 {
    var st: linux.Statx = undefined;
    const rc = linux.syscall5(.statx, arg(-100), @intFromPtr(path), 0, 1, @intFromPtr(&st));
    return if (base.errnoOf(rc) == 0) st.mode & linux.S.IFMT else 0;
}

fn kindOf(fd: c_int) u32 {
    var st: linux.Statx = undefined;
    if (!statx(fd, &st)) return 0;
    // Anonymous inodes have no type of their own.
    return if (st.mode & linux.S.IFMT == 0) linux.S.IFSOCK else st.mode & linux.S.IFMT;
}

fn hasName(fd: c_int) bool {
    var link: [64]u8 = undefined;
    var name: [32]u8 = undefined;
    const path = std.fmt.bufPrintSentinel(&name, "/proc/self/fd/{d}", .{fd}, 0) catch unreachable;
    const n = linux.readlink(path, &link, link.len);
    return base.errnoOf(n) == 0 and link[0] == '/';
}

pub fn isTerminal(fd: c_int) bool {
    var termios: [64]u8 = undefined;
    // One that hung up still is one.
    const errno = base.errnoOf(linux.ioctl(fd, 0x5401, @intFromPtr(&termios)));
    return errno == 0 or errno == c.EIO;
}

fn unread(fd: c_int) c_int {
    var count: c_int = 0;
    return if (base.errnoOf(linux.ioctl(fd, 0x541b, @intFromPtr(&count))) == 0) count else 0;
}

fn pollLinux(fd: c_int, events: u16) u32 {
    var item: [1]linux.pollfd = .{.{ .fd = fd, .events = @bitCast(events), .revents = 0 }};
    const rc = linux.syscall3(.poll, @intFromPtr(&item), 1, 0);
    return if (base.errnoOf(rc) == 0) @as(u16, @bitCast(item[0].revents)) else 0;
}

/// Darwin says POLLHUP, never POLLERR, for a broken pipe, and POLLIN with it; it knows no devices but terminals.
export fn darwin_poll(items: [*]c.struct_pollfd, count: c_uint, timeout: c_int) c_int {
    if (timeout != 0) base.misuse("a poll that waits");
    if (base.isInterrupted()) return -1;
    var ready: c_int = 0;
    for (items[0..count]) |*item| {
        if (item.events & ~@as(i16, c.POLLIN | c.POLLPRI | c.POLLOUT) != 0) base.misuse("poll events that are not Darwin's");
        item.revents = if (item.fd < 0) 0 else @intCast(pollOne(item.fd, @intCast(item.events)));
        if (item.revents != 0) ready += 1;
    }
    return ready;
}

fn pollOne(fd: c_int, events: u32) u32 {
    const kind = kindOf(fd);
    if (kind == 0) return c.POLLNVAL;
    if (kind == linux.S.IFCHR and (!isTerminal(fd) or base.option(.refuse_tty))) return c.POLLNVAL;
    const now = pollLinux(fd, @intCast(events)) & 0x1f;
    if (kind == linux.S.IFSOCK) return pollSocket(fd, events);
    if (kind != linux.S.IFIFO or now & (EPOLLHUP | EPOLLERR) == 0) return now;
    return c.POLLHUP | (events & c.POLLIN);
}

/// A peer that sends no more is a hang-up for who would read; who would write is told of one when nothing can be sent. There is
/// no POLLERR, and an unconnected socket is neither.
fn pollSocket(fd: c_int, events: u32) u32 {
    const now = pollLinux(fd, @intCast((events & 7) | EPOLLRDHUP));
    const dead = now & (EPOLLHUP | EPOLLERR) != 0;
    if (dead and now & EPOLLERR == 0 and now & EPOLLRDHUP == 0) return 0;
    const hung = (events & c.POLLIN != 0 and now & EPOLLRDHUP != 0) or (events & c.POLLOUT != 0 and dead);
    if (!hung) return now & events;
    return c.POLLHUP | (events & c.POLLIN);
}

comptime {
    @export(&selectOne, .{ .name = "darwin_select$DARWIN_EXTSN" });
}

fn selectOne(count: c_int, read: ?[*]u32, write: ?[*]u32, except: ?[*]u32, timeout: *c.struct_timeval) callconv(.c) c_int {
    if (except != null or timeout.tv_sec != 0 or timeout.tv_usec != 0) base.misuse("select in a way that is not modelled");
    var ready: c_int = 0;
    const fd: u32 = @intCast(count - 1);
    const bit = @as(u32, 1) << @intCast(fd % 32);
    for ([_]?[*]u32{ read, write }, [_]u16{ EPOLLIN, EPOLLOUT }) |set, events| {
        const words = set orelse continue;
        if (words[fd / 32] & bit == 0) continue;
        if (pollLinux(@intCast(fd), events) & (events | EPOLLHUP | EPOLLERR) == 0) words[fd / 32] &= ~bit else ready += 1;
    }
    return ready;
}
