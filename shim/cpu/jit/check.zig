//! A mode for development (CARRICK_CPU_CHECK=1, one CPU): every piece of translated code is run again by the interpreter, from the same
//! registers and memory, and must end with the same. A piece ends where the slice is looked at and spent, or with the task's exit.
//!
//! Translated code finds its memory as ever, by the TLB, by windows that stay open from piece to piece, and in a mirror; the interpreter has a TLB of its own, which is
//! empty at the start of every piece, so what translated code believes of the page tables is compared with the tables. Pages that
//! it can write to are watched: their contents are kept when a piece begins. After it they are put back, the interpreter
//! steps until it is where the piece ended, with the same registers and the same memory; if it never is, the process ends and says where.
//! Reading the counter excuses a piece.

const std = @import("std");
const abi = @import("../../abi.zig");
const access = @import("../interp/access.zig");
const core = @import("../interp/core.zig");
const disasm = @import("../disasm/disasm.zig");
const interp = @import("../interp/run.zig");
const mem = @import("../../mem/mem.zig");
const mirror = @import("mirror.zig");
const wordAt = @import("../steps.zig").wordAt;

const Block = abi.RegisterBlock;
const Vcpu = core.Vcpu;
const page_size = abi.page_size;

pub var on = false;

const steps_max = 50_000;

/// About how many instructions pieces have, in turn: enough for a loop to get going, now and then.
const lengths = [_]u32{ 1, 200, 23, 2000 };
var rounds: u32 = 0;

/// A page of the host's that may be written. `before`: as it was when the piece began, or later when it was not watched yet; `after`, when the
/// piece changed it: as it was then.
const Watched = struct { at: *[page_size]u8, changed: bool, before: [page_size]u8, after: [page_size]u8 };
/// More than a piece can write to.
var watched: []Watched = &.{};
var count: usize = 0;
/// So many are kept from one piece to the next.
const lasting = 24;
const window_reach = 3;

/// The interpreter's CPU while it checks, and what its TLB has found.
var second: *Vcpu = undefined;
var found: [4096]u64 = undefined;
var found_count: usize = 0;

pub fn start() void {
    const text = std.c.getenv("CARRICK_CPU_CHECK") orelse return;
    if (text[0] != '1') return;
    const raw = std.c.calloc(1, @sizeOf(Vcpu) + 64) orelse return;
    second = @ptrFromInt(std.mem.alignForward(usize, @intFromPtr(raw), 64));
    interp.prepare(second, false);
    watched = std.heap.c_allocator.alloc(Watched, 2 * steps_max / 50) catch return;
    on = true;
    mem.tlb.window_reach = window_reach;
    access.filled = filled;
}

/// `p`, the host's place of addr, is known from now on.
fn filled(v: *Vcpu, addr: u64, p: [*]u8, kind: abi.Access) void {
    if (v == second) {
        if (found_count == found.len) fail("the interpreter finds too many pages");
        found[found_count] = addr;
        found_count += 1;
    }
    const page = pageOf(p);
    if (kind == .write) watch(page) else if (!isWatched(page)) v.tlb.refuseWrites(addr);
}

/// A window was opened for writing.
pub fn opened(t: *mem.Tlb, number: u16) void {
    const w = &t.windows[number];
    var at = w.low +% w.addend;
    const end = at + w.limit;
    while (at < end) : (at += page_size) watch(pageOf(@ptrFromInt(at)));
}

fn pageOf(p: [*]u8) *[page_size]u8 {
    return @ptrFromInt(@intFromPtr(p) & ~@as(usize, page_size - 1));
}

pub fn isWatched(page: *[page_size]u8) bool {
    for (watched[0..count]) |*w| if (w.at == page) return true;
    return false;
}

fn watch(page: *[page_size]u8) void {
    if (isWatched(page)) return;
    if (count == watched.len) fail("a piece writes to too many pages");
    watched[count].at = page;
    watched[count].changed = false;
    watched[count].before = page.*;
    count += 1;
}

/// Runs pieces until the task exits or has used the budget up. `run` runs one, of about so
/// many instructions.
pub fn enter(v: *Vcpu, b: *Block, budget: u32, run: *const fn (b: *Block, budget: u32) i32) i32 {
    var left: i64 = budget;
    while (true) {
        const before = b.*;
        begin(v);
        const reason = run(b, lengths[rounds % lengths.len]);
        again(b, &before, reason);
        if (reason != @intFromEnum(abi.Exit.budget)) return reason;
        left -= b.retired -% before.retired;
        if (left <= 0) return reason;
    }
}

fn begin(v: *Vcpu) void {
    rounds +%= 1;
    if (count > lasting) {
        v.tlb.refuseAllWrites();
        mirror.refuseAllWrites();
        count = 0;
    }
    for (watched[0..count]) |*w| {
        w.before = w.at.*;
        w.changed = false;
    }
}

fn again(b: *Block, before: *const Block, reason: i32) void {
    const after = b.*;
    putBack();
    second.tlb.bind(b.space);
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
        const stepped = interp.stepWith(second, b);
        if (stepped == @intFromEnum(abi.Exit.step) or stepped == @intFromEnum(abi.Exit.budget)) continue;
        if (stepped == reason and b.pc == after.pc and same(b, &after, false) and sameFault(b, &after, stepped) and memorySame()) break;
        differs(b, before, &after);
    } else differs(b, before, &after);
    for (found[0..found_count]) |addr| second.tlb.forgetPage(addr);
    found_count = 0;
    b.* = after;
    b.fp_home = 0;
}

