// native, root: the emulator gives descriptors of /proc/PID/ns a text of its own.
#include "say.h"
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/statfs.h>

#define NS_GET_USERNS _IO(0xb7, 1)
#define NS_GET_PARENT _IO(0xb7, 2)
#define NS_GET_NSTYPE _IO(0xb7, 3)
#define NS_GET_OWNER_UID _IO(0xb7, 4)

static const char *names[] = {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"};
static const int kinds[] = {CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWNS, CLONE_NEWNET, CLONE_NEWPID, 0x80, CLONE_NEWUSER, CLONE_NEWUTS};

static int same(int a, int b) {
  struct stat x, y;
  return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

int main(void) {
  scratch();
  char path[64], text[64], at[64];
  for (int i = 0; i < 8; i++) {
    snprintf(path, sizeof path, "/proc/self/ns/%s", names[i]);
    printf("-- %s\n", names[i]);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ok("open", fd);
    struct stat st;
    struct statfs fs;
    say("stat", stat(path, &st));
    printf("mode %o links %d uid %d size %d\n", st.st_mode, (int)st.st_nlink, st.st_uid, (int)st.st_size);
    statfs(path, &fs);
    printf("fs %lx\n", (long)fs.f_type);
    text[readlink(path, text, sizeof text - 1)] = 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(path, at, sizeof at - 1);
    at[n < 0 ? 0 : n] = 0;
    snprintf(path, sizeof path, "%s:[%lu]", names[i], (unsigned long)st.st_ino);
    printf("text %d, of the descriptor %d\n", strcmp(text, path), strcmp(text, at));
    say("kind", ioctl(fd, NS_GET_NSTYPE) == kinds[i]);
    unsigned uid;
    say("owner uid", ioctl(fd, NS_GET_OWNER_UID, &uid));
    if (kinds[i] != CLONE_NEWUSER && kinds[i] != CLONE_NEWPID) say("parent", ioctl(fd, NS_GET_PARENT));
    if (kinds[i] != CLONE_NEWUSER) {
      int owner = ioctl(fd, NS_GET_USERNS);
      ok("user name space", owner);
      say("is the own one", same(owner, open("/proc/self/ns/user", O_RDONLY)));
      say("closed on exec", fcntl(owner, F_GETFD));
    }
    say("other command", ioctl(fd, 0xb7ff));
    say("read", read(fd, text, 1));
    say("mmap", (long)mmap(0, 4096, PROT_READ, MAP_SHARED, fd, 0) == -1 ? -1 : 0);
    CHILD("child", snprintf(path, sizeof path, "/proc/%d/ns/%s", getppid(), names[i]); say("a parent's is the same", same(fd, open(path, O_RDONLY))));
    say("enter", setns(fd, 0));
    say("enter by kind", setns(fd, kinds[i]));
    say("enter as another", setns(fd, kinds[(i + 1) % 8]));
    char cwd[64];
    if (kinds[i] == CLONE_NEWNS) printf("at %s\n", getcwd(cwd, sizeof cwd));
    close(fd);
  }
  say("no descriptor", setns(-1, 0));
  say("no name space", setns(open("/dev/null", O_RDONLY), 0));
  int own = syscall(SYS_pidfd_open, getpid(), 0);
  say("of a process", setns(own, CLONE_NEWUTS | CLONE_NEWNET));
  say("none of a process", setns(own, 0));
  say("unknown of a process", setns(own, CLONE_VM));
  int net = open("/proc/self/ns/net", O_RDONLY);
  CHILD("without rights", setuid(1); say("enter", setns(net, 0)); say("as another", setns(net, CLONE_NEWIPC)));
  ok("open for writing", open("/proc/self/ns/net", O_RDWR));
  ok("open to truncate", open("/proc/self/ns/net", O_RDONLY | O_TRUNC));
  ok("open as a directory", open("/proc/self/ns/net", O_RDONLY | O_DIRECTORY));
  ok("open to create", open("/proc/self/ns/net", O_RDONLY | O_CREAT, 0600));
  say("access to write", access("/proc/self/ns/net", W_OK));
  say("chmod", fchmod(net, 0600));
  say("directory", open("/proc/self/ns/net/x", O_RDONLY));
  say("unknown", open("/proc/self/ns/x", O_RDONLY));
  return 0;
}
