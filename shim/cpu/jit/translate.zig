//! Turns A64 words into x86-64 code, a block at a time: straight on from the entry, past conditional branches, to the
//! first unconditional one, the end of the page, or `block_max` instructions.
//!
//! A block starts with fixed registers and NZCV in their places (`layout.zig`), and so does whatever it leads to. In between, NZCV
//! stays in the host's flags as long as nothing else wants those, and is saved only when it is still needed.

const std = @import("std");
const abi = @import("../../abi.zig");
const access = @import("../interp/access.zig");
const cache = @import("cache.zig");
const cold = @import("cold.zig");
const decoder = @import("../decoder.zig");
const fields = @import("../interp/fields.zig");
const flags = @import("flags.zig");
const fp = @import("fp.zig");
const group = @import("group.zig");
const layout = @import("layout.zig");
const patch = @import("patch.zig");
const service = @import("service.zig");
const table = @import("../simd/simd.zig");
const table_simd = @import("../table_simd.zig");
const vector = @import("vector.zig");
const vectors = @import("simd.zig");
const thunks = @import("thunks.zig");
const x64 = @import("x64.zig");

const Asm = x64.Asm;
const Cc = x64.Cc;
const Reg = x64.Reg;
const Rm = x64.Rm;
const Size = x64.Size;

/// The functions that translate a class of instructions; false: the interpreter is to do it.
const chapters = .{
    @import("alu.zig"),
    @import("atomic.zig"),
    @import("branch.zig"),
    @import("memory.zig"),
    @import("sources.zig"),
    @import("structure.zig"),
    @import("system.zig"),
};

pub const block_max = 64;

pub const Exit = struct { target: u64, save: bool, form: flags.Form };

