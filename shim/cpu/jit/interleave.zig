//! Elements that lie in turn in memory and together in registers: what LD2 to LD4 part and ST2 to ST4 join.

const sse = @import("sse.zig");
const x64 = @import("x64.zig");
const Translator = @import("translate.zig").Translator;

const Xmm = x64.Xmm;

/// Where the bytes of a vector come from among 16, for `pshufb`.
const Shuffle = [16]u8;

/// Of three registers of `scale`-sized elements: what part k takes from register r of memory, and what that takes from part k.
const parting = table(false);
const joining = table(true);

const Table = [4][3][3]Shuffle;

fn table(comptime joins: bool) Table {
    @setEvalBranchQuota(20000);
    var all: Table align(16) = undefined;
    for (&all, 0..) |*parts, scale| for (parts, 0..) |*registers, k| for (registers, 0..) |*shuffle, r| for (shuffle, 0..) |*from, i| {
        const in_element = i & ((1 << scale) - 1);
        if (joins) {
            const element = (16 * r + i) >> scale;
            from.* = if (element % 3 == k) element / 3 << scale | in_element else 0x80;
        } else {
            const byte = (3 * (i >> scale) + k) << scale | in_element;
            from.* = if (byte >> 4 == r) byte & 15 else 0x80;
        }
    };
    return all;
}

/// So that the host may use them as operands.
const masks: struct { parting: Table align(16) = parting, joining: Table align(16) = joining } = .{};

const move = sse.move;
const op = sse.op;

/// The `parts` registers of elements, in turn, of which `all` has the bytes. All 16 bytes of each register, or 8 and zeros. Uses xmm0, xmm1, xmm15, rcx.
pub fn part(t: *Translator, all: *[4]Xmm, parts: u3, scale: u2, full: bool) void {
    if (parts == 3) {
        three(t, all, &masks.parting[scale], full, false);
    } else if (parts == 2) {
        const second = if (full) all[1] else all[0];
        every(t, .xmm0, all[0], second, scale, false);
        every(t, .xmm1, all[0], second, scale, true);
        move(t, all[0], .xmm0);
        move(t, all[1], .xmm1);
    } else {
        // Of neighbours first, then of what that leaves.
        const high = if (full) [2]Xmm{ all[2], all[3] } else .{ all[1], all[1] };
        const low = if (full) [2]Xmm{ all[0], all[1] } else .{ all[0], all[1] };
        const even = t.copies.spare();
        const odd = t.copies.spare();
        every(t, even, low[0], low[1], scale, false);
        every(t, odd, low[0], low[1], scale, true);
        if (full) {
            every(t, .xmm0, high[0], high[1], scale, false);
            every(t, .xmm1, high[0], high[1], scale, true);
        } else {
            move(t, .xmm0, even);
            move(t, .xmm1, odd);
        }
        every(t, all[0], even, .xmm0, scale, false);
        every(t, all[2], even, .xmm0, scale, true);
        every(t, all[1], odd, .xmm1, scale, false);
        every(t, all[3], odd, .xmm1, scale, true);
    }
    if (!full) for (all[0..parts]) |x| t.a.sse(.f3, 0x7e, x, .{ .xmm = x });
}

/// dst = every second element of a, then of b, from the first or second on. dst is not xmm15, which it uses, nor b unless a is too.
pub fn every(t: *Translator, dst: Xmm, a: Xmm, b: Xmm, log: sse.Log, second: bool) void {
    move(t, dst, a);
    switch (log) {
        0, 1 => {
            // As elements twice as wide, of which the lower halves are kept.
            move(t, .xmm15, b);
            for ([2]Xmm{ dst, .xmm15 }) |x| {
                if (second) {
                    sse.shift(t, @as(u8, log) + 1, 2, x, @as(u32, 8) << log);
                } else if (log == 0) {
                    sse.with(t, 0xdb, x, "low_byte", 1);
                } else {
                    sse.with(t, 0xdb, x, "low_half", 0);
                }
            }
            if (log == 0) op(t, 0x67, dst, .xmm15) else sse.op38(t, 0x2b, dst, .xmm15);
        },
        2 => {
            t.a.sse(.none, 0xc6, dst, .{ .xmm = b });
            t.a.imm8(if (second) 0xdd else 0x88);
        },
        3 => sse.unpack(t, 3, dst, b, second),
    }
}

/// What memory gets of `parts` registers of elements: `all` is what lies there then, 16 bytes at a time. Uses xmm0, xmm1, xmm15, rcx.
pub fn join(t: *Translator, all: *[4]Xmm, parts: u3, scale: u2, full: bool) void {
    if (parts == 3) return three(t, all, &masks.joining[scale], full, true);
    if (parts == 2) {
        if (full) turn(t, .xmm1, all[0], all[1], scale, true);
        turn(t, .xmm0, all[0], all[1], scale, false);
        all[0..2].* = .{ .xmm0, .xmm1 };
        return;
    }
    const even = t.copies.spare();
    const odd = t.copies.spare();
    turn(t, even, all[0], all[2], scale, false);
    turn(t, odd, all[1], all[3], scale, false);
    var result: [4]Xmm = undefined;
    for (&result) |*x| x.* = t.copies.spare();
    turn(t, result[0], even, odd, scale, false);
    turn(t, result[1], even, odd, scale, true);
    if (full) {
        turn(t, .xmm0, all[0], all[2], scale, true);
        turn(t, .xmm1, all[1], all[3], scale, true);
        turn(t, result[2], .xmm0, .xmm1, scale, false);
        turn(t, result[3], .xmm0, .xmm1, scale, true);
    }
    all.* = result;
}

/// dst, which is not b, = the elements of the lower (or upper) halves of a and b in turn.
fn turn(t: *Translator, dst: Xmm, a: Xmm, b: Xmm, scale: u2, upper: bool) void {
    move(t, dst, a);
    sse.unpack(t, scale, dst, b, upper);
}

/// Each of three registers is made of bytes of three others.
fn three(t: *Translator, all: *[4]Xmm, shuffles: *const [3][3]Shuffle, full: bool, joins: bool) void {
    const from = all.*;
    // Half registers are 24 bytes in memory.
    const sources: usize = if (full or joins) 3 else 2;
    const results: usize = if (full or !joins) 3 else 2;
    t.a.movImm(.rcx, @intFromPtr(shuffles));
    for (0..results) |r| {
        const x = t.copies.spare();
        for (0..sources) |k| {
            const mask: usize = if (joins) 3 * k + r else 3 * r + k;
            const dst = if (k == 0) x else .xmm15;
            move(t, dst, from[k]);
            t.a.sse38(0x00, dst, .{ .mem = .{ .base = .rcx, .disp = @intCast(16 * mask) } });
            if (k != 0) op(t, 0xeb, x, .xmm15);
        }
        all[r] = x;
    }
}

/// Every element of x becomes its first. Uses xmm15.
pub fn spread(t: *Translator, x: Xmm, scale: u2) void {
    switch (scale) {
        0 => {
            sse.zeroes(t, .xmm15);
            sse.op38(t, 0x00, x, .xmm15);
        },
        1 => {
            t.a.sse(.f2, 0x70, x, .{ .xmm = x });
            t.a.imm8(0);
            op(t, 0x6c, x, x);
        },
        2 => sse.shuffle(t, x, x, 0),
        3 => op(t, 0x6c, x, x),
    }
}
