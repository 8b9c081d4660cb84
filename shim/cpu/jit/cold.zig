//! The cold part of a block: slow paths of accesses, instructions that are done exactly after all, and ways out. It is written behind the
//! block, so that the hot part is contiguous.

const exits = @import("exit.zig");
const flags = @import("flags.zig");
const flat = @import("flat.zig");
const layout = @import("layout.zig");
const mem = @import("../../mem/mem.zig");
const lookup = @import("lookup.zig");
const patch = @import("patch.zig");
const recipe = @import("recipe.zig");
const regs = @import("../simd/regs.zig");
const rows = @import("rows.zig");
const service = @import("service.zig");
const structure = @import("structure.zig");
const thunks = @import("thunks.zig");
const vector = @import("vector.zig");
const x64 = @import("x64.zig");

const Asm = x64.Asm;
const Exit = exits.Exit;
const Translator = @import("translate.zig").Translator;

/// Code that is reached rarely and written behind the block.
pub const Cold = struct {
    from: x64.Fixup,
    /// Instruction it belongs to.
    index: u32,
    /// Vector registers that have copies where it comes back.
    copies: vector.Copies = .{},
    /// How to compute NZCV, which is saved nowhere.
    again: ?recipe.Recipe = null,
    /// Where registers are there (`registers.zig`).
    version: u32 = 0,
    /// What the access asked first.
    window: ?Window = null,
    near: ?Near = null,
    what: union(enum) {
        /// Slow path of an access; continues at `back`. `mark`: a store, whose value is to be put into `Cpu.value` first.
        read: struct { size: u8, back: u32 },
        /// `after`: vector registers that have copies there, when they are others than where it was left.
        write: struct { size: u8, back: u32, value: Value, after: ?vector.Copies = null },
        modify: struct { back: u32 },
        /// An access to the mirror. It has no `from`.
        flat: flat.Access,
        /// The look-up that accesses share; comes back with the host pointer, or goes on without sharing.
        range: struct { bytes: u16, writes: bool, back: u32 },
        /// The current instruction is to be done by the interpreter's function; continues at `back`. `flags`: it sets NZCV, which the
        /// host's flags have there.
        exact: struct { back: u32, flags: bool },
        /// Numbers that were compared are none; continues at `back` with NZCV in the host's flags.
        unordered: struct { back: u32 },
        /// The current instruction has saturated; continues at `back`.
        saturated: struct { back: u32 },
        /// Alignment fault of the address in rax, or of sp.
        misaligned: bool,
        misaligned_sp,
        /// sp is not what flat code has to have.
        wild,
        /// A branch that is taken.
        exit: Exit,
        /// Where the way on leads at first.
        link: Link,
        far: Far,
        guess: Guess,
        /// One inside the loop, before which NZCV has to be saved.
        inside: struct { index: u32, exit: Exit },
        /// The slice is used up at the start of a loop.
        spent,
    },
};

/// Of an access of `bytes`. `found`: where it goes on with the host pointer in rax.
pub const Window = struct { what: service.Opening, bytes: i32, found: u32 = 0 };

/// The page of what `base` holds was looked up for the access `offset` bytes from there. `found`: where it goes on with rcx what the host adds.
pub const Near = struct { base: x64.Reg, offset: i32, found: u32 = 0 };

/// Where it enters the block: `back`, at the head and maybe as the end of a loop; behind the head, which counts, when it leads on.
pub const Link = struct { word: u32, enters: enum { head, behind, back } };
pub const Far = struct { target: u64, site: patch.Far };
/// `start`: of the first comparison; `also`: its branch.
pub const Guess = struct { start: u32, also: x64.Fixup };

/// What a store stores.
pub const Value = union(enum) {
    register: u32,
    vector: u32,
    /// Two, each of so many bytes.
    registers: Two,
    vector_pair: Two,
    /// What an instruction of `structure.zig` stores.
    structure: u32,

    pub const Two = struct { first: u32, second: u32, size: u5 };
};

