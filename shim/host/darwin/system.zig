//! Start and end of the process, and facts about the machine and the user.

const std = @import("std");
const call = @import("call.zig");
const files = @import("files.zig");
const poller = @import("poller.zig");
const signals = @import("signals.zig");
const terminal = @import("terminal.zig");
const c = call.c;
const sys = call.sys;

/// A test may begin anew.
pub var started = false;
var start_ns: i64 = 0;
var inherited_umask: u32 = 0o022;

/// Once per process: raises the descriptor limit, takes the umask over (the guest's kernel applies masks, so the host
/// must not), opens the poller. The inherited umask, or -errno.
pub fn start() i32 {
    if (started) return @intCast(inherited_umask);
    var limit: c.struct_rlimit = undefined;
    if (sys("getrlimit")(c.RLIMIT_NOFILE, &limit) == 0) {
        raise(&limit);
        if (limit.rlim_cur < 256) files.low_limit = 3;
    }
    // Broken pipes and connections are told by EPIPE; the guest's kernel sends the signal.
    _ = sys("sigaction")(c.SIGPIPE, &.{ .sa_handler = signals.SIG_IGN, .sa_mask = 0, .sa_flags = 0 }, null);
    files.reserveLow();
    const rc = poller.start();
    if (rc < 0) return rc;
    start_ns = read(c.CLOCK_UPTIME_RAW);
    inherited_umask = sys("umask")(0);
    started = true;
    return @intCast(inherited_umask);
}

/// "Unlimited" is refused: then OPEN_MAX is the most.
fn raise(limit: *c.struct_rlimit) void {
    if (limit.rlim_cur >= limit.rlim_max) return;
    const before = limit.rlim_cur;
    for ([_]u64{ limit.rlim_max, c.OPEN_MAX }) |wanted| {
        if (wanted <= before) return;
        limit.rlim_cur = wanted;
        if (sys("setrlimit")(c.RLIMIT_NOFILE, limit) == 0) return;
    }
    limit.rlim_cur = before;
}

/// _exit(2) after giving the terminal back. Standard output is never buffered in this process.
pub fn exitNow(code: u32) noreturn {
    terminal.restore();
    sys("_exit")(@intCast(code & 0xff));
}

/// Darwin's clock for each of Linux's. Linux's CLOCK_MONOTONIC stands still while the machine sleeps, and so does UPTIME_RAW,
/// which is also what the guest's counter shows; Darwin's CLOCK_MONOTONIC goes on, as Linux's BOOTTIME does.
const clocks = [_]c_uint{
    c.CLOCK_REALTIME, // REALTIME
    c.CLOCK_UPTIME_RAW, // MONOTONIC
    c.CLOCK_PROCESS_CPUTIME_ID,
    c.CLOCK_THREAD_CPUTIME_ID,
    c.CLOCK_UPTIME_RAW, // MONOTONIC_RAW
    c.CLOCK_REALTIME, // REALTIME_COARSE
    c.CLOCK_UPTIME_RAW, // MONOTONIC_COARSE
    c.CLOCK_MONOTONIC, // BOOTTIME
    c.CLOCK_REALTIME, // REALTIME_ALARM
    c.CLOCK_MONOTONIC, // BOOTTIME_ALARM
    no_clock,
    c.CLOCK_REALTIME, // TAI, which nobody has set an offset for
};
const no_clock = std.math.maxInt(c_uint);

fn read(id: c_uint) i64 {
    var spec: c.struct_timespec = undefined;
    _ = sys("clock_gettime")(id, &spec);
    return spec.tv_sec * std.time.ns_per_s + spec.tv_nsec;
}

/// clock_gettime(2) with Linux's clock numbers: seconds and nanoseconds.
pub fn clock(id: u32, out: *[2]f64) i32 {
    if (id >= clocks.len or clocks[id] == no_clock) return -call.E.INVAL;
    var spec: c.struct_timespec = undefined;
    if (sys("clock_gettime")(clocks[id], &spec) != 0) return call.failure();
    out.* = .{ @floatFromInt(spec.tv_sec), @floatFromInt(spec.tv_nsec) };
    return 0;
}

/// The clock behind CNTVCT_EL0.
pub fn monotonicNs() u64 {
    return @intCast(read(c.CLOCK_UPTIME_RAW));
}

/// Monotonic nanoseconds since `start`: exact for a hundred days.
pub fn elapsedNs() f64 {
    return @floatFromInt(read(c.CLOCK_UPTIME_RAW) - start_ns);
}

/// The clocks at one moment: monotonic nanoseconds, the part of them since `start`, and by how much the wall clock is
/// ahead of them. Each reading confines the last one to the time that the reading took.
pub fn clockSample(out: *[3]u64) void {
    var low: i64 = std.math.minInt(i64);
    var high: i64 = std.math.maxInt(i64);
    var now = read(c.CLOCK_UPTIME_RAW);
    for (0..16) |_| {
        const wall = read(c.CLOCK_REALTIME);
        const then = read(c.CLOCK_UPTIME_RAW);
        low = @max(low, wall - then);
        high = @min(high, wall - now);
        now = then;
    }
    out[0] = @bitCast(now);
    out[1] = @bitCast(now - start_ns);
    out[2] = @bitCast(low + @divFloor(high - low, 2));
}

