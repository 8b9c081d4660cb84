// A bounded set of open directory descriptors: host directories are many, descriptors are few. Clock replacement;
// a directory that lost its descriptor opens it again from its parent.

import { files } from "../../host/files.ts";

/** Who owns a cached descriptor. */
export interface HandleOwner {
  /** The descriptor, or -1. */
  handle: number;
  /** Used since the hand last passed. */
  recent: boolean;
  /** In use by a call that needs several directories at once. */
  pins: number;
}

export class DirectoryHandles {
  private readonly limit: number;
  private readonly owners: HandleOwner[] = [];
  private hand = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Takes over `fd` on behalf of `owner`, which has none yet. Another owner's may be closed. */
  add(owner: HandleOwner, fd: number): void {
    owner.handle = fd;
    owner.recent = true;
    if (this.owners.length < this.limit) {
      this.owners.push(owner);
      return;
    }
    this.owners[this.victim()] = owner;
  }

  /** Closes the descriptor that was not used for longest, roughly, and answers its place. */
  private victim(): number {
    for (let step = 0; ; step += 1) {
      this.hand = (this.hand + 1) % this.limit;
      const owner = this.owners[this.hand]!;
      if (step < 2 * this.limit && (owner.recent || owner.pins > 0)) {
        owner.recent = false;
        continue;
      }
      files.close(owner.handle);
      owner.handle = -1;
      return this.hand;
    }
  }

  closeAll(): void {
    for (const owner of this.owners) {
      files.close(owner.handle);
      owner.handle = -1;
    }
    this.owners.length = 0;
    this.hand = 0;
  }
}
