//! getdents64(2): Darwin's directory records as Linux's. readdir(3) of Darwin's libc stands on the same call.

const std = @import("std");
const call = @import("call.zig");
const c = call.c;
const sys = call.sys;

/// struct linux_dirent64 without its name.
const head_bytes = 19;
const name_at = @offsetOf(c.struct_dirent, "d_name");

/// Bytes of struct linux_dirent64 records, 0 at the end.
pub fn readDirectory(fd: i32, buffer: [*]u8, size: u32) i32 {
    // A record of Linux's is at most a third longer than Darwin's.
    var records: [32 * 1024]u8 align(8) = undefined;
    const room = @min(records.len, size / 2);
    if (room < 1200) return -call.E.INVAL;
    while (true) {
        var position: i64 = 0;
        const n = sys("__getdirentries64")(fd, &records, room, &position);
        if (n < 0) return call.failure();
        if (n == 0) return 0;
        const bytes = translate(records[0..@intCast(n)], buffer[0..size]);
        // All of them were deleted names.
        if (bytes > 0) return @intCast(bytes);
    }
}

fn translate(records: []const u8, out: []u8) usize {
    var from: usize = 0;
    var to: usize = 0;
    while (from + name_at <= records.len) {
        const record = records[from..];
        const length = field(u16, record, "d_reclen");
        if (length < name_at or length > record.len) break;
        from += length;
        const ino = field(u64, record, "d_ino");
        const name = record[name_at..][0..@min(field(u16, record, "d_namlen"), length - name_at)];
        if (ino == 0) continue;
        const size = std.mem.alignForward(usize, head_bytes + name.len + 1, 8);
        if (to + size > out.len) break;
        const entry = out[to..][0..size];
        std.mem.writeInt(u64, entry[0..8], ino, .little);
        // Nobody seeks to it: positions are ordinals above.
        std.mem.writeInt(u64, entry[8..16], field(u64, record, "d_seekoff"), .little);
        std.mem.writeInt(u16, entry[16..18], @intCast(size), .little);
        entry[18] = kind(record[@offsetOf(c.struct_dirent, "d_type")]);
        @memcpy(entry[head_bytes..][0..name.len], name);
        @memset(entry[head_bytes + name.len ..], 0);
        to += size;
    }
    return to;
}

fn field(comptime T: type, record: []const u8, comptime name: []const u8) T {
    return std.mem.readInt(T, record[@offsetOf(c.struct_dirent, name)..][0..@sizeOf(T)], .little);
}

/// DT_* are equal; whiteouts are unknown to Linux's programs.
fn kind(darwin: u8) u8 {
    return switch (darwin) {
        c.DT_FIFO, c.DT_CHR, c.DT_DIR, c.DT_BLK, c.DT_REG, c.DT_LNK, c.DT_SOCK => darwin,
        else => c.DT_UNKNOWN,
    };
}
