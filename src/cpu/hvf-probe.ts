// What Hypervisor.framework does on this machine, where public reports contradict each other: the shim tries it (shim/cpu/hvf/probe.zig and
// measure.zig), this reads the answers. For a process of its own: whatever uses the CPU afterwards uses this one.

import { system } from "../host/self.ts";
import { HvfProbe } from "../host/shim.gen.ts";
import { pointerOf, shim } from "../host/shim.ts";
import { engineReason, useEngine } from "./cpu.ts";

export type HvfFacts = Readonly<Record<Exclude<keyof typeof HvfProbe, "sizeBytes">, number>>;

/** Whether there may be one: on a Mac, and where tests name its stand-in (shim/cpu/hvf/hv.zig). */
export function mayHaveHvf(): boolean {
  return system().isMac || process.env["CARRICK_HV"] !== undefined;
}

/** A string says why there is none. */
export function probeHvf(): HvfFacts | string {
  if (shim.host_start() < 0 || shim.mem_init(0, 0) < 0) return "the host gives no memory for the guest";
  const why = useEngine("hvf");
  if (why !== null) return why;
  if (shim.cpu_hvf_measure() < 0)
    return `the virtual machine could be made, but not measured: ${engineReason() ?? "nothing is told"}`;
  const out = new Uint32Array(HvfProbe.sizeBytes / 4);
  shim.cpu_hvf_probe(pointerOf(out));
  const facts: Record<string, number> = {};
  for (const [name, offset] of Object.entries(HvfProbe)) if (name !== "sizeBytes") facts[name] = out[offset >> 2]!;
  return facts as HvfFacts;
}
