//! Loops: the words from the target of a branch back to the branch. When such a branch was taken several times, they are translated once
//! more, with branches inside that stay inside and a map of registers of their own: guest registers that the loop uses and that have no
//! host register otherwise get those of others that it does not use.
//!
//! The only way in is the branch back, from the block at the loop's head, which does the first round: so NZCV at the head can be
//! computed again from what every branch back leaves (`again`), and need not be saved in each round. Every way out, and every call of Zig,
//! brings the fixed registers into their places first.

const std = @import("std");
const cache = @import("cache.zig");
const cold = @import("cold.zig");
const decoder = @import("../decoder.zig");
const exits = @import("exit.zig");
const fields = @import("../interp/fields.zig");
const flags = @import("flags.zig");
const hoist = @import("hoist.zig");
const info = @import("info.zig");
const layout = @import("layout.zig");
const recipe = @import("recipe.zig");
const registers = @import("registers.zig");
const mem = @import("../../mem/mem.zig");
const nears = @import("near.zig");
const patch = @import("patch.zig");
const service = @import("service.zig");
const thunks = @import("thunks.zig");
const translate = @import("translate.zig");
const trap = @import("trap.zig");
const x64 = @import("x64.zig");

const Translator = translate.Translator;
const bit = fields.bit;
const bits = fields.bits;

/// No loop has more instructions.
pub const longest = 128;
/// How often a branch back is taken before its loop is made. That costs as much as some hundred rounds can gain.
pub var patience: i32 = 200;

const Words = *const [cache.page_words]u32;

pub const Loop = struct {
    /// Word of the head, and the number of instructions.
    first: u32,
    count: u32,
    /// Where branches of the loop lead to.
    joins: [longest]bool,
    /// Where their code begins; 0: not known yet.
    labels: [longest]u32,
    waiting: [longest]Waiting,
    waiting_count: u32,
    map: layout.Map,
    /// How to compute NZCV at the head. Null: it is saved there, or not needed.
    again: ?recipe.Recipe,
    /// A branch back leaves no such NZCV after all.
    failed: bool,
    /// What is looked up before it begins.
    plan: hoist.Plan,
    near: nears.Near,
    /// Accesses that are to have no window, by index.
    refused: std.bit_set.IntegerBitSet(longest),
    head: *Head,

    const Waiting = struct { index: u32, from: x64.Fixup };

    /// The instruction of the loop at `addr`, relative to its head.
    pub fn inside(l: *const Loop, t: *const Translator, addr: u64) ?u32 {
        const word = (addr -% t.page.va) / 4;
        return if (word >= l.first and word < l.first + l.count) @intCast(word - l.first) else null;
    }

    /// Does a branch to the instruction at `index` leave NZCV to be computed again there?
    pub fn keeps(l: *Loop, t: *const Translator, index: u32) bool {
        const again = l.again orelse return false;
        if (index != 0) return false;
        if (t.again == null or !std.meta.eql(t.again.?, again)) l.failed = true;
        return true;
    }

    /// Makes a branch lead to the instruction at `index`.
    pub fn lead(l: *Loop, t: *Translator, from: x64.Fixup, index: u32) void {
        if (l.labels[index] != 0) return t.a.link(from, l.labels[index]);
        l.waiting[l.waiting_count] = .{ .index = index, .from = from };
        l.waiting_count += 1;
    }

    /// A window for an access of the current instruction, if it is to have one.
    pub fn window(l: *Loop, t: *const Translator, bytes: i32, writes: bool) ?cold.Window {
        if (next_window == owners.len or l.refused.isSet(t.index)) return null;
        return .{ .what = .{ .slot = own(l, t.page, t.index), .writes = writes, .bytes = @intCast(bytes) }, .bytes = bytes };
    }

    /// Branches to the current instruction lead here. `reached`: so does the one before.
    fn label(l: *Loop, t: *Translator, reached: bool) void {
        if (t.index != 0 and reached and exits.flagsNeededAt(t, t.pc)) t.save();
        t.forget();
        l.labels[t.index] = t.a.at;
        for (l.waiting[0..l.waiting_count]) |w| if (w.index == t.index) t.a.linkHere(w.from);
        if (t.page.mode.flat) l.near.assume(t);
        if (t.index != 0) return;
        if (l.again) |again| {
            t.state = .pending;
            t.again = again;
        }
        // The host's flags are nobody's here.
        const slice: x64.Rm = if (l.map.slice) |h| .{ .reg = h } else .{ .mem = layout.blockField("slice") };
        t.a.aluImm(.sub, .d, slice, @intCast(l.count));
        t.addCold(t.a.jcc(.s), .spent);
    }
};

