//! Translation of Advanced SIMD integer and move instructions that the host has, or nearly has. Each function is named after its
//! row in `table_simd.zig`; false: the interpreter's function is to be called. None of them touches the host's flags.

const fields = @import("../interp/fields.zig");
const interleave = @import("interleave.zig");
const lanes = @import("lanes.zig");
const sse = @import("sse.zig");
const x64 = @import("x64.zig");
const Translator = @import("translate.zig").Translator;

const Xmm = x64.Xmm;
const bit = fields.bit;
const bits = fields.bits;
const rd = fields.rd;
const rn = fields.rn;
const rm = fields.rm;

/// Integers of vectors and of scalars in their registers.
pub const chapters = .{
    @This(),
    lanes,
    @import("across.zig"),
    @import("crypto.zig"),
    @import("differences.zig"),
    @import("narrow.zig"),
    @import("permute.zig"),
    @import("products.zig"),
    @import("saturate.zig"),
    @import("scalars.zig"),
    @import("shifts.zig"),
    @import("variable.zig"),
};

pub fn sizeOf(insn: u32) u2 {
    return @intCast(bits(insn, 22, 2));
}

/// Register d becomes xmm0, or of a 64-bit form or a scalar its lower half.
pub fn finish(t: *Translator, insn: u32) bool {
    if (bit(insn, 30) and !bit(insn, 28)) {
        t.copies.put(&t.a, rd(insn), .xmm0, .no);
    } else {
        t.a.sse(.f3, 0x7e, .xmm0, .{ .xmm = .xmm0 });
        t.copies.put(&t.a, rd(insn), .xmm0, .d);
    }
    return true;
}

pub fn copy(t: *Translator, dst: Xmm, n: u32) void {
    t.a.sse(.none, 0x28, dst, .{ .xmm = t.copies.get(&t.a, n) });
}

/// xmm0 = n op m, by an instruction of the 66 0F map.
pub fn two(t: *Translator, insn: u32, opcode: u8) bool {
    const m = t.copies.get(&t.a, rm(insn));
    copy(t, .xmm0, rn(insn));
    t.a.sse(.p66, opcode, .xmm0, .{ .xmm = m });
    return finish(t, insn);
}

/// 64-bit lanes need the 128-bit form, or are scalars.
pub fn reserved(insn: u32) bool {
    return sizeOf(insn) == 3 and !bit(insn, 30) and !bit(insn, 28);
}

pub fn ADD_v(t: *Translator, insn: u32) bool {
    return !reserved(insn) and two(t, insn, sse.adds[sizeOf(insn)]);
}
pub fn SUB_v(t: *Translator, insn: u32) bool {
    return !reserved(insn) and two(t, insn, sse.subtracts[sizeOf(insn)]);
}
pub fn AND_v(t: *Translator, insn: u32) bool {
    return two(t, insn, 0xdb);
}
pub fn EOR_v(t: *Translator, insn: u32) bool {
    return two(t, insn, 0xef);
}
pub fn ORR_v(t: *Translator, insn: u32) bool {
    if (rn(insn) != rm(insn)) return two(t, insn, 0xeb);
    copy(t, .xmm0, rn(insn));
    return finish(t, insn);
}
/// n and not m
pub fn BIC_v(t: *Translator, insn: u32) bool {
    const n = t.copies.get(&t.a, rn(insn));
    copy(t, .xmm0, rm(insn));
    t.a.sse(.p66, 0xdf, .xmm0, .{ .xmm = n });
    return finish(t, insn);
}

/// xmm0 = a ^ ((a ^ b) & c)
pub fn choose(t: *Translator, insn: u32, a: u32, b: u32, c: u32) bool {
    const rb = t.copies.get(&t.a, b);
    const rc = t.copies.get(&t.a, c);
    const first = t.copies.get(&t.a, a);
    t.a.sse(.none, 0x28, .xmm0, .{ .xmm = first });
    t.a.sse(.p66, 0xef, .xmm0, .{ .xmm = rb });
    t.a.sse(.p66, 0xdb, .xmm0, .{ .xmm = rc });
    t.a.sse(.p66, 0xef, .xmm0, .{ .xmm = first });
    return finish(t, insn);
}

