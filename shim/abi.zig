//! The one source of every layout and number that Zig and TypeScript share. `shim/gen.zig` writes
//! `src/host/shim.gen.ts` from the declarations here and from the functions in the `exports.zig` of
//! each room; CI fails when the committed file differs.
//!
//! Only i32, u32, f64, pointers and void cross the border (facts: an i64 costs 10 ns, these 1.3 ns). Guest
//! addresses and sizes below 2^53 travel as `usize`, which the generator spells `ptr`.

const std = @import("std");

/// Raised when a layout or an exported function changes its meaning without changing its shape.
pub const abi_version: u32 = 1;

pub const page_size = 4096;

/// Why `cpu_enter` returned. The register block holds the rest.
pub const Exit = enum(u32) {
    /// `svc #0`; pc is already behind it.
    syscall = 1,
    /// Data or instruction access that the page tables refuse; `fault_addr`, `fault_access`. pc is the faulting instruction.
    fault = 2,
    /// Undefined or disabled instruction (SIGILL); pc is the instruction.
    undefined = 3,
    /// `brk #imm` (SIGTRAP); pc is the instruction, `esr` has the immediate.
    breakpoint = 4,
    /// Somebody called `cpu_kick`.
    kicked = 5,
    /// The budget is spent.
    budget = 6,
    /// Misaligned exclusive, atomic, ordered access, or sp (SIGBUS); `fault_addr`.
    alignment = 7,
    /// pc is not a multiple of 4 (SIGBUS).
    pc_alignment = 8,
    /// One instruction was executed in single-step mode (SIGTRAP).
    step = 9,
};

/// `fault_access` of the register block.
pub const Access = enum(u32) { read = 0, write = 1, exec = 2 };

/// What `user_atomic32` does to a word. `load` only reads; `cmpxchg` stores `arg` when the word equals `expected`;
/// the others store the old value combined with `arg` (`andn`: old & ~arg).
pub const Atomic = enum(u32) { load = 0, cmpxchg = 1, set = 2, add = 3, @"or" = 4, @"and" = 5, andn = 6, xor = 7 };

/// Page protection as the address-space calls take it. `read`, `write` and `exec` are Linux's PROT_*.
pub const prot_read = 1;
pub const prot_write = 2;
pub const prot_exec = 4;
/// The page is shared memory: `space_fork` maps it in the child as it is, instead of copy on write.
pub const prot_shared = 8;
/// Answered by `space_lookup` only: a frame is mapped here (it may be PROT_NONE).
pub const prot_present = 16;

/// The whole state of one guest thread at EL0, and how it last stopped. TypeScript sees it as 32-bit lanes.
/// The kernel owns every field while the task is not running; the engine owns them while it is.
pub const RegisterBlock = extern struct {
    x: [31]u64 = @splat(0),
    sp: u64 = 0,
    pc: u64 = 0,
    /// NZCV in bits 31..28, as in SPSR_EL1; the rest is zero at EL0. The registers end here, as in a signal's frame.
    pstate: u64 = 0,

    /// What translated code uses most, near the registers, and set where the task is entered: what tags of the TLB have of the address
    /// space, NZCV as the host's flags have it, the instructions left in the slice, where flat addresses end, and the host's table of where indirect branches lead.
    tlb_mark: u64 = 0,
    host_flags: u32 = 0,
    slice: i32 = 0,
    /// Where addresses end that may be accessed without being looked up.
    flat_end: u64 = 0,
    jumps: u64 = 0,

    tpidr: u64 = 0,
    tpidrro: u64 = 0,

    exit: u32 = 0,
    fault_access: u32 = 0,
    fault_addr: u64 = 0,
    /// ESR_EL1 as Linux would have seen it (for `esr_context` in the signal frame).
    esr: u64 = 0,
    fpcr: u32 = 0,
    fpsr: u32 = 0,

    /// Vector registers, low half first.
    v: [32][2]u64 align(16) = @splat(.{ 0, 0 }),

    /// Address space handle that this task runs in (`space_create`).
    space: u32 = 0,
    /// Set by `cpu_kick` from any thread, taken back by the engine when it exits with `kicked`. Accessed atomically.
    stop: u32 = 0,
    /// 1: execute one instruction, then exit with `step`.
    single_step: u32 = 0,
    /// Instructions retired by this task so far, modulo 2^32 (statistics and deterministic budgets).
    retired: u32 = 0,
    /// The local exclusive monitor: address and size in bytes of the last load-exclusive (0 = clear), and the value it saw.
    monitor_addr: u64 = 0,
    monitor_value: [2]u64 = .{ 0, 0 },
    monitor_size: u32 = 0,
    /// Which virtual CPU has `v`, `fpcr` and `fpsr` in its registers, where they may be newer than here (`cpu_vectors`); 0: none, so they are
    /// loaded. Who changes them while the task is not running sets it to 0.
    fp_home: u32 = 0,
    /// Register 31 of a software CPU, where it does not mean sp: reads find `zero`, writes go to `sink`.
    zero: u64 = 0,
    sink: u64 = 0,
    /// What the kernel answered last to calls `answers_first` and following, plus one; 0: nothing that still holds. An engine may give these
    /// answers itself.
    answers: [answers_count]u32 = @splat(0),
};

