// What a virtual CPU of the Hypervisor.framework engine has to begin with, field by field by the names of the Arm Architecture Reference Manual (D19, "AArch64
// System register descriptions"; D8, "VMSAv8-64 translation table format descriptors"), and why. Written from the manual and from what Linux gives programs,
// not from shim/cpu/hvf/registers.zig: the stand-in tells what it was given (HVKVM_RECORD), and each of the 64 bits must be what is said here. Many a bit
// shows in what programs can do as well (shim/cpu/hvf/check.zig); some change nothing that an emulated CPU could show, and are held by this alone.

/** A field is the bits high..low; a value of null is another test's business: an address of guest memory. */
type Field = readonly [high: number, low: number, name: string, value: bigint | null, why: string];

/** What the machine was found to be. */
export interface Machine {
  readonly ipaBits: number;
  readonly asidBits: number;
  readonly isMmuByStub: boolean;
}

const NO = 0n;
const rest = (high: number, low: number, why = "reserved, or of an extension that programs are not shown"): Field => [
  high,
  low,
  `${high}..${low}`,
  NO,
  why,
];

const sctlr = (m: Machine): readonly Field[] => [
  [0, 0, "M", m.isMmuByStub ? NO : 1n, "translation is on, or the stub turns it on"],
  [1, 1, "A", NO, "programs may access memory unaligned"],
  [2, 2, "C", 1n, "data is cached: exclusives need it"],
  [3, 3, "SA", 1n, "a misaligned stack of EL1 is a fault of the stub's and shows"],
  [4, 4, "SA0", 1n, "a misaligned stack of a program is SIGBUS"],
  rest(6, 5, "CP15BEN, nAA: of AArch32, and of accesses that programs make aligned"),
  [7, 7, "ITD", 1n, "RES1 without AArch32"],
  [8, 8, "SED", 1n, "RES1 without AArch32"],
  [9, 9, "UMA", NO, "programs do not mask interrupts"],
  [10, 10, "EnRCTX", NO, "prediction restrictions are not shown to programs"],
  [11, 11, "EOS", 1n, "RES1: an exception return synchronises"],
  [12, 12, "I", 1n, "instructions are cached"],
  [13, 13, "EnDB", NO, "pointers are not signed"],
  [14, 14, "DZE", 1n, "programs zero lines, as on Linux"],
  [15, 15, "UCT", 1n, "programs read CTR_EL0, as on Linux"],
  [16, 16, "nTWI", NO, "wfi traps: the CPU is somebody else's meanwhile"],
  rest(17, 17),
  [18, 18, "nTWE", NO, "wfe traps, for the same reason"],
  [19, 19, "WXN", NO, "what is writable may be executable"],
  [20, 20, "TSCXT", 1n, "RES1, or SCXTNUM_EL0 traps: nobody saves it"],
  [21, 21, "IESB", NO, "no error barriers"],
  [22, 22, "EIS", 1n, "RES1: an exception synchronises"],
  [23, 23, "SPAN", 1n, "an exception leaves PSTATE.PAN alone"],
  [24, 24, "E0E", NO, "programs are little-endian"],
  [25, 25, "EE", NO, "so are EL1 and the tables"],
  [26, 26, "UCI", 1n, "programs maintain caches, as on Linux"],
  [27, 27, "EnDA", NO, "pointers are not signed"],
  [28, 28, "nTLSMD", 1n, "RES1 without AArch32"],
  [29, 29, "LSMAOE", 1n, "RES1 without AArch32"],
  [30, 30, "EnIB", NO, "pointers are not signed"],
  [31, 31, "EnIA", NO, "pointers are not signed"],
  rest(63, 32, "CMOW, MSCEn, BT, TCF, ATA, TWED, TME, EPAN, EnTP2, NMI: extensions that programs are not shown"),
];

const SIZES: readonly (readonly [bits: number, code: bigint])[] = [
  [32, 0n],
  [36, 1n],
  [40, 2n],
  [42, 3n],
  [44, 4n],
  [48, 5n],
];

