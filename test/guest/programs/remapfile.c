// native: the emulator lacks the call.
// remap_file_pages(2): pages of a shared mapping in another order.
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096
static void err(const char *what, long r) {
  if (r == -1) printf("%s: errno %d\n", what, errno);
  else printf("%s: %ld\n", what, r);
}
static long remap(void *at, size_t size, int prot, size_t page) { return syscall(SYS_remap_file_pages, at, size, prot, page, 0); }

int main(void) {
  int fd = memfd_create("m", 0);
  if (ftruncate(fd, 8 * PAGE)) return 1;
  char *p = mmap(0, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  for (int i = 0; i < 8; i++) p[i * PAGE] = 'a' + i;
  for (int i = 0; i < 8; i++) err("remap", remap(p + i * PAGE, PAGE, 0, 7 - i));
  for (int i = 0; i < 8; i++) printf("%c", p[i * PAGE]);
  p[0] = 'X';
  char c;
  if (pread(fd, &c, 1, 7 * PAGE) != 1) return 1;
  printf(" written %c\n", c);
  err("two pages", remap(p + 2 * PAGE, 2 * PAGE, 0, 0));
  printf("%c %c\n", p[2 * PAGE], p[3 * PAGE]);
  err("a protection", remap(p, PAGE, PROT_READ, 0));
  err("nothing", remap(p, 0, 0, 0));
  char *q = mmap(0, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  err("private memory", remap(q, PAGE, 0, 0));
  munmap(q, PAGE);
  err("a hole", remap(q, PAGE, 0, 0));
  return 0;
}
