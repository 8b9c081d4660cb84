//! Entering and leaving translated code.

const std = @import("std");
const abi = @import("../../abi.zig");
const cache = @import("cache.zig");
const fp = @import("../simd/fp.zig");
const host = @import("host.zig");
const interp = @import("../interp/run.zig");
const layout = @import("layout.zig");
const service = @import("service.zig");
const thunks = @import("thunks.zig");

const linux = std.os.linux;

const Block = layout.Block;
const Cpu = layout.Cpu;

/// The CPU of the kernel's own thread.
var main_cpu: ?*Cpu = null;

/// Prepares the engine. False when this host cannot run translated code.
pub fn init() bool {
    if (main_cpu == null and !create()) return false;
    cache.listen();
    return true;
}

fn create() bool {
    if (!cache.init()) return false;
    host.probe();
    thunks.make();
    const raw = std.c.malloc(@sizeOf(Cpu) + 64) orelse return false;
    const cpu: *Cpu = @ptrFromInt(std.mem.alignForward(usize, @intFromPtr(raw), 64));
    cpu.v.tlb.init();
    @memset(std.mem.asBytes(&cpu.jumps), 0);
    cpu.key = 0;
    cpu.v.single = &cpu.v.stepping;
    cpu.self = cpu;
    cpu.twice_least_double = @splat(1 << 53);
    cpu.twice_least_single = @splat(1 << 24);
    // The C library and Bun leave gs alone.
    if (linux.syscall2(.arch_prctl, linux.ARCH.SET_GS, @intFromPtr(cpu)) != 0) return false;
    main_cpu = cpu;
    return true;
}

/// Runs the task of `block` until something happens that is not the CPU's business; at most about `budget` instructions.
pub fn enter(b: *Block, budget: u32) i32 {
    const cpu = main_cpu.?;
    if (b.single_step != 0) return interp.stepWith(&cpu.v, b);
    cpu.v.tlb.bind(b.space);
    b.zero = 0;
    if (@atomicLoad(u32, &b.stop, .monotonic) != 0) {
        @atomicStore(u32, &b.stop, 0, .monotonic);
        return early(b, .kicked);
    }
    cpu.block = b;
    service.startSlice(cpu, budget);
    cpu.flags = layout.savedFlags(b.pstate);
    const code = service.begin(cpu, b.pc);
    if (code == 0) return @intCast(b.exit);
    fp.enter(b);
    const reason = thunks.entry()(b, code);
    fp.leave(b);
    service.retire(cpu);
    b.pstate = layout.pstateOf(cpu.flags);
    return reason;
}

fn early(b: *Block, reason: abi.Exit) i32 {
    b.exit = @intFromEnum(reason);
    return @intCast(b.exit);
}

/// Forgets all translations (tests).
pub fn reset() void {
    if (main_cpu != null) cache.flush();
}
