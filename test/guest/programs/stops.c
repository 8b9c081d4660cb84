// native: the emulator's children do not stop as Linux's do.
// Job control by signals: stopping and continuing whole processes with threads, SIGCONT's effects, SIGKILL on a stopped one.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct page {
  atomic_long counter[4];
  atomic_int cont, term, ready, order;
};
static struct page *page;
static void *spins(void *a) {
  for (;;) page->counter[(long)a]++;
}
static void on_cont(int s) {
  (void)s;
  page->cont++;
  page->order = page->order * 10 + 1;
}
static void on_term(int s) {
  (void)s;
  page->term++;
  page->order = page->order * 10 + 2;
}
static int still(pid_t pid) {
  (void)pid;
  long a = page->counter[0] + page->counter[1] + page->counter[2];
  usleep(20000);
  return a == page->counter[0] + page->counter[1] + page->counter[2];
}
static int status_in(pid_t pid, int options) {
  int st = 0;
  return waitpid(pid, &st, options) == pid ? st : -1;
}
static char state_of(pid_t pid) {
  char name[64], text[512];
  snprintf(name, sizeof name, "/proc/%d/stat", pid);
  FILE *f = fopen(name, "r");
  if (!f) return '?';
  size_t n = fread(text, 1, sizeof text - 1, f);
  text[n] = 0;
  fclose(f);
  return strrchr(text, ')')[2];
}

int main(void) {
  setvbuf(stdout, 0, _IONBF, 0);
  page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pid_t pid = fork();
  if (pid == 0) {
    setpgid(0, 0);
    signal(SIGCONT, on_cont);
    signal(SIGTERM, on_term);
    pthread_t t;
    for (long i = 0; i < 3; i++) pthread_create(&t, 0, spins, (void *)i);
    for (;;) pause();
  }
  while (!page->counter[0] || !page->counter[1] || !page->counter[2]) usleep(1000);
  kill(pid, SIGSTOP);
  printf("stopped: %x\n", status_in(pid, WUNTRACED));
  printf("all threads still: %d, state %c\n", still(pid), state_of(pid));
  kill(pid, SIGTERM);
  usleep(5000);
  printf("SIGTERM waits: %d\n", page->term);
  kill(pid, SIGSTOP);
  usleep(2000);
  printf("second stop is not reported: %x\n", status_in(pid, WUNTRACED | WNOHANG));
  kill(pid, SIGCONT);
  printf("continued: %x\n", status_in(pid, WCONTINUED));
  while (!page->term || !page->cont) usleep(100);
  printf("both handled: cont %d term %d, runs %d\n", page->cont, page->term, !still(pid));
  // SIGCONT to a running process runs its handler and is not reported
  kill(pid, SIGCONT);
  while (page->cont < 2) usleep(100);
  printf("SIGCONT while running: reported %x\n", status_in(pid, WCONTINUED | WNOHANG));
  // SIGTSTP, handled and by default
  kill(pid, SIGTSTP);
  printf("SIGTSTP: %x\n", status_in(pid, WUNTRACED));
  kill(pid, SIGCONT);
  printf("continued: %x\n", status_in(pid, WCONTINUED));
  while (page->cont < 3) usleep(100);
  // A pending SIGCONT is removed by a stop signal and the other way round
  kill(pid, SIGSTOP);
  status_in(pid, WUNTRACED);
  kill(pid, SIGTSTP);
  kill(pid, SIGCONT);
  printf("SIGCONT drops a pending SIGTSTP: %x\n", status_in(pid, WCONTINUED));
  usleep(3000);
  printf("it runs: %d\n", !still(pid));
  kill(pid, SIGSTOP);
  status_in(pid, WUNTRACED);
  kill(pid, SIGKILL);
  printf("killed while stopped: %x\n", status_in(pid, 0));
  // A blocked SIGCONT continues all the same
  page->cont = 0, page->ready = 0;
  pid = fork();
  if (pid == 0) {
    sigset_t s;
    sigemptyset(&s);
    sigaddset(&s, SIGCONT), sigaddset(&s, SIGTSTP);
    sigprocmask(SIG_BLOCK, &s, 0);
    signal(SIGCONT, on_cont);
    raise(SIGSTOP);
    sigpending(&s);
    page->ready = 1 + sigismember(&s, SIGCONT);
    raise(SIGTSTP);
    sigpending(&s);
    page->order = sigismember(&s, SIGCONT) * 10 + sigismember(&s, SIGTSTP);
    _exit(0);
  }
  status_in(pid, WUNTRACED);
  kill(pid, SIGCONT);
  printf("blocked SIGCONT continues: %x\n", status_in(pid, 0));
  printf("it was pending: %d, a blocked SIGTSTP drops it: %d\n", page->ready - 1, page->order);
  // Ignored SIGCONT continues too
  pid = fork();
  if (pid == 0) {
    signal(SIGCONT, SIG_IGN);
    raise(SIGSTOP);
    _exit(5);
  }
  status_in(pid, WUNTRACED);
  kill(pid, SIGCONT);
  printf("ignored SIGCONT continues: %x\n", status_in(pid, 0));
  // SIGTSTP ignored
  pid = fork();
  if (pid == 0) {
    signal(SIGTSTP, SIG_IGN);
    raise(SIGTSTP);
    _exit(6);
  }
  printf("ignored SIGTSTP: %x\n", status_in(pid, WUNTRACED));
  // A stopped vfork child; the parent still waits
  // Time passes for a sleeper that is stopped
  struct timespec t0, t1;
  pid = fork();
  if (pid == 0) {
    clock_gettime(CLOCK_MONOTONIC, &t0);
    nanosleep(&(struct timespec){0, 30000000}, 0);
    clock_gettime(CLOCK_MONOTONIC, &t1);
    long ms = (t1.tv_sec - t0.tv_sec) * 1000 + (t1.tv_nsec - t0.tv_nsec) / 1000000;
    _exit(ms >= 30 ? 0 : 1);
  }
  usleep(5000);
  kill(pid, SIGSTOP);
  status_in(pid, WUNTRACED);
  usleep(60000);
  printf("stopped past its deadline: %c\n", state_of(pid));
  kill(pid, SIGCONT);
  printf("sleeper: %x\n", status_in(pid, 0));
  // A group stop and a fatal signal for one thread
  pid = fork();
  if (pid == 0) {
    pthread_t t;
    for (long i = 0; i < 3; i++) pthread_create(&t, 0, spins, (void *)i);
    usleep(1000);
    syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGSTOP);
    for (;;) pause();
  }
  printf("SIGSTOP to one thread: %x\n", status_in(pid, WUNTRACED));
  printf("stops all: %d\n", still(pid));
  kill(pid, SIGTERM);
  kill(pid, SIGCONT);
  printf("then: %x\n", status_in(pid, 0));
  return 0;
}
