//! What translated code may use of the host's CPU beyond x86-64-v2.

const std = @import("std");
const x86 = @import("../x86.zig");

pub var features: x86.Features = .{};

/// Asks the CPU. Call once, before anything is translated. CARRICK_CPU_LEVEL=2 leaves it at x86-64-v2, for tests; letters behind it say what it has
/// beyond that: b BMI2, l LZCNT, f FMA, v AVX2, h F16C, a AES-NI, p PCLMULQDQ, s SHA-NI. Nothing of x86-64-v4 is used.
pub fn probe() void {
    x86.probe();
    features = x86.features;
    const level = std.mem.span(std.c.getenv("CARRICK_CPU_LEVEL") orelse return);
    if (level.len == 0 or level[0] != '2') return;
    inline for (.{ "bmi2", "lzcnt", "fma", "avx2", "f16c", "aes", "pclmul", "sha" }, "blfvhaps") |name, letter| {
        if (std.mem.findScalar(u8, level, letter) == null) @field(features, name) = false;
    }
}
