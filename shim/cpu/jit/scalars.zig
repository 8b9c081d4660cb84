//! Translation of Advanced SIMD integer instructions on scalars, most of which are the vectors' with one element of 64 bits, and of moves of
//! one element. As simd.zig otherwise.

const fields = @import("../interp/fields.zig");
const lanes = @import("lanes.zig");
const layout = @import("layout.zig");
const simd = @import("simd.zig");
const sse = @import("sse.zig");
const x64 = @import("x64.zig");
const Translator = @import("translate.zig").Translator;

const bit = fields.bit;
const bits = fields.bits;
const rd = fields.rd;
const rn = fields.rn;

pub const ADD_s = simd.ADD_v;
pub const SUB_s = simd.SUB_v;
pub const CMTST_s = lanes.CMTST;
pub const CMEQ_s = simd.CMEQ;
pub const CMGT_s = simd.CMGT;
pub const CMGE_s = lanes.CMGE;
pub const CMHI_s = lanes.CMHI;
pub const CMHS_s = simd.CMHS;
pub const CMGT_zero_s = lanes.CMGT_zero;
pub const CMEQ_zero_s = simd.CMEQ_zero;
pub const CMLT_zero_s = lanes.CMLT_zero;
pub const CMGE_zero_s = lanes.CMGE_zero;
pub const CMLE_zero_s = lanes.CMLE_zero;
pub const ABS_s = lanes.ABS_v;
pub const NEG_s = lanes.NEG_v;

pub fn SMOV(t: *Translator, insn: u32) bool {
    const e = simd.elementOf(bits(insn, 16, 5)) orelse return false;
    const dst = t.target(rd(insn), .rax);
    const from = ([3]x64.Size{ .b, .w, .d })[e.log];
    t.a.movsx(if (bit(insn, 30)) .q else .d, from, dst, .{ .mem = layout.vector(rn(insn), @as(u32, e.index) << e.log) });
    t.put(rd(insn), dst);
    return true;
}

pub fn DUP_scalar(t: *Translator, insn: u32) bool {
    const e = simd.elementOf(bits(insn, 16, 5)) orelse return false;
    if (e.log == 2) {
        // Its lane to the lowest one, the others zero.
        t.a.sse3a(0x21, .xmm0, .{ .xmm = t.copies.get(&t.a, rn(insn)) }, e.index << 6 | 0x0e);
        return sse.result(t, rd(insn), .xmm0, .s);
    }
    sse.move(t, .xmm0, t.copies.get(&t.a, rn(insn)));
    if (e.index != 0) sse.shift(t, 3, 3, .xmm0, @as(u32, e.index) << e.log);
    if (e.log == 3) {
        t.a.sse(.f3, 0x7e, .xmm0, .{ .xmm = .xmm0 });
        return sse.result(t, rd(insn), .xmm0, .d);
    }
    sse.with(t, 0xdb, .xmm0, "element", e.log);
    return sse.result(t, rd(insn), .xmm0, .s);
}
