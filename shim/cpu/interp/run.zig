//! Entering and leaving guest code, and finding the block of a pc.

const std = @import("std");
const abi = @import("../../abi.zig");
const mem = @import("../../mem/mem.zig");
const access = @import("access.zig");
const branch = @import("branch.zig");
const cache = @import("cache.zig");
const core = @import("core.zig");
const engines = @import("../engine.zig");
const flags = @import("flags.zig");
const fp = @import("../simd/fp.zig");
const translate = @import("translate.zig");

const Op = core.Op;
const Block = core.Block;
const Vcpu = core.Vcpu;
const Flags = core.Flags;

/// The CPU of the kernel's own thread.
var main_cpu: ?*Vcpu = null;

/// Makes a virtual CPU. Null when the host has no memory.
fn create(worker: bool) ?*Vcpu {
    if (!cache.init()) return null;
    const raw = std.c.calloc(1, @sizeOf(Vcpu) + 64) orelse return null;
    const v: *Vcpu = @ptrFromInt(std.mem.alignForward(usize, @intFromPtr(raw), 64));
    prepare(v, worker);
    return v;
}

/// Fills a virtual CPU's memory, which is all zeros, for this engine or one that has more in it.
pub fn prepare(v: *Vcpu, worker: bool) void {
    v.tlb.init();
    v.cpu = .{ .worker = worker };
    v.cpu.add();
    v.key = 0;
    v.seen_epoch = 0;
    v.single = &v.stepping;
}

/// This engine for CPU threads.
pub const engine: engines.Engine = .{ .create = createWorker, .attach = attach, .bind = bindWorker, .enter = enterWorker };

fn createWorker() ?*mem.cpus.Cpu {
    const v = create(true) orelse return null;
    return &v.cpu;
}

fn vcpuOf(c: *mem.cpus.Cpu) *Vcpu {
    return @alignCast(@fieldParentPtr("cpu", c));
}

fn attach(_: *mem.cpus.Cpu) bool {
    return true;
}

fn bindWorker(c: *mem.cpus.Cpu, space: u32) void {
    vcpuOf(c).tlb.bind(space);
}

fn enterWorker(c: *mem.cpus.Cpu, b: *Block, budget: u32) i32 {
    return enterWith(vcpuOf(c), b, budget);
}

/// The kernel's own CPU, made when it is first asked for.
pub fn mainCpu() ?*mem.cpus.Cpu {
    if (main_cpu == null) main_cpu = create(false);
    return if (main_cpu) |v| &v.cpu else null;
}

/// Runs the task of `block` until something happens that is not the CPU's business; at most about `budget` instructions.
/// The kernel's thread's.
pub fn enter(b: *Block, budget: u32) i32 {
    const v = main_cpu orelse create(false) orelse return leaveEarly(b, .budget);
    main_cpu = v;
    cache.makeRoom();
    v.tlb.bind(b.space);
    return enterWith(v, b, budget);
}

/// On a CPU whose TLB is bound to the task's space.
fn enterWith(v: *Vcpu, b: *Block, budget: u32) i32 {
    b.zero = 0;
    if (@atomicLoad(u32, &b.stop, .monotonic) != 0) {
        @atomicStore(u32, &b.stop, 0, .monotonic);
        return leaveEarly(b, .kicked);
    }
    v.key = keyOf(v);
    v.slice = @intCast(@min(budget, core.slice_max));
    v.slice_start = v.slice;
    v.budget = budget - @as(u32, @intCast(v.slice));
    const f = flags.fromPstate(b.pstate);
    if (b.single_step != 0) return step(b, v, f);
    const pc = b.pc;
    const entry = branch.jumpEntry(v, pc);
    const op = if (entry.pc == pc and entry.key == v.key) entry.op.? else op: {
        const op = lookup(b, v, pc) orelse return fetchFault(b, v, f, pc);
        entry.* = .{ .pc = pc, .key = v.key, .op = op };
        break :op op;
    };
    fp.enter(b);
    const exit = op[0].handler(op, b, v, f.a, f.b, f.c);
    fp.leave(b);
    return exit;
}

inline fn keyOf(v: *Vcpu) u64 {
    return @atomicLoad(u64, &cache.epoch, .acquire) << 12 | v.tlb.context;
}

fn leaveEarly(b: *Block, reason: abi.Exit) i32 {
    b.exit = @intFromEnum(reason);
    return @intCast(@intFromEnum(reason));
}

/// Executes one instruction of the task of `b`, for an engine that has a virtual CPU of its own.
pub fn stepWith(v: *Vcpu, b: *Block) i32 {
    b.zero = 0;
    return step(b, v, flags.fromPstate(b.pstate));
}

