// What `carrick run` was asked for, as plain data: flags only, the image's own wishes not yet merged in. Texts are as
// the user typed them (UTF-16 strings of the command line, not byte strings).

import type { Engine } from "../cpu/cpu.ts";

/** A host directory or file of the user's that the guest sees at `target`. */
export interface BindMount {
  readonly type: "bind";
  /** Absolute path on the host. */
  readonly source: string;
  /** Whether a directory is made where there is nothing; else it exists. */
  readonly create?: boolean;
  /** Absolute, normalised path in the guest. */
  readonly target: string;
  readonly readOnly: boolean;
}

/** An empty file system in memory. */
export interface TmpfsMount {
  readonly type: "tmpfs";
  readonly target: string;
  readonly readOnly: boolean;
  readonly noExec: boolean;
  readonly noSuid: boolean;
  readonly noDev: boolean;
  /** tmpfs's own options ("size=64m,mode=1777"), "" for none; parseTmpfsOptions takes them. */
  readonly data: string;
}

export type MountRequest = BindMount | TmpfsMount;

export interface HostEntry {
  readonly name: string;
  readonly address: string;
}

export interface RunRequest {
  /** As typed. */
  readonly image: string;
  /** What follows the image; empty for the image's own command. */
  readonly command: readonly string[];
  /** Null: the image's. An empty list: none (`--entrypoint ""`). */
  readonly entrypoint: readonly string[] | null;
  /** NAME=value, in order of rising priority; NAME alone takes the variable away. */
  readonly env: readonly string[];
  /** "user[:group]" by name or number; null: the image's. */
  readonly user: string | null;
  /** Absolute path; null: the image's. Made when missing. */
  readonly workdir: string | null;
  readonly mounts: readonly MountRequest[];
  /** Directories of the guest that are to exist (`-v DST` without a source). */
  readonly volumes: readonly string[];
  /** Null: one that carrick chooses. */
  readonly hostname: string | null;
  /** Lines for /etc/hosts. */
  readonly hosts: readonly HostEntry[];
  readonly readOnly: boolean;
  readonly network: "host" | "none";
  readonly interactive: boolean;
  readonly tty: boolean;
  readonly init: boolean;
  readonly name: string | null;
  readonly engine: Engine;
  /** How many CPUs the guest has; null: as many as carrick may use. */
  readonly cpus: number | null;
}
