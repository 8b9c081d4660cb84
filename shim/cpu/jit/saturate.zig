//! Translation of saturating Advanced SIMD arithmetic. As simd.zig otherwise, but FPSR.QC is set where a result differs from the wrapped one,
//! which takes the host's flags.

const fields = @import("../interp/fields.zig");
const lanes = @import("lanes.zig");
const products = @import("products.zig");
const simd = @import("simd.zig");
const sse = @import("sse.zig");
const x64 = @import("x64.zig");
const Translator = @import("translate.zig").Translator;

const Xmm = x64.Xmm;
const rd = fields.rd;
const rn = fields.rn;
const rm = fields.rm;
const bit = fields.bit;
const copy = simd.copy;
const finish = simd.finish;
const move = sse.move;
const op = sse.op;
const shift = sse.shift;
const shuffle = sse.shuffle;
const with = sse.with;
const sizeOf = simd.sizeOf;

/// Bytes of register d that an instruction sets, of elements of 1 << log bytes: of a scalar form one element.
fn resultOf(insn: u32, log: u2) u8 {
    if (sse.scalar(insn)) return @as(u8, 1) << log;
    return if (bit(insn, 30)) 16 else 8;
}

/// Register d becomes xmm0.
fn put(t: *Translator, insn: u32) bool {
    return if (sse.scalar(insn)) lanes.scalar(t, insn, resultOf(insn, sizeOf(insn))) else finish(t, insn);
}

/// Sets QC unless the lowest bytes of x are zero.
fn note(t: *Translator, x: Xmm, bytes: u8) void {
    if (bytes < 16) shift(t, 3, 7, x, 16 - bytes);
    sse.saturatedWhere(t, x);
}

/// The host has those of 8 and 16 bits: d = n op m, against the same that wraps.
fn native(t: *Translator, insn: u32, opcode: u8, wraps: u8) bool {
    const n = t.copies.get(&t.a, rn(insn));
    const m = t.copies.get(&t.a, rm(insn));
    move(t, .xmm0, n);
    move(t, .xmm1, n);
    op(t, opcode, .xmm0, m);
    op(t, wraps, .xmm1, m);
    op(t, 0xef, .xmm1, .xmm0);
    note(t, .xmm1, resultOf(insn, sizeOf(insn)));
    return put(t, insn);
}

/// xmm1 = a + xmm15, or a - xmm15, with a sign, of 32 or 64 bits. Uses xmm0.
fn signedSum(t: *Translator, size: u2, a: Xmm, subtract: bool, bytes: u8) void {
    move(t, .xmm1, a);
    op(t, if (subtract) sse.subtracts[size] else sse.adds[size], .xmm1, .xmm15);
    // It has overflowed where the result's sign differs from a's, and b's does too (of a difference: b's from a's).
    move(t, .xmm0, a);
    op(t, 0xef, .xmm0, .xmm1);
    op(t, 0xef, .xmm15, if (subtract) a else .xmm1);
    op(t, 0xdb, .xmm0, .xmm15);
    if (size == 2) move(t, .xmm15, a) else shuffle(t, .xmm15, a, 0xf5);
    shift(t, 2, 4, .xmm15, 31);
    with(t, 0xef, .xmm15, "tops", size);
    choose(t, size, bytes);
}

/// xmm1 = xmm15 in elements where xmm0 has a sign, and QC then.
fn choose(t: *Translator, size: u2, bytes: u8) void {
    t.a.sse38(if (size == 2) 0x14 else 0x15, .xmm1, .{ .xmm = .xmm15 });
    with(t, 0xdb, .xmm0, "signs", size);
    note(t, .xmm0, bytes);
}

fn signedWide(t: *Translator, insn: u32, subtract: bool) bool {
    copy(t, .xmm15, rm(insn));
    signedSum(t, sizeOf(insn), t.copies.get(&t.a, rn(insn)), subtract, resultOf(insn, sizeOf(insn)));
    move(t, .xmm0, .xmm1);
    return put(t, insn);
}

