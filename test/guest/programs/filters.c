// native: the emulator ignores filters.
// seccomp(2): strict mode, programs that are refused, what each action does to a call, several filters, threads, fork and exec, tracers.
#include "say.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/ptrace.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <ucontext.h>

#ifdef __aarch64__
#define ARCH AUDIT_ARCH_AARCH64
#else
#define ARCH AUDIT_ARCH_X86_64
#endif
#define DATA(field) offsetof(struct seccomp_data, field)
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, DATA(field))
#define RET(value) BPF_STMT(BPF_RET | BPF_K, value)

static long seccomp(unsigned op, unsigned flags, void *args) { return syscall(SYS_seccomp, op, flags, args); }
static long load(struct sock_filter *filter, int length, unsigned flags) {
  struct sock_fprog program = {length, filter};
  return seccomp(SECCOMP_SET_MODE_FILTER, flags, &program);
}
#define COUNT(filter) (int)(sizeof filter / sizeof filter[0])
// A filter that answers one call so, and allows all others.
static long on_call(long nr, unsigned action, unsigned flags) {
  struct sock_filter filter[] = {
    LOAD(arch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0), RET(SECCOMP_RET_KILL_PROCESS),
    LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1), RET(action), RET(SECCOMP_RET_ALLOW),
  };
  return load(filter, COUNT(filter), flags);
}
static void no_new_privs(void) { prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); }
static void status_lines(void) {
  FILE *f = fopen("/proc/self/status", "r");
  char line[256];
  while (fgets(line, sizeof line, f)) if (strncmp(line, "Seccomp", 7) == 0 || strncmp(line, "NoNew", 5) == 0) fputs(line, stdout);
  fclose(f);
}
static void try_calls(const char *what) {
  printf("%s:", what);
  long r = syscall(SYS_getppid);
  printf(" getppid %s", r == -1 ? err_name(errno) : r == getppid() ? "right" : "other");
  r = syscall(SYS_sched_yield);
  printf(" sched_yield %s", r == -1 ? err_name(errno) : "0");
  printf("\n");
}

static void test_refused(void) {
  struct { const char *name; struct sock_filter code[4]; int length; } bad[] = {
    {"no end", {LOAD(nr)}, 1},
    {"empty", {{0}}, 0},
    {"unaligned", {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), RET(0)}, 2},
    {"beyond", {BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), RET(0)}, 2},
    {"half word", {BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0), RET(0)}, 2},
    {"indirect", {BPF_STMT(BPF_LD | BPF_W | BPF_IND, 0), RET(0)}, 2},
    {"jump out", {BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0), RET(0)}, 2},
    {"branch out", {BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 1, 0), RET(0)}, 2},
    {"division by zero", {BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), RET(0)}, 2},
    {"long shift", {BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 32), RET(0)}, 2},
    {"modulo", {BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 3), RET(0)}, 2},
    {"unwritten memory", {BPF_STMT(BPF_LD | BPF_MEM, 3), RET(0)}, 2},
    {"memory on one way", {BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 1), BPF_STMT(BPF_ST, 1), BPF_STMT(BPF_LD | BPF_MEM, 1), RET(0)}, 4},
    {"memory beyond", {BPF_STMT(BPF_ST, 16), RET(0)}, 2},
    {"ret x", {BPF_STMT(BPF_RET | BPF_X, 0)}, 1},
    {"unknown", {BPF_STMT(0xff, 0), RET(0)}, 2},
    {"msh", {BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0), RET(0)}, 2},
  };
  for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) say(bad[i].name, load(bad[i].code, bad[i].length, 0));
  say("unreadable", seccomp(SECCOMP_SET_MODE_FILTER, 0, (void *)8));
  struct sock_fprog nowhere = {3, (void *)8};
  say("unreadable program", seccomp(SECCOMP_SET_MODE_FILTER, 0, &nowhere));
  say("flags", seccomp(SECCOMP_SET_MODE_FILTER, 0x8000, &nowhere));
  say("strict with flags", seccomp(SECCOMP_SET_MODE_STRICT, 1, 0));
  say("strict with arguments", seccomp(SECCOMP_SET_MODE_STRICT, 0, &nowhere));
  say("operation", seccomp(77, 0, 0));
  unsigned action = SECCOMP_RET_TRAP;
  say("trap there", seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &action));
  action = 0x12340000;
  say("nonsense there", seccomp(SECCOMP_GET_ACTION_AVAIL, 0, &action));
  say("action at nothing", seccomp(SECCOMP_GET_ACTION_AVAIL, 0, (void *)8));
  say("action flags", seccomp(SECCOMP_GET_ACTION_AVAIL, 1, &action));
  struct seccomp_notif_sizes sizes;
  say("sizes", seccomp(SECCOMP_GET_NOTIF_SIZES, 0, &sizes));
  printf("%d %d %d\n", sizes.seccomp_notif, sizes.seccomp_notif_resp, sizes.seccomp_data);
  say("mode", prctl(PR_GET_SECCOMP));
  say("bad mode", prctl(PR_SET_SECCOMP, 7, 0, 0, 0));
}

