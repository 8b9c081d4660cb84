//! Address spaces: ARMv8 stage-1 tables of four levels, edited for `src/mm`, which owns the VMAs and decides.
//! A space counts its mapped pages; a table page counts its descriptors (`frames.live`) and is freed when none
//! is left. Every edit that takes a right away pauses the CPUs that run the space (`cpus.zig`), and invalidates the TLBs before
//! the frame can be reused.
//!
//! Only the kernel's thread edits; others walk the tables meanwhile. `fork.zig` copies and destroys whole spaces.

const abi = @import("../abi.zig");
const cpus = @import("cpus.zig");
const desc = @import("descriptor.zig");
const errno = @import("errno.zig");
const frames = @import("frames.zig");
const host = @import("../host/host.zig").memory;
const tlb = @import("tlb.zig");

pub const Table = *[desc.entries]u64;
const page_bits = 12;
const page_size = frames.page_size;
const max_spaces = 1 << 16;

pub const Space = struct {
    /// Frame of the level-0 table; 0 when this handle is free.
    root: u32,
    /// Pages mapped, PROT_NONE included.
    resident: u32,
    /// Tag of this space's entries in the TLBs; 0 when it has none there.
    context: u32,
    /// CPU threads that have a task of this space and were not found to be done with it yet.
    running: u32,
    /// Next free handle.
    next: u32,
    /// What a CPU that walks the tables itself knows this space by (cpu/hvf/asid.zig); 0: nothing yet.
    asid: u64,
    /// For a CPU that maps what it runs a second time (cpu/jit/mirror.zig): instructions executed so far, from how many on that is to be done, and how many
    /// more it takes when it was in vain.
    executed: u64 = 0,
    flat_from: u64 = 0,
    flat_pause: u64 = 0,
    /// Several tasks run in it or access it from outside, or have; some of its memory may be written by others too.
    has_threads: bool = false,
    shares: bool = false,
};

/// Does nobody else see the memory of the space while its task runs? Changes only while that task is in the kernel, or paused.
pub inline fn isAlone(handle: u32) bool {
    const s = get(handle) orelse return false;
    return !s.has_threads and !s.shares;
}

/// Pauses the CPUs of a space from the first `need` on.
pub const Hold = struct {
    held: bool = false,
    /// Somebody needed it, whether CPUs ran or not.
    needed: bool = false,

    pub inline fn need(h: *Hold, s: *const Space) void {
        h.needed = true;
        if (s.running == 0 or h.held) return;
        cpus.pause(handleOf(s));
        h.held = true;
    }

    pub inline fn release(h: *Hold) void {
        if (h.held) cpus.proceed();
    }
};

/// Somebody else is going to see the memory of the space. Its task may be running, alone so far.
pub fn share(s: *Space) void {
    if (s.has_threads) return;
    var hold: Hold = .{};
    defer hold.release();
    hold.need(s);
    s.has_threads = true;
}

var spaces: [*]Space = undefined;
/// Handles ever used (handle 0 is never a space), free ones among them, and live spaces.
var handles: u32 = 0;
var free_handle: u32 = 0;
pub var count_live: u32 = 0;

/// The space of a handle, or null.
pub inline fn get(handle: u32) ?*Space {
    if (handle == 0 or handle >= handles) return null;
    const s = &spaces[handle];
    return if (s.root == 0) null else s;
}

pub inline fn handleOf(s: *const Space) u32 {
    return @intCast((@intFromPtr(s) - @intFromPtr(spaces)) / @sizeOf(Space));
}

/// A new handle whose tables are rooted in `root`; null when all handles are taken.
pub fn adopt(root: u32) ?u32 {
    if (handles == 0) {
        const bytes = host.reserve(max_spaces * @sizeOf(Space), .books) orelse return null;
        spaces = @ptrCast(bytes);
        handles = 1;
    }
    var handle = free_handle;
    if (handle != 0) {
        free_handle = spaces[handle].next;
    } else {
        if (handles == max_spaces) return null;
        handle = handles;
        handles += 1;
    }
    spaces[handle] = .{ .root = root, .resident = 0, .context = 0, .running = 0, .next = 0, .asid = 0 };
    count_live += 1;
    return handle;
}

/// Frees a handle; its tables must be gone.
pub fn abandon(handle: u32) void {
    spaces[handle].root = 0;
    spaces[handle].next = free_handle;
    free_handle = handle;
    count_live -= 1;
}

