// native 6.18: the emulator lacks renameat2 flags and forwards the host's names.
// link(2), symlink(2), readlink(2), rename(2), renameat2(2), unlink(2), rmdir(2), mkdir(2), mknod(2): effects and errors.
#include "say.h"
#include <sys/sysmacros.h>

static void show(const char *path) {
  struct stat st;
  if (lstat(path, &st)) printf("  %s: %s\n", path, err_name(errno));
  else printf("  %s: %o links %d size %ld\n", path, st.st_mode, (int)st.st_nlink, S_ISDIR(st.st_mode) ? 0 : (long)st.st_size);
}
static long rn2(const char *a, const char *b, unsigned f) { return syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, f); }
static long mkn(const char *a, mode_t m, dev_t d) { return syscall(SYS_mknodat, AT_FDCWD, a, m, (unsigned)d); }

int main(void) {
  scratch();
  umask(022);
  put("f", "text");
  mkdir("d", 0755);
  put("d/in", "i");
  symlink("f", "s");
  symlink("d", "sd");
  symlink("none", "dangling");
  symlink("loop", "loop");

  // link
  say("link", link("f", "f2"));
  show("f");
  say("link existing", link("f", "f2"));
  say("link to itself", link("f", "f"));
  say("link missing", link("none", "x"));
  say("link directory", link("d", "x"));
  say("link over directory", link("f", "d"));
  say("link of a symlink", link("s", "s2"));
  show("s2");
  say("linkat follow", linkat(AT_FDCWD, "s", AT_FDCWD, "s3", AT_SYMLINK_FOLLOW));
  show("s3");
  say("linkat bad flags", linkat(AT_FDCWD, "f", AT_FDCWD, "x", 1));
  say("link across file systems", link("/proc/version", "x"));
  say("link with slash", link("f", "x/"));
  say("link source slash", link("f/", "x"));
  say("link dir slash", link("d/", "x"));
  say("linkat empty path", linkat(open("f", O_RDONLY), "", AT_FDCWD, "viafd", AT_EMPTY_PATH));
  show("viafd");
  say("linkat empty path cwd", linkat(AT_FDCWD, "", AT_FDCWD, "viafd2", AT_EMPTY_PATH));
  say("link dangling follow", linkat(AT_FDCWD, "dangling", AT_FDCWD, "x", AT_SYMLINK_FOLLOW));
  say("link into missing", link("f", "none/x"));
  say("link into file", link("f", "f2/x"));

  // symlink, readlink
  char b[300];
  say("symlink existing", symlink("a", "f"));
  say("symlink existing dangling", symlink("a", "dangling"));
  say("symlink empty target", symlink("", "x"));
  say("symlink slash", symlink("a", "x/"));
  say("symlink over slash dir", symlink("a", "d/"));
  say("symlink missing dir", symlink("a", "none/x"));
  memset(b, 'n', 256), b[256] = 0;
  say("symlink long name", symlink("a", b));
  static char lt[5000];
  memset(lt, 't', 4095);
  say("symlink target 4095", symlink(lt, "longtarget"));
  lt[4095] = 't';
  say("symlink target 4096", symlink(lt, "longtarget2"));
  say("readlink", readlink("s", b, sizeof b));
  say("readlink short", readlink("dangling", b, 2));
  printf("%.2s\n", b);
  say("readlink 0", syscall(SYS_readlinkat, AT_FDCWD, "s", b, 0l));
  say("readlink negative", syscall(SYS_readlinkat, AT_FDCWD, "s", b, -1l));
  say("readlink file", readlink("f", b, sizeof b));
  say("readlink dir", readlink("d", b, sizeof b));
  say("readlink missing", readlink("none", b, sizeof b));
  say("readlink slash", readlink("s/", b, sizeof b));
  say("readlink dir slash", readlink("sd/", b, sizeof b));
  say("readlink loop", readlink("loop", b, sizeof b));
  say("readlink through loop", readlink("loop/x", b, sizeof b));
  say("readlink bad buffer", syscall(SYS_readlinkat, AT_FDCWD, "s", (void *)8, 10l));
  say("readlinkat fd of a file", readlinkat(open("f", O_RDONLY), "", b, sizeof b));
  say("readlinkat empty cwd", readlinkat(AT_FDCWD, "", b, sizeof b));
  // a chain of 40 links works, 41 do not
  symlink("f", "c0");
  for (int i = 1; i <= 41; i++) {
    char n[16], t[16];
    sprintf(n, "c%d", i), sprintf(t, "c%d", i - 1);
    symlink(t, n);
  }
  struct stat st;
  say("39 more links", stat("c39", &st));
  say("40 more links", stat("c40", &st));

  // unlink, rmdir
  say("unlink dir", unlink("d"));
  say("unlink missing", unlink("none"));
  say("unlink slash", unlink("f2/"));
  say("unlink symlink slash", unlink("sd/"));
  say("unlink dangling", unlink("dangling"));
  say("unlink .", unlink("."));
  say("unlink ..", unlink(".."));
  say("unlink /", unlink("/"));
  say("unlink empty", unlink(""));
  say("rmdir file", rmdir("f"));
  say("rmdir not empty", rmdir("d"));
  say("rmdir missing", rmdir("none"));
  say("rmdir symlink", rmdir("sd"));
  say("rmdir symlink slash", rmdir("sd/"));
  say("rmdir .", rmdir("."));
  say("rmdir d/.", rmdir("d/."));
  say("rmdir d/..", rmdir("d/.."));
  say("rmdir /", rmdir("/"));
  say("unlinkat bad flags", unlinkat(AT_FDCWD, "f", 1));
  say("unlinkat AT_REMOVEDIR file", unlinkat(AT_FDCWD, "f", AT_REMOVEDIR));
  say("mkdir", mkdir("e", 0777));
  show("e");
  say("mkdir existing", mkdir("e", 0777));
  say("mkdir over file", mkdir("f", 0777));
  say("mkdir over dangling", (symlink("none", "dl"), mkdir("dl", 0777)));
  say("mkdir slash", mkdir("e2///", 0700));
  say("mkdir .", mkdir(".", 0700));
  say("mkdir /", mkdir("/", 0700));
  say("mkdir missing", mkdir("none/x", 0700));
  say("mkdir in file", mkdir("f/x", 0700));
  say("mkdir mode bits", mkdir("e3", 07777));
  show("e3");
  say("mkdir empty", mkdir("", 0700));
  say("rmdir e2/", rmdir("e2/"));

  // unlinked while open, removed while current
  int fd = open("f2", O_RDWR);
  say("unlink open", unlink("f2"));
  say("write to it", write(fd, "more text", 9));
  fstat(fd, &st);
  printf("links %d size %ld\n", (int)st.st_nlink, (long)st.st_size);
  fd = open("only", O_RDWR | O_CREAT, 0600);
  unlink("only");
  fstat(fd, &st);
  printf("links %d\n", (int)st.st_nlink);
  char proc[64];
  sprintf(proc, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(proc, b, sizeof b - 1);
  b[n < 0 ? 0 : n] = 0;
  printf("%s\n", strrchr(b, '/'));
  say("linkat an unlinked file", linkat(AT_FDCWD, proc, AT_FDCWD, "back", AT_SYMLINK_FOLLOW));
  ok("reopen through proc", open(proc, O_RDWR));
  mkdir("cur", 0700);
  chdir("cur");
  say("rmdir current", rmdir("../cur"));
  ok("open . in removed", open(".", O_RDONLY));
  say("create in removed", open("x", O_RDWR | O_CREAT, 0600));
  say("mkdir in removed", mkdir("x", 0600));
  say("stat . in removed", stat(".", &st));
  printf("links %d\n", (int)st.st_nlink);
  say("stat .. in removed", stat("..", &st));
  say("getcwd in removed", syscall(SYS_getcwd, b, sizeof b));
  chdir("..");

  // O_PATH descriptors outlive the name
  put("named", "kept");
  fd = open("named", O_PATH);
  unlink("named");
  say("fstat of an unlinked O_PATH", fstat(fd, &st));
  printf("links %d size %ld\n", (int)st.st_nlink, (long)st.st_size);
  sprintf(proc, "/proc/self/fd/%d", fd);
  int again = open(proc, O_RDONLY);
  say("read through it", read(again, b, 10));
  symlink("f", "ln");
  fd = open("ln", O_PATH | O_NOFOLLOW);
  unlink("ln");
  say("readlinkat of a removed link", readlinkat(fd, "", b, sizeof b));
  mkdir("pd", 0700);
  fd = open("pd", O_PATH);
  rmdir("pd");
  say("fstat of a removed directory", fstat(fd, &st));
  say("openat in it", openat(fd, "x", O_RDWR | O_CREAT, 0600));

  // rename
  put("a", "aaa");
  put("b", "bb");
  say("rename", rename("a", "a2"));
  show("a");
  show("a2");
  say("rename over", rename("a2", "b"));
  show("b");
  say("rename to itself", rename("b", "b"));
  link("b", "b2");
  say("rename between links of one file", rename("b", "b2"));
  show("b");
  say("rename missing", rename("none", "x"));
  say("rename file over dir", rename("b", "e"));
  say("rename dir over file", rename("e", "b"));
  say("rename dir over non-empty", rename("e", "d"));
  say("rename dir over empty", rename("d", "e"));
  show("e/in");
  say("rename into own child", rename("e", "e/sub"));
  say("rename over own parent", rename("e/in", "e"));
  mkdir("e/sub", 0700);
  say("rename dir over its parent", rename("e/sub", "e"));
  say("rename .", rename(".", "x"));
  say("rename to .", rename("e", "."));
  say("rename e/..", rename("e/..", "x"));
  say("rename to e/..", rename("b", "e/.."));
  say("rename file slash", rename("b/", "x"));
  say("rename file to slash", rename("b", "x/"));
  say("rename dir to slash", rename("e", "x/"));
  say("rename dir slash", rename("x/", "e"));
  say("rename symlink", rename("s", "snew"));
  show("snew");
  say("rename symlink slash", rename("sd/", "sdnew"));
  say("rename across file systems", rename("b", "/dev/x"));
  say("rename over symlink to dir", rename("b2", "sd"));
  show("sd");
  say("rename empty", rename("", "x"));
  say("rename in removed", (mkdir("gone", 0700), chdir("gone"), rmdir("../gone"), rename("../b", "b")));
  chdir("..");
  put("one", "1");
  put("two", "22");
  mkdir("dd", 0755);
  put("dd/x", "x");
  say("noreplace existing", rn2("one", "two", 1));
  say("noreplace itself", rn2("one", "one", 1));
  say("noreplace new", rn2("one", "uno", 1));
  say("exchange", rn2("uno", "two", 2));
  show("uno");
  show("two");
  say("exchange file and dir", rn2("uno", "dd", 2));
  show("uno");
  show("uno/x");
  show("dd");
  say("exchange missing", rn2("uno", "none", 2));
  say("exchange missing source", rn2("none", "uno", 2));
  say("exchange with own child", rn2("uno", "uno/x", 2));
  say("exchange child with parent", rn2("uno/x", "uno", 2));
  say("exchange itself", rn2("two", "two", 2));
  say("both flags", rn2("two", "uno", 3));
  say("unknown flag", rn2("two", "uno", 8));
  say("noreplace on missing dir", rn2("two", "none/x", 1));

  // mknod
  say("mknod regular", mkn("nr", S_IFREG | 0644, 0));
  show("nr");
  say("mknod type 0", mkn("n0", 0644, 0));
  show("n0");
  say("mknod fifo", mkn("nf", S_IFIFO | 0600, 0));
  show("nf");
  say("mknod socket", mkn("ns", S_IFSOCK | 0600, 0));
  show("ns");
  say("mknod directory", mkn("nd", S_IFDIR | 0600, 0));
  say("mknod symlink", mkn("nl", S_IFLNK | 0600, 0));
  say("mknod bad type", mkn("nb", 0160000 | 0600, 0));
  say("mknod existing", mkn("nr", S_IFREG | 0644, 0));
  say("mknod slash", mkn("nr2/", S_IFREG | 0644, 0));
  say("mknod missing", mkn("none/x", S_IFREG | 0644, 0));
  ok("open socket", open("ns", O_RDWR));

  // names that are not UTF-8, and all the odd bytes
  const char *odd[] = {"\xff\xfe", "\xc3\x28", "a\nb", "\x01", "caf\xc3\xa9", "cafe\xcc\x81", "\xed\xa0\x80", " ", "\\", "*?[", "-rf"};
  for (unsigned i = 0; i < sizeof odd / sizeof *odd; i++) {
    put(odd[i], "x");
    if (stat(odd[i], &st)) printf("odd %u: %s\n", i, err_name(errno));
  }
  int found = 0;
  DIR *d = opendir(".");
  for (struct dirent *e; (e = readdir(d));)
    for (unsigned i = 0; i < sizeof odd / sizeof *odd; i++) found += strcmp(e->d_name, odd[i]) == 0;
  printf("odd names found %d\n", found);
  symlink("\xff\xfe", "\xfe");
  n = readlink("\xfe", b, sizeof b);
  printf("%zd %02x %02x\n", n, (unsigned char)b[0], (unsigned char)b[1]);
  say("rename odd", rename("\xff\xfe", "\xc3\x28"));
  mkdir("\xf0\x90", 0700);
  chdir("\xf0\x90");
  n = syscall(SYS_getcwd, b, sizeof b);
  printf("%02x %02x\n", (unsigned char)b[n - 3], (unsigned char)b[n - 2]);
  return 0;
}
