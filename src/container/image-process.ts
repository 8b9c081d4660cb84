// The first process of a container: what the user asked for laid over what the image asks for, by Docker's rules.

import type { ImageConfig } from "../oci/image-config.ts";
import type { RunRequest } from "./run-request.ts";

/** Docker's path for images that set none. */
const DEFAULT_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export interface ImageProcess {
  /** Program and arguments; empty when neither the user nor the image names a program. */
  readonly argv: readonly string[];
  /** NAME=value, each name once. */
  readonly env: readonly string[];
  /** "user[:group]", not yet looked up; "" for root. */
  readonly user: string;
  /** Absolute; to be made when missing. */
  readonly cwd: string;
  /** Directories that the image wants to exist. */
  readonly volumes: readonly string[];
}

/** `hostname` is the guest's; it becomes HOSTNAME unless that is set. */
export function imageProcess(config: ImageConfig, request: RunRequest, hostname: string): ImageProcess {
  return {
    argv: commandLine(config, request),
    env: environment(config, request, hostname),
    user: request.user ?? config.user,
    cwd: absolute(request.workdir ?? config.workingDir),
    volumes: [...config.volumes, ...request.volumes].map(absolute),
  };
}

/** A new entrypoint drops the image's command too; a new command keeps the image's entrypoint. */
function commandLine(config: ImageConfig, request: RunRequest): string[] {
  if (request.entrypoint !== null) return [...request.entrypoint, ...request.command];
  const command = request.command.length > 0 ? request.command : (config.cmd ?? []);
  return [...(config.entrypoint ?? []), ...command];
}

/** Docker's order: its own variables, the user's, then those of the image that the user has not set. */
function environment(config: ImageConfig, request: RunRequest, hostname: string): string[] {
  const env = new Map<string, string>();
  for (const entry of [DEFAULT_PATH, `HOSTNAME=${hostname}`, ...(request.tty ? ["TERM=xterm"] : [])])
    env.set(nameOf(entry), entry);
  const chosen = new Set(request.env.map(nameOf));
  for (const entry of [...request.env, ...config.env.filter((e) => !chosen.has(nameOf(e)))]) {
    if (entry.includes("=")) env.set(nameOf(entry), entry);
    else env.delete(entry);
  }
  env.delete("");
  return [...env.values()];
}

function nameOf(entry: string): string {
  const equals = entry.indexOf("=");
  return equals < 0 ? entry : entry.slice(0, equals);
}

/** Absolute and without "." and ".."; "" is "/". The guest's path walk does the rest. */
function absolute(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return `/${parts.join("/")}`;
}
