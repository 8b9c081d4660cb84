//! Translation of conversions to integers and fixed point. As fp.zig otherwise. The host would raise Inexact for numbers beyond the range of a
//! conversion, so the range is looked at first, in integers; only singles that become words with a sign saturate here.

const convert = @import("fp_convert.zig");
const fields = @import("../interp/fields.zig");
const floats = @import("floats.zig");
const fp = @import("fp.zig");
const sse = @import("sse.zig");
const vector = @import("vector.zig");
const x64 = @import("x64.zig");
const Translator = @import("translate.zig").Translator;

const Clean = vector.Clean;
const Mode = convert.Mode;
const Shape = floats.Shape;
const Xmm = x64.Xmm;
const bit = fields.bit;
const bits = fields.bits;
const rd = fields.rd;
const rn = fields.rn;
const constant = floats.constant;
const move = sse.move;

const rax: x64.Rm = .{ .reg = .rax };

/// What a conversion does: how it rounds, to which integers, times 2^fraction.
const How = struct { mode: Mode, signed: bool, wide: bool = false, fraction: u7 = 0 };

/// The first power of two that is left to the interpreter's function.
fn limitOf(kind: Clean, how: How) i32 {
    // Unsigned longs of the upper half are not what the host converts to. Doubles may be rounded up to a limit of words.
    const width: i32 = if (how.wide) 63 else if (how.signed) 31 else 32;
    const room: i32 = if (how.mode != .zero and kind == .d and !how.wide) 1 else 0;
    return width - room - how.fraction;
}

/// Does the instruction exactly unless the number in n is below the limit in magnitude, and without a sign where there is none. Uses rax.
fn inRange(t: *Translator, kind: Clean, n: Xmm, how: How) void {
    const size: x64.Size = if (kind == .d) .q else .d;
    t.a.sseGeneral(.p66, size, 0x7e, @intFromEnum(n), rax);
    if (how.signed) t.a.alu(.add, size, .rax, rax);
    const fraction_bits: u6 = if (kind == .d) 52 else 23;
    t.a.shiftImm(.shr, size, rax, fraction_bits + @intFromBool(how.signed));
    const bias: i32 = if (kind == .d) 1023 else 127;
    t.a.aluImm(.cmp, .d, rax, bias + limitOf(kind, how));
    t.exactly(.ae);
}

/// rax = the number in register n.
fn toGeneral(t: *Translator, n: u32, kind: Clean, how: How) void {
    const s: Shape = .{ .kind = kind, .clean = kind };
    var src = t.copies.get(&t.a, n);
    inRange(t, kind, src, how);
    if (how.fraction != 0) {
        t.copies.low(&t.a, n, kind, .xmm0);
        t.a.movImm(.rax, convert.power(kind, how.fraction));
        t.a.sseGeneral(.p66, .q, 0x6e, 1, rax);
        t.a.sse(fp.scalar(kind), 0x59, .xmm0, .{ .xmm = .xmm1 });
        src = .xmm0;
    }
    if (how.mode == .away) {
        convert.away(t, s, n, @intFromEnum(Mode.zero));
        src = .xmm0;
    } else if (how.mode != .zero) {
        t.a.sse3a(if (kind == .d) 0x0b else 0x0a, .xmm0, .{ .xmm = src }, @intFromEnum(how.mode));
        src = .xmm0;
    }
    const size = convert.integer(how.wide or !how.signed);
    t.a.sseGeneral(fp.scalar(kind), size, 0x2c, 0, .{ .reg = @enumFromInt(@intFromEnum(src)) });
}

fn general(t: *Translator, insn: u32, mode: Mode, signed: bool) bool {
    return generalFixed(t, insn, mode, signed, 0);
}

fn generalFixed(t: *Translator, insn: u32, mode: Mode, signed: bool, fraction: u7) bool {
    const kind = fp.typeOf(insn) orelse return false;
    t.clobber();
    const before = t.cold_count;
    toGeneral(t, rn(insn), kind, .{ .mode = mode, .signed = signed, .wide = bit(insn, 31), .fraction = fraction });
    t.put(rd(insn), .rax);
    t.comeBack(before);
    return true;
}

/// The host answers the least number for all that it cannot convert.
pub fn FCVTZS(t: *Translator, insn: u32) bool {
    const kind = fp.typeOf(insn) orelse return false;
    const size = convert.integer(bit(insn, 31));
    t.clobber();
    const n = t.copies.get(&t.a, rn(insn));
    t.a.sseGeneral(fp.scalar(kind), size, 0x2c, 0, .{ .reg = @enumFromInt(@intFromEnum(n)) });
    const before = t.cold_count;
    // Only of the least number 1 cannot be subtracted.
    t.a.aluImm(.cmp, size, rax, 1);
    t.exactly(.o);
    t.put(rd(insn), .rax);
    t.comeBack(before);
    return true;
}

