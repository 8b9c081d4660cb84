//! A program that tries the engine by small guests, each of which asks for one thing that the stub, the registers or the exits must get right. Prints what
//! is wrong and ends with 1; 0 when nothing is, 2 when the engine does not start, 3 when something does not come to an end. Run inside the virtual machine of
//! test/vm, with the stand-in's faults switched on.

const std = @import("std");
const abi = @import("../../abi.zig");
const counter = @import("counter.zig");
const desc = @import("../../mem/descriptor.zig");
const engine = @import("engine.zig");
const frames = @import("../../mem/frames.zig");
const hv = @import("hv.zig");
const identity = @import("identity.zig");
const measure = @import("measure.zig");
const probe = @import("probe.zig");
const registers = @import("registers.zig");
const run = @import("run.zig");
const space = @import("../../mem/space.zig");
const stub = @import("stub.zig");
const system = @import("system.zig");
const vcpu = @import("vcpu.zig");
const vm = @import("vm.zig");

const Guest = probe.Guest;
const svc = probe.svc;

var failures: u32 = 0;
var cpu: *vcpu.Cpu = undefined;

fn say(comptime format: []const u8, args: anytype) void {
    var buffer: [512]u8 = undefined;
    const text = std.fmt.bufPrint(&buffer, format ++ "\n", args) catch return;
    _ = std.c.write(1, text.ptr, text.len);
}

fn expect(ok: bool, what: []const u8) void {
    if (ok) return;
    failures += 1;
    say("wrong: {s}", .{what});
}

const Error = probe.Error;
const patience = 1_000_000_000;

/// Runs a guest until it stops for more than the end of its time.
fn go(g: *Guest) Error!abi.Exit {
    var exit = try g.go(cpu, patience);
    while (exit == .budget or exit == .kicked) exit = try again(g);
    return exit;
}

/// Makes the vector registers in the block those of the task.
fn seeVectors(g: *Guest) Error!void {
    try run.storeVectors(cpu, g.block);
}

fn again(g: *Guest) Error!abi.Exit {
    const number = engine.enter(g.block, patience);
    return @enumFromInt(@as(u32, @intCast(number)));
}

// The guest's view.

/// x0 to x30, sp, the flags, TPIDR and the vector registers survive a system call.
fn registersSurvive() Error!void {
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
}

