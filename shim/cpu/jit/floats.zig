//! Translation of floating-point comparisons into masks, maximum and minimum, and of what works on pairs, for scalars and vectors alike: a
//! scalar is a vector with zeros above, which raise no flags of their own. As fp.zig otherwise.

const std = @import("std");
const constants = @import("constants.zig");
const fields = @import("../interp/fields.zig");
const fp = @import("fp.zig");
const sse = @import("sse.zig");
const vector = @import("vector.zig");
const x64 = @import("x64.zig");
const Translator = @import("translate.zig").Translator;

const Clean = vector.Clean;
const Xmm = x64.Xmm;
const bit = fields.bit;
const rd = fields.rd;
const rn = fields.rn;
const rm = fields.rm;
const move = sse.move;

/// A constant for elements of the kind; .no: of halves, or what has only one form.
pub fn constant(kind: Clean, comptime list: []const u8) x64.Mem {
    const by_size = comptime std.mem.eql(u8, list, "signs") or std.mem.eql(u8, list, "tops");
    const number: usize = switch (kind) {
        .no => if (by_size) 1 else 0,
        .s => if (by_size) 2 else 0,
        .d => if (by_size) 3 else 1,
    };
    return constants.memory(list, number).mem;
}

/// Elements of singles or doubles, and how far down the register is zero above them.
pub const Shape = struct {
    kind: Clean,
    clean: Clean,

    /// Of a vector form; null: 64-bit lanes need the 128-bit form.
    pub fn ofVector(insn: u32) ?Shape {
        const kind = fp.laneOf(insn);
        if (kind == .d and !bit(insn, 30)) return null;
        return .{ .kind = kind, .clean = fp.cleanOf(insn) };
    }

    /// Of a scalar one among the vector instructions.
    pub fn ofScalar(insn: u32) Shape {
        return .{ .kind = fp.laneOf(insn), .clean = fp.laneOf(insn) };
    }

    /// Of one with a type field; null: half.
    pub fn ofType(insn: u32) ?Shape {
        const kind = fp.typeOf(insn) orelse return null;
        return .{ .kind = kind, .clean = kind };
    }

    pub fn single(s: Shape) bool {
        return s.kind == s.clean;
    }

    /// dst = the elements of register n, zero above.
    pub fn load(s: Shape, t: *Translator, n: u32, dst: Xmm) void {
        if (s.clean != .no) return t.copies.low(&t.a, n, s.clean, dst);
        t.a.sse(.none, 0x28, dst, .{ .xmm = t.copies.get(&t.a, n) });
    }

    /// A register with the elements: the copy itself where that has nothing above, else dst.
    pub fn use(s: Shape, t: *Translator, n: u32, dst: Xmm) Xmm {
        if (s.clean == .no) return t.copies.get(&t.a, n);
        s.load(t, n, dst);
        return dst;
    }

    /// Register d becomes xmm0. `above`: something may be there.
    pub fn put(s: Shape, t: *Translator, d: u32, above: bool) bool {
        if (above) switch (s.clean) {
            .no => {},
            .d => t.a.sse(.f3, 0x7e, .xmm0, .{ .xmm = .xmm0 }),
            .s => t.a.sse3a(0x21, .xmm0, .{ .xmm = .xmm0 }, 0x0e),
        };
        t.copies.put(&t.a, d, .xmm0, s.clean);
        return true;
    }

    /// dst = dst op src, an instruction of packed elements.
    pub fn op(s: Shape, t: *Translator, opcode: u8, dst: Xmm, src: Xmm) void {
        t.a.sse(fp.packed_(s.kind), opcode, dst, .{ .xmm = src });
    }

    /// As `fp.check` for xmm0.
    pub fn check(s: Shape, t: *Translator, what: fp.Check) u32 {
        return if (s.single()) fp.check(t, s.kind, what) else fp.checkAll(t, s.kind, what);
    }

    /// Does the instruction exactly where an element of `src`, as an integer with a sign, is greater than that of the constant. Destroys src.
    pub fn unless(s: Shape, t: *Translator, src: Xmm, limit: x64.XmmRm) void {
        if (s.kind == .d) t.a.sse38(0x37, src, limit) else t.a.sse(.p66, 0x66, src, limit);
        s.exactlyWhere(t, src);
    }

    /// Does the instruction exactly where the sign of an element is set.
    pub fn exactlyWhere(s: Shape, t: *Translator, src: Xmm) void {
        t.a.sse(fp.packed_(s.kind), 0x50, @enumFromInt(0), .{ .xmm = src });
        t.a.@"test"(.d, .{ .reg = .rax }, .rax);
        t.exactly(.ne);
    }
};

