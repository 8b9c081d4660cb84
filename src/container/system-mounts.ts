// The file systems that every guest has besides its root: /proc, /sys, /dev and what is mounted inside it.

import { MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY } from "../abi/mount.ts";
import { registerMemoryDevices } from "../fs/dev/memory-registration.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { SystemIdentity } from "../kernel/proc-source.ts";
import type { FileSystem } from "../vfs/file-system.ts";
import type { Mount } from "../vfs/mount.ts";
import type { MountTable } from "../vfs/mount-table.ts";
import { registerMountType } from "../vfs/mount-types.ts";
import { lookupChild } from "../vfs/namei.ts";
import type { Path } from "../vfs/path.ts";
import type { SystemTrees } from "./system-trees.ts";
import type { Terminals } from "./terminals.ts";

/** One mount to make: in this order, and before the user's own. */
export interface SystemMount {
  readonly target: string;
  readonly flags: number;
  readonly source: string;
  /** Takes what is made already. */
  readonly make: () => FileSystem;
  /** What is mounted on directories in its root, by their names. */
  readonly inside: readonly SystemMount[];
}

const PRIVATE = MS_NOSUID | MS_NODEV | MS_NOEXEC;

/** What is mounted in one run; registers the drivers behind the device nodes, and the types. */
export function systemMounts(kernel: Kernel, identity: SystemIdentity, terminals: Terminals): SystemMount[] {
  registerMemoryDevices(kernel.random);
  let made: SystemTrees | null = null;
  const trees = (): SystemTrees => {
    made ??= loaded().makeTrees(kernel, identity);
    return made;
  };
  const proc = (): FileSystem => trees().proc;
  const sys = (): FileSystem => trees().sys;
  const dev = (): FileSystem => trees().dev;
  const pts = (): FileSystem => terminals.pts;
  const shm = (): FileSystem => trees().shm;
  registerMountType("tmpfs", (_source, data) => loaded().makeTmpfs(kernel, data));
  // Like every mount of Linux, a second one of these shows the same tree.
  registerMountType("proc", proc);
  registerMountType("sysfs", sys);
  registerMountType("devtmpfs", dev);
  registerMountType("devpts", pts);
  return [
    { target: "/proc", make: proc, flags: PRIVATE, source: "proc", inside: [] },
    { target: "/sys", make: sys, flags: PRIVATE | MS_RDONLY, source: "sysfs", inside: [] },
    {
      target: "/dev",
      make: dev,
      flags: MS_NOSUID,
      source: "tmpfs",
      inside: [
        { target: "pts", make: pts, flags: MS_NOSUID | MS_NOEXEC, source: "devpts", inside: [] },
        { target: "shm", make: shm, flags: PRIVATE, source: "shm", inside: [] },
      ],
    },
  ];
}

function loaded(): typeof import("./system-trees.ts") {
  return require("./system-trees.ts");
}

/** Mounts it, and when somebody enters it what is inside. */
export function mountSystem(mounts: MountTable, at: Path, system: SystemMount): void {
  const entered = (mount: Mount): void => {
    for (const inner of system.inside) {
      const dentry = lookupChild(mount.root, inner.target);
      if (typeof dentry !== "number") mountSystem(mounts, { mount, dentry }, inner);
    }
  };
  mounts.mount({ make: system.make, entered }, at, system.flags, system.source);
}
