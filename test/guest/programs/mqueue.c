// native: the emulator translates signal values and attributes in its own way.
// mq_overview(7): names, attributes, order, waiting, time limits, notices, readiness, limits, errors.
#include "say.h"
#include <mqueue.h>
#include <poll.h>
#include <semaphore.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

static char name[64];
static volatile int got, got_code, got_value;
static void notice(int sig, siginfo_t *info, void *context) {
  (void)context;
  got = sig;
  got_code = info->si_code;
  got_value = info->si_value.sival_int;
}
static void attributes(const char *what, mqd_t q) {
  struct mq_attr a;
  say(what, mq_getattr(q, &a));
  printf("flags %lo messages %ld bytes %ld now %ld\n", a.mq_flags, a.mq_maxmsg, a.mq_msgsize, a.mq_curmsgs);
}
static void receive(const char *what, mqd_t q) {
  char b[9000];
  unsigned priority = 99;
  long n = mq_receive(q, b, sizeof b, &priority);
  say(what, n);
  if (n >= 0) printf("%.*s %u\n", (int)n, b, priority);
}
static struct timespec later(long ms) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  t.tv_nsec += ms * 1000000;
  t.tv_sec += t.tv_nsec / 1000000000;
  t.tv_nsec %= 1000000000;
  return t;
}
static int events(mqd_t q) {
  struct pollfd p = {q, POLLIN | POLLOUT, 0};
  poll(&p, 1, 0);
  return p.revents;
}
static sem_t started;
static int started_with;
static void start(union sigval value) {
  started_with = value.sival_int;
  sem_post(&started);
}

