//! How a guest leaves: faults, undefined instructions and what programs may do, and what a machine does not show them.

const bench = @import("bench.zig");
const identity = @import("../identity.zig");
const probe = @import("../probe.zig");
const registers = @import("../registers.zig");

const Guest = probe.Guest;
const svc = probe.svc;
const Error = bench.Error;
const expect = bench.expect;
const say = bench.say;
const go = bench.go;
const again = bench.again;
const fault = bench.fault;
const stops = bench.stops;
const patience = bench.patience;
const to_data = bench.to_data;
const load = bench.load;
const store = bench.store;

pub fn faultsAreTold() Error!void {
    try fault(&.{ to_data, load }, 0, .read, probe.data_va, "a read of nothing");
    try fault(&.{ to_data, store }, 0, .write, probe.data_va, "a write of nothing");
    try fault(&.{ to_data, store }, 1, .write, probe.data_va, "a write of a read-only page");
    try fault(&.{ to_data, 0xd61f0020 }, 3, .exec, probe.data_va, "a jump into data");
    // EL1's half is not EL0's: the linear view, and the stub.
    const untagged = (1 << 56) - 1;
    try fault(&.{load}, 0, .read, registers.linear & untagged, "a read of EL1's memory");
    try fault(&.{store}, 0, .write, registers.linear & untagged, "a write of EL1's memory");
    try fault(&.{0xd61f0020}, 0, .exec, registers.linear, "a jump into EL1's memory");
    try fault(&.{0xd61f0040}, 0, .exec, registers.stub_va, "a jump into the stub");
    // The top byte of an address does not count.
    try fault(&.{ to_data, 0xf2e00001 | 0x5a00 << 5, store }, 1, .write, probe.data_va, "a write through a tagged pointer");
    var g = try Guest.make(&.{ to_data, 0xf2e00001 | 0x5a00 << 5, load, svc });
    defer g.end();
    try g.data(9, 1);
    expect(try go(&g) == .syscall and g.block.x[0] == 9, "a read through a tagged pointer");
}

pub fn exitsAreRight() Error!void {
    try stops(&.{ 0x00000000, svc }, .undefined, "udf");
    try stops(&.{ 0xd4000002, svc }, .undefined, "hvc from a program");
    try stops(&.{ 0xd4000003, svc }, .undefined, "smc from a program");
    try stops(&.{0xd4200020}, .breakpoint, "brk");
    try stops(&.{ 0xd53be020, svc }, .undefined, "the physical counter"); // mrs x0, cntpct_el0
    try stops(&.{ 0xd5381000, svc }, .undefined, "a system register of EL1"); // mrs x0, sctlr_el1
    try stops(&.{ 0xd50342df, svc }, .undefined, "msr daifset"); // UMA is 0
    try stops(&.{ 0xd53be320, svc }, .undefined, "the timer"); // mrs x0, cntv_ctl_el0
    try stops(&.{ 0xd53be220, svc }, .undefined, "the physical timer"); // mrs x0, cntp_ctl_el0
    try stops(&.{ 0xd51be240, svc }, .undefined, "the physical timer's end"); // msr cntp_cval_el0, x0
    // Within 16 bytes some CPUs allow it.
    try stops(&.{ to_data, 0x91003021, 0xc85f7c20 }, .alignment, "a misaligned exclusive"); // add x1, x1, #12; ldxr x0, [x1]
    try stops(&.{ 0x10000001, 0x91002821, 0xd61f0020, svc }, .pc_alignment, "a misaligned pc"); // adr x1, .; add x1, x1, #10; br x1
    // What programs may do.
    try stops(&.{ 0xd53b0020, svc }, .syscall, "CTR_EL0");
    try stops(&.{ 0xd53b00e0, svc }, .syscall, "DCZID_EL0");
    try stops(&.{ 0xd53be040, svc }, .syscall, "the virtual counter");
    try stops(&.{ 0xd53be000, svc }, .syscall, "the counter's frequency");
    try stops(&.{ to_data, 0xd50b7421, svc }, .syscall, "dc zva");
    try stops(&.{ to_data, 0xd50b7b21, svc }, .syscall, "dc cvau");
    try stops(&.{ to_data, 0xd50b7521, svc }, .syscall, "ic ivau");
    try stops(&.{ 0xd53bd060, svc }, .syscall, "tpidrro");
    try stops(&.{ 0x1e604000, svc }, .syscall, "floating point");
    try stops(&.{ 0xd503205f, 0xd503207f, svc }, .syscall, "wfe and wfi");
}

