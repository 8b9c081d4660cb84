// The shortest path: arguments, environment, standard streams, exit status.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
  printf("hello from %s\n", strrchr(argv[0], '/') ? "a path" : argv[0]);
  for (int i = 1; i < argc; i++) printf("arg %d: %s\n", i, argv[i]);
  printf("GREETING=%s\n", getenv("GREETING") ? getenv("GREETING") : "(unset)");
  fprintf(stderr, "and to stderr\n");
  return 7;
}
