// Start-up and exit, nothing else.
#include <stdio.h>
int main(void) { puts("hello"); }
