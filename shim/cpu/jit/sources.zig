//! Translation of data processing by its number of sources: shifts by a register, divisions, multiplications, counts and reversals of
//! bits. Each function is named after its class in `table_int.zig`; false: reserved.

const alu = @import("alu.zig");
const crc = @import("../crc.zig");
const fields = @import("../interp/fields.zig");
const host = @import("host.zig");
const x64 = @import("x64.zig");
const Translator = @import("translate.zig").Translator;

const Rm = x64.Rm;
const Size = x64.Size;
const bit = fields.bit;
const bits = fields.bits;
const rd = fields.rd;
const rn = fields.rn;
const rm = fields.rm;
const ra = fields.ra;
const r = alu.r;
const operand = alu.operand;
const sizeOf = alu.sizeOf;

pub fn two_source(t: *Translator, insn: u32) bool {
    const size = sizeOf(insn);
    const d = rd(insn);
    switch (bits(insn, 10, 6)) {
        2 => divide(t, insn, size, false),
        3 => divide(t, insn, size, true),
        8, 9, 10, 11 => |code| {
            const rotates = code == 11;
            if (host.features.bmi2 and !rotates) {
                const op: x64.Asm.ShiftX = switch (code) {
                    8 => .shl,
                    9 => .shr,
                    else => .sar,
                };
                const dst = t.target(d, .rax);
                const count = t.use(size, rm(insn), .rcx);
                const src: Rm = if (rn(insn) == 31) zero: {
                    t.a.movImm(.rax, 0);
                    break :zero r(.rax);
                } else t.gpr(rn(insn));
                t.a.shiftX(op, size, dst, src, count);
                t.put(d, dst);
                return true;
            }
            t.clobber();
            t.load(size, .rax, rn(insn));
            t.load(size, .rcx, rm(insn));
            t.a.shiftCl(alu.shifts[code - 8], size, r(.rax));
            t.put(d, .rax);
        },
        else => return false,
    }
    return true;
}

/// Division by zero gives 0; the least number divided by -1 gives itself.
fn divide(t: *Translator, insn: u32, size: Size, signed: bool) void {
    t.clobber();
    t.load(size, .rcx, rm(insn));
    t.load(size, .rax, rn(insn));
    t.a.@"test"(size, r(.rcx), .rcx);
    const by_zero = t.a.jcc(.e);
    var minus_one: ?x64.Fixup = null;
    if (signed) {
        t.a.aluImm(.cmp, size, r(.rcx), -1);
        minus_one = t.a.jcc(.e);
        t.a.signRdx(size);
    } else {
        t.a.movImm(.rdx, 0);
    }
    t.a.unary(if (signed) .idiv else .div, size, r(.rcx));
    const done = t.a.jmp();
    if (minus_one) |f| {
        t.a.linkHere(f);
        t.a.unary(.neg, size, r(.rax));
        const negated = t.a.jmp();
        t.a.linkHere(by_zero);
        t.a.movImm(.rax, 0);
        t.a.linkHere(negated);
    } else {
        t.a.linkHere(by_zero);
        t.a.movImm(.rax, 0);
    }
    t.a.linkHere(done);
    t.put(rd(insn), .rax);
}

pub fn one_source(t: *Translator, insn: u32) bool {
    const size = sizeOf(insn);
    t.clobber();
    t.load(size, .rax, rn(insn));
    switch (bits(insn, 10, 6)) {
        0 => reverseBits(t, size),
        1 => swapParts(t, size, 8, 0x00ff00ff00ff00ff),
        2 => {
            t.a.bswap(size, .rax);
            if (size == .q) t.a.shiftImm(.ror, .q, r(.rax), 32);
        },
        3 => t.a.bswap(.q, .rax),
        4 => leadingZeros(t, size),
        5 => {
            // As many as the bits below the top one that equal it.
            t.a.movRegs(.q, .rcx, .rax);
            t.a.shiftImm(.sar, size, r(.rcx), 1);
            t.a.alu(.xor, size, .rax, r(.rcx));
            leadingZeros(t, size);
            t.a.lea(.d, .rax, .{ .base = .rax, .disp = -1 });
        },
        else => return false,
    }
    t.put(rd(insn), .rax);
    return true;
}

fn leadingZeros(t: *Translator, size: Size) void {
    if (host.features.lzcnt) return t.a.lzcnt(size, .rax, r(.rax));
    const width: i32 = if (size == .q) 64 else 32;
    // bsr leaves its result undefined for 0.
    t.a.movImm(.rcx, @intCast(2 * width - 1));
    t.a.bsr(size, .rax, r(.rax));
    t.a.cmov(.e, .d, .rax, r(.rcx));
    t.a.aluImm(.xor, .d, r(.rax), width - 1);
}

