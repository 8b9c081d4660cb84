//! Translation of loads, stores and atomics. Each function is named after its class in `table_int.zig`.

const alu = @import("alu.zig");
const atomic_ops = @import("atomic.zig");
const core = @import("core.zig");
const fields = @import("fields.zig");
const memory = @import("memory.zig");
const structure = @import("structure.zig");
const Translator = @import("translate.zig").Translator;

const bit = fields.bit;
const bits = fields.bits;
const source = fields.source;
const target = fields.target;
const orSp = fields.orSp;
const rn = fields.rn;
const rm = fields.rm;

inline fn rt(insn: u32) u32 {
    return bits(insn, 0, 5);
}

fn vector(r: u32) u8 {
    return core.lane_v + @as(u8, @intCast(r * 2));
}

const What = union(enum) { load: memory.Load, store: memory.Store, prefetch };
const Transfer = struct { what: What, scale: u5, lane: u8 };

/// What the size, V and opc fields of the single-register forms mean; null when they are reserved.
fn transfer(insn: u32) ?Transfer {
    const size = bits(insn, 30, 2);
    const opc = bits(insn, 22, 2);
    const loads = [4]memory.Load{ .u8, .u16, .u32, .u64 };
    const stores = [4]memory.Store{ .u8, .u16, .u32, .u64 };
    if (bit(insn, 26)) {
        const lane = vector(rt(insn));
        if (opc & 2 != 0) {
            if (size != 0) return null;
            return .{ .what = if (opc == 3) .{ .load = .v128 } else .{ .store = .v128 }, .scale = 4, .lane = lane };
        }
        const vector_loads = [4]memory.Load{ .v8, .v16, .v32, .v64 };
        const what: What = if (opc == 1) .{ .load = vector_loads[size] } else .{ .store = stores[size] };
        return .{ .what = what, .scale = @intCast(size), .lane = lane };
    }
    const r = rt(insn);
    const what: What = switch (opc) {
        0 => .{ .store = stores[size] },
        1 => .{ .load = loads[size] },
        2 => switch (size) {
            0 => .{ .load = .s8x },
            1 => .{ .load = .s16x },
            2 => .{ .load = .s32x },
            else => .prefetch,
        },
        else => switch (size) {
            0 => .{ .load = .s8w },
            1 => .{ .load = .s16w },
            else => return null,
        },
    };
    return .{ .what = what, .scale = @intCast(size), .lane = if (what == .store) source(r) else target(r) };
}

fn emitTransfer(t: *Translator, x: Transfer, mode: memory.Mode, op: core.Op) void {
    const sp = op.n == core.lane_sp;
    var out = op;
    out.d = x.lane;
    switch (x.what) {
        .prefetch => {},
        .load => |what| {
            out.handler = memory.load(what, mode, sp);
            t.emit(out);
        },
        .store => |what| {
            out.handler = memory.store(what, mode, sp);
            t.emit(out);
        },
    }
}

const blank: core.Handler = undefined;

pub fn unsigned_offset(t: *Translator, insn: u32) bool {
    const x = transfer(insn) orelse return false;
    const imm: i32 = @intCast(bits(insn, 10, 12) << x.scale);
    emitTransfer(t, x, .offset, .{ .handler = blank, .n = orSp(rn(insn)), .imm = imm });
    return true;
}

pub fn unscaled(t: *Translator, insn: u32) bool {
    const x = transfer(insn) orelse return false;
    emitTransfer(t, x, .offset, .{ .handler = blank, .n = orSp(rn(insn)), .imm = @intCast(fields.signed(insn, 12, 9)) });
    return true;
}

/// LDTR and STTR at EL0 are LDUR and STUR.
pub fn unprivileged(t: *Translator, insn: u32) bool {
    const x = transfer(insn) orelse return false;
    if (x.what == .prefetch) return false;
    return unscaled(t, insn);
}

pub fn indexed(t: *Translator, insn: u32) bool {
    const x = transfer(insn) orelse return false;
    if (x.what == .prefetch) return false;
    const mode: memory.Mode = if (bit(insn, 11)) .pre else .post;
    emitTransfer(t, x, mode, .{ .handler = blank, .n = orSp(rn(insn)), .imm = @intCast(fields.signed(insn, 12, 9)) });
    return true;
}

