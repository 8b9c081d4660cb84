// An image's whole tree in the words of an mtree(5) listing, read through carrick's own image file system.

import { createHash } from "node:crypto";
import { ImageFileSystem } from "../../src/fs/image/image-file-system.ts";
import { openLayers } from "../../src/fs/image/open-layers.ts";
import { ManualClock } from "../../src/kernel/clock.ts";
import { KernelBuffer } from "../../src/mm/kernel-buffer.ts";
import type { OpenImage } from "../../src/oci/store.ts";
import type { DirectoryEntry, Inode } from "../../src/vfs/inode.ts";

const TYPES: Readonly<Record<number, string>> = { 1: "fifo", 2: "char", 4: "dir", 6: "block", 8: "file", 10: "link" };

export function imageTree(image: OpenImage): ImageFileSystem {
  const layers = openLayers(image.layers);
  if (typeof layers === "string") throw new Error(layers);
  return new ImageFileSystem(new ManualClock(1e9), layers, ["/tmp"]);
}

function ok<T>(value: T | number): T {
  if (typeof value === "number") throw new Error(`errno ${-value}`);
  return value;
}

/** Bytes of a regular file. */
export function contentOf(inode: Inode): Buffer {
  const file = ok(inode.open(0));
  const bytes = Buffer.alloc(file.sizeBytes());
  const buffer = new KernelBuffer(bytes);
  while (buffer.remaining > 0) {
    const n = file.readAt(buffer, buffer.position);
    if (n <= 0) throw new Error(`read: ${n}`);
  }
  file.unref();
  return bytes;
}

export function entriesOf(inode: Inode): DirectoryEntry[] {
  const file = ok(inode.open(0));
  const entries: DirectoryEntry[] = [];
  file.readDirectory(2, (entry) => entries.push(entry) > 0);
  file.unref();
  return entries;
}

/** As mtree escapes names (vis(3)). */
function escaped(name: string): string {
  return name.replace(/[^!-~]|[[\\*?#]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, "0")}`);
}

/** Every path with its words in alphabetical order. */
export function listing(image: OpenImage): Map<string, string> {
  const fs = imageTree(image);
  const found = new Map<string, string>();
  const visit = (inode: Inode, path: string): void => {
    const stat = ok(inode.stat());
    const type = TYPES[stat.mode >> 12]!;
    const mode = stat.mode & 0o7777;
    const words = [
      `gid=${stat.gid}`,
      `mode=${mode === 0 ? "0" : `0${mode.toString(8)}`}`,
      `nlink=${stat.nlink}`,
      `size=${stat.size}`,
      `tar_time=${stat.mtimeSec}.${String(stat.mtimeNsec).padStart(9, "0")}`,
      `type=${type}`,
      `uid=${stat.uid}`,
    ];
    if (type === "link") words.push(`link=${escaped(ok(inode.readlink()))}`);
    if (type === "file") words.push(`sha256digest=${createHash("sha256").update(contentOf(inode)).digest("hex")}`);
    for (const name of ok(inode.listXattr()))
      words.push(`xattr.${name}=${Buffer.from(ok(inode.getXattr(name))).toString("base64")}`);
    found.set(path, words.sort().join(" "));
    if (type !== "dir") return;
    for (const entry of entriesOf(inode)) {
      const child = ok(inode.lookup(entry.name));
      if (child.ino !== entry.ino || child.mode >> 12 !== entry.type)
        throw new Error(`the listing lies about ${entry.name}`);
      visit(child, `${path}/${escaped(entry.name)}`);
    }
  };
  visit(fs.root, ".");
  fs.close();
  return found;
}

/** Each path of a listing with its words in alphabetical order; "/set" lines applied. */
export function readMtree(text: string): Map<string, string> {
  const found = new Map<string, string>();
  const defaults = new Map<string, string>();
  const path: string[] = [];
  for (const line of text.split("\n")) {
    const [name, ...words] = line.trim().split(" ");
    if (name === undefined || name === "" || name.startsWith("#")) continue;
    const values = new Map(defaults);
    for (const word of words) values.set(word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1));
    if (name === "/set") for (const [key, value] of values) defaults.set(key, value);
    else if (name === "..") path.pop();
    else {
      found.set(
        [...path, name].join("/"),
        [...values]
          .map(([key, value]) => `${key}=${value}`)
          .sort()
          .join(" "),
      );
      if (values.get("type") === "dir") path.push(name);
    }
  }
  return found;
}
