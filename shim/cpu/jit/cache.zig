//! The code cache, shared by all guest processes: translated pages, found by physical frame and virtual page, and the arena
//! that holds their code, mapped twice, once for writing and once for running.
//!
//! Code is only appended. When guest code changes, its page is taken out of the index and nobody finds it any more; its code
//! stays until the arena is full, when everything is dropped. Branches inside a page lead straight to their target; those
//! to another page test that the page is still where it was (`Cpu.pages`), so no stale code is entered.
//!
//! One thread translates at a time, under `mutex`; whoever looks for what is there needs none: a page is complete before it is
//! entered in the index, and code before its page. Everything is dropped only while nobody runs guest code: a CPU
//! thread that finds the arena full leaves with `kicked`, and the kernel's thread empties it (`makeRoom`).

const std = @import("std");
const abi = @import("../../abi.zig");
const mem = @import("../../mem/mem.zig");
const loops = @import("loop.zig");
const Mutex = @import("../../host/host.zig").threads.Mutex;
const single = @import("../interp/translate.zig").single;
const Site = @import("service.zig").Site;
const trap = @import("trap.zig");

const linux = std.os.linux;

pub const arena_bytes = 128 << 20;
const cold_half = arena_bytes / 2;
/// No block and no loop is longer.
pub const block_bytes = 256 << 10;
const max_pages = 1 << 16;
const buckets = 1 << 14;
pub const page_words = abi.page_size / 4;

/// What code is translated for. `flat`: memory is in the CPU's mirror (mirror.zig). `alone`: nobody else sees the space's memory while its one task
/// runs, so atomics need not be locked.
pub const Mode = packed struct(u4) { fpcr: Asked, flat: bool, alone: bool };

/// What FPCR asks for: a rounding mode, which the host has too; that and to flush (FZ); more, so no arithmetic of the host.
pub const Asked = enum(u2) { rounding, flush, exact };

/// A page of guest code as it is mapped at `va`.
pub const Page = struct {
    frame: u32,
    va: u64,
    mode: Mode,
    /// Its place in the list of all pages since the last flush.
    number: u32,
    chain: ?*Page,
    /// Arena offset of the block that starts at each word; 0: none yet.
    entry: [page_words]u32,
};

/// The arena as it is written, and as it is run.
pub var writable: [*]u8 = undefined;
pub var running: [*]u8 = undefined;
/// Offset where the next block goes, and where its cold part: in a half of the arena of its own, so that hot code is dense.
pub var used: u32 = 0;
pub var used_cold: u32 = cold_half;
/// What a flush keeps: the code that is not a guest's.
var kept: u32 = 0;
const commit_bytes = 64 << 10;
/// Up to where the host was asked for memory, in both halves: a fault for each page, in two mappings, costs several times as much.
/// What a small program needs is left to faults.
var committed: u32 = commit_bytes;
var committed_cold: u32 = cold_half + commit_bytes;
/// Few blocks have more.
const ahead_bytes = 4 << 10;

/// Held by whoever changes anything here, code included.
pub var mutex: Mutex = .{};
/// There was no room; `makeRoom` is to be called.
pub var full = false;

var pages: [max_pages]*Page = undefined;
var page_count: u32 = 0;
var index: [buckets]?*Page = @splat(null);
var free_pages: ?*Page = null;
/// Bit (va / 4096) mod its size: some page there was translated.
var filter: [filter_bits / 64]u64 = @splat(0);
const filter_bits = 1 << 16;

/// Part of every CPU's key. Changes when code that was good may no longer be entered.
pub var epoch: u64 = 1;
/// Counts how often everything was dropped.
pub var generation: u32 = 0;
pub var stats: struct { translated: u64 = 0, dropped_pages: u64 = 0 } = .{};

inline fn filterBit(va: u64) *u64 {
    return &filter[va >> 18 & (filter_bits / 64 - 1)];
}

inline fn filterMask(va: u64) u64 {
    return @as(u64, 1) << @truncate(va >> 12);
}

/// Reserves the arena. False when the host refuses.
pub fn init() bool {
    const fd = std.c.memfd_create("carrick-code", linux.MFD.CLOEXEC);
    if (fd < 0) return false;
    defer _ = std.c.close(fd);
    if (std.c.ftruncate(fd, arena_bytes) != 0) return false;
    writable = map(fd, .{ .READ = true, .WRITE = true }) orelse return false;
    running = map(fd, .{ .READ = true, .EXEC = true }) orelse return false;
    limitArena();
    return true;
}

/// Hears of changes of guest code from now on. What was translated before may be stale.
pub fn listen() void {
    flush();
    mem.frames.codeChanged = frameChanged;
    mem.tlb.dropped = pagesDropped;
}

fn map(fd: i32, prot: std.c.PROT) ?[*]u8 {
    const p = std.c.mmap(null, arena_bytes, prot, .{ .TYPE = .SHARED }, fd, 0);
    return if (p == std.c.MAP_FAILED) null else @ptrCast(p);
}

