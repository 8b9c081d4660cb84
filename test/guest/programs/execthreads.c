// native: the emulator cannot end other threads on exec.
// Odd moments: exec with pending and queued signals, exits in vfork, exit codes of threads, deep forks, writes to shared
// memory by dying children, chdir and umask shared by threads, exec of a non-leader while the leader is gone.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
static int *page;
static void on_sig(int s) { (void)s; }
static void *exec_later(void *a) {
  usleep(3000);
  char *argv[] = {"x", "check", 0};
  execve("/proc/self/exe", argv, environ);
  return a;
}
static void *exits_with(void *a) {
  usleep(100000);
  syscall(SYS_exit, (int)(long)a);
  return 0;
}
static void *changes_dir(void *a) {
  if (chdir("/")) abort();
  umask(033);
  return a;
}
static int check(void) {
  sigset_t p;
  sigpending(&p);
  siginfo_t si;
  sigset_t rt;
  sigemptyset(&rt);
  sigaddset(&rt, 40), sigaddset(&rt, SIGUSR1);
  int n40 = 0, n10 = 0;
  struct timespec z = {0, 0};
  while (sigtimedwait(&rt, &si, &z) > 0) {
    if (si.si_signo == 40) n40 = n40 * 10 + si.si_value.sival_int;
    else n10++;
  }
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/task", getpid());
  struct stat st;
  stat(path, &st);
  printf("after exec: queued %d, usr1 %d, threads %d, leader %d\n", n40, n10, (int)st.st_nlink - 2, getpid() == syscall(SYS_gettid));
  return 5;
}
static int depth(int n) {
  if (n == 0) return 0;
  pid_t pid = fork();
  if (pid == 0) _exit(depth(n - 1) + 1);
  int st;
  waitpid(pid, &st, 0);
  return WEXITSTATUS(st);
}
static int tree(int n) {
  int sum = 1;
  if (n == 0) return 1;
  pid_t pids[3];
  for (int i = 0; i < 3; i++)
    if ((pids[i] = fork()) == 0) _exit(tree(n - 1));
  for (int i = 0; i < 3; i++) {
    int st;
    waitpid(pids[i], &st, 0);
    sum += WEXITSTATUS(st);
  }
  return sum;
}

int main(int argc, char **argv) {
  setvbuf(stdout, 0, _IONBF, 0);
  if (argc > 1 && strcmp(argv[1], "check") == 0) return check();
  page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int st;
  pthread_t t;
  for (int k = 0; k < 3; k++) {
    pid_t pid = fork();
    if (pid == 0) {
      sigset_t s;
      sigemptyset(&s);
      sigaddset(&s, 40), sigaddset(&s, SIGUSR1);
      sigprocmask(SIG_BLOCK, &s, 0);
      signal(40, on_sig);
      for (int i = 1; i < 4; i++) sigqueue(getpid(), 40, (union sigval){.sival_int = i});
      raise(SIGUSR1);
      if (k == 0) exec_later(0);
      pthread_create(&t, 0, exec_later, 0);
      if (k == 2) syscall(SYS_exit, 3);
      for (;;) pause();
    }
    waitpid(pid, &st, 0);
    printf("exec %d: %x\n", k, st);
  }
  // The status of a process is that of its last thread, unless exit_group was called
  pid_t pid = fork();
  if (pid == 0) {
    pthread_create(&t, 0, exits_with, (void *)44);
    syscall(SYS_exit, 33);
  }
  waitpid(pid, &st, 0);
  printf("last thread: %x\n", st);
  pid = fork();
  if (pid == 0) {
    pthread_create(&t, 0, exits_with, (void *)44);
    usleep(8000);
    _exit(55);
  }
  waitpid(pid, &st, 0);
  printf("exit_group: %x\n", st);
  // vfork
  volatile int local = 1;
  pid = vfork();
  if (pid == 0) {
    local = 2;
    kill(getpid(), SIGKILL);
  }
  waitpid(pid, &st, 0);
  printf("vfork killed: %x local %d\n", st, local);
  // Threads share the directory and the umask
  umask(022);
  pthread_create(&t, 0, changes_dir, 0);
  pthread_join(t, 0);
  char cwd[64];
  printf("cwd %s umask %o\n", getcwd(cwd, sizeof cwd), umask(022));
  printf("depth %d\n", depth(60));
  printf("tree %d\n", tree(4));
  // Children that die while they hold shared things
  for (int i = 0; i < 20; i++) {
    pid = fork();
    if (pid == 0) {
      for (;;) __atomic_fetch_add(page, 1, __ATOMIC_SEQ_CST);
    }
    int before = __atomic_load_n(page, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(page, __ATOMIC_SEQ_CST) == before) sched_yield();
    kill(pid, SIGKILL);
    waitpid(pid, &st, 0);
    if (st != 9) printf("killed: %x\n", st);
  }
  int last = page[0];
  usleep(2000);
  printf("nobody writes any more: %d\n", page[0] == last);
  // A process group of many is killed at once
  int go[2];
  if (pipe(go)) return 1;
  pid_t leader = 0;
  for (int i = 0; i < 30; i++) {
    pid = fork();
    if (pid == 0) {
      char c;
      (void)!read(go[0], &c, 1);
      _exit(1);
    }
    if (i == 0) leader = pid;
    setpgid(pid, leader);
  }
  kill(-leader, SIGTERM);
  int killed = 0;
  while (waitpid(-leader, &st, 0) > 0) killed += st == SIGTERM;
  printf("group killed: %d\n", killed);
  errno = 0;
  printf("none left: %d errno %d\n", waitpid(-1, &st, WNOHANG), errno);
  return 0;
}
