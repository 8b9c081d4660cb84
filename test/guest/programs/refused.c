// native 6.18: what a program finds refused must look as on Linux where it must not work here.
// Calls that carrick refuses answer with the errno that programs take for "not available".
#include "say.h"

static void is_one_of(const char *what, long r, int a, int b, int c) {
  int e = r == -1 ? errno : 0;
  printf("%s: %s\n", what, r != -1 ? "allowed" : e == a || e == b || e == c ? "refused" : err_name(e));
}

int main(void) {
  scratch();
  char b[256];
  memset(b, 0, sizeof b);
  unsigned long ctx = 0;
  long r = syscall(SYS_io_setup, 10, &ctx);
  printf("aio: %d\n", r == 0 || errno == ENOSYS);
  r = syscall(425, 8, b);
  printf("io_uring: %d\n", r >= 0 || errno == ENOSYS || errno == EPERM);
  r = syscall(426, 99, 0, 0, 0, 0, 0);
  printf("io_uring_enter of nothing: %d\n", errno == ENOSYS || errno == EBADF || errno == EPERM);
  r = syscall(SYS_fanotify_init, 0, 0);
  printf("fanotify: %d\n", r >= 0 || errno == ENOSYS || errno == EPERM);
  r = syscall(SYS_bpf, 0, b, 32);
  printf("bpf: %d\n", r >= 0 || errno == ENOSYS || errno == EPERM || errno == EINVAL);
  r = syscall(SYS_userfaultfd, 0);
  printf("userfaultfd: %d\n", r >= 0 || errno == ENOSYS || errno == EPERM);
  r = syscall(SYS_kexec_load, 0, 0, 0, 0);
  printf("kexec: %d\n", r == 0 || errno == ENOSYS || errno == EPERM);
  r = syscall(SYS_quotactl, 0, 0, 0, 0);
  printf("quotactl: %d\n", errno == ENOSYS || errno == ENOTBLK || errno == ENODEV || errno == EPERM || errno == EINVAL || errno == ENOENT || errno == EFAULT);
  errno = 0;
  is_one_of("no such call", syscall(5000), ENOSYS, 0, 0);
  is_one_of("negative call", syscall(-1), ENOSYS, 0, 0);
  r = syscall(SYS_name_to_handle_at, AT_FDCWD, ".", b, &r, 0);
  printf("handles: %d\n", r == 0 || errno == EOPNOTSUPP || errno == EOVERFLOW);
  return 0;
}
