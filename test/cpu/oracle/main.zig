//! The oracle's runner: a freestanding static AArch64 Linux program that reads cases (format.zig) from stdin, runs each
//! one, and writes the results to stdout. `qemu-aarch64` or a real ARM machine executes it.
//!
//! A case is entered by returning from a signal handler whose frame was filled with the case's registers, and is left
//! by `brk` or by a fault, whose frame holds every register as the case left it: nothing of the harness lives in registers.
//! The frame's layout follows arch/arm64/include/uapi/asm/sigcontext.h.

const std = @import("std");
const format = @import("format.zig");
const linux = std.os.linux;

const FpsimdContext = extern struct { magic: u32, size: u32, fpsr: u32, fpcr: u32, v: [32][2]u64 };
const fpsimd_magic: u32 = 0x46508001;

const SignalContext = extern struct {
    fault_address: u64,
    x: [31]u64,
    sp: u64,
    pc: u64,
    pstate: u64,
    reserved: [4096]u8 align(16),
};

const UserContext = extern struct {
    flags: u64,
    link: u64,
    stack: [3]u64,
    mask: u64,
    unused: [120]u8,
    context: SignalContext align(16),
};

const SignalInfo = extern struct { signo: i32, errno: i32, code: i32, pad: i32, addr: u64 };
const KernelAction = extern struct { handler: usize, flags: u64, restorer: usize, mask: u64 };

var cases: [format.batch]format.Case = undefined;
var memory: [format.memory_words]u64 align(4096) = undefined;
var output: [1 << 20]u8 align(16) = undefined;
var output_used: usize = 0;
var stack: [64 << 10]u8 align(16) = undefined;
/// Cases of the whole stream not yet loaded; cases loaded; next case of those to run.
var left: u32 = 0;
var loaded: u32 = 0;
var next: u32 = 0;
var running = false;

pub export fn _start() callconv(.naked) noreturn {
    asm volatile ("b main_entry");
}

export fn main_entry() noreturn {
    var header: format.Header = undefined;
    if (!readExactly(std.mem.asBytes(&header)) or header.magic != format.magic) fail(2);
    left = header.count;
    format.fillMemory(&memory, header.memory_seed);
    mapFixed(format.code_base, format.slots * format.slot_bytes);
    mapFixed(format.data_base, format.data_bytes);
    mapFixed(format.rodata_base, format.rodata_bytes);
    @memcpy(dataWords(), memory[0..format.data_words]);
    @memcpy(@as([*]u64, @ptrFromInt(format.rodata_base)), memory[format.data_words..]);
    protect(format.rodata_base, format.rodata_bytes, 1);

    const signal_stack = [3]u64{ @intFromPtr(&stack), 0, stack.len };
    _ = linux.syscall2(.sigaltstack, @intFromPtr(&signal_stack), 0);
    // SA_SIGINFO | SA_ONSTACK; the kernel's own trampoline returns.
    const action = KernelAction{ .handler = @intFromPtr(&onSignal), .flags = 0x0800_0004, .restorer = 0, .mask = ~@as(u64, 0) };
    for ([_]u64{ 4, 5, 7, 8, 11 }) |signal| {
        if (linux.syscall4(.rt_sigaction, signal, @intFromPtr(&action), 0, 8) != 0) fail(3);
    }
    asm volatile ("brk #0");
    unreachable;
}

fn onSignal(signal: i32, info: *const SignalInfo, user: *UserContext) callconv(.c) void {
    const context = &user.context;
    const fpsimd = findFpsimd(&context.reserved);
    if (running) {
        keepResult(signal, info, context, fpsimd);
        next += 1;
    }
    running = true;
    if (next == loaded) loadBatch();
    const case = &cases[next];
    context.x = case.x;
    context.sp = case.sp;
    context.pc = slotAddress(case);
    context.pstate = case.nzcv;
    fpsimd.fpcr = case.fpcr;
    fpsimd.fpsr = case.fpsr;
    fpsimd.v = case.v;
    asm volatile ("msr tpidr_el0, %[value]"
        :
        : [value] "r" (case.tpidr),
    );
}

