// Reading /proc/self/fd, /proc/self/task and /proc piece by piece while the entries go away.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/stat.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct entry {
  uint64_t ino;
  int64_t off;
  unsigned short len;
  unsigned char type;
  char name[];
};

int main(void) {
  for (int fd = 3; fd < 100; fd++) close(fd);
  for (int i = 0; i < 30; i++) dup2(0, 20 + i);
  int dir = open("/proc/self/fd", O_RDONLY | O_DIRECTORY);
  char buf[128];
  int closed = 0;
  for (long n; (n = syscall(SYS_getdents64, dir, buf, sizeof buf)) > 0;) {
    for (char *p = buf; p < buf + n; p += ((struct entry *)p)->len) {
      int fd = atoi(((struct entry *)p)->name);
      if (fd >= 20) closed += close(fd) == 0;
    }
  }
  int left = 0;
  for (int fd = 20; fd < 60; fd++) left += fcntl(fd, F_GETFD) != -1;
  printf("closed %d, left %d\n", closed, left);
  // The offset of an entry leads behind it, whatever goes away.
  for (int i = 0; i < 5; i++) dup2(0, 20 + i);
  lseek(dir, 0, SEEK_SET);
  int64_t at = 0;
  long n = syscall(SYS_getdents64, dir, buf, sizeof buf);
  while (n > 0 && at == 0) {
    for (char *p = buf; p < buf + n; p += ((struct entry *)p)->len)
      if (!strcmp(((struct entry *)p)->name, "21")) at = ((struct entry *)p)->off;
    if (at == 0) n = syscall(SYS_getdents64, dir, buf, sizeof buf);
  }
  close(20), close(21);
  lseek(dir, at, SEEK_SET);
  if (syscall(SYS_getdents64, dir, buf, sizeof buf) <= 0) return 1;
  printf("after 21 comes %s\n", ((struct entry *)buf)->name);
  // A link allows what its descriptor does.
  const int flags[] = {O_RDONLY, O_WRONLY, O_RDWR, O_PATH, O_RDONLY | O_PATH | O_NOFOLLOW};
  for (int i = 0; i < 5; i++) {
    struct stat st;
    int fd = open("/dev/null", flags[i]);
    snprintf(buf, sizeof buf, "/proc/self/fd/%d", fd);
    if (lstat(buf, &st) != 0) return 1;
    printf("%d: %o\n", i, st.st_mode);
  }
  return 0;
}
