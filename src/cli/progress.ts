// How a pull is shown, on stderr only: on a terminal one line per layer, redrawn ten times a second; else a plain line for
// each layer that is complete.

import { writeErr } from "../host/stdio.ts";
import { terminal } from "../host/terminal.ts";
import { shortDigest } from "../oci/digest.ts";
import type { LayerState, PullProgress } from "../oci/pull.ts";
import { formatBytes } from "./format.ts";
import { printable } from "./user-error.ts";

export interface Progress extends PullProgress {
  /** No more lines; the cursor is below what was shown. */
  finish(): void;
}

const STDERR = 2;
const REDRAW_MS = 100;
const MIN_COLUMNS = 20;

export function makeProgress(quiet: boolean): Progress {
  if (quiet) return { layer() {}, note() {}, finish() {} };
  const size = terminal.isTerminal(STDERR) && process.env["TERM"] !== "dumb" ? terminal.windowSize(STDERR) : -1;
  if (typeof size === "number" || size.rows < 4 || size.columns < MIN_COLUMNS) return new PlainProgress(writeErr);
  return new TerminalProgress(writeErr, size.rows, size.columns, () => Date.now());
}

const WORDS: Readonly<Record<LayerState, string>> = {
  waiting: "waiting",
  pulling: "pulling",
  done: "pulled",
  present: "already here",
  elsewhere: "another carrick is pulling it",
};

export class PlainProgress implements Progress {
  private readonly write: (text: string) => void;

  constructor(write: (text: string) => void) {
    this.write = write;
  }

  layer(digest: string, state: LayerState, _bytes: number, total: number): void {
    if (state === "done" || state === "present")
      this.write(`layer ${shortDigest(digest)}: ${WORDS[state]} (${formatBytes(total)})\n`);
  }

  note(text: string): void {
    this.write(`${printable(text)}\n`);
  }

  finish(): void {}
}

interface Line {
  state: LayerState;
  bytes: number;
  total: number;
}

export class TerminalProgress implements Progress {
  private readonly write: (text: string) => void;
  private readonly rows: number;
  private readonly columns: number;
  private readonly now: () => number;
  private readonly lines = new Map<string, Line>();
  /** Lines on the screen above the cursor. */
  private drawn = 0;
  private lastDrawMs = 0;

  constructor(write: (text: string) => void, rows: number, columns: number, now: () => number) {
    this.write = write;
    this.rows = rows;
    this.columns = columns;
    this.now = now;
  }

  layer(digest: string, state: LayerState, bytes: number, total: number): void {
    const before = this.lines.get(digest);
    this.lines.set(digest, { state, bytes, total });
    if (before?.state !== state || this.now() - this.lastDrawMs >= REDRAW_MS) this.draw(this.visible());
  }

  note(text: string): void {
    const words = `${printable(text)}\n`;
    this.write(`${this.back()}${words}`);
    this.draw(this.visible());
  }

  finish(): void {
    if (this.lines.size > 0) this.draw(this.visible());
    this.lines.clear();
    this.drawn = 0;
  }

  /** As many lines as fit: those that move before those that are done. */
  private visible(): string[] {
    const room = this.rows - 2;
    let entries = [...this.lines];
    if (entries.length > room) {
      const rank = ({ state }: Line): number =>
        state === "pulling" || state === "elsewhere" ? 0 : state === "waiting" ? 1 : 2;
      entries = entries.sort(([, a], [, b]) => rank(a) - rank(b)).slice(0, room - 1);
    }
    const texts = entries.map(([digest, line]) => `${shortDigest(digest)}  ${this.describe(line)}`);
    const done = [...this.lines.values()].filter(({ state }) => state === "done" || state === "present").length;
    if (entries.length < this.lines.size) texts.push(`${done} of ${this.lines.size} layers are here`);
    return texts.map((text) => text.slice(0, this.columns - 1));
  }

  private describe(line: Line): string {
    if (line.state !== "pulling") return WORDS[line.state];
    const width = Math.max(0, Math.min(30, this.columns - 50));
    const share = line.total === 0 ? 0 : line.bytes / line.total;
    const bar = width === 0 ? "" : `[${"=".repeat(Math.round(share * width)).padEnd(width)}] `;
    return `${bar}${formatBytes(line.bytes)} of ${formatBytes(line.total)}`;
  }

  /** Moves to the first line of what is drawn and clears from there. */
  private back(): string {
    const text = this.drawn === 0 ? "" : `\x1b[${this.drawn}A\r\x1b[J`;
    this.drawn = 0;
    return text;
  }

  private draw(lines: readonly string[]): void {
    this.write(`${this.back()}${lines.map((line) => `${line}\n`).join("")}`);
    this.drawn = lines.length;
    this.lastDrawMs = this.now();
  }
}
