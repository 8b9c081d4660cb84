// The syscall fuzzer's guest: syscalls SEED CALLS. Random calls with bad pointers, lengths, descriptors and flags, in forked
// children; interval timers end what blocks, the parent ends whoever lives too long. It prints "warm" after a first tenth
// and "done" at the end and waits for a line of input each time, so that the harness can look at the host process.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096
#define LAST_CALL 460
#define BATCH 40

static uint64_t state;
static uint32_t rnd(void) {
  state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  return state >> 16;
}
static uint32_t below(uint32_t n) { return rnd() % n; }

static char *area;      // writable pages, then a hole
static char *readonly;  // one page
static int verbose;

static const char *const paths[] = {
  "f", "d", "l", "d/f", "d/new", "new", "fifo", "dangling", "loop", "", ".", "/", "d/", "f/x", "none/x", "/proc", "/proc/self/fd/0", "/proc/self/status",
  "/proc/self/mem", "/proc/self/maps", "/proc/self/exe", "/proc/self/task", "/proc/sys/kernel/hostname", "/dev/null", "/dev/zero", "/dev/full", "/dev/ptmx",
  "/dev/pts/0", "/dev/tty", "/dev/fd/3", "/dev/shm/x", "/sys", "/sys/devices/system/cpu/online", "tmp", "tmp/f", "\xff\xfe", "d/d2", "d/d2/d3", "/dev", "/dev/pts"};

static int64_t a_length(void) {
  static const int64_t v[] = {0, 1, 2, 4, 7, 8, 16, 24, 32, 56, 64, 100, 128, 255, 256, 1024, 1025, 4095, 4096, 4097, 8192, 65536, 65537, 1 << 20,
    0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, INT64_MAX, INT64_MIN, -1, -4096, 1ll << 40, 1ll << 47, 1ll << 53, -8};
  return below(3) ? v[below(24)] : v[below(sizeof v / sizeof *v)];
}
static int64_t a_small(void) {
  static const int64_t v[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16, 17, 31, 32, 33, 63, 64, 65, 100, -1, -2, -100, 1000, 4096, INT32_MAX, INT32_MIN};
  return below(4) ? (int64_t)below(20) : v[below(sizeof v / sizeof *v)];
}
static int64_t a_flags(void) {
  switch (below(5)) {
    case 0: return 0;
    case 1: return 1ll << below(32);
    case 2: return (1ll << below(20)) | (1ll << below(32));
    case 3: return below(256);
    default: return rnd();
  }
}
static int64_t a_fd(void) {
  switch (below(8)) {
    case 0: return -1;
    case 1: return AT_FDCWD;
    case 2: return (int32_t)rnd();
    default: return 3 + below(26);
  }
}
static int64_t a_pid(void) {
  static const int v[] = {0, 999999, -999999, 0x7fffffff, -2};
  return below(3) ? getpid() : v[below(5)];
}
// Something in the writable area, filled with small and large values.
static int64_t a_struct(void) {
  uint64_t *p = (uint64_t *)(area + below(15) * 1024);
  int n = below(32);
  for (int i = 0; i < n; i++) {
    switch (below(6)) {
      case 0: p[i] = 0; break;
      case 1: p[i] = a_small(); break;
      case 2: p[i] = (uintptr_t)area + below(16384); break;
      case 3: p[i] = a_length(); break;
      case 4: p[i] = a_flags() | (uint64_t)a_fd() << 32; break;
      default: p[i] = ((uint64_t)rnd() << 32) | rnd();
    }
  }
  return (uintptr_t)p;
}
static int64_t a_pointer(void) {
  switch (below(12)) {
    case 0: return 0;
    case 1: return 8;
    case 2: return -4096 + (int64_t)below(4096);
    case 3: return (uintptr_t)area + 16384 - below(64);
    case 4: return (uintptr_t)readonly;
    case 5: return ((int64_t)rnd() << 32) | rnd();
    case 6: return (1ll << 48) - 8;
    case 7: return (uintptr_t)area + below(4096);
    default: return a_struct();
  }
}
static int64_t a_path(void) {
  switch (below(16)) {
    case 0: return a_pointer();
    case 1: {
      char *p = area + 8192;
      memset(p, 'a' + below(26), 5000);
      if (below(2)) for (int i = 0; i < 5000; i += 1 + below(300)) p[i] = '/';
      p[below(5000)] = 0, p[5000] = 0;
      if (p[0] == '/') p[0] = 'x';
      return (uintptr_t)p;
    }
    default: return (uintptr_t)paths[below(sizeof paths / sizeof *paths)];
  }
}
static int64_t any(void) {
  switch (below(7)) {
    case 0: return a_length();
    case 1: return a_small();
    case 2: return a_flags();
    case 3: return a_fd();
    case 4: return a_path();
    case 5: return a_pid();
    default: return a_pointer();
  }
}
// Vectors with mostly good entries.
static int64_t a_iov(void) {
  if (!below(8)) return a_pointer();
  uint64_t *v = (uint64_t *)(area + 4096);
  for (int i = 0; i < 8; i++) v[2 * i] = below(6) ? (uintptr_t)area + below(12000) : (uint64_t)a_pointer(), v[2 * i + 1] = below(6) ? below(5000) : (uint64_t)a_length();
  return (uintptr_t)v;
}

