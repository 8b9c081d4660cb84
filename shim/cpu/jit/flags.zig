//! Where NZCV is while a block is translated, and who needs it.
//!
//! After a subtraction of the host its flags are the guest's but for the carry, which is inverted: N is SF, Z is ZF, V is OF, C is
//! not CF. After additions and logical operations C is CF.

const cache = @import("cache.zig");
const decoder = @import("../decoder.zig");
const info = @import("info.zig");
const fields = @import("../interp/fields.zig");
const layout = @import("layout.zig");
const rows = @import("rows.zig");
const simd = @import("../simd/simd.zig");
const system = @import("system.zig");
const x64 = @import("x64.zig");
const Class = @import("../table_int.zig").Class;

pub const Condition = @import("../interp/flags.zig").Condition;

/// How C relates to CF.
pub const Form = enum { inverted, direct };

/// NZCV is in `Cpu.flags`, in the host's flags, or (inverted) in both; or it is to be computed again (`Translator.again`).
pub const State = union(enum) { saved, both, host: Form, pending };

/// The host's condition, or null when the form has none.
pub fn hostCc(cc: Condition, form: Form) ?x64.Cc {
    const inverted = form == .inverted;
    return switch (cc) {
        .eq => .e,
        .ne => .ne,
        .hs => if (inverted) .ae else .b,
        .lo => if (inverted) .b else .ae,
        .mi => .s,
        .pl => .ns,
        .vs => .o,
        .vc => .no,
        .hi => if (inverted) .a else null,
        .ls => if (inverted) .be else null,
        .ge => .ge,
        .lt => .l,
        .gt => .g,
        .le => .le,
        .al, .nv => null,
    };
}

/// The host's flags become NZCV in the inverted form. Uses rax.
pub fn set(a: *x64.Asm, nzcv: u32) void {
    a.movImm(.rax, layout.savedFlags(@as(u64, nzcv) << 28));
    a.aluImm(.add, .b, .{ .reg = .rax }, 0x7f);
    a.sahf();
}

pub const Effect = packed struct { reads: bool = false, writes: bool = false };

/// What an instruction does with NZCV. Those that may end up in the interpreter, fault, or leave guest code, read it.
pub fn effectOf(insn: u32, known: ?Class) Effect {
    const both: Effect = .{ .reads = true, .writes = false };
    if (decoder.isSimd(insn)) {
        if (rows.functionOf(insn) == null) return both;
        return switch (simd.usesFlags(insn)) {
            .none => .{},
            .read => both,
            .write => .{ .writes = true },
        };
    }
    const class = known orelse return both;
    if (reserved(class, insn)) return both;
    return switch (class) {
        .add_sub_imm, .add_sub_shifted, .add_sub_extended => .{ .writes = fields.bit(insn, 29) },
        .logical_imm, .logical_reg => .{ .writes = fields.bits(insn, 29, 2) == 3 },
        .add_sub_carry => .{ .reads = true, .writes = fields.bit(insn, 29) },
        .cond_compare => .{ .reads = true, .writes = true },
        .cond_select => .{ .reads = true },
        .branch_cond => .{ .reads = fields.bits(insn, 0, 4) < 14 },
        .adr, .move_wide, .bitfield, .extract, .branch_imm, .compare_branch, .test_branch, .hint, .barrier => .{},
        .two_source, .one_source, .three_source => .{},
        else => both,
    };
}

/// Undefined, though an instruction that sets NZCV by its class.
fn reserved(class: Class, insn: u32) bool {
    const narrow = !fields.bit(insn, 31);
    return switch (class) {
        .logical_imm => (narrow and fields.bit(insn, 22)) or
            fields.bitMasks(fields.bits(insn, 22, 1), fields.bits(insn, 10, 6), fields.bits(insn, 16, 6), true) == null,
        .logical_reg => narrow and fields.bit(insn, 15),
        .add_sub_shifted => (narrow and fields.bit(insn, 15)) or fields.bits(insn, 22, 2) == 3,
        .add_sub_extended => fields.bits(insn, 22, 2) != 0 or fields.bits(insn, 10, 3) > 4,
        else => false,
    };
}

pub fn writes(insn: u32) bool {
    return info.effect(insn).writes;
}

/// Nothing of the same block follows.
pub fn endsBlockOf(insn: u32, known: ?Class) bool {
    if (decoder.isSimd(insn)) return false;
    const class = known orelse return true;
    return switch (class) {
        .branch_imm, .branch_reg, .svc, .breakpoint, .isb => true,
        .branch_cond => fields.bits(insn, 0, 4) >= 14,
        .msr => fields.bits(insn, 5, 15) == system.fpcr,
        else => false,
    };
}

/// For each instruction of a block: is NZCV, as it is after it, needed? `end`: as it is after the last one, when that goes on to
/// the next.
pub fn liveness(words: *const [cache.page_words]u32, first: u32, needed: []bool, end: bool) void {
    var live = end;
    var i = needed.len;
    while (i > 0) {
        i -= 1;
        const word: u32 = first + @as(u32, @intCast(i));
        live = behind(words, word, live, 8);
        needed[i] = live;
        const e = info.effect(words[word]);
        live = e.reads or (live and !e.writes);
    }
}

/// Is NZCV needed behind the instruction at `word`, when it is, or not, by the next one?
fn behind(words: *const [cache.page_words]u32, word: u32, next: bool, depth: u32) bool {
    const insn = words[word];
    if (decoder.isSimd(insn)) return next;
    return switch (info.class(insn) orelse return true) {
        .branch_cond => (fields.bits(insn, 0, 4) < 14 and next) or atTarget(words, word, fields.signed(insn, 5, 19), depth),
        .compare_branch => next or atTarget(words, word, fields.signed(insn, 5, 19), depth),
        .test_branch => next or atTarget(words, word, fields.signed(insn, 5, 14), depth),
        .branch_imm => atTarget(words, word, fields.signed(insn, 0, 26), depth),
        .branch_reg, .svc, .breakpoint, .isb => true,
        else => next,
    };
}

fn atTarget(words: *const [cache.page_words]u32, word: u32, offset: i64, depth: u32) bool {
    const to = @as(i64, word) + offset;
    if (to < 0 or to >= cache.page_words) return true;
    return neededAt(words, @intCast(to), depth);
}

/// Is NZCV needed by what starts at `word`? Looks at most `depth` instructions ahead.
pub fn neededAt(words: *const [cache.page_words]u32, word: u32, depth: u32) bool {
    var at = word;
    var left = depth;
    while (left > 0 and at < cache.page_words) : (at += 1) {
        left -= 1;
        const insn = words[at];
        const e = info.effect(insn);
        if (e.reads) return true;
        if (e.writes) return false;
        // A branch: needed when either way needs it.
        if (behind(words, at, false, left / 2)) return true;
        if (info.endsBlock(insn)) return false;
    }
    return true;
}
