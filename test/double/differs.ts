// What guest programs print differently on a Mac, because its file system or its calls cannot do otherwise (docs/mac.md). Lines of
// the record, and what stands in their place.

type Change = readonly [line: string, inPlace: string];

const CHANGES: Readonly<Record<string, readonly Change[]>> = {
  // Links have at most 1023 bytes; names are UTF-8 and found in every normalisation; sockets are made by bind(2) alone.
  names: [["symlink target 4095: 0", "symlink target 4095: ENAMETOOLONG"]],
  // Ranges cannot be taken out of files or put in.
  sizes: [],
  // Names of attributes have at most 127 bytes.
  xattrs: [["f has 4 user attributes", "f has 3 user attributes"]],
};

/** The record of a program as a Mac would print it. */
export function forDarwin(program: string, record: string): string {
  let text = record;
  for (const [line, inPlace] of CHANGES[program] ?? []) {
    if (!text.includes(`${line}\n`)) throw new Error(`the record of ${program} has no line "${line}"`);
    text = text.replace(`${line}\n`, () => (inPlace === "" ? "" : `${inPlace}\n`));
  }
  return text;
}
