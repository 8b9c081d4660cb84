//! Translation of branches and exception-generating instructions. Each function is named after its class in `table_int.zig`.

const access = @import("../interp/access.zig");
const exits = @import("exit.zig");
const fields = @import("../interp/fields.zig");
const flags = @import("flags.zig");
const thunks = @import("thunks.zig");
const x64 = @import("x64.zig");
const Translator = @import("translate.zig").Translator;

const bit = fields.bit;
const bits = fields.bits;

fn relative(t: *const Translator, words: i64) u64 {
    return t.pc +% @as(u64, @bitCast(words * 4));
}

pub fn branch_cond(t: *Translator, insn: u32) bool {
    const cc: flags.Condition = @enumFromInt(bits(insn, 0, 4));
    const to = relative(t, fields.signed(insn, 5, 19));
    if (cc == .al or cc == .nv) {
        exits.branchAlways(t, to);
    } else {
        exits.branchIf(t, t.condition(cc), to);
    }
    return true;
}

pub fn branch_imm(t: *Translator, insn: u32) bool {
    const to = relative(t, fields.signed(insn, 0, 26));
    if (bit(insn, 31)) {
        exits.call(t, to);
    } else {
        exits.branchAlways(t, to);
    }
    return true;
}

pub fn compare_branch(t: *Translator, insn: u32) bool {
    const r = fields.rd(insn);
    const size: x64.Size = if (bit(insn, 31)) .q else .d;
    const to = relative(t, fields.signed(insn, 5, 19));
    t.clobber();
    const x = t.useAlone(size, r, .rax);
    t.a.@"test"(size, .{ .reg = x }, x);
    exits.branchIf(t, if (bit(insn, 24)) .ne else .e, to);
    return true;
}

pub fn test_branch(t: *Translator, insn: u32) bool {
    const r = fields.rd(insn);
    const number: u6 = @intCast(bits(insn, 31, 1) << 5 | bits(insn, 19, 5));
    const to = relative(t, fields.signed(insn, 5, 14));
    t.clobber();
    if (r == 31) {
        if (!bit(insn, 24)) exits.branchAlways(t, to);
        return true;
    }
    if (number < 7) {
        t.a.testImm(.b, t.operandNow(r), @as(i32, 1) << @intCast(number));
        exits.branchIf(t, if (bit(insn, 24)) .ne else .e, to);
    } else {
        t.a.bitTest(.q, .{ .reg = t.useAlone(.q, r, .rax) }, number);
        exits.branchIf(t, if (bit(insn, 24)) .b else .ae, to);
    }
    return true;
}

/// BR, BLR, RET.
pub fn branch_reg(t: *Translator, insn: u32) bool {
    const a = &t.a;
    const returns = bits(insn, 21, 2) == 2;
    const calls = bit(insn, 21);
    t.save();
    t.load(.q, .rax, fields.rn(insn));
    t.leaveMap();
    t.done = true;
    if (returns) {
        a.alu(.cmp, .q, .rax, .{ .mem = .{ .base = .rsp, .disp = 8 } });
        a.jccTo(.ne, thunks.unpaired);
        a.ret();
        return true;
    }
    // What stubs of the PLT use, and they jump to one place in the end.
    if (!calls and (fields.rn(insn) == 16 or fields.rn(insn) == 17)) {
        exits.guess(t);
        return true;
    }
    if (calls) exits.pushLink(t);
    thunks.jumpCache(a, calls);
    if (calls) exits.comeBack(t);
    return true;
}

pub fn svc(t: *Translator, insn: u32) bool {
    t.stop(.syscall, access.syndrome(0x15, bits(insn, 5, 16)));
    return true;
}

pub fn breakpoint(t: *Translator, insn: u32) bool {
    t.stop(.breakpoint, access.syndrome(0x3c, bits(insn, 5, 16)));
    return true;
}
