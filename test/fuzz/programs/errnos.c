// The differential fuzzer's program: errnos SEED CALLS DIRECTORY. Chosen calls with random arguments, one line for each with
// its outcome, in a deterministic order: built for the host and for the guest it must print the same.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
#define PAGES 12

static uint64_t state;
static uint32_t rnd(void) {
  state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  return state >> 16;
}
static uint32_t below(uint32_t n) { return rnd() % n; }
#define PICK(list) list[below(sizeof list / sizeof *list)]

static char *area, *work;  // mappings to play with; 16 KiB of plain memory, then a hole
static char note[400];
static int noted;
#define NOTE(...) noted += snprintf(note + noted, sizeof note - noted, __VA_ARGS__)

static long number(void) {
  static const long v[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 16, 17, 31, 32, 63, 64, 65, 100, -1, -2, -100, 127, 128, 255, 256, 1000, 4096, INT32_MAX, INT32_MIN};
  long n = PICK(v);
  NOTE(" %ld", n);
  return n;
}
static long length(void) {
  static const long v[] = {0, 1, 2, 4, 7, 8, 15, 16, 24, 100, 128, 255, 256, 1000, 4095, 4096, 4097, 8192, 12288, INT32_MAX, -1, -4096, INT64_MAX, INT64_MIN};
  long n = PICK(v);
  NOTE(" len %ld", n);
  return n;
}
static long offset(void) {
  static const long v[] = {0, 1, 3, 10, 100, 4095, 4096, 5000, 8192, 100000, -1, -10, -4096, INT64_MIN};
  long n = PICK(v);
  NOTE(" off %ld", n);
  return n;
}
static long bits(int top) {
  long n = below(3) == 0 ? 0 : below(2) ? 1l << below(top) : (1l << below(top)) | (1l << below(top));
  NOTE(" bits %lx", n);
  return n;
}
static int fd(void) {
  static const int v[] = {3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 40, -1, 99};
  int n = PICK(v);
  NOTE(" fd %d", n);
  return n;
}
static const char *path(void) {
  static const char *const v[] = {"f", "d", "l", "ld", "d/f", "d/new", "new", "p", "dangling", "loop", "", ".", "d/", "f/", "f/x", "none/x", "ld/f", "d/..", "./f", "d/.", "new/", "l/"};
  const char *p = PICK(v);
  if (below(20) == 0) p = (char *)8;
  NOTE(" %s", p == (char *)8 ? "(bad)" : p);
  return p;
}
static void *pointer(void) {
  switch (below(8)) {
    case 0: NOTE(" null"); return 0;
    case 1: NOTE(" bad"); return (void *)16;
    case 2: NOTE(" high"); return (void *)-4096l;
    case 3: NOTE(" edge"); return work + 4 * PAGE - 8;
    default: NOTE(" ok"); return work + 64 * below(16);
  }
}
// Memory with small numbers in 64-bit words.
static void *words(void) {
  if (below(8) == 0) return pointer();
  uint64_t *p = (uint64_t *)work + 512;
  static const uint64_t v[] = {0, 1, 2, 5, 999999999, 1000000000, -1, 4096, 1ull << 32};
  NOTE(" {");
  for (int i = 0; i < 4; i++) NOTE("%s%ld", i ? "," : "", (long)(p[i] = PICK(v)));
  NOTE("}");
  return p;
}
static void *place(void) {
  static const long v[] = {0, 1, 2, 3, 5, 7};
  long n = PICK(v) * PAGE + (below(8) == 0 ? 100 : 0);
  NOTE(" area+%ld", n);
  return area + n;
}
static long span(void) {
  static const long v[] = {0, 1, PAGE, PAGE + 1, 2 * PAGE, 3 * PAGE, -PAGE};
  long n = PICK(v);
  NOTE(" span %ld", n);
  return n;
}
static int openflags(void) {
  static const struct { int bit; const char *name; } v[] = {{O_CREAT, "CREAT"}, {O_EXCL, "EXCL"}, {O_TRUNC, "TRUNC"}, {O_APPEND, "APPEND"}, {O_NONBLOCK, "NONBLOCK"},
    {O_DIRECTORY, "DIRECTORY"}, {O_NOFOLLOW, "NOFOLLOW"}, {O_PATH, "PATH"}, {O_TMPFILE, "TMPFILE"}, {O_CLOEXEC, "CLOEXEC"}, {O_NOATIME, "NOATIME"}};
  int f = below(4) | O_NONBLOCK;
  NOTE(" %d", f & 3);
  for (int i = below(4); i > 0; i--) {
    int k = below(sizeof v / sizeof *v);
    f |= v[k].bit;
    NOTE("|%s", v[k].name);
  }
  return f;
}

