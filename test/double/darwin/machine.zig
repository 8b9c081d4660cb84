//! Clocks, identity, facts about the machine.

const std = @import("std");
const base = @import("base.zig");
const c = base.c;
const linux = base.linux;
const fail = base.fail;
const result = base.result;

/// This Mac has slept for an hour since it was started: its CLOCK_MONOTONIC has counted that, UPTIME_RAW has not.
const slept_s = 3600;

export fn darwin_clock_gettime(id: c_uint, out: *c.struct_timespec) c_int {
    const clock: usize = switch (id) {
        c.CLOCK_REALTIME => 0,
        c.CLOCK_MONOTONIC, c.CLOCK_UPTIME_RAW => 1,
        c.CLOCK_PROCESS_CPUTIME_ID => 2,
        c.CLOCK_THREAD_CPUTIME_ID => 3,
        else => return fail(c.EINVAL),
    };
    var now: linux.timespec = undefined;
    const rc = std.c.clock_gettime(@enumFromInt(clock), @ptrCast(&now));
    out.* = .{ .tv_sec = now.sec, .tv_nsec = now.nsec };
    if (id == c.CLOCK_MONOTONIC) out.tv_sec += slept_s;
    return rc;
}

var clock_watch: c_int = -1;

pub fn isClockWatch(fd: c_int) bool {
    return fd == clock_watch and fd >= 0;
}

/// A post is a token of four bytes.
pub fn readClockWatch(fd: c_int, buffer: [*]u8, size: usize) isize {
    var expirations: u64 = undefined;
    const rc = linux.read(fd, @ptrCast(&expirations), 8);
    const ECANCELED = 125;
    if (base.errnoOf(rc) != 0 and base.errnoOf(rc) != ECANCELED) return base.wide(rc);
    if (size < 4) return fail(c.EINVAL);
    @memset(buffer[0..4], 0);
    return 4;
}

export fn darwin_notify_register_file_descriptor(name: base.Path, out: *c_int, flags: c_int, token: *c_int) u32 {
    if (!std.mem.eql(u8, std.mem.span(name), "com.apple.system.clock_set") or flags != 0) base.misuse("a notification that nobody posts");
    const fd = linux.syscall2(.timerfd_create, 0, 0o2000000);
    if (base.errnoOf(fd) != 0) return 1;
    const never: linux.itimerspec = .{ .it_interval = .{ .sec = 0, .nsec = 0 }, .it_value = .{ .sec = 1 << 33, .nsec = 0 } };
    const ABSTIME_CANCEL_ON_SET = 3;
    _ = linux.syscall4(.timerfd_settime, fd, ABSTIME_CANCEL_ON_SET, @intFromPtr(&never), 0);
    clock_watch = @intCast(fd);
    out.* = clock_watch;
    token.* = 0;
    return 0;
}

export fn darwin_getuid() u32 {
    return linux.getuid();
}
export fn darwin_geteuid() u32 {
    return linux.geteuid();
}
export fn darwin_getgid() u32 {
    return linux.getgid();
}
export fn darwin_getegid() u32 {
    return linux.getegid();
}
export fn darwin_getgroups(size: c_int, list: [*]u32) c_int {
    return result(linux.syscall2(.getgroups, base.arg(size), @intFromPtr(list)));
}
export fn darwin_getpid() c_int {
    return linux.getpid();
}
export fn darwin_umask(mask: u16) u16 {
    return @intCast(linux.syscall1(.umask, mask));
}
export fn darwin__exit(status: c_int) noreturn {
    linux.exit_group(status);
}

export fn darwin_gethostname(name: [*]u8, size: usize) c_int {
    var uts: linux.utsname = undefined;
    _ = linux.uname(&uts);
    const text = std.mem.sliceTo(&uts.nodename, 0);
    const n = @min(text.len, size);
    @memcpy(name[0..n], text[0..n]);
    // Not terminated when it does not fit.
    if (n < size) name[n] = 0;
    return 0;
}

export fn darwin_arc4random_buf(buffer: [*]u8, size: usize) void {
    var done: usize = 0;
    while (done < size) {
        const n = linux.getrandom(buffer + done, size - done, 0);
        if (base.errnoOf(n) == 0) done += n;
    }
}

fn info() linux.Sysinfo {
    var out: linux.Sysinfo = undefined;
    _ = linux.sysinfo(&out);
    return out;
}

fn online() c_int {
    var set: [128]u64 = @splat(0);
    const n = linux.syscall3(.sched_getaffinity, 0, @sizeOf(@TypeOf(set)), @intFromPtr(&set));
    if (base.errnoOf(n) != 0) return 1;
    var count: c_int = 0;
    for (set) |word| count += @popCount(word);
    return count;
}

