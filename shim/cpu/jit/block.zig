//! Blocks: straight on from the entry, past conditional branches, to the first unconditional one, the end of the page, or `longest`
//! instructions; twice as many before the first branch.

const std = @import("std");
const cache = @import("cache.zig");
const exits = @import("exit.zig");
const flags = @import("flags.zig");
const flat = @import("flat.zig");
const info = @import("info.zig");
const registers = @import("registers.zig");
const thunks = @import("thunks.zig");
const translate = @import("translate.zig");
const x64 = @import("x64.zig");

const Translator = translate.Translator;

const longest = 64;

/// Number of instructions of the block that starts at `first`. It ends before what has a block of its own already.
fn measure(page: *const cache.Page, words: *const [cache.page_words]u32, first: u32) u32 {
    var n: u32 = 0;
    var straight = true;
    while (true) {
        n += 1;
        if (first + n < cache.page_words and page.entry[first + n] != 0) return n;
        straight = straight and registers.isStraight(words[first + n - 1]);
        const most: u32 = if (straight) registers.longest else longest;
        if (first + n == cache.page_words or n >= most or info.endsBlock(words[first + n - 1])) return n;
    }
}

/// Translates the block that starts at word `first` of the page and enters it there. The arena has room.
pub fn make(page: *cache.Page, words: *const [cache.page_words]u32, first: u10) void {
    const start = emit(page, words, first, false);
    @atomicStore(u32, &page.entry[first], start, .release);
}

/// Translates what a block goes on with from word `first` when accesses can share no look-up. Its offset.
pub fn plainly(page: *cache.Page, words: *const [cache.page_words]u32, first: u10) u32 {
    return emit(page, words, first, true);
}

fn emit(page: *cache.Page, words: *const [cache.page_words]u32, first: u10, plain: bool) u32 {
    const start = std.mem.alignForward(u32, cache.used, 16);
    const count = measure(page, words, first);
    var t: Translator = .{
        .a = .{ .base = cache.writable, .at = start },
        .page = page,
        .words = words,
        .first = first,
        .pc = page.va + @as(u64, first) * 4,
        .code = start,
        .count = count,
        .plain = plain,
        .straight = registers.begin(words, first, count),
    };
    const end = first + count;
    flags.liveness(words, first, t.needed[0..count], end == cache.page_words or flags.neededAt(words, end, 20));

    if (page.mode.flat) flat.stackIsGood(&t, flat.drift_first);
    // What a block goes on with was counted at its head.
    const spent: ?x64.Fixup = if (plain) null else t.head();
    while (true) {
        t.live = t.needed[t.index];
        registers.change(&t);
        t.one(words[first + t.index]);
        if (t.done) break;
        if (t.index + 1 == count) {
            registers.finish(&t);
            exits.branchAlways(&t, t.pc + 4);
            break;
        }
        t.index += 1;
        t.pc += 4;
    }
    cache.used = t.a.at;
    t.a.at = cache.used_cold;
    t.emitCold();
    if (spent) |from| {
        t.a.linkHere(from);
        t.a.movImm(.rdx, t.placeOf(0, false));
        t.a.jmpTo(thunks.slice);
    }
    t.publish(start);
    return start;
}
