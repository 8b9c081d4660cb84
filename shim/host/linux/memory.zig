//! Host memory and vectored file I/O on Linux, by raw system calls (mmap(2), memfd_create(2), madvise(2), preadv2(2)).
//! Results are the kernel's own: >= 0, or -errno.

const std = @import("std");
const builtin = @import("builtin");
const linux = std.os.linux;
const Iovec = @import("../../abi.zig").Iovec;

/// The most pieces that one vectored call takes (IOV_MAX).
pub const iov_max = 1024;

pub const Kind = enum {
    /// Guest memory, which profits from large pages.
    guest,
    /// Bookkeeping of the shim's own, mostly never touched.
    books,
};

/// The first part of guest memory has small pages: a small program would wait longer for a large page than for the
/// few small ones that it needs.
const small_pages_bytes = 16 << 20;

/// What guest memory is made of where it may be mapped a second time (`mirror`): a file in memory that begins at `guest_start`.
var guest_fd: i32 = -1;
var guest_start: usize = 0;
var guest_bytes: usize = 0;

/// Takes `size_bytes` of address space, readable and writable, committed page by page as it is touched.
/// Contents are zero. Null when the host refuses.
pub fn reserve(size_bytes: usize, kind: Kind) ?[*]align(4096) u8 {
    if (kind == .guest and builtin.cpu.arch == .x86_64) if (reserveFile(size_bytes)) |ptr| return ptr;
    const flags: linux.MAP = .{ .TYPE = .PRIVATE, .ANONYMOUS = true, .NORESERVE = true };
    // A hypervisor takes guest memory in units of 16 KiB.
    const slack: usize = if (kind == .guest) 16 << 10 else 0;
    const start = linux.mmap(null, size_bytes + slack, .{ .READ = true, .WRITE = true }, flags, -1, 0);
    if (isError(start)) return null;
    const at = std.mem.alignForward(usize, start, @max(slack, 4096));
    if (at > start) _ = linux.munmap(@ptrFromInt(start), at - start);
    if (start + slack > at) _ = linux.munmap(@ptrFromInt(at + size_bytes), start + slack - at);
    const ptr: [*]align(4096) u8 = @ptrFromInt(at);
    if (kind == .guest and size_bytes > small_pages_bytes) {
        _ = linux.madvise(@alignCast(ptr + small_pages_bytes), size_bytes - small_pages_bytes, linux.MADV.HUGEPAGE);
    }
    return ptr;
}

fn isError(result: usize) bool {
    return @as(isize, @bitCast(result)) < 0;
}

/// Guest memory as a file of its own. Null where that cannot be: one piece of guest memory is enough, and a limit on the size
/// of files (RLIMIT_FSIZE) would end the process.
fn reserveFile(size_bytes: usize) ?[*]align(4096) u8 {
    if (guest_fd >= 0) return null;
    var limit: linux.rlimit = undefined;
    if (linux.getrlimit(.FSIZE, &limit) != 0 or limit.cur < size_bytes) return null;
    const made = linux.memfd_create("carrick-ram", linux.MFD.CLOEXEC);
    if (isError(made)) return null;
    const fd: i32 = @intCast(made);
    const start = if (linux.ftruncate(fd, @intCast(size_bytes)) == 0)
        linux.mmap(null, size_bytes, .{ .READ = true, .WRITE = true }, .{ .TYPE = .SHARED, .NORESERVE = true }, fd, 0)
    else
        std.math.maxInt(usize);
    if (isError(start)) {
        _ = linux.close(fd);
        return null;
    }
    guest_fd = fd;
    guest_start = start;
    guest_bytes = size_bytes;
    return @ptrFromInt(start);
}

/// Takes address space where nothing may be accessed. Null when the host refuses.
pub fn reserveEmpty(size_bytes: usize) ?[*]align(4096) u8 {
    const start = linux.mmap(null, size_bytes, .{}, .{ .TYPE = .PRIVATE, .ANONYMOUS = true, .NORESERVE = true }, -1, 0);
    return if (isError(start)) null else @ptrFromInt(start);
}

/// Makes the start of such a range memory like that of `books`. False when the host refuses.
pub fn open(ptr: [*]align(4096) u8, size_bytes: usize) bool {
    return linux.mprotect(ptr, size_bytes, .{ .READ = true, .WRITE = true }) == 0;
}

