//! Encodes x86-64 instructions (Intel SDM volume 2; AMD64 APM volume 3) into the code arena. Knows nothing of guests.
//!
//! Bytes are written through one mapping and run from another, so nothing here is absolute but what the caller passes in.

const std = @import("std");

pub const Reg = enum(u4) { rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15 };
pub const Xmm = enum(u4) { xmm0, xmm1, xmm2, xmm3, xmm4, xmm5, xmm6, xmm7, xmm8, xmm9, xmm10, xmm11, xmm12, xmm13, xmm14, xmm15 };

/// Without a base, or where it says so: relative to the gs segment. A base alone encodes shorter than an index.
/// `guest`: memory of the guest, which may fault.
pub const Mem = struct { base: ?Reg, index: ?Reg = null, scale: u2 = 0, disp: i32 = 0, gs: bool = false, guest: bool = false };
/// A register or memory operand.
pub const Rm = union(enum) { reg: Reg, mem: Mem };

pub const Size = enum { b, w, d, q };

/// Number in the opcodes of the eight classic operations.
pub const Alu = enum(u3) { add, @"or", adc, sbb, @"and", sub, xor, cmp };
pub const Shift = enum(u3) { rol, ror, rcl, rcr, shl, shr, sal, sar };

pub const Cc = enum(u4) {
    o,
    no,
    b,
    ae,
    e,
    ne,
    be,
    a,
    s,
    ns,
    p,
    np,
    l,
    ge,
    le,
    g,

    pub fn not(cc: Cc) Cc {
        return @enumFromInt(@intFromEnum(cc) ^ 1);
    }
};

/// A branch whose target is not known yet: where its rel32 is.
pub const Fixup = struct { at: u32 };

/// Prefix of an SSE instruction: none, 66, F3, F2.
pub const Prefix = enum(u8) { none = 0, p66 = 0x66, f3 = 0xf3, f2 = 0xf2 };

/// Instructions of 1, 2, ... bytes that do nothing.
const nops = [_][]const u8{
    &.{0x90},
    &.{ 0x66, 0x90 },
    &.{ 0x0f, 0x1f, 0x00 },
    &.{ 0x0f, 0x1f, 0x40, 0x00 },
    &.{ 0x0f, 0x1f, 0x44, 0x00, 0x00 },
    &.{ 0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00 },
    &.{ 0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00 },
};

