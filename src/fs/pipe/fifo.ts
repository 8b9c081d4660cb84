// Opening pipes: pipe2(2) makes an unnamed one, open(2) of a FIFO joins the one that belongs to the inode
// (fifo(7), fs/pipe.c fifo_open).

import { EINVAL, ENXIO } from "../../abi/errno.ts";
import { O_ACCMODE, O_DIRECT, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } from "../../abi/fcntl.ts";
import { registerFifo } from "../../vfs/devices.ts";
import type { Inode } from "../../vfs/inode.ts";
import { InodeMap } from "../../vfs/inode-map.ts";
import { isPipeInode, pipeInode } from "../anon/anonymous-inode.ts";
import { Pipe, PipeFile } from "./pipe.ts";

/** Pipes with an open end. */
const pipes = new InodeMap<Pipe>();

function pipeOf(inode: Inode): Pipe {
  let pipe = pipes.get(inode);
  if (pipe === undefined) {
    pipe = new Pipe(() => pipes.delete(inode));
    pipes.set(inode, pipe);
  }
  return pipe;
}

/** The two ends of a new pipe, [reader, writer]. `flags`: O_NONBLOCK, O_DIRECT. */
export function createPipe(flags: number, uid: number, gid: number, nowSec: number): [PipeFile, PipeFile] {
  const inode = pipeInode(uid, gid, nowSec);
  const pipe = pipeOf(inode);
  const status = flags & (O_NONBLOCK | O_DIRECT);
  return [new PipeFile(pipe, inode, O_RDONLY | (status & O_NONBLOCK)), new PipeFile(pipe, inode, O_WRONLY | status)];
}

export function openFifo(inode: Inode, flags: number): PipeFile | number {
  const nonblock = (flags & O_NONBLOCK) !== 0;
  const mode = flags & O_ACCMODE;
  if (mode === O_ACCMODE) return -EINVAL;
  // An unnamed pipe, reached through /proc/self/fd, never waits for its other end.
  const named = !isPipeInode(inode);
  if (named && mode === O_WRONLY && nonblock && (pipes.get(inode)?.readers ?? 0) === 0) return -ENXIO;
  return new PipeFile(pipeOf(inode), inode, flags, named && !nonblock && mode !== O_RDWR);
}

registerFifo(openFifo);
