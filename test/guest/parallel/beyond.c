// Memory where a translator may not think that memory is: beyond what it maps for itself, reached off registers of which it knows something; and
// accesses that become other instructions. Nothing but what the program has mapped may be read. The program knows what has to happen.
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

static sigjmp_buf home;
static volatile int caught;
static uint64_t caught_at;
static void on_fault(int sig, siginfo_t *info, void *context) {
  (void)context;
  caught = sig;
  caught_at = (uint64_t)info->si_addr;
  siglongjmp(home, 1);
}

static unsigned errors;
static void wrong(const char *where, int at, uint64_t value) {
  if (errors++ < 10) printf("%s at %d: %llx\n", where, at, (unsigned long long)value);
}

/// Accesses off one register, at it, further on, and by a small index.
uint64_t twice(uint8_t *at, uint64_t index);
__asm__(".text\n.p2align 2\ntwice: ldr x2, [x0]\n add x0, x0, #255, lsl #12\n ldr x3, [x0]\n and x1, x1, #0xff\n ldr x4, [x0, x1, lsl #3]\n eor x0, x2, x3\n eor x0, x0, x4\n ret\n");

/// Moves the stack pointer further where no access follows but behind the branch.
uint64_t fall(uint64_t rounds, uint64_t sp);
__asm__(".text\n.p2align 2\nfall: mov x9, sp\n mov sp, x1\n 1: subs x0, x0, #1\n b.eq 2f\n sub sp, sp, #0xf0, lsl #12\n b 1b\n ldr x3, [sp]\n b 1b\n"
        "2: ldr x2, [sp]\n mov sp, x9\n add x0, x2, #1\n ret\n");

/// An access that is another instruction now, which says nothing of it: either is done, and nothing else.
uint64_t turned(uint32_t *place, uint32_t word, uint64_t *from, uint64_t sp);
__asm__(".text\n.p2align 2\nturned: mov x9, sp\n mov x4, #-1\n str w1, [x0]\n ldr x4, [x2]\n ldr x5, [sp]\n mov sp, x9\n mov x0, x4\n ret\nturned_end:\n");
extern char turned_end[];

/// A store that is not held by the monitor accesses nothing, and says nothing of where the register points. Once, and in a loop that goes there in a late round.
uint64_t unheld(uint64_t *at);
__asm__(".text\n.p2align 2\nunheld: clrex\n stxr w1, x2, [x0]\n ldr x0, [x0]\n ret\n");
uint64_t unheld_later(uint64_t *at, uint64_t *good);
__asm__(".text\n.p2align 2\nunheld_later: mov x4, #1000\n clrex\n 1: cmp x4, #2\n csel x12, x0, x1, eq\n stxr w2, x3, [x12]\n ldr x5, [x12]\n"
        " subs x4, x4, #1\n b.ne 1b\n mov x0, x5\n ret\n");

static const uint64_t end = 1ull << 43;

static void try_fall(uint64_t rounds, uint64_t to) {
  caught = 0;
  uint64_t got = 0;
  if (sigsetjmp(home, 1) == 0) got = fall(rounds + 1, to + rounds * 0xf0000);
  if (!caught) wrong("fall", (int)rounds, got);
  else if (caught_at != to) wrong("fall elsewhere", (int)rounds, caught_at);
}

static void far_up(void) {
  for (uint64_t i = 0; i < 200; i++) {
    uint64_t at = end + (i << 28) + (i % 3 == 2 ? i << 36 : 0);
    uint8_t *p = mmap((void *)at, 2 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (p == MAP_FAILED) return wrong("mmap", (int)i, at);
    uint64_t sum = (i + 1) ^ (i * 77777) ^ (i == 0 ? i * 77777 : 0x123456789 * i);
    *(uint64_t *)p = i + 1;
    *(uint64_t *)(p + (255 << 12)) = i * 77777;
    if (i != 0) *(uint64_t *)(p + (255 << 12) + 8 * i) = 0x123456789 * i;
    for (int n = 0; n < 100; n++) {
      caught = 0;
      uint64_t got = 0;
      if (sigsetjmp(home, 1) == 0) got = twice(n % 2 ? p : (uint8_t *)((uint64_t)p | (uint64_t)n << 56), i);
      if (caught) wrong("far up faulted", (int)i, caught_at);
      else if (got != sum) wrong("far up", (int)i, got);
    }
    munmap(p, 2 << 20);
  }
}

static void try_unheld(void) {
  uint64_t good = 7;
  for (int i = 0; i < 300; i++)
    if (unheld(&good) != 7) wrong("unheld", i, 0);
  for (uint64_t i = 0; i < 100; i++) {
    uint64_t to = i % 2 ? end + (i << 30) : -((i + 1) << 30);
    for (int later = 0; later < 2; later++) {
      caught = 0;
      uint64_t got = 0;
      if (sigsetjmp(home, 1) == 0) got = later ? unheld_later((uint64_t *)to, &good) : unheld((uint64_t *)to);
      if (!caught) wrong("unheld", (int)i, got);
      else if (caught_at != (to & ~(0xffull << 56)) && caught_at != to) wrong("unheld elsewhere", (int)i, caught_at);
    }
  }
}

static void try_turned(void) {
  uint32_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memcpy(code, (void *)turned, (size_t)(turned_end - (char *)turned));
  __builtin___clear_cache((char *)code, (char *)code + 64);
  uint64_t (*call)(uint32_t *, uint32_t, uint64_t *, uint64_t) = (void *)code;
  for (uint64_t i = 0; i < 300; i++) {
    // At last: mov sp, x3
    uint32_t word = i < 200 ? code[3] : 0x9100007f;
    uint64_t v = i, sp = -(1ull << 30) + 4096 * i;
    caught = 0;
    if (sigsetjmp(home, 1) == 0 && call(code + 3, word, &v, sp) != i) wrong("turned", (int)i, 0);
    if (caught && (i < 200 || caught_at != sp)) wrong("turned elsewhere", (int)i, caught_at);
  }
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  sigaltstack(&(stack_t){.ss_sp = malloc(64 << 10), .ss_size = 64 << 10}, NULL);
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
  far_up();
  printf("far up %s\n", errors ? "wrong" : "right");
  for (uint64_t i = 0; i < 100; i++) try_fall(4000 + i, -(1ull << 30) + 4096 * i);
  printf("far down %s\n", errors ? "wrong" : "right");
  try_unheld();
  printf("unheld %s\n", errors ? "wrong" : "right");
  try_turned();
  printf("turned %s\n", errors ? "wrong" : "right");
  return errors != 0;
}
