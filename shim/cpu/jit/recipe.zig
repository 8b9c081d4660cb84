//! How NZCV can be computed again from registers, so that it need not be saved before the host's flags are used for something else:
//! from the operands of the instruction that set it, or from its result.

const decoder = @import("../decoder.zig");
const fields = @import("../interp/fields.zig");
const flags = @import("flags.zig");
const info = @import("info.zig");
const layout = @import("layout.zig");
const x64 = @import("x64.zig");
const Class = @import("../table_int.zig").Class;
const Translator = @import("translate.zig").Translator;

const Reg = x64.Reg;
const Rm = x64.Rm;
const Size = x64.Size;
const bit = fields.bit;
const bits = fields.bits;

/// x0..x30, sp as 31, or these: zero, and what the first and the second operand were before their registers changed. Those lie where
/// pc and NZCV do when the task does not run.
const zero = 32;
const kept_first = 33;
const kept_second = 34;

const Second = union(enum) { imm: i32, reg: u6 };

pub const Recipe = struct {
    size: Size,
    op: enum { add, sub, logic },
    /// The first operand, or (`undone`) the result in its place. The result is all that a logical operation needs.
    first: u6,
    second: Second,
    undone: bool,

    /// The registers that have to stay as they are, a bit each.
    pub fn registers(r: Recipe) u64 {
        var all = one(r.first);
        if (r.second == .reg) all |= one(r.second.reg);
        return all;
    }

    fn one(number: u6) u64 {
        return if (number >= zero) 0 else @as(u64, 1) << number;
    }
};

/// Of the instruction, which sets NZCV. Null when that cannot be had again so easily.
pub fn of(insn: u32) ?Recipe {
    if (decoder.isSimd(insn)) return null;
    const size: Size = if (bit(insn, 31)) .q else .d;
    const d: u6 = @intCast(fields.rd(insn));
    const n: u6 = @intCast(fields.rn(insn));
    const sums = if (bit(insn, 30)) @as(@FieldType(Recipe, "op"), .sub) else .add;
    switch (info.class(insn) orelse return null) {
        .add_sub_imm => {
            const imm: i32 = @intCast(bits(insn, 10, 12) << (if (bit(insn, 22)) 12 else 0));
            return .{ .size = size, .op = sums, .first = n, .second = .{ .imm = imm }, .undone = d == n and d != 31 };
        },
        .add_sub_shifted => {
            if (bits(insn, 10, 6) != 0) return null;
            const m: u6 = @intCast(fields.rm(insn));
            if (d == m and d != 31) return null;
            return .{ .size = size, .op = sums, .first = general(n), .second = .{ .reg = general(m) }, .undone = d == n and d != 31 };
        },
        .logical_imm, .logical_reg => |class| {
            if (d != 31) return .{ .size = size, .op = .logic, .first = d, .second = .{ .imm = 0 }, .undone = true };
            if (class == .logical_imm) {
                const masks = fields.bitMasks(bits(insn, 22, 1), bits(insn, 10, 6), bits(insn, 16, 6), true) orelse return null;
                const low: u32 = @truncate(masks.wmask);
                const imm: i32 = @bitCast(low);
                if (n == 31 or (size == .q and masks.wmask != @as(u64, @bitCast(@as(i64, imm))))) return null;
                return .{ .size = size, .op = .logic, .first = n, .second = .{ .imm = imm }, .undone = false };
            }
            if (bits(insn, 10, 6) != 0 or bit(insn, 21)) return null;
            const m: u6 = @intCast(fields.rm(insn));
            return .{ .size = size, .op = .logic, .first = general(n), .second = .{ .reg = general(m) }, .undone = false };
        },
        else => return null,
    }
}

fn general(number: u6) u6 {
    return if (number == 31) zero else number;
}

/// Anything may change.
pub const everything = ~@as(u64, 0);

