// native: the emulator's waitid and statuses of signals differ.
// wait4(2), waitid(2): every option, every kind of status, and the errors.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <pthread.h>
#include <stdint.h>

static void show(const char *what, pid_t r, pid_t pid, int st) {
  if (r == -1) printf("%s: errno %d\n", what, errno);
  else if (r == 0) printf("%s: nothing\n", what);
  else
    printf("%s: pid %s status %x exited %d/%d signaled %d/%d stopped %d/%d continued %d\n", what,
           r == pid ? "right" : "wrong", st & ~0x80, !!WIFEXITED(st), WIFEXITED(st) ? WEXITSTATUS(st) : 0,
           !!WIFSIGNALED(st), WIFSIGNALED(st) ? WTERMSIG(st) : 0, !!WIFSTOPPED(st), WIFSTOPPED(st) ? WSTOPSIG(st) : 0,
           !!WIFCONTINUED(st));
}
static void show_info(const char *what, int r, pid_t pid, siginfo_t *si) {
  if (r == -1) printf("%s: errno %d\n", what, errno);
  else
    printf("%s: signo %d code %d errno %d pid %s uid %d status %d\n", what, si->si_signo, si->si_code, si->si_errno,
           si->si_pid == pid ? "right" : si->si_pid == 0 ? "zero" : "wrong", si->si_uid, si->si_status);
}
static pid_t child(int code) {
  pid_t pid = fork();
  if (pid == 0) {
    if (code >= 0) _exit(code);
    if (code == -1000) for (;;) pause();
    kill(getpid(), -code);
    pause();
  }
  return pid;
}
static void settle(pid_t pid, int options) {
  siginfo_t si;
  while (waitid(P_PID, pid, &si, options | WNOWAIT) == -1 && errno == EINTR) {}
}
static int sigchld_count;
static siginfo_t last;
static void on_chld(int s, siginfo_t *si, void *uc) {
  (void)s, (void)uc;
  sigchld_count++;
  last = *si;
}
static void *waits(void *arg) {
  int st = 0;
  pid_t pid = (pid_t)(intptr_t)arg;
  pid_t r = waitpid(pid, &st, __WNOTHREAD);
  printf("__WNOTHREAD in another thread: %d errno %d\n", r, errno);
  r = waitpid(pid, &st, 0);
  show("another thread", r, pid, st);
  return 0;
}

