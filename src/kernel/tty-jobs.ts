// Sessions and process groups for the tty room.

import { CAP_SYS_ADMIN } from "../abi/capability.ts";
import { SIG_IGN, SIGCONT, SIGHUP } from "../abi/signal.ts";
import type { JobControl } from "../tty/job-control.ts";
import type { Terminal } from "../tty/terminal.ts";
import { capable } from "../vfs/permission.ts";
import type { Kernel } from "./kernel.ts";
import type { ProcessGroup, Session } from "./process-group.ts";
import { inMask } from "./sig-info.ts";
import type { Task } from "./task.ts";
import { sendToProcessGroup } from "./task-signals.ts";
import type { ThreadGroup } from "./thread-group.ts";

export class KernelJobs implements JobControl {
  private readonly kernel: Kernel;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  private get task(): Task | null {
    return this.kernel.scheduler.current;
  }

  /** The process whose call runs; before any runs, the first one. */
  private get group(): ThreadGroup {
    return this.task?.group ?? this.kernel.init!;
  }

  private session(sid: number): Session | undefined {
    for (const group of this.kernel.pids.allGroups()) if (group.sid === sid) return group.session;
    return undefined;
  }

  private processGroup(pgid: number): ProcessGroup | undefined {
    return this.kernel.pids.processGroup(pgid);
  }

  get pgid(): number {
    return this.group.pgid;
  }
  get sid(): number {
    return this.group.sid;
  }
  get isSessionLeader(): boolean {
    return this.group.session.leader === this.group;
  }
  get terminal(): Terminal | null {
    return this.group.session.terminal as Terminal | null;
  }
  get privileged(): boolean {
    return capable(this.group.leader.cred, CAP_SYS_ADMIN);
  }
  get orphaned(): boolean {
    return this.group.processGroup.isOrphaned(null);
  }

  feels(signal: number): boolean {
    const task = this.task ?? this.group.leader;
    if (inMask(task.blockedLo, task.blockedHi, signal)) return false;
    return this.group.actions.get(signal).handler !== SIG_IGN;
  }

  acquire(terminal: Terminal): void {
    const { session } = this.group;
    session.terminal = terminal;
    session.foregroundPgid = this.group.pgid;
    terminal.sid = session.sid;
  }

  release(sid: number, hangUp: boolean): void {
    const session = this.session(sid);
    if (session === undefined) return;
    const foreground = this.processGroup(session.foregroundPgid);
    session.terminal?.disassociate(session);
    session.terminal = null;
    session.foregroundPgid = 0;
    if (!hangUp || foreground === undefined) return;
    sendToProcessGroup(foreground, SIGHUP);
    sendToProcessGroup(foreground, SIGCONT);
  }

  foreground(sid: number): number {
    return this.session(sid)?.foregroundPgid ?? 0;
  }

  setForeground(sid: number, pgid: number): void {
    const session = this.session(sid);
    if (session !== undefined) session.foregroundPgid = pgid;
  }

  sessionOf(pgid: number): number {
    return this.processGroup(pgid)?.session.sid ?? 0;
  }

  signal(pgid: number, signal: number): void {
    const group = this.processGroup(pgid);
    if (group !== undefined) sendToProcessGroup(group, signal);
  }

  nowNs(): number {
    return this.kernel.clock.monotonicNs();
  }

  after(deadlineNs: number, fire: () => void): () => void {
    const timer = this.kernel.timers.add(deadlineNs, fire);
    return () => this.kernel.timers.cancel(timer);
  }
}
