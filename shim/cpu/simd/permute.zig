//! Advanced SIMD permute (ZIP, UZP, TRN), extract (EXT) and table lookup (TBL, TBX).

const builtin = @import("builtin");
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
    pub const EXT = Extract;
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

/// Bytes from `at` on of m:n; a 64-bit vector allows 0 to 7.
const Extract = struct {
    pub fn select(comptime S: type, insn: u32) ?S.H {
        switch (@as(u5, @intCast((insn >> 30 & 1) << 4 | regs.bits(insn, 14, 11)))) {
            inline else => |k| {
                if (k < 16 and k > 7) return null;
                return S.of(if (k < 16) Run(@Vector(8, u8), k).run else Run(@Vector(16, u8), k - 16).run);
            },
        }
    }

    fn Run(comptime V: type, comptime at: i32) type {
        const n = int.lanesOf(V);
        comptime var mask: [n]i32 = undefined;
        inline for (0..n) |i| mask[i] = if (at + i < n) at + i else ~@as(i32, at + i - n);
        const final = mask;
        return struct {
            pub fn run(r: *Block, insn: u32) void {
                const x = @shuffle(u8, regs.get(V, r, regs.fieldN(insn)), regs.get(V, r, regs.fieldM(insn)), final);
                regs.set(r, regs.fieldD(insn), x);
            }
        };
    }
};

const Bytes = @Vector(16, u8);

/// Lane i of the result is table[index[i]], or 0 when bit 7 of the index is set.
inline fn shuffleBytes(table: Bytes, index: Bytes) Bytes {
    if (builtin.cpu.arch == .x86_64) return asm ("pshufb %[index], %[table]"
        : [table] "=x" (-> Bytes),
        : [in] "0" (table),
          [index] "x" (index),
    );
    const t: [16]u8 = table;
    const at: [16]u8 = index;
    var out: [16]u8 = undefined;
    for (&out, at) |*o, i| o.* = if (i < 128) t[i & 15] else 0;
    return out;
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
                    const d = regs.fieldD(insn);
                    const index = regs.get(Bytes, r, regs.fieldM(insn));
                    var out: Bytes = @splat(0);
                    inline for (0..count) |i| {
                        // Saturation gives indexes outside this register bit 7, which makes them zero.
                        const local = (index -% @as(Bytes, @splat(16 * i))) +| @as(Bytes, @splat(0x70));
                        out |= shuffleBytes(regs.get(Bytes, r, (n + i) & 31), local);
                    }
                    if (keep) out = @select(u8, index < @as(Bytes, @splat(16 * count)), out, regs.get(Bytes, r, d));
                    regs.setQ(r, full, d, out);
                }
            };
        }
    };
}
