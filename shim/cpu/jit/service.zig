//! What translated code calls: the slow paths of memory accesses, finding and linking blocks, the end of a slice, and single
//! instructions in the interpreter. Functions that guest code comes back from return 0 to leave it instead; they
//! have then set `exit` and pc.

const abi = @import("../../abi.zig");
const access = @import("../interp/access.zig");
const blocks = @import("block.zig");
const cache = @import("cache.zig");
const core = @import("../simd/fp_core.zig");
const check = @import("check.zig");
const layout = @import("layout.zig");
const loops = @import("loop.zig");
const mem = @import("../../mem/mem.zig");
const mirror = @import("mirror.zig");
const patch = @import("patch.zig");
const run = @import("../interp/run.zig");
const single = @import("../interp/translate.zig").single;
const interp = @import("../interp/core.zig");
const flags = @import("../interp/flags.zig");
const threads = @import("../../host/host.zig").threads;

const Cpu = layout.Cpu;
const Block = layout.Block;

const address_mask: u64 = (1 << 56) - 1;

/// An instruction: the number of its page and its word in there. `mark` says something more.
pub const Place = packed struct(u32) {
    word: u10,
    page: u21,
    /// Of an access: it writes. Of a branch's target: it is entered at its head.
    mark: bool = false,

    fn pc(p: Place) u64 {
        return cache.pageOf(p.page).va + @as(u64, p.word) * 4;
    }
};

/// Instructions between two looks at `RegisterBlock.stop`.
const slice_max = 1 << 14;

/// Bytes at the start of a block that count down the slice: forward branches go behind them.
pub const head_bytes = 10;

fn code(offset: u32) u64 {
    return @intFromPtr(cache.running) + offset;
}

/// Slots are spread, since libraries tend to lie at round addresses.
pub fn pageSlot(va: u64) usize {
    return ((va >> 12) *% 0x9e37_79b9_7f4a_7c15) >> (64 - @ctz(@as(u64, layout.page_slots)));
}

/// How code is translated that this CPU runs now.
fn mode(cpu: *const Cpu) cache.Mode {
    return .{
        .fpcr = switch (cpu.block.fpcr & ~@as(u32, 3 << 22)) {
            0 => .rounding,
            core.fpcr_fz => .flush,
            else => .exact,
        },
        .flat = mirror.isFlat(cpu) and !cpu.wild,
        .alone = mem.space.isAlone(cpu.v.tlb.space),
    };
}

/// Bits of a key below the epoch.
const key_bits = 16;

/// Forgets where pages are, when that may have changed.
fn syncKey(cpu: *Cpu) void {
    const key = @atomicLoad(u64, &cache.epoch, .acquire) << key_bits | @as(u64, @as(u4, @bitCast(mode(cpu)))) << 12 | cpu.v.tlb.context;
    if (cpu.key != key) {
        cpu.key = key;
        @memset(&cpu.pages, layout.no_page);
    }
    cpu.block.jumps = @intFromPtr(&jumpsOf(cpu).entries);
}

/// The table of indirect branches for the CPU's key.
fn jumpsOf(cpu: *Cpu) *layout.Jumps {
    for (cpu.jumps_keys, 0..) |key, i| if (key == cpu.key) return &cpu.jumps[i];
    // One of an earlier epoch is of no use any more.
    const i = for (cpu.jumps_keys, 0..) |key, i| {
        if (key << (64 - key_bits) == cpu.key << (64 - key_bits)) break i;
    } else cpu.jumps_oldest;
    if (i == cpu.jumps_oldest) cpu.jumps_oldest = @intCast((i + 1) % layout.jumps_count);
    cpu.jumps_keys[i] = cpu.key;
    cpu.jumps[i].clear();
    return &cpu.jumps[i];
}

/// Arena offset of the translation of the code at pc. Null when it cannot be fetched, or has to wait until the cache is emptied.
pub fn lookup(cpu: *Cpu, pc: u64) ?u32 {
    if (pc & 3 != 0) return null;
    const at = mem.translate(cpu.v.tlb.space, pc, .exec) orelse return null;
    const offset = pc & (abi.page_size - 1);
    const word: u10 = @intCast(offset / 4);
    while (true) {
        // Before the code is looked for: what is found may be dropped at once, and must not outlive the next epoch.
        syncKey(cpu);
        if (cache.find(at.frame, pc - offset, cache.modeFor(at.frame, mode(cpu)))) |page| {
            const found = @atomicLoad(u32, &page.entry[word], .acquire);
            if (found != 0) {
                cpu.pages[pageSlot(pc)] = page.number;
                return found;
            }
        }
        if (!translateAt(cpu, at, pc - offset, word)) return null;
    }
}

