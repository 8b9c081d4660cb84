// Numbers and tables as people read them, in Docker's manner.

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

/** Decimal units and three digits: 12.3MB. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const text = unit === 0 ? String(value) : value.toPrecision(3);
  return `${text.includes(".") ? text.replace(/\.?0+$/, "") : text}${UNITS[unit]}`;
}

const STEPS: readonly (readonly [seconds: number, name: string])[] = [
  [365 * 86400, "year"],
  [30 * 86400, "month"],
  [7 * 86400, "week"],
  [86400, "day"],
  [3600, "hour"],
  [60, "minute"],
];

/** "3 weeks ago"; "N/A" for a date that makes no sense. */
export function formatAge(dateMs: number, nowMs: number): string {
  if (!Number.isFinite(dateMs)) return "N/A";
  const seconds = Math.max(0, (nowMs - dateMs) / 1000);
  for (const [length, name] of STEPS) {
    const count = Math.floor(seconds / length);
    if (count >= 1) return `${count} ${name}${count === 1 ? "" : "s"} ago`;
  }
  return "just now";
}

/** Columns padded to their widest cell, three spaces between them. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => Bun.stringWidth(row[i] ?? ""))));
  const pad = (cell: string, i: number): string => cell + " ".repeat(Math.max(0, widths[i]! - Bun.stringWidth(cell)));
  return rows.map((row) => `${row.map(pad).join("   ").trimEnd()}\n`).join("");
}
