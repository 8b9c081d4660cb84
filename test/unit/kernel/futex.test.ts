import { beforeEach, describe, expect, test } from "bun:test";
import { EAGAIN, EDEADLK, EPERM, ETIMEDOUT } from "../../../src/abi/errno.ts";
import * as F from "../../../src/abi/futex.ts";
import { CLONE_FILES, CLONE_FS, CLONE_SIGHAND, CLONE_THREAD, CLONE_VM } from "../../../src/abi/sched.ts";
import { scratch } from "../../../src/host/scratch.ts";
import type { Task } from "../../../src/kernel/task.ts";
import { sys_futex } from "../../../src/syscalls/futex.ts";
import { sys_clone } from "../../../src/syscalls/process.ts";
import { sys_exit, sys_set_robust_list } from "../../../src/syscalls/thread.ts";
import { sys_nanosleep } from "../../../src/syscalls/time.ts";
import { call, DATA, Machine, type Script, STACK, type Step, steps } from "./fake-machine.ts";

const WORD = DATA + 0x100;
const WORD2 = DATA + 0x104;
const TIME = DATA + 0x200;
const THREAD = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;

let machine: Machine;
let results: [string, number][];

beforeEach(() => {
  machine = new Machine();
  results = [];
});

/** A call whose result is noted under a name. */
function noted(name: string, handler: (task: Task) => number): Step[] {
  return [
    call(handler),
    call((task) => {
      results.push([name, task.regs.i32[0]!]);
      return 0;
    }),
  ];
}

function thread(script: Script): Step {
  return call((task) => {
    const tid = sys_clone(task, THREAD, STACK - 0x1000, 0, 0, 0);
    machine.program(machine.kernel.pids.task(tid)!, script);
    return tid;
  });
}

function sleep(ns: number): Step {
  return call((task) => {
    scratch.setU64(0, 0);
    scratch.setU64(8, ns);
    task.mm.copyOut(TIME, 16);
    return sys_nanosleep(task, TIME, 0);
  });
}

function futex(task: Task, word: number, op: number, value: number, timeout = 0, word2 = 0, value3 = 0): number {
  return sys_futex(task, word, op | F.FUTEX_PRIVATE_FLAG, value, timeout, word2, value3);
}

describe("futex", () => {
  test("WAIT sleeps until WAKE", () => {
    machine.boot(
      steps(
        thread(steps(...noted("wait", (t) => futex(t, WORD, F.FUTEX_WAIT, 0)), sleep(1e6))),
        sleep(1e6),
        ...noted("wake", (t) => futex(t, WORD, F.FUTEX_WAKE, 5)),
        sleep(1e6),
      ),
    );
    machine.run();
    expect(results).toEqual([
      ["wake", 1],
      ["wait", 0],
    ]);
  });

  test("WAIT compares, and times out", () => {
    machine.boot(
      steps(
        ...noted("compare", (t) => futex(t, WORD, F.FUTEX_WAIT, 1)),
        sleep(1),
        ...noted("timeout", (t) => futex(t, WORD, F.FUTEX_WAIT, 0, TIME)),
      ),
    );
    machine.run();
    expect(results).toEqual([
      ["compare", -EAGAIN],
      ["timeout", -ETIMEDOUT],
    ]);
  });

  test("bitsets choose whom to wake", () => {
    const waiter = (name: string, bits: number): Step =>
      thread(steps(...noted(name, (t) => futex(t, WORD, F.FUTEX_WAIT_BITSET, 0, 0, 0, bits)), sleep(9e6)));
    machine.boot(
      steps(
        waiter("one", 1),
        waiter("two", 2),
        sleep(1e6),
        ...noted("wake", (t) => futex(t, WORD, F.FUTEX_WAKE_BITSET, 9, 0, 0, 2)),
        sleep(1e6),
      ),
    );
    machine.run();
    expect(results).toEqual([
      ["wake", 1],
      ["two", 0],
    ]);
  });

  test("CMP_REQUEUE moves sleepers", () => {
    const waiter = thread(steps(...noted("wait", (t) => futex(t, WORD, F.FUTEX_WAIT, 0)), sleep(9e6)));
    machine.boot(
      steps(
        waiter,
        sleep(1e6),
        ...noted("requeue", (t) => futex(t, WORD, F.FUTEX_CMP_REQUEUE, 0, 1, WORD2, 0)),
        ...noted("wake old", (t) => futex(t, WORD, F.FUTEX_WAKE, 1)),
        ...noted("wake new", (t) => futex(t, WORD2, F.FUTEX_WAKE, 1)),
        sleep(1e6),
      ),
    );
    machine.run();
    expect(results).toEqual([
      ["requeue", 1],
      ["wake old", 0],
      ["wake new", 1],
      ["wait", 0],
    ]);
  });

  test("a PI lock is handed over", () => {
    machine.boot(
      steps(
        ...noted("lock", (t) => futex(t, WORD, F.FUTEX_LOCK_PI, 0)),
        ...noted("again", (t) => futex(t, WORD, F.FUTEX_LOCK_PI, 0)),
        thread(steps(...noted("other", (t) => futex(t, WORD, F.FUTEX_LOCK_PI, 0)), sleep(9e6))),
        sleep(1e6),
        ...noted("unlock", (t) => futex(t, WORD, F.FUTEX_UNLOCK_PI, 0)),
        ...noted("not mine", (t) => futex(t, WORD, F.FUTEX_UNLOCK_PI, 0)),
        sleep(1e6),
        ...noted("owner", (t) => t.mm.readU32(WORD)),
      ),
    );
    machine.run();
    expect(results).toEqual([
      ["lock", 0],
      ["again", -EDEADLK],
      ["unlock", 0],
      ["not mine", -EPERM],
      ["other", 0],
      ["owner", 2],
    ]);
  });

  test("a dying owner marks its robust locks and wakes a waiter", () => {
    const head = DATA + 0x400;
    const node = DATA + 0x500;
    const robust = steps(
      call((t) => {
        t.mm.writeU64(head, node);
        t.mm.writeU64(head + 8, WORD - node);
        t.mm.writeU64(head + 16, 0);
        t.mm.writeU64(node, head);
        t.mm.writeU32(WORD, t.tid | F.FUTEX_WAITERS);
        return sys_set_robust_list(t, head, 24);
      }),
      sleep(2e6),
      call((t) => sys_exit(t, 0)),
    );
    machine.boot(
      steps(
        thread(robust),
        sleep(1e6),
        ...noted("wait", (t) => sys_futex(t, WORD, F.FUTEX_WAIT, 2 + F.FUTEX_WAITERS, 0, 0, 0)),
        ...noted("word", (t) => t.mm.readU32(WORD)),
      ),
    );
    machine.run();
    expect(results).toEqual([
      ["wait", 0],
      ["word", F.FUTEX_WAITERS | F.FUTEX_OWNER_DIED | 0],
    ]);
  });
});
