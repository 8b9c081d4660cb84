// What the C libraries of short programs ask of the kernel: the calls around a start, some files, a child. The build runs it
// once to learn which functions of carrick belong to a start. Without a C library, so that it compiles in no time.

#include <stddef.h>

enum {
  SYS_ioctl = 29, SYS_openat = 56, SYS_close = 57, SYS_pipe2 = 59, SYS_getdents64 = 61, SYS_lseek = 62, SYS_read = 63,
  SYS_write = 64, SYS_writev = 66, SYS_readlinkat = 78, SYS_newfstatat = 79, SYS_fstat = 80, SYS_exit_group = 94,
  SYS_set_tid_address = 96, SYS_set_robust_list = 99, SYS_clock_gettime = 113, SYS_rt_sigaction = 134,
  SYS_rt_sigprocmask = 135, SYS_uname = 160, SYS_getpid = 172, SYS_brk = 214, SYS_munmap = 215, SYS_clone = 220,
  SYS_nanosleep = 101, SYS_setresuid = 147, SYS_mmap = 222, SYS_mprotect = 226, SYS_wait4 = 260, SYS_prlimit64 = 261, SYS_getrandom = 278, AT_FDCWD = -100,
};

static long call(long number, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
}

static char buffer[4096];

static void start(void) {
  call(SYS_set_tid_address, (long)buffer, 0, 0, 0, 0, 0);
  call(SYS_set_robust_list, (long)buffer, 24, 0, 0, 0, 0);
  long top = call(SYS_brk, 0, 0, 0, 0, 0, 0);
  call(SYS_brk, top + 8192, 0, 0, 0, 0, 0);
  *(volatile char *)top = 1;
  call(SYS_prlimit64, 0, 3, 0, (long)buffer, 0, 0);
  call(SYS_readlinkat, AT_FDCWD, (long)"/proc/self/exe", (long)buffer, sizeof buffer, 0, 0);
  call(SYS_getrandom, (long)buffer, 8, 1, 0, 0, 0);
  call(SYS_uname, (long)buffer, 0, 0, 0, 0, 0);
  call(SYS_rt_sigaction, 13, 0, (long)buffer, 8, 0, 0);
  call(SYS_rt_sigprocmask, 0, 0, (long)buffer, 8, 0, 0);
  call(SYS_clock_gettime, 1, (long)buffer, 0, 0, 0, 0);
  long addr = call(SYS_mmap, 0, 16384, 3, 0x22, -1, 0);
  *(volatile char *)addr = 1;
  call(SYS_mprotect, addr, 4096, 1, 0, 0, 0);
  call(SYS_munmap, addr, 16384, 0, 0, 0, 0);
}

static void files(void) {
  call(SYS_newfstatat, AT_FDCWD, (long)"/", (long)buffer, 0, 0, 0);
  long fd = call(SYS_openat, AT_FDCWD, (long)"/", 0x4000, 0, 0, 0);
  call(SYS_getdents64, fd, (long)buffer, sizeof buffer, 0, 0, 0);
  call(SYS_close, fd, 0, 0, 0, 0, 0);
  fd = call(SYS_openat, AT_FDCWD, (long)"/etc/passwd", 0, 0, 0, 0);
  call(SYS_fstat, fd, (long)buffer, 0, 0, 0, 0);
  call(SYS_read, fd, (long)buffer, sizeof buffer, 0, 0, 0);
  call(SYS_lseek, fd, 0, 0, 0, 0, 0);
  call(SYS_close, fd, 0, 0, 0, 0, 0);
}

static void child(void) {
  int ends[2];
  call(SYS_pipe2, (long)ends, 0, 0, 0, 0, 0);
  long pid = call(SYS_clone, 17, 0, 0, 0, 0, 0);
  if (pid == 0) {
    // What is done for others than root belongs to a start as well, whoever builds.
    call(SYS_setresuid, 1000, 1000, 1000, 0, 0, 0);
    call(SYS_openat, AT_FDCWD, (long)"/etc/passwd", 0, 0, 0, 0);
    call(SYS_write, ends[1], (long)"x", 1, 0, 0, 0);
    call(SYS_exit_group, 0, 0, 0, 0, 0, 0);
  }
  call(SYS_read, ends[0], (long)buffer, 1, 0, 0, 0);
  call(SYS_wait4, pid, (long)buffer, 0, 0, 0, 0);
}

void _start(void) {
  struct { const char *base; size_t length; } line = {"started\n", 8};
  start();
  call(SYS_ioctl, 1, 0x5413, (long)buffer, 0, 0, 0);
  call(SYS_writev, 1, (long)&line, 1, 0, 0, 0);
  files();
  child();
  // On a quick machine nothing before this has waited.
  long time[2] = {0, 2000000};
  call(SYS_nanosleep, (long)time, 0, 0, 0, 0, 0);
  call(SYS_getpid, 0, 0, 0, 0, 0, 0);
  call(SYS_exit_group, 0, 0, 0, 0, 0, 0);
}
