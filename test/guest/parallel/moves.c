// A thread that goes on using its stack while everybody else changes what lies there: other threads drop, move, refuse and replace pages, other
// processes write into it (ptrace, process_vm_writev, vfork, clone with CLONE_VM, shared memory), and it forks. A page has a phase: what
// the thread finds between two looks at the same phase is what belongs to that phase.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 8, AT = 5 };

/// What is shared with other processes: the phase, what the page holds in it (or that it faults), rounds of the thread.
struct shared { _Atomic uint64_t phase, value, faults, stop, rounds, errors; };
static struct shared *shared;
static uint8_t *stack;
/// Words around the page that changes, which the thread alone writes.
static volatile int caught;

static void on_fault(int sig, siginfo_t *info, void *context) {
  (void)info;
  caught = sig;
  ((ucontext_t *)context)->uc_mcontext.pc += 4;
}

/// Reads the word, `offset` bytes above the stack pointer, and writes and reads another one in the page below.
uint64_t look(uint8_t *sp, uint64_t own, uint64_t *found);
__asm__(".text\n.p2align 2\nlook: mov x9, sp\n mov sp, x0\n str x1, [sp, #-16]!\n ldr x3, [sp, #4112]\n ldr x0, [sp], #16\n mov sp, x9\n str x3, [x2]\n ret\n");
void store(uint8_t *sp, uint64_t value);
__asm__(".text\n.p2align 2\nstore: mov x9, sp\n mov sp, x0\n str x1, [sp, #4096]\n mov sp, x9\n ret\n");

/// The page that changes begins at stack + AT * PAGE; sp is a page below.
static uint8_t *const_sp(void) { return stack + (AT - 1) * PAGE + 64; }
static uint64_t *word(void) { return (uint64_t *)(stack + AT * PAGE + 64); }

static void wrong(const char *what, uint64_t a, uint64_t b) {
  if (shared->errors++ < 10) printf("%s: %llu, %llu\n", what, (unsigned long long)a, (unsigned long long)b);
}

static void look_once(uint64_t i) {
  uint64_t before = shared->phase, value = shared->value, faults = shared->faults, found = 0;
  caught = 0;
  uint64_t own = look(const_sp(), i, &found);
  int fault = caught != 0;
  if (own != i) wrong("own word", own, i);
  if (before % 2 == 0 && shared->phase == before) {
    if (fault != (int)faults) wrong(fault ? "fault" : "no fault", before, 0);
    if (!fault && found != value) wrong("value", found, value);
  }
  shared->rounds++;
}

static void *run(void *alternate) {
  sigaltstack(&(stack_t){.ss_sp = alternate, .ss_size = 64 << 10}, NULL);
  for (uint64_t i = 1; !shared->stop; i++) look_once(i);
  return NULL;
}

static void wait_rounds(uint64_t n) {
  uint64_t from = shared->rounds;
  while (shared->rounds - from < n) sched_yield();
}

/// From now on the page is about to change; and: it holds this, or faults.
static void changing(void) { shared->phase++; }

static void changed(uint64_t value, int faults) {
  shared->value = value;
  shared->faults = (uint64_t)faults;
  shared->phase++;
}

static uint8_t *page(void) { return stack + AT * PAGE; }

