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

/// Tells the host's CPU that this is a spin loop.
pub inline fn relax() void {
    std.atomic.spinLoopHint();
}

/// Monotonic time in ns.
pub fn now() u64 {
    return system.monotonicNs();
}
/// Spins while the word has this value, for about `limit_ns` at most. True when it has another.
pub fn spinWhile(word: *const u32, value: u32, limit_ns: u64) bool {
    const start_ns = now();
    while (true) {
        for (0..64) |_| {
            if (@atomicLoad(u32, word, .acquire) != value) return true;
            relax();
        }
        if (now() - start_ns > limit_ns) return false;
    }
}

/// For short sections: whoever finds it taken spins for a moment, then sleeps.
pub const Mutex = struct {
    /// 0 free, 1 taken, 2 taken and somebody may sleep.
    state: u32 = 0,

    pub inline fn lock(m: *Mutex) void {
        if (@cmpxchgWeak(u32, &m.state, 0, 1, .acquire, .monotonic) != null) m.lockSlowly();
    }

    fn lockSlowly(m: *Mutex) void {
        @branchHint(.cold);
        for (0..200) |_| {
            if (@cmpxchgWeak(u32, &m.state, 0, 1, .acquire, .monotonic) == null) return;
            relax();
        }
        while (@atomicRmw(u32, &m.state, .Xchg, 2, .acquire) != 0) sleepWhile(&m.state, 2);
    }

    pub inline fn unlock(m: *Mutex) void {
        if (@atomicRmw(u32, &m.state, .Xchg, 0, .release) == 2) wakeAll(&m.state);
    }
};
