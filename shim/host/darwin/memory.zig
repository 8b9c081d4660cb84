//! Host memory and vectored file I/O on Darwin (mmap(2), madvise(2), preadv(2)). Pages of the host have 16 KiB, frames 4.

const std = @import("std");
const call = @import("call.zig");
const files = @import("files.zig");
const unsent = @import("unsent.zig");
const Iovec = @import("../../abi.zig").Iovec;
const c = call.c;
const sys = call.sys;

/// The most pieces that one vectored call takes (IOV_MAX).
pub const iov_max = c.IOV_MAX;

pub const page_bytes = 16384;
/// The kernel keeps one object for each mapping, whose books grow with its size.
const piece_bytes = 4 << 30;

pub const Kind = enum {
    /// Guest memory: shared, so that a hypervisor and this process always see the same pages, and never mapped anew at
    /// the same place, which a hypervisor would not notice.
    guest,
    /// Bookkeeping of the shim's own, mostly never touched.
    books,
};

comptime {
    std.debug.assert(@sizeOf(Iovec) == @sizeOf(c.struct_iovec) and @offsetOf(Iovec, "len") == @offsetOf(c.struct_iovec, "iov_len"));
}

fn failed(at: usize) bool {
    return at == std.math.maxInt(usize);
}

/// Takes `size_bytes` of address space, readable and writable, committed page by page as it is touched.
/// Contents are zero. Null when the host refuses.
pub fn reserve(size_bytes: usize, kind: Kind) ?[*]align(4096) u8 {
    const access = c.PROT_READ | c.PROT_WRITE;
    const private = c.MAP_PRIVATE | c.MAP_ANON | c.MAP_NORESERVE;
    const at = sys("mmap")(null, size_bytes, if (kind == .guest) c.PROT_NONE else access, private, -1, 0);
    if (failed(at)) return null;
    const ptr: [*]align(4096) u8 = @ptrFromInt(at);
    if (kind == .books) return ptr;
    var done: usize = 0;
    while (done < size_bytes) {
        const piece = @min(piece_bytes, size_bytes - done);
        const got = sys("mmap")(ptr + done, piece, access, c.MAP_SHARED | c.MAP_ANON | c.MAP_NORESERVE | c.MAP_FIXED, -1, 0);
        if (failed(got)) {
            release(ptr, size_bytes);
            return null;
        }
        done += piece;
    }
    return ptr;
}

// Guest memory is not mapped a second time: the engine of this host has page tables of its own.

pub fn mirrors() bool {
    return false;
}

pub fn onFault(_: *const fn (pc: usize, addr: usize) ?usize) bool {
    return false;
}

pub fn reserveEmpty(_: usize) ?[*]align(4096) u8 {
    return null;
}

pub fn open(_: [*]align(4096) u8, _: usize) bool {
    return false;
}

pub fn mirror(_: [*]align(4096) u8, _: [*]align(4096) u8, _: usize, _: bool) bool {
    return false;
}

pub fn empty(_: [*]align(4096) u8, _: usize) bool {
    return false;
}

/// Ends a reservation.
pub fn release(ptr: [*]align(4096) u8, size_bytes: usize) void {
    _ = sys("munmap")(ptr, size_bytes);
}

/// The whole pages of the host within a range, or touching it.
fn pages(ptr: [*]u8, size_bytes: usize, comptime which: enum { within, around }) ?[]align(page_bytes) u8 {
    const start = @intFromPtr(ptr);
    const end = start + size_bytes;
    const first = if (which == .within) std.mem.alignForward(usize, start, page_bytes) else std.mem.alignBackward(usize, start, page_bytes);
    const last = if (which == .within) std.mem.alignBackward(usize, end, page_bytes) else std.mem.alignForward(usize, end, page_bytes);
    if (last <= first) return null;
    return @as([*]align(page_bytes) u8, @ptrFromInt(first))[0 .. last - first];
}

/// Some memory was given back, so that `commit` must take pages into account again.
var gave_back = false;

