// The tree that the file benchmark works in, as an image and as a plain directory: 10,000 files, 100 in each directory, and one file
// eight directories deep.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { layoutFiles, makeImage, named, type TarMember, tar, writeFiles } from "../../support/images.ts";

const DIRECTORIES = 100;
const FILES = 100;
const DEEP = "1/2/3/4/5/6/7/8/";

function members(): TarMember[] {
  const found: TarMember[] = [];
  const body = new Uint8Array(4096).fill(0x61);
  for (let d = 0; d < DIRECTORIES; d += 1) {
    const directory = `d${String(d).padStart(2, "0")}/`;
    found.push({ name: directory, type: "5" });
    for (let f = 0; f < FILES; f += 1) found.push({ name: `${directory}f${String(f).padStart(2, "0")}`, body });
  }
  for (let at = 2; at <= DEEP.length; at += 2) found.push({ name: DEEP.slice(0, at), type: "5" });
  return [...found, { name: `${DEEP}file`, body }];
}

/** Lays both out in `folder`: an image that runs `program` in the tree, and the tree. */
export function layOut(folder: string, program: string): { image: string; tree: string } {
  const image = join(folder, "image");
  const tree = join(folder, "tree");
  const inTree = members();
  for (const { name, body, type } of inTree) {
    if (type === "5") mkdirSync(join(tree, name), { recursive: true });
    else writeFileSync(join(tree, name), body!);
  }
  const layer = tar([
    { name: "files", body: readFileSync(program), mode: 0o755 },
    { name: "tree/", type: "5" },
    ...inTree.map((member) => ({ ...member, name: `tree/${member.name}` })),
  ]);
  const config = { Cmd: ["/files"], WorkingDir: "/tree" };
  writeFiles(image, layoutFiles([named(makeImage({ layers: [layer], config, compression: "none" }), "bench")]));
  return { image: `oci:${image}`, tree };
}
