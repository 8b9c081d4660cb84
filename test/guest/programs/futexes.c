// native: the emulator knows few futex operations.
// futex(2) by its operations, set_robust_list(2), futex errors; requeueing, bitsets, priority inheritance.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif

static long futex(volatile void *w, int op, unsigned v, const void *timeout, volatile void *w2, unsigned v3) {
  return syscall(SYS_futex, w, op, v, timeout, w2, v3);
}
static void err(const char *what, long r) {
  if (r == -1) printf("%s: errno %d\n", what, errno);
  else printf("%s: %ld\n", what, r);
}
static volatile int one, two;
static atomic_int asleep, woken[8];
struct job {
  volatile int *word;
  int op, bits, id;
  volatile int *pi;
  long result;
  int error;
};
static void *waits(void *a) {
  struct job *j = a;
  asleep++;
  if (j->op == FUTEX_WAIT_REQUEUE_PI) j->result = futex(j->word, j->op, *j->word, 0, j->pi, 0);
  else j->result = futex(j->word, j->op, *j->word, 0, 0, j->bits);
  j->error = errno;
  woken[j->id] = 1;
  if (j->op == FUTEX_WAIT_REQUEUE_PI && j->result == 0) futex(j->pi, FUTEX_UNLOCK_PI, 0, 0, 0, 0);
  return 0;
}
static pthread_t threads[8];
static struct job jobs[8];
static void start(int n, int op, int bits_shift, volatile int *pi) {
  asleep = 0;
  for (int i = 0; i < n; i++) {
    jobs[i] = (struct job){&one, op, bits_shift ? 1 << i : -1, i, pi, 0, 0};
    woken[i] = 0;
    pthread_create(&threads[i], 0, waits, &jobs[i]);
    while (asleep != i + 1) usleep(100);
    usleep(3000);
  }
}
static const char *who(int n) {
  static char text[16];
  usleep(3000);
  for (int i = 0; i < n; i++) text[i] = woken[i] ? '1' : '0';
  text[n] = 0;
  return text;
}
static void finish(int n) {
  futex(&one, FUTEX_WAKE, 100, 0, 0, 0);
  futex(&two, FUTEX_WAKE, 100, 0, 0, 0);
  for (int i = 0; i < n; i++) pthread_join(threads[i], 0);
}
static void *locks_pi(void *a) {
  long r = futex(a, FUTEX_LOCK_PI, 0, 0, 0, 0);
  woken[0] = 1;
  if (r == 0) futex(a, FUTEX_UNLOCK_PI, 0, 0, 0, 0);
  return (void *)r;
}
static void *dies_with_pi(void *a) {
  futex(a, FUTEX_LOCK_PI, 0, 0, 0, 0);
  return 0;
}
struct node {
  struct robust_list list;
  int word;
};
static struct node nodes[3];
static struct robust_list_head head;
static void *dies_with_robust(void *a) {
  (void)a;
  head.list.next = &nodes[0].list;
  head.futex_offset = offsetof(struct node, word) - offsetof(struct node, list);
  head.list_op_pending = 0;
  for (int i = 0; i < 3; i++) {
    nodes[i].list.next = i < 2 ? &nodes[i + 1].list : (struct robust_list *)&head;
    nodes[i].word = syscall(SYS_gettid) | (i == 1 ? FUTEX_WAITERS : 0);
  }
  nodes[2].word = 12345;
  syscall(SYS_set_robust_list, &head, sizeof head);
  syscall(SYS_exit, 0);
  return 0;
}