pub fn SQADD(t: *Translator, insn: u32) bool {
    t.clobber();
    const size = sizeOf(insn);
    return if (size < 2) native(t, insn, 0xec + @as(u8, size), sse.adds[size]) else signedWide(t, insn, false);
}
pub fn SQSUB(t: *Translator, insn: u32) bool {
    t.clobber();
    const size = sizeOf(insn);
    return if (size < 2) native(t, insn, 0xe8 + @as(u8, size), sse.subtracts[size]) else signedWide(t, insn, true);
}

/// n is at most what m leaves room for.
fn addWords(t: *Translator, insn: u32) bool {
    const n = t.copies.get(&t.a, rn(insn));
    const m = t.copies.get(&t.a, rm(insn));
    sse.ones(t, .xmm0);
    op(t, 0xef, .xmm0, m);
    t.a.sse38(0x3b, .xmm0, .{ .xmm = n });
    move(t, .xmm1, .xmm0);
    op(t, 0xef, .xmm1, n);
    note(t, .xmm1, resultOf(insn, sizeOf(insn)));
    op(t, 0xfe, .xmm0, m);
    return put(t, insn);
}

/// n is at least m.
fn subtractWords(t: *Translator, insn: u32) bool {
    const n = t.copies.get(&t.a, rn(insn));
    const m = t.copies.get(&t.a, rm(insn));
    move(t, .xmm0, n);
    t.a.sse38(0x3f, .xmm0, .{ .xmm = m });
    move(t, .xmm1, .xmm0);
    op(t, 0xef, .xmm1, n);
    note(t, .xmm1, resultOf(insn, sizeOf(insn)));
    op(t, 0xfa, .xmm0, m);
    return put(t, insn);
}

/// xmm1 = a + b without signs, of 64 bits. The carry out is that of both, or of one where the sum has none.
fn unsignedSum(t: *Translator, a: Xmm, b: Xmm, bytes: u8) void {
    move(t, .xmm1, a);
    op(t, 0xd4, .xmm1, b);
    move(t, .xmm0, a);
    op(t, 0xeb, .xmm0, b);
    move(t, .xmm15, .xmm1);
    op(t, 0xdf, .xmm15, .xmm0);
    move(t, .xmm0, a);
    op(t, 0xdb, .xmm0, b);
    op(t, 0xeb, .xmm0, .xmm15);
    sse.ones(t, .xmm15);
    choose(t, 3, bytes);
}

fn addLongs(t: *Translator, insn: u32) bool {
    const n = t.copies.get(&t.a, rn(insn));
    const m = t.copies.get(&t.a, rm(insn));
    unsignedSum(t, n, m, resultOf(insn, 3));
    move(t, .xmm0, .xmm1);
    return put(t, insn);
}

/// The borrow of a difference is m's where n has none, or where they are equal the difference's.
fn subtractLongs(t: *Translator, insn: u32) bool {
    const n = t.copies.get(&t.a, rn(insn));
    const m = t.copies.get(&t.a, rm(insn));
    move(t, .xmm1, n);
    op(t, 0xfb, .xmm1, m);
    move(t, .xmm15, n);
    op(t, 0xef, .xmm15, m);
    op(t, 0xdf, .xmm15, .xmm1);
    move(t, .xmm0, n);
    op(t, 0xdf, .xmm0, m);
    op(t, 0xeb, .xmm0, .xmm15);
    sse.zeroes(t, .xmm15);
    choose(t, 3, resultOf(insn, 3));
    move(t, .xmm0, .xmm1);
    return put(t, insn);
}

pub fn UQADD(t: *Translator, insn: u32) bool {
    t.clobber();
    return switch (sizeOf(insn)) {
        2 => addWords(t, insn),
        3 => addLongs(t, insn),
        else => |size| native(t, insn, 0xdc + @as(u8, size), sse.adds[size]),
    };
}
pub fn UQSUB(t: *Translator, insn: u32) bool {
    t.clobber();
    return switch (sizeOf(insn)) {
        2 => subtractWords(t, insn),
        3 => subtractLongs(t, insn),
        else => |size| native(t, insn, 0xd8 + @as(u8, size), sse.subtracts[size]),
    };
}

