//! Root of `zig build test-darwin`: tests of the Darwin host that run above its double (test/double/darwin). They look at
//! what comes out in Linux's terms and compare with what Linux itself says about the same files, or with Linux's own numbers.

test {
    _ = @import("host/darwin/test/files.zig");
    _ = @import("host/darwin/test/names.zig");
    _ = @import("host/darwin/test/contents.zig");
    _ = @import("host/darwin/test/poller.zig");
    _ = @import("host/darwin/test/system.zig");
    _ = @import("host/darwin/test/sockets.zig");
    _ = @import("host/darwin/test/tables.zig");
    _ = @import("host/darwin/test/terminal.zig");
    _ = @import("host/darwin/test/signals.zig");
    _ = @import("host/darwin/terminal.zig");
    _ = @import("host/darwin/attributes.zig");
    _ = @import("mem/io_test.zig");
    _ = @import("mem/frames_test.zig");
}
