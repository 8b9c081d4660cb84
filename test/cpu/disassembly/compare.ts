/**
 * When two disassemblers say the same. Space, letters' case and the base of numbers do not count, and neither does what LLVM 14 writes otherwise than the
 * Arm ARM prefers or than carrick means it, which is all listed here.
 */

/** `0x10`, `16` and `-0xfffffffffffffff0` are one number: the 64 bits, or those of a W register. */
function numbers(text: string): string {
  const bits = /^mov w/.test(text) ? 32 : 64;
  const plain = text.replace(/#(-?\d+\.\d+)/g, (_, number: string) => `#${Number(number)}`);
  return plain.replace(/(?<![\w.])(-?)(0x[0-9a-f]+|\d+)(?![\w.])/g, (_, sign: string, digits: string) =>
    String(BigInt.asUintN(bits, sign === "-" ? -BigInt(digits) : BigInt(digits))),
  );
}

/** Our text; "" when it is no instruction. */
export function normalOurs(text: string): string {
  return text.startsWith(".inst") ? "" : numbers(text);
}

/** LLVM's text of the word at `pc`; "" when it is no instruction. */
export function normalTheirs(theirs: string, pc: number): string {
  let text = theirs.toLowerCase();
  // ADR by its distance.
  text = text.replace(/^adr (\w+), #(-?\d+)$/, (_, register: string, distance: string) => {
    return `adr ${register}, ${BigInt.asUintN(64, BigInt(pc) + BigInt(distance))}`;
  });
  // BFXIL of nothing.
  text = text.replace(
    /^bfc ([wx])(\w+), #0, /,
    (_, kind: string, rest: string) => `bfxil ${kind}${rest}, ${kind}zr, #0, `,
  );
  // SXTL and UXTL are preferred aliases.
  text = text.replace(/^([su])shll(2?) (.*), #0$/, "$1xtl$2 $3");
  return PRIVILEGED.test(text) ? "" : numbers(text);
}

/**
 * Never for programs: UDF has a text here and in LLVM both, these have none here. Calls of hypervisors and monitors, debuggers' instructions, SYSL and
 * MSR to fields of PSTATE; what names no register that there could be (op0 0 and 1).
 */
const PRIVILEGED = /^(hvc|smc|hlt|dcps[123]|sysl) |^(eret|drps)$|^msr (\w+, #|s[01]_)|^mrs x\w+, s[01]_/;

/** System registers and operations that nobody has at EL0: LLVM has names for more of them, and two for those that cannot be written. */
export function sameButForNames(ours: string, theirs: string): boolean {
  const kind = /^(mrs|msr|sys)\b/.exec(ours)?.[1];
  if (kind === undefined || theirs === "") return false;
  if (kind === "sys") return /^(at|dc|ic|tlbi|cfp|cpp|dvp|sys)\b/.test(theirs);
  const numbered = /\bs[23]_\d_c\d+_c\d+_\d\b/;
  if (!numbered.test(ours) && !numbered.test(theirs)) return false;
  const general = (text: string) => /\bx(\d+|zr)\b/.exec(text)?.[0];
  return theirs.startsWith(`${kind} `) && general(ours) === general(theirs);
}

/** Null, or the difference in a line. */
export function difference(word: number, pc: number, ours: string, theirs: string): string | null {
  const a = normalOurs(ours);
  const b = normalTheirs(theirs, pc);
  if (a === b || sameButForNames(a, b)) return null;
  // They have bits that should be zero. To LLVM those may be anything; here, as to qemu, the word is then none.
  if (a === "" && /^(sb|cfinv|xaflag|axflag)$/.test(b)) return null;
  return `${word.toString(16).padStart(8, "0")}: ${ours} | ${theirs === "" ? "undefined" : theirs}`;
}
