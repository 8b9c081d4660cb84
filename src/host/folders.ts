// Where carrick keeps what outlives a run, by the host's conventions.

import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/** $CARRICK_HOME; else the platform's folder for data of programs. An absolute path; the folder may not exist. */
export function dataFolder(): string {
  const own = process.env["CARRICK_HOME"];
  if (own !== undefined && own !== "") return isAbsolute(own) ? own : join(process.cwd(), own);
  if (process.platform === "darwin") return join(homedir(), "Library", "Application Support", "carrick");
  const xdg = process.env["XDG_DATA_HOME"];
  // The XDG specification: paths that are not absolute are to be ignored.
  return xdg !== undefined && isAbsolute(xdg) ? join(xdg, "carrick") : join(homedir(), ".local", "share", "carrick");
}
