// A place as text (fs/d_path.c): getcwd(2), /proc/PID/{fd,cwd,exe,root,maps,mounts}.

import type { Dentry, Path } from "./path.ts";

/** Whether the name is gone. Where names are not kept, a link count of zero tells. */
export function isUnlinked(dentry: Dentry): boolean {
  if (dentry.unlinked) return true;
  if (dentry.inode.fs.cacheNames || dentry.parent === null) return false;
  const stat = dentry.inode.stat();
  return typeof stat !== "number" && stat.nlink === 0;
}

/** Absolute path of `path` as seen from `root`; null when it does not lie below `root`. */
export function pathBelow(path: Path, root: Path): string | null {
  let { mount, dentry } = path;
  let text = "";
  while (dentry !== root.dentry || mount !== root.mount) {
    if (dentry === mount.root) {
      if (mount.at === null) return null;
      ({ mount, dentry } = mount.at);
      continue;
    }
    if (dentry.parent === null) return null;
    text = `/${dentry.name}${text}`;
    dentry = dentry.parent;
  }
  return text === "" ? "/" : text;
}

/** What d_path() prints: " (deleted)" behind removed names, "(unreachable)" before places outside of `root`. */
export function pathString(path: Path, root: Path): string {
  if (isPlaceless(path.dentry)) return path.dentry.name;
  const text = pathBelow(path, root) ?? `(unreachable)${pathBelow(path, topmost(path)) ?? "/"}`;
  return isUnlinked(path.dentry) ? `${text} (deleted)` : text;
}

/** `pathString` from the root of all mounts: what /proc/PID/maps prints. */
export function fullPathString(path: Path): string {
  return pathString(path, topmost(path));
}

/** Pipes, sockets and memfd files are their own root and carry their whole text as a name. */
function isPlaceless(dentry: Dentry): boolean {
  return dentry.parent === null && dentry.name !== "";
}

function topmost(path: Path): Path {
  let { mount, dentry } = path;
  for (;;) {
    if (dentry === mount.root) {
      if (mount.at === null) return { mount, dentry };
      ({ mount, dentry } = mount.at);
    } else if (dentry.parent === null) {
      return { mount, dentry };
    } else {
      dentry = dentry.parent;
    }
  }
}