/// What a guest writes arrives in the block.
fn writesArrive() Error!void {
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
fn everyWriteArrives() Error!void {
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
fn vectorsBelongToTasks() Error!void {
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
    const moved = cpu.fp_loads + cpu.fp_stores;
    for (0..3) |_| _ = try go(&b);
    expect(cpu.fp_loads + cpu.fp_stores == moved, "vectors are neither loaded nor stored by calls");
    try seeVectors(&b);
    try seeVectors(&b);
    expect(cpu.fp_loads + cpu.fp_stores == moved + 1, "vectors are stored once");
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
fn vectorsSurviveStops() Error!void {
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
fn threadsStoreVectors() Error!void {
    var g = try Guest.make(&.{ 0x4ee18400, svc }); // add v0.2d, v0.2d, v1.2d; svc
    defer g.end();
    g.block.v[1] = .{ 5, 6 };
    _ = try go(&g);
    try seeVectors(&g);
    const other = vcpu.create(true) catch return error.NoMemory;
    var exit: abi.Exit = .undefined;
    const thread = std.Thread.spawn(.{ .stack_size = 1 << 20 }, runThere, .{ other, &g, &exit }) catch return error.NoMemory;
    thread.join();
    expect(exit == .syscall, "a call on another CPU");
    expect(std.meta.eql(g.block.v[0], .{ 10, 12 }), "vectors of a task on another CPU");
    _ = try go(&g);
    try seeVectors(&g);
    expect(std.meta.eql(g.block.v[0], .{ 15, 18 }), "vectors of a task that came back");
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
fn answersAreGiven() Error!void {
    const upper_half = 0xf2c00028; // movk x8, #1, lsl #32
    var g = try Guest.make(&.{ asks(172), svc, 0xaa0003f3, asks(178), upper_half, svc, 0xaa0003f4, asks(174), svc, 0xaa0003f5, asks(173), svc });
    defer g.end();
    const b = g.block;
    b.answers = .{ 1001, 0, 1, 7, 7, 7, 0xffff_ffff };
    for (&b.x, 0..) |*x, i| x.* = 0x7777_0000 + i;
    b.pstate = 0x9000_0000;
    const before = b.*;
    const exits = cpu.exits;
    expect(try go(&g) == .syscall and b.x[8] == 173, "a question without an answer");
    expect(cpu.exits == exits + 1, "answers cost no exit");
    // mov x19, x0 and so on.
    expect(b.x[19] == 1000 and b.x[20] == 0xffff_fffe and b.x[21] == 0, "answers");
    expect(std.mem.eql(u64, b.x[1..8], before.x[1..8]) and std.mem.eql(u64, b.x[9..19], before.x[9..19]), "other registers behind an answer");
    expect(b.pstate == before.pstate, "flags behind an answer");
}

/// What only looks like such a question.
fn othersAreNotAnswered() Error!void {
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
fn questionsEnd() Error!void {
    var g = try Guest.make(&.{ asks(172), svc, 0xeb1f001f, 0x91000673, 0x17fffffd }); // cmp x0, xzr; add x19, x19, #1; b svc
    defer g.end();
    const b = g.block;
    b.answers = @splat(6);
    var stops_seen: u32 = 0;
    var exit = try g.go(cpu, 60_000);
    for (0..150) |_| {
        if (exit == .budget) stops_seen += 1;
        if (exit == .syscall) b.x[0] = 5;
        if (exit != .budget and exit != .syscall) return expect(false, "the end of a task that asks");
        if (b.x[0] != 5 and b.x[19] != 0) return expect(false, "an answer under stops");
        exit = @enumFromInt(@as(u32, @intCast(engine.enter(b, 60_000))));
    }
    expect(stops_seen > 0 and b.x[19] > 150, "a task that asks gets on");
}

/// x1 is the start of the linear view, x2 of the stub.
fn fault(words: []const u32, prot: u32, access: abi.Access, addr: u64, what: []const u8) Error!void {
    var g = try Guest.make(words);
    defer g.end();
    g.block.x[1] = registers.linear;
    g.block.x[2] = registers.stub_va;
    if (prot != 0) try g.data(1, prot);
    const exit = try go(&g);
    const ok = exit == .fault and g.block.fault_access == @intFromEnum(access) and g.block.fault_addr == addr;
    expect(ok, what);
    if (!ok) say("exit {d}, access {d}, address 0x{x}, esr 0x{x}", .{ @intFromEnum(exit), g.block.fault_access, g.block.fault_addr, g.block.esr });
}

const to_data = 0xd2a00041; // mov x1, #0x20000
const load = 0x39400020; // ldrb w0, [x1]
const store = 0x39000020; // strb w0, [x1]

fn faultsAreTold() Error!void {
    try fault(&.{ to_data, load }, 0, .read, probe.data_va, "a read of nothing");
    try fault(&.{ to_data, store }, 0, .write, probe.data_va, "a write of nothing");
    try fault(&.{ to_data, store }, 1, .write, probe.data_va, "a write of a read-only page");
    try fault(&.{ to_data, 0xd61f0020 }, 3, .exec, probe.data_va, "a jump into data");
    // EL1's half is not EL0's: the linear view, and the stub.
    const untagged = (1 << 56) - 1;
    try fault(&.{load}, 0, .read, registers.linear & untagged, "a read of EL1's memory");
    try fault(&.{store}, 0, .write, registers.linear & untagged, "a write of EL1's memory");
    try fault(&.{0xd61f0020}, 0, .exec, registers.linear, "a jump into EL1's memory");
    try fault(&.{0xd61f0040}, 0, .exec, registers.stub_va, "a jump into the stub");
    // The top byte of an address does not count.
    try fault(&.{ to_data, 0xf2e00001 | 0x5a00 << 5, store }, 1, .write, probe.data_va, "a write through a tagged pointer");
    var g = try Guest.make(&.{ to_data, 0xf2e00001 | 0x5a00 << 5, load, svc });
    defer g.end();
    try g.data(9, 1);
    expect(try go(&g) == .syscall and g.block.x[0] == 9, "a read through a tagged pointer");
}

fn stops(words: []const u32, exit: abi.Exit, what: []const u8) Error!void {
    var g = try Guest.make(words);
    defer g.end();
    g.block.sp = 0x8000;
    try g.data(1, 3);
    const got = try go(&g);
    expect(got == exit, what);
    if (got != exit) say("exit {d}, esr 0x{x}, pc 0x{x}", .{ @intFromEnum(got), g.block.esr, g.block.pc });
}

fn exitsAreRight() Error!void {
    try stops(&.{ 0x00000000, svc }, .undefined, "udf");
    try stops(&.{ 0xd4000002, svc }, .undefined, "hvc from a program");
    try stops(&.{ 0xd4000003, svc }, .undefined, "smc from a program");
    try stops(&.{0xd4200020}, .breakpoint, "brk");
    try stops(&.{ 0xd53be020, svc }, .undefined, "the physical counter"); // mrs x0, cntpct_el0
    try stops(&.{ 0xd5381000, svc }, .undefined, "a system register of EL1"); // mrs x0, sctlr_el1
    try stops(&.{ 0xd50342df, svc }, .undefined, "msr daifset"); // UMA is 0
    try stops(&.{ 0xd53be320, svc }, .undefined, "the timer"); // mrs x0, cntv_ctl_el0
    try stops(&.{ 0xd53be220, svc }, .undefined, "the physical timer"); // mrs x0, cntp_ctl_el0
    try stops(&.{ 0xd51be240, svc }, .undefined, "the physical timer's end"); // msr cntp_cval_el0, x0
    // Within 16 bytes some CPUs allow it.
    try stops(&.{ to_data, 0x91003021, 0xc85f7c20 }, .alignment, "a misaligned exclusive"); // add x1, x1, #12; ldxr x0, [x1]
    try stops(&.{ 0x10000001, 0x91002821, 0xd61f0020, svc }, .pc_alignment, "a misaligned pc"); // adr x1, .; add x1, x1, #10; br x1
    // What programs may do.
    try stops(&.{ 0xd53b0020, svc }, .syscall, "CTR_EL0");
    try stops(&.{ 0xd53b00e0, svc }, .syscall, "DCZID_EL0");
    try stops(&.{ 0xd53be040, svc }, .syscall, "the virtual counter");
    try stops(&.{ 0xd53be000, svc }, .syscall, "the counter's frequency");
    try stops(&.{ to_data, 0xd50b7421, svc }, .syscall, "dc zva");
    try stops(&.{ to_data, 0xd50b7b21, svc }, .syscall, "dc cvau");
    try stops(&.{ to_data, 0xd50b7521, svc }, .syscall, "ic ivau");
    try stops(&.{ 0xd53bd060, svc }, .syscall, "tpidrro");
    try stops(&.{ 0x1e604000, svc }, .syscall, "floating point");
    try stops(&.{ 0xd503205f, 0xd503207f, svc }, .syscall, "wfe and wfi");
}

/// Who waits for an interrupt gives the rest of the turn away, at once.
fn waitingEndsTurns() Error!void {
    var g = try Guest.make(&.{ 0xd503207f, svc }); // wfi
    defer g.end();
    const captures = cpu.captures;
    expect(try g.go(cpu, patience) == .budget and cpu.captures == captures, "wfi ends the turn by a trap");
    expect(try again(&g) == .syscall, "what follows wfi");
}

/// Whatever frame the machine can have can be mapped: the last one of its physical addresses.
fn topIsReached() Error!void {
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

/// The linear view is data: EL1 can be led into nothing but its own page.
fn memoryIsNotEl1s() Error!void {
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

/// Maintenance of what is not there is a fault like a read, zeroing like a write; also where the host traps them.
fn maintenanceFaults() Error!void {
    // The emulated CPU of the stand-in itself lets maintenance of nothing pass.
    if (probe.found.emulated >= 4) {
        try fault(&.{ to_data, 0xd50b7b21 }, 0, .read, probe.data_va, "dc cvau of nothing");
        try fault(&.{ to_data, 0xd50b7521 }, 0, .read, probe.data_va, "ic ivau of nothing");
    }
    try fault(&.{ to_data, 0xd50b7421 }, 0, .write, probe.data_va, "dc zva of nothing");
    try fault(&.{ to_data, 0xd50b7421 }, 1, .write, probe.data_va, "dc zva of a read-only page");
    // mov x2, #-1; str x2, [x1]; str x2, [x1, #128]; add x3, x1, #8; dc zva, x3; ldr x4, [x1]; ldr x5, [x1, #128]; mrs x6, dczid_el0
    var g = try Guest.make(&.{ to_data, 0x92800002, 0xf9000022, 0xf9004022, 0x91002023, 0xd50b7423, 0xf9400024, 0xf9404025, 0xd53b00e6, svc });
    defer g.end();
    try g.data(1, 3);
    expect(try go(&g) == .syscall and g.block.x[4] == 0, "dc zva zeroes");
    if (g.block.x[6] & 15 <= 4) expect(g.block.x[5] == ~@as(u64, 0), "dc zva zeroes one block");
}

/// A task is told to have run for as long as it did.
fn timeIsTold() Error!void {
    var g = try Guest.make(&.{0x14000000}); // b .
    defer g.end();
    const slice_ns = 1_000_000;
    const exit = try g.go(cpu, slice_ns);
    expect(exit == .budget and g.block.retired >= slice_ns and g.block.retired < 1000 * slice_ns, "the time that a task ran");
}

/// Unaligned and multi-byte accesses are as programs expect.
fn accessesAreLittleEndian() Error!void {
    var g = try Guest.make(&.{ to_data, 0x91000421, 0xb9400020, svc }); // add x1, x1, #1; ldr w0, [x1]
    defer g.end();
    const frame = frames.alloc(true) orelse return error.NoMemory;
    defer frames.unref(frame);
    for (frames.ptr(frame)[0..8], 0..) |*byte, i| byte.* = @intCast(i);
    if (space.map(space.get(g.handle).?, probe.data_va, frame, 1, 1 | abi.prot_shared) < 0) return error.NoMemory;
    expect(try go(&g) == .syscall and g.block.x[0] == 0x0403_0201, "an unaligned little-endian load");
}

/// Addresses have 48 bits.
fn addressesAreWide() Error!void {
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
fn exclusivesWork() Error!void {
    var g = try Guest.make(&.{ to_data, 0xc85f7c20, 0x91000400, 0xc8027c20, svc }); // ldxr x0, [x1]; add x0, x0, #1; stxr w2, x0, [x1]
    defer g.end();
    try g.data(5, 3);
    expect(try go(&g) == .syscall and g.block.x[2] == 0, "a store-exclusive");
}

fn identityIsShown() Error!void {
    var g = try Guest.make(&.{ 0xd5380600, 0xd5380001, svc }); // mrs x0, id_aa64isar0_el1; mrs x1, midr_el1
    defer g.end();
    expect(try go(&g) == .syscall, "ID registers are read");
    expect(g.block.x[0] == identity.register(6, 0).?, "ID_AA64ISAR0_EL1");
    expect(g.block.x[1] == identity.real.midr and g.block.x[1] != 0, "MIDR_EL1");
    var ro = try Guest.make(&.{ 0xd53bd060, svc });
    defer ro.end();
    expect(try go(&ro) == .syscall and ro.block.x[0] == 0, "TPIDRRO_EL0 is 0");
}

/// Extensions with state that the block has no room for are neither shown nor usable, whatever the CPU has.
fn othersAreHidden() Error!void {
    // mrs of ID_AA64PFR0_EL1, PFR1, ZFR0, SMFR0, ISAR1, ISAR2
    var g = try Guest.make(&.{ 0xd5380400, 0xd5380421, 0xd5380482, 0xd53804a3, 0xd5380624, 0xd5380645, svc });
    defer g.end();
    expect(try go(&g) == .syscall, "ID registers of extensions are read");
    const x = &g.block.x;
    expect(x[0] >> 32 & 0xf == 0, "ID_AA64PFR0_EL1 shows no SVE");
    expect(x[1] == 0 and x[2] == 0 and x[3] == 0 and x[5] == 0, "no BTI, MTE, SME, SVE, and nothing of ID_AA64ISAR2_EL1");
    expect(x[4] & 0xff00_0ff0 == 0, "ID_AA64ISAR1_EL1 shows no pointer authentication");
    try stops(&.{ 0x2518e3e0, svc }, .undefined, "ptrue p0.b"); // SVE
    try stops(&.{ 0xd503477f, svc }, .undefined, "smstart"); // SME
    // Both are no-ops where they are not enabled: signing a pointer changes nothing.
    try stops(&.{ 0xd503233f, 0xd50323bf, svc }, .syscall, "paciasp and autiasp");
    var p = try Guest.make(&.{ 0xd503233f, svc }); // paciasp
    defer p.end();
    p.block.x[30] = 0x1234_5678;
    expect(try go(&p) == .syscall and p.block.x[30] == 0x1234_5678, "pointers are not signed");
    for (0..4) |i| say("hwcap{d} {d}", .{ i, identity.word(@intCast(i)) });
}

/// A block cannot make a task more than a program, whatever its pstate says.
fn statesAreCut() Error!void {
    var g = try Guest.make(&.{ 0xd5384240, svc }); // mrs x0, currentel
    defer g.end();
    g.block.pstate = 0xf000_0005;
    expect(try go(&g) == .undefined, "EL1 asked for by pstate");
    expect(g.block.pstate == 0xf000_0000, "pstate of a program");
}

fn memoryIsCoherent() Error!void {
    const found = &probe.found;
    try measure.all(cpu);
    expect(found.tlb_works == 1, "changed pages are seen");
    expect(found.icache_works == 1, "changed code is seen");
    expect(found.timer_works == 1, "the timer ends a loop");
    expect(found.kick_works == 1, "a kick ends a loop");
    expect(found.exit_ns > 0, "the cost of an exit");
}

/// Spaces come and go until ASIDs begin again, if they are few.
fn spacesComeAndGo() Error!void {
    for (0..300) |i| {
        var g = try Guest.make(&probe.load_byte);
        defer g.end();
        try g.data(@truncate(i), 1);
        if (try go(&g) != .syscall or g.block.x[0] != i % 256) return expect(false, "a fresh space");
    }
}

/// Pages that may be written and executed, by turns.
fn codeWritesCode() Error!void {
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
fn zeroingIsExact() Error!void {
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
fn counterAgrees() Error!void {
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

/// What the kernel does with a fault in a page that is there.
fn settleFault(g: *Guest) Error!abi.Exit {
    engine.afterExit(g.block);
    if (g.block.fault_access == @intFromEnum(abi.Access.write)) _ = space.cow(space.get(g.handle).?, g.block.fault_addr, 7);
    var exit = try again(g);
    while (exit == .budget or exit == .kicked) exit = try again(g);
    return exit;
}

/// The stub's own length, on the way of a system call.
fn pathIsShort() Error!void {
    const n = stub.pathLength();
    say("stub: {d} instructions out, {d} in", .{ n.out, n.in });
    expect(n.out > 0 and n.out + n.in < 100, "the stub's length");
}

const all = .{
    registersSurvive,    writesArrive,        everyWriteArrives, vectorsBelongToTasks, faultsAreTold,   exitsAreRight,           exclusivesWork,   identityIsShown,
    vectorsSurviveStops, threadsStoreVectors, answersAreGiven,   othersAreNotAnswered, questionsEnd,    accessesAreLittleEndian, addressesAreWide, othersAreHidden,
    timeIsTold,          statesAreCut,        memoryIsCoherent,  maintenanceFaults,    spacesComeAndGo, codeWritesCode,          pathIsShort,      counterAgrees,
    zeroingIsExact,      waitingEndsTurns,    topIsReached,      memoryIsNotEl1s,
};

pub fn main() u8 {
    const limit = std.c.getenv("HVF_CHECK_SECONDS");
    _ = std.c.alarm(if (limit) |text| std.fmt.parseInt(c_uint, std.mem.span(text), 10) catch 60 else 60);
    const action: std.c.Sigaction = .{ .handler = .{ .handler = &onAlarm }, .mask = std.mem.zeroes(std.c.sigset_t), .flags = 0 };
    _ = std.c.sigaction(.ALRM, &action, null);
    if (!frames.init(0, 0)) return 2;
    if (!engine.init()) {
        say("{s}", .{engine.reason()});
        return 2;
    }
    cpu = vcpu.all()[0];
    inline for (all) |one| one() catch {
        say("{s}", .{engine.failure()});
        return 1;
    };
    const found = probe.found;
    inline for (@typeInfo(abi.HvfProbe).@"struct".fields) |f| say(f.name ++ " {d}", .{@field(found, f.name)});
    return if (failures == 0) 0 else 1;
}

fn onAlarm(_: std.c.SIG) callconv(.c) void {
    std.c._exit(3);
}