/// Translates the block that `lookup` has not found. False when there is no memory, or no room before the cache is emptied.
fn translateAt(cpu: *Cpu, at: mem.Translation, va: u64, word: u10) bool {
    cache.mutex.lock();
    defer cache.mutex.unlock();
    const page = cache.getPage(at.frame, va, mode(cpu)) orelse return false;
    if (page.entry[word] != 0) return true;
    const words: *const [cache.page_words]u32 = @ptrCast(@alignCast(at.ptr - @as(usize, word) * 4));
    blocks.make(page, words, word);
    return true;
}

/// Begins: where the task of `b` goes on, in code. 0 when that cannot be fetched.
pub fn begin(cpu: *Cpu, pc: u64) u64 {
    const sp = cpu.block.sp;
    cpu.wild = sp >= mirror.end or sp & 15 != 0;
    syncKey(cpu);
    const entry = jumpsOf(cpu).at(pc);
    if (entry.pc == pc) return entry.code + head_bytes;
    const offset = lookup(cpu, pc) orelse return fetchFault(cpu, pc);
    jumpsOf(cpu).fill(pc, code(offset));
    return code(offset + head_bytes);
}

fn leave(cpu: *Cpu, reason: abi.Exit, pc: u64) u64 {
    cpu.block.pc = pc;
    cpu.block.exit = @intFromEnum(reason);
    return 0;
}

/// There is no code for pc: it cannot be fetched, or not now.
fn fetchFault(cpu: *Cpu, pc: u64) u64 {
    if (cache.full) return leave(cpu, .kicked, pc);
    const b = cpu.block;
    b.fault_addr = pc;
    b.fault_access = @intFromEnum(abi.Access.exec);
    b.esr = access.fetchSyndrome(&cpu.v, pc);
    return leave(cpu, if (pc & 3 != 0) .pc_alignment else .fault, pc);
}

fn fault(cpu: *Cpu, place: Place, kind: abi.Access) usize {
    const b = cpu.block;
    const addr = cpu.v.fault_addr & address_mask;
    b.fault_addr = addr;
    b.fault_access = @intFromEnum(kind);
    b.esr = access.dataSyndrome(&cpu.v, addr, kind);
    return leave(cpu, .fault, place.pc());
}

/// The bytes at addr, in the guest's page or (when they lie in two) a copy.
pub fn read(cpu: *Cpu, addr: u64, place: Place, size: u32) callconv(.c) usize {
    const p = access.read(&cpu.v, addr, size) orelse return fault(cpu, place, .read);
    return @intFromPtr(p);
}

pub fn write(cpu: *Cpu, addr: u64, place: Place, size: u32) callconv(.c) usize {
    if (!access.write(&cpu.v, addr, cpu.value[0..size])) return fault(cpu, place, .write);
    return 1;
}

/// What an access in flat code goes on with. `beyond`: it is done, but its base is no address of the mirror's.
pub const Flat = enum(usize) { leave, again, done, beyond };

/// The instruction of an access as it was translated: what lies there now may be another, after which nothing of what the code knows holds.
pub const Missed = packed struct(u64) { size: u32, insn: u32 };

/// A flat access at addr faulted on the host, or lies beyond the mirror. All registers are in the block.
pub fn flat(cpu: *Cpu, addr: u64, place: Place, what: Missed) callconv(.c) usize {
    const size = what.size;
    const kind: abi.Access = if (place.mark) .write else .read;
    if (access.fill(&cpu.v, addr, kind) == null) return fault(cpu, place, kind);
    // Where it enters another page.
    const left = abi.page_size - (addr & (abi.page_size - 1));
    const crosses = left < size;
    if (crosses and access.fill(&cpu.v, addr +% left, kind) == null) return fault(cpu, place, kind);
    const first = mirror.show(cpu, addr, place.mark);
    const second = crosses and mirror.show(cpu, addr +% left, place.mark);
    const helped = first or second;
    if (!helped) mirror.missed(cpu);
    if (!mirror.isFlat(cpu)) endSlice(cpu);
    if (helped) return @intFromEnum(Flat.again);
    const done: Flat = if (addr < mirror.end) .done else .beyond;
    return @intFromEnum(if (interpretAt(cpu, place.pc(), what.insn)) done else Flat.leave);
}

