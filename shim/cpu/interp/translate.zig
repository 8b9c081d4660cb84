//! Turns A64 words into ops, a run of them at a time: straight on from the entry, past conditional branches, to the first
//! unconditional one, the end of the page, or `run_max` instructions.

const abi = @import("../../abi.zig");
const access = @import("access.zig");
const branch = @import("branch.zig");
const cache = @import("cache.zig");
const cond = @import("cond.zig");
const core = @import("core.zig");
const decoder = @import("../decoder.zig");
const pairs = @import("pairs.zig");
const simd = @import("../simd/simd.zig");

const Op = core.Op;
const Handler = core.Handler;

const run_max = 96;
/// Ops that one instruction takes at most, its stub included.
const slots_per_instruction = 8;
const room_slots = run_max * slots_per_instruction + 8;

/// The functions that translate a class of instructions; false: undefined after all.
const chapters = .{
    @import("emit_alu.zig"),
    @import("emit_branch.zig"),
    @import("emit_memory.zig"),
    @import("emit_system.zig"),
};

pub const Translator = struct {
    ops: [*]Op,
    nth: [*]u8,
    count: u32 = 0,
    /// Instructions of the run so far, and the address of the current one.
    index: u32 = 0,
    pc: u64,
    /// Nothing follows in this run.
    done: bool = false,
    single: bool = false,
    /// What the previous instruction left that the current one may be joined with.
    previous: Joint = .none,
    current: Joint = .none,
    /// The instruction that the ops of this one are counted to: the first of those that were joined.
    owner: u8 = 0,
    /// Branches whose stubs are still to be written.
    pending: [run_max + 1]struct { slot: u32, target: u64, index: u32 } = undefined,
    pending_count: u32 = 0,
    /// The slots where ops (not their further words) begin.
    starts: [room_slots]u16 = undefined,
    start_count: u32 = 0,

    /// One more op for the current instruction.
    pub fn emit(t: *Translator, op: Op) void {
        t.starts[t.start_count] = @intCast(t.count);
        t.start_count += 1;
        t.put(op);
    }

    /// Two more words for the op just emitted.
    pub fn emitExt(t: *Translator, lo: u64, hi: u64) void {
        const e: core.Ext = .{ .lo = lo, .hi = hi };
        t.put(@bitCast(e));
    }

    fn put(t: *Translator, op: Op) void {
        t.ops[t.count] = op;
        t.nth[t.count] = t.owner;
        t.count += 1;
    }

    /// Takes back the ops from `slot` on: this instruction does the work of the one that they belong to as well. An exit
    /// in front of them reports that one's pc.
    pub fn absorb(t: *Translator, slot: u32) void {
        t.owner = t.nth[slot];
        t.rewind(slot);
    }

    /// Takes back what was emitted from `slot` on.
    fn rewind(t: *Translator, slot: u32) void {
        t.count = slot;
        while (t.start_count > 0 and t.starts[t.start_count - 1] >= slot) t.start_count -= 1;
    }

    /// Instructions of the run up to and including this one.
    pub fn charge(t: *const Translator) u31 {
        return @intCast(t.index + 1);
    }

    /// Adds the slot of a direct branch, and (later) its stub.
    pub fn emitTarget(t: *Translator, target: u64) void {
        t.pending[t.pending_count] = .{ .slot = t.count, .target = target, .index = t.index };
        t.pending_count += 1;
        t.emitExt(0, t.charge());
    }

    /// Ends the run here: execution goes on at `target`.
    pub fn emitJump(t: *Translator, target: u64) void {
        t.emit(.{ .handler = &branch.jump });
        t.emitTarget(target);
        t.done = true;
    }

    /// The stubs of all branches of the run.
    fn emitStubs(t: *Translator, page: u64) void {
        for (t.pending[0..t.pending_count]) |p| {
            const stub = &t.ops[t.count];
            const slot: *core.Ext = @ptrCast(&t.ops[p.slot]);
            slot.lo = @intFromPtr(stub);
            t.owner = @intCast(p.index);
            const inside = !t.single and p.target & ~@as(u64, abi.page_size - 1) == page;
            t.emit(.{ .handler = if (inside) &branch.link else &branch.far });
            t.emitExt(p.target, @intFromPtr(&slot.lo));
        }
    }

    /// The instruction ends guest code with `reason`.
    pub fn emitStop(t: *Translator, reason: abi.Exit, esr: u32) void {
        t.emit(.{ .handler = &branch.stop, .d = @intCast(@intFromEnum(reason)), .imm = @bitCast(esr) });
        t.done = true;
    }

    fn one(t: *Translator, insn: u32) void {
        t.current = .none;
        t.owner = @intCast(t.index);
        const before = t.count;
        if (!t.known(insn)) {
            t.rewind(before);
            t.emitStop(.undefined, access.syndrome(0, 0));
        }
        t.previous = t.current;
    }

    fn known(t: *Translator, insn: u32) bool {
        if (decoder.isSimd(insn)) return t.floating(insn);
        switch (decoder.class(insn) orelse return false) {
            inline else => |c| {
                inline for (chapters) |chapter| {
                    if (@hasDecl(chapter, @tagName(c))) return @field(chapter, @tagName(c))(t, insn);
                }
                return false;
            },
        }
    }

    fn floating(t: *Translator, insn: u32) bool {
        const handler = simd.lookup(Handler, wrap, insn) orelse return false;
        const op: Op = .{ .handler = handler, .imm = @bitCast(insn) };
        switch (simd.usesFlags(insn)) {
            .none => t.emit(op),
            .read => {
                t.emit(.{ .handler = cond.flags_to_block });
                t.emit(op);
                if (simd.writesFlags(insn)) t.emit(.{ .handler = cond.flags_from_block });
            },
            .write => {
                t.emit(op);
                t.emit(.{ .handler = cond.flags_from_block });
            },
        }
        return true;
    }
};

