//! Translation of exclusives, compare-and-swap and read-modify-write atomics (Arm ARM C3.2.12 to C3.2.14). Each function is named
//! after its class in `table_int.zig`; false leaves the rare ones to the interpreter.
//!
//! The exclusive monitor is the address, size and value of the last load-exclusive; a store-exclusive is a
//! compare-and-swap against that value, as in the interpreter.

const fields = @import("../interp/fields.zig");
const layout = @import("layout.zig");
const lookup = @import("lookup.zig");
const memory = @import("memory.zig");
const x64 = @import("x64.zig");
const Translator = @import("translate.zig").Translator;

const Reg = x64.Reg;
const Size = x64.Size;
const bit = fields.bit;
const bits = fields.bits;
const rm = fields.rm;
const rn = fields.rn;

fn rt(insn: u32) u32 {
    return bits(insn, 0, 5);
}

fn scaleOf(insn: u32) u2 {
    return @intCast(bits(insn, 30, 2));
}

/// Makes the next instruction one that other CPUs see as a whole, where they look.
fn lock(t: *Translator) void {
    if (!t.page.mode.alone) t.a.lockOp();
}

fn r(reg: Reg) x64.Rm {
    return .{ .reg = reg };
}

const at_rcx: x64.Mem = .{ .base = .rcx };

/// rax = address of the access, which has to be aligned.
fn address(t: *Translator, insn: u32, writes: bool) void {
    memory.begin(t, rn(insn));
    lookup.baseAddress(t, rn(insn), 0);
    memory.checkAligned(t, scaleOf(insn), writes);
}

/// Zero-extends the `size` bits in rax.
fn narrow(t: *Translator, size: Size) void {
    if (size == .b or size == .w) t.a.movzx(size, .rax, r(.rax));
}

pub fn exclusive(t: *Translator, insn: u32) bool {
    if (bit(insn, 22)) loadExclusive(t, insn) else storeExclusive(t, insn);
    return true;
}

fn loadExclusive(t: *Translator, insn: u32) void {
    const scale = scaleOf(insn);
    address(t, insn, false);
    t.a.storeImm(.d, layout.blockField("monitor_size"), 0);
    t.a.store(.q, .{ .mem = layout.blockField("monitor_addr") }, .rax);
    lookup.readable(t, @as(u8, 1) << scale);
    t.a.movzx(memory.general_sizes[scale], .rdx, .{ .mem = .{ .base = .rax } });
    if (scale == 3) t.a.mov(.q, .rdx, .{ .mem = .{ .base = .rax } });
    t.a.store(.q, .{ .mem = layout.blockField("monitor_value") }, .rdx);
    t.a.storeImm(.d, layout.blockField("monitor_size"), @as(i32, 1) << scale);
    t.put(rt(insn), .rdx);
}

/// The address is looked at only while the monitor is set for it.
fn storeExclusive(t: *Translator, insn: u32) void {
    const scale = scaleOf(insn);
    const a = &t.a;
    address(t, insn, true);
    a.alu(.cmp, .q, .rax, .{ .mem = layout.blockField("monitor_addr") });
    const elsewhere = a.jcc(.ne);
    a.aluImm(.cmp, .d, .{ .mem = layout.blockField("monitor_size") }, @as(i32, 1) << scale);
    const clear = a.jcc(.ne);
    lookup.modifiable(t, @as(u8, 1) << scale);
    a.movRegs(.q, .rcx, .rax);
    a.mov(.q, .rax, .{ .mem = layout.blockField("monitor_value") });
    const new = t.use(.q, rt(insn), .rdx);
    lock(t);
    a.cmpxchg(memory.general_sizes[scale], at_rcx, new);
    a.setcc(.ne, r(.rax));
    a.movzx(.b, .rax, r(.rax));
    const done = a.jmp();
    a.linkHere(elsewhere);
    a.linkHere(clear);
    a.movImm(.rax, 1);
    a.linkHere(done);
    a.storeImm(.d, layout.blockField("monitor_size"), 0);
    t.put(rm(insn), .rax);
}

pub fn clrex(t: *Translator, _: u32) bool {
    t.a.storeImm(.d, layout.blockField("monitor_size"), 0);
    return true;
}

pub fn compare_swap(t: *Translator, insn: u32) bool {
    const size = memory.general_sizes[scaleOf(insn)];
    address(t, insn, false);
    lookup.modifiable(t, @as(u8, 1) << scaleOf(insn));
    t.a.movRegs(.q, .rcx, .rax);
    t.load(if (size == .q) .q else .d, .rax, rm(insn));
    const new = t.use(.q, rt(insn), .rdx);
    lock(t);
    t.a.cmpxchg(size, at_rcx, new);
    narrow(t, size);
    t.put(rm(insn), .rax);
    return true;
}

/// The values of the o3 and opc fields.
const Rmw = enum(u4) { add, clr, eor, set, smax, smin, umax, umin, swp };

pub fn atomic(t: *Translator, insn: u32) bool {
    const what: Rmw = switch (bits(insn, 12, 4)) {
        0...8 => |code| @enumFromInt(code),
        else => return false,
    };
    switch (what) {
        .smax, .smin, .umax, .umin => return false,
        else => {},
    }
    const size = memory.general_sizes[scaleOf(insn)];
    address(t, insn, false);
    lookup.modifiable(t, @as(u8, 1) << scaleOf(insn));
    switch (what) {
        .add, .swp => {
            t.load(.q, .rdx, rm(insn));
            if (what == .add) {
                lock(t);
                t.a.xadd(size, .{ .base = .rax }, .rdx);
            } else if (t.page.mode.alone) {
                t.a.mov(if (size == .q) .q else .d, .rcx, .{ .reg = .rdx });
                loadOld(t, size);
                t.a.store(size, .{ .mem = .{ .base = .rax } }, .rcx);
            } else {
                t.a.xchg(size, .{ .base = .rax }, .rdx);
            }
            if (size == .q) return finish(t, insn);
            t.a.movzx(size, .rdx, r(.rdx));
            return finish(t, insn);
        },
        else => bitwise(t, what, size, rm(insn)),
    }
    narrow(t, size);
    t.put(rt(insn), .rax);
    return true;
}

/// rdx = what is at rax.
fn loadOld(t: *Translator, size: Size) void {
    const there: x64.Rm = .{ .mem = .{ .base = .rax } };
    if (size == .q) t.a.mov(.q, .rdx, there) else t.a.movzx(size, .rdx, there);
}

fn finish(t: *Translator, insn: u32) bool {
    t.put(rt(insn), .rdx);
    return true;
}

/// rax = what was there, of which the operation with register s is stored.
fn bitwise(t: *Translator, what: Rmw, size: Size, s: u32) void {
    const a = &t.a;
    a.movRegs(.q, .rcx, .rax);
    a.mov(size, .rax, .{ .mem = at_rcx });
    const again = a.at;
    t.load(.q, .rdx, s);
    const op: x64.Alu = switch (what) {
        .clr => op: {
            a.unary(.not, .q, r(.rdx));
            break :op .@"and";
        },
        .eor => .xor,
        else => .@"or",
    };
    a.alu(op, .q, .rdx, r(.rax));
    lock(t);
    a.cmpxchg(size, at_rcx, .rdx);
    a.jccTo(.ne, again);
}
