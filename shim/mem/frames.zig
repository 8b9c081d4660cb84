//! Guest-physical RAM: one reservation of address space, handed out in slabs, split into 4 KiB frames with
//! reference counts. A frame's number is its address in the guest's physical space divided by 4096, and its
//! place in the reservation. Frame 0 is never handed out.
//!
//! A free frame is in one of two places: in the magazine (a small stack of frames freed lately, which serves
//! single frames), or in its slab's bits of `free_map`. `touched_map` has a bit for each frame handed out since
//! the host last gave its memory: a frame with the bit clear reads as zero. Memory is asked of the host in chunks of 64
//! frames (a fault for each costs up to 12 us on virtual hosts, a frame in a chunk a tenth of that), and given
//! back when free touched frames exceed `keep_bytes`.
//!
//! Only the kernel's thread calls what changes state here.

const std = @import("std");
const abi = @import("../abi.zig");
const host = @import("../host/host.zig").memory;

pub const page_size = abi.page_size;
const default_slab_bytes = 32 << 20;
const default_limit_bytes = 256 << 30;
const smallest_limit_bytes = 1 << 30;
/// Free frames that stay committed, so that fork and exit need nothing from the host.
const keep_bytes = 64 << 20;
const magazine_size = 1024;

pub const Info = struct {
    /// References; 0 is free.
    refs: u32,
    /// For a page table: how many of its descriptors are not zero.
    live: u16,
    /// The CPU has decoded instructions from this frame (it sets this; the mem room clears it and tells).
    has_code: bool,
    /// Were there atomics or barriers among its words (or what looks like them) when `hasAtomics` looked? It need not be so any more.
    atomics: enum(u8) { unknown, none, some },
};

/// Called when a frame whose `has_code` is set is freed, written by the kernel or made executable again.
/// The flag is cleared before the call.
pub var codeChanged: ?*const fn (frame: u32) void = null;

/// Called when a frame without `has_code` is mapped executable: for a CPU that does not decode in software.
pub var madeExecutable: ?*const fn (frame: u32) void = null;
/// Called with frames that are handed out from now on, before their first use; false: they cannot be.
pub var slabsOpened: ?*const fn (first: u32, count: u32) bool = null;

/// One slab's books. Its frames are consecutive, so are their physical addresses.
const Slab = struct {
    /// Frames set in `free_map`.
    free: u32,
    /// Of those, touched.
    free_touched: u32,
    /// No free run of this many frames or more is here.
    run_limit: u32,
    /// Words of `free_map` below this one (counted within the slab) are empty.
    first_word: u32,
};

/// Host pointer of frame 0; host pointer and physical address differ by this.
pub var base: [*]align(page_size) u8 = undefined;
pub var info: [*]Info = undefined;

var free_map: [*]u64 = undefined;
var touched_map: [*]u64 = undefined;
/// For each 64 frames: whether the host was asked to commit them.
var committed: [*]bool = undefined;
var slabs: [*]Slab = undefined;
/// Frames of the reservation, of a slab, and slabs handed out so far. 0 frames: not initialised.
pub var frame_limit: u32 = 0;
/// Frames that may be handed out: fewer than the reservation has where the CPU's physical addresses are short.
pub var usable_frames: u32 = 0;
var slab_frames: u32 = 0;
var slabs_open: u32 = 0;
/// Lower slabs have no frame in `free_map`; lower slabs have no touched one there.
var free_hint: u32 = 0;
var touched_hint: u32 = 0;

var magazine: [magazine_size]u32 = undefined;
var magazine_len: u32 = 0;

pub var used: u32 = 0;
pub var tables: u32 = 0;
/// Free frames that the host has committed, the magazine included.
var free_touched: u32 = 0;
pub var given_back: u64 = 0;

/// Reserves the address space. Zero asks for the defaults; a smaller reservation is made when the host
/// refuses. False when even the smallest is refused. Does nothing when already initialised.
pub fn init(slab_bytes: usize, limit_bytes: usize) bool {
    if (frame_limit != 0) return true;
    const slab = if (slab_bytes == 0) default_slab_bytes else std.mem.alignForward(usize, slab_bytes, 64 * page_size);
    var limit = if (limit_bytes == 0) default_limit_bytes else limit_bytes;
    limit = @min(std.mem.alignForward(usize, limit, slab), @as(usize, 1) << 42);
    while (true) {
        if (reserveAll(slab, limit)) return true;
        if (limit / 2 < @max(slab, smallest_limit_bytes)) return false;
        limit = std.mem.alignBackward(usize, limit / 2, slab);
    }
}

