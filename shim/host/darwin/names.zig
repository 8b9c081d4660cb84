//! Names as they are on disk. APFS keeps a name's bytes but finds it under other spellings too: in another case (unless the volume
//! was made case-sensitive) and in another Unicode normalisation. A guest sees only the spelling on disk, as on Linux.

const std = @import("std");
const call = @import("call.zig");
const c = call.c;
const sys = call.sys;
const Path = call.Path;

/// Whether some file system could find this name under another spelling, or another name under this one.
fn ambiguous(name: []const u8, comptime in: enum { any_volume, case_sensitive_volume }) bool {
    for (name) |byte| {
        if (byte >= 0x80 or (in == .any_volume and std.ascii.isAlphabetic(byte))) return true;
    }
    return false;
}

/// One name in a directory that carrick holds, not a path of the user's.
fn isEntry(dirfd: c_int, name: []const u8) bool {
    if (dirfd == c.AT_FDCWD or name.len == 0 or std.mem.eql(u8, name, ".") or std.mem.eql(u8, name, "..")) return false;
    return std.mem.findScalar(u8, name, '/') == null;
}

/// Whether what was found as `name` is called so. True too where there is no telling.
pub fn exact(dirfd: c_int, path: Path) bool {
    const name = std.mem.span(path);
    return !isEntry(dirfd, name) or !ambiguous(name, .any_volume) or spelled(dirfd, path);
}

/// The same for a file whose device is known already.
pub fn exactOn(dirfd: c_int, path: Path, dev: i32) bool {
    const name = std.mem.span(path);
    if (!isEntry(dirfd, name) or !ambiguous(name, .any_volume)) return true;
    if (!ambiguous(name, .case_sensitive_volume) and caseSensitive(dirfd, dev)) return true;
    return spelled(dirfd, path);
}

const Answer = extern struct { length: u32, name: c.attrreference_t, text: [1024]u8 };

fn spelled(dirfd: c_int, path: Path) bool {
    var wanted = std.mem.zeroes(c.struct_attrlist);
    wanted.bitmapcount = c.ATTR_BIT_MAP_COUNT;
    wanted.commonattr = c.ATTR_CMN_NAME;
    var answer: Answer = undefined;
    const bytes: [*]u8 = @ptrCast(&answer);
    // A file system that does not tell has no spelling of its own.
    if (sys("getattrlistat")(dirfd, path, &wanted, bytes, @sizeOf(Answer), c.FSOPT_NOFOLLOW) != 0) return true;
    // The reference counts from itself; the length includes a NUL.
    const start = @offsetOf(Answer, "name") + @as(usize, @intCast(answer.name.attr_dataoffset));
    const length = answer.name.attr_length;
    if (length == 0 or start + length > @sizeOf(Answer)) return true;
    return std.mem.eql(u8, std.mem.span(path), bytes[start .. start + length - 1]);
}

const Volume = struct { dev: i32, sensitive: bool };
var volumes: [16]Volume = undefined;
/// A test may be of another Mac.
pub var volume_count: usize = 0;

fn caseSensitive(dirfd: c_int, dev: i32) bool {
    for (volumes[0..volume_count]) |volume| {
        if (volume.dev == dev) return volume.sensitive;
    }
    // A mount point is a directory of another volume: unknown ones are asked for by their own names.
    var st: c.struct_stat = undefined;
    if (sys("fstat")(dirfd, &st) != 0 or st.st_dev != dev) return false;
    const sensitive = sys("fpathconf")(dirfd, c._PC_CASE_SENSITIVE) == 1;
    if (volume_count < volumes.len) {
        volumes[volume_count] = .{ .dev = dev, .sensitive = sensitive };
        volume_count += 1;
    }
    return sensitive;
}
