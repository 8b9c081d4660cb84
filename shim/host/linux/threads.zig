//! Threads of the shim's own, and how they wait for each other (futex(2)). They get no signals, which are for the kernel's
//! thread, but SIGSEGV for what they do themselves.

const std = @import("std");
const call = @import("call.zig");
const linux = call.linux;

const FUTEX_WAIT_PRIVATE = 128;
const FUTEX_WAKE_PRIVATE = 129;
const stack_bytes = 512 * 1024;

/// Starts a thread that runs `function(argument)` and is never waited for. False when the host refuses.
pub fn start(comptime T: type, comptime function: fn (argument: T) void, argument: T) bool {
    const body = struct {
        fn run(given: T) void {
            var most: u64 = ~(@as(u64, 1) << (@intFromEnum(linux.SIG.SEGV) - 1));
            const SIG_BLOCK = 0;
            _ = call.plain(.rt_sigprocmask, .{ SIG_BLOCK, @intFromPtr(&most), 0, 8 });
            function(given);
        }
    }.run;
    const thread = std.Thread.spawn(.{ .stack_size = stack_bytes }, body, .{argument}) catch return false;
    thread.detach();
    return true;
}

/// Sleeps while the word has this value. May return early.
pub fn sleepWhile(word: *const u32, value: u32) void {
    _ = call.plain(.futex, .{ @intFromPtr(word), FUTEX_WAIT_PRIVATE, value, 0, 0, 0 });
}

/// Ends all sleeps on the word.
pub fn wakeAll(word: *const u32) void {
    _ = call.plain(.futex, .{ @intFromPtr(word), FUTEX_WAKE_PRIVATE, std.math.maxInt(i32), 0, 0, 0 });
}

/// Monotonic time in ns.
pub fn now() u64 {
    var t: linux.timespec = undefined;
    _ = std.c.clock_gettime(.MONOTONIC, @ptrCast(&t));
    return @as(u64, @intCast(t.sec)) * std.time.ns_per_s + @as(u64, @intCast(t.nsec));
}

const words = @import("../waiting.zig").Words(@This());
pub const relax = words.relax;
pub const spinWhile = words.spinWhile;
pub const Mutex = words.Mutex;
