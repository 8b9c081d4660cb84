//! Loads and stores of one register or a pair where memory is in the CPU's mirror (`mirror.zig`): one instruction of the host, off the guest's
//! base register, after it was found to be below the end of the guest's addresses. It need not be asked again while the block
//! only adds constants to it. Around the mirror nothing is mapped for as far as those can lead. Registers that a loop does not take
//! further than its accesses reach are asked once, before it (`near.zig`).
//!
//! sp is never asked where it is used: flat code is entered with one that is aligned and near the guest's addresses, and whatever changes it
//! otherwise than by a constant sees to it (`keepStack`), or goes on in code that asks the TLB.
//!
//! What is not mapped there, and what lies beyond, goes to the cold part of the access (`service.flat`), and then again to its start, or behind it, when
//! the interpreter has done it; or, when it lay beyond, on in code that asks the TLB, since nothing is known of its base. So an instruction that loads
//! changes registers only when it can fault no more. A pair that is stored may be stored by half when the other half faults, as on a real CPU.

const cold = @import("cold.zig");
const decoder = @import("../decoder.zig");
const fields = @import("../interp/fields.zig");
const flags = @import("flags.zig");
const group = @import("group.zig");
const hoist = @import("hoist.zig");
const info = @import("info.zig");
const layout = @import("layout.zig");
const lookup = @import("lookup.zig");
const memory = @import("memory.zig");
const mirror = @import("mirror.zig");
const service = @import("service.zig");
const thunks = @import("thunks.zig");
const trap = @import("trap.zig");
const vector = @import("vector.zig");
const x64 = @import("x64.zig");

const Translator = @import("translate.zig").Translator;
const Reg = x64.Reg;
const bit = fields.bit;
const bits = fields.bits;
const rn = fields.rn;

/// How far a base register may be from the guest's addresses.
const drift_max = 1 << 20;
/// How far sp, and what loops begin with, may be where blocks and loops begin.
pub const drift_first = 1 << 16;

/// What the cold part of an access needs. Offsets are the arena's.
pub const Access = struct {
    place: Place,
    bytes: u8,
    writes: bool,
    /// The branch of the comparison; numbers of the accesses that may fault (`trap.zig`).
    check: ?x64.Fixup = null,
    first: u32 = 0,
    count: u32 = 0,
    /// Where it begins, and where the next instruction does.
    again: u32,
    next: u32 = 0,
    /// NZCV is in the host's flags, so.
    form: ?flags.Form = null,
    /// It is saved nowhere else.
    unsaved: bool = false,
    /// Vector registers that have copies at `next`; the register that a scratch register has at `again`, and at `next`.
    after: vector.Copies = .{},
    held: ?Held,
    held_after: ?Held = null,
};

const Held = struct { guest: u32, reg: Reg };

fn heldNow(t: *const Translator) ?Held {
    return if (t.held.at == t.a.at) .{ .guest = t.held.guest, .reg = t.held.reg } else null;
}

fn holdAgain(a: *x64.Asm, held: ?Held) void {
    const h = held orelse return;
    a.mov(.q, h.reg, .{ .mem = layout.lane(h.guest) });
}

const Based = struct { n: u32, offset: i32 };

/// `aligned`: it has to be. `line`: what DC ZVA clears, wherever in it the register points.
const Place = union(enum) { based: Based, indexed: u32, aligned: Based, line: u32 };

/// Where register n may be: known to be so near to the guest's addresses.
fn isNear(t: *const Translator, n: u32) bool {
    if (t.constants[n]) |value| return value < mirror.end;
    return t.drift[n] != null;
}

/// Register r is what register n was, or that and a constant.
pub fn moved(t: *Translator, r: u32, drift: ?i32, by: i32) void {
    const all = (drift orelse return) + @as(i32, @intCast(@abs(by)));
    t.drift[r] = if (all > drift_max) null else all;
}

/// `changes`: the host's flags will not last.
pub fn begin(t: *Translator, n: u32, changes: bool) void {
    if (changes or !isNear(t, n)) t.clobberExactly();
    if (n == layout.sp) t.checkSp();
}

/// Does adding to register n in its place change the host's flags?
fn addsInMemory(t: *const Translator, n: u32, mode: memory.Mode) bool {
    return mode != .offset and t.hostOf(n) == null;
}

fn start(t: *Translator, place: Place, bytes: u8, writes: bool) Access {
    var access: Access = .{ .place = place, .bytes = bytes, .writes = writes, .again = t.a.at, .held = heldNow(t) };
    switch (t.state) {
        .host => |form| {
            access.form = form;
            access.unsaved = true;
        },
        .both => access.form = .inverted,
        else => {},
    }
    t.a.guest_count = 0;
    return access;
}

