//! Translation of Advanced SIMD shifts of elements by constants: plain, rounding, accumulating, inserting, saturating. Vectors and
//! scalars, which lie in the lowest element.

const fields = @import("../interp/fields.zig");
const sse = @import("sse.zig");
const x64 = @import("x64.zig");
const Translator = @import("translate.zig").Translator;

const Log = sse.Log;
const Xmm = x64.Xmm;
const bits = fields.bits;
const rd = fields.rd;
const rn = fields.rn;

/// The size of the elements and the amount, which are one number.
const Amount = struct {
    log: Log,
    width: u32,
    left: u32,
    right: u32,

    fn of(insn: u32) Amount {
        const both = bits(insn, 16, 7);
        const log: Log = @intCast(31 - @clz(both >> 3));
        const width = @as(u32, 8) << log;
        return .{ .log = log, .width = width, .left = both - width, .right = 2 * width - both };
    }
};

/// What a shift right does besides: rounds, adds to register d.
const Right = struct { signed: bool, rounds: bool = false, adds: bool = false };

/// dst, whose elements are shifted right. Uses xmm15.
pub fn right(t: *Translator, log: Log, dst: Xmm, amount: u32, signed: bool, rounds: bool) void {
    if (rounds) {
        // The last bit that is lost.
        sse.move(t, .xmm15, dst);
        if (log == 0) {
            if (amount > 1) sse.shift(t, 1, 2, .xmm15, amount - 1);
            t.a.sse(.p66, 0xdb, .xmm15, sse.constant("sign_bytes", 7));
        } else {
            const width = @as(u32, 8) << log;
            sse.left(t, log, .xmm15, width - amount);
            sse.shift(t, log, 2, .xmm15, width - 1);
        }
    }
    sse.right(t, log, dst, amount, signed);
    if (rounds) sse.op(t, sse.adds[log], dst, .xmm15);
}

fn shiftRight(t: *Translator, insn: u32, what: Right) bool {
    const by = Amount.of(insn);
    const e = sse.extentOf(insn, by.log);
    sse.source(t, .xmm0, rn(insn), e);
    right(t, by.log, .xmm0, by.right, what.signed, what.rounds);
    if (what.adds) sse.op(t, sse.adds[by.log], .xmm0, sse.operand(t, rd(insn), e));
    return sse.result(t, rd(insn), .xmm0, e);
}

pub fn SSHR(t: *Translator, insn: u32) bool {
    return shiftRight(t, insn, .{ .signed = true });
}
pub fn USHR(t: *Translator, insn: u32) bool {
    return shiftRight(t, insn, .{ .signed = false });
}
pub fn SSRA(t: *Translator, insn: u32) bool {
    return shiftRight(t, insn, .{ .signed = true, .adds = true });
}
pub fn USRA(t: *Translator, insn: u32) bool {
    return shiftRight(t, insn, .{ .signed = false, .adds = true });
}
pub fn SRSHR(t: *Translator, insn: u32) bool {
    return shiftRight(t, insn, .{ .signed = true, .rounds = true });
}
pub fn URSHR(t: *Translator, insn: u32) bool {
    return shiftRight(t, insn, .{ .signed = false, .rounds = true });
}
pub fn SRSRA(t: *Translator, insn: u32) bool {
    return shiftRight(t, insn, .{ .signed = true, .rounds = true, .adds = true });
}
pub fn URSRA(t: *Translator, insn: u32) bool {
    return shiftRight(t, insn, .{ .signed = false, .rounds = true, .adds = true });
}

pub fn SHL(t: *Translator, insn: u32) bool {
    const by = Amount.of(insn);
    const e = sse.extentOf(insn, by.log);
    sse.source(t, .xmm0, rn(insn), e);
    sse.left(t, by.log, .xmm0, by.left);
    return sse.result(t, rd(insn), .xmm0, e);
}

