//! Directed tests of the corners that differ between ARM and the host: NaNs, underflow, flags, saturation, reserved
//! encodings. The differential tester (test/cpu) covers the rest against an oracle.

const std = @import("std");
const abi = @import("../../abi.zig");
const core = @import("fp_core.zig");
const fp = @import("fp.zig");
const regs = @import("regs.zig");
const sel = @import("select.zig");
const simd = @import("simd.zig");
const table = @import("../table_simd.zig");
const x86 = @import("../x86.zig");

const expectEqual = std.testing.expectEqual;
const Handler = *const sel.Fn;

fn direct(comptime f: sel.Fn) Handler {
    return &f;
}

/// Runs one instruction. Only the row `name` is compiled, not the whole set.
fn run(comptime name: []const u8, insn: u32, r: *abi.RegisterBlock) !void {
    x86.probe();
    try std.testing.expectEqualStrings(name, table.rows[simd.find(insn).?].name);
    const handler = simd.selectorOf(sel.Selector(Handler, direct), name)(insn) orelse return error.Reserved;
    fp.enter(r);
    handler(r, insn);
    fp.leave(r);
}

fn reserved(comptime name: []const u8, insn: u32) !void {
    try std.testing.expectEqualStrings(name, table.rows[simd.find(insn).?].name);
    try expectEqual(null, simd.selectorOf(sel.Selector(Handler, direct), name)(insn));
}

/// d0 = d1 op d2
fn binary(comptime name: []const u8, insn: u32, fpcr: u32, a: u64, b: u64, expected: u64, flags: u32) !void {
    var r: abi.RegisterBlock = .{ .fpcr = fpcr };
    r.v[0] = .{ 1, 2 };
    r.v[1][0] = a;
    r.v[2][0] = b;
    try run(name, insn, &r);
    try expectEqual([2]u64{ expected, 0 }, r.v[0]);
    try expectEqual(flags, r.fpsr);
}

const fadd = 0x1e622820;
const fmul = 0x1e620820;
const fdiv = 0x1e621820;
const fmax = 0x1e624820;
const fmaxnm = 0x1e626820;

const one: u64 = @bitCast(@as(f64, 1));
const infinity: u64 = 0x7ff0_0000_0000_0000;
const negative: u64 = 1 << 63;
const default_nan: u64 = 0x7ff8_0000_0000_0000;
const min_normal: u64 = 0x0010_0000_0000_0000;

test "NaNs: the default is positive, signalling ones go first, DN replaces all" {
    const quiet: u64 = 0xfff8_0000_0000_1234;
    const signalling: u64 = 0x7ff0_0000_0000_5678;
    try binary("FADD", fadd, 0, infinity, infinity | negative, default_nan, core.ioc);
    try binary("FADD", fadd, 0, quiet, one, quiet, 0);
    try binary("FADD", fadd, 0, quiet, signalling, signalling | 1 << 51, core.ioc);
    try binary("FADD", fadd, core.fpcr_dn, quiet, one, default_nan, 0);
    try binary("FDIV", fdiv, 0, 0, 0, default_nan, core.ioc);
    try binary("FDIV", fdiv, 0, one, negative, infinity | negative, core.dzc);
    try binary("FMAX", fmax, 0, negative, 0, 0, 0);
    try binary("FMAX", fmax, 0, quiet, one, quiet, 0);
    try binary("FMAXNM", fmaxnm, 0, quiet, one, one, 0);
}

test "underflow is detected before rounding" {
    // (1 - 2^-53) * 2^-1022 is tiny but rounds to the smallest normal number.
    try binary("FMUL", fmul, 0, one - 1, min_normal, min_normal, core.ufc | core.ixc);
    // An exact denormal is no underflow.
    try binary("FMUL", fmul, 0, one - (1 << 52), min_normal, min_normal >> 1, 0);
}

test "FZ flushes operands and results with ARM's flags" {
    try binary("FADD", fadd, core.fpcr_fz, 1, one, one, core.idc);
    try binary("FMUL", fmul, core.fpcr_fz, one - (1 << 52), min_normal, 0, core.ufc);
    try binary("FADD", fadd, core.fpcr_fz, one, one, @bitCast(@as(f64, 2)), 0);
}

test "rounding modes reach the host" {
    const tenth: u64 = @bitCast(@as(f64, 0.1));
    const third: u64 = @bitCast(@as(f64, 3));
    const nearest: u64 = @bitCast(@as(f64, 0.1) / @as(f64, 3));
    try binary("FDIV", fdiv, 0, tenth, third, nearest, core.ixc);
    try binary("FDIV", fdiv, 1 << 22, tenth, third, nearest + 1, core.ixc);
    try binary("FDIV", fdiv, 2 << 22, tenth, third, nearest, core.ixc);
    try binary("FADD", fadd, 2 << 22, one, one | negative, negative, 0);
}

test "fused multiply-add rounds once and prefers the addend's NaN" {
    var r: abi.RegisterBlock = .{};
    r.v[1][0] = one + 1;
    r.v[2][0] = one - 1;
    r.v[0][0] = one | negative;
    // fmadd d0, d1, d2, d0: (1 + 2^-52)(1 - 2^-53) - 1
    try run("FMADD", 0x1f420020, &r);
    try expectEqual(@as(f64, 0x1p-53 - 0x1p-105), @as(f64, @bitCast(r.v[0][0])));
    r.v[0][0] = 0x7ff8_0000_0000_0001;
    r.v[1][0] = 0x7ff8_0000_0000_0002;
    try run("FMADD", 0x1f420020, &r);
    try expectEqual(0x7ff8_0000_0000_0001, r.v[0][0]);
    r.v[1][0] = infinity;
    r.v[2][0] = 0;
    try run("FMADD", 0x1f420020, &r);
    try expectEqual(default_nan, r.v[0][0]);
    try expectEqual(core.ioc, r.fpsr & core.ioc);
}

