//! Start and end of the process, and facts about the machine and the user.

const std = @import("std");
const call = @import("call.zig");
const files = @import("files.zig");
const poller = @import("poller.zig");
const terminal = @import("terminal.zig");
const linux = call.linux;
const c = std.c;

var started = false;
var start_sec: i64 = 0;
var start_nsec: i64 = 0;
var inherited_umask: u32 = 0o022;

/// Once per process: raises the descriptor limit, takes the umask over (the guest's kernel applies masks, so the host
/// must not), opens the poller. The inherited umask, or -errno.
pub fn start() i32 {
    if (started) return @intCast(inherited_umask);
    var limit: c.rlimit = undefined;
    if (c.getrlimit(.NOFILE, &limit) == 0) {
        if (limit.cur < limit.max) {
            limit.cur = limit.max;
            _ = c.setrlimit(.NOFILE, &limit);
        }
        if (limit.cur < 256) files.low_limit = 3;
    }
    files.reserveLow();
    const rc = poller.start();
    if (rc < 0) return rc;
    const now = read(1);
    start_sec = now.sec;
    start_nsec = now.nsec;
    inherited_umask = @truncate(call.plain(.umask, .{0}));
    started = true;
    return @intCast(inherited_umask);
}

/// exit_group(2) after giving the terminal back. Standard output is never buffered in this process.
pub fn exitNow(code: u32) noreturn {
    terminal.restore();
    linux.exit_group(@intCast(code & 0xff));
}

fn read(id: u32) linux.timespec {
    var spec: c.timespec = undefined;
    _ = c.clock_gettime(@enumFromInt(id), &spec);
    return .{ .sec = spec.sec, .nsec = spec.nsec };
}

/// clock_gettime(2) with Linux's clock numbers: seconds and nanoseconds.
pub fn clock(id: u32, out: *[2]f64) i32 {
    var spec: c.timespec = undefined;
    if (id > 11 or c.clock_gettime(@enumFromInt(id), &spec) != 0) return -call.EINVAL;
    out.* = .{ @floatFromInt(spec.sec), @floatFromInt(spec.nsec) };
    return 0;
}

/// The clock behind CNTVCT_EL0.
pub fn monotonicNs() u64 {
    var now: c.timespec = undefined;
    _ = c.clock_gettime(.MONOTONIC, &now);
    return @as(u64, @intCast(now.sec)) * std.time.ns_per_s + @as(u64, @intCast(now.nsec));
}

/// Monotonic nanoseconds since `start`: exact for a hundred days.
pub fn elapsedNs() f64 {
    const now = read(1);
    const ns = (now.sec - start_sec) * std.time.ns_per_s + (now.nsec - start_nsec);
    return @floatFromInt(ns);
}

fn nanoseconds(t: linux.timespec) i64 {
    return t.sec * std.time.ns_per_s + t.nsec;
}

/// The clocks at one moment: monotonic nanoseconds, the part of them since `start`, and by how much the wall clock is
/// ahead of them. Slewing moves both alike, so the last one is constant until somebody sets the clock; each reading
/// confines it to the time that the reading took.
pub fn clockSample(out: *[3]u64) void {
    var low: i64 = std.math.minInt(i64);
    var high: i64 = std.math.maxInt(i64);
    var now = nanoseconds(read(1));
    for (0..16) |_| {
        const wall = nanoseconds(read(0));
        const then = nanoseconds(read(1));
        low = @max(low, wall - then);
        high = @min(high, wall - now);
        now = then;
    }
    out[0] = @bitCast(now);
    out[1] = @bitCast(now - (start_sec * std.time.ns_per_s + start_nsec));
    out[2] = @bitCast(low + @divFloor(high - low, 2));
}

/// A descriptor that becomes readable when the wall clock is set (made when `fd` is -1), or, given again, quiet until the
/// next time. Or -errno.
pub fn clockWatch(fd: i32) i32 {
    if (fd >= 0) {
        var expirations: u64 = undefined;
        _ = call.plain(.read, .{ call.fdArg(fd), @intFromPtr(&expirations), 8 });
        return fd;
    }
    const CLOEXEC_NONBLOCK = 0o2004000;
    const made = files.lift(call.narrow(call.plain(.timerfd_create, .{ 0, CLOEXEC_NONBLOCK })));
    if (made < 0) return made;
    const ABSTIME_CANCEL_ON_SET = 3;
    const never: linux.itimerspec = .{ .it_interval = .{ .sec = 0, .nsec = 0 }, .it_value = .{ .sec = 1 << 33, .nsec = 0 } };
    const rc = call.narrow(call.plain(.timerfd_settime, .{ call.fdArg(made), ABSTIME_CANCEL_ON_SET, @intFromPtr(&never), 0 }));
    return if (rc < 0) rc else made;
}

