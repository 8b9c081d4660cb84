//! What translated vector code is made of: operands that are as long as the instruction's, shifts of elements of every size by constants,
//! and FPSR.QC. The log of an element's size is 0 for bytes, 3 for 64 bits.

const constants = @import("constants.zig");
const fields = @import("../interp/fields.zig");
const layout = @import("layout.zig");
const x64 = @import("x64.zig");
const Translator = @import("translate.zig").Translator;

const Xmm = x64.Xmm;
const bit = fields.bit;

pub const Log = u2;

pub const adds = [4]u8{ 0xfc, 0xfd, 0xfe, 0xd4 };
pub const subtracts = [4]u8{ 0xf8, 0xf9, 0xfa, 0xfb };

/// An instruction of the 66 0F map, or of 66 0F 38.
pub fn op(t: *Translator, opcode: u8, dst: Xmm, src: Xmm) void {
    t.a.sse(.p66, opcode, dst, .{ .xmm = src });
}

pub fn op38(t: *Translator, opcode: u8, dst: Xmm, src: Xmm) void {
    t.a.sse38(opcode, dst, .{ .xmm = src });
}

pub fn move(t: *Translator, dst: Xmm, src: Xmm) void {
    if (dst != src) t.a.sse(.none, 0x28, dst, .{ .xmm = src });
}

pub fn zeroes(t: *Translator, dst: Xmm) void {
    t.a.sse(.none, 0x57, dst, .{ .xmm = dst });
}

pub fn ones(t: *Translator, dst: Xmm) void {
    op(t, 0x76, dst, dst);
}

pub fn shuffle(t: *Translator, dst: Xmm, src: Xmm, order: u8) void {
    op(t, 0x70, dst, src);
    t.a.imm8(order);
}

/// 16-bit elements of src into dst, where a bit of `which` says so.
pub fn blend(t: *Translator, dst: Xmm, src: Xmm, which: u8) void {
    t.a.sse3a(0x0e, dst, .{ .xmm = src }, which);
}

/// The bytes of src into dst where xmm0 says so.
pub fn choose(t: *Translator, dst: Xmm, src: Xmm) void {
    op38(t, 0x10, dst, src);
}

pub const constant = constants.memory;

pub fn with(t: *Translator, opcode: u8, dst: Xmm, comptime name: []const u8, index: usize) void {
    t.a.sse(.p66, opcode, dst, constant(name, index));
}

pub fn with38(t: *Translator, opcode: u8, dst: Xmm, comptime name: []const u8, index: usize) void {
    t.a.sse38(opcode, dst, constant(name, index));
}

pub fn load(t: *Translator, dst: Xmm, comptime name: []const u8, index: usize) void {
    t.a.sse(.none, 0x28, dst, constant(name, index));
}

/// How much of its registers an instruction works on.
pub const Extent = enum { q, d, s, h, b };

pub fn scalar(insn: u32) bool {
    return bit(insn, 28);
}

/// Of an instruction on elements of this size.
pub fn extentOf(insn: u32, log: Log) Extent {
    if (scalar(insn)) return ([4]Extent{ .b, .h, .s, .d })[log];
    return if (bit(insn, 30)) .q else .d;
}

/// dst = register n, zero beyond the extent.
pub fn source(t: *Translator, dst: Xmm, n: u32, e: Extent) void {
    switch (e) {
        .q => move(t, dst, t.copies.get(&t.a, n)),
        .d => t.copies.low(&t.a, n, .d, dst),
        .s => t.copies.low(&t.a, n, .s, dst),
        .h, .b => {
            move(t, dst, t.copies.get(&t.a, n));
            with(t, 0xdb, dst, "element", if (e == .h) 1 else 0);
        },
    }
}

/// A register with the same, not to be changed.
pub fn operand(t: *Translator, n: u32, e: Extent) Xmm {
    const copy = t.copies.get(&t.a, n);
    const clean = t.copies.cleanOf(n);
    if (e == .q or (e == .d and clean != .no) or (e == .s and clean == .s)) return copy;
    const dst = t.copies.spare();
    source(t, dst, n, e);
    return dst;
}

/// Register d becomes src, which is zero beyond the extent.
pub fn result(t: *Translator, d: u32, src: Xmm, e: Extent) bool {
    t.copies.put(&t.a, d, src, switch (e) {
        .q => .no,
        .d => .d,
        else => .s,
    });
    return true;
}

