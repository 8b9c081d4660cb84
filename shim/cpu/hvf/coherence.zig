//! What the virtual CPUs must be told before they run on: pages whose translation went, code that was written. Each has a list of its own,
//! filled by the kernel's thread and worked off by the CPU's stub before the next task runs, with instructions that reach every other CPU of the
//! machine too. A CPU that runs a space whose pages go is outside meanwhile (mem/cpus.zig), so it comes by its stub before it uses the space again.

const std = @import("std");
const builtin = @import("builtin");
const asid = @import("asid.zig");
const frames = @import("../../mem/frames.zig");
const kick = @import("../../host/kick.zig");
const space = @import("../../mem/space.zig");
const stub = @import("stub.zig");
const tlb = @import("../../mem/tlb.zig");
const vcpu = @import("vcpu.zig");

/// A whole address space costs less than more pages than this.
const precise_pages = 64;

/// What one CPU is to be told, besides the space and the registers of its task.
pub const Pending = struct {
    lock: u32 = 0,
    /// `stub.request_tlb`, `request_tlb_all`, `request_icache`.
    request: u64 = 0,
    count: u64 = 0,
    list: [stub.invalidate_max]stub.Invalidate = undefined,

    fn acquire(p: *Pending) void {
        while (@atomicRmw(u32, &p.lock, .Xchg, 1, .acquire) != 0) std.atomic.spinLoopHint();
    }

    fn release(p: *Pending) void {
        @atomicStore(u32, &p.lock, 0, .release);
    }

    fn add(p: *Pending, what: stub.Invalidate) void {
        if (p.request & stub.request_tlb_all != 0) return;
        if (p.count > 0) {
            const last = &p.list[p.count - 1];
            if (last.operand == what.operand and last.pages == what.pages) return;
            const follows = last.pages > 0 and what.pages > 0 and last.operand + last.pages == what.operand;
            if (follows and last.pages + what.pages <= precise_pages) {
                last.pages += what.pages;
                return;
            }
        }
        if (p.count == stub.invalidate_max) {
            p.request |= stub.request_tlb_all;
            return;
        }
        p.list[p.count] = what;
        p.count += 1;
        p.request |= stub.request_tlb;
    }

    /// Moves everything to what the stub reads. On the CPU's own thread.
    pub fn take(p: *Pending, context: *stub.Context) void {
        if (@atomicLoad(u64, &p.request, .acquire) == 0) return;
        p.acquire();
        defer p.release();
        if (context.invalidate_count + p.count > stub.invalidate_max) p.request |= stub.request_tlb_all;
        if (p.request & stub.request_tlb_all == 0) {
            @memcpy(context.invalidate[context.invalidate_count..][0..p.count], p.list[0..p.count]);
            context.invalidate_count += p.count;
        }
        context.request |= p.request;
        p.count = 0;
        @atomicStore(u64, &p.request, 0, .release);
    }
};

/// Hears of all changes from now on.
pub fn listen() void {
    tlb.hardware = pagesChanged;
    tlb.dropped = null;
    frames.codeChanged = codeChanged;
    frames.madeExecutable = madeExecutable;
    kick.interrupt = vcpu.kick;
}

/// Hears of nothing any more: another engine runs.
pub fn ignore() void {
    tlb.hardware = null;
    frames.madeExecutable = null;
    kick.interrupt = null;
}

fn pagesChanged(s: *space.Space, va: u64, count: u64) void {
    // A space that nobody has run, or that goes: its number is not given out again before everything is forgotten.
    const tag = asid.current(s) orelse return;
    if (count == std.math.maxInt(u64)) return;
    const whole = count > precise_pages;
    const operand = @as(u64, tag) << 48 | if (whole) 0 else va >> 12;
    for (vcpu.all()) |cpu| {
        cpu.pending.acquire();
        cpu.pending.add(.{ .operand = operand, .pages = if (whole) 0 else count });
        cpu.pending.release();
    }
}

/// Makes every CPU ask for this before its next task.
pub fn requestAll(request: u64) void {
    for (vcpu.all()) |cpu| {
        cpu.pending.acquire();
        cpu.pending.request |= request;
        cpu.pending.release();
    }
}

// Code. Only the kernel's thread gets here.

/// Frames that hold code and are being written by the kernel.
var dirty: [64]u32 = undefined;
var dirty_count: usize = 0;

/// About to be mapped executable: others may fetch from it as soon as it is.
fn madeExecutable(frame: u32) void {
    frames.markCode(frame);
    cleanFrame(frame);
}

/// About to be written by the kernel, or freed.
fn codeChanged(frame: u32) void {
    if (frames.info[frame].refs == 0) return;
    frames.markCode(frame);
    if (dirty_count > 0 and dirty[dirty_count - 1] == frame) return;
    if (dirty_count == dirty.len) settle();
    dirty[dirty_count] = frame;
    dirty_count += 1;
}

/// Before a task runs: what the kernel wrote as code is what is fetched.
pub inline fn prepare() void {
    if (dirty_count > 0) settle();
}

fn settle() void {
    for (dirty[0..dirty_count]) |frame| cleanFrame(frame);
    dirty_count = 0;
    requestAll(stub.request_icache);
}

const mac = struct {
    extern "c" fn sys_icache_invalidate(start: *anyopaque, len: usize) void;
};

/// Told of every frame that is cleaned.
pub var onClean: if (builtin.is_test) ?*const fn (frame: u32) void else void = if (builtin.is_test) null else {};

/// Pushes a frame's bytes to where instructions are fetched from, and drops what was fetched before (Arm ARM B2.7.4), for all CPUs.
pub fn cleanFrame(frame: u32) void {
    if (builtin.is_test) if (onClean) |call| call(frame);
    clean(frames.ptr(frame), frames.page_size);
}

/// The same of `len` bytes of guest memory.
pub fn clean(ptr: [*]u8, len: usize) void {
    if (builtin.os.tag == .macos) return mac.sys_icache_invalidate(ptr, len);
    if (builtin.cpu.arch != .aarch64) return;
    maintain("dc cvau", @intFromPtr(ptr), len, ctr() >> 16 & 0xf);
    maintain("ic ivau", @intFromPtr(ptr), len, ctr() & 0xf);
    asm volatile ("isb" ::: .{ .memory = true });
}

/// One instruction for each cache line; `log2_words` is the line's size in CTR_EL0.
fn maintain(comptime instruction: []const u8, start: usize, len: usize, log2_words: u64) void {
    const line = @as(usize, 4) << @intCast(log2_words);
    var at = start & ~(line - 1);
    while (at < start + len) : (at += line) {
        asm volatile (instruction ++ ", %[p]"
            :
            : [p] "r" (at),
            : .{ .memory = true });
    }
    asm volatile ("dsb ish" ::: .{ .memory = true });
}

pub fn ctr() u64 {
    return asm ("mrs %[out], ctr_el0"
        : [out] "=r" (-> u64),
    );
}
