//! Faults of the host in flat code (`mirror.zig`): SIGSEGV at an access that was written down here goes on in the cold part of its block, with all
//! registers as they were. An access that is nowhere near a mirror, where flat code must not come, ends the process: so whatever is run with an empty mirror (CARRICK_CPU_MIRROR=2) proves the place of each access.

const std = @import("std");
const cache = @import("cache.zig");
const host = @import("../../host/host.zig");
const mirror = @import("mirror.zig");
const memory = host.memory;

/// An access: arena offsets of the host's instruction, and of where it goes on when that faults.
const Access = extern struct { at: u32, cold: u32 };

/// More than the arena has accesses.
const accesses_max = cache.arena_bytes / 2 / 8;

/// By place: code is only appended. Written under the cache's mutex.
var accesses: [*]Access = undefined;
/// How many belong to finished code, which others may run.
var count: u32 = 0;
/// How many there are.
var added: u32 = 0;

var state: enum { closed, open, failed } = .closed;
/// Several CPUs may be the first.
var mutex: host.threads.Mutex = .{};

/// Makes faults come here. False when that cannot be.
pub fn listen() bool {
    mutex.lock();
    defer mutex.unlock();
    if (state == .closed) state = if (start()) .open else .failed;
    return state == .open;
}

fn start() bool {
    const books = memory.reserve(accesses_max * @sizeOf(Access), .books) orelse return false;
    accesses = @ptrCast(@alignCast(books));
    return memory.onFault(faulted);
}

fn faulted(pc: usize, addr: usize) ?usize {
    const offset = pc -% @intFromPtr(cache.running);
    if (offset >= cache.arena_bytes) return null;
    const cold = find(@intCast(offset)) orelse return null;
    // Such code reaches other memory too, sooner or later.
    if (!mirror.surrounds(addr)) escaped();
    return @intFromPtr(cache.running) + cold;
}

fn escaped() noreturn {
    const text = "carrick: translated code has accessed what is not the guest's: this must not happen\n";
    _ = std.c.write(2, text, text.len);
    std.c.abort();
}

fn find(at: u32) ?u32 {
    var low: u32 = 0;
    var high = @atomicLoad(u32, &count, .acquire);
    while (low < high) {
        const middle = (low + high) / 2;
        if (accesses[middle].at < at) low = middle + 1 else high = middle;
    }
    if (low == @atomicLoad(u32, &count, .acquire) or accesses[low].at != at) return null;
    return accesses[low].cold;
}

/// For a block or a loop.
pub fn hasRoom() bool {
    return state != .open or count + cache.block_bytes / 8 <= accesses_max;
}

/// An access of the code that is being written. Its number, for `goesOn`.
pub fn add(at: u32) u32 {
    accesses[added] = .{ .at = at, .cold = 0 };
    added += 1;
    return added - 1;
}

pub fn goesOn(number: u32, cold: u32) void {
    accesses[number].cold = cold;
}

/// What was added since is not run after all.
pub fn forget() void {
    added = count;
}

/// It belongs to code that may be run now.
pub fn publish() void {
    @atomicStore(u32, &count, added, .release);
}

/// All code is dropped.
pub fn reset() void {
    count = 0;
    added = 0;
}