/// Shifts each element of 16 bits or more. `way` 2: right, 4: right with its sign, 6: left.
pub fn shift(t: *Translator, log: u8, way: u4, dst: Xmm, amount: u32) void {
    t.a.sse(.p66, 0x70 + log, @enumFromInt(way), .{ .xmm = dst });
    t.a.imm8(@intCast(amount));
}

/// Elements of any size by 0 to their width less 1.
pub fn left(t: *Translator, log: Log, dst: Xmm, amount: u32) void {
    if (amount == 0) return;
    if (log != 0) return shift(t, log, 6, dst, amount);
    shift(t, 1, 6, dst, amount);
    with(t, 0xdb, dst, "left_bytes", amount);
}

/// By 0 to their width.
pub fn right(t: *Translator, log: Log, dst: Xmm, amount: u32, signed: bool) void {
    if (amount == 0) return;
    if (log == 3 and signed) return rightLong(t, dst, amount);
    if (log != 0) return shift(t, log, if (signed) 4 else 2, dst, amount);
    const n = if (signed) @min(amount, 7) else amount;
    shift(t, 1, 2, dst, n);
    with(t, 0xdb, dst, "right_bytes", n);
    if (!signed) return;
    with(t, 0xef, dst, "sign_bytes", n);
    with(t, 0xf8, dst, "sign_bytes", n);
}

/// 64 bits with their sign, by halves.
fn rightLong(t: *Translator, dst: Xmm, amount: u32) void {
    const other = t.copies.spare();
    if (amount < 32) {
        move(t, other, dst);
        shift(t, 2, 4, other, amount);
        shift(t, 3, 2, dst, amount);
        blend(t, dst, other, 0xcc);
    } else {
        shuffle(t, other, dst, 0xf5);
        if (amount > 32) shift(t, 2, 4, other, @min(amount, 63) - 32);
        shift(t, 2, 4, dst, 31);
        blend(t, dst, other, 0x33);
    }
}

/// dst = all ones where x is negative.
pub fn negative(t: *Translator, log: Log, dst: Xmm, x: Xmm) void {
    zeroes(t, dst);
    greater(t, log, dst, x);
}

pub fn greater(t: *Translator, log: Log, dst: Xmm, src: Xmm) void {
    if (log == 3) op38(t, 0x37, dst, src) else op(t, 0x64 + @as(u8, log), dst, src);
}

pub fn equal(t: *Translator, log: Log, dst: Xmm, src: Xmm) void {
    if (log == 3) op38(t, 0x29, dst, src) else op(t, 0x74 + @as(u8, log), dst, src);
}

/// dst = the greater or lesser of dst and src, elements of up to 32 bits.
pub fn limit(t: *Translator, log: Log, signed: bool, greatest: bool, dst: Xmm, src: Xmm) void {
    // The least of signed 16-bit elements and of bytes are SSE2's, the others lie in the 38 map; the greatest is four further on.
    const code: u8 = if (signed) ([3]u8{ 0x38, 0xea, 0x39 })[log] else ([3]u8{ 0xda, 0x3a, 0x3b })[log];
    if (code >= 0xda) op(t, if (greatest) code + 4 else code, dst, src) else op38(t, if (greatest) code + 4 else code, dst, src);
}

/// dst = the elements of src's lower half, twice as wide.
pub fn widen(t: *Translator, log: Log, dst: Xmm, src: Xmm, signed: bool) void {
    op38(t, @as(u8, if (signed) 0x20 else 0x30) + ([3]u8{ 0, 3, 5 })[log], dst, src);
}

/// dst = the elements of its lower or upper half and of src's in turn.
pub fn unpack(t: *Translator, log: Log, dst: Xmm, src: Xmm, upper: bool) void {
    op(t, (if (upper) [4]u8{ 0x68, 0x69, 0x6a, 0x6d } else [4]u8{ 0x60, 0x61, 0x62, 0x6c })[log], dst, src);
}

/// FPSR.QC is set unless x is zero. The host's flags are free.
pub fn saturatedWhere(t: *Translator, x: Xmm) void {
    t.a.sse38(0x17, x, .{ .mem = layout.cpuField("unsaturated") });
    saturated(t, .ne);
}

/// The same unless x is all ones.
pub fn saturatedUnless(t: *Translator, x: Xmm) void {
    t.a.sse38(0x17, x, .{ .mem = layout.cpuField("unsaturated") });
    saturated(t, .ae);
}

fn saturated(t: *Translator, cc: x64.Cc) void {
    const from = t.a.jcc(cc);
    t.addCold(from, .{ .saturated = .{ .back = t.a.at } });
}
