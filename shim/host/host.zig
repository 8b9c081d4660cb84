//! The host boundary: the same members on every host, all speaking Linux/arm64 (numbers, flags, structs, errnos).
//! Translation to what the host really wants lives in the file selected here and nowhere else.

const builtin = @import("builtin");

const impl = switch (builtin.os.tag) {
    // The double is Darwin's code on calls of Darwin that test/double makes from Linux's.
    .linux => if (@import("options").darwin_double) @import("darwin.zig") else @import("linux.zig"),
    .macos => @import("darwin.zig"),
    else => @compileError("carrick has no host boundary for this system"),
};

// Start and end of the process (system.zig).
pub const start = impl.start;
pub const exitNow = impl.exitNow;
pub const killSelf = impl.killSelf;

// Names and files (files.zig).
pub const open = impl.open;
pub const walk = impl.walk;
pub const openSlowly = impl.openSlowly;
pub const close = impl.close;
pub const duplicate = impl.duplicate;
pub const reopen = impl.reopen;
pub const describe = impl.describe;
pub const makeDirectory = impl.makeDirectory;
pub const unlink = impl.unlink;
pub const rename = impl.rename;
pub const link = impl.link;
pub const symlink = impl.symlink;
pub const readLink = impl.readLink;
pub const makeNode = impl.makeNode;
pub const seek = impl.seek;
pub const truncate = impl.truncate;
pub const allocate = impl.allocate;
pub const sync = impl.sync;
pub const syncFileSystem = impl.syncFileSystem;
pub const setFlags = impl.setFlags;
pub const getFlags = impl.getFlags;
pub const abandon = impl.abandon;
pub const readDirectory = impl.readDirectory;
pub const read = impl.read;
pub const write = impl.write;
pub const copyRange = impl.copyRange;
pub const lockFile = impl.lockFile;
pub const pipe = impl.pipe;

// Attributes (attributes.zig).
pub const stat = impl.stat;
pub const access = impl.access;
pub const changeMode = impl.changeMode;
pub const changeOwner = impl.changeOwner;
pub const changeTimes = impl.changeTimes;
pub const statFs = impl.statFs;
pub const getXattr = impl.getXattr;
pub const setXattr = impl.setXattr;
pub const listXattr = impl.listXattr;
pub const removeXattr = impl.removeXattr;

// Waiting (poller.zig).
pub const pollNow = impl.pollNow;
pub const pollAdd = impl.pollAdd;
pub const pollChange = impl.pollChange;
pub const pollRemove = impl.pollRemove;
pub const wait = impl.wait;
pub const wake = impl.wake;
pub const expect = impl.expect;
pub const finish = impl.finish;
pub const finished = impl.finished;
pub const take = impl.take;
pub const settle = impl.settle;

// Sockets (sockets.zig).
pub const socket = impl.socket;
pub const socketPath = impl.socketPath;
pub const bind = impl.bind;
pub const connect = impl.connect;
pub const listen = impl.listen;
pub const accept = impl.accept;
pub const socketName = impl.socketName;
pub const shutdown = impl.shutdown;
pub const setSocketOption = impl.setSocketOption;
pub const getSocketOption = impl.getSocketOption;
pub const send = impl.send;
pub const receive = impl.receive;
pub const socketControl = impl.socketControl;

// Signals sent to carrick (signals.zig).
pub const catchSignals = impl.catchSignals;
pub const ignoredSignals = impl.ignoredSignals;
pub const setRunning = impl.setRunning;
pub const forgetRunning = impl.forgetRunning;

// The terminal (terminal.zig).
pub const terminalControl = impl.terminalControl;
pub const terminalRaw = impl.terminalRaw;
pub const terminalRestore = impl.terminalRestore;

// Facts about the machine and the user (system.zig).
pub const identity = impl.identity;
pub const hostName = impl.hostName;
pub const strings = impl.strings;
pub const monotonicNs = impl.monotonicNs;
pub const clock = impl.clock;
pub const elapsedNs = impl.elapsedNs;
pub const clockSample = impl.clockSample;
pub const clockWatch = impl.clockWatch;
pub const random = impl.random;
pub const cpuCount = impl.cpuCount;
pub const memoryInfo = impl.memoryInfo;

/// Address space, page commitment and vectored I/O, as the mem room needs them (memory.zig).
pub const memory = impl.memory;
/// Threads of the shim's own (threads.zig).
pub const threads = impl.threads;
