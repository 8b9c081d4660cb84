// What the store remembers about an image name.

import { isDigest } from "./digest.ts";
import { parseImageName } from "./image-name.ts";
import { parseJson } from "./json.ts";
import { OciError } from "./oci-error.ts";

export interface ImageRecord {
  /** Complete: a formatted reference, or "oci:/DIR:REF" and the like. */
  readonly name: string;
  /** What the name stood for where it came from: an index or a manifest. */
  readonly topDigest: string;
  readonly manifestDigest: string;
  readonly configDigest: string;
  /** When it was pulled, in milliseconds since 1970. */
  readonly pulledMs: number;
}

export function encodeRecord(record: ImageRecord): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(record)}\n`);
}

/** Null for a record that makes no sense: it counts as absent, and the next pull of the name mends it. */
export function decodeRecord(bytes: Uint8Array, what: string): ImageRecord | null {
  try {
    const root = parseJson(bytes, what);
    const digest = (name: string): string => {
      const text = root.string(name);
      if (!isDigest(text)) throw new OciError(`${what} is damaged`);
      return text;
    };
    const name = root.string("name");
    parseImageName(name);
    return {
      name,
      topDigest: digest("topDigest"),
      manifestDigest: digest("manifestDigest"),
      configDigest: digest("configDigest"),
      pulledMs: root.size("pulledMs"),
    };
  } catch (error) {
    if (error instanceof OciError) return null;
    throw error;
  }
}
