//! The software TLB: what a software CPU asks for every load and store. Direct-mapped, one per virtual CPU,
//! bound to one address space at a time.
//!
//! A tag is the page's number as the program wrote it, top byte included, plus in its upper 12 bits the context of
//! the address space. So the hit path needs no masking of the top byte (a tagged pointer simply misses once and
//! gets an entry of its own), no flush when another space is bound, and a whole space is flushed by giving it a
//! fresh context. The compare uses the address of the access's last byte: an access that leaves the page of
//! its first byte finds another page's slot and misses; one that is merely unaligned hits.
//!
//! Read and write have tags of their own, because a page may be readable only (or waits for its copy).
//! A hit needs nothing but the entry; who takes a right away drops the entry first.
//!
//! A TLB is filled by the thread of its CPU. All else is done by the kernel's thread: it binds a TLB while its CPU runs nothing,
//! and drops entries of spaces that no CPU runs or whose CPUs are paused. What it drops may then belong to another space: a miss.

const std = @import("std");
const abi = @import("../abi.zig");
const cpus = @import("cpus.zig");
const desc = @import("descriptor.zig");
const frames = @import("frames.zig");
const space = @import("space.zig");

const page_size = frames.page_size;
const page_mask: u64 = ~@as(u64, page_size - 1);
/// Bits 63..56 are ignored in data accesses (TCR_EL1.TBI0, as Linux sets it).
const address_mask: u64 = (1 << 56) - 1;
/// Programs use addresses at random distances: with 1024 one run in a few of python, perl and bash lost a tenth of its time to pages that share a slot.
pub const entry_count = 4096;

/// 16 bytes, so that a slot is found by shift and mask alone, and four share a line of the host's cache, of which a big heap's take much.
pub const Entry = extern struct {
    /// 0 never matches, since a context is not 0.
    tag: u64,
    /// Host address minus the address as the program wrote it, modulo 2^64.
    addend: u64,
};

/// A run of pages that one place in a program found last, all of which may be read (or written) and lie in a row in the host's memory
/// too: an address a hits when a - low is less than limit. For translated code: each access in a loop has one of its own, and those off
/// the stack pointer elsewhere share two.
pub const Window = extern struct {
    low: u64,
    /// How many bytes less those of the access, plus 1; 0: closed.
    limit: u64,
    addend: u64,
    /// So many accesses may still miss before it is opened elsewhere.
    patience: i32,
    /// How often it was opened since `since`, a count of instructions.
    opened: u32,
    since: u32,
};
pub const window_count = 2048;
/// The first windows: what accesses off the stack pointer read, and what they write.
pub const stack_read = 0;
pub const stack_write = 1;
pub const stack_windows = 2;
/// Pages that a window has at most on either side of the one that was missed.
pub var window_reach: u64 = 32;
/// What misses does so this often before the window is opened there.
pub const window_patience = 128;

/// Contexts are 1..last_context; `unbound` tags nothing.
const last_context = 0xffe;
const unbound = 0xfff;

fn markOf(context: u32) u64 {
    return @as(u64, context) << 52;
}

/// Where tags have the top byte of the address.
const top_byte: u64 = 0xff << 56 - 12;

