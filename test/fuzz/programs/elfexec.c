// The ELF fuzzer's guest: elfexec DIRECTORY COUNT executes the files 0, 1, 2, ... of a directory and prints what became of
// each: the errno of execve, a signal, an exit status. Whoever runs for too long is ended. Then it waits for its input's end.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
  int count = argc == 3 ? atoi(argv[2]) : 0;
  for (int i = 0; i < count; i++) {
    char path[500];
    snprintf(path, sizeof path, "%s/%d", argv[1], i);
    int report[2];
    if (pipe2(report, O_CLOEXEC)) return 1;
    pid_t child = fork();
    if (child == 0) {
      struct rlimit cpu = {1, 2};
      setrlimit(RLIMIT_CPU, &cpu);
      int null = open("/dev/null", O_RDWR);
      dup2(null, 0), dup2(null, 1), dup2(null, 2);
      execl(path, path, "argument", (char *)0);
      int e = errno;
      _exit(write(report[1], &e, sizeof e) != sizeof e);
    }
    close(report[1]);
    int st = 0, e = 0, waited = 0;
    while (waitpid(child, &st, WNOHANG) == 0 && waited++ < 400) usleep(waited < 20 ? 200 : 5000);
    if (waited > 400) kill(child, SIGKILL), waitpid(child, &st, 0), printf("%d endless\n", i);
    else if (read(report[0], &e, sizeof e) == sizeof e) printf("%d errno %d\n", i, e);
    else if (WIFSIGNALED(st)) printf("%d signal %d\n", i, WTERMSIG(st));
    else printf("%d exit %d\n", i, WEXITSTATUS(st));
    close(report[0]);
  }
  printf("done\n");
  fflush(stdout);
  char c;
  while (read(0, &c, 1) > 0) {}
  return 0;
}
