//! Translation of what makes elements of an Advanced SIMD register narrower, with or without a shift right before, rounding and saturating,
//! and of the shift that makes them wider.

const fields = @import("../interp/fields.zig");
const shifts = @import("shifts.zig");
const sse = @import("sse.zig");
const Translator = @import("translate.zig").Translator;

const Log = sse.Log;
const bit = fields.bit;
const bits = fields.bits;
const rd = fields.rd;
const rn = fields.rn;

/// What signs the elements have, and what those of the result; null: they are cut off.
const How = struct { from: bool, to: ?bool = null, rounds: bool = false };

/// By an amount of 0 or more to elements of this size.
fn narrow(t: *Translator, insn: u32, log: Log, amount: u32, how: How) bool {
    const wide: sse.Extent = if (sse.scalar(insn)) ([3]sse.Extent{ .h, .s, .d })[log] else .q;
    if (how.to != null) t.clobber();
    sse.source(t, .xmm0, rn(insn), wide);
    if (amount != 0) shifts.right(t, log + 1, .xmm0, amount, how.from, how.rounds);
    if (how.to) |to| {
        if (log == 2) halves(t, how.from, to) else packed_(t, log, how.from, to);
    } else cut(t, log);
    if (!bit(insn, 30) or sse.scalar(insn)) {
        t.a.sse(.f3, 0x7e, .xmm0, .{ .xmm = .xmm0 });
        return sse.result(t, rd(insn), .xmm0, if (sse.scalar(insn)) .s else .d);
    }
    // The lower half stays.
    sse.move(t, .xmm1, t.copies.get(&t.a, rd(insn)));
    sse.op(t, 0x6c, .xmm1, .xmm0);
    return sse.result(t, rd(insn), .xmm1, .q);
}

/// xmm0 = the lower halves of its elements.
fn cut(t: *Translator, log: Log) void {
    switch (log) {
        0 => {
            sse.with(t, 0xdb, .xmm0, "low_byte", 1);
            sse.op(t, 0x67, .xmm0, .xmm0);
        },
        1 => {
            sse.with(t, 0xdb, .xmm0, "low_half", 0);
            sse.op38(t, 0x2b, .xmm0, .xmm0);
        },
        else => sse.shuffle(t, .xmm0, .xmm0, 0x08),
    }
}

/// xmm0 = its elements of 16 or 32 bits, half as wide.
fn packed_(t: *Translator, log: Log, from: bool, to: bool) void {
    sse.move(t, .xmm1, .xmm0);
    if (!from) {
        // The host's instruction takes them for numbers with a sign.
        if (log == 0) sse.with38(t, 0x3a, .xmm0, "low_byte", 1) else sse.with38(t, 0x3b, .xmm0, "low_half", 0);
    }
    if (log == 1 and !to) {
        sse.op38(t, 0x2b, .xmm0, .xmm0);
    } else {
        sse.op(t, if (log == 1) 0x6b else if (to) 0x63 else 0x67, .xmm0, .xmm0);
    }
    // What is the same when it is made wide again was not too large.
    sse.widen(t, log, .xmm15, .xmm0, to);
    sse.equal(t, log + 1, .xmm15, .xmm1);
    sse.saturatedUnless(t, .xmm15);
}

/// xmm0 = its elements of 64 bits as 32, twice.
fn halves(t: *Translator, from: bool, to: bool) void {
    const low = t.copies.spare();
    const high = t.copies.spare();
    sse.shuffle(t, low, .xmm0, 0x88);
    sse.shuffle(t, high, .xmm0, 0xdd);
    // Of those that fit the upper half is nothing but sign.
    if (to) {
        sse.move(t, .xmm0, low);
        sse.shift(t, 2, 4, .xmm0, 31);
    } else sse.zeroes(t, .xmm0);
    sse.equal(t, 2, .xmm0, high);
    // The greatest or least for the others.
    if (from) {
        sse.shift(t, 2, 4, high, 31);
        if (to) {
            sse.with(t, 0xef, high, "tops", 2);
        } else {
            sse.ones(t, .xmm1);
            sse.op(t, 0xef, high, .xmm1);
        }
    } else {
        sse.ones(t, high);
    }
    sse.choose(t, high, low);
    sse.saturatedUnless(t, .xmm0);
    sse.move(t, .xmm0, high);
}

fn shifted(t: *Translator, insn: u32, how: How) bool {
    const both = bits(insn, 16, 7);
    const log: Log = @intCast(31 - @clz(both >> 3));
    return narrow(t, insn, log, (@as(u32, 16) << log) - both, how);
}

pub fn SHRN(t: *Translator, insn: u32) bool {
    return shifted(t, insn, .{ .from = false });
}
pub fn RSHRN(t: *Translator, insn: u32) bool {
    return shifted(t, insn, .{ .from = false, .rounds = true });
}
pub fn SQSHRN(t: *Translator, insn: u32) bool {
    return shifted(t, insn, .{ .from = true, .to = true });
}
pub fn SQRSHRN(t: *Translator, insn: u32) bool {
    return shifted(t, insn, .{ .from = true, .to = true, .rounds = true });
}
pub fn SQSHRUN(t: *Translator, insn: u32) bool {
    return shifted(t, insn, .{ .from = true, .to = false });
}
pub fn SQRSHRUN(t: *Translator, insn: u32) bool {
    return shifted(t, insn, .{ .from = true, .to = false, .rounds = true });
}
pub fn UQSHRN(t: *Translator, insn: u32) bool {
    return shifted(t, insn, .{ .from = false, .to = false });
}
pub fn UQRSHRN(t: *Translator, insn: u32) bool {
    return shifted(t, insn, .{ .from = false, .to = false, .rounds = true });
}

fn moved(t: *Translator, insn: u32, how: How) bool {
    return narrow(t, insn, @intCast(bits(insn, 22, 2)), 0, how);
}

pub fn XTN(t: *Translator, insn: u32) bool {
    return moved(t, insn, .{ .from = false });
}
pub fn SQXTN(t: *Translator, insn: u32) bool {
    return moved(t, insn, .{ .from = true, .to = true });
}
pub fn SQXTUN(t: *Translator, insn: u32) bool {
    return moved(t, insn, .{ .from = true, .to = false });
}
pub fn UQXTN(t: *Translator, insn: u32) bool {
    return moved(t, insn, .{ .from = false, .to = false });
}

pub const SQSHRN_s = SQSHRN;
pub const SQRSHRN_s = SQRSHRN;
pub const SQSHRUN_s = SQSHRUN;
pub const SQRSHRUN_s = SQRSHRUN;
pub const UQSHRN_s = UQSHRN;
pub const UQRSHRN_s = UQRSHRN;
pub const SQXTN_s = SQXTN;
pub const SQXTUN_s = SQXTUN;
pub const UQXTN_s = UQXTN;

/// Each element becomes the upper half of one twice as wide.
pub fn SHLL(t: *Translator, insn: u32) bool {
    sse.zeroes(t, .xmm0);
    sse.unpack(t, @intCast(bits(insn, 22, 2)), .xmm0, t.copies.get(&t.a, rn(insn)), bit(insn, 30));
    return sse.result(t, rd(insn), .xmm0, .q);
}
