// Calls through pointers: an expression tree, each node with functions of its own.
#include <stdio.h>
#include <stdlib.h>
struct node;
struct class { long (*value)(const struct node *, long x); };
struct node { const struct class *class; const struct node *left, *right; long constant; };
static long value(const struct node *n, long x) { return n->class->value(n, x); }
static long variable(const struct node *n, long x) { (void)n; return x; }
static long constant(const struct node *n, long x) { (void)x; return n->constant; }
static long sum(const struct node *n, long x) { return value(n->left, x) + value(n->right, x); }
static long product(const struct node *n, long x) { return value(n->left, x) * value(n->right, x); }
static long minus(const struct node *n, long x) { return -value(n->left, x); }
static const struct class classes[] = { { variable }, { constant }, { sum }, { product }, { minus } };
static unsigned seed = 5;
static const struct node *grow(int depth) {
  struct node *n = calloc(1, sizeof *n);
  seed = seed * 1103515245 + 12345;
  int kind = depth == 0 ? (seed >> 16) % 2 : 2 + (seed >> 16) % 3;
  n->class = &classes[kind], n->constant = seed >> 20;
  if (kind >= 2) n->left = grow(depth - 1);
  if (kind == 2 || kind == 3) n->right = grow(depth - 1);
  return n;
}
int main(void) {
  const struct node *tree = grow(12);
  unsigned long total = 0;
  for (long x = 0; x < 12000; x++) total = total * 31 + (unsigned long)value(tree, x);
  printf("%lu\n", total);
  return 0;
}
