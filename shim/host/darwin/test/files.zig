//! Files: attributes, opens, O_PATH places, walks.

const std = @import("std");
const call = @import("../call.zig");
const handles = @import("../handles.zig");
const host = @import("../../darwin.zig");
const support = @import("support.zig");
const linux = std.os.linux;
const expect = std.testing.expect;
const expectEqual = std.testing.expectEqual;

const AT_FDCWD = -100;
const O = call.O;
const double = support.double;
const Place = support.Place;
const linuxErrno = support.linuxErrno;

test "errnos are Linux's" {
    const pairs = .{
        .{ 35, 11 }, .{ 36, 115 }, .{ 37, 114 }, .{ 38, 88 }, .{ 45, 95 }, .{ 48, 98 },  .{ 54, 104 }, .{ 61, 111 }, .{ 62, 40 },  .{ 63, 36 },
        .{ 66, 39 }, .{ 69, 122 }, .{ 70, 116 }, .{ 77, 37 }, .{ 78, 38 }, .{ 84, 75 },  .{ 89, 125 }, .{ 92, 84 },  .{ 93, 61 },  .{ 102, 95 },
        .{ 11, 35 }, .{ 2, 2 },    .{ 28, 28 },  .{ 34, 34 }, .{ 106, 5 }, .{ 60, 110 }, .{ 47, 97 },  .{ 57, 107 }, .{ 56, 106 }, .{ 55, 105 },
    };
    inline for (pairs) |pair| try expectEqual(-@as(i32, pair[1]), call.errorOf(pair[0]));
}

test "a file's attributes are those that Linux tells" {
    var p = try Place.init();
    defer p.deinit();
    const fd = try p.make("file");
    try expectEqual(@as(i32, 5000), host.write(fd, &@as([5000]u8, @splat(7)), 5000, 0));
    const times = [2]call.c.struct_timespec{ .{ .tv_sec = 1000, .tv_nsec = 5 }, .{ .tv_sec = 2000, .tv_nsec = 6 } };
    try expectEqual(@as(i32, 0), host.changeTimes(p.fd, "file", &times));
    try expectEqual(@as(i32, 0), host.changeMode(fd, "", 0o4751));
    for ([_]struct { i32, call.Path }{ .{ p.fd, "file" }, .{ fd, "" }, .{ p.fd, "" } }) |at| {
        var ours: [256]u8 = undefined;
        var truth: linux.Statx = undefined;
        try expectEqual(@as(i32, 0), host.stat(at[0], at[1], &ours));
        try expectEqual(@as(i32, 0), linuxErrno(linux.syscall5(.statx, @bitCast(@as(isize, at[0])), @intFromPtr(at[1]), 0x1100, 0xfff, @intFromPtr(&truth))));
        const theirs = std.mem.asBytes(&truth);
        // blksize; nlink, uid, gid, mode; ino, size, blocks; times.
        for ([_][2]usize{ .{ 4, 8 }, .{ 16, 30 }, .{ 32, 56 }, .{ 64, 76 }, .{ 80, 92 }, .{ 96, 108 }, .{ 112, 124 }, .{ 136, 144 } }) |range| {
            try std.testing.expectEqualSlices(u8, theirs[range[0]..range[1]], ours[range[0]..range[1]]);
        }
    }
    _ = host.close(fd);
}

test "times stay, are now, or are what is asked for" {
    var p = try Place.init();
    defer p.deinit();
    try p.put("f");
    const NOW = (1 << 30) - 1;
    const OMIT = (1 << 30) - 2;
    const first = [2]call.c.struct_timespec{ .{ .tv_sec = 11, .tv_nsec = 1 }, .{ .tv_sec = 22, .tv_nsec = 2 } };
    try expectEqual(@as(i32, 0), host.changeTimes(p.fd, "f", &first));
    const second = [2]call.c.struct_timespec{ .{ .tv_sec = 0, .tv_nsec = OMIT }, .{ .tv_sec = 0, .tv_nsec = NOW } };
    try expectEqual(@as(i32, 0), host.changeTimes(p.fd, "f", &second));
    var out: [256]u8 = undefined;
    try expectEqual(@as(i32, 0), host.stat(p.fd, "f", &out));
    try expectEqual(@as(i64, 11), std.mem.readInt(i64, out[64..72], .little));
    try expect(std.mem.readInt(i64, out[112..120], .little) > 1_000_000_000);
}

