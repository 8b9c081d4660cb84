// native 6.18: the emulator runs programs of its own architecture only.
// ETXTBSY: programs that run cannot be written, files open for writing cannot be run (execve(2), open(2)).
#include "say.h"

static void copy(const char *from, const char *to) {
  static char b[65536];
  int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0755);
  for (long n; (n = read(in, b, sizeof b)) > 0;) if (write(out, b, n) != n) perror("copy");
  close(in), close(out);
}
static void run(const char *what, const char *path) {
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    execl(path, path, "child", (char *)0);
    _exit(errno);
  }
  int st;
  waitpid(child, &st, 0);
  if (WIFEXITED(st) && WEXITSTATUS(st) == 77) printf("%s: ran\n", what);
  else printf("%s: %s\n", what, err_name(WEXITSTATUS(st)));
}

int main(int argc, char **argv) {
  if (argc >= 2 && strcmp(argv[1], "child") == 0) return 77;
  scratch();
  copy("/proc/self/exe", "p");
  run("a copy", "./p");
  int w = open("p", O_WRONLY);
  run("open for writing", "./p");
  int r = open("p", O_RDONLY);
  close(w);
  run("open for reading", "./p");
  close(r);
  say("write oneself", open("/proc/self/exe", O_WRONLY));
  say("truncate oneself", truncate("/proc/self/exe", 0));
  say("open oneself with O_TRUNC", open("/proc/self/exe", O_RDONLY | O_TRUNC));
  ok("read oneself", open("/proc/self/exe", O_RDONLY));
  put("script", "#!/nowhere/at/all\n");
  chmod("script", 0755);
  w = open("script", O_RDWR);
  run("script open for writing", "./script");
  close(w);
  run("script without interpreter", "./script");
  put("s2", "#! ./p child\n");
  chmod("s2", 0755);
  w = open("p", O_RDWR);
  run("interpreter open for writing", "./s2");
  close(w);
  // while another process runs it
  int ready[2], go[2];
  pipe(ready), pipe(go);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    write(ready[1], "x", 1);
    char c;
    read(go[0], &c, 1);
    _exit(0);
  }
  char c;
  read(ready[0], &c, 1);
  say("write what a child runs", open(argv[0], O_RDWR));
  write(go[1], "x", 1);
  waitpid(child, 0, 0);
  unlink("p");
  copy("/proc/self/exe", "p");
  run("a fresh copy", "./p");
  int m = memfd_create("m", 0);
  static char b[65536];
  int in = open("p", O_RDONLY);
  for (long n; (n = read(in, b, sizeof b)) > 0;) write(m, b, n);
  char path[40];
  sprintf(path, "/proc/self/fd/%d", m);
  run("memfd that is open for writing", path);
  return 0;
}
