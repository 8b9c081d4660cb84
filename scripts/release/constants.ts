// Numbers with names, put where they are used. JavaScript makes a variable of each constant of a module, and a start would make and
// link more than a thousand of them. The bundler inlines none of another file's.

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const LITERAL = String.raw`-?(?:0x[\da-f_]+|0o[0-7_]+|0b[01_]+|\d[\d_]*(?:\.\d+)?)`;
const NUMBER = new RegExp(String.raw`^(export )?const (\w+)(?:: number)? = (${LITERAL});$`, "gim");
const MEMBER = new RegExp(String.raw`^(\w+): (${LITERAL})$`, "i");
const OBJECT = /^(export )?const (\w+) = \{([^{}]*)\} as const;$/gm;
const IMPORT = /^import (?:\* as (\w+)|\{([^}]*)\}) from "(\.[^"]+)";$/gm;
/** As the transpiler writes several declarations. */
const REDUCED = new RegExp(String.raw`(?:^(?:export )?const |, )(\w+) = (${LITERAL})(?=[,;])`, "gim");
const LEADING = new RegExp(String.raw`^const ((?:\w+ = ${LITERAL}, )*\w+ = ${LITERAL})(;|, )`, "gim");
const COMMENT = /\/\*.*?\*\/|\/\/[^\n]*|"[^"\n]*"/gs;
/** Begins the name of what is left for files that want the name: none, or the table of system calls for a trace. */
const OWN = "exported_";

