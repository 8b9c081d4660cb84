//! The interpreter as the kernel sees it: exits, exact faults, stale code, budget, kick, single step.

const std = @import("std");
const testing = std.testing;
const abi = @import("../../abi.zig");
const cpu = @import("../exports.zig");
const mem = @import("../../mem/exports.zig");

const code = 0x400000;
const data = 0x10000;
const page = abi.page_size;
const rw = abi.prot_read | abi.prot_write;
const rx = abi.prot_read | abi.prot_exec;

const svc = 0xd4000001; // svc #0
const add1 = 0x91000400; // add x0, x0, #1
const ret = 0xd65f03c0;
const isb = 0xd5033fdf;
const ic_ivau = 0xd50b7522; // ic ivau, x2
const self = 0x14000000; // b .

const Setup = struct {
    space: u32,
    block: *abi.RegisterBlock,

    /// Two code pages and two data pages; nothing behind them.
    fn init(words: []const u32) !Setup {
        cpu.cpu_reset();
        mem.mem_reset();
        try testing.expectEqual(0, mem.mem_init(0, 64 << 20));
        const space: u32 = @intCast(mem.space_create());
        try testing.expectEqual(2, mem.space_map_zero(space, code, 2, rx));
        try testing.expectEqual(2, mem.space_map_zero(space, data, 2, rw));
        const s: Setup = .{ .space = space, .block = @ptrFromInt(cpu.cpu_block_create()) };
        s.block.space = space;
        s.block.pc = code;
        s.block.sp = data + page;
        try s.put(code, words);
        return s;
    }

    fn deinit(s: Setup) void {
        cpu.cpu_block_destroy(s.block);
    }

    fn put(s: Setup, addr: usize, words: []const u32) !void {
        const bytes = std.mem.sliceAsBytes(words);
        try testing.expectEqual(@as(i32, @intCast(bytes.len)), mem.user_poke(s.space, addr, @constCast(bytes.ptr), @intCast(bytes.len)));
    }

    fn enter(s: Setup, budget: u32) abi.Exit {
        return @enumFromInt(cpu.cpu_enter(s.block, budget));
    }

    fn word(s: Setup, addr: usize) u64 {
        var value: u64 = 0;
        _ = mem.user_in(s.space, addr, std.mem.asBytes(&value), 8);
        return value;
    }

    fn expectFault(s: Setup, access: abi.Access, pc: u64, addr: u64) !void {
        try testing.expectEqual(abi.Exit.fault, s.enter(1000));
        try testing.expectEqual(@intFromEnum(access), s.block.fault_access);
        try testing.expectEqual(pc, s.block.pc);
        try testing.expectEqual(addr, s.block.fault_addr);
    }
};

test "a system call returns behind the svc with registers and flags stored" {
    // cmp x0, #3; add; svc
    const s = try Setup.init(&.{ 0xf1000c1f, add1, svc });
    defer s.deinit();
    s.block.x[0] = 3;
    try testing.expectEqual(abi.Exit.syscall, s.enter(1000));
    try testing.expectEqual(4, s.block.x[0]);
    try testing.expectEqual(code + 12, s.block.pc);
    try testing.expectEqual(0x60000000, s.block.pstate);
    try testing.expectEqual(0x56000000, s.block.esr);
    try testing.expectEqual(3, s.block.retired);
}

test "flags come in from the block" {
    // cset x0, vs; svc
    const s = try Setup.init(&.{ 0x9a9f77e0, svc });
    defer s.deinit();
    s.block.pstate = 0x10000000;
    try testing.expectEqual(abi.Exit.syscall, s.enter(1000));
    try testing.expectEqual(1, s.block.x[0]);
    try testing.expectEqual(0x10000000, s.block.pstate);
}

