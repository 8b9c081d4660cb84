//! What a loop accesses off registers that it does not change: at constant distances, or by an index that was masked, shifted or loaded as a
//! byte just before. All of that is looked up once, on the way into the loop, and the access itself is then one instruction of the host. Where it
//! lies in several places of the host's memory, or lacks a right, another translation of the loop runs that looks up each access.
//!
//! What was found holds while the loop runs: mappings do not change meanwhile, and whatever leaves guest code leaves the loop.

const std = @import("std");
const cold = @import("cold.zig");
const decoder = @import("../decoder.zig");
const fields = @import("../interp/fields.zig");
const group = @import("group.zig");
const info = @import("info.zig");
const layout = @import("layout.zig");
const lookup = @import("lookup.zig");
const loops = @import("loop.zig");
const memory = @import("memory.zig");
const service = @import("service.zig");
const thunks = @import("thunks.zig");
const x64 = @import("x64.zig");
const Translator = @import("translate.zig").Translator;

const bit = fields.bit;
const bits = fields.bits;

/// Bytes that one base register is looked up for, at most: they would lie in pieces too often.
const longest = 1 << 14;

/// Bytes from..to around a register, of which `count` accesses of the loop use some.
const Base = struct { register: u5 = 0, from: i32 = 0, to: i32 = 0, writes: bool = false, count: u32 = 0, window: u16 = 0 };

pub const Plan = struct {
    bases: [layout.places]Base = undefined,
    count: u32 = 0,
    /// Which of them the access of each instruction is off.
    of: [loops.longest]?u2 = @splat(null),
};

/// The access of an instruction: bytes from..to off the register, somewhere.
const Span = struct { from: i32, to: i32, writes: bool };

/// What is worth to be looked up before the loop.
pub fn find(words: []const u32, joins: []const bool) Plan {
    var written: u64 = 0;
    for (words) |insn| written |= writtenBy(insn);
    var all: [32]Base = @splat(.{});
    for (words, 0..) |insn, i| {
        if (decoder.isSimd(insn)) continue;
        const n = fields.rn(insn);
        if (written >> @intCast(n) & 1 != 0) continue;
        const span = spanOf(words, joins, i) orelse continue;
        const b = &all[n];
        if (b.count == 0) b.* = .{ .register = @intCast(n), .from = span.from, .to = span.to };
        const from = @min(b.from, span.from);
        const to = @max(b.to, span.to);
        if (to - from > longest) continue;
        b.* = .{ .register = @intCast(n), .from = from, .to = to, .writes = b.writes or span.writes, .count = b.count + 1 };
    }
    var plan: Plan = .{};
    while (plan.count < plan.bases.len) : (plan.count += 1) {
        var best = &all[0];
        for (&all) |*b| if (b.count > best.count) {
            best = b;
        };
        if (best.count == 0) break;
        plan.bases[plan.count] = best.*;
        best.count = 0;
    }
    for (plan.bases[0..plan.count], 0..) |b, k| {
        for (words, 0..) |insn, i| {
            if (decoder.isSimd(insn) or fields.rn(insn) != b.register) continue;
            const span = spanOf(words, joins, i) orelse continue;
            if (span.from >= b.from and span.to <= b.to and (b.writes or !span.writes)) plan.of[i] = @intCast(k);
        }
    }
    return plan;
}

/// Registers that it may change, a bit each. Of sp it is known exactly.
fn writtenBy(insn: u32) u64 {
    const sp = 1 << layout.sp;
    const written = info.written(insn) & ~@as(u64, sp);
    const moves = info.class(insn) == .pair and bit(insn, 23) and fields.rn(insn) == layout.sp;
    return if (moves or group.changes(insn, layout.sp)) written | sp else written;
}

fn spanOf(words: []const u32, joins: []const bool, i: usize) ?Span {
    const insn = words[i];
    if (info.class(insn) == .register_offset) return indexedSpan(words, joins, i);
    const f = group.fixedAccess(insn, fields.rn(insn)) orelse return null;
    return .{ .from = f.offset, .to = f.offset + f.bytes, .writes = f.writes };
}

fn indexedSpan(words: []const u32, joins: []const bool, i: usize) ?Span {
    const insn = words[i];
    const x = memory.transfer(insn) orelse return null;
    const amount: u3 = if (bit(insn, 12)) x.scale else 0;
    if (x.kind == .prefetch or amount > 3) return null;
    const most = mostOf(words, joins, i, fields.rm(insn)) orelse return null;
    if (most > longest) return null;
    const last: i32 = @intCast(most << amount);
    return .{ .from = 0, .to = last + (@as(i32, 1) << x.scale), .writes = x.kind == .store or x.kind == .store_vector };
}

/// The greatest value that register m has at instruction `at`, if what set it last, on the only way there, tells.
pub fn mostOf(words: []const u32, joins: []const bool, at: usize, m: u32) ?u64 {
    if (m == 31) return 0;
    var i = at;
    while (!joins[i]) {
        i -= 1;
        if (info.written(words[i]) >> @intCast(m) & 1 != 0) return mostBy(words[i], m);
        if (info.endsBlock(words[i])) return null;
    }
    return null;
}

