// native 6.18: the emulator translates signalfd and timerfd in part only.
// eventfd(2), timerfd_create(2), signalfd(2): counters, expirations, blocking, formats, errors.
#include "say.h"
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>

static int events(int fd) {
  struct pollfd p = {fd, POLLIN | POLLOUT, 0};
  poll(&p, 1, 0);
  return p.revents;
}
static volatile int got;
static void on(int s) { got = s; }

int main(void) {
  scratch();
  uint64_t v;
  int e = eventfd(3, EFD_NONBLOCK);
  printf("poll %x\n", events(e));
  say("read", read(e, &v, 8));
  printf("%llu\n", (unsigned long long)v);
  say("read 0", read(e, &v, 8));
  printf("poll %x\n", events(e));
  v = 5;
  say("write", write(e, &v, 8));
  v = 7;
  say("write", write(e, &v, 8));
  say("read short", read(e, &v, 7));
  say("write short", write(e, &v, 7));
  char big[16];
  say("read long", read(e, big, 16));
  memcpy(&v, big, 8);
  printf("%llu\n", (unsigned long long)v);
  v = -1;
  say("write max", write(e, &v, 8));
  v = 0xfffffffffffffffeull;
  say("write max-1", write(e, &v, 8));
  printf("poll %x\n", events(e));
  v = 1;
  say("write full", write(e, &v, 8));
  v = 0;
  say("write 0 when full", write(e, &v, 8));
  say("read", read(e, &v, 8));
  printf("%llx\n", (unsigned long long)v);
  say("lseek", lseek(e, 0, SEEK_SET));
  say("pread", pread(e, &v, 8, 0));
  say("bad buffer", syscall(SYS_read, e, (void *)8, 8l));
  say("bad buffer write", syscall(SYS_write, e, (void *)8, 8l));
  struct iovec io[2] = {{big, 4}, {big + 4, 4}};
  v = 258, write(e, &v, 8);
  say("readv", readv(e, io, 2));
  int s = eventfd(3, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC);
  for (int i = 0; i < 4; i++) {
    long n = read(s, &v, 8);
    printf("semaphore %ld %llu\n", n, n < 0 ? 0 : (unsigned long long)v);
  }
  printf("cloexec %d flags %o\n", fcntl(s, F_GETFD), fcntl(s, F_GETFL) & 07777);
  say("bad flags", eventfd(0, 0x40));
  int b = eventfd(0, 0);
  fflush(stdout);
  if (fork() == 0) {
    usleep(20000);
    v = 42;
    write(b, &v, 8);
    _exit(0);
  }
  say("blocking read", read(b, &v, 8));
  printf("%llu\n", (unsigned long long)v);
  wait(0);
  struct stat st;
  fstat(b, &st);
  printf("mode %o size %ld\n", st.st_mode, (long)st.st_size);
  char link[100] = "", name[40];
  sprintf(name, "/proc/self/fd/%d", b);
  readlink(name, link, sizeof link - 1);
  printf("%s\n", link);
  say("ftruncate", ftruncate(b, 0));
  say("fsync", fsync(b));

  // timerfd
  // Long enough for a slow machine to read early.
  struct itimerspec t = {{0, 0}, {0, 200000000}}, old;
  int f = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  say("read unarmed", read(f, &v, 8));
  say("settime", timerfd_settime(f, 0, &t, 0));
  say("read early", read(f, &v, 8));
  struct pollfd p = {f, POLLIN, 0};
  say("poll", poll(&p, 1, 5000));
  say("read", read(f, &v, 8));
  printf("%llu\n", (unsigned long long)v);
  say("read again", read(f, &v, 8));
  timerfd_gettime(f, &old);
  printf("%ld %ld\n", (long)old.it_value.tv_sec, (long)old.it_value.tv_nsec);
  t.it_interval.tv_nsec = 1000000;
  t.it_value.tv_nsec = 1000000;
  timerfd_settime(f, 0, &t, 0);
  usleep(30000);
  say("periodic", read(f, &v, 8));
  printf("several %d\n", v >= 10 && v < 10000);
  t.it_value.tv_sec = 100;
  say("settime old", timerfd_settime(f, 0, &t, &old));
  printf("interval %ld\n", (long)old.it_interval.tv_nsec);
  timerfd_gettime(f, &old);
  printf("left %d\n", old.it_value.tv_sec == 99 || old.it_value.tv_sec == 100);
  memset(&t, 0, sizeof t);
  timerfd_settime(f, 0, &t, 0);
  timerfd_gettime(f, &old);
  printf("disarmed %d\n", old.it_value.tv_sec == 0 && old.it_value.tv_nsec == 0);
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  t.it_value = now;
  say("absolute in the past", timerfd_settime(f, TFD_TIMER_ABSTIME, &t, 0));
  say("poll", poll(&p, 1, 1000));
  say("read", read(f, &v, 8));
  t.it_value.tv_nsec = 1000000000;
  say("bad nsec", timerfd_settime(f, 0, &t, 0));
  t.it_value.tv_nsec = 0, t.it_value.tv_sec = -1;
  say("negative", timerfd_settime(f, 0, &t, 0));
  t.it_value.tv_sec = 1;
  say("bad flags", timerfd_settime(f, 8, &t, 0));
  say("cancel on set needs realtime", timerfd_settime(f, TFD_TIMER_CANCEL_ON_SET | TFD_TIMER_ABSTIME, &t, 0));
  say("bad pointer", syscall(SYS_timerfd_settime, f, 0, (void *)8, 0));
  say("not a timerfd", timerfd_settime(e, 0, &t, 0));
  say("gettime of another", timerfd_gettime(e, &old));
  say("bad clock", timerfd_create(77, 0));
  say("bad create flags", timerfd_create(CLOCK_MONOTONIC, 1));
  say("cpu clock", timerfd_create(CLOCK_PROCESS_CPUTIME_ID, 0));
  ok("realtime", timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC));
  ok("boottime", timerfd_create(CLOCK_BOOTTIME, 0));
  say("write", write(f, &v, 8));
  say("short read", read(f, &v, 4));

  // signalfd
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGRTMIN + 1);
  sigaddset(&set, SIGCHLD);
  sigprocmask(SIG_BLOCK, &set, 0);
  int g = signalfd(-1, &set, SFD_NONBLOCK);
  struct signalfd_siginfo si[4];
  say("read none", read(g, si, sizeof si));
  printf("poll %x\n", events(g));
  kill(getpid(), SIGUSR1);
  kill(getpid(), SIGUSR1);
  union sigval sv = {.sival_int = 77};
  sigqueue(getpid(), SIGRTMIN + 1, sv);
  sv.sival_int = 78;
  sigqueue(getpid(), SIGRTMIN + 1, sv);
  printf("poll %x\n", events(g));
  say("read too small", read(g, si, 100));
  long n = read(g, si, sizeof si);
  printf("%ld records\n", n / (long)sizeof *si);
  for (int i = 0; i < n / (long)sizeof *si; i++)
    printf("signo %d code %d int %d pid %d uid %d\n", si[i].ssi_signo == SIGUSR1 ? 10 : 99, si[i].ssi_code, si[i].ssi_int, si[i].ssi_pid == getpid(), si[i].ssi_uid == getuid());
  fflush(stdout);
  if (fork() == 0) _exit(3);
  p.fd = g;
  poll(&p, 1, 5000);
  n = read(g, si, sizeof si);
  printf("child: signo %d status %d code %d\n", si[0].ssi_signo == SIGCHLD, si[0].ssi_status, si[0].ssi_code);
  wait(0);
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  sigprocmask(SIG_BLOCK, &set, 0);
  say("change the mask", signalfd(g, &set, 0) == g);
  kill(getpid(), SIGUSR1);
  say("not the old signal", read(g, si, sizeof si));
  kill(getpid(), SIGUSR2);
  say("the new one", read(g, si, sizeof si));
  say("bad flags", signalfd(-1, &set, 1));
  say("not a signalfd", signalfd(e, &set, 0));
  say("bad descriptor", signalfd(99, &set, 0));
  say("bad mask", syscall(SYS_signalfd4, -1, (void *)8, 8l, 0));
  say("bad size", syscall(SYS_signalfd4, -1, &set, 4l, 0));
  say("write", write(g, si, sizeof *si));
  signal(SIGUSR1, on);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_UNBLOCK, &set, 0);
  printf("the old one was pending %d\n", got == SIGUSR1);
  return 0;
}
