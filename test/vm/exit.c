// Ends the virtual machine with a status, by semihosting (SYS_EXIT_EXTENDED): `exit STATUS`.

#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
  unsigned long block[2] = {0x20026, argc > 1 ? strtoul(argv[1], NULL, 10) : 125};
  sync();
  register unsigned long operation asm("x0") = 0x20;
  register unsigned long *parameter asm("x1") = block;
  asm volatile("hlt #0xf000" : : "r"(operation), "r"(parameter) : "memory");
  return 1;
}
