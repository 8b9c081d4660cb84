// Content digests (OCI image-spec descriptor.md): "sha256:" and 64 hexadecimal digits. A digest from outside is used
// as a name only after it has passed isDigest, so it can never be a path.

const LENGTHS: Readonly<Record<string, number>> = { sha256: 64, sha512: 128 };

export type Algorithm = "sha256" | "sha512";

/** Whether this is a digest of an algorithm that we can compute, spelled canonically. */
export function isDigest(text: string): boolean {
  const colon = text.indexOf(":");
  const algorithm = text.slice(0, colon);
  const hex = text.slice(colon + 1);
  return Object.hasOwn(LENGTHS, algorithm) && hex.length === LENGTHS[algorithm] && /^[0-9a-f]+$/.test(hex);
}

export function algorithmOf(digest: string): Algorithm {
  return digest.startsWith("sha512:") ? "sha512" : "sha256";
}

/** As a file name: "sha256-..." */
export function digestFileName(digest: string): string {
  return digest.replace(":", "-");
}

/** Twelve digits, as people know images by. */
export function shortDigest(digest: string): string {
  return digest.slice(digest.indexOf(":") + 1).slice(0, 12);
}

export function digestOf(bytes: Uint8Array, algorithm: Algorithm = "sha256"): string {
  return `${algorithm}:${new Bun.CryptoHasher(algorithm).update(bytes).digest("hex")}`;
}
