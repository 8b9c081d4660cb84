//! What this machine's hypervisor does where public reports contradict each other, found out by small guest programs at start. CARRICK_HVF_FORCE
//! (words of `forces`, separated by commas) takes a branch that the machine would not need, so that each can be tested.

const std = @import("std");
const abi = @import("../../abi.zig");
const counter = @import("counter.zig");
const desc = @import("../../mem/descriptor.zig");
const fork = @import("../../mem/fork.zig");
const frames = @import("../../mem/frames.zig");
const hv = @import("hv.zig");
const identity = @import("identity.zig");
const run = @import("run.zig");
const space = @import("../../mem/space.zig");
const stub = @import("stub.zig");
const vcpu = @import("vcpu.zig");

pub var found: abi.HvfProbe = .{};

const forces = .{ "asid-flush", "asid-8", "mmu-by-stub", "exec-alias", "split-wx", "coarse-counter" };

pub fn forced(comptime word: []const u8) bool {
    comptime var known = false;
    inline for (forces) |f| known = known or comptime std.mem.eql(u8, f, word);
    if (!known) @compileError("not a branch: " ++ word);
    const list = std.mem.span(std.c.getenv("CARRICK_HVF_FORCE") orelse return false);
    var it = std.mem.splitScalar(u8, list, ',');
    while (it.next()) |f| if (std.mem.eql(u8, f, word)) return true;
    return false;
}

/// Reads the registers that tell of the CPU, when there is the first virtual one.
pub fn readIdentity(handle: hv.Vcpu) hv.Return {
    const api = &hv.api;
    var mmfr0: u64 = 0;
    const wanted = .{
        .{ hv.midr_el1, &identity.real.midr },
        .{ hv.id_aa64pfr0_el1, &identity.real.pfr0 },
        .{ hv.id_aa64isar0_el1, &identity.real.isar0 },
        .{ hv.id_aa64isar1_el1, &identity.real.isar1 },
        .{ hv.id_aa64mmfr2_el1, &identity.real.mmfr2 },
        .{ hv.id_aa64mmfr0_el1, &mmfr0 },
    };
    inline for (wanted) |pair| {
        const rc = api.vcpu_get_sys_reg(handle, pair[0], pair[1]);
        if (rc != hv.success) return rc;
    }
    found.asid_bits = if (mmfr0 >> 4 & 0xf == 2 and !forced("asid-8")) 16 else 8;
    return hv.success;
}

// A guest of one page of code and one of data.

pub const code_va = 0x10000;
pub const data_va = 0x20000;

pub const Guest = struct {
    block: *abi.RegisterBlock,
    handle: u32,
    code: u32,

    pub fn make(words: []const u32) error{NoMemory}!Guest {
        const handle = space.create();
        if (handle < 0) return error.NoMemory;
        var g: Guest = .{ .block = vcpu.newBlock() orelse return error.NoMemory, .handle = @intCast(handle), .code = 0 };
        g.code = frames.alloc(true) orelse return error.NoMemory;
        g.write(words);
        g.block.space = g.handle;
        g.block.pc = code_va;
        if (space.map(g.tables(), code_va, g.code, 1, 5) < 0) return error.NoMemory;
        return g;
    }

    fn tables(g: *const Guest) *space.Space {
        return space.get(g.handle).?;
    }

    /// Changes the code, as the kernel would.
    pub fn write(g: *Guest, words: []const u32) void {
        frames.noteCode(g.code);
        @memcpy(frames.ptr(g.code)[0 .. words.len * 4], std.mem.sliceAsBytes(words));
    }

    /// Maps a fresh frame that begins with this byte at `data_va`, in place of another.
    pub fn data(g: *Guest, byte: u8, prot: u32) error{NoMemory}!void {
        const frame = frames.alloc(true) orelse return error.NoMemory;
        defer frames.unref(frame);
        frames.ptr(frame)[0] = byte;
        try g.map(frame, prot);
    }

    /// Maps a frame at `data_va`.
    fn map(g: *Guest, frame: u32, prot: u32) error{NoMemory}!void {
        if (space.map(g.tables(), data_va, frame, 1, prot | abi.prot_shared) < 0) return error.NoMemory;
    }

    pub fn go(g: *Guest, cpu: *vcpu.Cpu, budget_ns: u32) run.Error!abi.Exit {
        g.block.pc = code_va;
        vcpu.bind(cpu, g.handle);
        return run.enter(cpu, g.block, budget_ns);
    }

    pub fn end(g: *Guest) void {
        fork.destroy(g.tables());
        frames.unref(g.code);
        vcpu.freeBlock(g.block);
    }
};

