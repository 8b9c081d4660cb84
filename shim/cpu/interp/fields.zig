//! Fields of instruction words, and the bit masks of logical immediates (Arm ARM, DecodeBitMasks).

const std = @import("std");
const core = @import("core.zig");

pub inline fn bits(insn: u32, comptime low: u5, comptime width: u6) u32 {
    return insn >> low & ((1 << width) - 1);
}

pub inline fn bit(insn: u32, comptime low: u5) bool {
    return insn >> low & 1 != 0;
}

pub inline fn signed(insn: u32, comptime low: u5, comptime width: u6) i64 {
    const S = @Int(.signed, width);
    return @as(S, @bitCast(@as(@Int(.unsigned, width), @truncate(insn >> low))));
}

/// The lane to read for register number r, 31 being zero.
pub inline fn source(r: u32) u8 {
    return if (r == 31) core.lane_zero else @intCast(r);
}

/// The lane to write for register number r, 31 being nowhere.
pub inline fn target(r: u32) u8 {
    return if (r == 31) core.lane_sink else @intCast(r);
}

/// The lane of register number r, 31 being sp.
pub inline fn orSp(r: u32) u8 {
    return @intCast(r);
}

pub inline fn rd(insn: u32) u32 {
    return bits(insn, 0, 5);
}
pub inline fn rn(insn: u32) u32 {
    return bits(insn, 5, 5);
}
pub inline fn ra(insn: u32) u32 {
    return bits(insn, 10, 5);
}
pub inline fn rm(insn: u32) u32 {
    return bits(insn, 16, 5);
}

pub const Masks = struct { wmask: u64, tmask: u64 };

/// Null for reserved values.
pub fn bitMasks(n: u32, imms: u32, immr: u32, immediate: bool) ?Masks {
    const key: u32 = n << 6 | (~imms & 0x3f);
    if (key < 2) return null;
    const len: u5 = @intCast(31 - @clz(key));
    const size: u32 = @as(u32, 1) << len;
    const levels = size - 1;
    if (immediate and imms & levels == levels) return null;
    const s = imms & levels;
    const r = immr & levels;
    const d = (s -% r) & levels;
    return .{
        .wmask = repeat(std.math.rotr(u64, spread(s), 0), r, size),
        .tmask = repeat(spread(d), 0, size),
    };
}

/// The lowest s + 1 bits.
fn spread(s: u32) u64 {
    return @as(u64, std.math.maxInt(u64)) >> @intCast(63 - s);
}

/// An element of `size` bits, rotated right by r, all over.
fn repeat(element: u64, r: u32, size: u32) u64 {
    const mask = spread(size - 1);
    const e = if (r == 0) element else (element >> @intCast(r) | element << @intCast(size - r)) & mask;
    var out = e;
    var width = size;
    while (width < 64) : (width *= 2) out |= out << @intCast(width);
    return out;
}

test "logical immediates" {
    const eq = std.testing.expectEqual;
    try eq(0xff, bitMasks(1, 7, 0, true).?.wmask);
    try eq(0x5555555555555555, bitMasks(0, 0x3c, 0, true).?.wmask);
    try eq(0xaaaaaaaaaaaaaaaa, bitMasks(0, 0x3c, 1, true).?.wmask);
    try eq(0x8000000000000000, bitMasks(1, 0, 1, true).?.wmask);
    try eq(0xfffffffffffffff0, bitMasks(1, 59, 60, true).?.wmask);
    try eq(0x0000ffff0000ffff, bitMasks(0, 0x0f, 0, true).?.wmask);
    try eq(null, bitMasks(1, 63, 0, true));
    try eq(null, bitMasks(0, 0x3f, 0, true));
}
