//! The host room's part of the C ABI. Every `pub fn … callconv(.c)` here is exported under its own name. All of them
//! take Linux/arm64 flags and structs and return a value or -errno in Linux numbers; positions and sizes are Numbers.
//! Paths end with a NUL; an empty one means the descriptor itself where the call allows it.

const abi = @import("../abi.zig");
const host = @import("host.zig");

const Path = [*:0]const u8;

/// Prepares the process; the inherited umask or -errno.
pub fn host_start() callconv(.c) i32 {
    return host.start();
}
/// Which descriptors from `first` to before `end` are open: their number, and they themselves in `out`.
pub fn host_open_fds(first: u32, end: u32, out: [*]i32) callconv(.c) u32 {
    var count: u32 = 0;
    var fd = first;
    while (fd < end) : (fd += 1) {
        if (host.getFlags(@intCast(fd)) < 0) continue;
        out[count] = @intCast(fd);
        count += 1;
    }
    return count;
}
pub fn host_exit(code: u32) callconv(.c) void {
    host.exitNow(code);
}
pub fn host_kill_self(signal: u32) callconv(.c) i32 {
    return host.killSelf(signal);
}

pub fn host_open(dirfd: i32, path: Path, flags: u32, mode: u32) callconv(.c) i32 {
    return host.open(dirfd, path, flags, mode);
}
pub fn host_walk(dirfd: i32, path: Path, flags: u32, mode: u32) callconv(.c) i32 {
    return host.walk(dirfd, path, flags, mode);
}
/// open(2) of a FIFO by a thread: the read end of a pipe that will carry the descriptor or -errno as an i32.
pub fn host_open_slowly(dirfd: i32, name: Path, flags: u32) callconv(.c) i32 {
    return host.openSlowly(dirfd, name, flags);
}
pub fn host_close(fd: i32) callconv(.c) i32 {
    return host.close(fd);
}
pub fn host_dup(fd: i32) callconv(.c) i32 {
    return host.duplicate(fd);
}
pub fn host_reopen(fd: i32, flags: u32) callconv(.c) i32 {
    return host.reopen(fd, flags);
}
/// The host's name of an open file, not terminated: its length or -errno.
pub fn host_describe(fd: i32, buffer: [*]u8, size: u32) callconv(.c) i32 {
    return host.describe(fd, buffer, size);
}
pub fn host_mkdir(dirfd: i32, path: Path, mode: u32) callconv(.c) i32 {
    return host.makeDirectory(dirfd, path, mode);
}
pub fn host_unlink(dirfd: i32, path: Path, flags: u32) callconv(.c) i32 {
    return host.unlink(dirfd, path, flags);
}
pub fn host_rename(old_dir: i32, old: Path, new_dir: i32, new: Path, flags: u32) callconv(.c) i32 {
    return host.rename(old_dir, old, new_dir, new, flags);
}
pub fn host_link(old_dir: i32, old: Path, new_dir: i32, new: Path, flags: u32) callconv(.c) i32 {
    return host.link(old_dir, old, new_dir, new, flags);
}
pub fn host_symlink(target: Path, dirfd: i32, path: Path) callconv(.c) i32 {
    return host.symlink(target, dirfd, path);
}
pub fn host_readlink(dirfd: i32, path: Path, buffer: [*]u8, size: u32) callconv(.c) i32 {
    return host.readLink(dirfd, path, buffer, size);
}
pub fn host_mknod(dirfd: i32, path: Path, mode: u32, dev: u32) callconv(.c) i32 {
    return host.makeNode(dirfd, path, mode, dev);
}
pub fn host_seek(fd: i32, position: f64, whence: u32) callconv(.c) f64 {
    return host.seek(fd, position, whence);
}
pub fn host_truncate(fd: i32, size: f64) callconv(.c) i32 {
    return host.truncate(fd, size);
}
pub fn host_allocate(fd: i32, mode: u32, position: f64, length: f64) callconv(.c) i32 {
    return host.allocate(fd, mode, position, length);
}
pub fn host_sync(fd: i32, data_only: u32) callconv(.c) i32 {
    return host.sync(fd, data_only != 0);
}
pub fn host_syncfs(fd: i32) callconv(.c) i32 {
    return host.syncFileSystem(fd);
}
/// O_APPEND and O_NONBLOCK of an open description.
pub fn host_set_flags(fd: i32, flags: u32) callconv(.c) i32 {
    return host.setFlags(fd, flags);
}
pub fn host_get_flags(fd: i32) callconv(.c) i32 {
    return host.getFlags(fd);
}
/// Closes a standard stream; its number leads to /dev/null from now on.
pub fn host_abandon(fd: i32) callconv(.c) i32 {
    return host.abandon(fd);
}
pub fn host_getdents(fd: i32, buffer: [*]u8, size: u32) callconv(.c) i32 {
    return host.readDirectory(fd, buffer, size);
}
/// pread(2); `position` -1: read(2).
pub fn host_read(fd: i32, buffer: [*]u8, size: u32, position: f64) callconv(.c) i32 {
    return host.read(fd, buffer, size, position);
}
/// pwrite(2); `position` -1: write(2).
pub fn host_write(fd: i32, buffer: [*]const u8, size: u32, position: f64) callconv(.c) i32 {
    return host.write(fd, buffer, size, position);
}
pub fn host_copy_range(in: i32, in_position: f64, out: i32, out_position: f64, length: f64) callconv(.c) f64 {
    return host.copyRange(in, in_position, out, out_position, length);
}
/// A whole file as read-only memory: where, and its size in `size`; 0 when it cannot be mapped or is empty.
pub fn host_map(fd: i32, size: *f64) callconv(.c) usize {
    const bytes = host.memory.mapFile(fd) orelse return 0;
    size.* = @floatFromInt(bytes.len);
    return @intFromPtr(bytes.ptr);
}
pub fn host_flock(fd: i32, operation: u32) callconv(.c) i32 {
    return host.lockFile(fd, operation);
}
pub fn host_pipe(ends: *[2]i32, flags: u32) callconv(.c) i32 {
    return host.pipe(ends, flags);
}

