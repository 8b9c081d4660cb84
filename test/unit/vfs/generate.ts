// Random file operations on a few names, dense enough that they meet: links into each other, renames of what is open.

import fc from "fast-check";
import type { Operation } from "./operations.ts";

const name = fc.constantFrom("a", "b", "c");
const piece = fc.oneof(
  { weight: 8, arbitrary: name },
  { weight: 2, arbitrary: fc.constantFrom(".", "..", "", "x".repeat(256), "y".repeat(255)) },
);
const path = fc
  .tuple(
    fc.constantFrom("", "", "", "/"),
    fc.array(piece, { minLength: 1, maxLength: 4 }),
    fc.constantFrom("", "", "", "/"),
  )
  .map(([lead, pieces, end]) => lead + pieces.join("/") + end);
const slot = fc.integer({ min: 0, max: 3 });
const dir = fc.oneof({ weight: 5, arbitrary: fc.constant(-1) }, { weight: 1, arbitrary: slot });
const mode = fc.constantFrom(0o777, 0o755, 0o644, 0o600, 0o000, 0o1777, 0o2775, 0o4755, 0o6711, 0o500, 0o300);
const access = fc.constantFrom(0, 1, 2);
const openFlags = fc
  .tuple(
    access,
    fc.subarray([0o100, 0o200, 0o1000, 0o2000, 0o40000, 0o100000, 0o10000000, 0o20040000, 0o2000000, 0o1000000]),
  )
  .map(([a, bits]) => bits.reduce((all, bit) => all | bit, a));
/** Neither FIFOs nor devices: opening them is other rooms' business. */
const type = fc.constantFrom(0, 0o100000, 0o040000, 0o140000, 0o170000);
const uid = fc.constantFrom(0, 1000, 1001);
const noFollow = fc.constantFrom(0, 0, 0x100);
const id = fc.constantFrom(-1, 0, 1000, 1001);
const when = fc.constantFrom("now", "omit", "5", "100");

/** One operation of any kind. */
export const step: fc.Arbitrary<Operation> = fc.oneof(
  fc.tuple(fc.constant("user"), uid),
  fc.tuple(fc.constant("umask"), fc.constantFrom(0, 0o22, 0o77)),
  { weight: 3, arbitrary: fc.tuple(fc.constant("mkdir"), dir, path, mode) },
  { weight: 2, arbitrary: fc.tuple(fc.constant("unlink"), dir, path, fc.constantFrom(0, 0x200, 0x200)) },
  { weight: 4, arbitrary: fc.tuple(fc.constant("open"), slot, dir, path, openFlags, mode) },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constant("openat2"), slot, dir, path, openFlags, fc.constantFrom(0, 0o644), fc.nat(31)),
  },
  fc.tuple(fc.constant("close"), slot),
  fc.tuple(fc.constant("write"), slot, fc.constantFrom("hello", "xy")),
  fc.tuple(fc.constant("pread"), slot),
  fc.tuple(fc.constant("seek"), slot, fc.integer({ min: -3, max: 9 }), fc.nat(4)),
  fc.tuple(fc.constant("ftruncate"), slot, fc.integer({ min: -1, max: 20 })),
  fc.tuple(fc.constant("truncate"), path, fc.integer({ min: -1, max: 20 })),
  { weight: 2, arbitrary: fc.tuple(fc.constant("stat"), dir, path, fc.constantFrom(0, 0x100, 0x1000, 1)) },
  fc.tuple(fc.constant("readlink"), dir, fc.oneof(path, fc.constant(""))),
  { weight: 2, arbitrary: fc.tuple(fc.constant("symlink"), path, dir, path) },
  { weight: 2, arbitrary: fc.tuple(fc.constant("link"), dir, path, dir, path, fc.constantFrom(0, 0x400)) },
  { weight: 4, arbitrary: fc.tuple(fc.constant("rename"), dir, path, dir, path, fc.constantFrom(0, 0, 1, 2, 3, 8)) },
  fc.tuple(fc.constant("chmod"), dir, path, mode, noFollow),
  fc.tuple(fc.constant("fchmod"), slot, mode),
  fc.tuple(fc.constant("chown"), dir, path, id, id, noFollow),
  fc.tuple(fc.constant("access"), dir, path, fc.nat(8), fc.constantFrom(0x200, 0x300)),
  { weight: 2, arbitrary: fc.tuple(fc.constant("list"), path) },
  fc.tuple(fc.constant("chdir"), path),
  fc.tuple(fc.constant("fchdir"), slot),
  fc.tuple(fc.constant("getcwd")),
  fc.tuple(
    fc.constant("mknod"),
    dir,
    path,
    fc.tuple(type, mode).map(([t, m]) => t | m),
    fc.constant(0x105),
  ),
  fc.tuple(fc.constant("times"), dir, path, when, when, noFollow),
  fc.tuple(fc.constant("mtime"), dir, path),
  fc.tuple(
    fc.constant("setxattr"),
    path,
    fc.constantFrom("user.a", "user.", "nothing", "user.b"),
    fc.constantFrom("1", "22", ""),
    fc.nat(3),
  ),
  fc.tuple(fc.constant("getxattr"), path, fc.constantFrom("user.a", "user.b", "bad")),
  fc.tuple(fc.constant("removexattr"), path, fc.constantFrom("user.a", "user.b", "bad")),
);

export const sequence: fc.Arbitrary<Operation[]> = fc.array(step, { minLength: 1, maxLength: 120, size: "max" });
