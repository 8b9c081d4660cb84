//! What this CPU says it can do: the HWCAP words of the auxiliary vector (arch/arm64/include/uapi/asm/hwcap.h) and
//! the ID registers as Linux shows them to EL0 (Documentation/arch/arm64/cpu-feature-registers.rst). The one place to
//! change when an extension is added to the software CPUs.

const std = @import("std");

const Capability = enum(u6) {
    fp = 0,
    asimd = 1,
    aes = 3,
    pmull = 4,
    sha1 = 5,
    sha2 = 6,
    crc32 = 7,
    atomics = 8,
    fphp = 9,
    asimdhp = 10,
    cpuid = 11,
    asimdrdm = 12,
    jscvt = 13,
    fcma = 14,
    lrcpc = 15,
    dcpop = 16,
    asimddp = 20,
    ilrcpc = 26,
    flagm = 27,
    sb = 29,
};

/// Bits of AT_HWCAP2.
const Capability2 = enum(u6) { flagm2 = 7, frint = 8 };

const capabilities = std.enums.values(Capability);
const capabilities2 = std.enums.values(Capability2);

pub const hwcap: u64 = blk: {
    var all: u64 = 0;
    for (capabilities) |c| all |= 1 << @intFromEnum(c);
    break :blk all;
};

pub const hwcap2: u64 = blk: {
    var all: u64 = 0;
    for (capabilities2) |c| all |= 1 << @intFromEnum(c);
    break :blk all;
};

/// 64-byte lines, VIPT-free caches, DIC = 0 (so that programs that write code issue IC IVAU), IDC = 1.
pub const ctr_el0: u64 = 0x94448004;
/// DC ZVA clears 64 bytes.
pub const dczid_el0: u64 = 4;

/// A Neoverse N1, which has about these extensions.
const midr: u64 = 0x413fd0c1;
const mpidr: u64 = 1 << 31;

// Each field is 4 bits wide at the place named.
const isar0: u64 = 2 << 4 | // AES, PMULL
    1 << 8 | // SHA1
    1 << 12 | // SHA2: SHA256
    1 << 16 | // CRC32
    2 << 20 | // atomics
    1 << 28 | // RDM
    1 << 44 | // DP
    2 << 52; // TS: FlagM2
const isar1: u64 = 1 << 0 | // DPB
    1 << 12 | // JSCVT
    1 << 16 | // FCMA
    2 << 20 | // LRCPC: with LDAPUR
    1 << 32 | // FRINTTS
    1 << 36; // SB
const pfr0: u64 = 1 << 16 | // FP with half precision
    1 << 20 | // AdvSIMD with half precision
    0x11; // EL0, EL1 in AArch64 state only

/// Value of the ID register op0 3, op1 0, CRn 0, CRm, op2; null: not emulated.
pub fn idRegister(crm: u32, op2: u32) ?u64 {
    return switch (crm << 3 | op2) {
        0 => midr,
        5 => mpidr,
        6 => 0,
        4 << 3 => pfr0,
        6 << 3 => isar0,
        6 << 3 | 1 => isar1,
        else => if (crm >= 2 and crm <= 7) 0 else null,
    };
}

/// 32-bit pieces for TypeScript: AT_HWCAP low and high, AT_HWCAP2 low and high.
pub fn word(which: u32) u32 {
    return switch (which) {
        0 => @truncate(hwcap),
        1 => @truncate(hwcap >> 32),
        2 => @truncate(hwcap2),
        3 => @truncate(hwcap2 >> 32),
        else => 0,
    };
}