/// Who waits for an interrupt gives the rest of the turn away, at once.
pub fn waitingEndsTurns() Error!void {
    var g = try Guest.make(&.{ 0xd503207f, svc }); // wfi
    defer g.end();
    const captures = bench.cpu.captures;
    expect(try g.go(bench.cpu, patience) == .budget and bench.cpu.captures == captures, "wfi ends the turn by a trap");
    expect(try again(&g) == .syscall, "what follows wfi");
}

/// Maintenance of what is not there is a fault like a read, zeroing like a write; also where the host traps them.
pub fn maintenanceFaults() Error!void {
    // The emulated CPU of the stand-in itself lets maintenance of nothing pass.
    if (probe.found.emulated >= 4) {
        try fault(&.{ to_data, 0xd50b7b21 }, 0, .read, probe.data_va, "dc cvau of nothing");
        try fault(&.{ to_data, 0xd50b7521 }, 0, .read, probe.data_va, "ic ivau of nothing");
    }
    try fault(&.{ to_data, 0xd50b7421 }, 0, .write, probe.data_va, "dc zva of nothing");
    try fault(&.{ to_data, 0xd50b7421 }, 1, .write, probe.data_va, "dc zva of a read-only page");
    // mov x2, #-1; str x2, [x1]; str x2, [x1, #128]; add x3, x1, #8; dc zva, x3; ldr x4, [x1]; ldr x5, [x1, #128]; mrs x6, dczid_el0
    var g = try Guest.make(&.{ to_data, 0x92800002, 0xf9000022, 0xf9004022, 0x91002023, 0xd50b7423, 0xf9400024, 0xf9404025, 0xd53b00e6, svc });
    defer g.end();
    try g.data(1, 3);
    expect(try go(&g) == .syscall and g.block.x[4] == 0, "dc zva zeroes");
    if (g.block.x[6] & 15 <= 4) expect(g.block.x[5] == ~@as(u64, 0), "dc zva zeroes one block");
}

pub fn identityIsShown() Error!void {
    var g = try Guest.make(&.{ 0xd5380600, 0xd5380001, svc }); // mrs x0, id_aa64isar0_el1; mrs x1, midr_el1
    defer g.end();
    expect(try go(&g) == .syscall, "ID registers are read");
    expect(g.block.x[0] == identity.register(6, 0).?, "ID_AA64ISAR0_EL1");
    expect(g.block.x[1] == identity.real.midr and g.block.x[1] != 0, "MIDR_EL1");
    var ro = try Guest.make(&.{ 0xd53bd060, svc });
    defer ro.end();
    expect(try go(&ro) == .syscall and ro.block.x[0] == 0, "TPIDRRO_EL0 is 0");
}

/// Extensions with state that the block has no room for are neither shown nor usable, whatever the CPU has.
pub fn othersAreHidden() Error!void {
    // mrs of ID_AA64PFR0_EL1, PFR1, ZFR0, SMFR0, ISAR1, ISAR2
    var g = try Guest.make(&.{ 0xd5380400, 0xd5380421, 0xd5380482, 0xd53804a3, 0xd5380624, 0xd5380645, svc });
    defer g.end();
    expect(try go(&g) == .syscall, "ID registers of extensions are read");
    const x = &g.block.x;
    expect(x[0] >> 32 & 0xf == 0, "ID_AA64PFR0_EL1 shows no SVE");
    expect(x[1] == 0 and x[2] == 0 and x[3] == 0 and x[5] == 0, "no BTI, MTE, SME, SVE, and nothing of ID_AA64ISAR2_EL1");
    expect(x[4] & 0xff00_0ff0 == 0, "ID_AA64ISAR1_EL1 shows no pointer authentication");
    try stops(&.{ 0x2518e3e0, svc }, .undefined, "ptrue p0.b"); // SVE
    try stops(&.{ 0xd503477f, svc }, .undefined, "smstart"); // SME
    // Both are no-ops where they are not enabled: signing a pointer changes nothing.
    try stops(&.{ 0xd503233f, 0xd50323bf, svc }, .syscall, "paciasp and autiasp");
    var p = try Guest.make(&.{ 0xd503233f, svc }); // paciasp
    defer p.end();
    p.block.x[30] = 0x1234_5678;
    expect(try go(&p) == .syscall and p.block.x[30] == 0x1234_5678, "pointers are not signed");
    for (0..4) |i| say("hwcap{d} {d}", .{ i, identity.word(@intCast(i)) });
}
