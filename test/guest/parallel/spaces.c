// Processes that have different bytes at the same address, change their mappings, and take turns on CPUs: none may ever see another's.
#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
enum { PAGE = 4096, PAGES = 64, CHILDREN = 4 };

static __attribute__((noinline)) int bytes_differ(const unsigned char *p, size_t n, unsigned char want) {
  for (size_t i = 0; i < n; i++) if (p[i] != want) return 1;
  return 0;
}

static __attribute__((noinline)) int words_differ(const uint64_t *p, size_t n, uint64_t want) {
  for (size_t i = 0; i < n; i++) if (p[i] != want) return 1;
  return 0;
}

/// The same on the stack, which is at the same place in all of them, by accesses off its pointer.
static __attribute__((noinline)) int stack_differs(unsigned depth, uint64_t want) {
  volatile uint64_t a = want + depth, b = want * 3 + depth, c = want * 5 + depth;
  if (depth % 16 == 0) sched_yield();
  int bad = depth > 0 && stack_differs(depth - 1, want);
  return bad || a != want + depth || b != want * 3 + depth || c != want * 5 + depth;
}

static int child(unsigned number, int seconds) {
  int prot = PROT_READ | PROT_WRITE, flags = MAP_PRIVATE | MAP_ANONYMOUS;
  unsigned char *area = mmap((void *)0x500000000, PAGES * PAGE, prot, flags | MAP_FIXED, -1, 0);
  time_t end = time(0) + seconds;
  for (unsigned round = 1; time(0) < end; round++) {
    unsigned char want = (unsigned char)(round * CHILDREN + number);
    memset(area, want, PAGES * PAGE);
    for (int i = 0; i < 40; i++) {
      unsigned char *page = area + (i * 29 + round) % (PAGES - 1) * PAGE;
      if (bytes_differ(page, 900, want)) return 1;
      if (words_differ((uint64_t *)page, 500, want * 0x0101010101010101u)) return 1;
      unsigned char *other = mmap(0, 2 * PAGE, prot, flags, -1, 0);
      *(volatile unsigned char *)other = 1;
      mprotect(other, PAGE, PROT_READ);
      munmap(other, 2 * PAGE);
      if (i % 8 == 0) sched_yield();
    }
    if (stack_differs(200, want + round)) return 1;
    // What the stack is copied for.
    pid_t pid = fork();
    if (pid == 0) _exit(stack_differs(150, want + round + 1));
    int status = 0;
    if (stack_differs(150, want + round + 2) || waitpid(pid, &status, 0) != pid || status != 0) return 1;
    if (round % 4 == 0) madvise(area, PAGES * PAGE, MADV_DONTNEED);
  }
  return 0;
}

int main(int argc, char **argv) {
  int seconds = argc > 1 ? atoi(argv[1]) : 10, bad = 0, status;
  for (unsigned i = 0; i < CHILDREN; i++) if (fork() == 0) _exit(child(i, seconds));
  for (int i = 0; i < CHILDREN; i++) {
    if (wait(&status) < 0) return 1;
    bad += status != 0;
  }
  printf("children that saw other bytes: %d\n", bad);
  return bad != 0;
}