fn reserveAll(slab_bytes: usize, limit_bytes: usize) bool {
    const count = limit_bytes / page_size;
    const ram = host.reserve(limit_bytes, .guest) orelse return false;
    const books = host.reserve(booksBytes(count, limit_bytes / slab_bytes), .books) orelse {
        host.release(ram, limit_bytes);
        return false;
    };
    base = ram;
    frame_limit = @intCast(count);
    usable_frames = frame_limit;
    slab_frames = @intCast(slab_bytes / page_size);
    var at: usize = @intFromPtr(books);
    free_map = carve(u64, &at, count / 64);
    touched_map = carve(u64, &at, count / 64);
    slabs = carve(Slab, &at, limit_bytes / slab_bytes);
    info = carve(Info, &at, count);
    committed = carve(bool, &at, count / 64);
    return true;
}

fn booksBytes(count: usize, slab_count: usize) usize {
    const frame_bytes = count * @sizeOf(Info) + count / 64 * (2 * @sizeOf(u64) + 1);
    return std.mem.alignForward(usize, frame_bytes + slab_count * @sizeOf(Slab), page_size);
}

fn carve(comptime T: type, at: *usize, count: usize) [*]T {
    defer at.* += count * @sizeOf(T);
    return @ptrFromInt(at.*);
}

/// Gives everything back; `init` may be called again. No frame, table or pointer survives.
pub fn reset() void {
    if (frame_limit == 0) return;
    for (1..@max(1, slabs_open * slab_frames)) |frame| noteCode(@intCast(frame));
    host.release(@ptrCast(@alignCast(free_map)), booksBytes(frame_limit, frame_limit / slab_frames));
    host.release(base, @as(usize, frame_limit) * page_size);
    frame_limit = 0;
    slabs_open = 0;
    touched_hint = 0;
    free_hint = 0;
    magazine_len = 0;
    used = 0;
    tables = 0;
    free_touched = 0;
    given_back = 0;
}

/// Frames of all slabs handed out so far, and free frames that are still committed.
pub fn reservedFrames() u32 {
    return slabs_open * slab_frames;
}
pub fn cachedFrames() u32 {
    return free_touched;
}

/// Host pointer of a frame, stable for the frame's life.
pub inline fn ptr(frame: u32) *align(page_size) [page_size]u8 {
    return @ptrCast(@alignCast(base + (@as(usize, frame) << 12)));
}

/// The frame that a host pointer into guest memory belongs to.
pub inline fn ofPtr(p: *const anyopaque) u32 {
    return @truncate((@intFromPtr(p) - @intFromPtr(base)) >> 12);
}

/// Whether `count` frames from `frame` are frames at all (free or not).
pub inline fn exist(frame: u32, count: u32) bool {
    return frame != 0 and frame < frame_limit and count <= frame_limit - frame;
}

/// A frame with one reference, or null when RAM is used up. Without `zero` its contents are undefined.
pub fn alloc(zero: bool) ?u32 {
    if (magazine_len == 0 and free_touched > 0) refill();
    if (magazine_len == 0) return takeRun(1, zero, true);
    magazine_len -= 1;
    const frame = magazine[magazine_len];
    free_touched -= 1;
    used += 1;
    info[frame].refs = 1;
    if (zero) @memset(ptr(frame), 0);
    return frame;
}

/// `count` consecutive frames with one reference each; the first one, or null.
pub fn allocRun(count: u32, zero: bool) ?u32 {
    if (count == 1) return alloc(zero);
    if (count == 0) return null;
    return takeRun(count, zero, true);
}

/// As `allocRun`, but null too when single frames would do and a run would cost new memory.
pub fn allocRunCheaply(count: u32, zero: bool) ?u32 {
    return takeRun(count, zero, free_touched < count);
}

pub inline fn ref(frame: u32) void {
    info[frame].refs += 1;
}

pub inline fn unref(frame: u32) void {
    info[frame].refs -= 1;
    if (info[frame].refs == 0) free(frame);
}

fn free(frame: u32) void {
    noteCode(frame);
    if (magazine_len == magazine_size) spill(magazine_size / 2);
    magazine[magazine_len] = frame;
    magazine_len += 1;
    free_touched += 1;
    used -= 1;
}

/// The frame's contents change or go: drops what the CPU decoded from it.
pub inline fn noteCode(frame: u32) void {
    if (@atomicLoad(bool, &info[frame].has_code, .seq_cst)) dropCode(frame);
}

/// The CPU is going to decode instructions from this frame. It is a full barrier: who has changed the frame before `noteCode` either
/// finds the mark there, or its change is found behind it here.
pub inline fn markCode(frame: u32) void {
    @atomicStore(bool, &info[frame].has_code, true, .seq_cst);
}

