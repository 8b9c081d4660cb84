//! The kernel's access to guest memory by walking the tables, with the rights that the guest itself has. Nothing
//! is faulted in here: a copy ends short at the first page that refuses, `fault_addr` says where, and
//! `src/mm` faults the page in and goes on. Addresses carry no tag.
//!
//! A write drops what the CPU decoded from the frame.

const std = @import("std");
const abi = @import("../abi.zig");
const desc = @import("descriptor.zig");
const errno = @import("errno.zig");
const frames = @import("frames.zig");
const space = @import("space.zig");

const Space = space.Space;
const page_size = frames.page_size;

pub const no_fault: f64 = -1;
/// First address that the last call of user_* or io_* could not access, or `no_fault`.
pub var fault_addr: f64 = no_fault;

/// What an access needs: `poke` writes where the guest may not, if only something is mapped.
pub const Right = enum { read, write, poke };

/// The bytes from `addr` to the end of its page, or null (and `fault_addr`).
pub inline fn reach(s: *const Space, addr: u64, comptime right: Right) ?[]u8 {
    if (addr >> desc.va_bits == 0) {
        const d = space.walk(s, addr);
        const granted = switch (right) {
            .read => desc.readable(d),
            .write => desc.writable(d),
            .poke => d != 0,
        };
        if (granted) {
            const page = frames.ptr(desc.frameOf(d));
            if (right != .read) frames.noteCode(desc.frameOf(d));
            return page[addr & (page_size - 1) ..];
        }
    }
    fault_addr = @floatFromInt(addr);
    return null;
}

/// Guest to host. Returns the bytes copied.
pub fn in(s: *const Space, addr: u64, to: [*]u8, len: u32) u32 {
    fault_addr = no_fault;
    var done: u32 = 0;
    while (done < len) {
        const piece = reach(s, addr + done, .read) orelse break;
        const n: u32 = @intCast(@min(piece.len, len - done));
        @memcpy(to[done..][0..n], piece[0..n]);
        done += n;
    }
    return done;
}

/// Host to guest. Returns the bytes copied. With `.poke` a page that is mapped need not be writable; the
/// caller answers for frames that others hold too.
pub fn out(s: *const Space, addr: u64, bytes: [*]const u8, len: u32, comptime right: Right) u32 {
    fault_addr = no_fault;
    var done: u32 = 0;
    while (done < len) {
        const piece = reach(s, addr + done, right) orelse break;
        const n: u32 = @intCast(@min(piece.len, len - done));
        @memcpy(piece[0..n], bytes[done..][0..n]);
        done += n;
    }
    return done;
}

/// Zeroes guest memory. Returns the bytes done.
pub fn zero(s: *const Space, addr: u64, len: u64) u64 {
    fault_addr = no_fault;
    var done: u64 = 0;
    while (done < len) {
        const piece = reach(s, addr +| done, .write) orelse break;
        const n = @min(piece.len, len - done);
        @memset(piece[0..n], 0);
        done += n;
    }
    return done;
}

/// Copies a string with its NUL. Its length without the NUL, -EFAULT, or -ENAMETOOLONG when the first
/// `max` bytes have no NUL.
pub fn string(s: *const Space, addr: u64, to: [*]u8, max: u32) i32 {
    fault_addr = no_fault;
    var done: u32 = 0;
    while (done < max) {
        const piece = reach(s, addr + done, .read) orelse return errno.fault;
        const n: u32 = @intCast(@min(piece.len, max - done));
        if (std.mem.findScalar(u8, piece[0..n], 0)) |end| {
            @memcpy(to[done..][0 .. end + 1], piece[0 .. end + 1]);
            return @intCast(done + end);
        }
        @memcpy(to[done..][0..n], piece[0..n]);
        done += n;
    }
    return errno.name_too_long;
}

/// How many bytes from `addr` the guest may read or write.
pub fn probe(s: *const Space, addr: u64, len: u64, write: bool) u64 {
    fault_addr = no_fault;
    const last = addr +| len;
    var at = addr;
    while (at < last) {
        const d = if (at >> desc.va_bits == 0) space.walk(s, at) else 0;
        if (!(if (write) desc.writable(d) else desc.readable(d))) {
            fault_addr = @floatFromInt(at);
            break;
        }
        at = @min(last, (at & ~@as(u64, page_size - 1)) + page_size);
    }
    return at - addr;
}

/// One atomic operation on an aligned word; `old` receives what was there. 0, -EFAULT, -EINVAL when misaligned
/// or not an operation, -EAGAIN when a cmpxchg found another value.
pub fn atomic32(s: *const Space, addr: u64, op: u32, arg: u32, expected: u32, old: *u32) i32 {
    fault_addr = no_fault;
    if (addr % 4 != 0 or op > @intFromEnum(abi.Atomic.xor)) return errno.invalid;
    const what: abi.Atomic = @enumFromInt(op);
    const piece = (if (what == .load) reach(s, addr, .read) else reach(s, addr, .write)) orelse return errno.fault;
    const word: *u32 = @ptrCast(@alignCast(piece.ptr));
    old.* = switch (what) {
        .load => @atomicLoad(u32, word, .seq_cst),
        .cmpxchg => if (@cmpxchgStrong(u32, word, expected, arg, .seq_cst, .seq_cst)) |found| {
            old.* = found;
            return errno.again;
        } else expected,
        .set => @atomicRmw(u32, word, .Xchg, arg, .seq_cst),
        .add => @atomicRmw(u32, word, .Add, arg, .seq_cst),
        .@"or" => @atomicRmw(u32, word, .Or, arg, .seq_cst),
        .@"and" => @atomicRmw(u32, word, .And, arg, .seq_cst),
        .andn => @atomicRmw(u32, word, .And, ~arg, .seq_cst),
        .xor => @atomicRmw(u32, word, .Xor, arg, .seq_cst),
    };
    return 0;
}
