// Shared memory segments (ipc/shm.c): memory that lives until it is removed and nobody has it attached.

import { PageCache } from "../../mm/page-cache.ts";
import type { MappedFile } from "../../mm/vma.ts";
import type { Credentials } from "../../vfs/credentials.ts";
import { IpcObject } from "./objects.ts";

export class Segment extends IpcObject {
  readonly sizeBytes: number;
  readonly cache = new PageCache(null);
  readonly creator: number;
  lastPid = 0;
  attachedSec = 0;
  detachedSec = 0;
  changedSec: number;
  locked = false;
  /** It is removed as soon as nobody has it attached (SHM_DEST): what then happens. */
  lastDetached: (() => void) | null = null;
  /** Areas that map it. */
  attached = 0;
  private readonly nowSec: () => number;
  /** Who attaches or detaches now. */
  private readonly callerPid: () => number;

  constructor(
    key: number,
    mode: number,
    cred: Credentials,
    sizeBytes: number,
    nowSec: () => number,
    callerPid: () => number,
  ) {
    super(key, mode, cred);
    this.sizeBytes = sizeBytes;
    this.nowSec = nowSec;
    this.callerPid = callerPid;
    this.creator = callerPid();
    this.changedSec = nowSec();
  }

  attach(): void {
    this.attached += 1;
    this.attachedSec = this.nowSec();
    this.lastPid = this.callerPid();
  }

  detach(): void {
    this.attached -= 1;
    this.detachedSec = this.nowSec();
    this.lastPid = this.callerPid();
    if (this.attached === 0) this.lastDetached?.();
  }
}

/** A segment as one shmat(2) maps it. */
export class Attachment implements MappedFile {
  readonly segment: Segment;
  readonly writable: boolean;
  readonly dev = 1;

  constructor(segment: Segment, writable: boolean) {
    this.segment = segment;
    this.writable = writable;
  }

  get cache(): PageCache {
    return this.segment.cache;
  }
  get ino(): number {
    return this.segment.id;
  }
  sizeBytes(): number {
    return this.segment.sizeBytes;
  }
  name(): string {
    return `/SYSV${(this.segment.key >>> 0).toString(16).padStart(8, "0")} (deleted)`;
  }
  ref(): void {
    this.segment.attach();
  }
  unref(): void {
    this.segment.detach();
  }
}
