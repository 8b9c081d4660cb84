//! The code cache, shared by all guest processes: translated pages, found by physical frame and virtual page, and the
//! arena that holds their ops.
//!
//! Ops are only appended. When code changes, its page is taken out of the index and nobody finds it any more; the ops stay
//! until the arena is full, when everything is dropped. Direct branches are chained inside a page only, so no chain can
//! lead out of a dropped page or into one. What else remembers ops (the jump caches) is told by `epoch`.
//!
//! One thread translates at a time, under `mutex`; whoever looks for what is there needs none: a page is complete before it is
//! entered in the index, and a block before its page. Everything is dropped only while nobody runs guest code: a
//! CPU thread that finds the arena full leaves with `kicked`, and the kernel's thread empties it (`makeRoom`).

const std = @import("std");
const abi = @import("../../abi.zig");
const mem = @import("../../mem/mem.zig");
const core = @import("core.zig");
const Mutex = @import("../../host/host.zig").threads.Mutex;

const Op = core.Op;
const Vcpu = core.Vcpu;

pub const arena_slots = 4 << 20;
const max_pages = 1 << 16;
const max_runs = 1 << 20;
const buckets = 1 << 14;
pub const page_words = abi.page_size / 4;

/// A page of guest code as it is mapped at `va`.
pub const Page = struct {
    frame: u32,
    va: u64,
    /// Its place in the list of all pages since the last flush.
    number: u32,
    chain: ?*Page,
    /// Arena slot of the block that starts at each word, plus 1; 0: none yet.
    entry: [page_words]u32,
};

/// A run of instructions that was translated together.
const Run = struct { slot: u32, page: u32, first: u32 };

const Store = struct {
    arena: [arena_slots]Op,
    /// For each slot of the arena, which instruction of its run it belongs to.
    nth: [arena_slots]u8,
    runs: [max_runs]Run,
    pages: [max_pages]*Page,
    index: [buckets]?*Page,
    /// Bit (va / 4096) mod its size: some page there was translated.
    filter: [filter_bits / 64]u64,
};

const filter_bits = 1 << 16;

inline fn filterBit(va: u64) *u64 {
    return &store.filter[va >> 18 & (filter_bits / 64 - 1)];
}

inline fn filterMask(va: u64) u64 {
    return @as(u64, 1) << @truncate(va >> 12);
}

var store: *Store = undefined;
var ready = false;
var used: u32 = 0;
var run_count: u32 = 0;
var page_count: u32 = 0;
var page_list: PageList = .{};
/// Held by whoever changes anything here.
pub var mutex: Mutex = .{};
/// There was no room; `makeRoom` is to be called.
pub var full = false;

/// Part of every jump cache's key. Changes when ops that were good may no longer be entered.
pub var epoch: u64 = 1;
/// Counts how often everything was dropped.
pub var generation: u32 = 0;
pub var stats: struct { translated: u64 = 0, dropped_pages: u64 = 0 } = .{};

/// Page objects, kept for reuse.
const PageList = struct {
    free: ?*Page = null,

    fn take(list: *PageList) ?*Page {
        if (list.free) |p| {
            list.free = p.chain;
            return p;
        }
        const raw = std.c.malloc(@sizeOf(Page)) orelse return null;
        return @ptrCast(@alignCast(raw));
    }

    fn give(list: *PageList, p: *Page) void {
        p.chain = list.free;
        list.free = p;
    }
};

/// Reserves the arena. False when the host has no memory.
pub fn init() bool {
    if (ready) return true;
    const raw = std.c.malloc(@sizeOf(Store) + 64) orelse return false;
    store = @ptrFromInt(std.mem.alignForward(usize, @intFromPtr(raw), 64));
    @memset(&store.index, null);
    @memset(&store.filter, 0);
    ready = true;
    listen();
    return true;
}

/// Hears of changes of guest code from now on. What was translated before may be stale.
pub fn listen() void {
    if (!ready) return;
    flush();
    mem.frames.codeChanged = frameChanged;
    mem.tlb.dropped = pagesDropped;
}

/// Before guest code is entered by the kernel's thread: empties a full arena, while everybody waits.
pub inline fn makeRoom() void {
    if (full) flushPaused();
}

noinline fn flushPaused() void {
    @branchHint(.cold);
    mem.cpus.pause(mem.cpus.everybody);
    defer mem.cpus.proceed();
    flush();
}

/// Drops everything, when it may: else asks for it.
fn tryFlush() bool {
    if (mem.cpus.busy != 0) {
        full = true;
        return false;
    }
    flush();
    return true;
}