test "devices have Linux's numbers and one of the user's files has none" {
    double("");
    var out: [256]u8 = undefined;
    const known = .{ .{ "/dev/null", 1, 3 }, .{ "/dev/zero", 1, 5 }, .{ "/dev/urandom", 1, 9 }, .{ "/dev/tty", 5, 0 } };
    inline for (known) |device| {
        try expectEqual(@as(i32, 0), host.stat(AT_FDCWD, device[0], &out));
        try expectEqual(@as(u32, device[1]), std.mem.readInt(u32, out[128..132], .little));
        try expectEqual(@as(u32, device[2]), std.mem.readInt(u32, out[132..136], .little));
    }
}

test "opens refuse and do what Linux's do" {
    var p = try Place.init();
    defer p.deinit();
    try p.put("file");
    try expectEqual(@as(i32, 0), host.symlink("file", p.fd, "link"));
    try expectEqual(@as(i32, 0), host.makeDirectory(p.fd, "dir", 0o1755));
    try expectEqual(@as(i32, 0), host.makeNode(p.fd, "fifo", linux.S.IFIFO | 0o600, 0));
    const cases = [_]struct { call.Path, u32 }{
        .{ "link", O.NOFOLLOW },                .{ "link", O.DIRECTORY | O.NOFOLLOW }, .{ "file", O.DIRECTORY },           .{ "dir", O.RDWR },
        .{ "file", O.RDWR | O.CREAT | O.EXCL }, .{ "missing", 0 },                     .{ "fifo", O.WRONLY | O.NONBLOCK }, .{ "file/x", 0 },
    };
    for (cases) |case| {
        const truth = linux.syscall4(.openat, @bitCast(@as(isize, p.fd)), @intFromPtr(case[0]), native(case[1]), 0o600);
        try expectEqual(linuxErrno(truth), host.open(p.fd, case[0], case[1], 0o600));
    }
    var out: [256]u8 = undefined;
    try expectEqual(@as(i32, 0), host.stat(p.fd, "dir", &out));
    // A socket's name, in a place that is too long for an address too.
    try expectEqual(@as(i32, 0), host.makeNode(p.fd, "socket", linux.S.IFSOCK | 0o640, 0));
    try expectEqual(-@as(i32, call.E.EXIST), host.makeNode(p.fd, "socket", linux.S.IFSOCK | 0o640, 0));
    try expectEqual(@as(i32, -6), host.open(p.fd, "socket", O.RDWR, 0));
    try expectEqual(@as(i32, 0), host.makeDirectory(p.fd, "d" ** 100, 0o755));
    const deep = host.open(p.fd, "d" ** 100, O.PATH | O.DIRECTORY, 0);
    try expectEqual(@as(i32, 0), host.makeNode(deep, "socket", linux.S.IFSOCK | 0o640, 0));
    for ([_]i32{ p.fd, deep }) |where| {
        try expectEqual(@as(i32, 0), host.stat(where, "socket", &out));
        try expectEqual(@as(u16, linux.S.IFSOCK | 0o640), std.mem.readInt(u16, out[28..30], .little));
    }
    _ = host.close(deep);
    try expectEqual(@as(i32, 0), host.stat(p.fd, "dir", &out));
    try expectEqual(@as(u16, linux.S.IFDIR | 0o1755), std.mem.readInt(u16, out[28..30], .little));
    try expectEqual(-@as(i32, call.E.ISDIR), host.unlink(p.fd, "dir", 0));
    try expectEqual(-@as(i32, call.E.NOTDIR), host.unlink(p.fd, "file", 0x200));
    try expectEqual(@as(i32, 0), host.unlink(p.fd, "dir", 0x200));
    const append = host.open(p.fd, "file", O.WRONLY | O.APPEND | O.NONBLOCK, 0);
    try expectEqual(@as(i32, O.WRONLY | O.APPEND | O.NONBLOCK), host.getFlags(append));
    try expectEqual(@as(i32, 0), host.setFlags(append, 0));
    try expectEqual(@as(i32, O.WRONLY), host.getFlags(append));
    _ = host.close(append);
}

