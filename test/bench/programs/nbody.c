// Scalar doubles: square roots, divisions, multiply-adds.
#include <math.h>
#include <stdio.h>
static double p[5][3] = {{0, 0, 0}, {4.8, -1.2, -0.1}, {8.3, 4.1, -0.4}, {12.9, -15.1, -0.2}, {15.4, -25.9, 0.2}};
static double v[5][3] = {{0, 0, 0}, {0.6, 2.8, -0.02}, {-1.0, 1.8, 0.008}, {1.1, 0.9, -0.01}, {0.97, 0.6, -0.03}}, m[5] = {39.5, 0.04, 0.01, 0.002, 0.002};
int main(void) {
  for (int step = 0; step < 60000; step++) {
    for (int i = 0; i < 5; i++)
      for (int j = i + 1; j < 5; j++) {
        double d[3], r = 0;
        for (int k = 0; k < 3; k++) d[k] = p[i][k] - p[j][k], r += d[k] * d[k];
        double f = 0.001 / (r * sqrt(r));
        for (int k = 0; k < 3; k++) v[i][k] -= d[k] * m[j] * f, v[j][k] += d[k] * m[i] * f;
      }
    for (int i = 0; i < 5; i++) for (int k = 0; k < 3; k++) p[i][k] += 0.001 * v[i][k];
  }
  printf("%.9f %.9f\n", p[0][0], p[1][1]);
}