test "a pair that faults on its second page changes nothing" {
    // ldp x3, x4, [x2], #16; svc
    const s = try Setup.init(&.{ add1, 0xa8c11043, svc });
    defer s.deinit();
    const end = data + 2 * page;
    s.block.x[2] = end - 8;
    s.block.x[3] = 33;
    try s.expectFault(.read, code + 4, end);
    try testing.expectEqual(33, s.block.x[3]);
    try testing.expectEqual(end - 8, s.block.x[2]);
    try testing.expectEqual(0x92000007, s.block.esr);
    try testing.expectEqual(1, s.block.x[0]);
    // The kernel maps the page and the instruction runs again.
    _ = mem.space_map_zero(s.space, end, 1, rw);
    try testing.expectEqual(abi.Exit.syscall, s.enter(1000));
    try testing.expectEqual(end + 8, s.block.x[2]);
}

test "a store across pages stores nothing when the second is read-only" {
    // stp x3, x4, [x2]; svc
    const s = try Setup.init(&.{ 0xa9001043, svc });
    defer s.deinit();
    _ = mem.space_protect(s.space, data + page, 1, abi.prot_read);
    s.block.x[2] = data + page - 8;
    s.block.x[3] = 0xffff;
    try s.expectFault(.write, code, data + page);
    try testing.expectEqual(0x9200004f, s.block.esr);
    try testing.expectEqual(0, s.word(data + page - 8));
}

test "unaligned accesses across pages work; tagged pointers too" {
    // str x1, [x2, #8]!; ldr x5, [x2]; svc
    const s = try Setup.init(&.{ 0xf8008c41, 0xf9400045, svc });
    defer s.deinit();
    s.block.x[1] = 0x1122334455667788;
    s.block.x[2] = 0x5a00000000000000 + data + page - 8 - 3;
    try testing.expectEqual(abi.Exit.syscall, s.enter(1000));
    try testing.expectEqual(0x1122334455667788, s.block.x[5]);
    try testing.expectEqual(0x1122334455667788, s.word(data + page - 3));
}

test "misaligned sp, exclusives and pc" {
    // str x0, [sp]
    const s = try Setup.init(&.{0xf90003e0});
    defer s.deinit();
    s.block.sp -= 8;
    try testing.expectEqual(abi.Exit.alignment, s.enter(1000));
    try testing.expectEqual(s.block.sp, s.block.fault_addr);
    // ldar x1, [x2]
    try s.put(code, &.{0xc8dffc41});
    s.block.x[2] = data + 4;
    try testing.expectEqual(abi.Exit.alignment, s.enter(1000));
    try testing.expectEqual(data + 4, s.block.fault_addr);
    // br x5
    try s.put(code, &.{0xd61f00a0});
    s.block.x[5] = code + 2;
    try testing.expectEqual(abi.Exit.pc_alignment, s.enter(1000));
    try testing.expectEqual(code + 2, s.block.pc);
}

test "a jump to nowhere faults at the target" {
    // blr x5
    const s = try Setup.init(&.{ add1, 0xd63f00a0 });
    defer s.deinit();
    s.block.x[5] = 0xdead0000;
    try s.expectFault(.exec, 0xdead0000, 0xdead0000);
    try testing.expectEqual(code + 8, s.block.x[30]);
    try testing.expectEqual(2, s.block.retired);
    s.block.x[5] = 0x12_3400_0000_4000;
    s.block.pc = code;
    try s.expectFault(.exec, 0x12_3400_0000_4000, 0x12_3400_0000_4000);
}

test "undefined instructions and breakpoints stop where they are" {
    const s = try Setup.init(&.{ add1, 0x00000000, 0xd42000e0 });
    defer s.deinit();
    try testing.expectEqual(abi.Exit.undefined, s.enter(1000));
    try testing.expectEqual(code + 4, s.block.pc);
    s.block.pc += 4;
    try testing.expectEqual(abi.Exit.breakpoint, s.enter(1000));
    try testing.expectEqual(0xf2000007, s.block.esr);
    try testing.expectEqual(code + 8, s.block.pc);
}