fn with(t: *Translator, opcode: u8, dst: Xmm, mem: x64.Mem) void {
    t.a.sse(.none, opcode, dst, .{ .mem = mem });
}

/// The host's comparisons: the first objects to signalling NaNs, the others to all, as ARM's do.
const Than = enum(u8) { equal = 0, below = 1, not_above = 2 };

/// Masks of a `than` b; null: zero. `magnitudes`: without their signs.
fn masks(t: *Translator, insn: u32, shape: ?Shape, a: ?u32, b: ?u32, than: Than, magnitudes: bool) bool {
    const s = shape orelse return false;
    var second: Xmm = .xmm1;
    if (b) |n| second = s.use(t, n, .xmm1) else t.a.sse(.none, 0x57, .xmm1, .{ .xmm = .xmm1 });
    if (a) |n| s.load(t, n, .xmm0) else t.a.sse(.none, 0x57, .xmm0, .{ .xmm = .xmm0 });
    if (magnitudes) {
        if (second != .xmm1) move(t, .xmm1, second);
        second = .xmm1;
        with(t, 0x54, .xmm0, constant(s.kind, "tops"));
        with(t, 0x54, .xmm1, constant(s.kind, "tops"));
    }
    s.op(t, 0xc2, .xmm0, second);
    t.a.imm8(@intFromEnum(than));
    return s.put(t, rd(insn), true);
}

fn compare(t: *Translator, insn: u32, shape: ?Shape, than: Than, magnitudes: bool) bool {
    return masks(t, insn, shape, rm(insn), rn(insn), than, magnitudes);
}

pub fn FCMEQ_v(t: *Translator, insn: u32) bool {
    return compare(t, insn, .ofVector(insn), .equal, false);
}
pub fn FCMGE_v(t: *Translator, insn: u32) bool {
    return compare(t, insn, .ofVector(insn), .not_above, false);
}
pub fn FCMGT_v(t: *Translator, insn: u32) bool {
    return compare(t, insn, .ofVector(insn), .below, false);
}
pub fn FACGE_v(t: *Translator, insn: u32) bool {
    return compare(t, insn, .ofVector(insn), .not_above, true);
}
pub fn FACGT_v(t: *Translator, insn: u32) bool {
    return compare(t, insn, .ofVector(insn), .below, true);
}
pub fn FCMEQ_s(t: *Translator, insn: u32) bool {
    return compare(t, insn, .ofScalar(insn), .equal, false);
}
pub fn FCMGE_s(t: *Translator, insn: u32) bool {
    return compare(t, insn, .ofScalar(insn), .not_above, false);
}
pub fn FCMGT_s(t: *Translator, insn: u32) bool {
    return compare(t, insn, .ofScalar(insn), .below, false);
}
pub fn FACGE_s(t: *Translator, insn: u32) bool {
    return compare(t, insn, .ofScalar(insn), .not_above, true);
}
pub fn FACGT_s(t: *Translator, insn: u32) bool {
    return compare(t, insn, .ofScalar(insn), .below, true);
}

/// n compared with zero, or (`reversed`) zero with n.
fn zero(t: *Translator, insn: u32, shape: ?Shape, than: Than, reversed: bool) bool {
    const n: ?u32 = rn(insn);
    return masks(t, insn, shape, if (reversed) null else n, if (reversed) n else null, than, false);
}

pub fn FCMEQ_zero_v(t: *Translator, insn: u32) bool {
    return zero(t, insn, .ofVector(insn), .equal, false);
}
pub fn FCMLT_zero_v(t: *Translator, insn: u32) bool {
    return zero(t, insn, .ofVector(insn), .below, false);
}
pub fn FCMLE_zero_v(t: *Translator, insn: u32) bool {
    return zero(t, insn, .ofVector(insn), .not_above, false);
}
pub fn FCMGT_zero_v(t: *Translator, insn: u32) bool {
    return zero(t, insn, .ofVector(insn), .below, true);
}
pub fn FCMGE_zero_v(t: *Translator, insn: u32) bool {
    return zero(t, insn, .ofVector(insn), .not_above, true);
}
pub fn FCMEQ_zero_s(t: *Translator, insn: u32) bool {
    return zero(t, insn, .ofScalar(insn), .equal, false);
}
pub fn FCMLT_zero_s(t: *Translator, insn: u32) bool {
    return zero(t, insn, .ofScalar(insn), .below, false);
}
pub fn FCMLE_zero_s(t: *Translator, insn: u32) bool {
    return zero(t, insn, .ofScalar(insn), .not_above, false);
}
pub fn FCMGT_zero_s(t: *Translator, insn: u32) bool {
    return zero(t, insn, .ofScalar(insn), .below, true);
}
pub fn FCMGE_zero_s(t: *Translator, insn: u32) bool {
    return zero(t, insn, .ofScalar(insn), .not_above, true);
}

