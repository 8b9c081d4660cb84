//! Sockets of the host on Darwin. Being written.

const abi = @import("../../abi.zig");
const ENOSYS = 38;

pub fn socket(_: u32, _: u32, _: u32) i32 {
    return -ENOSYS;
}
pub fn bind(_: i32, _: [*]const u8, _: u32) i32 {
    return -ENOSYS;
}
pub fn connect(_: i32, _: [*]const u8, _: u32) i32 {
    return -ENOSYS;
}
pub fn listen(_: i32, _: u32) i32 {
    return -ENOSYS;
}
pub fn accept(_: i32) i32 {
    return -ENOSYS;
}
pub fn socketName(_: i32, _: bool, _: [*]u8, _: u32) i32 {
    return -ENOSYS;
}
pub fn shutdown(_: i32, _: u32) i32 {
    return -ENOSYS;
}
pub fn setSocketOption(_: i32, _: u32, _: u32, _: [*]const u8, _: u32) i32 {
    return -ENOSYS;
}
pub fn getSocketOption(_: i32, _: u32, _: u32, _: [*]u8, _: u32) i32 {
    return -ENOSYS;
}
pub fn send(_: i32, _: [*]const u8, _: u32, _: u32, _: *abi.SocketMessage) i32 {
    return -ENOSYS;
}
pub fn receive(_: i32, _: [*]u8, _: u32, _: u32, _: *abi.SocketMessage) i32 {
    return -ENOSYS;
}
pub fn socketControl(_: i32, _: u32, _: *anyopaque) i32 {
    return -ENOSYS;
}
