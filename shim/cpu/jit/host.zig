//! What the host's CPU has beyond x86-64-v2.

const std = @import("std");
const builtin = @import("builtin");

pub const Features = struct {
    bmi2: bool = false,
    lzcnt: bool = false,
    fma: bool = false,
    avx2: bool = false,
    f16c: bool = false,
    aes: bool = false,
    pclmul: bool = false,
    sha: bool = false,
};

pub var features: Features = .{};

/// Asks the CPU. Call once, before anything is translated. CARRICK_CPU_LEVEL=2 leaves it at x86-64-v2, for tests; letters behind it say what it has
/// beyond that: b BMI2, l LZCNT, f FMA, v AVX2, h F16C, a AES-NI, p PCLMULQDQ, s SHA-NI. Nothing of x86-64-v4 is used.
pub fn probe() void {
    if (builtin.cpu.arch != .x86_64) return;
    const one = cpuid(1, 0);
    const seven = cpuid(7, 0);
    const extended = cpuid(0x8000_0001, 0);
    const avx = one.ecx >> 27 & 1 != 0 and one.ecx >> 28 & 1 != 0 and xgetbv() & 6 == 6;
    features = .{
        .bmi2 = avx and seven.ebx >> 8 & 1 != 0 and allowed('b'),
        .lzcnt = extended.ecx >> 5 & 1 != 0 and allowed('l'),
        .avx2 = avx and seven.ebx >> 5 & 1 != 0 and allowed('v'),
        .fma = avx and one.ecx >> 12 & 1 != 0 and allowed('f'),
        .f16c = avx and one.ecx >> 29 & 1 != 0 and allowed('h'),
        .aes = one.ecx >> 25 & 1 != 0 and allowed('a'),
        .pclmul = one.ecx >> 1 & 1 != 0 and allowed('p'),
        .sha = seven.ebx >> 29 & 1 != 0 and allowed('s'),
    };
}

fn allowed(letter: u8) bool {
    const level = std.mem.span(std.c.getenv("CARRICK_CPU_LEVEL") orelse return true);
    return level.len == 0 or level[0] != '2' or std.mem.findScalar(u8, level, letter) != null;
}

const Answer = struct { eax: u32, ebx: u32, ecx: u32, edx: u32 };

fn cpuid(leaf: u32, sub: u32) Answer {
    var eax: u32 = undefined;
    var ebx: u32 = undefined;
    var ecx: u32 = undefined;
    var edx: u32 = undefined;
    asm volatile ("cpuid"
        : [_] "={eax}" (eax),
          [_] "={ebx}" (ebx),
          [_] "={ecx}" (ecx),
          [_] "={edx}" (edx),
        : [_] "{eax}" (leaf),
          [_] "{ecx}" (sub),
    );
    return .{ .eax = eax, .ebx = ebx, .ecx = ecx, .edx = edx };
}

fn xgetbv() u32 {
    return asm volatile ("xgetbv"
        : [_] "={eax}" (-> u32),
        : [_] "{ecx}" (@as(u32, 0)),
        : .{ .edx = true });
}
