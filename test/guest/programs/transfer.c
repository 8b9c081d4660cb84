// native 6.18: the emulator refuses or splits several of these calls.
// sendfile(2), copy_file_range(2), splice(2), tee(2), vmsplice(2): counts, offsets, errors.
#include "say.h"
#include <sys/sendfile.h>

static const char *fill(int n) {
  static char b[200000];
  for (int i = 0; i < n; i++) b[i] = 'a' + i % 26;
  return b;
}
static long pos(int fd) { return lseek(fd, 0, SEEK_CUR); }
static long size(int fd) {
  struct stat st;
  fstat(fd, &st);
  return st.st_size;
}

int main(void) {
  scratch();
  signal(SIGPIPE, SIG_IGN);
  int in = open("in", O_RDWR | O_CREAT, 0600), out = open("out", O_RDWR | O_CREAT, 0600);
  int app = open("app", O_RDWR | O_CREAT | O_APPEND, 0600), ro = open("in", O_RDONLY), wo = open("in", O_WRONLY);
  write(in, fill(100000), 100000);
  int p[2], q[2], e[2];
  pipe(p), pipe(q), pipe(e);
  fcntl(e[0], F_SETFL, O_NONBLOCK);
  off_t off;
  char b[200000];

  // sendfile
  off = 10;
  say("sendfile", sendfile(out, in, &off, 100));
  printf("offset %ld, in %ld, out %ld\n", (long)off, pos(in), pos(out));
  lseek(in, 5, SEEK_SET);
  say("sendfile position", sendfile(out, in, 0, 100));
  printf("in %ld, out %ld\n", pos(in), pos(out));
  off = 99990;
  say("sendfile to the end", sendfile(out, in, &off, 100));
  off = 200000;
  say("sendfile behind", sendfile(out, in, &off, 100));
  off = -1;
  say("sendfile negative", sendfile(out, in, &off, 100));
  say("sendfile bad offset", syscall(SYS_sendfile, out, in, (void *)8, 100l));
  say("sendfile 0", sendfile(out, in, 0, 0));
  say("sendfile from pipe", sendfile(out, p[0], 0, 0));
  off = 0;
  say("sendfile to pipe", sendfile(p[1], in, &off, 1000));
  say("read", read(p[0], b, sizeof b));
  fcntl(q[1], F_SETFL, O_NONBLOCK);
  off = 0;
  say("sendfile fills a pipe", sendfile(q[1], in, &off, 100000));
  printf("offset %ld\n", (long)off);
  say("sendfile full pipe", sendfile(q[1], in, &off, 100));
  say("drain", read(q[0], b, sizeof b));
  printf("right %d\n", memcmp(b, fill(1), 1) == 0 && memcmp(b, fill(65536), 65536) == 0);
  off = 0;
  say("sendfile append", sendfile(app, in, &off, 10));
  say("sendfile to read-only", sendfile(ro, in, &off, 10));
  say("sendfile from write-only", sendfile(out, wo, &off, 10));
  say("sendfile bad in", sendfile(out, -1, 0, 10));
  say("sendfile bad out", sendfile(-1, in, 0, 10));
  say("sendfile from directory", sendfile(out, open(".", O_RDONLY), 0, 10));
  say("sendfile to null", sendfile(open("/dev/null", O_WRONLY), in, &off, 100));
  say("sendfile from zero", sendfile(out, open("/dev/zero", O_RDONLY), 0, 100));
  off = 0;
  say("sendfile same file", sendfile(in, ro, &off, 10));

  // copy_file_range
  off_t oi = 0, oo = 0;
  say("copy", copy_file_range(in, &oi, out, &oo, 50000, 0));
  printf("%ld %ld\n", (long)oi, (long)oo);
  lseek(in, 99999, SEEK_SET);
  say("copy positions", copy_file_range(in, 0, out, 0, 10, 0));
  oi = 300000;
  say("copy behind", copy_file_range(in, &oi, out, 0, 10, 0));
  oi = 0, oo = 5;
  say("copy overlapping", copy_file_range(in, &oi, in, &oo, 10, 0));
  oi = 0, oo = 50000;
  say("copy within", copy_file_range(in, &oi, in, &oo, 10, 0));
  say("copy flags", copy_file_range(in, &oi, out, &oo, 10, 1));
  oi = -1;
  oi = 0;
  say("copy append", copy_file_range(in, &oi, app, 0, 10, 0));
  say("copy to read-only", copy_file_range(in, &oi, ro, 0, 10, 0));
  say("copy from write-only", copy_file_range(wo, &oi, out, 0, 10, 0));
  say("copy pipe", copy_file_range(p[0], 0, out, 0, 10, 0));
  say("copy to directory", copy_file_range(in, &oi, open(".", O_RDONLY), 0, 10, 0));
  say("copy to null", copy_file_range(in, &oi, open("/dev/null", O_WRONLY), 0, 10, 0));
  say("copy 0", copy_file_range(in, &oi, out, 0, 0, 0));
  say("copy bad", copy_file_range(-1, 0, out, 0, 10, 0));

  // splice
  off = 0;
  say("splice file to pipe", splice(in, &off, p[1], 0, 100, 0));
  printf("offset %ld\n", (long)off);
  say("splice pipe to file", splice(p[0], 0, out, 0, 100, 0));
  say("splice pipe to file at", (splice(in, &off, p[1], 0, 50, 0), off = 7, splice(p[0], 0, out, &off, 50, 0)));
  printf("offset %ld\n", (long)off);
  say("splice neither a pipe", splice(in, &off, out, 0, 10, 0));
  say("splice offset for a pipe", splice(p[0], &off, out, 0, 10, 0));
  say("splice empty nonblock", splice(p[0], 0, out, 0, 10, SPLICE_F_NONBLOCK));
  say("splice empty O_NONBLOCK pipe", splice(e[0], 0, out, 0, 10, 0));
  say("splice 0", splice(p[0], 0, out, 0, 0, 0));
  say("splice bad flags", splice(p[0], 0, out, 0, 10, 0x100));
  say("splice from the write end", splice(p[1], 0, out, 0, 10, SPLICE_F_NONBLOCK));
  say("splice to the read end", splice(in, 0, p[0], 0, 10, SPLICE_F_NONBLOCK));
  write(p[1], "pipe to pipe", 12);
  say("splice pipe to pipe", splice(p[0], 0, q[1], 0, 100, 0));
  say("read", read(q[0], b, 100));
  say("splice same pipe", (write(p[1], "x", 1), splice(p[0], 0, p[1], 0, 1, 0)));
  read(p[0], b, 1);
  off = 99990;
  say("splice to the end", splice(in, &off, p[1], 0, 100, 0));
  read(p[0], b, 100);
  off = 100000;
  say("splice behind", splice(in, &off, p[1], 0, 100, 0));
  say("splice append", (write(p[1], "abc", 3), splice(p[0], 0, app, 0, 3, 0)));
  read(p[0], b, 10 * (errno == EINVAL ? 1 : 0));
  fcntl(p[0], F_SETFL, O_NONBLOCK);
  read(p[0], b, 100);
  off = 0;
  say("splice fills", splice(in, &off, p[1], 0, 100000, SPLICE_F_NONBLOCK));
  say("splice full", splice(in, &off, p[1], 0, 10, SPLICE_F_NONBLOCK));
  int f;
  say("FIONREAD", (syscall(SYS_ioctl, p[0], 0x541b, &f), f));
  while (read(p[0], b, sizeof b) > 0) {}
  say("splice to null", (write(p[1], "gone", 4), splice(p[0], 0, open("/dev/null", O_WRONLY), 0, 10, 0)));
  say("splice from zero", splice(open("/dev/zero", O_RDONLY), 0, p[1], 0, 10, 0));
  read(p[0], b, 10);
  say("splice closed reader", (pipe(e), close(e[0]), splice(in, 0, e[1], 0, 10, 0)));
  say("splice closed writer", (pipe(e), close(e[1]), splice(e[0], 0, out, 0, 10, 0)));

  // tee
  fcntl(p[0], F_SETFL, 0);
  write(p[1], "tee me", 6);
  say("tee", tee(p[0], q[1], 100, 0));
  say("source keeps", read(p[0], b, 100));
  say("target has", read(q[0], b, 100));
  say("tee empty", tee(p[0], q[1], 100, SPLICE_F_NONBLOCK));
  say("tee file", tee(in, q[1], 100, 0));
  say("tee same", tee(p[0], p[1], 100, 0));
  say("tee 0", tee(p[0], q[1], 0, 0));
  say("tee bad flags", tee(p[0], q[1], 1, 0x100));

  // vmsplice
  struct iovec io[2] = {{"vm", 2}, {"splice", 6}};
  say("vmsplice", vmsplice(p[1], io, 2, 0));
  say("read", read(p[0], b, 100));
  printf("%.8s\n", b);
  write(p[1], "to user", 7);
  struct iovec ui = {b, 100};
  say("vmsplice out", vmsplice(p[0], &ui, 1, 0));
  printf("%.7s\n", b);
  say("vmsplice empty", vmsplice(p[0], &ui, 1, SPLICE_F_NONBLOCK));
  say("vmsplice file", vmsplice(in, io, 2, 0));
  say("vmsplice bad flags", vmsplice(p[1], io, 2, 0x100));
  say("vmsplice 0", vmsplice(p[1], io, 0, 0));
  say("vmsplice bad vector", vmsplice(p[1], (void *)8, 1, 0));
  struct iovec bad = {(void *)8, 4};
  say("vmsplice bad base", vmsplice(p[1], &bad, 1, 0));
  ui.iov_base = (void *)fill(100000), ui.iov_len = 100000;
  say("vmsplice more than fits", vmsplice(p[1], &ui, 1, SPLICE_F_NONBLOCK) <= 65536);
  printf("size of out %ld\n", size(out));

  // a blocked sendfile goes on when the reader reads
  pipe(e);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    close(e[1]);
    long total = 0;
    for (long n; (n = read(e[0], b, 3000)) > 0;) total += n;
    printf("child got %ld\n", total);
    exit(0);
  }
  close(e[0]);
  off = 0;
  say("blocking sendfile", sendfile(e[1], in, &off, 100000));
  close(e[1]);
  waitpid(child, 0, 0);
  return 0;
}
