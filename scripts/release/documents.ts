// What lies beside the executables of a release: the list of components (CycloneDX 1.5), the licences, the checksums.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../toolchain.ts";
import type { Component } from "./components.ts";

export interface Artefact {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Without a time or a random number: the same release has the same text. */
export function sbom(version: string, list: readonly Component[], artefacts: readonly Artefact[]): string {
  const component = (c: Component): object => ({
    type: "library",
    "bom-ref": c.purl ?? c.name,
    name: c.name,
    ...(c.version === "" ? {} : { version: c.version }),
    licenses: [/ (AND|OR) /.test(c.license) ? { expression: c.license } : { license: { id: c.license } }],
    ...(c.sha512 === undefined ? {} : { hashes: [{ alg: "SHA-512", content: c.sha512 }] }),
    ...(c.purl === undefined ? {} : { purl: c.purl }),
    externalReferences: [{ type: "website", url: c.source }],
    ...(c.partOf === undefined ? {} : { properties: [{ name: "carrick:partOf", value: c.partOf }] }),
  });
  const file = (a: Artefact): object => ({
    type: "file",
    "bom-ref": a.name,
    name: a.name,
    version,
    hashes: [{ alg: "SHA-256", content: sha256(a.bytes) }],
  });
  const document = {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    metadata: {
      component: {
        type: "application",
        "bom-ref": "carrick",
        name: "carrick",
        version,
        licenses: [{ license: { id: "Apache-2.0" } }],
      },
    },
    components: [...artefacts.map(file), ...list.map(component)],
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Who wrote what is inside, and under which terms. */
export function licenses(list: readonly Component[]): string {
  const lines = list.map((c) => `${[c.name, c.version].join(" ").trim()}: ${c.license}\n    ${c.source}`);
  const text = (title: string, path: string): string =>
    `${"=".repeat(78)}\n${title}\n${"=".repeat(78)}\n\n${readFileSync(join(root, path), "utf8").trim()}\n\n`;
  const texts = list.filter((c) => c.text !== undefined).map((c) => text(c.name, c.text!));
  return `carrick is licensed under the Apache License 2.0. Its executables contain Bun, and what Bun contains: JavaScriptCore among it, under
the LGPL 2.1. carrick's sources, its build scripts and the sources named here are all that is needed to make an executable with a
changed JavaScriptCore: build Bun with it, and give it to carrick's build.

${lines.join("\n")}

${text("carrick", "LICENSE")}${texts.join("")}${text("GNU Lesser General Public License 2.1 (JavaScriptCore, tinycc)", "licenses/LGPL-2.1.txt")}`;
}

/** As sha256sum writes and checks it. */
export function checksums(artefacts: readonly Artefact[]): string {
  return artefacts.map((a) => `${sha256(a.bytes)}  ${a.name}\n`).join("");
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
