//! How a running task is told to stop, by whoever has a reason: it finds `stop` in its block; a CPU that does not look by itself is made to by the
//! engine that has it.

const abi = @import("../abi.zig");

/// Makes the CPU that runs this task leave it. Async-signal-safe.
pub var interrupt: ?*const fn (block: *abi.RegisterBlock) void = null;

pub fn stop(block: *abi.RegisterBlock) void {
    @atomicStore(u32, &block.stop, 1, .seq_cst);
    if (interrupt) |call| call(block);
}