pub fn FCVTZU(t: *Translator, insn: u32) bool {
    return general(t, insn, .zero, false);
}
pub fn FCVTNS(t: *Translator, insn: u32) bool {
    return general(t, insn, .even, true);
}
pub fn FCVTNU(t: *Translator, insn: u32) bool {
    return general(t, insn, .even, false);
}
pub fn FCVTPS(t: *Translator, insn: u32) bool {
    return general(t, insn, .up, true);
}
pub fn FCVTPU(t: *Translator, insn: u32) bool {
    return general(t, insn, .up, false);
}
pub fn FCVTMS(t: *Translator, insn: u32) bool {
    return general(t, insn, .down, true);
}
pub fn FCVTMU(t: *Translator, insn: u32) bool {
    return general(t, insn, .down, false);
}
pub fn FCVTAS(t: *Translator, insn: u32) bool {
    return general(t, insn, .away, true);
}
pub fn FCVTAU(t: *Translator, insn: u32) bool {
    return general(t, insn, .away, false);
}
pub fn FCVTZS_fix(t: *Translator, insn: u32) bool {
    return generalFixed(t, insn, .zero, true, @intCast(64 - bits(insn, 10, 6)));
}
pub fn FCVTZU_fix(t: *Translator, insn: u32) bool {
    return generalFixed(t, insn, .zero, false, @intCast(64 - bits(insn, 10, 6)));
}

/// What the host cannot convert is Invalid, and the rest exact when it gives the same bits again.
pub fn FJCVTZS(t: *Translator, insn: u32) bool {
    const n = t.copies.get(&t.a, rn(insn));
    const before = t.cold_count;
    t.a.sseGeneral(.f2, .d, 0x2c, 0, .{ .reg = @enumFromInt(@intFromEnum(n)) });
    t.a.aluImm(.cmp, .d, rax, 1);
    t.exactly(.o);
    t.a.sse(.none, 0x57, .xmm0, .{ .xmm = .xmm0 });
    t.a.sseGeneral(.f2, .d, 0x2a, 0, rax);
    t.put(rd(insn), .rax);
    t.a.sseGeneral(.p66, .q, 0x7e, 0, rax);
    t.a.sseGeneral(.p66, .q, 0x7e, @intFromEnum(n), .{ .reg = .rcx });
    t.a.alu(.sub, .q, .rax, .{ .reg = .rcx });
    // Neither N nor V, and no carry.
    t.a.setcc(.ne, rax);
    t.a.@"test"(.b, rax, .rax);
    t.a.stc();
    t.comeBackWithFlags(before);
    t.setFlags(.inverted);
    return true;
}

// Among vector registers.

fn lanes(t: *Translator, insn: u32, shape: ?Shape, mode: Mode, signed: bool) bool {
    return lanesFixed(t, insn, shape, .{ .mode = mode, .signed = signed });
}

fn lanesFixed(t: *Translator, insn: u32, shape: ?Shape, asked: How) bool {
    const s = shape orelse return false;
    var how = asked;
    how.wide = s.kind == .d;
    if (s.kind == .s and how.signed and how.fraction == 0) {
        words(t, s, rn(insn), how.mode);
        return s.put(t, rd(insn), false);
    }
    t.clobber();
    const before = t.cold_count;
    if (s.single()) {
        toGeneral(t, rn(insn), s.kind, how);
        t.a.sseGeneral(.p66, convert.integer(how.wide), 0x6e, 0, rax);
    } else several(t, s, rn(insn), how);
    return fp.finish(t, rd(insn), s.clean, before);
}

/// xmm0 = the numbers in register n as words with a sign. The host answers 2^31 for all that it cannot convert: its opposite less one where that
/// is positive, zero for NaNs.
fn words(t: *Translator, s: Shape, number: u32, mode: Mode) void {
    var rounded: Xmm = .xmm0;
    if (mode == .away) {
        convert.away(t, s, number, @intFromEnum(Mode.zero));
    } else {
        rounded = s.use(t, number, .xmm0);
        if (mode != .zero) convert.round(t, s, .xmm0, rounded, @intFromEnum(mode));
        if (mode != .zero) rounded = .xmm0;
    }
    t.a.sse(.f3, 0x5b, .xmm0, .{ .xmm = rounded });
    const n = s.use(t, number, .xmm15);
    t.a.sse(.none, 0x28, .xmm1, .{ .mem = constant(.no, "two31") });
    t.a.sse(.none, 0xc2, .xmm1, .{ .xmm = n });
    t.a.imm8(2);
    t.a.sse(.p66, 0xef, .xmm0, .{ .xmm = .xmm1 });
    move(t, .xmm1, n);
    t.a.sse(.none, 0xc2, .xmm1, .{ .xmm = n });
    t.a.imm8(7);
    t.a.sse(.p66, 0xdb, .xmm0, .{ .xmm = .xmm1 });
}

