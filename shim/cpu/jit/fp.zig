//! Translation of floating-point arithmetic to the host's, each function named after its row in `table_fp.zig` and `table_simd.zig`; false:
//! the interpreter's function is to be called.
//!
//! The host rounds as FPCR says (simd/fp.zig), and its sticky flags are FPSR's. What it does otherwise than ARM shows in
//! the result: a NaN (its sign, which operand's it is), or the smallest normal number (when underflow is detected). Such a result
//! is thrown away and the interpreter's function is called. Blocks for other modes of FPCR than rounding come here only for moves.

const fields = @import("../interp/fields.zig");
const flags = @import("flags.zig");
const host = @import("host.zig");
const layout = @import("layout.zig");
const vector = @import("vector.zig");
const x64 = @import("x64.zig");
const Translator = @import("translate.zig").Translator;

const Clean = vector.Clean;
const Xmm = x64.Xmm;
const bit = fields.bit;
const bits = fields.bits;
const rd = fields.rd;
const rn = fields.rn;
const rm = fields.rm;
const ra = fields.ra;

const rax: x64.Rm = .{ .reg = .rax };

/// Single or double by the type field; null: half.
fn typeOf(insn: u32) ?Clean {
    return switch (bits(insn, 22, 2)) {
        0 => .s,
        1 => .d,
        else => null,
    };
}

fn scalar(kind: Clean) x64.Prefix {
    return if (kind == .d) .f2 else .f3;
}

fn packed_(kind: Clean) x64.Prefix {
    return if (kind == .d) .p66 else .none;
}

/// What a result must not be.
const Check = enum { nan, nan_or_least };

/// xmm0 is the result of the current instruction, unless it needs the exact way.
fn check(t: *Translator, kind: Clean, what: Check) u32 {
    const before = t.cold_count;
    const a = &t.a;
    a.sse(packed_(kind), 0x2e, .xmm0, .{ .xmm = .xmm0 });
    t.exactly(.p);
    if (what == .nan_or_least) {
        if (kind == .d) {
            a.sseGeneral(.p66, .q, 0x7e, 0, rax);
            a.movImm(.rcx, 1 << 53);
            a.alu(.add, .q, .rax, rax);
            a.alu(.cmp, .q, .rax, .{ .reg = .rcx });
        } else {
            a.sseGeneral(.p66, .d, 0x7e, 0, rax);
            a.alu(.add, .d, .rax, rax);
            a.aluImm(.cmp, .d, rax, 1 << 24);
        }
        t.exactly(.e);
    }
    return before;
}

/// xmm0 becomes register d, after `check`.
fn finish(t: *Translator, d: u32, kind: Clean, before: u32) bool {
    t.copies.put(&t.a, d, .xmm0, kind);
    t.comeBack(before);
    return true;
}

fn binary(t: *Translator, insn: u32, opcode: u8, what: Check) bool {
    const kind = typeOf(insn) orelse return false;
    t.clobber();
    const m = t.copies.get(&t.a, rm(insn));
    t.copies.low(&t.a, rn(insn), kind, .xmm0);
    t.a.sse(scalar(kind), opcode, .xmm0, .{ .xmm = m });
    return finish(t, rd(insn), kind, check(t, kind, what));
}

pub fn FADD(t: *Translator, insn: u32) bool {
    return binary(t, insn, 0x58, .nan);
}
pub fn FSUB(t: *Translator, insn: u32) bool {
    return binary(t, insn, 0x5c, .nan);
}
pub fn FMUL(t: *Translator, insn: u32) bool {
    return binary(t, insn, 0x59, .nan_or_least);
}
pub fn FDIV(t: *Translator, insn: u32) bool {
    return binary(t, insn, 0x5e, .nan_or_least);
}

pub fn FSQRT(t: *Translator, insn: u32) bool {
    const kind = typeOf(insn) orelse return false;
    t.clobber();
    const n = t.copies.get(&t.a, rn(insn));
    t.a.sse(.none, 0x57, .xmm0, .{ .xmm = .xmm0 });
    t.a.sse(scalar(kind), 0x51, .xmm0, .{ .xmm = n });
    return finish(t, rd(insn), kind, check(t, kind, .nan));
}

