//! Ways out of a block or a loop to an address known at translation: branches that are taken, calls, and what follows.
//!
//! A call is one of the host's, so that its CPU predicts the return: it pushes the guest's return address and then its own. RET
//! compares the former and returns to the latter. Whatever else guest code does with x30 and sp, the comparison tells; then the hash of
//! indirect branches says where to go, and nothing that was pushed is believed any more (`thunks.unpaired`). All that is pushed
//! is forgotten too whenever guest code is left or goes on where Zig says (`thunks.going`): so it never outlives a look at the epoch, and
//! has at most as many entries as a slice has instructions, because what is called counts (it is entered at its head).

const std = @import("std");
const abi = @import("../../abi.zig");
const cold = @import("cold.zig");
const flags = @import("flags.zig");
const layout = @import("layout.zig");
const loops = @import("loop.zig");
const patch = @import("patch.zig");
const recipe = @import("recipe.zig");
const service = @import("service.zig");
const thunks = @import("thunks.zig");
const x64 = @import("x64.zig");
const Translator = @import("translate.zig").Translator;

/// `save`: NZCV has to be saved on the way, which the host's flags have in some form, or which is to be computed again.
pub const Exit = struct { target: u64, save: bool, form: flags.Form, again: ?recipe.Recipe };

fn exitTo(t: *Translator, to: u64) Exit {
    const pending = t.state == .pending;
    return .{
        .target = to,
        .save = (pending or t.state == .host) and flagsNeededAt(t, to),
        .form = if (t.state == .host) t.state.host else .inverted,
        .again = if (pending) t.again else null,
    };
}

/// Branches to `to` on the host's condition.
pub fn branchIf(t: *Translator, cc: x64.Cc, to: u64) void {
    const e = exitTo(t, to);
    if (t.loop) |l| if (l.inside(t, to)) |index| {
        if (index == 0) l.near.returns(t);
        const saves = !l.keeps(t, index) and e.save;
        if (saves) return t.addCold(t.a.jcc(cc), .{ .inside = .{ .index = index, .exit = e } });
        return l.lead(t, t.a.jcc(cc), index);
    };
    if (!e.save and direct(t, to)) patch.alignField(&t.a, 2);
    t.addCold(t.a.jcc(cc), .{ .exit = e });
}

pub fn branchAlways(t: *Translator, to: u64) void {
    t.done = true;
    if (t.loop) |l| if (l.inside(t, to)) |index| {
        if (index == 0) l.near.returns(t);
        if (!l.keeps(t, index) and flagsNeededAt(t, to)) t.save();
        return l.lead(t, t.a.jmp(), index);
    };
    emit(t, exitTo(t, to), null);
}

/// Calls `to`, and goes on behind the current instruction when that returns.
pub fn call(t: *Translator, to: u64) void {
    saveAt(t, exitTo(t, to));
    pushLink(t);
    if (inPage(t, to)) {
        const entry = known(t, to);
        if (entry == 0) patch.alignField(&t.a, 1);
        const site = t.a.call();
        if (entry != 0) t.a.link(site, entry) else t.addCold(site, .{ .link = .{ .word = wordOf(t, to), .enters = .head } });
    } else {
        emitFar(t, to, .{ .calls = true });
    }
    comeBack(t);
}

/// Sets x30 and pushes it. Uses rcx.
pub fn pushLink(t: *Translator) void {
    t.a.movImm(.rcx, t.pc + 4);
    t.put(30, .rcx);
    t.constants[30] = t.pc + 4;
    t.a.push(.rcx);
}

/// Where a call returns to.
pub fn comeBack(t: *Translator) void {
    t.a.pop(.rcx);
    t.forget();
    branchAlways(t, t.pc + 4);
}

pub fn inPage(t: *const Translator, to: u64) bool {
    return to & ~@as(u64, abi.page_size - 1) == t.page.va;
}

fn wordOf(t: *const Translator, to: u64) u32 {
    return @intCast((to - t.page.va) / 4);
}

pub fn flagsNeededAt(t: *Translator, to: u64) bool {
    if (!inPage(t, to)) return true;
    return flags.neededAt(t.words, wordOf(t, to), 20);
}

