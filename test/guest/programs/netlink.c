// native: the emulator does not translate all of these messages.
// rtnetlink(7): what there is to know of the loopback, which is the same with and without a network.
#include "say.h"
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sys/socket.h>

static struct {
  struct nlmsghdr head;
  union {
    struct ifinfomsg link;
    struct rtgenmsg any;
  };
} request;
static long ask(int fd, int type, int flags, int index, unsigned seq) {
  memset(&request, 0, sizeof request);
  request.head = (struct nlmsghdr){.nlmsg_len = sizeof request, .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags, .nlmsg_seq = seq};
  request.link.ifi_index = index;
  return send(fd, &request, sizeof request, 0);
}
static void answer(int fd, const char *what, int port) {
  static char b[32768];
  struct sockaddr_nl from = {.nl_pid = 77};
  socklen_t length = sizeof from;
  long whole = recv(fd, b, 4, MSG_PEEK | MSG_TRUNC);
  long n = recvfrom(fd, b, sizeof b, 0, (void *)&from, &length);
  struct nlmsghdr *h = (void *)b;
  printf("%s: whole %d type %d seq %u port %d from %d\n", what, whole == n, h->nlmsg_type, h->nlmsg_seq, (int)h->nlmsg_pid == port, from.nl_pid);
  if (h->nlmsg_type == NLMSG_ERROR) printf("%s\n", err_name(-((struct nlmsgerr *)NLMSG_DATA(h))->error));
  if (h->nlmsg_type != RTM_NEWLINK) return;
  struct ifinfomsg *i = NLMSG_DATA(h);
  printf("index %d type %d flags %x\n", i->ifi_index, i->ifi_type, i->ifi_flags);
}
int main(void) {
  struct ifaddrs *all, *a;
  say("getifaddrs", getifaddrs(&all));
  for (a = all; a; a = a->ifa_next) {
    if (strcmp(a->ifa_name, "lo") != 0 || !a->ifa_addr) continue;
    char address[64] = "", mask[64] = "";
    int v6 = a->ifa_addr->sa_family == AF_INET6;
    if (v6 || a->ifa_addr->sa_family == AF_INET) {
      inet_ntop(a->ifa_addr->sa_family, (char *)a->ifa_addr + (v6 ? 8 : 4), address, sizeof address);
      inet_ntop(a->ifa_addr->sa_family, (char *)a->ifa_netmask + (v6 ? 8 : 4), mask, sizeof mask);
    }
    printf("family %d flags %x address %s mask %s\n", a->ifa_addr->sa_family, a->ifa_flags, address, mask);
  }
  struct if_nameindex *names = if_nameindex();
  for (int i = 0; names && names[i].if_index; i++)
    if (names[i].if_index == 1) printf("first %s\n", names[i].if_name);
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  struct sockaddr_nl self = {.nl_family = AF_NETLINK};
  socklen_t length = sizeof self;
  say("bind", bind(fd, (void *)&self, sizeof self));
  say("name", getsockname(fd, (void *)&self, &length));
  printf("family %d length %d port %d\n", self.nl_family, (int)length, self.nl_pid != 0);
  struct pollfd p = {fd, POLLIN | POLLOUT, 0};
  poll(&p, 1, 0);
  printf("poll %x\n", p.revents);
  say("nothing", recv(fd, &request, 1, MSG_DONTWAIT));
  say("one", ask(fd, RTM_GETLINK, 0, 1, 5));
  poll(&p, 1, 0);
  printf("poll %x\n", p.revents);
  answer(fd, "one", self.nl_pid);
  say("none", ask(fd, RTM_GETLINK, 0, 123456, 6));
  answer(fd, "none", self.nl_pid);
  say("all", ask(fd, RTM_GETLINK, NLM_F_DUMP, 0, 7));
  answer(fd, "all", self.nl_pid);
  return 0;
}
