//! The slow path of loads and stores: TLB misses, accesses that cross pages, and the exits of those that fault
//! (Arm ARM D17.2.37 for the syndromes).

const abi = @import("../../abi.zig");
const mem = @import("../../mem/mem.zig");
const core = @import("core.zig");

const Op = core.Op;
const Block = core.Block;
const Vcpu = core.Vcpu;
const Flags = core.Flags;

const page_size = abi.page_size;
const address_mask: u64 = (1 << 56) - 1;

/// The bytes at `addr`, all of them readable (a copy when they lie in two pages). Null: `v.fault_addr` faults.
pub fn read(v: *Vcpu, addr: u64, size: u32) ?[*]align(1) const u8 {
    const first = fill(v, addr, .read) orelse return null;
    const left = page_size - (addr & (page_size - 1));
    if (left >= size) return first;
    const second = fill(v, addr +% left, .read) orelse return null;
    @memcpy(v.bounce[0..left], first);
    @memcpy(v.bounce[left..size], second);
    return &v.bounce;
}

/// Stores all of `bytes` at `addr`, or nothing: then `v.fault_addr` faults.
pub fn write(v: *Vcpu, addr: u64, bytes: []const u8) bool {
    const first = fill(v, addr, .write) orelse return false;
    const left = page_size - (addr & (page_size - 1));
    if (left >= bytes.len) {
        storeOnce(first, bytes);
        return true;
    }
    const second = fill(v, addr +% left, .write) orelse return false;
    @memcpy(first, bytes[0..left]);
    @memcpy(second, bytes[left..]);
    return true;
}

/// An aligned access of up to 8 bytes is seen by other CPUs in one go.
fn storeOnce(to: [*]u8, bytes: []const u8) void {
    switch (bytes.len) {
        inline 1, 2, 4, 8 => |n| {
            const T = @Int(.unsigned, 8 * n);
            const value: T = @bitCast(bytes[0..n].*);
            if (@intFromPtr(to) % n == 0) {
                @atomicStore(T, @as(*T, @ptrCast(@alignCast(to))), value, .monotonic);
            } else {
                to[0..n].* = @bitCast(value);
            }
        },
        16 => {
            storeOnce(to, bytes[0..8]);
            storeOnce(to + 8, bytes[8..16]);
        },
        else => @memcpy(to, bytes),
    }
}

/// Told of every place that was found, when somebody looks on (jit/check.zig).
pub var filled: ?*const fn (v: *Vcpu, addr: u64, p: [*]u8, access: abi.Access) void = null;

/// The host pointer of `addr`, for an access that does not leave the page.
pub fn fill(v: *Vcpu, addr: u64, access: abi.Access) ?[*]u8 {
    const p = v.tlb.fill(addr, access) orelse {
        v.fault_addr = addr;
        return null;
    };
    if (filled) |look| look(v, addr, p, access);
    return p;
}

const class_instruction_abort = 0x20;
const class_data_abort = 0x24;
const class_sp_alignment = 0x26;
const class_pc_alignment = 0x22;

pub inline fn syndrome(class: u32, iss: u32) u32 {
    return class << 26 | 1 << 25 | iss;
}

/// The status code of a fault: translation when the page cannot even be read, else permission.
fn status(v: *Vcpu, addr: u64, access: abi.Access) u32 {
    if (addr >> 48 != 0) return 0x04;
    if (access != .read and mem.translate(v.tlb.space, addr, .read) != null) return 0x0f;
    return 0x07;
}

/// Exit: the data access of the instruction at `op` faults at `v.fault_addr`.
pub fn fault(op: [*]const Op, b: *Block, v: *Vcpu, f: Flags, access: abi.Access) i32 {
    return faultWith(op, b, v, f, access, 0);
}

/// `iss` adds bits to the syndrome.
pub fn faultWith(op: [*]const Op, b: *Block, v: *Vcpu, f: Flags, access: abi.Access, iss: u32) i32 {
    const addr = v.fault_addr & address_mask;
    b.fault_addr = addr;
    b.fault_access = @intFromEnum(access);
    b.esr = dataSyndrome(v, addr, access) | iss;
    return core.stopAt(op, b, v, f, .fault);
}

/// ESR of an access to `addr` that the page tables refuse.
pub fn dataSyndrome(v: *Vcpu, addr: u64, access: abi.Access) u32 {
    return syndrome(class_data_abort, status(v, addr, access) | writeBit(access == .write));
}

inline fn writeBit(writes: bool) u32 {
    return if (writes) 1 << 6 else 0;
}

/// ESR of an access that has to be aligned and is not.
pub fn alignmentSyndrome(writes: bool) u32 {
    return syndrome(class_data_abort, 0x21 | writeBit(writes));
}

pub const sp_syndrome = syndrome(class_sp_alignment, 0);

/// Exit: the access at `addr` is not aligned and has to be.
pub fn misaligned(op: [*]const Op, b: *Block, v: *Vcpu, f: Flags, addr: u64, access: abi.Access) i32 {
    b.fault_addr = addr & address_mask;
    b.fault_access = @intFromEnum(access);
    b.esr = alignmentSyndrome(access == .write);
    return core.stopAt(op, b, v, f, .alignment);
}

/// Exit: sp is the base register and not a multiple of 16.
pub fn misalignedSp(op: [*]const Op, b: *Block, v: *Vcpu, f: Flags) i32 {
    b.fault_addr = b.sp;
    b.fault_access = @intFromEnum(abi.Access.read);
    b.esr = sp_syndrome;
    return core.stopAt(op, b, v, f, .alignment);
}

/// Exit: the instruction at `pc` cannot be fetched.
pub fn fetchFault(b: *Block, v: *Vcpu, f: Flags, pc: u64) i32 {
    b.fault_addr = pc;
    b.fault_access = @intFromEnum(abi.Access.exec);
    b.esr = fetchSyndrome(v, pc);
    return core.leave(b, v, f, pc, 0, if (pc & 3 != 0) .pc_alignment else .fault);
}

/// ESR of a fetch from `pc` that fails.
pub fn fetchSyndrome(v: *Vcpu, pc: u64) u32 {
    if (pc & 3 != 0) return syndrome(class_pc_alignment, 0);
    return syndrome(class_instruction_abort, status(v, pc, .exec));
}
