//! Path walks through the layers of an image as long as they meet only what nobody has changed (fs/namei.c: the lockless walk that gives up
//! early). One call does what costs the kernel a hundred of its own when it has hardly run: reads the path from guest memory, searches
//! every directory's layers, checks the right to search. Whatever is out of the ordinary (symbolic links on the way, "..", mount
//! points, changed inodes, errors but the missing name) is left to src/vfs/namei.ts, which would find the very same thing.

const std = @import("std");
const Index = @import("index.zig").Index;
const Record = @import("index.zig").Record;
const space = @import("../mem/space.zig");
const user = @import("../mem/user.zig");

/// As src/fs/image/image-layers.ts counts: a record's inode number is `first_ino` plus its place in the index.
pub const LayerFrom = extern struct { records: u64, entries: u32, blob_bytes: u32, first_ino: u32, reserved: u32 };

/// What the kernel knows of an inode that its record does not tell (src/fs/image/image-tree.ts).
pub const Changed = packed struct(u8) {
    /// Its attributes, or the names that a directory has beside those of the layers.
    itself: bool,
    /// Mode or owner.
    rights: bool,
    /// Names of the layers that do not show any more.
    hides: bool,
    /// Something is mounted on it.
    covered: bool,
    unused: u4,
};

/// As many as an image may have (src/oci/image-config.ts).
pub const max_layers = 512;
const max_path = 4096;
const max_name = 255;
const max_text = 65536;

const Layer = struct { index: Index, first_ino: u32 };
pub const Place = extern struct { layer: u32, entry: u32 };

pub const Tree = struct {
    layers: []Layer,
    /// By inode number.
    changed: []Changed,
    dev: u64,

    pub fn create(from: []const LayerFrom, dev: u64) !*Tree {
        if (from.len == 0 or from.len > max_layers) return error.TooManyLayers;
        const last = from[from.len - 1];
        const inodes = std.math.cast(u31, @as(u64, last.first_ino) + last.entries) orelse return error.TooManyInodes;
        const heap = std.heap.c_allocator;
        const tree = try heap.create(Tree);
        errdefer heap.destroy(tree);
        const layers = try heap.alloc(Layer, from.len);
        errdefer heap.free(layers);
        for (layers, from) |*layer, f| layer.* = .{ .index = .at(f.records, f.entries, f.blob_bytes), .first_ino = f.first_ino };
        // Zeros, and no memory where nothing is changed.
        tree.* = .{ .layers = layers, .changed = try std.heap.page_allocator.alloc(Changed, inodes), .dev = dev };
        return tree;
    }

    pub fn destroy(tree: *Tree) void {
        std.heap.page_allocator.free(tree.changed);
        std.heap.c_allocator.free(tree.layers);
        std.heap.c_allocator.destroy(tree);
    }

    /// How long a text of an index is: the target of a symbolic link.
    pub fn textLength(tree: *const Tree, layer: u32, at: [2]u32) u32 {
        return @min(at[1], tree.layers[layer].index.blob.len -| at[0], max_text);
    }

    pub fn text(tree: *const Tree, layer: u32, at: [2]u32) []const u8 {
        const blob = tree.layers[layer].index.blob;
        return blob[@min(at[0], blob.len)..][0..tree.textLength(layer, at)];
    }

    pub fn record(tree: *const Tree, place: Place) *const Record {
        return &tree.layers[place.layer].index.records[place.entry];
    }
    pub fn ino(tree: *const Tree, place: Place) u32 {
        return tree.layers[place.layer].first_ino + place.entry;
    }

    /// The record of an inode that nobody has changed; null when it is not for the shim to say what it is.
    pub fn unchanged(tree: *const Tree, number: u32) ?Place {
        if (number >= tree.changed.len or @as(u8, @bitCast(tree.changed[number])) & @as(u8, @bitCast(differs)) != 0) return null;
        var layer = tree.layers.len;
        while (layer > 0) {
            layer -= 1;
            const first = tree.layers[layer].first_ino;
            if (number < first) continue;
            const entry = number - first;
            return if (entry < tree.layers[layer].index.records.len) .{ .layer = @intCast(layer), .entry = entry } else null;
        }
        return null;
    }
    const differs = Changed{ .itself = true, .rights = true, .hides = true, .covered = false, .unused = 0 };
};

/// A directory: the records of all layers that take part in it, topmost first.
pub const Directory = extern struct {
    count: u32,
    places: [max_layers]Place,

    fn add(d: *Directory, place: Place) void {
        d.places[d.count] = place;
        d.count += 1;
    }

    /// Whether a record that it has no part in describes it.
    fn isDescribedBelow(d: *const Directory, tree: *const Tree) bool {
        if (!tree.record(d.places[d.count - 1]).isEmptied()) return false;
        for (d.places[0..d.count]) |place| if (!tree.record(place).isImplied()) return false;
        return true;
    }

    /// The record that describes it.
    fn described(d: *const Directory, tree: *const Tree) Place {
        for (d.places[0..d.count]) |place| if (!tree.record(place).isImplied()) return place;
        return d.places[0];
    }
};

