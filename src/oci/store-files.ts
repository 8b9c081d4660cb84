// Writing into the store: nothing is visible before it is on the disk, and the host's refusals become sentences.

import { closeSync, fsyncSync, openSync, renameSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { OciError, reason } from "./oci-error.ts";

/** What the host said, in words. Errors that are sentences already pass through. */
export function storeError(error: unknown, store: string): OciError {
  if (error instanceof OciError) return error;
  switch ((error as NodeJS.ErrnoException).code) {
    case "ENOSPC":
      return new OciError(`the disk with the image store ${store} is full`);
    case "EDQUOT":
      return new OciError(`the disk quota for the image store ${store} is used up`);
    case "EFBIG":
      return new OciError(`the image store ${store} cannot hold files of this size`);
    case "EROFS":
      return new OciError(`the image store ${store} is on a read-only file system`);
    case "EACCES":
    case "EPERM":
      return new OciError(`the image store ${store} cannot be written by this user`);
    case "ENOTDIR":
    case "EEXIST":
      return new OciError(`the image store ${store} is not a folder`);
    default:
      return new OciError(`the image store ${store} cannot be used (${reason(error)})`);
  }
}

/** Writes a whole file into the folder `work`, to the disk, and renames it into place. */
export function writeFileDurably(path: string, bytes: Uint8Array, work: string): void {
  const fresh = join(work, basename(path));
  const fd = openSync(fresh, "w", 0o600);
  try {
    writeAll(fd, bytes);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(fresh, path);
  syncFolder(dirname(path));
}

export function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
}

/** A rename is on the disk when its folder is. */
export function syncFolder(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