pub const Translator = struct {
    a: Asm,
    page: *cache.Page,
    words: *const [cache.page_words]u32,
    /// Word where the block begins.
    first: u32,
    /// Instructions before the current one, and its address.
    index: u32 = 0,
    pc: u64,
    /// Where the block's code begins.
    code: u32,
    count: u32,
    /// Nothing follows in this block.
    done: bool = false,
    /// Where NZCV is now; whether it is needed after the current instruction.
    state: flags.State = .saved,
    live: bool = true,
    /// sp was found to be aligned, and still is.
    sp_checked: bool = false,
    cold: [4 * block_max]cold.Cold = undefined,
    cold_count: u32 = 0,
    needed: [block_max]bool = undefined,
    copies: vector.Copies = .{},
    /// What is known to lie in one page, by base register (`group.zig`).
    ranges: [32]?group.Range = @splat(null),

    pub fn place(t: *const Translator, mark: bool) u32 {
        return t.placeOf(t.index, mark);
    }

    fn placeOf(t: *const Translator, index: u32, mark: bool) u32 {
        return @bitCast(service.Place{ .page = @intCast(t.page.number), .word = @intCast(t.first + index), .mark = mark });
    }

    // Guest registers.

    /// x0..x30 as an operand. 31 has no place.
    pub fn gpr(_: *const Translator, r: u32) Rm {
        std.debug.assert(r < 31);
        return operandOf(r);
    }

    /// x0..x30 or sp.
    pub fn gprSp(_: *const Translator, r: u32) Rm {
        return operandOf(r);
    }

    fn operandOf(r: u32) Rm {
        return if (layout.hostOf(r)) |h| .{ .reg = h } else .{ .mem = layout.lane(r) };
    }

    /// Copies x0..x30 or (31) zero.
    pub fn load(t: *Translator, size: Size, dst: Reg, r: u32) void {
        if (r == 31) return t.a.movImm(dst, 0);
        if (layout.hostOf(r)) |h| return t.a.movRegs(size, dst, h);
        t.a.mov(size, dst, .{ .mem = layout.lane(r) });
    }

    /// The same as the start of an operation in dst, which clears the upper half of a 32-bit one itself.
    pub fn start(t: *Translator, size: Size, dst: Reg, r: u32) void {
        if (r != 31 and layout.hostOf(r) == dst) return;
        t.load(size, dst, r);
    }

    pub fn startSp(t: *Translator, size: Size, dst: Reg, r: u32) void {
        if (layout.hostOf(r) != dst) t.a.mov(size, dst, operandOf(r));
    }

    /// A host register with the value: its own, or scratch.
    pub fn use(t: *Translator, size: Size, r: u32, scratch: Reg) Reg {
        if (r != 31) if (layout.hostOf(r)) |h| return h;
        t.load(size, scratch, r);
        return scratch;
    }

    pub fn useSp(t: *Translator, size: Size, r: u32, scratch: Reg) Reg {
        if (layout.hostOf(r)) |h| return h;
        t.a.mov(size, scratch, .{ .mem = layout.lane(r) });
        return scratch;
    }

    /// Where to compute what x0..x30 or (31) nothing is to get.
    pub fn target(_: *Translator, r: u32, scratch: Reg) Reg {
        return if (r == 31) scratch else layout.hostOf(r) orelse scratch;
    }

    pub fn targetSp(_: *Translator, r: u32, scratch: Reg) Reg {
        return layout.hostOf(r) orelse scratch;
    }

    /// Gives x0..x30 the 64 bits of src; 31: nobody.
    pub fn put(t: *Translator, r: u32, src: Reg) void {
        if (r != 31) t.putSp(r, src);
    }

    pub fn putSp(t: *Translator, r: u32, src: Reg) void {
        if (r == layout.sp) t.sp_checked = false;
        t.ranges[r] = null;
        if (layout.hostOf(r)) |h| {
            t.a.movRegs(.q, h, src);
        } else {
            t.a.store(.q, .{ .mem = layout.lane(r) }, src);
        }
    }

    /// Uses rcx.
    pub fn putImm(t: *Translator, r: u32, value: u64) void {
        if (r == 31) return;
        t.ranges[r] = null;
        if (layout.hostOf(r)) |h| return t.a.movImm(h, value);
        const small: i32 = @truncate(@as(i64, @bitCast(value)));
        if (small == @as(i64, @bitCast(value))) return t.a.storeImm(.q, layout.lane(r), small);
        t.a.movImm(.rcx, value);
        t.put(r, .rcx);
    }

    // NZCV.

    /// Before an instruction of the host that changes its flags, when the guest's does not set NZCV.
    pub fn clobber(t: *Translator) void {
        if (t.live) t.save();
        t.state = .saved;
    }

    /// Saves NZCV if the host's flags have it. They still do afterwards. Uses rax, unless flags are saved already.
    pub fn save(t: *Translator) void {
        const form = switch (t.state) {
            .saved, .both => return,
            .host => |form| form,
        };
        if (form == .direct) t.a.cmc();
        saveHost(&t.a);
        t.state = .both;
    }

    fn saveHost(a: *Asm) void {
        a.lahf();
        a.setcc(.o, .{ .reg = .rax });
        a.store(.d, .{ .mem = layout.cpuField("flags") }, .rax);
    }

    /// Brings NZCV into the host's flags. Uses rax.
    pub fn restore(t: *Translator) flags.Form {
        switch (t.state) {
            .host => |form| return form,
            .both => return .inverted,
            .saved => {},
        }
        restoreHost(&t.a);
        t.state = .both;
        return .inverted;
    }

    pub fn restoreHost(a: *Asm) void {
        a.mov(.d, .rax, .{ .mem = layout.cpuField("flags") });
        a.aluImm(.add, .b, .{ .reg = .rax }, 0x7f);
        a.sahf();
    }

    /// The host's condition for a guest's. Brings NZCV into the host's flags; uses rax.
    pub fn condition(t: *Translator, cc: flags.Condition) Cc {
        const form = t.restore();
        if (flags.hostCc(cc, form)) |host| return host;
        t.a.cmc();
        t.state = .{ .host = .inverted };
        return flags.hostCc(cc, .inverted).?;
    }

    /// The current instruction has set NZCV, which the host's flags have.
    pub fn setFlags(t: *Translator, form: flags.Form) void {
        t.state = .{ .host = form };
    }

    // Ways out.

    fn addCold(t: *Translator, from: x64.Fixup, what: @FieldType(cold.Cold, "what")) void {
        t.cold[t.cold_count] = .{ .from = from, .index = t.index, .copies = t.copies, .what = what };
        t.cold_count += 1;
    }

    /// Goes to the slow path of an access on the host's condition. `back`: where it continues.
    pub fn slowRead(t: *Translator, cc: Cc, size: u8) *u32 {
        t.addCold(t.a.jcc(cc), .{ .read = .{ .size = size, .back = 0 } });
        return &t.cold[t.cold_count - 1].what.read.back;
    }

    pub fn slowWrite(t: *Translator, cc: Cc, size: u8, value: cold.Value) *u32 {
        t.addCold(t.a.jcc(cc), .{ .write = .{ .size = size, .back = 0, .value = value } });
        return &t.cold[t.cold_count - 1].what.write.back;
    }

    pub fn slowBased(t: *Translator, cc: Cc, n: u32, offset: i32, bytes: u8, value: ?cold.Value, clears: bool) *u32 {
        t.addCold(t.a.jcc(cc), .{ .based = .{ .n = n, .offset = offset, .bytes = bytes, .value = value, .clears = clears, .here = 0, .back = 0 } });
        return &t.cold[t.cold_count - 1].what.based.back;
    }

    /// Does the current instruction exactly on the host's condition; `comeBack` follows.
    pub fn exactly(t: *Translator, cc: Cc) void {
        t.addCold(t.a.jcc(cc), .{ .exact = .{ .back = 0, .flags = false } });
    }

    /// Those of the current instruction that went to be done exactly continue here. `before`: how many cold parts there were.
    pub fn comeBack(t: *Translator, before: u32) void {
        for (t.cold[before..t.cold_count]) |*c| {
            c.what.exact.back = t.a.at;
            c.copies = t.copies;
        }
    }

    /// The same where the host's flags are NZCV.
    pub fn comeBackWithFlags(t: *Translator, before: u32) void {
        t.comeBack(before);
        for (t.cold[before..t.cold_count]) |*c| c.what.exact.flags = true;
    }

    pub fn slowModify(t: *Translator, cc: Cc) *u32 {
        t.addCold(t.a.jcc(cc), .{ .modify = .{ .back = 0 } });
        return &t.cold[t.cold_count - 1].what.modify.back;
    }

    pub fn misaligned(t: *Translator, cc: Cc, writes: bool) void {
        t.addCold(t.a.jcc(cc), .{ .misaligned = writes });
    }

    /// sp has to be a multiple of 16 to be the base of an access.
    pub fn checkSp(t: *Translator) void {
        if (t.sp_checked) return;
        t.clobber();
        t.a.testImm(.b, operandOf(layout.sp), 15);
        t.addCold(t.a.jcc(.ne), .misaligned_sp);
        t.sp_checked = true;
    }

    /// Branches to `to` on the host's condition.
    pub fn branchIf(t: *Translator, cc: Cc, to: u64) void {
        const e = t.exitTo(to);
        if (!e.save and t.inPage(to) and t.known(to) == 0) patch.alignField(&t.a, 2);
        t.addCold(t.a.jcc(cc), .{ .exit = e });
    }

    pub fn branchAlways(t: *Translator, to: u64) void {
        t.emitExit(t.exitTo(to), null);
        t.done = true;
    }

    fn exitTo(t: *Translator, to: u64) Exit {
        const form: ?flags.Form = switch (t.state) {
            .saved, .both => null,
            .host => |form| form,
        };
        return .{ .target = to, .save = form != null and t.flagsNeededAt(to), .form = form orelse .inverted };
    }

    fn inPage(t: *const Translator, to: u64) bool {
        return to & ~@as(u64, abi.page_size - 1) == t.page.va;
    }

    fn flagsNeededAt(t: *Translator, to: u64) bool {
        if (!t.inPage(to)) return true;
        return flags.neededAt(t.words, @intCast((to - t.page.va) / 4), 20);
    }

    /// A way out of the block. `from`: a conditional branch that may lead to the target itself.
    pub fn emitExit(t: *Translator, e: Exit, from: ?x64.Fixup) void {
        const a = &t.a;
        if (!t.inPage(e.target)) {
            if (from) |f| a.linkHere(f);
            if (e.save) saveForm(a, e.form);
            return emitFar(a, e.target);
        }
        const word: u32 = @intCast((e.target - t.page.va) / 4);
        const backward = e.target <= t.pc;
        const entry = t.known(e.target);
        var site: x64.Fixup = undefined;
        if (from != null and !e.save) {
            site = from.?;
        } else {
            if (from) |f| a.linkHere(f);
            if (e.save) saveForm(a, e.form);
            if (entry == 0) patch.alignField(a, 1);
            site = a.jmp();
        }
        if (entry != 0) return a.link(site, entry + @as(u32, if (backward) 0 else service.head_bytes));
        a.linkHere(site);
        a.movImm(.rcx, site.at);
        a.movImm(.rdx, @as(u32, @bitCast(service.Place{ .page = @intCast(t.page.number), .word = @intCast(word), .mark = backward })));
        a.jmpTo(thunks.link);
    }

    /// Where the code of an address of this page begins; 0: it has none yet.
    fn known(t: *const Translator, to: u64) u32 {
        const word = (to - t.page.va) / 4;
        return if (word == t.first) t.code else t.page.entry[word];
    }

    fn saveForm(a: *Asm, form: flags.Form) void {
        if (form == .direct) a.cmc();
        saveHost(a);
    }

    fn emitFar(a: *Asm, to: u64) void {
        var slot = layout.cpuField("pages");
        slot.disp += @intCast(4 * service.pageSlot(to));
        patch.alignFar(a, 8);
        a.cmpImm32(slot, patch.never);
        const site = a.at - 4;
        const miss = a.jcc(.ne);
        const jump = a.jmp();
        std.debug.assert(jump.at == site + patch.far_jump and site & 7 <= 1);
        a.linkHere(miss);
        a.linkHere(jump);
        a.movImm(.rdx, to);
        a.movImm(.rcx, site);
        a.jmpTo(thunks.far);
    }

    /// Leaves with `reason` at the current instruction (SVC: behind it).
    pub fn stop(t: *Translator, reason: abi.Exit, syndrome: u32) void {
        t.save();
        t.a.movImm(.rdx, t.place(false));
        t.a.movImm(.rcx, @intFromEnum(reason));
        t.a.movImm(.rax, syndrome);
        t.a.jmpTo(thunks.stop);
        t.done = true;
    }

    // The block.

    fn one(t: *Translator, insn: u32) void {
        t.copies.used = 0;
        if (decoder.isSimd(insn)) return t.floating(insn);
        const class = decoder.class(insn) orelse return t.undefinedInstruction();
        const translated = switch (class) {
            inline else => |c| known: {
                inline for (chapters) |chapter| {
                    if (@hasDecl(chapter, @tagName(c))) break :known @field(chapter, @tagName(c))(t, insn);
                }
                break :known false;
            },
        };
        if (!translated) t.interpretOne(insn);
    }

    fn undefinedInstruction(t: *Translator) void {
        t.stop(.undefined, access.syndrome(0, 0));
    }

    pub fn interpretOne(t: *Translator, insn: u32) void {
        t.save();
        // Without memory for its ops there is no way to execute it.
        const site = cache.addSite(t.pc, insn) orelse return t.undefinedInstruction();
        t.a.movImm(.rdx, @intFromPtr(site));
        t.a.callTo(thunks.interpret);
        t.state = .saved;
        t.sp_checked = false;
        t.ranges = @splat(null);
        t.copies.forget();
    }

    fn floating(t: *Translator, insn: u32) void {
        const function = functionOf(insn) orelse return t.undefinedInstruction();
        const row = inlined[table.find(insn).?];
        if (row.translate) |translate| if (!(t.page.exact and row.arithmetic)) if (translate(t, insn)) return;
        const uses = table.usesFlags(insn) != .none;
        if (uses) t.save() else t.clobber();
        t.a.movImm(.rax, @intFromPtr(function));
        t.a.movImm(.rdx, insn);
        t.a.callTo(if (uses) thunks.call_flags else thunks.call);
        t.state = .saved;
        t.copies.forget();
        // It may be a general register that it sets.
        if (fields.rd(insn) != 31) t.ranges[fields.rd(insn)] = null;
    }
};

