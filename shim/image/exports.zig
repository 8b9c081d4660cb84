//! The image room's part of the C ABI. Every `pub fn … callconv(.c)` here is exported under its own name. `records` points at the
//! first record of an index in memory that has `entries` of them, their hashes and `blob_bytes` behind.

const Index = @import("index.zig").Index;
const errno = @import("../mem/errno.zig");
const space = @import("../mem/space.zig");
const stat = @import("stat.zig");
const user = @import("../mem/user.zig");
const walk = @import("walk.zig");

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

/// The tree that layers make, bottom first; 0 when there are too many or no memory. `dev`: st_dev of its inodes.
pub fn image_create(layers: [*]const walk.LayerFrom, count: u32, dev: u32) callconv(.c) usize {
    return @intFromPtr(walk.Tree.create(layers[0..count], dev) catch return 0);
}

pub fn image_destroy(tree: *walk.Tree) callconv(.c) void {
    tree.destroy();
}

/// Remembers what the kernel knows of an inode (walk.Changed).
pub fn image_change(tree: *walk.Tree, ino: u32, what: u32) callconv(.c) void {
    if (ino >= tree.changed.len) return;
    const known: u8 = @bitCast(tree.changed[ino]);
    tree.changed[ino] = @bitCast(known | @as(u8, @truncate(what)));
}

/// The walks. Paths and results are in guest memory. 0 or more: done; -ENOENT: there is no such name; -EAGAIN: the kernel must walk itself.
const slow = errno.again;

/// newfstatat(2) into `out`.
pub fn image_stat(tree: *const walk.Tree, walker: *const walk.Walker, handle: u32, path: usize, follow: u32, out: usize) callconv(.c) i32 {
    const s = space.get(handle) orelse return slow;
    switch (walk.walk(tree, walker, s, path, follow != 0)) {
        .slow => return slow,
        .missing => return errno.no_entry,
        .inode => |found| return put(s, out, &(stat.stat64(tree, found) orelse return slow)),
    }
}

/// statx(2) into `out`.
pub fn image_statx(tree: *const walk.Tree, walker: *const walk.Walker, handle: u32, path: usize, follow: u32, out: usize, mount_id: u32) callconv(.c) i32 {
    const s = space.get(handle) orelse return slow;
    switch (walk.walk(tree, walker, s, path, follow != 0)) {
        .slow => return slow,
        .missing => return errno.no_entry,
        .inode => |found| return put(s, out, &(stat.statx(tree, found, mount_id) orelse return slow)),
    }
}

fn put(s: *const space.Space, out: usize, value: anytype) i32 {
    const bytes = @sizeOf(@TypeOf(value.*));
    return if (user.out(s, out, @ptrCast(value), bytes, .write) == bytes) 0 else slow;
}

/// faccessat(2) with `mask` of MAY_READ and MAY_EXEC; what may be written to is not for the layers to say.
pub fn image_access(tree: *const walk.Tree, walker: *const walk.Walker, handle: u32, path: usize, follow: u32, mask: u32) callconv(.c) i32 {
    switch (walk.walk(tree, walker, space.get(handle) orelse return slow, path, follow != 0)) {
        .slow => return slow,
        .missing => return errno.no_entry,
        .inode => |found| return if (walker.may(tree.record(found.place), mask)) 0 else slow,
    }
}

/// readlink(2) into `out`: bytes.
pub fn image_readlink(tree: *const walk.Tree, walker: *const walk.Walker, handle: u32, path: usize, out: usize, size: u32) callconv(.c) i32 {
    const s = space.get(handle) orelse return slow;
    switch (walk.walk(tree, walker, s, path, false)) {
        .slow => return slow,
        .missing => return errno.no_entry,
        .inode => |found| {
            const r = tree.record(found.place);
            if (!r.isLink()) return slow;
            const text = tree.text(found.place.layer, r.data);
            const bytes: u32 = @intCast(@min(text.len, size));
            return if (user.out(s, out, text.ptr, bytes, .write) == bytes) @intCast(bytes) else slow;
        },
    }
}

/// The number of a regular file, or of a directory that one layer has, that may be opened for reading. `only_directory`: not of a file.
pub fn image_open(tree: *const walk.Tree, walker: *walk.Walker, handle: u32, path: usize, follow: u32, only_directory: u32) callconv(.c) i32 {
    switch (walk.walk(tree, walker, space.get(handle) orelse return slow, path, follow != 0)) {
        .slow => return slow,
        .missing => return errno.no_entry,
        .inode => |found| {
            const r = tree.record(found.place);
            const may_open = if (r.isDirectory()) found.layers == 1 else r.isRegular() and only_directory == 0;
            if (!may_open or !walker.may(r, walk.may_read)) return slow;
            walker.above = if (r.isDirectory()) found.above else 0;
            return @intCast(tree.ino(found.place));
        },
    }
}

/// fstat(2) of what was opened by number.
pub fn image_fstat(tree: *const walk.Tree, ino: u32, handle: u32, out: usize) callconv(.c) i32 {
    const s = space.get(handle) orelse return slow;
    const place = tree.unchanged(ino) orelse return slow;
    return put(s, out, &(stat.stat64(tree, .{ .place = place, .layers = 1, .above = 0 }) orelse return slow));
}

/// The kernel's own thread alone lists.
var listing: [65536]u8 align(8) = undefined;

/// getdents64(2) of a directory that was opened by number, from offset `from` on: bytes, and in `next` where to go on.
pub fn image_dirents(tree: *const walk.Tree, ino: u32, above: u32, handle: u32, from: u32, out: usize, limit: u32, next: *u32) callconv(.c) i32 {
    const s = space.get(handle) orelse return slow;
    const place = tree.unchanged(ino) orelse return slow;
    const layer = tree.layers[place.layer];
    const listed = layer.index.show(place.entry, layer.first_ino, above, from, listing[0..@min(limit, listing.len)]) orelse return slow;
    const bytes: u32 = @intCast(listed.bytes);
    if (user.out(s, out, &listing, bytes, .write) != bytes) return slow;
    next.* = listed.next;
    return @intCast(bytes);
}
