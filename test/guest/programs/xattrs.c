// native 6.18: extended attributes of the host's file system.
// setxattr(2), getxattr(2), listxattr(2), removexattr(2) and their l and f forms: values, flags, limits, errors.
#include "say.h"
#include <sys/xattr.h>

static void listed(const char *path) {
  char b[1000];
  ssize_t n = listxattr(path, b, sizeof b);
  if (n < 0) { printf("list: %s\n", err_name(errno)); return; }
  int found = 0;
  for (char *p = b; p < b + n; p += strlen(p) + 1) found += strncmp(p, "user.", 5) == 0;
  printf("%s has %d user attributes\n", path, found);
}

int main(void) {
  scratch();
  put("f", "");
  mkdir("d", 0700);
  symlink("f", "s");
  mkfifo("p", 0600);
  if (setxattr("f", "user.probe", "", 0, 0)) {
    printf("no user attributes here\n");
    return 0;
  }
  removexattr("f", "user.probe");
  char b[70000];
  memset(b, 'v', sizeof b);
  say("set", setxattr("f", "user.one", "value", 5, 0));
  say("get", getxattr("f", "user.one", b, sizeof b));
  printf("%.5s\n", b);
  say("get size", getxattr("f", "user.one", 0, 0));
  say("get short", getxattr("f", "user.one", b, 2));
  say("get missing", getxattr("f", "user.none", b, sizeof b));
  say("get bad buffer", syscall(SYS_getxattr, "f", "user.one", (void *)8, 100l));
  say("create existing", setxattr("f", "user.one", "x", 1, XATTR_CREATE));
  say("replace missing", setxattr("f", "user.two", "x", 1, XATTR_REPLACE));
  say("create", setxattr("f", "user.two", "x", 1, XATTR_CREATE));
  say("replace", setxattr("f", "user.two", "yy", 2, XATTR_REPLACE));
  say("bad flags", setxattr("f", "user.two", "yy", 2, 4));
  say("empty value", setxattr("f", "user.empty", "", 0, 0));
  say("get empty", getxattr("f", "user.empty", b, sizeof b));
  say("binary value", setxattr("f", "user.bin", "\0\xff\0", 3, 0));
  say("through the link", getxattr("s", "user.one", b, sizeof b));
  say("of the link", lgetxattr("s", "user.one", b, sizeof b));
  say("set on the link", lsetxattr("s", "user.one", "x", 1, 0));
  say("set on a fifo", setxattr("p", "user.one", "x", 1, 0));
  say("set on a directory", setxattr("d", "user.one", "x", 1, 0));
  int fd = open("f", O_RDONLY);
  say("fset on read-only", fsetxattr(fd, "user.fd", "x", 1, 0));
  say("fget", fgetxattr(fd, "user.fd", b, sizeof b));
  say("fget O_PATH", fgetxattr(open("f", O_PATH), "user.fd", b, sizeof b));
  say("flist bad", flistxattr(-1, b, sizeof b));
  listed("f");
  say("list short", listxattr("f", b, 3));
  say("list size", listxattr("f", 0, 0) > 0);
  say("no prefix", setxattr("f", "plain", "x", 1, 0));
  say("unknown prefix", setxattr("f", "other.x", "x", 1, 0));
  say("empty suffix", setxattr("f", "user.", "x", 1, 0));
  say("empty name", setxattr("f", "", "x", 1, 0));
  say("get unknown prefix", getxattr("f", "other.x", b, sizeof b));
  char name[300] = "user.";
  memset(name + 5, 'n', 250);
  name[255] = 0;
  say("name of 255", setxattr("f", name, "x", 1, 0) == 0 || errno == ENOSPC);
  name[255] = 'n', name[256] = 0;
  say("name of 256", setxattr("f", name, "x", 1, 0));
  say("value of 65537", setxattr("f", "user.big", b, 65537, 0));
  say("remove", removexattr("f", "user.one"));
  say("remove missing", removexattr("f", "user.one"));
  say("fremove", fremovexattr(fd, "user.fd"));
  say("lremove", lremovexattr("s", "user.two"));
  listed("f");
  say("missing file", setxattr("none", "user.x", "x", 1, 0));
  say("bad name", syscall(SYS_setxattr, "f", (void *)8, "x", 1l, 0));
  say("bad value", syscall(SYS_setxattr, "f", "user.x", (void *)8, 5l, 0));
  say("proc", getxattr("/proc/version", "user.x", b, sizeof b));
  say("set proc", setxattr("/proc/version", "user.x", "x", 1, 0));
  say("dev", setxattr("/dev/null", "user.x", "x", 1, 0));
  int p[2];
  pipe(p);
  say("pipe", fgetxattr(p[0], "user.x", b, sizeof b));
  int m = memfd_create("m", 0);
  say("memfd list", flistxattr(m, b, sizeof b) >= 0);
  return 0;
}