const Which = enum(u8) { max = 0x5f, min = 0x5d };

/// Where an element of xmm0 or xmm1 is a NaN the instruction is done exactly. Uses xmm15.
fn numbers(s: Shape, t: *Translator) void {
    if (s.single()) {
        s.op(t, 0x2e, .xmm0, .xmm1);
        return t.exactly(.p);
    }
    move(t, .xmm15, .xmm0);
    s.op(t, 0xc2, .xmm15, .xmm1);
    t.a.imm8(3);
    s.exactlyWhere(t, .xmm15);
}

/// xmm0 = the greater or lesser elements of xmm0 and xmm1, which are numbers. The host takes the second of two zeros, so both orders
/// together have both. Uses xmm15.
fn extreme(s: Shape, t: *Translator, which: Which) void {
    move(t, .xmm15, .xmm1);
    s.op(t, @intFromEnum(which), .xmm15, .xmm0);
    s.op(t, @intFromEnum(which), .xmm0, .xmm1);
    t.a.sse(.none, if (which == .max) 0x54 else 0x56, .xmm0, .{ .xmm = .xmm15 });
}

/// xmm0 becomes register d, after `numbers`.
fn finish(s: Shape, t: *Translator, insn: u32, before: u32) bool {
    _ = s.put(t, rd(insn), false);
    t.comeBack(before);
    return true;
}

fn extremes(t: *Translator, insn: u32, shape: ?Shape, which: Which) bool {
    const s = shape orelse return false;
    t.clobber();
    s.load(t, rm(insn), .xmm1);
    s.load(t, rn(insn), .xmm0);
    const before = t.cold_count;
    numbers(s, t);
    extreme(s, t, which);
    return finish(s, t, insn, before);
}

pub fn FMAX(t: *Translator, insn: u32) bool {
    return extremes(t, insn, .ofType(insn), .max);
}
pub fn FMIN(t: *Translator, insn: u32) bool {
    return extremes(t, insn, .ofType(insn), .min);
}
pub const FMAXNM = FMAX;
pub const FMINNM = FMIN;
pub fn FMAX_v(t: *Translator, insn: u32) bool {
    return extremes(t, insn, .ofVector(insn), .max);
}
pub fn FMIN_v(t: *Translator, insn: u32) bool {
    return extremes(t, insn, .ofVector(insn), .min);
}
pub const FMAXNM_v = FMAX_v;
pub const FMINNM_v = FMIN_v;

/// xmm0, xmm1 = the first and the second of each pair of elements of n and m.
fn pairs(s: Shape, t: *Translator, insn: u32) void {
    const m = t.copies.get(&t.a, rm(insn));
    move(t, .xmm0, t.copies.get(&t.a, rn(insn)));
    if (s.kind == .d) {
        move(t, .xmm1, .xmm0);
        s.op(t, 0x14, .xmm0, m);
        s.op(t, 0x15, .xmm1, m);
    } else if (s.clean == .no) {
        move(t, .xmm1, .xmm0);
        s.op(t, 0xc6, .xmm0, m);
        t.a.imm8(0x88);
        s.op(t, 0xc6, .xmm1, m);
        t.a.imm8(0xdd);
    } else {
        s.op(t, 0x14, .xmm0, m);
        upper(t);
        t.a.sse(.f3, 0x7e, .xmm0, .{ .xmm = .xmm0 });
    }
}

/// xmm1 = the upper half of xmm0, zero above.
fn upper(t: *Translator) void {
    move(t, .xmm1, .xmm0);
    t.a.sse(.p66, 0x73, @enumFromInt(3), .{ .xmm = .xmm1 });
    t.a.imm8(8);
}

/// xmm0, xmm1 = the two elements of register n.
fn pair(s: Shape, t: *Translator, insn: u32) void {
    move(t, .xmm0, t.copies.get(&t.a, rn(insn)));
    if (s.kind == .d) {
        upper(t);
        t.a.sse(.f3, 0x7e, .xmm0, .{ .xmm = .xmm0 });
    } else {
        move(t, .xmm1, .xmm0);
        t.a.sse3a(0x21, .xmm1, .{ .xmm = .xmm1 }, 0x4e);
        t.a.sse3a(0x21, .xmm0, .{ .xmm = .xmm0 }, 0x0e);
    }
}

/// xmm0 + xmm1
fn sum(s: Shape, t: *Translator, insn: u32) bool {
    s.op(t, 0x58, .xmm0, .xmm1);
    return fp.finish(t, rd(insn), s.clean, s.check(t, .nan));
}

