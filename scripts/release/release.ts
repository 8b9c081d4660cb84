// Everything that a release has, from one Linux machine, in dist/: an executable for each target (Apple's signed), each of them compressed too,
// install.sh, the list of components, the licences, the checksums. The same sources make the same bytes.

import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { must, root, zig } from "../toolchain.ts";
import { compileCarrick, METAFILE } from "./compile.ts";
import { bundledPackages, components } from "./components.ts";
import { type Artefact, checksums, licenses, sbom } from "./documents.ts";
import { ENTITLEMENTS } from "./entitlements.ts";
import { runtime } from "./runtime.ts";
import { signFile } from "./sign.ts";
import { executablePath, HOST, TARGETS, type Target } from "./targets.ts";

/** After the build for this machine. */
export async function release(): Promise<void> {
  const others = TARGETS.filter((target) => target !== HOST);
  must([zig, "build", ...others.map((target) => target.shim), "-Doptimize=ReleaseFast"]);
  for (const target of others) await makeExecutable(target);
  const executables = TARGETS.map((target) => artefact(executablePath(target)));
  const packed = await Promise.all(executables.map(compressed));
  write(
    "install.sh",
    installer(readFileSync(join(root, "scripts/install.sh"), "utf8"), process.env["CARRICK_ADDRESS"] ?? ""),
  );
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const inputs = JSON.parse(readFileSync(join(root, METAFILE), "utf8")).inputs;
  const list = components(bundledPackages(Object.keys(inputs)));
  write("carrick.cdx.json", sbom(version, list, executables));
  write("LICENSES.txt", licenses(list));
  const beside = ["dist/install.sh", "dist/carrick.cdx.json", "dist/LICENSES.txt"].map(artefact);
  write("SHA256SUMS", checksums([...executables, ...packed, ...beside]));
}

/** `out`: where, instead of its place in dist/. */
export async function makeExecutable(target: Target, out = executablePath(target)): Promise<void> {
  await compileCarrick(target, runtime(target.runtime), out);
  if (!target.signed) return;
  const path = join(root, out);
  signFile(path, readFileSync(path), { identifier: "carrick", entitlements: ENTITLEMENTS });
}

/** Stands for the address in scripts/install.sh. */
const NO_ADDRESS = "https://carrick.example";

/** install.sh for a release that will lie below `address`/releases. Without one it asks its user for it. */
export function installer(script: string, address: string): string {
  if (address === "") {
    console.error("install.sh does not know where it will be published: CARRICK_ADDRESS is not set");
    return script;
  }
  if (!/^https?:\/\/[\w.:/~-]+[\w~-]$/.test(address)) throw new Error(`CARRICK_ADDRESS is no address: ${address}`);
  return script.replaceAll(NO_ADDRESS, address);
}

function artefact(path: string): Artefact {
  return { name: basename(path), bytes: readFileSync(join(root, path)) };
}

/** Half the size or less to download. zlib writes no name and no time unless told to. */
async function compressed({ name, bytes }: Artefact): Promise<Artefact> {
  const packed = { name: `${name}.gz`, bytes: await promisify(gzip)(bytes) };
  writeFileSync(join(root, "dist", packed.name), packed.bytes);
  return packed;
}

function write(name: string, text: string): void {
  writeFileSync(join(root, "dist", name), text);
}
