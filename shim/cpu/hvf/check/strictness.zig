//! The stand-in holds its caller to what the framework wants: else it would prove nothing.

const std = @import("std");
const bench = @import("bench.zig");
const hv = @import("../hv.zig");
const vm = @import("../vm.zig");

const expect = bench.expect;

const granule = 16384;
var memory: [2 * granule]u8 align(granule) = undefined;

pub fn callersAreHeld() bench.Error!void {
    const api = &hv.api;
    const rights = hv.memory_read | hv.memory_write;
    const top = @as(u64, 1) << @intCast(vm.ipa_bits);
    expect(api.vm_create(null) == hv.err_busy, "one machine");
    var handle: hv.Vcpu = 0;
    var exit: *const hv.Exit = undefined;
    expect(api.vcpu_create(&handle, &exit, null) == hv.err_busy, "one CPU for a thread");
    const free = top - 4 * granule;
    expect(api.vm_map(&memory[4096], free, granule, rights) == hv.err_bad_argument, "memory at 16 KiB");
    expect(api.vm_map(&memory, free + 4096, granule, rights) == hv.err_bad_argument, "addresses at 16 KiB");
    expect(api.vm_map(&memory, free, 4096, rights) == hv.err_bad_argument, "sizes of 16 KiB");
    expect(api.vm_map(&memory, top, granule, rights) == hv.err_bad_argument, "no address beyond the last");
    expect(api.vm_map(&memory, 0, granule, rights) == hv.err_bad_argument, "nothing is mapped twice");
    expect(api.vcpu_set_sys_reg(bench.cpu.handle, 0xc0ff, 0) == hv.err_bad_argument, "registers that the framework has");
    expect(api.vcpu_get_reg(bench.cpu.handle, 99, &handle) == hv.err_bad_argument, "registers that there are");
    var results: [3]hv.Return = undefined;
    const thread = std.Thread.spawn(.{ .stack_size = 1 << 20 }, useFromElsewhere, .{&results}) catch return error.NoMemory;
    thread.join();
    for (results) |rc| expect(rc == hv.err_bad_argument, "a CPU is its thread's");
}

fn useFromElsewhere(results: *[3]hv.Return) void {
    var value: u64 = 0;
    const cpu = bench.cpu.handle;
    results.* = .{ hv.api.vcpu_get_reg(cpu, hv.reg_pc, &value), hv.api.vcpu_run(cpu), hv.api.vcpu_destroy(cpu) };
}