pub const onFault = @import("faults.zig").onFault;

/// Can guest memory be mapped a second time?
pub fn mirrors() bool {
    return guest_fd >= 0;
}

/// Shows a piece of guest memory at `at` too. False when the host refuses.
pub fn mirror(at: [*]align(4096) u8, ptr: [*]align(4096) u8, size_bytes: usize, writable: bool) bool {
    const offset: i64 = @intCast(@intFromPtr(ptr) - guest_start);
    const flags: linux.MAP = .{ .TYPE = .SHARED, .FIXED = true, .NORESERVE = true, .POPULATE = true };
    return !isError(linux.mmap(at, size_bytes, .{ .READ = true, .WRITE = writable }, flags, guest_fd, offset));
}

/// Makes the range one where nothing may be accessed. False when the host refuses, because it has too many mappings.
pub fn empty(at: [*]align(4096) u8, size_bytes: usize) bool {
    const flags: linux.MAP = .{ .TYPE = .PRIVATE, .ANONYMOUS = true, .NORESERVE = true, .FIXED = true };
    if (!isError(linux.mmap(at, size_bytes, .{}, flags, -1, 0))) return true;
    return linux.mprotect(at, size_bytes, .{}) == 0;
}

/// Ends a reservation.
pub fn release(ptr: [*]align(4096) u8, size_bytes: usize) void {
    _ = linux.munmap(ptr, size_bytes);
    if (guest_fd < 0 or @intFromPtr(ptr) != guest_start) return;
    _ = linux.close(guest_fd);
    guest_fd = -1;
}

/// Commits a range in one go. Only a hint: a page that was not committed here is committed by its first touch.
pub fn commit(ptr: [*]align(4096) u8, size_bytes: usize) void {
    const populate_write = 23;
    _ = linux.madvise(ptr, size_bytes, populate_write);
}

/// Gives the memory of a `guest` range back to the host; it reads as zero afterwards. False when the host
/// kept it, and its contents.
pub fn giveBack(ptr: [*]align(4096) u8, size_bytes: usize) bool {
    const shared = guest_fd >= 0 and @intFromPtr(ptr) -% guest_start < guest_bytes;
    return linux.madvise(ptr, size_bytes, if (shared) linux.MADV.REMOVE else linux.MADV.DONTNEED) == 0;
}

/// All of a regular file, read when it is looked at. Nobody may make it shorter meanwhile.
pub fn mapFile(fd: i32) ?[]const u8 {
    var stat: linux.Statx = undefined;
    if (linux.statx(fd, "", linux.AT.EMPTY_PATH, .{ .SIZE = true }, &stat) != 0 or stat.size == 0) return null;
    const at = linux.mmap(null, stat.size, .{ .READ = true }, .{ .TYPE = .SHARED }, fd, 0);
    if (@as(isize, @bitCast(at)) < 0) return null;
    return @as([*]const u8, @ptrFromInt(at))[0..stat.size];
}

/// preadv2(2); an `offset` of -1 is readv(2) at the file's own position. `flags` are RWF_*.
pub fn readv(fd: i32, iov: [*]const Iovec, count: usize, offset: i64, flags: u32) isize {
    return vectored(.preadv2, fd, iov, count, offset, flags);
}

/// pwritev2(2); an `offset` of -1 is writev(2) at the file's own position. `flags` are RWF_*.
pub fn writev(fd: i32, iov: [*]const Iovec, count: usize, offset: i64, flags: u32) isize {
    return vectored(.pwritev2, fd, iov, count, offset, flags);
}

fn vectored(call: linux.SYS, fd: i32, iov: [*]const Iovec, count: usize, offset: i64, flags: u32) isize {
    const fd_word: usize = @bitCast(@as(isize, fd));
    const at: u64 = @bitCast(offset);
    if (count == 1 and offset >= 0 and flags == 0) {
        // The usual case has a call of its own, without a list to copy.
        const single: linux.SYS = if (call == .preadv2) .pread64 else .pwrite64;
        return @bitCast(linux.syscall4(single, fd_word, iov[0].base, iov[0].len, @truncate(at)));
    }
    return @bitCast(linux.syscall6(call, fd_word, @intFromPtr(iov), count, @truncate(at), 0, flags));
}
