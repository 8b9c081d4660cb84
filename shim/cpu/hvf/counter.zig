//! The guest's counter as the host sees it. A guest reads CNTVCT_EL0 without a trap; the framework promises that it is mach_absolute_time() minus
//! an offset. The offset is measured at start (probe.zig), not believed.

const std = @import("std");
const builtin = @import("builtin");

/// CNTFRQ_EL0.
pub var hz: u64 = 24_000_000;
/// The guest's counter minus the host's.
pub var offset: u64 = 0;
/// Nanoseconds = ticks * multiplier >> 32.
var multiplier: u64 = 0;

const mac = struct {
    extern "c" fn mach_absolute_time() u64;
};

/// The host's counter that runs as the guest's does.
pub inline fn host() u64 {
    if (builtin.os.tag == .macos) return mac.mach_absolute_time();
    if (builtin.cpu.arch != .aarch64) return 0;
    return asm volatile ("isb\n mrs %[out], cntvct_el0"
        : [out] "=r" (-> u64),
    );
}

pub fn setRate() void {
    if (builtin.cpu.arch == .aarch64) hz = asm ("mrs %[out], cntfrq_el0"
        : [out] "=r" (-> u64),
    );
    multiplier = @intCast((@as(u128, std.time.ns_per_s) << 32) / hz);
}

/// CNTVCT_EL0 as the guest would read it now.
pub fn now() u64 {
    return host() +% offset;
}

pub inline fn nanoseconds(count: u64) u32 {
    return @truncate((@as(u128, count) * multiplier) >> 32);
}

pub inline fn ticks(ns: u32) u64 {
    return @max(1, @as(u64, ns) * hz / std.time.ns_per_s);
}