/// The one being made, under the cache's mutex.
var current: Loop = undefined;

/// CARRICK_CPU_PATIENCE makes loops earlier, for tests.
pub fn start() void {
    const text = std.c.getenv("CARRICK_CPU_PATIENCE") orelse return;
    patience = text[0] -% '0';
}

/// A branch back: its word, the place of its count in `Cpu.backs`, and the rel32 of the branch that is taken while that lasts.
pub const Back = packed struct(u64) { from: u10, slot: u22, site: u32 };

/// Where a branch back to the word at `head` leads at first: to the block there, but counted.
pub fn emitBack(t: *Translator, site: x64.Fixup, head: u32) void {
    const a = &t.a;
    const from = t.first + t.index;
    const slot = hash(t.page.number, from) % layout.back_slots;
    var left = layout.cpuField("backs");
    left.disp += @intCast(4 * slot);
    a.aluImm(.sub, .d, .{ .mem = left }, 1);
    patch.alignField(a, 2);
    const lasts = a.jcc(.ns);
    const entry = exits.known(t, t.page.va + 4 * head);
    if (entry != 0) a.link(lasts, entry) else a.linkHere(lasts);
    const back: Back = .{ .from = @intCast(from), .slot = @intCast(slot), .site = lasts.at };
    a.movImm(.rcx, site.at);
    a.movImm(.rdx, @as(u32, @bitCast(service.Place{ .page = @intCast(t.page.number), .word = @intCast(head), .mark = true })));
    a.movImm(.rax, @as(u64, @bitCast(back)));
    a.jmpTo(thunks.loop);
}

/// What is known of the loop that was made of a head: where it ends, where its code begins, and the
/// accesses that open windows too often. All zeros when nothing is.
const Head = struct {
    page: u32 = 0,
    word: u32 = 0,
    end: u32 = 0,
    code: u32 = 0,
    /// The same, where each access is looked up.
    cautious: u32 = 0,
    refused: std.bit_set.IntegerBitSet(longest) = .initEmpty(),
};
var heads: [4096]Head = @splat(.{});
/// Some may not be as they were at first: memory that nobody has written to.
var any_heads = false;

/// The access of a loop that uses a window, by the window's number: no two have the same.
const Owner = struct { head: *Head, page: u32, word: u32, index: u32 };
var owners: [mem.tlb.window_count]Owner = undefined;
var next_window: u16 = mem.tlb.stack_windows;

/// Forgets all loops, whose code is dropped.
pub fn reset() void {
    if (any_heads) @memset(&heads, .{});
    any_heads = false;
    next_window = mem.tlb.stack_windows;
    mem.tlb.closeAllWindows();
}

fn hash(page: u32, head: u32) u32 {
    return ((page << 10 | head) *% 0x9e3779b1) >> 20;
}

/// The page of the loop that uses the window. The mutex is held.
pub fn pageOfWindow(slot: u16) ?*cache.Page {
    const o = owners[slot];
    if (o.head.page != o.page or o.head.word != o.word or o.head.code == 0) return null;
    return cache.pageOf(o.page);
}

/// Instructions of that loop.
pub fn lengthOfWindow(slot: u16) u32 {
    const h = owners[slot].head;
    return h.end + 1 - h.word;
}

/// Makes the loop again without the window. Whoever enters the old code is sent to the new.
pub fn refuseWindow(page: *cache.Page, words: Words, slot: u16) void {
    const o = owners[slot];
    const h = o.head;
    const old = h.*;
    h.refused.set(o.index);
    make(page, words, h);
    patch.link(old.code + 1, h.code);
    if (old.cautious != old.code) patch.link(old.cautious + 1, h.cautious);
}

