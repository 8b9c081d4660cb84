//! Translation of integer data processing. Each function is named after its class in `table_int.zig`.

const alu = @import("alu.zig");
const cond = @import("cond.zig");
const core = @import("core.zig");
const fields = @import("fields.zig");
const flags = @import("flags.zig");
const Translator = @import("translate.zig").Translator;

const bit = fields.bit;
const bits = fields.bits;
const source = fields.source;
const target = fields.target;
const orSp = fields.orSp;
const rd = fields.rd;
const rn = fields.rn;
const rm = fields.rm;
const ra = fields.ra;

inline fn isWide(insn: u32) bool {
    return bit(insn, 31);
}

/// Sets a lane to a constant.
pub fn emitConstant(t: *Translator, lane: u8, value: u64) void {
    t.current = .{ .constant = .{ .slot = t.count, .lane = lane, .value = value } };
    const small: i32 = @truncate(@as(i64, @bitCast(value)));
    if (small == @as(i64, @bitCast(value))) return t.emit(.{ .handler = alu.constant, .d = lane, .imm = small });
    t.emit(.{ .handler = alu.constant_wide, .d = lane });
    t.emitExt(value, 0);
}

pub fn adr(t: *Translator, insn: u32) bool {
    const imm = fields.signed(insn, 5, 19) << 2 | @as(i64, bits(insn, 29, 2));
    const base = if (isWide(insn)) t.pc & ~@as(u64, 0xfff) else t.pc;
    const offset: u64 = @bitCast(if (isWide(insn)) imm << 12 else imm);
    emitConstant(t, target(rd(insn)), base +% offset);
    return true;
}

pub fn add_sub_imm(t: *Translator, insn: u32) bool {
    const subtract = bit(insn, 30);
    const imm: i32 = @intCast(bits(insn, 10, 12) << (if (bit(insn, 22)) 12 else 0));
    const wide = isWide(insn);
    const n = orSp(rn(insn));
    if (!bit(insn, 29)) {
        const d = orSp(rd(insn));
        if (t.previous == .constant and t.previous.constant.lane == n and n == d and wide) {
            // ADRP and ADD: one constant.
            const old = t.previous.constant;
            const delta: u64 = @bitCast(@as(i64, if (subtract) -imm else imm));
            t.absorb(old.slot);
            emitConstant(t, d, old.value +% delta);
            return true;
        }
        t.emit(.{ .handler = alu.binary(.add, wide, .imm).?, .d = d, .n = n, .imm = if (subtract) -imm else imm });
        return true;
    }
    const d = target(rd(insn));
    if (subtract) t.current = .{ .compare = .{ .slot = t.count, .wide = wide, .kind = .sub_imm, .keeps = d != core.lane_sink } };
    t.emit(.{ .handler = alu.binaryFlags(if (subtract) .sub else .add, wide, .imm).?, .d = d, .n = n, .imm = imm });
    return true;
}

const logical_ops = [4]alu.Binary{ .@"and", .orr, .eor, .@"and" };

pub fn logical_imm(t: *Translator, insn: u32) bool {
    const wide = isWide(insn);
    if (!wide and bit(insn, 22)) return false;
    const masks = fields.bitMasks(bits(insn, 22, 1), bits(insn, 10, 6), bits(insn, 16, 6), true) orelse return false;
    const opc = bits(insn, 29, 2);
    const value = if (wide) masks.wmask else masks.wmask & 0xffffffff;
    const n = source(rn(insn));
    const sets = opc == 3;
    const d = if (sets) target(rd(insn)) else orSp(rd(insn));
    if (opc == 1 and n == core.lane_zero) {
        emitConstant(t, d, value);
        return true;
    }
    const small: i32 = if (wide) @truncate(@as(i64, @bitCast(value))) else @bitCast(@as(u32, @truncate(value)));
    const fits = !wide or small == @as(i64, @bitCast(value));
    const kind: alu.Operand = if (fits) .imm else .wide;
    if (sets and fits) t.current = .{ .compare = .{ .slot = t.count, .wide = wide, .kind = .and_imm, .keeps = d != core.lane_sink } };
    const handler = if (sets) alu.binaryFlags(.@"and", wide, kind) else alu.binary(logical_ops[opc], wide, kind);
    t.emit(.{ .handler = handler.?, .d = d, .n = n, .imm = if (fits) small else 0 });
    if (!fits) t.emitExt(value, 0);
    return true;
}

