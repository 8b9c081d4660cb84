//! The code that runs at EL1: exception vectors, the way out to the host (`hvc`) and back into the task. One page, position independent.
//!
//! SP_EL1 points at the register block of the task, which lies in guest memory and is seen through the linear view; TPIDR_EL1 at
//! the virtual CPU's `Context`. So an exception stores the task's registers where the kernel reads them, and the host copies nothing.
//! Floating-point registers stay in the CPU until another task's are to go in, or the kernel wants to see them; only CPU threads, whose tasks go on
//! elsewhere, store them at every exit.
//!
//! Calls that ask who the task is (getpid and family) are answered here when the block has the answer.
//!
//! x0 is a `Kind` at every `hvc`: a hypervisor may take what looks like an SMCCC function number for itself.

const std = @import("std");
const builtin = @import("builtin");
const abi = @import("../../abi.zig");
const registers = @import("registers.zig");

const Block = abi.RegisterBlock;

/// What the host and the stub tell each other, one for each virtual CPU, in a frame of its own.
pub const Context = extern struct {
    /// Address of the task's block in the linear view.
    block: u64 = 0,
    /// TTBR0_EL1 to set (with `request_space`).
    ttbr0: u64 = 0,
    /// `request_*`: what is to be done before the task runs.
    request: u64 = 0,
    /// Entries of `invalidate` that hold (with `request_tlb`).
    invalidate_count: u64 = 0,
    /// Why the stub left: a `Kind`.
    kind: u64 = 0,
    /// CNTVCT_EL0 when the task was entered and when it left.
    entered: u64 = 0,
    left: u64 = 0,
    /// Counter ticks after which the virtual timer fires.
    slice_ticks: u64 = 0,
    /// Block that the vector registers in the CPU belong to, to be stored there (with `request_fp_save`). The stub sets it to 0 when that is done.
    fp_from: u64 = 0,
    /// 1: the vector registers are stored at every exit.
    fp_eager: u64 = 0,
    /// TLBI operands: ASID in 63..48, page number below; and how many pages, 0 for the whole ASID.
    invalidate: [invalidate_max]Invalidate = @splat(.{}),
};

pub const Invalidate = extern struct { operand: u64 = 0, pages: u64 = 0 };
pub const invalidate_max = 32;

pub const request_space: u64 = 1;
pub const request_tlb: u64 = 2;
pub const request_tlb_all: u64 = 4;
pub const request_icache: u64 = 8;
pub const request_fp: u64 = 16;
/// Leave again at once, with `Kind.idle`: only the maintenance is wanted.
pub const request_leave: u64 = 32;
pub const request_fp_save: u64 = 64;

pub const Kind = enum(u64) {
    /// A synchronous exception of the task.
    sync = 1,
    /// An interrupt or SError that came while the task ran.
    irq = 2,
    fiq = 3,
    serror = 4,
    /// The host redirected a task that it had stopped in the middle.
    captured = 5,
    idle = 6,
    /// An exception in the stub itself.
    broken = 7,
    _,
};

pub const hvc_imm = 5;

fn block(comptime name: []const u8) usize {
    return @offsetOf(Block, name);
}
fn ctx(comptime name: []const u8) usize {
    return @offsetOf(Context, name);
}

const print = std.fmt.comptimePrint;
const symbol = if (builtin.os.tag == .macos) "_" else "";

fn vector(comptime kind: Kind) []const u8 {
    return print(
        \\.p2align 7
        \\stp x0, x1, [sp]
        \\mov x0, #{d}
        \\b Lhv_save
        \\
    , .{@intFromEnum(kind)});
}

