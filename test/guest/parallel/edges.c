// Accesses off the stack pointer at the edges of what they may reach: beside guard pages, across pages that lie anywhere, with
// the stack pointer misaligned, tagged, at the end of the address space or at nothing, on stacks in files, on stacks that grow, and switched to and fro.
// Everything is done often enough before that a translator believes to know the stack. The program knows what has to happen.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { PAGE = 4096, TIMES = 300, NOWHERE = -1 << 30 };

/// What accesses load into and store from.
struct data { uint64_t x[2]; uint8_t q[32]; };

/// Does an access with the stack pointer at `sp` and tells what that is afterwards. In a loop: `times`, from the same place.
typedef uint8_t *(*access_fn)(uint8_t *sp, struct data *d, uint64_t times);

#define ACCESS(name, insn)                                                                             \
  uint8_t *name(uint8_t *sp, struct data *d, uint64_t times);                                          \
  __asm__(".text\n.p2align 2\n" #name ": mov x9, sp\n mov x10, x0\n 1: ldp x3, x4, [x1]\n ldp q0, q1, [x1, #16]\n mov sp, x10\n" insn \
          "\n mov x0, sp\n mov sp, x9\n subs x2, x2, #1\n b.ne 1b\n stp x3, x4, [x1]\n stp q0, q1, [x1, #16]\n ret\n")

ACCESS(load_b, "ldrb w3, [sp]");
ACCESS(load_x, "ldr x3, [sp]");
ACCESS(load_x_up, "ldr x3, [sp, #8]");
ACCESS(load_x_odd, "ldur x3, [sp, #-3]");
ACCESS(load_q, "ldr q0, [sp]");
ACCESS(load_q_odd, "ldur q0, [sp, #-7]");
ACCESS(load_pair, "ldp x3, x4, [sp, #8]");
ACCESS(load_pair_down, "ldp x3, x4, [sp, #-8]");
ACCESS(load_pair_far, "ldp x3, x4, [sp, #-504]");
ACCESS(load_pair_q, "ldp q0, q1, [sp, #-16]");
ACCESS(pop, "ldp x3, x4, [sp], #16");
ACCESS(store_b, "strb w3, [sp, #15]");
ACCESS(store_x, "str x3, [sp]");
ACCESS(store_x_odd, "stur x3, [sp, #-5]");
ACCESS(store_q_odd, "stur q0, [sp, #-9]");
ACCESS(store_pair, "stp x3, x4, [sp, #8]");
ACCESS(store_pair_far, "stp x3, x4, [sp, #504]");
ACCESS(store_pair_q, "stp q0, q1, [sp, #-16]");
ACCESS(push, "stp x3, x4, [sp, #-16]!");
ACCESS(push_one, "str x3, [sp, #-16]!");

static const struct kind {
  const char *name;
  access_fn run;
  int offset, bytes, stores, vector, grows;
} kinds[] = {
  {"ldrb", load_b, 0, 1, 0, 0, 0},
  {"ldr", load_x, 0, 8, 0, 0, 0},
  {"ldr +8", load_x_up, 8, 8, 0, 0, 0},
  {"ldur -3", load_x_odd, -3, 8, 0, 0, 0},
  {"ldr q", load_q, 0, 16, 0, 1, 0},
  {"ldur q -7", load_q_odd, -7, 16, 0, 1, 0},
  {"ldp +8", load_pair, 8, 16, 0, 0, 0},
  {"ldp -8", load_pair_down, -8, 16, 0, 0, 0},
  {"ldp -504", load_pair_far, -504, 16, 0, 0, 0},
  {"ldp q", load_pair_q, -16, 32, 0, 1, 0},
  {"pop", pop, 0, 16, 0, 0, 16},
  {"strb", store_b, 15, 1, 1, 0, 0},
  {"str", store_x, 0, 8, 1, 0, 0},
  {"stur -5", store_x_odd, -5, 8, 1, 0, 0},
  {"stur q -9", store_q_odd, -9, 16, 1, 1, 0},
  {"stp +8", store_pair, 8, 16, 1, 0, 0},
  {"stp +504", store_pair_far, 504, 16, 1, 0, 0},
  {"stp q", store_pair_q, -16, 32, 1, 1, 0},
  {"push", push, -16, 16, 1, 0, -16},
  {"push one", push_one, -16, 8, 1, 0, -16},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static volatile int caught;
static uint64_t caught_at, caught_sp;
static int caught_code;

static void on_fault(int sig, siginfo_t *info, void *context) {
  ucontext_t *c = context;
  if (!caught) {
    caught_at = (uint64_t)info->si_addr;
    caught_sp = c->uc_mcontext.sp;
    caught_code = info->si_code;
    caught = sig;
  }
  c->uc_mcontext.pc += 4;
}

static unsigned errors;

static void wrong(const char *where, const char *name, int at, const char *what) {
  if (errors++ < 10) printf("%s: %s at %d: %s\n", where, name, at, what);
}

/// Rights of the pages of the region that is tried.
enum { REGION = 6 };
static int rights[REGION];

static uint64_t bytes_of(const uint8_t *p, int n) {
  uint64_t v = 0;
  memcpy(&v, p, (size_t)n);
  return v;
}

static void fill(struct data *d) {
  static uint64_t seed = 1;
  for (unsigned i = 0; i < sizeof *d / 8; i++) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    memcpy((uint8_t *)d + 8 * i, &seed, 8);
  }
}

