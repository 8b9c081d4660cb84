// File operations as text lines: the oracle does them on Linux, this file does them through carrick's handlers.

import { KernelBuffer } from "../../../src/mm/kernel-buffer.ts";
import * as attributes from "../../../src/syscalls/attributes.ts";
import * as directories from "../../../src/syscalls/directories.ts";
import * as names from "../../../src/syscalls/names.ts";
import * as open from "../../../src/syscalls/open.ts";
import * as stat from "../../../src/syscalls/stat.ts";
import * as xattr from "../../../src/syscalls/xattr.ts";
import { dropPrivileges } from "../../../src/vfs/attributes.ts";
import { type FakeTask, fakeTask } from "./fake-task.ts";

export type Operation = readonly (string | number)[];

const OUT = 0x90000;
const OUT_BYTES = 8192;
const SLOTS = 4;
const UTIMES: Readonly<Record<string, number>> = { now: 0x3fffffff, omit: 0x3ffffffe };

export class Performer {
  readonly fake: FakeTask;
  private readonly slots: number[] = new Array(SLOTS).fill(-1);

  constructor(fake: FakeTask = fakeTask()) {
    this.fake = fake;
  }

  private at(slot: string | number): number {
    const n = Number(slot);
    return n < 0 ? -100 : this.slots[n]! < 0 ? 999 : this.slots[n]!;
  }
  private path(text: string | number): number {
    return this.fake.memory.string(String(text));
  }
  private text(length: number): string {
    return this.fake.memory.bytes.toString("latin1", OUT, OUT + length).replaceAll("\0", "~");
  }
  private keep(slot: string | number, fd: number): number {
    if (fd < 0) return fd;
    const n = Number(slot);
    if (this.slots[n]! >= 0) this.fake.files.close(this.slots[n]!);
    this.slots[n] = fd;
    return 0;
  }
  private file(slot: string | number) {
    return this.fake.files.get(this.at(slot));
  }

  /** The result as the oracle prints it. */
  perform(operation: Operation): string {
    const result = this.run(operation);
    return typeof result === "number" ? String(result) : result;
  }

  private run([op, ...raw]: Operation): string | number {
    const a = raw as [string, string, string, string, string, string];
    const { task } = this.fake;
    const n = (i: number): number => Number(a[i]);
    switch (op) {
      case "user":
        this.fake.become(n(0));
        return 0;
      case "umask":
        return directories.sys_umask(task, n(0));
      case "mkdir":
        return names.sys_mkdirat(task, this.at(a[0]), this.path(a[1]), n(2));
      case "unlink":
        return names.sys_unlinkat(task, this.at(a[0]), this.path(a[1]), n(2));
      case "open":
        return this.keep(a[0], open.sys_openat(task, this.at(a[1]), this.path(a[2]), n(3), n(4)));
      case "openat2":
        return this.keep(a[0], this.openat2(a));
      case "close": {
        const fd = this.at(a[0]);
        this.slots[n(0)] = -1;
        return open.sys_close(task, fd);
      }
      case "stat":
        return this.stat(stat.sys_newfstatat(task, this.at(a[0]), this.path(a[1]), OUT, n(2)));
      case "readlink": {
        const length = stat.sys_readlinkat(task, this.at(a[0]), this.path(a[1]), OUT, OUT_BYTES);
        return length < 0 ? length : this.text(length);
      }
      case "symlink":
        return names.sys_symlinkat(task, this.path(a[0]), this.at(a[1]), this.path(a[2]));
      case "link":
        return names.sys_linkat(task, this.at(a[0]), this.path(a[1]), this.at(a[2]), this.path(a[3]), n(4));
      case "rename":
        return names.sys_renameat2(task, this.at(a[0]), this.path(a[1]), this.at(a[2]), this.path(a[3]), n(4));
      case "mknod":
        return names.sys_mknodat(task, this.at(a[0]), this.path(a[1]), n(2), n(3));
      case "list":
        return this.list(a[0]);
      case "chdir":
        return directories.sys_chdir(task, this.path(a[0]));
      case "fchdir":
        return directories.sys_fchdir(task, this.at(a[0]));
      case "getcwd": {
        const length = directories.sys_getcwd(task, OUT, OUT_BYTES);
        return length < 0 ? length : this.text(length - 1);
      }
      default:
        return this.runAttribute(String(op), a, n);
    }
  }

