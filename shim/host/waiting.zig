//! What threads of the shim do alike on every host, above the host's way to sleep on a word: spinning, short locks, and the kernel's thread
//! hearing of those that work for it.

const std = @import("std");

/// `sleeping` has sleepWhile, wakeAll and now.
pub fn Words(comptime sleeping: type) type {
    return struct {
        /// Tells the host's CPU that this is a spin loop.
        pub inline fn relax() void {
            std.atomic.spinLoopHint();
        }

        /// Spins while the word has this value, for about `limit_ns` at most. True when it has another.
        pub fn spinWhile(word: *const u32, value: u32, limit_ns: u64) bool {
            const start_ns = sleeping.now();
            while (true) {
                for (0..64) |_| {
                    if (@atomicLoad(u32, word, .acquire) != value) return true;
                    relax();
                }
                if (sleeping.now() - start_ns > limit_ns) return false;
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
                while (@atomicRmw(u32, &m.state, .Xchg, 2, .acquire) != 0) sleeping.sleepWhile(&m.state, 2);
            }

            pub inline fn unlock(m: *Mutex) void {
                if (@atomicRmw(u32, &m.state, .Xchg, 0, .release) == 2) sleeping.wakeAll(&m.state);
            }
        };
    };
}

/// Threads that work for the kernel. `stop` ends the guest code of the kernel's thread, `wake` its sleep.
pub fn Workers(comptime threads: type, comptime stop: fn () void, comptime wake: fn () void) type {
    return struct {
        /// How many work, and how many of them have finished and were not taken yet.
        var expected: u32 = 0;
        var finished_count: u32 = 0;
        /// The kernel's thread is in, or about to begin, a sleep that `finish` has to end; the same for `settle`.
        var asleep: u32 = 0;
        var settling: u32 = 0;

        /// As long as somebody who has just begun to work may take to finish.
        const spin_ns = 20_000;

        /// How many threads work now.
        pub fn expect(count: u32) void {
            expected = count;
        }

        /// A thread has finished: stops the guest code of the kernel's thread, or ends its sleep.
        pub fn finish() void {
            _ = @atomicRmw(u32, &finished_count, .Add, 1, .seq_cst);
            stop();
            if (@atomicLoad(u32, &asleep, .seq_cst) != 0) wake();
            if (@atomicLoad(u32, &settling, .seq_cst) != 0) threads.wakeAll(&finished_count);
        }

        pub fn finished() u32 {
            return @atomicLoad(u32, &finished_count, .seq_cst);
        }

        /// The kernel has taken one of those that have finished.
        pub fn take() void {
            _ = @atomicRmw(u32, &finished_count, .Sub, 1, .seq_cst);
        }

        /// Waits until one of those that work has finished, and for nothing else.
        pub fn settle() void {
            if (threads.spinWhile(&finished_count, 0, spin_ns)) return;
            @atomicStore(u32, &settling, 1, .seq_cst);
            while (finished() == 0) threads.sleepWhile(&finished_count, 0);
            @atomicStore(u32, &settling, 0, .seq_cst);
        }

        /// The kernel's thread is about to sleep for this long: how long it should. It begins with a short spin while somebody works.
        pub fn beforeSleep(timeout_ns: f64) f64 {
            if (expected == 0 or !(timeout_ns > 0)) return timeout_ns;
            const limit: u64 = @intFromFloat(@min(timeout_ns, spin_ns));
            const is_over = threads.spinWhile(&finished_count, 0, limit);
            @atomicStore(u32, &asleep, 1, .seq_cst);
            return if (is_over or finished() != 0) 0 else timeout_ns;
        }

        pub fn afterSleep() void {
            if (asleep != 0) @atomicStore(u32, &asleep, 0, .seq_cst);
        }
    };
}
