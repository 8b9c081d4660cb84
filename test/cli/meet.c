// A server and a client that meet in UNIX sockets of a folder; either may run natively or as a guest (host-sockets.test.ts).
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct sockaddr_un un(const char *name) {
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  snprintf(a.sun_path, sizeof a.sun_path, "%s", name);
  return a;
}
static int must(const char *what, int r) {
  if (r < 0) { printf("%s: %s\n", what, strerror(errno)); fflush(stdout); exit(1); }
  return r;
}
static int bound(int type, const char *name) {
  int s = must("socket", socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  struct sockaddr_un a = un(name);
  must("bind", bind(s, (void *)&a, sizeof a));
  return s;
}
static int joined(int type, const char *name) {
  int s = must("socket", socket(AF_UNIX, type, 0));
  struct sockaddr_un a = un(name);
  must("connect", connect(s, (void *)&a, sizeof a));
  return s;
}
// Sends text, with a descriptor unless it is -1.
static int with_fd(int s, const char *text, int fd) {
  char control[CMSG_SPACE(sizeof fd)] = {0};
  struct iovec iov = {(void *)text, strlen(text)};
  struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};
  if (fd >= 0) {
    m.msg_control = control, m.msg_controllen = sizeof control;
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET, c->cmsg_type = SCM_RIGHTS, c->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
  }
  return sendmsg(s, &m, 0);
}
// Receives and tells: the text, and what is to be read from descriptors that came along.
static int heard(const char *who, int s, char text[100], struct sockaddr_un *from, socklen_t *len) {
  char control[256] = {0};
  memset(text, 0, 100);
  struct iovec iov = {text, 99};
  struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  if (from) m.msg_name = from, m.msg_namelen = sizeof *from;
  int n = recvmsg(s, &m, 0);
  if (n < 0) { printf("%s: %s\n", who, strerror(errno)); return n; }
  if (len) *len = m.msg_namelen;
  printf("%s: '%s'%s", who, text, m.msg_flags & MSG_TRUNC ? " cut" : "");
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
    if (c->cmsg_type != SCM_RIGHTS) continue;
    int fd;
    memcpy(&fd, CMSG_DATA(c), sizeof fd);
    char body[32] = {0};
    int got = read(fd, body, 31);
    printf(" with '%s'%s", got < 0 ? strerror(errno) : body, fcntl(fd, F_GETFD) & FD_CLOEXEC ? " cloexec" : "");
    close(fd);
  }
  printf("\n");
  return n;
}
static int opened(const char *path) { return must("open", open(path, O_RDONLY)); }

static void serve(void) {
  umask(027);
  int stream = bound(SOCK_STREAM, "stream"), packets = bound(SOCK_SEQPACKET, "packets"), grams = bound(SOCK_DGRAM, "grams");
  must("listen", listen(stream, 0));
  must("listen", listen(packets, 8));
  struct stat st;
  must("stat", stat("stream", &st));
  printf("stream is %o\n", st.st_mode);
  close(must("ready", open("ready", O_CREAT | O_WRONLY, 0600)));
  // More clients than the backlog holds must wait.
  usleep(200000);
  for (int over = 0; !over;) {
    struct pollfd p[] = {{stream, POLLIN}, {packets, POLLIN}, {grams, POLLIN}};
    must("poll", poll(p, 3, 20000)) == 0 ? exit(3) : 0;
    char text[100], answer[120];
    for (int i = 0; i < 2; i++) {
      if (!p[i].revents) continue;
      int c = must("accept", accept(p[i].fd, 0, 0));
      heard("server", c, text, 0, 0);
      snprintf(answer, sizeof answer, "re:%s", text);
      int fd = opened("note");
      must("answer", with_fd(c, answer, fd));
      close(fd);
      if (i == 1) heard("server", c, text, 0, 0);
      close(c);
    }
    if (p[2].revents) {
      struct sockaddr_un from;
      socklen_t len;
      heard("server", grams, text, &from, &len);
      snprintf(answer, sizeof answer, "re:%s", text);
      if (len > sizeof(sa_family_t)) must("sendto", sendto(grams, answer, strlen(answer), 0, (void *)&from, len));
      over = !strcmp(text, "quit");
    }
  }
}

static void ask(void) {
  char text[100];
  int s[3];
  // Waits until the server takes the first ones.
  for (int i = 0; i < 3; i++) {
    s[i] = joined(SOCK_STREAM, "stream");
    must("send", send(s[i], &"abc"[i], 1, 0));
  }
  for (int i = 0; i < 3; i++) {
    struct pollfd p = {s[i], POLLIN};
    must("poll", poll(&p, 1, 20000));
    int waiting = 0;
    must("FIONREAD", ioctl(s[i], FIONREAD, &waiting));
    printf("%d bytes\n", waiting);
    heard("client", s[i], text, 0, 0);
    heard("client", s[i], text, 0, 0);
    printf("sent to nobody: %d %s\n", (int)send(s[i], "x", 1, MSG_NOSIGNAL), strerror(errno));
    close(s[i]);
  }
  int q = joined(SOCK_SEQPACKET, "packets");
  int fd = opened("note");
  must("send", with_fd(q, "packet", fd));
  heard("client", q, text, 0, 0);
  must("shutdown", shutdown(q, SHUT_WR));
  close(q);
  struct sockaddr_un nobody = un("grams");
  printf("another type: %d %s\n", connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&nobody, sizeof nobody), strerror(errno));
  int g = bound(SOCK_DGRAM, "client");
  struct sockaddr_un to = un("grams");
  must("sendto", sendto(g, "one", 3, 0, (void *)&to, sizeof to));
  heard("client", g, text, 0, 0);
  must("connect", connect(g, (void *)&to, sizeof to));
  must("send", send(g, "quit", 4, 0));
  heard("client", g, text, 0, 0);
  nobody = un("note");
  printf("no socket: %d %s\n", connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&nobody, sizeof nobody), strerror(errno));
  nobody = un("stale");
  close(bound(SOCK_STREAM, "stale"));
  printf("nobody there: %d %s\n", connect(socket(AF_UNIX, SOCK_STREAM, 0), (void *)&nobody, sizeof nobody), strerror(errno));
}

static void tell(const char *name) {
  must("send", send(joined(SOCK_DGRAM, name), "quit", 4, 0));
}

int main(int argc, char **argv) {
  if (argc < 2) return 2;
  must("chdir", argc > 2 ? chdir(argv[2]) : 0);
  if (argv[1][0] == 's') serve();
  else if (argv[1][0] == 't') tell(argv[3]);
  else ask();
  return 0;
}