interface File {
  /** It imports nothing. */
  readonly isData: boolean;
  readonly code: string;
  /** What the file declares: numbers, and objects of numbers. */
  readonly numbers: ReadonlyMap<string, number>;
  readonly objects: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

const files = new Map<string, File>();

/** The TypeScript file `path` as JavaScript without named numbers. */
export function withoutConstants(path: string): string {
  return file(path).code;
}

function file(path: string): File {
  const known = files.get(path);
  if (known !== undefined) return known;
  const text = readFileSync(path, "utf8");
  const numbers = new Map(Array.from(text.matchAll(NUMBER), ([, , name, literal]) => [name!, numberOf(literal!)]));
  const objects = new Map(
    Array.from(text.matchAll(OBJECT)).flatMap(([, , name, body]) => {
      const members = membersOf(body!);
      return members === null ? [] : [[name!, members] as const];
    }),
  );
  const isData = !/^import /m.test(text);
  // For files that import each other.
  files.set(path, { isData, code: text, numbers, objects });
  const code = reduce(path, text, numbers, objects);
  for (const line of code.matchAll(/^(?:export )?const .*;$/gm)) {
    for (const [, name, literal] of line[0].matchAll(REDUCED)) numbers.set(name!, numberOf(literal!));
  }
  const done = { isData, code, numbers, objects };
  files.set(path, done);
  return done;
}

/** Of an object whose members are all numbers; null otherwise. */
function membersOf(body: string): ReadonlyMap<string, number> | null {
  const lines = body
    .replace(/\/\*.*?\*\/|\/\/.*$/gms, "")
    .split(",")
    .map((line) => line.trim());
  const members = lines.filter((line) => line !== "").map((line) => MEMBER.exec(line));
  if (members.some((member) => member === null)) return null;
  return new Map(members.map((member) => [member![1]!, numberOf(member![2]!)]));
}

function numberOf(literal: string): number {
  const digits = literal.replaceAll("_", "");
  return digits.startsWith("-") ? -Number(digits.slice(1)) : Number(digits);
}

function reduce(path: string, text: string, own: ReadonlyMap<string, number>, ownObjects: File["objects"]): string {
  const define: Record<string, string> = {};
  const namespaces: [string, File][] = [];
  let out = text.replace(IMPORT, (statement, namespace: string | undefined, names: string, from: string) => {
    const target = file(join(dirname(path), from));
    if (namespace !== undefined) {
      namespaces.push([namespace, target]);
      return statement;
    }
    const kept = names.split(",").filter((name) => {
      const [imported = "", local = imported] = name.trim().split(" as ");
      return imported !== "" && !defined(define, local, target, imported, text);
    });
    if (kept.length > 0) return `import {${kept.join(",")}} from "${from}";`;
    // The file is still loaded where it was, unless there are only numbers in it.
    return target.isData ? "" : `import "${from}";`;
  });
  for (const [name, target] of namespaces) {
    out = withoutMembers(out, name, target);
    const used = new RegExp(String.raw`(?<![\w.])${name}\b`).test(
      out
        .replace(IMPORT, "")
        .replace(COMMENT, "")
        .replace(/typeof \w+/g, ""),
    );
    if (target.isData && !used) out = out.replace(new RegExp(String.raw`^import \* as ${name} from .*$`, "m"), "");
  }
  out = out.replace(NUMBER, (_, isExported: string | undefined, name: string, literal: string) => {
    define[name] = String(own.get(name));
    return isExported === undefined ? "" : `const ${OWN}${name} = ${literal}; export { ${OWN}${name} as ${name} };`;
  });
  out = out.replace(OBJECT, (statement, isExported: string | undefined, name: string, body: string) => {
    const target = { isData: true, code: "", numbers: own, objects: ownObjects };
    if (!ownObjects.has(name) || !defined(define, name, target, name, text.replace(statement, ""))) return statement;
    return isExported === undefined ? "" : `const ${OWN}${name} = {${body}}; export { ${OWN}${name} as ${name} };`;
  });
  return folded(out, define);
}

/** Replaces, folds what has become constant, and replaces that. */
function folded(text: string, define: Record<string, string>): string {
  const options = { loader: "ts", target: "node", minify: { syntax: true }, inline: true, define } as const;
  const code = new Bun.Transpiler(options).transformSync(text);
  const more: Record<string, string> = {};
  const rest = code.replace(LEADING, (_, declarations: string, end: string) => {
    const kept = declarations.split(", ").filter((declaration) => {
      const [name = "", literal = ""] = declaration.split(" = ");
      if (!name.startsWith(OWN)) more[name] = literal;
      return name.startsWith(OWN);
    });
    const last = end === ";" ? ";" : ", ";
    return kept.length > 0 ? `const ${kept.join(", ")}${last}` : end === ";" ? "" : "const ";
  });
  return Object.keys(more).length === 0 ? code : folded(rest, more);
}

/** Whether all that `text` uses of `local` are numbers, which `define` then has. */
function defined(define: Record<string, string>, local: string, from: File, name: string, text: string): boolean {
  const number = from.numbers.get(name);
  if (number !== undefined) {
    define[local] = String(number);
    return true;
  }
  const members = from.objects.get(name);
  if (members === undefined) return false;
  const uses = Array.from(
    text
      .replace(IMPORT, "")
      .replace(COMMENT, "")
      .matchAll(new RegExp(String.raw`(?<![\w.])${local}\b(?:\.(\w+))?`, "g")),
  );
  if (!uses.every(([, key]) => key !== undefined && members.has(key))) return false;
  for (const [key, value] of members) define[`${local}.${key}`] = String(value);
  return true;
}

/** `text` with the numbers of a file that is imported as `name`. */
function withoutMembers(text: string, name: string, from: File): string {
  const declared = String.raw`\b(?:const|let|var|function|class) ${name}\b|\b${name} =>|\b${name}\) =>|[(,] ?${name}: `;
  if (new RegExp(declared).test(text)) return text;
  const member = new RegExp(String.raw`"(?:[^"\\\n]|\\.)*"|(?<![\w.])${name}\.(\w+)\b(?:\.(\w+)\b)?`, "g");
  return text.replace(member, (whole, key: string | undefined, inner: string | undefined) => {
    if (key === undefined) return whole;
    const number = inner === undefined ? from.numbers.get(key) : from.objects.get(key)?.get(inner);
    return number === undefined ? whole : `(${number})`;
  });
}
