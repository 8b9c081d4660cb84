// Contexts of asynchronous input and output (io_setup(2), fs/aio.c). Requests are done when they are submitted, as Linux does those
// on buffered files: what is asynchronous is only how a program hears of them.

import { EFAULT, EINTR, EINVAL } from "../abi/errno.ts";
import { scratch } from "../host/scratch.ts";
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

/** struct aio_ring, at the context's address: programs look into it, and some (QEMU) take events out of it without any call. */
export const RING_BYTES = 32;
export const EVENT_BYTES = 32;
const [NR, HEAD, TAIL, MAGIC, COMPAT, LENGTH] = [4, 8, 12, 16, 20, 28] as const;
const RING_MAGIC = 0xa10a10a1;

export class AioContext {
  /** How many requests io_setup(2) was asked for. */
  readonly requests: number;
  readonly arrived = new WaitQueue();
  destroyed = false;
  private readonly mm: AddressSpace;
  private readonly ring: number;
  private readonly slots: number;
  /** The kernel's own, of which the ring's is a copy. */
  private tail = 0;

  /** `ring` is zeroed memory with room for so many `slots`. */
  constructor(mm: AddressSpace, ring: number, slots: number, requests: number) {
    this.mm = mm;
    this.ring = ring;
    this.slots = slots;
    this.requests = requests;
    mm.writeU32(ring + NR, slots);
    mm.writeU32(ring + MAGIC, RING_MAGIC);
    mm.writeU32(ring + COMPAT, 1);
    mm.writeU32(ring + LENGTH, RING_BYTES);
  }

  private get head(): number {
    const head = this.mm.readU32(this.ring + HEAD);
    return head < 0 ? this.tail : head % this.slots;
  }

  /** Events that nobody has taken. */
  get count(): number {
    return (this.tail + this.slots - this.head) % this.slots;
  }

  get ringBytes(): number {
    return RING_BYTES + EVENT_BYTES * this.slots;
  }

  get full(): boolean {
    return this.count === this.slots - 1;
  }

  add({ dataLo, dataHi, request, result }: Completion): void {
    scratch.i32[0] = dataLo;
    scratch.i32[1] = dataHi;
    scratch.setU64(8, request);
    scratch.i32[4] = result;
    scratch.i32[5] = result < 0 ? -1 : 0;
    scratch.setU64(24, 0);
    this.mm.copyOut(this.ring + RING_BYTES + EVENT_BYTES * this.tail, EVENT_BYTES);
    this.tail = (this.tail + 1) % this.slots;
    this.mm.writeU32(this.ring + TAIL, this.tail);
    this.arrived.wake();
  }

  /** Moves up to `max` events to `addr`: their number, or -EFAULT for none. */
  take(max: number, addr: number): number {
    const { mm, slots } = this;
    let head = this.head;
    let taken = 0;
    for (; taken < max && head !== this.tail; taken += 1) {
      if (mm.copyIn(this.ring + RING_BYTES + EVENT_BYTES * head, EVENT_BYTES) < 0) return -EFAULT;
      if (mm.copyOut(addr + EVENT_BYTES * taken, EVENT_BYTES) < 0) break;
      head = (head + 1) % slots;
    }
    if (taken === 0 && max > 0 && head !== this.tail) return -EFAULT;
    mm.writeU32(this.ring + HEAD, head);
    return taken;
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
  private readonly max: number;
  private readonly events: number;
  private readonly deadlineNs: number;
  private readonly finish: (task: Task, result: number) => number;

  /** `finish` sees the result last. */
  constructor(
    context: AioContext,
    min: number,
    max: number,
    events: number,
    deadlineNs: number,
    finish: (task: Task, result: number) => number,
  ) {
    this.context = context;
    this.min = min;
    this.max = max;
    this.events = events;
    this.deadlineNs = deadlineNs;
    this.finish = finish;
  }

  resume(task: Task, wake: Wake): number {
    const { context } = this;
    if (context.destroyed) return this.finish(task, -EINVAL);
    const enough = context.count >= this.min || wake === Wake.timeout;
    if (!enough && wake === Wake.event) return task.block(this, context.arrived, this.deadlineNs);
    // A signal ends the wait with what there is.
    const count = context.take(this.max, this.events);
    return this.finish(task, count === 0 && wake === Wake.signal ? -EINTR : count);
  }
}
