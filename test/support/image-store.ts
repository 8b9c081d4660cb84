// Stores for tests: a folder of their own each, and a pull without waits.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HttpSettings } from "../../src/oci/http.ts";
import { parseImageName } from "../../src/oci/image-name.ts";
import type { ImageRecord } from "../../src/oci/image-record.ts";
import { type FetchOptions, pull } from "../../src/oci/images.ts";
import type { LayerState } from "../../src/oci/pull.ts";
import { ImageStore } from "../../src/oci/store.ts";

const folders: string[] = [];

export function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "carrick-oci-"));
  folders.push(folder);
  return folder;
}

export function freshStore(): ImageStore {
  return new ImageStore(join(freshFolder(), "store"));
}

/** For afterAll. */
export function removeFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** What a pull told its watcher. */
export interface Watched {
  readonly states: (readonly [digest: string, state: LayerState])[];
  readonly notes: string[];
}

export function watcher(): Watched & { readonly progress: FetchOptions["progress"] } {
  const states: [string, LayerState][] = [];
  const notes: string[] = [];
  return {
    states,
    notes,
    progress: {
      layer(digest, state) {
        const last = states.at(-1);
        if (last?.[0] !== digest || last[1] !== state) states.push([digest, state]);
      },
      note: (text) => notes.push(text),
    },
  };
}

export const IMPATIENT: Partial<HttpSettings> = { attempts: 3, backoffMs: 1, maxPauseMs: 2000, patienceMs: 5000 };

export function fetchOptions(env: FetchOptions["env"] = {}, http: Partial<HttpSettings> = {}): FetchOptions {
  return {
    env: { HOME: "/nonexistent", ...env },
    insecure: false,
    progress: watcher().progress,
    http: { ...IMPATIENT, ...http },
  };
}

export function pullInto(store: ImageStore, name: string, options = fetchOptions()): Promise<ImageRecord> {
  return pull(store, parseImageName(name), options);
}