/// sp, or what was accessed, is not what flat code has to have: goes on in other code until that is looked at again.
pub fn wild(cpu: *Cpu, pc: u64) callconv(.c) u64 {
    cpu.wild = true;
    return code(lookup(cpu, pc) orelse return fetchFault(cpu, pc));
}

/// The slice is looked at before the next block: what the CPU runs has to be found anew.
fn endSlice(cpu: *Cpu) void {
    const left = cpu.block.slice;
    if (left <= 0) return;
    cpu.budget += @intCast(left);
    cpu.slice_start -= left;
    cpu.block.slice = 0;
}

/// Executes an instruction, which is no branch, as that at pc. False: it leaves guest code.
fn interpretAt(cpu: *Cpu, pc: u64, insn: u32) bool {
    single(&cpu.v.stepping, pc, insn);
    // What a block has kept there (`recipe.keep`).
    const kept = .{ cpu.block.pc, cpu.block.pstate };
    if (!execute(cpu, &cpu.v.stepping)) return false;
    cpu.block.pc, cpu.block.pstate = kept;
    return true;
}

/// Where to read and write at addr, which is aligned.
pub fn modify(cpu: *Cpu, addr: u64, place: Place) callconv(.c) usize {
    const p = access.fill(&cpu.v, addr, .write) orelse return fault(cpu, place, .write);
    return @intFromPtr(p);
}

/// The host pointer of what accesses share. 0 when they cannot.
pub fn range(cpu: *Cpu, addr: u64, writes: u32) callconv(.c) usize {
    return @intFromPtr(access.fill(&cpu.v, addr, if (writes != 0) .write else .read) orelse return 0);
}

/// The window that an access asked, and what it wants.
pub const Opening = packed struct(u32) { slot: u16, writes: bool, bytes: u15 };

/// Windows opened at one place between two looks at how often that happens.
const openings = 16;

/// The host pointer of addr, around which the window is opened. 0 when all the bytes are not there.
pub fn window(cpu: *Cpu, addr: u64, o: Opening) callconv(.c) usize {
    const kind: abi.Access = if (o.writes) .write else .read;
    const p = access.fill(&cpu.v, addr, kind) orelse return 0;
    const w = &cpu.v.tlb.windows[o.slot];
    w.opened +%= 1;
    if (o.slot >= mem.tlb.stack_windows and w.opened == openings) {
        const now: u32 = @truncate(cpu.block.retired +% @as(u32, @bitCast(cpu.slice_start -% cpu.block.slice)));
        refuseWindow(cpu, o.slot, (now -% w.since) / openings);
        w.opened = 0;
        w.since = now;
    }
    cpu.v.tlb.openWindow(o.slot, addr, p, o.bytes, kind);
    if (o.writes and check.on) check.opened(&cpu.v.tlb, o.slot);
    return if (addr -% w.low < w.limit) @intFromPtr(p) else 0;
}

/// The same for what a loop looks up before it begins. 0: it is to look up each access.
pub fn hoist(cpu: *Cpu, addr: u64, o: Opening) callconv(.c) usize {
    const kind: abi.Access = if (o.writes) .write else .read;
    const w = &cpu.v.tlb.windows[o.slot];
    w.patience = mem.tlb.window_patience;
    // Every store is to be noted.
    if (access.filled != null and o.writes) return 0;
    const p = access.fill(&cpu.v, addr, kind) orelse return 0;
    cpu.v.tlb.openWindow(o.slot, addr, p, o.bytes, kind);
    return if (addr -% w.low < w.limit) @intFromPtr(p) else 0;
}

/// One that more than a third of the accesses miss costs more than it saves: its loop is made again without it. `distance`:
/// instructions between two openings.
fn refuseWindow(cpu: *Cpu, slot: u16, distance: u32) void {
    cache.mutex.lock();
    defer cache.mutex.unlock();
    const page = loops.pageOfWindow(slot) orelse return;
    if (distance > 3 * mem.tlb.window_patience * loops.lengthOfWindow(slot)) return;
    const at = mem.translate(cpu.v.tlb.space, page.va, .exec) orelse return;
    if (at.frame == page.frame and cache.hasRoom()) loops.refuseWindow(page, @ptrCast(@alignCast(at.ptr)), slot);
}

