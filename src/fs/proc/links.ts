// The magic links of /proc/PID: exe, cwd, root, fd/N, and fdinfo beside them (fs/proc/base.c, fd.c). A walk
// through one jumps to the open file itself, whatever its path says now.

import { ENOENT } from "../../abi/errno.ts";
import { O_ACCMODE, O_CLOEXEC, O_PATH, O_RDONLY, O_WRONLY } from "../../abi/fcntl.ts";
import { DT_LNK, DT_REG } from "../../abi/stat.ts";
import type { File } from "../../vfs/file.ts";
import type { FileSystem } from "../../vfs/file-system.ts";
import type { Inode } from "../../vfs/inode.ts";
import { detachedMount, type Mount } from "../../vfs/mount.ts";
import { Dentry, type Path } from "../../vfs/path.ts";
import { pathString } from "../../vfs/path-string.ts";
import { LinkInode, type Named, PseudoDirectory, TextInode } from "../pseudo/pseudo-inode.ts";
import type { Place } from "../pseudo/table.ts";
import type { TaskSubject } from "./task-files.ts";

/** What a link to `path` reads as for the task that looks. */
function textOf({ source, task }: TaskSubject, path: Path | null | undefined): string | number {
  if (path === null || path === undefined) return -ENOENT;
  const looking = source.self()?.fs ?? task.fs;
  return pathString(path, looking?.root ?? source.mounts.rootPath);
}

export function exeText(s: TaskSubject): string | number {
  return textOf(s, s.task.exe);
}
export function exePath(s: TaskSubject): Path | number {
  return s.task.exe ?? -ENOENT;
}
export function cwdText(s: TaskSubject): string | number {
  return textOf(s, s.task.fs?.cwd);
}
export function cwdPath(s: TaskSubject): Path | number {
  return s.task.fs?.cwd ?? -ENOENT;
}
export function rootText(s: TaskSubject): string | number {
  return textOf(s, s.task.fs?.root);
}
export function rootPath(s: TaskSubject): Path | number {
  return s.task.fs?.root ?? -ENOENT;
}

/** Mounts for files that have no place in the tree, one for each file system of such files. */
const placeless = new WeakMap<FileSystem, Mount>();

function mountOf(fs: FileSystem): Mount {
  let mount = placeless.get(fs);
  if (mount === undefined) {
    mount = detachedMount(fs);
    placeless.set(fs, mount);
  }
  return mount;
}

/** The place of an open file: where it was opened, or one of its own that carries its name. */
export function placeOf(file: File): Path {
  return file.path ?? { mount: mountOf(file.inode.fs), dentry: new Dentry(null, file.name(), file.inode) };
}

/** Inode numbers of descriptors' links: apart from those of the tables. */
const FD_INO_BASE = 2 ** 46;

function fdIno(tid: number, fd: number): number {
  return FD_INO_BASE + tid * 2 ** 21 + fd;
}

function descriptors({ task }: TaskSubject): [number, File][] {
  return task.files === null ? [] : [...task.files];
}

function parseFd(name: string): number {
  return /^(0|[1-9]\d{0,6})$/.test(name) ? Number(name) : -1;
}

abstract class DescriptorDirectory extends PseudoDirectory {
  protected readonly place: Place<TaskSubject>;

  constructor(place: Place<TaskSubject>, mode: number) {
    super(place.fs, place.ino, mode, place.ownership);
    this.place = place;
  }

  protected abstract readonly entryType: number;
  protected abstract entry(fd: number, file: File): Inode;

  override lookup(name: string): Inode | number {
    const fd = parseFd(name);
    const file = this.place.subject.task.files?.get(fd);
    return file === undefined ? -ENOENT : this.entry(fd, file);
  }

  override list(): readonly Named[] {
    const { task } = this.place.subject;
    return descriptors(this.place.subject).map(([fd]) => ({
      name: `${fd}`,
      type: this.entryType,
      ino: fdIno(task.tid, fd),
      at: fd + 2,
    }));
  }
}

class FdLink extends LinkInode {
  protected override get sizeBytes(): number {
    return 64;
  }
}

/** /proc/PID/fd */
export class FdDirectory extends DescriptorDirectory {
  protected override readonly entryType = DT_LNK;

  protected override entry(fd: number, file: File): Inode {
    const { subject, fs, ownership } = this.place;
    const access = file.flags & O_ACCMODE;
    const opened = 0o100 | (access !== O_WRONLY ? 0o400 : 0) | (access !== O_RDONLY ? 0o200 : 0);
    const mode = (file.flags & O_PATH) !== 0 ? 0 : opened;
    const current = () => subject.task.files?.get(fd);
    return new FdLink(
      fs,
      fdIno(subject.task.tid, fd),
      () => {
        const now = current();
        return now === undefined ? -ENOENT : textOf(subject, placeOf(now));
      },
      () => {
        const now = current();
        return now === undefined ? -ENOENT : placeOf(now);
      },
      ownership,
      mode,
    );
  }
}

/** /proc/PID/fdinfo */
export class FdInfoDirectory extends DescriptorDirectory {
  protected override readonly entryType = DT_REG;

  protected override entry(fd: number, file: File): Inode {
    const { subject, fs, ownership } = this.place;
    const read = (): string | number => {
      const files = subject.task.files;
      if (files === null || files.get(fd) !== file) return -ENOENT;
      const flags = file.flags | (files.cloexec(fd) ? O_CLOEXEC : 0);
      const head = `pos:\t${file.pos}\nflags:\t0${flags.toString(8)}\nmnt_id:\t${placeOf(file).mount.id}\n`;
      return `${head}ino:\t${file.inode.ino}\n${file.details()}`;
    };
    return new TextInode(fs, fdIno(subject.task.tid, fd), 0o444, { read }, ownership);
  }
}
