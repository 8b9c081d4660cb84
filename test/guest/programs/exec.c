// native: the emulator does not run scripts by itself and keeps its own /proc/self/exe.
// execve(2), execveat(2): scripts, arguments, environment, what survives and what does not, and the errors.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
static char self[4096], dir[64];

static void put(const char *name, const char *text, int mode) {
  unlink(name);
  int fd = open(name, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0700);
  if (write(fd, text, strlen(text)) < 0) perror("write");
  close(fd);
  chmod(name, mode);
}

static void say(const char *what, int st) {
  if (WIFEXITED(st)) printf("%s: exit %d\n", what, WEXITSTATUS(st));
  else printf("%s: signal %d\n", what, WTERMSIG(st));
}

// Runs file with args in a child; a failing exec exits with its errno + 100.
static void run(const char *what, const char *file, char **argv, char **envp) {
  printf("-- %s\n", what);
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    execve(file, argv, envp);
    _exit(errno + 100);
  }
  int st;
  waitpid(pid, &st, 0);
  say(what, st);
}
static void runat(const char *what, int fd, const char *file, char **argv, int flags) {
  printf("-- %s\n", what);
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    syscall(SYS_execveat, fd, file, argv, environ, flags);
    _exit(errno + 100);
  }
  int st;
  waitpid(pid, &st, 0);
  say(what, st);
}

static void show_path(const char *s) {
  size_t n = strlen(dir);
  if (strcmp(s, self) == 0) printf("SELF");
  else if (strncmp(s, dir, n) == 0) printf("DIR%s", s + n);
  else if (strncmp(s, "/dev/fd/", 8) == 0 && s[8] > '2') printf("/dev/fd/N%s", strchr(s + 8, '/') ? strchr(s + 8, '/') : "");
  else printf("%s", s);
}

// "report": prints what the new program was given.
static int report(int argc, char **argv) {
  strcpy(dir, getenv("DIR") ? getenv("DIR") : "?");
  strcpy(self, getenv("SELF") ? getenv("SELF") : "?");
  printf("argc %d:", argc);
  for (int i = 0; i < argc; i++) {
    printf(" [");
    if (strlen(argv[i]) > 100) printf("%zu bytes", strlen(argv[i]));
    else show_path(argv[i]);
    printf("]");
  }
  char comm[17] = "";
  prctl(PR_GET_NAME, comm);
  printf(" comm ");
  if (comm[0] >= '0' && comm[0] <= '9') printf("N");
  else printf("%s", strncmp(comm, "exec-", 5) ? comm : "PROG");
  char exe[4096];
  ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
  exe[n < 0 ? 0 : n] = 0;
  if (strcmp(dir, "?") && strcmp(dir, "y")) {
    printf(" exe ");
    show_path(exe);
  }
  printf("\n");
  return 0;
}

static int state(void) {
  struct sigaction sa;
  int handled = 0, ignored = 0;
  for (int s = 1; s < 32; s++) {
    sigaction(s, 0, &sa);
    if (sa.sa_handler == SIG_IGN) ignored++;
    else if (sa.sa_handler != SIG_DFL) handled++;
  }
  sigset_t mask, pend;
  sigprocmask(SIG_BLOCK, 0, &mask);
  sigpending(&pend);
  stack_t ss;
  sigaltstack(0, &ss);
  struct itimerval it;
  getitimer(ITIMER_REAL, &it);
  int fds = 0;
  for (int i = 3; i < 100; i++) fds += fcntl(i, F_GETFD) != -1;
  struct rlimit rl;
  getrlimit(RLIMIT_NOFILE, &rl);
  int dumpable = prctl(PR_GET_DUMPABLE), pdeath = -1;
  prctl(PR_GET_PDEATHSIG, &pdeath);
  printf("handled %d ignored %d blocked %d pending %d altstack %d timer %d fds %d nofile %d dumpable %d pdeath %d "
         "keepcaps %ld nice %d umask %o threads %d subreaper-kept %d\n",
         handled, ignored, sigismember(&mask, SIGUSR1), sigismember(&pend, SIGUSR1), ss.ss_flags, it.it_value.tv_sec > 0,
         fds, (int)rl.rlim_cur, dumpable, pdeath, (long)prctl(PR_GET_KEEPCAPS), nice(0), umask(0), 1, ({
           int v = -1;
           prctl(PR_GET_CHILD_SUBREAPER, &v);
           v;
         }));
  timer_t t = 0;
  struct itimerspec its;
  errno = 0;
  printf("timer_gettime %ld errno %d\n", syscall(SYS_timer_gettime, t, &its), errno);
  return 0;
}