pub fn move_wide(t: *Translator, insn: u32) bool {
    const wide = isWide(insn);
    const amount = bits(insn, 21, 2) * 16;
    if (!wide and amount >= 32) return false;
    const imm: u64 = bits(insn, 5, 16);
    const shifted = imm << @intCast(amount);
    const width_mask: u64 = if (wide) ~@as(u64, 0) else 0xffffffff;
    const d = target(rd(insn));
    switch (bits(insn, 29, 2)) {
        0 => emitConstant(t, d, ~shifted & width_mask),
        2 => emitConstant(t, d, shifted),
        else => {
            if (t.previous == .constant and t.previous.constant.lane == d) {
                const old = t.previous.constant;
                t.absorb(old.slot);
                const cleared = old.value & ~(@as(u64, 0xffff) << @intCast(amount));
                emitConstant(t, d, (cleared | shifted) & width_mask);
                return true;
            }
            const handler = if (wide) alu.insert else alu.insert_w;
            t.emit(.{ .handler = handler, .d = d, .a = @intCast(amount), .imm = @intCast(imm) });
        },
    }
    return true;
}

pub fn bitfield(t: *Translator, insn: u32) bool {
    const w: usize = @intFromBool(isWide(insn));
    const size: u32 = if (w == 1) 64 else 32;
    const immr = bits(insn, 16, 6);
    const imms = bits(insn, 10, 6);
    if (bits(insn, 22, 1) != w) return false;
    if (w == 0 and (immr >= 32 or imms >= 32)) return false;
    const n = source(rn(insn));
    const d = target(rd(insn));
    const opc = bits(insn, 29, 2);
    if (opc == 1) {
        const masks = fields.bitMasks(bits(insn, 22, 1), imms, immr, false).?;
        t.emit(.{ .handler = alu.insert_field[w], .d = d, .n = n, .a = @intCast(immr) });
        t.emitExt(masks.wmask & masks.tmask, 0);
        return true;
    }
    // The field is moved to the top, then to its place.
    const left = size - 1 - imms;
    const right = if (imms >= immr) left + immr else left - (size - immr);
    if (opc == 0) {
        const simple: ?core.Handler = if (immr != 0) null else switch (imms) {
            7 => alu.sign_byte[w],
            15 => alu.sign_half[w],
            31 => if (w == 1) alu.sign_word else null,
            else => null,
        };
        if (simple) |handler| {
            t.emit(.{ .handler = handler, .d = d, .n = n });
        } else if (left == 0) {
            t.emit(.{ .handler = alu.shift_signed[w], .d = d, .n = n, .a = @intCast(right) });
        } else {
            t.emit(.{ .handler = alu.field_signed[w], .d = d, .n = n, .m = @intCast(left), .a = @intCast(right) });
        }
        return true;
    }
    if (right == 0) {
        t.emit(.{ .handler = alu.shift_left[w], .d = d, .n = n, .a = @intCast(left) });
    } else if (left == 0) {
        t.emit(.{ .handler = alu.shift_right[w], .d = d, .n = n, .a = @intCast(right) });
    } else if (imms >= immr and imms - immr < 32) {
        const mask = @as(u32, 0xffffffff) >> @intCast(31 - (imms - immr));
        t.emit(.{ .handler = alu.pick[w], .d = d, .n = n, .a = @intCast(immr), .imm = @bitCast(mask) });
    } else {
        t.emit(.{ .handler = alu.field_unsigned[w], .d = d, .n = n, .m = @intCast(left), .a = @intCast(right) });
    }
    return true;
}

