// The words and variables that carrick was started with. The runtime reads them as UTF-8 and loses what is none; where it
// has, they are read again. A byte that belongs to no character is the lone surrogate U+DC00 + byte.

import { lastingBytes, pointerOf, shim } from "./shim.ts";

/** What `host_strings` tells. */
const WORDS = 0;
const ENVIRONMENT = 1;

const LOST = "\ufffd";
/** A whole character in UTF-8 of several bytes, or a byte that is part of none. */
const CHARACTER =
  /[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}|[\x80-\xff]/g;

/** Arguments without the program's name. */
export function commandLine(): string[] {
  const words = process.argv.slice(2);
  let lost = false;
  for (const word of words) lost ||= word.includes(LOST);
  if (!lost) return words;
  const all = stringsOf(WORDS).map(decode);
  return all.length < words.length ? words : all.slice(all.length - words.length);
}

/** Variables and their values. */
export function environmentVariables(): [string, string][] {
  const variables: [string, string][] = [];
  let lost = false;
  for (const [name, value] of Object.entries(process.env)) {
    if (value === undefined) continue;
    lost ||= name.includes(LOST) || value.includes(LOST);
    variables.push([name, value]);
  }
  const all = lost ? environment() : [];
  if (all.length === 0) return variables;
  return all.map(decode).map((text) => [text.slice(0, text.indexOf("=")), text.slice(text.indexOf("=") + 1)]);
}

/** NAME=VALUE as byte strings, as the host gave them: the runtime's own list takes ten times longer. */
export function environment(): string[] {
  const variables: string[] = [];
  for (const text of stringsOf(ENVIRONMENT)) if (text.includes("=")) variables.push(text);
  return variables;
}

/** As byte strings. */
function stringsOf(which: number): string[] {
  for (let size = 64 * 1024; ; size *= 4) {
    const out = lastingBytes(size);
    const n = shim.host_strings(which, pointerOf(out), size);
    if (n < 0) return [];
    if (n <= size) return out.toString("latin1", 0, n).split("\0").slice(0, -1);
  }
}

function decode(latin1: string): string {
  return latin1.replace(CHARACTER, (bytes) =>
    bytes.length === 1
      ? String.fromCharCode(0xdc00 + bytes.charCodeAt(0))
      : Buffer.from(bytes, "latin1").toString("utf8"),
  );
}

/** All but ASCII. */
const WIDE = /[^\0-\x7f]/;
/** Bytes that are no UTF-8. */
const STRAY = /((?<![\ud800-\udbff])[\udc80-\udcff])/;

/** Such text as the byte string that it was typed as: what a guest and the host's calls take. */
export function bytes(text: string): string {
  if (!WIDE.test(text)) return text;
  if (!STRAY.test(text)) return Buffer.from(text, "utf8").toString("latin1");
  const parts = text.split(STRAY);
  return parts
    .map((part, i) => (i % 2 === 1 ? String.fromCharCode(part.charCodeAt(0) - 0xdc00) : bytes(part)))
    .join("");
}
