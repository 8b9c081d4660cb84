//! Exports that belong to no room: what the loader of the shim checks before it trusts anything else.

const gen = @import("gen.zig");
const abi = @import("abi.zig");
const memory = @import("host/host.zig").memory;

pub fn shim_abi_version() callconv(.c) u32 {
    return abi.abi_version;
}

/// Hash of every layout and signature that `shim.gen.ts` was made from.
pub fn shim_layout_hash() callconv(.c) u32 {
    return comptime gen.layoutHash();
}

/// Address of a function that `shim.gen.ts` lists under `later`, by its place there.
pub fn shim_function(index: u32) callconv(.c) usize {
    return gen.laterFunction(index);
}

/// Memory for a buffer of TypeScript's that lives as long as the process: zeros, and none of it is touched before it is used.
/// 0 when the host gives none.
pub fn shim_buffer(bytes: u32) callconv(.c) usize {
    const buffer = memory.reserve(bytes, .books) orelse return 0;
    return @intFromPtr(buffer);
}
