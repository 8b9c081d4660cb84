//! What the system registers of every virtual CPU are set to, field by field (Arm ARM D19), and where EL1's own addresses lie.
//! The test double of the mutation list changes single bits here; some test notices each.

const std = @import("std");

/// The upper half: a linear view of guest-physical memory from here (1 GiB blocks) ...
pub const linear: u64 = 0xffff_ff80_0000_0000;
/// ... and in its last GiB the page of EL1's code.
pub const stub_va: u64 = 0xffff_ffff_c000_0000;

/// Memory attributes 0: normal, write-back, read and write allocate. The other seven are not used.
pub const mair: u64 = 0xff;

const tcr_t0sz: u64 = 16; // 48 bits, as programs see them.
const tcr_t1sz: u64 = 25 << 16; // 39 bits: begins at level 1.
const tcr_walks_cached: u64 = 1 << 8 | 1 << 10 | 1 << 24 | 1 << 26; // IRGN, ORGN: write-back, write-allocate.
const tcr_inner_shareable: u64 = 3 << 12 | 3 << 28;
const tcr_granule1: u64 = 2 << 30; // 4 KiB; TG0 is 0 for that.
const tcr_asid16: u64 = 1 << 36;
const tcr_top_byte_ignored: u64 = 1 << 37;

/// TCR_EL1. `ipa_bits` is the width of a guest-physical address.
pub fn tcr(ipa_bits: u32, asid16: bool) u64 {
    const size: u64 = if (ipa_bits <= 32) 0 else if (ipa_bits <= 36) 1 else if (ipa_bits <= 40) 2 else if (ipa_bits <= 42) 3 else if (ipa_bits <= 44) 4 else 5;
    return tcr_t0sz | tcr_t1sz | tcr_walks_cached | tcr_inner_shareable | tcr_granule1 | size << 32 |
        (if (asid16) tcr_asid16 else 0) | tcr_top_byte_ignored;
}

const sctlr_res1: u64 = 0x30d0_0980;
pub const sctlr_m: u64 = 1 << 0;
const sctlr_c: u64 = 1 << 2;
const sctlr_sa: u64 = 1 << 3;
const sctlr_sa0: u64 = 1 << 4; // EL0's sp is checked.
const sctlr_i: u64 = 1 << 12;
const sctlr_dze: u64 = 1 << 14; // DC ZVA at EL0.
const sctlr_uct: u64 = 1 << 15; // CTR_EL0 at EL0.
const sctlr_uci: u64 = 1 << 26; // Cache maintenance at EL0.

/// SCTLR_EL1. WFI and WFE trap (nTWI, nTWE are 0), DAIF is not EL0's (UMA is 0).
pub const sctlr: u64 = sctlr_res1 | sctlr_m | sctlr_c | sctlr_sa | sctlr_sa0 | sctlr_i | sctlr_dze | sctlr_uct | sctlr_uci;

/// CPACR_EL1.FPEN: floating point does not trap.
pub const cpacr: u64 = 3 << 20;
/// CNTKCTL_EL1.EL0VCTEN: EL0 reads the virtual counter, and no other.
pub const cntkctl: u64 = 2;
/// EL1 with its own sp, exceptions masked.
pub const cpsr_el1: u64 = 0x3c5;
/// What EL0 gets besides the bits that are its own: EL0t, exceptions masked.
pub const pstate_el0: u64 = 0x3c0;
/// The bits of PSTATE that a task keeps: NZCV and DIT.
pub const pstate_kept: u64 = 0xf100_0000;

/// A descriptor's bits for EL1's own pages and blocks: valid, accessed, inner shareable, attributes 0, not for EL0.
pub const el1_block: u64 = 1 | 3 << 8 | 1 << 10 | 1 << 53 | 1 << 54;
/// Read-only, and executable at EL1 only.
pub const el1_code: u64 = 3 | 1 << 7 | 3 << 8 | 1 << 10 | 1 << 54;

pub inline fn ttbr0(root: u32, asid: u16) u64 {
    return @as(u64, asid) << 48 | @as(u64, root) << 12;
}

test "fields do not overlap" {
    try std.testing.expectEqual(@as(u64, 0x34d0_d99d), sctlr);
    try std.testing.expectEqual(@as(u64, 0x31_b519_3510), tcr(36, true));
    try std.testing.expectEqual(@as(u64, 0x22_b519_3510), tcr(40, false));
}
