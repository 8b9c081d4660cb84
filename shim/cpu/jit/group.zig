//! Accesses of a block off one base register: their page is looked up once, for all of them.
//!
//! The first of them checks that the whole range lies in one page that allows what all of them do, and keeps its host pointer in
//! `Cpu.pointers`. When that fails, the block goes on in code that looks up each access (`service.plain`). Mappings do
//! not change while a block runs. Accesses that add up the same registers share a look-up too: an element is read, and written.

const decoder = @import("../decoder.zig");
const fields = @import("../interp/fields.zig");
const info = @import("info.zig");
const layout = @import("layout.zig");
const memory = @import("memory.zig");
const Translator = @import("translate.zig").Translator;

const bit = fields.bit;
const bits = fields.bits;

/// Bytes from..to around a base register, and whether they may be written. `origin`: where the pointer points.
pub const Range = struct { from: i32, to: i32, origin: i32, writes: bool };

/// Ranges longer than this would leave their page too often.
pub const longest = 256;

/// An access at a constant distance from its base.
const Fixed = struct { offset: i32, bytes: i32, writes: bool, back: i32 };

/// The access of an instruction, when its base is n and its offset a constant. `back`: what the base grows by.
pub fn fixedAccess(insn: u32, n: u32) ?Fixed {
    if (decoder.isSimd(insn) or fields.rn(insn) != n) return null;
    switch (info.class(insn) orelse return null) {
        .unsigned_offset => {
            const x = memory.transfer(insn) orelse return null;
            if (x.kind == .prefetch) return null;
            return of(x, @intCast(bits(insn, 10, 12) << x.scale), 0);
        },
        .unscaled => {
            const x = memory.transfer(insn) orelse return null;
            if (x.kind == .prefetch) return null;
            return of(x, @intCast(fields.signed(insn, 12, 9)), 0);
        },
        .indexed => {
            const x = memory.transfer(insn) orelse return null;
            if (x.kind == .prefetch) return null;
            const offset: i32 = @intCast(fields.signed(insn, 12, 9));
            return of(x, if (bit(insn, 11)) offset else 0, offset);
        },
        .pair => {
            const p = memory.pairOf(insn) orelse return null;
            return .{
                .offset = if (p.mode == .post) 0 else p.offset,
                .bytes = @as(i32, 2) << p.scale,
                .writes = !p.loads,
                .back = if (p.mode == .offset) 0 else p.offset,
            };
        },
        else => return null,
    }
}

fn of(x: memory.Transfer, offset: i32, back: i32) Fixed {
    return .{ .offset = offset, .bytes = @as(i32, 1) << x.scale, .writes = x.kind == .store or x.kind == .store_vector, .back = back };
}

/// May the instruction change register n other than by the write-back of `fixedAccess`?
pub fn changes(insn: u32, n: u32) bool {
    const d = bits(insn, 0, 5);
    if (decoder.isSimd(insn)) return n != layout.sp and d == n;
    const class = info.class(insn) orelse return true;
    return switch (class) {
        .add_sub_imm, .add_sub_extended => d == n and !(n == layout.sp and bit(insn, 29)),
        .logical_imm => d == n and !(n == layout.sp and bits(insn, 29, 2) == 3),
        .pair => n != layout.sp and !bit(insn, 26) and (d == n or bits(insn, 10, 5) == n),
        .exclusive, .exclusive_pair, .compare_swap, .compare_swap_pair, .atomic => true,
        .multiple_post, .single_post => fields.rn(insn) == n,
        .indexed => fields.rn(insn) == n or (n != layout.sp and d == n and !bit(insn, 26)),
        .sys, .msr, .svc, .breakpoint, .isb, .branch_reg, .branch_imm => true,
        else => n != layout.sp and d == n,
    };
}

/// The range of the access of the current instruction together with those that follow off the same base; null when none does.
/// Writes behind a conditional branch may never be meant for a page that is only read; the stack is always written.
pub fn rangeAhead(t: *const Translator, n: u32, offset: i32, bytes: i32, writes: bool, grows: i32) ?Range {
    var range: Range = .{ .from = offset, .to = offset + bytes, .origin = 0, .writes = writes };
    var base = grows;
    var found = false;
    var branched = false;
    // Is it the last one off what the register is now?
    if (grows == 0 and changes(t.words[t.first + t.index], n)) return null;
    var i = t.index + 1;
    while (i < t.count) : (i += 1) {
        const insn = t.words[t.first + i];
        if (t.loop) |l| if (l.joins[i]) break;
        if (fixedAccess(insn, n)) |f| {
            if (range.writes or !f.writes or !branched or n == layout.sp) {
                const from = @min(range.from, base + f.offset);
                const to = @max(range.to, base + f.offset + f.bytes);
                if (to - from > longest) break;
                range.from = from;
                range.to = to;
                range.writes = range.writes or f.writes;
                found = true;
            }
            base += f.back;
            if (f.back == 0 and changes(insn, n)) break;
        } else if (changes(insn, n)) {
            break;
        } else if (isConditional(insn)) {
            branched = true;
        }
    }
    range.origin = range.from;
    return if (found) range else null;
}

/// What an instruction adds up was looked up, and whether it may be written.
pub const Sum = struct { insn: u32, writes: bool };

/// Do both access as many bytes at the same sum of registers?
pub fn sameSum(a: u32, b: u32) bool {
    const x = memory.transfer(a) orelse return false;
    const y = memory.transfer(b) orelse return false;
    // Rm, option, S, what tells the class, Rn.
    return (a ^ b) & 0x003f_ffe0 == 0 and info.class(b) == .register_offset and x.scale == y.scale;
}

/// Do instructions that follow access what this one adds up? Null: none does; else whether the look-up has to be for writing (as in `rangeAhead`).
pub fn sumAhead(t: *const Translator, insn: u32) ?bool {
    const n = fields.rn(insn);
    const m = fields.rm(insn);
    if (changes(insn, n) or changes(insn, m)) return null;
    var all = stores(insn);
    var found = false;
    var branched = false;
    for (t.words[t.first + t.index + 1 .. t.first + t.count], t.index + 1..) |next, i| {
        if (t.loop) |l| if (l.joins[i]) break;
        if (!decoder.isSimd(next) and sameSum(insn, next)) {
            if (all or !stores(next) or !branched) {
                all = all or stores(next);
                found = true;
            }
        } else if (isConditional(next)) branched = true;
        if (changes(next, n) or changes(next, m)) break;
    }
    return if (found) all else null;
}

fn stores(insn: u32) bool {
    const x = memory.transfer(insn).?;
    return x.kind == .store or x.kind == .store_vector;
}

fn isConditional(insn: u32) bool {
    if (decoder.isSimd(insn)) return false;
    return switch (info.class(insn) orelse return false) {
        .branch_cond, .compare_branch, .test_branch => true,
        else => false,
    };
}
