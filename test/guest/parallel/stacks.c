// Accesses off the stack pointer, of a thread that goes on running, while another one replaces pages of its stack, takes rights away, and forks.
// What the thread finds is never older than what it was told of.
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 16, STACKS = 3 };
enum { STOP, READ, WRITE, KEEP };

static uint8_t *stacks[STACKS];
/// What the thread does, how often it has, and what its stack holds at least.
static _Atomic unsigned job, rounds, newest;
/// Odd: it may not write.
static _Atomic unsigned refused;
static _Atomic unsigned faults, errors;
static sigjmp_buf back;

static void on_fault(int sig, siginfo_t *info, void *context) {
  (void)sig, (void)info, (void)context;
  siglongjmp(back, 1);
}

/// The least of words in several pages, with the stack pointer at `stack`.
__attribute__((noinline)) static uint64_t least(uint8_t *stack) {
  register uint8_t *to __asm__("x0") = stack;
  __asm__ volatile(
    "mov x9, sp\n mov sp, x0\n"
    "ldr x0, [sp, #8]\n ldr x10, [sp, #4088]\n cmp x10, x0\n csel x0, x10, x0, lo\n"
    "ldr x10, [sp, #4096]\n cmp x10, x0\n csel x0, x10, x0, lo\n"
    "ldp x10, x11, [sp, #496]\n cmp x10, x0\n csel x0, x10, x0, lo\n cmp x11, x0\n csel x0, x11, x0, lo\n"
    "ldr x10, [sp, #20480]\n cmp x10, x0\n csel x0, x10, x0, lo\n"
    "ldr x10, [sp, #32760]\n cmp x10, x0\n csel x0, x10, x0, lo\n"
    "mov sp, x9\n"
    : "+r"(to) : : "x9", "x10", "x11", "memory", "cc");
  return (uint64_t)to;
}

/// Stores there.
__attribute__((noinline)) static void store(uint8_t *stack, uint64_t value) {
  register uint8_t *to __asm__("x0") = stack;
  register uint64_t what __asm__("x1") = value;
  __asm__ volatile("mov x9, sp\n mov sp, x0\n str x1, [sp, #8]\n stp x1, x1, [sp, #496]\n str x1, [sp, #4088]\n str x1, [sp, #4096]\n"
                   "str x1, [sp, #20480]\n str x1, [sp, #32760]\n mov sp, x9\n"
    : "+r"(to) : "r"(what) : "x9", "memory");
}

static void read_once(unsigned i) {
  unsigned at_least = newest;
  if (least(stacks[i % STACKS]) < at_least) errors++;
}

static void write_once(unsigned i) {
  unsigned told = refused;
  if (sigsetjmp(back, 0) == 0) {
    store(stacks[i % STACKS], newest);
    if (told % 2 != 0 && refused == told) errors++;
  } else {
    faults++;
  }
}

static void keep_once(unsigned i) {
  store(stacks[i % STACKS], 1000 + i);
  if (least(stacks[i % STACKS]) != 1000 + i) errors++;
}

static void *run(void *alternate) {
  sigaltstack(&(stack_t){.ss_sp = alternate, .ss_size = 64 << 10}, NULL);
  for (unsigned i = 0, what; (what = job) != STOP; i++, rounds++) {
    if (what == READ) read_once(i);
    if (what == WRITE) write_once(i);
    if (what == KEEP) keep_once(i);
  }
  return NULL;
}

/// The thread has done it `n` times more.
static void wait_rounds(unsigned n) {
  unsigned from = rounds;
  while (rounds - from < n) sched_yield();
}

static void *fresh(uint64_t value) {
  uint64_t *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (unsigned i = 0; i < PAGE / 8; i++) page[i] = value;
  return page;
}

static const int used[] = {0, 1, 5, 7};

static void replace(unsigned count) {
  job = READ;
  for (unsigned n = 1; n <= count; n++) {
    for (int s = 0; s < STACKS; s++)
      for (int i = 0; i < 4; i++) {
        uint8_t *to = stacks[s] + used[i] * PAGE;
        if (n % 3 == 1) {
          mremap(fresh(n), PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to);
        } else if (n % 3 == 2) {
          // The highest number in a page that is dropped is none.
          for (int k = 0; k < PAGE / 8; k++) ((volatile uint64_t *)to)[k] = n;
        } else {
          int fd = memfd_create("stack", 0);
          void *page = fresh(n);
          if (write(fd, page, PAGE) != PAGE) abort();
          mmap(to, PAGE, PROT_READ | PROT_WRITE, MAP_FIXED | (n % 2 ? MAP_SHARED : MAP_PRIVATE), fd, 0);
          munmap(page, PAGE);
          close(fd);
        }
      }
    newest = n;
    if (n % 4 == 0) wait_rounds(400);
  }
  printf("replaced %s\n", errors ? "wrong" : "right");
}

static void refuse(unsigned count) {
  job = WRITE;
  unsigned unfelt = 0;
  for (unsigned n = 0; n < count; n++) {
    wait_rounds(300);
    for (int s = 0; s < STACKS; s++) mprotect(stacks[s] + used[n % 4] * PAGE, PAGE, n % 3 ? PROT_READ : PROT_NONE);
    refused++;
    unsigned before = faults;
    wait_rounds(20);
    if (faults == before) unfelt++;
    refused++;
    for (int s = 0; s < STACKS; s++) mprotect(stacks[s], PAGES * PAGE, PROT_READ | PROT_WRITE);
  }
  printf("refused %s, %u unfelt\n", errors ? "wrong" : "right", unfelt);
}

static void copy(unsigned count) {
  job = KEEP;
  wait_rounds(400);
  int bad = 0;
  for (unsigned n = 0; n < count; n++) {
    pid_t pid = fork();
    if (pid == 0) {
      store(stacks[n % STACKS], 5);
      _exit(least(stacks[n % STACKS]) != 5);
    }
    wait_rounds(100);
    int status = 1;
    waitpid(pid, &status, 0);
    bad += status != 0;
  }
  printf("copied %s, %d children wrong\n", errors ? "wrong" : "right", bad);
}

int main(int argc, char **argv) {
  unsigned count = argc > 1 ? (unsigned)atoi(argv[1]) : 100;
  for (int s = 0; s < STACKS; s++)
    stacks[s] = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  sigaction(SIGSEGV, &action, NULL);
  job = READ;
  pthread_t thread;
  pthread_create(&thread, NULL, run, malloc(64 << 10));
  replace(count);
  refuse(count);
  copy(count);
  job = STOP;
  pthread_join(thread, NULL);
  return errors != 0;
}
