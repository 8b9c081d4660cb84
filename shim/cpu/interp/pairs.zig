//! Handlers for two ops at once. Going from one handler to the next through the op stream costs more than what a simple
//! handler does, so the second one of a frequent pair is reached directly. Operands stay in the two ops as they
//! are, and the second keeps its own handler: it is where the first one's slow path continues.

const builtin = @import("builtin");
const alu = @import("alu.zig");
const branch = @import("branch.zig");
const core = @import("core.zig");
const flags = @import("flags.zig");
const memory = @import("memory.zig");

const Op = core.Op;
const Block = core.Block;
const Vcpu = core.Vcpu;
const Handler = core.Handler;

/// What may come first, and be inlined as the second: does the whole instruction (one slot) and returns true, or nothing, and
/// returns false: then `handler` is to do it.
const Simple = struct {
    handler: Handler,
    run: fn (op: [*]const Op, b: *Block, v: *Vcpu) callconv(.@"inline") bool,
};

fn register(comptime body: fn (op: *const Op, b: *Block) callconv(.@"inline") void) Simple {
    return .{ .handler = core.plain(body), .run = struct {
        inline fn f(op: [*]const Op, b: *Block, _: *Vcpu) bool {
            body(&op[0], b);
            return true;
        }
    }.f };
}

fn load(comptime what: memory.Load, comptime mode: memory.Mode, comptime sp: bool) Simple {
    return .{ .handler = memory.load(what, mode, sp), .run = struct {
        inline fn f(op: [*]const Op, b: *Block, v: *Vcpu) bool {
            return memory.tryLoad(what, mode, sp, op, b, v);
        }
    }.f };
}

fn store(comptime what: memory.Store, comptime mode: memory.Mode, comptime sp: bool) Simple {
    return .{ .handler = memory.store(what, mode, sp), .run = struct {
        inline fn f(op: [*]const Op, b: *Block, v: *Vcpu) bool {
            return memory.tryStore(what, mode, sp, op, b, v);
        }
    }.f };
}

const simples = [_]Simple{
    register(alu.moveBody(u64)),
    register(alu.moveBody(u32)),
    register(alu.constantBody),
    register(alu.binaryBody(u64, .add, .imm)),
    register(alu.binaryBody(u32, .add, .imm)),
    register(alu.binaryBody(u64, .add, .reg)),
    register(alu.binaryBody(u32, .add, .reg)),
    register(alu.binaryBody(u64, .add, .lsl)),
    register(alu.binaryBody(u64, .sub, .reg)),
    register(alu.binaryBody(u32, .sub, .reg)),
    register(alu.binaryBody(u64, .@"and", .imm)),
    register(alu.binaryBody(u32, .@"and", .imm)),
    register(alu.binaryBody(u32, .@"and", .reg)),
    register(alu.binaryBody(u64, .orr, .reg)),
    register(alu.binaryBody(u32, .orr, .reg)),
    register(alu.binaryBody(u64, .eor, .reg)),
    register(alu.binaryBody(u32, .eor, .reg)),
    register(alu.binaryBody(u32, .eor, .ror)),
    register(alu.binaryBody(u64, .@"and", .reg)),
    register(alu.binaryBody(u32, .bic, .reg)),
    register(alu.extractBody(u32)),
    register(alu.multiplyBody(u64, .mul)),
    register(alu.shiftBody(u64, .left)),
    register(alu.shiftBody(u32, .left)),
    register(alu.shiftBody(u64, .right)),
    register(alu.shiftBody(u32, .right)),
    load(.u64, .offset, false),
    load(.u64, .offset, true),
    load(.u32, .offset, false),
    load(.u32, .offset, true),
    load(.u8, .offset, false),
    load(.u64, .lsl, false),
    load(.u32, .lsl, false),
    load(.u8, .lsl, false),
    load(.u8, .post, false),
    store(.u64, .offset, false),
    store(.u64, .offset, true),
    store(.u32, .offset, false),
    store(.u32, .offset, true),
    store(.u8, .offset, false),
    store(.u8, .lsl, false),
};

const likely = [_]flags.Condition{ .eq, .ne, .hs, .lo, .hi, .ls, .ge, .lt, .gt, .le };

