//! ASIDs: numbers by which a CPU's TLB tells address spaces apart (compare arch/arm64/mm/context.c). A space gets one when it is entered and
//! keeps it; when none is left, everything is forgotten and numbering begins again.

const std = @import("std");
const coherence = @import("coherence.zig");
const space = @import("../../mem/space.zig");
const stub = @import("stub.zig");
const vcpu = @import("vcpu.zig");

/// The largest number.
pub var last: u16 = 255;
var generation: u64 = 1 << 16;
var next: u32 = 1;

inline fn isCurrent(s: *const space.Space) bool {
    return s.asid & ~@as(u64, 0xffff) == generation;
}

/// The number by which TLBs may know pages of this space; null when they can know none.
pub fn current(s: *const space.Space) ?u16 {
    return if (isCurrent(s)) @truncate(s.asid) else null;
}

/// The number to run this space with.
pub fn of(s: *space.Space) u16 {
    if (!isCurrent(s)) s.asid = generation | take();
    return @truncate(s.asid);
}

fn take() u16 {
    while (true) {
        if (next > last) roll();
        const candidate: u16 = @intCast(next);
        next += 1;
        if (!isRunning(candidate)) return candidate;
    }
}

/// Begins again. What a CPU was bound to last keeps its number: it may be running.
fn roll() void {
    generation += 1 << 16;
    next = 1;
    for (vcpu.all()) |cpu| {
        const s = space.get(cpu.cpu.space) orelse continue;
        if (s.asid != 0) s.asid = generation | (s.asid & 0xffff);
    }
    coherence.requestAll(stub.request_tlb_all);
}

fn isRunning(number: u16) bool {
    for (vcpu.all()) |cpu| {
        const s = space.get(cpu.cpu.space) orelse continue;
        if (current(s) == number) return true;
    }
    return false;
}
