// The devpts file system: one node for each pseudo terminal, and ptmx that makes new ones (fs/devpts/inode.c).

import { ENOENT, ENOSPC } from "../abi/errno.ts";
import { DEVPTS_SUPER_MAGIC, DT_CHR, S_IFCHR, S_IFMT } from "../abi/stat.ts";
import { type Named, type NowSec, PseudoDirectory, PseudoFileSystem, PseudoInode } from "../fs/pseudo/pseudo-inode.ts";
import { makeDev } from "../vfs/devices.ts";
import type { File } from "../vfs/file.ts";
import type { Attributes, Inode } from "../vfs/inode.ts";
import type { JobControl } from "./job-control.ts";
import type { Pty } from "./pty.ts";

const MAX_PTYS = 4096;
const TTY_GID = 5;
const PTMX_INO = 2;
const FIRST_SLAVE_INO = 3;

export class DevPts extends PseudoFileSystem {
  readonly type = "devpts";
  readonly root: PtsDirectory;
  private readonly jobs: JobControl;
  private readonly slaves: (SlaveInode | undefined)[] = [];

  constructor(jobs: JobControl, nowSec: NowSec) {
    super(DEVPTS_SUPER_MAGIC, 1024, nowSec);
    this.jobs = jobs;
    this.root = new PtsDirectory(this);
  }

  override options(): string {
    return "gid=5,mode=620,ptmxmode=666";
  }

  /** open(2) of ptmx: a new pair. */
  openMaster(inode: Inode, flags: number): File | number {
    let index = 0;
    while (this.slaves[index] !== undefined) index += 1;
    if (index >= MAX_PTYS) return -ENOSPC;
    const { MasterFile, Pty } = require("./pty.ts") as typeof import("./pty.ts");
    const pty = new Pty(this.jobs, index, () => {
      this.slaves[index] = undefined;
    });
    const slave = new SlaveInode(this, pty);
    this.slaves[index] = slave;
    pty.openPeer = (how) => slave.open(how);
    return new MasterFile(inode, flags, pty);
  }

  slave(index: number): SlaveInode | undefined {
    return this.slaves[index];
  }

  openSlaves(): SlaveInode[] {
    return this.slaves.filter((slave) => slave !== undefined);
  }
}

class SlaveInode extends PseudoInode {
  readonly pty: Pty;
  private owner = { uid: 0, gid: TTY_GID };

  constructor(fs: DevPts, pty: Pty) {
    super(fs, FIRST_SLAVE_INO + pty.index, S_IFCHR | 0o620, () => this.owner);
    this.pty = pty;
  }

  protected override get rdev(): number {
    return this.pty.dev;
  }

  override open(flags: number): File | number {
    return this.pty.open(this, flags);
  }

  /** grantpt(3) and login programs give the terminal to its user. */
  override setAttributes(attributes: Attributes): number {
    this.owner = { uid: attributes.uid ?? this.owner.uid, gid: attributes.gid ?? this.owner.gid };
    if (attributes.mode !== undefined) this.mode = (this.mode & S_IFMT) | (attributes.mode & 0o7777);
    return 0;
  }
}

class PtmxInode extends PseudoInode {
  private readonly pts: DevPts;

  constructor(fs: DevPts) {
    super(fs, PTMX_INO, S_IFCHR | 0o666);
    this.pts = fs;
  }

  protected override get rdev(): number {
    return makeDev(5, 2);
  }

  override open(flags: number): File | number {
    return this.pts.openMaster(this, flags);
  }
}

class PtsDirectory extends PseudoDirectory {
  private readonly pts: DevPts;
  private readonly ptmx: PtmxInode;

  constructor(fs: DevPts) {
    super(fs, 1, 0o755);
    this.pts = fs;
    this.ptmx = new PtmxInode(fs);
  }

  override lookup(name: string): Inode | number {
    if (name === "ptmx") return this.ptmx;
    return (/^(0|[1-9]\d{0,4})$/.test(name) ? this.pts.slave(Number(name)) : undefined) ?? -ENOENT;
  }

  override list(): readonly Named[] {
    const slaves = this.pts.openSlaves().map((slave) => ({ name: `${slave.pty.index}`, type: DT_CHR, ino: slave.ino }));
    return [{ name: "ptmx", type: DT_CHR, ino: PTMX_INO }, ...slaves];
  }
}
