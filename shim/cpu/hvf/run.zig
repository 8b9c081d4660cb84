//! Entering guest code on a virtual CPU, and making the kernel's exits of what comes back.
//!
//! On the way of a system call the framework is asked for nothing but `hv_vcpu_run`: the stub has stored the task's registers in its block.

const abi = @import("../../abi.zig");
const counter = @import("counter.zig");
const hv = @import("hv.zig");
const identity = @import("identity.zig");
const probe = @import("probe.zig");
const registers = @import("registers.zig");
const space = @import("../../mem/space.zig");
const stub = @import("stub.zig");
const system = @import("system.zig");
const vcpu = @import("vcpu.zig");
const vm = @import("vm.zig");

const Block = abi.RegisterBlock;
const Cpu = vcpu.Cpu;

/// The virtual machine does what it should never do; `trouble` says what.
pub const Error = error{Broken};

pub const Trouble = struct { what: []const u8, rc: hv.Return = 0, reason: u32 = 0, syndrome: u64 = 0, pc: u64 = 0, addr: u64 = 0 };
pub var trouble: Trouble = .{ .what = "nothing" };

/// The shortest time that a task gets before the timer fires: it has to come out of the stub.
const least_slice_ns = 50_000;

/// Runs the task of `b`, in whose space the CPU is bound, until an `abi.Exit`; for about `budget_ns`.
pub fn enter(cpu: *Cpu, b: *Block, budget_ns: u32) Error!abi.Exit {
    if (@atomicRmw(u32, &b.stop, .Xchg, 0, .seq_cst) != 0) return .kicked;
    if (cpu.wanted_ttbr0 == 0) return noSpace(b);
    cpu.context.slice_ticks = counter.ticks(@max(budget_ns, least_slice_ns));
    @atomicStore(?*Block, &cpu.running, b, .seq_cst);
    defer @atomicStore(?*Block, &cpu.running, null, .seq_cst);
    // A kick that came before that store saw nobody running.
    if (@atomicRmw(u32, &b.stop, .Xchg, 0, .seq_cst) != 0) return .kicked;
    return loop(cpu, b);
}

/// What the stub has to do before the task runs. Its registers are in the block.
fn prepare(cpu: *Cpu, b: *Block) void {
    const context = cpu.context;
    cpu.pending.take(context);
    if (cpu.wanted_ttbr0 != cpu.ttbr0) {
        context.ttbr0 = cpu.wanted_ttbr0;
        context.request |= stub.request_space;
        if (probe.found.asids_isolate == 0) context.request |= stub.request_tlb_all;
    }
    context.block = vm.linear(b);
    if (cpu.fp_owner == b and b.fp_home == cpu.id) return;
    context.request |= stub.request_fp;
    const owner = cpu.fp_owner orelse return;
    if (!isNewer(cpu, owner)) return;
    context.fp_from = vm.linear(owner);
    context.request |= stub.request_fp_save;
}

/// The CPU has the vector registers of this task as they are not yet in its block. What the kernel has changed there counts.
inline fn isNewer(cpu: *const Cpu, b: *const Block) bool {
    return cpu.fp_owner == b and cpu.fp_unsaved and b.fp_home == cpu.id;
}

/// Brings the vector registers in the block up to date. On the CPU's own thread, while nothing runs.
pub fn storeVectors(cpu: *Cpu, b: *Block) Error!void {
    if (!isNewer(cpu, b)) return;
    const context = cpu.context;
    const other_requests = context.request;
    context.fp_from = vm.linear(b);
    context.request = stub.request_fp_save | stub.request_leave;
    try untilCall(cpu);
    if (context.kind != @intFromEnum(stub.Kind.idle)) return broken(cpu, "exception at EL1");
    context.request = other_requests;
    cpu.fp_unsaved = false;
    cpu.fp_stores += 1;
}

