// The Hypervisor.framework engine on its stand-in, in a virtual arm64 machine: small guests that try each thing the engine has to get right
// (shim/cpu/hvf/check.zig), in every branch that a machine may make it take, with every fault that the stand-in has, and with single bits of what the
// engine sets changed: each change must be noticed.

import { beforeAll, describe, expect, test } from "bun:test";
import { run, zig } from "../../scripts/toolchain.ts";
import { probeCheck } from "../../src/cli/doctor-hypervisor.ts";
import { MUTATIONS } from "../double/mutations/hvf.ts";
import { STUB_MUTATIONS } from "../double/mutations/stub.ts";
import { stubWords } from "../double/mutations/stub-words.ts";
import { boot, COUNTED, type Job, type Outcome } from "./machine.ts";
import { checkFile, checkJob as job, mutationJob, noticedBy, PROGRAM } from "./mutations.ts";
import { freeBits, linesOf, type Machine, wrongFields, wrongSetUp } from "./registers.ts";
import { cases, startIsWhole, unnoticed } from "./stub-run.ts";

/** Every bit of the list, and some of the instructions: all of them by hand (mutations.ts). */
const EVERY = 9;
const CHANGES = [...MUTATIONS, ...STUB_MUTATIONS.filter((_, i) => i % EVERY === 4)];

/** System registers as the framework numbers them: a bit that is changed on the way is a host that decides otherwise. */
const SCTLR_EL1 = 0xc080;
const CNTKCTL_EL1 = 0xc708;

/** CNTFRQ_EL0 of the emulator's Cortex-A76. */
const COUNTER_HZ = 62_500_000;

interface Branch {
  readonly name: string;
  readonly env: Record<string, string>;
  readonly found: Record<string, number>;
  /** What `carrick doctor` prints of it, besides what it prints of the machine as it is. */
  readonly says?: readonly string[];
}

/** Without FEAT_IDST a read of an ID register is undefined; with it, a trapped system instruction. */
const UNDEFINED = 0;
const SYSTEM_INSTRUCTION = 0x18;