/// The greatest value that the instruction gives register m.
fn mostBy(insn: u32, m: u32) ?u64 {
    if (decoder.isSimd(insn) or fields.rd(insn) != m) return null;
    const wide = bit(insn, 31);
    switch (info.class(insn) orelse return null) {
        .logical_imm => {
            // AND and ANDS.
            if (bits(insn, 29, 2) != 0 and bits(insn, 29, 2) != 3) return null;
            const masks = fields.bitMasks(bits(insn, 22, 1), bits(insn, 10, 6), bits(insn, 16, 6), true) orelse return null;
            return if (wide) masks.wmask else masks.wmask & 0xffff_ffff;
        },
        .bitfield => {
            const r = bits(insn, 16, 6);
            const s = bits(insn, 10, 6);
            const width: u32 = if (wide) 64 else 32;
            // UBFM.
            if (bits(insn, 29, 2) != 2 or r >= width or s >= width) return null;
            return if (s >= r) ones(s - r + 1) else ones(s + 1) << @intCast(width - r);
        },
        .unsigned_offset, .unscaled, .indexed, .register_offset => |class| {
            if (class == .indexed and fields.rn(insn) == m) return null;
            const x = memory.transfer(insn) orelse return null;
            return if (x.kind == .load and x.kind.load == .zero and x.scale < 2) ones(@as(u32, 8) << @intCast(x.scale)) else null;
        },
        else => return null,
    }
}

fn ones(count: u32) u64 {
    return @as(u64, std.math.maxInt(u64)) >> @intCast(64 - count);
}

/// Does the plan of the loop that is translated have the current access?
pub fn covers(t: *const Translator) bool {
    return planned(t) != null;
}

fn planned(t: *const Translator) ?u2 {
    const l = t.loop orelse return null;
    return l.plan.of[t.index];
}

/// The host's place of the current access, if it was looked up before the loop. The host's flags stay.
pub fn place(t: *Translator, where: lookup.Where) ?x64.Mem {
    const k = planned(t) orelse return null;
    var there: x64.Mem = .{ .base = t.map.places[k] orelse base: {
        t.a.mov(.q, .rax, .{ .mem = layout.place(k) });
        break :base .rax;
    } };
    switch (where) {
        .address => unreachable,
        .based => |w| there.disp = w.offset,
        .indexed => |insn| {
            there.index = lookup.indexRegister(t, insn);
            if (bit(insn, 12)) there.scale = @intCast(memory.transfer(insn).?.scale);
        },
    }
    return there;
}

/// Where the way in goes on when a base was not found at once, and how it comes back with the host's place of it in rcx.
const Entry = struct { miss: x64.Fixup, found: u32 };

pub const Entries = [layout.places]Entry;

/// On the way into the loop, the fixed registers being in their places.
pub fn enter(t: *Translator, plan: *const Plan) Entries {
    const a = &t.a;
    var all: Entries = undefined;
    for (plan.bases[0..plan.count], 0..) |b, k| {
        const base = layout.fixed_map.host[b.register] orelse base: {
            a.mov(.q, .rax, .{ .mem = layout.lane(b.register) });
            break :base .rax;
        };
        a.lea(.q, .rdx, .{ .base = base, .disp = b.from });
        a.alu(.sub, .q, .rdx, .{ .mem = layout.window(b.window, "low") });
        a.alu(.cmp, .q, .rdx, .{ .mem = layout.window(b.window, "limit") });
        const miss = a.jcc(.ae);
        a.mov(.q, .rcx, .{ .mem = layout.window(b.window, "addend") });
        a.alu(.add, .q, .rcx, .{ .reg = base });
        all[k] = .{ .miss = miss, .found = a.at };
        a.store(.q, .{ .mem = layout.place(@intCast(k)) }, .rcx);
    }
    return all;
}

/// The cold part of that. `other`: the translation that looks up each access.
pub fn emitMisses(t: *Translator, plan: *const Plan, entries: *const Entries, other: u32) void {
    const a = &t.a;
    for (plan.bases[0..plan.count], entries[0..plan.count]) |b, e| {
        const length = b.to - b.from;
        const w: cold.Window = .{ .what = .{ .slot = b.window, .writes = b.writes, .bytes = @intCast(length) }, .bytes = length };
        a.linkHere(e.miss);
        if (layout.fixed_map.host[b.register]) |h| a.movRegs(.q, .rax, h) else a.mov(.q, .rax, .{ .mem = layout.lane(b.register) });
        a.lea(.q, .rax, .{ .base = .rax, .disp = b.from });
        const misses = lookup.probeBehind(t, w);
        const found = a.at;
        a.lea(.q, .rcx, .{ .base = .rax, .disp = -b.from });
        a.jmpTo(e.found);
        a.linkHere(misses[0]);
        a.movImm(.rdx, @as(u32, @bitCast(w.what)));
        a.callTo(thunks.hoist);
        a.@"test"(.q, .{ .reg = .rax }, .rax);
        a.jccTo(.ne, found);
        a.linkHere(misses[1]);
        a.jmpTo(other);
    }
}

comptime {
    std.debug.assert(longest <= std.math.maxInt(@FieldType(service.Opening, "bytes")));
}
