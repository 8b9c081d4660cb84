//! Integer lane operations that several chapters share. Every one is generic over the vector type V, whose lanes are signed
//! or unsigned as the instruction reads them; what saturates sets FPSR.QC.

const std = @import("std");
const builtin = @import("builtin");
const abi = @import("../../abi.zig");
const regs = @import("regs.zig");

const Block = abi.RegisterBlock;

pub fn Child(comptime V: type) type {
    return @typeInfo(V).vector.child;
}

pub fn lanesOf(comptime V: type) comptime_int {
    return @typeInfo(V).vector.len;
}

pub fn widthOf(comptime V: type) comptime_int {
    return @bitSizeOf(Child(V));
}

pub fn isSigned(comptime V: type) bool {
    return @typeInfo(Child(V)).int.signedness == .signed;
}

/// V with other lanes of the same count.
pub fn With(comptime V: type, comptime T: type) type {
    return @Vector(lanesOf(V), T);
}

pub fn Unsigned(comptime V: type) type {
    return With(V, @Int(.unsigned, widthOf(V)));
}

pub fn Signed(comptime V: type) type {
    return With(V, @Int(.signed, widthOf(V)));
}

/// Lanes of twice the width, with the same signedness.
pub fn Wide(comptime V: type) type {
    return With(V, @Int(@typeInfo(Child(V)).int.signedness, 2 * widthOf(V)));
}

pub fn Narrow(comptime V: type) type {
    return With(V, @Int(@typeInfo(Child(V)).int.signedness, widthOf(V) / 2));
}

/// Lanes of half the width in the same number of bits.
pub fn Halves(comptime V: type) type {
    return @Vector(2 * lanesOf(V), @Int(@typeInfo(Child(V)).int.signedness, widthOf(V) / 2));
}

pub inline fn splat(comptime V: type, x: Child(V)) V {
    return @splat(x);
}

pub inline fn ones(comptime V: type, yes: With(V, bool)) V {
    return @select(Child(V), yes, splat(V, @bitCast(@as(@Int(.unsigned, widthOf(V)), std.math.maxInt(@Int(.unsigned, widthOf(V)))))), splat(V, 0));
}

/// Every lane by the same count, which must be below the width. The compiler may build shifts of 16- and 32-bit lanes from a
/// conversion to integer, which raises floating-point flags; the instruction itself does not.
pub inline fn shiftLeft(comptime V: type, a: V, count: u32) V {
    const width = widthOf(V);
    if (builtin.cpu.arch == .x86_64 and (width == 16 or width == 32) and lanesOf(V) > 1 and @bitSizeOf(V) <= 128) {
        const Bits = @Int(.unsigned, @bitSizeOf(V));
        const low: Bits = @bitCast(a);
        const in: regs.U64x2 = if (@bitSizeOf(V) == 128) @bitCast(low) else .{ low, 0 };
        const out = asm ((if (width == 16) "psllw" else "pslld") ++ " %[count], %[out]"
            : [out] "=x" (-> regs.U64x2),
            : [in] "0" (in),
              [count] "x" (regs.U64x2{ count, 0 }),
        );
        return @bitCast(if (@bitSizeOf(V) == 128) out else out[0]);
    }
    return a << @as(With(V, std.math.Log2Int(Child(V))), @splat(@intCast(count)));
}

/// By a count that the compiler knows.
pub inline fn shiftLeftConst(comptime V: type, a: V, comptime count: u32) V {
    return a << @as(With(V, std.math.Log2Int(Child(V))), @splat(count));
}

pub inline fn shiftRight(comptime V: type, a: V, count: u32) V {
    return a >> @as(With(V, std.math.Log2Int(Child(V))), @splat(@intCast(count)));
}

/// Shift right by 1 to width; `round` adds half first.
pub inline fn shiftRightImm(comptime V: type, a: V, count: u32, comptime round: bool) V {
    const x = shiftRight(V, a, count - 1);
    const one = splat(V, 1);
    const y = shiftRight(V, x, 1);
    return if (round) y +% (x & one) else y;
}

/// Clamps wide lanes into T and notes QC.
pub inline fn saturate(comptime T: type, r: *Block, wide: anytype) With(@TypeOf(wide), T) {
    const W = @TypeOf(wide);
    const low: W = @splat(@max(std.math.minInt(T), std.math.minInt(Child(W))));
    const high: W = @splat(@min(std.math.maxInt(T), std.math.maxInt(Child(W))));
    const clamped = @min(@max(wide, low), high);
    regs.noteSaturation(r, @reduce(.Or, clamped != wide));
    return @intCast(clamped);
}

/// The low or (`high`) high half of a register's lanes as a vector.
pub inline fn half(comptime V: type, comptime high: bool, r: *const Block, index: usize) V {
    comptime std.debug.assert(@bitSizeOf(V) == 64);
    return @bitCast(r.v[index][@intFromBool(high)]);
}

