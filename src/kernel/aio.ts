// Contexts of asynchronous input and output (io_setup(2), fs/aio.c). Requests are done when they are submitted, as Linux does those
// on buffered files: what is asynchronous is only how a program hears of them.

import { EINTR, EINVAL } from "../abi/errno.ts";
import { WaitQueue } from "../lib/wait-queue.ts";
import type { AddressSpace } from "../mm/address-space.ts";
import { type Op, Wake } from "./op.ts";
import type { Task } from "./task.ts";

/** struct io_event: the request's own 64 bits, its address, and the result. */
export interface Completion {
  readonly dataLo: number;
  readonly dataHi: number;
  readonly request: number;
  readonly result: number;
}

export class AioContext {
  readonly capacity: number;
  readonly done: Completion[] = [];
  readonly arrived = new WaitQueue();
  destroyed = false;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  add(completion: Completion): void {
    this.done.push(completion);
    this.arrived.wake();
  }
}

/** Contexts by their addresses; a child of fork has none, as it has another address space. */
const contexts = new WeakMap<AddressSpace, Map<number, AioContext>>();

export function contextsOf(mm: AddressSpace): Map<number, AioContext> {
  let found = contexts.get(mm);
  if (found === undefined) {
    found = new Map();
    contexts.set(mm, found);
  }
  return found;
}

/** Waits until `min` completions are there or the time is over, then hands out those that are there. */
export class GetEventsOp implements Op {
  private readonly context: AioContext;
  private readonly min: number;
  private readonly deadlineNs: number;
  private readonly give: (task: Task) => number;
  private readonly finish: (task: Task, result: number) => number;

  /** `finish` sees the result last. */
  constructor(
    context: AioContext,
    min: number,
    deadlineNs: number,
    give: (task: Task) => number,
    finish: (task: Task, result: number) => number,
  ) {
    this.context = context;
    this.min = min;
    this.deadlineNs = deadlineNs;
    this.give = give;
    this.finish = finish;
  }

  resume(task: Task, wake: Wake): number {
    const { context } = this;
    if (context.destroyed) return this.finish(task, -EINVAL);
    const enough = context.done.length >= this.min || wake === Wake.timeout;
    if (!enough && wake === Wake.event) return task.block(this, context.arrived, this.deadlineNs);
    // A signal ends the wait with what there is.
    const count = this.give(task);
    return this.finish(task, count === 0 && wake === Wake.signal ? -EINTR : count);
  }
}
