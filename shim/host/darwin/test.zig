//! Tests of the Darwin host that run above its double (test/double/darwin). They look at what comes out in Linux's terms and compare
//! with what Linux itself says about the same files, or with Linux's own numbers.

const std = @import("std");
const call = @import("call.zig");
const host = @import("../darwin.zig");
const names = @import("names.zig");
const poller = @import("poller.zig");
const linux = std.os.linux;
const expect = std.testing.expect;
const expectEqual = std.testing.expectEqual;

const AT_FDCWD = -100;
const O = call.O;

extern "c" fn setenv(name: [*:0]const u8, value: [*:0]const u8, overwrite: c_int) c_int;
extern "c" fn mkdtemp(template: [*:0]u8) ?[*:0]u8;

fn double(options: [*:0]const u8) void {
    _ = setenv("CARRICK_DOUBLE", options, 1);
    names.volume_count = 0;
}

/// A directory of the test's own: an O_PATH descriptor of the host code's.
const Place = struct {
    fd: i32,
    path: [64]u8 = undefined,

    fn init() !Place {
        double("");
        var p: Place = .{ .fd = -1 };
        @memcpy(p.path[0.."/tmp/carrick-darwin-XXXXXX\x00".len], "/tmp/carrick-darwin-XXXXXX\x00");
        if (mkdtemp(@ptrCast(&p.path)) == null) return error.NoPlace;
        p.fd = host.open(AT_FDCWD, @ptrCast(&p.path), O.PATH | O.DIRECTORY, 0);
        try expect(p.fd >= 0);
        return p;
    }

    fn deinit(p: *Place) void {
        double("");
        const text = std.mem.sliceTo(&p.path, 0);
        _ = host.close(p.fd);
        std.Io.Dir.cwd().deleteTree(std.testing.io, text) catch {};
    }

    fn make(p: *const Place, name: call.Path) !i32 {
        const fd = host.open(p.fd, name, O.RDWR | O.CREAT | O.EXCL, 0o644);
        try expect(fd >= 0);
        return fd;
    }

    fn put(p: *const Place, name: call.Path) !void {
        _ = host.close(try p.make(name));
    }
};

