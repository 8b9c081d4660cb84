//! The mem room's part of the C ABI. Every `pub fn … callconv(.c)` here is exported under its own name.
//!
//! Addresses and sizes in bytes are `usize`; `count` is in pages of 4 KiB. A space or frame that does not exist
//! is -EINVAL, or nothing happens. Errors are -errno in Linux numbers.

const abi = @import("../abi.zig");
const errno = @import("errno.zig");
const fork = @import("fork.zig");
const frames = @import("frames.zig");
const host = @import("../host/host.zig").memory;
const io = @import("io.zig");
const space = @import("space.zig");
const tlb = @import("tlb.zig");
const user = @import("user.zig");

/// Reserves guest RAM. Zero asks for the defaults: slabs of 32 MiB, at most 256 GiB (less when the host refuses). 0, or
/// -ENOMEM. Without it no frame can be had. A second call changes nothing.
pub fn mem_init(slab_bytes: usize, limit_bytes: usize) callconv(.c) i32 {
    return if (frames.init(slab_bytes, limit_bytes)) 0 else errno.no_memory;
}

/// Forgets every space and frame and releases guest RAM (tests). Software TLBs stay registered, unbound.
pub fn mem_reset() callconv(.c) void {
    tlb.reset();
    space.reset();
    frames.reset();
}

/// Frames used, frames of all slabs handed out, spaces, frames used as tables, free frames that the host has
/// committed, frames given back to the host so far, frames at most, 0.
pub fn mem_stats(out: *[8]f64) callconv(.c) void {
    out.* = .{
        @floatFromInt(frames.used),
        @floatFromInt(frames.reservedFrames()),
        @floatFromInt(space.count_live),
        @floatFromInt(frames.tables),
        @floatFromInt(frames.cachedFrames()),
        @floatFromInt(frames.given_back),
        @floatFromInt(frames.frame_limit),
        0,
    };
}

/// Gives all free memory back to the host at once.
pub fn mem_trim() callconv(.c) void {
    frames.trimAll();
}

/// First address that the last user_* or io_* call could not access, or -1 when it met none.
pub fn mem_fault_addr() callconv(.c) f64 {
    return user.fault_addr;
}

/// Copies host memory; either side may be frames.
pub fn mem_copy(to: [*]u8, from: [*]const u8, len: usize) callconv(.c) void {
    @memmove(to[0..len], from[0..len]);
    frames.noteBytes(to, len);
}

/// Zeroes host memory, which may be frames.
pub fn mem_zero(ptr: [*]u8, len: usize) callconv(.c) void {
    @memset(ptr[0..len], 0);
    frames.noteBytes(ptr, len);
}

/// Memory of the host's, zeros that are committed when they are touched; 0 when it gives none.
pub fn mem_reserve(size_bytes: usize) callconv(.c) usize {
    return @intFromPtr(host.reserve(size_bytes, .books) orelse return 0);
}

/// Commits reserved memory that is about to be written.
pub fn mem_commit(ptr: [*]align(4096) u8, size_bytes: usize) callconv(.c) void {
    host.commit(ptr, size_bytes);
}

pub fn mem_release(ptr: [*]align(4096) u8, size_bytes: usize) callconv(.c) void {
    host.release(ptr, size_bytes);
}

/// Gives whole pages of reserved memory back: they are zeros again. -EAGAIN when the host kept them as they are.
pub fn mem_give_back(ptr: [*]align(4096) u8, size_bytes: usize) callconv(.c) i32 {
    return if (host.giveBack(ptr, size_bytes)) 0 else errno.again;
}

/// One pread(2) of a host file into host memory, or read(2) when `offset` is -1. Bytes, or -errno.
pub fn mem_read(ptr: [*]u8, len: usize, fd: i32, offset: f64) callconv(.c) i32 {
    const n = io.once(.read, ptr, len, fd, fileOffset(offset) orelse return errno.invalid);
    frames.noteBytes(ptr, len);
    return n;
}

/// One pwrite(2) of host memory to a host file, or write(2) when `offset` is -1. Bytes, or -errno.
pub fn mem_write(ptr: [*]u8, len: usize, fd: i32, offset: f64) callconv(.c) i32 {
    return io.once(.write, ptr, len, fd, fileOffset(offset) orelse return errno.invalid);
}

/// First of `count` consecutive frames, one reference each, or -ENOMEM. Contents are undefined without `zero`.
pub fn frame_alloc(count: u32, zero: u32) callconv(.c) i32 {
    return @intCast(frames.allocRun(count, zero != 0) orelse return errno.no_memory);
}

/// One more reference to each of `count` consecutive frames.
pub fn frame_ref(frame: u32, count: u32) callconv(.c) void {
    if (!frames.exist(frame, count)) return;
    for (frame..frame + count) |at| frames.ref(@intCast(at));
}

