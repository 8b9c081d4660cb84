// Single bits of what the Hypervisor.framework engine sets up, changed by its stand-in on the way (HVKVM_FLIP of test/double/hvkvm.c). test/vm/hvf.test.ts
// runs the engine with each; something must notice. What an emulated CPU cannot show in programs (cacheability, shareability, TLBs, alignment of EL1's stack)
// is held by the fields that test/vm/registers.ts has from the architecture; for each of their 64 bits, in every run.

export interface Mutation {
  readonly name: string;
  /** kind:number:bit */
  readonly flip: string;
}

const SYSTEM = {
  SCTLR_EL1: 0xc080,
  CPACR_EL1: 0xc082,
  MAIR_EL1: 0xc510,
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

function way(level: number, bit: number, what: string): Mutation {
  return { name: `the page of code, level ${level} bit ${bit}: ${what}`, flip: `way:${level}:${bit}` };
}

export const MUTATIONS: readonly Mutation[] = [
  system("SCTLR_EL1", 1, "alignment is checked"),
  system("SCTLR_EL1", 2, "data is not cached"),
  system("SCTLR_EL1", 3, "EL1's sp is not checked"),
  system("SCTLR_EL1", 4, "a program's sp is not checked"),
  system("SCTLR_EL1", 9, "programs may mask interrupts"),
  system("SCTLR_EL1", 14, "programs may not zero lines"),
  system("SCTLR_EL1", 15, "programs may not read CTR_EL0"),
  system("SCTLR_EL1", 16, "wfi waits in the CPU"),
  system("SCTLR_EL1", 18, "wfe waits in the CPU"),
  system("SCTLR_EL1", 19, "what is writable is not executable"),
  system("SCTLR_EL1", 24, "programs are big-endian"),
  system("SCTLR_EL1", 26, "programs may not clean caches"),
  system("CPACR_EL1", 20, "floating point traps"),
  system("MAIR_EL1", 2, "memory is not cached"),
  system("TTBR1_EL1", 12, "another root"),
  system("TCR_EL1", 2, "shorter addresses"),
  system("TCR_EL1", 7, "no walks of the lower half"),
  system("TCR_EL1", 14, "another granule below"),
  system("TCR_EL1", 8, "walks are not cached"),
  system("TCR_EL1", 12, "walks are of another shareability"),
  system("TCR_EL1", 22, "the ASID is EL1's"),
  system("TCR_EL1", 30, "another granule above"),
  system("TCR_EL1", 31, "a granule that there is not above"),
  system("TCR_EL1", 32, "physical addresses of 32 bits"),
  system("TCR_EL1", 36, "ASIDs of 8 bits"),
  system("TCR_EL1", 37, "the top byte counts"),
  system("VBAR_EL1", 11, "vectors elsewhere"),
  system("TPIDR_EL1", 12, "another context"),
  system("CNTKCTL_EL1", 0, "the physical counter is programs'"),
  system("CNTKCTL_EL1", 1, "the virtual counter traps"),
  system("CNTKCTL_EL1", 8, "the virtual timer is programs'"),
  system("CNTKCTL_EL1", 9, "the physical timer is programs'"),
  system("TPIDRRO_EL0", 3, "not zero"),
  { name: "CPSR bit 0: EL1 with the task's sp", flip: "reg:34:0" },
  { name: "CPSR bit 2: EL0", flip: "reg:34:2" },
  { name: "CPSR bit 7: interrupts while a task is set up", flip: "reg:34:7" },
  { name: "pc bit 3: past the first instructions", flip: "reg:31:3" },
  table(0, 0, "nothing mapped"),
  table(0, 6, "programs may read it"),
  table(0, 7, "EL1 may not write"),
  table(0, 10, "no access flag"),
  table(0, 54, "programs may execute it"),
  table(0, 5, "of another state"),
  table(0, 8, "of another shareability"),
  table(0, 11, "of one space"),
  table(0, 53, "EL1 may execute it"),
  table(511, 0, "no code"),
  way(3, 6, "programs may read code"),
  way(3, 7, "EL1 may write code"),
  way(3, 53, "EL1 may not execute code"),
  way(3, 54, "programs may execute code"),
];
