//! The Hypervisor.framework engine as `cpu/exports.zig` sees it.

const std = @import("std");
const abi = @import("../../abi.zig");
const asid = @import("asid.zig");
const coherence = @import("coherence.zig");
const counter = @import("counter.zig");
const cpus = @import("../../mem/cpus.zig");
const desc = @import("../../mem/descriptor.zig");
const engines = @import("../engine.zig");
const hv = @import("hv.zig");
const interp = @import("../interp/run.zig");
const measuring = @import("measure.zig");
const probe = @import("probe.zig");
const run = @import("run.zig");
const space = @import("../../mem/space.zig");
const vcpu = @import("vcpu.zig");
const vm = @import("vm.zig");

/// The CPU of the kernel's own thread.
var main_cpu: ?*vcpu.Cpu = null;

/// Makes the machine and finds out what it does. False: `reason` says why not. Guest memory must be there.
pub fn init() bool {
    if (main_cpu != null) return true;
    start() catch |err| {
        explain(err);
        return false;
    };
    return true;
}

const Error = hv.OpenError || vm.Error || run.Error;

fn start() Error!void {
    try hv.open();
    counter.start(probe.forced("coarse-counter"));
    if (probe.forced("exec-alias") or probe.forced("split-wx")) desc.split_wx = true;
    try vm.create(probe.forced("exec-alias"));
    coherence.listen();
    const cpu = try firstCpu();
    asid.last = if (probe.found.asid_bits == 16) 0xffff else 0xff;
    try probe.behaviour(cpu);
    probe.found.ipa_bits = vm.ipa_bits;
    probe.found.max_vcpus = vm.max_vcpus;
    probe.found.exec_alias = @intFromBool(vm.has_alias);
    main_cpu = cpu;
}

/// With the MMU on from the first instruction if that works, else by way of the stub.
fn firstCpu() Error!*vcpu.Cpu {
    probe.found.mmu_by_stub = @intFromBool(probe.forced("mmu-by-stub"));
    const cpu = try vcpu.create(false);
    try vcpu.attach(cpu);
    const works = probe.runs(cpu) catch |err| if (err == error.Broken) false else return err;
    if (works) return cpu;
    if (probe.found.mmu_by_stub == 1) return error.Broken;
    vcpu.detach(cpu);
    probe.found.mmu_by_stub = 1;
    try vcpu.attach(cpu);
    if (!try probe.runs(cpu)) return error.Broken;
    return cpu;
}

/// On the kernel's thread.
pub fn enter(b: *abi.RegisterBlock, budget: u32) i32 {
    const cpu = main_cpu.?;
    // A virtual CPU's debug registers may not be ours to set.
    if (b.single_step != 0) {
        vectors(b);
        b.fp_home = 0;
        return interp.enter(b, 1);
    }
    vcpu.bind(cpu, b.space);
    const exit = finish(b, run.enter(cpu, b, budget) catch fatal());
    afterExit(b);
    return exit;
}

/// What the kernel's CPU holds of a task's vector registers is in its block now. On the kernel's thread.
pub fn vectors(b: *abi.RegisterBlock) void {
    run.storeVectors(main_cpu.?, b) catch fatal();
}

fn finish(b: *abi.RegisterBlock, exit: abi.Exit) i32 {
    b.exit = @intFromEnum(exit);
    return @intCast(b.exit);
}

/// Where a page is not writable and executable at once: a fetch from one that was writable gives it its turn. On the kernel's thread.
pub fn afterExit(b: *abi.RegisterBlock) void {
    if (!desc.split_wx or b.exit != @intFromEnum(abi.Exit.fault) or b.fault_access != @intFromEnum(abi.Access.exec)) return;
    const s = space.get(b.space) orelse return;
    _ = space.makeExecutable(s, b.fault_addr);
}

/// This engine for CPU threads.
pub const engine: engines.Engine = .{ .create = createWorker, .attach = attach, .bind = bind, .enter = enterWorker };

