//! `zig build` makes the shim for the host; `zig build linux-arm64` makes another host's, for the release; `zig build test`
//! runs its unit tests; `zig build gen` writes src/host/shim.gen.ts and src/loader/vdso.gen.ts.

const std = @import("std");

pub fn build(b: *std.Build) void {
    const optimize = b.standardOptimizeOption(.{});
    const host = b.resolveTargetQuery(std.Target.Query.parse(.{
        .arch_os_abi = "x86_64-linux-gnu.2.28",
        .cpu_features = "x86_64_v2",
    }) catch unreachable);

    b.getInstallStep().dependOn(library(b, host, optimize, "../dist"));
    const linux_arm64 = b.resolveTargetQuery(std.Target.Query.parse(.{ .arch_os_abi = "aarch64-linux-gnu.2.28" }) catch unreachable);
    b.step("linux-arm64", "make dist/linux-arm64/libcarrick.so").dependOn(library(b, linux_arm64, optimize, "../dist/linux-arm64"));

    const check = b.addExecutable(.{ .name = "hvf-check", .root_module = shim(b, "shim/hvf_check.zig", linux_arm64, optimize), .use_llvm = true });
    check.bundle_compiler_rt = true;
    b.step("hvf-check", "make dist/linux-arm64/hvf-check, which tries the Hypervisor.framework engine on its stand-in").dependOn(
        &b.addInstallArtifact(check, .{ .dest_dir = .{ .override = .{ .custom = "../dist/linux-arm64" } } }).step,
    );

    const gen = b.addExecutable(.{ .name = "gen", .root_module = shim(b, "shim/gen.zig", host, .Debug) });
    const run_gen = b.addRunArtifact(gen);
    run_gen.addFileArg(b.path("src/host/shim.gen.ts"));
    run_gen.addFileArg(vdso(b));
    run_gen.addFileArg(b.path("src/loader/vdso.gen.ts"));
    run_gen.has_side_effects = true;
    b.step("gen", "write src/host/shim.gen.ts").dependOn(&run_gen.step);

    const tests = b.addTest(.{ .root_module = shim(b, "shim/test.zig", host, optimize), .use_llvm = true });
    b.step("test", "run the shim's unit tests").dependOn(&b.addRunArtifact(tests).step);

    addDifftest(b, host);
    addDarwin(b, optimize);
    addDarwinDouble(b, host, optimize);
    addDarwinFacts(b, host);
}

/// dist/libcarrick.dylib for Apple silicon; Zig brings Apple's headers and the list of libSystem's symbols.
fn addDarwin(b: *std.Build, optimize: std.builtin.OptimizeMode) void {
    const mac = b.resolveTargetQuery(std.Target.Query.parse(.{ .arch_os_abi = "aarch64-macos.14.0" }) catch unreachable);
    const lib = b.addLibrary(.{ .name = "carrick", .linkage = .dynamic, .root_module = shim(b, "shim/main.zig", mac, optimize) });
    // What a checked build adds needs it.
    lib.bundle_compiler_rt = optimize == .Debug;
    b.step("darwin", "compile dist/libcarrick.dylib for Apple silicon").dependOn(&b.addInstallArtifact(lib, .{
        .dest_dir = .{ .override = .{ .custom = "../dist" } },
    }).step);
}

/// The shim as a shared library in `dir`.
fn library(b: *std.Build, target: std.Build.ResolvedTarget, optimize: std.builtin.OptimizeMode, dir: []const u8) *std.Build.Step {
    const lib = b.addLibrary(.{ .name = "carrick", .linkage = .dynamic, .root_module = shim(b, "shim/main.zig", target, optimize), .use_llvm = true });
    // Its memset and memcpy go byte by byte and would take the place of libc's; what it alone has is an error of the linker.
    lib.bundle_compiler_rt = false;
    lib.linker_allow_shlib_undefined = false;
    return &b.addInstallArtifact(lib, .{ .dest_dir = .{ .override = .{ .custom = dir } } }).step;
}

/// The two runners of test/cpu: one for our engines (it loads the built shim), one for an AArch64 Linux.
fn addDifftest(b: *std.Build, host: std.Build.ResolvedTarget) void {
    const step = b.step("difftest", "build the differential tester's runners into zig-out/bin");
    const ours = b.createModule(.{ .root_source_file = b.path("shim/cpu/difftest.zig"), .target = host, .optimize = .Debug, .link_libc = true });
    const abi = b.createModule(.{ .root_source_file = b.path("shim/abi.zig") });
    abi.addOptions("options", hostOptions(b, false));
    ours.addImport("abi", abi);
    ours.addAnonymousImport("format", .{ .root_source_file = b.path("test/cpu/oracle/format.zig") });
    step.dependOn(&b.addInstallArtifact(b.addExecutable(.{ .name = "difftest", .root_module = ours }), .{}).step);

    const oracle = b.addExecutable(.{ .name = "cpu-oracle", .root_module = b.createModule(.{
        .root_source_file = b.path("test/cpu/oracle/main.zig"),
        .target = b.resolveTargetQuery(.{ .cpu_arch = .aarch64, .os_tag = .linux, .abi = .none }),
        .optimize = .ReleaseFast,
        .single_threaded = true,
        .strip = true,
    }) });
    // Far from anything a stray pointer of a case is likely to hit.
    oracle.image_base = 0x5500_0000_0000;
    step.dependOn(&b.addInstallArtifact(oracle, .{}).step);
}

