// The vDSO of a run: the data page that its clocks read, and the image behind it (shim/vdso/vdso.zig). Both
// are pages of one in-memory file that every process of the run maps.

import { MAP_PRIVATE, PROT_EXEC, PROT_READ } from "../abi/mman.ts";
import { nativeBuffer, pointerOf, shim } from "../host/shim.ts";
import type { AddressSpace } from "../mm/address-space.ts";
import { PageCache } from "../mm/page-cache.ts";
import type { MappedFile } from "../mm/vma.ts";
import { VDSO_BASE64, VDSO_SIGRETURN } from "./vdso.gen.ts";

const PAGE = 4096;
const IMAGE = Uint8Array.fromBase64(VDSO_BASE64);
const IMAGE_PAGES = Math.ceil(IMAGE.length / PAGE);

/** The clocks at one moment. */
export interface ClockReading {
  readonly counter: bigint;
  readonly counterHz: number;
  readonly monotonicNs: bigint;
  /** The wall clock minus the monotonic one. */
  readonly realtimeOffsetNs: bigint;
}

export class Vdso implements MappedFile {
  readonly cache = new PageCache(null);
  readonly dev = 0;
  readonly ino = 0;
  readonly writable = false;
  private readonly data: BigUint64Array;

  constructor() {
    // The cache holds the frames for as long as the run lives, so the view stays valid.
    this.data = new BigUint64Array(nativeBuffer(shim.frame_ptr(this.cache.get(0)), PAGE));
    for (let i = 0; i < IMAGE_PAGES; i += 1) {
      const bytes = IMAGE.slice(i * PAGE, (i + 1) * PAGE);
      shim.mem_copy(shim.frame_ptr(this.cache.get(1 + i)), pointerOf(bytes), bytes.length);
    }
  }

  /** Writes the data page (struct Data in vdso.zig). */
  setClock(reading: ClockReading): void {
    this.data[0] = reading.counter;
    this.data[1] = BigInt.asUintN(64, reading.monotonicNs);
    this.data[2] = BigInt.asUintN(64, reading.realtimeOffsetNs);
    this.data[3] = BigInt(Math.round((1_000_000_000 * 2 ** 32) / reading.counterHz));
    this.data[4] = 32n;
  }

  /** Maps data page and image. Address of the image for AT_SYSINFO_EHDR. */
  map(mm: AddressSpace): number {
    const start = mm.findFree(0, (1 + IMAGE_PAGES) * PAGE);
    const image = start + PAGE;
    mm.mapArea(start, PAGE, PROT_READ, MAP_PRIVATE, this, 0, "[vvar]");
    mm.mapArea(image, IMAGE_PAGES * PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, this, 1, "[vdso]");
    mm.vdsoSigreturn = image + VDSO_SIGRETURN;
    return image;
  }

  sizeBytes(): number {
    return (1 + IMAGE_PAGES) * PAGE;
  }

  name(): string {
    return "";
  }

  ref(): void {}

  unref(): void {}
}
