import { beforeAll, describe, expect, test } from "bun:test";
import { EAGAIN, EEXIST, ELOOP, ENOENT, ENOTDIR, EXDEV } from "../../../src/abi/errno.ts";
import {
  O_CREAT,
  O_EXCL,
  O_NOFOLLOW,
  O_PATH,
  O_TRUNC,
  O_WRONLY,
  RESOLVE_BENEATH,
  RESOLVE_CACHED,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
} from "../../../src/abi/fcntl.ts";
import { S_IFLNK } from "../../../src/abi/stat.ts";
import { shim } from "../../../src/host/shim.ts";
import { KernelBuffer } from "../../../src/mm/kernel-buffer.ts";
import type { File } from "../../../src/vfs/file.ts";
import type { FileSystem } from "../../../src/vfs/file-system.ts";
import { Inode } from "../../../src/vfs/inode.ts";
import { FOLLOW, walk } from "../../../src/vfs/namei.ts";
import { makeDirectory, makeSymlink } from "../../../src/vfs/names.ts";
import { openPath } from "../../../src/vfs/open.ts";
import { Dentry, type Path } from "../../../src/vfs/path.ts";
import { pathBelow } from "../../../src/vfs/path-string.ts";
import { type FakeTask, fakeTask } from "./fake-task.ts";

beforeAll(() => {
  shim.mem_init(0, 0);
});

/** A link as /proc/PID/fd has them. */
class MagicLink extends Inode {
  readonly fs: FileSystem;
  readonly ino = 999;
  readonly mode = S_IFLNK | 0o777;
  private readonly to: Path | number;

  constructor(fs: FileSystem, to: Path | number) {
    super();
    this.fs = fs;
    this.to = to;
  }
  override stat(): number {
    return -ENOENT;
  }
  override open(): number {
    return -ELOOP;
  }
  override followLink(): Path | number {
    return this.to;
  }
}

function at(fake: FakeTask, path: string, flags = FOLLOW): Path {
  return walk(fake.fs, fake.fs.cwd, path, flags) as Path;
}

/** /d/f with "body" in it, /magic -> /d/f, /jump -> /d. */
function withMagic(): FakeTask {
  const fake = fakeTask();
  makeDirectory(fake.fs, fake.fs.cwd, "/d", 0o755);
  const file = openPath(fake.fs, fake.fs.cwd, "/d/f", O_CREAT | O_WRONLY, 0o644) as File;
  file.write(new KernelBuffer(Buffer.from("body")));
  const root = fake.fs.root.dentry;
  root.keep(new Dentry(root, "magic", new MagicLink(fake.root, file.path!)));
  root.keep(new Dentry(root, "jump", new MagicLink(fake.root, at(fake, "/d"))));
  return fake;
}

describe("magic links", () => {
  test("jump to a place without a name being looked up", () => {
    const fake = withMagic();
    expect(pathBelow(at(fake, "/magic"), fake.fs.root)).toBe("/d/f");
    expect(pathBelow(at(fake, "/jump/f"), fake.fs.root)).toBe("/d/f");
    expect(pathBelow(at(fake, "/jump/.."), fake.fs.root)).toBe("/");
    expect(walk(fake.fs, fake.fs.cwd, "/magic/", FOLLOW)).toBe(-ENOTDIR);
    expect(at(fake, "/magic", 0).dentry.name).toBe("magic");
  });

  test("are followed by open(2) with O_CREAT and O_TRUNC, not with O_EXCL", () => {
    const fake = withMagic();
    expect(openPath(fake.fs, fake.fs.cwd, "/magic", O_CREAT | O_EXCL | O_WRONLY, 0o644)).toBe(-EEXIST);
    expect(openPath(fake.fs, fake.fs.cwd, "/magic", O_NOFOLLOW, 0)).toBe(-ELOOP);
    const named = openPath(fake.fs, fake.fs.cwd, "/magic", O_PATH | O_NOFOLLOW, 0) as File;
    expect(named.inode).toBeInstanceOf(MagicLink);
    const file = openPath(fake.fs, fake.fs.cwd, "/magic", O_CREAT | O_TRUNC | O_WRONLY, 0o644) as File;
    expect(file.sizeBytes()).toBe(0);
  });

  test("are refused where openat2(2) says so", () => {
    const fake = withMagic();
    const resolve = (flags: number): Path | number => walk(fake.fs, fake.fs.cwd, "magic", FOLLOW, flags);
    expect(resolve(RESOLVE_NO_MAGICLINKS)).toBe(-ELOOP);
    expect(resolve(RESOLVE_NO_SYMLINKS)).toBe(-ELOOP);
    expect(resolve(RESOLVE_BENEATH)).toBe(-EXDEV);
    expect(resolve(RESOLVE_IN_ROOT)).toBe(-EXDEV);
    expect(resolve(RESOLVE_CACHED)).toBe(-EAGAIN);
  });

  test("that cannot be followed say why", () => {
    const fake = fakeTask();
    const root = fake.fs.root.dentry;
    root.keep(new Dentry(root, "gone", new MagicLink(fake.root, -ENOENT)));
    expect(walk(fake.fs, fake.fs.cwd, "gone", FOLLOW)).toBe(-ENOENT);
  });
});

test("forty links are followed, the next one is ELOOP", () => {
  const fake = fakeTask();
  makeDirectory(fake.fs, fake.fs.cwd, "l0", 0o755);
  for (let i = 1; i <= 41; i += 1) makeSymlink(fake.fs, fake.fs.cwd, `l${i}`, `l${i - 1}`);
  expect(at(fake, "l40").dentry.name).toBe("l0");
  expect(walk(fake.fs, fake.fs.cwd, "l41", FOLLOW)).toBe(-ELOOP);
  expect(walk(fake.fs, fake.fs.cwd, "l20/../l21", FOLLOW)).toBe(-ELOOP);
});

test("an absolute link leads to the task's root, with IN_ROOT to the descriptor's", () => {
  const fake = fakeTask();
  for (const path of ["/etc", "/jail", "/jail/etc"]) makeDirectory(fake.fs, fake.fs.cwd, path, 0o755);
  makeSymlink(fake.fs, fake.fs.cwd, "/jail/link", "/etc");
  const jail = at(fake, "/jail");
  expect(pathBelow(walk(fake.fs, jail, "link", FOLLOW) as Path, fake.fs.root)).toBe("/etc");
  expect(pathBelow(walk(fake.fs, jail, "link", FOLLOW, RESOLVE_IN_ROOT) as Path, fake.fs.root)).toBe("/jail/etc");
  expect(pathBelow(walk(fake.fs, jail, "/../etc", FOLLOW, RESOLVE_IN_ROOT) as Path, fake.fs.root)).toBe("/jail/etc");
  expect(walk(fake.fs, jail, "link", FOLLOW, RESOLVE_BENEATH)).toBe(-EXDEV);
  expect(walk(fake.fs, jail, "../etc", FOLLOW, RESOLVE_BENEATH)).toBe(-EXDEV);
});
