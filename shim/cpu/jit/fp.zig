//! Translation of floating-point arithmetic to the host's, each function named after its row in `table_fp.zig` and `table_simd.zig`; false:
//! the interpreter's function is to be called.
//!
//! The host rounds as FPCR says (simd/fp.zig), and its sticky flags are FPSR's. What it does otherwise than ARM shows in
//! the result: a NaN (its sign, which operand's it is), or the smallest normal number (when underflow is detected). Such a result
//! is thrown away and the interpreter's function is called. With FPCR.FZ the operands are looked at first (`flush_to_zero.zig`); blocks for DN and
//! formats of halves come here only for moves.

const fields = @import("../interp/fields.zig");
const floats = @import("floats.zig");
const flags = @import("flags.zig");
const host = @import("host.zig");
const vector = @import("vector.zig");
const x64 = @import("x64.zig");
const Translator = @import("translate.zig").Translator;

/// The chapters of arithmetic.
pub const chapters = .{ @This(), floats, @import("fp_convert.zig"), @import("fp_integer.zig") };

pub const from_integers = @import("fp_convert.zig").from_integers;

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
pub fn typeOf(insn: u32) ?Clean {
    return switch (bits(insn, 22, 2)) {
        0 => .s,
        1 => .d,
        else => null,
    };
}

pub fn scalar(kind: Clean) x64.Prefix {
    return if (kind == .d) .f2 else .f3;
}

pub fn packed_(kind: Clean) x64.Prefix {
    return if (kind == .d) .p66 else .none;
}

/// What a result must not be.
pub const Check = enum { nan, nan_or_least };

