// What ARM guarantees about the order of accesses, and that atomics are atomic, between threads and between processes.
// Each order is tried many times over; what the architecture forbids must never be seen.
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define CELLS 256
#define CHUNKS 60
#define THREADS 8
#define TIMES 4001

typedef struct {
  volatile uint32_t x, y;
} __attribute__((aligned(64))) Cell;

static Cell cells[CELLS];
static uint8_t seen[4][CELLS][2];
static atomic_uint arrived, phase;

static inline void store(volatile uint32_t *p, uint32_t v) { __asm__ volatile("str %w1, %0" : "=m"(*p) : "r"(v)); }
static inline uint32_t load(volatile uint32_t *p) {
  uint32_t v;
  __asm__ volatile("ldr %w0, %1" : "=r"(v) : "m"(*p));
  return v;
}
static inline void release(volatile uint32_t *p, uint32_t v) {
  __asm__ volatile("stlr %w1, %0" : "=Q"(*p) : "r"(v) : "memory");
}
static inline uint32_t acquire(volatile uint32_t *p) {
  uint32_t v;
  __asm__ volatile("ldar %w0, %1" : "=r"(v) : "Q"(*p) : "memory");
  return v;
}
static inline void dmb(void) { __asm__ volatile("dmb ish" ::: "memory"); }
static inline void dmbld(void) { __asm__ volatile("dmb ishld" ::: "memory"); }
static inline void dmbst(void) { __asm__ volatile("dmb ishst" ::: "memory"); }

/* All threads of a test meet; they spin a little so that they leave together. */
static void meet(unsigned n) {
  unsigned now = atomic_load(&phase);
  if (atomic_fetch_add(&arrived, 1) + 1 == n) {
    atomic_store(&arrived, 0);
    atomic_fetch_add(&phase, 1);
    return;
  }
  for (unsigned spins = 0; atomic_load(&phase) == now; spins++)
    if (spins > 100000) sched_yield();
}

typedef void Act(int thread, Cell *c, uint8_t *out);
typedef int Forbidden(int i);
static struct Test {
  const char *name;
  unsigned threads;
  Act *act;
  Forbidden *forbidden;
} *test;
static int bad;

static void *runner(void *a) {
  int me = (int)(intptr_t)a;
  for (int chunk = 0; chunk < CHUNKS; chunk++) {
    if (me == 0) memset(cells, 0, sizeof cells);
    meet(test->threads);
    for (int i = 0; i < CELLS; i++) test->act(me, &cells[i], seen[me][i]);
    meet(test->threads);
    if (me == 0)
      for (int i = 0; i < CELLS; i++) bad += test->forbidden(i);
  }
  return 0;
}

static void mp_release(int t, Cell *c, uint8_t *out) {
  if (t == 0) {
    store(&c->x, 1);
    release(&c->y, 1);
  } else {
    out[0] = acquire(&c->y);
    out[1] = load(&c->x);
  }
}
static void mp_barriers(int t, Cell *c, uint8_t *out) {
  if (t == 0) {
    store(&c->x, 1);
    dmbst();
    store(&c->y, 1);
  } else {
    out[0] = load(&c->y);
    dmbld();
    out[1] = load(&c->x);
  }
}
static int mp_forbidden(int i) { return seen[1][i][0] == 1 && seen[1][i][1] == 0; }
static void sb_barriers(int t, Cell *c, uint8_t *out) {
  store(t ? &c->y : &c->x, 1);
  dmb();
  out[0] = load(t ? &c->x : &c->y);
}
static void sb_plain(int t, Cell *c, uint8_t *out) {
  store(t ? &c->y : &c->x, 1);
  out[0] = load(t ? &c->x : &c->y);
}
static void sb_release(int t, Cell *c, uint8_t *out) {
  release(t ? &c->y : &c->x, 1);
  out[0] = acquire(t ? &c->x : &c->y);
}
static void sb_swap(int t, Cell *c, uint8_t *out) {
  atomic_exchange((_Atomic uint32_t *)(t ? &c->y : &c->x), 1);
  out[0] = acquire(t ? &c->x : &c->y);
}
static int sb_forbidden(int i) { return seen[0][i][0] == 0 && seen[1][i][0] == 0; }
static void lb(int t, Cell *c, uint8_t *out) {
  out[0] = acquire(t ? &c->y : &c->x);
  release(t ? &c->x : &c->y, 1);
}
static int lb_forbidden(int i) { return seen[0][i][0] == 1 && seen[1][i][0] == 1; }
static void iriw(int t, Cell *c, uint8_t *out) {
  if (t == 0) release(&c->x, 1);
  if (t == 1) release(&c->y, 1);
  if (t == 2) out[0] = acquire(&c->x), out[1] = acquire(&c->y);
  if (t == 3) out[0] = acquire(&c->y), out[1] = acquire(&c->x);
}
static int iriw_forbidden(int i) {
  return seen[2][i][0] == 1 && seen[2][i][1] == 0 && seen[3][i][0] == 1 && seen[3][i][1] == 0;
}