/// What else may come second.
const others: [other_count]Handler = blk: {
    @setEvalBranchQuota(10_000);
    var list: [other_count]Handler = undefined;
    var n: usize = 0;
    for (likely) |cc| {
        for ([_]bool{ false, true }) |wide| {
            for ([_]branch.Compare{ .sub_imm, .sub_reg }) |kind| {
                list[n] = branch.fused(wide, kind, cc, false).?;
                n += 1;
            }
        }
    }
    for ([_]bool{ false, true }) |wide| {
        list[n] = branch.fused(wide, .sub_imm, .ne, true).?;
        list[n + 1] = branch.zero(wide, false);
        list[n + 2] = branch.zero(wide, true);
        list[n + 3] = branch.testBit(wide, false);
        list[n + 4] = branch.testBit(wide, true);
        n += 5;
    }
    for (likely) |cc| {
        list[n] = branch.conditional(cc);
        n += 1;
    }
    for ([_]bool{ false, true }) |sp| {
        list[n] = memory.loadPair(.u64, .offset, sp);
        list[n + 1] = memory.storePair(.u64, .offset, sp);
        n += 2;
    }
    list[n] = memory.loadPair(.u64, .post, true);
    list[n + 1] = &branch.jump;
    list[n + 2] = &branch.call;
    list[n + 3] = branch.indirect;
    break :blk list;
};
const other_count = likely.len * 4 + 10 + likely.len + 4 + 4;

/// Debug builds do without, to build fast.
const enabled = builtin.mode != .Debug;

const table: [simples.len][simples.len + others.len]Handler = blk: {
    @setEvalBranchQuota(100_000);
    var all: [simples.len][simples.len + others.len]Handler = undefined;
    for (simples, 0..) |first, i| {
        for (simples, 0..) |second, j| all[i][j] = both(first, second);
        for (others, simples.len..) |second, j| all[i][j] = before(first, second);
    }
    break :blk all;
};

fn both(comptime first: Simple, comptime second: Simple) Handler {
    return &struct {
        noinline fn handler(op: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
            const f: core.Flags = .{ .a = fa, .b = fb, .c = fc };
            if (!first.run(op, b, v)) return core.divert(first.handler, op, b, v, f);
            if (!second.run(op + 1, b, v)) return core.divert(second.handler, op + 1, b, v, f);
            return core.next(op + 2, b, v, f);
        }
    }.handler;
}

fn before(comptime first: Simple, comptime second: Handler) Handler {
    return &struct {
        noinline fn handler(op: [*]const Op, b: *Block, v: *Vcpu, fa: u64, fb: u64, fc: u64) callconv(.c) i32 {
            const f: core.Flags = .{ .a = fa, .b = fb, .c = fc };
            if (!first.run(op, b, v)) return core.divert(first.handler, op, b, v, f);
            return core.divert(second, op + 1, b, v, f);
        }
    }.handler;
}

/// Number of a handler in `simples` and `others`, by address. Open addressing.
const Numbers = struct {
    keys: [512]?Handler = @splat(null),
    values: [512]u8 = undefined,
    ready: bool = false,

    inline fn hash(handler: Handler) usize {
        return (@intFromPtr(handler) *% 0x9e3779b97f4a7c15) >> 55;
    }

    fn add(n: *Numbers, handler: Handler, number: usize) void {
        var i = hash(handler);
        while (n.keys[i] != null) i = (i + 1) & 511;
        n.keys[i] = handler;
        n.values[i] = @intCast(number);
    }

    fn of(n: *const Numbers, handler: Handler) ?usize {
        var i = hash(handler);
        while (n.keys[i]) |key| : (i = (i + 1) & 511) {
            if (key == handler) return n.values[i];
        }
        return null;
    }
};

var numbers: Numbers = .{};

/// Joins neighbours of a finished run.
pub fn join(ops: []Op, starts: []const u16) void {
    if (!enabled) return;
    if (!numbers.ready) {
        inline for (simples, 0..) |simple, i| numbers.add(simple.handler, i);
        for (others, simples.len..) |handler, i| numbers.add(handler, i);
        numbers.ready = true;
    }
    var i: usize = 0;
    while (i + 1 < starts.len) {
        const first = numbers.of(ops[starts[i]].handler);
        const second = if (first != null and first.? < simples.len) numbers.of(ops[starts[i + 1]].handler) else null;
        if (second) |number| {
            ops[starts[i]].handler = table[first.?][number];
            i += 2;
        } else {
            i += 1;
        }
    }
}
