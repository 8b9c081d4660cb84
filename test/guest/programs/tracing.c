// native: the emulator has no ptrace.
// ptrace(2) by PTRACE_TRACEME: stops at signals, calls and events, registers, memory, steps, breakpoints; what wait reports of them.
#include "say.h"
#include <elf.h>
#include <linux/ptrace.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/user.h>
#include <time.h>

#ifndef SYS_fork
#define SYS_fork -100
#endif
static long pt(long request, pid_t pid, long addr, long data) {
  return syscall(SYS_ptrace, request, pid, addr, data);
}
// Without the calls that C libraries make around it.
#define raise(signal) syscall(SYS_tgkill, getpid(), getpid(), signal)
static const char *call_name(long nr) {
  switch (nr) {
    case SYS_getpid: return "getpid";
    case SYS_getppid: return "getppid";
    case SYS_write: return "write";
    case SYS_exit_group: return "exit_group";
    case SYS_clock_nanosleep: return "clock_nanosleep";
    case SYS_close: return "close";
    case SYS_tgkill: return "tgkill";
    case SYS_kill: return "kill";
    case SYS_sched_yield: return "sched_yield";
    case -1: return "none";
  }
  return "other";
}
static void show(const char *what, int st) {
  printf("%s: ", what);
  if (WIFEXITED(st)) printf("exited %d\n", WEXITSTATUS(st));
  else if (WIFSIGNALED(st)) printf("killed by %d%s\n", WTERMSIG(st), WCOREDUMP(st) ? " (core)" : "");
  else if (WIFCONTINUED(st)) printf("continued\n");
  else if (WIFSTOPPED(st)) printf("stopped by %d%s event %d\n", WSTOPSIG(st) & 0x7f, WSTOPSIG(st) & 0x80 ? "+call" : "", st >> 16);
}
static int wait_for(pid_t pid, const char *what) {
  int st = -1;
  if (waitpid(pid, &st, __WALL) != pid) printf("%s: %s\n", what, err_name(errno));
  else if (what) show(what, st);
  return st;
}
static pid_t traced(void (*body)(void)) {
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    if (pt(PTRACE_TRACEME, 0, 0, 0) != 0) _exit(98);
    raise(SIGSTOP);
    body();
    _exit(7);
  }
  wait_for(pid, 0);
  return pid;
}
// Runs on until it ends, printing stops.
static void run_out(pid_t pid, long request) {
  for (int i = 0; i < 40; i++) {
    if (pt(request, pid, 0, 0) != 0) return;
    int st = wait_for(pid, "then");
    if (WIFEXITED(st) || WIFSIGNALED(st)) return;
  }
}
static void show_call(pid_t pid) {
  struct ptrace_syscall_info info;
  memset(&info, 0xaa, sizeof info);
  long n = pt(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, (long)&info);
  unsigned long message = 99;
  pt(PTRACE_GETEVENTMSG, pid, 0, (long)&message);
  siginfo_t si;
  memset(&si, 0, sizeof si);
  pt(PTRACE_GETSIGINFO, pid, 0, (long)&si);
  printf(" info %ld op %d msg %lu code %d pid %d", n, info.op, message, si.si_code, si.si_pid == pid);
  static long last;
  if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
    last = info.entry.nr;
    printf(" %s", call_name(last));
    if (last == SYS_close) printf("(%d)", (int)info.entry.args[0]);
  }
  // What a call that was not made returns differs from machine to machine.
  if (info.op == PTRACE_SYSCALL_INFO_EXIT && last != SYS_close) {
    long long result = info.exit.rval;
    printf(" = %s%lld", info.exit.is_error ? "error " : "", result == pid ? 1LL : result == getpid() ? 2LL : result);
  }
  printf("\n");
}

