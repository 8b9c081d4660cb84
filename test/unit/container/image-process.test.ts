// What runs: the user's wishes over the image's, as Docker lays them.

import { expect, test } from "bun:test";
import { imageProcess } from "../../../src/container/image-process.ts";
import type { RunRequest } from "../../../src/container/run-request.ts";
import { decodeImageConfig, type ImageConfig } from "../../../src/oci/image-config.ts";
import { makeImage } from "../../support/images.ts";
import { PLAIN_REQUEST } from "../../support/run-container.ts";

function config(wishes: object): ImageConfig {
  const image = makeImage({ config: wishes });
  return decodeImageConfig(image.blobs.get(image.configDigest)!, "it");
}

const run = (wishes: object, request: Partial<RunRequest> = {}) =>
  imageProcess(config(wishes), { ...PLAIN_REQUEST, ...request }, "host");

test("entrypoint and command", () => {
  const both = { Entrypoint: ["/e", "fixed"], Cmd: ["c1", "c 2"] };
  const cases: readonly (readonly [wishes: object, request: Partial<RunRequest>, argv: readonly string[]])[] = [
    [both, {}, ["/e", "fixed", "c1", "c 2"]],
    [both, { command: ["x"] }, ["/e", "fixed", "x"]],
    [both, { entrypoint: ["/n"] }, ["/n"]],
    [both, { entrypoint: ["/n"], command: ["x", "y"] }, ["/n", "x", "y"]],
    [both, { entrypoint: [], command: ["x"] }, ["x"]],
    [both, { entrypoint: [] }, []],
    [{ Cmd: ["sh"] }, {}, ["sh"]],
    [{ Cmd: ["sh"] }, { command: ["ls"] }, ["ls"]],
    [{ Entrypoint: ["/e"] }, {}, ["/e"]],
    [{ Entrypoint: [], Cmd: [] }, {}, []],
    [{}, {}, []],
  ];
  for (const [wishes, request, argv] of cases) expect(run(wishes, request).argv).toEqual([...argv]);
});

test("environment: Docker's own, the user's, the image's, in its order", () => {
  const wishes = { Env: ["PATH=/image", "A=image", "B=b=c", "GONE=1"] };
  expect(run(wishes, { env: ["A=user", "A=last", "GONE", "NEW="] }).env).toEqual([
    "PATH=/image",
    "HOSTNAME=host",
    "A=last",
    "NEW=",
    "B=b=c",
  ]);
  expect(run({}, { tty: true }).env).toEqual([
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOSTNAME=host",
    "TERM=xterm",
  ]);
  expect(run({ Env: ["=x", "", "TERM=vt100"] }, { tty: true }).env).toContain("TERM=vt100");
});

test("user, directory and volumes", () => {
  const wishes = { User: "app:extra", WorkingDir: "w/../x//y/", Volumes: { "/data": {}, "../../etc": {} } };
  expect(run(wishes)).toMatchObject({ user: "app:extra", cwd: "/x/y", volumes: ["/data", "/etc"] });
  expect(run(wishes, { user: "0", workdir: "/z", volumes: ["/v"] })).toMatchObject({
    user: "0",
    cwd: "/z",
    volumes: ["/data", "/etc", "/v"],
  });
  expect(run({})).toMatchObject({ user: "", cwd: "/", volumes: [] });
});
