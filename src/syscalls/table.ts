// The table of system calls: every family's rows, by number.

import { rows as anonymous } from "./anonymous.ts";
import { rows as attributes } from "./attributes.ts";
import { rows as directories } from "./directories.ts";
import { rows as epoll } from "./epoll.ts";
import { rows as exec } from "./exec.ts";
import { rows as fcntl } from "./fcntl.ts";
import { rows as futex } from "./futex.ts";
import { rows as groups } from "./groups.ts";
import { rows as ids } from "./ids.ts";
import { rows as inotify } from "./inotify.ts";
import { rows as ioContext } from "./io-context.ts";
import { rows as ioctl } from "./ioctl.ts";
import { rows as ipc } from "./ipc.ts";
import { rows as limits } from "./limits.ts";
import { rows as locks } from "./locks.ts";
import { rows as memfd } from "./memfd.ts";
import { rows as memory } from "./memory.ts";
import { rows as misc } from "./misc.ts";
import { rows as mlock } from "./mlock.ts";
import { rows as mounts } from "./mounts.ts";
import { rows as mqueue } from "./mqueue.ts";
import { rows as names } from "./names.ts";
import { rows as open } from "./open.ts";
import { rows as pipe } from "./pipe.ts";
import { rows as poll } from "./poll.ts";
import { rows as prctl } from "./prctl.ts";
import { rows as process } from "./process.ts";
import { rows as processVm } from "./process-vm.ts";
import { rows as readWrite } from "./read-write.ts";
import type { Row } from "./row.ts";
import { rows as sched } from "./sched.ts";
import { rows as signals } from "./signals.ts";
import { rows as socket } from "./socket.ts";
import { rows as stat } from "./stat.ts";
import { rows as sync } from "./sync.ts";
import { rows as time } from "./time.ts";
import { rows as timers } from "./timers.ts";
import { rows as transfer } from "./transfer.ts";
import { rows as xattr } from "./xattr.ts";

/** One family on a line, in alphabetical order. */
// biome-ignore format: one on a line merges better
const families: readonly (readonly Row[])[] = [
  anonymous,
  attributes,
  directories,
  epoll,
  exec,
  fcntl,
  futex,
  groups,
  ids,
  inotify,
  ioContext,
  ioctl,
  ipc,
  limits,
  locks,
  memfd,
  memory,
  mlock,
  misc,
  mounts,
  mqueue,
  names,
  open,
  pipe,
  poll,
  prctl,
  process,
  processVm,
  readWrite,
  sched,
  signals,
  socket,
  stat,
  sync,
  time,
  timers,
  transfer,
  xattr,
];

/** Rows by call number; holes are calls that arm64 does not have or that carrick does not know. */
export const table: readonly (Row | undefined)[] = build();

function build(): (Row | undefined)[] {
  const byNumber: (Row | undefined)[] = [];
  for (const rows of families) for (const row of rows) byNumber[row.number] = row;
  return byNumber;
}

/** All rows in the order of their numbers. */
export function allRows(): Row[] {
  return table.filter((row) => row !== undefined);
}