/** What the machine does, by the words that force it, and what the engine must find. */
const BRANCHES: readonly Branch[] = [
  {
    name: "as it is",
    env: {},
    found: {
      ...{ asids_isolate: 1, mmu_by_stub: 0, exec_alias: 0, split_wx: 0, asid_bits: 16, ipa_bits: 36, emulated: 0 },
      ...{ id_trap_class: UNDEFINED, max_vcpus: 64, counter_is_hosts: 1 },
    },
    says: [
      ...["36 bits of addresses, 64 CPUs, 16 bits of ASID, counter 62500000 Hz", "ASIDs isolate"],
      ...["MMU turned on by the host", "memory mapped once", "writable pages may be executable"],
      ...["ID registers trap as class 0x0", "caches are programs' own", "the counter is the host's"],
    ],
  },
  {
    name: "ASIDs that do not isolate",
    env: { CARRICK_HVF_FORCE: "asid-flush" },
    found: { asids_isolate: 0 },
    says: ["ASIDs do not isolate: TLB flushed on each switch"],
  },
  { name: "ASIDs of 8 bits", env: { CARRICK_HVF_FORCE: "asid-8" }, found: { asid_bits: 8 }, says: ["8 bits of ASID"] },
  {
    name: "MMU turned on by the stub, forced",
    env: { CARRICK_HVF_FORCE: "mmu-by-stub" },
    found: { mmu_by_stub: 1 },
    says: ["MMU turned on by the stub"],
  },
  {
    name: "a host that may not turn on the MMU",
    env: { HVKVM_NO_HOST_MMU: "1" },
    found: { mmu_by_stub: 1 },
    says: ["MMU turned on by the stub"],
  },
  {
    name: "memory mapped twice, forced",
    env: { CARRICK_HVF_FORCE: "exec-alias" },
    found: { exec_alias: 1, split_wx: 1 },
    says: ["memory mapped twice for execution", "writable pages are not executable"],
  },
  {
    name: "no memory that is writable and executable",
    env: { HVKVM_NO_WX: "1" },
    found: { exec_alias: 1, split_wx: 1 },
    says: ["memory mapped twice for execution", "writable pages are not executable"],
  },
  {
    name: "pages by turns, forced",
    env: { CARRICK_HVF_FORCE: "split-wx" },
    found: { exec_alias: 0, split_wx: 1 },
    says: ["memory mapped once", "writable pages are not executable"],
  },
  {
    name: "a CPU that never executes what is writable",
    env: { HVKVM_WXN: "1" },
    found: { exec_alias: 0, split_wx: 1 },
    says: ["memory mapped once", "writable pages are not executable"],
  },
  { name: "addresses of 40 bits", env: { HVKVM_IPA: "40" }, found: { ipa_bits: 40 }, says: ["40 bits of addresses"] },
  {
    name: "a host whose own counter has another rate",
    env: { CARRICK_HVF_FORCE: "coarse-counter" },
    found: { counter_is_hosts: 0, counter_hz: COUNTER_HZ, host_counter_hz: COUNTER_HZ / 16 },
    says: [`the host counts at ${COUNTER_HZ / 16} Hz`],
  },
  {
    name: "a host that traps dc zva",
    env: { HVKVM_FLIP: `sys:${SCTLR_EL1}:14` },
    found: { emulated: 1 },
    says: ["1 kinds of cache maintenance trap"],
  },
  { name: "a host that traps CTR_EL0", env: { HVKVM_FLIP: `sys:${SCTLR_EL1}:15` }, found: { emulated: 1 } },
  {
    name: "a host that traps cache maintenance",
    env: { HVKVM_FLIP: `sys:${SCTLR_EL1}:26` },
    found: { emulated: 4 },
    says: ["4 kinds of cache maintenance trap"],
  },
  { name: "a host that traps the counter", env: { HVKVM_FLIP: `sys:${CNTKCTL_EL1}:1` }, found: { emulated: 2 } },
  { name: "a host that takes exceptions for itself", env: { HVKVM_DIRECT: "1" }, found: { emulated: 0 } },
  { name: "stops at every instruction", env: { HVF_CHECK_STOPS: "1" }, found: {} },
  { name: "runs that end for no reason", env: { HVKVM_CANCEL: "300" }, found: { timer_works: 1, kick_works: 1 } },
  {
    name: "everything at once",
    env: { HVKVM_CANCEL: "500", HVKVM_NO_WX: "1", HVKVM_NO_HOST_MMU: "1", CARRICK_HVF_FORCE: "asid-flush,asid-8" },
    found: { exec_alias: 1, split_wx: 1, mmu_by_stub: 1, asids_isolate: 0, asid_bits: 8 },
  },
  {
    name: "stops at every instruction where all is done the other way",
    env: {
      ...{ HVF_CHECK_STOPS: "1", HVKVM_NO_WX: "1", HVKVM_NO_HOST_MMU: "1" },
      CARRICK_HVF_FORCE: "asid-flush,asid-8",
    },
    found: { exec_alias: 1, mmu_by_stub: 1, asids_isolate: 0 },
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

const jobs: readonly Job[] = [
  ...BRANCHES.map((branch) => job(branch.name, branch.env)),
  ...FAILURES.map((failure) => job(`fails ${failure}`, { HVKVM_FAIL: failure })),
  ...REFUSALS.map(([code]) => job(`refuses ${code}`, { HVKVM_FAIL: `vm_create:1:${code}` })),
  ...CHANGES.map(mutationJob),
];

/** A CPU with all that the emulator knows: pointer authentication, BTI, MTE, SVE, SME, wide addresses. */
const RICH_CPU = "max,pauth-impdef=on";
const RICH: readonly (readonly [string, Record<string, string>])[] = [
  ["as it is", {}],
  ["addresses of 48 bits", { HVKVM_IPA: "48" }],
  [
    "everything at once",
    { HVKVM_CANCEL: "500", HVKVM_NO_WX: "1", HVKVM_NO_HOST_MMU: "1", CARRICK_HVF_FORCE: "asid-flush,asid-8" },
  ],
];
const rich = new Map<string, Outcome>();

const outcomes = new Map<string, Outcome>();

function machineOf(outcome: Outcome): Machine {
  const found = fields(outcome);
  return { ipaBits: found["ipa_bits"]!, asidBits: found["asid_bits"]!, isMmuByStub: found["mmu_by_stub"] === 1 };
}

function fields(outcome: Outcome): Record<string, number> {
  const lines = outcome.stdout.matchAll(/^(\w+) (\d+)$/gm);
  return Object.fromEntries([...lines].map(([, name, value]) => [name!, Number(value)]));
}

beforeAll(() => {
  if (run([zig, "build", "hvf-check", "-Doptimize=ReleaseFast"]) !== 0) throw new Error("hvf-check does not build");
  const done = boot({ jobs, files: [checkFile()] });
  for (const [i, outcome] of done.entries()) outcomes.set(jobs[i]!.name, outcome);
  const more = boot({ jobs: RICH.map(([name, env]) => job(name, env)), files: [checkFile()], cpu: RICH_CPU });
  for (const [i, outcome] of more.entries()) rich.set(RICH[i]![0], outcome);
}, 1_500_000);

describe("branches", () => {
  for (const branch of BRANCHES) {
    test(branch.name, () => {
      const outcome = outcomes.get(branch.name)!;
      expect(outcome.stdout.match(/^wrong.*$/gm) ?? []).toEqual([]);
      expect({ status: outcome.status, signal: outcome.signal }).toEqual({ status: 0, signal: null });
      expect(fields(outcome)).toMatchObject({ ready: 1, ...branch.found });
      const { status, text } = probeCheck(JSON.stringify(fields(outcome)), "status 0");
      expect(status).toBe("ok");
      for (const words of branch.says ?? []) expect(text).toContain(words);
    });
  }
});

const count = (name: string, call: (typeof COUNTED)[number]): number =>
  outcomes.get(name)!.counts[COUNTED.indexOf(call)]!;

test("runs did end for no reason, in both ways", () => {
  const [plain, name] = [BRANCHES[0]!.name, "runs that end for no reason"];
  expect(count(name, "unknown")).toBeGreaterThan(20 + count(plain, "unknown"));
  // Half of them say that they were canceled; how many others are, by timers and kicks, depends on how busy the machine is.
  expect(count(name, "canceled")).toBeGreaterThan(20);
});

test("stops did come at every instruction of the task, and on both ways through the stub", () => {
  for (const { name } of BRANCHES.filter(({ env }) => env["HVF_CHECK_STOPS"] !== undefined)) {
    const found = fields(outcomes.get(name)!);
    expect(found["stops_in_task"]).toBe(7);
    // Both vectors' ends, and what is done for requests.
    expect(found["stops_on_the_way_out"]).toBeGreaterThanOrEqual(50);
    expect(found["stops_on_the_way_in"]).toBeGreaterThanOrEqual(95);
  }
});

test("what a CPU forgets before a task runs is what the kernel asked for, in order, and no instruction of that may be missing", () => {
  const words = stubWords(PROGRAM);
  for (const [asked, did, must] of cases(words)) expect([asked, ...did]).toEqual([asked, ...must]);
  expect(startIsWhole(words)).toBe(true);
  expect(unnoticed(words)).toEqual([]);
});
/** Bits of AT_HWCAP and AT_HWCAP2 that no CPU may show: SVE, pointer authentication; SVE2 and its parts, BTI, MTE, SME. */
const HIDDEN = [[22, 30, 31], [], [1, 2, 3, 4, 5, 6, 9, 10, 11, 12, 17, 18, 22, 23, 24, 25, 26, 27, 28, 29, 30], []];

describe("a CPU that has everything", () => {
  for (const [name] of RICH) {
    test(name, () => {
      const outcome = rich.get(name)!;
      expect(outcome.stdout.match(/^wrong.*$/gm) ?? []).toEqual([]);
      expect({ status: outcome.status, signal: outcome.signal }).toEqual({ status: 0, signal: null });
    });
  }
  test("shows programs what keeps no state beyond theirs, and nothing else", () => {
    const [plain, wide] = [fields(outcomes.get(BRANCHES[0]!.name)!), fields(rich.get(RICH[0]![0])!)];
    for (let i = 0; i < 4; i += 1) {
      const [less, more] = [plain[`hwcap${i}`]!, wide[`hwcap${i}`]!];
      expect((less & ~more) >>> 0).toBe(0);
      expect(HIDDEN[i]!.filter((bit) => ((more >>> bit) & 1) !== 0)).toEqual([]);
    }
    expect(wide["hwcap0"]).not.toBe(plain["hwcap0"]);
    expect(wide["ipa_bits"]).toBe(36);
    expect(wide["id_trap_class"]).toBe(SYSTEM_INSTRUCTION);
    expect(fields(rich.get("addresses of 48 bits")!)["ipa_bits"]).toBe(48);
  });
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

test("a CPU that is refused is no machine that is refused", () => {
  expect(outcomes.get("fails vcpu_create:1")!.stdout).toMatch(
    /refuses to set up a virtual machine and its CPU \(error 0xfae94001\)/,
  );
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

describe("a change is noticed", () => {
  for (const { name } of CHANGES) {
    test(name, () => {
      expect(noticedBy(outcomes.get(name)!, outcomes.get(BRANCHES[0]!.name)!)).not.toBeNull();
    });
  }
});

describe("every bit that a CPU begins with is what the architecture has it for", () => {
  // A host that decides otherwise is a bit that was changed on the way.
  for (const { name } of BRANCHES.filter(({ env }) => env["HVKVM_FLIP"] === undefined)) {
    test(name, () => {
      const outcome = outcomes.get(name)!;
      expect(wrongSetUp(outcome.record, machineOf(outcome))).toEqual([]);
      expect(linesOf(outcome.record).filter(({ kind }) => kind === "run").length).toBeGreaterThanOrEqual(3);
    });
  }
  test("and no bit is anything's", () => {
    const outcome = outcomes.get(BRANCHES[0]!.name)!;
    const machine = machineOf(outcome);
    const lines = linesOf(outcome.record).filter(({ kind }) => kind !== "run");
    for (const line of lines) {
      const free = freeBits(line, machine);
      for (let bit = 0n; bit < 64n; bit += 1n) {
        const changed = { ...line, value: line.value ^ (1n << bit) };
        const isFree = ((free >> bit) & 1n) === 1n;
        if (wrongFields(changed, machine).length > 0 === isFree)
          throw new Error(`${line.kind} ${line.number} bit ${bit} is ${isFree ? "free" : "not"} and otherwise held`);
      }
    }
    expect(lines.length).toBeGreaterThan(30);
  });
});

test("instructions are changed in all parts of the stub, and none twice", () => {
  expect(new Set(STUB_MUTATIONS.map(({ flip }) => flip)).size).toBe(STUB_MUTATIONS.length);
  expect(STUB_MUTATIONS.length).toBeGreaterThanOrEqual(50);
});

test("the stub is short", () => {
  const [, out, back] = /^stub: (\d+) instructions out, (\d+) in$/m.exec(outcomes.get(BRANCHES[0]!.name)!.stdout)!;
  expect(Number(out)).toBeLessThanOrEqual(42);
  expect(Number(back)).toBeLessThanOrEqual(41);
});

test("calls are counted", () => {
  const counts = outcomes.get(BRANCHES[0]!.name)!.counts;
  // And one that is refused (check/strictness.zig).
  expect(counts[COUNTED.indexOf("vm_create")]).toBe(2);
  expect(counts[COUNTED.indexOf("hvc")]).toBeGreaterThan(500);
});