/// struct statx of a name, or of the descriptor when the path is empty; links are not followed.
pub fn host_stat(dirfd: i32, path: Path, out: *[256]u8) callconv(.c) i32 {
    return host.stat(dirfd, path, out);
}
/// faccessat2(2) with the effective ids, links not followed.
pub fn host_access(dirfd: i32, path: Path, mask: u32) callconv(.c) i32 {
    return host.access(dirfd, path, mask);
}
pub fn host_chmod(dirfd: i32, path: Path, mode: u32) callconv(.c) i32 {
    return host.changeMode(dirfd, path, mode);
}
pub fn host_chown(dirfd: i32, path: Path, uid: u32, gid: u32) callconv(.c) i32 {
    return host.changeOwner(dirfd, path, uid, gid);
}
/// `times`: struct timespec[2], access and modification.
pub fn host_utimes(dirfd: i32, path: Path, times: usize) callconv(.c) i32 {
    return host.changeTimes(dirfd, path, @ptrFromInt(times));
}
/// struct statfs of arm64.
pub fn host_statfs(fd: i32, out: *[120]u8) callconv(.c) i32 {
    return host.statFs(fd, out);
}
pub fn host_getxattr(fd: i32, name: Path, buffer: [*]u8, size: u32) callconv(.c) i32 {
    return host.getXattr(fd, name, buffer, size);
}
pub fn host_setxattr(fd: i32, name: Path, buffer: [*]const u8, size: u32, flags: u32) callconv(.c) i32 {
    return host.setXattr(fd, name, buffer, size, flags);
}
pub fn host_listxattr(fd: i32, buffer: [*]u8, size: u32) callconv(.c) i32 {
    return host.listXattr(fd, buffer, size);
}
pub fn host_removexattr(fd: i32, name: Path) callconv(.c) i32 {
    return host.removeXattr(fd, name);
}

pub fn host_poll_now(fd: i32, events: u32) callconv(.c) i32 {
    return host.pollNow(fd, events);
}
pub fn host_poll_add(fd: i32, events: u32, token: u32) callconv(.c) i32 {
    return host.pollAdd(fd, events, token);
}
pub fn host_poll_mod(fd: i32, events: u32, token: u32) callconv(.c) i32 {
    return host.pollChange(fd, events, token);
}
pub fn host_poll_del(fd: i32) callconv(.c) i32 {
    return host.pollRemove(fd);
}
pub fn host_wait(timeout_ns: f64, out: [*]u32, max_pairs: u32) callconv(.c) i32 {
    return host.wait(timeout_ns, out, max_pairs);
}
pub fn host_wake() callconv(.c) void {
    host.wake();
}

