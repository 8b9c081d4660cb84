// What mm needs from a file in order to map it: declared here because vfs is the higher room.

/** The store behind a page cache: a host file, a layer's range. Offsets are in pages of 4 KiB. */
export interface PageSource {
  /** Reads `count` pages from page `index` into consecutive frames; bytes past the end are zero. 0 or -errno. */
  readPages(index: number, frame: number, count: number): number;
  /** Writes the first `sizeBytes` bytes of a frame back to page `index`. 0 or -errno. */
  writePage(index: number, frame: number, sizeBytes: number): number;
  /** Size of the file now. */
  sizeBytes(): number;
}
