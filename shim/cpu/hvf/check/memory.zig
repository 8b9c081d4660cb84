//! Memory as guests see it, and that they see it change: addresses, caches, spaces, the counter.

const std = @import("std");
const abi = @import("../../../abi.zig");
const bench = @import("bench.zig");
const counter = @import("../counter.zig");
const desc = @import("../../../mem/descriptor.zig");
const frames = @import("../../../mem/frames.zig");
const hv = @import("../hv.zig");
const measure = @import("../measure.zig");
const probe = @import("../probe.zig");
const registers = @import("../registers.zig");
const space = @import("../../../mem/space.zig");
const stub = @import("../stub.zig");
const vcpu = @import("../vcpu.zig");
const vm = @import("../vm.zig");

const Guest = probe.Guest;
const svc = probe.svc;
const Error = bench.Error;
const expect = bench.expect;
const say = bench.say;
const go = bench.go;
const settleFault = bench.settleFault;
const patience = bench.patience;
const to_data = bench.to_data;

/// Whatever frame the machine can have can be mapped: the last one of its physical addresses.
pub fn topIsReached() Error!void {
    const top = struct {
        var page: [16384]u8 align(16384) = @splat(0x5e);
    };
    const ipa = (@as(u64, 1) << @intCast(vm.ipa_bits)) - top.page.len;
    if (hv.api.vm_map(&top.page, ipa, top.page.len, hv.memory_read | hv.memory_write) != hv.success) return expect(false, "memory at the top");
    var g = try Guest.make(&probe.load_byte);
    defer g.end();
    try g.data(1, 1);
    var table = space.get(g.handle).?.root;
    for ([_]u6{ 39, 30, 21 }) |shift| table = desc.frameOf(entryOf(table, shift).*);
    const entry = entryOf(table, 12);
    const before = entry.*;
    entry.* = before & ~desc.address | ipa;
    const exit = try go(&g);
    entry.* = before;
    expect(exit == .syscall and g.block.x[0] == 0x5e, "a read of the last physical page");
    if (exit != .syscall) say("exit {d}, esr 0x{x}", .{ @intFromEnum(exit), g.block.esr });
    expect(hv.api.vm_unmap(ipa, top.page.len) == hv.success, "no memory at the top");
}

fn entryOf(table: u32, shift: u6) *u64 {
    return &@as(vm.Table, @ptrCast(@alignCast(frames.ptr(table))))[@as(u64, probe.data_va) >> shift & 511];
}

/// Guest memory is shown to the machine as it is handed out, and not before.
pub fn memoryGrows() Error!void {
    const first = frames.reservedFrames();
    expect(first > 0 and @as(u64, first) * frames.page_size <= 256 << 20, "little memory at first");
    var g = try Guest.make(&probe.load_byte);
    defer g.end();
    var held: [64]u32 = undefined;
    var count: usize = 0;
    defer for (held[0..count]) |frame| for (frame..frame + run_frames) |one| frames.unref(@intCast(one));
    while (count < held.len and frames.reservedFrames() == first) : (count += 1) held[count] = frames.allocRun(run_frames, true) orelse break;
    expect(frames.reservedFrames() > first, "more memory when it is asked for");
    const last = held[count - 1] + run_frames - 1;
    frames.ptr(last)[0] = 0x77;
    if (space.map(space.get(g.handle).?, probe.data_va, last, 1, 1 | abi.prot_shared) < 0) return error.NoMemory;
    expect(try go(&g) == .syscall and g.block.x[0] == 0x77, "a read of memory that came later");
}

const run_frames = 4096;

/// The linear view is data: EL1 can be led into nothing but its own page.
pub fn memoryIsNotEl1s() Error!void {
    var g = try Guest.make(&.{ 0xd2800020, 0xd4000122, svc }); // mov x0, #1; hvc #9
    defer g.end();
    var first = try Guest.make(&.{svc});
    defer first.end();
    const other = vcpu.create(true) catch return error.NoMemory;
    var syndrome: u64 = 0;
    const thread = std.Thread.spawn(.{ .stack_size = 1 << 20 }, jumpThere, .{ other, &first, &g, &syndrome }) catch return error.NoMemory;
    thread.join();
    const is_stubs = syndrome == 0x16 << 26 | 1 << 25 | stub.hvc_imm;
    expect(is_stubs and other.context.kind == @intFromEnum(stub.Kind.broken), "guest memory is not executed at EL1");
    if (!is_stubs) say("syndrome 0x{x}", .{syndrome});
}

fn jumpThere(other: *vcpu.Cpu, first: *Guest, g: *Guest, syndrome: *u64) void {
    vcpu.attach(other) catch return;
    // So that the MMU is on, whoever turns it on.
    _ = first.go(other, patience) catch .undefined;
    const ok = hv.api.vcpu_set_reg(other.handle, hv.reg_cpsr, registers.cpsr_el1) == hv.success and
        hv.api.vcpu_set_reg(other.handle, hv.reg_pc, vm.linear(frames.ptr(g.code))) == hv.success;
    if (ok) while (hv.api.vcpu_run(other.handle) == hv.success) {
        if (other.exit.reason != hv.exit_exception) continue;
        syndrome.* = other.exit.syndrome;
        break;
    };
    vcpu.detach(other);
    other.cpu.space = 0;
}