pub fn extract(t: *Translator, insn: u32) bool {
    const w: usize = @intFromBool(isWide(insn));
    const imms = bits(insn, 10, 6);
    if (bits(insn, 22, 1) != w or (w == 0 and imms >= 32)) return false;
    t.emit(.{ .handler = alu.extract[w], .d = target(rd(insn)), .n = source(rn(insn)), .m = source(rm(insn)), .a = @intCast(imms) });
    return true;
}

const shifts = [4]alu.Operand{ .lsl, .lsr, .asr, .ror };

pub fn logical_reg(t: *Translator, insn: u32) bool {
    const wide = isWide(insn);
    const amount = bits(insn, 10, 6);
    if (!wide and amount >= 32) return false;
    const opc = bits(insn, 29, 2);
    const negated = bit(insn, 21);
    const kind: alu.Operand = if (amount == 0) .reg else shifts[bits(insn, 22, 2)];
    const n = source(rn(insn));
    const m = source(rm(insn));
    const d = target(rd(insn));
    if (opc == 1 and !negated and amount == 0 and n == core.lane_zero) {
        t.emit(.{ .handler = if (wide) alu.move else alu.move_w, .d = d, .m = m });
        return true;
    }
    const negatives = [4]alu.Binary{ .bic, .orn, .eon, .bic };
    const what = if (negated) negatives[opc] else logical_ops[opc];
    if (opc == 3 and !negated and kind == .reg) {
        t.current = .{ .compare = .{ .slot = t.count, .wide = wide, .kind = .and_reg, .keeps = d != core.lane_sink } };
    }
    const handler = if (opc == 3) alu.binaryFlags(what, wide, kind) else alu.binary(what, wide, kind);
    t.emit(.{ .handler = handler.?, .d = d, .n = n, .m = m, .a = @intCast(amount) });
    return true;
}

pub fn add_sub_shifted(t: *Translator, insn: u32) bool {
    const wide = isWide(insn);
    const amount = bits(insn, 10, 6);
    const shift = bits(insn, 22, 2);
    if (shift == 3 or (!wide and amount >= 32)) return false;
    const what: alu.Binary = if (bit(insn, 30)) .sub else .add;
    const kind: alu.Operand = if (amount == 0) .reg else shifts[shift];
    const sets = bit(insn, 29);
    const d = target(rd(insn));
    if (sets and what == .sub and kind == .reg) {
        t.current = .{ .compare = .{ .slot = t.count, .wide = wide, .kind = .sub_reg, .keeps = d != core.lane_sink } };
    }
    const handler = if (sets) alu.binaryFlags(what, wide, kind) else alu.binary(what, wide, kind);
    t.emit(.{ .handler = handler.?, .d = d, .n = source(rn(insn)), .m = source(rm(insn)), .a = @intCast(amount) });
    return true;
}

pub fn add_sub_extended(t: *Translator, insn: u32) bool {
    const amount = bits(insn, 10, 3);
    if (amount > 4) return false;
    const wide = isWide(insn);
    const kinds = [8]alu.Operand{ .uxtb, .uxth, .uxtw, .uxtx, .sxtb, .sxth, .sxtw, .sxtx };
    var kind = kinds[bits(insn, 13, 3)];
    if (amount == 0 and (kind == .uxtx or kind == .sxtx)) kind = .reg;
    const what: alu.Binary = if (bit(insn, 30)) .sub else .add;
    const sets = bit(insn, 29);
    const d = if (sets) target(rd(insn)) else orSp(rd(insn));
    if (sets and what == .sub and kind == .reg) {
        t.current = .{ .compare = .{ .slot = t.count, .wide = wide, .kind = .sub_reg, .keeps = d != core.lane_sink } };
    }
    const handler = if (sets) alu.binaryFlags(what, wide, kind) else alu.binary(what, wide, kind);
    t.emit(.{ .handler = handler.?, .d = d, .n = orSp(rn(insn)), .m = source(rm(insn)), .a = @intCast(amount) });
    return true;
}

