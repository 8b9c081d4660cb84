// Options of a command, declared once: the parser, the usage text and the completions are made from the
// declaration. Spelling is Docker's (bundled shorts, --name=value, repeated flags). Parsing stops at the first
// word that is no option; everything from there on belongs to the guest, `--help` included.

import { EXIT_FAILED, printable, UserError } from "./user-error.ts";

export interface Option {
  /** Long name without dashes. */
  readonly name: string;
  /** One letter. */
  readonly short?: string;
  /** Placeholder of the value; absent for a switch. */
  readonly value?: string;
  readonly repeatable?: boolean;
  /** Another long name for the same. */
  readonly alias?: string;
  /** The option exists elsewhere but not here: giving it is an error that says so, and this, if it is not "". */
  readonly refused?: string;
  readonly help: string;
}

export interface Parsed {
  /** Values by long name, in order; a switch that is on has one empty string. */
  readonly values: ReadonlyMap<string, readonly string[]>;
  /** The first word that is no option, and everything behind it. */
  readonly rest: readonly string[];
}

export const HELP: Option = { name: "help", short: "h", help: "Show this text" };

const TRUE = ["true", "1", "t", "T", "TRUE", "True"];
const FALSE = ["false", "0", "f", "F", "FALSE", "False"];

/**
 * Splits `argv` into options and the rest. `mixed`: options may stand behind the first word too. Throws UserError for
 * unknown options and missing values.
 */
export function parseOptions(options: readonly Option[], argv: readonly string[], mixed = false): Parsed {
  const values = new Map<string, string[]>();
  const rest: string[] = [];
  let i = 0;
  const add = (option: Option, value: string): void => {
    const list = values.get(option.name);
    if (list === undefined) values.set(option.name, [value]);
    else if (option.repeatable) list.push(value);
    else list[0] = value;
  };
  const takeValue = (option: Option, spelled: string, attached: string | null): string => {
    if (attached !== null) return attached;
    i += 1;
    const next = argv[i];
    if (next === undefined) throw usageError(`option ${spelled} needs a value (${option.value})`);
    return next;
  };
  const set = (option: Option, spelled: string, attached: string | null): void => {
    if (option.refused !== undefined) throw refusal(option, spelled);
    if (option.value !== undefined) add(option, takeValue(option, spelled, attached));
    else if (attached === null || TRUE.includes(attached)) add(option, "");
    else if (FALSE.includes(attached)) values.delete(option.name);
    else throw usageError(`option ${spelled} is a switch and takes no value but true and false`);
  };
  for (; i < argv.length; i += 1) {
    const word = argv[i]!;
    if (word === "--") return { values, rest: [...rest, ...argv.slice(i + 1)] };
    if (!word.startsWith("-") || word === "-") {
      if (!mixed) break;
      rest.push(word);
      continue;
    }
    if (word.startsWith("--")) {
      const equals = word.indexOf("=");
      const name = equals < 0 ? word.slice(2) : word.slice(2, equals);
      const option = options.find((o) => o.name === name || o.alias === name);
      if (option === undefined) throw unknownOption(options, `--${name}`);
      set(option, `--${name}`, equals < 0 ? null : word.slice(equals + 1));
      continue;
    }
    for (let at = 1; at < word.length; at += 1) {
      const option = options.find((o) => o.short === word[at]);
      if (option === undefined) throw unknownOption(options, `-${word[at]}`);
      const attached = word.slice(at + 1);
      if (option.value === undefined && !attached.startsWith("=")) {
        set(option, `-${word[at]}`, null);
        continue;
      }
      set(option, `-${word[at]}`, attached === "" ? null : attached.replace(/^=/, ""));
      break;
    }
  }
  return { values, rest: [...rest, ...argv.slice(i)] };
}

function refusal(option: Option, spelled: string): UserError {
  return new UserError(`carrick has no option ${spelled}${option.refused === "" ? "" : `: ${option.refused}`}`);
}

/** The last value of an option, or undefined. */
export function last(parsed: Parsed, name: string): string | undefined {
  return parsed.values.get(name)?.at(-1);
}

export function all(parsed: Parsed, name: string): readonly string[] {
  return parsed.values.get(name) ?? [];
}

export function isOn(parsed: Parsed, name: string): boolean {
  return parsed.values.has(name);
}

export function usageError(message: string): UserError {
  return new UserError(message, EXIT_FAILED, "Run `carrick --help` for the commands and their options.");
}

function unknownOption(options: readonly Option[], spelled: string): UserError {
  const near = spelled.startsWith("--")
    ? nearest(
        spelled.slice(2),
        options.filter((o) => o.refused === undefined).map((o) => o.name),
      )
    : undefined;
  return usageError(`unknown option ${printable(spelled)}${near === undefined ? "" : `; did you mean --${near}?`}`);
}

/** The known word within two edits of `word`. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = 3;
  for (const candidate of known) {
    const distance = editDistance(word, candidate);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
