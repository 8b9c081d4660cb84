//! Vector registers while a block is translated: copies in xmm2 and up, so that those used again need not be loaded. The register block
//! always has the value too, so nothing is to be written back. xmm0, xmm1 and xmm15 are scratch.

const layout = @import("layout.zig");
const x64 = @import("x64.zig");

const Asm = x64.Asm;
const Xmm = x64.Xmm;

const first_slot = 2;
const slots = 13;

/// What is known of the upper part: nothing, zero above 64 bits, or above 32 bits.
pub const Clean = enum { no, d, s };

pub const Copies = struct {
    guest: [slots]?u5 = @splat(null),
    clean: [slots]Clean = @splat(.no),
    /// Taken next, if the current instruction does not use it.
    victim: u8 = 0,
    /// Slots that the current instruction uses, a bit each.
    used: u16 = 0,

    pub fn forget(c: *Copies) void {
        c.* = .{};
    }

    fn find(c: *const Copies, number: u32) ?usize {
        for (c.guest, 0..) |guest, i| if (guest != null and guest.? == number) return i;
        return null;
    }

    fn xmm(slot: usize) Xmm {
        return @enumFromInt(first_slot + slot);
    }

    /// A slot that the current instruction does not use.
    fn free(c: *Copies) usize {
        while (c.used >> @intCast(c.victim) & 1 != 0) c.victim = (c.victim + 1) % slots;
        defer c.victim = (c.victim + 1) % slots;
        return c.victim;
    }

    /// Scratch to the end of the instruction.
    pub fn spare(c: *Copies) Xmm {
        const slot = c.free();
        c.guest[slot] = null;
        c.used |= @as(u16, 1) << @intCast(slot);
        return xmm(slot);
    }

    fn take(c: *Copies, number: u32) usize {
        const slot = c.find(number) orelse c.free();
        c.guest[slot] = @intCast(number);
        c.used |= @as(u16, 1) << @intCast(slot);
        return slot;
    }

    /// What is known of the upper part of a register that has a copy.
    pub fn cleanOf(c: *const Copies, number: u32) Clean {
        return c.clean[c.find(number).?];
    }

    /// The copy of a register if there is one.
    pub fn copyOf(c: *const Copies, number: u32) ?Xmm {
        return xmm(c.find(number) orelse return null);
    }

    /// A copy of the register, loaded if need be. Good to the end of the instruction.
    pub fn get(c: *Copies, a: *Asm, number: u32) Xmm {
        const known = c.find(number) != null;
        const slot = c.take(number);
        if (known) return xmm(slot);
        c.clean[slot] = .no;
        a.sse(.none, 0x28, xmm(slot), .{ .mem = layout.vector(number, 0) });
        return xmm(slot);
    }

    /// dst = the register's lowest 64 (or 32) bits, zero above.
    pub fn low(c: *Copies, a: *Asm, number: u32, want: Clean, dst: Xmm) void {
        const src = c.get(a, number);
        const has = c.clean[c.find(number).?];
        if (has == .s or has == want) {
            a.sse(.none, 0x28, dst, .{ .xmm = src });
        } else if (want == .d) {
            a.sse(.f3, 0x7e, dst, .{ .xmm = src });
        } else {
            a.sse(.none, 0x57, dst, .{ .xmm = dst });
            a.sse(.f3, 0x10, dst, .{ .xmm = src });
        }
    }

    /// The register becomes src.
    pub fn put(c: *Copies, a: *Asm, number: u32, src: Xmm, clean: Clean) void {
        const slot = c.take(number);
        c.clean[slot] = clean;
        a.sse(.none, 0x28, xmm(slot), .{ .xmm = src });
        a.sse(.none, 0x29, src, .{ .mem = layout.vector(number, 0) });
    }

    /// Loads all copies again, after a call of C.
    pub fn reload(c: *const Copies, a: *Asm) void {
        for (c.guest, 0..) |guest, i| {
            if (guest) |number| a.sse(.none, 0x28, xmm(i), .{ .mem = layout.vector(number, 0) });
        }
    }
};
