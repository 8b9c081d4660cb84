// What somebody does first who has a Mac, as jobs of the virtual machine.

import { carrick, type Job } from "./machine.ts";

export interface Case {
  readonly job: Job;
  readonly expected: string;
  readonly status: number;
  /** What of its output can be compared; all of it without. */
  readonly seen?: (stdout: string) => string;
}

/** What jobs say on stderr that are refused a virtual machine. */
export const REFUSED = new Map<string, string>();

/** What somebody does first who has a Mac: looks at the machine, and runs programs that are known; and what he reads where it does not work. */
export function firstSteps(): Case[] {
  const cases: Case[] = [];
  const checks = ["executable", "signature", "host", "machine", "hvf", "cpu interp", "cpu jit", "cpu hvf"];
  const marks = [...checks, "store", "disk", "temporary"].map(
    (name) => `${name === "cpu jit" ? "note" : "ok  "} ${name}`,
  );
  cases.push({
    job: { name: "doctor", argv: carrick(["doctor"]) },
    expected: ["carrick 0.1.0", ...marks, "all is well", ""].join("\n"),
    status: 0,
    // The machine's disk is its memory, of which there is little.
    seen: (stdout) =>
      stdout
        .replace(/^(.{17}).*/gm, "$1")
        .replace(/ +$/gm, "")
        .replace("note disk", "ok   disk"),
  });
  cases.push({
    job: { name: "selftest", argv: carrick(["selftest", "--cpu", "hvf", "hello", "clone", "exec"]) },
    expected: "ok    clone\nok    exec\nok    hello\n3 passed, 0 failed\n",
    status: 0,
    seen: (stdout) => stdout.replace(/^carrick 0.*; CPU hvf\n/, "").replace(/ \(.*? s\)/g, ""),
  });
  const refused: readonly (readonly [string, Record<string, string>, string])[] = [
    [
      "without the entitlement",
      { HVKVM_FAIL: "vm_create:1:7" },
      "Hypervisor.framework refuses: carrick's signature lacks the entitlement com.apple.security.hypervisor",
    ],
    [
      "without a hypervisor",
      { HVKVM_FAIL: "vm_create:1:15" },
      "Hypervisor.framework does not work on this machine (sysctl kern.hv_support should be 1)",
    ],
    ["without the framework", { CARRICK_HV: "/lib/none.so" }, "this machine has no Hypervisor.framework"],
    [
      "with an old framework",
      { CARRICK_HV: "/lib/aarch64-linux-gnu/libm.so.6" },
      "this machine's Hypervisor.framework is too old; macOS 14 has one that will do",
    ],
  ];
  for (const [label, env, reason] of refused) {
    const argv = carrick(["doctor", "--hypervisor"]);
    const seen = (stdout: string): string => JSON.parse(stdout || "{}").reason;
    cases.push({ job: { name: `doctor ${label}`, argv, env }, expected: reason, status: 1, seen });
    REFUSED.set(
      `run ${label}`,
      `carrick: the CPU hvf cannot be used: ${reason}; --cpu interp does without it, slowly\n`,
    );
    const run = carrick(["run-elf", "--cpu", "hvf", "/guest/clock"]);
    cases.push({ job: { name: `run ${label}`, argv: run, env }, expected: "", status: 125 });
  }
  return cases;
}
