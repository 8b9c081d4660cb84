// `carrick doctor`: looks at the machine and at carrick on it, and says what is well and what is not. A report to paste into an issue, or as
// JSON for scripts.

import { mayHaveHvf } from "../cpu/hvf-probe.ts";
import { type Command, VERSION } from "./commands.ts";
import { type Check, executableCheck, hostChecks, signatureCheck } from "./doctor-host.ts";
import { hypervisorProbeCheck, PROBE_OPTION, printProbe } from "./doctor-hypervisor.ts";
import { isOn, type Parsed, usageError } from "./options.ts";
import { print } from "./print.ts";
import { printable } from "./user-error.ts";

export const command: Command = {
  name: "doctor",
  summary: "Check this machine and what carrick has on it",
  operands: "[OPTIONS]",
  options: [
    { name: "json", help: "Print the report as JSON" },
    { name: PROBE_OPTION, help: "Print only what Apple's hypervisor does here, as JSON" },
  ],
  mixed: true,
  run: doctor,
};

async function doctor(parsed: Parsed): Promise<number> {
  if (parsed.rest.length > 0) throw usageError("doctor takes no operands");
  if (isOn(parsed, PROBE_OPTION)) return printProbe();
  const json = isOn(parsed, "json");
  const checks: Check[] = [];
  const report = (check: Check): void => {
    checks.push(check);
    if (!json) print(line(check));
  };
  if (!json) print(`carrick ${VERSION}\n`);
  report(attempted("executable", executableCheck));
  report(attempted("signature", signatureCheck));
  for (const check of hostChecks()) report(check);
  if (mayHaveHvf()) report(hypervisorProbeCheck());
  const { engineChecks } = await import("./doctor-engines.ts");
  for await (const check of engineChecks()) report(check);
  const { storeChecks } = await import("./doctor-store.ts");
  for (const check of await storeChecks()) report(check);
  const bad = checks.filter((check) => check.status === "bad").length;
  if (json) print(`${JSON.stringify({ version: VERSION, healthy: bad === 0, checks }, null, 2)}\n`);
  else print(bad === 0 ? "all is well\n" : `${bad} of ${checks.length} checks failed\n`);
  return bad === 0 ? 0 : 1;
}

/** A file that cannot be read is a finding, and not the end. */
function attempted(name: string, look: () => Check): Check {
  try {
    return look();
  } catch (error) {
    return { name, status: "bad", text: (error as Error).message };
  }
}

function line({ status, name, text }: Check): string {
  return `${status.padEnd(4)} ${name.padEnd(12)} ${printable(text)}\n`;
}
