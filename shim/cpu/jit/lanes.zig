//! Translation of Advanced SIMD between lanes of different sizes and places: immediates, narrowing and widening, sums of neighbours,
//! and comparisons that the host has only the other way round. As simd.zig otherwise.

const copy_rows = @import("../simd/copy.zig");
const fields = @import("../interp/fields.zig");
const simd = @import("simd.zig");
const sse = @import("sse.zig");
const x64 = @import("x64.zig");
const Translator = @import("translate.zig").Translator;

const Xmm = x64.Xmm;
const bit = fields.bit;
const bits = fields.bits;
const rd = fields.rd;
const rn = fields.rn;
const rm = fields.rm;
const copy = simd.copy;
const finish = simd.finish;
const reserved = simd.reserved;
const sizeOf = simd.sizeOf;
const adds = sse.adds;
const subtracts = sse.subtracts;
const move = sse.move;
const op = sse.op;
const shift = sse.shift;
const shuffle = sse.shuffle;
const zeroes = sse.zeroes;

/// xmm0 inverted. Uses xmm1.
pub fn invert(t: *Translator) void {
    sse.ones(t, .xmm1);
    op(t, 0xef, .xmm0, .xmm1);
}

pub fn MODIMM(t: *Translator, insn: u32) bool {
    const value = copy_rows.expand(insn);
    const cmode = bits(insn, 12, 4);
    const combines = cmode < 12 and cmode & 1 != 0;
    const clears = combines and bit(insn, 29);
    const constant = if (clears) ~value else value;
    if (constant == 0) {
        zeroes(t, .xmm0);
    } else if (constant == ~@as(u64, 0)) {
        sse.ones(t, .xmm0);
    } else {
        t.a.movImm(.rax, constant);
        t.a.sseGeneral(.p66, .q, 0x6e, 0, .{ .reg = .rax });
        if (bit(insn, 30)) op(t, 0x6c, .xmm0, .xmm0);
    }
    if (combines) op(t, if (clears) 0xdb else 0xeb, .xmm0, t.copies.get(&t.a, rd(insn)));
    return finish(t, insn);
}

/// Register d's lower (or, of the second form, upper) half becomes xmm0's lower one.
pub fn putHalf(t: *Translator, insn: u32) bool {
    if (!bit(insn, 30)) return finish(t, insn);
    copy(t, .xmm1, rd(insn));
    op(t, 0x6c, .xmm1, .xmm0);
    t.copies.put(&t.a, rd(insn), .xmm1, .no);
    return true;
}

/// dst = the lower (or, of the second form, upper) half of register n, each element made twice as wide.
pub fn widen(t: *Translator, insn: u32, n: u32, dst: Xmm, signed: bool) void {
    const src = t.copies.get(&t.a, n);
    if (bit(insn, 30)) shuffle(t, dst, src, 0xee);
    sse.widen(t, sizeOf(insn), dst, if (bit(insn, 30)) dst else src, signed);
}

/// A sum or difference of widened elements; `wide`: the first operand is wide already.
fn long(t: *Translator, insn: u32, ops: [4]u8, signed: bool, wide: bool) bool {
    if (sizeOf(insn) == 3) return false;
    if (wide) copy(t, .xmm0, rn(insn)) else widen(t, insn, rn(insn), .xmm0, signed);
    widen(t, insn, rm(insn), .xmm1, signed);
    op(t, ops[@as(usize, sizeOf(insn)) + 1], .xmm0, .xmm1);
    t.copies.put(&t.a, rd(insn), .xmm0, .no);
    return true;
}