fn give(value: anytype, out: ?*anyopaque, size: ?*usize) c_int {
    const bytes = std.mem.asBytes(&value);
    if (size.?.* < bytes.len) return fail(c.ENOMEM);
    @memcpy(@as([*]u8, @ptrCast(out.?))[0..bytes.len], bytes);
    size.?.* = bytes.len;
    return 0;
}

export fn darwin_sysctlbyname(name: base.Path, out: ?*anyopaque, size: ?*usize, new: ?*const anyopaque, new_size: usize) c_int {
    if (new != null or new_size != 0) return fail(c.EPERM);
    const text = std.mem.span(name);
    const machine = info();
    const unit: u64 = machine.mem_unit;
    if (std.mem.eql(u8, text, "hw.memsize")) return give(@as(u64, machine.totalram * unit), out, size);
    if (std.mem.eql(u8, text, "hw.activecpu")) return give(online(), out, size);
    if (std.mem.eql(u8, text, "vm.pagesize")) return give(@as(c_int, 16384), out, size);
    if (std.mem.eql(u8, text, "vm.swapusage")) {
        const swap: c.struct_xsw_usage = .{
            .xsu_total = machine.totalswap * unit,
            .xsu_avail = machine.freeswap * unit,
            .xsu_used = (machine.totalswap - machine.freeswap) * unit,
            .xsu_pagesize = 16384,
            .xsu_encrypted = 1,
        };
        return give(swap, out, size);
    }
    return fail(c.ENOENT);
}

export fn darwin_getloadavg(out: [*]f64, count: c_int) c_int {
    const machine = info();
    for (0..@intCast(@min(count, 3))) |i| out[i] = @as(f64, @floatFromInt(machine.loads[i])) / 65536.0;
    return @min(count, 3);
}

const host_port = 0x507;

export fn darwin_mach_host_self() c_uint {
    return host_port;
}

export fn darwin_host_statistics64(port: c_uint, flavor: c_int, out: [*]i32, words: *c_uint) c_int {
    const size = @sizeOf(c.struct_vm_statistics64) / 4;
    if (port != host_port or flavor != c.HOST_VM_INFO64 or words.* < size) return 4; // KERN_INVALID_ARGUMENT
    words.* = size;
    @memset(out[0..size], 0);
    const machine = info();
    const statistics: *align(4) c.struct_vm_statistics64 = @ptrCast(out);
    statistics.free_count = @intCast(machine.freeram * machine.mem_unit / 16384);
    return 0;
}

var words_buffer: [1 << 21]u8 = undefined;
var argv: [65536]?[*:0]u8 = undefined;
var words_list: [*:null]?[*:0]u8 = undefined;
var environment_list: [*:null]?[*:0]u8 = undefined;

export fn darwin__NSGetArgv() *[*:null]?[*:0]u8 {
    const fd: i32 = @intCast(linux.open("/proc/self/cmdline", .{ .CLOEXEC = true }, 0));
    var length: usize = 0;
    while (true) {
        const n = linux.read(fd, words_buffer[length..].ptr, words_buffer.len - length);
        if (base.errnoOf(n) != 0 or n == 0) break;
        length += n;
    }
    _ = linux.close(fd);
    var count: usize = 0;
    var at: usize = 0;
    while (at < length and count + 1 < argv.len) : (count += 1) {
        argv[count] = @ptrCast(words_buffer[at..].ptr);
        at += std.mem.findScalar(u8, words_buffer[at..length], 0).? + 1;
    }
    argv[count] = null;
    words_list = @ptrCast(&argv);
    return &words_list;
}

export fn darwin__NSGetEnviron() *[*:null]?[*:0]u8 {
    environment_list = @ptrCast(std.c.environ);
    return &environment_list;
}

export fn darwin___ulock_wait(operation: u32, word: *const u32, value: u64, timeout: u32) c_int {
    if (operation != 1 or timeout != 0) base.misuse("__ulock_wait in a way that is not modelled");
    return result(linux.syscall6(.futex, @intFromPtr(word), 128, @as(u32, @truncate(value)), 0, 0, 0));
}

export fn darwin___ulock_wake(operation: u32, word: *const u32, value: u64) c_int {
    if (operation & 0xff != 1 or value != 0) base.misuse("__ulock_wake in a way that is not modelled");
    const count: usize = if (operation & 0x100 != 0) std.math.maxInt(i32) else 1;
    const woken = linux.syscall6(.futex, @intFromPtr(word), 129, count, 0, 0, 0);
    return if (woken == 0) fail(c.ENOENT) else 0;
}
