// Which code opens a device node or a FIFO (struct cdev, def_chr_fops, pipefifo_fops): whatever file system holds the
// name, the open goes through here. Rooms above vfs register themselves when the kernel boots.

import { ENXIO } from "../abi/errno.ts";
import type { File } from "./file.ts";
import type { Inode } from "./inode.ts";

/** Opens a special inode with O_* `flags`; permission is already checked. */
export type SpecialOpener = (inode: Inode, flags: number) => File | number;

const character = new Map<number, SpecialOpener>();
let fifo: SpecialOpener | null = null;

/** Device numbers as user space encodes them (new_encode_dev). */
export function makeDev(major: number, minor: number): number {
  return (minor & 0xff) + (major << 8) + Math.floor(minor / 256) * 0x100000;
}
export function majorOf(rdev: number): number {
  return (rdev >>> 8) & 0xfff;
}
export function minorOf(rdev: number): number {
  return (rdev & 0xff) | ((rdev >>> 12) & 0xfff00);
}

export function registerCharacterDevice(major: number, minor: number, opener: SpecialOpener): void {
  character.set(makeDev(major, minor), opener);
}

export function registerFifo(opener: SpecialOpener): void {
  fifo = opener;
}

/** open(2) of a character device; -ENXIO when no driver has the number. */
export function openCharacterDevice(inode: Inode, rdev: number, flags: number): File | number {
  return character.get(rdev)?.(inode, flags) ?? -ENXIO;
}

/**
 * open(2) of a FIFO. The file comes back at once with its end counted; the caller then waits until
 * `file.openPending()` is 0.
 */
export function openFifo(inode: Inode, flags: number): File | number {
  return fifo === null ? -ENXIO : fifo(inode, flags);
}
