// uname(2), sysinfo(2), getrandom(2), syslog(2), kcmp(2), and calls that an unprivileged container is refused
// (kernel/sys.c, kernel/cred.c, drivers/char/random.c).

import * as C from "../abi/capability.ts";
import { EBADF, EFAULT, EINVAL, ENOSYS, EPERM, ESRCH } from "../abi/errno.ts";
import { HOST_NAME_MAX } from "../abi/limits.ts";
import { UNAME26 } from "../abi/prctl.ts";
import { NSEC_PER_SEC } from "../abi/time.ts";
import { UTS_MACHINE, UTS_RELEASE, UTS_RELEASE_26, UTS_SYSNAME, UTS_VERSION } from "../abi/utsname.ts";
import { hostMemory } from "../host/identity.ts";
import { scratch } from "../host/scratch.ts";
import { NO_RESULT } from "../kernel/op.ts";
import type { Task } from "../kernel/task.ts";
import { endGroup } from "../kernel/task-signals.ts";
import { TASK_SIZE } from "../mm/user-memory.ts";
import { capable } from "../vfs/permission.ts";
import {
  addr,
  flags,
  full,
  hex,
  int,
  type Names,
  outBuf,
  partial,
  path,
  pid,
  type Row,
  row,
  size,
  struct,
  u32,
} from "./row.ts";

const UTS_FIELD_BYTES = 65;
const GRND_NONBLOCK = 1;
const GRND_RANDOM = 2;
const GRND_INSECURE = 4;
const GRND_NAMES = (): Names => ({ GRND_NONBLOCK, GRND_RANDOM, GRND_INSECURE });
const RANDOM_CHUNK = 65536;
const RANDOM_MAX = 0x1ffffff;

export function sys_uname(task: Task, nameAddr: number): number {
  const { hostname, domainname } = task.kernel;
  const release = (task.personality & UNAME26) !== 0 ? UTS_RELEASE_26 : UTS_RELEASE;
  const fields = [UTS_SYSNAME, hostname, release, UTS_VERSION, UTS_MACHINE, domainname];
  scratch.u8.fill(0, 0, fields.length * UTS_FIELD_BYTES);
  fields.forEach((text, i) => {
    scratch.bytes.write(text.slice(0, UTS_FIELD_BYTES - 1), i * UTS_FIELD_BYTES, "latin1");
  });
  return task.mm.copyOut(nameAddr, fields.length * UTS_FIELD_BYTES);
}

function readName(task: Task, nameAddr: number, length: number): string | number {
  if (!capable(task.cred, C.CAP_SYS_ADMIN)) return -EPERM;
  if (length < 0 || length > HOST_NAME_MAX) return -EINVAL;
  if (task.mm.copyIn(nameAddr, length) < 0) return -EFAULT;
  return scratch.bytes.toString("latin1", 0, length);
}

export function sys_sethostname(task: Task, nameAddr: number, length: number): number {
  const name = readName(task, nameAddr, length);
  if (typeof name === "number") return name;
  task.kernel.hostname = name;
  return 0;
}

export function sys_setdomainname(task: Task, nameAddr: number, length: number): number {
  const name = readName(task, nameAddr, length);
  if (typeof name === "number") return name;
  task.kernel.domainname = name;
  return 0;
}

export function sys_sysinfo(task: Task, infoAddr: number): number {
  const { kernel } = task;
  const memory = hostMemory();
  scratch.u8.fill(0, 0, 112);
  scratch.setU64(0, Math.floor(kernel.clock.monotonicNs() / NSEC_PER_SEC));
  memory.loads.forEach((load, i) => {
    scratch.setU64(8 + 8 * i, Math.round(load * 65536));
  });
  const sizes = [memory.total, memory.free, memory.shared, memory.buffers, memory.totalSwap, memory.freeSwap];
  sizes.forEach((bytes, i) => {
    scratch.setU64(32 + 8 * i, bytes);
  });
  scratch.view.setUint16(80, kernel.pids.taskCount, true);
  scratch.u32[104 >> 2] = 1;
  return task.mm.copyOut(infoAddr, 112);
}

export function sys_getrandom(task: Task, bufferAddr: number, length: number, how: number): number {
  if ((how & ~(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE)) !== 0) return -EINVAL;
  if ((how & GRND_RANDOM) !== 0 && (how & GRND_INSECURE) !== 0) return -EINVAL;
  const total = Math.min(length, RANDOM_MAX);
  if (bufferAddr + total > TASK_SIZE) return -EFAULT;
  let done = 0;
  while (done < total) {
    const count = Math.min(RANDOM_CHUNK, total - done);
    task.kernel.random.fill(scratch.u8.subarray(0, count));
    const copied = task.mm.write(bufferAddr + done, scratch.ptr, count);
    done += copied;
    if (copied < count) return done > 0 ? done : -EFAULT;
  }
  return done;
}

const SYSLOG_READ_ALL = 3;
const SYSLOG_SIZE_UNREAD = 9;
const SYSLOG_SIZE_BUFFER = 10;
const LOG_BUFFER_BYTES = 262144;

/** The log of this kernel is empty. */
export function sys_syslog(task: Task, type: number, bufferAddr: number, length: number): number {
  if (type < 0 || type > SYSLOG_SIZE_BUFFER) return -EINVAL;
  if (!capable(task.cred, C.CAP_SYSLOG) && !capable(task.cred, C.CAP_SYS_ADMIN)) return -EPERM;
  if (type >= 2 && type <= SYSLOG_READ_ALL + 1 && (bufferAddr === 0 || length < 0)) return -EINVAL;
  if (type === SYSLOG_SIZE_BUFFER) return LOG_BUFFER_BYTES;
  return type === SYSLOG_SIZE_UNREAD ? 0 : 0;
}

