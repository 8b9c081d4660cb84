// siginfo_t and queues of pending signals (kernel/signal.c: struct sigpending).

import * as S from "../abi/signal.ts";

const HIGH = 4294967296;
const WORDS = S.SIGINFO_BYTES / 4;

/** A POSIX timer: counts its overruns until its signal is taken. */
export interface TimerSource {
  dequeued(info: SigInfo): void;
  /** Its signal was dropped, because it is ignored now. */
  dropped(): void;
}

/** A siginfo_t as the guest sees it, as 32-bit words. */
export class SigInfo {
  readonly words = new Int32Array(WORDS);

  constructor(signo: number, code: number) {
    this.words[0] = signo;
    this.words[2] = code;
  }

  get signo(): number {
    return this.words[0]!;
  }
  set signo(signal: number) {
    this.words[0] = signal;
  }
  get code(): number {
    return this.words[2]!;
  }
  get pid(): number {
    return this.words[4]!;
  }
  get uid(): number {
    return this.words[5]! >>> 0;
  }
  /** si_addr without its low-order checks: the low 2^53 of it. */
  get addr(): number {
    return (this.words[4]! >>> 0) + (this.words[5]! >>> 0) * HIGH;
  }
  /** si_overrun of a timer signal. */
  set overrun(count: number) {
    this.words[5] = count;
  }
  /** The POSIX timer behind a queued signal; not part of the guest's view. */
  timer: TimerSource | null = null;

  setWide(word: number, value: number): void {
    this.words[word] = (value % HIGH) | 0;
    this.words[word + 1] = Math.floor(value / HIGH);
  }

  /** kill, tgkill, sigqueue: who sent it, and its value. */
  static from(signo: number, code: number, pid: number, uid: number, valueLo = 0, valueHi = 0): SigInfo {
    const info = new SigInfo(signo, code);
    info.words[4] = pid;
    info.words[5] = uid;
    info.words[6] = valueLo;
    info.words[7] = valueHi;
    return info;
  }

  /** A fault at `addr`. */
  static fault(signo: number, code: number, addr: number): SigInfo {
    const info = new SigInfo(signo, code);
    info.setWide(4, addr);
    return info;
  }

  /** SIGCHLD; times in clock ticks. */
  static child(code: number, pid: number, uid: number, status: number, utime: number, stime: number): SigInfo {
    const info = SigInfo.from(S.SIGCHLD, code, pid, uid, status);
    info.setWide(8, utime);
    info.setWide(10, stime);
    return info;
  }

  /** A POSIX timer's signal. */
  static timer(signo: number, id: number, valueLo: number, valueHi: number): SigInfo {
    return SigInfo.from(signo, S.SI_TIMER, id, 0, valueLo, valueHi);
  }

  /** SIGIO and its replacements: `band` are poll bits. */
  static poll(signo: number, code: number, band: number, fd: number): SigInfo {
    const info = new SigInfo(signo, code);
    info.setWide(4, band);
    info.words[6] = fd;
    return info;
  }
}

/** Bit of `signal` in the low (1..32) or high (33..64) word of a mask. */
export function signalBit(signal: number): number {
  return 1 << ((signal - 1) & 31);
}

/** Bits of several signals of the low word. */
export function signalBits(...signals: readonly number[]): number {
  let bits = 0;
  for (const signal of signals) bits |= signalBit(signal);
  return bits;
}

export function inMask(lo: number, hi: number, signal: number): boolean {
  return ((signal <= 32 ? lo : hi) & signalBit(signal)) !== 0;
}

/** Bits of the signals that an instruction raises: taken before all others. */
const SYNCHRONOUS = signalBits(S.SIGSEGV, S.SIGBUS, S.SIGILL, S.SIGTRAP, S.SIGFPE, S.SIGSYS);

/** Pending signals of a task or of a thread group. Standard signals are kept once, real-time ones in order. */
export class PendingQueue {
  lo = 0;
  hi = 0;
  private readonly lists: (SigInfo[] | undefined)[] = [];
  /** Number of queued siginfos. */
  count = 0;

  has(signal: number): boolean {
    return inMask(this.lo, this.hi, signal);
  }

  add(info: SigInfo): void {
    const signal = info.signo;
    this.mark(signal);
    const list = this.lists[signal];
    if (list === undefined) this.lists[signal] = [info];
    else list.push(info);
    this.count += 1;
  }

  /** Makes a signal pending without information: the queue is full. */
  mark(signal: number): void {
    if (signal <= 32) this.lo |= signalBit(signal);
    else this.hi |= signalBit(signal);
  }

  /** The next signal that is in the mask, or 0. Masks are those of signals to take. */
  next(lo: number, hi: number): number {
    const low = this.lo & lo;
    if (low !== 0) {
      const urgent = low & SYNCHRONOUS;
      return 32 - Math.clz32(lowestBit(urgent !== 0 ? urgent : low));
    }
    const high = this.hi & hi;
    return high === 0 ? 0 : 64 - Math.clz32(lowestBit(high));
  }

  /** Takes one occurrence of a pending signal. */
  take(signal: number): SigInfo {
    const list = this.lists[signal];
    const info = list?.shift();
    if (info !== undefined) this.count -= 1;
    if (list === undefined || list.length === 0) this.unmark(signal);
    return info ?? SigInfo.from(signal, S.SI_USER, 0, 0);
  }

  /** What is queued, by number. */
  all(): SigInfo[] {
    return this.lists.flatMap((list) => list ?? []);
  }

  /** Drops all occurrences of the signals in the mask. */
  flush(lo: number, hi: number): void {
    for (let signal = 1; signal <= S.NSIG; signal++) {
      if (!this.has(signal) || !inMask(lo, hi, signal)) continue;
      const list = this.lists[signal] ?? [];
      for (const info of list) info.timer?.dropped();
      this.count -= list.length;
      this.lists[signal] = undefined;
      this.unmark(signal);
    }
  }

  /** Drops the queued signal of a deleted POSIX timer. */
  removeTimer(timer: TimerSource): void {
    for (let signal = 1; signal <= S.NSIG; signal++) {
      const list = this.lists[signal];
      const at = list?.findIndex((info) => info.timer === timer) ?? -1;
      if (list === undefined || at < 0) continue;
      list.splice(at, 1);
      this.count -= 1;
      if (list.length === 0) this.unmark(signal);
    }
  }

  private unmark(signal: number): void {
    if (signal <= 32) this.lo &= ~signalBit(signal);
    else this.hi &= ~signalBit(signal);
  }
}

function lowestBit(word: number): number {
  return word & -word;
}
