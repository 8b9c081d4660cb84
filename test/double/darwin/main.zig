//! The Darwin libc double: the functions that shim/host/darwin calls (calls.zig), under their names with a prefix, done by Linux's
//! means. Numbers, layouts and quirks are Darwin's on the outside. It is strict: what the real thing might do differently
//! from what is modelled here (an unknown flag, a bit that is Linux's) ends the process with a message.

/// The stack that a panic in a signal handler would have lies in the TLS of every thread, whose stacks are small.
pub const std_options: @import("std").Options = .{ .signal_stack_size = null };

comptime {
    _ = @import("base.zig");
    _ = @import("files.zig");
    _ = @import("attributes.zig");
    _ = @import("io.zig");
    _ = @import("kqueue.zig");
    _ = @import("sockets.zig");
    _ = @import("terminal.zig");
    _ = @import("signals.zig");
    _ = @import("memory.zig");
    _ = @import("machine.zig");
}
