// What guest programs print differently on a Mac, because its file system or its calls cannot do otherwise (docs/mac.md). Lines of
// the record, and what stands in their place.

type Change = readonly [line: string, inPlace: string];

const CHANGES: Readonly<Record<string, readonly Change[]>> = {
  // Links have at most 1023 bytes.
  names: [["symlink target 4095: 0", "symlink target 4095: ENAMETOOLONG"]],
  // What was made without a name gets one as a copy, and has none itself.
  open: [["links 1 size 5", "links 0 size 5"]],
  // Ranges cannot be taken out of files or put in.
  sizes: [
    [
      "collapse: 0\ng: size 36864\ninsert: 0\ng: size 40960\nshifted 0 4096\ncollapse odd: EINVAL\ncollapse to the end: EINVAL",
      "collapse: EOPNOTSUPP\ng: size 40960\ninsert: EOPNOTSUPP\ng: size 40960\nshifted 4096 0\ncollapse odd: EOPNOTSUPP\ncollapse to the end: EOPNOTSUPP",
    ],
  ],
  // Sockets take no programs.
  sockfilters: [
    ["attach: 0", "attach: errno 92"],
    ["received: wanted", "received: unwanted"],
    ["then: EAGAIN", "then: 6"],
    ["detach: 0", "detach: errno 92"],
  ],
  // Names of attributes have at most 127 bytes.
  xattrs: [["f has 4 user attributes", "f has 3 user attributes"]],
};

/** From behind this line on a program asks for names that are no UTF-8, and prints what it happens to have instead of the answers. */
const LAST_LINES: Readonly<Record<string, string>> = { names: "open socket: ENXIO" };

/** What a program printed, as far as it can be compared. */
export function comparable(program: string, output: string): string {
  const last = LAST_LINES[program];
  return last === undefined ? output : output.slice(0, output.indexOf(`${last}\n`) + last.length + 1);
}

/** The record of a program as a Mac would print it. */
export function forDarwin(program: string, record: string): string {
  let text = record;
  for (const [line, inPlace] of CHANGES[program] ?? []) {
    if (!text.includes(`${line}\n`)) throw new Error(`the record of ${program} has no line "${line}"`);
    text = text.replace(`${line}\n`, () => (inPlace === "" ? "" : `${inPlace}\n`));
  }
  return comparable(program, text);
}
