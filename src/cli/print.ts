// What a command is there to say, on stdout: a report that nobody gets is a failure.

import * as errno from "../abi/errno.ts";
import { writeOut } from "../host/stdio.ts";
import { errnoText } from "../trace/errno-text.ts";
import { UserError } from "./user-error.ts";

/** As of a program that SIGPIPE has ended. */
export const EXIT_UNREAD = 141;

/** Throws UserError; without words when the reader has gone (`carrick doctor | head -1`), for he knows. */
export function print(text: string): void {
  const error = writeOut(text);
  if (error === 0) return;
  if (error === -errno.EPIPE) throw new UserError("", EXIT_UNREAD);
  const name = Object.entries(errno).find(([, value]) => value === -error)?.[0] ?? "";
  throw new UserError(`standard output cannot be written to: ${errnoText[name] ?? `errno ${-error}`}`);
}
