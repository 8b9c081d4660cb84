// Locks between carricks: flock(2) on a file. The host drops a lock with its owner's death, so a crash leaves none.

import { EACCES, EAGAIN, ENOENT, ENOLCK, ENOSPC, ENOTDIR, EOPNOTSUPP, EROFS } from "../abi/errno.ts";
import { LOCK_EX, LOCK_SH, O_CLOEXEC, O_CREAT, O_RDONLY, O_RDWR } from "../abi/fcntl.ts";
import { AT_FDCWD, files } from "../host/files.ts";
import { lookAt, seen } from "../host/stat.ts";
import { OciError } from "./oci-error.ts";

const POLL_MS = 25;

export class FileLock {
  private fd: number;

  private constructor(fd: number) {
    this.fd = fd;
  }

  /** The lock, or null while somebody else has it. The file is made when missing. */
  static tryTake(path: string, shared = false): FileLock | null {
    for (;;) {
      const fd = openLockFile(path);
      const error = files.flock(fd, shared ? LOCK_SH : LOCK_EX);
      // Some network file systems have no locks; one user at a time is then the user's business.
      if (error < 0 && error !== -ENOLCK && error !== -EOPNOTSUPP) {
        files.close(fd);
        if (error === -EAGAIN) return null;
        throw new OciError(`${path} cannot be locked (errno ${-error})`);
      }
      // The last owner may have removed the file in the meantime.
      if (lookAt(fd) >= 0 && seen.nlink > 0) return new FileLock(fd);
      files.close(fd);
    }
  }

  /** Waits for the lock; `onWait` is called once when it has to. */
  static async take(path: string, shared = false, onWait: () => void = () => {}): Promise<FileLock> {
    let lock = FileLock.tryTake(path, shared);
    if (lock === null) onWait();
    while (lock === null) {
      await Bun.sleep(POLL_MS);
      lock = FileLock.tryTake(path, shared);
    }
    return lock;
  }

  release(): void {
    if (this.fd >= 0) files.close(this.fd);
    this.fd = -1;
  }
}

const CODES: Readonly<Record<number, string>> = {
  [EACCES]: "EACCES",
  [ENOENT]: "ENOENT",
  [ENOSPC]: "ENOSPC",
  [ENOTDIR]: "ENOTDIR",
  [EROFS]: "EROFS",
};

/** Throws an error with a code, as the host's own do. */
function openLockFile(path: string): number {
  const name = Buffer.from(path, "utf8").toString("latin1");
  const fd = files.open(AT_FDCWD, name, O_RDWR | O_CREAT | O_CLOEXEC, 0o600);
  if (fd >= 0) return fd;
  // A store that can only be read can still be locked, if it has ever been used.
  const readable = files.open(AT_FDCWD, name, O_RDONLY | O_CLOEXEC, 0);
  if (readable >= 0) return readable;
  throw Object.assign(new Error(`${path} cannot be opened (errno ${-fd})`), { code: CODES[-fd] ?? "" });
}
