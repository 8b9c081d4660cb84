// What goes wrong with images, registries and the store, in one sentence for the user. The command line prints it and
// exits with 125; text from outside may stand in it, because the printer removes control characters.

export class OciError extends Error {
  /** HTTP status of the answer that caused it, or 0. */
  readonly status: number;

  constructor(message: string, status = 0) {
    super(message);
    this.status = status;
  }
}

/** The text of any thrown value. */
export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
