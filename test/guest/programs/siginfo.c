// native: the emulator fills siginfo in its own way.
// The fields of siginfo for every source of a signal, and the default actions.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile siginfo_t got;
static volatile int seen;
static void *expect_addr;
static sigjmp_buf env;
static void keep(int s, siginfo_t *si, void *uc) {
  (void)uc, (void)s;
  memcpy((void *)&got, si, sizeof got);
  seen++;
}
static void jump(int s, siginfo_t *si, void *uc) {
  keep(s, si, uc);
  siglongjmp(env, 1);
}
static void show(const char *what) {
  while (!seen) usleep(100);
  printf("%s: signo %d errno %d code %d pid %s uid %d value %d\n", what, got.si_signo, got.si_errno, got.si_code,
         got.si_pid == getpid() ? "self" : got.si_pid == 0 ? "0" : "other", got.si_uid, got.si_code == SI_QUEUE ? got.si_value.sival_int : 0);
  seen = 0;
}
static void fault(const char *what, void (*f)(volatile char *), volatile char *p) {
  expect_addr = (void *)p;
  if (sigsetjmp(env, 1) == 0) {
    f(p);
    printf("%s: no fault\n", what);
  } else {
    printf("%s: signo %d code %d errno %d addr %s\n", what, got.si_signo, got.si_code, got.si_errno,
           got.si_addr == expect_addr ? "right" : got.si_addr == 0 ? "null" : "wrong");
  }
}
static void load(volatile char *p) { (void)*p; }
static void store(volatile char *p) { *p = 1; }
static void call(volatile char *p) { ((void (*)(void))p)(); }
static long raw_queue(int tid, int sig, siginfo_t *si) {
  return tid ? syscall(SYS_rt_tgsigqueueinfo, getpid(), tid, sig, si) : syscall(SYS_rt_sigqueueinfo, getpid(), sig, si);
}
static void *sends(void *arg) {
  pthread_kill(*(pthread_t *)arg, SIGUSR1);
  return 0;
}

