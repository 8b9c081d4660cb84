//! Virtual CPUs. Each is made, run and ended by one host thread, its owner; only `kick` comes from elsewhere.

const std = @import("std");
const abi = @import("../../abi.zig");
const asid = @import("asid.zig");
const coherence = @import("coherence.zig");
const cpus = @import("../../mem/cpus.zig");
const frames = @import("../../mem/frames.zig");
const hv = @import("hv.zig");
const probe = @import("probe.zig");
const registers = @import("registers.zig");
const space = @import("../../mem/space.zig");
const stub = @import("stub.zig");
const vm = @import("vm.zig");

const Block = abi.RegisterBlock;

pub const Cpu = struct {
    /// For mem/cpus.zig.
    cpu: cpus.Cpu,
    handle: hv.Vcpu,
    exit: *const hv.Exit,
    context: *stub.Context,
    pending: coherence.Pending,
    /// 1 and up; `fp_home` of register blocks.
    id: u32,
    /// TTBR0_EL1 as it is to be, and as the stub last set it (0: unknown).
    wanted_ttbr0: u64,
    ttbr0: u64,
    /// Whose vector registers are in the CPU; null: nobody's.
    fp_owner: ?*Block,
    /// They are newer than in its block.
    fp_unsaved: bool = false,
    /// The task that runs now. Accessed atomically.
    running: ?*Block,
    /// The framework masks the timer when it ends a run.
    timer_is_masked: bool = false,
    exits: u64 = 0,
    runs: u64 = 0,
    captures: u64 = 0,
    fp_loads: u64 = 0,
    fp_stores: u64 = 0,
    /// The framework has made it. Accessed atomically.
    is_made: bool,
};

pub const max_cpus = 64;
var list: [max_cpus]*Cpu = undefined;
var count: u32 = 0;

/// All of them. Made by the kernel's thread alone.
pub fn all() []const *Cpu {
    return list[0..@atomicLoad(u32, &count, .acquire)];
}

pub const Error = vm.Error;

/// The books of another virtual CPU. On the kernel's thread.
pub fn create(worker: bool) Error!*Cpu {
    if (count == max_cpus) return error.NoMemory;
    const raw = std.c.malloc(@sizeOf(Cpu) + 64) orelse return error.NoMemory;
    const cpu: *Cpu = @ptrFromInt(std.mem.alignForward(usize, @intFromPtr(raw), 64));
    const frame = frames.alloc(true) orelse return error.NoMemory;
    cpu.* = .{
        .cpu = .{ .worker = worker, .interrupt = interrupt },
        .handle = undefined,
        .exit = undefined,
        .context = @ptrCast(frames.ptr(frame)),
        .pending = .{ .request = stub.request_tlb_all | stub.request_icache },
        .id = count + 1,
        .wanted_ttbr0 = 0,
        .ttbr0 = 0,
        .fp_owner = null,
        .running = null,
        .is_made = false,
    };
    cpu.context.* = .{ .fp_eager = @intFromBool(worker) };
    cpu.cpu.add();
    list[count] = cpu;
    @atomicStore(u32, &count, count + 1, .release);
    return cpu;
}

/// Makes the virtual CPU itself and puts it at the stub's entry. On its own thread.
pub fn attach(cpu: *Cpu) Error!void {
    try vm.check(hv.api.vcpu_create(&cpu.handle, @ptrCast(&cpu.exit), null));
    errdefer _ = hv.api.vcpu_destroy(cpu.handle);
    try setUp(cpu);
    @atomicStore(bool, &cpu.is_made, true, .seq_cst);
}

/// The other way. On its own thread.
pub fn detach(cpu: *Cpu) void {
    @atomicStore(bool, &cpu.is_made, false, .seq_cst);
    _ = hv.api.vcpu_destroy(cpu.handle);
    cpu.ttbr0 = 0;
    cpu.fp_owner = null;
}

