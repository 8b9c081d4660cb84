//! Vectors that translated Advanced SIMD reads from memory. They lie in the `Cpu`, where an instruction of the host reaches them.

const std = @import("std");
const core = @import("../simd/fp_core.zig");
const lanes = @import("../simd/fp_lanes.zig");
const layout = @import("layout.zig");
const x64 = @import("x64.zig");

const Bytes = [16]u8;

fn all(comptime x: u64) [2]u64 {
    return .{ x, x };
}

pub const Constants = extern struct {
    /// By the elements' size: only the sign, all but the sign, and one.
    signs: [4][2]u64 align(16) = .{ all(0x8080_8080_8080_8080), all(0x8000_8000_8000_8000), all(0x8000_0000_8000_0000), all(1 << 63) },
    tops: [4][2]u64 = .{ all(0x7f7f_7f7f_7f7f_7f7f), all(0x7fff_7fff_7fff_7fff), all(0x7fff_ffff_7fff_ffff), all((1 << 63) - 1) },
    ones: [4][2]u64 = .{ all(0x0101_0101_0101_0101), all(0x0001_0001_0001_0001), all(0x0000_0001_0000_0001), all(1) },
    /// In elements twice as wide as the size says: half of what their upper halves count.
    halves: [3][2]u64 = .{ all(0x0080_0080_0080_0080), all(0x0000_8000_0000_8000), all(0x8000_0000) },
    under_half: [1][2]u64 = .{all(0x7fff_ffff)},
    /// The lower half of a byte, and how many bits are set in it.
    low_nibble: Bytes = @splat(15),
    bits_of_nibbles: Bytes = .{ 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4 },
    /// Zeroes at the top of a byte that has this lower half, and no upper one, or this upper half.
    leading: [2][16]u8 = .{
        .{ 8, 7, 6, 6, 5, 5, 5, 5, 4, 4, 4, 4, 4, 4, 4, 4 },
        .{ 8, 3, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0 },
    },
    /// Bits of an element, by its size.
    widths: [2][2]u64 = .{ all(0x0808_0808_0808_0808), all(0x0010_0010_0010_0010) },
    /// Orders of bytes and of 16-bit elements: the even ones, then the odd ones.
    evens: [2][16]u8 = .{
        .{ 0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15 },
        .{ 0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15 },
    },
    /// What SHA-1 adds in its first three quarters, negated.
    sha1_less: [3][4]u32 = .{ @splat(~@as(u32, 0x5a82_7999) + 1), @splat(~@as(u32, 0x6ed9_eba1) + 1), @splat(~@as(u32, 0x8f1b_bcdc) + 1) },
    /// Of singles and of doubles: the sign of the lowest, the predecessors of 2^23 and 2^52 (above, all numbers are integral), and of infinity.
    lowest_sign: [2][2]u64 = .{ .{ 1 << 31, 0 }, .{ 1 << 63, 0 } },
    integral: [2][2]u64 = .{ all(0x4aff_ffff_4aff_ffff), all(0x432f_ffff_ffff_ffff) },
    finite: [2][2]u64 = .{ all(0x7f7f_ffff_7f7f_ffff), all(0x7fef_ffff_ffff_ffff) },
    /// Singles: 1.0 in the upper half, 2^31, 2^16.
    upper_ones: [1][2]u64 = .{.{ 0, 0x3f80_0000_3f80_0000 }},
    two31: [1][2]u64 = .{all(0x4f00_0000_4f00_0000)},
    two16: [1][2]u64 = .{all(0x4780_0000_4780_0000)},
    /// Doubles: 2^52 and 2^84, whose exponents go above the halves of a number, and their sum.
    two52: [1][2]u64 = .{all(0x4330_0000_0000_0000)},
    two84: [1][2]u64 = .{all(0x4530_0000_0000_0000)},
    two84_52: [1][2]u64 = .{all(0x4530_0000_0010_0000)},
    /// Twice the smallest normal single and double, and half.
    twice_least: [2][2]u64 = .{ all(1 << 24 | 1 << 56), all(1 << 53) },
    twice_least_half: [1][2]u64 = .{all(0x0800_0800_0800_0800)},
    /// What FPCR.FZ leaves alone (`flush_to_zero.zig`), by the reach of an operation.
    flushed: [2 * reaches.len][2]u64 = flushLimits(),
    /// 0xff shifted by 0 to 8, and a byte's sign shifted right by 0 to 7.
    left_bytes: [9]Bytes = eachByte(9, leftOf),
    right_bytes: [9]Bytes = eachByte(9, rightOf),
    sign_bytes: [8]Bytes = eachByte(8, signOf),
    /// By the log of the element's size: its lowest byte, the lowest element. The lower half of 32 bits.
    low_byte: [4]Bytes = .{ low(1), low(2), low(4), low(8) },
    element: [4]Bytes = .{ first(1), first(2), first(4), first(8) },
    low_half: Bytes = @bitCast(@as([4]u32, @splat(0xffff))),
    /// 1 << i; nothing from 8 on.
    powers: Bytes = .{ 1, 2, 4, 8, 16, 32, 64, 128 } ++ @as([8]u8, @splat(0)),
    /// Added with saturation: gives what is not in 0 to 15 its highest bit, by which it finds nothing in a table.
    beyond: Bytes = @splat(0x70),
    /// Of the least byte of 16 bits, both.
    spread: Bytes = .{ 0, 0, 2, 2, 4, 4, 6, 6, 8, 8, 10, 10, 12, 12, 14, 14 },
    /// Counts of shifts to exponents of powers (`variable.zig`), and the least counts that matter.
    eights: Bytes = @splat(8),
    sevens: Bytes = @splat(7),
    left_halves: Bytes = pairs(0, 0xf8),
    right_halves: Bytes = pairs(16, 8),
    least_bytes: Bytes = @splat(0xf8),
    least_halves: Bytes = @splat(0xf1),
    /// Into the next register of a table; the last index of one to four.
    sixteens: Bytes = @splat(16),
    last: [4]Bytes = .{ @splat(15), @splat(31), @splat(47), @splat(63) },
    /// Bytes backwards in 16, 32, 64 bits.
    reverse: [3]Bytes = .{ backwards(2), backwards(4), backwards(8) },
};

