//! Translation of loads and stores of one register or a pair. Each function is named after its class in `table_int.zig`.
//!
//! Registers change only when the whole access has succeeded, the base last. Where it finds its memory: `lookup.zig`.

const cold = @import("cold.zig");
const fields = @import("../interp/fields.zig");
const flat = @import("flat.zig");
const hoist = @import("hoist.zig");
const layout = @import("layout.zig");
const lookup = @import("lookup.zig");
const x64 = @import("x64.zig");

const Translator = @import("translate.zig").Translator;
const Value = cold.Value;
const Size = x64.Size;
const at = lookup.at;
const bit = fields.bit;
const bits = fields.bits;
const rn = fields.rn;

fn rt(insn: u32) u32 {
    return bits(insn, 0, 5);
}

/// What moves: `bytes` at a time; how a general register is filled.
const Kind = union(enum) { load: Extend, store, load_vector, store_vector, prefetch };

pub const Extend = enum { zero, sign_w, sign_x };

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

/// Before the address is computed: the probe needs the host's flags, and sp must be aligned.
pub fn begin(t: *Translator, n: u32) void {
    if (!hoist.covers(t)) t.clobberExactly();
    if (n == layout.sp) t.checkSp();
}

pub const general_sizes = [4]Size{ .b, .w, .d, .q };

/// Fills register r with what is there.
pub fn loadGeneral(t: *Translator, r: u32, scale: u3, extend: Extend, there: x64.Mem) void {
    const dst = t.target(r, .rdx);
    extendInto(t, dst, scale, extend, there);
    t.put(r, dst);
}

pub fn extendInto(t: *Translator, dst: x64.Reg, scale: u3, extend: Extend, there: x64.Mem) void {
    const src: x64.Rm = .{ .mem = there };
    const from = general_sizes[scale];
    switch (extend) {
        .zero => if (scale == 3) t.a.mov(.q, dst, src) else t.a.movzx(from, dst, src),
        .sign_w => t.a.movsx(.d, from, dst, src),
        .sign_x => t.a.movsx(.q, from, dst, src),
    }
}

pub fn storeGeneral(t: *Translator, r: u32, scale: u3, there: x64.Mem) void {
    const size = general_sizes[scale];
    t.a.store(size, .{ .mem = there }, t.use(.q, r, .rdx));
}

/// Loads vector register v; its upper part becomes zero.
pub fn loadVector(t: *Translator, v: u32, scale: u3, src: x64.Mem) void {
    loadXmm(t, .xmm0, scale, src);
    putVector(t, v, .xmm0, scale);
}

pub fn loadXmm(t: *Translator, dst: x64.Xmm, scale: u3, src: x64.Mem) void {
    switch (scale) {
        0, 1 => {
            t.a.movzx(general_sizes[scale], .rcx, .{ .mem = src });
            t.a.sseGeneral(.p66, .d, 0x6e, @intFromEnum(dst), .{ .reg = .rcx });
        },
        2 => t.a.sse(.p66, 0x6e, dst, .{ .mem = src }),
        3 => t.a.sse(.f3, 0x7e, dst, .{ .mem = src }),
        else => t.a.sse(.none, 0x10, dst, .{ .mem = src }),
    }
}

/// Vector register v becomes what `loadXmm` loaded.
pub fn putVector(t: *Translator, v: u32, src: x64.Xmm, scale: u3) void {
    t.copies.put(&t.a, v, src, switch (scale) {
        0, 1, 2 => .s,
        3 => .d,
        else => .no,
    });
}

