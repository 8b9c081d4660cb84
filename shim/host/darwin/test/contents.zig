//! Directories, files without names, holes, ranges, locks, extended attributes, statfs.

const std = @import("std");
const call = @import("../call.zig");
const host = @import("../../darwin.zig");
const support = @import("support.zig");
const linux = std.os.linux;
const expect = std.testing.expect;
const expectEqual = std.testing.expectEqual;

const AT_FDCWD = -100;
const O = call.O;
const double = support.double;
const Place = support.Place;

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
    // More than one piece, each from its own place.
    var long: [150_000]u8 = undefined;
    for (&long, 0..) |*byte, i| byte.* = @truncate(i / 251);
    try expectEqual(@as(i32, long.len), host.write(one, &long, long.len, 0));
    try expectEqual(@as(f64, long.len), host.copyRange(one, 0, other, 0, long.len));
    var copied: [150_000]u8 = undefined;
    try expectEqual(@as(i32, copied.len), host.read(other, &copied, copied.len, 0));
    try std.testing.expectEqualSlices(u8, &long, &copied);
    // Where nobody tells of holes there are none.
    double("no_clone");
    try expectEqual(@as(f64, 100), host.seek(other, 100, 3));
    try expectEqual(@as(f64, 150_000), host.seek(other, 100, 4));
    try expectEqual(@as(f64, -6), host.seek(other, 150_000, 3));
    double("");
    // The last block is whole as far as anybody can see.
    try expectEqual(@as(i32, 0), host.allocate(other, PUNCH_KEEP, 5000, 145_000));
    try expectEqual(@as(f64, -6), host.seek(other, 8192, 3));
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
    try expectEqual(-@as(i32, call.E.RANGE), host.listXattr(fd, &buffer, 3));
    const longest = "user." ++ "n" ** 122;
    try expectEqual(@as(i32, 0), host.setXattr(fd, longest, "x", 1, 0));
    try expectEqual(@as(i32, 0), host.removeXattr(fd, longest));
    try expectEqual(-@as(i32, call.E.NOSPC), host.setXattr(fd, longest ++ "n", "x", 1, 0));
    try expectEqual(-@as(i32, call.E.NODATA), host.getXattr(fd, longest ++ "n", &buffer, 64));
    const huge: [65537]u8 = @splat(1);
    try expectEqual(@as(i32, -7), host.setXattr(fd, "user.huge", &huge, huge.len, 0));
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
