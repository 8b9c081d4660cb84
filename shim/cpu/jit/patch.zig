//! Changes of code that other CPUs may be executing.
//!
//! A field is 4 bytes that do not cross an 8-byte boundary (`align`), so the host's CPUs see it changed in one go. A branch inside its
//! page has one field, which first leads to a stub and then to its target for ever. One to another page has two, the number of the
//! page and the branch behind the comparison: nobody may see the one without the other, so one that has led elsewhere is made to compare
//! with what no CPU has, and gets its new target only when every CPU has left the code that it was in.

const std = @import("std");
const cache = @import("cache.zig");
const cpus = @import("../../mem/mem.zig").cpus;
const thunks = @import("thunks.zig");
const layout = @import("layout.zig");
const x64 = @import("x64.zig");

/// The number that a branch to another page compares.
pub const Far = packed struct(u32) {
    at: u31,
    calls: bool,

    /// Where its rel32 is: behind the number and je's opcode, or jne rel32 and call's opcode.
    pub fn branch(f: Far) u32 {
        return @as(u32, f.at) + 4 + @as(u32, if (f.calls) 6 + 1 else 2);
    }
};
/// Numbers that no CPU has: of a branch that has led nowhere yet, and of one that leads nowhere any more. Who had compared before may
/// still go where it led.
pub const never = layout.no_page - 1;
const retired = layout.no_page - 2;

/// A jump that leads to one place in the end: `start` is where it compares the number of the page, then it compares the address,
/// then it branches. What misses goes by `cold`, a branch that is given up at last.
pub const Guess = struct {
    start: u32,
    cold: u32,

    fn slot(g: Guess) u32 {
        return g.start + 4;
    }

    fn number(g: Guess) u32 {
        return g.start + 8;
    }

    fn pc(g: Guess) u32 {
        return g.start + 12 + 6 + 2;
    }

    pub fn branch(g: Guess) u32 {
        return g.start + 12 + 6 + 10 + 3 + 6 + 1;
    }
};
/// How often the place may change before it is believed that there is not one.
const guesses = 8;

fn crosses(at: u32) bool {
    return at & 7 > 4;
}

/// Pads so that a field that begins `ahead` bytes further on does not cross 8 bytes.
pub fn alignField(a: *x64.Asm, ahead: u32) void {
    var at = a.at;
    while (crosses(at + ahead)) at += 1;
    a.pad(at);
}

/// The same for a branch to another page, whose number begins `ahead` bytes further on.
pub fn alignFar(a: *x64.Asm, ahead: u32, calls: bool) void {
    var at = a.at;
    while (crosses(at + ahead) or crosses((Far{ .at = @intCast(at + ahead), .calls = calls }).branch())) at += 1;
    a.pad(at);
}

fn field(site: u32) *align(1) u32 {
    return @ptrCast(cache.writable + site);
}

fn set(site: u32, value: u32) void {
    std.debug.assert(site & 7 <= 4);
    @as(*align(1) volatile u32, field(site)).* = value;
}

/// `site` is the rel32 of a branch inside its page.
pub fn link(site: u32, target: u32) void {
    set(site, target -% (site + 4));
}

/// The jump went to `target`, which is pc in the page of that number, at `page_slot` of the CPU. When it does so twice in a row, it is believed
/// to go there for ever. Until then nobody gets past the first comparison, so the rest may change at leisure.
pub fn guess(g: Guess, pc: u64, page_slot: i32, number: u32, target: u32) void {
    cache.mutex.lock();
    defer cache.mutex.unlock();
    const was: *align(1) u64 = @ptrCast(cache.writable + g.pc());
    // Counts until it is known.
    const count = field(g.slot());
    if (field(g.number()).* != never or count.* == guesses) return link(g.cold, thunks.hashed);
    if (was.* != pc) {
        was.* = pc;
        count.* += 1;
        return;
    }
    count.* = @bitCast(page_slot);
    field(g.branch()).* = target -% (g.branch() + 4);
    set(g.number(), number);
}

/// Branches that compare with `retired` until every CPU has left where they led before.
const Waiting = struct { site: u32 = 0, since: u32 = 0 };
var waiting: [64]Waiting = @splat(.{});

/// Makes a branch lead to `target` in the page of that number.
pub fn far(c: *const cpus.Cpu, f: Far, number: u32, target: u32) void {
    cache.mutex.lock();
    defer cache.mutex.unlock();
    const site: u32 = f.at;
    const branch = f.branch();
    const now = field(site).*;
    if (now == number) return;
    if (now != never and cpus.busy != 0) {
        const entry = &waiting[(site *% 0x9e3779b1) >> 26];
        if (now != retired) set(site, retired);
        // An entry that another branch has taken over begins anew.
        if (now != retired or entry.site != site) entry.* = .{ .site = site, .since = cpus.newEra() };
        if (!cpus.passed(entry.since, c)) return;
    }
    set(branch, target -% (branch + 4));
    set(site, number);
}