/// xmm0 is the result of the current instruction, unless it needs the exact way.
pub fn check(t: *Translator, kind: Clean, what: Check) u32 {
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
pub fn finish(t: *Translator, d: u32, kind: Clean, before: u32) bool {
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

/// The product's opposite.
pub fn FNMUL(t: *Translator, insn: u32) bool {
    const kind = typeOf(insn) orelse return false;
    t.clobber();
    const m = t.copies.get(&t.a, rm(insn));
    t.copies.low(&t.a, rn(insn), kind, .xmm0);
    t.a.sse(scalar(kind), 0x59, .xmm0, .{ .xmm = m });
    const before = check(t, kind, .nan_or_least);
    t.a.sse(.none, 0x57, .xmm0, .{ .mem = floats.constant(kind, "lowest_sign") });
    return finish(t, rd(insn), kind, before);
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
        t.a.sse(.none, 0x54, .xmm0, .{ .mem = floats.constant(kind, "tops") });
        t.copies.put(&t.a, rd(insn), .xmm0, kind);
        return true;
    }

    pub fn FNEG(t: *Translator, insn: u32) bool {
        const kind = typeOf(insn) orelse return false;
        t.copies.low(&t.a, rn(insn), kind, .xmm0);
        t.a.sse(.none, 0x57, .xmm0, .{ .mem = floats.constant(kind, "lowest_sign") });
        t.copies.put(&t.a, rd(insn), .xmm0, kind);
        return true;
    }

    pub fn FABS_v(t: *Translator, insn: u32) bool {
        return signs(t, insn, laneOf(insn), 0x54, "tops");
    }
    pub fn FNEG_v(t: *Translator, insn: u32) bool {
        return signs(t, insn, laneOf(insn), 0x57, "signs");
    }
    pub fn FABS_vh(t: *Translator, insn: u32) bool {
        return signs(t, insn, .no, 0x54, "tops");
    }
    pub fn FNEG_vh(t: *Translator, insn: u32) bool {
        return signs(t, insn, .no, 0x57, "signs");
    }

    fn signs(t: *Translator, insn: u32, kind: Clean, opcode: u8, comptime with: []const u8) bool {
        const shape: floats.Shape = .{ .kind = kind, .clean = cleanOf(insn) };
        shape.load(t, rn(insn), .xmm0);
        t.a.sse(.none, opcode, .xmm0, .{ .mem = floats.constant(kind, with) });
        return shape.put(t, rd(insn), true);
    }

    pub fn FMOV_top_to_gp(t: *Translator, insn: u32) bool {
        const n = t.copies.get(&t.a, rn(insn));
        const dst = t.target(rd(insn), .rax);
        t.a.sse3aGeneral(.q, 0x16, @intFromEnum(n), dst, 1);
        t.put(rd(insn), dst);
        return true;
    }

    pub fn FMOV_gp_to_top(t: *Translator, insn: u32) bool {
        const src = t.use(.q, rn(insn), .rax);
        t.a.sse(.none, 0x28, .xmm0, .{ .xmm = t.copies.get(&t.a, rd(insn)) });
        t.a.sse3aGeneral(.q, 0x22, 0, src, 1);
        t.copies.put(&t.a, rd(insn), .xmm0, .no);
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

fn expandSingle(imm: u32) u64 {
    const exponent: u32 = if (imm >> 6 & 1 != 0) 0x1f << 25 else 1 << 30;
    return (imm >> 7) << 31 | exponent | (imm & 0x3f) << 19;
}

fn expandDouble(imm: u32) u64 {
    const exponent: u64 = if (imm >> 6 & 1 != 0) 0xff << 54 else 1 << 62;
    return @as(u64, imm >> 7) << 63 | exponent | @as(u64, imm & 0x3f) << 48;
}

fn compare(t: *Translator, insn: u32, zero: bool, opcode: u8) bool {
    const kind = typeOf(insn) orelse return false;
    const unordered = compared(t, insn, kind, zero, opcode);
    unordered.* = t.a.at;
    t.setFlags(.inverted);
    return true;
}

/// Flags as of the comparison of integers that are 1 and 0, 0 and 0, or 0 and 1. Gives where it goes on when one is a NaN, to which the
/// host has objected as ARM does.
fn compared(t: *Translator, insn: u32, kind: Clean, zero: bool, opcode: u8) *u32 {
    const n = t.copies.get(&t.a, rn(insn));
    const m = if (zero) zero: {
        t.a.sse(.none, 0x57, .xmm0, .{ .xmm = .xmm0 });
        break :zero Xmm.xmm0;
    } else t.copies.get(&t.a, rm(insn));
    t.a.sse(packed_(kind), opcode, n, .{ .xmm = m });
    t.addCold(t.a.jcc(.p), .{ .unordered = .{ .back = 0 } });
    t.a.setcc(.a, rax);
    t.a.setcc(.b, .{ .reg = .rcx });
    t.a.alu(.cmp, .b, .rax, .{ .reg = .rcx });
    return &t.lastCold().what.unordered.back;
}

/// Where the condition does not hold NZCV is what the instruction says.
fn compareIf(t: *Translator, insn: u32, opcode: u8) bool {
    const kind = typeOf(insn) orelse return false;
    const code = bits(insn, 12, 4);
    // Loaded whether or not they are compared: what follows may use the copies.
    _ = t.copies.get(&t.a, rn(insn));
    _ = t.copies.get(&t.a, rm(insn));
    const fails = if (code >= 14) null else t.a.jcc(t.condition(@enumFromInt(code)).not());
    const unordered = compared(t, insn, kind, false, opcode);
    if (fails) |f| {
        const end = t.a.jmp();
        t.a.linkHere(f);
        flags.set(&t.a, bits(insn, 0, 4));
        t.a.linkHere(end);
    }
    unordered.* = t.a.at;
    t.setFlags(.inverted);
    return true;
}

pub fn FCCMP(t: *Translator, insn: u32) bool {
    return compareIf(t, insn, 0x2e);
}
pub fn FCCMPE(t: *Translator, insn: u32) bool {
    return compareIf(t, insn, 0x2f);
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

// Vectors.

pub fn laneOf(insn: u32) Clean {
    return if (bit(insn, 22)) .d else .s;
}

/// What a 64-bit form leaves above, or nothing.
pub fn cleanOf(insn: u32) Clean {
    return if (bit(insn, 30)) .no else .d;
}

/// dst = register n, of a 64-bit form its lower half.
pub fn operand(t: *Translator, insn: u32, n: u32, dst: Xmm) void {
    if (bit(insn, 30)) {
        t.a.sse(.none, 0x28, dst, .{ .xmm = t.copies.get(&t.a, n) });
    } else {
        t.copies.low(&t.a, n, .d, dst);
    }
}

/// As `check`, for all elements of xmm0. Uses xmm1.
pub fn checkAll(t: *Translator, kind: Clean, what: Check) u32 {
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
        const least = floats.constant(kind, "twice_least");
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
    // The unused half would divide zero by zero.
    if (opcode == 0x5e and !bit(insn, 30)) t.a.sse(.none, 0x56, .xmm1, .{ .mem = floats.constant(.s, "upper_ones") });
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
pub fn FDIV_v(t: *Translator, insn: u32) bool {
    return vectors(t, insn, 0x5e, .nan_or_least);
}

/// xmm0 = d ± n * m, m being register m or (`element`) one element of it everywhere.
fn accumulate(t: *Translator, insn: u32, opcode: u8, element: bool) bool {
    const kind = laneOf(insn);
    if (!host.features.fma or (kind == .d and !bit(insn, 30))) return false;
    t.clobber();
    if (element) splat(t, insn, kind) else operand(t, insn, rm(insn), .xmm1);
    if (!bit(insn, 30)) operand(t, insn, rn(insn), .xmm15);
    const n: Xmm = if (bit(insn, 30)) t.copies.get(&t.a, rn(insn)) else .xmm15;
    operand(t, insn, rd(insn), .xmm0);
    t.a.avx(.p66, 2, kind == .d, opcode, .xmm0, n, .{ .xmm = .xmm1 });
    if (!bit(insn, 30)) t.a.sse(.f3, 0x7e, .xmm0, .{ .xmm = .xmm0 });
    return finish(t, rd(insn), cleanOf(insn), checkAll(t, kind, .nan_or_least));
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
    if (kind == .d and !bit(insn, 30)) return false;
    t.clobber();
    splat(t, insn, kind);
    operand(t, insn, rn(insn), .xmm0);
    t.a.sse(packed_(kind), 0x59, .xmm0, .{ .xmm = .xmm1 });
    return finish(t, rd(insn), cleanOf(insn), checkAll(t, kind, .nan_or_least));
}

/// One lane by an element. The scalar instruction leaves the zeros above in xmm0 alone.
pub fn FMUL_es(t: *Translator, insn: u32) bool {
    const kind = laneOf(insn);
    t.clobber();
    splat(t, insn, kind);
    t.copies.low(&t.a, rn(insn), kind, .xmm0);
    t.a.sse(scalar(kind), 0x59, .xmm0, .{ .xmm = .xmm1 });
    return finish(t, rd(insn), kind, check(t, kind, .nan_or_least));
}

fn accumulateOne(t: *Translator, insn: u32, opcode: u8) bool {
    const kind = laneOf(insn);
    if (!host.features.fma) return false;
    t.clobber();
    splat(t, insn, kind);
    const n = t.copies.get(&t.a, rn(insn));
    t.copies.low(&t.a, rd(insn), kind, .xmm0);
    t.a.avx(.p66, 2, kind == .d, opcode, .xmm0, n, .{ .xmm = .xmm1 });
    return finish(t, rd(insn), kind, check(t, kind, .nan_or_least));
}

pub fn FMLA_es(t: *Translator, insn: u32) bool {
    return accumulateOne(t, insn, 0xb9);
}
pub fn FMLS_es(t: *Translator, insn: u32) bool {
    return accumulateOne(t, insn, 0xbd);
}

/// xmm1 = the element that a by-element form names, everywhere (of a 64-bit form: in its half).
pub fn splat(t: *Translator, insn: u32, kind: Clean) void {
    const m = t.copies.get(&t.a, rm(insn));
    const h = bits(insn, 11, 1);
    const index = if (kind == .d) h else h << 1 | bits(insn, 21, 1);
    const order: u8 = if (kind == .d) (if (index == 0) 0x44 else 0xee) else @intCast(index * 0x55);
    t.a.sse(.p66, 0x70, .xmm1, .{ .xmm = m });
    t.a.imm8(order);
    if (!bit(insn, 28) and !bit(insn, 30)) t.a.sse(.f3, 0x7e, .xmm1, .{ .xmm = .xmm1 });
}
