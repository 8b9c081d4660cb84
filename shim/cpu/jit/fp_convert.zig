//! Translation of conversions from integers and fixed point, between formats, and to integral values. As fp.zig otherwise.

const fields = @import("../interp/fields.zig");
const floats = @import("floats.zig");
const fp = @import("fp.zig");
const host = @import("host.zig");
const sse = @import("sse.zig");
const vector = @import("vector.zig");
const x64 = @import("x64.zig");
const Translator = @import("translate.zig").Translator;

const Clean = vector.Clean;
const Shape = floats.Shape;
const Xmm = x64.Xmm;
const bit = fields.bit;
const bits = fields.bits;
const rd = fields.rd;
const rn = fields.rn;
const constant = floats.constant;
const move = sse.move;
const shift = sse.shift;
const zeroes = sse.zeroes;

const rax: x64.Rm = .{ .reg = .rax };
const rcx: x64.Rm = .{ .reg = .rcx };

/// The bits of 2^exponent.
pub fn power(kind: Clean, exponent: i32) u64 {
    return if (kind == .d) @as(u64, @intCast(1023 + exponent)) << 52 else @as(u64, @intCast(127 + exponent)) << 23;
}

/// dst = the value in each element. Uses rax.
pub fn splat(t: *Translator, kind: Clean, dst: Xmm, value: u64) void {
    t.a.movImm(.rax, value);
    t.a.sseGeneral(.p66, .q, 0x6e, @intFromEnum(dst), rax);
    t.a.sse(.p66, 0x70, dst, .{ .xmm = dst });
    t.a.imm8(if (kind == .d) 0x44 else 0);
}

pub fn integer(wide: bool) x64.Size {
    return if (wide) .q else .d;
}

// From integers.

/// xmm0 = the number in a general register, over 2^fraction.
fn fromGeneral(t: *Translator, insn: u32, signed: bool, fraction: u7) bool {
    const kind = fp.typeOf(insn) orelse return false;
    const wide = bit(insn, 31);
    if (signed) {
        const src = t.use(.q, rn(insn), .rax);
        zeroes(t, .xmm0);
        t.a.sseGeneral(fp.scalar(kind), integer(wide), 0x2a, 0, .{ .reg = src });
    } else {
        if (wide) t.clobber();
        t.load(integer(wide), .rax, rn(insn));
        zeroes(t, .xmm0);
        if (wide) fromUnsigned(t, kind) else t.a.sseGeneral(fp.scalar(kind), .q, 0x2a, 0, rax);
    }
    if (fraction != 0) {
        t.a.movImm(.rax, power(kind, -@as(i32, fraction)));
        t.a.sseGeneral(.p66, .q, 0x6e, 1, rax);
        t.a.sse(fp.scalar(kind), 0x59, .xmm0, .{ .xmm = .xmm1 });
    }
    t.copies.put(&t.a, rd(insn), .xmm0, kind);
    return true;
}

/// rax without a sign. The half of a number that looks negative is converted and doubled; its lowest bit, which decides ties, stays.
fn fromUnsigned(t: *Translator, kind: Clean) void {
    const a = &t.a;
    a.@"test"(.q, rax, .rax);
    const large = a.jcc(.s);
    a.sseGeneral(fp.scalar(kind), .q, 0x2a, 0, rax);
    const end = a.jmp();
    a.linkHere(large);
    a.movRegs(.q, .rcx, .rax);
    a.shiftImm(.shr, .q, rcx, 1);
    a.aluImm(.@"and", .d, rax, 1);
    a.alu(.@"or", .q, .rcx, rax);
    a.sseGeneral(fp.scalar(kind), .q, 0x2a, 0, rcx);
    a.sse(fp.scalar(kind), 0x58, .xmm0, .{ .xmm = .xmm0 });
    a.linkHere(end);
}

