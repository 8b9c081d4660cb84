// native 6.18: the emulator lacks statx mount ids, faccessat2 and fchmodat2.
// stat(2), statx(2), access(2), faccessat2(2), chmod(2), chown(2), utimensat(2): fields, effects, errors.
#include "say.h"
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <time.h>
#include <utime.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif

struct sx {
  uint32_t mask, blksize; uint64_t attributes; uint32_t nlink, uid, gid; uint16_t mode, pad; uint64_t ino, size, blocks, attributes_mask;
  struct { int64_t sec; uint32_t nsec, pad; } atime, btime, ctime, mtime;
  uint32_t rdev_major, rdev_minor, dev_major, dev_minor; uint64_t mnt_id, more[13];
};

static long sx(int dir, const char *path, int flags, unsigned mask, struct sx *out) {
  memset(out, 0xee, sizeof *out);
  return syscall(SYS_statx, dir, path, flags, mask, out);
}
static long fa2(const char *p, int mode, int flags) { return syscall(SYS_faccessat2, AT_FDCWD, p, mode, flags); }
static void show(const char *path) {
  struct stat st;
  if (lstat(path, &st)) printf("  %s: %s\n", path, err_name(errno));
  else printf("  %s: %o %d:%d\n", path, st.st_mode, (int)st.st_uid, (int)st.st_gid);
}

