// native 6.18: the emulator's events have another order.
// inotify(7): events of files and directories, masks, cookies, queue, errors.
#include "say.h"
#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>

static int in, wds[10];
static const char *bits(unsigned m) {
  static char t[200];
  static const struct { unsigned b; const char *n; } names[] = {
    {IN_ACCESS, "ACCESS"}, {IN_MODIFY, "MODIFY"}, {IN_ATTRIB, "ATTRIB"}, {IN_CLOSE_WRITE, "CLOSE_WRITE"}, {IN_CLOSE_NOWRITE, "CLOSE_NOWRITE"},
    {IN_OPEN, "OPEN"}, {IN_MOVED_FROM, "MOVED_FROM"}, {IN_MOVED_TO, "MOVED_TO"}, {IN_CREATE, "CREATE"}, {IN_DELETE, "DELETE"},
    {IN_DELETE_SELF, "DELETE_SELF"}, {IN_MOVE_SELF, "MOVE_SELF"}, {IN_UNMOUNT, "UNMOUNT"}, {IN_Q_OVERFLOW, "OVERFLOW"}, {IN_IGNORED, "IGNORED"}, {IN_ISDIR, "ISDIR"}};
  t[0] = 0;
  for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
    if (m & names[i].b) strcat(strcat(t, t[0] ? "|" : ""), names[i].n);
  return t;
}
static void events(const char *what) {
  char b[8192] __attribute__((aligned(8)));
  printf("%s:\n", what);
  unsigned cookie = 0;
  for (long n; (n = read(in, b, sizeof b)) > 0;)
    for (char *p = b; p < b + n;) {
      struct inotify_event *e = (void *)p;
      int w = -1;
      for (int i = 0; i < 10; i++) if (wds[i] == e->wd) w = i;
      printf("  %d %s", w, bits(e->mask));
      if (e->len) printf(" %s (%u)", e->name, e->len);
      if (e->cookie) printf(cookie == e->cookie ? " same cookie" : " cookie"), cookie = e->cookie;
      printf("\n");
      p += sizeof *e + e->len;
    }
}