/// d, which has a sign, plus n, which has none: without signs once d's is inverted.
pub fn SUQADD(t: *Translator, insn: u32) bool {
    const size = sizeOf(insn);
    t.clobber();
    const n = t.copies.get(&t.a, rn(insn));
    if (size == 3) {
        const d = t.copies.spare();
        copy(t, d, rd(insn));
        with(t, 0xef, d, "signs", 3);
        unsignedSum(t, d, n, resultOf(insn, 3));
        move(t, .xmm0, .xmm1);
    } else {
        copy(t, .xmm0, rd(insn));
        with(t, 0xef, .xmm0, "signs", size);
        move(t, .xmm15, .xmm0);
        addUnsigned(t, size, n);
        op(t, sse.adds[size], .xmm15, n);
        op(t, 0xef, .xmm15, .xmm0);
        note(t, .xmm15, resultOf(insn, size));
    }
    with(t, 0xef, .xmm0, "signs", size);
    return put(t, insn);
}

/// xmm0 + x without signs, x not being xmm1, which it uses.
fn addUnsigned(t: *Translator, size: u2, x: Xmm) void {
    if (size < 2) return op(t, 0xdc + @as(u8, size), .xmm0, x);
    // At most what x leaves room for.
    sse.ones(t, .xmm1);
    op(t, 0xef, .xmm1, x);
    t.a.sse38(0x3b, .xmm0, .{ .xmm = .xmm1 });
    op(t, 0xfe, .xmm0, x);
}

/// d, which has no sign, plus n, which has one: plus what is above zero of it, minus what is below.
pub fn USQADD(t: *Translator, insn: u32) bool {
    const size = sizeOf(insn);
    if (size == 3) return false;
    t.clobber();
    const n = t.copies.get(&t.a, rn(insn));
    const d = t.copies.get(&t.a, rd(insn));
    sse.zeroes(t, .xmm15);
    sse.limit(t, size, true, true, .xmm15, n);
    move(t, .xmm0, d);
    addUnsigned(t, size, .xmm15);
    op(t, sse.subtracts[size], .xmm15, n);
    if (size == 2) {
        t.a.sse38(0x3f, .xmm0, .{ .xmm = .xmm15 });
        op(t, 0xfa, .xmm0, .xmm15);
    } else op(t, 0xd8 + @as(u8, size), .xmm0, .xmm15);
    move(t, .xmm1, d);
    op(t, sse.adds[size], .xmm1, n);
    op(t, 0xef, .xmm1, .xmm0);
    note(t, .xmm1, resultOf(insn, size));
    return put(t, insn);
}

/// xmm1 = all ones in elements where x is the least number.
fn least(t: *Translator, size: u2, x: Xmm) void {
    sse.load(t, .xmm1, "signs", size);
    sse.equal(t, size, .xmm1, x);
}

/// The least number became itself, and becomes the greatest.
fn withoutLeast(t: *Translator, insn: u32) bool {
    const size = sizeOf(insn);
    least(t, size, t.copies.get(&t.a, rn(insn)));
    op(t, sse.adds[size], .xmm0, .xmm1);
    note(t, .xmm1, resultOf(insn, sizeOf(insn)));
    return put(t, insn);
}

pub fn SQNEG(t: *Translator, insn: u32) bool {
    t.clobber();
    const n = t.copies.get(&t.a, rn(insn));
    sse.zeroes(t, .xmm0);
    op(t, sse.subtracts[sizeOf(insn)], .xmm0, n);
    return withoutLeast(t, insn);
}
pub fn SQABS(t: *Translator, insn: u32) bool {
    t.clobber();
    lanes.absolute(t, insn);
    return withoutLeast(t, insn);
}

/// xmm0 = the upper halves of doubled products, of which only the least number's with itself does not fit. Uses xmm15, and xmm1 which m may be.
fn doublingHigh(t: *Translator, insn: u32, m: Xmm, rounds: bool) void {
    const n = t.copies.get(&t.a, rn(insn));
    move(t, .xmm0, n);
    if (sizeOf(insn) == 1) {
        if (rounds) return t.a.sse38(0x0b, .xmm0, .{ .xmm = m });
        move(t, .xmm15, n);
        op(t, 0xe5, .xmm0, m);
        op(t, 0xd5, .xmm15, m);
        shift(t, 1, 2, .xmm15, 15);
        op(t, 0xfd, .xmm0, .xmm0);
        return op(t, 0xeb, .xmm0, .xmm15);
    }
    // The even ones, then the odd ones.
    t.a.sse38(0x28, .xmm0, .{ .xmm = m });
    shuffle(t, .xmm15, n, 0xf5);
    shuffle(t, .xmm1, m, 0xf5);
    t.a.sse38(0x28, .xmm15, .{ .xmm = .xmm1 });
    for ([_]Xmm{ .xmm0, .xmm15 }) |x| {
        op(t, 0xd4, x, x);
        if (rounds) with(t, 0xd4, x, "halves", 2);
    }
    shuffle(t, .xmm0, .xmm0, 0xf5);
    t.a.sse3a(0x0e, .xmm0, .{ .xmm = .xmm15 }, 0xcc);
}

