// native 6.18: device nodes of the host.
// /dev as programs use it: null, zero, full, random, urandom, fd, stdin, stdout, tty; their types, numbers, errors.
#include "say.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>

static void node(const char *path) {
  struct stat st;
  if (stat(path, &st)) { printf("%s: %s\n", path, err_name(errno)); return; }
  printf("%s: %o %d:%d\n", path, st.st_mode & S_IFMT, major(st.st_rdev), minor(st.st_rdev));
}
static void link_of(const char *path) {
  char b[200];
  ssize_t n = readlink(path, b, sizeof b - 1);
  b[n < 0 ? 0 : n] = 0;
  printf("%s -> %s\n", path, b);
}

int main(void) {
  scratch();
  const char *nodes[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/ptmx"};
  for (unsigned i = 0; i < sizeof nodes / sizeof *nodes; i++) node(nodes[i]);
  link_of("/dev/fd");
  link_of("/dev/stdin");
  link_of("/dev/stdout");
  link_of("/dev/stderr");
  char b[100], z[100];
  memset(z, 7, sizeof z);
  int null = open("/dev/null", O_RDWR | O_TRUNC), zero = open("/dev/zero", O_RDWR), full = open("/dev/full", O_RDWR);
  say("null write", write(null, b, 100));
  say("null read", read(null, b, 100));
  say("null pread", pread(null, b, 100, 5));
  say("null pwrite", pwrite(null, b, 100, 5));
  say("null seek", lseek(null, 10, SEEK_SET));
  say("null ftruncate", ftruncate(null, 0));
  say("null mmap", mmap(0, 4096, PROT_READ, MAP_PRIVATE, null, 0) == MAP_FAILED ? errno == ENODEV : 0);
  say("zero read", read(zero, z, 100));
  int sum = 0;
  for (int i = 0; i < 100; i++) sum += z[i];
  say("sum", sum);
  say("zero write", write(zero, b, 100));
  char *m = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, zero, 0);
  m[5000] = 3;
  printf("zero mapping %d %d\n", m[0], m[5000]);
  m = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, zero, 0);
  CHILD("zero shared", m[0] = 9);
  printf("shared with the child %d\n", m[0]);
  char *m2 = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, zero, 0);
  printf("another mapping is apart %d\n", m2[0]);
  say("full write", write(full, b, 1));
  say("full pwrite", pwrite(full, b, 1, 0));
  say("full read", read(full, z, 10));
  int r = open("/dev/random", O_RDWR), u = open("/dev/urandom", O_RDONLY);
  memset(b, 0, sizeof b), memset(z, 0, sizeof z);
  say("random", read(r, b, 100));
  say("urandom", read(u, z, 100));
  printf("different %d\n", memcmp(b, z, 100) != 0);
  static char big[70000];
  say("urandom much", read(u, big, sizeof big));
  int bits = 0;
  say("RNDGETENTCNT", ioctl(r, 0x80045200, &bits));
  say("entropy", bits > 0);
  say("write random", write(r, "x", 1));
  struct pollfd pf[4] = {{null, POLLIN | POLLOUT}, {zero, POLLIN | POLLOUT}, {full, POLLIN | POLLOUT}, {r, POLLIN | POLLOUT}};
  say("poll", poll(pf, 4, 0));
  printf("%x %x %x %x\n", pf[0].revents, pf[1].revents, pf[2].revents, pf[3].revents);
  // descriptors by name
  put("file", "content");
  int f = open("file", O_RDONLY);
  read(f, b, 3);
  char path[40];
  sprintf(path, "/dev/fd/%d", f);
  int again = open(path, O_RDONLY);
  say("a file through /dev/fd starts anew", read(again, b, 100));
  say("for writing too", open(path, O_RDWR) >= 0);
  int p[2];
  pipe(p);
  sprintf(path, "/dev/fd/%d", p[1]);
  int w = open(path, O_WRONLY);
  write(w, "through", 7);
  say("a pipe through /dev/fd", read(p[0], b, 100));
  say("missing", open("/dev/fd/99", O_RDONLY));
  say("not a number", open("/dev/fd/x", O_RDONLY));
  dup2(p[0], 0);
  write(p[1], "stdin", 5);
  int in = open("/dev/stdin", O_RDONLY);
  say("/dev/stdin", read(in, b, 100));
  int out = open("/dev/stdout", O_WRONLY | O_APPEND);
  say("/dev/stdout opens", out >= 0);
  say("/dev/tty without a terminal", (setsid(), open("/dev/tty", O_RDWR)));
  say("create in /dev/shm", (f = open("/dev/shm/carrick-guest-test", O_RDWR | O_CREAT | O_EXCL, 0600)) >= 0);
  say("write there", write(f, "shm", 3));
  say("unlink there", unlink("/dev/shm/carrick-guest-test"));
  say("O_DIRECTORY null", open("/dev/null", O_RDONLY | O_DIRECTORY));
  say("null with O_EXCL", open("/dev/null", O_RDWR | O_CREAT | O_EXCL, 0600));
  say("null with O_CREAT", open("/dev/null", O_RDWR | O_CREAT, 0600) >= 0);
  return 0;
}