static void things(void) {
  for (int n = 3; n < 128; n++) close(n);
  unlink("f"), unlink("d/f"), unlink("d/new"), unlink("new"), rmdir("new"), rmdir("d/new"), unlink("l"), unlink("ld"), unlink("none"), unlink("p");
  unlink("d"), rmdir("d"), unlink("dangling"), unlink("loop"), rmdir("none"), rmdir("f"), rmdir("d/f"), rmdir("d");
  mkdir("d", 0755);
  int a = open("f", O_RDWR | O_CREAT | O_TRUNC, 0644);
  if (write(a, "0123456789", 10) != 10) perror("f");
  dup2(a, 100), close(a), dup3(100, 3, 0), close(100);                        // 3
  close(open("d/f", O_RDWR | O_CREAT, 0600));
  symlink("f", "l"), symlink("d", "ld"), symlink("nothing", "dangling"), symlink("loop", "loop");
  mkfifo("p", 0600);
  lseek(3, 4, SEEK_SET);
  int e[2], n = open("f", O_RDONLY);                                         // 4
  n = open("f", O_WRONLY | O_APPEND);                                         // 5
  n = open("d", O_RDONLY | O_DIRECTORY);                                      // 6
  n = open("f", O_PATH);                                                      // 7
  n = pipe2(e, O_NONBLOCK);                                                   // 8 9
  n = eventfd(1, EFD_NONBLOCK);                                               // 10
  n = syscall(SYS_timerfd_create, CLOCK_MONOTONIC, O_NONBLOCK);               // 11
  n = epoll_create1(0);                                                       // 12
  n = syscall(SYS_inotify_init1, O_NONBLOCK);                                 // 13
  n = syscall(SYS_memfd_create, "m", MFD_ALLOW_SEALING);                      // 14
  if (ftruncate(14, 5000)) perror("memfd");
  n = open("/dev/zero", O_RDWR);                                              // 15
  n = open("/dev/null", O_RDWR);                                              // 16
  n = open("/dev/full", O_RDWR);                                              // 17
  sigset_t set;
  sigemptyset(&set), sigaddset(&set, SIGUSR1);
  n = syscall(SYS_signalfd4, -1, &set, 8l, O_NONBLOCK);                       // 18
  n = open("/dev/zero", O_RDONLY);                                            // 19
  if (n != 19) printf("descriptors are off: %d\n", n);
  area = mmap(area ? area : 0, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | (area ? MAP_FIXED : 0), -1, 0);
  munmap(area + 3 * PAGE, PAGE);
  mprotect(area + 5 * PAGE, PAGE, PROT_READ);
  umask(022);
}

// Arguments are evaluated into these first: the order of evaluation must not depend on the compiler.
static long A, B, C, D, E, F;

