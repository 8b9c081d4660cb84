//! Instructions of EL0 that a host may trap though the stub's registers let programs have them: cache maintenance (`dc`, `ic`), `dc zva`, and
//! reads of CTR_EL0, DCZID_EL0 and the counter. They do here what they do without a trap (compare arch/arm64/kernel/traps.c user_cache_maint_handler).

const std = @import("std");
const builtin = @import("builtin");
const abi = @import("../../abi.zig");
const coherence = @import("coherence.zig");
const counter = @import("counter.zig");
const space = @import("../../mem/space.zig");

/// How many there were: a host that traps them costs programs time.
pub var emulated: u64 = 0;

pub const Outcome = enum {
    done,
    /// The page is to be made readable or writable first; the block tells of it as of a data abort.
    fault,
};

/// A system instruction as the syndrome of class 0x18 tells it (Arm ARM D19.2.37), without its register.
const Key = u32;
const register_shift = 5;
const register_mask: u32 = 31 << register_shift;

fn key(comptime op0: u32, comptime op1: u32, comptime crn: u32, comptime crm: u32, comptime op2: u32, comptime reads: u32) Key {
    return op0 << 20 | op2 << 17 | op1 << 14 | crn << 10 | crm << 1 | reads;
}

/// The syndrome that an instruction would have; null: it is no system instruction.
pub fn syndromeOf(insn: u32) ?u32 {
    if (insn & 0xffc0_0000 != 0xd500_0000) return null;
    return (insn >> 19 & 3) << 20 | (insn >> 5 & 7) << 17 | (insn >> 16 & 7) << 14 | (insn >> 12 & 15) << 10 | (insn & 31) << register_shift | (insn >> 8 & 15) << 1 | (insn >> 21 & 1);
}

/// Null: it is none of these.
pub fn emulate(b: *abi.RegisterBlock, iss: u32) ?Outcome {
    const rt = (iss & register_mask) >> register_shift;
    const operand = if (rt == 31) 0 else b.x[rt];
    const outcome = switch (iss & 0x3f_ffff & ~register_mask) {
        key(1, 3, 7, 10, 1, 0), // dc cvac
        key(1, 3, 7, 11, 1, 0), // dc cvau
        key(1, 3, 7, 12, 1, 0), // dc cvap
        key(1, 3, 7, 13, 1, 0), // dc cvadp
        key(1, 3, 7, 14, 1, 0), // dc civac
        key(1, 3, 7, 5, 1, 0), // ic ivau
        => maintain(b, operand),
        key(1, 3, 7, 4, 1, 0) => zero(b, operand),
        key(3, 3, 0, 0, 1, 1) => answer(b, rt, cacheType()),
        key(3, 3, 0, 0, 7, 1) => answer(b, rt, zeroSize()),
        key(3, 3, 14, 0, 0, 1) => answer(b, rt, counter.hz),
        key(3, 3, 14, 0, 2, 1) => answer(b, rt, counter.now()),
        else => return null,
    };
    if (outcome == .done) _ = @atomicRmw(u64, &emulated, .Add, 1, .monotonic);
    return outcome;
}

fn answer(b: *abi.RegisterBlock, rt: u32, value: u64) Outcome {
    if (rt != 31) b.x[rt] = value;
    return .done;
}

const untagged = (1 << 56) - 1;
const line_bytes = 64;

/// Data and instructions both: the host's calls know no less.
fn maintain(b: *abi.RegisterBlock, va: u64) Outcome {
    const at = space.translate(b.space, va & untagged & ~@as(u64, line_bytes - 1), .read) orelse return aborted(b, va, true);
    coherence.clean(at.ptr, line_bytes);
    return .done;
}

fn zero(b: *abi.RegisterBlock, va: u64) Outcome {
    const size = @as(u64, 4) << @intCast(zeroSize() & 15);
    const at = space.translate(b.space, va & untagged & ~(size - 1), .write) orelse return aborted(b, va, false);
    @memset(at.ptr[0..size], 0);
    return .done;
}

/// As the abort would have been: EC 0x24, WnR, and CM for maintenance.
fn aborted(b: *abi.RegisterBlock, va: u64, maintenance: bool) Outcome {
    b.esr = 0x24 << 26 | 1 << 25 | 1 << 6 | 7 | @as(u64, @intFromBool(maintenance)) << 8;
    b.fault_addr = va;
    return .fault;
}

/// CTR_EL0: lines of 64 bytes and maintenance needed, which is right for any longer line too.
fn cacheType() u64 {
    if (builtin.cpu.arch != .aarch64 or builtin.os.tag == .macos) return 0x8444_c004;
    return coherence.ctr();
}

/// DCZID_EL0 of the host, which is what `dc zva` uses where it does not trap.
fn zeroSize() u64 {
    if (builtin.cpu.arch != .aarch64) return 4;
    // DZP is set where the host's own programs may not have `dc zva`.
    return 15 & asm ("mrs %[out], dczid_el0"
        : [out] "=r" (-> u64),
    );
}

test "syndromes of instructions" {
    try std.testing.expectEqual(@as(?u32, null), syndromeOf(0x9100_0000));
    // dc cvau, x1; ic ivau, x1; mrs x9, ctr_el0
    try std.testing.expectEqual(@as(?u32, key(1, 3, 7, 11, 1, 0) | 1 << 5), syndromeOf(0xd50b_7b21));
    try std.testing.expectEqual(@as(?u32, key(1, 3, 7, 5, 1, 0) | 1 << 5), syndromeOf(0xd50b_7521));
    try std.testing.expectEqual(@as(?u32, key(3, 3, 0, 0, 1, 1) | 9 << 5), syndromeOf(0xd53b_0029));
}

test "reads that trap" {
    var b: abi.RegisterBlock = .{};
    for ([_]u32{ 0xd53b_0020, 0xd53b_00e1, 0xd53b_e002, 0xd53b_e043 }) |insn| {
        try std.testing.expectEqual(@as(?Outcome, .done), emulate(&b, syndromeOf(insn).?));
    }
    try std.testing.expectEqual(cacheType(), b.x[0]);
    try std.testing.expectEqual(zeroSize(), b.x[1]);
    try std.testing.expectEqual(counter.hz, b.x[2]);
    // Writes of them, the physical counter, and maintenance that is EL1's.
    for ([_]u32{ 0xd51b_0020, 0xd53b_e020, 0xd508_7621 }) |insn| {
        try std.testing.expectEqual(@as(?Outcome, null), emulate(&b, syndromeOf(insn).?));
    }
}

test "maintenance and zeroing where nothing is mapped" {
    var b: abi.RegisterBlock = .{ .space = 0xffff };
    b.x[1] = 0x5a00_0000_0001_2345;
    try std.testing.expectEqual(@as(?Outcome, .fault), emulate(&b, syndromeOf(0xd50b_7b21).?));
    try std.testing.expectEqual(@as(u64, 0x24), b.esr >> 26);
    try std.testing.expectEqual(@as(u64, 1), b.esr >> 8 & 1);
    try std.testing.expectEqual(b.x[1], b.fault_addr);
    try std.testing.expectEqual(@as(?Outcome, .fault), emulate(&b, syndromeOf(0xd50b_7421).?));
    try std.testing.expectEqual(@as(u64, 0), b.esr >> 8 & 1);
}
