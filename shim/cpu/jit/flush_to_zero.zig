//! Arithmetic under FPCR.FZ, which programs have that were linked with -ffast-math. The host never flushes: it would do so at other moments
//! than ARM, and say less about it. But before an instruction its operands are looked at: where each is zero, or so large that no result
//! can be flushed either, FZ makes no difference, and the host's way is good (fp.zig). The rest is left to the interpreter's function. Its
//! `lanes.usual` (simd/fp_lanes.zig) asks the same, and has the reasons for each limit.

const std = @import("std");
const constants = @import("constants.zig");
const convert = @import("fp_convert.zig");
const core = @import("../simd/fp_core.zig");
const fields = @import("../interp/fields.zig");
const floats = @import("floats.zig");
const fp = @import("fp.zig");
const lanes = @import("../simd/fp_lanes.zig");
const sse = @import("sse.zig");
const table = @import("../simd/simd.zig");
const x64 = @import("x64.zig");
const Translator = @import("translate.zig").Translator;

const Reach = lanes.Reach;
const Shape = floats.Shape;
const Xmm = x64.Xmm;
const bit = fields.bit;

/// Where an instruction says what its operands are: a type field; bit 22 and Q, or bit 22 alone; immh. `pair`: the two elements of n.
const Form = enum { typed, vector, lane, fixed, pair, four, longer, shorter };

/// Registers that are operands; `element`: m is one element of it.
const Reads = enum { n, nm, nma, nmd, element, element_d };

pub const Guard = struct { form: Form, reads: Reads, reach: Reach };

const lists = .{
    .{ Form.typed, Reads.nm, Reach.sum, "FADD FSUB" },
    .{ Form.typed, Reads.nm, Reach.product, "FMUL FNMUL" },
    .{ Form.typed, Reads.nm, Reach.quotient, "FDIV" },
    .{ Form.typed, Reads.nma, Reach.fused, "FMADD FMSUB FNMADD FNMSUB" },
    .{ Form.typed, Reads.nm, Reach.operands, "FMAX FMIN FMAXNM FMINNM FCMP FCMPE FCCMP FCCMPE" },
    .{ Form.typed, Reads.n, Reach.operands, "FSQRT FCMP_zero FCMPE_zero FRINTN FRINTP FRINTM FRINTZ FRINTA FRINTX FRINTI FRINT32Z FRINT32X FRINT64Z FRINT64X" },
    .{ Form.typed, Reads.n, Reach.operands, "FCVTZS FCVTZU FCVTNS FCVTNU FCVTPS FCVTPU FCVTMS FCVTMU FCVTAS FCVTAU FCVTZS_fix FCVTZU_fix FJCVTZS FCVT_to_d FCVT_to_h" },
    .{ Form.typed, Reads.n, Reach.narrow, "FCVT_to_s" },
    .{ Form.vector, Reads.nm, Reach.sum, "FADD_v FSUB_v FABD_v FADDP_v" },
    .{ Form.vector, Reads.nm, Reach.product, "FMUL_v FMULX_v" },
    .{ Form.vector, Reads.nm, Reach.quotient, "FDIV_v" },
    .{ Form.vector, Reads.nmd, Reach.fused, "FMLA_v FMLS_v" },
    .{ Form.vector, Reads.element, Reach.product, "FMUL_e" },
    .{ Form.vector, Reads.element_d, Reach.fused, "FMLA_e FMLS_e" },
    .{ Form.vector, Reads.nm, Reach.operands, "FCMEQ_v FCMGE_v FCMGT_v FACGE_v FACGT_v FMAX_v FMIN_v FMAXNM_v FMINNM_v FMAXP_v FMINP_v FMAXNMP_v FMINNMP_v" },
    .{ Form.vector, Reads.n, Reach.operands, "FCMEQ_zero_v FCMLT_zero_v FCMLE_zero_v FCMGT_zero_v FCMGE_zero_v FSQRT_v FRINTN_v FRINTP_v FRINTM_v FRINTZ_v FRINTA_v FRINTX_v FRINTI_v" },
    .{ Form.vector, Reads.n, Reach.operands, "FRINT32Z_v FRINT32X_v FRINT64Z_v FRINT64X_v FCVTZS_v FCVTZU_v FCVTNS_v FCVTNU_v FCVTPS_v FCVTPU_v FCVTMS_v FCVTMU_v FCVTAS_v FCVTAU_v" },
    .{ Form.lane, Reads.nm, Reach.sum, "FABD_s" },
    .{ Form.lane, Reads.nm, Reach.product, "FMULX_s" },
    .{ Form.lane, Reads.element, Reach.product, "FMUL_es" },
    .{ Form.lane, Reads.element_d, Reach.fused, "FMLA_es FMLS_es" },
    .{ Form.lane, Reads.nm, Reach.operands, "FCMEQ_s FCMGE_s FCMGT_s FACGE_s FACGT_s" },
    .{ Form.lane, Reads.n, Reach.operands, "FCMEQ_zero_s FCMLT_zero_s FCMLE_zero_s FCMGT_zero_s FCMGE_zero_s" },
    .{ Form.lane, Reads.n, Reach.operands, "FCVTZS_s FCVTZU_s FCVTNS_s FCVTNU_s FCVTPS_s FCVTPU_s FCVTMS_s FCVTMU_s FCVTAS_s FCVTAU_s" },
    .{ Form.fixed, Reads.n, Reach.operands, "FCVTZS_vfix FCVTZU_vfix FCVTZS_sfix FCVTZU_sfix" },
    .{ Form.pair, Reads.n, Reach.sum, "FADDP_s" },
    .{ Form.pair, Reads.n, Reach.operands, "FMAXP_s FMINP_s FMAXNMP_s FMINNMP_s" },
    .{ Form.four, Reads.n, Reach.operands, "FMAXV FMINV FMAXNMV FMINNMV" },
    .{ Form.longer, Reads.n, Reach.operands, "FCVTL" },
    .{ Form.shorter, Reads.n, Reach.narrow, "FCVTN" },
};

