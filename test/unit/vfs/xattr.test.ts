// Which extended attributes a program is told of.

import { expect, test } from "bun:test";
import { ENODATA } from "../../../src/abi/errno.ts";
import { Tmpfs } from "../../../src/fs/tmpfs/tmpfs.ts";
import { ManualClock } from "../../../src/kernel/clock.ts";
import { userCredentials } from "../../../src/kernel/credentials.ts";
import type { Target } from "../../../src/vfs/attributes.ts";
import type { FsContext } from "../../../src/vfs/context.ts";
import { getXattr, listXattr } from "../../../src/vfs/xattr.ts";

const LIST = Buffer.from(
  "02000000" + "01000600ffffffff" + "04000400ffffffff" + "10000600ffffffff" + "20000000ffffffff",
  "hex",
);

test("names are told that can be asked for: no trusted ones for users, no lists that make no sense", () => {
  const fs = new Tmpfs(new ManualClock(1e9));
  const names = [
    "system.posix_acl_default",
    "system.other",
    "trusted.x",
    "user.y",
    "security.capability",
    "user.",
    "odd",
  ];
  const attributes = new Map<string, Uint8Array>(names.map((name) => [name, new Uint8Array(1)]));
  fs.root.initXattrs(attributes.set("system.posix_acl_access", LIST));
  const target = { inode: fs.root, mount: null } as unknown as Target;
  const as = (uid: number): FsContext => ({ cred: userCredentials(uid, uid) }) as FsContext;
  const told = ["user.y", "security.capability", "system.posix_acl_access"];
  expect(listXattr(as(0), target)).toEqual(["trusted.x", ...told]);
  expect(listXattr(as(1), target)).toEqual(told);
  expect(getXattr(as(0), target, "system.posix_acl_default")).toBe(-ENODATA);
  // The mode that a layer gives is the newer word: its group bits are the mask.
  const masked = Buffer.from(LIST);
  masked[4 + 8 * 2 + 2] = (fs.root.mode >> 3) & 7;
  masked[4 + 2] = (fs.root.mode >> 6) & 7;
  masked[4 + 8 * 3 + 2] = fs.root.mode & 7;
  expect(Buffer.from(getXattr(as(1), target, "system.posix_acl_access") as Uint8Array)).toEqual(masked);
});
