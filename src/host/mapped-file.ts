// A file of the host as memory: pages of it are read when they are looked at.

/** The bytes of a regular file that nobody changes while it is mapped; null when it cannot be read. */
export function mapFile(path: string): Uint8Array | null {
  try {
    return Bun.mmap(path, { shared: true });
  } catch {
    return null;
  }
}
