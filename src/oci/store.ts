// The image store, a folder of the user's: layers as one tar and one index each, image records, the documents that
// they name.

import type { ImageConfig } from "./image-config.ts";

/** One layer in the store. */
export interface StoredLayer {
  /** Digest of the uncompressed tar. */
  readonly diffId: string;
  readonly tarPath: string;
  readonly indexPath: string;
}

/** An image whose parts are all there. Until `release` no other carrick removes them. */
export interface OpenImage {
  readonly name: string;
  readonly manifestDigest: string;
  readonly config: ImageConfig;
  /** Bottom first. */
  readonly layers: readonly StoredLayer[];
  /** To be called once the layers' files are open; removed files stay readable from then on. */
  release(): void;
}
