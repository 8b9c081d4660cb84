// What kept a guest from starting, as sentences and Docker's exit codes.

import { BootError } from "../container/boot-error.ts";
import { ProgramError } from "../container/run.ts";
import { EXIT_NOT_EXECUTABLE, EXIT_NOT_FOUND, printable, UserError } from "./user-error.ts";

/** Runs a guest. Its status, or a UserError. */
export function explained(run: () => number): number {
  try {
    return run();
  } catch (error) {
    if (error instanceof BootError) throw new UserError(printable(error.message));
    if (!(error instanceof ProgramError)) throw error;
    throw new UserError(printable(error.message), error.notFound ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
  }
}
