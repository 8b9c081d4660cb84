// What a pull shows: on a terminal lines that are redrawn, elsewhere lines that stay.

import { expect, test } from "bun:test";
import { formatAge, formatBytes, formatTable } from "../../../src/cli/format.ts";
import { PlainProgress, TerminalProgress } from "../../../src/cli/progress.ts";

const D = (n: number): string => `sha256:${String(n).padStart(2, "0").repeat(32)}`;

/** What a terminal shows after the text: enough of one for what we write. */
function screen(text: string): string[] {
  const lines = [""];
  let row = 0;
  for (let i = 0; i < text.length; i += 1) {
    const command = text[i] === "\u001b" ? /^\[(\d*)([AJ])/.exec(text.slice(i + 1)) : null;
    if (command !== null) {
      if (command[2] === "A") row -= Number(command[1]);
      else lines.splice(row, lines.length - row, "");
      i += command[0].length;
    } else if (text[i] === "\n") {
      row += 1;
      lines[row] ??= "";
    } else if (text[i] !== "\r") lines[row] = `${lines[row]}${text[i]}`;
  }
  return lines;
}

test("plain lines, one for each layer that is complete", () => {
  let out = "";
  const progress = new PlainProgress((text) => (out += text));
  progress.note("pulling \u001b[31mx");
  progress.layer(D(1), "waiting", 0, 10);
  progress.layer(D(1), "pulling", 5, 10);
  progress.layer(D(1), "done", 10, 10);
  progress.layer(D(2), "present", 1500, 1500);
  progress.finish();
  expect(out).toBe("pulling ?[31mx\nlayer 010101010101: pulled (10B)\nlayer 020202020202: already here (1.5kB)\n");
});

test("on a terminal each layer has one line, ten drawings a second at most, notes above", () => {
  let out = "";
  let writes = 0;
  let now = 0;
  const write = (text: string): void => {
    out += text;
    writes += 1;
  };
  const progress = new TerminalProgress(write, 10, 60, () => now);
  progress.note("pulling x");
  for (const n of [1, 2]) progress.layer(D(n), "waiting", 0, 1000);
  progress.layer(D(1), "pulling", 0, 1000);
  const before = writes;
  for (let bytes = 1; bytes < 1000; bytes += 1) {
    now += 1;
    progress.layer(D(1), "pulling", bytes, 1000);
  }
  expect(writes - before).toBeLessThan(12);
  progress.note("another");
  progress.layer(D(1), "done", 1000, 1000);
  progress.finish();
  expect(screen(out)).toEqual(["pulling x", "another", "010101010101  pulled", "020202020202  waiting", ""]);
});

test("more layers than lines: those that move, and a count", () => {
  let out = "";
  const progress = new TerminalProgress(
    (text) => (out += text),
    6,
    40,
    () => 0,
  );
  for (let n = 10; n < 20; n += 1) progress.layer(D(n), n < 15 ? "done" : n === 17 ? "pulling" : "waiting", 3, 10);
  progress.finish();
  const lines = screen(out);
  expect(lines.length).toBe(5);
  expect(lines[0]).toMatch(/^17.* 3B of 10B$/);
  expect(lines.at(-2)).toBe("5 of 10 layers are here");
  for (const line of lines) expect(line.length).toBeLessThan(40);
});

test("sizes, ages and tables", () => {
  const sizes: readonly (readonly [number, string])[] = [
    [0, "0B"],
    [999, "999B"],
    [1000, "1kB"],
    [1234, "1.23kB"],
    [999_499, "999kB"],
    [999_999, "1MB"],
    [12_345_678, "12.3MB"],
    [5e9, "5GB"],
  ];
  for (const [bytes, text] of sizes) expect(formatBytes(bytes)).toBe(text);
  const day = 86400_000;
  expect([
    formatAge(Number.NaN, 0),
    formatAge(0, 10),
    formatAge(0, 3 * day),
    formatAge(0, 8 * day),
    formatAge(0, 400 * day),
    formatAge(10, 0),
  ]).toEqual(["N/A", "just now", "3 days ago", "1 week ago", "1 year ago", "just now"]);
  expect(
    formatTable([
      ["A", "BB"],
      ["long", "x"],
    ]),
  ).toBe("A      BB\nlong   x\n");
});
