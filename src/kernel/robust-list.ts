// Robust futexes of a dying thread (kernel/futex/core.c exit_robust_list): locks that it holds are marked
// FUTEX_OWNER_DIED, and one waiter of each is woken.

import * as E from "../abi/errno.ts";
import * as F from "../abi/futex.ts";
import { scratch } from "../host/scratch.ts";
import { abandonPi } from "./futex-pi.ts";
import { compareExchange, loadWord } from "./futex-word.ts";
import type { Task } from "./task.ts";

/** struct robust_list_head: list.next, futex_offset, list_op_pending. The low bit of a pointer marks a PI lock. */
export function releaseRobustList(task: Task): void {
  const head = task.robustList;
  task.robustList = 0;
  if (head === 0) return;
  const { mm } = task;
  if (mm.copyIn(head, F.ROBUST_LIST_HEAD_BYTES) < 0) return;
  const first = scratch.getU64(0);
  const offset = scratch.getI64(8);
  const pending = scratch.getU64(16);
  let entry = first;
  for (let limit = F.ROBUST_LIST_LIMIT; limit > 0; limit--) {
    const node = entry - (entry % 2);
    if (node === head) break;
    const next = mm.readU64(node);
    const isPending = node === pending - (pending % 2);
    if (!isPending && !releaseWord(task, node + offset, entry % 2 !== 0, false)) return;
    if (next < 0) break;
    entry = next;
  }
  if (pending !== 0) releaseWord(task, pending - (pending % 2) + offset, pending % 2 !== 0, true);
}

/** handle_futex_death. False when the word cannot be accessed. */
function releaseWord(task: Task, addr: number, pi: boolean, pendingOp: boolean): boolean {
  if (addr % 4 !== 0) return false;
  const { futexes } = task.kernel;
  for (;;) {
    const word = loadWord(task.mm, addr);
    if (word < 0) return false;
    const owner = word & F.FUTEX_TID_MASK;
    if (pendingOp && !pi && owner === 0) {
      futexes.wakeAddress(task.mm, addr, 1);
      return true;
    }
    if (owner !== task.tid) return true;
    if (pi && abandonPi(task, addr, word)) return true;
    const error = compareExchange(task.mm, addr, word, (word & F.FUTEX_WAITERS) | F.FUTEX_OWNER_DIED);
    if (error === -E.EAGAIN) continue;
    if (error < 0) return false;
    if (!pi && (word & F.FUTEX_WAITERS) !== 0) futexes.wakeAddress(task.mm, addr, 1);
    return true;
  }
}
