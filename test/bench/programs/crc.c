// CRC-32 and Adler-32 of a buffer: bits, then a table.
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
static uint32_t table[256];
static uint8_t data[65536];
static uint32_t crc(const uint8_t *p, size_t n) {
  uint32_t x = ~0u;
  while (n--) x = table[(x ^ *p++) & 255] ^ x >> 8;
  return ~x;
}
static uint32_t adler(const uint8_t *p, size_t n) {
  uint32_t a = 1, b = 0;
  for (; n; n--) a = (a + *p++) % 65521, b = (b + a) % 65521;
  return b << 16 | a;
}
int main(void) {
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t x = i;
    for (int k = 0; k < 8; k++) x = x & 1 ? x >> 1 ^ 0xedb88320 : x >> 1;
    table[i] = x;
  }
  uint32_t sum = 0;
  for (unsigned i = 0; i < sizeof data; i++) data[i] = (uint8_t)(i * i >> 5);
  for (int round = 0; round < 1500; round++) data[round] ^= 5, sum = sum * 31 + crc(data, sizeof data) + adler(data, sizeof data / 4);
  printf("%u\n", sum);
  return 0;
}
