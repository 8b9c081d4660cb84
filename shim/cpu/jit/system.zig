//! Translation of the system instructions that are frequent. Each function is named after its class in `table_int.zig`.

const fields = @import("../interp/fields.zig");
const layout = @import("layout.zig");
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

/// op0, op1, CRn, CRm, op2 of FPCR, TPIDR_EL0 and TPIDRRO_EL0.
pub const fpcr = 0x5a20;
const tpidr = 0x5e82;
const tpidrro = 0x5e83;

pub fn mrs(t: *Translator, insn: u32) bool {
    const d = fields.rd(insn);
    const mem = switch (bits(insn, 5, 15)) {
        tpidr => layout.blockField("tpidr"),
        tpidrro => layout.blockField("tpidrro"),
        else => return false,
    };
    const dst = t.target(d, .rax);
    t.a.mov(.q, dst, .{ .mem = mem });
    t.put(d, dst);
    return true;
}