/// No space has TLB entries any more.
pub fn dropContexts() void {
    for (0..handles) |handle| spaces[handle].context = 0;
}

/// All spaces at once become free handles; the frames are reset by the caller.
pub fn reset() void {
    if (handles != 0) host.release(@ptrCast(@alignCast(spaces)), max_spaces * @sizeOf(Space));
    handles = 0;
    free_handle = 0;
    count_live = 0;
}

/// An empty space, or -ENOMEM, or -EAGAIN when there are too many.
pub fn create() i32 {
    const root = newTable() orelse return errno.no_memory;
    const handle = adopt(root) orelse {
        freeTable(root);
        return errno.again;
    };
    return @intCast(handle);
}

// Tables.

pub inline fn tableOf(frame: u32) Table {
    return @ptrCast(frames.ptr(frame));
}

inline fn follow(d: u64) Table {
    return @ptrCast(@alignCast(frames.base + (d & desc.address)));
}

pub fn newTable() ?u32 {
    const frame = frames.alloc(true) orelse return null;
    frames.info[frame].live = 0;
    frames.tables += 1;
    return frame;
}

pub fn freeTable(frame: u32) void {
    frames.tables -= 1;
    frames.unref(frame);
}

inline fn slotIndex(va: u64, level: u2) u9 {
    const shift: u6 = page_bits + 9 * (3 - @as(u6, level));
    return @truncate(va >> shift);
}

/// Bytes that one descriptor of a level maps.
inline fn span(level: u2) u64 {
    return @as(u64, 1) << (page_bits + 9 * (3 - @as(u6, level)));
}

/// The page descriptor of `va` (below 2^48), 0 when nothing is mapped.
pub inline fn walk(s: *const Space, va: u64) u64 {
    var table = tableOf(s.root);
    inline for (0..3) |level| {
        const d = @atomicLoad(u64, &table[slotIndex(va, level)], .acquire);
        if (d == 0) return 0;
        table = follow(d);
    }
    return @atomicLoad(u64, &table[slotIndex(va, 3)], .acquire);
}

/// Enters a descriptor that others may find at once.
pub inline fn publish(slot: *u64, d: u64) void {
    @atomicStore(u64, slot, d, .release);
}

/// The level-3 table for `va`; made when missing (null: out of memory).
fn makeLeaf(s: *Space, va: u64) ?Table {
    var table = tableOf(s.root);
    inline for (0..3) |level| {
        const slot = &table[slotIndex(va, level)];
        if (slot.* == 0) {
            const frame = newTable() orelse {
                prune(s, va);
                return null;
            };
            publish(slot, desc.table(frame));
            frames.info[frames.ofPtr(table)].live += 1;
        }
        table = follow(slot.*);
    }
    return table;
}

/// Frees the tables on the way to `va` that have become empty, the root excepted.
fn prune(s: *Space, va: u64) void {
    var hold: Hold = .{};
    defer hold.release();
    hold.need(s);
    var path: [4]Table = undefined;
    path[0] = tableOf(s.root);
    var depth: u3 = 0;
    while (depth < 3) : (depth += 1) {
        const d = path[depth][slotIndex(va, @truncate(depth))];
        if (d == 0) break;
        path[depth + 1] = follow(d);
    }
    while (depth > 0) : (depth -= 1) {
        const frame = frames.ofPtr(path[depth]);
        if (frames.info[frame].live != 0) return;
        path[depth - 1][slotIndex(va, @truncate(depth - 1))] = 0;
        tlb.tableGone(s, va);
        frames.info[frames.ofPtr(path[depth - 1])].live -= 1;
        freeTable(frame);
    }
}

/// The part of a range that lies in one level-3 table.
pub const Chunk = struct {
    va: u64,
    table: Table,
    slots: []u64,
};

/// Walks a range table by table, skipping what has no table.
pub const Chunks = struct {
    space: *const Space,
    va: u64,
    end: u64,

    pub fn next(it: *Chunks) ?Chunk {
        outer: while (it.va < it.end) {
            var table = tableOf(it.space.root);
            inline for (0..3) |level| {
                const d = table[slotIndex(it.va, level)];
                if (d == 0) {
                    it.va = (it.va & ~(span(level) - 1)) + span(level);
                    continue :outer;
                }
                table = follow(d);
            }
            const va = it.va;
            it.va = @min(it.end, (va & ~(span(2) - 1)) + span(2));
            const first = slotIndex(va, 3);
            return .{ .va = va, .table = table, .slots = table[first..][0 .. (it.va - va) / page_size] };
        }
        return null;
    }
};

