//! Translation of Advanced SIMD shifts of each element by the lowest byte of another register's: to the left, or where that is negative to
//! the right, rounding and saturating. AVX2 shifts 32 and 64 bits so; bytes and 16 bits are multiplied by powers of two, which are found in a table.

const fields = @import("../interp/fields.zig");
const host = @import("host.zig");
const simd = @import("simd.zig");
const sse = @import("sse.zig");
const x64 = @import("x64.zig");
const Translator = @import("translate.zig").Translator;

const Log = sse.Log;
const Xmm = x64.Xmm;
const rd = fields.rd;
const rn = fields.rn;
const rm = fields.rm;

const How = struct { signed: bool, rounds: bool = false, saturates: bool = false };

fn shift(t: *Translator, insn: u32, how: How) bool {
    const log = simd.sizeOf(insn);
    if (log > 1 and !host.features.avx2) return false;
    const e = sse.extentOf(insn, log);
    if (how.saturates) t.clobber();
    const n = sse.operand(t, rn(insn), e);
    const m = t.copies.get(&t.a, rm(insn));
    if (log < 2) {
        const x = if (log == 0) bytes(t, n, m, e, how) else halves(t, n, m, how);
        return sse.result(t, rd(insn), x, e);
    }
    rightByEach(t, log, n, m, how);
    if (how.saturates) {
        return sse.result(t, rd(insn), saturating(t, log, n, m, how), e);
    }
    // To the left, by more than there are bits where the count is negative.
    sse.move(t, .xmm1, m);
    sse.with(t, 0xdb, .xmm1, "low_byte", log);
    byEach(t, .left, log, .xmm1, n, .xmm1);
    if (how.signed and !how.rounds) {
        sse.move(t, .xmm0, m);
        sse.left(t, log, .xmm0, (@as(u32, 8) << log) - 8);
        sse.op38(t, @as(u8, 0x14) + (log - 2), .xmm1, .xmm15);
    } else {
        sse.op(t, 0xeb, .xmm1, .xmm15);
    }
    return sse.result(t, rd(insn), .xmm1, e);
}

const Way = enum(u8) { right = 0x45, signed = 0x46, left = 0x47 };

/// dst = src, each element shifted by its count.
fn byEach(t: *Translator, way: Way, log: Log, dst: Xmm, src: Xmm, count: Xmm) void {
    t.a.avx(.p66, 2, log == 3, @intFromEnum(way), dst, src, .{ .xmm = count });
}

/// xmm15 = n shifted right by what m says, where that is negative. Elsewhere without a sign, or when rounding, it is zero or (by zero) n itself.
/// Uses xmm0.
fn rightByEach(t: *Translator, log: Log, n: Xmm, m: Xmm, how: How) void {
    if (how.rounds) {
        // By one less.
        sse.move(t, .xmm15, m);
        sse.with(t, 0xdf, .xmm15, "low_byte", log);
    } else {
        sse.zeroes(t, .xmm15);
        sse.op(t, sse.subtracts[log], .xmm15, m);
        sse.with(t, 0xdb, .xmm15, "low_byte", log);
    }
    if (how.signed and log == 3) {
        // Inverted where it is negative, which zeros are shifted into then.
        const positive = t.copies.spare();
        sse.negative(t, 3, .xmm0, n);
        sse.move(t, positive, n);
        sse.op(t, 0xef, positive, .xmm0);
        byEach(t, .right, 3, .xmm15, positive, .xmm15);
        if (how.rounds) {
            sse.move(t, positive, .xmm15);
            sse.shift(t, 3, 2, positive, 1);
            sse.op(t, 0xef, positive, .xmm0);
        }
        sse.op(t, 0xef, .xmm15, .xmm0);
        if (how.rounds) sse.op(t, 0xfb, .xmm15, positive);
        return;
    }
    byEach(t, if (how.signed) .signed else .right, log, .xmm15, n, .xmm15);
    if (!how.rounds) return;
    // The half that is rounded up.
    sse.move(t, .xmm0, .xmm15);
    sse.shift(t, log, if (how.signed) 4 else 2, .xmm0, 1);
    sse.op(t, sse.subtracts[log], .xmm15, .xmm0);
}

