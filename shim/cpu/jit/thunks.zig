//! The code at the start of the arena through which guest code is entered and left, and through which it calls Zig.

const std = @import("std");
const cache = @import("cache.zig");
const layout = @import("layout.zig");
const lookup = @import("lookup.zig");
const service = @import("service.zig");
const x64 = @import("x64.zig");

const Asm = x64.Asm;
const Block = layout.Block;

/// Arena offsets.
pub var enter: u32 = 0;
/// All of the state is stored; returns `RegisterBlock.exit`.
pub var exit: u32 = 0;
/// rax: address, rcx: size, rdx: place (`service.Place`). Comes back with rax: where to read.
pub var read: u32 = 0;
/// As `read`, but stores the bytes in `Cpu.value`.
pub var write: u32 = 0;
/// rax: address, rdx: place. Comes back with rax: where to read and write, atomically.
pub var modify: u32 = 0;
/// rax: address, rdx: place, rcx: `service.Missed`. Comes back with rax: `service.Flat`.
pub var flat: u32 = 0;
/// rax: address, rdx: 1 to write. Comes back with rax: the host pointer, or 0.
pub var range: u32 = 0;
/// rax: address, rdx: `service.Opening`. Comes back with rax: the host pointer, or 0.
pub var window: u32 = 0;
/// The same for what is looked up before a loop.
pub var hoist: u32 = 0;
/// The same as `window` behind that of the stack: rcx: the address of the last byte, host's flags: of the patience that is left.
pub var stack_read: u32 = 0;
pub var stack_write: u32 = 0;
/// rax: address, rdx: that of the access's last byte. Comes back with the host's condition e and rcx: what the host adds, when the TLB has the page.
pub var beyond_read: u32 = 0;
pub var beyond_write: u32 = 0;
/// rdx: place of the current instruction, rcx: the branch. Goes on there in code without shared look-ups.
pub var plain: u32 = 0;
/// rdx: place of the target, rcx: the branch. Goes there.
pub var link: u32 = 0;
/// The same, of a branch back; rax: `loop.Back`.
pub var loop: u32 = 0;
/// rdx: pc of the target, rcx: the site. Goes there.
pub var far: u32 = 0;
/// rax: pc of the target. Goes there.
pub var indirect: u32 = 0;
/// rax: pc of the next instruction. Goes there in code that asks the TLB.
pub var wild: u32 = 0;
/// rax: pc of the target. Goes there by the jump cache.
pub var hashed: u32 = 0;
/// rax: pc of the target, rdx and rcx: `patch.Guess`. Goes there.
pub var guess: u32 = 0;
/// The same as `indirect` for a return to another place than the last call's.
pub var unpaired: u32 = 0;
/// rdx: place of the next instruction. Begins a new slice there.
pub var slice: u32 = 0;
/// rdx: `service.Site`. Executes that instruction in the interpreter and comes back.
pub var interpret: u32 = 0;
/// rax: a function of the register block and an instruction, rdx: the instruction. Comes back.
pub var call: u32 = 0;
/// The same for an instruction that reads or writes NZCV.
pub var call_flags: u32 = 0;
/// rax: address, rdx: place. Leaves because of its alignment.
pub var misaligned: u32 = 0;
/// rdx: place. Leaves because of sp's alignment.
pub var misaligned_sp: u32 = 0;
/// rdx: place, rcx: `abi.Exit`, rax: syndrome. Leaves.
pub var stop: u32 = 0;

/// No instruction lies there. Who returns there all the same goes to `indirect`, with rax.
const nowhere = 0xffff_ffff_ffff_ffff;

const saved = [_]x64.Reg{ .rbx, .rbp, .r12, .r13, .r14, .r15 };

fn storeAll(a: *Asm, list: []const layout.Fixed) void {
    for (list) |f| a.store(.q, .{ .mem = layout.lane(f.guest) }, f.host);
}

fn loadAll(a: *Asm, list: []const layout.Fixed) void {
    for (list) |f| a.mov(.q, f.host, .{ .mem = layout.lane(f.guest) });
}

/// Calls a C function whose first argument is the Cpu.
fn callZig(a: *Asm, function: *const anyopaque) void {
    a.mov(.q, .rdi, .{ .mem = layout.cpuField("self") });
    a.movImm(.rax, @intFromPtr(function));
    a.callRm(.{ .reg = .rax });
}

