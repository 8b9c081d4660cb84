// What may stand for IMAGE on the command line: a reference to a registry, or a place on this machine:
//   oci:DIR[:REF]   oci-archive:FILE[:REF]   docker-archive:FILE[:REF]

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { OciError } from "./oci-error.ts";
import { familiarName, formatReference, parseReference, type Reference } from "./reference.ts";

export type Transport = "oci" | "oci-archive" | "docker-archive";

export type ImageName =
  | { readonly kind: "registry"; readonly name: string; readonly ref: Reference }
  | {
      readonly kind: Transport;
      /** What the store files it under. */
      readonly name: string;
      /** Absolute. */
      readonly path: string;
      /** Which of the images there, "" for the only one. */
      readonly ref: string;
    };

const TRANSPORTS: readonly Transport[] = ["oci", "oci-archive", "docker-archive"];

export function parseImageName(text: string): ImageName {
  const kind = TRANSPORTS.find((t) => text.startsWith(`${t}:`));
  if (kind === undefined) {
    const ref = parseReference(text);
    return { kind: "registry", name: formatReference(ref), ref };
  }
  const rest = text.slice(kind.length + 1);
  if (rest === "") throw new OciError(`"${text}" does not say where the image is`);
  const { path, ref } = splitPath(rest);
  const absolute = resolve(path);
  return { kind, name: `${kind}:${absolute}${ref === "" ? "" : `:${ref}`}`, path: absolute, ref };
}

/** The longest beginning that exists and is followed by a colon or the end; else all before the first colon. */
function splitPath(rest: string): { path: string; ref: string } {
  for (let at = rest.length; at > 0; at = rest.lastIndexOf(":", at - 1)) {
    if (existsSync(rest.slice(0, at))) return { path: rest.slice(0, at), ref: rest.slice(at + 1) };
  }
  const colon = rest.indexOf(":");
  return colon < 0 ? { path: rest, ref: "" } : { path: rest.slice(0, colon), ref: rest.slice(colon + 1) };
}

/** A stored name as people write it. */
export function shownName(name: string): string {
  if (TRANSPORTS.some((t) => name.startsWith(`${t}:`))) return name;
  return familiarName(parseReference(name));
}
