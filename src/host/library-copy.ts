// A copy of the embedded shim for when Bun's own cannot be used (no TMPDIR that may be written, or one on a noexec file
// system). It goes to a folder that only the user can write, and what is found there is compared byte by byte before it
// is trusted.

import { dlopen } from "bun:ffi";
import {
  closeSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

const GROUP_OR_OTHER = 0o077;
const MFD_CLOEXEC = 1;

/**
 * Calls `open` with a path that it can load, trying the next place when a file system does not allow it (noexec). Without any
 * this is the end of the process: nothing works without the shim.
 */
export function openCopy<T>(embedded: string, open: (path: string) => T): T {
  const bytes = readFileSync(embedded);
  const cached = cachedCopy(bytes);
  if (cached !== null) {
    try {
      return open(cached);
    } catch {
      // Fall through to a place that may allow it.
    }
  }
  for (const parent of [tmpdir(), "/dev/shm", "/var/tmp"]) {
    const folder = freshFolder(parent);
    if (folder === null) continue;
    try {
      const file = join(folder, "libcarrick.so");
      write(file, bytes);
      return open(file);
    } catch {
      // No space, or noexec.
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
  try {
    return openInMemory(bytes, open);
  } catch {
    const places = "a file in TMPDIR, ~/.cache, /dev/shm or /var/tmp";
    writeSync(2, `carrick: no folder can hold the library to load (${places})\n`);
    process.exit(125);
  }
}

/** memfd_create(2): Linux loads libraries from files without a folder too, where everything is read-only or noexec. */
function openInMemory<T>(bytes: Buffer, open: (path: string) => T): T {
  const libc = dlopen("libc.so.6", { memfd_create: { args: ["buffer", "u32"], returns: "i32" } });
  const fd = libc.symbols.memfd_create(Buffer.from("libcarrick\0"), MFD_CLOEXEC);
  try {
    writeAll(fd, bytes);
    return open(`/proc/self/fd/${fd}`);
  } finally {
    closeSync(fd);
  }
}

/** The copy in the user's cache folder, written when it is missing or not what it should be; null when there is no such folder. */
function cachedCopy(bytes: Buffer): string | null {
  try {
    const folder = cacheFolder();
    if (folder === null) return null;
    const file = join(folder, `libcarrick-${Bun.hash(bytes).toString(16)}.so`);
    if (isOurs(file, bytes)) return file;
    const fresh = `${file}.${process.pid}`;
    rmSync(fresh, { force: true });
    write(fresh, bytes);
    renameSync(fresh, file);
    return file;
  } catch {
    return null;
  }
}

function isOurs(file: string, bytes: Buffer): boolean {
  try {
    const stat = lstatSync(file);
    if (!stat.isFile() || stat.uid !== process.geteuid!() || (stat.mode & GROUP_OR_OTHER) !== 0) return false;
    return stat.size === bytes.length && readFileSync(file).equals(bytes);
  } catch {
    return false;
  }
}

function write(file: string, bytes: Buffer): void {
  const fd = openSync(file, "wx", 0o700);
  try {
    writeAll(fd, bytes);
  } finally {
    closeSync(fd);
  }
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
}

/** $XDG_CACHE_HOME/carrick or ~/.cache/carrick, made when missing; null unless it is a folder of this user alone. */
function cacheFolder(): string | null {
  const xdg = process.env["XDG_CACHE_HOME"];
  const base = xdg?.startsWith("/") ? xdg : join(homedir(), ".cache");
  // Somebody else's home (sudo keeps HOME) must not collect our files.
  const owner = xdg?.startsWith("/") ? xdg : homedir();
  const uid = process.geteuid!();
  if (lstatSync(owner, { throwIfNoEntry: false })?.uid !== uid && owner !== xdg) return null;
  const folder = join(base, "carrick");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const stat = lstatSync(folder);
  return stat.isDirectory() && stat.uid === uid && (stat.mode & GROUP_OR_OTHER) === 0 ? folder : null;
}

function freshFolder(parent: string): string | null {
  try {
    return mkdtempSync(join(parent, "carrick-"));
  } catch {
    return null;
  }
}
