//! Bytes in and out. Darwin refuses what does not fit into an int, where Linux moves less.

const std = @import("std");
const base = @import("base.zig");
const machine = @import("machine.zig");
const sockets = @import("sockets.zig");
const c = base.c;
const linux = base.linux;
const fail = base.fail;
const wide = base.wide;
const arg = base.arg;

const most = std.math.maxInt(c_int);

export fn darwin_read(fd: c_int, buffer: [*]u8, size: usize) isize {
    if (size > most) return fail(c.EINVAL);
    if (machine.isClockWatch(fd)) return machine.readClockWatch(fd, buffer, size);
    return wide(linux.syscall3(.read, arg(fd), @intFromPtr(buffer), size));
}

export fn darwin_write(fd: c_int, buffer: [*]const u8, size: usize) isize {
    if (size > most) return fail(c.EINVAL);
    if (sockets.isUnconnected(fd)) return fail(c.ENOTCONN);
    return wide(linux.syscall3(.write, arg(fd), @intFromPtr(buffer), size));
}

export fn darwin_pread(fd: c_int, buffer: [*]u8, size: usize, offset: i64) isize {
    if (size > most) return fail(c.EINVAL);
    return wide(linux.syscall4(.pread64, arg(fd), @intFromPtr(buffer), size, @bitCast(offset)));
}

export fn darwin_pwrite(fd: c_int, buffer: [*]const u8, size: usize, offset: i64) isize {
    if (size > most) return fail(c.EINVAL);
    return wide(linux.syscall4(.pwrite64, arg(fd), @intFromPtr(buffer), size, @bitCast(offset)));
}

fn refused(iov: [*]const c.struct_iovec, count: c_int) bool {
    if (count <= 0 or count > c.IOV_MAX) return true;
    var sum: usize = 0;
    for (iov[0..@intCast(count)]) |piece| sum +|= piece.iov_len;
    return sum > most;
}

export fn darwin_readv(fd: c_int, iov: [*]const c.struct_iovec, count: c_int) isize {
    if (refused(iov, count)) return fail(c.EINVAL);
    return wide(linux.syscall3(.readv, arg(fd), @intFromPtr(iov), arg(count)));
}

export fn darwin_writev(fd: c_int, iov: [*]const c.struct_iovec, count: c_int) isize {
    if (refused(iov, count)) return fail(c.EINVAL);
    if (sockets.isUnconnected(fd)) return fail(c.ENOTCONN);
    return wide(linux.syscall3(.writev, arg(fd), @intFromPtr(iov), arg(count)));
}

export fn darwin_preadv(fd: c_int, iov: [*]const c.struct_iovec, count: c_int, offset: i64) isize {
    if (refused(iov, count)) return fail(c.EINVAL);
    return wide(linux.syscall5(.preadv, arg(fd), @intFromPtr(iov), arg(count), @bitCast(offset), 0));
}

export fn darwin_pwritev(fd: c_int, iov: [*]const c.struct_iovec, count: c_int, offset: i64) isize {
    if (refused(iov, count)) return fail(c.EINVAL);
    return wide(linux.syscall5(.pwritev, arg(fd), @intFromPtr(iov), arg(count), @bitCast(offset), 0));
}
