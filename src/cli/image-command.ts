// What the commands on images share: the store, the watchers of a pull, clean ends, sentences instead of traces.

import { dataFolder } from "../host/folders.ts";
import { startIsOver } from "../host/process.ts";
import { writeErr } from "../host/stdio.ts";
import type { FetchOptions } from "../oci/images.ts";
import { OciError } from "../oci/oci-error.ts";
import { checkPlatform } from "../oci/platform.ts";
import { ImageStore } from "../oci/store.ts";
import { WorkFolder } from "../oci/work-folder.ts";
import { onEnding } from "./ending.ts";
import { isOn, last, type Option, type Parsed } from "./options.ts";
import { makeProgress, type Progress } from "./progress.ts";
import { EXIT_FAILED, printable, UserError } from "./user-error.ts";

export const PLATFORM: Option = { name: "platform", value: "PLATFORM", help: "Platform of the image: linux/arm64" };
export const QUIET: Option = { name: "quiet", short: "q", help: "Show no progress" };
export const INSECURE: Option = { name: "insecure", help: "Allow plain HTTP and unknown certificates" };

/** Runs what uses images; its OciErrors become sentences for the user. */
export async function withStore<T>(act: (store: ImageStore) => Promise<T>): Promise<T> {
  try {
    return await act(new ImageStore(dataFolder()));
  } catch (error) {
    throw error instanceof OciError ? new UserError(printable(error.message)) : error;
  }
}

/** Runs what fetches images: with progress on stderr, and leaving nothing behind when it is interrupted. */
export async function fetching<T>(parsed: Parsed, act: (options: FetchOptions) => Promise<T>): Promise<T> {
  const progress = makeProgress(isOn(parsed, QUIET.name));
  const stopWatching = endCleanly(progress);
  try {
    checkPlatform(last(parsed, PLATFORM.name) ?? "linux/arm64");
    startIsOver();
    return await act({ env: process.env, insecure: isOn(parsed, INSECURE.name), progress });
  } finally {
    progress.finish();
    stopWatching();
  }
}

/** Until it is undone, a signal removes what is half done and ends carrick. One that was ignored at its start stays ignored. */
function endCleanly(progress: Progress): () => void {
  return onEnding(() => {
    progress.finish();
    WorkFolder.releaseAll();
    writeErr("carrick: interrupted; only complete layers are kept\n");
    return EXIT_FAILED;
  });
}

/** A note for somebody who waits for another carrick. */
export function noteWaiting(): void {
  writeErr("carrick: another carrick is using the image store; waiting for it\n");
}
