// Watches the places that are named and prints what happens there, until a file "end" comes up in the first one. Own changes are made when a file "own" does.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
  unsigned bit;
  const char *name;
} names[] = {{IN_MODIFY, "modify"}, {IN_ATTRIB, "attrib"}, {IN_CLOSE_WRITE, "close_write"}, {IN_MOVED_FROM, "from"}, {IN_MOVED_TO, "to"},
    {IN_CREATE, "create"}, {IN_DELETE, "delete"}, {IN_DELETE_SELF, "delete_self"}, {IN_IGNORED, "ignored"}, {IN_ISDIR, "dir"}};

static void make_own(const char *dir) {
  char path[4096];
  snprintf(path, sizeof path, "%s/mine", dir);
  int fd = open(path, O_CREAT | O_WRONLY, 0600);
  if (write(fd, "mine", 4) != 4) exit(3);
  close(fd);
  chmod(path, 0644);
}

int main(int argc, char **argv) {
  int in = inotify_init1(0);
  for (int i = 1; i < argc; i++)
    if (inotify_add_watch(in, argv[i], IN_ALL_EVENTS & ~(IN_OPEN | IN_ACCESS | IN_CLOSE_NOWRITE)) != i) return 1;
  puts("ready");
  fflush(stdout);
  char buf[65536] __attribute__((aligned(8)));
  unsigned cookie = 0;
  for (;;) {
    long n = read(in, buf, sizeof buf);
    if (n <= 0) return 2;
    for (char *p = buf; p < buf + n;) {
      struct inotify_event *e = (void *)p;
      p += sizeof *e + e->len;
      printf("%d", e->wd);
      for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (e->mask & names[i].bit) printf(" %s", names[i].name);
      if (e->mask & IN_MOVED_FROM) cookie = e->cookie;
      if (e->mask & IN_MOVED_TO) printf(" %s", e->cookie != 0 && e->cookie == cookie ? "of it" : "of nothing");
      printf(" '%s'\n", e->len ? e->name : "");
      fflush(stdout);
      if (e->len && !strcmp(e->name, "own") && e->mask & IN_CREATE) make_own(argv[1]);
      if (e->len && !strcmp(e->name, "end")) return 0;
    }
  }
}
