//! What the translator asks about an instruction word again and again, while it looks ahead: remembered by the word, under the cache's mutex.

const std = @import("std");
const decoder = @import("../decoder.zig");
const flags = @import("flags.zig");
const recipe = @import("recipe.zig");
const Class = @import("../table_int.zig").Class;

const Info = struct {
    known: bool,
    insn: u32,
    /// Null: SIMD, or undefined.
    class: ?Class,
    effect: flags.Effect,
    ends: bool,
    written: u64,
};

/// Direct mapped. Zeros at first, which take no memory.
var table: [1 << bits]Info = std.mem.zeroes([1 << bits]Info);
const bits = 12;

fn of(insn: u32) *const Info {
    const i = &table[(insn *% 0x9e37_79b1) >> (32 - bits)];
    if (i.insn == insn and i.known) return i;
    const class_ = if (decoder.isSimd(insn)) null else decoder.class(insn);
    i.* = .{
        .known = true,
        .insn = insn,
        .class = class_,
        .effect = flags.effectOf(insn, class_),
        .ends = flags.endsBlockOf(insn, class_),
        .written = recipe.writtenBy(insn, class_),
    };
    return i;
}

pub fn class(insn: u32) ?Class {
    return of(insn).class;
}

pub fn effect(insn: u32) flags.Effect {
    return of(insn).effect;
}

/// Nothing of the same block follows.
pub fn endsBlock(insn: u32) bool {
    return of(insn).ends;
}

/// Registers that the instruction may change, a bit each; more rather than fewer.
pub fn written(insn: u32) u64 {
    return of(insn).written;
}
