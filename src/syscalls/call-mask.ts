// The signal mask that ppoll, pselect6 and epoll_pwait use while they wait (set_user_sigmask,
// restore_saved_sigmask_unless).

import { EFAULT, EINTR, EINVAL, ERESTARTNOHAND } from "../abi/errno.ts";
import { type Task, Work } from "../kernel/task.ts";
import { setBlocked } from "../kernel/task-signals.ts";
import { swapMask } from "./signals.ts";

const SIGSET_BYTES = 8;
const words = new Int32Array(2);
const bytes = new Uint8Array(words.buffer);

/** Installs the mask at `addr`, if there is one. 0, -EINVAL, -EFAULT. */
export function useCallMask(task: Task, addr: number, sizeBytes: number): number {
  if (addr === 0) return 0;
  if (sizeBytes !== SIGSET_BYTES) return -EINVAL;
  if (task.mm.copyInBytes(addr, bytes, 0, SIGSET_BYTES) !== SIGSET_BYTES) return -EFAULT;
  swapMask(task, words[0]!, words[1]!);
  return 0;
}

/**
 * The call ends with `result`: unless a signal ended it, the old mask comes back at once, and what only the new mask
 * lets through stays pending. Returns `result`.
 */
export function callMaskDone(task: Task, result: number): number {
  if ((task.work & Work.restoreMask) === 0 || result === -ERESTARTNOHAND || result === -EINTR) return result;
  task.work &= ~Work.restoreMask;
  setBlocked(task, task.savedLo, task.savedHi);
  return result;
}
