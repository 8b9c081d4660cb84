// Image references: the distribution project's grammar and Docker's way of filling it in.

import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseImageName } from "../../../src/oci/image-name.ts";
import { OciError } from "../../../src/oci/oci-error.ts";
import { DEFAULT_REGISTRY, familiarName, formatReference, parseReference } from "../../../src/oci/reference.ts";

const HEX = "0123456789abcdef".repeat(4);
const D = DEFAULT_REGISTRY.name;

test("names are completed as Docker completes them", () => {
  const expected: readonly (readonly [typed: string, complete: string, familiar: string])[] = [
    ["alpine", `${D}/library/alpine:latest`, "alpine:latest"],
    ["alpine:3.20", `${D}/library/alpine:3.20`, "alpine:3.20"],
    ["library/alpine", `${D}/library/alpine:latest`, "alpine:latest"],
    ["user/app", `${D}/user/app:latest`, "user/app:latest"],
    [`${D}/alpine`, `${D}/library/alpine:latest`, "alpine:latest"],
    [`${DEFAULT_REGISTRY.alias}/user/app`, `${D}/user/app:latest`, "user/app:latest"],
    ["library/a/b", `${D}/library/a/b:latest`, "library/a/b:latest"],
    ["localhost/a", "localhost/a:latest", "localhost/a:latest"],
    ["localhost:5000/a/b/c:v1", "localhost:5000/a/b/c:v1", "localhost:5000/a/b/c:v1"],
    ["reg.example/a", "reg.example/a:latest", "reg.example/a:latest"],
    ["REG/a", "REG/a:latest", "REG/a:latest"],
    ["127.0.0.1:5000/a", "127.0.0.1:5000/a:latest", "127.0.0.1:5000/a:latest"],
    ["[::1]:5000/a", "[::1]:5000/a:latest", "[::1]:5000/a:latest"],
    [`a@sha256:${HEX}`, `${D}/library/a@sha256:${HEX}`, `a@sha256:${HEX}`],
    [`r.example:1/a:t@sha256:${HEX}`, `r.example:1/a:t@sha256:${HEX}`, `r.example:1/a:t@sha256:${HEX}`],
    [`a@sha512:${HEX}${HEX}`, `${D}/library/a@sha512:${HEX}${HEX}`, `a@sha512:${HEX}${HEX}`],
    ["a__b/c-d/e--f/g.h:T_1.2-x", `${D}/a__b/c-d/e--f/g.h:T_1.2-x`, "a__b/c-d/e--f/g.h:T_1.2-x"],
    [`a:${"t".repeat(128)}`, `${D}/library/a:${"t".repeat(128)}`, `a:${"t".repeat(128)}`],
  ];
  for (const [typed, complete, familiar] of expected) {
    const ref = parseReference(typed);
    expect(formatReference(ref)).toBe(complete);
    expect(familiarName(ref)).toBe(familiar);
  }
});

test("what is no name is refused with a reason", () => {
  const wrong: readonly (readonly [typed: string, why: RegExp])[] = [
    ["", /empty/],
    ["Alpine", /lower case/],
    ["user/App", /lower case/],
    ["a:", /tag/],
    ["a:.t", /tag/],
    [`a:${"t".repeat(129)}`, /tag/],
    ["a b", /wrong place/],
    ["a//b", /wrong place/],
    ["/a", /not a host|wrong place/],
    ["a/", /wrong place/],
    ["a_", /wrong place/],
    ["a___b", /wrong place/],
    ["a..b", /wrong place/],
    ["-a", /wrong place/],
    ["a@", /digest/],
    ["a@sha256:123", /digest/],
    [`a@sha256:${HEX.toUpperCase()}`, /digest/],
    [`a@md5:${"0".repeat(32)}`, /digest/],
    [HEX, /hexadecimal/],
    ["-x.example/a", /not a host/],
    ["a.example:port/a", /not a host/],
    ["a.example:65536/a", /port/],
    ["http://a.example/b", /wrong place|not a host/],
    [`${"a".repeat(256)}`, /characters/],
    ["a".repeat(2000), /too long/],
    ["../../etc/passwd", /not a host|wrong place/],
    ["a\u001b[31mb", /wrong place/],
    ["a\u0000b", /wrong place/],
  ];
  for (const [typed, why] of wrong) {
    expect(() => parseReference(typed)).toThrow(OciError);
    expect(() => parseReference(typed)).toThrow(why);
  }
});

const component = fc.stringMatching(/^[a-z0-9]+((\.|_|__|-{1,3})[a-z0-9]+){0,2}$/);
const host = fc.oneof(
  fc.constant("localhost"),
  fc.stringMatching(/^[a-z0-9]+(-[a-z0-9]+)?\.[a-zA-Z0-9]+(:[1-9][0-9]{0,3})?$/),
  fc.stringMatching(/^[a-z]+:[1-9][0-9]{0,3}$/),
);
const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}$/);

test("every name of the grammar survives parsing and printing", () => {
  fc.assert(
    fc.property(host, fc.array(component, { minLength: 1, maxLength: 4 }), tag, fc.boolean(), (h, path, t, digest) => {
      const text = `${h}/${path.join("/")}:${t}${digest ? `@sha256:${HEX}` : ""}`;
      const ref = parseReference(text);
      expect(ref.registry).toBe(h === DEFAULT_REGISTRY.alias ? D : h);
      expect(ref.repository).toBe(path.join("/"));
      expect(formatReference(ref)).toBe(text);
      expect(parseReference(familiarName(ref))).toEqual(ref);
    }),
    { numRuns: 500 },
  );
});

test("any text is a name or an OciError, and a name is stable", () => {
  const pieces = fc.constantFrom(
    "a",
    "B",
    "0",
    "/",
    ":",
    "@",
    ".",
    "_",
    "-",
    "sha256:",
    HEX,
    "\u0000",
    "é",
    " ",
    "[",
    "]",
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(text, (t) => {
      try {
        const ref = parseReference(t);
        expect(parseReference(formatReference(ref))).toEqual(ref);
        // Nothing that could lead out of a URL's path or a folder.
        expect(ref.repository).toMatch(/^[a-z0-9._/-]+$/);
        expect(ref.repository.split("/")).not.toContain("..");
      } catch (error) {
        expect(error).toBeInstanceOf(OciError);
      }
    }),
    { numRuns: 3000 },
  );
});

test("places on this machine", () => {
  expect(parseImageName("oci:/x/y:tag")).toMatchObject({ kind: "oci", path: "/x/y", ref: "tag" });
  expect(parseImageName("oci-archive:/x/y.tar")).toMatchObject({ kind: "oci-archive", path: "/x/y.tar", ref: "" });
  expect(parseImageName("docker-archive:/x/y.tar:a/b:c")).toMatchObject({ path: "/x/y.tar", ref: "a/b:c" });
  expect(() => parseImageName("oci:")).toThrow(/where the image is/);
});