/// Runs the stub until it calls, whatever else ends runs.
fn untilCall(cpu: *Cpu) Error!void {
    while (true) {
        cpu.runs += 1;
        const rc = hv.api.vcpu_run(cpu.handle);
        if (rc != hv.success) {
            vm.last_error = rc;
            return refused(cpu, "run");
        }
        switch (cpu.exit.reason) {
            hv.exit_vtimer => cpu.timer_is_masked = true,
            hv.exit_exception => return if (cpu.exit.syndrome >> 26 == 0x16) {} else broken(cpu, "exit from EL1"),
            else => {},
        }
    }
}

fn noSpace(b: *Block) abi.Exit {
    b.fault_addr = b.pc;
    b.fault_access = @intFromEnum(abi.Access.exec);
    b.esr = 0x20 << 26 | 1 << 25 | 7;
    return .fault;
}

/// The task ran, so the stub has done what was asked of it.
inline fn settled(cpu: *Cpu, b: *Block) Error!void {
    const context = cpu.context;
    if (context.request != 0) {
        if (context.request & stub.request_space != 0) cpu.ttbr0 = context.ttbr0;
        if (context.request & stub.request_fp != 0) cpu.fp_loads += 1;
        if (context.request & stub.request_fp_save != 0) {
            if (context.fp_from != 0) return broken(cpu, "vector registers were not stored");
            cpu.fp_stores += 1;
        }
        context.request = 0;
        context.invalidate_count = 0;
        cpu.fp_owner = b;
        b.fp_home = cpu.id;
    }
    cpu.fp_unsaved = context.fp_eager == 0;
    b.retired +%= counter.nanoseconds(context.left -% context.entered);
}

/// The stub was stopped on its way in: it will begin anew, perhaps with another task.
fn abandon(cpu: *Cpu) Error!void {
    const context = cpu.context;
    cpu.ttbr0 = 0;
    // Until the stub has stored the old task's vector registers it does not load the new one's.
    const stores = context.request & stub.request_fp_save != 0 and context.fp_from != 0;
    if (context.request & stub.request_fp != 0 and !stores) cpu.fp_owner = null;
    context.request &= ~(stub.request_fp | stub.request_fp_save);
    vcpu.toStub(cpu, stub.resumeOffset()) catch return refused(cpu, "set pc");
}

fn loop(cpu: *Cpu, b: *Block) Error!abi.Exit {
    while (true) {
        // The task's state is in its block here.
        cpu.cpu.check();
        prepare(cpu, b);
        if (try once(cpu, b)) |exit| return exit;
    }
}

/// Enters the stub, and comes back when the task's state is in its block again. Null: the task may go on.
fn once(cpu: *Cpu, b: *Block) Error!?abi.Exit {
    while (true) {
        cpu.runs += 1;
        const rc = hv.api.vcpu_run(cpu.handle);
        if (rc != hv.success) {
            vm.last_error = rc;
            return refused(cpu, "run");
        }
        const exit = cpu.exit;
        switch (exit.reason) {
            hv.exit_exception => {
                if (exit.syndrome >> 26 != 0x16) return direct(cpu, b, exit.*);
                return left(cpu, b);
            },
            hv.exit_vtimer => {
                cpu.timer_is_masked = true;
                if (try stopped(cpu, b, true)) |why| return why.exit;
            },
            // A signal to this thread may end a run as unknown: no different from a cancel without a cause.
            hv.exit_canceled, hv.exit_unknown => {
                const is_wanted = @atomicLoad(u32, &b.stop, .seq_cst) != 0 or cpu.cpu.isCalled();
                if (is_wanted) if (try stopped(cpu, b, false)) |why| return why.exit;
            },
            else => return broken(cpu, "unexpected exit"),
        }
    }
}

/// The stub has called. Null: the task goes on.
fn left(cpu: *Cpu, b: *Block) Error!?abi.Exit {
    const context = cpu.context;
    cpu.exits += 1;
    if (cpu.timer_is_masked) try unmask(cpu);
    switch (@as(stub.Kind, @enumFromInt(context.kind))) {
        .sync => {
            try settled(cpu, b);
            return decode(b);
        },
        .irq, .fiq => {
            try settled(cpu, b);
            return null;
        },
        .serror => return broken(cpu, "SError"),
        else => return broken(cpu, "exception at EL1"),
    }
}

