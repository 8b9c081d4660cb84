// native: the emulator loses robust and priority-inheriting locks.
// POSIX threads over futexes: every kind of mutex, condition, barrier, rwlock, semaphore, keys, cancellation, exits.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define N 4
static atomic_long total, flags_seen;
static atomic_int cancel_sent;
static long plain_total;
static pthread_mutex_t mutex;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER, cond2 = PTHREAD_COND_INITIALIZER;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static sem_t sem;
static __thread int tls = 42;
static __thread char tls_big[300] = "thread local";
static int queue[8], head, tail, once_count;

static struct timespec in_ms(clockid_t c, int ms) {
  struct timespec t;
  clock_gettime(c, &t);
  t.tv_nsec += ms * 1000000l;
  t.tv_sec += t.tv_nsec / 1000000000, t.tv_nsec %= 1000000000;
  return t;
}
static void run(void *(*f)(void *), int n) {
  pthread_t t[16];
  for (int i = 0; i < n; i++)
    if (pthread_create(&t[i], 0, f, (void *)(intptr_t)i)) printf("create failed\n");
  for (int i = 0; i < n; i++) pthread_join(t[i], 0);
}
static void *counts(void *a) {
  for (int i = 0; i < 20000; i++) {
    pthread_mutex_lock(&mutex);
    plain_total++;
    pthread_mutex_unlock(&mutex);
  }
  return a;
}
static void *atomics(void *a) {
  static atomic_int x;
  static _Atomic unsigned char bytes[8];
  static _Atomic unsigned short half;
  for (int i = 0; i < 20000; i++) {
    atomic_fetch_add(&total, 3);
    int e = atomic_load(&x);
    while (!atomic_compare_exchange_weak(&x, &e, e + 1)) {}
    atomic_fetch_xor(&bytes[(intptr_t)a], 1);
    atomic_fetch_add(&half, 1);
  }
  atomic_fetch_or(&flags_seen, 1l << (intptr_t)a);
  if ((intptr_t)a == 0) sched_yield();
  return a;
}
static __uint128_t wide;
static void *wides(void *a) {
  for (int i = 0; i < 3000; i++) {
    __uint128_t old = wide, new;
    do new = old + (((__uint128_t)1 << 64) | 1);
    while (!__atomic_compare_exchange_n(&wide, &old, new, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
  }
  return a;
}
static void *producer(void *a) {
  for (int i = 0; i < 2000; i++) {
    pthread_mutex_lock(&lock);
    while (head - tail == 8) pthread_cond_wait(&cond2, &lock);
    queue[head++ & 7] = i;
    pthread_cond_signal(&cond);
    pthread_mutex_unlock(&lock);
  }
  return a;
}
static void *consumer(void *a) {
  long sum = 0;
  for (int i = 0; i < 2000; i++) {
    pthread_mutex_lock(&lock);
    while (head == tail) pthread_cond_wait(&cond, &lock);
    sum += queue[tail++ & 7];
    pthread_cond_signal(&cond2);
    pthread_mutex_unlock(&lock);
  }
  atomic_fetch_add(&total, sum);
  return a;
}
static void *barriers(void *a) {
  int serial = 0;
  for (int i = 0; i < 50; i++) serial += pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD;
  atomic_fetch_add(&total, serial);
  return a;
}
static void *rwlocks(void *a) {
  for (int i = 0; i < 2000; i++) {
    if (i % 4 == (intptr_t)a) {
      pthread_rwlock_wrlock(&rw);
      plain_total++;
      pthread_rwlock_unlock(&rw);
    } else {
      pthread_rwlock_rdlock(&rw);
      if (plain_total < 0) abort();
      pthread_rwlock_unlock(&rw);
    }
  }
  return a;
}
static void once_fn(void) { once_count++; }
static void *onces(void *a) {
  pthread_once(&once, once_fn);
  return a;
}
static void destroy_key(void *v) { atomic_fetch_add(&total, (long)(intptr_t)v); }
static void *keys(void *a) {
  if (pthread_getspecific(key)) abort();
  pthread_setspecific(key, (void *)((intptr_t)a + 1));
  if (tls != 42 || strcmp(tls_big, "thread local")) abort();
  tls = (int)(intptr_t)a;
  tls_big[0] = 'X';
  return a;
}
static void *sems(void *a) {
  for (int i = 0; i < 1000; i++) {
    sem_wait(&sem);
    plain_total++;
    sem_post(&sem);
  }
  return a;
}
static void *dies_holding(void *m) {
  pthread_mutex_lock(m);
  return 0;
}
static void *tries(void *m) { return (void *)(intptr_t)pthread_mutex_trylock(m); }
static void *unlocks(void *m) { return (void *)(intptr_t)pthread_mutex_unlock(m); }
static void cleanup(void *v) { atomic_fetch_add(&total, (long)(intptr_t)v); }
static void *cancelled(void *a) {
  pthread_cleanup_push(cleanup, (void *)5);
  pthread_cleanup_push(cleanup, (void *)7);
  if ((intptr_t)a == 0) for (;;) pause();
  if ((intptr_t)a == 1) {
    pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, 0);
    for (volatile long i = 0;; i++) {}
  }
  if ((intptr_t)a == 2) {
    pthread_mutex_lock(&lock);
    pthread_cleanup_push((void (*)(void *))pthread_mutex_unlock, &lock);
    for (;;) pthread_cond_wait(&cond, &lock);
    pthread_cleanup_pop(1);
  }
  if ((intptr_t)a == 3) {
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, 0);
    while (!atomic_load(&cancel_sent)) usleep(1000);
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, 0);
    pthread_testcancel();
  }
  char c;
  int p[2];
  if ((intptr_t)a == 4 && pipe(p) == 0) return (void *)read(p[0], &c, 1);
  if ((intptr_t)a == 5) sem_wait(&sem);
  pthread_cleanup_pop(0);
  pthread_cleanup_pop(0);
  return a;
}
static void with_attr(const char *what, int type, int robust, int protocol) {
  pthread_mutexattr_t at;
  pthread_mutexattr_init(&at);
  pthread_mutexattr_settype(&at, type);
  if (robust) pthread_mutexattr_setrobust(&at, PTHREAD_MUTEX_ROBUST);
  int r = protocol ? pthread_mutexattr_setprotocol(&at, PTHREAD_PRIO_INHERIT) : 0;
  if (r) {
    printf("%s: protocol %d\n", what, r);
    return;
  }
  pthread_mutex_t m;
  pthread_mutex_init(&m, &at);
  printf("%s:", what);
  printf(" lock %d", pthread_mutex_lock(&m));
  r = pthread_mutex_trylock(&m);
  printf(" trylock %s", r == 0 ? "0" : r == EBUSY || r == EDEADLK ? "busy" : "other");
  if (r == 0) pthread_mutex_unlock(&m);
  if (type != PTHREAD_MUTEX_NORMAL) {
    printf(" again %d", r = pthread_mutex_lock(&m));
    if (r == 0) pthread_mutex_unlock(&m);
  }
  pthread_t t;
  void *v;
  pthread_create(&t, 0, tries, &m), pthread_join(t, &v);
  printf(" other's trylock %d", (int)(intptr_t)v);
  if (type != PTHREAD_MUTEX_NORMAL) {
    pthread_create(&t, 0, unlocks, &m), pthread_join(t, &v);
    printf(" other's unlock %d", (int)(intptr_t)v);
  }
  struct timespec ts = in_ms(CLOCK_REALTIME, 3);
  if (type != PTHREAD_MUTEX_RECURSIVE) printf(" timedlock %d", pthread_mutex_timedlock(&m, &ts));
  printf(" unlock %d", pthread_mutex_unlock(&m));
  if (type != PTHREAD_MUTEX_NORMAL || robust) printf(" again %d", pthread_mutex_unlock(&m));
  if (robust) {
    pthread_create(&t, 0, dies_holding, &m), pthread_join(t, 0);
    printf(" owner dead: %d", pthread_mutex_lock(&m));
    printf(" consistent %d", pthread_mutex_consistent(&m));
    pthread_mutex_unlock(&m);
    printf(" then %d", pthread_mutex_lock(&m));
    pthread_mutex_unlock(&m);
    pthread_create(&t, 0, dies_holding, &m), pthread_join(t, 0);
    pthread_mutex_lock(&m);
    pthread_mutex_unlock(&m);
    printf(" not made consistent: %d", pthread_mutex_lock(&m));
  }
  printf("\n");
  pthread_mutexattr_settype(&at, type);
  pthread_mutex_init(&mutex, &at);
  plain_total = 0;
  run(counts, N);
  printf("%s: count %ld\n", what, plain_total);
}
struct shared {
  pthread_mutex_t mutex, robust;
  pthread_cond_t cond;
  pthread_barrier_t barrier;
  sem_t sem;
  long count;
  int turn;
};
static void between_processes(void) {
  struct shared *s = mmap(0, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pthread_mutexattr_t ma;
  pthread_mutexattr_init(&ma);
  pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED);
  pthread_mutex_init(&s->mutex, &ma);
  pthread_mutexattr_setrobust(&ma, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&s->robust, &ma);
  pthread_condattr_t ca;
  pthread_condattr_init(&ca);
  pthread_condattr_setpshared(&ca, PTHREAD_PROCESS_SHARED);
  pthread_cond_init(&s->cond, &ca);
  pthread_barrierattr_t ba;
  pthread_barrierattr_init(&ba);
  pthread_barrierattr_setpshared(&ba, PTHREAD_PROCESS_SHARED);
  pthread_barrier_init(&s->barrier, &ba, 3);
  sem_init(&s->sem, 1, 1);
  for (int k = 0; k < 2; k++) {
    if (fork() != 0) continue;
    pthread_barrier_wait(&s->barrier);
    for (int i = 0; i < 3000; i++) {
      pthread_mutex_lock(&s->mutex);
      s->count++;
      pthread_mutex_unlock(&s->mutex);
      sem_wait(&s->sem);
      s->count++;
      sem_post(&s->sem);
    }
    for (int i = 0; i < 100; i++) {
      pthread_mutex_lock(&s->mutex);
      while (s->turn != k) pthread_cond_wait(&s->cond, &s->mutex);
      s->turn = !k;
      pthread_cond_broadcast(&s->cond);
      pthread_mutex_unlock(&s->mutex);
    }
    if (k == 0) pthread_mutex_lock(&s->robust);
    _exit(0);
  }
  pthread_barrier_wait(&s->barrier);
  int st;
  while (wait(&st) > 0) {}
  printf("processes: at least %d, turn %d, robust %d\n", s->count > 6000, s->turn, pthread_mutex_lock(&s->robust));
}
static void *outlives(void *a) {
  usleep(3000);
  printf("another thread after main: pid is the same %d\n", getpid() == (intptr_t)a);
  exit(12);
}
static void *just_exits(void *a) {
  usleep(3000);
  return a;
}