/// rax is the answer: 0 leaves guest code.
fn leaveIfZero(a: *Asm) void {
    a.@"test"(.q, .{ .reg = .rax }, .rax);
    a.jccTo(.e, exit);
}

/// What guest code has called is believed no more.
fn forgetCalls(a: *Asm) void {
    a.mov(.q, .rsp, .{ .mem = layout.cpuField("stack") });
}

/// Goes (or calls) where an indirect branch to the address in rax leads, by the jump cache: inline, so that each has a prediction of its own.
pub fn jumpCache(a: *Asm, calls: bool) void {
    // An entry is 4 times as long as an instruction.
    a.movRegs(.d, .rcx, .rax);
    a.aluImm(.@"and", .d, .{ .reg = .rcx }, (layout.jump_count - 1) << 2);
    a.mov(.q, .rdx, .{ .mem = layout.blockField("jumps") });
    a.alu(.cmp, .q, .rax, .{ .mem = jump("pc") });
    a.jccTo(.ne, indirect);
    if (calls) a.callRm(.{ .mem = jump("code") }) else a.jmpRm(.{ .mem = jump("code") });
}

fn jump(comptime field: []const u8) x64.Mem {
    comptime std.debug.assert(@sizeOf(layout.Jump) == 4 * 4);
    return .{ .base = .rdx, .index = .rcx, .scale = 2, .disp = @offsetOf(layout.Jump, field) };
}

/// One that guest code jumps to, and that continues at the code that the function finds.
fn going(a: *Asm, function: *const anyopaque, comptime arguments: []const [2]x64.Reg) u32 {
    const at = a.at;
    forgetCalls(a);
    storeAll(a, &layout.fixed);
    inline for (arguments) |move| a.movRegs(.q, move[0], move[1]);
    callZig(a, function);
    loadAll(a, layout.caller_saved);
    leaveIfZero(a);
    a.jmpRm(.{ .reg = .rax });
    return at;
}

/// One that guest code calls, with rsp 8 off.
fn coming(a: *Asm, function: *const anyopaque, comptime arguments: []const [2]x64.Reg, list: []const layout.Fixed) u32 {
    const at = a.at;
    storeAll(a, list);
    inline for (arguments) |move| a.movRegs(.q, move[0], move[1]);
    a.aluImm(.sub, .q, .{ .reg = .rsp }, 8);
    callZig(a, function);
    a.aluImm(.add, .q, .{ .reg = .rsp }, 8);
    loadAll(a, list);
    a.@"test"(.q, .{ .reg = .rax }, .rax);
    const fails = a.jcc(.e);
    a.ret();
    a.linkHere(fails);
    a.aluImm(.add, .q, .{ .reg = .rsp }, 8);
    a.jmpTo(exit);
    return at;
}