/// The code of shim/host/darwin on this host, above test/double/darwin: the library that tests load, and unit tests.
fn addDarwinDouble(b: *std.Build, host: std.Build.ResolvedTarget, optimize: std.builtin.OptimizeMode) void {
    const lib = b.addLibrary(.{ .name = "carrick-darwin-double", .linkage = .dynamic, .root_module = onDouble(b, "shim/main.zig", host, optimize), .use_llvm = true });
    lib.bundle_compiler_rt = optimize == .Debug;
    b.step("darwin-double", "build dist/libcarrick-darwin-double.so").dependOn(&b.addInstallArtifact(lib, .{
        .dest_dir = .{ .override = .{ .custom = "../dist" } },
    }).step);

    const tests = b.addTest(.{ .root_module = onDouble(b, "shim/test_darwin.zig", host, .Debug) });
    b.step("test-darwin", "run the tests of shim/host/darwin on the double").dependOn(&b.addRunArtifact(tests).step);
}

/// What the code of shim/host/darwin says about Darwin (zig-out/darwin-facts/ours), and an object for Apple silicon in which Apple's headers say it.
fn addDarwinFacts(b: *std.Build, host: std.Build.ResolvedTarget) void {
    const module = b.createModule(.{ .root_source_file = b.path("test/double/darwin/facts.zig"), .target = host, .optimize = .Debug });
    const c = b.createModule(.{ .root_source_file = b.path("shim/host/darwin/c.zig") });
    module.addImport("darwin", c);
    const calls = b.createModule(.{ .root_source_file = b.path("shim/host/darwin/calls.zig") });
    calls.addImport("c.zig", c);
    module.addImport("calls", calls);
    const run = b.addRunArtifact(b.addExecutable(.{ .name = "darwin-facts", .root_module = module }));
    const ours = run.addOutputFileArg("ours");
    const source = run.addOutputFileArg("apple.cc");
    const mac = b.resolveTargetQuery(std.Target.Query.parse(.{ .arch_os_abi = "aarch64-macos.14.0" }) catch unreachable);
    const apple = b.createModule(.{ .target = mac, .optimize = .Debug, .link_libc = true });
    apple.addCSourceFile(.{ .file = source, .flags = &.{ "-std=c++17", "-Wno-deprecated-declarations" } });
    const object = b.addObject(.{ .name = "apple", .root_module = apple });
    const step = b.step("darwin-facts", "write what the Darwin host believes and what Apple's headers say into zig-out/darwin-facts");
    step.dependOn(&b.addInstallFile(ours, "darwin-facts/ours").step);
    step.dependOn(&b.addInstallFile(object.getEmittedBin(), "darwin-facts/apple.o").step);
}

fn onDouble(b: *std.Build, root: []const u8, host: std.Build.ResolvedTarget, optimize: std.builtin.OptimizeMode) *std.Build.Module {
    const module = shimOn(b, root, host, optimize, true);
    const double = b.createModule(.{
        .root_source_file = b.path("test/double/darwin/main.zig"),
        .target = host,
        .optimize = optimize,
        .link_libc = true,
        .pic = true,
    });
    double.addAnonymousImport("darwin", .{ .root_source_file = b.path("shim/host/darwin/c.zig") });
    module.addObject(b.addObject(.{ .name = "darwin-double", .root_module = double, .use_llvm = true }));
    return module;
}

/// The arm64 image that guests see as linux-vdso.so.1. By command, since a build step cannot give a library another name than lib*.so.
fn vdso(b: *std.Build) std.Build.LazyPath {
    const run = b.addSystemCommand(&.{ b.graph.zig_exe, "build-lib", "-dynamic", "--name", "vdso", "-fsoname=linux-vdso.so.1" });
    run.addArgs(&.{ "-target", "aarch64-linux-none", "-OReleaseSmall", "-fllvm", "-flld", "-fstrip", "-fPIC", "-fno-stack-protector" });
    run.addArg("--script");
    run.addFileArg(b.path("shim/vdso/vdso.ld"));
    run.addArg("--version-script");
    run.addFileArg(b.path("shim/vdso/vdso.map"));
    const image = run.addPrefixedOutputFileArg("-femit-bin=", "vdso.so");
    run.addFileArg(b.path("shim/vdso/vdso.zig"));
    return image;
}

fn shim(b: *std.Build, root: []const u8, target: std.Build.ResolvedTarget, optimize: std.builtin.OptimizeMode) *std.Build.Module {
    return shimOn(b, root, target, optimize, false);
}

fn shimOn(b: *std.Build, root: []const u8, target: std.Build.ResolvedTarget, optimize: std.builtin.OptimizeMode, darwin_double: bool) *std.Build.Module {
    const module = b.createModule(.{
        .root_source_file = b.path(root),
        .target = target,
        .optimize = optimize,
        .link_libc = true,
        .strip = optimize == .ReleaseFast,
        .omit_frame_pointer = optimize == .ReleaseFast,
        // Nothing unwinds; a start reads the whole library once.
        .unwind_tables = if (optimize == .ReleaseFast and target.result.os.tag == .linux) .none else null,
    });
    module.addOptions("options", hostOptions(b, darwin_double));
    return module;
}

/// Which host the code of shim/host speaks to: the machine's own, or Darwin's calls as test/double makes them.
fn hostOptions(b: *std.Build, darwin_double: bool) *std.Build.Step.Options {
    const options = b.addOptions();
    options.addOption(bool, "darwin_double", darwin_double);
    return options;
}
