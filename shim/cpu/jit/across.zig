//! Translation of Advanced SIMD between the lanes of a register: sums and extremes of neighbours or of all, dot products; and of
//! leading bits. As simd.zig otherwise.

const fields = @import("../interp/fields.zig");
const lanes = @import("lanes.zig");
const simd = @import("simd.zig");
const sse = @import("sse.zig");
const x64 = @import("x64.zig");
const Translator = @import("translate.zig").Translator;

const Xmm = x64.Xmm;
const rd = fields.rd;
const rn = fields.rn;
const rm = fields.rm;
const bit = fields.bit;
const bits = fields.bits;
const copy = simd.copy;
const finish = simd.finish;
const move = sse.move;
const op = sse.op;
const shift = sse.shift;
const shuffle = sse.shuffle;
const sizeOf = simd.sizeOf;

/// xmm0 = sums of neighbours in n, twice as wide. Uses xmm1.
fn pairs(t: *Translator, insn: u32, signed: bool) void {
    const n = t.copies.get(&t.a, rn(insn));
    const size = sizeOf(insn);
    if (size == 0) {
        // The host multiplies bytes without a sign by bytes that have one.
        t.a.sse(.none, 0x28, .xmm0, if (signed) sse.constant("ones", 0) else .{ .xmm = n });
        t.a.sse38(0x04, .xmm0, if (signed) .{ .xmm = n } else sse.constant("ones", 0));
    } else if (!signed) {
        move(t, .xmm0, n);
        move(t, .xmm1, n);
        const width = @as(u8, 8) << size;
        shift(t, size + 1, 6, .xmm0, width);
        shift(t, size + 1, 2, .xmm0, width);
        shift(t, size + 1, 2, .xmm1, width);
        op(t, sse.adds[@as(usize, size) + 1], .xmm0, .xmm1);
    } else if (size == 1) {
        move(t, .xmm0, n);
        sse.with(t, 0xf5, .xmm0, "ones", 1);
    } else {
        shuffle(t, .xmm0, n, 0x08);
        shuffle(t, .xmm1, n, 0x0d);
        sse.widen(t, 2, .xmm0, .xmm0, true);
        sse.widen(t, 2, .xmm1, .xmm1, true);
        op(t, 0xd4, .xmm0, .xmm1);
    }
}

fn addPairs(t: *Translator, insn: u32, signed: bool, accumulates: bool) bool {
    pairs(t, insn, signed);
    if (accumulates) op(t, sse.adds[@as(usize, sizeOf(insn)) + 1], .xmm0, t.copies.get(&t.a, rd(insn)));
    return finish(t, insn);
}

pub fn SADDLP(t: *Translator, insn: u32) bool {
    return addPairs(t, insn, true, false);
}
pub fn UADDLP(t: *Translator, insn: u32) bool {
    return addPairs(t, insn, false, false);
}
pub fn SADALP(t: *Translator, insn: u32) bool {
    return addPairs(t, insn, true, true);
}
pub fn UADALP(t: *Translator, insn: u32) bool {
    return addPairs(t, insn, false, true);
}

/// The lowest of xmm0's 32-bit elements becomes the sum of all, or (of a 64-bit form) of the lower two. Uses xmm1.
fn fold(t: *Translator, insn: u32) void {
    if (bit(insn, 30)) {
        shuffle(t, .xmm1, .xmm0, 0x4e);
        op(t, 0xfe, .xmm0, .xmm1);
    }
    shuffle(t, .xmm1, .xmm0, 0xb1);
    op(t, 0xfe, .xmm0, .xmm1);
}

/// xmm0 = the sum of all bytes of register n, in 16 bits.
fn sumOfBytes(t: *Translator, insn: u32) void {
    if (bit(insn, 30)) copy(t, .xmm0, rn(insn)) else t.copies.low(&t.a, rn(insn), .d, .xmm0);
    sse.zeroes(t, .xmm1);
    op(t, 0xf6, .xmm0, .xmm1);
    if (!bit(insn, 30)) return;
    shuffle(t, .xmm1, .xmm0, 0xee);
    op(t, 0xfe, .xmm0, .xmm1);
}

fn sum(t: *Translator, insn: u32, signed: bool) bool {
    const size = sizeOf(insn);
    if (size == 0 and !signed) {
        sumOfBytes(t, insn);
        return lanes.scalar(t, insn, 2);
    }
    pairs(t, insn, signed);
    if (size == 2) {
        shuffle(t, .xmm1, .xmm0, 0xee);
        op(t, 0xd4, .xmm0, .xmm1);
        return lanes.scalar(t, insn, 8);
    }
    if (size == 0) sse.with(t, 0xf5, .xmm0, "ones", 1);
    fold(t, insn);
    return lanes.scalar(t, insn, @as(u8, 2) << size);
}