/// Who walks, and from where (struct fs_struct, struct cred): as src/vfs/quick-walk.ts fills it. A directory that is not of the tree has no places.
pub const Walker = extern struct {
    uid: u32,
    gid: u32,
    overrides: u32,
    searches: u32,
    group_count: u32,
    groups: [max_groups]u32,
    /// Filled here: the inode number of the directory that a directory which was found to be opened lies in; 0 for another file.
    above: u32,
    root: Directory,
    cwd: Directory,

    const max_groups = 32;

    fn inGroup(w: *const Walker, gid: u32) bool {
        return w.gid == gid or std.mem.findScalar(u32, w.groups[0..@min(w.group_count, max_groups)], gid) != null;
    }

    /// generic_permission(): `mask` of MAY_READ (4) and MAY_EXEC (1). False also where an access list must be asked.
    pub fn may(w: *const Walker, r: *const Record, mask: u32) bool {
        if (r.hasAccessList()) return false;
        const class = if (r.uid == w.uid) r.mode >> 6 else if (w.inGroup(r.gid)) r.mode >> 3 else r.mode;
        if (class & mask == mask) return true;
        if (r.isDirectory()) return w.searches != 0 or w.overrides != 0;
        if (mask == may_read and w.searches != 0) return true;
        return (mask & may_exec == 0 or r.mode & 0o111 != 0) and w.overrides != 0;
    }
};

pub const may_exec = 1;
pub const may_read = 4;

const Step = union(enum) { slow, missing, file: Place, directory };

/// What a name is in a directory; a directory goes to `found`.
fn step(tree: *const Tree, dir: *const Directory, name: []const u8, found: *Directory) Step {
    found.count = 0;
    for (dir.places[0..dir.count]) |place| {
        const index = tree.layers[place.layer].index;
        const at = Place{ .layer = place.layer, .entry = index.find(place.entry, name) orelse continue };
        const r = tree.record(at);
        switch (r.kindOf()) {
            .whiteout => break,
            .inode => if (r.isDirectory()) {
                found.add(at);
                if (r.isOpaque()) break;
            } else return if (found.count > 0) .directory else .{ .file = at },
            // Inodes with several names are rare, and count them.
            else => return if (found.count > 0) .directory else .slow,
        }
    }
    return if (found.count > 0) .directory else .missing;
}

pub const Found = union(enum) {
    slow,
    missing,
    inode: Inode,

    /// What describes it, of how many layers a directory is, and the number of the directory where it was found.
    pub const Inode = struct { place: Place, layers: u32, above: u32 };
};

/// Walks the path at `addr` of the guest. A symbolic link in the end is found when it is not to be followed.
pub fn walk(tree: *const Tree, walker: *const Walker, s: *const space.Space, addr: u64, follow: bool) Found {
    var buffer: [max_path]u8 = undefined;
    const length = user.string(s, addr, &buffer, max_path);
    if (length <= 0) return .slow;
    const path = buffer[0..@intCast(length)];
    if (path[path.len - 1] == '/') return .slow;
    var pair: [2]Directory = undefined;
    var dir: *const Directory = if (path[0] == '/') &walker.root else &walker.cwd;
    if (dir.count == 0 or dir.count > max_layers or dir.isDescribedBelow(tree)) return .slow;
    var free: usize = 0;
    var names = std.mem.tokenizeScalar(u8, path, '/');
    while (names.next()) |name| {
        const described = dir.described(tree);
        const changed = tree.changed[tree.ino(described)];
        if (changed.rights or changed.hides or !walker.may(tree.record(described), may_exec)) return .slow;
        const last = names.peek() == null;
        if (name[0] == '.' and (name.len == 1 or (name.len == 2 and name[1] == '.'))) {
            if (name.len == 2 or last) return .slow;
            continue;
        }
        if (name.len > max_name) return .slow;
        const next = &pair[free];
        switch (step(tree, dir, name, next)) {
            .slow => return .slow,
            .missing => return if (changed.itself) .slow else .missing,
            .file => |place| {
                const r = tree.record(place);
                if (!last or r.next != 0 or (r.isLink() and follow)) return .slow;
                const of_file = tree.changed[tree.ino(place)];
                return if (of_file.itself or of_file.covered) .slow else .{ .inode = .{ .place = place, .layers = 1, .above = tree.ino(described) } };
            },
            .directory => {
                if (next.isDescribedBelow(tree)) return .slow;
                dir = next;
                free = 1 - free;
                const place = dir.described(tree);
                const of_dir = tree.changed[tree.ino(place)];
                if (of_dir.covered) return .slow;
                if (last) return if (of_dir.itself) .slow else .{ .inode = .{ .place = place, .layers = dir.count, .above = tree.ino(described) } };
            },
        }
    }
    return .slow;
}
