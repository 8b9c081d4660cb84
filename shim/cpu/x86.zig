//! What an x86-64 host's CPU has beyond x86-64-v2 (Intel SDM, CPUID; AMD64 APM volume 3, appendix D). On other hosts: nothing.

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

/// After `probe`.
pub var features: Features = .{};
var probed = false;

/// Asks the CPU, once: under a hypervisor each question takes microseconds. Threads that race do no harm.
pub fn probe() void {
    if (probed or builtin.cpu.arch != .x86_64) return;
    const one = cpuid(1, 0);
    const seven = cpuid(7, 0);
    const extended = cpuid(0x8000_0001, 0);
    const avx = one.ecx >> 27 & 1 != 0 and one.ecx >> 28 & 1 != 0 and xgetbv() & 6 == 6;
    features = .{
        .bmi2 = avx and seven.ebx >> 8 & 1 != 0,
        .lzcnt = extended.ecx >> 5 & 1 != 0,
        .fma = avx and one.ecx >> 12 & 1 != 0,
        .avx2 = avx and seven.ebx >> 5 & 1 != 0,
        .f16c = avx and one.ecx >> 29 & 1 != 0,
        .aes = one.ecx >> 25 & 1 != 0,
        .pclmul = one.ecx >> 1 & 1 != 0,
        .sha = seven.ebx >> 29 & 1 != 0,
    };
    probed = true;
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
