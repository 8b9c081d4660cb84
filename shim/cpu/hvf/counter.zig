//! The guest's counter as the host sees it. A guest reads CNTVCT_EL0 without a trap; the framework promises that it is mach_absolute_time() minus
//! an offset. But mach_absolute_time() counts at 24 MHz on every Mac, and the counter of newer ones at 1 GHz in a process that was built with a newer SDK.
//! So neither rate nor offset is believed: both are measured at start (probe.zig).

const std = @import("std");
const builtin = @import("builtin");

/// CNTFRQ_EL0 as it should be: the rate at which the guest's counter runs.
pub var hz: u64 = 24_000_000;
/// The rate of `host`.
pub var host_hz: u64 = 24_000_000;
/// The guest's counter minus the host's at the guest's rate, and by how much that may be wrong.
pub var offset: u64 = 0;
pub var slack: u64 = 0;
/// Nanoseconds = ticks * multiplier >> 32.
var multiplier: u64 = 0;
/// The host's counter loses its low bits, as if it were another one.
var coarse = false;
const coarse_shift = 4;

const mac = struct {
    const Timebase = extern struct { numer: u32, denom: u32 };
    extern "c" fn mach_absolute_time() u64;
    extern "c" fn mach_timebase_info(*Timebase) c_int;
};

/// The host's counter that runs as the guest's does.
pub inline fn host() u64 {
    return if (coarse) raw() >> coarse_shift else raw();
}

inline fn raw() u64 {
    if (builtin.os.tag == .macos) return mac.mach_absolute_time();
    if (builtin.cpu.arch != .aarch64) return 0;
    return asm volatile ("isb\n mrs %[out], cntvct_el0"
        : [out] "=r" (-> u64),
    );
}

/// Before anything is measured: the guest's counter runs as the host's.
pub fn start(is_coarse: bool) void {
    coarse = is_coarse;
    if (builtin.os.tag == .macos) {
        var base: mac.Timebase = .{ .numer = 125, .denom = 3 };
        _ = mac.mach_timebase_info(&base);
        host_hz = @as(u64, std.time.ns_per_s) * base.denom / base.numer;
    } else if (builtin.cpu.arch == .aarch64) host_hz = asm ("mrs %[out], cntfrq_el0"
        : [out] "=r" (-> u64),
    );
    if (coarse) host_hz >>= coarse_shift;
    setRate(host_hz);
}

pub fn setRate(rate: u64) void {
    hz = rate;
    multiplier = (std.time.ns_per_s << 32) / hz;
}

/// A count of the host's at the guest's rate.
pub fn scaled(count: u64) u64 {
    if (hz == host_hz) return count;
    // Seconds and the rest, so that nothing is wider than 64 bits: the library brings no division of its own.
    return count / host_hz *% hz +% count % host_hz * hz / host_hz;
}

/// CNTVCT_EL0 as the guest would read it now.
pub fn now() u64 {
    return scaled(host()) +% offset;
}

/// When the guest's counter was read between two readings of the host's.
pub const Reading = struct { before: u64, guest: u64, after: u64 };

/// Whether the counter can have run at this rate from one reading to a later one: a tick more or less is not seen.
pub fn allows(rate: u64, first: Reading, last: Reading) bool {
    const ticks_of_guest = @as(u128, last.guest -% first.guest) * host_hz;
    const least = (last.before -| first.after) -| 1;
    const most = last.after - first.before + 1;
    const step = @as(u128, rate) + host_hz;
    return ticks_of_guest + step >= @as(u128, least) * rate and ticks_of_guest <= @as(u128, most) * rate + step;
}

pub inline fn nanoseconds(count: u64) u32 {
    return @truncate((@as(u128, count) * multiplier) >> 32);
}

pub inline fn ticks(ns: u32) u64 {
    return @max(1, @as(u64, ns) * hz / std.time.ns_per_s);
}

test "a counter of another rate than the host's" {
    const saved = .{ hz, host_hz, multiplier };
    defer {
        hz, host_hz, multiplier = saved;
    }
    host_hz = 24_000_000;
    setRate(1_000_000_000);
    // A day of ticks does not overflow, and a second is one.
    try std.testing.expectEqual(@as(u64, 1_000_000_000), scaled(24_000_000));
    try std.testing.expectEqual(@as(u64, 86_400_000_000_000_000), scaled(24_000_000 * 86_400_000));
    try std.testing.expectEqual(@as(u32, 1000), nanoseconds(1000));
    try std.testing.expectEqual(@as(u64, 50_000), ticks(50_000));
    // 100 us later, read within 2 us each time.
    const first: Reading = .{ .before = 1000, .guest = 7_000_000, .after = 1048 };
    const fast: Reading = .{ .before = 3400, .guest = 7_100_500, .after = 3448 };
    const same: Reading = .{ .before = 3400, .guest = 7_002_410, .after = 3448 };
    try std.testing.expect(allows(1_000_000_000, first, fast) and !allows(24_000_000, first, fast));
    try std.testing.expect(allows(24_000_000, first, same) and !allows(1_000_000_000, first, same));
    // So soon that there is no telling.
    const soon: Reading = .{ .before = 1049, .guest = 7_000_060, .after = 1090 };
    try std.testing.expect(allows(1_000_000_000, first, soon) and allows(24_000_000, first, soon));
}
