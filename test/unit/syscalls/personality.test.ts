// personality(2) on a CPU without AArch32, which no reference here is: neither the emulator nor x86-64 refuses PER_LINUX32.

import { expect, test } from "bun:test";
import { EINVAL } from "../../../src/abi/errno.ts";
import type { Task } from "../../../src/kernel/task.ts";
import { sys_personality } from "../../../src/syscalls/prctl.ts";

const PER_LINUX32 = 8;
const ADDR_NO_RANDOMIZE = 0x40000;
const QUERY = 0xffffffff;

test("programs of 32 bits are refused, and nothing is changed", () => {
  const task = { personality: 0 } as Task;
  expect(sys_personality(task, ADDR_NO_RANDOMIZE)).toBe(0);
  expect(sys_personality(task, PER_LINUX32)).toBe(-EINVAL);
  expect(sys_personality(task, PER_LINUX32 | ADDR_NO_RANDOMIZE)).toBe(-EINVAL);
  expect(sys_personality(task, QUERY)).toBe(ADDR_NO_RANDOMIZE);
  expect(sys_personality(task, QUERY)).toBe(ADDR_NO_RANDOMIZE);
});
