//! Looks into the index of an image layer where it lies in memory (src/lib/layer-index.ts has the format and writes it). Here and not in
//! TypeScript because names are mostly looked up once, by code that has hardly run: an interpreted search costs more than all the
//! rest of a first stat(2). Whatever a damaged index says, nothing outside of it is read.

const std = @import("std");

/// One name of the layer: the words of a record, as src/lib/layer-index.ts names them.
pub const Record = extern struct {
    parent: u32,
    name: u32,
    kind: u32,
    mode: u32,
    uid: u32,
    gid: u32,
    size: [2]u32,
    mtime: [2]u32,
    mtime_nsec: u32,
    data: [2]u32,
    xattrs: u32,
    sparse: u32,
    next: u32,

    fn nameLength(r: Record) u32 {
        return r.kind & 0xffff;
    }
    pub fn kindOf(r: Record) Kind {
        return @enumFromInt(@as(u8, @truncate(r.kind >> 16)));
    }
    /// Attributes come from a lower layer's directory.
    pub fn isImplied(r: Record) bool {
        return r.kind >> 24 & 1 != 0;
    }
    /// Lower layers have no part in the directory.
    pub fn isOpaque(r: Record) bool {
        return r.kind >> 24 & 2 != 0;
    }
    /// Opaque, but the directory is the one below: attributes may come from there.
    pub fn isEmptied(r: Record) bool {
        return r.kind >> 24 & 4 != 0;
    }
    /// An access list says more than the mode.
    pub fn hasAccessList(r: Record) bool {
        return r.kind >> 24 & 8 != 0;
    }
    pub fn isDirectory(r: Record) bool {
        return r.mode & 0o170000 == 0o040000;
    }
    pub fn isLink(r: Record) bool {
        return r.mode & 0o170000 == 0o120000;
    }
    pub fn isRegular(r: Record) bool {
        return r.mode & 0o170000 == 0o100000;
    }
    pub fn sizeBytes(r: Record) u64 {
        return r.size[0] | @as(u64, r.size[1] & 0x1fffff) << 32;
    }
    /// Null for what is no exact Number.
    pub fn mtimeSec(r: Record) ?i64 {
        const sec: i64 = @bitCast(r.mtime[0] | @as(u64, r.mtime[1]) << 32);
        return if (@abs(sec) < 1 << 53) sec else null;
    }
};

/// DT_DIR
const directory_type = 4;

pub const Kind = enum(u8) { inode = 0, link = 1, external = 2, whiteout = 3, _ };

comptime {
    std.debug.assert(@sizeOf(Record) == 64);
}

