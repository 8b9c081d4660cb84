// native: the emulator keeps no page cache of its own.
// Mappings of files: seen by read and write and by other processes, holes, the end of the file, truncation, msync, COW,
// code that a program writes, memfds mapped twice, process_vm_readv(2), system calls that fault.
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
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
static sigjmp_buf env;
static volatile int sig, code;
static volatile int *page;
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
static void err(const char *what, long r) {
  if (r == -1) printf("%s: errno %d\n", what, errno);
  else printf("%s: %ld\n", what, r);
}
static int temp(void) {
  char name[] = "/tmp/carrick-map-XXXXXX";
  int fd = mkstemp(name);
  unlink(name);
  return fd;
}
static void put(int fd, const char *s, off_t at) {
  if (pwrite(fd, s, strlen(s), at) != (ssize_t)strlen(s)) printf("pwrite failed\n");
}
static const char *get(int fd, off_t at, int n) {
  static char b[64];
  memset(b, 0, sizeof b);
  ssize_t r = pread(fd, b, n, at);
  for (ssize_t i = 0; i < r; i++)
    if (!b[i]) b[i] = '.';
  return b;
}
static void files(int fd, const char *kind) {
  printf("-- %s\n", kind);
  put(fd, "hello", 0);
  put(fd, "tail", 2 * PAGE);
  char *s = mmap(0, 4 * PAGE, RW, MAP_SHARED, fd, 0), *p = mmap(0, 4 * PAGE, RW, MAP_PRIVATE, fd, 0);
  char *again = mmap(0, PAGE, PROT_READ, MAP_SHARED, fd, 2 * PAGE);
  printf("hole reads %d, rest of the last page %d\n", s[PAGE], s[2 * PAGE + 100]);
  put(fd, "J", 0);
  printf("write seen: shared %.5s private %.5s\n", s, p);
  s[1] = 'E';
  printf("store seen: read %s private %.5s\n", get(fd, 0, 5), p);
  p[0] = 'P';
  put(fd, "KK", 0);
  printf("private page copied: %.5s, shared %.5s\n", p, s);
  s[PAGE] = 'h';
  printf("hole filled: %s\n", get(fd, PAGE, 2));
  again = again == MAP_FAILED ? 0 : again;
  s[2 * PAGE] = 'T';
  printf("second mapping: %.4s\n", again);
  printf("beyond the end: %s, private %s\n", touch(s + 3 * PAGE, 0), touch(p + 3 * PAGE, 1));
  s[2 * PAGE + 50] = 'x';
  if (ftruncate(fd, 4 * PAGE)) return;
  printf("grown: %s, byte behind the old end %d\n", touch(s + 3 * PAGE, 1), s[2 * PAGE + 50]);
  p[PAGE] = 'c';
  if (ftruncate(fd, PAGE / 2)) return;
  printf("truncated: first %s second %s private copy %s\n", touch(s, 0), touch(s + PAGE, 0), touch(p + PAGE, 0));
  printf("zero behind the end: %d\n", s[PAGE / 2 + 1]);
  s[PAGE / 2 + 1] = 'q';
  if (ftruncate(fd, 2 * PAGE)) return;
  printf("after growing again: %d %d\n", s[PAGE / 2 + 1] == 'q', s[PAGE]);
  struct stat st;
  fstat(fd, &st);
  printf("size %ld\n", (long)st.st_size);
  // Other processes
  pid_t pid = fork();
  if (pid == 0) {
    s[10] = 'C';
    p[0] = 'D';
    put(fd, "W", 11);
    _exit(p[0] == 'D' && s[10] == 'C' ? 0 : 1);
  }
  int status;
  waitpid(pid, &status, 0);
  printf("child %x: shared %c%c private %c\n", status, s[10], s[11], p[0]);
  err("msync", msync(s, 4 * PAGE, MS_SYNC));
  err("msync bad flags", msync(s, PAGE, MS_SYNC | MS_ASYNC));
  err("msync misaligned", msync(s + 1, PAGE, MS_SYNC));
  // The mapping outlives the descriptor
  int other = dup(fd);
  close(fd);
  s[20] = 'o';
  printf("after close: %s\n", get(other, 20, 1));
  munmap(s, 4 * PAGE);
  printf("after munmap: %s\n", get(other, 10, 2));
  // read(2) into a mapping of the same file, write(2) from it
  s = mmap(0, 2 * PAGE, RW, MAP_SHARED, other, 0);
  lseek(other, 0, SEEK_SET);
  put(other, "0123456789", 0);
  err("read into its own mapping", pread(other, s + 100, 10, 0));
  err("write from its own mapping", pwrite(other, s + 100, 10, 200));
  printf("%.10s %s\n", s + 100, get(other, 200, 10));
  err("append from its own mapping beyond the end", pwrite(other, s, 2 * PAGE, 2 * PAGE));
  close(other);
}
static void faults_in_calls(void) {
  printf("-- calls that fault\n");
  int fd = temp(), pp[2];
  if (pipe(pp)) return;
  put(fd, "abc", 0);
  char *m = mmap(0, 2 * PAGE, RW, MAP_SHARED, fd, 0), *ro = mmap(0, PAGE, PROT_READ, ANON, -1, 0);
  err("write of a page beyond the end", write(pp[1], m + PAGE, 10));
  err("read into a page beyond the end", (write(pp[1], "0123456789", 10), read(pp[0], m + PAGE, 10)));
  err("it is still there", read(pp[0], m, 10));
  (void)!write(pp[1], "0123456789", 10);
  err("read into read-only memory", read(pp[0], ro, 10));
  err("read into PROT_NONE", (mprotect(ro, PAGE, PROT_NONE), read(pp[0], ro, 10)));
  err("write from PROT_NONE", write(pp[1], ro, 10));
  char *edge = (char *)mmap(0, 2 * PAGE, RW, ANON, -1, 0) + PAGE - 4;
  munmap(edge + 4, PAGE);
  err("read across the end of memory", read(pp[0], edge, 10));
  err("write across the end of memory", write(pp[1], edge, 10));
  err("pread across the end of memory", pread(fd, edge, 3, 0));
  struct iovec v[2] = {{edge, 4}, {(void *)8, 4}};
  err("writev with a bad second part", writev(pp[1], v, 2));
  err("fstat into nowhere", syscall(SYS_fstat, fd, (void *)8));
}
static void processes(void) {
  printf("-- other processes' memory\n");
  char secret[32] = "parent's bytes", buf[64];
  char *area = mmap(0, 3 * PAGE, RW, ANON, -1, 0);
  munmap(area + PAGE, PAGE);
  pid_t parent = getpid();
  (void)parent;
  int pp[2], qq[2];
  if (pipe(pp) || pipe(qq)) return;
  pid_t pid = fork();
  if (pid == 0) {
    strcpy(secret, "child's bytes");
    strcpy(area, "one");
    (void)!write(pp[1], "x", 1);
    (void)!read(qq[0], buf, 1);
    _exit(strcmp(secret, "changed"));
  }
  (void)!read(pp[0], buf, 1);
  struct iovec l[2] = {{buf, 5}, {buf + 10, 20}}, r[2] = {{secret, 3}, {secret + 3, 20}};
  memset(buf, 0, sizeof buf);
  err("readv", process_vm_readv(pid, l, 2, r, 2, 0));
  printf("%s|%s\n", buf, buf + 10);
  struct iovec bad[2] = {{area, 4}, {area + PAGE, 4}};
  err("readv partly unmapped", process_vm_readv(pid, l, 2, bad, 2, 0));
  bad[0].iov_base = area + PAGE;
  err("readv unmapped", process_vm_readv(pid, l, 1, bad, 1, 0));
  err("readv flags", process_vm_readv(pid, l, 1, r, 1, 1));
  err("readv of nobody", process_vm_readv(4000000, l, 1, r, 1, 0));
  strcpy(buf, "changed");
  l[0].iov_len = 8, r[0].iov_len = 8;
  err("writev", process_vm_writev(pid, l, 1, r, 1, 0));
  r[0].iov_base = (void *)touch, r[0].iov_len = 8;
  err("writev to code", process_vm_writev(pid, l, 1, r, 1, 0));
  (void)!write(qq[1], "x", 1);
  int st;
  waitpid(pid, &st, 0);
  printf("child saw it: %x\n", st);
}
static void isolation(void) {
  printf("-- copy on write\n");
  int *a = mmap(0, 64 * PAGE, RW, ANON, -1, 0);
  int *sh = mmap(0, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  for (int i = 0; i < 64; i++) a[i * 1024] = i;
  // A chain of children, each changes other pages.
  for (int g = 0; g < 6; g++) {
    pid_t pid = fork();
    if (pid) {
      int st;
      waitpid(pid, &st, 0);
      if (g) _exit(WEXITSTATUS(st));
      break;
    }
    for (int i = g; i < 64; i += 6) a[i * 1024] += 1000;
    sh[g] = 1;
    if (g == 5) {
      int bad = 0;
      for (int i = 0; i < 64; i++) bad += a[i * 1024] != i + 1000;
      _exit(bad);
    }
  }
  int bad = 0;
  for (int i = 0; i < 64; i++) bad += a[i * 1024] != i;
  printf("parent's pages changed: %d, generations %d\n", bad, sh[0] + sh[1] + sh[2] + sh[3] + sh[4] + sh[5]);
  // Pages that only the parent writes after the fork
  int pp[2];
  char c;
  if (pipe(pp)) return;
  pid_t pid = fork();
  if (pid == 0) {
    if (read(pp[0], &c, 1) != 1) _exit(99);
    bad = 0;
    for (int i = 0; i < 64; i++) bad += a[i * 1024] != i;
    _exit(bad);
  }
  for (int i = 0; i < 64; i++) a[i * 1024] = -1;
  (void)!write(pp[1], "x", 1);
  int st;
  waitpid(pid, &st, 0);
  printf("child's view: %x\n", st);
  // read(2) into a shared page must not reach the other side
  a[0] = 7;
  pid = fork();
  if (pid == 0) {
    int z = open("/dev/zero", O_RDONLY);
    if (read(z, a, 64 * PAGE) != 64 * PAGE) _exit(1);
    _exit(a[0]);
  }
  waitpid(pid, &st, 0);
  printf("read into copied pages: child %x parent %d\n", st, a[0]);
  err("wipe", madvise(a, PAGE, MADV_WIPEONFORK));
  err("dontfork", madvise(a + 1024, PAGE, MADV_DONTFORK));
  pid = fork();
  if (pid == 0) {
    int z = a[0];
    printf("wiped: %d, not there: %s\n", z, touch((char *)(a + 1024), 0));
    _exit(0);
  }
  waitpid(pid, &st, 0);
}
static void written_code(void) {
  printf("-- code\n");
#ifdef __aarch64__
  static const unsigned ret[] = {0x52800000, 0xd65f03c0};  // mov w0, #n; ret
#define CODE(p, n) (((unsigned *)(p))[0] = ret[0] | (n) << 5, ((unsigned *)(p))[1] = ret[1], __builtin___clear_cache((char *)(p), (char *)(p) + 8))
#else
#define CODE(p, n) (((unsigned char *)(p))[0] = 0xb8, *(int *)((char *)(p) + 1) = (n), ((unsigned char *)(p))[5] = 0xc3)
#endif
  typedef int fn(void);
  char *p = mmap(0, 2 * PAGE, RW, ANON, -1, 0);
  CODE(p, 1);
  mprotect(p, PAGE, PROT_READ | PROT_EXEC);
  printf("mprotect: %d", ((fn *)p)());
  mprotect(p, PAGE, RW);
  CODE(p, 2);
  mprotect(p, PAGE, PROT_READ | PROT_EXEC);
  printf(" %d\n", ((fn *)p)());
  char *x = mmap(0, PAGE, RW | PROT_EXEC, ANON, -1, 0);
  int sum = 0;
  for (int i = 0; i < 1000; i++) {
    CODE(x + (i % 4) * 16, i);
    sum += ((fn *)(x + (i % 4) * 16))();
  }
  printf("writable and executable: %d\n", sum);
  int m = memfd_create("jit", 0);
  if (ftruncate(m, PAGE)) return;
  char *w = mmap(0, PAGE, RW, MAP_SHARED, m, 0), *e = mmap(0, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, m, 0);
  sum = 0;
  for (int i = 0; i < 1000; i++) {
    CODE(w, i);
#ifdef __aarch64__
    __builtin___clear_cache(e, e + 8);
#endif
    sum += ((fn *)e)();
  }
  printf("mapped twice: %d\n", sum);
  // Code that write(2) puts there
  CODE(x, 5);
  (void)!pwrite(m, x, 16, 64);
  printf("written by a call: %d\n", ((fn *)(e + 64))());
  CODE(x, 6);
  (void)!pwrite(m, x, 16, 64);
  __builtin___clear_cache(e + 64, e + 80);
  printf("and again: %d\n", ((fn *)(e + 64))());
  // A child's own copy
  CODE(x, 7);
  int first = ((fn *)x)();
  pid_t pid = fork();
  if (pid == 0) {
    CODE(x, 8);
    _exit(((fn *)x)());
  }
  int st;
  waitpid(pid, &st, 0);
  printf("before %d, child %d, parent %d\n", first, WEXITSTATUS(st), ((fn *)x)());
  munmap(x, PAGE);
  char *y = mmap(x, PAGE, RW | PROT_EXEC, ANON | MAP_FIXED, -1, 0);
  CODE(y, 9);
  printf("mapped anew: %d\n", ((fn *)y)());
  y = mremap(y, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + PAGE);
  printf("moved: %d\n", ((fn *)y)());
  madvise(y, PAGE, MADV_DONTNEED);
  CODE(y, 10);
  printf("after DONTNEED: %d\n", ((fn *)y)());
}

int main(void) {
  setvbuf(stdout, 0, _IONBF, 0);
  struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &sa, 0), sigaction(SIGBUS, &sa, 0);
  files(temp(), "a file");
  files(memfd_create("m", 0), "a memfd");
  faults_in_calls();
  processes();
  isolation();
  written_code();
  // Advice
  char *p = mmap(0, 4 * PAGE, RW, ANON, -1, 0);
  static const int advice[] = {0, 1, 2, 3, 4, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 99, -1};
  printf("advice:");
  for (unsigned i = 0; i < sizeof advice / sizeof *advice; i++) {
    p[0] = 'a';
    int r = madvise(p, PAGE, advice[i]);
    printf(" %d:%d%s", advice[i], r ? errno : 0, p[0] ? "" : "z");
  }
  printf("\n");
  err("advice over a hole", (munmap(p + PAGE, PAGE), madvise(p, 3 * PAGE, MADV_NORMAL)));
  err("advice misaligned", syscall(SYS_madvise, p + 1, PAGE, MADV_NORMAL));
  err("advice length 0", madvise(p, 0, MADV_DONTNEED));
  unsigned char vec[8];
  p = mmap(0, 4 * PAGE, RW, ANON, -1, 0);
  err("mincore misaligned", mincore(p + 1, PAGE, vec));
  err("mincore unmapped", mincore((void *)0x10000, PAGE, vec));
  err("mincore bad vector", mincore(p, PAGE, (void *)8));
  err("userfaultfd flags", syscall(SYS_userfaultfd, 0x10) == -1 ? 0 : 1);
  return 0;
}
