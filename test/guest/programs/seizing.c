// native: the emulator has no ptrace.
// ptrace(2) from outside: PTRACE_ATTACH and PTRACE_SEIZE, group stops and PTRACE_LISTEN, threads, waiting, and what becomes of tracees
// whose tracer ends.
#include "say.h"
#include <linux/ptrace.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <time.h>

static long pt(long request, pid_t pid, long addr, long data) {
  return syscall(SYS_ptrace, request, pid, addr, data);
}
static struct page {
  atomic_int flag, count, tid;
} *page;
static void show(const char *what, int st) {
  printf("%s: ", what);
  if (WIFEXITED(st)) printf("exited %d\n", WEXITSTATUS(st));
  else if (WIFSIGNALED(st)) printf("killed by %d\n", WTERMSIG(st));
  else if (WIFCONTINUED(st)) printf("continued\n");
  else if (WIFSTOPPED(st)) printf("stopped by %d event %d\n", WSTOPSIG(st), st >> 16);
}
static int wait_with(pid_t pid, const char *what, int options) {
  int st = -1;
  pid_t got = waitpid(pid, &st, options);
  if (got == 0) printf("%s: nothing\n", what);
  else if (got < 0) printf("%s: %s\n", what, err_name(errno));
  else show(what, st);
  return st;
}
static int wait_for(pid_t pid, const char *what) { return wait_with(pid, what, __WALL); }
static int siginfo_of(pid_t pid) {
  siginfo_t si;
  memset(&si, 0, sizeof si);
  if (pt(PTRACE_GETSIGINFO, pid, 0, (long)&si) != 0) {
    printf(" siginfo: %s\n", err_name(errno));
    return -1;
  }
  printf(" siginfo %d code %#x\n", si.si_signo, si.si_code);
  return si.si_signo;
}
static char state_of(pid_t pid) {
  char name[64], text[512];
  snprintf(name, sizeof name, "/proc/%d/stat", pid);
  FILE *f = fopen(name, "r");
  if (!f) return '?';
  size_t n = fread(text, 1, sizeof text - 1, f);
  text[n] = 0;
  fclose(f);
  return strrchr(text, ')')[2];
}
static void until(pid_t pid, char state) {
  for (int i = 0; i < 2000 && state_of(pid) != state; i++) usleep(1000);
  printf("state %c\n", state_of(pid));
}
static void on_usr1(int s) {
  (void)s;
  page->count++;
}
static void spin(void) {
  signal(SIGUSR1, on_usr1);
  page->flag = 1;
  for (;;) sched_yield();
}
static pid_t start(void (*body)(void)) {
  page->flag = page->count = 0;
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    // A group that is not an orphan can be stopped from the terminal.
    setpgid(0, 0);
    body();
    _exit(7);
  }
  while (!page->flag) usleep(1000);
  return pid;
}
static void end(pid_t pid) {
  kill(pid, SIGKILL);
  int st;
  while (waitpid(pid, &st, __WALL) == pid && WIFSTOPPED(st)) {}
  show("end", st);
}

static void test_attach(void) {
  pid_t pid = start(spin);
  say("attach", pt(PTRACE_ATTACH, pid, 0, 0));
  say("too early", 0);
  wait_for(pid, "attached");
  siginfo_of(pid);
  kill(pid, SIGUSR1);
  pt(PTRACE_CONT, pid, 0, 0);
  wait_for(pid, "signal");
  pt(PTRACE_CONT, pid, 0, SIGUSR1);
  while (page->count == 0) usleep(1000);
  say("running", pt(PTRACE_CONT, pid, 0, 0));
  // A group stop: the signal first, then the stop without a siginfo.
  kill(pid, SIGTSTP);
  wait_for(pid, "signal");
  siginfo_of(pid);
  pt(PTRACE_CONT, pid, 0, SIGTSTP);
  wait_for(pid, "group stop");
  siginfo_of(pid);
  kill(pid, SIGCONT);
  pt(PTRACE_CONT, pid, 0, 0);
  wait_for(pid, "SIGCONT");
  say("detach", pt(PTRACE_DETACH, pid, 0, SIGUSR1));
  while (page->count < 2) usleep(1000);
  // One that is stopped already.
  kill(pid, SIGSTOP);
  wait_with(pid, "stopped", WUNTRACED);
  say("attach", pt(PTRACE_ATTACH, pid, 0, 0));
  wait_for(pid, "attached");
  siginfo_of(pid);
  say("detach", pt(PTRACE_DETACH, pid, 0, 0));
  until(pid, 'T');
  kill(pid, SIGCONT);
  wait_with(pid, "continued", WCONTINUED);
  end(pid);
}

