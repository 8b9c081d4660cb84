// The device numbers of the memory devices; what the devices do is loaded when one is opened.

import { registerCharacterDevice } from "../../vfs/devices.ts";

const MEM_MAJOR = 1;
/** null, zero, full, random, urandom, kmsg. */
const MINORS = [3, 5, 7, 8, 9, 11];

/** What fills the random devices. */
export interface RandomBytes {
  fill(bytes: Uint8Array): void;
}

/** Kept, because `require` takes 2 us however often it is asked. */
let devices: typeof import("./memory-devices.ts") | undefined;

export function registerMemoryDevices(random: RandomBytes): void {
  for (const minor of MINORS) {
    registerCharacterDevice(MEM_MAJOR, minor, (inode, flags) => {
      devices ??= require("./memory-devices.ts") as typeof import("./memory-devices.ts");
      return devices.openMemoryDevice(minor, inode, flags, random);
    });
  }
}
