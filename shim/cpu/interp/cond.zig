//! Handlers of the instructions that depend on a condition, other than branches, and of those that edit NZCV.

const core = @import("core.zig");
const flags = @import("flags.zig");

const Op = core.Op;
const Block = core.Block;
const Flags = core.Flags;
const Handler = core.Handler;
const Condition = flags.Condition;
const get = core.get;
const set = core.set;
const Body = fn (op: *const Op, b: *Block, f: Flags) callconv(.@"inline") Flags;

pub const Select = enum { csel, csinc, csinv, csneg };

fn selectBody(comptime T: type, comptime what: Select, comptime cc: Condition) Body {
    return struct {
        inline fn f(op: *const Op, b: *Block, old: Flags) Flags {
            const y = get(T, b, op.m);
            const other: T = switch (what) {
                .csel => y,
                .csinc => y +% 1,
                .csinv => ~y,
                .csneg => 0 -% y,
            };
            const x = get(T, b, op.n);
            set(b, op.d, if (flags.holds(cc, old)) x else other);
            return old;
        }
    }.f;
}

pub fn select(what: Select, wide: bool, cc: Condition) Handler {
    switch (what) {
        inline else => |w| switch (cc) {
            inline else => |c| return if (wide) core.flagReading(selectBody(u64, w, c)) else core.flagReading(selectBody(u32, w, c)),
        },
    }
}

/// CCMP and CCMN: compare n with m (or with imm) when the condition holds, else NZCV = a.
fn compareBody(comptime T: type, comptime subtract: bool, comptime immediate: bool, comptime cc: Condition) Body {
    return struct {
        inline fn f(op: *const Op, b: *Block, old: Flags) Flags {
            const x = get(T, b, op.n);
            const y: T = if (immediate) @as(u32, @bitCast(op.imm)) else get(T, b, op.m);
            if (!flags.holds(cc, old)) return flags.explicit(op.a);
            return if (subtract) flags.ofSub(T, x, y) else flags.ofAdd(T, x, y);
        }
    }.f;
}

pub fn compare(wide: bool, subtract: bool, immediate: bool, cc: Condition) Handler {
    const kind = @as(u3, @intFromBool(wide)) << 2 | @as(u3, @intFromBool(subtract)) << 1 | @intFromBool(immediate);
    switch (cc) {
        inline else => |c| switch (kind) {
            inline else => |k| return core.flagReading(compareBody(if (k & 4 != 0) u64 else u32, k & 2 != 0, k & 1 != 0, c)),
        },
    }
}

/// n rotated right by a, its low four bits to NZCV where imm has a bit.
pub const rmif = core.flagReading(struct {
    inline fn f(op: *const Op, b: *Block, old: Flags) Flags {
        const x = get(u64, b, op.n);
        const mask: u64 = @intCast(op.imm);
        const rotated = x >> @truncate(op.a) | x << @truncate(64 -% @as(u32, op.a));
        return flags.explicit((flags.nzcv(old) & ~mask) | (rotated & mask));
    }
}.f);

fn setfBody(comptime bits: u6) Body {
    return struct {
        inline fn f(op: *const Op, b: *Block, old: Flags) Flags {
            const x = get(u64, b, op.n);
            const n = x >> (bits - 1) & 1;
            const z: u64 = @intFromBool(x << (64 - @as(u7, bits)) == 0);
            const v = (x >> bits ^ x >> (bits - 1)) & 1;
            return flags.explicit(n << 3 | z << 2 | flags.carry(old) << 1 | v);
        }
    }.f;
}
pub const setf8 = core.flagReading(setfBody(8));
pub const setf16 = core.flagReading(setfBody(16));

pub const cfinv = core.flagReading(struct {
    inline fn f(_: *const Op, _: *Block, old: Flags) Flags {
        return flags.explicit(flags.nzcv(old) ^ 2);
    }
}.f);

/// From the flags of an Arm float comparison to the alternative format, and back.
pub const axflag = core.flagReading(struct {
    inline fn f(_: *const Op, _: *Block, old: Flags) Flags {
        const x = flags.nzcv(old);
        const v = x & 1;
        const z = x >> 2 & 1 | v;
        const c = x >> 1 & ~v & 1;
        return flags.explicit(z << 2 | c << 1);
    }
}.f);

pub const xaflag = core.flagReading(struct {
    inline fn f(_: *const Op, _: *Block, old: Flags) Flags {
        const x = flags.nzcv(old);
        const z = x >> 2 & 1;
        const c = x >> 1 & 1;
        const n = ~(c | z) & 1;
        return flags.explicit(n << 3 | (z & c) << 2 | (c | z) << 1 | (~c & z & 1));
    }
}.f);

/// Between the lazy flags and PSTATE, around an instruction that works on the register block.
pub const flags_to_block = core.flagReading(struct {
    inline fn f(_: *const Op, b: *Block, old: Flags) Flags {
        b.pstate = flags.toPstate(old);
        return old;
    }
}.f);

pub const flags_from_block = core.flagReading(struct {
    inline fn f(_: *const Op, b: *Block, _: Flags) Flags {
        return flags.fromPstate(b.pstate);
    }
}.f);

pub const read_nzcv = core.flagReading(struct {
    inline fn f(op: *const Op, b: *Block, old: Flags) Flags {
        set(b, op.d, flags.toPstate(old));
        return old;
    }
}.f);

pub const write_nzcv = core.flagReading(struct {
    inline fn f(op: *const Op, b: *Block, _: Flags) Flags {
        return flags.fromPstate(get(u64, b, op.n));
    }
}.f);
