// What the programs of this folder share: printing results with the error's name, and a scratch directory.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define UNUSED __attribute__((unused))

UNUSED static const char *err_name(int e) {
#define E(x) case x: return #x;
  switch (e) {
    E(EPERM) E(ENOENT) E(ESRCH) E(EINTR) E(EIO) E(ENXIO) E(E2BIG) E(ENOEXEC) E(EBADF) E(ECHILD) E(EAGAIN) E(ENOMEM)
    E(EACCES) E(EFAULT) E(ENOTBLK) E(EBUSY) E(EEXIST) E(EXDEV) E(ENODEV) E(ENOTDIR) E(EISDIR) E(EINVAL) E(ENFILE)
    E(EMFILE) E(ENOTTY) E(ETXTBSY) E(EFBIG) E(ENOSPC) E(ESPIPE) E(EROFS) E(EMLINK) E(EPIPE) E(EDOM) E(ERANGE)
    E(EDEADLK) E(ENAMETOOLONG) E(ENOLCK) E(ENOSYS) E(ENOTEMPTY) E(ELOOP) E(ENODATA) E(EOVERFLOW) E(EILSEQ)
    E(ENOTSOCK) E(EOPNOTSUPP) E(ETIMEDOUT) E(ECANCELED) E(ESTALE) E(EBADFD)
  }
#undef E
  static char text[16];
  snprintf(text, sizeof text, "errno %d", e);
  return text;
}

// "what: value", or the error's name when `r` is -1.
UNUSED static long say(const char *what, long r) {
  if (r == -1) printf("%s: %s\n", what, err_name(errno));
  else printf("%s: %ld\n", what, r);
  return r;
}

// Only whether it worked, for results that differ from run to run.
UNUSED static long ok(const char *what, long r) {
  if (r == -1) printf("%s: %s\n", what, err_name(errno));
  else printf("%s: ok\n", what);
  return r;
}

static char scratch_path[64];

static void remove_tree(const char *path) {
  chmod(path, 0700);
  DIR *d = opendir(path);
  if (d == 0) return;
  for (struct dirent *e; (e = readdir(d)) != 0;) {
    if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0) continue;
    char name[4096];
    snprintf(name, sizeof name, "%s/%s", path, e->d_name);
    if (unlink(name) != 0 && rmdir(name) != 0) remove_tree(name);
  }
  closedir(d);
  rmdir(path);
}

static pid_t scratch_owner;
UNUSED static void leave_scratch(void) {
  if (getpid() != scratch_owner) return;
  if (chdir("/") == 0) remove_tree(scratch_path);
}

// Enters a fresh directory that is removed at exit.
UNUSED static void scratch(void) {
  strcpy(scratch_path, "/tmp/carrick-guest-XXXXXX");
  if (mkdtemp(scratch_path) == 0 || chdir(scratch_path) != 0) {
    perror("scratch");
    exit(99);
  }
  scratch_owner = getpid();
  setvbuf(stdout, 0, _IOLBF, 0);
  atexit(leave_scratch);
}

UNUSED static void put(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  if (fd < 0 || write(fd, text, strlen(text)) < 0) perror(path);
  close(fd);
}

// Runs `body` in a child and says how it ended.
#define CHILD(what, body)                                                             \
  do {                                                                                \
    fflush(stdout);                                                                   \
    pid_t child_ = fork();                                                            \
    if (child_ == 0) { body; fflush(stdout); _exit(0); }                              \
    int st_ = 0;                                                                      \
    while (waitpid(child_, &st_, 0) < 0 && errno == EINTR) {}                         \
    if (WIFSIGNALED(st_)) printf("%s: child died of signal %d\n", what, WTERMSIG(st_)); \
    else if (WEXITSTATUS(st_) != 0) printf("%s: child exited %d\n", what, WEXITSTATUS(st_)); \
  } while (0)
