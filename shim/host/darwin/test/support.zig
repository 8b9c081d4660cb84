//! What the tests of the Darwin host share: the double's options, a directory of one's own, Linux's errnos, short sleeps.

const std = @import("std");
const call = @import("../call.zig");
const host = @import("../../darwin.zig");
const names = @import("../names.zig");
const linux = std.os.linux;
const expect = std.testing.expect;

const AT_FDCWD = -100;
const O = call.O;

extern "c" fn setenv(name: [*:0]const u8, value: [*:0]const u8, overwrite: c_int) c_int;
extern "c" fn mkdtemp(template: [*:0]u8) ?[*:0]u8;

pub fn double(options: [*:0]const u8) void {
    _ = setenv("CARRICK_DOUBLE", options, 1);
    names.volume_count = 0;
}

/// A directory of the test's own: an O_PATH descriptor of the host code's.
pub const Place = struct {
    fd: i32,
    path: [64]u8 = undefined,

    pub fn init() !Place {
        double("");
        var p: Place = .{ .fd = -1 };
        @memcpy(p.path[0.."/tmp/carrick-darwin-XXXXXX\x00".len], "/tmp/carrick-darwin-XXXXXX\x00");
        if (mkdtemp(@ptrCast(&p.path)) == null) return error.NoPlace;
        p.fd = host.open(AT_FDCWD, @ptrCast(&p.path), O.PATH | O.DIRECTORY, 0);
        try expect(p.fd >= 0);
        return p;
    }

    pub fn deinit(p: *Place) void {
        double("");
        const text = std.mem.sliceTo(&p.path, 0);
        _ = host.close(p.fd);
        std.Io.Dir.cwd().deleteTree(std.testing.io, text) catch {};
    }

    pub fn make(p: *const Place, name: call.Path) !i32 {
        const fd = host.open(p.fd, name, O.RDWR | O.CREAT | O.EXCL, 0o644);
        try expect(fd >= 0);
        return fd;
    }

    pub fn put(p: *const Place, name: call.Path) !void {
        _ = host.close(try p.make(name));
    }
};

pub fn linuxErrno(rc: usize) i32 {
    return @intCast(@as(isize, @bitCast(rc)));
}

/// A busy machine may need a while.
pub fn nap() void {
    const ms: linux.timespec = .{ .sec = 0, .nsec = 1_000_000 };
    _ = linux.nanosleep(&ms, null);
}
