//! Writes what shim/host/darwin says about Darwin twice: as a list of names and values, and as a C++ file in which Apple's
//! headers say the same. A function is the sizes of its result and arguments as digits, after a 9 when it takes more.

const std = @import("std");
const c = @import("darwin");
const calls = @import("calls");

const headers = [_][]const u8{
    "fcntl.h",      "errno.h",     "unistd.h",         "dirent.h",             "poll.h",       "signal.h",       "stdio.h",         "stdlib.h",
    "termios.h",    "time.h",      "limits.h",         "crt_externs.h",        "pthread.h",    "sys/attr.h",     "sys/clonefile.h", "sys/event.h",
    "sys/file.h",   "sys/ioctl.h", "sys/mman.h",       "sys/mount.h",          "sys/param.h",  "sys/resource.h", "sys/select.h",    "sys/stat.h",
    "sys/sysctl.h", "sys/time.h",  "sys/socket.h",     "sys/un.h",             "sys/sockio.h", "net/if.h",       "netinet/in.h",    "netinet/tcp.h",
    "sys/uio.h",    "mach/mach.h", "mach/mach_host.h", "mach/vm_statistics.h", "sys/ucred.h",
};

const prologue =
    \\template <class T> constexpr long long size() { return sizeof(T); }
    \\template <> constexpr long long size<void>() { return 0; }
    \\template <class R, class... A> constexpr long long type(long long v, R (*)(A...)) { v = v * 10 + size<R>(); ((v = v * 10 + size<A>()), ...); return v; }
    \\template <class R, class... A> constexpr long long type(long long, R (*f)(A..., ...)) { return type(9, (R (*)(A...))nullptr); }
    \\struct golden { char name[72]; long long value; };
    \\extern const golden carrick_golden[];
    \\__attribute__((section("__DATA,__golden"), used)) const golden carrick_golden[] = {
    \\
;

const Fact = struct { name: []const u8, value: i64, text: []const u8 };

fn cName(comptime name: []const u8) []const u8 {
    return if (std.mem.startsWith(u8, name, "struct_")) "struct " ++ name["struct_".len..] else name;
}

fn sizeOf(comptime T: type) i64 {
    return if (T == void or T == noreturn) 0 else @sizeOf(T);
}

fn functionType(comptime F: std.builtin.Type.Fn) i64 {
    var v: i64 = if (F.is_var_args) 9 else 0;
    v = v * 10 + sizeOf(F.return_type.?);
    for (F.params) |parameter| v = v * 10 + sizeOf(parameter.type.?);
    return v;
}

const facts = list: {
    @setEvalBranchQuota(1_000_000);
    var all: []const Fact = &.{};
    for (@typeInfo(c).@"struct".decls) |decl| {
        if (std.mem.eql(u8, decl.name, "unproven")) continue;
        const value = @field(c, decl.name);
        if (@TypeOf(value) != type) {
            all = all ++ [_]Fact{.{ .name = decl.name, .value = value, .text = decl.name }};
            continue;
        }
        const name = cName(decl.name);
        all = all ++ [_]Fact{.{ .name = "sizeof " ++ name, .value = @sizeOf(value), .text = "sizeof(" ++ name ++ ")" }};
        for (@typeInfo(value).@"struct".fields) |field| {
            all = all ++ [_]Fact{.{
                .name = name ++ "." ++ field.name,
                .value = @offsetOf(value, field.name),
                .text = "__builtin_offsetof(" ++ name ++ ", " ++ field.name ++ ")",
            }};
        }
    }
    for (@typeInfo(calls.types).@"struct".decls) |decl| {
        const F = @typeInfo(@field(calls.types, decl.name)).@"fn";
        all = all ++ [_]Fact{.{ .name = decl.name ++ "()", .value = functionType(F), .text = "type(0, &" ++ decl.name ++ ")" }};
    }
    break :list all;
};

pub fn main(init: std.process.Init) !void {
    var args = try init.minimal.args.iterateAllocator(init.gpa);
    defer args.deinit();
    _ = args.next();
    const list_path = args.next() orelse return error.NoListPath;
    const source_path = args.next() orelse return error.NoSourcePath;
    var list: std.ArrayList(u8) = .empty;
    defer list.deinit(init.gpa);
    var source: std.ArrayList(u8) = .empty;
    defer source.deinit(init.gpa);
    try source.appendSlice(init.gpa, "#define __APPLE_USE_RFC_3542 1\n");
    for (headers) |header| try source.print(init.gpa, "#include <{s}>\n", .{header});
    try source.appendSlice(init.gpa, prologue);
    for (facts) |fact| {
        try list.print(init.gpa, "{s}={d}\n", .{ fact.name, fact.value });
        try source.print(init.gpa, "{{\"{s}\", (long long)({s})}},\n", .{ fact.name, fact.text });
    }
    try source.appendSlice(init.gpa, "};\n");
    try std.Io.Dir.cwd().writeFile(init.io, .{ .sub_path = list_path, .data = list.items });
    try std.Io.Dir.cwd().writeFile(init.io, .{ .sub_path = source_path, .data = source.items });
}
