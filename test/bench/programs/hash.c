// SHA-256 over a buffer: rotates, adds, logic.
#include <stdint.h>
#include <stdio.h>
static uint32_t k[64], state[8];
static uint32_t ror(uint32_t x, int n) { return x >> n | x << (32 - n); }
static void block(const uint8_t *p) {
  uint32_t w[64], s[8];
  for (int i = 0; i < 16; i++) w[i] = p[4 * i] << 24 | p[4 * i + 1] << 16 | p[4 * i + 2] << 8 | p[4 * i + 3];
  for (int i = 16; i < 64; i++)
    w[i] = w[i - 16] + w[i - 7] + (ror(w[i - 15], 7) ^ ror(w[i - 15], 18) ^ w[i - 15] >> 3) + (ror(w[i - 2], 17) ^ ror(w[i - 2], 19) ^ w[i - 2] >> 10);
  for (int i = 0; i < 8; i++) s[i] = state[i];
  for (int i = 0; i < 64; i++) {
    uint32_t t = s[7] + (ror(s[4], 6) ^ ror(s[4], 11) ^ ror(s[4], 25)) + ((s[4] & s[5]) ^ (~s[4] & s[6])) + k[i] + w[i];
    uint32_t u = (ror(s[0], 2) ^ ror(s[0], 13) ^ ror(s[0], 22)) + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
    for (int j = 7; j > 0; j--) s[j] = s[j - 1];
    s[4] += t;
    s[0] = t + u;
  }
  for (int i = 0; i < 8; i++) state[i] += s[i];
}
int main(void) {
  uint8_t data[64];
  for (int i = 0; i < 64; i++) k[i] = 0x9e3779b9u * (i + 1), data[i] = i;
  for (int i = 0; i < 60000; i++) data[i & 63] += i, block(data);
  for (int i = 0; i < 8; i++) printf("%08x", state[i]);
  puts("");
}
