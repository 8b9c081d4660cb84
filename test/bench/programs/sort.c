// Sorting: compares, branches that do not predict, moves.
#include <stdio.h>
#include <stdlib.h>
static int compare(const void *a, const void *b) { return (*(unsigned *)a > *(unsigned *)b) - (*(unsigned *)a < *(unsigned *)b); }
static unsigned data[400000];
int main(void) {
  unsigned x = 1, sum = 0;
  for (int round = 0; round < 3; round++) {
    for (int i = 0; i < 400000; i++) data[i] = x = x * 1664525 + 1013904223;
    qsort(data, 400000, sizeof *data, compare);
    for (int i = 0; i < 400000; i += 1000) sum = sum * 31 + data[i];
  }
  printf("%u\n", sum);
}