static void handler(int s) { (void)s; }
static pthread_barrier_t bar;
static void *sleeper(void *arg) {
  (void)arg;
  pthread_barrier_wait(&bar);
  for (;;) pause();
}
static void *execs(void *arg) {
  (void)arg;
  pthread_barrier_wait(&bar);
  char *argv[] = {"exec", "thread", 0};
  execve("/proc/self/exe", argv, environ);
  return 0;
}

int main(int argc, char **argv) {
  setvbuf(stdout, 0, _IOLBF, 0);
  if (argc > 1 && strcmp(argv[1], "report") == 0) return report(argc, argv);
  if (argc > 1 && strcmp(argv[1], "state") == 0) return state();
  if (argc > 1 && strcmp(argv[1], "thread") == 0) {
    printf("after exec by a thread: pid is tid %d, group of %s\n", getpid() == syscall(SYS_gettid), getenv("PARENT_PID") && atoi(getenv("PARENT_PID")) == getpid() ? "the same pid" : "another pid");
    return 6;
  }
  if (argc > 1 && strcmp(argv[1], "hold") == 0) {
    printf("x\n");
    for (;;) pause();
  }
  if (getenv("SELF")) return report(argc, argv);
  if (argc == 0) return 77;

  ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
  self[n] = 0;
  strcpy(dir, "/tmp/carrick-exec-XXXXXX");
  if (!mkdtemp(dir) || chdir(dir)) return 1;
  setenv("DIR", dir, 1);
  setenv("SELF", self, 1);
  char text[8192], path[4200];
  snprintf(path, sizeof path, "%s/link", dir);
  if (symlink(self, "link")) return 1;

  char *rep[] = {"zero", "report", "a b", "", 0};
  run("by path", self, rep, environ);
  run("by symlink", path, rep, environ);
  run("relative symlink", "link", rep, environ);
  // Scripts
  snprintf(text, sizeof text, "#!%s report\nignored\n", path);
  put("script", text, 0755);
  char *args[] = {"zeroth", "one", "two words", 0};
  run("script", "script", args, environ);
  run("./script", "./script", args, environ);
  snprintf(text, sizeof text, "%s/script", dir);
  run("script by absolute path", text, args, environ);
  snprintf(text, sizeof text, "#! \t %s \t report two\targs  \t\n", path);
  put("spaces", text, 0755);
  run("script with spaces", "spaces", args, environ);
  snprintf(text, sizeof text, "#!%s", path);
  put("noarg", text, 0755);
  run("script without argument or newline", "noarg", args, environ);
  snprintf(text, sizeof text, "#!%s/script deeper\n", dir);
  put("nested", text, 0755);
  run("script of a script", "nested", args, environ);
  strcpy(path, "script");
  for (int i = 0; i < 6; i++) {
    char name[32];
    snprintf(text, sizeof text, "#!%s/%s level%d\n", dir, path, i);
    snprintf(name, sizeof name, "nest%d", i);
    put(name, text, 0755);
    strcpy(path, name);
    run(name, name, args, environ);
  }
  snprintf(text, sizeof text, "#!%s/loop\n", dir);
  put("loop", text, 0755);
  run("script that names itself", "loop", args, environ);
  put("empty", "", 0755);
  run("empty file", "empty", args, environ);
  put("bang", "#!\n", 0755);
  run("no interpreter", "bang", args, environ);
  put("bang2", "#!   \n", 0755);
  run("blank interpreter", "bang2", args, environ);
  put("missing", "#!/nonexistent/interp\n", 0755);
  run("missing interpreter", "missing", args, environ);
  put("dirinterp", "#!/tmp\n", 0755);
  run("directory as interpreter", "dirinterp", args, environ);
  put("text", "just text\n", 0755);
  run("text file", "text", args, environ);
  put("noexec", "#!/bin/sh\n", 0644);
  run("not executable", "noexec", args, environ);
  run("directory", dir, args, environ);
  run("missing file", "nope", args, environ);
  run("file as directory", "text/x", args, environ);
  run("empty path", "", args, environ);
  char longline[600];
  memset(longline, 'x', sizeof longline);
  int l = snprintf(longline, sizeof longline, "#!%s/link ", dir);
  longline[l] = 'x';
  longline[300] = '\n', longline[301] = 0;
  put("long", longline, 0755);
  run("argument beyond 256 bytes", "long", args, environ);
  memset(longline, 'y', 300);
  memcpy(longline, "#!/", 3);
  put("longpath", longline, 0755);
  run("interpreter beyond 256 bytes", "longpath", args, environ);
  put("elfbad", "\177ELF\2\1\1", 0755);
  run("truncated ELF", "elfbad", args, environ);
  // Empty and null vectors
  char *none[] = {0};
  run("empty argv", self, none, environ);
  run("null argv", self, 0, environ);
  char *onlyenv[] = {"SELF=x", "DIR=y", 0};
  char *one[] = {"p", 0};
  run("given environment", self, one, onlyenv);
  run("null environment", self, rep, 0);
  run("bad argv", self, (char **)8, environ);
  char *badarg[] = {"a", (char *)16, 0};
  run("bad argument", self, badarg, environ);
  run("bad path", (char *)8, args, environ);
  // Sizes
  char *huge = malloc(200000);
  memset(huge, 'h', 200000);
  huge[131071] = 0;
  char *hugeargs[] = {"zero", "report", huge, 0};
  run("argument of 128 KiB less one", self, hugeargs, environ);
  huge[131071] = 'h', huge[131072] = 0;
  run("argument of 128 KiB", self, hugeargs, environ);
  huge[100000] = 0;
  char *many[64];
  many[0] = "zero", many[1] = "report";
  for (int i = 2; i < 24; i++) many[i] = huge;
  many[20] = 0;
  run("1.8 MB of arguments", self, many, environ);
  many[20] = huge, many[23] = 0;
  run("2.1 MB of arguments", self, many, environ);
  struct rlimit rl, old;
  getrlimit(RLIMIT_STACK, &old);
  rl = old, rl.rlim_cur = 1 << 20;
  setrlimit(RLIMIT_STACK, &rl);
  many[5] = 0;
  run("300 KB with a stack of 1 MiB", self, many, environ);
  setrlimit(RLIMIT_STACK, &old);
  // execveat
  int d = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  runat("execveat directory", d, "link", rep, 0);
  runat("execveat NOFOLLOW", d, "link", rep, AT_SYMLINK_NOFOLLOW);
  runat("execveat bad flag", d, "link", rep, 0x200);
  runat("execveat script", d, "script", args, 0);
  int kept = open(dir, O_RDONLY | O_DIRECTORY);
  runat("execveat script, kept directory", kept, "script", args, 0);
  close(kept);
  int f = open("link", O_RDONLY | O_CLOEXEC);
  runat("execveat empty path", f, "", rep, AT_EMPTY_PATH);
  runat("execveat empty path without the flag", f, "", rep, 0);
  close(f);
  f = open("link", O_PATH | O_CLOEXEC);
  runat("execveat O_PATH", f, "", rep, AT_EMPTY_PATH);
  close(f);
  f = open("script", O_RDONLY);
  runat("execveat script by fd", f, "", args, AT_EMPTY_PATH);
  fcntl(f, F_SETFD, FD_CLOEXEC);
  runat("execveat script by cloexec fd", f, "", args, AT_EMPTY_PATH);
  close(f);
  runat("execveat bad fd", 99, "link", rep, 0);
  runat("execveat directory by fd", d, "", rep, AT_EMPTY_PATH);
  close(d);
  int ends[2];
  pipe(ends);
  runat("execveat pipe by fd", ends[0], "", rep, AT_EMPTY_PATH);
  close(ends[0]), close(ends[1]);
  socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
  runat("execveat socket by fd", ends[0], "", rep, AT_EMPTY_PATH);
  close(ends[0]), close(ends[1]);
  // A memfd
  int m = memfd_create("prog", MFD_CLOEXEC);
  int src = open(self, O_RDONLY | O_CLOEXEC);
  char buf[65536];
  for (ssize_t k; (k = read(src, buf, sizeof buf)) > 0;)
    if (write(m, buf, k) != k) return 1;
  close(src);
  setenv("QUIET", "1", 1);
  runat("execveat memfd open for writing", m, "", none, AT_EMPTY_PATH);
  close(m);
  // A file being written
  put("busy", "", 0755);
  int w = open("busy", O_WRONLY | O_CLOEXEC);
  src = open(self, O_RDONLY | O_CLOEXEC);
  for (ssize_t k; (k = read(src, buf, sizeof buf)) > 0;)
    if (write(w, buf, k) != k) return 1;
  close(src);
  run("open for writing", "busy", one, environ);
  close(w);
  run("no longer", "busy", one, environ);
  fflush(stdout);
  int hold[2];
  if (pipe(hold)) return 1;
  pid_t holder = fork();
  if (holder == 0) {
    dup2(hold[1], 1);
    char *wait[] = {"p", "hold", 0};
    execve("busy", wait, environ);
    _exit(1);
  }
  char c;
  if (read(hold[0], &c, 1) != 1) return 1;
  errno = 0;
  printf("a running program opened for writing: %d errno %d\n", open("busy", O_WRONLY), errno);
  printf("truncated: %d errno %d\n", truncate("busy", 5), errno);
  printf("emptied: %d errno %d\n", open("busy", O_RDONLY | O_TRUNC), errno);
  kill(holder, SIGKILL);
  waitpid(holder, 0, 0);
  w = open("busy", O_WRONLY | O_CLOEXEC);
  printf("afterwards: %d\n", w >= 0);
  close(w);
  // What survives
  signal(SIGUSR1, handler);
  signal(SIGUSR2, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  printf("-- state\n");
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    sigprocmask(SIG_BLOCK, &set, 0);
    raise(SIGUSR1);
    stack_t ss = {.ss_sp = malloc(65536), .ss_size = 65536};
    sigaltstack(&ss, 0);
    timer_t t;
    struct sigevent sev = {.sigev_notify = SIGEV_NONE};
    timer_create(CLOCK_MONOTONIC, &sev, &t);
    alarm(1000);
    open("/dev/null", O_RDONLY | O_CLOEXEC);
    int keep = open("/dev/null", O_RDONLY);
    (void)keep;
    rl.rlim_cur = rl.rlim_max = 100;
    setrlimit(RLIMIT_NOFILE, &rl);
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_PDEATHSIG, SIGHUP);
    prctl(PR_SET_KEEPCAPS, 1);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    umask(027);
    // Whatever the tests themselves run at.
    setpriority(PRIO_PROCESS, 0, 0);
    if (nice(3) < 0) _exit(1);
    char *argv2[] = {"exec", "state", 0};
    execve(self, argv2, environ);
    _exit(99);
  }
  int st;
  waitpid(pid, &st, 0);
  say("state", st);
  // exec in a thread: the others die and the pid stays
  for (int leader = 0; leader < 2; leader++) {
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
      char p[16];
      snprintf(p, sizeof p, "%d", getpid());
      setenv("PARENT_PID", p, 1);
      pthread_barrier_init(&bar, 0, 5);
      pthread_t t;
      for (int i = 0; i < 3; i++) pthread_create(&t, 0, sleeper, 0);
      if (leader) execs(0);
      pthread_create(&t, 0, execs, 0);
      pthread_barrier_wait(&bar);
      pause();
    }
    if (leader) {
      usleep(50000);
      kill(pid, SIGKILL);
    }
    waitpid(pid, &st, 0);
    say("exec with threads", st);
  }
  // vfork and exec
  printf("-- vfork exec\n");
  fflush(stdout);
  volatile int v = 0;
  pid = vfork();
  if (pid == 0) {
    v = 1;
    execve(self, rep, environ);
    _exit(1);
  }
  waitpid(pid, &st, 0);
  printf("seen %d\n", v);
  say("vfork exec", st);
  DIR *list = opendir(dir);
  for (struct dirent *e; (e = readdir(list)) != 0;)
    if (e->d_name[0] != '.') unlink(e->d_name);
  closedir(list);
  return rmdir(dir);
}
