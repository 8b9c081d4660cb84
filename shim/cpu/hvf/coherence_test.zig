//! What CPUs that walk the tables themselves are told, against a model of all that such a CPU may have kept: descriptors of pages and of tables that it
//! found when it ran a space, by ASID, until a TLBI reaches them. A virtual machine on an emulator forgets everything by itself, so nothing else
//! notices a missing request. Random edits by the kernel, spaces by turns on two CPUs; likewise code: what is executable was cleaned as it is now.
//!
//! The seed is printed when a run fails.

const std = @import("std");
const testing = std.testing;
const abi = @import("../../abi.zig");
const asid = @import("asid.zig");
const coherence = @import("coherence.zig");
const desc = @import("../../mem/descriptor.zig");
const frames = @import("../../mem/frames.zig");
const kick = @import("../../host/kick.zig");
const space = @import("../../mem/space.zig");
const stub = @import("stub.zig");
const tlb = @import("../../mem/tlb.zig");
const vcpu = @import("vcpu.zig");
const x = @import("../../mem/exports.zig");

const page = frames.page_size;
/// Pages at the borders of tables of each level, and a run that is longer than what is forgotten page by page.
const windows = [_]u64{ 0x10000, 0x1fd000, 0x3fff_d000, 0x7f_ffff_d000, 0xffff_ffff_a000 };
const window_pages = 6;
const run_at = 0x4000_0000;
const run_pages = 80;
const page_count = windows.len * window_pages + run_pages;
const max_spaces = 6;

fn addrOf(i: usize) u64 {
    const single = windows.len * window_pages;
    return if (i < single) windows[i / window_pages] + i % window_pages * page else run_at + (i - single) * page;
}

/// ASID in 63..48, level in 47..44, and what the address has in common with others of one descriptor.
const Key = u64;

fn keyOf(tag: u16, level: u2, va: u64) Key {
    return @as(u64, tag) << 48 | @as(u64, level) << 44 | va >> 12 + 9 * (3 - @as(u6, level));
}

/// What a walk does not look at.
const ignored = desc.shared | desc.cow | desc.wx;

const Found = std.AutoHashMapUnmanaged(Key, u64);

const Cpu = struct {
    cpu: *vcpu.Cpu,
    found: Found = .empty,
    /// The space that it runs, unless that is gone.
    bound: ?u32 = null,
};

var cpus: [2]Cpu = undefined;
/// First words of frames when they were cleaned last.
var cleaned: std.AutoHashMapUnmanaged(u32, u64) = .empty;

fn onClean(frame: u32) void {
    cleaned.put(testing.allocator, frame, firstWord(frame)) catch {};
}

fn firstWord(frame: u32) u64 {
    return @as(*const u64, @ptrCast(frames.ptr(frame))).*;
}

const Model = struct {
    random: std.Random,
    spaces: [max_spaces]?u32 = @splat(null),
    stamp: u64 = 0,

    fn rand(m: *Model, below: usize) usize {
        return m.random.uintLessThan(usize, below);
    }

    fn any(m: *Model) ?u32 {
        return m.spaces[m.rand(max_spaces)];
    }

    /// A run of pages in one window, or in the long one.
    fn range(m: *Model) struct { u64, u32 } {
        if (m.rand(4) == 0) {
            const first = m.rand(run_pages);
            return .{ run_at + first * page, @intCast(1 + m.rand(run_pages - first)) };
        }
        const first = m.rand(window_pages);
        return .{ windows[m.rand(windows.len)] + first * page, @intCast(1 + m.rand(window_pages - first)) };
    }

    fn prot(m: *Model) u32 {
        const shared: u32 = if (m.rand(4) == 0) abi.prot_shared else 0;
        return ([_]u32{ 0, 1, 3, 3, 5, 5, 7, 7 })[m.rand(8)] | shared;
    }
};

