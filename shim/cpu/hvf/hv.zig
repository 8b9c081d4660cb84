//! Apple's Hypervisor.framework for arm64 by its ABI: Hypervisor/hv_vm.h, hv_vcpu.h, hv_vcpu_types.h, hv_error.h of the SDK, and the calls
//! themselves, found at run time. So carrick starts where the framework is missing or refuses, and says why.
//!
//! On Linux/arm64 the same names come from a stand-in on KVM (test/double/hvkvm.c), if CARRICK_HV names its library.

const std = @import("std");
const builtin = @import("builtin");

pub const Return = i32;
pub const Vcpu = u64;
pub const Ipa = u64;

/// hv_error.h: err_common_hypervisor | code.
pub const success: Return = 0;
pub const err_error = code(1);
pub const err_busy = code(2);
pub const err_bad_argument = code(3);
pub const err_illegal_state = code(4);
pub const err_no_resources = code(5);
pub const err_no_device = code(6);
pub const err_denied = code(7);
pub const err_exists = code(8);
pub const err_unsupported = code(15);

fn code(n: u32) Return {
    return @bitCast(0xfae9_4000 | n);
}

/// hv_memory_flags_t.
pub const memory_read: u64 = 1;
pub const memory_write: u64 = 2;
pub const memory_exec: u64 = 4;

/// hv_exit_reason_t.
pub const exit_canceled: u32 = 0;
pub const exit_exception: u32 = 1;
pub const exit_vtimer: u32 = 2;
pub const exit_unknown: u32 = 3;

/// hv_vcpu_exit_t.
pub const Exit = extern struct {
    reason: u32,
    /// hv_vcpu_exit_exception_t.
    syndrome: u64,
    virtual_address: u64,
    physical_address: Ipa,
};

/// hv_reg_t: x0 to x30 are 0 to 30.
pub const reg_pc: u32 = 31;
pub const reg_cpsr: u32 = 34;

/// hv_sys_reg_t is the register's encoding.
pub const SysReg = u16;

fn sysReg(op0: u16, op1: u16, crn: u16, crm: u16, op2: u16) SysReg {
    return op0 << 14 | op1 << 11 | crn << 7 | crm << 3 | op2;
}

pub const midr_el1 = sysReg(3, 0, 0, 0, 0);
pub const id_aa64pfr0_el1 = sysReg(3, 0, 0, 4, 0);
pub const id_aa64isar0_el1 = sysReg(3, 0, 0, 6, 0);
pub const id_aa64isar1_el1 = sysReg(3, 0, 0, 6, 1);
pub const id_aa64mmfr0_el1 = sysReg(3, 0, 0, 7, 0);
pub const id_aa64mmfr2_el1 = sysReg(3, 0, 0, 7, 2);
pub const sctlr_el1 = sysReg(3, 0, 1, 0, 0);
pub const cpacr_el1 = sysReg(3, 0, 1, 0, 2);
pub const ttbr0_el1 = sysReg(3, 0, 2, 0, 0);
pub const ttbr1_el1 = sysReg(3, 0, 2, 0, 1);
pub const tcr_el1 = sysReg(3, 0, 2, 0, 2);
pub const spsr_el1 = sysReg(3, 0, 4, 0, 0);
pub const elr_el1 = sysReg(3, 0, 4, 0, 1);
pub const esr_el1 = sysReg(3, 0, 5, 2, 0);
pub const far_el1 = sysReg(3, 0, 6, 0, 0);
pub const mair_el1 = sysReg(3, 0, 10, 2, 0);
pub const vbar_el1 = sysReg(3, 0, 12, 0, 0);
pub const tpidr_el1 = sysReg(3, 0, 13, 0, 4);
pub const cntkctl_el1 = sysReg(3, 0, 14, 1, 0);
pub const tpidrro_el0 = sysReg(3, 3, 13, 0, 3);
pub const cntv_ctl_el0 = sysReg(3, 3, 14, 3, 1);

/// Every call that the engine makes.
pub const Api = struct {
    vm_create: *const fn (?*anyopaque) callconv(.c) Return,
    vm_destroy: *const fn () callconv(.c) Return,
    vm_map: *const fn (*anyopaque, Ipa, usize, u64) callconv(.c) Return,
    vm_unmap: *const fn (Ipa, usize) callconv(.c) Return,
    vm_get_max_vcpu_count: *const fn (*u32) callconv(.c) Return,
    vm_config_create: *const fn () callconv(.c) ?*anyopaque,
    vm_config_get_max_ipa_size: *const fn (*u32) callconv(.c) Return,
    vm_config_get_default_ipa_size: *const fn (*u32) callconv(.c) Return,
    vm_config_set_ipa_size: *const fn (?*anyopaque, u32) callconv(.c) Return,
    vcpu_create: *const fn (*Vcpu, **const Exit, ?*anyopaque) callconv(.c) Return,
    vcpu_destroy: *const fn (Vcpu) callconv(.c) Return,
    vcpu_get_reg: *const fn (Vcpu, u32, *u64) callconv(.c) Return,
    vcpu_set_reg: *const fn (Vcpu, u32, u64) callconv(.c) Return,
    vcpu_get_sys_reg: *const fn (Vcpu, SysReg, *u64) callconv(.c) Return,
    vcpu_set_sys_reg: *const fn (Vcpu, SysReg, u64) callconv(.c) Return,
    vcpu_set_vtimer_mask: *const fn (Vcpu, bool) callconv(.c) Return,
    vcpu_run: *const fn (Vcpu) callconv(.c) Return,
    vcpus_exit: *const fn ([*]const Vcpu, u32) callconv(.c) Return,
};

pub var api: Api = undefined;
var loaded = false;

pub const OpenError = error{ NotHere, NoSymbol };

/// Finds the framework, or its stand-in, and fills `api`.
pub fn open() OpenError!void {
    if (loaded) return;
    const path: [*:0]const u8 = switch (builtin.os.tag) {
        .macos => "/System/Library/Frameworks/Hypervisor.framework/Hypervisor",
        else => std.c.getenv("CARRICK_HV") orelse return error.NotHere,
    };
    const handle = std.c.dlopen(path, .{ .NOW = true }) orelse return error.NotHere;
    inline for (@typeInfo(Api).@"struct".fields) |f| {
        const symbol = std.c.dlsym(handle, "hv_" ++ f.name) orelse return error.NoSymbol;
        @field(api, f.name) = @ptrCast(@alignCast(symbol));
    }
    loaded = true;
}

comptime {
    std.debug.assert(@sizeOf(Exit) == 32 and @offsetOf(Exit, "syndrome") == 8);
    std.debug.assert(sctlr_el1 == 0xc080 and ttbr0_el1 == 0xc100 and tcr_el1 == 0xc102 and vbar_el1 == 0xc600);
    std.debug.assert(spsr_el1 == 0xc200 and elr_el1 == 0xc201 and esr_el1 == 0xc290 and far_el1 == 0xc300);
    std.debug.assert(mair_el1 == 0xc510 and cntkctl_el1 == 0xc708 and tpidr_el1 == 0xc684 and cpacr_el1 == 0xc082);
    std.debug.assert(tpidrro_el0 == 0xde83 and cntv_ctl_el0 == 0xdf19 and id_aa64mmfr0_el1 == 0xc038);
}
