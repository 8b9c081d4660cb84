// native, root: the emulator does not know process_madvise.
#include "say.h"

static long advise(int pidfd, const struct iovec *v, size_t n, int advice, unsigned how) {
  return syscall(SYS_process_madvise, pidfd, v, n, advice, how);
}

int main(void) {
  scratch();
  const size_t page = 4096;
  char *a = mmap(0, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(a, 'x', 4 * page);
  munmap(a + 3 * page, page);
  int stop[2];
  if (pipe(stop) != 0) return 1;
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    char c;
    close(stop[1]);
    if (read(stop[0], &c, 1) != 0) _exit(1);
    _exit(a[0] == 'x' && a[page] == 'x' && a[2 * page] == 'x' ? 0 : 2);
  }
  int fd = syscall(SYS_pidfd_open, child, 0);
  struct iovec two[] = {{a, page}, {a + 2 * page, page}}, hole[] = {{a, page}, {a + 3 * page, page}};
  say("cold", advise(fd, two, 2, MADV_COLD, 0));
  say("pageout", advise(fd, two, 2, MADV_PAGEOUT, 0));
  say("willneed", advise(fd, two, 2, MADV_WILLNEED, 0));
  say("second is a hole", advise(fd, hole, 2, MADV_COLD, 0));
  say("first is a hole", advise(fd, hole + 1, 1, MADV_COLD, 0));
  struct iovec odd = {a + 1, page};
  say("not aligned", advise(fd, &odd, 1, MADV_COLD, 0));
  say("none", advise(fd, two, 0, MADV_COLD, 0));
  say("flags", advise(fd, two, 2, MADV_COLD, 1));
  say("unknown advice", advise(fd, two, 2, 1000, 0));
  say("no pidfd", advise(0, two, 2, MADV_COLD, 0));
  say("no vector", advise(fd, (void *)8, 2, MADV_COLD, 0));
  say("too many", advise(fd, two, 1025, MADV_COLD, 0));
  CHILD("another user", setuid(1); say("cold", advise(fd, two, 2, MADV_COLD, 0)));
  close(stop[1]);
  int st;
  waitpid(child, &st, 0);
  say("child", st);
  say("gone", advise(fd, two, 2, MADV_COLD, 0));
  return 0;
}
