//! Names as they are spelled on disk, and renames.

const std = @import("std");
const call = @import("../call.zig");
const host = @import("../../darwin.zig");
const support = @import("support.zig");
const expectEqual = std.testing.expectEqual;
const O = call.O;
const double = support.double;
const Place = support.Place;

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
    double("no_clone");
    for ([_]u32{ 1, 2 }) |flags| try expectEqual(-@as(i32, call.E.INVAL), host.rename(p.fd, "a", p.fd, "c", flags));
    // A directory is reached by "." whatever it is called.
    double("insensitive");
    const here = host.open(p.fd, ".", O.DIRECTORY, 0);
    if (here < 0) return error.NotThere;
    _ = host.close(here);
    double("");
}