pub fn add_sub_carry(t: *Translator, insn: u32) bool {
    const handler = alu.withCarry(isWide(insn), bit(insn, 30), bit(insn, 29));
    t.emit(.{ .handler = handler, .d = target(rd(insn)), .n = source(rn(insn)), .m = source(rm(insn)) });
    return true;
}

pub fn rmif(t: *Translator, insn: u32) bool {
    t.emit(.{ .handler = cond.rmif, .n = source(rn(insn)), .a = @intCast(bits(insn, 15, 6)), .imm = @intCast(bits(insn, 0, 4)) });
    return true;
}

pub fn setf(t: *Translator, insn: u32) bool {
    t.emit(.{ .handler = if (bit(insn, 14)) cond.setf16 else cond.setf8, .n = source(rn(insn)) });
    return true;
}

pub fn flag_manipulation(t: *Translator, insn: u32) bool {
    switch (bits(insn, 5, 3)) {
        0 => t.emit(.{ .handler = cond.cfinv }),
        1 => t.emit(.{ .handler = cond.xaflag }),
        2 => t.emit(.{ .handler = cond.axflag }),
        else => return false,
    }
    return true;
}

pub fn cond_compare(t: *Translator, insn: u32) bool {
    const cc: flags.Condition = @enumFromInt(bits(insn, 12, 4));
    const immediate = bit(insn, 11);
    t.emit(.{
        .handler = cond.compare(isWide(insn), bit(insn, 30), immediate, cc),
        .n = source(rn(insn)),
        .m = source(rm(insn)),
        .a = @intCast(bits(insn, 0, 4)),
        .imm = @intCast(rm(insn)),
    });
    return true;
}

pub fn cond_select(t: *Translator, insn: u32) bool {
    const cc: flags.Condition = @enumFromInt(bits(insn, 12, 4));
    const what: cond.Select = @enumFromInt(bits(insn, 30, 1) << 1 | bits(insn, 10, 1));
    t.emit(.{ .handler = cond.select(what, isWide(insn), cc), .d = target(rd(insn)), .n = source(rn(insn)), .m = source(rm(insn)) });
    return true;
}

pub fn two_source(t: *Translator, insn: u32) bool {
    const opcode = bits(insn, 10, 6);
    const what: alu.TwoSource = @enumFromInt(if (opcode < 8) opcode - 2 else opcode - 6);
    t.emit(.{ .handler = alu.twoSource(what, isWide(insn)), .d = target(rd(insn)), .n = source(rn(insn)), .m = source(rm(insn)) });
    return true;
}

pub fn crc32(t: *Translator, insn: u32) bool {
    const handler = alu.crc32(@intCast(bits(insn, 10, 2)), bit(insn, 12));
    t.emit(.{ .handler = handler, .d = target(rd(insn)), .n = source(rn(insn)), .m = source(rm(insn)) });
    return true;
}

pub fn one_source(t: *Translator, insn: u32) bool {
    const what: alu.OneSource = @enumFromInt(bits(insn, 10, 3));
    t.emit(.{ .handler = alu.oneSource(what, isWide(insn)), .d = target(rd(insn)), .n = source(rn(insn)) });
    return true;
}

pub fn three_source(t: *Translator, insn: u32) bool {
    const subtract = bit(insn, 15);
    var what: alu.Multiply = switch (bits(insn, 21, 3)) {
        0 => if (subtract) .msub else .madd,
        1 => if (subtract) .smsubl else .smaddl,
        2 => .smulh,
        5 => if (subtract) .umsubl else .umaddl,
        6 => .umulh,
        else => return false,
    };
    if (what == .madd and ra(insn) == 31) what = .mul;
    t.emit(.{
        .handler = alu.multiply(what, isWide(insn)),
        .d = target(rd(insn)),
        .n = source(rn(insn)),
        .m = source(rm(insn)),
        .a = source(ra(insn)),
    });
    return true;
}
