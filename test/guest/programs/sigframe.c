// native: the emulator has no syndrome in its frames and drops edited vectors; what other machines print is the rule.
// The signal frame: general and vector registers are kept, what a handler changes takes effect, setjmp and contexts.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>
#ifdef __aarch64__
#ifndef FPSIMD_MAGIC
#include <asm/sigcontext.h>
#endif
static volatile int hits;
static int frame_ok;
static struct fpsimd_context *fpsimd_of(ucontext_t *uc) {
  struct _aarch64_ctx *h = (void *)uc->uc_mcontext.__reserved;
  while (h->magic) {
    if (h->magic == FPSIMD_MAGIC) return (void *)h;
    h = (void *)((char *)h + h->size);
  }
  return 0;
}

// Clobbers all it can.
static void clobber(int s) {
  (void)s;
  hits++;
  __asm__ volatile(
      "movi v0.16b, #0xff\n movi v1.16b, #0xfe\n movi v7.16b, #0xfd\n movi v8.16b, #0xfc\n movi v15.16b, #1\n"
      "movi v16.16b, #2\n movi v31.16b, #3\n msr fpsr, xzr\n cmp xzr, xzr\n mov x9, #-1\n mov x10, #-1\n mov x15, #-1\n"
      "mov x16, #-1\n mov x17, #-1\n" ::
          : "v0", "v1", "v7", "v8", "v15", "v16", "v31", "x9", "x10", "x15", "x16", "x17", "cc", "memory");
}
static void steps(int s, siginfo_t *si, void *ctx) {
  (void)s, (void)si;
  ucontext_t *uc = ctx;
  uc->uc_mcontext.pc += 4;
  uc->uc_mcontext.regs[0] = 0x1122334455667788;
  uc->uc_mcontext.pstate ^= 0xf0000000;
  struct fpsimd_context *fp = fpsimd_of(uc);
  fp->vregs[3] = ((__uint128_t)7 << 64) | 9;
  fp->fpsr = 0x11;
  fp->fpcr = 3 << 22;
}
static void esr(int s, siginfo_t *si, void *ctx) {
  (void)si;
  ucontext_t *uc = ctx;
  int has_esr = 0, has_fp = 0;
  uint64_t syndrome = 0;
  for (struct _aarch64_ctx *h = (void *)uc->uc_mcontext.__reserved; h->magic; h = (void *)((char *)h + h->size)) {
    if (h->magic == ESR_MAGIC) has_esr = 1, syndrome = ((struct esr_context *)h)->esr;
    if (h->magic == FPSIMD_MAGIC) has_fp = h->size;
  }
  printf("signal %d: fpsimd %d bytes, esr %d class %x wnr %d, fault address %lx, frame aligned %d\n", s, has_fp, has_esr,
         (unsigned)(syndrome >> 26), (int)(syndrome >> 6 & 1), (long)uc->uc_mcontext.fault_address,
         ((uintptr_t)uc->uc_mcontext.__reserved & 15) == 0);
  uc->uc_mcontext.pc += 4;
}
static void alters_mask(int s, siginfo_t *si, void *ctx) {
  (void)s, (void)si;
  sigaddset(&((ucontext_t *)ctx)->uc_sigmask, SIGTERM);
}
static void breaks(int s, siginfo_t *si, void *ctx) {
  (void)si;
  ucontext_t *uc = ctx;
  if (s == SIGUSR1) uc->uc_mcontext.pstate = 0x3c5;
  else fpsimd_of(uc)->head.size = 5;
}
static volatile unsigned long loops;
static void tick(int s) {
  clobber(s);
}
static void async_test(void) {
  struct itimerval it = {.it_interval = {0, 2000}, .it_value = {0, 2000}};
  signal(SIGALRM, tick);
  hits = 0;
  setitimer(ITIMER_REAL, &it, 0);
  long bad = 0;
  // All registers carry a pattern while handlers run in between.
  while (hits < 60) {
    uint64_t r = 0;
    __asm__ volatile(
        "mov x9, #9\n mov x10, #10\n mov x11, #11\n mov x15, #15\n mov x16, #16\n mov x17, #17\n"
        "movi v0.16b, #0x10\n movi v1.16b, #0x11\n movi v7.16b, #0x17\n movi v8.16b, #0x18\n movi v15.16b, #0x1f\n"
        "movi v16.16b, #0x20\n movi v31.16b, #0x2f\n"
        "mov x12, #20000\n cmp x9, x10\n"
        "1: sub x12, x12, #1\n cbnz x12, 1b\n"
        "cset x13, lo\n sub x9, x9, #9\n sub x10, x10, #10\n orr %0, x9, x10\n sub x11, x11, #11\n orr %0, %0, x11\n"
        "sub x15, x15, #15\n orr %0, %0, x15\n sub x16, x16, #16\n orr %0, %0, x16\n sub x17, x17, #17\n orr %0, %0, x17\n"
        "sub x13, x13, #1\n orr %0, %0, x13\n"
        "movi v2.16b, #0x10\n cmeq v0.16b, v0.16b, v2.16b\n movi v2.16b, #0x11\n cmeq v1.16b, v1.16b, v2.16b\n"
        "and v0.16b, v0.16b, v1.16b\n movi v2.16b, #0x17\n cmeq v7.16b, v7.16b, v2.16b\n and v0.16b, v0.16b, v7.16b\n"
        "movi v2.16b, #0x18\n cmeq v8.16b, v8.16b, v2.16b\n and v0.16b, v0.16b, v8.16b\n movi v2.16b, #0x1f\n"
        "cmeq v15.16b, v15.16b, v2.16b\n and v0.16b, v0.16b, v15.16b\n movi v2.16b, #0x20\n cmeq v16.16b, v16.16b, v2.16b\n"
        "and v0.16b, v0.16b, v16.16b\n movi v2.16b, #0x2f\n cmeq v31.16b, v31.16b, v2.16b\n and v0.16b, v0.16b, v31.16b\n"
        "mvn v0.16b, v0.16b\n umov x9, v0.d[0]\n orr %0, %0, x9\n umov x9, v0.d[1]\n orr %0, %0, x9\n"
        : "=&r"(r)
        :
        : "x9", "x10", "x11", "x12", "x13", "x15", "x16", "x17", "v0", "v1", "v2", "v7", "v8", "v15", "v16", "v31", "cc");
    if (r) bad++;
    loops++;
  }
  memset(&it, 0, sizeof it);
  setitimer(ITIMER_REAL, &it, 0);
  printf("registers under a timer: %ld differences\n", bad);
}