/// Unaligned and multi-byte accesses are as programs expect.
pub fn accessesAreLittleEndian() Error!void {
    var g = try Guest.make(&.{ to_data, 0x91000421, 0xb9400020, svc }); // add x1, x1, #1; ldr w0, [x1]
    defer g.end();
    const frame = frames.alloc(true) orelse return error.NoMemory;
    defer frames.unref(frame);
    for (frames.ptr(frame)[0..8], 0..) |*byte, i| byte.* = @intCast(i);
    if (space.map(space.get(g.handle).?, probe.data_va, frame, 1, 1 | abi.prot_shared) < 0) return error.NoMemory;
    expect(try go(&g) == .syscall and g.block.x[0] == 0x0403_0201, "an unaligned little-endian load");
}

/// Addresses have 48 bits.
pub fn addressesAreWide() Error!void {
    var g = try Guest.make(&.{ 0x39400020, svc });
    defer g.end();
    const frame = frames.alloc(true) orelse return error.NoMemory;
    defer frames.unref(frame);
    frames.ptr(frame)[0] = 77;
    const high = (1 << 48) - 4096;
    g.block.x[1] = high;
    if (space.map(space.get(g.handle).?, high, frame, 1, 1 | abi.prot_shared) < 0) return error.NoMemory;
    expect(try go(&g) == .syscall and g.block.x[0] == 77, "the highest page");
}

/// Which memory a page is shows in what works on it: exclusives want it cached.
pub fn exclusivesWork() Error!void {
    var g = try Guest.make(&.{ to_data, 0xc85f7c20, 0x91000400, 0xc8027c20, svc }); // ldxr x0, [x1]; add x0, x0, #1; stxr w2, x0, [x1]
    defer g.end();
    try g.data(5, 3);
    expect(try go(&g) == .syscall and g.block.x[2] == 0, "a store-exclusive");
}

pub fn memoryIsCoherent() Error!void {
    const found = &probe.found;
    try measure.all(bench.cpu);
    expect(found.tlb_works == 1, "changed pages are seen");
    expect(found.icache_works == 1, "changed code is seen");
    expect(found.memory_works == 1, "memory that was given back is shared");
    expect(found.timer_works == 1, "the timer ends a loop");
    expect(found.kick_works == 1, "a kick ends a loop");
    expect(found.exit_ns > 0, "the cost of an exit");
}

/// Spaces come and go until ASIDs begin again, if they are few.
pub fn spacesComeAndGo() Error!void {
    for (0..300) |i| {
        var g = try Guest.make(&probe.load_byte);
        defer g.end();
        try g.data(@truncate(i), 1);
        if (try go(&g) != .syscall or g.block.x[0] != i % 256) return expect(false, "a fresh space");
    }
}

/// Pages that may be written and executed, by turns.
pub fn codeWritesCode() Error!void {
    // w0 := "movz w0, #i"; str w0, [x1]; str svc, [x1, #4]; dc cvau; ic ivau; isb; br x1
    var g = try Guest.make(&.{ to_data, 0xb9000022, 0xb9000423, 0xd50b7b21, 0xd5033b9f, 0xd50b7521, 0xd5033b9f, 0xd5033fdf, 0xd61f0020 });
    defer g.end();
    try g.data(0, 7);
    for (0..20) |i| {
        g.block.x[2] = 0x52800000 | i << 5;
        g.block.x[3] = svc;
        var exit = try go(&g);
        while (exit == .fault) exit = try settleFault(&g);
        if (exit != .syscall or g.block.x[0] != i) return expect(false, "code that was written by the guest");
    }
}

/// `dc zva` zeroes as much as DCZID_EL0 says, whoever executes it, and nothing else.
pub fn zeroingIsExact() Error!void {
    var g = try Guest.make(&.{ to_data, 0x91010021, 0xd50b7421, 0xd53b00e0, svc }); // add x1, x1, #64; dc zva, x1; mrs x0, dczid_el0
    defer g.end();
    try g.data(1, 3);
    const at = space.translate(g.handle, probe.data_va, .write) orelse return error.NoMemory;
    const page = at.ptr[0..frames.page_size];
    @memset(page, 0xaa);
    expect(try go(&g) == .syscall, "dc zva and its size");
    const size = @as(usize, 4) << @intCast(g.block.x[0] & 15);
    const start = 64 & ~(size - 1);
    var good = size >= 16;
    for (page, 0..) |byte, i| good = good and byte == @as(u8, if (i >= start and i < start + size) 0 else 0xaa);
    expect(good, "what dc zva zeroes");
}

/// What the host takes for the guest's counter is what a program reads, at any time.
pub fn counterAgrees() Error!void {
    var g = try Guest.make(&probe.read_counter);
    defer g.end();
    for (0..4) |_| {
        const before = counter.now();
        expect(try go(&g) == .syscall, "reads of the counter");
        const after = counter.now();
        const seen = g.block.x[0];
        expect(seen + counter.slack >= before and seen <= after + counter.slack, "the counter as the host has it");
        expect(g.block.x[1] == counter.hz, "the counter's rate");
        const ms: std.c.timespec = .{ .sec = 0, .nsec = 1_000_000 };
        _ = std.c.nanosleep(&ms, null);
    }
}
