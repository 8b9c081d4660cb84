//! Directed tests of the mem room through its exports, one rule each.

const std = @import("std");
const testing = std.testing;
const abi = @import("../abi.zig");
const mem = @import("mem.zig");
const frames = mem.frames;
const x = @import("exports.zig");

const page = frames.page_size;
const r = abi.prot_read;
const rw = abi.prot_read | abi.prot_write;
const present = abi.prot_present;
const efault = -14;

/// Small slabs, so that tests meet their borders; 64 MiB of RAM.
fn start() void {
    x.mem_reset();
    testing.expectEqual(0, x.mem_init(64 * page, 64 << 20)) catch unreachable;
}

fn newSpace() !u32 {
    const handle = x.space_create();
    try testing.expect(handle > 0);
    return @intCast(handle);
}

fn used() f64 {
    var out: [8]f64 = undefined;
    x.mem_stats(&out);
    return out[0];
}

fn put(space: u32, addr: usize, text: []const u8) !void {
    try testing.expectEqual(@as(i32, @intCast(text.len)), x.user_out(space, addr, text.ptr, @intCast(text.len)));
}

fn expectAt(space: u32, addr: usize, text: []const u8) !void {
    var buf: [64]u8 = undefined;
    try testing.expectEqual(@as(i32, @intCast(text.len)), x.user_in(space, addr, &buf, @intCast(text.len)));
    try testing.expectEqualStrings(text, buf[0..text.len]);
}

test "nothing works before mem_init, everything is gone after mem_reset" {
    x.mem_reset();
    try testing.expectEqual(-12, x.frame_alloc(1, 1));
    try testing.expectEqual(-12, x.space_create());
    start();
    const s = try newSpace();
    try testing.expectEqual(4, x.space_map_zero(s, 0x10000, 4, rw));
    x.mem_reset();
    try testing.expectEqual(-22, x.space_map_zero(s, 0x10000, 4, rw));
    try testing.expectEqual(0, used());
}

test "map, protect, unmap: rights as arm64 Linux gives them, tables freed with their last page" {
    start();
    const s = try newSpace();
    const at = 0x7fff_ffe0_0000 - 2 * page;
    try testing.expectEqual(4, x.space_map_zero(s, at, 4, rw));
    try testing.expectEqual(0, x.space_map_zero(s, at, 4, rw));
    try testing.expectEqual(@as(i32, rw | present), x.space_lookup(s, at));
    try testing.expectEqual(4, x.space_count(s));
    // Root, one table at levels 1 and 2, two at level 3.
    try testing.expectEqual(4 + 5, used());
    try put(s, at + 2 * page - 3, "across");
    try testing.expectEqual(0, x.space_protect(s, at, 2, abi.prot_exec));
    try testing.expectEqual(@as(i32, r | abi.prot_exec | present), x.space_lookup(s, at + page));
    try testing.expectEqual(0, x.space_protect(s, at + 2 * page, 1, 0));
    try testing.expectEqual(@as(i32, present), x.space_lookup(s, at + 2 * page));
    try testing.expect(x.space_frame(s, at + 2 * page) > 0);
    var buf: [8]u8 = undefined;
    try testing.expectEqual(3, x.user_in(s, at + 2 * page - 3, &buf, 6));
    try testing.expectEqual(at + 2 * page, x.mem_fault_addr());
    try testing.expectEqual(0, x.space_protect(s, at + 2 * page, 1, r));
    try expectAt(s, at + 2 * page - 3, "across");
    try testing.expectEqual(0, x.user_out(s, at, "x", 1));
    try testing.expectEqual(0, x.space_unmap(s, at, 4));
    try testing.expectEqual(0, x.space_count(s));
    try testing.expectEqual(1, used());
    x.space_destroy(s);
    try testing.expectEqual(0, used());
}

