//! Root of `zig build test`: names every file that has tests.

test {
    _ = @import("gen.zig");
    _ = @import("host/linux/call.zig");
}
