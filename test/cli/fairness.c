// Two processes pass a byte to and fro beside others that compute: how often did those have to stop, and do they go on? Arguments: how many
// compute, how many rounds. With "nice" two compute, one of them at nice 19: how much does that one get? With "late" one has computed alone
// for a while when another begins: how much does the first one get from then on?

#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile unsigned *counters;

static pid_t spinner(int n) {
  pid_t pid = fork();
  if (pid != 0) return pid;
  for (;;) {
    for (volatile int i = 0; i < 10000; i++) {
    }
    counters[n * 16]++;
  }
}

static void pass(int from, int to) {
  char byte;
  if (read(from, &byte, 1) == 1) write(to, &byte, 1);
}

// How far one gets while the other does so many rounds; both are ended.
static int compare(int one, pid_t onePid, int other, pid_t otherPid, unsigned rounds) {
  while (counters[one * 16] == 0 || counters[other * 16] == 0) usleep(1000);
  unsigned before[] = {counters[one * 16], counters[other * 16]};
  while (counters[other * 16] - before[1] < rounds) usleep(1000);
  printf("%u of %u\n", counters[one * 16] - before[0], rounds);
  kill(onePid, SIGKILL);
  kill(otherPid, SIGKILL);
  return 0;
}

static int besideNice(void) {
  pid_t first = spinner(0), nice = spinner(1);
  setpriority(PRIO_PROCESS, nice, 19);
  return compare(1, nice, 0, first, 3000);
}

static int besideLate(void) {
  pid_t first = spinner(0);
  while (counters[0] == 0) usleep(1000);
  usleep(500000);
  return compare(0, first, 1, spinner(1), 20000);
}

int main(int argc, char **argv) {
  counters = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (argc == 2) return argv[1][0] == 'n' ? besideNice() : besideLate();
  int count = atoi(argv[1]), rounds = atoi(argv[2]);
  int there[2], back[2];
  pid_t spinners[8], partner;
  pipe(there);
  pipe(back);
  for (int i = 0; i < count; i++) spinners[i] = spinner(i);
  // Each of them has begun.
  for (int i = 0; i < count; i++)
    while (counters[i * 16] == 0) usleep(1000);
  partner = fork();
  if (partner == 0) {
    close(there[1]);
    close(back[0]);
    for (int i = 0; i < rounds; i++) pass(there[0], back[1]);
    // From here on until the end.
    for (;;) pass(there[0], back[1]);
  }
  write(there[1], "x", 1);
  for (int i = 0; i < rounds; i++) pass(back[0], there[1]);
  printf("%d rounds\n", rounds);
  // Those who compute go on while the byte goes round.
  for (int i = 0; i < count; i++)
    for (unsigned before = counters[i * 16]; counters[i * 16] - before < 100;) pass(back[0], there[1]);
  printf("they go on\n");
  long stops = 0;
  for (int i = 0; i < count; i++) {
    struct rusage usage;
    int status;
    kill(spinners[i], SIGKILL);
    wait4(spinners[i], &status, 0, &usage);
    stops += usage.ru_nivcsw;
  }
  kill(partner, SIGKILL);
  wait(NULL);
  printf("%ld stops\n", stops);
  return 0;
}
