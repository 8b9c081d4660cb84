//! What loops of flat code (`flat.zig`) know of base registers: those that are near the guest's addresses wherever the loop begins anew are asked once,
//! on the way in, and not in each round. One that a branch back takes elsewhere is found out while the loop is translated, which is then done again without it.

const decoder = @import("../decoder.zig");
const fields = @import("../interp/fields.zig");
const flat = @import("flat.zig");
const info = @import("info.zig");
const layout = @import("layout.zig");
const Translator = @import("translate.zig").Translator;

/// A bit for each of x0..x30.
const Registers = u32;

pub const Near = struct {
    /// Near wherever the loop begins anew.
    at_head: Registers = 0,
    /// Never changed by the loop.
    kept: Registers = 0,
    /// A branch back takes them elsewhere after all.
    lost: Registers = 0,

    /// A branch leads back to the head.
    pub fn returns(n: *Near, t: *const Translator) void {
        for (0..31) |r| if (has(n.at_head, r)) {
            const drift = t.drift[r] orelse flat.drift_first + 1;
            if (drift > flat.drift_first) n.lost |= bitOf(r);
        };
    }

    /// Where branches of the loop join nothing else is known.
    pub fn assume(n: *const Near, t: *Translator) void {
        flat.stackIsGood(t, flat.drift_first);
        const near = if (t.index == 0) n.at_head else n.at_head & n.kept;
        for (0..31) |r| if (has(near, r)) {
            t.drift[r] = flat.drift_first;
        };
    }

    /// On the way in: those that are not near enough lead to the code at `cautious`, which asks in each round.
    pub fn enter(n: *const Near, t: *Translator, cautious: u32) void {
        for (0..31) |r| if (has(n.at_head, r)) {
            const base = layout.fixed_map.host[r] orelse base: {
                t.a.mov(.q, .rax, .{ .mem = layout.lane(@intCast(r)) });
                break :base .rax;
            };
            t.a.link(flat.compare(t, base), cautious);
        };
    }
};

/// All that the accesses of a loop are off.
pub fn find(words: []const u32) Near {
    var n: Near = .{};
    var written: u64 = 0;
    for (words) |insn| {
        written |= info.written(insn);
        if (decoder.isSimd(insn)) continue;
        switch (info.class(insn) orelse continue) {
            .unsigned_offset, .unscaled, .indexed, .pair, .register_offset, .multiple, .multiple_post, .single, .single_post => {
                if (fields.rn(insn) != layout.sp) n.at_head |= bitOf(fields.rn(insn));
            },
            else => {},
        }
    }
    n.kept = ~@as(Registers, @truncate(written));
    return n;
}

fn bitOf(r: usize) Registers {
    return @as(Registers, 1) << @intCast(r);
}

fn has(registers: Registers, r: usize) bool {
    return registers & bitOf(r) != 0;
}
