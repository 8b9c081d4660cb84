// FPSR.QC: set by what saturates, not by what does not, and again after a program has cleared it; the same many times, so that it is translated.
#include <arm_neon.h>
#include <stdint.h>
#include <stdio.h>

static uint64_t fpsr(void) {
  uint64_t value;
  __asm__ volatile("mrs %0, fpsr" : "=r"(value));
  return value;
}
static void clear(void) { __asm__ volatile("msr fpsr, xzr"); }
static unsigned qc(void) { return fpsr() >> 27 & 1; }

static unsigned added, shifted, narrowed, multiplied, never;

__attribute__((noinline)) static void round_of(int16x8_t most, int16x8_t one, int16x8_t least) {
  int16x8_t x;
  clear();
  __asm__ volatile("sqadd %0.8h, %1.8h, %2.8h" : "=w"(x) : "w"(one), "w"(one));
  never += qc();
  __asm__ volatile("sqadd %0.8h, %1.8h, %2.8h" : "=w"(x) : "w"(most), "w"(one));
  added += qc();
  clear();
  __asm__ volatile("sqshl %0.8h, %1.8h, #1" : "=w"(x) : "w"(one));
  never += qc();
  __asm__ volatile("sqshl %0.8h, %1.8h, #1" : "=w"(x) : "w"(most));
  shifted += qc();
  clear();
  __asm__ volatile("sqxtun %0.8b, %1.8h" : "=w"(x) : "w"(one));
  never += qc();
  __asm__ volatile("sqxtun %0.8b, %1.8h" : "=w"(x) : "w"(least));
  narrowed += qc();
  clear();
  __asm__ volatile("sqrdmulh %0.8h, %1.8h, %2.8h" : "=w"(x) : "w"(most), "w"(most));
  never += qc();
  __asm__ volatile("sqrdmulh %0.8h, %1.8h, %2.8h" : "=w"(x) : "w"(least), "w"(least));
  multiplied += qc();
  __asm__ volatile("sqshl %0.8h, %1.8h, #1" : "=w"(x) : "w"(most));
}

int main(void) {
  for (int i = 0; i < 5000; i++) round_of(vdupq_n_s16(32767), vdupq_n_s16(1), vdupq_n_s16(-32768));
  printf("added %u, shifted %u, narrowed %u, multiplied %u, never %u\n", added, shifted, narrowed, multiplied, never);
  return 0;
}