/// The register with n shifted by m, or the greatest or least; xmm15 is what is shifted right.
fn saturating(t: *Translator, log: Log, n: Xmm, m: Xmm, how: How) Xmm {
    const shifted = t.copies.spare();
    const limit = t.copies.spare();
    sse.move(t, .xmm1, m);
    sse.with(t, 0xdb, .xmm1, "low_byte", log);
    byEach(t, .left, log, shifted, n, .xmm1);
    if (how.signed and log == 3) {
        sse.negative(t, 3, .xmm0, shifted);
        sse.move(t, limit, shifted);
        sse.op(t, 0xef, limit, .xmm0);
        byEach(t, .right, 3, .xmm1, limit, .xmm1);
        sse.op(t, 0xef, .xmm1, .xmm0);
    } else {
        byEach(t, if (how.signed) .signed else .right, log, .xmm1, shifted, .xmm1);
    }
    sse.equal(t, log, .xmm1, n);
    // Where m is negative.
    sse.move(t, .xmm0, m);
    sse.left(t, log, .xmm0, (@as(u32, 8) << log) - 8);
    sse.shift(t, 2, 4, .xmm0, 31);
    if (log == 3) sse.shuffle(t, .xmm0, .xmm0, 0xf5);
    if (how.signed and !how.rounds) sse.op(t, 0xdb, .xmm15, .xmm0);
    sse.op(t, 0xeb, .xmm0, .xmm1);
    sse.ones(t, limit);
    if (how.signed) {
        sse.shift(t, log, 2, limit, 1);
        sse.negative(t, log, .xmm1, n);
        sse.op(t, 0xef, limit, .xmm1);
    }
    sse.choose(t, limit, shifted);
    sse.op(t, 0xeb, limit, .xmm15);
    sse.saturatedUnless(t, .xmm0);
    return limit;
}

/// dst = powers of two by the exponents in its bytes; zero for what is not in 0 to 7. `dst` is another register.
fn powers(t: *Translator, dst: Xmm, exponents: Xmm) void {
    sse.with(t, 0xdc, exponents, "beyond", 0);
    sse.load(t, dst, "powers", 0);
    sse.op38(t, 0x00, dst, exponents);
}

/// dst = the upper halves of x * y, y being powers of two without a sign; rounded up by the highest bit of the lower ones. Uses y and xmm15.
fn product(t: *Translator, dst: Xmm, x: Xmm, y: Xmm, how: How) void {
    sse.move(t, dst, x);
    sse.op(t, 0xe4, dst, y);
    if (how.signed) {
        // As a product without signs, it is too large by y.
        sse.move(t, .xmm15, x);
        sse.shift(t, 1, 4, .xmm15, 15);
        sse.op(t, 0xdb, .xmm15, y);
        sse.op(t, 0xf9, dst, .xmm15);
    }
    if (how.rounds) {
        sse.op(t, 0xd5, y, x);
        sse.shift(t, 1, 2, y, 15);
        sse.op(t, 0xfd, dst, y);
    }
}

/// dst = all ones where n is not zero and is shifted left by its width or more, by the counts in it. Uses xmm0.
fn pushedOut(t: *Translator, log: Log, dst: Xmm, n: Xmm) void {
    if (log == 0) sse.with(t, 0x64, dst, "sevens", 0) else sse.with(t, 0x64, dst, "last", 0);
    sse.zeroes(t, .xmm0);
    sse.equal(t, log, .xmm0, n);
    sse.op(t, 0xdf, .xmm0, dst);
    sse.move(t, dst, .xmm0);
}

/// The register with n << m of bytes: the upper halves of n * 256 * 2 ** (8 + m).
fn bytes(t: *Translator, n: Xmm, m: Xmm, e: sse.Extent, how: How) Xmm {
    const high = t.copies.spare();
    const over = t.copies.spare();
    sse.move(t, .xmm1, m);
    // What is shifted by more than eight is shifted by eight, to keep its sign; rounded it is zero.
    if (how.signed and !how.rounds) sse.with38(t, 0x3c, .xmm1, "least_bytes", 0);
    if (how.saturates) {
        sse.move(t, over, .xmm1);
        pushedOut(t, 0, over, n);
        sse.with38(t, 0x38, .xmm1, "sevens", 0);
    }
    sse.move(t, .xmm15, .xmm1);
    sse.with(t, 0xfc, .xmm15, "eights", 0);
    powers(t, .xmm0, .xmm15);
    powers(t, high, .xmm1);
    sse.move(t, .xmm1, .xmm0);
    sse.op(t, 0x60, .xmm0, high);
    const low = t.copies.spare();
    const x = t.copies.spare();
    sse.zeroes(t, x);
    sse.op(t, 0x60, x, n);
    if (e == .q) sse.op(t, 0x68, .xmm1, high);
    product(t, low, x, .xmm0, how);
    if (e == .q) {
        sse.zeroes(t, x);
        sse.op(t, 0x68, x, n);
        product(t, high, x, .xmm1, how);
    } else {
        sse.zeroes(t, high);
    }
    if (how.saturates) return limitBytes(t, low, high, over, e, how.signed);
    // Without their upper halves.
    sse.with(t, 0xdb, low, "low_byte", 1);
    if (e == .q) sse.with(t, 0xdb, high, "low_byte", 1);
    sse.op(t, 0x67, low, high);
    return low;
}

