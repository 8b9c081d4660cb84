// How execve(2) finds and reads a program: the file's checks, set-user-id bits, the interpreters it names, and
// the loader. The kernel calls this through KernelOptions.load.

import { EACCES, EISDIR } from "../abi/errno.ts";
import { O_RDONLY } from "../abi/fcntl.ts";
import { S_IFDIR, S_IFMT, S_IFREG, S_ISGID, S_ISUID, S_IXGRP } from "../abi/stat.ts";
import { shim } from "../host/shim.ts";
import { userCredentials } from "../kernel/credentials.ts";
import type { Task } from "../kernel/task.ts";
import type { ExecImage, ExecRequest } from "../kernel/task-exec.ts";
import { load } from "../loader/load.ts";
import type { Vdso } from "../loader/vdso.ts";
import type { Layout } from "../mm/layout.ts";
import type { Credentials } from "../vfs/credentials.ts";
import type { File } from "../vfs/file.ts";
import type { Stat } from "../vfs/inode.ts";
import { openPath } from "../vfs/open.ts";
import { MAY_EXEC } from "../vfs/permission.ts";

/** Makes the kernel's `load`: every program of a run gets the same layout and vDSO. */
export function programLoader(layout: Layout, vdso: Vdso): (task: Task, request: ExecRequest) => ExecImage | number {
  const hwcap = shim.cpu_hwcap(0) >>> 0;
  const hwcap2 = shim.cpu_hwcap(1) >>> 0;
  return (task, request) => {
    const before = task.cred;
    const cred = credentialsAfter(before, request.file, task.noNewPrivs);
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
      secure: cred.euid !== cred.uid || cred.egid !== cred.gid,
      hwcap,
      hwcap2,
      random,
      open: (path) => openProgram(task, path),
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

/** What set-user-id and set-group-id bits make of the credentials. */
function credentialsAfter(cred: Credentials, file: File, noNewPrivs: boolean): Credentials {
  const stat = file.stat();
  if (typeof stat === "number" || noNewPrivs || file.path?.mount.noSuid || !setsId(stat)) {
    return { ...cred, suid: cred.euid, sgid: cred.egid };
  }
  const euid = (stat.mode & S_ISUID) !== 0 ? stat.uid : cred.euid;
  const egid = (stat.mode & (S_ISGID | S_IXGRP)) === (S_ISGID | S_IXGRP) ? stat.gid : cred.egid;
  const caps = euid === 0 ? userCredentials(0, egid) : userCredentials(euid, egid);
  return {
    ...caps,
    uid: cred.uid,
    gid: cred.gid,
    groups: cred.groups,
    suid: euid,
    sgid: egid,
    securebits: cred.securebits,
  };
}

function setsId(stat: Stat): boolean {
  return (stat.mode & S_ISUID) !== 0 || (stat.mode & (S_ISGID | S_IXGRP)) === (S_ISGID | S_IXGRP);
}
