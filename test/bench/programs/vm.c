// An interpreter's loop: a switch on bytecodes.
#include <stdio.h>
enum { PUSH, ADD, SUB, DUP, JNZ, SWAP, HALT };
int main(void) {
  static const int code[] = {PUSH, 0, PUSH, 3000000, SWAP, PUSH, 3, ADD, SWAP, PUSH, 1, SUB, DUP, JNZ, 4, HALT};
  long stack[16], *sp = stack, t;
  for (const int *pc = code;;) switch (*pc++) {
    case PUSH: *++sp = *pc++; break;
    case ADD: sp--, *sp += sp[1]; break;
    case SUB: sp--, *sp -= sp[1]; break;
    case DUP: sp++, *sp = sp[-1]; break;
    case SWAP: t = *sp, *sp = sp[-1], sp[-1] = t; break;
    case JNZ: pc = *sp-- ? code + *pc : pc + 1; break;
    case HALT: printf("%ld\n", sp[-1]); return 0;
    }
}
