// What has gone wrong in other programs that read images, by the names that it was given, tried on carrick. Those with tests elsewhere:
//   CVE-2017-14992 (bombs), CVE-2023-25153 (documents without end), CVE-2021-41190 (two readings of one document), CVE-2024-3727 (digests
//   as paths): store, archives, registry and the decoders' tests; CVE-2020-15157 (credentials for others): registry;
//   CVE-2021-30465, CVE-2018-15664 (links swapped under a mount): container ("no way leads out of a bind mount");
//   CVE-2022-23648 (volumes), CVE-2024-21626 (working directories in /proc/self/fd), CVE-2022-36109 (groups): odd-containers;
//   CVE-2024-40635 (users beyond 31 bits): odd-containers.

import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { debianPackage } from "../../scripts/corpora.ts";
import { LayerError } from "../../src/oci/layer-error.ts";
import type { StoredLayer } from "../../src/oci/store.ts";
import { image, storeLayer } from "../support/open-images.ts";
import { containerRun } from "../support/run-container.ts";
import { type Member, tarOf } from "../support/tar-writer.ts";

setDefaultTimeout(60_000);

const work = mkdtempSync(join(tmpdir(), "carrick-cves-"));
const victim = join(work, "victim");
afterAll(() => rmSync(work, { recursive: true, force: true }));

let base: StoredLayer;
let count = 0;

beforeAll(() => {
  mkdirSync(victim);
  writeFileSync(join(victim, "f"), "the host's\n", { mode: 0o600 });
  const busybox = readFileSync(join(debianPackage("busybox-static"), "bin/busybox"));
  base = storeLayer(work, "base", tarOf([{ name: "bin/busybox", body: busybox, mode: 0o755 }]));
});

/** What a script says in an image of these layers; the victim of the host is as before. */
function run(script: string, ...layers: Member[][]): string {
  const stored = layers.map((members) => {
    count += 1;
    return storeLayer(work, `${count}`, tarOf(members));
  });
  const command = ["/bin/busybox", "sh", "-c", `exec 2>&1; cd /; ${script}; true`];
  const { stdout, stderr, status } = containerRun(image("cve", [base, ...stored]), { command });
  expect([status, stderr]).toEqual([0, ""]);
  expect([
    readdirSync(victim),
    readFileSync(join(victim, "f"), "utf8"),
    statSync(join(victim, "f")).mode & 0o777,
  ]).toEqual([["f"], "the host's\n", 0o600]);
  return stdout;
}

test("CVE-2020-27833, CVE-2025-47290: chains of links that lead above the root", () => {
  const up = `a/b/c/../../../../../../../..${victim}`;
  const members: Member[] = [
    { name: "a", type: "2", link: ".." },
    { name: "a/b", type: "2", link: "a/.." },
    { name: "a/b/c", type: "2", link: "/../../.." },
    { name: "out", type: "2", link: up },
    { name: "out/f", body: "guest's\n", mode: 0o777 },
    { name: "out/g", body: "guest's\n" },
  ];
  expect(run(`cat ${victim}/f ${victim}/g; ls ${victim}`, members)).toBe("guest's\nguest's\nf\ng\n");
});

test("CVE-2021-32760: modes and owners of what a link names", () => {
  const link = { name: "l", type: "2", link: `${victim}/f` };
  const script = "stat -c '%A %u' l; chmod 777 l; chown 5 l; cat l";
  expect(run(script, [link, { ...link, mode: 0o4777, uid: 7 }])).toContain("lrwxrwxrwx 7");
  expect(run("ls -l l", [link], [{ name: "l/", type: "5", mode: 0o777 }])).toBe("total 0\n");
});

test("CVE-2021-29136, CVE-2014-6407, CVE-2014-9356: links in the place of the root and of parents", () => {
  for (const name of [".", "./", "/", "a/.."])
    expect(() => run("true", [{ name, type: "2", link: victim }])).toThrow(LayerError);
  expect(
    run(`cat ${victim}/f; echo x >/etc/f; cat ${victim}/f`, [
      { name: "etc", type: "2", link: victim },
      { name: "etc/f", body: "in\n" },
    ]),
  ).toBe("in\nx\n");
});

