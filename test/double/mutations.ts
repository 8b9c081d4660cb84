// Does a test notice when the Darwin host is wrong? Each mutation is one change of its code; the Zig tests above the double or the
// comparison with Apple's headers must fail. `bun test/double/mutations.ts [first [count] | file]` runs all, or some; it works on a copy.

import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bun, root } from "../../scripts/toolchain.ts";
import { MORE } from "./mutations/darwin.ts";
import { OPTIONS } from "./mutations/darwin-options.ts";

interface Mutation {
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** Constants are Apple's: proven without the double. */
  readonly by: "double" | "facts";
}

const D = "shim/host/darwin";
const on = (file: string, from: string, to: string): Mutation => ({ file: `${D}/${file}.zig`, from, to, by: "double" });
const fact = (from: string, to: string): Mutation => ({ file: `${D}/c.zig`, from, to, by: "facts" });
const type = (from: string, to: string): Mutation => ({ file: `${D}/calls.zig`, from, to, by: "facts" });

export const MUTATIONS: readonly Mutation[] = [
  // errnos
  on("call", ".{ c.EAGAIN, 11 }", ".{ c.EAGAIN, 35 }"),
  on("call", ".{ c.ENOTEMPTY, 39 }", ".{ c.ENOTEMPTY, 66 }"),
  on("call", ".{ c.ENOATTR, 61 }", ".{ c.ENOATTR, 93 }"),
  on("call", "var all: [128]u8 = @splat(E.IO)", "var all: [128]u8 = @splat(0)"),
  // open
  on("call", ".{ O.APPEND, c.O_APPEND }", ".{ O.APPEND, c.O_NONBLOCK }"),
  on("call", ".{ O.NOFOLLOW, c.O_NOFOLLOW }", ".{ O.NOFOLLOW, c.O_DIRECTORY }"),
  on("files", "if (rc == -E.LOOP and flags", "if (rc == -E.NOSYS and flags"),
  on("files", "how | c.O_SYMLINK, 0)", "how, 0)"),
  on("files", "c.S_IFREG => {\n            const last", "c.S_IFREG, c.S_IFIFO => {\n            const last"),
  on("files", "openFlags(how) | c.O_NOFOLLOW_ANY", "openFlags(how)"),
  on("handles", "return if (st.st_dev == entry.dev and st.st_ino == entry.ino)", "return if (st.st_dev == entry.dev)"),
  // names
  on(
    "names",
    "or !ambiguous(name, .any_volume) or spelled(dirfd, path)",
    "or !ambiguous(name, .any_volume) or (spelled(dirfd, path) or true)",
  ),
  on(
    "names",
    "return std.mem.eql(u8, std.mem.span(path), bytes",
    "return std.ascii.eqlIgnoreCase(std.mem.span(path), bytes",
  ),
  on("call", "return if (rc == -E.ILSEQ) -E.NOENT else rc", "return rc"),
  on("files", "NOREPLACE => c.RENAME_EXCL", "NOREPLACE => c.RENAME_SWAP"),
  on("files", "(source.st_dev != target.st_dev or source.st_ino != target.st_ino)", "false"),
  on("files", "-E.ISDIR else rc", "-E.PERM else rc"),
  // attributes
  on("attributes", ".mtime = time(st.st_mtimespec)", ".mtime = time(st.st_ctimespec)"),
  on("attributes", ".btime = time(st.st_birthtimespec)", ".btime = time(st.st_atimespec)"),
  on("attributes", "blocks: u64,\n    attributes_mask: u64", "attributes_mask: u64,\n    blocks: u64"),
  on(
    "attributes",
    "if (st.st_mode & c.S_IFMT == c.S_IFLNK) return -E.OPNOTSUPP",
    "if (st.st_mode == 0) return -E.OPNOTSUPP",
  ),
  on("attributes", "spec.tv_nsec = c.UTIME_OMIT", "spec.tv_nsec = c.UTIME_NOW"),
  on("attributes", ".{ c.MNT_NOEXEC, 0x8 }", ".{ c.MNT_NOEXEC, 0x4 }"),
  on("devices", ".number = .{ .major = 1, .minor = 5 }", ".number = .{ .major = 1, .minor = 6 }"),
  on("xattrs", "if (!std.mem.startsWith(u8, name, namespace)) continue", "if (name.len == 0) continue"),
  on("xattrs", "how |= c.unproven.XATTR_CREATE", "how |= c.unproven.XATTR_REPLACE"),
  on(
    "directory",
    "alignForward(usize, head_bytes + name.len + 1, 8)",
    "alignForward(usize, head_bytes + name.len + 1, 4)",
  ),
  on(
    "directory",
    "readInt(T, record[@offsetOf(c.struct_dirent, name)..]",
    "readInt(T, record[@offsetOf(c.struct_dirent, name) + 1 ..]",
  ),
  // holes
  on("files", "3 => c.SEEK_DATA", "3 => c.SEEK_HOLE"),
  on("extents", "const rc = zero(fd, at, first);", "const rc = zero(fd, at, at);"),
  on("extents", "@divFloor(at + block - 1, block) * block", "at"),
  // kqueue and poll
  on("poller", "c.EVFILT_READ, c.EV_ADD | c.EV_CLEAR", "c.EVFILT_READ, c.EV_ADD"),
  on("poller", "change(@intCast(fd), c.EVFILT_READ, c.EV_ADD", "change(@intCast(fd), c.EVFILT_WRITE, c.EV_ADD"),
  on("poller", ".flags = 0, .fflags = c.NOTE_TRIGGER", ".flags = 0, .fflags = 0"),
  on("poller", "c.S_IFIFO and st.st_dev != 0", "c.S_IFIFO and st.st_dev == 1"),
  on("poller", "return if (ended) EPOLLIN | EPOLLHUP | EPOLLRDHUP else EPOLLIN", "return EPOLLIN"),
  on("poller", "return if (unread(fd) > 0) darwin else", "return if (true) darwin else"),
  on("poller", "return EPOLLERR | (events & EPOLLOUT)", "return darwin"),
  on("poller", "if (out < 0 or out & EPOLLHUP != 0)", "if (true)"),
  // signals, clocks, memory
  on("signals", "c.SIGUSR1,   c.SIGSEGV", "c.SIGUSR2,   c.SIGSEGV"),
  on("signals", "all[number] = mine;", "all[number] = if (mine > 15) number else mine;"),
  on("system", "c.CLOCK_UPTIME_RAW, // MONOTONIC\n", "c.CLOCK_MONOTONIC, // MONOTONIC\n"),
  on("system", "c.CLOCK_MONOTONIC, // BOOTTIME\n", "c.CLOCK_UPTIME_RAW, // BOOTTIME\n"),
  on("memory", "whole.len, c.MADV_ZERO)", "whole.len, c.MADV_FREE_REUSE)"),
  on("memory", "@memset(ptr[0..before], 0)", "@memset(ptr[0..0], 0)"),
  // terminals
  on("terminal", ".{ 0o4, c.ONLCR }", ".{ 0o2, c.ONLCR }"),
  on("terminal", ".{ 6, c.VMIN }", ".{ 6, c.VTIME }"),
  on("terminal", "c._POSIX_VDISABLE else value;\n    }\n    if (speedOf", "0 else value;\n    }\n    if (speedOf"),
  // sockets
  on("addresses", "a.bytes[0] = @intCast(size)", "a.bytes[0] = 0"),
  on("addresses", "ip.* = .{ 127, 0, 0, 1 }", "ip.* = .{ 127, 0, 0, ip[3] }"),
  on("socket_options", ".buffer => number *| 2", ".buffer => number"),
  on("socket_options", "-call.errorOf(number)", "number"),
  on("socket_options", ".linux = 4, .darwin = c.TCP_KEEPALIVE", ".linux = 4, .darwin = c.TCP_KEEPINTVL"),
  on("sockets", ".{ MSG.TRUNC, c.MSG_TRUNC }", ".{ MSG.TRUNC, c.MSG_CTRUNC }"),
  on("control_messages", "alignForward(usize, to + size, 8)", "alignForward(usize, to + size, 4)"),
  on("addresses", "a.bytes[1] = c.AF_UNIX;", "a.bytes[1] = c.AF_INET;"),
  on("control_messages", "if (level == linux_SOL_SOCKET) c.SOL_SOCKET else level", "level"),
  ...[...MORE, ...OPTIONS].map(([file, from, to]) => on(file, from, to)),
  // what Apple's headers say
  fact("pub const EAGAIN = 35", "pub const EAGAIN = 11"),
  fact("pub const O_CLOEXEC = 0x1000000", "pub const O_CLOEXEC = 0x80000"),
  fact("pub const EVFILT_USER = -10", "pub const EVFILT_USER = -11"),
  fact("    st_nlink: u16,\n    st_ino: u64", "    st_nlink: u32,\n    st_ino: u64"),
  fact("pub const TIOCGETA = 0x40487413", "pub const TIOCGETA = 0x402c7413"),
  fact("filter: i16, flags: u16, fflags: u32", "filter: i16, fflags: u32, flags: u16"),
  type("pub const mkdirat = fn (int, Path, u16)", "pub const mkdirat = fn (int, Path, u32)"),
];

