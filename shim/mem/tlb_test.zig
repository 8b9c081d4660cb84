//! The soft TLB: what hits, what misses, and that no right survives in it.

const std = @import("std");
const testing = std.testing;
const abi = @import("../abi.zig");
const mem = @import("mem.zig");
const x = @import("exports.zig");

const Tlb = mem.Tlb;
const page = mem.frames.page_size;
const rw = abi.prot_read | abi.prot_write;

const Setup = struct {
    space: u32,
    tlb: *Tlb,

    /// Two pages at 0x10000, read-write, and an empty TLB bound to their space.
    fn init() !Setup {
        x.mem_reset();
        try testing.expectEqual(0, x.mem_init(0, 64 << 20));
        const s: u32 = @intCast(x.space_create());
        try testing.expectEqual(2, x.space_map_zero(s, 0x10000, 2, rw));
        const t = try testing.allocator.create(Tlb);
        t.* = std.mem.zeroes(Tlb);
        t.init();
        t.bind(s);
        return .{ .space = s, .tlb = t };
    }

    fn deinit(s: Setup) void {
        s.tlb.deinit();
        testing.allocator.destroy(s.tlb);
    }

    fn hostOf(s: Setup, addr: usize) [*]u8 {
        const frame: u32 = @intCast(x.space_frame(s.space, addr));
        return @as([*]u8, @ptrFromInt(x.frame_ptr(frame))) + addr % page;
    }
};

test "a filled page hits for every size and offset; what leaves the page misses" {
    const s = try Setup.init();
    defer s.deinit();
    try testing.expectEqual(null, s.tlb.readPtr(u8, 0x10000));
    try testing.expectEqual(s.hostOf(0x10123), s.tlb.fill(0x10123, .read).?);
    try testing.expectEqual(s.hostOf(0x11000), s.tlb.fill(0x11000, .write).?);
    inline for (.{ u8, u16, u32, u64, [2]u64, [8]u64 }) |T| {
        for ([_]usize{ 0, 1, 3, 4, 63, page - @sizeOf(T) }) |offset| {
            const p: *const anyopaque = s.tlb.readPtr(T, 0x10000 + offset).?;
            try testing.expectEqual(@as(*const anyopaque, s.hostOf(0x10000 + offset)), p);
            try testing.expect(s.tlb.writePtr(T, 0x11000 + offset) != null);
        }
        for (page - @sizeOf(T) + 1..page) |offset| {
            try testing.expect(s.tlb.readPtr(T, 0x10000 + offset) == null);
            try testing.expect(s.tlb.writePtr(T, 0x10000 + offset) == null);
        }
    }
    try testing.expectEqual(null, s.tlb.readPtr(u64, std.math.maxInt(u64) - 3));
}

test "the top byte is ignored, bits 55..48 are not" {
    const s = try Setup.init();
    defer s.deinit();
    const tagged = 0xab << 56 | 0x10040;
    try testing.expectEqual(s.hostOf(0x10040), s.tlb.fill(tagged, .write).?);
    try testing.expectEqual(@intFromPtr(s.hostOf(0x10040)), @intFromPtr(s.tlb.readPtr(u64, tagged).?));
    for (48..56) |bit| try testing.expectEqual(null, s.tlb.fill(0x10040 | @as(u64, 1) << @intCast(bit), .read));
    // One tag's entry does not serve another tag, but is dropped with the page all the same.
    try testing.expectEqual(null, s.tlb.readPtr(u64, 0x10040));
    try testing.expectEqual(0, x.space_unmap(s.space, 0x10000, 1));
    try testing.expectEqual(null, s.tlb.readPtr(u64, tagged));
    try testing.expectEqual(null, s.tlb.fill(tagged, .read));
}

test "lost rights leave the TLB: protect, unmap, move, map, fork, copy" {
    const s = try Setup.init();
    defer s.deinit();
    const t = s.tlb;
    _ = t.fill(0x10000, .write).?;
    _ = t.fill(0x11000, .write).?;
    try testing.expectEqual(0, x.space_protect(s.space, 0x10000, 1, abi.prot_read));
    try testing.expectEqual(null, t.writePtr(u8, 0x10000));
    try testing.expectEqual(null, t.fill(0x10000, .write));
    _ = t.fill(0x10000, .read).?;
    try testing.expectEqual(null, t.writePtr(u8, 0x10000));
    try testing.expect(t.writePtr(u8, 0x11000) != null);

    const child: u32 = @intCast(x.space_fork(s.space));
    try testing.expectEqual(null, t.writePtr(u8, 0x11000));
    const before = t.fill(0x11000, .read).?;
    try testing.expectEqual(0, x.space_cow(s.space, 0x11000, rw));
    try testing.expectEqual(null, t.readPtr(u8, 0x11000));
    try testing.expect(t.fill(0x11000, .write).? != before);

    try testing.expectEqual(0, x.space_move(s.space, 0x11000, 0x50000, 1));
    try testing.expectEqual(null, t.readPtr(u8, 0x11000));
    _ = t.fill(0x50000, .write).?;
    const frame: u32 = @intCast(x.space_frame(child, 0x10000));
    try testing.expectEqual(0, x.space_map(s.space, 0x50000, frame, 1, rw));
    try testing.expectEqual(null, t.readPtr(u8, 0x50000));
    try testing.expectEqual(s.hostOf(0x50000), t.fill(0x50000, .read).?);
    try testing.expectEqual(0, x.space_unmap(s.space, 0, 1000));
    try testing.expectEqual(null, t.readPtr(u8, 0x50000));
}

