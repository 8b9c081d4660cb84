//! Advanced SIMD copy (DUP, INS, SMOV, UMOV) and modified immediate (MOVI, MVNI, ORR, BIC, FMOV).

const abi = @import("../../abi.zig");
const core = @import("fp_core.zig");
const regs = @import("regs.zig");
const scalar_fp = @import("scalar_fp.zig");

const Block = abi.RegisterBlock;

pub const ops = struct {
    pub const DUP_element = Duplicate(false);
    pub const DUP_general = Duplicate(true);
    pub const DUP_scalar = ByImm5(0, DuplicateScalar);
    pub const INS_element = ByImm5(0, InsertElement);
    pub const INS_general = ByImm5(0, InsertGeneral);
    pub const SMOV = Move(true);
    pub const UMOV = Move(false);
    pub const MODIMM = ModifiedImmediate;
};

fn UInt(comptime log: u2) type {
    return @Int(.unsigned, 8 << log);
}

inline fn imm5(insn: u32) u32 {
    return regs.bits(insn, 20, 16);
}

/// Element size by the lowest set bit of imm5; null when none of the four is set.
inline fn sizeOf(insn: u32) ?u2 {
    const size = @ctz(imm5(insn) | 0x20);
    return if (size > 3) null else @intCast(size);
}

inline fn element(comptime T: type, r: *Block, index: usize, at: usize) T {
    const all: *align(16) const [128 / @bitSizeOf(T)]T = @ptrCast(&r.v[index]);
    return all[at];
}

/// Ones in one element, wherever it is: the element is at 16.
fn Ones(comptime T: type) type {
    return struct {
        const bytes: [32]u8 = @as([16]u8, @splat(0)) ++ @as([@sizeOf(T)]u8, @splat(0xff)) ++ @as([16 - @sizeOf(T)]u8, @splat(0));
    };
}

/// Replaces one element, writing the register as a whole.
inline fn setElement(comptime T: type, r: *Block, index: usize, at: usize, value: T) void {
    const V = @Vector(128 / @bitSizeOf(T), T);
    const mask: V = @bitCast(Ones(T).bytes[16 - at * @sizeOf(T) ..][0..16].*);
    const old = regs.get(V, r, index);
    regs.set(r, index, old ^ ((old ^ @as(V, @splat(value))) & mask));
}

fn ByImm5(comptime low: u2, comptime Make: fn (comptime log: u2) type) type {
    return struct {
        pub fn select(comptime S: type, insn: u32) ?S.H {
            switch (sizeOf(insn) orelse return null) {
                inline else => |log| return if (log < low) null else S.of(Make(log).run),
            }
        }
    };
}

fn Duplicate(comptime general: bool) type {
    return struct {
        pub fn select(comptime S: type, insn: u32) ?S.H {
            const size = sizeOf(insn) orelse return null;
            switch (@as(u3, @intCast((insn >> 30 & 1) << 2 | @as(u32, size)))) {
                inline else => |k| return if (k == 3) null else S.of(Run(k & 3, k > 3).run),
            }
        }

        fn Run(comptime log: u2, comptime full: bool) type {
            const T = UInt(log);
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    const n = regs.fieldN(insn);
                    const x: T = if (general) @truncate(regs.getX(r, n)) else element(T, r, n, imm5(insn) >> (@as(u5, log) + 1));
                    regs.set(r, regs.fieldD(insn), @as(@Vector((if (full) 16 else 8) >> log, T), @splat(x)));
                }
            };
        }
    };
}

fn DuplicateScalar(comptime log: u2) type {
    const T = UInt(log);
    return struct {
        pub fn run(r: *Block, insn: u32) void {
            regs.set(r, regs.fieldD(insn), element(T, r, regs.fieldN(insn), imm5(insn) >> (@as(u5, log) + 1)));
        }
    };
}

fn InsertElement(comptime log: u2) type {
    const T = UInt(log);
    return struct {
        pub fn run(r: *Block, insn: u32) void {
            const x = element(T, r, regs.fieldN(insn), regs.bits(insn, 14, 11) >> log);
            setElement(T, r, regs.fieldD(insn), imm5(insn) >> (@as(u5, log) + 1), x);
        }
    };
}

fn InsertGeneral(comptime log: u2) type {
    const T = UInt(log);
    return struct {
        pub fn run(r: *Block, insn: u32) void {
            const x: T = @truncate(regs.getX(r, regs.fieldN(insn)));
            setElement(T, r, regs.fieldD(insn), imm5(insn) >> (@as(u5, log) + 1), x);
        }
    };
}