test "bad ranges and handles are refused" {
    start();
    const s = try newSpace();
    for ([_]usize{ 1, (1 << 48) - page, 1 << 48, std.math.maxInt(usize) - page + 1 }) |addr| {
        try testing.expectEqual(-22, x.space_map_zero(s, addr, 2, rw));
        try testing.expectEqual(-22, x.space_unmap(s, addr, 2));
        try testing.expectEqual(-22, x.space_map(s, addr, 1, 2, rw));
    }
    try testing.expectEqual(-22, x.space_map(s, 0x1000, 0, 1, rw));
    try testing.expectEqual(-22, x.space_map(s, 0x1000, frames.frame_limit - 1, 2, rw));
    try testing.expectEqual(0, x.space_lookup(s, 1 << 60));
    try testing.expectEqual(-1, x.space_frame(s, 1 << 60));
    try testing.expectEqual(-22, x.space_fork(s + 1));
    try testing.expectEqual(-22, x.user_in(0, 0, undefined, 0));
    try testing.expectEqual(-14, x.space_cow(s, 0x5000, rw));
}

test "fork: private pages are copied on write, shared ones are not" {
    start();
    const a = try newSpace();
    try testing.expectEqual(2, x.space_map_zero(a, 0x10000, 2, rw));
    try testing.expectEqual(1, x.space_map_zero(a, 0x20000, 1, rw | abi.prot_shared));
    try put(a, 0x10000, "one");
    const child = x.space_fork(a);
    try testing.expect(child > 0);
    const b: u32 = @intCast(child);
    try testing.expectEqual(3, x.space_count(b));
    try testing.expectEqual(@as(i32, r | present), x.space_lookup(a, 0x10000));
    try testing.expectEqual(0, x.user_out(a, 0x10000, "x", 1));
    // Making it writable again does not make it so while the child holds the frame.
    try testing.expectEqual(0, x.space_protect(a, 0x10000, 2, rw));
    try testing.expectEqual(@as(i32, r | present), x.space_lookup(a, 0x10000));
    try testing.expectEqual(0, x.space_cow(a, 0x10123, rw));
    try put(a, 0x10000, "two");
    try expectAt(b, 0x10000, "one");
    // The child is the sole owner now: no copy.
    const frame = x.space_frame(b, 0x10000);
    try testing.expectEqual(0, x.space_cow(b, 0x10000, rw));
    try testing.expectEqual(frame, x.space_frame(b, 0x10000));
    try put(b, 0x20000, "shared");
    try expectAt(a, 0x20000, "shared");
    x.space_destroy(a);
    try expectAt(b, 0x10000, "one");
    x.space_destroy(b);
    try testing.expectEqual(0, used());
}

test "a private mapping of a frame that somebody holds waits for its copy" {
    start();
    const s = try newSpace();
    const first: u32 = @intCast(x.frame_alloc(3, 1));
    try testing.expectEqual(0, x.space_map(s, 0x10000, first, 3, rw));
    try testing.expectEqual(2, x.frame_refs(first));
    try testing.expectEqual(@as(i32, r | present), x.space_lookup(s, 0x10000));
    try testing.expectEqual(1, x.user_poke(s, 0x10000, "p", 1));
    try testing.expectEqual(0, x.space_cow(s, 0x10000, rw));
    try testing.expect(x.space_frame(s, 0x10000) != first);
    try expectAt(s, 0x10000, "p");
    try testing.expectEqual(1, x.frame_refs(first));
    try testing.expectEqual(0, x.space_map(s, 0x11000, first, 1, rw | abi.prot_shared));
    try testing.expectEqual(@as(i32, rw | abi.prot_shared | present), x.space_lookup(s, 0x11000));
    x.frame_unref(first, 3);
    x.space_destroy(s);
    try testing.expectEqual(0, used());
}

test "move takes pages, rights and contents along" {
    start();
    const s = try newSpace();
    try testing.expectEqual(3, x.space_map_zero(s, 0x1ff000, 3, rw));
    try put(s, 0x200ff0, "moved");
    try testing.expectEqual(0, x.space_protect(s, 0x1ff000, 1, 0));
    try testing.expectEqual(-22, x.space_move(s, 0x1ff000, 0x200000, 3));
    try testing.expectEqual(1, x.space_map_zero(s, 0x8000_0000, 1, r));
    try testing.expectEqual(0, x.space_move(s, 0x1ff000, 0x7fff_f000, 3));
    try expectAt(s, 0x8000_0ff0, "moved");
    try testing.expectEqual(@as(i32, present), x.space_lookup(s, 0x7fff_f000));
    try testing.expectEqual(0, x.space_lookup(s, 0x1ff000));
    try testing.expectEqual(3, x.space_count(s));
    x.space_destroy(s);
    try testing.expectEqual(0, used());
}

