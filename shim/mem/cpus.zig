//! Who runs guest code now, and how the kernel's thread stops them.
//!
//! Tables are edited while CPU threads run guest code. What adds rights needs no more than an atomic store. Before a right is
//! taken away or a frame replaced, the CPUs that run that space are paused: each steps out at the end of its block at the
//! latest of every few thousand instructions (`check`), and does not come in again before the edit is done. So the edit can
//! also clear their TLBs. CPUs of other spaces go on. Only the kernel's thread pauses, and it is outside when it does.
//!
//! `inside` and `pausing` are written first and then read of each other with sequential consistency, so that one of the two sides
//! always sees the other.
//!
//! Another engine plugs in by embedding a `Cpu` in what it keeps for each host thread, calling `check` wherever its guest code can
//! be interrupted (a CPU that cannot ask by itself sets `interrupt`), and dropping its own translations in `Tlb`-like fashion.

const std = @import("std");
const host = @import("../host/host.zig").threads;

pub const Cpu = struct {
    /// 1 while it runs guest code. Others wait on it.
    inside: u32 align(64) = 0,
    /// The space whose code it runs. Changes only outside.
    space: u32 = 0,
    /// `era` when it was last between two blocks.
    seen: u32 = 0,
    /// It belongs to a CPU thread, not to the kernel's.
    worker: bool = false,
    /// Makes it come to `check` or step out soon; null when it does so by itself.
    interrupt: ?*const fn (c: *Cpu) void = null,
    next: ?*Cpu = null,

    /// Puts it on the list of those that `pause` stops. It is never taken off.
    pub fn add(c: *Cpu) void {
        c.next = list;
        @atomicStore(?*Cpu, &list, c, .release);
    }

    /// Comes in, as soon as nothing forbids it.
    pub fn begin(c: *Cpu, space: u32) void {
        @atomicStore(u32, &c.space, space, .monotonic);
        while (true) {
            // A store: an exchange whose result nobody wants is a plain one to Zig's own back end.
            @atomicStore(u32, &c.inside, 1, .seq_cst);
            @atomicStore(u32, &c.seen, @atomicLoad(u32, &era, .acquire), .release);
            const scope = @atomicLoad(u32, &pausing, .seq_cst);
            if (!c.isIn(scope)) return;
            c.end();
            waitFor(scope);
        }
    }

    /// Steps out.
    pub fn end(c: *Cpu) void {
        @atomicStore(u32, &c.inside, 0, .seq_cst);
        if (@atomicLoad(u32, &pauser_sleeps, .seq_cst) != 0) host.wakeAll(&c.inside);
    }

    /// Between two blocks: what was found in tables before must be looked up again.
    pub inline fn check(c: *Cpu) void {
        if (@atomicLoad(u32, &c.seen, .monotonic) != @atomicLoad(u32, &era, .acquire)) {
            @atomicStore(u32, &c.seen, @atomicLoad(u32, &era, .acquire), .release);
        }
        if (@atomicLoad(u32, &pausing, .acquire) != nobody) c.stepAside();
    }

    /// Whether `check` would wait: for a CPU that has to put something in order first.
    pub inline fn isCalled(c: *const Cpu) bool {
        const scope = @atomicLoad(u32, &pausing, .acquire);
        return scope != nobody and c.worker and c.isIn(scope);
    }

    noinline fn stepAside(c: *Cpu) void {
        @branchHint(.cold);
        if (!c.worker or !c.isIn(@atomicLoad(u32, &pausing, .acquire))) return;
        c.end();
        c.begin(c.space);
    }

    inline fn isIn(c: *const Cpu, scope: u32) bool {
        return scope == everybody or (scope != nobody and scope == @atomicLoad(u32, &c.space, .monotonic));
    }
};

pub const nobody = 0;
pub const everybody = 0xffff_ffff;

/// CPU threads that have been given a task which the kernel has not taken back. Only the kernel's thread reads and writes it: while
/// it is 0 nobody else runs guest code.
pub var busy: u32 = 0;

var list: ?*Cpu = null;
/// Which space is paused, `nobody` or `everybody`.
var pausing: u32 = nobody;
/// How many sleep until that changes.
var sleepers: u32 = 0;
var pauser_sleeps: u32 = 0;
/// Pauses that are held.
var depth: u32 = 0;

/// How long to spin before sleeping: the other side is on its way, unless the host has put it aside.
const spin_ns = 20_000;

