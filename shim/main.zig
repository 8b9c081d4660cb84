//! The shared library: exports the C ABI, nothing else.

const abi = @import("abi.zig");

comptime {
    for (abi.rooms) |room| {
        for (@typeInfo(room).@"struct".decls) |decl| {
            const value = @field(room, decl.name);
            if (@typeInfo(@TypeOf(value)) == .@"fn") @export(&value, .{ .name = decl.name });
        }
    }
}
