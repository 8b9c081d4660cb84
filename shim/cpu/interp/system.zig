//! Handlers of system instructions and registers at EL0 (Arm ARM C5), with the answers of an arm64 Linux.

const access = @import("access.zig");
const branch = @import("branch.zig");
const cache = @import("cache.zig");
const core = @import("core.zig");
const fp = @import("../simd/fp.zig");
const host = @import("../../host/host.zig");
const mem = @import("../../mem/mem.zig");

const Op = core.Op;
const Block = core.Block;
const Vcpu = core.Vcpu;
const Flags = core.Flags;
const get = core.get;
const set = core.set;

/// CNTFRQ_EL0: the counter counts nanoseconds of the host's monotonic clock.
pub const counter_hz = 1_000_000_000;
/// DC ZVA clears this much.
const zva_bytes = 64;

pub const read_counter = core.plain(struct {
    inline fn f(op: *const Op, b: *Block) void {
        set(b, op.d, counter());
    }
}.f);

/// CNTVCT_EL0 now.
pub noinline fn counter() u64 {
    return host.monotonicNs();
}

pub const read_fpcr = core.plain(struct {
    inline fn f(op: *const Op, b: *Block) void {
        set(b, op.d, b.fpcr);
    }
}.f);

pub const read_fpsr = core.plain(struct {
    inline fn f(op: *const Op, b: *Block) void {
        fp.leave(b);
        set(b, op.d, b.fpsr);
        fp.enter(b);
    }
}.f);

pub const write_fpcr = core.plain(struct {
    inline fn f(op: *const Op, b: *Block) void {
        fp.leave(b);
        b.fpcr = get(u32, b, op.n) & fp.fpcr_mask;
        fp.enter(b);
    }
}.f);

pub const write_fpsr = core.plain(struct {
    inline fn f(op: *const Op, b: *Block) void {
        fp.leave(b);
        b.fpsr = get(u32, b, op.n) & fp.fpsr_mask;
        fp.enter(b);
    }
}.f);

/// DC ZVA.
pub noinline fn zero_line(op: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
    const f: Flags = .{ .a = fa, .b = fb, .c = fc };
    const addr = get(u64, b, op[0].n);
    const line = addr & ~@as(u64, zva_bytes - 1);
    const zeros: [zva_bytes]u8 = @splat(0);
    if (v.tlb.writePtr([zva_bytes]u8, line)) |p| {
        p.* = zeros;
    } else if (!access.write(v, line, &zeros)) {
        v.fault_addr = addr;
        return access.fault(op, b, v, f, .write);
    }
    return core.next(op + 1, b, v, f);
}

/// The syndrome bits of a faulting cache maintenance instruction: CM and WnR.
const maintenance = 1 << 8 | 1 << 6;

/// DC by address to a point that all our memory is at already: checks the address.
pub noinline fn clean_line(op: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
    const f: Flags = .{ .a = fa, .b = fb, .c = fc };
    if (access.fill(v, get(u64, b, op[0].n), .read) == null) return access.faultWith(op, b, v, f, .read, maintenance);
    return core.next(op + 1, b, v, f);
}

/// IC IVAU: drops what was translated from the line's page.
pub noinline fn invalidate_line(op: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
    const f: Flags = .{ .a = fa, .b = fb, .c = fc };
    const p = access.fill(v, get(u64, b, op[0].n), .read) orelse {
        return access.faultWith(op, b, v, f, .read, maintenance);
    };
    mem.frames.noteCode(mem.frames.ofPtr(p));
    return core.next(op + 1, b, v, f);
}

/// ISB: `Ext{ pc behind it, 0 }`. What follows is looked up afresh when any code has changed since the last time.
pub noinline fn resync(op: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
    const f: Flags = .{ .a = fa, .b = fb, .c = fc };
    const epoch = @atomicLoad(u64, &cache.epoch, .acquire);
    if (v.seen_epoch == epoch) return core.next(op + 2, b, v, f);
    v.seen_epoch = epoch;
    return core.divert(&branch.resync, op, b, v, .{ .a = fa, .b = fb, .c = fc });
}
