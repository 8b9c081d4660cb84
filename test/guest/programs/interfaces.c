// native: the emulator does not know the commands on UNIX sockets.
// netdevice(7): interfaces asked for through sockets of every family, and the loopback as everybody has it.
#include "say.h"
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static struct ifreq named(const char *name) {
  struct ifreq r = {0};
  strcpy(r.ifr_name, name);
  return r;
}
static void ask(const char *family, int fd) {
  printf("%s\n", family);
  struct ifreq r = named("lo");
  say("index", ioctl(fd, SIOCGIFINDEX, &r));
  printf("%d\n", r.ifr_ifindex);
  r = (struct ifreq){.ifr_ifindex = 1};
  say("name", ioctl(fd, SIOCGIFNAME, &r));
  printf("%s\n", r.ifr_name);
  r = named("lo");
  say("flags", ioctl(fd, SIOCGIFFLAGS, &r));
  printf("%x\n", r.ifr_flags & 0xffff);
  r = named("lo");
  say("hardware", ioctl(fd, SIOCGIFHWADDR, &r));
  printf("%d\n", r.ifr_hwaddr.sa_family);
  r = named("lo");
  say("mtu", ioctl(fd, SIOCGIFMTU, &r));
  r = named("lo");
  say("address", ioctl(fd, SIOCGIFADDR, &r));
  r = named("nothing");
  say("unknown", ioctl(fd, SIOCGIFINDEX, &r));
  r = (struct ifreq){.ifr_ifindex = 0};
  say("no number", ioctl(fd, SIOCGIFNAME, &r));
  say("bad pointer", ioctl(fd, SIOCGIFINDEX, 1));
  struct ifreq all[64];
  struct ifconf conf = {.ifc_len = 0, .ifc_buf = NULL};
  say("how long", ioctl(fd, SIOCGIFCONF, &conf));
  int needed = conf.ifc_len;
  conf = (struct ifconf){.ifc_len = sizeof all, .ifc_req = all};
  say("configuration", ioctl(fd, SIOCGIFCONF, &conf));
  printf("whole %d same %d\n", conf.ifc_len % (int)sizeof *all, conf.ifc_len == needed);
  for (int i = 0; i < conf.ifc_len / (int)sizeof *all; i++) {
    struct sockaddr_in *a = (void *)&all[i].ifr_addr;
    if (strcmp(all[i].ifr_name, "lo") == 0) printf("lo %d %s\n", a->sin_family, inet_ntoa(a->sin_addr));
  }
  conf.ifc_len = sizeof *all - 1;
  say("no room", ioctl(fd, SIOCGIFCONF, &conf));
  printf("%d\n", conf.ifc_len);
}
int main(void) {
  printf("%u %u %s\n", if_nametoindex("lo"), if_nametoindex("nothing"), if_indextoname(1, (char[IF_NAMESIZE]){0}));
  ask("unix", socket(AF_UNIX, SOCK_DGRAM, 0));
  ask("inet", socket(AF_INET, SOCK_DGRAM, 0));
  ask("stream", socket(AF_INET, SOCK_STREAM, 0));
  return 0;
}