/// What has to be known before the host does the arithmetic of a row.
pub fn guardOf(comptime name: []const u8) Guard {
    for (lists) |list| {
        var names = std.mem.tokenizeScalar(u8, list[3], ' ');
        while (names.next()) |n| if (std.mem.eql(u8, n, name)) return .{ .form = list[0], .reads = list[1], .reach = list[2] };
    }
    @compileError(name ++ " does arithmetic on the host: say what FPCR.FZ makes of its operands");
}

/// `how` with the guard before it. False: the interpreter's function is to be called.
pub fn translate(t: *Translator, insn: u32, guard: Guard, how: *const fn (t: *Translator, insn: u32) bool) bool {
    const before = t.*;
    const mine = t.cold_count;
    if (!emit(t, insn, guard)) return how(t, insn);
    if (!how(t, insn)) {
        t.* = before;
        return false;
    }
    t.comeBackFrom(mine, table.writesFlags(insn));
    return true;
}

/// The guard changes the host's flags.
fn keepFlags(t: *Translator, insn: u32) void {
    switch (table.usesFlags(insn)) {
        .none => return t.clobber(),
        .read => t.save(),
        .write => t.again = null,
    }
    t.state = .saved;
}

/// Goes to the interpreter's function where FZ may matter. False: it never does.
fn emit(t: *Translator, insn: u32, guard: Guard) bool {
    const s = shapeOf(insn, guard.form) orelse return false;
    keepFlags(t, insn);
    const reach = if (guard.reach == .narrow and s.kind == .s) .operands else guard.reach;
    var look: Look = .{ .t = t, .shape = s };
    const n = fields.rn(insn);
    const m = fields.rm(insn);
    switch (guard.reads) {
        .element, .element_d => {
            fp.splat(t, insn, s.kind);
            look.at(.xmm1, reach);
        },
        .n => {},
        else => if (reach == .quotient) look.atDivisor(m) else if (m != n) look.atRegister(m, reach),
    }
    look.atRegister(n, if (reach == .quotient) .product else reach);
    switch (guard.reads) {
        .nma => look.atRegister(fields.ra(insn), .operands),
        .nmd, .element_d => look.atRegister(fields.rd(insn), .operands),
        else => {},
    }
    look.done();
    return true;
}

/// Null: there are no operands that FZ is for, or the instruction is reserved.
fn shapeOf(insn: u32, form: Form) ?Shape {
    return switch (form) {
        .typed => .ofType(insn),
        .vector => .ofVector(insn),
        .lane => .ofScalar(insn),
        .fixed => convert.fixed(insn).shape,
        .pair => if (fp.laneOf(insn) == .d) .{ .kind = .d, .clean = .no } else .{ .kind = .s, .clean = .d },
        .four => .{ .kind = .s, .clean = .no },
        // Halves have a bit of their own in FPCR.
        .longer => if (bit(insn, 22)) .{ .kind = .s, .clean = if (bit(insn, 30)) .no else .d } else null,
        .shorter => .{ .kind = if (bit(insn, 22)) .d else .s, .clean = .no },
    };
}

