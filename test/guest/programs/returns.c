// Calls that do not return, returns to where nothing was called, and what happens between a call and its return: other code there, another
// stack, another thread, a signal.
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

enum { PAGE = 4096 };

static uint64_t sum;

__attribute__((noinline)) static void note(uint64_t x) { sum = sum * 31 + x; }

// Frames that are left all at once.

static jmp_buf out;

__attribute__((noinline)) static int descend(int depth, int leave) {
  if (depth == 0) {
    if (leave) longjmp(out, 7);
    return 1;
  }
  int below = descend(depth - 1, leave);
  note(depth);
  return below + depth;
}

static void jumps(void) {
  sum = 0;
  volatile int jumped = 0;
  for (volatile int i = 0; i < 300; i++) {
    int came = setjmp(out);
    if (came == 0) note(descend(i % 40, i % 3 == 0));
    else jumped += came;
    note(descend(3, 0));
  }
  printf("jumped %d, sum %016llx\n", jumped, (unsigned long long)sum);
  sum = 0;
  int deep = descend(50000, 0);
  printf("deep %d, sum %016llx\n", deep, (unsigned long long)sum);
}

// Return addresses that are changed: skips(n) returns n instructions further on than it was called; elsewhere() to its caller's caller.

uint64_t skip_some(uint64_t count);
uint64_t return_twice(uint64_t x);
uint64_t by_other_register(uint64_t x);
uint64_t endless_calls(uint64_t rounds);
void return_to(uint64_t where);
__asm__(".text\n.balign 4\n"
        "skips: add x30, x30, x0, lsl #2\nret\n"
        "skips_on_stack: stp x29, x30, [sp, #-16]!\nldr x9, [sp, #8]\nadd x9, x9, x0, lsl #2\nstr x9, [sp, #8]\nldp x29, x30, [sp], #16\nret\n"
        ".globl skip_some\n.type skip_some, %function\n"
        "skip_some: stp x29, x30, [sp, #-32]!\nstr x19, [sp, #16]\nmov x19, #0\nmov x1, x0\n"
        "bl skips\nadd x19, x19, #1\nadd x19, x19, #2\nadd x19, x19, #4\nadd x19, x19, #8\n"
        "mov x0, x1\nbl skips_on_stack\nadd x19, x19, #16\nadd x19, x19, #32\nadd x19, x19, #64\nadd x19, x19, #128\n"
        "mov x0, x19\nldr x19, [sp, #16]\nldp x29, x30, [sp], #32\nret\n"
        // The inner one drops its caller's frame and returns for it.
        "inner: add sp, sp, #16\nadd x0, x0, #5\nldur x30, [sp, #-8]\nret\n"
        ".globl return_twice\n.type return_twice, %function\n"
        "return_twice: stp x29, x30, [sp, #-16]!\nbl inner\nadd x0, x0, #1000\nldp x29, x30, [sp], #16\nret\n"
        ".globl by_other_register\n.type by_other_register, %function\n"
        "by_other_register: mov x9, x30\nadr x10, 1f\nblr x10\nadd x0, x0, #1\nmov x30, #0\nret x9\n"
        "1: add x0, x0, #10\nmov x11, x30\nmov x30, #1\nbr x11\n"
        // Calls without any return, forward all but one.
        ".globl endless_calls\n.type endless_calls, %function\n"
        "endless_calls: mov x9, x30\nmov x1, #0\n2: .rept 1000\nbl . + 8\nnop\nadd x1, x1, #1\n.endr\n"
        "subs x0, x0, #1\nb.eq 3f\nbl 2b\n3: mov x0, x1\nret x9\n"
        ".globl return_to\n.type return_to, %function\n"
        "return_to: mov x30, x0\nret\n");

static void addresses(void) {
  for (int round = 0; round < 3; round++)
    for (uint64_t n = 0; n < 5; n++) printf("skipped %llu: %llu\n", (unsigned long long)n, (unsigned long long)skip_some(n));
  uint64_t x = 0;
  for (int i = 0; i < 200; i++) x = by_other_register(return_twice(x));
  printf("returned %llu\n", (unsigned long long)x);
  printf("called %llu\n", (unsigned long long)endless_calls(2000));
}

// Faults of returns, and signal handlers that never return.

static sigjmp_buf back;
static volatile uint64_t fault_pc;

static void on_fault(int sig, siginfo_t *info, void *context) {
  (void)sig, (void)info;
  fault_pc = ((ucontext_t *)context)->uc_mcontext.pc;
  siglongjmp(back, 1);
}

__attribute__((noinline)) static int return_into(uint64_t where) {
  if (sigsetjmp(back, 1) == 0) return_to(where);
  return fault_pc == where;
}

static volatile int ticks;

static void on_tick(int sig) {
  (void)sig;
  ticks++;
  siglongjmp(back, 1);
}