/// The branch at word `from` leads back to `head`. Where the code of the loop begins that it ends; null: it is none. The mutex is held.
pub fn at(page: *cache.Page, words: Words, head: u32, from: u32) ?u32 {
    const h = &heads[hash(page.number, head)];
    any_heads = true;
    if (h.page != page.number or h.word != head) h.* = .{ .page = page.number, .word = head };
    if (h.code != 0 and from <= h.end) return h.code;
    if (from - head >= longest or !suits(words, head, from)) return null;
    h.end = last(words, head, from);
    h.refused = .initEmpty();
    make(page, words, h);
    return h.code;
}

/// The last of the branches back to `head`, that at `from` or a later one.
fn last(words: Words, head: u32, from: u32) u32 {
    var end = from;
    for (from + 1..@min(head + longest, cache.page_words)) |i| {
        const word: u32 = @intCast(i);
        if (targetOf(words, word) == head and suits(words, head, word)) end = word;
    }
    return end;
}

/// Where the branch at the word leads, if it is one inside the page that calls nothing.
fn targetOf(words: Words, word: u32) ?u32 {
    const insn = words[word];
    if (decoder.isSimd(insn)) return null;
    const offset = switch (info.class(insn) orelse return null) {
        .branch_cond, .compare_branch => fields.signed(insn, 5, 19),
        .test_branch => fields.signed(insn, 5, 14),
        .branch_imm => if (bit(insn, 31)) return null else fields.signed(insn, 0, 26),
        else => return null,
    };
    const to = @as(i64, word) + offset;
    return if (to < 0 or to >= cache.page_words) null else @intCast(to);
}

/// Is it worth a map of its own? One that calls functions leaves it all the time; the loops inside of one come first.
fn suits(words: Words, head: u32, end: u32) bool {
    for (head..end + 1) |i| {
        const word: u32 = @intCast(i);
        const insn = words[word];
        if (targetOf(words, word)) |to| {
            if (to > head and to <= word) return false;
            continue;
        }
        if (decoder.isSimd(insn)) continue;
        switch (info.class(insn) orelse return false) {
            .branch_imm, .branch_reg, .svc, .breakpoint, .isb, .msr => return false,
            else => {},
        }
    }
    return true;
}

fn make(page: *cache.Page, words: Words, h: *Head) void {
    const l = &current;
    const head = h.word;
    const count = h.end + 1 - head;
    l.head = h;
    l.refused = h.refused;
    l.first = head;
    l.count = count;
    l.joins = @splat(false);
    l.joins[0] = true;
    for (head..head + count) |i| {
        const to = targetOf(words, @intCast(i)) orelse continue;
        if (to >= head and to < head + count) l.joins[to - head] = true;
    }
    l.plan = .{};
    l.near = .{};
    h.cautious = emit(page, words, l);
    h.code = h.cautious;
    if (page.mode.flat) {
        l.near = nears.find(words[head..][0..count]);
        if (l.near.at_head != 0 and cache.hasRoom()) h.code = emit(page, words, l);
        return;
    }
    l.plan = hoist.find(words[head..][0..count], l.joins[0..count]);
    if (l.plan.count == 0 or !cache.hasRoom() or next_window + l.plan.count > owners.len) return;
    for (l.plan.bases[0..l.plan.count]) |*b| b.window = own(l, page, longest);
    h.code = emit(page, words, l);
}

/// Translates it by the plan. Where its code begins.
fn emit(page: *cache.Page, words: Words, l: *Loop) u32 {
    l.map = choose(words[l.first..][0..l.count], &l.plan);
    l.again = againAtHead(words, l);
    while (true) {
        if (attempt(page, words, l)) |code| return code;
        if (l.failed) l.again = null;
        l.near.at_head &= ~l.near.lost;
    }
}

/// A window for the access at `index`; `longest`: for what is looked up before the loop.
fn own(l: *const Loop, page: *const cache.Page, index: u32) u16 {
    const slot = next_window;
    next_window += 1;
    owners[slot] = .{ .head = l.head, .page = page.number, .word = l.first, .index = index };
    return slot;
}