/// A range of whole pages below 2^48, or null.
pub fn rangeOf(s: *const Space, addr: u64, count: u32) ?Chunks {
    const end = addr +| @as(u64, count) * page_size;
    if (addr % page_size != 0 or end > 1 << desc.va_bits) return null;
    return .{ .space = s, .va = addr, .end = end };
}

// Edits.

/// Maps `count` consecutive frames, adding a reference to each, in place of what was there. 0, -EINVAL, or
/// -ENOMEM (then only the first pages are mapped).
pub fn map(s: *Space, addr: u64, frame: u32, count: u32, prot: u32) i32 {
    const range = rangeOf(s, addr, count) orelse return errno.invalid;
    if (!frames.exist(frame, count)) return errno.invalid;
    noteSharing(s, prot);
    var hold: Hold = .{};
    defer hold.release();
    var va = range.va;
    var next = frame;
    while (va < range.end) {
        const table = makeLeaf(s, va) orelse return errno.no_memory;
        const stop = @min(range.end, (va & ~(span(2) - 1)) + span(2));
        while (va < stop) : (va += page_size) {
            frames.ref(next);
            put(s, &hold, table, va, leaf(next, prot, frames.info[next].refs == 1));
            next += 1;
        }
    }
    return 0;
}

/// Pages with these PROT_* are about to be mapped.
fn noteSharing(s: *Space, prot: u32) void {
    const both = abi.prot_shared | abi.prot_write;
    if (prot & both == both) s.shares = true;
}

/// The descriptor for a page of `frame`.
inline fn leaf(frame: u32, prot: u32, sole: bool) u64 {
    if (prot & abi.prot_exec != 0) frames.noteExecutable(frame);
    return desc.leaf(frame, prot, sole);
}

/// Sets one page's descriptor; drops the page that was there.
fn put(s: *Space, hold: *Hold, table: Table, va: u64, d: u64) void {
    const slot = &table[slotIndex(va, 3)];
    const old = slot.*;
    const widens = old == 0 or desc.widens(old, d);
    if (!widens) hold.need(s);
    publish(slot, d);
    if (old == 0) {
        s.resident += 1;
        frames.info[frames.ofPtr(table)].live += 1;
    } else {
        if (widens) tlb.widened(s, va, 1) else tlb.invalidate(s, va);
        frames.unref(desc.frameOf(old));
    }
}

/// Maps fresh zeroed frames wherever nothing is mapped. Returns how many, -EINVAL, or -ENOMEM (then only
/// some pages are mapped). Frames of a hole are consecutive where RAM allows.
pub fn mapZero(s: *Space, addr: u64, count: u32, prot: u32) i32 {
    const range = rangeOf(s, addr, count) orelse return errno.invalid;
    noteSharing(s, prot);
    const before = s.resident;
    var va = range.va;
    while (va < range.end) {
        const table = makeLeaf(s, va) orelse return errno.no_memory;
        const stop = @min(range.end, (va & ~(span(2) - 1)) + span(2));
        const first = slotIndex(va, 3);
        if (!fillHoles(s, table, table[first..][0 .. (stop - va) / page_size], prot)) {
            prune(s, va);
            return errno.no_memory;
        }
        va = stop;
    }
    return @intCast(s.resident - before);
}

/// A hole of at least this many pages is worth a search for consecutive frames; a smaller one had better get
/// frames that were freed lately and lie in the caches.
const run_pages = 64;

fn fillHoles(s: *Space, table: Table, slots: []u64, prot: u32) bool {
    var at: usize = 0;
    while (at < slots.len) {
        if (slots[at] != 0) {
            at += 1;
            continue;
        }
        var len: u32 = 1;
        while (at + len < slots.len and slots[at + len] == 0) len += 1;
        const hole = slots[at..][0..len];
        const want_run = len >= run_pages or frames.cachedFrames() < len;
        if (!(want_run and fillRun(s, table, hole, prot)) and !fillSingly(s, table, hole, prot)) return false;
        at += len;
    }
    return true;
}

/// From the last page to the first: frames freed in order come back in reverse order, so they often end up consecutive.
fn fillSingly(s: *Space, table: Table, slots: []u64, prot: u32) bool {
    var left = slots.len;
    while (left > 0) : (left -= 1) {
        const frame = frames.alloc(true) orelse return false;
        publish(&slots[left - 1], leaf(frame, prot, true));
        s.resident += 1;
        frames.info[frames.ofPtr(table)].live += 1;
    }
    return true;
}

