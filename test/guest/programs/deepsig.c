// native: the emulator has its own signal stacks and clocks.
// Storms of signals, timers and forks at the same time; nothing is lost and nothing is torn.
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
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static atomic_long ticks, queued_sum, queued_count, bad;
static double sink;
static void on_tick(int s) {
  (void)s;
  int e = errno;
  ticks++;
  double d = ticks;
  sink = d * 1.5;
  errno = e;
}
static void on_queued(int s, siginfo_t *si, void *uc) {
  (void)s, (void)uc;
  queued_sum += si->si_value.sival_int;
  queued_count++;
}
static long fibs(int n) { return n < 2 ? n : fibs(n - 1) + fibs(n - 2); }
static void *calculates(void *a) {
  for (int i = 0; i < 12; i++) {
    if (fibs(16) != 987) bad++;
    double x = 1;
    for (int k = 1; k < 2000; k++) x = x * 1.0000001 + 1e-9 * k;
    static _Atomic(long) expected;
    long bits;
    memcpy(&bits, &x, 8);
    long e = expected;
    if (e == 0) expected = bits;
    else if (e != bits) bad++;
    char text[64];
    snprintf(text, sizeof text, "%d-%ld", i, (long)a);
    if (atoi(text) != i) bad++;
  }
  return a;
}
static sigjmp_buf env;
static void jumps(int s) {
  (void)s;
  siglongjmp(env, 1);
}

int main(void) {
  setvbuf(stdout, 0, _IONBF, 0);
  // BRIEF: where each call costs a hundred times what it costs elsewhere.
  const int less = getenv("BRIEF") ? 5 : 1, signals = 500 / less, turns = 1000 / less;
  struct sigaction sa = {.sa_handler = on_tick, .sa_flags = SA_RESTART};
  sigaction(SIGALRM, &sa, 0), sigaction(SIGPROF, &sa, 0);
  struct itimerval it = {{0, 700}, {0, 700}};
  setitimer(ITIMER_REAL, &it, 0);
  pthread_t t[4];
  for (long i = 0; i < 4; i++) pthread_create(&t[i], 0, calculates, (void *)i);
  int children = 0, sum = 0;
  for (int i = 0; i < 60 / less; i++) {
    pid_t pid = fork();
    if (pid == 0) _exit(fibs(10) == 55 ? i : 255);
    int st;
    while (waitpid(pid, &st, 0) != pid) {}
    children++, sum += WEXITSTATUS(st);
  }
  for (int i = 0; i < 4; i++) pthread_join(t[i], 0);
  it = (struct itimerval){{0, 0}, {0, 0}};
  setitimer(ITIMER_REAL, &it, 0);
  printf("children %d sum %d bad %ld ticks %d\n", children, sum, (long)bad, ticks > 0);
  // Queued signals from several senders to one receiver
  sa.sa_sigaction = on_queued, sa.sa_flags = SA_SIGINFO | SA_RESTART;
  sigaction(SIGRTMIN + 3, &sa, 0);
  pid_t senders[4];
  for (int k = 0; k < 4; k++) {
    if ((senders[k] = fork()) == 0) {
      for (int i = 1; i <= signals; i++)
        while (sigqueue(getppid(), SIGRTMIN + 3, (union sigval){.sival_int = i}) == -1) sched_yield();
      _exit(0);
    }
  }
  for (int k = 0; k < 4; k++) {
    int st;
    while (waitpid(senders[k], &st, 0) != senders[k]) {}
  }
  while (queued_count < 4 * signals) usleep(500);
  printf("queued %ld sum %ld\n", (long)queued_count, (long)queued_sum);
  // Jumping out of a handler again and again
  signal(SIGALRM, jumps);
  it = (struct itimerval){{0, 500}, {0, 500}};
  volatile int out = 0;
  setitimer(ITIMER_REAL, &it, 0);
  while (out < 200 / less) {
    if (sigsetjmp(env, 1)) {
      out++;
      continue;
    }
    for (;;) fibs(12);
  }
  it = (struct itimerval){{0, 0}, {0, 0}};
  signal(SIGALRM, SIG_IGN);
  setitimer(ITIMER_REAL, &it, 0);
  printf("jumped %d\n", out);
  // Ping-pong of signals between two processes
  sigset_t both, old;
  sigemptyset(&both);
  sigaddset(&both, SIGUSR1), sigaddset(&both, SIGUSR2);
  sigprocmask(SIG_BLOCK, &both, &old);
  pid_t pid = fork();
  int sig, count = 0;
  if (pid == 0) {
    for (int i = 0; i < turns; i++) {
      if (sigwait(&both, &sig) || sig != SIGUSR1) _exit(1);
      kill(getppid(), SIGUSR2);
    }
    _exit(0);
  }
  for (int i = 0; i < turns; i++) {
    kill(pid, SIGUSR1);
    if (sigwait(&both, &sig) == 0 && sig == SIGUSR2) count++;
  }
  int st;
  waitpid(pid, &st, 0);
  printf("ping-pong %d child %x\n", count, st);
  return 0;
}
