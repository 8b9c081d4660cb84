// Loops that run long enough to be translated in a way of their own, and what happens in the middle of them: faults, lost rights, pages that
// move or are copied, signals, changed code.
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 40, WORDS = PAGES * PAGE / 4 };

static sigjmp_buf back;
static volatile uintptr_t fault_at;
static volatile int ticks;

static void on_fault(int sig, siginfo_t *info, void *context) {
  (void)sig, (void)context;
  fault_at = (uintptr_t)info->si_addr;
  siglongjmp(back, 1);
}

static void on_tick(int sig) {
  (void)sig;
  ticks++;
}

/// Many values that live at once, so that the loop uses most registers.
__attribute__((noinline)) static uint32_t mix(const uint32_t *p, size_t n) {
  uint32_t a = 1, b = 2, c = 3, d = 4, e = 5, f = 6, g = 7, h = 8;
  for (size_t i = 0; i < n; i++) {
    uint32_t x = p[i];
    a += x ^ h, b ^= a << 3, c += b >> 5, d ^= c + i;
    if (x & 1) e += d * 7;
    else f ^= e + x;
    g = g * 31 + f, h ^= g >> 9;
  }
  return a ^ b ^ c ^ d ^ e ^ f ^ g ^ h;
}

__attribute__((noinline)) static void fill(volatile uint32_t *p, size_t n, uint32_t x) {
  for (size_t i = 0; i < n; i++) p[i] = x, x = x * 1664525 + 1013904223;
}

/// Strides that leave the page in most rounds.
__attribute__((noinline)) static uint32_t stride(volatile uint32_t *p, size_t n, size_t step) {
  uint32_t sum = 0;
  for (size_t i = 0, at = 0; i < n; i++, at = (at + step) % WORDS) sum = sum * 3 + p[at], p[at] = sum;
  return sum;
}

/// Bases that do not change, and indices that are small: a table that is read and written, and one that is written only where told.
__attribute__((noinline)) static uint64_t tables(volatile uint64_t *hot, const uint8_t *bytes, uint64_t *rare, size_t n, uint64_t x) {
  for (size_t i = 0; i < n; i++) {
    x = x * 6364136223846793005u + i;
    hot[x >> 56] += x;
    if (x & 64) x ^= hot[i & 255] >> 7;
    x += hot[bytes[i & 1023]] ^ hot[3];
    if (rare && i % 1000 == 999) rare[x & 15] ^= x, rare[20]++;
  }
  return x;
}

/// The same until it faults, if it does.
static void tables_until_fault(const char *name, uint64_t *hot, const uint8_t *bytes, uint64_t *rare) {
  fault_at = 0;
  uint64_t x = 0;
  if (sigsetjmp(back, 1) == 0) x = tables(hot, bytes, rare, 20000, 5);
  long hot_at = (long)(fault_at - (uintptr_t)hot), rare_at = (long)(fault_at - (uintptr_t)rare);
  if (!fault_at) printf("%s %016lx\n", name, x);
  else if (rare && rare_at >= 0 && rare_at < PAGE) printf("%s faults at %ld of the rare one\n", name, rare_at);
  else printf("%s faults at %ld\n", name, hot_at);
  fflush(stdout);
}

/// Bases at the edge of what is mapped, in pages that may only be read, that are copied one by one, that go away and come back.
static void table_places(uint8_t *p) {
  const uint8_t *bytes = p + 12 * PAGE;
  for (int i = 0; i < 1024; i++) p[12 * PAGE + i] = (uint8_t)(i * 7);
  for (int i = 0; i < 8 * PAGE; i++) p[i] = (uint8_t)(i >> 3);
  uint64_t *inside = (uint64_t *)(p + 2 * PAGE), *across = (uint64_t *)(p + 3 * PAGE - 1024), *rare = (uint64_t *)(p + 6 * PAGE);
  tables_until_fault("inside", inside, bytes, NULL);
  tables_until_fault("across", across, bytes, rare);
  mprotect(p + 3 * PAGE, PAGE, PROT_READ);
  tables_until_fault("second page readable", across, bytes, rare);
  mprotect(p + 3 * PAGE, PAGE, PROT_NONE);
  tables_until_fault("no second page", across, bytes, rare);
  tables_until_fault("first page", inside, bytes, rare);
  mprotect(p + 3 * PAGE, PAGE, PROT_READ | PROT_WRITE);
  mprotect(p + 6 * PAGE, PAGE, PROT_READ);
  tables_until_fault("rare one readable", across, bytes, rare);
  tables_until_fault("not used", across, bytes, NULL);
  mprotect(p + 6 * PAGE, PAGE, PROT_READ | PROT_WRITE);
  mprotect(p + 11 * PAGE, PAGE, PROT_NONE);
  mprotect(p + 13 * PAGE, PAGE, PROT_NONE);
  tables_until_fault("bytes at the edges", across, bytes, rare);
  tables_until_fault("bytes behind the edge", across, bytes + PAGE - 500, rare);
  for (int i = 0; i < 3; i++) {
    // Which page is copied first decides where the host has them.
    if (fork() == 0) {
      p[(2 + (i & 1)) * PAGE] = 1;
      tables_until_fault("child", across, bytes, rare);
      _exit(0);
    }
    uint64_t mine = tables(across, bytes, rare, 20000, 5);
    wait(NULL);
    printf("parent %016lx %016lx\n", mine, across[7] ^ rare[20]);
    fflush(stdout);
  }
  madvise(p + 3 * PAGE, PAGE, MADV_DONTNEED);
  tables_until_fault("zeroes", across, bytes, rare);
  uint64_t *tagged = (uint64_t *)((uintptr_t)across | (uintptr_t)0x5a << 56);
  tables_until_fault("tagged", tagged, bytes, rare);
}

