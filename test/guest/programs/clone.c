// native: the emulator refuses most flags of clone.
// fork(2), vfork(2), clone(2), clone3(2): what each flag shares, where ids are written, and the errors.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK 65536
static volatile int shared_word;
static int *page;

static void result(const char *what, long r) {
  if (r == -1) printf("%s: errno %d\n", what, errno);
  else printf("%s: ok\n", what);
}

static long raw_clone(unsigned long flags, void *stack, int *ptid, int *ctid, unsigned long tls) {
#ifdef __x86_64__
  return syscall(SYS_clone, flags, stack, ptid, ctid, tls);
#else
  return syscall(SYS_clone, flags, stack, ptid, tls, ctid);
#endif
}

static long clone3(struct clone_args *a, size_t size) { return syscall(SYS_clone3, a, size); }

static int status_of(pid_t pid, int options) {
  int st = -1;
  pid_t r = waitpid(pid, &st, options);
  if (r != pid) printf("waitpid gives %d errno %d\n", r == -1 ? -1 : 0, errno);
  return st;
}

static int child_fn(void *arg) {
  shared_word = 77;
  *(int *)arg += 1;
  return 5;
}

static int fs_fn(void *arg) {
  if (chdir("/")) return 1;
  umask(0);
  close((int)(intptr_t)arg);
  return 0;
}

static void on_usr1(int s) { (void)s; }
static int sighand_fn(void *arg) {
  (void)arg;
  signal(SIGUSR2, SIG_IGN);
  return 0;
}

