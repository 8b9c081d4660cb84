//! Entering and leaving translated code.

const std = @import("std");
const abi = @import("../../abi.zig");
const cache = @import("cache.zig");
const check = @import("check.zig");
const engines = @import("../engine.zig");
const fp = @import("../simd/fp.zig");
const host = @import("host.zig");
const interp = @import("../interp/run.zig");
const layout = @import("layout.zig");
const loops = @import("loop.zig");
const mem = @import("../../mem/mem.zig");
const mirrors = @import("mirror.zig");
const service = @import("service.zig");
const thunks = @import("thunks.zig");

const linux = std.os.linux;

const Block = layout.Block;
const Cpu = layout.Cpu;

/// The CPU of the kernel's own thread.
var main_cpu: ?*Cpu = null;

/// Prepares the engine. False when this host cannot run translated code.
pub fn init() bool {
    if (main_cpu == null and !start()) return false;
    cache.listen();
    return true;
}

fn start() bool {
    if (!cache.init()) return false;
    host.probe();
    check.start();
    mirrors.init();
    loops.start();
    thunks.make();
    const cpu = create(false) orelse return false;
    if (!attach(&cpu.v.cpu)) return false;
    main_cpu = cpu;
    return true;
}

/// Makes a virtual CPU. Null when the host has no memory.
fn create(worker: bool) ?*Cpu {
    // Fresh zeroes, which take memory where they are written.
    const region = mirrors.reserve(@sizeOf(Cpu));
    const raw: *anyopaque = if (region) |r| r else std.c.calloc(1, @sizeOf(Cpu) + 64) orelse return null;
    const cpu: *Cpu = @ptrFromInt(std.mem.alignForward(usize, @intFromPtr(raw), 64));
    if (region) |r| mirrors.adopt(&cpu.mirror, r);
    interp.prepare(&cpu.v, worker);
    cpu.key = 0;
    cpu.backs = @splat(loops.patience);
    cpu.self = cpu;
    cpu.constants = .{};
    return cpu;
}

/// This engine for CPU threads.
pub const engine: engines.Engine = .{ .create = createWorker, .attach = attach, .bind = bindWorker, .enter = enterWorker };

fn createWorker() ?*mem.cpus.Cpu {
    const cpu = create(true) orelse return null;
    return &cpu.v.cpu;
}

fn cpuOf(c: *mem.cpus.Cpu) *Cpu {
    const v: *@FieldType(Cpu, "v") = @alignCast(@fieldParentPtr("cpu", c));
    return @alignCast(@fieldParentPtr("v", v));
}

/// Makes the gs segment of the calling thread lead to its CPU. The C library and Bun leave gs alone.
fn attach(c: *mem.cpus.Cpu) bool {
    return linux.syscall2(.arch_prctl, linux.ARCH.SET_GS, @intFromPtr(cpuOf(c))) == 0;
}

fn bindWorker(c: *mem.cpus.Cpu, space: u32) void {
    cpuOf(c).v.tlb.bind(space);
}

fn enterWorker(c: *mem.cpus.Cpu, b: *Block, budget: u32) i32 {
    return enterWith(cpuOf(c), b, budget);
}

/// The kernel's own CPU.
pub fn mainCpu() ?*mem.cpus.Cpu {
    return &main_cpu.?.v.cpu;
}

/// Runs the task of `block` until something happens that is not the CPU's business; at most about `budget` instructions.
/// The kernel's thread's.
pub fn enter(b: *Block, budget: u32) i32 {
    const cpu = main_cpu.?;
    cache.makeRoom();
    cpu.v.tlb.bind(b.space);
    if (check.on and b.single_step == 0) return check.enter(&cpu.v, b, budget, &piece);
    return enterWith(cpu, b, budget);
}

fn piece(b: *Block, budget: u32) i32 {
    return enterWith(main_cpu.?, b, budget);
}

/// On a CPU whose TLB is bound to the task's space.
fn enterWith(cpu: *Cpu, b: *Block, budget: u32) i32 {
    if (b.single_step != 0) return interp.stepWith(&cpu.v, b);
    b.zero = 0;
    if (@atomicLoad(u32, &b.stop, .monotonic) != 0) {
        @atomicStore(u32, &b.stop, 0, .monotonic);
        return early(b, .kicked);
    }
    cpu.block = b;
    service.startSlice(cpu, budget);
    b.host_flags = layout.savedFlags(b.pstate);
    b.tlb_mark = cpu.v.tlb.mark;
    b.flat_end = mirrors.end;
    cpu.watchSaturation(b);
    const code = service.begin(cpu, b.pc);
    if (code == 0) return @intCast(b.exit);
    fp.enter(b);
    const reason = thunks.entry()(b, code);
    fp.leave(b);
    service.retire(cpu);
    b.pstate = layout.pstateOf(b.host_flags);
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
