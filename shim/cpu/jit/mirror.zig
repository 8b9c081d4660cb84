//! The mirror of a virtual CPU: address space in which the pages of one hot process lie at their own addresses, `distance` behind the `Cpu`. There
//! flat code (`flat.zig`) accesses memory with one instruction, without asking the TLB: gs is the `Cpu`.
//!
//! It is like a TLB made of the host's mappings. Its CPU's thread fills it, a piece at a time, when an access finds nothing there (`trap.zig`),
//! from the same tables and with the same rights. Whoever takes a right away empties it there first, as it does with TLBs
//! (`mem.tlb.mirrored`). Accesses to what is not mapped, beyond the guest's addresses or without the right fault on the host, and are then done
//! by the interpreter or become the guest's fault.
//!
//! Mapping costs microseconds, so a process gets a CPU's mirror only when it has computed for a while, loses it when it forks, and when it changes its
//! mappings too often; it then has to compute longer before it gets it again. All other processes run code that asks the TLB.

const std = @import("std");
const abi = @import("../../abi.zig");
const check = @import("check.zig");
const desc = @import("../../mem/descriptor.zig");
const host = @import("../../host/host.zig");
const layout = @import("layout.zig");
const mem = @import("../../mem/mem.zig");
const trap = @import("trap.zig");

const Cpu = layout.Cpu;
const memory = host.memory;
const Mutex = host.threads.Mutex;
const page_size = abi.page_size;

/// From a `Cpu` to where the guest's address 0 would be. A displacement of 32 bits, with what is between gives room for
/// what accesses are off their base register, and for a bit of computing with that.
pub const distance = 1 << 30;
/// Its addresses end here. What the kernel places itself is below 2^39; mimalloc asks for places from 2^41 to 2^43.
pub const end: u64 = 1 << 43;
const behind = 1 << 30;
const region_bytes = distance + end + behind;
const page_count = end / page_size;

/// A host process has addresses for a few: 2^47.
const mirrors_max = 8;

/// Pages that are mapped at a time, when one of them is missed.
const around = 32;
/// Mappings that all mirrors have at most. The host has a limit for a process (65,530), and each may split what is around it.
const pieces_max = 24_000;
var pieces_all: u32 = 0;

/// How many instructions a process executes before it gets a mirror: some 15 ms, or much of what is translated for the start of an interpreter would be translated
/// twice. After it has lost it: so many, and twice as many each time.
const warm: u64 = 48 << 20;
const warm_max: u64 = 1 << 36;
/// A piece of work has to be worth so many instructions, on the average, or the mirror is given up; not before it had a chance.
const worth = 1 << 15;
const chance = 256;
/// A range that is longer is emptied with all the rest.
const long_bytes = 1 << 30;

pub const Mirror = struct {
    /// Guest address 0; null where the host gave no address space.
    start: ?[*]align(page_size) u8 = null,
    /// What is mapped, a byte for each page.
    state: ?*[page_count]u8 = null,
    /// Held by whoever changes anything here: its CPU's thread, or the kernel's.
    mutex: Mutex = .{},
    /// Whose pages these are; 0: nobody's.
    space: u32 = 0,
    /// Everything mapped lies in here.
    low: u64 = end,
    high: u64 = 0,
    /// Mappings made since it was empty, holes included, and work done since the space got it: pieces mapped and emptied, and accesses that the interpreter did.
    pieces: u32 = 0,
    work: u32 = 0,
    /// Instructions of the space when it got it.
    since: u64 = 0,
    /// Instructions since then of other hot spaces here.
    wanted: u64 = 0,
    next: ?*Mirror = null,
};

/// What a page's byte says.
const nothing = 0;
const readable = 1;
const writable = 2;

/// CARRICK_CPU_MIRROR, for tests: 0 never; 1 for every process at once; 2 the same, but nothing is ever shown, so that the interpreter does every access;
/// 3 as 1, but only what was accessed is shown, for that alone, and no more after a slice or an exit.
var policy: enum { never, warm, always, bare, fresh } = .warm;
/// All of them; filled before there is a second thread that could look, or by `adopt` atomically.
var list: ?*Mirror = null;

/// Reads the environment. Before the first CPU is made.
pub fn init() void {
    const text = std.c.getenv("CARRICK_CPU_MIRROR") orelse return;
    policy = switch (text[0]) {
        '0' => .never,
        '1' => .always,
        '2' => .bare,
        '3' => .fresh,
        else => return,
    };
    if (policy != .never) counted_max = 0;
}

var reserved: u32 = 0;

/// Memory for a `Cpu`, zeros, with room behind for its mirror. Null where the host has not so much address space, or none is wanted.
pub fn reserve(size_bytes: usize) ?[*]align(page_size) u8 {
    if (policy == .never or reserved == mirrors_max) return null;
    const region = memory.reserveEmpty(region_bytes) orelse return null;
    if (memory.open(region, std.mem.alignForward(usize, size_bytes, page_size))) {
        reserved += 1;
        return region;
    }
    memory.release(region, region_bytes);
    return null;
}