/// xmm0, which is the least number only where it does not fit, becomes the greatest there. xmm1 = all ones there.
fn fit(t: *Translator, size: u2) void {
    least(t, size, .xmm0);
    op(t, 0xef, .xmm0, .xmm1);
}

fn doubledHigh(t: *Translator, insn: u32, element: bool, rounds: bool) bool {
    t.clobber();
    const m = if (element) products.element(t, insn) else t.copies.get(&t.a, rm(insn));
    doublingHigh(t, insn, m, rounds);
    fit(t, sizeOf(insn));
    note(t, .xmm1, resultOf(insn, sizeOf(insn)));
    return put(t, insn);
}

pub fn SQDMULH(t: *Translator, insn: u32) bool {
    return doubledHigh(t, insn, false, false);
}
pub fn SQRDMULH(t: *Translator, insn: u32) bool {
    return doubledHigh(t, insn, false, true);
}
pub fn SQDMULH_e(t: *Translator, insn: u32) bool {
    return doubledHigh(t, insn, true, false);
}
pub fn SQRDMULH_e(t: *Translator, insn: u32) bool {
    return doubledHigh(t, insn, true, true);
}

/// d plus or minus the same of 32 bits. Negated they all fit: d - round(-x), or d + round(-x), whose middle is rounded the other way.
fn doubledWords(t: *Translator, insn: u32, m: Xmm, subtract: bool) bool {
    const n = t.copies.get(&t.a, rn(insn));
    const middle = if (subtract) sse.constant("halves", 2) else sse.constant("under_half", 0);
    move(t, .xmm0, n);
    t.a.sse38(0x28, .xmm0, .{ .xmm = m });
    shuffle(t, .xmm15, n, 0xf5);
    shuffle(t, .xmm1, m, 0xf5);
    t.a.sse38(0x28, .xmm15, .{ .xmm = .xmm1 });
    op(t, 0xd4, .xmm0, .xmm0);
    op(t, 0xd4, .xmm15, .xmm15);
    t.a.sse(.none, 0x28, .xmm1, middle);
    op(t, 0xfb, .xmm1, .xmm0);
    t.a.sse(.none, 0x28, .xmm0, middle);
    op(t, 0xfb, .xmm0, .xmm15);
    shuffle(t, .xmm15, .xmm1, 0xf5);
    t.a.sse3a(0x0e, .xmm15, .{ .xmm = .xmm0 }, 0xcc);
    signedSum(t, 2, t.copies.get(&t.a, rd(insn)), !subtract, resultOf(insn, 2));
    move(t, .xmm0, .xmm1);
    return put(t, insn);
}

/// d plus or minus those of 16 bits, as if they did fit: what `fit` took away is added behind.
fn doubledSum(t: *Translator, insn: u32, element: bool, subtract: bool) bool {
    t.clobber();
    const m = if (element) products.element(t, insn) else t.copies.get(&t.a, rm(insn));
    if (sizeOf(insn) == 2) return doubledWords(t, insn, m, subtract);
    doublingHigh(t, insn, m, true);
    if (subtract) {
        // What lies in the middle is rounded up, which is down for its negation.
        copy(t, .xmm15, rn(insn));
        op(t, 0xd5, .xmm15, m);
        op(t, 0xfd, .xmm15, .xmm15);
        with(t, 0x75, .xmm15, "signs", 1);
    }
    fit(t, 1);
    if (subtract) op(t, 0xfd, .xmm0, .xmm15);
    const d = t.copies.get(&t.a, rd(insn));
    move(t, .xmm15, d);
    op(t, if (subtract) 0xe9 else 0xed, .xmm15, .xmm0);
    op(t, if (subtract) 0xed else 0xe9, .xmm15, .xmm1);
    // Nothing is left of the result without what it is made of, unless it was limited.
    op(t, 0xf9, .xmm0, .xmm1);
    move(t, .xmm1, .xmm15);
    op(t, 0xf9, .xmm15, d);
    op(t, if (subtract) 0xfd else 0xf9, .xmm15, .xmm0);
    note(t, .xmm15, resultOf(insn, sizeOf(insn)));
    move(t, .xmm0, .xmm1);
    return put(t, insn);
}

