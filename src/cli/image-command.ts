// What the commands on images share: the store, the watchers of a pull, clean ends, sentences instead of traces.

import { dataFolder } from "../host/folders.ts";
import { signals, startIsOver } from "../host/process.ts";
import { writeErr } from "../host/stdio.ts";
import type { FetchOptions } from "../oci/images.ts";
import { OciError } from "../oci/oci-error.ts";
import { checkPlatform } from "../oci/platform.ts";
import { ImageStore } from "../oci/store.ts";
import { WorkFolder } from "../oci/work-folder.ts";
import { isOn, last, type Option, type Parsed } from "./options.ts";
import { makeProgress, type Progress } from "./progress.ts";
import { printable, UserError } from "./user-error.ts";

export const PLATFORM: Option = { name: "platform", value: "PLATFORM", help: "Platform of the image: linux/arm64" };
export const QUIET: Option = { name: "quiet", short: "q", help: "Show no progress" };
export const INSECURE: Option = { name: "insecure", help: "Allow plain HTTP and unknown certificates" };

const SIGINT = 2;
const SIGTERM = 15;

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
  checkPlatform(last(parsed, PLATFORM.name) ?? "linux/arm64");
  startIsOver();
  const progress = makeProgress(isOn(parsed, QUIET.name));
  const stopWatching = endCleanly(progress);
  try {
    return await act({ env: process.env, insecure: isOn(parsed, INSECURE.name), progress });
  } finally {
    progress.finish();
    stopWatching();
  }
}

/** Until it is undone, a signal removes what is half done before it ends carrick. */
function endCleanly(progress: Progress): () => void {
  const handlers = [SIGINT, SIGTERM].map((signal) => {
    const name = signal === SIGINT ? "SIGINT" : "SIGTERM";
    const handler = (): void => {
      progress.finish();
      WorkFolder.releaseAll();
      writeErr("carrick: interrupted; only complete layers are kept\n");
      signals.killSelf(signal);
    };
    process.on(name, handler);
    return { name, handler };
  });
  return () => {
    for (const { name, handler } of handlers) process.off(name, handler);
  };
}

/** A note for somebody who waits for another carrick. */
export function noteWaiting(): void {
  writeErr("carrick: another carrick is using the image store; waiting for it\n");
}