/// The same flags for this machine's own kernel.
fn native(flags: u32) u32 {
    var o: linux.O = .{ .ACCMODE = @enumFromInt(flags & 3) };
    o.CREAT = flags & O.CREAT != 0;
    o.EXCL = flags & O.EXCL != 0;
    o.NONBLOCK = flags & O.NONBLOCK != 0;
    o.DIRECTORY = flags & O.DIRECTORY != 0;
    o.NOFOLLOW = flags & O.NOFOLLOW != 0;
    return @bitCast(o);
}

test "O_PATH places serve for all that cannot be opened" {
    var p = try Place.init();
    defer p.deinit();
    try p.put("file");
    try expectEqual(@as(i32, 0), host.symlink("file", p.fd, "link"));
    try expectEqual(@as(i32, 0), host.makeNode(p.fd, "fifo", linux.S.IFIFO | 0o600, 0));
    for ([_]call.Path{ "file", "link", "fifo" }) |name| {
        const fd = host.open(p.fd, name, O.PATH | O.NOFOLLOW, 0);
        try expect(fd >= 0);
        var by_name: [256]u8 = undefined;
        var by_fd: [256]u8 = undefined;
        try expectEqual(@as(i32, 0), host.stat(p.fd, name, &by_name));
        try expectEqual(@as(i32, 0), host.stat(fd, "", &by_fd));
        try std.testing.expectEqualSlices(u8, &by_name, &by_fd);
        const copy = host.duplicate(fd);
        _ = host.close(fd);
        try expectEqual(@as(i32, 0), host.stat(copy, "", &by_fd));
        try std.testing.expectEqualSlices(u8, &by_name, &by_fd);
        _ = host.close(copy);
    }
    const link = host.open(p.fd, "link", O.PATH | O.NOFOLLOW, 0);
    var target: [16]u8 = undefined;
    try expectEqual(@as(i32, 4), host.readLink(link, "", &target, target.len));
    try expectEqual(-@as(i32, call.E.OPNOTSUPP), host.changeMode(link, "", 0o600));
    _ = host.close(link);
    // A FIFO that is only named has got no reader by it, and a new one under its name is another.
    const fifo = host.open(p.fd, "fifo", O.PATH | O.NOFOLLOW, 0);
    try expectEqual(@as(i32, -6), host.open(p.fd, "fifo", O.WRONLY | O.NONBLOCK, 0));
    const both = host.reopen(fifo, O.RDWR | O.NONBLOCK);
    try expect(both >= 0);
    _ = host.close(both);
    try expectEqual(@as(i32, 0), host.rename(p.fd, "file", p.fd, "fifo", 0));
    var out: [256]u8 = undefined;
    try expectEqual(-@as(i32, call.E.NOENT), host.stat(fifo, "", &out));
    _ = host.close(fifo);
}

test "a walk stays beneath its directory and follows no link" {
    var p = try Place.init();
    defer p.deinit();
    try expectEqual(@as(i32, 0), host.makeDirectory(p.fd, "a", 0o755));
    const a = host.open(p.fd, "a", O.PATH | O.DIRECTORY, 0);
    try expectEqual(@as(i32, 0), host.makeDirectory(a, "b", 0o755));
    try expectEqual(@as(i32, 0), host.symlink("a", p.fd, "l"));
    _ = host.close(a);
    const there = host.walk(p.fd, "a/b", O.PATH | O.DIRECTORY, 0);
    try expect(there >= 0);
    _ = host.close(there);
    try expectEqual(-@as(i32, call.E.LOOP), host.walk(p.fd, "l/b", O.PATH | O.DIRECTORY, 0));
    try expectEqual(-@as(i32, call.E.LOOP), host.walk(p.fd, "l/b", 0, 0));
    try expectEqual(-@as(i32, call.E.LOOP), host.walk(p.fd, "a/../l", O.PATH, 0) + call.E.XDEV - call.E.LOOP);
    try expectEqual(-@as(i32, call.E.XDEV), host.walk(p.fd, "/etc", 0, 0));
    try expectEqual(-@as(i32, call.E.XDEV), host.walk(p.fd, "a/..", 0, 0));
    try expectEqual(-@as(i32, call.E.NOENT), host.walk(p.fd, "a/x", 0, 0));
}

