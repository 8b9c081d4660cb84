//! The host boundary on Darwin: gathers its parts, one file per capability. All constants and structs of Darwin's are in
//! darwin/c.zig, all functions in darwin/calls.zig.

const files = @import("darwin/files.zig");
const extents = @import("darwin/extents.zig");
const directory = @import("darwin/directory.zig");
const attributes = @import("darwin/attributes.zig");
const xattrs = @import("darwin/xattrs.zig");
const slow_open = @import("darwin/slow_open.zig");
const poller = @import("darwin/poller.zig");
const signals = @import("darwin/signals.zig");
const terminal = @import("darwin/terminal.zig");
const sockets = @import("darwin/sockets.zig");
const system = @import("darwin/system.zig");

pub const memory = @import("darwin/memory.zig");
pub const threads = @import("darwin/threads.zig");
pub const start = system.start;
pub const exitNow = system.exitNow;
pub const killSelf = signals.killSelf;

pub const open = files.open;
pub const walk = files.walk;
pub const openSlowly = slow_open.openSlowly;
pub const close = files.close;
pub const duplicate = files.duplicate;
pub const reopen = files.reopen;
pub const describe = files.describe;
pub const makeDirectory = files.makeDirectory;
pub const unlink = files.unlink;
pub const rename = files.rename;
pub const link = files.link;
pub const symlink = files.symlink;
pub const readLink = files.readLink;
pub const makeNode = files.makeNode;
pub const seek = files.seek;
pub const truncate = files.truncate;
pub const allocate = extents.allocate;
pub const sync = files.sync;
pub const syncFileSystem = files.syncFileSystem;
pub const setFlags = files.setFlags;
pub const getFlags = files.getFlags;
pub const abandon = files.abandon;
pub const readDirectory = directory.readDirectory;
pub const read = files.read;
pub const write = files.write;
pub const copyRange = files.copyRange;
pub const lockFile = files.lockFile;
pub const pipe = files.pipe;

pub const socket = sockets.socket;
pub const socketPath = sockets.socketPath;
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

pub const stat = attributes.stat;
pub const access = attributes.access;
pub const changeMode = attributes.changeMode;
pub const changeOwner = attributes.changeOwner;
pub const changeTimes = attributes.changeTimes;
pub const statFs = attributes.statFs;
pub const getXattr = xattrs.getXattr;
pub const setXattr = xattrs.setXattr;
pub const listXattr = xattrs.listXattr;
pub const removeXattr = xattrs.removeXattr;

pub const pollNow = poller.pollNow;
pub const pollAdd = poller.pollAdd;
pub const pollChange = poller.pollChange;
pub const pollRemove = poller.pollRemove;
pub const wait = poller.wait;
pub const wake = poller.wake;
pub const expect = poller.expect;
pub const finish = poller.finish;
pub const finished = poller.finished;
pub const take = poller.take;
pub const settle = poller.settle;

pub const catchSignals = signals.catchSignals;
pub const ignoredSignals = signals.ignoredSignals;
pub const setRunning = signals.setRunning;
pub const forgetRunning = signals.forgetRunning;

pub const terminalControl = terminal.control;
pub const terminalRaw = terminal.raw;
pub const terminalRestore = terminal.restore;

pub const identity = system.identity;
pub const hostName = system.hostName;
pub const strings = system.strings;
pub const monotonicNs = system.monotonicNs;
pub const clock = system.clock;
pub const elapsedNs = system.elapsedNs;
pub const clockSample = system.clockSample;
pub const clockWatch = system.clockWatch;
pub const random = system.random;
pub const cpuCount = system.cpuCount;
pub const memoryInfo = system.memoryInfo;
