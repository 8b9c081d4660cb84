// A process that has computed long enough for its memory to lie in a mirror (shim/cpu/jit/mirror.zig), and then changes that memory in every way while the same
// code goes on: rights, mappings, copies after a fork, pages of files; addresses with tags, beyond what a mirror shows, and at its end. Two processes that
// compute in turn have it in turn. Each line says whether all was as it should be.
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 64 };
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static sigjmp_buf back;
static volatile uint64_t fault_at;

static void caught(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)context;
  fault_at = (uint64_t)info->si_addr;
  siglongjmp(back, 1);
}

/// Adds up and changes every 8th word, by code that is the same whatever the memory.
__attribute__((noinline)) static uint64_t turn(volatile uint64_t *p, int words) {
  uint64_t sum = 0;
  for (int i = 0; i < words; i += 8) {
    sum = sum * 31 + p[i];
    p[i] = sum ^ (uint64_t)i;
  }
  return sum;
}

__attribute__((noinline)) static uint64_t look(volatile const uint64_t *p, int words) {
  uint64_t sum = 0;
  for (int i = 0; i < words; i += 8) sum = sum * 31 + p[i];
  return sum;
}

/// Some 80 million instructions.
static uint64_t compute(uint64_t *p) {
  uint64_t sum = 0;
  for (int i = 0; i < 1500; i++) sum += turn(p, PAGES * PAGE / 8) + look(p, PAGES * PAGE / 8);
  return sum;
}

static int wrong;
static void expect(int right, const char *what) {
  if (right) return;
  printf("wrong: %s\n", what);
  wrong = 1;
}

static void part(const char *name) {
  printf("%s %s\n", name, wrong ? "wrong" : "right");
  wrong = 0;
}

/// Where an access to the memory faults: its offset; -1: nowhere.
static int64_t faults(volatile uint64_t *p, int writes) {
  fault_at = 0;
  if (sigsetjmp(back, 1) == 0) {
    if (writes) turn(p, PAGES * PAGE / 8); else look(p, PAGES * PAGE / 8);
    return -1;
  }
  return (int64_t)(fault_at - (uint64_t)p);
}

static void rights(uint64_t *p) {
  for (int round = 0; round < 50; round++) {
    int page = round % PAGES;
    char *at = (char *)p + page * PAGE;
    mprotect(at, PAGE, PROT_READ);
    expect(faults(p, 0) == -1, "reading what may be read");
    expect(faults(p, 1) == page * PAGE, "writing what may only be read");
    mprotect(at, PAGE, PROT_NONE);
    expect(faults(p, 0) == page * PAGE, "reading what may not be");
    mprotect(at, PAGE, RW);
    expect(faults(p, 1) == -1, "writing again");
    munmap(at, PAGE);
    expect(faults(p, 0) == page * PAGE, "reading what is gone");
    expect(mmap(at, PAGE, RW, ANON | MAP_FIXED, -1, 0) == at, "mmap");
    expect(*(uint64_t *)at == 0 && faults(p, 1) == -1, "fresh memory");
    madvise(at, PAGE, MADV_DONTNEED);
    expect(*(volatile uint64_t *)at == 0, "memory given back");
  }
  part("rights");
}

static void copies(uint64_t *p) {
  for (int round = 0; round < 20; round++) {
    uint64_t before = look(p, PAGES * PAGE / 8);
    int child = fork();
    if (child == 0) {
      turn(p, PAGES * PAGE / 8);
      // Now and then long enough to be shown its own.
      if (round == 10) compute(p);
      _exit(look(p, PAGES * PAGE / 8) == before);
    }
    if (round % 2 == 0) turn(p, PAGES * PAGE / 8);
    uint64_t mine = look(p, PAGES * PAGE / 8);
    int status = 0;
    waitpid(child, &status, 0);
    expect(status == 0, "the child's copy");
    expect(look(p, PAGES * PAGE / 8) == mine && (mine == before) == (round % 2 != 0), "the parent's memory");
    if (round == 5) compute(p);
  }
  part("copies");
}

static void aliases(uint64_t *p) {
  int fd = memfd_create("hot", 0);
  if (ftruncate(fd, PAGES * PAGE)) exit(1);
  uint64_t *a = mmap(0, PAGES * PAGE, RW, MAP_SHARED, fd, 0), *b = mmap(0, PAGES * PAGE, RW, MAP_SHARED, fd, 0);
  for (int round = 0; round < 50; round++) {
    turn(a, PAGES * PAGE / 8);
    expect(look(a, PAGES * PAGE / 8) == look(b, PAGES * PAGE / 8), "one file at two places");
    // Pages in another order.
    mmap((char *)b + round % PAGES * PAGE, PAGE, RW, MAP_SHARED | MAP_FIXED, fd, (PAGES - 1 - round % PAGES) * PAGE);
    expect(b[round % PAGES * PAGE / 8] == a[(PAGES - 1 - round % PAGES) * PAGE / 8], "another page");
    mmap((char *)b + round % PAGES * PAGE, PAGE, RW, MAP_SHARED | MAP_FIXED, fd, round % PAGES * PAGE);
  }
  uint64_t *moved = mremap(a, PAGES * PAGE, PAGES * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, (char *)p + (16 << 20));
  expect(moved != MAP_FAILED && faults(a, 0) == 0, "where it was");
  expect(look(moved, PAGES * PAGE / 8) == look(b, PAGES * PAGE / 8), "where it is");
  munmap(moved, PAGES * PAGE);
  munmap(b, PAGES * PAGE);
  close(fd);
  part("aliases");
}

