//! The differential tester's runner for our engines: loads the built shim (first argument), reads cases from stdin, runs
//! each one through `cpu_enter` in one address space, and writes the results to stdout. Records and memory map are those of
//! test/cpu/oracle/format.zig; the second argument chooses the engine (`cpu_engine`), the third how a case is run: every
//! way must give the same results.

const std = @import("std");
const abi = @import("abi");
const format = @import("format");
const Edits = @import("difftest_edits.zig").Edits;

const c = std.c;

/// The calls of the shim that the runner needs, by their exported names.
pub const Shim = struct {
    mem_init: *const fn (usize, usize) callconv(.c) i32,
    space_create: *const fn () callconv(.c) i32,
    frame_alloc: *const fn (u32, u32) callconv(.c) i32,
    frame_ptr: *const fn (u32) callconv(.c) usize,
    frame_unref: *const fn (u32, u32) callconv(.c) void,
    space_map: *const fn (u32, usize, u32, u32, u32) callconv(.c) i32,
    space_unmap: *const fn (u32, usize, u32) callconv(.c) i32,
    space_protect: *const fn (u32, usize, u32, u32) callconv(.c) i32,
    space_lookup: *const fn (u32, usize) callconv(.c) i32,
    space_frame: *const fn (u32, usize) callconv(.c) i32,
    space_cow: *const fn (u32, usize, u32) callconv(.c) i32,
    space_fork: *const fn (u32) callconv(.c) i32,
    space_destroy: *const fn (u32) callconv(.c) void,
    user_poke: *const fn (u32, usize, [*]const u8, u32) callconv(.c) i32,
    cpu_block_create: *const fn () callconv(.c) usize,
    cpu_engine: *const fn (u32) callconv(.c) i32,
    cpu_enter: *const fn (*abi.RegisterBlock, u32) callconv(.c) i32,

    fn load(path: [*:0]const u8) Shim {
        const library = c.dlopen(path, .{ .NOW = true }) orelse fail("cannot load {s}: {s}", .{ path, c.dlerror() orelse "" });
        var shim: Shim = undefined;
        inline for (@typeInfo(Shim).@"struct".fields) |field| {
            const symbol = c.dlsym(library, field.name ++ "") orelse fail("no {s} in {s}", .{ field.name, path });
            @field(shim, field.name) = @ptrCast(@alignCast(symbol));
        }
        return shim;
    }
};

/// whole: in one entry. again: twice, and the second run counts (decoded code is reused). step: in single-step mode.
/// slice: with a budget of one instruction. few: with budgets that end in the middle of loops. edge: with the end of a page between the words. rewrite: where other words have just run.
/// edits: while pages are changed (difftest_edits.zig).
const Mode = enum { whole, again, step, slice, few, edge, rewrite, edits };

