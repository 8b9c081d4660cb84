// Copies between guest memory and the kernel (lib/usercopy.c): the only source of EFAULT. A copy faults
// missing pages in as the guest's own access would. Guest structs pass through the scratch block: what a call
// validates, it has copied first.

import { EFAULT, EINVAL, ENAMETOOLONG } from "../abi/errno.ts";
import { scratch } from "../host/scratch.ts";
import { Access } from "../host/shim.gen.ts";
import { pointerOf, shim } from "../host/shim.ts";
import { UserBuffer } from "./user-buffer.ts";

/** First address that no guest can have. */
export const TASK_SIZE = 2 ** 48;
const PAGE = 4096;
const PATH_MAX = 4096;
const UIO_MAXIOV = 1024;
/** Most bytes that one read or write moves (MAX_RW_COUNT). */
export const MAX_RW_COUNT = 0x7ffff000;
const IMPOSSIBLE = 2 ** 53;

/** One word of scratch memory apart from the common block, so that word accesses disturb nothing. */
const word = new Uint32Array(2);
const wordPtr = pointerOf(word);

export abstract class UserMemory {
  /** The shim's handle of the address space. */
  abstract readonly space: number;

  private readonly single = new UserBuffer(this);

  /**
   * Makes the page of `addr` accessible as an access by the guest would. `lengthBytes` hints how much follows.
   * 0, or the signal number times 256 plus the si_code that the guest would get.
   */
  abstract handleFault(addr: number, access: number, lengthBytes?: number): number;

  /** The address without its tag byte. */
  untag(addr: number): number {
    return addr % 2 ** 56;
  }

  /** Guest bytes [addr, addr + len) to host memory at `ptr`. Bytes done; short when a page is not readable. */
  read(addr: number, ptr: number, len: number): number {
    if (addr + len > TASK_SIZE) return 0;
    let done = shim.user_in(this.space, addr, ptr, len);
    while (done < len && this.handleFault(addr + done, Access.read, len - done) === 0) {
      done += shim.user_in(this.space, addr + done, ptr + done, len - done);
    }
    return done;
  }

  /** Host memory at `ptr` to guest bytes [addr, addr + len). Bytes done; short when a page is not writable. */
  write(addr: number, ptr: number, len: number): number {
    if (addr + len > TASK_SIZE) return 0;
    let done = shim.user_out(this.space, addr, ptr, len);
    while (done < len && this.handleFault(addr + done, Access.write, len - done) === 0) {
      done += shim.user_out(this.space, addr + done, ptr + done, len - done);
    }
    return done;
  }

  /** Zeroes guest bytes; the bytes done. */
  clear(addr: number, len: number): number {
    if (addr + len > TASK_SIZE) return 0;
    let done = shim.user_zero(this.space, addr, len);
    while (done < len && this.handleFault(addr + done, Access.write, len - done) === 0) {
      done += shim.user_zero(this.space, addr + done, len - done);
    }
    return done;
  }

  /** Guest -> scratch at byte `offset`. 0 or -EFAULT. */
  copyIn(addr: number, len: number, offset = 0): number {
    return this.read(addr, scratch.ptr + offset, len) === len ? 0 : -EFAULT;
  }

  /** Scratch at byte `offset` -> guest. 0 or -EFAULT. */
  copyOut(addr: number, len: number, offset = 0): number {
    return this.write(addr, scratch.ptr + offset, len) === len ? 0 : -EFAULT;
  }

  /** Guest -> bytes[from...]. Bytes done, or -EFAULT when there are none. */
  copyInBytes(addr: number, bytes: Uint8Array, from: number, count: number): number {
    if (count === 0) return 0;
    const n = this.read(addr, pointerOf(bytes) + from, count);
    return n > 0 ? n : -EFAULT;
  }

  copyOutBytes(addr: number, bytes: Uint8Array, from: number, count: number): number {
    if (count === 0) return 0;
    const n = this.write(addr, pointerOf(bytes) + from, count);
    return n > 0 ? n : -EFAULT;
  }

  /** The u32 at `addr`, or -EFAULT. */
  readU32(addr: number): number {
    return this.read(addr, wordPtr, 4) === 4 ? word[0]! : -EFAULT;
  }

  /** The u64 at `addr`; values of 2^53 and more come back as 2^53. Or -EFAULT. */
  readU64(addr: number): number {
    if (this.read(addr, wordPtr, 8) !== 8) return -EFAULT;
    return word[1]! < 0x200000 ? word[0]! + word[1]! * 4294967296 : IMPOSSIBLE;
  }

  /** 0 or -EFAULT. */
  writeU32(addr: number, value: number): number {
    word[0] = value;
    return this.write(addr, wordPtr, 4) === 4 ? 0 : -EFAULT;
  }

  /** 0 or -EFAULT. `value` may be negative. */
  writeU64(addr: number, value: number): number {
    word[0] = value;
    word[1] = Math.floor(value / 4294967296);
    return this.write(addr, wordPtr, 8) === 8 ? 0 : -EFAULT;
  }

  /** A NUL-terminated byte string of fewer than `max` bytes; -EFAULT, -ENAMETOOLONG. */
  readString(addr: number, max: number): string | number {
    let done = 0;
    while (done < max) {
      const count = Math.min(max - done, PAGE - ((addr + done) % PAGE));
      if (this.read(addr + done, scratch.ptr + done, count) !== count) return -EFAULT;
      const end = scratch.u8.indexOf(0, done);
      if (end >= 0 && end < done + count) return scratch.bytes.toString("latin1", 0, end);
      done += count;
    }
    return -ENAMETOOLONG;
  }

  readPath(addr: number): string | number {
    return this.readString(addr, PATH_MAX);
  }

  /** One piece of guest memory for I/O. The object is reused by the next call. */
  buffer(addr: number, len: number): UserBuffer {
    return this.single.reset(addr, Math.min(len, MAX_RW_COUNT));
  }

  /** The pieces that a struct iovec array names; -EINVAL, -EFAULT. */
  vector(iovAddr: number, iovCount: number): UserBuffer | number {
    if (iovCount > UIO_MAXIOV || iovCount < 0) return -EINVAL;
    // Lengths are judged one by one up to where the array cannot be read, and before any address.
    const readable = Math.floor(this.read(iovAddr, scratch.ptr, iovCount * 16) / 16);
    for (let i = 0; i < readable; i += 1) if (scratch.getI64(i * 16 + 8) < 0) return -EINVAL;
    if (readable < iovCount) return -EFAULT;
    const buffer = new UserBuffer(this);
    let total = 0;
    for (let i = 0; i < iovCount; i += 1) {
      let len = scratch.getI64(i * 16 + 8);
      // A single piece is cut before its address is judged, as in import_ubuf().
      if (iovCount === 1) len = Math.min(len, MAX_RW_COUNT);
      const addr = this.untag(scratch.getU64(i * 16));
      if (addr + len > TASK_SIZE) return -EFAULT;
      const count = Math.min(len, MAX_RW_COUNT - total);
      buffer.append(addr, count);
      total += count;
    }
    return buffer;
  }
}
