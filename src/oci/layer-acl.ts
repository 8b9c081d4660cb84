// Access lists among the extended attributes of an archive's files: one that makes no sense ends the pull, as it would end an
// extraction; one that says nothing is left out.

import { ACL_ACCESS, ACL_DEFAULT, isMinimal, parseAcl } from "../lib/posix-acl.ts";
import { LayerError, shown } from "./layer-error.ts";
import type { TarEntry } from "./tar-reader.ts";

/** The attributes of an entry as its inode has them. Throws LayerError. */
export function attributesOf({ name, type, xattrs }: TarEntry): ReadonlyMap<string, Buffer> | null {
  if (xattrs === null || !(xattrs.has(ACL_ACCESS) || xattrs.has(ACL_DEFAULT))) return xattrs;
  const kept = new Map(xattrs);
  for (const list of [ACL_ACCESS, ACL_DEFAULT]) {
    const value = xattrs.get(list);
    if (value === undefined) continue;
    const acl = value.length === 0 ? null : parseAcl(value);
    if (typeof acl === "string")
      throw new LayerError(`the archive has an access control list that makes no sense: ${shown(name)}`);
    const counts = type !== "symlink" && (list === ACL_ACCESS || type === "directory");
    if (acl === null || !counts || (list === ACL_ACCESS && isMinimal(acl))) kept.delete(list);
  }
  return kept.size === 0 ? null : kept;
}
