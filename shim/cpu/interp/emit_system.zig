//! Translation of system instructions. Each function is named after its class in `table_int.zig`.

const alu_emit = @import("emit_alu.zig");
const alu = @import("alu.zig");
const atomic = @import("atomic.zig");
const branch = @import("branch.zig");
const cond = @import("cond.zig");
const core = @import("core.zig");
const features = @import("../features.zig");
const fields = @import("fields.zig");
const system = @import("system.zig");
const Translator = @import("translate.zig").Translator;

const bits = fields.bits;
const source = fields.source;
const target = fields.target;
const rd = fields.rd;

pub fn hint(t: *Translator, insn: u32) bool {
    switch (bits(insn, 5, 7)) {
        // YIELD, WFE, WFI.
        1, 2, 3 => {
            t.emit(.{ .handler = &branch.yield, .imm = t.charge() });
            t.emitExt(t.pc + 4, 0);
            t.done = true;
        },
        else => {},
    }
    return true;
}

pub fn clrex(t: *Translator, _: u32) bool {
    t.emit(.{ .handler = atomic.clear_exclusive });
    return true;
}

pub fn barrier(t: *Translator, _: u32) bool {
    t.emit(.{ .handler = atomic.barrier });
    return true;
}

pub fn isb(t: *Translator, _: u32) bool {
    t.emit(.{ .handler = &system.resync, .imm = t.charge() });
    t.emitExt(t.pc + 4, 0);
    return true;
}

/// op1, CRn, CRm, op2 in one number.
inline fn key(insn: u32) u32 {
    return bits(insn, 5, 14);
}

inline fn name(op1: u32, crn: u32, crm: u32, op2: u32) u32 {
    return op1 << 11 | crn << 7 | crm << 3 | op2;
}

pub fn sys(t: *Translator, insn: u32) bool {
    const n = source(rd(insn));
    const handler: core.Handler = switch (key(insn)) {
        name(3, 7, 4, 1) => &system.zero_line,
        name(3, 7, 5, 1) => &system.invalidate_line,
        // CVAC, CVAU, CVAP, CIVAC.
        name(3, 7, 10, 1), name(3, 7, 11, 1), name(3, 7, 12, 1), name(3, 7, 14, 1) => &system.clean_line,
        else => return false,
    };
    t.emit(.{ .handler = handler, .n = n });
    return true;
}

const nzcv = name(3, 4, 2, 0);
const fpcr = name(3, 4, 4, 0);
const fpsr = name(3, 4, 4, 1);
const tpidr = name(3, 13, 0, 2);
const tpidrro = name(3, 13, 0, 3);

pub fn msr(t: *Translator, insn: u32) bool {
    if (bits(insn, 19, 1) == 0) return false;
    const n = source(rd(insn));
    switch (key(insn)) {
        nzcv => t.emit(.{ .handler = cond.write_nzcv, .n = n }),
        fpcr => t.emit(.{ .handler = system.write_fpcr, .n = n }),
        fpsr => t.emit(.{ .handler = system.write_fpsr, .n = n }),
        tpidr => t.emit(.{ .handler = alu.move, .d = core.lane_tpidr, .m = n }),
        else => return false,
    }
    return true;
}

pub fn mrs(t: *Translator, insn: u32) bool {
    if (bits(insn, 19, 1) == 0) return false;
    const d = target(rd(insn));
    switch (key(insn)) {
        nzcv => t.emit(.{ .handler = cond.read_nzcv, .d = d }),
        fpcr => t.emit(.{ .handler = system.read_fpcr, .d = d }),
        fpsr => t.emit(.{ .handler = system.read_fpsr, .d = d }),
        tpidr => t.emit(.{ .handler = alu.move, .d = d, .m = core.lane_tpidr }),
        tpidrro => t.emit(.{ .handler = alu.move, .d = d, .m = core.lane_tpidrro }),
        name(3, 0, 0, 1) => alu_emit.emitConstant(t, d, features.ctr_el0),
        name(3, 0, 0, 7) => alu_emit.emitConstant(t, d, features.dczid_el0),
        name(3, 14, 0, 0) => alu_emit.emitConstant(t, d, system.counter_hz),
        name(3, 14, 0, 2) => t.emit(.{ .handler = system.read_counter, .d = d }),
        else => {
            if (bits(insn, 12, 7) != 0) return false;
            alu_emit.emitConstant(t, d, features.idRegister(bits(insn, 8, 4), bits(insn, 5, 3)) orelse return false);
        },
    }
    return true;
}
