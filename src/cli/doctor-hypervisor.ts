// What `carrick doctor` says of Hypervisor.framework: which way the machine took where there are several, what an exit costs, whether changed
// tables and code reach the guest. A carrick of its own tries it: whatever happens to that one, doctor reports it.

import { type HvfFacts, probeHvf } from "../cpu/hvf-probe.ts";
import { selfCommand } from "../host/self.ts";
import type { Check } from "./doctor-host.ts";
import { print } from "./print.ts";

export const PROBE_OPTION = "hypervisor";
const TIMEOUT_MS = 60_000;

/** `doctor --hypervisor`: the facts as JSON, or why there are none. */
export function printProbe(): number {
  const found = probeHvf();
  print(`${JSON.stringify(typeof found === "string" ? { reason: found } : found)}\n`);
  return typeof found === "string" ? 1 : 0;
}

export function hypervisorProbeCheck(): Check {
  const child = Bun.spawnSync([...selfCommand, "doctor", `--${PROBE_OPTION}`], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
  });
  const end = child.signalCode === undefined ? `status ${child.exitCode}` : `killed by ${child.signalCode}`;
  return probeCheck(
    child.stdout.toString(),
    `${end} ${child.stderr.toString().trim().split("\n").at(-1) ?? ""}`.trim(),
  );
}

/** `printed`: what printProbe wrote; `end`: how it ended. */
export function probeCheck(printed: string, end: string): Check {
  const name = "hvf";
  let found: (Partial<HvfFacts> & { reason?: string }) | null = null;
  try {
    found = JSON.parse(printed);
  } catch {
    // It has not come to its end.
  }
  if (found === null || typeof found !== "object") {
    return { name, status: "bad", text: `trying the hypervisor ended with ${end}` };
  }
  if (found.reason !== undefined) return { name, status: "bad", text: found.reason };
  const facts = found as Record<string, number>;
  const broken = MUST_WORK.filter(([key]) => facts[key] !== 1).map(([, what]) => what);
  if (broken.length > 0)
    return { name, status: "bad", text: `does not do what guests need: ${broken.join(", ")}`, facts };
  return { name, status: "ok", text: `${sizes(facts)}; ${ways(facts).join(", ")}; exit ${facts["exit_ns"]} ns`, facts };
}

const MUST_WORK: readonly (readonly [keyof HvfFacts, string])[] = [
  ["ready", "make a virtual machine"],
  ["tlb_works", "see changed pages"],
  ["icache_works", "see changed code"],
  ["memory_works", "share memory that was given back"],
  ["timer_works", "stop at a time"],
  ["kick_works", "stop when told to"],
];

function sizes(facts: Readonly<Record<string, number>>): string {
  return `${facts["ipa_bits"]} bits of addresses, ${facts["max_vcpus"]} CPUs, ${facts["asid_bits"]} bits of ASID, counter ${facts["counter_hz"]} Hz`;
}

/** Which branch the machine took, for each question that has two answers. */
function ways(facts: Readonly<Record<string, number>>): string[] {
  const is = (key: keyof HvfFacts, yes: string, no: string): string => (facts[key] === 1 ? yes : no);
  return [
    is("asids_isolate", "ASIDs isolate", "ASIDs do not isolate: TLB flushed on each switch"),
    is("mmu_by_stub", "MMU turned on by the stub", "MMU turned on by the host"),
    is("exec_alias", "memory mapped twice for execution", "memory mapped once"),
    is("split_wx", "writable pages are not executable", "writable pages may be executable"),
    `ID registers trap as class 0x${facts["id_trap_class"]?.toString(16)}`,
    facts["emulated"] === 0 ? "caches are programs' own" : `${facts["emulated"]} kinds of cache maintenance trap`,
    facts["counter_hz"] === facts["host_counter_hz"]
      ? is("counter_is_hosts", "the counter is the host's", "the counter has an offset")
      : `the host counts at ${facts["host_counter_hz"]} Hz`,
  ];
}