int main(void) {
  setvbuf(stdout, 0, _IONBF, 0);
  with_attr("normal", PTHREAD_MUTEX_NORMAL, 0, 0);
  with_attr("errorcheck", PTHREAD_MUTEX_ERRORCHECK, 0, 0);
  with_attr("recursive", PTHREAD_MUTEX_RECURSIVE, 0, 0);
  with_attr("robust", PTHREAD_MUTEX_ERRORCHECK, 1, 0);
  with_attr("inheriting", PTHREAD_MUTEX_ERRORCHECK, 0, 1);
  with_attr("inheriting recursive", PTHREAD_MUTEX_RECURSIVE, 0, 1);
  with_attr("robust and inheriting", PTHREAD_MUTEX_ERRORCHECK, 1, 1);
  total = 0;
  run(atomics, N);
  printf("atomics: %ld %lx\n", total, flags_seen);
  run(wides, N);
  printf("128 bits: %lx %lx\n", (long)(wide >> 64), (long)wide);
  total = 0;
  pthread_t a, b;
  pthread_create(&a, 0, producer, 0), pthread_create(&b, 0, consumer, 0);
  pthread_join(a, 0), pthread_join(b, 0);
  printf("queue: %ld\n", total);
  struct timespec ts = in_ms(CLOCK_REALTIME, 3);
  pthread_mutex_lock(&lock);
  printf("timedwait: %d\n", pthread_cond_timedwait(&cond, &lock, &ts));
  pthread_mutex_unlock(&lock);
  pthread_condattr_t ca;
  pthread_condattr_init(&ca);
  pthread_condattr_setclock(&ca, CLOCK_MONOTONIC);
  pthread_cond_t mono;
  pthread_cond_init(&mono, &ca);
  ts = in_ms(CLOCK_MONOTONIC, 3);
  pthread_mutex_lock(&lock);
  printf("timedwait monotonic: %d\n", pthread_cond_timedwait(&mono, &lock, &ts));
  pthread_mutex_unlock(&lock);
  pthread_barrier_init(&barrier, 0, N);
  total = 0;
  run(barriers, N);
  printf("barrier: %ld serial threads\n", total);
  plain_total = 0;
  run(rwlocks, N);
  printf("rwlock: %ld\n", plain_total);
  printf("rwlock held: try %d\n", (pthread_rwlock_wrlock(&rw), pthread_rwlock_tryrdlock(&rw)));
  ts = in_ms(CLOCK_REALTIME, 3);
  pthread_rwlock_unlock(&rw);
  pthread_rwlock_rdlock(&rw);
  printf("timedwrlock: %d, tryrdlock %d\n", pthread_rwlock_timedwrlock(&rw, &ts), pthread_rwlock_tryrdlock(&rw));
  run(onces, N);
  printf("once: %d\n", once_count);
  pthread_key_create(&key, destroy_key);
  total = 0;
  run(keys, N);
  printf("keys: %ld tls %d %s\n", total, tls, tls_big);
  sem_init(&sem, 0, 1);
  plain_total = 0;
  run(sems, N);
  int v;
  sem_getvalue(&sem, &v);
  printf("semaphore: %ld value %d try %d", plain_total, v, sem_trywait(&sem));
  ts = in_ms(CLOCK_REALTIME, 3);
  int r = sem_timedwait(&sem, &ts);
  printf(" timedwait %d errno %d\n", r, errno);
  for (int i = 0; i < 6; i++) {
    void *ret;
    total = 0, cancel_sent = 0;
    pthread_create(&a, 0, cancelled, (void *)(intptr_t)i);
    usleep(2000);
    pthread_cancel(a);
    atomic_store(&cancel_sent, 1);
    pthread_join(a, &ret);
    printf("cancel %d: %s cleanup %ld\n", i, ret == PTHREAD_CANCELED ? "cancelled" : "returned", total);
  }
  printf("lock free again: %d\n", pthread_mutex_trylock(&lock));
  // Attributes
  pthread_attr_t at;
  pthread_attr_init(&at);
  pthread_attr_setdetachstate(&at, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&at, 1 << 20);
  printf("detached: %d\n", pthread_create(&a, &at, just_exits, 0));
  usleep(6000);
  between_processes();
  // Exits
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    pthread_create(&a, 0, outlives, (void *)(intptr_t)getpid());
    pthread_exit(0);
  }
  int st;
  waitpid(pid, &st, 0);
  printf("main left first: %x\n", st);
  pid = fork();
  if (pid == 0) {
    pthread_create(&a, 0, just_exits, 0);
    syscall(SYS_exit, 9);
  }
  siginfo_t si;
  si.si_pid = 0;
  waitid(P_PID, pid, &si, WEXITED | WNOHANG);
  int early = si.si_pid != 0;
  waitpid(pid, &st, 0);
  printf("leader is a zombie: reported early %d, status %x\n", early, st);
  pid = fork();
  if (pid == 0) {
    for (int i = 0; i < 3; i++) pthread_create(&a, 0, just_exits, 0);
    _exit(13);
  }
  waitpid(pid, &st, 0);
  printf("exit_group: %x\n", st);
  return 0;
}
