// Sessions and process groups (setpgid(2), setsid(2), credentials(7)). They live as long as they have members.

import type { ThreadGroup } from "./thread-group.ts";

/** What a session knows of its controlling terminal; implemented by the tty room. */
export interface ControllingTerminal {
  /** The session leader has exited or given the terminal up. */
  disassociate(session: Session): void;
}

export class Session {
  readonly sid: number;
  leader: ThreadGroup | null;
  terminal: ControllingTerminal | null = null;
  /** Foreground process group of the terminal: 0 when there is none. */
  foregroundPgid = 0;

  constructor(leader: ThreadGroup) {
    this.sid = leader.tgid;
    this.leader = leader;
  }
}

export class ProcessGroup {
  readonly pgid: number;
  readonly session: Session;
  readonly members = new Set<ThreadGroup>();

  constructor(pgid: number, session: Session) {
    this.pgid = pgid;
    this.session = session;
  }

  /**
   * No member has a parent in another group of the same session: nobody would continue stopped members.
   * `ignoring` is a group that is just leaving or dying.
   */
  isOrphaned(ignoring: ThreadGroup | null): boolean {
    for (const group of this.members) {
      if (group === ignoring || group.exited) continue;
      const parent = group.parent;
      if (parent === null && group.isInit && group.leader.kernel.outside?.continues()) return false;
      if (parent === null || group.adopted) continue;
      if (parent.processGroup !== this && parent.processGroup.session === this.session) return false;
    }
    return true;
  }

  get hasStoppedMember(): boolean {
    for (const group of this.members) if (group.stopped) return true;
    return false;
  }
}
