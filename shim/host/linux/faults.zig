//! Memory faults of this process's own code (sigaction(2), SIGSEGV; the kernel's asm/ucontext.h). Handlers that were there before, the engine's, get
//! all others.

const builtin = @import("builtin");
const std = @import("std");

const linux = std.os.linux;

/// Where the thread goes on that faulted at `pc`, accessing `addr`, with all registers as they were; null: it is somebody else's fault. Called
/// in a signal handler.
pub const Resume = *const fn (pc: usize, addr: usize) ?usize;

var resumed: Resume = undefined;
var before: linux.Sigaction = undefined;

/// Asks `function` about every memory fault from now on. Once. False when that cannot be.
pub fn onFault(function: Resume) bool {
    if (builtin.cpu.arch != .x86_64) return false;
    resumed = function;
    if (linux.sigaction(.SEGV, null, &before) != 0) return false;
    const action: linux.Sigaction = .{
        .handler = .{ .sigaction = faulted },
        .mask = before.mask,
        .flags = before.flags & (linux.SA.ONSTACK | linux.SA.RESTART | linux.SA.NODEFER) | linux.SA.SIGINFO,
    };
    return linux.sigaction(.SEGV, &action, null) == 0;
}

/// The start of the kernel's `struct ucontext`.
const Frame = extern struct {
    flags: u64,
    link: u64,
    stack: [3]u64,
    /// r8 to r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp.
    registers: [16]u64,
    rip: u64,
};

fn faulted(signal: linux.SIG, info: *const linux.siginfo_t, context: ?*anyopaque) callconv(.c) void {
    // What somebody sent has a code of 0 or less.
    if (info.code <= 0) return pass(signal, info, context);
    const frame: *Frame = @ptrCast(@alignCast(context.?));
    frame.rip = resumed(frame.rip, @intFromPtr(info.fields.sigfault.addr)) orelse return pass(signal, info, context);
}

/// To whom it would have come.
fn pass(signal: linux.SIG, info: *const linux.siginfo_t, context: ?*anyopaque) void {
    if (before.flags & linux.SA.SIGINFO != 0) if (before.handler.sigaction) |handler| return handler(signal, info, context);
    const handler = before.handler.handler;
    if (handler != linux.SIG.DFL and handler != linux.SIG.IGN) return handler.?(signal);
    // It happens again, or was sent and is lost, but for the next.
    _ = linux.sigaction(.SEGV, &before, null);
}