/// One reference less to each of `count` consecutive frames; those at zero are free.
pub fn frame_unref(frame: u32, count: u32) callconv(.c) void {
    if (!frames.exist(frame, count)) return;
    for (frame..frame + count) |at| frames.unref(@intCast(at));
}

pub fn frame_refs(frame: u32) callconv(.c) u32 {
    return if (frames.exist(frame, 1)) frames.info[frame].refs else 0;
}

/// Host pointer of a frame, stable for the frame's life; consecutive frames follow each other.
pub fn frame_ptr(frame: u32) callconv(.c) usize {
    return if (frames.exist(frame, 1)) @intFromPtr(frames.ptr(frame)) else 0;
}

/// Reads a host file into consecutive frames and zeroes the rest. Bytes read, or -errno.
pub fn frame_fill(frame: u32, count: u32, fd: i32, offset: f64) callconv(.c) i32 {
    return io.fill(frame, count, fd, fileOffset(offset) orelse return errno.invalid);
}

/// Writes the first `count_bytes` bytes of consecutive frames to a host file. Bytes written, or -errno.
pub fn frame_flush(frame: u32, count_bytes: u32, fd: i32, offset: f64) callconv(.c) i32 {
    return io.flush(frame, count_bytes, fd, fileOffset(offset) orelse return errno.invalid);
}

/// Handle (> 0) of an empty address space, -ENOMEM, or -EAGAIN when there are too many.
pub fn space_create() callconv(.c) i32 {
    return space.create();
}

/// Handle of a copy: private pages are copy on write in both, shared pages are the same. -ENOMEM, -EAGAIN.
pub fn space_fork(src: u32) callconv(.c) i32 {
    return fork.fork(space.get(src) orelse return errno.invalid);
}

/// Another task is going to run in the space, or to access its memory from outside.
pub fn space_thread(handle: u32) callconv(.c) void {
    space.share(space.get(handle) orelse return);
}

pub fn space_destroy(handle: u32) callconv(.c) void {
    fork.destroy(space.get(handle) orelse return);
}

/// Maps consecutive frames, adding a reference to each, in place of what was there. A private page whose frame somebody
/// else holds too is not writable before `space_cow`. 0, -EINVAL, -ENOMEM (then only the first pages are mapped).
pub fn space_map(handle: u32, addr: usize, frame: u32, count: u32, prot: u32) callconv(.c) i32 {
    return space.map(space.get(handle) orelse return errno.invalid, addr, frame, count, prot);
}

/// Maps fresh zeroed frames wherever nothing is mapped in the range. How many, -EINVAL, or -ENOMEM (then only
/// some pages).
pub fn space_map_zero(handle: u32, addr: usize, count: u32, prot: u32) callconv(.c) i32 {
    return space.mapZero(space.get(handle) orelse return errno.invalid, addr, count, prot);
}

/// Sets the protection of the pages that are present; whether a page is shared stays. 0, -EINVAL.
pub fn space_protect(handle: u32, addr: usize, count: u32, prot: u32) callconv(.c) i32 {
    return space.protect(space.get(handle) orelse return errno.invalid, addr, count, prot);
}

/// Drops the pages of a range. 0, -EINVAL.
pub fn space_unmap(handle: u32, addr: usize, count: u32) callconv(.c) i32 {
    return space.unmap(space.get(handle) orelse return errno.invalid, addr, count);
}

/// Moves the pages of a range, in place of what is at the target (mremap). The ranges may not overlap. 0, -EINVAL,
/// -ENOMEM.
pub fn space_move(handle: u32, from: usize, to: usize, count: u32) callconv(.c) i32 {
    return space.move(space.get(handle) orelse return errno.invalid, from, to, count);
}

/// PROT_* that hold now | PROT_SHARED | PROT_PRESENT; 0 when nothing is mapped. A page that waits for `space_cow` lacks
/// PROT_WRITE. As on arm64, write and exec imply read.
pub fn space_lookup(handle: u32, addr: usize) callconv(.c) i32 {
    return @intCast(space.lookup(space.get(handle) orelse return errno.invalid, addr));
}

/// The frame mapped at `addr`, or -1.
pub fn space_frame(handle: u32, addr: usize) callconv(.c) i32 {
    return space.frameAt(space.get(handle) orelse return -1, addr);
}

/// Write fault on a present page: makes it writable, copying a private page whose frame others hold. 0, -EFAULT when
/// nothing is mapped, -ENOMEM.
pub fn space_cow(handle: u32, addr: usize, prot: u32) callconv(.c) i32 {
    return space.cow(space.get(handle) orelse return errno.invalid, addr, prot);
}

