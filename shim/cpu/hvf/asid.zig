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
    if (!isCurrent(s)) {
        // May begin a generation.
        const number = take();
        s.asid = generation | number;
    }
    return @truncate(s.asid);
}

fn take() u16 {
    while (true) {
        if (next > last) roll();
        const candidate: u16 = @intCast(next);
        next += 1;
        if (std.mem.indexOfScalar(u16, kept[0..kept_count], candidate) == null) return candidate;
    }
}

/// Numbers that spaces brought along into this generation: nobody else's before the next one, whether those spaces run or not.
var kept: [vcpu.max_cpus]u16 = undefined;
var kept_count: usize = 0;

/// Begins again. What a CPU was bound to last keeps its number: it may be running.
fn roll() void {
    const following = generation + (1 << 16);
    kept_count = 0;
    for (vcpu.all()) |cpu| {
        const s = space.get(cpu.cpu.space) orelse continue;
        const number = current(s) orelse continue;
        s.asid = following | number;
        kept[kept_count] = number;
        kept_count += 1;
    }
    generation = following;
    next = 1;
    coherence.requestAll(stub.request_tlb_all);
}
