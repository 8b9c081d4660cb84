//! Handlers of exclusives, ordered accesses and read-modify-write atomics (Arm ARM C3.2.12 to C3.2.14).
//!
//! All of them want natural alignment (FEAT_LSE2 is not there). They are the host's own atomic operations, sequentially
//! consistent whatever order the instruction asks for. The exclusive monitor is the address, size and value of the last
//! load-exclusive, kept in the register block; a store-exclusive is a compare-and-swap against that value.

const builtin = @import("builtin");
const access = @import("access.zig");
const core = @import("core.zig");

const Op = core.Op;
const Block = core.Block;
const Vcpu = core.Vcpu;
const Flags = core.Flags;
const Handler = core.Handler;
const get = core.get;
const set = core.set;

const Outcome = enum { done, read_fault, write_fault, read_misaligned, write_misaligned };
const Body = fn (op: *const Op, b: *Block, v: *Vcpu, addr: u64) callconv(.@"inline") Outcome;

fn handlerOf(comptime body: Body) Handler {
    return &struct {
        noinline fn handler(op: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
            const f: Flags = .{ .a = fa, .b = fb, .c = fc };
            const addr = get(u64, b, op[0].n) +% @as(u64, @bitCast(@as(i64, if (has_offset(body)) op[0].imm else 0)));
            return switch (body(&op[0], b, v, addr)) {
                .done => core.next(op + 1, b, v, f),
                .read_fault => access.fault(op, b, v, f, .read),
                .write_fault => access.fault(op, b, v, f, .write),
                .read_misaligned => access.misaligned(op, b, v, f, addr, .read),
                .write_misaligned => access.misaligned(op, b, v, f, addr, .write),
            };
        }
    }.handler;
}

/// CASP keeps register numbers in imm; the others an offset, which is mostly 0.
fn has_offset(comptime body: Body) bool {
    return body != pairBody(u32) and body != pairBody(u64);
}

/// A naturally aligned T, or null: `v.fault_addr` faults. Aligned, so it does not cross pages.
inline fn pointer(comptime T: type, v: *Vcpu, addr: u64, comptime writes: bool) ?*T {
    if (writes) {
        if (v.tlb.writePtr(T, addr)) |p| return @ptrCast(@alignCast(p));
    } else {
        if (v.tlb.readPtr(T, addr)) |p| return @ptrCast(@alignCast(@constCast(p)));
    }
    const p = access.fill(v, addr, if (writes) .write else .read) orelse return null;
    return @ptrCast(@alignCast(p));
}

inline fn aligned(comptime T: type, addr: u64) bool {
    return addr & (@sizeOf(T) - 1) == 0;
}

fn Unsigned(comptime size: u2) type {
    return @Int(.unsigned, 8 << size);
}

pub const Extension = enum { plain, signed_x, signed_w };

fn loadOrderedBody(comptime T: type, comptime extension: Extension) Body {
    const S = @Int(.signed, @bitSizeOf(T));
    return struct {
        inline fn f(op: *const Op, b: *Block, v: *Vcpu, addr: u64) Outcome {
            if (!aligned(T, addr)) return .read_misaligned;
            const p = pointer(T, v, addr, false) orelse return .read_fault;
            const value = @atomicLoad(T, p, .seq_cst);
            set(b, op.d, switch (extension) {
                .plain => value,
                .signed_x => @as(u64, @bitCast(@as(i64, @as(S, @bitCast(value))))),
                .signed_w => if (@bitSizeOf(T) > 32) value else @as(u32, @bitCast(@as(i32, @as(S, @bitCast(value))))),
            });
            return .done;
        }
    }.f;
}

pub fn loadOrdered(size: u2, extension: Extension) Handler {
    switch (size) {
        inline else => |s| switch (extension) {
            inline else => |e| return handlerOf(loadOrderedBody(Unsigned(s), e)),
        },
    }
}

fn storeOrderedBody(comptime T: type) Body {
    return struct {
        inline fn f(op: *const Op, b: *Block, v: *Vcpu, addr: u64) Outcome {
            if (!aligned(T, addr)) return .write_misaligned;
            const p = pointer(T, v, addr, true) orelse return .write_fault;
            @atomicStore(T, p, get(T, b, op.d), .seq_cst);
            return .done;
        }
    }.f;
}

