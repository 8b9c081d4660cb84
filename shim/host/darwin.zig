//! The host boundary on Darwin. Being written: a member that answers -ENOSYS here is not done.

const abi = @import("../abi.zig");
const Path = [*:0]const u8;
const ENOSYS = 38;

pub fn start() i32 {
    return -ENOSYS;
}
pub fn exitNow(_: u32) void {}
pub fn killSelf(_: u32) i32 {
    return -ENOSYS;
}
pub fn open(_: i32, _: Path, _: u32, _: u32) i32 {
    return -ENOSYS;
}
pub fn walk(_: i32, _: Path, _: u32, _: u32) i32 {
    return -ENOSYS;
}
pub fn openSlowly(_: i32, _: Path, _: u32) i32 {
    return -ENOSYS;
}
pub fn close(_: i32) i32 {
    return -ENOSYS;
}
pub fn duplicate(_: i32) i32 {
    return -ENOSYS;
}
pub fn reopen(_: i32, _: u32) i32 {
    return -ENOSYS;
}
pub fn makeDirectory(_: i32, _: Path, _: u32) i32 {
    return -ENOSYS;
}
pub fn unlink(_: i32, _: Path, _: u32) i32 {
    return -ENOSYS;
}
pub fn rename(_: i32, _: Path, _: i32, _: Path, _: u32) i32 {
    return -ENOSYS;
}
pub fn link(_: i32, _: Path, _: i32, _: Path, _: u32) i32 {
    return -ENOSYS;
}
pub fn symlink(_: Path, _: i32, _: Path) i32 {
    return -ENOSYS;
}
pub fn readLink(_: i32, _: Path, _: [*]u8, _: u32) i32 {
    return -ENOSYS;
}
pub fn makeNode(_: i32, _: Path, _: u32, _: u32) i32 {
    return -ENOSYS;
}
pub fn seek(_: i32, _: f64, _: u32) f64 {
    return -ENOSYS;
}
pub fn truncate(_: i32, _: f64) i32 {
    return -ENOSYS;
}
pub fn allocate(_: i32, _: u32, _: f64, _: f64) i32 {
    return -ENOSYS;
}
pub fn sync(_: i32, _: bool) i32 {
    return -ENOSYS;
}
pub fn syncFileSystem(_: i32) i32 {
    return -ENOSYS;
}
pub fn setFlags(_: i32, _: u32) i32 {
    return -ENOSYS;
}
pub fn getFlags(_: i32) i32 {
    return -ENOSYS;
}
pub fn abandon(_: i32) i32 {
    return -ENOSYS;
}
pub fn readDirectory(_: i32, _: [*]u8, _: u32) i32 {
    return -ENOSYS;
}
pub fn read(_: i32, _: [*]u8, _: u32, _: f64) i32 {
    return -ENOSYS;
}
pub fn write(_: i32, _: [*]const u8, _: u32, _: f64) i32 {
    return -ENOSYS;
}
pub fn copyRange(_: i32, _: f64, _: i32, _: f64, _: f64) f64 {
    return -ENOSYS;
}
pub fn lockFile(_: i32, _: u32) i32 {
    return -ENOSYS;
}
pub fn pipe(_: *[2]i32, _: u32) i32 {
    return -ENOSYS;
}
pub fn stat(_: i32, _: Path, _: *[256]u8) i32 {
    return -ENOSYS;
}
pub fn access(_: i32, _: Path, _: u32) i32 {
    return -ENOSYS;
}
pub fn changeMode(_: i32, _: Path, _: u32) i32 {
    return -ENOSYS;
}
pub fn changeOwner(_: i32, _: Path, _: u32, _: u32) i32 {
    return -ENOSYS;
}
pub fn changeTimes(_: i32, _: Path, _: *const anyopaque) i32 {
    return -ENOSYS;
}
pub fn statFs(_: i32, _: *[120]u8) i32 {
    return -ENOSYS;
}
pub fn getXattr(_: i32, _: Path, _: [*]u8, _: u32) i32 {
    return -ENOSYS;
}
pub fn setXattr(_: i32, _: Path, _: [*]const u8, _: u32, _: u32) i32 {
    return -ENOSYS;
}
pub fn listXattr(_: i32, _: [*]u8, _: u32) i32 {
    return -ENOSYS;
}
pub fn removeXattr(_: i32, _: Path) i32 {
    return -ENOSYS;
}
pub fn pollNow(_: i32, _: u32) i32 {
    return -ENOSYS;
}
pub fn pollAdd(_: i32, _: u32, _: u32) i32 {
    return -ENOSYS;
}
pub fn pollChange(_: i32, _: u32, _: u32) i32 {
    return -ENOSYS;
}
pub fn pollRemove(_: i32) i32 {
    return -ENOSYS;
}
pub fn wait(_: f64, _: [*]u32, _: u32) i32 {
    return -ENOSYS;
}
pub fn wake() void {}
pub fn catchSignals() u32 {
    return 0;
}
pub fn setRunning(_: ?*abi.RegisterBlock) void {}
pub fn forgetRunning(_: *abi.RegisterBlock) void {}
pub fn terminalControl(_: i32, _: u32, _: usize) i32 {
    return -ENOSYS;
}
pub fn terminalRaw(_: i32) i32 {
    return -ENOSYS;
}
pub fn terminalRestore() void {}
pub fn identity(_: [*]u32, _: u32) i32 {
    return -ENOSYS;
}
pub fn hostName(_: [*]u8, _: u32) i32 {
    return -ENOSYS;
}
pub fn clock(_: u32, _: *[2]f64) i32 {
    return -ENOSYS;
}
pub fn elapsedNs() f64 {
    return -ENOSYS;
}
pub fn clockSample(_: *[3]u64) void {}
pub fn clockWatch(_: i32) i32 {
    return -ENOSYS;
}
pub fn random(_: [*]u8, _: u32) i32 {
    return -ENOSYS;
}
pub fn cpuCount() u32 {
    return 0;
}
pub fn memoryInfo(_: *[10]f64) i32 {
    return -ENOSYS;
}
pub const memory = @import("darwin/memory.zig");

const sockets = @import("darwin/sockets.zig");
pub const socket = sockets.socket;
pub const bind = sockets.bind;
pub const connect = sockets.connect;
pub const listen = sockets.listen;
pub const accept = sockets.accept;
pub const socketName = sockets.socketName;
pub const shutdown = sockets.shutdown;
pub const setSocketOption = sockets.setSocketOption;
pub const getSocketOption = sockets.getSocketOption;
pub const send = sockets.send;
pub const receive = sockets.receive;
pub const socketControl = sockets.socketControl;
