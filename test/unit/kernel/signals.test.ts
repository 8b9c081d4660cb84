import { beforeEach, describe, expect, test } from "bun:test";
import { EINTR, ERESTART_RESTARTBLOCK, ERESTARTNOHAND, ERESTARTNOINTR, ERESTARTSYS } from "../../../src/abi/errno.ts";
import * as S from "../../../src/abi/signal.ts";
import { exitedStatus } from "../../../src/abi/wait.ts";
import { scratch } from "../../../src/host/scratch.ts";
import { RegisterBlock as at } from "../../../src/host/shim.gen.ts";
import { type Op, Wake } from "../../../src/kernel/op.ts";
import { PendingQueue, SigInfo } from "../../../src/kernel/sig-info.ts";
import type { Task } from "../../../src/kernel/task.ts";
import { sendGroupSignal } from "../../../src/kernel/task-signals.ts";
import { sys_kill, sys_rt_sigreturn } from "../../../src/syscalls/signals.ts";
import { sys_exit_group } from "../../../src/syscalls/thread.ts";
import { call, Machine, STACK, type Step, steps } from "./fake-machine.ts";

const HANDLER = 0x5000;
const SIGRETURN = 0x7000;

let machine: Machine;

beforeEach(() => {
  machine = new Machine();
  machine.handlers.set(SIGRETURN, call(sys_rt_sigreturn));
});

function handle(task: Task, signal: number, flags = 0): void {
  task.group.actions.set(signal, { handler: HANDLER, flags, restorer: 0, maskLo: 0, maskHi: 0 });
}

/** The handler: looks, then returns to the trampoline. */
function onSignal(look: (task: Task) => void): void {
  machine.handlers.set(HANDLER, {
    call: (task) => {
      look(task);
      task.regs.pc = SIGRETURN;
      return -0x1000001;
    },
  });
}

const exit = (code: number): Step => call((task) => sys_exit_group(task, code));

describe("default actions", () => {
  test("a signal without a handler ends the process", () => {
    machine.boot(steps(call((task) => sys_kill(task, task.tgid, S.SIGTERM))));
    expect(machine.run()).toBe(S.SIGTERM);
  });

  test("ignored and blocked ones do not", () => {
    machine.boot(
      steps(
        call((task) => sys_kill(task, task.tgid, S.SIGCHLD)),
        call((task) => {
          task.blockedLo = 1 << (S.SIGTERM - 1);
          return sys_kill(task, task.tgid, S.SIGTERM);
        }),
      ),
    );
    expect(machine.run()).toBe(exitedStatus(0));
  });

  test("a fault is SIGSEGV, and fatal when it is blocked", () => {
    const task = machine.boot(steps({ fault: 0x1234 }));
    handle(task, S.SIGSEGV);
    task.blockedLo = 1 << (S.SIGSEGV - 1);
    expect(machine.run()).toBe(S.SIGSEGV);
  });
});

describe("the signal frame", () => {
  test("is laid out as on arm64 and restores every register", () => {
    let frame = 0;
    const task = machine.boot(
      steps(
        call((self) => sys_kill(self, self.tgid, S.SIGUSR1)),
        exit(3),
      ),
    );
    handle(task, S.SIGUSR1, S.SA_SIGINFO);
    for (let i = 9; i < 31; i++) task.regs.setX(i, 0x1000 + i);
    task.regs.u32[at.v >> 2] = 0xdead;
    task.regs.u32[at.fpcr >> 2] = 0x01000000;
    onSignal((self) => {
      frame = self.regs.sp;
      expect(self.regs.x(0)).toBe(S.SIGUSR1);
      expect(self.regs.x(1)).toBe(frame);
      expect(self.regs.x(2)).toBe(frame + S.SIGINFO_BYTES);
      expect(self.regs.x(30)).toBe(SIGRETURN);
      expect(frame % 16).toBe(0);
      self.mm.copyIn(frame, 4688);
      expect(scratch.i32[0]).toBe(S.SIGUSR1);
      const context = S.SIGINFO_BYTES + S.Ucontext.mcontext;
      expect(scratch.getU64(context + S.Sigcontext.regs + 8 * 9)).toBe(0x1009);
      expect(scratch.getU64(context + S.Sigcontext.sp)).toBe(STACK);
      const reserved = (context + S.Sigcontext.reserved) >> 2;
      expect(scratch.u32[reserved]).toBe(S.FPSIMD_MAGIC);
      expect(scratch.u32[reserved + 1]).toBe(0x210);
      expect(scratch.u32[reserved + 4]).toBe(0xdead);
      expect(scratch.u32[reserved + 0x84]).toBe(0);
      const record = self.regs.x(29);
      expect(record).toBeGreaterThanOrEqual(frame + 4688);
      expect(self.mm.readU64(record)).toBe(0x1000 + 29);
      expect(self.mm.readU64(record + 8)).toBe(0x1000 + 30);
      expect(self.blockedLo).toBe(1 << (S.SIGUSR1 - 1));
      self.regs.u32[at.v >> 2] = 0;
      self.regs.u32[at.fpcr >> 2] = 0;
      for (let i = 9; i < 31; i++) self.regs.setX(i, 0);
    });
    expect(machine.run()).toBe(exitedStatus(3));
    expect(frame).toBeGreaterThan(0);
    expect(task.blockedLo).toBe(0);
  });

  test("a damaged one is SIGSEGV", () => {
    const task = machine.boot(steps(call((self) => sys_kill(self, self.tgid, S.SIGUSR1))));
    handle(task, S.SIGUSR1);
    onSignal((self) => {
      const fpsimd = self.regs.sp + S.SIGINFO_BYTES + S.Ucontext.mcontext + S.Sigcontext.reserved;
      self.mm.writeU32(fpsimd, 0x12345678);
    });
    expect(machine.run()).toBe(S.SIGSEGV);
  });

  test("a stack that cannot hold it is SIGSEGV", () => {
    const task = machine.boot(steps(call((self) => sys_kill(self, self.tgid, S.SIGUSR1))));
    handle(task, S.SIGUSR1);
    task.regs.sp = 0x100;
    expect(machine.run()).toBe(S.SIGSEGV);
  });

  test("a fault reports address and syndrome", () => {
    const task = machine.boot(steps({ fault: 0x77_0000_1234 }));
    handle(task, S.SIGSEGV, S.SA_SIGINFO);
    task.regs.setWide(at.esr, 0x92000046);
    machine.handlers.set(HANDLER, {
      call: (self) => {
        self.mm.copyIn(self.regs.sp, 4688);
        expect(scratch.i32[2]).toBe(S.SEGV_MAPERR);
        expect(scratch.getU64(16)).toBe(0x77_0000_1234);
        const context = S.SIGINFO_BYTES + S.Ucontext.mcontext;
        expect(scratch.getU64(context)).toBe(0x77_0000_1234);
        const esr = (context + S.Sigcontext.reserved + S.FpsimdContext.sizeBytes) >> 2;
        expect(scratch.u32[esr]).toBe(S.ESR_MAGIC);
        expect(scratch.u32[esr + 2]).toBe(0x92000046);
        return sys_exit_group(self, 9);
      },
    });
    expect(machine.run()).toBe(exitedStatus(9));
  });
});