/// From the stub itself: nothing is stored, since the block may be the cause.
fn brokenVector() []const u8 {
    return print(
        \\.p2align 7
        \\mrs x1, tpidr_el1
        \\mov x0, #{d}
        \\str x0, [x1, #{d}]
        \\hvc #{d}
        \\
    , .{ @intFromEnum(Kind.broken), ctx("kind"), hvc_imm });
}

fn pairs(comptime instruction: []const u8, comptime class: []const u8, comptime first: u32, comptime last: u32, comptime base: []const u8, comptime at: usize, comptime size: usize) []const u8 {
    var out: []const u8 = "";
    var n = first;
    while (n < last) : (n += 2) {
        out = out ++ print("{s} {s}{d}, {s}{d}, [{s}, #{d}]\n", .{ instruction, class, n, class, n + 1, base, at + n * size });
    }
    return out;
}

/// A task is told here who it is, if the block has the answer, plus one. The flags are SPSR_EL1's again after `eret`.
const syncVector = print(
    \\.p2align 7
    \\stp x0, x1, [sp]
    \\sub w0, w8, #{[first]d}
    \\cmp w0, #{[last]d}
    \\b.hi Lhv_sync
    \\mrs x1, esr_el1
    \\lsr w1, w1, #26
    \\cmp w1, #0x15
    \\b.ne Lhv_sync
    \\add x1, sp, x0, uxtx #2
    \\ldr w0, [x1, #{[answers]d}]
    \\cbz w0, Lhv_sync
    \\sub w0, w0, #1
    \\ldr x1, [sp, #8]
    \\eret
    \\Lhv_sync:
    \\mov x0, #{[kind]d}
    \\b Lhv_save
    \\
, .{ .first = abi.answers_first, .last = abi.answers_count - 1, .answers = block("answers"), .kind = @intFromEnum(Kind.sync) });

const vectors = brokenVector() ** 8 ++ syncVector ++ vector(.irq) ++ vector(.fiq) ++ vector(.serror) ++ brokenVector() ** 4;

/// x0 is the kind; x0 and x1 are stored already.
const save = "Lhv_save:\n" ++ pairs("stp", "x", 2, 30, "sp", 0, 8) ++ print(
    \\str x30, [sp, #240]
    \\mrs x1, sp_el0
    \\mrs x2, elr_el1
    \\stp x1, x2, [sp, #{[sp]d}]
    \\mrs x1, spsr_el1
    \\mrs x2, tpidr_el0
    \\mov x3, #{[kept]d}
    \\lsl x3, x3, #16
    \\and x1, x1, x3
    \\str x1, [sp, #{[pstate]d}]
    \\str x2, [sp, #{[tpidr]d}]
    \\mrs x1, far_el1
    \\mrs x2, esr_el1
    \\stp x1, x2, [sp, #{[fault]d}]
    \\mrs x1, tpidr_el1
    \\ldr x2, [x1, #{[eager]d}]
    \\cbnz x2, Lhv_eager
    \\Lhv_stored:
    \\msr cntv_ctl_el0, xzr
    \\mrs x2, cntvct_el0
    \\str x2, [x1, #{[left]d}]
    \\Lhv_leave:
    \\str x0, [x1, #{[kind]d}]
    \\hvc #{[imm]d}
    \\
, .{
    .sp = block("sp"),
    .kept = registers.pstate_kept >> 16,
    .pstate = block("pstate"),
    .tpidr = block("tpidr"),
    .fault = block("fault_addr"),
    .eager = ctx("fp_eager"),
    .left = ctx("left"),
    .kind = ctx("kind"),
    .imm = hvc_imm,
});

/// Stores the vector registers in the block that `base` points at.
fn storeVectors(comptime base: []const u8) []const u8 {
    return print(
        \\mrs x4, fpcr
        \\mrs x5, fpsr
        \\orr x4, x4, x5, lsl #32
        \\str x4, [{s}, #{d}]
        \\
    , .{ base, block("fpcr") }) ++ pairs("stp", "q", 0, 32, base, block("v"), 16);
}

const eager = "Lhv_eager:\n" ++ storeVectors("sp") ++ "b Lhv_stored\n";

/// Where the host enters. Everything comes from the context and the block, so that it may begin again at any point.
const enter = "Lhv_resume:\n" ++ print(
    \\mrs x1, tpidr_el1
    \\ldr x2, [x1, #{[block]d}]
    \\mov sp, x2
    \\dsb ishst
    \\ldr x2, [x1, #{[request]d}]
    \\cbnz x2, Lhv_requests
    \\Lhv_enter:
    \\mrs x2, cntvct_el0
    \\ldr x3, [x1, #{[slice]d}]
    \\str x2, [x1, #{[entered]d}]
    \\add x2, x2, x3
    \\msr cntv_cval_el0, x2
    \\mov x3, #1
    \\msr cntv_ctl_el0, x3
    \\ldp x2, x3, [sp, #{[sp]d}]
    \\msr sp_el0, x2
    \\msr elr_el1, x3
    \\ldr x2, [sp, #{[pstate]d}]
    \\ldr x3, [sp, #{[tpidr]d}]
    \\msr tpidr_el0, x3
    \\mov x3, #{[kept]d}
    \\lsl x3, x3, #16
    \\and x2, x2, x3
    \\orr x2, x2, #{[el0]d}
    \\msr spsr_el1, x2
    \\
, .{
    .block = ctx("block"),
    .request = ctx("request"),
    .slice = ctx("slice_ticks"),
    .entered = ctx("entered"),
    .sp = block("sp"),
    .pstate = block("pstate"),
    .tpidr = block("tpidr"),
    .kept = registers.pstate_kept >> 16,
    .el0 = registers.pstate_el0,
}) ++ pairs("ldp", "x", 2, 30, "sp", 0, 8) ++
    \\ldr x30, [sp, #240]
    \\ldp x0, x1, [sp]
    \\eret
    \\
;

/// x1 is the context, x2 the requests. Tables first, then what was cached of the old ones.
const requests = "Lhv_requests:\n" ++ print(
    \\tbz x2, #0, 1f
    \\ldr x3, [x1, #{[ttbr0]d}]
    \\msr ttbr0_el1, x3
    \\isb
    \\1:
    \\tbz x2, #2, 2f
    \\tlbi vmalle1is
    \\b 5f
    \\2:
    \\tbz x2, #1, 6f
    \\ldr x3, [x1, #{[count]d}]
    \\add x4, x1, #{[list]d}
    \\3:
    \\cbz x3, 5f
    \\sub x3, x3, #1
    \\ldp x5, x6, [x4], #16
    \\cbnz x6, 4f
    \\tlbi aside1is, x5
    \\b 3b
    \\4:
    \\tlbi vae1is, x5
    \\add x5, x5, #1
    \\subs x6, x6, #1
    \\b.ne 4b
    \\b 3b
    \\5:
    \\dsb ish
    \\isb
    \\6:
    \\tbz x2, #3, 7f
    \\ic ialluis
    \\dsb ish
    \\isb
    \\7:
    \\tbz x2, #6, 8f
    \\ldr x3, [x1, #{[from]d}]
    \\
, .{ .ttbr0 = ctx("ttbr0"), .count = ctx("invalidate_count"), .list = ctx("invalidate"), .from = ctx("fp_from") }) ++ storeVectors("x3") ++ print(
    \\str xzr, [x1, #{[from]d}]
    \\8:
    \\tbz x2, #4, 9f
    \\ldr x3, [sp, #{[fpcr]d}]
    \\lsr x4, x3, #32
    \\mov w3, w3
    \\msr fpcr, x3
    \\msr fpsr, x4
    \\
, .{ .from = ctx("fp_from"), .fpcr = block("fpcr") }) ++ pairs("ldp", "q", 0, 32, "sp", block("v"), 16) ++ print(
    \\9:
    \\tbz x2, #5, Lhv_enter
    \\mov x0, #{[idle]d}
    \\b Lhv_leave
    \\
, .{ .idle = @intFromEnum(Kind.idle) });

/// Entered by the host in the place of a task that it stopped, as if that had taken an exception; and in the place of the vector of synchronous
/// exceptions, of which nothing has run yet, so that nothing is answered.
const capture = print(
    \\Lhv_capture:
    \\stp x0, x1, [sp]
    \\mov x0, #{d}
    \\b Lhv_save
    \\Lhv_sync_anew:
    \\stp x0, x1, [sp]
    \\b Lhv_sync
    \\
, .{@intFromEnum(Kind.captured)});

/// With the MMU off, at the page's physical address, which the first tables map to itself: x0 is SCTLR_EL1, x1 where to go.
const boot =
    \\Lhv_boot:
    \\tlbi vmalle1
    \\dsb ish
    \\isb
    \\msr sctlr_el1, x0
    \\isb
    \\br x1
    \\
;

/// Offsets of labels, as `Layout`.
fn offsets(comptime labels: anytype) []const u8 {
    var out: []const u8 = "";
    inline for (labels) |label| out = out ++ ".quad " ++ label ++ "-" ++ symbol ++ "carrick_hv_stub\n";
    return out;
}

comptime {
    if (builtin.cpu.arch == .aarch64) asm (".text\n.p2align 12\n.globl " ++ symbol ++ "carrick_hv_stub\n" ++ symbol ++ "carrick_hv_stub:\n" ++
            vectors ++ ".p2align 7\n" ++ capture ++ eager ++ save ++ enter ++ requests ++ boot ++
            \\Lhv_end:
            \\.p2align 3
            \\.globl
        ++ " " ++ symbol ++ "carrick_hv_layout\n" ++ symbol ++ "carrick_hv_layout:\n" ++
            offsets(.{ "Lhv_resume", "Lhv_capture", "Lhv_boot", "Lhv_end", "Lhv_sync", "Lhv_sync_anew" }));
}

extern const carrick_hv_stub: [4096]u8 align(4096);
/// Offsets within the page.
const Layout = extern struct { @"resume": u64, capture: u64, boot: u64, end: u64, sync: u64, sync_anew: u64 };
extern const carrick_hv_layout: Layout;

/// The stub's bytes.
pub fn code() []const u8 {
    return carrick_hv_stub[0..carrick_hv_layout.end];
}

pub fn resumeOffset() u64 {
    return carrick_hv_layout.@"resume";
}
pub fn captureOffset() u64 {
    return carrick_hv_layout.capture;
}
pub fn bootOffset() u64 {
    return carrick_hv_layout.boot;
}

/// Instructions of the stub on the way of a system call: from the vector to the host, and from the host to the task, when nothing else is asked.
pub fn pathLength() struct { out: u32, in: u32 } {
    return .{ .out = distance(sync_vector, 0xd4000002), .in = distance(resumeOffset(), 0xd69f03e0) };
}

const sync_vector = 0x400;

/// Instructions from `offset` to the first `last`, following branches, and of conditional ones only `b.hi`: the call is none that is answered here.
fn distance(offset: u64, last: u32) u32 {
    const words: [*]align(4) const u32 = @ptrCast(&carrick_hv_stub);
    var at: i64 = @intCast(offset / 4);
    var n: u32 = 1;
    while (words[@intCast(at)] & ~@as(u32, 0x1fffe0) != last & ~@as(u32, 0x1fffe0)) : (n += 1) {
        const word = words[@intCast(at)];
        at += if (word >> 26 == 5) @as(i26, @truncate(@as(i32, @bitCast(word)))) else if (word & 0xff00_001f == 0x5400_0008) word >> 5 & 0x7_ffff else 1;
        if (n == 1024) return 0;
    }
    return n;
}

/// What is wrong with a page of it: every vector must be there, of which only few are ever taken where the check runs.
pub fn wrongVector(words: *const [1024]u32) ?u32 {
    const size = 32;
    const tried = 4;
    for (0..16) |n| {
        const at = words[n * size ..][0..size];
        if (n == 8) continue;
        if (n < 8 or n > 11) {
            for (at[0..4], words[tried * size ..][0..4]) |word, other| if (word != other) return @intCast(n);
            continue;
        }
        // stp x0, x1, [sp]; mov x0, #kind; b save, as a task that was stopped comes there.
        const stopped = words[16 * size ..][0..3];
        const kind: u32 = @intCast(n - 7);
        if (at[0] != stopped[0] or at[1] != 0xd2800000 | kind << 5) return @intCast(n);
        if (n * size + 2 +% (at[2] & 0x3ff_ffff) != 16 * size + 2 + (stopped[2] & 0x3ff_ffff) or at[2] >> 26 != 5) return @intCast(n);
    }
    return null;
}

/// A stopped virtual CPU at this offset is on its way out to the host, and has not said so yet.
pub fn isLeaving(offset: u64) bool {
    return offset < resumeOffset();
}

/// One at this offset may be on its way back to the task instead, with an answer: where it goes on to leave in any case. The call is the kernel's then.
pub fn withoutAnswer(offset: u64) ?u64 {
    if (offset < sync_vector or offset >= carrick_hv_layout.sync) return null;
    return if (offset == sync_vector) carrick_hv_layout.sync_anew else carrick_hv_layout.sync;
}

comptime {
    std.debug.assert(block("x") == 0 and block("pc") == block("sp") + 8);
    std.debug.assert(block("esr") == block("fault_addr") + 8 and block("fpsr") == block("fpcr") + 4);
    std.debug.assert(@sizeOf(Context) <= 4096 and @sizeOf(Invalidate) == 16);
    std.debug.assert(request_space == 1 and request_tlb == 2 and request_tlb_all == 4 and request_icache == 8);
    std.debug.assert(request_fp == 16 and request_leave == 32 and request_fp_save == 64);
}