  private runAttribute(op: string, a: string[], n: (i: number) => number): string | number {
    const { task } = this.fake;
    switch (op) {
      case "chmod":
        return attributes.sys_fchmodat2(task, this.at(a[0]!), this.path(a[1]!), n(2), n(3));
      case "fchmod":
        return attributes.sys_fchmod(task, this.at(a[0]!), n(1));
      case "chown":
        return attributes.sys_fchownat(task, this.at(a[0]!), this.path(a[1]!), n(2) >>> 0, n(3) >>> 0, n(4));
      case "access":
        return stat.sys_faccessat2(task, this.at(a[0]!), this.path(a[1]!), n(2), n(3));
      case "times":
        return attributes.sys_utimensat(task, this.at(a[0]!), this.path(a[1]!), this.times(a[2]!, a[3]!), n(4));
      case "mtime": {
        const error = stat.sys_newfstatat(task, this.at(a[0]!), this.path(a[1]!), OUT, 0x100);
        const sec = this.fake.memory.bytes.readUInt32LE(OUT + 88);
        return error < 0 ? error : sec > 1000000 ? 1 : sec;
      }
      case "truncate":
        return attributes.sys_truncate(task, this.path(a[0]!), n(1));
      case "ftruncate":
        return attributes.sys_ftruncate(task, this.at(a[0]!), n(1));
      case "fallocate":
        return attributes.sys_fallocate(task, this.at(a[0]!), n(1), n(2), n(3));
      case "setxattr":
        this.fake.memory.bytes.write(a[2]!, OUT, "latin1");
        return xattr.sys_setxattr(task, this.path(a[0]!), this.path(a[1]!), OUT, a[2]!.length, n(3));
      case "getxattr": {
        const length = xattr.sys_getxattr(task, this.path(a[0]!), this.path(a[1]!), OUT, OUT_BYTES);
        return length < 0 ? length : this.text(length);
      }
      case "removexattr":
        return xattr.sys_removexattr(task, this.path(a[0]!), this.path(a[1]!));
      default:
        return this.runContent(op, a, n);
    }
  }

  private runContent(op: string, a: string[], n: (i: number) => number): string | number {
    const file = this.file(a[0]!);
    if (file === undefined) return -9;
    switch (op) {
      case "write":
        if (!file.canWrite) return -9;
        dropPrivileges(file.inode, this.fake.fs.cred);
        return file.write(new KernelBuffer(Buffer.from(a[1]!, "latin1")));
      case "pread": {
        const { bytes } = this.fake.memory;
        if (!file.canRead) return -9;
        const length = file.readAt(new KernelBuffer(bytes.subarray(OUT, OUT + OUT_BYTES - 1)), 0);
        return length < 0 ? length : this.text(length);
      }
      case "seek":
        return file.seek(n(1), n(2));
      default:
        throw new Error(`no operation ${op}`);
    }
  }

  private openat2(a: readonly string[]): number {
    const { bytes } = this.fake.memory;
    for (let i = 0; i < 3; i += 1) bytes.writeBigUInt64LE(BigInt(a[3 + i]!), OUT + 8 * i);
    return open.sys_openat2(this.fake.task, this.at(a[1]!), this.path(a[2]!), OUT, 24);
  }

  private times(atime: string, mtime: string): number {
    const { bytes } = this.fake.memory;
    [atime, mtime].forEach((text, i) => {
      const special = UTIMES[text];
      bytes.writeBigInt64LE(special === undefined ? BigInt(text) : 0n, OUT + 16 * i);
      bytes.writeBigInt64LE(BigInt(special ?? 0), OUT + 16 * i + 8);
    });
    return OUT;
  }

  private stat(error: number): string | number {
    if (error < 0) return error;
    const { bytes } = this.fake.memory;
    const mode = bytes.readUInt32LE(OUT + 16);
    const size = (mode & 0o170000) === 0o040000 ? 0 : Number(bytes.readBigUInt64LE(OUT + 48));
    const [nlink, uid, gid] = [20, 24, 28].map((offset) => bytes.readUInt32LE(OUT + offset));
    return `${mode.toString(8)} ${nlink} ${uid} ${gid} ${size} ${bytes.readBigUInt64LE(OUT + 32).toString(16)}`;
  }

  private list(path: string): string | number {
    const { task, memory, files } = this.fake;
    const fd = open.sys_openat(task, -100, this.path(path), 0o2044000, 0);
    if (fd < 0) return fd;
    const found: string[] = [];
    for (;;) {
      const length = directories.sys_getdents64(task, fd, OUT, 300);
      if (length <= 0) {
        files.close(fd);
        return length < 0 ? length : found.sort().join(",");
      }
      for (let at = OUT; at < OUT + length; at += memory.bytes.readUInt16LE(at + 16)) {
        found.push(memory.bytes.toString("latin1", at + 19, memory.bytes.indexOf(0, at + 19)));
      }
    }
  }
}

/** Runs all of them in a fresh tree. */
export function performAll(operations: readonly Operation[]): string[] {
  const performer = new Performer();
  return operations.map((operation) => performer.perform(operation));
}
