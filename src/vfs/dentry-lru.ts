// Bounds the names that are kept in memory (fs/dcache.c: dentry_lru_isolate, prune_dcache_sb). The oldest that nobody has met again go
// first. What is in use elsewhere (open, a working directory, part of the call that runs) stays what its name means: a weak
// reference to it is left behind.

import { releaseWeakRefs } from "../host/weak-refs.ts";
import type { Dentry } from "./path.ts";

/** Names that may be kept; a shrink leaves three quarters. */
export const MAX_KEPT = 32768;

/** `Dentry.lru`. */
export const QUEUED = 1;
export const REFERENCED = 2;

interface Gone {
  readonly parent: Dentry;
  readonly name: string;
  readonly ref: WeakRef<Dentry>;
}

/** Kept names below directories with `cacheNames`, oldest first, and some that are none any more. */
let queue: Dentry[] = [];
let limit = MAX_KEPT;
/** Those that went and may still be in use, and by directory. */
let gone: Gone[] = [];
const goneFrom = new Map<Dentry, Map<string, WeakRef<Dentry>>>();

export function addToLru(dentry: Dentry): void {
  dentry.lru = QUEUED;
  queue.push(dentry);
  if (queue.length > limit) shrink();
}

/** The dentry of a name that went, if it is in use still. */
export function findGone(parent: Dentry, name: string): Dentry | undefined {
  return goneFrom.size === 0 ? undefined : goneFrom.get(parent)?.get(name)?.deref();
}

/** The name means nothing any more, or something else. */
export function forgetGone(parent: Dentry, name: string): void {
  const names = goneFrom.get(parent);
  if (names?.delete(name) && names.size === 0) goneFrom.delete(parent);
}

function shrink(): void {
  sweep();
  const old = queue;
  queue = [];
  let surplus = old.length - (MAX_KEPT / 4) * 3;
  for (const dentry of old) {
    if (!dentry.isKept) {
      dentry.lru = 0;
      surplus -= 1;
    } else if (surplus > 0 && dentry.lru === QUEUED && dentry.pins === 0 && !dentry.children?.size) {
      evict(dentry);
      surplus -= 1;
    } else {
      dentry.lru = QUEUED;
      queue.push(dentry);
    }
  }
  // Where all are in demand, the next attempt waits for more.
  limit = Math.max(MAX_KEPT, queue.length + MAX_KEPT / 4);
}

function evict(dentry: Dentry): void {
  const { name } = dentry;
  const parent = dentry.parent!;
  parent.forget(name);
  dentry.lru = 0;
  const ref = new WeakRef(dentry);
  let names = goneFrom.get(parent);
  if (names === undefined) {
    names = new Map();
    goneFrom.set(parent, names);
  }
  names.set(name, ref);
  gone.push({ parent, name, ref });
  dentry.inode.evicted();
}

/** Takes away what is left of names that nobody uses. */
function sweep(): void {
  gone = gone.filter(({ parent, name, ref }) => {
    if (goneFrom.get(parent)?.get(name) !== ref) return false;
    if (ref.deref() !== undefined) return true;
    forgetGone(parent, name);
    return false;
  });
  // To have looked at a weak reference is to have used it, until the engine is told that this is over.
  releaseWeakRefs();
}
