//! Translation of the cryptographic Advanced SIMD instructions to the host's, which divide the work otherwise. As simd.zig otherwise.

const fields = @import("../interp/fields.zig");
const host = @import("host.zig");
const simd = @import("simd.zig");
const sse = @import("sse.zig");
const x64 = @import("x64.zig");
const Translator = @import("translate.zig").Translator;

const Xmm = x64.Xmm;
const rd = fields.rd;
const rn = fields.rn;
const rm = fields.rm;
const copy = simd.copy;
const move = sse.move;
const op = sse.op;
const shift = sse.shift;
const shuffle = sse.shuffle;

fn put(t: *Translator, insn: u32) bool {
    t.copies.put(&t.a, rd(insn), .xmm0, .no);
    return true;
}

const aesimc = 0xdb;
const aesenc = 0xdc;
const aesenclast = 0xdd;
const aesdeclast = 0xdf;

/// ARM adds the key before the substitution, the host behind it.
fn substitute(t: *Translator, insn: u32, opcode: u8) bool {
    if (!host.features.aes) return false;
    copy(t, .xmm0, rd(insn));
    op(t, 0xef, .xmm0, t.copies.get(&t.a, rn(insn)));
    sse.zeroes(t, .xmm1);
    t.a.sse38(opcode, .xmm0, .{ .xmm = .xmm1 });
    return put(t, insn);
}

pub fn AESE(t: *Translator, insn: u32) bool {
    return substitute(t, insn, aesenclast);
}
pub fn AESD(t: *Translator, insn: u32) bool {
    return substitute(t, insn, aesdeclast);
}

/// A round without what undoes the substitution.
pub fn AESMC(t: *Translator, insn: u32) bool {
    if (!host.features.aes) return false;
    copy(t, .xmm0, rn(insn));
    sse.zeroes(t, .xmm1);
    t.a.sse38(aesdeclast, .xmm0, .{ .xmm = .xmm1 });
    t.a.sse38(aesenc, .xmm0, .{ .xmm = .xmm1 });
    return put(t, insn);
}
pub fn AESIMC(t: *Translator, insn: u32) bool {
    if (!host.features.aes) return false;
    t.a.sse38(aesimc, .xmm0, .{ .xmm = t.copies.get(&t.a, rn(insn)) });
    return put(t, insn);
}

/// SHA-NI has a first where ARM has d, and adds the constant itself.
fn sha1(t: *Translator, insn: u32, quarter: u8) bool {
    if (!host.features.sha) return false;
    const d = t.copies.get(&t.a, rd(insn));
    const m = t.copies.get(&t.a, rm(insn));
    copy(t, .xmm15, rn(insn));
    shift(t, 3, 7, .xmm15, 12);
    shuffle(t, .xmm1, m, 0x1b);
    sse.with(t, 0xfe, .xmm1, "sha1_less", quarter);
    op(t, 0xfe, .xmm1, .xmm15);
    shuffle(t, .xmm0, d, 0x1b);
    t.a.sseMap(.none, 0x3a, 0xcc, .xmm0, .{ .xmm = .xmm1 });
    t.a.imm8(quarter);
    shuffle(t, .xmm0, .xmm0, 0x1b);
    return put(t, insn);
}

pub fn SHA1C(t: *Translator, insn: u32) bool {
    return sha1(t, insn, 0);
}
pub fn SHA1P(t: *Translator, insn: u32) bool {
    return sha1(t, insn, 1);
}
pub fn SHA1M(t: *Translator, insn: u32) bool {
    return sha1(t, insn, 2);
}

/// x = its elements rotated left. Uses xmm1.
fn rotate(t: *Translator, x: Xmm, count: u8) void {
    move(t, .xmm1, x);
    shift(t, 2, 6, x, count);
    shift(t, 2, 2, .xmm1, 32 - count);
    op(t, 0xeb, x, .xmm1);
}

pub fn SHA1H(t: *Translator, insn: u32) bool {
    t.copies.low(&t.a, rn(insn), .s, .xmm0);
    rotate(t, .xmm0, 30);
    t.copies.put(&t.a, rd(insn), .xmm0, .s);
    return true;
}

/// d's upper half and n's lower one, with d and m.
pub fn SHA1SU0(t: *Translator, insn: u32) bool {
    const d = t.copies.get(&t.a, rd(insn));
    copy(t, .xmm0, rn(insn));
    t.a.sse3a(0x0f, .xmm0, .{ .xmm = d }, 8);
    op(t, 0xef, .xmm0, d);
    op(t, 0xef, .xmm0, t.copies.get(&t.a, rm(insn)));
    return put(t, insn);
}

/// The last element needs the first result.
pub fn SHA1SU1(t: *Translator, insn: u32) bool {
    copy(t, .xmm0, rn(insn));
    shift(t, 3, 3, .xmm0, 4);
    op(t, 0xef, .xmm0, t.copies.get(&t.a, rd(insn)));
    rotate(t, .xmm0, 1);
    move(t, .xmm15, .xmm0);
    shift(t, 3, 7, .xmm15, 12);
    rotate(t, .xmm15, 1);
    op(t, 0xef, .xmm0, .xmm15);
    return put(t, insn);
}

/// SHA-NI has the state as f, e, b, a and h, g, d, c where ARM has a to d (`first`) and e to h. Each two rounds make the former anew, which
/// was the latter two rounds before.
fn sha256(t: *Translator, insn: u32, first: u32, second: u32, opcode: u8) bool {
    if (!host.features.sha) return false;
    const x = t.copies.get(&t.a, first);
    const y = t.copies.get(&t.a, second);
    const m = t.copies.get(&t.a, rm(insn));
    move(t, .xmm1, y);
    op(t, 0x6d, .xmm1, x);
    shuffle(t, .xmm1, .xmm1, 0xb1);
    move(t, .xmm15, y);
    op(t, 0x6c, .xmm15, x);
    shuffle(t, .xmm15, .xmm15, 0xb1);
    move(t, .xmm0, m);
    t.a.sseMap(.none, 0x38, 0xcb, .xmm1, .{ .xmm = .xmm15 });
    shuffle(t, .xmm0, m, 0xee);
    t.a.sseMap(.none, 0x38, 0xcb, .xmm15, .{ .xmm = .xmm1 });
    op(t, opcode, .xmm15, .xmm1);
    shuffle(t, .xmm0, .xmm15, 0xb1);
    return put(t, insn);
}

pub fn SHA256H(t: *Translator, insn: u32) bool {
    return sha256(t, insn, rd(insn), rn(insn), 0x6d);
}
pub fn SHA256H2(t: *Translator, insn: u32) bool {
    return sha256(t, insn, rn(insn), rd(insn), 0x6c);
}

pub fn SHA256SU0(t: *Translator, insn: u32) bool {
    if (!host.features.sha) return false;
    const n = t.copies.get(&t.a, rn(insn));
    copy(t, .xmm0, rd(insn));
    t.a.sseMap(.none, 0x38, 0xcc, .xmm0, .{ .xmm = n });
    return put(t, insn);
}

pub fn SHA256SU1(t: *Translator, insn: u32) bool {
    if (!host.features.sha) return false;
    const n = t.copies.get(&t.a, rn(insn));
    const m = t.copies.get(&t.a, rm(insn));
    move(t, .xmm0, m);
    t.a.sse3a(0x0f, .xmm0, .{ .xmm = n }, 4);
    op(t, 0xfe, .xmm0, t.copies.get(&t.a, rd(insn)));
    t.a.sseMap(.none, 0x38, 0xcd, .xmm0, .{ .xmm = m });
    return put(t, insn);
}
