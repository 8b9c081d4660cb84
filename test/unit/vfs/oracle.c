// The Linux that runs the tests, as a judge of path semantics: reads operations from stdin, one a line with
// tab-separated fields, does each of them in a fresh chroot on tmpfs and prints its result or -errno.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define SLOTS 4
static int slots[SLOTS] = {-1, -1, -1, -1};

struct how { uint64_t flags, mode, resolve; };

static long err(long r) { return r < 0 ? -errno : r; }

// arm64 numbers to this host's.
static int open_flags(int arm) {
#ifdef __aarch64__
  return arm;
#endif
  int f = arm & ~(040000 | 0100000 | 0200000 | 0400000);
  if (arm & 040000) f |= O_DIRECTORY;
  if (arm & 0100000) f |= O_NOFOLLOW;
  if (arm & 0200000) f |= O_DIRECT;
  return f;
}

static int at(const char *slot) {
  int n = atoi(slot);
  return n < 0 ? AT_FDCWD : slots[n] < 0 ? 999 : slots[n];
}

static long keep(int slot, long fd) {
  if (fd < 0) return -errno;
  int high = fcntl(fd, F_DUPFD, 20);
  close(fd);
  if (slots[slot] >= 0) close(slots[slot]);
  slots[slot] = high;
  return 0;
}

static void print_stat(long r, struct stat *s) {
  if (r < 0) { printf("%d\n", -errno); return; }
  printf("%o %lu %u %u %ld %lx\n", s->st_mode, (unsigned long)s->st_nlink, s->st_uid, s->st_gid,
         S_ISDIR(s->st_mode) ? 0 : (long)s->st_size, (unsigned long)s->st_rdev);
}

static int by_name(const void *a, const void *b) { return strcmp(*(char **)a, *(char **)b); }

static void list(const char *path) {
  DIR *d = opendir(path);
  if (!d) { printf("%d\n", -errno); return; }
  char *names[4096]; int n = 0;
  errno = 0;
  for (struct dirent *e; n < 4096 && (e = readdir(d));) names[n++] = strdup(e->d_name);
  if (errno) { printf("%d\n", -errno); closedir(d); return; }
  closedir(d);
  qsort(names, n, sizeof *names, by_name);
  for (int i = 0; i < n; i++) printf("%s%s", i ? "," : "", names[i]);
  printf("\n");
}

static struct timespec when(const char *s) {
  struct timespec t = {0, 0};
  if (!strcmp(s, "now")) t.tv_nsec = UTIME_NOW;
  else if (!strcmp(s, "omit")) t.tv_nsec = UTIME_OMIT;
  else t.tv_sec = atoll(s);
  return t;
}

