// What the programs of test/guest print when they work on an image.

import { readFileSync } from "node:fs";
import { join } from "node:path";

const expected = join(import.meta.dir, "../guest/expected");

/** A container's root may not mount, end logins, enter name spaces, advise others, nor take a real-time priority. */
export const NEEDS_ADMIN: readonly string[] = ["advice", "login", "mounts", "namespaces", "priorities"];

/** A container's root lacks CAP_DAC_READ_SEARCH, so that linkat(2) gives no name to what only a descriptor leads to. */
const WITHOUT_CAPABILITY: readonly [string, string][] = [
  ["linkat empty path: 0\n  viafd: 100644 links 4 size 4\n", "linkat empty path: ENOENT\n  viafd: ENOENT\n"],
  ["linkat empty path cwd: EPERM\n", "linkat empty path cwd: ENOENT\n"],
  ["links 3 size 9\nlinks 0\n", "links 2 size 9\nlinks 0\n"],
];

/** The tests' standard output is a socket, which a container's never is. */
const PIPE: readonly [string, string] = ["/dev/stdout opens: 0\n", "/dev/stdout opens: 1\n"];

export function imageAnswer(name: string): string {
  let text = readFileSync(join(expected, `${name}.txt`), "latin1");
  if (name === "devices") text = text.replace(...PIPE);
  if (name === "names") for (const [privileged, plain] of WITHOUT_CAPABILITY) text = text.replace(privileged, plain);
  return text;
}
