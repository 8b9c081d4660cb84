// Shared anonymous memory: what mmap(MAP_SHARED | MAP_ANONYMOUS) maps, kept by its mappings alone.

import { PageCache } from "./page-cache.ts";
import type { MappedFile } from "./vma.ts";

export class SharedMemory implements MappedFile {
  readonly cache = new PageCache(null);
  readonly dev = 1;
  readonly ino: number;
  readonly writable = true;
  private readonly size: number;
  private refs = 0;
  private static next = 1;

  constructor(sizeBytes: number) {
    this.size = sizeBytes;
    this.ino = SharedMemory.next++;
  }

  sizeBytes(): number {
    return this.size;
  }

  name(): string {
    return "/dev/zero (deleted)";
  }

  ref(): void {
    this.refs += 1;
  }

  unref(): void {
    this.refs -= 1;
    if (this.refs === 0) this.cache.destroy();
  }
}
