// Where tasks may run: what the affinity calls say and what getcpu(2) and /proc show agree, threads move when somebody else moves them, and
// threads that may run on one CPU only take turns. The same on any number of CPUs.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static cpu_set_t all;
static int first, last;

static int cpu_now(void) {
  unsigned cpu = 999;
  return syscall(SYS_getcpu, &cpu, 0, 0) == 0 ? (int)cpu : -1;
}

static int pin(pid_t tid, int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  return syscall(SYS_sched_setaffinity, tid, sizeof set, &set) == 0 ? 0 : errno;
}

static int is_pinned(pid_t tid, int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (syscall(SYS_sched_getaffinity, tid, sizeof set, &set) < 0) return 0;
  return CPU_COUNT(&set) == 1 && CPU_ISSET(cpu, &set);
}

static int status_says(int cpu) {
  char line[512], want[32];
  int found = 0;
  snprintf(want, sizeof want, "Cpus_allowed_list:\t%d\n", cpu);
  FILE *f = fopen("/proc/thread-self/status", "r");
  while (f && fgets(line, sizeof line, f)) if (!strcmp(line, want)) found = 1;
  if (f) fclose(f);
  return found;
}

static int stat_says(int cpu) {
  char text[1024], *at;
  FILE *f = fopen("/proc/thread-self/stat", "r");
  size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
  if (f) fclose(f);
  text[n] = 0;
  at = strrchr(text, ')');
  for (int field = 2; at && field < 39; field++) at = strchr(at + 1, ' ');
  return at && atoi(at + 1) == cpu;
}

static void each_cpu(void) {
  int ok = 1;
  for (int round = 0; round < 3; round++)
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
      if (CPU_ISSET(cpu, &all))
        ok &= pin(0, cpu) == 0 && cpu_now() == cpu && is_pinned(0, cpu) && status_says(cpu) && stat_says(cpu);
  printf("each cpu: %s\n", ok ? "ok" : "differs");
}

static void inherited(void) {
  pin(0, last);
  int status;
  if (fork() == 0) _exit(cpu_now() == last && is_pinned(0, last) ? 0 : 1);
  wait(&status);
  printf("a child stays: %s\n", status == 0 ? "ok" : "differs");
  sched_setaffinity(0, sizeof all, &all);
}

static atomic_int wanted, seen, stop;
static pid_t mover_tid;

static void *moved(void *arg) {
  mover_tid = gettid();
  atomic_store(&seen, -1);
  while (!atomic_load(&stop)) {
    atomic_store(&seen, cpu_now());
    for (volatile int i = 0; i < 20000; i++) ;
  }
  return arg;
}

static void others(void) {
  pthread_t thread;
  atomic_store(&seen, -2);
  pthread_create(&thread, 0, moved, 0);
  while (atomic_load(&seen) == -2) sched_yield();
  for (int round = 0; round < 40; round++) {
    int cpu = round % 2 ? first : last;
    if (pin(mover_tid, cpu) != 0) printf("cannot pin\n");
    while (atomic_load(&seen) != cpu) sched_yield();
  }
  atomic_store(&stop, 1);
  pthread_join(thread, 0);
  printf("a thread goes where it is sent: ok\n");
}

enum { WINDOWS = 4000 };
static atomic_long counts[4];
static atomic_int running, done;

/** Counts, and how often another counted in a stretch that is far shorter than a turn. */
static long watch(int self, int other, int cpu) {
  if (cpu >= 0) pin(0, cpu);
  atomic_fetch_add(&running, 1);
  while (atomic_load(&running) < 2) sched_yield();
  long met = 0;
  for (int w = 0; w < WINDOWS || atomic_load(&done) == 0; w++) {
    long before = atomic_load(&counts[other]);
    for (int i = 0; i < 2000; i++) atomic_fetch_add(&counts[self], 1);
    if (w < WINDOWS && atomic_load(&counts[other]) != before) met++;
    if (w == WINDOWS) atomic_store(&done, 1);
  }
  return met;
}

static void *watched(void *arg) { return (void *)watch(1, 0, (int)(long)arg); }

static void turns(void) {
  pthread_t thread;
  pthread_create(&thread, 0, watched, (void *)(long)last);
  long mine = watch(0, 1, last), *other;
  pthread_join(thread, (void **)&other);
  printf("on one CPU they take turns: %s\n", mine < WINDOWS / 4 && (long)other < WINDOWS / 4 ? "ok" : "they do not");
  sched_setaffinity(0, sizeof all, &all);
}

/** All on the CPUs that they were given, more than there are: each gets on. */
static void *crowd(void *arg) {
  int self = (int)(long)arg;
  pin(0, self % 2 ? first : last);
  for (int i = 0; i < 3000000; i++) atomic_fetch_add(&counts[self], 1);
  return (void *)(long)(cpu_now() == (self % 2 ? first : last));
}

static void crowds(void) {
  pthread_t threads[4];
  long fine = 1;
  for (long i = 0; i < 4; i++) pthread_create(&threads[i], 0, crowd, (void *)i);
  for (int i = 0; i < 4; i++) {
    void *result;
    pthread_join(threads[i], &result);
    fine &= (long)result;
  }
  printf("a crowd: %s\n", fine ? "ok" : "differs");
}

int main(void) {
  setvbuf(stdout, 0, _IONBF, 0);
  sched_getaffinity(0, sizeof all, &all);
  for (first = 0; !CPU_ISSET(first, &all); first++) ;
  for (last = CPU_SETSIZE - 1; !CPU_ISSET(last, &all); last--) ;
  each_cpu();
  inherited();
  others();
  turns();
  crowds();
  cpu_set_t none;
  CPU_ZERO(&none);
  printf("none: %s\n", sched_setaffinity(0, sizeof none, &none) < 0 && errno == EINVAL ? "EINVAL" : "taken");
  return 0;
}
