// The options of `carrick run`, spelled as Docker's, and the request that they describe.

import { isIP } from "node:net";
import { posix } from "node:path";
import type { HostEntry, MountRequest, RunRequest } from "../container/run-request.ts";
import { environmentVariables } from "../host/command-line.ts";
import { DOCKER_ONLY } from "./docker-options.ts";
import { CPU, CPUS, cpusOption, engineOption } from "./engine-option.ts";
import { environment } from "./env-options.ts";
import { INSECURE, PLATFORM, QUIET } from "./image-command.ts";
import { parseMount, parseTmpfs, parseVolumeOrPath } from "./mount-options.ts";
import { all, isOn, last, type Option, type Parsed, usageError } from "./options.ts";
import { printable } from "./user-error.ts";

const POLICIES = ["always", "missing", "never"] as const;
export type Policy = (typeof POLICIES)[number];

export const RUN_OPTIONS: readonly Option[] = [
  { name: "env", short: "e", value: "NAME[=VALUE]", repeatable: true, help: "Set a variable, or pass it on from here" },
  { name: "env-file", value: "FILE", repeatable: true, help: "Set the variables of a file's lines" },
  {
    name: "volume",
    short: "v",
    value: "SRC:DST[:ro]",
    repeatable: true,
    help: "Show the host's SRC, made when missing, at DST",
  },
  { name: "mount", value: "type=bind|tmpfs,...", repeatable: true, help: "Mount something, spelled as for Docker" },
  { name: "tmpfs", value: "DST[:OPTIONS]", repeatable: true, help: "Mount an empty file system in memory" },
  { name: "workdir", short: "w", value: "DIR", help: "Start in this directory" },
  { name: "user", short: "u", value: "USER[:GROUP]", help: "Run as this user of the image, by name or number" },
  { name: "entrypoint", value: "PROGRAM", help: 'Run this instead of the image\'s entrypoint; "" for none' },
  PLATFORM,
  { name: "pull", value: "always|missing|never", help: "When to pull the image; missing unless given" },
  { name: "hostname", short: "h", value: "NAME", help: "Name of the guest's machine" },
  { name: "add-host", value: "NAME:ADDRESS", repeatable: true, help: "Add a line to /etc/hosts" },
  { name: "read-only", help: "Refuse changes to the image's files" },
  { name: "network", alias: "net", value: "host|none", help: "The host's network, or none" },
  { name: "interactive", short: "i", help: "Keep stdin open" },
  { name: "tty", short: "t", help: "Give the guest a terminal" },
  { name: "rm", help: "Accepted for Docker's sake; nothing is kept anyway" },
  { name: "init", help: "Reap orphans, and let signals end the command, as Docker's init does" },
  { name: "name", value: "NAME", help: "Name of this run" },
  CPU,
  CPUS,
  QUIET,
  INSECURE,
  ...DOCKER_ONLY,
];

/** Throws UserError for what makes no sense. */
export function runRequest(parsed: Parsed): RunRequest {
  const [image, ...command] = parsed.rest;
  if (image === undefined) throw usageError("run needs an image");
  const volumes = all(parsed, "volume").map((text) => parseVolumeOrPath(text));
  const given = all(parsed, "mount").map(parseMount);
  const mounts: MountRequest[] = [
    ...volumes.filter((v) => typeof v !== "string"),
    ...given.filter((m) => typeof m !== "string"),
    ...all(parsed, "tmpfs").map(parseTmpfs),
  ];
  refuseDoubles(mounts);
  const entrypoint = last(parsed, "entrypoint");
  return {
    image,
    command,
    entrypoint: entrypoint === undefined ? null : entrypoint === "" ? [] : [entrypoint],
    env: environment(all(parsed, "env-file"), all(parsed, "env"), () => new Map(environmentVariables())),
    user: last(parsed, "user") || null,
    workdir: workdir(last(parsed, "workdir")),
    mounts,
    volumes: [...volumes, ...given].filter((v) => typeof v === "string"),
    hostname: hostname(last(parsed, "hostname")),
    hosts: all(parsed, "add-host").map(parseHost),
    readOnly: isOn(parsed, "read-only"),
    network: network(last(parsed, "network")),
    interactive: isOn(parsed, "interactive"),
    tty: isOn(parsed, "tty"),
    init: isOn(parsed, "init"),
    name: runName(last(parsed, "name")),
    engine: engineOption(parsed),
    cpus: cpusOption(parsed),
  };
}

export function pullPolicy(parsed: Parsed): Policy {
  const text = last(parsed, "pull") || "missing";
  const policy = POLICIES.find((p) => p === text);
  if (policy === undefined) throw usageError(`--pull ${printable(text)} is none of ${POLICIES.join(", ")}`);
  return policy;
}

function refuseDoubles(mounts: readonly MountRequest[]): void {
  const seen = new Set<string>();
  for (const { target } of mounts) {
    if (seen.has(target)) throw usageError(`two mounts at ${printable(target)}`);
    seen.add(target);
  }
}

function workdir(text: string | undefined): string | null {
  if (text === undefined || text === "") return null;
  if (!text.startsWith("/")) throw usageError(`--workdir ${printable(text)} is not an absolute path`);
  return posix.normalize(text);
}

function hostname(text: string | undefined): string | null {
  if (text === undefined || text === "") return null;
  if (!/^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/.test(text))
    throw usageError(`--hostname ${printable(text)} is not a host's name`);
  return text;
}

/** NAME:ADDRESS or NAME=ADDRESS; the address may be an IPv6 one, in brackets or not. */
function parseHost(text: string): HostEntry {
  const [, name = "", written = ""] = /^([A-Za-z0-9._-]+)[:=](.+)$/.exec(text) ?? [];
  if (name === "") throw usageError(`--add-host ${printable(text)} is not NAME:ADDRESS`);
  const address = written === "host-gateway" ? "127.0.0.1" : written.replace(/^\[(.*)\]$/, "$1");
  if (isIP(address) === 0)
    throw usageError(`--add-host ${printable(text)}: ${printable(address)} is not an IP address`);
  return { name, address };
}

function network(text: string | undefined): "host" | "none" {
  if (text === undefined || text === "" || text === "host") return "host";
  if (text === "none") return "none";
  throw usageError(`--network ${printable(text)} is not known; there are host and none`);
}

function runName(text: string | undefined): string | null {
  if (text === undefined || text === "") return null;
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]+$/.test(text))
    throw usageError(`--name ${printable(text)} is not made of letters, digits, _ . and -`);
  return text;
}