pub fn storeOrdered(size: u2) Handler {
    switch (size) {
        inline else => |s| return handlerOf(storeOrderedBody(Unsigned(s))),
    }
}

inline fn watch(b: *Block, addr: u64, size: u32, low: u64, high: u64) void {
    b.monitor_addr = addr;
    b.monitor_size = size;
    b.monitor_value = .{ low, high };
}

fn loadExclusiveBody(comptime T: type) Body {
    return struct {
        inline fn f(op: *const Op, b: *Block, v: *Vcpu, addr: u64) Outcome {
            if (!aligned(T, addr)) return .read_misaligned;
            const p = pointer(T, v, addr, false) orelse return .read_fault;
            const value = @atomicLoad(T, p, .seq_cst);
            set(b, op.d, value);
            watch(b, addr, @sizeOf(T), value, 0);
            return .done;
        }
    }.f;
}

pub fn loadExclusive(size: u2) Handler {
    switch (size) {
        inline else => |s| return handlerOf(loadExclusiveBody(Unsigned(s))),
    }
}

/// Is the monitor set for this store? It is clear afterwards.
inline fn claim(b: *Block, addr: u64, size: u32) bool {
    const held = b.monitor_size == size and b.monitor_addr == addr;
    b.monitor_size = 0;
    return held;
}

fn storeExclusiveBody(comptime T: type) Body {
    return struct {
        inline fn f(op: *const Op, b: *Block, v: *Vcpu, addr: u64) Outcome {
            if (!aligned(T, addr)) return .write_misaligned;
            const p = pointer(T, v, addr, true) orelse return .write_fault;
            const stored = claim(b, addr, @sizeOf(T)) and
                @cmpxchgStrong(T, p, @truncate(b.monitor_value[0]), get(T, b, op.d), .seq_cst, .seq_cst) == null;
            set(b, op.a, @as(u64, @intFromBool(!stored)));
            return .done;
        }
    }.f;
}

pub fn storeExclusive(size: u2) Handler {
    switch (size) {
        inline else => |s| return handlerOf(storeExclusiveBody(Unsigned(s))),
    }
}

fn loadExclusivePairBody(comptime T: type) Body {
    const D = @Int(.unsigned, 2 * @bitSizeOf(T));
    return struct {
        inline fn f(op: *const Op, b: *Block, v: *Vcpu, addr: u64) Outcome {
            if (!aligned(D, addr)) return .read_misaligned;
            const p = pointer([2]T, v, addr, false) orelse return .read_fault;
            const low = @atomicLoad(T, &p[0], .seq_cst);
            const high = @atomicLoad(T, &p[1], .seq_cst);
            set(b, op.d, low);
            set(b, op.m, high);
            watch(b, addr, @sizeOf(D), low, high);
            return .done;
        }
    }.f;
}

pub fn loadExclusivePair(wide: bool) Handler {
    return if (wide) handlerOf(loadExclusivePairBody(u64)) else handlerOf(loadExclusivePairBody(u32));
}

inline fn join(comptime T: type, low: u64, high: u64) @Int(.unsigned, 2 * @bitSizeOf(T)) {
    const D = @Int(.unsigned, 2 * @bitSizeOf(T));
    return @as(D, @as(T, @truncate(low))) | @as(D, @as(T, @truncate(high))) << @bitSizeOf(T);
}

fn storeExclusivePairBody(comptime T: type) Body {
    const D = @Int(.unsigned, 2 * @bitSizeOf(T));
    return struct {
        inline fn f(op: *const Op, b: *Block, v: *Vcpu, addr: u64) Outcome {
            if (!aligned(D, addr)) return .write_misaligned;
            const p = pointer(D, v, addr, true) orelse return .write_fault;
            const old = join(T, b.monitor_value[0], b.monitor_value[1]);
            const new = join(T, get(u64, b, op.d), get(u64, b, op.m));
            const stored = claim(b, addr, @sizeOf(D)) and @cmpxchgStrong(D, p, old, new, .seq_cst, .seq_cst) == null;
            set(b, op.a, @as(u64, @intFromBool(!stored)));
            return .done;
        }
    }.f;
}

pub fn storeExclusivePair(wide: bool) Handler {
    return if (wide) handlerOf(storeExclusivePairBody(u64)) else handlerOf(storeExclusivePairBody(u32));
}

