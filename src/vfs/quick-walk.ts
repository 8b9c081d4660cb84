// Path walks that meet only what an image's layers have and nobody has changed are made by the shim, in one call from the path in guest
// memory to the answer (shim/image/walk.zig; Linux's rcu-walk is the like). No dentry and no inode is made for what is only looked at.
// Everything else is left to vfs/namei.ts.

import { CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH } from "../abi/capability.ts";
import { EAGAIN } from "../abi/errno.ts";
import { Walker as at } from "../host/shim.gen.ts";
import { pointerOf, shim } from "../host/shim.ts";
import type { FsContext } from "./context.ts";
import type { Credentials } from "./credentials.ts";
import type { FileSystem } from "./file-system.ts";
import type { Mount } from "./mount.ts";
import { NumberedPath, type Path } from "./path.ts";
import { capable } from "./permission.ts";

/** The answer for what the kernel must walk to itself. */
export const WALK = -EAGAIN;

const MAX_GROUPS = (at.above - at.groups) / 4;
const MAX_LAYERS = (at.cwd - at.root - 4) / 8;

/** Who walks and from where, as the shim was last told. */
const walker = new Uint32Array(at.sizeBytes / 4);
const walkerPtr = pointerOf(walker);
let baseTold: Path | null = null;
let rootTold: Path | null = null;
let credTold: Credentials | null = null;

/** What the walk stays in, seen through which mount; null: no walk. */
export let fs: FileSystem | null = null;
export let mount: Mount | null = null;

/** Whether the shim may try: it knows who walks and from where. */
function ready(ctx: FsContext, base: Path): boolean {
  if (ctx.root !== rootTold || ctx.cred !== credTold) tell(ctx, base);
  else if (base !== baseTold) {
    if (isNear(base)) tellBase(base);
    else tell(ctx, base);
  }
  return fs !== null && fs.layersPtr !== 0;
}

/** Whether only the directory is another one. */
function isNear(base: Path): boolean {
  return fs !== null && base.mount === mount && fileSystemOf(base) === fs;
}

function tellBase(base: Path): void {
  baseTold = base;
  tellDirectory(at.cwd / 4, base);
}

function fileSystemOf(path: Path): FileSystem {
  return path instanceof NumberedPath ? path.fs : path.dentry.inode.fs;
}

function tell(ctx: FsContext, base: Path): void {
  const { root, cred } = ctx;
  rootTold = root;
  credTold = cred;
  const from = fileSystemOf(base).layersPtr !== 0 ? base : root;
  fs = fileSystemOf(from);
  mount = from.mount;
  baseTold = base;
  if (fs.layersPtr === 0 || cred.groups.length > MAX_GROUPS) fs = null;
  if (fs === null) return;
  walker[at.uid / 4] = cred.fsuid;
  walker[at.gid / 4] = cred.fsgid;
  walker[at.overrides / 4] = capable(cred, CAP_DAC_OVERRIDE) ? 1 : 0;
  walker[at.searches / 4] = capable(cred, CAP_DAC_READ_SEARCH) ? 1 : 0;
  walker[at.group_count / 4] = cred.groups.length;
  walker.set(cred.groups, at.groups / 4);
  tellDirectory(at.root / 4, root);
  tellBase(base);
}

/** Where paths may begin; a place that is seen through another mount has no records here. */
function tellDirectory(offset: number, path: Path): void {
  const records = path.mount !== mount ? [] : path instanceof NumberedPath ? path.records : path.dentry.inode.records;
  walker[offset] = records.length > MAX_LAYERS ? 0 : records.length;
  if (records.length > MAX_LAYERS) return;
  records.forEach(({ layer, entry }, i) => {
    walker[offset + 1 + 2 * i] = layer;
    walker[offset + 2 + 2 * i] = entry;
  });
}

/** newfstatat(2) of the path at `addr` into guest memory at `out`: 0, -ENOENT, or WALK. */
export function stat(ctx: FsContext, base: Path, space: number, addr: number, follow: number, out: number): number {
  return ready(ctx, base) ? shim.image_stat(fs!.layersPtr, walkerPtr, space, addr, follow, out) : WALK;
}

/** The same for statx(2). */
export function statx(ctx: FsContext, base: Path, space: number, addr: number, follow: number, out: number): number {
  return ready(ctx, base) ? shim.image_statx(fs!.layersPtr, walkerPtr, space, addr, follow, out, mount!.id) : WALK;
}

/** faccessat(2) for reading (4), executing (1), or being there: 0, -ENOENT, or WALK. */
export function access(ctx: FsContext, base: Path, space: number, addr: number, follow: number, mask: number): number {
  if (!ready(ctx, base) || mount!.noExec) return WALK;
  return shim.image_access(fs!.layersPtr, walkerPtr, space, addr, follow, mask);
}

/** readlinkat(2) into guest memory at `out`: bytes, -ENOENT, or WALK. */
export function readlink(ctx: FsContext, base: Path, space: number, addr: number, out: number, bytes: number): number {
  return ready(ctx, base) ? shim.image_readlink(fs!.layersPtr, walkerPtr, space, addr, out, bytes) : WALK;
}

/** The number, in `fs`, of the regular file or directory that may be opened for reading; -ENOENT, or WALK. */
export function find(
  ctx: FsContext,
  base: Path,
  space: number,
  addr: number,
  follow: number,
  onlyDirectory: number,
): number {
  return ready(ctx, base) ? shim.image_open(fs!.layersPtr, walkerPtr, space, addr, follow, onlyDirectory) : WALK;
}

/** The number of the directory where `find` found a directory; 0 where it found a file. */
export function foundBelow(): number {
  return walker[at.above / 4]!;
}
