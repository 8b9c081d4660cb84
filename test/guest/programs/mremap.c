// native: the emulator moves mappings in its own way.
// mremap(2) all ways, MAP_FIXED_NOREPLACE, MAP_GROWSDOWN, splits and joins, huge sparse maps, limits, /proc/self/maps.
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
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
static sigjmp_buf env;
static volatile int sig, code;
static void on_fault(int s, siginfo_t *si, void *uc) {
  (void)uc;
  sig = s, code = si->si_code;
  siglongjmp(env, 1);
}
static const char *touch(volatile char *p, int write) {
  static char text[8][32];
  static int n;
  char *t = text[n++ & 7];
  if (sigsetjmp(env, 1) == 0) {
    if (write) *p = 1;
    else (void)*p;
    strcpy(t, "ok");
  } else {
    sprintf(t, "signal %d code %d", sig, code);
  }
  return t;
}
static void result(const char *what, void *r, void *expected) {
  if (r == MAP_FAILED) printf("%s: errno %d\n", what, errno);
  else printf("%s: %s\n", what, expected == 0 ? "ok" : r == expected ? "there" : "elsewhere");
}
static void err(const char *what, long r) {
  if (r == -1) printf("%s: errno %d\n", what, errno);
  else printf("%s: ok\n", what);
}
// A free range of `pages` pages with nothing around it.
static char *room(int pages) {
  char *p = mmap(0, (pages + 2) * PAGE, PROT_NONE, ANON, -1, 0);
  munmap(p, (pages + 2) * PAGE);
  return p + PAGE;
}
static char *map_at(char *at, int pages, int prot) { return mmap(at, pages * PAGE, prot, ANON | MAP_FIXED, -1, 0); }
static void fill(char *p, int pages) {
  for (int i = 0; i < pages; i++) p[i * PAGE] = 'a' + i;
}
static void content(const char *what, char *p, int pages) {
  printf("%s:", what);
  for (int i = 0; i < pages; i++) printf(" %c", p[i * PAGE] ? p[i * PAGE] : '0');
  printf("\n");
}
// The lines of /proc/self/maps that touch [from, from + pages), relative to `from`.
static void maps(const char *what, char *from, int pages) {
  FILE *f = fopen("/proc/self/maps", "r");
  char line[512];
  printf("%s:", what);
  while (fgets(line, sizeof line, f)) {
    unsigned long a, b;
    char perms[8];
    long off;
    sscanf(line, "%lx-%lx %7s %lx", &a, &b, perms, &off);
    if (b <= (uintptr_t)from || a >= (uintptr_t)from + pages * PAGE) continue;
    printf(" [%ld,%ld) %s@%ld", ((long)a - (long)from) / PAGE, ((long)b - (long)from) / PAGE, perms, off / PAGE);
  }
  fclose(f);
  printf("\n");
}
static long grow(long bytes) {
  long old = syscall(SYS_brk, 0);
  return syscall(SYS_brk, old + bytes) == old + bytes ? 0 : (errno = ENOMEM, -1);
}
static int in_child(void (*f)(void)) {
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    f();
    fflush(stdout);
    _exit(0);
  }
  int st;
  waitpid(pid, &st, 0);
  return st & ~0x80;
}
static void address_space_limit(void) {
  struct rlimit rl;
  getrlimit(RLIMIT_AS, &rl);
  rl.rlim_cur = 64 << 20;
  setrlimit(RLIMIT_AS, &rl);
  result("within RLIMIT_AS", mmap(0, 1 << 20, RW, ANON, -1, 0), 0);
  result("beyond RLIMIT_AS", mmap(0, 128 << 20, RW, ANON, -1, 0), 0);
  result("PROT_NONE beyond RLIMIT_AS", mmap(0, 128 << 20, PROT_NONE, ANON, -1, 0), 0);
  char *p = mmap(0, PAGE, RW, ANON, -1, 0);
  result("growing beyond RLIMIT_AS", mremap(p, PAGE, 128 << 20, MREMAP_MAYMOVE), 0);
  err("brk beyond RLIMIT_AS", grow(128 << 20));
}
static void data_limit(void) {
  struct rlimit rl;
  getrlimit(RLIMIT_DATA, &rl);
  rl.rlim_cur = 16 << 20;
  setrlimit(RLIMIT_DATA, &rl);
  result("beyond RLIMIT_DATA", mmap(0, 32 << 20, RW, ANON, -1, 0), 0);
  result("read-only beyond RLIMIT_DATA", mmap(0, 32 << 20, PROT_READ, ANON, -1, 0), 0);
  err("brk beyond RLIMIT_DATA", grow(32 << 20));
  char *p = mmap(0, 32 << 20, PROT_NONE, ANON, -1, 0);
  err("mprotect beyond RLIMIT_DATA", mprotect(p, 32 << 20, RW));
}
static void lock_limit(void) {
  struct rlimit rl = {PAGE * 4, PAGE * 4};
  setrlimit(RLIMIT_MEMLOCK, &rl);
  if (setuid(12345)) _exit(1);
  char *p = mmap(0, 8 * PAGE, RW, ANON, -1, 0);
  err("mlock within the limit", mlock(p, 4 * PAGE));
  err("mlock beyond the limit", mlock(p, 5 * PAGE));
  err("mlockall beyond the limit", mlockall(MCL_CURRENT));
  result("MAP_LOCKED beyond the limit", mmap(0, 8 * PAGE, RW, ANON | MAP_LOCKED, -1, 0), 0);
  err("munlock", munlock(p, 8 * PAGE));
  rl.rlim_cur = rl.rlim_max = 0;
  setrlimit(RLIMIT_MEMLOCK, &rl);
  err("mlock with no limit left", mlock(p, PAGE));
}

