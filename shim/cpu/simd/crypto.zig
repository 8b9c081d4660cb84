//! Cryptographic instructions: AES rounds, SHA1, SHA256.

const std = @import("std");
const builtin = @import("builtin");
const abi = @import("../../abi.zig");
const regs = @import("regs.zig");
const sel = @import("select.zig");
const x86 = @import("../x86.zig");

const Block = abi.RegisterBlock;
const U64x2 = regs.U64x2;
const U32x4 = @Vector(4, u32);

pub const ops = struct {
    pub const AESE = sel.One(aesEncrypt);
    pub const AESD = sel.One(aesDecrypt);
    pub const AESMC = sel.One(aesMix);
    pub const AESIMC = sel.One(aesInverseMix);
    pub const SHA1C = sel.One(Sha1Hash(choose).run);
    pub const SHA1P = sel.One(Sha1Hash(parity).run);
    pub const SHA1M = sel.One(Sha1Hash(majority).run);
    pub const SHA1SU0 = sel.One(sha1Schedule0);
    pub const SHA1H = sel.One(sha1Rotate);
    pub const SHA1SU1 = sel.One(sha1Schedule1);
    pub const SHA256H = sel.One(sha256First);
    pub const SHA256H2 = sel.One(sha256Second);
    pub const SHA256SU0 = sel.One(sha256Schedule0);
    pub const SHA256SU1 = sel.One(sha256Schedule1);
};

/// One AES-NI instruction of two operands; only where `features.aes` is set.
inline fn native(comptime name: []const u8, a: U64x2, b: U64x2) U64x2 {
    return asm (name ++ " %[b], %[a]"
        : [a] "=x" (-> U64x2),
        : [in] "0" (a),
          [b] "x" (b),
    );
}

inline fn hasAes() bool {
    return builtin.cpu.arch == .x86_64 and x86.features.aes;
}

const zero: U64x2 = @splat(0);

fn aesEncrypt(r: *Block, insn: u32) void {
    const d = regs.fieldD(insn);
    const x = regs.get(U64x2, r, d) ^ regs.get(U64x2, r, regs.fieldN(insn));
    regs.set(r, d, if (hasAes()) native("aesenclast", x, zero) else substitute(x, &sbox, 5));
}

fn aesDecrypt(r: *Block, insn: u32) void {
    const d = regs.fieldD(insn);
    const x = regs.get(U64x2, r, d) ^ regs.get(U64x2, r, regs.fieldN(insn));
    regs.set(r, d, if (hasAes()) native("aesdeclast", x, zero) else substitute(x, &inverse_sbox, 13));
}

fn aesMix(r: *Block, insn: u32) void {
    const x = regs.get(U64x2, r, regs.fieldN(insn));
    const out = if (hasAes()) native("aesenc", native("aesdeclast", x, zero), zero) else mixColumns(x, .{ 2, 3, 1, 1 });
    regs.set(r, regs.fieldD(insn), out);
}

fn aesInverseMix(r: *Block, insn: u32) void {
    const x = regs.get(U64x2, r, regs.fieldN(insn));
    const out = if (hasAes()) native("aesdec", native("aesenclast", x, zero), zero) else mixColumns(x, .{ 14, 11, 13, 9 });
    regs.set(r, regs.fieldD(insn), out);
}

/// ShiftRows (row i moves by i columns: source step 5, inverse 13) and SubBytes.
noinline fn substitute(x: U64x2, box: *const [256]u8, step: usize) U64x2 {
    const in: [16]u8 = @bitCast(x);
    var out: [16]u8 = undefined;
    for (&out, 0..) |*o, i| o.* = box[in[((i & 3) * step + (i & 12)) & 15]];
    return @bitCast(out);
}

fn times(a: u8, factor: u8) u8 {
    var out: u8 = 0;
    var x = a;
    var f = factor;
    while (f != 0) : (f >>= 1) {
        if (f & 1 != 0) out ^= x;
        x = x << 1 ^ (if (x & 0x80 != 0) @as(u8, 0x1b) else 0);
    }
    return out;
}

noinline fn mixColumns(x: U64x2, factors: [4]u8) U64x2 {
    const in: [16]u8 = @bitCast(x);
    var out: [16]u8 = @splat(0);
    for (&out, 0..) |*o, i| {
        for (factors, 0..) |f, k| o.* ^= times(in[(i & 12) | (i + k & 3)], f);
    }
    return @bitCast(out);
}

const sbox: [256]u8 = blk: {
    @setEvalBranchQuota(20_000);
    var table: [256]u8 = undefined;
    // Walk the multiplicative group with generator 3 and its inverse at once.
    var p: u8 = 1;
    var q: u8 = 1;
    while (true) {
        p ^= p << 1 ^ (if (p & 0x80 != 0) 0x1b else 0);
        q ^= q << 1;
        q ^= q << 2;
        q ^= q << 4;
        if (q & 0x80 != 0) q ^= 0x09;
        table[p] = q ^ std.math.rotl(u8, q, 1) ^ std.math.rotl(u8, q, 2) ^ std.math.rotl(u8, q, 3) ^ std.math.rotl(u8, q, 4) ^ 0x63;
        if (p == 1) break;
    }
    table[0] = 0x63;
    break :blk table;
};

const inverse_sbox: [256]u8 = blk: {
    @setEvalBranchQuota(2000);
    var table: [256]u8 = undefined;
    for (sbox, 0..) |s, i| table[s] = i;
    break :blk table;
};

inline fn rotl(x: u32, comptime n: u5) u32 {
    return std.math.rotl(u32, x, @as(u32, n));
}

