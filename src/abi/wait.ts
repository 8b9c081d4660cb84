// wait4(2) and waitid(2): options and the status word (include/uapi/linux/wait.h).

export const WNOHANG = 1;
export const WUNTRACED = 2;
export const WSTOPPED = 2;
export const WEXITED = 4;
export const WCONTINUED = 8;
export const WNOWAIT = 0x01000000;
export const __WNOTHREAD = 0x20000000;
export const __WALL = 0x40000000;
export const __WCLONE = 0x80000000;

export const P_ALL = 0;
export const P_PID = 1;
export const P_PGID = 2;
export const P_PIDFD = 3;

/** Added to the status when a core was dumped. */
export const WCOREFLAG = 0x80;

export function exitedStatus(code: number): number {
  return (code & 0xff) << 8;
}

export function stoppedStatus(signal: number): number {
  return (signal << 8) | 0x7f;
}

export const CONTINUED_STATUS = 0xffff;
