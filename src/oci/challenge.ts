// WWW-Authenticate (RFC 9110 11.6.1): one header may carry several challenges, each a scheme with parameters.

export interface Challenge {
  /** In lower case. */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const PARAMETER = /[ \t]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s",]*))/y;
const SEPARATOR = /[ \t,]*/y;
const MAX_HEADER = 16384;

/** The challenges in order. What cannot be read ends the list. */
export function parseChallenges(header: string): Challenge[] {
  const found: Challenge[] = [];
  const text = header.slice(0, MAX_HEADER);
  let at = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const result = pattern.exec(text);
    if (result !== null) at = pattern.lastIndex;
    return result;
  };
  for (;;) {
    match(SEPARATOR);
    const scheme = match(TOKEN);
    if (scheme === null) return found;
    const parameters = new Map<string, string>();
    for (;;) {
      const before = at;
      match(SEPARATOR);
      const parameter = match(PARAMETER);
      if (parameter === null) {
        at = before;
        break;
      }
      const value = parameter[2] === undefined ? parameter[3]! : parameter[2].replace(/\\(.)/g, "$1");
      parameters.set(parameter[1]!.toLowerCase(), value);
    }
    found.push({ scheme: scheme[0].toLowerCase(), parameters });
  }
}