/// Far up, with tags, over the ends of pages.
static void places(void) {
  uint64_t sums[5];
  uint64_t where[5] = {1ull << 36, (1ull << 39) + (1ull << 33), (1ull << 43) - PAGES * PAGE, 1ull << 43, 1ull << 46};
  for (int i = 0; i < 5; i++) {
    uint64_t *p = mmap((void *)where[i], PAGES * PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0);
    expect((uint64_t)p == where[i], "the place");
    for (int round = 0; round < 3; round++) sums[i] = turn(p, PAGES * PAGE / 8);
    uint64_t *tagged = (uint64_t *)(where[i] | 0x5aull << 56);
    sums[i] += turn(tagged, PAGES * PAGE / 8) + look(p, PAGES * PAGE / 8);
    uint64_t *odd = (uint64_t *)((char *)p + 1 + PAGE - 4);
    sums[i] += turn(odd, PAGE / 2) + look(tagged, PAGES * PAGE / 8);
    expect(sums[i] == sums[0], "the same sums everywhere");
    expect(faults(p + PAGE / 8, 0) == (PAGES - 1) * PAGE, "the end");
    munmap(p, PAGES * PAGE);
    expect(faults(p, 1) == 0, "what is gone");
  }
  for (int bit = 39; bit < 64; bit++) {
    volatile uint64_t *wild = (uint64_t *)(1ull << bit);
    expect(faults(wild, bit % 2) != -1, "a wild address");
  }
  part("places");
}

static uint64_t shared_sum;
static volatile int go;

static void *thread(void *argument) {
  uint64_t *p = argument;
  while (!go) {}
  uint64_t sum = compute(p);
  __atomic_fetch_add(&shared_sum, sum, __ATOMIC_RELAXED);
  return 0;
}

/// Threads compute in memory of their own while the first one changes what lies between.
static void threads(uint64_t *p) {
  pthread_t t[3];
  uint64_t *area = mmap(0, 7 * PAGES * PAGE, RW, ANON, -1, 0), expected = 0;
  for (int i = 0; i < 3; i++) {
    memset((char *)p, 1, PAGES * PAGE);
    memset((char *)area + (2 * i + 1) * PAGES * PAGE, 1, PAGES * PAGE);
    expected += compute(p);
    pthread_create(&t[i], 0, thread, (char *)area + (2 * i + 1) * PAGES * PAGE);
  }
  go = 1;
  for (int round = 0; round < 300; round++) {
    char *between = (char *)area + 2 * (round % 4) * PAGES * PAGE;
    turn((uint64_t *)between, PAGES * PAGE / 8);
    if (round % 3 == 0) mprotect(between, PAGES * PAGE, PROT_READ), mprotect(between, PAGES * PAGE, RW);
    else if (round % 3 == 1) madvise(between, PAGES * PAGE, MADV_DONTNEED);
    else mmap(between, PAGES * PAGE, RW, ANON | MAP_FIXED, -1, 0);
  }
  for (int i = 0; i < 3; i++) pthread_join(t[i], 0);
  expect(shared_sum == expected, "the threads' sums");
  part("threads");
}

/// Two processes on one CPU, both hot, with different memory at the same place.
static void turns(uint64_t *p) {
  memset(p, 3, PAGES * PAGE);
  uint64_t expected = 0;
  int child[2];
  for (int i = 0; i < 2; i++) {
    child[i] = fork();
    if (child[i] != 0) continue;
    memset(p, i + 1, PAGES * PAGE);
    uint64_t sum = 0, again = 0;
    for (int k = 0; k < 3; k++) sum += compute(p);
    memset(p, i + 1, PAGES * PAGE);
    for (int k = 0; k < 3; k++) again += compute(p);
    _exit(sum != again);
  }
  expected = look(p, PAGES * PAGE / 8);
  for (int i = 0; i < 2; i++) {
    int status = 0;
    waitpid(child[i], &status, 0);
    expect(status == 0, "a child's sums");
  }
  expect(look(p, PAGES * PAGE / 8) == expected, "the parent's memory");
  part("turns");
}

int main(void) {
  setvbuf(stdout, 0, _IONBF, 0);
  struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, 0);
  uint64_t *p = mmap(0, PAGES * PAGE, RW, ANON, -1, 0);
  compute(p);
  rights(p);
  copies(p);
  aliases(p);
  places();
  threads(p);
  turns(p);
  return 0;
}