fn edit(m: *Model) !void {
    if (m.rand(40) == 0) {
        const i = m.rand(max_spaces);
        if (m.spaces[i]) |handle| {
            for (&cpus) |*c| if (c.bound == handle) {
                c.bound = null;
            };
            x.space_destroy(handle);
            m.spaces[i] = null;
        } else if (m.any()) |from| {
            m.spaces[i] = @intCast(x.space_fork(from));
        } else m.spaces[i] = @intCast(x.space_create());
        return;
    }
    const handle = m.any() orelse return;
    const s = space.get(handle).?;
    const at, const count = m.range();
    switch (2 + m.rand(18)) {
        2...6 => _ = x.space_map_zero(handle, at, count, m.prot()),
        7, 8 => _ = x.space_protect(handle, at, count, m.prot() & 7),
        9 => _ = x.space_unmap(handle, at, count),
        10 => {
            const to, const room = m.range();
            _ = x.space_move(handle, at, to, @min(count, room));
        },
        11 => {
            const frame: u32 = @intCast(x.frame_alloc(1, 1));
            defer x.frame_unref(frame, 1);
            _ = x.space_map(handle, at, frame, 1, m.prot());
        },
        12...15 => _ = x.space_cow(handle, at, m.prot() & 4 | 3),
        16, 17 => _ = space.makeExecutable(s, at),
        else => {
            m.stamp += 1;
            _ = x.user_out(handle, at, std.mem.asBytes(&m.stamp), 8);
        },
    }
}

/// What the kernel asks of a CPU before it runs a space.
fn obey(c: *Cpu) !void {
    const context = c.cpu.context;
    c.cpu.pending.take(context);
    if (context.request & stub.request_tlb_all != 0) c.found.clearRetainingCapacity();
    if (context.request & stub.request_tlb != 0) {
        for (context.invalidate[0..context.invalidate_count]) |what| {
            const tag: u16 = @truncate(what.operand >> 48);
            if (what.pages == 0) forget(&c.found, tag);
            const first = what.operand & 0xfff_ffff_ffff;
            for (first..first + what.pages) |number| {
                for (0..4) |level| _ = c.found.remove(keyOf(tag, @intCast(level), number << 12));
            }
        }
    }
    context.request = 0;
    context.invalidate_count = 0;
}

fn forget(found: *Found, tag: u16) void {
    var it = found.keyIterator();
    while (it.next()) |key| {
        if (key.* >> 48 != tag) continue;
        _ = found.remove(key.*);
        it = found.keyIterator();
    }
}

/// Nothing that the CPU has kept of this space differs from what its tables have now; then it keeps all there is. `anew`: else it was only paused,
/// and code that was written meanwhile is its own to wait for.
fn runOn(c: *Cpu, handle: u32, anew: bool) !void {
    if (anew) vcpu.bind(c.cpu, handle);
    c.bound = handle;
    try obey(c);
    const s = space.get(handle).?;
    const tag: u16 = @truncate(c.cpu.wanted_ttbr0 >> 48);
    try testing.expect(tag != 0);
    try testing.expectEqual(@as(u64, s.root) << 12, c.cpu.wanted_ttbr0 & 0xffff_ffff_ffff);
    for (0..page_count) |i| {
        var table = space.tableOf(s.root);
        for (0..4) |n| {
            const level: u2 = @intCast(n);
            const d = table[addrOf(i) >> (12 + 9 * (3 - @as(u6, level))) & 511];
            const key = keyOf(tag, level, addrOf(i));
            if (c.found.get(key)) |kept| {
                if (kept != d & ~ignored) return fail("level {d} of 0x{x}: kept 0x{x}, is 0x{x}", .{ level, addrOf(i), kept, d });
            } else if (d & desc.valid != 0) try c.found.put(testing.allocator, key, d & ~ignored);
            if (d & desc.valid == 0) break;
            if (level < 3) table = space.tableOf(desc.frameOf(d)) else if (anew and desc.executable(d)) try isClean(desc.frameOf(d));
        }
    }
}

