// native: the emulator does not translate every filter.
// SO_ATTACH_FILTER (socket(7)): a program chooses which datagrams a socket receives.
#include "say.h"
#include <arpa/inet.h>
#include <linux/filter.h>
#include <sys/socket.h>
#include <time.h>

int main(void) {
  int in = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), out = socket(AF_INET, SOCK_DGRAM, 0);
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof a;
  bind(in, (void *)&a, sizeof a);
  getsockname(in, (void *)&a, &len);
  // The first byte behind the header of 8 bytes must be 'w'.
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 8),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 'w', 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0xffff),
      BPF_STMT(BPF_RET | BPF_K, 0),
  };
  struct sock_fprog program = {4, code}, empty = {0, code}, lost = {4, (void *)8};
  say("no instruction", setsockopt(in, SOL_SOCKET, SO_ATTACH_FILTER, &empty, sizeof empty));
  say("bad address", setsockopt(in, SOL_SOCKET, SO_ATTACH_FILTER, &lost, sizeof lost));
  say("short", setsockopt(in, SOL_SOCKET, SO_ATTACH_FILTER, &program, 8));
  say("attach", setsockopt(in, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program));
  sendto(out, "unwanted", 8, 0, (void *)&a, sizeof a);
  sendto(out, "wanted", 6, 0, (void *)&a, sizeof a);
  char text[32] = {0};
  struct timespec pause = {0, 1000000};
  long n = -1;
  for (int i = 0; i < 5000 && n < 0; i++) n = recv(in, text, sizeof text - 1, 0), nanosleep(&pause, 0);
  printf("received: %s\n", text);
  say("then", recv(in, text, sizeof text, 0));
  say("detach", setsockopt(in, SOL_SOCKET, SO_DETACH_FILTER, &len, sizeof len));
  sendto(out, "unwanted", 8, 0, (void *)&a, sizeof a);
  n = -1;
  for (int i = 0; i < 5000 && n < 0; i++) n = recv(in, text, sizeof text - 1, 0), nanosleep(&pause, 0);
  say("without", n);
  return 0;
}