/** A call that ends with `code` when it is interrupted, and with 0 when it is tried again. */
class Interrupted implements Op {
  readonly code: number;
  tries = 0;
  constructor(code: number) {
    this.code = code;
  }
  enter(task: Task): number {
    this.tries += 1;
    return this.tries > 1 ? 0 : task.block(this, null);
  }
  resume(task: Task, wake: Wake): number {
    return wake === Wake.signal ? -this.code : this.enter(task);
  }
}

describe("restarts", () => {
  const outcome = (code: number, handler: boolean, flags: number): { result: number; tries: number; x8: number } => {
    const op = new Interrupted(code);
    let result = 1;
    let first = true;
    const task = machine.boot((self, x0) => {
      if (first) {
        first = false;
        self.regs.setX(0, 5);
        self.regs.setX(8, 63);
        return call((caller) =>
          caller.regs.x(8) === 128 ? caller.restartOp!.resume(caller, Wake.event) : op.enter(caller),
        );
      }
      result = x0;
      return exit(0);
    });
    if (handler) handle(task, S.SIGUSR1, flags);
    else task.group.actions.set(S.SIGUSR1, { handler: S.SIG_DFL, flags: 0, restorer: 0, maskLo: 0, maskHi: 0 });
    onSignal(() => {});
    // Without a handler: a stop and a continuation interrupt the call.
    machine.kernel.timers.add(1e6, () => sendGroupSignal(task.group, handler ? S.SIGUSR1 : S.SIGSTOP));
    machine.kernel.timers.add(2e6, () => sendGroupSignal(task.group, S.SIGCONT));
    machine.run();
    return { result, tries: op.tries, x8: task.regs.x(8) };
  };

  test("ERESTARTSYS follows SA_RESTART", () => {
    expect(outcome(ERESTARTSYS, true, S.SA_RESTART)).toMatchObject({ result: 0, tries: 2 });
  });
  test("ERESTARTSYS without it is EINTR", () => {
    expect(outcome(ERESTARTSYS, true, 0)).toMatchObject({ result: -EINTR, tries: 1 });
  });
  test("ERESTARTNOINTR always restarts", () => {
    expect(outcome(ERESTARTNOINTR, true, 0)).toMatchObject({ result: 0, tries: 2 });
  });
  test("ERESTARTNOHAND is EINTR under any handler", () => {
    expect(outcome(ERESTARTNOHAND, true, S.SA_RESTART)).toMatchObject({ result: -EINTR, tries: 1 });
  });
  test("ERESTART_RESTARTBLOCK is EINTR under any handler", () => {
    expect(outcome(ERESTART_RESTARTBLOCK, true, S.SA_RESTART)).toMatchObject({ result: -EINTR, tries: 1 });
  });
  test.each([ERESTARTSYS, ERESTARTNOINTR, ERESTARTNOHAND])("without a handler %i restarts", (code) => {
    expect(outcome(code, false, 0)).toMatchObject({ result: 0, tries: 2, x8: 63 });
  });
  test("without a handler ERESTART_RESTARTBLOCK goes on through restart_syscall", () => {
    expect(outcome(ERESTART_RESTARTBLOCK, false, 0)).toMatchObject({ result: 0, tries: 2, x8: 128 });
  });
});

describe("pending signals", () => {
  test("synchronous ones first, then the lowest; real-time ones in order", () => {
    const queue = new PendingQueue();
    for (const [signo, value] of [
      [40, 1],
      [34, 2],
      [40, 3],
      [15, 4],
      [2, 5],
      [11, 6],
    ] as const) {
      queue.add(SigInfo.from(signo, S.SI_QUEUE, 0, 0, value));
    }
    const taken: number[] = [];
    for (let next = queue.next(-1, -1); next !== 0; next = queue.next(-1, -1)) taken.push(queue.take(next).words[6]!);
    expect(taken).toEqual([6, 5, 4, 2, 1, 3]);
    expect(queue.count).toBe(0);
  });
});
