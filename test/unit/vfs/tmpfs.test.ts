import { beforeAll, describe, expect, test } from "bun:test";
import { EBUSY, EEXIST, EINVAL, ENODATA, ENOSPC, ENXIO, EPERM } from "../../../src/abi/errno.ts";
import * as fcntl from "../../../src/abi/fcntl.ts";
import { createMemfd, MFD_ALLOW_SEALING, MFD_NOEXEC_SEAL } from "../../../src/fs/tmpfs/memfd.ts";
import { parseTmpfsOptions, Tmpfs } from "../../../src/fs/tmpfs/tmpfs.ts";
import { pointerOf, shim } from "../../../src/host/shim.ts";
import { ManualClock } from "../../../src/kernel/clock.ts";
import { userCredentials } from "../../../src/kernel/credentials.ts";
import { KernelBuffer } from "../../../src/mm/kernel-buffer.ts";
import type { PageCache } from "../../../src/mm/page-cache.ts";
import type { File } from "../../../src/vfs/file.ts";
import type { Inode } from "../../../src/vfs/inode.ts";
import { pathString } from "../../../src/vfs/path-string.ts";

const root = userCredentials(0, 0);
const clock = new ManualClock(1e9);

beforeAll(() => {
  shim.mem_init(0, 0);
});

function framesUsed(): number {
  const stats = new Float64Array(8);
  shim.mem_stats(pointerOf(stats));
  return stats[0]!;
}

function buffer(text: string): KernelBuffer {
  return new KernelBuffer(Buffer.from(text));
}

function content(file: File, pos: number, length: number): string {
  const bytes = Buffer.alloc(length);
  const n = file.readAt(new KernelBuffer(bytes), pos);
  return bytes.toString("latin1", 0, n);
}

function newFile(fs: Tmpfs, name = "f"): File {
  return fs.root.createOpen(name, 0o100644, fcntl.O_RDWR, root) as File;
}

describe("files", () => {
  test("holes read as zeros and are found by SEEK_HOLE and SEEK_DATA", () => {
    const file = newFile(new Tmpfs(clock));
    expect(file.writeAt(buffer("end"), 10000)).toBe(3);
    expect(content(file, 9998, 10)).toBe("\0\0end");
    expect(file.seek(0, fcntl.SEEK_DATA)).toBe(8192);
    expect(file.seek(0, fcntl.SEEK_HOLE)).toBe(0);
    expect(file.seek(9000, fcntl.SEEK_HOLE)).toBe(10003);
    expect(file.seek(10003, fcntl.SEEK_DATA)).toBe(-ENXIO);
    expect(file.inode.stat()).toMatchObject({ size: 10003, blocks: 8 });
  });

  test("what shrinking cut off comes back as zeros", () => {
    const file = newFile(new Tmpfs(clock));
    file.write(buffer("abcdef"));
    expect(file.truncate(2)).toBe(0);
    expect(file.truncate(6)).toBe(0);
    expect(content(file, 0, 6)).toBe("ab\0\0\0\0");
  });

  test("appending ignores the position, of pwrite too", () => {
    const file = newFile(new Tmpfs(clock));
    file.write(buffer("one"));
    file.flags |= fcntl.O_APPEND;
    file.seek(0, fcntl.SEEK_SET);
    expect(file.write(buffer("two"))).toBe(3);
    expect(file.writeAt(buffer("x"), 0)).toBe(1);
    expect(content(file, 0, 9)).toBe("onetwox");
  });

  test("punching keeps the size", () => {
    const file = newFile(new Tmpfs(clock));
    file.write(buffer("abcdef"));
    const how = fcntl.FALLOC_FL_PUNCH_HOLE | fcntl.FALLOC_FL_KEEP_SIZE;
    expect(file.allocate(how, 1, 3)).toBe(0);
    expect(content(file, 0, 9)).toBe("a\0\0\0ef");
    expect(file.allocate(0, 0, 20)).toBe(0);
    expect(file.sizeBytes()).toBe(20);
  });

  test("an unlinked file keeps its content until the last close, then its frames are free", () => {
    const fs = new Tmpfs(clock);
    const before = framesUsed();
    const file = newFile(fs);
    file.write(buffer("still here"));
    expect(fs.root.unlink("f")).toBe(0);
    expect(content(file, 0, 20)).toBe("still here");
    expect(framesUsed()).toBe(before + 1);
    file.unref();
    expect(framesUsed()).toBe(before);
    expect(fs.statfs()).toMatchObject({ bfree: fs.statfs().blocks });
  });
});

