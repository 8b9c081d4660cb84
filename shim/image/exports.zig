//! The image room's part of the C ABI. Every `pub fn … callconv(.c)` here is exported under its own name. `records` points at the
//! first record of an index in memory that has `entries` of them, their hashes and `blob_bytes` behind.

const Index = @import("index.zig").Index;

/// The entry of a name in a directory, or -1.
pub fn index_find(records: usize, entries: u32, blob_bytes: u32, directory: u32, name: [*]const u8, length: u32) callconv(.c) i32 {
    const found = Index.at(records, entries, blob_bytes).find(directory, name[0..length]) orelse return -1;
    return @bitCast(found);
}

/// Fills `out` with linux_dirent64 records of entries from `from` on; their bytes. `next` gets the entry behind them.
pub fn index_list(records: usize, entries: u32, blob_bytes: u32, from: u32, end: u32, first_ino: f64, offset: f64, out: [*]u8, limit: u32, next: *u32) callconv(.c) i32 {
    const listed = Index.at(records, entries, blob_bytes).list(from, end, @intFromFloat(first_ino), @intFromFloat(offset), out[0..limit]);
    next.* = listed.next;
    return @intCast(listed.bytes);
}