static void step(unsigned n) {
  uint64_t value = 1000 + n;
  int faults = 0;
  changing();
  switch (n % 12) {
    case 0:
      madvise(page(), PAGE, MADV_DONTNEED);
      value = 0;
      break;
    case 1:
      *word() = value;
      break;
    case 2:
      munmap(page(), PAGE);
      faults = 1;
      break;
    case 3:
      mmap(page(), PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
      value = 0;
      break;
    case 4:
      store(const_sp(), value);
      break;
    case 5:
      mprotect(page(), PAGE, PROT_NONE);
      faults = 1;
      break;
    case 6: {
      mprotect(page(), PAGE, PROT_READ);
      value = *word();
      break;
    }
    case 7: {
      struct iovec from = {&value, 8}, to = {word(), 8};
      mprotect(page(), PAGE, PROT_READ | PROT_WRITE);
      if (process_vm_writev(getpid(), &from, 1, &to, 1, 0) != 8) wrong("process_vm_writev", (uint64_t)errno, 0);
      break;
    }
    case 8: {
      // Away and back with other contents.
      uint8_t *away = mremap(page(), PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
      *(uint64_t *)(away + 64) = value;
      mremap(away, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, page());
      break;
    }
    case 9: {
      // A shared page, written at another place.
      int fd = memfd_create("stack", 0);
      if (ftruncate(fd, PAGE) != 0) abort();
      mmap(page(), PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
      if (pwrite(fd, &value, 8, 64) != 8) abort();
      close(fd);
      break;
    }
    case 10: {
      // Of two processes that both go on, each has its own, unless the page is one of a file.
      int private = n / 12 % 2;
      if (private) mmap(page(), PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
      *word() = value;
      pid_t pid = fork();
      if (pid == 0) {
        *word() = 7;
        uint64_t found = 0;
        look(const_sp(), 1, &found);
        _exit(found != 7 && (private || found != 1001 + n));
      }
      *word() = ++value;
      int status = 1;
      waitpid(pid, &status, 0);
      if (status != 0) wrong("copy", (uint64_t)status, n);
      if (private && *word() != value) wrong("copy", *word(), value);
      value = *word();
      break;
    }
    default: {
      mmap(page(), PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
      *word() = value;
    }
  }
  changed(value, faults);
  if (n % 3 == 0) wait_rounds(300);
  else wait_rounds(3);
}

static void threads(unsigned count) {
  shared->stop = 0;
  pthread_t thread;
  pthread_create(&thread, NULL, run, malloc(64 << 10));
  for (unsigned n = 0; n < count; n++) step(n);
  shared->stop = 1;
  pthread_join(thread, NULL);
  mmap(stack, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  printf("other threads %s\n", shared->errors ? "wrong" : "right");
}

/// A child runs as the thread does, with copies of everything but what is shared; its parent writes into its stack.
static void traced(unsigned count) {
  *word() = 5;
  shared->stop = 0;
  changing();
  changed(5, 0);
  pid_t pid = fork();
  if (pid == 0) {
    run(malloc(64 << 10));
    _exit(0);
  }
  wait_rounds(400);
  if (ptrace(PTRACE_SEIZE, pid, 0, 0) != 0) wrong("seize", (uint64_t)errno, 0);
  for (unsigned n = 0; n < count; n++) {
    uint64_t value = 100 + n;
    if (n % 2) {
      struct iovec from = {&value, 8}, to = {word(), 8};
      changing();
      if (process_vm_writev(pid, &from, 1, &to, 1, 0) != 8) wrong("process_vm_writev", (uint64_t)errno, 0);
    } else {
      int status = 0;
      ptrace(PTRACE_INTERRUPT, pid, 0, 0);
      waitpid(pid, &status, 0);
      changing();
      if (ptrace(PTRACE_POKEDATA, pid, word(), value) != 0) wrong("poke", (uint64_t)errno, 0);
      if (ptrace(PTRACE_CONT, pid, 0, 0) != 0) wrong("cont", (uint64_t)errno, 0);
    }
    changed(value, 0);
    if (*word() != 5) wrong("the parent's own", *word(), 5);
    wait_rounds(n % 5 ? 3 : 200);
  }
  shared->stop = 1;
  int status = 0;
  while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) ptrace(PTRACE_CONT, pid, 0, WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status));
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) wrong("child", (uint64_t)status, 0);
  printf("tracers %s\n", shared->errors ? "wrong" : "right");
}

static int child_of_vm(void *argument) {
  uint64_t found = 0;
  look(const_sp(), 3, &found);
  if (found != (uint64_t)argument) wrong("in the child", found, (uint64_t)argument);
  store(const_sp(), (uint64_t)argument + 1);
  return 0;
}

/// Children that share memory write into the stack, while their parent waits or goes on.
static void sharing(unsigned count) {
  static uint8_t other[64 << 10] __attribute__((aligned(16)));
  for (unsigned n = 0; n < count; n++) {
    uint64_t found = 0;
    for (int i = 0; i < 200; i++) look(const_sp(), 1, &found);
    store(const_sp(), n);
    int flags = n % 3 == 0 ? CLONE_VM | CLONE_VFORK | SIGCHLD : n % 3 == 1 ? CLONE_VM | SIGCHLD : SIGCHLD;
    pid_t pid = clone(child_of_vm, other + sizeof other, flags, (void *)(uint64_t)n);
    if (n % 3 == 1) for (int i = 0; i < 500; i++) {
      look(const_sp(), 1, &found);
      if (found != n && found != n + 1) wrong("beside the child", found, n);
    }
    int status = 1;
    waitpid(pid, &status, 0);
    if (status != 0) wrong("status", (uint64_t)status, 0);
    look(const_sp(), 1, &found);
    uint64_t due = flags & CLONE_VM ? n + 1 : n;
    if (found != due) wrong("after the child", found, due);
  }
  printf("children %s\n", shared->errors ? "wrong" : "right");
}

int main(int argc, char **argv) {
  unsigned count = argc > 1 ? (unsigned)atoi(argv[1]) : 100;
  setvbuf(stdout, NULL, _IOLBF, 0);
  shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  stack = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
  sigaltstack(&(stack_t){.ss_sp = malloc(64 << 10), .ss_size = 64 << 10}, NULL);
  sharing(count);
  traced(count);
  threads(count * 12);
  return shared->errors != 0;
}