fn linuxErrno(rc: usize) i32 {
    return @intCast(@as(isize, @bitCast(rc)));
}

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
        for ([_][2]usize{ .{ 4, 8 }, .{ 16, 30 }, .{ 32, 56 }, .{ 64, 76 }, .{ 80, 92 }, .{ 96, 108 }, .{ 112, 124 } }) |range| {
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

test "names are found as they are spelled on disk only" {
    var p = try Place.init();
    defer p.deinit();
    try p.put("foo");
    try p.put("caf\u{e9}");
    double("insensitive");
    var out: [256]u8 = undefined;
    try expectEqual(@as(i32, 0), host.stat(p.fd, "foo", &out));
    try expectEqual(-@as(i32, call.E.NOENT), host.stat(p.fd, "Foo", &out));
    try expectEqual(-@as(i32, call.E.NOENT), host.open(p.fd, "FOO", 0, 0));
    try expectEqual(-@as(i32, call.E.NOENT), host.open(p.fd, "fOo", O.PATH | O.NOFOLLOW, 0));
    try expectEqual(-@as(i32, call.E.NOENT), host.stat(p.fd, "cafe\u{301}", &out));
    try expectEqual(@as(i32, 0), host.stat(p.fd, "caf\u{e9}", &out));
    try expectEqual(-@as(i32, call.E.NOENT), host.stat(p.fd, "\xff", &out));
    try expectEqual(-@as(i32, call.E.ILSEQ), host.open(p.fd, "\xff", O.CREAT | O.EXCL | O.RDWR, 0o600));
    // Another file would be lost; a new spelling of the same one is a new name.
    try p.put("other");
    try expectEqual(-@as(i32, call.E.EXIST), host.rename(p.fd, "other", p.fd, "Foo", 0));
    try expectEqual(@as(i32, 0), host.rename(p.fd, "foo", p.fd, "Foo", 0));
    try expectEqual(@as(i32, 0), host.stat(p.fd, "Foo", &out));
    try expectEqual(-@as(i32, call.E.NOENT), host.stat(p.fd, "foo", &out));
    double("");
}

test "renames exchange and do not replace" {
    var p = try Place.init();
    defer p.deinit();
    const a = try p.make("a");
    _ = host.write(a, "1", 1, 0);
    _ = host.close(a);
    try p.put("b");
    try expectEqual(-@as(i32, call.E.EXIST), host.rename(p.fd, "a", p.fd, "b", 1));
    try expectEqual(@as(i32, 0), host.rename(p.fd, "a", p.fd, "b", 2));
    var out: [256]u8 = undefined;
    try expectEqual(@as(i32, 0), host.stat(p.fd, "b", &out));
    try expectEqual(@as(u64, 1), std.mem.readInt(u64, out[40..48], .little));
    try expectEqual(-@as(i32, call.E.INVAL), host.rename(p.fd, "a", p.fd, "b", 4));
}

test "directories are read in Linux's records" {
    var p = try Place.init();
    defer p.deinit();
    const entries = [_][:0]const u8{ "a", "bb", "ccc", "dddd", "eeeee", "a-name-of-twenty-four-ch", "ff" };
    for (entries) |name| try p.put(name);
    try expectEqual(@as(i32, 0), host.makeDirectory(p.fd, "sub", 0o755));
    const fd = host.open(p.fd, ".", O.DIRECTORY, 0);
    defer _ = host.close(fd);
    for (0..2) |_| {
        var found: usize = 0;
        var buffer: [8192]u8 = undefined;
        while (true) {
            const n = host.readDirectory(fd, &buffer, buffer.len);
            try expect(n >= 0);
            if (n == 0) break;
            var at: usize = 0;
            while (at < n) {
                const length = std.mem.readInt(u16, buffer[at + 16 ..][0..2], .little);
                try expect(length % 8 == 0);
                const name = std.mem.sliceTo(buffer[at + 19 .. at + length], 0);
                var out: [256]u8 = undefined;
                var path: [64:0]u8 = @splat(0);
                @memcpy(path[0..name.len], name);
                if (!std.mem.eql(u8, name, "..")) {
                    try expectEqual(@as(i32, 0), host.stat(p.fd, if (name[0] == '.') "" else &path, &out));
                    try expectEqual(std.mem.readInt(u64, out[32..40], .little), std.mem.readInt(u64, buffer[at..][0..8], .little));
                    const directory = name[0] == '.' or std.mem.eql(u8, name, "sub");
                    try expectEqual(@as(u8, if (directory) 4 else 8), buffer[at + 18]);
                }
                found += 1;
                at += length;
            }
        }
        try expectEqual(entries.len + 3, found);
        try expectEqual(@as(f64, 0), host.seek(fd, 0, 0));
    }
}

test "files without names, holes, ranges and locks" {
    var p = try Place.init();
    defer p.deinit();
    const fd = host.open(p.fd, ".", O.TMPFILE_BIT | O.DIRECTORY | O.RDWR, 0o600);
    try expect(fd >= 0);
    defer _ = host.close(fd);
    const bytes: [32768]u8 = @splat(1);
    try expectEqual(@as(i32, bytes.len), host.write(fd, &bytes, bytes.len, 0));
    const PUNCH_KEEP = 3;
    try expectEqual(@as(i32, 0), host.allocate(fd, PUNCH_KEEP, 5000, 20000));
    var back: [32768]u8 = undefined;
    try expectEqual(@as(i32, bytes.len), host.read(fd, &back, back.len, 0));
    for (back, 0..) |byte, i| try expectEqual(@as(u8, if (i >= 5000 and i < 25000) 0 else 1), byte);
    try expectEqual(@as(f64, 8192), host.seek(fd, 0, 4)); // SEEK_HOLE
    try expectEqual(@as(f64, 24576), host.seek(fd, 8192, 3)); // SEEK_DATA
    try expectEqual(@as(i32, 0), host.allocate(fd, 0, 40000, 10000));
    var out: [256]u8 = undefined;
    try expectEqual(@as(i32, 0), host.stat(fd, "", &out));
    try expectEqual(@as(u64, 50000), std.mem.readInt(u64, out[40..48], .little));
    // It gets a name as a copy, or by a copy that is made byte by byte.
    for ([_][*:0]const u8{ "", "no_clone" }, [_]call.Path{ "named", "copied" }) |options, name| {
        double(options);
        try expectEqual(@as(i32, 0), host.link(fd, "", p.fd, name, 0x1000));
        try expectEqual(@as(i32, 0), host.stat(p.fd, name, &out));
        try expectEqual(@as(u64, 50000), std.mem.readInt(u64, out[40..48], .little));
    }
    double("");
    const one = host.open(p.fd, "named", O.RDWR, 0);
    const two = host.open(p.fd, "named", O.RDWR, 0);
    try expectEqual(@as(i32, 0), host.lockFile(one, 2));
    try expectEqual(-@as(i32, call.E.AGAIN), host.lockFile(two, 2));
    const other = try p.make("other");
    try expectEqual(@as(f64, 1000), host.copyRange(one, 100, other, 5, 1000));
    for ([_]i32{ one, two, other }) |each| _ = host.close(each);
    const mapped = host.memory.mapFile(fd).?;
    try expectEqual(@as(usize, 50000), mapped.len);
    try expectEqual(@as(u8, 1), mapped[0]);
}

test "extended attributes are the user's alone" {
    var p = try Place.init();
    defer p.deinit();
    const fd = try p.make("f");
    defer _ = host.close(fd);
    const set = host.setXattr(fd, "user.a", "value", 5, 1);
    if (set == -call.E.OPNOTSUPP) return;
    try expectEqual(@as(i32, 0), set);
    try expectEqual(-@as(i32, call.E.EXIST), host.setXattr(fd, "user.a", "x", 1, 1));
    try expectEqual(-@as(i32, call.E.NODATA), host.setXattr(fd, "user.b", "x", 1, 2));
    try expectEqual(@as(i32, 0), host.setXattr(fd, "user.a", "value2", 6, 2));
    var buffer: [64]u8 = undefined;
    try expectEqual(@as(i32, 6), host.getXattr(fd, "user.a", &buffer, buffer.len));
    try expectEqual(@as(i32, 6), host.getXattr(fd, "user.a", &buffer, 0));
    try expectEqual(-@as(i32, call.E.RANGE), host.getXattr(fd, "user.a", &buffer, 2));
    try expectEqual(-@as(i32, call.E.NODATA), host.getXattr(fd, "user.none", &buffer, 64));
    try expectEqual(-@as(i32, call.E.NODATA), host.getXattr(fd, "security.selinux", &buffer, 64));
    try expectEqual(-@as(i32, call.E.OPNOTSUPP), host.getXattr(fd, "com.apple.provenance", &buffer, 64));
    try expectEqual(-@as(i32, call.E.PERM), host.setXattr(fd, "trusted.x", "x", 1, 0));
    try expectEqual(@as(i32, 7), host.listXattr(fd, &buffer, buffer.len));
    try std.testing.expectEqualStrings("user.a\x00", buffer[0..7]);
    try expectEqual(@as(i32, 0), host.removeXattr(fd, "user.a"));
    try expectEqual(@as(i32, 0), host.listXattr(fd, &buffer, 0));
}

test "statfs has Linux's flags and APFS's magic number" {
    double("");
    const fd = host.open(AT_FDCWD, "/proc", O.PATH | O.DIRECTORY, 0);
    defer _ = host.close(fd);
    var ours: [120]u8 = undefined;
    var truth: [15]u64 = undefined;
    try expectEqual(@as(i32, 0), host.statFs(fd, &ours));
    _ = linux.syscall2(.fstatfs, @intCast(fd), @intFromPtr(&truth));
    const words: [15]u64 = @bitCast(ours);
    try expectEqual(@as(u64, 0x4253584e), words[0]);
    try expectEqual(@as(u64, 255), words[8]);
    for ([_]usize{ 1, 2, 3, 4, 5, 6, 7 }) |i| try expectEqual(truth[i], words[i]);
    try expectEqual(truth[10] & 0x43f, words[10]);
}

test "pipes are told about once, and broken ones as on Linux" {
    double("");
    try expect(host.start() >= 0);
    var ends: [2]i32 = undefined;
    try expectEqual(@as(i32, 0), host.pipe(&ends, O.NONBLOCK));
    var out: [64]u32 = undefined;
    try expectEqual(@as(i32, 0), host.pollAdd(ends[0], 0x1, 7));
    try expectEqual(@as(i32, 0), host.wait(0, &out, 16));
    try expectEqual(@as(i32, 0), host.pollNow(ends[0], 0x1));
    try expectEqual(@as(i32, 4), host.pollNow(ends[1], 0x4));
    _ = host.write(ends[1], "x", 1, -1);
    try expectEqual(@as(i32, 1), host.wait(1e9, &out, 16));
    try expectEqual(@as(u32, 7), out[1]);
    try expectEqual(@as(u32, 1), out[2]);
    try expectEqual(@as(i32, 0), host.wait(0, &out, 16));
    // Told again when asked for anew, or when more comes.
    try expectEqual(@as(i32, 0), host.pollChange(ends[0], 0x1, 8));
    try expectEqual(@as(i32, 1), host.wait(1e9, &out, 16));
    try expectEqual(@as(u32, 8), out[1]);
    try expectEqual(@as(i32, 1), host.pollNow(ends[0], 0x1));
    _ = host.close(ends[1]);
    try expectEqual(@as(i32, 1), host.wait(1e9, &out, 16));
    try expect(out[2] & 0x10 != 0);
    try expectEqual(@as(i32, 0x11), host.pollNow(ends[0], 0x1));
    var byte: [1]u8 = undefined;
    try expectEqual(@as(i32, 1), host.read(ends[0], &byte, 1, -1));
    try expectEqual(@as(i32, 0x10), host.pollNow(ends[0], 0x1));
    try expectEqual(@as(i32, 0), host.pollRemove(ends[0]));
    _ = host.close(ends[0]);

    try expectEqual(@as(i32, 0), host.pipe(&ends, O.NONBLOCK));
    try expectEqual(@as(i32, 0), host.pollAdd(ends[1], 0x4, 9));
    try expectEqual(@as(i32, 1), host.wait(1e9, &out, 16));
    try expectEqual(@as(u32, 4), out[2]);
    _ = host.close(ends[0]);
    try expectEqual(@as(i32, 0xc), host.pollNow(ends[1], 0x4));
    try expectEqual(@as(i32, 1), host.wait(1e9, &out, 16));
    try expect(out[2] & 0x8 != 0);
    _ = host.close(ends[1]);
    try expectEqual(@as(i32, 1), host.pollAdd(host.open(AT_FDCWD, "/dev/null", O.RDWR, 0), 0x5, 3));
    try expectEqual(@as(i32, 1), host.pollAdd(host.open(AT_FDCWD, "/etc/passwd", 0, 0), 0x5, 3));
    try expectEqual(@as(i32, 5), host.pollNow(host.open(AT_FDCWD, "/dev/null", O.RDWR, 0), 0x5));
}

test "a pipe is opened anew as what it is" {
    double("");
    var ends: [2]i32 = undefined;
    try expectEqual(@as(i32, 0), host.pipe(&ends, 0));
    const again = host.reopen(ends[0], O.NONBLOCK);
    try expect(again >= 0);
    try expectEqual(@as(i32, 0), host.getFlags(again));
    try expect(host.reopen(ends[0], O.WRONLY | O.NONBLOCK) < 0);
    for ([_]i32{ again, ends[0], ends[1] }) |fd| _ = host.close(fd);
}

test "a kqueue is no pipe, and a pipe is one" {
    double("");
    var ends: [2]i32 = undefined;
    try expectEqual(@as(i32, 0), host.pipe(&ends, 0));
    const queue = call.sys("kqueue")();
    var out: [256]u8 = undefined;
    for ([_]i32{ ends[0], ends[1], queue }, [_]u16{ linux.S.IFIFO, linux.S.IFIFO, 0 }) |fd, kind| {
        try expectEqual(@as(i32, 0), host.stat(fd, "", &out));
        try expectEqual(kind, std.mem.readInt(u16, out[28..30], .little) & linux.S.IFMT);
        _ = host.close(fd);
    }
}

test "the last writer of a FIFO is noticed though kqueue is silent" {
    var p = try Place.init();
    defer p.deinit();
    try expect(host.start() >= 0);
    try expectEqual(@as(i32, 0), host.makeNode(p.fd, "fifo", linux.S.IFIFO | 0o600, 0));
    const reader = host.open(p.fd, "fifo", O.NONBLOCK, 0);
    const writer = host.open(p.fd, "fifo", O.WRONLY | O.NONBLOCK, 0);
    var out: [64]u32 = undefined;
    try expectEqual(@as(i32, 0), host.pollAdd(reader, 0x1, 5));
    _ = host.close(writer);
    var told = false;
    for (0..1000) |_| {
        const n = host.wait(1e8, &out, 16);
        if (n > 0 and out[1] == 5 and out[2] & 0x10 != 0) {
            told = true;
            break;
        }
    }
    try expect(told);
    _ = host.pollRemove(reader);
    _ = host.close(reader);
}

test "a wake ends one sleep, from a signal too" {
    double("");
    try expect(host.start() >= 0);
    var out: [64]u32 = undefined;
    host.wake();
    try expectEqual(@as(i32, 0), host.wait(60e9, &out, 16));
    try expectEqual(@as(u32, 0), out[0]);
    const no_time: call.c.struct_timespec = .{ .tv_sec = 0, .tv_nsec = 0 };
    var event: [1]call.c.struct_kevent = undefined;
    for ([_]c_int{ 0, 1, 0 }) |count| {
        if (count == 1) host.wake();
        try expectEqual(count, call.sys("kevent")(poller.queue, null, 0, &event, 1, &no_time));
    }
    _ = host.catchSignals();
    for ([_]u5{ 10, 12, 18, 28 }) |signal| {
        _ = linux.kill(linux.getpid(), @enumFromInt(signal));
        var seen: u32 = 0;
        while (seen == 0) {
            try expectEqual(@as(i32, 0), host.wait(60e9, &out, 16));
            seen = out[0];
        }
        try expectEqual(@as(u32, 1) << (signal - 1), seen);
    }
    try expectEqual(-@as(i32, call.E.INVAL), host.killSelf(16));
    try expectEqual(-@as(i32, call.E.INVAL), host.killSelf(30));
}

test "clocks: the monotonic one has not counted this Mac's sleep, the boot time one has" {
    var now: [2]f64 = undefined;
    var truth: linux.timespec = undefined;
    inline for (.{ .{ 0, 0, 0 }, .{ 1, 1, 0 }, .{ 4, 1, 0 }, .{ 6, 1, 0 }, .{ 7, 1, 3600 }, .{ 9, 1, 3600 }, .{ 11, 0, 0 } }) |case| {
        try expectEqual(@as(i32, 0), host.clock(case[0], &now));
        _ = std.c.clock_gettime(@enumFromInt(case[1]), @ptrCast(&truth));
        try expect(@abs(now[0] - @as(f64, @floatFromInt(truth.sec + case[2]))) < 120);
    }
    try expectEqual(-@as(i32, call.E.INVAL), host.clock(10, &now));
    try expectEqual(-@as(i32, call.E.INVAL), host.clock(12, &now));
    try expect(@abs(@as(f64, @floatFromInt(host.monotonicNs())) / 1e9 - @as(f64, @floatFromInt(truth.sec))) < 1e15);
}

test "memory that is given back is zero, whatever the host does with it" {
    const page = host.memory.page_bytes;
    const ptr = host.memory.reserve(64 << 20, .guest).?;
    defer host.memory.release(ptr, 64 << 20);
    for (0..4) |_| {
        @memset(ptr[0 .. 8 * page], 0xaa);
        try expect(!host.memory.giveBack(ptr + 4096, 4096));
        try expectEqual(@as(u8, 0xaa), ptr[4096]);
        try expect(host.memory.giveBack(@alignCast(ptr + 4096), 5 * page));
        for (ptr[0 .. 8 * page], 0..) |byte, i| try expectEqual(@as(u8, if (i >= 4096 and i < 4096 + 5 * page) 0 else 0xaa), byte);
        host.memory.commit(@alignCast(ptr + 8192), 4096);
    }
    const books = host.memory.reserve(1 << 20, .books).?;
    books[0] = 1;
    host.memory.release(books, 1 << 20);
}

/// A busy machine may need a while.
fn nap() void {
    const ms: linux.timespec = .{ .sec = 0, .nsec = 1_000_000 };
    _ = linux.nanosleep(&ms, null);
}

fn loopback(port: u16, last: u8) [16]u8 {
    var address: [16]u8 = @splat(0);
    std.mem.writeInt(u16, address[0..2], 2, .little);
    std.mem.writeInt(u16, address[2..4], port, .big);
    address[4..8].* = .{ 127, 0, 0, last };
    return address;
}

test "streams connect, have Linux's addresses and options, and end" {
    double("");
    try expect(host.start() >= 0);
    const listener = host.socket(2, 1, 0);
    try expect(listener >= 0);
    const yes: u32 = 1;
    try expectEqual(@as(i32, 0), host.setSocketOption(listener, 1, 2, @ptrCast(&yes), 4));
    var value: [16]u8 = @splat(0);
    try expectEqual(@as(i32, 4), host.getSocketOption(listener, 1, 2, &value, 16));
    try expectEqual(@as(u32, 1), std.mem.readInt(u32, value[0..4], .little));
    // All of 127.0.0.0/8 is the one address that a Mac has.
    try expectEqual(@as(i32, 0), host.bind(listener, &loopback(0, 9), 16));
    try expectEqual(@as(i32, 0), host.listen(listener, 5));
    try expectEqual(@as(i32, 4), host.getSocketOption(listener, 1, 30, &value, 16));
    try expectEqual(@as(u32, 1), std.mem.readInt(u32, value[0..4], .little));
    var name: [32]u8 = @splat(0);
    try expectEqual(@as(i32, 16), host.socketName(listener, false, &name, 32));
    try expectEqual(@as(u16, 2), std.mem.readInt(u16, name[0..2], .little));
    try std.testing.expectEqualSlices(u8, &.{ 127, 0, 0, 1 }, name[4..8]);
    try expectEqual(-@as(i32, call.E.AGAIN), host.accept(listener));
    const client = host.socket(2, 1, 0);
    const rc = host.connect(client, name[0..16], 16);
    try expect(rc == 0 or rc == -115);
    var server: i32 = -1;
    for (0..10000) |_| {
        server = host.accept(listener);
        if (server >= 0) break;
        nap();
    }
    try expect(server >= 0);
    const big: i32 = 100_000;
    try expectEqual(@as(i32, 0), host.setSocketOption(client, 1, 8, std.mem.asBytes(&big), 4));
    try expectEqual(@as(i32, 4), host.getSocketOption(client, 1, 8, &value, 16));
    try expectEqual(@as(i32, 200_000), std.mem.readInt(i32, value[0..4], .little));
    const huge: i32 = 1 << 30;
    try expectEqual(@as(i32, 0), host.setSocketOption(client, 1, 7, std.mem.asBytes(&huge), 4));
    for ([_][2]u32{ .{ 6, 1 }, .{ 6, 3 }, .{ 1, 9 } }) |option| {
        try expectEqual(@as(i32, 0), host.setSocketOption(client, option[0], option[1], @ptrCast(&yes), 4));
        try expectEqual(@as(i32, 4), host.getSocketOption(client, option[0], option[1], &value, 16));
        try expectEqual(@as(u32, 1), std.mem.readInt(u32, value[0..4], .little));
    }
    const idle: i32 = 77;
    for ([_]u32{ 4, 5 }) |option| {
        try expectEqual(@as(i32, 0), host.setSocketOption(client, 6, option, std.mem.asBytes(&idle), 4));
        var truth: i32 = 0;
        var len: u32 = 4;
        _ = linux.syscall5(.getsockopt, @intCast(client), 6, option, @intFromPtr(&truth), @intFromPtr(&len));
        try expectEqual(idle, truth);
    }
    try expectEqual(-@as(i32, 92), host.getSocketOption(client, 1, 9999, &value, 16));
    try expectEqual(@as(i32, 4), host.getSocketOption(client, 1, 38, &value, 16));
    try expectEqual(@as(i32, 6), std.mem.readInt(i32, value[0..4], .little));
    try expectEqual(@as(i32, 0), host.shutdown(server, 1));
    for (0..10000) |_| {
        if (host.pollNow(client, 0x2005) & 0x2000 != 0) break;
        nap();
    }
    // The peer sends no more, but may still be sent to.
    try expectEqual(@as(i32, 0x2005), host.pollNow(client, 0x2005));
    for ([_]i32{ client, server }) |fd| _ = host.close(fd);
    // Nobody listens any more.
    _ = host.close(listener);
    const late = host.socket(2, 1, 0);
    const refused = host.connect(late, name[0..16], 16);
    try expect(refused == -111 or refused == -115);
    if (refused == -115) {
        for (0..10000) |_| {
            if (host.pollNow(late, 4) != 0) break;
            nap();
        }
        try expectEqual(@as(i32, 4), host.getSocketOption(late, 1, 4, &value, 16));
        try expectEqual(@as(i32, 111), std.mem.readInt(i32, value[0..4], .little));
    }
    _ = host.close(late);
    try expectEqual(@as(i32, -97), host.socket(16, 3, 0));
}

test "datagrams bring addresses, lengths and control messages" {
    double("");
    const abi = @import("../../abi.zig");
    const a = host.socket(2, 2, 0);
    const b = host.socket(2, 2, 0);
    try expectEqual(@as(i32, 0), host.bind(a, &loopback(0, 1), 16));
    try expectEqual(@as(i32, 0), host.bind(b, &loopback(0, 1), 16));
    var name: [32]u8 = undefined;
    try expectEqual(@as(i32, 16), host.socketName(a, false, &name, 32));
    const yes: u32 = 1;
    for ([_]u32{ 8, 12 }) |option| try expectEqual(@as(i32, 0), host.setSocketOption(a, 0, option, @ptrCast(&yes), 4));
    var header: abi.SocketMessage = .{};
    header.address_len = 16;
    header.address[0..16].* = name[0..16].*;
    // IP_TTL 33 as a control message.
    header.control_len = 24;
    std.mem.writeInt(u64, header.control[0..8], 20, .little);
    std.mem.writeInt(u32, header.control[12..16], 2, .little);
    std.mem.writeInt(u32, header.control[16..20], 33, .little);
    try expectEqual(@as(i32, 10), host.send(b, "0123456789", 10, 0, &header));
    var waiting: c_int = 0;
    for (0..10000) |_| {
        try expectEqual(@as(i32, 0), host.socketControl(a, 0x541b, @ptrCast(&waiting)));
        if (waiting > 0) break;
        nap();
    }
    try expectEqual(@as(c_int, 10), waiting);
    var data: [4]u8 = undefined;
    var got: abi.SocketMessage = .{};
    try expectEqual(@as(i32, 4), host.receive(a, &data, 4, 2, &got)); // MSG_PEEK
    try expectEqual(@as(i32, 10), host.receive(a, &data, 4, 0x20, &got));
    try expectEqual(@as(u32, 0x20), got.flags & 0x20);
    try expectEqual(@as(u32, 16), got.address_len);
    try expectEqual(@as(i32, 16), host.socketName(b, false, &name, 32));
    try std.testing.expectEqualSlices(u8, name[0..16], got.address[0..16]);
    var ttl: i32 = 0;
    var info: usize = 0;
    var at: usize = 0;
    while (at + 16 <= got.control_len) {
        const length: usize = @intCast(std.mem.readInt(u64, got.control[at..][0..8], .little));
        try expect(length >= 16);
        switch (std.mem.readInt(i32, got.control[at + 12 ..][0..4], .little)) {
            2 => ttl = std.mem.readInt(i32, got.control[at + 16 ..][0..4], .little),
            8 => info = length,
            else => {},
        }
        at += std.mem.alignForward(usize, length, 8);
    }
    try expectEqual(@as(i32, 33), ttl);
    try expectEqual(@as(usize, 28), info);
    try expectEqual(-@as(i32, call.E.AGAIN), host.receive(a, &data, 4, 0, &got));
    var ifreq: [40]u8 = @splat(0);
    @memcpy(ifreq[0..2], "lo");
    try expectEqual(@as(i32, 0), host.socketControl(a, 0x8915, @ptrCast(&ifreq)));
    try std.testing.expectEqualSlices(u8, &.{ 2, 0, 0, 0, 127, 0, 0, 1 }, ifreq[16..24]);
    try expectEqual(@as(i32, 0), host.socketControl(a, 0x8913, @ptrCast(&ifreq)));
    try expectEqual(@as(u16, 0x49), std.mem.readInt(u16, ifreq[16..18], .little) & 0x1fff);
    for ([_]i32{ a, b }) |fd| _ = host.close(fd);
}

test "the machine's facts are the machine's" {
    var out: [10]f64 = undefined;
    try expectEqual(@as(i32, 0), host.memoryInfo(&out));
    var info: linux.Sysinfo = undefined;
    _ = linux.sysinfo(&info);
    try expectEqual(@as(f64, @floatFromInt(info.totalram * info.mem_unit)), out[0]);
    try expect(out[1] > 0 and out[1] <= out[0]);
    try expect(host.cpuCount() >= 1);
    var words: [4096]u8 = undefined;
    const n = host.strings(0, &words, words.len);
    try expect(n > 0);
    var ids: [64]u32 = undefined;
    try expectEqual(@as(i32, 0), host.identity(&ids, ids.len));
    try expectEqual(linux.geteuid(), ids[1]);
}