/// The elements of a register as integers, over 2^fraction. No result is so small that the division would round.
fn fromLanes(t: *Translator, insn: u32, shape: ?Shape, signed: bool, fraction: u7) bool {
    const s = shape orelse return false;
    if (signed and s.kind == .d) signedLongs(t, s, s.use(t, rn(insn), .xmm15)) else {
        s.load(t, rn(insn), .xmm0);
        if (signed) s.op(t, 0x5b, .xmm0, .xmm0) else if (s.kind == .d) unsignedLongs(t) else unsignedWords(t);
    }
    if (fraction != 0) {
        splat(t, s.kind, .xmm1, power(s.kind, -@as(i32, fraction)));
        s.op(t, 0x59, .xmm0, .xmm1);
    }
    // The trick for longs leaves nothing else above than it makes of zero.
    return s.put(t, rd(insn), false);
}

fn signedLongs(t: *Translator, s: Shape, n: Xmm) void {
    const number: u4 = @intFromEnum(n);
    zeroes(t, .xmm0);
    t.a.sseGeneral(.p66, .q, 0x7e, number, rax);
    if (!s.single()) t.a.sse3aGeneral(.q, 0x16, number, .rcx, 1);
    t.a.sseGeneral(.f2, .q, 0x2a, 0, rax);
    if (s.single()) return;
    zeroes(t, .xmm1);
    t.a.sseGeneral(.f2, .q, 0x2a, 1, rcx);
    t.a.sse(.p66, 0x6c, .xmm0, .{ .xmm = .xmm1 });
}

/// Both halves of a word are exact, and their sum is rounded once.
fn unsignedWords(t: *Translator) void {
    move(t, .xmm1, .xmm0);
    shift(t, 2, 2, .xmm0, 16);
    shift(t, 2, 6, .xmm1, 16);
    shift(t, 2, 2, .xmm1, 16);
    t.a.sse(.none, 0x5b, .xmm0, .{ .xmm = .xmm0 });
    t.a.sse(.none, 0x5b, .xmm1, .{ .xmm = .xmm1 });
    t.a.sse(.none, 0x59, .xmm0, .{ .mem = constant(.no, "two16") });
    t.a.sse(.none, 0x58, .xmm0, .{ .xmm = .xmm1 });
}

/// The same by exponents above both halves of a long. Zero gets a sign where numbers are rounded down.
fn unsignedLongs(t: *Translator) void {
    move(t, .xmm1, .xmm0);
    shift(t, 3, 2, .xmm0, 32);
    shift(t, 3, 6, .xmm1, 32);
    shift(t, 3, 2, .xmm1, 32);
    t.a.sse(.none, 0x56, .xmm0, .{ .mem = constant(.no, "two84") });
    t.a.sse(.none, 0x56, .xmm1, .{ .mem = constant(.no, "two52") });
    t.a.sse(.p66, 0x5c, .xmm0, .{ .mem = constant(.no, "two84_52") });
    t.a.sse(.p66, 0x58, .xmm0, .{ .xmm = .xmm1 });
    t.a.sse(.none, 0x54, .xmm0, .{ .mem = constant(.d, "tops") });
}

/// What immh:immb says.
pub const Fixed = struct { shape: ?Shape, fraction: u7 };

pub fn fixed(insn: u32) Fixed {
    const field = bits(insn, 16, 7);
    const kind: Clean = if (field >= 64) .d else .s;
    const width: u32 = if (kind == .d) 64 else 32;
    const scalar = bit(insn, 28);
    const none = field < 32 or (kind == .d and !scalar and !bit(insn, 30));
    return .{
        .shape = if (none) null else .{ .kind = kind, .clean = if (scalar) kind else fp.cleanOf(insn) },
        .fraction = if (none) 0 else @intCast(2 * width - field),
    };
}

