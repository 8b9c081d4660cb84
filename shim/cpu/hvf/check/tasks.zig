//! What belongs to a task: registers, vectors, its time, who it is.

const std = @import("std");
const abi = @import("../../../abi.zig");
const bench = @import("bench.zig");
const engine = @import("../engine.zig");
const hv = @import("../hv.zig");
const probe = @import("../probe.zig");
const registers = @import("../registers.zig");
const stub = @import("../stub.zig");
const vcpu = @import("../vcpu.zig");

const Guest = probe.Guest;
const svc = probe.svc;
const Error = bench.Error;
const expect = bench.expect;
const go = bench.go;
const seeVectors = bench.seeVectors;
const patience = bench.patience;
const to_data = bench.to_data;
const load = bench.load;

/// x0 to x30, sp, the flags, TPIDR and the vector registers survive a system call.
pub fn registersSurvive() Error!void {
    var g = try Guest.make(&.{ svc, svc });
    defer g.end();
    const b = g.block;
    for (&b.x, 0..) |*x, i| x.* = 0x1111_2222_0000_0000 + i;
    for (&b.v, 0..) |*v, i| v.* = .{ 0xaaaa_0000 + i, 0xbbbb_0000_0000_0000 + i };
    b.sp = 0x7fff_1230;
    b.tpidr = 0x1234_5678_9abc;
    b.pstate = 0xa000_0000;
    b.fpcr = 1 << 22;
    b.fpsr = 0x1b;
    const before = b.*;
    expect(try go(&g) == .syscall, "a system call");
    try seeVectors(&g);
    expect(b.pc == before.pc + 4, "pc behind the call");
    expect(std.mem.eql(u64, &b.x, &before.x), "x0 to x30");
    expect(std.meta.eql(b.v, before.v), "v0 to v31");
    expect(b.sp == before.sp, "sp");
    expect(b.tpidr == before.tpidr, "tpidr");
    expect(b.pstate == before.pstate, "flags");
    expect(b.fpcr == before.fpcr and b.fpsr == before.fpsr, "fpcr and fpsr");
    // Behind a task the timer is off; while it ran, nothing could interrupt it.
    var timer: u64 = 1;
    var flags: u64 = 0;
    expect(hv.api.vcpu_get_sys_reg(bench.cpu.handle, hv.cntv_ctl_el0, &timer) == hv.success and timer & 1 == 0, "the timer is off");
    expect(hv.api.vcpu_get_sys_reg(bench.cpu.handle, hv.spsr_el1, &flags) == hv.success and flags & 0x3c0 == 0x3c0, "interrupts are masked");
}

/// The same for a task that was stopped in the middle of nothing.
pub fn registersSurviveStops() Error!void {
    var g = try Guest.make(&.{0x14000000}); // b .
    defer g.end();
    const b = g.block;
    for (&b.x, 0..) |*x, i| x.* = 0x3333_0000_0000 + i;
    b.sp = 0x7fff_1230;
    b.tpidr = 0x1234_5678_9abc;
    b.pstate = 0x6000_0000;
    const before = b.*;
    for (0..3) |_| {
        expect(try g.go(bench.cpu, 1_000_000) == .budget, "the end of a slice");
        expect(b.pc == before.pc and std.mem.eql(u64, &b.x, &before.x), "pc and x0 to x30 of a task that was stopped");
        expect(b.sp == before.sp and b.tpidr == before.tpidr and b.pstate == before.pstate, "sp, tpidr and flags of a task that was stopped");
    }
}

/// A task that was stopped at the very vector leaves all the same, with its registers.
pub fn exceptionsBeginAnew() Error!void {
    var g = try Guest.make(&.{ svc, svc });
    defer g.end();
    if (try go(&g) != .syscall) return expect(false, "a system call");
    const handle = bench.cpu.handle;
    const vector = 0x400;
    for ([_]u64{ 0x5151, 0x6161 }, 0..) |value, n| expect(hv.api.vcpu_set_reg(handle, @intCast(n), value) == hv.success, "x0 and x1");
    expect(hv.api.vcpu_set_reg(handle, hv.reg_pc, registers.stub_va + stub.withoutAnswer(vector).?) == hv.success, "pc");
    while (hv.api.vcpu_run(handle) == hv.success) if (bench.cpu.exit.reason == hv.exit_exception) break;
    expect(bench.cpu.exit.syndrome >> 26 == 0x16 and bench.cpu.context.kind == @intFromEnum(stub.Kind.sync), "an exception that begins anew");
    expect(g.block.x[0] == 0x5151 and g.block.x[1] == 0x6161, "x0 and x1 of an exception that begins anew");
}

