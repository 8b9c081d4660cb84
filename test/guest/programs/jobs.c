// native: the emulator has neither orphans nor sub-reapers of its own.
// Process groups, sessions, orphans: setpgid(2), setsid(2), PR_SET_CHILD_SUBREAPER, PR_SET_PDEATHSIG, hangups.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void result(const char *what, long r) {
  if (r == -1) printf("%s: errno %d\n", what, errno);
  else printf("%s: ok\n", what);
}
static volatile int *page;
static volatile sig_atomic_t got;
static void on_sig(int s) { got = got * 100 + s; }
static void wait_for(volatile int *p, int v) {
  while (*p != v) usleep(200);
}
static void *pdeath_thread(void *arg) {
  (void)arg;
  pid_t pid = fork();
  if (pid == 0) {
    signal(SIGUSR1, on_sig);
    prctl(PR_SET_PDEATHSIG, SIGUSR1);
    page[1] = 1;
    while (!got) usleep(200);
    page[2] = got;
    page[3] = getppid();
    _exit(0);
  }
  wait_for(page + 1, 1);
  return (void *)(long)pid;
}

int main(int argc, char **argv) {
  if (argc > 1 && strcmp(argv[1], "sleep") == 0) pause();
  setvbuf(stdout, 0, _IONBF, 0);
  page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int st, go[2];
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  // setpgid, getpgid, getsid
  result("getpgid 0 is getpgrp", getpgid(0) == getpgrp() ? 0 : -1);
  result("getsid 0", getsid(0) > 0 ? 0 : -1);
  result("getpgid of nobody", getpgid(4000000));
  result("getsid of nobody", getsid(4000000));
  result("getpgid -1", getpgid(-1));
  result("setpgid -1", setpgid(0, -1));
  result("setpgid of a negative pid", setpgid(-1, 0));
  result("setpgid of nobody", setpgid(4000000, 0));
  result("setpgid to a group that is not there", setpgid(0, 3999999));
  if (pipe(go)) return 1;
  pid_t pid = fork();
  if (pid == 0) {
    char c;
    if (read(go[0], &c, 1) != 1) _exit(1);
    _exit(getpgrp() == getpid() ? 0 : 1);
  }
  result("setpgid of a child", setpgid(pid, pid));
  printf("group of the child: %d\n", getpgid(pid) == pid);
  pid_t second = fork();
  if (second == 0) {
    pause();
    _exit(0);
  }
  result("setpgid of a second child to the first", setpgid(second, pid));
  printf("same group: %d\n", getpgid(second) == pid);
  result("setpgid back to ours", setpgid(second, getpgrp()));
  result("setpgid to it again", setpgid(second, pid));
  result("killpg 0", kill(-pid, 0));
  if (write(go[1], "x", 1) != 1) return 1;
  waitpid(pid, &st, 0);
  printf("first: %x\n", st);
  result("group outlives its leader", kill(-pid, 0));
  result("setpgid to the leaderless group", setpgid(second, pid));
  pid_t third = fork();
  if (third == 0) pause();
  result("third joins it", setpgid(third, pid));
  result("SIGTERM to the group", killpg(pid, SIGTERM));
  waitpid(second, &st, 0);
  printf("second: %x\n", st);
  waitpid(third, &st, 0);
  printf("third: %x\n", st);
  result("group is gone", kill(-pid, 0));
  result("setpgid of the reaped", setpgid(pid, pid));
  // After exec of a child: EACCES
  pid = vfork();
  if (pid == 0) {
    execl("/proc/self/exe", "jobs", "sleep", (char *)0);
    _exit(1);
  }
  if (0) return 1;
  result("setpgid after exec", setpgid(pid, pid));
  kill(pid, SIGKILL);
  waitpid(pid, &st, 0);
  // Sessions
  pid = fork();
  if (pid == 0) {
    result("setsid", setsid() == getpid() ? 0 : -1);
    result("setsid again", setsid());
    printf("leader of all: %d %d\n", getpgrp() == getpid(), getsid(0) == getpid());
    result("setpgid of a session leader", setpgid(0, 0));
    pid_t child = fork();
    if (child == 0) pause();
    result("setpgid of a child in the session", setpgid(child, child));
    kill(child, SIGKILL);
    waitpid(child, &st, 0);
    _exit(0);
  }
  waitpid(pid, &st, 0);
  pid = fork();
  if (pid == 0) {
    setsid();
    page[0] = 1;
    pause();
  }
  wait_for(page, 1);
  page[0] = 0;
  result("setpgid of a child in another session", setpgid(pid, 0));
  result("setpgid to a group of another session", setpgid(0, pid));
  printf("getsid of the child: %d\n", getsid(pid) == pid);
  kill(pid, SIGKILL);
  waitpid(pid, &st, 0);
  pid = fork();
  if (pid == 0) {
    setpgid(0, 0);
    result("setsid of a group leader", setsid());
    _exit(0);
  }
  waitpid(pid, &st, 0);
  // Orphans go to the sub-reaper
  pid = fork();
  if (pid == 0) {
    pid_t grandchild = fork();
    if (grandchild == 0) {
      pid_t old = getppid();
      page[4] = getpid();
      while (getppid() == old) usleep(200);
      page[5] = getppid();
      _exit(21);
    }
    wait_for(page + 4, grandchild);
    _exit(20);
  }
  waitpid(pid, &st, 0);
  printf("middle: %x\n", st);
  pid_t r = waitpid(-1, &st, 0);
  printf("orphan: %d status %x parent %d\n", r == page[4], st, page[5] == getpid());
  // A zombie of a dead parent can be waited for as well
  pid = fork();
  if (pid == 0) {
    pid_t z = fork();
    if (z == 0) _exit(22);
    siginfo_t si;
    waitid(P_PID, z, &si, WEXITED | WNOWAIT);
    _exit(0);
  }
  waitpid(pid, &st, 0);
  r = waitpid(-1, &st, 0);
  printf("inherited zombie: %d status %x\n", r > 0, st);
  int v = -1;
  prctl(PR_GET_CHILD_SUBREAPER, &v);
  pid = fork();
  if (pid == 0) {
    int w = -1;
    prctl(PR_GET_CHILD_SUBREAPER, &w);
    printf("subreaper: %d, child %d\n", v, w);
    _exit(0);
  }
  waitpid(pid, &st, 0);
  // PDEATHSIG
  memset((void *)page, 0, 64);
  pid = fork();
  if (pid == 0) {
    pid_t g = fork();
    if (g == 0) {
      signal(SIGUSR2, on_sig);
      prctl(PR_SET_PDEATHSIG, SIGUSR2);
      int s = 0;
      prctl(PR_GET_PDEATHSIG, &s);
      page[0] = s;
      while (!got) usleep(200);
      page[1] = got;
      _exit(0);
    }
    wait_for(page, SIGUSR2);
    _exit(0);
  }
  waitpid(pid, &st, 0);
  waitpid(-1, &st, 0);
  printf("PDEATHSIG: %d\n", page[1]);
  memset((void *)page, 0, 64);
  pthread_t t;
  void *ret;
  pthread_create(&t, 0, pdeath_thread, 0);
  pthread_join(t, &ret);
  waitpid((pid_t)(long)ret, &st, 0);
  printf("PDEATHSIG of a thread that ends: %d status %x parent the same %d\n", page[2], st, page[3] == getpid());
  result("PDEATHSIG 65", prctl(PR_SET_PDEATHSIG, 65));
  pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGUSR1);
    if (fork() == 0) {
      int s = -1;
      prctl(PR_GET_PDEATHSIG, &s);
      _exit(s);
    }
    wait(&st);
    _exit(WEXITSTATUS(st));
  }
  waitpid(pid, &st, 0);
  printf("PDEATHSIG is not inherited: %x\n", st);
  // A stopped process group that is orphaned gets SIGHUP and SIGCONT
  memset((void *)page, 0, 64);
  pid = fork();
  if (pid == 0) {
    setsid();
    pid_t g = fork();
    if (g == 0) {
      setpgid(0, 0);
      signal(SIGHUP, on_sig);
      signal(SIGCONT, on_sig);
      page[0] = getpid();
      raise(SIGSTOP);
      while (got < 100) usleep(200);
      page[1] = got;
      _exit(0);
    }
    waitpid(g, &st, WUNTRACED);
    page[2] = st;
    _exit(0);
  }
  waitpid(pid, &st, 0);
  r = waitpid(-1, &st, 0);
  printf("orphaned stopped group: stopped %x then %x, signals %s\n", page[2], st,
         page[1] == SIGHUP * 100 + SIGCONT || page[1] == SIGCONT * 100 + SIGHUP ? "SIGHUP and SIGCONT" : "others");
  // SIGTSTP in an orphaned group does nothing, SIGSTOP stops
  pid = fork();
  if (pid == 0) {
    setsid();
    raise(SIGTSTP);
    raise(SIGTTIN);
    raise(SIGTTOU);
    _exit(3);
  }
  waitpid(pid, &st, WUNTRACED);
  printf("SIGTSTP in an orphaned group: %x\n", st);
  pid = fork();
  if (pid == 0) {
    setpgid(0, 0);
    raise(SIGTSTP);
    _exit(4);
  }
  waitpid(pid, &st, WUNTRACED);
  printf("SIGTSTP in a group with a parent outside: %x\n", st);
  kill(-pid, SIGCONT);
  waitpid(pid, &st, WUNTRACED);
  printf("after SIGCONT: %x\n", st);
  // kill -1, and errors of kill
  result("kill nobody", kill(4000000, 0));
  result("kill signal 65", kill(getpid(), 65));
  result("kill signal -1", kill(getpid(), -1));
  result("kill group of nobody", kill(-3999999, 0));
  result("tgkill wrong group", syscall(SYS_tgkill, getpid() == 1 ? 2 : 1, getpid(), 0));
  result("tgkill -1", syscall(SYS_tgkill, -1, getpid(), 0));
  result("tgkill tid 0", syscall(SYS_tgkill, getpid(), 0, 0));
  result("tkill 0", syscall(SYS_tkill, 0, 0));
  result("tkill self", syscall(SYS_tkill, syscall(SYS_gettid), 0));
  return 0;
}
