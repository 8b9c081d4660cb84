// native 5.15: the emulator translates options and control messages, and loses some.
// ip(7), tcp(7), udp(7) on the loopback: connections, datagrams, addresses, options, readiness, errors.
#include "say.h"
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static int events(int fd) {
  struct pollfd p = {fd, POLLIN | POLLOUT | POLLRDHUP, 0};
  poll(&p, 1, 0);
  return p.revents;
}
static int wait_for(int fd, int what) {
  struct pollfd p = {fd, what, 0};
  return poll(&p, 1, 5000);
}
static struct sockaddr_in at(int port) {
  return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}
static int port_of(int fd) {
  struct sockaddr_in a;
  socklen_t len = sizeof a;
  return getsockname(fd, (void *)&a, &len) < 0 ? -1 : ntohs(a.sin_port);
}
static int option(int fd, int level, int name) {
  int v = -1;
  socklen_t len = sizeof v;
  return getsockopt(fd, level, name, &v, &len) < 0 ? -errno : v;
}
static void set(const char *what, int fd, int level, int name, int v) {
  say(what, setsockopt(fd, level, name, &v, sizeof v));
}
static void tcp(void) {
  int l = socket(AF_INET, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_STREAM, 0);
  set("reuse", l, SOL_SOCKET, SO_REUSEADDR, 1);
  struct sockaddr_in a = at(0);
  say("bind", bind(l, (void *)&a, sizeof a));
  int port = port_of(l);
  printf("port %d\n", port > 0);
  say("listen", listen(l, 5));
  printf("accepting %d type %d domain %d protocol %d\n", option(l, SOL_SOCKET, SO_ACCEPTCONN), option(l, SOL_SOCKET, SO_TYPE),
         option(l, SOL_SOCKET, SO_DOMAIN), option(l, SOL_SOCKET, SO_PROTOCOL));
  printf("poll %x\n", events(l));
  a = at(port);
  say("connect", connect(c, (void *)&a, sizeof a));
  say("again", connect(c, (void *)&a, sizeof a) == -1);
  wait_for(l, POLLIN);
  struct sockaddr_in from;
  socklen_t len = sizeof from;
  int s = accept4(l, (void *)&from, &len, SOCK_CLOEXEC);
  ok("accept", s);
  printf("length %d family %d port %d cloexec %d\n", (int)len, from.sin_family, ntohs(from.sin_port) == port_of(c), fcntl(s, F_GETFD));
  struct stat st;
  fstat(s, &st);
  printf("mode %o\n", st.st_mode);
  set("nodelay", c, IPPROTO_TCP, TCP_NODELAY, 1);
  printf("nodelay %d keepalive %d\n", option(c, IPPROTO_TCP, TCP_NODELAY), option(c, SOL_SOCKET, SO_KEEPALIVE));
  set("sndbuf", c, SOL_SOCKET, SO_SNDBUF, 65536);
  printf("sndbuf %d\n", option(c, SOL_SOCKET, SO_SNDBUF));
  char b[100000] = {0};
  say("write", write(c, "request", 7));
  wait_for(s, POLLIN);
  say("peek", recv(s, b, 100, MSG_PEEK));
  int q;
  ioctl(s, FIONREAD, &q);
  printf("queued %d poll %x\n", q, events(s));
  say("read", read(s, b, 3));
  say("recvfrom", recvfrom(s, b, 100, 0, 0, 0));
  say("nothing", recv(s, b, 100, MSG_DONTWAIT));
  struct iovec v[2] = {{"vec", 3}, {"tor", 3}};
  say("writev", writev(s, v, 2));
  struct msghdr m = {.msg_iov = v, .msg_iovlen = 2};
  say("sendmsg", sendmsg(s, &m, 0));
  wait_for(c, POLLIN);
  usleep(1000);
  say("read", recv(c, b, 12, MSG_WAITALL));
  pid_t pid = fork();
  if (pid == 0) {
    long total = 0, n;
    while ((n = read(s, b, sizeof b)) > 0) total += n;
    _exit(total == 3000000 ? 9 : 1);
  }
  close(s);
  long total = 0;
  while (total < 3000000) total += write(c, b, sizeof b);
  printf("sent %ld\n", total);
  say("shut", shutdown(c, SHUT_WR));
  int status;
  waitpid(pid, &status, 0);
  printf("child %d\n", WEXITSTATUS(status));
  wait_for(c, POLLIN);
  say("end", read(c, b, 1));
  close(c);
  // not blocking
  c = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  int r = connect(c, (void *)&a, sizeof a);
  printf("nonblocking %d\n", r == 0 || errno == EINPROGRESS);
  wait_for(c, POLLOUT);
  printf("error %d\n", option(c, SOL_SOCKET, SO_ERROR));
  int ep = epoll_create1(0);
  struct epoll_event e = {EPOLLIN | EPOLLET, {.u32 = 5}};
  epoll_ctl(ep, EPOLL_CTL_ADD, l, &e);
  say("epoll", epoll_wait(ep, &e, 1, 5000));
  s = accept(l, 0, 0);
  say("edge", epoll_wait(ep, &e, 1, 0));
  // room that was there from the start is told once
  e = (struct epoll_event){EPOLLIN | EPOLLOUT | EPOLLET, {.u32 = 6}};
  epoll_ctl(ep, EPOLL_CTL_ADD, s, &e);
  say("room", epoll_wait(ep, &e, 1, 5000));
  printf("%x\n", e.events);
  say("no news", epoll_wait(ep, &e, 1, 50));
  write(c, "news", 4);
  say("news", epoll_wait(ep, &e, 1, 5000));
  printf("%x\n", e.events);
  close(s), close(l);
  // nobody listens
  c = socket(AF_INET, SOCK_STREAM, 0);
  say("refused", connect(c, (void *)&a, sizeof a) == -1 && errno == ECONNREFUSED);
  struct timeval tv = {0, 20000};
  int u = socket(AF_INET, SOCK_DGRAM, 0);
  a = at(0);
  bind(u, (void *)&a, sizeof a);
  setsockopt(u, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
  say("timeout", recv(u, b, 1, 0));
  len = sizeof tv;
  getsockopt(u, SOL_SOCKET, SO_RCVTIMEO, &tv, &len);
  printf("timeout %ld %ld %d\n", (long)tv.tv_sec, (long)tv.tv_usec, (int)len);
  signal(SIGPIPE, SIG_IGN);
  say("unconnected", send(c, "x", 1, 0));
  say("name", getpeername(c, (void *)&a, &len) == -1 && errno == ENOTCONN);
}
static void udp(void) {
  int a = socket(AF_INET, SOCK_DGRAM, 0), b = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in to = at(0), from;
  bind(a, (void *)&to, sizeof to);
  to = at(port_of(a));
  char t[70000] = {0};
  say("none", recv(b, t, 10, 0));
  say("send", sendto(b, "datagram", 8, 0, (void *)&to, sizeof to));
  say("empty", sendto(b, "", 0, 0, (void *)&to, sizeof to));
  socklen_t len = sizeof from;
  wait_for(a, POLLIN);
  say("cut", recvfrom(a, t, 4, MSG_TRUNC, (void *)&from, &len));
  printf("from %d length %d\n", ntohs(from.sin_port) == port_of(b), (int)len);
  say("empty", recv(a, t, 10, 0));
  say("answer", sendto(a, "answer", 6, 0, (void *)&from, len));
  say("connect", connect(b, (void *)&to, sizeof to));
  wait_for(b, POLLIN);
  say("recv", recv(b, t, 100, 0));
  say("too long", sendto(b, t, 70000, 0, 0, 0) == -1 && errno == EMSGSIZE);
  say("large", send(b, t, 60000, 0));
  wait_for(a, POLLIN);
  say("large", recv(a, t, sizeof t, 0));
  set("pktinfo", a, IPPROTO_IP, IP_PKTINFO, 1);
  send(b, "info", 4, 0);
  char control[200];
  struct iovec iov = {t, 100};
  struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control, .msg_name = &from, .msg_namelen = sizeof from};
  wait_for(a, POLLIN);
  say("recvmsg", recvmsg(a, &m, 0));
  struct cmsghdr *c = CMSG_FIRSTHDR(&m);
  printf("flags %x name %d control %d level %d type %d\n", m.msg_flags, (int)m.msg_namelen, (int)m.msg_controllen, c ? c->cmsg_level : -1, c ? c->cmsg_type : -1);
  close(a);
  send(b, "x", 1, 0);
  wait_for(b, POLLIN);
  say("refused", recv(b, t, 1, 0) == -1 && errno == ECONNREFUSED);
}
static void edge(const char *what, int ep, int timeout) {
  struct epoll_event e = {0, {0}};
  int n = epoll_wait(ep, &e, 1, timeout);
  printf("%s: %d %x\n", what, n, e.events);
}
// What a connection that is made at once means to edges: one, for whoever waits before it and for whoever comes later.
static void edges(void) {
  int l = socket(AF_INET, SOCK_STREAM, 0), early = epoll_create1(0), late = epoll_create1(0);
  struct sockaddr_in a = at(0);
  bind(l, (void *)&a, sizeof a);
  listen(l, 5);
  a = at(port_of(l));
  for (int i = 0; i < 2; i++) {
    int c = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct epoll_event e = {EPOLLIN | EPOLLOUT | EPOLLET, {0}};
    if (i == 0) {
      epoll_ctl(early, EPOLL_CTL_ADD, c, &e);
      // What a socket is before it is connected to anything is not the same everywhere.
      epoll_wait(early, &e, 1, 0);
      e = (struct epoll_event){EPOLLIN | EPOLLOUT | EPOLLET, {0}};
      edge("unconnected, again", early, 50);
    }
    say("begin", connect(c, (void *)&a, sizeof a) == -1 && errno == EINPROGRESS);
    wait_for(c, POLLOUT);
    epoll_ctl(late, EPOLL_CTL_ADD, c, &e);
    edge("late", late, 5000);
    edge("late, again", late, 50);
    if (i == 0) edge("early", early, 5000);
    if (i == 0) edge("early, again", early, 50);
    int s = accept(l, 0, 0);
    send(s, "x", 1, 0);
    edge("news", late, 5000);
    close(c);
    close(s);
  }
  close(l);
}
static void resolve(void) {
  struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST}, *r;
  printf("numeric %d\n", getaddrinfo("127.0.0.1", "80", &hints, &r));
  int s = socket(AF_INET6, SOCK_STREAM, 0);
  ok("ipv6", s);
  struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  say("bind", bind(s, (void *)&six, sizeof six));
  say("short", bind(s, (void *)&six, 4));
  say("v4 option", setsockopt(s, SOL_SOCKET, 9999, &six, 4) == -1);
  say("raw type", socket(AF_INET, 77, 0) == -1);
}
int main(void) {
  setvbuf(stdout, 0, _IOLBF, 0);
  tcp();
  udp();
  edges();
  resolve();
  return 0;
}