test "spaces do not see each other's entries, and find their own again" {
    const s = try Setup.init();
    defer s.deinit();
    const t = s.tlb;
    const other: u32 = @intCast(x.space_create());
    _ = t.fill(0x10000, .write).?;
    t.bind(other);
    try testing.expectEqual(null, t.readPtr(u8, 0x10000));
    try testing.expectEqual(null, t.fill(0x10000, .read));
    t.bind(s.space);
    try testing.expect(t.writePtr(u8, 0x10000) != null);
    x.space_destroy(s.space);
    try testing.expectEqual(null, t.readPtr(u8, 0x10000));
    try testing.expectEqual(null, t.fill(0x10000, .read));
    // The handle is used again: nothing of the old space may show.
    try testing.expectEqual(@as(i32, @intCast(s.space)), x.space_create());
    t.bind(s.space);
    try testing.expectEqual(null, t.readPtr(u8, 0x10000));
    t.bind(9999);
    try testing.expectEqual(null, t.fill(0x10000, .read));
}

test "contexts run out and are recycled" {
    const s = try Setup.init();
    defer s.deinit();
    const t = s.tlb;
    const second = try testing.allocator.create(Tlb);
    defer testing.allocator.destroy(second);
    second.* = std.mem.zeroes(Tlb);
    second.init();
    defer second.deinit();
    second.bind(s.space);
    // An empty space that keeps the context it was given first.
    const empty: u32 = @intCast(x.space_create());
    t.bind(empty);
    for (0..9000) |round| {
        const child: u32 = @intCast(x.space_fork(s.space));
        t.bind(child);
        const p = t.fill(0x10000, .read).?;
        try testing.expectEqual(p, t.fill(0x10000, .read).?);
        try testing.expectEqual(null, t.writePtr(u8, 0x10000));
        t.bind(empty);
        try testing.expectEqual(null, t.readPtr(u8, 0x10000));
        if (round % 7 == 0) _ = second.fill(0x11000, .read).?;
        if (second.readPtr(u8, 0x11000)) |q| try testing.expectEqual(@intFromPtr(s.hostOf(0x11000)), @intFromPtr(q));
        t.bind(s.space);
        try testing.expectEqual(0, x.space_cow(child, 0x10000, rw));
        x.space_destroy(child);
        if (t.readPtr(u8, 0x10000)) |q| try testing.expectEqual(@intFromPtr(s.hostOf(0x10000)), @intFromPtr(q));
    }
}

test "translate checks the access and tells the frame" {
    const s = try Setup.init();
    defer s.deinit();
    const at = 0x10ffc;
    try testing.expectEqual(null, mem.translate(s.space, at, .exec));
    try testing.expectEqual(0, x.space_protect(s.space, 0x10000, 1, abi.prot_exec));
    const found = mem.translate(s.space, at, .exec).?;
    try testing.expectEqual(s.hostOf(at), found.ptr);
    try testing.expectEqual(x.space_frame(s.space, at), @as(i32, @intCast(found.frame)));
    try testing.expectEqual(null, mem.translate(s.space, at, .write));
    try testing.expectEqual(null, mem.translate(s.space, 1 << 48 | at, .exec));
    try testing.expectEqual(null, mem.translate(77, at, .exec));
}

var changed: [8]u32 = undefined;
var changes: usize = 0;

fn noteChange(frame: u32) void {
    changed[changes % changed.len] = frame;
    changes += 1;
}

test "decoded code is dropped when its frame is written, freed, or made executable again" {
    const s = try Setup.init();
    defer s.deinit();
    mem.frames.codeChanged = noteChange;
    defer mem.frames.codeChanged = null;
    changes = 0;
    const frame: u32 = @intCast(x.space_frame(s.space, 0x10000));
    const info = &mem.frames.info[frame];
    const expectChange = struct {
        fn expect(f: *mem.frames.Info, number: u32, n: usize) !void {
            try testing.expectEqual(n, changes);
            try testing.expectEqual(number, changed[n - 1]);
            try testing.expect(!f.has_code);
            f.has_code = true;
        }
    }.expect;
    info.has_code = true;
    try testing.expectEqual(1, x.user_out(s.space, 0x10005, "x", 1));
    try expectChange(info, frame, 1);
    try testing.expectEqual(1, x.user_zero(s.space, 0x10005, 1));
    try expectChange(info, frame, 2);
    x.mem_zero(@ptrCast(mem.frames.ptr(frame)), 4);
    try expectChange(info, frame, 3);
    try testing.expectEqual(0, x.space_protect(s.space, 0x10000, 1, abi.prot_exec));
    try expectChange(info, frame, 4);
    var buf: [4]u8 = undefined;
    try testing.expectEqual(4, x.user_in(s.space, 0x10000, &buf, 4));
    try testing.expectEqual(0, x.space_protect(s.space, 0x10000, 1, rw));
    try testing.expectEqual(4, changes);
    try testing.expectEqual(0, x.space_unmap(s.space, 0x10000, 1));
    try testing.expectEqual(5, changes);
    mem.frames.codeChanged = null;
}
