// native: /proc/PID/mem that is still open when its process has ended: nothing is there any more, above all not the memory of a process that
// was made since. (The emulator would show its own memory.)
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OTHERS = 4 };

static volatile int secret = 1;

/// A process that waits until its pipe is closed. It ends with the value of its variable.
static int waiting(int *hold, int value) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) exit(1);
  int pid = fork();
  if (pid == 0) {
    close(ends[1]);
    secret = value;
    char c;
    read(ends[0], &c, 1);
    _exit(secret);
  }
  close(ends[0]);
  *hold = ends[1];
  return pid;
}

static int status_of(int pid) {
  int status;
  waitpid(pid, &status, 0);
  return WEXITSTATUS(status);
}

int main(void) {
  int hold, holds[OTHERS], pids[OTHERS];
  int pid = waiting(&hold, 7);
  char name[64];
  snprintf(name, sizeof name, "/proc/%d/mem", pid);
  int fd = open(name, O_RDWR);
  close(hold);
  printf("ended with %d\n", status_of(pid));
  for (int i = 0; i < OTHERS; i++) pids[i] = waiting(&holds[i], 11 + i);
  int found = 0, planted = 99;
  printf("read %zd", pread(fd, &found, sizeof found, (off_t)(unsigned long)&secret));
  printf(", found %d\n", found);
  printf("write %zd\n", pwrite(fd, &planted, sizeof planted, (off_t)(unsigned long)&secret));
  close(fd);
  // Each holds the pipes of those before it.
  for (int i = OTHERS; i-- > 0;) {
    close(holds[i]);
    printf("another ended with %d\n", status_of(pids[i]));
  }
  return 0;
}