/// SMOV goes to any wider register, UMOV to the one of its size.
fn Move(comptime signed: bool) type {
    return struct {
        pub fn select(comptime S: type, insn: u32) ?S.H {
            const size = sizeOf(insn) orelse return null;
            return switch ((insn >> 30 & 1) << 2 | @as(u32, size)) {
                0 => S.of(Run(0, false).run),
                1 => S.of(Run(1, false).run),
                2 => if (signed) null else S.of(Run(2, false).run),
                4 => if (signed) S.of(Run(0, true).run) else null,
                5 => if (signed) S.of(Run(1, true).run) else null,
                6 => if (signed) S.of(Run(2, true).run) else null,
                7 => if (signed) null else S.of(Run(3, true).run),
                else => null,
            };
        }

        fn Run(comptime log: u2, comptime wide: bool) type {
            const T = UInt(log);
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    const x = element(T, r, regs.fieldN(insn), imm5(insn) >> (@as(u5, log) + 1));
                    if (!signed) return regs.setX(r, regs.fieldD(insn), x);
                    const s: i64 = @as(@Int(.signed, 8 << log), @bitCast(x));
                    const out: u64 = @bitCast(s);
                    regs.setX(r, regs.fieldD(insn), if (wide) out else @as(u32, @truncate(out)));
                }
            };
        }
    };
}

const Immediate = enum { move, bic, orr };

const ModifiedImmediate = struct {
    pub fn select(comptime S: type, insn: u32) ?S.H {
        const op = insn >> 29 & 1;
        const cmode = regs.bits(insn, 15, 12);
        const full = insn >> 30 & 1 != 0;
        if (regs.bits(insn, 11, 11) != 0) return if (op == 0 and cmode == 15) pick(S, .move, full) else null;
        if (cmode == 15 and op == 1 and !full) return null;
        if (cmode < 12 and cmode & 1 != 0) return if (op == 1) pick(S, .bic, full) else pick(S, .orr, full);
        return pick(S, .move, full);
    }

    inline fn pick(comptime S: type, comptime kind: Immediate, full: bool) S.H {
        return if (full) S.of(Run(kind, true).run) else S.of(Run(kind, false).run);
    }

    fn Run(comptime kind: Immediate, comptime full: bool) type {
        return struct {
            pub fn run(r: *Block, insn: u32) void {
                const d = regs.fieldD(insn);
                const imm: regs.U64x2 = @splat(expand(insn));
                const old = regs.get(regs.U64x2, r, d);
                regs.setQ(r, full, d, switch (kind) {
                    .move => imm,
                    .bic => old & ~imm,
                    .orr => old | imm,
                });
            }
        };
    }
};

/// AdvSIMDExpandImm with MVNI's inversion applied (not BIC's).
pub fn expand(insn: u32) u64 {
    const imm: u64 = regs.bits(insn, 18, 16) << 5 | regs.bits(insn, 9, 5);
    const op = insn >> 29 & 1;
    const cmode = regs.bits(insn, 15, 12);
    const word = 0x0000_0001_0000_0001;
    const invert = op == 1 and cmode & 1 == 0;
    return switch (cmode) {
        0...7 => flip(imm << @intCast(8 * (cmode >> 1)), word, invert),
        8...11 => flip(imm << @intCast(8 * (cmode >> 1 & 1)), 0x0001_0001_0001_0001, invert),
        12 => flip(imm << 8 | 0xff, word, op == 1),
        13 => flip(imm << 16 | 0xffff, word, op == 1),
        14 => if (op == 0) imm * 0x0101_0101_0101_0101 else bytes(imm),
        else => if (regs.bits(insn, 11, 11) != 0)
            scalar_fp.expandImmediate(&core.half, @intCast(imm)) * 0x0001_0001_0001_0001
        else if (op == 0)
            scalar_fp.expandImmediate(&core.single, @intCast(imm)) * word
        else
            scalar_fp.expandImmediate(&core.double, @intCast(imm)),
    };
}

fn flip(imm: u64, pattern: u64, invert: bool) u64 {
    const x = imm * pattern;
    return if (invert) ~x else x;
}

/// Every bit of `imm` as a whole byte.
fn bytes(imm: u64) u64 {
    var out: u64 = 0;
    for (0..8) |i| {
        if (imm >> @intCast(i) & 1 != 0) out |= @as(u64, 0xff) << @intCast(8 * i);
    }
    return out;
}