static void signals(void) {
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
  for (int i = 0; i < 3; i++) printf("faults at %d %d\n", return_into(0x10), return_into(0x7fff0000));
  signal(SIGVTALRM, on_tick);
  struct itimerval often = {{0, 700}, {0, 700}}, never = {{0, 0}, {0, 0}};
  sum = 0;
  setitimer(ITIMER_VIRTUAL, &often, NULL);
  while (ticks < 100)
    if (sigsetjmp(back, 1) == 0)
      for (;;)
        if (descend(50, 0) != 1276) printf("wrong\n");
  setitimer(ITIMER_VIRTUAL, &never, NULL);
  printf("interrupted\n");
}

// Code that changes while it calls.

typedef uint64_t (*Caller)(void (*)(void), uint64_t);

static uint32_t *code;

/// What is behind the call adds `n` to x0.
static void write_caller(uint32_t n) {
  const uint32_t words[] = {
      0xa9be7bfd,                   // stp x29, x30, [sp, #-32]!
      0xf9000be1,                   // str x1, [sp, #16]
      0xd63f0000,                   // blr x0
      0xf9400be0,                   // ldr x0, [sp, #16]
      0x91000000 | n << 10,         // add x0, x0, #n
      0xa8c27bfd,                   // ldp x29, x30, [sp], #32
      0xd65f03c0,                   // ret
  };
  memcpy(code, words, sizeof words);
  __builtin___clear_cache((char *)code, (char *)(code + 7));
}

static uint32_t next;

static void rewrite(void) { write_caller(next); }

static void map_other(void) {
  mprotect(code, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
  uint32_t was[7];
  memcpy(was, code, sizeof was);
  mmap(code, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  memcpy(code, was, sizeof was);
  code[4] = 0x91000000 | next << 10;
  __builtin___clear_cache((char *)code, (char *)(code + 7));
}

static void forbid(void) { mprotect(code, PAGE, PROT_READ | PROT_WRITE); }

static void nothing(void) {}

static void changes(void) {
  code = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  write_caller(1);
  Caller caller = (Caller)code;
  uint64_t x = 0;
  for (int i = 0; i < 300; i++) x = caller(nothing, x);
  for (next = 2; next < 300; next++) {
    x = caller(next % 7 == 0 ? map_other : rewrite, x);
    if (x % 5 == 0) x = caller(nothing, x);
  }
  printf("changed %llu\n", (unsigned long long)x);
  if (sigsetjmp(back, 1) == 0) caller(forbid, 0);
  printf("forbidden at %d\n", (int)(fault_pc - (uintptr_t)code));
}

// Stacks that take turns.

void switch_stack(void **from, void *to);
__asm__(".globl switch_stack\n.type switch_stack, %function\n"
        "switch_stack: stp x29, x30, [sp, #-96]!\nstp x19, x20, [sp, #16]\nstp x21, x22, [sp, #32]\nstp x23, x24, [sp, #48]\n"
        "stp x25, x26, [sp, #64]\nstp x27, x28, [sp, #80]\nmov x9, sp\nstr x9, [x0]\nmov sp, x1\n"
        "ldp x19, x20, [sp, #16]\nldp x21, x22, [sp, #32]\nldp x23, x24, [sp, #48]\nldp x25, x26, [sp, #64]\n"
        "ldp x27, x28, [sp, #80]\nldp x29, x30, [sp], #96\nret\n");

enum { STACKS = 3, TURNS = 200 };
static void *stacks[STACKS];
static uint64_t memory[STACKS][8192] __attribute__((aligned(16)));
static int on;

__attribute__((noinline)) static void deeper(int depth) {
  if (depth > 0) {
    deeper(depth - 1);
    note(depth);
    return;
  }
  int was = on;
  on = (on + 1) % STACKS;
  switch_stack(&stacks[was], stacks[on]);
}

static void turn(void) {
  for (int i = 0;; i++) {
    deeper(i % (3 + 4 * on));
    note(on);
    if (i == TURNS && on == 0) return;
  }
}

__attribute__((noinline)) static int recurse(int n) { return n < 2 ? n : recurse(n - 1) + recurse(n - 2); }

static void *in_thread(void *argument) { return (void *)(intptr_t)recurse((int)(intptr_t)argument); }

static void stacks_and_threads(void) {
  sum = 0;
  for (int i = 1; i < STACKS; i++) {
    uint64_t *frame = memory[i] + 8192 - 12;
    frame[1] = (uintptr_t)turn;
    stacks[i] = frame;
  }
  turn();
  printf("turns %016llx\n", (unsigned long long)sum);
  pthread_t threads[6];
  for (int i = 0; i < 6; i++) pthread_create(&threads[i], NULL, in_thread, (void *)(intptr_t)(20 + i));
  for (int i = 0; i < 6; i++) {
    void *result;
    pthread_join(threads[i], &result);
    printf("thread %d: %d\n", i, (int)(intptr_t)result);
  }
}

int main(void) {
  jumps();
  addresses();
  signals();
  changes();
  stacks_and_threads();
  return 0;
}
