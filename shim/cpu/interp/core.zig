//! What every handler of the interpreter shares: the predecoded op, the virtual CPU, the way from one handler to the next
//! and the way out.
//!
//! Guest code is translated to a stream of ops. Each starts with the address of its handler; a handler ends by tail-calling
//! the next one, so that op pointer, register block, virtual CPU and the lazy flags stay in host registers. The guest's pc is
//! nowhere while code runs: it is found again from the op (`cache.whereIs`) by those who need it.

const std = @import("std");
const abi = @import("../../abi.zig");
const mem = @import("../../mem/mem.zig");
const cache = @import("cache.zig");
const flags = @import("flags.zig");

pub const Block = abi.RegisterBlock;
pub const Flags = flags.Flags;

/// fa, fb, fc are the lazy flags. The result is an `abi.Exit`. All handlers are `noinline`: the slow path of a handler is
/// another one, and inlined it would burden the fast path with a stack frame.
pub const Handler = *const @TypeOf(sample.handler);

const sample = struct {
    noinline fn handler(op: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
        return next(op, b, v, .{ .a = fa, .b = fb, .c = fc });
    }
};

/// d, n, m, a are indices of 64-bit lanes of the register block (or small numbers). An op may be followed by
/// slots that hold two more words for it (`Ext`).
pub const Op = extern struct {
    handler: Handler,
    d: u8 = 0,
    n: u8 = 0,
    m: u8 = 0,
    a: u8 = 0,
    imm: i32 = 0,
};

pub const Ext = extern struct { lo: u64, hi: u64 };

/// Lanes of the register block that stand in for register 31, and where the vector registers begin.
pub const lane_sp: u8 = @offsetOf(Block, "sp") / 8;
pub const lane_zero: u8 = @offsetOf(Block, "zero") / 8;
pub const lane_sink: u8 = @offsetOf(Block, "sink") / 8;
pub const lane_v: u8 = @offsetOf(Block, "v") / 8;
pub const lane_tpidr: u8 = @offsetOf(Block, "tpidr") / 8;
pub const lane_tpidrro: u8 = @offsetOf(Block, "tpidrro") / 8;

comptime {
    std.debug.assert(@sizeOf(Op) == 16 and @sizeOf(Ext) == 16);
    std.debug.assert(lane_sp == 31 and @sizeOf(Block) / 8 < 256);
}

/// Where an indirect branch to `pc` continues, while `key` is the virtual CPU's.
pub const Jump = extern struct { pc: u64, key: u64, op: ?[*]const Op, unused: u64 = 0 };
pub const jump_count = 2048;

/// One host thread that executes guest code.
pub const Vcpu = struct {
    tlb: mem.Tlb,
    /// How the kernel's thread stops it.
    cpu: mem.cpus.Cpu,
    jumps: [jump_count]Jump align(64),
    /// Tag of the entries of `jumps` that are good: the TLB's context and the cache's epoch.
    key: u64,
    /// The cache's epoch at the last ISB that looked.
    seen_epoch: u64,
    /// Instructions left in this slice; at its end the stop flag and the budget are looked at.
    slice: i32,
    slice_start: i32,
    /// Budget beyond this slice.
    budget: u32,
    /// Keeps the bytes of an access that crosses pages together.
    bounce: [64]u8 align(16),
    /// The instruction that is executed on its own, outside the cache.
    single: *const Single,
    stepping: Single,
    /// Where an indirect branch that left the fast path goes.
    target: u64,
    /// The address that the slow path could not access.
    fault_addr: u64,
};

/// One instruction, translated so that it leaves guest code with `step` behind it.
pub const Single = struct { pc: u64, ops: [16]Op };

pub const slice_max = 4096;

pub inline fn next(op: [*]const Op, b: *Block, v: *Vcpu, f: Flags) i32 {
    return @call(.always_tail, op[0].handler, .{ op, b, v, f.a, f.b, f.c });
}

/// Continues in another handler of the same op.
pub inline fn divert(handler: Handler, op: [*]const Op, b: *Block, v: *Vcpu, f: Flags) i32 {
    return @call(.always_tail, handler, .{ op, b, v, f.a, f.b, f.c });
}

pub inline fn ext(op: [*]const Op, comptime index: usize) *const Ext {
    return @ptrCast(&op[index]);
}

/// A lane of the register block.
pub inline fn lane(b: *Block, index: u8) *u64 {
    return &@as([*]u64, @ptrCast(b))[index];
}

pub inline fn get(comptime T: type, b: *Block, index: u8) T {
    return @truncate(lane(b, index).*);
}

/// Writes zero-extended.
pub inline fn set(b: *Block, index: u8, value: anytype) void {
    lane(b, index).* = value;
}

/// Handler of an instruction that only works on registers.
pub fn plain(comptime body: fn (op: *const Op, b: *Block) callconv(.@"inline") void) Handler {
    return sized(body, 1);
}

/// The same for an op of `slots` slots.
pub fn sized(comptime body: fn (op: *const Op, b: *Block) callconv(.@"inline") void, comptime slots: usize) Handler {
    return &struct {
        noinline fn handler(op: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
            body(&op[0], b);
            return next(op + slots, b, v, .{ .a = fa, .b = fb, .c = fc });
        }
    }.handler;
}

/// Handler of an instruction that sets the flags.
pub fn flagSetting(comptime body: fn (op: *const Op, b: *Block) callconv(.@"inline") Flags, comptime slots: usize) Handler {
    return &struct {
        noinline fn handler(op: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
            _ = .{ fa, fb, fc };
            const f = body(&op[0], b);
            return next(op + slots, b, v, f);
        }
    }.handler;
}

/// Handler of an instruction that reads the flags, and perhaps sets them.
pub fn flagReading(comptime body: fn (op: *const Op, b: *Block, f: Flags) callconv(.@"inline") Flags) Handler {
    return &struct {
        noinline fn handler(op: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
            const f = body(&op[0], b, .{ .a = fa, .b = fb, .c = fc });
            return next(op + 1, b, v, f);
        }
    }.handler;
}

/// Stores what is kept elsewhere while code runs and reports `reason`. `executed` instructions of the current block were
/// not yet taken from the slice.
pub fn leave(b: *Block, v: *Vcpu, f: Flags, pc: u64, executed: u32, reason: abi.Exit) i32 {
    b.pc = pc;
    b.pstate = flags.toPstate(f);
    b.retired +%= @as(u32, @bitCast(v.slice_start -% v.slice)) +% executed;
    b.exit = @intFromEnum(reason);
    return @intCast(@intFromEnum(reason));
}

/// The exit of an instruction that does not complete.
pub noinline fn stopAt(op: [*]const Op, b: *Block, v: *Vcpu, f: Flags, reason: abi.Exit) i32 {
    @branchHint(.cold);
    const at = cache.whereIs(v, op);
    return leave(b, v, f, at.pc, at.executed, reason);
}