/// The 231 form: xmm0 = ±n * m ± xmm0.
fn fused(t: *Translator, insn: u32, opcode: u8) bool {
    const kind = typeOf(insn) orelse return false;
    if (!host.features.fma) return false;
    t.clobber();
    const n = t.copies.get(&t.a, rn(insn));
    const m = t.copies.get(&t.a, rm(insn));
    t.copies.low(&t.a, ra(insn), kind, .xmm0);
    t.a.avx(.p66, 2, kind == .d, opcode, .xmm0, n, .{ .xmm = m });
    return finish(t, rd(insn), kind, check(t, kind, .nan_or_least));
}

pub fn FMADD(t: *Translator, insn: u32) bool {
    return fused(t, insn, 0xb9);
}
/// a - n * m
pub fn FMSUB(t: *Translator, insn: u32) bool {
    return fused(t, insn, 0xbd);
}
/// -a - n * m
pub fn FNMADD(t: *Translator, insn: u32) bool {
    return fused(t, insn, 0xbf);
}
/// n * m - a
pub fn FNMSUB(t: *Translator, insn: u32) bool {
    return fused(t, insn, 0xbb);
}

pub const moves = struct {
    pub fn FMOV_reg(t: *Translator, insn: u32) bool {
        const kind = typeOf(insn) orelse return false;
        t.copies.low(&t.a, rn(insn), kind, .xmm0);
        t.copies.put(&t.a, rd(insn), .xmm0, kind);
        return true;
    }

    pub fn FABS(t: *Translator, insn: u32) bool {
        const kind = typeOf(insn) orelse return false;
        t.copies.low(&t.a, rn(insn), kind, .xmm0);
        shiftOnes(t, kind, 2, 1);
        t.a.sse(.none, 0x54, .xmm0, .{ .xmm = .xmm1 });
        t.copies.put(&t.a, rd(insn), .xmm0, kind);
        return true;
    }

    pub fn FNEG(t: *Translator, insn: u32) bool {
        const kind = typeOf(insn) orelse return false;
        t.copies.low(&t.a, rn(insn), kind, .xmm0);
        shiftOnes(t, kind, 6, if (kind == .d) 63 else 31);
        // Only the lowest sign.
        t.a.sse(.f3, 0x7e, .xmm1, .{ .xmm = .xmm1 });
        if (kind == .s) {
            t.a.sse(.p66, 0x73, @enumFromInt(2), .{ .xmm = .xmm1 });
            t.a.imm8(32);
        }
        t.a.sse(.none, 0x57, .xmm0, .{ .xmm = .xmm1 });
        t.copies.put(&t.a, rd(insn), .xmm0, kind);
        return true;
    }

    pub fn FMOV_imm(t: *Translator, insn: u32) bool {
        const kind = typeOf(insn) orelse return false;
        const imm = bits(insn, 13, 8);
        const value = if (kind == .d) expandDouble(imm) else expandSingle(imm);
        t.a.movImm(.rax, value);
        t.a.sseGeneral(.p66, .q, 0x6e, 0, rax);
        t.copies.put(&t.a, rd(insn), .xmm0, kind);
        return true;
    }

    pub fn FMOV_to_gp(t: *Translator, insn: u32) bool {
        const kind = typeOf(insn) orelse return false;
        if ((kind == .d) != bit(insn, 31)) return false;
        const n = t.copies.get(&t.a, rn(insn));
        const dst = t.target(rd(insn), .rax);
        t.a.sseGeneral(.p66, if (kind == .d) .q else .d, 0x7e, @intFromEnum(n), .{ .reg = dst });
        t.put(rd(insn), dst);
        return true;
    }

    pub fn FMOV_to_fp(t: *Translator, insn: u32) bool {
        const kind = typeOf(insn) orelse return false;
        if ((kind == .d) != bit(insn, 31)) return false;
        const src = t.use(.q, rn(insn), .rax);
        t.a.sseGeneral(.p66, if (kind == .d) .q else .d, 0x6e, 0, .{ .reg = src });
        t.copies.put(&t.a, rd(insn), .xmm0, kind);
        return true;
    }

    pub fn FCSEL(t: *Translator, insn: u32) bool {
        const kind = typeOf(insn) orelse return false;
        const code = bits(insn, 12, 4);
        if (code >= 14) return false;
        const n = t.copies.get(&t.a, rn(insn));
        const m = t.copies.get(&t.a, rm(insn));
        const cc = t.condition(@enumFromInt(code));
        const size: x64.Size = if (kind == .d) .q else .d;
        t.a.sseGeneral(.p66, size, 0x7e, @intFromEnum(m), rax);
        t.a.sseGeneral(.p66, size, 0x7e, @intFromEnum(n), .{ .reg = .rcx });
        t.a.cmov(cc, size, .rax, .{ .reg = .rcx });
        t.a.sseGeneral(.p66, size, 0x6e, 0, rax);
        t.copies.put(&t.a, rd(insn), .xmm0, kind);
        return true;
    }
};

