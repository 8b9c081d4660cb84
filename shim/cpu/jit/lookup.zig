//! Where an access finds its memory: in rax, or off rax or its base register, is the host's place afterwards. It is looked up in the software TLB
//! (shim/mem/tlb.zig says how) or in a window; what misses leaves for the cold part of the block.

const alu = @import("alu.zig");
const cold = @import("cold.zig");
const fields = @import("../interp/fields.zig");
const group = @import("group.zig");
const hoist = @import("hoist.zig");
const host = @import("host.zig");
const layout = @import("layout.zig");
const mem = @import("../../mem/mem.zig");
const memory = @import("memory.zig");
const x64 = @import("x64.zig");

const Translator = @import("translate.zig").Translator;
const Value = cold.Value;
const Reg = x64.Reg;
const bit = fields.bit;
const bits = fields.bits;
const rn = fields.rn;
const rm = fields.rm;

/// rax = base (x0..x30 or sp) plus offset.
pub fn baseAddress(t: *Translator, n: u32, offset: i32) void {
    if (t.registerOf(n)) |h| {
        if (offset == 0) t.a.movRegs(.q, .rax, h) else t.a.lea(.q, .rax, .{ .base = h, .disp = offset });
    } else if (constant(t, n, offset)) |addr| {
        t.a.movImm(.rax, addr);
    } else {
        t.a.mov(.q, .rax, .{ .mem = layout.lane(n) });
        if (offset != 0) t.a.lea(.q, .rax, .{ .base = .rax, .disp = offset });
    }
}

pub const Probe = enum { read, write };

/// How an address was looked up: the host's condition that it was not found, and the window that was asked.
const Probed = struct { miss: x64.Cc = .ne, window: ?cold.Window = null, writes: bool };

/// Looks up the page of the `bytes` at rax. `known`: what rax is, when that is known now.
/// `n`: the base register, if the address depends on nothing else.
fn probe(t: *Translator, n: ?u32, known: ?u64, bytes: i32, comptime kind: Probe) Probed {
    if (known == null) if (windowFor(t, n, bytes, kind == .write)) |w| {
        t.a.movRegs(.q, .rdx, .rax);
        t.a.alu(.sub, .q, .rdx, .{ .mem = layout.window(w.what.slot, "low") });
        t.a.alu(.cmp, .q, .rdx, .{ .mem = layout.window(w.what.slot, "limit") });
        return .{ .miss = .ae, .window = w, .writes = kind == .write };
    };
    probeTlb(&t.a, known, bytes, kind);
    return .{ .writes = kind == .write };
}

/// A window for an access off register n, if it is to have one: that of the place in a loop, or that of the stack.
fn windowFor(t: *Translator, n: ?u32, bytes: i32, writes: bool) ?cold.Window {
    if (t.loop) |l| return l.window(t, bytes, writes);
    // Not off x29: where compilers leave out the frame pointer it may be anything.
    if (n != layout.sp) return null;
    // It is for all of them, so for the longest.
    const slot: u16 = if (writes) mem.tlb.stack_write else mem.tlb.stack_read;
    return .{ .what = .{ .slot = slot, .writes = writes, .bytes = group.longest }, .bytes = bytes };
}

/// After a window missed the address in rax: where it goes on to open another, else rax is the host pointer.
pub fn probeBehind(t: *Translator, w: cold.Window) [2]x64.Fixup {
    t.a.aluImm(.sub, .d, .{ .mem = layout.window(w.what.slot, "patience") }, 1);
    const spent = t.a.jcc(.s);
    if (w.what.writes) probeTlb(&t.a, null, w.bytes, .write) else probeTlb(&t.a, null, w.bytes, .read);
    const miss = t.a.jcc(.ne);
    t.a.alu(.add, .q, .rax, .{ .mem = entry(w.what.writes, "addend") });
    return .{ spent, miss };
}

/// The same as a function, for windows that many places share. Called with the flags of what patience is left, the address less 1 plus the
/// access's bytes in rcx too, and `service.Opening` in rdx. Where it goes on to open another: with rax and rdx as they were.
pub fn probeCalled(a: *x64.Asm, comptime kind: Probe) [2]x64.Fixup {
    const spent = a.jcc(.s);
    a.push(.rdx);
    a.movRegs(.q, .rdx, .rcx);
    probeLast(a, .rax, kind);
    a.pop(.rdx);
    const miss = a.jcc(.ne);
    a.alu(.add, .q, .rax, .{ .mem = entry(kind == .write, "addend") });
    a.ret();
    return .{ spent, miss };
}

