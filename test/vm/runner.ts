// Inside the virtual machine: runs the jobs of /jobs.json one after the other and writes what they did to the disk that the host reads.
// Run by a Bun for arm64.

import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import type { Job, Outcome } from "./machine.ts";

const jobs: readonly Job[] = JSON.parse(readFileSync("/jobs.json", "utf8"));
const outcomes: Outcome[] = [];

function counts(path: string): number[] {
  try {
    const bytes = readFileSync(path);
    return [...new BigUint64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))].map(Number);
  } catch {
    return [];
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

function run(job: Job, n: number): Outcome {
  const start = performance.now();
  const countFile = `/tmp/count-${n}`;
  const recordFile = `/tmp/record-${n}`;
  const child = Bun.spawnSync([...job.argv], {
    stdin: Buffer.from(job.stdin ?? ""),
    stdout: "pipe",
    stderr: "pipe",
    cwd: job.cwd ?? "/",
    env: {
      PATH: "/bin",
      HOME: "/tmp",
      CARRICK_HV: process.env["CARRICK_HV"] ?? "",
      HVKVM_COUNT: countFile,
      ...(job.isRecorded === true ? { HVKVM_RECORD: recordFile } : {}),
      ...job.env,
    },
    timeout: job.timeoutMs ?? 200_000,
    killSignal: "SIGKILL",
  });
  return {
    stdout: child.stdout.toString("latin1"),
    stderr: child.stderr.toString("latin1"),
    status: child.exitCode,
    signal: child.signalCode === undefined || child.signalCode === null ? null : String(child.signalCode),
    ms: Math.round(performance.now() - start),
    counts: counts(countFile),
    record: textOf(recordFile),
  };
}

function save(): void {
  const text = Buffer.from(JSON.stringify(outcomes), "latin1");
  const fd = openSync("/dev/nvme0n1", "r+");
  const size = Buffer.alloc(16);
  size.write(String(text.length));
  writeSync(fd, size, 0, 16, 0);
  writeSync(fd, text, 0, text.length, 16);
  fsyncSync(fd);
  closeSync(fd);
}

jobs.forEach((job, n) => {
  const outcome = run(job, n);
  outcomes.push(outcome);
  save();
  console.log(`${n + 1}/${jobs.length} ${job.name}: ${outcome.signal ?? outcome.status} in ${outcome.ms} ms`);
});
