//! Root of `zig build test-darwin`: tests of the Darwin host that run above its double.

test {
    _ = @import("host/darwin/test.zig");
    _ = @import("host/darwin/terminal.zig");
    _ = @import("host/darwin/attributes.zig");
    _ = @import("mem/io_test.zig");
    _ = @import("mem/frames_test.zig");
}
