// Nanoseconds of system calls: prints "name ns" lines, each the best of several rounds.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1e9 + t.tv_nsec; }
#define MEASURE(name, count, body) do { double best = 1e18; for (int r = 0; r < 7; r++) { double t = now(); for (int i = 0; i < (count); i++) { body; } t = (now() - t) / (count); if (t < best) best = t; } printf("%s %.0f\n", name, best); } while (0)
int main(void) {
  static char page[4096];
  int null = open("/dev/null", O_WRONLY), zero = open("/dev/zero", O_RDONLY), p[2];
  struct timespec ts;
  if (pipe(p)) return 1;
  MEASURE("getpid", 200000, syscall(SYS_getpid));
  MEASURE("write1", 100000, if (write(null, page, 1) != 1) return 1);
  MEASURE("read4k", 100000, if (read(zero, page, 4096) != 4096) return 1);
  MEASURE("clock", 200000, clock_gettime(CLOCK_MONOTONIC, &ts));
  MEASURE("pipe", 50000, if (write(p[1], page, 1) != 1 || read(p[0], page, 1) != 1) return 1);
  MEASURE("mmap", 20000, { char *m = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); *m = 1; munmap(m, 4096); });
  return 0;
}