/// What translates a row of the SIMD table to the host's instructions, and whether those obey the host's floating-point environment.
const Inlined = struct { translate: ?*const fn (t: *Translator, insn: u32) bool = null, arithmetic: bool = false };

const inlined: [table_simd.rows.len]Inlined = blk: {
    @setEvalBranchQuota(table_simd.rows.len * 1000);
    var all: [table_simd.rows.len]Inlined = @splat(.{});
    for (table_simd.rows, 0..) |row, i| {
        for (.{ fp, fp.moves, vectors }) |chapter| {
            if (@hasDecl(chapter, row.name)) all[i] = .{ .translate = &@field(chapter, row.name), .arithmetic = chapter == fp };
        }
    }
    break :blk all;
};

/// The function of a floating-point or SIMD data-processing instruction; null when it is undefined.
pub fn functionOf(insn: u32) ?service.Function {
    return table.lookup(service.Function, exported, insn);
}

fn exported(comptime function: fn (b: *layout.Block, insn: u32) void) service.Function {
    return &struct {
        fn f(b: *layout.Block, insn: u32) callconv(.c) void {
            function(b, insn);
        }
    }.f;
}

/// Number of instructions of the block that starts at `first`.
fn measure(words: *const [cache.page_words]u32, first: u32) u32 {
    var n: u32 = 0;
    while (true) {
        n += 1;
        if (first + n == cache.page_words or n == block_max or flags.endsBlock(words[first + n - 1])) return n;
    }
}