/// CAS: d new value, m expected, a where the old one goes.
fn compareSwapBody(comptime T: type) Body {
    return struct {
        inline fn f(op: *const Op, b: *Block, v: *Vcpu, addr: u64) Outcome {
            if (!aligned(T, addr)) return .read_misaligned;
            const p = pointer(T, v, addr, true) orelse return .write_fault;
            const expected = get(T, b, op.m);
            const old = @cmpxchgStrong(T, p, expected, get(T, b, op.d), .seq_cst, .seq_cst) orelse expected;
            set(b, op.a, old);
            return .done;
        }
    }.f;
}

pub fn compareSwap(size: u2) Handler {
    switch (size) {
        inline else => |s| return handlerOf(compareSwapBody(Unsigned(s))),
    }
}

/// CASP: the pairs d, a (new) and m, imm 7..0 (expected); the old value goes to m and imm 15..8.
fn pairBody(comptime T: type) Body {
    const D = @Int(.unsigned, 2 * @bitSizeOf(T));
    return struct {
        inline fn f(op: *const Op, b: *Block, v: *Vcpu, addr: u64) Outcome {
            if (!aligned(D, addr)) return .read_misaligned;
            const p = pointer(D, v, addr, true) orelse return .write_fault;
            const imm: u32 = @bitCast(op.imm);
            const expected = join(T, get(u64, b, op.m), get(u64, b, @truncate(imm)));
            const new = join(T, get(u64, b, op.d), get(u64, b, op.a));
            const old = @cmpxchgStrong(D, p, expected, new, .seq_cst, .seq_cst) orelse expected;
            set(b, op.m, @as(T, @truncate(old)));
            set(b, @truncate(imm >> 8), @as(T, @truncate(old >> @bitSizeOf(T))));
            return .done;
        }
    }.f;
}

pub fn compareSwapPair(wide: bool) Handler {
    return if (wide) handlerOf(pairBody(u64)) else handlerOf(pairBody(u32));
}

/// In the order of the o3 and opc fields.
pub const Rmw = enum(u4) { add, clr, eor, set, smax, smin, umax, umin, swp };

fn modifyBody(comptime T: type, comptime what: Rmw) Body {
    const S = @Int(.signed, @bitSizeOf(T));
    return struct {
        inline fn f(op: *const Op, b: *Block, v: *Vcpu, addr: u64) Outcome {
            if (!aligned(T, addr)) return .read_misaligned;
            const p = pointer(T, v, addr, true) orelse return .write_fault;
            const x = get(T, b, op.m);
            const old: T = switch (what) {
                .add => @atomicRmw(T, p, .Add, x, .seq_cst),
                .clr => @atomicRmw(T, p, .And, ~x, .seq_cst),
                .eor => @atomicRmw(T, p, .Xor, x, .seq_cst),
                .set => @atomicRmw(T, p, .Or, x, .seq_cst),
                .smax => @bitCast(@atomicRmw(S, @as(*S, @ptrCast(p)), .Max, @bitCast(x), .seq_cst)),
                .smin => @bitCast(@atomicRmw(S, @as(*S, @ptrCast(p)), .Min, @bitCast(x), .seq_cst)),
                .umax => @atomicRmw(T, p, .Max, x, .seq_cst),
                .umin => @atomicRmw(T, p, .Min, x, .seq_cst),
                .swp => @atomicRmw(T, p, .Xchg, x, .seq_cst),
            };
            set(b, op.d, old);
            return .done;
        }
    }.f;
}

pub fn modify(what: Rmw, size: u2) Handler {
    switch (what) {
        inline else => |w| switch (size) {
            inline else => |s| return handlerOf(modifyBody(Unsigned(s), w)),
        },
    }
}

pub const clear_exclusive = core.plain(struct {
    inline fn f(_: *const Op, b: *Block) void {
        b.monitor_size = 0;
    }
}.f);

/// DMB and DSB.
pub const barrier = core.plain(struct {
    inline fn f(_: *const Op, _: *Block) void {
        fence();
    }
}.f);

/// A full barrier.
inline fn fence() void {
    switch (builtin.cpu.arch) {
        .x86_64 => asm volatile ("lock orl $0, -64(%rsp)" ::: .{ .memory = true, .cc = true }),
        .aarch64 => asm volatile ("dmb ish" ::: .{ .memory = true }),
        else => @compileError("no barrier for this host"),
    }
}
