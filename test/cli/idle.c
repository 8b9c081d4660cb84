// Waits for seconds in the way that its argument names. Prints a line first, so that whoever looks knows when.
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void tick(int signal) { (void)signal; }
static void *asleep(void *unused) { pause(); return unused; }

int main(int argc, char **argv) {
  const char *how = argc > 1 ? argv[1] : "";
  int ends[2];
  char byte;
  if (pipe(ends)) return 1;
  puts("waiting");
  fflush(stdout);
  if (!strcmp(how, "poll")) {
    struct pollfd fd = {.fd = ends[0], .events = POLLIN};
    poll(&fd, 1, -1);
  } else if (!strcmp(how, "nanosleep")) {
    nanosleep(&(struct timespec){.tv_sec = 60}, NULL);
  } else if (!strcmp(how, "pipe")) {
    read(ends[0], &byte, 1);
  } else if (!strcmp(how, "stdin")) {
    read(0, &byte, 1);
  } else if (!strcmp(how, "epoll")) {
    int set = epoll_create1(0), timer = timerfd_create(CLOCK_MONOTONIC, 0);
    timerfd_settime(timer, 0, &(struct itimerspec){.it_interval.tv_sec = 1, .it_value.tv_sec = 1}, NULL);
    epoll_ctl(set, EPOLL_CTL_ADD, timer, &(struct epoll_event){.events = EPOLLIN | EPOLLET});
    for (;;) epoll_wait(set, &(struct epoll_event){0}, 1, -1);
  } else if (!strcmp(how, "itimer")) {
    signal(SIGALRM, tick);
    setitimer(ITIMER_REAL, &(struct itimerval){.it_interval.tv_usec = 500000, .it_value.tv_usec = 500000}, NULL);
    for (;;) pause();
  } else if (!strcmp(how, "threads")) {
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) pthread_create(&threads[i], NULL, asleep, NULL);
    pthread_join(threads[0], NULL);
  } else if (!strcmp(how, "wait")) {
    if (fork() == 0) for (;;) pause();
    wait(NULL);
  } else if (!strcmp(how, "busy")) {
    for (volatile int i = 0;; i++) {}
  }
  return 0;
}
