// native 6.18: the emulator's pipe2 and fcntl lose bits.
// pipe(2), pipe(7), fifo(7), mkfifo(3): capacity, atomic writes, packets, end of file, SIGPIPE, who waits for whom.
#include "say.h"
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>

static volatile int got;
static void on(int s) { got = s; }
static int events(int fd) {
  struct pollfd p = {fd, POLLIN | POLLOUT | POLLRDHUP, 0};
  poll(&p, 1, 0);
  return p.revents;
}
static void reap(void) { while (wait(0) > 0) {} }

int main(void) {
  scratch();
  int p[2];
  char b[100000];
  memset(b, 'x', sizeof b);
  pipe2(p, O_NONBLOCK);
  // capacity
  long total = 0, n;
  while ((n = write(p[1], b, 1000)) > 0) total += n;
  say("full", n);
  printf("in 1000s: %ld\n", total);
  say("one byte more", write(p[1], b, 1));
  printf("poll %x %x\n", events(p[0]), events(p[1]));
  say("read 4000", read(p[0], b, 4000));
  printf("poll %x\n", events(p[1]));
  say("read 200 more", read(p[0], b, 200));
  printf("poll %x\n", events(p[1]));
  say("write 4096", write(p[1], b, 4096));
  while (read(p[0], b, sizeof b) > 0) {}
  total = 0;
  while ((n = write(p[1], b, 5000)) > 0) total += n;
  printf("in 5000s: %ld\n", total);
  while (read(p[0], b, sizeof b) > 0) {}
  // BRIEF: where each call costs a hundred times what it costs elsewhere.
  total = getenv("BRIEF") ? write(p[1], b, 65000) : 0;
  while ((n = write(p[1], b, 1)) > 0) total += n;
  printf("in bytes: %ld\n", total);
  while (read(p[0], b, sizeof b) > 0) {}
  say("more than fits", write(p[1], b, 100000));
  say("atomic does not fit", write(p[1], b, 4096));
  say("nothing fits", write(p[1], b, 8192));
  say("read 5000", read(p[0], b, 5000));
  say("part fits", write(p[1], b, 8192));
  say("atomic fits not", write(p[1], b, 4096));
  while (read(p[0], b, sizeof b) > 0) {}
  say("empty", read(p[0], b, 1));
  say("read 0 of empty", read(p[0], b, 0));
  say("write 0", write(p[1], b, 0));
  say("wrong end read", read(p[1], b, 1));
  say("wrong end write", write(p[0], b, 1));
  // ends
  write(p[1], "last", 4);
  close(p[1]);
  printf("poll after the writer %x\n", events(p[0]));
  say("rest", read(p[0], b, 100));
  printf("poll at the end %x\n", events(p[0]));
  say("end", read(p[0], b, 100));
  close(p[0]);
  pipe(p);
  signal(SIGPIPE, on);
  close(p[0]);
  say("broken", write(p[1], b, 1));
  printf("signal %d\n", got);
  printf("poll broken %x\n", events(p[1]));
  got = 0;
  say("broken write of 0", write(p[1], b, 0));
  printf("signal %d\n", got);
  CHILD("default", signal(SIGPIPE, SIG_DFL); write(p[1], "x", 1));
  close(p[1]);
  // a writer of much data is woken piece by piece
  pipe(p);
  fflush(stdout);
  if (fork() == 0) {
    close(p[0]);
    printf("child wrote %zd\n", write(p[1], b, 100000));
    exit(0);
  }
  close(p[1]);
  total = 0;
  while ((n = read(p[0], b, 7000)) > 0) total += n;
  printf("parent read %ld\n", total);
  close(p[0]);
  reap();
  // a write that loses its reader half way
  pipe(p);
  signal(SIGPIPE, SIG_IGN);
  fflush(stdout);
  if (fork() == 0) {
    close(p[1]);
    read(p[0], b, 10000);
    exit(0);
  }
  close(p[0]);
  n = write(p[1], b, 100000);
  printf("partial %d\n", n > 0 && n < 100000);
  close(p[1]);
  reap();
  // interrupted
  struct sigaction sa = {.sa_handler = on};
  sigaction(SIGALRM, &sa, 0);
  pipe(p);
  ualarm(20000, 0);
  say("interrupted read", read(p[0], b, 1));
  fcntl(p[1], F_SETPIPE_SZ, 4096);
  write(p[1], b, 4000);
  ualarm(20000, 0);
  say("interrupted write", write(p[1], b, 1000));
  ualarm(20000, 0);
  say("interrupted long write", write(p[1], b, 5000));
  sa.sa_flags = SA_RESTART;
  sigaction(SIGALRM, &sa, 0);
  while (n = 0, ioctl(p[0], FIONREAD, &n) == 0 && (int)n > 0) read(p[0], b, sizeof b);
  fflush(stdout);
  if (fork() == 0) {
    usleep(60000);
    write(p[1], "restart", 7);
    exit(0);
  }
  ualarm(10000, 0);
  say("restarted read", read(p[0], b, 100));
  reap();
  close(p[0]), close(p[1]);
  // packets
  say("packet pipe", pipe2(p, O_DIRECT | O_NONBLOCK));
  write(p[1], "one", 3);
  write(p[1], "two!", 4);
  write(p[1], b, 5000);
  say("first", read(p[0], b, 100));
  say("second cut", read(p[0], b, 2));
  say("third", read(p[0], b, 10000));
  say("fourth", read(p[0], b, 10000));
  say("none", read(p[0], b, 100));
  n = 0;
  while (write(p[1], "x", 1) == 1) n++;
  printf("packets that fit %ld\n", n);
  close(p[0]), close(p[1]);

  // FIFOs
  mkfifo("f", 0600);
  say("nonblocking writer alone", open("f", O_WRONLY | O_NONBLOCK));
  int r = open("f", O_RDONLY | O_NONBLOCK);
  ok("nonblocking reader alone", r);
  printf("poll before any writer %x\n", events(r));
  say("read before any writer", read(r, b, 1));
  int w = open("f", O_WRONLY | O_NONBLOCK);
  ok("writer", w);
  say("read", read(r, b, 1));
  write(w, "fifo", 4);
  int r2 = open("f", O_RDONLY | O_NONBLOCK);
  say("second reader gets it", read(r2, b, 2));
  say("first gets the rest", read(r, b, 100));
  close(w);
  say("end", read(r, b, 1));
  printf("poll after the writer %x\n", events(r));
  close(r), close(r2);
  int both = open("f", O_RDWR);
  ok("both ways", both);
  write(both, "self", 4);
  say("reads itself", read(both, b, 100));
  say("lseek", lseek(both, 0, SEEK_SET));
  close(both);
  fflush(stdout);
  if (fork() == 0) {
    int c = open("f", O_WRONLY);
    write(c, "from the child", 14);
    exit(0);
  }
  r = open("f", O_RDONLY);
  say("blocking open met", read(r, b, 100));
  say("end", read(r, b, 100));
  reap();
  close(r);
  sa.sa_flags = 0;
  sigaction(SIGALRM, &sa, 0);
  ualarm(20000, 0);
  say("interrupted open", open("f", O_RDONLY));
  say("content is gone between opens", (both = open("f", O_RDWR), write(both, "lost", 4), close(both), r = open("f", O_RDONLY | O_NONBLOCK), read(r, b, 10)));
  struct stat st;
  fstat(r, &st);
  printf("mode %o size %ld\n", st.st_mode, (long)st.st_size);
  say("O_TRUNC", open("f", O_WRONLY | O_NONBLOCK | O_TRUNC) >= 0);
  unlink("f");
  say("still works unlinked", read(r, b, 10) == -1 ? errno == EAGAIN : 0);
  // reopening a pipe through /proc gives a new description of the same pipe
  pipe(p);
  char name[40];
  sprintf(name, "/proc/self/fd/%d", p[0]);
  int again = open(name, O_RDONLY | O_NONBLOCK);
  ok("reopen", again);
  write(p[1], "shared", 6);
  say("read there", read(again, b, 100));
  say("the old one still blocks", fcntl(p[0], F_GETFL) & O_NONBLOCK);
  sprintf(name, "/proc/self/fd/%d", p[0]);
  int other = open(name, O_WRONLY);
  ok("reopen the read end for writing", other);
  say("write there", write(other, "abc", 3));
  say("read here", read(p[0], b, 100));
  // O_ASYNC
  fcntl(p[0], F_SETOWN, getpid());
  fcntl(p[0], F_SETFL, O_ASYNC);
  signal(SIGIO, on);
  got = 0;
  write(p[1], "io", 2);
  printf("SIGIO %d\n", got == SIGIO);
  return 0;
}
