//! What the differential tester's two runners (the oracle for a real or emulated AArch64 Linux, and shim/cpu/difftest.zig
//! for our engines) agree on: the records of the two streams, the guest's memory map and its first contents.
//! test/cpu/format.ts is the TypeScript side of the same layouts.

const std = @import("std");

pub const magic: u32 = 0x46494443;

/// Code: one slot per case, filled with `brk #0x77` behind the case's words.
pub const code_base: u64 = 0x1_0000_0000;
pub const slot_bytes: u64 = 128;
pub const slot_words = slot_bytes / 4;
pub const slots: u32 = 1 << 17;
pub const end_word: u32 = 0xd4200000 | (0x77 << 5);

/// Data: two writable pages, a hole, a read-only page, a hole.
pub const data_base: u64 = 0x2_0000_0000;
pub const data_bytes: u64 = 0x2000;
pub const rodata_base: u64 = data_base + 0x3000;
pub const rodata_bytes: u64 = 0x1000;
pub const data_words = data_bytes / 8;
pub const memory_words = (data_bytes + rodata_bytes) / 8;

/// Cases that a runner loads, places and runs before it reads on.
pub const batch = 2048;

pub const Header = extern struct {
    magic: u32,
    count: u32,
    memory_seed: u32,
    reserved: u32,
};

pub const Case = extern struct {
    slot: u32,
    count: u32,
    reserved: [2]u32,
    x: [31]u64,
    sp: u64,
    nzcv: u32,
    fpcr: u32,
    fpsr: u32,
    pad: u32,
    tpidr: u64,
    pad2: u64,
    v: [32][2]u64,
    words: [16]u32,
};

/// How a case ended: `Result.signal` is Linux's signal number, or one of these.
pub const ended: u32 = 0;
/// The engine left for a reason that no case may cause (a call, a kick, a spent budget).
pub const stray: u32 = 100;

/// Followed by `changes` times `Change`.
pub const Result = extern struct {
    slot: u32,
    signal: u32,
    changes: u32,
    reserved: u32,
    pc: u64,
    fault: u64,
    x: [31]u64,
    sp: u64,
    nzcv: u32,
    fpcr: u32,
    fpsr: u32,
    pad: u32,
    tpidr: u64,
    pad2: u64,
    v: [32][2]u64,
};

/// A doubleword of the writable pages that the case changed: its byte offset and new value.
pub const Change = extern struct { offset: u64, value: u64 };

comptime {
    std.debug.assert(@sizeOf(Header) == 16);
    std.debug.assert(@sizeOf(Case) == 880);
    std.debug.assert(@sizeOf(Result) == 832);
}

const special = [_]u64{
    0,                     0xffff_ffff_ffff_ffff, 0x7fff_ffff_ffff_ffff, 0x8000_0000_0000_0000,
    0x7fff_ffff,           0x8000_0000_ffff_ffff, 0x7f80_0000_ff80_0000, 0x7fc0_0001_ffa0_0002,
    0x0000_0001_8000_0001, 0x3f80_0000_bf80_0000, 0x7ff0_0000_0000_0000, 0x7ff8_0000_0000_0003,
    0xfff4_0000_0000_0004, 0x0000_0000_0000_0001, 0x3ff0_0000_0000_0000, 0x7c00_fc00_7e01_7d02,
};

/// First contents of the data pages (writable ones first): three parts random to one part boundary values.
pub fn fillMemory(words: *[memory_words]u64, seed: u32) void {
    var state: u64 = seed;
    for (words) |*word| {
        state +%= 0x9e37_79b9_7f4a_7c15;
        var z = state;
        z = (z ^ (z >> 30)) *% 0xbf58_476d_1ce4_e5b9;
        z = (z ^ (z >> 27)) *% 0x94d0_49bb_1331_11eb;
        z ^= z >> 31;
        word.* = if (z & 3 == 0) special[(z >> 2) & 15] else z;
    }
}
