// `-t`: a pseudo terminal of the guest's is the command's terminal, and carrick carries bytes between its master and the terminal that
// carrick itself was started on, which is raw meanwhile. Line editing, echo and signals are the guest's line discipline's.

import { EAGAIN } from "../abi/errno.ts";
import { O_RDWR } from "../abi/fcntl.ts";
import { WINSIZE_BYTES } from "../abi/termios.ts";
import { files as host } from "../host/files.ts";
import { HostPoller } from "../host/poller.ts";
import { terminal } from "../host/terminal.ts";
import type { Kernel } from "../kernel/kernel.ts";
import { KernelBuffer } from "../mm/kernel-buffer.ts";
import { MasterFile, type Pty } from "../tty/pty.ts";
import type { FdTable } from "../vfs/fd-table.ts";
import { FOLLOW, walk } from "../vfs/namei.ts";
import { openPath } from "../vfs/open.ts";
import { BootError } from "./boot-error.ts";
import type { ContainerUser } from "./image-users.ts";
import type { Machine } from "./machine.ts";

const IN = 0;
const OUT = 1;
const POLLIN = 1;
const POLLOUT = 4;
const CHUNK = 4096;
const END_OF_INPUT = 0x04;
/** How often a full terminal or a full line is tried again. */
const RETRY_NS = 10_000_000;

export class TerminalBridge {
  private readonly kernel: Kernel;
  private readonly master: MasterFile;
  private readonly pty: Pty;
  private readonly poller: HostPoller;
  private readonly input = new KernelBuffer(new Uint8Array(CHUNK));
  private readonly output = new KernelBuffer(new Uint8Array(CHUNK));
  private inputEnded: boolean;
  private scheduled = false;
  private token = -1;

  private constructor(machine: Machine, master: MasterFile, interactive: boolean) {
    this.kernel = machine.kernel;
    this.poller = machine.poller;
    this.master = master;
    this.pty = master.pty;
    this.input.rewind(0, 0);
    this.output.rewind(0, 0);
    this.inputEnded = !interactive;
    this.pty.masterQueue.add({ wake: () => this.schedule() });
  }

  /** Makes the terminal the standard streams of the first process. Throws BootError. */
  static open(machine: Machine, files: FdTable, user: ContainerUser, interactive: boolean): TerminalBridge {
    if (interactive && !terminal.isTerminal(IN))
      throw new BootError("-t and -i together need a terminal as standard input");
    const { fs, terminals } = machine;
    const place = walk(fs, fs.root, "/dev/pts/ptmx", FOLLOW);
    const master = typeof place === "number" ? place : terminals.pts.openMaster(place.dentry.inode, O_RDWR);
    if (!(master instanceof MasterFile)) throw new BootError("the guest gives no terminal");
    master.pty.locked = false;
    terminals.console = master.pty;
    terminals.pts.slave(master.pty.index)?.setAttributes({ uid: user.uid });
    const bridge = new TerminalBridge(machine, master, interactive);
    bridge.resize();
    const slave = openPath(fs, fs.root, `/dev/pts/${master.pty.index}`, O_RDWR, 0);
    if (typeof slave === "number") throw new BootError("the guest gives no terminal");
    for (const fd of [0, 1, 2]) files.installAt(fd, fd === 0 ? slave : slave.ref(), false);
    bridge.start();
    return bridge;
  }

  private start(): void {
    if (this.inputEnded) return;
    terminal.raw(IN);
    this.token = this.poller.watch(IN, POLLIN, { wake: () => this.schedule() });
    this.schedule();
  }

  /** The window of carrick's terminal has changed. */
  resize(): void {
    const size = terminal.windowSize(terminal.isTerminal(OUT) ? OUT : IN);
    if (typeof size === "number") return;
    const winsize = new Uint16Array([size.rows, size.columns, size.xPixels, size.yPixels]);
    this.pty.resize(new Uint8Array(winsize.buffer, 0, WINSIZE_BYTES));
  }

  /** Bytes move from the kernel's loop, not from inside the call that caused them: a burst becomes one write. */
  private schedule(delayNs = 0): void {
    if (this.scheduled) return;
    this.scheduled = true;
    this.kernel.timers.add(this.kernel.clock.monotonicNs() + delayNs, () => {
      this.scheduled = false;
      const more = this.pumpOutput() || this.pumpInput();
      if (more) this.schedule(RETRY_NS);
    });
  }

  /** Whether something is left that the terminal does not take now. */
  private pumpOutput(): boolean {
    for (;;) {
      if (this.output.remaining === 0) {
        const n = this.master.read(this.output.rewind(0, CHUNK));
        this.output.rewind(0, Math.max(0, n));
        if (n <= 0) return false;
      }
      if (HostPoller.ready(OUT, POLLOUT) === 0) return true;
      const n = this.output.hostWrite(OUT, -1);
      if (n === -EAGAIN) return true;
      // Nobody sees it any more.
      if (n < 0) this.output.rewind(0, 0);
    }
  }

  /** Whether something is left that the line does not take now. */
  private pumpInput(): boolean {
    for (;;) {
      if (this.input.remaining === 0) {
        if (this.inputEnded || HostPoller.ready(IN, POLLIN) === 0) return false;
        const n = host.read(IN, this.input.bytes, 0, CHUNK, -1);
        if (n === -EAGAIN) return false;
        if (n <= 0) this.endInput();
        this.input.rewind(0, Math.max(n, n <= 0 ? 1 : 0));
      }
      if (this.master.write(this.input) === -EAGAIN) return true;
    }
  }

  /** The terminal is gone: the guest's line ends too. */
  private endInput(): void {
    this.inputEnded = true;
    this.input.bytes[0] = END_OF_INPUT;
    if (this.token >= 0) this.poller.unwatch(this.token);
    this.token = -1;
  }

  /** The run is over: shows what is left, and gives the terminal back. */
  close(): void {
    for (let tries = 0; this.pumpOutput() && tries < 1000; tries += 1) Bun.sleepSync(1);
    terminal.restore();
  }
}
