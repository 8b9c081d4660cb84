// What a trace of instructions must follow: a thread, a handler of a signal, a fork whose child executes this program anew, and a death by a signal.
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int sum;

static void handler(int signal) { sum += signal; }

static void *thread(void *arg) {
  for (int i = 0; i < 50; i++) __atomic_add_fetch(&sum, 1, __ATOMIC_SEQ_CST);
  return arg;
}

int main(int argc, char **argv) {
  if (argc > 1) {
    // The child: executed, and killed.
    if (strcmp(argv[1], "die") == 0) *(volatile int *)8 = 1;
    return 9;
  }
  struct sigaction action = {.sa_handler = handler};
  sigaction(SIGUSR1, &action, 0);
  raise(SIGUSR1);
  pthread_t other;
  pthread_create(&other, 0, thread, 0);
  pthread_join(other, 0);
  int status = 0;
  pid_t child = fork();
  if (child == 0) {
    execl("/proc/self/exe", argv[0], "die", (char *)0);
    _exit(1);
  }
  waitpid(child, &status, 0);
  printf("sum %d, child %s\n", sum, WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV ? "killed" : "alive");
  return 5;
}
