// Many processes alive at once: each child writes one page of what it shares with its parent and waits. "up" when all have; ends
// when stdin does.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#define PAGES 4096
int main(int argc, char **argv) {
  int count = argc > 1 ? atoi(argv[1]) : 500, up[2];
  char *shared = mmap(0, PAGES * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), byte = 1;
  for (int i = 0; i < PAGES; i++) shared[i * 4096] = 1;
  pid_t *children = calloc(count + 1, sizeof *children);
  if (pipe(up) != 0) return 1;
  for (int i = 0; i < count; i++) {
    children[i] = fork();
    if (children[i] < 0) return 1;
    if (children[i] == 0) {
      shared[i % PAGES * 4096] = 2;
      if (write(up[1], &byte, 1) != 1) _exit(1);
      for (;;) pause();
    }
  }
  for (int i = 0; i < count; i++) if (read(up[0], &byte, 1) != 1) return 1;
  puts("up");
  fflush(stdout);
  while (read(0, &byte, 1) > 0);
  for (int i = 0; i < count; i++) kill(children[i], SIGKILL);
  for (int i = 0; i < count; i++) wait(0);
  return 0;
}
