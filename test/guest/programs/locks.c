// native 6.18: the emulator passes lock structures of another layout.
// flock(2), fcntl(2) record locks and open file description locks: conflicts, ranges, owners, blocking, deadlock.
#include "say.h"
#include <sys/file.h>

static int fd;
static long lk(int f, int cmd, int type, int whence, long start, long len, struct flock *out) {
  struct flock l = {.l_type = type, .l_whence = whence, .l_start = start, .l_len = len};
  long r = fcntl(f, cmd, &l);
  if (out) *out = l;
  return r;
}
#define SET(type, start, len) lk(fd, F_SETLK, type, SEEK_SET, start, len, 0)
static void query(const char *what, int f, int cmd, int type, long start, long len) {
  struct flock l;
  if (lk(f, cmd, type, SEEK_SET, start, len, &l)) printf("%s: %s\n", what, err_name(errno));
  else if (l.l_type == F_UNLCK) printf("%s: free\n", what);
  else printf("%s: %s %ld+%ld by %s\n", what, l.l_type == F_WRLCK ? "write" : "read", (long)l.l_start, (long)l.l_len, l.l_pid == getppid() ? "parent" : l.l_pid == -1 ? "description" : "other");
}

int main(void) {
  scratch();
  fd = open("f", O_RDWR | O_CREAT, 0600);
  ftruncate(fd, 1000);
  say("write lock", SET(F_WRLCK, 0, 100));
  say("own overlap", SET(F_RDLCK, 50, 100));
  CHILD("other", int f = open("f", O_RDWR);
    query("0-9", f, F_GETLK, F_WRLCK, 0, 10);
    query("60-69 for reading", f, F_GETLK, F_RDLCK, 60, 10);
    query("60-69 for writing", f, F_GETLK, F_WRLCK, 60, 10);
    query("200", f, F_GETLK, F_WRLCK, 200, 0);
    query("all", f, F_GETLK, F_WRLCK, 0, 0);
    say("take 0", lk(f, F_SETLK, F_WRLCK, SEEK_SET, 0, 10, 0));
    say("read 60", lk(f, F_SETLK, F_RDLCK, SEEK_SET, 60, 10, 0));
    say("write 60", lk(f, F_SETLK, F_WRLCK, SEEK_SET, 60, 10, 0));
    say("write 150", lk(f, F_SETLK, F_WRLCK, SEEK_SET, 150, 10, 0));
    say("inherited fd has no locks", SET(F_WRLCK, 0, 10)));
  say("unlock middle", SET(F_UNLCK, 10, 20));
  CHILD("split", int f = open("f", O_RDWR);
    query("all", f, F_GETLK, F_WRLCK, 0, 0);
    query("15", f, F_GETLK, F_WRLCK, 15, 1);
    query("30", f, F_GETLK, F_WRLCK, 30, 0));
  close(open("f", O_RDONLY));
  CHILD("any close drops them", query("all", fd, F_GETLK, F_WRLCK, 0, 0));
  lseek(fd, 500, SEEK_SET);
  say("from the position", lk(fd, F_SETLK, F_WRLCK, SEEK_CUR, -10, 20, 0));
  say("from the end", lk(fd, F_SETLK, F_WRLCK, SEEK_END, -10, 0, 0));
  say("negative length", lk(fd, F_SETLK, F_WRLCK, SEEK_SET, 100, -50, 0));
  CHILD("ranges", query("490", fd, F_GETLK, F_WRLCK, 480, 100);
    query("990", fd, F_GETLK, F_WRLCK, 900, 0);
    query("50", fd, F_GETLK, F_WRLCK, 0, 100));
  say("before the start", lk(fd, F_SETLK, F_WRLCK, SEEK_SET, -1, 10, 0));
  say("negative length too far", lk(fd, F_SETLK, F_WRLCK, SEEK_SET, 10, -11, 0));
  say("overflow", lk(fd, F_SETLK, F_WRLCK, SEEK_CUR, 0x7fffffffffffffffl, 10, 0));
  say("bad type", lk(fd, F_SETLK, 9, SEEK_SET, 0, 0, 0));
  say("bad whence", lk(fd, F_SETLK, F_WRLCK, 9, 0, 0, 0));
  say("bad pointer", fcntl(fd, F_SETLK, (void *)8));
  int ro = open("f", O_RDONLY);
  say("write lock on a reader", lk(ro, F_SETLK, F_WRLCK, SEEK_SET, 0, 0, 0));
  int wo = open("f", O_WRONLY);
  say("read lock on a writer", lk(wo, F_SETLK, F_RDLCK, SEEK_SET, 0, 0, 0));
  int p[2];
  pipe(p);
  say("lock a pipe", lk(p[0], F_SETLK, F_RDLCK, SEEK_SET, 0, 0, 0));
  say("getlk unlock type", lk(fd, F_GETLK, F_UNLCK, SEEK_SET, 0, 0, 0));
  SET(F_UNLCK, 0, 0);

  // blocking, and released by exit
  pipe(p);
  pid_t c = fork();
  if (c == 0) {
    SET(F_WRLCK, 0, 10);
    write(p[1], "x", 1);
    usleep(50000);
    _exit(0);
  }
  char b[8];
  read(p[0], b, 1);
  say("try", SET(F_WRLCK, 0, 10));
  say("wait", lk(fd, F_SETLKW, F_WRLCK, SEEK_SET, 0, 10, 0));
  waitpid(c, 0, 0);
  // interrupted wait
  struct sigaction sa = {.sa_handler = SIG_DFL};
  sa.sa_handler = (void (*)(int))say;
  c = fork();
  if (c == 0) {
    alarm(0);
    struct sigaction s2 = {.sa_handler = SIG_IGN};
    sigaction(SIGUSR1, &s2, 0);
    say("child waits", lk(fd, F_SETLKW, F_WRLCK, SEEK_SET, 5, 1, 0));
    fflush(stdout);
    _exit(0);
  }
  usleep(30000);
  kill(c, SIGUSR1);
  usleep(10000);
  SET(F_UNLCK, 0, 0);
  waitpid(c, 0, 0);
  // deadlock: the parent holds 0 and wants 1, the child holds 1 and wants 0
  SET(F_WRLCK, 0, 1);
  c = fork();
  if (c == 0) {
    SET(F_WRLCK, 1, 1);
    write(p[1], "x", 1);
    long r = lk(fd, F_SETLKW, F_WRLCK, SEEK_SET, 0, 1, 0);
    _exit(r == 0 ? 0 : 1);
  }
  read(p[0], b, 1);
  usleep(50000);
  say("deadlock", lk(fd, F_SETLKW, F_WRLCK, SEEK_SET, 1, 1, 0));
  SET(F_UNLCK, 0, 0);
  int st;
  waitpid(c, &st, 0);
  say("child got it", WEXITSTATUS(st));

  // open file descriptions
  int a = open("f", O_RDWR), d = open("f", O_RDWR), a2 = dup(a);
  say("ofd lock", lk(a, F_OFD_SETLK, F_WRLCK, SEEK_SET, 0, 10, 0));
  say("ofd other description", lk(d, F_OFD_SETLK, F_WRLCK, SEEK_SET, 0, 10, 0));
  say("ofd dup", lk(a2, F_OFD_SETLK, F_WRLCK, SEEK_SET, 0, 10, 0));
  query("ofd query", d, F_OFD_GETLK, F_WRLCK, 0, 0);
  query("ofd query of what others hold, unlocking", d, F_OFD_GETLK, F_UNLCK, 0, 0);
  query("ofd query of its own", a, F_OFD_GETLK, F_UNLCK, 5, 0);
  query("ofd query of its own, elsewhere", a, F_OFD_GETLK, F_UNLCK, 10, 5);
  say("posix against ofd", SET(F_WRLCK, 0, 10));
  CHILD("ofd child", say("same description", lk(a, F_OFD_SETLK, F_WRLCK, SEEK_SET, 0, 10, 0));
    query("another", d, F_OFD_GETLK, F_WRLCK, 0, 0));
  close(a);
  query("dup keeps it", d, F_OFD_GETLK, F_WRLCK, 0, 0);
  close(a2);
  query("gone with the last", d, F_OFD_GETLK, F_WRLCK, 0, 0);
  struct flock l = {.l_type = F_WRLCK, .l_pid = 5};
  say("ofd with a pid", fcntl(d, F_OFD_SETLK, &l));

  // who only names the file does not open it, and so does not close it
  SET(F_WRLCK, 0, 10);
  close(open("f", O_PATH));
  CHILD("after an O_PATH", query("still held", d, F_GETLK, F_WRLCK, 0, 0));
  close(open("f", O_RDONLY));
  CHILD("after a real one", query("gone", d, F_GETLK, F_WRLCK, 0, 0));

  // flock
  a = open("f", O_RDONLY), a2 = dup(a);
  say("flock ex", flock(a, LOCK_EX));
  say("flock other", flock(d, LOCK_EX | LOCK_NB));
  say("flock shared other", flock(d, LOCK_SH | LOCK_NB));
  say("flock dup", flock(a2, LOCK_EX | LOCK_NB));
  say("flock downgrade", flock(a2, LOCK_SH));
  say("flock shared other", flock(d, LOCK_SH | LOCK_NB));
  say("flock upgrade", flock(a, LOCK_EX | LOCK_NB));
  say("flock lost by the failed upgrade", flock(d, LOCK_EX | LOCK_NB));
  flock(d, LOCK_UN);
  say("flock against record locks", (SET(F_WRLCK, 0, 0), flock(a, LOCK_EX | LOCK_NB)));
  say("flock bad", flock(a, 0));
  say("flock both", flock(a, LOCK_SH | LOCK_EX));
  say("flock bad fd", flock(-1, LOCK_EX));
  say("flock pipe", flock(p[0], LOCK_EX));
  say("flock directory", flock(open(".", O_RDONLY), LOCK_EX));
  flock(a, LOCK_EX);
  c = fork();
  if (c == 0) {
    int f = open("f", O_RDONLY);
    _exit(flock(f, LOCK_EX) == 0 ? 7 : 1);
  }
  usleep(30000);
  close(a);
  close(a2);
  usleep(1000);
  // the child inherited a and a2: its own copies keep the lock until it exits, unless they are the ones waiting
  kill(c, SIGKILL);
  waitpid(c, &st, 0);
  say("child killed while waiting", WTERMSIG(st));
  say("free again", flock(d, LOCK_EX | LOCK_NB));
  return 0;
}
