// set_mempolicy(2), get_mempolicy(2), mbind(2), migrate_pages(2), move_pages(2) on a machine with one node (mm/mempolicy.c, mm/migrate.c):
// node 0 has all memory, so that policies are checked and told, and nothing has to move.

import { CAP_SYS_NICE } from "../abi/capability.ts";
import { EFAULT, EINVAL, ENODEV, ENOENT, EPERM, ESRCH } from "../abi/errno.ts";
import * as M from "../abi/mempolicy.ts";
import { PROT_PRESENT } from "../host/shim.gen.ts";
import { shim } from "../host/shim.ts";
import { mayTrace } from "../kernel/ptrace-access.ts";
import type { Task } from "../kernel/task.ts";
import { type AddressSpace, PAGE, pageUp } from "../mm/address-space.ts";
import { TASK_SIZE } from "../mm/user-memory.ts";
import { capable } from "../vfs/permission.ts";
import { addr, flags, full, int, type Names, off, partial, pid, type Row, row, size } from "./row.ts";

const MODE_FLAGS = M.MPOL_F_STATIC_NODES | M.MPOL_F_RELATIVE_NODES | M.MPOL_F_NUMA_BALANCING;
/** As many nodes as a kernel for arm64 knows. */
const MAX_NODES = 16;
const MAX_MASK_BITS = PAGE * 8;
/** How policies are told that keep the program's own numbers of nodes. */
const KEEPS_NODES = M.MPOL_F_STATIC_NODES | M.MPOL_F_RELATIVE_NODES;
const NODE_0 = 1;

/** The nodes of a mask in user memory, as bits; `bits` counts one more than there are. */
function readNodes(mm: AddressSpace, maskAddr: number, bits: number): number {
  if (maskAddr === 0 || bits === 1) return 0;
  if (bits === 0 || bits - 1 > MAX_MASK_BITS) return -EINVAL;
  let nodes = 0;
  for (let at = 0; at < bits - 1; at += 32) {
    const word = mm.readU32(maskAddr + at / 8);
    if (word < 0) return word;
    const known = bits - 1 - at < 32 ? word & (2 ** (bits - 1 - at) - 1) : word;
    if (at > 0 ? known !== 0 : known >>> 0 >= 2 ** MAX_NODES) return -EINVAL;
    if (at === 0) nodes = known;
  }
  return nodes;
}

/** What a mode with its flags and these nodes means: the mode to remember with its flags, or -EINVAL. */
function policyOf(wanted: number, nodes: number): number {
  const mode = wanted & ~MODE_FLAGS;
  const how = wanted & MODE_FLAGS;
  if (mode < 0 || mode >= M.MPOL_MAX || (how & KEEPS_NODES) === KEEPS_NODES) return -EINVAL;
  const balances = mode === M.MPOL_BIND || mode === M.MPOL_PREFERRED_MANY;
  if ((how & M.MPOL_F_NUMA_BALANCING) !== 0 && !balances) return -EINVAL;
  if (mode === M.MPOL_DEFAULT) return nodes === 0 ? M.MPOL_DEFAULT : -EINVAL;
  if (mode === M.MPOL_LOCAL) return nodes === 0 && how === 0 ? M.MPOL_LOCAL : -EINVAL;
  if (nodes !== 0) return (how & M.MPOL_F_RELATIVE_NODES) !== 0 || (nodes & NODE_0) !== 0 ? wanted : -EINVAL;
  return mode === M.MPOL_PREFERRED && (how & KEEPS_NODES) === 0 ? M.MPOL_LOCAL : -EINVAL;
}

export function sys_set_mempolicy(task: Task, mode: number, maskAddr: number, bits: number): number {
  const nodes = readNodes(task.mm, maskAddr, bits);
  if (nodes < 0) return nodes;
  const policy = policyOf(mode, nodes);
  if (policy < 0) return policy;
  task.memoryPolicy = policy;
  task.memoryNodes = (policy & KEEPS_NODES) !== 0 ? nodes : nodes & NODE_0;
  return 0;
}

/** Tells one word of nodes, and zeros for what else the mask has room for. */
function writeNodes(mm: AddressSpace, maskAddr: number, bits: number, nodes: number): number {
  if (maskAddr === 0) return 0;
  const bytes = Math.ceil((bits - 1) / 64) * 8;
  if (bytes > PAGE) return -EINVAL;
  for (let at = 0; at < bytes; at += 4) if (mm.writeU32(maskAddr + at, at === 0 ? nodes : 0) < 0) return -EFAULT;
  return 0;
}