/// A pair that faults may have stored its first half (Arm ARM B2.2.1: each is an access of its own).
static int halves;

/// One access `at` bytes into the region, which is seen at `view` too, with rights to everything.
static void try(const char *where, const struct kind *k, uint8_t *region, uint8_t *view, int at, unsigned times) {
  int from = at + k->offset, to = from + k->bytes;
  int fault = NOWHERE;
  for (int i = from; i < to && fault == NOWHERE; i++) {
    int allowed = i >= 0 && i < REGION * PAGE ? rights[i / PAGE] : 0;
    if (!(allowed & (k->stores ? PROT_WRITE : PROT_READ))) fault = i;
  }
  struct data d, before;
  fill(&d);
  before = d;
  uint8_t old[32 + 64];
  int low = from - 32 < 0 ? 0 : from - 32, high = to + 32 > REGION * PAGE ? REGION * PAGE : to + 32;
  if (high > low) memcpy(old, view + low, (size_t)(high - low));
  caught = 0;
  uint8_t *sp = k->run(region + at, &d, times);
  if (fault != NOWHERE) {
    if (!caught) return wrong(where, k->name, at, "did not fault");
    if (caught_at != (uint64_t)region + (uint64_t)(int64_t)fault) wrong(where, k->name, at, "faults elsewhere");
    if (caught_sp != (uint64_t)region + (uint64_t)(int64_t)at) wrong(where, k->name, at, "had moved sp");
    if (memcmp(&d, &before, sizeof d) != 0) wrong(where, k->name, at, "changed registers");
    // The first half of a pair may have been stored, where that is allowed to.
    for (int i = from; halves && strncmp(k->name, "stp", 3) == 0 && i < from + k->bytes / 2; i++)
      if (i >= low && i < high) old[i - low] = view[i];
    if (high > low && memcmp(old, view + low, (size_t)(high - low)) != 0) wrong(where, k->name, at, "stored a part");
    return;
  }
  if (caught) return wrong(where, k->name, at, "faulted");
  if (sp != region + at + k->grows) wrong(where, k->name, at, "left sp elsewhere");
  const uint8_t *moved = k->vector ? d.q : (uint8_t *)d.x;
  if (k->stores) {
    if (memcmp(view + from, moved, (size_t)k->bytes) != 0) wrong(where, k->name, at, "stored something else");
    if (memcmp(view + low, old, (size_t)(from - low)) != 0) wrong(where, k->name, at, "stored before");
    if (memcmp(view + to, old + (to - low), (size_t)(high - to)) != 0) wrong(where, k->name, at, "stored behind");
  } else if (k->bytes < 8) {
    if (d.x[0] != bytes_of(view + from, k->bytes)) wrong(where, k->name, at, "loaded something else");
  } else if (memcmp(view + from, moved, (size_t)k->bytes) != 0) {
    wrong(where, k->name, at, "loaded something else");
  }
}

/// All accesses around all edges of pages, in one round and in loops.
static void try_edges(const char *where, uint8_t *region, uint8_t *view) {
  for (int n = 0; n < KINDS; n++)
    for (int page = 0; page <= REGION; page++)
      for (int d = -32; d <= 32; d += 16) {
        try(where, &kinds[n], region, view, page * PAGE + d, 1);
        if (d == 0) try(where, &kinds[n], region, view, page * PAGE + d, TIMES);
        for (int far = -512; far <= 512; far += 1024) try(where, &kinds[n], region, view, page * PAGE + d + far, 1);
      }
}

