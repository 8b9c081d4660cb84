// A task as proc shows it.

import { AUDIT_UNSET } from "../abi/audit.ts";
import { NSIG, SIG_DFL, SIG_IGN } from "../abi/signal.ts";
import type { ProcTask, SignalSet } from "../fs/proc/source.ts";
import type { AddressSpace } from "../mm/address-space.ts";
import type { FsContext } from "../vfs/context.ts";
import type { Credentials } from "../vfs/credentials.ts";
import type { FdTable } from "../vfs/fd-table.ts";
import { openFileOf } from "../vfs/file-mapping.ts";
import type { Path } from "../vfs/path.ts";
import { signalBit } from "./sig-info.ts";
import { type Task, TaskState } from "./task.ts";
import type { Usage } from "./usage.ts";

const STATE_LETTERS: Readonly<Record<number, string>> = {
  [TaskState.runnable]: "R",
  [TaskState.blocked]: "S",
  [TaskState.stopped]: "T",
  [TaskState.traced]: "t",
  [TaskState.zombie]: "Z",
  [TaskState.dead]: "X",
};

/** A terminal as proc names it; what the tty room hangs on a session. */
interface NumberedTerminal {
  readonly dev?: number;
}

export class TaskView implements ProcTask {
  private readonly task: Task;

  constructor(task: Task) {
    this.task = task;
  }

  get tid(): number {
    return this.task.tid;
  }
  get tgid(): number {
    return this.task.tgid;
  }
  get ppid(): number {
    return this.task.group.parent?.tgid ?? 0;
  }
  get tracerPid(): number {
    return this.task.trace?.tracer.tid ?? 0;
  }
  get pgid(): number {
    return this.task.group.pgid;
  }
  get sid(): number {
    return this.task.group.sid;
  }
  get ttyDev(): number {
    return (this.task.group.session.terminal as NumberedTerminal | null)?.dev ?? 0;
  }
  get ttyForeground(): number {
    const session = this.task.group.session;
    return session.terminal === null ? -1 : session.foregroundPgid;
  }
  get alive(): boolean {
    return this.task.kernel.pids.task(this.task.tid) === this.task;
  }
  get state(): string {
    const { task } = this;
    if (task.state === TaskState.blocked && task.op?.killableOnly === true) return "D";
    return STATE_LETTERS[task.state] ?? "S";
  }
  get comm(): string {
    return this.task.comm;
  }
  set comm(name: string) {
    this.task.comm = name;
  }
  get cred(): Credentials {
    return this.task.cred;
  }
  get umask(): number {
    return this.task.fs.umask;
  }
  get mm(): AddressSpace | null {
    return this.task.alive ? this.task.mm : null;
  }
  get files(): FdTable | null {
    return this.task.alive ? this.task.files : null;
  }
  get fs(): FsContext | null {
    return this.task.alive ? this.task.fs : null;
  }
  get exe(): Path | null {
    const program = this.task.alive ? this.task.mm.exe : null;
    return program === null ? null : (openFileOf(program)?.path ?? null);
  }
  get wchan(): string {
    const { op, state } = this.task;
    return state === TaskState.blocked && op !== null ? op.constructor.name : "0";
  }
  threads(): readonly number[] {
    const tids = this.task.group.tasks.map((task) => task.tid);
    return tids.length > 0 ? tids : [this.task.tid];
  }
  get exitSignal(): number {
    return this.task.tid === this.task.tgid ? this.task.group.exitSignal : -1;
  }
  get exitStatus(): number {
    return this.task.group.exitStatus;
  }
  get nice(): number {
    return this.task.nice;
  }
  get rtPriority(): number {
    return this.task.rtPriority;
  }
  get policy(): number {
    return this.task.policy;
  }
  get affinity(): number {
    return this.task.affinity;
  }
  get lastCpu(): number {
    return this.task.cpu;
  }
  get noNewPrivs(): boolean {
    return this.task.noNewPrivs;
  }
  get seccompMode(): number {
    return this.task.seccomp?.mode ?? 0;
  }
  get seccompFilters(): number {
    return this.task.seccomp?.filter?.count ?? 0;
  }
  get personality(): number {
    return this.task.personality;
  }
  get loginUid(): number {
    return this.task.loginUid;
  }
  get auditSession(): number {
    return this.task.auditSession;
  }
  setLoginUid(uid: number): void {
    const { task } = this;
    task.loginUid = uid;
    task.auditSession = uid === AUDIT_UNSET ? AUDIT_UNSET : ++task.kernel.auditSessions;
  }
  get oomScoreAdj(): number {
    return this.task.group.oomScoreAdj;
  }
  set oomScoreAdj(value: number) {
    this.task.group.oomScoreAdj = value;
  }
  get coredumpFilter(): number {
    return this.task.group.coredumpFilter;
  }
  set coredumpFilter(bits: number) {
    this.task.group.coredumpFilter = bits;
  }
  get timerSlackNs(): number {
    return this.task.timerSlackNs;
  }
  set timerSlackNs(value: number) {
    this.task.timerSlackNs = value;
  }
  get startNs(): number {
    return this.task.startNs;
  }

  private get total(): Usage {
    return this.task.group.totalUsage();
  }
  private get children(): Usage {
    return this.task.group.childrenUsage;
  }
  get utimeNs(): number {
    return this.task.usage.utimeNs;
  }
  get stimeNs(): number {
    return this.task.usage.stimeNs;
  }
  get groupUtimeNs(): number {
    return this.total.utimeNs;
  }
  get groupStimeNs(): number {
    return this.total.stimeNs;
  }
  get childUtimeNs(): number {
    return this.children.utimeNs;
  }
  get childStimeNs(): number {
    return this.children.stimeNs;
  }
  get minorFaults(): number {
    return this.task.alive ? this.task.mm.minorFaults : this.task.usage.minorFaults;
  }
  get majorFaults(): number {
    return this.task.alive ? this.task.mm.majorFaults : this.task.usage.majorFaults;
  }
  get childMinorFaults(): number {
    return this.children.minorFaults;
  }
  get childMajorFaults(): number {
    return this.children.majorFaults;
  }
  get voluntarySwitches(): number {
    return this.task.usage.voluntarySwitches;
  }
  get involuntarySwitches(): number {
    return this.task.usage.involuntarySwitches;
  }

  get pending(): SignalSet {
    return [this.task.pending.lo, this.task.pending.hi];
  }
  get sharedPending(): SignalSet {
    return [this.task.group.pending.lo, this.task.group.pending.hi];
  }
  get blocked(): SignalSet {
    return [this.task.blockedLo, this.task.blockedHi];
  }
  get ignored(): SignalSet {
    return this.actions((handler) => handler === SIG_IGN);
  }
  get caught(): SignalSet {
    return this.actions((handler) => handler !== SIG_IGN && handler !== SIG_DFL);
  }
  get queuedSignals(): number {
    return this.task.pending.count + this.task.group.pending.count;
  }

  /** The set of signals whose handler satisfies `test`. */
  private actions(test: (handler: number) => boolean): SignalSet {
    let lo = 0;
    let hi = 0;
    for (let signal = 1; signal <= NSIG; signal++) {
      if (!test(this.task.group.actions.get(signal).handler)) continue;
      if (signal <= 32) lo |= signalBit(signal);
      else hi |= signalBit(signal);
    }
    return [lo, hi];
  }

  limit(resource: number): readonly [number, number] {
    const limits = this.task.group.limits;
    return [limits.get(resource), limits.max(resource)];
  }
}
