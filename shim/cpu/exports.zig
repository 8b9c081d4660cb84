//! The cpu room's part of the C ABI. Every `pub fn … callconv(.c)` here is exported under its own name.

const std = @import("std");
const abi = @import("../abi.zig");
const cache = @import("interp/cache.zig");
const disasm = @import("disasm/disasm.zig");
const features = @import("features.zig");
const host = @import("../host/host.zig");
const jit = if (has_jit) @import("jit/run.zig") else struct {};
const jit_cache = if (has_jit) @import("jit/cache.zig") else struct {};
const mem = @import("../mem/mem.zig");
const run = @import("interp/run.zig");
const steps = @import("steps.zig");
const system = @import("interp/system.zig");
const threads = @import("threads.zig");

const hvf = if (has_hvf) @import("hvf/engine.zig") else struct {};
const hvf_probe = if (has_hvf) @import("hvf/probe.zig") else struct {};
const hvf_counter = if (has_hvf) @import("hvf/counter.zig") else struct {};
const hvf_identity = if (has_hvf) @import("hvf/identity.zig") else struct {};
const hvf_coherence = if (has_hvf) @import("hvf/coherence.zig") else struct {};

const has_hvf = @import("builtin").cpu.arch == .aarch64;
const has_jit = @import("builtin").cpu.arch == .x86_64;

/// The engines, by the numbers that `cpu_engine` takes.
const Engine = enum(u32) { interp, jit, hvf };
var engine: Engine = .interp;

/// Runs the task of `block` until an `abi.Exit`, for at most about `budget` instructions.
pub fn cpu_enter(block: *abi.RegisterBlock, budget: u32) callconv(.c) i32 {
    if (mem.cpus.busy != 0) return enterAmongOthers(block, budget);
    return enter(block, budget);
}

inline fn enter(block: *abi.RegisterBlock, budget: u32) i32 {
    if (has_jit and engine == .jit) return jit.enter(block, budget);
    if (has_hvf and engine == .hvf) return hvf.enter(block, budget);
    return run.enter(block, budget);
}

/// While CPU threads work, the kernel's thread must see at once when one has finished, and they that it is inside.
noinline fn enterAmongOthers(block: *abi.RegisterBlock, budget: u32) i32 {
    const cpu = mainCpu() orelse return enter(block, budget);
    if (host.finished() != 0) {
        block.exit = @intFromEnum(abi.Exit.kicked);
        return @intCast(block.exit);
    }
    makeRoom();
    cpu.begin(block.space);
    defer cpu.end();
    return enter(block, budget);
}

/// Makes `v`, `fpcr` and `fpsr` of a block whose `fp_home` is not 0 what they are, before they are read.
pub fn cpu_vectors(block: *abi.RegisterBlock) callconv(.c) void {
    if (has_hvf and engine == .hvf) hvf.vectors(block);
}

fn mainCpu() ?*mem.cpus.Cpu {
    if (has_jit and engine == .jit) return jit.mainCpu();
    if (has_hvf and engine == .hvf) return hvf.mainCpu();
    return run.mainCpu();
}

inline fn makeRoom() void {
    if (has_hvf and engine == .hvf) return;
    if (has_jit and engine == .jit) jit_cache.makeRoom() else cache.makeRoom();
}

/// Gives the task of `block` to a CPU thread, of which there may be `limit`. Its exit is heard of through `cpu_collect`, which gives
/// `id` back; until then the block is not to be touched, but for `cpu_kick`. 0, or -EAGAIN when no thread is free.
pub fn cpu_dispatch(block: *abi.RegisterBlock, id: u32, budget: u32, limit: u32) callconv(.c) i32 {
    makeRoom();
    cpu_vectors(block);
    // Whoever finishes stops what the kernel's thread runs: no longer this one.
    host.forgetRunning(block);
    @atomicStore(u32, &block.stop, 0, .monotonic);
    return if (threads.dispatch(block, id, budget, limit)) 0 else -11;
}

