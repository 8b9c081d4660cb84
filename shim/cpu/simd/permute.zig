//! Advanced SIMD permute (ZIP, UZP, TRN), extract (EXT) and table lookup (TBL, TBX).

const std = @import("std");
const abi = @import("../../abi.zig");
const int = @import("int_ops.zig");
const regs = @import("regs.zig");
const sel = @import("select.zig");

const Block = abi.RegisterBlock;

pub const ops = struct {
    pub const UZP1 = Permute(unzip, 0);
    pub const UZP2 = Permute(unzip, 1);
    pub const TRN1 = Permute(transpose, 0);
    pub const TRN2 = Permute(transpose, 1);
    pub const ZIP1 = Permute(zip, 0);
    pub const ZIP2 = Permute(zip, 1);
    pub const EXT = struct {
        pub fn select(comptime S: type, insn: u32) ?S.H {
            if (insn >> 30 & 1 != 0) return S.of(Extract(true).run);
            return if (regs.bits(insn, 14, 14) != 0) null else S.of(Extract(false).run);
        }
    };
    pub const TBL = Table(false);
    pub const TBX = Table(true);
};

/// `order(n, part, i)`: which lane of m:n result lane i is.
fn Permute(comptime order: fn (n: i32, part: i32, i: i32) i32, comptime part: i32) type {
    return sel.BySize(.unsigned, 0, 3, struct {
        fn Make(comptime V: type) type {
            const n = int.lanesOf(V);
            comptime var mask: [n]i32 = undefined;
            inline for (0..n) |i| {
                const at = order(n, part, i);
                mask[i] = if (at < n) at else ~(at - n);
            }
            const final = mask;
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    const a = regs.get(V, r, regs.fieldN(insn));
                    const b = regs.get(V, r, regs.fieldM(insn));
                    regs.set(r, regs.fieldD(insn), @shuffle(int.Child(V), a, b, final));
                }
            };
        }
    }.Make);
}

fn unzip(_: i32, part: i32, i: i32) i32 {
    return 2 * i + part;
}

fn transpose(n: i32, part: i32, i: i32) i32 {
    return (i & ~@as(i32, 1)) + part + (if (i & 1 != 0) n else 0);
}

fn zip(n: i32, part: i32, i: i32) i32 {
    return part * @divExact(n, 2) + (i >> 1) + (if (i & 1 != 0) n else 0);
}

fn Extract(comptime full: bool) type {
    return struct {
        pub fn run(r: *Block, insn: u32) void {
            const at = regs.bits(insn, 14, 11);
            const n = regs.fieldN(insn);
            const m = regs.fieldM(insn);
            if (full) {
                var both: [32]u8 align(16) = undefined;
                both[0..16].* = @bitCast(r.v[n]);
                both[16..32].* = @bitCast(r.v[m]);
                regs.set(r, regs.fieldD(insn), @as(@Vector(16, u8), both[at..][0..16].*));
            } else {
                const both = @as(u128, r.v[m][0]) << 64 | r.v[n][0];
                regs.set(r, regs.fieldD(insn), @as(u64, @truncate(both >> @intCast(8 * at))));
            }
        }
    };
}

fn Table(comptime keep: bool) type {
    return struct {
        pub fn select(comptime S: type, insn: u32) ?S.H {
            switch (@as(u3, @intCast((insn >> 30 & 1) << 2 | regs.bits(insn, 14, 13)))) {
                inline else => |k| return S.of(Run(@as(u32, k & 3) + 1, k > 3).run),
            }
        }

        fn Run(comptime count: u32, comptime full: bool) type {
            return struct {
                pub fn run(r: *Block, insn: u32) void {
                    const n: u32 = regs.fieldN(insn);
                    var table: [16 * count]u8 = undefined;
                    inline for (0..count) |i| table[16 * i ..][0..16].* = @bitCast(r.v[(n + i) & 31]);
                    const size = if (full) 16 else 8;
                    const index: [size]u8 = regs.get(@Vector(size, u8), r, regs.fieldM(insn));
                    var out: [size]u8 = regs.get(@Vector(size, u8), r, regs.fieldD(insn));
                    for (&out, index) |*o, at| {
                        if (at < table.len) o.* = table[at] else if (!keep) o.* = 0;
                    }
                    regs.set(r, regs.fieldD(insn), @as(@Vector(size, u8), out));
                }
            };
        }
    };
}