static void run(char **a) {
  const char *op = a[0];
  struct stat s;
  char buf[8192];
  long r = -ENOSYS;
  errno = 0;
#define IS(name) else if (!strcmp(op, name))
#define NUM(i) strtol(a[i], 0, 0)
  if (!strcmp(op, "user")) { setfsuid(0); setfsgid(NUM(1)); setfsuid(NUM(1)); r = 0; }
  IS("umask") r = umask(NUM(1));
  IS("mkdir") r = err(mkdirat(at(a[1]), a[2], NUM(3)));
  IS("unlink") r = err(unlinkat(at(a[1]), a[2], NUM(3)));
  IS("open") r = keep(NUM(1), syscall(SYS_openat, at(a[2]), a[3], open_flags(NUM(4)), NUM(5)));
  IS("openat2") {
    struct how h = {open_flags(NUM(4)), NUM(5), NUM(6)};
    r = keep(NUM(1), syscall(SYS_openat2, at(a[2]), a[3], &h, sizeof h));
  }
  IS("close") { int n = NUM(1); r = err(close(slots[n] < 0 ? 999 : slots[n])); slots[n] = -1; }
  IS("write") r = err(write(at(a[1]), a[2], strlen(a[2])));
  IS("pread") {
    r = err(pread(at(a[1]), buf, sizeof buf - 1, 0));
    if (r >= 0) { buf[r] = 0; for (int i = 0; i < r; i++) if (!buf[i]) buf[i] = '~'; printf("%s\n", buf); return; }
  }
  IS("seek") r = err(lseek(at(a[1]), NUM(2), NUM(3)));
  IS("ftruncate") r = err(ftruncate(at(a[1]), NUM(2)));
  IS("truncate") r = err(truncate(a[1], NUM(2)));
  IS("fallocate") r = err(fallocate(at(a[1]), NUM(2), NUM(3), NUM(4)));
  IS("stat") { print_stat(fstatat(at(a[1]), a[2], &s, NUM(3)), &s); return; }
  IS("readlink") {
    r = err(readlinkat(at(a[1]), a[2], buf, sizeof buf - 1));
    if (r >= 0) { buf[r] = 0; printf("%s\n", buf); return; }
  }
  IS("symlink") r = err(symlinkat(a[1], at(a[2]), a[3]));
  IS("link") r = err(linkat(at(a[1]), a[2], at(a[3]), a[4], NUM(5)));
  IS("rename") r = err(syscall(SYS_renameat2, at(a[1]), a[2], at(a[3]), a[4], NUM(5)));
  IS("chmod") r = err(syscall(452, at(a[1]), a[2], NUM(3), NUM(4)));
  IS("fchmod") r = err(syscall(SYS_fchmod, at(a[1]), NUM(2)));
  IS("chown") r = err(fchownat(at(a[1]), a[2], NUM(3), NUM(4), NUM(5)));
  IS("access") r = err(syscall(439, at(a[1]), a[2], NUM(3), NUM(4)));
  IS("list") { list(a[1]); return; }
  IS("chdir") r = err(chdir(a[1]));
  IS("fchdir") r = err(fchdir(at(a[1])));
  IS("getcwd") {
    r = err(syscall(SYS_getcwd, buf, sizeof buf));
    if (r >= 0) { printf("%s\n", buf); return; }
  }
  IS("mknod") r = err(mknodat(at(a[1]), a[2], NUM(3), NUM(4)));
  IS("times") {
    struct timespec t[2] = {when(a[3]), when(a[4])};
    r = err(utimensat(at(a[1]), a[2], t, NUM(5)));
  }
  IS("mtime") {
    r = err(fstatat(at(a[1]), a[2], &s, AT_SYMLINK_NOFOLLOW));
    if (r >= 0) { printf("%ld\n", s.st_mtim.tv_sec > 1000000 ? 1L : s.st_mtim.tv_sec); return; }
  }
  IS("setxattr") r = err(setxattr(a[1], a[2], a[3], strlen(a[3]), NUM(4)));
  IS("getxattr") {
    r = err(getxattr(a[1], a[2], buf, sizeof buf - 1));
    if (r >= 0) { buf[r] = 0; printf("%s\n", buf); return; }
  }
  IS("removexattr") r = err(removexattr(a[1], a[2]));
  printf("%ld\n", r);
}

static int serve(const char *dir);

// With an argument: in that directory, whatever file system it is on.
int main(int argc, char **argv) {
  char dir[] = "/dev/shm/carrick-oracle-XXXXXX";
  if (geteuid() != 0) return 77;
  if (argc > 1) return serve(argv[1]);
  if (!mkdtemp(dir)) return 77;
  pid_t child = fork();
  if (child != 0) {
    int status = 77 << 8;
    waitpid(child, &status, 0);
    rmdir(dir);
    return WEXITSTATUS(status);
  }
  if (unshare(CLONE_NEWNS)) return 77;
  if (mount("none", "/", 0, MS_REC | MS_PRIVATE, 0) || mount("none", dir, "tmpfs", 0, "mode=0755")) return 77;
  return serve(dir);
}

static int serve(const char *dir) {
  if (chroot(dir) || chdir("/")) return 77;
  umask(022);
  if (setgroups(0, 0)) return 77;
  char *line = 0;
  size_t cap = 0;
  while (getline(&line, &cap, stdin) > 0) {
    line[strcspn(line, "\n")] = 0;
    char *fields[8] = {0};
    int n = 0;
    for (char *p = line; p && n < 8;) fields[n++] = strsep(&p, "\t");
    run(fields);
  }
  return 0;
}