fn setUp(cpu: *Cpu) Error!void {
    if (cpu.id == 1) try vm.check(probe.readIdentity(cpu.handle));
    const sys = [_]struct { hv.SysReg, u64 }{
        .{ hv.mair_el1, registers.mair },
        .{ hv.tcr_el1, registers.tcr(vm.ipa_bits, probe.found.asid_bits == 16) },
        .{ hv.ttbr0_el1, registers.ttbr0(vm.boot_root, 0) },
        .{ hv.ttbr1_el1, registers.ttbr0(vm.upper_root, 0) },
        .{ hv.cpacr_el1, registers.cpacr },
        .{ hv.cntkctl_el1, registers.cntkctl },
        .{ hv.vbar_el1, registers.stub_va },
        .{ hv.tpidr_el1, vm.linear(cpu.context) },
        .{ hv.tpidrro_el0, 0 },
        .{ hv.cntv_ctl_el0, 0 },
    };
    for (sys) |pair| try vm.check(hv.api.vcpu_set_sys_reg(cpu.handle, pair[0], pair[1]));
    try vm.check(hv.api.vcpu_set_reg(cpu.handle, hv.reg_cpsr, registers.cpsr_el1));
    if (probe.found.mmu_by_stub == 0) {
        try vm.check(hv.api.vcpu_set_sys_reg(cpu.handle, hv.sctlr_el1, registers.sctlr));
        try toStub(cpu, stub.resumeOffset());
    } else {
        try vm.check(hv.api.vcpu_set_sys_reg(cpu.handle, hv.sctlr_el1, registers.sctlr & ~registers.sctlr_m));
        try vm.check(hv.api.vcpu_set_reg(cpu.handle, 0, registers.sctlr));
        try vm.check(hv.api.vcpu_set_reg(cpu.handle, 1, registers.stub_va + stub.resumeOffset()));
        try vm.check(hv.api.vcpu_set_reg(cpu.handle, hv.reg_pc, vm.codeAddress() + stub.bootOffset()));
    }
    try vm.check(hv.api.vcpu_set_vtimer_mask(cpu.handle, false));
}

/// Continues at an offset of the stub.
pub fn toStub(cpu: *Cpu, offset: u64) Error!void {
    try vm.check(hv.api.vcpu_set_reg(cpu.handle, hv.reg_pc, registers.stub_va + offset));
}

/// Accesses go to this space from now on. On the kernel's thread, while the CPU runs nothing.
pub fn bind(cpu: *Cpu, handle: u32) void {
    coherence.prepare();
    cpu.cpu.space = handle;
    const s = space.get(handle) orelse {
        cpu.wanted_ttbr0 = 0;
        return;
    };
    cpu.wanted_ttbr0 = registers.ttbr0(s.root, asid.of(s));
}

/// Makes the CPU that runs this task leave it. From any thread, and from signal handlers.
pub fn kick(block: *Block) void {
    for (all()) |cpu| {
        if (@atomicLoad(?*Block, &cpu.running, .seq_cst) == block) interrupt(&cpu.cpu);
    }
}

fn interrupt(c: *cpus.Cpu) void {
    const cpu: *Cpu = @alignCast(@fieldParentPtr("cpu", c));
    if (@atomicLoad(bool, &cpu.is_made, .seq_cst)) _ = hv.api.vcpus_exit(@ptrCast(&cpu.handle), 1);
}

// Register blocks lie in guest memory, where the stub stores into them.

const block_bytes = 1024;
const per_page = frames.page_size / block_bytes;
var free_blocks: ?*Block = null;

fn link(block: *Block) *?*Block {
    return @ptrCast(&block.x[0]);
}

pub fn newBlock() ?*Block {
    if (free_blocks == null) {
        const frame = frames.alloc(true) orelse return null;
        for (0..per_page) |i| freeBlock(@ptrCast(@alignCast(&frames.ptr(frame)[i * block_bytes])));
    }
    const block = free_blocks.?;
    free_blocks = link(block).*;
    block.* = .{};
    return block;
}

pub fn freeBlock(block: *Block) void {
    link(block).* = free_blocks;
    free_blocks = block;
}

/// Whether this block may be entered: those made for another engine lie elsewhere.
pub fn isOurs(block: *const Block) bool {
    const at = @intFromPtr(block) -% @intFromPtr(frames.base);
    return at < @as(usize, frames.frame_limit) * frames.page_size;
}

comptime {
    std.debug.assert(@sizeOf(Block) <= block_bytes);
}
