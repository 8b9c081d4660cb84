//! Numbers of devices: Darwin's dev_t in two parts, and Linux's numbers for the devices that programs know by number
//! (Documentation/admin-guide/devices.txt). Darwin hands out most major numbers at run time, so known devices are looked up.

const call = @import("call.zig");
const c = call.c;
const sys = call.sys;

pub const Number = extern struct { major: u32, minor: u32 };

/// major(3) and minor(3).
pub fn split(dev: i32) Number {
    const bits: u32 = @bitCast(dev);
    return .{ .major = bits >> 24, .minor = bits & 0xff_ffff };
}

const Known = struct { path: call.Path, number: Number, dev: i32 = 0, there: bool = false };
var known = [_]Known{
    .{ .path = "/dev/null", .number = .{ .major = 1, .minor = 3 } },
    .{ .path = "/dev/zero", .number = .{ .major = 1, .minor = 5 } },
    .{ .path = "/dev/random", .number = .{ .major = 1, .minor = 8 } },
    .{ .path = "/dev/urandom", .number = .{ .major = 1, .minor = 9 } },
    .{ .path = "/dev/tty", .number = .{ .major = 5, .minor = 0 } },
    .{ .path = "/dev/console", .number = .{ .major = 5, .minor = 1 } },
    .{ .path = "/dev/ptmx", .number = .{ .major = 5, .minor = 2 } },
};
/// Any of them tells the major number of all pseudo-terminals.
var pseudo_terminal: Known = .{ .path = "/dev/ttys000", .number = .{ .major = 136, .minor = 0 } };
var looked_up = false;

fn lookUp(entry: *Known) void {
    var st: c.struct_stat = undefined;
    entry.there = sys("fstatat")(c.AT_FDCWD, entry.path, &st, c.AT_SYMLINK_NOFOLLOW) == 0 and st.st_mode & c.S_IFMT == c.S_IFCHR;
    entry.dev = if (entry.there) st.st_rdev else 0;
}

/// What st_rdev of a character device is on Linux.
pub fn character(dev: i32) Number {
    if (!looked_up) {
        for (&known) |*entry| lookUp(entry);
        lookUp(&pseudo_terminal);
        looked_up = true;
    }
    for (known) |entry| {
        if (entry.there and entry.dev == dev) return entry.number;
    }
    const number = split(dev);
    if (pseudo_terminal.there and number.major == split(pseudo_terminal.dev).major) return .{ .major = 136, .minor = number.minor };
    return number;
}