/// Tells the host that a range is used again. Only for its books: what is touched is there.
pub fn commit(ptr: [*]align(4096) u8, size_bytes: usize) void {
    if (!gave_back) return;
    const whole = pages(ptr, size_bytes, .around) orelse return;
    _ = sys("madvise")(whole.ptr, whole.len, c.MADV_FREE_REUSE);
}

/// Gives the memory of a `guest` range back to the host; it reads as zero afterwards. False when the host
/// kept it, and its contents. What is reusable keeps its bytes until the host takes it, so they are zeroed first.
pub fn giveBack(ptr: [*]align(4096) u8, size_bytes: usize) bool {
    const whole = pages(ptr, size_bytes, .within) orelse return false;
    const before = @intFromPtr(whole.ptr) - @intFromPtr(ptr);
    @memset(ptr[0..before], 0);
    @memset(ptr[before + whole.len .. size_bytes], 0);
    if (sys("madvise")(whole.ptr, whole.len, c.MADV_ZERO) != 0) @memset(whole, 0);
    _ = sys("madvise")(whole.ptr, whole.len, c.MADV_FREE_REUSABLE);
    gave_back = true;
    return true;
}

/// All of a regular file, read when it is looked at. Nobody may make it shorter meanwhile.
pub fn mapFile(fd: i32) ?[]const u8 {
    var st: c.struct_stat = undefined;
    if (sys("fstat")(fd, &st) != 0 or st.st_size <= 0) return null;
    const size: usize = @intCast(st.st_size);
    const at = sys("mmap")(null, size, c.PROT_READ, c.MAP_SHARED, fd, 0);
    if (failed(at)) return null;
    return @as([*]const u8, @ptrFromInt(at))[0..size];
}

/// preadv2(2); an `offset` of -1 is readv(2) at the file's own position. `flags` are RWF_*.
pub fn readv(fd: i32, iov: [*]const Iovec, count: usize, offset: i64, flags: u32) isize {
    if (flags & ~@as(u32, RWF.HIPRI) != 0) return -call.E.OPNOTSUPP;
    const one = only(iov, count);
    const n = if (count > 1)
        (if (offset < 0) sys("readv")(fd, @ptrCast(iov), @intCast(count)) else sys("preadv")(fd, @ptrCast(iov), @intCast(count), offset))
    else
        (if (offset < 0) sys("read")(fd, one.ptr, one.len) else sys("pread")(fd, one.ptr, one.len, offset));
    return if (n < 0) call.failure() else n;
}

/// pwritev2(2); an `offset` of -1 is writev(2) at the file's own position. `flags` are RWF_*.
pub fn writev(fd: i32, iov: [*]const Iovec, count: usize, offset: i64, flags: u32) isize {
    const durable = RWF.DSYNC | RWF.SYNC;
    if (flags & ~@as(u32, RWF.HIPRI | durable) != 0) return -call.E.OPNOTSUPP;
    const one = only(iov, count);
    const n = if (count > 1)
        (if (offset < 0) sys("writev")(fd, @ptrCast(iov), @intCast(count)) else sys("pwritev")(fd, @ptrCast(iov), @intCast(count), offset))
    else
        (if (offset < 0) sys("write")(fd, one.ptr, one.len) else sys("pwrite")(fd, one.ptr, one.len, offset));
    if (n < 0) return unsent.reason(fd, call.failure());
    if (flags & durable == 0) return n;
    const synced = files.sync(fd, false);
    // A pipe has nothing that could last.
    return if (synced < 0 and synced != -call.E.INVAL) synced else n;
}

/// The only piece. Darwin refuses an empty list, and more than INT_MAX at once, where Linux moves nothing and less.
fn only(iov: [*]const Iovec, count: usize) []u8 {
    if (count == 0) return &.{};
    return @as([*]u8, @ptrFromInt(iov[0].base))[0..@min(iov[0].len, 0x7ffff000)];
}

const RWF = struct {
    const HIPRI = 1;
    const DSYNC = 2;
    const SYNC = 4;
};