const Stop = struct { exit: ?abi.Exit };

/// The CPU stopped somewhere, because of the timer or because it is wanted. Null: it must run on before it can be left.
fn stopped(cpu: *Cpu, b: *Block, is_late: bool) Error!?Stop {
    const api = &hv.api;
    var pc: u64 = 0;
    var cpsr: u64 = 0;
    if (api.vcpu_get_reg(cpu.handle, hv.reg_pc, &pc) != hv.success) return refused(cpu, "get pc");
    if (api.vcpu_get_reg(cpu.handle, hv.reg_cpsr, &cpsr) != hv.success) return refused(cpu, "get cpsr");
    if (cpsr & 0xf == 0) {
        try capture(cpu, b, pc, cpsr);
        return .{ .exit = reason(b, is_late) };
    }
    const offset = pc -% registers.stub_va;
    if (stub.isLeaving(offset)) {
        // Its own exit is a few instructions away, and says more. The stub may not have stopped the timer yet.
        if (stub.withoutAnswer(offset)) |to| vcpu.toStub(cpu, to) catch return refused(cpu, "set pc");
        return null;
    }
    if (is_late) {
        // Nothing of the task has run yet: another, longer try.
        if (api.vcpu_set_sys_reg(cpu.handle, hv.cntv_ctl_el0, 0) != hv.success) return refused(cpu, "stop timer");
        try unmask(cpu);
        cpu.context.slice_ticks *|= 2;
    }
    // On its way to the stub for the first time.
    if (offset >= 4096) return null;
    try abandon(cpu);
    return .{ .exit = reason(b, false) };
}

/// Why a stopped task does not go on; null when it does.
fn reason(b: *Block, is_late: bool) ?abi.Exit {
    if (@atomicRmw(u32, &b.stop, .Xchg, 0, .seq_cst) != 0) return .kicked;
    return if (is_late) .budget else null;
}

/// Lets the timer end runs again, once it has been stopped: until then it would end each at once.
fn unmask(cpu: *Cpu) Error!void {
    cpu.timer_is_masked = false;
    if (hv.api.vcpu_set_vtimer_mask(cpu.handle, false) != hv.success) return refused(cpu, "unmask timer");
}

/// The CPU stopped at EL0: makes it take an exception to the stub, which stores the task's registers.
fn capture(cpu: *Cpu, b: *Block, pc: u64, cpsr: u64) Error!void {
    const api = &hv.api;
    cpu.captures += 1;
    const ok = api.vcpu_set_sys_reg(cpu.handle, hv.elr_el1, pc) == hv.success and
        api.vcpu_set_sys_reg(cpu.handle, hv.spsr_el1, cpsr) == hv.success and
        api.vcpu_set_reg(cpu.handle, hv.reg_cpsr, registers.cpsr_el1) == hv.success;
    if (!ok) return refused(cpu, "capture");
    vcpu.toStub(cpu, stub.captureOffset()) catch return refused(cpu, "capture");
    try untilCall(cpu);
    if (cpu.context.kind != @intFromEnum(stub.Kind.captured)) return broken(cpu, "capture went elsewhere");
    if (cpu.timer_is_masked) try unmask(cpu);
    try settled(cpu, b);
}

/// An exception that the hypervisor took for itself.
fn direct(cpu: *Cpu, b: *Block, exit: hv.Exit) Error!?abi.Exit {
    var pc: u64 = 0;
    var cpsr: u64 = 0;
    if (hv.api.vcpu_get_reg(cpu.handle, hv.reg_pc, &pc) != hv.success) return refused(cpu, "get pc");
    if (hv.api.vcpu_get_reg(cpu.handle, hv.reg_cpsr, &cpsr) != hv.success) return refused(cpu, "get cpsr");
    if (cpsr & 0xf != 0) return broken(cpu, "exit from EL1");
    try capture(cpu, b, pc, cpsr);
    b.esr = exit.syndrome;
    b.fault_addr = exit.virtual_address;
    return decode(b);
}

