//! Maps of the host's registers other than the usual one: how code changes to one and back (loops have one each), and long straight code, which
//! has many. There each guest register that is about to be used more often than it costs gets a host register, that of the one which is
//! used again latest; what it held lies in the register block meanwhile. Before anything that leads elsewhere all are in their usual places again.

const std = @import("std");
const cache = @import("cache.zig");
const decoder = @import("../decoder.zig");
const info = @import("info.zig");
const layout = @import("layout.zig");
const loops = @import("loop.zig");
const x64 = @import("x64.zig");
const Translator = @import("translate.zig").Translator;

const Words = *const [cache.page_words]u32;
const slots = layout.fixed.len;

/// No straight code has more instructions: a block's head counts them with one byte.
pub const longest = 127;
/// What shorter code could gain, the way back costs.
const shortest = 24;

/// Code that brings the fixed registers into their places, and those of a map; 0: there is none.
pub const Ways = struct { leave: u32 = 0, enter: u32 = 0 };

const Version = struct { map: layout.Map, ways: Ways };

/// Those of the straight code being translated, under the cache's mutex; the first is the usual one.
var versions: [1 + longest * most_swaps]Version = undefined;
const most_swaps = 3;
/// How much all instructions before one use each register, and where from it on each is used next: the run's length if nowhere.
var used: [longest + 1][32]u16 = undefined;
var next: [longest + 1][32]u8 = undefined;

/// What straight code has done with registers up to the current instruction.
pub const Straight = struct {
    /// Instructions of the block, from its first on, that it is for.
    run: u32 = 0,
    /// Of `versions`: how many there are, and the current one.
    count: u32 = 1,
    version: u32 = 0,
    /// What the fixed registers' places hold.
    holds: [slots]u5 = usual,
    /// Guest registers with a host register that may hold something else than the register block.
    dirty: u64 = fixed_mask,
    /// All that the run may write.
    written: u64 = 0,
};

const usual: [slots]u5 = blk: {
    var all: [slots]u5 = undefined;
    for (layout.fixed, &all) |f, *h| h.* = f.guest;
    break :blk all;
};

const fixed_mask: u64 = blk: {
    var mask: u64 = 0;
    for (layout.fixed) |f| mask |= 1 << f.guest;
    break :blk mask;
};

/// Code changes from a map to the usual one.
pub fn emitLeave(m: *const layout.Map, a: *x64.Asm) void {
    for (m.swapped()) |s| switch (s.in) {
        .guest => |in| if (s.written) a.store(.q, .{ .mem = layout.lane(in) }, s.host),
        .slice => a.store(.d, .{ .mem = layout.blockField("slice") }, s.host),
        .place => {},
    };
    for (m.swapped()) |s| a.mov(.q, s.host, .{ .mem = layout.lane(s.out) });
}

pub fn emitEnter(m: *const layout.Map, a: *x64.Asm) void {
    for (m.swapped()) |s| a.store(.q, .{ .mem = layout.lane(s.out) }, s.host);
    for (m.swapped()) |s| switch (s.in) {
        .guest => |in| a.mov(.q, s.host, .{ .mem = layout.lane(in) }),
        .slice => a.mov(.d, s.host, .{ .mem = layout.blockField("slice") }),
        .place => |k| a.mov(.q, s.host, .{ .mem = layout.place(k) }),
    };
}

/// Both as code to be called.
pub fn emitWays(m: *const layout.Map, a: *x64.Asm) Ways {
    const leave = a.at;
    emitLeave(m, a);
    a.ret();
    const enter = a.at;
    emitEnter(m, a);
    a.ret();
    return .{ .leave = leave, .enter = enter };
}

/// Does the instruction lead nowhere but to the next, and need nothing in its usual place?
pub fn isStraight(insn: u32) bool {
    if (decoder.isSimd(insn)) return true;
    return switch (info.class(insn) orelse return false) {
        .branch_imm, .branch_reg, .branch_cond, .compare_branch, .test_branch, .svc, .breakpoint, .isb, .msr => false,
        else => true,
    };
}

/// The block of `count` instructions from word `first` on.
pub fn begin(words: Words, first: u32, count: u32) Straight {
    var s: Straight = .{};
    while (s.run < @min(count, longest) and isStraight(words[first + s.run])) s.run += 1;
    if (s.run < if (loops.patience == 0) 2 else @as(u32, shortest)) return .{};
    var sum: loops.Weights = @splat(0);
    used[0] = @splat(0);
    for (words[first..][0..s.run], used[1..][0..s.run]) |insn, *u| {
        loops.weigh(insn, &sum);
        for (u, sum[0..32]) |*to, from| to.* = @intCast(from);
        s.written |= info.written(insn);
    }
    next[s.run] = @splat(@intCast(s.run));
    var i = s.run;
    while (i > 0) {
        i -= 1;
        for (&next[i], next[i + 1], used[i], used[i + 1]) |*n, later, before, after| n.* = if (before != after) @intCast(i) else later;
    }
    versions[0] = .{ .map = layout.fixed_map, .ways = .{} };
    return s;
}

