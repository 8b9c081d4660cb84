//! Translation of integer data processing. Each function is named after its class in `table_int.zig`; false: reserved.

const fields = @import("../interp/fields.zig");
const flat = @import("flat.zig");
const flags = @import("flags.zig");
const host = @import("host.zig");
const layout = @import("layout.zig");
const memory = @import("memory.zig");
const x64 = @import("x64.zig");
const Translator = @import("translate.zig").Translator;

const Reg = x64.Reg;
const Rm = x64.Rm;
const Size = x64.Size;
const bit = fields.bit;
const bits = fields.bits;
const rd = fields.rd;
const rn = fields.rn;
const rm = fields.rm;

pub fn sizeOf(insn: u32) Size {
    return if (bit(insn, 31)) .q else .d;
}

pub fn r(reg: Reg) Rm {
    return .{ .reg = reg };
}

pub fn adr(t: *Translator, insn: u32) bool {
    const imm = fields.signed(insn, 5, 19) << 2 | @as(i64, bits(insn, 29, 2));
    const base = if (bit(insn, 31)) t.pc & ~@as(u64, 0xfff) else t.pc;
    const offset: u64 = @bitCast(if (bit(insn, 31)) imm << 12 else imm);
    t.putImm(rd(insn), base +% offset);
    return true;
}

pub fn add_sub_imm(t: *Translator, insn: u32) bool {
    const size = sizeOf(insn);
    const subtract = bit(insn, 30);
    const imm: i32 = @intCast(bits(insn, 10, 12) << (if (bit(insn, 22)) 12 else 0));
    const n = rn(insn);
    const d = rd(insn);
    if (!bit(insn, 29)) {
        if (t.constants[n]) |value| if (size == .q and d != layout.sp) {
            t.putImm(d, if (subtract) value -% @as(u64, @intCast(imm)) else value +% @as(u64, @intCast(imm)));
            return true;
        };
        if (d == n and size == .q and t.hostOf(n) == null and t.flagsFree()) {
            t.clobber();
            memory.writeBack(t, n, if (subtract) -imm else imm);
            return true;
        }
        const checked = t.sp_checked;
        const drift = t.drift[n];
        const src = t.useAloneSp(size, n, .rax);
        const dst = if (imm == 0 and size == .q) src else t.targetSp(d, .rax);
        if (imm != 0 or size == .d) t.a.lea(size, dst, .{ .base = src, .disp = if (subtract) -imm else imm });
        t.putSp(d, dst);
        if (size == .q) flat.moved(t, d, drift, imm);
        // sp stays as aligned as it was.
        if (d == layout.sp and n == layout.sp and size == .q and imm & 15 == 0) t.sp_checked = checked;
        return true;
    }
    if (subtract and d == 31) {
        if (t.postpone(insn)) return true;
        t.a.aluImm(.cmp, size, t.operandNow(n), imm);
    } else {
        const dst = t.target(d, .rax);
        t.startSp(size, dst, n);
        t.a.aluImm(if (subtract) .sub else .add, size, r(dst), imm);
        t.put(d, dst);
    }
    t.setFlags(if (subtract) .inverted else .direct);
    return true;
}

const logical_ops = [4]x64.Alu{ .@"and", .@"or", .xor, .@"and" };

pub fn logical_imm(t: *Translator, insn: u32) bool {
    const size = sizeOf(insn);
    if (size == .d and bit(insn, 22)) return false;
    const masks = fields.bitMasks(bits(insn, 22, 1), bits(insn, 10, 6), bits(insn, 16, 6), true) orelse return false;
    const opc = bits(insn, 29, 2);
    const value = if (size == .q) masks.wmask else masks.wmask & 0xffffffff;
    const n = rn(insn);
    const d = rd(insn);
    const sets = opc == 3;
    if (opc == 1 and n == 31 and d != 31) {
        t.putImm(d, value);
        return true;
    }
    if (!sets) t.clobber();
    // ANDS to nowhere and the others to sp.
    const dst = if (sets) t.target(d, .rax) else t.targetSp(d, .rax);
    t.start(size, dst, n);
    const small: i32 = if (size == .q) @truncate(@as(i64, @bitCast(value))) else @bitCast(@as(u32, @truncate(value)));
    if (size == .d or small == @as(i64, @bitCast(value))) {
        t.a.aluImm(logical_ops[opc], size, r(dst), small);
    } else {
        t.a.movImm(.rcx, value);
        t.a.alu(logical_ops[opc], size, dst, r(.rcx));
    }
    if (sets) {
        t.put(d, dst);
        t.setFlags(.direct);
    } else {
        t.putSp(d, dst);
    }
    return true;
}

