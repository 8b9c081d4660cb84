//! Translation of LD1 to LD4 and ST1 to ST4 (Arm ARM C4.1, Advanced SIMD load/store structures): of whole registers, of single elements, and of
//! elements that are replicated. How elements are parted and joined: `interleave.zig`.
//!
//! A load has read all its memory before it changes a register.

const fields = @import("../interp/fields.zig");
const flat = @import("flat.zig");
const interleave = @import("interleave.zig");
const lookup = @import("lookup.zig");
const memory = @import("memory.zig");
const x64 = @import("x64.zig");
const Translator = @import("translate.zig").Translator;

const Mem = x64.Mem;
const Xmm = x64.Xmm;
const bit = fields.bit;
const bits = fields.bits;
const rn = fields.rn;

/// What an instruction moves.
const Structure = struct {
    loads: bool,
    /// The first register; there are `count`, v0 being behind v31.
    first: u32,
    count: u3,
    /// Bytes of all.
    bytes: u8,
    what: union(enum) {
        /// `parts`: the elements of one register are so many elements apart. `full`: of 16 bytes.
        whole: struct { parts: u3, scale: u2, full: bool },
        element: struct { scale: u2, index: u4 },
        replicated: struct { scale: u2, full: bool },
    },

    fn register(s: Structure, i: usize) u32 {
        return (s.first + @as(u32, @intCast(i))) & 31;
    }
};

/// Of a word that is one; null when it is reserved.
fn structureOf(insn: u32) ?Structure {
    return if (bit(insn, 24)) singleOf(insn) else wholeOf(insn);
}

fn wholeOf(insn: u32) ?Structure {
    const count: u3, const parts: u3 = switch (bits(insn, 12, 4)) {
        0b0000 => .{ 4, 4 },
        0b0010 => .{ 4, 1 },
        0b0100 => .{ 3, 3 },
        0b0110 => .{ 3, 1 },
        0b0111 => .{ 1, 1 },
        0b1000 => .{ 2, 2 },
        0b1010 => .{ 2, 1 },
        else => return null,
    };
    const full = bit(insn, 30);
    const scale: u2 = @intCast(bits(insn, 10, 2));
    if (scale == 3 and !full and parts > 1) return null;
    return .{
        .loads = bit(insn, 22),
        .first = bits(insn, 0, 5),
        .count = count,
        .bytes = @as(u8, if (full) 16 else 8) * count,
        .what = .{ .whole = .{ .parts = parts, .scale = scale, .full = full } },
    };
}

fn singleOf(insn: u32) ?Structure {
    const opcode = bits(insn, 13, 3);
    const count: u3 = @intCast(((opcode & 1) << 1 | bits(insn, 21, 1)) + 1);
    const size = bits(insn, 10, 2);
    const s = bits(insn, 12, 1);
    const place = bits(insn, 30, 1) << 3 | s << 2 | size;
    const loads = bit(insn, 22);
    var scale: u2 = @intCast(opcode >> 1);
    if (scale == 3) {
        if (!loads or s != 0) return null;
        scale = @intCast(size);
    } else if (scale == 2 and size == 1) {
        if (s != 0) return null;
        scale = 3;
    } else if (size & ((@as(u32, 1) << scale) - 1) != 0) return null;
    return .{
        .loads = loads,
        .first = bits(insn, 0, 5),
        .count = count,
        .bytes = @as(u8, count) << scale,
        .what = if (opcode >> 1 == 3)
            .{ .replicated = .{ .scale = scale, .full = bit(insn, 30) } }
        else
            .{ .element = .{ .scale = scale, .index = @intCast(place >> scale) } },
    };
}

pub fn multiple(t: *Translator, insn: u32) bool {
    return translate(t, insn, false);
}

pub fn multiple_post(t: *Translator, insn: u32) bool {
    return translate(t, insn, true);
}

pub fn single(t: *Translator, insn: u32) bool {
    return translate(t, insn, false);
}

pub fn single_post(t: *Translator, insn: u32) bool {
    return translate(t, insn, true);
}

fn translate(t: *Translator, insn: u32, post: bool) bool {
    const s = structureOf(insn) orelse return false;
    const n = rn(insn);
    if (t.page.mode.flat) {
        flat.begin(t, n, post and fields.rm(insn) == 31 and t.hostOf(n) == null);
        move(t, s, flat.open(t, .{ .based = .{ .n = n, .offset = 0 } }, s.bytes, !s.loads));
        if (post) grow(t, insn, s.bytes);
        flat.close(t);
        return true;
    }
    memory.begin(t, n);
    lookup.baseAddress(t, n, 0);
    if (s.loads) {
        lookup.readable(t, s.bytes);
        load(t, s, lookup.at(0));
    } else {
        const back = lookup.writable(t, s.bytes, .{ .structure = insn });
        store(t, s, lookup.at(0));
        back.* = t.a.at;
        t.lastCold().what.write.after = t.copies;
    }
    if (post) grow(t, insn, s.bytes);
    return true;
}