/// xmm1 = all ones, each element shifted (`way` 2: right, 6: left).
fn shiftOnes(t: *Translator, kind: Clean, way: u4, amount: u8) void {
    t.a.sse(.p66, 0x76, .xmm1, .{ .xmm = .xmm1 });
    t.a.sse(.p66, if (kind == .d) 0x73 else 0x72, @enumFromInt(way), .{ .xmm = .xmm1 });
    t.a.imm8(amount);
}

fn expandSingle(imm: u32) u64 {
    const exponent: u32 = if (imm >> 6 & 1 != 0) 0x1f << 25 else 1 << 30;
    return (imm >> 7) << 31 | exponent | (imm & 0x3f) << 19;
}

fn expandDouble(imm: u32) u64 {
    const exponent: u64 = if (imm >> 6 & 1 != 0) 0xff << 54 else 1 << 62;
    return @as(u64, imm >> 7) << 63 | exponent | @as(u64, imm & 0x3f) << 48;
}

/// Flags as of the comparison of integers that are 1 and 0, 0 and 0, or 0 and 1.
fn compare(t: *Translator, insn: u32, zero: bool, opcode: u8) bool {
    const kind = typeOf(insn) orelse return false;
    const n = t.copies.get(&t.a, rn(insn));
    const m = if (zero) zero: {
        t.a.sse(.none, 0x57, .xmm0, .{ .xmm = .xmm0 });
        break :zero Xmm.xmm0;
    } else t.copies.get(&t.a, rm(insn));
    t.a.sse(packed_(kind), opcode, n, .{ .xmm = m });
    const before = t.cold_count;
    t.exactly(.p);
    t.a.setcc(.a, rax);
    t.a.setcc(.b, .{ .reg = .rcx });
    t.a.alu(.cmp, .b, .rax, .{ .reg = .rcx });
    t.comeBackWithFlags(before);
    t.setFlags(.inverted);
    return true;
}

pub fn FCMP(t: *Translator, insn: u32) bool {
    return compare(t, insn, false, 0x2e);
}
pub fn FCMP_zero(t: *Translator, insn: u32) bool {
    return compare(t, insn, true, 0x2e);
}
pub fn FCMPE(t: *Translator, insn: u32) bool {
    return compare(t, insn, false, 0x2f);
}
pub fn FCMPE_zero(t: *Translator, insn: u32) bool {
    return compare(t, insn, true, 0x2f);
}

pub fn SCVTF(t: *Translator, insn: u32) bool {
    const kind = typeOf(insn) orelse return false;
    const src = t.use(.q, rn(insn), .rax);
    t.a.sse(.none, 0x57, .xmm0, .{ .xmm = .xmm0 });
    t.a.sseGeneral(scalar(kind), if (bit(insn, 31)) .q else .d, 0x2a, 0, .{ .reg = src });
    t.copies.put(&t.a, rd(insn), .xmm0, kind);
    return true;
}

