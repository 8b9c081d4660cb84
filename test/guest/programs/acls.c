// native 6.18, root: the emulator passes the attributes on to whatever file system the host has.
// POSIX access lists: values and errors, who may do what, chmod and the mask, default lists.
#include "say.h"
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/xattr.h>

#define ACCESS "system.posix_acl_access"
#define DEFAULT "system.posix_acl_default"
enum { UO = 1, U = 2, GO = 4, G = 8, M = 16, O = 32 };

struct entry { uint16_t tag, perm; uint32_t id; };
struct list { uint32_t version; struct entry e[16]; };

// Entries as "tag perm id" triples, ended by tag 0.
static size_t make(struct list *l, const int *t) {
  l->version = 2;
  int n = 0;
  for (; *t != 0; t += 3) l->e[n++] = (struct entry){t[0], t[1], t[2]};
  return 4 + 8 * n;
}
#define LIST(...) ((const int[]){__VA_ARGS__, 0})

static int set(const char *path, const char *name, const int *t) {
  struct list l;
  size_t n = make(&l, t);
  return setxattr(path, name, &l, n, 0);
}

static void show(const char *path, const char *name) {
  struct list l;
  struct stat st;
  stat(path, &st);
  ssize_t n = getxattr(path, name, &l, sizeof l);
  printf("  %s %o %s", path, st.st_mode, name + 17);
  if (n < 0) printf(" %s\n", err_name(errno));
  else {
    printf(" v%d", l.version);
    for (int i = 0; i < (n - 4) / 8; i++) printf(" %d:%d:%d", l.e[i].tag, l.e[i].perm, (int)l.e[i].id);
    printf("\n");
  }
}

static void listed(const char *path) {
  char b[1000];
  ssize_t n = listxattr(path, b, sizeof b);
  int a = 0, d = 0;
  for (char *p = b; n > 0 && p < b + n; p += strlen(p) + 1) a |= !strcmp(p, ACCESS), d |= !strcmp(p, DEFAULT);
  printf("  %s lists%s%s\n", path, a ? " access" : "", d ? " default" : "");
}

// What a user may do with a file or directory: by access(2) and by doing it.
static void may(int uid, int gid, int extra, const char *path) {
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    gid_t groups[1] = {extra};
    setgroups(extra ? 1 : 0, groups);
    setgid(gid);
    setuid(uid);
    printf("  %d:%d+%d %s", uid, gid, extra, path);
    for (int m = 1; m < 8; m++) putchar(access(path, m) == 0 ? "-xwWrRaA"[m] : '.');
    int r = open(path, O_RDONLY), w = open(path, O_WRONLY);
    printf(" %s %s\n", r < 0 ? "-" : "r", w < 0 ? "-" : "w");
    fflush(stdout);
    _exit(0);
  }
  waitpid(pid, 0, 0);
}

static void everybody(const char *path) {
  may(500, 500, 0, path);
  may(1000, 500, 0, path);
  may(1001, 500, 0, path);
  may(1002, 600, 0, path);
  may(1002, 700, 600, path);
  may(1002, 700, 0, path);
}

static void bad(const char *what, const void *value, size_t n) { ok(what, setxattr("f", ACCESS, value, n, 0)); }

