// The terminals of a run: pseudo terminals, and carrick's own as the controlling terminal of the first process.

import { O_NONBLOCK } from "../abi/fcntl.ts";
import { HostStreamFile } from "../fs/host/host-stream.ts";
import { files as hostFiles } from "../host/files.ts";
import type { HostPoller } from "../host/poller.ts";
import { terminal as hostTerminal } from "../host/terminal.ts";
import type { Kernel } from "../kernel/kernel.ts";
import type { KernelJobs } from "../kernel/tty-jobs.ts";
import { registerTerminals } from "../tty/devices.ts";
import type { DevPts } from "../tty/devpts.ts";
import type { HostTerminal } from "../tty/host-terminal.ts";
import type { Terminal } from "../tty/terminal.ts";
import { makeDev } from "../vfs/devices.ts";
import type { FdTable } from "../vfs/fd-table.ts";
import type { Path } from "../vfs/path.ts";

const CONSOLE_DEV = makeDev(5, 1);

function loadHostTerminal(): typeof import("../tty/host-terminal.ts") {
  return require("../tty/host-terminal.ts");
}

export class Terminals {
  /** What /dev/console is, when it is not carrick's own terminal. */
  console: Terminal | null = null;
  private readonly kernel: Kernel;
  private madeJobs: KernelJobs | null = null;
  private madePts: DevPts | null = null;
  /** carrick's terminals by device number: the standard streams may be on the same one, or on several. */
  private readonly hosts = new Map<number, HostTerminal>();

  constructor(kernel: Kernel) {
    this.kernel = kernel;
    registerTerminals(this);
  }

  get jobs(): KernelJobs {
    this.madeJobs ??= new (require("../kernel/tty-jobs.ts") as typeof import("../kernel/tty-jobs.ts")).KernelJobs(
      this.kernel,
    );
    return this.madeJobs;
  }

  get pts(): DevPts {
    const { clock } = this.kernel;
    this.madePts ??= new (require("../tty/devpts.ts") as typeof import("../tty/devpts.ts")).DevPts(
      this.jobs,
      () => clock.realtime().sec,
    );
    return this.madePts;
  }

  /** What /dev/console is; null when carrick has no terminal. */
  get ours(): Terminal | null {
    return this.console ?? this.hosts.values().next().value ?? null;
  }

  /**
   * Makes terminals of those standard streams that are one; the first becomes the session's own. The guest knows them
   * by the name of `place`, that of /dev/console, if there is such a file.
   */
  attach(files: FdTable, poller: HostPoller, place: () => Path | number): void {
    for (let fd = 0; fd < 3; fd += 1) {
      const file = files.get(fd);
      if (!(file instanceof HostStreamFile) || !hostTerminal.isTerminal(file.hostFd)) continue;
      const stat = file.stat();
      if (typeof stat === "number") continue;
      const path = place();
      if (typeof path === "number") return;
      const terminal = this.hostTerminal(stat.rdev, file.hostFd, poller);
      const { HostTerminalFile } = loadHostTerminal();
      const opened = new HostTerminalFile(path.dentry.inode, file.ref(), terminal);
      opened.path = path;
      files.installAt(fd, opened, false);
    }
  }

  private hostTerminal(hostDev: number, fd: number, poller: HostPoller): HostTerminal {
    let terminal = this.hosts.get(hostDev);
    if (terminal !== undefined) return terminal;
    const own = hostFiles.duplicate(fd);
    const { HostTerminal } = loadHostTerminal();
    terminal = new HostTerminal(this.jobs, CONSOLE_DEV, own < 0 ? fd : own, (inode, flags) => {
      const opened = hostFiles.reopen(own < 0 ? fd : own, flags | O_NONBLOCK);
      return opened < 0 ? opened : new HostStreamFile(inode, flags, opened, poller, true);
    });
    this.hosts.set(hostDev, terminal);
    return terminal;
  }
}
