//! The cold part of a block: slow paths of accesses, instructions that are done exactly after all, and ways out. It is written behind the
//! block, so that the hot part is contiguous.

const layout = @import("layout.zig");
const memory = @import("memory.zig");
const thunks = @import("thunks.zig");
const translate = @import("translate.zig");
const vector = @import("vector.zig");
const x64 = @import("x64.zig");

const Asm = x64.Asm;
const Exit = translate.Exit;
const Translator = translate.Translator;

/// Code that is reached rarely and written behind the block.
pub const Cold = struct {
    from: x64.Fixup,
    /// Instruction it belongs to.
    index: u32,
    /// Vector registers that have copies where it comes back.
    copies: vector.Copies = .{},
    what: union(enum) {
        /// Slow path of an access; continues at `back`. `mark`: a store, whose value is to be put into `Cpu.value` first.
        read: struct { size: u8, back: u32 },
        write: struct { size: u8, back: u32, value: Value },
        modify: struct { back: u32 },
        based: BasedSlow,
        /// The current instruction is to be done by the interpreter's function; continues at `back`. `flags`: it sets NZCV, which the
        /// host's flags have there.
        exact: struct { back: u32, flags: bool },
        /// Alignment fault of the address in rax, or of sp.
        misaligned: bool,
        misaligned_sp,
        /// A branch that is taken.
        exit: Exit,
    },
};

/// What a store stores.
pub const Value = union(enum) {
    register: u32,
    vector: u32,
    /// Two, each of so many bytes.
    registers: Two,
    vector_pair: Two,
    /// Neighbours, v0 being v31's.
    vectors: struct { first: u32, count: u3, size: u5 },

    pub const Two = struct { first: u32, second: u32, size: u5 };
};

/// An access at `offset` from register n whose shared look-up does not serve it. A store has a value, and `back`, where the slow path
/// continues; `here` is where rax is the host pointer. `clears`: it was the one that made the look-up.
pub const BasedSlow = struct { n: u32, offset: i32, bytes: u8, value: ?Value, clears: bool, here: u32, back: u32 };

/// Writes it behind the block.
pub fn emit(t: *Translator, c: Cold) void {
    const a = &t.a;
    t.index = c.index;
    t.pc = t.page.va + (t.first + c.index) * 4;
    switch (c.what) {
        .read => |r| slowRead(t, c.from, r.size, r.back, c.copies),
        .write => |w| slowWrite(t, c.from, w.size, w.value, w.back, c.copies),
        .exact => |e| {
            a.linkHere(c.from);
            const insn = t.words[t.first + c.index];
            a.movImm(.rax, @intFromPtr(translate.functionOf(insn).?));
            a.movImm(.rdx, insn);
            a.callTo(if (e.flags) thunks.call_flags else thunks.call);
            c.copies.reload(a);
            if (e.flags) Translator.restoreHost(a);
            a.jmpTo(e.back);
        },
        .based => |b| {
            a.linkHere(c.from);
            const miss = memory.reprobe(t, b);
            if (b.value) |value| slowWrite(t, miss, b.bytes, value, b.back, c.copies) else slowRead(t, miss, b.bytes, b.here, c.copies);
        },
        .modify => |m| {
            a.linkHere(c.from);
            a.movImm(.rdx, t.place(true));
            a.callTo(thunks.modify);
            c.copies.reload(a);
            a.jmpTo(m.back);
        },
        .misaligned => |writes| {
            a.linkHere(c.from);
            a.movImm(.rdx, t.place(writes));
            a.jmpTo(thunks.misaligned);
        },
        .misaligned_sp => {
            a.linkHere(c.from);
            a.movImm(.rdx, t.place(false));
            a.jmpTo(thunks.misaligned_sp);
        },
        .exit => |e| t.emitExit(e, c.from),
    }
}

fn slowRead(t: *Translator, from: x64.Fixup, size: u8, back: u32, copies: vector.Copies) void {
    t.a.linkHere(from);
    t.a.movImm(.rcx, size);
    t.a.movImm(.rdx, t.place(false));
    t.a.callTo(thunks.read);
    copies.reload(&t.a);
    t.a.jmpTo(back);
}

fn slowWrite(t: *Translator, from: x64.Fixup, size: u8, value: Value, back: u32, copies: vector.Copies) void {
    t.a.linkHere(from);
    storeValue(t, value);
    t.a.movImm(.rcx, size);
    t.a.movImm(.rdx, t.place(true));
    t.a.callTo(thunks.write);
    copies.reload(&t.a);
    t.a.jmpTo(back);
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
        .vectors => |some| for (0..some.count) |i| {
            const number: u32 = @intCast(i);
            copyVector(a, (some.first + number) & 31, @intCast(number * some.size));
        },
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