/// The frame is about to be mapped executable.
pub inline fn noteExecutable(frame: u32) void {
    if (madeExecutable) |call| if (!info[frame].has_code) call(frame);
}

fn dropCode(frame: u32) void {
    info[frame].atomics = .unknown;
    @atomicStore(bool, &info[frame].has_code, false, .seq_cst);
    if (codeChanged) |call| call(frame);
}

/// Are there instructions in the frame that other CPUs see as a whole, or that order accesses? From any thread; a wrong answer does no harm.
pub fn hasAtomics(frame: u32) bool {
    const known = &info[frame].atomics;
    if (known.* == .unknown) {
        const words: *const [page_size / 4]u32 = @ptrCast(ptr(frame));
        const some = for (words) |w| {
            if (isAtomic(w)) break true;
        } else false;
        known.* = if (some) .some else .none;
    }
    return known.* == .some;
}

/// Load and store exclusive and ordered, compare and swap; the atomics of LSE; store-release of LRCPC2; DMB and DSB (Arm ARM C4.1).
inline fn isAtomic(w: u32) bool {
    return w & 0x3f00_0000 == 0x0800_0000 or w & 0x3f20_0c00 == 0x3820_0000 or w & 0x3f20_0c00 == 0x1900_0000 or w & 0xffff_f09f == 0xd503_309f;
}

/// The same for host memory that may lie in frames.
pub fn noteBytes(p: [*]const u8, len: usize) void {
    const at = @intFromPtr(p) -% @intFromPtr(base);
    if (frame_limit == 0 or len == 0 or at >= @as(usize, frame_limit) * page_size) return;
    for (at / page_size..(at + len - 1) / page_size + 1) |frame| noteCode(@intCast(frame));
}

// Free frames in bitmaps.

inline fn bit(frame: u32) u64 {
    return @as(u64, 1) << @truncate(frame);
}

/// Moves the oldest `count` frames of the magazine to the bitmaps.
fn spill(count: u32) void {
    for (magazine[0..count]) |frame| {
        free_map[frame / 64] |= bit(frame);
        const index = frame / slab_frames;
        const slab = &slabs[index];
        slab.free += 1;
        slab.free_touched += 1;
        slab.run_limit = slab_frames + 1;
        slab.first_word = @min(slab.first_word, frame % slab_frames / 64);
        free_hint = @min(free_hint, index);
        touched_hint = @min(touched_hint, index);
    }
    magazine_len -= count;
    std.mem.copyForwards(u32, magazine[0..magazine_len], magazine[count..][0..magazine_len]);
    if (@as(usize, free_touched) * page_size > keep_bytes) trim(keep_bytes / 2 / page_size);
}

/// Fills half the magazine with free touched frames.
fn refill() void {
    while (touched_hint < slabs_open) : (touched_hint += 1) {
        const slab = &slabs[touched_hint];
        var word = touched_hint * (slab_frames / 64);
        while (slab.free_touched > 0) : (word += 1) {
            var bits = free_map[word] & touched_map[word];
            while (bits != 0) : (bits &= bits - 1) {
                if (magazine_len == magazine_size / 2) return;
                magazine[magazine_len] = word * 64 + @ctz(bits);
                magazine_len += 1;
                free_map[word] &= ~(bits & -%bits);
                slab.free -= 1;
                slab.free_touched -= 1;
            }
        }
    }
}

/// Takes a run out of the bitmaps, lowest slab first, or else out of new slabs if `may_open`.
fn takeRun(count: u32, zero: bool, may_open: bool) ?u32 {
    if (frame_limit == 0) return null;
    const first = findRun(count) orelse (if (may_open) openSlabs(count) else null) orelse return null;
    commit(first, count);
    for (first..first + count) |at| {
        const frame: u32 = @intCast(at);
        const slab = &slabs[frame / slab_frames];
        free_map[frame / 64] &= ~bit(frame);
        slab.free -= 1;
        info[frame].refs = 1;
        if (touched_map[frame / 64] & bit(frame) != 0) {
            slab.free_touched -= 1;
            free_touched -= 1;
            if (zero) @memset(ptr(frame), 0);
        } else {
            touched_map[frame / 64] |= bit(frame);
        }
    }
    used += count;
    return first;
}

/// Asks the host for the memory behind a run, in whole chunks.
fn commit(first: u32, count: u32) void {
    var chunk = first / 64;
    const end = (first + count - 1) / 64 + 1;
    while (chunk < end) : (chunk += 1) {
        const start = chunk;
        while (chunk < end and !committed[chunk]) : (chunk += 1) committed[chunk] = true;
        if (chunk > start) host.commit(ptr(start * 64), @as(usize, chunk - start) * 64 * page_size);
    }
}

