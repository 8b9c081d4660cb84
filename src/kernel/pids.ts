// Thread ids, and who they name: tasks, thread groups, process groups, sessions (kernel/pid.c).

import { ProcessGroup, Session } from "./process-group.ts";
import type { Task } from "./task.ts";
import type { ThreadGroup } from "./thread-group.ts";

/** As 64-bit Linux has it by default on small machines; /proc/sys/kernel/pid_max. */
export const PID_MAX = 32768;
const RESERVED_PIDS = 300;

export class Pids {
  private readonly tasks = new Map<number, Task>();
  private readonly groups = new Map<number, ThreadGroup>();
  private readonly processGroups = new Map<number, ProcessGroup>();
  private last = 0;
  /** Ids given out since the start: /proc/stat's count of forks. */
  allocations = 0;

  /** A free id, or -1 when all are taken. An id stays taken while a process group or session bears it. */
  allocate(): number {
    for (let tries = 0; tries < PID_MAX; tries++) {
      this.last += 1;
      if (this.last >= PID_MAX) this.last = RESERVED_PIDS;
      if (!this.isFree(this.last)) continue;
      this.allocations += 1;
      return this.last;
    }
    return -1;
  }

  /** Whether clone3's set_tid could have this id. */
  isFree(pid: number): boolean {
    return !this.tasks.has(pid) && !this.processGroups.has(pid);
  }

  /** The newest id. */
  get lastAllocated(): number {
    return this.last;
  }

  get taskCount(): number {
    return this.tasks.size;
  }

  task(tid: number): Task | undefined {
    return this.tasks.get(tid);
  }

  group(tgid: number): ThreadGroup | undefined {
    return this.groups.get(tgid);
  }

  processGroup(pgid: number): ProcessGroup | undefined {
    return this.processGroups.get(pgid);
  }

  allTasks(): IterableIterator<Task> {
    return this.tasks.values();
  }

  /** All thread groups, zombies too, in the order of their creation. */
  allGroups(): IterableIterator<ThreadGroup> {
    return this.groups.values();
  }

  addTask(task: Task): void {
    this.tasks.set(task.tid, task);
  }

  removeTask(task: Task): void {
    if (this.tasks.get(task.tid) === task) this.tasks.delete(task.tid);
  }

  addGroup(group: ThreadGroup): void {
    this.groups.set(group.tgid, group);
  }

  removeGroup(group: ThreadGroup): void {
    this.groups.delete(group.tgid);
    this.leave(group);
  }

  /** execve of a thread that is not the leader: the thread takes the leader's id. */
  renumber(task: Task, tid: number): void {
    this.removeTask(task);
    task.tid = tid;
    this.addTask(task);
  }

  /** Makes `group` the leader of a new session and process group. */
  newSession(group: ThreadGroup): Session {
    const session = new Session(group);
    this.move(group, new ProcessGroup(group.tgid, session));
    return session;
  }

  /** Puts `group` into process group `pgid` of its own session, which is made when it does not exist. */
  joinProcessGroup(group: ThreadGroup, pgid: number): void {
    const target = this.processGroups.get(pgid) ?? new ProcessGroup(pgid, group.processGroup.session);
    if (target !== group.processGroup) this.move(group, target);
  }

  /** A new group's first membership: that of its parent. */
  inherit(group: ThreadGroup, processGroup: ProcessGroup): void {
    group.processGroup = processGroup;
    processGroup.members.add(group);
  }

  private move(group: ThreadGroup, target: ProcessGroup): void {
    this.leave(group);
    this.processGroups.set(target.pgid, target);
    this.inherit(group, target);
  }

  private leave(group: ThreadGroup): void {
    const old = group.processGroup as ProcessGroup | undefined;
    if (old === undefined) return;
    old.members.delete(group);
    if (old.members.size === 0) this.processGroups.delete(old.pgid);
  }
}