describe("limits", () => {
  test("a full file system takes what fits, then says ENOSPC", () => {
    const fs = new Tmpfs(clock, { sizeBytes: 2 * 4096 });
    const file = newFile(fs);
    expect(file.write(new KernelBuffer(new Uint8Array(10000)))).toBe(8192);
    expect(file.write(buffer("x"))).toBe(-ENOSPC);
    expect(fs.statfs()).toMatchObject({ blocks: 2, bfree: 0 });
    expect(file.allocate(0, 0, 3 * 4096)).toBe(-ENOSPC);
    expect(file.truncate(100)).toBe(0);
    expect(fs.statfs().bfree).toBe(1);
  });

  test("inodes are counted", () => {
    const fs = new Tmpfs(clock, { inodes: 2 });
    expect(typeof fs.root.create("a", 0o100644, root)).toBe("object");
    expect(fs.root.create("b", 0o100644, root)).toBe(-ENOSPC);
    expect(fs.root.unlink("a")).toBe(0);
    expect(typeof fs.root.mkdir("b", 0o40755, root)).toBe("object");
  });

  test("mount options", () => {
    expect(parseTmpfsOptions("size=64m,mode=755,uid=5,nr_inodes=1k")).toEqual({
      sizeBytes: 64 << 20,
      mode: 0o755,
      uid: 5,
      inodes: 1024,
    });
    const half = (parseTmpfsOptions("size=50%") as { sizeBytes: number }).sizeBytes;
    const all = (parseTmpfsOptions("size=100%") as { sizeBytes: number }).sizeBytes;
    expect(half % 4096).toBe(0);
    expect(Math.abs(all - 2 * half)).toBeLessThanOrEqual(4096);
    for (const bad of ["size=", "what=1", "mode=9", "size=1x", "size=%", "size=-1%", "uid=5%"])
      expect(parseTmpfsOptions(bad)).toBe(-EINVAL);
  });
});

describe("memfd", () => {
  test("without MFD_ALLOW_SEALING seals cannot be added", () => {
    const file = createMemfd(clock, "x", 0, root);
    expect(file.seals()).toBe(fcntl.F_SEAL_SEAL);
    expect(file.addSeals(fcntl.F_SEAL_WRITE)).toBe(-EPERM);
    expect(pathString(file.path!, file.path!)).toBe("/memfd:x (deleted)");
  });

  test("each seal forbids its change", () => {
    const file = createMemfd(clock, "x", MFD_ALLOW_SEALING, root);
    file.write(buffer("data"));
    expect(file.addSeals(0x1000)).toBe(-EINVAL);
    expect(file.addSeals(fcntl.F_SEAL_SHRINK)).toBe(0);
    expect(file.truncate(1)).toBe(-EPERM);
    expect(file.truncate(9)).toBe(0);
    expect(file.addSeals(fcntl.F_SEAL_GROW)).toBe(0);
    expect(file.truncate(10)).toBe(-EPERM);
    expect(file.writeAt(buffer("12"), 8)).toBe(-EPERM);
    expect(file.writeAt(buffer("1"), 8)).toBe(1);
    expect(file.addSeals(fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL)).toBe(0);
    expect(file.writeAt(buffer("1"), 0)).toBe(-EPERM);
    expect(file.addSeals(fcntl.F_SEAL_EXEC)).toBe(-EPERM);
  });

  test("a writable shared mapping holds F_SEAL_WRITE off", () => {
    const file = createMemfd(clock, "x", MFD_ALLOW_SEALING, root);
    const cache = file.pages() as PageCache;
    const mapper = { unmapCachePages: () => undefined };
    cache.addMapper(mapper, true);
    expect(file.addSeals(fcntl.F_SEAL_WRITE)).toBe(-EBUSY);
    cache.removeMapper(mapper, true);
    expect(file.addSeals(fcntl.F_SEAL_WRITE)).toBe(0);
  });

  test("MFD_NOEXEC_SEAL keeps the execute bits away", () => {
    const { inode } = createMemfd(clock, "x", MFD_NOEXEC_SEAL, root);
    expect(inode.mode).toBe(0o100666);
    expect(inode.setAttributes({ mode: 0o100777 })).toBe(-EPERM);
    expect(inode.setAttributes({ mode: 0o100600 })).toBe(0);
  });
});

test("extended attributes are created, replaced and removed as asked", () => {
  const inode = new Tmpfs(clock).root.create("f", 0o100644, root) as Inode;
  const value = Buffer.from("v");
  expect(inode.setXattr("user.a", value, 2)).toBe(-ENODATA);
  expect(inode.setXattr("user.a", value, 1)).toBe(0);
  expect(inode.setXattr("user.a", value, 1)).toBe(-EEXIST);
  expect(inode.listXattr()).toEqual(["user.a"]);
  expect(inode.removeXattr("user.a")).toBe(0);
  expect(inode.getXattr("user.a")).toBe(-ENODATA);
});
