// Does the engine's check notice when single bits or instructions of what it sets up are wrong? `bun test/vm/mutations.ts` tries all of them in one
// machine, which takes a quarter of an hour; test/vm/hvf.test.ts tries some of the instructions in each run.

import { join } from "node:path";
import { must, root, zig } from "../../scripts/toolchain.ts";
import { MUTATIONS, type Mutation } from "../double/mutations/hvf.ts";
import { STUB_MUTATIONS } from "../double/mutations/stub.ts";
import { copy, type Entry } from "./cpio.ts";
import { boot, type Job, type Outcome } from "./machine.ts";
import { type Machine, wrongSetUp } from "./registers.ts";

const CHECK = "/bin/hvf-check";

/** The check's program, as built last. */
export const checkFile = (): Entry => copy(CHECK.slice(1), join(root, "dist/linux-arm64/hvf-check"));

/** A job that runs it. */
export const checkJob = (name: string, env: Record<string, string>): Job => ({
  name,
  argv: [CHECK],
  env,
  isRecorded: true,
});

/** What hangs is noticed as well, and soon. */
export const mutationJob = ({ name, flip }: Mutation): Job =>
  checkJob(name, { HVKVM_FLIP: flip, HVF_CHECK_SECONDS: "12" });

/** The stand-in found nothing to change. */
const NOTHING_THERE = 99;

/** What does not depend on time. */
const steady = (outcome: Outcome): string => outcome.stdout.replace(/^exit_ns .*$/m, "");

/** The emulator's Cortex-A76 as the stand-in shows it. */
const PLAIN: Machine = { ipaBits: 36, asidBits: 16, isMmuByStub: false };

/** What a change shows in: programs that do not work as they should, or no more than what the CPU was set to. */
export function noticedBy(outcome: Outcome, sound: Outcome): "programs" | "fields" | null {
  if (outcome.status === NOTHING_THERE) return null;
  if (outcome.status !== 0 || steady(outcome) !== steady(sound)) return "programs";
  return wrongSetUp(outcome.record, PLAIN).length > 0 ? "fields" : null;
}

if (import.meta.main) {
  must([zig, "build", "hvf-check", "-Doptimize=ReleaseFast"]);
  const chosen = [...MUTATIONS, ...STUB_MUTATIONS].filter(({ name }) => name.includes(process.argv[2] ?? ""));
  const jobs = [checkJob("as it is", {}), ...chosen.map(mutationJob)];
  const [sound, ...outcomes] = boot({ jobs, files: [checkFile()], limitMs: 2_400_000 });
  if (sound!.status !== 0) throw new Error(`the check fails without a mutation:\n${sound!.stdout}${sound!.stderr}`);
  let alive = 0;
  for (const [i, outcome] of outcomes.entries()) {
    const by = noticedBy(outcome, sound!);
    if (by === null) alive += 1;
    const how = by === null ? "SURVIVED" : `caught by ${by.padEnd(8)}`;
    console.log(`${how} ${chosen[i]!.name} (${outcome.signal ?? outcome.status})`);
  }
  console.log(`${chosen.length} mutations, ${alive} survived`);
  process.exit(alive === 0 ? 0 : 1);
}