static void values(void) {
  close(open("f", O_CREAT | O_RDWR, 0640));
  mkdir("d", 0755);
  symlink("f", "s");
  mkfifo("p", 0600);
  struct list l;
  char b[100];
  show("f", ACCESS);
  show("f", DEFAULT);
  show("d", DEFAULT);
  bad("empty value", "", 0);
  bad("short", "\2\0\0", 3);
  bad("only a header", "\2\0\0\0", 4);
  bad("half an entry", "\2\0\0\0abcd", 8);
  make(&l, LIST(UO, 7, -1, GO, 5, -1, O, 5, -1));
  l.version = 1;
  bad("other version", &l, 28);
  ok("wrong order", set("f", ACCESS, LIST(GO, 5, -1, UO, 7, -1, O, 5, -1)));
  ok("no others", set("f", ACCESS, LIST(UO, 7, -1, GO, 5, -1)));
  ok("no mask", set("f", ACCESS, LIST(UO, 7, -1, U, 4, 1000, GO, 5, -1, O, 5, -1)));
  ok("two masks", set("f", ACCESS, LIST(UO, 7, -1, GO, 5, -1, M, 7, -1, M, 7, -1, O, 5, -1)));
  ok("nobody", set("f", ACCESS, LIST(UO, 7, -1, U, 4, -1, GO, 5, -1, M, 7, -1, O, 5, -1)));
  ok("unknown tag", set("f", ACCESS, LIST(UO, 7, -1, 3, 4, -1, GO, 5, -1, M, 7, -1, O, 5, -1)));
  ok("absurd bits", set("f", ACCESS, LIST(UO, 15, -1, GO, 5, -1, O, 5, -1)));
  ok("same user twice", set("f", ACCESS, LIST(UO, 6, -1, U, 4, 1000, U, 6, 1000, GO, 5, -1, M, 7, -1, O, 1, -1)));
  show("f", ACCESS);
  listed("f");
  ok("minimal", set("f", ACCESS, LIST(UO, 7, 5, GO, 4, 6, O, 1, 7)));
  show("f", ACCESS);
  ok("only a mask", set("f", ACCESS, LIST(UO, 6, -1, GO, 4, -1, M, 6, -1, O, 0, -1)));
  show("f", ACCESS);
  ok("create flag", setxattr("f", ACCESS, &l, make(&l, LIST(UO, 7, -1, GO, 7, -1, M, 1, -1, O, 7, -1)), XATTR_CREATE));
  say("size", getxattr("f", ACCESS, 0, 0));
  say("too small", getxattr("f", ACCESS, b, 5));
  ok("remove", removexattr("f", ACCESS));
  show("f", ACCESS);
  ok("remove again", removexattr("f", ACCESS));
  ok("default of a file", set("f", DEFAULT, LIST(UO, 7, -1, GO, 5, -1, O, 5, -1)));
  ok("no default of a file", removexattr("f", DEFAULT));
  ok("minimal default", set("d", DEFAULT, LIST(UO, 7, -1, GO, 5, -1, O, 5, -1)));
  show("d", DEFAULT);
  listed("d");
  ok("no default", removexattr("d", DEFAULT));
  show("d", DEFAULT);
  ok("of a link", lsetxattr("s", ACCESS, &l, 28, 0));
  say("of a link", lgetxattr("s", ACCESS, b, sizeof b));
  ok("of a FIFO", set("p", ACCESS, LIST(UO, 6, -1, U, 4, 1000, GO, 0, -1, M, 4, -1, O, 0, -1)));
  show("p", ACCESS);
  ok("other system name", setxattr("f", "system.other", "x", 1, 0));
  int pipes[2];
  if (pipe(pipes) == 0) ok("of a pipe", fsetxattr(pipes[0], ACCESS, &l, 28, 0));
}

