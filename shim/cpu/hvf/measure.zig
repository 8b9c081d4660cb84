//! What `doctor` wants to know beyond the probes of every start: do changed tables and changed code reach the guest, do timer and kick
//! end a loop, what does an exit cost.

const std = @import("std");
const abi = @import("../../abi.zig");
const counter = @import("counter.zig");
const frames = @import("../../mem/frames.zig");
const host = @import("../../host/host.zig").memory;
const probe = @import("probe.zig");
const space = @import("../../mem/space.zig");
const system = @import("system.zig");
const vcpu = @import("vcpu.zig");

const Guest = probe.Guest;

pub fn all(cpu: *vcpu.Cpu) probe.Error!void {
    const found = &probe.found;
    found.tlb_works = @intFromBool(try seesNewPage(cpu));
    found.icache_works = @intFromBool(try seesNewCode(cpu));
    found.memory_works = @intFromBool(try sharesMemory(cpu));
    found.kick_works = @intFromBool(try endsByKick(cpu));
    found.timer_works = @intFromBool(try endsByTimer(cpu));
    found.emulated = try emulatedOnce(cpu);
    found.exit_ns = try exitCost(cpu);
}

const patience = 500_000_000;

/// A page is replaced by another many times; the guest must always see the new one.
fn seesNewPage(cpu: *vcpu.Cpu) probe.Error!bool {
    var g = try Guest.make(&probe.load_byte);
    defer g.end();
    for (0..50) |i| {
        try g.data(@intCast(i), 1);
        if (try g.go(cpu, patience) != .syscall or g.block.x[0] != i) return false;
    }
    return true;
}

/// An instruction is replaced by another many times.
fn seesNewCode(cpu: *vcpu.Cpu) probe.Error!bool {
    var g = try Guest.make(&.{ 0xd2800000, probe.svc });
    defer g.end();
    for (0..50) |i| {
        g.write(&.{ 0xd2800000 | @as(u32, @intCast(i)) << 5, probe.svc }); // movz x0, #i
        if (try g.go(cpu, patience) != .syscall or g.block.x[0] != i) return false;
    }
    return true;
}

/// Frames that are given back together: more than the host's pages are long.
const given_frames = 64;

/// Memory goes back to the host and is touched anew, by the guest first and by the host first: a hypervisor that had kept the old pages would show.
fn sharesMemory(cpu: *vcpu.Cpu) probe.Error!bool {
    var g = try Guest.make(&.{ 0xd2a00041, 0x39400020, 0x39000422, probe.svc }); // movz x1, #2, lsl 16; ldrb w0, [x1]; strb w2, [x1, #1]; svc
    defer g.end();
    const first = frames.allocRun(given_frames, true) orelse return error.NoMemory;
    defer for (first..first + given_frames) |frame| frames.unref(@intCast(frame));
    const frame = first + given_frames / 2;
    const bytes = frames.ptr(frame);
    if (space.map(space.get(g.handle).?, probe.data_va, frame, 1, 3 | abi.prot_shared) < 0) return error.NoMemory;
    for (0..8) |round| {
        const wanted: u8 = if (round % 2 == 0) 0 else @intCast(round);
        if (wanted != 0) bytes[0] = wanted;
        g.block.x[2] = 0x40 + round;
        if (try g.go(cpu, patience) != .syscall or g.block.x[0] != wanted or bytes[1] != 0x40 + round) return false;
        bytes[0] = 0xee;
        const run = frames.ptr(first);
        if (host.giveBack(run, given_frames * frames.page_size)) host.commit(run, given_frames * frames.page_size) else bytes[0] = 0;
    }
    return true;
}

const endless = [_]u32{0x14000000}; // b .

fn endsByTimer(cpu: *vcpu.Cpu) probe.Error!bool {
    var g = try Guest.make(&endless);
    defer g.end();
    // Should the timer not work, this ends it.
    const watch = Watch.start(g.block, 2_000);
    const exit = try g.go(cpu, 1_000_000);
    @atomicStore(u32, &g.block.exit, ended, .seq_cst);
    watch.join();
    return exit == .budget;
}

fn endsByKick(cpu: *vcpu.Cpu) probe.Error!bool {
    var g = try Guest.make(&endless);
    defer g.end();
    const watch = Watch.start(g.block, 5);
    defer watch.join();
    return try g.go(cpu, 2_000_000_000) == .kicked;
}

/// Kicks a task after a while, from a thread of its own.
const Watch = struct {
    thread: ?std.Thread,

    fn start(block: *abi.RegisterBlock, after_ms: u32) Watch {
        return .{ .thread = std.Thread.spawn(.{ .stack_size = 1 << 20 }, kickLater, .{ block, after_ms }) catch null };
    }

    fn kickLater(block: *abi.RegisterBlock, after_ms: u32) void {
        for (0..after_ms) |_| {
            const pause: std.c.timespec = .{ .sec = 0, .nsec = 1_000_000 };
            _ = std.c.nanosleep(&pause, null);
            // It has ended by itself.
            if (@atomicLoad(u32, &block.exit, .seq_cst) == ended) return;
        }
        @atomicStore(u32, &block.stop, 1, .seq_cst);
        vcpu.kick(block);
    }

    fn join(w: Watch) void {
        if (w.thread) |t| t.join();
    }
};

const ended = 0xffff;

/// How many of these come to the host: dc cvac, cvau, civac; ic ivau; dc zva; reads of CTR_EL0, DCZID_EL0, CNTFRQ_EL0, CNTVCT_EL0.
fn emulatedOnce(cpu: *vcpu.Cpu) probe.Error!u32 {
    const words = [_]u32{ 0xd2a00041, 0xd50b7a21, 0xd50b7b21, 0xd50b7e21, 0xd50b7521, 0xd50b7421, 0xd53b0020, 0xd53b00e0, 0xd53be000, 0xd53be040 };
    var g = try Guest.make(&(words ++ .{probe.svc}));
    defer g.end();
    try g.data(1, 3);
    const before = system.emulated;
    _ = try g.go(cpu, patience);
    return @truncate(system.emulated - before);
}

/// Nanoseconds of an empty system call, the best of some.
fn exitCost(cpu: *vcpu.Cpu) probe.Error!u32 {
    var g = try Guest.make(&.{probe.svc});
    defer g.end();
    var best: u64 = std.math.maxInt(u64);
    for (0..10) |_| {
        const before = counter.host();
        for (0..50) |_| _ = try g.go(cpu, patience);
        best = @min(best, (counter.host() -% before) / 50);
    }
    return counter.nanoseconds(counter.scaled(best));
}