fn probeTlb(a: *x64.Asm, known: ?u64, bytes: i32, comptime kind: Probe) void {
    // The last byte's page: an access that leaves its page misses.
    if (known) |addr| {
        const last = addr +% @as(u64, @intCast(bytes - 1));
        if (last ^ addr <= 4095) {
            a.movImm(.rdx, addr >> 12);
            a.alu(.@"or", .q, .rdx, .{ .mem = layout.blockField("tlb_mark") });
            return a.alu(.cmp, .q, .rdx, .{ .mem = entryOf(addr, kind == .write, "tag") });
        }
    }
    if (bytes == 1) a.movRegs(.q, .rdx, .rax) else a.lea(.q, .rdx, .{ .base = .rax, .disp = bytes - 1 });
    probeLast(a, .rax, kind);
}

/// The access's last byte is at rdx, its first one in the page of `base` if that one is.
pub fn probeLast(a: *x64.Asm, base: Reg, comptime kind: Probe) void {
    if (host.features.bmi2) {
        a.rorx(.d, .rcx, .{ .reg = base }, 12 - 4);
    } else {
        a.movRegs(.d, .rcx, base);
        a.shiftImm(.shr, .d, .{ .reg = .rcx }, 12 - 4);
    }
    a.shiftImm(.shr, .q, .{ .reg = .rdx }, 12);
    a.aluImm(.@"and", .d, .{ .reg = .rcx }, (mem.tlb.entry_count - 1) << 4);
    a.alu(.@"or", .q, .rdx, .{ .mem = layout.blockField("tlb_mark") });
    a.alu(.cmp, .q, .rdx, .{ .mem = entry(kind == .write, "tag") });
}

pub fn entry(writes: bool, comptime field: []const u8) x64.Mem {
    return .{ .base = .rcx, .gs = true, .disp = layout.tlbEntries(writes) + @as(i32, @offsetOf(mem.tlb.Entry, field)) };
}

fn entryOf(addr: u64, writes: bool, comptime field: []const u8) x64.Mem {
    const slot: i32 = @intCast((addr >> 12) % mem.tlb.entry_count * @sizeOf(mem.tlb.Entry));
    return .{ .base = null, .disp = layout.tlbEntries(writes) + slot + @as(i32, @offsetOf(mem.tlb.Entry, field)) };
}

/// rax, an address that was found (else the last cold part was gone to): its host pointer.
fn toHost(t: *Translator, known: ?u64, bytes: i32, probed: Probed) void {
    if (probed.window) |w| {
        t.a.alu(.add, .q, .rax, .{ .mem = layout.window(w.what.slot, "addend") });
        return t.foundBy(w);
    }
    if (known) |addr| {
        const last = addr +% @as(u64, @intCast(bytes - 1));
        if (last ^ addr <= 4095) return t.a.alu(.add, .q, .rax, .{ .mem = entryOf(addr, probed.writes, "addend") });
    }
    t.a.alu(.add, .q, .rax, .{ .mem = entry(probed.writes, "addend") });
}

/// rax = host pointer of `bytes` readable bytes.
pub fn readable(t: *Translator, bytes: u8) void {
    readableKnown(t, null, bytes);
}

pub fn readableKnown(t: *Translator, known: ?u64, bytes: u8) void {
    const probed = probe(t, null, known, bytes, .read);
    const back = t.slowRead(probed.miss, bytes);
    toHost(t, known, bytes, probed);
    back.* = t.a.at;
}

/// rax = host pointer of `bytes` aligned bytes, readable and writable.
pub fn modifiable(t: *Translator, bytes: u8) void {
    const probed = probe(t, null, null, bytes, .write);
    const back = t.slowModify(probed.miss);
    toHost(t, null, bytes, probed);
    back.* = t.a.at;
}

