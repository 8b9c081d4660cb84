//! Writes `src/host/shim.gen.ts` from `abi.zig` and the rooms' exported functions, and `src/loader/vdso.gen.ts`. `zig build gen` runs it;
//! the library itself uses only `layoutHash`.

const std = @import("std");
const abi = @import("abi.zig");

const Fn = std.builtin.Type.Fn;

fn ffiType(comptime T: type) []const u8 {
    return switch (@typeInfo(T)) {
        .void => "void",
        .pointer => "ptr",
        .optional => |o| ffiType(o.child),
        else => switch (T) {
            i32 => "i32",
            u32 => "u32",
            f64 => "f64",
            usize => "ptr",
            else => @compileError("type may not cross the border: " ++ @typeName(T)),
        },
    };
}

fn signature(comptime name: []const u8, comptime F: Fn) []const u8 {
    comptime {
        var out: []const u8 = "  " ++ name ++ ": { args: [";
        for (F.params, 0..) |p, i| out = out ++ (if (i > 0) ", " else "") ++ "\"" ++ ffiType(p.type.?) ++ "\"";
        return out ++ "], returns: \"" ++ ffiType(F.return_type.?) ++ "\" },\n";
    }
}

/// What every start of a guest calls. Binding a function costs 10 us; the others are bound when they are first called.
const at_start = [_][]const u8{
    "shim_abi_version", "shim_layout_hash", "shim_function",      "mem_init",          "mem_copy",          "frame_alloc",
    "frame_ref",        "frame_unref",      "frame_ptr",          "frame_fill",        "space_create",      "space_destroy",
    "space_map",        "space_map_zero",   "space_lookup",       "space_cow",         "space_count",       "user_in",
    "user_out",         "io_writev",        "cpu_enter",          "cpu_block_create",  "cpu_engine",        "cpu_engine_default",
    "cpu_hwcap",        "cpu_counter_hz",   "cpu_counter_sample", "host_start",        "host_exit",         "host_open",
    "host_close",       "host_dup",         "host_reopen",        "host_get_flags",    "host_read",         "host_stat",
    "host_getxattr",    "host_poll_add",    "host_wait",          "host_signals_init", "host_set_running",  "host_ioctl",
    "host_identity",    "host_name",        "host_clock",         "host_elapsed_ns",   "host_clock_sample", "host_clock_watch",
    "host_random",      "host_cpu_count",   "host_memory_info",   "host_open_fds",     "host_seek",         "shim_buffer",
    "user_zero",        "io_readv",         "space_unmap",        "space_protect",     "user_probe",        "host_abandon",
};

fn isAtStart(comptime name: []const u8) bool {
    for (at_start) |other| if (std.mem.eql(u8, name, other)) return true;
    return false;
}

/// Of a function that is bound later: `"i32 ptr u32"`, the result first.
fn laterSignature(comptime name: []const u8, comptime F: Fn) []const u8 {
    comptime {
        var out: []const u8 = "  " ++ name ++ ": \"" ++ ffiType(F.return_type.?);
        for (F.params) |p| out = out ++ " " ++ ffiType(p.type.?);
        return out ++ "\",\n";
    }
}

/// Of a function as TypeScript calls it: pointers and sizes are plain Numbers.
fn memberText(comptime name: []const u8, comptime F: Fn) []const u8 {
    comptime {
        var out: []const u8 = "  " ++ name ++ "(";
        for (F.params, 0..) |_, i| out = out ++ (if (i > 0) ", " else "") ++ std.fmt.comptimePrint("{c}: number", .{'a' + i});
        return out ++ "): " ++ (if (F.return_type.? == void) "void" else "number") ++ ";\n";
    }
}

fn functionsText() []const u8 {
    comptime {
        @setEvalBranchQuota(10_000_000);
        var start: []const u8 = "/** Bound when the shim is loaded. */\nexport const functions = {\n";
        var later: []const u8 = "/** Bound when they are first called: result, arguments. `shim_function` knows them by their place here. */\nexport const later = {\n";
        var members: []const u8 = "/** The shim's functions. Pointers and sizes are plain Numbers. */\nexport interface Shim {\n";
        for (abi.rooms) |room| {
            for (@typeInfo(room).@"struct".decls) |decl| {
                const info = @typeInfo(@TypeOf(@field(room, decl.name)));
                if (info != .@"fn") continue;
                members = members ++ memberText(decl.name, info.@"fn");
                if (isAtStart(decl.name)) start = start ++ signature(decl.name, info.@"fn") else later = later ++ laterSignature(decl.name, info.@"fn");
            }
        }
        return start ++ "} as const;\n\n" ++ later ++ "} as const;\n\n" ++ members ++ "}\n";
    }
}