/// None of them makes NaNs, or numbers so small that FPCR matters beyond its rounding mode.
pub const from_integers = struct {
    pub fn SCVTF(t: *Translator, insn: u32) bool {
        return fromGeneral(t, insn, true, 0);
    }
    pub fn UCVTF(t: *Translator, insn: u32) bool {
        return fromGeneral(t, insn, false, 0);
    }
    pub fn SCVTF_fix(t: *Translator, insn: u32) bool {
        return fromGeneral(t, insn, true, @intCast(64 - bits(insn, 10, 6)));
    }
    pub fn UCVTF_fix(t: *Translator, insn: u32) bool {
        return fromGeneral(t, insn, false, @intCast(64 - bits(insn, 10, 6)));
    }
    pub fn SCVTF_v(t: *Translator, insn: u32) bool {
        return fromLanes(t, insn, .ofVector(insn), true, 0);
    }
    pub fn UCVTF_v(t: *Translator, insn: u32) bool {
        return fromLanes(t, insn, .ofVector(insn), false, 0);
    }
    pub fn SCVTF_s(t: *Translator, insn: u32) bool {
        return fromLanes(t, insn, .ofScalar(insn), true, 0);
    }
    pub fn UCVTF_s(t: *Translator, insn: u32) bool {
        return fromLanes(t, insn, .ofScalar(insn), false, 0);
    }
    pub fn SCVTF_vfix(t: *Translator, insn: u32) bool {
        return fromLanes(t, insn, fixed(insn).shape, true, fixed(insn).fraction);
    }
    pub fn UCVTF_vfix(t: *Translator, insn: u32) bool {
        return fromLanes(t, insn, fixed(insn).shape, false, fixed(insn).fraction);
    }
    pub const SCVTF_sfix = SCVTF_vfix;
    pub const UCVTF_sfix = UCVTF_vfix;
};

// To integral values.

/// The host's rounding modes; the exact current one, and ties away from zero, which it has not.
pub const Mode = enum(u8) { even = 0, down = 1, up = 2, zero = 3, current = 4, away };

/// Added to a mode: Inexact is not raised.
const quiet = 8;

/// dst = src rounded to integral values.
pub fn round(t: *Translator, s: Shape, dst: Xmm, src: Xmm, how: u8) void {
    t.a.sse3a(if (s.kind == .d) 0x09 else 0x08, dst, .{ .xmm = src }, how);
}

/// The same with ties away from zero: xmm0 = register n. Adds to the truncated value twice the rest, truncated. Large numbers have no rest,
/// and infinities must not come near a subtraction.
pub fn away(t: *Translator, s: Shape, n: u32, truncation: u8) void {
    s.load(t, n, .xmm0);
    round(t, s, .xmm15, .xmm0, truncation);
    move(t, .xmm1, .xmm0);
    t.a.sse(.none, 0x54, .xmm1, .{ .mem = constant(s.kind, "tops") });
    const limit: x64.XmmRm = .{ .mem = constant(s.kind, "integral") };
    if (s.kind == .d) t.a.sse38(0x37, .xmm1, limit) else t.a.sse(.p66, 0x66, .xmm1, limit);
    t.a.sse(.none, 0x55, .xmm1, .{ .xmm = .xmm0 });
    round(t, s, .xmm0, .xmm1, 3 | quiet);
    s.op(t, 0x5c, .xmm1, .xmm0);
    s.op(t, 0x58, .xmm1, .xmm1);
    round(t, s, .xmm1, .xmm1, 3 | quiet);
    s.op(t, 0x58, .xmm1, .xmm15);
    // Zero keeps its sign, in every rounding mode.
    s.load(t, n, .xmm0);
    t.a.sse(.none, 0x54, .xmm0, .{ .mem = constant(s.kind, "signs") });
    t.a.sse(.none, 0x54, .xmm1, .{ .mem = constant(s.kind, "tops") });
    t.a.sse(.none, 0x56, .xmm0, .{ .xmm = .xmm1 });
}

/// The host makes of a NaN what ARM does.
fn integral(t: *Translator, insn: u32, shape: ?Shape, mode: Mode, exact: bool) bool {
    const s = shape orelse return false;
    if (mode == .away) away(t, s, rn(insn), 3 | quiet) else {
        round(t, s, .xmm0, s.use(t, rn(insn), .xmm0), @intFromEnum(mode) | @as(u8, if (exact) 0 else quiet));
    }
    return s.put(t, rd(insn), false);
}

