// The one platform that carrick runs, linux/arm64, and the choice of its entry in an image index.

import { OciError } from "./oci-error.ts";

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant: string;
}

/** Checks what the user asks for with --platform: every spelling of linux/arm64. */
export function checkPlatform(text: string): void {
  const [os = "", architecture = "", variant = "", ...more] = text.toLowerCase().split("/");
  const bare = architecture === "" && variant === "" && (isArm64(os) || os === "linux");
  if (bare || (more.length === 0 && runs({ os, architecture, variant }))) return;
  throw new OciError(`platform "${text}" cannot be run: carrick runs linux/arm64`);
}

export function runs(platform: Platform): boolean {
  const { os, architecture, variant } = platform;
  return os === "linux" && isArm64(architecture) && (variant === "" || variant === "v8" || variant === "8");
}

function isArm64(architecture: string): boolean {
  return architecture === "arm64" || architecture === "aarch64";
}

export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant } = platform;
  return [os || "unknown", architecture || "unknown", ...(variant === "" ? [] : [variant])].join("/");
}

/** The entry to run. Entries that say nothing about their platform are taken last: their configuration will tell. */
export function selectPlatform<T extends { readonly platform: Platform | null }>(
  entries: readonly T[],
  name: string,
): T {
  const known = entries.filter((e) => e.platform !== null);
  const found = known.find((e) => runs(e.platform!)) ?? entries.find((e) => e.platform === null);
  if (found !== undefined) return found;
  // Builders put attestations beside images, as "unknown/unknown".
  const there = known.map((e) => formatPlatform(e.platform!)).filter((p) => p !== "unknown/unknown");
  throw notForUs(name, [...new Set(there)]);
}

const MAX_NAMED = 12;

export function notForUs(name: string, there: readonly string[]): OciError {
  const names = there.slice(0, MAX_NAMED).join(", ") + (there.length > MAX_NAMED ? ", ..." : "");
  return new OciError(`${name} has no image for linux/arm64, only ${names === "" ? "none at all" : `for ${names}`}`);
}