/// The one of a list with this number.
pub fn memory(comptime list: []const u8, number: usize) x64.XmmRm {
    var m = layout.cpuField("constants");
    m.disp += @offsetOf(Constants, list) + 16 * @as(i32, @intCast(number));
    return .{ .mem = m };
}

fn eachByte(comptime count: usize, comptime of: fn (n: u4) u8) [count]Bytes {
    var list: [count]Bytes = undefined;
    for (&list, 0..) |*b, n| b.* = @splat(of(n));
    return list;
}

fn leftOf(n: u4) u8 {
    return @truncate(@as(u32, 0xff) << n);
}
fn rightOf(n: u4) u8 {
    return @truncate(@as(u32, 0xff) >> n);
}
fn signOf(n: u4) u8 {
    return @truncate(@as(u32, 0x80) >> n);
}

pub const reaches = std.enums.values(lanes.Reach);

/// The last below the limits, for singles and for doubles, as `flush_to_zero.zig` compares: twice the magnitude less one, with the sign turned round.
fn flushLimits() [2 * reaches.len][2]u64 {
    var list: [2 * reaches.len][2]u64 = undefined;
    for ([_]*const core.Format{ &core.single, &core.double }, 0..) |f, kind| {
        for (reaches, 0..) |reach, i| {
            const field = if (reach == .quotient) lanes.highestDivisor(f) else lanes.lowest(f, reach);
            const below = (@as(u64, @intCast(field)) << (f.frac + 1)) - 2;
            const turned = below ^ @as(u64, 1) << @intCast(f.width - 1);
            list[reaches.len * kind + i] = all(if (f.width == 64) turned else turned << 32 | turned);
        }
    }
    return list;
}

/// `value` in one byte of each element.
fn at(size: usize, place: usize, value: u8) Bytes {
    var b: Bytes = @splat(0);
    var i = place;
    while (i < 16) : (i += size) b[i] = value;
    return b;
}

fn low(size: usize) Bytes {
    return at(size, 0, 0xff);
}

fn first(size: usize) Bytes {
    var b: Bytes = @splat(0);
    for (b[0..size]) |*x| x.* = 0xff;
    return b;
}

fn pairs(even: u8, odd: u8) Bytes {
    var b: Bytes = undefined;
    for (&b, 0..) |*x, i| x.* = if (i & 1 == 0) even else odd;
    return b;
}

fn backwards(size: usize) Bytes {
    var b: Bytes = undefined;
    for (&b, 0..) |*x, i| x.* = @intCast(i / size * size + size - 1 - i % size);
    return b;
}

test "constants are aligned as the host's instructions want them" {
    inline for (@typeInfo(Constants).@"struct".fields) |f| try std.testing.expectEqual(0, @offsetOf(Constants, f.name) % 16);
}