pub fn register_offset(t: *Translator, insn: u32) bool {
    const x = transfer(insn) orelse return false;
    const n = orSp(rn(insn));
    if (n == core.lane_sp and x.what != .prefetch) t.emit(.{ .handler = &memory.check_sp });
    const mode: memory.Mode = switch (bits(insn, 13, 3)) {
        2 => .uxtw,
        6 => .sxtw,
        else => .lsl,
    };
    const amount: u8 = if (bit(insn, 12)) x.scale else 0;
    var out: core.Op = .{ .handler = blank, .d = x.lane, .n = n, .m = source(rm(insn)), .a = amount };
    switch (x.what) {
        .prefetch => return true,
        .load => |what| out.handler = memory.load(what, mode, false),
        .store => |what| out.handler = memory.store(what, mode, false),
    }
    t.emit(out);
    return true;
}

pub fn literal(t: *Translator, insn: u32) bool {
    const opc = bits(insn, 30, 2);
    const addr = t.pc +% @as(u64, @bitCast(fields.signed(insn, 5, 19) * 4));
    const v = bit(insn, 26);
    if (opc == 3) return !v;
    const general = [3]memory.Load{ .u32, .u64, .s32x };
    const vectors = [3]memory.Load{ .v32, .v64, .v128 };
    const what = if (v) vectors[opc] else general[opc];
    t.emit(.{ .handler = memory.load(what, .literal, false), .d = if (v) vector(rt(insn)) else target(rt(insn)) });
    t.emitExt(addr, 0);
    return true;
}

pub fn pair(t: *Translator, insn: u32) bool {
    const opc = bits(insn, 30, 2);
    const loads = bit(insn, 22);
    const v = bit(insn, 26);
    if (opc == 3) return false;
    const vectors = [3]memory.Pair{ .v32, .v64, .v128 };
    const general = [3]memory.Pair{ .u32, .s32, .u64 };
    const what = if (v) vectors[opc] else general[opc];
    const mode: memory.Mode = switch (bits(insn, 23, 2)) {
        1 => .post,
        3 => .pre,
        else => .offset,
    };
    const scale: u5 = switch (what) {
        .u32, .s32, .v32 => 2,
        .u64, .v64 => 3,
        .v128 => 4,
    };
    const n = orSp(rn(insn));
    const first = rt(insn);
    const second = bits(insn, 10, 5);
    const sp = n == core.lane_sp;
    t.emit(.{
        .handler = if (loads) memory.loadPair(what, mode, sp) else memory.storePair(what, mode, sp),
        .d = if (v) vector(first) else if (loads) target(first) else source(first),
        .n = n,
        .m = if (v) vector(second) else if (loads) target(second) else source(second),
        .imm = @intCast(fields.signed(insn, 15, 7) << scale),
    });
    return true;
}

/// The base register of the forms whose handlers do not check sp.
fn checkedBase(t: *Translator, insn: u32) u8 {
    const n = orSp(rn(insn));
    if (n == core.lane_sp) t.emit(.{ .handler = &memory.check_sp });
    return n;
}

pub fn exclusive(t: *Translator, insn: u32) bool {
    const n = checkedBase(t, insn);
    const size: u2 = @intCast(bits(insn, 30, 2));
    const loads = bit(insn, 22);
    t.emit(.{
        .handler = if (loads) atomic_ops.loadExclusive(size) else atomic_ops.storeExclusive(size),
        .d = if (loads) target(rt(insn)) else source(rt(insn)),
        .n = n,
        .a = target(rm(insn)),
    });
    return true;
}

pub fn exclusive_pair(t: *Translator, insn: u32) bool {
    const n = checkedBase(t, insn);
    const wide = bit(insn, 30);
    const second = bits(insn, 10, 5);
    const loads = bit(insn, 22);
    t.emit(.{
        .handler = if (loads) atomic_ops.loadExclusivePair(wide) else atomic_ops.storeExclusivePair(wide),
        .d = if (loads) target(rt(insn)) else source(rt(insn)),
        .m = if (loads) target(second) else source(second),
        .n = n,
        .a = target(rm(insn)),
    });
    return true;
}

pub fn compare_swap(t: *Translator, insn: u32) bool {
    const n = checkedBase(t, insn);
    const s = rm(insn);
    t.emit(.{
        .handler = atomic_ops.compareSwap(@intCast(bits(insn, 30, 2))),
        .d = source(rt(insn)),
        .n = n,
        .m = source(s),
        .a = target(s),
    });
    return true;
}