/// Of 32 bits: as a 64-bit number that is not negative.
pub fn UCVTF(t: *Translator, insn: u32) bool {
    const kind = typeOf(insn) orelse return false;
    if (bit(insn, 31)) return false;
    t.load(.d, .rax, rn(insn));
    t.a.sse(.none, 0x57, .xmm0, .{ .xmm = .xmm0 });
    t.a.sseGeneral(scalar(kind), .q, 0x2a, 0, rax);
    t.copies.put(&t.a, rd(insn), .xmm0, kind);
    return true;
}

/// The host answers the least number for all that it cannot convert.
pub fn FCVTZS(t: *Translator, insn: u32) bool {
    const kind = typeOf(insn) orelse return false;
    const size: x64.Size = if (bit(insn, 31)) .q else .d;
    t.clobber();
    const n = t.copies.get(&t.a, rn(insn));
    t.a.sseGeneral(scalar(kind), size, 0x2c, 0, .{ .reg = @enumFromInt(@intFromEnum(n)) });
    const before = t.cold_count;
    // Only of the least number 1 cannot be subtracted.
    t.a.aluImm(.cmp, size, rax, 1);
    t.exactly(.o);
    t.put(rd(insn), .rax);
    t.comeBack(before);
    return true;
}

pub fn FCVT_to_d(t: *Translator, insn: u32) bool {
    if (typeOf(insn) != .s) return false;
    t.clobber();
    const n = t.copies.get(&t.a, rn(insn));
    t.a.sse(.none, 0x57, .xmm0, .{ .xmm = .xmm0 });
    t.a.sse(.f3, 0x5a, .xmm0, .{ .xmm = n });
    return finish(t, rd(insn), .d, check(t, .d, .nan));
}

pub fn FCVT_to_s(t: *Translator, insn: u32) bool {
    if (typeOf(insn) != .d) return false;
    t.clobber();
    const n = t.copies.get(&t.a, rn(insn));
    t.a.sse(.none, 0x57, .xmm0, .{ .xmm = .xmm0 });
    t.a.sse(.f2, 0x5a, .xmm0, .{ .xmm = n });
    return finish(t, rd(insn), .s, check(t, .s, .nan_or_least));
}

// Vectors.

fn laneOf(insn: u32) Clean {
    return if (bit(insn, 22)) .d else .s;
}

/// What a 64-bit form leaves above, or nothing.
fn cleanOf(insn: u32) Clean {
    return if (bit(insn, 30)) .no else .d;
}

/// dst = register n, of a 64-bit form its lower half.
fn operand(t: *Translator, insn: u32, n: u32, dst: Xmm) void {
    if (bit(insn, 30)) {
        t.a.sse(.none, 0x28, dst, .{ .xmm = t.copies.get(&t.a, n) });
    } else {
        t.copies.low(&t.a, n, .d, dst);
    }
}

/// As `check`, for all elements of xmm0. Uses xmm1.
fn checkAll(t: *Translator, kind: Clean, what: Check) u32 {
    const before = t.cold_count;
    const a = &t.a;
    a.sse(.none, 0x28, .xmm1, .{ .xmm = .xmm0 });
    a.sse(packed_(kind), 0xc2, .xmm1, .{ .xmm = .xmm0 });
    a.imm8(3);
    a.sse(.none, 0x50, @enumFromInt(0), .{ .xmm = .xmm1 });
    if (what == .nan_or_least) {
        a.sse(.none, 0x28, .xmm1, .{ .xmm = .xmm0 });
        // Without signs: each doubled.
        a.sse(.p66, if (kind == .d) 0xd4 else 0xfe, .xmm1, .{ .xmm = .xmm1 });
        const least = if (kind == .d) layout.cpuField("twice_least_double") else layout.cpuField("twice_least_single");
        if (kind == .d) a.sse38(0x29, .xmm1, .{ .mem = least }) else a.sse(.p66, 0x76, .xmm1, .{ .mem = least });
        a.sse(.none, 0x50, @enumFromInt(1), .{ .xmm = .xmm1 });
        a.alu(.@"or", .d, .rax, .{ .reg = .rcx });
    } else {
        a.@"test"(.d, rax, .rax);
    }
    t.exactly(.ne);
    return before;
}