const KCMP_FILE = 0;
const KCMP_TYPES = 8;

/** Order of two resources: 0 equal, 1 less, 2 greater. Objects are numbered when they are first compared. */
export function sys_kcmp(
  task: Task,
  first: number,
  second: number,
  type: number,
  index1: number,
  index2: number,
): number {
  const one = task.kernel.pids.task(first);
  const two = task.kernel.pids.task(second);
  if (one === undefined || two === undefined) return -ESRCH;
  for (const other of [one, two]) {
    const same = other.cred.uid === task.cred.fsuid && other.cred.euid === task.cred.fsuid;
    if (other.group !== task.group && !same && !capable(task.cred, C.CAP_SYS_PTRACE)) return -EPERM;
  }
  if (type < 0 || type >= KCMP_TYPES) return -EINVAL;
  const a = resource(one, type, index1);
  const b = resource(two, type, index2);
  if (a === undefined || b === undefined) return -EBADF;
  return a === b ? 0 : rank(a) < rank(b) ? 1 : 2;
}

/** What stands for the list of what is to be undone where there is none. */
const NO_UNDOS = {};

/** KCMP_FILE, VM, FILES, FS, SIGHAND, IO, SYSVSEM. */
function resource(task: Task, type: number, index: number): object | undefined {
  if (type === KCMP_FILE) return task.files.get(index);
  const undos = task.group.semaphoreUndos ?? NO_UNDOS;
  return [task.mm, task.files, task.fs.shared, task.group.actions, task, undos][type - 1] ?? task.group;
}

const ranks = new WeakMap<object, number>();
let nextRank = 0;

function rank(what: object): number {
  let value = ranks.get(what);
  if (value === undefined) {
    value = nextRank;
    nextRank += 1;
    ranks.set(what, value);
  }
  return value;
}

const REBOOT_MAGIC1 = 0xfee1dead;
const REBOOT_RESTART = 0x01234567;
const REBOOT_HALT = 0xcdef0123;
const REBOOT_POWER_OFF = 0x4321fedc;

/** As in a pid namespace: the first process dies. */
export function sys_reboot(task: Task, magic1: number, magic2: number, command: number, _arg: number): number {
  if (!capable(task.cred, C.CAP_SYS_BOOT)) return -EPERM;
  if (magic1 !== REBOOT_MAGIC1 || ![672274793, 85072278, 369367448, 537993216].includes(magic2)) return -EINVAL;
  if (command !== REBOOT_RESTART && command !== REBOOT_HALT && command !== REBOOT_POWER_OFF) return -EINVAL;
  const { init } = task.kernel;
  if (init !== null) endGroup(init, command === REBOOT_RESTART ? 1 : 2);
  return NO_RESULT;
}

export function sys_acct(task: Task, _path: number): number {
  return capable(task.cred, C.CAP_SYS_PACCT) ? -ENOSYS : -EPERM;
}

export function sys_vhangup(task: Task): number {
  return capable(task.cred, C.CAP_SYS_TTY_CONFIG) ? 0 : -EPERM;
}

export function sys_swapon(_task: Task, _path: number, _how: number): number {
  return -EPERM;
}

export function sys_swapoff(_task: Task, _path: number): number {
  return -EPERM;
}

export function sys_init_module(_task: Task, _image: number, _length: number, _options: number): number {
  return -EPERM;
}

export function sys_delete_module(_task: Task, _name: number, _how: number): number {
  return -EPERM;
}

export function sys_finit_module(_task: Task, _fd: number, _options: number, _how: number): number {
  return -EPERM;
}

export function sys_perf_event_open(_task: Task, _attr: number, _id: number, _cpu: number, _fd: number): number {
  return -EPERM;
}

export function sys_bpf(_task: Task, _command: number, _attr: number, _length: number): number {
  return -EPERM;
}

const REFUSED = partial("EPERM, as to an unprivileged container");

export function rows(): Row[] {
  return [
    row(58, sys_vhangup, [], full()),
    row(89, sys_acct, [path], partial("no accounting")),
    row(105, sys_init_module, [addr, size, addr], REFUSED),
    row(106, sys_delete_module, [addr, hex], REFUSED),
    row(116, sys_syslog, [int, addr, int], partial("the log is empty")),
    row(142, sys_reboot, [u32, u32, u32, addr], full()),
    row(160, sys_uname, [struct("utsname")], full()),
    row(161, sys_sethostname, [addr, int], full()),
    row(162, sys_setdomainname, [addr, int], full()),
    row(179, sys_sysinfo, [struct("sysinfo")], full()),
    row(224, sys_swapon, [path, hex], REFUSED),
    row(225, sys_swapoff, [path], REFUSED),
    row(241, sys_perf_event_open, [addr, pid, int, int], REFUSED),
    row(272, sys_kcmp, [pid, pid, int, size, size], full()),
    row(273, sys_finit_module, [int, addr, hex], REFUSED),
    row(278, sys_getrandom, [outBuf(1), size, flags(GRND_NAMES)], full()),
    row(280, sys_bpf, [int, addr, u32], REFUSED),
  ];
}
