// Attributes as the host answers them: struct statx (include/uapi/linux/stat.h), the same on every host.

import { ENAMETOOLONG } from "../abi/errno.ts";
import { EMPTY, nativeString } from "./native-strings.ts";
import { pointerOf, shim } from "./shim.ts";

/** Sizes in bytes, times as seconds plus nanoseconds since the epoch, devices as Linux encodes them in 32 bits. */
export interface HostStat {
  dev: number;
  ino: number;
  mode: number;
  nlink: number;
  uid: number;
  gid: number;
  rdev: number;
  size: number;
  blksize: number;
  /** In units of 512 bytes. */
  blocks: number;
  atimeSec: number;
  atimeNsec: number;
  mtimeSec: number;
  mtimeNsec: number;
  ctimeSec: number;
  ctimeNsec: number;
  btimeSec: number;
  btimeNsec: number;
}

const HIGH = 4294967296;
const memory = new ArrayBuffer(256);
const view = new DataView(memory);
const out = pointerOf(new Uint8Array(memory));

function unsigned(offset: number): number {
  return view.getUint32(offset, true) + view.getUint32(offset + 4, true) * HIGH;
}

function signed(offset: number): number {
  return view.getUint32(offset, true) + view.getInt32(offset + 4, true) * HIGH;
}

/**
 * An inode number as a Number. Some file systems use all 64 bits (overlayfs puts the layer into the top ones): those are
 * folded into 53 bits so that neighbours stay different.
 */
export function foldInode(low: number, high: number): number {
  if (high < 0x200000) return low + high * HIGH;
  return low + (((high ^ ((high >>> 21) * 0x1357)) & 0x1fffff) >>> 0) * HIGH;
}

function inodeNumber(offset: number): number {
  return foldInode(view.getUint32(offset, true), view.getUint32(offset + 4, true));
}

/** new_encode_dev() of include/linux/kdev_t.h. */
function device(offset: number): number {
  const major = view.getUint32(offset, true);
  const minor = view.getUint32(offset + 4, true);
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

/** The part of the answer that tells one file from another, valid until the next look. */
export const seen = {
  get mode(): number {
    return view.getUint16(28, true);
  },
  get uid(): number {
    return view.getUint32(20, true);
  },
  get gid(): number {
    return view.getUint32(24, true);
  },
  get ino(): number {
    return inodeNumber(32);
  },
  get size(): number {
    return unsigned(40);
  },
  get dev(): number {
    return device(136);
  },
  get rdev(): number {
    return device(128);
  },
  get nlink(): number {
    return view.getUint32(16, true);
  },
  /** Birth time, 0 when the host does not know it: an inode number that is used again has another one. */
  get born(): number {
    return signed(80) * 1e9 + view.getUint32(88, true);
  },
  /** Changes whenever the content may have changed. */
  get mtime(): number {
    return signed(112) * 1e9 + view.getUint32(120, true);
  },
  get ctime(): number {
    return signed(96) * 1e9 + view.getUint32(104, true);
  },
};

let looks = 0;

/** Counts the looks, so that a user of `seen` can tell whether it is still the answer he knows. */
export function lookNumber(): number {
  return looks;
}

/** Looks at `name` in a directory, without following a link; the answer is in `seen`. 0 or -errno. */
export function look(dirFd: number, name: string): number {
  looks += 1;
  const ptr = nativeString(name);
  return ptr === 0 ? -ENAMETOOLONG : shim.host_stat(dirFd, ptr, out);
}

/** Looks at what a descriptor refers to. */
export function lookAt(fd: number): number {
  looks += 1;
  return shim.host_stat(fd, EMPTY, out);
}

/** All of the last answer, as an object of its own. */
export function seenStat(): HostStat {
  return {
    dev: device(136),
    ino: inodeNumber(32),
    mode: view.getUint16(28, true),
    nlink: view.getUint32(16, true),
    uid: view.getUint32(20, true),
    gid: view.getUint32(24, true),
    rdev: device(128),
    size: unsigned(40),
    blksize: view.getUint32(4, true),
    blocks: unsigned(48),
    atimeSec: signed(64),
    atimeNsec: view.getUint32(72, true),
    mtimeSec: signed(112),
    mtimeNsec: view.getUint32(120, true),
    ctimeSec: signed(96),
    ctimeNsec: view.getUint32(104, true),
    btimeSec: signed(80),
    btimeNsec: view.getUint32(88, true),
  };
}
