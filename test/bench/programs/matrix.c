// Matrices of integers: products, transposition, sums of rows.
#include <stdint.h>
#include <stdio.h>
#define N 96
static int32_t a[N][N], b[N][N];
static int64_t c[N][N];
int main(void) {
  for (int i = 0; i < N; i++) for (int j = 0; j < N; j++) a[i][j] = (i * 31 + j * 17) % 101 - 50, b[i][j] = (i * 13 + j * 7) % 89 - 40;
  for (int round = 0; round < 360; round++) {
    for (int i = 0; i < N; i++)
      for (int j = 0; j < N; j++) {
        int64_t sum = 0;
        for (int k = 0; k < N; k++) sum += (int64_t)a[i][k] * b[k][j];
        c[i][j] = sum;
      }
    for (int i = 0; i < N; i++) for (int j = 0; j < i; j++) { int32_t t = b[i][j]; b[i][j] = b[j][i], b[j][i] = t; }
    for (int i = 0; i < N; i++) for (int j = 0; j < N; j++) a[i][j] = (int32_t)(c[i][j] % 97);
  }
  int64_t total = 0;
  for (int i = 0; i < N; i++) for (int j = 0; j < N; j++) total = total * 7 + c[i][j];
  printf("%lld\n", (long long)total);
  return 0;
}