/// Opens windows in the middle of the region.
static void warm(uint8_t *region) {
  struct data d = {0};
  uint8_t *middle = region + 2 * PAGE + PAGE / 2;
  for (int i = 0; i < TIMES; i++) {
    load_x(middle, &d, 1);
    store_x(middle, &d, 1);
  }
}

static void protect(uint8_t *region, const char *text) {
  for (int i = 0; i < REGION; i++) {
    rights[i] = text[i] == 'w' ? PROT_READ | PROT_WRITE : text[i] == 'r' ? PROT_READ : PROT_NONE;
    if (mprotect(region + i * PAGE, PAGE, rights[i]) != 0) wrong(text, "mprotect", i, strerror(errno));
  }
}

static const char *const shapes[] = {"-wwww-", "wwwwww", "-rwwr-", "--ww--", "w-wwrw", "-wwww-"};
/// How many of them are tried.
static int shape_count = sizeof shapes / sizeof shapes[0];

/// Pages of a file, in order or upside down, seen at another place too.
static void in_a_file(const char *where, int flags, int upside_down) {
  int fd = memfd_create("stack", 0);
  if (ftruncate(fd, REGION * PAGE) != 0) abort();
  uint8_t *view = mmap(NULL, REGION * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  uint8_t *room = mmap(NULL, (REGION + 2) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  uint8_t *region = room + PAGE;
  for (int i = 0; i < REGION * PAGE; i++) view[i] = (uint8_t)(i * 7 + i / 256);
  for (int i = 0; i < REGION; i++) {
    int from = upside_down ? REGION - 1 - i : i;
    mmap(region + i * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_FIXED | flags, fd, from * PAGE);
    mmap(view + i * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_SHARED, fd, from * PAGE);
  }
  // A private page is seen at no other place.
  uint8_t *seen = flags == MAP_SHARED ? view : region;
  for (int s = 0; s < shape_count; s++) {
    warm(region);
    protect(region, flags == MAP_SHARED ? shapes[s] : "wwwwww");
    try_edges(where, region, seen);
    protect(region, "wwwwww");
  }
  if (flags == MAP_SHARED) {
    warm(region);
    struct data d = {0};
    if (ftruncate(fd, 0) != 0) abort();
    caught = 0;
    load_x(region + 2 * PAGE + PAGE / 2, &d, 1);
    if (caught != SIGBUS) wrong(where, "read behind the end of the file", 0, "no SIGBUS");
    caught = 0;
    store_x(region + 2 * PAGE + PAGE / 2, &d, 1);
    if (caught != SIGBUS) wrong(where, "write behind the end of the file", 0, "no SIGBUS");
    if (ftruncate(fd, REGION * PAGE) != 0) abort();
    d.x[0] = 1;
    load_x(region + 2 * PAGE + PAGE / 2, &d, 1);
    if (d.x[0] != 0) wrong(where, "read of a file that grew again", 0, "no zero");
  }
  close(fd);
  munmap(view, REGION * PAGE);
  munmap(room, (REGION + 2) * PAGE);
}

/// A child goes on with copies at once; so does its parent.
static void copied(uint8_t *region) {
  for (int s = 0; s < shape_count; s++) {
    protect(region, "wwwwww");
    warm(region);
    pid_t pid = fork();
    try_edges(pid == 0 ? "child" : "parent", region, region);
    if (pid == 0) {
      fflush(stdout);
      _exit(errors != 0);
    }
    int status;
    waitpid(pid, &status, 0);
    errors += status != 0;
  }
}

static void odd_places(uint8_t *region) {
  protect(region, "wwwwww");
  warm(region);
  struct data d = {0};
  uint8_t *good = region + 2 * PAGE;
  for (int n = 0; n < KINDS; n++)
    for (int off = 1; off < 16; off += 3) {
      caught = 0;
      kinds[n].run(good + off, &d, 1);
      if (caught != SIGBUS || caught_code != BUS_ADRALN) wrong("misaligned", kinds[n].name, off, "no SIGBUS");
    }
  static const uint64_t nowhere[] = {0, 16, 0x1000, 0xfffffffffffffff0, 0xfffffffffffffe00, 0x0001000000000000, 0x0000fffffffffff0, 0x7ffffffffffffff0, 0xffff000000000000};
  for (unsigned i = 0; i < sizeof nowhere / sizeof nowhere[0]; i++)
    for (int n = 0; n < KINDS; n++) {
      uint64_t at = nowhere[i];
      warm(region);
      caught = 0;
      kinds[n].run((uint8_t *)at, &d, 1);
      if (caught != SIGSEGV) wrong("nowhere", kinds[n].name, (int)i, "no SIGSEGV");
      if (caught_sp != at) wrong("nowhere", kinds[n].name, (int)i, "had moved sp");
    }
  // The top byte is ignored: another tag each time, so that what is known of one says nothing about the next.
  for (unsigned i = 0; i < TIMES; i++) {
    uint8_t *tagged = (uint8_t *)((uint64_t)good | (uint64_t)(i % 5) * 51 << 56);
    d.x[0] = i;
    store_x(tagged, &d, 1);
    d.x[0] = 0;
    load_x((uint8_t *)((uint64_t)good | (uint64_t)(i % 3) * 85 << 56), &d, 1);
    if (d.x[0] != i) wrong("tagged", "str and ldr", (int)i, "something else");
  }
}

static void last_page(void) {
  uint8_t *room = mmap((void *)0xffffffffa000, REGION * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  if (room == MAP_FAILED) return wrong("the last page", "mmap", 0, strerror(errno));
  protect(room, "wwwwww");
  warm(room);
  try_edges("the last page", room, room);
  munmap(room, REGION * PAGE);
}

static void grows(void) {
  enum { DOWN = 200 };
  uint8_t *room = mmap(NULL, (DOWN + 300) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap(room, (DOWN + 300) * PAGE);
  uint8_t *top = room + (DOWN + 300) * PAGE;
  if (mmap(top - 2 * PAGE, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0) == MAP_FAILED)
    return wrong("growing", "mmap", 0, strerror(errno));
  struct data d = {0};
  uint8_t *sp = top;
  caught = 0;
  for (uint64_t i = 0; i < DOWN * PAGE / 16; i++) {
    d.x[0] = i, d.x[1] = ~i;
    sp = push(sp, &d, 1);
  }
  for (uint64_t i = DOWN * PAGE / 16; i-- > 0;) {
    sp = pop(sp, &d, 1);
    if (d.x[0] != i || d.x[1] != ~i) wrong("growing", "pop", (int)i, "something else");
  }
  if (sp != top || caught) wrong("growing", "stack", caught, "faulted");
  munmap(top - DOWN * PAGE, DOWN * PAGE);
}

// Coroutines: each goes on where it was, on a stack of its own.

void switch_to(void **from, void *to);
__asm__(".text\n.p2align 2\nswitch_to: stp x29, x30, [sp, #-96]!\n stp x19, x20, [sp, #16]\n stp x21, x22, [sp, #32]\n stp x23, x24, [sp, #48]\n"
        " stp x25, x26, [sp, #64]\n stp x27, x28, [sp, #80]\n mov x9, sp\n str x9, [x0]\n mov sp, x1\n ldp x19, x20, [sp, #16]\n"
        " ldp x21, x22, [sp, #32]\n ldp x23, x24, [sp, #48]\n ldp x25, x26, [sp, #64]\n ldp x27, x28, [sp, #80]\n ldp x29, x30, [sp], #96\n ret\n");

enum { ROUTINES = 9 };
static void *routines[ROUTINES], *home;
static int turn;

static uint64_t deep(int depth, uint64_t seed) {
  volatile uint64_t kept[20];
  for (int i = 0; i < 20; i++) kept[i] = seed + (uint64_t)i;
  int mine = turn;
  if (depth == 0 || depth % 3 == 1) switch_to(&routines[mine], home);
  uint64_t below = depth == 0 ? 1 : deep(depth - 1, seed * 3 + 1);
  for (int i = 0; i < 20; i++)
    if (kept[i] != seed + (uint64_t)i) wrong("coroutines", "kept", depth, "something else");
  return below + seed;
}

static void routine(void) {
  int mine = turn;
  for (uint64_t n = 0;; n++) {
    deep((int)(n % 7), n * ROUTINES + (uint64_t)mine);
    switch_to(&routines[mine], home);
  }
}

static void coroutines(uint8_t *region) {
  protect(region, "wwwwww");
  uint8_t *stacks[ROUTINES];
  for (int i = 0; i < ROUTINES; i++) {
    // Near each other and far away.
    stacks[i] = i < 4 ? region + (i + 1) * PAGE : (uint8_t *)mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) + 4 * PAGE;
    if (i >= 4) mmap(NULL, 32 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t *frame = (uint64_t *)(stacks[i] - 96);
    memset(frame, 0, 96);
    frame[1] = (uint64_t)routine;
    routines[i] = frame;
  }
  uint64_t random = 3;
  for (int i = 0; i < 7000 * shape_count; i++) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    // For long on one, then to and fro.
    turn = i / 3500 % 2 ? (int)(random >> 60) % ROUTINES : i / 700 % ROUTINES;
    switch_to(&home, routines[turn]);
  }
}

// Handlers on another stack.

static volatile uint64_t handled;

static void on_signal(int sig) {
  volatile uint64_t here[30];
  for (int i = 0; i < 30; i++) here[i] = handled + (uint64_t)i;
  if (sig == SIGUSR1 && handled % 4 == 0) raise(SIGUSR2);
  for (int i = 0; i < 30; i++)
    if (sig == SIGUSR1 ? here[i] + (handled % 4 == 1) < handled + (uint64_t)i : 0) wrong("handlers", "kept", i, "something else");
  handled++;
}

static void handlers(uint8_t *region) {
  protect(region, "wwwwww");
  int fd = memfd_create("alternate", 0);
  if (ftruncate(fd, 64 << 10) != 0) abort();
  stack_t old;
  sigaltstack(NULL, &old);
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGUSR2, &action, NULL);
  for (int kind = 0; kind < 3; kind++) {
    uint8_t *stack = mmap(NULL, 64 << 10, PROT_READ | PROT_WRITE, kind == 0 ? MAP_PRIVATE | MAP_ANONYMOUS : kind == 1 ? MAP_SHARED : MAP_PRIVATE, kind == 0 ? -1 : fd, 0);
    sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = 64 << 10}, NULL);
    struct data d = {0};
    for (uint64_t i = 0; i < 170 * (uint64_t)shape_count; i++) {
      d.x[0] = i;
      store_x(region + 2 * PAGE, &d, 1);
      raise(SIGUSR1);
      // The stack of the next one is another page.
      if (i % 50 == 0) madvise(stack, 64 << 10, MADV_DONTNEED);
      if (i % 70 == 0) mmap(stack, 64 << 10, PROT_READ | PROT_WRITE, MAP_FIXED | (kind == 1 ? MAP_SHARED : MAP_PRIVATE), fd, 0);
      load_x(region + 2 * PAGE, &d, 1);
      if (d.x[0] != i) wrong("handlers", "around", (int)i, "something else");
    }
    sigaltstack(&old, NULL);
    munmap(stack, 64 << 10);
  }
  close(fd);
}