/// Executes one instruction.
fn step(b: *Block, v: *Vcpu, f: Flags) i32 {
    const pc = b.pc;
    const at = if (pc & 3 == 0) mem.translate(v.tlb.space, pc, .exec) else null;
    if (at == null) return access.fetchFault(b, v, f, pc);
    v.slice = 0;
    v.slice_start = 0;
    const insn: *align(1) const u32 = @ptrCast(at.?.ptr);
    translate.single(&v.stepping, pc, insn.*);
    fp.enter(b);
    const exit = executeSingle(b, v, &v.stepping, f);
    fp.leave(b);
    return exit;
}

/// Executes a translated instruction that stands alone: exits with `step` behind it, or another reason.
pub fn executeSingle(b: *Block, v: *Vcpu, single: *const core.Single, f: Flags) i32 {
    v.single = single;
    const op: [*]const Op = &single.ops;
    return op[0].handler(op, b, v, f.a, f.b, f.c);
}

/// The address that a branch goes to: the top byte of the register is ignored.
pub inline fn canonical(pc: u64) u64 {
    return @bitCast(@as(i64, @bitCast(pc << 8)) >> 8);
}

/// The translation of the code at pc. Null when it cannot be fetched, or has to wait until the cache is emptied.
pub fn lookup(b: *Block, v: *Vcpu, pc: u64) ?[*]const Op {
    _ = b;
    if (pc & 3 != 0) return null;
    const at = mem.translate(v.tlb.space, pc, .exec) orelse return null;
    const offset = pc & (abi.page_size - 1);
    const word: u32 = @intCast(offset / 4);
    while (true) {
        // Before the code is looked for: what is found may be dropped at once, and must not outlive the next epoch.
        v.key = keyOf(v);
        if (cache.find(at.frame, pc - offset)) |page| {
            const slot = @atomicLoad(u32, &page.entry[word], .acquire);
            if (slot != 0) return cache.opAt(slot - 1);
        }
        const words: *const [cache.page_words]u32 = @ptrCast(@alignCast(at.ptr - offset));
        const generation = cache.generation;
        {
            cache.mutex.lock();
            defer cache.mutex.unlock();
            const page = cache.getPage(at.frame, pc - offset) orelse return null;
            if (page.entry[word] == 0) _ = translate.block(page, words, word);
        }
        if (generation == cache.generation and cache.full) return null;
    }
}

/// For a branch inside its page: the block at pc, after making `*patch` lead to it.
pub fn linked(b: *Block, v: *Vcpu, pc: u64, patch: u64) ?[*]const Op {
    const generation = cache.generation;
    const op = lookup(b, v, pc) orelse return null;
    if (generation == cache.generation) @atomicStore(u64, @as(*u64, @ptrFromInt(patch)), @intFromPtr(op), .release);
    return op;
}

/// Exit: there is no code for pc.
pub fn fetchFault(b: *Block, v: *Vcpu, f: Flags, pc: u64) i32 {
    if (cache.full) return core.leave(b, v, f, pc, 0, .kicked);
    return access.fetchFault(b, v, f, pc);
}

/// The guest address that an op, perhaps a stub, stands for.
pub fn pcOf(v: *Vcpu, op: [*]const Op) u64 {
    if (op[0].handler == &branch.far or op[0].handler == &branch.link) return core.ext(op, 1).lo;
    return cache.whereIs(v, op).pc;
}

/// At the end of a slice: begins another, or says why not.
pub fn newSlice(b: *Block, v: *Vcpu) ?abi.Exit {
    const spent: u32 = @bitCast(v.slice_start -% v.slice);
    b.retired +%= spent;
    v.slice_start = v.slice;
    if (b.single_step != 0) return .step;
    v.cpu.check();
    if (@atomicRmw(u32, &b.stop, .Xchg, 0, .monotonic) != 0) return .kicked;
    // What the slice was overdrawn by comes out of the rest.
    const left = @as(i64, v.budget) + v.slice;
    if (left <= 0) return .budget;
    v.slice = @intCast(@min(left, core.slice_max));
    v.budget = @intCast(left - v.slice);
    v.slice_start = v.slice;
    v.key = keyOf(v);
    return null;
}

/// What YIELD and WFE cost a CPU thread, in instructions.
pub const pause_charge = 64;

/// Makes a running or about to run `enter` return soon. Async-signal-safe.
pub fn kick(b: *Block) void {
    @atomicStore(u32, &b.stop, 1, .release);
}

/// Forgets all translations (tests).
pub fn reset() void {
    cache.flush();
}