pub fn host_socket(domain: u32, kind: u32, protocol: u32) callconv(.c) i32 {
    return host.socket(domain, kind, protocol);
}
/// The path of a socket's file for the calls below: its length or -errno.
pub fn host_socket_path(fd: i32, name: Path, out: [*]u8, max: u32) callconv(.c) i32 {
    return host.socketPath(fd, name, out, max);
}
pub fn host_bind(fd: i32, address: [*]const u8, len: u32) callconv(.c) i32 {
    return host.bind(fd, address, len);
}
pub fn host_connect(fd: i32, address: [*]const u8, len: u32) callconv(.c) i32 {
    return host.connect(fd, address, len);
}
pub fn host_listen(fd: i32, backlog: u32) callconv(.c) i32 {
    return host.listen(fd, backlog);
}
pub fn host_accept(fd: i32) callconv(.c) i32 {
    return host.accept(fd);
}
/// The own address, or the peer's (`peer` 1): its length or -errno.
pub fn host_socket_name(fd: i32, peer: u32, out: [*]u8, max: u32) callconv(.c) i32 {
    return host.socketName(fd, peer != 0, out, max);
}
pub fn host_shutdown(fd: i32, how: u32) callconv(.c) i32 {
    return host.shutdown(fd, how);
}
pub fn host_set_option(fd: i32, level: u32, name: u32, value: [*]const u8, len: u32) callconv(.c) i32 {
    return host.setSocketOption(fd, level, name, value, len);
}
/// The option's length or -errno.
pub fn host_get_option(fd: i32, level: u32, name: u32, out: [*]u8, max: u32) callconv(.c) i32 {
    return host.getSocketOption(fd, level, name, out, max);
}
pub fn host_send(fd: i32, data: [*]const u8, len: u32, flags: u32, header: *abi.SocketMessage) callconv(.c) i32 {
    return host.send(fd, data, len, flags, header);
}
pub fn host_receive(fd: i32, data: [*]u8, len: u32, flags: u32, header: *abi.SocketMessage) callconv(.c) i32 {
    return host.receive(fd, data, len, flags, header);
}
pub fn host_socket_ioctl(fd: i32, command: u32, argument: *anyopaque) callconv(.c) i32 {
    return host.socketControl(fd, command, argument);
}

/// Catches the signals the kernel wants to see; the set that was ignored at start (bit n-1).
pub fn host_signals_init() callconv(.c) u32 {
    return host.catchSignals();
}
/// The signals that are ignored now (bit n-1).
pub fn host_ignored_signals() callconv(.c) u32 {
    return host.ignoredSignals();
}
pub fn host_set_running(block: ?*abi.RegisterBlock) callconv(.c) void {
    host.setRunning(block);
}

/// Must precede the end of a block that may still be the running one.
pub fn host_forget_running(block: *abi.RegisterBlock) callconv(.c) void {
    host.forgetRunning(block);
}

pub fn host_ioctl(fd: i32, command: u32, argument: usize) callconv(.c) i32 {
    return host.terminalControl(fd, command, argument);
}
pub fn host_terminal_raw(fd: i32) callconv(.c) i32 {
    return host.terminalRaw(fd);
}
pub fn host_terminal_restore() callconv(.c) void {
    host.terminalRestore();
}

pub fn host_identity(out: [*]u32, max: u32) callconv(.c) i32 {
    return host.identity(out, max);
}
pub fn host_name(buffer: [*]u8, size: u32) callconv(.c) i32 {
    return host.hostName(buffer, size);
}
/// What carrick was started with, each string with its NUL, cut where the buffer ends: 0 its words, 1 its environment. The
/// length of all, or -errno.
pub fn host_strings(which: u32, buffer: [*]u8, size: u32) callconv(.c) i32 {
    return host.strings(which, buffer, size);
}
pub fn host_clock(id: u32, out: *[2]f64) callconv(.c) i32 {
    return host.clock(id, out);
}
pub fn host_elapsed_ns() callconv(.c) f64 {
    return host.elapsedNs();
}
pub fn host_clock_sample(out: *[3]u64) callconv(.c) void {
    host.clockSample(out);
}
pub fn host_clock_watch(fd: i32) callconv(.c) i32 {
    return host.clockWatch(fd);
}
pub fn host_random(buffer: [*]u8, size: u32) callconv(.c) i32 {
    return host.random(buffer, size);
}
pub fn host_cpu_count() callconv(.c) u32 {
    return host.cpuCount();
}
pub fn host_memory_info(out: *[10]f64) callconv(.c) i32 {
    return host.memoryInfo(out);
}
