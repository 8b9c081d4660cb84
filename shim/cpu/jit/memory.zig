//! Translation of loads and stores of one register or a pair. Each function is named after its class in `table_int.zig`.
//!
//! An access computes its address in rax, looks it up in the software TLB (shim/mem/tlb.zig says how) and turns rax into
//! a host pointer; what misses leaves for the cold part of the block. Registers change only when the whole access has succeeded,
//! the base last.

const alu = @import("alu.zig");
const cold = @import("cold.zig");
const fields = @import("../interp/fields.zig");
const group = @import("group.zig");
const host = @import("host.zig");
const layout = @import("layout.zig");
const mem = @import("../../mem/mem.zig");
const service = @import("service.zig");
const x64 = @import("x64.zig");

const Translator = @import("translate.zig").Translator;
const Value = cold.Value;
const Reg = x64.Reg;
const Size = x64.Size;
const bit = fields.bit;
const bits = fields.bits;
const rn = fields.rn;
const rm = fields.rm;

fn rt(insn: u32) u32 {
    return bits(insn, 0, 5);
}

/// What moves: `bytes` at a time; how a general register is filled.
const Kind = union(enum) { load: Extend, store, load_vector, store_vector, prefetch };
const Extend = enum { zero, sign_w, sign_x };
pub const Transfer = struct { kind: Kind, scale: u3 };

/// What the size, V and opc fields of the single-register forms mean; null when they are reserved.
pub fn transfer(insn: u32) ?Transfer {
    const size: u3 = @intCast(bits(insn, 30, 2));
    const opc = bits(insn, 22, 2);
    if (bit(insn, 26)) {
        if (opc & 2 != 0 and size != 0) return null;
        return .{ .kind = if (opc & 1 != 0) .load_vector else .store_vector, .scale = if (opc & 2 != 0) 4 else size };
    }
    const kind: Kind = switch (opc) {
        0 => .store,
        1 => .{ .load = .zero },
        2 => if (size == 3) .prefetch else .{ .load = .sign_x },
        else => if (size >= 2) return null else .{ .load = .sign_w },
    };
    return .{ .kind = kind, .scale = size };
}

pub const Mode = enum { offset, pre, post };

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

/// Before the address is computed: the probe needs the host's flags, and sp must be aligned.
pub fn begin(t: *Translator, n: u32) void {
    t.clobberExactly();
    if (n == layout.sp) t.checkSp();
}

pub const Probe = enum { read, write };

/// How an address was looked up: the host's condition that it was not found, and the window that was asked.
const Probed = struct { miss: x64.Cc = .ne, window: ?cold.Window = null };

/// Looks up the page of the `bytes` at rax. `known`: what rax is, when that is known now.
/// `n`: the base register, if the address depends on nothing else.
fn probe(t: *Translator, n: ?u32, known: ?u64, bytes: i32, comptime kind: Probe) Probed {
    if (known == null) if (windowFor(t, n, bytes, kind == .write)) |w| {
        t.a.movRegs(.q, .rdx, .rax);
        t.a.alu(.sub, .q, .rdx, .{ .mem = layout.window(w.what.slot, "low") });
        t.a.alu(.cmp, .q, .rdx, .{ .mem = layout.window(w.what.slot, "limit") });
        return .{ .miss = .ae, .window = w };
    };
    probeTlb(&t.a, known, bytes, kind);
    return .{};
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
    t.a.alu(.add, .q, .rax, .{ .mem = entry("addend") });
    return .{ spent, miss };
}

/// The same as a function, for windows that many places share. Called with the flags of what patience is left, the address less 1 plus the
/// access's bytes in rcx too, and `service.Opening` in rdx. Where it goes on to open another: with rax and rdx as they were.
pub fn probeCalled(a: *x64.Asm, comptime kind: Probe) [2]x64.Fixup {
    const spent = a.jcc(.s);
    a.push(.rdx);
    a.movRegs(.q, .rdx, .rcx);
    probeLast(a, kind);
    a.pop(.rdx);
    const miss = a.jcc(.ne);
    a.alu(.add, .q, .rax, .{ .mem = entry("addend") });
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
            return a.alu(.cmp, .q, .rdx, .{ .mem = entryOf(addr, @tagName(kind)) });
        }
    }
    if (bytes == 1) a.movRegs(.q, .rdx, .rax) else a.lea(.q, .rdx, .{ .base = .rax, .disp = bytes - 1 });
    probeLast(a, kind);
}

