// native 5.15: the emulator shows its own areas.
// /proc/PID/smaps of a page before and after fork(2): whose it is and whether it was written.
#include "say.h"

static void show(const char *what, unsigned long addr) {
  FILE *f = fopen("/proc/self/smaps", "r");
  char line[512];
  int inside = 0;
  printf("%s:", what);
  while (fgets(line, sizeof line, f)) {
    unsigned long from, to;
    if (sscanf(line, "%lx-%lx", &from, &to) == 2) inside = addr >= from && addr < to;
    char name[64];
    int kb;
    if (!inside || sscanf(line, "%63[^:]: %d kB", name, &kb) != 2) continue;
    static const char *const wanted[] = {"Size", "Rss", "Shared_Clean", "Shared_Dirty", "Private_Clean", "Private_Dirty", "Anonymous"};
    for (int i = 0; i < 7; i++) if (strcmp(name, wanted[i]) == 0) printf(" %s %d", name, kb);
  }
  printf("\n");
  fclose(f);
}

int main(void) {
  setvbuf(stdout, 0, _IONBF, 0);
  // Pages that cannot be read keep the one between them an area of its own.
  char *p = mmap(0, 3 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mprotect(p + 4096, 4096, PROT_READ | PROT_WRITE);
  unsigned long addr = (unsigned long)p + 4096;
  show("fresh", addr);
  p[4096] = 1;
  show("written", addr);
  if (fork() == 0) {
    show("child", addr);
    p[4096] = 2;
    show("child wrote", addr);
    _exit(0);
  }
  wait(0);
  show("parent", addr);
  return 0;
}
