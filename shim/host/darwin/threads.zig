//! Threads of the shim's own, and how they wait for each other (Darwin's __ulock_wait(2), below os_sync_wait_on_address(3), which
//! macOS 14.0 does not have yet). They get no signals: those are for the kernel's thread.

const std = @import("std");
const call = @import("call.zig");
const signals = @import("signals.zig");
const system = @import("system.zig");
const c = call.c;
const sys = call.sys;

const stack_bytes = 512 * 1024;

/// Starts a thread that runs `function(argument)` and is never waited for. False when the host refuses.
pub fn start(comptime T: type, comptime function: fn (argument: T) void, argument: T) bool {
    const body = struct {
        fn run(given: T) void {
            signals.blockAll();
            function(given);
        }
    }.run;
    const thread = std.Thread.spawn(.{ .stack_size = stack_bytes }, body, .{argument}) catch return false;
    thread.detach();
    return true;
}

/// Sleeps while the word has this value. May return early.
pub fn sleepWhile(word: *const u32, value: u32) void {
    _ = sys("__ulock_wait")(c.unproven.UL_COMPARE_AND_WAIT, word, value, 0);
}

/// Ends all sleeps on the word.
pub fn wakeAll(word: *const u32) void {
    _ = sys("__ulock_wake")(c.unproven.UL_COMPARE_AND_WAIT | c.unproven.ULF_WAKE_ALL, word, 0);
}

/// Monotonic time in ns.
pub fn now() u64 {
    return system.monotonicNs();
}

const words = @import("../waiting.zig").Words(@This());
pub const relax = words.relax;
pub const spinWhile = words.spinWhile;
pub const Mutex = words.Mutex;