fn findRun(count: u32) ?u32 {
    if (count > slab_frames) return findSlabs(count);
    while (free_hint < slabs_open and slabs[free_hint].free == 0) free_hint += 1;
    for (free_hint..slabs_open) |index| {
        const slab = &slabs[index];
        if (slab.free < count or slab.run_limit <= count) continue;
        if (scanSlab(@intCast(index), count)) |first| return first;
        slab.run_limit = count;
    }
    return null;
}

/// First run of `count` free frames within a slab that has a free frame.
fn scanSlab(index: u32, count: u32) ?u32 {
    const start = index * slab_frames;
    const slab = &slabs[index];
    while (free_map[start / 64 + slab.first_word] == 0) slab.first_word += 1;
    var run: u32 = 0;
    var frame = start + slab.first_word * 64;
    while (frame < start + slab_frames) {
        const bits = free_map[frame / 64] >> @truncate(frame);
        const left = 64 - frame % 64;
        if (bits & 1 == 0) {
            run = 0;
            frame += @min(@ctz(bits), left);
            continue;
        }
        const here = @min(@ctz(~bits), left);
        run += here;
        frame += here;
        if (run >= count) return frame - run;
    }
    return null;
}

/// A run longer than a slab: consecutive slabs that are wholly free.
fn findSlabs(count: u32) ?u32 {
    const need = std.math.divCeil(u32, count, slab_frames) catch unreachable;
    var run: u32 = 0;
    for (0..slabs_open) |index| {
        run = if (slabs[index].free == slab_frames) run + 1 else 0;
        if (run == need) return @intCast((index + 1 - need) * slab_frames);
    }
    return null;
}

/// Hands out enough new slabs for `count` consecutive frames; the first frame, or null at the limit.
fn openSlabs(count: u32) ?u32 {
    const skip: u32 = if (slabs_open == 0) 1 else 0;
    const need = std.math.divCeil(u32, count +| skip, slab_frames) catch unreachable;
    if (need > (usable_frames / slab_frames) -| slabs_open) return null;
    const first = slabs_open * slab_frames;
    if (slabsOpened) |call| if (!call(first, need * slab_frames)) return null;
    for (0..need) |_| {
        const word = slabs_open * (slab_frames / 64);
        @memset(free_map[word .. word + slab_frames / 64], ~@as(u64, 0));
        slabs[slabs_open] = .{ .free = slab_frames, .free_touched = 0, .run_limit = slab_frames + 1, .first_word = 0 };
        slabs_open += 1;
    }
    if (skip == 0) return first;
    free_map[0] &= ~@as(u64, 1);
    slabs[0].free -= 1;
    return 1;
}

// Giving memory back.

/// Gives free frames back to the host until at most `target` touched ones are left: highest slabs first, and
/// runs of 2 MiB before shorter ones, which cost the host more and split its large pages.
fn trim(target: u32) void {
    for ([_]u32{ 512, 1 }) |shortest| {
        var index = slabs_open;
        while (index > 0 and free_touched > target) {
            index -= 1;
            if (slabs[index].free_touched > 0) trimSlab(index, shortest, target);
        }
    }
}

fn trimSlab(index: u32, shortest: u32, target: u32) void {
    const start = index * slab_frames;
    if (slabs[index].free == slab_frames) return giveBack(start, slab_frames);
    var frame = start;
    while (frame < start + slab_frames and free_touched > target) {
        const first = frame;
        while (frame < start + slab_frames and free_map[frame / 64] & bit(frame) != 0) frame += 1;
        if (frame == first) {
            frame += 1;
        } else if (frame - first >= shortest and touchedIn(first, frame - first)) {
            giveBack(first, frame - first);
        }
    }
}

fn touchedIn(first: u32, count: u32) bool {
    for (first..first + count) |frame| {
        if (touched_map[frame / 64] & bit(@intCast(frame)) != 0) return true;
    }
    return false;
}

/// Gives free frames of one slab back; on success they are clean again.
fn giveBack(first: u32, count: u32) void {
    if (!host.giveBack(ptr(first), @as(usize, count) * page_size)) return;
    const slab = &slabs[first / slab_frames];
    for (first..first + count) |at| {
        const frame: u32 = @intCast(at);
        committed[frame / 64] = false;
        if (touched_map[frame / 64] & bit(frame) == 0) continue;
        touched_map[frame / 64] &= ~bit(frame);
        slab.free_touched -= 1;
        free_touched -= 1;
        given_back += 1;
    }
}

/// Empties the magazine and gives every free frame back (tests, memory pressure).
pub fn trimAll() void {
    if (magazine_len > 0) spill(magazine_len);
    trim(0);
}