pub fn move_wide(t: *Translator, insn: u32) bool {
    const wide = bit(insn, 31);
    const amount: u6 = @intCast(bits(insn, 21, 2) * 16);
    if (!wide and amount >= 32) return false;
    const shifted = @as(u64, bits(insn, 5, 16)) << amount;
    const mask: u64 = if (wide) ~@as(u64, 0) else 0xffffffff;
    const d = rd(insn);
    switch (bits(insn, 29, 2)) {
        0 => t.putImm(d, ~shifted & mask),
        2 => t.putImm(d, shifted),
        else => {
            if (d == 31) return true;
            t.clobber();
            const dst = t.target(d, .rax);
            t.start(if (wide) .q else .d, dst, d);
            const hole = ~(@as(u64, 0xffff) << amount) & mask;
            const small: i32 = @truncate(@as(i64, @bitCast(hole)));
            if (!wide) {
                t.a.aluImm(.@"and", .d, r(dst), @bitCast(@as(u32, @truncate(hole))));
            } else if (small == @as(i64, @bitCast(hole))) {
                t.a.aluImm(.@"and", .q, r(dst), small);
            } else {
                t.a.movImm(.rcx, hole);
                t.a.alu(.@"and", .q, dst, r(.rcx));
            }
            if (shifted <= 0x7fffffff or !wide) {
                t.a.aluImm(.@"or", if (wide) .q else .d, r(dst), @bitCast(@as(u32, @truncate(shifted))));
            } else {
                t.a.movImm(.rcx, shifted);
                t.a.alu(.@"or", .q, dst, r(.rcx));
            }
            t.put(d, dst);
        },
    }
    return true;
}

pub fn bitfield(t: *Translator, insn: u32) bool {
    const wide = bit(insn, 31);
    const size = sizeOf(insn);
    const width: u32 = if (wide) 64 else 32;
    const immr = bits(insn, 16, 6);
    const imms = bits(insn, 10, 6);
    if (bit(insn, 22) != wide) return false;
    if (!wide and (immr >= 32 or imms >= 32)) return false;
    const n = rn(insn);
    const d = rd(insn);
    const opc = bits(insn, 29, 2);
    if (opc == 3) return false;
    // The field is moved to the top, then to its place.
    const left: u6 = @intCast(width - 1 - imms);
    const right: u6 = @intCast(if (imms >= immr) left + immr else left + immr - width);
    if (opc == 1) return insertField(t, insn, size);
    const dst = t.target(d, .rax);
    const from: ?Size = if (immr != 0) null else switch (imms) {
        7 => .b,
        15 => .w,
        31 => if (wide) .d else null,
        else => null,
    };
    if (from) |part| {
        const src = t.useAlone(size, n, .rax);
        if (opc == 0) t.a.movsx(size, part, dst, r(src)) else t.a.movzx(part, dst, r(src));
        t.put(d, dst);
        return true;
    }
    if (n != 31 and right == 0 and left == 1) {
        const src = t.useAlone(size, n, .rax);
        t.a.lea(size, dst, .{ .base = src, .index = src });
        t.put(d, dst);
        return true;
    }
    if (host.features.bmi2 and t.clobberSaves()) {
        // These leave NZCV where it is.
        t.load(size, .rax, n);
        if (left != 0) shiftX(t, .shl, size, left);
        if (right != 0) shiftX(t, if (opc == 0) .sar else .shr, size, right);
        t.put(d, .rax);
        return true;
    }
    t.clobber();
    t.load(size, dst, n);
    if (left != 0) t.a.shiftImm(.shl, size, r(dst), left);
    if (right != 0) t.a.shiftImm(if (opc == 0) .sar else .shr, size, r(dst), right);
    t.put(d, dst);
    return true;
}

/// Shifts rax. Uses rcx.
fn shiftX(t: *Translator, op: x64.Asm.ShiftX, size: Size, amount: u6) void {
    t.a.movImm(.rcx, amount);
    t.a.shiftX(op, size, .rax, r(.rax), .rcx);
}

