// Layers come as plain tar, gzip (of one or more members) or zstd (of one or more frames). The first bytes tell which, as
// for every other reader of images; what the media type says is often wrong.

import { OciError, reason } from "./oci-error.ts";

const SNIFFED_BYTES = 6;
const PIECE_BYTES = 1024 * 1024;

interface Format {
  readonly name: string;
  readonly magic: readonly number[];
}

const READ: readonly Format[] = [
  { name: "gzip", magic: [0x1f, 0x8b] },
  { name: "zstd", magic: [0x28, 0xb5, 0x2f, 0xfd] },
];
const REFUSED: readonly Format[] = [
  { name: "xz", magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] },
  { name: "bzip2", magic: [0x42, 0x5a, 0x68] },
];

/** Zstandard's skippable frames begin with 50 2a 4d 18 up to 5f 2a 4d 18. */
function isSkippable(head: Uint8Array): boolean {
  return (head[0]! & 0xf0) === 0x50 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18;
}

function startsWith(head: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, i) => head[i] === byte);
}

/** The name of the compression that the first bytes show, "" for none. Throws for one that cannot be read. */
export function compressionOf(head: Uint8Array, what: string): string {
  const refused = REFUSED.find((f) => startsWith(head, f.magic));
  if (refused !== undefined) throw new OciError(`${what} is compressed with ${refused.name}, which images may not use`);
  if (isSkippable(head)) return "zstd";
  return READ.find((f) => startsWith(head, f.magic))?.name ?? "";
}

/** The decompressed content. Errors of `compressed` pass through; broken data is an OciError. */
export async function* decompress(compressed: AsyncGenerator<Uint8Array>, what: string): AsyncGenerator<Uint8Array> {
  const head: Uint8Array[] = [];
  let length = 0;
  while (length < SNIFFED_BYTES) {
    const { done, value } = await compressed.next();
    if (done) break;
    head.push(value);
    length += value.length;
  }
  const first = Buffer.concat(head);
  const format = compressionOf(first, what);
  const whole = joined(first, compressed);
  if (format === "") yield* whole;
  else yield* inflate(whole, format, what);
}

/** In large pieces: the decompressor's work per piece is the same for one of 16 KiB, as the network gives them. */
async function* joined(first: Uint8Array, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  let parts = [first];
  let length = first.length;
  for await (const chunk of rest) {
    parts.push(chunk);
    length += chunk.length;
    if (length < PIECE_BYTES) continue;
    yield Buffer.concat(parts);
    parts = [];
    length = 0;
  }
  if (length > 0) yield Buffer.concat(parts);
}

async function* inflate(
  compressed: AsyncGenerator<Uint8Array>,
  format: string,
  what: string,
): AsyncGenerator<Uint8Array> {
  // The stream may wrap an error of its input; the one that was thrown is kept.
  let failure: unknown;
  const input = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await compressed.next();
        if (done) controller.close();
        else controller.enqueue(value);
      } catch (error) {
        failure = error;
        controller.error(error);
      }
    },
    async cancel() {
      await compressed.return(undefined);
    },
  });
  const output = input.pipeThrough(
    new DecompressionStream(format as "gzip") as unknown as TransformStream<Uint8Array, Uint8Array>,
  );
  try {
    for await (const chunk of output) yield chunk;
  } catch (error) {
    throw failure ?? new OciError(`${what} is not valid ${format} data (${reason(error)})`);
  }
}
