// The table of system calls: rows by number, by family. A family's rows are made, and what few programs use is loaded, when the
// first of its calls is made.

import { rows as directories } from "./directories.ts";
import { rows as ids } from "./ids.ts";
import { rows as ioctl } from "./ioctl.ts";
import { rows as limits } from "./limits.ts";
import { rows as memory } from "./memory.ts";
import { rows as misc } from "./misc.ts";
import { rows as open } from "./open.ts";
import { rows as readWrite } from "./read-write.ts";
import type { Row } from "./row.ts";
import { rows as signals } from "./signals.ts";
import { rows as stat } from "./stat.ts";
import { rows as thread } from "./thread.ts";

/** Beyond the highest number of a call. */
const CALLS = 512;
const NONE: readonly Row[] = [];

/** Rows by call number, of the families that are loaded. */
export const table: (Row | undefined)[] = new Array<Row | undefined>(CALLS).fill(undefined);

/** The row of a call; undefined for one that arm64 does not have or that carrick does not know. */
export function findRow(number: number): Row | undefined {
  const known = table[number];
  if (known !== undefined) return known;
  for (const row of family(number) ?? laterFamily(number)) table[row.number] = row;
  return table[number];
}

/** All rows in the order of their numbers. */
export function allRows(): Row[] {
  for (let number = 0; number < CALLS; number += 1) findRow(number);
  return table.filter((row) => row !== undefined);
}

/** Families of which nearly every program uses something: a line for each. */
function family(number: number): readonly Row[] | null {
  // biome-ignore format: one on a line merges better
  switch (number) {
    case 17: case 49: case 50: case 51: case 61: case 166: return directories();
    case 90: case 91: case 143: case 144: case 145: case 146: case 147: case 148: case 149: case 150: case 151: case 152: case 158: case 159: case 174: case 175: case 176: case 177: return ids();
    case 29: return ioctl();
    case 30: case 31: case 140: case 141: case 163: case 164: case 165: case 261: return limits();
    case 214: case 215: case 216: case 222: case 226: case 227: case 232: case 233: case 234: case 282: case 288: case 289: case 290: return memory();
    case 58: case 89: case 105: case 106: case 116: case 142: case 160: case 161: case 162: case 179: case 224: case 225: case 241: case 272: case 273: case 278: case 280: return misc();
    case 56: case 57: case 436: case 437: return open();
    case 62: case 63: case 64: case 65: case 66: case 67: case 68: case 69: case 70: case 286: case 287: return readWrite();
    case 128: case 129: case 130: case 131: case 132: case 133: case 134: case 135: case 136: case 137: case 138: case 139: case 240: return signals();
    case 43: case 44: case 48: case 78: case 79: case 80: case 291: case 439: return stat();
    case 93: case 94: case 96: case 99: case 100: case 172: case 173: case 178: case 293: return thread();
  }
  return null;
}

/** All other families. */
function laterFamily(number: number): readonly Row[] {
  // biome-ignore format: one on a line merges better
  switch (number) {
    case 19: case 74: case 85: case 86: case 87: return (require("./anonymous.ts") as typeof import("./anonymous.ts")).rows();
    case 45: case 46: case 47: case 52: case 53: case 54: case 55: case 88: case 452: return (require("./attributes.ts") as typeof import("./attributes.ts")).rows();
    case 20: case 21: case 22: case 441: return (require("./epoll.ts") as typeof import("./epoll.ts")).rows();
    case 221: case 281: return (require("./exec.ts") as typeof import("./exec.ts")).rows();
    case 23: case 24: case 25: return (require("./fcntl.ts") as typeof import("./fcntl.ts")).rows();
    case 98: case 449: case 454: case 455: return (require("./futex.ts") as typeof import("./futex.ts")).rows();
    case 154: case 155: case 156: case 157: case 424: case 434: case 438: return (require("./groups.ts") as typeof import("./groups.ts")).rows();
    case 26: case 27: case 28: return (require("./inotify.ts") as typeof import("./inotify.ts")).rows();
    case 0: case 1: case 2: case 3: case 4: case 292: return (require("./aio.ts") as typeof import("./aio.ts")).rows();
    case 32: return (require("./locks.ts") as typeof import("./locks.ts")).rows();
    case 235: case 236: case 237: case 238: case 239: return (require("./mempolicy.ts") as typeof import("./mempolicy.ts")).rows();
    case 279: return (require("./memfd.ts") as typeof import("./memfd.ts")).rows();
    case 228: case 229: case 230: case 231: case 284: return (require("./mlock.ts") as typeof import("./mlock.ts")).rows();
    case 39: case 40: case 41: case 60: case 262: case 264: case 265: return (require("./mounts.ts") as typeof import("./mounts.ts")).rows();
    case 180: case 181: case 182: case 183: case 184: case 185: return (require("./mq.ts") as typeof import("./mq.ts")).rows();
    case 186: case 187: case 188: case 189: return (require("./msg.ts") as typeof import("./msg.ts")).rows();
    case 190: case 191: case 192: case 193: return (require("./sem.ts") as typeof import("./sem.ts")).rows();
    case 194: case 195: case 196: case 197: return (require("./shm.ts") as typeof import("./shm.ts")).rows();
    case 33: case 34: case 35: case 36: case 37: case 38: case 276: return (require("./names.ts") as typeof import("./names.ts")).rows();
    case 59: return (require("./pipe.ts") as typeof import("./pipe.ts")).rows();
    case 72: case 73: return (require("./poll.ts") as typeof import("./poll.ts")).rows();
    case 92: case 167: return (require("./prctl.ts") as typeof import("./prctl.ts")).rows();
    case 95: case 97: case 220: case 260: case 268: case 435: return (require("./process.ts") as typeof import("./process.ts")).rows();
    case 270: case 271: case 440: return (require("./process-vm.ts") as typeof import("./process-vm.ts")).rows();
    case 118: case 119: case 120: case 121: case 122: case 123: case 124: case 125: case 126: case 127: case 168: case 274: case 275: case 283: return (require("./sched.ts") as typeof import("./sched.ts")).rows();
    case 198: case 199: case 200: case 201: case 202: case 203: case 204: case 205: case 206: case 207: case 208: case 209: case 210: case 211: case 212: case 242: case 243: case 269: return (require("./socket.ts") as typeof import("./socket.ts")).rows();
    case 277: return (require("./seccomp.ts") as typeof import("./seccomp.ts")).rows();
    case 117: return (require("./ptrace.ts") as typeof import("./ptrace.ts")).rows();
    case 81: case 82: case 83: case 84: case 267: return (require("./sync.ts") as typeof import("./sync.ts")).rows();
    case 101: case 112: case 113: case 114: case 115: case 153: case 169: case 170: case 171: case 266: return (require("./time.ts") as typeof import("./time.ts")).rows();
    case 102: case 103: case 107: case 108: case 109: case 110: case 111: return (require("./timers.ts") as typeof import("./timers.ts")).rows();
    case 71: case 75: case 76: case 77: case 213: case 223: case 285: return (require("./transfer.ts") as typeof import("./transfer.ts")).rows();
    case 5: case 6: case 7: case 8: case 9: case 10: case 11: case 12: case 13: case 14: case 15: case 16: return (require("./xattr.ts") as typeof import("./xattr.ts")).rows();
  }
  return NONE;
}
