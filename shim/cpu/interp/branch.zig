//! Handlers of branches, of the stubs that they go through, and of the end of a slice.
//!
//! A direct branch has a second slot with the op it leads to when taken. That is a stub first: inside the page the stub
//! finds or makes the block and puts it into the branch; for another page it stays, since the mapping of that page may
//! change, and finds its target in the jump cache.
//!
//! A taken branch pays for the instructions of its run up to and including itself (`imm`); one that falls through pays nothing,
//! since whoever leaves the run later pays from its start.

const abi = @import("../../abi.zig");
const core = @import("core.zig");
const flags = @import("flags.zig");
const run = @import("run.zig");
const threads = @import("../../host/host.zig").threads;

const Op = core.Op;
const Block = core.Block;
const Vcpu = core.Vcpu;
const Flags = core.Flags;
const Handler = core.Handler;
const Condition = flags.Condition;
const get = core.get;
const set = core.set;
const ext = core.ext;

/// Goes to `target`, which is an op of this page, after paying.
inline fn goto(target: u64, charge: u64, b: *Block, v: *Vcpu, f: Flags) i32 {
    const op: [*]const Op = @ptrFromInt(target);
    v.slice -= @as(i32, @bitCast(@as(u32, @truncate(charge))));
    if (v.slice < 0) {
        @branchHint(.unlikely);
        return core.divert(&sliceEnd, op, b, v, f);
    }
    return core.next(op, b, v, f);
}

/// Layout of a branch: op, then `Ext{ taken, charge }`.
inline fn taken(op: [*]const Op, b: *Block, v: *Vcpu, f: Flags) i32 {
    return goto(ext(op, 1).lo, ext(op, 1).hi, b, v, f);
}

pub noinline fn jump(op: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
    return taken(op, b, v, .{ .a = fa, .b = fb, .c = fc });
}

/// BL: the link value is in a third slot.
pub noinline fn call(op: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
    b.x[30] = ext(op, 2).lo;
    return taken(op, b, v, .{ .a = fa, .b = fb, .c = fc });
}

fn conditionalHandler(comptime cc: Condition) Handler {
    return &struct {
        noinline fn h(op: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
            const f: Flags = .{ .a = fa, .b = fb, .c = fc };
            if (flags.holds(cc, f)) return taken(op, b, v, f);
            return core.next(op + 2, b, v, f);
        }
    }.h;
}

pub fn conditional(cc: Condition) Handler {
    switch (cc) {
        inline else => |c| return conditionalHandler(c),
    }
}

/// What a fused compare-and-branch compares.
pub const Compare = enum { sub_imm, sub_reg, and_imm, and_reg };

/// SUBS or ANDS with the conditional branch that follows it.
fn fusedHandler(comptime T: type, comptime kind: Compare, comptime cc: Condition, comptime keeps: bool) Handler {
    return &struct {
        noinline fn h(op: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
            _ = .{ fa, fb, fc };
            const x = get(T, b, op[0].n);
            const y: T = switch (kind) {
                .sub_imm, .and_imm => @truncate(@as(u64, @bitCast(@as(i64, op[0].imm)))),
                .sub_reg, .and_reg => get(T, b, op[0].m),
            };
            const subtract = kind == .sub_imm or kind == .sub_reg;
            if (keeps) set(b, op[0].d, if (subtract) x -% y else x & y);
            const f = if (subtract) flags.ofSub(T, x, y) else flags.ofLogic(T, x & y);
            if (if (subtract) flags.holdsSub(T, cc, x, y) else flags.holdsLogic(T, cc, x & y)) return taken(op, b, v, f);
            return core.next(op + 2, b, v, f);
        }
    }.h;
}

pub fn fused(wide: bool, kind: Compare, cc: Condition, keeps: bool) ?Handler {
    switch (cc) {
        .al, .nv => return null,
        inline else => |c| switch (kind) {
            inline else => |k| {
                if (keeps) return if (wide) fusedHandler(u64, k, c, true) else fusedHandler(u32, k, c, true);
                return if (wide) fusedHandler(u64, k, c, false) else fusedHandler(u32, k, c, false);
            },
        },
    }
}

fn zeroHandler(comptime T: type, comptime nonzero: bool) Handler {
    return &struct {
        noinline fn h(op: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
            const f: Flags = .{ .a = fa, .b = fb, .c = fc };
            if ((get(T, b, op[0].n) != 0) == nonzero) return taken(op, b, v, f);
            return core.next(op + 2, b, v, f);
        }
    }.h;
}

/// CBZ and CBNZ.
pub fn zero(wide: bool, nonzero: bool) Handler {
    if (wide) return if (nonzero) zeroHandler(u64, true) else zeroHandler(u64, false);
    return if (nonzero) zeroHandler(u32, true) else zeroHandler(u32, false);
}

fn bitHandler(comptime T: type, comptime nonzero: bool) Handler {
    return &struct {
        noinline fn h(op: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
            const f: Flags = .{ .a = fa, .b = fb, .c = fc };
            const bit: T = @as(T, 1) << @truncate(op[0].a);
            if ((get(T, b, op[0].n) & bit != 0) == nonzero) return taken(op, b, v, f);
            return core.next(op + 2, b, v, f);
        }
    }.h;
}

/// TBZ and TBNZ.
pub fn testBit(wide: bool, nonzero: bool) Handler {
    if (wide) return if (nonzero) bitHandler(u64, true) else bitHandler(u64, false);
    return if (nonzero) bitHandler(u32, true) else bitHandler(u32, false);
}