/// The access begins. Where its memory is; rax may be in use from now on.
pub fn open(t: *Translator, place: Place, bytes: u8, writes: bool) x64.Mem {
    var access = start(t, place, bytes, writes);
    const there: x64.Mem = switch (place) {
        .based => |b| there: {
            const base = t.useSp(.q, b.n, .rax);
            if (!isNear(t, b.n)) access.check = compare(t, base);
            // Where it is when this was an address of the guest's.
            t.drift[b.n] = @intCast(@abs(b.offset) + bytes);
            break :there .{ .base = base, .disp = b.offset };
        },
        .indexed => |insn| there: {
            if (scaleOfSmall(t, insn)) |scale| {
                const base = t.useSp(.q, rn(insn), .rax);
                if (!isNear(t, rn(insn))) {
                    access.check = compare(t, base);
                    t.drift[rn(insn)] = 0;
                }
                break :there .{ .base = base, .index = lookup.indexRegister(t, insn), .scale = scale };
            }
            lookup.indexedAddress(t, insn);
            access.check = compare(t, .rax);
            break :there .{ .base = .rax };
        },
        .line => |n| there: {
            t.load(.q, .rax, n);
            access.check = compare(t, .rax);
            t.a.aluImm(.@"and", .q, .{ .reg = .rax }, -@as(i32, bytes));
            break :there .{ .base = .rax };
        },
        .aligned => unreachable,
    };
    t.addCold(.{ .at = 0 }, .{ .flat = access });
    return in(there, 0);
}

/// The same for what has to be aligned, in two steps: rax = the address, which is a multiple of the access's size. `stores`: it does nothing
/// else, says the fault of one that is not. The host's flags are nobody's.
pub fn openAligned(t: *Translator, n: u32, offset: i32, scale: u3, writes: bool, stores: bool) Access {
    begin(t, n, true);
    const access = start(t, .{ .aligned = .{ .n = n, .offset = offset } }, @as(u8, 1) << scale, writes);
    lookup.baseAddress(t, n, offset);
    memory.checkAligned(t, scale, stores);
    return access;
}

/// Where its memory is: off rax, or off no scratch register.
pub fn continueAligned(t: *Translator, opened: Access) x64.Mem {
    var access = opened;
    const b = access.place.aligned;
    if (!isNear(t, b.n)) access.check = compare(t, .rax);
    t.drift[b.n] = @intCast(@abs(b.offset) + access.bytes);
    t.addCold(.{ .at = 0 }, .{ .flat = access });
    const host = if (b.offset == 0) t.hostOf(b.n) else null;
    return in(.{ .base = host orelse .rax }, 0);
}

/// The scale of an index that the instructions before tell to be small.
fn scaleOfSmall(t: *const Translator, insn: u32) ?u2 {
    const joins: []const bool = if (t.loop) |l| &l.joins else &joins_of_block;
    const x = memory.transfer(insn).?;
    const amount: u3 = if (bit(insn, 12)) x.scale else 0;
    if (amount > 3) return null;
    const most = hoist.mostOf(t.words[t.first..], joins, t.index, fields.rm(insn)) orelse return null;
    return if (most << amount <= drift_max) @intCast(amount) else null;
}

const joins_of_block = [_]bool{true} ++ [_]bool{false} ** 127;

/// Branches where the address is none of the guest's. The host's flags are nobody's.
pub fn compare(t: *Translator, address: Reg) x64.Fixup {
    t.a.alu(.cmp, .q, address, .{ .mem = layout.blockField("flat_end") });
    return t.a.jcc(.ae);
}

/// The guest's memory so many bytes further on.
fn in(there: x64.Mem, further: i32) x64.Mem {
    var m = there;
    if (!m.guest) m.disp += mirror.distance;
    m.guest = true;
    m.gs = true;
    m.disp += further;
    return m;
}

/// The instruction that `open` began is complete.
pub fn close(t: *Translator) void {
    const access = &t.lastCold().what.flat;
    access.next = t.a.at;
    access.after = t.copies;
    access.held_after = heldNow(t);
    for (t.a.guests[0..t.a.guest_count], 0..) |at, i| {
        const number = trap.add(at);
        if (i == 0) access.first = number;
    }
    access.count = t.a.guest_count;
}

/// The rest of an instruction that moves one register.
fn move(t: *Translator, x: memory.Transfer, r: u32, there: x64.Mem) void {
    switch (x.kind) {
        .prefetch => unreachable,
        .load => |extend| memory.loadGeneral(t, r, x.scale, extend, there),
        .store => memory.storeGeneral(t, r, x.scale, there),
        .load_vector => memory.loadVector(t, r, x.scale, there),
        .store_vector => memory.storeVector(t, r, x.scale, there),
    }
}

/// What DC ZVA clears.
pub fn line(t: *Translator, n: u32, bytes: u8) x64.Mem {
    t.clobberExactly();
    return open(t, .{ .line = n }, bytes, true);
}

pub fn atBase(t: *Translator, insn: u32, x: memory.Transfer, mode: memory.Mode, offset: i32) void {
    const n = rn(insn);
    begin(t, n, addsInMemory(t, n, mode));
    const place: Place = .{ .based = .{ .n = n, .offset = if (mode == .post) 0 else offset } };
    move(t, x, bits(insn, 0, 5), open(t, place, @as(u8, 1) << x.scale, x.kind == .store or x.kind == .store_vector));
    if (mode != .offset) memory.writeBack(t, n, offset);
    close(t);
}