pub fn FRINTN(t: *Translator, insn: u32) bool {
    return integral(t, insn, .ofType(insn), .even, false);
}
pub fn FRINTP(t: *Translator, insn: u32) bool {
    return integral(t, insn, .ofType(insn), .up, false);
}
pub fn FRINTM(t: *Translator, insn: u32) bool {
    return integral(t, insn, .ofType(insn), .down, false);
}
pub fn FRINTZ(t: *Translator, insn: u32) bool {
    return integral(t, insn, .ofType(insn), .zero, false);
}
pub fn FRINTA(t: *Translator, insn: u32) bool {
    return integral(t, insn, .ofType(insn), .away, false);
}
pub fn FRINTX(t: *Translator, insn: u32) bool {
    return integral(t, insn, .ofType(insn), .current, true);
}
pub fn FRINTI(t: *Translator, insn: u32) bool {
    return integral(t, insn, .ofType(insn), .current, false);
}
pub fn FRINTN_v(t: *Translator, insn: u32) bool {
    return integral(t, insn, .ofVector(insn), .even, false);
}
pub fn FRINTP_v(t: *Translator, insn: u32) bool {
    return integral(t, insn, .ofVector(insn), .up, false);
}
pub fn FRINTM_v(t: *Translator, insn: u32) bool {
    return integral(t, insn, .ofVector(insn), .down, false);
}
pub fn FRINTZ_v(t: *Translator, insn: u32) bool {
    return integral(t, insn, .ofVector(insn), .zero, false);
}
pub fn FRINTA_v(t: *Translator, insn: u32) bool {
    return integral(t, insn, .ofVector(insn), .away, false);
}
pub fn FRINTX_v(t: *Translator, insn: u32) bool {
    return integral(t, insn, .ofVector(insn), .current, true);
}
pub fn FRINTI_v(t: *Translator, insn: u32) bool {
    return integral(t, insn, .ofVector(insn), .current, false);
}

/// Does the instruction exactly unless every element of register n is below 2^exponent in magnitude. Uses rax, xmm1, xmm15.
pub fn within(t: *Translator, s: Shape, n: Xmm, exponent: i32) void {
    splat(t, s.kind, .xmm1, power(s.kind, exponent) - 1);
    move(t, .xmm15, n);
    t.a.sse(.none, 0x54, .xmm15, .{ .mem = constant(s.kind, "tops") });
    s.unless(t, .xmm15, .{ .xmm = .xmm1 });
}

/// To an integral value of `width` bits, exactly.
fn bounded(t: *Translator, insn: u32, shape: ?Shape, mode: Mode, width: i32) bool {
    const s = shape orelse return false;
    t.clobber();
    const before = t.cold_count;
    const n = s.use(t, rn(insn), .xmm0);
    // Doubles may be rounded up to 2^31.
    within(t, s, n, if (s.kind == .d and width == 32) 30 else width - 1);
    round(t, s, .xmm0, n, @intFromEnum(mode));
    return fp.finish(t, rd(insn), s.clean, before);
}

pub fn FRINT32Z(t: *Translator, insn: u32) bool {
    return bounded(t, insn, .ofType(insn), .zero, 32);
}
pub fn FRINT32X(t: *Translator, insn: u32) bool {
    return bounded(t, insn, .ofType(insn), .current, 32);
}
pub fn FRINT64Z(t: *Translator, insn: u32) bool {
    return bounded(t, insn, .ofType(insn), .zero, 64);
}
pub fn FRINT64X(t: *Translator, insn: u32) bool {
    return bounded(t, insn, .ofType(insn), .current, 64);
}
pub fn FRINT32Z_v(t: *Translator, insn: u32) bool {
    return bounded(t, insn, .ofVector(insn), .zero, 32);
}
pub fn FRINT32X_v(t: *Translator, insn: u32) bool {
    return bounded(t, insn, .ofVector(insn), .current, 32);
}
pub fn FRINT64Z_v(t: *Translator, insn: u32) bool {
    return bounded(t, insn, .ofVector(insn), .zero, 64);
}
pub fn FRINT64X_v(t: *Translator, insn: u32) bool {
    return bounded(t, insn, .ofVector(insn), .current, 64);
}

// Between formats. NaNs are converted as ARM does.

/// xmm0 = the number of another format in register n.
pub fn FCVT_to_d(t: *Translator, insn: u32) bool {
    if (fp.typeOf(insn)) |kind| {
        if (kind == .d) return false;
        zeroes(t, .xmm0);
        t.a.sse(.f3, 0x5a, .xmm0, .{ .xmm = t.copies.get(&t.a, rn(insn)) });
    } else {
        if (!fromHalf(t, insn)) return false;
        t.a.sse(.f3, 0x5a, .xmm0, .{ .xmm = .xmm0 });
    }
    t.copies.put(&t.a, rd(insn), .xmm0, .d);
    return true;
}