/// The bits of register d that nothing is shifted into stay.
pub fn SLI(t: *Translator, insn: u32) bool {
    const by = Amount.of(insn);
    const e = sse.extentOf(insn, by.log);
    sse.source(t, .xmm0, rn(insn), e);
    if (by.left != 0) {
        sse.left(t, by.log, .xmm0, by.left);
        sse.source(t, .xmm1, rd(insn), e);
        if (by.log == 0) {
            sse.with(t, 0xdb, .xmm1, "right_bytes", 8 - by.left);
        } else {
            sse.shift(t, by.log, 6, .xmm1, by.width - by.left);
            sse.shift(t, by.log, 2, .xmm1, by.width - by.left);
        }
        sse.op(t, 0xeb, .xmm0, .xmm1);
    }
    return sse.result(t, rd(insn), .xmm0, e);
}

pub fn SRI(t: *Translator, insn: u32) bool {
    const by = Amount.of(insn);
    const e = sse.extentOf(insn, by.log);
    sse.source(t, .xmm0, rn(insn), e);
    sse.right(t, by.log, .xmm0, by.right, false);
    sse.source(t, .xmm1, rd(insn), e);
    if (by.log == 0) {
        sse.with(t, 0xdb, .xmm1, "left_bytes", 8 - by.right);
    } else {
        sse.shift(t, by.log, 2, .xmm1, by.width - by.right);
        sse.shift(t, by.log, 6, .xmm1, by.width - by.right);
    }
    sse.op(t, 0xeb, .xmm0, .xmm1);
    return sse.result(t, rd(insn), .xmm0, e);
}

/// xmm1 shifted left; what is too large for its sign or width becomes the greatest or least. The result is in the register returned.
fn saturating(t: *Translator, by: Amount, signed: bool) Xmm {
    const shifted = t.copies.spare();
    const limit = t.copies.spare();
    sse.move(t, shifted, .xmm1);
    sse.left(t, by.log, shifted, by.left);
    sse.move(t, .xmm0, shifted);
    sse.right(t, by.log, .xmm0, by.left, signed);
    sse.equal(t, by.log, .xmm0, .xmm1);
    sse.ones(t, limit);
    if (signed) {
        sse.right(t, by.log, limit, 1, false);
        sse.negative(t, by.log, .xmm15, .xmm1);
        sse.op(t, 0xef, limit, .xmm15);
    }
    sse.choose(t, limit, shifted);
    return limit;
}

fn shiftLeft(t: *Translator, insn: u32, signed: bool) bool {
    const by = Amount.of(insn);
    const e = sse.extentOf(insn, by.log);
    t.clobber();
    sse.source(t, .xmm1, rn(insn), e);
    const x = saturating(t, by, signed);
    sse.saturatedUnless(t, .xmm0);
    return sse.result(t, rd(insn), x, e);
}

pub fn SQSHL_imm(t: *Translator, insn: u32) bool {
    return shiftLeft(t, insn, true);
}
pub fn UQSHL_imm(t: *Translator, insn: u32) bool {
    return shiftLeft(t, insn, false);
}

/// Negative numbers become zero.
pub fn SQSHLU(t: *Translator, insn: u32) bool {
    const by = Amount.of(insn);
    const e = sse.extentOf(insn, by.log);
    t.clobber();
    const n = sse.operand(t, rn(insn), e);
    const below = t.copies.spare();
    sse.negative(t, by.log, below, n);
    sse.move(t, .xmm1, below);
    sse.op(t, 0xdf, .xmm1, n);
    const x = saturating(t, by, false);
    // Neither too large nor negative.
    sse.op(t, 0xdf, below, .xmm0);
    sse.saturatedUnless(t, below);
    return sse.result(t, rd(insn), x, e);
}

pub const SSHR_s = SSHR;
pub const USHR_s = USHR;
pub const SSRA_s = SSRA;
pub const USRA_s = USRA;
pub const SRSHR_s = SRSHR;
pub const URSHR_s = URSHR;
pub const SRSRA_s = SRSRA;
pub const URSRA_s = URSRA;
pub const SRI_s = SRI;
pub const SLI_s = SLI;
pub const SHL_s = SHL;
pub const SQSHL_imm_s = SQSHL_imm;
pub const UQSHL_imm_s = UQSHL_imm;
pub const SQSHLU_s = SQSHLU;
