//! The cpu room's part of the C ABI. Every `pub fn … callconv(.c)` here is exported under its own name.

const std = @import("std");
const abi = @import("../abi.zig");
const cache = @import("interp/cache.zig");
const features = @import("features.zig");
const jit = if (has_jit) @import("jit/run.zig") else struct {};
const jit_cache = if (has_jit) @import("jit/cache.zig") else struct {};
const run = @import("interp/run.zig");
const system = @import("interp/system.zig");

const has_jit = @import("builtin").cpu.arch == .x86_64;

/// The engines, by the numbers that `cpu_engine` takes.
const Engine = enum(u32) { interp, jit };
var engine: Engine = .interp;

/// Runs the task of `block` until an `abi.Exit`, for at most about `budget` instructions.
pub fn cpu_enter(block: *abi.RegisterBlock, budget: u32) callconv(.c) i32 {
    if (has_jit and engine == .jit) return jit.enter(block, budget);
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

/// Chooses the engine, while nothing runs: 0 is the interpreter, 1 the translator. -ENOSYS where this host has no such one.
pub fn cpu_engine(which: u32) callconv(.c) i32 {
    switch (which) {
        0 => {
            if (engine != .interp) cache.listen();
            engine = .interp;
        },
        1 => {
            if (!has_jit or !jit.init()) return -38;
            engine = .jit;
        },
        else => return -38,
    }
    return 0;
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

/// Instructions translated, pages of code dropped, times that everything was dropped, bytes of code.
pub fn cpu_stats(out: *[4]f64) callconv(.c) void {
    if (has_jit and engine == .jit) {
        const stats = jit_cache.stats;
        out.* = .{ @floatFromInt(stats.translated), @floatFromInt(stats.dropped_pages), @floatFromInt(jit_cache.generation), @floatFromInt(jit_cache.used) };
        return;
    }
    out.* = .{ @floatFromInt(cache.stats.translated), @floatFromInt(cache.stats.dropped_pages), @floatFromInt(cache.generation), 0 };
}

/// Forgets all translations (tests).
pub fn cpu_reset() callconv(.c) void {
    if (has_jit) jit.reset();
    run.reset();
}
