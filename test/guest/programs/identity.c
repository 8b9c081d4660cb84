// native: the emulator runs with the caller's own identity.
// Credentials, capabilities, limits, prctl(2), scheduling, names: what each call changes, what is inherited, and the errors.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

static void err(const char *what, long r) {
  if (r == -1) printf("%s: errno %d\n", what, errno);
  else printf("%s: %ld\n", what, r);
}
static void ids(const char *what) {
  unsigned r, e, s, gr, ge, gs;
  getresuid(&r, &e, &s), getresgid(&gr, &ge, &gs);
  int fu = setfsuid(-1), fg = setfsgid(-1);
  printf("%s: uid %d %d %d fs %d gid %d %d %d fs %d\n", what, r, e, s, fu, gr, ge, gs, fg);
}
static void caps(const char *what) {
  struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct d[2];
  memset(d, 0, sizeof d);
  syscall(SYS_capget, &h, d);
  printf("%s: effective %s permitted %s inheritable %s\n", what, d[0].effective ? "some" : "none", d[0].permitted ? "some" : "none",
         d[0].inheritable ? "some" : "none");
}
static void in_child(void (*f)(void)) {
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    f();
    fflush(stdout);
    _exit(0);
  }
  int st;
  waitpid(pid, &st, 0);
  if (st) printf("child: %x\n", st);
}
static int raw_setuid(int u) { return syscall(SYS_setuid, u); }
static void set_ids(void) {
  err("setresuid", syscall(SYS_setresuid, 1000, 1001, 1002));
  ids("after setresuid");
  caps("after setresuid");
  err("seteuid to real", syscall(SYS_setresuid, -1, 1000, -1));
  err("seteuid to saved", syscall(SYS_setresuid, -1, 1002, -1));
  err("seteuid to another", syscall(SYS_setresuid, -1, 1005, -1));
  err("setuid to real", raw_setuid(1000));
  ids("after setuid");
  err("setuid 0", raw_setuid(0));
  err("setreuid swap", syscall(SYS_setreuid, 1002, 1000));
  ids("after setreuid");
  err("setgid", syscall(SYS_setgid, 7));
  err("setgroups", syscall(SYS_setgroups, 0, 0));
  err("chroot", chroot("/"));
  err("nice -5", (errno = 0, nice(-5) == -1 && errno) ? -1 : 0);
}
static void set_uid_root(void) {
  err("setgroups", syscall(SYS_setgroups, 3, (gid_t[]){30, 10, 20}));
  gid_t g[4];
  int n = getgroups(4, g);
  printf("groups %d: %d %d %d\n", n, g[0], g[1], g[2]);
  err("getgroups too few", getgroups(2, g));
  err("getgroups count", getgroups(0, 0));
  err("getgroups negative", syscall(SYS_getgroups, -1, g));
  err("setgroups too many", syscall(SYS_setgroups, 70000, g));
  err("setgid", syscall(SYS_setgid, 500));
  err("setfsuid", setfsuid(77));
  caps("with fsuid 77");
  ids("with fsuid 77");
  err("seteuid", syscall(SYS_setresuid, -1, 1000, -1));
  caps("with euid 1000");
  err("back to root", syscall(SYS_setresuid, -1, 0, -1));
  caps("as root again");
  err("setuid", raw_setuid(1000));
  ids("after setuid");
  caps("after setuid");
  err("setuid 0", raw_setuid(0));
  err("setuid -1", raw_setuid(-1));
}
static void keep(void) {
  err("PR_SET_KEEPCAPS", prctl(PR_SET_KEEPCAPS, 1));
  raw_setuid(1000);
  caps("kept");
  err("PR_SET_KEEPCAPS 2", prctl(PR_SET_KEEPCAPS, 2));
  struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct d[2];
  syscall(SYS_capget, &h, d);
  d[0].effective = d[0].permitted & ~1u;
  err("capset effective", syscall(SYS_capset, &h, d));
  caps("raised");
  d[0].permitted = d[0].effective = 1 << CAP_KILL, d[1].permitted = d[1].effective = 0;
  err("capset fewer", syscall(SYS_capset, &h, d));
  d[0].permitted = 3;
  err("capset more", syscall(SYS_capset, &h, d));
  h.version = 1;
  err("capget bad version", syscall(SYS_capget, &h, 0));
  printf("version told: %d\n", h.version == _LINUX_CAPABILITY_VERSION_3);
  err("capget bad version with data", (h.version = 1, syscall(SYS_capget, &h, d)));
  h.version = _LINUX_CAPABILITY_VERSION_3, h.pid = -1;
  err("capget pid -1", syscall(SYS_capget, &h, d));
  h.pid = 4000000;
  err("capget nobody", syscall(SYS_capget, &h, d));
  h.pid = 1;
  err("capset of another", syscall(SYS_capset, &h, d));
}
static void no_new_privs(void) {
  err("NO_NEW_PRIVS 2", prctl(PR_SET_NO_NEW_PRIVS, 2, 0, 0, 0));
  err("NO_NEW_PRIVS", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  err("get", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
  if (fork() == 0) _exit(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
  int st;
  wait(&st);
  printf("inherited: %x\n", st);
}
static void nofile(void) {
  struct rlimit rl = {20, 30};
  err("setrlimit NOFILE", setrlimit(RLIMIT_NOFILE, &rl));
  int last = -1, fd;
  while ((fd = open("/dev/null", O_RDONLY)) >= 0) last = fd;
  printf("open up to %d, then errno %d\n", last, errno);
  err("dup", dup(0));
  err("F_DUPFD at the limit", fcntl(0, F_DUPFD, 20));
  err("dup2 at the limit", dup2(0, 20));
  err("dup2 below", dup2(0, 19));
  int p[2];
  err("pipe", pipe(p));
  rl.rlim_cur = 5;
  setrlimit(RLIMIT_NOFILE, &rl);
  err("those above stay open", fcntl(15, F_GETFD));
  rl.rlim_cur = 31;
  err("soft above hard", setrlimit(RLIMIT_NOFILE, &rl));
  raw_setuid(1000);
  rl.rlim_cur = 30, rl.rlim_max = 31;
  err("raising hard as a user", setrlimit(RLIMIT_NOFILE, &rl));
  err("prlimit of the parent", syscall(SYS_prlimit64, getppid(), RLIMIT_NOFILE, 0, &rl));
  err("prlimit of nobody", syscall(SYS_prlimit64, 4000000, RLIMIT_NOFILE, 0, &rl));
  err("bad resource", syscall(SYS_prlimit64, 0, 99, 0, &rl));
}
static void fsize(void) {
  signal(SIGXFSZ, SIG_IGN);
  struct rlimit rl = {100, 100};
  setrlimit(RLIMIT_FSIZE, &rl);
  char name[] = "/tmp/carrick-id-XXXXXX", buf[200];
  int fd = mkstemp(name);
  unlink(name);
  err("write 60", write(fd, buf, 60));
  err("write 60 more", write(fd, buf, 60));
  err("and more", write(fd, buf, 60));
  err("truncate beyond", ftruncate(fd, 101));
  err("truncate to it", ftruncate(fd, 100));
}
static void stack(void) {
  struct rlimit rl = {256 << 10, 256 << 10};
  setrlimit(RLIMIT_STACK, &rl);
  volatile char *p = (char *)&rl - (200 << 10);
  *p = 1;
  printf("200 KiB deep: ok\n");
  fflush(stdout);
  p -= 400 << 10;
  *p = 1;
  printf("600 KiB deep: ok\n");
}

int main(void) {
  setvbuf(stdout, 0, _IOLBF, 0);
  // Whatever the tests themselves run at.
  setpriority(PRIO_PROCESS, 0, 0);
  ids("start");
  caps("start");
  in_child(set_ids);
  in_child(set_uid_root);
  in_child(keep);
  in_child(no_new_privs);
  in_child(nofile);
  in_child(fsize);
  in_child(stack);
  // prctl
  char name[32];
  err("PR_SET_NAME", prctl(PR_SET_NAME, "a name longer than fifteen"));
  prctl(PR_GET_NAME, name);
  printf("name: %s\n", name);
  FILE *f = fopen("/proc/self/comm", "r");
  if (!fgets(name, sizeof name, f)) return 1;
  fclose(f);
  printf("comm: %s", name);
  f = fopen("/proc/self/comm", "w");
  fputs("other", f);
  fclose(f);
  prctl(PR_GET_NAME, name);
  printf("written: %s\n", name);
  err("PR_SET_NAME bad address", prctl(PR_SET_NAME, 8));
  err("PR_SET_DUMPABLE 2", prctl(PR_SET_DUMPABLE, 2));
  err("PR_SET_DUMPABLE 0", prctl(PR_SET_DUMPABLE, 0));
  err("PR_GET_DUMPABLE", prctl(PR_GET_DUMPABLE));
  prctl(PR_SET_DUMPABLE, 1);
  err("unknown option", prctl(9999, 0, 0, 0, 0));
  err("PR_SET_TIMERSLACK", prctl(PR_SET_TIMERSLACK, 12345, 0, 0, 0));
  err("PR_GET_TIMERSLACK", prctl(PR_GET_TIMERSLACK, 0, 0, 0, 0));
  err("PR_CAPBSET_READ", prctl(PR_CAPBSET_READ, 0, 0, 0, 0));
  err("PR_CAPBSET_READ unknown", prctl(PR_CAPBSET_READ, 100, 0, 0, 0));
  err("PR_GET_SECUREBITS", prctl(PR_GET_SECUREBITS));
  err("PR_SET_SECCOMP 0", prctl(PR_SET_SECCOMP, 7, 0, 0, 0));
  err("PR_GET_SECCOMP", prctl(PR_GET_SECCOMP, 0, 0, 0, 0));
  err("PR_SET_THP_DISABLE", prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
  err("PR_GET_THP_DISABLE", prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
  err("PR_SET_CHILD_SUBREAPER", prctl(PR_SET_CHILD_SUBREAPER, 1));
  err("PR_SET_VMA name", ({
        void *p = mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        prctl(0x53564d41, 0, p, 4096, "x") == -1 && errno != EINVAL ? -1 : 0;
      }));
  // Scheduling
  err("getscheduler", sched_getscheduler(0) == -1 ? 0 : syscall(SYS_sched_getscheduler, 0));
  struct sched_param sp = {0};
  err("setscheduler BATCH", syscall(SYS_sched_setscheduler, 0, SCHED_BATCH, &sp));
  err("getscheduler", syscall(SYS_sched_getscheduler, 0));
  sp.sched_priority = 5;
  err("BATCH with priority", syscall(SYS_sched_setscheduler, 0, SCHED_BATCH, &sp));
  err("unknown policy", syscall(SYS_sched_setscheduler, 0, 77, &sp));
  err("IDLE", (sp.sched_priority = 0, syscall(SYS_sched_setscheduler, 0, SCHED_IDLE, &sp)));
  err("OTHER", syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &sp));
  err("priority range FIFO", sched_get_priority_max(SCHED_FIFO) * 1000 + sched_get_priority_min(SCHED_FIFO));
  err("priority range OTHER", sched_get_priority_max(SCHED_OTHER));
  err("priority range unknown", sched_get_priority_max(77));
  err("setscheduler of nobody", syscall(SYS_sched_setscheduler, 4000000, SCHED_OTHER, &sp));
  err("getparam null", syscall(SYS_sched_getparam, 0, 0));
  err("getpriority", getpriority(PRIO_PROCESS, 0));
  err("setpriority", setpriority(PRIO_PROCESS, 0, 5));
  err("getpriority", getpriority(PRIO_PROCESS, 0));
  err("setpriority clamps", setpriority(PRIO_PROCESS, 0, 100));
  err("getpriority", getpriority(PRIO_PROCESS, 0));
  err("getpriority which", getpriority(9, 0));
  err("getpriority nobody", getpriority(PRIO_PROCESS, 4000000));
  cpu_set_t set;
  int n = syscall(SYS_sched_getaffinity, 0, sizeof set, &set);
  printf("affinity: multiple of 8: %d, has cpu 0: %d\n", n > 0 && n % 8 == 0, CPU_ISSET(0, &set));
  err("affinity too small", syscall(SYS_sched_getaffinity, 0, 1, &set));
  err("affinity nobody", syscall(SYS_sched_getaffinity, 4000000, sizeof set, &set));
  err("affinity -1", syscall(SYS_sched_getaffinity, -1, sizeof set, &set));
  CPU_ZERO(&set);
  err("no cpu", sched_setaffinity(0, sizeof set, &set));
  CPU_SET(0, &set);
  err("cpu 0", sched_setaffinity(0, sizeof set, &set));
  unsigned cpu = 99, node = 99;
  err("getcpu", syscall(SYS_getcpu, &cpu, &node, 0));
  printf("cpu %u node %u, library says %d\n", cpu, node, sched_getcpu());
  err("sched_yield", sched_yield());
  // Names and numbers
  struct utsname u;
  uname(&u);
  printf("uname: %s, host name there %d, release there %d\n", u.sysname, u.nodename[0] != 0, u.release[0] >= '5');
  err("uname bad address", syscall(SYS_uname, (void *)8));
  struct sysinfo si;
  err("sysinfo", sysinfo(&si));
  printf("plausible: %d %d %d\n", si.mem_unit == 1, si.totalram > si.freeram, si.procs > 0);
  char r1[64], r2[64];
  err("getrandom", getrandom(r1, 64, 0));
  getrandom(r2, 64, 0);
  printf("different: %d\n", memcmp(r1, r2, 64) != 0);
  err("getrandom flags", syscall(SYS_getrandom, r1, 8, 0x80));
  err("getrandom bad address", syscall(SYS_getrandom, (void *)8, 8, 0));
  err("getrandom nothing", syscall(SYS_getrandom, r1, 0, 0));
  err("personality", personality(0xffffffff));
  err("personality set", personality(ADDR_NO_RANDOMIZE));
  err("personality get", personality(0xffffffff));
  personality(UNAME26);
  uname(&u);
  printf("old release %d\n", strncmp(u.release, "2.6.", 4) == 0 && strchr(u.release + 4, '.') == 0);
  personality(0);
  uname(&u);
  printf("own release again %d\n", u.release[0] >= '5');
  err("membarrier query", syscall(SYS_membarrier, 0, 0, 0) > 0 ? 0 : -1);
  err("membarrier global", syscall(SYS_membarrier, 1, 0, 0));
  err("membarrier private unregistered", syscall(SYS_membarrier, 8, 0, 0));
  err("membarrier register", syscall(SYS_membarrier, 16, 0, 0));
  err("membarrier private", syscall(SYS_membarrier, 8, 0, 0));
  err("membarrier flags", syscall(SYS_membarrier, 1, 5, 0));
  err("membarrier unknown", syscall(SYS_membarrier, 1 << 20, 0, 0));
  err("getrlimit STACK", ({
        struct rlimit rl;
        getrlimit(RLIMIT_STACK, &rl);
        rl.rlim_cur >> 20;
      }));
  err("unshare nothing", unshare(0));
  err("unshare FILES", unshare(CLONE_FILES));
  err("unshare FS", unshare(CLONE_FS));
  err("unshare unknown", unshare(1));
  err("unknown call", syscall(9999));
  err("unknown negative call", syscall(-5));
  return 0;
}