test "execution runs on from one page to the next" {
    const s = try Setup.init(&.{});
    defer s.deinit();
    try s.put(code + page - 8, &.{ add1, add1, add1, svc });
    s.block.pc = code + page - 8;
    try testing.expectEqual(abi.Exit.syscall, s.enter(1000));
    try testing.expectEqual(3, s.block.x[0]);
    // The next page goes away: its code may not be entered any more.
    _ = mem.space_unmap(s.space, code + page, 1);
    s.block.pc = code + page - 8;
    try s.expectFault(.exec, code + page, code + page);
    // Another frame with other code comes.
    _ = mem.space_map_zero(s.space, code + page, 1, rx);
    try s.put(code + page, &.{ svc, svc });
    s.block.pc = code + page - 8;
    try testing.expectEqual(abi.Exit.syscall, s.enter(1000));
    try testing.expectEqual(code + page + 4, s.block.pc);
}

test "a page that loses its right to execute is not executed" {
    const s = try Setup.init(&.{ add1, svc });
    defer s.deinit();
    try testing.expectEqual(abi.Exit.syscall, s.enter(1000));
    _ = mem.space_protect(s.space, code, 1, abi.prot_read);
    s.block.pc = code;
    try s.expectFault(.exec, code, code);
    try testing.expectEqual(0x8200000f, s.block.esr);
}

test "the kernel's writes to code count at once" {
    const s = try Setup.init(&.{ add1, svc });
    defer s.deinit();
    try testing.expectEqual(abi.Exit.syscall, s.enter(1000));
    // mov x0, #5
    try s.put(code, &.{0xd28000a0});
    s.block.pc = code;
    try testing.expectEqual(abi.Exit.syscall, s.enter(1000));
    try testing.expectEqual(5, s.block.x[0]);
}

test "a program that writes code sees it after ic ivau and isb" {
    // Calls x5 (add1; ret) twice and changes its first word in between: str w6, [x2]; dsb ish; ic ivau, x2; dsb ish; isb.
    const s = try Setup.init(&.{ 0xd63f00a0, 0xb9000046, 0xd5033b9f, ic_ivau, 0xd5033b9f, isb, 0xd63f00a0, svc });
    defer s.deinit();
    _ = mem.space_map_zero(s.space, data + 4 * page, 1, rw | abi.prot_exec);
    try s.put(data + 4 * page, &.{ add1, ret });
    s.block.x[2] = data + 4 * page;
    s.block.x[5] = data + 4 * page;
    // add x0, x0, #2
    s.block.x[6] = 0x91000800;
    try testing.expectEqual(abi.Exit.syscall, s.enter(1000));
    try testing.expectEqual(3, s.block.x[0]);
}

test "code that changes itself on its own page" {
    // x7: first word of the last three. str w6, [x2]; ic ivau, x2; isb; add1 (becomes add 2); svc
    const s = try Setup.init(&.{});
    defer s.deinit();
    const at = data + 4 * page;
    _ = mem.space_map_zero(s.space, at, 1, rw | abi.prot_exec);
    try s.put(at, &.{ 0xb9000046, ic_ivau, isb, add1, svc });
    s.block.x[2] = at + 12;
    s.block.x[6] = 0x91000800;
    s.block.pc = at;
    try testing.expectEqual(abi.Exit.syscall, s.enter(1000));
    try testing.expectEqual(2, s.block.x[0]);
}

test "the budget ends an endless loop, to within a run" {
    const s = try Setup.init(&.{ add1, 0x17ffffff });
    defer s.deinit();
    try testing.expectEqual(abi.Exit.budget, s.enter(10_000));
    try testing.expect(s.block.retired >= 10_000 and s.block.retired < 10_010);
    try testing.expectEqual(s.block.retired / 2, s.block.x[0]);
    try testing.expect(s.block.pc == code or s.block.pc == code + 4);
    const before = s.block.retired;
    try testing.expectEqual(abi.Exit.budget, s.enter(1));
    try testing.expect(s.block.retired - before <= 4);
}