int main(void) {
  snprintf(name, sizeof name, "/carrick-%d", getpid());
  umask(022);
  mq_unlink(name);
  say("none", mq_open(name, O_RDWR));
  say("unlink none", mq_unlink(name));
  say("slash", mq_open("/a/b", O_RDWR | O_CREAT, 0600, NULL));
  struct mq_attr a = {.mq_maxmsg = 3, .mq_msgsize = 16};
  struct mq_attr bad = {.mq_maxmsg = 0, .mq_msgsize = 16};
  say("no messages", mq_open(name, O_RDWR | O_CREAT, 0600, &bad));
  mqd_t q = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0666, &a);
  printf("open %d cloexec %d\n", q >= 0, fcntl(q, F_GETFD));
  say("again", mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0666, &a));
  attributes("attributes", q);
  struct stat st;
  say("stat", fstat(q, &st));
  printf("mode %o\n", st.st_mode);
  printf("poll %x\n", events(q));
  say("low", mq_send(q, "low", 3, 1));
  say("high", mq_send(q, "high", 4, 7));
  say("high too", mq_send(q, "high too", 8, 7));
  printf("poll %x\n", events(q));
  struct timespec t = later(20);
  say("full", mq_timedsend(q, "x", 1, 0, &t));
  t = (struct timespec){0, 1000000000};
  say("no time", mq_timedsend(q, "x", 1, 0, &t));
  say("too long", mq_send(q, "0123456789abcdefg", 17, 0));
  say("priority", mq_send(q, "x", 1, 32768));
  attributes("full", q);
  char small[8];
  say("small", mq_receive(q, small, sizeof small, NULL));
  receive("first", q);
  receive("second", q);
  receive("third", q);
  t = later(20);
  char b[16];
  say("empty", mq_timedreceive(q, b, sizeof b, NULL, &t));
  a.mq_flags = O_NONBLOCK;
  struct mq_attr old;
  say("set", mq_setattr(q, &a, &old));
  printf("old %lo\n", old.mq_flags);
  say("nonblocking", mq_receive(q, b, sizeof b, NULL));
  a.mq_flags = O_APPEND;
  say("bad flags", mq_setattr(q, &a, NULL));
  mqd_t r = mq_open(name, O_RDONLY), w = mq_open(name, O_WRONLY);
  say("read only", mq_send(r, "x", 1, 0));
  say("write only", mq_receive(w, b, sizeof b, NULL));
  say("no queue", mq_send(0, "x", 1, 0));
  say("closed", mq_send(1000, "x", 1, 0));
  // a child waits, then the parent
  pid_t pid = fork();
  if (pid == 0) {
    char c[16];
    unsigned p;
    long n = mq_receive(r, c, sizeof c, &p);
    mq_send(w, "answer", 6, p + 1);
    _exit(n == 8 && memcmp(c, "question", 8) == 0 ? 5 : 6);
  }
  usleep(20000);
  say("question", mq_send(w, "question", 8, 3));
  int status;
  waitpid(pid, &status, 0);
  printf("child %d\n", WEXITSTATUS(status));
  receive("answer", r);
  // notices
  struct sigaction act = {.sa_sigaction = notice, .sa_flags = SA_SIGINFO};
  sigaction(SIGUSR1, &act, NULL);
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 42};
  say("notify", mq_notify(q, &event));
  say("busy", mq_notify(r, &event));
  pid = fork();
  if (pid == 0) _exit(mq_notify(q, &event) == -1 && errno == EBUSY ? 1 : 2);
  waitpid(pid, &status, 0);
  printf("child %d\n", WEXITSTATUS(status));
  char text[128] = {0};
  lseek(q, 0, SEEK_SET);
  say("text", read(q, text, 60) > 0);
  printf("%.36s\n", text);
  say("first", mq_send(w, "one", 3, 0));
  printf("signal %d code %d value %d\n", got, got_code, got_value);
  got = 0;
  say("second", mq_send(w, "two", 3, 0));
  printf("signal %d\n", got);
  receive("one", r);
  receive("two", r);
  say("notify", mq_notify(q, &event));
  say("no more", mq_notify(q, NULL));
  say("sent", mq_send(w, "three", 5, 0));
  printf("signal %d\n", got);
  event.sigev_notify = 77;
  say("bad kind", mq_notify(q, &event));
  // threads of the C library are started by one that listens at a netlink socket, to which the kernel sends a cookie back
  receive("three", r);
  char cookie[32], back[64];
  for (int i = 0; i < 32; i++) cookie[i] = 'a' + i;
  int link = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
  struct sigevent thread = {.sigev_notify = SIGEV_THREAD, .sigev_signo = link, .sigev_value.sival_ptr = cookie};
  struct pollfd heard = {link, POLLIN, 0};
  say("thread notify", syscall(SYS_mq_notify, q, &thread));
  say("busy", syscall(SYS_mq_notify, q, &thread));
  say("nothing heard", poll(&heard, 1, 0));
  mq_send(w, "three", 5, 0);
  say("heard", poll(&heard, 1, 1000));
  say("cookie", recv(link, back, sizeof back, MSG_NOSIGNAL | MSG_WAITALL));
  printf("%.31s %d\n", back, back[31]);
  say("once", recv(link, back, sizeof back, MSG_DONTWAIT));
  say("thread notify", syscall(SYS_mq_notify, q, &thread));
  say("removed", syscall(SYS_mq_notify, q, NULL));
  say("cookie", read(link, back, sizeof back));
  printf("%.31s %d\n", back, back[31]);
  thread.sigev_signo = w;
  say("no socket", syscall(SYS_mq_notify, q, &thread));
  thread.sigev_signo = -1;
  say("no descriptor", syscall(SYS_mq_notify, q, &thread));
  thread.sigev_signo = socket(AF_UNIX, SOCK_STREAM, 0);
  say("another family", syscall(SYS_mq_notify, q, &thread));
  thread.sigev_signo = link;
  thread.sigev_value.sival_ptr = (void *)8;
  say("no cookie", syscall(SYS_mq_notify, q, &thread));
  receive("three", r);
  sem_init(&started, 0, 0);
  struct sigevent call = {.sigev_notify = SIGEV_THREAD, .sigev_notify_function = start, .sigev_value.sival_int = 43};
  say("library's notify", mq_notify(q, &call));
  mq_send(w, "three", 5, 0);
  sem_wait(&started);
  printf("called with %d\n", started_with);
  // a handler interrupts a wait
  receive("three", r);
  struct itimerval soon = {.it_value.tv_usec = 20000};
  sigaction(SIGALRM, &act, NULL);
  setitimer(ITIMER_REAL, &soon, NULL);
  say("interrupted", mq_receive(r, b, sizeof b, NULL));
  // the name goes, the queue stays as long as it is open
  say("unlink", mq_unlink(name));
  say("gone", mq_open(name, O_RDWR));
  say("alive", mq_send(w, "alive", 5, 0));
  receive("alive", r);
  // RLIMIT_MSGQUEUE
  struct rlimit none = {1000, 819200};
  setrlimit(RLIMIT_MSGQUEUE, &none);
  say("limit", mq_open(name, O_RDWR | O_CREAT, 0600, NULL));
  return 0;
}
