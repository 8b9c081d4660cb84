// System V IPC (include/uapi/linux/{ipc,sem,shm,msg}.h and their asm-generic *buf.h): commands, flags, struct offsets.

export const IPC_PRIVATE = 0;
export const IPC_CREAT = 0o1000;
export const IPC_EXCL = 0o2000;
export const IPC_NOWAIT = 0o4000;

export const IPC_RMID = 0;
export const IPC_SET = 1;
export const IPC_STAT = 2;
export const IPC_INFO = 3;

export const SHM_RDONLY = 0o10000;
export const SHM_RND = 0o20000;
export const SHM_REMAP = 0o40000;
export const SHM_EXEC = 0o100000;
export const SHM_HUGETLB = 0o4000;
export const SHM_NORESERVE = 0o10000;
export const SHM_LOCK = 11;
export const SHM_UNLOCK = 12;
export const SHM_STAT = 13;
export const SHM_INFO = 14;
export const SHM_STAT_ANY = 15;
/** Bits that IPC_STAT shows in a segment's mode. */
export const SHM_DEST = 0o1000;
export const SHM_LOCKED = 0o2000;

export const GETPID = 11;
export const GETVAL = 12;
export const GETALL = 13;
export const GETNCNT = 14;
export const GETZCNT = 15;
export const SETVAL = 16;
export const SETALL = 17;
export const SEM_STAT = 18;
export const SEM_INFO = 19;
export const SEM_STAT_ANY = 20;
export const SEM_UNDO = 0o10000;

export const MSG_STAT = 11;
export const MSG_INFO = 12;
export const MSG_STAT_ANY = 13;
export const MSG_NOERROR = 0o10000;
export const MSG_EXCEPT = 0o20000;
export const MSG_COPY = 0o40000;

/** struct ipc64_perm. */
export const PERM = { key: 0, uid: 4, gid: 8, cuid: 12, cgid: 16, mode: 20, seq: 24, bytes: 48 } as const;
/** struct shmid64_ds, semid64_ds, msqid64_ds. */
export const SHMID = {
  segsz: 48,
  atime: 56,
  dtime: 64,
  ctime: 72,
  cpid: 80,
  lpid: 84,
  nattch: 88,
  bytes: 112,
} as const;
export const SEMID = { otime: 48, ctime: 56, nsems: 64, bytes: 88 } as const;
export const MSQID = {
  stime: 48,
  rtime: 56,
  ctime: 64,
  cbytes: 72,
  qnum: 80,
  qbytes: 88,
  lspid: 96,
  lrpid: 100,
  bytes: 120,
} as const;

/** Limits of a fresh kernel. */
export const SHMMNI = 4096;
export const SHMMAX = 0xfffffffffeffffffn;
export const SEMMNI = 32000;
export const SEMMSL = 32000;
export const SEMMNS = 1024000000;
export const SEMOPM = 500;
export const SEMVMX = 32767;
export const MSGMNI = 32000;
export const MSGMAX = 8192;
export const MSGMNB = 16384;
