// Content by digest, checked as it streams by: size and digest are right when the stream ends, or it throws. Where a
// source breaks off, it is asked to go on from there.

import { algorithmOf } from "./digest.ts";
import { NetworkError } from "./http.ts";
import type { Descriptor } from "./manifest.ts";
import { OciError } from "./oci-error.ts";
import type { OpenContent } from "./source.ts";

/** How often in a row a source may break off without having given anything. */
const MAX_BREAKS = 5;
/** And how often in all: a source that gives a byte each time must not keep us forever. */
const MAX_RESUMES = 100;

/** `what` names the content in sentences. `backoffMs`: pause before a source is asked again. */
export async function* checkedContent(
  descriptor: Descriptor,
  open: OpenContent,
  what: string,
  backoffMs: number,
): AsyncGenerator<Uint8Array> {
  const { digest, size } = descriptor;
  const hash = new Bun.CryptoHasher(algorithmOf(digest));
  let received = 0;
  let breaks = 0;
  for (let resumes = 0; ; resumes += 1) {
    const before = received;
    let broken: NetworkError;
    try {
      for await (const chunk of open(received)) {
        received += chunk.length;
        if (received > size) throw new OciError(`${what} has more than the ${size} bytes that its manifest says`);
        hash.update(chunk);
        yield chunk;
      }
      if (received === size) break;
      broken = new NetworkError(`${what} ends after ${received} of ${size} bytes`);
    } catch (error) {
      if (!(error instanceof NetworkError) || error.failure === "certificate") throw error;
      broken = error;
    }
    breaks = received > before ? 0 : breaks + 1;
    if (breaks >= MAX_BREAKS || resumes >= MAX_RESUMES) throw broken;
    await Bun.sleep(backoffMs * 2 ** breaks);
  }
  const found = `${algorithmOf(digest)}:${hash.digest("hex")}`;
  if (found !== digest) throw new OciError(`${what} is damaged: its digest is ${found}, not ${digest}`);
}

/** The whole of a small content, checked. */
export async function readContent(
  descriptor: Descriptor,
  open: OpenContent,
  what: string,
  maxBytes: number,
  backoffMs: number,
): Promise<Uint8Array> {
  if (descriptor.size > maxBytes)
    throw new OciError(`${what} has ${descriptor.size} bytes; more than ${maxBytes} are not accepted`);
  const parts: Uint8Array[] = [];
  for await (const chunk of checkedContent(descriptor, open, what, backoffMs)) parts.push(chunk);
  return Buffer.concat(parts);
}
