//! The tables of CRC-32 (Arm ARM C6.2, CRC32B and CRC32CB), with which a sum takes all bytes of a word at once: what a byte does to it that has
//! k bytes behind it.

const std = @import("std");

pub const Tables = [8][256]u32;

/// Polynomials are bit-reversed.
pub const ieee = tables(0xedb8_8320);
pub const castagnoli = tables(0x82f6_3b78);

fn tables(comptime polynomial: u32) Tables {
    @setEvalBranchQuota(40_000);
    var all: Tables = undefined;
    for (&all[0], 0..) |*entry, i| {
        var sum: u32 = i;
        for (0..8) |_| sum = if (sum & 1 != 0) sum >> 1 ^ polynomial else sum >> 1;
        entry.* = sum;
    }
    for (1..8) |k| {
        for (&all[k], all[k - 1]) |*entry, before| entry.* = before >> 8 ^ all[0][before & 0xff];
    }
    return all;
}

/// The sum after the bytes of `data`, the lowest first.
pub inline fn update(comptime T: type, t: *const Tables, sum: u32, data: T) u32 {
    const bytes = @sizeOf(T);
    const mixed = @as(u64, data) ^ sum;
    var next: u32 = if (bytes < 4) sum >> (8 * bytes) else 0;
    inline for (0..bytes) |i| next ^= t[bytes - 1 - i][@as(u8, @truncate(mixed >> (8 * i)))];
    return next;
}

test "sums of what everybody sums" {
    const text = "123456789";
    for ([_]struct { *const Tables, u32 }{ .{ &ieee, 0xcbf4_3926 }, .{ &castagnoli, 0xe306_9283 } }) |case| {
        var sum: u32 = 0xffff_ffff;
        sum = update(u64, case[0], sum, std.mem.readInt(u64, text[0..8], .little));
        try std.testing.expectEqual(case[1], ~update(u8, case[0], sum, text[8]));
        sum = 0xffff_ffff;
        sum = update(u32, case[0], sum, std.mem.readInt(u32, text[0..4], .little));
        for ([_]usize{ 4, 6 }) |i| sum = update(u16, case[0], sum, std.mem.readInt(u16, text[i..][0..2], .little));
        try std.testing.expectEqual(case[1], ~update(u8, case[0], sum, text[8]));
    }
}
