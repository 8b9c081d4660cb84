// native: the emulator gives process-wide signals to a thread of its own choice.
// Signals and threads: who takes a process-wide signal, sigwait in threads, masks of new threads, signals that end all,
// faults in threads, alternate stacks per thread, SIGCONT and SIGKILL with many threads, vfork and signals.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static atomic_int taken_by, hits, ready, stop;
static int tid(void) { return syscall(SYS_gettid); }
static void on_sig(int s) {
  (void)s;
  taken_by = tid();
  hits++;
}
static void block(int how, int sig) {
  sigset_t s;
  sigemptyset(&s);
  sigaddset(&s, sig);
  pthread_sigmask(how, &s, 0);
}
static atomic_int tids[8];
static void *open_thread(void *a) {
  block(SIG_UNBLOCK, SIGUSR1);
  tids[(long)a] = tid();
  ready++;
  while (!stop) usleep(500);
  return a;
}
static void *waiter(void *a) {
  sigset_t s;
  sigemptyset(&s);
  sigaddset(&s, SIGUSR2);
  ready++;
  int sig = 0;
  siginfo_t si;
  if (a) sig = sigwaitinfo(&s, &si);
  else sigwait(&s, &sig);
  hits += sig == SIGUSR2;
  return (void *)(long)(a ? si.si_code : 0);
}
static void *mask_of_new(void *a) {
  sigset_t m, p;
  pthread_sigmask(SIG_BLOCK, 0, &m);
  sigpending(&p);
  stack_t ss;
  sigaltstack(0, &ss);
  *(int *)a = sigismember(&m, SIGUSR1) + 2 * sigismember(&p, SIGUSR1) + 4 * (ss.ss_flags == SS_DISABLE);
  return 0;
}
static __thread sigjmp_buf env;
static __thread volatile int faults;
static void on_fault(int s) {
  (void)s;
  faults++;
  siglongjmp(env, 1);
}
static void *faulter(void *a) {
  stack_t ss = {.ss_sp = malloc(32768), .ss_size = 32768};
  sigaltstack(&ss, 0);
  for (int i = 0; i < 300; i++) {
    if (sigsetjmp(env, 1) == 0) *(volatile int *)(8 + (long)a) = 1;
    if (i % 50 == 0) sched_yield();
  }
  hits += faults == 300;
  return 0;
}
static void *spins(void *a) {
  for (;;) hits++;
  return a;
}
static void *dies(void *a) {
  usleep(2000);
  if (a) abort();
  *(volatile int *)8 = 1;
  return 0;
}
static volatile int in_handler;
static void slow(int s) {
  (void)s;
  in_handler = 1;
  sigset_t e;
  sigemptyset(&e);
  sigaddset(&e, SIGUSR1);
  struct timespec t = {0, 3000000};
  nanosleep(&t, 0);
  in_handler = 2;
}
static atomic_int read_done;
static void *reads(void *a) {
  char c;
  long r = read(*(int *)a, &c, 1);
  read_done++;
  return (void *)(r == -1 ? -(long)errno : r);
}

