// native: the emulator restarts calls by itself.
// Which blocking calls a signal interrupts, and which go on: EINTR, SA_RESTART, remaining times, stop and continue.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile int hits;
static int feed = -1;
static volatile int *word;
// The second signal lets the call come to an end, when it goes on after the first.
static void on_alarm(int s) {
  (void)s;
  hits++;
  if (hits == 2 && feed >= 0) {
    uint64_t one = 1;
    if (write(feed, &one, 8) != 8) _exit(9);
  }
  if (hits == 2 && word) {
    *word = 1;
    syscall(SYS_futex, word, FUTEX_WAKE, 1, 0, 0, 0);
  }
}
static void arm(int flags) {
  struct sigaction sa = {.sa_handler = on_alarm, .sa_flags = flags};
  sigaction(SIGALRM, &sa, 0);
  hits = 0;
  // Between a call's end and the next line there must be no second one, however slow the machine is.
  struct itimerval it = {.it_value = {0, 4000}, .it_interval = {0, 60000}};
  setitimer(ITIMER_REAL, &it, 0);
}
static void disarm(const char *what, int flags, long r, int e) {
  int seen = hits;
  struct itimerval it = {{0, 0}, {0, 0}};
  setitimer(ITIMER_REAL, &it, 0);
  printf("%s%s: ", what, flags & SA_RESTART ? ", SA_RESTART" : "");
  if (r == -1) printf("errno %d", e);
  else printf("%s", r == 0 ? "0" : "positive");
  printf(" after %s\n", seen == 1 ? "one signal" : seen >= 2 ? "more" : "none");
}
#define TRY(what, call)                                     \
  for (int f = 0; f < 2; f++) {                             \
    int flags = f ? SA_RESTART : 0;                         \
    arm(flags);                                             \
    long r = (call);                                        \
    int e = errno;                                          \
    disarm(what, flags, r, e);                              \
  }
static long ns(struct timespec *t) { return t->tv_sec * 1000000000l + t->tv_nsec; }

