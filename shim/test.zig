//! Root of `zig build test`: names every file that has tests.

test {
    _ = @import("gen.zig");
    _ = @import("mem/frames_test.zig");
    _ = @import("mem/io_test.zig");
    _ = @import("cpu/decoder.zig");
    _ = @import("cpu/exports.zig");
    _ = @import("cpu/hvf/coherence_test.zig");
    _ = @import("cpu/hvf/counter.zig");
    _ = @import("cpu/hvf/identity.zig");
    _ = @import("cpu/hvf/registers.zig");
    _ = @import("cpu/hvf/system.zig");
    _ = @import("cpu/interp/run_test.zig");
    _ = @import("cpu/threads_test.zig");
    _ = @import("cpu/interp/alu.zig");
    _ = @import("cpu/interp/fields.zig");
    _ = @import("cpu/simd/simd_test.zig");
    _ = @import("cpu/disasm/disasm.zig");
    _ = @import("cpu/interp/flags.zig");
    _ = @import("cpu/jit/x64_test.zig");
    _ = @import("cpu/jit/layout.zig");
    _ = @import("cpu/jit/loop.zig");
    _ = @import("cpu/jit/mirror_test.zig");
    _ = @import("mem/cpus.zig");
    _ = @import("mem/mem_test.zig");
    _ = @import("mem/model_test.zig");
    _ = @import("mem/tlb_test.zig");
    _ = @import("host/linux/files.zig");
    _ = @import("image/index.zig");
    _ = @import("image/walk.zig");
}