/// rax = host pointer of `bytes` writable bytes; what `value` says is stored by the slow path, which comes back to `back`.
pub fn writable(t: *Translator, bytes: u8, value: Value) *u32 {
    const probed = probe(t, null, null, bytes, .write);
    const back = t.slowWrite(probed.miss, bytes, value);
    toHost(t, null, bytes, probed);
    return back;
}

/// `offset` bytes from rax.
pub fn at(offset: i32) x64.Mem {
    return .{ .base = .rax, .disp = offset };
}

/// What an access is to: the address in rax, a place off a base register, or the sum of registers that its instruction says.
pub const Where = union(enum) { address, based: Based, indexed: u32 };

pub fn find(t: *Translator, where: Where, bytes: u8, comptime kind: Probe, value: ?Value) Located {
    return switch (where) {
        .address => locateAddress(t, bytes, kind, value),
        .based => |w| locate(t, w, bytes, kind, value),
        .indexed => |insn| locateIndexed(t, insn, bytes, kind, value),
    };
}

/// `offset` bytes from register n, which the instruction then makes grow. `pair`: it moves two registers.
pub const Based = struct { n: u32, offset: i32, grows: i32, pair: bool = false };

/// Where the host has it; `back` is to be told where a store that took the slow path comes back to.
const Located = struct { place: x64.Mem = at(0), back: ?*u32 = null };

/// Looks up the page that what `near` is off lies in, for an access that mostly lies in the same: sooner than its address is known,
/// and without giving up rax for it.
fn locateNear(t: *Translator, near: cold.Near, bytes: u8, comptime kind: Probe, value: ?Value) Located {
    const a = &t.a;
    const last = near.offset + bytes - 1;
    if (last == 0) a.movRegs(.q, .rdx, near.base) else a.lea(.q, .rdx, .{ .base = near.base, .disp = last });
    probeLast(a, near.base, kind);
    const back = if (kind == .write) t.slowWrite(.ne, bytes, value.?) else t.slowRead(.ne, bytes);
    t.nearBy(near);
    a.mov(.q, .rcx, .{ .mem = entry(kind == .write, "addend") });
    t.foundNear();
    if (kind == .read) back.* = a.at;
    return .{
        .place = .{ .base = near.base, .index = .rcx, .disp = near.offset },
        .back = if (kind == .write) back else null,
    };
}

/// The same for the address in rax.
fn locateAddress(t: *Translator, bytes: u8, comptime kind: Probe, value: ?Value) Located {
    if (t.loop == null) return locateNear(t, .{ .base = .rax, .offset = 0 }, bytes, kind, value);
    if (kind == .write) return .{ .back = writable(t, bytes, value.?) };
    readable(t, bytes);
    return .{};
}

/// What is further from its base would leave the base's page too often.
const nearest = 128;

/// Can the base's page be looked up in place of that of the access? Not where a window is asked first, nor what a pair's first load may change.
fn nearOf(t: *Translator, w: Based) ?cold.Near {
    if (t.loop != null or w.n == layout.sp or w.pair) return null;
    if (w.offset < 0 or w.offset > nearest) {
        baseAddress(t, w.n, w.offset);
        return .{ .base = .rax, .offset = 0 };
    }
    return .{ .base = t.useSp(.q, w.n, .rax), .offset = w.offset };
}

/// What was looked up before the loop.
fn hoisted(t: *Translator, where: Where) ?Located {
    const place = hoist.place(t, where) orelse return null;
    t.pointer.base = none;
    return .{ .place = place };
}

fn pointer(n: u32) x64.Mem {
    var m = layout.cpuField("pointers");
    m.disp += @intCast(8 * n);
    return m;
}