pub fn FADDP_v(t: *Translator, insn: u32) bool {
    const s = Shape.ofVector(insn) orelse return false;
    t.clobber();
    pairs(s, t, insn);
    return sum(s, t, insn);
}

pub fn FADDP_s(t: *Translator, insn: u32) bool {
    const s = Shape.ofScalar(insn);
    t.clobber();
    pair(s, t, insn);
    return sum(s, t, insn);
}

fn extremePairs(t: *Translator, insn: u32, shape: ?Shape, which: Which) bool {
    const s = shape orelse return false;
    t.clobber();
    if (s.single()) pair(s, t, insn) else pairs(s, t, insn);
    const before = t.cold_count;
    numbers(s, t);
    extreme(s, t, which);
    return finish(s, t, insn, before);
}

pub fn FMAXP_v(t: *Translator, insn: u32) bool {
    return extremePairs(t, insn, .ofVector(insn), .max);
}
pub fn FMINP_v(t: *Translator, insn: u32) bool {
    return extremePairs(t, insn, .ofVector(insn), .min);
}
pub const FMAXNMP_v = FMAXP_v;
pub const FMINNMP_v = FMINP_v;
pub fn FMAXP_s(t: *Translator, insn: u32) bool {
    return extremePairs(t, insn, .ofScalar(insn), .max);
}
pub fn FMINP_s(t: *Translator, insn: u32) bool {
    return extremePairs(t, insn, .ofScalar(insn), .min);
}
pub const FMAXNMP_s = FMAXP_s;
pub const FMINNMP_s = FMINP_s;

/// The extreme of four singles.
fn across(t: *Translator, insn: u32, which: Which) bool {
    const s: Shape = .{ .kind = .s, .clean = .no };
    t.clobber();
    const n = t.copies.get(&t.a, rn(insn));
    move(t, .xmm0, n);
    t.a.sse(.p66, 0x70, .xmm1, .{ .xmm = n });
    t.a.imm8(0x4e);
    const before = t.cold_count;
    numbers(s, t);
    extreme(s, t, which);
    t.a.sse(.p66, 0x70, .xmm1, .{ .xmm = .xmm0 });
    t.a.imm8(0xb1);
    extreme(s, t, which);
    const one: Shape = .{ .kind = .s, .clean = .s };
    _ = one.put(t, rd(insn), true);
    t.comeBack(before);
    return true;
}

pub fn FMAXV(t: *Translator, insn: u32) bool {
    return across(t, insn, .max);
}
pub fn FMINV(t: *Translator, insn: u32) bool {
    return across(t, insn, .min);
}
pub const FMAXNMV = FMAXV;
pub const FMINNMV = FMINV;

pub fn FABD_v(t: *Translator, insn: u32) bool {
    return distance(t, insn, .ofVector(insn));
}
pub fn FABD_s(t: *Translator, insn: u32) bool {
    return distance(t, insn, .ofScalar(insn));
}

fn distance(t: *Translator, insn: u32, shape: ?Shape) bool {
    const s = shape orelse return false;
    t.clobber();
    const m = s.use(t, rm(insn), .xmm1);
    s.load(t, rn(insn), .xmm0);
    s.op(t, 0x5c, .xmm0, m);
    const before = s.check(t, .nan);
    with(t, 0x54, .xmm0, constant(s.kind, "tops"));
    return fp.finish(t, rd(insn), s.clean, before);
}

pub fn FSQRT_v(t: *Translator, insn: u32) bool {
    const s = Shape.ofVector(insn) orelse return false;
    t.clobber();
    const n = s.use(t, rn(insn), .xmm1);
    s.op(t, 0x51, .xmm0, n);
    return fp.finish(t, rd(insn), s.clean, s.check(t, .nan));
}

/// As a product, but that zero times infinity is 2.
fn extended(t: *Translator, insn: u32, shape: ?Shape) bool {
    const s = shape orelse return false;
    t.clobber();
    const before = t.cold_count;
    s.load(t, rm(insn), .xmm1);
    s.load(t, rn(insn), .xmm0);
    for ([2]Xmm{ .xmm0, .xmm1 }) |x| {
        move(t, .xmm15, x);
        with(t, 0x54, .xmm15, constant(s.kind, "tops"));
        s.unless(t, .xmm15, .{ .mem = constant(s.kind, "finite") });
    }
    s.op(t, 0x59, .xmm0, .xmm1);
    _ = s.check(t, .nan_or_least);
    return fp.finish(t, rd(insn), s.clean, before);
}

pub fn FMULX_v(t: *Translator, insn: u32) bool {
    return extended(t, insn, .ofVector(insn));
}
pub fn FMULX_s(t: *Translator, insn: u32) bool {
    return extended(t, insn, .ofScalar(insn));
}
