// Runs the program of file operations and looks at the CPU time that its main thread takes for each kind: wall-clock time
// on a machine with other work says nothing.

import { readFileSync } from "node:fs";

/** Nanoseconds of CPU time for one operation, by name. */
export async function measureFiles(
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Map<string, number>> {
  const child = Bun.spawn([...command], {
    env: { ...process.env, ...env },
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  const used = (): number => Number(readFileSync(`/proc/${child.pid}/schedstat`, "latin1").split(" ")[0]);
  const figures = new Map<string, number>();
  const decoder = new TextDecoder();
  let before = 0;
  for await (const chunk of child.stdout) {
    const [name, count] = decoder.decode(chunk).trim().split(" ") as [string, string];
    const now = used();
    if (name !== "start") figures.set(name, (now - before) / Number(count));
    before = now;
    child.stdin.write("\n");
    child.stdin.flush();
  }
  if ((await child.exited) !== 0) throw new Error(`${command.join(" ")} failed`);
  return figures;
}