fn fillRun(s: *Space, table: Table, slots: []u64, prot: u32) bool {
    const count: u32 = @intCast(slots.len);
    const first = frames.allocRunCheaply(count, true) orelse return false;
    for (slots, first..) |*slot, frame| publish(slot, leaf(@intCast(frame), prot, true));
    s.resident += count;
    frames.info[frames.ofPtr(table)].live += @intCast(count);
    return true;
}

/// Sets the protection of the pages that are present. Whether a page is shared does not change. A private
/// page whose frame somebody else holds stays read-only (`space_cow`). 0 or -EINVAL.
pub fn protect(s: *Space, addr: u64, count: u32, prot: u32) i32 {
    var range = rangeOf(s, addr, count) orelse return errno.invalid;
    var changed = tlb.Span{};
    var hold: Hold = .{};
    defer hold.release();
    const rights = prot & (abi.prot_read | abi.prot_write | abi.prot_exec);
    while (range.next()) |chunk| {
        for (chunk.slots, 0..) |*slot, i| {
            const old = slot.*;
            if (old == 0) continue;
            const frame = desc.frameOf(old);
            const kept: u32 = if (old & desc.shared != 0) abi.prot_shared else 0;
            noteSharing(s, rights | kept);
            const new = leaf(frame, rights | kept, frames.info[frame].refs == 1);
            if (new == old) continue;
            if (!desc.widens(old, new)) hold.need(s);
            publish(slot, new);
            if (desc.readable(old)) changed.add(chunk.va + i * page_size);
            if (desc.executable(new) and !desc.executable(old)) frames.noteCode(frame);
        }
    }
    if (hold.needed) changed.invalidate(s) else changed.widen(s);
    return 0;
}

/// Drops the pages of a range and frees tables that become empty. 0 or -EINVAL.
pub fn unmap(s: *Space, addr: u64, count: u32) i32 {
    var range = rangeOf(s, addr, count) orelse return errno.invalid;
    var dropped: [desc.entries]u32 = undefined;
    var hold: Hold = .{};
    defer hold.release();
    while (range.next()) |chunk| {
        var lost = tlb.Span{};
        var len: u16 = 0;
        for (chunk.slots, 0..) |*slot, i| {
            if (slot.* == 0) continue;
            hold.need(s);
            lost.add(chunk.va + i * page_size);
            dropped[len] = desc.frameOf(slot.*);
            len += 1;
            slot.* = 0;
        }
        if (len == 0) continue;
        lost.invalidate(s);
        for (dropped[0..len]) |frame| frames.unref(frame);
        s.resident -= len;
        const table = frames.ofPtr(chunk.table);
        frames.info[table].live -= len;
        if (frames.info[table].live == 0) prune(s, chunk.va);
    }
    return 0;
}

/// Moves the pages of a range elsewhere, protections included, in place of what is there; the ranges may not
/// overlap (mremap). 0, -EINVAL, or -ENOMEM (then nothing has moved, but the target is unmapped).
pub fn move(s: *Space, from: u64, to: u64, count: u32) i32 {
    var range = rangeOf(s, from, count) orelse return errno.invalid;
    const target = rangeOf(s, to, count) orelse return errno.invalid;
    if (range.va < target.end and target.va < range.end) return errno.invalid;
    _ = unmap(s, to, count);
    if (!makeTarget(s, from, to, count)) return errno.no_memory;
    var lost = tlb.Span{};
    var hold: Hold = .{};
    defer hold.release();
    hold.need(s);
    while (range.next()) |chunk| {
        var len: u16 = 0;
        for (chunk.slots, 0..) |*slot, i| {
            const d = slot.*;
            if (d == 0) continue;
            slot.* = 0;
            len += 1;
            const va = chunk.va + i * page_size;
            lost.add(va);
            const table = makeLeaf(s, va - from + to) orelse unreachable;
            table[slotIndex(va - from + to, 3)] = d;
            frames.info[frames.ofPtr(table)].live += 1;
        }
        const table = frames.ofPtr(chunk.table);
        frames.info[table].live -= len;
        if (frames.info[table].live == 0) prune(s, chunk.va);
    }
    lost.invalidate(s);
    return 0;
}