fn grow(t: *Translator, insn: u32, bytes: u8) void {
    const n = rn(insn);
    const m = fields.rm(insn);
    if (m == 31) return memory.writeBack(t, n, bytes);
    const base = t.useSp(.q, n, .rax);
    const dst = t.targetSp(n, .rax);
    t.a.lea(.q, dst, .{ .base = base, .index = t.use(.q, m, .rcx) });
    t.putSp(n, dst);
}

fn move(t: *Translator, s: Structure, there: Mem) void {
    if (s.loads) load(t, s, there) else store(t, s, there);
}

/// What the store stores, to `there` instead. rax and the host's flags are kept, registers have no copies afterwards.
pub fn storeTo(t: *Translator, insn: u32, there: Mem) void {
    t.copies.forget();
    store(t, structureOf(insn).?, there);
    t.copies.forget();
}

fn further(there: Mem, by: usize) Mem {
    var m = there;
    m.disp += @intCast(by);
    return m;
}

fn load(t: *Translator, s: Structure, there: Mem) void {
    var all: [4]Xmm = undefined;
    for (all[0..s.count]) |*x| x.* = t.copies.spare();
    switch (s.what) {
        .whole => |w| {
            const scale: u3 = if (w.full) 4 else 3;
            // Without gaps, or register by register.
            const step: u8 = if (w.parts > 1) 16 else @as(u8, 1) << scale;
            var from: u8 = 0;
            var i: usize = 0;
            while (from < s.bytes) : (i += 1) {
                memory.loadXmm(t, all[i], if (s.bytes - from < 16) 3 else if (step == 8) 3 else 4, further(there, from));
                from += step;
            }
            if (w.parts > 1) interleave.part(t, &all, w.parts, w.scale, w.full);
            for (all[0..s.count], 0..) |x, k| memory.putVector(t, s.register(k), x, scale);
        },
        .element => |e| {
            for (all[0..s.count], 0..) |x, k| {
                t.a.sse(.none, 0x28, x, .{ .xmm = t.copies.get(&t.a, s.register(k)) });
                insert(t, x, e.scale, e.index, further(there, k << e.scale));
            }
            for (all[0..s.count], 0..) |x, k| memory.putVector(t, s.register(k), x, 4);
        },
        .replicated => |r| {
            for (all[0..s.count], 0..) |x, k| memory.loadXmm(t, x, r.scale, further(there, k << r.scale));
            for (all[0..s.count], 0..) |x, k| {
                interleave.spread(t, x, r.scale);
                if (!r.full) t.a.sse(.f3, 0x7e, x, .{ .xmm = x });
                memory.putVector(t, s.register(k), x, if (r.full) 4 else 3);
            }
        },
    }
}

fn store(t: *Translator, s: Structure, there: Mem) void {
    switch (s.what) {
        .whole => |w| {
            if (w.parts == 1) {
                const scale: u3 = if (w.full) 4 else 3;
                for (0..s.count) |i| memory.storeVector(t, s.register(i), scale, further(there, i << scale));
                return;
            }
            var all: [4]Xmm = undefined;
            for (all[0..s.count], 0..) |*x, i| x.* = t.copies.get(&t.a, s.register(i));
            interleave.join(t, &all, w.parts, w.scale, w.full);
            var from: u8 = 0;
            var i: usize = 0;
            while (from < s.bytes) : (i += 1) {
                const whole = s.bytes - from >= 16;
                if (whole) t.a.sse(.none, 0x11, all[i], .{ .mem = further(there, from) }) else t.a.sse(.p66, 0xd6, all[i], .{ .mem = further(there, from) });
                from += 16;
            }
        },
        .element => |e| for (0..s.count) |k| {
            extract(t, t.copies.get(&t.a, s.register(k)), e.scale, e.index, further(there, k << e.scale));
        },
        .replicated => unreachable,
    }
}

/// The element of x becomes what is there.
fn insert(t: *Translator, x: Xmm, scale: u2, index: u4, there: Mem) void {
    const a = &t.a;
    switch (scale) {
        0 => a.sse3a(0x20, x, .{ .mem = there }, index),
        1 => {
            a.sse(.p66, 0xc4, x, .{ .mem = there });
            a.imm8(index);
        },
        2 => a.sse3a(0x22, x, .{ .mem = there }, index),
        3 => a.sse(.p66, if (index == 0) 0x12 else 0x16, x, .{ .mem = there }),
    }
}

fn extract(t: *Translator, x: Xmm, scale: u2, index: u4, there: Mem) void {
    const a = &t.a;
    switch (scale) {
        0 => a.sse3a(0x14, x, .{ .mem = there }, index),
        1 => a.sse3a(0x15, x, .{ .mem = there }, index),
        2 => a.sse3a(0x16, x, .{ .mem = there }, index),
        3 => a.sse(.p66, if (index == 0) 0x13 else 0x17, x, .{ .mem = there }),
    }
}
