import { expect, test } from "bun:test";
import { SIGKILL, SIGUSR1 } from "../../../src/abi/signal.ts";
import { exitedStatus } from "../../../src/abi/wait.ts";
import type { Task } from "../../../src/kernel/task.ts";
import { sys_clone } from "../../../src/syscalls/process.ts";
import { sys_sched_yield } from "../../../src/syscalls/sched.ts";
import { sys_kill } from "../../../src/syscalls/signals.ts";
import { sys_exit_group } from "../../../src/syscalls/thread.ts";
import { call, Machine, type Script, type Step } from "./fake-machine.ts";

const EXIT: Step = call((task) => sys_exit_group(task, 0));
const YIELD: Step = call((task) => sys_sched_yield(task));
const COMPUTE: Step = { computeNs: 1e6 };

/** A first process that forks one running `child` and then does `own`. */
function two(machine: Machine, own: Script, child: Script): number {
  let pid = 0;
  machine.boot((task, x0) => {
    if (pid !== 0) return own(task, x0);
    return call((caller) => {
      pid = sys_clone(caller, 17, 0, 0, 0, 0);
      machine.program(machine.kernel.pids.task(pid)!, child);
      return pid;
    });
  });
  return machine.run();
}

/** So many of a step, then another for ever. */
function first(count: number, step: Step, then: Step): Script {
  let left = count;
  return () => {
    left -= 1;
    return left >= 0 ? step : then;
  };
}

test("of two tasks that compute one goes to a CPU thread, and both get on", () => {
  const machine = new Machine(1);
  const counts = [0, 0];
  const compute =
    (who: number): Script =>
    () => {
      counts[who]! += 1;
      return counts[who]! > 20 ? EXIT : COMPUTE;
    };
  expect(two(machine, compute(0), compute(1))).toBe(exitedStatus(0));
  expect(counts[0]).toBeGreaterThan(20);
  expect(counts[1]).toBeGreaterThan(10);
  expect(machine.dispatched.length).toBeGreaterThan(5);
});

test("tasks that call stay on the kernel's thread", () => {
  const machine = new Machine(3);
  expect(two(machine, first(200, YIELD, EXIT), first(300, YIELD, EXIT))).toBe(exitedStatus(0));
  expect(machine.dispatched).toEqual([]);
});

test("a task that is alone stays, even if it computes", () => {
  const machine = new Machine(3);
  machine.boot(first(50, COMPUTE, EXIT));
  expect(machine.run()).toBe(exitedStatus(0));
  expect(machine.dispatched).toEqual([]);
});

test("a signal calls back what is away, and so does the end of the first process", () => {
  for (const target of ["other", "nobody"]) {
    const machine = new Machine(1);
    machine.holds = true;
    let steps = 0;
    // Whichever of the two stays here ends the other.
    const script: Script = (task) => {
      steps += 1;
      if (steps < 10) return COMPUTE;
      const isInit = task.group.isInit;
      if (target === "nobody" && isInit) return EXIT;
      const all = [...machine.kernel.pids.allTasks()];
      const other = all.find((each) => each !== task);
      return other === undefined ? EXIT : call((caller) => sys_kill(caller, other.tgid, SIGKILL));
    };
    const status = two(machine, script, script);
    expect([exitedStatus(0), SIGKILL]).toContain(status);
    expect(machine.dispatched.length).toBe(1);
    expect(machine.kicked).toBeGreaterThan(0);
    expect(machine.kernel.scheduler.threads.busy).toBe(0);
  }
});

test("a signal that comes while a task is away interrupts it before the call it comes back with", () => {
  const machine = new Machine(1);
  const order: string[] = [];
  const handler = 0x5000;
  machine.handlers.set(
    handler,
    call((task) => {
      order.push("handler");
      return sys_exit_group(task, 0);
    }),
  );
  const late = call(() => {
    order.push("call");
    return 0;
  });
  let victim: Task | undefined;
  // Whichever of the two stays here sends the other a signal.
  const script: Script = (task) => {
    if (victim !== undefined) return task === victim ? late : victim.alive ? COMPUTE : EXIT;
    const away = machine.dispatched.at(-1);
    if (away === undefined || away === task) return COMPUTE;
    victim = away;
    away.group.actions.set(SIGUSR1, { handler, flags: 0, restorer: 0, maskLo: 0, maskHi: 0 });
    return call((caller) => sys_kill(caller, away.tgid, SIGUSR1));
  };
  expect(two(machine, script, script)).toBe(exitedStatus(0));
  expect(order).toEqual(["handler"]);
});
