//! mmap(2) and madvise(2) with pages of 16 KiB.

const std = @import("std");
const base = @import("base.zig");
const c = base.c;
const linux = base.linux;
const fail = base.fail;

const page = 16384;

fn rounded(size: usize) usize {
    return std.mem.alignForward(usize, size, page);
}

export fn darwin_mmap(at: ?*anyopaque, size: usize, prot: c_int, flags: c_int, fd: c_int, offset: i64) usize {
    const refused = std.math.maxInt(usize);
    if (flags & ~@as(c_int, c.MAP_SHARED | c.MAP_PRIVATE | c.MAP_FIXED | c.MAP_NORESERVE | c.MAP_ANON) != 0) base.misuse("mmap flags that are not Darwin's");
    const of_file = flags & c.MAP_ANON == 0;
    if (of_file != (fd >= 0) or offset != 0 or (of_file and flags & c.MAP_FIXED != 0)) base.misuse("mmap in a way that is not modelled");
    const fixed = flags & c.MAP_FIXED != 0;
    if (size == 0 or (fixed and @intFromPtr(at) % page != 0)) {
        _ = fail(c.EINVAL);
        return refused;
    }
    const shared: linux.MAP_TYPE = if (flags & c.MAP_SHARED != 0) .SHARED else .PRIVATE;
    const how: linux.MAP = .{ .TYPE = shared, .FIXED = fixed, .ANONYMOUS = true, .NORESERVE = true };
    const access: linux.PROT = .{ .READ = prot & c.PROT_READ != 0, .WRITE = prot & c.PROT_WRITE != 0 };
    if (of_file) return mapFile(size, access, shared, fd);
    const extra: usize = if (fixed) 0 else page;
    const got = linux.mmap(@ptrCast(at), rounded(size) + extra, access, how, -1, 0);
    if (base.errnoOf(got) != 0) {
        _ = base.result(got);
        return refused;
    }
    if (fixed) return got;
    const start = rounded(got);
    if (start > got) _ = linux.munmap(@ptrFromInt(got), start - got);
    const end = start + rounded(size);
    if (got + rounded(size) + extra > end) _ = linux.munmap(@ptrFromInt(end), got + rounded(size) + extra - end);
    return start;
}

fn mapFile(size: usize, access: linux.PROT, shared: linux.MAP_TYPE, fd: c_int) usize {
    const place = darwin_mmap(null, size, 0, c.MAP_PRIVATE | c.MAP_ANON | c.MAP_NORESERVE, -1, 0);
    if (place == std.math.maxInt(usize)) return place;
    const got = linux.mmap(@ptrFromInt(place), size, access, .{ .TYPE = shared, .FIXED = true }, fd, 0);
    if (base.errnoOf(got) == 0) return got;
    _ = base.result(got);
    return std.math.maxInt(usize);
}

export fn darwin_munmap(at: *anyopaque, size: usize) c_int {
    if (@intFromPtr(at) % page != 0 or size == 0) return fail(c.EINVAL);
    return base.result(linux.munmap(@ptrCast(at), rounded(size)));
}

var turn: u32 = 0;
/// Bytes that the system may take.
export var darwin_double_reusable: usize = 0;

/// What is reusable keeps its bytes or loses them: here by turns.
export fn darwin_madvise(at: *anyopaque, size: usize, advice: c_int) c_int {
    if (@intFromPtr(at) % page != 0) return fail(c.EINVAL);
    const bytes = @as([*]u8, @ptrCast(at))[0..rounded(size)];
    const MADV_REMOVE = 9;
    switch (advice) {
        c.MADV_FREE_REUSE => {
            darwin_double_reusable -|= bytes.len;
            return 0;
        },
        c.MADV_ZERO => {
            @memset(bytes, 0);
            return 0;
        },
        c.MADV_FREE_REUSABLE => {
            turn += 1;
            darwin_double_reusable += bytes.len;
            return if (turn % 2 == 0) 0 else base.result(linux.madvise(bytes.ptr, bytes.len, MADV_REMOVE));
        },
        else => base.misuse("madvise that is not modelled"),
    }
}
