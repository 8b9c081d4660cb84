// What stands in /dev of a container: devices, links to the descriptors of whoever looks, mount points.

import { S_IFCHR, S_IFDIR } from "../../abi/stat.ts";
import type { Credentials } from "../../vfs/credentials.ts";
import { makeDev } from "../../vfs/devices.ts";
import type { Inode } from "../../vfs/inode.ts";

const DEVICES: readonly [name: string, major: number, minor: number, mode: number][] = [
  ["console", 5, 1, 0o620],
  ["full", 1, 7, 0o666],
  ["null", 1, 3, 0o666],
  ["random", 1, 8, 0o666],
  ["tty", 5, 0, 0o666],
  ["urandom", 1, 9, 0o666],
  ["zero", 1, 5, 0o666],
];

const LINKS: readonly [name: string, target: string][] = [
  ["core", "/proc/kcore"],
  ["fd", "/proc/self/fd"],
  ["ptmx", "pts/ptmx"],
  ["stderr", "/proc/self/fd/2"],
  ["stdin", "/proc/self/fd/0"],
  ["stdout", "/proc/self/fd/1"],
];

/** Directories that other file systems are mounted on. */
const DIRECTORIES = ["mqueue", "pts", "shm"];

/** Fills an empty root. 0 or the first -errno. */
export function populateDev(root: Inode, cred: Credentials): number {
  const made: (Inode | number)[] = [];
  for (const [name, major, minor, mode] of DEVICES) {
    made.push(root.mknod(name, S_IFCHR | mode, makeDev(major, minor), cred));
  }
  for (const [name, target] of LINKS) made.push(root.symlink(name, target, cred));
  for (const name of DIRECTORIES) made.push(root.mkdir(name, S_IFDIR | 0o755, cred));
  return (made.find((result) => typeof result === "number") as number | undefined) ?? 0;
}
