// Rights after execve(2), case by case as capabilities(7) has them.

import { expect, test } from "bun:test";
import { SECBIT_NOROOT } from "../../../src/abi/capability.ts";
import { EPERM } from "../../../src/abi/errno.ts";
import { ALL_CAPS, type CapSet, NO_CAPS, userCredentials } from "../../../src/kernel/credentials.ts";
import { credentialsAfterExec } from "../../../src/kernel/credentials-exec.ts";
import type { Credentials } from "../../../src/vfs/credentials.ts";
import type { File } from "../../../src/vfs/file.ts";

function file(
  mode: number,
  uid = 0,
  gid = 0,
  caps?: { permitted: number; effective: boolean; inheritable?: number },
): File {
  const value = new Uint32Array([
    0x02000000 | Number(caps?.effective),
    caps?.permitted ?? 0,
    caps?.inheritable ?? 0,
    0,
    0,
  ]);
  return {
    stat: () => ({ mode: 0o100000 | mode, uid, gid }),
    inode: { getXattr: () => (caps === undefined ? -61 : new Uint8Array(value.buffer)) },
  } as unknown as File;
}

const after = (cred: Credentials, program: File, trusted = true): Credentials & { secure: boolean } => {
  const result = credentialsAfterExec(cred, program, trusted);
  if (typeof result === "number") throw new Error(`${result}`);
  return { ...result.cred, secure: result.secure };
};
const SOME: CapSet = [0x400, 0];
const user = userCredentials(1000, 1000, [], SOME);

test("root has what its bounding set leaves, others nothing", () => {
  const root = userCredentials(0, 0, [], SOME);
  expect(after({ ...root, capPermitted: NO_CAPS, capEffective: NO_CAPS }, file(0o755))).toMatchObject({
    capEffective: SOME,
    secure: false,
  });
  expect(after({ ...root, securebits: SECBIT_NOROOT }, file(0o755)).capEffective).toEqual(NO_CAPS);
  const kept = { ...userCredentials(1000, 1000), capPermitted: ALL_CAPS, capEffective: ALL_CAPS };
  expect(after(kept, file(0o755))).toMatchObject({ capPermitted: NO_CAPS, capEffective: NO_CAPS });
  expect(after({ ...kept, capAmbient: SOME }, file(0o755))).toMatchObject({
    capPermitted: SOME,
    capEffective: SOME,
    secure: false,
  });
});

test("set-user-ID and set-group-ID, unless the place is not trusted", () => {
  const suid = after(user, file(0o4755, 0, 0));
  expect(suid).toMatchObject({
    uid: 1000,
    euid: 0,
    suid: 0,
    fsuid: 0,
    gid: 1000,
    egid: 1000,
    capEffective: SOME,
    secure: true,
  });
  expect(after(user, file(0o2755, 0, 50))).toMatchObject({
    euid: 1000,
    egid: 50,
    sgid: 50,
    capEffective: NO_CAPS,
    secure: true,
  });
  expect(after(user, file(0o2745, 0, 50))).toMatchObject({ egid: 1000, secure: false });
  expect(after(user, file(0o6755, 0, 0), false)).toMatchObject({ euid: 1000, egid: 1000, secure: false });
});

test("capabilities of the file, within the bounding set", () => {
  expect(after(user, file(0o755, 0, 0, { permitted: 0x400, effective: true }))).toMatchObject({
    euid: 1000,
    capEffective: SOME,
    capPermitted: SOME,
    secure: true,
  });
  expect(after(user, file(0o755, 0, 0, { permitted: 0x400, effective: false }))).toMatchObject({
    capEffective: NO_CAPS,
    capPermitted: SOME,
    secure: true,
  });
  expect(after(user, file(0o755, 0, 0, { permitted: 0x400, effective: true }), false)).toMatchObject({
    capPermitted: NO_CAPS,
    secure: false,
  });
  expect(credentialsAfterExec(user, file(0o755, 0, 0, { permitted: 0xc00, effective: true }), true)).toBe(-EPERM);
  const heir = { ...user, capInheritable: SOME, capAmbient: SOME };
  expect(after(heir, file(0o755, 0, 0, { permitted: 0, inheritable: 0x400, effective: false }))).toMatchObject({
    capPermitted: SOME,
    capAmbient: NO_CAPS,
  });
  expect(after(user, file(0o4755, 0, 0, { permitted: 0x400, effective: true }))).toMatchObject({
    euid: 0,
    capEffective: SOME,
  });
});