/// Keeps what the pages that were changed hold now, and makes them what they were.
fn putBack() void {
    for (watched[0..count]) |*w| {
        if (std.mem.eql(u8, w.at, &w.before)) continue;
        w.changed = true;
        w.after = w.at.*;
        w.at.* = w.before;
    }
}

fn putForth() void {
    for (watched[0..count]) |*w| w.at.* = if (w.changed) w.after else w.before;
}

fn memorySame() bool {
    return firstDifference() == null;
}

const Place = struct { page: usize, offset: usize };

fn firstDifference() ?Place {
    for (watched[0..count], 0..) |*w, i| {
        const due = if (w.changed) &w.after else &w.before;
        if (std.mem.eql(u8, w.at, due)) continue;
        return .{ .page = i, .offset = std.mem.findDiff(u8, w.at, due).? };
    }
    return null;
}

/// Between two blocks NZCV may be an older one, where nothing needs it.
fn same(a: *const Block, b: *const Block, between: bool) bool {
    return std.mem.eql(u64, &a.x, &b.x) and a.sp == b.sp and a.tpidr == b.tpidr and a.fpcr == b.fpcr and a.fpsr == b.fpsr and
        std.mem.eql([2]u64, &a.v, &b.v) and (between or a.pstate == b.pstate) and sameMonitor(a, b);
}

fn sameMonitor(a: *const Block, b: *const Block) bool {
    if (a.monitor_size != b.monitor_size) return false;
    return switch (a.monitor_size) {
        0 => true,
        16 => a.monitor_addr == b.monitor_addr and std.mem.eql(u64, &a.monitor_value, &b.monitor_value),
        else => a.monitor_addr == b.monitor_addr and a.monitor_value[0] == b.monitor_value[0],
    };
}

fn sameFault(a: *const Block, b: *const Block, reason: i32) bool {
    return switch (@as(abi.Exit, @enumFromInt(reason))) {
        .fault, .alignment, .pc_alignment => a.fault_addr == b.fault_addr and a.fault_access == b.fault_access and a.esr == b.esr,
        .syscall, .breakpoint, .undefined => a.esr == b.esr,
        else => true,
    };
}

fn readsCounter(b: *const Block) bool {
    const word = wordAt(b.space, b.pc) orelse return false;
    return word & 0xffff_ffe0 == 0xd53b_e040 or word & 0xffff_ffe0 == 0xd53b_e0c0;
}

fn differs(b: *const Block, before: *const Block, after: *const Block) noreturn {
    print("carrick: translated code differs from the interpreter: piece at {x} to {x} (exit {d}), interpreter at {x} (exit {d})\n", .{
        before.pc, after.pc, after.exit, b.pc, b.exit,
    });
    for (&b.x, &after.x, &before.x, 0..) |x, y, z, i| if (x != y) report("x", i, x, y, z);
    if (b.sp != after.sp) report("sp", 31, b.sp, after.sp, before.sp);
    if (b.pstate != after.pstate) report("nzcv", 0, b.pstate, after.pstate, before.pstate);
    if (b.fpsr != after.fpsr) report("fpsr", 0, b.fpsr, after.fpsr, before.fpsr);
    if (b.fault_addr != after.fault_addr) report("fault", 0, b.fault_addr, after.fault_addr, before.fault_addr);
    if (b.esr != after.esr) report("esr", 0, b.esr, after.esr, before.esr);
    for (&b.v, &after.v, &before.v, 0..) |x, y, z, i| for (x, y, z) |p, q, r| if (p != q) report("v", i, p, q, r);
    if (firstDifference()) |place| {
        const w = &watched[place.page];
        const due = if (w.changed) &w.after else &w.before;
        const at = place.offset & ~@as(usize, 7);
        print("memory, {x} in its page: interpreter {x}, translated {x}, before {x}\n", .{ at, wide(w.at, at), wide(due, at), wide(&w.before, at) });
    }
    for (0..40) |i| {
        const pc = before.pc +% 4 * i;
        const word = wordAt(b.space, pc) orelse break;
        var text: [disasm.longest]u8 = undefined;
        print("{x}: {x:0>8} {s}\n", .{ pc, word, disasm.text(word, pc, &text) });
    }
    std.c.abort();
}

fn wide(page: *const [page_size]u8, at: usize) u64 {
    return std.mem.readInt(u64, page[at..][0..8], .little);
}

fn report(name: []const u8, number: usize, interpreter: u64, translated: u64, before: u64) void {
    print("{s}{d}: interpreter {x}, translated {x}, before {x}\n", .{ name, number, interpreter, translated, before });
}

fn fail(comptime text: []const u8) noreturn {
    print("carrick: the check of translated code cannot go on: " ++ text ++ "\n", .{});
    std.c.abort();
}

fn print(comptime format: []const u8, values: anytype) void {
    var buffer: [256]u8 = undefined;
    const text = std.fmt.bufPrint(&buffer, format, values) catch return;
    _ = std.c.write(2, text.ptr, text.len);
}