test "what the mode of a new file and of a new directory is" {
    var p = try Place.init();
    defer p.deinit();
    try expect(host.start() >= 0);
    const mask = linux.syscall1(.umask, 0);
    defer _ = linux.syscall1(.umask, mask);
    _ = host.close(host.open(p.fd, "sticky", O.RDWR | O.CREAT, 0o1640));
    try expectEqual(@as(i32, 0), host.makeDirectory(p.fd, "plain", 0o750));
    try expectEqual(@as(i32, 0), host.changeMode(p.fd, "plain", 0o2750));
    const plain = host.open(p.fd, "plain", O.PATH | O.DIRECTORY, 0);
    try expectEqual(@as(i32, 0), host.makeDirectory(plain, "below", 0o750));
    for ([_]i32{ p.fd, plain }, [_]call.Path{ "sticky", "below" }, [_]u16{ 0o1640, 0o2750 }) |dir, name, mode| {
        var out: [256]u8 = undefined;
        try expectEqual(@as(i32, 0), host.stat(dir, name, &out));
        try expectEqual(mode, std.mem.readInt(u16, out[28..30], .little) & 0o7777);
    }
    _ = host.close(plain);
    // A user's file loses the bit that only root may give.
    try p.put("file");
    double("user");
    try expectEqual(@as(i32, 0), host.changeMode(p.fd, "file", 0o1644));
    double("");
    var out: [256]u8 = undefined;
    try expectEqual(@as(i32, 0), host.stat(p.fd, "file", &out));
    try expectEqual(@as(u16, 0o644), std.mem.readInt(u16, out[28..30], .little) & 0o7777);
}

test "a name that another file has now does not lead to it" {
    var p = try Place.init();
    defer p.deinit();
    const fd = try p.make("f");
    _ = host.write(fd, "old", 3, 0);
    try expectEqual(@as(i32, 0), host.unlink(p.fd, "f", 0));
    const other = try p.make("f");
    _ = host.write(other, "new", 3, 0);
    const again = host.reopen(fd, O.RDWR);
    try expect(again >= 0);
    var bytes: [3]u8 = undefined;
    try expectEqual(@as(i32, 3), host.read(again, &bytes, 3, 0));
    try std.testing.expectEqualStrings("old", &bytes);
    _ = host.close(again);
    _ = host.close(host.reopen(fd, O.RDWR | O.TRUNC));
    try expectEqual(@as(i32, 0), host.read(fd, &bytes, 3, 0));
    for ([_]i32{ fd, other }) |each| _ = host.close(each);
    try expectEqual(-@as(i32, call.E.INVAL), host.open(p.fd, ".", O.TMPFILE_BIT | O.DIRECTORY, 0o600));
    try expectEqual(@as(i32, 0), host.symlink("f", p.fd, "l"));
    try expectEqual(-@as(i32, call.E.LOOP), host.walk(p.fd, "l", O.PATH, 0));
    var ends: [2]i32 = undefined;
    try expectEqual(@as(i32, 0), host.pipe(&ends, O.NONBLOCK));
    for (ends, [_]i32{ 0, O.WRONLY }) |end, mode| try expectEqual(mode | O.NONBLOCK, host.getFlags(end));
    try expectEqual(-@as(i32, call.E.INVAL), host.sync(ends[1], false));
    // Written for good, where that means anything.
    const piece = [1]@import("../../../abi.zig").Iovec{.{ .base = @intFromPtr("x"), .len = 1 }};
    try expectEqual(@as(isize, 1), host.memory.writev(ends[1], &piece, 1, -1, 2));
    for (ends) |end| _ = host.close(end);
}

test "the slow open of a FIFO follows no link, and does not wait afterwards" {
    var p = try Place.init();
    defer p.deinit();
    try expectEqual(@as(i32, 0), host.makeNode(p.fd, "fifo", linux.S.IFIFO | 0o600, 0));
    try expectEqual(@as(i32, 0), host.symlink("fifo", p.fd, "link"));
    const reader = host.open(p.fd, "fifo", O.NONBLOCK, 0);
    for ([_]call.Path{ "link", "fifo" }) |name| {
        const answer = host.openSlowly(p.fd, name, O.WRONLY);
        try expect(answer >= 0);
        var fd: i32 = 0;
        while (host.read(answer, std.mem.asBytes(&fd), 4, -1) != 4) support.nap();
        if (name[0] == 'l') {
            try expectEqual(-@as(i32, call.E.LOOP), fd);
        } else {
            try expectEqual(@as(i32, O.WRONLY | O.NONBLOCK), host.getFlags(fd));
            _ = host.close(fd);
        }
        _ = host.close(answer);
    }
    _ = host.close(reader);
}