/// The mirror of a CPU that lies where `reserve` said.
pub fn adopt(m: *Mirror, region: [*]align(page_size) u8) void {
    m.* = .{ .start = @alignCast(region + distance), .next = list };
    @atomicStore(?*Mirror, &list, m, .release);
    mem.tlb.mirrored = changed;
}

/// Flat code accesses nothing further from the guest's addresses than this: what bases may have moved, and what is added to one.
const reach = 4 << 20;

/// Is the host's address in a mirror, or so near that flat code may come there?
pub fn surrounds(address: usize) bool {
    var it = @atomicLoad(?*Mirror, &list, .acquire);
    while (it) |m| : (it = m.next) {
        if (address -% (@intFromPtr(m.start.?) - reach) < end + 2 * reach) return true;
    }
    return false;
}

/// Does the space that is bound run flat code here?
pub inline fn isFlat(cpu: *const Cpu) bool {
    return cpu.mirror.space == cpu.v.tlb.space and cpu.mirror.space != 0;
}

/// Counts instructions that the bound space executed. Now and then, between two blocks: gives it the mirror if it is its turn.
pub inline fn count(cpu: *Cpu, instructions: u32) void {
    cpu.executed += instructions;
    if (cpu.executed >= counted_max) settle(cpu);
}

/// So many are not known to the space yet, at most.
var counted_max: u32 = 1 << 18;

noinline fn settle(cpu: *Cpu) void {
    const m = &cpu.mirror;
    const executed = cpu.executed;
    cpu.executed = 0;
    const s = mem.space.get(cpu.v.tlb.space) orelse return;
    // Several CPUs may run the space.
    const all = @atomicRmw(u64, &s.executed, .Add, executed, .monotonic) + executed;
    if (isFlat(cpu) and policy != .fresh) {
        m.wanted = 0;
        return;
    }
    if (policy == .never) return;
    if (policy == .warm) {
        if (all < @max(warm, s.flat_from)) return;
        m.wanted += executed;
        if (m.space != 0 and m.wanted < 2 * warm) return;
    }
    take(m, cpu.v.tlb.space, all);
}

/// The space gets the mirror.
fn take(m: *Mirror, handle: u32, executed: u64) void {
    if (!prepare(m)) return;
    m.mutex.lock();
    defer m.mutex.unlock();
    clear(m);
    m.space = handle;
    m.work = 0;
    m.since = executed;
    m.wanted = 0;
}

/// What only those need who have one.
fn prepare(m: *Mirror) bool {
    if (m.state != null) return true;
    if (m.start == null or !memory.mirrors() or !trap.listen()) {
        policy = .never;
        return false;
    }
    m.state = @ptrCast(memory.reserve(page_count, .books) orelse {
        policy = .never;
        return false;
    });
    return true;
}

/// Shows the page of `addr`, which the tables allow to be accessed so, and neighbours. False when that was so already, and when it cannot be.
pub fn show(cpu: *Cpu, addr: u64, writes: bool) bool {
    const m = &cpu.mirror;
    if (addr >= end or m.space != cpu.v.tlb.space or policy == .bare) return false;
    const s = mem.space.get(m.space) orelse return false;
    m.mutex.lock();
    defer m.mutex.unlock();
    const want: u8 = if (writes) writable else readable;
    const page = addr / page_size;
    if (m.state.?[page] >= want) return false;
    const alone = policy == .fresh;
    const limit = if (alone) page + 1 else (page | around - 1) + 1;
    var at = if (alone) page else page & ~@as(u64, around - 1);
    while (at < limit) at = showRun(m, s, at, limit, if (alone) want else writable) orelse {
        giveUp(m, s);
        return false;
    };
    charge(m, s);
    return m.space != 0 and m.state.?[page] >= want;
}

/// Shows pages from `at` that lie in a row on the host too and have the same rights, `most` at most. Where it ended; null: the host refused.
fn showRun(m: *Mirror, s: *mem.space.Space, at: u64, limit: u64, most: u8) ?u64 {
    const d = mem.space.walk(s, at * page_size);
    const state = @min(shownAs(d), most);
    if (state == nothing or m.state.?[at] == state) return at + 1;
    const frame = desc.frameOf(d);
    var n: u32 = 1;
    while (at + n < limit) : (n += 1) {
        const other = mem.space.walk(s, (at + n) * page_size);
        if (@min(shownAs(other), most) != state or desc.frameOf(other) != frame + n) break;
    }
    const place: [*]align(page_size) u8 = @alignCast(m.start.? + at * page_size);
    if (!memory.mirror(place, @ptrCast(mem.frames.ptr(frame)), @as(usize, n) * page_size, state == writable)) return null;
    @memset(m.state.?[at..][0..n], state);
    m.low = @min(m.low, at * page_size);
    m.high = @max(m.high, (at + n) * page_size);
    m.work += 1;
    // The host makes one mapping of what goes on from the page before, or to the page behind.
    const follows = at > 0 and goesOn(m, s, at - 1, state, frame -% 1);
    const leads = at + n < page_count and goesOn(m, s, at + n, state, frame + n);
    if (follows and leads) {
        if (m.pieces > 0) {
            m.pieces -= 1;
            _ = @atomicRmw(u32, &pieces_all, .Sub, 1, .monotonic);
        }
    } else if (!follows and !leads and !addPiece(m)) return null;
    return at + n;
}

