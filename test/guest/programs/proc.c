// native 6.18: the emulator replaces parts of /proc and shows the host's otherwise.
// proc(5) as programs read it: /proc/self links, status, stat, maps, fd, mounts, limits, and the system's files.
#include "say.h"
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

static char text[200000];
static long slurp(const char *path) {
  int fd = open(path, O_RDONLY);
  if (fd < 0) { printf("%s: %s\n", path, err_name(errno)); text[0] = 0; return -1; }
  long n = 0, k;
  while ((k = read(fd, text + n, sizeof text - 1 - n)) > 0) n += k;
  if (k < 0) printf("%s: read %s\n", path, err_name(errno));
  close(fd);
  text[n] = 0;
  return n;
}
// The value behind "Key:" in the text.
static const char *value(const char *key) {
  static char v[200];
  size_t n = strlen(key);
  for (char *p = text; *p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : "") {
    if (strncmp(p, key, n) || p[n] != ':') continue;
    p += n + 1;
    while (*p == ' ' || *p == '\t') p++;
    size_t len = strcspn(p, "\n");
    memcpy(v, p, len < 199 ? len : 199);
    v[len < 199 ? len : 199] = 0;
    return v;
  }
  return "(none)";
}
static void has(const char *path, const char *what) {
  slurp(path);
  printf("%s has %s: %d\n", path, what, strstr(text, what) != 0);
}
static void first(const char *path) {
  slurp(path);
  text[strcspn(text, "\n")] = 0;
  printf("%s: %s\n", path, text);
}