int main(void) {
  scratch();
  umask(022);
  put("f", "text");
  symlink("f", "s");
  symlink("none", "dangling");
  mkdir("d", 0755);
  mkdir("d/sub", 0755);
  struct stat st, st2;

  say("stat", stat("f", &st));
  printf("mode %o links %d size %ld blocks %d blksize %ld\n", st.st_mode, (int)st.st_nlink, (long)st.st_size, (long)st.st_blocks > 0, (long)st.st_blksize);
  printf("times equal %d\n", st.st_mtim.tv_sec == st.st_ctim.tv_sec);
  say("lstat", lstat("s", &st2));
  printf("mode %o size %ld\n", st2.st_mode, (long)st2.st_size);
  stat("d", &st);
  printf("dir links %d\n", (int)st.st_nlink);
  say("stat dangling", stat("dangling", &st));
  say("stat bad buffer", syscall(SYS_newfstatat, AT_FDCWD, "f", (void *)8, 0));
  say("stat bad path", syscall(SYS_newfstatat, AT_FDCWD, (void *)8, &st, 0));
  say("stat empty", stat("", &st));
  say("fstatat empty path", fstatat(open("f", O_PATH), "", &st, AT_EMPTY_PATH));
  say("fstatat empty cwd", fstatat(AT_FDCWD, "", &st, AT_EMPTY_PATH));
  printf("is dir %d\n", S_ISDIR(st.st_mode));
  say("fstatat null path", syscall(SYS_newfstatat, AT_FDCWD, 0, &st, AT_EMPTY_PATH));
  say("fstatat bad flags", fstatat(AT_FDCWD, "f", &st, 4));
  say("fstatat no automount", fstatat(AT_FDCWD, "f", &st, AT_NO_AUTOMOUNT));
  say("fstat -1", fstat(-1, &st));
  int p[2];
  pipe(p);
  fstat(p[0], &st);
  printf("pipe mode %o links %d size %ld blksize %ld uid %d\n", st.st_mode, (int)st.st_nlink, (long)st.st_size, (long)st.st_blksize, st.st_uid == getuid());
  stat("/dev/null", &st);
  printf("null mode %o rdev %d %d\n", st.st_mode & S_IFMT, major(st.st_rdev), minor(st.st_rdev));

  // statx
  struct sx x;
  say("statx", sx(AT_FDCWD, "f", 0, 0x7ff, &x));
  printf("basic %d mode %o links %d size %ld uid %d pad %d\n", (x.mask & 0x7ff) == 0x7ff, x.mode, x.nlink, (long)x.size, x.uid == getuid(), x.pad);
  stat("f", &st);
  printf("ino %d dev %d mtime %d ctime %d\n", x.ino == st.st_ino, makedev(x.dev_major, x.dev_minor) == st.st_dev, x.mtime.nsec == (unsigned)st.st_mtim.tv_nsec, x.ctime.sec == st.st_ctim.tv_sec);
  say("statx mask 0", sx(AT_FDCWD, "f", 0, 0, &x));
  say("statx reserved mask", sx(AT_FDCWD, "f", 0, 0x80000000, &x));
  say("statx both syncs", sx(AT_FDCWD, "f", 0x6000, 0x7ff, &x));
  say("statx dont sync", sx(AT_FDCWD, "f", 0x4000, 0x7ff, &x));
  say("statx bad flag", sx(AT_FDCWD, "f", 1, 0x7ff, &x));
  say("statx link", sx(AT_FDCWD, "s", AT_SYMLINK_NOFOLLOW, 0x7ff, &x));
  printf("mode %o\n", x.mode);
  say("statx fd", sx(p[0], "", AT_EMPTY_PATH, 0x7ff, &x));
  printf("mode %o\n", x.mode);
  say("statx null path", sx(p[0], 0, AT_EMPTY_PATH, 0x7ff, &x));
  say("statx empty without flag", sx(p[0], "", 0, 0x7ff, &x));
  say("statx null device", sx(AT_FDCWD, "/dev/null", 0, 0x7ff, &x));
  printf("rdev %d %d\n", x.rdev_major, x.rdev_minor);
  say("statx mount root", (sx(AT_FDCWD, "/", 0, 0x17ff, &x), (x.attributes & 0x2000) != 0));
  say("statx mount root attribute known", (x.attributes_mask & 0x2000) != 0);
  say("statx file is no mount root", (sx(AT_FDCWD, "f", 0, 0x17ff, &x), (x.attributes & 0x2000) != 0));
  say("statx mount id", (x.mask & 0x1000) != 0);

  // access
  chmod("f", 0644);
  say("access F", access("f", F_OK));
  say("access R", access("f", R_OK));
  say("access X", access("f", X_OK));
  say("access d X", access("d", X_OK));
  say("access mode 8", access("f", 8));
  say("access missing", access("none", F_OK));
  say("access dangling", access("dangling", F_OK));
  say("access slash", access("f/", F_OK));
  say("faccessat2 nofollow dangling", fa2("dangling", F_OK, AT_SYMLINK_NOFOLLOW));
  say("faccessat2 eaccess", fa2("f", R_OK, AT_EACCESS));
  say("faccessat2 bad flag", fa2("f", R_OK, 1));
  say("faccessat2 empty path", syscall(SYS_faccessat2, open("f", O_RDONLY), "", R_OK, AT_EMPTY_PATH));

  // chmod
  say("chmod", chmod("f", 0601));
  show("f");
  say("chmod 7777", chmod("f", 07777));
  show("f");
  say("chmod through link", chmod("s", 0640));
  show("f");
  show("s");
  say("chmod high bits", syscall(SYS_fchmodat, AT_FDCWD, "f", 0177644));
  show("f");
  say("fchmod dir", fchmod(open("d", O_RDONLY), 0711));
  show("d");
  say("chmod missing", chmod("none", 0));
  say("fchmodat2 nofollow link", syscall(SYS_fchmodat2, AT_FDCWD, "s", 0600, AT_SYMLINK_NOFOLLOW));
  say("fchmodat2 nofollow file", syscall(SYS_fchmodat2, AT_FDCWD, "f", 0600, AT_SYMLINK_NOFOLLOW));
  say("fchmodat2 empty path", syscall(SYS_fchmodat2, open("f", O_PATH), "", 0604, AT_EMPTY_PATH));
  show("f");
  say("fchmodat2 bad flag", syscall(SYS_fchmodat2, AT_FDCWD, "f", 0600, 1));
  say("chmod clears nothing on write by root", (chmod("f", 06755), 0));
  int fd = open("f", O_WRONLY);
  write(fd, "y", 1);
  close(fd);

  // utimensat
  struct timespec ts[2] = {{1000000000, 123456789}, {1100000000, 987654321}};
  say("utimensat", utimensat(AT_FDCWD, "f", ts, 0));
  stat("f", &st);
  printf("%ld.%09ld %ld.%09ld\n", (long)st.st_atim.tv_sec, st.st_atim.tv_nsec, (long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
  ts[0].tv_nsec = UTIME_OMIT, ts[1].tv_sec = 5, ts[1].tv_nsec = 0;
  say("omit atime", utimensat(AT_FDCWD, "f", ts, 0));
  stat("f", &st);
  printf("%ld %ld.%09ld\n", (long)st.st_atim.tv_sec, (long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
  ts[0].tv_nsec = UTIME_NOW, ts[1].tv_nsec = UTIME_OMIT;
  say("now atime", utimensat(AT_FDCWD, "f", ts, 0));
  stat("f", &st);
  printf("recent %d %ld\n", time(0) - st.st_atim.tv_sec < 100, (long)st.st_mtim.tv_sec);
  ts[0].tv_nsec = UTIME_OMIT;
  say("both omit missing", utimensat(AT_FDCWD, "none", ts, 0));
  say("both omit", utimensat(AT_FDCWD, "f", ts, 0));
  ts[0].tv_nsec = 1000000000;
  say("bad nsec", utimensat(AT_FDCWD, "f", ts, 0));
  ts[0].tv_nsec = -1;
  say("negative nsec", utimensat(AT_FDCWD, "f", ts, 0));
  ts[0] = (struct timespec){-5, 0}, ts[1] = (struct timespec){-1000000, 5};
  say("before the epoch", utimensat(AT_FDCWD, "f", ts, 0));
  stat("f", &st);
  printf("%ld %ld\n", (long)st.st_atim.tv_sec, (long)st.st_mtim.tv_sec);
  ts[0] = (struct timespec){5000000000, 0}, ts[1] = (struct timespec){6000000000, 0};
  say("after 2038", utimensat(AT_FDCWD, "f", ts, 0));
  stat("f", &st);
  printf("%ld %ld\n", (long)st.st_atim.tv_sec, (long)st.st_mtim.tv_sec);
  ts[0] = ts[1] = (struct timespec){77, 0};
  say("link itself", utimensat(AT_FDCWD, "s", ts, AT_SYMLINK_NOFOLLOW));
  lstat("s", &st);
  printf("%ld\n", (long)st.st_mtim.tv_sec);
  say("by fd", syscall(SYS_utimensat, open("f", O_RDONLY), 0, ts, 0));
  say("null path without fd", syscall(SYS_utimensat, AT_FDCWD, 0, ts, 0));
  say("null path with flags", syscall(SYS_utimensat, open("f", O_RDONLY), 0, ts, AT_SYMLINK_NOFOLLOW));
  say("O_PATH", syscall(SYS_utimensat, open("f", O_PATH), 0, ts, 0));
  say("empty path", syscall(SYS_utimensat, open("f", O_PATH), "", ts, AT_EMPTY_PATH));
  say("bad flag", utimensat(AT_FDCWD, "f", ts, 1));
  say("bad times", syscall(SYS_utimensat, AT_FDCWD, "f", (void *)8, 0));
  say("null times", utimensat(AT_FDCWD, "f", 0, 0));
  say("dir times", utimensat(AT_FDCWD, "d", ts, 0));
  stat("d", &st);
  printf("%ld\n", (long)st.st_mtim.tv_sec);
  put("d/new", "");
  stat("d", &st);
  printf("touched by a new name %d\n", st.st_mtim.tv_sec != 77);
  utimensat(AT_FDCWD, "f", ts, 0);
  fd = open("f", O_WRONLY);
  write(fd, "", 0);
  fstat(fd, &st);
  printf("write of 0 leaves mtime %d\n", st.st_mtim.tv_sec == 77);
  write(fd, "x", 1);
  fstat(fd, &st);
  printf("write changes mtime %d\n", st.st_mtim.tv_sec != 77);
  utimensat(AT_FDCWD, "f", ts, 0);
  say("ftruncate same size", ftruncate(fd, st.st_size));
  fstat(fd, &st);
  printf("truncate changes mtime %d\n", st.st_mtim.tv_sec != 77);
  utimensat(AT_FDCWD, "f", ts, 0);
  chmod("f", 0600);
  fstat(fd, &st);
  printf("chmod leaves mtime %d, changes ctime %d\n", st.st_mtim.tv_sec == 77, time(0) - st.st_ctim.tv_sec < 100);

  // chown to oneself and "leave it"
  say("chown -1 -1", chown("f", -1, -1));
  say("chown self", chown("f", getuid(), getgid()));
  say("lchown", lchown("s", getuid(), -1));
  say("chown missing", chown("none", -1, -1));
  say("fchownat empty path", fchownat(open("f", O_PATH), "", -1, -1, AT_EMPTY_PATH));
  say("fchownat bad flag", fchownat(AT_FDCWD, "f", -1, -1, 1));
  say("fchown -1", fchown(-1, 0, 0));
  return 0;
}
