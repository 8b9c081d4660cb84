// NEON kernels: dot products and scaled sums of floats, blending of bytes, sums of 16-bit products.
#include <arm_neon.h>
#include <stdio.h>
#define N 4096
static float x[N], y[N];
static uint8_t p[N], q[N];
static int16_t s[N];
static float dot(void) {
  float32x4_t sum = vdupq_n_f32(0);
  for (int i = 0; i < N; i += 4) sum = vfmaq_f32(sum, vld1q_f32(x + i), vld1q_f32(y + i));
  return vaddvq_f32(sum);
}
static void scaled(float k) { for (int i = 0; i < N; i += 4) vst1q_f32(y + i, vmlaq_n_f32(vld1q_f32(y + i), vld1q_f32(x + i), k)); }
static void blend(void) {
  for (int i = 0; i < N; i += 16) {
    uint8x16_t a = vld1q_u8(p + i), b = vld1q_u8(q + i), m = vcgtq_u8(a, b);
    vst1q_u8(q + i, vbslq_u8(m, vsubq_u8(a, b), vaddq_u8(vshrq_n_u8(a, 1), vshrq_n_u8(b, 1))));
  }
}
static int products(void) {
  int32x4_t sum = vdupq_n_s32(0);
  for (int i = 0; i < N; i += 8) { int16x8_t v = vld1q_s16(s + i); sum = vmlal_s16(sum, vget_low_s16(v), vget_high_s16(v)); }
  return vaddvq_s32(sum);
}
int main(void) {
  for (int i = 0; i < N; i++) x[i] = (float)(i % 17) * 0.25f, y[i] = (float)(i % 13), p[i] = (uint8_t)(i * 7), q[i] = (uint8_t)(i * 11), s[i] = (int16_t)(i * 5 % 251 - 120);
  float f = 0;
  unsigned total = 0;
  for (int round = 0; round < 3000; round++) {
    scaled(round & 1 ? 0.5f : -0.5f), f += dot() * 1e-6f, blend();
    total = total * 3 + (unsigned)products() + q[round];
    s[round] ^= 3;
  }
  printf("%.3f %u\n", (double)f, total);
  return 0;
}
