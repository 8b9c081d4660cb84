//! What stands for O_PATH descriptors. Darwin has none: directories, regular files and links are opened for reading instead. What
//! cannot be opened so, or must not be (a FIFO would get a reader), is a placeholder: a descriptor of its directory, with
//! the name and the identity kept here. Only the kernel's thread comes here.

const std = @import("std");
const call = @import("call.zig");
const c = call.c;
const sys = call.sys;

const Placeholder = struct { fd: i32, dev: i32, ino: u64, name: [:0]u8 };

var all: std.ArrayList(Placeholder) = .empty;

fn find(fd: i32) ?usize {
    for (all.items, 0..) |entry, i| {
        if (entry.fd == fd) return i;
    }
    return null;
}

pub fn isPlaceholder(fd: i32) bool {
    return all.items.len > 0 and find(fd) != null;
}

/// `fd`, a descriptor of the directory that `name` is in, stands for that file from now on. `fd` or -ENOMEM.
pub fn add(fd: i32, name: []const u8, st: *const c.struct_stat) i32 {
    const copy = std.heap.c_allocator.dupeZ(u8, name) catch return -call.E.NOMEM;
    all.append(std.heap.c_allocator, .{ .fd = fd, .dev = st.st_dev, .ino = st.st_ino, .name = copy }) catch {
        std.heap.c_allocator.free(copy);
        return -call.E.NOMEM;
    };
    return fd;
}

/// `to` is a duplicate of `from`. `to` or -ENOMEM.
pub fn copied(from: i32, to: i32) i32 {
    if (all.items.len == 0) return to;
    const entry = all.items[find(from) orelse return to];
    var st: c.struct_stat = undefined;
    st.st_dev = entry.dev;
    st.st_ino = entry.ino;
    return add(to, entry.name, &st);
}

pub fn remove(fd: i32) void {
    if (all.items.len == 0) return;
    const i = find(fd) orelse return;
    std.heap.c_allocator.free(all.items[i].name);
    _ = all.swapRemove(i);
}

/// How to reach a file: by a name in a directory, or by a descriptor alone when the name is "".
pub const Target = struct { fd: c_int, name: call.Path };

/// What `path` in `dirfd` means; "" is the descriptor, or what it stands for. -ENOENT when that is not there any more.
pub fn target(dirfd: i32, path: call.Path, out: *Target) i32 {
    out.* = .{ .fd = call.directory(dirfd), .name = path };
    if (path[0] != 0 or all.items.len == 0) return 0;
    const entry = all.items[find(dirfd) orelse return 0];
    out.name = entry.name;
    var st: c.struct_stat = undefined;
    if (sys("fstatat")(entry.fd, entry.name, &st, c.AT_SYMLINK_NOFOLLOW) != 0) return call.failure();
    return if (st.st_dev == entry.dev and st.st_ino == entry.ino) 0 else -call.E.NOENT;
}

/// Where an open descriptor's file is now, for the calls that take no descriptor. The name leads to that very file, or the answer is
/// -ENOENT (it has none any more) or another -errno.
pub fn pathOf(fd: i32, buffer: *[c.PATH_MAX]u8) i32 {
    buffer[0] = 0;
    if (sys("fcntl")(fd, c.F_GETPATH, buffer) != 0) return call.failure();
    var by_name: c.struct_stat = undefined;
    var open: c.struct_stat = undefined;
    const path: call.Path = @ptrCast(buffer);
    if (sys("fstat")(fd, &open) != 0 or sys("fstatat")(c.AT_FDCWD, path, &by_name, c.AT_SYMLINK_NOFOLLOW) != 0) return -call.E.NOENT;
    return if (open.st_dev == by_name.st_dev and open.st_ino == by_name.st_ino) 0 else -call.E.NOENT;
}
