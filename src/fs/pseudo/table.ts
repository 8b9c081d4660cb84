// Directories that a table describes: each node has a name, a mode and functions that make its content from the
// directory's subject (a process, the whole system).

import { ENOENT } from "../../abi/errno.ts";
import { DT_DIR, DT_LNK, DT_REG } from "../../abi/stat.ts";
import type { FsContext } from "../../vfs/context.ts";
import type { Inode } from "../../vfs/inode.ts";
import type { Path } from "../../vfs/path.ts";
import {
  LinkInode,
  type Named,
  type Ownership,
  PseudoDirectory,
  type PseudoFileSystem,
  TextInode,
} from "./pseudo-inode.ts";

export interface Node<S> {
  readonly name: string;
  /** DT_REG, DT_LNK, DT_DIR. */
  readonly type: number;
  make(place: Place<S>): Inode;
}

/** Where a node is made: its file system, number, subject and owner. */
export interface Place<S> {
  fs: PseudoFileSystem;
  ino: number;
  subject: S;
  ownership: () => Ownership;
}

/** A file with the text that `read` makes. With `write` it can be written (mode 644 by default). */
export function file<S>(
  name: string,
  read: (subject: S) => string | Uint8Array | number,
  mode = 0o444,
  write?: (subject: S, text: string) => number,
  sizeBytes = 0,
): Node<S> {
  const make = ({ fs, ino, subject, ownership }: Place<S>) => {
    const content = { read: () => read(subject), sizeBytes };
    const writable = write === undefined ? content : { ...content, write: (text: string) => write(subject, text) };
    return new TextInode(fs, ino, mode, writable, ownership);
  };
  return { name, type: DT_REG, make };
}

/** A file whose text never changes. */
export function constant<S>(name: string, text: string, mode = 0o444): Node<S> {
  return file(name, () => text, mode);
}

export function link<S>(
  name: string,
  target: (subject: S) => string | number,
  follow?: (subject: S, ctx: FsContext) => Path | number,
): Node<S> {
  const make = ({ fs, ino, subject, ownership }: Place<S>) => {
    const jump = follow === undefined ? null : (ctx: FsContext) => follow(subject, ctx);
    return new LinkInode(fs, ino, () => target(subject), jump, ownership);
  };
  return { name, type: DT_LNK, make };
}

export function directory<S>(name: string, nodes: readonly Node<S>[], mode = 0o555): Node<S> {
  const make = (place: Place<S>) => new TableDirectory(place, nodes, mode);
  return { name, type: DT_DIR, make };
}

/** A node that code of its own makes. */
export function custom<S>(name: string, type: number, make: (place: Place<S>) => Inode): Node<S> {
  return { name, type, make };
}

/** Numbers that a directory's nodes may use: subdirectories get their own range behind it. */
const SPAN = 64;

export class TableDirectory<S> extends PseudoDirectory {
  protected readonly subject: S;
  private readonly place: Place<S>;
  private readonly nodes: readonly Node<S>[];
  private readonly index = new Map<string, number>();

  constructor(place: Place<S>, nodes: readonly Node<S>[], mode = 0o555) {
    super(place.fs, place.ino, mode, place.ownership);
    this.place = place;
    this.subject = place.subject;
    this.nodes = nodes;
    for (let i = 0; i < nodes.length; i++) this.index.set(nodes[i]!.name, i);
  }

  /** Unique below the file system's root as long as no directory has more than SPAN nodes. */
  private inoOf(index: number): number {
    return this.ino * SPAN + index + 1;
  }

  get linkCount(): number {
    return this.links;
  }

  override lookup(name: string): Inode | number {
    const index = this.index.get(name);
    if (index === undefined) return -ENOENT;
    return this.nodes[index]!.make({ ...this.place, ino: this.inoOf(index) });
  }

  override list(): readonly Named[] | number {
    return this.nodes.map((node, index) => ({ name: node.name, type: node.type, ino: this.inoOf(index) }));
  }
}