const Runner = struct {
    mode: Mode,
    shim: Shim,
    block: *abi.RegisterBlock,
    space: u32,
    data: *[format.data_words]u64,
    edits: ?Edits = null,

    fn init(path: [*:0]const u8, engine: u32, mode: Mode) Runner {
        const shim = Shim.load(path);
        check(shim.mem_init(64 << 20, 256 << 20), "mem_init");
        if (engine != 0) check(shim.cpu_engine(engine), "cpu_engine");
        const space: u32 = @intCast(shim.space_create());
        const readable = abi.prot_read | abi.prot_shared;
        _ = mapRegion(shim, space, format.code_base, format.slots * format.slot_bytes, readable | abi.prot_exec);
        // Memory that others see too, or that of one task alone, whose atomics are not locked.
        const kept: u32 = if (mode == .again or mode == .rewrite) abi.prot_shared else 0;
        const data = mapRegion(shim, space, format.data_base, format.data_bytes, abi.prot_read | abi.prot_write | kept);
        const rodata = mapRegion(shim, space, format.rodata_base, format.rodata_bytes, readable);
        const words: *[format.data_words]u64 = @ptrFromInt(data);
        @memcpy(words, memory[0..format.data_words]);
        @memcpy(@as([*]u64, @ptrFromInt(rodata)), memory[format.data_words..]);
        var r: Runner = .{ .mode = mode, .shim = shim, .block = @ptrFromInt(shim.cpu_block_create()), .space = space, .data = words };
        if (mode == .edits) r.edits = .init(shim, space, &memory);
        return r;
    }

    fn mapRegion(shim: Shim, space: u32, address: u64, length: u64, prot: u32) usize {
        const count: u32 = @intCast(length / abi.page_size);
        const frame = shim.frame_alloc(count, 1);
        check(frame, "frame_alloc");
        check(shim.space_map(space, address, @intCast(frame), count, prot), "space_map");
        if (prot & abi.prot_shared == 0) {
            // Nobody else holds it, so it may be written.
            shim.frame_unref(@intCast(frame), count);
            check(shim.space_protect(space, address, count, prot), "space_protect");
        }
        return shim.frame_ptr(@intCast(frame));
    }

    fn place(r: *Runner, case: *const format.Case) void {
        if (case.slot >= format.slots or case.count > case.words.len) fail("bad case", .{});
        var words: [format.slot_words]u32 = @splat(format.end_word);
        @memcpy(words[0..case.count], case.words[0..case.count]);
        r.poke(case, &words);
    }

    fn poke(r: *Runner, case: *const format.Case, words: *const [format.slot_words]u32) void {
        const bytes = std.mem.asBytes(words);
        if (r.shim.user_poke(r.space, r.addressOf(case), bytes, bytes.len) != bytes.len) fail("user_poke", .{});
    }

    /// Runs words that do nothing in the case's place.
    fn overwrite(r: *Runner, case: *const format.Case) void {
        const nop = 0xd503201f;
        var words: [format.slot_words]u32 = @splat(nop);
        words[format.slot_words - 1] = format.end_word;
        r.poke(case, &words);
        r.load(case);
        _ = r.finish();
        r.place(case);
    }

    fn addressOf(r: *const Runner, case: *const format.Case) u64 {
        if (r.mode != .edge) return format.code_base + case.slot * format.slot_bytes;
        const pages = format.slots * format.slot_bytes / abi.page_size - 1;
        const before = 1 + case.slot % @max(case.count, 1);
        return format.code_base + (1 + case.slot % pages) * abi.page_size - 4 * before;
    }

    fn load(r: *Runner, case: *const format.Case) void {
        r.block.* = .{
            .x = case.x,
            .sp = case.sp,
            .pc = r.addressOf(case),
            .pstate = case.nzcv,
            .tpidr = case.tpidr,
            .fpcr = case.fpcr,
            .fpsr = case.fpsr,
            .v = case.v,
            .space = r.space,
            .single_step = @intFromBool(r.mode == .step),
        };
    }

    fn enter(r: *Runner, case: *const format.Case) u32 {
        if (r.edits) |*edits| {
            edits.next(r.block);
            r.space = edits.space;
        }
        if (r.mode == .rewrite) r.overwrite(case);
        r.load(case);
        if (r.mode == .again) {
            _ = r.finish();
            @memcpy(r.data, memory[0..format.data_words]);
            r.load(case);
        }
        return r.finish();
    }

    /// Enters until something happens that is neither a step nor a spent slice (which YIELD, too, gives up).
    fn finish(r: *Runner) u32 {
        for (0..1000) |round| {
            const budget: u32 = switch (r.mode) {
                .slice => 1,
                .few => @intCast(5 + 11 * round % 47),
                else => 100_000,
            };
            const exit: u32 = @bitCast(r.shim.cpu_enter(r.block, budget));
            if (exit == @intFromEnum(abi.Exit.fault)) if (r.edits) |*edits| if (edits.resolves(r.block)) continue;
            if (exit != @intFromEnum(abi.Exit.budget) and exit != @intFromEnum(abi.Exit.step)) return exit;
        }
        return @intFromEnum(abi.Exit.budget);
    }

    fn run(r: *Runner, case: *const format.Case) void {
        const block = r.block;
        const exit = r.enter(case);
        if (output.len - output_used < @sizeOf(format.Result) + format.data_words * @sizeOf(format.Change)) flush();
        const result: *format.Result = @ptrCast(@alignCast(&output[output_used]));
        output_used += @sizeOf(format.Result);
        result.* = .{
            .slot = case.slot,
            .signal = r.signalOf(exit),
            .changes = 0,
            .reserved = 0,
            .pc = block.pc,
            .fault = block.fault_addr,
            .x = block.x,
            .sp = block.sp,
            .nzcv = @truncate(block.pstate),
            .fpcr = block.fpcr,
            .fpsr = block.fpsr,
            .pad = 0,
            .tpidr = block.tpidr,
            .pad2 = 0,
            .v = block.v,
        };
        r.keepChanges(result);
    }

    fn keepChanges(r: *Runner, result: *format.Result) void {
        for (memory[0..format.data_words], 0..) |before, index| {
            const now = if (r.edits) |*edits| (edits.word(index) orelse continue) else &r.data[index];
            if (now.* == before) continue;
            const change: *format.Change = @ptrCast(@alignCast(&output[output_used]));
            change.* = .{ .offset = index * 8, .value = now.* };
            output_used += @sizeOf(format.Change);
            result.changes += 1;
            now.* = before;
        }
    }

    fn signalOf(r: *Runner, exit: u32) u32 {
        return switch (@as(abi.Exit, @enumFromInt(exit))) {
            .fault => 11,
            .undefined => 4,
            .alignment, .pc_alignment => 7,
            .breakpoint => if (r.block.esr & 0xffff == 0x77) format.ended else 5,
            else => format.stray,
        };
    }
};