/// Writes 64 bits to the low half (clearing the high one) or to the high half (keeping the low one).
pub inline fn setHalf(comptime high: bool, r: *Block, index: usize, value: anytype) void {
    const x: u64 = @bitCast(value);
    if (high) {
        var v = regs.get(regs.U64x2, r, index);
        v[1] = x;
        regs.set(r, index, v);
    } else regs.set(r, index, x);
}

/// Every second lane of b:a, from `first` (0 or 1).
pub inline fn everySecond(comptime V: type, a: V, b: V, comptime first: i32) V {
    const n = lanesOf(V);
    comptime var mask: [n]i32 = undefined;
    inline for (0..n) |i| {
        const at = @as(i32, @intCast(2 * i)) + first;
        mask[i] = if (at < n) at else ~(at - n);
    }
    return @shuffle(Child(V), a, b, mask);
}

/// (a*b*2 + rounding) >> width, before saturation, in lanes of twice the width.
pub inline fn doublingHigh(comptime V: type, a: V, b: V, comptime round: bool) Wide(V) {
    const W = Wide(V);
    const p = @as(W, a) * @as(W, b);
    const q = if (round) p + splat(W, 1 << (widthOf(V) - 2)) else p;
    return shiftRight(W, q, widthOf(V) - 1);
}

/// SQRDMLAH and SQRDMLSH before saturation.
pub inline fn doublingAccumulate(comptime V: type, d: V, a: V, b: V, comptime subtract: bool) Wide(V) {
    const W = Wide(V);
    const p = @as(W, a) * @as(W, b);
    const base = shiftLeftConst(W, @as(W, d), widthOf(V) - 1) + splat(W, 1 << (widthOf(V) - 2));
    return shiftRight(W, if (subtract) base - p else base + p, widthOf(V) - 1);
}

/// Every lane by the same count; what does not fit becomes the limit.
pub inline fn shiftLeftSaturating(comptime V: type, r: *Block, a: V, count: u32) V {
    const T = Child(V);
    const x = shiftLeft(V, a, count);
    const over = shiftRight(V, x, count) != a;
    regs.noteSaturation(r, @reduce(.Or, over));
    const high = splat(V, std.math.maxInt(T));
    const limit = if (isSigned(V)) @select(T, a < splat(V, 0), ~high, high) else high;
    return @select(T, over, limit, x);
}

pub const ShiftKind = struct { round: bool = false, saturate: bool = false };

/// One lane of SSHL, URSHL, SQSHL and the others: left by a positive count, right by a negative one.
inline fn shiftLane(comptime T: type, comptime kind: ShiftKind, a: T, count: i8, saturated: *bool) T {
    const width = @bitSizeOf(T);
    const Count = std.math.Log2Int(T);
    if (count >= 0) {
        if (!kind.saturate) return if (count >= width) 0 else a << @as(Count, @intCast(count));
        if (a == 0) return 0;
        if (count < width) {
            const x = a << @as(Count, @intCast(count));
            if (x >> @as(Count, @intCast(count)) == a) return x;
        }
        saturated.* = true;
        return if (a < 0) std.math.minInt(T) else std.math.maxInt(T);
    }
    const right: u8 = @intCast(-@as(i16, count));
    const signed = @typeInfo(T).int.signedness == .signed;
    if (!kind.round) {
        if (right >= width) return if (signed) a >> (width - 1) else 0;
        return a >> @as(Count, @intCast(right));
    }
    if (right > width or (signed and right == width)) return 0;
    const x = a >> @as(Count, @intCast(right - 1));
    return (x >> 1) + (x & 1);
}

/// Shifts by register. Compilers fill the count vector with one value, so that case is done in whole vectors.
pub inline fn shiftByRegister(comptime V: type, comptime kind: ShiftKind, r: *Block, a: V, b: V) V {
    const T = Child(V);
    const n = lanesOf(V);
    const counts: [n]T = b;
    const first: i8 = @truncate(@as(@Int(.signed, @bitSizeOf(T)), @bitCast(counts[0])));
    if (n > 1 and first > -@as(i16, widthOf(V)) and first < widthOf(V) and @reduce(.And, b == splat(V, counts[0]))) {
        if (first < 0) return shiftRightImm(V, a, @intCast(-@as(i16, first)), kind.round);
        return if (kind.saturate) shiftLeftSaturating(V, r, a, @intCast(first)) else shiftLeft(V, a, @intCast(first));
    }
    return shiftEach(V, kind, r, a, counts);
}

noinline fn shiftEach(comptime V: type, comptime kind: ShiftKind, r: *Block, a: V, counts: [lanesOf(V)]Child(V)) V {
    const T = Child(V);
    const values: [lanesOf(V)]T = a;
    var out: [lanesOf(V)]T = undefined;
    var saturated = false;
    for (&out, values, counts) |*o, x, c| {
        const count: i8 = @truncate(@as(@Int(.signed, @bitSizeOf(T)), @bitCast(c)));
        o.* = shiftLane(T, kind, x, count, &saturated);
    }
    if (kind.saturate) regs.noteSaturation(r, saturated);
    return out;
}
