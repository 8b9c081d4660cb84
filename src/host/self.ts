// carrick as a program on this machine: where it lies, how to start it again, what it was built for.

import { arch, release } from "node:os";

/** Bun shows what is inside of an executable below this folder. */
export const isExecutable = Bun.main.startsWith("/$bunfs/");

/** The executable file; Bun's when carrick runs from its sources. */
export const executable = process.execPath;

const TOOL_TIMEOUT_MS = 10_000;

/** Words that start carrick again. */
export const selfCommand: readonly string[] = isExecutable ? [executable] : [executable, Bun.main];

export interface System {
  /** "macOS" or "Linux". */
  readonly name: string;
  readonly version: string;
  /** Apple's hypervisor is what guests are to run on. */
  readonly isMac: boolean;
  readonly cpu: string;
}

export function system(): System {
  const isMac = process.platform === "darwin";
  const name = isMac ? "macOS" : "Linux";
  const version = isMac ? (tool(["/usr/bin/sw_vers", "-productVersion"]) ?? `Darwin ${release()}`) : release();
  return { name, version, isMac, cpu: (isMac ? sysctl("machdep.cpu.brand_string") : null) ?? arch() };
}

/** A value of macOS's sysctl(8), or null. */
export function sysctl(name: string): string | null {
  return tool(["/usr/sbin/sysctl", "-n", name]);
}

/** What a program of the system prints, without the last newline; null when it fails or is not there. */
export function tool(command: readonly string[]): string | null {
  const result = started(command);
  return result?.exitCode === 0 ? result.stdout.toString().trimEnd() : null;
}

/** The first line that a program of the system says when it refuses; null when it does not, and undefined when it is not there. */
export function refusal(command: readonly string[]): string | null | undefined {
  const result = started(command);
  if (result === null) return undefined;
  if (result.exitCode === 0) return null;
  return result.stderr.toString().trim().split("\n")[0] || "it ended without a word";
}

function started(command: readonly string[]): Bun.SyncSubprocess<"pipe", "pipe"> | null {
  try {
    return Bun.spawnSync([...command], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      timeout: TOOL_TIMEOUT_MS,
      // Else sw_vers says 10.16 where somebody has set it for an old program.
      env: { ...process.env, SYSTEM_VERSION_COMPAT: "0" },
    });
  } catch {
    return null;
  }
}
