// Records on the heap: fields read and written, strings copied and compared, small calls.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
struct record { struct record *next; int kind, value; char name[24]; union { int pair[2]; char text[16]; } data; };
static struct record *make(int i) {
  struct record *r = malloc(sizeof *r);
  r->next = 0, r->kind = i % 3, r->value = i;
  strcpy(r->name, i & 1 ? "some odd record" : "some even record");
  r->name[i % 15] = 'A' + i % 26;
  memset(&r->data, 0, sizeof r->data);
  return r;
}
static int step(struct record *r, const struct record *like) {
  switch (r->kind) {
    case 0: r->data.pair[0] += r->value, r->kind = 1; return strcmp(r->name, like->name) > 0;
    case 1: memcpy(r->data.text, like->name, 12), r->kind = 2; return r->data.text[3];
    default: r->value = r->value * 17 + like->value, r->kind = 0; return r->value & 7;
  }
}
int main(void) {
  struct record *list = 0;
  unsigned sum = 0;
  for (int i = 0; i < 500; i++) { struct record *r = make(i); r->next = list, list = r; }
  for (int round = 0; round < 40000; round++)
    for (struct record *r = list, *like = list->next; r; r = r->next) sum = sum * 3 + step(r, like), like = r;
  printf("%u\n", sum);
  return 0;
}