int main(void) {
  setvbuf(stdout, 0, _IONBF, 0);
  struct sigaction sa = {.sa_sigaction = keep, .sa_flags = SA_SIGINFO};
  for (int s = 1; s < 65; s++)
    if (s != SIGKILL && s != SIGSTOP && (s < 32 || s > 34)) sigaction(s, &sa, 0);
  sigset_t mask;
  kill(getpid(), SIGUSR1);
  show("kill");
  syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1);
  show("tgkill");
  syscall(SYS_tkill, getpid(), SIGUSR1);
  show("tkill");
  raise(SIGUSR1);
  show("raise");
  sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 42});
  show("sigqueue");
  sigqueue(getpid(), SIGRTMAX, (union sigval){.sival_int = 43});
  show("sigqueue SIGRTMAX");
  pthread_t me = pthread_self(), t;
  pthread_create(&t, 0, sends, &me);
  pthread_join(t, 0);
  show("pthread_kill");
  siginfo_t si;
  memset(&si, 0, sizeof si);
  si.si_code = SI_QUEUE, si.si_pid = 7, si.si_uid = 8, si.si_value.sival_int = 9;
  printf("rt_sigqueueinfo: %ld\n", raw_queue(0, SIGUSR1, &si));
  show("with my own pid");
  si.si_code = -77, si.si_errno = 5;
  printf("rt_tgsigqueueinfo: %ld\n", raw_queue(getpid(), SIGUSR1, &si));
  show("with a code of my own");
  si.si_code = 1;
  printf("positive code to self: %ld\n", raw_queue(0, SIGUSR1, &si));
  show("positive code");
  pid_t pid = fork();
  if (pid == 0) {
    while (!seen) usleep(100);
    show("from the parent");
    _exit(0);
  }
  si.si_code = SI_USER;
  long r = syscall(SYS_rt_sigqueueinfo, pid, SIGUSR1, &si);
  printf("SI_USER to another process: %ld errno %d\n", r, errno);
  r = syscall(SYS_rt_sigqueueinfo, pid, 65, &si);
  printf("signal 65: %ld errno %d\n", r, errno);
  kill(pid, SIGUSR2);
  waitpid(pid, 0, 0);
  seen = 0;
  // SIGCHLD
  sigemptyset(&mask);
  pid = fork();
  if (pid == 0) _exit(33);
  while (!seen) usleep(100);
  printf("SIGCHLD: code %d pid %d status %d uid %d utime %d stime %d\n", got.si_code, got.si_pid == pid, got.si_status, got.si_uid, got.si_utime < 100, got.si_stime < 100);
  waitpid(pid, 0, 0);
  seen = 0;
  // Timers
  timer_t id;
  struct sigevent sev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2, .sigev_value.sival_int = 55};
  timer_create(CLOCK_MONOTONIC, &sev, &id);
  struct itimerspec its = {.it_value = {0, 1000000}};
  timer_settime(id, 0, &its, 0);
  while (!seen) usleep(100);
  printf("timer: signo %d code %d value %d overrun %d timerid %d\n", got.si_signo, got.si_code, got.si_value.sival_int, got.si_overrun, got.si_timerid >= 0);
  seen = 0;
  timer_delete(id);
  timer_create(CLOCK_REALTIME, 0, &id);
  timer_settime(id, 0, &its, 0);
  while (!seen) usleep(100);
  printf("timer without event: signo %d code %d\n", got.si_signo, got.si_code);
  seen = 0;
  timer_delete(id);
  struct itimerval it = {.it_value = {0, 1000}};
  setitimer(ITIMER_REAL, &it, 0);
  show("ITIMER_REAL");
  setitimer(ITIMER_VIRTUAL, &it, 0);
  while (!seen) {}
  show("ITIMER_VIRTUAL");
  setitimer(ITIMER_PROF, &it, 0);
  while (!seen) {}
  show("ITIMER_PROF");
  // SIGPIPE
  int p[2];
  if (pipe(p)) return 1;
  close(p[0]);
  r = write(p[1], "x", 1);
  printf("write: %ld errno %d\n", r, errno);
  show("SIGPIPE");
  // SIGIO by F_SETOWN, F_SETSIG
  if (pipe(p)) return 1;
  fcntl(p[0], F_SETOWN, getpid());
  fcntl(p[0], F_SETFL, O_ASYNC | O_NONBLOCK);
  if (write(p[1], "x", 1) != 1) return 1;
  show("SIGIO");
  fcntl(p[0], F_SETSIG, SIGUSR1);
  if (write(p[1], "x", 1) != 1) return 1;
  while (!seen) usleep(100);
  printf("F_SETSIG: signo %d code %d fd %d band %lx\n", got.si_signo, got.si_code, got.si_fd == p[0], (long)got.si_band);
  seen = 0;
  // SIGXFSZ, SIGXCPU
  struct rlimit rl, had;
  getrlimit(RLIMIT_FSIZE, &had);
  rl = had, rl.rlim_cur = 10;
  char name[] = "/tmp/carrick-siginfo-XXXXXX";
  int fd = mkstemp(name);
  unlink(name);
  setrlimit(RLIMIT_FSIZE, &rl);
  r = write(fd, "0123456789abc", 13);
  printf("write up to the limit: %ld\n", r);
  errno = 0;
  r = write(fd, "0123456789abc", 13);
  printf("write beyond it: %ld errno %d\n", r, errno);
  show("SIGXFSZ");
  setrlimit(RLIMIT_FSIZE, &had);
  // Faults
  sa.sa_sigaction = jump;
  sigaction(SIGSEGV, &sa, 0), sigaction(SIGBUS, &sa, 0), sigaction(SIGILL, &sa, 0), sigaction(SIGTRAP, &sa, 0);
  fault("load from null", load, 0);
  fault("load from an odd null page address", load, (char *)123);
  fault("store to nowhere", store, (char *)0x123456789000);
  fault("call nowhere", call, (char *)0x123456789000);
  char *ro = mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  fault("store to read-only", store, ro + 5);
  fault("call not executable", call, ro);
  char *none = mmap(0, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  fault("load from PROT_NONE", load, none + 7);
  fault("store to code", store, (char *)main);
  if (ftruncate(fd, 100)) return 1;
  char *file = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  fault("load within the last page", load, file + 4095);
  fault("load beyond the end of the file", load, file + 4096);
  fault("store beyond the end of the file", store, file + 8000);
#ifdef __aarch64__
  if (sigsetjmp(env, 1) == 0) __asm__ volatile("udf #0");
#else
  if (sigsetjmp(env, 1) == 0) __asm__ volatile("ud2");
#endif
  printf("SIGILL: code %s addr %d\n", got.si_code == 1 || got.si_code == 2 ? "ILLOPC or ILLOPN" : "other", got.si_addr != 0);
  // Default actions
  static const int fatal[] = {SIGHUP, SIGINT, SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGUSR1, SIGSEGV, SIGUSR2,
                              SIGPIPE, SIGALRM, SIGTERM, SIGSTKFLT, SIGCHLD, SIGCONT, SIGURG, SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF,
                              SIGWINCH, SIGIO, SIGPWR, SIGSYS, 36, 64};
  for (unsigned i = 0; i < sizeof fatal / sizeof *fatal; i++) {
    pid = fork();
    if (pid == 0) {
      rl.rlim_cur = rl.rlim_max = 0;
      setrlimit(RLIMIT_CORE, &rl);
      signal(fatal[i], SIG_DFL);
      kill(getpid(), fatal[i]);
      _exit(0);
    }
    int st;
    while (waitpid(pid, &st, 0) < 0) {}
    printf("%d by default: %x\n", fatal[i], st);
  }
  pid = fork();
  if (pid == 0) {
    signal(SIGABRT, SIG_IGN);
    abort();
  }
  int st;
  while (waitpid(pid, &st, 0) < 0) {}
  printf("abort although ignored: %x\n", st & 0x7f);
  return 0;
}