/** A copy of what the build and the tests need. */
function copyOfSources(): string {
  const copy = mkdtempSync(join(tmpdir(), "carrick-mutations-"));
  for (const name of ["build.zig", "shim", "test/double", "test/support", "scripts", "package.json"])
    cpSync(join(root, name), join(copy, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  return copy;
}

const zig = join(root, "node_modules/@zigc", `${process.platform}-${process.arch}`, "bin/zig");

/** What hangs is noticed as well, and ends with all that it has started. */
const LIMIT_S = 180;

/** Whether the tests that must notice pass; null when they do not compile, which shows nothing about them. */
function passes(copy: string, by: Mutation["by"]): boolean | null {
  const command =
    by === "double"
      ? ["timeout", "-k", "5", String(LIMIT_S), zig, "build", "test-darwin"]
      : [bun, "test", "test/double/facts.test.ts", "-t", "every constant"];
  const result = Bun.spawnSync(command, {
    cwd: copy,
    stdout: "ignore",
    stderr: "pipe",
  });
  if (result.exitCode === 0) return true;
  return /compilation errors/.test(result.stderr.toString()) ? null : false;
}

/** Descriptions of the mutations that no test noticed, or that do not compile. */
export function survivors(mutations: readonly Mutation[], log: (text: string) => void): string[] {
  const copy = copyOfSources();
  const alive: string[] = [];
  try {
    for (const by of new Set(mutations.map((m) => m.by)))
      if (passes(copy, by) !== true) throw new Error(`the tests of ${by} fail without a mutation`);
    for (const { file, from, to, by } of mutations) {
      const path = join(copy, file);
      const text = readFileSync(path, "utf8");
      const title = `${file}: ${from.replace(/\s+/g, " ")} -> ${to.replace(/\s+/g, " ")}`;
      if (!text.includes(from)) throw new Error(`${file} has no "${from}"`);
      writeFileSync(
        path,
        text.replace(from, () => to),
      );
      const answer = passes(copy, by);
      writeFileSync(path, text);
      log(`${answer === false ? "caught  " : answer === null ? "BROKEN  " : "SURVIVED"} ${title}`);
      if (answer !== false) alive.push(title);
    }
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
  return alive;
}

if (import.meta.main) {
  const [first = "0", count = String(MUTATIONS.length)] = process.argv.slice(2);
  const chosen = /^\d+$/.test(first)
    ? MUTATIONS.slice(Number(first), Number(first) + Number(count))
    : MUTATIONS.filter(({ file }) => file.includes(first));
  const alive = survivors(chosen, console.log);
  console.log(`${chosen.length} mutations, ${alive.length} survived`);
  process.exit(alive.length === 0 ? 0 : 1);
}