pub fn compare_swap_pair(t: *Translator, insn: u32) bool {
    const s = rm(insn);
    const r = rt(insn);
    if ((s | r) & 1 != 0) return false;
    const n = checkedBase(t, insn);
    t.emit(.{
        .handler = atomic_ops.compareSwapPair(bit(insn, 30)),
        .d = @intCast(r),
        .n = n,
        .m = @intCast(s),
        // The odd registers, 31 being zero and nowhere.
        .a = source(r + 1),
        .imm = @as(i32, source(s + 1)) | @as(i32, target(s + 1)) << 8,
    });
    return true;
}

pub fn ordered(t: *Translator, insn: u32) bool {
    const n = checkedBase(t, insn);
    const size: u2 = @intCast(bits(insn, 30, 2));
    if (bit(insn, 22)) {
        t.emit(.{ .handler = atomic_ops.loadOrdered(size, .plain), .d = target(rt(insn)), .n = n });
    } else {
        t.emit(.{ .handler = atomic_ops.storeOrdered(size), .d = source(rt(insn)), .n = n });
    }
    return true;
}

pub fn ordered_unscaled(t: *Translator, insn: u32) bool {
    const size: u2 = @intCast(bits(insn, 30, 2));
    const extension: atomic_ops.Extension = switch (bits(insn, 22, 2)) {
        2 => .signed_x,
        3 => .signed_w,
        else => .plain,
    };
    if (extension == .signed_x and size == 3 or extension == .signed_w and size >= 2) return false;
    const n = checkedBase(t, insn);
    const imm: i32 = @intCast(fields.signed(insn, 12, 9));
    if (bits(insn, 22, 2) == 0) {
        t.emit(.{ .handler = atomic_ops.storeOrdered(size), .d = source(rt(insn)), .n = n, .imm = imm });
    } else {
        t.emit(.{ .handler = atomic_ops.loadOrdered(size, extension), .d = target(rt(insn)), .n = n, .imm = imm });
    }
    return true;
}

pub fn load_acquire_pc(t: *Translator, insn: u32) bool {
    const n = checkedBase(t, insn);
    t.emit(.{ .handler = atomic_ops.loadOrdered(@intCast(bits(insn, 30, 2)), .plain), .d = target(rt(insn)), .n = n });
    return true;
}

pub fn atomic(t: *Translator, insn: u32) bool {
    const n = checkedBase(t, insn);
    const what: atomic_ops.Rmw = @enumFromInt(bits(insn, 12, 4));
    const handler = atomic_ops.modify(what, @intCast(bits(insn, 30, 2)));
    t.emit(.{ .handler = handler, .d = target(rt(insn)), .n = n, .m = source(rm(insn)) });
    return true;
}

pub fn multiple(t: *Translator, insn: u32) bool {
    const handler = structure.multiple(insn) orelse return false;
    const n = checkedBase(t, insn);
    t.emit(.{ .handler = handler, .d = @intCast(rt(insn)), .n = n, .imm = @bitCast(insn) });
    return true;
}

pub fn multiple_post(t: *Translator, insn: u32) bool {
    if (!multiple(t, insn)) return false;
    emitPost(t, insn, structure.multipleBytes(insn));
    return true;
}

pub fn single(t: *Translator, insn: u32) bool {
    const handler = structure.single(insn) orelse return false;
    const n = checkedBase(t, insn);
    t.emit(.{ .handler = handler, .d = @intCast(rt(insn)), .n = n, .imm = @bitCast(insn) });
    return true;
}

pub fn single_post(t: *Translator, insn: u32) bool {
    if (!single(t, insn)) return false;
    emitPost(t, insn, structure.singleBytes(insn));
    return true;
}

/// The base grows by the bytes accessed, or by a register.
fn emitPost(t: *Translator, insn: u32, size: u32) void {
    const n = orSp(rn(insn));
    if (rm(insn) == 31) {
        t.emit(.{ .handler = alu.binary(.add, true, .imm).?, .d = n, .n = n, .imm = @intCast(size) });
    } else {
        t.emit(.{ .handler = alu.binary(.add, true, .reg).?, .d = n, .n = n, .m = source(rm(insn)) });
    }
}
