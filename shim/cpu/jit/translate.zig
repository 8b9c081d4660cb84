//! Turns A64 words into x86-64 code, one after the other: what a block (`block.zig`) or a loop (`loop.zig`) is made of.
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
const flat = @import("flat.zig");
const flush = @import("flush_to_zero.zig");
const group = @import("group.zig");
const info = @import("info.zig");
const layout = @import("layout.zig");
const loops = @import("loop.zig");
const recipe = @import("recipe.zig");
const registers = @import("registers.zig");
const rows = @import("rows.zig");
const service = @import("service.zig");
const table = @import("../simd/simd.zig");
const trap = @import("trap.zig");
const vector = @import("vector.zig");
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

/// The cold parts of what is being translated.
var colds: [5 * loops.longest + 4]cold.Cold = undefined;

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
    /// Accesses share no look-ups.
    plain: bool,
    /// Which host registers hold what.
    map: *const layout.Map = &layout.fixed_map,
    /// How to change between that and the usual one, where that is code of its own.
    ways: registers.Ways = .{},
    straight: registers.Straight = .{},
    /// What is translated is a loop, not a block.
    loop: ?*loops.Loop = null,
    /// Nothing follows in this block.
    done: bool = false,
    /// Where NZCV is now; whether it is needed after the current instruction; how to compute it again.
    state: flags.State = .saved,
    live: bool = true,
    again: ?recipe.Recipe = null,
    /// sp was found to be aligned, and still is.
    sp_checked: bool = false,
    cold_count: u32 = 0,
    needed: [loops.longest]bool = undefined,
    copies: vector.Copies = .{},
    /// What is known to lie in one page, by base register (`group.zig`).
    ranges: [32]?group.Range = @splat(null),
    /// The sum of registers that was looked up, by an instruction that adds it up.
    indexed: ?group.Sum = null,
    /// What registers are known to hold.
    constants: [32]?u64 = @splat(null),
    /// Registers that are no further than this from an address of the guest (`flat.zig`).
    drift: [32]?i32 = @splat(null),
    /// rax has the pointer of this base register's range while the code is written up to `at`.
    pointer: struct { base: u32, at: u32 } = .{ .base = 0, .at = 0 },
    /// A scratch register has what this guest register, which lies in memory, has while the code is written up to `at`.
    held: struct { guest: u32, reg: Reg, at: u32 } = .{ .guest = 0, .reg = .rax, .at = 0 },

    pub fn place(t: *const Translator, mark: bool) u32 {
        return t.placeOf(t.index, mark);
    }

    pub fn placeOf(t: *const Translator, index: u32, mark: bool) u32 {
        return @bitCast(service.Place{ .page = @intCast(t.page.number), .word = @intCast(t.first + index), .mark = mark });
    }

    // Guest registers.

    /// The host register of x0..x30 or (31) sp.
    pub fn hostOf(t: *const Translator, r: u32) ?Reg {
        return t.map.host[r];
    }

    /// x0..x30 as an operand. 31 has no place.
    pub fn gpr(t: *const Translator, r: u32) Rm {
        std.debug.assert(r < 31);
        return t.gprSp(r);
    }

    /// x0..x30 or sp.
    pub fn gprSp(t: *const Translator, r: u32) Rm {
        return if (t.hostOf(r)) |h| .{ .reg = h } else .{ .mem = layout.lane(r) };
    }

    /// The same as an operand to read, where no scratch register has changed since.
    pub fn operandNow(t: *const Translator, r: u32) Rm {
        return if (t.registerOf(r)) |h| .{ .reg = h } else .{ .mem = layout.lane(r) };
    }

    /// Copies x0..x30 or (31) zero.
    pub fn load(t: *Translator, size: Size, dst: Reg, r: u32) void {
        if (r == 31) return t.a.movImm(dst, 0);
        if (t.registerOf(r)) |h| return t.a.movRegs(size, dst, h);
        t.a.mov(size, dst, .{ .mem = layout.lane(r) });
    }

    /// A host register that has the 64 bits of x0..x30 or (31) sp just now.
    pub fn registerOf(t: *const Translator, r: u32) ?Reg {
        if (t.hostOf(r)) |h| return h;
        return if (t.held.at == t.a.at and t.held.guest == r) t.held.reg else null;
    }

    /// The same as the start of an operation in dst, which clears the upper half of a 32-bit one itself.
    pub fn start(t: *Translator, size: Size, dst: Reg, r: u32) void {
        if (r != 31 and t.hostOf(r) == dst) return;
        t.load(size, dst, r);
    }

    pub fn startSp(t: *Translator, size: Size, dst: Reg, r: u32) void {
        if (t.registerOf(r) != dst) t.a.mov(size, dst, t.operandNow(r));
    }

    /// A host register with the value: its own, or scratch.
    pub fn use(t: *Translator, size: Size, r: u32, scratch: Reg) Reg {
        if (r != 31) if (t.hostOf(r)) |h| return h;
        if (r == 31 or t.registerOf(r) != scratch) t.load(size, scratch, r);
        return scratch;
    }

    pub fn useSp(t: *Translator, size: Size, r: u32, scratch: Reg) Reg {
        if (t.hostOf(r)) |h| return h;
        t.startSp(size, scratch, r);
        return scratch;
    }

    /// The same where no other scratch register is in use: any of them.
    pub fn useAlone(t: *Translator, size: Size, r: u32, scratch: Reg) Reg {
        if (r != 31) if (t.registerOf(r)) |h| return h;
        return t.use(size, r, scratch);
    }

    pub fn useAloneSp(t: *Translator, size: Size, r: u32, scratch: Reg) Reg {
        return t.registerOf(r) orelse t.useSp(size, r, scratch);
    }

    /// Where to compute what x0..x30 or (31) nothing is to get.
    pub fn target(t: *Translator, r: u32, scratch: Reg) Reg {
        return if (r == 31) scratch else t.hostOf(r) orelse scratch;
    }

    pub fn targetSp(t: *Translator, r: u32, scratch: Reg) Reg {
        return t.hostOf(r) orelse scratch;
    }

    /// Gives x0..x30 the 64 bits of src; 31: nobody.
    pub fn put(t: *Translator, r: u32, src: Reg) void {
        if (r != 31) t.putSp(r, src);
    }

    pub fn putSp(t: *Translator, r: u32, src: Reg) void {
        t.changes(r);
        if (t.hostOf(r)) |h| {
            t.a.movRegs(.q, h, src);
        } else {
            t.a.store(.q, .{ .mem = layout.lane(r) }, src);
            t.held = .{ .guest = r, .reg = src, .at = t.a.at };
        }
    }

    /// Register r (31: sp) gets a new value.
    fn changes(t: *Translator, r: u32) void {
        if (r == layout.sp) t.sp_checked = false;
        t.ranges[r] = null;
        t.constants[r] = null;
        t.drift[r] = null;
        t.outdatesSum(r);
        t.outdates(r);
    }

    pub fn outdatesSum(t: *Translator, r: u32) void {
        const sum = t.indexed orelse return;
        if (fields.rn(sum.insn) == r or fields.rm(sum.insn) == r) t.indexed = null;
    }

    /// What NZCV could be computed again from is gone: it was needed no longer.
    pub fn outdates(t: *Translator, r: u32) void {
        const again = t.again orelse return;
        if (again.registers() >> @intCast(r) & 1 == 0) return;
        t.again = null;
        if (t.state == .pending) t.state = .saved;
    }

    /// Uses rcx.
    pub fn putImm(t: *Translator, r: u32, value: u64) void {
        if (r == 31) return;
        t.changes(r);
        t.constants[r] = value;
        if (t.hostOf(r)) |h| return t.a.movImm(h, value);
        const small: i32 = @truncate(@as(i64, @bitCast(value)));
        if (small == @as(i64, @bitCast(value))) return t.a.storeImm(.q, layout.lane(r), small);
        t.a.movImm(.rcx, value);
        t.a.store(.q, .{ .mem = layout.lane(r) }, .rcx);
    }

    // NZCV.

    /// Before an instruction of the host that changes its flags, when the guest's does not set NZCV.
    pub fn clobber(t: *Translator) void {
        if (t.state == .pending) return;
        if (t.live and t.state == .host) {
            if (t.again) |again| if (t.lastsKept(again)) {
                t.state = .pending;
                return;
            };
            t.save();
        }
        t.state = .saved;
    }

    /// The same for an instruction that may fault: who looks at the frame of its signal finds NZCV as it was.
    pub fn clobberExactly(t: *Translator) void {
        const live = t.live;
        t.live = true;
        t.clobber();
        t.live = live;
    }

    /// May the host's flags change without being saved first?
    pub fn flagsFree(t: *const Translator) bool {
        return !t.live or t.state != .host;
    }

    /// Can NZCV be computed again as long as it is needed?
    pub fn lasts(t: *const Translator, again: recipe.Recipe) bool {
        for (t.needed[t.index..t.count], t.index..) |needed, i| {
            if (!needed) return true;
            if (info.written(t.words[t.first + i]) & again.registers() != 0) return false;
        }
        return true;
    }

    /// The same when what it is computed from is kept where an instruction changes that (`keep`), unless it is going to be saved after all.
    fn lastsKept(t: *const Translator, again: recipe.Recipe) bool {
        var changed = false;
        for (t.needed[t.index..t.count], t.index..) |needed, i| {
            if (!needed) return true;
            const written = info.written(t.words[t.first + i]);
            if (written == recipe.everything) return false;
            changed = changed or written & again.registers() != 0;
            if (changed) if (t.loop) |l| if (l.joins[i]) return false;
        }
        return !changed;
    }

    /// Would `clobber` save NZCV?
    pub fn clobberSaves(t: *const Translator) bool {
        return t.live and t.state == .host and (t.again == null or !t.lastsKept(t.again.?));
    }

    /// Before an instruction that changes what NZCV is to be computed again from: keeps that.
    fn keep(t: *Translator, insn: u32) void {
        const again = t.again orelse return;
        if (!t.live or (t.state != .host and t.state != .pending) or info.effect(insn).writes) return;
        if (info.written(insn) & again.registers() == 0) return;
        if (t.lastsKept(again)) t.again = recipe.keep(t, again, info.written(insn));
    }

    /// Saves NZCV if the host's flags have it. They still do afterwards. Uses rax and rcx, unless flags are saved already.
    pub fn save(t: *Translator) void {
        switch (t.state) {
            .saved, .both => return,
            .host => |form| t.saveForm(form),
            .pending => t.saveAgain(t.again.?),
        }
        t.state = .both;
    }

    /// Computes NZCV again and saves it. Uses rax and rcx.
    pub fn saveAgain(t: *Translator, again: recipe.Recipe) void {
        t.saveForm(recipe.emit(t, again));
    }

    pub fn saveForm(t: *Translator, form: flags.Form) void {
        if (form == .direct) t.a.cmc();
        saveHost(&t.a);
    }

    fn saveHost(a: *Asm) void {
        a.lahf();
        a.setcc(.o, .{ .reg = .rax });
        a.store(.d, .{ .mem = layout.blockField("host_flags") }, .rax);
    }

    /// Brings NZCV into the host's flags. Uses rax and rcx.
    pub fn restore(t: *Translator) flags.Form {
        switch (t.state) {
            .host => |form| return form,
            .both => return .inverted,
            .pending => {
                const form = recipe.emit(t, t.again.?);
                t.state = .{ .host = form };
                return form;
            },
            .saved => {},
        }
        restoreHost(&t.a);
        t.state = .both;
        return .inverted;
    }

    pub fn restoreHost(a: *Asm) void {
        a.mov(.d, .rax, .{ .mem = layout.blockField("host_flags") });
        a.aluImm(.add, .b, .{ .reg = .rax }, 0x7f);
        a.sahf();
    }

    /// The host's condition for a guest's. Brings what it needs into the host's flags; uses rax and rcx.
    pub fn condition(t: *Translator, cc: flags.Condition) Cc {
        if (t.state == .pending and t.again.?.undone) switch (cc) {
            .eq, .ne, .mi, .pl => {
                const x = recipe.register(t, t.again.?.size, t.again.?.first, .rax);
                t.a.@"test"(t.again.?.size, .{ .reg = x }, x);
                return flags.hostCc(cc, .direct).?;
            },
            else => {},
        };
        const form = t.restore();
        if (flags.hostCc(cc, form)) |host| return host;
        t.a.cmc();
        t.state = .{ .host = .inverted };
        return flags.hostCc(cc, .inverted).?;
    }

    /// The current instruction has set NZCV, which the host's flags have.
    pub fn setFlags(t: *Translator, form: flags.Form) void {
        t.state = .{ .host = form };
        t.again = recipe.of(t.words[t.first + t.index]);
    }

    /// Leaves a comparison, which sets nothing but NZCV, for where that is wanted. False: it has to be done here.
    pub fn postpone(t: *Translator, insn: u32) bool {
        const again = recipe.of(insn) orelse return false;
        if (t.live and !t.lasts(again)) return false;
        t.again = again;
        t.state = if (t.live) .pending else .saved;
        return true;
    }

    // Ways out.

    pub fn addCold(t: *Translator, from: x64.Fixup, what: @FieldType(cold.Cold, "what")) void {
        colds[t.cold_count] = .{ .from = from, .index = t.index, .copies = t.copies, .again = if (t.state == .pending) t.again else null, .version = t.straight.version, .what = what };
        t.cold_count += 1;
    }

    pub fn lastCold(t: *Translator) *cold.Cold {
        return &colds[t.cold_count - 1];
    }

    /// The address that the last cold part is for was found by the window: rax is its host pointer.
    pub fn foundBy(t: *Translator, w: cold.Window) void {
        colds[t.cold_count - 1].window = .{ .what = w.what, .bytes = w.bytes, .found = t.a.at };
    }

    /// What the last cold part's access was looked up by.
    pub fn nearBy(t: *Translator, near: cold.Near) void {
        colds[t.cold_count - 1].near = near;
    }

    /// It continues here, with rcx what the host adds to its address.
    pub fn foundNear(t: *Translator) void {
        colds[t.cold_count - 1].near.?.found = t.a.at;
    }

    /// Goes to the slow path of an access on the host's condition. `back`: where it continues.
    pub fn slowRead(t: *Translator, cc: Cc, size: u8) *u32 {
        t.addCold(t.a.jcc(cc), .{ .read = .{ .size = size, .back = 0 } });
        return &colds[t.cold_count - 1].what.read.back;
    }

    pub fn slowWrite(t: *Translator, cc: Cc, size: u8, value: cold.Value) *u32 {
        t.addCold(t.a.jcc(cc), .{ .write = .{ .size = size, .back = 0, .value = value } });
        return &colds[t.cold_count - 1].what.write.back;
    }

    /// `bytes` at rax, the range of a base register, were not found; comes back with their host pointer.
    pub fn slowRange(t: *Translator, cc: Cc, bytes: u16, writes: bool) *u32 {
        t.addCold(t.a.jcc(cc), .{ .range = .{ .bytes = bytes, .writes = writes, .back = 0 } });
        return &colds[t.cold_count - 1].what.range.back;
    }

    /// Does the current instruction exactly on the host's condition; `comeBack` follows.
    pub fn exactly(t: *Translator, cc: Cc) void {
        t.addCold(t.a.jcc(cc), .{ .exact = .{ .back = 0, .flags = false } });
    }

    /// Those of the current instruction that went to be done exactly continue here. `before`: how many cold parts there were.
    pub fn comeBack(t: *Translator, before: u32) void {
        for (before..t.cold_count) |i| t.comeBackFrom(i, false);
    }

    /// The same where the host's flags are NZCV.
    pub fn comeBackWithFlags(t: *Translator, before: u32) void {
        for (before..t.cold_count) |i| t.comeBackFrom(i, true);
    }

    pub fn comeBackFrom(t: *Translator, cold_part: usize, with_flags: bool) void {
        colds[cold_part].what.exact = .{ .back = t.a.at, .flags = with_flags };
        colds[cold_part].copies = t.copies;
        t.held.at = 0;
    }

    pub fn slowModify(t: *Translator, cc: Cc) *u32 {
        t.addCold(t.a.jcc(cc), .{ .modify = .{ .back = 0 } });
        return &colds[t.cold_count - 1].what.modify.back;
    }

    pub fn misaligned(t: *Translator, cc: Cc, writes: bool) void {
        t.addCold(t.a.jcc(cc), .{ .misaligned = writes });
    }

    /// sp has to be a multiple of 16 to be the base of an access.
    pub fn checkSp(t: *Translator) void {
        if (t.sp_checked) return;
        t.clobber();
        t.a.testImm(.b, t.gprSp(layout.sp), 15);
        t.addCold(t.a.jcc(.ne), .misaligned_sp);
        t.sp_checked = true;
    }

    /// Before what is not part of the loop: the fixed registers get into their places. The host's flags stay.
    pub fn leaveMap(t: *Translator) void {
        registers.emitLeave(t.map, &t.a);
    }

    /// Calls a thunk, which wants the fixed registers in their places.
    pub fn callThunk(t: *Translator, thunk: u32) void {
        const called = t.ways.leave != 0;
        if (called) t.a.callTo(t.ways.leave) else registers.emitLeave(t.map, &t.a);
        t.a.callTo(thunk);
        if (called) t.a.callTo(t.ways.enter) else registers.emitEnter(t.map, &t.a);
    }

    /// Goes to a thunk that does not come back.
    pub fn jumpThunk(t: *Translator, thunk: u32) void {
        t.leaveMap();
        t.a.jmpTo(thunk);
    }

    /// Leaves with `reason` at the current instruction (SVC: behind it).
    pub fn stop(t: *Translator, reason: abi.Exit, syndrome: u32) void {
        t.save();
        t.a.movImm(.rdx, t.place(false));
        t.a.movImm(.rcx, @intFromEnum(reason));
        t.a.movImm(.rax, syndrome);
        t.jumpThunk(thunks.stop);
        t.done = true;
    }

    // The block.

    pub fn emitCold(t: *Translator) void {
        for (colds[0..t.cold_count]) |c| {
            registers.comeCold(t, c.version);
            cold.emit(t, c);
        }
    }

    /// The code, which begins at `from` and whose cold part is written up to here, is good.
    pub fn publish(t: *const Translator, from: u32) void {
        std.debug.assert(cache.used - from < cache.block_bytes and t.a.at - cache.used_cold < cache.block_bytes);
        cache.used_cold = t.a.at;
        trap.publish();
        cache.stats.translated += t.count;
    }

    /// Counts the block down.
    pub fn head(t: *Translator) x64.Fixup {
        t.a.aluImm(.sub, .d, .{ .mem = layout.blockField("slice") }, @intCast(t.count));
        const spent = t.a.jcc(.s);
        t.a.pad(t.code + service.head_bytes);
        std.debug.assert(t.a.at == t.code + service.head_bytes);
        return spent;
    }

    pub fn one(t: *Translator, insn: u32) void {
        t.copies.used = 0;
        t.keep(insn);
        t.general(insn);
        if (t.page.mode.flat and !t.done) flat.keepStack(t);
    }

    fn general(t: *Translator, insn: u32) void {
        if (decoder.isSimd(insn)) return t.floating(insn);
        const class = info.class(insn) orelse return t.undefinedInstruction();
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
        t.callThunk(thunks.interpret);
        t.forget();
    }

    /// Nothing is known but that NZCV is saved.
    pub fn forget(t: *Translator) void {
        t.state = .saved;
        t.again = null;
        t.sp_checked = false;
        t.ranges = @splat(null);
        t.indexed = null;
        t.constants = @splat(null);
        t.drift = @splat(null);
        t.held.at = 0;
        t.copies.forget();
    }

    fn floating(t: *Translator, insn: u32) void {
        const function = rows.functionOf(insn) orelse return t.undefinedInstruction();
        const row = rows.of(insn);
        if (row.translate) |how| switch (if (row.guard != null) t.page.mode.fpcr else .rounding) {
            .rounding => if (how(t, insn)) return,
            .flush => if (flush.translate(t, insn, row.guard.?, how)) return,
            .exact => {},
        };
        const uses = table.usesFlags(insn) != .none;
        if (uses) t.save() else t.clobber();
        t.a.movImm(.rax, @intFromPtr(function));
        t.a.movImm(.rdx, insn);
        t.callThunk(if (uses) thunks.call_flags else thunks.call);
        if (uses) t.state = .saved;
        if (uses) t.again = null;
        t.copies.forget();
        // It may be a general register that it sets.
        if (fields.rd(insn) != 31) t.changes(fields.rd(insn));
    }
};
