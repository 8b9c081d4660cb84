// For `carrick doctor`: what the CPU that it runs on does, from the inside. Prints "name value" lines; values are numbers. Nanoseconds are
// the best of several rounds, so that a busy machine changes them little.

#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, ROUNDS = 5, CALLS = 2000, PAGES = 256, CHANGES = 200 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static double best(double (*round)(void)) {
  double least = 1e18;
  for (int i = 0; i < ROUNDS; i += 1) {
    double ns = round();
    if (ns < least) least = ns;
  }
  return least;
}

/** One system call that does next to nothing, and back. */
static double call_round(void) {
  double start = now();
  for (int i = 0; i < CALLS; i += 1) syscall(SYS_getppid);
  return (now() - start) / CALLS;
}

/** The first touch of a page. */
static double fault_round(void) {
  char *area = mmap(0, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (area == MAP_FAILED) return 1e18;
  double start = now();
  for (int i = 0; i < PAGES; i += 1) area[i * PAGE] = 1;
  double ns = (now() - start) / PAGES;
  munmap(area, PAGES * PAGE);
  return ns;
}

/** How often a page was seen that was not there any more. */
static int stale_pages(void) {
  int stale = 0;
  volatile int *page = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (int i = 1; i <= CHANGES; i += 1) {
    int *fresh = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *fresh = i;
    mremap(fresh, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)page);
    if (*page != i) stale += 1;
  }
  return stale;
}

static volatile int denied;
static volatile char *guarded;

static void on_denied(int signal) {
  denied += 1;
  mprotect((void *)guarded, PAGE, PROT_READ | PROT_WRITE);
}

/** How often a page could be written that was read-only by then. */
static int stale_rights(void) {
  int before = denied;
  guarded = mmap(0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  signal(SIGSEGV, on_denied);
  for (int i = 0; i < CHANGES; i += 1) {
    guarded[0] = 1;
    mprotect((void *)guarded, PAGE, PROT_READ);
    guarded[0] = 2;
  }
  return CHANGES - (denied - before);
}

/** How often old instructions ran after new ones had been written and announced as the architecture asks. */
static int stale_code(double *ns) {
  uint32_t *code = mmap(0, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  int stale = 0;
  double start = now();
  for (int i = 0; i < CHANGES; i += 1) {
    code[0] = 0x52800000 | (uint32_t)i << 5;  // mov w0, #i
    code[1] = 0xd65f03c0;                     // ret
    __builtin___clear_cache((char *)code, (char *)(code + 2));
    if (((int (*)(void))code)() != i) stale += 1;
  }
  *ns = (now() - start) / CHANGES;
  return stale;
}

int main(void) {
  uint64_t ctr, hz, dczid;
  double code_ns;
  __asm__("mrs %0, ctr_el0" : "=r"(ctr));
  __asm__("mrs %0, cntfrq_el0" : "=r"(hz));
  __asm__("mrs %0, dczid_el0" : "=r"(dczid));
  printf("call_ns %.0f\n", best(call_round));
  printf("fault_ns %.0f\n", best(fault_round));
  printf("stale_pages %d\n", stale_pages());
  printf("stale_rights %d\n", stale_rights());
  printf("stale_code %d\n", stale_code(&code_ns));
  printf("code_ns %.0f\n", code_ns);
  printf("icache_line %d\n", 4 << (ctr & 15));
  printf("dcache_line %d\n", 4 << (ctr >> 16 & 15));
  printf("idc %d\n", (int)(ctr >> 28 & 1));
  printf("dic %d\n", (int)(ctr >> 29 & 1));
  printf("zero_block %d\n", dczid & 16 ? 0 : 4 << (dczid & 15));
  printf("counter_hz %llu\n", (unsigned long long)hz);
  return 0;
}
