// What makes a layer unusable: one sentence for the user, without control characters of whoever wrote the archive.

import { OciError } from "./oci-error.ts";

export class LayerError extends OciError {}

const SHOWN_CHARACTERS = 80;

/** A byte string from an archive as a message may quote it. */
export function shown(name: string): string {
  const text = Buffer.from(name.slice(0, 4 * SHOWN_CHARACTERS), "latin1").toString("utf8");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it removes.
  const plain = text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufffd]/g, "?");
  return plain.length > SHOWN_CHARACTERS ? `"${plain.slice(0, SHOWN_CHARACTERS)}..."` : `"${plain}"`;
}