/// Swaps neighbouring groups of `amount` bits of rax; the mask has the lower ones.
fn swapParts(t: *Translator, size: Size, amount: u6, mask: u64) void {
    t.a.movImm(.rdx, if (size == .q) mask else mask & 0xffffffff);
    t.a.movRegs(.q, .rcx, .rax);
    t.a.shiftImm(.shr, size, r(.rcx), amount);
    t.a.alu(.@"and", size, .rcx, r(.rdx));
    t.a.alu(.@"and", size, .rax, r(.rdx));
    t.a.shiftImm(.shl, size, r(.rax), amount);
    t.a.alu(.@"or", size, .rax, r(.rcx));
}

fn reverseBits(t: *Translator, size: Size) void {
    t.a.bswap(size, .rax);
    swapParts(t, size, 4, 0x0f0f0f0f0f0f0f0f);
    swapParts(t, size, 2, 0x3333333333333333);
    swapParts(t, size, 1, 0x5555555555555555);
}

pub fn three_source(t: *Translator, insn: u32) bool {
    const size = sizeOf(insn);
    const subtract = bit(insn, 15);
    const n = rn(insn);
    const m = rm(insn);
    t.clobber();
    const kind = bits(insn, 21, 3);
    switch (kind) {
        0 => {
            if (ra(insn) == 31 and !subtract) {
                multiply(t, size, rd(insn), n, m);
                return true;
            }
            t.load(size, .rax, n);
            t.a.imul(size, .rax, operand(t, m));
        },
        1, 5 => {
            const option: u32 = if (kind == 1) 6 else 2;
            alu.extendRegister(t, n, option, .rax);
            alu.extendRegister(t, m, option, .rcx);
            t.a.imul(.q, .rax, r(.rcx));
        },
        2, 6 => {
            t.load(.q, .rax, n);
            t.a.unary(if (kind == 2) .imul else .mul, .q, operand(t, m));
            t.put(rd(insn), .rdx);
            return true;
        },
        else => return false,
    }
    accumulate(t, if (kind == 0) size else .q, rd(insn), ra(insn), subtract);
    return true;
}

/// d = n * m
fn multiply(t: *Translator, size: Size, d: u32, n: u32, m: u32) void {
    const dst = t.target(d, .rax);
    const swapped = d == m;
    t.start(size, dst, if (swapped) m else n);
    t.a.imul(size, dst, operand(t, if (swapped) n else m));
    t.put(d, dst);
}

/// d = a + rax or a - rax
fn accumulate(t: *Translator, size: Size, d: u32, a: u32, subtract: bool) void {
    if (a == 31) {
        if (subtract) t.a.unary(.neg, size, r(.rax));
        return t.put(d, .rax);
    }
    const dst = t.target(d, .rcx);
    if (d == a or subtract) {
        t.start(size, dst, a);
        t.a.alu(if (subtract) .sub else .add, size, dst, r(.rax));
        t.put(d, dst);
    } else {
        t.a.alu(.add, size, .rax, t.gpr(a));
        t.put(d, .rax);
    }
}

/// The host has the sums of one polynomial. Those of the other are looked up, all bytes at once (`crc.zig`).
pub fn crc32(t: *Translator, insn: u32) bool {
    const a = &t.a;
    const scale: u2 = @intCast(bits(insn, 10, 2));
    const size: Size = @enumFromInt(scale);
    if (bit(insn, 12)) {
        t.load(.d, .rax, rn(insn));
        a.crc32c(size, .rax, t.use(.q, rm(insn), .rcx));
        t.put(rd(insn), .rax);
        return true;
    }
    const bytes = @as(u6, 1) << scale;
    t.clobber();
    t.load(.d, .rax, rn(insn));
    if (bytes < 4) {
        a.movRegs(.d, .rdx, .rax);
        a.shiftImm(.shr, .d, r(.rdx), 8 * bytes);
    } else {
        a.movImm(.rdx, 0);
    }
    a.alu(.xor, .q, .rax, r(t.use(.q, rm(insn), .rcx)));
    a.push(.r11);
    a.movImm(.r11, @intFromPtr(&crc.ieee));
    for (0..bytes) |i| {
        if (i != 0) a.shiftImm(.shr, .q, r(.rax), 8);
        a.movzx(.b, .rcx, r(.rax));
        a.alu(.xor, .d, .rdx, .{ .mem = .{ .base = .r11, .index = .rcx, .scale = 2, .disp = @intCast((bytes - 1 - i) * @sizeOf([256]u32)) } });
    }
    a.pop(.r11);
    t.put(rd(insn), .rdx);
    return true;
}
