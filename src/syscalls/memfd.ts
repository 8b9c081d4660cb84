// memfd_create(2).

import { EINVAL, ENAMETOOLONG } from "../abi/errno.ts";
import {
  createMemfd,
  MFD_ALLOW_SEALING,
  MFD_CLOEXEC,
  MFD_EXEC,
  MFD_HUGETLB,
  MFD_NOEXEC_SEAL,
} from "../fs/tmpfs/memfd.ts";
import type { Task } from "../kernel/task.ts";
import { flags, partial, path, type Row, row } from "./row.ts";

const KNOWN = MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | MFD_EXEC;
const MAX_NAME_BYTES = 249;

/** DIFFERS: huge pages are refused with EINVAL. */
export function sys_memfd_create(task: Task, nameAddr: number, how: number): number {
  if ((how & ~KNOWN) !== 0) return -EINVAL;
  if ((how & (MFD_EXEC | MFD_NOEXEC_SEAL)) === (MFD_EXEC | MFD_NOEXEC_SEAL)) return -EINVAL;
  const name = task.mm.readString(nameAddr, MAX_NAME_BYTES + 1);
  if (typeof name === "number") return name === -ENAMETOOLONG ? -EINVAL : name;
  const free = task.files.lowestFree();
  if (free < 0) return free;
  const file = createMemfd(task.kernel.clock, name, how, task.cred);
  return task.files.install(file, (how & MFD_CLOEXEC) !== 0);
}

export function rows(): Row[] {
  return [
    row(
      279,
      sys_memfd_create,
      [path, flags({ MFD_CLOEXEC, MFD_ALLOW_SEALING, MFD_HUGETLB, MFD_NOEXEC_SEAL, MFD_EXEC })],
      partial("no huge pages"),
    ),
  ];
}
