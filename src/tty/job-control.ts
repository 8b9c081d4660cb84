// What terminals need to know of processes: declared here because tty is the lower room, implemented in
// kernel/tty-jobs.ts. "Current" is the process whose call runs.

import type { Terminal } from "./terminal.ts";

export interface JobControl {
  /** Process group and session of the current process. */
  readonly pgid: number;
  readonly sid: number;
  readonly isSessionLeader: boolean;
  /** The controlling terminal of the current process's session. */
  readonly terminal: Terminal | null;
  /** May it take a terminal from another session (CAP_SYS_ADMIN)? */
  readonly privileged: boolean;
  /** Whether the current process neither ignores nor blocks the signal. */
  feels(signal: number): boolean;
  /** Whether nobody would continue the current process group if it stopped. */
  readonly orphaned: boolean;
  /** Makes `terminal` the controlling one of the current session, and the current group its foreground. */
  acquire(terminal: Terminal): void;
  /** Session `sid` loses its terminal; `hangUp` sends its foreground group SIGHUP and SIGCONT. */
  release(sid: number, hangUp: boolean): void;
  /** Foreground process group of session `sid`, 0 for none. */
  foreground(sid: number): number;
  setForeground(sid: number, pgid: number): void;
  /** Session that process group `pgid` belongs to; 0 when there is no such group. */
  sessionOf(pgid: number): number;
  signal(pgid: number, signal: number): void;
  /** Monotonic clock and timers for VTIME. */
  nowNs(): number;
  after(deadlineNs: number, fire: () => void): () => void;
}