/// Writes them into the empty arena.
pub fn make() void {
    var a: Asm = .{ .base = cache.writable, .at = 16 };
    exit = a.at;
    forgetCalls(&a);
    storeAll(&a, &layout.fixed);
    a.mov(.d, .rax, .{ .mem = layout.blockField("exit") });
    a.aluImm(.add, .q, .{ .reg = .rsp }, 8 + 16);
    var i: usize = saved.len;
    while (i > 0) : (i -= 1) a.pop(saved[i - 1]);
    a.ret();

    read = coming(&a, &service.read, &.{ .{ .rsi, .rax }, .{ .rdx, .rdx }, .{ .rcx, .rcx } }, layout.caller_saved);
    write = coming(&a, &service.write, &.{ .{ .rsi, .rax }, .{ .rdx, .rdx }, .{ .rcx, .rcx } }, layout.caller_saved);
    modify = coming(&a, &service.modify, &.{ .{ .rsi, .rax }, .{ .rdx, .rdx } }, layout.caller_saved);
    flat = coming(&a, &service.flat, &.{ .{ .rsi, .rax }, .{ .rdx, .rdx }, .{ .rcx, .rcx } }, &layout.fixed);
    range = asking(&a, &service.range);
    window = asking(&a, &service.window);
    hoist = asking(&a, &service.hoist);
    stack_read = behindStack(&a, .read);
    stack_write = behindStack(&a, .write);
    beyond_read = beyond(&a, .read);
    beyond_write = beyond(&a, .write);
    plain = going(&a, &service.plain, &.{ .{ .rsi, .rdx }, .{ .rdx, .rcx } });
    link = going(&a, &service.link, &.{ .{ .rsi, .rdx }, .{ .rdx, .rcx } });
    loop = going(&a, &service.loop, &.{ .{ .rsi, .rdx }, .{ .rdx, .rcx }, .{ .rcx, .rax } });
    far = going(&a, &service.far, &.{ .{ .rsi, .rdx }, .{ .rdx, .rcx } });
    indirect = going(&a, &service.indirect, &.{.{ .rsi, .rax }});
    wild = going(&a, &service.wild, &.{.{ .rsi, .rax }});
    hashed = a.at;
    jumpCache(&a, false);
    guess = going(&a, &service.guess, &.{ .{ .rsi, .rax }, .{ .rdx, .rdx }, .{ .rcx, .rcx } });
    unpaired = a.at;
    forgetCalls(&a);
    jumpCache(&a, false);
    slice = going(&a, &service.slice, &.{.{ .rsi, .rdx }});
    interpret = coming(&a, &service.interpret, &.{.{ .rsi, .rdx }}, &layout.fixed);
    misaligned = going(&a, &service.misaligned, &.{ .{ .rsi, .rax }, .{ .rdx, .rdx } });
    misaligned_sp = going(&a, &service.misalignedSp, &.{.{ .rsi, .rdx }});
    stop = going(&a, &service.stop, &.{ .{ .rsi, .rdx }, .{ .rdx, .rcx }, .{ .rcx, .rax } });
    call = caller(&a);
    call_flags = coming(&a, &service.callFlags, &.{ .{ .rsi, .rax }, .{ .rdx, .rdx } }, &layout.fixed);

    enter = a.at;
    for (saved) |r| a.push(r);
    a.aluImm(.sub, .q, .{ .reg = .rsp }, 8);
    // Below all calls one that nobody made: from where no return leads.
    a.movImm(.rax, nowhere);
    a.push(.rax);
    a.movImm(.rax, @intFromPtr(cache.running) + indirect);
    a.push(.rax);
    a.store(.q, .{ .mem = layout.cpuField("stack") }, .rsp);
    a.lea(.q, layout.block_reg, .{ .base = .rdi, .disp = layout.block_bias });
    a.movRegs(.q, .rax, .rsi);
    loadAll(&a, &layout.fixed);
    a.jmpRm(.{ .reg = .rax });

    cache.used = a.at;
    cache.keep();
}

/// One that guest code calls with rax and rdx, and whose answer is in rax.
fn asking(a: *Asm, function: *const anyopaque) u32 {
    const at = a.at;
    storeAll(a, layout.caller_saved);
    a.movRegs(.q, .rsi, .rax);
    a.aluImm(.sub, .q, .{ .reg = .rsp }, 8);
    callZig(a, function);
    a.aluImm(.add, .q, .{ .reg = .rsp }, 8);
    loadAll(a, layout.caller_saved);
    a.ret();
    return at;
}

fn behindStack(a: *Asm, comptime kind: lookup.Probe) u32 {
    const at = a.at;
    for (lookup.probeCalled(a, kind)) |f| a.linkHere(f);
    a.jmpTo(window);
    return at;
}

fn beyond(a: *Asm, comptime kind: lookup.Probe) u32 {
    const at = a.at;
    lookup.probeLast(a, .rax, kind);
    a.mov(.q, .rcx, .{ .mem = lookup.entry(kind == .write, "addend") });
    a.ret();
    return at;
}

fn caller(a: *Asm) u32 {
    const at = a.at;
    storeAll(a, &layout.fixed);
    a.aluImm(.sub, .q, .{ .reg = .rsp }, 8);
    a.lea(.q, .rdi, .{ .base = layout.block_reg, .disp = -layout.block_bias });
    a.movRegs(.q, .rsi, .rdx);
    a.callRm(.{ .reg = .rax });
    a.aluImm(.add, .q, .{ .reg = .rsp }, 8);
    loadAll(a, &layout.fixed);
    a.ret();
    return at;
}

pub const Enter = *const fn (b: *Block, code: u64) callconv(.c) i32;

pub fn entry() Enter {
    return @ptrCast(@alignCast(cache.running + enter));
}
