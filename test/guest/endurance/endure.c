// Makes and ends very many processes, threads and mappings; after each part it says so and waits for a line of
// input, so that its caller can look at what carrick holds. All is done three times.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void *nothing(void *a) { return a; }
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}
static double since;
static void say(const char *what, int count) {
  char line[8];
  double each = count ? (now() - since) / count : 0;
  printf("%s %.1f\n", what, each);
  fflush(stdout);
  if (!fgets(line, sizeof line, stdin)) exit(2);
  since = now();
}
static void check(int status) {
  if (status != 0) {
    printf("child failed: %x\n", status);
    exit(1);
  }
}
static void forks(int count) {
  for (int i = 0; i < count; i++) {
    int st;
    pid_t pid = fork();
    if (pid == 0) _exit(0);
    if (pid < 0 || waitpid(pid, &st, 0) != pid) exit(3);
    check(st);
  }
}
static void execs(int count) {
  for (int i = 0; i < count; i++) {
    int st;
    pid_t pid = fork();
    if (pid == 0) {
      execl("/proc/self/exe", "endure", "child", (char *)0);
      _exit(1);
    }
    if (pid < 0 || waitpid(pid, &st, 0) != pid) exit(3);
    check(st);
  }
}
static void threads(int count) {
  for (int i = 0; i < count; i++) {
    pthread_t t;
    void *v;
    if (pthread_create(&t, 0, nothing, (void *)(long)i) || pthread_join(t, &v) || (long)v != i) exit(4);
  }
}
static void maps(int count) {
  for (int i = 0; i < count; i++) {
    char *p = mmap(0, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) exit(5);
    p[0] = 1;
    if (munmap(p, 16384)) exit(5);
  }
}
static void storm(int count) {
  for (int i = 0; i < count; i++) {
    pid_t pids[50];
    for (int k = 0; k < 50; k++) {
      pids[k] = fork();
      if (pids[k] == 0) {
        volatile char page[20000];
        memset((char *)page, k, sizeof page);
        _exit(page[999] == k ? 0 : 1);
      }
    }
    for (int k = 0; k < 50; k++) {
      int st;
      if (waitpid(pids[k], &st, 0) != pids[k]) exit(6);
      check(st);
    }
  }
}

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "child") == 0) return 0;
  // A share of it, where a call costs a hundred times as much.
  int share = argc > 1 ? atoi(argv[1]) : 1;
  char *memory = malloc(4 << 20);
  memset(memory, 1, 4 << 20);
  for (int round = 0; round < (share == 1 ? 3 : 1); round++) {
    since = now();
    forks(10000 / share);
    say("fork", 10000 / share);
    execs(2000 / share);
    say("exec", 2000 / share);
    threads(10000 / share);
    say("thread", 10000 / share);
    maps(100000 / share);
    say("map", 100000 / share);
    storm(share == 1 ? 20 : 1);
    say("storm", share == 1 ? 1000 : 50);
  }
  return 0;
}
