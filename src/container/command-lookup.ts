// Which file a container's command is (execvp(3) with the container's own PATH), and the sentence when it is none.

import { EACCES, EISDIR, ENOENT, ENOTDIR } from "../abi/errno.ts";
import type { Task } from "../kernel/task.ts";
import { openProgram } from "./program.ts";
import { ProgramError } from "./run.ts";

/** Path of the program in the guest. Throws ProgramError. */
export function findCommand(task: Task, name: string, path: string): string {
  if (name === "") throw new ProgramError("the command is empty", true);
  if (name.includes("/")) return name;
  let denied = false;
  for (const directory of path.split(":")) {
    const candidate = `${directory === "" ? "." : directory}/${name}`;
    const file = openProgram(task, candidate);
    if (typeof file !== "number") {
      file.unref();
      return candidate;
    }
    if (file === -EACCES || file === -EISDIR) denied = true;
    else if (file !== -ENOENT && file !== -ENOTDIR)
      throw new ProgramError(`${candidate} cannot be opened (errno ${-file})`, false);
  }
  if (denied) throw new ProgramError(`${name} is in the container's PATH, but not executable`, false);
  throw new ProgramError(`${name} does not exist in the container's PATH`, true);
}
