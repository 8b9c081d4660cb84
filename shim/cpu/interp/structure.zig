//! Handlers of LD1-LD4 and ST1-ST4 (Arm ARM C4.1.94, "Advanced SIMD load/store multiple/single structures"). d is the number
//! of the first vector register, n the lane of the base, imm the instruction.

const access = @import("access.zig");
const core = @import("core.zig");
const fields = @import("fields.zig");

const Op = core.Op;
const Block = core.Block;
const Vcpu = core.Vcpu;
const Flags = core.Flags;
const Handler = core.Handler;

/// How many registers, how many of them take turns, log2 of the element's bytes.
const Shape = struct { registers: u3, interleave: u3, size: u2, q: bool };

fn shapeOf(insn: u32) ?Shape {
    const size: u2 = @intCast(fields.bits(insn, 10, 2));
    const q = fields.bit(insn, 30);
    var shape: Shape = switch (fields.bits(insn, 12, 4)) {
        0b0000 => .{ .registers = 4, .interleave = 4, .size = size, .q = q },
        0b0010 => .{ .registers = 4, .interleave = 1, .size = size, .q = q },
        0b0100 => .{ .registers = 3, .interleave = 3, .size = size, .q = q },
        0b0110 => .{ .registers = 3, .interleave = 1, .size = size, .q = q },
        0b0111 => .{ .registers = 1, .interleave = 1, .size = size, .q = q },
        0b1000 => .{ .registers = 2, .interleave = 2, .size = size, .q = q },
        0b1010 => .{ .registers = 2, .interleave = 1, .size = size, .q = q },
        else => return null,
    };
    if (size == 3 and !q and shape.interleave != 1) return null;
    // In memory order, elements of a register that does not take turns are just bytes.
    if (shape.interleave == 1) shape.size = 3;
    return shape;
}

inline fn register(b: *Block, first: u8, offset: usize) *[16]u8 {
    return @ptrCast(&b.v[(first + offset) & 31]);
}

fn MultipleBytes(comptime s: Shape) type {
    return [@as(usize, s.registers) * (if (s.q) 16 else 8)]u8;
}

/// From memory order to registers. The upper half of a 64-bit register becomes zero.
inline fn spread(comptime s: Shape, b: *Block, first: u8, bytes: *align(1) const MultipleBytes(s)) void {
    const width = if (s.q) 16 else 8;
    const element = 1 << s.size;
    if (s.interleave == 1) {
        inline for (0..s.registers) |r| {
            const to = register(b, first, r);
            to[0..width].* = bytes[r * width ..][0..width].*;
            if (width == 8) to[8..16].* = @splat(0);
        }
        return;
    }
    const count = width / element;
    inline for (0..s.registers) |r| {
        var out: [16]u8 = @splat(0);
        inline for (0..count) |e| {
            out[e * element ..][0..element].* = bytes[(e * s.registers + r) * element ..][0..element].*;
        }
        register(b, first, r).* = out;
    }
}

inline fn gather(comptime s: Shape, b: *Block, first: u8) MultipleBytes(s) {
    const width = if (s.q) 16 else 8;
    const element = 1 << s.size;
    var out: MultipleBytes(s) = undefined;
    inline for (0..s.registers) |r| {
        const from = register(b, first, r);
        if (s.interleave == 1) {
            out[r * width ..][0..width].* = from[0..width].*;
        } else {
            inline for (0..width / element) |e| {
                out[(e * s.registers + r) * element ..][0..element].* = from[e * element ..][0..element].*;
            }
        }
    }
    return out;
}

fn multipleHandler(comptime s: Shape, comptime loads: bool) Handler {
    const T = MultipleBytes(s);
    return &struct {
        noinline fn handler(op: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
            const f: Flags = .{ .a = fa, .b = fb, .c = fc };
            const addr = core.get(u64, b, op[0].n);
            if (loads) {
                const p: *align(1) const T = v.tlb.readPtr(T, addr) orelse
                    @ptrCast(access.read(v, addr, @sizeOf(T)) orelse return access.fault(op, b, v, f, .read));
                spread(s, b, op[0].d, p);
            } else {
                const bytes = gather(s, b, op[0].d);
                if (v.tlb.writePtr(T, addr)) |p| {
                    p.* = bytes;
                } else if (!access.write(v, addr, &bytes)) {
                    return access.fault(op, b, v, f, .write);
                }
            }
            return core.next(op + 1, b, v, f);
        }
    }.handler;
}