/// A way out of the block. `from`: a conditional branch that may lead to the target itself, when this is a cold part.
pub fn emit(t: *Translator, e: Exit, from: ?x64.Fixup) void {
    const a = &t.a;
    if (from) |f| if (!direct(t, e.target) or e.save) a.linkHere(f);
    saveAt(t, e);
    t.leaveMap();
    if (!inPage(t, e.target)) return emitFar(t, e.target, .{ .is_cold = from != null });
    const backward = e.target <= t.pc;
    const entry = if (backward) 0 else known(t, e.target);
    const jumps = from == null or e.save or !direct(t, e.target);
    if (jumps and entry == 0) patch.alignField(a, 1);
    const site = if (jumps) a.jmp() else from.?;
    if (entry != 0) return a.link(site, entry + service.head_bytes);
    const link: cold.Link = .{ .word = wordOf(t, e.target), .enters = if (backward) .back else .behind };
    if (from == null) t.addCold(site, .{ .link = link }) else emitLink(t, site, link);
}

/// May a conditional branch lead there by itself, with nothing to be done on the way?
fn direct(t: *const Translator, to: u64) bool {
    return t.loop == null and inPage(t, to);
}

/// Saves NZCV on the way out, if it has to be.
pub fn saveAt(t: *Translator, e: Exit) void {
    if (!e.save) return;
    if (e.again) |again| t.saveAgain(again) else t.saveForm(e.form);
}

/// Where the code of an address of this page begins; 0: it has none yet.
pub fn known(t: *const Translator, to: u64) u32 {
    const word = wordOf(t, to);
    return if (word == t.first and !t.plain) t.code else t.page.entry[word];
}

/// Where a branch inside the page leads at first.
pub fn emitLink(t: *Translator, site: x64.Fixup, link: cold.Link) void {
    t.a.linkHere(site);
    if (link.enters == .back) return loops.emitBack(t, site, link.word);
    t.a.movImm(.rcx, site.at);
    const place: service.Place = .{ .page = @intCast(t.page.number), .word = @intCast(link.word), .mark = link.enters == .head };
    t.a.movImm(.rdx, @as(u32, @bitCast(place)));
    t.a.jmpTo(thunks.link);
}

/// Jumps to the address in rax, which is compared with where it went before (`patch.Guess`).
pub fn guess(t: *Translator) void {
    const a = &t.a;
    a.pad(std.mem.alignForward(u32, a.at, 4));
    const start = a.at;
    a.cmpImm32(.{ .base = null, .disp = 0 }, patch.never);
    const elsewhere = a.jcc(.ne);
    a.movImm64(.rcx, 0);
    a.alu(.cmp, .q, .rcx, .{ .reg = .rax });
    t.addCold(a.jcc(.ne), .{ .guess = .{ .start = start, .also = elsewhere } });
    const branch = a.jmp();
    std.debug.assert(branch.at == (patch.Guess{ .start = @intCast(start), .cold = 0 }).branch());
    a.link(branch, thunks.hashed);
}

pub fn emitGuessMiss(t: *Translator, from: x64.Fixup, g: cold.Guess) void {
    const a = &t.a;
    a.linkHere(from);
    a.linkHere(g.also);
    a.movImm(.rdx, g.start);
    patch.alignField(a, 5 + 1);
    const miss: patch.Guess = .{ .start = g.start, .cold = a.at + 5 + 1 };
    a.movImm(.rcx, miss.cold);
    a.jmpTo(thunks.guess);
}

fn emitFar(t: *Translator, to: u64, how: struct { calls: bool = false, is_cold: bool = false }) void {
    const a = &t.a;
    var slot = layout.cpuField("pages");
    slot.disp += @intCast(4 * service.pageSlot(to));
    patch.alignFar(a, 8, how.calls);
    a.cmpImm32(slot, patch.never);
    const far: cold.Far = .{ .target = to, .site = .{ .at = @intCast(a.at - 4), .calls = how.calls } };
    const misses: ?x64.Fixup = if (how.calls) a.jcc(.ne) else null;
    const branch = if (how.calls) a.call() else a.jcc(.e);
    std.debug.assert(branch.at == far.site.branch());
    if (how.is_cold) return emitFarMiss(t, null, far);
    t.addCold(misses orelse a.jmp(), .{ .far = far });
}

pub fn emitFarMiss(t: *Translator, misses: ?x64.Fixup, far: cold.Far) void {
    if (misses) |m| t.a.linkHere(m);
    t.a.linkHere(.{ .at = far.site.branch() });
    t.a.movImm(.rdx, far.target);
    t.a.movImm(.rcx, @as(u32, @bitCast(far.site)));
    t.a.jmpTo(thunks.far);
}
