//! Which host register holds what while translated code runs, and the state of the host thread that runs it.
//!
//! rbp points into the register block, 168 bytes in, so that x5..x30, sp, and what code uses most behind them are within an 8-bit displacement;
//! hosts rename such memory. The gs segment is the `Cpu`. Eleven guest registers stay in host registers between instructions and
//! between blocks; the others live in the register block. rax, rcx and rdx are scratch, xmm registers hold nothing between
//! instructions.

const std = @import("std");
const abi = @import("../../abi.zig");
const constants = @import("constants.zig");
const core = @import("../interp/core.zig");
const mirrors = @import("mirror.zig");
const regs = @import("../simd/regs.zig");
const x64 = @import("x64.zig");

pub const Block = abi.RegisterBlock;
pub const Reg = x64.Reg;
pub const Mem = x64.Mem;
pub const Rm = x64.Rm;

pub const block_reg: Reg = .rbp;
/// What rbp points beyond the start of the register block.
pub const block_bias = 168;

pub const sp = 31;

pub const Fixed = struct { guest: u5, host: Reg };

/// The most used registers of what Debian's programs execute (gcc's code), and x8 and x9, the first that LLVM takes. The first six are lost in a call of C.
pub const fixed = [_]Fixed{
    .{ .guest = 0, .host = .rdi },
    .{ .guest = 1, .host = .rsi },
    .{ .guest = 2, .host = .r8 },
    .{ .guest = 3, .host = .r9 },
    .{ .guest = 4, .host = .r10 },
    .{ .guest = 8, .host = .r11 },
    .{ .guest = sp, .host = .rbx },
    .{ .guest = 19, .host = .r13 },
    .{ .guest = 20, .host = .r14 },
    .{ .guest = 21, .host = .r15 },
    .{ .guest = 9, .host = .r12 },
};
pub const caller_saved = fixed[0..6];

/// What each host register holds: the fixed guest registers (31: sp), or while a loop runs (`loop.zig`) others in the place of some of them.
pub const Map = struct {
    /// The host register of x0..x30 and sp.
    host: [32]?Reg,
    /// Of the count of the slice; null: it is in memory.
    slice: ?Reg = null,
    /// Of what was looked up before the loop (`hoist.zig`); null: it is in memory alone.
    places: [places]?Reg = @splat(null),
    swaps: [fixed.len]Swap = undefined,
    swap_count: u32 = 0,

    pub fn swapped(m: *const Map) []const Swap {
        return m.swaps[0..m.swap_count];
    }
};

/// A host register that holds `in` and not, as outside the loop, `out`. `written`: a guest's register that may change.
pub const Swap = struct { host: Reg, out: u5, in: union(enum) { guest: u5, slice, place: u2 }, written: bool };

/// Base registers that a loop looks up before it begins, at most.
pub const places = 4;

pub const fixed_map: Map = .{ .host = blk: {
    var all: [32]?Reg = @splat(null);
    for (fixed) |f| all[f.guest] = f.host;
    break :blk all;
} };

/// Memory of a field of the register block.
pub fn blockField(comptime name: []const u8) Mem {
    return blockAt(@offsetOf(Block, name));
}

pub fn blockAt(offset: usize) Mem {
    return .{ .base = block_reg, .disp = @as(i32, @intCast(offset)) - block_bias };
}

/// Memory of x0..x30 or (31) sp.
pub fn lane(guest: u32) Mem {
    return blockAt(8 * guest);
}

/// Memory of a vector register, `byte` bytes in.
pub fn vector(number: u32, byte: u32) Mem {
    return blockAt(@offsetOf(Block, "v") + 16 * number + byte);
}

/// Where an indirect branch to `pc` continues. Its place in the table is made of low bits of pc.
pub const Jump = extern struct { pc: u64, code: u64 };
pub const jump_count = 16384;

/// What is known of indirect branches under one key (`Cpu.key`).
pub const Jumps = struct {
    /// Places of the first entries that were filled, so that clearing touches few; and how many were.
    filled: [512]u16,
    count: u32,
    entries: [jump_count]Jump align(64),

    pub fn at(j: *Jumps, pc: u64) *Jump {
        return &j.entries[pc >> 2 & (jump_count - 1)];
    }

    pub fn fill(j: *Jumps, pc: u64, code: u64) void {
        const entry = j.at(pc);
        if (entry.code == 0) {
            if (j.count < j.filled.len) j.filled[j.count] = @truncate(pc >> 2 & (jump_count - 1));
            j.count += 1;
        }
        entry.* = .{ .pc = pc, .code = code };
    }

    /// Empties it.
    pub fn clear(j: *Jumps) void {
        if (j.count > j.filled.len) {
            @memset(&j.entries, .{ .pc = 0, .code = 0 });
        } else {
            for (j.filled[0..j.count]) |i| j.entries[i] = .{ .pc = 0, .code = 0 };
        }
        // No branch finds an empty entry: to 0, which belongs to the first, it compares with what belongs to the second.
        j.entries[0].pc = 4;
        j.count = 0;
    }
};
/// Spaces among which a CPU may switch and still know where their indirect branches lead.
pub const jumps_count = 4;