test "strings" {
    start();
    const s = try newSpace();
    try testing.expectEqual(2, x.space_map_zero(s, 0x10000, 2, rw));
    try put(s, 0x10ffe, "path");
    var buf: [64]u8 = @splat('#');
    try testing.expectEqual(4, x.user_string(s, 0x10ffe, &buf, 64));
    try testing.expectEqualStrings("path\x00#", buf[0..6]);
    try testing.expectEqual(-36, x.user_string(s, 0x10ffe, &buf, 4));
    try testing.expectEqual(4, x.user_string(s, 0x10ffe, &buf, 5));
    try put(s, 0x11ffe, "xy");
    try testing.expectEqual(efault, x.user_string(s, 0x11ffe, &buf, 64));
    try testing.expectEqual(0x12000, x.mem_fault_addr());
    try testing.expectEqual(2, x.user_in(s, 0x11ffe, &buf, 2));
    try testing.expectEqual(-1, x.mem_fault_addr());
}

test "probe, zero, resident" {
    start();
    const s = try newSpace();
    try testing.expectEqual(3, x.space_map_zero(s, 0x10000, 3, rw));
    try testing.expectEqual(0, x.space_protect(s, 0x12000, 1, r));
    try testing.expectEqual(0x3000 - 5, x.user_probe(s, 0x10005, 0x10_0000, 0));
    try testing.expectEqual(0x2000 - 5, x.user_probe(s, 0x10005, 0x10_0000, 1));
    try testing.expectEqual(7, x.user_probe(s, 0x10005, 7, 1));
    try testing.expectEqual(0, x.user_probe(s, 0x13000, 7, 0));
    try testing.expectEqual(0, x.user_probe(s, 1 << 48, 1, 0));
    try put(s, 0x10ffe, "abcd");
    try testing.expectEqual(0x1fff, x.user_zero(s, 0x10001, 0x5000));
    try expectAt(s, 0x10ffe, "\x00\x00\x00\x00");
    var out: [5]u8 = undefined;
    try testing.expectEqual(3, x.space_resident(s, 0xf000, 5, &out));
    try testing.expectEqualSlices(u8, &.{ 0, 1, 1, 1, 0 }, &out);
}

test "atomic words" {
    start();
    const s = try newSpace();
    try testing.expectEqual(1, x.space_map_zero(s, 0x10000, 1, rw));
    var old: u32 = undefined;
    const op = struct {
        fn op(what: abi.Atomic) u32 {
            return @intFromEnum(what);
        }
    }.op;
    try testing.expectEqual(0, x.user_atomic32(s, 0x10004, op(.set), 0xf0, 0, &old));
    try testing.expectEqual(0, x.user_atomic32(s, 0x10004, op(.add), 0x0f, 0, &old));
    try testing.expectEqual(0xf0, old);
    try testing.expectEqual(0, x.user_atomic32(s, 0x10004, op(.andn), 0x0f, 0, &old));
    try testing.expectEqual(0xff, old);
    try testing.expectEqual(-11, x.user_atomic32(s, 0x10004, op(.cmpxchg), 1, 2, &old));
    try testing.expectEqual(0xf0, old);
    try testing.expectEqual(0, x.user_atomic32(s, 0x10004, op(.cmpxchg), 1, 0xf0, &old));
    try testing.expectEqual(0, x.user_atomic32(s, 0x10004, op(.load), 0, 0, &old));
    try testing.expectEqual(1, old);
    try testing.expectEqual(-22, x.user_atomic32(s, 0x10002, op(.load), 0, 0, &old));
    try testing.expectEqual(-22, x.user_atomic32(s, 0x10004, 8, 0, 0, &old));
    try testing.expectEqual(0, x.space_protect(s, 0x10000, 1, r));
    try testing.expectEqual(efault, x.user_atomic32(s, 0x10004, op(.set), 0, 0, &old));
    try testing.expectEqual(0, x.user_atomic32(s, 0x10004, op(.load), 0, 0, &old));
}