/// What a guest writes arrives in the block.
pub fn writesArrive() Error!void {
    var g = try Guest.make(&.{
        0xd2800540, // mov x0, #42
        0xd51bd040, // msr tpidr_el0, x0
        0x910103ff, // add sp, sp, #64
        0x4e080c1f, // dup v31.2d, x0
        0xaa0003fe, // mov x30, x0
        0xeb00001f, // cmp x0, x0
        0xd2a02001, // mov x1, #0x1000000
        0xd51b4401, // msr fpcr, x1
        0xd2800022, // mov x2, #1
        0xd51b4422, // msr fpsr, x2
        svc,
    });
    defer g.end();
    g.block.sp = 0x1000;
    expect(try go(&g) == .syscall, "a system call after writes");
    try seeVectors(&g);
    const b = g.block;
    expect(b.tpidr == 42 and b.sp == 0x1040 and b.x[30] == 42, "tpidr, sp, x30 written by the guest");
    expect(b.v[31][0] == 42 and b.v[31][1] == 42, "v31 written by the guest");
    expect(b.pstate == 0x6000_0000, "flags of a comparison");
    expect(b.fpcr == 1 << 24 and b.fpsr == 1, "fpcr and fpsr written by the guest");
}

/// All registers that a guest changes arrive, one by one.
pub fn everyWriteArrives() Error!void {
    var words: [31 + 32 + 1]u32 = undefined;
    for (words[0..31], 0..) |*w, n| w.* = @intCast(0xd2802000 | n << 5 | n); // mov xN, #0x100 + N
    for (words[31..63], 0..) |*w, n| w.* = @intCast(0x4ee08400 | n << 16 | n << 5 | n); // add vN.2d, vN.2d, vN.2d
    words[63] = svc;
    var a = try Guest.make(&words);
    defer a.end();
    var b = try Guest.make(&words);
    defer b.end();
    for (&a.block.v, &b.block.v, 0..) |*v, *w, n| {
        v.* = .{ 1 + n, 0x100 + n };
        w.* = .{ 0x1_0000 + n, 0x2_0000 + n };
    }
    for (0..2) |_| {
        _ = try go(&a);
        _ = try go(&b);
    }
    try seeVectors(&b);
    var good = true;
    for (&a.block.x, 0..) |x, n| good = good and x == 0x100 + n;
    expect(good, "x0 to x30 written by the guest");
    good = true;
    for (&a.block.v, &b.block.v, 0..) |v, w, n| {
        good = good and v[0] == 4 * (1 + n) and v[1] == 4 * (0x100 + n) and w[0] == 4 * (0x1_0000 + n) and w[1] == 4 * (0x2_0000 + n);
    }
    expect(good, "v0 to v31 of two tasks");
}

/// Two tasks by turns keep their vector registers; one that the kernel changed is loaded anew.
pub fn vectorsBelongToTasks() Error!void {
    const add = [_]u32{ 0x4ee08400, svc, 0x17fffffe }; // add v0.2d, v0.2d, v0.2d; svc; b .-8
    var a = try Guest.make(&add);
    defer a.end();
    var b = try Guest.make(&add);
    defer b.end();
    a.block.v[0] = .{ 1, 2 };
    b.block.v[0] = .{ 3, 5 };
    for (0..3) |_| {
        _ = try go(&a);
        _ = try go(&b);
    }
    try seeVectors(&a);
    try seeVectors(&b);
    expect(a.block.v[0][0] == 8 and a.block.v[0][1] == 16, "vectors of the first task");
    expect(b.block.v[0][0] == 24 and b.block.v[0][1] == 40, "vectors of the second task");
    const moved = bench.cpu.fp_loads + bench.cpu.fp_stores;
    for (0..3) |_| _ = try go(&b);
    expect(b.block.v[0][0] == 24, "vectors in the block are as old as they were");
    expect(bench.cpu.fp_loads + bench.cpu.fp_stores == moved, "vectors are neither loaded nor stored by calls");
    try seeVectors(&b);
    try seeVectors(&b);
    expect(bench.cpu.fp_loads + bench.cpu.fp_stores == moved + 1, "vectors are stored once");
    expect(b.block.v[0][0] == 192, "vectors that are asked for");
    b.block.v[0] = .{ 7, 7 };
    b.block.fp_home = 0;
    _ = try go(&a);
    _ = try go(&b);
    try seeVectors(&b);
    expect(b.block.v[0][0] == 14, "vectors that the kernel changed");
    expect(a.block.v[0][0] == 16, "vectors of a task that another one follows");
}