pub fn storeVector(t: *Translator, v: u32, scale: u3, dst: x64.Mem) void {
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

fn access(t: *Translator, x: Transfer, r: u32, where: lookup.Where) void {
    const bytes = @as(u8, 1) << x.scale;
    switch (x.kind) {
        .prefetch => {},
        .load, .load_vector => {
            const there = lookup.find(t, where, bytes, .read, null).place;
            if (x.kind == .load) loadGeneral(t, r, x.scale, x.kind.load, there) else loadVector(t, r, x.scale, there);
        },
        .store, .store_vector => {
            const found = lookup.find(t, where, bytes, .write, if (x.kind == .store) .{ .register = r } else .{ .vector = r });
            if (x.kind == .store) storeGeneral(t, r, x.scale, found.place) else storeVector(t, r, x.scale, found.place);
            if (found.back) |back| back.* = t.a.at;
        },
    }
}

/// base += offset
pub fn writeBack(t: *Translator, n: u32, offset: i32) void {
    t.outdates(n);
    t.constants[n] = null;
    flat.moved(t, n, t.drift[n], offset);
    t.outdatesSum(n);
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
    if (t.page.mode.flat) {
        flat.atBase(t, insn, x, mode, offset);
        return true;
    }
    const n = rn(insn);
    begin(t, n);
    access(t, x, rt(insn), .{ .based = .{
        .n = n,
        .offset = if (mode == .post) 0 else offset,
        .grows = if (mode == .offset) 0 else offset,
    } });
    if (mode != .offset) writeBack(t, n, offset);
    lookup.keepPointer(t, n);
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
    if (t.page.mode.flat) {
        flat.indexed(t, insn, x);
        return true;
    }
    begin(t, rn(insn));
    access(t, x, rt(insn), .{ .indexed = insn });
    lookup.keepPointer(t, lookup.indexed_pointer);
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
    lookup.readableKnown(t, addr, @as(u8, 1) << x.scale);
    if (vectors) loadVector(t, rt(insn), x.scale, at(0)) else loadGeneral(t, rt(insn), x.scale, x.kind.load, at(0));
    return true;
}

pub const Pair = struct { scale: u3, mode: Mode, offset: i32, loads: bool, vectors: bool };

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
    if (t.page.mode.flat) {
        flat.pair(t, insn, p);
        return true;
    }
    const n = rn(insn);
    const two = [2]u32{ rt(insn), bits(insn, 10, 5) };
    const size: u5 = @as(u5, 1) << p.scale;
    const where: lookup.Based = .{
        .n = n,
        .offset = if (p.mode == .post) 0 else p.offset,
        .grows = if (p.mode == .offset) 0 else p.offset,
        .pair = true,
    };
    begin(t, n);
    if (p.loads) {
        const found = lookup.locate(t, where, 2 * @as(u8, size), .read, null);
        for (two, 0..) |r, i| {
            var place = found.place;
            place.disp += @intCast(i * size);
            if (p.vectors) {
                loadVector(t, r, p.scale, place);
            } else {
                // LDPSW is the signed one.
                loadGeneral(t, r, p.scale, if (bits(insn, 30, 2) == 1) .sign_x else .zero, place);
            }
        }
    } else {
        const parts: Value.Two = .{ .first = two[0], .second = two[1], .size = size };
        const found = lookup.locate(t, where, 2 * @as(u8, size), .write, if (p.vectors) .{ .vector_pair = parts } else .{ .registers = parts });
        for (two, 0..) |r, i| {
            var place = found.place;
            place.disp += @intCast(i * size);
            if (p.vectors) storeVector(t, r, p.scale, place) else storeGeneral(t, r, p.scale, place);
        }
        if (found.back) |back| back.* = t.a.at;
    }
    if (p.mode != .offset) writeBack(t, n, p.offset);
    lookup.keepPointer(t, n);
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
    if (t.page.mode.flat) {
        const there = flat.continueAligned(t, flat.openAligned(t, rn(insn), offset, scale, extend == null, extend == null));
        if (extend) |e| loadGeneral(t, r, scale, e, there) else storeOrdered(t, r, scale, there);
        return flat.close(t);
    }
    begin(t, rn(insn));
    lookup.baseAddress(t, rn(insn), offset);
    checkAligned(t, scale, extend == null);
    if (extend) |e| return access(t, .{ .kind = .{ .load = e }, .scale = scale }, r, .address);
    lookup.modifiable(t, @as(u8, 1) << scale);
    storeOrdered(t, r, scale, at(0));
}

fn storeOrdered(t: *Translator, r: u32, scale: u3, there: x64.Mem) void {
    if (t.page.mode.alone) return storeGeneral(t, r, scale, there);
    t.load(.q, .rdx, r);
    t.a.xchg(general_sizes[scale], there, .rdx);
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
