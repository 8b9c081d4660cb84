// Where images come from: what a registry, an image layout and an archive have in common. All that a source gives is
// checked by who asked for it.

import type { Descriptor } from "./manifest.ts";

/** A manifest or index, not yet decoded. */
export interface ManifestBytes {
  readonly bytes: Uint8Array;
  /** What the source calls it; "" when it says nothing. */
  readonly mediaType: string;
}

/** Gives content from a byte on; breaking off is a NetworkError, upon which it is called again. */
export type OpenContent = (offset: number) => AsyncIterable<Uint8Array>;

export interface ImageSource {
  /** For sentences. */
  readonly name: string;
  /** The manifest or index that the image's name stands for. */
  top(): Promise<ManifestBytes>;
  /** The digest of `top` when that is cheap to learn, or null. */
  topDigest(): Promise<string | null>;
  /** A manifest or index that an index names. */
  manifest(descriptor: Descriptor): Promise<ManifestBytes>;
  /** A layer or configuration. */
  open(descriptor: Descriptor): OpenContent;
}
