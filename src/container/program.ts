// How execve(2) finds and reads a program: the file's checks, set-user-id bits, the interpreters it names, and
// the loader. The kernel calls this through KernelOptions.load.

import { CAP_SYS_PTRACE } from "../abi/capability.ts";
import { EACCES, EISDIR } from "../abi/errno.ts";
import { O_RDONLY } from "../abi/fcntl.ts";
import { S_IFDIR, S_IFMT, S_IFREG } from "../abi/stat.ts";
import { shim } from "../host/shim.ts";
import { credentialsAfterExec } from "../kernel/credentials-exec.ts";
import type { Task } from "../kernel/task.ts";
import type { ExecImage, ExecRequest } from "../kernel/task-exec.ts";
import { load } from "../loader/load.ts";
import type { Vdso } from "../loader/vdso.ts";
import type { Layout } from "../mm/layout.ts";
import type { File } from "../vfs/file.ts";
import { openExecutable, openPath } from "../vfs/open.ts";
import { capable, MAY_EXEC } from "../vfs/permission.ts";

/** Makes the kernel's `load`: every program of a run gets the same layout and vDSO. */
export function programLoader(layout: Layout, vdso: Vdso): (task: Task, request: ExecRequest) => ExecImage | number {
  const hwcap = shim.cpu_hwcap(0) >>> 0;
  const hwcap2 = shim.cpu_hwcap(2) >>> 0;
  return (task, request) => {
    // Who is traced by somebody without the right to that gains nothing (LSM_UNSAFE_PTRACE).
    const watched = task.trace !== null && !capable(task.trace.cred, CAP_SYS_PTRACE);
    const trusted = !task.noNewPrivs && !watched && !request.file.path?.mount.noSuid;
    const rights = credentialsAfterExec(task.cred, request.file, trusted);
    if (typeof rights === "number") return rights;
    const { cred, secure } = rights;
    const random = new Uint8Array(16);
    task.kernel.random.fill(random);
    const program = load({
      file: request.file,
      path: request.filename,
      inaccessible: request.inaccessible,
      argv: request.argv,
      envp: request.envp,
      layout,
      vdso,
      limits: task.group.limits,
      uid: cred.uid,
      euid: cred.euid,
      gid: cred.gid,
      egid: cred.egid,
      secure,
      hwcap,
      hwcap2,
      random,
      open: (path) => openExecutable(task.fs, task.fs.cwd, path, true),
    });
    if (typeof program === "number") return program;
    return { mm: program.mm, entry: program.entry, sp: program.sp, comm: request.comm ?? program.name, cred };
  };
}

/**
 * Opens a file in order to execute it, from the task's working directory. The file, or -errno.
 * DIFFERS: a program that may be executed but not read is refused with EACCES.
 */
export function openProgram(task: Task, path: string): File | number {
  const file = openPath(task.fs, task.fs.cwd, path, O_RDONLY, 0);
  if (typeof file === "number") return file;
  const error = executable(task, file);
  if (error === 0) return file;
  file.unref();
  return error;
}

/** 0 when an open file may be executed; -EACCES; -EISDIR, which the command line tells apart. */
export function executable(task: Task, file: File): number {
  const mode = file.inode.mode;
  if ((mode & S_IFMT) === S_IFDIR) return -EISDIR;
  if ((mode & S_IFMT) !== S_IFREG || file.path?.mount.noExec) return -EACCES;
  return file.inode.permission(task.cred, MAY_EXEC);
}
