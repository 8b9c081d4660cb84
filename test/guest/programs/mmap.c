// native: the emulator lacks MAP_FIXED_NOREPLACE and accepts any advice.
// mmap(2), munmap(2), mprotect(2), mremap(2), madvise(2), mincore(2), brk(2): effects and errors.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096
static sigjmp_buf env;
static volatile int sig, code;
static volatile uintptr_t where;

static void on_fault(int s, siginfo_t *si, void *uc) {
  (void)uc;
  sig = s, code = si->si_code, where = (uintptr_t)si->si_addr;
  siglongjmp(env, 1);
}

// What one access does: "ok", or the signal, its code, and whether the address is right.
static void touch(const char *what, volatile char *p, int write) {
  if (sigsetjmp(env, 1) == 0) {
    if (write) *p = 1;
    else (void)*p;
    printf("%s: ok\n", what);
  } else {
    printf("%s: signal %d code %d address %s\n", what, sig, code, where == (uintptr_t)p ? "right" : "wrong");
  }
}

static void result(const char *what, long r) {
  if (r == -1) printf("%s: errno %d\n", what, errno);
  else printf("%s: ok\n", what);
}

static void *map(size_t len, int prot) { return mmap(0, len, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }

int main(void) {
  struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &sa, 0);
  sigaction(SIGBUS, &sa, 0);

  char *p = map(4 * PAGE, PROT_READ | PROT_WRITE);
  memset(p, 7, 4 * PAGE);
  mprotect(p + PAGE, PAGE, PROT_READ);
  touch("read of a read-only page", p + PAGE, 0);
  touch("write of a read-only page", p + PAGE, 1);
  mprotect(p + PAGE, PAGE, PROT_NONE);
  touch("read of PROT_NONE", p + PAGE + 9, 0);
  mprotect(p + PAGE, PAGE, PROT_READ | PROT_WRITE);
  printf("content kept: %d\n", p[PAGE]);
  munmap(p + 2 * PAGE, PAGE);
  touch("hole", p + 2 * PAGE, 0);
  touch("behind the hole", p + 3 * PAGE, 1);
  result("mprotect over a hole", mprotect(p, 4 * PAGE, PROT_READ));
  result("mprotect misaligned", syscall(SYS_mprotect, p + 1, PAGE, PROT_READ));
  result("munmap misaligned", munmap(p + 1, PAGE));
  result("munmap of nothing", munmap(p + 2 * PAGE, PAGE));
  result("munmap length 0", munmap(p, 0));

  result("mmap length 0", (long)mmap(0, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  result("mmap without type", (long)mmap(0, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0));
  result("mmap bad fd", (long)mmap(0, PAGE, PROT_READ, MAP_PRIVATE, 99, 0));
  result("mmap offset misaligned", (long)mmap(0, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 1));
  char *q = map(3 * PAGE, PROT_READ | PROT_WRITE);
  result("noreplace on used", (long)mmap(q, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
  q[PAGE] = 5;
  char *fixed = mmap(q + PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  printf("fixed: %d, fresh: %d\n", fixed == q + PAGE, q[PAGE]);

  // mremap: in place, moved, shrunk, fixed.
  char *m = map(2 * PAGE, PROT_READ | PROT_WRITE);
  strcpy(m, "moved");
  char *big = mremap(m, 2 * PAGE, 64 * PAGE, MREMAP_MAYMOVE);
  printf("grown: %s, tail zero: %d\n", big, big[63 * PAGE]);
  char *small = mremap(big, 64 * PAGE, PAGE, 0);
  printf("shrunk in place: %d\n", small == big);
  touch("behind the shrunk area", big + PAGE, 0);
  char *target = map(4 * PAGE, PROT_NONE);
  char *there = mremap(small, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target + PAGE);
  printf("moved to the place: %d %s\n", there == target + PAGE, there);
  touch("old place", small, 0);
  result("mremap of nothing", (long)mremap(small, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
  result("mremap bad flags", (long)mremap(there, PAGE, 2 * PAGE, 64));

  // madvise and mincore.
  char *d = map(4 * PAGE, PROT_READ | PROT_WRITE);
  memset(d, 1, 4 * PAGE);
  result("dontneed", madvise(d + PAGE, PAGE, MADV_DONTNEED));
  printf("after dontneed: %d %d\n", d[0], d[PAGE]);
  result("madvise unknown", madvise(d, PAGE, 999));
  unsigned char vec[4];
  madvise(d + 2 * PAGE, PAGE, MADV_DONTNEED);
  result("mincore", mincore(d, 2 * PAGE, vec));
  printf("resident: %d %d\n", vec[0] & 1, vec[1] & 1);
  result("mincore unmapped", mincore(p + 2 * PAGE, PAGE, vec));

  // Files: private copies, shared writes, SIGBUS past the end.
  char name[] = "/tmp/carrick-mmap-XXXXXX";
  int fd = mkstemp(name);
  unlink(name);
  if (ftruncate(fd, PAGE + 100)) return 1;
  char *sh = mmap(0, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  char *pr = mmap(0, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  strcpy(sh, "shared");
  printf("private sees: %s\n", pr);
  strcpy(pr, "private");
  printf("shared still: %s\n", sh);
  char buf[16] = "";
  if (pread(fd, buf, 7, 0) < 0) return 1;
  printf("read(2) sees: %s\n", buf);
  if (pwrite(fd, "written", 8, 0) < 0) return 1;
  printf("mapping sees the write: %s\n", sh);
  touch("last partial page", sh + PAGE + 200, 1);
  touch("past the end", sh + 2 * PAGE, 0);
  result("truncate", ftruncate(fd, 10));
  touch("truncated away", sh + PAGE, 0);
  int ro = open("/proc/self/exe", O_RDONLY);
  result("shared writable of a read-only file", (long)mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, ro, 0));
  char *rm = mmap(0, PAGE, PROT_READ, MAP_SHARED, ro, 0);
  printf("elf magic: %d\n", memcmp(rm, "\177ELF", 4));
  result("made writable", mprotect(rm, PAGE, PROT_READ | PROT_WRITE));

  // fork: private memory is copied, shared memory is one.
  int *sm = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int *pm = (int *)map(PAGE, PROT_READ | PROT_WRITE);
  *sm = *pm = 1;
  if (fork() == 0) {
    *sm = 2, *pm = 2;
    _exit(0);
  }
  wait(0);
  printf("after the child: shared %d private %d\n", *sm, *pm);

  fflush(stdout);
  char *b = (char *)((syscall(SYS_brk, 0) + PAGE - 1) & -PAGE);
  syscall(SYS_brk, b);
  printf("brk grew: %d\n", (char *)syscall(SYS_brk, b + 3 * PAGE) == b + 3 * PAGE);
  b[3 * PAGE - 1] = 1;
  printf("brk shrank: %d\n", (char *)syscall(SYS_brk, b) == b);
  touch("above brk", b + 2 * PAGE, 0);
  return 0;
}
