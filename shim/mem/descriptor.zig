//! ARMv8-A stage-1 descriptors, 4 KiB granule, 48-bit addresses (Arm ARM, "VMSAv8-64 translation table
//! format descriptors"). The tables are the very ones that a hardware CPU walks: table pages are frames, and an
//! address in a descriptor is an intermediate physical address, the frame number times 4096.
//!
//! A page without access (PROT_NONE) keeps its frame in a descriptor whose valid bit is clear; hardware ignores
//! every other bit of it. A descriptor of 0 is an empty slot (frame 0 is never handed out).

const abi = @import("../abi.zig");

pub const entries = 512;
/// Addresses end here: bits 63..48 of a translated address are zero.
pub const va_bits = 48;

pub const valid: u64 = 1 << 0;
/// Page at level 3, table at levels 0 to 2.
const table_or_page: u64 = 1 << 1;
/// AP[1]: EL0 may access.
pub const el0: u64 = 1 << 6;
/// AP[2]: nobody may write.
pub const read_only: u64 = 1 << 7;
const inner_shareable: u64 = 3 << 8;
const accessed: u64 = 1 << 10;
const not_global: u64 = 1 << 11;
const pxn: u64 = 1 << 53;
pub const uxn: u64 = 1 << 54;

/// Software bits, ignored by hardware.
/// The page is shared memory: fork maps it as it is.
pub const shared: u64 = 1 << 55;
/// A private page that its owner may write, held read-only until `space_cow`.
pub const cow: u64 = 1 << 56;
/// The page may be written and executed, but not both at once (`split_wx`).
pub const wx: u64 = 1 << 57;

/// For CPUs that refuse to execute what can be written: such a page begins as writable, `space.makeExecutable` turns it, and the
/// next write fault turns it back.
pub var split_wx = false;
/// Bit of the address under which the hypervisor shows every frame a second time, executable instead of writable; 0: it need not.
pub var exec_alias: u64 = 0;

pub const address: u64 = 0x0000_ffff_ffff_f000;

/// What every accessible page has: memory attributes 0 (normal, write-back), inner shareable, access flag set,
/// tagged with the address space, never executable by EL1.
const page: u64 = valid | table_or_page | el0 | inner_shareable | accessed | not_global | pxn;

pub inline fn table(frame: u32) u64 {
    return @as(u64, frame) << 12 | table_or_page | valid;
}

pub inline fn frameOf(d: u64) u32 {
    return @truncate((d & address & ~exec_alias) >> 12);
}

/// A page of `frame` with the PROT_* of `prot`. As on arm64 Linux without EPAN, write and exec imply read.
/// `sole`: nobody else holds the frame, so that a private page may be writable at once.
pub inline fn leaf(frame: u32, prot: u32, sole: bool) u64 {
    var d = @as(u64, frame) << 12;
    if (prot & abi.prot_shared != 0) d |= shared;
    if (prot & (abi.prot_read | abi.prot_write | abi.prot_exec) == 0) return d;
    d |= page;
    if (prot & abi.prot_exec == 0) d |= uxn;
    if (prot & abi.prot_write == 0) {
        d |= read_only;
    } else if (prot & abi.prot_shared == 0 and !sole) {
        d |= read_only | cow;
    } else if (split_wx and prot & abi.prot_exec != 0) {
        d |= uxn | wx;
    }
    return if (executable(d)) d | exec_alias else d;
}

/// The executable turn of a page that is not writable and executable at once.
pub inline fn turned(d: u64) u64 {
    return (d & ~uxn) | read_only | exec_alias;
}

pub inline fn readable(d: u64) bool {
    return d & valid != 0;
}

pub inline fn writable(d: u64) bool {
    return d & (valid | read_only) == valid;
}

pub inline fn executable(d: u64) bool {
    return d & (valid | uxn) == valid;
}

/// Does whatever was found under `old` still hold under `new`?
pub inline fn widens(old: u64, new: u64) bool {
    if (readable(old) and (old ^ new) & address != 0) return false;
    return (!readable(old) or readable(new)) and (!writable(old) or writable(new)) and (!executable(old) or executable(new));
}

pub inline fn allows(d: u64, access: abi.Access) bool {
    return switch (access) {
        .read => readable(d),
        .write => writable(d),
        .exec => executable(d),
    };
}

/// The PROT_* that hold now (without write for a page that waits for its copy), with PROT_SHARED and PROT_PRESENT.
pub fn protOf(d: u64) u32 {
    if (d == 0) return 0;
    var prot: u32 = abi.prot_present;
    if (d & shared != 0) prot |= abi.prot_shared;
    if (readable(d)) prot |= abi.prot_read;
    if (writable(d)) prot |= abi.prot_write;
    if (executable(d) or d & wx != 0) prot |= abi.prot_exec;
    return prot;
}