/// getpid, getppid, getuid, geteuid, getgid, getegid, gettid.
pub const answers_first = 172;
pub const answers_count = 7;

/// One piece of guest or host memory, as `struct iovec` on arm64.
pub const Iovec = extern struct { base: u64, len: u64 };

/// Address and control messages of one message of a socket (struct msghdr), in Linux/arm64's layouts.
pub const SocketMessage = extern struct {
    address_len: u32 = 0,
    control_len: u32 = 0,
    /// MSG_* that came with it.
    flags: u32 = 0,
    reserved: u32 = 0,
    address: [128]u8 = @splat(0),
    control: [4096]u8 = @splat(0),
};

/// What Hypervisor.framework turned out to do on this machine (`cpu_hvf_probe`). Words about which public reports contradict each other are
/// found out by trying. 1 is yes.
pub const HvfProbe = extern struct {
    /// The virtual machine and its first CPU exist; the rest holds.
    ready: u32 = 0,
    ipa_bits: u32 = 0,
    max_vcpus: u32 = 0,
    /// Bits of an ASID.
    asid_bits: u32 = 0,
    /// Another ASID is enough for another address space; 0: everything is forgotten on each switch.
    asids_isolate: u32 = 0,
    /// The host may not set SCTLR_EL1.M: the stub turns the MMU on.
    mmu_by_stub: u32 = 0,
    /// Guest memory may not be mapped writable and executable at once: it is mapped twice.
    exec_alias: u32 = 0,
    /// A guest page that is writable is not executable: the engine turns it back and forth.
    split_wx: u32 = 0,
    /// Exception class of an ID register read at EL0: 0x00 or 0x18.
    id_trap_class: u32 = 0,
    /// The guest's counter is the host's, with no offset and at the same rate.
    counter_is_hosts: u32 = 0,
    counter_hz: u32 = 0,
    host_counter_hz: u32 = 0,
    /// Found by `cpu_hvf_measure` only: a changed page was seen, changed code was seen, the timer ended a loop, a kick ended a loop.
    tlb_works: u32 = 0,
    icache_works: u32 = 0,
    timer_works: u32 = 0,
    kick_works: u32 = 0,
    /// Memory that the host was given back and that is used anew is the same for the guest and for the host.
    memory_works: u32 = 0,
    /// How many of cache maintenance, `dc zva`, and reads of CTR_EL0, DCZID_EL0 and the counter trapped, when each was done once.
    emulated: u32 = 0,
    /// Nanoseconds of an empty system call and back.
    exit_ns: u32 = 0,
};

comptime {
    std.debug.assert(@sizeOf(RegisterBlock) <= 1024);
    std.debug.assert(@offsetOf(RegisterBlock, "v") % 16 == 0);
}

/// The structs whose field offsets TypeScript gets.
pub const structs = .{ .RegisterBlock = RegisterBlock, .Iovec = Iovec, .SocketMessage = SocketMessage, .HvfProbe = HvfProbe, .Walker = @import("image/walk.zig").Walker };
/// The enums and numbers that TypeScript gets.
pub const enums = .{ .Exit = Exit, .Access = Access, .Atomic = Atomic };
pub const numbers = .{
    .ABI_VERSION = abi_version,
    .PAGE_SIZE = page_size,
    .PROT_SHARED = prot_shared,
    .PROT_PRESENT = prot_present,
    .ANSWERS_FIRST = answers_first,
    .ANSWERS_COUNT = answers_count,
};
/// The rooms whose public `callconv(.c)` functions are the exported ABI.
pub const rooms = .{ @import("exports.zig"), @import("mem/exports.zig"), @import("cpu/exports.zig"), @import("host/exports.zig"), @import("image/exports.zig") };
