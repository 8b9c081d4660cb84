//! Guest memory as the CPUs see it. The kernel uses `exports.zig`.

pub const cpus = @import("cpus.zig");
pub const frames = @import("frames.zig");
pub const space = @import("space.zig");
pub const tlb = @import("tlb.zig");
pub const Tlb = tlb.Tlb;
pub const Translation = @import("space.zig").Translation;
/// Where an address lies, if the page tables allow the access: for instruction fetch.
pub const translate = @import("space.zig").translate;
