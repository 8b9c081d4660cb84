# gcc compiles, links and runs programs, static and dynamic, with make in parallel.
exec 2>&1
cat > h.c <<'C'
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
static void *f(void *a) { return (char *)a + 1; }
int main(int c, char **v) {
  pthread_t t; void *r;
  pthread_create(&t, 0, f, (void *)41);
  pthread_join(t, &r);
  printf("r=%ld sqrt=%.6f\n", (long)r, sqrt(atof(v[1])));
  return c;
}
C
gcc -O1 -Wall -pthread h.c -o h -lm && ./h 2; echo $?
gcc -static -O2 -pthread h.c -o hs -lm && ./hs 3; echo $?
echo 'int main(void) { return undefined_name; }' > bad.c; gcc bad.c -o bad | head -2; gcc -c bad.c; echo $?
printf 'int twice(int x) { return 2 * x; }\n' > lib.c; gcc -shared -fPIC lib.c -o libtwice.so; printf 'int twice(int); int main(void) { return twice(21); }\n' > use.c; gcc use.c -L. -ltwice -Wl,-rpath,. -o use && ./use; echo $?
ar rcs libt.a h.o 2>/dev/null; gcc -S -O2 -o - lib.c | grep -c twice; size h | wc -l; nm hs | grep -c ' T main'; objdump -d --no-show-raw-insn libtwice.so | grep -c '<twice>:'
printf 'all: a b c\n%%: ; @sleep 0.1; echo built $@\nfail: ; false\n' > Makefile; make -s -j3 | sort; make -s fail; echo $?