test "what another user may search, and what is his without a name" {
    if (linux.geteuid() != 0) return;
    var p = try Place.init();
    defer p.deinit();
    const nobody = 65534;
    const same = std.math.maxInt(u32);
    try expectEqual(@as(i32, 0), host.makeDirectory(p.fd, "d", 0o711));
    try expectEqual(@as(i32, 0), host.changeMode(p.fd, "", 0o755));
    const file = try p.make("f");
    try expectEqual(@as(i32, 0), host.changeOwner(file, "", nobody, same));
    try expectEqual(@as(i32, 0), host.changeMode(file, "", 0o400));
    try expectEqual(@as(i32, 0), host.unlink(p.fd, "f", 0));
    // This thread alone.
    _ = linux.syscall3(.setresuid, same, nobody, same);
    const dir = host.open(p.fd, "d", O.PATH | O.DIRECTORY, 0);
    const reads = host.access(file, "", 4);
    const writes = host.access(file, "", 2);
    _ = linux.syscall3(.setresuid, same, 0, same);
    try expect(dir >= 0 and !handles.isPlaceholder(dir));
    try expectEqual(@as(i32, 0), reads);
    try expectEqual(-@as(i32, call.E.ACCES), writes);
    for ([_]i32{ dir, file }) |fd| _ = host.close(fd);
}

test "a folder that macOS guards is there, and does not open" {
    var p = try Place.init();
    defer p.deinit();
    try expectEqual(@as(i32, 0), host.makeDirectory(p.fd, "Documents", 0o755));
    try p.put("a Documents");
    double("guarded");
    for ([_]call.Path{ "Documents", "a Documents" }, [_]u32{ O.DIRECTORY, 0 }) |name, kind| {
        const place = host.open(p.fd, name, O.PATH | O.NOFOLLOW | kind, 0);
        try expect(place >= 0 and handles.isPlaceholder(place));
        var out: [256]u8 = undefined;
        try expectEqual(@as(i32, 0), host.stat(place, "", &out));
        try expectEqual(-@as(i32, call.E.PERM), host.open(p.fd, name, kind, 0));
        try expectEqual(-@as(i32, call.E.PERM), host.reopen(place, kind));
        _ = host.close(place);
    }
}

test "rights of links, also where the system looks at what they lead to" {
    var p = try Place.init();
    defer p.deinit();
    try p.put("f");
    try expectEqual(@as(i32, 0), host.changeMode(p.fd, "f", 0o644));
    try expectEqual(@as(i32, 0), host.symlink("nowhere", p.fd, "l"));
    for ([_][*:0]const u8{ "", "follows" }) |mac| {
        double(mac);
        try expectEqual(@as(i32, 0), host.access(p.fd, "f", 4));
        try expectEqual(-@as(i32, call.E.ACCES), host.access(p.fd, "f", 1));
        try expectEqual(@as(i32, 0), host.access(p.fd, "l", 7));
        try expectEqual(-@as(i32, call.E.NOENT), host.access(p.fd, "gone", 4));
    }
}

test "a device has the number that was asked for" {
    if (linux.geteuid() != 0) return;
    var p = try Place.init();
    defer p.deinit();
    // makedev(0x123, 0x45678) and makedev(0x23, 0x45678) of Linux: 12 bits and 20. Darwin has 8 bits for the one and 24 for the other.
    try expectEqual(-@as(i32, call.E.INVAL), host.makeNode(p.fd, "device", linux.S.IFBLK | 0o600, 0x4561_2378));
    const rc = host.makeNode(p.fd, "device", linux.S.IFBLK | 0o600, 0x4560_2378);
    // Where even root may not.
    if (rc == -call.E.PERM) return;
    try expectEqual(@as(i32, 0), rc);
    var name: [96]u8 = undefined;
    const path = try std.fmt.bufPrintSentinel(&name, "{s}/device", .{std.mem.sliceTo(&p.path, 0)}, 0);
    var st: linux.Statx = undefined;
    _ = linux.syscall5(.statx, @bitCast(@as(isize, -100)), @intFromPtr(path.ptr), 0x100, 0x7ff, @intFromPtr(&st));
    try expectEqual([2]u32{ 0x23, 0x45678 }, [2]u32{ st.rdev_major, st.rdev_minor });
}
