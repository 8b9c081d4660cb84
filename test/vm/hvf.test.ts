// The Hypervisor.framework engine on its stand-in, in a virtual arm64 machine: small guests that try each thing the engine has to get right
// (shim/cpu/hvf/check.zig), in every branch that a machine may make it take, with every fault that the stand-in has, and with single bits of what the
// engine sets changed: each change must be noticed.

import { beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { root, run, zig } from "../../scripts/toolchain.ts";
import { MUTATIONS } from "../double/mutations/hvf.ts";
import { copy } from "./cpio.ts";
import { boot, COUNTED, type Job, type Outcome } from "./machine.ts";

const CHECK = "/bin/hvf-check";

/** What the machine does, by the words that force it, and what the engine must find. */
const BRANCHES: readonly { name: string; env: Record<string, string>; found: Record<string, number> }[] = [
  {
    name: "as it is",
    env: {},
    found: { asids_isolate: 1, mmu_by_stub: 0, exec_alias: 0, split_wx: 0, asid_bits: 16, ipa_bits: 36 },
  },
  { name: "ASIDs that do not isolate", env: { CARRICK_HVF_FORCE: "asid-flush" }, found: { asids_isolate: 0 } },
  { name: "ASIDs of 8 bits", env: { CARRICK_HVF_FORCE: "asid-8" }, found: { asid_bits: 8 } },
  { name: "MMU turned on by the stub, forced", env: { CARRICK_HVF_FORCE: "mmu-by-stub" }, found: { mmu_by_stub: 1 } },
  { name: "a host that may not turn on the MMU", env: { HVKVM_NO_HOST_MMU: "1" }, found: { mmu_by_stub: 1 } },
  {
    name: "memory mapped twice, forced",
    env: { CARRICK_HVF_FORCE: "exec-alias" },
    found: { exec_alias: 1, split_wx: 1 },
  },
  {
    name: "no memory that is writable and executable",
    env: { HVKVM_NO_WX: "1" },
    found: { exec_alias: 1, split_wx: 1 },
  },
  { name: "pages by turns, forced", env: { CARRICK_HVF_FORCE: "split-wx" }, found: { exec_alias: 0, split_wx: 1 } },
  {
    name: "a CPU that never executes what is writable",
    env: { HVKVM_WXN: "1" },
    found: { exec_alias: 0, split_wx: 1 },
  },
  { name: "addresses of 40 bits", env: { HVKVM_IPA: "40" }, found: { ipa_bits: 40 } },
  { name: "runs that end for no reason", env: { HVKVM_CANCEL: "300" }, found: { timer_works: 1, kick_works: 1 } },
  {
    name: "everything at once",
    env: { HVKVM_CANCEL: "500", HVKVM_NO_WX: "1", HVKVM_NO_HOST_MMU: "1", CARRICK_HVF_FORCE: "asid-flush,asid-8" },
    found: { exec_alias: 1, split_wx: 1, mmu_by_stub: 1, asids_isolate: 0, asid_bits: 8 },
  },
];

/** The nth call of these fails: one sentence must follow, and no hang. */
const FAILURES = [
  ...["vm_create:1", "vm_map:1", "vcpu_create:1", "vcpu_run:1", "vcpu_run:9", "vcpu_set_reg:1", "vcpu_set_reg:3"],
  ...[
    "vcpu_get_sys_reg:1",
    "vcpu_get_sys_reg:6",
    "vcpu_set_sys_reg:1",
    "vcpu_set_sys_reg:5",
    "vcpu_set_sys_reg:10",
    "vcpu_set_vtimer_mask:1",
  ],
];

/** Codes of hv_error.h, and what is said of them. */
const REFUSALS: readonly (readonly [number, RegExp])[] = [
  [1, /refuses to make a virtual machine \(error 0xfae94001\)/],
  [2, /has a virtual machine already/],
  [5, /no more virtual machines/],
  [6, /kern\.hv_support/],
  [7, /com\.apple\.security\.hypervisor/],
  [15, /kern\.hv_support/],
];

const job = (name: string, env: Record<string, string>): Job => ({ name, argv: [CHECK], env });

const jobs: readonly Job[] = [
  ...BRANCHES.map((branch) => job(branch.name, branch.env)),
  ...FAILURES.map((failure) => job(`fails ${failure}`, { HVKVM_FAIL: failure })),
  ...REFUSALS.map(([code]) => job(`refuses ${code}`, { HVKVM_FAIL: `vm_create:1:${code}` })),
  ...MUTATIONS.map((mutation) => job(mutation.name, { HVKVM_FLIP: mutation.flip, HVF_CHECK_SECONDS: "10" })),
];

const outcomes = new Map<string, Outcome>();

function fields(outcome: Outcome): Record<string, number> {
  const lines = outcome.stdout.matchAll(/^(\w+) (\d+)$/gm);
  return Object.fromEntries([...lines].map(([, name, value]) => [name!, Number(value)]));
}

/** What does not depend on time. */
const steady = (outcome: Outcome): string => outcome.stdout.replace(/^exit_ns .*$/m, "");

beforeAll(() => {
  if (run([zig, "build", "hvf-check", "-Doptimize=ReleaseFast"]) !== 0) throw new Error("hvf-check does not build");
  const done = boot({ jobs, files: [copy(CHECK.slice(1), join(root, "dist/linux-arm64/hvf-check"))] });
  for (const [i, outcome] of done.entries()) outcomes.set(jobs[i]!.name, outcome);
}, 1_500_000);

describe("branches", () => {
  for (const branch of BRANCHES) {
    test(branch.name, () => {
      const outcome = outcomes.get(branch.name)!;
      expect(outcome.stdout.match(/^wrong.*$/gm) ?? []).toEqual([]);
      expect({ status: outcome.status, signal: outcome.signal }).toEqual({ status: 0, signal: null });
      expect(fields(outcome)).toMatchObject({ ready: 1, ...branch.found });
    });
  }
});

describe("calls that fail", () => {
  for (const failure of FAILURES) {
    test(failure, () => {
      const outcome = outcomes.get(`fails ${failure}`)!;
      // Another branch may do without (the MMU, memory); else it is said in one line.
      const found = fields(outcome);
      if (outcome.status === 0) return expect(found["mmu_by_stub"]! + found["exec_alias"]!).toBe(1);
      expect(outcome.signal).toBeNull();
      expect([1, 2, 125]).toContain(outcome.status!);
      expect((outcome.stdout + outcome.stderr).trim().split("\n").at(-1)!).toMatch(
        /Hypervisor.framework|the virtual CPU failed/,
      );
    });
  }
});

describe("refusals are explained", () => {
  for (const [code, words] of REFUSALS) {
    test(`error ${code}`, () => {
      const outcome = outcomes.get(`refuses ${code}`)!;
      expect(outcome.stdout).toMatch(words);
      expect(outcome.status).toBe(2);
    });
  }
});

describe("a changed bit is noticed", () => {
  for (const mutation of MUTATIONS) {
    test(mutation.name, () => {
      const outcome = outcomes.get(mutation.name)!;
      const sound = outcomes.get(BRANCHES[0]!.name)!;
      expect(outcome.status === 0 && steady(outcome) === steady(sound)).toBe(false);
    });
  }
});

test("the stub is short", () => {
  const [, out, back] = /^stub: (\d+) instructions out, (\d+) in$/m.exec(outcomes.get(BRANCHES[0]!.name)!.stdout)!;
  expect(Number(out)).toBeLessThanOrEqual(57);
  expect(Number(back)).toBeLessThanOrEqual(41);
});

test("calls are counted", () => {
  const counts = outcomes.get(BRANCHES[0]!.name)!.counts;
  expect(counts[COUNTED.indexOf("vm_create")]).toBe(1);
  expect(counts[COUNTED.indexOf("hvc")]).toBeGreaterThan(500);
});