fn isClean(frame: u32) !void {
    const then = cleaned.get(frame) orelse return fail("frame {d} was never cleaned", .{frame});
    if (then != firstWord(frame)) return fail("frame {d} was cleaned at 0x{x}, is 0x{x}", .{ frame, then, firstWord(frame) });
}

fn fail(comptime format: []const u8, args: anytype) error{Stale} {
    std.debug.print(format ++ "\n", args);
    return error.Stale;
}

fn run(seed: u64, count: usize) !void {
    x.mem_reset();
    try testing.expectEqual(0, x.mem_init(64 * page, 64 << 20));
    const before = .{ frames.codeChanged, tlb.dropped, desc.split_wx, kick.interrupt, asid.last };
    coherence.listen();
    coherence.onClean = onClean;
    defer {
        coherence.ignore();
        coherence.onClean = null;
        frames.codeChanged, tlb.dropped, desc.split_wx, kick.interrupt, asid.last = before;
        cleaned.clearAndFree(testing.allocator);
    }
    desc.split_wx = seed % 2 == 0;
    // So few that numbering begins again now and then, and so many that it mostly does not.
    asid.last = if (seed % 3 == 0) 9 else 255;
    var prng = std.Random.DefaultPrng.init(seed);
    var m = Model{ .random = prng.random() };
    defer for (&cpus) |*c| c.found.clearAndFree(testing.allocator);
    for (&cpus) |*c| {
        // Their pages went with the memory of the run before.
        c.cpu.context = @ptrCast(frames.ptr(frames.alloc(true).?));
        c.cpu.context.* = .{};
        c.cpu.pending = .{ .request = stub.request_tlb_all };
        c.cpu.cpu.space = 0;
        c.cpu.wanted_ttbr0 = 0;
        c.found = .empty;
        c.bound = null;
    }
    for (&m.spaces) |*slot| slot.* = @intCast(x.space_create());
    for (0..count) |_| {
        for (0..1 + m.rand(8)) |_| try edit(&m);
        // One of them runs so seldom that there is more to tell than is listed.
        const c = &cpus[@intFromBool(m.rand(20) == 0)];
        const paused = if (m.rand(3) == 0) c.bound else null;
        if (paused orelse m.any()) |handle| try runOn(c, handle, paused == null);
    }
    for (m.spaces) |slot| if (slot) |handle| x.space_destroy(handle);
}

test "CPUs are told of all that they may have kept, and code is clean" {
    x.mem_reset();
    try testing.expectEqual(0, x.mem_init(64 * page, 64 << 20));
    for (&cpus, 0..) |*c, i| c.* = .{ .cpu = try vcpu.create(i > 0) };
    for (1..13) |seed| run(seed, 3_000) catch |err| {
        std.debug.print("seed {d}\n", .{seed});
        return err;
    };
}

test "every CPU drops fetched instructions after the kernel wrote code" {
    x.mem_reset();
    try testing.expectEqual(0, x.mem_init(64 * page, 64 << 20));
    const before = .{ frames.codeChanged, tlb.dropped, kick.interrupt };
    coherence.listen();
    defer {
        coherence.ignore();
        frames.codeChanged, tlb.dropped, kick.interrupt = before;
    }
    for (vcpu.all()) |cpu| {
        cpu.cpu.space = 0;
        cpu.pending = .{};
    }
    const handle: u32 = @intCast(x.space_create());
    try testing.expectEqual(1, x.space_map_zero(handle, 0x10000, 1, 7));
    const word: u32 = 0xd4000001;
    try testing.expectEqual(4, x.user_out(handle, 0x10000, std.mem.asBytes(&word), 4));
    vcpu.bind(vcpu.all()[0], handle);
    for (vcpu.all()) |cpu| try testing.expectEqual(stub.request_icache, cpu.pending.request);
}
