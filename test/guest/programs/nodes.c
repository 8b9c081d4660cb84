// native 6.18, root: the emulator knows few of these calls, and some sandboxes refuse them.
// Memory policies where node 0 is all there is: set_mempolicy(2), get_mempolicy(2), mbind(2), migrate_pages(2), move_pages(2).
#include "say.h"
#include <linux/mempolicy.h>

static long set(int mode, unsigned long *mask, unsigned long bits) { return syscall(SYS_set_mempolicy, mode, mask, bits); }
static long get(int *mode, unsigned long *mask, unsigned long bits, void *at, unsigned long flags) {
  return syscall(SYS_get_mempolicy, mode, mask, bits, at, flags);
}
static long bind_(void *at, unsigned long length, int mode, unsigned long *mask, unsigned long bits, unsigned flags) {
  return syscall(SYS_mbind, at, length, mode, mask, bits, flags);
}
static void now(void) {
  int mode = -1;
  unsigned long mask[2] = {7, 7};
  long r = get(&mode, mask, 128, NULL, 0);
  printf("  %ld mode %x nodes %lx %lx\n", r, mode, mask[0], mask[1]);
}

int main(void) {
  unsigned long one = 1, none = 0, two = 2, both = 3;
  now();
  struct { const char *what; int mode; unsigned long *mask; unsigned long bits; } tries[] = {
      {"bind", MPOL_BIND, &one, 64},
      {"bind nothing", MPOL_BIND, &none, 64},
      {"bind no mask", MPOL_BIND, NULL, 0},
      {"bind a node that is none", MPOL_BIND, &two, 64},
      {"bind both", MPOL_BIND, &both, 64},
      {"interleave", MPOL_INTERLEAVE, &one, 64},
      {"static", MPOL_INTERLEAVE | MPOL_F_STATIC_NODES, &one, 64},
      {"both ways", MPOL_BIND | MPOL_F_STATIC_NODES | MPOL_F_RELATIVE_NODES, &one, 64},
      {"preferred", MPOL_PREFERRED, &one, 64},
      {"preferred nothing", MPOL_PREFERRED, NULL, 0},
      {"preferred nothing static", MPOL_PREFERRED | MPOL_F_STATIC_NODES, &none, 64},
      {"local", MPOL_LOCAL, NULL, 0},
      {"local with nodes", MPOL_LOCAL, &one, 64},
      {"no such mode", 99, &one, 64},
      {"default with nodes", MPOL_DEFAULT, &one, 64},
      {"bad mask", MPOL_BIND, (void *)8, 64},
      {"no bits", MPOL_BIND, &one, 0},
      {"one bit is none", MPOL_BIND, &one, 1},
      {"huge", MPOL_BIND, &one, 1ul << 40},
      {"bind", MPOL_BIND, &one, 64},
  };
  for (unsigned i = 0; i < sizeof tries / sizeof *tries; i++) {
    say(tries[i].what, set(tries[i].mode, tries[i].mask, tries[i].bits));
    now();
  }
  CHILD("child", now());
  int mode = -1;
  unsigned long mask = 0;
  say("allowed", get(&mode, &mask, 64, NULL, MPOL_F_MEMS_ALLOWED));
  printf("%d %lx\n", mode, mask);
  say("allowed and node", get(&mode, &mask, 64, NULL, MPOL_F_MEMS_ALLOWED | MPOL_F_NODE));
  say("node", get(&mode, NULL, 0, NULL, MPOL_F_NODE));
  say("no bits", get(&mode, &mask, 0, NULL, 0));
  say("no such flag", get(&mode, NULL, 0, NULL, 64));
  say("address without a flag", get(&mode, NULL, 0, &mask, 0));
  say("node of an address", get(&mode, NULL, 0, &mask, MPOL_F_NODE | MPOL_F_ADDR));
  printf("%d\n", mode);
  say("node of no address", get(&mode, NULL, 0, (void *)8, MPOL_F_NODE | MPOL_F_ADDR));
  say("bad mode", get((void *)8, NULL, 0, NULL, 0));
  say("default", set(MPOL_DEFAULT, NULL, 0));
  now();

  char *p = mmap(NULL, 5 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap(p + 4 * 4096, 4096);
  p[0] = p[4096] = 1;
  say("mbind", bind_(p, 4 * 4096, MPOL_BIND, &one, 64, MPOL_MF_MOVE | MPOL_MF_STRICT));
  say("mbind hole", bind_(p, 5 * 4096, MPOL_BIND, &one, 64, 0));
  say("mbind nothing", bind_(p, 0, MPOL_BIND, &one, 64, 0));
  say("mbind odd", bind_(p + 1, 4096, MPOL_BIND, &one, 64, 0));
  say("mbind flags", bind_(p, 4096, MPOL_BIND, &one, 64, 64));
  say("mbind mode", bind_(p, 4096, 99, &one, 64, 0));
  say("mbind other node", bind_(p, 4096, MPOL_BIND, &two, 64, 0));
  say("mbind default", bind_(p, 4 * 4096, MPOL_DEFAULT, NULL, 0, 0));

  // an area of its own, because carrick gives more than the page that is touched
  char *untouched = mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  void *pages[4] = {p, p + 4096, untouched, p + 4 * 4096};
  int status[4] = {9, 9, 9, 9}, nodes[4] = {0};
  say("move_pages asks", syscall(SYS_move_pages, 0, 4, pages, NULL, status, 0));
  printf("%d %d %d %d\n", status[0], status[1], status[2], status[3]);
  say("move_pages", syscall(SYS_move_pages, 0, 2, pages, nodes, status, MPOL_MF_MOVE));
  printf("%d %d\n", status[0], status[1]);
  nodes[0] = 3000;
  say("no such node", syscall(SYS_move_pages, 0, 1, pages, nodes, status, MPOL_MF_MOVE));
  say("flags", syscall(SYS_move_pages, 0, 1, pages, NULL, status, 64));
  say("nobody", syscall(SYS_move_pages, 0x7ffffff, 1, pages, NULL, status, 0));
  say("bad pages", syscall(SYS_move_pages, 0, 1, (void *)8, NULL, status, 0));
  say("bad status", syscall(SYS_move_pages, 0, 1, pages, NULL, (void *)8, 0));
  say("migrate_pages", syscall(SYS_migrate_pages, 0, 64, &one, &one));
  say("migrate to nothing", syscall(SYS_migrate_pages, 0, 64, &one, &none));
  say("migrate nobody", syscall(SYS_migrate_pages, 0x7ffffff, 64, &one, &one));
  return 0;
}
