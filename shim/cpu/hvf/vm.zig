//! The one virtual machine of the process: guest memory at its physical addresses, slab by slab as it is handed out, and the tables of EL1.
//!
//! A frame's number is its guest-physical page, so a slab's address is never used for anything else and stage 2 never changes:
//! nobody outside the machine can make a CPU forget what it has cached of stage 2.

const desc = @import("../../mem/descriptor.zig");
const frames = @import("../../mem/frames.zig");
const hv = @import("hv.zig");
const registers = @import("registers.zig");
const stub = @import("stub.zig");

pub const Table = *[desc.entries]u64;
const gib = 1 << 30;

pub var ipa_bits: u32 = 0;
pub var max_vcpus: u32 = 0;
/// Stage 2 refuses pages that can be written and executed: every slab is mapped twice (`desc.exec_alias`).
pub var has_alias = false;
/// Frames of EL1's tables and its code.
pub var upper_root: u32 = 0;
pub var stub_frame: u32 = 0;
/// Tables that map the code's page to itself, for the way that begins without MMU.
pub var boot_root: u32 = 0;

/// The framework's own word about the call that failed last.
pub var last_error: hv.Return = hv.success;

pub fn check(rc: hv.Return) error{Refused}!void {
    if (rc == hv.success) return;
    last_error = rc;
    return error.Refused;
}

pub const Error = error{ Refused, NoMemory };

/// Makes the machine, of the widest physical address that it can have, with all slabs so far.
pub fn create(force_alias: bool) Error!void {
    const api = &hv.api;
    var widest: u32 = 0;
    if (api.vm_config_get_max_ipa_size(&widest) != hv.success or widest == 0) try check(api.vm_config_get_default_ipa_size(&widest));
    const config = api.vm_config_create();
    if (config != null and api.vm_config_set_ipa_size(config, widest) != hv.success) {
        try check(api.vm_config_get_default_ipa_size(&widest));
    }
    try check(api.vm_create(config));
    errdefer _ = api.vm_destroy();
    ipa_bits = widest;
    try check(api.vm_get_max_vcpu_count(&max_vcpus));
    has_alias = force_alias;
    limitFrames();
    frames.slabsOpened = slabsOpened;
    errdefer frames.slabsOpened = null;
    const open_frames = frames.reservedFrames();
    if (open_frames > 0 and !slabsOpened(0, open_frames)) return error.Refused;
    try makeTables();
}

/// Frames stay below the end of physical addresses, or below the alias's bit.
fn limitFrames() void {
    const bits = if (has_alias) ipa_bits - 1 else ipa_bits;
    desc.exec_alias = if (has_alias) @as(u64, 1) << @intCast(ipa_bits - 1) else 0;
    frames.usable_frames = @intCast(@min(frames.frame_limit, @as(u64, 1) << @intCast(bits - 12)));
}

/// Maps frames that were never handed out before.
fn slabsOpened(first: u32, count: u32) bool {
    return mapFrames(first, count) or (has_alias == false and secondTry(first, count));
}

fn mapFrames(first: u32, count: u32) bool {
    const size = @as(usize, count) * frames.page_size;
    const ipa = @as(u64, first) * frames.page_size;
    const ptr = frames.ptr(first);
    if (!has_alias) return map(ptr, ipa, size, hv.memory_read | hv.memory_write | hv.memory_exec);
    return map(ptr, ipa, size, hv.memory_read | hv.memory_write) and
        map(ptr, ipa | desc.exec_alias, size, hv.memory_read | hv.memory_exec);
}

fn map(ptr: *anyopaque, ipa: u64, size: usize, flags: u64) bool {
    const rc = hv.api.vm_map(ptr, ipa, size, flags);
    if (rc != hv.success) last_error = rc;
    return rc == hv.success;
}

/// The first slab was refused as writable and executable memory: from now on everything is mapped twice.
fn secondTry(first: u32, count: u32) bool {
    if (first != 0 or upper_root != 0) return false;
    has_alias = true;
    desc.split_wx = true;
    limitFrames();
    return mapFrames(first, count);
}

inline fn tableOf(frame: u32) Table {
    return @ptrCast(frames.ptr(frame));
}

fn page() Error!u32 {
    return frames.alloc(true) orelse error.NoMemory;
}

fn makeTables() Error!void {
    stub_frame = try page();
    const code = stub.code();
    @memcpy(frames.ptr(stub_frame)[0..code.len], code);
    const upper = try page();
    const blocks = @min(510, (@as(u64, frames.usable_frames) * frames.page_size + gib - 1) / gib);
    for (0..blocks) |i| tableOf(upper)[i] = i * gib | registers.el1_block;
    const middle = try page();
    const lowest = try page();
    tableOf(upper)[desc.entries - 1] = desc.table(middle);
    tableOf(middle)[0] = desc.table(lowest);
    tableOf(lowest)[0] = codeAddress() | registers.el1_code;
    upper_root = upper;
    boot_root = try identity(codeAddress());
    cleanStub();
}

/// Where instructions of EL1 are fetched from.
pub fn codeAddress() u64 {
    return @as(u64, stub_frame) << 12 | desc.exec_alias;
}

/// Tables of four levels that map one page of code to itself.
fn identity(ipa: u64) Error!u32 {
    const root = try page();
    var table = tableOf(root);
    inline for (0..3) |level| {
        const next = try page();
        table[ipa >> (39 - 9 * level) & 511] = desc.table(next);
        table = tableOf(next);
    }
    table[ipa >> 12 & 511] = ipa | registers.el1_code;
    return root;
}

fn cleanStub() void {
    @import("coherence.zig").cleanFrame(stub_frame);
}

/// Address of host memory that lies in frames, as EL1 sees it.
pub inline fn linear(ptr: *const anyopaque) u64 {
    return registers.linear + (@intFromPtr(ptr) - @intFromPtr(frames.base));
}
