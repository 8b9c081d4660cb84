// What the tracers look at: calls, a signal, a child, a thread, an argument that says how to end.
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

volatile int total;
volatile int going = 1;

__attribute__((noinline)) int area(int width, int height) {
  int sum = 0;
  for (int i = 0; i < height; i++) {
    sum += width;
    total = sum;
  }
  return sum;
}

static void on_usr1(int s) { total = s; }

static void *worker(void *a) {
  total = (int)(long)a;
  return 0;
}

__attribute__((noinline)) static int waits(int depth) {
  if (depth > 0) return waits(depth - 1) + 1;
  while (going) usleep(2000);
  return 0;
}

int main(int argc, char **argv) {
  const char *mode = argc > 1 ? argv[1] : "";
  if (strcmp(mode, "wait") == 0) return waits(2);
  if (strcmp(mode, "thread") == 0) {
    pthread_t t;
    pthread_create(&t, 0, worker, (void *)7);
    pthread_join(t, 0);
    // Its end is seen before that of the process.
    usleep(200000);
    return total;
  }
  signal(SIGUSR1, on_usr1);
  syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1);
  pid_t pid = fork();
  if (pid == 0) _exit(4);
  waitpid(pid, 0, 0);
  int result = area(3, 4);
  char text[32];
  int length = snprintf(text, sizeof text, "area %d\n", result);
  if (write(1, text, length) != length) return 1;
  if (strcmp(mode, "crash") == 0) *(volatile int *)8 = 1;
  return 0;
}