/// BFM.
fn insertField(t: *Translator, insn: u32, size: Size) bool {
    const masks = fields.bitMasks(bits(insn, 22, 1), bits(insn, 10, 6), bits(insn, 16, 6), false).?;
    const mask = masks.wmask & masks.tmask & (if (size == .q) ~@as(u64, 0) else 0xffffffff);
    const d = rd(insn);
    t.clobber();
    t.load(size, .rax, rn(insn));
    t.a.shiftImm(.ror, size, r(.rax), @intCast(bits(insn, 16, 6)));
    // (field ^ old) & mask ^ old
    const old = t.use(size, d, .rcx);
    t.a.alu(.xor, size, .rax, r(old));
    const small: i32 = @truncate(@as(i64, @bitCast(mask)));
    if (size == .d or small == @as(i64, @bitCast(mask))) {
        t.a.aluImm(.@"and", size, r(.rax), @bitCast(@as(u32, @truncate(mask))));
    } else {
        t.a.movImm(.rdx, mask);
        t.a.alu(.@"and", size, .rax, r(.rdx));
    }
    t.a.alu(.xor, size, .rax, r(old));
    t.put(d, .rax);
    return true;
}

pub fn extract(t: *Translator, insn: u32) bool {
    const wide = bit(insn, 31);
    const size = sizeOf(insn);
    const lsb: u6 = @intCast(bits(insn, 10, 6));
    if (bit(insn, 22) != wide or (!wide and lsb >= 32)) return false;
    t.clobber();
    t.load(size, .rax, rm(insn));
    if (lsb != 0) {
        if (rn(insn) == rm(insn)) {
            t.a.shiftImm(.ror, size, r(.rax), lsb);
        } else {
            t.a.shrd(size, r(.rax), t.use(size, rn(insn), .rcx), lsb);
        }
    }
    t.put(rd(insn), .rax);
    return true;
}

pub const shifts = [4]x64.Shift{ .shl, .shr, .sar, .ror };

/// Rm shifted by an immediate, in `scratch`. The host's flags may change.
fn shiftedOperand(t: *Translator, insn: u32, size: Size, scratch: Reg) void {
    t.load(size, scratch, rm(insn));
    const amount: u6 = @intCast(bits(insn, 10, 6));
    if (amount != 0) t.a.shiftImm(shifts[bits(insn, 22, 2)], size, r(scratch), amount);
}

/// The whole of d = n op shifted m where d is m in a host register, which is shifted itself. The operation must not mind the order.
fn shiftedInPlace(t: *Translator, insn: u32, size: Size, op: x64.Alu) bool {
    const n = rn(insn);
    const d = rd(insn);
    if (d != rm(insn) or d == n or d == 31 or n == 31) return false;
    const dst = t.hostOf(d) orelse return false;
    const amount: u6 = @intCast(bits(insn, 10, 6));
    if (amount != 0) t.a.shiftImm(shifts[bits(insn, 22, 2)], size, r(dst), amount);
    t.a.alu(op, size, dst, t.gpr(n));
    t.put(d, dst);
    return true;
}

/// Register m as an operand that is not zero.
pub fn operand(t: *Translator, m: u32) Rm {
    if (m != 31) return t.gpr(m);
    t.a.movImm(.rcx, 0);
    return r(.rcx);
}

pub fn logical_reg(t: *Translator, insn: u32) bool {
    const size = sizeOf(insn);
    const amount = bits(insn, 10, 6);
    if (size == .d and amount >= 32) return false;
    const opc = bits(insn, 29, 2);
    const negated = bit(insn, 21);
    const n = rn(insn);
    const m = rm(insn);
    const d = rd(insn);
    if (opc == 1 and amount == 0 and n == 31) {
        // MOV and MVN.
        const dst = t.target(d, .rax);
        if (negated) {
            t.load(size, dst, m);
            t.a.unary(.not, size, r(dst));
            t.put(d, dst);
        } else if (size == .q and m != 31) {
            t.put(d, t.use(.q, m, .rax));
        } else {
            t.load(size, dst, m);
            t.put(d, dst);
        }
        return true;
    }
    const op = logical_ops[opc];
    if (opc == 3 and d == 31 and !negated and amount == 0) {
        const x = t.use(size, n, .rax);
        t.a.@"test"(size, operand(t, m), x);
        t.setFlags(.direct);
        return true;
    }
    if (opc != 3) t.clobber();
    if (amount == 0 and !negated) {
        const clash = m == d and m != n;
        const dst = if (clash) Reg.rax else t.target(d, .rax);
        t.start(size, dst, n);
        t.a.alu(op, size, dst, operand(t, m));
        t.put(d, dst);
    } else {
        if (!negated and shiftedInPlace(t, insn, size, op)) {
            if (opc == 3) t.setFlags(.direct);
            return true;
        }
        shiftedOperand(t, insn, size, .rcx);
        if (negated) t.a.unary(.not, size, r(.rcx));
        const dst = t.target(d, .rax);
        t.start(size, dst, n);
        t.a.alu(op, size, dst, r(.rcx));
        t.put(d, dst);
    }
    if (opc == 3) t.setFlags(.direct);
    return true;
}