fn vectors(t: *Translator, insn: u32, opcode: u8, what: Check) bool {
    const kind = laneOf(insn);
    if (kind == .d and !bit(insn, 30)) return false;
    t.clobber();
    operand(t, insn, rm(insn), .xmm1);
    operand(t, insn, rn(insn), .xmm0);
    t.a.sse(packed_(kind), opcode, .xmm0, .{ .xmm = .xmm1 });
    // Zero minus zero is not always zero.
    if (!bit(insn, 30)) t.a.sse(.f3, 0x7e, .xmm0, .{ .xmm = .xmm0 });
    return finish(t, rd(insn), cleanOf(insn), checkAll(t, kind, what));
}

pub fn FADD_v(t: *Translator, insn: u32) bool {
    return vectors(t, insn, 0x58, .nan);
}
pub fn FSUB_v(t: *Translator, insn: u32) bool {
    return vectors(t, insn, 0x5c, .nan);
}
pub fn FMUL_v(t: *Translator, insn: u32) bool {
    return vectors(t, insn, 0x59, .nan_or_least);
}
/// Not of 64 bits: the unused halves would divide zero by zero.
pub fn FDIV_v(t: *Translator, insn: u32) bool {
    return bit(insn, 30) and vectors(t, insn, 0x5e, .nan_or_least);
}

/// xmm0 = d ± n * m, m being register m or (`element`) one element of it everywhere. Only of 128 bits.
fn accumulate(t: *Translator, insn: u32, opcode: u8, element: bool) bool {
    const kind = laneOf(insn);
    if (!host.features.fma or !bit(insn, 30)) return false;
    t.clobber();
    if (element) splat(t, insn, kind) else operand(t, insn, rm(insn), .xmm1);
    operand(t, insn, rd(insn), .xmm0);
    t.a.avx(.p66, 2, kind == .d, opcode, .xmm0, t.copies.get(&t.a, rn(insn)), .{ .xmm = .xmm1 });
    return finish(t, rd(insn), .no, checkAll(t, kind, .nan_or_least));
}

pub fn FMLA_v(t: *Translator, insn: u32) bool {
    return accumulate(t, insn, 0xb8, false);
}
pub fn FMLS_v(t: *Translator, insn: u32) bool {
    return accumulate(t, insn, 0xbc, false);
}
pub fn FMLA_e(t: *Translator, insn: u32) bool {
    return accumulate(t, insn, 0xb8, true);
}
pub fn FMLS_e(t: *Translator, insn: u32) bool {
    return accumulate(t, insn, 0xbc, true);
}

pub fn FMUL_e(t: *Translator, insn: u32) bool {
    const kind = laneOf(insn);
    if (!bit(insn, 30)) return false;
    t.clobber();
    splat(t, insn, kind);
    operand(t, insn, rn(insn), .xmm0);
    t.a.sse(packed_(kind), 0x59, .xmm0, .{ .xmm = .xmm1 });
    return finish(t, rd(insn), .no, checkAll(t, kind, .nan_or_least));
}

/// xmm1 = the element that a by-element form names, everywhere.
fn splat(t: *Translator, insn: u32, kind: Clean) void {
    const m = t.copies.get(&t.a, rm(insn));
    const h = bits(insn, 11, 1);
    const index = if (kind == .d) h else h << 1 | bits(insn, 21, 1);
    const order: u8 = if (kind == .d) (if (index == 0) 0x44 else 0xee) else @intCast(index * 0x55);
    t.a.sse(.p66, 0x70, .xmm1, .{ .xmm = m });
    t.a.imm8(order);
}