/// Writes it behind the block.
pub fn emit(t: *Translator, c: Cold) void {
    const a = &t.a;
    t.index = c.index;
    t.pc = t.page.va + (t.first + c.index) * 4;
    switch (c.what) {
        .read => |r| {
            a.linkHere(c.from);
            openWindow(t, c);
            if (c.near) |n| lookBeyond(a, n, r.size, .read);
            keepFlags(t, c);
            a.movImm(.rcx, r.size);
            a.movImm(.rdx, t.place(false));
            t.callThunk(thunks.read);
            c.copies.reload(a);
            if (c.near) |n| leadNear(a, n);
            a.jmpTo(r.back);
        },
        .write => |w| {
            a.linkHere(c.from);
            openWindow(t, c);
            if (c.near) |n| lookBeyond(a, n, w.size, .write);
            storeValue(t, w.value);
            keepFlags(t, c);
            a.movImm(.rcx, w.size);
            a.movImm(.rdx, t.place(true));
            t.callThunk(thunks.write);
            (w.after orelse c.copies).reload(a);
            a.jmpTo(w.back);
        },
        .flat => |f| flat.emitCold(t, c, f),
        .range => |r| slowRange(t, c, r.bytes, r.writes, r.back),
        .exact => |e| {
            a.linkHere(c.from);
            const insn = t.words[t.first + c.index];
            a.movImm(.rax, @intFromPtr(rows.functionOf(insn).?));
            a.movImm(.rdx, insn);
            t.callThunk(if (e.flags) thunks.call_flags else thunks.call);
            c.copies.reload(a);
            if (e.flags) Translator.restoreHost(a);
            a.jmpTo(e.back);
        },
        .unordered => |u| {
            a.linkHere(c.from);
            flags.set(a, 0b0011);
            a.jmpTo(u.back);
        },
        .saturated => |s| {
            a.linkHere(c.from);
            a.aluImm(.@"or", .d, .{ .mem = layout.blockField("fpsr") }, regs.fpsr_qc);
            for ([_]i32{ 0, 8 }) |offset| {
                var half = layout.cpuField("unsaturated");
                half.disp += offset;
                a.storeImm(.q, half, 0);
            }
            a.jmpTo(s.back);
        },
        .modify => |m| {
            a.linkHere(c.from);
            openWindow(t, c);
            keepFlags(t, c);
            a.movImm(.rdx, t.place(true));
            t.callThunk(thunks.modify);
            c.copies.reload(a);
            a.jmpTo(m.back);
        },
        .misaligned => |writes| {
            a.linkHere(c.from);
            keepFlags(t, c);
            a.movImm(.rdx, t.place(writes));
            t.jumpThunk(thunks.misaligned);
        },
        .misaligned_sp => {
            a.linkHere(c.from);
            if (c.again) |again| t.saveAgain(again);
            a.movImm(.rdx, t.place(false));
            t.jumpThunk(thunks.misaligned_sp);
        },
        .wild => {
            a.linkHere(c.from);
            if (c.again) |again| t.saveAgain(again);
            a.movImm(.rax, t.pc + 4);
            t.jumpThunk(thunks.wild);
        },
        .exit => |e| exits.emit(t, e, c.from),
        .link => |l| exits.emitLink(t, c.from, l),
        .far => |f| exits.emitFarMiss(t, c.from, f),
        .guess => |g| exits.emitGuessMiss(t, c.from, g),
        .inside => |i| {
            a.linkHere(c.from);
            exits.saveAt(t, i.exit);
            t.loop.?.lead(t, a.jmp(), i.index);
        },
        .spent => {
            a.linkHere(c.from);
            if (c.again) |again| t.saveAgain(again);
            a.movImm(.rdx, t.place(false));
            t.jumpThunk(thunks.slice);
        },
    }
}

/// Before guest code may be left with the address in rax, which is kept: NZCV has to be saved.
fn keepFlags(t: *Translator, c: Cold) void {
    const again = c.again orelse return;
    t.a.store(.q, .{ .mem = layout.cpuField("spill") }, .rax);
    t.saveAgain(again);
    t.a.mov(.q, .rax, .{ .mem = layout.cpuField("spill") });
}

