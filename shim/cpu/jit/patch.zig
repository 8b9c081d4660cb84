//! Changes of code that other CPUs may be executing.
//!
//! A field is 4 bytes that do not cross an 8-byte boundary (`align`), so the host's CPUs see it changed in one go. A branch inside its
//! page has one field, which first leads to a stub and then to its target for ever. One to another page has two, the number of the
//! page and the jump: nobody may see the one without the other, so a branch that has led elsewhere is made to lead to its
//! stub first, and gets its new target only when every CPU has left the code that it was in.

const std = @import("std");
const cache = @import("cache.zig");
const cpus = @import("../../mem/mem.zig").cpus;
const layout = @import("layout.zig");
const x64 = @import("x64.zig");

/// Distance from the number that a branch to another page compares to its rel32: the number, jne rel32, and jmp's opcode.
pub const far_jump = 4 + 6 + 1;
/// Numbers that no CPU holds: of a branch that has led nowhere yet, and of one that leads to its stub again.
pub const never = layout.no_page - 1;
const retired = layout.no_page - 2;

/// Pads so that a field that begins `ahead` bytes further on does not cross 8 bytes.
pub fn alignField(a: *x64.Asm, ahead: u32) void {
    while ((a.at + ahead) & 7 > 4) a.nop();
}

/// The same for a branch to another page, whose number begins `ahead` bytes further on.
pub fn alignFar(a: *x64.Asm, ahead: u32) void {
    while ((a.at + ahead) & 7 > 4 or (a.at + ahead + far_jump) & 7 > 4) a.nop();
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

/// Branches that lead to their stubs until every CPU has left where they led before.
const Waiting = struct { site: u32 = 0, since: u32 = 0 };
var waiting: [64]Waiting = @splat(.{});

/// `site` is the number of a branch to another page.
pub fn far(c: *const cpus.Cpu, site: u32, number: u32, target: u32) void {
    cache.mutex.lock();
    defer cache.mutex.unlock();
    const jump = site + far_jump;
    const now = field(site).*;
    if (now == number) return;
    if (now != never and cpus.busy != 0) {
        const entry = &waiting[(site *% 0x9e3779b1) >> 26];
        if (now != retired) {
            set(site, retired);
            set(jump, 0);
        }
        // An entry that another branch has taken over begins anew.
        if (now != retired or entry.site != site) entry.* = .{ .site = site, .since = cpus.newEra() };
        if (!cpus.passed(entry.since, c)) return;
    }
    set(jump, target -% (jump + 4));
    set(site, number);
}
