// native 6.18, root: mounts of the host, in a name space of the test's own.
// mount(2), umount2(2) of tmpfs as root: what is seen, busy, read-only, flags, limits, nesting, errors.
#include "say.h"
#include <sched.h>
#include <sys/mount.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>

static int listed(const char *what) {
  static char b[100000];
  int fd = open("/proc/self/mountinfo", O_RDONLY);
  long n = 0, k;
  while ((k = read(fd, b + n, sizeof b - 1 - n)) > 0) n += k;
  close(fd);
  b[n] = 0;
  return strstr(b, what) != 0;
}

int main(void) {
  if (getuid() != 0) {
    printf("needs root\n");
    return 0;
  }
  // Natively the mounts must not reach the host; carrick has one name space of its own.
  if (unshare(CLONE_NEWNS) == 0) mount("none", "/", 0, MS_REC | MS_PRIVATE, 0);
  scratch();
  mkdir("m", 0755);
  put("m/below", "hidden");
  char b[200], path[200];
  struct stat st, st2;
  struct statfs sf;
  say("mount", mount("source", "m", "tmpfs", 0, "size=1m,mode=0750"));
  stat("m", &st), stat(".", &st2);
  printf("mode %o other device %d\n", st.st_mode, st.st_dev != st2.st_dev);
  say("hidden", access("m/below", F_OK));
  snprintf(path, sizeof path, "%s/m ", scratch_path);
  printf("listed %d\n", listed(path));
  statfs("m", &sf);
  printf("type %lx size %ld\n", (long)sf.f_type, (long)(sf.f_blocks * sf.f_bsize));
  put("m/f", "text");
  say("stat", stat("m/f", &st));
  say("link across", link("m/f", "f"));
  say("rename across", rename("m/f", "f"));
  say("rename into", (put("g", "x"), rename("g", "m/g")));
  say("rmdir mount point", rmdir("m"));
  say("rename mount point", rename("m", "n"));
  say(".. from the root of it", (chdir("m"), chdir(".."), access("m/f", F_OK)));
  static char big[2 << 20];
  int fd = open("m/big", O_RDWR | O_CREAT, 0600);
  long n = write(fd, big, sizeof big);
  printf("written up to the size %d\n", n > 0 && n <= (1 << 20));
  say("no space", write(fd, big, 4096));
  close(fd);
  say("unlink gives it back", (unlink("m/big"), fd = open("m/big", O_RDWR | O_CREAT, 0600), write(fd, big, 4096)));
  say("busy", umount("m"));
  close(fd);
  say("umount", umount("m"));
  say("visible again", access("m/below", F_OK));
  say("umount again", umount("m"));
  say("umount missing", umount("none"));
  say("umount2 bad flags", umount2("m", 0x100));
  // stacked and nested
  say("first", mount("a", "m", "tmpfs", 0, 0));
  put("m/first", "");
  say("second on top", mount("b", "m", "tmpfs", 0, 0));
  say("first hidden", access("m/first", F_OK));
  mkdir("m/sub", 0755);
  say("nested", mount("c", "m/sub", "tmpfs", 0, 0));
  say("umount with a child", umount("m"));
  say("lazy", umount2("m", MNT_DETACH));
  say("first again", access("m/first", F_OK));
  say("umount", umount("m"));
  // read-only and flags
  say("read-only", mount("r", "m", "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, 0));
  say("create", open("m/x", O_RDWR | O_CREAT, 0600));
  say("mkdir", mkdir("m/d", 0700));
  say("chmod", chmod("m", 0700));
  say("utimensat", utimensat(AT_FDCWD, "m", 0, 0));
  say("access W", access("m", W_OK));
  struct statvfs vf;
  statvfs("m", &vf);
  printf("flags %lx\n", vf.f_flag & (ST_RDONLY | ST_NOSUID | ST_NODEV | ST_NOEXEC));
  say("remount writable", mount(0, "m", 0, MS_REMOUNT | MS_NOEXEC, 0));
  say("create", open("m/x", O_RDWR | O_CREAT, 0755) >= 0);
  put("m/s", "#!/bin/sh\n");
  chmod("m/s", 0755);
  CHILD("exec", execl("m/s", "s", (char *)0); say("noexec", -1));
  int busy = open("m/x", O_RDWR);
  say("remount read-only while written", mount(0, "m", 0, MS_REMOUNT | MS_RDONLY, 0));
  close(busy);
  umount2("m", MNT_DETACH);
  // bind
  mkdir("src", 0755);
  mkdir("dst", 0755);
  put("src/file", "bound");
  say("bind", mount("src", "dst", 0, MS_BIND, 0));
  say("seen", access("dst/file", F_OK));
  put("dst/new", "");
  say("one directory", access("src/new", F_OK));
  say("rename across a bind", rename("src/file", "dst/file2"));
  say("bind remount ro", mount(0, "dst", 0, MS_BIND | MS_REMOUNT | MS_RDONLY, 0));
  say("write there", open("dst/y", O_RDWR | O_CREAT, 0600));
  say("write here", open("src/y", O_RDWR | O_CREAT, 0600) >= 0);
  say("umount", umount("dst"));
  put("target", "under");
  say("bind a file", mount("src/file", "target", 0, MS_BIND, 0));
  fd = open("target", O_RDONLY);
  say("its content", read(fd, b, 100));
  close(fd);
  say("unlink a mount point", unlink("target"));
  say("umount", umount("target"));
  say("bind dir on file", mount("src", "target", 0, MS_BIND, 0));
  // errors
  say("unknown type", mount("x", "m", "nosuchfs", 0, 0));
  say("missing target", mount("x", "none", "tmpfs", 0, 0));
  say("target is a file", mount("x", "target", "tmpfs", 0, 0));
  say("bad option", mount("x", "m", "tmpfs", 0, "nonsense=1"));
  say("bad pointer", syscall(SYS_mount, "x", (void *)8, "tmpfs", 0l, 0));
  say("no type", mount("x", "m", 0, 0, 0));
  say("proc", mount("proc", "m", "proc", 0, 0));
  say("its self", access("m/self/status", F_OK));
  umount2("m", MNT_DETACH);
  // openat2 stays on one mount
  mount("t", "m", "tmpfs", 0, 0);
  put("m/t", "");
  struct { uint64_t f, m, r; } how = {O_RDONLY, 0, 1};
  say("no xdev", syscall(437, AT_FDCWD, "m/t", &how, sizeof how));
  CHILD("chroot into it", chroot("m"); chdir("/"); say("t", access("/t", F_OK)); say("nothing else", access("/tmp", F_OK)));
  umount2("m", MNT_DETACH);
  return 0;
}
