//! Translation of the system instructions that are frequent. Each function is named after its class in `table_int.zig`.

const features = @import("../features.zig");
const fields = @import("../interp/fields.zig");
const flat = @import("flat.zig");
const layout = @import("layout.zig");
const lookup = @import("lookup.zig");
const thunks = @import("thunks.zig");
const Translator = @import("translate.zig").Translator;

const bits = fields.bits;

pub fn hint(t: *Translator, insn: u32) bool {
    switch (bits(insn, 5, 7)) {
        // YIELD, WFE, WFI give up the rest of the slice.
        1, 2, 3 => t.stop(.budget, 0),
        else => {},
    }
    return true;
}

/// Stores before it are seen before loads behind it. The host orders all else by itself, so DMB of loads or of stores is nothing.
pub fn barrier(t: *Translator, insn: u32) bool {
    const dmb = bits(insn, 5, 3) == 5;
    const both = bits(insn, 8, 2) == 3 or bits(insn, 8, 2) == 0;
    if (t.page.mode.alone or dmb and !both) return true;
    t.clobber();
    t.a.lockOp();
    t.a.aluImm(.@"or", .d, .{ .mem = .{ .base = .rsp, .disp = -64 } }, 0);
    return true;
}

/// What follows is looked up afresh.
pub fn isb(t: *Translator, _: u32) bool {
    t.save();
    t.a.movImm(.rax, t.pc + 4);
    t.jumpThunk(thunks.indirect);
    t.done = true;
    return true;
}

/// Code for another mode of FPCR is other code.
pub fn msr(t: *Translator, insn: u32) bool {
    if (bits(insn, 5, 15) != fpcr) return false;
    t.interpretOne(insn);
    return isb(t, insn);
}

/// op0, op1, CRn, CRm, op2 of FPCR, TPIDR_EL0, TPIDRRO_EL0, CTR_EL0 and DCZID_EL0.
pub const fpcr = 0x5a20;
const tpidr = 0x5e82;
const tpidrro = 0x5e83;
const ctr = 0x5801;
const dczid = 0x5807;

pub fn mrs(t: *Translator, insn: u32) bool {
    const d = fields.rd(insn);
    const name = bits(insn, 5, 15);
    switch (name) {
        ctr => t.putImm(d, features.ctr_el0),
        dczid => t.putImm(d, features.dczid_el0),
        tpidr, tpidrro, fpcr => {
            const dst = t.target(d, .rax);
            const field = if (name == tpidr) layout.blockField("tpidr") else if (name == tpidrro) layout.blockField("tpidrro") else layout.blockField("fpcr");
            t.a.mov(if (name == fpcr) .d else .q, dst, .{ .mem = field });
            t.put(d, dst);
        },
        else => return false,
    }
    return true;
}

/// DC ZVA of x0..x30; 31 is zero.
const zva = 0xd50b7420;

pub fn sys(t: *Translator, insn: u32) bool {
    if (insn & ~@as(u32, 31) != zva) return false;
    const there = if (t.page.mode.flat) flat.line(t, fields.rd(insn), zva_bytes) else there: {
        t.clobberExactly();
        t.load(.q, .rax, fields.rd(insn));
        lookup.modifiable(t, 1);
        t.a.aluImm(.@"and", .q, .{ .reg = .rax }, -zva_bytes);
        break :there lookup.at(0);
    };
    t.a.sse(.none, 0x57, .xmm0, .{ .xmm = .xmm0 });
    for (0..zva_bytes / 16) |i| {
        var part = there;
        part.disp += @intCast(16 * i);
        t.a.sse(.none, 0x11, .xmm0, .{ .mem = part });
    }
    if (t.page.mode.flat) flat.close(t);
    return true;
}

const zva_bytes = 4 << (features.dczid_el0 & 15);
