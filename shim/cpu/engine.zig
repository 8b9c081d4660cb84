//! What an engine offers to be run by CPU threads (`threads.zig`). It embeds a `mem.cpus.Cpu` in its virtual CPU, registers it with
//! `add`, and calls its `check` between blocks, or sets `interrupt` when guest code cannot do that.
//!
//! The kernel's own thread is a CPU as well; it goes through `cpu_enter` and the engine's own `enter`.

const abi = @import("../abi.zig");
const Cpu = @import("../mem/mem.zig").cpus.Cpu;

pub const Engine = struct {
    /// Makes a virtual CPU; called by the kernel's thread. Null when the host refuses.
    create: *const fn () ?*Cpu,
    /// Prepares the thread that is going to run it; called once, on that thread. False when the host refuses.
    attach: *const fn (c: *Cpu) bool,
    /// Accesses go to this space from now on; called by the kernel's thread while the CPU runs nothing.
    bind: *const fn (c: *Cpu, space: u32) void,
    /// Runs the task of `b` until an exit, for at most about `budget` instructions; called on the CPU's thread, between `Cpu.begin`
    /// and `Cpu.end`.
    enter: *const fn (c: *Cpu, b: *abi.RegisterBlock, budget: u32) i32,
};
