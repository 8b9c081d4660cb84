// native: the emulator keeps some signals for itself.
// sigaction(2) and its flags, masks, pending signals, order of delivery, nesting, real-time queues, sigaltstack(2).
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <pthread.h>
#include <unistd.h>

static void result(const char *what, long r) {
  if (r == -1) printf("%s: errno %d\n", what, errno);
  else printf("%s: ok\n", what);
}
static char order[4000];
static volatile int depth, maxdepth, count;
static void note(const char *s) { strcat(order, s); }
static void flush_order(const char *what) {
  printf("%s:%s\n", what, order);
  order[0] = 0;
}
static void plain(int s) {
  char b[16];
  snprintf(b, sizeof b, " %d", s);
  note(b);
  count++;
}
static void with_info(int s, siginfo_t *si, void *uc) {
  (void)uc;
  char b[64];
  snprintf(b, sizeof b, " %d/%d/%d", s, si->si_code, si->si_value.sival_int);
  note(b);
  count++;
}
static void nests(int s) {
  if (++depth > maxdepth) maxdepth = depth;
  if (++count <= 3) raise(s);
  depth--;
}
static void shows_mask(int s) {
  sigset_t m;
  sigprocmask(SIG_BLOCK, 0, &m);
  char b[64];
  snprintf(b, sizeof b, " %d:", s);
  note(b);
  for (int i = 1; i < 65; i++)
    if (sigismember(&m, i) == 1 && (i < 32 || i > 34)) {
      snprintf(b, sizeof b, "%d,", i);
      note(b);
    }
}
static void raises_two(int s) {
  char b[64];
  snprintf(b, sizeof b, " (%d", s);
  note(b);
  raise(SIGUSR2);
  raise(SIGHUP);
  snprintf(b, sizeof b, " %d)", s);
  note(b);
}
static void set(int sig, void (*h)(int), int flags, const int *mask) {
  struct sigaction sa = {.sa_handler = h, .sa_flags = flags};
  sigemptyset(&sa.sa_mask);
  for (; mask && *mask; mask++) sigaddset(&sa.sa_mask, *mask);
  if (sigaction(sig, &sa, 0)) printf("sigaction %d: errno %d\n", sig, errno);
}
static void set_info(int sig, int flags) {
  struct sigaction sa = {.sa_sigaction = with_info, .sa_flags = SA_SIGINFO | flags};
  sigaction(sig, &sa, 0);
}
static void block(int how, const int *sigs) {
  sigset_t s;
  sigemptyset(&s);
  for (; *sigs; sigs++) sigaddset(&s, *sigs);
  sigprocmask(how, &s, 0);
}
static volatile char *where;
static stack_t alt;
static sigjmp_buf jump;
static void on_alt(int s) {
  (void)s;
  char here;
  where = &here;
  stack_t now;
  sigaltstack(0, &now);
  char b[64];
  snprintf(b, sizeof b, " on-alt:%d flags:%x", &here >= (char *)alt.ss_sp && &here < (char *)alt.ss_sp + alt.ss_size, now.ss_flags);
  note(b);
}
static void change_in_handler(int s) {
  (void)s;
  stack_t other = {.ss_sp = malloc(65536), .ss_size = 65536};
  char b[64];
  int r = sigaltstack(&other, 0);
  snprintf(b, sizeof b, " change: %d/%d", r, r ? errno : 0);
  note(b);
}
static int recurse(volatile char *p) {
  volatile char big[8192];
  big[0] = *p;
  return recurse(big) + big[0];
}
static void overflowed(int s, siginfo_t *si, void *uc) {
  (void)s, (void)uc;
  char here;
  char b[64];
  snprintf(b, sizeof b, " signal %d code %d on-alt:%d", s, si->si_code, &here >= (char *)alt.ss_sp && &here < (char *)alt.ss_sp + alt.ss_size);
  note(b);
  siglongjmp(jump, 1);
}
static int child_dies(int sig, int blocked) {
  pid_t pid = fork();
  if (pid == 0) {
    if (blocked) block(SIG_BLOCK, (int[]){sig, 0});
    else signal(sig, SIG_IGN);
    volatile int *p = 0;
    if (sig == SIGSEGV) *p = 1;
    else raise(sig);
    _exit(0);
  }
  int st;
  waitpid(pid, &st, 0);
  return st & ~0x80;
}
static void fault_in_handler(int s) {
  (void)s;
  volatile int *p = (void *)16;
  *p = 1;
}