static void arithmetic(void) {
  // ((nr's low bits + 5) * 3 - 1) ^ ..., through memory, both registers and all jumps: the answer is an errno.
  struct sock_filter filter[] = {
    LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 1, 0), RET(SECCOMP_RET_ALLOW),
    BPF_STMT(BPF_LD | BPF_IMM, 7), BPF_STMT(BPF_ST, 2), BPF_STMT(BPF_LDX | BPF_MEM, 2), BPF_STMT(BPF_ALU | BPF_MUL | BPF_X, 0),
    BPF_STMT(BPF_ALU | BPF_SUB | BPF_K, 9), BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 4), BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 2),
    BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 1), BPF_STMT(BPF_ALU | BPF_OR | BPF_K, 1), BPF_STMT(BPF_ALU | BPF_XOR | BPF_K, 2),
    BPF_STMT(BPF_ALU | BPF_NEG, 0), BPF_STMT(BPF_ALU | BPF_NEG, 0), BPF_STMT(BPF_MISC | BPF_TAX, 0), BPF_STMT(BPF_LD | BPF_LEN, 0),
    BPF_JUMP(BPF_JMP | BPF_JGT | BPF_X, 0, 0, 5), BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 64, 0, 4), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 64, 0, 3),
    BPF_STMT(BPF_MISC | BPF_TXA, 0), BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO), BPF_STMT(BPF_RET | BPF_A, 0),
    RET(SECCOMP_RET_KILL_PROCESS),
  };
  say("load", load(filter, COUNT(filter), 0));
  say("computed", syscall(SYS_getppid));
  struct sock_filter zero[] = {
    LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sched_yield, 1, 0), RET(SECCOMP_RET_ALLOW),
    BPF_STMT(BPF_LDX | BPF_IMM, 0), BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0), RET(SECCOMP_RET_ALLOW),
  };
  say("load", load(zero, COUNT(zero), 0));
  syscall(SYS_sched_yield);
  printf("not reached\n");
}

static void on_sys(int s, siginfo_t *si, void *context) {
  ucontext_t *u = context;
#ifdef __aarch64__
  unsigned long pc = u->uc_mcontext.pc, call = u->uc_mcontext.regs[8];
  u->uc_mcontext.regs[0] = 4321;
#else
  unsigned long pc = u->uc_mcontext.gregs[REG_RIP], call = u->uc_mcontext.gregs[REG_RAX];
  u->uc_mcontext.gregs[REG_RAX] = 4321;
#endif
  printf("signal %d code %d errno %d arch %d call %d at pc %d number %d\n", s, si->si_code, si->si_errno, si->si_arch == ARCH,
         si->si_syscall == SYS_getppid, (unsigned long)si->si_call_addr == pc, call == SYS_getppid);
}
static void traps(void) {
  struct sigaction sa = {.sa_sigaction = on_sys, .sa_flags = SA_SIGINFO};
  sigaction(SIGSYS, &sa, 0);
  say("load", on_call(SYS_getppid, SECCOMP_RET_TRAP | 99, 0));
  say("result", syscall(SYS_getppid));
  signal(SIGSYS, SIG_IGN);
  syscall(SYS_getppid);
  printf("not reached\n");
}

static void arguments(void) {
  struct sock_filter filter[] = {
    LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_close, 0, 3),
    LOAD(args[0]), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 1234, 0, 1), RET(SECCOMP_RET_ERRNO | EXDEV), RET(SECCOMP_RET_ALLOW),
  };
  say("load", load(filter, COUNT(filter), 0));
  say("close 1234", syscall(SYS_close, 1234));
  say("close 1235", syscall(SYS_close, 1235));
}

static int ready;
static void *waits(void *a) {
  while (!__atomic_load_n(&ready, __ATOMIC_SEQ_CST)) usleep(1000);
  return (void *)(syscall(SYS_getppid) == -1 ? (long)errno : 0);
}
static void *own(void *a) {
  say("its own", on_call(SYS_sched_yield, SECCOMP_RET_ALLOW, 0));
  __atomic_store_n((int *)a, 1, __ATOMIC_SEQ_CST);
  return waits(0);
}
static void threads(void) {
  pthread_t t;
  void *result;
  pthread_create(&t, 0, waits, 0);
  say("sync", on_call(SYS_getppid, SECCOMP_RET_ERRNO | EDOM, SECCOMP_FILTER_FLAG_TSYNC));
  ready = 1;
  pthread_join(t, &result);
  printf("thread: %s\n", err_name((long)result));
  static int done;
  ready = 0;
  pthread_create(&t, 0, own, &done);
  while (!__atomic_load_n(&done, __ATOMIC_SEQ_CST)) usleep(1000);
  long r = on_call(SYS_getppid, SECCOMP_RET_ERRNO | ERANGE, SECCOMP_FILTER_FLAG_TSYNC);
  printf("refused by a thread %d\n", r > 0 && r != getpid());
  say("refused", on_call(SYS_getppid, SECCOMP_RET_ERRNO | ERANGE, SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH));
  ready = 1;
  pthread_join(t, &result);
  printf("thread: %s\n", err_name((long)result));
}
static void *killed(void *a) {
  syscall(SYS_getppid);
  printf("not reached\n");
  return a;
}
static void kills_thread(void) {
  say("load", on_call(SYS_getppid, SECCOMP_RET_KILL_THREAD, 0));
  pthread_t t;
  pthread_create(&t, 0, killed, 0);
  usleep(50000);
  printf("the others live\n");
  fflush(stdout);
  syscall(SYS_getppid);
  printf("not reached\n");
}

