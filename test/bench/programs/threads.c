// Milliseconds that two threads and two processes take to compute side by side: prints "name ms" lines, each the best of several rounds.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1e3 + t.tv_nsec / 1e6; }
static volatile uint64_t sink;
static void *compute(void *a) {
  uint64_t x = 1, table[256] = {0};
  for (uint64_t i = 0; i < 12000000; i++) {
    x = x * 6364136223846793005u + i;
    table[x >> 56] += x;
    if (x & 64) x ^= table[i & 255] >> 7;
  }
  sink = x;
  return a;
}
int main(void) {
  double threads = 1e18, processes = 1e18;
  for (int round = 0; round < 5; round++) {
    pthread_t t[2];
    double start = now();
    for (int i = 0; i < 2; i++) pthread_create(&t[i], 0, compute, 0);
    for (int i = 0; i < 2; i++) pthread_join(t[i], 0);
    if (now() - start < threads) threads = now() - start;
    start = now();
    for (int i = 0; i < 2; i++) if (fork() == 0) { compute(0); _exit(0); }
    for (int i = 0; i < 2; i++) wait(0);
    if (now() - start < processes) processes = now() - start;
  }
  printf("two_threads %.1f\ntwo_processes %.1f\n", threads, processes);
  return 0;
}