// Letters: f descriptor, p path, P pointer, s struct, l length, n small number, g flags, i pid, v iovec, 0 zero, * anything.
static const struct { int nr; const char *args; } shapes[] = {
  {SYS_openat, "fpgn"}, {SYS_openat2, "fpsl"}, {SYS_close, "f"}, {SYS_read, "fPl"}, {SYS_write, "fPl"}, {SYS_readv, "fvn"}, {SYS_writev, "fvn"}, {SYS_pread64, "fPll"},
  {SYS_pwrite64, "fPln"}, {SYS_preadv2, "fvnl0g"}, {SYS_pwritev2, "fvnn0g"}, {SYS_lseek, "fln"}, {SYS_dup, "f"}, {SYS_dup3, "fng"}, {SYS_fcntl, "fn*"}, {SYS_ioctl, "fgs"},
  {SYS_flock, "fn"}, {SYS_mkdirat, "fpn"}, {SYS_unlinkat, "fpg"}, {SYS_symlinkat, "pfp"}, {SYS_linkat, "fpfpg"}, {SYS_renameat2, "fpfpn"}, {SYS_ftruncate, "fl"},
  {SYS_truncate, "pl"}, {SYS_fallocate, "fnll"}, {SYS_faccessat, "fpn"}, {SYS_chdir, "p"}, {SYS_fchdir, "f"}, {SYS_fchmodat, "fpn"}, {SYS_fchownat, "fpnng"},
  {SYS_getdents64, "fPl"}, {SYS_pipe2, "Pg"}, {SYS_sendfile, "ffPl"}, {SYS_splice, "fPfPlg"}, {SYS_tee, "fflg"}, {SYS_vmsplice, "fvng"}, {SYS_copy_file_range, "fPfPl0"},
  {SYS_readlinkat, "fpPl"}, {SYS_newfstatat, "fpPg"}, {SYS_fstat, "fP"}, {SYS_statx, "fpggP"}, {SYS_utimensat, "fpsg"}, {SYS_setxattr, "ppPln"}, {SYS_getxattr, "ppPl"},
  {SYS_listxattr, "pPl"}, {SYS_fsetxattr, "fpPln"}, {SYS_eventfd2, "ng"}, {SYS_epoll_create1, "g"}, {SYS_epoll_ctl, "fnfs"}, {SYS_epoll_pwait, "fPnnPl"}, {SYS_epoll_pwait2, "fPnsPl"},
  {SYS_ppoll, "snsPl"}, {SYS_pselect6, "nsssss"}, {SYS_signalfd4, "fsl"}, {SYS_timerfd_create, "ng"}, {SYS_timerfd_settime, "fgsP"}, {SYS_inotify_init1, "g"},
  {SYS_inotify_add_watch, "fpg"}, {SYS_inotify_rm_watch, "fn"}, {SYS_memfd_create, "pg"}, {SYS_mmap, "PlggfL"}, {SYS_munmap, "Pl"}, {SYS_mprotect, "Plg"}, {SYS_mremap, "PllgP"},
  {SYS_madvise, "Pln"}, {SYS_msync, "Plg"}, {SYS_mincore, "PlP"}, {SYS_mlock, "Pl"}, {SYS_futex, "sgns*n"}, {SYS_nanosleep, "sP"}, {SYS_clock_nanosleep, "ngsP"},
  {SYS_timer_create, "nsP"}, {SYS_timer_settime, "ngsP"}, {SYS_setitimer, "nsP"}, {SYS_rt_sigaction, "nsPl"}, {SYS_rt_sigprocmask, "nsPl"}, {SYS_sigaltstack, "sP"},
  {SYS_rt_sigtimedwait, "sPsl"}, {SYS_rt_sigqueueinfo, "ins"}, {SYS_wait4, "iPgP"}, {SYS_waitid, "niPgP"}, {SYS_prlimit64, "insP"}, {SYS_prctl, "n****"}, {SYS_getrandom, "Plg"},
  {SYS_execve, "pss"}, {SYS_execveat, "fpssg"}, {SYS_capget, "sP"}, {SYS_capset, "ss"}, {SYS_setgroups, "ls"}, {SYS_getgroups, "lP"}, {SYS_sched_setaffinity, "ilP"},
  {SYS_sched_getaffinity, "ilP"}, {SYS_mount, "ppsgP"}, {SYS_umount2, "pg"}, {SYS_statfs, "pP"}, {SYS_chroot, "p"}, {SYS_getcwd, "Pl"}, {SYS_name_to_handle_at, "fpsPg"},
  {SYS_socket, "nnn"}, {SYS_socketpair, "nnnP"}, {SYS_bind, "fsl"}, {SYS_connect, "fsl"}, {SYS_sendto, "fPlgsl"}, {SYS_recvfrom, "fPlgPP"}, {SYS_sendmsg, "fsg"}, {SYS_recvmsg, "fsg"},
  {SYS_setsockopt, "fnnsl"}, {SYS_getsockopt, "fnnPP"}, {SYS_clone, "gPPPP"}, {434, "ig"}, {435, "sl"}, {436, "nng"}, {438, "fng"}, {439, "fpng"}, {449, "sngsn"}, {454, "snng"}, {455, "snngsn"},
  {462, "Plg"}, {441, "fPnsPl"}, {SYS_process_vm_readv, "ivnvn0"}, {SYS_kcmp, "iinnn"}, {SYS_seccomp, "ngs"}, {SYS_perf_event_open, "siing"}, {SYS_bpf, "nsl"}};

