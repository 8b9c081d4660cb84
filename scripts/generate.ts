// Writes the generated files: src/host/shim.gen.ts and src/loader/vdso.gen.ts (from the shim), docs/syscalls.md
// (from the table). With --check it changes nothing and fails when one of them is not current.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { allRows } from "../src/syscalls/table.ts";
import { must, root, zig } from "./toolchain.ts";

const FILES = ["src/host/shim.gen.ts", "src/loader/vdso.gen.ts", "docs/syscalls.md"];

function syscallsPage(): string {
  const rows = allRows();
  const full = rows.filter((row) => row.coverage.full).length;
  const lines = rows.map(
    (row) => `| ${row.number} | \`${row.name}\` | ${row.coverage.full ? "full" : row.coverage.note} |`,
  );
  return `# System calls

Generated from the table in \`src/syscalls\` by \`bun scripts/generate.ts\`; do not edit. ${rows.length} calls of Linux/arm64 are known, ${full} of them in full. A call without
a row answers ENOSYS.

| number | call | coverage |
| --- | --- | --- |
${lines.join("\n")}
`;
}

function read(file: string): string {
  try {
    return readFileSync(join(root, file), "utf8");
  } catch {
    return "";
  }
}

const before = FILES.map(read);
must([zig, "build", "gen"]);
writeFileSync(join(root, "docs/syscalls.md"), syscallsPage());
const stale = FILES.filter((file, i) => read(file) !== before[i]);
if (process.argv.includes("--check") && stale.length > 0) {
  for (const file of stale) writeFileSync(join(root, file), before[FILES.indexOf(file)]!);
  console.error(`not current: ${stale.join(", ")}; run bun scripts/generate.ts`);
  process.exit(1);
}
