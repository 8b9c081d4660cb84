// What crosses the host boundary untranslated must be the same on Linux/arm64 and on the host: compared through the
// kernel headers of both.

import { expect, test } from "bun:test";
import * as F from "../../../src/abi/fcntl.ts";
import * as I from "../../../src/abi/ioctl.ts";
import { golden } from "../../support/golden.ts";

const GUEST = "aarch64-linux-gnu.2.31";
const HOST = "x86_64-linux-gnu.2.28";

const headers = [
  "fcntl.h",
  "errno.h",
  "poll.h",
  "sys/epoll.h",
  "sys/ioctl.h",
  "sys/stat.h",
  "sys/statfs.h",
  "asm/termbits.h",
  "linux/falloc.h",
  "linux/fs.h",
];

const structs = [
  "sizeof(struct statx)",
  "offsetof(struct statx, stx_ino)",
  "offsetof(struct statx, stx_size)",
  "offsetof(struct statx, stx_mtime)",
  "offsetof(struct statx, stx_dev_major)",
  "sizeof(struct statfs)",
  "offsetof(struct statfs, f_namelen)",
  "offsetof(struct statfs, f_flags)",
  "sizeof(struct termios)",
  "offsetof(struct termios, c_cc)",
  "sizeof(struct winsize)",
  "sizeof(struct timespec)",
  "sizeof(struct pollfd)",
];

const same = [
  "O_CREAT O_EXCL O_NOCTTY O_TRUNC O_APPEND O_NONBLOCK O_DSYNC O_SYNC O_NOATIME O_CLOEXEC O_PATH",
  "AT_FDCWD AT_SYMLINK_NOFOLLOW AT_REMOVEDIR AT_EMPTY_PATH AT_EACCESS",
  "SEEK_DATA SEEK_HOLE FALLOC_FL_PUNCH_HOLE FALLOC_FL_ZERO_RANGE FALLOC_FL_KEEP_SIZE",
  "TCGETS TCSETS TCSETSW TCSETSF TCFLSH TCXONC TIOCGWINSZ TIOCSWINSZ TIOCGPGRP TIOCSPGRP TIOCGSID TIOCOUTQ FIONREAD",
  "POLLIN POLLOUT POLLERR POLLHUP POLLRDHUP EPOLLET EPOLLIN RENAME_NOREPLACE RENAME_EXCHANGE",
  "EAGAIN ELOOP ENODATA EOPNOTSUPP EDQUOT ESTALE ECANCELED EOVERFLOW ENAMETOOLONG ENOTEMPTY",
].flatMap((line) => line.split(" "));

const moved = ["O_DIRECTORY", "O_NOFOLLOW", "O_DIRECT"];

test("structs and numbers that cross are those of the guest", () => {
  const wanted = [...structs, ...same];
  expect(Object.fromEntries(golden(HOST, headers, wanted))).toEqual(Object.fromEntries(golden(GUEST, headers, wanted)));
});

test("our open and ioctl numbers are arm64's", () => {
  const ours = { ...F, ...I } as unknown as Record<string, number>;
  const names = [...same, ...moved].filter((name) => name in ours && /^(O_|AT_|TC|TIOC|FION|SEEK|FALLOC)/.test(name));
  const theirs = golden(GUEST, headers, names);
  expect(names.length).toBeGreaterThan(30);
  for (const name of names) expect([name, ours[name]!]).toEqual([name, theirs.get(name)!]);
});
