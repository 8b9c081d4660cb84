// The memory devices of drivers/char/mem.c and random.c: null, zero, full, random, urandom (null(4), random(4)).

import { EACCES, EINVAL, ENODEV, ENOSPC, ENOTTY, EPERM } from "../../abi/errno.ts";
import { RNDGETENTCNT } from "../../abi/ioctl.ts";
import { POLLIN } from "../../abi/poll.ts";
import { WaitQueue } from "../../lib/wait-queue.ts";
import type { AddressSpace } from "../../mm/address-space.ts";
import type { IoBuffer } from "../../mm/io-buffer.ts";
import { PageCache } from "../../mm/page-cache.ts";
import { File } from "../../vfs/file.ts";
import type { Inode } from "../../vfs/inode.ts";
import type { RandomBytes } from "./memory-registration.ts";

abstract class MemoryDevice extends File {
  readonly inode: Inode;

  constructor(inode: Inode, flags: number) {
    super(flags);
    this.inode = inode;
  }

  override read(io: IoBuffer): number {
    return this.readAt(io, 0);
  }
  override write(io: IoBuffer): number {
    return this.writeAt(io, 0);
  }
  /** Everything is taken and forgotten. */
  override writeAt(io: IoBuffer, _pos: number): number {
    return io.remaining;
  }
  override seek(_offset: number, _whence: number): number {
    this.pos = 0;
    return 0;
  }
  override sizeBytes(): number {
    return 0;
  }
  override pages(): PageCache | number {
    return -ENODEV;
  }
  override sync(): number {
    return -EINVAL;
  }
}

class NullDevice extends MemoryDevice {
  override readAt(): number {
    return 0;
  }
}

export class ZeroDevice extends MemoryDevice {
  private zeros: PageCache | null = null;

  override readAt(io: IoBuffer): number {
    return io.zero(io.remaining);
  }

  /** A mapping is fresh memory: shared among those who inherit it, private pages are copies of zeros. */
  override pages(): PageCache | number {
    this.zeros ??= new PageCache(null);
    return this.zeros;
  }

  override sizeBytes(): number {
    return 2 ** 52;
  }

  protected override release(): void {
    this.zeros?.destroy();
  }
}

class FullDevice extends ZeroDevice {
  override writeAt(): number {
    return -ENOSPC;
  }

  override pages(): number {
    return -ENODEV;
  }
}

const CHUNK = 4096;
const chunk = new Uint8Array(CHUNK);
const ENTROPY_BITS = 256;

class RandomDevice extends MemoryDevice {
  private readonly source: RandomBytes;

  constructor(inode: Inode, flags: number, source: RandomBytes) {
    super(inode, flags);
    this.source = source;
  }

  override readAt(io: IoBuffer): number {
    let done = 0;
    while (io.remaining > 0) {
      const count = Math.min(io.remaining, CHUNK);
      this.source.fill(chunk.subarray(0, count));
      const n = io.put(chunk, 0, count);
      if (n < 0) return done > 0 ? done : n;
      done += n;
      if (n < count) break;
    }
    return done;
  }

  /** DIFFERS: what is written does not enter the pool; the host's generator needs no help. */
  override ioctl(mm: AddressSpace, command: number, arg: number): number {
    if (command === RNDGETENTCNT) return mm.writeU32(arg, ENTROPY_BITS);
    return (command & 0xff00) === 0x5200 ? -EPERM : -ENOTTY;
  }
}

/** /dev/random can be polled, and always is ready. */
const never = new WaitQueue();

class PollableRandomDevice extends RandomDevice {
  override get waitQueue(): WaitQueue {
    return never;
  }

  override poll(): number {
    return POLLIN;
  }
}

/** open(2) of the device with this minor number. */
export function openMemoryDevice(minor: number, inode: Inode, flags: number, random: RandomBytes): File | number {
  switch (minor) {
    case 3:
      return new NullDevice(inode, flags);
    case 5:
      return new ZeroDevice(inode, flags);
    case 7:
      return new FullDevice(inode, flags);
    case 8:
      return new PollableRandomDevice(inode, flags, random);
    case 9:
      return new RandomDevice(inode, flags, random);
  }
  return -EACCES;
}
