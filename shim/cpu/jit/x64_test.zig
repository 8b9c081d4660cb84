//! Encodings against what an assembler gives.

const std = @import("std");
const Asm = @import("x64.zig").Asm;

fn expectBytes(comptime emit: fn (a: *Asm) void, bytes: []const u8) !void {
    var buffer: [64]u8 = undefined;
    var a: Asm = .{ .base = &buffer, .at = 0 };
    emit(&a);
    try std.testing.expectEqualSlices(u8, bytes, buffer[0..a.at]);
}

test "encodings that an assembler gives" {
    try expectBytes(struct {
        fn f(a: *Asm) void {
            a.alu(.add, .q, .rax, .{ .mem = .{ .base = .rbx, .disp = -128 } }); // add rax, [rbx-128]
            a.alu(.sub, .d, .r9, .{ .reg = .rsi }); // sub r9d, esi
            a.lea(.q, .r12, .{ .base = .r13, .index = .r14, .scale = 2 }); // lea r12, [r13+r14*4]
            a.store(.b, .{ .mem = .{ .base = .rsp } }, .rsi); // mov [rsp], sil
            a.shiftX(.shl, .q, .rax, .{ .reg = .r8 }, .rcx); // shlx rax, r8, rcx
        }
    }.f, &.{ 0x48, 0x03, 0x43, 0x80, 0x44, 0x2b, 0xce, 0x4f, 0x8d, 0x64, 0xb5, 0x00, 0x40, 0x88, 0x34, 0x24, 0xc4, 0xc2, 0xf1, 0xf7, 0xc0 });
}

test "sums and elements in memory" {
    try expectBytes(struct {
        fn f(a: *Asm) void {
            a.crc32c(.b, .rax, .rsi); // crc32 eax, sil
            a.crc32c(.q, .rax, .r9); // crc32 rax, r9
            a.sse3a(0x20, .xmm9, .{ .mem = .{ .base = .rax, .disp = 1 } }, 5); // pinsrb xmm9, [rax+1], 5
        }
    }.f, &.{ 0xf2, 0x40, 0x0f, 0x38, 0xf0, 0xc6, 0xf2, 0x49, 0x0f, 0x38, 0xf1, 0xc1, 0x66, 0x44, 0x0f, 0x3a, 0x20, 0x48, 0x01, 0x05 });
}

test "a locked access of the guest's memory begins at its lock prefix" {
    var buffer: [64]u8 = undefined;
    var a: Asm = .{ .base = &buffer, .at = 0 };
    a.ret();
    a.lockOp();
    a.cmpxchg(.q, .{ .base = .rcx, .gs = true, .guest = true }, .rdx); // lock cmpxchg gs:[rcx], rdx
    try std.testing.expectEqualSlices(u8, &.{ 0xf0, 0x65, 0x48, 0x0f, 0xb1, 0x11 }, buffer[1..a.at]);
    a.xchg(.d, .{ .base = .rcx, .gs = true, .guest = true }, .rdx);
    try std.testing.expectEqualSlices(u32, &.{ 1, 7 }, a.guests[0..a.guest_count]);
}