var cases: [format.batch]format.Case = undefined;
var memory: [format.memory_words]u64 = undefined;
var output: [1 << 20]u8 align(16) = undefined;
var output_used: usize = 0;

pub fn main(init: std.process.Init) !void {
    var args = try init.minimal.args.iterateAllocator(init.gpa);
    defer args.deinit();
    _ = args.next();
    const path = args.next() orelse fail("usage: difftest SHIM [ENGINE [MODE]]", .{});
    const engine = if (args.next()) |text| try std.fmt.parseInt(u32, text, 10) else 0;
    const mode = if (args.next()) |text| std.meta.stringToEnum(Mode, text) orelse fail("no mode {s}", .{text}) else .whole;
    var header: format.Header = undefined;
    if (!readExactly(std.mem.asBytes(&header)) or header.magic != format.magic) fail("not a case stream", .{});
    format.fillMemory(&memory, header.memory_seed);
    var runner = Runner.init(path, engine, mode);
    var left = header.count;
    while (left > 0) {
        const count = @min(left, format.batch);
        left -= count;
        if (!readExactly(std.mem.sliceAsBytes(cases[0..count]))) fail("the stream ended early", .{});
        for (cases[0..count]) |*case| runner.place(case);
        for (cases[0..count]) |*case| runner.run(case);
    }
    flush();
}

fn readExactly(bytes: []u8) bool {
    var done: usize = 0;
    while (done < bytes.len) {
        const count = c.read(0, bytes.ptr + done, bytes.len - done);
        if (count <= 0) return false;
        done += @intCast(count);
    }
    return true;
}

fn flush() void {
    var done: usize = 0;
    while (done < output_used) {
        const count = c.write(1, output[done..].ptr, output_used - done);
        if (count <= 0) fail("cannot write", .{});
        done += @intCast(count);
    }
    output_used = 0;
}

fn check(result: i32, comptime name: []const u8) void {
    if (result < 0) fail(name ++ ": {d}", .{result});
}

fn fail(comptime text: []const u8, args: anytype) noreturn {
    std.debug.print("difftest: " ++ text ++ "\n", args);
    std.process.exit(1);
}
