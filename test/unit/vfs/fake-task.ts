// A task without a CPU: the system call handlers run on it as on a real one, with an array for guest memory.

import { EFAULT } from "../../../src/abi/errno.ts";
import { Tmpfs } from "../../../src/fs/tmpfs/tmpfs.ts";
import { scratch } from "../../../src/host/scratch.ts";
import { nativeBuffer, shim } from "../../../src/host/shim.ts";
import { ManualClock } from "../../../src/kernel/clock.ts";
import { userCredentials } from "../../../src/kernel/credentials.ts";
import { TaskFs } from "../../../src/kernel/fs-context.ts";
import { Limits } from "../../../src/kernel/limits.ts";
import type { Task } from "../../../src/kernel/task.ts";
import { KernelBuffer } from "../../../src/mm/kernel-buffer.ts";
import { FdTable } from "../../../src/vfs/fd-table.ts";
import type { FileSystem } from "../../../src/vfs/file-system.ts";
import { MountTable } from "../../../src/vfs/mount-table.ts";

const MEMORY_BYTES = 1 << 20;

const PAGE = 4096;
const SHARED_READ_WRITE = 11;

/** Guest memory from address 0x1000 on. In an address space of the shim, calls that it makes find it too. */
export class FakeMemory {
  readonly bytes: Buffer;
  /** The shim's handle; 0 is no space. */
  readonly space: number;
  private next = 0x1000;

  constructor(inShim: boolean) {
    this.space = inShim ? shim.space_create() : 0;
    if (!inShim) {
      this.bytes = Buffer.alloc(MEMORY_BYTES);
      return;
    }
    const pages = MEMORY_BYTES / PAGE;
    const frame = shim.frame_alloc(pages, 1);
    if (frame < 0 || shim.space_map(this.space, 0, frame, pages, SHARED_READ_WRITE) < 0)
      throw new Error("no guest memory");
    this.bytes = Buffer.from(nativeBuffer(shim.frame_ptr(frame), MEMORY_BYTES));
    shim.frame_unref(frame, pages);
  }

  release(): void {
    if (this.space !== 0) shim.space_destroy(this.space);
  }

  /** Places a NUL-terminated byte string; its address. Addresses are recycled. */
  string(text: string): number {
    if (this.next + text.length + 1 > MEMORY_BYTES / 2) this.next = 0x1000;
    const addr = this.next;
    this.bytes.write(`${text}\0`, addr, "latin1");
    this.next += text.length + 1;
    return addr;
  }

  private inside(addr: number, len: number): boolean {
    return addr >= 0x1000 && addr + len <= MEMORY_BYTES;
  }
  readString(addr: number, max: number): string | number {
    if (!this.inside(addr, 1)) return -EFAULT;
    const end = this.bytes.indexOf(0, addr);
    return end - addr >= max ? -36 : this.bytes.toString("latin1", addr, end);
  }
  readPath(addr: number): string | number {
    return this.readString(addr, 4096);
  }
  copyIn(addr: number, len: number, offset = 0): number {
    if (!this.inside(addr, len)) return -EFAULT;
    scratch.u8.set(this.bytes.subarray(addr, addr + len), offset);
    return 0;
  }
  copyOut(addr: number, len: number, offset = 0): number {
    if (!this.inside(addr, len)) return -EFAULT;
    this.bytes.set(scratch.u8.subarray(offset, offset + len), addr);
    return 0;
  }
  copyInBytes(addr: number, bytes: Uint8Array, from: number, count: number): number {
    if (!this.inside(addr, count)) return -EFAULT;
    bytes.set(this.bytes.subarray(addr, addr + count), from);
    return count;
  }
  copyOutBytes(addr: number, bytes: Uint8Array, from: number, count: number): number {
    if (!this.inside(addr, count)) return -EFAULT;
    this.bytes.set(bytes.subarray(from, from + count), addr);
    return count;
  }
  buffer(addr: number, len: number): KernelBuffer {
    return new KernelBuffer(this.bytes.subarray(addr, addr + len));
  }
}

export interface FakeTask {
  readonly task: Task;
  readonly memory: FakeMemory;
  readonly root: FileSystem;
  readonly mounts: MountTable;
  readonly fs: TaskFs;
  readonly files: FdTable;
  readonly clock: ManualClock;
  /** Becomes this user with a group of the same number: root has every capability, others none. */
  become(uid: number): void;
}

function emptyTmpfs(clock: ManualClock): FileSystem {
  return new Tmpfs(clock, { mode: 0o755 });
}

/** A task that stands in the root of an empty tmpfs with mode 0755, or of what `makeRoot` makes. */
export function fakeTask(
  makeRoot: (clock: ManualClock) => FileSystem = emptyTmpfs,
  memory = new FakeMemory(false),
): FakeTask {
  const clock = new ManualClock(1e9);
  const root = makeRoot(clock);
  const mounts = new MountTable(root, 0, root.type);
  const fs = new TaskFs(mounts.rootPath, mounts.rootPath, 0o022, userCredentials(0, 0));
  const files = new FdTable(1024);
  const task = {
    mm: memory,
    files,
    fs,
    kernel: { clock, mounts },
    group: { limits: Limits.initial() },
    get cred() {
      return fs.cred;
    },
  } as unknown as Task;
  const become = (uid: number): void => {
    fs.cred = userCredentials(uid, uid);
  };
  return { task, memory, root, mounts, fs, files, clock, become };
}