static void rights(void) {
  mkdir("r", 0755);
  close(open("r/f", O_CREAT | O_RDWR, 0666));
  chown("r/f", 500, 600);
  ok("users", set("r/f", ACCESS, LIST(UO, 0, -1, U, 6, 1000, U, 0, 1001, GO, 4, -1, M, 7, -1, O, 7, -1)));
  everybody("r/f");
  ok("narrow mask", set("r/f", ACCESS, LIST(UO, 7, -1, U, 7, 1000, GO, 7, -1, G, 6, 700, M, 4, -1, O, 6, -1)));
  everybody("r/f");
  chmod("r/f", 0707);
  show("r/f", ACCESS);
  everybody("r/f");
  chmod("r/f", 0770);
  show("r/f", ACCESS);
  everybody("r/f");
  ok("list on a directory", set("r", ACCESS, LIST(UO, 7, -1, U, 0, 1002, GO, 5, -1, M, 5, -1, O, 5, -1)));
  everybody("r/f");
  everybody("r");
  chmod("r", 0700);
  may(1000, 500, 0, "r/f");
  ok("away", removexattr("r", ACCESS));
  chmod("r", 0755);
  chown("r/f", 1000, -1);
  show("r/f", ACCESS);
  fflush(stdout);
  if (fork() == 0) {
    setgroups(0, 0);
    setgid(500);
    setuid(1001);
    ok("somebody else's", set("r/f", ACCESS, LIST(UO, 7, -1, GO, 5, -1, O, 5, -1)));
    ok("remove somebody else's", removexattr("r/f", ACCESS));
    show("r/f", ACCESS);
    fflush(stdout);
    _exit(0);
  }
  wait(0);
  chmod("r/f", 02755);
  fflush(stdout);
  if (fork() == 0) {
    setgroups(0, 0);
    setgid(500);
    setuid(1000);
    ok("my own", set("r/f", ACCESS, LIST(UO, 6, -1, U, 6, 7, GO, 6, -1, M, 6, -1, O, 0, -1)));
    show("r/f", ACCESS);
    fflush(stdout);
    _exit(0);
  }
  wait(0);
}

static void inheritance(void) {
  mkdir("i", 0755);
  umask(027);
  ok("default", set("i", DEFAULT, LIST(UO, 7, -1, U, 6, 1000, GO, 7, -1, G, 5, 600, M, 7, -1, O, 5, -1)));
  close(open("i/f", O_CREAT | O_RDWR, 0666));
  close(open("i/x", O_CREAT | O_RDWR, 0751));
  mkdir("i/d", 0777);
  mkdir("i/d/e", 0700);
  mknod("i/n", S_IFIFO | 0620, 0);
  mknod("i/m", S_IFREG | 0606, 0);
  symlink("f", "i/s");
  struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "i/u"};
  int s = socket(AF_UNIX, SOCK_STREAM, 0);
  ok("bind", bind(s, (struct sockaddr *)&name, sizeof name));
  int t = open("i", O_TMPFILE | O_RDWR, 0640);
  char b[100];
  if (t >= 0) say("unnamed", fgetxattr(t, ACCESS, b, sizeof b));
  const char *all[] = {"i", "i/f", "i/x", "i/d", "i/d/e", "i/n", "i/m", "i/u"};
  for (int k = 0; k < 8; k++) show(all[k], ACCESS), show(all[k], DEFAULT);
  ok("minimal default", set("i", DEFAULT, LIST(UO, 7, -1, GO, 6, -1, O, 4, -1)));
  close(open("i/g", O_CREAT | O_RDWR, 0666));
  mkdir("i/h", 0777);
  chmod("i", 02775);
  mkdir("i/j", 0777);
  show("i/g", ACCESS);
  show("i/h", ACCESS), show("i/h", DEFAULT);
  show("i/j", ACCESS), show("i/j", DEFAULT);
  link("i/f", "i/l");
  rename("i/f", "f2");
  show("f2", ACCESS);
  show("i/l", ACCESS);
  removexattr("i", DEFAULT);
  close(open("i/k", O_CREAT | O_RDWR, 0666));
  show("i/k", ACCESS);
}

// On a tmpfs of its own; where nothing may be mounted, as in a container, on what the scratch directory is on.
int main(void) {
  scratch();
  chmod(".", 0755);
  // Natively the mount must not reach the host; carrick has one name space of its own.
  if (unshare(CLONE_NEWNS) == 0) mount("none", "/", 0, MS_REC | MS_PRIVATE, 0);
  if (mount("tmpfs", scratch_path, "tmpfs", 0, "mode=755") == 0 && chdir(scratch_path)) return 1;
  umask(0);
  values();
  rights();
  inheritance();
  return 0;
}