static void test_seize(void) {
  pid_t pid = start(spin);
  say("bad options", pt(PTRACE_SEIZE, pid, 0, 0x100));
  say("bad address", pt(PTRACE_SEIZE, pid, 1, 0));
  say("seize", pt(PTRACE_SEIZE, pid, 0, 0));
  wait_with(pid, "runs on", WNOHANG | __WALL);
  say("not stopped", pt(PTRACE_CONT, pid, 0, 0));
  say("interrupt", pt(PTRACE_INTERRUPT, pid, 0, 0));
  wait_for(pid, "interrupted");
  siginfo_of(pid);
  say("listen", pt(PTRACE_LISTEN, pid, 0, 0));
  say("while listening", pt(PTRACE_CONT, pid, 0, 0));
  say("interrupt", pt(PTRACE_INTERRUPT, pid, 0, 0));
  wait_for(pid, "again");
  pt(PTRACE_CONT, pid, 0, 0);
  kill(pid, SIGSTOP);
  wait_for(pid, "signal");
  siginfo_of(pid);
  say("no listening here", pt(PTRACE_LISTEN, pid, 0, 0));
  pt(PTRACE_CONT, pid, 0, SIGSTOP);
  wait_for(pid, "group stop");
  siginfo_of(pid);
  say("listen", pt(PTRACE_LISTEN, pid, 0, 0));
  wait_with(pid, "listens", WNOHANG | __WALL);
  kill(pid, SIGCONT);
  wait_for(pid, "continued");
  siginfo_of(pid);
  pt(PTRACE_CONT, pid, 0, 0);
  wait_for(pid, "SIGCONT");
  pt(PTRACE_CONT, pid, 0, 0);
  // Interrupted in a call that waits.
  pt(PTRACE_INTERRUPT, pid, 0, 0);
  wait_for(pid, "interrupted");
  say("detach", pt(PTRACE_DETACH, pid, 0, 0));
  kill(pid, SIGUSR1);
  while (page->count < 1) usleep(1000);
  end(pid);
}

static void *second(void *a) {
  page->tid = syscall(SYS_gettid);
  page->flag = 1;
  while (page->flag != 2) sched_yield();
  return a;
}
static void threads(void) {
  pthread_t t;
  pthread_create(&t, 0, second, 0);
  pthread_join(t, 0);
  pthread_create(&t, 0, second, 0);
  pthread_join(t, 0);
  while (page->flag != 3) sched_yield();
}
static void test_threads(void) {
  pid_t pid = start(threads);
  pid_t tid = page->tid;
  say("seize a thread", pt(PTRACE_SEIZE, tid, 0, PTRACE_O_TRACEEXIT));
  say("leader too", pt(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACECLONE));
  pt(PTRACE_INTERRUPT, tid, 0, 0);
  int st;
  pid_t got = waitpid(-1, &st, __WALL);
  printf("the thread: %d\n", got == tid);
  show("interrupted", st);
  page->flag = 2;
  pt(PTRACE_CONT, tid, 0, 0);
  wait_for(tid, "thread exits");
  pt(PTRACE_CONT, tid, 0, 0);
  wait_for(tid, "thread");
  wait_for(pid, "leader makes another");
  unsigned long message = 0;
  pt(PTRACE_GETEVENTMSG, pid, 0, (long)&message);
  wait_for(message, "the other");
  say("its options", pt(PTRACE_CONT, message, 0, 0));
  pt(PTRACE_CONT, pid, 0, 0);
  while (page->tid != (int)message) usleep(1000);
  page->flag = 2;
  wait_for(message, "the other ends");
  page->flag = 3;
  wait_for(pid, "leader");
}

// The tracer ends: tracees go on, or die.
static void test_tracer_ends(long options) {
  pid_t pid = start(spin);
  CHILD("tracer", {
    say("seize", pt(PTRACE_SEIZE, pid, 0, options));
    pt(PTRACE_INTERRUPT, pid, 0, 0);
    wait_for(pid, "interrupted");
  });
  if (options == 0) {
    kill(pid, SIGUSR1);
    while (page->count < 1) usleep(1000);
    printf("it goes on\n");
    end(pid);
  } else {
    wait_for(pid, "it was");
  }
}

// A debugger that is not the parent: it hears first, then the parent.
static void test_reparented(void) {
  pid_t pid = start(spin);
  int to[2], from[2];
  char c;
  if (pipe(to) || pipe(from)) return;
  fflush(stdout);
  pid_t tracer = fork();
  if (tracer == 0) {
    pt(PTRACE_SEIZE, pid, 0, 0);
    if (write(from[1], "x", 1) != 1 || read(to[0], &c, 1) != 1) _exit(1);
    wait_for(pid, "tracer: signal");
    pt(PTRACE_CONT, pid, 0, SIGTERM);
    usleep(50000);
    int st = 0;
    waitpid(pid, &st, __WALL);
    _exit(WTERMSIG(st));
  }
  if (read(from[0], &c, 1) != 1) return;
  kill(pid, SIGTERM);
  if (write(to[1], "x", 1) != 1) return;
  wait_with(pid, "parent", 0);
  wait_with(tracer, "tracer", 0);
}

static void test_wnothread(void) {
  pid_t pid = start(spin);
  wait_with(pid, "no stop", WNOHANG | __WNOTHREAD);
  say("attach", pt(PTRACE_ATTACH, pid, 0, 0));
  wait_with(pid, "mine", __WNOTHREAD);
  kill(pid, SIGKILL);
  wait_with(pid, "killed in a stop", 0);
}

static void test_dumpable(void) {
  if (geteuid() != 0) return;
  pid_t pid = start(spin);
  CHILD("other user", {
    if (setresuid(1234, 1234, 1234) != 0) _exit(9);
    say("attach", pt(PTRACE_ATTACH, pid, 0, 0));
    say("seize", pt(PTRACE_SEIZE, pid, 0, 0));
  });
  end(pid);
}

int main(void) {
  setvbuf(stdout, 0, _IONBF, 0);
  page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  puts("-- attach");
  test_attach();
  puts("-- seize");
  test_seize();
  puts("-- threads");
  test_threads();
  puts("-- tracer ends");
  test_tracer_ends(0);
  test_tracer_ends(PTRACE_O_EXITKILL);
  puts("-- reparented");
  test_reparented();
  puts("-- wnothread");
  test_wnothread();
  test_dumpable();
  return 0;
}