pub fn SADDLV(t: *Translator, insn: u32) bool {
    return sum(t, insn, true);
}
pub fn UADDLV(t: *Translator, insn: u32) bool {
    return sum(t, insn, false);
}
pub fn ADDV(t: *Translator, insn: u32) bool {
    switch (sizeOf(insn)) {
        0 => sumOfBytes(t, insn),
        1 => {
            pairs(t, insn, true);
            fold(t, insn);
        },
        else => {
            copy(t, .xmm0, rn(insn));
            fold(t, insn);
        },
    }
    return lanes.scalar(t, insn, @as(u8, 1) << sizeOf(insn));
}

/// Makes an extreme of xmm0 the least without signs, or the other way round. Uses xmm1.
fn flip(t: *Translator, size: u2, signed: bool, greatest: bool) void {
    if (!signed) return if (greatest) lanes.invert(t);
    t.a.sse(.p66, 0xef, .xmm0, if (greatest) sse.constant("tops", size) else sse.constant("signs", size));
}

/// The host finds the least of 16-bit elements without signs.
fn extreme(t: *Translator, insn: u32, signed: bool, greatest: bool) bool {
    const size = sizeOf(insn);
    copy(t, .xmm0, rn(insn));
    if (size == 2) {
        for ([_]u8{ 0x4e, 0xb1 }) |order| {
            shuffle(t, .xmm1, .xmm0, order);
            sse.limit(t, size, signed, greatest, .xmm0, .xmm1);
        }
        return lanes.scalar(t, insn, 4);
    }
    if (!bit(insn, 30)) op(t, 0x6c, .xmm0, .xmm0);
    flip(t, size, signed, greatest);
    if (size == 0) {
        move(t, .xmm1, .xmm0);
        shift(t, 1, 2, .xmm1, 8);
        op(t, 0xda, .xmm0, .xmm1);
        sse.with(t, 0xdb, .xmm0, "low_byte", 1);
    }
    t.a.sse38(0x41, .xmm0, .{ .xmm = .xmm0 });
    flip(t, size, signed, greatest);
    return lanes.scalar(t, insn, @as(u8, 1) << size);
}

pub fn SMAXV(t: *Translator, insn: u32) bool {
    return extreme(t, insn, true, true);
}
pub fn UMAXV(t: *Translator, insn: u32) bool {
    return extreme(t, insn, false, true);
}
pub fn SMINV(t: *Translator, insn: u32) bool {
    return extreme(t, insn, true, false);
}
pub fn UMINV(t: *Translator, insn: u32) bool {
    return extreme(t, insn, false, false);
}

/// The even elements of n and m against the odd ones.
fn extremes(t: *Translator, insn: u32, signed: bool, greatest: bool) bool {
    const size = sizeOf(insn);
    const m = t.copies.get(&t.a, rm(insn));
    copy(t, .xmm0, rn(insn));
    if (size == 2) {
        move(t, .xmm1, .xmm0);
        t.a.sse(.none, 0xc6, .xmm0, .{ .xmm = m });
        t.a.imm8(0x88);
        t.a.sse(.none, 0xc6, .xmm1, .{ .xmm = m });
        t.a.imm8(0xdd);
        sse.limit(t, size, signed, greatest, .xmm0, .xmm1);
        return lanes.paired(t, insn);
    }
    move(t, .xmm1, m);
    sse.with38(t, 0x00, .xmm0, "evens", size);
    sse.with38(t, 0x00, .xmm1, "evens", size);
    move(t, .xmm15, .xmm0);
    op(t, 0x6c, .xmm0, .xmm1);
    op(t, 0x6d, .xmm15, .xmm1);
    sse.limit(t, size, signed, greatest, .xmm0, .xmm15);
    return lanes.paired(t, insn);
}

pub fn SMAXP(t: *Translator, insn: u32) bool {
    return extremes(t, insn, true, true);
}
pub fn UMAXP(t: *Translator, insn: u32) bool {
    return extremes(t, insn, false, true);
}
pub fn SMINP(t: *Translator, insn: u32) bool {
    return extremes(t, insn, true, false);
}
pub fn UMINP(t: *Translator, insn: u32) bool {
    return extremes(t, insn, false, false);
}

const Half = enum { even, odd };

/// The even or odd bytes of xmm `x` as 16-bit numbers.
fn bytes(t: *Translator, x: Xmm, signed: bool, which: Half) void {
    if (which == .even) {
        if (!signed) return sse.with(t, 0xdb, x, "low_byte", 1);
        shift(t, 1, 6, x, 8);
    }
    shift(t, 1, if (signed) 4 else 2, x, 8);
}

/// dst = products of those bytes of n and m (of m in another order of its 32 bits), each added to the next. Uses xmm1.
fn products(t: *Translator, insn: u32, dst: Xmm, n_signed: bool, m_signed: bool, order: u8, which: Half) void {
    const m = t.copies.get(&t.a, rm(insn));
    copy(t, dst, rn(insn));
    if (order == in_order) move(t, .xmm1, m) else shuffle(t, .xmm1, m, order);
    bytes(t, dst, n_signed, which);
    bytes(t, .xmm1, m_signed, which);
    op(t, 0xf5, dst, .xmm1);
}