/// out: uid, euid, gid, egid, number of supplementary groups, those groups. `max` words at most.
pub fn identity(out: [*]u32, max: u32) i32 {
    if (max < 5) return -call.EINVAL;
    out[0] = linux.getuid();
    out[1] = linux.geteuid();
    out[2] = linux.getgid();
    out[3] = linux.getegid();
    const n = call.narrow(call.plain(.getgroups, .{ max - 5, @intFromPtr(out + 5) }));
    out[4] = if (n > 0) @intCast(n) else 0;
    return 0;
}

/// The host's name, not terminated: its length or -errno.
pub fn hostName(buffer: [*]u8, size: u32) i32 {
    var name: linux.utsname = undefined;
    const rc = call.narrow(call.plain(.uname, .{@intFromPtr(&name)}));
    if (rc < 0) return rc;
    const text = std.mem.sliceTo(&name.nodename, 0);
    const n = @min(text.len, size);
    @memcpy(buffer[0..n], text[0..n]);
    return @intCast(n);
}

/// The words (0) or the environment (1) that carrick was started with, each with its NUL. The length of all, which may be more
/// than fits, or -errno.
pub fn strings(which: u32, buffer: [*]u8, size: u32) i32 {
    const AT_FDCWD = -100;
    const path: call.Path = if (which == 0) "/proc/self/cmdline" else "/proc/self/environ";
    const fd = files.open(AT_FDCWD, path, 0, 0);
    if (fd < 0) return fd;
    defer _ = files.close(fd);
    var done: u32 = 0;
    while (true) {
        var rest: [4096]u8 = undefined;
        const n = if (done < size) files.read(fd, buffer + done, size - done, -1) else files.read(fd, &rest, rest.len, -1);
        if (n <= 0) return if (n < 0) n else @intCast(done);
        done += @intCast(n);
    }
}

/// Fills the buffer from the host's generator. 0 or -errno.
pub fn random(buffer: [*]u8, size: u32) i32 {
    var done: u32 = 0;
    while (done < size) {
        const n = call.narrow(call.again(.getrandom, .{ @intFromPtr(buffer + done), size - done, 0 }));
        if (n < 0) return n;
        done += @intCast(n);
    }
    return 0;
}

/// CPUs that this process may use.
pub fn cpuCount() u32 {
    var set: [128]u64 = @splat(0);
    const n = call.narrow(call.plain(.sched_getaffinity, .{ 0, @sizeOf(@TypeOf(set)), @intFromPtr(&set) }));
    if (n <= 0) return 1;
    var count: u32 = 0;
    for (set) |word| count += @popCount(word);
    return @max(count, 1);
}

/// out: total RAM, free RAM, shared, buffers, total swap, free swap (bytes), uptime (seconds), load averages 1, 5, 15 minutes.
pub fn memoryInfo(out: *[10]f64) i32 {
    const Info = extern struct {
        uptime: i64,
        loads: [3]u64,
        total: u64,
        free: u64,
        shared: u64,
        buffers: u64,
        total_swap: u64,
        free_swap: u64,
        procs: u16,
        pad: u16,
        total_high: u64,
        free_high: u64,
        unit: u32,
        tail: u32,
    };
    var info: Info = undefined;
    const rc = call.narrow(call.plain(.sysinfo, .{@intFromPtr(&info)}));
    if (rc < 0) return rc;
    const unit: f64 = @floatFromInt(info.unit);
    const values = [_]u64{ info.total, info.free, info.shared, info.buffers, info.total_swap, info.free_swap };
    for (values, 0..) |value, i| out[i] = @as(f64, @floatFromInt(value)) * unit;
    out[6] = @floatFromInt(info.uptime);
    for (info.loads, 0..) |load, i| out[7 + i] = @as(f64, @floatFromInt(load)) / 65536.0;
    return 0;
}