pub fn add_sub_shifted(t: *Translator, insn: u32) bool {
    const size = sizeOf(insn);
    const amount = bits(insn, 10, 6);
    const kind = bits(insn, 22, 2);
    if (kind == 3 or (size == .d and amount >= 32)) return false;
    const n = rn(insn);
    const m = rm(insn);
    const d = rd(insn);
    if (bit(insn, 29)) {
        if (bit(insn, 30) and d == 31 and t.postpone(insn)) return true;
        setFlagsSum(t, insn, size);
        return true;
    }
    const in_memory = m != 31 and t.hostOf(m) == null and amount == 0 and t.flagsFree();
    if (!bit(insn, 30) and n != 31 and m != 31 and !in_memory and (amount == 0 or (kind == 0 and amount <= 3))) {
        const dst = t.target(d, .rax);
        const x = t.use(size, n, .rax);
        const y = t.use(size, m, .rcx);
        t.a.lea(size, dst, .{ .base = x, .index = y, .scale = @intCast(amount) });
        t.put(d, dst);
        return true;
    }
    t.clobber();
    const op: x64.Alu = if (bit(insn, 30)) .sub else .add;
    if (amount == 0) {
        const clash = m == d and m != n;
        const dst = if (clash) Reg.rax else t.target(d, .rax);
        t.start(size, dst, n);
        t.a.alu(op, size, dst, operand(t, m));
        t.put(d, dst);
    } else if (op == .sub or !shiftedInPlace(t, insn, size, op)) {
        shiftedOperand(t, insn, size, .rcx);
        const dst = t.target(d, .rax);
        t.start(size, dst, n);
        t.a.alu(op, size, dst, r(.rcx));
        t.put(d, dst);
    }
    return true;
}

/// ADDS and SUBS with a shifted register.
fn setFlagsSum(t: *Translator, insn: u32, size: Size) void {
    const op: x64.Alu = if (bit(insn, 30)) .sub else .add;
    const n = rn(insn);
    const m = rm(insn);
    const d = rd(insn);
    const shifted = bits(insn, 10, 6) != 0;
    if (shifted) shiftedOperand(t, insn, size, .rcx);
    const y: Rm = if (shifted) r(.rcx) else operand(t, m);
    if (op == .sub and d == 31) {
        if (n != 31 and t.hostOf(n) == null and y == .reg) {
            t.a.aluTo(.cmp, size, t.gpr(n), y.reg);
        } else {
            t.a.alu(.cmp, size, t.use(size, n, .rax), y);
        }
    } else {
        const clash = !shifted and m == d and m != n;
        const dst = if (clash) Reg.rax else t.target(d, .rax);
        t.start(size, dst, n);
        t.a.alu(op, size, dst, y);
        t.put(d, dst);
    }
    t.setFlags(if (op == .sub) .inverted else .direct);
}

pub fn add_sub_extended(t: *Translator, insn: u32) bool {
    const size = sizeOf(insn);
    const amount = bits(insn, 10, 3);
    if (bits(insn, 22, 2) != 0 or amount > 4) return false;
    const sets = bit(insn, 29);
    const subtract = bit(insn, 30);
    const n = rn(insn);
    const m = rm(insn);
    const d = rd(insn);
    const option = bits(insn, 13, 3);
    const simple = !sets and !subtract and amount <= 3;
    if (!sets and !simple) t.clobber();
    extendRegister(t, m, option, .rcx);
    if (simple) {
        const dst = t.targetSp(d, .rax);
        t.a.lea(size, dst, .{ .base = t.useSp(size, n, .rax), .index = .rcx, .scale = @intCast(amount) });
        t.putSp(d, dst);
        return true;
    }
    if (amount != 0) t.a.shiftImm(.shl, .q, r(.rcx), @intCast(amount));
    const op: x64.Alu = if (subtract) .sub else .add;
    if (sets and subtract and d == 31) {
        t.a.alu(.cmp, size, t.useSp(size, n, .rax), r(.rcx));
    } else {
        const dst = if (sets) t.target(d, .rax) else t.targetSp(d, .rax);
        t.startSp(size, dst, n);
        t.a.alu(op, size, dst, r(.rcx));
        if (sets) t.put(d, dst) else t.putSp(d, dst);
    }
    if (sets) t.setFlags(if (subtract) .inverted else .direct);
    return true;
}

