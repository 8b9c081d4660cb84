// Access control lists as Debian's acl and tar packages use them, on the files of an image and on a tmpfs: as on Linux's own tmpfs, where
// the record was made (CARRICK_RECORD=1, as root) and is made again.

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { debianPackage, debianRoot } from "../../scripts/corpora.ts";
import { must } from "../../scripts/toolchain.ts";
import type { OpenImage } from "../../src/oci/store.ts";
import { image, storeLayer } from "../support/open-images.ts";
import { containerRun } from "../support/run-container.ts";
import { tarOf } from "../support/tar-writer.ts";

const PACKAGES = ["acl", "tar", "coreutils", "dash", "sed", "findutils"];
const script = readFileSync(join(import.meta.dir, "acl.sh"), "latin1");
const answer = join(import.meta.dir, "acl.txt");
const MEMORY = "/dev/shm";
const canCompare = process.platform === "linux" && process.arch === "x64" && process.getuid?.() === 0;

const work = mkdtempSync(join(tmpdir(), "carrick-acl-"));
let debian: OpenImage;

/** mode 0660, and read and write for user 1000 */
const LIST =
  "\x02\0\0\0\x01\0\x06\0\xff\xff\xff\xff\x02\0\x06\0\xe8\x03\0\0\x04\0\0\0\xff\xff\xff\xff\x10\0\x06\0\xff\xff\xff\xff\x20\0\0\0\xff\xff\xff\xff";
/** mode 0710, and searching for user 1000 */
const SEARCH =
  "\x02\0\0\0\x01\0\x07\0\xff\xff\xff\xff\x02\0\x01\0\xe8\x03\0\0\x04\0\0\0\xff\xff\xff\xff\x10\0\x01\0\xff\xff\xff\xff\x20\0\0\0\xff\xff\xff\xff";

beforeAll(() => {
  const archive = join(work, "root.tar");
  must(["tar", "-C", debianRoot("acl", PACKAGES), "--numeric-owner", "--owner=0", "--group=0", "-cf", archive, "."]);
  const lists = tarOf([
    { name: "tmp/", type: "5", mode: 0o1777 },
    { name: "lists/", type: "5", mode: 0o710, pax: { "SCHILY.xattr.system.posix_acl_access": SEARCH } },
    { name: "lists/f", body: "text\n", mode: 0o660, pax: { "SCHILY.xattr.system.posix_acl_access": LIST } },
    { name: "lists/given/", type: "5", mode: 0o777, pax: { "SCHILY.xattr.system.posix_acl_default": LIST } },
    { name: "lists/plain", body: "plain\n", mode: 0o644 },
  ]);
  debian = image("debian", [storeLayer(work, "root", readFileSync(archive)), storeLayer(work, "lists", lists)], {
    env: ["LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
  });
}, 180_000);
afterAll(() => rmSync(work, { recursive: true, force: true }));

test.skipIf(!canCompare)("the record is what Linux does", () => {
  const folder = mkdtempSync(join(MEMORY, "carrick-acl-"));
  const path = `${debianPackage("acl", "amd64")}/bin:/usr/sbin:/usr/bin:/sbin:/bin`;
  const { stdout } = Bun.spawnSync(["sh", "-c", `chmod 755 .; ${script}`], {
    cwd: folder,
    env: { PATH: path, LC_ALL: "C" },
  });
  rmSync(folder, { recursive: true });
  if (process.env["CARRICK_RECORD"] === "1") writeFileSync(answer, stdout);
  expect(stdout.toString("latin1")).toBe(readFileSync(answer, "latin1"));
});

for (const place of ["/work", MEMORY]) {
  test(`setfacl, getfacl and tar --acls in ${place}`, () => {
    const command = ["sh", "-c", `mkdir -p ${place}/t; cd ${place}/t; ${script}`];
    expect(containerRun(debian, { command }).stdout).toBe(readFileSync(answer, "latin1"));
  });
}

test("lists that a layer brings count, whoever looks first", () => {
  const as = (user: string, command: string): string => {
    const { stdout, stderr } = containerRun(debian, { command: ["sh", "-c", `exec 2>&1; ${command}`], user });
    return stdout + stderr;
  };
  const look = "cat /lists/f /lists/plain; echo more >>/lists/f; ls /lists; stat -c %A /lists/f";
  expect(as("1000:1000", look)).toBe(
    "text\nplain\nls: cannot open directory '/lists': Permission denied\n-rw-rw----\n",
  );
  expect(as("1001:1001", `${look}; test -e /lists/plain || echo hidden`)).toBe(
    [
      ...["cat: /lists/f: Permission denied", "cat: /lists/plain: Permission denied"],
      "sh: 1: cannot create /lists/f: Permission denied",
      "ls: cannot open directory '/lists': Permission denied",
      "stat: cannot statx '/lists/f': Permission denied",
      "hidden\n",
    ].join("\n"),
  );
  expect(
    as("1000:1000", "umask 077; cd /lists/given; echo x >new; mkdir d; getfacl -n new; getfacl -n d | wc -l"),
  ).toBe(
    "# file: new\n# owner: 1000\n# group: 1000\nuser::rw-\nuser:1000:rw-\ngroup::---\nmask::rw-\nother::---\n\n14\n",
  );
  expect(as("0:0", "chmod g= /lists /lists/f; getfacl -ncp /lists/f; setfacl -b /lists; getfacl -ncp /lists")).toBe(
    "user::rw-\nuser:1000:rw-\t#effective:---\ngroup::---\nmask::---\nother::---\n\nuser::rwx\ngroup::---\nother::---\n\n",
  );
});