// One call. 1: the value counts; 0: only whether it worked.
static int one(long *result) {
  long r = -1;
  int value = 1;
  struct iovec io[3];
  switch (below(62)) {
#define T(text) NOTE("%s", text)
    case 0: T("lseek"); A = fd(), B = offset(), C = number(); if (A == 6 && C > 1) C = 1; r = syscall(SYS_lseek, A, B, C); break;
    case 1: T("dup3"); A = fd(), B = number(), C = below(4) ? 0 : bits(24); if (B == 0 || B == 1 || B == 2 || B == 4096) B = 40; r = syscall(SYS_dup3, A, B, C); break;
    case 2: T("close"); A = fd(); r = syscall(SYS_close, A); break;
    case 3: T("ftruncate"); A = fd(), B = offset(); r = syscall(SYS_ftruncate, A, B); break;
    case 4: T("fallocate"); A = fd(), B = bits(8), C = offset(), D = offset(); r = syscall(SYS_fallocate, A, B, C, D); break;
    case 5: T("read"); A = fd(), B = (long)pointer(), C = length(); r = syscall(SYS_read, A, B, C); break;
    case 6: T("write"); A = fd(), B = (long)pointer(), C = length(); r = syscall(SYS_write, A, B, C < 0 || C > 100000 ? C : C); break;
    case 7: T("pread"); A = fd(), B = (long)pointer(), C = length(), D = offset(); r = syscall(SYS_pread64, A, B, C, D); break;
    case 8: T("pwrite"); A = fd(), B = (long)pointer(), C = length(), D = offset(); if (D > 10 && (B < (long)work || B > (long)work + 1024)) D = 3; r = syscall(SYS_pwrite64, A, B, C, D); break;
    case 9: case 10:
      T(below(2) ? "readv" : "writev");
      A = fd();
      if (A == 19 || A == 10) A = 9;
      for (int i = 0; i < 3; i++) io[i].iov_base = pointer(), io[i].iov_len = length();
      {
        static const long odd[] = {0, -1, 1025, INT32_MAX, INT32_MIN};
        B = below(6) ? 1 + (long)below(3) : PICK(odd);
      }
      NOTE(" n %ld", B);
      r = syscall(note[0] == 'r' ? SYS_readv : SYS_writev, A, io, B);
      break;
    case 11: T("openat"); A = below(3) ? AT_FDCWD : fd(), B = (long)path(), C = openflags(), D = 0600; r = syscall(SYS_openat, A, B, C, D); break;
    case 12: T("openat"); A = AT_FDCWD, B = (long)path(), C = openflags(), D = 0600; r = syscall(SYS_openat, A, B, C, D); break;
    case 13: T("faccessat2"); A = below(3) ? AT_FDCWD : fd(), B = (long)path(), C = below(9), D = bits(14); NOTE(" %ld", C); r = syscall(439, A, B, C, D); break;
    case 14: T("unlinkat"); A = AT_FDCWD, B = (long)path(), C = below(3) ? (below(2) ? AT_REMOVEDIR : 0) : bits(12); NOTE(" %ld", C); r = syscall(SYS_unlinkat, A, B, C); break;
    case 15: T("mkdirat"); A = AT_FDCWD, B = (long)path(); r = syscall(SYS_mkdirat, A, B, 0700l); break;
    case 16: T("linkat"); A = (long)path(), B = (long)path(), C = below(2) ? 0 : bits(14); r = syscall(SYS_linkat, AT_FDCWD, A, AT_FDCWD, B, C); break;
    case 17: T("symlinkat"); A = (long)path(), B = (long)path(); r = syscall(SYS_symlinkat, A, AT_FDCWD, B); break;
    case 18: T("renameat2"); A = (long)path(), B = (long)path(), C = below(4) ? below(3) : 8 + below(3); NOTE(" %ld", C); r = syscall(SYS_renameat2, AT_FDCWD, A, AT_FDCWD, B, C); break;
    case 19: T("statx"); A = below(3) ? AT_FDCWD : fd(), B = (long)path(), C = bits(16), D = bits(32), E = (long)pointer(); r = syscall(SYS_statx, A, B, C, D, E); break;
    case 20: T("newfstatat"); A = below(3) ? AT_FDCWD : fd(), B = (long)path(), C = (long)pointer(), D = bits(14); r = syscall(SYS_newfstatat, A, B, C, D); break;
    case 21: T("utimensat"); A = below(3) ? AT_FDCWD : fd(), B = below(4) ? (long)path() : 0, C = (long)words(), D = below(2) ? 0 : bits(14); r = syscall(SYS_utimensat, A, B, C, D); break;
    case 22: T("fchmodat"); A = AT_FDCWD, B = (long)path(); r = syscall(SYS_fchmodat, A, B, 0755l); break;
    case 23: T("fchownat"); A = below(3) ? AT_FDCWD : fd(), B = (long)path(), C = below(2) ? 0 : bits(14); r = syscall(SYS_fchownat, A, B, -1, -1, C); break;
    case 24: T("readlinkat"); A = below(3) ? AT_FDCWD : fd(), B = (long)path(), C = (long)pointer(), D = length(); r = syscall(SYS_readlinkat, A, B, C, D); break;
    case 25: T("epoll_ctl"); A = fd(), B = below(5), C = fd(), D = (long)words(); NOTE(" %ld", B); r = syscall(SYS_epoll_ctl, A, B, C, D); break;
    case 26: T("epoll_pwait"); A = fd(), B = (long)pointer(), C = number(); r = syscall(SYS_epoll_pwait, A, B, C, 0, 0, 8l); break;
    case 27: T("eventfd2"); A = number(), B = bits(20); r = syscall(SYS_eventfd2, A, B); value = 0; break;
    case 28: T("timerfd_create"); A = number(), B = bits(20); if (A == 8 || A == 9) A = 1; r = syscall(SYS_timerfd_create, A, B); value = 0; break;
    case 29: T("timerfd_settime"); A = fd(), B = bits(4), C = (long)words(), D = (long)pointer(); r = syscall(SYS_timerfd_settime, A, B, C, D); break;
    case 30: T("signalfd4"); A = fd(), B = (long)words(), C = below(4) ? 8 : number(), D = bits(20); r = syscall(SYS_signalfd4, A, B, C, D); value = 0; break;
    case 31: T("inotify_add_watch"); A = fd(), B = (long)path(), C = bits(32); r = syscall(SYS_inotify_add_watch, A, B, C); value = 0; break;
    case 32: T("inotify_rm_watch"); A = fd(), B = number(); r = syscall(SYS_inotify_rm_watch, A, B); break;
    case 33: T("memfd_create"); A = (long)path(), B = bits(2); r = syscall(SYS_memfd_create, A, B); value = 0; break;
    case 34: T("pipe2"); A = (long)pointer(), B = bits(7); r = syscall(SYS_pipe2, A, B); break;
    case 35: {
      static const int c[] = {F_DUPFD, F_GETFD, F_SETFD, F_GETLK, F_SETLK, F_GETOWN, F_SETSIG, F_GETSIG, F_OFD_GETLK, F_OFD_SETLK, F_GETPIPE_SZ, F_ADD_SEALS, F_GET_SEALS, F_DUPFD_CLOEXEC, 12345};
      T("fcntl"), A = fd(), B = PICK(c), NOTE(" %ld", B);
      if (B == F_OFD_SETLK) A = 3;
      C = B == F_GETLK || B == F_SETLK || B == F_OFD_GETLK || B == F_OFD_SETLK ? (long)words() : number();
      if (C == 4096) C = 64;
      r = syscall(SYS_fcntl, A, B, C);
      break;
    }
    case 36: T("mprotect"); A = (long)place(), B = span(), B = B == INT64_MAX ? 0 : B, C = below(9); NOTE(" %ld", C); r = syscall(SYS_mprotect, A, B, C); break;
    case 37: T("msync"); A = (long)place(), B = span(), C = below(9); if (B == INT64_MAX) B = 0; NOTE(" %ld", C); r = syscall(SYS_msync, A, B, C); break;
    case 38: T("madvise"); A = (long)place(), B = span(), C = below(28); if (C == 12 || C == 13 || C == 14 || C == 15 || C == 20 || C == 21 || C == 25) C = 4; NOTE(" %ld", C); r = syscall(SYS_madvise, A, B, C); break;
    case 39: T("mincore"); A = (long)place(), B = below(2) ? PAGE : 1, C = (long)pointer(); r = syscall(SYS_mincore, A, B, C); break;
    case 40: T("mlock"); A = (long)place(), B = span(), B = B < 0 ? 0 : B; if (B > PAGE) B = PAGE; r = syscall(SYS_mlock, A, B); syscall(SYS_munlock, area, PAGES * PAGE); break;
    case 41: T("mmap"); A = below(3) ? 0 : (long)place(), B = span(), C = below(4), D = below(4) ? (below(2) ? MAP_PRIVATE : MAP_SHARED) | (below(2) ? MAP_ANONYMOUS : 0) : bits(5), E = fd(), F = below(3) ? 0 : offset();
      if (F < 0) F = 0;
      NOTE(" %ld %lx", C, D); if (D & MAP_FIXED) D &= ~MAP_FIXED; r = syscall(SYS_mmap, A, B, C, D, E, F); if (r != -1) syscall(SYS_munmap, r, B); value = 0; break;
    case 42: T("munmap"); A = (long)place(), B = span(); if (B > 3 * PAGE) A |= 1; r = syscall(SYS_munmap, A, B); break;
    case 43: T("mremap"); A = (long)place(), B = span(), B = B == INT64_MAX ? 0 : B, C = span(), D = below(2) ? 0 : bits(5) & ~2l; r = syscall(SYS_mremap, A, B, C, D, 0l); value = 0; break;
    case 44: T("clock_gettime"); A = number(), B = (long)pointer(); if (A < 0) A = -1; if (A == 8 || A == 9) A = 7; r = syscall(SYS_clock_gettime, A, B); break;
    case 45: T("clock_getres"); A = below(8), B = (long)pointer(); NOTE(" %ld", A); r = syscall(SYS_clock_getres, A, B); break;
    case 46: T("nanosleep"); A = (long)words(); if (A >= (long)work && A < (long)work + 4 * PAGE - 8) ((uint64_t *)A)[1] |= 1ull << 40; r = syscall(SYS_nanosleep, A, 0); break;
    case 47: T("rt_sigaction"); A = number(), B = below(2) ? 0 : (long)pointer(), C = (long)pointer(), D = below(4) ? 8 : number(); if (B) A = 9; r = syscall(SYS_rt_sigaction, A, B, C, D); break;
    case 48: T("rt_sigprocmask"); A = number(), B = 0, C = (long)pointer(), D = below(4) ? 8 : number(); r = syscall(SYS_rt_sigprocmask, A, B, C, D); break;
    case 49: T("rt_sigtimedwait"); A = (long)words(), B = (long)pointer(), D = below(4) ? 8 : number(); { static struct { long s, n; } zero; r = syscall(SYS_rt_sigtimedwait, A, B, &zero, D); } break;
    case 50: T("getitimer"); A = number(), B = (long)pointer(); r = syscall(SYS_getitimer, A, B); break;
    case 51: T("sched_get_priority_max"); A = number(); if (A == 7) A = 6; r = syscall(SYS_sched_get_priority_max, A); break;
    case 52: T("prlimit64"); A = number(); r = syscall(SYS_prlimit64, 0, A, 0, work); break;
    case 53: T("getrandom"); A = (long)pointer(), B = length(), C = bits(4); if (B > 100000 || B < 0) B = 300; r = syscall(SYS_getrandom, A, B, C); break;
    case 54: T("waitid"); A = below(6), B = number(), C = (long)pointer(), D = bits(32); NOTE(" %ld", A); if (A == 3) A = 1; r = syscall(SYS_waitid, A, B, C, D, 0); break;
    case 55: T("wait4"); A = number(), B = (long)pointer(), C = bits(32); r = syscall(SYS_wait4, A, B, C, 0); break;
    case 56: T("flock"); A = fd(), B = number(); r = syscall(SYS_flock, A, B | LOCK_NB); break;
    case 57: T("sendfile"); A = fd(), A = A == 17 || A == 15 ? 16 : A, B = fd(), B = B == 16 ? 15 : B, C = below(2) ? 0 : (long)words(), D = 1 + below(100); NOTE(" n %ld", D); r = syscall(SYS_sendfile, A, B, C, D); break;
    case 58: T("splice"); A = fd(), A = A >= 16 ? 8 : A, B = below(3) ? 0 : (long)words(), C = fd(), C = C >= 16 ? 9 : C, D = below(3) ? 0 : (long)words(), E = 1 + below(100), F = below(6) ? 2 : 2 | bits(6); NOTE(" n %ld", E); r = syscall(SYS_splice, A, B, C, D, E, F); break;
    case 59: T("copy_file_range"); A = fd(), B = fd(), C = 1 + below(100), D = below(8) ? 0 : bits(3); NOTE(" n %ld", C); r = syscall(SYS_copy_file_range, A, 0, B, 0, C, D); break;
    case 60: T("close_range"); A = 30 + below(40), B = number(), C = bits(4); NOTE(" from %ld", A); r = syscall(436, A, B, C); break;
    default: {
      struct { int fd; short events, revents; } pf[3];
      T("ppoll");
      for (int i = 0; i < 3; i++) pf[i].fd = fd(), pf[i].events = bits(11) & ~0x140, pf[i].revents = 0;
      static struct { long s, n; } zero;
      r = syscall(SYS_ppoll, pf, 3l, &zero, 0, 8l);
      NOTE(" [%x %x %x]", pf[0].revents, pf[1].revents, pf[2].revents);
    }
  }
  *result = r;
  return value;
}

int main(int argc, char **argv) {
  if (argc != 4 || chdir(argv[3])) return 99;
  uint64_t seed = strtoull(argv[1], 0, 0);
  int calls = atoi(argv[2]);
  state = (seed + 1) * 0x9e3779b97f4a7c15ull;
  for (int i = 0; i < 8; i++) rnd();
  signal(SIGPIPE, SIG_IGN), signal(SIGALRM, SIG_IGN), signal(SIGIO, SIG_IGN);
  work = mmap(0, 5 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mprotect(work + 4 * PAGE, PAGE, PROT_NONE);
  static char out[1 << 16];
  setvbuf(stdout, out, _IOLBF, sizeof out);
  for (int i = 0; i < calls; i++) {
    if (i % 16 == 0) things();
    noted = 0;
    memset(work, 0, 4 * PAGE);
    long r;
    int value = one(&r);
    if (r == -1) printf("%d %s = errno %d\n", i, note, errno);
    else if (value) printf("%d %s = %ld\n", i, note, r);
    else printf("%d %s = ok\n", i, note);
  }
  fflush(stdout);
  return 0;
}
