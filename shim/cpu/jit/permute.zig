//! Translation of Advanced SIMD permutations and table look-ups. As simd.zig otherwise.

const fields = @import("../interp/fields.zig");
const interleave = @import("interleave.zig");
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
const finish = simd.finish;
const sizeOf = simd.sizeOf;

/// xmm0 = n unpacked with m, from the lower or upper halves.
fn unpack(t: *Translator, insn: u32, high: bool, log: sse.Log) void {
    const m = t.copies.get(&t.a, rm(insn));
    sse.move(t, .xmm0, t.copies.get(&t.a, rn(insn)));
    sse.unpack(t, log, .xmm0, m, high);
}

pub fn ZIP1(t: *Translator, insn: u32) bool {
    unpack(t, insn, false, sizeOf(insn));
    return finish(t, insn);
}
pub fn ZIP2(t: *Translator, insn: u32) bool {
    unpack(t, insn, bit(insn, 30), sizeOf(insn));
    if (!bit(insn, 30)) sse.shift(t, 3, 3, .xmm0, 8);
    return finish(t, insn);
}

/// The even or odd elements of n and then of m. A 64-bit form has both in one register first.
fn unzip(t: *Translator, insn: u32, odd: bool) bool {
    const log = sizeOf(insn);
    if (bit(insn, 30)) {
        const m = t.copies.get(&t.a, rm(insn));
        interleave.every(t, .xmm0, t.copies.get(&t.a, rn(insn)), m, log, odd);
    } else {
        unpack(t, insn, false, 3);
        interleave.every(t, .xmm0, .xmm0, .xmm0, log, odd);
    }
    return finish(t, insn);
}

pub fn UZP1(t: *Translator, insn: u32) bool {
    return unzip(t, insn, false);
}
pub fn UZP2(t: *Translator, insn: u32) bool {
    return unzip(t, insn, true);
}

/// Pairs of the even or odd elements of n and m.
fn transpose(t: *Translator, insn: u32, odd: bool) bool {
    const log = sizeOf(insn);
    if (log == 3) {
        unpack(t, insn, odd, 3);
        return finish(t, insn);
    }
    const n = t.copies.get(&t.a, rn(insn));
    const m = t.copies.get(&t.a, rm(insn));
    if (log == 2) {
        // The element of the other register is beside its place.
        sse.shuffle(t, .xmm0, if (odd) n else m, if (odd) 0xf5 else 0xa0);
        sse.blend(t, .xmm0, if (odd) m else n, if (odd) 0xcc else 0x33);
        return finish(t, insn);
    }
    const width = @as(u32, 8) << log;
    sse.move(t, .xmm0, if (odd) n else m);
    sse.shift(t, log + 1, if (odd) 2 else 6, .xmm0, width);
    if (log == 1) {
        sse.blend(t, .xmm0, if (odd) m else n, if (odd) 0xaa else 0x55);
        return finish(t, insn);
    }
    sse.load(t, .xmm1, "low_byte", 1);
    sse.op(t, if (odd) 0xdf else 0xdb, .xmm1, if (odd) m else n);
    sse.op(t, 0xeb, .xmm0, .xmm1);
    return finish(t, insn);
}

pub fn TRN1(t: *Translator, insn: u32) bool {
    return transpose(t, insn, false);
}
pub fn TRN2(t: *Translator, insn: u32) bool {
    return transpose(t, insn, true);
}

/// Elements backwards in 16 << `group` bits.
fn reverse(t: *Translator, insn: u32, group: u2) bool {
    const n = t.copies.get(&t.a, rn(insn));
    switch (sizeOf(insn)) {
        0 => {
            sse.move(t, .xmm0, n);
            sse.with38(t, 0x00, .xmm0, "reverse", group);
        },
        1 => {
            const order: u8 = if (group == 2) 0x1b else 0xb1;
            t.a.sse(.f2, 0x70, .xmm0, .{ .xmm = n });
            t.a.imm8(order);
            t.a.sse(.f3, 0x70, .xmm0, .{ .xmm = .xmm0 });
            t.a.imm8(order);
        },
        else => sse.shuffle(t, .xmm0, n, 0xb1),
    }
    return finish(t, insn);
}

pub fn REV64(t: *Translator, insn: u32) bool {
    return reverse(t, insn, 2);
}
pub fn REV32(t: *Translator, insn: u32) bool {
    return reverse(t, insn, 1);
}
pub fn REV16(t: *Translator, insn: u32) bool {
    return reverse(t, insn, 0);
}

/// xmm0 = bytes of one to four registers, zero for an index beyond them. Uses xmm1 and xmm15.
fn lookUp(t: *Translator, insn: u32) u32 {
    const count = bits(insn, 13, 2) + 1;
    sse.move(t, .xmm15, t.copies.get(&t.a, rm(insn)));
    for (0..count) |i| {
        const part: Xmm = if (i == 0) .xmm0 else .xmm1;
        const table = t.copies.get(&t.a, (rn(insn) + @as(u32, @intCast(i))) & 31);
        if (i != 0) sse.with(t, 0xf8, .xmm15, "sixteens", 0);
        const index: Xmm = if (i + 1 == count) .xmm15 else t.copies.spare();
        sse.move(t, index, .xmm15);
        sse.with(t, 0xdc, index, "beyond", 0);
        sse.move(t, part, table);
        sse.op38(t, 0x00, part, index);
        if (i != 0) sse.op(t, 0xeb, .xmm0, part);
    }
    return count;
}

pub fn TBL(t: *Translator, insn: u32) bool {
    _ = lookUp(t, insn);
    return finish(t, insn);
}

/// Of an index beyond the registers, the byte stays.
pub fn TBX(t: *Translator, insn: u32) bool {
    const count = lookUp(t, insn);
    sse.load(t, .xmm1, "last", count - 1);
    const m = t.copies.get(&t.a, rm(insn));
    sse.op(t, 0xda, .xmm1, m);
    sse.op(t, 0x74, .xmm1, m);
    sse.op(t, 0xdf, .xmm1, t.copies.get(&t.a, rd(insn)));
    sse.op(t, 0xeb, .xmm0, .xmm1);
    return finish(t, insn);
}