const tcr = (m: Machine): readonly Field[] => [
  [5, 0, "T0SZ", 64n - 48n, "programs have addresses of 48 bits"],
  rest(6, 6),
  [7, 7, "EPD0", NO, "programs' half is walked"],
  [9, 8, "IRGN0", 1n, "walks see what the kernel wrote into its cache: write-back, write-allocate"],
  [11, 10, "ORGN0", 1n, "the same for outer caches"],
  [13, 12, "SH0", 3n, "walks are coherent with other CPUs: inner shareable"],
  [15, 14, "TG0", 0n, "4 KiB"],
  [21, 16, "T1SZ", 64n - 39n, "EL1's half begins at level 1"],
  [22, 22, "A1", NO, "the ASID is TTBR0_EL1's: each space has its own"],
  [23, 23, "EPD1", NO, "EL1's half is walked"],
  [25, 24, "IRGN1", 1n, "as IRGN0"],
  [27, 26, "ORGN1", 1n, "as ORGN0"],
  [29, 28, "SH1", 3n, "as SH0"],
  [31, 30, "TG1", 2n, "4 KiB, which has another code here"],
  [34, 32, "IPS", SIZES.find(([bits]) => bits >= m.ipaBits)![1], "every physical address that the machine has"],
  rest(35, 35),
  [36, 36, "AS", m.asidBits === 16 ? 1n : 0n, "as many bits of ASID as are used"],
  [37, 37, "TBI0", 1n, "the top byte of a program's pointers is its own, as on Linux"],
  [38, 38, "TBI1", NO, "EL1's pointers have none"],
  rest(40, 39, "HA, HD: nobody else writes the tables"),
  rest(63, 41, "HPD, HWU, TBID, NFD, E0PD, TCMA, DS: not used"),
];

const ZERO: readonly Field[] = [rest(63, 0)];
const CNTKCTL: readonly Field[] = [
  [0, 0, "EL0PCTEN", NO, "the physical counter is not programs'"],
  [1, 1, "EL0VCTEN", 1n, "the virtual counter is, as on Linux"],
  rest(7, 2, "EVNTEN, EVNTDIR, EVNTI: no event stream"),
  [8, 8, "EL0VTEN", NO, "the virtual timer is the stub's"],
  [9, 9, "EL0PTEN", NO, "the physical timer is nobody's"],
  rest(63, 10, "ECV, EVNTIS, masks of timers"),
];
const CPACR: readonly Field[] = [
  rest(19, 0, "ZEN among them: SVE traps"),
  [21, 20, "FPEN", 3n, "floating point does not trap"],
  rest(63, 22, "SMEN, TTA, E0POE: SME traps"),
];
const MAIR: readonly Field[] = [
  [7, 0, "Attr0", 0xffn, "normal memory, write-back, read and write allocate"],
  rest(63, 8, "no other attributes are used"),
];
/** PSTATE as SPSR_EL1 has it. */
const CPSR: readonly Field[] = [
  [0, 0, "M[0]", 1n, "EL1h: its own stack pointer"],
  [3, 1, "M[3:1]", 2n, "EL1"],
  [4, 4, "M[4]", NO, "AArch64"],
  rest(5, 5),
  [6, 6, "F", 1n, "no fast interrupt while EL1 sets a task up"],
  [7, 7, "I", 1n, "no interrupt"],
  [8, 8, "A", 1n, "no SError"],
  [9, 9, "D", 1n, "no debug exception"],
  rest(63, 10, "flags, BTYPE, IL, SS, PAN, UAO, TCO: off"),
];
const frameAddress: Field = [47, 12, "address", null, "a frame's; another one breaks every guest"];
const ROOT: readonly Field[] = [
  rest(11, 0, "CnP: tables are each CPU's business"),
  frameAddress,
  rest(63, 48, "ASID 0 is nobody's"),
];
const CODE = 0xffff_ffff_c000_0000n;
const LINEAR = 0xffff_ff80_0000_0000n;
const code = (value: bigint | null, why: string): readonly Field[] => [
  [11, 0, "place in the page", value, why],
  [63, 12, "page", CODE >> 12n, "the last GiB of EL1's half"],
];
const CONTEXT: readonly Field[] = [
  rest(11, 0, "a frame of its own"),
  [37, 12, "frame", null, "which"],
  [63, 38, "view", LINEAR >> 38n, "the linear view"],
];

/** What all of EL1's descriptors have, by the place in its table and the kind of descriptor. */
const attributes = (address: Field, type: bigint, readOnly: bigint, pxn: bigint): readonly Field[] => [
  [0, 0, "valid", 1n, "there"],
  [1, 1, "type", type, "a block, or a page"],
  [4, 2, "AttrIndx", 0n, "the only attributes that there are"],
  [5, 5, "NS", NO, "there is no other state to look into"],
  [6, 6, "AP[1]", NO, "not for programs, and so free of PAN"],
  [7, 7, "AP[2]", readOnly, "memory is written, code is not"],
  [9, 8, "SH", 3n, "inner shareable, like the host's view of the same memory"],
  [10, 10, "AF", 1n, "accessed: no fault at the first use"],
  [11, 11, "nG", NO, "the same for all spaces"],
  address,
  rest(52, 48, "address bits, GP, DBM, Contiguous"),
  [53, 53, "PXN", pxn, "EL1 executes its code and nothing else"],
  [54, 54, "UXN", 1n, "programs execute neither"],
  rest(63, 55, "software's, PBHA, ignored"),
];
const TABLE: readonly Field[] = [
  [1, 0, "type", 3n, "a table"],
  rest(11, 2, "ignored"),
  frameAddress,
  rest(63, 48, "no limits beyond those of the page"),
];
const block = (n: number): readonly Field[] =>
  attributes([47, 12, "address", BigInt(n) << 18n, "this GiB"], 0n, 0n, 1n);
