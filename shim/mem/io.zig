//! Host file I/O straight into and out of guest frames: guest iovecs are cut at page ends, pages that are
//! neighbours in RAM are joined again, and the host moves the bytes (readv(2), preadv2(2)).

const std = @import("std");
const abi = @import("../abi.zig");
const errno = @import("errno.zig");
const frames = @import("frames.zig");
const host = @import("../host/host.zig").memory;
const space = @import("space.zig");
const user = @import("user.zig");

const Iovec = abi.Iovec;
const page_size = frames.page_size;
/// Linux moves no more than this in one call (MAX_RW_COUNT).
const max_bytes = 0x7fff_f000;

pub const Direction = enum { read, write };

/// Walks the bytes of guest iovecs and lists the host pieces behind them.
const Gather = struct {
    space: *const space.Space,
    iov: []const Iovec,
    index: usize = 0,
    /// Bytes of `iov[index]` listed already.
    offset: u64 = 0,
    left: u64 = max_bytes,
    faulted: bool = false,
    pieces: [host.iov_max]Iovec = undefined,

    /// Lists the next pieces; stops at a page that refuses, when all bytes are listed, or when the list is full.
    fn next(g: *Gather, comptime direction: Direction) []Iovec {
        const right: user.Right = if (direction == .read) .write else .read;
        var len: usize = 0;
        while (g.index < g.iov.len and g.left > 0) {
            const v = g.iov[g.index];
            if (g.offset == v.len) {
                g.index += 1;
                g.offset = 0;
                continue;
            }
            const bytes = user.reach(g.space, v.base +| g.offset, right) orelse {
                g.faulted = true;
                break;
            };
            const n = @min(bytes.len, v.len - g.offset, g.left);
            const at = @intFromPtr(bytes.ptr);
            if (len > 0 and g.pieces[len - 1].base + g.pieces[len - 1].len == at) {
                g.pieces[len - 1].len += n;
            } else {
                if (len == g.pieces.len) break;
                g.pieces[len] = .{ .base = at, .len = n };
                len += 1;
            }
            g.offset += n;
            g.left -= n;
        }
        return g.pieces[0..len];
    }

    fn ended(g: *const Gather) bool {
        return g.faulted or g.index == g.iov.len or g.left == 0;
    }
};

/// Moves bytes between a host file and guest memory. With an offset (>= 0) it goes on until the iovecs are done,
/// the file ends or a page refuses; without (-1) it makes one host call, as a stream needs. `flags` are RWF_*. Returns
/// the bytes moved, or -errno; -EFAULT only when not even the first byte can be accessed.
pub fn transfer(
    comptime direction: Direction,
    s: *const space.Space,
    fd: i32,
    iov: []const Iovec,
    offset: i64,
    flags: u32,
) i32 {
    user.fault_addr = user.no_fault;
    const call = if (direction == .read) host.readv else host.writev;
    var gather = Gather{ .space = s, .iov = iov };
    var done: i64 = 0;
    while (true) {
        const pieces = gather.next(direction);
        if (pieces.len == 0 and gather.faulted) return if (done > 0) @intCast(done) else errno.fault;
        if (pieces.len == 0 and done > 0) return @intCast(done);
        const at = if (offset < 0) -1 else offset + done;
        const n = call(fd, pieces.ptr, pieces.len, at, flags);
        if (n < 0) return if (done > 0) @intCast(done) else @intCast(n);
        if (direction == .read) dropCode(pieces, @intCast(n));
        done += n;
        if (offset < 0 or gather.ended() or n < total(pieces)) return @intCast(done);
    }
}

fn total(pieces: []const Iovec) i64 {
    var sum: u64 = 0;
    for (pieces) |p| sum += p.len;
    return @intCast(sum);
}

/// `reach` dropped the code of these frames when they were listed; a CPU may have decoded them again meanwhile.
fn dropCode(pieces: []const Iovec, bytes: u64) void {
    var left = bytes;
    for (pieces) |p| {
        if (left == 0) return;
        const n = @min(left, p.len);
        const first = frames.ofPtr(@ptrFromInt(p.base));
        const last = frames.ofPtr(@ptrFromInt(p.base + n - 1));
        for (first..last + 1) |frame| frames.noteCode(@intCast(frame));
        left -= n;
    }
}

/// Reads a host file into consecutive frames and zeroes what it does not fill. Bytes read, or -errno.
pub fn fill(frame: u32, count: u32, fd: i32, offset: i64) i32 {
    const bytes = @as(u64, count) * page_size;
    if (!frames.exist(frame, count) or bytes > max_bytes) return errno.invalid;
    const start: [*]u8 = frames.ptr(frame);
    const done = move(host.readv, start, bytes, fd, offset);
    if (done >= 0) @memset(start[@intCast(done)..bytes], 0);
    for (frame..frame + count) |at| frames.noteCode(@intCast(at));
    return done;
}

/// Writes the first `bytes` bytes of consecutive frames to a host file. Bytes written, or -errno.
pub fn flush(frame: u32, bytes: u32, fd: i32, offset: i64) i32 {
    const pages = std.math.divCeil(u32, bytes, page_size) catch unreachable;
    if (!frames.exist(frame, pages) or bytes > max_bytes) return errno.invalid;
    return move(host.writev, frames.ptr(frame), bytes, fd, offset);
}

/// One host call on host memory, at the file's own position when `offset` is -1. Bytes, or -errno.
pub fn once(comptime direction: Direction, ptr: [*]u8, len: usize, fd: i32, offset: i64) i32 {
    const call = if (direction == .read) host.readv else host.writev;
    var piece = [1]Iovec{.{ .base = @intFromPtr(ptr), .len = @min(len, max_bytes) }};
    return @intCast(call(fd, &piece, 1, offset, 0));
}

/// Moves all bytes unless the file ends or fails; a signal does not cut it short.
fn move(call: anytype, start: [*]u8, bytes: u64, fd: i32, offset: i64) i32 {
    var done: u64 = 0;
    while (done < bytes) {
        var piece = [1]Iovec{.{ .base = @intFromPtr(start + done), .len = bytes - done }};
        const n = call(fd, &piece, 1, offset + @as(i64, @intCast(done)), 0);
        if (n == errno.interrupted) continue;
        if (n < 0) return if (done > 0) @intCast(done) else @intCast(n);
        if (n == 0) break;
        done += @intCast(n);
    }
    return @intCast(done);
}