pub fn BSL(t: *Translator, insn: u32) bool {
    return choose(t, insn, rm(insn), rn(insn), rd(insn));
}
pub fn BIT(t: *Translator, insn: u32) bool {
    return choose(t, insn, rd(insn), rn(insn), rm(insn));
}

pub fn CMEQ(t: *Translator, insn: u32) bool {
    if (reserved(insn)) return false;
    const m = t.copies.get(&t.a, rm(insn));
    copy(t, .xmm0, rn(insn));
    sse.equal(t, sizeOf(insn), .xmm0, m);
    return finish(t, insn);
}
pub fn CMEQ_zero(t: *Translator, insn: u32) bool {
    if (reserved(insn)) return false;
    sse.zeroes(t, .xmm0);
    sse.equal(t, sizeOf(insn), .xmm0, t.copies.get(&t.a, rn(insn)));
    return finish(t, insn);
}
pub fn CMGT(t: *Translator, insn: u32) bool {
    if (reserved(insn)) return false;
    const m = t.copies.get(&t.a, rm(insn));
    copy(t, .xmm0, rn(insn));
    sse.greater(t, sizeOf(insn), .xmm0, m);
    return finish(t, insn);
}
/// n is the greater of the two.
pub fn CMHS(t: *Translator, insn: u32) bool {
    if (sizeOf(insn) == 3) return lanes.higher(t, insn, rm(insn), rn(insn), true);
    const n = t.copies.get(&t.a, rn(insn));
    copy(t, .xmm0, rm(insn));
    sse.limit(t, sizeOf(insn), false, true, .xmm0, n);
    sse.equal(t, sizeOf(insn), .xmm0, n);
    return finish(t, insn);
}

fn extreme(t: *Translator, insn: u32, signed: bool, greatest: bool) bool {
    if (sizeOf(insn) == 3) return false;
    const m = t.copies.get(&t.a, rm(insn));
    copy(t, .xmm0, rn(insn));
    sse.limit(t, sizeOf(insn), signed, greatest, .xmm0, m);
    return finish(t, insn);
}

pub fn UMAX(t: *Translator, insn: u32) bool {
    return extreme(t, insn, false, true);
}
pub fn UMIN(t: *Translator, insn: u32) bool {
    return extreme(t, insn, false, false);
}
pub fn SMAX(t: *Translator, insn: u32) bool {
    return extreme(t, insn, true, true);
}
pub fn SMIN(t: *Translator, insn: u32) bool {
    return extreme(t, insn, true, false);
}

/// The lower (or, of the second form, upper) half of n, each element made twice as wide.
fn widened(t: *Translator, insn: u32, signed: bool) bool {
    const field = bits(insn, 16, 7);
    if (field >= 64) return false;
    const log: sse.Log = @intCast(31 - @clz(field >> 3));
    const amount = field - (@as(u32, 8) << log);
    var src = t.copies.get(&t.a, rn(insn));
    if (bit(insn, 30)) {
        sse.shuffle(t, .xmm1, src, 0xee);
        src = .xmm1;
    }
    sse.widen(t, log, .xmm0, src, signed);
    if (amount != 0) sse.shift(t, @as(u8, log) + 1, 6, .xmm0, amount);
    t.copies.put(&t.a, rd(insn), .xmm0, .no);
    return true;
}

pub fn USHLL(t: *Translator, insn: u32) bool {
    return bits(insn, 19, 4) != 0 and widened(t, insn, false);
}
pub fn SSHLL(t: *Translator, insn: u32) bool {
    return bits(insn, 19, 4) != 0 and widened(t, insn, true);
}

const Element = struct { log: u5, index: u8 };

/// The element that imm5 names; null when it is reserved.
pub fn elementOf(imm5: u32) ?Element {
    if (imm5 & 15 == 0) return null;
    const log: u5 = @intCast(@ctz(imm5));
    return .{ .log = log, .index = @intCast(imm5 >> (log + 1)) };
}

pub fn DUP_general(t: *Translator, insn: u32) bool {
    const e = elementOf(bits(insn, 16, 5)) orelse return false;
    if (e.log == 3 and !bit(insn, 30)) return false;
    const src = t.use(.q, rn(insn), .rax);
    t.a.sseGeneral(.p66, .q, 0x6e, 0, .{ .reg = src });
    interleave.spread(t, .xmm0, @intCast(e.log));
    return finish(t, insn);
}