int main(void) {
  setvbuf(stdout, 0, _IONBF, 0);
  struct timespec t = {0, 2000000}, bad = {0, 1000000000};
  err("wait, another value", futex(&one, FUTEX_WAIT, 1, 0, 0, 0));
  err("wait, timeout", futex(&one, FUTEX_WAIT, 0, &t, 0, 0));
  err("wait, private", futex(&one, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, &t, 0, 0));
  err("wait, bad timeout", futex(&one, FUTEX_WAIT, 0, &bad, 0, 0));
  err("wait, bad timeout address", futex(&one, FUTEX_WAIT, 0, (void *)8, 0, 0));
  err("wait, bad address", futex((void *)8, FUTEX_WAIT, 0, &t, 0, 0));
  err("wait, misaligned", futex((char *)&one + 1, FUTEX_WAIT, 0, &t, 0, 0));
  err("wait, negative timeout", futex(&one, FUTEX_WAIT, 0, &(struct timespec){-1, 0}, 0, 0));
  err("wait, zero timeout", futex(&one, FUTEX_WAIT, 0, &(struct timespec){0, 0}, 0, 0));
  err("wait bitset 0", futex(&one, FUTEX_WAIT_BITSET, 0, &t, 0, 0));
  clock_gettime(CLOCK_MONOTONIC, &t);
  err("wait bitset, absolute and past", futex(&one, FUTEX_WAIT_BITSET, 0, &t, 0, -1));
  clock_gettime(CLOCK_REALTIME, &t);
  t.tv_nsec += 2000000;
  if (t.tv_nsec >= 1000000000) t.tv_sec++, t.tv_nsec -= 1000000000;
  err("wait bitset, realtime", futex(&one, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &t, 0, -1));
  err("wait, realtime, relative", futex(&one, FUTEX_WAIT | FUTEX_CLOCK_REALTIME, 0, &(struct timespec){0, 1000}, 0, 0));
  err("wake with realtime", futex(&one, FUTEX_WAKE | FUTEX_CLOCK_REALTIME, 1, 0, 0, 0));
  err("wake nobody", futex(&one, FUTEX_WAKE, 1, 0, 0, 0));
  err("wake, bad address", futex((void *)8, FUTEX_WAKE, 1, 0, 0, 0));
  err("wake private, bad address", futex((void *)8, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, 0, 0, 0));
  err("wake bitset 0", futex(&one, FUTEX_WAKE_BITSET, 1, 0, 0, 0));
  err("FUTEX_FD", futex(&one, 2, 1, 0, 0, 0));
  err("unknown", futex(&one, 77, 1, 0, 0, 0));
  // Wake order, counts, bitsets
  start(4, FUTEX_WAIT, 0, 0);
  err("wake 1", futex(&one, FUTEX_WAKE, 1, 0, 0, 0));
  printf("woken: %s\n", who(4));
  err("wake 2", futex(&one, FUTEX_WAKE, 2, 0, 0, 0));
  printf("woken: %s\n", who(4));
  err("private wake of a shared wait", futex(&one, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 5, 0, 0, 0));
  finish(4);
  start(4, FUTEX_WAIT_BITSET, 1, 0);
  err("wake bits 2 and 8", futex(&one, FUTEX_WAKE_BITSET, 10, 0, 0, 10));
  printf("woken: %s\n", who(4));
  finish(4);
  // Requeue
  start(5, FUTEX_WAIT, 0, 0);
  err("cmp requeue, another value", futex(&one, FUTEX_CMP_REQUEUE, 1, (void *)2, &two, 7));
  err("cmp requeue", futex(&one, FUTEX_CMP_REQUEUE, 1, (void *)2, &two, 0));
  printf("woken: %s\n", who(5));
  err("wake the target", futex(&two, FUTEX_WAKE, 10, 0, 0, 0));
  printf("woken: %s\n", who(5));
  err("requeue", futex(&one, FUTEX_REQUEUE, 0, (void *)10, &two, 0));
  err("negative count", futex(&one, FUTEX_REQUEUE, -1, (void *)10, &two, 0));
  err("wake the source", futex(&one, FUTEX_WAKE, 10, 0, 0, 0));
  err("wake the target", futex(&two, FUTEX_WAKE, 10, 0, 0, 0));
  finish(5);
  // WAKE_OP: *two = *two + 3, and wake waiters of two if it was 0
  start(2, FUTEX_WAIT, 0, 0);
  two = 0;
  err("wake op", futex(&one, FUTEX_WAKE_OP, 1, (void *)1, &two, FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 0)));
  printf("woken %s two %d\n", who(2), two);
  err("wake op or", futex(&one, FUTEX_WAKE_OP, 0, (void *)1, &two, FUTEX_OP(FUTEX_OP_OR, 8, FUTEX_OP_CMP_GT, 2)));
  err("wake op andn", futex(&one, FUTEX_WAKE_OP, 0, (void *)1, &two, FUTEX_OP(FUTEX_OP_ANDN, 1, FUTEX_OP_CMP_LE, 2)));
  err("wake op xor shift", futex(&one, FUTEX_WAKE_OP, 0, (void *)1, &two, FUTEX_OP(FUTEX_OP_XOR | 8, 4, FUTEX_OP_CMP_NE, 2)));
  printf("two %d\n", two);
  err("wake op unknown", futex(&one, FUTEX_WAKE_OP, 0, (void *)1, &two, FUTEX_OP(7, 4, FUTEX_OP_CMP_NE, 2)));
  err("wake op bad address", futex(&one, FUTEX_WAKE_OP, 0, (void *)1, (void *)8, FUTEX_OP(FUTEX_OP_ADD, 1, 0, 0)));
  finish(2);
  two = 0;
  // Between processes, and not between private copies
  volatile int *shared = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  volatile int *alias = mremap((void *)shared, 0, 4096, MREMAP_MAYMOVE);
  pid_t pid = fork();
  if (pid == 0) {
    shared[1] = 1;
    long r = futex(&shared[0], FUTEX_WAIT, 0, 0, 0, 0);
    _exit(r == 0 ? 5 : 6);
  }
  while (!shared[1]) usleep(100);
  usleep(5000);
  err("wake through another mapping", futex(&alias[0], FUTEX_WAKE, 10, 0, 0, 0));
  int st;
  waitpid(pid, &st, 0);
  printf("child: %x\n", st);
  // PI
  static volatile int pi;
  err("lock pi", futex(&pi, FUTEX_LOCK_PI, 0, 0, 0, 0));
  printf("owner: %d\n", pi == (int)syscall(SYS_gettid));
  err("lock pi again", futex(&pi, FUTEX_LOCK_PI, 0, 0, 0, 0));
  err("trylock pi", futex(&pi, FUTEX_TRYLOCK_PI, 0, 0, 0, 0));
  woken[0] = 0;
  pthread_t th;
  pthread_create(&th, 0, locks_pi, (void *)&pi);
  usleep(5000);
  printf("waiters bit %d, waiting %d\n", (pi & FUTEX_WAITERS) != 0, !woken[0]);
  err("unlock pi", futex(&pi, FUTEX_UNLOCK_PI, 0, 0, 0, 0));
  pthread_join(th, 0);
  printf("free: %d\n", pi == 0);
  err("unlock pi of none", futex(&pi, FUTEX_UNLOCK_PI, 0, 0, 0, 0));
  pi = 1 << 29;
  err("lock pi of nobody", futex(&pi, FUTEX_LOCK_PI, 0, 0, 0, 0));
  pi = 4000000;
  err("lock pi of a dead owner", futex(&pi, FUTEX_LOCK_PI, 0, 0, 0, 0));
  pi = 0;
  pthread_create(&th, 0, dies_with_pi, (void *)&pi);
  pthread_join(th, 0);
  printf("left behind: owner dead %d\n", (pi & FUTEX_OWNER_DIED) != 0);
  pi = getpid();
  clock_gettime(CLOCK_REALTIME, &t);
  pthread_create(&th, 0, locks_pi, (void *)&pi);
  usleep(2000);
  futex(&pi, FUTEX_UNLOCK_PI, 0, 0, 0, 0);
  pthread_join(th, 0);
  pi = 0;
  // WAIT_REQUEUE_PI
  futex(&pi, FUTEX_LOCK_PI, 0, 0, 0, 0);
  start(3, FUTEX_WAIT_REQUEUE_PI, 0, &pi);
  err("cmp requeue pi", futex(&one, FUTEX_CMP_REQUEUE_PI, 1, (void *)10, &pi, 0));
  printf("woken %s\n", who(3));
  err("unlock", futex(&pi, FUTEX_UNLOCK_PI, 0, 0, 0, 0));
  for (int i = 0; i < 3; i++) pthread_join(threads[i], 0);
  printf("results %ld %ld %ld, free %d\n", jobs[0].result, jobs[1].result, jobs[2].result, pi == 0);
  // Robust lists
  err("set_robust_list size", syscall(SYS_set_robust_list, &head, 5));
  void *got;
  size_t size;
  err("get_robust_list", syscall(SYS_get_robust_list, 0, &got, &size));
  printf("size %zu\n", size);
  err("get_robust_list of nobody", syscall(SYS_get_robust_list, 4000000, &got, &size));
  pthread_create(&th, 0, dies_with_robust, 0);
  for (int i = 0; i < 1000 && !(*(volatile int *)&nodes[1].word & FUTEX_OWNER_DIED); i++) usleep(1000);
  for (int i = 0; i < 3; i++)
    printf("robust %d: %s waiters %d\n", i, nodes[i].word & FUTEX_OWNER_DIED ? "owner died" : "untouched", (nodes[i].word & FUTEX_WAITERS) != 0);
  _exit(0);
}
