// The system's file systems themselves. Most programs look into none of them: all are made when one is first entered.

import { DevFileSystem } from "../fs/dev/dev-tree.ts";
import { ProcFileSystem } from "../fs/proc/proc-fs.ts";
import { SysFileSystem } from "../fs/sys/sys-fs.ts";
import { parseTmpfsOptions, Tmpfs } from "../fs/tmpfs/tmpfs.ts";
import { hostMemory } from "../host/identity.ts";
import { userCredentials } from "../kernel/credentials.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { SystemIdentity } from "../kernel/proc-source.ts";
import type { FileSystem } from "../vfs/file-system.ts";

const DEV_BYTES = 65536 * 1024;
const SHM_BYTES = 64 * 1024 * 1024;

export interface SystemTrees {
  readonly proc: FileSystem;
  readonly sys: FileSystem;
  readonly dev: FileSystem;
  readonly shm: FileSystem;
}

export function makeTrees(kernel: Kernel, identity: SystemIdentity): SystemTrees {
  const { clock } = kernel;
  const nowSec = (): number => clock.realtime().sec;
  const memoryBytes = hostMemory().total;
  const sys = new SysFileSystem({
    cpuCount: kernel.cpuCount,
    memoryBytes,
    get nowSec() {
      return nowSec();
    },
  });
  const dev = new DevFileSystem(clock, { mode: 0o755, sizeBytes: DEV_BYTES }, userCredentials(0, 0));
  const proc = new ProcFileSystem(
    () =>
      new (require("../kernel/proc-source.ts") as typeof import("../kernel/proc-source.ts")).KernelProcSource(
        kernel,
        identity,
      ),
    nowSec,
  );
  return { proc, sys, dev, shm: new Tmpfs(clock, { sizeBytes: SHM_BYTES }) };
}

/** What mount(2) makes of the options of a tmpfs: a file system, or -errno. */
export function makeTmpfs(kernel: Kernel, data: string): FileSystem | number {
  const options = parseTmpfsOptions(data);
  return typeof options === "number" ? options : new Tmpfs(kernel.clock, options);
}
