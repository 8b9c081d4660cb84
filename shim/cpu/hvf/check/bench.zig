//! What the checks of the engine (check.zig) try guests with: how one is run, what it is expected to do.

const std = @import("std");
const abi = @import("../../../abi.zig");
const engine = @import("../engine.zig");
const probe = @import("../probe.zig");
const registers = @import("../registers.zig");
const run = @import("../run.zig");
const space = @import("../../../mem/space.zig");
const vcpu = @import("../vcpu.zig");

const Guest = probe.Guest;

pub var failures: u32 = 0;
/// Where they run.
pub var cpu: *vcpu.Cpu = undefined;

pub fn say(comptime format: []const u8, args: anytype) void {
    var buffer: [512]u8 = undefined;
    const text = std.fmt.bufPrint(&buffer, format ++ "\n", args) catch return;
    _ = std.c.write(1, text.ptr, text.len);
}

pub fn expect(ok: bool, what: []const u8) void {
    if (ok) return;
    failures += 1;
    say("wrong: {s}", .{what});
}

pub const Error = probe.Error;
pub const patience = 1_000_000_000;

/// Runs a guest until it stops for more than the end of its time.
pub fn go(g: *Guest) Error!abi.Exit {
    var exit = try g.go(cpu, patience);
    while (exit == .budget or exit == .kicked) exit = try again(g);
    return exit;
}

/// Makes the vector registers in the block those of the task.
pub fn seeVectors(g: *Guest) Error!void {
    try run.storeVectors(cpu, g.block);
}

pub fn again(g: *Guest) Error!abi.Exit {
    const number = engine.enter(g.block, patience);
    return @enumFromInt(@as(u32, @intCast(number)));
}

/// A function that only the stand-in for the framework has.
pub fn standIn(comptime F: type, name: [*:0]const u8) ?*const F {
    const handle = std.c.dlopen(std.c.getenv("CARRICK_HV") orelse return null, .{ .NOW = true }) orelse return null;
    return @ptrCast(@alignCast(std.c.dlsym(handle, name) orelse return null));
}

/// x1 := where `Guest.data` is; a load and a store there.
pub const to_data = 0xd2a00041; // mov x1, #0x20000

pub const load = 0x39400020; // ldrb w0, [x1]

pub const store = 0x39000020; // strb w0, [x1]

/// x1 is the start of the linear view, x2 of the stub.
pub fn fault(words: []const u32, prot: u32, access: abi.Access, addr: u64, what: []const u8) Error!void {
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

/// What the kernel does with a fault in a page that is there.
pub fn settleFault(g: *Guest) Error!abi.Exit {
    engine.afterExit(g.block);
    if (g.block.fault_access == @intFromEnum(abi.Access.write)) _ = space.cow(space.get(g.handle).?, g.block.fault_addr, 7);
    var exit = try again(g);
    while (exit == .budget or exit == .kicked) exit = try again(g);
    return exit;
}

pub fn stops(words: []const u32, exit: abi.Exit, what: []const u8) Error!void {
    var g = try Guest.make(words);
    defer g.end();
    g.block.sp = 0x8000;
    try g.data(1, 3);
    const got = try go(&g);
    expect(got == exit, what);
    if (got != exit) say("exit {d}, esr 0x{x}, pc 0x{x}", .{ @intFromEnum(got), g.block.esr, g.block.pc });
}
