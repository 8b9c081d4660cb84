//! What programs may know of the real CPU: the HWCAPs of those of its extensions that keep no state beyond our register block, and the ID registers as
//! Linux shows them to EL0 (arch/arm64/kernel/cpufeature.c, Documentation/arch/arm64/cpu-feature-registers.rst), whose reads trap.

const std = @import("std");
const abi = @import("../../abi.zig");

/// The machine's own.
pub const Registers = struct { midr: u64 = 0, pfr0: u64 = 0, isar0: u64 = 0, isar1: u64 = 0, mmfr2: u64 = 0 };
pub var real: Registers = .{};

const Source = enum { pfr0, isar0, isar1, mmfr2 };
/// HWCAP bit (AT_HWCAP2 from 64), and the least value of a field that it stands for.
const Feature = struct { bit: u7, source: Source, shift: u6, least: u4 };

const features = [_]Feature{
    .{ .bit = 3, .source = .isar0, .shift = 4, .least = 1 }, // aes
    .{ .bit = 4, .source = .isar0, .shift = 4, .least = 2 }, // pmull
    .{ .bit = 5, .source = .isar0, .shift = 8, .least = 1 }, // sha1
    .{ .bit = 6, .source = .isar0, .shift = 12, .least = 1 }, // sha2
    .{ .bit = 7, .source = .isar0, .shift = 16, .least = 1 }, // crc32
    .{ .bit = 8, .source = .isar0, .shift = 20, .least = 2 }, // atomics
    .{ .bit = 12, .source = .isar0, .shift = 28, .least = 1 }, // asimdrdm
    .{ .bit = 13, .source = .isar1, .shift = 12, .least = 1 }, // jscvt
    .{ .bit = 14, .source = .isar1, .shift = 16, .least = 1 }, // fcma
    .{ .bit = 15, .source = .isar1, .shift = 20, .least = 1 }, // lrcpc
    .{ .bit = 16, .source = .isar1, .shift = 0, .least = 1 }, // dcpop
    .{ .bit = 17, .source = .isar0, .shift = 32, .least = 1 }, // sha3
    .{ .bit = 20, .source = .isar0, .shift = 44, .least = 1 }, // asimddp
    .{ .bit = 21, .source = .isar0, .shift = 12, .least = 2 }, // sha512
    .{ .bit = 23, .source = .isar0, .shift = 48, .least = 1 }, // asimdfhm
    .{ .bit = 24, .source = .pfr0, .shift = 48, .least = 1 }, // dit
    .{ .bit = 25, .source = .mmfr2, .shift = 32, .least = 1 }, // uscat
    .{ .bit = 26, .source = .isar1, .shift = 20, .least = 2 }, // ilrcpc
    .{ .bit = 27, .source = .isar0, .shift = 52, .least = 1 }, // flagm
    .{ .bit = 29, .source = .isar1, .shift = 36, .least = 1 }, // sb
    .{ .bit = 64 + 0, .source = .isar1, .shift = 0, .least = 2 }, // dcpodp
    .{ .bit = 64 + 7, .source = .isar0, .shift = 52, .least = 2 }, // flagm2
    .{ .bit = 64 + 8, .source = .isar1, .shift = 32, .least = 1 }, // frint
    .{ .bit = 64 + 13, .source = .isar1, .shift = 52, .least = 1 }, // i8mm
    .{ .bit = 64 + 14, .source = .isar1, .shift = 44, .least = 1 }, // bf16
};

/// FP, ASIMD, CPUID: FP and Advanced SIMD are in every CPU that a hypervisor runs on.
const always: u128 = 1 << 0 | 1 << 1 | 1 << 11;
const half_precision: u128 = 1 << 9 | 1 << 10;

inline fn field(value: u64, shift: u6) u4 {
    return @truncate(value >> shift);
}

fn sourceOf(r: Registers, source: Source) u64 {
    return switch (source) {
        .pfr0 => r.pfr0,
        .isar0 => r.isar0,
        .isar1 => r.isar1,
        .mmfr2 => r.mmfr2,
    };
}