// The machine's part: the number and the result of a call.
static void set_call(pid_t pid, long nr) {
#ifdef __aarch64__
  int n = nr;
  struct iovec v = {&n, sizeof n};
  pt(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, (long)&v);
#else
  pt(PTRACE_POKEUSR, pid, 15 * 8, nr);
#endif
}
static unsigned long long regs[64];
static long get_regs(pid_t pid) {
  struct iovec v = {regs, sizeof regs};
  long r = pt(PTRACE_GETREGSET, pid, NT_PRSTATUS, (long)&v);
  return r == 0 ? (long)v.iov_len : r;
}
static long put_regs(pid_t pid) {
#ifdef __aarch64__
  struct iovec v = {regs, 34 * 8};
#else
  struct iovec v = {regs, 27 * 8};
#endif
  return pt(PTRACE_SETREGSET, pid, NT_PRSTATUS, (long)&v);
}
#ifdef __aarch64__
#define RESULT 0
#define PC 32
#define SP 31
#else
#define RESULT 10
#define PC 16
#define SP 19
#endif

static volatile long word = 0x1122334455667788;
static const char text[] = "read-only text";
static int handled;
static void on_signal(int s) { handled = s; }

static void calls(void) {
  syscall(SYS_getppid);
  long r = syscall(SYS_getpid);
  if (r != 4242) _exit(50);
  if (syscall(SYS_close, 77) != -1 || errno != ENOTTY) _exit(51);
  r = syscall(SYS_sched_yield);
  if (r != getppid()) _exit(52);
}
static void test_calls(void) {
  pid_t pid = traced(calls);
  say("options", pt(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXIT));
  for (int i = 0; i < 40; i++) {
    if (pt(PTRACE_SYSCALL, pid, 0, 0) != 0) break;
    int st = wait_for(pid, "call");
    if (!WIFSTOPPED(st)) break;
    if (st >> 16 == PTRACE_EVENT_EXIT) {
      unsigned long message = 0;
      say(" message", pt(PTRACE_GETEVENTMSG, pid, 0, (long)&message));
      printf(" exits with %#lx\n", message);
      continue;
    }
    show_call(pid);
    struct ptrace_syscall_info info;
    pt(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, (long)&info);
    static long last;
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
      last = info.entry.nr;
      // Another call in this one's place.
      if (last == SYS_sched_yield) set_call(pid, SYS_getppid);
      // No call at all.
      if (last == SYS_close) set_call(pid, -1);
    } else if (last == SYS_getpid) {
      get_regs(pid);
      regs[RESULT] = 4242;
      say(" changed", put_regs(pid));
    } else if (last == SYS_close) {
      get_regs(pid);
      regs[RESULT] = -ENOTTY;
      say(" changed", put_regs(pid));
    }
  }
}

static void signals(void) {
  signal(SIGUSR1, on_signal);
  signal(SIGUSR2, SIG_IGN);
  raise(SIGUSR1);
  if (handled != 0) _exit(60);
  raise(SIGUSR2);
  raise(SIGUSR1);
  if (handled != SIGUSR1) _exit(61);
  handled = 0;
  raise(SIGWINCH);
  if (handled != SIGUSR1) _exit(62);
  raise(SIGTERM);
}
static void test_signals(void) {
  pid_t pid = traced(signals);
  int give[] = {0, SIGUSR2, SIGUSR1, SIGUSR1, SIGTERM};
  for (int i = 0; i < 6; i++) {
    pt(PTRACE_CONT, pid, 0, i == 0 ? 0 : give[i - 1]);
    int st = wait_for(pid, "signal");
    if (!WIFSTOPPED(st)) break;
    siginfo_t si;
    memset(&si, 0, sizeof si);
    say(" siginfo", pt(PTRACE_GETSIGINFO, pid, 0, (long)&si));
    printf(" %d code %d from %s\n", si.si_signo, si.si_code, si.si_pid == pid ? "itself" : "another");
    struct ptrace_syscall_info info;
    say(" call", pt(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, (long)&info));
    if (i == 2) {
      si.si_value.sival_int = 5;
      say(" set", pt(PTRACE_SETSIGINFO, pid, 0, (long)&si));
    }
  }
  pid = traced(signals);
  say("too high", pt(PTRACE_CONT, pid, 0, 65));
  say("kill", pt(PTRACE_KILL, pid, 0, 0));
  wait_for(pid, "killed");
  say("gone", pt(PTRACE_CONT, pid, 0, 0));
}

