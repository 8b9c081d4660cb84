// Where the bytes of a read go and the bytes of a write come from (Linux's struct iov_iter). A file never
// asks whether it talks to guest memory or to the kernel: read(2), readv(2), sendfile(2) and execve(2) all
// hand it one of these.

export interface IoBuffer {
  /** Bytes that are still to be moved. */
  readonly remaining: number;
  /**
   * Copies bytes[from, from + count) into the buffer and advances it. Returns the bytes moved: fewer than
   * asked when the buffer ends or a guest page cannot be written, -EFAULT when not even one could.
   */
  put(bytes: Uint8Array, from: number, count: number): number;
  /** The other way: copies up to `count` bytes out of the buffer to bytes[from...]. Same results as `put`. */
  take(bytes: Uint8Array, from: number, count: number): number;
  /** `put` and `take` for memory that the caller knows by host pointer (frames of a page cache). */
  putPtr(ptr: number, count: number): number;
  takePtr(ptr: number, count: number): number;
  /** Goes back over the last `count` bytes moved: a file took them and then found that it must wait. */
  revert(count: number): void;
  /** Writes up to `count` zero bytes. Same results as `put`. */
  zero(count: number): number;
  /**
   * Reads from a host descriptor straight into the buffer: preadv(2) from `offset` on until the buffer is full
   * or the file ends, or one readv(2) when `offset` is -1. Advances by the bytes read; returns them, or -errno. At most `max`
   * bytes are read.
   */
  hostRead(hostFd: number, offset: number, max?: number): number;
  /** Writes at most `max` of the buffer's bytes to a host descriptor: pwritev(2) from `offset` on, or one writev(2) when it is -1. */
  hostWrite(hostFd: number, offset: number, max?: number): number;
}