fn keepResult(signal: i32, info: *const SignalInfo, context: *const SignalContext, fpsimd: *const FpsimdContext) void {
    const case = &cases[next];
    if (output.len - output_used < @sizeOf(format.Result) + format.data_words * @sizeOf(format.Change)) flush();
    const result: *format.Result = @ptrCast(@alignCast(&output[output_used]));
    output_used += @sizeOf(format.Result);
    result.* = .{
        .slot = case.slot,
        .signal = if (isEnd(signal, context.pc)) format.ended else @intCast(signal),
        .changes = 0,
        .reserved = 0,
        .pc = context.pc,
        .fault = info.addr,
        .x = context.x,
        .sp = context.sp,
        .nzcv = @intCast(context.pstate & 0xf000_0000),
        .fpcr = fpsimd.fpcr,
        .fpsr = fpsimd.fpsr,
        .pad = 0,
        .tpidr = asm volatile ("mrs %[value], tpidr_el0"
            : [value] "=r" (-> u64),
        ),
        .pad2 = 0,
        .v = fpsimd.v,
    };
    const data = dataWords();
    for (memory[0..format.data_words], 0..) |before, index| {
        if (data[index] == before) continue;
        const change: *format.Change = @ptrCast(@alignCast(&output[output_used]));
        change.* = .{ .offset = index * 8, .value = data[index] };
        output_used += @sizeOf(format.Change);
        result.changes += 1;
        data[index] = before;
    }
}

fn isEnd(signal: i32, pc: u64) bool {
    if (signal != 5 or pc < format.code_base or pc >= format.code_base + format.slots * format.slot_bytes) return false;
    return @as(*const u32, @ptrFromInt(pc)).* == format.end_word;
}

fn loadBatch() void {
    if (left == 0) {
        flush();
        _ = linux.syscall1(.exit_group, 0);
    }
    loaded = @min(left, format.batch);
    next = 0;
    left -= loaded;
    if (!readExactly(std.mem.sliceAsBytes(cases[0..loaded]))) fail(4);
    protect(format.code_base, format.slots * format.slot_bytes, 3);
    for (cases[0..loaded]) |*case| {
        if (case.slot >= format.slots or case.count > case.words.len) fail(5);
        const words: [*]u32 = @ptrFromInt(slotAddress(case));
        @memset(words[0..format.slot_words], format.end_word);
        @memcpy(words[0..case.count], case.words[0..case.count]);
        publish(slotAddress(case));
    }
    asm volatile ("dsb ish\n isb");
    protect(format.code_base, format.slots * format.slot_bytes, 5);
}

/// Makes a slot's words visible to instruction fetch; 16 bytes is the smallest line the architecture allows in practice.
fn publish(address: u64) void {
    var at = address;
    while (at < address + format.slot_bytes) : (at += 16) asm volatile ("dc cvau, %[at]"
        :
        : [at] "r" (at),
        : .{ .memory = true });
    asm volatile ("dsb ish");
    at = address;
    while (at < address + format.slot_bytes) : (at += 16) asm volatile ("ic ivau, %[at]"
        :
        : [at] "r" (at),
        : .{ .memory = true });
}

fn findFpsimd(reserved: *[4096]u8) *FpsimdContext {
    var at: usize = 0;
    while (at < reserved.len - 528) {
        const record: *FpsimdContext = @ptrCast(@alignCast(&reserved[at]));
        if (record.magic == fpsimd_magic) return record;
        if (record.magic == 0 or record.size == 0) break;
        at += record.size;
    }
    fail(6);
}

fn slotAddress(case: *const format.Case) u64 {
    return format.code_base + case.slot * format.slot_bytes;
}

fn dataWords() *[format.data_words]u64 {
    return @ptrFromInt(format.data_base);
}

fn mapFixed(address: u64, length: u64) void {
    // PROT_READ | PROT_WRITE; MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS.
    if (linux.syscall6(.mmap, address, length, 3, 0x32, ~@as(u64, 0), 0) != address) fail(7);
}

fn protect(address: u64, length: u64, prot: u64) void {
    if (linux.syscall3(.mprotect, address, length, prot) != 0) fail(8);
}

fn readExactly(bytes: []u8) bool {
    var done: usize = 0;
    while (done < bytes.len) {
        const count: isize = @bitCast(linux.syscall3(.read, 0, @intFromPtr(bytes.ptr) + done, bytes.len - done));
        if (count <= 0) return false;
        done += @intCast(count);
    }
    return true;
}

fn flush() void {
    var done: usize = 0;
    while (done < output_used) {
        const count: isize = @bitCast(linux.syscall3(.write, 1, @intFromPtr(&output) + done, output_used - done));
        if (count <= 0) fail(9);
        done += @intCast(count);
    }
    output_used = 0;
}

fn fail(code: u64) noreturn {
    _ = linux.syscall1(.exit_group, code);
    unreachable;
}

pub const panic = std.debug.FullPanic(struct {
    fn panic(_: []const u8, _: ?usize) noreturn {
        fail(10);
    }
}.panic);
