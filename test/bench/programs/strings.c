// Text: tokenising, hashing, a chained hash table.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
struct node { struct node *next; int count; char word[12]; };
static struct node *table[4096];
int main(void) {
  unsigned seed = 7, total = 0;
  static char text[200000];
  for (unsigned i = 0; i < sizeof text - 1; i++) seed = seed * 1103515245 + 12345, text[i] = seed >> 16 & 7 ? 'a' + (seed >> 20 & 3) : ' ';
  for (int round = 0; round < 12; round++) {
    for (char *p = text; *p;) {
      char word[12];
      unsigned n = 0, hash = 5381;
      while (*p == ' ') p++;
      while (*p && *p != ' ') { if (n < 11) word[n++] = *p; hash = hash * 33 ^ *p++; }
      word[n] = 0;
      struct node **at = &table[hash & 4095];
      while (*at && strcmp((*at)->word, word)) at = &(*at)->next;
      if (!*at) *at = calloc(1, sizeof **at), strcpy((*at)->word, word);
      total += ++(*at)->count;
    }
  }
  printf("%u\n", total);
}
