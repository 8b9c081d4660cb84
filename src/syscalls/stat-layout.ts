// struct stat, statx, statfs and linux_dirent64 as arm64 user space reads them (src/abi/stat.ts has the offsets).
// The encoders write into the scratch block at offset 0.

import {
  MS_NOATIME,
  MS_NODEV,
  MS_NOEXEC,
  MS_NOSUID,
  MS_RDONLY,
  ST_NOATIME,
  ST_NODEV,
  ST_NOEXEC,
  ST_NOSUID,
  ST_RDONLY,
  ST_RELATIME,
  ST_VALID,
} from "../abi/mount.ts";
import {
  STATX_ATTR_MOUNT_ROOT,
  STATX_BASIC_STATS,
  STATX_BTIME,
  STATX_MNT_ID,
  Stat64,
  Statfs64,
  Statx,
} from "../abi/stat.ts";
import { scratch } from "../host/scratch.ts";
import { majorOf, minorOf } from "../vfs/devices.ts";
import type { StatFs } from "../vfs/file-system.ts";
import type { Stat } from "../vfs/inode.ts";
import type { Mount } from "../vfs/mount.ts";

const { u8, u32, view, setU64 } = scratch;

function put32(offset: number, value: number): void {
  u32[offset >>> 2] = value;
}

export function encodeStat(stat: Stat): void {
  u8.fill(0, 0, Stat64.sizeBytes);
  setU64(Stat64.st_dev, stat.dev);
  setU64(Stat64.st_ino, stat.ino);
  put32(Stat64.st_mode, stat.mode);
  put32(Stat64.st_nlink, stat.nlink);
  put32(Stat64.st_uid, stat.uid);
  put32(Stat64.st_gid, stat.gid);
  setU64(Stat64.st_rdev, stat.rdev);
  setU64(Stat64.st_size, stat.size);
  put32(Stat64.st_blksize, stat.blksize);
  setU64(Stat64.st_blocks, stat.blocks);
  setU64(Stat64.st_atime, stat.atimeSec);
  setU64(Stat64.st_atime + 8, stat.atimeNsec);
  setU64(Stat64.st_mtime, stat.mtimeSec);
  setU64(Stat64.st_mtime + 8, stat.mtimeNsec);
  setU64(Stat64.st_ctime, stat.ctimeSec);
  setU64(Stat64.st_ctime + 8, stat.ctimeNsec);
}

function putTime(offset: number, sec: number, nsec: number): void {
  setU64(offset, sec);
  put32(offset + 8, nsec);
}

/** `mount` is null for what has no place in the tree. */
export function encodeStatx(stat: Stat, mount: Mount | null, isMountRoot: boolean): void {
  u8.fill(0, 0, Statx.sizeBytes);
  const birth = stat.btimeSec !== 0 || stat.btimeNsec !== 0;
  put32(Statx.stx_mask, STATX_BASIC_STATS | (birth ? STATX_BTIME : 0) | (mount !== null ? STATX_MNT_ID : 0));
  put32(Statx.stx_blksize, stat.blksize);
  setU64(Statx.stx_attributes, isMountRoot ? STATX_ATTR_MOUNT_ROOT : 0);
  put32(Statx.stx_nlink, stat.nlink);
  put32(Statx.stx_uid, stat.uid);
  put32(Statx.stx_gid, stat.gid);
  view.setUint16(Statx.stx_mode, stat.mode, true);
  setU64(Statx.stx_ino, stat.ino);
  setU64(Statx.stx_size, stat.size);
  setU64(Statx.stx_blocks, stat.blocks);
  setU64(Statx.stx_attributes_mask, STATX_ATTR_MOUNT_ROOT);
  putTime(Statx.stx_atime, stat.atimeSec, stat.atimeNsec);
  putTime(Statx.stx_btime, stat.btimeSec, stat.btimeNsec);
  putTime(Statx.stx_ctime, stat.ctimeSec, stat.ctimeNsec);
  putTime(Statx.stx_mtime, stat.mtimeSec, stat.mtimeNsec);
  put32(Statx.stx_rdev_major, majorOf(stat.rdev));
  put32(Statx.stx_rdev_minor, minorOf(stat.rdev));
  put32(Statx.stx_dev_major, majorOf(stat.dev));
  put32(Statx.stx_dev_minor, minorOf(stat.dev));
  setU64(Statx.stx_mnt_id, mount === null ? 0 : mount.id);
}

function mountFlags(mount: Mount | null): number {
  let flags = ST_VALID;
  const set = mount === null ? 0 : mount.flags;
  if ((set & MS_RDONLY) !== 0) flags |= ST_RDONLY;
  if ((set & MS_NOSUID) !== 0) flags |= ST_NOSUID;
  if ((set & MS_NODEV) !== 0) flags |= ST_NODEV;
  if ((set & MS_NOEXEC) !== 0) flags |= ST_NOEXEC;
  return flags | ((set & MS_NOATIME) !== 0 ? ST_NOATIME : ST_RELATIME);
}

export function encodeStatFs(stat: StatFs, mount: Mount | null): void {
  u8.fill(0, 0, Statfs64.sizeBytes);
  setU64(Statfs64.f_type, stat.type);
  setU64(Statfs64.f_bsize, stat.bsize);
  setU64(Statfs64.f_blocks, stat.blocks);
  setU64(Statfs64.f_bfree, stat.bfree);
  setU64(Statfs64.f_bavail, stat.bavail);
  setU64(Statfs64.f_files, stat.files);
  setU64(Statfs64.f_ffree, stat.ffree);
  put32(Statfs64.f_fsid, stat.fsid[0]);
  put32(Statfs64.f_fsid + 4, stat.fsid[1]);
  setU64(Statfs64.f_namelen, stat.namelen);
  setU64(Statfs64.f_frsize, stat.bsize);
  setU64(Statfs64.f_flags, mountFlags(mount));
}
