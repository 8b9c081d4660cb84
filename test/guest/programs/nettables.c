// native: the emulator's /proc is the host's, with other inode numbers.
// /proc/net: the rows of one's own sockets (proc_net(5)).
#include "say.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

// The row in `table` whose inode, the column `column`, is that of `fd`; cut into words.
static int row(const char *table, int fd, int column, char words[16][160], size_t *length) {
  struct stat st;
  if (fstat(fd, &st) < 0) return 0;
  char path[64], line[512];
  snprintf(path, sizeof path, "/proc/net/%s", table);
  FILE *f = fopen(path, "r");
  int found = 0;
  while (!found && fgets(line, sizeof line, f)) {
    *length = strlen(line);
    int n = 0;
    for (char *w = strtok(line, " \n"); w && n < 16; w = strtok(NULL, " \n")) snprintf(words[n++], 160, "%s", w);
    found = n > column && strtoul(words[column], NULL, 10) == st.st_ino;
    if (found) return fclose(f), n;
  }
  fclose(f);
  return 0;
}
static void internet(const char *what, const char *table, int fd, int port, int peer) {
  char words[16][160], local[16], remote[16];
  size_t length = 0;
  if (row(table, fd, 9, words, &length) == 0) {
    printf("%s: no row\n", what);
    return;
  }
  snprintf(local, sizeof local, ":%04X", port);
  snprintf(remote, sizeof remote, ":%04X", peer);
  char *l = strchr(words[1], ':'), *r = strchr(words[2], ':');
  printf("%s: port %d peer %d", what, strcmp(l, local) == 0, strcmp(r, remote) == 0);
  *l = *r = 0;
  printf(" %s %s state %s queues %s uid %d\n", words[1], words[2], words[3], words[4], atoi(words[7]) == (int)getuid());
  if (strchr(table, '6') == NULL) printf("length %d\n", (int)length);
}
static int port_of(int fd) {
  struct sockaddr_in6 a;
  socklen_t len = sizeof a;
  getsockname(fd, (void *)&a, &len);
  return ntohs(a.sin6_port);
}
static void local(const char *what, int fd) {
  char words[16][160];
  size_t length = 0;
  int n = row("unix", fd, 6, words, &length);
  if (n == 0) printf("%s: no row\n", what);
  else printf("%s: protocol %s flags %s type %s state %s name %s\n", what, words[2], words[3], words[4], words[5], n > 7 ? words[7] : "none");
}
int main(void) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int l = socket(AF_INET, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_STREAM, 0), u = socket(AF_INET, SOCK_DGRAM, 0);
  internet("nowhere", "tcp", c, 0, 0);
  bind(l, (void *)&a, sizeof a);
  listen(l, 5);
  a.sin_port = htons(port_of(l));
  connect(c, (void *)&a, sizeof a);
  int s = accept(l, NULL, NULL);
  say("write", write(c, "hello", 5));
  internet("listener", "tcp", l, port_of(l), 0);
  internet("client", "tcp", c, port_of(c), port_of(l));
  internet("server", "tcp", s, port_of(l), port_of(c));
  a.sin_port = 0;
  internet("no port", "udp", u, 0, 0);
  bind(u, (void *)&a, sizeof a);
  internet("bound", "udp", u, port_of(u), 0);
  struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
  int l6 = socket(AF_INET6, SOCK_STREAM, 0), u6 = socket(AF_INET6, SOCK_DGRAM, 0);
  bind(l6, (void *)&six, sizeof six);
  listen(l6, 5);
  bind(u6, (void *)&six, sizeof six);
  internet("listener", "tcp6", l6, port_of(l6), 0);
  internet("bound", "udp6", u6, port_of(u6), 0);
  struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0carrick-nettables"};
  int x = socket(AF_UNIX, SOCK_STREAM, 0), pair[2];
  local("unnamed", x);
  bind(x, (void *)&name, sizeof(sa_family_t) + 18);
  listen(x, 1);
  socketpair(AF_UNIX, SOCK_DGRAM, 0, pair);
  local("abstract", x);
  local("pair", pair[0]);
  int port = port_of(l), gone = dup(l);
  close(l);
  internet("one descriptor less", "tcp", gone, port, 0);
  return 0;
}