static struct Test tests[] = {
    {"message passing, release and acquire", 2, mp_release, mp_forbidden},
    {"message passing, barriers", 2, mp_barriers, mp_forbidden},
    {"store buffering", 2, sb_plain, sb_forbidden},
    {"store buffering, barriers", 2, sb_barriers, sb_forbidden},
    {"store buffering, release and acquire", 2, sb_release, sb_forbidden},
    {"store buffering, exchange", 2, sb_swap, sb_forbidden},
    {"load buffering", 2, lb, lb_forbidden},
    {"independent reads of independent writes", 4, iriw, iriw_forbidden},
};

/* Counters that every thread and process adds to. */
typedef struct {
  uint64_t pair[2], lse_pair[2];
  uint64_t exclusive64, lse64, cas64, swapped, maximum, toggled, lowest;
  uint32_t exclusive32, lse32, lock, guarded, taken;
  uint16_t exclusive16, lse16;
  uint8_t exclusive8, lse8;
  pthread_mutex_t mutex;
  uint64_t by_mutex;
} __attribute__((aligned(64))) Shared;
static Shared *shared;

#define EXCLUSIVE(p, type, suffix, w)                                                                               \
  do {                                                                                                              \
    uint64_t v;                                                                                                     \
    uint32_t failed;                                                                                                \
    __asm__ volatile("1: ldxr" suffix " %" w "0, %2\n add %0, %0, #1\n stxr" suffix " %w1, %" w "0, %2\n cbnz %w1, 1b" \
                     : "=&r"(v), "=&r"(failed), "+Q"(*(p))::"memory");                                              \
  } while (0)
#define LSE(op, p, value, w) __asm__ volatile(".arch armv8-a+lse\n " op " %" w "1, %" w "0, %2" : "=&r"(old) : "r"((uint64_t)(value)), "Q"(*(p)) : "memory")

static void pair_exclusive(uint64_t *p) {
  uint64_t a, b;
  uint32_t failed;
  __asm__ volatile("1: ldaxp %0, %1, %3\n add %0, %0, #1\n add %1, %1, #2\n stlxp %w2, %0, %1, %3\n cbnz %w2, 1b"
                   : "=&r"(a), "=&r"(b), "=&r"(failed), "+Q"(*(uint64_t(*)[2])p)::"memory");
}
static void pair_lse(uint64_t *p) {
  register uint64_t a __asm__("x0"), b __asm__("x1"), na __asm__("x2"), nb __asm__("x3"), ta, tb;
  a = ((volatile uint64_t *)p)[0], b = ((volatile uint64_t *)p)[1];
  do {
    ta = a, tb = b;
    na = a + 1, nb = b + 2;
    __asm__ volatile(".arch armv8-a+lse\n caspal x0, x1, x2, x3, [%2]" : "+r"(a), "+r"(b) : "r"(p), "r"(na), "r"(nb) : "memory");
  } while (a != ta || b != tb);
}

