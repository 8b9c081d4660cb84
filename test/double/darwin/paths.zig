//! Names as APFS treats them: kept byte by byte, refused when they are no UTF-8, found in another normalisation, and in another
//! case too when the volume is the usual one. Terminals have Darwin's names.

const std = @import("std");
const base = @import("base.zig");
const c = base.c;
const linux = base.linux;
const Path = base.Path;

/// A path for Linux. `buffer` holds it when it differs from what was given.
pub const Resolved = struct {
    buffer: [4096]u8 = undefined,
    path: Path = undefined,

    /// False: errno is set.
    pub fn init(r: *Resolved, dirfd: c_int, path: Path) bool {
        const text = std.mem.span(path);
        r.path = path;
        if (text.len >= c.PATH_MAX) return refuse(63);
        if (!std.unicode.utf8ValidateSlice(text)) return refuse(92);
        const terminals = "/dev/ttys";
        if (std.mem.startsWith(u8, text, terminals)) {
            const number = std.fmt.parseInt(u32, text[terminals.len..], 10) catch return true;
            r.path = std.fmt.bufPrintSentinel(&r.buffer, "/dev/pts/{d}", .{number}, 0) catch unreachable;
            return true;
        }
        const found = spelling(dirfd, text, r.buffer[2048..]) orelse return true;
        const start = if (std.mem.findScalarLast(u8, text, '/')) |slash| slash + 1 else 0;
        r.path = std.fmt.bufPrintSentinel(r.buffer[0..2048], "{s}{s}", .{ text[0..start], found }, 0) catch unreachable;
        return true;
    }

    fn refuse(errno: c_int) bool {
        _ = base.fail(errno);
        return false;
    }
};

/// How the last name of a path is spelled on disk when nothing has exactly this name; null when there is such a thing, or nothing
/// that the volume would take for it.
fn spelling(dirfd: c_int, text: []const u8, out: []u8) ?[]const u8 {
    const slash = std.mem.findScalarLast(u8, text, '/');
    const name = if (slash) |at| text[at + 1 ..] else text;
    const insensitive = base.option(.insensitive);
    if (name.len == 0 or (!insensitive and isAscii(name))) return null;
    var path: [1100]u8 = undefined;
    var st: linux.Statx = undefined;
    const exact = std.fmt.bufPrintSentinel(&path, "{s}", .{text}, 0) catch return null;
    const AT_SYMLINK_NOFOLLOW = 0x100;
    if (base.errnoOf(linux.statx(@intCast(@as(isize, @bitCast(base.dir(dirfd)))), exact, AT_SYMLINK_NOFOLLOW, @bitCast(@as(u32, 1)), &st)) == 0) return null;
    const parent: []const u8 = if (slash) |at| (if (at == 0) "/" else text[0..at]) else ".";
    const opened = std.fmt.bufPrintSentinel(&path, "{s}", .{parent}, 0) catch return null;
    const fd = linux.syscall4(.openat, base.dir(dirfd), @intFromPtr(opened.ptr), @as(u32, @bitCast(linux.O{ .DIRECTORY = true, .CLOEXEC = true })), 0);
    if (base.errnoOf(fd) != 0) return null;
    defer _ = linux.close(@intCast(fd));
    return search(fd, name, insensitive, out);
}

fn isAscii(name: []const u8) bool {
    for (name) |byte| if (byte >= 0x80) return false;
    return true;
}

fn search(fd: usize, name: []const u8, insensitive: bool, out: []u8) ?[]const u8 {
    var entries: [8192]u8 align(8) = undefined;
    while (true) {
        const n = linux.syscall3(.getdents64, fd, @intFromPtr(&entries), entries.len);
        if (base.errnoOf(n) != 0 or n == 0) return null;
        var at: usize = 0;
        while (at < n) {
            const length = std.mem.readInt(u16, entries[at + 16 ..][0..2], .little);
            const entry = std.mem.sliceTo(entries[at + 19 .. at + length], 0);
            at += length;
            if (!same(entry, name, insensitive) or entry.len > out.len) continue;
            @memcpy(out[0..entry.len], entry);
            return out[0..entry.len];
        }
    }
}

fn same(a: []const u8, b: []const u8, insensitive: bool) bool {
    var x: Folded = .{ .text = a, .insensitive = insensitive };
    var y: Folded = .{ .text = b, .insensitive = insensitive };
    while (true) {
        const one = x.next();
        if (one != y.next()) return false;
        if (one == null) return true;
    }
}

/// The characters of a name, decomposed as far as Latin-1 goes, which is enough to meet both normalisations.
const Folded = struct {
    text: []const u8,
    insensitive: bool,
    mark: ?u21 = null,

    fn next(f: *Folded) ?u21 {
        if (f.mark) |mark| {
            f.mark = null;
            return mark;
        }
        if (f.text.len == 0) return null;
        const length = std.unicode.utf8ByteSequenceLength(f.text[0]) catch return 0xfffd;
        if (length > f.text.len) return 0xfffd;
        const character = std.unicode.utf8Decode(f.text[0..length]) catch 0xfffd;
        f.text = f.text[length..];
        const plain = f.decompose(character);
        return if (f.insensitive and plain < 128) std.ascii.toLower(@intCast(plain)) else plain;
    }

    fn decompose(f: *Folded, character: u21) u21 {
        const letters = "AAAAAA\x00CEEEEIIII\x00NOOOOO\x00\x00UUUUY\x00\x00aaaaaa\x00ceeeeiiii\x00nooooo\x00\x00uuuuy\x00y";
        const marks = [_]u21{
            0x300, 0x301, 0x302, 0x303, 0x308, 0x30a, 0,     0x327, 0x300, 0x301, 0x302, 0x308, 0x300, 0x301, 0x302, 0x308,
            0,     0x303, 0x300, 0x301, 0x302, 0x303, 0x308, 0,     0,     0x300, 0x301, 0x302, 0x308, 0x301, 0,     0,
        };
        if (character < 0xc0 or character > 0xff or letters[character - 0xc0] == 0) return character;
        f.mark = if (character == 0xff) 0x308 else marks[(character - 0xc0) % 32];
        return letters[character - 0xc0];
    }
};