const in_order = 0xe4;

fn dot(t: *Translator, insn: u32, n_signed: bool, m_signed: bool, element: bool) bool {
    const index: u8 = @intCast(bits(insn, 11, 1) << 1 | bits(insn, 21, 1));
    const order: u8 = if (element) index * 0x55 else in_order;
    products(t, insn, .xmm0, n_signed, m_signed, order, .even);
    products(t, insn, .xmm15, n_signed, m_signed, order, .odd);
    op(t, 0xfe, .xmm0, .xmm15);
    op(t, 0xfe, .xmm0, t.copies.get(&t.a, rd(insn)));
    return finish(t, insn);
}

/// Two rows of n by two of m, each of eight bytes.
fn matrix(t: *Translator, insn: u32, n_signed: bool, m_signed: bool) bool {
    const other = t.copies.spare();
    for ([_]Xmm{ .xmm0, .xmm15 }, [_]u8{ 0x44, 0xee }) |dst, order| {
        products(t, insn, dst, n_signed, m_signed, order, .even);
        products(t, insn, other, n_signed, m_signed, order, .odd);
        op(t, 0xfe, dst, other);
    }
    t.a.sse38(0x02, .xmm0, .{ .xmm = .xmm15 });
    shuffle(t, .xmm0, .xmm0, 0xd8);
    op(t, 0xfe, .xmm0, t.copies.get(&t.a, rd(insn)));
    t.copies.put(&t.a, rd(insn), .xmm0, .no);
    return true;
}

pub fn SMMLA(t: *Translator, insn: u32) bool {
    return matrix(t, insn, true, true);
}
pub fn UMMLA(t: *Translator, insn: u32) bool {
    return matrix(t, insn, false, false);
}
pub fn USMMLA(t: *Translator, insn: u32) bool {
    return matrix(t, insn, false, true);
}

pub fn SDOT(t: *Translator, insn: u32) bool {
    return dot(t, insn, true, true, false);
}
pub fn UDOT(t: *Translator, insn: u32) bool {
    return dot(t, insn, false, false, false);
}
pub fn USDOT(t: *Translator, insn: u32) bool {
    return dot(t, insn, false, true, false);
}
pub fn SDOT_e(t: *Translator, insn: u32) bool {
    return dot(t, insn, true, true, true);
}
pub fn UDOT_e(t: *Translator, insn: u32) bool {
    return dot(t, insn, false, false, true);
}
pub fn USDOT_e(t: *Translator, insn: u32) bool {
    return dot(t, insn, false, true, true);
}
pub fn SUDOT_e(t: *Translator, insn: u32) bool {
    return dot(t, insn, true, false, true);
}

/// Zeroes at the top of each element of xmm0, which are the upper half's where that is not zero. Uses xmm1 and xmm15.
fn leading(t: *Translator, size: u2) void {
    move(t, .xmm1, .xmm0);
    shift(t, 1, 2, .xmm1, 4);
    sse.with(t, 0xdb, .xmm0, "low_nibble", 0);
    sse.with(t, 0xdb, .xmm1, "low_nibble", 0);
    sse.load(t, .xmm15, "leading", 0);
    t.a.sse38(0x00, .xmm15, .{ .xmm = .xmm0 });
    sse.load(t, .xmm0, "leading", 1);
    t.a.sse38(0x00, .xmm0, .{ .xmm = .xmm1 });
    op(t, 0xda, .xmm0, .xmm15);
    for (0..size) |log| {
        const width = @as(u8, 8) << @intCast(log);
        sse.load(t, .xmm15, "widths", log);
        op(t, if (log == 0) 0x74 else 0x75, .xmm15, .xmm0);
        shift(t, @intCast(log + 1), 2, .xmm15, width);
        op(t, 0xdb, .xmm15, .xmm0);
        shift(t, @intCast(log + 1), 2, .xmm0, width);
        op(t, sse.adds[log + 1], .xmm0, .xmm15);
    }
}

pub fn CLZ_v(t: *Translator, insn: u32) bool {
    copy(t, .xmm0, rn(insn));
    leading(t, sizeOf(insn));
    return finish(t, insn);
}

/// Bits like the sign behind it: the zeroes where it is inverted with the sign, but for the first.
pub fn CLS_v(t: *Translator, insn: u32) bool {
    copy(t, .xmm0, rn(insn));
    sse.negative(t, sizeOf(insn), .xmm1, .xmm0);
    op(t, 0xef, .xmm0, .xmm1);
    leading(t, sizeOf(insn));
    sse.ones(t, .xmm1);
    op(t, sse.adds[sizeOf(insn)], .xmm0, .xmm1);
    return finish(t, insn);
}
