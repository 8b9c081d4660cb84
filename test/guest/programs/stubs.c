// Jumps of stubs, as linkers write them for functions of libraries: to one place for long, to another one after that, to two in turn, to code
// that was replaced, to nowhere.
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE = 4096 };

typedef long Function(long);
void *slots[4];
long stub16(long), stub17(long);
__asm__(".text\n.balign 16\n"
        ".globl stub17\n.type stub17, %function\n"
        "stub17: adrp x16, slots\nadd x16, x16, :lo12:slots\nldr x17, [x16]\nbr x17\n"
        ".globl stub16\n.type stub16, %function\n"
        "stub16: adrp x16, slots\nadd x16, x16, :lo12:slots\nldr x16, [x16, #8]\nbr x16\n");

__attribute__((noinline)) static long one(long x) { return x + 1; }
__attribute__((noinline)) static long two(long x) { return x * 2 + 1; }
__attribute__((noinline)) static long three(long x) { return x ^ 0x55; }
static Function *const all[] = {one, two, three};

static void go(Function *stub, int slot, const char *name) {
  uint64_t sum = 0;
  for (int i = 0; i < 60; i++) {
    slots[slot] = all[i / 20];
    sum = sum * 31 + (uint64_t)stub(i);
  }
  printf("%s, for long: %016llx\n", name, (unsigned long long)sum);
  for (int i = 0; i < 100; i++) {
    slots[slot] = all[i % 3];
    sum = sum * 31 + (uint64_t)stub(i);
  }
  printf("%s, in turn: %016llx\n", name, (unsigned long long)sum);
}

// A page of code: mov x0, #value; ret.
static void fill(uint32_t *page, uint32_t value) {
  page[0] = 0xd2800000 | value << 5;
  page[1] = 0xd65f03c0;
  __builtin___clear_cache((char *)page, (char *)(page + 2));
}

static void replaced(void) {
  int all_of = PROT_READ | PROT_WRITE | PROT_EXEC;
  uint32_t *page = mmap(NULL, PAGE, all_of, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  slots[0] = page;
  for (uint32_t value = 1; value < 6; value++) {
    fill(page, value);
    long sum = 0;
    for (int i = 0; i < 10; i++) sum += stub17(0);
    printf("written: %ld\n", sum);
  }
  for (uint32_t value = 11; value < 14; value++) {
    if (mmap(page, PAGE, all_of, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != page) return;
    fill(page, value);
    long sum = 0;
    for (int i = 0; i < 10; i++) sum += stub17(0);
    printf("mapped: %ld\n", sum);
  }
}

static sigjmp_buf back;
static void *fault;

static void caught(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)context;
  fault = info->si_addr;
  siglongjmp(back, 1);
}

static void nowhere(void) {
  struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, NULL);
  void *const wild[] = {NULL, (void *)0x10000, (void *)8};
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < 3; i++) {
      for (int n = 0; n < 5; n++) {
        slots[0] = slots[1] = all[n % 2];
        stub17(n), stub16(n);
        slots[0] = slots[1] = wild[i];
        fault = (void *)1;
        if (sigsetjmp(back, 1) == 0) round == 1 ? stub16(0) : stub17(0);
        if (fault != wild[i]) printf("fault at %p instead of %p\n", fault, wild[i]);
      }
    }
  }
  puts("nowhere");
}

int main(void) {
  go(stub17, 0, "x17");
  go(stub16, 1, "x16");
  replaced();
  nowhere();
  return 0;
}
