// Bytes and shorts in vectors: blending, clamping, sums.
#include <stdint.h>
#include <stdio.h>
#define N 65536
static uint8_t a[N], b[N], c[N];
static int16_t s[N];
int main(void) {
  for (int i = 0; i < N; i++) a[i] = i * 7, b[i] = i * 13;
  unsigned total = 0;
  for (int round = 0; round < 100; round++) {
    for (int i = 0; i < N; i++) c[i] = (a[i] * 3 + b[i] + 2) >> 2;
    for (int i = 0; i < N; i++) { int t = s[i] + c[i] - 128; s[i] = t > 30000 ? 30000 : t < -30000 ? -30000 : t; }
    for (int i = 0; i < N; i++) total += c[i] ^ (uint8_t)s[i];
  }
  printf("%u\n", total);
}