pub const svc = 0xd4000001;
pub const load_byte = [_]u32{ 0xd2a00041, 0x39400020, svc }; // movz x1, #2, lsl 16; ldrb w0, [x1]; svc
const branch_to_data = [_]u32{ 0xd2a00041, 0xd61f0020 }; // movz x1, #2, lsl 16; br x1
const read_isar0 = [_]u32{ 0xd5380600, svc }; // mrs x0, id_aa64isar0_el1
pub const read_counter = [_]u32{ 0xd53be040, 0xd53be001, svc }; // mrs x0, cntvct_el0; mrs x1, cntfrq_el0

pub const Error = run.Error || error{NoMemory};

/// Whether a virtual CPU that was set up in this way runs a program at all.
pub fn runs(cpu: *vcpu.Cpu) Error!bool {
    var g = try Guest.make(&.{svc});
    defer g.end();
    return try g.go(cpu, patience) == .syscall;
}

const patience = 500_000_000;

/// The branches that can be found out once a CPU runs.
pub fn behaviour(cpu: *vcpu.Cpu) Error!void {
    found.asids_isolate = 1;
    if (forced("asid-flush") or !try isolates(cpu)) found.asids_isolate = 0;
    if (forced("split-wx") or desc.split_wx or !try executesWritable(cpu)) desc.split_wx = true;
    found.split_wx = @intFromBool(desc.split_wx);
    try idTrap(cpu);
    try measureCounter(cpu);
    found.ready = 1;
}

/// Two spaces with other data at the same address, again and again.
fn isolates(cpu: *vcpu.Cpu) Error!bool {
    var a = try Guest.make(&load_byte);
    defer a.end();
    var b = try Guest.make(&load_byte);
    defer b.end();
    try a.data(1, 1);
    try b.data(2, 1);
    for (0..3) |_| {
        if (try a.go(cpu, patience) != .syscall or a.block.x[0] != 1) return false;
        if (try b.go(cpu, patience) != .syscall or b.block.x[0] != 2) return false;
    }
    return true;
}

/// Whether code runs in a page that may be written.
fn executesWritable(cpu: *vcpu.Cpu) Error!bool {
    var g = try Guest.make(&branch_to_data);
    defer g.end();
    const frame = frames.alloc(true) orelse return error.NoMemory;
    defer frames.unref(frame);
    @memcpy(frames.ptr(frame)[0..4], std.mem.asBytes(&@as(u32, svc)));
    try g.map(frame, 7);
    return try g.go(cpu, patience) == .syscall;
}

/// Which exception a read of an ID register is. Both are emulated; this is only told.
fn idTrap(cpu: *vcpu.Cpu) Error!void {
    var g = try Guest.make(&read_isar0);
    defer g.end();
    run.last_emulated = 0xff;
    _ = try g.go(cpu, patience);
    found.id_trap_class = run.last_emulated;
}

/// The guest's counter against the host's: its rate, and the offset by the narrowest of a few readings.
fn measureCounter(cpu: *vcpu.Cpu) Error!void {
    var g = try Guest.make(&read_counter);
    defer g.end();
    // Caches and tables are warm after this one.
    _ = try readCounter(cpu, &g);
    const told = g.block.x[1];
    const first = try readCounter(cpu, &g);
    var narrowest = first;
    var is_within = true;
    var rate: ?u64 = if (told == counter.host_hz or told == 0) counter.host_hz else null;
    for (0..most_readings) |n| {
        if (n >= few_readings and rate != null) break;
        const last = try readCounter(cpu, &g);
        if (last.after - last.before < narrowest.after - narrowest.before) narrowest = last;
        is_within = is_within and last.guest >= last.before and last.guest <= last.after;
        if (rate != null) continue;
        const may_be_told = counter.allows(told, first, last);
        if (may_be_told != counter.allows(counter.host_hz, first, last)) rate = if (may_be_told) told else counter.host_hz;
    }
    counter.setRate(rate orelse told);
    const is_hosts = is_within and counter.hz == counter.host_hz;
    const middle = narrowest.before + (narrowest.after - narrowest.before) / 2;
    counter.offset = if (is_hosts) 0 else narrowest.guest -% counter.scaled(middle);
    counter.slack = counter.scaled(narrowest.after - narrowest.before + 1) + 1;
    found.counter_is_hosts = @intFromBool(is_hosts);
    found.counter_hz = @truncate(counter.hz);
    found.host_counter_hz = @truncate(counter.host_hz);
}

const few_readings = 4;
const most_readings = 1000;

fn readCounter(cpu: *vcpu.Cpu, g: *Guest) run.Error!counter.Reading {
    const before = counter.host();
    _ = try g.go(cpu, patience);
    return .{ .before = before, .guest = g.block.x[0], .after = counter.host() };
}
