// A regular file whose open description carrick shares with other programs of the host: it was started with it, or was sent it.

import { SEEK_CUR } from "../../abi/fcntl.ts";
import { files } from "../../host/files.ts";
import type { IoBuffer } from "../../mm/io-buffer.ts";
import { HostFile } from "./host-file.ts";

/** The host keeps the position, since others may move it. */
export class InheritedFile extends HostFile {
  override read(io: IoBuffer): number {
    if (this.inode.cache?.hasDirtyPages) this.inode.cache.writeBack();
    return this.track(this.all(io, () => io.hostRead(this.fd, -1)));
  }

  override write(io: IoBuffer): number {
    const { cache } = this.inode;
    cache?.writeBack();
    const n = this.all(io, () => io.hostWrite(this.fd, -1));
    this.inode.changed();
    this.track(n);
    if (n > 0) cache?.refresh(this.pos - n, this.pos);
    return n;
  }

  /** Repeats a call that moves a bounded piece. */
  private all(io: IoBuffer, move: () => number): number {
    let done = 0;
    while (io.remaining > 0) {
      const n = move();
      if (n <= 0) return done > 0 ? done : n;
      done += n;
    }
    return done;
  }

  private track(n: number): number {
    if (n > 0) this.pos = files.seek(this.fd, 0, SEEK_CUR);
    return n;
  }

  override seek(offset: number, whence: number): number {
    const position = files.seek(this.fd, offset, whence);
    if (position >= 0) this.pos = position;
    return position;
  }

  protected override release(): void {
    this.inode.closed(this);
  }
}