/// Goes back when the TLB has the page of the address in rax, or a window can be opened around it. rax is kept else.
fn openWindow(t: *Translator, c: Cold) void {
    const w = c.window orelse return;
    if (w.what.slot < mem.tlb.stack_windows) {
        t.a.store(.q, .{ .mem = layout.cpuField("spill") }, .rax);
        t.a.lea(.q, .rcx, .{ .base = .rax, .disp = w.bytes - 1 });
        t.a.movImm(.rdx, @as(u32, @bitCast(w.what)));
        t.a.aluImm(.sub, .d, .{ .mem = layout.window(w.what.slot, "patience") }, 1);
        t.callThunk(if (w.what.writes) thunks.stack_write else thunks.stack_read);
    } else {
        const misses = lookup.probeBehind(t, w);
        t.a.jmpTo(w.found);
        for (misses) |f| t.a.linkHere(f);
        t.a.store(.q, .{ .mem = layout.cpuField("spill") }, .rax);
        t.a.movImm(.rdx, @as(u32, @bitCast(w.what)));
        t.callThunk(thunks.window);
    }
    c.copies.reload(&t.a);
    t.a.@"test"(.q, .{ .reg = .rax }, .rax);
    t.a.jccTo(.ne, w.found);
    t.a.mov(.q, .rax, .{ .mem = layout.cpuField("spill") });
}

/// rax = the access's address, whose page is looked up if it may be another than the base's.
fn lookBeyond(a: *Asm, n: Near, size: u8, comptime kind: lookup.Probe) void {
    if (n.base == .rax and n.offset == 0) return;
    a.lea(.q, .rax, .{ .base = n.base, .disp = n.offset });
    if (n.offset == 0) return;
    a.lea(.q, .rdx, .{ .base = .rax, .disp = size - 1 });
    a.callTo(if (kind == .write) thunks.beyond_write else thunks.beyond_read);
    if (n.base == .rax) a.lea(.q, .rax, .{ .base = .rax, .disp = -n.offset });
    a.jccTo(.e, n.found);
    if (n.base == .rax) a.lea(.q, .rax, .{ .base = .rax, .disp = n.offset });
}

/// rax is the host pointer of the access: what it goes on with instead.
fn leadNear(a: *Asm, n: Near) void {
    if (n.base == .rax) {
        if (n.offset != 0) a.lea(.q, .rax, .{ .base = .rax, .disp = -n.offset });
        return a.movImm(.rcx, 0);
    }
    a.lea(.q, .rcx, .{ .base = .rax, .disp = -n.offset });
    a.alu(.sub, .q, .rcx, .{ .reg = n.base });
}

fn slowRange(t: *Translator, c: Cold, bytes: u16, writes: bool, back: u32) void {
    const a = &t.a;
    a.linkHere(c.from);
    openWindow(t, c);
    a.movRegs(.d, .rcx, .rax);
    a.aluImm(.@"and", .d, .{ .reg = .rcx }, 4095);
    a.aluImm(.cmp, .d, .{ .reg = .rcx }, 4096 - @as(i32, bytes));
    const two_pages = a.jcc(.a);
    a.movImm(.rdx, @intFromBool(writes));
    t.callThunk(thunks.range);
    c.copies.reload(a);
    a.@"test"(.q, .{ .reg = .rax }, .rax);
    a.jccTo(.ne, back);
    a.linkHere(two_pages);
    if (c.again) |again| t.saveAgain(again);
    t.leaveMap();
    patch.alignField(a, 1);
    const site = a.jmp();
    a.linkHere(site);
    a.movImm(.rcx, site.at);
    a.movImm(.rdx, t.place(false));
    a.jmpTo(thunks.plain);
}

/// Puts what a store stores into `Cpu.value`. rax is kept.
fn storeValue(t: *Translator, value: Value) void {
    const a = &t.a;
    switch (value) {
        .register => |r| a.store(.q, .{ .mem = valueAt(0) }, t.use(.q, r, .rdx)),
        .vector => |v| copyVector(a, v, 0),
        .registers => |two| {
            a.store(.q, .{ .mem = valueAt(0) }, t.use(.q, two.first, .rdx));
            a.store(.q, .{ .mem = valueAt(two.size) }, t.use(.q, two.second, .rdx));
        },
        .vector_pair => |two| {
            copyVector(a, two.first, 0);
            copyVector(a, two.second, two.size);
        },
        .structure => |insn| structure.storeTo(t, insn, valueAt(0)),
    }
}

fn copyVector(a: *Asm, v: u32, offset: u6) void {
    a.sse(.none, 0x10, .xmm0, .{ .mem = layout.vector(v, 0) });
    a.sse(.none, 0x11, .xmm0, .{ .mem = valueAt(offset) });
}

fn valueAt(offset: u6) layout.Mem {
    var m = layout.cpuField("value");
    m.disp += offset;
    return m;
}