int main(void) {
  setvbuf(stdout, 0, _IONBF, 0);
  int p[2];
  char buf[64];
  if (pipe(p)) return 1;
  feed = p[1];
  TRY("read of a pipe", read(p[0], buf, 8));
  feed = -1;
  // A full pipe
  fcntl(p[1], F_SETFL, O_NONBLOCK);
  while (write(p[1], buf, 64) > 0) {}
  fcntl(p[1], F_SETFL, 0);
  arm(0);
  long r = write(p[1], buf, 64);
  int e = errno;
  disarm("write to a full pipe", 0, r, e);
  char *big = calloc(1, 200000);
  int q[2];
  if (pipe(q)) return 1;
  arm(SA_RESTART);
  r = write(q[1], big, 200000);
  e = errno;
  disarm("write that is partly done", SA_RESTART, r, e);
  printf("partial count: %ld\n", r);
  if (read(p[0], big, 200000) < 0) return 1;
  // Whatever is to be interrupted would last far longer than a slow machine takes to do it.
  struct timespec ts = {0, 500000000}, rem = {9, 9};
  for (int f = 0; f < 2; f++) {
    arm(f ? SA_RESTART : 0);
    rem = (struct timespec){9, 9};
    r = nanosleep(&ts, &rem);
    e = errno;
    disarm("nanosleep", f ? SA_RESTART : 0, r, e);
    printf("remaining plausible: %d\n", ns(&rem) > 0 && ns(&rem) < 500000000);
  }
  rem = (struct timespec){9, 9};
  TRY("clock_nanosleep", clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, &rem) ? (errno = EINTR, -1) : 0);
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  at.tv_sec += 1;
  rem = (struct timespec){9, 9};
  arm(0);
  r = syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &at, &rem);
  e = errno;
  disarm("clock_nanosleep absolute", 0, r, e);
  printf("remaining untouched: %d\n", rem.tv_sec == 9);
  clock_gettime(CLOCK_REALTIME, &at);
  at.tv_sec += 1;
  arm(SA_RESTART);
  r = syscall(SYS_clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, &at, 0);
  e = errno;
  disarm("clock_nanosleep absolute realtime", SA_RESTART, r, e);
  TRY("pause", pause());
  struct pollfd pf = {p[0], POLLIN, 0};
  while (fcntl(p[0], F_SETFL, O_NONBLOCK), read(p[0], big, 200000) > 0) {}
  fcntl(p[0], F_SETFL, 0);
  TRY("poll", poll(&pf, 1, 1000));
  TRY("ppoll", ppoll(&pf, 1, &(struct timespec){1, 0}, 0));
  fd_set set;
  FD_ZERO(&set);
  FD_SET(p[0], &set);
  TRY("select", select(p[0] + 1, &set, 0, 0, &(struct timeval){1, 0}));
  TRY("pselect", (memset(&set, 0, sizeof set), pselect(p[0] + 1, &set, 0, 0, &(struct timespec){1, 0}, 0)));
  int ep = epoll_create1(0);
  struct epoll_event ev = {.events = EPOLLIN};
  epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev);
  TRY("epoll_wait", epoll_wait(ep, &ev, 1, 1000));
  int efd = eventfd(0, 0);
  feed = efd;
  TRY("read of an eventfd", read(efd, buf, 8));
  feed = -1;
  int tfd = timerfd_create(CLOCK_MONOTONIC, 0);
  struct itimerspec its = {.it_value = {0, 300000000}};
  TRY("read of a timerfd", (timerfd_settime(tfd, 0, &its, 0), read(tfd, buf, 8)));
  int fut = 0;
  word = &fut;
  TRY("futex wait", (fut = 0, syscall(SYS_futex, &fut, FUTEX_WAIT, 0, 0, 0, 0)));
  TRY("futex wait, timeout", (fut = 0, syscall(SYS_futex, &fut, FUTEX_WAIT, 0, &(struct timespec){1, 0}, 0, 0)));
  TRY("futex wait bitset", (fut = 0, syscall(SYS_futex, &fut, FUTEX_WAIT_BITSET, 0, 0, 0, 1)));
  word = 0;
  TRY("futex wait that times out", syscall(SYS_futex, &fut, FUTEX_WAIT, fut, &(struct timespec){1, 0}, 0, 0));
  sem_t sem;
  sem_init(&sem, 0, 0);
  TRY("sem_timedwait", ({
        struct timespec t;
        clock_gettime(CLOCK_REALTIME, &t);
        t.tv_nsec += 200000000;
        if (t.tv_nsec >= 1000000000) t.tv_sec++, t.tv_nsec -= 1000000000;
        int v = sem_timedwait(&sem, &t);
        if (v == -1 && errno == EINTR) errno = ETIMEDOUT, hits = 2;
        v;
      }));
  sigset_t s;
  sigemptyset(&s);
  sigaddset(&s, SIGUSR2);
  TRY("sigtimedwait", syscall(SYS_rt_sigtimedwait, &s, 0, &(struct timespec){1, 0}, 8));
  sigemptyset(&s);
  TRY("sigsuspend", sigsuspend(&s));
  pid_t pid = fork();
  if (pid == 0) {
    for (;;) pause();
  }
  arm(0);
  r = waitpid(pid, 0, 0);
  e = errno;
  disarm("waitpid", 0, r, e);
  arm(0);
  siginfo_t si;
  r = waitid(P_PID, pid, &si, WEXITED);
  e = errno;
  disarm("waitid", 0, r, e);
  kill(pid, SIGKILL);
  waitpid(pid, 0, 0);
  pid = fork();
  if (pid == 0) {
    usleep(200000);
    _exit(0);
  }
  arm(SA_RESTART);
  r = waitpid(pid, 0, 0);
  e = errno;
  disarm("waitpid", SA_RESTART, r, e);
  // flock and fcntl locks held by a child
  char name[] = "/tmp/carrick-restart-XXXXXX";
  int fd = mkstemp(name);
  int ready[2];
  if (pipe(ready)) return 1;
  pid = fork();
  if (pid == 0) {
    int own = open(name, O_RDWR);
    flock(own, LOCK_EX);
    struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    fcntl(own, F_SETLK, &fl);
    if (write(ready[1], "x", 1) != 1) _exit(1);
    for (;;) pause();
  }
  if (read(ready[0], buf, 1) != 1) return 1;
  arm(0);
  r = flock(fd, LOCK_EX);
  e = errno;
  disarm("flock", 0, r, e);
  struct flock fl = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
  arm(0);
  r = fcntl(fd, F_SETLKW, &fl);
  e = errno;
  disarm("F_SETLKW", 0, r, e);
  kill(pid, SIGKILL);
  waitpid(pid, 0, 0);
  unlink(name);
  // open of a FIFO
  char fifo[64];
  snprintf(fifo, sizeof fifo, "%s.fifo", name);
  if (mkfifo(fifo, 0600)) return 1;
  arm(0);
  r = open(fifo, O_RDONLY);
  e = errno;
  disarm("open of a FIFO", 0, r, e);
  unlink(fifo);
  // Stop and continue do not end a call that waits
  static const char *names[] = {"read", "nanosleep", "poll", "futex", "epoll_wait", "sigtimedwait", "pause", "semop-like read"};
  for (int k = 0; k < 7; k++) {
    int io[2];
    if (pipe(io)) return 1;
    pid = fork();
    if (pid == 0) {
      struct pollfd pp = {io[0], POLLIN, 0};
      errno = 0;
      sigset_t usr;
      sigemptyset(&usr);
      sigaddset(&usr, SIGUSR1);
      switch (k) {
        case 0: r = read(io[0], buf, 1); break;
        case 1: r = nanosleep(&(struct timespec){0, 200000000}, &rem); break;
        case 2: r = poll(&pp, 1, 200); break;
        case 3: fut = 0, r = syscall(SYS_futex, &fut, FUTEX_WAIT, 0, &(struct timespec){0, 200000000}, 0, 0); break;
        case 4: ep = epoll_create1(0), r = epoll_wait(ep, &ev, 1, 1000); break;
        case 5: r = syscall(SYS_rt_sigtimedwait, &usr, 0, &(struct timespec){1, 0}, 8); break;
        default: alarm(1), signal(SIGALRM, on_alarm), ualarm(200000, 0), r = pause();
      }
      _exit(r == -1 ? errno : 100 + (int)r);
    }
    usleep(50000);
    kill(pid, SIGSTOP);
    int st;
    waitpid(pid, &st, WUNTRACED);
    kill(pid, SIGCONT);
    if (k == 0) {
      usleep(2000);
      if (write(io[1], "x", 1) != 1) return 1;
    }
    waitpid(pid, &st, 0);
    printf("%s over a stop: %d\n", names[k], WEXITSTATUS(st));
    close(io[0]), close(io[1]);
  }
  return 0;
}