/// Translates the block that starts at word `first` of the page and enters it there. The arena has room.
pub fn block(page: *cache.Page, words: *const [cache.page_words]u32, first: u10) void {
    const start = std.mem.alignForward(u32, cache.used, 16);
    const count = measure(words, first);
    var t: Translator = .{
        .a = .{ .base = cache.writable, .at = start },
        .page = page,
        .words = words,
        .first = first,
        .pc = page.va + @as(u64, first) * 4,
        .code = start,
        .count = count,
    };
    const end = first + count;
    flags.liveness(words, first, t.needed[0..count], end == cache.page_words or flags.neededAt(words, end, 20));

    t.a.subImm32(layout.cpuField("slice"), @intCast(count));
    const spent = t.a.jcc(.s);
    while (t.a.at < start + service.head_bytes) t.a.nop();
    std.debug.assert(t.a.at == start + service.head_bytes);

    while (true) {
        t.live = t.needed[t.index];
        t.one(words[first + t.index]);
        if (t.done) break;
        if (t.index + 1 == count) {
            t.branchAlways(t.pc + 4);
            break;
        }
        t.index += 1;
        t.pc += 4;
    }
    for (0..t.cold_count) |i| cold.emit(&t, t.cold[i]);
    t.a.linkHere(spent);
    t.a.movImm(.rdx, t.placeOf(0, false));
    t.a.jmpTo(thunks.slice);

    std.debug.assert(t.a.at - start < cache.block_bytes);
    cache.used = t.a.at;
    cache.stats.translated += count;
    @atomicStore(u32, &page.entry[first], start, .release);
}
