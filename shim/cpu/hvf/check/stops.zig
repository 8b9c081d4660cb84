//! A stop from outside (`hv_vcpus_exit`) that comes at every single instruction of the stub, and of the task: whatever it meets, the task
//! leaves, goes on, and has lost nothing. Only the stand-in can stop a CPU at a given place. With HVF_CHECK_STOPS, as it takes hundreds of runs.

const std = @import("std");
const abi = @import("../../../abi.zig");
const bench = @import("bench.zig");
const probe = @import("../probe.zig");
const registers = @import("../registers.zig");
const stub = @import("../stub.zig");

const Guest = probe.Guest;
const Error = bench.Error;
const expect = bench.expect;
const StopAt = fn (va: u64, word: ?*u32) callconv(.c) c_uint;

const getpid = 172;
const last_call = 0xff;
/// add x19, x19, #1; svc; add x20, x20, x0; ldrb w21, [x1]; add v0.2d, v0.2d, v1.2d; mov x8, #0xff; svc
const program = [_]u32{ 0x91000673, probe.svc, 0x8b000294, 0x39400035, 0x4ee18400, 0xd2801fe8, probe.svc };

pub fn landAnywhere() Error!void {
    if (std.c.getenv("HVF_CHECK_STOPS") == null) return;
    const stopAt = bench.standIn(StopAt, "hvkvm_stop_at") orelse return expect(false, "a stand-in that stops where it is told to");
    var other = try Guest.make(&.{ 0x4ee08400, probe.svc }); // add v0.2d, v0.2d, v0.2d; svc
    defer other.end();
    var g = try Guest.make(&program);
    defer g.end();
    var at_el0: u32 = 0;
    var leaving: u32 = 0;
    var entering: u32 = 0;
    for (0..program.len) |n| at_el0 += @intFromBool(try survives(&g, &other, stopAt, probe.code_va + 4 * n));
    var offset: u64 = 0;
    while (offset < stub.code().len) : (offset += 4) {
        const landed = try survives(&g, &other, stopAt, registers.stub_va + offset);
        if (stub.isLeaving(offset)) leaving += @intFromBool(landed) else entering += @intFromBool(landed);
    }
    bench.say("stops_in_task {d}\nstops_on_the_way_out {d}\nstops_on_the_way_in {d}", .{ at_el0, leaving, entering });
}

/// Runs the program, stopped at `va` if it comes there; whether it did.
fn survives(g: *Guest, other: *Guest, stopAt: *const StopAt, va: u64) Error!bool {
    // Another task's vector registers are in the CPU, the page is a new one, and so is the code: the stub has all to do that it can be asked for.
    other.block.v[0] = .{ 5, 6 };
    other.block.fp_home = 0;
    _ = try bench.go(other);
    g.write(&program);
    try g.data(0x2d, 1);
    const b = g.block;
    b.answers = @splat(0);
    b.answers[getpid - abi.answers_first] = 1001;
    for (&b.x, 0..) |*x, n| x.* = 0x4444_0000_0000 + n;
    for (&b.v, 0..) |*v, n| v.* = .{ 0x10 + n, 0x20 + n };
    b.fp_home = 0;
    b.x[1], b.x[8], b.x[19], b.x[20] = .{ probe.data_va, getpid, 0, 0 };
    b.sp, b.tpidr, b.pstate = .{ 0x7fff_1230, 0x1234_5678_9abc, 0xa000_0000 };
    const before = b.*;
    const stops = stopAt(va, &b.stop);
    var exit = try g.go(bench.cpu, bench.patience);
    while (true) : (exit = try bench.again(g)) {
        if (exit == .syscall and b.x[8] == getpid) b.x[0] = 1000;
        if (exit == .syscall and b.x[8] == last_call) break;
        if (exit == .syscall or exit == .kicked or exit == .budget) continue;
        expect(false, "a task that is stopped goes on");
        bench.say("exit {d} at 0x{x}, stopped at 0x{x}", .{ @intFromEnum(exit), b.pc, va });
        return false;
    }
    const landed = stopAt(0, null) > stops;
    try bench.seeVectors(g);
    try bench.seeVectors(other);
    const changed = [_]usize{ 0, 8, 19, 20, 21 };
    var good = b.x[19] == 1 and b.x[20] == 1000 and b.x[21] == 0x2d;
    for (b.x, before.x, 0..) |now, then, n| {
        if (std.mem.indexOfScalar(usize, &changed, n) == null) good = good and now == then;
    }
    good = good and b.sp == before.sp and b.tpidr == before.tpidr and b.pstate == before.pstate;
    good = good and std.meta.eql(b.v[0], .{ 0x21, 0x41 }) and std.meta.eql(b.v[1..].*, before.v[1..].*);
    good = good and std.meta.eql(other.block.v[0], .{ 10, 12 });
    expect(good, "a task that was stopped has lost nothing");
    if (!good) bench.say("stopped at 0x{x}: x19 {d}, x20 {d}, x21 0x{x}, pstate 0x{x}", .{ va, b.x[19], b.x[20], b.x[21], b.pstate });
    return landed;
}
