// Single bits of what the Hypervisor.framework engine sets up, changed by its stand-in on the way (HVKVM_FLIP of test/double/hvkvm.c). test/vm/hvf.test.ts
// runs the engine with each; something must notice. Left out is what an emulated CPU cannot show: memory attributes, shareability, the cache bits of SCTLR_EL1.

export interface Mutation {
  readonly name: string;
  /** kind:number:bit */
  readonly flip: string;
}

const SYSTEM = {
  SCTLR_EL1: 0xc080,
  CPACR_EL1: 0xc082,
  TTBR1_EL1: 0xc101,
  TCR_EL1: 0xc102,
  VBAR_EL1: 0xc600,
  TPIDR_EL1: 0xc684,
  CNTKCTL_EL1: 0xc708,
  TPIDRRO_EL0: 0xde83,
} as const;

function system(register: keyof typeof SYSTEM, bit: number, what: string): Mutation {
  return { name: `${register} bit ${bit}: ${what}`, flip: `sys:${SYSTEM[register]}:${bit}` };
}

function table(entry: number, bit: number, what: string): Mutation {
  return { name: `EL1's table, entry ${entry} bit ${bit}: ${what}`, flip: `table:${entry}:${bit}` };
}

export const MUTATIONS: readonly Mutation[] = [
  system("SCTLR_EL1", 1, "alignment is checked"),
  system("SCTLR_EL1", 9, "programs may mask interrupts"),
  system("SCTLR_EL1", 14, "programs may not zero lines"),
  system("SCTLR_EL1", 15, "programs may not read CTR_EL0"),
  system("SCTLR_EL1", 19, "what is writable is not executable"),
  system("SCTLR_EL1", 24, "programs are big-endian"),
  system("SCTLR_EL1", 26, "programs may not clean caches"),
  system("CPACR_EL1", 20, "floating point traps"),
  system("TTBR1_EL1", 12, "another root"),
  system("TCR_EL1", 2, "shorter addresses"),
  system("TCR_EL1", 7, "no walks of the lower half"),
  system("TCR_EL1", 14, "another granule below"),
  system("TCR_EL1", 30, "another granule above"),
  system("TCR_EL1", 37, "the top byte counts"),
  system("VBAR_EL1", 11, "vectors elsewhere"),
  system("TPIDR_EL1", 12, "another context"),
  system("CNTKCTL_EL1", 0, "the physical counter is programs'"),
  system("CNTKCTL_EL1", 1, "the virtual counter traps"),
  system("CNTKCTL_EL1", 8, "the virtual timer is programs'"),
  system("TPIDRRO_EL0", 3, "not zero"),
  { name: "CPSR bit 0: EL1 with the task's sp", flip: "reg:34:0" },
  { name: "CPSR bit 2: EL0", flip: "reg:34:2" },
  { name: "pc bit 3: past the first instructions", flip: "reg:31:3" },
  table(0, 0, "nothing mapped"),
  table(0, 6, "programs may read it"),
  table(0, 7, "EL1 may not write"),
  table(0, 10, "no access flag"),
  table(0, 54, "programs may execute it"),
  table(511, 0, "no code"),
];
