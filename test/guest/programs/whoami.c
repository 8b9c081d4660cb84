// native: the emulator runs with the caller's own identity.
// Calls that ask who the task is say what /proc says, asked again and again, whatever has changed in between: ids, threads, children, programs.
#include "say.h"
#include <pthread.h>
#include <sched.h>

struct who {
  long tgid, tid, uid, euid, gid, egid;
};

static struct who asked(void) {
  return (struct who){syscall(SYS_getpid), syscall(SYS_gettid), syscall(SYS_getuid), syscall(SYS_geteuid), syscall(SYS_getgid), syscall(SYS_getegid)};
}
static struct who told(void) {
  char text[4096];
  int fd = open("/proc/thread-self/status", O_RDONLY);
  ssize_t n = read(fd, text, sizeof text - 1);
  close(fd);
  text[n < 0 ? 0 : n] = 0;
  struct who w = {-1, -1, -1, -1, -1, -1};
  sscanf(strstr(text, "\nTgid:") ? strstr(text, "\nTgid:") : "", "\nTgid: %ld", &w.tgid);
  sscanf(strstr(text, "\nPid:") ? strstr(text, "\nPid:") : "", "\nPid: %ld", &w.tid);
  sscanf(strstr(text, "\nUid:") ? strstr(text, "\nUid:") : "", "\nUid: %ld %ld", &w.uid, &w.euid);
  sscanf(strstr(text, "\nGid:") ? strstr(text, "\nGid:") : "", "\nGid: %ld %ld", &w.gid, &w.egid);
  return w;
}
static int same(struct who a, struct who b) { return memcmp(&a, &b, sizeof a) == 0; }

// What the kernel says now, and whether it says so each time.
static void show(const char *what) {
  struct who w = told();
  int good = 1;
  for (int i = 0; i < 20; i++) good &= same(asked(), w);
  printf("%s: %d uid %ld %ld gid %ld %ld, %s\n", what, good, w.uid, w.euid, w.gid, w.egid, w.tgid == w.tid ? "leader" : "thread");
}

static void set(const char *what, long r) {
  char text[80];
  snprintf(text, sizeof text, "%s %s", what, r == 0 ? "0" : err_name(errno));
  show(text);
}
static void changes(void) {
  set("setegid", syscall(SYS_setresgid, -1, 7, -1));
  set("setreuid", syscall(SYS_setreuid, -1, 1000));
  set("setreuid", syscall(SYS_setreuid, -1, 0));
  set("setgid", syscall(SYS_setgid, 0xfffffffe));
  set("setresuid", syscall(SYS_setresuid, 0xfffffffe, 1001, 0));
  set("setresuid", syscall(SYS_setresuid, -1, 0, -1));
  set("setuid", syscall(SYS_setuid, 1002));
  set("setuid", syscall(SYS_setuid, 0));
  set("setregid", syscall(SYS_setregid, 5, -1));
}

// Raw calls change the credentials of one thread only.
static pthread_barrier_t barrier;
static void *turns(void *arg) {
  int me = (int)(intptr_t)arg;
  for (int i = 0; i < 4; i++) {
    pthread_barrier_wait(&barrier);
    if (i == me) {
      if (me == 1) syscall(SYS_setresuid, 10 + me, 20 + me, -1);
      show(me == 0 ? "first thread" : me == 1 ? "thread that changes" : me == 2 ? "third thread" : "fourth thread");
    }
    pthread_barrier_wait(&barrier);
  }
  struct who w = told();
  int good = 1;
  for (int i = 0; i < 200; i++) {
    good &= same(asked(), w);
    if (i % 20 == 0) sched_yield();
  }
  return (void *)(intptr_t)good;
}
static void threads(void) {
  pthread_t t[4];
  pthread_barrier_init(&barrier, 0, 4);
  for (int i = 0; i < 4; i++) pthread_create(&t[i], 0, turns, (void *)(intptr_t)i);
  int good = 0;
  for (int i = 0; i < 4; i++) {
    void *v;
    pthread_join(t[i], &v);
    good += (int)(intptr_t)v;
  }
  printf("threads that are told the truth: %d\n", good);
}

static int children(int depth) {
  struct who parent = asked();
  pid_t pid = depth % 2 ? vfork() : fork();
  if (pid == 0) {
    struct who child = asked();
    int good = same(child, told()) && child.tgid != parent.tgid && child.tid == child.tgid && syscall(SYS_getppid) == parent.tgid;
    if (depth > 0 && depth % 2 == 0) good &= children(depth - 1);
    _exit(good ? 0 : 1);
  }
  int st = -1;
  // The parent is itself still, in what a vfork child has shared.
  int good = same(asked(), parent) && same(told(), parent);
  waitpid(pid, &st, 0);
  return good && st == 0;
}

static char *self;
static void *executes(void *arg) {
  asked();
  execl("/proc/self/exe", self, "again", (char *)arg, (char *)0);
  return 0;
}

int main(int argc, char **argv) {
  setvbuf(stdout, 0, _IONBF, 0);
  self = argv[0];
  if (argc == 3 && strcmp(argv[1], "again") == 0) {
    printf("pid after exec of a thread: %d\n", getpid() == atoi(argv[2]));
    show("after exec");
    return 0;
  }
  show("at first");
  printf("children: %d\n", children(4));
  fflush(stdout);
  if (fork() == 0) {
    changes();
    _exit(0);
  }
  wait(0);
  show("behind the children");
  if (fork() == 0) {
    threads();
    _exit(0);
  }
  wait(0);
  // A lot of questions, of which an engine may answer most.
  struct who first = asked();
  long wrong = 0;
  for (int i = 0; i < 5000; i++) wrong += syscall(SYS_getpid) != first.tgid || syscall(SYS_gettid) != first.tid || syscall(SYS_getegid) != first.egid;
  printf("wrong answers: %ld\n", wrong);
  char text[20];
  snprintf(text, sizeof text, "%d", getpid());
  pthread_t t;
  pthread_create(&t, 0, executes, text);
  pthread_join(t, 0);
  return 1;
}
