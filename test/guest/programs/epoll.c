// native 6.18: real wake-up rules.
// epoll_create(2), epoll_ctl(2), epoll_wait(2), poll(2), ppoll(2), select(2), pselect(2): readiness, modes, errors.
#include "say.h"
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

static int ctl(int ep, int op, int fd, unsigned ev, uint64_t data) {
  struct epoll_event e = {ev, {.u64 = data}};
  return epoll_ctl(ep, op, fd, &e);
}
static void waits(const char *what, int ep, int timeout) {
  struct epoll_event e[8];
  int n = epoll_wait(ep, e, 8, timeout);
  if (n < 0) { printf("%s: %s\n", what, err_name(errno)); return; }
  printf("%s: %d", what, n);
  for (int i = 0; i < n; i++) printf(" [%x %llu]", e[i].events, (unsigned long long)e[i].data.u64);
  printf("\n");
}
static volatile int got;
static void on(int s) { got = s; }
static int ep_global, wakes;
static void *sleeper(void *arg) {
  (void)arg;
  struct epoll_event e[4];
  if (epoll_wait(ep_global, e, 4, 3000) > 0) __sync_fetch_and_add(&wakes, 1);
  return 0;
}

int main(void) {
  scratch();
  int p[2], q[2];
  char b[100000];
  pipe2(p, O_NONBLOCK), pipe2(q, O_NONBLOCK);
  int ep = epoll_create1(EPOLL_CLOEXEC);
  printf("cloexec %d\n", fcntl(ep, F_GETFD));
  say("create bad flags", epoll_create1(1));
  say("create 0", epoll_create1(0) >= 0);
  waits("empty set", ep, 0);
  // level
  say("add", ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 1));
  say("add again", ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 1));
  waits("nothing yet", ep, 0);
  write(p[1], "ab", 2);
  waits("level", ep, 0);
  waits("level again", ep, 0);
  read(p[0], b, 1);
  waits("level still", ep, 0);
  read(p[0], b, 1);
  waits("level drained", ep, 0);
  // edge
  say("mod to edge", ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET, 2));
  write(p[1], "ab", 2);
  waits("edge", ep, 0);
  waits("edge again", ep, 0);
  write(p[1], "c", 1);
  waits("edge after more", ep, 0);
  read(p[0], b, 1);
  waits("edge after a partial read", ep, 0);
  say("mod rearms", ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET, 2));
  waits("edge after mod", ep, 0);
  while (read(p[0], b, 10) > 0) {}
  // oneshot
  ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT, 3);
  write(p[1], "x", 1);
  waits("oneshot", ep, 0);
  write(p[1], "y", 1);
  waits("oneshot spent", ep, 0);
  ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT, 4);
  waits("oneshot rearmed", ep, 0);
  while (read(p[0], b, 10) > 0) {}
  // several, OUT, HUP, ERR
  ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN, 5);
  ctl(ep, EPOLL_CTL_ADD, p[1], EPOLLOUT, 6);
  waits("writable", ep, 0);
  memset(b, 1, sizeof b);
  while (write(p[1], b, 4096) > 0) {}
  waits("full", ep, 0);
  read(p[0], b, 4096);
  waits("room", ep, 0);
  ctl(ep, EPOLL_CTL_MOD, p[1], 0, 6);
  waits("no interest", ep, 0);
  say("del", ctl(ep, EPOLL_CTL_DEL, p[0], 0, 0));
  say("del again", ctl(ep, EPOLL_CTL_DEL, p[0], 0, 0));
  say("mod missing", ctl(ep, EPOLL_CTL_MOD, p[0], EPOLLIN, 0));
  close(p[0]);
  waits("error without interest", ep, 0);
  close(p[1]);
  waits("closed fd is gone", ep, 0);
  say("mod closed", ctl(ep, EPOLL_CTL_MOD, p[1], EPOLLIN, 0));
  ctl(ep, EPOLL_CTL_ADD, q[0], EPOLLIN, 7);
  close(q[1]);
  waits("hangup", ep, 0);
  ctl(ep, EPOLL_CTL_MOD, q[0], EPOLLET, 7);
  waits("hangup edge", ep, 0);
  waits("hangup edge again", ep, 0);
  // closing a descriptor whose description lives on
  pipe2(p, O_NONBLOCK);
  int copy = dup(p[0]);
  ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 8);
  ctl(ep, EPOLL_CTL_DEL, q[0], 0, 0);
  close(p[0]);
  write(p[1], "z", 1);
  waits("description lives on", ep, 0);
  say("del by a closed number", ctl(ep, EPOLL_CTL_DEL, p[0], 0, 0));
  say("del by the copy", ctl(ep, EPOLL_CTL_DEL, copy, 0, 0));
  close(copy);
  waits("gone with the last", ep, 0);
  close(p[1]);
  // errors
  pipe2(p, O_NONBLOCK);
  put("file", "x");
  int file = open("file", O_RDONLY);
  say("regular file", ctl(ep, EPOLL_CTL_ADD, file, EPOLLIN, 0));
  say("directory", ctl(ep, EPOLL_CTL_ADD, open(".", O_RDONLY), EPOLLIN, 0));
  say("null device", ctl(ep, EPOLL_CTL_ADD, open("/dev/null", O_RDWR), EPOLLIN, 0));
  say("zero device", ctl(ep, EPOLL_CTL_ADD, open("/dev/zero", O_RDWR), EPOLLIN, 0));
  say("itself", ctl(ep, EPOLL_CTL_ADD, ep, EPOLLIN, 0));
  say("bad fd", ctl(ep, EPOLL_CTL_ADD, 999, EPOLLIN, 0));
  say("bad epfd", ctl(999, EPOLL_CTL_ADD, p[0], EPOLLIN, 0));
  say("not an epoll", ctl(p[0], EPOLL_CTL_ADD, p[1], EPOLLIN, 0));
  say("bad op", ctl(ep, 9, p[0], EPOLLIN, 0));
  say("bad event", epoll_ctl(ep, EPOLL_CTL_ADD, p[0], (void *)8));
  struct epoll_event ev[4];
  say("wait 0 events", epoll_wait(ep, ev, 0, 0));
  say("wait -1 events", epoll_wait(ep, ev, -1, 0));
  say("wait bad fd", epoll_wait(999, ev, 4, 0));
  say("wait not epoll", epoll_wait(p[0], ev, 4, 0));
  write(p[1], "r", 1);
  ctl(ep, EPOLL_CTL_ADD, p[0], EPOLLIN, 9);
  say("wait bad buffer", epoll_wait(ep, (void *)8, 4, 0));
  say("read epoll", read(ep, b, 10));
  say("epoll_pwait bad size", syscall(SYS_epoll_pwait, ep, ev, 4, 0, &got, 4l));
  // fairness: more ready than asked for
  int es[6];
  for (int i = 0; i < 6; i++) {
    es[i] = eventfd(1, EFD_NONBLOCK);
    ctl(ep, EPOLL_CTL_ADD, es[i], EPOLLIN, 100 + i);
  }
  unsigned seen = 0;
  for (int i = 0; i < 4; i++) {
    int n = epoll_wait(ep, ev, 2, 0);
    for (int j = 0; j < n; j++) seen |= ev[j].data.u64 >= 100 ? 1u << (ev[j].data.u64 - 100) : 1u << 6;
  }
  printf("round robin %x\n", seen);
  for (int i = 0; i < 6; i++) close(es[i]);
  // nested
  int outer = epoll_create1(0);
  say("nest", ctl(outer, EPOLL_CTL_ADD, ep, EPOLLIN, 50));
  say("cycle", ctl(ep, EPOLL_CTL_ADD, outer, EPOLLIN, 0));
  waits("nested", outer, 0);
  read(p[0], b, 1);
  waits("nested drained", outer, 0);
  struct pollfd pe = {ep, POLLIN, 0};
  say("poll of an epoll", poll(&pe, 1, 0));
  write(p[1], "r", 1);
  say("poll of a ready epoll", poll(&pe, 1, 0));
  int chain[7];
  chain[0] = outer;
  for (int i = 1; i < 7; i++) {
    chain[i] = epoll_create1(0);
    if (ctl(chain[i], EPOLL_CTL_ADD, chain[i - 1], EPOLLIN, i)) { printf("depth %d: %s\n", i, err_name(errno)); break; }
  }
  // exclusive
  int x = eventfd(0, EFD_NONBLOCK);
  ep_global = epoll_create1(0);
  say("exclusive", ctl(ep_global, EPOLL_CTL_ADD, x, EPOLLIN | EPOLLEXCLUSIVE, 0));
  say("exclusive mod", ctl(ep_global, EPOLL_CTL_MOD, x, EPOLLIN | EPOLLEXCLUSIVE, 0));
  say("mod of exclusive", ctl(ep_global, EPOLL_CTL_MOD, x, EPOLLIN, 0));
  say("exclusive oneshot", ctl(ep_global, EPOLL_CTL_ADD, p[1], EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT, 0));
  say("exclusive epoll", ctl(ep_global, EPOLL_CTL_ADD, ep, EPOLLIN | EPOLLEXCLUSIVE, 0));
  // one event, several threads in one epoll: edge wakes one
  ctl(ep_global, EPOLL_CTL_DEL, x, 0, 0);
  ctl(ep_global, EPOLL_CTL_ADD, x, EPOLLIN | EPOLLET, 0);
  pthread_t th[3];
  for (int i = 0; i < 3; i++) pthread_create(&th[i], 0, sleeper, 0);
  usleep(100000);
  uint64_t one = 1;
  write(x, &one, 8);
  usleep(100000);
  printf("threads woken %d\n", wakes);
  write(x, &one, 8);
  write(x, &one, 8);
  usleep(100000);
  write(x, &one, 8);
  for (int i = 0; i < 3; i++) pthread_join(th[i], 0);
  printf("threads woken %d\n", wakes);
  // added while waiting
  int late = epoll_create1(0);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    usleep(30000);
    ctl(late, EPOLL_CTL_ADD, x, EPOLLIN, 60);
    _exit(0);
  }
  waits("added while waiting", late, 5000);
  waitpid(child, 0, 0);
  // mod while waiting
  child = fork();
  ctl(late, EPOLL_CTL_MOD, x, 0, 60);
  if (child == 0) {
    usleep(30000);
    ctl(late, EPOLL_CTL_MOD, x, EPOLLIN, 61);
    _exit(0);
  }
  waits("changed while waiting", late, 5000);
  waitpid(child, 0, 0);
  // time-outs and signals
  struct timespec t0, t1;
  clock_gettime(CLOCK_MONOTONIC, &t0);
  int idle = epoll_create1(0);
  waits("timeout", idle, 30);
  clock_gettime(CLOCK_MONOTONIC, &t1);
  printf("slept %d\n", (t1.tv_sec - t0.tv_sec) * 1000 + (t1.tv_nsec - t0.tv_nsec) / 1000000 >= 29);
  struct sigaction sa = {.sa_handler = on, .sa_flags = SA_RESTART};
  sigaction(SIGALRM, &sa, 0);
  ualarm(20000, 0);
  waits("interrupted", idle, 5000);
  struct timespec ts = {0, 1000000};
  say("pwait2", syscall(SYS_epoll_pwait2, idle, ev, 4, &ts, 0, 8l));
  ts.tv_nsec = 2000000000;
  say("pwait2 bad time", syscall(SYS_epoll_pwait2, idle, ev, 4, &ts, 0, 8l));
  sigset_t block, none;
  sigemptyset(&none), sigemptyset(&block), sigaddset(&block, SIGUSR1);
  sigprocmask(SIG_BLOCK, &block, 0);
  signal(SIGUSR1, on);
  kill(getpid(), SIGUSR1);
  got = 0;
  say("pwait with a mask", epoll_pwait(idle, ev, 4, 1000, &none));
  printf("handler %d\n", got == SIGUSR1);

  // poll
  struct pollfd pf[3] = {{p[0], POLLIN, 77}, {-1, POLLIN, 77}, {999, POLLIN, 77}};
  say("poll", poll(pf, 3, 0));
  printf("%x %x %x\n", pf[0].revents, pf[1].revents, pf[2].revents);
  say("poll bad array", poll((void *)8, 1, 0));
  say("poll 0", poll(0, 0, 10));
  pf[0].fd = file, pf[0].events = POLLIN | POLLOUT | POLLPRI;
  say("poll file", poll(pf, 1, 0));
  printf("%x\n", pf[0].revents);
  ts.tv_nsec = 10000000, ts.tv_sec = 0;
  say("ppoll", ppoll(pf, 0, &ts, 0));
  ts.tv_nsec = -1;
  say("ppoll bad time", syscall(SYS_ppoll, pf, 0, &ts, 0, 8l));
  ts.tv_nsec = 0;
  kill(getpid(), SIGUSR1);
  got = 0;
  say("ppoll with a mask, nothing to wait for", ppoll(0, 0, &ts, &none));
  printf("handler %d\n", got == SIGUSR1);
  ts.tv_sec = 5;
  kill(getpid(), SIGUSR1);
  say("ppoll with a mask", ppoll(0, 0, &ts, &none));
  // select
  fd_set r, w, ex;
  FD_ZERO(&r);
  FD_ZERO(&w);
  FD_ZERO(&ex);
  FD_SET(p[0], &r), FD_SET(p[1], &w), FD_SET(p[0], &ex);
  struct timeval tv = {0, 0};
  int max = (p[0] > p[1] ? p[0] : p[1]) + 1;
  say("select", select(max, &r, &w, &ex, &tv));
  printf("%d %d %d\n", FD_ISSET(p[0], &r) != 0, FD_ISSET(p[1], &w) != 0, FD_ISSET(p[0], &ex) != 0);
  read(p[0], b, 10);
  FD_ZERO(&r);
  FD_SET(p[0], &r);
  say("select nothing", select(max, &r, 0, 0, &tv));
  printf("%d\n", FD_ISSET(p[0], &r) != 0);
  FD_ZERO(&r);
  FD_SET(500, &r);
  say("select bad fd", select(501, &r, 0, 0, &tv));
  say("select -1", syscall(SYS_pselect6, -1, 0, 0, 0, 0, 0));
  tv.tv_usec = 20000;
  say("select sleep", select(0, 0, 0, 0, &tv));
  ts = (struct timespec){0, -5};
  say("pselect bad time", syscall(SYS_pselect6, 0, 0, 0, 0, &ts, 0));
  ts = (struct timespec){3, 0};
  kill(getpid(), SIGUSR1);
  say("pselect with a mask", pselect(0, 0, 0, 0, &ts, &none));
  ts = (struct timespec){0, 5000000};
  syscall(SYS_pselect6, 0, 0, 0, 0, &ts, 0);
  printf("time left is written %ld %ld\n", (long)ts.tv_sec, ts.tv_nsec);
  say("select bad set", syscall(SYS_pselect6, 10, (void *)8, 0, 0, &ts, 0));
  // the end is news to readers only: others wait on
  int end[2];
  pipe(end);
  close(end[1]);
  FD_ZERO(&ex);
  FD_SET(end[0], &ex);
  signal(SIGALRM, on);
  setitimer(ITIMER_REAL, &(struct itimerval){.it_value.tv_usec = 50000}, 0);
  say("select for exceptions at the end", select(end[0] + 1, 0, 0, &ex, 0));
  FD_ZERO(&r);
  FD_SET(end[0], &r);
  say("select for reading at the end", select(end[0] + 1, &r, 0, 0, 0));
  return 0;
}