static int64_t make(char kind) {
  switch (kind) {
    case 'f': return a_fd();
    case 'p': return a_path();
    case 'P': return a_pointer();
    case 's': return below(6) ? a_struct() : a_pointer();
    case 'l': return a_length();
    case 'L': return below(3) ? below(8) * PAGE : a_length();
    case 'n': return a_small();
    case 'g': return a_flags();
    case 'i': return a_pid();
    case 'v': return a_iov();
    case '0': return 0;
    default: return any();
  }
}

// Whether a call is left out: it would end the fuzzer, or reach beyond the scratch directory.
static int spared(int nr, int64_t *a) {
  switch (nr) {
    case SYS_exit: case SYS_exit_group: case SYS_rt_sigreturn: case SYS_reboot:
      return below(20) != 0;
    case SYS_kill: case SYS_tkill: case SYS_rt_sigqueueinfo:
      a[0] = a_pid();
      if ((int)a[0] == -1) a[0] = 0;
      return a[1] == SIGSTOP || a[1] == SIGTSTP || a[1] == SIGTTIN || a[1] == SIGTTOU;
    case SYS_tgkill: case SYS_rt_tgsigqueueinfo:
      a[0] = a_pid(), a[1] = a_pid();
      return a[2] == SIGSTOP;
    case 424:  // pidfd_send_signal
      return a[1] == SIGSTOP;
    case SYS_mknodat:  // no devices of the host
      a[3] = 0x103;
      return 0;
    case SYS_rt_sigsuspend:
      return below(4) != 0;
    case SYS_execve: case SYS_execveat:
      return below(4) != 0;
    case SYS_setuid: case SYS_setreuid: case SYS_setresuid:
      return below(4) != 0;
  }
  return 0;
}
static void tick(int s) { (void)s; }