/// Translates it. Null when NZCV is not as thought at the head.
fn attempt(page: *cache.Page, words: Words, l: *Loop) ?u32 {
    const begin = std.mem.alignForward(u32, cache.used, 16);
    var t: Translator = .{
        .a = .{ .base = cache.writable, .at = cache.used_cold },
        .page = page,
        .words = words,
        .first = l.first,
        .pc = page.va + @as(u64, l.first) * 4,
        .code = begin,
        .count = l.count,
        .plain = false,
        .map = &l.map,
        .loop = l,
    };
    const end = l.first + l.count;
    flags.liveness(words, l.first, t.needed[0..l.count], end == cache.page_words or flags.neededAt(words, end, 20));
    if (l.again) |again| if (!t.lasts(again)) {
        l.again = null;
    };
    l.labels = @splat(0);
    l.waiting_count = 0;
    l.failed = false;
    l.near.lost = 0;
    t.ways = registers.emitWays(&l.map, &t.a);
    const cold_part = t.a.at;
    t.a.at = begin;
    // What is patched when the loop is made again.
    t.a.linkHere(t.a.jmp());
    const entries = hoist.enter(&t, &l.plan);
    l.near.enter(&t, l.head.cautious);
    registers.emitEnter(&l.map, &t.a);
    t.a.pad(std.mem.alignForward(u32, t.a.at, 16));
    body(&t, l);
    if (l.failed or l.near.lost != 0) {
        trap.forget();
        return null;
    }
    cache.used = t.a.at;
    t.a.at = cold_part;
    t.emitCold();
    hoist.emitMisses(&t, &l.plan, &entries, l.head.cautious);
    t.publish(begin);
    return begin;
}

fn body(t: *Translator, l: *Loop) void {
    var reached = true;
    for (0..l.count) |i| {
        t.index = @intCast(i);
        t.pc = t.page.va + (l.first + i) * 4;
        if (l.joins[i]) l.label(t, reached) else if (!reached) continue;
        t.live = t.needed[i];
        t.one(t.words[l.first + i]);
        reached = !t.done;
        t.done = false;
    }
    if (reached) exits.branchAlways(t, t.pc + 4);
}

/// How NZCV, which the head needs, can be computed again after every branch back.
fn againAtHead(words: Words, l: *const Loop) ?recipe.Recipe {
    if (!flags.neededAt(words, l.first, 20)) return null;
    var found: ?recipe.Recipe = null;
    for (0..l.count) |i| {
        if (targetOf(words, @intCast(l.first + i)) != l.first) continue;
        const r = againBefore(words, l, @intCast(i)) orelse return null;
        if (found) |f| if (!std.meta.eql(f, r)) return null;
        found = r;
    }
    return found;
}

/// The same before the branch at `index`: what last set NZCV on the straight way to it.
fn againBefore(words: Words, l: *const Loop, index: u32) ?recipe.Recipe {
    var written: u64 = 0;
    var i = index;
    while (i > 0 and !l.joins[i]) {
        i -= 1;
        const insn = words[l.first + i];
        if (flags.writes(insn)) {
            const r = recipe.of(insn) orelse return null;
            return if (written & r.registers() == 0) r else null;
        }
        if (info.endsBlock(insn)) return null;
        written |= info.written(insn);
    }
    return null;
}

/// Stand for the count of the slice and for what was looked up among the registers, of which 31 is sp.
const slice_number = 32;
const first_place = 33;
pub const Weights = [first_place + layout.places]u32;

fn choose(words: []const u32, plan: *const hoist.Plan) layout.Map {
    var weights: Weights = @splat(0);
    var written: u64 = 0;
    for (words, plan.of[0..words.len]) |insn, place| {
        weigh(insn, &weights);
        written |= info.written(insn);
        const k = place orelse continue;
        weights[plan.bases[k].register] -|= 1;
        weights[first_place + @as(u32, k)] += 1;
    }
    weights[slice_number] = 3;
    var m = layout.fixed_map;
    while (m.swap_count < layout.fixed.len) {
        const best = mostUsed(&m, &weights) orelse return m;
        const victim = leastUsed(&m, &weights);
        // Both ways cost two accesses each.
        if (weights[best] < 2 or weights[victim.guest] >= weights[best]) return m;
        m.host[victim.guest] = null;
        var swap: layout.Swap = .{ .host = victim.host, .out = victim.guest, .in = .slice, .written = false };
        if (best == slice_number) {
            m.slice = victim.host;
        } else if (best >= first_place) {
            swap.in = .{ .place = @intCast(best - first_place) };
            m.places[swap.in.place] = victim.host;
        } else {
            swap.in = .{ .guest = @intCast(best) };
            swap.written = written >> swap.in.guest & 1 != 0;
            m.host[best] = victim.host;
        }
        m.swaps[m.swap_count] = swap;
        m.swap_count += 1;
    }
    return m;
}