pub const Tlb = struct {
    /// What may be read, and what may be written.
    read: [entry_count]Entry align(64),
    write: [entry_count]Entry align(64),
    windows: [window_count]Window,
    /// Those that are open.
    open: [window_count]u16,
    open_count: u32,
    context: u64,
    /// The context where tags have it.
    mark: u64,
    space: u32,
    next: ?*Tlb,

    /// Puts an empty TLB, whose memory is all zeros, on the list of those that are kept coherent. Not to be moved until `deinit`.
    pub fn init(t: *Tlb) void {
        t.setContext(unbound);
        t.space = 0;
        t.next = list;
        list = t;
    }

    pub fn deinit(t: *Tlb) void {
        var link = &list;
        while (link.*) |other| : (link = &other.next) {
            if (other != t) continue;
            link.* = t.next;
            return;
        }
    }

    /// Accesses go to this space from now on (0: to none). Cheap when unchanged, and when changed.
    pub inline fn bind(t: *Tlb, handle: u32) void {
        if (t.space != handle) t.rebind(handle);
    }

    fn rebind(t: *Tlb, handle: u32) void {
        t.closeWindows();
        const s = space.get(handle);
        t.space = if (s != null) handle else 0;
        if (s) |bound| {
            if (bound.context == 0) giveContext(bound);
        }
        t.setContext(if (s) |bound| bound.context else unbound);
    }

    fn setContext(t: *Tlb, context: u32) void {
        t.context = context;
        t.mark = markOf(context);
    }

    inline fn slot(entries: *[entry_count]Entry, addr: u64) *Entry {
        const offset = (addr >> (12 - 4)) & ((entry_count - 1) << 4);
        return @ptrFromInt(@intFromPtr(entries) + offset);
    }

    inline fn tag(t: *const Tlb, comptime T: type, addr: u64) u64 {
        return (addr +% (@sizeOf(T) - 1)) >> 12 | t.mark;
    }

    inline fn hostOf(e: *const Entry, addr: u64) u64 {
        const at = addr +% e.addend;
        // Spares the hit path a test for null.
        std.debug.assert(at != 0);
        return at;
    }

    /// Where to read a T at `addr`; null for a miss, a fault or an access that crosses pages: then `fill`.
    pub inline fn readPtr(t: *Tlb, comptime T: type, addr: u64) ?*align(1) const T {
        const e = slot(&t.read, addr);
        if (e.tag != t.tag(T, addr)) return null;
        return @ptrFromInt(hostOf(e, addr));
    }

    /// Where to write a T at `addr`; null as `readPtr`.
    pub inline fn writePtr(t: *Tlb, comptime T: type, addr: u64) ?*align(1) T {
        const e = slot(&t.write, addr);
        if (e.tag != t.tag(T, addr)) return null;
        return @ptrFromInt(hostOf(e, addr));
    }

    /// Walks the tables and fills the entry of `addr`. Returns the host pointer of that byte (valid to the end of
    /// its page), or null when the access faults. The top byte of `addr` is ignored.
    pub fn fill(t: *Tlb, addr: u64, access: abi.Access) ?[*]u8 {
        const va = addr & address_mask;
        if (va >> desc.va_bits != 0) return null;
        const s = space.get(t.space) orelse return null;
        const d = space.walk(s, va);
        if (!desc.allows(d, access)) return null;
        const p: [*]u8 = frames.ptr(desc.frameOf(d));
        const entry: Entry = .{ .tag = addr >> 12 | t.mark, .addend = @intFromPtr(p) -% (addr & page_mask) };
        if (desc.readable(d)) slot(&t.read, addr).* = entry;
        if (desc.writable(d)) slot(&t.write, addr).* = entry;
        return p + (addr & (page_size - 1));
    }

    /// Opens a window around the page of `addr`, which `fill` has just found at `p`, for accesses of `bytes`.
    pub fn openWindow(t: *Tlb, number: u16, addr: u64, p: [*]u8, bytes: u32, access: abi.Access) void {
        const s = space.get(t.space) orelse return;
        const w = &t.windows[number];
        const page = addr & page_mask;
        const host = p - (addr & (page_size - 1));
        var before: u64 = 0;
        while (before < window_reach and inRow(s, page, host, -%(before + 1), access)) before += 1;
        var behind: u64 = 0;
        while (behind < window_reach and inRow(s, page, host, behind + 1, access)) behind += 1;
        w.patience = window_patience;
        const length = (before + behind + 1) * page_size;
        if (length < bytes) return;
        if (w.limit == 0) {
            t.open[t.open_count] = number;
            t.open_count += 1;
        }
        w.addend = @intFromPtr(host) -% page;
        w.low = page -% before * page_size;
        w.limit = length - bytes + 1;
    }

    /// Is the page `distance` pages behind `page`, which is at `host`, as far behind there and accessible?
    fn inRow(s: *space.Space, page: u64, host: [*]u8, distance: u64, access: abi.Access) bool {
        const addr = page +% distance *% page_size;
        const va = addr & address_mask;
        if ((addr ^ page) & ~address_mask != 0 or va >> desc.va_bits != 0) return false;
        const d = space.walk(s, va);
        return desc.allows(d, access) and @intFromPtr(frames.ptr(desc.frameOf(d))) == @intFromPtr(host) +% distance *% page_size;
    }

    fn empty(t: *Tlb) void {
        @memset(std.mem.asBytes(&t.read), 0);
        @memset(std.mem.asBytes(&t.write), 0);
    }

    /// Whoever takes a right away does this too, while the CPU is paused or runs nothing.
    fn closeWindows(t: *Tlb) void {
        for (t.open[0..t.open_count]) |number| {
            t.windows[number].limit = 0;
            t.windows[number].patience = 0;
        }
        t.open_count = 0;
    }

    /// The next write of the page goes through `fill`.
    pub fn refuseWrites(t: *Tlb, addr: u64) void {
        slot(&t.write, addr).tag = 0;
    }

    /// The next write of any page does.
    pub fn refuseAllWrites(t: *Tlb) void {
        @memset(std.mem.asBytes(&t.write), 0);
        t.closeWindows();
    }

    /// The next access of the page goes through `fill`.
    pub fn forgetPage(t: *Tlb, addr: u64) void {
        slot(&t.read, addr).tag = 0;
        slot(&t.write, addr).tag = 0;
    }

    /// Drops the entry of a page, whatever the top byte it was used with.
    fn drop(t: *Tlb, va: u64, context: u64) void {
        const key = va >> 12 | markOf(@intCast(context));
        for ([_]*Entry{ slot(&t.read, va), slot(&t.write, va) }) |e| {
            if (e.tag & ~top_byte == key) e.tag = 0;
        }
    }
};

