//! open(2) of a FIFO waits until the other end is opened too, by whatever process of the host. A thread of its own
//! waits, so that the kernel never does, and sends the descriptor's number through a pipe that the poller can watch.

const std = @import("std");
const call = @import("call.zig");
const files = @import("files.zig");
const narrow = call.narrow;
const fdArg = call.fdArg;

const Request = struct {
    dirfd: i32,
    flags: u32,
    answer: i32,
    name: [256]u8,
};

/// Starts the open of a name that must not be a link. The read end of a pipe: it carries one i32, the descriptor or -errno.
pub fn openSlowly(dirfd: i32, name: call.Path, flags: u32) i32 {
    const text = std.mem.span(name);
    if (text.len >= 256) return -call.ENAMETOOLONG;
    const request = std.heap.c_allocator.create(Request) catch return -call.ENOMEM;
    var ends: [2]i32 = undefined;
    const rc = files.pipe(&ends, call.O.NONBLOCK);
    if (rc < 0) {
        std.heap.c_allocator.destroy(request);
        return rc;
    }
    request.* = .{ .dirfd = files.duplicate(dirfd), .flags = flags, .answer = ends[1], .name = undefined };
    @memcpy(request.name[0..text.len], text);
    request.name[text.len] = 0;
    const thread = std.Thread.spawn(.{ .stack_size = 128 * 1024 }, work, .{request}) catch {
        _ = files.close(ends[0]);
        finish(request);
        return -call.EAGAIN;
    };
    thread.detach();
    return ends[0];
}

fn work(request: *Request) void {
    // Signals are for the kernel's thread.
    var all: u64 = ~@as(u64, 0);
    const SIG_BLOCK = 0;
    _ = call.plain(.rt_sigprocmask, .{ SIG_BLOCK, @intFromPtr(&all), 0, 8 });
    const name: call.Path = @ptrCast(&request.name);
    var fd = files.open(request.dirfd, name, (request.flags | call.O.NOFOLLOW) & ~@as(u32, call.O.NONBLOCK), 0);
    if (fd >= 0) _ = files.setFlags(fd, call.O.NONBLOCK);
    const written = narrow(call.plain(.write, .{ fdArg(request.answer), @intFromPtr(&fd), @sizeOf(i32) }));
    if (written < 0 and fd >= 0) _ = files.close(fd);
    finish(request);
}

fn finish(request: *Request) void {
    _ = files.close(request.answer);
    _ = files.close(request.dirfd);
    std.heap.c_allocator.destroy(request);
}