/// Register m extended as `option` says (UXTB … SXTX) to 64 bits, in dst. Keeps the host's flags.
pub fn extendRegister(t: *Translator, m: u32, option: u32, dst: Reg) void {
    if (m == 31) return t.a.movImm(dst, 0);
    const src = t.gpr(m);
    // A byte of memory is a byte of the lane; sil and so on have REX.
    switch (option) {
        0 => t.a.movzx(.b, dst, src),
        1 => t.a.movzx(.w, dst, src),
        2 => t.a.mov(.d, dst, src),
        4 => t.a.movsx(.q, .b, dst, src),
        5 => t.a.movsx(.q, .w, dst, src),
        6 => t.a.movsx(.q, .d, dst, src),
        else => t.a.mov(.q, dst, src),
    }
}

pub fn add_sub_carry(t: *Translator, insn: u32) bool {
    const size = sizeOf(insn);
    const subtract = bit(insn, 30);
    const sets = bit(insn, 29);
    // The old flags, when a later instruction wants them.
    if (!sets and t.live) t.save();
    const form = t.restore();
    if ((form == .inverted) != subtract) t.a.cmc();
    t.load(size, .rax, rn(insn));
    t.a.alu(if (subtract) .sbb else .adc, size, .rax, operand(t, rm(insn)));
    t.put(rd(insn), .rax);
    if (sets) t.setFlags(if (subtract) .inverted else .direct) else t.state = .saved;
    return true;
}

pub fn cond_compare(t: *Translator, insn: u32) bool {
    const size = sizeOf(insn);
    const cc: flags.Condition = @enumFromInt(bits(insn, 12, 4));
    const always = cc == .al or cc == .nv;
    const subtract = bit(insn, 30);
    const fails = if (always) null else t.a.jcc(t.condition(cc).not());
    t.load(size, .rax, rn(insn));
    if (bit(insn, 11)) {
        const imm: i32 = @intCast(bits(insn, 16, 5));
        t.a.aluImm(if (subtract) .cmp else .add, size, r(.rax), imm);
    } else {
        t.a.alu(if (subtract) .cmp else .add, size, .rax, operand(t, rm(insn)));
    }
    if (!subtract) t.a.cmc();
    if (fails) |f| {
        const end = t.a.jmp();
        t.a.linkHere(f);
        flags.set(&t.a, bits(insn, 0, 4));
        t.a.linkHere(end);
    }
    t.setFlags(.inverted);
    return true;
}

pub fn cond_select(t: *Translator, insn: u32) bool {
    if (bit(insn, 29) or bit(insn, 11)) return false;
    const size = sizeOf(insn);
    const d = rd(insn);
    const code = bits(insn, 12, 4);
    const always = code >= 14;
    const cc: x64.Cc = if (always) .e else t.condition(@enumFromInt(code));
    const increments = bit(insn, 10);
    const inverts = bit(insn, 30);
    if (!always and rn(insn) == 31 and rm(insn) == 31 and increments and !inverts) {
        // CSET
        t.a.setcc(cc.not(), r(.rax));
        const dst = t.target(d, .rax);
        t.a.movzx(.b, dst, r(.rax));
        t.put(d, dst);
        return true;
    }
    if (!always and rn(insn) == 31 and rm(insn) == 31 and inverts and !increments) {
        // CSETM
        t.a.setcc(cc, r(.rax));
        t.a.movzx(.b, .rax, r(.rax));
        const dst = t.target(d, .rax);
        t.a.lea(size, dst, .{ .base = .rax, .disp = -1 });
        t.put(d, dst);
        return true;
    }
    if (always) {
        t.load(size, .rax, rn(insn));
        t.put(d, .rax);
        return true;
    }
    if (!inverts and !increments) {
        // The register itself is one of the two already, or can hold one at first.
        const dst = t.target(d, .rax);
        const swapped = d == rn(insn) and d != 31;
        const first, const second = if (swapped) .{ rn(insn), rm(insn) } else .{ rm(insn), rn(insn) };
        if (swapped or d != rn(insn)) {
            if (second == 31) t.a.movImm(.rcx, 0);
            t.load(size, dst, first);
            t.a.cmov(if (swapped) cc.not() else cc, size, dst, if (second == 31) r(.rcx) else t.gpr(second));
            t.put(d, dst);
            return true;
        }
    }
    t.load(size, .rax, rm(insn));
    if (inverts) t.a.unary(.not, size, r(.rax));
    if (increments) t.a.lea(size, .rax, .{ .base = .rax, .disp = 1 });
    if (rn(insn) == 31) {
        t.a.movImm(.rcx, 0);
        t.a.cmov(cc, size, .rax, r(.rcx));
    } else {
        t.a.cmov(cc, size, .rax, t.gpr(rn(insn)));
    }
    t.put(d, .rax);
    return true;
}