/// The rest of a block whose accesses cannot share a look-up. `site` is the rel32 of a branch to it.
pub fn plain(cpu: *Cpu, place: Place, site: u32) callconv(.c) u64 {
    const generation = cache.generation;
    const pc = place.pc();
    const at = mem.translate(cpu.v.tlb.space, pc, .exec) orelse return fetchFault(cpu, pc);
    const offset = translatePlainly(cpu, at, pc) orelse return fetchFault(cpu, pc);
    if (generation == cache.generation and stays(cpu, place)) patch.link(site, offset);
    return code(offset);
}

fn translatePlainly(cpu: *Cpu, at: mem.Translation, pc: u64) ?u32 {
    cache.mutex.lock();
    defer cache.mutex.unlock();
    const offset = pc & (abi.page_size - 1);
    const page = cache.getPage(at.frame, pc - offset, mode(cpu)) orelse return null;
    // It may have dropped everything, and the code goes on with what the CPU knows of jumps.
    syncKey(cpu);
    return blocks.plainly(page, @ptrCast(@alignCast(at.ptr - offset)), @intCast(offset / 4));
}

/// A branch inside its page: `site` is its rel32.
pub fn link(cpu: *Cpu, place: Place, site: u32) callconv(.c) u64 {
    const generation = cache.generation;
    const pc = place.pc();
    const offset = (lookup(cpu, pc) orelse return fetchFault(cpu, pc)) + @as(u32, if (place.mark) 0 else head_bytes);
    if (generation == cache.generation and stays(cpu, place)) patch.link(site, offset);
    return code(offset);
}

/// Does the CPU run code of the same mode as this? It may have changed meanwhile: then a branch of the one must not lead to the other for ever.
fn stays(cpu: *const Cpu, place: Place) bool {
    const page = cache.pageOf(place.page);
    return page.mode == cache.modeFor(page.frame, mode(cpu));
}

/// A branch back inside its page: taken for the first time, or so often that its loop is to be made.
pub fn loop(cpu: *Cpu, place: Place, site: u32, back: loops.Back) callconv(.c) u64 {
    const generation = cache.generation;
    const pc = place.pc();
    const left = &cpu.backs[back.slot];
    const enough = left.* < 0;
    if (enough) left.* = loops.patience;
    const made = if (enough) loopAt(cpu, pc, back.from) else null;
    const offset = made orelse lookup(cpu, pc) orelse return fetchFault(cpu, pc);
    if (generation == cache.generation and stays(cpu, place)) patch.link(if (enough) site else back.site, offset);
    return code(offset);
}

fn loopAt(cpu: *Cpu, pc: u64, from: u32) ?u32 {
    const at = mem.translate(cpu.v.tlb.space, pc, .exec) orelse return null;
    const offset = pc & (abi.page_size - 1);
    cache.mutex.lock();
    defer cache.mutex.unlock();
    const page = cache.getPage(at.frame, pc - offset, mode(cpu)) orelse return null;
    syncKey(cpu);
    const words: *const [cache.page_words]u32 = @ptrCast(@alignCast(at.ptr - offset));
    return loops.at(page, words, @intCast(offset / 4), from);
}

/// A branch to another page.
pub fn far(cpu: *Cpu, pc: u64, site: patch.Far) callconv(.c) u64 {
    const generation = cache.generation;
    const offset = lookup(cpu, pc) orelse return fetchFault(cpu, pc);
    if (generation == cache.generation) patch.far(&cpu.v.cpu, site, cpu.pages[pageSlot(pc)], offset);
    return code(offset);
}

/// BR, BLR, RET to an address that is not in the jump cache.
pub fn indirect(cpu: *Cpu, target: u64) callconv(.c) u64 {
    const pc = canonical(target);
    const offset = lookup(cpu, pc) orelse return fetchFault(cpu, pc);
    if (pc == target) jumpsOf(cpu).fill(pc, code(offset));
    return code(offset);
}

/// A jump that is guessed: it has gone elsewhere, or nowhere yet.
pub fn guess(cpu: *Cpu, target: u64, start: u32, cold: u32) callconv(.c) u64 {
    const generation = cache.generation;
    const pc = canonical(target);
    const offset = lookup(cpu, pc) orelse return fetchFault(cpu, pc);
    if (generation == cache.generation and pc == target) {
        const slot = layout.cpuField("pages").disp + @as(i32, @intCast(4 * pageSlot(pc)));
        patch.guess(.{ .start = start, .cold = cold }, pc, slot, cpu.pages[pageSlot(pc)], offset);
    }
    return code(offset);
}

