// Folders in which a carrick prepares what it will add to the store. Each has a lock file beside it, held as long as its
// owner lives: what a killed carrick left is recognised by its lock being free, and swept by the next one.

import { mkdirSync, readdirSync, rmSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { FileLock } from "./lock.ts";

const LOCK = ".lock";

/** The folders of this carrick. */
const claimed = new Set<WorkFolder>();

export class WorkFolder {
  readonly path: string;
  private readonly lock: FileLock;

  private constructor(path: string, lock: FileLock) {
    this.path = path;
    this.lock = lock;
    claimed.add(this);
  }

  /** An empty folder of this name. Waits while another carrick has one; `onWait` is called once then. */
  static async claim(parent: string, name: string, onWait: () => void = () => {}): Promise<WorkFolder> {
    const path = join(parent, name);
    const lock = await FileLock.take(path + LOCK, false, onWait);
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path, { mode: 0o700 });
    return new WorkFolder(path, lock);
  }

  /** Removes what is still in it. */
  release(): void {
    rmSync(this.path, { recursive: true, force: true });
    rmSync(this.path + LOCK, { force: true });
    this.lock.release();
    claimed.delete(this);
  }

  /** Removes all folders of this carrick, which is about to end. */
  static releaseAll(): void {
    for (const folder of claimed) folder.release();
  }

  /** Removes the folders whose owners are gone. */
  static sweep(parent: string): void {
    for (const name of readdirSync(parent)) {
      const base = name.endsWith(LOCK) ? name.slice(0, -LOCK.length) : name;
      const path = join(parent, base);
      const lock = FileLock.tryTake(path + LOCK);
      if (lock === null) continue;
      rmSync(path, { recursive: true, force: true });
      unlinkSync(path + LOCK);
      lock.release();
    }
  }
}
