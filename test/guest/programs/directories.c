// native 6.18: the emulator rewrites directory entries and their offsets.
// getdents64(2), readdir(3), seekdir(3), chdir(2), fchdir(2), getcwd(2): contents, positions, changes while reading.
#include "say.h"

struct dent { uint64_t ino; int64_t off; uint16_t reclen; uint8_t type; char name[]; };
static long gd(int fd, void *buf, size_t n) { return syscall(SYS_getdents64, fd, buf, n); }

static int cmp(const void *a, const void *b) { return strcmp(*(char **)a, *(char **)b); }
static void list(const char *path) {
  DIR *d = opendir(path);
  if (!d) { printf("%s: %s\n", path, err_name(errno)); return; }
  char *names[100];
  int n = 0;
  for (struct dirent *e; (e = readdir(d)) && n < 100;) {
    char t[300];
    snprintf(t, sizeof t, "%s/%d", e->d_name, e->d_type);
    names[n++] = strdup(t);
  }
  closedir(d);
  qsort(names, n, sizeof *names, cmp);
  printf("%s:", path);
  for (int i = 0; i < n; i++) printf(" %s", names[i]);
  printf("\n");
}

int main(void) {
  scratch();
  mkdir("d", 0755);
  put("d/file", "");
  mkdir("d/dir", 0755);
  symlink("x", "d/link");
  mkfifo("d/fifo", 0600);
  list("d");
  list("d/dir");
  list("d/file");
  list("none");

  char buf[4096];
  int fd = open("d", O_RDONLY);
  say("tiny buffer", gd(fd, buf, 10));
  say("buffer of 23", gd(fd, buf, 23));
  say("buffer of 0", gd(fd, buf, 0));
  say("bad buffer", gd(fd, (void *)8, 4096));
  say("not a directory", gd(open("d/file", O_RDONLY), buf, sizeof buf));
  say("bad descriptor", gd(-1, buf, sizeof buf));
  int count = 0, dots = 0, inos = 0;
  for (long n; (n = gd(fd, buf, 32)) > 0;) {
    struct dent *e = (void *)buf;
    count++;
    dots += e->name[0] == '.';
    struct stat st;
    if (fstatat(fd, e->name, &st, AT_SYMLINK_NOFOLLOW) == 0) inos += st.st_ino == e->ino;
    if (e->reclen % 8) printf("reclen %d\n", e->reclen);
  }
  printf("one at a time: %d, dots %d, inode numbers right %d\n", count, dots, inos);
  say("at the end", gd(fd, buf, sizeof buf));
  say("rewind", lseek(fd, 0, SEEK_SET));
  say("again", gd(fd, buf, sizeof buf) > 0);
  say("lseek negative", lseek(fd, -1, SEEK_SET));
  close(fd);

  // a listing is an access, but for those who say that it is none; hosts may differ, memory does not
  char shm[] = "/dev/shm/directories-XXXXXX";
  mkdtemp(shm);
  struct timespec past[2] = {{1000, 0}, {0, UTIME_OMIT}};
  for (int flag = O_NOATIME; flag >= 0; flag -= O_NOATIME) {
    fd = open(shm, O_RDONLY | flag);
    futimens(fd, past);
    while (gd(fd, buf, sizeof buf) > 0);
    struct stat st;
    fstat(fd, &st);
    printf("%s O_NOATIME: %s\n", flag ? "with" : "without", st.st_atime == 1000 ? "as it was" : "now");
    close(fd);
  }
  rmdir(shm);

  // many entries, removed while reading
  mkdir("many", 0755);
  chdir("many");
  // BRIEF: where each call costs a hundred times what it costs elsewhere.
  int many = getenv("BRIEF") ? 200 : 3000;
  for (int i = 0; i < many; i++) {
    char n[64];
    sprintf(n, "entry-number-%04d", i);
    close(open(n, O_CREAT | O_WRONLY, 0600));
  }
  DIR *d = opendir(".");
  int seen = 0;
  for (struct dirent *e; (e = readdir(d));) seen++;
  printf("seen %d\n", seen);
  rewinddir(d);
  seen = 0;
  for (struct dirent *e; (e = readdir(d));) {
    if (e->d_name[0] == '.') continue;
    if (unlink(e->d_name)) printf("%s: %s\n", e->d_name, err_name(errno));
    seen++;
  }
  printf("removed while reading %d\n", seen);
  rewinddir(d);
  seen = 0;
  for (struct dirent *e; (e = readdir(d));) seen++;
  printf("left %d\n", seen);
  closedir(d);
  // telldir and seekdir
  for (int i = 0; i < 200; i++) {
    char n[64];
    sprintf(n, "e%03d", i);
    close(open(n, O_CREAT | O_WRONLY, 0600));
  }
  d = opendir(".");
  static char names[300][16];
  static long at[300];
  int n = 0;
  for (;;) {
    at[n] = telldir(d);
    struct dirent *e = readdir(d);
    if (!e) break;
    strcpy(names[n++], e->d_name);
  }
  int right = 0;
  for (int i = n - 1; i >= 0; i -= 7) {
    seekdir(d, at[i]);
    struct dirent *e = readdir(d);
    right += e && strcmp(e->d_name, names[i]) == 0;
  }
  printf("entries %d, found again %d\n", n, right);
  // new names after a rewind
  close(open("late", O_CREAT | O_WRONLY, 0600));
  rewinddir(d);
  int late = 0;
  for (struct dirent *e; (e = readdir(d));) late += strcmp(e->d_name, "late") == 0;
  printf("late %d\n", late);
  closedir(d);
  // a shared position
  fd = open(".", O_RDONLY);
  int fd2 = dup(fd);
  long first = gd(fd, buf, 48), second = gd(fd2, buf + 64, 48);
  printf("dup continues %d\n", first > 0 && second > 0 && memcmp(buf, buf + 64, first) != 0);
  close(fd2);
  // a directory removed while open
  mkdir("gone", 0700);
  int g = open("gone", O_RDONLY);
  rmdir("gone");
  say("read a removed directory", gd(g, buf, sizeof buf));
  chdir("..");

  // cwd
  printf("cwd is scratch %d\n", strcmp(getcwd(buf, sizeof buf), scratch_path) == 0);
  say("getcwd too small", syscall(SYS_getcwd, buf, 4l));
  say("getcwd 0", syscall(SYS_getcwd, buf, 0l));
  say("getcwd bad", syscall(SYS_getcwd, (void *)8, 100l));
  say("chdir file", chdir("d/file"));
  say("chdir missing", chdir("none"));
  say("chdir empty", chdir(""));
  symlink("d", "ld");
  say("chdir link", chdir("ld"));
  printf("%s\n", strrchr(getcwd(buf, sizeof buf), '/'));
  say("rename under us", rename("../d", "../e"));
  printf("%s\n", strrchr(getcwd(buf, sizeof buf), '/'));
  say("..", chdir(".."));
  say("fchdir file", fchdir(open("e/file", O_RDONLY)));
  int p[2];
  pipe(p);
  say("fchdir pipe", fchdir(p[0]));
  say("fchdir bad", fchdir(-1));
  say("fchdir", fchdir(open("e/dir", O_RDONLY | O_DIRECTORY)));
  printf("%s\n", strrchr(getcwd(buf, sizeof buf), '/'));
  CHILD("cwd of a child", chdir("/"));
  printf("%s\n", strrchr(getcwd(buf, sizeof buf), '/'));
  // a path longer than PATH_MAX
  int depth = 0;
  char name[201];
  memset(name, 'd', 200), name[200] = 0;
  for (; depth < 25; depth++)
    if (mkdir(name, 0700) || chdir(name)) { printf("depth %d %s\n", depth, err_name(errno)); break; }
  printf("depth %d\n", depth);
  say("getcwd too long", syscall(SYS_getcwd, buf, sizeof buf));
  put("deepfile", "deep");
  say("open deep", open("deepfile", O_RDONLY) >= 0);
  while (depth-- > 0) {
    unlink("deepfile");
    chdir("..");
    rmdir(name);
  }
  printf("%s\n", strrchr(getcwd(buf, sizeof buf), '/'));
  return 0;
}