/// The address that a branch goes to: the top byte of the register is ignored.
fn canonical(pc: u64) u64 {
    return @bitCast(@as(i64, @bitCast(pc << 8)) >> 8);
}

/// The slice is used up at the start of a block.
pub fn slice(cpu: *Cpu, place: Place) callconv(.c) u64 {
    const b = cpu.block;
    const pc = place.pc();
    retire(cpu);
    cpu.v.cpu.check();
    b.tlb_mark = cpu.v.tlb.mark;
    if (@atomicRmw(u32, &b.stop, .Xchg, 0, .monotonic) != 0) return leave(cpu, .kicked, pc);
    // What the slice was overdrawn by comes out of the rest.
    const left = @as(i64, cpu.budget) + b.slice;
    if (left <= 0) return leave(cpu, .budget, pc);
    startSlice(cpu, @intCast(left));
    return begin(cpu, pc);
}

pub fn startSlice(cpu: *Cpu, left: u32) void {
    const slice_length: u32 = @min(left, slice_max);
    cpu.block.slice = @intCast(slice_length);
    cpu.slice_start = cpu.block.slice;
    cpu.budget = left - slice_length;
}

/// Counts the instructions of the slice so far.
pub fn retire(cpu: *Cpu) void {
    const b = cpu.block;
    const executed: u32 = @bitCast(cpu.slice_start -% b.slice);
    b.retired +%= executed;
    cpu.slice_start = b.slice;
    mirror.count(cpu, executed);
}

/// An instruction that is left to the interpreter.
pub const Site = struct { single: interp.Single, next: ?*Site };

/// Executes one instruction that is not translated and is no branch.
pub fn interpret(cpu: *Cpu, site: *const Site) callconv(.c) u64 {
    return @intFromBool(execute(cpu, &site.single));
}

fn execute(cpu: *Cpu, what: *const interp.Single) bool {
    const b = cpu.block;
    const v = &cpu.v;
    v.slice = 0;
    v.slice_start = 0;
    v.budget = 0;
    const retired = b.retired;
    b.single_step = 1;
    const reason: abi.Exit = @enumFromInt(run.executeSingle(b, v, what, flags.fromPstate(layout.pstateOf(b.host_flags))));
    b.single_step = 0;
    b.retired = retired;
    b.host_flags = layout.savedFlags(b.pstate);
    cpu.watchSaturation(b);
    return reason == .step;
}

/// An instruction of which the interpreter has a function.
pub const Function = *const fn (b: *Block, insn: u32) callconv(.c) void;

pub fn callFlags(cpu: *Cpu, function: Function, insn: u32) callconv(.c) u64 {
    cpu.block.pstate = layout.pstateOf(cpu.block.host_flags);
    function(cpu.block, insn);
    cpu.block.host_flags = layout.savedFlags(cpu.block.pstate);
    return 1;
}

/// The access at addr is not aligned and has to be.
pub fn misaligned(cpu: *Cpu, addr: u64, place: Place) callconv(.c) u64 {
    const b = cpu.block;
    b.fault_addr = addr & address_mask;
    b.fault_access = @intFromEnum(if (place.mark) abi.Access.write else .read);
    b.esr = access.alignmentSyndrome(place.mark);
    return leave(cpu, .alignment, place.pc());
}

/// sp is the base register and not a multiple of 16.
pub fn misalignedSp(cpu: *Cpu, place: Place) callconv(.c) u64 {
    const b = cpu.block;
    b.fault_addr = b.sp;
    b.fault_access = @intFromEnum(abi.Access.read);
    b.esr = access.sp_syndrome;
    return leave(cpu, .alignment, place.pc());
}

/// SVC, BRK, undefined instructions, and those that give up the slice.
pub fn stop(cpu: *Cpu, place: Place, reason: abi.Exit, syndrome: u32) callconv(.c) u64 {
    if (reason != .budget) cpu.block.esr = syndrome;
    const behind: u64 = if (reason == .syscall or reason == .budget) 4 else 0;
    if (reason == .budget and cpu.v.cpu.worker) {
        // Whom it waits for runs elsewhere: a moment, not the rest of the slice.
        threads.relax();
        cpu.block.slice -= run.pause_charge;
        return code(lookup(cpu, place.pc() + behind) orelse return fetchFault(cpu, place.pc() + behind));
    }
    return leave(cpu, reason, place.pc() + behind);
}