static void open_things(void) {
  for (int fd = 3; fd < 64; fd++) close(fd);
  int p[2];
  open("f", O_RDWR | O_CREAT, 0644);                  // 3
  open("f", O_RDONLY);                                // 4
  open("d", O_RDONLY | O_DIRECTORY);                  // 5
  open("d", O_PATH);                                  // 6
  pipe(p);                                            // 7 8
  pipe2(p, O_NONBLOCK);                               // 9 10
  eventfd(1, 0);                                      // 11
  timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);      // 12
  sigset_t set;
  sigemptyset(&set), sigaddset(&set, SIGUSR1);
  syscall(SYS_signalfd4, -1, &set, 8l, O_NONBLOCK);   // 13
  int ep = epoll_create1(0);                          // 14
  struct epoll_event ev = {EPOLLIN, {0}};
  epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev);
  inotify_init1(IN_NONBLOCK);                         // 15
  int m = memfd_create("m", MFD_ALLOW_SEALING);       // 16
  ftruncate(m, 3 * PAGE);
  open("/dev/zero", O_RDWR);                          // 17
  open("/dev/null", O_RDWR);                          // 18
  open("/dev/ptmx", O_RDWR | O_NOCTTY);               // 19
  syscall(SYS_socketpair, 1, 1, 0, p);                // 20 21
  syscall(SYS_socket, 2, 2, 0);                       // 22
  open("/proc/self/status", O_RDONLY);                // 23
  open("/proc/self/mem", O_RDWR);                     // 24
  open("fifo", O_RDWR | O_NONBLOCK);                  // 25
  open("/proc", O_RDONLY);                            // 26
  open("f", O_WRONLY | O_APPEND);                     // 27
  syscall(434, getpid(), 0);                          // 28 pidfd
}

static void fuzz_child(int calls) {
  setsid();
  struct sigaction sa = {.sa_handler = tick};
  sigaction(SIGALRM, &sa, 0);
  struct itimerval t = {{0, 10000}, {0, 10000}};
  setitimer(ITIMER_REAL, &t, 0);
  open_things();
  if (below(3) == 0) mmap(area + 3 * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, 16, 0);
  for (int i = 0; i < calls; i++) {
    int64_t a[6];
    int nr;
    if (below(3)) {
      int k = below(sizeof shapes / sizeof *shapes);
      const char *args = shapes[k].args;
      nr = shapes[k].nr;
      for (int j = 0; j < 6; j++) a[j] = j < (int)strlen(args) ? make(args[j]) : any();
    } else {
      nr = below(LAST_CALL + 1);
      for (int j = 0; j < 6; j++) a[j] = any();
    }
    if (spared(nr, a)) continue;
    if (verbose) {
      char line[200];
      int n = snprintf(line, sizeof line, "%d: %d %llx %llx %llx %llx %llx %llx\n", getpid(), nr, (long long)a[0], (long long)a[1], (long long)a[2], (long long)a[3], (long long)a[4], (long long)a[5]);
      write(2, line, n);
    }
    syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
  }
  _exit(0);
}

// Ends every process but this one and the first.
static void sweep(void) {
  DIR *d = opendir("/proc");
  if (d == 0) return;
  for (struct dirent *e; (e = readdir(d));) {
    int pid = atoi(e->d_name);
    if (pid > 0 && pid != getpid()) kill(pid, SIGKILL);
  }
  closedir(d);
  while (waitpid(-1, 0, WNOHANG) > 0) {}
}

static void pause_for_harness(const char *word) {
  printf("%s\n", word);
  fflush(stdout);
  char c;
  while (read(0, &c, 1) == 1 && c != '\n') {}
}

int main(int argc, char **argv) {
  uint64_t seed = argc > 1 ? strtoull(argv[1], 0, 0) : 1;
  int calls = argc > 2 ? atoi(argv[2]) : 1000;
  verbose = argc > 3;
  area = mmap(0, 5 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mprotect(area + 4 * PAGE, PAGE, PROT_NONE);
  readonly = mmap(0, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  signal(SIGPIPE, SIG_IGN);
  int batches = calls / BATCH, warm = batches / 10;
  for (int i = 0; i < batches; i++) {
    // Each batch has a seed of its own, so that one can be repeated alone, and a fresh scratch.
    state = (seed + 1) * 0x9e3779b97f4a7c15ull + (uint64_t)i * 0xbf58476d1ce4e5b9ull;
    for (int k = 0; k < 8; k++) rnd();
    mkdir("d", 0755);
    symlink("f", "l");
    symlink("none", "dangling");
    symlink("loop", "loop");
    mkfifo("fifo", 0600);
    pid_t child = fork();
    if (child == 0) {
      int null = open("/dev/null", O_RDWR);
      for (int fd = 0; null >= 0 && fd < (verbose ? 2 : 3); fd++) dup2(null, fd);
      fuzz_child(BATCH);
    }
    if (child < 0) {
      printf("fork: %d\n", errno);
      return 1;
    }
    int waited = 0;
    while (waitpid(child, 0, WNOHANG) == 0 && waited++ < 1500) usleep(200 + 20 * waited);
    kill(child, SIGKILL);
    sweep();
    if (i == warm) pause_for_harness("warm");
  }
  sweep();
  pause_for_harness("done");
  return 0;
}
