// Where mm places things in a 48-bit address space. Programs may ask for any address; what mm chooses itself
// lies below 2^39, so that one flat host window can serve nearly every process later. One random base per run
// (not per exec) keeps binaries at the same address in every process, and translations shared.

const PAGE = 4096;

export class Layout {
  /** mmap_min_addr. */
  readonly minAddr = 65536;
  /** End of user space for MAP_FIXED and hints. */
  readonly top = 2 ** 48;
  /** Stacks grow down from here. */
  readonly stackTop: number;
  /** mmap grows down from here. */
  readonly mmapTop: number;
  /**
   * Where position-independent executables go: at two thirds, as with an address space of 39 bits, whose other places (their shadow memory at
   * 2^36 first of all) the sanitizers of compilers take for themselves.
   */
  readonly pieBase: number;

  /** `random` answers whole numbers in [0, n); a constant zero gives fixed addresses. */
  constructor(random: (n: number) => number) {
    this.stackTop = 2 ** 39 - PAGE - random(4096) * PAGE;
    this.mmapTop = 2 ** 39 - 2 ** 32 - random(65536) * PAGE;
    this.pieBase = 0x5555555000 + random(65536) * PAGE;
  }
}
