// Microseconds of processes: "fork us" (fork, exit, wait) and "exec us" (fork, exec of itself, wait). RUNNER: what it takes to execute
// this program, where the kernel cannot by itself.
#include <stdio.h>
#include <stdlib.h>
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
      if (pid == 0) {
        const char *runner = getenv("RUNNER");
        if (exec && runner) execl(runner, runner, argv[0], "x", (char *)0);
        if (exec) execl(argv[0], argv[0], "x", (char *)0);
        _exit(exec);
      }
      int status;
      if (waitpid(pid, &status, 0) != pid || status != 0) return 1;
    }
    printf("%s %.1f\n", exec ? "exec" : "fork", (now() - t) / count);
  }
  return 0;
}