/// Drops everything. Nobody runs guest code.
pub fn flush() void {
    if (!ready) return;
    full = false;
    for (store.pages[0..page_count]) |p| page_list.give(p);
    @memset(&store.index, null);
    @memset(&store.filter, 0);
    page_count = 0;
    run_count = 0;
    used = 0;
    _ = @atomicRmw(u64, &epoch, .Add, 1, .seq_cst);
    generation +%= 1;
}

inline fn bucketOf(frame: u32) *?*Page {
    return &store.index[(frame *% 0x9e3779b1) >> 18];
}

pub fn find(frame: u32, va: u64) ?*Page {
    var it = @atomicLoad(?*Page, bucketOf(frame), .acquire);
    while (it) |p| : (it = @atomicLoad(?*Page, &p.chain, .acquire)) {
        if (p.frame == frame and p.va == va) return p;
    }
    return null;
}

/// The page, made if need be. May flush. Null when the host has no memory, or it has to wait (`full`).
pub fn getPage(frame: u32, va: u64) ?*Page {
    if (find(frame, va)) |p| return p;
    if (page_count == max_pages and !tryFlush()) return null;
    const p = page_list.take() orelse return null;
    const bucket = bucketOf(frame);
    p.frame = frame;
    p.va = va;
    p.number = page_count;
    p.chain = bucket.*;
    @memset(&p.entry, 0);
    store.pages[page_count] = p;
    page_count += 1;
    filterBit(va).* |= filterMask(va);
    mem.frames.markCode(frame);
    @atomicStore(?*Page, bucket, p, .release);
    return p;
}

pub inline fn opAt(slot: u32) [*]Op {
    return @ptrCast(&store.arena[slot]);
}

/// Where the next run of at most `slots` ops goes. May flush, which makes every page that the caller holds invalid: null
/// then, and the caller begins again.
pub fn room(slots: u32) ?Room {
    if (used + slots > arena_slots or run_count == max_runs) {
        _ = tryFlush();
        return null;
    }
    return .{ .ops = opAt(used), .nth = @ptrCast(&store.nth[used]) };
}

pub const Room = struct { ops: [*]Op, nth: [*]u8 };

/// `slots` ops were written to the room; they begin at word `first` of the page.
pub fn publish(p: *Page, first: u32, slots: u32, instructions: u32) [*]const Op {
    store.runs[run_count] = .{ .slot = used, .page = p.number, .first = first };
    @atomicStore(u32, &run_count, run_count + 1, .release);
    stats.translated += instructions;
    const op = opAt(used);
    used += slots;
    @atomicStore(u32, &p.entry[first], used - slots + 1, .release);
    return op;
}

pub const Place = struct { pc: u64, executed: u32 };

/// The instruction that an op belongs to, and how many of its run come before it.
pub fn whereIs(v: *Vcpu, op: [*]const Op) Place {
    const offset = @intFromPtr(op) -% @intFromPtr(&v.single.ops);
    if (offset < @sizeOf(@TypeOf(v.single.ops))) return .{ .pc = v.single.pc, .executed = 0 };
    const slot: u32 = @intCast((@intFromPtr(op) - @intFromPtr(&store.arena)) / @sizeOf(Op));
    var low: u32 = 0;
    var high: u32 = @atomicLoad(u32, &run_count, .acquire);
    while (high - low > 1) {
        const middle = low + (high - low) / 2;
        if (store.runs[middle].slot <= slot) low = middle else high = middle;
    }
    const run = store.runs[low];
    const executed = store.nth[slot];
    return .{ .pc = store.pages[run.page].va + (run.first + executed) * 4, .executed = executed };
}

/// What was translated from the frame is stale.
fn frameChanged(frame: u32) void {
    mutex.lock();
    defer mutex.unlock();
    var link = bucketOf(frame);
    while (link.*) |p| {
        if (p.frame != frame) {
            link = &p.chain;
            continue;
        }
        @atomicStore(?*Page, link, p.chain, .release);
        stats.dropped_pages += 1;
        _ = @atomicRmw(u64, &epoch, .Add, 1, .seq_cst);
    }
}

/// The mapping of these pages changed in some space, or (a huge count) any may have: a jump cache may lead to a page
/// that is no longer there.
fn pagesDropped(va: u64, count: u64) void {
    if (count > 256) {
        _ = @atomicRmw(u64, &epoch, .Add, 1, .seq_cst);
        return;
    }
    for (0..count) |i| {
        const page = va + i * abi.page_size;
        if (filterBit(page).* & filterMask(page) == 0) continue;
        _ = @atomicRmw(u64, &epoch, .Add, 1, .seq_cst);
        return;
    }
}
