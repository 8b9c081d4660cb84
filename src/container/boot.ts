// Boots with a directory of the host as the guest's root, for run-elf: the guest is a program of this machine.

import { EACCES, ENOTDIR } from "../abi/errno.ts";
import { MS_RDONLY } from "../abi/mount.ts";
import type { Engine } from "../cpu/cpu.ts";
import type { HostFileSystem } from "../fs/host/host-file-system.ts";
import { inheritedFile } from "../fs/host/stdio.ts";
import { hostIdentity, hostName } from "../host/identity.ts";
import { inheritedDescriptors } from "../host/process.ts";
import { userCredentials } from "../kernel/credentials.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { Task } from "../kernel/task.ts";
import type { Observer } from "../trace/observer.ts";
import { FdTable } from "../vfs/fd-table.ts";
import { DIRECTORY, FOLLOW, walk } from "../vfs/namei.ts";
import { BootError } from "./boot-error.ts";
import { createFirst, startMachine } from "./machine.ts";
import { hostTree, placeFor } from "./mounting.ts";
import { mountSystem } from "./system-mounts.ts";

/** A host directory or file that the guest sees at `target`, an absolute path. */
export interface Bind {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

export interface BootOptions {
  /** Directory of the host that is "/" for the guest. */
  readonly root: string;
  readonly binds: readonly Bind[];
  /** Working directory, an absolute path in the guest. */
  readonly cwd: string;
  readonly engine: Engine;
  /** How many CPUs the guest has; null: as many as carrick may use. */
  readonly cpus: number | null;
  /** Watches the run: a trace, a counter. */
  readonly observer: Observer | null;
}

/** A kernel that is ready to load its first program. */
export interface Booted {
  readonly kernel: Kernel;
  readonly init: Task;
}

/** Boots: nothing of the guest has run yet. Throws BootError. */
export function boot(options: BootOptions): Booted {
  const inherited = inheritedDescriptors();
  const who = hostIdentity();
  let root!: HostFileSystem;
  const machine = startMachine({
    hostname: hostName(),
    isolated: false,
    credentials: userCredentials(who.euid, who.egid, who.groups),
    umask: null,
    engine: options.engine,
    cpus: options.cpus,
    observer: options.observer,
    root: (poller) => {
      root = hostTree(options.root, poller);
      return { fs: root, source: "host" };
    },
  });
  const { kernel, mounts, fs, poller, terminals } = machine;
  for (const m of machine.systemMounts) mountSystem(mounts, placeFor(mounts, fs, m.target), m);
  for (const bind of options.binds) {
    const tree = hostTree(bind.source, poller, { readOnly: bind.readOnly });
    mounts.mount(tree, placeFor(mounts, fs, bind.target), bind.readOnly ? MS_RDONLY : 0, bind.source);
  }
  const cwd = walk(fs, fs.root, options.cwd, FOLLOW | DIRECTORY);
  if (typeof cwd === "number") throw new BootError(`the working directory ${options.cwd} ${whyNotThere(cwd)}`);
  fs.cwd = cwd;

  const files = new FdTable(1024);
  for (const fd of [0, 1, 2, ...inherited]) {
    const file = inheritedFile(root, fd);
    if (typeof file !== "number") files.installAt(fd, file, false);
  }
  const init = createFirst(machine, files);
  terminals.attach(files, poller, () => walk(fs, fs.root, "/dev/console", FOLLOW));
  return { kernel, init };
}

function whyNotThere(error: number): string {
  if (error === -ENOTDIR) return "is not a directory";
  return error === -EACCES ? "may not be entered" : "does not exist in the guest";
}
