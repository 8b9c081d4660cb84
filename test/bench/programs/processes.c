// Microseconds of processes: "fork us" (fork, exit, wait) and "exec us" (fork, exec of itself, wait).
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1e6 + t.tv_nsec / 1e3; }
int main(int argc, char **argv) {
  if (argc > 1) return 0;
  for (int exec = 0; exec < 2; exec++) {
    int count = exec ? 100 : 300;
    double t = now();
    for (int i = 0; i < count; i++) {
      int pid = fork();
      if (pid == 0) { if (exec) execl(argv[0], argv[0], "x", (char *)0); _exit(0); }
      waitpid(pid, 0, 0);
    }
    printf("%s %.1f\n", exec ? "exec" : "fork", (now() - t) / count);
  }
  return 0;
}