/// The stub of a branch inside the page: `Ext{ target pc, address of the branch's target }`.
pub noinline fn link(op: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
    const f: Flags = .{ .a = fa, .b = fb, .c = fc };
    const target = run.linked(b, v, ext(op, 1).lo, ext(op, 1).hi) orelse {
        return run.fetchFault(b, v, f, ext(op, 1).lo);
    };
    return core.next(target, b, v, f);
}

/// The stub of a branch to another page: `Ext{ target pc, address of its jump cache entry's number }`.
pub noinline fn far(op: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
    const f: Flags = .{ .a = fa, .b = fb, .c = fc };
    return enter(ext(op, 1).lo, b, v, f, op);
}

pub inline fn jumpEntry(v: *Vcpu, pc: u64) *core.Jump {
    const offset = ((pc << 3) ^ (pc >> 7)) & ((core.jump_count - 1) << 5);
    return @ptrFromInt(@intFromPtr(&v.jumps) + offset);
}

/// Continues at any pc.
inline fn enter(pc: u64, b: *Block, v: *Vcpu, f: Flags, op: [*]const Op) i32 {
    const e = jumpEntry(v, pc);
    if (e.pc == pc and e.key == v.key) return core.next(e.op.?, b, v, f);
    v.target = pc;
    return core.divert(&miss, op, b, v, f);
}

/// The target is not in the jump cache.
noinline fn miss(_: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
    const f: Flags = .{ .a = fa, .b = fb, .c = fc };
    const pc = run.canonical(v.target);
    const target = run.lookup(b, v, pc) orelse return run.fetchFault(b, v, f, pc);
    if (pc == v.target) jumpEntry(v, pc).* = .{ .pc = pc, .key = v.key, .op = target };
    return core.next(target, b, v, f);
}

/// BR, RET (and BLR with the link value in a second slot). imm is the charge.
fn indirectHandler(comptime links: bool) Handler {
    return &struct {
        noinline fn h(op: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
            const f: Flags = .{ .a = fa, .b = fb, .c = fc };
            const pc = get(u64, b, op[0].n);
            if (links) b.x[30] = ext(op, 1).lo;
            v.slice -= op[0].imm;
            if (v.slice < 0) {
                @branchHint(.unlikely);
                v.target = pc;
                return core.divert(&sliceEndTarget, op, b, v, .{ .a = fa, .b = fb, .c = fc });
            }
            return enter(pc, b, v, f, op);
        }
    }.h;
}
pub const indirect = indirectHandler(false);
pub const indirect_link = indirectHandler(true);

/// The slice is used up before `op`.
noinline fn sliceEnd(op: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
    v.target = run.pcOf(v, op);
    return core.divert(&sliceEndTarget, op, b, v, .{ .a = fa, .b = fb, .c = fc });
}

/// The slice is used up before the instruction at `target`.
noinline fn sliceEndTarget(_: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
    const f: Flags = .{ .a = fa, .b = fb, .c = fc };
    const pc = run.canonical(v.target);
    if (run.newSlice(b, v)) |reason| return core.leave(b, v, f, pc, 0, reason);
    const target = run.lookup(b, v, pc) orelse return run.fetchFault(b, v, f, pc);
    return core.next(target, b, v, f);
}

/// Looks the next instruction up afresh: `Ext{ its pc, 0 }`, imm is the charge.
pub noinline fn resync(op: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
    v.target = ext(op, 1).lo;
    v.slice -= op[0].imm;
    if (v.slice < 0) return core.divert(&sliceEndTarget, op, b, v, .{ .a = fa, .b = fb, .c = fc });
    return core.divert(&miss, op, b, v, .{ .a = fa, .b = fb, .c = fc });
}

/// SVC: `Ext{ pc behind it, ESR }`, imm is the charge.
pub noinline fn svc(op: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
    b.esr = ext(op, 1).hi;
    return core.leave(b, v, .{ .a = fa, .b = fb, .c = fc }, ext(op, 1).lo, @bitCast(op[0].imm), .syscall);
}

/// An instruction that stops here: d is the reason, imm the ESR.
pub noinline fn stop(op: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
    b.esr = @as(u32, @bitCast(op[0].imm));
    return core.stopAt(op, b, v, .{ .a = fa, .b = fb, .c = fc }, @enumFromInt(op[0].d));
}

/// Behind a single-stepped instruction that was no branch: `Ext{ pc behind it, 0 }`.
pub noinline fn stepped(op: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
    return core.leave(b, v, .{ .a = fa, .b = fb, .c = fc }, ext(op, 1).lo, 1, .step);
}

/// WFE, WFI and YIELD: `Ext{ pc behind it, 0 }`, imm is the charge: the rest of the budget is given up.
pub noinline fn yield(op: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
    if (v.cpu.worker and b.single_step == 0) {
        // Whom it waits for runs elsewhere: a moment, not the rest of the slice.
        threads.relax();
        v.target = ext(op, 1).lo;
        v.slice -= run.pause_charge;
        if (v.slice < 0) return core.divert(&sliceEndTarget, op, b, v, .{ .a = fa, .b = fb, .c = fc });
        return core.divert(&miss, op, b, v, .{ .a = fa, .b = fb, .c = fc });
    }
    const reason: abi.Exit = if (b.single_step != 0) .step else .budget;
    return core.leave(b, v, .{ .a = fa, .b = fb, .c = fc }, ext(op, 1).lo, @bitCast(op[0].imm), reason);
}