test "lanes that do not exist raise nothing" {
    var r: abi.RegisterBlock = .{};
    const ones: u64 = 0x3f80_0000_3f80_0000;
    r.v[1] = .{ ones, 0x7fa0_0000_ff80_0000 };
    r.v[2] = .{ ones, 0 };
    // fdiv v0.2s, v1.2s, v2.2s; fsqrt v0.2s, v1.2s
    try run("FDIV_v", 0x2e22fc20, &r);
    try expectEqual([2]u64{ ones, 0 }, r.v[0]);
    try run("FSQRT_v", 0x2ea1f820, &r);
    try expectEqual([2]u64{ ones, 0 }, r.v[0]);
    try expectEqual(0, r.fpsr);
}

test "integer shifts raise no floating-point flags" {
    var r: abi.RegisterBlock = .{};
    r.v[1] = @splat(0x0000_0001_0000_0001);
    // shl v0.2s, v1.2s, #31
    try run("SHL", 0x0f3f5420, &r);
    try expectEqual([2]u64{ 0x8000_0000_8000_0000, 0 }, r.v[0]);
    try expectEqual(0, r.fpsr);
}

test "conversions saturate; the JavaScript one wraps and answers in Z" {
    var r: abi.RegisterBlock = .{};
    r.v[1][0] = @bitCast(@as(f64, -1e300));
    // fcvtzs x0, d1; fcvtzu w0, d1
    try run("FCVTZS", 0x9e780020, &r);
    try expectEqual(1 << 63, r.x[0]);
    try expectEqual(core.ioc, r.fpsr);
    try run("FCVTZU", 0x1e790020, &r);
    try expectEqual(0, r.x[0]);
    r.v[1][0] = @bitCast(@as(f64, 4294967301.0));
    try run("FJCVTZS", 0x1e7e0020, &r);
    try expectEqual(5, r.x[0]);
    try expectEqual(0, r.pstate);
    r.v[1][0] = @bitCast(@as(f64, -7.0));
    try run("FJCVTZS", 0x1e7e0020, &r);
    try expectEqual(0xffff_fff9, r.x[0]);
    try expectEqual(1 << 30, r.pstate);
}

test "halves: AHP and FZ16" {
    var r: abi.RegisterBlock = .{ .fpcr = core.fpcr_ahp };
    r.v[1][0] = 0x7c00;
    // fcvt s0, h1: an ordinary number in the alternative format
    try run("FCVT_to_s", 0x1ee24020, &r);
    try expectEqual(@as(u32, @bitCast(@as(f32, 65536))), @as(u32, @truncate(r.v[0][0])));
    r = .{ .fpcr = core.fpcr_fz16 };
    r.v[1][0] = 1;
    r.v[2][0] = 0x3c00;
    // fmul h0, h1, h2: flushed, and no IDC for halves
    try run("FMUL", 0x1ee20820, &r);
    try expectEqual([2]u64{ 0, 0 }, r.v[0]);
    try expectEqual(0, r.fpsr);
}

test "saturation sets QC" {
    var r: abi.RegisterBlock = .{};
    r.v[1] = @splat(0x8000_8000_8000_8000);
    // sqdmulh v0.8h, v1.8h, v1.8h
    try run("SQDMULH", 0x4e61b420, &r);
    try expectEqual([2]u64{ 0x7fff_7fff_7fff_7fff, 0x7fff_7fff_7fff_7fff }, r.v[0]);
    try expectEqual(regs.fpsr_qc, r.fpsr);
}

test "cryptography" {
    var r: abi.RegisterBlock = .{};
    // aese v0.16b, v1.16b of zeros: SubBytes gives 0x63 everywhere
    try run("AESE", 0x4e284820, &r);
    try expectEqual([2]u64{ 0x6363_6363_6363_6363, 0x6363_6363_6363_6363 }, r.v[0]);
    r.v[1] = .{ negative | 1, 0 };
    // pmull v0.1q, v1.1d, v1.1d
    try run("PMULL", 0x0ee1e020, &r);
    try expectEqual([2]u64{ 1, 1 << 62 }, r.v[0]);
}

test "reserved fields are refused" {
    // add v0.1d; fadd v0.1d; fmov s0 with ftype 2; ext v0.8b with index 8; smov w0, v1.s[0]; sqdmulh v0.16b
    try reserved("ADD_v", 0x0ee28420);
    try reserved("FADD_v", 0x0e62d420);
    try reserved("FMOV_reg", 0x1ea04020);
    try reserved("EXT", 0x2e024020);
    try reserved("SMOV", 0x0e042c20);
    try reserved("SQDMULH", 0x4e21b420);
    try reserved("SQDMULL", 0x0e20d020);
    try expectEqual(null, simd.find(0x0e20f020));
}

test "patterns are well-formed and exclusive" {
    for (table.rows, 0..) |a, i| {
        try expectEqual(32, a.pattern.len);
        for (table.rows[i + 1 ..]) |b| {
            if (std.mem.eql(u8, a.name, "MODIMM")) continue;
            var clash = true;
            for (a.pattern, b.pattern) |x, y| {
                if ((x == '0' and y == '1') or (x == '1' and y == '0')) clash = false;
            }
            if (clash) std.debug.print("{s} and {s}\n", .{ a.name, b.name });
            try std.testing.expect(!clash);
        }
    }
}