int main(int argc, char **argv) {
  if (argc > 1) shape_count = atoi(argv[1]);
  halves = argc > 2;
  setvbuf(stdout, NULL, _IOLBF, 0);
  sigaltstack(&(stack_t){.ss_sp = malloc(64 << 10), .ss_size = 64 << 10}, NULL);
  struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
  uint8_t *room = mmap(NULL, (REGION + 2) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  uint8_t *region = room + PAGE;
  protect(region, "wwwwww");
  for (int i = 0; i < REGION * PAGE; i++) region[i] = (uint8_t)(i * 5 + i / 256);
  in_a_file("a shared file", MAP_SHARED, 0);
  in_a_file("a shared file upside down", MAP_SHARED, 1);
  in_a_file("a private file upside down", MAP_PRIVATE, 1);
  printf("edges of files %s\n", errors ? "wrong" : "right");
  copied(region);
  printf("copies %s\n", errors ? "wrong" : "right");
  odd_places(region);
  last_page();
  printf("odd places %s\n", errors ? "wrong" : "right");
  grows();
  printf("growing stacks %s\n", errors ? "wrong" : "right");
  coroutines(region);
  printf("coroutines %s\n", errors ? "wrong" : "right");
  handlers(region);
  printf("alternate stacks %s\n", errors ? "wrong" : "right");
  return errors != 0;
}
