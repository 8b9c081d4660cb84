// Accesses outside of loops, by functions that are called for each of them, and off a stack: what happens when pages lose rights, move, or are
// copied between two calls, and when the stack is another one or ends.
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 40, WORDS = PAGES * PAGE / 4, DEEP = 300 };

static sigjmp_buf back;
static volatile uintptr_t fault_at;

static void on_fault(int sig, siginfo_t *info, void *context) {
  (void)sig, (void)context;
  fault_at = (uintptr_t)info->si_addr;
  siglongjmp(back, 1);
}

__attribute__((noinline)) static uint32_t get(const volatile uint32_t *p) { return *p; }
__attribute__((noinline)) static void set(volatile uint32_t *p, uint32_t x) { *p = x; }
__attribute__((noinline)) static uint64_t get_at(const volatile uint64_t *p, size_t i) { return p[i]; }
/// Two accesses off one register, 40 bytes apart.
__attribute__((noinline)) static uint64_t both(const volatile uint64_t *p) { return p[0] * 3 + p[5]; }

__attribute__((noinline)) static uint32_t sum(const uint32_t *p, size_t n) {
  uint32_t x = 1;
  for (size_t i = 0; i < n; i++) x = x * 31 + get(p + i);
  return x;
}

__attribute__((noinline)) static void fill(uint32_t *p, size_t n, uint32_t x) {
  for (size_t i = 0; i < n; i++) set(p + i, x), x = x * 1664525 + 1013904223;
}

/// The same of words that are not aligned, and lie in two pages now and then.
__attribute__((noinline)) static uint64_t odd(const uint8_t *p, size_t n) {
  uint64_t x = 1;
  for (size_t i = 0; i < n; i++) x = x * 31 + get_at((const uint64_t *)(p + 3), i) + both((const uint64_t *)(p + 8 * i + 5));
  return x;
}

static long fill_until_fault(uint32_t *p, uint32_t x) {
  fault_at = 0;
  if (sigsetjmp(back, 1) == 0) {
    fill(p, WORDS, x);
    return -1;
  }
  return (long)(fault_at - (uintptr_t)p);
}

static long sum_until_fault(const uint32_t *p) {
  fault_at = 0;
  if (sigsetjmp(back, 1) == 0) {
    printf("sum %08x\n", sum(p, WORDS));
    return -1;
  }
  return (long)(fault_at - (uintptr_t)p);
}

static long odd_until_fault(const uint32_t *p) {
  fault_at = 0;
  if (sigsetjmp(back, 1) == 0) {
    printf("odd %016lx\n", (unsigned long)odd((const uint8_t *)p, WORDS / 2 - 8));
    return -1;
  }
  return (long)(fault_at - (uintptr_t)p);
}

/// Uses 100 bytes of stack and more in each round, and what it kept there afterwards.
__attribute__((noinline)) static uint32_t dive(uint32_t depth, uint32_t x) {
  volatile uint32_t kept[25];
  for (int i = 0; i < 25; i++) kept[i] = x + i;
  uint32_t below = depth == 0 ? 1 : dive(depth - 1, x * 5 + 1);
  return below * 31 + kept[depth % 25] + x;
}

static uint32_t result, wanted_depth;
static void on_stack(void) { result = dive(wanted_depth, 7); }

/// Calls f with another stack pointer.
__attribute__((noinline)) static void call_on(uint8_t *top, void (*f)(void)) {
  register uint8_t *to __asm__("x20") = top;
  register void (*function)(void) __asm__("x21") = f;
  __asm__ volatile("mov x19, sp\n mov sp, x20\n blr x21\n mov sp, x19" : "+r"(to), "+r"(function)
    : : "memory", "cc", "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17", "x19", "x30");
}

/// `dive` on a stack of its own. How far above its start it faults; -1: it does not.
static long dive_on(uint8_t *stack, uint32_t depth) {
  fault_at = 0;
  if (sigsetjmp(back, 1) != 0) return (long)(fault_at - (uintptr_t)stack) / PAGE;
  wanted_depth = depth;
  call_on(stack + PAGES * PAGE, on_stack);
  return -1;
}

static void *fresh(void *where) {
  return mmap(where, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | (where ? MAP_FIXED : 0), -1, 0);
}

static void rights(uint32_t *p) {
  uint8_t *bytes = (uint8_t *)p;
  for (int page = 3; page < PAGES; page += 11) {
    mprotect(bytes + page * PAGE, PAGE, PROT_READ);
    printf("readable page %d: filled %ld\n", page, fill_until_fault(p, page));
    printf("read all %ld %ld\n", sum_until_fault(p), odd_until_fault(p));
    mprotect(bytes + page * PAGE, PAGE, PROT_NONE);
    printf("no page %d: read %ld %ld\n", page, sum_until_fault(p), odd_until_fault(p));
    mprotect(bytes + page * PAGE, PAGE, PROT_READ | PROT_WRITE);
    printf("again %ld %08x\n", fill_until_fault(p, page), sum(p, WORDS));
  }
  munmap(bytes + 20 * PAGE, PAGE);
  printf("hole: %ld %ld %ld\n", fill_until_fault(p, 9), sum_until_fault(p), odd_until_fault(p));
  mmap(bytes + 20 * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  printf("zeroes in it %08x\n", sum(p, WORDS));
  mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, bytes + 30 * PAGE);
  mmap(p, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  printf("moved %08x\n", sum(p, WORDS));
  madvise(bytes + 8 * PAGE, 4 * PAGE, MADV_DONTNEED);
  printf("dropped %08x %016lx\n", sum(p, WORDS), (unsigned long)odd(bytes, WORDS / 2 - 8));
  fflush(stdout);
}

static void copies(uint32_t *p) {
  for (int i = 0; i < 3; i++) {
    fill(p, WORDS, i);
    uint32_t before = sum(p, WORDS);
    if (fork() == 0) {
      fill(p, WORDS / 2, 77 + i);
      printf("child %08x %08x\n", sum(p, WORDS), dive(DEEP, i));
      fflush(stdout);
      _exit(0);
    }
    fill(p + WORDS / 2, WORDS / 2, 99 + i);
    uint32_t mine = sum(p, WORDS), deep = dive(DEEP, 50 + i);
    wait(NULL);
    printf("parent %08x %08x %08x %08x\n", before, mine, sum(p, WORDS), deep);
    fflush(stdout);
  }
}

static void stacks(void) {
  uint8_t *stack = fresh(NULL);
  printf("deep %08x\n", dive(DEEP, 1));
  for (int i = 0; i < 3; i++) {
    printf("on another stack %ld %08x\n", dive_on(stack, DEEP), result);
    printf("without end %ld\n", (mprotect(stack, PAGE, PROT_NONE), dive_on(stack, 1000000)));
    mprotect(stack + 20 * PAGE, PAGE, PROT_READ);
    printf("only readable in the middle %ld\n", dive_on(stack, 1000000));
    munmap(stack + 25 * PAGE, PAGE);
    printf("nothing there %ld\n", dive_on(stack, 1000000));
    fresh(stack);
    printf("on the first %08x\n", dive(DEEP, i));
  }
}

int main(void) {
  static uint8_t alternate[16 * PAGE];
  sigaltstack(&(stack_t){.ss_sp = alternate, .ss_size = sizeof alternate}, NULL);
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigaction(SIGSEGV, &action, NULL);
  uint32_t *p = fresh(NULL);
  fill(p, WORDS, 1);
  printf("filled %08x\n", sum(p, WORDS));
  rights(p);
  copies(p);
  stacks();
  return 0;
}