pub fn indexed(t: *Translator, insn: u32, x: memory.Transfer) void {
    const asks = scaleOfSmall(t, insn) == null or !isNear(t, rn(insn));
    begin(t, rn(insn), asks);
    move(t, x, bits(insn, 0, 5), open(t, .{ .indexed = insn }, @as(u8, 1) << x.scale, x.kind == .store or x.kind == .store_vector));
    close(t);
}

pub fn pair(t: *Translator, insn: u32, p: memory.Pair) void {
    const n = rn(insn);
    const first = bits(insn, 0, 5);
    const second = bits(insn, 10, 5);
    const size = @as(u8, 1) << p.scale;
    begin(t, n, addsInMemory(t, n, p.mode));
    const there = open(t, .{ .based = .{ .n = n, .offset = if (p.mode == .post) 0 else p.offset } }, 2 * size, !p.loads);
    const further = in(there, size);
    if (!p.loads) {
        for ([2]u32{ first, second }, [2]x64.Mem{ there, further }) |r, m| {
            if (p.vectors) memory.storeVector(t, r, p.scale, m) else memory.storeGeneral(t, r, p.scale, m);
        }
    } else if (p.vectors) {
        memory.loadXmm(t, .xmm0, p.scale, there);
        memory.loadXmm(t, .xmm1, p.scale, further);
        memory.putVector(t, first, .xmm0, p.scale);
        memory.putVector(t, second, .xmm1, p.scale);
    } else {
        // LDPSW is the signed one.
        const extend: memory.Extend = if (bits(insn, 30, 2) == 1) .sign_x else .zero;
        memory.extendInto(t, .rcx, p.scale, extend, there);
        memory.loadGeneral(t, second, p.scale, extend, further);
        if (first != second) t.put(first, .rcx);
    }
    if (p.mode != .offset) memory.writeBack(t, n, p.offset);
    close(t);
}

/// After an instruction: leaves flat code when sp is not what it has to be.
pub fn keepStack(t: *Translator) void {
    const known = t.drift[layout.sp] != null and t.sp_checked;
    if (known and (t.drift[layout.sp].? <= drift_first or isUsedAhead(t))) return;
    t.clobber();
    const sp = t.gprSp(layout.sp);
    if (!t.sp_checked) {
        t.a.testImm(.b, sp, 15);
        t.addCold(t.a.jcc(.ne), .wild);
    }
    t.addCold(compare(t, t.useSp(.q, layout.sp, .rax)), .wild);
    stackIsGood(t, 0);
}

/// Is there an access off sp before the block can be left?
fn isUsedAhead(t: *const Translator) bool {
    for (t.words[t.first + t.index + 1 .. t.first + t.count]) |insn| {
        if (group.fixedAccess(insn, layout.sp) != null) return true;
        if (group.changes(insn, layout.sp)) return false;
        if (decoder.isSimd(insn)) continue;
        switch (info.class(insn) orelse return false) {
            .branch_cond, .compare_branch, .test_branch => return false,
            else => {},
        }
    }
    return false;
}

pub fn stackIsGood(t: *Translator, drift: i32) void {
    t.drift[layout.sp] = drift;
    t.sp_checked = true;
}

/// Writes the cold part of an access.
pub fn emitCold(t: *Translator, c: cold.Cold, access: Access) void {
    const a = &t.a;
    if (access.check) |f| a.linkHere(f);
    for (access.first..access.first + access.count) |number| trap.goesOn(@intCast(number), a.at);
    if (access.unsaved) t.saveForm(access.form.?) else if (c.again) |again| t.saveAgain(again);
    switch (access.place) {
        .based, .aligned => |b| {
            const base = t.useSp(.q, b.n, .rax);
            if (b.offset != 0) a.lea(.q, .rax, .{ .base = base, .disp = b.offset }) else a.movRegs(.q, .rax, base);
        },
        .indexed => |insn| lookup.indexedAddress(t, insn),
        .line => |n| t.load(.q, .rax, n),
    }
    // A line is in one page, wherever in it the register points.
    const what: service.Missed = .{ .size = if (access.place == .line) 1 else access.bytes, .insn = t.words[t.first + t.index] };
    a.movImm(.rcx, @bitCast(what));
    a.movImm(.rdx, t.place(access.writes));
    t.callThunk(thunks.flat);
    a.aluImm(.cmp, .d, .{ .reg = .rax }, @intFromEnum(service.Flat.done));
    const done = a.jcc(.e);
    const beyond = a.jcc(.a);
    restoreFlags(t, access);
    c.copies.reload(a);
    holdAgain(a, access.held);
    a.jmpTo(access.again);
    a.linkHere(done);
    restoreFlags(t, access);
    access.after.reload(a);
    holdAgain(a, access.held_after);
    a.jmpTo(access.next);
    a.linkHere(beyond);
    a.movImm(.rax, t.pc + 4);
    t.jumpThunk(thunks.wild);
}

fn restoreFlags(t: *Translator, access: Access) void {
    const form = access.form orelse return;
    Translator.restoreHost(&t.a);
    if (form == .direct) t.a.cmc();
}