pub fn DUP_element(t: *Translator, insn: u32) bool {
    const e = elementOf(bits(insn, 16, 5)) orelse return false;
    if (e.log == 3 and !bit(insn, 30)) return false;
    copy(t, .xmm0, rn(insn));
    if (e.index != 0) {
        t.a.sse(.p66, 0x73, @enumFromInt(3), .{ .xmm = .xmm0 });
        t.a.imm8(e.index << @intCast(e.log));
    }
    interleave.spread(t, .xmm0, @intCast(e.log));
    return finish(t, insn);
}

pub fn UMOV(t: *Translator, insn: u32) bool {
    const e = elementOf(bits(insn, 16, 5)) orelse return false;
    if ((e.log == 3) != bit(insn, 30)) return false;
    const n = t.copies.get(&t.a, rn(insn));
    const dst = t.target(rd(insn), .rax);
    const number: u4 = @intFromEnum(n);
    switch (e.log) {
        0 => t.a.sse3aGeneral(.d, 0x14, number, dst, e.index),
        1 => t.a.sse3aGeneral(.d, 0x15, number, dst, e.index),
        2 => t.a.sse3aGeneral(.d, 0x16, number, dst, e.index),
        else => if (e.index == 0) t.a.sseGeneral(.p66, .q, 0x7e, number, .{ .reg = dst }) else t.a.sse3aGeneral(.q, 0x16, number, dst, e.index),
    }
    t.put(rd(insn), dst);
    return true;
}

fn insert(t: *Translator, log: u5, index: u8, src: x64.Reg) void {
    if (log == 1) {
        t.a.sseGeneral(.p66, .d, 0xc4, 0, .{ .reg = src });
        t.a.imm8(index);
    } else {
        t.a.sse3aGeneral(if (log == 3) .q else .d, if (log == 0) 0x20 else 0x22, 0, src, index);
    }
}

pub fn INS_general(t: *Translator, insn: u32) bool {
    const e = elementOf(bits(insn, 16, 5)) orelse return false;
    copy(t, .xmm0, rd(insn));
    insert(t, e.log, e.index, t.use(.q, rn(insn), .rax));
    t.copies.put(&t.a, rd(insn), .xmm0, .no);
    return true;
}

pub fn INS_element(t: *Translator, insn: u32) bool {
    const e = elementOf(bits(insn, 16, 5)) orelse return false;
    const from: u8 = @intCast(bits(insn, 11, 4) >> e.log);
    const number: u4 = @intFromEnum(t.copies.get(&t.a, rn(insn)));
    switch (e.log) {
        0 => t.a.sse3aGeneral(.d, 0x14, number, .rax, from),
        1 => t.a.sse3aGeneral(.d, 0x15, number, .rax, from),
        2 => t.a.sse3aGeneral(.d, 0x16, number, .rax, from),
        else => t.a.sse3aGeneral(.q, 0x16, number, .rax, from),
    }
    copy(t, .xmm0, rd(insn));
    insert(t, e.log, e.index, .rax);
    t.copies.put(&t.a, rd(insn), .xmm0, .no);
    return true;
}

pub fn EXT(t: *Translator, insn: u32) bool {
    const index: u8 = @intCast(bits(insn, 11, 4));
    if (bit(insn, 30)) {
        const n = t.copies.get(&t.a, rn(insn));
        copy(t, .xmm0, rm(insn));
        t.a.sse3a(0x0f, .xmm0, .{ .xmm = n }, index);
        t.copies.put(&t.a, rd(insn), .xmm0, .no);
        return true;
    }
    if (index >= 8) return false;
    // Both halves in one register, then shifted.
    const m = t.copies.get(&t.a, rm(insn));
    copy(t, .xmm0, rn(insn));
    t.a.sse(.p66, 0x6c, .xmm0, .{ .xmm = m });
    if (index != 0) {
        t.a.sse(.p66, 0x73, @enumFromInt(3), .{ .xmm = .xmm0 });
        t.a.imm8(index);
    }
    return finish(t, insn);
}

pub fn NOT(t: *Translator, insn: u32) bool {
    sse.ones(t, .xmm0);
    sse.op(t, 0xef, .xmm0, t.copies.get(&t.a, rn(insn)));
    return finish(t, insn);
}
