//! Root of `zig build test`: names every file that has tests.

test {
    _ = @import("gen.zig");
    _ = @import("mem/mem_test.zig");
    _ = @import("host/linux/call.zig");
}
