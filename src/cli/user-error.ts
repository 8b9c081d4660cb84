// Failures that the user can act on: one sentence on stderr and an exit status, never a stack trace.

/** Docker's meanings: carrick itself failed, the program cannot be executed, the program was not found. */
export const EXIT_FAILED = 125;
export const EXIT_NOT_EXECUTABLE = 126;
export const EXIT_NOT_FOUND = 127;

export class UserError extends Error {
  readonly exitCode: number;
  /** What to do about it, printed on a line of its own; "" for none. */
  readonly hint: string;

  constructor(message: string, exitCode: number = EXIT_FAILED, hint = "") {
    super(message);
    this.exitCode = exitCode;
    this.hint = hint;
  }
}

/** Text from outside as it may be shown: control characters (terminal escapes) and changes of direction become "?". */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it removes.
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, "?");
}
