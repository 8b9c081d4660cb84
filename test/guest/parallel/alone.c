// A process that has run alone, its code being translated for that, and then shares memory in each of the ways there are: from then on its atomics
// are atomic for the other side too, and its barriers order. Each line says whether no update was lost. Both sides do the same to the same words, or the
// other writes half a word from outside while this side adds to the other half.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, PETERSON = 10000, ALONE = 1000 };
#define RW (PROT_READ | PROT_WRITE)
#define LSE ".arch armv8.1-a\n"

/// So often a side finds that the other was in between, or that it has ended, or it gives up after so many times as many rounds: it depends on the
/// machine when both run at once.
static uint64_t meetings = 30000;
enum { PATIENCE = 200 };

typedef volatile struct {
  uint64_t here[2], gone[2], added, exclusive, compared, bits, held, lock;
  uint64_t interested[2], turn, in_turn, wrong, rounds[2], locked[2];
} Words;

static uint64_t add(volatile uint64_t *p, uint64_t by) {
  uint64_t old;
  __asm__ volatile(LSE "ldadd %2, %0, [%1]" : "=&r"(old) : "r"(p), "r"(by) : "memory");
  return old;
}

static void add_exclusive(volatile uint64_t *p) {
  uint64_t value;
  uint32_t failed;
  __asm__ volatile("1: ldxr %0, [%2]\n add %0, %0, #1\n stxr %w1, %0, [%2]\n cbnz %w1, 1b"
                   : "=&r"(value), "=&r"(failed)
                   : "r"(p)
                   : "memory");
}

static uint64_t compare(volatile uint64_t *p, uint64_t old, uint64_t new) {
  __asm__ volatile(LSE "casal %0, %2, [%1]" : "+r"(old) : "r"(p), "r"(new) : "memory");
  return old;
}

static uint64_t set(volatile uint64_t *p, uint64_t bits) {
  uint64_t old;
  __asm__ volatile(LSE "ldset %2, %0, [%1]" : "=&r"(old) : "r"(p), "r"(bits) : "memory");
  return old;
}

static uint64_t clear(volatile uint64_t *p, uint64_t bits) {
  uint64_t old;
  __asm__ volatile(LSE "ldclr %2, %0, [%1]" : "=&r"(old) : "r"(p), "r"(bits) : "memory");
  return old;
}

static uint64_t swap(volatile uint64_t *p, uint64_t new) {
  uint64_t old;
  __asm__ volatile(LSE "swpa %2, %0, [%1]" : "=&r"(old) : "r"(p), "r"(new) : "memory");
  return old;
}

static void release(volatile uint64_t *p) { __asm__ volatile("stlr xzr, [%0]" : : "r"(p) : "memory"); }
static void barrier(void) { __asm__ volatile("dmb ish" : : : "memory"); }

static void wait_for(volatile uint64_t *p, uint64_t value) {
  for (int i = 0; *p != value; i++)
    if (i > 1000) sched_yield();
}

/// Until it has met the other side so often, in at most so many rounds.
__attribute__((noinline)) static void contend(Words *w, int me, uint64_t meetings_wanted, uint64_t most) {
  uint64_t mine = 1ull << me, rounds = 0, locked = 0, last = 0;
  for (uint64_t met = 0; met < meetings_wanted && rounds < most && w->rounds[!me] == 0; rounds++) {
    uint64_t before = add(&w->added, 1);
    met += before != last + 1;
    last = before;
    add_exclusive(&w->exclusive);
    for (uint64_t seen = w->compared, found; (found = compare(&w->compared, seen, seen + 1)) != seen;) seen = found;
    if (set(&w->bits, mine) & mine) w->wrong = 1;
    if (!(clear(&w->bits, mine) & mine)) w->wrong = 1;
    if (rounds % 8 != 0 || swap(&w->lock, 1) != 0) continue;
    w->held++;
    release(&w->lock);
    locked++;
  }
  w->locked[me] = locked;
  w->rounds[me] = rounds;
}

/// Peterson's: two stores, a barrier, two loads.
__attribute__((noinline)) static void take_turns(Words *w, int me) {
  for (int i = 0; i < PETERSON; i++) {
    w->interested[me] = 1;
    barrier();
    w->turn = !me;
    barrier();
    for (int tries = 0; w->interested[!me] && w->turn == (uint64_t)!me;)
      if (tries++ > 200) sched_yield();
    barrier();
    w->in_turn++;
    barrier();
    w->interested[me] = 0;
  }
}

static void side(Words *w, int me) {
  w->here[me] = 1;
  wait_for(&w->here[!me], 1);
  contend(w, me, meetings, PATIENCE * meetings);
  take_turns(w, me);
  barrier();
  w->gone[me] = 1;
}

/// After both sides: was nothing lost?
static int whole(Words *w) {
  wait_for(&w->gone[1], 1);
  barrier();
  uint64_t all = w->rounds[0] + w->rounds[1];
  return w->added == all && w->exclusive == all && w->compared == all && w->bits == 0 && w->lock == 0 && w->held == w->locked[0] + w->locked[1] &&
         w->in_turn == 2 * PETERSON && !w->wrong;
}

static _Alignas(PAGE) char memory[PAGE], stack[1 << 16], second_stack[1 << 16];

static int other(void *w) {
  side(w, 1);
  return 0;
}

static void *other_thread(void *w) {
  side(w, 1);
  return NULL;
}

static int thread(void) {
  pthread_t t;
  pthread_create(&t, NULL, other_thread, memory);
  side((Words *)memory, 0);
  pthread_join(t, NULL);
  return whole((Words *)memory);
}

static int process(void) {
  int pid = clone(other, stack + sizeof stack, CLONE_VM | SIGCHLD, memory);
  side((Words *)memory, 0);
  waitpid(pid, NULL, 0);
  return whole((Words *)memory);
}

