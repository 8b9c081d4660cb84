//! Translation of Advanced SIMD multiplications: of vectors, by an element, twice as wide, and without carries. As simd.zig otherwise.

const fields = @import("../interp/fields.zig");
const host = @import("host.zig");
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

/// Register m.
fn whole(t: *Translator, insn: u32) Xmm {
    return t.copies.get(&t.a, rm(insn));
}

/// xmm1 = the element that a by-element form names, everywhere: halfwords H:L:M of v0 to v15, words H:L.
pub fn element(t: *Translator, insn: u32) Xmm {
    const high: u8 = @intCast(bits(insn, 11, 1) << 1 | bits(insn, 21, 1));
    if (sizeOf(insn) == 2) {
        shuffle(t, .xmm1, whole(t, insn), high * 0x55);
        return .xmm1;
    }
    const index: u8 = high << 1 | @as(u8, @intCast(bits(insn, 20, 1)));
    const m = t.copies.get(&t.a, bits(insn, 16, 4));
    t.a.sse(if (index < 4) .f2 else .f3, 0x70, .xmm1, .{ .xmm = m });
    t.a.imm8((index & 3) * 0x55);
    shuffle(t, .xmm1, .xmm1, if (index < 4) 0 else 0xaa);
    return .xmm1;
}

/// xmm0 = n * m. Of bytes, which the host cannot multiply, m is a register; uses xmm1 and xmm15.
fn multiply(t: *Translator, insn: u32, m: Xmm) void {
    const n = t.copies.get(&t.a, rn(insn));
    move(t, .xmm0, n);
    if (sizeOf(insn) == 2) return t.a.sse38(0x40, .xmm0, .{ .xmm = m });
    op(t, 0xd5, .xmm0, m);
    if (sizeOf(insn) == 1) return;
    move(t, .xmm1, n);
    shift(t, 1, 2, .xmm1, 8);
    // Without its even bytes m gives odd ones that are in place.
    sse.load(t, .xmm15, "low_byte", 1);
    op(t, 0xdb, .xmm0, .xmm15);
    op(t, 0xdf, .xmm15, m);
    op(t, 0xd5, .xmm1, .xmm15);
    op(t, 0xeb, .xmm0, .xmm1);
}

pub const How = enum { alone, add, subtract };

/// xmm0 = d plus or minus xmm0, in elements of 8 << log. Uses xmm1.
fn accumulate(t: *Translator, insn: u32, how: How, log: usize) void {
    switch (how) {
        .alone => {},
        .add => op(t, sse.adds[log], .xmm0, t.copies.get(&t.a, rd(insn))),
        .subtract => {
            copy(t, .xmm1, rd(insn));
            op(t, sse.subtracts[log], .xmm1, .xmm0);
            move(t, .xmm0, .xmm1);
        },
    }
}

fn product(t: *Translator, insn: u32, m: Xmm, how: How) bool {
    multiply(t, insn, m);
    accumulate(t, insn, how, sizeOf(insn));
    return finish(t, insn);
}

pub fn MUL_v(t: *Translator, insn: u32) bool {
    return product(t, insn, whole(t, insn), .alone);
}
pub fn MLA(t: *Translator, insn: u32) bool {
    return product(t, insn, whole(t, insn), .add);
}
pub fn MLS(t: *Translator, insn: u32) bool {
    return product(t, insn, whole(t, insn), .subtract);
}
pub fn MUL_e(t: *Translator, insn: u32) bool {
    return product(t, insn, element(t, insn), .alone);
}
pub fn MLA_e(t: *Translator, insn: u32) bool {
    return product(t, insn, element(t, insn), .add);
}
pub fn MLS_e(t: *Translator, insn: u32) bool {
    return product(t, insn, element(t, insn), .subtract);
}

/// xmm0 = products of the lower (or, of the second form, upper) halves, twice as wide. Uses xmm1 and xmm15.
pub fn multiplyLong(t: *Translator, insn: u32, m: Xmm, signed: bool) void {
    const n = t.copies.get(&t.a, rn(insn));
    // Bit 28: a scalar.
    const upper = bit(insn, 30) and !bit(insn, 28);
    switch (sizeOf(insn)) {
        0 => {
            lanes.widen(t, insn, rn(insn), .xmm0, signed);
            lanes.widen(t, insn, rm(insn), .xmm1, signed);
            op(t, 0xd5, .xmm0, .xmm1);
        },
        1 => {
            move(t, .xmm0, n);
            move(t, .xmm15, n);
            op(t, 0xd5, .xmm0, m);
            op(t, if (signed) 0xe5 else 0xe4, .xmm15, m);
            op(t, if (upper) 0x69 else 0x61, .xmm0, .xmm15);
        },
        else => {
            const order: u8 = if (upper) 0xfa else 0x50;
            shuffle(t, .xmm0, n, order);
            shuffle(t, .xmm15, m, order);
            if (signed) t.a.sse38(0x28, .xmm0, .{ .xmm = .xmm15 }) else op(t, 0xf4, .xmm0, .xmm15);
        },
    }
}

fn long(t: *Translator, insn: u32, m: Xmm, signed: bool, how: How) bool {
    multiplyLong(t, insn, m, signed);
    accumulate(t, insn, how, @as(usize, sizeOf(insn)) + 1);
    t.copies.put(&t.a, rd(insn), .xmm0, .no);
    return true;
}

pub fn SMULL(t: *Translator, insn: u32) bool {
    return long(t, insn, whole(t, insn), true, .alone);
}
pub fn UMULL(t: *Translator, insn: u32) bool {
    return long(t, insn, whole(t, insn), false, .alone);
}
pub fn SMLAL(t: *Translator, insn: u32) bool {
    return long(t, insn, whole(t, insn), true, .add);
}
pub fn UMLAL(t: *Translator, insn: u32) bool {
    return long(t, insn, whole(t, insn), false, .add);
}
pub fn SMLSL(t: *Translator, insn: u32) bool {
    return long(t, insn, whole(t, insn), true, .subtract);
}
pub fn UMLSL(t: *Translator, insn: u32) bool {
    return long(t, insn, whole(t, insn), false, .subtract);
}
pub fn SMULL_e(t: *Translator, insn: u32) bool {
    return long(t, insn, element(t, insn), true, .alone);
}
pub fn UMULL_e(t: *Translator, insn: u32) bool {
    return long(t, insn, element(t, insn), false, .alone);
}
pub fn SMLAL_e(t: *Translator, insn: u32) bool {
    return long(t, insn, element(t, insn), true, .add);
}
pub fn UMLAL_e(t: *Translator, insn: u32) bool {
    return long(t, insn, element(t, insn), false, .add);
}
pub fn SMLSL_e(t: *Translator, insn: u32) bool {
    return long(t, insn, element(t, insn), true, .subtract);
}
pub fn UMLSL_e(t: *Translator, insn: u32) bool {
    return long(t, insn, element(t, insn), false, .subtract);
}

/// Of 64-bit elements.
pub fn PMULL(t: *Translator, insn: u32) bool {
    if (sizeOf(insn) != 3 or !host.features.pclmul) return false;
    const m = whole(t, insn);
    copy(t, .xmm0, rn(insn));
    t.a.sse3a(0x44, .xmm0, .{ .xmm = m }, if (bit(insn, 30)) 0x11 else 0);
    t.copies.put(&t.a, rd(insn), .xmm0, .no);
    return true;
}