pub fn SADDL(t: *Translator, insn: u32) bool {
    return long(t, insn, adds, true, false);
}
pub fn UADDL(t: *Translator, insn: u32) bool {
    return long(t, insn, adds, false, false);
}
pub fn SADDW(t: *Translator, insn: u32) bool {
    return long(t, insn, adds, true, true);
}
pub fn UADDW(t: *Translator, insn: u32) bool {
    return long(t, insn, adds, false, true);
}
pub fn SSUBL(t: *Translator, insn: u32) bool {
    return long(t, insn, subtracts, true, false);
}
pub fn USUBL(t: *Translator, insn: u32) bool {
    return long(t, insn, subtracts, false, false);
}
pub fn SSUBW(t: *Translator, insn: u32) bool {
    return long(t, insn, subtracts, true, true);
}
pub fn USUBW(t: *Translator, insn: u32) bool {
    return long(t, insn, subtracts, false, true);
}

/// The results from two registers are in xmm0: of a 64-bit form those of its lower halves are in its even 32 bits.
pub fn paired(t: *Translator, insn: u32) bool {
    if (!bit(insn, 30)) shuffle(t, .xmm0, .xmm0, 0x08);
    return finish(t, insn);
}

pub fn ADDP(t: *Translator, insn: u32) bool {
    if (reserved(insn)) return false;
    const m = t.copies.get(&t.a, rm(insn));
    copy(t, .xmm0, rn(insn));
    switch (sizeOf(insn)) {
        0 => {
            move(t, .xmm1, m);
            for ([2]Xmm{ .xmm0, .xmm1 }) |x| {
                sse.with38(t, 0x04, x, "ones", 0);
                sse.with(t, 0xdb, x, "low_byte", 1);
            }
            op(t, 0x67, .xmm0, .xmm1);
        },
        1, 2 => |size| t.a.sse38(size, .xmm0, .{ .xmm = m }),
        else => {
            move(t, .xmm1, .xmm0);
            op(t, 0x6c, .xmm0, m);
            op(t, 0x6d, .xmm1, m);
            op(t, 0xd4, .xmm0, .xmm1);
        },
    }
    return paired(t, insn);
}

/// Register d becomes xmm0's lowest `bytes` bytes.
pub fn scalar(t: *Translator, insn: u32, bytes: u8) bool {
    switch (bytes) {
        8 => t.a.sse(.f3, 0x7e, .xmm0, .{ .xmm = .xmm0 }),
        // Inserts nothing, and clears all but the lowest element.
        4 => t.a.sse3a(0x21, .xmm0, .{ .xmm = .xmm0 }, 0x0e),
        else => {
            shift(t, 3, 7, .xmm0, 16 - bytes);
            shift(t, 3, 3, .xmm0, 16 - bytes);
        },
    }
    t.copies.put(&t.a, rd(insn), .xmm0, if (bytes == 8) .d else .s);
    return true;
}

/// Both elements of 64 bits.
pub fn ADDP_s(t: *Translator, insn: u32) bool {
    const n = t.copies.get(&t.a, rn(insn));
    shuffle(t, .xmm0, n, 0xee);
    op(t, 0xd4, .xmm0, n);
    return scalar(t, insn, 8);
}

/// The 64 bits of register a are greater than those of b without signs, or (`inverted`) are not.
pub fn higher(t: *Translator, insn: u32, a: u32, b: u32, inverted: bool) bool {
    sse.load(t, .xmm0, "signs", 3);
    sse.move(t, .xmm15, .xmm0);
    op(t, 0xef, .xmm0, t.copies.get(&t.a, a));
    op(t, 0xef, .xmm15, t.copies.get(&t.a, b));
    sse.greater(t, 3, .xmm0, .xmm15);
    if (inverted) invert(t);
    return finish(t, insn);
}

/// n > m without signs: not m >= n.
pub fn CMHI(t: *Translator, insn: u32) bool {
    if (sizeOf(insn) == 3) return higher(t, insn, rn(insn), rm(insn), false);
    const m = t.copies.get(&t.a, rm(insn));
    copy(t, .xmm0, rn(insn));
    sse.limit(t, sizeOf(insn), false, true, .xmm0, m);
    sse.equal(t, sizeOf(insn), .xmm0, m);
    invert(t);
    return finish(t, insn);
}

