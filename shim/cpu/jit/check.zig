//! A mode for development (CARRICK_CPU_CHECK=1, one CPU): every piece of translated code is run again by the interpreter, from the same
//! registers and memory, and must end with the same. A piece ends where the slice is looked at and spent, or with the task's exit.
//!
//! All stores take the slow path meanwhile (nothing gets a write tag in the TLB), which notes what memory held before. Memory is put back,
//! the interpreter steps until it is where the piece ended, with the same registers and the same memory; if it never is, the
//! process ends and says where. Reading the counter excuses a piece.

const std = @import("std");
const abi = @import("../../abi.zig");
const access = @import("../interp/access.zig");
const core = @import("../interp/core.zig");
const interp = @import("../interp/run.zig");
const mem = @import("../../mem/mem.zig");

const Block = abi.RegisterBlock;
const page_size = abi.page_size;

pub var on = false;

/// No access, or range that accesses share, writes more.
const note_bytes = 320;
const steps_max = 50_000;

/// Every other piece is long enough for a loop to get going.
const several = 200;
var rounds: u32 = 0;

const Note = struct { at: [*]u8, length: usize, before: [note_bytes]u8, after: [note_bytes]u8 };
var notes: [512]Note = undefined;
var count: usize = 0;
var lost = false;
var noting = false;

pub fn start() void {
    const text = std.c.getenv("CARRICK_CPU_CHECK") orelse return;
    if (text[0] != '1') return;
    on = true;
    access.filled = filled;
}

/// `p`, the host's place of addr, may be written from now on.
fn filled(v: *core.Vcpu, addr: u64, p: [*]u8) void {
    v.tlb.refuseWrites(addr);
    if (!noting) return;
    if (count == notes.len) {
        lost = true;
        return;
    }
    const n = &notes[count];
    n.at = p;
    n.length = @min(note_bytes, page_size - (addr & (page_size - 1)));
    @memcpy(n.before[0..n.length], p[0..n.length]);
    count += 1;
}

/// Runs pieces until the task exits or has used the budget up. `run` runs one, of about so
/// many instructions.
pub fn enter(v: *core.Vcpu, b: *Block, budget: u32, run: *const fn (b: *Block, budget: u32) i32) i32 {
    var left: i64 = budget;
    while (true) {
        const before = b.*;
        count = 0;
        lost = false;
        noting = true;
        rounds +%= 1;
        const reason = run(b, if (rounds & 1 == 0) 1 else several);
        noting = false;
        if (!lost) again(v, b, &before, reason);
        if (reason != @intFromEnum(abi.Exit.budget)) return reason;
        left -= b.retired -% before.retired;
        if (left <= 0) return reason;
    }
}

fn again(v: *core.Vcpu, b: *Block, before: *const Block, reason: i32) void {
    const after = b.*;
    putBack();
    b.* = before.*;
    b.single_step = 1;
    b.fp_home = 0;
    const between = reason == @intFromEnum(abi.Exit.budget) or reason == @intFromEnum(abi.Exit.kicked);
    for (0..steps_max) |_| {
        if (between and b.pc == after.pc and same(b, &after, true) and memorySame()) break;
        if (readsCounter(b)) {
            putForth();
            break;
        }
        const stepped = interp.stepWith(v, b);
        if (stepped == @intFromEnum(abi.Exit.step) or stepped == @intFromEnum(abi.Exit.budget)) continue;
        if (stepped == reason and b.pc == after.pc and same(b, &after, false) and memorySame()) break;
        differs(b, before, &after);
    } else differs(b, before, &after);
    b.* = after;
    b.fp_home = 0;
}

/// Keeps what notes' memory holds now, and makes it what it was.
fn putBack() void {
    for (notes[0..count]) |*n| @memcpy(n.after[0..n.length], n.at[0..n.length]);
    var i = count;
    while (i > 0) {
        i -= 1;
        const n = &notes[i];
        @memcpy(n.at[0..n.length], n.before[0..n.length]);
    }
}

fn putForth() void {
    for (notes[0..count]) |*n| @memcpy(n.at[0..n.length], n.after[0..n.length]);
}

fn memorySame() bool {
    for (notes[0..count]) |*n| if (!std.mem.eql(u8, n.at[0..n.length], n.after[0..n.length])) return false;
    return true;
}

/// Between two blocks NZCV may be an older one, where nothing needs it.
fn same(a: *const Block, b: *const Block, between: bool) bool {
    return std.mem.eql(u64, &a.x, &b.x) and a.sp == b.sp and a.tpidr == b.tpidr and a.fpcr == b.fpcr and a.fpsr == b.fpsr and
        std.mem.eql([2]u64, &a.v, &b.v) and (between or a.pstate == b.pstate);
}

fn readsCounter(b: *const Block) bool {
    const at = mem.translate(b.space, b.pc, .exec) orelse return false;
    if (b.pc & 3 != 0) return false;
    const word = std.mem.readInt(u32, at.ptr[0..4], .little);
    return word & 0xffff_ffe0 == 0xd53b_e040 or word & 0xffff_ffe0 == 0xd53b_e0c0;
}

fn differs(b: *const Block, before: *const Block, after: *const Block) noreturn {
    say("carrick: translated code differs from the interpreter: piece at ", before.pc);
    say(" to ", after.pc);
    say(", interpreter at ", b.pc);
    for (&b.x, &after.x, 0..) |x, y, i| if (x != y) report("x", i, x, y);
    if (b.sp != after.sp) report("sp", 31, b.sp, after.sp);
    if (b.pstate != after.pstate) report("nzcv", 0, b.pstate, after.pstate);
    if (b.fpsr != after.fpsr) report("fpsr", 0, b.fpsr, after.fpsr);
    for (&b.v, &after.v, 0..) |x, y, i| for (x, y) |p, q| if (p != q) report("v", i, p, q);
    if (!memorySame()) say("\nmemory ", count);
    _ = std.c.write(2, "\n", 1);
    std.c.abort();
}

fn report(name: []const u8, number: usize, x: u64, y: u64) void {
    say("\n", number);
    _ = std.c.write(2, name.ptr, name.len);
    say(": interpreter ", x);
    say(", translated ", y);
}

fn say(text: []const u8, value: u64) void {
    var digits: [16]u8 = undefined;
    for (&digits, 0..) |*d, i| d.* = "0123456789abcdef"[@intCast(value >> @intCast(60 - 4 * i) & 15)];
    _ = std.c.write(2, text.ptr, text.len);
    _ = std.c.write(2, &digits, digits.len);
}