inline fn rotr(x: u32, comptime n: u5) u32 {
    return std.math.rotr(u32, x, @as(u32, n));
}

inline fn choose(x: u32, y: u32, z: u32) u32 {
    return ((y ^ z) & x) ^ z;
}

inline fn parity(x: u32, y: u32, z: u32) u32 {
    return x ^ y ^ z;
}

inline fn majority(x: u32, y: u32, z: u32) u32 {
    return (x & y) | ((x | y) & z);
}

/// Four rounds of SHA1 on d with e in Sn and the schedule in Vm.
fn Sha1Hash(comptime f: fn (x: u32, y: u32, z: u32) callconv(.@"inline") u32) type {
    return struct {
        fn run(r: *Block, insn: u32) void {
            const d = regs.fieldD(insn);
            var x: [4]u32 = regs.get(U32x4, r, d);
            var y: u32 = @truncate(r.v[regs.fieldN(insn)][0]);
            const w: [4]u32 = regs.get(U32x4, r, regs.fieldM(insn));
            inline for (0..4) |i| {
                y +%= rotl(x[0], 5) +% f(x[1], x[2], x[3]) +% w[i];
                x[1] = rotl(x[1], 30);
                const old = x;
                x = .{ y, old[0], old[1], old[2] };
                y = old[3];
            }
            regs.set(r, d, @as(U32x4, x));
        }
    };
}

fn sha1Schedule0(r: *Block, insn: u32) void {
    const d = regs.fieldD(insn);
    const a = r.v[d];
    const b = r.v[regs.fieldN(insn)];
    const middle: U64x2 = .{ a[1], b[0] };
    regs.set(r, d, middle ^ @as(U64x2, a) ^ regs.get(U64x2, r, regs.fieldM(insn)));
}

fn sha1Rotate(r: *Block, insn: u32) void {
    const x: u32 = @truncate(r.v[regs.fieldN(insn)][0]);
    regs.set(r, regs.fieldD(insn), rotl(x, 30));
}

fn sha1Schedule1(r: *Block, insn: u32) void {
    const d = regs.fieldD(insn);
    const a: [4]u32 = regs.get(U32x4, r, d);
    const b: [4]u32 = regs.get(U32x4, r, regs.fieldN(insn));
    const t0 = rotl(a[0] ^ b[1], 1);
    const t1 = rotl(a[1] ^ b[2], 1);
    const t2 = rotl(a[2] ^ b[3], 1);
    regs.set(r, d, U32x4{ t0, t1, t2, rotl(a[3], 1) ^ rotl(t0, 1) });
}

/// Four rounds; answers both halves of the state.
inline fn sha256Rounds(x_in: [4]u32, y_in: [4]u32, w: [4]u32) struct { x: [4]u32, y: [4]u32 } {
    var x = x_in;
    var y = y_in;
    inline for (0..4) |i| {
        const sigma1 = rotr(y[0], 6) ^ rotr(y[0], 11) ^ rotr(y[0], 25);
        const t = y[3] +% sigma1 +% choose(y[0], y[1], y[2]) +% w[i];
        const sigma0 = rotr(x[0], 2) ^ rotr(x[0], 13) ^ rotr(x[0], 22);
        const new_y = t +% x[3];
        const new_x = t +% sigma0 +% majority(x[0], x[1], x[2]);
        const old_x = x;
        const old_y = y;
        x = .{ new_x, old_x[0], old_x[1], old_x[2] };
        y = .{ new_y, old_y[0], old_y[1], old_y[2] };
    }
    return .{ .x = x, .y = y };
}

fn sha256First(r: *Block, insn: u32) void {
    const d = regs.fieldD(insn);
    const w: [4]u32 = regs.get(U32x4, r, regs.fieldM(insn));
    const out = sha256Rounds(regs.get(U32x4, r, d), regs.get(U32x4, r, regs.fieldN(insn)), w);
    regs.set(r, d, @as(U32x4, out.x));
}

fn sha256Second(r: *Block, insn: u32) void {
    const d = regs.fieldD(insn);
    const w: [4]u32 = regs.get(U32x4, r, regs.fieldM(insn));
    const out = sha256Rounds(regs.get(U32x4, r, regs.fieldN(insn)), regs.get(U32x4, r, d), w);
    regs.set(r, d, @as(U32x4, out.y));
}

fn sha256Schedule0(r: *Block, insn: u32) void {
    const d = regs.fieldD(insn);
    const a: [4]u32 = regs.get(U32x4, r, d);
    const next: [4]u32 = .{ a[1], a[2], a[3], @truncate(r.v[regs.fieldN(insn)][0]) };
    var out: [4]u32 = undefined;
    inline for (0..4) |i| out[i] = a[i] +% (rotr(next[i], 7) ^ rotr(next[i], 18) ^ next[i] >> 3);
    regs.set(r, d, @as(U32x4, out));
}

fn sha256Schedule1(r: *Block, insn: u32) void {
    const d = regs.fieldD(insn);
    const a: [4]u32 = regs.get(U32x4, r, d);
    const n: [4]u32 = regs.get(U32x4, r, regs.fieldN(insn));
    const m: [4]u32 = regs.get(U32x4, r, regs.fieldM(insn));
    const from = [4]u32{ n[1], n[2], n[3], m[0] };
    var out: [4]u32 = undefined;
    inline for (0..4) |i| {
        const w = if (i < 2) m[2 + i] else out[i - 2];
        out[i] = (rotr(w, 17) ^ rotr(w, 19) ^ w >> 10) +% a[i] +% from[i];
    }
    regs.set(r, d, @as(U32x4, out));
}