static void memory(void) {
  if (word != 99) _exit(70);
  if (*(volatile const char *)text != 'R') _exit(71);
}
static void test_memory(void) {
  pid_t pid = traced(memory);
  long value = 0;
  say("peek", pt(PTRACE_PEEKDATA, pid, (long)&word, (long)&value));
  printf(" %#lx\n", value);
  say("poke", pt(PTRACE_POKEDATA, pid, (long)&word, 99));
  say("peek text", pt(PTRACE_PEEKTEXT, pid, (long)text, (long)&value));
  ((char *)&value)[0] = 'R';
  say("poke text", pt(PTRACE_POKETEXT, pid, (long)text, value));
  printf("mine is %c\n", *(volatile const char *)text);
  say("peek nothing", pt(PTRACE_PEEKDATA, pid, 8, (long)&value));
  say("peek to nothing", pt(PTRACE_PEEKDATA, pid, (long)&word, 8));
  char name[64];
  snprintf(name, sizeof name, "/proc/%d/mem", pid);
  int fd = open(name, O_RDWR);
  say("mem write", pwrite(fd, "X", 1, (long)text + 1));
  char buffer[4] = "";
  say("mem read", pread(fd, buffer, 3, (long)text));
  printf(" %s\n", buffer);
  close(fd);
  snprintf(name, sizeof name, "/proc/%d/status", pid);
  FILE *f = fopen(name, "r");
  char line[256];
  while (fgets(line, sizeof line, f)) {
    int tracer;
    if (sscanf(line, "TracerPid: %d", &tracer) == 1) printf("traced by %s\n", tracer == getpid() ? "me" : "another");
    if (strncmp(line, "State", 5) == 0) fputs(line, stdout);
  }
  fclose(f);
  unsigned long mask = 0;
  say("mask size", pt(PTRACE_GETSIGMASK, pid, 4, (long)&mask));
  mask = 1ul << (SIGUSR1 - 1);
  say("set mask", pt(PTRACE_SETSIGMASK, pid, 8, (long)&mask));
  mask = 0;
  say("get mask", pt(PTRACE_GETSIGMASK, pid, 8, (long)&mask));
  printf(" %#lx\n", mask);
  kill(pid, SIGUSR1);
  struct { uint64_t off; uint32_t flags; int32_t nr; } args = {0, PTRACE_PEEKSIGINFO_SHARED, 4};
  siginfo_t queued[4];
  say("queued", pt(PTRACE_PEEKSIGINFO, pid, (long)&args, (long)queued));
  printf(" %d from %s\n", queued[0].si_signo, queued[0].si_pid == getpid() ? "me" : "another");
  args.flags = 0;
  say("queued to thread", pt(PTRACE_PEEKSIGINFO, pid, (long)&args, (long)queued));
  args.flags = 8;
  say("queued badly", pt(PTRACE_PEEKSIGINFO, pid, (long)&args, (long)queued));
  run_out(pid, PTRACE_CONT);
}

