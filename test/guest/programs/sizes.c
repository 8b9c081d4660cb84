// native 6.18: the emulator's fallocate and offsets on 64 bits.
// truncate(2), ftruncate(2), fallocate(2), fsync(2), sync_file_range(2), posix_fadvise(2), readahead(2): effects and errors.
#include "say.h"
#include <linux/falloc.h>
#include <sys/statfs.h>

static void size(const char *what, int fd) {
  struct stat st;
  fstat(fd, &st);
  printf("%s: size %ld\n", what, (long)st.st_size);
}
static int sum(int fd, long at, int n) {
  static unsigned char b[65536];
  int s = 0, got = pread(fd, b, n, at);
  for (int i = 0; i < got; i++) s += b[i];
  return s;
}

int main(void) {
  scratch();
  put("f", "0123456789");
  symlink("f", "s");
  int fd = open("f", O_RDWR);
  say("truncate", truncate("f", 4));
  size("f", fd);
  say("grow through a link", truncate("s", 10));
  printf("zeros %d\n", sum(fd, 4, 6));
  say("negative", truncate("f", -1));
  say("ftruncate negative", ftruncate(fd, -1));
  say("huge", ftruncate(fd, 0x7fffffffffffffffl));
  say("dir", truncate(".", 0));
  mkfifo("fifo", 0600);
  say("fifo", truncate("fifo", 0));
  say("missing", truncate("none", 0));
  say("device", truncate("/dev/null", 0));
  int p[2];
  pipe(p);
  say("ftruncate pipe", ftruncate(p[0], 0));
  say("ftruncate bad", ftruncate(-1, 0));
  say("ftruncate directory", ftruncate(open(".", O_RDONLY), 0));
  say("past the position", (lseek(fd, 8, SEEK_SET), ftruncate(fd, 2)));
  char c;
  say("read behind", read(fd, &c, 1));
  say("write behind", write(fd, "x", 1));
  size("with a hole", fd);
  printf("hole %d\n", sum(fd, 2, 6));

  int g = open("g", O_RDWR | O_CREAT, 0600);
  static char page[4096];
  memset(page, 1, sizeof page);
  for (int i = 0; i < 8; i++) write(g, page, sizeof page);
  say("fallocate grow", fallocate(g, 0, 0, 40960));
  size("g", g);
  say("keep size", fallocate(g, FALLOC_FL_KEEP_SIZE, 0, 81920));
  size("g", g);
  say("punch needs keep", fallocate(g, FALLOC_FL_PUNCH_HOLE, 0, 4096));
  say("punch", fallocate(g, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 4096));
  printf("punched %d %d %d\n", sum(g, 0, 4096), sum(g, 4096, 4096), sum(g, 8192, 4096));
  say("punch odd", fallocate(g, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 8200, 100));
  printf("punched %d\n", sum(g, 8192, 4096));
  say("zero range", fallocate(g, FALLOC_FL_ZERO_RANGE, 12288, 4096));
  printf("zeroed %d\n", sum(g, 12288, 4096));
  say("collapse", fallocate(g, FALLOC_FL_COLLAPSE_RANGE, 4096, 4096));
  size("g", g);
  say("insert", fallocate(g, FALLOC_FL_INSERT_RANGE, 0, 4096));
  size("g", g);
  printf("shifted %d %d\n", sum(g, 0, 4096), sum(g, 4096, 4096));
  say("collapse odd", fallocate(g, FALLOC_FL_COLLAPSE_RANGE, 100, 4096));
  say("collapse to the end", fallocate(g, FALLOC_FL_COLLAPSE_RANGE, 0, 1 << 20));
  say("negative offset", fallocate(g, 0, -1, 10));
  say("length 0", fallocate(g, 0, 0, 0));
  say("negative length", fallocate(g, 0, 0, -5));
  say("overflow", fallocate(g, 0, 0x7fffffffffffffffl, 10));
  say("unknown mode", fallocate(g, 0x1000, 0, 10));
  say("two modes", fallocate(g, FALLOC_FL_ZERO_RANGE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 10));
  say("read-only", fallocate(open("g", O_RDONLY), 0, 0, 10));
  say("pipe", fallocate(p[1], 0, 0, 10));
  say("directory", fallocate(open(".", O_RDONLY), 0, 0, 10));
  say("null", fallocate(open("/dev/null", O_RDWR), 0, 0, 10));
  say("posix_fallocate", posix_fallocate(g, 0, 100000));
  size("g", g);

  // a mapping sees what happens to the file
  unsigned char *m = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, g, 0);
  m[4096 + 5] = 77;
  say("punch below a mapping", fallocate(g, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 4096, 4096));
  printf("mapping reads %d\n", m[4096 + 5]);
  m[5] = 9;
  say("truncate into the page", ftruncate(g, 3));
  say("grow again", ftruncate(g, 8192));
  printf("tail is zero: mapping %d file %d\n", m[5], sum(g, 3, 8));
  munmap(m, 8192);

  say("fsync", fsync(g));
  say("fdatasync", fdatasync(g));
  say("fsync pipe", fsync(p[0]));
  say("fsync directory", fsync(open(".", O_RDONLY)));
  say("fsync null", fsync(open("/dev/null", O_RDWR)));
  say("fsync bad", fsync(-1));
  say("syncfs", syncfs(g));
  say("syncfs bad", syncfs(-1));
  say("sync_file_range", sync_file_range(g, 0, 100, 7));
  say("sync_file_range bad flags", sync_file_range(g, 0, 100, 8));
  say("sync_file_range negative", sync_file_range(g, -1, 100, 2));
  say("sync_file_range pipe", sync_file_range(p[0], 0, 100, 2));
  for (int a = 0; a < 7; a++) {
    char t[32];
    sprintf(t, "fadvise %d", a);
    say(t, syscall(SYS_fadvise64, g, 0, 0, a));
  }
  say("fadvise bad fd", syscall(SYS_fadvise64, -1, 0, 0, 0));
  say("fadvise pipe", syscall(SYS_fadvise64, p[0], 0, 0, 0));
  say("fadvise negative", syscall(SYS_fadvise64, g, 0l, -1l, 0));
  say("readahead", readahead(g, 0, 100));
  say("readahead write-only", readahead(open("g", O_WRONLY), 0, 100));
  say("readahead pipe", readahead(p[0], 0, 100));
  say("readahead bad", readahead(-1, 0, 100));

  struct statfs sf;
  say("statfs", statfs(".", &sf));
  printf("bsize %ld namelen %ld blocks %d\n", (long)sf.f_bsize, (long)sf.f_namelen, sf.f_blocks > 0 && sf.f_bfree <= sf.f_blocks);
  say("statfs proc", statfs("/proc", &sf));
  printf("type %lx\n", (long)sf.f_type);
  say("fstatfs pipe", fstatfs(p[0], &sf));
  printf("type %lx bsize %ld namelen %ld\n", (long)sf.f_type, (long)sf.f_bsize, (long)sf.f_namelen);
  say("statfs missing", statfs("none", &sf));
  say("statfs bad buffer", syscall(SYS_statfs, ".", (void *)8));
  say("fstatfs bad", fstatfs(-1, &sf));
  return 0;
}