int main(void) {
  scratch();
  in = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  mkdir("d", 0755);
  mkdir("other", 0755);
  put("f", "0123456789");
  wds[0] = inotify_add_watch(in, "d", IN_ALL_EVENTS);
  wds[1] = inotify_add_watch(in, "f", IN_ALL_EVENTS);
  say("first descriptors", wds[0]);
  say("second", wds[1]);
  events("nothing");
  put("d/a", "x");
  events("create and write");
  char b[100];
  int fd = open("f", O_RDWR);
  read(fd, b, 4);
  write(fd, "y", 1);
  ftruncate(fd, 3);
  fchmod(fd, 0600);
  close(fd);
  events("a file");
  mkdir("d/sub", 0755);
  rmdir("d/sub");
  events("a directory");
  rename("d/a", "d/b");
  rename("d/b", "other/b");
  rename("other/b", "d/c");
  events("renames");
  put("d/c", "again");
  events("truncated by open");
  put("d/over", "");
  rename("d/over", "d/c");
  events("rename over");
  link("d/c", "d/l");
  symlink("c", "d/s");
  unlink("d/l");
  chmod("d/c", 0600);
  utimensat(AT_FDCWD, "d/c", 0, 0);
  truncate("d/c", 0);
  events("links and attributes");
  unlink("f");
  events("a watched file is gone");
  say("rm_watch of the gone", inotify_rm_watch(in, wds[1]));
  put("held", "");
  wds[6] = inotify_add_watch(in, "held", IN_ALL_EVENTS);
  fd = open("held", O_RDWR);
  unlink("held");
  events("removed while open");
  close(fd);
  events("closed");
  wds[2] = inotify_add_watch(in, "other", IN_CREATE | IN_ONESHOT);
  put("other/1", "");
  put("other/2", "");
  events("one shot");
  wds[3] = inotify_add_watch(in, "other", IN_DELETE);
  say("same directory again", inotify_add_watch(in, "other", IN_CREATE | IN_MASK_ADD) == wds[3]);
  put("other/3", "");
  unlink("other/3");
  events("mask add");
  say("mask create", inotify_add_watch(in, "other", IN_CREATE | IN_MASK_CREATE));
  say("mask add and create", inotify_add_watch(in, "other", IN_CREATE | IN_MASK_CREATE | IN_MASK_ADD));
  say("only dir", inotify_add_watch(in, "d/c", IN_CREATE | IN_ONLYDIR));
  say("dont follow", (wds[4] = inotify_add_watch(in, "d/s", IN_ALL_EVENTS | IN_DONT_FOLLOW)) > 0);
  unlink("d/s");
  events("the link itself");
  say("missing", inotify_add_watch(in, "none", IN_CREATE));
  say("no bits", inotify_add_watch(in, "d", 0));
  say("bad fd", inotify_add_watch(99, "d", IN_CREATE));
  int p[2];
  pipe(p);
  say("not inotify", inotify_add_watch(p[0], "d", IN_CREATE));
  say("bad watch", inotify_rm_watch(in, 999));
  say("bad flags", inotify_init1(1));
  say("rm_watch", inotify_rm_watch(in, wds[3]));
  events("ignored");
  put("d/x", "");
  int n = 0;
  ioctl(in, FIONREAD, &n);
  say("FIONREAD", n);
  struct pollfd pf = {in, POLLIN, 0};
  say("poll", poll(&pf, 1, 0));
  say("small buffer", read(in, b, 8));
  say("too small for the name", read(in, b, 20));
  events("kept");
  // equal events in a row are merged
  fd = open("d/x", O_RDWR);
  for (int i = 0; i < 5; i++) write(fd, "x", 1);
  close(fd);
  events("merged");
  fd = open("d/x", O_RDWR);
  char *m = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  m[0] = 'm';
  munmap(m, 4096);
  close(fd);
  events("mmap");
  // excl unlink, removed directory
  wds[5] = inotify_add_watch(in, "other", IN_ALL_EVENTS | IN_EXCL_UNLINK);
  fd = open("other/1", O_RDWR);
  unlink("other/1");
  write(fd, "x", 1);
  close(fd);
  unlink("other/2");
  events("excl unlink");
  inotify_rm_watch(in, wds[5]);
  wds[7] = inotify_add_watch(in, "other", IN_ALL_EVENTS);
  put("other/4", "");
  fd = open("other/4", O_RDWR);
  unlink("other/4");
  write(fd, "x", 1);
  close(fd);
  events("without excl unlink");
  rmdir("other");
  events("removed directory");
  rename("d", "e");
  events("moved self");
  put("e/after", "");
  events("still watched");
  execl("/none", "none", (char *)0);
  // between processes
  fflush(stdout);
  if (fork() == 0) {
    put("e/child", "x");
    _exit(0);
  }
  wait(0);
  events("from a child");
  // overflow
  struct stat st;
  fstat(in, &st);
  // BRIEF: where each call costs a hundred times what it costs elsewhere.
  int many = getenv("BRIEF") ? 100 : 9000;
  for (int i = 0; i < many; i++) {
    close(open(i & 1 ? "e/after" : "e/child", O_RDONLY));
  }
  long total = 0, over = 0;
  static char big[1 << 20] __attribute__((aligned(8)));
  for (long k; (k = read(in, big, sizeof big)) > 0;)
    for (char *q = big; q < big + k;) {
      struct inotify_event *e = (void *)q;
      total++;
      if (e->mask & IN_Q_OVERFLOW) over += e->wd == -1 ? 1 : 100;
      q += sizeof *e + e->len;
    }
  printf("overflow %ld after %ld\n", over, total);
  return 0;
}
