// Whether shim/host/darwin believes of Darwin what Apple's headers say.

import { beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root, zig } from "../../scripts/toolchain.ts";
import { run } from "../support/guest.ts";
import { appleFacts, factsPage, ourFacts } from "./facts.ts";

beforeAll(() => {
  const built = run([zig, "build", "darwin-facts"], { timeoutMs: 600_000 });
  expect(built.stderr).toBe("");
  expect(built.status).toBe(0);
}, 600_000);

test("every constant, layout and function type is Apple's", () => {
  const apple = appleFacts();
  const ours = ourFacts();
  expect(ours.size).toBeGreaterThan(500);
  const wrong = Array.from(ours).filter(([name, value]) => apple.get(name) !== value);
  expect(wrong.map(([name, value]) => `${name} is ${apple.get(name)}, not ${value}`)).toEqual([]);
});

test("the list of what is proven is current", () => {
  expect(readFileSync(join(root, "docs/darwin-facts.md"), "utf8")).toBe(factsPage());
});
