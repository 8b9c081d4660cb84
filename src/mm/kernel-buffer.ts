// An I/O buffer over the kernel's own memory: the middle of sendfile(2), the reader of ELF headers.

import { pointerOf, shim } from "../host/shim.ts";
import type { IoBuffer } from "./io-buffer.ts";

export class KernelBuffer implements IoBuffer {
  readonly bytes: Uint8Array;
  private readonly ptr: number;
  /** Next byte to move, and where the buffer ends. */
  position = 0;
  limit: number;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.ptr = pointerOf(bytes);
    this.limit = bytes.length;
  }

  /** Starts over with bytes [from, to). */
  rewind(from: number, to: number): this {
    this.position = from;
    this.limit = to;
    return this;
  }

  get remaining(): number {
    return this.limit - this.position;
  }

  put(bytes: Uint8Array, from: number, count: number): number {
    return this.putPtr(pointerOf(bytes) + from, count);
  }

  take(bytes: Uint8Array, from: number, count: number): number {
    return this.takePtr(pointerOf(bytes) + from, count);
  }

  putPtr(ptr: number, count: number): number {
    const n = Math.min(count, this.remaining);
    shim.mem_copy(this.ptr + this.position, ptr, n);
    this.position += n;
    return n;
  }

  takePtr(ptr: number, count: number): number {
    const n = Math.min(count, this.remaining);
    shim.mem_copy(ptr, this.ptr + this.position, n);
    this.position += n;
    return n;
  }

  revert(count: number): void {
    this.position -= count;
  }

  zero(count: number): number {
    const n = Math.min(count, this.remaining);
    this.bytes.fill(0, this.position, this.position + n);
    this.position += n;
    return n;
  }

  hostRead(hostFd: number, offset: number, max = Number.POSITIVE_INFINITY): number {
    let done = 0;
    do {
      const count = Math.min(this.remaining, max - done);
      const n = shim.host_read(hostFd, this.ptr + this.position, count, offset < 0 ? -1 : offset + done);
      if (n < 0) return done > 0 ? done : n;
      this.position += n;
      done += n;
      if (n === 0) break;
    } while (offset >= 0 && this.remaining > 0 && done < max);
    return done;
  }

  hostWrite(hostFd: number, offset: number, max = Number.POSITIVE_INFINITY): number {
    let done = 0;
    do {
      const count = Math.min(this.remaining, max - done);
      const n = shim.host_write(hostFd, this.ptr + this.position, count, offset < 0 ? -1 : offset + done);
      if (n < 0) return done > 0 ? done : n;
      this.position += n;
      done += n;
      if (n === 0) break;
    } while (offset >= 0 && this.remaining > 0 && done < max);
    return done;
  }
}
