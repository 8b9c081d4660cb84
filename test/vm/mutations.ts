// Does the engine's check notice when single bits or instructions of what it sets up are wrong? `bun test/vm/mutations.ts [name]` tries all of them in one
// machine, which takes a quarter of an hour, and `words [first [count]]` takes out every instruction of the stub, one at a time;
// test/vm/hvf.test.ts tries some of both in each run.

import { join } from "node:path";
import { must, root, zig } from "../../scripts/toolchain.ts";
import { MUTATIONS, type Mutation } from "../double/mutations/hvf.ts";
import { STUB_MUTATIONS } from "../double/mutations/stub.ts";
import { BOOT, stubWords, wordMutations } from "../double/mutations/stub-words.ts";
import { copy, type Entry } from "./cpio.ts";
import { boot, type Job, type Outcome } from "./machine.ts";
import { type Machine, wrongSetUp } from "./registers.ts";

const CHECK = "/bin/hvf-check";

export const PROGRAM = join(root, "dist/linux-arm64/hvf-check");

/** The check's program, as built last. */
export const checkFile = (): Entry => copy(CHECK.slice(1), PROGRAM);

/** A job that runs it. */
export const checkJob = (name: string, env: Record<string, string>): Job => ({
  name,
  argv: [CHECK],
  env,
  isRecorded: true,
});

const BY_STUB = { CARRICK_HVF_FORCE: "mmu-by-stub" };

/** What hangs is noticed as well, and soon. What the stub does to turn the MMU on runs only where it has to. */
export const mutationJob = ({ name, flip }: Mutation): Job =>
  checkJob(name, {
    HVKVM_FLIP: flip,
    HVF_CHECK_SECONDS: "6",
    ...(name.startsWith(BOOT) ? BY_STUB : {}),
  });

/** The stand-in found nothing to change. */
const NOTHING_THERE = 99;

/** What does not depend on time. */
const steady = (outcome: Outcome): string => outcome.stdout.replace(/^exit_ns .*$/m, "");

/** The emulator's Cortex-A76 as the stand-in shows it. */
const PLAIN: Machine = { ipaBits: 36, asidBits: 16, isMmuByStub: false };
const STARTED: Machine = { ...PLAIN, isMmuByStub: true };

/** What a change shows in: programs that do not work as they should, or no more than what the CPU was set to. */
export function noticedBy(outcome: Outcome, sound: Outcome, machine = PLAIN): "programs" | "fields" | null {
  if (outcome.status === NOTHING_THERE) return null;
  if (outcome.status !== 0 || steady(outcome) !== steady(sound)) return "programs";
  return wrongSetUp(outcome.record, machine).length > 0 ? "fields" : null;
}

if (import.meta.main) {
  must([zig, "build", "hvf-check", "-Doptimize=ReleaseFast"]);
  const [what = "", first = "0", count] = process.argv.slice(2);
  const chosen =
    what === "words"
      ? wordMutations(stubWords(PROGRAM)).slice(
          Number(first),
          count === undefined ? undefined : Number(first) + Number(count),
        )
      : [...MUTATIONS, ...STUB_MUTATIONS].filter(({ name }) => name.includes(what));
  // The second is how the stub's start is compared.
  const jobs = [checkJob("as it is", {}), checkJob("MMU by the stub", BY_STUB), ...chosen.map(mutationJob)];
  const [sound, started, ...outcomes] = boot({ jobs, files: [checkFile()], limitMs: 2_400_000 });
  for (const { status, stdout, stderr } of [sound!, started!])
    if (status !== 0) throw new Error(`the check fails without a mutation:\n${stdout}${stderr}`);
  let alive = 0;
  for (const [i, outcome] of outcomes.entries()) {
    const by = chosen[i]!.name.startsWith(BOOT) ? noticedBy(outcome, started!, STARTED) : noticedBy(outcome, sound!);
    if (by === null) alive += 1;
    const how = by === null ? "SURVIVED" : `caught by ${by.padEnd(8)}`;
    console.log(`${how} ${chosen[i]!.name} (${outcome.signal ?? outcome.status})`);
  }
  console.log(`${chosen.length} mutations, ${alive} survived`);
  process.exit(alive === 0 ? 0 : 1);
}