test("CVE-2026-50163: hard links whose target is looked for where the reader stands, or from the host's root", () => {
  const before = process.cwd();
  process.chdir(victim);
  try {
    for (const link of ["f", "./f", `${victim}/f`, `../../../..${victim}/f`, "/proc/self/exe"])
      expect(run("ls -d /h; test -e /h && cat /h; echo end", [{ name: "h", type: "1", link }])).not.toContain("host");
  } catch (error) {
    expect(error).toBeInstanceOf(LayerError);
  } finally {
    process.chdir(before);
  }
});

test("whiteouts and opaque marks below a link, and of names above", () => {
  const lower = [{ name: "l", type: "2", link: victim }];
  expect(run("ls l | wc -l", lower, [{ name: "l/.wh.f" }, { name: "l/.wh..wh..opq" }])).toBe("0\n");
  for (const name of ["x/.wh...", "x/.wh..", "x/.wh."])
    expect(() => run("true", lower, [{ name }])).toThrow(LayerError);
});

test("CVE-2021-32803, 32804, 37701, 37712, 37713, GHSA-r6q2-hw4h-h46w: names that a disk of the host takes for the same", () => {
  const sharp = Buffer.from("stra\u00dfe").toString("latin1");
  const composed = Buffer.from("caf\u00e9").toString("latin1");
  const apart = Buffer.from("cafe\u0301").toString("latin1");
  const names = [
    "FOO",
    "foo",
    "Foo",
    sharp,
    "strasse",
    "STRASSE",
    composed,
    apart,
    "C:\\x",
    "a\\..\\..\\b",
    "//abs",
    "con",
  ];
  const members: Member[] = names.map((name, i) => ({ name: `d/${name.replace(/^\/+/, "")}`, body: `${i}` }));
  members.push({ name: "FOO2", type: "2", link: victim }, { name: "foo2/", type: "5" }, { name: "foo2/f", body: "in" });
  expect(run("ls d | wc -l; cat d/foo d/FOO; cat foo2/f; ls d | grep -c '\\\\'", members)).toBe("12\n10in2\n");
});

test("CVE-2019-5736: what runs carrick cannot be written through /proc/self/exe", () => {
  const before = statSync(process.execPath);
  const script =
    "readlink /proc/self/exe; echo x >/proc/self/exe; echo x >>/proc/1/exe; rm /bin/busybox; cat /proc/self/exe >/dev/null; echo $?";
  expect(run(`exec 2>/dev/null; ${script}`, [])).toStartWith("/bin/busybox\n");
  expect([statSync(process.execPath).mtimeMs, statSync(process.execPath).size]).toEqual([before.mtimeMs, before.size]);
});

test("CVE-2020-15257: abstract sockets of the host are not there, and a guest's are not on the host", () => {
  const listener = Bun.listen({ unix: `\0carrick-cve-${process.pid}`, socket: { data() {} } });
  try {
    expect(run(`grep -c carrick-cve /proc/net/unix; echo end`, [])).toBe("0\nend\n");
  } finally {
    listener.stop(true);
  }
});

test("devices, set-id bits and capabilities of an image are nothing on the host", () => {
  const members: Member[] = [
    { name: "dev1", type: "4", major: 8, minor: 0, mode: 0o666 },
    { name: "suid", body: "x", mode: 0o6777 },
    {
      name: "cap",
      body: "x",
      pax: { "SCHILY.xattr.security.capability": "\x01\0\0\x02\xff\xff\xff\xff\xff\xff\xff\xff" },
    },
  ];
  expect(run("stat -c %a /suid; cat /dev1", members)).toMatch(/^6777\ncat: .*\n/);
  for (const file of readdirSync(work)) expect(statSync(join(work, file)).mode & 0o7000).toBe(0);
});
