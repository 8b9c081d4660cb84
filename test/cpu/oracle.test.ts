/**
 * The oracle is asked only where qemu-aarch64 is installed (CI; a development tool): it must give known answers to known
 * cases, and then every class runs on both sides with a fixed seed.
 */
import { beforeAll, describe, expect, test } from "bun:test";
import { ENGINES } from "../../src/cpu/cpu.ts";
import { engines } from "../support/engines.ts";
import {
  type Case,
  CODE_BASE,
  DATA_BASE,
  encodeStream,
  type Override,
  REG,
  RESULT,
  RESULT_BYTES,
  resultOffsets,
} from "./cases.ts";
import { CLASSES, generateClass } from "./classes.ts";
import { describe as describeMismatch } from "./compare.ts";
import { runAll } from "./differential.ts";
import { pairOf } from "./generate.ts";
import { buildRunners, qemuInstalled, runOracle } from "./runners.ts";

function oneCase(words: number[], overrides: Override[]): Case {
  return { slot: 3, seed: 7, profile: "any", words, overrides, names: [] };
}

type Answer = {
  signal: number;
  pc: bigint;
  fault: bigint;
  fpsr: number;
  x: (n: number) => bigint;
  v: (n: number) => bigint;
  changes: [bigint, bigint][];
};

async function ask(testCase: Case): Promise<Answer> {
  const bytes = await runOracle(encodeStream([testCase], 1));
  expect(resultOffsets(bytes)).toEqual([0]);
  const view = new DataView(bytes.buffer);
  const u64 = (at: number) => view.getBigUint64(at, true);
  const changes: [bigint, bigint][] = [];
  for (let i = 0; i < view.getUint32(RESULT.changes, true); i++)
    changes.push([u64(RESULT_BYTES + 16 * i), u64(RESULT_BYTES + 16 * i + 8)]);
  return {
    signal: view.getUint32(RESULT.signal, true),
    pc: u64(RESULT.pc),
    fault: u64(RESULT.fault),
    fpsr: view.getUint32(RESULT.fpsr, true),
    x: (n) => (n === 31 ? u64(RESULT.sp) : u64(RESULT.x + 8 * n)),
    v: (n) => u64(RESULT.v + 16 * n),
    changes,
  };
}

const SLOT = BigInt(CODE_BASE + 3 * 128);

describe.skipIf(!qemuInstalled())("the oracle", () => {
  beforeAll(buildRunners, 120_000);

  test("ends behind the words with every register", async () => {
    const answer = await ask(
      oneCase(
        [0x8b020020, 0x910043ff],
        [
          [1, 5, 0],
          [2, 0xffffffff, 0xffffffff],
          [REG.sp, 0x1000, 2],
        ],
      ),
    );
    expect([answer.signal, answer.pc - SLOT, answer.x(0), answer.x(31)]).toEqual([0, 8n, 4n, 0x2_0000_1010n]);
  });

  test("covers x18, x29 and x30", async () => {
    const answer = await ask(oneCase([0xaa0103f2, 0xaa0103fd, 0xaa0103fe], [[1, 0x1234, 0x5678]]));
    expect([answer.x(18), answer.x(29), answer.x(30)]).toEqual([0x567800001234n, 0x567800001234n, 0x567800001234n]);
  });

  test("reports memory that changed", async () => {
    const answer = await ask(
      oneCase(
        [0xf9000420],
        [
          [1, ...pairOf(DATA_BASE + 64)],
          [0, 1, 2],
        ],
      ),
    );
    expect(answer.changes).toEqual([[72n, 0x2_0000_0001n]]);
  });

  test("reports faults with pc and address", async () => {
    const hole = await ask(oneCase([0xd503201f, 0xf9400420], [[1, ...pairOf(DATA_BASE + 0x1ffc)]]));
    expect([hole.signal, hole.pc - SLOT, hole.fault]).toEqual([11, 4n, BigInt(DATA_BASE + 0x2004)]);
    const readOnly = await ask(oneCase([0xf9000020], [[1, ...pairOf(DATA_BASE + 0x3010)]]));
    expect([readOnly.signal, readOnly.pc - SLOT, readOnly.fault]).toEqual([11, 0n, BigInt(DATA_BASE + 0x3010)]);
    const misaligned = await ask(oneCase([0xc85f7c20], [[1, ...pairOf(DATA_BASE + 4)]]));
    expect([misaligned.signal, misaligned.pc - SLOT]).toEqual([7, 0n]);
  });

  test("reports undefined words and breakpoints", async () => {
    const undefinedWord = await ask(oneCase([0xd503201f, 0x00000000], []));
    expect([undefinedWord.signal, undefinedWord.pc - SLOT]).toEqual([4, 4n]);
    expect((await ask(oneCase([0xd4200020], []))).signal).toBe(5);
  });

  test("runs under the case's FPCR and keeps FPSR", async () => {
    const third: Override[] = [
      [REG.V + 2, 0, 0x3ff00000],
      [REG.V + 4, 0, 0x40080000],
      [REG.fpsr, 0, 0],
    ];
    const nearest = await ask(oneCase([0x1e621820], [...third, [REG.fpcr, 0, 0]]));
    expect([nearest.v(0), nearest.fpsr]).toEqual([0x3fd5555555555555n, 0x10]);
    const up = await ask(oneCase([0x1e621820], [...third, [REG.fpcr, 1 << 22, 0]]));
    expect(up.v(0)).toBe(0x3fd5555555555556n);
  });
});

const COUNT = Number(process.env["CARRICK_DIFFERENTIAL_COUNT"] ?? 10_000);
const SEED = Number(process.env["CARRICK_DIFFERENTIAL_SEED"] ?? 1);

describe.skipIf(!qemuInstalled())("our engines against the oracle", () => {
  beforeAll(buildRunners, 300_000);

  for (const name of CLASSES) {
    test(`${COUNT} cases of ${name}, seed ${SEED}`, async () => {
      const ways = engines.map((name) => ({ engine: ENGINES.indexOf(name) }));
      const reports = await runAll(generateClass(name, COUNT, SEED), SEED, ways);
      for (const [i, report] of reports.entries()) {
        const wrong = report.mismatches.slice(0, 3).map((m) => describeMismatch(m.testCase, m.differences));
        expect([engines[i], ...wrong]).toEqual([engines[i]]);
        expect(report.ran).toBe(COUNT);
      }
    }, 180_000);
  }
});
