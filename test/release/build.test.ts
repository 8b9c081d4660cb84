// What `bun run build` has left in dist/: each executable is whole, starts where it can be started here, and is the same when it is built
// again; the documents beside them say what is true.

import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { debianPackage } from "../../scripts/corpora.ts";
import { ORDER, recordStart } from "../../scripts/release/compile.ts";
import { ENTITLEMENTS } from "../../scripts/release/entitlements.ts";
import { installer, makeExecutable } from "../../scripts/release/release.ts";
import { locked, requireIntegrity } from "../../scripts/release/runtime.ts";
import { executablePath, TARGETS } from "../../scripts/release/targets.ts";
import { has, root } from "../../scripts/toolchain.ts";
import { readCodeSignature } from "../../src/host/code-signature.ts";
import { functions, later } from "../../src/host/shim.gen.ts";
import { stubWords } from "../double/mutations/stub-words.ts";
import { compile, qemu, run } from "../support/guest.ts";

setDefaultTimeout(180_000);

const dist = join(root, "dist");
const work = mkdtempSync(join(tmpdir(), "carrick-release-"));
const again = "dist/again";
afterAll(() => {
  for (const folder of [work, join(root, again)]) rmSync(folder, { recursive: true, force: true });
});

const read = (name: string): Buffer => readFileSync(join(dist, name));
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