const CODE_PAGE = attributes(frameAddress, 1n, 1n, 0n);

const SCTLR = 0xc080;
const SYSTEM: Readonly<Record<number, readonly [name: string, fields: (m: Machine) => readonly Field[]]>> = {
  [SCTLR]: ["SCTLR_EL1", sctlr],
  49282: ["CPACR_EL1", () => CPACR],
  49408: ["TTBR0_EL1", () => ROOT],
  49409: ["TTBR1_EL1", () => ROOT],
  49410: ["TCR_EL1", tcr],
  50448: ["MAIR_EL1", () => MAIR],
  50688: ["VBAR_EL1", () => code(0n, "vectors begin the page")],
  50820: ["TPIDR_EL1", () => CONTEXT],
  50952: ["CNTKCTL_EL1", () => CNTKCTL],
  56963: ["TPIDRRO_EL0", () => ZERO],
  57113: ["CNTV_CTL_EL0", () => ZERO],
};

const PC = 31;
const PSTATE = 34;

/** What a line of the record is, by its kind and number; null: nothing that is known. */
function fieldsOf(kind: string, number: number, m: Machine): readonly [name: string, fields: readonly Field[]] | null {
  if (kind === "sys") {
    const found = SYSTEM[number];
    return found === undefined ? null : [found[0], found[1](m)];
  }
  if (kind === "reg" && number === PSTATE) return ["CPSR", CPSR];
  if (kind === "reg" && number === PC)
    return m.isMmuByStub
      ? ["pc", [rest(1, 0), [63, 2, "address", null, "of the frame of code"]]]
      : ["pc", code(null, "an entry of the stub")];
  // For the stub, which turns the MMU on.
  if (kind === "reg" && number === 0 && m.isMmuByStub) return ["x0", sctlr({ ...m, isMmuByStub: false })];
  if (kind === "reg" && number === 1 && m.isMmuByStub) return ["x1", code(null, "an entry of the stub")];
  if (kind === "table") return [`table entry ${number}`, number === 511 ? TABLE : block(number)];
  if (kind === "code") return [`code's level ${number}`, number === 3 ? CODE_PAGE : TABLE];
  return null;
}

export interface Line {
  readonly kind: string;
  readonly number: number;
  readonly value: bigint;
}

export function linesOf(record: string): Line[] {
  const all = record.matchAll(/^(\w+) ([0-9a-f]+) ([0-9a-f]+)$/gm);
  return [...all].map(([, kind, number, value]) => ({
    kind: kind!,
    number: Number.parseInt(number!, 16),
    value: BigInt(`0x${value}`),
  }));
}

/** The fields of a line that are not as they are to be, in words. */
export function wrongFields(line: Line, m: Machine): string[] {
  const known = fieldsOf(line.kind, line.number, m);
  if (known === null) return [`${line.kind} ${line.number} is set, and nothing is known of it`];
  const [name, fields] = known;
  return fields.flatMap(([high, low, field, value, why]) => {
    const got = (line.value >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n);
    return value === null || got === value ? [] : [`${name}.${field} is ${got}, not ${value}: ${why}`];
  });
}

/** Bits of a line that any value may have: addresses of frames and places in the stub. */
export function freeBits(line: Line, m: Machine): bigint {
  let bits = 0n;
  for (const [high, low, , value] of fieldsOf(line.kind, line.number, m)?.[1] ?? [])
    if (value === null) bits |= ((1n << BigInt(high - low + 1)) - 1n) << BigInt(low);
  return bits;
}

/** What is wrong with CPUs when they began: all of them but one that was tried with the MMU on where that does not work. */
export function wrongSetUp(record: string, m: Machine): string[] {
  const wrong: string[] = [];
  let mine: Line[] = [];
  let began = 0;
  for (const line of linesOf(record)) {
    if (line.kind !== "run") {
      mine.push(line);
      continue;
    }
    const was = mine;
    mine = [];
    const isTry = began === 0 && m.isMmuByStub && was.some((one) => one.number === SCTLR && (one.value & 1n) === 1n);
    began += 1;
    if (isTry) continue;
    for (const [number, [name]] of Object.entries(SYSTEM))
      if (!was.some((one) => one.kind === "sys" && one.number === Number(number))) wrong.push(`${name} is not set`);
    wrong.push(...was.flatMap((one) => wrongFields(one, m)));
  }
  return began === 0 ? ["no CPU began"] : wrong;
}
