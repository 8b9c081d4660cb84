// fork, exec, exit, mmap, mprotect, madvise, signals and changing code while other threads of the process run: each part says
// what it must never see. The argument is how often, in hundreds; the output does not depend on it.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096
static char *self;
static int times;
static atomic_int stop, complaints;

static void complain(const char *format, ...) {
  if (atomic_fetch_add(&complaints, 1) > 20) return;
  char text[200];
  va_list list;
  va_start(list, format);
  vsnprintf(text, sizeof text, format, list);
  va_end(list);
  printf("%s\n", text);
}
static void *pages(int n, int prot) {
  void *p = mmap(0, n * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) complain("mmap: %d", errno);
  return p;
}
static void pause_a_little(int n) {
  for (volatile int i = 0; i < n; i++) {}
}
/* Runs `work` on this thread while `others` runs on n more, until work is done. */
static void among(int n, void *(*others)(void *), void (*work)(void)) {
  pthread_t t[8];
  atomic_store(&stop, 0);
  for (int i = 0; i < n; i++) pthread_create(&t[i], 0, others, (void *)(intptr_t)i);
  work();
  atomic_store(&stop, 1);
  for (int i = 0; i < n; i++) pthread_join(t[i], 0);
}

/* Code that changes under those who call it: f returns the number of its version. */
static uint32_t *code, *code_writable;
static atomic_uint before_version, after_version;
static void write_version(uint32_t v) {
  atomic_store(&before_version, v);
  code_writable[0] = 0x52800000 | (v & 0xffff) << 5; /* mov w0, #v */
  __builtin___clear_cache((char *)code, (char *)code + 8);
  atomic_store(&after_version, v);
}
static void *call_versions(void *a) {
  while (!atomic_load(&stop)) {
    uint32_t low = atomic_load(&after_version);
    __asm__ volatile("isb" ::: "memory");
    uint32_t got = ((uint32_t(*)(void))code)();
    uint32_t high = atomic_load(&before_version);
    if (got < low || got > high) complain("version %u, not from %u to %u", got, low, high);
  }
  return a;
}
static void change_code(void) {
  for (int i = 1; i < times * 100 && i < 60000; i++) {
    write_version(i);
    if (i % 16 == 0) pause_a_little(2000);
  }
}
static void changing_code(void) {
  code = code_writable = mmap(0, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  code[1] = 0xd65f03c0; /* ret */
  write_version(0);
  among(2, call_versions, change_code);
  munmap(code, PAGE);
  printf("changing code done\n");
}

/* Whole functions that come and go at the same address, called from a page that stays. */
static uint32_t *caller;
static void map_callee(uint32_t v) {
  uint32_t *p = mmap(code, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  p[1] = 0xd65f03c0;
  atomic_store(&before_version, v);
  *(volatile uint32_t *)p = 0x52800000 | (v & 0xffff) << 5;
  __builtin___clear_cache((char *)p, (char *)p + 8);
  atomic_store(&after_version, v);
}
static void *call_through(void *a) {
  while (!atomic_load(&stop)) {
    uint32_t low = atomic_load(&after_version);
    if (atomic_load(&before_version) != low) continue;
    __asm__ volatile("isb" ::: "memory");
    uint32_t got = ((uint32_t(*)(void))caller)();
    uint32_t high = atomic_load(&before_version);
    if (got < low || got > high) complain("callee %u, not from %u to %u", got, low, high);
  }
  return a;
}
static void no_code(int signal, siginfo_t *info, void *context) {
  /* Between the mapping and its code: try again. */
  (void)signal, (void)info, (void)context;
}
static void change_callee(void) {
  for (int i = 1; i < times * 20 && i < 60000; i++) {
    map_callee(i);
    pause_a_little(300);
  }
}
static void changing_mappings(void) {
  struct sigaction action = {.sa_sigaction = no_code, .sa_flags = SA_SIGINFO};
  sigaction(SIGILL, &action, 0);
  caller = mmap(0, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  code = caller + 1024;
  caller[0] = 0x14000000 | 1024; /* b code */
  map_callee(0);
  among(2, call_through, change_callee);
  munmap(caller, 2 * PAGE);
  signal(SIGILL, SIG_DFL);
  printf("changing mappings done\n");
}

/* Data that is replaced: whoever sees the same even generation before and after sees its pattern. */
static volatile uint64_t *data;
static atomic_ulong generation;
static int by_advice;
static void *read_data(void *a) {
  while (!atomic_load(&stop)) {
    uint64_t g = atomic_load(&generation);
    uint64_t first = data[0], last = data[3 * PAGE / 8 + 5];
    atomic_thread_fence(memory_order_seq_cst);
    if (g % 2 != 0 || atomic_load(&generation) != g) continue;
    if (first != g || last != g + 1) complain("generation %lu has %lu and %lu", g, first, last);
  }
  return a;
}
static void replace_data(void) {
  for (int i = 0; i < times * 20; i++) {
    atomic_fetch_add(&generation, 1);
    if (by_advice)
      madvise((void *)data, 4 * PAGE, MADV_DONTNEED);
    else
      mmap((void *)data, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (data[0] != 0 || data[3 * PAGE / 8 + 5] != 0) complain("fresh pages are not zero");
    uint64_t g = atomic_load(&generation) + 1;
    data[0] = g, data[3 * PAGE / 8 + 5] = g + 1;
    atomic_store(&generation, g);
    pause_a_little(200);
  }
}
static void replacing_data(int advice) {
  by_advice = advice;
  data = pages(4, PROT_READ | PROT_WRITE);
  atomic_store(&generation, 0);
  data[0] = 0, data[3 * PAGE / 8 + 5] = 1;
  among(2, read_data, replace_data);
  munmap((void *)data, 4 * PAGE);
  printf(advice ? "discarding done\n" : "replacing done\n");
}

/* Nobody writes to a page after mprotect has taken the right away, from it alone or from so many that a kernel flushes all. */
#define MANY 200
static atomic_ulong refused;
static int extent;
static void on_fault(int signal, siginfo_t *info, void *context) {
  (void)signal, (void)context;
  uint64_t at = (uintptr_t)info->si_addr;
  if (at / PAGE != (uintptr_t)data / PAGE) _exit(99);
  atomic_fetch_add(&refused, 1);
  sched_yield();
}
static void *write_data(void *a) {
  volatile uint64_t *mine = data + 8 * (intptr_t)a;
  while (!atomic_load(&stop)) (*mine)++;
  return a;
}
static void protect_data(void) {
  for (int i = 0; i < times * 10; i++) {
    mprotect((void *)data, extent * PAGE, PROT_READ);
    uint64_t a = data[0], b = data[8];
    pause_a_little(1000);
    if (data[0] != a || data[8] != b) complain("written after mprotect");
    mprotect((void *)data, extent * PAGE, PROT_READ | PROT_WRITE);
    pause_a_little(1000);
  }
}
static void protecting(int n) {
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO}, old;
  sigaction(SIGSEGV, &action, &old);
  extent = n;
  data = pages(n, PROT_READ | PROT_WRITE);
  for (int i = 0; i < n; i++) data[i * PAGE / 8 + 100] = 1;
  among(2, write_data, protect_data);
  munmap((void *)data, n * PAGE);
  sigaction(SIGSEGV, &old, 0);
  printf(n == 1 ? "protecting done\n" : "protecting many done\n");
}

/* A fork is a moment: what is written in order is found in order, and does not change afterwards. */
static void *write_in_order(void *a) {
  while (!atomic_load(&stop)) {
    uint64_t n = data[0] + 1;
    data[0] = n;
    atomic_thread_fence(memory_order_seq_cst);
    data[PAGE / 8] = n;
    atomic_thread_fence(memory_order_seq_cst);
    data[2 * PAGE / 8] = n;
  }
  return a;
}
static int child_looks(void) {
  uint64_t a = data[0], b = data[PAGE / 8], c = data[2 * PAGE / 8];
  if (!(c <= b && b <= a && a <= c + 1)) return 1;
  pause_a_little(3000);
  return data[0] == a && data[PAGE / 8] == b && data[2 * PAGE / 8] == c ? 0 : 2;
}
static void *spin(void *a) {
  while (!atomic_load(&stop)) {}
  return a;
}
static void expect_child(const char *what, pid_t child, int wanted) {
  int status = -1;
  if (child < 0 || waitpid(child, &status, 0) != child || status != wanted) complain("%s: status %x", what, status);
}
static void fork_children(void) {
  for (int i = 0; i < times; i++) {
    pid_t child = fork();
    if (child == 0) _exit(child_looks());
    if (i % 4 == 0) {
      /* Among its own threads the child execs, exits, or is killed. */
      pid_t other = fork();
      if (other == 0) {
        pthread_t t[3];
        atomic_store(&stop, 0);
        for (int k = 0; k < 3; k++) pthread_create(&t[k], 0, k == 0 ? write_in_order : spin, 0);
        pause_a_little(20000);
        if (i % 12 == 0) execl(self, self, "child", (char *)0);
        if (i % 12 == 4) exit(7);
        for (;;) pause_a_little(1000);
      }
      if (i % 12 == 8) {
        pause_a_little(50000);
        kill(other, SIGKILL);
      }
      expect_child("threads", other, i % 12 == 0 ? 42 << 8 : i % 12 == 4 ? 7 << 8 : SIGKILL);
    }
    expect_child("snapshot", child, 0);
  }
}
static void forking(void) {
  data = pages(3, PROT_READ | PROT_WRITE);
  among(1, write_in_order, fork_children);
  munmap((void *)data, 3 * PAGE);
  printf("forking done\n");
}

/* Every signal is handled by the thread that it is for, wherever that runs. */
static atomic_ulong handled[2];
static _Thread_local int me;
static void on_user(int signal) {
  (void)signal;
  atomic_fetch_add(&handled[me], 1);
}
static void *spin_as(void *a) {
  me = (int)(intptr_t)a;
  atomic_fetch_add(&handled[me], 1);
  while (!atomic_load(&stop)) {}
  return a;
}
static void signalling(void) {
  pthread_t t[2];
  signal(SIGUSR1, on_user);
  atomic_store(&stop, 0);
  for (int i = 0; i < 2; i++) pthread_create(&t[i], 0, spin_as, (void *)(intptr_t)i);
  for (int i = 0; i < 2; i++)
    while (atomic_load(&handled[i]) == 0) sched_yield();
  for (unsigned long k = 1; k <= (unsigned)times; k++)
    for (int i = 0; i < 2; i++) {
      pthread_kill(t[i], SIGUSR1);
      while (atomic_load(&handled[i]) < k + 1) {}
    }
  atomic_store(&stop, 1);
  for (int i = 0; i < 2; i++) pthread_join(t[i], 0);
  printf("signalling done\n");
}

/* Threads that come and go while others compute and others map. */
static void *brief(void *a) {
  uint64_t *p = pages(2, PROT_READ | PROT_WRITE);
  for (int i = 0; i < 1024; i++) p[i] = i ^ (uintptr_t)a;
  uint64_t sum = 0;
  for (int i = 0; i < 1024; i++) sum += p[i] ^ (uintptr_t)a;
  munmap(p, 2 * PAGE);
  return (void *)(uintptr_t)sum;
}
static void come_and_go(void) {
  for (int i = 0; i < times * 3; i++) {
    pthread_t t[4];
    for (int k = 0; k < 4; k++) pthread_create(&t[k], 0, brief, (void *)(intptr_t)(i * 4 + k));
    for (int k = 0; k < 4; k++) {
      void *sum;
      pthread_join(t[k], &sum);
      if ((uintptr_t)sum != 1023 * 512) complain("thread's sum is %lu", (uintptr_t)sum);
    }
  }
}
static void coming_and_going(void) {
  among(2, spin, come_and_go);
  printf("coming and going done\n");
}

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "child") == 0) return 42;
  setvbuf(stdout, 0, _IONBF, 0);
  static char path[PAGE];
  if (readlink("/proc/self/exe", path, sizeof path - 1) < 0) return 1;
  self = path;
  times = argc > 1 ? atoi(argv[1]) : 10;
  changing_code();
  changing_mappings();
  replacing_data(0);
  replacing_data(1);
  protecting(1);
  protecting(MANY);
  forking();
  signalling();
  coming_and_going();
  return complaints != 0;
}
