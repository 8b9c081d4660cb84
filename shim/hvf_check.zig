//! Root of the program that tries the Hypervisor.framework engine (cpu/hvf/check.zig).

pub const main = @import("cpu/hvf/check.zig").main;