int main(int argc, char **argv) {
  scratch();
  char b[4096], path[100];
  ssize_t n;
  // links
  n = readlink("/proc/self", b, sizeof b);
  b[n > 0 ? n : 0] = 0;
  printf("self %d\n", atoi(b) == getpid());
  n = readlink("/proc/thread-self", b, sizeof b);
  b[n > 0 ? n : 0] = 0;
  sprintf(path, "%d/task/%d", getpid(), getpid());
  printf("thread-self %d\n", strcmp(b, path) == 0);
  n = readlink("/proc/self/cwd", b, sizeof b);
  b[n > 0 ? n : 0] = 0;
  printf("cwd %d\n", strcmp(b, scratch_path) == 0);
  n = readlink("/proc/self/root", b, sizeof b);
  printf("root %.*s\n", (int)n, b);
  n = readlink("/proc/self/exe", b, sizeof b);
  b[n > 0 ? n : 0] = 0;
  printf("exe %d\n", strcmp(strrchr(b, '/') + 1, strrchr(argv[0], '/') + 1) == 0);
  struct stat st, st2;
  stat("/proc/self/exe", &st);
  stat(argv[0], &st2);
  printf("exe is the program %d\n", st.st_ino == st2.st_ino);
  lstat("/proc/self/exe", &st);
  printf("exe mode %o\n", st.st_mode);
  // fd
  int fd = open("file", O_RDWR | O_CREAT, 0600), p[2];
  pipe(p);
  sprintf(path, "/proc/self/fd/%d", fd);
  lstat(path, &st);
  printf("fd mode %o size %ld\n", st.st_mode, (long)st.st_size);
  n = readlink(path, b, sizeof b);
  b[n > 0 ? n : 0] = 0;
  printf("fd %s\n", strrchr(b, '/'));
  rename("file", "moved");
  n = readlink(path, b, sizeof b);
  b[n > 0 ? n : 0] = 0;
  printf("fd after rename %s\n", strrchr(b, '/'));
  unlink("moved");
  n = readlink(path, b, sizeof b);
  b[n > 0 ? n : 0] = 0;
  printf("fd after unlink %s\n", strrchr(b, '/'));
  sprintf(path, "/proc/self/fd/%d", p[0]);
  lstat(path, &st);
  printf("read end mode %o\n", st.st_mode);
  sprintf(path, "/proc/self/fd/%d", p[1]);
  lstat(path, &st);
  printf("write end mode %o\n", st.st_mode);
  n = readlink(path, b, sizeof b);
  printf("pipe %.6s\n", b);
  fstat(p[1], &st);
  b[n > 0 ? n : 0] = 0;
  printf("inode %d\n", strtoul(b + 6, 0, 10) == st.st_ino);
  n = readlink("/proc/self/fd/77", b, sizeof b);
  printf("missing fd %s\n", n < 0 ? err_name(errno) : "?");
  say("fd x", open("/proc/self/fd/x", O_RDONLY));
  say("fd 01", open("/proc/self/fd/01", O_RDONLY));
  DIR *d = opendir("/proc/self/fd");
  int count = 0, three = 0;
  for (struct dirent *e; (e = readdir(d));) count++, three += e->d_name[0] >= '0' && e->d_name[0] <= '2' && e->d_name[1] == 0;
  closedir(d);
  printf("fds listed %d, standard %d\n", count >= 8, three);
  lseek(fd, 5, SEEK_SET);
  sprintf(path, "/proc/self/fdinfo/%d", fd);
  slurp(path);
  printf("fdinfo pos %s\n", value("pos"));
  printf("fdinfo flags end %s\n", strlen(value("flags")) > 2 ? value("flags") + strlen(value("flags")) - 1 : "?");
  printf("fdinfo mnt_id %d ino %d\n", atoi(value("mnt_id")) > 0, strtoul(value("ino"), 0, 10) > 0);
  // cmdline, environ, comm
  n = slurp("/proc/self/cmdline");
  printf("cmdline ends right %d\n", n > 14 && memcmp(text + n - 14, "one\0two words\0", 14) == 0);
  setenv("GREETING", "changed", 1);
  n = slurp("/proc/self/environ");
  int greeting = 0;
  for (char *q = text; q < text + n; q += strlen(q) + 1) greeting |= strcmp(q, "GREETING=hi") == 0;
  printf("environ %d\n", greeting);
  int c = open("/proc/self/comm", O_RDWR);
  say("set comm", write(c, "newname-that-is-too-long", 24));
  first("/proc/self/comm");
  slurp("/proc/self/status");
  printf("Name %s\n", value("Name"));
  printf("State %s\n", value("State"));
  printf("Pid %d Tgid %d PPid %d\n", atoi(value("Pid")) == getpid(), atoi(value("Tgid")) == getpid(), atoi(value("PPid")) == getppid());
  printf("TracerPid %s Threads %s\n", value("TracerPid"), value("Threads"));
  sprintf(path, "%d\t%d\t%d\t%d", getuid(), geteuid(), geteuid(), geteuid());
  printf("Uid %d\n", strcmp(value("Uid"), path) == 0);
  umask(027);
  slurp("/proc/self/status");
  printf("Umask %s\n", value("Umask"));
  signal(SIGUSR2, SIG_IGN);
  sigset_t set;
  sigemptyset(&set), sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, 0);
  kill(getpid(), SIGUSR1);
  slurp("/proc/self/status");
  printf("SigBlk %s SigIgn bit %d ShdPnd %s\n", value("SigBlk"), (strtoul(value("SigIgn"), 0, 16) & 0x800) != 0, value("ShdPnd"));
  printf("VmRSS %d VmSize %d VmPeak %d VmData %d FDSize %d\n", atoi(value("VmRSS")) > 0, atoi(value("VmSize")) > 0, atoi(value("VmPeak")) > 0, atoi(value("VmData")) > 0, atoi(value("FDSize")) >= 64);
  printf("Groups %d NoNewPrivs %d Seccomp %d CapEff %d Cpus %d\n", strcmp(value("Groups"), "(none)") != 0, atoi(value("NoNewPrivs")), atoi(value("Seccomp")), strlen(value("CapEff")) == 16, strcmp(value("Cpus_allowed_list"), "(none)") != 0);
  printf("voluntary %d\n", strcmp(value("voluntary_ctxt_switches"), "(none)") != 0);
  // stat
  slurp("/proc/self/stat");
  char comm[100], state;
  int pid, ppid, pgrp, sid, tty, tpgid, fields = 0;
  sscanf(text, "%d %99s %c %d %d %d %d %d", &pid, comm, &state, &ppid, &pgrp, &sid, &tty, &tpgid);
  printf("stat %d %s %c %d %d %d\n", pid == getpid(), comm, state, ppid == getppid(), pgrp == getpgrp(), sid == getsid(0));
  for (char *q = strrchr(text, ')'); (q = strchr(q, ' ')); q++) fields++;
  printf("fields %d\n", fields + 2);
  slurp("/proc/self/statm");
  long a[7];
  printf("statm %d\n", sscanf(text, "%ld %ld %ld %ld %ld %ld %ld", a, a + 1, a + 2, a + 3, a + 4, a + 5, a + 6) == 7 && a[0] >= a[1] && a[1] > 0);
  // maps
  char *m = mmap(0, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mprotect(m + 4096, 4096, PROT_READ);
  int mfd = open("mapped", O_RDWR | O_CREAT, 0600);
  ftruncate(mfd, 8192);
  char *mm = mmap(0, 4096, PROT_READ, MAP_SHARED, mfd, 4096);
  slurp("/proc/self/maps");
  char *line;
  sprintf(path, "%08lx-%08lx r--s 00001000 ", (long)mm, (long)mm + 4096);
  line = strstr(text, path);
  printf("file mapping %d name %d\n", line != 0, line && strstr(line, "/mapped\n") && strchr(line, '\n') == strstr(line, "/mapped\n") + 7);
  sprintf(path, "%08lx-%08lx r--p 00000000 00:00 0 \n", (long)m + 4096, (long)m + 8192);
  printf("split mapping %d\n", strstr(text, path) != 0);
  printf("[stack] %d [heap] %d exe %d\n", strstr(text, "[stack]\n") != 0, (free(malloc(10)), 1), strstr(text, strrchr(argv[0], '/')) != 0);
  int sorted = 1, shape = 1;
  unsigned long last = 0;
  for (char *q = text; *q; q = strchr(q, '\n') + 1) {
    unsigned long lo, hi, off, ino;
    char perm[5], dev[10];
    if (sscanf(q, "%lx-%lx %4s %lx %9s %lu", &lo, &hi, perm, &off, dev, &ino) != 6) shape = 0;
    if (lo < last || hi <= lo) sorted = 0;
    last = hi;
  }
  printf("sorted %d shape %d\n", sorted, shape);
  has("/proc/self/smaps", "Rss:");
  has("/proc/self/smaps_rollup", "[rollup]");
  int pm = open("/proc/self/pagemap", O_RDONLY);
  uint64_t e = 0;
  m[0] = 1;
  printf("pagemap %d\n", pm < 0 || (pread(pm, &e, 8, (unsigned long)m / 4096 * 8) == 8 && e >> 63));
  int mem = open("/proc/self/mem", O_RDWR);
  strcpy(m, "memory");
  printf("mem read %zd %.6s\n", pread(mem, b, 6, (long)m), b);
  printf("mem write %zd %s\n", pwrite(mem, "MEM", 3, (long)m), m);
  say("mem hole", pread(mem, b, 6, 8));
  // limits, mounts
  slurp("/proc/self/limits");
  struct rlimit rl;
  getrlimit(RLIMIT_NOFILE, &rl);
  line = strstr(text, "Max open files");
  printf("limits %d\n", line && strtoul(line + 26, 0, 10) == rl.rlim_cur);
  has("/proc/self/mountinfo", " / ");
  has("/proc/self/mountinfo", " /proc ");
  has("/proc/self/mountinfo", " - proc ");
  has("/proc/mounts", " / ");
  has("/proc/self/mounts", "proc /proc proc ");
  slurp("/proc/self/mountinfo");
  int ids = 0, lines = 0;
  for (char *q = text; *q; q = strchr(q, '\n') + 1) {
    int id, parent, ma, mi;
    lines++;
    ids += sscanf(q, "%d %d %d:%d", &id, &parent, &ma, &mi) == 4;
  }
  printf("mountinfo shape %d\n", ids == lines);
  has("/proc/self/cgroup", ":/");
  first("/proc/self/coredump_filter");
  say("set coredump_filter", write(open("/proc/self/coredump_filter", O_WRONLY), "0x3f", 4));
  first("/proc/self/coredump_filter");
  say("octal", write(open("/proc/self/coredump_filter", O_WRONLY), "010", 3));
  first("/proc/self/coredump_filter");
  say("no number", write(open("/proc/self/coredump_filter", O_WRONLY), "x", 1));
  first("/proc/self/oom_score_adj");
  say("set oom_score_adj", write(open("/proc/self/oom_score_adj", O_WRONLY), "500", 3));
  first("/proc/self/oom_score_adj");
  first("/proc/self/loginuid");
  slurp("/proc/self/uid_map");
  printf("uid_map %d\n", strstr(text, "4294967295") != 0);
  slurp("/proc/self/auxv");
  slurp("/proc/self/io");
  has("/proc/self/io", "rchar:");
  slurp("/proc/self/wchan");
  n = readlink("/proc/self/ns/pid", b, sizeof b);
  printf("ns %.5s\n", n > 0 ? b : "none");
  d = opendir("/proc/self/task");
  count = 0;
  for (struct dirent *t; (t = readdir(d));) count += atoi(t->d_name) == getpid();
  closedir(d);
  printf("task %d\n", count);
  // other processes
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  usleep(20000);
  sprintf(path, "/proc/%d/stat", child);
  slurp(path);
  printf("child state %c\n", *(strrchr(text, ')') + 2));
  sprintf(path, "/proc/%d/cmdline", child);
  n = slurp(path);
  printf("child cmdline %d\n", n > 13 && memcmp(text + n - 14, "one\0two words\0", 14) == 0);
  kill(child, SIGKILL);
  usleep(20000);
  sprintf(path, "/proc/%d/stat", child);
  slurp(path);
  printf("zombie %c\n", *(strrchr(text, ')') + 2));
  sprintf(path, "/proc/%d/cmdline", child);
  printf("zombie cmdline %ld\n", slurp(path));
  sprintf(path, "/proc/%d/exe", child);
  printf("zombie exe %s\n", readlink(path, b, 10) < 0 ? err_name(errno) : "?");
  sprintf(path, "/proc/%d/status", child);
  int st_fd = open(path, O_RDONLY);
  waitpid(child, 0, 0);
  say("read of a reaped one", read(st_fd, b, 10));
  printf("gone %s\n", open(path, O_RDONLY) < 0 ? err_name(errno) : "?");
  printf("kill by its directory %d\n", access("/proc/1", F_OK));
  d = opendir("/proc");
  int self = 0, names = 0;
  for (struct dirent *t; (t = readdir(d));) self += atoi(t->d_name) == getpid(), names += !strcmp(t->d_name, "meminfo") || !strcmp(t->d_name, "self") || !strcmp(t->d_name, "sys");
  closedir(d);
  printf("listed %d %d\n", self, names);
  // the system
  slurp("/proc/meminfo");
  struct sysinfo si;
  sysinfo(&si);
  printf("MemTotal %d MemFree %d MemAvailable %d SwapTotal %d Cached %d\n", strtoul(value("MemTotal"), 0, 10) == si.totalram * si.mem_unit / 1024, strtoul(value("MemFree"), 0, 10) > 0, strtoul(value("MemAvailable"), 0, 10) > 0, strcmp(value("SwapTotal"), "(none)") != 0, strcmp(value("Cached"), "(none)") != 0);
  slurp("/proc/cpuinfo");
  int cpus = 0;
  for (char *q = text; (q = strstr(q, "processor\t:")); q++) cpus++;
  printf("cpuinfo %d\n", cpus >= 1);
  slurp("/proc/stat");
  printf("stat %d %d %d\n", strncmp(text, "cpu  ", 5) == 0, strstr(text, "\nbtime ") != 0, strstr(text, "\nprocesses ") != 0);
  double up, idle;
  slurp("/proc/uptime");
  printf("uptime %d\n", sscanf(text, "%lf %lf", &up, &idle) == 2 && up > 0 && up - si.uptime < 5);
  slurp("/proc/loadavg");
  double l1, l2, l3;
  int run, all, lastpid;
  printf("loadavg %d\n", sscanf(text, "%lf %lf %lf %d/%d %d", &l1, &l2, &l3, &run, &all, &lastpid) == 6 && run >= 1);
  has("/proc/filesystems", "nodev\tproc\n");
  has("/proc/filesystems", "nodev\ttmpfs\n");
  has("/proc/version", "Linux version ");
  struct utsname u;
  uname(&u);
  slurp("/proc/sys/kernel/osrelease");
  text[strcspn(text, "\n")] = 0;
  printf("osrelease %d\n", strcmp(text, u.release) == 0);
  slurp("/proc/sys/kernel/hostname");
  text[strcspn(text, "\n")] = 0;
  printf("hostname %d\n", strcmp(text, u.nodename) == 0);
  first("/proc/sys/kernel/ostype");
  slurp("/proc/sys/kernel/pid_max");
  printf("pid_max %d\n", atoi(text) >= 32768);
  slurp("/proc/sys/kernel/random/uuid");
  char u1[37];
  memcpy(u1, text, 36);
  u1[36] = 0;
  slurp("/proc/sys/kernel/random/uuid");
  printf("uuid %d %c\n", strlen(text) == 37 && memcmp(u1, text, 36) != 0, text[14]);
  slurp("/proc/sys/kernel/random/boot_id");
  memcpy(u1, text, 36);
  slurp("/proc/sys/kernel/random/boot_id");
  printf("boot_id %d\n", strlen(text) == 37 && memcmp(u1, text, 36) == 0);
  slurp("/proc/sys/kernel/random/entropy_avail");
  printf("entropy %d\n", atoi(text) > 0);
  const char *numbers[] = {"/proc/sys/vm/overcommit_memory", "/proc/sys/vm/max_map_count", "/proc/sys/fs/file-max", "/proc/sys/fs/nr_open", "/proc/sys/fs/pipe-max-size", "/proc/sys/net/core/somaxconn", "/proc/sys/kernel/threads-max", "/proc/sys/kernel/cap_last_cap", "/proc/sys/kernel/ngroups_max", "/proc/sys/fs/inotify/max_user_watches", "/proc/sys/kernel/randomize_va_space"};
  for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    slurp(numbers[i]);
    printf("%s %d\n", numbers[i], text[0] >= '0' && text[0] <= '9' && strchr(text, '\n') != 0);
  }
  // shapes and errors
  stat("/proc", &st);
  printf("proc %o\n", st.st_mode);
  stat("/proc/self", &st);
  printf("self %o\n", st.st_mode);
  stat("/proc/self/status", &st);
  printf("status %o size %ld blocks %ld\n", st.st_mode, (long)st.st_size, (long)st.st_blocks);
  stat("/proc/self/fd", &st);
  printf("fd %o\n", st.st_mode);
  say("create", open("/proc/new", O_RDWR | O_CREAT, 0600));
  say("mkdir", mkdir("/proc/new", 0700));
  say("unlink", unlink("/proc/version"));
  say("rename", rename("/proc/version", "/proc/v"));
  say("write version", open("/proc/version", O_WRONLY) < 0 || getuid() == 0);
  say("missing pid", open("/proc/999999/status", O_RDONLY));
  say("not a pid", open("/proc/0/status", O_RDONLY));
  int s = open("/proc/self/status", O_RDONLY);
  say("pread", pread(s, b, 5, 0));
  printf("%.5s\n", b);
  say("lseek", lseek(s, 2, SEEK_SET));
  say("read", read(s, b, 3));
  printf("%.3s\n", b);
  say("seek end", lseek(s, 0, SEEK_END));
  say("one byte reads", (lseek(s, 0, SEEK_SET), n = 0, ({ while (read(s, b + n, 1) == 1 && n < 100) n++; n; })));
  printf("%.5s\n", b);
  (void)argc;
  return 0;
}
