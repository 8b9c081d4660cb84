// A loop of dependent double operations.
#include <stdio.h>
int main(void) {
  long total = 0;
  for (int y = 0; y < 160; y++)
    for (int x = 0; x < 160; x++) {
      double cr = x / 80.0 - 1.5, ci = y / 80.0 - 1, r = 0, i = 0;
      int n = 0;
      while (n < 200 && r * r + i * i < 4) { double t = r * r - i * i + cr; i = 2 * r * i + ci, r = t, n++; }
      total += n;
    }
  printf("%ld\n", total);
}