/// Two tasks by turns while they are stopped all the time, also in the stub.
pub fn vectorsSurviveStops() Error!void {
    const add = [_]u32{ 0x4ee18400, svc }; // add v0.2d, v0.2d, v1.2d; svc
    var guests: [2]Guest = undefined;
    for (&guests, 0..) |*g, i| {
        g.* = try Guest.make(&add);
        g.block.v[1] = .{ i + 1, 0x1_0000_0000 };
    }
    defer for (&guests) |*g| g.end();
    var is_over: u32 = 0;
    const thread = std.Thread.spawn(.{ .stack_size = 1 << 20 }, kickBoth, .{ guests[0].block, guests[1].block, &is_over }) catch return error.NoMemory;
    const rounds = 150;
    for (0..rounds) |_| {
        for (&guests) |*g| if (try go(g) != .syscall) expect(false, "a call under stops");
    }
    @atomicStore(u32, &is_over, 1, .seq_cst);
    thread.join();
    for (&guests, 0..) |*g, i| {
        try seeVectors(g);
        expect(std.meta.eql(g.block.v[0], .{ rounds * (i + 1), rounds << 32 }), "vectors under stops");
    }
}

fn kickBoth(a: *abi.RegisterBlock, b: *abi.RegisterBlock, is_over: *u32) void {
    while (@atomicLoad(u32, is_over, .seq_cst) == 0) {
        for ([_]*abi.RegisterBlock{ a, b }) |block| {
            @atomicStore(u32, &block.stop, 1, .seq_cst);
            vcpu.kick(block);
        }
        const pause: std.c.timespec = .{ .sec = 0, .nsec = 100_000 };
        _ = std.c.nanosleep(&pause, null);
    }
}

/// A CPU thread's task goes on elsewhere: all of it is in the block.
pub fn threadsStoreVectors() Error!void {
    // add vN.2d, vN.2d, vN.2d; msr fpcr, x1; msr fpsr, x2; svc
    var words: [32 + 3]u32 = undefined;
    for (words[0..32], 0..) |*w, n| w.* = @intCast(0x4ee08400 | n << 16 | n << 5 | n);
    words[32..].* = .{ 0xd51b4401, 0xd51b4422, svc };
    var g = try Guest.make(&words);
    defer g.end();
    const b = g.block;
    for (&b.v, 0..) |*v, n| v.* = .{ 1 + n, 0x100 + n };
    b.x[1] = 1 << 24;
    b.x[2] = 1;
    _ = try go(&g);
    try seeVectors(&g);
    b.pc -= words.len * 4;
    b.x[1] = 1 << 22;
    b.x[2] = 0x1b;
    const other = vcpu.create(true) catch return error.NoMemory;
    var exit: abi.Exit = .undefined;
    const thread = std.Thread.spawn(.{ .stack_size = 1 << 20 }, runThere, .{ other, &g, &exit }) catch return error.NoMemory;
    thread.join();
    expect(exit == .syscall, "a call on another CPU");
    var good = b.fpcr == 1 << 22 and b.fpsr == 0x1b;
    for (&b.v, 0..) |v, n| good = good and v[0] == 4 * (1 + n) and v[1] == 4 * (0x100 + n);
    expect(good, "vectors of a task on another CPU");
    b.pc -= words.len * 4;
    _ = try go(&g);
    try seeVectors(&g);
    expect(std.meta.eql(b.v[0], .{ 8, 0x800 }), "vectors of a task that came back");
}

fn runThere(other: *vcpu.Cpu, g: *Guest, exit: *abi.Exit) void {
    vcpu.attach(other) catch return;
    exit.* = g.go(other, patience) catch .undefined;
    vcpu.detach(other);
    // Nobody runs there any more.
    other.cpu.space = 0;
}