/// The handler of a "multiple structures" instruction, or null when it is reserved.
pub fn multiple(insn: u32) ?Handler {
    const shape = shapeOf(insn) orelse return null;
    const loads = fields.bit(insn, 22);
    switch (shape.registers) {
        inline 1...4 => |r| if (shape.interleave == 1) {
            if (shape.q) return either(.{ .registers = r, .interleave = 1, .size = 3, .q = true }, loads);
            return either(.{ .registers = r, .interleave = 1, .size = 3, .q = false }, loads);
        } else switch (shape.size) {
            inline else => |size| {
                if (r == 1) return null;
                if (shape.q) return either(.{ .registers = r, .interleave = r, .size = size, .q = true }, loads);
                return either(.{ .registers = r, .interleave = r, .size = size, .q = false }, loads);
            },
        },
        else => return null,
    }
}

fn either(comptime s: Shape, loads: bool) Handler {
    return if (loads) multipleHandler(s, true) else multipleHandler(s, false);
}

pub fn multipleBytes(insn: u32) u32 {
    const shape = shapeOf(insn).?;
    return @as(u32, shape.registers) * (if (shape.q) @as(u32, 16) else 8);
}

/// One element of each of `registers`, or (replicate) one element into all of each.
const Single = struct { registers: u32, size: u2, index: u32, replicate: bool };

fn singleOf(insn: u32) ?Single {
    const opcode = fields.bits(insn, 13, 3);
    const registers = (opcode & 1) * 2 + fields.bits(insn, 21, 1) + 1;
    const s = fields.bits(insn, 12, 1);
    const size = fields.bits(insn, 10, 2);
    const q = fields.bits(insn, 30, 1);
    switch (opcode >> 1) {
        0 => return .{ .registers = registers, .size = 0, .index = q << 3 | s << 2 | size, .replicate = false },
        1 => {
            if (size & 1 != 0) return null;
            return .{ .registers = registers, .size = 1, .index = q << 2 | s << 1 | size >> 1, .replicate = false };
        },
        2 => {
            if (size & 2 != 0) return null;
            if (size & 1 == 0) return .{ .registers = registers, .size = 2, .index = q << 1 | s, .replicate = false };
            if (s != 0) return null;
            return .{ .registers = registers, .size = 3, .index = q, .replicate = false };
        },
        else => {
            if (!fields.bit(insn, 22) or s != 0) return null;
            return .{ .registers = registers, .size = @intCast(size), .index = 0, .replicate = true };
        },
    }
}

fn singleHandler(comptime loads: bool, comptime size: u2) Handler {
    const bytes = 1 << @as(u4, size);
    return &struct {
        noinline fn handler(op: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
            const f: Flags = .{ .a = fa, .b = fb, .c = fc };
            const insn: u32 = @bitCast(op[0].imm);
            const s = singleOf(insn).?;
            const addr = core.get(u64, b, op[0].n);
            const total = s.registers * bytes;
            if (loads) {
                const p = access.read(v, addr, total) orelse return access.fault(op, b, v, f, .read);
                for (0..s.registers) |r| {
                    const to: *[16 / bytes][bytes]u8 = @ptrCast(register(b, op[0].d, r));
                    const from = p[r * bytes ..][0..bytes].*;
                    if (!s.replicate) {
                        to[s.index] = from;
                    } else if (fields.bit(insn, 30)) {
                        to.* = @splat(from);
                    } else {
                        @memset(register(b, op[0].d, r)[8..16], 0);
                        to[0 .. 8 / bytes].* = @splat(from);
                    }
                }
            } else {
                var out: [32]u8 = undefined;
                for (0..s.registers) |r| {
                    const from: *[16 / bytes][bytes]u8 = @ptrCast(register(b, op[0].d, r));
                    out[r * bytes ..][0..bytes].* = from[s.index];
                }
                if (!access.write(v, addr, out[0..total])) return access.fault(op, b, v, f, .write);
            }
            return core.next(op + 1, b, v, f);
        }
    }.handler;
}

/// The handler of a "single structure" instruction, or null when it is reserved.
pub fn single(insn: u32) ?Handler {
    const s = singleOf(insn) orelse return null;
    switch (s.size) {
        inline else => |size| return if (fields.bit(insn, 22)) singleHandler(true, size) else singleHandler(false, size),
    }
}

pub fn singleBytes(insn: u32) u32 {
    const s = singleOf(insn).?;
    return s.registers << s.size;
}