/// How much of each half is used. CARRICK_CPU_ARENA=N makes it N times 256 KiB, so that it is often full, for tests; 0: it counts as full at
/// every seventh request, and what was dropped becomes traps.
var half_bytes: u32 = cold_half;
var traps = false;
var requests: u32 = 0;

fn countsAsFull() bool {
    if (!traps or mem.cpus.busy != 0) return false;
    requests +%= 1;
    return requests % 7 == 0;
}

fn limitArena() void {
    const text = std.c.getenv("CARRICK_CPU_ARENA") orelse return;
    const n = std.fmt.parseInt(u32, std.mem.span(text), 10) catch return;
    traps = n == 0;
    if (n >= 1 and n < cold_half / (256 << 10)) half_bytes = n * (256 << 10);
}

/// Asks for the memory that the next block is likely to need. Only a hint.
fn commit(done: *u32, at: u32, limit: u32) void {
    if (at + ahead_bytes <= done.* or done.* + commit_bytes > limit) return;
    const populate_read = 22;
    const populate_write = 23;
    _ = linux.madvise(writable + done.*, commit_bytes, populate_write);
    _ = linux.madvise(running + done.*, commit_bytes, populate_read);
    done.* += commit_bytes;
}

/// Everything below `used` is kept from now on.
pub fn keep() void {
    kept = used;
}

/// The instructions left to the interpreter since the last flush, and sites to be used again.
var sites: ?*Site = null;
var free_sites: ?*Site = null;

/// A site for the instruction at `pc`. Null when the host has no memory.
pub fn addSite(pc: u64, insn: u32) ?*const Site {
    const site = free_sites orelse @as(*Site, @ptrCast(@alignCast(std.c.malloc(@sizeOf(Site)) orelse return null)));
    if (free_sites != null) free_sites = site.next;
    single(&site.single, pc, insn);
    site.next = sites;
    sites = site;
    return site;
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

/// Drops all guest code. Nobody runs any.
pub fn flush() void {
    full = false;
    while (sites) |site| {
        sites = site.next;
        site.next = free_sites;
        free_sites = site;
    }
    for (pages[0..page_count]) |p| {
        p.chain = free_pages;
        free_pages = p;
    }
    // What nobody has written to takes no memory yet.
    if (page_count > 0) {
        @memset(&index, null);
        @memset(&filter, 0);
    }
    page_count = 0;
    if (traps) {
        @memset(writable[kept..used], 0xcc);
        @memset(writable[cold_half..used_cold], 0xcc);
    }
    used = kept;
    used_cold = cold_half;
    _ = @atomicRmw(u64, &epoch, .Add, 1, .seq_cst);
    generation +%= 1;
    loops.reset();
    trap.reset();
}

pub fn pageOf(number: u32) *Page {
    return pages[number];
}

inline fn bucketOf(frame: u32) *?*Page {
    return &index[(frame *% 0x9e3779b1) >> 18];
}

/// How a page is translated for a CPU of this mode: who is alone matters only where there are atomics.
pub fn modeFor(frame: u32, mode: Mode) Mode {
    if (!mode.alone or mem.frames.hasAtomics(frame)) return mode;
    return .{ .fpcr = mode.fpcr, .flat = mode.flat, .alone = false };
}

/// `mode`: what `modeFor` says.
pub fn find(frame: u32, va: u64, mode: Mode) ?*Page {
    var it = @atomicLoad(?*Page, bucketOf(frame), .acquire);
    while (it) |p| : (it = @atomicLoad(?*Page, &p.chain, .acquire)) {
        if (p.frame == frame and p.va == va and p.mode == mode) return p;
    }
    return null;
}

fn takePage() ?*Page {
    if (free_pages) |p| {
        free_pages = p.chain;
        return p;
    }
    const raw = std.c.malloc(@sizeOf(Page)) orelse return null;
    return @ptrCast(@alignCast(raw));
}

/// For a block or a loop.
pub fn hasRoom() bool {
    return trap.hasRoom() and used + block_bytes <= half_bytes and used_cold + block_bytes <= cold_half + half_bytes;
}

/// The page, made if need be, with room for a block in the arena. May flush. Null when the host has no memory, or it has to
/// wait (`full`).
pub fn getPage(frame: u32, va: u64, wanted: Mode) ?*Page {
    if ((countsAsFull() or !hasRoom()) and !tryFlush()) return null;
    commit(&committed, used, cold_half);
    commit(&committed_cold, used_cold, arena_bytes);
    const mode = modeFor(frame, wanted);
    if (find(frame, va, mode)) |p| return p;
    if (page_count == max_pages and !tryFlush()) return null;
    const p = takePage() orelse return null;
    const bucket = bucketOf(frame);
    p.* = .{ .frame = frame, .va = va, .mode = mode, .number = page_count, .chain = bucket.*, .entry = @splat(0) };
    pages[page_count] = p;
    page_count += 1;
    filterBit(va).* |= filterMask(va);
    mem.frames.markCode(frame);
    @atomicStore(?*Page, bucket, p, .release);
    return p;
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

/// The mapping of these pages changed in some space, or (a huge count) any may have.
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