const ask = 0xd2800008; // mov x8, #(number << 5)

fn asks(number: u32) u32 {
    return ask | number << 5;
}

/// Who the task is, as the kernel has said before, without an exit.
pub fn answersAreGiven() Error!void {
    const upper_half = 0xf2c00028; // movk x8, #1, lsl #32
    var g = try Guest.make(&.{ asks(172), svc, 0xaa0003f3, asks(178), upper_half, svc, 0xaa0003f4, asks(174), svc, 0xaa0003f5, asks(173), svc });
    defer g.end();
    const b = g.block;
    b.answers = .{ 1001, 0, 1, 7, 7, 7, 0xffff_ffff };
    for (&b.x, 0..) |*x, i| x.* = 0x7777_0000 + i;
    b.pstate = 0x9000_0000;
    const before = b.*;
    const exits = bench.cpu.exits;
    expect(try go(&g) == .syscall and b.x[8] == 173, "a question without an answer");
    expect(bench.cpu.exits == exits + 1, "answers cost no exit");
    // mov x19, x0 and so on.
    expect(b.x[19] == 1000 and b.x[20] == 0xffff_fffe and b.x[21] == 0, "answers");
    expect(std.mem.eql(u64, b.x[1..8], before.x[1..8]) and std.mem.eql(u64, b.x[9..19], before.x[9..19]), "other registers behind an answer");
    expect(b.pstate == before.pstate, "flags behind an answer");
}

/// What only looks like such a question.
pub fn othersAreNotAnswered() Error!void {
    for ([_]u32{ 171, 179, 0 }) |number| {
        var g = try Guest.make(&.{ asks(number), svc });
        defer g.end();
        g.block.answers = @splat(5);
        expect(try go(&g) == .syscall and g.block.x[0] == 0 and g.block.x[8] == number, "a call that asks for nothing");
    }
    var g = try Guest.make(&.{ asks(172), 0xd4200020 }); // brk #1
    defer g.end();
    g.block.answers = @splat(5);
    expect(try go(&g) == .breakpoint and g.block.x[0] == 0, "a breakpoint with a question's number");
    var h = try Guest.make(&.{ asks(172), to_data, load });
    defer h.end();
    h.block.answers = @splat(5);
    expect(try go(&h) == .fault and h.block.fault_addr == probe.data_va, "a fault with a question's number");
}

/// A task that does nothing but ask is stopped all the same, wherever that meets it.
pub fn questionsEnd() Error!void {
    var g = try Guest.make(&.{ asks(172), svc, 0xeb1f001f, 0x91000673, 0x17fffffd }); // cmp x0, xzr; add x19, x19, #1; b svc
    defer g.end();
    const b = g.block;
    b.answers = @splat(6);
    var stops_seen: u32 = 0;
    var exit = try g.go(bench.cpu, 60_000);
    for (0..150) |_| {
        if (exit == .budget) stops_seen += 1;
        if (exit == .syscall) b.x[0] = 5;
        if (exit != .budget and exit != .syscall) return expect(false, "the end of a task that asks");
        if (b.x[0] != 5 and b.x[19] != 0) return expect(false, "an answer under stops");
        exit = @enumFromInt(@as(u32, @intCast(engine.enter(b, 60_000))));
    }
    expect(stops_seen > 0 and b.x[19] > 150, "a task that asks gets on");
}

/// A task is told to have run for as long as it did.
pub fn timeIsTold() Error!void {
    var g = try Guest.make(&.{0x14000000}); // b .
    defer g.end();
    const slice_ns = 1_000_000;
    const exit = try g.go(bench.cpu, slice_ns);
    expect(exit == .budget and g.block.retired >= slice_ns and g.block.retired < 1000 * slice_ns, "the time that a task ran");
}

/// A block cannot make a task more than a program, whatever its pstate says.
pub fn statesAreCut() Error!void {
    var g = try Guest.make(&.{ 0xd5384240, svc }); // mrs x0, currentel
    defer g.end();
    g.block.pstate = 0xf000_0005;
    expect(try go(&g) == .undefined, "EL1 asked for by pstate");
    expect(g.block.pstate == 0xf000_0000, "pstate of a program");
}
