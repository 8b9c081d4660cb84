//! Translation of LD1 and ST1 of whole registers, whose elements are just bytes. The interleaving ones are left to the interpreter.

const fields = @import("../interp/fields.zig");
const lookup = @import("lookup.zig");
const memory = @import("memory.zig");
const Translator = @import("translate.zig").Translator;

const bit = fields.bit;
const bits = fields.bits;
const rn = fields.rn;

/// How many registers LD1 or ST1 moves; null when it is one of the others.
fn registers(insn: u32) ?u32 {
    return switch (bits(insn, 12, 4)) {
        0b0010 => 4,
        0b0110 => 3,
        0b0111 => 1,
        0b1010 => 2,
        else => null,
    };
}

pub fn multiple(t: *Translator, insn: u32) bool {
    const count = registers(insn) orelse return false;
    const scale: u3 = if (bit(insn, 30)) 4 else 3;
    const size = @as(u32, 1) << scale;
    const bytes: u8 = @intCast(count * size);
    const first = bits(insn, 0, 5);
    memory.begin(t, rn(insn));
    lookup.baseAddress(t, rn(insn), 0);
    if (bit(insn, 22)) {
        lookup.readable(t, bytes);
        for (0..count) |i| memory.loadVector(t, (first + @as(u32, @intCast(i))) & 31, scale, lookup.at(@intCast(i * size)));
        return true;
    }
    const back = lookup.writable(t, bytes, .{ .vectors = .{ .first = first, .count = @intCast(count), .size = @intCast(size) } });
    for (0..count) |i| memory.storeVector(t, (first + @as(u32, @intCast(i))) & 31, scale, lookup.at(@intCast(i * size)));
    back.* = t.a.at;
    return true;
}

pub fn multiple_post(t: *Translator, insn: u32) bool {
    const count = registers(insn) orelse return false;
    _ = multiple(t, insn);
    const n = rn(insn);
    const m = fields.rm(insn);
    if (m == 31) {
        memory.writeBack(t, n, @intCast(count * @as(u32, if (bit(insn, 30)) 16 else 8)));
    } else {
        const base = t.useSp(.q, n, .rax);
        const dst = t.targetSp(n, .rax);
        t.a.lea(.q, dst, .{ .base = base, .index = t.use(.q, m, .rcx) });
        t.putSp(n, dst);
    }
    return true;
}
