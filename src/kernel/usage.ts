// Resource usage counters of a task or process (struct rusage).

export class Usage {
  utimeNs = 0;
  stimeNs = 0;
  minorFaults = 0;
  majorFaults = 0;
  voluntarySwitches = 0;
  involuntarySwitches = 0;
  /** Blocks of 512 bytes. */
  blocksIn = 0;
  blocksOut = 0;
  /** Largest resident size in KiB. */
  maxRssKib = 0;

  get cpuNs(): number {
    return this.utimeNs + this.stimeNs;
  }

  add(other: Usage): void {
    this.utimeNs += other.utimeNs;
    this.stimeNs += other.stimeNs;
    this.minorFaults += other.minorFaults;
    this.majorFaults += other.majorFaults;
    this.voluntarySwitches += other.voluntarySwitches;
    this.involuntarySwitches += other.involuntarySwitches;
    this.blocksIn += other.blocksIn;
    this.blocksOut += other.blocksOut;
    this.maxRssKib = Math.max(this.maxRssKib, other.maxRssKib);
  }
}