int main(void) {
  setvbuf(stdout, 0, _IOLBF, 0);
  struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &sa, 0), sigaction(SIGBUS, &sa, 0);
  // Growing in place, moving, shrinking
  char *base = room(20);
  char *p = map_at(base, 4, RW);
  fill(p, 4);
  char *q = mremap(p, 4 * PAGE, 8 * PAGE, 0);
  result("grow in place", q, p);
  content("grown", q, 8);
  map_at(base + 8 * PAGE, 1, PROT_READ);
  result("grow into a neighbour", mremap(p, 8 * PAGE, 9 * PAGE, 0), 0);
  q = mremap(p, 8 * PAGE, 10 * PAGE, MREMAP_MAYMOVE);
  printf("moved: %d\n", q != MAP_FAILED && q != p);
  content("content", q, 10);
  printf("old place: %s, new place %s\n", touch(p, 0), touch(q + 9 * PAGE, 1));
  result("shrink", mremap(q, 10 * PAGE, 2 * PAGE, 0), q);
  printf("cut off: %s, kept: %s\n", touch(q + 2 * PAGE, 0), touch(q + PAGE, 0));
  result("same size", mremap(q, 2 * PAGE, 2 * PAGE, 0), q);
  // Fixed
  char *target = map_at(room(6), 6, PROT_READ);
  result("fixed", mremap(q, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target + PAGE), target + PAGE);
  maps("fixed over a mapping", target, 6);
  content("moved there", target + PAGE, 3);
  result("fixed without MAYMOVE", mremap(target + PAGE, PAGE, PAGE, MREMAP_FIXED, base), 0);
  result("fixed, misaligned", mremap(target + PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, base + 5), 0);
  result("fixed, overlapping", mremap(target + PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target + 2 * PAGE), 0);
  result("old misaligned", mremap(target + 5, PAGE, 2 * PAGE, MREMAP_MAYMOVE), 0);
  result("new size zero", mremap(target, PAGE, 0, MREMAP_MAYMOVE), 0);
  result("unknown flag", mremap(target, PAGE, PAGE, 0x40), 0);
  result("unmapped", mremap((char *)0x7000, PAGE, 2 * PAGE, MREMAP_MAYMOVE), 0);
  result("partly unmapped", mremap(base + 8 * PAGE, 3 * PAGE, 4 * PAGE, MREMAP_MAYMOVE), 0);
  result("across two areas", mremap(target, 3 * PAGE, 4 * PAGE, MREMAP_MAYMOVE), 0);
  result("old size zero of a private map", mremap(target, 0, PAGE, MREMAP_MAYMOVE), 0);
  char *shared = mmap(0, 2 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  shared[0] = 's';
  q = mremap(shared, 0, 2 * PAGE, MREMAP_MAYMOVE);
  printf("old size zero of a shared map: %d %c", q != MAP_FAILED && q != shared, q == MAP_FAILED ? '?' : q[0]);
  if (q != MAP_FAILED) q[1] = 't', printf(" %c\n", shared[1]);
  result("shared anonymous grown", q = mremap(shared, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE), 0);
  printf("beyond its first size: %s\n", touch(q + 3 * PAGE, 0));
  // DONTUNMAP
  p = mmap(0, 3 * PAGE, RW, ANON, -1, 0);
  fill(p, 3);
  q = mremap(p, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
  if (q == MAP_FAILED) printf("DONTUNMAP: errno %d\n", errno);
  else {
    content("DONTUNMAP new", q, 3);
    content("DONTUNMAP old", p, 3);
  }
  result("DONTUNMAP with another size", mremap(q, 3 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0), 0);
  result("DONTUNMAP without MAYMOVE", mremap(q, 3 * PAGE, 3 * PAGE, MREMAP_DONTUNMAP, 0), 0);
  // Part of a mapping
  base = room(12);
  p = map_at(base, 6, RW);
  fill(p, 6);
  q = mremap(p + 2 * PAGE, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE);
  content("middle moved", q, 4);
  maps("what stayed", base, 6);
  // A file mapping keeps its offset and its sharing
  char name[] = "/tmp/carrick-mremap-XXXXXX";
  int fd = mkstemp(name);
  unlink(name);
  char buf[PAGE];
  for (int i = 0; i < 8; i++) {
    memset(buf, 'A' + i, PAGE);
    if (write(fd, buf, PAGE) != PAGE) return 1;
  }
  p = mmap(0, 2 * PAGE, RW, MAP_SHARED, fd, PAGE);
  q = mremap(p, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE);
  content("file grown", q, 4);
  q[3 * PAGE] = 'z';
  if (pread(fd, buf, 1, 4 * PAGE) != 1) return 1;
  printf("seen by read: %c\n", buf[0]);
  p = mmap(0, 2 * PAGE, RW, MAP_PRIVATE, fd, 0);
  p[0] = 'p';
  q = mremap(p, 2 * PAGE, 10 * PAGE, MREMAP_MAYMOVE);
  content("private file grown", q, 8);
  printf("beyond the end: %s\n", touch(q + 9 * PAGE, 0));
  // NOREPLACE, and hints
  base = room(8);
  map_at(base + 2 * PAGE, 2, RW);
  result("NOREPLACE on free space", mmap(base, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), base);
  result("NOREPLACE on a part", mmap(base + PAGE, 2 * PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), 0);
  result("hint that is free", mmap(base + 5 * PAGE, PAGE, RW, ANON, -1, 0), base + 5 * PAGE);
  result("hint that is taken", mmap(base + 2 * PAGE, PAGE, RW, ANON, -1, 0), base + 2 * PAGE);
  result("hint that is misaligned", mmap(base + 7 * PAGE + 9, PAGE, RW, ANON, -1, 0), base + 7 * PAGE);
  result("fixed at the top", mmap((void *)0xfffffffff000, 2 * PAGE, RW, ANON | MAP_FIXED, -1, 0), 0);
  result("length that wraps", mmap(0, (size_t)-PAGE, RW, ANON, -1, 0), 0);
  err("munmap misaligned", munmap(base + 1, PAGE));
  err("munmap of nothing", munmap(base + 6 * PAGE, PAGE));
  err("munmap length 0", munmap(base, 0));
  err("munmap beyond the address space", munmap(base, (size_t)-PAGE));
  // Splits and joins by mprotect
  base = map_at(room(10), 10, RW);
  for (int i = 0; i < 10; i += 2) mprotect(base + i * PAGE, PAGE, PROT_READ);
  maps("every other page", base, 10);
  mprotect(base, 10 * PAGE, RW);
  maps("joined", base, 10);
  munmap(base + 3 * PAGE, PAGE);
  err("mprotect over a hole", mprotect(base, 6 * PAGE, PROT_READ));
  maps("up to the hole", base, 10);
  err("mprotect misaligned", syscall(SYS_mprotect, base + 1, PAGE, PROT_READ));
  err("mprotect unknown bits", mprotect(base, PAGE, 0x100));
  err("mprotect length 0", mprotect(base, 0, PROT_READ));
  err("mprotect GROWSDOWN on another", mprotect(base, PAGE, PROT_READ | PROT_GROWSDOWN));
  p = mmap(0, PAGE, PROT_READ, MAP_SHARED, fd, 0);
  int ro = open("/proc/self/exe", O_RDONLY);
  q = mmap(0, PAGE, PROT_READ, MAP_SHARED, ro, 0);
  err("mprotect a shared map of a read-only file", mprotect(q, PAGE, RW));
  result("writable shared map of a read-only file", mmap(0, PAGE, RW, MAP_SHARED, ro, 0), 0);
  result("writable private map of it", mmap(0, PAGE, RW, MAP_PRIVATE, ro, 0), 0);
  int wo = open("/dev/null", O_WRONLY);
  result("map of a write-only file", mmap(0, PAGE, PROT_READ, MAP_PRIVATE, wo, 0), 0);
  result("map of a directory", mmap(0, PAGE, PROT_READ, MAP_PRIVATE, open("/tmp", O_RDONLY), 0), 0);
  int pp[2];
  if (pipe(pp)) return 1;
  result("map of a pipe", mmap(0, PAGE, PROT_READ, MAP_PRIVATE, pp[0], 0), 0);
  result("bad descriptor", mmap(0, PAGE, PROT_READ, MAP_PRIVATE, 999, 0), 0);
  result("neither private nor shared", mmap(0, PAGE, RW, MAP_ANONYMOUS, -1, 0), 0);
  result("SHARED_VALIDATE", mmap(0, PAGE, PROT_READ, MAP_SHARED_VALIDATE, fd, 0), 0);
  result("SHARED_VALIDATE with an unknown flag", mmap(0, PAGE, PROT_READ, MAP_SHARED_VALIDATE | 0x400000, fd, 0), 0);
  result("/dev/zero", p = mmap(0, PAGE, RW, MAP_PRIVATE, open("/dev/zero", O_RDWR), 0), 0);
  printf("it holds %d\n", p[0]);
  // MAP_GROWSDOWN
  base = room(600);
  p = mmap(base + 590 * PAGE, 4 * PAGE, RW, ANON | MAP_FIXED | MAP_GROWSDOWN, -1, 0);
  printf("GROWSDOWN: below %s, further below %s\n", touch(p - 1, 1), touch(p - 10 * PAGE, 1));
  maps("it grew", base + 580 * PAGE, 14);
  // Sparse maps
  size_t tib = 1ul << 40;
  p = mmap(0, tib, RW, ANON | MAP_NORESERVE, -1, 0);
  result("1 TiB without reserve", p, 0);
  for (size_t at = 0; at < tib; at += tib / 16) p[at] = 1;
  long sum = 0;
  for (size_t at = 0; at < tib; at += tib / 32) sum += p[at];
  printf("sum %ld\n", sum);
  err("DONTNEED of all", madvise(p, tib, MADV_DONTNEED));
  printf("then %d\n", p[tib / 16]);
  pid_t pid = fork();
  if (pid == 0) {
    p[5] = 5;
    _exit(0);
  }
  waitpid(pid, 0, 0);
  printf("child's write: %d\n", p[5]);
  err("munmap of all", munmap(p, tib));
  result("16 TiB PROT_NONE", p = mmap(0, 16 * tib, PROT_NONE, ANON | MAP_NORESERVE, -1, 0), 0);
  munmap(p, 16 * tib);
  // Limits
  printf("RLIMIT_AS: %x\n", in_child(address_space_limit));
  printf("RLIMIT_DATA: %x\n", in_child(data_limit));
  printf("RLIMIT_MEMLOCK: %x\n", in_child(lock_limit));
  // brk
  char *top = (char *)syscall(SYS_brk, 0);
  err("brk", grow(3 * PAGE));
  top[0] = 'b', top[3 * PAGE - 1] = 'e';
  printf("fresh: %d\n", top[PAGE]);
  syscall(SYS_brk, top + PAGE);
  syscall(SYS_brk, top + 2 * PAGE);
  printf("after shrinking and growing: %d %c\n", top[PAGE], top[0]);
  printf("cut off: %s\n", touch(top + 2 * PAGE, 0));
  syscall(SYS_brk, top);
  printf("raw brk(0) is the break: %d, too low: %d\n", syscall(SYS_brk, 0) == (long)top, syscall(SYS_brk, 4096) == (long)top);
  p = mmap(0, 2 * PAGE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);
  unsigned char vec[2] = {0, 0};
  mincore(p, 2 * PAGE, vec);
  printf("MAP_LOCKED is present: %d %d\n", vec[0], vec[1]);
  err("DONTNEED of locked memory", madvise(p, PAGE, MADV_DONTNEED));
  munlock(p, 2 * PAGE);
  err("DONTNEED of unlocked memory", madvise(p, PAGE, MADV_DONTNEED));
  err("mlock over a hole", mlock(base + 2 * PAGE, 4 * PAGE));
  char *above = (char *)0x00fffffffffff000;
  err("mlock above all memory", mlock(above, 8));
  err("munlock above all memory", munlock(above, 8));
  err("munlock over a hole", munlock(base + 2 * PAGE, 4 * PAGE));
  // BRIEF: where each call costs a hundred times what it costs elsewhere.
  if (!getenv("BRIEF")) {
    base = mmap(0, 140000l * PAGE, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);
    int cuts = 0;
    while (cuts < 70000 && mprotect(base + cuts * 2l * PAGE, PAGE, PROT_READ) == 0) cuts++;
    printf("areas until errno %d: %d\n", errno, cuts > 32000 && cuts < 33000);
    munmap(base, 140000l * PAGE);
  }
  result("more than all memory", mmap(0, 1ul << 44, RW, ANON, -1, 0), 0);
  result("MAP_FIXED beyond the limit keeps what was there", ({
           char *old = mmap(0, PAGE, RW, ANON, -1, 0);
           old[0] = 'k';
           mmap(old, 1ul << 44, RW, ANON | MAP_FIXED, -1, 0);
           old[0] == 'k' ? old : MAP_FAILED;
         }), 0);
  return 0;
}