/// The access's last byte is at rdx.
fn probeLast(a: *x64.Asm, comptime kind: Probe) void {
    if (host.features.bmi2) {
        a.rorx(.d, .rcx, .{ .reg = .rax }, 12 - 5);
    } else {
        a.movRegs(.d, .rcx, .rax);
        a.shiftImm(.shr, .d, .{ .reg = .rcx }, 12 - 5);
    }
    a.shiftImm(.shr, .q, .{ .reg = .rdx }, 12);
    a.aluImm(.@"and", .d, .{ .reg = .rcx }, (mem.tlb.entry_count - 1) << 5);
    a.alu(.@"or", .q, .rdx, .{ .mem = layout.blockField("tlb_mark") });
    a.alu(.cmp, .q, .rdx, .{ .mem = entry(@tagName(kind)) });
}

fn entry(comptime field: []const u8) x64.Mem {
    return .{ .base = .rcx, .gs = true, .disp = layout.tlb_entries + @as(i32, @offsetOf(mem.tlb.Entry, field)) };
}

fn entryOf(addr: u64, comptime field: []const u8) x64.Mem {
    const slot: i32 = @intCast((addr >> 12) % mem.tlb.entry_count * @sizeOf(mem.tlb.Entry));
    return .{ .base = null, .disp = layout.tlb_entries + slot + @as(i32, @offsetOf(mem.tlb.Entry, field)) };
}

/// rax, an address that was found (else the last cold part was gone to): its host pointer.
fn toHost(t: *Translator, known: ?u64, bytes: i32, probed: Probed) void {
    if (probed.window) |w| {
        t.a.alu(.add, .q, .rax, .{ .mem = layout.window(w.what.slot, "addend") });
        return t.foundBy(w);
    }
    if (known) |addr| {
        const last = addr +% @as(u64, @intCast(bytes - 1));
        if (last ^ addr <= 4095) return t.a.alu(.add, .q, .rax, .{ .mem = entryOf(addr, "addend") });
    }
    t.a.alu(.add, .q, .rax, .{ .mem = entry("addend") });
}

/// rax = host pointer of `bytes` readable bytes.
pub fn readable(t: *Translator, bytes: u8) void {
    readableKnown(t, null, bytes);
}