/// n >= m: not m > n.
pub fn CMGE(t: *Translator, insn: u32) bool {
    if (reserved(insn)) return false;
    const n = t.copies.get(&t.a, rn(insn));
    copy(t, .xmm0, rm(insn));
    sse.greater(t, sizeOf(insn), .xmm0, n);
    invert(t);
    return finish(t, insn);
}

/// n compared with zero: greater, or (`below`) less; or not so.
fn sign(t: *Translator, insn: u32, below: bool, inverted: bool) bool {
    if (reserved(insn)) return false;
    const n = t.copies.get(&t.a, rn(insn));
    zeroes(t, .xmm1);
    move(t, .xmm0, if (below) .xmm1 else n);
    sse.greater(t, sizeOf(insn), .xmm0, if (below) n else .xmm1);
    if (inverted) invert(t);
    return finish(t, insn);
}

pub fn CMGT_zero(t: *Translator, insn: u32) bool {
    return sign(t, insn, false, false);
}
pub fn CMLE_zero(t: *Translator, insn: u32) bool {
    return sign(t, insn, false, true);
}
pub fn CMLT_zero(t: *Translator, insn: u32) bool {
    return sign(t, insn, true, false);
}
pub fn CMGE_zero(t: *Translator, insn: u32) bool {
    return sign(t, insn, true, true);
}

pub fn CMTST(t: *Translator, insn: u32) bool {
    if (reserved(insn)) return false;
    const m = t.copies.get(&t.a, rm(insn));
    copy(t, .xmm0, rn(insn));
    op(t, 0xdb, .xmm0, m);
    zeroes(t, .xmm1);
    sse.equal(t, sizeOf(insn), .xmm0, .xmm1);
    invert(t);
    return finish(t, insn);
}

/// n or not m
pub fn ORN_v(t: *Translator, insn: u32) bool {
    copy(t, .xmm0, rm(insn));
    invert(t);
    op(t, 0xeb, .xmm0, t.copies.get(&t.a, rn(insn)));
    return finish(t, insn);
}

pub fn BIF(t: *Translator, insn: u32) bool {
    return simd.choose(t, insn, rn(insn), rd(insn), rm(insn));
}

/// xmm0 = n without its sign. Uses xmm1.
pub fn absolute(t: *Translator, insn: u32) void {
    const n = t.copies.get(&t.a, rn(insn));
    if (sizeOf(insn) < 3) return t.a.sse38(0x1c + @as(u8, sizeOf(insn)), .xmm0, .{ .xmm = n });
    shuffle(t, .xmm1, n, 0xf5);
    shift(t, 2, 4, .xmm1, 31);
    move(t, .xmm0, n);
    op(t, 0xef, .xmm0, .xmm1);
    op(t, 0xfb, .xmm0, .xmm1);
}

pub fn ABS_v(t: *Translator, insn: u32) bool {
    absolute(t, insn);
    return finish(t, insn);
}

pub fn NEG_v(t: *Translator, insn: u32) bool {
    if (reserved(insn)) return false;
    const n = t.copies.get(&t.a, rn(insn));
    zeroes(t, .xmm0);
    op(t, subtracts[sizeOf(insn)], .xmm0, n);
    return finish(t, insn);
}

/// The bits that are set in each byte, by half bytes.
pub fn CNT(t: *Translator, insn: u32) bool {
    if (sizeOf(insn) != 0) return false;
    copy(t, .xmm0, rn(insn));
    move(t, .xmm1, .xmm0);
    shift(t, 1, 2, .xmm1, 4);
    sse.with(t, 0xdb, .xmm0, "low_nibble", 0);
    sse.with(t, 0xdb, .xmm1, "low_nibble", 0);
    sse.load(t, .xmm15, "bits_of_nibbles", 0);
    t.a.sse38(0x00, .xmm15, .{ .xmm = .xmm0 });
    sse.load(t, .xmm0, "bits_of_nibbles", 0);
    t.a.sse38(0x00, .xmm0, .{ .xmm = .xmm1 });
    op(t, 0xfc, .xmm0, .xmm15);
    return finish(t, insn);
}
