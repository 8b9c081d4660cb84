//! The functions of libSystem that this folder calls, and nothing else of Darwin. In the double (see test/double/darwin) the same
//! names with a prefix lead to functions that do what Darwin's do by Linux's means.

const c = @import("c.zig");

const prefix = if (@import("builtin").os.tag == .macos) "" else "darwin_";

fn external(comptime T: type, comptime name: []const u8) *const T {
    return @extern(*const T, .{ .name = prefix ++ name });
}

const Path = [*:0]const u8;
const int = c_int;
const uint = c_uint;

/// Each has the name and the type of C's; test/double/facts.test.ts compares them.
pub const types = struct {
    pub const __error = fn () callconv(.c) *int;

    pub const openat = fn (int, Path, int, ...) callconv(.c) int;
    pub const close = fn (int) callconv(.c) int;
    pub const fcntl = fn (int, int, ...) callconv(.c) int;
    pub const dup2 = fn (int, int) callconv(.c) int;
    pub const pipe = fn (*[2]int) callconv(.c) int;
    pub const mkdirat = fn (int, Path, u16) callconv(.c) int;
    pub const mkfifoat = fn (int, Path, u16) callconv(.c) int;
    pub const mknodat = fn (int, Path, u16, i32) callconv(.c) int;
    pub const unlinkat = fn (int, Path, int) callconv(.c) int;
    pub const renameatx_np = fn (int, Path, int, Path, uint) callconv(.c) int;
    pub const linkat = fn (int, Path, int, Path, int) callconv(.c) int;
    pub const fclonefileat = fn (int, int, Path, u32) callconv(.c) int;
    pub const symlinkat = fn (Path, int, Path) callconv(.c) int;
    pub const readlinkat = fn (int, Path, [*]u8, usize) callconv(.c) isize;
    pub const freadlink = fn (int, [*]u8, usize) callconv(.c) isize;
    pub const lseek = fn (int, i64, int) callconv(.c) i64;
    pub const ftruncate = fn (int, i64) callconv(.c) int;
    pub const fsync = fn (int) callconv(.c) int;
    pub const fsync_volume_np = fn (int, int) callconv(.c) int;
    pub const flock = fn (int, int) callconv(.c) int;
    pub const read = fn (int, [*]u8, usize) callconv(.c) isize;
    pub const write = fn (int, [*]const u8, usize) callconv(.c) isize;
    pub const pread = fn (int, [*]u8, usize, i64) callconv(.c) isize;
    pub const pwrite = fn (int, [*]const u8, usize, i64) callconv(.c) isize;
    pub const readv = fn (int, [*]const c.struct_iovec, int) callconv(.c) isize;
    pub const writev = fn (int, [*]const c.struct_iovec, int) callconv(.c) isize;
    pub const preadv = fn (int, [*]const c.struct_iovec, int, i64) callconv(.c) isize;
    pub const pwritev = fn (int, [*]const c.struct_iovec, int, i64) callconv(.c) isize;
    pub const ioctl = fn (int, c_ulong, ...) callconv(.c) int;

    pub const fstat = fn (int, *c.struct_stat) callconv(.c) int;
    pub const fstatat = fn (int, Path, *c.struct_stat, int) callconv(.c) int;
    pub const faccessat = fn (int, Path, int, int) callconv(.c) int;
    pub const fchmod = fn (int, u16) callconv(.c) int;
    pub const fchmodat = fn (int, Path, u16, int) callconv(.c) int;
    pub const fchown = fn (int, u32, u32) callconv(.c) int;
    pub const fchownat = fn (int, Path, u32, u32, int) callconv(.c) int;
    pub const futimens = fn (int, *const [2]c.struct_timespec) callconv(.c) int;
    pub const utimensat = fn (int, Path, *const [2]c.struct_timespec, int) callconv(.c) int;
    pub const fstatfs = fn (int, *c.struct_statfs) callconv(.c) int;
    pub const fpathconf = fn (int, int) callconv(.c) c_long;
    pub const getattrlistat = fn (int, Path, *c.struct_attrlist, [*]u8, usize, c_ulong) callconv(.c) int;

    pub const kqueue = fn () callconv(.c) int;
    pub const kevent = fn (int, ?[*]const c.struct_kevent, int, ?[*]c.struct_kevent, int, ?*const c.struct_timespec) callconv(.c) int;
    pub const poll = fn ([*]c.struct_pollfd, uint, int) callconv(.c) int;

    pub const socket = fn (int, int, int) callconv(.c) int;
    pub const bind = fn (int, *const anyopaque, u32) callconv(.c) int;
    pub const connect = fn (int, *const anyopaque, u32) callconv(.c) int;
    pub const disconnectx = fn (int, u32, u32) callconv(.c) int;
    pub const listen = fn (int, int) callconv(.c) int;
    pub const accept = fn (int, ?*anyopaque, ?*u32) callconv(.c) int;
    pub const getsockname = fn (int, *anyopaque, *u32) callconv(.c) int;
    pub const getpeername = fn (int, *anyopaque, *u32) callconv(.c) int;
    pub const shutdown = fn (int, int) callconv(.c) int;
    pub const setsockopt = fn (int, int, int, *const anyopaque, u32) callconv(.c) int;
    pub const getsockopt = fn (int, int, int, *anyopaque, *u32) callconv(.c) int;
    pub const sendmsg = fn (int, *const c.struct_msghdr, int) callconv(.c) isize;
    pub const recvmsg = fn (int, *c.struct_msghdr, int) callconv(.c) isize;
    pub const if_nametoindex = fn (Path) callconv(.c) uint;
    pub const if_indextoname = fn (uint, [*]u8) callconv(.c) ?[*:0]u8;

    pub const mmap = fn (?*anyopaque, usize, int, int, int, i64) callconv(.c) usize;
    pub const munmap = fn (*anyopaque, usize) callconv(.c) int;
    pub const madvise = fn (*anyopaque, usize, int) callconv(.c) int;

    pub const sigaction = fn (int, ?*const c.struct_sigaction, ?*c.struct_sigaction) callconv(.c) int;
    pub const pthread_sigmask = fn (int, *const u32, ?*u32) callconv(.c) int;
    pub const kill = fn (int, int) callconv(.c) int;
    pub const getpid = fn () callconv(.c) int;
    pub const getrlimit = fn (int, *c.struct_rlimit) callconv(.c) int;
    pub const setrlimit = fn (int, *const c.struct_rlimit) callconv(.c) int;
    pub const umask = fn (u16) callconv(.c) u16;
    pub const _exit = fn (int) callconv(.c) noreturn;

    pub const _NSGetArgv = fn () callconv(.c) *[*:null]?[*:0]u8;
    pub const _NSGetEnviron = fn () callconv(.c) *[*:null]?[*:0]u8;
    pub const clock_gettime = fn (uint, *c.struct_timespec) callconv(.c) int;
    pub const getuid = fn () callconv(.c) u32;
    pub const geteuid = fn () callconv(.c) u32;
    pub const getgid = fn () callconv(.c) u32;
    pub const getegid = fn () callconv(.c) u32;
    pub const getgroups = fn (int, [*]u32) callconv(.c) int;
    pub const gethostname = fn ([*]u8, usize) callconv(.c) int;
    pub const arc4random_buf = fn ([*]u8, usize) callconv(.c) void;
    pub const sysctlbyname = fn (Path, ?*anyopaque, ?*usize, ?*const anyopaque, usize) callconv(.c) int;
    pub const getloadavg = fn ([*]f64, int) callconv(.c) int;
    pub const mach_host_self = fn () callconv(.c) uint;
    pub const host_statistics64 = fn (uint, int, [*]i32, *uint) callconv(.c) int;
};