/// The id of a dispatched task that has had its exit, or -1. `host_wait` ends when there is one, and so does `cpu_enter`.
pub fn cpu_collect() callconv(.c) i32 {
    const id = threads.collect() orelse return -1;
    if (has_hvf and engine == .hvf) hvf.afterExit(threads.last_block);
    return @intCast(id);
}

/// How long the task of the last `cpu_collect` ran, in ns.
pub fn cpu_collected_ns() callconv(.c) f64 {
    return @floatFromInt(threads.last_ran_ns);
}

/// Waits until `cpu_collect` has something to give, and for nothing else. At least one task must be dispatched.
pub fn cpu_settle() callconv(.c) void {
    host.settle();
}

/// Makes every CPU thread that runs this space (0: any) pass a full memory barrier and look its code up afresh.
pub fn cpu_barrier(space: u32) callconv(.c) void {
    mem.cpus.barrier(if (space == 0) mem.cpus.everybody else space);
}

/// Makes the `cpu_enter` of this block that runs now, or the next one, return with `kicked`. From any thread or signal handler.
pub fn cpu_kick(block: *abi.RegisterBlock) callconv(.c) void {
    run.kick(block);
    if (has_hvf and engine == .hvf) hvf.kick(block);
}

/// Blocks to be used again. They are never freed: who stops the running one may come late.
var free_blocks: ?*FreeBlock = null;
const FreeBlock = extern struct { next: ?*FreeBlock };

/// A register block, all zero; 0 when the host has no memory.
pub fn cpu_block_create() callconv(.c) usize {
    if (has_hvf and engine == .hvf) return @intFromPtr(hvf.newBlock() orelse return 0);
    var raw: ?*anyopaque = free_blocks;
    if (free_blocks) |free| {
        free_blocks = free.next;
    } else if (std.c.posix_memalign(&raw, 64, @sizeOf(abi.RegisterBlock)) != 0) {
        return 0;
    }
    const block: *abi.RegisterBlock = @ptrCast(@alignCast(raw));
    block.* = .{};
    return @intFromPtr(block);
}

pub fn cpu_block_destroy(block: *abi.RegisterBlock) callconv(.c) void {
    if (has_hvf and engine == .hvf and hvf.isOurs(block)) return hvf.freeBlock(block);
    const free: *FreeBlock = @ptrCast(@alignCast(block));
    free.next = free_blocks;
    free_blocks = free;
}

/// Chooses the engine, while nothing runs: 0 is the interpreter, 1 the translator, 2 Hypervisor.framework. -ENOSYS where this host has no
/// such one; `cpu_engine_reason` may say more.
pub fn cpu_engine(which: u32) callconv(.c) i32 {
    if (has_hvf and engine == .hvf and which != 2) hvf_coherence.ignore();
    switch (which) {
        0 => {
            if (engine != .interp) cache.listen();
            engine = .interp;
            threads.use(&run.engine);
        },
        1 => {
            if (!has_jit or !jit.init()) return -38;
            engine = .jit;
            if (has_jit) threads.use(&jit.engine);
        },
        2 => {
            if (!has_hvf or !hvf.init()) return -38;
            engine = .hvf;
            if (has_hvf) threads.use(&hvf.engine);
        },
        else => return -38,
    }
    return 0;
}

/// The engine of those who do not choose one, as `cpu_engine` takes it.
pub fn cpu_engine_default() callconv(.c) u32 {
    const choice: Engine = if (@import("builtin").os.tag == .macos) .hvf else if (has_jit) .jit else .interp;
    return @intFromEnum(choice);
}

/// Why `cpu_engine(2)` failed: one sentence of ASCII, at most `max` bytes. Its length; 0 where there is no more to say.
pub fn cpu_engine_reason(out: [*]u8, max: u32) callconv(.c) u32 {
    if (!has_hvf) return 0;
    const text = hvf.reason();
    const len: u32 = @intCast(@min(text.len, max));
    @memcpy(out[0..len], text[0..len]);
    return len;
}

