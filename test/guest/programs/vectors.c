// Vector registers, FPCR and FPSR are a task's own: across calls, other tasks' turns, fork, signal handlers and what handlers change in the frame.
#include "say.h"
#include <pthread.h>
#include <sched.h>
#include <sys/auxv.h>
#include <ucontext.h>

struct state {
  uint64_t fpcr, fpsr, v[64];
};
#ifndef HWCAP_SVE
#define HWCAP_SVE (1 << 22)
#endif
enum { ROUND_UP = 1 << 22, SATURATED = 1 << 27 };

static void fill(struct state *s, uint64_t seed) {
  for (int i = 0; i < 64; i++) s->v[i] = seed * 0x100000001 + (uint64_t)i * 0x0101010101010101;
  s->fpcr = seed % 2 ? ROUND_UP : 0;
  s->fpsr = seed % 3 ? SATURATED : 0;
}
static int same(const struct state *a, const struct state *b) { return memcmp(a, b, sizeof *a) == 0; }

#define P(op, n, m, at, base) #op " q" #n ", q" #m ", [" base ", #16+" #at "]\n"
#define ALL(op, base)                                                                                                             \
  P(op, 0, 1, 0, base) P(op, 2, 3, 32, base) P(op, 4, 5, 64, base) P(op, 6, 7, 96, base) P(op, 8, 9, 128, base)                   \
  P(op, 10, 11, 160, base) P(op, 12, 13, 192, base) P(op, 14, 15, 224, base) P(op, 16, 17, 256, base) P(op, 18, 19, 288, base)    \
  P(op, 20, 21, 320, base) P(op, 22, 23, 352, base) P(op, 24, 25, 384, base) P(op, 26, 27, 416, base) P(op, 28, 29, 448, base)    \
  P(op, 30, 31, 480, base)

// One call with all of these registers set, and what they are behind it.
__attribute__((noinline)) static long around(long nr, long a, long b, const struct state *in, struct state *out) {
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = 0;
  register long x3 __asm__("x3") = 0;
  register long x4 __asm__("x4") = 0;
  register long x8 __asm__("x8") = nr;
  register const void *x9 __asm__("x9") = in;
  register void *x10 __asm__("x10") = out;
  __asm__ volatile("ldp x11, x12, [x9]\n msr fpcr, x11\n msr fpsr, x12\n" ALL(ldp, "x9") "svc #0\n" ALL(stp, "x10")
                   "mrs x11, fpcr\n mrs x12, fpsr\n stp x11, x12, [x10]\n msr fpcr, xzr\n"
                   : "+r"(x0)
                   : "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x8), "r"(x9), "r"(x10)
                   : "x11", "x12", "memory", "cc", "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14",
                     "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31");
  return x0;
}

// 1 when `times` calls of this kind leave everything as it was.
static int kept(long nr, long a, uint64_t seed, int times) {
  struct state in, out;
  int good = 1;
  for (int i = 0; i < times; i++) {
    fill(&in, seed + i), memset(&out, 0, sizeof out);
    around(nr, a, 0, &in, &out);
    good &= same(&in, &out);
  }
  return good;
}

static struct state seen, wanted;
static void handler(int signo, siginfo_t *info, void *context) {
  (void)info;
  struct fpsimd_context *fp = (void *)((ucontext_t *)context)->uc_mcontext.__reserved;
  memcpy(seen.v, fp->vregs, 512);
  seen.fpcr = fp->fpcr, seen.fpsr = fp->fpsr;
  // Others in the meantime, here and in a child.
  kept(SYS_getppid, 0, 77, 3);
  if (signo == SIGUSR2) {
    memcpy(fp->vregs, wanted.v, 512);
    fp->fpcr = wanted.fpcr, fp->fpsr = wanted.fpsr;
  }
}

static void signals(void) {
  struct sigaction sa = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
  sigaction(SIGUSR1, &sa, 0), sigaction(SIGUSR2, &sa, 0);
  struct state in, out;
  int shown = 1, restored = 1, changed = 1;
  for (int i = 0; i < 20; i++) {
    fill(&in, 1000 + i), fill(&wanted, 2000 + i);
    around(SYS_kill, getpid(), SIGUSR1, &in, &out);
    shown &= same(&in, &seen), restored &= same(&in, &out);
    around(SYS_kill, getpid(), SIGUSR2, &in, &out);
    // Of a frame with an SVE record the emulator that makes the record of this program restores only that.
    shown &= same(&in, &seen), changed &= same(&wanted, &out) || (getauxval(AT_HWCAP) & HWCAP_SVE) != 0;
  }
  printf("signals: shown %d restored %d changed %d\n", shown, restored, changed);
}

static void forks(void) {
  int parents = 1, children = 1;
  for (int i = 0; i < 10; i++) {
    struct state in, out;
    fill(&in, 3000 + i);
    long pid = around(SYS_clone, SIGCHLD, 0, &in, &out);
    if (pid == 0) _exit(same(&in, &out) && kept(SYS_getppid, 0, 9, 5) ? 0 : 1);
    parents &= same(&in, &out) & kept(SYS_sched_yield, 0, 4000, 5);
    int st = -1;
    waitpid(pid, &st, 0);
    children &= st == 0;
  }
  printf("fork: parent %d child %d\n", parents, children);
}

static pthread_barrier_t barrier;
static void *yields(void *arg) {
  pthread_barrier_wait(&barrier);
  return (void *)(intptr_t)kept(SYS_sched_yield, 0, 5000 + 1000 * (intptr_t)arg, 300);
}
// Computes without a call for a while, so that turns end in the middle.
static void *computes(void *arg) {
  pthread_barrier_wait(&barrier);
  double x = (double)(intptr_t)arg, sum = 0;
  for (int i = 0; i < 2000000; i++) sum += x * 0.5;
  return (void *)(intptr_t)(sum == x * 1000000);
}
static void threads(void) {
  pthread_t t[5];
  pthread_barrier_init(&barrier, 0, 5);
  for (int i = 0; i < 5; i++) pthread_create(&t[i], 0, i < 3 ? yields : computes, (void *)(intptr_t)i);
  printf("threads:");
  for (int i = 0; i < 5; i++) {
    void *good;
    pthread_join(t[i], &good);
    printf(" %d", (int)(intptr_t)good);
  }
  printf("\n");
}

int main(void) {
  setvbuf(stdout, 0, _IONBF, 0);
  printf("getppid: %d\n", kept(SYS_getppid, 0, 1, 50));
  printf("getuid: %d\n", kept(SYS_getuid, 0, 100, 50));
  printf("bad call: %d\n", kept(9999, 0, 200, 50));
  signals();
  forks();
  threads();
  return 0;
}