/// The same for headers that Zig does not bring (sys/xattr.h, notify.h, sys/ulock.h, the directory call behind readdir(3)) and for a name that
/// is not C's.
pub const unproven = struct {
    pub const fgetxattr = fn (int, Path, ?[*]u8, usize, u32, int) callconv(.c) isize;
    pub const fsetxattr = fn (int, Path, [*]const u8, usize, u32, int) callconv(.c) int;
    pub const flistxattr = fn (int, ?[*]u8, usize, int) callconv(.c) isize;
    pub const fremovexattr = fn (int, Path, int) callconv(.c) int;
    pub const __getdirentries64 = fn (int, [*]u8, usize, *i64) callconv(.c) isize;
    pub const notify_register_file_descriptor = fn (Path, *int, int, *int) callconv(.c) u32;
    pub const __ulock_wait = fn (u32, *const anyopaque, u64, u32) callconv(.c) int;
    pub const __ulock_wake = fn (u32, *const anyopaque, u64) callconv(.c) int;
    /// select(2) of more than FD_SETSIZE descriptors.
    pub const @"select$DARWIN_EXTSN" = fn (int, ?[*]u32, ?[*]u32, ?[*]u32, *c.struct_timeval) callconv(.c) int;
};

/// Darwin's function of that name.
pub fn sys(comptime name: []const u8) *const (if (@hasDecl(types, name)) @field(types, name) else @field(unproven, name)) {
    return comptime external(if (@hasDecl(types, name)) @field(types, name) else @field(unproven, name), name);
}