/// Fills until it faults: how far it came.
static long fill_until_fault(uint32_t *p, uint32_t x) {
  fault_at = 0;
  if (sigsetjmp(back, 1) == 0) {
    fill(p, WORDS, x);
    return -1;
  }
  return (long)(fault_at - (uintptr_t)p);
}

static long sum_until_fault(uint32_t *p) {
  fault_at = 0;
  if (sigsetjmp(back, 1) == 0) {
    printf("sum %08x\n", mix(p, WORDS));
    return -1;
  }
  return (long)(fault_at - (uintptr_t)p);
}

int main(void) {
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, NULL);
  uint32_t *p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  uint8_t *bytes = (uint8_t *)p;

  fill(p, WORDS, 1);
  printf("filled %08x\n", mix(p, WORDS));
  for (size_t step = 1; step < 5000; step = step * 3 + 1) printf("stride %zu %08x\n", step, stride(p, 20000, step));

  for (int page = 3; page < PAGES; page += 11) {
    mprotect(bytes + page * PAGE, PAGE, PROT_READ);
    printf("readable page %d: filled %ld\n", page, fill_until_fault(p, page));
    printf("read all %ld\n", sum_until_fault(p));
    mprotect(bytes + page * PAGE, PAGE, PROT_NONE);
    printf("no page %d: read %ld\n", page, sum_until_fault(p));
    mprotect(bytes + page * PAGE, PAGE, PROT_READ | PROT_WRITE);
    printf("again %ld %08x\n", fill_until_fault(p, page), mix(p, WORDS));
  }

  munmap(bytes + 20 * PAGE, PAGE);
  printf("hole: %ld %ld\n", fill_until_fault(p, 9), sum_until_fault(p));
  mmap(bytes + 20 * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  printf("zeroes in it %08x\n", mix(p, WORDS));
  mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, bytes + 30 * PAGE);
  mmap(p, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  printf("moved %08x\n", mix(p, WORDS));
  madvise(bytes + 8 * PAGE, 4 * PAGE, MADV_DONTNEED);
  printf("dropped %08x\n", mix(p, WORDS));
  fflush(stdout);

  for (int i = 0; i < 3; i++) {
    fill(p, WORDS, i);
    uint32_t before = mix(p, WORDS);
    if (fork() == 0) {
      fill(p, WORDS / 2, 77 + i);
      printf("child %08x\n", mix(p, WORDS));
      fflush(stdout);
      _exit(0);
    }
    fill(p + WORDS / 2, WORDS / 2, 99 + i);
    uint32_t mine = mix(p, WORDS);
    wait(NULL);
    printf("parent %08x %08x %08x\n", before, mine, mix(p, WORDS));
    fflush(stdout);
  }

  uint8_t *places = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  table_places(places);

  struct sigaction tick = {.sa_handler = on_tick};
  sigaction(SIGALRM, &tick, NULL);
  struct itimerval timer = {{0, 2000}, {0, 2000}};
  setitimer(ITIMER_REAL, &timer, NULL);
  uint32_t first = mix(p, WORDS);
  int same = 1;
  while (ticks < 20) same &= mix(p, WORDS) == first;
  uint64_t *table = (uint64_t *)(places + 3 * PAGE - 1024);
  memset(table, 1, 2048);
  uint64_t once = tables(table, bytes, NULL, 50000, 3);
  for (ticks = 0; ticks < 20;) {
    memset(table, 1, 2048);
    same &= tables(table, bytes, NULL, 50000, 3) == once;
  }
  setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 0}}, NULL);
  printf("under signals %s\n", same ? "the same" : "different");

  // Rounds of: sub x0, x0, #1; add x1, x1, #N; cbnz x0, -2; the N changes.
  uint32_t *code = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (uint32_t n = 1; n < 5; n++) {
    const uint32_t words[] = {0xd2800001, 0xd1000400, 0x91000021 | n << 10, 0xb5ffffc0, 0xaa0103e0, 0xd65f03c0};
    memcpy(code, words, sizeof words);
    __builtin___clear_cache((char *)code, (char *)code + sizeof words);
    printf("code %lu\n", ((unsigned long (*)(unsigned long))code)(1000));
  }
  return 0;
}