/// One byte for each page: 0 when no frame is mapped there, 2 when somebody else holds it too, else 1. Returns how many are mapped, or -EINVAL.
pub fn space_resident(handle: u32, addr: usize, count: u32, out: [*]u8) callconv(.c) i32 {
    return space.resident(space.get(handle) orelse return errno.invalid, addr, count, out);
}

/// Pages mapped in the space.
pub fn space_count(handle: u32) callconv(.c) u32 {
    return (space.get(handle) orelse return 0).resident;
}

/// Guest to host. Bytes copied: short at the first page that the guest may not read.
pub fn user_in(handle: u32, addr: usize, ptr: [*]u8, len: u32) callconv(.c) i32 {
    return @intCast(user.in(space.get(handle) orelse return errno.invalid, addr, ptr, len & max_len));
}

/// Host to guest. Bytes copied: short at the first page that the guest may not write.
pub fn user_out(handle: u32, addr: usize, ptr: [*]const u8, len: u32) callconv(.c) i32 {
    return @intCast(user.out(space.get(handle) orelse return errno.invalid, addr, ptr, len & max_len, .write));
}

/// As `user_out`, but writes wherever something is mapped (ptrace, loader). The caller breaks copy on write first.
pub fn user_poke(handle: u32, addr: usize, ptr: [*]const u8, len: u32) callconv(.c) i32 {
    return @intCast(user.out(space.get(handle) orelse return errno.invalid, addr, ptr, len & max_len, .poke));
}

/// Zeroes guest memory. Bytes done: short at the first page that the guest may not write.
pub fn user_zero(handle: u32, addr: usize, len: usize) callconv(.c) f64 {
    return @floatFromInt(user.zero(space.get(handle) orelse return 0, addr, len));
}

/// Copies a string with its NUL to `ptr`. Its length without the NUL, -EFAULT, or -ENAMETOOLONG when the first `max`
/// bytes have none.
pub fn user_string(handle: u32, addr: usize, ptr: [*]u8, max: u32) callconv(.c) i32 {
    return user.string(space.get(handle) orelse return errno.invalid, addr, ptr, max & max_len);
}

/// One atomic operation (abi.Atomic) on an aligned word; `out` receives the old value. 0, -EFAULT, -EINVAL when
/// misaligned, -EAGAIN when a cmpxchg found another value.
pub fn user_atomic32(handle: u32, addr: usize, op: u32, arg: u32, expected: u32, out: *u32) callconv(.c) i32 {
    return user.atomic32(space.get(handle) orelse return errno.invalid, addr, op, arg, expected, out);
}

/// How many of `len` bytes from `addr` the guest may read (write = 0) or write.
pub fn user_probe(handle: u32, addr: usize, len: usize, write: u32) callconv(.c) f64 {
    return @floatFromInt(user.probe(space.get(handle) orelse return 0, addr, len, write != 0));
}

/// Reads a host file into guest memory. `iov` is a host array of `count` guest ranges; `offset` -1 is the file's own
/// position and one host call. `flags` are RWF_*. Bytes, or -errno; short at the first page that the guest may not
/// write (then `mem_fault_addr` is not -1); -EFAULT when that is the first one.
pub fn io_readv(handle: u32, fd: i32, iov: [*]const abi.Iovec, count: u32, offset: f64, flags: u32) callconv(.c) i32 {
    const s = space.get(handle) orelse return errno.invalid;
    return io.transfer(.read, s, fd, iov[0..count], fileOffset(offset) orelse return errno.invalid, flags);
}

/// Writes guest memory to a host file; as `io_readv`.
pub fn io_writev(handle: u32, fd: i32, iov: [*]const abi.Iovec, count: u32, offset: f64, flags: u32) callconv(.c) i32 {
    const s = space.get(handle) orelse return errno.invalid;
    return io.transfer(.write, s, fd, iov[0..count], fileOffset(offset) orelse return errno.invalid, flags);
}

/// The same with one range of the guest, and no flags.
pub fn io_read(handle: u32, fd: i32, addr: usize, len: u32, offset: f64) callconv(.c) i32 {
    const s = space.get(handle) orelse return errno.invalid;
    return io.transfer(.read, s, fd, &.{.{ .base = addr, .len = len }}, fileOffset(offset) orelse return errno.invalid, 0);
}

pub fn io_write(handle: u32, fd: i32, addr: usize, len: u32, offset: f64) callconv(.c) i32 {
    const s = space.get(handle) orelse return errno.invalid;
    return io.transfer(.write, s, fd, &.{.{ .base = addr, .len = len }}, fileOffset(offset) orelse return errno.invalid, 0);
}

/// Lengths are returned as i32.
const max_len = 0x7fff_ffff;

/// The file offset that a Number stands for (-1: none); null when it stands for no offset.
fn fileOffset(value: f64) ?i64 {
    if (!(value >= -1 and value <= 9007199254740992)) return null;
    return @intFromFloat(value);
}
