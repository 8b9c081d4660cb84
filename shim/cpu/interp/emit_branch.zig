//! Translation of branches and exception-generating instructions. Each function is named after its class in `table_int.zig`.

const access = @import("access.zig");
const branch = @import("branch.zig");
const fields = @import("fields.zig");
const flags = @import("flags.zig");
const Translator = @import("translate.zig").Translator;

const bit = fields.bit;
const bits = fields.bits;
const source = fields.source;

fn relative(t: *const Translator, words: i64) u64 {
    return t.pc +% @as(u64, @bitCast(words * 4));
}

pub fn branch_cond(t: *Translator, insn: u32) bool {
    const cc: flags.Condition = @enumFromInt(bits(insn, 0, 4));
    const to = relative(t, fields.signed(insn, 5, 19));
    if (cc == .al or cc == .nv) {
        t.emitJump(to);
        return true;
    }
    if (t.previous == .compare) {
        const c = t.previous.compare;
        if (branch.fused(c.wide, c.kind, cc, c.keeps)) |handler| {
            t.ops[c.slot].handler = handler;
            t.emitTarget(to);
            return true;
        }
    }
    t.emit(.{ .handler = branch.conditional(cc) });
    t.emitTarget(to);
    return true;
}

pub fn branch_imm(t: *Translator, insn: u32) bool {
    const to = relative(t, fields.signed(insn, 0, 26));
    if (bit(insn, 31)) {
        t.emit(.{ .handler = &branch.call });
        t.emitTarget(to);
        t.emitExt(t.pc + 4, 0);
        t.done = true;
    } else {
        t.emitJump(to);
    }
    return true;
}
pub fn compare_branch(t: *Translator, insn: u32) bool {
    t.emit(.{ .handler = branch.zero(bit(insn, 31), bit(insn, 24)), .n = source(fields.rd(insn)) });
    t.emitTarget(relative(t, fields.signed(insn, 5, 19)));
    return true;
}

pub fn test_branch(t: *Translator, insn: u32) bool {
    const number = bits(insn, 31, 1) << 5 | bits(insn, 19, 5);
    t.emit(.{ .handler = branch.testBit(number >= 32, bit(insn, 24)), .n = source(fields.rd(insn)), .a = @intCast(number) });
    t.emitTarget(relative(t, fields.signed(insn, 5, 14)));
    return true;
}

pub fn branch_reg(t: *Translator, insn: u32) bool {
    const links = bit(insn, 21);
    const n = source(fields.rn(insn));
    t.emit(.{ .handler = if (links) branch.indirect_link else branch.indirect, .n = n, .imm = t.charge() });
    if (links) t.emitExt(t.pc + 4, 0);
    t.done = true;
    return true;
}

pub fn svc(t: *Translator, insn: u32) bool {
    t.emit(.{ .handler = &branch.svc, .imm = t.charge() });
    t.emitExt(t.pc + 4, access.syndrome(0x15, bits(insn, 5, 16)));
    t.done = true;
    return true;
}

pub fn breakpoint(t: *Translator, insn: u32) bool {
    t.emitStop(.breakpoint, access.syndrome(0x3c, bits(insn, 5, 16)));
    return true;
}