/// Looks at operands, one after the other. One element each: ecx is negative if any is out of its limits. Several: xmm1 is all ones as long as
/// none is.
const Look = struct {
    t: *Translator,
    shape: Shape,
    first: bool = true,

    fn format(l: *const Look) *const core.Format {
        return if (l.shape.kind == .d) &core.double else &core.single;
    }

    fn atRegister(l: *Look, n: u32, reach: Reach) void {
        if (l.shape.single()) return l.at(l.t.copies.get(&l.t.a, n), reach);
        const x: Xmm = if (l.first) .xmm1 else .xmm0;
        l.shape.load(l.t, n, x);
        l.at(x, reach);
    }

    /// x, of several elements: xmm1 if it is the first, else xmm0.
    fn at(l: *Look, x: Xmm, reach: Reach) void {
        const a = &l.t.a;
        const first = l.first;
        l.first = false;
        if (l.shape.single()) {
            const r: x64.Reg = if (first) .rcx else .rax;
            l.field(x, r);
            a.aluImm(.sub, .d, .{ .reg = r }, lanes.lowest(l.format(), reach));
            if (!first) a.alu(.@"or", .d, .rcx, .{ .reg = r });
        } else {
            l.above(x, reach);
            if (!first) sse.op(l.t, 0xdb, .xmm1, x);
        }
    }

    /// The first operand: neither so small that it would be flushed nor so large that the quotient might be.
    fn atDivisor(l: *Look, m: u32) void {
        const a = &l.t.a;
        l.first = false;
        if (l.shape.single()) {
            l.field(l.t.copies.get(a, m), .rax);
            a.aluImm(.sub, .d, .{ .reg = .rax }, 1);
            a.movImm(.rcx, @intCast(lanes.highestDivisor(l.format()) - 1));
            a.alu(.sub, .d, .rcx, .{ .reg = .rax });
            a.alu(.@"or", .d, .rcx, .{ .reg = .rax });
        } else {
            l.shape.load(l.t, m, .xmm1);
            sse.move(l.t, .xmm0, .xmm1);
            l.above(.xmm1, .operands);
            l.above(.xmm0, .quotient);
            sse.op(l.t, 0xdf, .xmm0, .xmm1);
            sse.move(l.t, .xmm1, .xmm0);
        }
    }

    /// r = the exponent field of x, one less of powers of two, all ones of zero.
    fn field(l: *Look, x: Xmm, r: x64.Reg) void {
        const size: x64.Size = if (l.shape.kind == .d) .q else .d;
        const a = &l.t.a;
        a.sseGeneral(.p66, size, 0x7e, @intFromEnum(x), .{ .reg = r });
        a.alu(.add, size, r, .{ .reg = r });
        a.aluImm(.sub, size, .{ .reg = r }, 1);
        a.shiftImm(.shr, size, .{ .reg = r }, l.format().frac + 1);
    }

    /// Elements of x become all ones where they are zero or not below the least for `reach` (`quotient`: above the greatest divisor), else zero.
    fn above(l: *Look, x: Xmm, reach: Reach) void {
        const double = l.shape.kind == .d;
        // Twice the magnitude less one, as an integer with a sign that compares as it does without.
        sse.op(l.t, if (double) 0xd4 else 0xfe, x, x);
        l.t.a.sse(.p66, if (double) 0xd4 else 0xfe, x, .{ .mem = floats.constant(l.shape.kind, "tops") });
        const limit = constants.memory("flushed", @as(usize, @intFromBool(double)) * constants.reaches.len + @intFromEnum(reach));
        if (double) l.t.a.sse38(0x37, x, limit) else l.t.a.sse(.p66, 0x66, x, limit);
    }

    fn done(l: *Look) void {
        if (l.shape.single()) return l.t.exactly(.s);
        const double = l.shape.kind == .d;
        l.t.a.sse(fp.packed_(l.shape.kind), 0x50, @enumFromInt(0), .{ .xmm = .xmm1 });
        l.t.a.aluImm(.cmp, .d, .{ .reg = .rax }, if (double) 3 else 15);
        l.t.exactly(.ne);
    }
};
