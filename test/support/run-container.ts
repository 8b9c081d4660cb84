// Runs an image in a process of its own, with the request that a test is about.

import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunRequest } from "../../src/container/run-request.ts";
import { DEFAULT_ENGINE } from "../../src/cpu/cpu.ts";
import type { OpenImage } from "../../src/oci/store.ts";
import { testCpu, testCpus } from "./guest.ts";

export interface ContainerResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}

export interface ContainerOptions {
  readonly stdin?: string;
  /** A file for standard output. */
  readonly stdoutTo?: string;
}

export const PLAIN_REQUEST: RunRequest = {
  image: "test",
  command: [],
  entrypoint: null,
  env: [],
  user: null,
  workdir: null,
  mounts: [],
  volumes: [],
  hostname: null,
  hosts: [],
  readOnly: false,
  network: "host",
  interactive: false,
  tty: false,
  init: false,
  name: null,
  engine: testCpu ?? DEFAULT_ENGINE,
  cpus: testCpus,
};

/** The command that runs a container, and where its specification lies; `done` removes it. */
export function containerCommand(image: OpenImage, request: Partial<RunRequest>): { argv: string[]; done: () => void } {
  const folder = mkdtempSync(join(tmpdir(), "carrick-container-"));
  const spec = join(folder, "spec.json");
  writeFileSync(spec, JSON.stringify({ image, request: { ...PLAIN_REQUEST, ...request } }));
  const argv = [process.execPath, join(import.meta.dir, "run-image.ts"), spec];
  return { argv, done: () => rmSync(folder, { recursive: true, force: true }) };
}

export function containerRun(
  image: OpenImage,
  request: Partial<RunRequest>,
  options: ContainerOptions = {},
): ContainerResult {
  const { argv, done } = containerCommand(image, { interactive: options.stdin !== undefined, ...request });
  const out = options.stdoutTo === undefined ? "pipe" : openSync(options.stdoutTo, "w");
  try {
    const child = Bun.spawnSync(argv, {
      stdin: Buffer.from(options.stdin ?? "", "latin1"),
      stdout: out,
      stderr: "pipe",
      timeout: 60_000,
    });
    const stdout = options.stdoutTo === undefined ? (child.stdout as Buffer).toString("latin1") : "";
    return { stdout, stderr: child.stderr.toString("latin1"), status: child.exitCode ?? 128 };
  } finally {
    if (typeof out === "number") closeSync(out);
    done();
  }
}