fn readableKnown(t: *Translator, known: ?u64, bytes: u8) void {
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

fn at(offset: i32) x64.Mem {
    return .{ .base = .rax, .disp = offset };
}

pub const general_sizes = [4]Size{ .b, .w, .d, .q };

/// Fills register r with what is at rax.
fn loadGeneral(t: *Translator, r: u32, scale: u3, extend: Extend, offset: i32) void {
    const dst = t.target(r, .rdx);
    const src: x64.Rm = .{ .mem = at(offset) };
    const from = general_sizes[scale];
    switch (extend) {
        .zero => if (scale == 3) t.a.mov(.q, dst, src) else t.a.movzx(from, dst, src),
        .sign_w => t.a.movsx(.d, from, dst, src),
        .sign_x => t.a.movsx(.q, from, dst, src),
    }
    t.put(r, dst);
}

fn storeGeneral(t: *Translator, r: u32, scale: u3, offset: i32) void {
    const size = general_sizes[scale];
    t.a.store(size, .{ .mem = at(offset) }, t.use(.q, r, .rdx));
}

/// Loads vector register v; its upper part becomes zero.
pub fn loadVector(t: *Translator, v: u32, scale: u3, offset: i32) void {
    const src = at(offset);
    switch (scale) {
        0, 1 => {
            t.a.movzx(general_sizes[scale], .rcx, .{ .mem = src });
            t.a.sseGeneral(.p66, .d, 0x6e, 0, .{ .reg = .rcx });
        },
        2 => t.a.sse(.p66, 0x6e, .xmm0, .{ .mem = src }),
        3 => t.a.sse(.f3, 0x7e, .xmm0, .{ .mem = src }),
        else => t.a.sse(.none, 0x10, .xmm0, .{ .mem = src }),
    }
    t.copies.put(&t.a, v, .xmm0, switch (scale) {
        0, 1, 2 => .s,
        3 => .d,
        else => .no,
    });
}

pub fn storeVector(t: *Translator, v: u32, scale: u3, offset: i32) void {
    const dst = at(offset);
    if (t.copies.copyOf(v)) |src| switch (scale) {
        4 => return t.a.sse(.none, 0x11, src, .{ .mem = dst }),
        3 => return t.a.sse(.p66, 0xd6, src, .{ .mem = dst }),
        2 => return t.a.sse(.p66, 0x7e, src, .{ .mem = dst }),
        else => {},
    };
    if (scale == 4) {
        t.a.sse(.none, 0x28, .xmm0, .{ .mem = layout.vector(v, 0) });
        t.a.sse(.none, 0x11, .xmm0, .{ .mem = dst });
    } else {
        t.a.mov(.q, .rdx, .{ .mem = layout.vector(v, 0) });
        t.a.store(general_sizes[scale], .{ .mem = dst }, .rdx);
    }
}

/// The access at rax, which is an address; or (`where`) a place off a base register.
fn access(t: *Translator, x: Transfer, r: u32, where: ?Based) void {
    const bytes = @as(u8, 1) << x.scale;
    switch (x.kind) {
        .prefetch => {},
        .load, .load_vector => {
            const found = if (where) |w| locate(t, w, bytes, .read, null) else found: {
                readable(t, bytes);
                break :found Located{};
            };
            if (x.kind == .load) loadGeneral(t, r, x.scale, x.kind.load, found.disp) else loadVector(t, r, x.scale, found.disp);
        },
        .store, .store_vector => {
            const value: Value = if (x.kind == .store) .{ .register = r } else .{ .vector = r };
            const found = if (where) |w| locate(t, w, bytes, .write, value) else Located{ .back = writable(t, bytes, value) };
            if (x.kind == .store) storeGeneral(t, r, x.scale, found.disp) else storeVector(t, r, x.scale, found.disp);
            if (found.back) |back| back.* = t.a.at;
        },
    }
}

/// `offset` bytes from register n, which the instruction then makes grow.
const Based = struct { n: u32, offset: i32, grows: i32 };

/// An access is `disp` bytes from rax; `back` is to be told where a store that took the slow path comes back to.
const Located = struct { disp: i32 = 0, back: ?*u32 = null };

fn pointer(n: u32) x64.Mem {
    var m = layout.cpuField("pointers");
    m.disp += @intCast(8 * n);
    return m;
}

/// Finds the host's place of `bytes` bytes at `w`, together with those of later instructions where that pays (`group.zig`).
fn locate(t: *Translator, w: Based, bytes: u8, comptime kind: Probe, value: ?Value) Located {
    const a = &t.a;
    const writes = kind == .write;
    if (t.ranges[w.n]) |known| {
        if ((known.writes or !writes) and w.offset >= known.from and w.offset + bytes <= known.to) {
            if (t.pointer.base != w.n or t.pointer.at != a.at) a.mov(.q, .rax, .{ .mem = pointer(w.n) });
            t.pointer.base = w.n;
            return .{ .disp = w.offset - known.origin };
        }
    }
    t.pointer.base = none;
    const range = (if (t.plain) null else group.rangeAhead(t, w.n, w.offset, bytes, writes, w.grows)) orelse {
        const known = constant(t, w.n, w.offset);
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
    return .{ .disp = w.offset - range.origin };
}

fn constant(t: *const Translator, n: u32, offset: i32) ?u64 {
    return (t.constants[n] orelse return null) +% @as(u64, @bitCast(@as(i64, offset)));
}

const none = 32;

/// At the end of an instruction whose access was off register n and that leaves rax alone: the next one need not load its pointer.
fn keepPointer(t: *Translator, n: u32) void {
    if (t.pointer.base == n) t.pointer.at = t.a.at;
}

/// base += offset
pub fn writeBack(t: *Translator, n: u32, offset: i32) void {
    t.outdates(n);
    t.constants[n] = null;
    if (t.hostOf(n)) |h| {
        t.a.lea(.q, h, .{ .base = h, .disp = offset });
    } else {
        t.a.aluImm(.add, .q, .{ .mem = layout.lane(n) }, offset);
    }
    if (n == layout.sp and offset & 15 != 0) t.sp_checked = false;
    if (t.ranges[n]) |*range| {
        range.from -= offset;
        range.to -= offset;
        range.origin -= offset;
    }
}

fn atBase(t: *Translator, insn: u32, mode: Mode, offset: i32) bool {
    const x = transfer(insn) orelse return false;
    if (x.kind == .prefetch) return mode == .offset;
    const n = rn(insn);
    begin(t, n);
    access(t, x, rt(insn), .{
        .n = n,
        .offset = if (mode == .post) 0 else offset,
        .grows = if (mode == .offset) 0 else offset,
    });
    if (mode != .offset) writeBack(t, n, offset);
    keepPointer(t, n);
    return true;
}

pub fn unsigned_offset(t: *Translator, insn: u32) bool {
    const x = transfer(insn) orelse return false;
    return atBase(t, insn, .offset, @intCast(bits(insn, 10, 12) << x.scale));
}

pub fn unscaled(t: *Translator, insn: u32) bool {
    return atBase(t, insn, .offset, @intCast(fields.signed(insn, 12, 9)));
}

/// LDTR and STTR at EL0 are LDUR and STUR.
pub fn unprivileged(t: *Translator, insn: u32) bool {
    const x = transfer(insn) orelse return false;
    return x.kind != .prefetch and unscaled(t, insn);
}

pub fn indexed(t: *Translator, insn: u32) bool {
    return atBase(t, insn, if (bit(insn, 11)) .pre else .post, @intCast(fields.signed(insn, 12, 9)));
}

pub fn register_offset(t: *Translator, insn: u32) bool {
    const x = transfer(insn) orelse return false;
    if (x.kind == .prefetch) return true;
    const n = rn(insn);
    const m = rm(insn);
    const amount: u6 = if (bit(insn, 12)) x.scale else 0;
    const option = bits(insn, 13, 3);
    begin(t, n);
    const base = t.useSp(.q, n, .rax);
    const index = if (option == 2 or option == 6 or m == 31) extended: {
        alu.extendRegister(t, m, option, .rcx);
        break :extended Reg.rcx;
    } else t.use(.q, m, .rcx);
    if (amount <= 3) {
        t.a.lea(.q, .rax, .{ .base = base, .index = index, .scale = @intCast(amount) });
    } else {
        t.a.movRegs(.q, .rcx, index);
        t.a.shiftImm(.shl, .q, .{ .reg = .rcx }, amount);
        t.a.lea(.q, .rax, .{ .base = base, .index = .rcx });
    }
    access(t, x, rt(insn), null);
    return true;
}

pub fn literal(t: *Translator, insn: u32) bool {
    const opc = bits(insn, 30, 2);
    const vectors = bit(insn, 26);
    if (opc == 3) return !vectors;
    const x: Transfer = if (vectors)
        .{ .kind = .load_vector, .scale = @intCast(2 + opc) }
    else
        .{ .kind = .{ .load = if (opc == 2) .sign_x else .zero }, .scale = if (opc == 1) 3 else 2 };
    t.clobberExactly();
    const addr = t.pc +% @as(u64, @bitCast(fields.signed(insn, 5, 19) * 4));
    t.a.movImm(.rax, addr);
    readableKnown(t, addr, @as(u8, 1) << x.scale);
    if (vectors) loadVector(t, rt(insn), x.scale, 0) else loadGeneral(t, rt(insn), x.scale, x.kind.load, 0);
    return true;
}

const Pair = struct { scale: u3, mode: Mode, offset: i32, loads: bool, vectors: bool };

/// What a pair instruction moves; null when it is reserved.
pub fn pairOf(insn: u32) ?Pair {
    const opc = bits(insn, 30, 2);
    const vectors = bit(insn, 26);
    if (opc == 3) return null;
    const scale: u3 = if (vectors) @intCast(2 + opc) else if (opc == 2) 3 else 2;
    const mode: Mode = switch (bits(insn, 23, 2)) {
        1 => .post,
        3 => .pre,
        else => .offset,
    };
    const offset: i32 = @intCast(fields.signed(insn, 15, 7) << scale);
    return .{ .scale = scale, .mode = mode, .offset = offset, .loads = bit(insn, 22), .vectors = vectors };
}

pub fn pair(t: *Translator, insn: u32) bool {
    const p = pairOf(insn) orelse return false;
    const n = rn(insn);
    const two = [2]u32{ rt(insn), bits(insn, 10, 5) };
    const size: u5 = @as(u5, 1) << p.scale;
    const where: Based = .{
        .n = n,
        .offset = if (p.mode == .post) 0 else p.offset,
        .grows = if (p.mode == .offset) 0 else p.offset,
    };
    begin(t, n);
    if (p.loads) {
        const found = locate(t, where, 2 * @as(u8, size), .read, null);
        for (two, 0..) |r, i| {
            const place = found.disp + @as(i32, @intCast(i * size));
            if (p.vectors) {
                loadVector(t, r, p.scale, place);
            } else {
                // LDPSW is the signed one.
                loadGeneral(t, r, p.scale, if (bits(insn, 30, 2) == 1) .sign_x else .zero, place);
            }
        }
    } else {
        const parts: Value.Two = .{ .first = two[0], .second = two[1], .size = size };
        const found = locate(t, where, 2 * @as(u8, size), .write, if (p.vectors) .{ .vector_pair = parts } else .{ .registers = parts });
        for (two, 0..) |r, i| {
            const place = found.disp + @as(i32, @intCast(i * size));
            if (p.vectors) storeVector(t, r, p.scale, place) else storeGeneral(t, r, p.scale, place);
        }
        if (found.back) |back| back.* = t.a.at;
    }
    if (p.mode != .offset) writeBack(t, n, p.offset);
    keepPointer(t, n);
    return true;
}

/// rax has to be a multiple of the access's size.
pub fn checkAligned(t: *Translator, scale: u3, writes: bool) void {
    if (scale == 0) return;
    t.a.testImm(.b, .{ .reg = .rax }, (@as(i32, 1) << scale) - 1);
    t.misaligned(.ne, writes);
}

/// Loads are ordered as they are; a store is an exchange, which is a barrier too.
fn orderedAccess(t: *Translator, insn: u32, offset: i32, extend: ?Extend) void {
    const scale: u3 = @intCast(bits(insn, 30, 2));
    const r = rt(insn);
    begin(t, rn(insn));
    baseAddress(t, rn(insn), offset);
    checkAligned(t, scale, extend == null);
    if (extend) |e| return access(t, .{ .kind = .{ .load = e }, .scale = scale }, r, null);
    modifiable(t, @as(u8, 1) << scale);
    t.load(.q, .rdx, r);
    t.a.xchg(general_sizes[scale], at(0), .rdx);
}

pub fn ordered(t: *Translator, insn: u32) bool {
    orderedAccess(t, insn, 0, if (bit(insn, 22)) .zero else null);
    return true;
}

pub fn ordered_unscaled(t: *Translator, insn: u32) bool {
    const size = bits(insn, 30, 2);
    const extend: ?Extend = switch (bits(insn, 22, 2)) {
        0 => null,
        1 => .zero,
        2 => if (size == 3) return false else .sign_x,
        else => if (size >= 2) return false else .sign_w,
    };
    orderedAccess(t, insn, @intCast(fields.signed(insn, 12, 9)), extend);
    return true;
}

pub fn load_acquire_pc(t: *Translator, insn: u32) bool {
    orderedAccess(t, insn, 0, .zero);
    return true;
}
