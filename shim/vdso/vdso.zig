//! The vDSO: the page of code that Linux gives every arm64 process (arch/arm64/kernel/vdso). Clocks are read
//! from the counter and the data page in front of the image, without a trap; `__kernel_rt_sigreturn` is where
//! signal handlers return to. Built for aarch64 and embedded as src/loader/vdso.gen.ts.

/// The data page, one page before the image. The kernel writes it (src/loader/vdso.ts knows the offsets).
const Data = extern struct {
    /// Counter value at which `monotonic_base_ns` was taken.
    counter_base: u64,
    monotonic_base_ns: u64,
    /// CLOCK_REALTIME minus CLOCK_MONOTONIC.
    realtime_offset_ns: i64,
    /// Nanoseconds = counter ticks * multiplier >> shift.
    multiplier: u64,
    shift: u64,
};

extern const vvar: Data;

const Timespec = extern struct { sec: i64, nsec: i64 };
const Timeval = extern struct { sec: i64, usec: i64 };

const clock_realtime = 0;
const clock_monotonic = 1;
const clock_monotonic_raw = 4;
const clock_realtime_coarse = 5;
const clock_monotonic_coarse = 6;
const clock_boottime = 7;
const sys_clock_gettime = 113;
const sys_clock_getres = 114;
const sys_gettimeofday = 169;

inline fn counter() u64 {
    return asm volatile ("isb\n mrs %[out], cntvct_el0"
        : [out] "=r" (-> u64),
    );
}

inline fn data() *const volatile Data {
    return @ptrFromInt(asm ("adrp %[out], vvar\n add %[out], %[out], :lo12:vvar"
        : [out] "=r" (-> usize),
    ));
}

inline fn monotonicNs(d: *const volatile Data) u64 {
    const ticks = counter() -% d.counter_base;
    const ns: u64 = @truncate((@as(u128, ticks) * d.multiplier) >> @truncate(d.shift));
    return d.monotonic_base_ns +% ns;
}

inline fn lastTick(ns: u64) u64 {
    return ns - ns % 4_000_000;
}

inline fn trap2(number: u64, a: u64, b: u64) i64 {
    return asm volatile ("svc #0"
        : [ret] "={x0}" (-> i64),
        : [number] "{x8}" (number),
          [a] "{x0}" (a),
          [b] "{x1}" (b),
        : .{ .memory = true });
}

export fn __kernel_clock_gettime(clock: u32, ts: *Timespec) callconv(.c) i64 {
    const d = data();
    const ns: u64 = switch (clock) {
        clock_realtime => monotonicNs(d) +% @as(u64, @bitCast(d.realtime_offset_ns)),
        clock_monotonic, clock_monotonic_raw, clock_boottime => monotonicNs(d),
        // The tick of the coarse clocks, as the calls see it.
        clock_realtime_coarse => lastTick(monotonicNs(d) +% @as(u64, @bitCast(d.realtime_offset_ns))),
        clock_monotonic_coarse => lastTick(monotonicNs(d)),
        else => return trap2(sys_clock_gettime, clock, @intFromPtr(ts)),
    };
    ts.* = .{ .sec = @intCast(ns / 1_000_000_000), .nsec = @intCast(ns % 1_000_000_000) };
    return 0;
}

export fn __kernel_gettimeofday(tv: ?*Timeval, tz: ?*anyopaque) callconv(.c) i64 {
    if (tz != null) return trap2(sys_gettimeofday, @intFromPtr(tv), @intFromPtr(tz));
    const out = tv orelse return 0;
    const d = data();
    const us = (monotonicNs(d) +% @as(u64, @bitCast(d.realtime_offset_ns))) / 1000;
    out.* = .{ .sec = @intCast(us / 1_000_000), .usec = @intCast(us % 1_000_000) };
    return 0;
}

export fn __kernel_clock_getres(clock: u32, ts: ?*Timespec) callconv(.c) i64 {
    switch (clock) {
        clock_realtime, clock_monotonic, clock_monotonic_raw, clock_boottime => {},
        else => return trap2(sys_clock_getres, clock, @intFromPtr(ts)),
    }
    if (ts) |out| out.* = .{ .sec = 0, .nsec = 1 };
    return 0;
}

export fn __kernel_rt_sigreturn() callconv(.naked) void {
    asm volatile ("mov x8, #139\n svc #0");
}