/// Told of pages that lost their mapping in a space that keeps its context, and, with an endless range, that
/// contexts are about to be used again. For caches of instruction addresses.
pub var dropped: ?*const fn (va: u64, count: u64) void = null;

/// Told of every page of a space that loses a right, moves, or loses a table on the way to it (the count is endless for a whole
/// space): for a CPU that walks the tables itself. On return no such CPU uses what was there.
pub var hardware: ?*const fn (s: *space.Space, va: u64, count: u64) void = null;

/// Told of pages of a space that lose a right, move or vanish (the count is endless for a whole space), while no CPU that runs the space is inside:
/// for who has mapped them elsewhere too. On return they are not.
pub var mirrored: ?*const fn (handle: u32, va: u64, count: u64) void = null;

/// Every TLB in use.
var list: ?*Tlb = null;
var next_context: u32 = 1;

/// A range that grew page by page.
pub const Span = struct {
    first: u64 = std.math.maxInt(u64),
    last: u64 = 0,

    pub inline fn add(r: *Span, va: u64) void {
        r.first = @min(r.first, va);
        r.last = @max(r.last, va);
    }

    pub fn invalidate(r: Span, s: *space.Space) void {
        if (r.first <= r.last) dropPages(s, r.first, r.count());
    }

    pub fn widen(r: Span, s: *space.Space) void {
        if (r.first <= r.last) widened(s, r.first, r.count());
    }

    fn count(r: Span) u64 {
        return (r.last - r.first) / page_size + 1;
    }
};

/// More pages than this are flushed with their whole space.
const precise_pages = 128;

/// The entry of one page is gone from every TLB on return.
pub fn invalidate(s: *space.Space, va: u64) void {
    dropPages(s, va, 1);
}

/// Pages have all the rights that they had, and more: what was found under the old ones holds, and what misses walks. So CPUs
/// may be running the space, and nothing of theirs is touched.
pub fn widened(s: *space.Space, va: u64, count: u64) void {
    if (hardware) |call| call(s, va, count);
}

/// A table on the way to `va` was taken out. Software TLBs do not know tables.
pub fn tableGone(s: *space.Space, va: u64) void {
    if (hardware) |call| call(s, va, 1);
}

fn dropPages(s: *space.Space, va: u64, count: u64) void {
    if (hardware) |call| call(s, va, count);
    if (mirrored) |call| call(space.handleOf(s), va, count);
    if (s.context == 0) return;
    if (count > precise_pages) return flush(s);
    if (dropped) |call| call(va, count);
    const handle = space.handleOf(s);
    var it = list;
    while (it) |t| : (it = t.next) {
        // Those of other spaces are not concerned, and their CPUs, which open windows, may be running.
        if (t.space == handle) t.closeWindows();
        for (0..count) |i| t.drop(va + i * page_size, s.context);
    }
}

/// All entries of a space become unreachable: it gets another context.
fn flush(s: *space.Space) void {
    const handle = space.handleOf(s);
    s.context = 0;
    var it = list;
    while (it) |t| : (it = t.next) {
        if (t.space != handle) continue;
        t.closeWindows();
        if (s.context == 0) giveContext(s);
        t.setContext(s.context);
    }
}

/// A space that is about to be destroyed: unbinds it. Its context is not used again before all TLBs are emptied.
pub fn forget(s: *space.Space) void {
    if (hardware) |call| call(s, 0, std.math.maxInt(u64));
    const handle = space.handleOf(s);
    if (mirrored) |call| call(handle, 0, std.math.maxInt(u64));
    s.context = 0;
    var it = list;
    while (it) |t| : (it = t.next) {
        if (t.space != handle) continue;
        t.closeWindows();
        t.space = 0;
        t.setContext(unbound);
    }
}

fn giveContext(s: *space.Space) void {
    if (next_context > last_context) recycle();
    s.context = next_context;
    next_context += 1;
}

/// Starts the contexts over: empties every TLB and gives the bound spaces new contexts.
fn recycle() void {
    if (cpus.busy != 0) cpus.pause(cpus.everybody);
    defer if (cpus.busy != 0) cpus.proceed();
    if (dropped) |call| call(0, std.math.maxInt(u64));
    space.dropContexts();
    next_context = 1;
    var it = list;
    while (it) |t| : (it = t.next) {
        t.empty();
        t.closeWindows();
        const s = space.get(t.space) orelse continue;
        if (s.context == 0) {
            s.context = next_context;
            next_context += 1;
        }
        t.setContext(s.context);
    }
}

/// The windows get other owners.
pub fn closeAllWindows() void {
    var it = list;
    while (it) |t| : (it = t.next) t.closeWindows();
}

/// No space is left: unbinds and empties every TLB. They stay on the list.
pub fn reset() void {
    if (dropped) |call| call(0, std.math.maxInt(u64));
    if (mirrored) |call| call(0, 0, std.math.maxInt(u64));
    next_context = 1;
    var it = list;
    while (it) |t| : (it = t.next) {
        t.empty();
        t.closeWindows();
        t.setContext(unbound);
        t.space = 0;
    }
}
