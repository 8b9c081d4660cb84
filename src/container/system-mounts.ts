// The file systems that every guest has besides its root: /proc, /sys, /dev and what is mounted inside it.

import { MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY } from "../abi/mount.ts";
import { DevFileSystem } from "../fs/dev/dev-tree.ts";
import { registerMemoryDevices } from "../fs/dev/memory-registration.ts";
import { ProcFileSystem } from "../fs/proc/proc-fs.ts";
import { SysFileSystem } from "../fs/sys/sys-fs.ts";
import { parseTmpfsOptions, Tmpfs } from "../fs/tmpfs/tmpfs.ts";
import { hostMemory } from "../host/identity.ts";
import { userCredentials } from "../kernel/credentials.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { SystemIdentity } from "../kernel/proc-source.ts";
import type { FileSystem } from "../vfs/file-system.ts";
import { registerMountType } from "../vfs/mount-types.ts";

/** One mount to make: in this order, and before the user's own. */
export interface SystemMount {
  readonly target: string;
  readonly fs: FileSystem;
  readonly flags: number;
  readonly source: string;
}

const PRIVATE = MS_NOSUID | MS_NODEV | MS_NOEXEC;
const SHM_BYTES = 64 * 1024 * 1024;

/** Makes the file systems of one run and registers the drivers behind the device nodes. */
export function systemMounts(kernel: Kernel, identity: SystemIdentity, pts: FileSystem): SystemMount[] {
  registerMemoryDevices(kernel.random);
  const memoryBytes = hostMemory().total;
  const sys = new SysFileSystem({
    cpuCount: kernel.cpuCount,
    memoryBytes,
    get nowSec() {
      return kernel.clock.realtime().sec;
    },
  });
  const dev = new DevFileSystem(kernel.clock, { mode: 0o755, sizeBytes: 65536 * 1024 }, userCredentials(0, 0));
  const proc = new ProcFileSystem(
    () =>
      new (require("../kernel/proc-source.ts") as typeof import("../kernel/proc-source.ts")).KernelProcSource(
        kernel,
        identity,
      ),
    () => kernel.clock.realtime().sec,
  );
  registerMountTypes(kernel, proc, sys, dev, pts);
  const shm = new Tmpfs(kernel.clock, { sizeBytes: SHM_BYTES });
  return [
    { target: "/proc", fs: proc, flags: PRIVATE, source: "proc" },
    { target: "/sys", fs: sys, flags: PRIVATE | MS_RDONLY, source: "sysfs" },
    { target: "/dev", fs: dev, flags: MS_NOSUID, source: "tmpfs" },
    { target: "/dev/pts", fs: pts, flags: MS_NOSUID | MS_NOEXEC, source: "devpts" },
    { target: "/dev/shm", fs: shm, flags: PRIVATE, source: "shm" },
  ];
}

/** What mount(2) can make. Like every mount of Linux, a second proc, sysfs or devtmpfs shows the same tree. */
function registerMountTypes(kernel: Kernel, proc: FileSystem, sys: FileSystem, dev: FileSystem, pts: FileSystem): void {
  registerMountType("tmpfs", (_source, data) => {
    const options = parseTmpfsOptions(data);
    return typeof options === "number" ? options : new Tmpfs(kernel.clock, options);
  });
  registerMountType("proc", () => proc);
  registerMountType("sysfs", () => sys);
  registerMountType("devtmpfs", () => dev);
  registerMountType("devpts", () => pts);
}
