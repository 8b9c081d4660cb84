// Which extended attributes a program is told of.

import { expect, test } from "bun:test";
import { EOPNOTSUPP } from "../../../src/abi/errno.ts";
import { Tmpfs } from "../../../src/fs/tmpfs/tmpfs.ts";
import { ManualClock } from "../../../src/kernel/clock.ts";
import { userCredentials } from "../../../src/kernel/credentials.ts";
import type { Target } from "../../../src/vfs/attributes.ts";
import type { FsContext } from "../../../src/vfs/context.ts";
import { getXattr, listXattr } from "../../../src/vfs/xattr.ts";

test("names are told that can be asked for: no ACLs of an image, no trusted ones for users", () => {
  const fs = new Tmpfs(new ManualClock(1e9));
  const names = ["system.posix_acl_access", "trusted.x", "user.y", "security.capability", "user.", "odd"];
  fs.root.initXattrs(new Map(names.map((name) => [name, new Uint8Array(1)])));
  const target = { inode: fs.root, mount: null } as unknown as Target;
  const as = (uid: number): FsContext => ({ cred: userCredentials(uid, uid) }) as FsContext;
  expect(listXattr(as(0), target)).toEqual(["trusted.x", "user.y", "security.capability"]);
  expect(listXattr(as(1), target)).toEqual(["user.y", "security.capability"]);
  expect(getXattr(as(0), target, "system.posix_acl_access")).toBe(-EOPNOTSUPP);
});
