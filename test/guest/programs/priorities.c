// native, root: real-time priorities are for those who may have them.
// Real-time priorities (sched(7)): in which order those who sleep on a futex, or wait for a lock that inherits them, are served.
#include "say.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#define THREADS 6
// 0 is a thread without one.
static const int priorities[THREADS] = {0, 5, 20, 0, 20, 7};
static int word;
static atomic_int served, order[THREADS];
static sem_t semaphore;
static pthread_mutex_t mutex;
struct job {
  void (*wait)(void);
  int id;
  atomic_int tid;
};

static void on_word(void) { syscall(SYS_futex, &word, FUTEX_WAIT, 0, 0, 0, 0); }
static void on_semaphore(void) { sem_wait(&semaphore); }
static void on_mutex(void) { pthread_mutex_lock(&mutex); }
static void *waits(void *a) {
  struct job *j = a;
  struct sched_param p = {priorities[j->id]};
  // musl has no sched_setscheduler.
  if (p.sched_priority) say("priority", syscall(SYS_sched_setscheduler, 0, SCHED_FIFO, &p));
  j->tid = syscall(SYS_gettid);
  j->wait();
  order[served] = j->id;
  served++;
  if (j->wait == on_mutex) pthread_mutex_unlock(&mutex);
  return 0;
}
// Until the thread sleeps, in the call that it makes next.
static void until_asleep(struct job *j) {
  char path[64], line[256], *state;
  do {
    usleep(2000);
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", j->tid);
    FILE *f = fopen(path, "r");
    state = f && fgets(line, sizeof line, f) ? strrchr(line, ')') : 0;
    if (f) fclose(f);
  } while (j->tid == 0 || !state || state[2] != 'S');
}
static void serve(const char *what, void (*wait)(void), void (*next)(void)) {
  pthread_t threads[THREADS];
  struct job jobs[THREADS];
  served = 0;
  for (int i = 0; i < THREADS; i++) {
    jobs[i].wait = wait, jobs[i].id = i, jobs[i].tid = 0;
    pthread_create(&threads[i], 0, waits, &jobs[i]);
    until_asleep(&jobs[i]);
  }
  for (int i = 0; i < THREADS; i++) {
    next();
    while (served <= i) usleep(1000);
  }
  printf("%s:", what);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], 0);
  for (int i = 0; i < THREADS; i++) printf(" %d", order[i]);
  printf("\n");
}
static void wake_one(void) { syscall(SYS_futex, &word, FUTEX_WAKE, 1, 0, 0, 0); }
static void post(void) { sem_post(&semaphore); }
static void unlock(void) {
  if (served == 0) pthread_mutex_unlock(&mutex);
}
int main(void) {
  serve("futex", on_word, wake_one);
  sem_init(&semaphore, 0, 0);
  serve("semaphore", on_semaphore, post);
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setprotocol(&attributes, PTHREAD_PRIO_INHERIT);
  pthread_mutex_init(&mutex, &attributes);
  pthread_mutex_lock(&mutex);
  serve("mutex that inherits", on_mutex, unlock);
  return 0;
}