__attribute__((noinline)) static void trap_here(void) {
#ifdef __aarch64__
  __asm__ volatile("brk #0");
#else
  __asm__ volatile("int3");
#endif
}
__attribute__((noinline)) static int counted(int n) {
  __asm__ volatile("" : "+r"(n));
  return n + 1;
}
static void steps(void) {
  signal(SIGUSR1, on_signal);
  long me = syscall(SYS_getpid);
  trap_here();
  // No pair of exclusive accesses can be stepped through.
  syscall(SYS_tgkill, me, me, SIGUSR1);
  for (volatile int i = 0; i < 20; i++) {}
  if (handled != SIGUSR1 || counted(3) != 4) _exit(80);
}
static void test_steps(void) {
  pid_t pid = traced(steps);
  pt(PTRACE_CONT, pid, 0, 0);
  int st = wait_for(pid, "breakpoint");
  siginfo_t si;
  pt(PTRACE_GETSIGINFO, pid, 0, (long)&si);
#ifdef __aarch64__
  printf(" code %d\n", si.si_code == TRAP_BRKPT);
  get_regs(pid);
  regs[PC] += 4;
  put_regs(pid);
#else
  printf(" code %d\n", si.si_code == SI_KERNEL);
#endif
  say("general registers", get_regs(pid) == (sizeof(long) == 8 && PC == 32 ? 272 : 216));
  int count = 0, moved = 0, to_handler = 0;
  unsigned long long last = 0;
  long give = 0;
  for (;;) {
    pt(PTRACE_SINGLESTEP, pid, 0, give);
    give = 0;
    st = wait_for(pid, 0);
    if (!WIFSTOPPED(st)) break;
    if (WSTOPSIG(st) == SIGUSR1) {
      give = SIGUSR1;
      continue;
    }
    if (WSTOPSIG(st) != SIGTRAP) break;
    get_regs(pid);
    if (regs[PC] == (unsigned long)on_signal) to_handler++;
    if (regs[PC] != last) moved++;
    last = regs[PC];
    count++;
  }
  printf("many steps %d, nearly all moved %d, at the handler's first %d\n", count > 50, moved > count - 50, to_handler);
  show("stepped out", st);
  struct iovec v = {regs, 4};
  say("short", pt(PTRACE_GETREGSET, 1, NT_PRSTATUS, (long)&v));
}

static void sleeps(void) {
  signal(SIGUSR1, on_signal);
  struct timespec t = {0, 300000000};
  syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &t, 0);
}
static void test_restart(void) {
  pid_t pid = traced(sleeps);
  pt(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD);
  struct ptrace_syscall_info info;
  do {
    pt(PTRACE_SYSCALL, pid, 0, 0);
    wait_for(pid, 0);
    pt(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, (long)&info);
  } while (info.op != PTRACE_SYSCALL_INFO_ENTRY || info.entry.nr != SYS_clock_nanosleep);
  pt(PTRACE_SYSCALL, pid, 0, 0);
  usleep(50000);
  kill(pid, SIGUSR1);
  wait_for(pid, "interrupted");
  show_call(pid);
  pt(PTRACE_SYSCALL, pid, 0, 0);
  wait_for(pid, "signal");
  // Without its signal the call goes on.
  pt(PTRACE_SYSCALL, pid, 0, 0);
  wait_for(pid, "again");
  pt(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, (long)&info);
  printf(" restart_syscall %d\n", info.op == PTRACE_SYSCALL_INFO_ENTRY && info.entry.nr == SYS_restart_syscall);
  pt(PTRACE_SYSCALL, pid, 0, 0);
  wait_for(pid, "ended");
  show_call(pid);
  run_out(pid, PTRACE_CONT);
}

static void once(void) {
  syscall(SYS_getpid);
  syscall(SYS_close, -1);
}
static void test_emulation(void) {
  pid_t pid = traced(once);
  pt(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD);
  for (int i = 0; i < 2; i++) {
    pt(PTRACE_SYSEMU, pid, 0, 0);
    wait_for(pid, "emulated");
    show_call(pid);
    get_regs(pid);
    regs[RESULT] = 0;
    put_regs(pid);
  }
  run_out(pid, PTRACE_CONT);
}