/// Address of a function that is bound later; 0 beyond the last of them.
pub fn laterFunction(index: u32) usize {
    @setEvalBranchQuota(10_000_000);
    comptime var i: u32 = 0;
    inline for (abi.rooms) |room| {
        inline for (comptime @typeInfo(room).@"struct".decls) |decl| {
            if (comptime @typeInfo(@TypeOf(@field(room, decl.name))) == .@"fn" and !isAtStart(decl.name)) {
                if (index == i) return @intFromPtr(&@field(room, decl.name));
                i += 1;
            }
        }
    }
    return 0;
}

fn structText(comptime name: []const u8, comptime T: type) []const u8 {
    comptime {
        var out: []const u8 = "/** Byte offsets of " ++ name ++ "'s fields. */\nexport const " ++ name ++ " = {\n";
        for (@typeInfo(T).@"struct".fields) |f| {
            out = out ++ std.fmt.comptimePrint("  {s}: {d},\n", .{ f.name, @offsetOf(T, f.name) });
        }
        return out ++ std.fmt.comptimePrint("  sizeBytes: {d},\n}} as const;\n\n", .{@sizeOf(T)});
    }
}

fn layoutText() []const u8 {
    comptime {
        @setEvalBranchQuota(1_000_000);
        var out: []const u8 = "";
        for (@typeInfo(@TypeOf(abi.numbers)).@"struct".fields) |f| {
            out = out ++ std.fmt.comptimePrint("export const {s} = {d};\n", .{ f.name, @field(abi.numbers, f.name) });
        }
        out = out ++ "\n";
        for (@typeInfo(@TypeOf(abi.enums)).@"struct".fields) |f| {
            const T = @field(abi.enums, f.name);
            out = out ++ "export const " ++ f.name ++ " = {\n";
            for (@typeInfo(T).@"enum".fields) |e| out = out ++ std.fmt.comptimePrint("  {s}: {d},\n", .{ e.name, e.value });
            out = out ++ "} as const;\n\n";
        }
        for (@typeInfo(@TypeOf(abi.structs)).@"struct".fields) |f| {
            out = out ++ structText(f.name, @field(abi.structs, f.name));
        }
        return out;
    }
}

/// Hash of the text that TypeScript was given; compared when the library is loaded.
pub fn layoutHash() u32 {
    @setEvalBranchQuota(10_000_000);
    const text = comptime layoutText() ++ functionsText();
    return comptime std.hash.Fnv1a_32.hash(text);
}

pub fn main(init: std.process.Init) !void {
    const head = "// Generated by `zig build gen` from shim/abi.zig. Do not edit.\n\n";
    const text = comptime head ++ std.fmt.comptimePrint("export const LAYOUT_HASH = {d};\n", .{layoutHash()}) ++ layoutText() ++ functionsText();
    var args = try init.minimal.args.iterateAllocator(init.gpa);
    defer args.deinit();
    _ = args.next();
    const path = args.next() orelse return error.NoOutputPath;
    try std.Io.Dir.cwd().writeFile(init.io, .{ .sub_path = path, .data = text });
    const image_path = args.next() orelse return error.NoVdsoPath;
    const out_path = args.next() orelse return error.NoOutputPath;
    try writeVdso(init, image_path, out_path);
}

/// `mov x8, #139; svc #0`: where signal handlers return to.
const sigreturn_code = [_]u8{ 0x68, 0x11, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4 };

fn writeVdso(init: std.process.Init, image_path: []const u8, out_path: []const u8) !void {
    const image = try std.Io.Dir.cwd().readFileAlloc(init.io, image_path, init.gpa, .limited(1 << 20));
    defer init.gpa.free(image);
    const sigreturn = std.mem.indexOf(u8, image, &sigreturn_code) orelse return error.NoSigreturn;
    // Section headers are not loaded; the image ends with its one PT_LOAD segment.
    const loaded: []u8 = image[0..std.mem.readInt(u64, image[64 + 32 ..][0..8], .little)];
    // Debuggers take its ELF header at its word.
    for (image[40..48]) |*byte| byte.* = 0;
    for (image[58..64]) |*byte| byte.* = 0;
    const encoder = std.base64.standard.Encoder;
    const base64 = try init.gpa.alloc(u8, encoder.calcSize(loaded.len));
    defer init.gpa.free(base64);
    const text = try std.fmt.allocPrint(init.gpa,
        \\// Generated by `zig build gen` from shim/vdso. Do not edit.
        \\
        \\/** Offset of __kernel_rt_sigreturn in the image. */
        \\export const VDSO_SIGRETURN = {d};
        \\export const VDSO_BASE64 =
        \\  "{s}";
        \\
    , .{ sigreturn, encoder.encode(base64, loaded) });
    defer init.gpa.free(text);
    try std.Io.Dir.cwd().writeFile(init.io, .{ .sub_path = out_path, .data = text });
}