int main(void) {
  setvbuf(stdout, 0, _IONBF, 0);
  struct sigaction sa, old;
  // Errors
  memset(&sa, 0, sizeof sa);
  sa.sa_handler = SIG_IGN;
  result("SIGKILL", sigaction(SIGKILL, &sa, 0));
  result("SIGSTOP", sigaction(SIGSTOP, &sa, 0));
  result("SIGKILL read", sigaction(SIGKILL, 0, &old));
  result("signal 0", sigaction(0, &sa, 0));
  result("signal 65", sigaction(65, &sa, 0));
  result("signal 65 raw", syscall(SYS_rt_sigaction, 65, 0, 0, 8));
  result("set size", syscall(SYS_rt_sigaction, 10, 0, 0, 16));
  result("bad address", syscall(SYS_rt_sigaction, 10, (void *)8, 0, 8));
  result("bad old address", syscall(SYS_rt_sigaction, 10, 0, (void *)8, 8));
  result("procmask size", syscall(SYS_rt_sigprocmask, SIG_BLOCK, 0, 0, 4));
  unsigned long m = 0;
  result("procmask how", syscall(SYS_rt_sigprocmask, 77, &m, 0, 8));
  result("procmask how without set", syscall(SYS_rt_sigprocmask, 77, 0, &m, 8));
  result("procmask bad address", syscall(SYS_rt_sigprocmask, SIG_BLOCK, (void *)8, 0, 8));
  result("procmask bad old address", syscall(SYS_rt_sigprocmask, SIG_BLOCK, 0, (void *)8, 8));
  result("pending size", syscall(SYS_rt_sigpending, &m, 16));
  result("pending of 4 bytes", syscall(SYS_rt_sigpending, &m, 4));
  result("suspend size", syscall(SYS_rt_sigsuspend, &m, 16));
  result("suspend bad address", syscall(SYS_rt_sigsuspend, (void *)8, 8));
  m = ~0ul;
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &m, 0, 8);
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, 0, &m, 8);
  printf("everything blocked: %lx\n", m);
  m = 0;
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &m, 0, 8);
  // Unknown flags are dropped, known ones kept
  set(SIGUSR1, plain, SA_RESTART | SA_NODEFER | SA_ONSTACK | SA_NOCLDSTOP | SA_NOCLDWAIT | 0x400 | 0x1000, 0);
  sigaction(SIGUSR1, 0, &old);
  printf("flags kept: %x\n", old.sa_flags & ~0x04000000);
  // Mask during the handler
  set(SIGUSR1, shows_mask, 0, (int[]){SIGHUP, SIGTERM, 0});
  raise(SIGUSR1);
  set(SIGUSR1, shows_mask, SA_NODEFER, (int[]){SIGHUP, SIGKILL, SIGSTOP, 0});
  raise(SIGUSR1);
  flush_order("mask in handler");
  shows_mask(0);
  flush_order("mask afterwards");
  // Nesting
  set(SIGUSR1, nests, 0, 0);
  raise(SIGUSR1);
  printf("nesting without NODEFER: %d\n", maxdepth);
  maxdepth = count = 0;
  set(SIGUSR1, nests, SA_NODEFER, 0);
  raise(SIGUSR1);
  printf("nesting with NODEFER: %d\n", maxdepth);
  // RESETHAND
  set(SIGUSR1, plain, SA_RESETHAND, 0);
  raise(SIGUSR1);
  sigaction(SIGUSR1, 0, &old);
  flush_order("RESETHAND");
  printf("default again: %d flags %x\n", old.sa_handler == SIG_DFL, old.sa_flags & ~0x04000000);
  // Order of delivery: lowest first, each handler interrupts the one before it
  int all[] = {SIGUSR1, SIGUSR2, SIGHUP, SIGTERM, SIGRTMIN + 2, SIGRTMIN + 1, 0};
  for (int *s = all; *s; s++) set(*s, *s >= SIGRTMIN ? 0 : plain, 0, 0);
  set_info(SIGRTMIN + 1, 0);
  set_info(SIGRTMIN + 2, 0);
  block(SIG_BLOCK, all);
  raise(SIGTERM), raise(SIGUSR2), raise(SIGHUP), raise(SIGUSR1), raise(SIGUSR1);
  block(SIG_UNBLOCK, all);
  flush_order("standard signals");
  set(SIGUSR1, raises_two, 0, 0);
  raise(SIGUSR1);
  flush_order("raised inside");
  set(SIGUSR1, raises_two, 0, (int[]){SIGUSR2, SIGHUP, 0});
  raise(SIGUSR1);
  flush_order("raised inside, masked");
  // Real-time signals queue, standard ones do not
  block(SIG_BLOCK, all);
  for (int i = 0; i < 5; i++) {
    sigqueue(getpid(), SIGRTMIN + 2, (union sigval){.sival_int = i});
    sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 10 + i});
    sigqueue(getpid(), SIGUSR2, (union sigval){.sival_int = 20 + i});
  }
  set_info(SIGUSR2, 0);
  sigset_t pend;
  sigpending(&pend);
  printf("pending: %d %d %d %d\n", sigismember(&pend, SIGUSR2), sigismember(&pend, SIGRTMIN + 1), sigismember(&pend, SIGRTMIN + 2), sigismember(&pend, SIGHUP));
  // No handler may be interrupted, so that the order of delivery shows
  block(SIG_UNBLOCK, (int[]){SIGUSR2, 0});
  {
    // printed relative to SIGRTMIN, which the C library chooses
    order[0] = 0;
    siginfo_t si;
    sigset_t rt;
    sigemptyset(&rt);
    sigaddset(&rt, SIGRTMIN + 1), sigaddset(&rt, SIGRTMIN + 2);
    struct timespec zero = {0, 0};
    while (sigtimedwait(&rt, &si, &zero) > 0) {
      char b[64];
      snprintf(b, sizeof b, " rt%d/%d/%d", si.si_signo - SIGRTMIN, si.si_code, si.si_value.sival_int);
      note(b);
    }
    flush_order("queued");
  }
  block(SIG_UNBLOCK, all);
  // Ignoring discards what is pending
  block(SIG_BLOCK, (int[]){SIGUSR1, 0});
  set(SIGUSR1, plain, 0, 0);
  raise(SIGUSR1);
  signal(SIGUSR1, SIG_IGN);
  set(SIGUSR1, plain, 0, 0);
  block(SIG_UNBLOCK, (int[]){SIGUSR1, 0});
  flush_order("discarded by SIG_IGN");
  block(SIG_BLOCK, (int[]){SIGCHLD, SIGUSR1, 0});
  set(SIGCHLD, plain, 0, 0);
  raise(SIGCHLD);
  signal(SIGCHLD, SIG_DFL);
  sigpending(&pend);
  printf("SIGCHLD pending after SIG_DFL: %d\n", sigismember(&pend, SIGCHLD));
  signal(SIGUSR1, SIG_IGN);
  raise(SIGUSR1);
  sigpending(&pend);
  printf("blocked and ignored is pending: %d\n", sigismember(&pend, SIGUSR1));
  set(SIGUSR1, plain, 0, 0);
  block(SIG_UNBLOCK, (int[]){SIGCHLD, SIGUSR1, 0});
  flush_order("then");
  // sigsuspend
  block(SIG_BLOCK, (int[]){SIGUSR1, SIGUSR2, 0});
  raise(SIGUSR1);
  sigset_t none;
  sigemptyset(&none);
  sigaddset(&none, SIGUSR2);
  errno = 0;
  int r = sigsuspend(&none);
  printf("sigsuspend: %d errno %d\n", r, errno);
  flush_order("delivered");
  shows_mask(0);
  flush_order("mask after sigsuspend");
  block(SIG_UNBLOCK, (int[]){SIGUSR1, SIGUSR2, 0});
  // RLIMIT_SIGPENDING
  struct rlimit rl = {3, 3}, had;
  getrlimit(RLIMIT_SIGPENDING, &had);
  rl.rlim_max = had.rlim_max;
  setrlimit(RLIMIT_SIGPENDING, &rl);
  block(SIG_BLOCK, all);
  int sent = 0, err = 0;
  for (int i = 0; i < 6; i++) {
    if (sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = i}) == 0) sent++;
    else err = errno;
  }
  printf("RLIMIT_SIGPENDING 3: %s errno %d, kill %d\n", sent <= 3 ? "refused" : "all sent", err, kill(getpid(), SIGHUP));
  setrlimit(RLIMIT_SIGPENDING, &had);
  signal(SIGRTMIN + 1, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  block(SIG_UNBLOCK, all);
  // A synchronous signal that is blocked or ignored kills
  printf("SEGV blocked %x ignored %x; raised blocked %x ignored %x\n", child_dies(SIGSEGV, 1), child_dies(SIGSEGV, 0),
         child_dies(SIGBUS, 1), child_dies(SIGBUS, 0));
  pid_t pid = fork();
  if (pid == 0) {
    set(SIGSEGV, fault_in_handler, 0, 0);
    volatile int *p = (void *)8;
    *p = 1;
    _exit(0);
  }
  int st;
  waitpid(pid, &st, 0);
  printf("fault in the handler of the fault: %x\n", st & ~0x80);
  // sigaltstack
  alt.ss_size = 65536;
  alt.ss_sp = mmap(0, alt.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  stack_t q;
  sigaltstack(0, &q);
  printf("no altstack: flags %x\n", q.ss_flags);
  result("sigaltstack", sigaltstack(&alt, 0));
  sigaltstack(0, &q);
  printf("altstack: flags %x size %zu sp %d\n", q.ss_flags, q.ss_size, q.ss_sp == alt.ss_sp);
  set(SIGUSR1, on_alt, SA_ONSTACK, 0);
  raise(SIGUSR1);
  set(SIGUSR1, on_alt, 0, 0);
  raise(SIGUSR1);
  flush_order("handlers");
  set(SIGUSR1, change_in_handler, SA_ONSTACK, 0);
  raise(SIGUSR1);
  flush_order("in handler");
  stack_t bad = {.ss_sp = alt.ss_sp, .ss_size = 100};
  result("too small", sigaltstack(&bad, 0));
  bad.ss_size = 65536, bad.ss_flags = 0x77;
  result("bad flags", sigaltstack(&bad, 0));
  bad.ss_flags = SS_ONSTACK;
  result("SS_ONSTACK given", syscall(SYS_sigaltstack, &bad, 0));
  result("bad address", syscall(SYS_sigaltstack, (void *)8, 0));
  bad.ss_flags = (int)0x80000000;
  bad.ss_sp = alt.ss_sp;
  result("SS_AUTODISARM", sigaltstack(&bad, 0));
  set(SIGUSR1, on_alt, SA_ONSTACK, 0);
  raise(SIGUSR1);
  flush_order("autodisarm");
  sigaltstack(0, &q);
  printf("after the handler: flags %x\n", q.ss_flags);
  bad.ss_flags = SS_DISABLE, bad.ss_size = 0;
  result("SS_DISABLE", sigaltstack(&bad, 0));
  sigaltstack(0, &q);
  printf("disabled: flags %x sp %d size %zu\n", q.ss_flags, q.ss_sp != 0, q.ss_size);
  raise(SIGUSR1);
  flush_order("ONSTACK without one");
  // Stack overflow, twice
  sigaltstack(&alt, 0);
  sa = (struct sigaction){.sa_sigaction = overflowed, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigaction(SIGSEGV, &sa, 0);
  for (int i = 0; i < 2; i++) {
    if (sigsetjmp(jump, 1) == 0) {
      char c = 0;
      recurse(&c);
    }
    flush_order("stack overflow");
  }
  pid = fork();
  if (pid == 0) {
    sa.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &sa, 0);
    char c = 0;
    recurse(&c);
  }
  waitpid(pid, &st, 0);
  printf("overflow without an altstack: %x\n", st & ~0x80);
  // fork keeps the altstack, vfork too
  pid = fork();
  if (pid == 0) {
    sigaltstack(0, &q);
    _exit(q.ss_sp == alt.ss_sp);
  }
  waitpid(pid, &st, 0);
  printf("altstack after fork: %x\n", st);
  return 0;
}
