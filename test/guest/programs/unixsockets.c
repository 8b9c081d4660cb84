// native 5.15: the emulator's socket options and control messages lose details.
// unix(7), socketpair(2): streams, datagrams, packets, names, connections, control messages, shutdown, readiness.
#include "say.h"
#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

static int events(int fd) {
  struct pollfd p = {fd, POLLIN | POLLOUT | POLLRDHUP, 0};
  poll(&p, 1, 0);
  return p.revents;
}
static struct sockaddr_un un(const char *path, socklen_t *len) {
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  if (path[0] == '@') memcpy(a.sun_path + 1, path + 1, strlen(path) - 1);
  else strcpy(a.sun_path, path);
  *len = offsetof(struct sockaddr_un, sun_path) + strlen(path) + (path[0] != '@');
  return a;
}
static int do_bind(int fd, const char *path) {
  socklen_t len;
  struct sockaddr_un a = un(path, &len);
  return bind(fd, (void *)&a, len);
}
static int do_connect(int fd, const char *path) {
  socklen_t len;
  struct sockaddr_un a = un(path, &len);
  return connect(fd, (void *)&a, len);
}
static void show(const char *what, int fd, int peer) {
  struct sockaddr_un a = {0};
  socklen_t len = sizeof a;
  int r = peer ? getpeername(fd, (void *)&a, &len) : getsockname(fd, (void *)&a, &len);
  if (r < 0) { say(what, r); return; }
  printf("%s: family %d length %d ", what, a.sun_family, (int)len);
  if (len > 2 && a.sun_path[0] == 0) printf("@%.*s\n", (int)len - 3, a.sun_path + 1);
  else printf("%s\n", len > 2 ? a.sun_path : "-");
}
static long send_fds(int s, const int *fds, int n, const char *text) {
  char control[CMSG_SPACE(sizeof(int) * 16)] = {0};
  struct iovec iov = {(void *)text, strlen(text)};
  struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(sizeof(int) * n)};
  struct cmsghdr *c = CMSG_FIRSTHDR(&m);
  c->cmsg_level = SOL_SOCKET, c->cmsg_type = SCM_RIGHTS, c->cmsg_len = CMSG_LEN(sizeof(int) * n);
  memcpy(CMSG_DATA(c), fds, sizeof(int) * n);
  return sendmsg(s, &m, 0);
}
// Receives and tells what came; the first descriptor received, or -1.
static int receive(const char *what, int s, size_t size, size_t room, int flags) {
  char text[256] = {0}, control[256] = {0};
  struct iovec iov = {text, size};
  struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = room ? control : 0, .msg_controllen = room};
  long n = recvmsg(s, &m, flags | MSG_DONTWAIT);
  int first = -1;
  if (n < 0) { say(what, n); return -1; }
  printf("%s: %ld '%s' flags %x control %d", what, n, text, m.msg_flags, (int)m.msg_controllen);
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
    if (c->cmsg_type == SCM_RIGHTS) {
      int count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      printf(" rights %d", count);
      for (int i = 0; i < count; i++) {
        int fd;
        memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
        printf(" (cloexec %d)", fcntl(fd, F_GETFD));
        if (first < 0) first = fd; else close(fd);
      }
    } else if (c->cmsg_type == SCM_CREDENTIALS) {
      struct ucred u;
      memcpy(&u, CMSG_DATA(c), sizeof u);
      printf(" credentials %d %d %d", u.pid == getpid(), u.uid == getuid(), u.gid == getgid());
    }
  }
  printf("\n");
  return first;
}
// SO_PEERGROUPS of a peer that is this process itself.
static void show_groups(const char *what, int fd) {
  gid_t own[256], seen[256];
  int count = getgroups(256, own);
  socklen_t none = 0, len = sizeof seen;
  long r = getsockopt(fd, SOL_SOCKET, 59, seen, &none);
  int right = count > 0 ? r < 0 && errno == ERANGE : r == 0;
  r = getsockopt(fd, SOL_SOCKET, 59, seen, &len);
  if (r < 0) { say(what, r); return; }
  printf("%s: no room %d count %d same %d\n", what, right, none == len && (int)len == count * 4, !memcmp(own, seen, len));
}
static int option(int fd, int name) {
  int v = -1;
  socklen_t len = sizeof v;
  return getsockopt(fd, SOL_SOCKET, name, &v, &len) < 0 ? -errno : v;
}
static void streams(void) {
  int s[2];
  char b[70000] = {0};
  say("pair", socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, s));
  printf("flags %x %x\n", fcntl(s[0], F_GETFL) & O_NONBLOCK, fcntl(s[0], F_GETFD));
  struct stat st;
  fstat(s[0], &st);
  printf("mode %o\n", st.st_mode);
  printf("poll %x\n", events(s[0]));
  say("empty", recv(s[0], b, 10, 0));
  say("write", write(s[0], "hello", 5));
  say("send", send(s[0], " world", 6, 0));
  int q = -1;
  ioctl(s[1], FIONREAD, &q);
  printf("queued %d poll %x\n", q, events(s[1]));
  say("peek", recv(s[1], b, 5, MSG_PEEK));
  say("peek more", recv(s[1], b, 20, MSG_PEEK));
  say("3", recv(s[1], b, 3, 0));
  say("rest", recv(s[1], b, 100, 0));
  printf("%.8s\n", b);
  say("trunc", recv(s[1], b, 1, MSG_TRUNC));
  say("oob", send(s[0], "x", 0, MSG_OOB) == -1 ? 0 : 1);
  say("lseek", lseek(s[0], 0, SEEK_SET));
  say("pread", pread(s[0], b, 1, 0));
  say("ftruncate", ftruncate(s[0], 0));
  say("mmap", mmap(0, 4096, PROT_READ, MAP_SHARED, s[0], 0) == MAP_FAILED ? -1 : 0);
  say("zero", send(s[0], b, 0, 0));
  long total = 0, n;
  while ((n = send(s[0], b, 4096, 0)) > 0) total += n;
  say("full", n);
  printf("more than 100 KiB: %d poll %x\n", total > 100000, events(s[0]));
  while (recv(s[1], b, sizeof b, 0) > 0) {}
  printf("drained poll %x\n", events(s[0]));
  total = 0;
  while ((n = write(s[0], b, 1)) > 0) total += n;
  printf("single bytes %ld\n", total);
  while (recv(s[1], b, sizeof b, 0) > 0) {}
  say("shut", shutdown(s[0], SHUT_WR));
  say("pipe", send(s[0], "x", 1, MSG_NOSIGNAL));
  say("end", recv(s[1], b, 1, 0));
  printf("poll %x %x\n", events(s[0]), events(s[1]));
  say("other way", send(s[1], "back", 4, 0));
  close(s[1]);
  say("rest after close", recv(s[0], b, 10, 0));
  say("end", recv(s[0], b, 10, 0));
  printf("poll %x\n", events(s[0]));
  close(s[0]);
  socketpair(AF_UNIX, SOCK_STREAM, 0, s);
  write(s[0], "unread", 6);
  close(s[1]);
  printf("poll %x error %d %d\n", events(s[0]), option(s[0], SO_ERROR) == ECONNRESET, option(s[0], SO_ERROR));
  close(s[0]);
  socketpair(AF_UNIX, SOCK_STREAM, 0, s);
  close(s[1]);
  signal(SIGPIPE, SIG_IGN);
  say("nobody", write(s[0], "x", 1));
  close(s[0]);
  say("bad type", socketpair(AF_UNIX, 77, 0, s));
  say("bad protocol", socketpair(AF_UNIX, SOCK_STREAM, 9, s));
  say("bad address", socketpair(AF_UNIX, SOCK_STREAM, 0, (int *)8));
  say("inet pair", socketpair(AF_INET, SOCK_STREAM, 0, s) == -1);
}
static void names(void) {
  int l = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0), b;
  show("unbound", l, 0);
  show("unconnected", l, 1);
  printf("poll %x\n", events(l));
  say("recv", recv(c, &b, 1, 0));
  say("send", send(c, &b, 1, MSG_NOSIGNAL));
  say("listen unbound", listen(l, 5));
  say("bind", do_bind(l, "sock"));
  show("bound", l, 0);
  struct stat st;
  say("stat", stat("sock", &st));
  printf("socket %d mode %o\n", S_ISSOCK(st.st_mode), st.st_mode & 0777);
  say("open", open("sock", O_RDWR));
  say("bind again", do_bind(c, "sock"));
  say("bind twice", do_bind(l, "other"));
  say("accept early", accept(l, 0, 0));
  say("connect early", do_connect(c, "sock"));
  say("connect nothing", do_connect(c, "nothing"));
  say("listen", listen(l, 1));
  printf("accepting %d poll %x\n", option(l, SO_ACCEPTCONN), events(l));
  say("connect", do_connect(c, "sock"));
  say("connect again", do_connect(c, "sock"));
  printf("poll %x %x\n", events(l), events(c));
  say("early write", write(c, "hi", 2));
  struct sockaddr_un a;
  socklen_t len = sizeof a;
  int s = accept(l, (void *)&a, &len);
  ok("accept", s);
  printf("peer length %d\n", (int)len);
  show("server", s, 0);
  show("client sees", c, 1);
  struct ucred u;
  len = sizeof u;
  getsockopt(s, SOL_SOCKET, SO_PEERCRED, &u, &len);
  printf("cred %d %d %d\n", u.pid == getpid(), u.uid == getuid(), u.gid == getgid());
  int owner = getpid(), seen = 0, nobody = 0x7ffffff0;
  say("FIOSETOWN", ioctl(s, FIOSETOWN, &owner));
  printf("F_GETOWN %d", fcntl(s, F_GETOWN) == getpid());
  owner = -getpgrp();
  long set = ioctl(s, SIOCSPGRP, &owner), got = ioctl(s, SIOCGPGRP, &seen);
  printf(" SIOCSPGRP %ld SIOCGPGRP %ld %d\n", set, got, seen == owner);
  say("FIOSETOWN nobody", ioctl(s, FIOSETOWN, &nobody));
  say("FIOSETOWN bad address", ioctl(s, FIOSETOWN, 8));
  say("FIOGETOWN bad address", ioctl(s, FIOGETOWN, 8));
  int ends[2];
  pipe(ends);
  say("FIOSETOWN of a pipe", ioctl(ends[0], FIOSETOWN, &owner));
  close(ends[0]), close(ends[1]);
  show_groups("peer's groups", s);
  show_groups("connector's groups", c);
  show_groups("nobody's groups", l);
  char text[10] = {0};
  say("read", read(s, text, 10));
  say("sendto connected", sendto(s, "x", 1, 0, (void *)&a, 3));
  fcntl(l, F_SETFL, O_NONBLOCK);
  say("nobody comes", accept(l, 0, 0));
  int k[4];
  for (int i = 0; i < 3; i++) k[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), say("queue", do_connect(k[i], "sock"));
  close(l);
  say("reset", read(k[0], text, 1));
  printf("poll %x\n", events(k[0]));
  k[3] = socket(AF_UNIX, SOCK_STREAM, 0);
  say("refused", do_connect(k[3], "sock"));
  say("unlink", unlink("sock"));
  int d = socket(AF_UNIX, SOCK_DGRAM, 0);
  do_bind(d, "dgram");
  say("wrong type", do_connect(k[3], "dgram"));
  int f = open("plain", O_CREAT | O_RDWR, 0600);
  say("no socket", do_connect(k[3], "plain"));
  say("not a socket", listen(f, 1));
  say("not open", listen(999, 1));
  // abstract names
  int x = socket(AF_UNIX, SOCK_STREAM, 0);
  say("abstract", do_bind(x, "@carrick-test"));
  show("abstract", x, 0);
  say("taken", do_bind(k[3], "@carrick-test"));
  listen(x, 3);
  say("connect", do_connect(k[3], "@carrick-test"));
  close(x);
  x = socket(AF_UNIX, SOCK_STREAM, 0);
  say("free again", do_bind(x, "@carrick-test"));
  struct sockaddr_un any = {.sun_family = AF_UNIX};
  int autob = socket(AF_UNIX, SOCK_STREAM, 0);
  say("autobind", bind(autob, (void *)&any, 2));
  len = sizeof any;
  getsockname(autob, (void *)&any, &len);
  printf("length %d abstract %d\n", (int)len, any.sun_path[0] == 0);
  any.sun_family = 77;
  say("family", bind(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&any, 20));
  say("short", bind(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&any, 1));
  say("long", bind(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&any, 200));
  say("family unknown", socket(45, SOCK_STREAM, 0) == -1 && errno == EAFNOSUPPORT);
  say("family bad", socket(9999, SOCK_STREAM, 0) == -1 && errno == EAFNOSUPPORT);
}
static void rights(void) {
  int s[2], p[2], q[2];
  socketpair(AF_UNIX, SOCK_STREAM, 0, s);
  pipe(p), pipe(q);
  int fds[2] = {p[1], q[1]};
  say("send 2", send_fds(s[0], fds, 2, "two"));
  close(p[1]), close(q[1]);
  int got = receive("receive", s[1], 100, 200, MSG_CMSG_CLOEXEC);
  say("use it", write(got, "via", 3));
  close(got);
  char b[10];
  say("arrived", read(p[0], b, 10));
  say("closed everywhere", read(p[0], b, 10));
  pipe(p);
  fds[0] = p[1];
  send(s[0], "plain", 5, 0);
  send_fds(s[0], fds, 1, "with");
  send(s[0], "after", 5, 0);
  close(p[1]);
  receive("not across", s[1], 100, 200, 0);
  close(receive("stops behind", s[1], 100, 200, 0));
  receive("after", s[1], 100, 200, 0);
  pipe(p);
  fds[0] = p[1];
  send_fds(s[0], fds, 1, "x");
  close(p[1]);
  receive("no room", s[1], 100, 0, 0);
  say("dropped", read(p[0], b, 1));
  pipe(p);
  fds[0] = p[1], fds[1] = p[1];
  send_fds(s[0], fds, 2, "x");
  close(receive("room for one", s[1], 100, CMSG_LEN(sizeof(int)), 0));
  fds[0] = 999;
  say("bad descriptor", send_fds(s[0], fds, 1, "x"));
  fds[0] = p[1];
  send_fds(s[0], fds, 1, "peek");
  close(receive("peek", s[1], 100, 200, MSG_PEEK));
  close(receive("really", s[1], 100, 200, 0));
  close(p[1]);
  say("all closed", read(p[0], b, 1));
  int on = 1;
  setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
  printf("passcred %d\n", option(s[1], SO_PASSCRED));
  write(s[0], "who", 3);
  receive("credentials", s[1], 100, 200, 0);
  // descriptors inside a socket that is closed
  pipe(p);
  fds[0] = p[1];
  send_fds(s[0], fds, 1, "lost");
  close(p[1]), close(s[1]);
  say("lost", read(p[0], b, 1));
}
static void datagrams(int type) {
  int s[2];
  char b[300000];
  memset(b, 'd', sizeof b);
  say("pair", socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, s));
  say("one", send(s[0], "first", 5, 0));
  say("two", send(s[0], "second", 6, 0));
  say("empty", send(s[0], "", 0, 0));
  int q = -1;
  ioctl(s[1], FIONREAD, &q);
  printf("next %d poll %x\n", q, events(s[1]));
  receive("cut", s[1], 3, 100, 0);
  receive("peek", s[1], 100, 100, MSG_PEEK);
  say("trunc", recv(s[1], b, 2, MSG_TRUNC));
  say("empty one", recv(s[1], b, 10, 0));
  say("none", recv(s[1], b, 10, 0));
  say("too large", send(s[0], b, sizeof b, 0));
  int n = 0;
  while (send(s[0], "x", 1, 0) == 1) n++;
  printf("many %d poll %x\n", n > 5, events(s[0]) & POLLOUT);
  while (recv(s[1], b, 10, 0) >= 0) {}
  printf("poll %x\n", events(s[0]));
  say("shut", shutdown(s[1], SHUT_RD));
  say("shut out", send(s[0], "x", 1, MSG_NOSIGNAL));
  printf("poll %x %x\n", events(s[0]), events(s[1]));
  say("shut in", recv(s[1], b, 1, 0) == 0 || errno == EAGAIN ? 0 : -1);
  close(s[1]);
  say("gone", send(s[0], "x", 1, MSG_NOSIGNAL));
  printf("poll %x\n", events(s[0]));
  close(s[0]);
}
static void named_datagrams(void) {
  int a = socket(AF_UNIX, SOCK_DGRAM, 0), b = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  char t[100];
  do_bind(b, "b");
  socklen_t len;
  struct sockaddr_un to = un("b", &len), from;
  say("to", sendto(a, "anonymous", 9, 0, (void *)&to, len));
  socklen_t flen = sizeof from;
  say("from", recvfrom(b, t, 100, 0, (void *)&from, &flen));
  printf("length %d\n", (int)flen);
  do_bind(a, "a");
  sendto(a, "named", 5, 0, (void *)&to, len);
  flen = sizeof from;
  recvfrom(b, t, 100, 0, (void *)&from, &flen);
  printf("length %d %s\n", (int)flen, from.sun_path);
  say("unconnected", send(a, "x", 1, 0));
  say("connect", do_connect(a, "b"));
  say("send", send(a, "x", 1, 0));
  show("peer", a, 1);
  int c = socket(AF_UNIX, SOCK_DGRAM, 0);
  do_bind(c, "c");
  say("b to c", do_connect(b, "c"));
  say("not yours", send(a, "x", 1, 0));
  struct sockaddr none = {.sa_family = AF_UNSPEC};
  say("disconnect", connect(b, &none, sizeof none));
  say("again", send(a, "x", 1, 0));
  close(b);
  say("refused", send(a, "x", 1, 0));
  say("then", send(a, "x", 1, 0));
  say("listen", listen(a, 1) == -1 && errno == EOPNOTSUPP);
  // ten wait, the eleventh has to
  int d = socket(AF_UNIX, SOCK_DGRAM, 0), e = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  do_bind(d, "d");
  do_connect(e, "d");
  int n = 0;
  while (send(e, "x", 1, 0) == 1) n++;
  printf("some %d poll %x\n", n > 0, events(e) & POLLOUT);
  recv(d, t, 1, 0);
  while (recv(d, t, 1, MSG_DONTWAIT) == 1) {}
  printf("poll %x\n", events(e) & POLLOUT);
  struct timeval tv = {0, 20000};
  setsockopt(d, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
  say("timeout", recv(d, t, 1, 0));
  say("timeout read", read(d, t, 1));
  struct mmsghdr mm[3] = {0};
  struct iovec iov[3];
  for (int i = 0; i < 3; i++) iov[i] = (struct iovec){t + i * 10, 3 + i}, mm[i].msg_hdr.msg_iov = &iov[i], mm[i].msg_hdr.msg_iovlen = 1;
  say("sendmmsg", sendmmsg(e, mm, 3, 0));
  say("recvmmsg", recvmmsg(d, mm, 3, MSG_WAITFORONE, 0));
  printf("%d %d %d\n", mm[0].msg_len, mm[1].msg_len, mm[2].msg_len);
}
static void waiting(void) {
  int s[2];
  char b[200000];
  memset(b, 'w', sizeof b);
  socketpair(AF_UNIX, SOCK_STREAM, 0, s);
  pid_t pid = fork();
  if (pid == 0) {
    close(s[0]);
    long total = 0, n;
    while ((n = read(s[1], b, 5000)) > 0) total += n;
    printf("child got %ld\n", total);
    fflush(stdout);
    _exit(total == 600000 ? 7 : 8);
  }
  close(s[1]);
  long total = 0;
  for (int i = 0; i < 3; i++) total += write(s[0], b, sizeof b);
  printf("wrote %ld\n", total);
  fflush(stdout);
  close(s[0]);
  int status;
  waitpid(pid, &status, 0);
  printf("child %d\n", WEXITSTATUS(status));
  socketpair(AF_UNIX, SOCK_STREAM, 0, s);
  if ((pid = fork()) == 0) {
    for (int i = 0; i < 5; i++) usleep(2000), write(s[1], "abcde", 5);
    _exit(0);
  }
  say("all", recv(s[0], b, 25, MSG_WAITALL));
  waitpid(pid, 0, 0);
  // accept and connect that wait
  int l = socket(AF_UNIX, SOCK_STREAM, 0);
  do_bind(l, "wait");
  listen(l, 0);
  if ((pid = fork()) == 0) {
    for (int i = 0; i < 3; i++) {
      int c = socket(AF_UNIX, SOCK_STREAM, 0);
      if (do_connect(c, "wait") != 0) _exit(1);
      write(c, "hi", 2);
      close(c);
    }
    _exit(0);
  }
  usleep(10000);
  for (int i = 0; i < 3; i++) {
    int c = accept4(l, 0, 0, SOCK_CLOEXEC);
    say("said", read(c, b, 10));
    say("end", read(c, b, 10));
    close(c);
  }
  waitpid(pid, &status, 0);
  printf("connector %d\n", WEXITSTATUS(status));
}
// Descriptors that read(2) does not tell of are closed.
static void untold(void) {
  int s[2], p[2];
  char b[4];
  socketpair(AF_UNIX, SOCK_STREAM, 0, s);
  pipe(p);
  send_fds(s[0], &p[1], 1, "x");
  close(p[1]);
  say("read", read(s[1], b, 4));
  fcntl(p[0], F_SETFL, O_NONBLOCK);
  say("end of the pipe", read(p[0], b, 4));
}
int main(void) {
  scratch();
  setvbuf(stdout, 0, _IOLBF, 0);
  streams();
  names();
  rights();
  printf("datagrams\n");
  datagrams(SOCK_DGRAM);
  printf("packets\n");
  datagrams(SOCK_SEQPACKET);
  named_datagrams();
  waiting();
  untold();
  return 0;
}
