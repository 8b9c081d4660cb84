// Long code without branches, made at random: every register in use, arithmetic with and without flags, loads and stores; in some of it one access
// faults, and the handler sees each register as it was there.
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

static uint64_t seed = 88172645463325252;
static uint32_t draw(uint32_t below) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return (uint32_t)(seed >> 20) % below;
}

struct state {
  uint64_t x[29], nzcv;
};

// x29 is the state, x28 a page of numbers, x27 where nothing is mapped.
void run(void *code, struct state *s);
__asm__(".globl run\n"
        "run:\n"
        "stp x29, x30, [sp, #-96]!\n stp x19, x20, [sp, #16]\n stp x21, x22, [sp, #32]\n stp x23, x24, [sp, #48]\n"
        "stp x25, x26, [sp, #64]\n stp x27, x28, [sp, #80]\n mov x29, x1\n mov x30, x0\n"
        "ldr x0, [x29, #232]\n msr nzcv, x0\n"
        "ldp x0, x1, [x29]\n ldp x2, x3, [x29, #16]\n ldp x4, x5, [x29, #32]\n ldp x6, x7, [x29, #48]\n ldp x8, x9, [x29, #64]\n"
        "ldp x10, x11, [x29, #80]\n ldp x12, x13, [x29, #96]\n ldp x14, x15, [x29, #112]\n ldp x16, x17, [x29, #128]\n"
        "ldp x18, x19, [x29, #144]\n ldp x20, x21, [x29, #160]\n ldp x22, x23, [x29, #176]\n ldp x24, x25, [x29, #192]\n"
        "ldp x26, x27, [x29, #208]\n ldr x28, [x29, #224]\n"
        "blr x30\n"
        "stp x0, x1, [x29]\n stp x2, x3, [x29, #16]\n stp x4, x5, [x29, #32]\n stp x6, x7, [x29, #48]\n stp x8, x9, [x29, #64]\n"
        "stp x10, x11, [x29, #80]\n stp x12, x13, [x29, #96]\n stp x14, x15, [x29, #112]\n stp x16, x17, [x29, #128]\n"
        "stp x18, x19, [x29, #144]\n stp x20, x21, [x29, #160]\n stp x22, x23, [x29, #176]\n stp x24, x25, [x29, #192]\n"
        "stp x26, x27, [x29, #208]\n str x28, [x29, #224]\n mrs x0, nzcv\n str x0, [x29, #232]\n"
        "ldp x19, x20, [sp, #16]\n ldp x21, x22, [sp, #32]\n ldp x23, x24, [sp, #48]\n ldp x25, x26, [sp, #64]\n"
        "ldp x27, x28, [sp, #80]\n ldp x29, x30, [sp], #96\n ret\n");

static uint32_t *code;
static uint64_t *page, *nowhere;
static sigjmp_buf back;
static struct state fault;
static uint64_t fault_at;

static void on_fault(int sig, siginfo_t *info, void *context) {
  (void)sig, (void)info;
  mcontext_t *m = &((ucontext_t *)context)->uc_mcontext;
  memcpy(fault.x, m->regs, sizeof fault.x);
  fault.nzcv = m->pstate & 0xf0000000;
  fault_at = (m->pc - (uint64_t)code) / 4;
  siglongjmp(back, 1);
}

// Few registers for a while, then others.
static uint32_t base, width;
static uint32_t reg(void) { return (base + draw(width)) % 27; }

static uint32_t instruction(void) {
  const uint32_t d = reg(), n = reg() << 5, m = reg() << 16, wide = draw(2) << 31;
  switch (draw(16)) {
    case 0: return 0x0b000000 | wide | m | n | d; // add
    case 1: return 0x4a000000 | wide | m | n | d; // eor
    case 2: return 0x0a000000 | wide | m | n | d; // and
    case 3: return 0x2a200000 | wide | m | n | d; // orn
    case 4: return 0x4b000000 | wide | m | n | d | draw(31) << 10; // sub, lsl
    case 5: return 0x93c00000 | m | n | d | draw(64) << 10; // extr
    case 6: return 0x1b000000 | wide | m | n | d | reg() << 10; // madd
    case 7: return 0x52800000 | wide | draw(65536) << 5 | d; // movz
    case 8: return 0x72a00000 | wide | draw(65536) << 5 | d; // movk, lsl 16
    case 9: return 0x2b000000 | wide | m | n | d; // adds
    case 10: return 0x6b000000 | wide | m | n | d; // subs
    case 11: return 0x1a800000 | wide | m | n | d | draw(14) << 12; // csel
    case 12: return 0x1a000000 | wide | m | n | d; // adc
    case 13: return 0xf9400000 | 28 << 5 | d | draw(256) << 10; // ldr from the page
    case 14: return 0xf9000000 | 28 << 5 | d | draw(256) << 10; // str to it
    default: return 0xa9400000 | 28 << 5 | d | (d + 1) % 27 << 10 | draw(32) << 15; // ldp
  }
}

static uint64_t hash = 14695981039346656037u;
static void mix(uint64_t value) { hash = (hash ^ value) * 1099511628211u; }

int main(void) {
  struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_NODEFER};
  sigaction(SIGSEGV, &sa, NULL);
  code = mmap(NULL, 65536, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  nowhere = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  volatile unsigned faults = 0;
  for (volatile int round = 0; round < 400; round++) {
    const uint32_t length = 20 + draw(300), first = draw(1000);
    const uint32_t bad = round % 3 == 0 ? draw(length) : length;
    uint32_t *at = code + first;
    for (uint32_t i = 0; i < length; i++) {
      if (i % 40 == 0) base = draw(27), width = 3 + draw(24);
      // In a page that vanished, loaded or stored.
      at[i] = i == bad ? 0xf9000000 | draw(2) << 22 | 27 << 5 | reg() : instruction();
    }
    at[length] = 0xd65f03c0;
    __builtin___clear_cache((char *)at, (char *)(at + length + 1));
    struct state s;
    for (int i = 0; i < 27; i++) s.x[i] = seed * (2 * i + 1);
    s.x[27] = (uint64_t)nowhere;
    s.x[28] = (uint64_t)page;
    s.nzcv = (uint64_t)draw(16) << 28;
    for (int i = 0; i < 512; i++) page[i] = seed + i;
    for (volatile int again = 0; again < 3; again++) {
      if (sigsetjmp(back, 0) == 0) {
        run(at, &s);
        for (int i = 0; i < 27; i++) mix(s.x[i]);
        mix(s.nzcv);
      } else {
        faults++;
        for (int i = 0; i < 27; i++) mix(fault.x[i]);
        mix(fault.nzcv);
        mix(fault_at - first);
      }
      for (int i = 0; i < 512; i++) mix(page[i]);
    }
    if (round % 100 == 99) printf("%d %016llx\n", round, (unsigned long long)hash);
  }
  printf("faults %u\n", faults);
  return 0;
}