fn cpuOf(c: *cpus.Cpu) *vcpu.Cpu {
    return @alignCast(@fieldParentPtr("cpu", c));
}

fn createWorker() ?*cpus.Cpu {
    const cpu = vcpu.create(true) catch return null;
    return &cpu.cpu;
}

fn attach(c: *cpus.Cpu) bool {
    vcpu.attach(cpuOf(c)) catch return false;
    return true;
}

fn bind(c: *cpus.Cpu, handle: u32) void {
    vcpu.bind(cpuOf(c), handle);
}

fn enterWorker(c: *cpus.Cpu, b: *abi.RegisterBlock, budget: u32) i32 {
    return finish(b, run.enter(cpuOf(c), b, budget) catch fatal());
}

pub fn mainCpu() ?*cpus.Cpu {
    return &main_cpu.?.cpu;
}

/// Exits, runs, tasks stopped in the middle, loads and stores of the vector registers.
pub fn stats(out: *[4]f64) void {
    out.* = @splat(0);
    for (vcpu.all()) |cpu| {
        for (out, [_]u64{ cpu.exits, cpu.runs, cpu.captures, cpu.fp_loads + cpu.fp_stores }) |*sum, n| sum.* += @floatFromInt(n);
    }
}

/// The virtual machine is of no use any more, and what the guest did last is not known.
fn fatal() noreturn {
    explain(error.Broken);
    const text = reason();
    _ = std.c.write(2, "carrick: ", 9);
    _ = std.c.write(2, text.ptr, text.len);
    _ = std.c.write(2, "\n", 1);
    std.c._exit(125);
}

var reason_buffer: [256]u8 = undefined;
var reason_len: usize = 0;

/// Why `init` failed, in one sentence.
pub fn reason() []const u8 {
    return reason_buffer[0..reason_len];
}

/// What went wrong in the virtual CPU, in one sentence.
pub fn failure() []const u8 {
    explain(error.Broken);
    return reason();
}

fn say(comptime format: []const u8, args: anytype) void {
    const text = std.fmt.bufPrint(&reason_buffer, format, args) catch "the virtual machine failed";
    reason_len = text.len;
}

fn explain(err: Error) void {
    const code: u32 = @bitCast(vm.last_error);
    switch (err) {
        error.NotHere => say("this machine has no Hypervisor.framework", .{}),
        error.NoSymbol => say("this machine's Hypervisor.framework is too old; macOS 14 has one that will do", .{}),
        error.NoMemory => say("the host gives no memory for the virtual machine", .{}),
        error.Refused => switch (vm.last_error) {
            hv.err_denied => say("Hypervisor.framework refuses: carrick's signature lacks the entitlement com.apple.security.hypervisor", .{}),
            hv.err_unsupported, hv.err_no_device => say("Hypervisor.framework does not work on this machine (sysctl kern.hv_support should be 1)", .{}),
            hv.err_busy => say("Hypervisor.framework is busy: this process has a virtual machine already", .{}),
            hv.err_no_resources => say("Hypervisor.framework has no more virtual machines or CPUs to give", .{}),
            else => say("Hypervisor.framework refuses to {s} (error 0x{x})", .{ if (vm.ipa_bits == 0) "make a virtual machine" else "set up a virtual machine and its CPU", code }),
        },
        error.Broken => {
            const t = run.trouble;
            say("the virtual CPU failed: {s} (reason {d}, syndrome 0x{x}, pc 0x{x}, address 0x{x}, error 0x{x})", .{ t.what, t.reason, t.syndrome, t.pc, t.addr, code });
        },
    }
}

pub const kick = vcpu.kick;
pub const newBlock = vcpu.newBlock;
pub const freeBlock = vcpu.freeBlock;
pub const isOurs = vcpu.isOurs;

/// What only `doctor` asks for. False when the virtual CPU failed.
pub fn measure() bool {
    measuring.all(main_cpu.?) catch |err| {
        explain(err);
        return false;
    };
    return true;
}
