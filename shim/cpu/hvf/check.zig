//! A program that tries the engine by small guests, each of which asks for one thing that the stub, the registers or the exits must get right. Prints what
//! is wrong and ends with 1; 0 when nothing is, 2 when the engine does not start, 3 when something does not come to an end. Run inside the virtual machine of
//! test/vm, with the stand-in's faults switched on.

const std = @import("std");
const abi = @import("../../abi.zig");
const bench = @import("check/bench.zig");
const engine = @import("engine.zig");
const exits = @import("check/exits.zig");
const frames = @import("../../mem/frames.zig");
const memory = @import("check/memory.zig");
const probe = @import("probe.zig");
const stops = @import("check/stops.zig");
const strictness = @import("check/strictness.zig");
const stub = @import("stub.zig");
const tasks = @import("check/tasks.zig");
const vcpu = @import("vcpu.zig");
const vm = @import("vm.zig");

/// The stub's own length, on the way of a system call.
fn pathIsShort() bench.Error!void {
    const n = stub.pathLength();
    bench.say("stub: {d} instructions out, {d} in", .{ n.out, n.in });
    bench.expect(n.out > 0 and n.out + n.in < 100, "the stub's length");
}

/// All vectors are whole in the page that the CPU runs.
fn vectorsAreThere() bench.Error!void {
    const wrong = stub.wrongVector(@ptrCast(@alignCast(frames.ptr(vm.stub_frame))));
    bench.expect(wrong == null, "the vectors");
    if (wrong) |n| bench.say("vector {d}", .{n});
}

const all = .{
    tasks.registersSurvive,
    tasks.writesArrive,
    tasks.everyWriteArrives,
    tasks.vectorsBelongToTasks,
    exits.faultsAreTold,
    exits.exitsAreRight,
    memory.exclusivesWork,
    exits.identityIsShown,
    tasks.vectorsSurviveStops,
    tasks.registersSurviveStops,
    tasks.threadsStoreVectors,
    tasks.answersAreGiven,
    tasks.othersAreNotAnswered,
    tasks.questionsEnd,
    memory.accessesAreLittleEndian,
    memory.addressesAreWide,
    exits.othersAreHidden,
    tasks.timeIsTold,
    tasks.statesAreCut,
    memory.memoryIsCoherent,
    exits.maintenanceFaults,
    memory.spacesComeAndGo,
    memory.codeWritesCode,
    pathIsShort,
    memory.counterAgrees,
    memory.zeroingIsExact,
    exits.waitingEndsTurns,
    memory.topIsReached,
    memory.memoryIsNotEl1s,
    vectorsAreThere,
    tasks.exceptionsBeginAnew,
    memory.memoryGrows,
    stops.landAnywhere,
    strictness.callersAreHeld,
};

pub fn main() u8 {
    const limit = std.c.getenv("HVF_CHECK_SECONDS");
    _ = std.c.alarm(if (limit) |text| std.fmt.parseInt(c_uint, std.mem.span(text), 10) catch 60 else 60);
    const action: std.c.Sigaction = .{ .handler = .{ .handler = &onAlarm }, .mask = std.mem.zeroes(std.c.sigset_t), .flags = 0 };
    _ = std.c.sigaction(.ALRM, &action, null);
    if (!frames.init(0, 0)) return 2;
    if (!engine.init()) {
        bench.say("{s}", .{engine.reason()});
        return 2;
    }
    bench.cpu = vcpu.all()[0];
    inline for (all) |one| one() catch {
        bench.say("{s}", .{engine.failure()});
        return 1;
    };
    const found = probe.found;
    inline for (@typeInfo(abi.HvfProbe).@"struct".fields) |f| bench.say(f.name ++ " {d}", .{@field(found, f.name)});
    return if (bench.failures == 0) 0 else 1;
}

fn onAlarm(_: std.c.SIG) callconv(.c) void {
    std.c._exit(3);
}