/// Which page of translated code is at a virtual page of the bound space: the number of the page, by low bits of the address.
pub const page_slots = 4096;
pub const no_page: u32 = 0xffff_ffff;

pub const back_slots = 1024;

pub const Cpu = struct {
    /// The interpreter's part: the TLB, and all that single instructions need which are not translated.
    v: core.Vcpu,
    jumps: [jumps_count]Jumps align(64),
    pages: [page_slots]u32 align(64),
    /// How often branches back may still be taken before their loops are made, by a hash (`loop.zig`).
    backs: [back_slots]i32,
    /// rsp where guest code has not called anything.
    stack: u64,
    /// Its own address.
    self: *Cpu,
    /// The task that runs.
    block: *Block,
    /// Of the space that is bound and how its code is translated: what `pages` was filled under. Keys of the tables of
    /// indirect branches; which table is emptied next.
    key: u64,
    jumps_keys: [jumps_count]u64,
    jumps_oldest: u32,
    /// What `RegisterBlock.slice` began with, and budget beyond it.
    slice_start: i32,
    budget: u32,
    /// Host pointers of what accesses off a base register share, or (the last) those off the same sum of registers, while a block runs.
    pointers: [33]u64,
    /// Those of the base registers that the loop that runs has looked up before.
    places: [places]u64,
    spill: u64,
    mirror: mirrors.Mirror,
    /// Instructions of the bound space that it does not know of yet.
    executed: u32,
    /// sp is not what flat code has to have.
    wild: bool,
    constants: constants.Constants align(16),
    /// All ones as long as FPSR.QC is not set, then zero: who finds something saturated then need not set it again.
    unsaturated: [2]u64 align(16),
    /// What a store that left the fast path stores.
    value: [64]u8 align(16),

    /// After FPSR may have been written.
    pub fn watchSaturation(cpu: *Cpu, b: *const Block) void {
        cpu.unsaturated = @splat(if (b.fpsr & regs.fpsr_qc != 0) 0 else ~@as(u64, 0));
    }
};

pub fn cpuField(comptime name: []const u8) Mem {
    return .{ .base = null, .disp = @offsetOf(Cpu, name) };
}

pub fn place(number: u2) Mem {
    var m = cpuField("places");
    m.disp += 8 * @as(i32, number);
    return m;
}

const tlb = @offsetOf(Cpu, "v") + @offsetOf(core.Vcpu, "tlb");
const Tlb = @FieldType(core.Vcpu, "tlb");
/// Where the TLB's entries for reading begin, or those for writing.
pub fn tlbEntries(writes: bool) i32 {
    return tlb + @as(i32, if (writes) @offsetOf(Tlb, "write") else @offsetOf(Tlb, "read"));
}
/// A field of a window (mem/tlb.zig).
pub fn window(slot: u32, comptime field: []const u8) Mem {
    const windows: i32 = tlb + @offsetOf(Tlb, "windows");
    return .{ .base = null, .disp = windows + @as(i32, @intCast(slot * @sizeOf(Window))) + @as(i32, @offsetOf(Window, field)) };
}
const Window = @typeInfo(@FieldType(Tlb, "windows")).array.child;

/// NZCV in bits 31..28, from and to the saved form (`RegisterBlock.host_flags`), as `lahf; seto al` leave it after a subtraction: bit 0 V,
/// bits 15, 14 N and Z, bit 8 not C.
pub fn savedFlags(pstate: u64) u32 {
    const p: u32 = @truncate(pstate);
    return (p >> 31) << 15 | (p >> 30 & 1) << 14 | (~p >> 29 & 1) << 8 | (p >> 28 & 1);
}

pub fn pstateOf(saved: u32) u64 {
    return @as(u64, saved >> 15 & 1) << 31 | @as(u64, saved >> 14 & 1) << 30 | @as(u64, ~saved >> 8 & 1) << 29 | @as(u64, saved & 1) << 28;
}

test "a table of indirect branches forgets all, and no branch finds what is not there" {
    const j = try std.testing.allocator.create(Jumps);
    defer std.testing.allocator.destroy(j);
    j.* = std.mem.zeroes(Jumps);
    j.clear();
    for ([_]u64{ 3, 2000 }) |count| {
        for (0..count) |i| j.fill(0x10000 + 4 * i, i + 1);
        for (0..count) |i| try std.testing.expectEqual(i + 1, j.at(0x10000 + 4 * i).code);
        j.clear();
        for (0..count) |i| try std.testing.expect(j.at(4 * i).pc != 4 * i and j.at(0x10000 + 4 * i).pc != 0x10000 + 4 * i);
    }
}

test "saved flags come back" {
    for (0..16) |i| try std.testing.expectEqual(@as(u64, i) << 28, pstateOf(savedFlags(@as(u64, i) << 28)));
}
