//! open(2) of a FIFO waits until the other end is opened too, by whatever process of the host. A thread of its own
//! waits, so that the kernel never does, and sends the descriptor's number through a pipe that the poller can watch.

const std = @import("std");
const call = @import("call.zig");
const files = @import("files.zig");
const signals = @import("signals.zig");

const Request = struct {
    dirfd: i32,
    flags: u32,
    answer: i32,
    name: [256]u8,
};

/// Starts the open of a name that must not be a link. The read end of a pipe: it carries one i32, the descriptor or -errno.
pub fn openSlowly(dirfd: i32, name: call.Path, flags: u32) i32 {
    const text = std.mem.span(name);
    if (text.len >= 256) return -call.E.NAMETOOLONG;
    const request = std.heap.c_allocator.create(Request) catch return -call.E.NOMEM;
    var ends: [2]i32 = undefined;
    const rc = files.pipe(&ends, call.O.NONBLOCK);
    if (rc < 0) {
        std.heap.c_allocator.destroy(request);
        return rc;
    }
    request.* = .{ .dirfd = files.duplicate(dirfd), .flags = flags, .answer = ends[1], .name = undefined };
    @memcpy(request.name[0..text.len], text);
    request.name[text.len] = 0;
    const thread = std.Thread.spawn(.{ .stack_size = 512 * 1024 }, work, .{request}) catch {
        _ = files.close(ends[0]);
        finish(request);
        return -call.E.AGAIN;
    };
    thread.detach();
    return ends[0];
}

fn work(request: *Request) void {
    signals.blockAll();
    const name: call.Path = @ptrCast(&request.name);
    var fd = files.open(request.dirfd, name, (request.flags | call.O.NOFOLLOW) & ~@as(u32, call.O.NONBLOCK), 0);
    if (fd >= 0) _ = files.setFlags(fd, call.O.NONBLOCK);
    const written = call.sys("write")(request.answer, @ptrCast(&fd), @sizeOf(i32));
    if (written < 0 and fd >= 0) _ = call.sys("close")(fd);
    finish(request);
}

fn finish(request: *Request) void {
    // Not by way of `files`, whose books are the kernel thread's.
    _ = call.sys("close")(request.answer);
    _ = call.sys("close")(request.dirfd);
    std.heap.c_allocator.destroy(request);
}