export function sys_get_mempolicy(
  task: Task,
  modeAddr: number,
  maskAddr: number,
  bits: number,
  at: number,
  how: number,
): number {
  const { mm } = task;
  if (maskAddr !== 0 && bits < 1) return -EINVAL;
  if ((how & ~(M.MPOL_F_NODE | M.MPOL_F_ADDR | M.MPOL_F_MEMS_ALLOWED)) !== 0) return -EINVAL;
  let policy = task.memoryPolicy;
  let nodes = task.memoryNodes;
  if ((how & M.MPOL_F_MEMS_ALLOWED) !== 0) {
    if ((how & (M.MPOL_F_NODE | M.MPOL_F_ADDR)) !== 0) return -EINVAL;
    [policy, nodes] = [0, NODE_0];
  } else if ((how & M.MPOL_F_ADDR) !== 0) {
    // DIFFERS: what mbind(2) said of an area is not remembered.
    if (mm.vmas.find(at) === undefined) return -EFAULT;
    if ((how & M.MPOL_F_NODE) !== 0) policy = 0;
  } else {
    if (at !== 0) return -EINVAL;
    const mode = policy & ~MODE_FLAGS;
    const spreads = mode === M.MPOL_INTERLEAVE || mode === M.MPOL_WEIGHTED_INTERLEAVE;
    if ((how & M.MPOL_F_NODE) !== 0 && !spreads) return -EINVAL;
    // The node whose turn is next.
    if ((how & M.MPOL_F_NODE) !== 0) policy = 0;
  }
  if (modeAddr !== 0 && mm.writeU32(modeAddr, policy) < 0) return -EFAULT;
  return writeNodes(mm, maskAddr, bits, nodes);
}

export function sys_mbind(
  task: Task,
  start: number,
  length: number,
  mode: number,
  maskAddr: number,
  bits: number,
  how: number,
): number {
  const nodes = readNodes(task.mm, maskAddr, bits);
  if (nodes < 0) return nodes;
  if ((how & ~(M.MPOL_MF_STRICT | M.MPOL_MF_MOVE | M.MPOL_MF_MOVE_ALL)) !== 0) return -EINVAL;
  if ((how & M.MPOL_MF_MOVE_ALL) !== 0 && !capable(task.cred, CAP_SYS_NICE)) return -EPERM;
  if (start % PAGE !== 0) return -EINVAL;
  const end = start + pageUp(length);
  // The kernel's sum of an impossible length wraps around.
  if (length >= 2 ** 53) return -EINVAL;
  if (length === 0) return 0;
  const policy = policyOf(mode, nodes);
  if (policy < 0) return policy;
  return end <= TASK_SIZE && task.mm.vmas.covers(start, end) ? 0 : -EFAULT;
}

/** The address space of a process that the caller may look into; 0 is the caller. */
function spaceOf(task: Task, id: number): AddressSpace | number {
  const target = id === 0 ? task : task.kernel.pids.task(id);
  if (target === undefined || !target.alive) return -ESRCH;
  return target === task || mayTrace(task, target) ? target.mm : -EPERM;
}

export function sys_migrate_pages(task: Task, id: number, bits: number, oldAddr: number, newAddr: number): number {
  const from = readNodes(task.mm, oldAddr, bits);
  if (from < 0) return from;
  const to = readNodes(task.mm, newAddr, bits);
  if (to < 0) return to;
  const mm = spaceOf(task, id);
  if (typeof mm === "number") return mm;
  if ((to & ~NODE_0) !== 0 && !capable(task.cred, CAP_SYS_NICE)) return -EPERM;
  return (to & NODE_0) !== 0 ? 0 : -EINVAL;
}

/** Where a page is: the node, or -errno. */
function nodeOf(mm: AddressSpace, at: number): number {
  if (at >= TASK_SIZE || mm.vmas.find(at) === undefined) return -EFAULT;
  return (shim.space_lookup(mm.space, at - (at % PAGE)) & PROT_PRESENT) !== 0 ? 0 : -ENOENT;
}

export function sys_move_pages(
  task: Task,
  id: number,
  count: number,
  pages: number,
  nodes: number,
  status: number,
  how: number,
): number {
  if ((how & ~(M.MPOL_MF_MOVE | M.MPOL_MF_MOVE_ALL)) !== 0) return -EINVAL;
  if ((how & M.MPOL_MF_MOVE_ALL) !== 0 && !capable(task.cred, CAP_SYS_NICE)) return -EPERM;
  const mm = spaceOf(task, id);
  if (typeof mm === "number") return mm;
  for (let i = 0; i < count; i += 1) {
    const at = task.mm.readU64(pages + 8 * i);
    if (at < 0) return at;
    if (nodes !== 0) {
      const node = task.mm.readU32(nodes + 4 * i);
      if (node < 0) return node;
      if (node !== 0) return -ENODEV;
    }
    if (task.mm.writeU32(status + 4 * i, nodeOf(mm, task.mm.untag(at))) < 0) return -EFAULT;
  }
  return 0;
}

const MF_NAMES = (): Names => ({
  MPOL_MF_STRICT: M.MPOL_MF_STRICT,
  MPOL_MF_MOVE: M.MPOL_MF_MOVE,
  MPOL_MF_MOVE_ALL: M.MPOL_MF_MOVE_ALL,
});

export function rows(): Row[] {
  return [
    row(
      235,
      sys_mbind,
      [addr, size, int, addr, size, flags(MF_NAMES)],
      partial("one memory node; checked, not remembered"),
    ),
    row(236, sys_get_mempolicy, [addr, addr, size, addr, int], partial("the task's policy, for areas too")),
    row(237, sys_set_mempolicy, [int, addr, size], full()),
    row(238, sys_migrate_pages, [pid, size, addr, addr], full()),
    row(239, sys_move_pages, [pid, off, addr, addr, addr, flags(MF_NAMES)], full()),
  ];
}
