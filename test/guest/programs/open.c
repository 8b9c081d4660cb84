// native 6.18: the emulator passes the host's O_ flags through and lacks openat2.
// open(2), openat(2), openat2(2), creat(2), umask(2): flags, errors, modes, resolve flags.
#include "say.h"
#include <sys/resource.h>

struct how { uint64_t flags, mode, resolve; };
#define NO_XDEV 1
#define NO_MAGICLINKS 2
#define NO_SYMLINKS 4
#define BENEATH 8
#define IN_ROOT 16
#define CACHED 32

static long opened(const char *what, int fd) {
  if (fd == -1) printf("%s: %s\n", what, err_name(errno));
  else printf("%s: flags %o\n", what, fcntl(fd, F_GETFL) & ~O_LARGEFILE & ~0100000 & ~0400000 & ~O_DIRECTORY);
  if (fd >= 0) close(fd);
  return fd;
}

static int open2(int dir, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
  struct how how = {flags, mode, resolve};
  return syscall(SYS_openat2, dir, path, &how, sizeof how);
}

static void mode_of(const char *path) {
  struct stat st;
  if (lstat(path, &st)) printf("%s: %s\n", path, err_name(errno));
  else printf("%s: %o\n", path, st.st_mode);
}

int main(void) {
  scratch();
  umask(022);
  put("file", "text");
  mkdir("dir", 0755);
  put("dir/inner", "in");
  symlink("file", "link");
  symlink("dir", "dirlink");
  symlink("nowhere", "dangling");
  symlink("loop", "loop");
  symlink("/tmp", "abs");
  symlink("../file", "dir/up");
  symlink("inner", "dir/side");
  mkfifo("fifo", 0600);

  opened("rdonly", open("file", O_RDONLY));
  opened("wronly append", open("file", O_WRONLY | O_APPEND));
  opened("rdwr nonblock", open("file", O_RDWR | O_NONBLOCK));
  opened("mode 3", open("file", 3));
  opened("sync", open("file", O_RDWR | O_SYNC));
  opened("dsync", open("file", O_RDWR | O_DSYNC));
  opened("async", open("file", O_RDWR | O_ASYNC));
  opened("noatime", open("file", O_RDONLY | O_NOATIME));
  opened("missing", open("missing", O_RDONLY));
  opened("missing dir", open("missing/x", O_RDONLY | O_CREAT, 0600));
  opened("file as dir", open("file/x", O_RDONLY));
  opened("file slash", open("file/", O_RDONLY));
  opened("empty", open("", O_RDONLY));
  opened("empty create", open("", O_RDWR | O_CREAT, 0600));
  opened("bad address", syscall(SYS_openat, AT_FDCWD, (void *)8, O_RDONLY));
  opened("dir rdonly", open("dir", O_RDONLY));
  opened("dir wronly", open("dir", O_WRONLY));
  opened("dir rdwr", open("dir", O_RDWR));
  opened("dir create", open("dir", O_RDONLY | O_CREAT, 0600));
  opened("dir trunc", open("dir", O_RDONLY | O_TRUNC));
  opened("dir/ create", open("dir/", O_RDWR | O_CREAT, 0600));
  opened("new/ create", open("new/", O_RDWR | O_CREAT, 0600));
  opened(". create", open(".", O_RDWR | O_CREAT, 0600));
  opened("O_DIRECTORY on file", open("file", O_RDONLY | O_DIRECTORY));
  opened("O_DIRECTORY on dir", open("dir", O_RDONLY | O_DIRECTORY));
  opened("O_DIRECTORY on link to dir", open("dirlink", O_RDONLY | O_DIRECTORY));
  opened("O_DIRECTORY|O_CREAT", open("file", O_RDONLY | O_DIRECTORY | O_CREAT, 0600));
  opened("O_DIRECTORY|O_CREAT new", open("newdir", O_RDONLY | O_DIRECTORY | O_CREAT, 0600));
  opened("O_NOFOLLOW link", open("link", O_RDONLY | O_NOFOLLOW));
  opened("O_NOFOLLOW file", open("file", O_RDONLY | O_NOFOLLOW));
  opened("O_NOFOLLOW dirlink", open("dirlink", O_RDONLY | O_NOFOLLOW));
  opened("O_NOFOLLOW|O_DIRECTORY dirlink", open("dirlink", O_RDONLY | O_NOFOLLOW | O_DIRECTORY));
  opened("O_NOFOLLOW dirlink/", open("dirlink/", O_RDONLY | O_NOFOLLOW));
  opened("O_NOFOLLOW in the middle", open("dirlink/inner", O_RDONLY | O_NOFOLLOW));
  opened("loop", open("loop", O_RDONLY));
  opened("loop nofollow", open("loop", O_RDONLY | O_NOFOLLOW));
  opened("dangling", open("dangling", O_RDONLY));
  opened("excl existing", open("file", O_RDWR | O_CREAT | O_EXCL, 0600));
  opened("excl dangling", open("dangling", O_RDWR | O_CREAT | O_EXCL, 0600));
  opened("excl dir", open("dir", O_RDONLY | O_CREAT | O_EXCL, 0600));
  opened("excl without creat", open("file", O_RDONLY | O_EXCL));
  opened("create through dangling", open("dangling", O_RDWR | O_CREAT, 0600));
  mode_of("nowhere");
  opened("create nofollow on a link", open("link", O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
  opened("fifo nonblock writer", open("fifo", O_WRONLY | O_NONBLOCK));
  opened("fifo nonblock reader", open("fifo", O_RDONLY | O_NONBLOCK));
  opened("fifo rdwr", open("fifo", O_RDWR));
  opened("unknown flag bits", open("file", O_RDONLY | 0x40000000));

  // modes and umask
  for (int mask = 0; mask < 2; mask++) {
    umask(mask ? 077 : 0);
    char name[32];
    int modes[] = {0, 0400, 0644, 0777, 01777, 02755, 04755, 07777};
    for (unsigned i = 0; i < sizeof modes / sizeof *modes; i++) {
      snprintf(name, sizeof name, "m%d-%o", mask, modes[i]);
      close(open(name, O_CREAT | O_WRONLY, modes[i]));
      mode_of(name);
    }
  }
  printf("umask returns %o\n", umask(022));
  printf("umask keeps nine bits %o\n", (umask(07777), umask(022)));
  int w = open("m0-0", O_WRONLY | O_CREAT | O_EXCL, 0);
  opened("mode 0 again", w);
  w = open("readonlymode", O_RDWR | O_CREAT, 0400);
  say("write through a creating descriptor of mode 0400", write(w, "x", 1));
  close(w);

  // access mode of the descriptor
  int r = open("file", O_RDONLY);
  w = open("file", O_WRONLY);
  char c;
  say("write to rdonly", write(r, "x", 1));
  say("read from wronly", read(w, &c, 1));
  say("ftruncate rdonly", ftruncate(r, 0));
  int three = open("file", 3);
  say("read of mode 3", read(three, &c, 1));
  say("write of mode 3", write(three, &c, 1));
  close(three);
  close(r);
  close(w);

  // O_TRUNC, O_APPEND
  put("t", "0123456789");
  struct stat st;
  close(open("t", O_RDONLY | O_TRUNC));
  stat("t", &st);
  printf("rdonly trunc leaves %ld\n", (long)st.st_size);
  put("t", "0123456789");
  int a = open("t", O_RDWR | O_APPEND);
  say("append seek", lseek(a, 2, SEEK_SET));
  say("append write", write(a, "ab", 2));
  say("append position", lseek(a, 0, SEEK_CUR));
  say("append pwrite goes to the end", pwrite(a, "cd", 2, 0));
  fstat(a, &st);
  printf("size %ld, position %ld\n", (long)st.st_size, (long)lseek(a, 0, SEEK_CUR));
  close(a);

  // O_PATH
  int p = open("file", O_PATH);
  printf("O_PATH flags %o\n", fcntl(p, F_GETFL) & ~O_LARGEFILE & ~0100000);
  say("read", read(p, &c, 1));
  say("write", write(p, &c, 1));
  say("lseek", lseek(p, 0, SEEK_SET));
  say("fchmod", syscall(SYS_fchmod, p, 0600));
  say("fchown", syscall(SYS_fchown, p, -1, -1));
  say("ftruncate", ftruncate(p, 0));
  say("fstat", fstat(p, &st));
  say("ioctl", syscall(SYS_ioctl, p, 0x5401, &st));
  say("fsync", fsync(p));
  say("fcntl SETFL", fcntl(p, F_SETFL, O_NONBLOCK));
  say("fcntl GETFD", fcntl(p, F_GETFD));
  say("flock", syscall(SYS_flock, p, 1));
  say("getdents", syscall(SYS_getdents64, p, &st, sizeof st));
  ok("dup", dup(p));
  ok("mmap", (long)mmap(0, 4096, PROT_READ, MAP_PRIVATE, p, 0));
  char proc[64];
  snprintf(proc, sizeof proc, "/proc/self/fd/%d", p);
  opened("reopened through /proc", open(proc, O_RDWR));
  close(p);
  p = open("link", O_PATH | O_NOFOLLOW);
  fstat(p, &st);
  printf("O_PATH of a link itself: %o\n", st.st_mode & S_IFMT);
  char target[16] = "";
  say("readlinkat of it", readlinkat(p, "", target, sizeof target));
  close(p);
  p = open("dir", O_PATH);
  opened("openat O_PATH dir", openat(p, "inner", O_RDONLY));
  say("fchdir of it", fchdir(p));
  say("chdir back", chdir(scratch_path));
  close(p);
  opened("O_PATH|O_CREAT new", open("newpath", O_PATH | O_CREAT, 0600));
  opened("O_PATH|O_DIRECTORY file", open("file", O_PATH | O_DIRECTORY));
  opened("O_PATH fifo", open("fifo", O_PATH));
  opened("O_PATH dangling", open("abs/none/none", O_PATH));

  // O_TMPFILE
  int t = open(".", O_TMPFILE | O_RDWR, 0640);
  ok("tmpfile", t);
  fstat(t, &st);
  printf("tmpfile mode %o links %d\n", st.st_mode, (int)st.st_nlink);
  say("tmpfile write", write(t, "hello", 5));
  snprintf(proc, sizeof proc, "/proc/self/fd/%d", t);
  say("link it", linkat(AT_FDCWD, proc, AT_FDCWD, "linked", AT_SYMLINK_FOLLOW));
  mode_of("linked");
  fstat(t, &st);
  printf("links %d size %ld\n", (int)st.st_nlink, (long)st.st_size);
  close(t);
  t = open(".", O_TMPFILE | O_RDWR | O_EXCL, 0640);
  snprintf(proc, sizeof proc, "/proc/self/fd/%d", t);
  say("link an exclusive one", linkat(AT_FDCWD, proc, AT_FDCWD, "linked2", AT_SYMLINK_FOLLOW));
  close(t);
  opened("tmpfile rdonly", open(".", O_TMPFILE | O_RDONLY, 0600));
  opened("tmpfile on a file", open("file", O_TMPFILE | O_RDWR, 0600));
  opened("tmpfile missing", open("missing", O_TMPFILE | O_RDWR, 0600));
  opened("tmpfile create", open(".", O_TMPFILE | O_RDWR | O_CREAT, 0600));

  // openat
  int d = open("dir", O_RDONLY);
  opened("openat inner", openat(d, "inner", O_RDONLY));
  opened("openat ..", openat(d, "../file", O_RDONLY));
  opened("openat absolute ignores fd", openat(-5, "/dev/null", O_RDONLY));
  opened("openat bad fd", openat(-5, "x", O_RDONLY));
  opened("openat closed fd", openat(777, "x", O_RDONLY));
  int f = open("file", O_RDONLY);
  opened("openat file fd", openat(f, "x", O_RDONLY));
  opened("openat file fd empty", openat(f, "", O_RDONLY));

  // openat2
  opened("plain", open2(d, "inner", O_RDONLY, 0, 0));
  opened("beneath inner", open2(d, "inner", O_RDONLY, 0, BENEATH));
  opened("beneath ..", open2(d, "../file", O_RDONLY, 0, BENEATH));
  opened("beneath ./..", open2(d, "./../dir/inner", O_RDONLY, 0, BENEATH));
  opened("beneath up link", open2(d, "up", O_RDONLY, 0, BENEATH));
  opened("beneath side link", open2(d, "side", O_RDONLY, 0, BENEATH));
  opened("beneath absolute", open2(d, "/etc", O_RDONLY, 0, BENEATH));
  opened("beneath abs link", open2(AT_FDCWD, "abs", O_RDONLY, 0, BENEATH));
  opened("beneath in and out", open2(AT_FDCWD, "dir/../file", O_RDONLY, 0, BENEATH));
  opened("in root ..", open2(d, "../../inner", O_RDONLY, 0, IN_ROOT));
  opened("in root absolute", open2(d, "/inner", O_RDONLY, 0, IN_ROOT));
  opened("in root up link", open2(d, "up", O_RDONLY, 0, IN_ROOT));
  opened("in root abs link", open2(AT_FDCWD, "abs", O_RDONLY, 0, IN_ROOT));
  opened("no symlinks link", open2(AT_FDCWD, "link", O_RDONLY, 0, NO_SYMLINKS));
  opened("no symlinks middle", open2(AT_FDCWD, "dirlink/inner", O_RDONLY, 0, NO_SYMLINKS));
  opened("no symlinks O_PATH|O_NOFOLLOW", open2(AT_FDCWD, "link", O_PATH | O_NOFOLLOW, 0, NO_SYMLINKS));
  opened("no magic /proc/self/exe", open2(AT_FDCWD, "/proc/self/exe", O_RDONLY, 0, NO_MAGICLINKS));
  opened("no magic /proc/self/fd/0", open2(AT_FDCWD, "/proc/self/cwd/file", O_RDONLY, 0, NO_MAGICLINKS));
  opened("no xdev /proc", open2(AT_FDCWD, "/proc/self/status", O_RDONLY, 0, NO_XDEV));
  opened("no xdev relative", open2(AT_FDCWD, "dir/inner", O_RDONLY, 0, NO_XDEV));
  opened("both scopes", open2(d, "inner", O_RDONLY, 0, BENEATH | IN_ROOT));
  opened("unknown resolve", open2(d, "inner", O_RDONLY, 0, 64));
  opened("unknown flags", open2(d, "inner", 1ull << 40, 0, 0));
  opened("mode without creat", open2(d, "inner", O_RDONLY, 0600, 0));
  opened("mode too large", open2(d, "nn", O_RDWR | O_CREAT, 010000, 0));
  opened("create", open2(d, "nn", O_RDWR | O_CREAT, 0600, BENEATH));
  opened("create beneath escaping", open2(d, "../esc", O_RDWR | O_CREAT, 0600, BENEATH));
  opened("O_PATH with O_RDWR", open2(d, "inner", O_PATH | O_RDWR, 0, 0));
  opened("O_TMPFILE", open2(d, ".", O_TMPFILE | O_RDWR, 0600, BENEATH));
  struct { struct how h; uint64_t more; } big = {{O_RDONLY, 0, 0}, 0};
  opened("larger struct of zeros", syscall(SYS_openat2, d, "inner", &big, sizeof big));
  big.more = 1;
  opened("larger struct not zero", syscall(SYS_openat2, d, "inner", &big, sizeof big));
  opened("small struct", syscall(SYS_openat2, d, "inner", &big, 16));
  opened("huge struct", syscall(SYS_openat2, d, "inner", &big, 8192));
  opened("struct at a bad address", syscall(SYS_openat2, d, "inner", (void *)16, 24));
  opened("cached create", open2(d, "nn2", O_RDWR | O_CREAT, 0600, CACHED));

  // limits of names
  char longname[300];
  memset(longname, 'n', sizeof longname);
  longname[255] = 0;
  opened("255 bytes", open(longname, O_RDWR | O_CREAT, 0600));
  longname[255] = 'n', longname[256] = 0;
  opened("256 bytes", open(longname, O_RDWR | O_CREAT, 0600));
  static char deep[5000];
  for (int i = 0; i < 4090; i += 2) memcpy(deep + i, "./", 2);
  strcpy(deep + 4090, "file");
  opened("path of 4094 bytes", open(deep, O_RDONLY));
  memcpy(deep + 4090, "./file", 7);
  opened("path of 4096 bytes", open(deep, O_RDONLY));
  strcpy(deep + 4090, ".file");
  deep[4090] = '/', strcpy(deep + 4091, "file");
  opened("path of 4095 bytes", open(deep, O_RDONLY));

  // descriptor limit
  struct rlimit rl;
  getrlimit(RLIMIT_NOFILE, &rl);
  struct rlimit few = {f + 1, rl.rlim_max};
  setrlimit(RLIMIT_NOFILE, &few);
  for (int i = 0; i < 5; i++) {
    int n = open("file", O_RDONLY);
    if (n < 0) { printf("limit: %s\n", err_name(errno)); break; }
  }
  opened("limit before a missing file", open("missing", O_RDONLY));
  setrlimit(RLIMIT_NOFILE, &rl);
  return 0;
}