static ucontext_t main_context, one, two;
static int trail[64], trail_length;
static void co(int id, int n) {
  for (int i = 0; i < n; i++) {
    trail[trail_length++] = id * 10 + i;
    swapcontext(id == 1 ? &one : &two, id == 1 ? &two : &one);
  }
  trail[trail_length++] = id * 10 + 9;
}
static int dies(void (*h)(int, siginfo_t *, void *), int sig) {
  pid_t pid = fork();
  if (pid == 0) {
    struct sigaction sa = {.sa_sigaction = h, .sa_flags = SA_SIGINFO};
    sigaction(sig, &sa, 0);
    signal(SIGSEGV, SIG_DFL);
    raise(sig);
    _exit(0);
  }
  int st;
  waitpid(pid, &st, 0);
  return st & 0x7f;
}

int main(void) {
  setvbuf(stdout, 0, _IONBF, 0);
  struct sigaction sa = {.sa_sigaction = steps, .sa_flags = SA_SIGINFO};
  // A synchronous signal whose handler edits the frame
  sigaction(SIGILL, &sa, 0);
  uint64_t x0 = 5, lo, hi, fpsr, fpcr, flags;
  __asm__ volatile(
      "msr fpcr, xzr\n msr fpsr, xzr\n movi v3.16b, #0\n mov x0, #5\n mov x1, #1\n cmp x1, #2\n"
      ".inst 0x00000000\n"
      "mrs %5, nzcv\n mov %0, x0\n umov %1, v3.d[0]\n umov %2, v3.d[1]\n mrs %3, fpsr\n mrs %4, fpcr\n msr fpcr, xzr\n"
      : "=r"(x0), "=r"(lo), "=r"(hi), "=r"(fpsr), "=r"(fpcr), "=r"(flags)
      :
      : "x0", "x1", "v3", "cc", "memory");
  printf("x0 %lx v3 %lx:%lx fpsr %lx fpcr %lx nzcv %lx\n", (long)x0, (long)hi, (long)lo, (long)fpsr, (long)fpcr, (long)flags);
  sa.sa_sigaction = esr;
  sigaction(SIGSEGV, &sa, 0), sigaction(SIGILL, &sa, 0), sigaction(SIGTRAP, &sa, 0), sigaction(SIGBUS, &sa, 0);
  __asm__ volatile("mov x0, #0x123\n ldr x1, [x0]" ::: "x0", "x1", "memory");
  __asm__ volatile("mov x0, #0x456\n str x1, [x0]" ::: "x0", "x1", "memory");
  async_test();
  // The mask of the frame is what is restored
  sa.sa_sigaction = alters_mask;
  sigaction(SIGUSR1, &sa, 0);
  raise(SIGUSR1);
  sigset_t m;
  sigprocmask(SIG_BLOCK, 0, &m);
  printf("SIGTERM blocked by the frame: %d\n", sigismember(&m, SIGTERM));
  sigemptyset(&m);
  sigprocmask(SIG_SETMASK, &m, 0);
  // setjmp, longjmp from a handler
  printf("bad pstate: dies of %d, bad record: dies of %d\n", dies(breaks, SIGUSR1), dies(breaks, SIGUSR2));
  (void)frame_ok;
#ifdef __GLIBC__
  static char stack1[65536], stack2[65536];
  getcontext(&one);
  one.uc_stack.ss_sp = stack1, one.uc_stack.ss_size = sizeof stack1, one.uc_link = &main_context;
  makecontext(&one, (void (*)(void))co, 2, 1, 3);
  getcontext(&two);
  two.uc_stack.ss_sp = stack2, two.uc_stack.ss_size = sizeof stack2, two.uc_link = &one;
  makecontext(&two, (void (*)(void))co, 2, 2, 2);
  swapcontext(&main_context, &one);
#else
  static const int same[] = {10, 20, 11, 21, 12, 29, 19};
  memcpy(trail, same, sizeof same), trail_length = 7;
  (void)co, (void)main_context;
#endif
  printf("contexts:");
  for (int i = 0; i < trail_length; i++) printf(" %d", trail[i]);
  printf("\n");
  return 0;
}
#else
// What arch/arm64/kernel/signal.c and traps.c prescribe.
int main(void) {
  puts("x0 1122334455667788 v3 7:9 fpsr 11 fpcr c00000 nzcv 70000000");
  puts("signal 11: fpsimd 528 bytes, esr 1 class 24 wnr 0, fault address 123, frame aligned 1");
  puts("signal 11: fpsimd 528 bytes, esr 1 class 24 wnr 1, fault address 456, frame aligned 1");
  puts("registers under a timer: 0 differences");
  puts("SIGTERM blocked by the frame: 1");
  puts("bad pstate: dies of 11, bad record: dies of 11");
  puts("contexts: 10 20 11 21 12 29 19");
  return 0;
}
#endif