test "a kick is answered and taken back" {
    const s = try Setup.init(&.{self});
    defer s.deinit();
    cpu.cpu_kick(s.block);
    try testing.expectEqual(abi.Exit.kicked, s.enter(1000));
    try testing.expectEqual(abi.Exit.budget, s.enter(1000));
    const thread = try std.Thread.spawn(.{}, struct {
        fn run(block: *abi.RegisterBlock) void {
            cpu.cpu_kick(block);
        }
    }.run, .{s.block});
    defer thread.join();
    try testing.expectEqual(abi.Exit.kicked, s.enter(0xffffffff));
}

test "single steps" {
    // add1; cbnz x0, .+8; svc; b .-12
    const s = try Setup.init(&.{ add1, 0xb5000040, svc, 0x17fffffd });
    defer s.deinit();
    s.block.single_step = 1;
    for ([_]u64{ 4, 12, 0 }) |offset| {
        try testing.expectEqual(abi.Exit.step, s.enter(1000));
        try testing.expectEqual(code + offset, s.block.pc);
    }
    try testing.expectEqual(3, s.block.retired);
    s.block.pc = code + 8;
    try testing.expectEqual(abi.Exit.syscall, s.enter(1000));
}

test "exclusives: a store succeeds once, after its load, and not after clrex" {
    // ldxr x1, [x2]; stxr w3, x4, [x2]; stxr w5, x4, [x2]; svc
    const s = try Setup.init(&.{ 0xc85f7c41, 0xc8037c44, 0xc8057c44, svc });
    defer s.deinit();
    s.block.x[2] = data;
    s.block.x[4] = 77;
    try testing.expectEqual(abi.Exit.syscall, s.enter(1000));
    try testing.expectEqual(0, s.block.x[3]);
    try testing.expectEqual(1, s.block.x[5]);
    try testing.expectEqual(77, s.word(data));
    // ldxr; clrex; stxr; svc
    try s.put(code, &.{ 0xc85f7c41, 0xd5033f5f, 0xc8037c44, svc });
    s.block.pc = code;
    try testing.expectEqual(abi.Exit.syscall, s.enter(1000));
    try testing.expectEqual(1, s.block.x[3]);
}

test "zva clears its 64 bytes; the fault address is the one asked for" {
    // dc zva, x2; svc
    const s = try Setup.init(&.{ 0xd50b7422, svc });
    defer s.deinit();
    try s.put(data, &(.{0xffffffff} ** 48));
    s.block.x[2] = data + 100;
    try testing.expectEqual(abi.Exit.syscall, s.enter(1000));
    try testing.expectEqual(0xffffffffffffffff, s.word(data + 56));
    try testing.expectEqual(0, s.word(data + 64));
    try testing.expectEqual(0, s.word(data + 120));
    try testing.expectEqual(0xffffffffffffffff, s.word(data + 128));
    s.block.pc = code;
    s.block.x[2] = 0x77777;
    try s.expectFault(.write, code, 0x77777);
}

test "two spaces with different code at one address" {
    const s = try Setup.init(&.{ add1, svc });
    defer s.deinit();
    const other: u32 = @intCast(mem.space_create());
    _ = mem.space_map_zero(other, code, 1, rx);
    // mov x0, #5; svc
    const words = [_]u32{ 0xd28000a0, svc };
    _ = mem.user_poke(other, code, @constCast(std.mem.asBytes(&words)), 8);
    for (0..3) |i| {
        s.block.space = s.space;
        s.block.pc = code;
        s.block.x[0] = i;
        try testing.expectEqual(abi.Exit.syscall, s.enter(1000));
        try testing.expectEqual(i + 1, s.block.x[0]);
        s.block.space = other;
        s.block.pc = code;
        try testing.expectEqual(abi.Exit.syscall, s.enter(1000));
        try testing.expectEqual(5, s.block.x[0]);
    }
}
