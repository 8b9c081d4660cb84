import { beforeEach, describe, expect, test } from "bun:test";
import { SIGKILL } from "../../../src/abi/signal.ts";
import { exitedStatus } from "../../../src/abi/wait.ts";
import { scratch } from "../../../src/host/scratch.ts";
import { type Op, Wake } from "../../../src/kernel/op.ts";
import type { Task } from "../../../src/kernel/task.ts";
import { WaitQueue } from "../../../src/lib/wait-queue.ts";
import { sys_clone } from "../../../src/syscalls/process.ts";
import { sys_sched_yield } from "../../../src/syscalls/sched.ts";
import { sys_kill } from "../../../src/syscalls/signals.ts";
import { sys_exit_group } from "../../../src/syscalls/thread.ts";
import { sys_nanosleep } from "../../../src/syscalls/time.ts";
import { call, DATA, Machine, type Script, steps } from "./fake-machine.ts";

let machine: Machine;

beforeEach(() => {
  machine = new Machine();
});

function sleep(task: Task, ns: number): number {
  scratch.setU64(0, Math.floor(ns / 1e9));
  scratch.setU64(8, ns % 1e9);
  task.mm.copyOut(DATA, 16);
  return sys_nanosleep(task, DATA, 0);
}

/** fork(2): the child runs `script`. */
function fork(task: Task, script: Script): number {
  const pid = sys_clone(task, 17, 0, 0, 0, 0);
  machine.program(machine.kernel.pids.task(pid)!, script);
  return pid;
}

describe("the run loop", () => {
  test("ends with the status of the first process", () => {
    machine.boot(steps(call((task) => sys_exit_group(task, 7))));
    expect(machine.run()).toBe(exitedStatus(7));
  });

  /** Budgets of a task that computes until each is spent, which takes it ten times longer than it should: the machine has other things to do. */
  function budgets(isTimed: boolean): number[] {
    machine = new Machine(0, isTimed);
    const slow = Array.from({ length: 30 }, () => ({ computeNs: 30e6 }));
    machine.boot(steps(...slow));
    machine.run();
    return machine.budgets;
  }

  test("slices of instructions become shorter where they take too long", () => {
    const all = budgets(false);
    expect(all.at(-1)!).toBeLessThan(all[0]!);
  });

  test("a CPU that is told times is told the same one always", () => {
    expect([...new Set(budgets(true))]).toEqual([3e6]);
  });

  test("a sleeper wakes at its deadline, and the machine sleeps meanwhile", () => {
    const seen: number[] = [];
    machine.boot((_task, x0) => {
      seen.push(machine.clock.nowNs);
      return seen.length === 1 ? call((task) => sleep(task, 5e6)) : call((task) => sys_exit_group(task, x0));
    });
    expect(machine.run()).toBe(exitedStatus(0));
    expect(seen).toEqual([0, 5e6]);
    expect(machine.sleeps).toBe(1);
  });

  test("tasks that compute take turns", () => {
    const order: number[] = [];
    const compute =
      (name: number): Script =>
      () => {
        order.push(name);
        return order.length > 8 ? call((task) => sys_exit_group(task, 0)) : { computeNs: 4e6 };
      };
    const child = compute(2);
    let forked = false;
    const parent = compute(1);
    machine.boot((task, x0) => {
      if (forked) return parent(task, x0);
      forked = true;
      return call((self) => fork(self, child));
    });
    machine.run();
    expect(order.slice(0, 6)).toEqual([1, 2, 1, 2, 1, 2]);
  });

  test("sched_yield lets the other run", () => {
    const order: string[] = [];
    const say =
      (name: string) =>
      (task: Task): number => {
        order.push(name);
        return sys_sched_yield(task);
      };
    machine.boot(
      steps(
        call((task) =>
          fork(
            task,
            steps(
              call(say("b")),
              call(say("b")),
              call((self) => sleep(self, 1e9)),
            ),
          ),
        ),
        call(say("a")),
        call(say("a")),
        call(say("a")),
      ),
    );
    machine.run();
    expect(order).toEqual(["a", "b", "a", "b", "a"]);
  });

  test("time and CPU usage are accounted to the task that used them", () => {
    const task = machine.boot(
      steps(
        { computeNs: 2e6 },
        { computeNs: 3e6 },
        call((self) => sleep(self, 9e6)),
      ),
    );
    machine.run();
    expect(task.usage.utimeNs).toBe(5e6);
    expect(task.usage.stimeNs).toBe(0);
  });
});

class Recorder implements Op {
  readonly queue = new WaitQueue();
  readonly seen: Wake[] = [];
  cancelled = false;
  resume(task: Task, wake: Wake): number {
    this.seen.push(wake);
    return this.seen.length < 3 && wake === Wake.event ? task.block(this, this.queue) : 42;
  }
  cancel(): void {
    this.cancelled = true;
  }
}

describe("blocking", () => {
  test("a wake resumes the Op, which may sleep again", () => {
    const op = new Recorder();
    let result = -1;
    machine.boot((_task, x0) => {
      result = x0;
      return op.seen.length > 0 ? call((self) => sys_exit_group(self, 0)) : call((self) => self.block(op, op.queue));
    });
    for (const ms of [1, 2, 3]) machine.kernel.timers.add(ms * 1e6, () => op.queue.wake());
    machine.run();
    expect(op.seen).toEqual([Wake.event, Wake.event, Wake.event]);
    expect(result).toBe(42);
    expect(op.queue.empty).toBe(true);
  });

  test("a deadline resumes it with `timeout`", () => {
    const op = new Recorder();
    machine.boot(steps(call((task) => task.block(op, op.queue, 4e6))));
    machine.run();
    expect(op.seen).toEqual([Wake.timeout]);
    expect(machine.clock.nowNs).toBe(4e6);
    expect(machine.kernel.timers.size).toBe(0);
  });

  test("death cancels it", () => {
    const op = new Recorder();
    let child = 0;
    machine.boot(
      steps(
        call((task) => {
          child = fork(task, steps(call((self) => self.block(op, op.queue))));
          return child;
        }),
        call((task) => sleep(task, 1e6)),
        call((task) => sys_kill(task, child, SIGKILL)),
        call((task) => sleep(task, 1e6)),
      ),
    );
    machine.run();
    expect(op.cancelled).toBe(true);
    expect(op.seen).toEqual([]);
    expect(op.queue.empty).toBe(true);
  });
});
