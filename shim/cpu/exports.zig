//! The cpu room's part of the C ABI. Every `pub fn … callconv(.c)` here is exported under its own name.

const std = @import("std");
const abi = @import("../abi.zig");
const cache = @import("interp/cache.zig");
const features = @import("features.zig");
const run = @import("interp/run.zig");
const system = @import("interp/system.zig");

/// Runs the task of `block` until an `abi.Exit`, for at most about `budget` instructions.
pub fn cpu_enter(block: *abi.RegisterBlock, budget: u32) callconv(.c) i32 {
    return run.enter(block, budget);
}

/// Makes the `cpu_enter` of this block that runs now, or the next one, return with `kicked`. From any thread or signal handler.
pub fn cpu_kick(block: *abi.RegisterBlock) callconv(.c) void {
    run.kick(block);
}

/// A register block, all zero; 0 when the host has no memory.
pub fn cpu_block_create() callconv(.c) usize {
    var raw: ?*anyopaque = null;
    if (std.c.posix_memalign(&raw, 64, @sizeOf(abi.RegisterBlock)) != 0) return 0;
    const block: *abi.RegisterBlock = @ptrCast(@alignCast(raw));
    block.* = .{};
    return @intFromPtr(block);
}

pub fn cpu_block_destroy(block: *abi.RegisterBlock) callconv(.c) void {
    std.c.free(block);
}

/// Chooses the engine: 0 is the interpreter, the only one so far. -ENOSYS for others.
pub fn cpu_engine(which: u32) callconv(.c) i32 {
    return if (which == 0) 0 else -38;
}

/// AT_HWCAP (which 0 low, 1 high half) and AT_HWCAP2 (2, 3).
pub fn cpu_hwcap(which: u32) callconv(.c) u32 {
    return features.word(which);
}

/// CNTVCT_EL0 as the guest would read it now, for the vDSO's data page.
pub fn cpu_counter() callconv(.c) f64 {
    return @floatFromInt(system.counter());
}

/// CNTFRQ_EL0.
pub fn cpu_counter_hz() callconv(.c) f64 {
    return system.counter_hz;
}

/// Instructions translated, pages of code dropped, times that everything was dropped, 0.
pub fn cpu_stats(out: *[4]f64) callconv(.c) void {
    out.* = .{ @floatFromInt(cache.stats.translated), @floatFromInt(cache.stats.dropped_pages), @floatFromInt(cache.generation), 0 };
}

/// Forgets all translations (tests).
pub fn cpu_reset() callconv(.c) void {
    run.reset();
}