pub fn FCVT_to_s(t: *Translator, insn: u32) bool {
    const kind = fp.typeOf(insn) orelse {
        if (!fromHalf(t, insn)) return false;
        t.copies.put(&t.a, rd(insn), .xmm0, .s);
        return true;
    };
    if (kind != .d) return false;
    t.clobber();
    zeroes(t, .xmm0);
    t.a.sse(.f2, 0x5a, .xmm0, .{ .xmm = t.copies.get(&t.a, rn(insn)) });
    return fp.finish(t, rd(insn), .s, fp.check(t, .s, .nan_or_least));
}

/// xmm0 = the half in register n as a single.
fn fromHalf(t: *Translator, insn: u32) bool {
    if (!host.features.f16c or bits(insn, 22, 2) != 3) return false;
    t.a.sse3aGeneral(.d, 0x15, @intFromEnum(t.copies.get(&t.a, rn(insn))), .rax, 0);
    t.a.sseGeneral(.p66, .d, 0x6e, 0, rax);
    widenHalves(t, .xmm0, .xmm0);
    return true;
}

fn widenHalves(t: *Translator, dst: Xmm, src: Xmm) void {
    t.a.avx(.p66, 2, false, 0x13, dst, .xmm0, .{ .xmm = src });
}

/// xmm0 = the singles in `src` as halves, zero above; exactly where one may have been tiny before it was rounded.
fn toHalves(t: *Translator, src: Xmm) void {
    t.a.avx(.p66, 3, false, 0x1d, src, .xmm0, .{ .xmm = .xmm0 });
    t.a.imm8(4);
    move(t, .xmm1, .xmm0);
    t.a.sse(.p66, 0xfd, .xmm1, .{ .xmm = .xmm1 });
    t.a.sse(.p66, 0x75, .xmm1, .{ .mem = constant(.no, "twice_least_half") });
    t.a.sse(.p66, 0xd7, @enumFromInt(0), .{ .xmm = .xmm1 });
    t.a.@"test"(.d, rax, .rax);
    t.exactly(.ne);
}

pub fn FCVT_to_h(t: *Translator, insn: u32) bool {
    if (!host.features.f16c or fp.typeOf(insn) != .s) return false;
    t.clobber();
    const before = t.cold_count;
    t.copies.low(&t.a, rn(insn), .s, .xmm1);
    toHalves(t, .xmm1);
    return fp.finish(t, rd(insn), .s, before);
}

pub fn FCVTL(t: *Translator, insn: u32) bool {
    const halves = !bit(insn, 22);
    if (halves and !host.features.f16c) return false;
    var n = t.copies.get(&t.a, rn(insn));
    if (bit(insn, 30)) {
        t.a.sse(.p66, 0x70, .xmm1, .{ .xmm = n });
        t.a.imm8(0xee);
        n = .xmm1;
    }
    if (halves) widenHalves(t, .xmm0, n) else t.a.sse(.none, 0x5a, .xmm0, .{ .xmm = n });
    t.copies.put(&t.a, rd(insn), .xmm0, .no);
    return true;
}

pub fn FCVTN(t: *Translator, insn: u32) bool {
    const halves = !bit(insn, 22);
    if (halves and !host.features.f16c) return false;
    t.clobber();
    const before = t.cold_count;
    const n = t.copies.get(&t.a, rn(insn));
    if (halves) toHalves(t, n) else {
        t.a.sse(.p66, 0x5a, .xmm0, .{ .xmm = n });
        _ = fp.checkAll(t, .s, .nan_or_least);
    }
    if (!bit(insn, 30)) return fp.finish(t, rd(insn), .d, before);
    // The lower half stays.
    move(t, .xmm1, t.copies.get(&t.a, rd(insn)));
    t.a.sse(.p66, 0x6c, .xmm1, .{ .xmm = .xmm0 });
    move(t, .xmm0, .xmm1);
    return fp.finish(t, rd(insn), .no, before);
}