pub fn SQRDMLAH(t: *Translator, insn: u32) bool {
    return doubledSum(t, insn, false, false);
}
pub fn SQRDMLSH(t: *Translator, insn: u32) bool {
    return doubledSum(t, insn, false, true);
}
pub fn SQRDMLAH_e(t: *Translator, insn: u32) bool {
    return doubledSum(t, insn, true, false);
}
pub fn SQRDMLSH_e(t: *Translator, insn: u32) bool {
    return doubledSum(t, insn, true, true);
}

/// Doubled products twice as wide, alone or with d.
fn doubledLong(t: *Translator, insn: u32, element: bool, how: products.How) bool {
    t.clobber();
    const size = sizeOf(insn) + 1;
    const m = if (element) products.element(t, insn) else t.copies.get(&t.a, rm(insn));
    products.multiplyLong(t, insn, m, true);
    op(t, sse.adds[size], .xmm0, .xmm0);
    fit(t, size);
    const bytes = if (sse.scalar(insn)) @as(u8, 1) << size else 16;
    note(t, .xmm1, bytes);
    if (how != .alone) {
        move(t, .xmm15, .xmm0);
        signedSum(t, size, t.copies.get(&t.a, rd(insn)), how == .subtract, bytes);
        move(t, .xmm0, .xmm1);
    }
    if (sse.scalar(insn)) return lanes.scalar(t, insn, bytes);
    t.copies.put(&t.a, rd(insn), .xmm0, .no);
    return true;
}

pub fn SQDMULL(t: *Translator, insn: u32) bool {
    return doubledLong(t, insn, false, .alone);
}
pub fn SQDMLAL(t: *Translator, insn: u32) bool {
    return doubledLong(t, insn, false, .add);
}
pub fn SQDMLSL(t: *Translator, insn: u32) bool {
    return doubledLong(t, insn, false, .subtract);
}
pub fn SQDMULL_e(t: *Translator, insn: u32) bool {
    return doubledLong(t, insn, true, .alone);
}
pub fn SQDMLAL_e(t: *Translator, insn: u32) bool {
    return doubledLong(t, insn, true, .add);
}
pub fn SQDMLSL_e(t: *Translator, insn: u32) bool {
    return doubledLong(t, insn, true, .subtract);
}

// The scalar forms have a bit of their own set, and everything else alike.
pub const SQADD_s = SQADD;
pub const SQSUB_s = SQSUB;
pub const UQADD_s = UQADD;
pub const UQSUB_s = UQSUB;
pub const SUQADD_s = SUQADD;
pub const USQADD_s = USQADD;
pub const SQNEG_s = SQNEG;
pub const SQABS_s = SQABS;
pub const SQDMULH_s = SQDMULH;
pub const SQRDMULH_s = SQRDMULH;
pub const SQRDMLAH_s = SQRDMLAH;
pub const SQRDMLSH_s = SQRDMLSH;
pub const SQDMULL_s = SQDMULL;
pub const SQDMLAL_s = SQDMLAL;
pub const SQDMLSL_s = SQDMLSL;
pub const SQDMULH_es = SQDMULH_e;
pub const SQRDMULH_es = SQRDMULH_e;
pub const SQRDMLAH_es = SQRDMLAH_e;
pub const SQRDMLSH_es = SQRDMLSH_e;
pub const SQDMULL_es = SQDMULL_e;
pub const SQDMLAL_es = SQDMLAL_e;
pub const SQDMLSL_es = SQDMLSL_e;