/// Is the page shown, with that state, and is it that frame?
fn goesOn(m: *const Mirror, s: *mem.space.Space, page: u64, state: u8, frame: u32) bool {
    return m.state.?[page] == state and desc.frameOf(mem.space.walk(s, page * page_size)) == frame;
}

/// False when there are too many.
fn addPiece(m: *Mirror) bool {
    m.pieces += 1;
    return @atomicRmw(u32, &pieces_all, .Add, 1, .monotonic) < pieces_max;
}

/// Every page that is written to has to be known to the check, if there is one.
fn shownAs(d: u64) u8 {
    if (!desc.readable(d)) return nothing;
    if (!desc.writable(d) or check.on and !check.isWatched(mem.frames.ptr(desc.frameOf(d)))) return readable;
    return writable;
}

/// An access was left to the interpreter, for what it cost.
pub fn missed(cpu: *Cpu) void {
    const m = &cpu.mirror;
    const s = mem.space.get(m.space) orelse return;
    m.mutex.lock();
    defer m.mutex.unlock();
    m.work += 1;
    charge(m, s);
}

/// Gives the mirror up when the space has more work with it than it can be worth.
fn charge(m: *Mirror, s: *mem.space.Space) void {
    if (policy != .warm or m.work < chance) return;
    if (s.executed - m.since < @as(u64, m.work) * worth) giveUp(m, s);
}

/// The space has to compute for longer before it gets a mirror again.
fn giveUp(m: *Mirror, s: *mem.space.Space) void {
    clear(m);
    m.space = 0;
    const pause = @max(s.flat_pause, warm);
    s.flat_from = s.executed + pause;
    s.flat_pause = @min(2 * pause, warm_max);
}

/// Nothing is mapped any more.
fn clear(m: *Mirror) void {
    if (m.low < m.high) {
        // Whoever lost a right would keep it. No mapping is cut by this, so the host has no reason to refuse.
        if (!empty(m, m.low, m.high)) std.c.abort();
        // Whole pages of the books: what nobody has touched there stays untouched.
        const from = m.low / page_size & ~@as(u64, page_size - 1);
        const to = std.mem.alignForward(u64, m.high / page_size, page_size);
        if (!memory.giveBack(@ptrCast(@alignCast(&m.state.?[from])), to - from)) @memset(m.state.?[from..to], nothing);
    }
    m.low = end;
    m.high = 0;
    _ = @atomicRmw(u32, &pieces_all, .Sub, m.pieces, .monotonic);
    m.pieces = 0;
}

/// Nothing can be written before it is shown again.
pub fn refuseAllWrites() void {
    var it = list;
    while (it) |m| : (it = m.next) {
        m.mutex.lock();
        defer m.mutex.unlock();
        clear(m);
    }
}

fn empty(m: *Mirror, from: u64, to: u64) bool {
    return memory.empty(@alignCast(m.start.? + from), to - from);
}

/// Pages of a space have changed: nothing of them stays mapped. By the kernel's thread.
fn changed(handle: u32, va: u64, n: u64) void {
    var it = @atomicLoad(?*Mirror, &list, .acquire);
    while (it) |m| : (it = m.next) {
        if (@atomicLoad(u32, &m.space, .monotonic) == 0) continue;
        m.mutex.lock();
        defer m.mutex.unlock();
        if (m.space != handle and handle != 0) continue;
        // The space is gone.
        if (n == std.math.maxInt(u64)) {
            clear(m);
            m.space = 0;
            continue;
        }
        forget(m, va, va + n * page_size);
    }
}

fn forget(m: *Mirror, va: u64, to: u64) void {
    const from = @max(va, m.low);
    const until = @min(to, m.high);
    if (from >= until) return;
    if (until - from > long_bytes or from == m.low and until == m.high and until - from > around * page_size) {
        // Mostly a fork.
        if (policy != .warm) return clear(m);
        return giveUp(m, mem.space.get(m.space).?);
    }
    const states = m.state.?[from / page_size .. until / page_size];
    const first = std.mem.findNone(u8, states, &.{0}) orelse return;
    const last = std.mem.findLastNone(u8, states, &.{0}).? + 1;
    if (!empty(m, from + first * page_size, from + last * page_size)) return giveUp(m, mem.space.get(m.space).?);
    @memset(states[first..last], nothing);
    m.work += 1;
    // A hole in a piece makes two of it.
    if (!addPiece(m)) giveUp(m, mem.space.get(m.space).?);
}

// For tests of the shim.

var policy_before: @TypeOf(policy) = .warm;

/// Every process has a mirror at once.
pub fn force() void {
    policy_before = policy;
    policy = .always;
    counted_max = 0;
}

pub fn release() void {
    policy = policy_before;
    counted_max = 1 << 18;
}

/// The host's place of guest address 0.
pub fn whereZeroIs() u64 {
    return @intFromPtr(list.?.start.?);
}

pub fn isInUse() bool {
    return list.?.work != 0;
}