fn waitFor(scope: u32) void {
    if (host.spinWhile(&pausing, scope, spin_ns)) return;
    _ = @atomicRmw(u32, &sleepers, .Add, 1, .seq_cst);
    while (@atomicLoad(u32, &pausing, .seq_cst) == scope) host.sleepWhile(&pausing, scope);
    _ = @atomicRmw(u32, &sleepers, .Sub, 1, .seq_cst);
}

/// No CPU thread runs code of this space (or `everybody`'s) until `proceed`. Pauses nest; one inside another widens it.
pub fn pause(space: u32) void {
    const held = @atomicLoad(u32, &pausing, .monotonic);
    depth += 1;
    if (depth > 1 and (held == everybody or held == space)) return;
    const scope: u32 = if (depth > 1) everybody else space;
    @atomicStore(u32, &pausing, scope, .seq_cst);
    if (depth > 1 and @atomicLoad(u32, &sleepers, .seq_cst) != 0) host.wakeAll(&pausing);
    var it = list;
    while (it) |c| : (it = c.next) {
        if (c.worker and @atomicLoad(u32, &c.inside, .seq_cst) != 0 and c.isIn(scope)) waitOutside(c);
    }
}

fn waitOutside(c: *Cpu) void {
    if (c.interrupt) |interrupt| interrupt(c);
    if (host.spinWhile(&c.inside, 1, spin_ns)) return;
    @atomicStore(u32, &pauser_sleeps, 1, .seq_cst);
    while (@atomicLoad(u32, &c.inside, .seq_cst) != 0) host.sleepWhile(&c.inside, 1);
    @atomicStore(u32, &pauser_sleeps, 0, .seq_cst);
}

pub fn proceed() void {
    depth -= 1;
    if (depth > 0) return;
    @atomicStore(u32, &pausing, nobody, .seq_cst);
    if (@atomicLoad(u32, &sleepers, .seq_cst) != 0) host.wakeAll(&pausing);
}

/// Makes every CPU thread that runs this space pass a full barrier, and look its code up afresh.
pub fn barrier(space: u32) void {
    if (busy == 0) return;
    pause(space);
    proceed();
}

// Grace periods, for code that others may be executing.

var era: u32 = 1;

/// Begins an era: `passed` tells when every CPU has been between two blocks, or outside, since.
pub fn newEra() u32 {
    return @atomicRmw(u32, &era, .Add, 1, .seq_cst) +% 1;
}

pub fn passed(since: u32, asker: *const Cpu) bool {
    var it = @atomicLoad(?*Cpu, &list, .acquire);
    while (it) |c| : (it = c.next) {
        if (c == asker or @atomicLoad(u32, &c.inside, .seq_cst) == 0) continue;
        const behind: i32 = @bitCast(@atomicLoad(u32, &c.seen, .acquire) -% since);
        if (behind < 0) return false;
    }
    return true;
}

test "a CPU that is inside stops at its next check, and only for its space" {
    const testing = std.testing;
    const Runner = struct {
        cpu: Cpu = .{ .worker = true },
        count: u32 = 0,
        stop: u32 = 0,
        done: u32 = 0,

        fn run(r: *@This()) void {
            r.cpu.begin(7);
            while (@atomicLoad(u32, &r.stop, .acquire) == 0) {
                _ = @atomicRmw(u32, &r.count, .Add, 1, .monotonic);
                r.cpu.check();
            }
            r.cpu.end();
            @atomicStore(u32, &r.done, 1, .release);
            host.wakeAll(&r.done);
        }
    };
    const r = try std.heap.c_allocator.create(Runner);
    r.* = .{};
    r.cpu.add();
    try testing.expect(host.start(*Runner, Runner.run, r));
    while (@atomicLoad(u32, &r.count, .acquire) == 0) host.relax();
    for (0..1000) |_| {
        pause(7);
        const before = @atomicLoad(u32, &r.count, .acquire);
        for (0..100) |_| host.relax();
        try testing.expectEqual(before, @atomicLoad(u32, &r.count, .acquire));
        proceed();
    }
    pause(8);
    const before = @atomicLoad(u32, &r.count, .acquire);
    while (@atomicLoad(u32, &r.count, .acquire) == before) host.relax();
    proceed();
    @atomicStore(u32, &r.stop, 1, .release);
    while (@atomicLoad(u32, &r.done, .acquire) == 0) host.sleepWhile(&r.done, 0);
    var link = &list;
    while (link.*) |c| : (link = &c.next) {
        if (c == &r.cpu) {
            link.* = c.next;
            break;
        }
    }
}
