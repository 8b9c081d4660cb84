//! Translation of exclusives, compare-and-swap and read-modify-write atomics (Arm ARM C3.2.12 to C3.2.14). Each function is named
//! after its class in `table_int.zig`; false leaves the rare ones to the interpreter.
//!
//! The exclusive monitor is the address, size and value of the last load-exclusive; a store-exclusive is a
//! compare-and-swap against that value, as in the interpreter.

const fields = @import("../interp/fields.zig");
const flat = @import("flat.zig");
const layout = @import("layout.zig");
const lookup = @import("lookup.zig");
const memory = @import("memory.zig");
const x64 = @import("x64.zig");
const Translator = @import("translate.zig").Translator;

const Mem = x64.Mem;
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

/// An atomic access: where it is, in the end.
const Access = union(enum) { mapped: flat.Access, looked_up: struct { scale: u2, writes: bool } };

/// rax = address of the access, which has to be aligned. `stores`: it does nothing else, says the fault of one that is not.
fn begin(t: *Translator, insn: u32, writes: bool, stores: bool) Access {
    const n = rn(insn);
    const scale = scaleOf(insn);
    if (t.page.mode.flat) return .{ .mapped = flat.openAligned(t, n, 0, scale, writes, stores) };
    memory.begin(t, n);
    lookup.baseAddress(t, n, 0);
    memory.checkAligned(t, scale, stores);
    return .{ .looked_up = .{ .scale = scale, .writes = writes } };
}

/// Where its memory is: off rax, or off no scratch register.
fn find(t: *Translator, access: Access) Mem {
    switch (access) {
        .mapped => |m| return flat.continueAligned(t, m),
        .looked_up => |l| {
            const bytes = @as(u8, 1) << l.scale;
            if (l.writes) lookup.modifiable(t, bytes) else lookup.readable(t, bytes);
            return lookup.at(0);
        },
    }
}

/// The same off rcx, or off no scratch register.
fn findBeside(t: *Translator, access: Access) Mem {
    var there = find(t, access);
    if (there.base.? != .rax) return there;
    t.a.movRegs(.q, .rcx, .rax);
    there.base = .rcx;
    return there;
}

fn end(t: *Translator) bool {
    if (t.page.mode.flat) flat.close(t);
    return true;
}

/// dst = what is there, zero-extended.
fn loadTo(t: *Translator, dst: Reg, scale: u2, there: Mem) void {
    memory.extendInto(t, dst, scale, .zero, there);
}

/// Zero-extends the `size` bits in rax.
fn narrow(t: *Translator, size: Size) void {
    if (size == .b or size == .w) t.a.movzx(size, .rax, r(.rax));
}

pub fn exclusive(t: *Translator, insn: u32) bool {
    if (bit(insn, 22)) loadExclusive(t, insn) else storeExclusive(t, insn);
    return end(t);
}

fn loadExclusive(t: *Translator, insn: u32) void {
    const scale = scaleOf(insn);
    const a = &t.a;
    const access = begin(t, insn, false, false);
    if (access == .mapped) {
        loadTo(t, .rdx, scale, find(t, access));
        a.store(.q, .{ .mem = layout.blockField("monitor_addr") }, .rax);
    } else {
        a.storeImm(.d, layout.blockField("monitor_size"), 0);
        a.store(.q, .{ .mem = layout.blockField("monitor_addr") }, .rax);
        loadTo(t, .rdx, scale, find(t, access));
    }
    a.store(.q, .{ .mem = layout.blockField("monitor_value") }, .rdx);
    a.storeImm(.d, layout.blockField("monitor_size"), @as(i32, 1) << scale);
    t.put(rt(insn), .rdx);
}

/// The address is looked at only while the monitor is set for it.
fn storeExclusive(t: *Translator, insn: u32) void {
    const scale = scaleOf(insn);
    const a = &t.a;
    const drift = t.drift[rn(insn)];
    const access = begin(t, insn, true, true);
    a.alu(.cmp, .q, .rax, .{ .mem = layout.blockField("monitor_addr") });
    const elsewhere = a.jcc(.ne);
    a.aluImm(.cmp, .d, .{ .mem = layout.blockField("monitor_size") }, @as(i32, 1) << scale);
    const clear = a.jcc(.ne);
    const there = findBeside(t, access);
    // Where it is not looked at, nothing is known of it.
    t.drift[rn(insn)] = drift;
    a.mov(.q, .rax, .{ .mem = layout.blockField("monitor_value") });
    const new = t.use(.q, rt(insn), .rdx);
    lock(t);
    a.cmpxchg(memory.general_sizes[scale], there, new);
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
    const there = findBeside(t, begin(t, insn, true, false));
    t.load(if (size == .q) .q else .d, .rax, rm(insn));
    const new = t.use(.q, rt(insn), .rdx);
    lock(t);
    t.a.cmpxchg(size, there, new);
    narrow(t, size);
    t.put(rm(insn), .rax);
    return end(t);
}

/// The values of the o3 and opc fields.
const Rmw = enum(u4) { add, clr, eor, set, smax, smin, umax, umin, swp };

pub fn atomic(t: *Translator, insn: u32) bool {
    const what: Rmw = switch (bits(insn, 12, 4)) {
        0...8 => |code| @enumFromInt(code),
        else => return false,
    };
    const access = begin(t, insn, true, false);
    switch (what) {
        .add, .swp => exchange(t, insn, what == .add, find(t, access)),
        else => combine(t, insn, what, findBeside(t, access)),
    }
    return end(t);
}

/// SWP and LDADD, which the host has.
fn exchange(t: *Translator, insn: u32, adds: bool, there: Mem) void {
    const a = &t.a;
    const size = memory.general_sizes[scaleOf(insn)];
    t.load(.q, .rdx, rm(insn));
    if (adds) {
        lock(t);
        a.xadd(size, there, .rdx);
    } else if (t.page.mode.alone) {
        a.movRegs(.q, .rcx, .rdx);
        loadTo(t, .rdx, scaleOf(insn), there);
        a.store(size, .{ .mem = there }, .rcx);
        return t.put(rt(insn), .rdx);
    } else {
        a.xchg(size, there, .rdx);
    }
    if (size != .q) a.movzx(size, .rdx, r(.rdx));
    t.put(rt(insn), .rdx);
}

/// The others: a new value is computed until nobody has changed the old one meanwhile.
fn combine(t: *Translator, insn: u32, what: Rmw, there: Mem) void {
    const a = &t.a;
    const size = memory.general_sizes[scaleOf(insn)];
    a.mov(size, .rax, .{ .mem = there });
    const again = a.at;
    t.load(.q, .rdx, rm(insn));
    switch (what) {
        .clr => {
            a.unary(.not, .q, r(.rdx));
            a.alu(.@"and", .q, .rdx, r(.rax));
        },
        .eor => a.alu(.xor, .q, .rdx, r(.rax)),
        .set => a.alu(.@"or", .q, .rdx, r(.rax)),
        else => {
            a.alu(.cmp, size, .rax, r(.rdx));
            // What is there stays.
            const keeps: x64.Cc = switch (what) {
                .smax => .g,
                .smin => .l,
                .umax => .a,
                else => .b,
            };
            a.cmov(keeps, .q, .rdx, r(.rax));
        },
    }
    lock(t);
    a.cmpxchg(size, there, .rdx);
    if (!t.page.mode.alone) a.jccTo(.ne, again);
    narrow(t, size);
    t.put(rt(insn), .rax);
}
