// A queue of bytes that grows as needed.

const FIRST_BYTES = 256;

export class ByteQueue {
  private bytes = new Uint8Array(FIRST_BYTES);
  private from = 0;
  private to = 0;

  get length(): number {
    return this.to - this.from;
  }

  push(byte: number): void {
    if (this.to === this.bytes.length) this.makeRoom();
    this.bytes[this.to] = byte;
    this.to += 1;
  }

  private makeRoom(): void {
    const held = this.bytes.subarray(this.from, this.to);
    const next = held.length * 2 > this.bytes.length ? new Uint8Array(this.bytes.length * 2) : this.bytes;
    next.set(held);
    this.bytes = next;
    this.to = held.length;
    this.from = 0;
  }

  /** Lets `sink` take up to `count` of the first bytes; it says how many it took, or -errno. */
  drain(count: number, sink: (bytes: Uint8Array, from: number, count: number) => number): number {
    const n = sink(this.bytes, this.from, Math.min(count, this.length));
    if (n > 0) this.from += n;
    if (this.from === this.to) this.clear();
    return n;
  }

  clear(): void {
    this.from = 0;
    this.to = 0;
  }
}
