// pipe2(2).

import { EFAULT, EINVAL, EMFILE } from "../abi/errno.ts";
import { O_CLOEXEC, O_DIRECT, O_NONBLOCK } from "../abi/fcntl.ts";
import { createPipe } from "../fs/pipe/fifo.ts";
import type { Task } from "../kernel/task.ts";
import { flags, full, type Row, row, struct } from "./row.ts";

export function sys_pipe2(task: Task, fds: number, flags: number): number {
  if ((flags & ~(O_CLOEXEC | O_NONBLOCK | O_DIRECT)) !== 0) return -EINVAL;
  const cloexec = (flags & O_CLOEXEC) !== 0;
  const cred = task.cred;
  const [reader, writer] = createPipe(flags, cred.fsuid, cred.fsgid, task.kernel.clock.realtime().sec);
  const files = task.files;
  const readFd = files.install(reader, cloexec);
  const writeFd = readFd < 0 ? -EMFILE : files.install(writer, cloexec);
  const failed = writeFd < 0 ? writeFd : writeBoth(task, fds, readFd, writeFd);
  if (failed === 0) return 0;
  if (readFd < 0) reader.unref();
  else files.close(readFd);
  if (writeFd < 0) writer.unref();
  else files.close(writeFd);
  return failed;
}

const pair = new Uint8Array(8);
const pairView = new DataView(pair.buffer);

function writeBoth(task: Task, addr: number, first: number, second: number): number {
  pairView.setInt32(0, first, true);
  pairView.setInt32(4, second, true);
  return task.mm.copyOutBytes(addr, pair, 0, 8) === 8 ? 0 : -EFAULT;
}

export function rows(): Row[] {
  return [row(59, sys_pipe2, [struct("int[2]"), flags({ O_CLOEXEC, O_NONBLOCK, O_DIRECT })], full())];
}