/// Of those that have no host register yet.
fn mostUsed(m: *const layout.Map, weights: *const Weights) ?u32 {
    var best: ?u32 = null;
    var most: u32 = 0;
    for (weights, 0..) |w, i| {
        const has = if (i < slice_number) m.host[i] != null else if (i == slice_number) m.slice != null else m.places[i - first_place] != null;
        if (has or w <= most) continue;
        most = w;
        best = @intCast(i);
    }
    return best;
}

/// Of the fixed registers that still have their places.
fn leastUsed(m: *const layout.Map, weights: *const Weights) layout.Fixed {
    var least: ?layout.Fixed = null;
    for (layout.fixed) |f| {
        if (m.host[f.guest] == null) continue;
        if (least == null or weights[f.guest] < weights[least.?.guest]) least = f;
    }
    return least.?;
}

/// Adds what an instruction uses registers for: 1 for what it reads, 2 for what it writes. Being wrong only costs time.
pub fn weigh(insn: u32, weights: *Weights) void {
    const d = fields.rd(insn);
    const n = fields.rn(insn);
    const m = fields.rm(insn);
    const a = fields.ra(insn);
    var uses: [32]u32 = @splat(0);
    const vector = bit(insn, 26);
    if (decoder.isSimd(insn)) return weighMove(insn, weights);
    switch (info.class(insn) orelse return) {
        .adr, .move_wide, .mrs => uses[d] += 2,
        .add_sub_imm, .logical_imm, .bitfield, .one_source => {
            uses[d] += 2;
            uses[n] += 1;
        },
        .compare_branch, .test_branch => uses[d] += 1,
        .cond_compare => {
            uses[n] += 1;
            if (!bit(insn, 11)) uses[m] += 1;
        },
        .three_source => {
            uses[d] += 2;
            for ([_]u32{ n, m, a }) |r| uses[r] += 1;
        },
        .literal => if (!vector) {
            uses[d] += 2;
        },
        .pair => {
            uses[n] += 1 + 2 * bits(insn, 23, 1);
            if (!vector) for ([_]u32{ d, a }) |r| {
                uses[r] += 1 + bits(insn, 22, 1);
            };
        },
        .unsigned_offset, .unscaled, .unprivileged, .indexed, .ordered, .ordered_unscaled, .load_acquire_pc, .register_offset => |class| {
            uses[n] += if (class == .indexed) 3 else 1;
            if (class == .register_offset) uses[m] += 1;
            if (!vector) uses[d] += if (bits(insn, 22, 2) == 0) 1 else 2;
        },
        .multiple, .single => uses[n] += 1,
        .multiple_post, .single_post => {
            uses[n] += 3;
            uses[m] += 1;
        },
        else => for ([_]u32{ d, n, m }) |r| {
            uses[r] += 1 + @as(u32, @intFromBool(r == d));
        },
    }
    // 31 is sp only as a base, and where it is moved.
    uses[layout.sp] = if (n != layout.sp) 0 else switch (info.class(insn).?) {
        .pair, .unsigned_offset, .unscaled, .indexed, .register_offset, .multiple, .multiple_post, .add_sub_imm => 1,
        else => 0,
    };
    for (weights[0..32], uses) |*w, u| w.* += u;
}

/// Of those that move between vector and general registers.
fn weighMove(insn: u32, weights: *Weights) void {
    const copies = insn & 0x9fe08400 == 0x0e000400;
    const converts = insn & 0x7f20fc00 == 0x1e200000;
    if (!copies and !converts) return;
    for ([_]u32{ fields.rd(insn), fields.rn(insn) }) |r| if (r != 31) {
        weights[r] += 1;
    };
}

test "what an instruction sets weighs as much as what it reads and sets" {
    var weights: Weights = @splat(0);
    // add x1, x2, x3; add x4, x4, x5
    for ([_]u32{ 0x8b030041, 0x8b050084 }) |insn| weigh(insn, &weights);
    try std.testing.expectEqualSlices(u32, &.{ 0, 2, 1, 1, 4, 1 }, weights[0..6]);
}
