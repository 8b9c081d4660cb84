//! CPU threads: each runs one task at a time until its exit. The kernel's thread hands a task to an idle one (`dispatch`) and
//! hears of the exit through the host's one wait (`host.finish`); it runs guest code itself meanwhile.
//!
//! A thread is started when there is a task for it and no other one is idle, so a guest that never has two runnable tasks
//! has none. A block belongs to its thread from `dispatch` until the kernel has taken it back with `collect`.

const abi = @import("../abi.zig");
const host = @import("../host/host.zig");
const mem = @import("../mem/mem.zig");
const Engine = @import("engine.zig").Engine;

const Block = abi.RegisterBlock;
const Cpu = mem.cpus.Cpu;

pub const max_threads = 63;
/// A thread that has just finished waits for its next task this long before it sleeps.
const spin_ns = 10_000;

const idle = 0;
const working = 1;
const done = 2;
/// The host refused what the engine needs.
const broken = 3;

const Slot = struct {
    /// One of the above; `working` is set by the kernel's thread, the others by its own.
    state: u32 align(64) = idle,
    /// Its thread sleeps, or is about to, and has to be woken.
    asleep: u32 = 0,
    cpu: *Cpu,
    block: *Block,
    budget: u32 = 0,
    id: u32 = 0,
    space: u32 = 0,
    ran_ns: u64 = 0,
};

var slots: [max_threads]Slot = undefined;
var made: u32 = 0;
/// Where `collect` looks first.
var next: u32 = 0;
var engine: *const Engine = undefined;

/// Which engine the threads use, before the first `dispatch`.
pub fn use(which: *const Engine) void {
    engine = which;
}

/// Gives a task to a thread, of which there may be `limit`. False: none is free.
pub fn dispatch(b: *Block, id: u32, budget: u32, limit: u32) bool {
    const space = mem.space.get(b.space) orelse return false;
    const slot = pick(b, @min(limit, max_threads)) orelse return false;
    engine.bind(slot.cpu, b.space);
    space.running += 1;
    mem.cpus.busy += 1;
    host.expect(mem.cpus.busy);
    slot.block = b;
    slot.space = b.space;
    slot.budget = budget;
    slot.id = id;
    @atomicStore(u32, &slot.state, working, .seq_cst);
    if (@atomicLoad(u32, &slot.asleep, .seq_cst) != 0) host.threads.wakeAll(&slot.state);
    return true;
}

/// An idle thread: the one that ran this task last, one that ran its space, any, a new one.
fn pick(b: *const Block, limit: u32) ?*Slot {
    var best: ?*Slot = null;
    var best_score: u32 = 0;
    for (slots[0..@min(made, limit)]) |*slot| {
        if (@atomicLoad(u32, &slot.state, .acquire) != idle) continue;
        const score: u32 = if (slot.block == b) 3 else if (slot.space == b.space) 2 else 1;
        if (score <= best_score) continue;
        best = slot;
        best_score = score;
    }
    if (best != null or made == limit) return best;
    const cpu = engine.create() orelse return null;
    const slot = &slots[made];
    slot.* = .{ .cpu = cpu, .block = undefined };
    if (!host.threads.start(*Slot, work, slot)) return null;
    made += 1;
    return slot;
}

/// One task that has had its exit: its id. Null when there is none.
pub fn collect() ?u32 {
    if (host.finished() == 0) return null;
    for (0..made) |_| {
        next = if (next + 1 >= made) 0 else next + 1;
        const slot = &slots[next];
        const state = @atomicLoad(u32, &slot.state, .acquire);
        if (state != done and !(state == broken and slot.id != taken)) continue;
        host.take();
        last_ran_ns = slot.ran_ns;
        last_block = slot.block;
        const id = slot.id;
        if (state == done) @atomicStore(u32, &slot.state, idle, .release) else slot.id = taken;
        mem.cpus.busy -= 1;
        host.expect(mem.cpus.busy);
        if (mem.space.get(slot.space)) |space| space.running -= 1;
        return id;
    }
    return null;
}

/// The id of a broken thread whose task was taken back.
const taken = 0xffff_ffff;

/// The block of the task of the last `collect`, and how long it ran.
pub var last_block: *Block = undefined;
pub var last_ran_ns: u64 = 0;

fn work(slot: *Slot) void {
    const attached = engine.attach(slot.cpu);
    while (true) {
        while (@atomicLoad(u32, &slot.state, .acquire) != working) sleep(slot);
        if (!attached) return giveUp(slot);
        const start = host.threads.now();
        slot.cpu.begin(slot.space);
        _ = engine.enter(slot.cpu, slot.block, slot.budget);
        slot.cpu.end();
        slot.ran_ns = host.threads.now() - start;
        @atomicStore(u32, &slot.state, done, .seq_cst);
        host.finish();
    }
}

fn sleep(slot: *Slot) void {
    const state = @atomicLoad(u32, &slot.state, .acquire);
    if (state == working or host.threads.spinWhile(&slot.state, state, spin_ns)) return;
    @atomicStore(u32, &slot.asleep, 1, .seq_cst);
    if (@atomicLoad(u32, &slot.state, .seq_cst) != working) host.threads.sleepWhile(&slot.state, state);
    @atomicStore(u32, &slot.asleep, 0, .seq_cst);
}

/// The task goes back as it came.
fn giveUp(slot: *Slot) void {
    slot.block.exit = @intFromEnum(abi.Exit.kicked);
    @atomicStore(u32, &slot.state, broken, .seq_cst);
    host.finish();
}
