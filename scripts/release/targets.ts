// The machines that carrick is released for, and what an executable for each is made of.

export interface Target {
  /** As in carrick-<name>, and the condition under which package.json's #shim means this target's. */
  readonly name: string;
  /** Bun's name for it. */
  readonly bun: string;
  /** The npm package with Bun for it; package-lock.json pins version and content. */
  readonly runtime: string;
  /** The step of `zig build` that makes the shim. */
  readonly shim: string;
  /** The system runs only what is signed. */
  readonly signed: boolean;
}

export const TARGETS: readonly Target[] = [
  { name: "linux-x64", bun: "bun-linux-x64", runtime: "@oven/bun-linux-x64", shim: "install", signed: false },
  {
    name: "linux-arm64",
    bun: "bun-linux-arm64",
    runtime: "@oven/bun-linux-aarch64",
    shim: "linux-arm64",
    signed: false,
  },
  { name: "darwin-arm64", bun: "bun-darwin-arm64", runtime: "@oven/bun-darwin-aarch64", shim: "darwin", signed: true },
];

export const HOST = TARGETS[0]!;

/** Where the executable lies, from the top of the checkout. */
export function executablePath(target: Target): string {
  return `dist/carrick-${target.name}`;
}
