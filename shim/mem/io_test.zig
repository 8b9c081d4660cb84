//! Host I/O into and out of guest frames.

const std = @import("std");
const testing = std.testing;
const abi = @import("../abi.zig");
const mem = @import("mem.zig");
const x = @import("exports.zig");

const Iovec = abi.Iovec;
const page = mem.frames.page_size;
const rw = abi.prot_read | abi.prot_write;

extern "c" fn memfd_create(name: [*:0]const u8, flags: c_uint) c_int;

fn start() !u32 {
    x.mem_reset();
    try testing.expectEqual(0, x.mem_init(0, 64 << 20));
    return @intCast(x.space_create());
}

fn byteAt(i: usize) u8 {
    return @truncate(i *% 31 +% (i >> 8));
}

/// A file of `len` bytes, byteAt(i) each.
fn testFile(len: usize) !i32 {
    const fd = memfd_create("io_test", 1);
    try testing.expect(fd >= 0);
    const bytes = try testing.allocator.alloc(u8, len);
    defer testing.allocator.free(bytes);
    for (bytes, 0..) |*b, i| b.* = byteAt(i);
    try testing.expectEqual(@as(i32, @intCast(len)), x.mem_write(bytes.ptr, len, fd, 0));
    return fd;
}

test "a vector is read into scattered pages and written back from them" {
    const s = try start();
    const fd = try testFile(3 * page);
    defer _ = std.c.close(fd);
    try testing.expectEqual(1, x.space_map_zero(s, 0x11000, 1, rw));
    try testing.expectEqual(3, x.space_map_zero(s, 0x10000, 4, rw));
    const iov = [_]Iovec{
        .{ .base = 0x10f00, .len = page },
        .{ .base = 0, .len = 0 },
        .{ .base = 0x12f80, .len = 200 },
    };
    try testing.expectEqual(page + 200, x.io_readv(s, fd, &iov, 3, 77, 0));
    try testing.expectEqual(-1, x.mem_fault_addr());
    var buf: [page + 200]u8 = undefined;
    try testing.expectEqual(page, x.user_in(s, 0x10f00, &buf, page));
    try testing.expectEqual(200, x.user_in(s, 0x12f80, buf[page..].ptr, 200));
    for (buf, 77..) |b, i| try testing.expectEqual(byteAt(i), b);

    const out = memfd_create("io_test", 1);
    defer _ = std.c.close(out);
    try testing.expectEqual(page + 200, x.io_writev(s, out, &iov, 3, -1, 0));
    var back: [page + 300]u8 = undefined;
    try testing.expectEqual(page + 200, x.mem_read(&back, back.len, out, 0));
    try testing.expectEqualSlices(u8, &buf, back[0 .. page + 200]);
}

test "a transfer ends at the end of the file or at a page that refuses" {
    const s = try start();
    const fd = try testFile(3 * page);
    defer _ = std.c.close(fd);
    try testing.expectEqual(4, x.space_map_zero(s, 0x10000, 4, rw));
    var iov = [_]Iovec{.{ .base = 0x10000, .len = 4 * page }};
    try testing.expectEqual(2 * page - 1, x.io_readv(s, fd, &iov, 1, page + 1, 0));
    try testing.expectEqual(0, x.io_readv(s, fd, &iov, 1, 3 * page, 0));
    try testing.expectEqual(0, x.space_protect(s, 0x12000, 1, abi.prot_read));
    try testing.expectEqual(2 * page, x.io_readv(s, fd, &iov, 1, 0, 0));
    try testing.expectEqual(0x12000, x.mem_fault_addr());
    iov[0].base = 0x12000;
    try testing.expectEqual(-14, x.io_readv(s, fd, &iov, 1, 0, 0));
    try testing.expectEqual(2 * page, x.io_writev(s, fd, &iov, 1, 0, 0));
    iov[0] = .{ .base = std.math.maxInt(u64) - 5, .len = std.math.maxInt(u64) };
    try testing.expectEqual(-14, x.io_writev(s, fd, &iov, 1, 0, 0));
    try testing.expectEqual(-9, x.io_readv(s, -1, &iov, 0, 0, 0));
    try testing.expectEqual(-22, x.io_readv(s, fd, &iov, 1, -2, 0));
    try testing.expectEqual(-22, x.io_readv(s, fd, &iov, 1, std.math.nan(f64), 0));
}

test "more pieces than one host call takes" {
    const s = try start();
    const pages = 2500;
    const fd = try testFile(pages * page);
    defer _ = std.c.close(fd);
    // Every second page first, so that neighbours in the space are none in RAM.
    for (0..pages / 2) |i| try testing.expectEqual(1, x.space_map_zero(s, 0x100000 + (2 * i + 1) * page, 1, rw));
    for (0..pages / 2) |i| try testing.expectEqual(1, x.space_map_zero(s, 0x100000 + 2 * i * page, 1, rw));
    const iov = [_]Iovec{.{ .base = 0x100000, .len = pages * page }};
    try testing.expectEqual(pages * page, x.io_readv(s, fd, &iov, 1, 0, 0));
    var b: [1]u8 = undefined;
    for ([_]usize{ 0, page, 1024 * page, 1024 * page - 1, 2047 * page + 5, pages * page - 1 }) |i| {
        try testing.expectEqual(1, x.user_in(s, 0x100000 + i, &b, 1));
        try testing.expectEqual(byteAt(i), b[0]);
    }
    // Without an offset it is one call.
    try testing.expectEqual(1024 * page, x.io_writev(s, fd, &iov, 1, -1, 0));
}

test "frames are filled from a file and flushed to it" {
    const s = try start();
    _ = s;
    const fd = try testFile(page + 100);
    defer _ = std.c.close(fd);
    const frame: u32 = @intCast(x.frame_alloc(2, 0));
    const bytes = @as([*]u8, @ptrFromInt(x.frame_ptr(frame)))[0 .. 2 * page];
    @memset(bytes, 0xee);
    try testing.expectEqual(100, x.frame_fill(frame, 2, fd, page));
    try testing.expectEqual(byteAt(page + 99), bytes[99]);
    for (bytes[100..]) |b| try testing.expectEqual(0, b);
    try testing.expectEqual(50, x.frame_flush(frame, 50, fd, 2 * page));
    try testing.expectEqual(50, x.frame_fill(frame, 1, fd, 2 * page));
    try testing.expectEqual(byteAt(page + 49), bytes[49]);
    try testing.expectEqual(-9, x.frame_fill(frame, 1, -1, 0));
    try testing.expectEqual(-22, x.frame_fill(0, 1, fd, 0));
    try testing.expectEqual(-22, x.frame_flush(mem.frames.frame_limit - 1, page + 1, fd, 0));
}
