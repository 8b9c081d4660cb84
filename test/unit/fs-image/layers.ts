// Random stacks of layers, as tars for carrick and as shell commands that make the same layers for overlayfs.

import fc from "fast-check";
import type { Member } from "../../support/tar-writer.ts";

export type Node =
  | { readonly kind: "file"; readonly text: string; readonly mode: number; readonly uid: number }
  | {
      readonly kind: "dir";
      readonly mode: number;
      readonly uid: number;
      readonly opaque: boolean;
      readonly names: Tree;
    }
  | { readonly kind: "link"; readonly target: string }
  | { readonly kind: "whiteout" }
  /** Another name of the file that the root's "a" is. */
  | { readonly kind: "hard" };

export type Tree = Readonly<Partial<Record<string, Node>>>;

const mode = fc.constantFrom(0o755, 0o644, 0o600, 0o4755, 0o1777, 0o700);
const uid = fc.constantFrom(0, 0, 1000, 1001);
const text = fc.constantFrom("", "one", "of the layer", "0123456789");
const target = fc.constantFrom("a", "b", "/c", "../b", "b/c", "nowhere");

const { tree } = fc.letrec<{ tree: Tree; node: Node }>((tie) => ({
  tree: fc.record({ a: tie("node"), b: tie("node"), c: tie("node") }, { requiredKeys: [] }),
  node: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    fc.record({ kind: fc.constant("file" as const), text, mode, uid }),
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant("dir" as const), mode, uid, opaque: fc.boolean(), names: tie("tree") }),
    },
    fc.record({ kind: fc.constant("link" as const), target }),
    fc.record({ kind: fc.constant("whiteout" as const) }),
    fc.record({ kind: fc.constant("hard" as const) }),
  ),
}));

/** Bottom first. */
export const layerStack: fc.Arbitrary<Tree[]> = fc.array(tree, { minLength: 1, maxLength: 3 });

/** Hard links only where nothing can hide one of their names from overlayfs, which goes on counting it. */
function usable(node: Node, top: boolean, path: string, root: Tree): Node {
  if (node.kind !== "hard") return node;
  return top && root["a"]?.kind === "file" && path !== "a"
    ? node
    : { kind: "file", text: "plain", mode: 0o644, uid: 0 };
}

function visit(layer: Tree, top: boolean, see: (path: string, node: Node) => void): void {
  const walk = (names: Tree, prefix: string): void => {
    for (const [name, node] of Object.entries(names)) {
      const path = `${prefix}${name}`;
      const real = usable(node!, top, path, layer);
      see(path, real);
      if (real.kind === "dir") walk(real.names, `${path}/`);
    }
  };
  walk(layer, "");
}

export function membersOf(layer: Tree, top: boolean): Member[] {
  const members: Member[] = [{ name: "./", type: "5" }];
  visit(layer, top, (path, node) => {
    const slash = path.lastIndexOf("/") + 1;
    const hidden = `${path.slice(0, slash)}.wh.${path.slice(slash)}`;
    if (node.kind === "file")
      members.push({ name: path, body: node.text, mode: node.mode, uid: node.uid, gid: node.uid });
    else if (node.kind === "link") members.push({ name: path, type: "2", link: node.target });
    else if (node.kind === "whiteout") members.push({ name: hidden });
    else if (node.kind === "hard") members.push({ name: path, type: "1", link: "a" });
    else {
      members.push({ name: `${path}/`, type: "5", mode: node.mode, uid: node.uid, gid: node.uid });
      if (node.opaque) members.push({ name: `${path}/.wh..wh..opq` });
    }
  });
  return members;
}

/** Whether the layers have a directory at `path` that one on top would merge with. */
function hasDirectory(layers: readonly Tree[], path: string): boolean {
  for (const layer of layers.toReversed()) {
    let names: Tree | null = layer;
    let cut = false;
    for (const part of path.split("/")) {
      const node: Node | undefined = names?.[part];
      if (node === undefined) {
        names = null;
        break;
      }
      if (node.kind !== "dir") return false;
      cut ||= node.opaque;
      names = node.names;
    }
    if (names !== null) return true;
    if (cut) return false;
  }
  return false;
}

/** Whether a directory of the layer shows what those below it have. */
function merges(layer: Tree, below: readonly Tree[], path: string): boolean {
  let names = layer;
  const parts = path.split("/");
  for (let i = 0; i < parts.length; i += 1) {
    const node = names[parts[i]!];
    if (node?.kind !== "dir" || node.opaque || !hasDirectory(below, parts.slice(0, i + 1).join("/"))) return false;
    names = node.names;
  }
  return true;
}

/** Makes the layer in the current directory. Overlayfs shows whiteouts in directories that hide nothing, so those are left out. */
export function shellOf(layer: Tree, top: boolean, below: readonly Tree[]): string {
  const lines: string[] = [];
  const late: string[] = [];
  visit(layer, top, (path, node) => {
    const parent = path.slice(0, Math.max(0, path.lastIndexOf("/")));
    if (node.kind === "file") {
      lines.push(`printf %s '${node.text}' >${path}`);
      late.push(`chown ${node.uid}:${node.uid} ${path}; chmod ${node.mode.toString(8)} ${path}`);
    } else if (node.kind === "link") lines.push(`ln -s ${node.target} ${path}`);
    else if (node.kind === "whiteout") {
      if (below.length > 0 && (parent === "" || merges(layer, below, parent))) lines.push(`mknod ${path} c 0 0`);
    } else if (node.kind === "hard") lines.push(`ln a ${path}`);
    else {
      lines.push(`mkdir ${path}`);
      if (node.opaque && below.length > 0) lines.push(`setfattr -n trusted.overlay.opaque -v y ${path}`);
      late.push(`chown ${node.uid}:${node.uid} ${path}; chmod ${node.mode.toString(8)} ${path}`);
    }
  });
  return [...lines, ...late.reverse()].join("\n");
}