static void traced(int with_option) {
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0);
    syscall(SYS_tgkill, getpid(), getpid(), SIGSTOP);
    on_call(SYS_getppid, SECCOMP_RET_TRACE | 77, 0);
    on_call(SYS_sched_yield, SECCOMP_RET_ERRNO | EDOM, 0);
    long r = syscall(SYS_getppid);
    _exit(r == -1 ? errno : 1);
  }
  int st;
  waitpid(pid, &st, 0);
  syscall(SYS_ptrace, PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | (with_option ? PTRACE_O_TRACESECCOMP : 0));
  for (int i = 0; i < 9; i++) {
    syscall(SYS_ptrace, i == 1 ? PTRACE_SYSCALL : PTRACE_CONT, pid, 0, 0);
    if (waitpid(pid, &st, 0) != pid || !WIFSTOPPED(st)) break;
    unsigned long message = 0;
    syscall(SYS_ptrace, PTRACE_GETEVENTMSG, pid, 0, &message);
    struct ptrace_syscall_info info;
    long n = syscall(SYS_ptrace, PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info);
    printf("stop %d event %d message %lu info %ld op %d", WSTOPSIG(st), st >> 16, message, n, info.op);
    if (info.op == PTRACE_SYSCALL_INFO_SECCOMP) printf(" call %d data %d", info.seccomp.nr == SYS_getppid, info.seccomp.ret_data);
    printf("\n");
  }
  printf("ended with %d\n", WEXITSTATUS(st));
}

int main(int argc, char **argv) {
  setvbuf(stdout, 0, _IONBF, 0);
  if (argc == 2 && strcmp(argv[1], "exec") == 0) {
    try_calls("after exec");
    status_lines();
    return 0;
  }
  CHILD("refused", {
    no_new_privs();
    test_refused();
  });
  CHILD("strict", {
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0) != 0) _exit(2);
    if (write(1, "written\n", 8) != 8) _exit(1);
    syscall(SYS_getppid);
    write(1, "not reached\n", 12);
  });
  CHILD("strict ends", {
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0);
    syscall(SYS_exit, 3);
  });
  CHILD("privilege", {
    if (geteuid() == 0 && setresuid(1234, 1234, 1234) != 0) _exit(9);
    say("without no_new_privs", on_call(SYS_getppid, SECCOMP_RET_ERRNO | EDOM, 0));
    no_new_privs();
    say("with it", on_call(SYS_getppid, SECCOMP_RET_ERRNO | EDOM, 0));
    try_calls("now");
  });
  CHILD("errno", {
    no_new_privs();
    try_calls("before");
    say("load", on_call(SYS_getppid, SECCOMP_RET_ERRNO | EDOM, 0));
    try_calls("one");
    status_lines();
    say("mode", prctl(PR_GET_SECCOMP));
    say("strict now", seccomp(SECCOMP_SET_MODE_STRICT, 0, 0));
    say("load", on_call(SYS_sched_yield, SECCOMP_RET_ERRNO | ERANGE, SECCOMP_FILTER_FLAG_LOG));
    say("weaker", on_call(SYS_getppid, SECCOMP_RET_LOG, 0));
    say("newer", on_call(SYS_sched_yield, SECCOMP_RET_ERRNO | EXDEV, SECCOMP_FILTER_FLAG_SPEC_ALLOW));
    try_calls("more");
    status_lines();
    CHILD("child", try_calls("child"));
    execl("/proc/self/exe", "filters", "exec", (char *)0);
  });
  CHILD("arithmetic", { no_new_privs(); arithmetic(); });
  CHILD("trap", { no_new_privs(); traps(); });
  CHILD("arguments", { no_new_privs(); arguments(); });
  CHILD("threads", { no_new_privs(); threads(); });
  CHILD("kill thread", { no_new_privs(); kills_thread(); });
  CHILD("kill process", { no_new_privs(); on_call(SYS_getppid, SECCOMP_RET_KILL_PROCESS, 0); syscall(SYS_getppid); });
  CHILD("nobody listens", { no_new_privs(); on_call(SYS_getppid, SECCOMP_RET_USER_NOTIF, 0); try_calls("notify"); });
  CHILD("nobody traces", { no_new_privs(); on_call(SYS_getppid, SECCOMP_RET_TRACE, 0); try_calls("trace"); });
  CHILD("traced", { no_new_privs(); traced(1); traced(0); });
  return 0;
}
