// native 6.18: the emulator changes F_SETFL bits and lacks close_range flags.
// dup(2), dup2(2), dup3(2), fcntl(2), close_range(2), ioctl(2) on descriptors: numbers, flags, owners, errors.
#include "say.h"
#include <sys/ioctl.h>
#include <sys/resource.h>

static void flags(const char *what, int fd) {
  int fl = fcntl(fd, F_GETFL), cx = fcntl(fd, F_GETFD);
  if (fl < 0) printf("%s: %s\n", what, err_name(errno));
  else printf("%s: %o cloexec %d\n", what, fl & ~O_LARGEFILE & ~0100000 & ~0400000, cx);
}

int main(void) {
  scratch();
  for (int i = 3; i < 20; i++) close(i);
  put("f", "0123456789");
  int fd = open("f", O_RDWR);
  say("first free", fd);
  say("dup", dup(fd));
  say("dup -1", dup(-1));
  say("dup2 same", dup2(fd, fd));
  say("dup2 same bad", dup2(77, 77));
  say("dup3 same", dup3(fd, fd, 0));
  say("dup3 to 10 cloexec", dup3(fd, 10, O_CLOEXEC));
  flags("10", 10);
  say("dup3 bad flags", dup3(fd, 11, O_NONBLOCK));
  say("dup3 bad old", dup3(77, 11, 0));
  say("dup3 negative", dup3(fd, -1, 0));
  say("dup3 huge", dup3(fd, 1 << 30, 0));
  say("dup to a hole", (close(4), dup(fd)));
  say("F_DUPFD 8", fcntl(fd, F_DUPFD, 8));
  say("F_DUPFD 8 again", fcntl(fd, F_DUPFD, 8));
  say("F_DUPFD_CLOEXEC 8", fcntl(fd, F_DUPFD_CLOEXEC, 8));
  flags("11", 11);
  say("F_DUPFD -1", fcntl(fd, F_DUPFD, -1));
  say("F_DUPFD huge", fcntl(fd, F_DUPFD, 1 << 30));
  lseek(fd, 5, SEEK_SET);
  say("shared position", lseek(10, 0, SEEK_CUR));
  say("F_SETFD 1", fcntl(fd, F_SETFD, FD_CLOEXEC));
  say("F_SETFD 2", fcntl(fd, F_SETFD, 2));
  flags("fd", fd);
  say("F_SETFL append nonblock", fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK));
  flags("fd", fd);
  flags("its dup", 10);
  say("F_SETFL access mode ignored", fcntl(fd, F_SETFL, O_WRONLY | O_CREAT | O_EXCL | O_TRUNC));
  flags("fd", fd);
  say("F_SETFL noatime", fcntl(fd, F_SETFL, O_NOATIME));
  flags("fd", fd);
  say("F_SETFL async on a file", fcntl(fd, F_SETFL, O_ASYNC));
  flags("fd", fd);
  fcntl(fd, F_SETFL, 0);
  say("unknown command", fcntl(fd, 9999, 0));
  say("bad fd", fcntl(77, F_GETFL));
  say("bad fd unknown command", fcntl(77, 9999));

  // pipes
  int p[2];
  say("pipe2 bad flags", syscall(SYS_pipe2, p, 0x10));
  say("pipe2 bad address", syscall(SYS_pipe2, (void *)8, 0));
  say("pipe2", pipe2(p, O_CLOEXEC | O_NONBLOCK));
  flags("read end", p[0]);
  flags("write end", p[1]);
  say("F_GETPIPE_SZ", fcntl(p[0], F_GETPIPE_SZ));
  say("F_SETPIPE_SZ 1", fcntl(p[0], F_SETPIPE_SZ, 1));
  say("F_SETPIPE_SZ 5000", fcntl(p[0], F_SETPIPE_SZ, 5000));
  say("F_SETPIPE_SZ 100000", fcntl(p[1], F_SETPIPE_SZ, 100000));
  say("F_SETPIPE_SZ 0", fcntl(p[1], F_SETPIPE_SZ, 0));
  say("F_SETPIPE_SZ -1", fcntl(p[1], F_SETPIPE_SZ, -1));
  say("F_GETPIPE_SZ file", fcntl(fd, F_GETPIPE_SZ));
  char buf[9000];
  memset(buf, 'x', sizeof buf);
  say("fill", write(p[1], buf, 9000));
  say("shrink below the content", fcntl(p[0], F_SETPIPE_SZ, 4096));
  say("F_GETPIPE_SZ", fcntl(p[0], F_GETPIPE_SZ));

  // owner
  say("F_GETOWN", fcntl(p[0], F_GETOWN));
  say("F_SETOWN self", fcntl(p[0], F_SETOWN, getpid()));
  printf("owner is me %d\n", fcntl(p[0], F_GETOWN) == getpid());
  say("F_SETOWN bad pid", fcntl(p[0], F_SETOWN, 999999));
  say("F_SETOWN group", fcntl(p[0], F_SETOWN, -getpgrp()));
  struct f_owner_ex ex;
  say("F_GETOWN_EX", fcntl(p[0], F_GETOWN_EX, &ex));
  printf("type %d, me %d\n", ex.type, ex.pid == getpgrp());
  ex.type = F_OWNER_TID, ex.pid = getpid();
  say("F_SETOWN_EX tid", fcntl(p[0], F_SETOWN_EX, &ex));
  ex.type = 77;
  say("F_SETOWN_EX bad", fcntl(p[0], F_SETOWN_EX, &ex));
  say("F_SETOWN_EX bad address", fcntl(p[0], F_SETOWN_EX, (void *)8));
  say("F_GETSIG", fcntl(p[0], F_GETSIG));
  say("F_SETSIG", fcntl(p[0], F_SETSIG, SIGUSR1));
  say("F_GETSIG", fcntl(p[0], F_GETSIG));
  say("F_SETSIG bad", fcntl(p[0], F_SETSIG, 65));
  say("F_SETSIG negative", fcntl(p[0], F_SETSIG, -1));

  // close_range and close
  for (int i = 20; i < 30; i++) dup2(fd, i);
  say("close_range 22 24", syscall(SYS_close_range, 22, 24, 0));
  say("21", fcntl(21, F_GETFD));
  say("22", fcntl(22, F_GETFD));
  say("24", fcntl(24, F_GETFD));
  say("25", fcntl(25, F_GETFD));
  say("cloexec 25 max", syscall(SYS_close_range, 25, ~0u, 4));
  say("25", fcntl(25, F_GETFD));
  say("29", fcntl(29, F_GETFD));
  say("backwards", syscall(SYS_close_range, 30, 20, 0));
  say("bad flags", syscall(SYS_close_range, 20, 30, 1));
  say("unshare", syscall(SYS_close_range, 26, 27, 2));
  say("26", fcntl(26, F_GETFD));
  say("nothing there", syscall(SYS_close_range, 500, 600, 0));
  say("close", close(29));
  say("close again", close(29));
  say("close -1", close(-1));
  say("close huge", syscall(SYS_close, 0xfffffff0l));

  // ioctl
  int n = 0;
  say("FIOCLEX", ioctl(28, FIOCLEX));
  say("28", fcntl(28, F_GETFD));
  say("FIONCLEX", ioctl(28, FIONCLEX));
  say("28", fcntl(28, F_GETFD));
  int q[2];
  pipe(q);
  n = 1;
  say("FIONBIO", ioctl(q[0], FIONBIO, &n));
  flags("nonblocking", q[0]);
  n = 0;
  say("FIONBIO off", ioctl(q[0], FIONBIO, &n));
  flags("blocking", q[0]);
  say("FIONBIO bad address", ioctl(q[0], FIONBIO, (void *)8));
  write(q[1], "12345", 5);
  say("FIONREAD pipe", ioctl(q[0], FIONREAD, &n));
  printf("%d\n", n);
  say("FIONREAD write end", ioctl(q[1], FIONREAD, &n));
  printf("%d\n", n);
  say("FIONREAD bad address", ioctl(q[0], FIONREAD, (void *)8));
  lseek(fd, 3, SEEK_SET);
  say("FIONREAD file", ioctl(fd, FIONREAD, &n));
  printf("%d\n", n);
  lseek(fd, 30, SEEK_SET);
  say("FIONREAD behind the end", ioctl(fd, FIONREAD, &n));
  printf("%d\n", n);
  say("FIONREAD directory", ioctl(open(".", O_RDONLY), FIONREAD, &n));
  say("TIOCGWINSZ file", ioctl(fd, TIOCGWINSZ, buf));
  say("TCGETS pipe", ioctl(q[0], 0x5401, buf));
  say("TCGETS null", ioctl(open("/dev/null", O_RDWR), 0x5401, buf));
  say("unknown file", ioctl(fd, 0x12345678, buf));
  say("unknown pipe", ioctl(q[0], 0x12345678, buf));
  say("FIONREAD null", ioctl(open("/dev/null", O_RDWR), FIONREAD, &n));
  n = 1;
  say("FIOASYNC pipe", ioctl(q[0], FIOASYNC, &n));
  flags("async", q[0]);
  say("FIOASYNC file", ioctl(fd, FIOASYNC, &n));
  int bs = 0;
  say("FIGETBSZ", ioctl(fd, 2, &bs));
  printf("%d\n", bs);

  // close on exec
  struct rlimit rl = {40, 4096};
  say("setrlimit", setrlimit(RLIMIT_NOFILE, &rl));
  say("dup2 at the limit", dup2(fd, 40));
  say("dup2 below the limit", dup2(fd, 39));
  say("F_DUPFD at the limit", fcntl(fd, F_DUPFD, 40));
  say("F_DUPFD full", fcntl(fd, F_DUPFD, 39));
  // SIGIO
  say("leases", fcntl(open("f", O_RDONLY), F_GETLEASE));
  // F_CREATED_QUERY
  int made = open("made", O_RDWR | O_CREAT, 0600), again = open("made", O_RDWR | O_CREAT, 0600), plain = open("made", O_RDONLY);
  int unnamed = open(".", O_TMPFILE | O_RDWR, 0600);
  say("created", fcntl(made, 1028, 0));
  say("created, there before", fcntl(again, 1028, 0));
  say("created, without O_CREAT", fcntl(plain, 1028, 0));
  say("created, dup", fcntl(dup(made), 1028, 0));
  say("created, O_TMPFILE", fcntl(unnamed, 1028, 0));
  unlink("made");
  return 0;
}