/// Makes a handler of a function on the register block.
fn wrap(comptime function: fn (b: *core.Block, insn: u32) void) Handler {
    return &struct {
        noinline fn handler(op: [*]const Op, b: *core.Block, v: *core.Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
            function(b, @bitCast(op[0].imm));
            return core.next(op + 1, b, v, .{ .a = fa, .b = fb, .c = fc });
        }
    }.handler;
}

/// A previous instruction that a following one may absorb.
pub const Joint = union(enum) {
    none,
    /// SUBS or ANDS in one slot at `slot`.
    compare: struct { slot: u32, wide: bool, kind: branch.Compare, keeps: bool },
    /// `lane` was set to a constant by the op at `slot`.
    constant: struct { slot: u32, lane: u8, value: u64 },
};

/// Translates the run that starts at word `first` of the page. Null when the cache had to be flushed for it.
pub fn block(page: *cache.Page, words: *const [cache.page_words]u32, first: u32) ?[*]const Op {
    const room = cache.room(room_slots) orelse return null;
    var t: Translator = .{ .ops = room.ops, .nth = room.nth, .pc = page.va + first * 4 };
    while (true) {
        t.one(words[first + t.index]);
        if (t.done) break;
        t.pc += 4;
        if (first + t.index + 1 == cache.page_words or t.index + 1 == run_max) {
            t.emitJump(t.pc);
            break;
        }
        t.index += 1;
    }
    const instructions = t.index + 1;
    pairs.join(t.ops[0..t.count], t.starts[0..t.start_count]);
    t.emitStubs(page.va);
    return cache.publish(page, first, t.count, instructions);
}

/// Translates one instruction, to be executed on its own.
pub fn single(out: *core.Single, pc: u64, insn: u32) void {
    out.pc = pc;
    var unused_nth: [16]u8 = undefined;
    var t: Translator = .{ .ops = &out.ops, .nth = &unused_nth, .pc = pc, .single = true };
    t.one(insn);
    if (!t.done) {
        t.emit(.{ .handler = &branch.stepped });
        t.emitExt(pc + 4, 0);
    }
    t.emitStubs(0);
}

/// Is `insn` an instruction of this CPU? A row of the table says how it looks, its translator whether its fields are reserved.
pub fn allocated(insn: u32) bool {
    var ops: [slots_per_instruction * 2]Op = undefined;
    var unused_nth: [ops.len]u8 = undefined;
    var t: Translator = .{ .ops = &ops, .nth = &unused_nth, .pc = 0, .single = true };
    return t.known(insn);
}
