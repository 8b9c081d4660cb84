//! Faults of the host in flat code (`mirror.zig`): SIGSEGV at an access that was written down here goes on in the cold part of its block, with all
//! registers as they were. Every other one is whose it was before: Bun's and its engine's. An access that is nowhere near a mirror, where flat code
//! must not come, ends the process: so whatever is run with an empty mirror (CARRICK_CPU_MIRROR=2) proves the place of each access.

const std = @import("std");
const cache = @import("cache.zig");
const host = @import("../../host/host.zig");
const mirror = @import("mirror.zig");
const memory = host.memory;

const linux = std.os.linux;

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
var before: linux.Sigaction = undefined;
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
    if (linux.sigaction(.SEGV, null, &before) != 0) return false;
    const action: linux.Sigaction = .{
        .handler = .{ .sigaction = faulted },
        .mask = before.mask,
        .flags = before.flags & (linux.SA.ONSTACK | linux.SA.RESTART | linux.SA.NODEFER) | linux.SA.SIGINFO,
    };
    return linux.sigaction(.SEGV, &action, null) == 0;
}

/// The start of the kernel's `struct ucontext`.
const Frame = extern struct {
    flags: u64,
    link: u64,
    stack: [3]u64,
    /// r8 to r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp.
    registers: [16]u64,
    rip: u64,
};

fn faulted(signal: linux.SIG, info: *const linux.siginfo_t, context: ?*anyopaque) callconv(.c) void {
    // What somebody sent has a code of 0 or less.
    if (info.code <= 0) return pass(signal, info, context);
    const frame: *Frame = @ptrCast(@alignCast(context.?));
    const offset = frame.rip -% @intFromPtr(cache.running);
    if (offset < cache.arena_bytes) if (find(@intCast(offset))) |cold| {
        // Such code reaches other memory too, sooner or later.
        if (!mirror.surrounds(@intFromPtr(info.fields.sigfault.addr))) escaped();
        frame.rip = @intFromPtr(cache.running) + cold;
        return;
    };
    pass(signal, info, context);
}

fn escaped() noreturn {
    const text = "carrick: translated code has accessed what is not the guest's: this must not happen\n";
    _ = std.c.write(2, text, text.len);
    std.c.abort();
}

/// To whom it would have come.
fn pass(signal: linux.SIG, info: *const linux.siginfo_t, context: ?*anyopaque) void {
    if (before.flags & linux.SA.SIGINFO != 0) if (before.handler.sigaction) |handler| return handler(signal, info, context);
    const handler = before.handler.handler;
    if (handler != linux.SIG.DFL and handler != linux.SIG.IGN) return handler.?(signal);
    // It happens again, or was sent and is lost, but for the next.
    _ = linux.sigaction(.SEGV, &before, null);
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
