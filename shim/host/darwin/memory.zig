//! Host memory on Darwin.
const Iovec = @import("../../abi.zig").Iovec;
pub const iov_max = 1024;
pub const Kind = enum { guest, books };
pub fn reserve(_: usize, _: Kind) ?[*]align(4096) u8 {
    return null;
}
pub fn release(_: [*]align(4096) u8, _: usize) void {}
pub fn commit(_: [*]align(4096) u8, _: usize) void {}
pub fn giveBack(_: [*]align(4096) u8, _: usize) bool {
    return false;
}
pub fn mapFile(_: i32) ?[]const u8 {
    return null;
}
pub fn readv(_: i32, _: [*]const Iovec, _: usize, _: i64, _: u32) isize {
    return -38;
}
pub fn writev(_: i32, _: [*]const Iovec, _: usize, _: i64, _: u32) isize {
    return -38;
}
