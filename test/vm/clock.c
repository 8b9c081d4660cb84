// Asks for the time again and again, which must not go back: by the vDSO, as C libraries do.
#include <stdio.h>
#include <sys/time.h>
#include <time.h>

int main(void) {
  struct timespec last = {0}, now;
  struct timeval day;
  int backwards = 0;
  for (int i = 0; i < 10000; i++) {
    if (clock_gettime(CLOCK_MONOTONIC, &now) || gettimeofday(&day, 0)) return 1;
    if (now.tv_sec < last.tv_sec || (now.tv_sec == last.tv_sec && now.tv_nsec < last.tv_nsec)) backwards++;
    last = now;
  }
  printf("backwards %d\n", backwards);
  return 0;
}