/// Leaves another process behind, in the memory of the parent that waits.
static int forked_in(void *w) {
  clone(other, second_stack + sizeof second_stack, CLONE_VM, w);
  return 0;
}

static int vforked(void) {
  int pid = clone(forked_in, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, memory);
  waitpid(pid, NULL, 0);
  side((Words *)memory, 0);
  return whole((Words *)memory);
}

/// With a child, each side getting its memory by `map`, before the fork or after it.
static int with_child(Words *(*map)(void), int before) {
  Words *w = before ? map() : NULL;
  int pid = fork();
  if (w == NULL) w = map();
  side(w, pid == 0);
  if (pid == 0) _exit(0);
  waitpid(pid, NULL, 0);
  return whole(w);
}

static int fd, segment;
static Words *anonymous(void) { return mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0); }
static Words *touched(void) {
  Words *w = anonymous();
  w->turn = 1;
  return w;
}
static Words *file(void) { return mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0); }
static Words *attached(void) { return shmat(segment, NULL, 0); }
/// Read first, writable later.
static Words *raised(void) {
  Words *w = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
  if (w->turn != 0) w = NULL;
  mprotect((void *)w, PAGE, RW);
  return w;
}

static int shared_before(void) { return with_child(anonymous, 1); }
static int shared_and_touched(void) { return with_child(touched, 1); }
static int shared_file(void) {
  char name[] = "/tmp/alone-XXXXXX";
  fd = mkstemp(name);
  unlink(name);
  ftruncate(fd, PAGE);
  return with_child(file, 0);
}
static int shared_memfd(void) {
  fd = memfd_create("alone", 0);
  ftruncate(fd, PAGE);
  return with_child(file, 0);
}
static int shared_raised(void) {
  fd = memfd_create("alone", 0);
  ftruncate(fd, PAGE);
  return with_child(raised, 0);
}
static int shared_segment(int before) {
  segment = shmget(IPC_PRIVATE, PAGE, 0600);
  int right = with_child(attached, before);
  shmctl(segment, IPC_RMID, NULL);
  return right;
}
static int segment_before(void) { return shared_segment(1); }
static int segment_after(void) { return shared_segment(0); }

static int executed(void) {
  fd = memfd_create("alone", 0);
  ftruncate(fd, PAGE);
  int pid = fork();
  if (pid == 0) {
    char number[16], times[16];
    snprintf(number, sizeof number, "%d", fd);
    snprintf(times, sizeof times, "%lu", (unsigned long)meetings);
    execl("/proc/self/exe", "alone", times, number, NULL);
    _exit(1);
  }
  Words *w = file();
  side(w, 0);
  waitpid(pid, NULL, 0);
  return whole(w);
}

/// What is written from outside.
static volatile uint64_t word, stop, failed;

static void outside_vm(int pid, volatile void *at, uint32_t value) {
  struct iovec from = {&value, 4}, to = {(void *)at, 4};
  process_vm_writev(pid, &from, 1, &to, 1, 0);
}

static void outside_file(int pid, volatile void *at, uint32_t value) {
  (void)pid;
  pwrite(fd, &value, 4, (off_t)(uintptr_t)at);
}

/// A child writes the upper halves of words, and this side adds to the lower ones.
static int from_outside(void (*put)(int, volatile void *, uint32_t)) {
  int parent = getpid();
  int pid = fork();
  if (pid == 0) {
    char name[64];
    snprintf(name, sizeof name, "/proc/%d/mem", parent);
    fd = open(name, O_RDWR);
    int lost = 0;
    for (uint32_t i = 1; i <= 50000; i++) {
      put(parent, (volatile char *)&word + 4, i);
      for (volatile int pause = 0; pause < 100; pause++) {}
      uint64_t now;
      struct iovec to = {&now, 8}, from = {(void *)&word, 8};
      process_vm_readv(parent, &to, 1, &from, 1, 0);
      if (now >> 32 != i) lost++;
    }
    if (lost != 0) put(parent, &failed, 1);
    put(parent, &stop, 1);
    _exit(0);
  }
  uint32_t added = 0;
  for (; !stop; added += 32)
    for (int i = 0; i < 16; i++) {
      add(&word, 1);
      add_exclusive(&word);
    }
  waitpid(pid, NULL, 0);
  return !failed && (uint32_t)word == added;
}

static int written_by_call(void) { return from_outside(outside_vm); }
static int written_by_file(void) { return from_outside(outside_file); }

/// In a process of its own, which has run the same code alone before.
static void part(const char *name, int (*way)(void)) {
  fflush(stdout);
  int pid = fork();
  if (pid == 0) {
    Words *w = (Words *)memory;
    contend(w, 0, ALONE, ALONE);
    int right = w->added == ALONE;
    memset(memory, 0, PAGE);
    _exit(right && way() ? 0 : 1);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  printf("%s %s\n", name, status == 0 ? "right" : "wrong");
}

int main(int argc, char **argv) {
  if (argc > 1) meetings = strtoul(argv[1], NULL, 10);
  if (argc > 2) {
    fd = atoi(argv[2]);
    side(file(), 1);
    return 0;
  }
  part("thread", thread);
  part("process in the same memory", process);
  part("process left by a vfork", vforked);
  part("anonymous memory", shared_before);
  part("anonymous memory that was touched", shared_and_touched);
  part("file", shared_file);
  part("memfd", shared_memfd);
  part("memfd that was read first", shared_raised);
  part("segment attached before", segment_before);
  part("segment attached after", segment_after);
  part("another program", executed);
  part("written by process_vm_writev", written_by_call);
  part("written by /proc/PID/mem", written_by_file);
  return 0;
}
