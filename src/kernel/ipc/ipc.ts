// The System V IPC objects of a kernel (struct ipc_namespace).

import { MSGMNI, SEMMNI, SHMMNI } from "../../abi/ipc.ts";
import type { Kernel } from "../kernel.ts";
import type { MessageQueue } from "./messages.ts";
import { IpcSet } from "./objects.ts";
import type { Segment } from "./segments.ts";
import type { SemaphoreSet } from "./semaphores.ts";

export class Ipc {
  readonly segments = new IpcSet<Segment>(SHMMNI);
  readonly semaphores = new IpcSet<SemaphoreSet>(SEMMNI);
  readonly queues = new IpcSet<MessageQueue>(MSGMNI);
}

const ipcs = new WeakMap<Kernel, Ipc>();

export function ipcOf(kernel: Kernel): Ipc {
  let ipc = ipcs.get(kernel);
  if (ipc === undefined) {
    ipc = new Ipc();
    ipcs.set(kernel, ipc);
  }
  return ipc;
}
