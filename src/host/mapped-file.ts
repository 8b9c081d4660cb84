// Memory that the shim reads and the engine does not know of: a file of the host, or a buffer of ours.

import { O_RDONLY } from "../abi/fcntl.ts";
import { AT_FDCWD, files } from "./files.ts";
import { orZero, pointerOf, shim } from "./shim.ts";

export interface HostBytes {
  readonly ptr: number;
  readonly sizeBytes: number;
  /** What must not be collected while the bytes are in use. */
  readonly owner: Uint8Array | null;
}

/** The bytes of a regular file that nobody changes while it is mapped, until the process ends; null when it cannot be read. */
export function mapFile(path: string): HostBytes | null {
  const fd = files.open(AT_FDCWD, path, O_RDONLY, 0);
  if (fd < 0) return null;
  const size = new Float64Array(1);
  const ptr = orZero(shim.host_map(fd, pointerOf(size)));
  files.close(fd);
  return ptr === 0 ? null : { ptr, sizeBytes: size[0]!, owner: null };
}

export function bytesAt(owner: Uint8Array): HostBytes {
  return { ptr: pointerOf(owner), sizeBytes: owner.length, owner };
}
