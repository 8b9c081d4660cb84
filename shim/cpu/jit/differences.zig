//! Translation of Advanced SIMD sums and differences of lanes that do not wrap: absolute differences, halves, high halves. As simd.zig
//! otherwise.

const fields = @import("../interp/fields.zig");
const lanes = @import("lanes.zig");
const simd = @import("simd.zig");
const sse = @import("sse.zig");
const Translator = @import("translate.zig").Translator;

const rd = fields.rd;
const rn = fields.rn;
const rm = fields.rm;
const bit = fields.bit;
const copy = simd.copy;
const finish = simd.finish;
const move = sse.move;
const op = sse.op;
const shift = sse.shift;
const sizeOf = simd.sizeOf;

/// xmm0 = the absolute difference of n and m. Uses xmm1.
fn difference(t: *Translator, insn: u32, signed: bool) void {
    const n = t.copies.get(&t.a, rn(insn));
    const m = t.copies.get(&t.a, rm(insn));
    move(t, .xmm0, n);
    move(t, .xmm1, n);
    sse.limit(t, sizeOf(insn), signed, true, .xmm0, m);
    sse.limit(t, sizeOf(insn), signed, false, .xmm1, m);
    op(t, sse.subtracts[sizeOf(insn)], .xmm0, .xmm1);
}

fn near(t: *Translator, insn: u32, signed: bool, accumulates: bool) bool {
    difference(t, insn, signed);
    if (accumulates) op(t, sse.adds[sizeOf(insn)], .xmm0, t.copies.get(&t.a, rd(insn)));
    return finish(t, insn);
}

pub fn SABD(t: *Translator, insn: u32) bool {
    return near(t, insn, true, false);
}
pub fn UABD(t: *Translator, insn: u32) bool {
    return near(t, insn, false, false);
}
pub fn SABA(t: *Translator, insn: u32) bool {
    return near(t, insn, true, true);
}
pub fn UABA(t: *Translator, insn: u32) bool {
    return near(t, insn, false, true);
}

/// The same of the lower or upper halves, twice as wide: a difference has no sign.
fn long(t: *Translator, insn: u32, signed: bool, accumulates: bool) bool {
    const size: usize = sizeOf(insn);
    difference(t, insn, signed);
    if (bit(insn, 30)) {
        sse.zeroes(t, .xmm1);
        sse.unpack(t, sizeOf(insn), .xmm0, .xmm1, true);
    } else sse.widen(t, sizeOf(insn), .xmm0, .xmm0, false);
    if (accumulates) op(t, sse.adds[size + 1], .xmm0, t.copies.get(&t.a, rd(insn)));
    t.copies.put(&t.a, rd(insn), .xmm0, .no);
    return true;
}

pub fn SABDL(t: *Translator, insn: u32) bool {
    return long(t, insn, true, false);
}
pub fn UABDL(t: *Translator, insn: u32) bool {
    return long(t, insn, false, false);
}
pub fn SABAL(t: *Translator, insn: u32) bool {
    return long(t, insn, true, true);
}
pub fn UABAL(t: *Translator, insn: u32) bool {
    return long(t, insn, false, true);
}

/// xmm0 = (n + m + 1) / 2, downwards. Uses xmm1. Of bytes the host has no shift, but an average without signs.
fn average(t: *Translator, insn: u32, signed: bool) void {
    const size = sizeOf(insn);
    const n = t.copies.get(&t.a, rn(insn));
    const m = t.copies.get(&t.a, rm(insn));
    move(t, .xmm0, n);
    if (size == 0 and signed) {
        move(t, .xmm1, m);
        sse.with(t, 0xef, .xmm0, "signs", 0);
        sse.with(t, 0xef, .xmm1, "signs", 0);
        op(t, 0xe0, .xmm0, .xmm1);
        sse.with(t, 0xef, .xmm0, "signs", 0);
    } else if (size < 2 and !signed) {
        op(t, if (size == 0) 0xe0 else 0xe3, .xmm0, m);
    } else {
        move(t, .xmm1, n);
        op(t, 0xeb, .xmm0, m);
        op(t, 0xef, .xmm1, m);
        shift(t, size, if (signed) 4 else 2, .xmm1, 1);
        op(t, sse.subtracts[size], .xmm0, .xmm1);
    }
}

pub fn SRHADD(t: *Translator, insn: u32) bool {
    average(t, insn, true);
    return finish(t, insn);
}
pub fn URHADD(t: *Translator, insn: u32) bool {
    average(t, insn, false);
    return finish(t, insn);
}

/// (n + m) / 2: what they have in common, and half of the rest.
fn half(t: *Translator, insn: u32, signed: bool) bool {
    const size = sizeOf(insn);
    const n = t.copies.get(&t.a, rn(insn));
    const m = t.copies.get(&t.a, rm(insn));
    if (size == 0) average(t, insn, signed) else move(t, .xmm0, n);
    move(t, .xmm1, n);
    op(t, 0xef, .xmm1, m);
    if (size == 0) {
        sse.with(t, 0xdb, .xmm1, "ones", 0);
        op(t, sse.subtracts[0], .xmm0, .xmm1);
    } else {
        shift(t, size, if (signed) 4 else 2, .xmm1, 1);
        op(t, 0xdb, .xmm0, m);
        op(t, sse.adds[size], .xmm0, .xmm1);
    }
    return finish(t, insn);
}

pub fn SHADD(t: *Translator, insn: u32) bool {
    return half(t, insn, true);
}
pub fn UHADD(t: *Translator, insn: u32) bool {
    return half(t, insn, false);
}

/// (n - m) / 2 = n - (n + m + 1) / 2
fn halfLess(t: *Translator, insn: u32, signed: bool) bool {
    average(t, insn, signed);
    copy(t, .xmm1, rn(insn));
    op(t, sse.subtracts[sizeOf(insn)], .xmm1, .xmm0);
    move(t, .xmm0, .xmm1);
    return finish(t, insn);
}

pub fn SHSUB(t: *Translator, insn: u32) bool {
    return halfLess(t, insn, true);
}
pub fn UHSUB(t: *Translator, insn: u32) bool {
    return halfLess(t, insn, false);
}

/// The upper halves of sums or differences become d's lower (or, of the second form, upper) half.
fn high(t: *Translator, insn: u32, ops: [4]u8, rounds: bool) bool {
    const size: usize = sizeOf(insn);
    const m = t.copies.get(&t.a, rm(insn));
    copy(t, .xmm0, rn(insn));
    op(t, ops[size + 1], .xmm0, m);
    if (rounds) sse.with(t, sse.adds[size + 1], .xmm0, "halves", size);
    switch (size) {
        0 => {
            shift(t, 1, 2, .xmm0, 8);
            op(t, 0x67, .xmm0, .xmm0);
        },
        1 => {
            shift(t, 2, 2, .xmm0, 16);
            t.a.sse38(0x2b, .xmm0, .{ .xmm = .xmm0 });
        },
        else => sse.shuffle(t, .xmm0, .xmm0, 0x0d),
    }
    return lanes.putHalf(t, insn);
}

pub fn ADDHN(t: *Translator, insn: u32) bool {
    return high(t, insn, sse.adds, false);
}
pub fn RADDHN(t: *Translator, insn: u32) bool {
    return high(t, insn, sse.adds, true);
}
pub fn SUBHN(t: *Translator, insn: u32) bool {
    return high(t, insn, sse.subtracts, false);
}
pub fn RSUBHN(t: *Translator, insn: u32) bool {
    return high(t, insn, sse.subtracts, true);
}