/// xmm0 = the numbers in register n, all of which are in range.
fn several(t: *Translator, s: Shape, number: u32, how: How) void {
    var n = s.use(t, number, .xmm0);
    // Without a sign only up to what the host has with one.
    const limit = if (how.signed or how.wide) limitOf(s.kind, how) else limitOf(s.kind, how) - 1;
    if (how.signed) convert.within(t, s, n, limit) else {
        convert.splat(t, s.kind, .xmm1, convert.power(s.kind, limit) - 1);
        move(t, .xmm15, n);
        if (s.kind == .d) t.a.sse38(0x37, .xmm15, .{ .xmm = .xmm1 }) else t.a.sse(.p66, 0x66, .xmm15, .{ .xmm = .xmm1 });
        t.a.sse(.none, 0x56, .xmm15, .{ .xmm = n });
        s.exactlyWhere(t, .xmm15);
    }
    if (how.fraction != 0) {
        convert.splat(t, s.kind, .xmm1, convert.power(s.kind, how.fraction));
        move(t, .xmm0, n);
        s.op(t, 0x59, .xmm0, .xmm1);
        n = .xmm0;
    }
    if (how.mode == .away) {
        convert.away(t, s, number, @intFromEnum(Mode.zero));
        n = .xmm0;
    } else if (how.mode != .zero) {
        convert.round(t, s, .xmm0, n, @intFromEnum(how.mode));
        n = .xmm0;
    }
    if (s.kind == .s) return t.a.sse(.f3, 0x5b, .xmm0, .{ .xmm = n });
    t.a.sse(.p66, 0x70, .xmm1, .{ .xmm = n });
    t.a.imm8(0xee);
    t.a.sseGeneral(.f2, .q, 0x2c, 0, .{ .reg = @enumFromInt(@intFromEnum(n)) });
    t.a.sseGeneral(.p66, .q, 0x6e, 0, rax);
    t.a.sseGeneral(.f2, .q, 0x2c, 0, .{ .reg = @enumFromInt(1) });
    t.a.sse3aGeneral(.q, 0x22, 0, .rax, 1);
}

pub fn FCVTZS_v(t: *Translator, insn: u32) bool {
    return lanes(t, insn, .ofVector(insn), .zero, true);
}
pub fn FCVTZS_s(t: *Translator, insn: u32) bool {
    return lanes(t, insn, .ofScalar(insn), .zero, true);
}
pub fn FCVTZU_v(t: *Translator, insn: u32) bool {
    return lanes(t, insn, .ofVector(insn), .zero, false);
}
pub fn FCVTZU_s(t: *Translator, insn: u32) bool {
    return lanes(t, insn, .ofScalar(insn), .zero, false);
}
pub fn FCVTNS_v(t: *Translator, insn: u32) bool {
    return lanes(t, insn, .ofVector(insn), .even, true);
}
pub fn FCVTNS_s(t: *Translator, insn: u32) bool {
    return lanes(t, insn, .ofScalar(insn), .even, true);
}
pub fn FCVTNU_v(t: *Translator, insn: u32) bool {
    return lanes(t, insn, .ofVector(insn), .even, false);
}
pub fn FCVTNU_s(t: *Translator, insn: u32) bool {
    return lanes(t, insn, .ofScalar(insn), .even, false);
}
pub fn FCVTPS_v(t: *Translator, insn: u32) bool {
    return lanes(t, insn, .ofVector(insn), .up, true);
}
pub fn FCVTPS_s(t: *Translator, insn: u32) bool {
    return lanes(t, insn, .ofScalar(insn), .up, true);
}
pub fn FCVTPU_v(t: *Translator, insn: u32) bool {
    return lanes(t, insn, .ofVector(insn), .up, false);
}
pub fn FCVTPU_s(t: *Translator, insn: u32) bool {
    return lanes(t, insn, .ofScalar(insn), .up, false);
}
pub fn FCVTMS_v(t: *Translator, insn: u32) bool {
    return lanes(t, insn, .ofVector(insn), .down, true);
}
pub fn FCVTMS_s(t: *Translator, insn: u32) bool {
    return lanes(t, insn, .ofScalar(insn), .down, true);
}
pub fn FCVTMU_v(t: *Translator, insn: u32) bool {
    return lanes(t, insn, .ofVector(insn), .down, false);
}
pub fn FCVTMU_s(t: *Translator, insn: u32) bool {
    return lanes(t, insn, .ofScalar(insn), .down, false);
}
pub fn FCVTAS_v(t: *Translator, insn: u32) bool {
    return lanes(t, insn, .ofVector(insn), .away, true);
}
pub fn FCVTAS_s(t: *Translator, insn: u32) bool {
    return lanes(t, insn, .ofScalar(insn), .away, true);
}
pub fn FCVTAU_v(t: *Translator, insn: u32) bool {
    return lanes(t, insn, .ofVector(insn), .away, false);
}
pub fn FCVTAU_s(t: *Translator, insn: u32) bool {
    return lanes(t, insn, .ofScalar(insn), .away, false);
}

fn laneFixed(t: *Translator, insn: u32, signed: bool) bool {
    const f = convert.fixed(insn);
    return lanesFixed(t, insn, f.shape, .{ .mode = .zero, .signed = signed, .fraction = f.fraction });
}

pub fn FCVTZS_vfix(t: *Translator, insn: u32) bool {
    return laneFixed(t, insn, true);
}
pub fn FCVTZU_vfix(t: *Translator, insn: u32) bool {
    return laneFixed(t, insn, false);
}
pub const FCVTZS_sfix = FCVTZS_vfix;
pub const FCVTZU_sfix = FCVTZU_vfix;