/// The register with the 16 bits of low and high as bytes, or the greatest or least, `over` too. Uses those.
fn limitBytes(t: *Translator, low: Xmm, high: Xmm, over: Xmm, e: sse.Extent, signed: bool) Xmm {
    sse.move(t, .xmm0, low);
    sse.op(t, if (signed) 0x63 else 0x67, .xmm0, high);
    // What is the same when it is made wide again was not too large.
    sse.widen(t, 0, .xmm1, .xmm0, signed);
    sse.op(t, 0x75, low, .xmm1);
    if (e == .q) {
        sse.shuffle(t, .xmm1, .xmm0, 0xee);
        sse.widen(t, 0, .xmm1, .xmm1, signed);
        sse.op(t, 0x75, high, .xmm1);
        sse.op(t, 0x63, low, high);
    } else {
        sse.op(t, 0x63, low, low);
    }
    if (!signed) sse.op(t, 0xeb, .xmm0, over);
    sse.op(t, 0xdf, over, low);
    sse.saturatedUnless(t, over);
    return .xmm0;
}

/// The register with n << m of 16 bits: n * 2 ** m, or the upper halves of n * 2 ** (16 + m).
fn halves(t: *Translator, n: Xmm, m: Xmm, how: How) Xmm {
    const power = t.copies.spare();
    const over = t.copies.spare();
    const high = t.copies.spare();
    sse.move(t, .xmm1, m);
    sse.with38(t, 0x00, .xmm1, "spread", 0);
    if (how.signed and !how.rounds) sse.with38(t, 0x3c, .xmm1, "least_halves", 0);
    if (how.saturates) {
        sse.move(t, over, .xmm1);
        pushedOut(t, 1, over, n);
        sse.with38(t, 0x38, .xmm1, "last", 0);
    }
    sse.move(t, .xmm15, .xmm1);
    sse.with(t, 0xfc, .xmm15, "right_halves", 0);
    sse.with(t, 0xfc, .xmm1, "left_halves", 0);
    powers(t, .xmm0, .xmm1);
    powers(t, power, .xmm15);
    product(t, .xmm1, n, power, how);
    if (how.saturates) product(t, high, n, .xmm0, .{ .signed = how.signed });
    sse.op(t, 0xd5, .xmm0, n);
    if (how.saturates) limitHalves(t, n, high, over, how.signed);
    sse.op(t, 0xeb, .xmm1, .xmm0);
    return .xmm1;
}

/// xmm0, the lower halves of products, becomes the greatest or least where `high`, the upper ones, or `over` say so. Uses those and xmm15.
fn limitHalves(t: *Translator, n: Xmm, high: Xmm, over: Xmm, signed: bool) void {
    const limit = t.copies.spare();
    // Upper halves that are nothing but sign.
    if (signed) {
        sse.move(t, .xmm15, .xmm0);
        sse.shift(t, 1, 4, .xmm15, 15);
    } else sse.zeroes(t, .xmm15);
    sse.equal(t, 1, .xmm15, high);
    sse.op(t, 0xdf, over, .xmm15);
    sse.ones(t, limit);
    if (signed) {
        sse.shift(t, 1, 2, limit, 1);
        sse.negative(t, 1, high, n);
        sse.op(t, 0xef, limit, high);
    }
    sse.move(t, high, .xmm0);
    sse.move(t, .xmm0, over);
    sse.choose(t, limit, high);
    sse.saturatedUnless(t, .xmm0);
    sse.move(t, .xmm0, limit);
}

pub fn SSHL(t: *Translator, insn: u32) bool {
    return shift(t, insn, .{ .signed = true });
}
pub fn USHL(t: *Translator, insn: u32) bool {
    return shift(t, insn, .{ .signed = false });
}
pub fn SRSHL(t: *Translator, insn: u32) bool {
    return shift(t, insn, .{ .signed = true, .rounds = true });
}
pub fn URSHL(t: *Translator, insn: u32) bool {
    return shift(t, insn, .{ .signed = false, .rounds = true });
}
pub fn SQSHL_reg(t: *Translator, insn: u32) bool {
    return shift(t, insn, .{ .signed = true, .saturates = true });
}
pub fn UQSHL_reg(t: *Translator, insn: u32) bool {
    return shift(t, insn, .{ .signed = false, .saturates = true });
}
pub fn SQRSHL(t: *Translator, insn: u32) bool {
    return shift(t, insn, .{ .signed = true, .rounds = true, .saturates = true });
}
pub fn UQRSHL(t: *Translator, insn: u32) bool {
    return shift(t, insn, .{ .signed = false, .rounds = true, .saturates = true });
}

pub const SSHL_s = SSHL;
pub const USHL_s = USHL;
pub const SRSHL_s = SRSHL;
pub const URSHL_s = URSHL;
pub const SQSHL_reg_s = SQSHL_reg;
pub const UQSHL_reg_s = UQSHL_reg;
pub const SQRSHL_s = SQRSHL;
pub const UQRSHL_s = UQRSHL;
