//! What all of the double shares: errno in Darwin's numbers, the options, the way to give up.

const std = @import("std");
pub const c = @import("darwin");
pub const linux = std.os.linux;

pub const Path = [*:0]const u8;

threadlocal var errno: c_int = 0;

export fn darwin___error() *c_int {
    return &errno;
}

/// Fails with one of Darwin's errnos.
pub fn fail(number: c_int) c_int {
    errno = number;
    return -1;
}

/// Darwin's errno for Linux's, for those that are met.
pub fn darwinErrno(number: u32) c_int {
    return switch (number) {
        1...10, 12...34 => @intCast(number),
        11 => 35, // EAGAIN
        35 => 11, // EDEADLK
        36 => 63, // ENAMETOOLONG
        37 => 77, // ENOLCK
        38 => 78, // ENOSYS
        39 => 66, // ENOTEMPTY
        40 => 62, // ELOOP
        61 => 93, // ENODATA is ENOATTR
        71 => 100, // EPROTO
        75 => 84, // EOVERFLOW
        84 => 92, // EILSEQ
        88...94 => @intCast(number - 50), // ENOTSOCK ... ESOCKTNOSUPPORT
        95 => 45, // ENOTSUP
        97...111 => @intCast(number - 50), // EAFNOSUPPORT ... ECONNREFUSED
        112, 113 => @intCast(number - 48), // EHOSTDOWN, EHOSTUNREACH
        114 => 37, // EALREADY
        115 => 36, // EINPROGRESS
        116 => 70, // ESTALE
        122 => 69, // EDQUOT
        125 => 89, // ECANCELED
        else => misuse("an errno of Linux that the double does not know"),
    };
}

/// Linux's errno of a raw result, 0 for success.
pub fn errnoOf(rc: usize) u32 {
    const signed: isize = @bitCast(rc);
    return if (signed < 0 and signed > -4096) @intCast(-signed) else 0;
}

pub fn failAs(number: u32) c_int {
    return fail(darwinErrno(number));
}

/// A raw result of Linux's as Darwin's libc returns it.
pub fn result(rc: usize) c_int {
    const number = errnoOf(rc);
    return if (number != 0) failAs(number) else @intCast(rc);
}

pub fn wide(rc: usize) isize {
    const number = errnoOf(rc);
    return if (number != 0) failAs(number) else @bitCast(rc);
}

pub fn misuse(comptime what: []const u8) noreturn {
    const message = "darwin double: " ++ what ++ "\n";
    _ = linux.write(2, message, message.len);
    @trap();
}

pub fn arg(fd: c_int) usize {
    return @bitCast(@as(isize, fd));
}

/// CARRICK_DOUBLE: words that make the double another Mac.
pub const Option = enum {
    /// The usual APFS: names are found in any case.
    insensitive,
    /// No user's extras: chmod(2) refuses sticky files as it does for all but root.
    user,
    /// kqueue(2) and poll(2) refuse terminals, as they do for /dev/tty.
    refuse_tty,
    /// Clones, renames that replace nothing or exchange, and questions for holes are refused, as outside APFS.
    no_clone,
    /// What is called Documents is for chosen programs: it is there, and opens with EPERM.
    guarded,
    /// faccessat(2) always follows links, and refuses to be told not to.
    follows,
    /// Every second call that may sleep, or might, ends with EINTR.
    interrupts,
    /// Interfaces have no room in their queues: datagrams that leave the host end with ENOBUFS.
    crowded,
};

var calls_since_interrupt: u32 = 0;

/// Whether this call is to be interrupted: errno is set.
pub fn isInterrupted() bool {
    if (!option(.interrupts)) return false;
    calls_since_interrupt += 1;
    if (calls_since_interrupt % 2 == 0) return false;
    _ = fail(c.EINTR);
    return true;
}

pub fn option(which: Option) bool {
    const text = std.mem.span(std.c.getenv("CARRICK_DOUBLE") orelse return false);
    var words = std.mem.tokenizeScalar(u8, text, ',');
    while (words.next()) |word| {
        if (std.mem.eql(u8, word, @tagName(which))) return true;
    }
    return false;
}

/// A directory descriptor as Linux spells it.
pub fn dir(fd: c_int) usize {
    if (fd == -100) misuse("AT_FDCWD of Linux");
    return arg(if (fd == c.AT_FDCWD) -100 else fd);
}