describe("carrick-darwin-arm64", () => {
  const program = read("carrick-darwin-arm64");

  test("is signed ad hoc with the entitlements, every page of it", () => {
    const signature = readCodeSignature(program);
    expect(signature).toMatchObject({ identifier: "carrick", adHoc: true, hardenedRuntime: false, problems: [] });
    expect(signature).toMatchObject({ entitlements: [...ENTITLEMENTS].sort(), plistEntitlements: ENTITLEMENTS });
  });

  test("carries the shim, which is signed too", () => {
    const shim = read("libcarrick.dylib");
    expect(readCodeSignature(shim)).toMatchObject({ adHoc: true, problems: [] });
    expect(program.includes(shim)).toBe(true);
    expect(program.includes(read("libcarrick.so"))).toBe(false);
  });

  test("whose code at EL1 is, word by word, what the virtual machine has tried", () => {
    const words = stubWords(join(dist, "libcarrick.dylib"));
    expect(words.length).toBeGreaterThan(600);
    expect(words).toEqual(stubWords(join(dist, "linux-arm64/libcarrick.so")));
  });

  test.skipIf(!has("llvm-objdump"))("whose shim exports every function that is asked of it", () => {
    const result = run(["llvm-objdump", "--macho", "--exports-trie", "dist/libcarrick.dylib"]);
    const exported = new Set(Array.from(result.stdout.matchAll(/^0x[0-9A-F]+ +_(\w+)$/gm), (match) => match[1]!));
    expect([...Object.keys(functions), ...Object.keys(later)].filter((name) => !exported.has(name))).toEqual([]);
  });

  test("needs nothing but the system's libraries, of macOS 14 or older", () => {
    for (const file of [program, read("libcarrick.dylib")]) {
      const libraries: string[] = [];
      let minimum = 0;
      let at = 32;
      for (let n = file.readUInt32LE(16); n > 0; n -= 1) {
        const command = file.readUInt32LE(at);
        const end = at + file.readUInt32LE(at + 4);
        if (command === 0x0c)
          libraries.push(file.toString("latin1", at + file.readUInt32LE(at + 8), end).replace(/\0.*/s, ""));
        if (command === 0x32) minimum = file.readUInt32LE(at + 12);
        at = end;
      }
      expect(libraries.length).toBeGreaterThan(0);
      expect(libraries.filter((name) => !/^\/(usr\/lib|System\/Library)\//.test(name))).toEqual([]);
      expect(minimum).toBeGreaterThan(0);
      expect(minimum).toBeLessThanOrEqual(0x0e0000);
    }
  });
});

/** Static, because it runs where there is no C library for it. */
const hello = compile(join(root, "test/bench/hello/hello.c"));

describe.skipIf(qemu === null)("carrick-linux-arm64", () => {
  // Under the emulator "/" is the C library's folder, so the guest gets a folder of its own.
  const guest = join(work, "guest");
  mkdirSync(guest);
  copyFileSync(hello, join(guest, "hello"));
  const command = [qemu!, "-L", debianPackage("libc6"), join(dist, "carrick-linux-arm64")];
  const env = { TMPDIR: work };

  test("starts, and runs a program on the interpreter", () => {
    expect(run([...command, "--version"], { env })).toMatchObject({ status: 0, stdout: "carrick 0.1.0\n" });
    const result = run([...command, "run-elf", "--rootfs", guest, "--cpu", "interp", "/hello"], {
      env,
      timeoutMs: 150_000,
    });
    expect(result).toMatchObject({ status: 0, stdout: expect.stringContaining("hello"), stderr: "" });
  });

  test("has no translator, and says so", () => {
    const result = run([...command, "run-elf", "--rootfs", guest, "--cpu", "jit", "/hello"], {
      env,
      timeoutMs: 150_000,
    });
    expect(result).toMatchObject({
      status: 125,
      stderr: expect.stringContaining("the translator needs an x86-64 host"),
    });
  });
});

test("what lies in the user's folder does not configure the executable", () => {
  const folder = join(work, "hostile");
  mkdirSync(folder);
  writeFileSync(join(folder, ".env"), "CARRICK_HOME=/from-env\nHOSTILE=1\n");
  writeFileSync(join(folder, "bunfig.toml"), 'preload = ["./preload.ts"]\n');
  writeFileSync(join(folder, "preload.ts"), 'console.log("preloaded"); process.exit(9);\n');
  const result = run([join(dist, "carrick-linux-x64"), "run-elf", hello], { cwd: folder });
  expect(result).toMatchObject({ status: 0, stdout: expect.stringMatching(/^hello/) });
});

test.each(TARGETS.filter((target) => target.name !== "linux-x64"))(
  "carrick-$name is the same when it is built again",
  async (target) => {
    const out = executablePath(target).replace("dist", again);
    await makeExecutable(target, out);
    expect(readFileSync(join(root, out)).equals(read(`carrick-${target.name}`))).toBe(true);
  },
);

test("what a start uses is known to the build", async () => {
  const recorded = new Set(readFileSync(join(root, ORDER), "utf8").trimEnd().split("\n"));
  const [version, ...functions] = await recordStart();
  expect(recorded.has(version!)).toBe(true);
  expect(functions.length).toBeGreaterThan(500);
  // When it does not: bun scripts/record-start.ts
  expect(functions.filter((line) => recorded.has(line)).length / functions.length).toBeGreaterThan(0.8);
});

test("install.sh knows where it was published, or says that it does not", () => {
  const script = readFileSync(join(root, "scripts/install.sh"), "utf8");
  const published = installer(script, "https://example.org/carrick");
  expect(published).toContain(":-https://example.org/carrick/releases}");
  expect(published).toContain("curl -fsSL https://example.org/carrick/install.sh | sh");
  expect(published).not.toContain("https://carrick.example");
  for (const address of ["example.org", "https://a b", "https://$(id)", "https://x/"])
    expect(() => installer(script, address)).toThrow("CARRICK_ADDRESS is no address");
  const file = join(work, "unpublished.sh");
  writeFileSync(file, installer(script, ""));
  expect(run(["env", "-u", "CARRICK_RELEASES", "sh", file, "--prefix", join(work, "nowhere")])).toMatchObject({
    status: 1,
    stdout: "",
    stderr: "carrick: this copy of install.sh does not say where releases are; set CARRICK_RELEASES to their address\n",
  });
  expect(readdirSync(work)).not.toContain("nowhere");
});

describe("beside the executables", () => {
  test("the checksums are of all there is", () => {
    const result = run(["sha256sum", "--strict", "-c", "SHA256SUMS"], { cwd: dist });
    expect(result.stderr).toBe("");
    expect(result.status).toBe(0);
    const names = TARGETS.flatMap(({ name }) => [`carrick-${name}`, `carrick-${name}.gz`]);
    const files = [...names, "install.sh", "carrick.cdx.json", "LICENSES.txt"];
    expect(result.stdout.trim().split("\n").sort()).toEqual(files.map((name) => `${name}: OK`).sort());
  });

  test("what is compressed unpacks to what is not", () => {
    for (const { name } of TARGETS) {
      const unpacked = run(["sh", "-c", `gzip -dc dist/carrick-${name}.gz | sha256sum`]).stdout.slice(0, 64);
      expect(unpacked).toBe(sha256(read(`carrick-${name}`)));
    }
  });

  test("the list of components has what is bundled, and each part that Bun names", () => {
    const bom = JSON.parse(read("carrick.cdx.json").toString());
    expect(bom).toMatchObject({ bomFormat: "CycloneDX", specVersion: "1.5" });
    const byName = new Map<string, { version?: string; hashes?: { content: string }[]; licenses?: object[] }>(
      bom.components.map((c: { name: string }) => [c.name, c]),
    );
    const { dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    for (const [name, version] of Object.entries(dependencies)) expect(byName.get(name)).toMatchObject({ version });
    for (const { name, runtime } of TARGETS) {
      expect(byName.get(`carrick-${name}`)?.hashes?.[0]?.content).toBe(sha256(read(`carrick-${name}`)));
      const digest = Buffer.from(locked(runtime).integrity.slice(7), "base64").toString("hex");
      expect(byName.get(runtime)?.hashes?.[0]?.content).toBe(digest);
    }
    const versions = new Set([...byName.values()].map((c) => c.version));
    // Interfaces and formats that Bun speaks, and itself; all other names are of code in it.
    const spoken = ["node", "bun", "openssl", "v8", "uv", "napi", "unicode", "modules", "zig", "typescript"];
    const missing = Object.entries(process.versions).filter(([name, v]) => !spoken.includes(name) && !versions.has(v));
    expect(missing).toEqual([]);
    const refs = bom.components.map((c: { "bom-ref": string }) => c["bom-ref"]);
    expect(new Set(refs).size).toBe(refs.length);
  });

  test("the licences name every component and have the texts of what we redistribute", () => {
    const text = read("LICENSES.txt").toString();
    const bom = JSON.parse(read("carrick.cdx.json").toString());
    for (const component of bom.components) if (component.type === "library") expect(text).toContain(component.name);
    for (const title of ["GNU LESSER GENERAL PUBLIC LICENSE", "Apache License", "musl as a whole", "Pooya Parsa"]) {
      expect(text).toContain(title);
    }
  });
});

test("a runtime with another content than package-lock.json says is refused", () => {
  const { integrity } = locked("@oven/bun-linux-x64");
  expect(() => requireIntegrity(Buffer.from("something else"), integrity, "bun")).toThrow(/what npm sent has sha512-/);
  expect(() => locked("left-pad")).toThrow("package-lock.json does not pin left-pad");
});

test.skipIf(!has("curl"))("install.sh installs this very release", async () => {
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => new Response(Bun.file(join(dist, new URL(request.url).pathname.replace("/latest/", "")))),
  });
  try {
    const prefix = join(work, "prefix");
    const child = Bun.spawn(["sh", join(dist, "install.sh"), "--prefix", prefix], {
      env: { ...process.env, CARRICK_RELEASES: `http://127.0.0.1:${server.port}` },
      stderr: "pipe",
    });
    expect(await new Response(child.stderr).text()).toContain(`installed carrick 0.1.0 as ${prefix}/bin/carrick`);
    expect(await child.exited).toBe(0);
    expect(readdirSync(join(prefix, "bin"))).toEqual(["carrick"]);
    expect(run([join(prefix, "bin/carrick"), "run-elf", hello]).stdout).toStartWith("hello");
  } finally {
    await server.stop(true);
  }
});