const class_unknown = 0x00;
const class_wait = 0x01;
const class_svc = 0x15;
const class_system = 0x18;
const class_fetch = 0x20;
const class_pc_alignment = 0x22;
const class_data = 0x24;
const class_sp_alignment = 0x26;
const class_brk = 0x3c;

/// The kernel's exit for the exception that the block tells of. Null: the task goes on.
pub fn decode(b: *Block) ?abi.Exit {
    const iss: u32 = @truncate(b.esr & 0x1ff_ffff);
    switch (@as(u32, @truncate(b.esr >> 26 & 0x3f))) {
        class_svc => return .syscall,
        class_data => {
            b.fault_addr &= (1 << 56) - 1;
            // A cache maintenance instruction has WnR set and only reads.
            const writes = iss & 1 << 6 != 0 and iss & 1 << 8 == 0;
            b.fault_access = @intFromEnum(if (writes) abi.Access.write else abi.Access.read);
            return if (iss & 0x3f == 0x21) .alignment else .fault;
        },
        class_fetch => {
            b.fault_addr = b.pc;
            b.fault_access = @intFromEnum(abi.Access.exec);
            return .fault;
        },
        class_pc_alignment => {
            b.fault_addr = b.pc;
            b.fault_access = @intFromEnum(abi.Access.exec);
            return .pc_alignment;
        },
        class_sp_alignment => {
            b.fault_addr = b.sp;
            b.fault_access = @intFromEnum(abi.Access.read);
            return .alignment;
        },
        class_brk => return .breakpoint,
        class_wait => {
            b.pc += 4;
            return .budget;
        },
        // The trapped instruction may come without a syndrome: it is read.
        class_unknown => return emulate(b, system.syndromeOf(instructionAt(b) orelse return .undefined) orelse return .undefined),
        class_system => return emulate(b, iss),
        else => return .undefined,
    }
}

fn instructionAt(b: *const Block) ?u32 {
    const at = space.translate(b.space, b.pc, .exec) orelse return null;
    return @as(*align(4) const u32, @ptrCast(@alignCast(at.ptr))).*;
}

/// A system instruction of EL0 that a host has trapped.
fn emulate(b: *Block, iss: u32) ?abi.Exit {
    if (identity.emulateTrapped(b, iss)) return proceed(b);
    return switch (system.emulate(b, iss) orelse return .undefined) {
        .done => proceed(b),
        .fault => decode(b),
    };
}

/// Exception class of the last instruction that was emulated.
pub var last_emulated: u32 = 0;

fn proceed(b: *Block) ?abi.Exit {
    last_emulated = @truncate(b.esr >> 26);
    b.pc += 4;
    return null;
}

fn refused(cpu: *Cpu, what: []const u8) Error {
    trouble = .{ .what = what, .rc = vm.last_error, .reason = cpu.exit.reason };
    return error.Broken;
}

fn broken(cpu: *Cpu, what: []const u8) Error {
    const api = &hv.api;
    trouble = .{ .what = what, .reason = cpu.exit.reason, .syndrome = cpu.exit.syndrome };
    if (cpu.context.kind == @intFromEnum(stub.Kind.broken)) {
        _ = api.vcpu_get_sys_reg(cpu.handle, hv.esr_el1, &trouble.syndrome);
        _ = api.vcpu_get_sys_reg(cpu.handle, hv.far_el1, &trouble.addr);
        _ = api.vcpu_get_sys_reg(cpu.handle, hv.elr_el1, &trouble.pc);
    } else {
        _ = api.vcpu_get_reg(cpu.handle, hv.reg_pc, &trouble.pc);
        trouble.addr = cpu.exit.virtual_address;
    }
    return error.Broken;
}