pub const Asm = struct {
    /// The whole arena as it is written.
    base: [*]u8,
    /// Offset of the next byte.
    at: u32,
    /// Where instructions begin that access memory of the guest.
    guests: [4]u32 = undefined,
    guest_count: u32 = 0,
    /// Where the last lock prefix is.
    lock_at: u32 = 0,

    fn byte(a: *Asm, value: u8) void {
        a.base[a.at] = value;
        a.at += 1;
    }

    fn word32(a: *Asm, value: u32) void {
        std.mem.writeInt(u32, a.base[a.at..][0..4], value, .little);
        a.at += 4;
    }

    fn imm32(a: *Asm, value: i32) void {
        a.word32(@bitCast(value));
    }

    /// The segment prefix, which comes before all others.
    fn segment(a: *Asm, rm: Rm) void {
        if (rm == .mem and rm.mem.guest) {
            a.guests[a.guest_count] = if (a.lock_at + 1 == a.at) a.lock_at else a.at;
            a.guest_count += 1;
        }
        if (rm == .mem and (rm.mem.base == null or rm.mem.gs)) a.byte(0x65);
    }

    fn low(r: u4) u8 {
        return r & 7;
    }

    /// REX for `reg` (the reg field) and `rm`. `bytes`: the operands are byte registers, of which sil and so on need one.
    fn rex(a: *Asm, wide: bool, reg: u4, rm: Rm, bytes: bool) void {
        var value: u8 = if (wide) 8 else 0;
        value |= (reg >> 3) << 2;
        var force = bytes and reg >= 4;
        switch (rm) {
            .reg => |r| {
                value |= @as(u8, @intFromEnum(r)) >> 3;
                force = force or bytes and @intFromEnum(r) >= 4;
            },
            .mem => |m| {
                if (m.base) |b| value |= @as(u8, @intFromEnum(b)) >> 3;
                if (m.index) |i| value |= (@as(u8, @intFromEnum(i)) >> 3) << 1;
            },
        }
        if (value != 0 or force) a.byte(0x40 | value);
    }

    /// ModRM, SIB and displacement.
    fn modrm(a: *Asm, reg: u4, rm: Rm) void {
        switch (rm) {
            .reg => |r| a.byte(0xc0 | low(reg) << 3 | low(@intFromEnum(r))),
            .mem => |m| {
                const base = low(@intFromEnum(m.base orelse {
                    const i: u8 = if (m.index) |x| low(@intFromEnum(x)) else 4;
                    a.byte(low(reg) << 3 | 4);
                    a.byte(@as(u8, m.scale) << 6 | i << 3 | 5);
                    return a.imm32(m.disp);
                }));
                const short = m.disp >= -128 and m.disp <= 127;
                const mode: u8 = if (m.disp == 0 and base != 5) 0 else if (short) 0x40 else 0x80;
                if (m.index) |i| {
                    a.byte(mode | low(reg) << 3 | 4);
                    a.byte(@as(u8, m.scale) << 6 | low(@intFromEnum(i)) << 3 | base);
                } else {
                    a.byte(mode | low(reg) << 3 | base);
                    if (base == 4) a.byte(0x24);
                }
                if (mode == 0x40) a.byte(@bitCast(@as(i8, @intCast(m.disp)))) else if (mode == 0x80) a.imm32(m.disp);
            },
        }
    }

    /// An instruction with an opcode whose byte form is one less.
    fn general(a: *Asm, opcode: u8, size: Size, reg: u4, rm: Rm) void {
        a.segment(rm);
        if (size == .w) a.byte(0x66);
        a.rex(size == .q, reg, rm, size == .b);
        a.byte(if (size == .b) opcode - 1 else opcode);
        a.modrm(reg, rm);
    }

    fn number(r: Reg) u4 {
        return @intFromEnum(r);
    }

    /// dst = dst op src
    pub fn alu(a: *Asm, op: Alu, size: Size, dst: Reg, src: Rm) void {
        a.general(@as(u8, @intFromEnum(op)) << 3 | 3, size, number(dst), src);
    }

    pub fn aluTo(a: *Asm, op: Alu, size: Size, dst: Rm, src: Reg) void {
        a.general(@as(u8, @intFromEnum(op)) << 3 | 1, size, number(src), dst);
    }

    pub fn aluImm(a: *Asm, op: Alu, size: Size, dst: Rm, value: i32) void {
        const n: u4 = @intFromEnum(op);
        if (size == .b) {
            a.general(0x81, .b, n, dst);
            a.byte(@truncate(@as(u32, @bitCast(value))));
        } else if (value >= -128 and value <= 127) {
            a.segment(dst);
            if (size == .w) a.byte(0x66);
            a.rex(size == .q, n, dst, false);
            a.byte(0x83);
            a.modrm(n, dst);
            a.byte(@bitCast(@as(i8, @intCast(value))));
        } else {
            std.debug.assert(size != .w);
            a.general(0x81, size, n, dst);
            a.imm32(value);
        }
    }

    /// Compares a 32-bit word; the constant is always the last four bytes.
    pub fn cmpImm32(a: *Asm, x: Mem, value: u32) void {
        a.general(0x81, .d, @intFromEnum(Alu.cmp), .{ .mem = x });
        a.word32(value);
    }

    /// Does nothing up to offset `to`, in as few instructions as can be.
    pub fn pad(a: *Asm, to: u32) void {
        while (a.at < to) {
            const nop = nops[@min(to - a.at, nops.len) - 1];
            for (nop) |b| a.byte(b);
        }
    }

    pub fn mov(a: *Asm, size: Size, dst: Reg, src: Rm) void {
        a.general(0x8b, size, number(dst), src);
    }

    pub fn movRegs(a: *Asm, size: Size, dst: Reg, src: Reg) void {
        if (dst != src or size != .q) a.mov(size, dst, .{ .reg = src });
    }

    pub fn store(a: *Asm, size: Size, dst: Rm, src: Reg) void {
        a.general(0x89, size, number(src), dst);
    }

    /// The shortest way to the constant that leaves the flags alone.
    pub fn movImm(a: *Asm, dst: Reg, value: u64) void {
        const r: Rm = .{ .reg = dst };
        if (value <= 0xffff_ffff) {
            a.rex(false, 0, r, false);
            a.byte(0xb8 | low(number(dst)));
            a.word32(@truncate(value));
        } else if (value >= 0xffff_ffff_8000_0000) {
            a.rex(true, 0, r, false);
            a.byte(0xc7);
            a.modrm(0, r);
            a.word32(@truncate(value));
        } else {
            a.movImm64(dst, value);
        }
    }

    /// The longest way to the constant, which is the last eight bytes.
    pub fn movImm64(a: *Asm, dst: Reg, value: u64) void {
        a.rex(true, 0, .{ .reg = dst }, false);
        a.byte(0xb8 | low(number(dst)));
        a.word32(@truncate(value));
        a.word32(@truncate(value >> 32));
    }

    /// Stores a sign-extended constant.
    pub fn storeImm(a: *Asm, size: Size, dst: Mem, value: i32) void {
        std.debug.assert(size == .d or size == .q);
        a.general(0xc7, size, 0, .{ .mem = dst });
        a.imm32(value);
    }

    /// Zero-extends src (a byte or a word) to 64 bits.
    pub fn movzx(a: *Asm, from: Size, dst: Reg, src: Rm) void {
        if (from == .d) return a.mov(.d, dst, src);
        a.segment(src);
        a.rex(false, number(dst), src, from == .b);
        a.byte(0x0f);
        a.byte(if (from == .b) 0xb6 else 0xb7);
        a.modrm(number(dst), src);
    }

    /// Sign-extends src to 32 or 64 bits.
    pub fn movsx(a: *Asm, to: Size, from: Size, dst: Reg, src: Rm) void {
        a.segment(src);
        a.rex(to == .q, number(dst), src, from == .b);
        if (from == .d) {
            a.byte(0x63);
        } else {
            a.byte(0x0f);
            a.byte(if (from == .b) 0xbe else 0xbf);
        }
        a.modrm(number(dst), src);
    }

    pub fn lea(a: *Asm, size: Size, dst: Reg, src: Mem) void {
        a.general(0x8d, size, number(dst), .{ .mem = src });
    }

    pub fn shiftImm(a: *Asm, op: Shift, size: Size, dst: Rm, count: u6) void {
        a.general(0xc1, size, @intFromEnum(op), dst);
        a.byte(count);
    }

    /// By cl.
    pub fn shiftCl(a: *Asm, op: Shift, size: Size, dst: Rm) void {
        a.general(0xd3, size, @intFromEnum(op), dst);
    }

    pub const ShiftX = enum(u2) { shl = 1, sar = 2, shr = 3 };

    /// BMI2: dst = src shifted by count; flags stay.
    pub fn shiftX(a: *Asm, op: ShiftX, size: Size, dst: Reg, src: Rm, count: Reg) void {
        a.vex(@enumFromInt(@intFromEnum(op)), 2, size == .q, number(dst), number(count), src, 0xf7);
    }

    /// BMI2: dst = src rotated right; flags stay.
    pub fn rorx(a: *Asm, size: Size, dst: Reg, src: Rm, count: u6) void {
        a.vex(@enumFromInt(3), 3, size == .q, number(dst), 0, src, 0xf0);
        a.byte(count);
    }

    const VexPrefix = enum(u2) { none, p66, f3, f2 };

    /// Three-byte VEX, 128 bits.
    fn vex(a: *Asm, prefix: VexPrefix, map: u8, wide: bool, reg: u4, second: u4, rm: Rm, opcode: u8) void {
        a.segment(rm);
        var extension: u8 = 0xe0;
        if (reg >= 8) extension ^= 0x80;
        switch (rm) {
            .reg => |r| if (number(r) >= 8) {
                extension ^= 0x20;
            },
            .mem => |m| {
                if (m.base) |b| if (number(b) >= 8) {
                    extension ^= 0x20;
                };
                if (m.index) |i| if (number(i) >= 8) {
                    extension ^= 0x40;
                };
            },
        }
        a.byte(0xc4);
        a.byte(extension | map);
        a.byte((if (wide) @as(u8, 0x80) else 0) | (~@as(u8, second) & 15) << 3 | @intFromEnum(prefix));
        a.byte(opcode);
        a.modrm(reg, rm);
    }

    fn two(a: *Asm, size: Size, opcode: u8, reg: u4, rm: Rm) void {
        a.segment(rm);
        if (size == .w) a.byte(0x66);
        a.rex(size == .q, reg, rm, false);
        a.byte(0x0f);
        a.byte(opcode);
        a.modrm(reg, rm);
    }

    pub fn imul(a: *Asm, size: Size, dst: Reg, src: Rm) void {
        a.two(size, 0xaf, number(dst), src);
    }

    /// The instructions of opcode F7 on one operand.
    pub const Unary = enum(u3) { not = 2, neg = 3, mul = 4, imul = 5, div = 6, idiv = 7 };

    pub fn unary(a: *Asm, op: Unary, size: Size, rm: Rm) void {
        a.general(0xf7, size, @intFromEnum(op), rm);
    }

    /// cdq, cqo
    pub fn signRdx(a: *Asm, size: Size) void {
        if (size == .q) a.byte(0x48);
        a.byte(0x99);
    }

    pub fn @"test"(a: *Asm, size: Size, x: Rm, y: Reg) void {
        a.general(0x85, size, number(y), x);
    }

    pub fn testImm(a: *Asm, size: Size, x: Rm, value: i32) void {
        a.general(0xf7, size, 0, x);
        if (size == .b) a.byte(@truncate(@as(u32, @bitCast(value)))) else a.imm32(value);
    }

    /// bt x, bit
    pub fn bitTest(a: *Asm, size: Size, x: Rm, bit: u6) void {
        a.two(size, 0xba, 4, x);
        a.byte(bit);
    }

    pub fn cmov(a: *Asm, cc: Cc, size: Size, dst: Reg, src: Rm) void {
        a.two(size, 0x40 | @as(u8, @intFromEnum(cc)), number(dst), src);
    }

    pub fn setcc(a: *Asm, cc: Cc, dst: Rm) void {
        a.segment(dst);
        a.rex(false, 0, dst, true);
        a.byte(0x0f);
        a.byte(0x90 | @as(u8, @intFromEnum(cc)));
        a.modrm(0, dst);
    }

    pub fn bswap(a: *Asm, size: Size, dst: Reg) void {
        a.rex(size == .q, 0, .{ .reg = dst }, false);
        a.byte(0x0f);
        a.byte(0xc8 | low(number(dst)));
    }

    pub fn bsr(a: *Asm, size: Size, dst: Reg, src: Rm) void {
        a.two(size, 0xbd, number(dst), src);
    }

    pub fn lzcnt(a: *Asm, size: Size, dst: Reg, src: Rm) void {
        a.byte(0xf3);
        a.two(size, 0xbd, number(dst), src);
    }

    /// dst = the CRC-32C of src from dst on.
    pub fn crc32c(a: *Asm, size: Size, dst: Reg, src: Reg) void {
        const rm: Rm = .{ .reg = src };
        if (size == .w) a.byte(0x66);
        a.byte(0xf2);
        a.rex(size == .q, number(dst), rm, size == .b);
        a.byte(0x0f);
        a.byte(0x38);
        a.byte(if (size == .b) 0xf0 else 0xf1);
        a.modrm(number(dst), rm);
    }

    pub fn shrd(a: *Asm, size: Size, dst: Rm, src: Reg, count: u6) void {
        a.two(size, 0xac, number(src), dst);
        a.byte(count);
    }

    pub fn xchg(a: *Asm, size: Size, dst: Mem, src: Reg) void {
        a.general(0x87, size, number(src), .{ .mem = dst });
    }

    pub fn lockOp(a: *Asm) void {
        a.lock_at = a.at;
        a.byte(0xf0);
    }

    pub fn xadd(a: *Asm, size: Size, dst: Mem, src: Reg) void {
        a.segment(.{ .mem = dst });
        if (size == .w) a.byte(0x66);
        a.rex(size == .q, number(src), .{ .mem = dst }, size == .b);
        a.byte(0x0f);
        a.byte(if (size == .b) 0xc0 else 0xc1);
        a.modrm(number(src), .{ .mem = dst });
    }

    pub fn cmpxchg(a: *Asm, size: Size, dst: Mem, src: Reg) void {
        a.segment(.{ .mem = dst });
        if (size == .w) a.byte(0x66);
        a.rex(size == .q, number(src), .{ .mem = dst }, size == .b);
        a.byte(0x0f);
        a.byte(if (size == .b) 0xb0 else 0xb1);
        a.modrm(number(src), .{ .mem = dst });
    }

    pub fn lahf(a: *Asm) void {
        a.byte(0x9f);
    }
    pub fn sahf(a: *Asm) void {
        a.byte(0x9e);
    }
    pub fn cmc(a: *Asm) void {
        a.byte(0xf5);
    }
    pub fn stc(a: *Asm) void {
        a.byte(0xf9);
    }
    pub fn ret(a: *Asm) void {
        a.byte(0xc3);
    }
    pub fn trap(a: *Asm) void {
        a.byte(0x0f);
        a.byte(0x0b);
    }

    pub fn push(a: *Asm, r: Reg) void {
        a.rex(false, 0, .{ .reg = r }, false);
        a.byte(0x50 | low(number(r)));
    }
    pub fn pop(a: *Asm, r: Reg) void {
        a.rex(false, 0, .{ .reg = r }, false);
        a.byte(0x58 | low(number(r)));
    }

    pub fn jmpTo(a: *Asm, target: u32) void {
        const f = a.jmp();
        a.link(f, target);
    }
    pub fn jccTo(a: *Asm, cc: Cc, target: u32) void {
        const f = a.jcc(cc);
        a.link(f, target);
    }
    pub fn callTo(a: *Asm, target: u32) void {
        a.byte(0xe8);
        a.imm32(@bitCast(target -% (a.at + 4)));
    }

    pub fn jmp(a: *Asm) Fixup {
        a.byte(0xe9);
        a.word32(0);
        return .{ .at = a.at - 4 };
    }
    pub fn jcc(a: *Asm, cc: Cc) Fixup {
        a.byte(0x0f);
        a.byte(0x80 | @as(u8, @intFromEnum(cc)));
        a.word32(0);
        return .{ .at = a.at - 4 };
    }

    pub fn call(a: *Asm) Fixup {
        a.byte(0xe8);
        a.word32(0);
        return .{ .at = a.at - 4 };
    }

    /// Lets the branch lead to offset `target`.
    pub fn link(a: *Asm, f: Fixup, target: u32) void {
        std.mem.writeInt(u32, a.base[f.at..][0..4], target -% (f.at + 4), .little);
    }
    pub fn linkHere(a: *Asm, f: Fixup) void {
        a.link(f, a.at);
    }

    pub fn jmpRm(a: *Asm, target: Rm) void {
        a.segment(target);
        a.rex(false, 4, target, false);
        a.byte(0xff);
        a.modrm(4, target);
    }
    pub fn callRm(a: *Asm, target: Rm) void {
        a.segment(target);
        a.rex(false, 2, target, false);
        a.byte(0xff);
        a.modrm(2, target);
    }

    fn vecRm(x: Xmm) Rm {
        return .{ .reg = @enumFromInt(@intFromEnum(x)) };
    }

    /// [prefix] REX 0F opcode, reg field an xmm register. `wide` sets REX.W.
    pub fn sse(a: *Asm, prefix: Prefix, opcode: u8, reg: Xmm, rm: XmmRm) void {
        a.sseWide(prefix, false, opcode, @intFromEnum(reg), rm.toRm());
    }

    fn sseWide(a: *Asm, prefix: Prefix, wide: bool, opcode: u8, reg: u4, rm: Rm) void {
        a.segment(rm);
        if (prefix != .none) a.byte(@intFromEnum(prefix));
        a.rex(wide, reg, rm, false);
        a.byte(0x0f);
        a.byte(opcode);
        a.modrm(reg, rm);
    }

    /// [prefix] 0F map opcode
    pub fn sseMap(a: *Asm, prefix: Prefix, map: u8, opcode: u8, reg: Xmm, rm: XmmRm) void {
        a.segment(rm.toRm());
        if (prefix != .none) a.byte(@intFromEnum(prefix));
        a.rex(false, @intFromEnum(reg), rm.toRm(), false);
        a.byte(0x0f);
        a.byte(map);
        a.byte(opcode);
        a.modrm(@intFromEnum(reg), rm.toRm());
    }

    /// 66 0F 38 opcode
    pub fn sse38(a: *Asm, opcode: u8, reg: Xmm, rm: XmmRm) void {
        a.sseMap(.p66, 0x38, opcode, reg, rm);
    }

    /// 66 0F 3A opcode imm8
    pub fn sse3a(a: *Asm, opcode: u8, reg: Xmm, rm: XmmRm, immediate: u8) void {
        a.sseMap(.p66, 0x3a, opcode, reg, rm);
        a.byte(immediate);
    }

    /// 66 [REX.W] 0F 3A opcode imm8 between an xmm register and a general one.
    pub fn sse3aGeneral(a: *Asm, size: Size, opcode: u8, reg: u4, rm: Reg, immediate: u8) void {
        a.byte(0x66);
        a.rex(size == .q, reg, .{ .reg = rm }, false);
        a.byte(0x0f);
        a.byte(0x3a);
        a.byte(opcode);
        a.modrm(reg, .{ .reg = rm });
        a.byte(immediate);
    }

    /// An SSE instruction between an xmm and a general register (movd, cvtsi2sd, cvttsd2si, …).
    pub fn sseGeneral(a: *Asm, prefix: Prefix, size: Size, opcode: u8, reg: u4, rm: Rm) void {
        a.sseWide(prefix, size == .q, opcode, reg, rm);
    }

    /// VEX.128 three-operand: reg = second op rm.
    pub fn avx(a: *Asm, prefix: Prefix, map: u8, wide: bool, opcode: u8, reg: Xmm, second: Xmm, rm: XmmRm) void {
        const p: VexPrefix = switch (prefix) {
            .none => .none,
            .p66 => .p66,
            .f3 => .f3,
            .f2 => .f2,
        };
        a.vex(p, map, wide, @intFromEnum(reg), @intFromEnum(second), rm.toRm(), opcode);
    }

    pub fn imm8(a: *Asm, value: u8) void {
        a.byte(value);
    }
};

pub const XmmRm = union(enum) {
    xmm: Xmm,
    mem: Mem,

    fn toRm(x: XmmRm) Rm {
        return switch (x) {
            .xmm => |r| .{ .reg = @enumFromInt(@intFromEnum(r)) },
            .mem => |m| .{ .mem = m },
        };
    }
};
