// native 6.18: the emulator merges or splits vectors and checks addresses in another order.
// read(2), write(2), pread(2), pwrite(2), readv(2), preadv2(2), lseek(2): counts, positions, vectors, partial transfers.
#include "say.h"
#include <sys/resource.h>

#define PAGE 4096

static struct iovec v(void *p, size_t n) { return (struct iovec){p, n}; }

int main(void) {
  scratch();
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  // Two pages, the second inaccessible: `end` is where the hole begins.
  char *page = mmap(0, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mprotect(page + PAGE, PAGE, PROT_NONE);
  char *end = page + PAGE;
  char *readonly = mmap(0, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char buf[64];

  int fd = open("f", O_RDWR | O_CREAT, 0600);
  say("write", write(fd, "abcdefghij", 10));
  say("position", lseek(fd, 0, SEEK_CUR));
  say("read at the end", read(fd, buf, 10));
  say("rewind", lseek(fd, 0, SEEK_SET));
  say("read 0", read(fd, buf, 0));
  say("read 0 at a bad address", syscall(SYS_read, fd, (void *)8, 0));
  say("read to a bad address", syscall(SYS_read, fd, (void *)8, 4));
  say("read to a kernel address", syscall(SYS_read, fd, (void *)-4096l, 4));
  say("read of a huge count", syscall(SYS_read, fd, buf, 0x7fffffffffffffffl));
  lseek(fd, 0, SEEK_SET);
  say("read of a negative count", syscall(SYS_read, fd, buf, -1l));
  lseek(fd, 0, SEEK_SET);
  say("read across the hole", read(fd, end - 4, 10));
  printf("got %.4s, position %ld\n", end - 4, (long)lseek(fd, 0, SEEK_CUR));
  lseek(fd, 0, SEEK_SET);
  say("read to read-only memory", read(fd, readonly, 4));
  say("position", lseek(fd, 0, SEEK_CUR));
  say("pread across the hole", pread(fd, end - 3, 8, 1));
  say("pread behind the end", pread(fd, buf, 8, 100));
  say("pread negative", pread(fd, buf, 8, -1));
  say("pread part", pread(fd, buf, 8, 7));
  say("pread huge offset", pread(fd, buf, 8, 0x7fffffffffffffffl));
  say("pread offset overflow", pread(fd, buf, 8, 0x7ffffffffffffffcl));
  say("pwrite huge offset", pwrite(fd, buf, 8, 0x7fffffffffffffffl));
  say("pwrite negative", pwrite(fd, buf, 8, -8));
  memset(page, 'w', PAGE);
  int g = open("g", O_RDWR | O_CREAT, 0600);
  say("write across the hole", write(g, end - 5, 10));
  say("write from a bad address", syscall(SYS_write, g, (void *)8, 4));
  say("write 0 from a bad address", syscall(SYS_write, g, (void *)8, 0));
  say("position", lseek(g, 0, SEEK_CUR));
  struct stat st;
  fstat(g, &st);
  printf("size %ld\n", (long)st.st_size);
  say("big write with a hole", write(g, page, 2 * PAGE));
  say("position", lseek(g, 0, SEEK_CUR));

  // vectors
  char a[4], b[4], c[4];
  struct iovec io[4] = {v(a, 4), v(0, 0), v(b, 4), v(c, 4)};
  lseek(fd, 0, SEEK_SET);
  say("readv", readv(fd, io, 4));
  printf("%.4s %.4s %.2s\n", a, b, c);
  say("readv 0", readv(fd, io, 0));
  say("readv -1", syscall(SYS_readv, fd, io, -1l));
  say("readv 1025", syscall(SYS_readv, fd, io, 1025l));
  say("readv bad vector", syscall(SYS_readv, fd, (void *)8, 2l));
  say("readv 0 of a bad vector", syscall(SYS_readv, fd, (void *)8, 0l));
  lseek(fd, 0, SEEK_SET);
  struct iovec neg[2] = {v(a, 4), v(b, (size_t)-1)};
  say("readv negative length", readv(fd, neg, 2));
  struct iovec huge[3] = {v(a, 4), v(b, 0x7fffffffffffffff), v(c, 0x7fffffffffffffff)};
  say("readv overflowing sum", syscall(SYS_readv, fd, huge, 2l));
  say("position", lseek(fd, 0, SEEK_CUR));
  lseek(fd, 0, SEEK_SET);
  struct iovec bad2[3] = {v(a, 4), v((void *)8, 4), v(c, 4)};
  say("readv bad second", readv(fd, bad2, 3));
  say("position", lseek(fd, 0, SEEK_CUR));
  lseek(fd, 0, SEEK_SET);
  struct iovec bad1[2] = {v((void *)8, 4), v(c, 4)};
  say("readv bad first", readv(fd, bad1, 2));
  struct iovec badzero[2] = {v((void *)8, 0), v(c, 4)};
  say("readv bad first of length 0", readv(fd, badzero, 2));
  struct iovec kern[2] = {v(a, 4), v((void *)-4096l, 4)};
  say("readv kernel second", readv(fd, kern, 2));
  struct iovec out[3] = {v("one", 3), v((void *)8, 4), v("two", 3)};
  say("writev bad second", writev(g, out, 3));
  struct iovec out2[3] = {v("one", 3), v("", 0), v("two", 3)};
  say("writev", writev(g, out2, 3));
  say("writev 0", writev(g, out2, 0));
  struct iovec edge[2] = {v(end - 3, 5), v(c, 4)};
  lseek(fd, 0, SEEK_SET);
  say("readv across the hole", readv(fd, edge, 2));
  say("preadv", preadv(fd, io, 4, 3));
  say("preadv negative", preadv(fd, io, 4, -1));
  say("pwritev", pwritev(fd, out2, 3, 20));
  fstat(fd, &st);
  printf("size %ld\n", (long)st.st_size);
  char hole[10];
  say("pread of the hole", pread(fd, hole, 10, 10));
  int sum = 0;
  for (int i = 0; i < 10; i++) sum += hole[i];
  printf("hole sum %d\n", sum);
  static struct iovec many[1024];
  static char bytes[1024];
  for (int i = 0; i < 1024; i++) many[i] = v(bytes + i, 1), bytes[i] = 'a' + i % 26;
  say("writev 1024", writev(g, many, 1024));
  lseek(g, -1024, SEEK_END);
  memset(bytes, 0, sizeof bytes);
  say("readv 1024", readv(g, many, 1024));
  printf("%c%c%c\n", bytes[0], bytes[25], bytes[1023]);

  // preadv2, pwritev2
#define P2(nr, fd, io, n, pos, flags) syscall(nr, fd, io, (long)(n), (long)(pos), 0l, flags)
  lseek(fd, 2, SEEK_SET);
  say("preadv2 -1 uses the position", P2(SYS_preadv2, fd, io, 1, -1, 0));
  say("position", lseek(fd, 0, SEEK_CUR));
  say("preadv2 at 0", P2(SYS_preadv2, fd, io, 1, 0, 0));
  say("preadv2 -2", P2(SYS_preadv2, fd, io, 1, -2, 0));
  say("preadv2 hipri", P2(SYS_preadv2, fd, io, 1, 0, 1));
  say("preadv2 nowait", P2(SYS_preadv2, fd, io, 1, 0, 8) >= 0 || errno == EAGAIN ? 1 : 0);
  say("preadv2 unknown flag", P2(SYS_preadv2, fd, io, 1, 0, 0x10000));
  say("preadv2 append", P2(SYS_preadv2, fd, io, 1, 0, 16));
  say("pwritev2 append", P2(SYS_pwritev2, fd, out2, 1, 0, 16));
  say("position", lseek(fd, 0, SEEK_CUR));
  say("pwritev2 append at -1", P2(SYS_pwritev2, fd, out2, 1, -1, 16));
  say("position", lseek(fd, 0, SEEK_CUR));
  fstat(fd, &st);
  printf("size %ld\n", (long)st.st_size);
  say("pwritev2 dsync", P2(SYS_pwritev2, fd, out2, 1, 0, 2));
  say("pwritev2 sync", P2(SYS_pwritev2, fd, out2, 1, 0, 4));
  say("pwritev2 unknown flag", P2(SYS_pwritev2, fd, out2, 1, 0, 0x10000));

  // lseek
  lseek(fd, 5, SEEK_SET);
  say("cur -10", lseek(fd, -10, SEEK_CUR));
  say("cur -5", lseek(fd, -5, SEEK_CUR));
  say("end +100", lseek(fd, 100, SEEK_END) > 100);
  say("set -1", lseek(fd, -1, SEEK_SET));
  say("set max", lseek(fd, 0x7fffffffffffffffl, SEEK_SET) == 0x7fffffffffffffffl);
  say("whence 5", lseek(fd, 0, 5));
  say("whence -1", lseek(fd, 0, -1));
  int s = open("sparse", O_RDWR | O_CREAT, 0600);
  ftruncate(s, 1 << 20);
  pwrite(s, "data", 4, 512 << 10);
  say("data from 0", lseek(s, 0, SEEK_DATA));
  say("hole from 0", lseek(s, 0, SEEK_HOLE));
  say("hole from the data", lseek(s, 512 << 10, SEEK_HOLE));
  say("data behind", lseek(s, (512 << 10) + PAGE, SEEK_DATA));
  say("hole behind", lseek(s, (512 << 10) + PAGE, SEEK_HOLE));
  say("data at the end", lseek(s, 1 << 20, SEEK_DATA));
  say("hole at the end", lseek(s, 1 << 20, SEEK_HOLE));
  say("data at -1", lseek(s, -1, SEEK_DATA));
  int p[2];
  pipe(p);
  say("lseek pipe", lseek(p[0], 0, SEEK_SET));
  say("lseek pipe bad whence", lseek(p[0], 0, 9));
  say("pread pipe", pread(p[0], buf, 1, 0));
  say("pwrite pipe", pwrite(p[1], buf, 1, 0));
  say("preadv pipe", preadv(p[0], io, 1, 0));
  say("pwritev pipe", pwritev(p[1], out2, 1, 0));
  say("preadv2 pipe -1", (write(p[1], "xy", 2), P2(SYS_preadv2, p[0], io, 1, -1, 0)));
  say("preadv2 pipe 0", P2(SYS_preadv2, p[0], io, 1, 0, 0));
  say("preadv2 pipe nowait empty", P2(SYS_preadv2, p[0], io, 1, -1, 8));

  // pipes with bad memory
  memset(page, 'p', PAGE);
  say("pipe write across the hole", write(p[1], end - 6, 12));
  fcntl(p[0], F_SETFL, O_NONBLOCK);
  say("pipe read of it", read(p[0], buf, 64));
  write(p[1], "0123456789", 10);
  say("pipe read across the hole", read(p[0], end - 4, 10));
  say("pipe read of the rest", read(p[0], buf, 64));
  write(p[1], "0123456789", 10);
  say("pipe read to a bad address", syscall(SYS_read, p[0], (void *)8, 4));
  say("pipe still holds", read(p[0], buf, 64));
  write(p[1], "0123456789", 10);
  say("pipe readv bad second", readv(p[0], bad2, 3));
  say("pipe still holds", read(p[0], buf, 64));

  // RLIMIT_FSIZE
  struct rlimit rl = {100, RLIM_INFINITY};
  setrlimit(RLIMIT_FSIZE, &rl);
  int l = open("limited", O_RDWR | O_CREAT, 0600);
  static char big[200];
  say("limited write", write(l, big, 200));
  say("limited write at the limit", write(l, big, 200));
  say("limited write of 0", write(l, big, 0));
  say("limited pwrite", pwrite(l, big, 50, 80));
  say("limited pwrite behind", pwrite(l, big, 50, 200));
  say("limited truncate", ftruncate(l, 101));
  say("limited fallocate", fallocate(l, 0, 0, 101));
  struct iovec lio[2] = {v(big, 60), v(big, 60)};
  lseek(l, 0, SEEK_SET);
  say("limited writev", writev(l, lio, 2));
  CHILD("limit default", signal(SIGXFSZ, SIG_DFL); write(l, big, 1); write(l, big, 1));
  rl.rlim_cur = RLIM_INFINITY;
  setrlimit(RLIMIT_FSIZE, &rl);

  // odd descriptors
  say("read a directory", read(open(".", O_RDONLY), buf, 4));
  say("pread a directory", pread(open(".", O_RDONLY), buf, 4, 0));
  say("read -1", read(-1, buf, 4));
  say("write 1000", write(1000, buf, 4));
  say("read /dev/null", read(open("/dev/null", O_RDONLY), buf, 4));
  int full = open("/dev/full", O_RDWR);
  say("write /dev/full", write(full, buf, 4));
  say("write 0 /dev/full", write(full, buf, 0));
  say("read /dev/full", read(full, buf, 4));
  int zero = open("/dev/zero", O_RDWR);
  say("read /dev/zero across the hole", read(zero, end - 7, 20));
  say("read /dev/zero bad", syscall(SYS_read, zero, (void *)8, 20));
  say("write /dev/zero bad", syscall(SYS_write, zero, (void *)8, 20));
  say("write /dev/null bad", syscall(SYS_write, open("/dev/null", O_WRONLY), (void *)8, 20));
  say("write /dev/null kernel", syscall(SYS_write, open("/dev/null", O_WRONLY), (void *)-4096l, 20));
  say("lseek /dev/null", lseek(open("/dev/null", O_RDONLY), 5, SEEK_SET));
  say("lseek /dev/zero end", lseek(zero, 5, SEEK_END));
  int rnd = open("/dev/urandom", O_RDWR);
  say("read /dev/urandom across the hole", read(rnd, end - 7, 20));
  say("write /dev/urandom", write(rnd, "seed", 4));
  return 0;
}
