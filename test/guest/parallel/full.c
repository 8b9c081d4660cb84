// Thousands of functions of many lengths, each called once, whose accesses share a look-up that fails, because they lie in two pages: so a small code cache is emptied at every
// point of their translation. Argument: how many.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

typedef uint64_t (*function)(uint64_t, const uint64_t *);

int main(int argc, char **argv) {
  const int count = argc > 1 ? atoi(argv[1]) : 20000;
  uint32_t *code = mmap(NULL, (size_t)count * 512, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  uint64_t *two = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (code == MAP_FAILED || two == MAP_FAILED) return 2;
  const uint64_t *across = two + 508;
  two[508] = 3, two[516] = 4;
  uint64_t sum = 0, wanted = 0;
  for (int k = 0; k < count; k++) {
    uint32_t *at = code + k * 128, *p = at;
    *p++ = 0xf9400022; // ldr x2, [x1]
    *p++ = 0xf9402023; // ldr x3, [x1, #64]
    *p++ = 0x8b020000; // add x0, x0, x2
    *p++ = 0x8b030000; // add x0, x0, x3
    const int length = k % 7 == 0 ? 110 : k % 5;
    for (int i = 0; i < length; i++) *p++ = 0x91000400; // add x0, x0, #1
    *p++ = 0xd65f03c0; // ret
    __builtin___clear_cache((char *)at, (char *)p);
    sum += ((function)at)(k, across);
    wanted += (uint64_t)k + 7 + length;
  }
  printf("%s\n", sum == wanted ? "right" : "wrong");
  return 0;
}
