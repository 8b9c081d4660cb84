//! What a record of an index says in stat(2) and statx(2), in arm64's layouts. src/fs/memory/memory-inode.ts says the same of inodes that the
//! kernel has objects for.

const Found = @import("walk.zig").Found;
const Tree = @import("walk.zig").Tree;

const page_size = 4096;
const sector = 512;
const ifdir = 0o040000;
const iflnk = 0o120000;
const ifreg = 0o100000;

pub const Stat64 = extern struct {
    dev: u64,
    ino: u64,
    mode: u32,
    nlink: u32,
    uid: u32,
    gid: u32,
    rdev: u64 = 0,
    pad1: u64 = 0,
    size: u64,
    blksize: u32 = page_size,
    pad2: u32 = 0,
    blocks: u64,
    /// Access, modification, change.
    times: [3]Wide,
    unused: [2]u32 = .{ 0, 0 },
};

/// struct timespec.
const Wide = extern struct { sec: i64, nsec: u64 };
/// struct statx_timestamp.
const Time = extern struct { sec: i64, nsec: u32, reserved: u32 = 0 };

pub const Statx = extern struct {
    mask: u32,
    blksize: u32 = page_size,
    attributes: u64 = 0,
    nlink: u32,
    uid: u32,
    gid: u32,
    mode: u16,
    spare: u16 = 0,
    ino: u64,
    size: u64,
    blocks: u64,
    attributes_mask: u64 = attr_mount_root,
    atime: Time,
    btime: Time,
    ctime: Time,
    mtime: Time,
    rdev: [2]u32 = .{ 0, 0 },
    dev: [2]u32,
    mnt_id: u64,
    rest: [104]u8 = @splat(0),

    const attr_mount_root = 0x2000;
    const basic_stats = 0x7ff;
    const btime_mask = 0x800;
    const mnt_id_mask = 0x1000;
};

comptime {
    if (@sizeOf(Stat64) != 128 or @sizeOf(Statx) != 256) unreachable;
}

/// Null for what only the kernel can tell: the links of a directory of several layers, holes, devices.
pub fn stat64(tree: *const Tree, found: Found.Inode) ?Stat64 {
    const r = tree.record(found.place);
    const time = Wide{ .sec = r.mtimeSec() orelse return null, .nsec = r.mtime_nsec };
    var stat = Stat64{
        .dev = tree.dev,
        .ino = tree.ino(found.place),
        .mode = r.mode,
        .nlink = 1,
        .uid = r.uid,
        .gid = r.gid,
        .size = undefined,
        .blocks = 0,
        .times = .{ time, time, time },
    };
    switch (r.mode & 0o170000) {
        ifreg => {
            if (r.sparse != 0) return null;
            stat.size = r.sizeBytes();
            stat.blocks = (stat.size + page_size - 1) / page_size * (page_size / sector);
        },
        ifdir => {
            if (found.layers != 1) return null;
            stat.nlink = 2 +| r.size[0];
            stat.size = page_size;
            stat.blocks = page_size / sector;
        },
        iflnk => {
            stat.mode = iflnk | 0o777;
            stat.size = tree.textLength(found.place.layer, r.data);
        },
        else => return null,
    }
    return stat;
}

pub fn statx(tree: *const Tree, found: Found.Inode, mount_id: u64) ?Statx {
    const s = stat64(tree, found) orelse return null;
    const time = Time{ .sec = s.times[0].sec, .nsec = @intCast(s.times[0].nsec) };
    const born = if (time.sec != 0 or time.nsec != 0) @as(u32, Statx.btime_mask) else 0;
    return .{
        .mask = Statx.basic_stats | Statx.mnt_id_mask | born,
        .nlink = s.nlink,
        .uid = s.uid,
        .gid = s.gid,
        .mode = @truncate(s.mode),
        .ino = s.ino,
        .size = s.size,
        .blocks = s.blocks,
        .atime = time,
        .btime = time,
        .ctime = time,
        .mtime = time,
        .dev = .{ @intCast((s.dev >> 8) & 0xfff), @intCast((s.dev & 0xff) | ((s.dev >> 12) & 0xfff00)) },
        .mnt_id = mount_id,
    };
}