/// Makes every table that the target of a move needs; on failure frees those that stay empty.
fn makeTarget(s: *Space, from: u64, to: u64, count: u32) bool {
    var range = rangeOf(s, from, count) orelse unreachable;
    while (range.next()) |chunk| {
        for (chunk.slots, 0..) |d, i| {
            if (d == 0) continue;
            const va = chunk.va + i * page_size - from + to;
            if (makeLeaf(s, va) != null) continue;
            var made = rangeOf(s, to, count) orelse unreachable;
            while (made.next()) |empty| prune(s, empty.va);
            return false;
        }
    }
    return true;
}

/// A write fault on a present page: a shared page gets `prot`; a private one too when nobody else holds its
/// frame, else it becomes a copy in a fresh frame. 0, -EFAULT when nothing is mapped, -ENOMEM.
pub fn cow(s: *Space, addr: u64, prot: u32) i32 {
    const va = addr & ~@as(u64, page_size - 1);
    var range = rangeOf(s, va, 1) orelse return errno.fault;
    const chunk = range.next() orelse return errno.fault;
    const old = chunk.slots[0];
    if (old == 0) return errno.fault;
    const rights = prot & (abi.prot_read | abi.prot_write | abi.prot_exec);
    const frame = desc.frameOf(old);
    var hold: Hold = .{};
    defer hold.release();
    if (old & desc.shared != 0 or frames.info[frame].refs == 1) {
        const kept: u32 = if (old & desc.shared != 0) abi.prot_shared else 0;
        noteSharing(s, rights | kept);
        const new = leaf(frame, rights | kept, true);
        // Another thread's fault was first.
        if (new == old) return 0;
        const widens = desc.widens(old, new);
        if (!widens) hold.need(s);
        publish(&chunk.slots[0], new);
        if (widens) tlb.widened(s, va, 1) else tlb.invalidate(s, va);
        return 0;
    }
    const copy = frames.alloc(false) orelse return errno.no_memory;
    @memcpy(frames.ptr(copy), frames.ptr(frame));
    hold.need(s);
    publish(&chunk.slots[0], leaf(copy, rights, true));
    tlb.invalidate(s, va);
    frames.unref(frame);
    return 0;
}

/// An instruction fetch was refused: whether that was the page's turn to be writable, which has ended now.
pub fn makeExecutable(s: *Space, addr: u64) bool {
    const va = addr & ~@as(u64, page_size - 1);
    var range = rangeOf(s, va, 1) orelse return false;
    const chunk = range.next() orelse return false;
    const old = chunk.slots[0];
    if (old & desc.wx == 0 or desc.executable(old)) return false;
    // The code was written meanwhile.
    frames.noteCode(desc.frameOf(old));
    var hold: Hold = .{};
    defer hold.release();
    hold.need(s);
    publish(&chunk.slots[0], desc.turned(old));
    tlb.invalidate(s, va);
    return true;
}

// Questions.

/// PROT_* that hold now | PROT_SHARED | PROT_PRESENT; 0 when nothing is mapped.
pub fn lookup(s: *const Space, addr: u64) u32 {
    if (addr >> desc.va_bits != 0) return 0;
    return desc.protOf(walk(s, addr));
}

/// The frame mapped at `addr`, or -1.
pub fn frameAt(s: *const Space, addr: u64) i32 {
    const d = if (addr >> desc.va_bits == 0) walk(s, addr) else 0;
    return if (d == 0) -1 else @intCast(desc.frameOf(d));
}

/// One byte for each page: 1 when a frame is mapped there. Returns how many, or -EINVAL (mincore(2)).
pub fn resident(s: *const Space, addr: u64, count: u32, out: [*]u8) i32 {
    var range = rangeOf(s, addr, count) orelse return errno.invalid;
    @memset(out[0..count], 0);
    var present: i32 = 0;
    while (range.next()) |chunk| {
        for (chunk.slots, (chunk.va - addr) / page_size..) |d, i| {
            if (d == 0) continue;
            out[i] = if (frames.info[desc.frameOf(d)].refs > 1) 2 else 1;
            present += 1;
        }
    }
    return present;
}

pub const Translation = struct { ptr: [*]u8, frame: u32 };

/// Where `addr` (without a tag) lies, if the page tables allow the access at EL0.
pub fn translate(handle: u32, addr: u64, access: abi.Access) ?Translation {
    const s = get(handle) orelse return null;
    if (addr >> desc.va_bits != 0) return null;
    const d = walk(s, addr);
    if (!desc.allows(d, access)) return null;
    const frame = desc.frameOf(d);
    return .{ .ptr = @as([*]u8, frames.ptr(frame)) + (addr & (page_size - 1)), .frame = frame };
}