/// Before the instruction at `t.index` of the block: changes maps, if that is worth it.
pub fn change(t: *Translator) void {
    const s = &t.straight;
    const i = t.index;
    if (i > s.run or s.run == 0) return;
    if (i > 0) s.dirty |= info.written(t.words[t.first + i - 1]);
    if (i == s.run) return goBack(t);
    var left: u32 = most_swaps;
    for (0..31) |r| {
        if (next[i][r] != i or t.map.host[r] != null or left == 0) continue;
        const slot = victim(s, i) orelse return;
        if (!pays(s, i, @intCast(r), slot)) continue;
        swap(t, @intCast(r), slot);
        left -= 1;
    }
}

/// Behind the last instruction of the block.
pub fn finish(t: *Translator) void {
    if (t.straight.run <= t.index) return;
    t.straight.dirty |= info.written(t.words[t.first + t.index]);
    goBack(t);
}

/// Brings all registers into their usual places.
fn goBack(t: *Translator) void {
    const s = &t.straight;
    for (layout.fixed, s.holds) |f, held| {
        if (held != f.guest and s.dirty >> held & 1 != 0) t.a.store(.q, .{ .mem = layout.lane(held) }, f.host);
    }
    for (layout.fixed, s.holds) |f, held| {
        if (held != f.guest) t.a.mov(.q, f.host, .{ .mem = layout.lane(f.guest) });
    }
    s.holds = usual;
    use(t, 0);
}

/// The place whose register is not used by the instruction at i, and later than all others.
fn victim(s: *const Straight, i: u32) ?usize {
    var best: ?usize = null;
    var latest: u32 = i;
    for (s.holds, 0..) |held, slot| {
        if (layout.fixed[slot].guest == layout.sp) continue;
        if (next[i][held] <= latest) continue;
        latest = next[i][held];
        best = slot;
    }
    return best;
}

/// Is the register used more, up to where that in the slot is used, than it costs to put it there?
fn pays(s: *const Straight, i: u32, r: u5, slot: usize) bool {
    const held = s.holds[slot];
    const end = next[i][held];
    const gain = used[end][r] - used[i][r];
    // Its own load; what was there, and is there again afterwards; what it becomes.
    var cost: u32 = 1;
    if (s.dirty >> held & 1 != 0) cost += 1;
    if (end < s.run) cost += 1;
    if (held == layout.fixed[slot].guest) cost += 1;
    if (s.written >> r & 1 != 0) cost += 1;
    return gain > if (loops.patience == 0) 0 else cost;
}

fn swap(t: *Translator, r: u5, slot: usize) void {
    const s = &t.straight;
    const held = s.holds[slot];
    const host = layout.fixed[slot].host;
    if (s.dirty >> held & 1 != 0) t.a.store(.q, .{ .mem = layout.lane(held) }, host);
    t.a.mov(.q, host, .{ .mem = layout.lane(r) });
    s.dirty &= ~(@as(u64, 1) << r);
    s.holds[slot] = r;
    versions[s.count] = .{ .map = mapOf(s), .ways = .{} };
    s.count += 1;
    use(t, s.count - 1);
}

fn mapOf(s: *const Straight) layout.Map {
    var m = layout.fixed_map;
    for (layout.fixed) |f| m.host[f.guest] = null;
    for (layout.fixed, s.holds) |f, held| {
        m.host[held] = f.host;
        if (held == f.guest) continue;
        m.swaps[m.swap_count] = .{ .host = f.host, .out = f.guest, .in = .{ .guest = held }, .written = s.written >> held & 1 != 0 };
        m.swap_count += 1;
    }
    return m;
}

fn use(t: *Translator, version: u32) void {
    t.straight.version = version;
    t.map = &versions[version].map;
}

/// Before a cold part of a block that was left with this map.
pub fn comeCold(t: *Translator, version: u32) void {
    if (t.straight.run == 0) return;
    use(t, version);
    const v = &versions[version];
    if (version != 0 and v.ways.leave == 0) v.ways = emitWays(&v.map, &t.a);
    t.ways = v.ways;
}