/// Finds the host's place of `bytes` bytes at `w`, together with those of later instructions where that pays (`group.zig`).
pub fn locate(t: *Translator, w: Based, bytes: u8, comptime kind: Probe, value: ?Value) Located {
    const a = &t.a;
    const writes = kind == .write;
    if (hoisted(t, .{ .based = w })) |found| return found;
    if (t.ranges[w.n]) |known| {
        if ((known.writes or !writes) and w.offset >= known.from and w.offset + bytes <= known.to) {
            if (t.pointer.base != w.n or t.pointer.at != a.at) a.mov(.q, .rax, .{ .mem = pointer(w.n) });
            t.pointer.base = w.n;
            return .{ .place = at(w.offset - known.origin) };
        }
    }
    t.pointer.base = none;
    const range = (if (t.plain) null else group.rangeAhead(t, w.n, w.offset, bytes, writes, w.grows)) orelse {
        const known = constant(t, w.n, w.offset);
        if (known == null) if (nearOf(t, w)) |near| return locateNear(t, near, bytes, kind, value);
        baseAddress(t, w.n, w.offset);
        const probed = probe(t, w.n, known, bytes, kind);
        const back = if (writes) t.slowWrite(probed.miss, bytes, value.?) else t.slowRead(probed.miss, bytes);
        toHost(t, known, bytes, probed);
        if (!writes) back.* = a.at;
        return .{ .back = if (writes) back else null };
    };
    t.ranges[w.n] = range;
    t.pointer.base = w.n;
    const length = range.to - range.from;
    const known = constant(t, w.n, range.from);
    baseAddress(t, w.n, range.from);
    const probed = if (range.writes) probe(t, w.n, known, length, .write) else probe(t, w.n, known, length, .read);
    const back = t.slowRange(probed.miss, @intCast(length), range.writes);
    toHost(t, known, length, probed);
    back.* = a.at;
    a.store(.q, .{ .mem = pointer(w.n) }, .rax);
    return .{ .place = at(w.offset - range.origin) };
}

fn constant(t: *const Translator, n: u32, offset: i32) ?u64 {
    return (t.constants[n] orelse return null) +% @as(u64, @bitCast(@as(i64, offset)));
}

/// Of what instructions add up (`Cpu.pointers`), and nobody.
pub const indexed_pointer = 32;
const none = 33;

/// At the end of an instruction whose access was off register n and that leaves rax alone: the next one need not load its pointer.
pub fn keepPointer(t: *Translator, n: u32) void {
    if (t.pointer.base == n) t.pointer.at = t.a.at;
}

/// The register, rcx if need be, that the instruction adds to its base, shifted or not.
pub fn indexRegister(t: *Translator, insn: u32) Reg {
    const m = rm(insn);
    const option = bits(insn, 13, 3);
    if (option != 2 and option != 6 and m != 31) return t.use(.q, m, .rcx);
    alu.extendRegister(t, m, option, .rcx);
    return .rcx;
}

/// rax = what the instruction adds up.
pub fn indexedAddress(t: *Translator, insn: u32) void {
    const amount: u6 = if (bit(insn, 12)) memory.transfer(insn).?.scale else 0;
    const base = t.useSp(.q, rn(insn), .rax);
    const index = indexRegister(t, insn);
    if (amount <= 3) {
        t.a.lea(.q, .rax, .{ .base = base, .index = index, .scale = @intCast(amount) });
    } else {
        t.a.movRegs(.q, .rcx, index);
        t.a.shiftImm(.shl, .q, .{ .reg = .rcx }, amount);
        t.a.lea(.q, .rax, .{ .base = base, .index = .rcx });
    }
}

/// Where several instructions add up the same, the first looks it up for all of them, as in `locate`.
fn locateIndexed(t: *Translator, insn: u32, bytes: u8, comptime kind: Probe, value: ?Value) Located {
    const a = &t.a;
    if (hoisted(t, .{ .indexed = insn })) |found| return found;
    if (t.indexed) |known| if (group.sameSum(insn, known.insn) and (known.writes or kind == .read)) {
        if (t.pointer.base != indexed_pointer or t.pointer.at != a.at) a.mov(.q, .rax, .{ .mem = pointer(indexed_pointer) });
        t.pointer.base = indexed_pointer;
        return .{};
    };
    t.pointer.base = none;
    indexedAddress(t, insn);
    const writes = (if (t.plain) null else group.sumAhead(t, insn)) orelse return locateAddress(t, bytes, kind, value);
    t.indexed = .{ .insn = insn, .writes = writes };
    t.pointer.base = indexed_pointer;
    const probed = if (writes) probe(t, null, null, bytes, .write) else probe(t, null, null, bytes, .read);
    const back = t.slowRange(probed.miss, bytes, writes);
    toHost(t, null, bytes, probed);
    back.* = a.at;
    a.store(.q, .{ .mem = pointer(indexed_pointer) }, .rax);
    return .{};
}
