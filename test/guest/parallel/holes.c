// Every second page of a long range goes: what a CPU has mapped for itself in one piece falls into very many, more than a host allows to a process.
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>

enum { PAGES = 140000, PAGE = 4096 };

int main(void) {
  uint8_t *at = mmap(NULL, (size_t)PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) return 1;
  for (int round = 0; round < 3; round++)
    for (uint64_t i = 0; i < PAGES; i++) at[i * PAGE]++;
  for (uint64_t i = 0; i < PAGES; i += 2)
    if (madvise(at + i * PAGE, PAGE, MADV_DONTNEED) != 0) return 2;
  uint64_t sum = 0, gone = 0;
  for (uint64_t i = 0; i < PAGES; i++) *(i % 2 ? &sum : &gone) += at[i * PAGE];
  printf("holes %s\n", sum == PAGES / 2 * (uint64_t)3 && gone == 0 ? "right" : "wrong");
  return 0;
}