/// AT_HWCAP in the low, AT_HWCAP2 in the high half.
pub fn hwcaps(r: Registers) u128 {
    var all = always;
    if (field(r.pfr0, 16) == 1 and field(r.pfr0, 20) == 1) all |= half_precision;
    for (features) |f| {
        if (field(sourceOf(r, f.source), f.shift) >= f.least) all |= @as(u128, 1) << f.bit;
    }
    return all;
}

/// 32-bit pieces: AT_HWCAP low and high, AT_HWCAP2 low and high.
pub fn word(which: u32) u32 {
    return if (which < 4) @truncate(hwcaps(real) >> @intCast(32 * which)) else 0;
}

/// The fields of a register that programs may see.
fn visible(source: Source) u64 {
    var mask: u64 = 0;
    inline for (features) |f| {
        if (f.source == source) mask |= @as(u64, 0xf) << f.shift;
    }
    return mask;
}

const midr_crm_op2 = 0;
const mpidr_crm_op2 = 5;

/// Value of the ID register op0 3, op1 0, CRn 0; null: not for programs.
pub fn register(crm: u32, op2: u32) ?u64 {
    return switch (crm << 3 | op2) {
        midr_crm_op2 => real.midr,
        mpidr_crm_op2 => 1 << 31,
        6 => 0,
        4 << 3 => real.pfr0 & (visible(.pfr0) | 0xff << 16) | 0x11,
        6 << 3 => real.isar0 & visible(.isar0),
        6 << 3 | 1 => real.isar1 & visible(.isar1),
        7 << 3 | 2 => real.mmfr2 & visible(.mmfr2),
        else => if (crm >= 2 and crm <= 7) 0 else null,
    };
}

/// A read of an ID register, from the syndrome of a trapped system instruction (Arm ARM D19.2.37, EC 0x18).
pub fn emulateTrapped(b: *abi.RegisterBlock, iss: u32) bool {
    const op0_op1_crn_read = iss & (3 << 20 | 7 << 14 | 0xf << 10 | 1);
    if (op0_op1_crn_read != (3 << 20 | 1)) return false;
    return emulate(b, iss >> 1 & 0xf, iss >> 17 & 7, iss >> 5 & 31);
}

fn emulate(b: *abi.RegisterBlock, crm: u32, op2: u32, rt: u32) bool {
    const value = register(crm, op2) orelse return false;
    if (rt != 31) b.x[rt] = value;
    return true;
}

test "features of a Cortex-A76 and of one that has nothing" {
    const a76: Registers = .{ .pfr0 = 0x1100_0000_1111_1112, .isar0 = 0x0000_1000_1021_1120, .isar1 = 0x0010_0001 };
    // What Linux says on one, but for evtstrm and ssbs.
    try std.testing.expectEqual(@as(u128, 0x11_9ffb), hwcaps(a76));
    try std.testing.expectEqual(always, hwcaps(.{}));
}

test "reads of ID registers" {
    real = .{ .midr = 0x610f_0220, .isar0 = ~@as(u64, 0) };
    var b: abi.RegisterBlock = .{ .pc = 0x1000 };
    try std.testing.expect(emulateTrapped(&b, 3 << 20 | 9 << 5 | 1));
    try std.testing.expectEqual(@as(u64, 0x610f_0220), b.x[9]);
    // A write, another CRn, and a register that programs do not get.
    try std.testing.expect(!emulateTrapped(&b, 3 << 20 | 9 << 5));
    try std.testing.expect(!emulateTrapped(&b, 3 << 20 | 9 << 5 | 1 << 10 | 1));
    try std.testing.expect(!emulateTrapped(&b, 3 << 20 | 9 << 5 | 1 << 17 | 1));
    // ISAR0's TLBI field (56) is not shown.
    try std.testing.expect(emulateTrapped(&b, 3 << 20 | 3 << 5 | 6 << 1 | 1));
    try std.testing.expectEqual(@as(u64, 0), b.x[3] >> 56);
    try std.testing.expect(b.x[3] != 0);
}