static void add(int me) {
  uint64_t old, token = me + 1;
  for (uint64_t i = 0; i < TIMES; i++) {
    EXCLUSIVE(&shared->exclusive64, uint64_t, "", "");
    EXCLUSIVE(&shared->exclusive32, uint32_t, "", "w");
    EXCLUSIVE(&shared->exclusive16, uint16_t, "h", "w");
    EXCLUSIVE(&shared->exclusive8, uint8_t, "b", "w");
    LSE("ldaddal", &shared->lse64, 1, "");
    LSE("ldadd", &shared->lse32, 1, "w");
    LSE("ldaddah", &shared->lse16, 1, "w");
    LSE("ldaddlb", &shared->lse8, 1, "w");
    LSE("ldeoral", &shared->toggled, 1ull << me, "");
    LSE("ldumaxal", &shared->maximum, i * 8 + me, "");
    LSE("ldsminal", &shared->lowest, -(int64_t)(i * 8 + me), "");
    LSE("swpal", &shared->swapped, token, "");
    token = old;
    uint64_t expected = ((volatile Shared *)shared)->cas64;
    while (!__atomic_compare_exchange_n(&shared->cas64, &expected, expected + 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {}
    pair_exclusive(shared->pair);
    pair_lse(shared->lse_pair);
    uint32_t taken;
    for (;;) {
      LSE("swpa", &shared->lock, 1, "w");
      if ((uint32_t)old == 0) break;
      __asm__ volatile("yield");
    }
    taken = shared->guarded;
    shared->guarded = taken + 1;
    __atomic_store_n(&shared->lock, 0, __ATOMIC_RELEASE);
    if (i % 8 == 0) {
      pthread_mutex_lock(&shared->mutex);
      shared->by_mutex++;
      pthread_mutex_unlock(&shared->mutex);
    }
  }
  LSE("ldaddal", &shared->taken, token, "w");
}
static void *adder(void *a) {
  add((int)(intptr_t)a);
  return 0;
}

static void reset(void) {
  memset(shared, 0, sizeof *shared);
  pthread_mutexattr_t attr;
  pthread_mutexattr_init(&attr);
  pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
  pthread_mutex_init(&shared->mutex, &attr);
}
static void report(const char *what) {
  Shared *s = shared;
  printf("%s: exclusive %lu %u %u %u, lse %lu %u %u %u\n", what, s->exclusive64, s->exclusive32, s->exclusive16, s->exclusive8,
         s->lse64, s->lse32, s->lse16, s->lse8);
  printf("  compare %lu, pairs %lu %lu, %lu %lu, toggled %lx, maximum %lu, lowest %ld\n", s->cas64, s->pair[0], s->pair[1],
         s->lse_pair[0], s->lse_pair[1], s->toggled, s->maximum, (int64_t)s->lowest);
  printf("  tokens %lu, lock %u, mutex %lu\n", s->taken + s->swapped, s->guarded, s->by_mutex);
}

int main(void) {
  setvbuf(stdout, 0, _IONBF, 0);
  for (unsigned k = 0; k < sizeof tests / sizeof *tests; k++) {
    pthread_t t[4];
    test = &tests[k];
    bad = 0;
    for (unsigned i = 0; i < test->threads; i++) pthread_create(&t[i], 0, runner, (void *)(intptr_t)i);
    for (unsigned i = 0; i < test->threads; i++) pthread_join(t[i], 0);
    if (test->act == sb_plain)
      fprintf(stderr, "seen without barriers: %d\n", bad);
    else
      printf("%s: %s\n", test->name, bad == 0 ? "kept" : "BROKEN");
  }
  shared = mmap(0, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  reset();
  pthread_t t[THREADS];
  for (int i = 0; i < THREADS; i++) pthread_create(&t[i], 0, adder, (void *)(intptr_t)i);
  for (int i = 0; i < THREADS; i++) pthread_join(t[i], 0);
  report("threads");
  reset();
  for (int i = 0; i < THREADS; i++)
    if (fork() == 0) {
      add(i);
      _exit(0);
    }
  for (int i = 0; i < THREADS; i++) wait(0);
  report("processes");
  return 0;
}
