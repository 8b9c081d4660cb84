// native: the emulator's image has a name of its own.
#include "say.h"
#include <elf.h>
#include <sys/auxv.h>

// The vDSO as a loader sees it: what is one to ld.so is one to debuggers and sanitizers, by its name.
int main(void) {
  char *image = (char *)getauxval(AT_SYSINFO_EHDR);
  Elf64_Ehdr *header = (Elf64_Ehdr *)image;
  say("is ELF", memcmp(image, ELFMAG, SELFMAG) == 0);
  say("shared", header->e_type == ET_DYN);
  Elf64_Phdr *part = (Elf64_Phdr *)(image + header->e_phoff);
  Elf64_Dyn *dynamic = 0;
  int loaded = 0;
  for (int i = 0; i < header->e_phnum; i++) {
    if (part[i].p_type == PT_LOAD) loaded++;
    if (part[i].p_type == PT_DYNAMIC) dynamic = (Elf64_Dyn *)(image + part[i].p_vaddr);
  }
  say("loaded parts", loaded);
  const char *strings = 0;
  long name = -1;
  for (Elf64_Dyn *d = dynamic; d->d_tag != DT_NULL; d++) {
    if (d->d_tag == DT_STRTAB) strings = image + d->d_un.d_ptr;
    if (d->d_tag == DT_SONAME) name = d->d_un.d_val;
  }
  printf("name %s\n", name < 0 || strings == 0 ? "none" : strings + name);

  // what sanitizers take for their shadow memory
  void *shadow = (void *)0x1000000000;
  void *got = mmap(shadow, 1ul << 36, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
  say("room for shadow memory", got == shadow);
  return 0;
}