/// The three parts of an index behind its header: records, the hashes of their names, and the blob with the names themselves.
pub const Index = struct {
    records: []const Record,
    hashes: []const u32,
    blob: []const u8,

    /// `ptr`: the first record.
    pub fn at(ptr: usize, entries: u32, blob_bytes: u32) Index {
        const records: [*]const Record = @ptrFromInt(ptr);
        const hashes: [*]const u32 = @ptrFromInt(ptr + @as(usize, entries) * @sizeOf(Record));
        const blob: [*]const u8 = @ptrFromInt(ptr + @as(usize, entries) * (@sizeOf(Record) + 4));
        return .{ .records = records[0..entries], .hashes = hashes[0..entries], .blob = blob[0..blob_bytes] };
    }

    fn name(index: Index, entry: usize) []const u8 {
        const r = &index.records[entry];
        const from = @min(r.name, index.blob.len);
        return index.blob[from..@min(index.blob.len, from + r.nameLength())];
    }

    /// The record of a name in a directory. Names are compared where hashes are equal, which an archive may have chosen.
    pub fn find(index: Index, directory: u32, wanted: []const u8) ?u32 {
        if (directory >= index.records.len) return null;
        const hash = std.hash.Fnv1a_32.hash(wanted);
        const data = index.records[directory].data;
        var low: usize = @min(data[0], index.records.len);
        var high: usize = @min(low + data[1], index.records.len);
        while (low < high) {
            const middle = (low + high) / 2;
            const order = switch (std.math.order(index.hashes[middle], hash)) {
                .eq => std.mem.order(u8, index.name(middle), wanted),
                else => |o| o,
            };
            switch (order) {
                .lt => low = middle + 1,
                .gt => high = middle,
                .eq => return @intCast(middle),
            }
        }
        return null;
    }

    pub const Listed = struct { bytes: usize, next: u32 };

    /// Writes linux_dirent64 records of the entries [from, end) as far as they fit. Whiteouts are no names; a name whose inode other
    /// layers have ends the list. Inode numbers count from `first_ino`, offsets so that entry `from` is at `offset`.
    pub fn list(index: Index, from: u32, end: u32, first_ino: u64, offset: u64, out: []u8) Listed {
        var used: usize = 0;
        var entry: u32 = from;
        while (entry < @min(end, index.records.len)) : (entry += 1) {
            var described = entry;
            switch (index.records[entry].kindOf()) {
                .whiteout => continue,
                .inode => {},
                .link => described = index.records[entry].data[0],
                else => break,
            }
            if (described >= index.records.len) continue;
            const bytes = index.name(entry);
            const length = std.mem.alignForward(usize, 19 + bytes.len + 1, 8);
            if (used + length > out.len) break;
            const to = out[used..][0..length];
            std.mem.writeInt(u64, to[length - 8 ..][0..8], 0, .little);
            std.mem.writeInt(u64, to[0..8], first_ino + described, .little);
            std.mem.writeInt(u64, to[8..16], offset + (entry - from) + 1, .little);
            std.mem.writeInt(u16, to[16..18], @intCast(length), .little);
            to[18] = @truncate((index.records[described].mode >> 12) & 0xf);
            @memcpy(to[19..][0..bytes.len], bytes);
            used += length;
        }
        return .{ .bytes = used, .next = entry };
    }

    /// A record of "." or "..".
    const dot_bytes = 24;

    fn dot(out: []u8, ino: u64, next: u64, dots: []const u8) void {
        @memset(out[0..dot_bytes], 0);
        std.mem.writeInt(u64, out[0..8], ino, .little);
        std.mem.writeInt(u64, out[8..16], next, .little);
        std.mem.writeInt(u16, out[16..18], dot_bytes, .little);
        out[18] = directory_type;
        @memcpy(out[19..][0..dots.len], dots);
    }

    /// Writes what a directory that this layer alone has shows from offset `from` on, "." and ".." included; `next` is the offset behind it.
    /// Null where the kernel must name what follows, or has an error to tell.
    pub fn show(index: Index, entry: u32, first_ino: u32, above: u32, from: u32, out: []u8) ?Listed {
        var used: usize = 0;
        if (from < 2) {
            if (out.len < 2 * dot_bytes) return null;
            if (from == 0) {
                dot(out, @as(u64, first_ino) + entry, 1, ".");
                used = dot_bytes;
            }
            dot(out[used..], above, 2, "..");
            used += dot_bytes;
        }
        const start = @max(from, 2);
        const data = index.records[entry].data;
        const first = @min(data[0], index.records.len);
        const end = @min(first +| data[1], index.records.len);
        const here: u32 = @intCast(@min(@as(u64, first) + start - 2, end));
        const listed = index.list(here, @intCast(end), first_ino, start, out[used..]);
        // Whiteouts alone may be left; then that was all.
        if (used == 0 and listed.bytes == 0 and listed.next < end) return null;
        const passed = if (listed.bytes == 0) 0 else listed.next - here;
        return .{ .bytes = used + listed.bytes, .next = start + passed };
    }
};

test "find and list stay inside a damaged index" {
    var prng = std.Random.DefaultPrng.init(7);
    const random = prng.random();
    const entries = 20;
    const blob_bytes = 64;
    var memory: [entries * 68 + blob_bytes]u8 align(4) = undefined;
    var out: [512]u8 = undefined;
    for (0..2000) |_| {
        random.bytes(&memory);
        // Mostly plausible values, so that the search goes on.
        const words: []u32 = @alignCast(std.mem.bytesAsSlice(u32, memory[0 .. entries * 64]));
        for (words) |*w| if (random.boolean()) {
            w.* = random.uintLessThan(u32, 32);
        };
        const index = Index.at(@intFromPtr(&memory), entries, blob_bytes);
        _ = index.find(random.uintLessThan(u32, entries + 2), memory[0..random.uintLessThan(usize, 20)]);
        const listed = index.list(random.uintLessThan(u32, entries), random.int(u32), 1, 2, out[0..random.uintLessThan(usize, out.len)]);
        try std.testing.expect(listed.next <= entries and listed.bytes <= out.len);
        const all = index.show(random.uintLessThan(u32, entries), 1, 1, random.int(u32) >> random.int(u5), out[0..random.uintLessThan(usize, out.len)]);
        if (all) |shown| try std.testing.expect(shown.bytes <= out.len);
    }
}