static void with_flags(const char *name, int flags, int (*fn)(void *), void *arg, int wall) {
  char *stack = mmap(0, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  int pid = clone(fn, stack + STACK, flags, arg);
  if (pid < 0) {
    printf("%s: errno %d\n", name, errno);
    return;
  }
  if (wall) {
    errno = 0;
    int st;
    int r = waitpid(pid, &st, 0);
    printf("%s: plain wait %d errno %d\n", name, r, errno);
  }
  int st = status_of(pid, wall ? __WALL : 0);
  printf("%s: status %x\n", name, st);
  munmap(stack, STACK);
}

int main(void) {
  setvbuf(stdout, 0, _IONBF, 0);
  page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  // fork
  shared_word = 1;
  pid_t pid = fork();
  if (pid == 0) {
    shared_word = 2;
    page[0] = getppid() != 0;
    page[1] = getpid();
    _exit(300);
  }
  printf("fork: status %x word %d page %d pid %d\n", status_of(pid, 0), shared_word, page[0], page[1] == pid);
  // vfork shares memory and suspends the parent
  volatile int seen = 0;
  pid = vfork();
  if (pid == 0) {
    seen = 9;
    usleep(2000);
    _exit(3);
  }
  printf("vfork: seen %d status %x\n", seen, status_of(pid, 0));
  // CLONE_VM with SIGCHLD
  int counter = 10;
  with_flags("clone VM", CLONE_VM | SIGCHLD, child_fn, &counter, 0);
  printf("word %d counter %d\n", shared_word, counter);
  shared_word = 0;
  with_flags("clone without VM", SIGCHLD, child_fn, &counter, 0);
  printf("word %d counter %d\n", shared_word, counter);
  with_flags("clone no signal", 0, child_fn, &counter, 1);
  with_flags("clone SIGUSR1 as exit signal", SIGCONT, child_fn, &counter, 1);
  // CLONE_FS, CLONE_FILES
  char cwd[256];
  mkdir("/tmp/carrick-clone", 0755);
  if (chdir("/tmp/carrick-clone")) return 1;
  umask(022);
  int fd = open("/dev/null", O_RDONLY);
  with_flags("clone copy", SIGCHLD, fs_fn, (void *)(intptr_t)fd, 0);
  printf("cwd %s fd %d umask %o\n", getcwd(cwd, sizeof cwd), fcntl(fd, F_GETFD), umask(022));
  with_flags("clone FILES", CLONE_FILES | SIGCHLD, fs_fn, (void *)(intptr_t)fd, 0);
  printf("cwd %s fd %d umask %o\n", getcwd(cwd, sizeof cwd), fcntl(fd, F_GETFD), umask(022));
  with_flags("clone FS", CLONE_FS | SIGCHLD, fs_fn, (void *)(intptr_t)-1, 0);
  printf("cwd %s umask %o\n", getcwd(cwd, sizeof cwd), umask(022));
  rmdir("/tmp/carrick-clone");
  // CLONE_SIGHAND
  struct sigaction sa;
  signal(SIGUSR2, SIG_DFL);
  with_flags("clone copy of handlers", CLONE_VM | SIGCHLD, sighand_fn, 0, 0);
  sigaction(SIGUSR2, 0, &sa);
  printf("SIGUSR2 ignored: %d\n", sa.sa_handler == SIG_IGN);
  with_flags("clone SIGHAND", CLONE_VM | CLONE_SIGHAND | SIGCHLD, sighand_fn, 0, 0);
  sigaction(SIGUSR2, 0, &sa);
  printf("SIGUSR2 ignored: %d\n", sa.sa_handler == SIG_IGN);
  // Tid words
  int ptid = 0, ctid = 0;
  pid = raw_clone(CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, 0, &ptid, &ctid, 0);
  if (pid == 0) _exit(ctid == getpid() && ptid == getpid() ? 1 : ctid == getpid() ? 2 : 3);
  printf("settid: ptid %d ctid %d status %x\n", ptid == pid, ctid, status_of(pid, 0));
  page[4] = 4;
  pid = raw_clone(CLONE_CHILD_CLEARTID | SIGCHLD, 0, 0, page + 4, 0);
  if (pid == 0) _exit(0);
  status_of(pid, 0);
  printf("cleartid after exit of the only user: %d\n", page[4]);
  // CLONE_PIDFD
  int pidfd = -1;
  pid = raw_clone(CLONE_PIDFD | SIGCHLD, 0, &pidfd, 0, 0);
  if (pid == 0) {
    pause();
    _exit(0);
  }
  printf("pidfd: cloexec %d\n", fcntl(pidfd, F_GETFD));
  struct pollfd pf = {pidfd, POLLIN, 0};
  printf("poll while it runs: %d\n", poll(&pf, 1, 0));
  result("pidfd_send_signal", syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, 0, 0));
  printf("poll: %d %x\n", poll(&pf, 1, -1), pf.revents);
  siginfo_t si;
  memset(&si, 0, sizeof si);
  result("waitid P_PIDFD", waitid(3, pidfd, &si, WEXITED));
  printf("code %d status %d pid %d\n", si.si_code, si.si_status, si.si_pid == pid);
  result("pidfd_send_signal to the dead", syscall(SYS_pidfd_send_signal, pidfd, 0, 0, 0));
  close(pidfd);
  result("pidfd_open", (pidfd = syscall(SYS_pidfd_open, getpid(), 0)));
  result("pidfd_open flags", syscall(SYS_pidfd_open, getpid(), 1));
  int nb = syscall(SYS_pidfd_open, getpid(), O_NONBLOCK);
  result("pidfd_open nonblocking", nb);
  result("waitid of ourselves by pidfd", waitid(3, nb, &si, WEXITED));
  close(nb);
  if ((pid = fork()) == 0) pause();
  nb = syscall(SYS_pidfd_open, pid, O_NONBLOCK);
  result("waitid by a nonblocking pidfd", waitid(3, nb, &si, WEXITED));
  kill(pid, SIGKILL);
  waitpid(pid, 0, 0);
  close(nb);
  result("pidfd_open nobody", syscall(SYS_pidfd_open, 4000000, 0));
  result("pidfd_open -1", syscall(SYS_pidfd_open, -1, 0));
  result("pidfd_send_signal 0", syscall(SYS_pidfd_send_signal, pidfd, 0, 0, 0));
  result("pidfd_send_signal 99", syscall(SYS_pidfd_send_signal, pidfd, 99, 0, 0));
  result("pidfd_send_signal on a file", syscall(SYS_pidfd_send_signal, 1, 0, 0, 0));
  int procdir = open("/proc/self", O_RDONLY | O_DIRECTORY);
  result("pidfd_send_signal to /proc/self", syscall(SYS_pidfd_send_signal, procdir, 0, 0, 0));
  result("waitid by /proc/self", waitid(3, procdir, &si, WEXITED));
  close(procdir);
  procdir = open("/proc/self/task", O_RDONLY | O_DIRECTORY);
  result("pidfd_send_signal to /proc/self/task", syscall(SYS_pidfd_send_signal, procdir, 0, 0, 0));
  close(procdir);
  int got = syscall(SYS_pidfd_getfd, pidfd, 1, 0);
  result("pidfd_getfd", got);
  result("pidfd_getfd bad", syscall(SYS_pidfd_getfd, pidfd, 555, 0));
  close(got);
  char b[8];
  result("read of a pidfd", read(pidfd, b, 8));
  // clone3
  struct clone_args ca = {.exit_signal = SIGCHLD};
  pid = clone3(&ca, sizeof ca);
  if (pid == 0) _exit(12);
  printf("clone3: %x\n", status_of(pid, 0));
  ca = (struct clone_args){.flags = CLONE_CLEAR_SIGHAND, .exit_signal = SIGCHLD};
  signal(SIGUSR1, on_usr1);
  signal(SIGUSR2, SIG_IGN);
  pid = clone3(&ca, sizeof ca);
  if (pid == 0) {
    struct sigaction one, two;
    sigaction(SIGUSR1, 0, &one);
    sigaction(SIGUSR2, 0, &two);
    _exit((one.sa_handler == SIG_DFL) + 2 * (two.sa_handler == SIG_IGN));
  }
  printf("clone3 CLEAR_SIGHAND: %x\n", status_of(pid, 0));
  ca = (struct clone_args){.flags = CLONE_CLEAR_SIGHAND | CLONE_SIGHAND | CLONE_VM, .exit_signal = SIGCHLD};
  result("clone3 CLEAR_SIGHAND with SIGHAND", clone3(&ca, sizeof ca));
  int tidset[1] = {3999};
  ca = (struct clone_args){.exit_signal = SIGCHLD, .set_tid = (uintptr_t)tidset, .set_tid_size = 1};
  FILE *most = fopen("/proc/sys/kernel/pid_max", "r");
  if (fscanf(most, "%d", tidset) != 1) printf("no pid_max\n");
  fclose(most);
  result("clone3 set_tid of pid_max", clone3(&ca, sizeof ca));
  ca.set_tid_size = 33;
  result("clone3 set_tid of 33", clone3(&ca, sizeof ca));
  ca = (struct clone_args){.exit_signal = 65};
  result("clone3 signal 65", clone3(&ca, sizeof ca));
  ca = (struct clone_args){.exit_signal = SIGCHLD, .stack = 4096};
  result("clone3 stack without size", clone3(&ca, sizeof ca));
  ca = (struct clone_args){.exit_signal = SIGCHLD, .stack_size = 4096};
  result("clone3 size without stack", clone3(&ca, sizeof ca));
  ca = (struct clone_args){.flags = SIGCHLD};
  result("clone3 signal in flags", clone3(&ca, sizeof ca));
  ca = (struct clone_args){.flags = 1ull << 40};
  result("clone3 unknown flag", clone3(&ca, sizeof ca));
  ca = (struct clone_args){.exit_signal = SIGCHLD};
  result("clone3 short", clone3(&ca, 56));
  result("clone3 too long", clone3(&ca, 5000));
  result("clone3 bad address", clone3((void *)8, sizeof ca));
  char big[128] = {0};
  big[100] = 1;
  result("clone3 non-zero tail", clone3((void *)big, sizeof big));
  ca = (struct clone_args){.flags = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, .exit_signal = SIGCHLD};
  result("clone3 thread with signal", clone3(&ca, sizeof ca));
  ca = (struct clone_args){.flags = CLONE_PARENT, .exit_signal = SIGCHLD};
  result("clone3 PARENT with signal", clone3(&ca, sizeof ca));
  ca = (struct clone_args){.flags = CLONE_PIDFD | CLONE_PARENT_SETTID, .exit_signal = SIGCHLD};
  pidfd = -1, ptid = -1;
  ca.pidfd = (uintptr_t)&pidfd, ca.parent_tid = (uintptr_t)&ptid;
  pid = clone3(&ca, sizeof ca);
  if (pid == 0) _exit(0);
  printf("clone3 pidfd and settid: %d %d %x\n", pidfd > 2, ptid == pid, status_of(pid, 0));
  // Errors of clone
  result("SIGHAND without VM", raw_clone(CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0));
  result("THREAD without SIGHAND", raw_clone(CLONE_THREAD | CLONE_VM | SIGCHLD, 0, 0, 0, 0));
  result("NEWNS with FS", raw_clone(CLONE_NEWNS | CLONE_FS | SIGCHLD, 0, 0, 0, 0));
  result("PIDFD with PARENT_SETTID", raw_clone(CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, 0, &ptid, 0, 0));
  result("PIDFD with DETACHED", raw_clone(CLONE_PIDFD | CLONE_DETACHED | SIGCHLD, 0, &ptid, 0, 0));
  // CLONE_PARENT: the sibling's parent is ours
  page[8] = 0;
  pid = fork();
  if (pid == 0) {
    int sibling = raw_clone(CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
    if (sibling == 0) {
      page[9] = getppid();
      _exit(8);
    }
    page[8] = sibling;
    int st;
    int r = waitpid(sibling, &st, 0);
    _exit(r == -1 && errno == ECHILD ? 4 : 5);
  }
  printf("PARENT: middle %x sibling %x parent %d\n", status_of(pid, 0), status_of(page[8], 0), page[9] == getpid());
  // The children of a clone without SIGCHLD do not count for plain waits
  errno = 0;
  result("no children", waitpid(-1, 0, 0));
  // fork keeps and loses
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, 0);
  raise(SIGUSR1);
  alarm(100);
  pid = fork();
  if (pid == 0) {
    sigset_t pend, mask;
    sigpending(&pend);
    sigprocmask(SIG_BLOCK, 0, &mask);
    _exit(sigismember(&pend, SIGUSR1) + 2 * sigismember(&mask, SIGUSR1) + 4 * (alarm(0) != 0));
  }
  printf("fork: pending+mask+alarm %x\n", status_of(pid, 0));
  alarm(0);
  return 0;
}