static void bears(void) {
  pid_t pid = fork();
  if (pid == 0) _exit(1);
  waitpid(pid, 0, 0);
  pid = vfork();
  if (pid == 0) _exit(2);
  waitpid(pid, 0, 0);
  pid = syscall(SYS_clone, SIGUSR2, 0, 0, 0, 0);
  if (pid == 0) _exit(3);
  waitpid(pid, 0, __WALL);
  char *argv[] = {"tracing", "exec", 0};
  execv("/proc/self/exe", argv);
}
static void test_events(long more) {
  pid_t pid = traced(bears);
  say("options", pt(PTRACE_SETOPTIONS, pid, 0,
                    PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEVFORKDONE | more));
  pid_t child = 0;
  pt(PTRACE_CONT, pid, 0, 0);
  for (int i = 0; i < 20; i++) {
    int st = wait_for(pid, "parent");
    if (!WIFSTOPPED(st)) break;
    int event = st >> 16;
    unsigned long message = 0;
    pt(PTRACE_GETEVENTMSG, pid, 0, (long)&message);
    if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE) {
      child = message;
      wait_for(child, " child");
      siginfo_t si;
      memset(&si, 0, sizeof si);
      say(" its signal", pt(PTRACE_GETSIGINFO, child, 0, (long)&si));
      printf(" code %d\n", si.si_code);
      for (int end = 0x137f; !WIFEXITED(end) && !WIFSIGNALED(end);) {
        pt(PTRACE_CONT, child, 0, 0);
        end = wait_for(child, " child");
      }
    } else if (event == PTRACE_EVENT_VFORK_DONE) {
      printf(" of the child %d\n", message == (unsigned long)child);
    } else if (event == PTRACE_EVENT_EXEC) {
      printf(" was me %d\n", message == (unsigned long)pid);
    }
    pt(PTRACE_CONT, pid, 0, 0);
  }
}

static void test_refusals(void) {
  say("nobody", pt(PTRACE_CONT, 0, 0, 0));
  say("not mine", pt(PTRACE_CONT, getppid(), 0, 0));
  say("attach myself", pt(PTRACE_ATTACH, getpid(), 0, 0));
  say("attach nobody", pt(PTRACE_ATTACH, 99999999, 0, 0));
  pid_t pid = traced(once);
  say("attach twice", pt(PTRACE_ATTACH, pid, 0, 0));
  say("bad option", pt(PTRACE_SETOPTIONS, pid, 0, 0x100));
  say("bad request", pt(0x5000, pid, 0, 0));
  say("listen", pt(PTRACE_LISTEN, pid, 0, 0));
  say("interrupt", pt(PTRACE_INTERRUPT, pid, 0, 0));
  struct iovec v = {regs, 4};
  say("odd length", pt(PTRACE_GETREGSET, pid, NT_PRSTATUS, (long)&v));
  v.iov_len = 8;
  say("part", pt(PTRACE_GETREGSET, pid, NT_PRSTATUS, (long)&v));
  printf(" %zu\n", v.iov_len);
  say("no such set", pt(PTRACE_GETREGSET, pid, 0x7777, (long)&v));
  say("nowhere", pt(PTRACE_GETREGSET, pid, NT_PRSTATUS, 8));
  int st;
  say("told already", waitpid(pid, &st, WNOHANG | __WALL));
  siginfo_t si;
  memset(&si, 0, sizeof si);
  say("waitid", waitid(P_PID, pid, &si, WEXITED | WNOHANG));
  say("detach", pt(PTRACE_DETACH, pid, 0, 66));
  say("detach", pt(PTRACE_DETACH, pid, 0, 0));
  wait_for(pid, "free");
  pid = traced(once);
  pt(PTRACE_SYSCALL, pid, 0, 0);
  say("waitid", waitid(P_PID, pid, &si, WEXITED));
  printf(" code %d status %d mine %d\n", si.si_code, si.si_status, si.si_pid == pid);
  say("detach with a signal", pt(PTRACE_DETACH, pid, 0, SIGTERM));
  wait_for(pid, "free");
}

int main(int argc, char **argv) {
  setvbuf(stdout, 0, _IONBF, 0);
  if (argc == 2 && strcmp(argv[1], "exec") == 0) return 11;
  puts("-- calls");
  test_calls();
  puts("-- signals");
  test_signals();
  puts("-- memory");
  test_memory();
  puts("-- steps");
  test_steps();
  puts("-- restart");
  test_restart();
  puts("-- emulation");
  test_emulation();
  puts("-- events");
  test_events(0);
  test_events(PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT);
  puts("-- refusals");
  test_refusals();
  return 0;
}