/// A descriptor that becomes readable when the wall clock is set (made when `fd` is -1), or, given again, quiet until the
/// next time. Or -errno. notify(3) posts that name; each post is a token of four bytes.
pub fn clockWatch(fd: i32) i32 {
    if (fd >= 0) {
        var token: [4]u8 = undefined;
        while (sys("read")(fd, &token, token.len) == token.len) {}
        return fd;
    }
    var made: c_int = -1;
    var token: c_int = 0;
    if (sys("notify_register_file_descriptor")("com.apple.system.clock_set", &made, 0, &token) != 0) return -call.E.NOSYS;
    // The library keeps the number, so it is not lifted; those below the limit are taken already.
    _ = sys("fcntl")(made, c.F_SETFD, @as(c_int, c.FD_CLOEXEC));
    _ = sys("fcntl")(made, c.F_SETFL, @as(c_int, c.O_NONBLOCK));
    return made;
}

/// out: uid, euid, gid, egid, number of supplementary groups, those groups. `max` words at most.
pub fn identity(out: [*]u32, max: u32) i32 {
    if (max < 5) return -call.E.INVAL;
    out[0] = sys("getuid")();
    out[1] = sys("geteuid")();
    out[2] = sys("getgid")();
    out[3] = sys("getegid")();
    const n = sys("getgroups")(@intCast(max - 5), out + 5);
    out[4] = if (n > 0) @intCast(n) else 0;
    return 0;
}

/// The host's name, not terminated: its length or -errno.
pub fn hostName(buffer: [*]u8, size: u32) i32 {
    var name: [256]u8 = @splat(0);
    if (sys("gethostname")(&name, name.len - 1) != 0) return call.failure();
    const text = std.mem.sliceTo(&name, 0);
    const n = @min(text.len, size);
    @memcpy(buffer[0..n], text[0..n]);
    return @intCast(n);
}

/// The words (0) or the environment (1) that carrick was started with, each with its NUL. The length of all, which may be more
/// than fits.
pub fn strings(which: u32, buffer: [*]u8, size: u32) i32 {
    var list = if (which == 0) sys("_NSGetArgv")().* else sys("_NSGetEnviron")().*;
    var done: usize = 0;
    while (list[0]) |string| : (list += 1) {
        const text = std.mem.span(string);
        const with_nul = text[0 .. text.len + 1];
        if (done < size) {
            const n = @min(with_nul.len, size - done);
            @memcpy(buffer[done..][0..n], with_nul[0..n]);
        }
        done += with_nul.len;
    }
    return std.math.cast(i32, done) orelse -call.E.INVAL;
}

/// Fills the buffer from the host's generator.
pub fn random(buffer: [*]u8, size: u32) i32 {
    sys("arc4random_buf")(buffer, size);
    return 0;
}

fn fact(comptime T: type, name: call.Path) ?T {
    var value: T = undefined;
    var size: usize = @sizeOf(T);
    if (sys("sysctlbyname")(name, &value, &size, null, 0) != 0 or size != @sizeOf(T)) return null;
    return value;
}

/// CPUs that are switched on.
pub fn cpuCount() u32 {
    return @intCast(@max(fact(c_int, "hw.activecpu") orelse 1, 1));
}

/// out: total RAM, free RAM, shared, buffers, total swap, free swap (bytes), uptime (seconds), load averages 1, 5, 15 minutes.
pub fn memoryInfo(out: *[10]f64) i32 {
    out.* = @splat(0);
    out[0] = @floatFromInt(fact(u64, "hw.memsize") orelse return call.failure());
    var statistics: c.struct_vm_statistics64 = undefined;
    var words: c_uint = @sizeOf(c.struct_vm_statistics64) / 4;
    if (sys("host_statistics64")(sys("mach_host_self")(), c.HOST_VM_INFO64, @ptrCast(&statistics), &words) == 0) {
        // What the system can hand out without swapping.
        const free = @as(u64, statistics.free_count) + statistics.inactive_count + statistics.purgeable_count;
        const page: u64 = @intCast(fact(c_int, "vm.pagesize") orelse 16384);
        out[1] = @min(@as(f64, @floatFromInt(free * page)), out[0]);
    }
    if (fact(c.struct_xsw_usage, "vm.swapusage")) |swap| {
        out[4] = @floatFromInt(swap.xsu_total);
        out[5] = @floatFromInt(swap.xsu_avail);
    }
    out[6] = @floatFromInt(@divFloor(read(c.CLOCK_MONOTONIC), std.time.ns_per_s));
    _ = sys("getloadavg")(out[7..], 3);
    return 0;
}