/// Registers that the instruction may change, a bit each; more rather than fewer.
pub fn writtenBy(insn: u32, class: ?Class) u64 {
    const d = @as(u64, 1) << @intCast(bits(insn, 0, 5));
    const n = @as(u64, 1) << @intCast(fields.rn(insn));
    const link = 1 << 30;
    const sp = 1 << layout.sp;
    if (decoder.isSimd(insn)) return d & ~@as(u64, sp);
    const vector = bit(insn, 26);
    const loaded = if (vector or bits(insn, 22, 2) == 0) 0 else d;
    return switch (class orelse return everything) {
        .branch_cond, .compare_branch, .test_branch, .hint, .clrex, .barrier, .cond_compare => 0,
        .branch_imm, .branch_reg => link,
        .indexed => loaded | n,
        .multiple, .single => 0,
        .multiple_post, .single_post => n,
        .pair => pair: {
            const two = if (vector or !bit(insn, 22)) 0 else d | @as(u64, 1) << @intCast(bits(insn, 10, 5));
            break :pair two | (if (bit(insn, 23)) n else 0);
        },
        .adr, .add_sub_imm, .logical_imm, .move_wide, .bitfield, .extract, .mrs => d,
        .logical_reg, .add_sub_shifted, .add_sub_extended, .add_sub_carry, .cond_select => d,
        .two_source, .crc32, .one_source, .three_source, .literal => d,
        .unsigned_offset, .unscaled, .unprivileged, .register_offset => loaded,
        .ordered, .ordered_unscaled, .load_acquire_pc => d,
        else => everything,
    };
}

/// The same recipe, whose operands among the registers `changed` are kept. The host's flags stay.
pub fn keep(t: *Translator, r: Recipe, changed: u64) Recipe {
    var kept = r;
    if (changed & Recipe.one(r.first) != 0) {
        t.a.store(.q, .{ .mem = layout.blockField("pc") }, t.useSp(.q, r.first, .rax));
        kept.first = kept_first;
    }
    if (r.second == .reg and changed & Recipe.one(r.second.reg) != 0) {
        t.a.store(.q, .{ .mem = layout.blockField("pstate") }, t.useSp(.q, r.second.reg, .rax));
        kept.second = .{ .reg = kept_second };
    }
    return kept;
}

fn place(t: *Translator, number: u6, scratch: Reg) Rm {
    switch (number) {
        zero => {
            t.a.movImm(scratch, 0);
            return .{ .reg = scratch };
        },
        kept_first => return .{ .mem = layout.blockField("pc") },
        kept_second => return .{ .mem = layout.blockField("pstate") },
        else => return t.gprSp(number),
    }
}

pub fn register(t: *Translator, size: Size, number: u6, scratch: Reg) Reg {
    const at = place(t, number, scratch);
    if (at == .reg) return at.reg;
    t.a.mov(size, scratch, at);
    return scratch;
}

/// Computes NZCV into the host's flags. Uses rax and rcx.
pub fn emit(t: *Translator, r: Recipe) flags.Form {
    const a = &t.a;
    const rax: Rm = .{ .reg = .rax };
    switch (r.op) {
        .logic => {
            if (r.undone) {
                const x = register(t, r.size, r.first, .rax);
                a.@"test"(r.size, .{ .reg = x }, x);
            } else switch (r.second) {
                .imm => |imm| a.testImm(r.size, place(t, r.first, .rax), imm),
                .reg => |m| a.@"test"(r.size, place(t, m, .rcx), register(t, r.size, r.first, .rax)),
            }
            return .direct;
        },
        .sub => {
            if (!r.undone) switch (r.second) {
                .imm => |imm| a.aluImm(.cmp, r.size, place(t, r.first, .rax), imm),
                .reg => |m| a.alu(.cmp, r.size, register(t, r.size, r.first, .rax), place(t, m, .rcx)),
            } else switch (r.second) {
                .imm => |imm| {
                    a.lea(r.size, .rax, .{ .base = register(t, .q, r.first, .rax), .disp = imm });
                    a.aluImm(.cmp, r.size, rax, imm);
                },
                .reg => |m| {
                    const y = register(t, .q, m, .rcx);
                    a.lea(r.size, .rax, .{ .base = register(t, .q, r.first, .rax), .index = y });
                    a.alu(.cmp, r.size, .rax, .{ .reg = y });
                },
            }
            return .inverted;
        },
        .add => {
            const x = register(t, .q, r.first, .rax);
            switch (r.second) {
                .imm => |imm| {
                    a.lea(.q, .rax, .{ .base = x, .disp = if (r.undone) -imm else 0 });
                    a.aluImm(.add, r.size, rax, imm);
                },
                .reg => |m| {
                    const y = place(t, m, .rcx);
                    a.movRegs(.q, .rax, x);
                    if (r.undone) a.alu(.sub, r.size, .rax, y);
                    a.alu(.add, r.size, .rax, y);
                },
            }
            return .direct;
        },
    }
}
