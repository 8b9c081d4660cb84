// File operations in the tree that the benchmark lays out (tree.ts). After each kind it says "name count" and waits for a line, so that
// whoever started it can look at the CPU time that they took.

#define _GNU_SOURCE
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DIRS = 100, FILES = 100, ALL = DIRS * FILES, DEEP = 50000, STORM = 10000, WRITES = 10000 };

static char block[4096];

static void report(const char *name, int count) {
  char line[64];
  int length = snprintf(line, sizeof line, "%s %d\n", name, count);
  if (write(1, line, length) != length || read(0, line, sizeof line) <= 0) _exit(1);
}

static void must(int ok, const char *what) {
  if (!ok) err(1, "%s", what);
}

/** Names are made before anything is measured. */
static char names[ALL][8], storm_a[STORM][16], storm_b[STORM][16], storm_d[STORM / 10][16];

static void make_names(void) {
  for (int i = 0; i < ALL; i++) snprintf(names[i], sizeof names[i], "d%02d/f%02d", i / FILES, i % FILES);
  for (int i = 0; i < STORM; i++) {
    snprintf(storm_a[i], sizeof storm_a[i], "storm/a%d", i);
    snprintf(storm_b[i], sizeof storm_b[i], "storm/b%d", i);
  }
  for (int i = 0; i < STORM / 10; i++) snprintf(storm_d[i], sizeof storm_d[i], "storm/d%d", i);
}

static void stat_all(void) {
  struct stat st;
  for (int i = 0; i < ALL; i++) must(stat(names[i], &st) == 0, "stat");
}

/** The whole tree; how many names. */
static int list_all(void) {
  char buffer[32768];
  int found = 0;
  for (int i = 0; i < DIRS; i++) {
    char name[8];
    snprintf(name, sizeof name, "d%02d", i);
    int fd = open(name, O_RDONLY | O_DIRECTORY);
    must(fd >= 0, "open");
    long n;
    while ((n = syscall(SYS_getdents64, fd, buffer, sizeof buffer)) > 0)
      for (long at = 0; at < n; at += *(unsigned short *)(buffer + at + 16)) found++;
    close(fd);
  }
  return found;
}

static void open_all(int bytes) {
  for (int i = 0; i < ALL; i++) {
    int fd = open(names[i], O_RDONLY);
    must(fd >= 0, "open");
    if (bytes > 0) must(read(fd, block, bytes) > 0, "read");
    close(fd);
  }
}

static void storms(void) {
  must(mkdir("storm", 0755) == 0, "mkdir");
  for (int i = 0; i < STORM; i++) close(open(storm_a[i], O_CREAT | O_EXCL | O_WRONLY, 0644));
  report("create", STORM);
  for (int i = 0; i < STORM; i++) must(rename(storm_a[i], storm_b[i]) == 0, "rename");
  report("rename", STORM);
  for (int i = 0; i < STORM; i++) must(unlink(storm_b[i]) == 0, "unlink");
  report("unlink", STORM);
  for (int i = 0; i < STORM / 10; i++) must(mkdir(storm_d[i], 0755) == 0, "mkdir");
  report("mkdir", STORM / 10);
  for (int i = 0; i < STORM / 10; i++) must(rmdir(storm_d[i]) == 0, "rmdir");
  report("rmdir", STORM / 10);
  must(rmdir("storm") == 0, "rmdir");
}

static void writes(void) {
  int fd = open("written", O_CREAT | O_TRUNC | O_RDWR, 0644);
  must(fd >= 0, "open");
  for (int i = 0; i < WRITES; i++) must(write(fd, block, sizeof block) == sizeof block, "write");
  report("write-4K-new", WRITES);
  for (int i = 0; i < WRITES; i++) must(pwrite(fd, block, sizeof block, i * 4096L) == sizeof block, "pwrite");
  report("write-4K-again", WRITES);
  for (int i = 0; i < WRITES; i++) must(pwrite(fd, block, 100, i * 100L) == 100, "pwrite");
  report("write-100", WRITES);
  for (int i = 0; i < WRITES; i++) must(pread(fd, block, sizeof block, i * 4096L) == sizeof block, "pread");
  report("read-4K", WRITES);
  close(fd);
  unlink("written");
}

int main(int argc, char **argv) {
  struct stat st;
  if (argc > 1) must(chdir(argv[1]) == 0, "chdir");
  make_names();
  report("start", 1);
  must(list_all() == ALL + 2 * DIRS, "names");
  report("readdir-first", ALL);
  list_all();
  report("readdir-again", ALL);
  stat_all();
  report("stat-first", ALL);
  stat_all();
  report("stat-again", ALL);
  open_all(0);
  report("open-close", ALL);
  open_all(sizeof block);
  report("open-read-close", ALL);
  for (int i = 0; i < DEEP; i++) must(stat("1/2/3/4/5/6/7/8/file", &st) == 0, "stat");
  report("stat-8-deep", DEEP);
  storms();
  writes();
}
