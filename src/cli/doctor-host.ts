// What `carrick doctor` sees from outside of the guest: the executable and its signature, the host's version, its CPUs and memory.

import { readFileSync, statSync } from "node:fs";
import { type CodeSignature, readCodeSignature } from "../host/code-signature.ts";
import { cpuCount, hostMemory } from "../host/identity.ts";
import { executable, isExecutable, refusal, type System, sysctl, system, tool } from "../host/self.ts";
import { formatBytes } from "./format.ts";

export interface Check {
  readonly name: string;
  /** "note": works, but somebody may want to know. */
  readonly status: "ok" | "note" | "bad";
  readonly text: string;
  /** The same for programs. */
  readonly facts?: Readonly<Record<string, string | number | boolean | readonly string[]>>;
}

const OLDEST_MACOS = 14;
/** The kernel of that one, where nothing else is told. */
const OLDEST_DARWIN = 23;
const HYPERVISOR = "com.apple.security.hypervisor";

export function executableCheck(): Check {
  const name = "executable";
  const bytes = statSync(executable).size;
  const facts = { path: executable, bytes, built: isExecutable };
  if (!isExecutable) return { name, status: "note", text: `runs from its sources, by ${executable}`, facts };
  return { name, status: "ok", text: `${executable} (${formatBytes(bytes)})`, facts };
}

export function signatureCheck(): Check {
  if (!system().isMac) return { name: "signature", status: "ok", text: "none is needed on Linux" };
  const check = signatureOf(readCodeSignature(readFileSync(executable)));
  if (check.status === "bad") return check;
  const said = refusal(["/usr/bin/codesign", "--verify", "--strict", executable]);
  if (typeof said === "string") return { ...check, status: "bad", text: `codesign does not accept it: ${said}` };
  const quarantined = tool(["/usr/bin/xattr", "-p", "com.apple.quarantine", executable]) !== null;
  if (!quarantined) return check;
  return {
    ...check,
    status: "note",
    text: `${check.text}; in quarantine: xattr -d com.apple.quarantine ${executable}`,
  };
}

/** `found`: what readCodeSignature says. */
export function signatureOf(found: CodeSignature | string): Check {
  const name = "signature";
  if (typeof found === "string") return { name, status: "bad", text: found };
  const { identifier, adHoc, hardenedRuntime, pages, entitlements, problems } = found;
  const facts = { identifier, adHoc, hardenedRuntime, pages, entitlements, problems };
  if (problems.length > 0) return { name, status: "bad", text: problems.join("; "), facts };
  if (!entitlements.includes(HYPERVISOR)) {
    return { name, status: "bad", text: `the entitlement ${HYPERVISOR} is missing: sign carrick anew`, facts };
  }
  const who = adHoc ? "ad hoc" : "with a certificate";
  return { name, status: "ok", text: `${who}, ${pages} pages unchanged, may use the hypervisor`, facts };
}

export function hostChecks(): Check[] {
  const host = system();
  const memory = hostMemory();
  const cpus = cpuCount();
  const checks: Check[] = [versionCheck(host)];
  if (host.isMac) checks.push(hypervisorCheck(sysctl("kern.hv_support")));
  const pageBytes = Number(tool(["/usr/bin/getconf", "PAGESIZE"]));
  const pages = pageBytes > 0 ? `, pages of ${pageBytes} bytes` : "";
  checks.push({
    name: "machine",
    status: "ok",
    text: `${host.cpu}, ${cpus} CPUs, ${formatBytes(memory.total)} of memory${pages}`,
    facts: { cpu: host.cpu, cpus, memoryBytes: memory.total, pageBytes },
  });
  return checks;
}

export function versionCheck({ name, version, isMac }: System): Check {
  const facts = { name, version };
  const text = `${name} ${version}`;
  const [, kernel] = /^Darwin (\d+)/.exec(version) ?? [];
  const isNew = kernel === undefined ? Number.parseInt(version, 10) >= OLDEST_MACOS : Number(kernel) >= OLDEST_DARWIN;
  if (!isMac || isNew) return { name: "host", status: "ok", text, facts };
  return { name: "host", status: "bad", text: `${text}, but carrick needs macOS ${OLDEST_MACOS} or later`, facts };
}

/** `support`: kern.hv_support. */
export function hypervisorCheck(support: string | null): Check {
  const facts = { support: support ?? "unknown" };
  if (support === "1") return { name: "hypervisor", status: "ok", text: "kern.hv_support is 1", facts };
  if (support === null) return { name: "hypervisor", status: "note", text: "kern.hv_support is not told", facts };
  const text = `kern.hv_support is ${support}: this machine (or the virtual machine that it is) has none`;
  return { name: "hypervisor", status: "bad", text, facts };
}
