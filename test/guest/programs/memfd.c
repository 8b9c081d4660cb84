// native 6.18: the emulator's memfd names and seals are the host's.
// memfd_create(2), fcntl(2) seals, and tmpfs files behind them.
#include "say.h"
#include <linux/falloc.h>
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 16
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 32
#endif

int main(void) {
  scratch();
  int m = memfd_create("name", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  char link[100] = "", path[40], b[100];
  sprintf(path, "/proc/self/fd/%d", m);
  readlink(path, link, sizeof link - 1);
  printf("%s\n", link);
  struct stat st;
  fstat(m, &st);
  printf("mode %o size %ld links %d\n", st.st_mode, (long)st.st_size, (int)st.st_nlink);
  printf("flags %o cloexec %d\n", fcntl(m, F_GETFL) & ~O_LARGEFILE & ~0100000 & ~0400000, fcntl(m, F_GETFD));
  say("write", write(m, "hello world", 11));
  say("pread", pread(m, b, 100, 6));
  say("seals", fcntl(m, F_GET_SEALS));
  say("shrink ok", ftruncate(m, 8));
  say("add shrink", fcntl(m, F_ADD_SEALS, F_SEAL_SHRINK));
  say("shrink", ftruncate(m, 4));
  char place[64];
  snprintf(place, sizeof place, "/proc/self/fd/%d", m);
  say("open emptying", open(place, O_RDWR | O_TRUNC));
  fstat(m, &st);
  say("its size", st.st_size);
  say("grow ok", ftruncate(m, 20));
  say("add grow", fcntl(m, F_ADD_SEALS, F_SEAL_GROW));
  say("grow", ftruncate(m, 40));
  say("write across the end", pwrite(m, "0123456789", 10, 15));
  say("write at the end", pwrite(m, "0123456789", 10, 20));
  say("write within", pwrite(m, "01", 2, 0));
  say("fallocate grow", fallocate(m, 0, 0, 100));
  say("punch", fallocate(m, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4));
  char *w = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, m, 0);
  say("add write while mapped", fcntl(m, F_ADD_SEALS, F_SEAL_WRITE));
  munmap(w, 4096);
  say("future write", fcntl(m, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
  say("write under future write", pwrite(m, "x", 1, 0));
  say("add write", fcntl(m, F_ADD_SEALS, F_SEAL_WRITE));
  say("write sealed", pwrite(m, "x", 1, 0));
  say("punch sealed", fallocate(m, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4));
  ok("map writable shared", (long)mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, m, 0));
  ok("map read shared", (long)(w = mmap(0, 4096, PROT_READ, MAP_SHARED, m, 0)));
  say("make it writable", mprotect(w, 4096, PROT_READ | PROT_WRITE));
  ok("map private writable", (long)mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, m, 0));
  say("add seal", fcntl(m, F_ADD_SEALS, F_SEAL_SEAL));
  say("add after seal", fcntl(m, F_ADD_SEALS, F_SEAL_SHRINK));
  say("seals", fcntl(m, F_GET_SEALS));
  int n = memfd_create("plain", 0);
  say("not sealable", fcntl(n, F_ADD_SEALS, F_SEAL_WRITE));
  say("its seals", fcntl(n, F_GET_SEALS));
  say("unknown seal", fcntl(memfd_create("s", MFD_ALLOW_SEALING), F_ADD_SEALS, 0x1000));
  say("seal exec", fcntl(memfd_create("s", MFD_ALLOW_SEALING), F_ADD_SEALS, F_SEAL_EXEC));
  put("f", "x");
  int f = open("f", O_RDWR);
  say("seals of a file", fcntl(f, F_GET_SEALS));
  int p[2];
  pipe(p);
  say("seals of a pipe", fcntl(p[0], F_GET_SEALS));
  int ro = open(path, O_RDONLY);
  ok("reopen read-only", ro);
  say("add seals through a reader", fcntl(ro, F_ADD_SEALS, F_SEAL_SHRINK));
  sprintf(path, "/proc/self/fd/%d", n);
  int again = open(path, O_RDWR);
  write(n, "shared", 6);
  say("a new description of it", pread(again, b, 100, 0));
  say("its own position", lseek(again, 0, SEEK_CUR));
  char name[300];
  memset(name, 'n', sizeof name);
  name[249] = 0;
  ok("249 bytes", memfd_create(name, 0));
  name[249] = 'n', name[250] = 0;
  ok("250 bytes", memfd_create(name, 0));
  ok("empty", memfd_create("", 0));
  ok("slash", memfd_create("a/b", 0));
  ok("bad name", syscall(SYS_memfd_create, (void *)8, 0));
  ok("bad flags", memfd_create("x", 0x100));
  int nx = memfd_create("x", 8);
  ok("noexec seal", nx);
  say("its seals", fcntl(nx, F_GET_SEALS));
  fstat(nx, &st);
  printf("mode %o\n", st.st_mode);
  say("chmod to executable", fchmod(nx, 0700));
  ok("exec flag", memfd_create("x", 0x10));
  ok("both", memfd_create("x", 0x18));
  // sparse and large
  n = memfd_create("big", 0);
  say("sparse", ftruncate(n, 1l << 40));
  say("write far", pwrite(n, "far", 3, (1l << 40) - 3));
  say("read far", pread(n, b, 10, (1l << 40) - 5));
  fstat(n, &st);
  printf("blocks few %d\n", st.st_blocks <= 16);
  say("data", lseek(n, 0, SEEK_DATA) == (1l << 40) - 4096);
  say("hole", lseek(n, 0, SEEK_HOLE));
  w = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, n, 0);
  strcpy(w + 4096, "mapped");
  say("read what was mapped", pread(n, b, 6, 4096));
  CHILD("child", strcpy(w, "from the child"));
  printf("%s\n", w);
  say("exec of data", (fexecve(n, (char *[]){"x", 0}, (char *[]){0}), -1));
  return 0;
}
