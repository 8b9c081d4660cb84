//! Translation of branches and exception-generating instructions. Each function is named after its class in `table_int.zig`.

const access = @import("../interp/access.zig");
const fields = @import("../interp/fields.zig");
const flags = @import("flags.zig");
const host = @import("host.zig");
const layout = @import("layout.zig");
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
        t.branchAlways(to);
    } else {
        t.branchIf(t.condition(cc), to);
    }
    return true;
}

pub fn branch_imm(t: *Translator, insn: u32) bool {
    const to = relative(t, fields.signed(insn, 0, 26));
    if (bit(insn, 31)) {
        t.putImm(30, t.pc + 4);
        t.branchAndLink(to);
    } else {
        t.branchAlways(to);
    }
    return true;
}

pub fn compare_branch(t: *Translator, insn: u32) bool {
    const r = fields.rd(insn);
    const size: x64.Size = if (bit(insn, 31)) .q else .d;
    const to = relative(t, fields.signed(insn, 5, 19));
    t.clobber();
    const x = t.use(size, r, .rax);
    t.a.@"test"(size, .{ .reg = x }, x);
    t.branchIf(if (bit(insn, 24)) .ne else .e, to);
    return true;
}

pub fn test_branch(t: *Translator, insn: u32) bool {
    const r = fields.rd(insn);
    const number: u6 = @intCast(bits(insn, 31, 1) << 5 | bits(insn, 19, 5));
    const to = relative(t, fields.signed(insn, 5, 14));
    t.clobber();
    if (r == 31) {
        if (!bit(insn, 24)) t.branchAlways(to);
        return true;
    }
    if (number < 7) {
        t.a.testImm(.b, t.gpr(r), @as(i32, 1) << @intCast(number));
        t.branchIf(if (bit(insn, 24)) .ne else .e, to);
    } else {
        t.a.bitTest(.q, .{ .reg = t.use(.q, r, .rax) }, number);
        t.branchIf(if (bit(insn, 24)) .b else .ae, to);
    }
    return true;
}

/// BR, BLR, RET: the jump cache, inline, so that each has a prediction of its own.
pub fn branch_reg(t: *Translator, insn: u32) bool {
    const a = &t.a;
    t.save();
    t.load(.q, .rax, fields.rn(insn));
    if (bit(insn, 21)) t.putImm(30, t.pc + 4);
    t.leaveMap();
    if (host.features.bmi2) {
        a.rorx(.d, .rcx, .{ .reg = .rax }, 32 - 3);
    } else {
        a.movRegs(.d, .rcx, .rax);
        a.shiftImm(.shl, .d, .{ .reg = .rcx }, 3);
    }
    a.aluImm(.@"and", .d, .{ .reg = .rcx }, (layout.jump_count - 1) << 5);
    a.mov(.q, .rdx, .{ .mem = layout.blockField("jump_key") });
    a.alu(.cmp, .q, .rax, .{ .mem = jump("pc") });
    const other = a.jcc(.ne);
    a.alu(.cmp, .q, .rdx, .{ .mem = jump("key") });
    const stale = a.jcc(.ne);
    a.jmpRm(.{ .mem = jump("code") });
    a.linkHere(other);
    a.linkHere(stale);
    a.jmpTo(thunks.indirect);
    t.done = true;
    return true;
}

fn jump(comptime field: []const u8) x64.Mem {
    return .{ .base = .rcx, .gs = true, .disp = @offsetOf(layout.Cpu, "jumps") + @offsetOf(layout.Jump, field) };
}

pub fn svc(t: *Translator, insn: u32) bool {
    t.stop(.syscall, access.syndrome(0x15, bits(insn, 5, 16)));
    return true;
}

pub fn breakpoint(t: *Translator, insn: u32) bool {
    t.stop(.breakpoint, access.syndrome(0x3c, bits(insn, 5, 16)));
    return true;
}