/// What Hypervisor.framework does here. `ready` is 0 before `cpu_engine(2)` has succeeded.
pub fn cpu_hvf_probe(out: *abi.HvfProbe) callconv(.c) void {
    out.* = if (has_hvf) hvf_probe.found else .{};
}

/// Measures what is not needed to run (for `doctor`), and adds it to what `cpu_hvf_probe` tells. 0, -ENOSYS where the engine is not in use,
/// -EIO when the virtual CPU failed.
pub fn cpu_hvf_measure() callconv(.c) i32 {
    if (!has_hvf or engine != .hvf) return -38;
    return if (hvf.measure()) 0 else -5;
}

/// Runs the task of `block` as `cpu_enter` does, one instruction at a time, and writes a line about each, which begins with `tid`, into `out`; it leaves early when the lines
/// might not fit into `max` bytes. Their length; the exit is in the block.
pub fn cpu_trace(block: *abi.RegisterBlock, budget: u32, tid: u32, out: [*]u8, max: u32) callconv(.c) u32 {
    return @intCast(steps.run(block, budget, tid, out[0..max], traceEnter));
}

fn traceEnter(block: *abi.RegisterBlock, budget: u32) i32 {
    return cpu_enter(block, budget);
}

/// The instruction `word` at `pc` as ASCII text. Its length.
pub fn cpu_disassemble(word: u32, pc: usize, out: *[disasm.longest]u8) callconv(.c) u32 {
    return @intCast(disasm.text(word, pc, out).len);
}

/// The same for what is at `pc` of the space; 0 when nothing there could be executed.
pub fn cpu_disassemble_at(space: u32, pc: usize, out: *[disasm.longest]u8) callconv(.c) u32 {
    return cpu_disassemble(steps.wordAt(space, pc) orelse return 0, pc, out);
}

/// AT_HWCAP (which 0 low, 1 high half) and AT_HWCAP2 (2, 3).
pub fn cpu_hwcap(which: u32) callconv(.c) u32 {
    if (has_hvf and engine == .hvf) return hvf_identity.word(which);
    return features.word(which);
}

/// CNTVCT_EL0 as the guest would read it now, for the vDSO's data page.
pub fn cpu_counter() callconv(.c) f64 {
    if (has_hvf and engine == .hvf) return @floatFromInt(hvf_counter.now());
    return @floatFromInt(system.counter());
}

/// CNTVCT_EL0 as the guest would read it now, and the host's monotonic clock (`host_clock_sample`) at the same moment.
pub fn cpu_counter_sample(out: *[2]u64) callconv(.c) void {
    var sample: [3]u64 = undefined;
    var narrowest: u64 = std.math.maxInt(u64);
    for (0..4) |_| {
        const before = counterNow();
        // It reads that clock last.
        host.clockSample(&sample);
        const after = counterNow();
        if (after -% before >= narrowest) continue;
        narrowest = after -% before;
        out.* = .{ if (isCounterClock()) sample[0] else after, sample[0] };
        if (isCounterClock()) return;
    }
}

/// The counter of a software CPU is the host's monotonic clock.
fn isCounterClock() bool {
    return !(has_hvf and engine == .hvf);
}

fn counterNow() u64 {
    if (has_hvf and engine == .hvf) return hvf_counter.now();
    return 0;
}

/// CNTFRQ_EL0.
pub fn cpu_counter_hz() callconv(.c) f64 {
    if (has_hvf and engine == .hvf) return @floatFromInt(hvf_counter.hz);
    return system.counter_hz;
}

/// Instructions translated, pages of code dropped, times that everything was dropped, bytes of code.
/// On Hypervisor.framework: exits, runs, tasks stopped in the middle, loads and stores of the vector registers.
pub fn cpu_stats(out: *[4]f64) callconv(.c) void {
    if (has_hvf and engine == .hvf) {
        return hvf.stats(out);
    }
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