int main(void) {
  setvbuf(stdout, 0, _IONBF, 0);
  struct sigaction sa = {.sa_handler = on_sig, .sa_flags = SA_RESTART};
  sigaction(SIGUSR1, &sa, 0), sigaction(SIGUSR2, &sa, 0);
  pthread_t t[8];
  // Main first
  kill(getpid(), SIGUSR1);
  while (!hits) usleep(100);
  printf("main takes it: %d\n", taken_by == tid());
  // Only one thread has it unblocked
  block(SIG_BLOCK, SIGUSR1);
  hits = 0;
  pthread_create(&t[0], 0, open_thread, (void *)0);
  while (!ready) usleep(100);
  kill(getpid(), SIGUSR1);
  while (!hits) usleep(100);
  printf("the open thread takes it: %d\n", taken_by == tids[0]);
  pthread_kill(pthread_self(), SIGUSR1);
  usleep(3000);
  sigset_t p;
  sigpending(&p);
  printf("sent to main it waits: pending %d hits %d\n", sigismember(&p, SIGUSR1), hits);
  int seen = 0;
  pthread_create(&t[1], 0, mask_of_new, &seen);
  pthread_join(t[1], 0);
  printf("a new thread: %d\n", seen);
  block(SIG_UNBLOCK, SIGUSR1);
  printf("unblocked: hits %d by main %d\n", hits, taken_by == tid());
  stop = 1;
  pthread_join(t[0], 0);
  // Pending for the process, then a thread unblocks it
  block(SIG_BLOCK, SIGUSR1);
  hits = 0, stop = 0, ready = 0;
  kill(getpid(), SIGUSR1);
  sigpending(&p);
  printf("pending for all: %d\n", sigismember(&p, SIGUSR1));
  pthread_create(&t[0], 0, open_thread, (void *)0);
  while (!ready) usleep(100);
  printf("taken by the new thread: hits %d %d\n", hits, taken_by == tids[0]);
  stop = 1;
  pthread_join(t[0], 0);
  block(SIG_UNBLOCK, SIGUSR1);
  // sigwait in several threads: each signal wakes one
  block(SIG_BLOCK, SIGUSR2);
  hits = 0, ready = 0;
  for (long i = 0; i < 4; i++) pthread_create(&t[i], 0, waiter, (void *)(i & 1));
  while (ready < 4) usleep(100);
  usleep(3000);
  for (int i = 0; i < 4; i++) {
    kill(getpid(), SIGUSR2);
    while (hits < i + 1) usleep(100);
    usleep(1000);
  }
  printf("sigwait: %d\n", hits);
  for (int i = 0; i < 4; i++) pthread_join(t[i], 0);
  pthread_create(&t[0], 0, waiter, (void *)1);
  usleep(2000);
  void *v;
  pthread_kill(t[0], SIGUSR2);
  pthread_join(t[0], &v);
  printf("directed sigwaitinfo: %s\n", (long)v == SI_TKILL || (long)v == SI_USER ? "by tgkill" : "otherwise");
  pthread_create(&t[0], 0, waiter, (void *)1);
  usleep(2000);
  union sigval val = {.sival_int = 5};
  sigqueue(getpid(), SIGUSR2, val);
  pthread_join(t[0], &v);
  printf("queued sigwaitinfo: code %d\n", (int)(long)v);
  // Faults in several threads at once
  sa.sa_handler = on_fault, sa.sa_flags = SA_ONSTACK;
  sigaction(SIGSEGV, &sa, 0);
  hits = 0;
  for (long i = 0; i < 4; i++) pthread_create(&t[i], 0, faulter, (void *)(i * 16));
  for (int i = 0; i < 4; i++) pthread_join(t[i], 0);
  printf("faulting threads: %d\n", hits);
  signal(SIGSEGV, SIG_DFL);
  // A thread's fault, abort and a fatal signal end the process
  for (int k = 0; k < 4; k++) {
    pid_t pid = fork();
    if (pid == 0) {
      for (int i = 0; i < 2; i++) pthread_create(&t[i], 0, spins, 0);
      if (k < 2) pthread_create(&t[2], 0, dies, (void *)(long)k);
      for (;;) pause();
    }
    if (k >= 2) usleep(4000), kill(pid, k == 2 ? SIGTERM : SIGKILL);
    int st;
    waitpid(pid, &st, 0);
    printf("end %d: %x\n", k, st & 0x7f);
  }
  // A signal interrupts the thread that it is meant for, not others
  int pp[2];
  if (pipe(pp)) return 1;
  sa.sa_handler = on_sig, sa.sa_flags = 0;
  sigaction(SIGUSR1, &sa, 0);
  pthread_create(&t[0], 0, reads, &pp[0]);
  pthread_create(&t[1], 0, reads, &pp[0]);
  while (!read_done) usleep(3000), pthread_kill(t[1], SIGUSR1);
  pthread_join(t[1], &v);
  printf("interrupted: %ld\n", (long)v);
  if (write(pp[1], "x", 1) != 1) return 1;
  pthread_join(t[0], &v);
  printf("the other: %ld\n", (long)v);
  // Nested handlers over a sleeping handler
  sa.sa_handler = slow;
  sigaction(SIGALRM, &sa, 0);
  hits = 0;
  pid_t pid = fork();
  if (pid == 0) {
    usleep(2000);
    kill(getppid(), SIGALRM);
    usleep(1000);
    kill(getppid(), SIGUSR1);
    _exit(0);
  }
  while (in_handler != 2) pause();
  int st;
  waitpid(pid, &st, 0);
  printf("handler in a handler: %d\n", hits);
  // vfork: the child's handlers are its own, a fatal signal in it lets the parent go on
  pid = vfork();
  if (pid == 0) {
    signal(SIGUSR1, SIG_DFL);
    kill(getpid(), SIGUSR1);
    _exit(1);
  }
  waitpid(pid, &st, 0);
  sigaction(SIGUSR1, 0, &sa);
  printf("vfork child: %x, handler kept %d\n", st & 0x7f, sa.sa_handler == on_sig);
  // signalfd and a blocked signal in a thread
  sigset_t s;
  sigemptyset(&s);
  sigaddset(&s, SIGUSR2);
  int fd = signalfd(-1, &s, 0);
  pthread_kill(pthread_self(), SIGUSR2);
  struct signalfd_siginfo fdsi;
  if (read(fd, &fdsi, sizeof fdsi) != sizeof fdsi) return 1;
  printf("signalfd: %d code %d own pid %d\n", fdsi.ssi_signo, fdsi.ssi_code, fdsi.ssi_pid == (unsigned)getpid());
  // Exit while other threads are in calls
  pid = fork();
  if (pid == 0) {
    for (int i = 0; i < 3; i++) pthread_create(&t[i], 0, reads, &pp[0]);
    usleep(1000);
    exit(17);
  }
  waitpid(pid, &st, 0);
  printf("exit with threads in calls: %x\n", st);
  return 0;
}