int main(void) {
  setvbuf(stdout, 0, _IONBF, 0);
  int st = 0;
  siginfo_t si;
  struct rusage ru;
  prctl(PR_SET_DUMPABLE, 0);
  show("no child", waitpid(-1, &st, 0), 0, 0);
  show("no child, WNOHANG", waitpid(-1, &st, WNOHANG), 0, 0);
  show("waitpid of pid 1's", waitpid(1, &st, 0), 0, 0);
  show("bad option", waitpid(-1, &st, 0x40), 0, 0);
  show("WEXITED in wait4", waitpid(-1, &st, WEXITED), 0, 0);
  show("WNOWAIT in wait4", waitpid(-1, &st, WNOWAIT), 0, 0);
  show("wait4 INT_MIN", waitpid(0x80000000, &st, 0), 0, 0);
  show("waitid without states", waitid(P_ALL, 0, &si, WNOHANG), 0, 0);
  show("waitid bad option", waitid(P_ALL, 0, &si, WEXITED | 0x100), 0, 0);
  show("waitid bad idtype", waitid(9, 0, &si, WEXITED), 0, 0);
  show("waitid P_PID 0", waitid(P_PID, 0, &si, WEXITED), 0, 0);
  show("waitid P_PID -1", waitid(P_PID, -1, &si, WEXITED), 0, 0);
  show("waitid P_PGID -1", waitid(P_PGID, -1, &si, WEXITED), 0, 0);
  show("waitid P_PIDFD 1", waitid(3, 1, &si, WEXITED), 0, 0);
  show("waitid P_PIDFD bad", waitid(3, 999, &si, WEXITED), 0, 0);
  show("waitid P_PIDFD -1", waitid(3, -1, &si, WEXITED), 0, 0);
  show("waitid no child", waitid(P_ALL, 0, &si, WEXITED), 0, 0);

  pid_t pid = child(0);
  st = 0;
  show("exit 0", waitpid(pid, &st, 0), pid, st);
  pid = child(255);
  show("exit 255", waitpid(-1, &st, 0), pid, st);
  pid = child(-SIGTERM);
  show("SIGTERM", waitpid(0, &st, 0), pid, st);
  pid = child(-SIGSEGV);
  show("SIGSEGV", waitpid(-getpgrp(), &st, 0), pid, st);
  pid = child(-SIGKILL);
  show("SIGKILL", wait4(pid, &st, 0, &ru), pid, st);
  pid = child(-40);
  show("signal 40", wait4(pid, &st, 0, &ru), pid, st);
  pid = child(-1000);
  show("running, WNOHANG", waitpid(pid, &st, WNOHANG), pid, st);
  memset(&si, 7, sizeof si);
  show_info("running, waitid WNOHANG", waitid(P_PID, pid, &si, WEXITED | WNOHANG), pid, &si);
  kill(pid, SIGSTOP);
  memset(&si, 0, sizeof si);
  show_info("stopped, WNOWAIT", waitid(P_PID, pid, &si, WSTOPPED | WNOWAIT), pid, &si);
  show("stopped, no WUNTRACED", waitpid(pid, &st, WNOHANG), pid, st);
  show("stopped", waitpid(pid, &st, WUNTRACED), pid, st);
  show("stopped again", waitpid(pid, &st, WUNTRACED | WNOHANG), pid, st);
  kill(pid, SIGCONT);
  memset(&si, 0, sizeof si);
  show_info("continued, WNOWAIT", waitid(P_PID, pid, &si, WCONTINUED | WNOWAIT), pid, &si);
  show("continued", waitpid(pid, &st, WCONTINUED), pid, st);
  show("continued again", waitpid(pid, &st, WCONTINUED | WNOHANG), pid, st);
  kill(pid, SIGSTOP);
  settle(pid, WSTOPPED);
  kill(pid, SIGCONT);
  show("stop report after SIGCONT", waitpid(pid, &st, WUNTRACED | WNOHANG), pid, st);
  show("continue report", waitpid(pid, &st, WCONTINUED), pid, st);
  kill(pid, SIGSTOP);
  settle(pid, WSTOPPED);
  kill(pid, SIGTERM);
  usleep(1000);
  show("stopped with SIGTERM pending", waitpid(pid, &st, WNOHANG), pid, st);
  kill(pid, SIGKILL);
  memset(&si, 0, sizeof si);
  show_info("killed while stopped, WNOWAIT", waitid(P_ALL, 0, &si, WEXITED | WNOWAIT), pid, &si);
  show_info("killed while stopped", waitid(P_PGID, getpgrp(), &si, WEXITED), pid, &si);
  show_info("gone", waitid(P_PID, pid, &si, WEXITED), pid, &si);
  pid = child(7);
  memset(&si, 0, sizeof si);
  show_info("waitid exit 7, P_PGID 0", waitid(P_PGID, 0, &si, WEXITED), pid, &si);
  pid = child(-SIGUSR1);
  show_info("waitid SIGUSR1", waitid(P_PID, pid, &si, WEXITED | WSTOPPED), pid, &si);
  pid = child(1);
  show("waitid without info", waitid(P_PID, pid, 0, WEXITED), 0, 0);
  pid = child(1);
  show("bad status address", wait4(pid, (int *)8, 0, 0), pid, 0);
  show("it was reaped", waitpid(pid, &st, 0), pid, 0);
  pid = child(1);
  show("bad rusage address", wait4(pid, &st, 0, (void *)8), pid, 0);
  show("it was reaped too", waitpid(pid, &st, 0), pid, 0);
  pid = child(2);
  show("wait for a child of another group", waitpid(-99999, &st, 0), pid, st);
  show("__WCLONE", waitpid(pid, &st, __WCLONE), pid, st);
  show("__WALL", waitpid(pid, &st, __WALL), pid, st);

  // Threads
  pid = child(3);
  pthread_t t;
  pthread_create(&t, 0, waits, (void *)(intptr_t)pid);
  pthread_join(t, 0);

  // SIGCHLD, its siginfo and its flags
  struct sigaction sa = {.sa_sigaction = on_chld, .sa_flags = SA_SIGINFO | SA_RESTART};
  sigaction(SIGCHLD, &sa, 0);
  pid = child(9);
  while (waitpid(pid, &st, 0) != pid) {}
  printf("SIGCHLD: count %d code %d status %d pid %d uid %d\n", sigchld_count, last.si_code, last.si_status, last.si_pid == pid, last.si_uid);
  pid = child(-SIGSTOP);
  while (waitpid(pid, &st, WUNTRACED) != pid) {}
  printf("SIGCHLD: count %d code %d status %d pid %d\n", sigchld_count, last.si_code, last.si_status, last.si_pid == pid);
  kill(pid, SIGCONT);
  while (waitpid(pid, &st, WCONTINUED) != pid) {}
  while (sigchld_count < 3) usleep(100);
  printf("SIGCHLD: count %d code %d status %d pid %d\n", sigchld_count, last.si_code, last.si_status, last.si_pid == pid);
  sa.sa_flags |= SA_NOCLDSTOP;
  sigaction(SIGCHLD, &sa, 0);
  kill(pid, SIGSTOP);
  while (waitpid(pid, &st, WUNTRACED) != pid) {}
  kill(pid, SIGCONT);
  while (waitpid(pid, &st, WCONTINUED) != pid) {}
  printf("NOCLDSTOP: count %d\n", sigchld_count);
  kill(pid, SIGKILL);
  while (waitpid(pid, &st, 0) != pid) {}
  printf("killed: count %d code %d status %d\n", sigchld_count, last.si_code, last.si_status);
  sa.sa_flags = SA_SIGINFO | SA_NOCLDWAIT | SA_RESTART;
  sigaction(SIGCHLD, &sa, 0);
  pid = child(1);
  show("SA_NOCLDWAIT", waitpid(pid, &st, 0), pid, st);
  printf("count %d code %d status %d\n", sigchld_count, last.si_code, last.si_status);
  signal(SIGCHLD, SIG_IGN);
  pid = child(1);
  show("SIG_IGN", waitpid(pid, &st, 0), pid, st);
  signal(SIGCHLD, SIG_DFL);
  // Wait for the one that changes, of several
  pid_t a = child(-1000), b = child(-1000), c = child(4);
  show("the third of three", waitpid(-1, &st, 0), c, st);
  kill(b, SIGKILL);
  show("the second", waitpid(-1, &st, 0), b, st);
  kill(a, SIGINT);
  show("the first", waitpid(-1, &st, 0), a, st);
  // EINTR without SA_RESTART
  sa.sa_flags = SA_SIGINFO;
  sigaction(SIGALRM, &sa, 0);
  a = child(-1000);
  ualarm(3000, 0);
  show("interrupted", waitpid(a, &st, 0), a, st);
  kill(a, SIGKILL);
  show("then", waitpid(a, &st, 0), a, st);
  // usage of children adds up
  getrusage(RUSAGE_CHILDREN, &ru);
  printf("children's faults counted: %d\n", ru.ru_minflt > 0);
  return 0;
}
