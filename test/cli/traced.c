// Makes a few calls whose trace is the same on every architecture: the program that trace.test.ts watches.

#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
  char bytes[64];
  int ends[2], status;
  syscall(SYS_openat, AT_FDCWD, "/no/such/file", O_RDONLY | O_CLOEXEC);
  int fd = (int)syscall(SYS_openat, AT_FDCWD, "traced-file", O_RDWR | O_CREAT | O_TRUNC, 0644);
  write(fd, "hello\n\"quoted\"\t\001\377", 17);
  lseek(fd, 0, SEEK_SET);
  read(fd, bytes, sizeof bytes);
  read(fd, bytes, 8);
  write(fd, "a text that is longer than thirty-two bytes", 43);
  close(fd);
  close(77);
  syscall(SYS_unlinkat, AT_FDCWD, "traced-file", 0);
  syscall(SYS_mkdirat, AT_FDCWD, "/no/such", 0750);
  pipe2(ends, O_CLOEXEC);
  chdir("/");
  pid_t child = fork();
  if (child == 0) _exit(3);
  waitpid(child, &status, 0);
  child = fork();
  if (child == 0) {
    raise(SIGKILL);
    _exit(1);
  }
  waitpid(child, &status, 0);
  write(1, "done\n", 5);
  _exit(7);
}
